"""What a handler can know about the job it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from flowkit.tasks.outgoing import Posted

__all__ = ["TaskContext"]


def _no_heartbeat() -> None:
    """A job that nobody leases needs no sign of life."""


class TaskContext(msgspec.Struct, frozen=True, kw_only=True):
    """Given to a handler that has an argument annotated with this class.

    Jobs are done *at least once*: a handler that writes to another system passes ``job_id`` along as
    the idempotency key, so that a second call for the same job does nothing.
    """

    instance_id: str
    job_id: str
    """``instance:job``; the same for every attempt, and unique for ever."""
    job_type: str = ""
    process_id: str = ""
    element_id: str = ""
    business_key: str | None = None
    attempt: int = 1
    """1 for the first call."""
    retries: int = 0
    """How many attempts are left after this one."""
    headers: Mapping[str, str] = {}
    """The task's headers, as the diagram sets them."""
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """The engine's clock, which is virtual in tests and simulations."""
    heartbeat: Callable[[], None] = _no_heartbeat
    """Extends the lease of a long job; call it at least every third of the lease's length."""
    outgoing: list[Posted] = []
    """What the handler has sent; it goes to the outbox when the job is done."""

    def send(
        self, kind: str, payload: Mapping[str, Any], *, key: str = "", attempts: int | None = None
    ) -> None:
        """Put something into the outbox, stored together with the job's completion: nothing is sent
        when the handler raises. The deliverer of ``kind`` (``@deliver``) brings it to its receiver.

        ``key`` tells the receiver what it has had already; the default is unique: the job's id and a number.
        """
        self.outgoing.append(Posted(kind, payload, key or f"{self.job_id}/{len(self.outgoing)}", attempts))
