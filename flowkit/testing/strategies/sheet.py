"""What random processes are drawn on: the XML of a file as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from hypothesis import strategies as st

__all__ = ["CORE", "FLAGS", "KINDS", "SIGNALS", "Block", "Draw", "Ends", "RandomProcess", "Sheet", "formal"]

FLAGS = ("b0", "b1", "b2")
"""The boolean variables that conditions read."""

SIGNALS = ("S1", "S2")
"""The signals that processes throw and catch."""

KINDS = frozenset(
    {
        "ad-hoc", "behavior", "boundary", "call activity", "catch", "compensation", "complex gateway",
        "condition", "conditional flows", "correlation", "cycle", "data store", "error", "escalation",
        "event subprocess", "event-based gateway", "exclusive gateway", "inclusive gateway",
        "instantiation", "link", "loop", "message", "multi-instance", "multiple", "parallel gateway",
        "parallel multiple", "pools", "quantity", "receive task", "script task", "send task", "signal",
        "subprocess", "terminate", "throw", "timer", "transaction", "user task",
    }
)  # fmt: skip
"""What may occur in a random process, beside plain tasks and sequence flows.

*behavior* is multi-instance with events of its own, *condition*, *message*, *multiple*, *parallel
multiple*, *signal* and *timer* are what events wait for, *correlation* is that by the standard's
properties, *cycle* a loop of sequence flows, *instantiation* a start by a message, *quantity* a start
or completion quantity above 1.
"""

CORE = KINDS - {
    "ad-hoc", "behavior", "call activity", "complex gateway", "condition", "correlation", "data store",
    "instantiation", "multiple", "parallel multiple", "pools", "quantity", "receive task", "script task",
    "send task", "signal", "throw",
}  # fmt: skip
"""What most tools and engines know."""

Draw = Callable[[st.SearchStrategy[Any]], Any]

Ends = tuple[str, str]
"""The first and the last node of a block."""

Block = Callable[["Sheet", int], Ends]
"""Draws a block; the number tells how deep blocks may still lie inside it."""

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="Definitions" targetNamespace="random">'
)


@dataclass(frozen=True)
class RandomProcess:
    """A BPMN file, and how to start its process ``Process``.

    User tasks wait to be completed; timers are of an hour. ``again`` is read after a user task in a
    loop: true runs the loop once more. ``start`` is the event at which the process starts, None for
    its none start event. ``elements`` tells which elements there are, by kind: ``{"signal boundary":
    ("b7",)}``. ``signals`` may be broadcast. The file may hold further processes: ``Called`` by the
    first, and ``Partner``, to which it sends messages.
    """

    bpmn: bytes
    variables: dict[str, Any]
    start: str | None = None
    elements: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    signals: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"RandomProcess({self.variables}, {self.start}, {self.bpmn.decode()})"


def formal(tag: str, text: str) -> str:
    """A formal expression in FEEL."""
    return f'<bpmn:{tag} xsi:type="bpmn:tFormalExpression">={escape(text)}</bpmn:{tag}>'


@dataclass
class _Container:
    nodes: list[str] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    """What the schema wants after the nodes and flows."""
    ad_hoc: bool = False


@dataclass
class Sheet:
    """What has been drawn so far; ``containers``: processes and subprocesses, innermost last."""

    draw: Draw
    kinds: frozenset[str]
    leaves: Mapping[str, Block]
    """The blocks that are one node or a few, by kind."""
    nested: Mapping[str, Block]
    """The blocks with further blocks inside."""
    containers: list[_Container] = field(default_factory=lambda: [_Container()])
    roots: list[str] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    """Processes beside the main one, complete."""
    elements: dict[str, list[str]] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    collaboration: str = ""
    favourite: str = ""
    """What events of this file like best to wait for, so that every kind comes often in some file."""
    counter: int = 0
    quiet: int = 0
    """Inside what may occur again and again: nothing is thrown there that could make it occur."""
    stores: bool = False
    home: str = "Process"
    """The process that is being drawn."""
    called: set[str] | None = None
    """What the process ``Called`` throws at its caller, once it is drawn."""

    # ---- choices ------------------------------------------------------------------------------

    def chance(self, one_in: int) -> bool:
        return bool(self.draw(st.integers(1, one_in)) == 1)

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def number(self, least: int, most: int) -> int:
        return int(self.draw(st.integers(least, most)))

    def flag(self) -> str:
        return str(self.one_of(*FLAGS))

    def condition(self) -> str:
        flag = self.flag()
        return f"not({flag})" if self.chance(3) else flag

    def wants(self, *kinds: str) -> bool:
        return self.kinds.issuperset(kinds)

    # ---- drawing ------------------------------------------------------------------------------

    def name(self, prefix: str) -> str:
        self.counter += 1
        return f"{prefix}{self.counter}"

    def note(self, kind: str, element: str) -> None:
        """The element is of this kind."""
        self.elements.setdefault(kind, []).append(element)

    def node(
        self, tag: str, prefix: str, inner: str = "", *, kind: str = "", name: str = "", **attributes: object
    ) -> str:
        name = name or self.name(prefix)
        given = "".join(f' {key}="{_text(value)}"' for key, value in attributes.items())
        self.containers[-1].nodes.append(f'<bpmn:{tag} id="{name}"{given}>{inner}</bpmn:{tag}>')
        if kind:
            self.note(kind, name)
        return name

    def flow(self, source: str, target: str, condition: str = "", name: str = "") -> str:
        flow = name or self.name("f")
        inner = formal("conditionExpression", condition) if condition else ""
        self.containers[-1].nodes.append(
            f'<bpmn:sequenceFlow id="{flow}" sourceRef="{source}" targetRef="{target}">{inner}'
            "</bpmn:sequenceFlow>"
        )
        return flow

    def associate(self, source: str, target: str) -> None:
        ends = f'sourceRef="{source}" targetRef="{target}"'
        self.containers[-1].artifacts.append(
            f'<bpmn:association id="{self.name("a")}" associationDirection="One" {ends}/>'
        )

    def end(self, last: str) -> None:
        """The path ends here: with an end event, where there can be one."""
        self.flow(last, self.node("task" if self.containers[-1].ad_hoc else "endEvent", "e"))

    def root(self, tag: str, prefix: str, **attributes: str) -> str:
        """A root element whose name is its id."""
        name = self.name(prefix)
        given = "".join(f' {key}="{name if value == "=" else value}"' for key, value in attributes.items())
        self.roots.append(f'<bpmn:{tag} id="{name}" name="{name}"{given}/>')
        return name

    # ---- containers ---------------------------------------------------------------------------

    def open(self, *, ad_hoc: bool = False) -> None:
        """Begin a subprocess or a process."""
        self.containers.append(_Container(ad_hoc=ad_hoc))

    def close(self) -> str:
        """End it; what it holds."""
        container = self.containers.pop()
        return "".join([*container.nodes, *container.artifacts])

    @contextmanager
    def quietly(self) -> Iterator[None]:
        self.quiet += 1
        yield
        self.quiet -= 1

    def process(self, name: str, content: str) -> str:
        used = (
            '<bpmn:dataStoreReference id="store" name="store"/>' if self.stores and name == "Process" else ""
        )
        return f'<bpmn:process id="{name}" isExecutable="true">{used}{content}</bpmn:process>'

    def file(self) -> bytes:
        main = self.process("Process", self.close())
        signals = "".join(f'<bpmn:signal id="{name}" name="{name}"/>' for name in SIGNALS)
        body = f"{signals}{''.join(self.roots)}{self.collaboration}{main}{''.join(self.processes)}"
        return f"{_HEAD}{body}</bpmn:definitions>".encode()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
