"""What leaves the process: handlers put it into the outbox, deliverers bring it to its receiver.

A handler *sends* with its context; that is stored together with the job's completion, or not at all.
Later, outside every transaction, the deliverer of that kind is called until it succeeds. It gets the
same key each time, so that a receiver which remembers keys gets everything exactly once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from flowkit.tasks.outcomes import InvalidHandler

__all__ = ["DELIVERS", "Deliverer", "Delivers", "Message", "Outgoing", "Posted", "deliver"]

Function = TypeVar("Function", bound=Callable[..., Any])
DELIVERS = "__flowkit_deliver__"
ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Posted:
    """What a handler sent. ``attempts`` None leaves the number to the deliverer."""

    kind: str
    payload: Mapping[str, Any]
    key: str
    attempts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One thing to deliver, as its deliverer gets it."""

    id: str
    kind: str
    key: str
    """The idempotency key: the same for every attempt. Give it to the receiver."""
    payload: Mapping[str, Any]
    instance_id: str = ""
    process_id: str = ""
    element_id: str = ""
    attempt: int = 1
    """1 for the first call."""
    attempts: int = ATTEMPTS
    """How many there are in all; then it is an incident."""
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """The engine's clock."""

    @property
    def last(self) -> bool:
        """Whether this is the last attempt."""
        return self.attempt >= self.attempts


@dataclass(frozen=True, slots=True)
class Message:
    """What a deliverer returns to hand its entry to a process: a message, published in the transaction
    that strikes the entry off, so exactly once. Nobody to take it counts as a failed attempt."""

    name: str
    key: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivers:
    """What ``@deliver`` says about a function."""

    kind: str
    attempts: int


def deliver(kind: str, *, attempts: int = ATTEMPTS) -> Callable[[Function], Function]:
    """Mark a function as the one that brings what is sent as ``kind`` to its receiver.

    It takes an :class:`Outgoing` and returns when the receiver has it, or returns a :class:`Message`
    where a process is the receiver. An exception means another
    attempt, after 5 s, 10 s, 20 s … (at most an hour), or after what ``Retry(after=…)`` says; when
    ``attempts`` are used up, or at once for :class:`~flowkit.tasks.Undeliverable`, it is an incident,
    to be sent again or dropped by an operator. The process has gone on long before.
    """
    if not kind or not isinstance(kind, str):
        raise InvalidHandler(f"@deliver expects a kind as text, as in @deliver('invoice'), found {kind!r}")
    if attempts < 1:
        raise InvalidHandler(f"@deliver({kind!r}) expects at least one attempt, found {attempts}")

    def mark(function: Function) -> Function:
        setattr(function, DELIVERS, Delivers(kind, attempts))
        return function

    return mark


@dataclass(frozen=True, slots=True)
class Deliverer:
    """One function, ready to be called."""

    kind: str
    attempts: int
    function: Callable[[Outgoing], object]
