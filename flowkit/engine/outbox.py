"""The outbox: what leaves the process, kept until its receiver has it.

An entry is written in the transaction of the step that sends it. A *courier* leases entries, calls
their deliverers outside every transaction, and strikes off what was delivered. The lease is durable
before the deliverer runs and counts as an attempt, so an entry that kills its courier ends as an
incident instead of killing couriers for ever.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from flowkit.engine import messages
from flowkit.engine.backoff import backoff
from flowkit.engine.payload import decode, encode, json_copy, storable
from flowkit.engine.sql.schema import OUTBOX
from flowkit.errors import NotFound
from flowkit.tasks import Deliverer, Message, Outgoing, Posted, Retry, Undeliverable

if TYPE_CHECKING:
    from flowkit.engine.commit import Work
    from flowkit.engine.store import Session
    from flowkit.engine.telemetry import Telemetry
    from flowkit.engine.unit import Unit
    from flowkit.kernel.protocol import MessageThrown

__all__ = [
    "LEASE",
    "Delivery",
    "attempt",
    "checked",
    "drop",
    "due_next",
    "entrust",
    "lease",
    "post",
    "resend",
    "settling",
]

_log = logging.getLogger("flowkit.outbox")

LEASE = timedelta(minutes=5)
"""How long a courier that died keeps an entry from the next attempt."""
BATCH = 16

_DUE = (
    "SELECT id, kind, key, instance, process, node, payload, attempt, attempts "
    f"FROM {OUTBOX.name} WHERE kind=? AND failed=0 AND due<=? ORDER BY due, id LIMIT ?"
)
_NEXT = f"SELECT MIN(due) FROM {OUTBOX.name} WHERE kind=? AND failed=0"
_THERE = f"SELECT 1 FROM {OUTBOX.name} WHERE id=?"
_TRIED = f"UPDATE {OUTBOX.name} SET due=?, failed=?, error=? WHERE id=? AND attempt=?"
_AGAIN = (
    f"UPDATE {OUTBOX.name} SET due=?, failed=0, attempt=0, attempts=COALESCE(?, attempts) "
    "WHERE id=? RETURNING 1"
)
_DROP = f"DELETE FROM {OUTBOX.name} WHERE id=? RETURNING 1"


# ---- writing ----------------------------------------------------------------------------------


def checked(posted: Posted) -> Posted:
    """What a handler sent, copied; raises InvalidPayload where it is not JSON."""
    return replace(posted, payload=json_copy(posted.payload))


def post(unit: Unit, instance: str, process: str, node: str, posted: Posted) -> None:
    """Put something into the outbox."""
    key = unit.parts.new_id(unit.now)
    row = [
        key, posted.kind, posted.key, instance, process, node, encode(posted.payload), 0, posted.attempts,
        unit.at, 0, "", unit.at,
    ]  # fmt: skip
    unit.changes.put(OUTBOX, (key,), row)


PROPERTY = "flowkit.outbox"
"""The property of a throwing element that sends its message outside, as what kind."""


def entrust(unit: Unit, instance: str, event: MessageThrown) -> bool:
    """Put a thrown message into the outbox, if its element says so; whether it does."""
    live = unit.load(instance)
    kind = live.program.nodes[event.node].element.extensions.property(PROPERTY)
    if not kind:
        return False
    payload = {"name": event.name, "key": event.key, "variables": event.variables}
    post(unit, instance, live.process, event.node, Posted(kind, payload, event.message_id))
    return True


# ---- delivering -------------------------------------------------------------------------------


def lease(unit: Unit, deliverers: Mapping[str, Deliverer], limit: int = BATCH) -> list[Outgoing]:
    """Take up to ``limit`` entries that are due, of the kinds that can be delivered."""
    session = unit.read(OUTBOX)
    found: list[Outgoing] = []
    ends = unit.at + LEASE // timedelta(microseconds=1)
    for kind, deliverer in deliverers.items():
        rows = session.query(_DUE + unit.parts.store.skip, (kind, unit.at, limit - len(found)))
        for key, _, name, instance, process, node, payload, done, asked in rows:
            attempts = asked if asked is not None else deliverer.attempts
            if done >= attempts:
                text = f"Attempt {done} never ended: did it take the courier's process down?"
                unit.changes.patch(OUTBOX, (key,), {"failed": 1, "error": text})
                continue
            unit.changes.patch(OUTBOX, (key,), {"attempt": done + 1, "due": ends})
            found.append(
                Outgoing(
                    id=key, kind=kind, key=name, payload=decode(bytes(payload)), instance_id=instance,
                    process_id=process, element_id=node, attempt=done + 1, attempts=attempts, now=unit.now,
                )
            )  # fmt: skip
        if len(found) >= limit:
            break
    return found


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of an attempt; ``error`` None: the receiver has it, or gets ``message``."""

    item: Outgoing
    error: BaseException | None = None
    message: Message | None = None

    @property
    def final(self) -> bool:
        """Whether it failed for good."""
        return self.item.last or isinstance(self.error, Undeliverable)


def attempt(deliverer: Deliverer, item: Outgoing, telemetry: Telemetry | None = None) -> Delivery:
    """Call the deliverer."""
    if telemetry is not None:
        with telemetry.delivering(item) as outcome:
            outcome.append(attempt(deliverer, item))
        return outcome[0]
    try:
        answer = deliverer.function(item)
        if isinstance(answer, Message):
            return Delivery(item, message=replace(answer, variables=json_copy(answer.variables)))
    except (Exception, SystemExit) as error:
        where = {
            "instance_id": item.instance_id, "process_id": item.process_id, "element_id": item.element_id,
        }  # fmt: skip
        _log.warning(
            "Attempt %s of %s to deliver %s %s failed: %s",
            item.attempt, item.attempts, item.kind, item.key, storable(str(error)), extra=where,
        )  # fmt: skip
        return Delivery(item, error)
    return Delivery(item)


def settling(delivery: Delivery) -> Work:
    """Strike the entry off, or set its next attempt, or leave it as an incident."""
    item, message = delivery.item, delivery.message

    def settle(unit: Unit) -> None:
        error = delivery.error
        if message is not None:
            error = _hand_over(unit, item, message)
        if error is None:
            unit.changes.remove(OUTBOX, (item.id,))
            return
        failed = item.last or isinstance(error, Undeliverable)
        delay = backoff(item.key, item.attempt, {})
        if isinstance(error, Retry) and error.after is not None:
            delay = error.after
        due = unit.at + delay // timedelta(microseconds=1)
        unit.write().run(_TRIED, (due, int(failed), _told(error), item.id, item.attempt))

    return settle


def _hand_over(unit: Unit, item: Outgoing, message: Message) -> BaseException | None:
    """Publish a deliverer's message; what to tell if nobody takes it.

    A slow attempt may settle beside the next one, hence the lock and the look whether the entry is
    still there.
    """
    unit.parts.store.serialise(unit.read(), f"outbox:{item.id}")
    if not unit.read(OUTBOX).query(_THERE, (item.id,)):
        return None
    if messages.publish(unit, message.name, message.key, message.variables, ttl=timedelta(0)):
        return None
    return Retry(
        f"nobody takes the message {message.name!r}: deploy a process that starts with it or waits for it"
    )


def _told(error: BaseException) -> str:
    if isinstance(error, Retry | Undeliverable):
        return storable(str(error))
    trace = "".join(traceback.format_exception(error))[-4000:]
    return storable(f"{type(error).__name__}: {error}\n{trace}")


def due_next(session: Session, kinds: Sequence[str]) -> int | None:
    """When an entry of these kinds is next due, in microseconds."""
    found = [
        rows[0][0] for kind in kinds if (rows := session.query(_NEXT, (kind,))) and rows[0][0] is not None
    ]
    return min(found, default=None)


# ---- operators --------------------------------------------------------------------------------


def resend(unit: Unit, entry: str, attempts: int | None) -> None:
    """Deliver an entry now, with fresh attempts; raises NotFound."""
    if not unit.write().query(_AGAIN, (unit.at, attempts, entry)):
        raise NotFound(f"There is no {entry!r} in the outbox: it may have been delivered or dropped.")


def drop(unit: Unit, entry: str) -> None:
    """Never deliver an entry; raises NotFound."""
    if not unit.write().query(_DROP, (entry,)):
        raise NotFound(f"There is no {entry!r} in the outbox: it may have been delivered or dropped.")
