"""What a rule looks at: the model with its scopes opened up, and how a rule says what it found."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeVar

from flowkit.bpmn.model import (
    Activity,
    BoundaryEvent,
    Definitions,
    Element,
    Event,
    EventDefinition,
    FlowElementsContainer,
    FlowNode,
    Process,
    SequenceFlow,
    SubProcess,
)
from flowkit.findings import Severity

__all__ = ["Model", "Problem", "Rule", "Scope", "a", "error", "information", "kind", "warning"]

E = TypeVar("E", bound=Element)


class Problem(NamedTuple):
    """What a rule found: at which element, what is wrong, what to do."""

    element: Element
    message: str
    hint: str = ""


Check = Callable[["Model"], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Rule:
    """``summary`` is the rule in a sentence; it heads the rule's page in ``docs/rules``."""

    name: str
    severity: Severity
    summary: str
    check: Check


def error(name: str, summary: str, check: Check) -> Rule:
    return Rule(name, Severity.ERROR, summary, check)


def warning(name: str, summary: str, check: Check) -> Rule:
    return Rule(name, Severity.WARNING, summary, check)


def information(name: str, summary: str, check: Check) -> Rule:
    return Rule(name, Severity.INFO, summary, check)


@dataclass(frozen=True, eq=False)
class Scope:
    """A process or subprocess with its own flow elements by id."""

    container: FlowElementsContainer
    process: Process
    parent: Scope | None
    nodes: dict[str, FlowNode]
    flows: dict[str, SequenceFlow]
    attached: dict[str, list[BoundaryEvent]]
    """The boundary events of each activity."""

    @property
    def executable(self) -> bool:
        return self.process.is_executable

    def of(self, kind_of: type[E]) -> Iterator[E]:
        """The nodes of one kind, in document order."""
        return (node for node in self.nodes.values() if isinstance(node, kind_of))

    def outgoing(self, node: FlowNode) -> list[SequenceFlow]:
        return [self.flows[i] for i in node.outgoing]

    def incoming(self, node: FlowNode) -> list[SequenceFlow]:
        return [self.flows[i] for i in node.incoming]

    def boundary_events(self, node: FlowNode) -> list[BoundaryEvent]:
        return self.attached.get(node.id, [])


@dataclass(eq=False)
class Model:
    """A whole file, indexed. ``job_types`` is None where the handlers are not known."""

    definitions: Definitions
    job_types: Collection[str] | None = None
    scopes: list[Scope] = field(default_factory=list)
    scope_of: dict[str, Scope] = field(default_factory=dict)
    """The scope that directly holds a flow element."""

    def __post_init__(self) -> None:
        for process in self.definitions.processes:
            self._open(process, process, None)

    def _open(self, container: FlowElementsContainer, process: Process, parent: Scope | None) -> None:
        scope = Scope(
            container,
            process,
            parent,
            {node.id: node for node in container.nodes},
            {flow.id: flow for flow in container.flows},
            {},
        )
        for event in scope.of(BoundaryEvent):
            scope.attached.setdefault(event.attached_to, []).append(event)
        self.scopes.append(scope)
        for element in (*container.nodes, *container.flows, *container.data_objects):
            self.scope_of[element.id] = scope
        for element in (*container.data_object_references, *container.data_store_references):
            self.scope_of[element.id] = scope
        for node in container.nodes:
            if isinstance(node, SubProcess):
                self._open(node, process, scope)

    @cached_property
    def executed(self) -> list[Scope]:
        """The scopes of executable processes."""
        return [scope for scope in self.scopes if scope.executable]

    @cached_property
    def nodes(self) -> dict[str, FlowNode]:
        """Every flow node of the file by id."""
        return {node.id: node for scope in self.scopes for node in scope.nodes.values()}

    def all(self, kind_of: type[E]) -> Iterator[tuple[Scope, E]]:
        """Every flow node of one kind with its scope."""
        return ((scope, node) for scope in self.scopes for node in scope.of(kind_of))

    def run(self, kind_of: type[E]) -> Iterator[tuple[Scope, E]]:
        """Like :meth:`all`, in executable processes only."""
        return ((scope, node) for scope in self.executed for node in scope.of(kind_of))

    def events(self, definition: type[EventDefinition]) -> Iterator[tuple[Scope, Event, EventDefinition]]:
        """Every event with a definition of this kind, in executable processes."""
        return (
            (scope, event, found)
            for scope, event in self.run(Event)
            for found in event.definitions
            if isinstance(found, definition)
        )

    def activities(self) -> Iterator[tuple[Scope, Activity]]:
        return self.all(Activity)


def a(element: Element) -> str:
    """The kind with its article: ``a start event``, ``an exclusive gateway``."""
    name = kind(element)
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


_SPELLED = (
    ("sub process", "subprocess"),
    ("ad hoc", "ad-hoc"),
    ("event based", "event-based"),
    (" definition", ""),
)
_WORDS = re.compile(r"(?<!^)(?=[A-Z])")


def kind(element: Element) -> str:
    """The element's kind in a reader's words: ``start event``, ``exclusive gateway``."""
    if isinstance(element, SubProcess) and element.triggered_by_event:
        return "event subprocess"
    name = _WORDS.sub(" ", type(element).__name__).lower()
    return (
        name.replace("sub process", "subprocess")
        .replace("ad hoc", "ad-hoc")
        .replace("event based", "event-based")
        .replace(" definition", "")
    )
