"""Running a model as a stranger would: an engine in memory, no handlers, no extension of any vendor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from flowkit.engine import Engine, VirtualClock
from flowkit.kernel import protocol as p

__all__ = ["Case", "Run", "do", "file", "follow", "play", "put", "send", "tell", "wait"]

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="file" targetNamespace="http://example.com/t"{}>'
)


def file(inside: str, attributes: str = "") -> bytes:
    """Root elements as a file."""
    return f"{_HEAD.format(attributes)}{inside}</definitions>".encode()


class Run:
    """One engine on a virtual clock; ``root`` is the instance that the test looks at."""

    def __init__(self, model: bytes) -> None:
        self.engine = Engine(clock=VirtualClock())
        self.engine.deploy({"model.bpmn": model})
        self.root = ""

    def start(self, variables: Mapping[str, Any]) -> None:
        self.root = self.engine.start("p", variables)
        self.engine.run_until_idle()

    def look(self) -> None:
        """Follow the instance of ``p`` that something from outside has started."""
        self.engine.run_until_idle()
        if not self.root and (found := self.engine.instances("p")):
            self.root = found[0].id

    def trail(self, instance: str) -> list[str]:
        events = [entry.event for entry in self.engine.history(instance)]
        return [event.node for event in events if isinstance(event, p.ElementCompleted)]

    def close(self) -> None:
        self.engine.close()


Step = Callable[[Run], None]


def do(element: str, **variables: Any) -> Step:
    """Somebody completes the user task (one of them, where there are several)."""

    def step(run: Run) -> None:
        waiting = [task for task in run.engine.tasks() if task.element_id == element]
        assert waiting, f"{element} is not waiting: {[t.element_id for t in run.engine.tasks()]}"
        run.engine.complete(waiting[0], variables)

    return step


def send(message: str, key: str = "", **variables: Any) -> Step:
    """A message comes."""
    return lambda run: run.engine.publish(message, key, variables) and None


def tell(signal: str, **variables: Any) -> Step:
    """A signal comes."""
    return lambda run: run.engine.broadcast(signal, variables) and None


def wait(**time: float) -> Step:
    """Time passes."""
    return lambda run: run.engine.advance(timedelta(**time)) and None


def put(**variables: Any) -> Step:
    """Variables change."""
    return lambda run: run.engine.set_variables(run.root, variables) and None


class Case(NamedTuple):
    """What happens, and what must have completed, in order; ``given`` None is not started by hand."""

    name: str
    model: str
    steps: tuple[Step, ...]
    trail: str
    given: dict[str, Any] | None = {}  # noqa: RUF012  (a tuple's default, never changed)
    gives: dict[str, Any] = {}  # noqa: RUF012
    status: str = "completed"


def play(case: Case) -> None:
    """Run a case and hold it against what it expects."""
    run = Run(file(case.model))
    try:
        if case.given is not None:
            run.start(case.given)
        for step in case.steps:
            step(run)
            run.look()
        incidents = [view.message for view in run.engine.incidents()]
        if case.status != "incident":
            assert not incidents, incidents
        view = run.engine.instance(run.root)
        trails = " | ".join(" ".join(run.trail(i.id)) for i in _family(run))
        assert trails == case.trail, f"{trails!r} instead of {case.trail!r}"
        if case.status != "incident":
            assert view.status == case.status, view.status
        for name, value in case.gives.items():
            assert view.variables.get(name) == value, view.variables
    finally:
        run.close()


def follow(case: Case, model: bytes) -> tuple[list[str], str]:
    """Run the case's steps on another model: the trails, the root's first, and how it stands."""
    run = Run(model)
    try:
        if case.given is not None:
            run.start(case.given)
        for step in case.steps:
            step(run)
            run.look()
        trails = [" ".join(run.trail(view.id)) for view in _family(run)]
        return trails, run.engine.instance(run.root).status
    finally:
        run.close()


def _family(run: Run) -> list[Any]:
    """The root first, then what was started after it."""
    others = [view for view in run.engine.instances() if view.id != run.root]
    return [run.engine.instance(run.root), *sorted(others, key=lambda view: (view.started, view.id))]
