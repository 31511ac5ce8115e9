"""The vocabulary of the kernel: every command it takes, every event it gives.

A :class:`Command` is what somebody outside wants; an :class:`Event` is what has happened. Events are
the only way by which an instance changes (:mod:`flowkit.kernel.state`), so a list of them *is* the
instance. Some events are also *effects*: somebody outside has to act on
them (:mod:`flowkit.kernel.effects`).

Keys (``token``, ``scope``, ``job``, ``timer`` …) are counters of one instance, never reused: together
with the instance's id they are globally unique. ``node`` and ``flow`` are element ids of the diagram.
Times are aware ``datetime``. Variables are JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

__all__ = ["ANY_KEY", "COMMANDS", "EVENTS", "Command", "Event"]

ANY_KEY = "\u0001any"
"""The correlation key of a subscription that any message of its name correlates to: the first one of a
conversation, which gives the instance its key."""


class _Command(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="@", omit_defaults=True):
    """Base of the commands."""


class _Event(msgspec.Struct, frozen=True, gc=False, tag=True, tag_field="@", omit_defaults=True):
    """Base of the events; untracked by the garbage collector, since JSON can't be cyclic."""


# ---- commands -------------------------------------------------------------------------------


class ParentCall(msgspec.Struct, frozen=True):
    """The call activity that an instance was started by."""

    instance: str
    call: int


class Start(_Command, frozen=True):
    """Start the instance; the only command that a new instance takes.

    ``start_event`` names the start event (or instantiating receive task or event-based gateway);
    None means the none start event, or the implicit start of a process without start events.
    With ``undo`` the instance does not run the process but undoes a finished run of it."""

    variables: Mapping[str, Any] = {}
    business_key: str | None = None
    start_event: str | None = None
    parent: ParentCall | None = None
    undo: Compensable | None = None


class CompleteJob(_Command, frozen=True):
    """A worker has done the job; ``variables`` is its result."""

    job: int
    variables: Mapping[str, Any] = {}


class FailJob(_Command, frozen=True):
    """A worker could not do the job.

    With ``retries`` > 0 the job opens again at ``retry_at``; with 0 it becomes an incident.
    """

    job: int
    message: str
    retries: int = 0
    retry_at: datetime | None = None
    details: str = ""


class ThrowBpmnError(_Command, frozen=True):
    """A worker throws a BPMN error from the job's activity (or from a user task)."""

    job: int
    code: str
    message: str = ""
    variables: Mapping[str, Any] = {}


class ThrowEscalation(_Command, frozen=True):
    """A worker throws an escalation from the job's activity; the job stays open."""

    job: int
    code: str
    variables: Mapping[str, Any] = {}


class CompleteUserTask(_Command, frozen=True):
    task: int
    variables: Mapping[str, Any] = {}
    user: str | None = None


class UpdateUserTask(_Command, frozen=True):
    """Change a user task's assignment or schedule; fields that are UNSET stay as they are."""

    task: int
    assignee: str | msgspec.UnsetType | None = msgspec.UNSET
    candidate_groups: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    candidate_users: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    due: datetime | msgspec.UnsetType | None = msgspec.UNSET
    follow_up: datetime | msgspec.UnsetType | None = msgspec.UNSET
    priority: int | msgspec.UnsetType = msgspec.UNSET
    user: str | None = None


class FireTimer(_Command, frozen=True):
    """A timer is due. A timer that is already cleared is ignored: no events."""

    timer: int


class DeliverMessage(_Command, frozen=True):
    """A message was correlated to an open subscription (ignored when it is already closed).

    ``key`` is what it was correlated by, for a subscription that any key correlates to."""

    subscription: int
    variables: Mapping[str, Any] = {}
    message_id: str | None = None
    key: str = ""


class BroadcastSignal(_Command, frozen=True):
    """A signal reaches the instance: every open subscription to ``name`` is triggered."""

    name: str
    variables: Mapping[str, Any] = {}


class CompleteDecision(_Command, frozen=True):
    """The outcome of a :class:`DecisionRequested`; ``evaluation`` is kept in the history."""

    request: int
    output: Any = None
    evaluation: Any = None


class FailDecision(_Command, frozen=True):
    """The decision could not be evaluated: becomes an incident at its task."""

    request: int
    message: str


class CompleteData(_Command, frozen=True):
    """The data stores have answered a :class:`DataRequested`; ``values`` is what was read, by store."""

    request: int
    values: Mapping[str, Any] = {}


class FailData(_Command, frozen=True):
    """A data store could not be read or written: becomes an incident at the token."""

    request: int
    message: str


class CompleteCall(_Command, frozen=True):
    """The called instance has ended well; ``evaluation`` is of a called decision, ``undo`` of a process."""

    call: int
    variables: Mapping[str, Any] = {}
    evaluation: Any = None
    undo: Compensable | None = None


class FailCall(_Command, frozen=True):
    """The called instance could not be started (incident), or was ended by force (incident)."""

    call: int
    message: str


class ErrorFromCall(_Command, frozen=True):
    """The called instance ended with a BPMN error that nothing in it caught."""

    call: int
    code: str
    message: str = ""
    variables: Mapping[str, Any] = {}


class EscalationFromCall(_Command, frozen=True):
    """An escalation left the called instance uncaught; that instance goes on."""

    call: int
    code: str
    variables: Mapping[str, Any] = {}


class SetVariables(_Command, frozen=True):
    """Set variables from outside, in ``scope`` (default: the root scope)."""

    variables: Mapping[str, Any]
    scope: int | None = None


class ResolveIncident(_Command, frozen=True):
    """Try again what failed; ``retries`` is given to a job (default 1)."""

    incident: int
    retries: int = 1


class ActivateActivities(_Command, frozen=True):
    """Start activities of a running ad-hoc subprocess."""

    scope: int
    activities: tuple[str, ...]
    variables: Mapping[str, Any] = {}


class CompleteAdHoc(_Command, frozen=True):
    """End a running ad-hoc subprocess from outside."""

    scope: int


class EvaluateConditions(_Command, frozen=True):
    """Look at the conditional events again (needed only after facts outside the variables changed)."""


class Suspend(_Command, frozen=True):
    """Stop all progress; every command but Resume, Cancel and SetVariables is rejected."""


class Resume(_Command, frozen=True):
    pass


class Cancel(_Command, frozen=True):
    """End the instance by force; nothing is compensated."""

    reason: str = ""


class MoveToken(msgspec.Struct, frozen=True, tag=True, tag_field="@"):
    """Take a token from where it is and activate ``to``."""

    token: int
    to: str


class StartAt(msgspec.Struct, frozen=True, tag=True, tag_field="@"):
    """Activate ``node``; its scopes are opened where they are not open, or ``scope`` is used."""

    node: str
    scope: int | None = None
    variables: Mapping[str, Any] = {}


class TerminateToken(msgspec.Struct, frozen=True, tag=True, tag_field="@"):
    """End a token and all that it holds."""

    token: int


class Modify(_Command, frozen=True):
    """Move tokens by hand: an operator's repair, applied in order."""

    changes: tuple[MoveToken | StartAt | TerminateToken, ...]


# ---- events: the instance -------------------------------------------------------------------


class InstanceStarted(_Event, frozen=True):
    process: str
    program: str
    """The content hash of the program that the instance runs on."""
    business_key: str | None = None
    start_event: str | None = None
    variables: Mapping[str, Any] = {}
    parent: ParentCall | None = None
    undo: Compensable | None = None


class InstanceEnded(_Event, frozen=True):
    """The instance is over. ``outcome``: completed, terminated, cancelled or error.

    *terminated* is a terminate end event of the process itself, *cancelled* is a Cancel command,
    *error* is a BPMN error that left a called instance (``code`` and ``message`` tell which).
    ``variables`` are those of the root scope, for the caller; of an error, only those thrown with it.
    ``undo`` is for a caller that compensates the call."""

    outcome: str
    variables: Mapping[str, Any] = {}
    code: str = ""
    message: str = ""
    undo: Compensable | None = None


class InstanceSuspended(_Event, frozen=True):
    pass


class InstanceResumed(_Event, frozen=True):
    pass


class InstanceReopened(_Event, frozen=True):
    """The events before this one are those of instance ``origin`` up to number ``seq``; from here on
    this one goes its own way."""

    origin: str
    seq: int


class InstanceMigrated(_Event, frozen=True):
    """From now on the instance runs on ``program``; ``nodes`` maps the ids that changed."""

    program: str
    nodes: Mapping[str, str]


# ---- events: tokens -------------------------------------------------------------------------


class TokenCreated(_Event, frozen=True):
    """A new token at ``node`` in ``scope``. ``flow`` is the sequence flow that it took, if any."""

    token: int
    node: str
    scope: int
    flow: str | None = None


class FlowTaken(_Event, frozen=True):
    """An existing token went along ``flow`` and now stands at ``node``, not yet entered."""

    token: int
    flow: str
    node: str


class TokenMoved(_Event, frozen=True):
    """An existing token now stands at ``node`` without a flow (links, event-based gateways, repair)."""

    token: int
    node: str


class TokenConsumed(_Event, frozen=True):
    """The token is gone: ended, merged by a join, or withdrawn."""

    token: int


class TokenArrived(_Event, frozen=True):
    """The token waits at a join on ``flow``; ``synchronizing``: for tokens that can still reach it."""

    token: int
    flow: str
    synchronizing: bool = False


class JoinFired(_Event, frozen=True):
    """A join took ``tokens`` and goes on with ``token`` (one of them)."""

    node: str
    scope: int
    token: int
    tokens: tuple[int, ...]


class JoinReset(_Event, frozen=True):
    """A complex gateway waits for reset after ``flows`` activated it, or, with none, for start."""

    node: str
    scope: int
    flows: tuple[str, ...] = ()


class ElementEntered(_Event, frozen=True):
    """The token entered its node: the node's work begins."""

    token: int
    node: str


class ElementCompleted(_Event, frozen=True):
    """The node's work is done; the token is about to leave it."""

    token: int
    node: str


class ElementTerminated(_Event, frozen=True):
    """The node's work was withdrawn: interrupted, cancelled, or terminated."""

    token: int
    node: str


# ---- events: scopes and variables -----------------------------------------------------------


class ScopeOpened(_Event, frozen=True):
    """``kind``: process, activity, subprocess, ad_hoc_activity, multi_instance, loop, compensation."""

    scope: int
    kind: str
    node: str
    parent: int = 0
    token: int = 0
    variables: Mapping[str, Any] = {}


class ScopeClosed(_Event, frozen=True):
    scope: int


class VariablesSet(_Event, frozen=True):
    scope: int
    variables: Mapping[str, Any]


class LoopAdvanced(_Event, frozen=True):
    """Bookkeeping of a loop or multi-instance body; ``state`` replaces the body's counters."""

    scope: int
    state: Mapping[str, Any]


class OutputCollected(_Event, frozen=True):
    """One instance of a multi-instance activity gave ``value`` for position ``index``."""

    scope: int
    index: int
    value: Any


# ---- events: work for others ----------------------------------------------------------------


class JobOpened(_Event, frozen=True):
    """Work for a worker of ``type``.

    ``variables`` are the activity's local ones; the worker also sees those of the scopes around it
    (:meth:`flowkit.kernel.Instance.inputs_of`).
    """

    job: int
    token: int
    node: str
    type: str
    retries: int
    headers: Mapping[str, str] = {}
    variables: Mapping[str, Any] = {}
    priority: int = 0


class JobFailed(_Event, frozen=True):
    job: int
    retries: int
    retry_at: datetime | None
    message: str
    details: str = ""


class JobRetried(_Event, frozen=True):
    """An incident was resolved: the job is open again."""

    job: int
    retries: int


class JobClosed(_Event, frozen=True):
    """``reason``: completed, error, cancelled."""

    job: int
    reason: str


class UserTaskOpened(_Event, frozen=True):
    task: int
    token: int
    node: str
    name: str = ""
    assignee: str | None = None
    candidate_groups: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    due: datetime | None = None
    follow_up: datetime | None = None
    priority: int = 50
    form: str | None = None
    form_binding: str = "latest"
    form_version_tag: str = ""
    variables: Mapping[str, Any] = {}
    """The activity's local variables (what its input mapping gave)."""
    headers: Mapping[str, str] = {}


class UserTaskUpdated(_Event, frozen=True):
    task: int
    assignee: str | None
    candidate_groups: tuple[str, ...]
    candidate_users: tuple[str, ...]
    due: datetime | None
    follow_up: datetime | None
    priority: int
    user: str | None = None


class UserTaskClosed(_Event, frozen=True):
    """``reason``: completed, error, cancelled."""

    task: int
    reason: str
    user: str | None = None
    variables: Mapping[str, Any] = {}


class TimerSet(_Event, frozen=True):
    """``repetitions`` counts the firings still to come after this one; None means without end."""

    timer: int
    token: int
    scope: int
    node: str
    due: datetime
    repetitions: int | None = 0
    cycle: str = ""
    """The repeating interval that gives the next due date; "" for a single timer."""
    part: int = 0
    """Which of the event's definitions this is."""


class TimerFired(_Event, frozen=True):
    timer: int


class TimerCleared(_Event, frozen=True):
    timer: int


class SubscriptionOpened(_Event, frozen=True):
    """``kind``: message or signal. ``key`` is the correlation key of a message, "" for none, or ANY_KEY;
    ``follows``: it changes with the process's data."""

    subscription: int
    kind: str
    token: int
    scope: int
    node: str
    name: str
    key: str = ""
    part: int = 0
    """Which of the event's definitions this is."""
    follows: bool = False


class CorrelationKeySet(_Event, frozen=True):
    """The first message of a conversation gave the instance its ``value`` of the correlation key ``key``."""

    key: str
    value: str


class SubscriptionTriggered(_Event, frozen=True):
    subscription: int
    message_id: str | None = None


class SubscriptionClosed(_Event, frozen=True):
    subscription: int


class ConditionArmed(_Event, frozen=True):
    """A conditional event waits; ``holds`` is the condition's value when last looked at."""

    condition: int
    token: int
    scope: int
    node: str
    holds: bool
    part: int = 0
    """Which of the event's definitions this is."""


class ConditionChanged(_Event, frozen=True):
    condition: int
    holds: bool


class ConditionDisarmed(_Event, frozen=True):
    condition: int


class MessageThrown(_Event, frozen=True):
    """``message_id`` is unique to this throw: receivers deduplicate by it. ``ttl`` in seconds."""

    token: int
    node: str
    name: str
    key: str
    variables: Mapping[str, Any]
    message_id: str
    ttl: float | None = None


class SignalThrown(_Event, frozen=True):
    """Reaches every other instance; this one's own subscriptions are triggered in the same step."""

    token: int
    node: str
    name: str
    variables: Mapping[str, Any]


class DecisionRequested(_Event, frozen=True):
    """Evaluate a DMN decision and answer with CompleteDecision or FailDecision in the same transaction.

    ``variables`` are all those in the task's sight."""

    request: int
    token: int
    node: str
    decision: str
    binding: str
    version_tag: str
    variables: Mapping[str, Any]


class DecisionAnswered(_Event, frozen=True):
    """``evaluation``: the decisions evaluated, their inputs, matched rules and outputs."""

    request: int
    output: Any
    evaluation: Any = None


class DecisionWithdrawn(_Event, frozen=True):
    request: int


class DataWrite(msgspec.Struct, frozen=True, gc=False):
    """``value`` is to become the content of ``store``, or of ``path`` inside it; of a list, or of a
    context's entries, there may be ``capacity`` (None: any number)."""

    store: str
    path: tuple[str, ...]
    value: Any
    capacity: int | None = None


class DataRequested(_Event, frozen=True):
    """Read or write data stores and answer with CompleteData or FailData in the same transaction.

    Either ``reads`` or ``writes`` is given."""

    request: int
    token: int
    node: str
    reads: tuple[str, ...]
    writes: tuple[DataWrite, ...] = ()


class DataAnswered(_Event, frozen=True):
    request: int
    values: Mapping[str, Any] = {}


class DataWithdrawn(_Event, frozen=True):
    request: int


class CallOpened(_Event, frozen=True):
    """Start an instance of another process (with ``undo``: to undo a finished run of that program);
    answer with CompleteCall, ErrorFromCall or FailCall."""

    call: int
    token: int
    node: str
    process: str
    binding: str
    version_tag: str
    variables: Mapping[str, Any]
    undo: Compensable | None = None


class CallClosed(_Event, frozen=True):
    """``reason``: completed, error, cancelled (then the called instance is to be cancelled), failed."""

    call: int
    reason: str
    evaluation: Any = None
    """If a decision was called: what was evaluated, as in :class:`DecisionAnswered`."""


# ---- events: errors, escalations, compensation, incidents -----------------------------------


class ErrorThrown(_Event, frozen=True):
    token: int
    node: str
    code: str
    message: str = ""


class EscalationThrown(_Event, frozen=True):
    """``caught_by`` is empty for one that left the instance: the caller's instance is to be told."""

    token: int
    node: str
    code: str
    caught_by: str
    variables: Mapping[str, Any] = {}


class EventTriggered(_Event, frozen=True):
    """A start of an event subprocess, a boundary event or an event of an event-based gateway
    was triggered; ``token`` is the one that the occurrence belongs to."""

    node: str
    token: int
    interrupting: bool


class PartOccurred(_Event, frozen=True):
    """One definition of a parallel-multiple event occurred and brought ``variables``; the event waits
    for its other ones. With ``part`` -1 all have occurred, and it begins anew."""

    token: int
    scope: int
    node: str
    part: int
    variables: Mapping[str, Any] = {}


class Compensable(msgspec.Struct, frozen=True, omit_defaults=True):
    """A completed activity that can be compensated; ``variables`` are those in its sight at that time.

    ``children`` are the compensable activities inside a finished subprocess, in order of completion.
    With ``program`` (a digest) it is a finished run of that program: ``node`` is the process.
    """

    record: int
    node: str
    variables: Mapping[str, Any]
    children: tuple[Compensable, ...] = ()
    program: str = ""


class CompensationRecorded(_Event, frozen=True):
    """An activity of ``scope`` has completed and can be compensated from now on."""

    scope: int
    record: Compensable


class CompensationStarted(_Event, frozen=True):
    """``token`` compensates ``pending``, the last one first; the records are used up by that."""

    token: int
    scope: int
    pending: tuple[Compensable, ...]


class CompensationAdvanced(_Event, frozen=True):
    """``token`` goes on with its next record; ``pending`` are those that remain."""

    token: int
    pending: tuple[Compensable, ...]


class CompensationEnded(_Event, frozen=True):
    token: int


class IncidentRaised(_Event, frozen=True):
    """Something in the model or its data went wrong; the token stands until it is resolved.

    ``kind``: expression, mapping, condition, no_flow, job, error_uncaught, call, decision, data, timer,
    collection, form …; ``resume`` tells where the work goes on when the incident is resolved.
    """

    incident: int
    token: int
    node: str
    kind: str
    message: str
    resume: str
    details: str = ""
    subject: int = 0
    """The job, call or request that failed, where there is one."""


class IncidentResolved(_Event, frozen=True):
    incident: int


# ---- the tables -----------------------------------------------------------------------------

Command = (
    Start
    | CompleteJob
    | FailJob
    | ThrowBpmnError
    | ThrowEscalation
    | CompleteUserTask
    | UpdateUserTask
    | FireTimer
    | DeliverMessage
    | BroadcastSignal
    | CompleteDecision
    | FailDecision
    | CompleteData
    | FailData
    | CompleteCall
    | FailCall
    | ErrorFromCall
    | EscalationFromCall
    | SetVariables
    | ResolveIncident
    | ActivateActivities
    | CompleteAdHoc
    | EvaluateConditions
    | Suspend
    | Resume
    | Cancel
    | Modify
)
"""Everything that can be asked of an instance."""

Event = (
    InstanceStarted
    | InstanceEnded
    | InstanceSuspended
    | InstanceResumed
    | InstanceReopened
    | InstanceMigrated
    | TokenCreated
    | FlowTaken
    | TokenMoved
    | TokenConsumed
    | TokenArrived
    | JoinFired
    | JoinReset
    | ElementEntered
    | ElementCompleted
    | ElementTerminated
    | ScopeOpened
    | ScopeClosed
    | VariablesSet
    | LoopAdvanced
    | OutputCollected
    | JobOpened
    | JobFailed
    | JobRetried
    | JobClosed
    | UserTaskOpened
    | UserTaskUpdated
    | UserTaskClosed
    | TimerSet
    | TimerFired
    | TimerCleared
    | SubscriptionOpened
    | CorrelationKeySet
    | SubscriptionTriggered
    | SubscriptionClosed
    | ConditionArmed
    | ConditionChanged
    | ConditionDisarmed
    | MessageThrown
    | SignalThrown
    | DecisionRequested
    | DecisionAnswered
    | DecisionWithdrawn
    | DataRequested
    | DataAnswered
    | DataWithdrawn
    | CallOpened
    | CallClosed
    | ErrorThrown
    | EscalationThrown
    | EventTriggered
    | PartOccurred
    | CompensationRecorded
    | CompensationStarted
    | CompensationAdvanced
    | CompensationEnded
    | IncidentRaised
    | IncidentResolved
)
"""Everything that can have happened to an instance."""

COMMANDS: tuple[type, ...] = Command.__args__
EVENTS: tuple[type, ...] = Event.__args__
