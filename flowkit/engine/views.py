"""What callers get back: frozen pictures of the moment they were taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flowkit.findings import Finding
from flowkit.kernel.protocol import Event

__all__ = [
    "DefinitionView",
    "Deployment",
    "HistoryEntry",
    "IncidentView",
    "InstanceView",
    "JobView",
    "OutboxView",
    "TokenView",
    "UserTask",
]


@dataclass(frozen=True, slots=True)
class DefinitionView:
    """A version of a process, decision or form (``kind``)."""

    kind: str
    id: str
    version: int
    name: str
    version_tag: str
    digest: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """What one deployment brought; ``definitions`` lists unchanged ones with the version they have.

    ``warnings`` name what the diagrams call and nobody has deployed yet.
    """

    id: str
    at: datetime
    definitions: tuple[DefinitionView, ...]
    warnings: tuple[Finding, ...] = ()

    @property
    def processes(self) -> tuple[str, ...]:
        """The ids of the processes."""
        return tuple(found.id for found in self.definitions if found.kind == "process")


@dataclass(frozen=True, slots=True)
class TokenView:
    """Where a token stands."""

    key: int
    element: str
    name: str
    kind: str
    scope: int


@dataclass(frozen=True, slots=True)
class InstanceView:
    """One instance. ``status``: active, suspended, completed, terminated, cancelled or error.

    ``variables`` are those of the process scope; of an ended instance, as they were at its end.
    ``origin`` is the instance that this one was restarted from.
    """

    id: str
    process_id: str
    version: int
    status: str
    business_key: str | None
    started: datetime
    ended: datetime | None
    parent: str | None
    outcome: str | None
    variables: Mapping[str, Any] = field(default_factory=dict)
    tokens: tuple[TokenView, ...] = ()
    origin: str | None = None

    @property
    def active_elements(self) -> tuple[str, ...]:
        """The ids of the elements that tokens stand at."""
        return tuple(dict.fromkeys(token.element for token in self.tokens))

    @property
    def is_over(self) -> bool:
        return self.ended is not None


@dataclass(frozen=True, slots=True)
class UserTask:
    """An open user task. ``id`` is ``instance:key``."""

    id: str
    instance_id: str
    process_id: str
    element_id: str
    name: str
    assignee: str | None
    candidate_groups: tuple[str, ...]
    candidate_users: tuple[str, ...]
    due: datetime | None
    follow_up: datetime | None
    priority: int
    form: str | None
    headers: Mapping[str, str]
    created: datetime
    business_key: str | None = None


@dataclass(frozen=True, slots=True)
class JobView:
    """A job. ``state``: ready, waiting (for its next attempt, ``at``), leased (until ``at``) or failed."""

    id: str
    instance_id: str
    process_id: str
    element_id: str
    type: str
    state: str
    retries: int
    attempt: int
    priority: int
    at: datetime
    worker: str | None
    headers: Mapping[str, str]
    created: datetime


@dataclass(frozen=True, slots=True)
class OutboxView:
    """Something that has not reached its receiver. ``state``: waiting (for its next attempt, ``at``) or
    failed: no attempts are left, an operator sends it again or drops it."""

    id: str
    kind: str
    key: str
    instance_id: str
    process_id: str
    element_id: str
    payload: Mapping[str, Any]
    state: str
    attempt: int
    at: datetime
    error: str
    created: datetime


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Trouble that waits for an operator. ``details`` is a failed job's traceback. One of the kind
    *outbox* tells of something that could not be delivered; its instance has gone on, or is over."""

    id: str
    instance_id: str
    process_id: str
    element_id: str
    kind: str
    message: str
    details: str
    job_id: str | None
    created: datetime


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One event of an instance; ``seq`` counts from 0."""

    seq: int
    at: datetime
    event: Event
