"""Given, when, then: a process on an engine in memory with a virtual clock, in the words of scripts.

>>> bench.deploy("shop")
>>> case = bench.given(process="refund", variables={"amount": 301})
>>> case.when(task="审批", set={"decision": "批准"})
>>> case.then(open=["付款"])
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from flowkit.engine import Engine, VirtualClock
from flowkit.tasks.library import StandardTasks
from flowkit.tasks.library.deadlines import default_calendars
from flowkit.testing.failure import picture
from flowkit.testing.player import Player, ScriptFailed
from flowkit.testing.script import START, Expect, Expectation, Script, StartStep, read_step
from flowkit.testing.spies import Spy

__all__ = ["Bench", "Case"]

T = TypeVar("T")
Source = str | os.PathLike[str] | Mapping[str, bytes]


class Bench:
    """An engine in memory for one test. ``handlers`` makes the ready-made ones, with the texts of a
    folder; ``pictures`` is where the diagrams of failures are drawn."""

    def __init__(self, handlers: Callable[[Path | None], StandardTasks], pictures: Path) -> None:
        self._make, self.pictures = handlers, pictures
        self._spies: dict[str, Spy] = {}
        self._engine: Engine | None = None
        self._handlers: StandardTasks | None = None

    @property
    def engine(self) -> Engine:
        """The engine; raises RuntimeError before the first deployment."""
        if self._engine is None:
            raise RuntimeError("expected bench.deploy(…) first: the engine begins with it")
        return self._engine

    @property
    def handlers(self) -> StandardTasks:
        """The ready-made handlers with their books."""
        if self._handlers is None:
            raise RuntimeError("expected bench.deploy(…) first: the handlers begin with it")
        return self._handlers

    def deploy(self, *sources: Source, now: datetime = START) -> None:
        """Deploy files, folders or contents by name; the clock begins at ``now`` with the first of them.

        Raises InvalidModel for what can't be deployed.
        """
        if self._engine is None:
            folders = [Path(one) for one in sources if not isinstance(one, Mapping)]
            texts = next((it / "templates" for it in folders if (it / "templates").is_dir()), None)
            self._handlers = self._make(texts)
            self._engine = Engine(
                tasks=self._handlers.registry, clock=VirtualClock(now), calendars=default_calendars()
            )
            for spy in self._spies.values():
                self._install(spy)
        self._engine.deploy(*sources)

    def spy(self, job_type: str) -> Spy:
        """Stand in for the handler of a job type: see :class:`~flowkit.testing.spies.Spy`."""
        if job_type not in self._spies:
            self._spies[job_type] = Spy(job_type)
            if self._engine is not None:
                self._install(self._spies[job_type])
        return self._spies[job_type]

    def _install(self, spy: Spy) -> None:
        spy.original = self.handlers.registry.get(spy.job_type)
        self.handlers.registry.replace(spy.handler())

    def given(self, *, stock: Any = None, records: Any = None, **start: Any) -> Case:
        """Start a process as ``start`` of a script does: ``process``, ``message``, ``signal`` or ``timer``,
        with ``variables``, ``business_key``, ``key``, ``start_event``. Raises ScriptFailed if nothing starts.
        """
        begin = _checked(StartStep.model_validate, start)
        plan = Script(now=self.engine.clock.now(), start=begin, stock=stock or {}, records=records or {})
        player = Player(self.engine, plan, handlers=self.handlers)
        player.play()
        return Case(self, player)

    def close(self) -> None:
        """Close the engine."""
        if self._engine is not None:
            self._engine.close()


class Case:
    """A process that was started, and what it called. ``trail`` are the names of what was entered."""

    def __init__(self, bench: Bench, player: Player) -> None:
        self._bench, self.player = bench, player
        self.id = player.root

    @property
    def trail(self) -> list[str]:
        """The names of the elements entered so far, in order; the id where there is no name."""
        return [name for _, _, name in self.player.observer.entered]

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables of the process."""
        return self._bench.engine.instance(self.id).variables

    def when(self, **step: Any) -> Case:
        """One step of a script: ``task=…, set={…}``, ``message=…``, ``signal=…``, ``wait="PT1H"``,
        ``until=…``, ``error={…}`` or ``escalate={…}``. Raises ScriptFailed where it can't be done."""
        __tracebackhide__ = True
        self._try(lambda: self.player.do(_checked(read_step, step)), Expectation())
        return self

    def then(self, **expected: Any) -> Case:
        """Check as ``expect`` of a script does: ``ended``, ``open``, ``end``, ``passed``, ``not_passed``,
        ``trail``, ``variables``, ``notices``, ``incidents``. Raises ScriptFailed for what does not hold."""
        __tracebackhide__ = True
        wanted = _checked(Expectation.model_validate, expected)
        self._try(lambda: self.player.do(Expect(expect=wanted)), wanted)
        return self

    def _try(self, action: Callable[[], None], wanted: Expectation) -> None:
        __tracebackhide__ = True
        try:
            action()
        except ScriptFailed as error:
            file = self._bench.pictures / f"failed-{self.player.step}.svg"
            file.write_text(picture(self.player, wanted), "utf-8")
            text = str(error).partition(": ")[2]
            details = f"{error.details}\ndrawn in {file}" if error.details else f"drawn in {file}"
            raise ScriptFailed(error.step, f"{text}\n{details}") from None


def _checked(read: Callable[[Any], T], given: Mapping[str, Any]) -> T:
    try:
        return read(dict(given))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'the call'}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise TypeError(faults) from None
