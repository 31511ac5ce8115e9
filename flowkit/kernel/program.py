"""The program: a process compiled for the kernel.

Everything that can be known before the first token moves is worked out here once: expressions are
Python functions, ids are resolved, every node knows its behaviour, its flows, its boundary events
and what can reach it. A program never changes and is shared by all its instances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowkit.bpmn import model as m
from flowkit.findings import Location
from flowkit.kernel.formula import Formula

if TYPE_CHECKING:
    from flowkit.kernel.frame import Frame
    from flowkit.kernel.state import Scope, Token

__all__ = [
    "Assignment",
    "Behaviour",
    "CallSpec",
    "Called",
    "Catch",
    "Container",
    "Correlation",
    "DecisionSpec",
    "Flow",
    "JobSpec",
    "Loop",
    "MultiInstance",
    "Node",
    "Program",
    "StartTrigger",
    "StoreRead",
    "StoreWrite",
    "Throw",
    "TimerSpec",
    "UserTaskSpec",
]


def _nothing(*_: Any) -> None:
    """The behaviour has no such moment."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the kernel does at a node; one entry of the table in :mod:`flowkit.kernel.behaviours`.

    ``activate`` runs once the token has entered. ``arrive`` runs instead of entering when a token
    comes along a flow (joins). ``emptied`` runs when the last token of the scope that the node
    opened is gone. ``resume`` runs when what the token waited for has come, with the variables that
    came along. ``waits`` tells whether a token can stay at the node; with ``attends``, ``emptied`` runs
    whenever a token of the scope ends.
    """

    activate: Callable[[Frame, Token, Node], None]
    arrive: Callable[[Frame, Token, Node, str], None] | None = None
    emptied: Callable[[Frame, Scope, Token, Node], None] = _nothing
    resume: Callable[[Frame, Token, Node, Mapping[str, Any]], None] = _nothing
    waits: bool = False
    attends: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow."""

    id: str
    source: str
    target: str
    name: str = ""
    condition: Formula | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """``formula``'s value becomes the variable ``target``; a dotted target sets inside a context."""

    formula: Formula
    target: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimerSpec:
    """``kind``: date, duration or cycle."""

    kind: str
    formula: Formula


@dataclass(frozen=True, slots=True)
class Correlation:
    """How a message is correlated by the standard's key ``key``: ``paths`` give the values of its
    ``properties`` from the message's content, ``context`` (if the process subscribes) from its data."""

    key: str
    properties: tuple[str, ...]
    paths: tuple[Formula, ...]
    context: tuple[Formula, ...] = ()


@dataclass(frozen=True, slots=True)
class Catch:
    """One definition of a catching event. ``kind``: message, timer, signal, condition, error,
    escalation, compensation, cancel, link or none; ``name`` is a message's or signal's name, an
    error's or escalation's code ("" catches every one), or a link's name."""

    kind: str
    name: str = ""
    key: Formula | None = None
    timer: TimerSpec | None = None
    condition: Formula | None = None
    correlation: Correlation | None = None


@dataclass(frozen=True, slots=True)
class Throw:
    """One definition of a throwing event; ``kind`` as in :class:`Catch`, or terminate."""

    kind: str
    name: str = ""
    key: Formula | None = None
    code: Formula | None = None
    message_id: Formula | None = None
    time_to_live: Formula | None = None
    activity: str = ""
    wait: bool = True
    target: str = ""
    correlation: Correlation | None = None
    carries: str = ""
    """Of several results, each with a data input of its own: the one that this one carries."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    type: Formula
    retries: Formula
    headers: Mapping[str, str]
    priority: Formula | None = None


@dataclass(frozen=True, slots=True)
class UserTaskSpec:
    assignee: Formula | None = None
    candidate_groups: Formula | None = None
    candidate_users: Formula | None = None
    due: Formula | None = None
    follow_up: Formula | None = None
    priority: Formula | None = None
    form: str | None = None
    form_binding: str = "latest"
    form_version_tag: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    more_groups: tuple[Formula, ...] = ()
    """Of several potential owners, those after the first."""
    parameters: tuple[tuple[str, Formula], ...] = ()
    """What the resource is asked for, by ``role.parameter``: handed on as headers."""


@dataclass(frozen=True, slots=True)
class DecisionSpec:
    decision: Formula
    result_variable: str
    binding: str
    version_tag: str


@dataclass(frozen=True, slots=True)
class CallSpec:
    process: Formula
    propagate_parent: bool
    propagate_child: bool
    binding: str
    version_tag: str


@dataclass(frozen=True, slots=True)
class MultiInstance:
    """Either ``collection`` or ``cardinality`` is set. ``events`` are thrown per ``behavior``."""

    sequential: bool
    collection: Formula | None = None
    cardinality: Formula | None = None
    input_element: str = ""
    output_collection: str = ""
    output_element: Formula | None = None
    local_output: str = ""
    completion: Formula | None = None
    behavior: str = "All"
    event: Throw | None = None
    complex: tuple[tuple[Formula, Throw], ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """A standard loop; ``condition`` None means without end (up to ``maximum``)."""

    test_before: bool
    condition: Formula | None
    maximum: int | None


@dataclass(frozen=True, slots=True)
class StoreRead:
    """The content of the data store ``store`` is ``variable`` in the node's input associations."""

    variable: str
    store: str


@dataclass(frozen=True, slots=True)
class StoreWrite:
    """What the outputs give as ``key`` goes to a data store, or to ``path`` inside its content."""

    key: str
    store: str
    path: tuple[str, ...] = ()
    capacity: int | None = None


@dataclass(slots=True)
class Node:
    """A flow node, ready to run. ``detail`` is the specification that its behaviour reads."""

    id: str
    name: str
    kind: str
    container: str
    lane: str
    location: Location
    element: m.FlowNode
    behaviour: Behaviour
    activate: Callable[[Frame, Token, Node], None]
    incoming: tuple[str, ...] = ()
    out: tuple[Flow, ...] = ()
    conditional: bool = False
    default: Flow | None = None
    inputs: tuple[Assignment, ...] = ()
    outputs: tuple[Assignment, ...] = ()
    reads: tuple[StoreRead, ...] = ()
    writes: tuple[StoreWrite, ...] = ()
    loop: Loop | None = None
    multi: MultiInstance | None = None
    boundary: tuple[str, ...] = ()
    attached_to: str = ""
    interrupting: bool = True
    handler: str = ""
    """The compensation handler of this activity: an activity, or a compensation event subprocess."""
    catches: tuple[Catch, ...] = ()
    throws: tuple[Throw, ...] = ()
    carried: tuple[str, ...] = ()
    """What the content of each of ``catches`` is called here: the names of the data outputs."""
    parallel: bool = False
    """All of ``catches`` must occur (parallel multiple)."""
    start_quantity: int = 1
    completion_quantity: int = 1
    synchronized: bool = False
    """A join in the same container waits for tokens that can reach it."""
    reach: Mapping[str, int] = field(default_factory=dict)
    """For a synchronizing join: per node, the bit set of ``incoming`` that a token there can reach."""
    reach_by_flow: Mapping[str, int] = field(default_factory=dict)
    """The same without boundary events, which may never occur."""
    event_subprocess: bool = False
    assigns: frozenset[str] = frozenset()
    """The variables that the node, or what is inside it, assigns by name."""
    detail: Any = None

    def __repr__(self) -> str:
        return f"<{self.kind} {self.id} {self.name!r}>"


@dataclass(frozen=True, slots=True)
class Container:
    """A process or subprocess: where its tokens start, and the event subprocesses inside it."""

    id: str
    starts: tuple[str, ...]
    """The none start event, or the nodes without incoming flows when there is no start event."""
    event_subprocesses: tuple[str, ...]
    """The start events of the event subprocesses."""
    activities: tuple[str, ...]
    """Those without incoming flows, in document order (ad-hoc subprocesses)."""


@dataclass(frozen=True, slots=True)
class StartTrigger:
    """What can start the process. ``kind``: none, message, timer, signal or condition; ``part`` is which
    of its node's definitions this is."""

    node: str
    kind: str
    name: str = ""
    key: Formula | None = None
    timer: TimerSpec | None = None
    condition: Formula | None = None
    part: int = 0


@dataclass(frozen=True, slots=True)
class Called:
    """A process, decision or form that the program refers to by a fixed id."""

    id: str
    binding: str = "latest"
    version_tag: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled process. ``digest`` is the SHA-256 of the file and process id it was made from."""

    process_id: str
    name: str
    version_tag: str
    digest: str
    definitions: m.Definitions
    nodes: Mapping[str, Node]
    flows: Mapping[str, Flow]
    containers: Mapping[str, Container]
    starts: tuple[StartTrigger, ...]
    job_types: frozenset[str]
    called_processes: tuple[Called, ...]
    called_decisions: tuple[Called, ...]
    forms: tuple[Called, ...]
    searchable: tuple[str, ...] = ()
    """Variables of the process scope by which instances are to be found (``flowkit.searchable``)."""
    correlations: Mapping[str, Correlation] = field(default_factory=dict)
    """By the name of the message."""
    undo: str = ""
    """The compensation event subprocess of the process itself: what undoes a finished call of it."""

    def node(self, node_id: str) -> Node:
        """The node with this id; KeyError when there is none."""
        return self.nodes[node_id]

    def label(self, element_id: str) -> str:
        """The name of a node or flow for people: its name, else its id."""
        node = self.nodes.get(element_id)
        if node is not None:
            return node.name or node.id
        flow = self.flows.get(element_id)
        return (flow.name or flow.id) if flow is not None else element_id
