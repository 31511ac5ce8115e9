"""Messages and signals: who gets them.

A message goes, by name and correlation key, to one waiting subscription of each process, the one
that has waited longest; in a process where none waits, its message start event starts an instance,
unless one that was started with the same key is still alive. A message that nobody took is kept for
its time to live. A signal goes to everyone who waits for it, and to every signal start event.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from flowkit.engine.arrivals import Occurrence, occur, start_waiting
from flowkit.engine.sql.schema import MESSAGE, MESSAGE_SEEN, START_TRIGGER, SUBSCRIPTION
from flowkit.kernel.protocol import BroadcastSignal, DeliverMessage

if TYPE_CHECKING:
    from flowkit.engine.unit import Unit

__all__ = ["broadcast", "deliver_buffered", "publish", "start_buffered", "sweep_messages"]

_WAITING = (
    f"SELECT instance, key, process FROM {SUBSCRIPTION.name} WHERE kind='message' AND name=? "
    "AND correlation_key=? AND active=1 ORDER BY opened, instance, key"
)
_STARTS = f"SELECT process, node FROM {START_TRIGGER.name} WHERE kind=? AND name=? ORDER BY process, node"
_BUFFERED = (
    f"SELECT id, variables, message_id FROM {MESSAGE.name} WHERE name=? AND correlation_key=? "
    "AND expires>? ORDER BY id LIMIT 1"
)
_SIGNALLED = (
    f"SELECT DISTINCT instance FROM {SUBSCRIPTION.name} WHERE kind='signal' AND name=? AND active=1 "
    "ORDER BY instance"
)
_SEEN = f"SELECT 1 FROM {MESSAGE_SEEN.name} WHERE message_id=? AND expires>?"


def publish(
    unit: Unit,
    name: str,
    key: str,
    variables: Mapping[str, Any],
    *,
    ttl: timedelta,
    message_id: str | None = None,
) -> list[str]:
    """Correlate a message; the ids of the instances that took it.

    A message with the id of an earlier one does nothing while that one's time to live lasts
    (at least an hour).
    """
    unit.parts.store.serialise(unit.read(), f"message:{name}:{key}")
    if message_id is not None and not _first_time(unit, message_id, ttl):
        return []
    reached: list[str] = []
    taken = False
    processes: set[str] = set()
    for instance, subscription, process in unit.read(SUBSCRIPTION).query(_WAITING, (name, key)):
        if process not in processes:
            delivery = DeliverMessage(subscription=subscription, variables=variables, message_id=message_id)
            if unit.step(instance, delivery):
                processes.add(process)
                reached.append(instance)
    for process, node in unit.read(START_TRIGGER).query(_STARTS, ("message", name)):
        if process not in processes:
            processes.add(process)
            here, started = occur(unit, process, Occurrence(node, "message", name, key, variables))
            taken = taken or here
            if started is not None:
                reached.append(started)
    if not taken and not reached and ttl > timedelta(0):
        _buffer(unit, name, key, variables, ttl, message_id)
    return reached


def _first_time(unit: Unit, message_id: str, ttl: timedelta) -> bool:
    if unit.read(MESSAGE_SEEN).query(_SEEN, (message_id, unit.at)):
        return False
    unit.changes.remove(MESSAGE_SEEN, (message_id,))
    keep = max(ttl, timedelta(hours=1)) // timedelta(microseconds=1)
    unit.changes.put(MESSAGE_SEEN, (message_id,), [message_id, unit.at + keep])
    return True


def _buffer(
    unit: Unit, name: str, key: str, variables: Mapping[str, Any], ttl: timedelta, message_id: str | None
) -> None:
    row_id = unit.parts.new_id(unit.now)
    expires = unit.at + ttl // timedelta(microseconds=1)
    row = [row_id, name, key, message_id, msgspec.json.encode(variables), unit.at, expires]
    unit.changes.put(MESSAGE, (row_id,), row)


def _take_buffered(unit: Unit, name: str, key: str) -> tuple[dict[str, Any], str | None] | None:
    """The oldest buffered message with this name and key, which is then no longer buffered."""
    unit.parts.store.serialise(unit.read(), f"message:{name}:{key}")
    rows = unit.read(MESSAGE).query(_BUFFERED, (name, key, unit.at))
    if not rows:
        return None
    row_id, variables, message_id = rows[0]
    unit.changes.remove(MESSAGE, (row_id,))
    return msgspec.json.decode(bytes(variables)), message_id


def deliver_buffered(unit: Unit, instance: str, subscription: int, name: str, key: str) -> None:
    """A subscription was opened: give it the message that came before it, if one did."""
    found = _take_buffered(unit, name, key)
    if found is not None:
        variables, message_id = found
        command = DeliverMessage(subscription=subscription, variables=variables, message_id=message_id)
        unit.step(instance, command)


def start_buffered(unit: Unit, process: str, key: str) -> None:
    """An instance started with ``key`` is over: a message that had to wait for that starts the next."""
    if start_waiting(unit, process, key):
        return
    sql = f"SELECT node, name FROM {START_TRIGGER.name} WHERE process=? AND kind='message' ORDER BY node"
    for node, name in unit.read(START_TRIGGER).query(sql, (process,)):
        found = _take_buffered(unit, name, key)
        if found is not None:
            occur(unit, process, Occurrence(node, "message", name, key, found[0]))
            return


def broadcast(unit: Unit, name: str, variables: Mapping[str, Any], *, sender: str = "") -> list[str]:
    """Send a signal to everyone but ``sender``; the ids of the instances that it reached."""
    reached: list[str] = []
    for (instance,) in unit.read(SUBSCRIPTION).query(_SIGNALLED, (name,)):
        if instance != sender:
            unit.step(instance, BroadcastSignal(name=name, variables=variables))
            reached.append(instance)
    for process, node in unit.read(START_TRIGGER).query(_STARTS, ("signal", name)):
        _, started = occur(unit, process, Occurrence(node, "signal", name, variables=variables))
        if started is not None:
            reached.append(started)
    return reached


def sweep_messages(unit: Unit) -> int:
    """Forget the messages and message ids whose time is over; how many."""
    session = unit.write()
    tables = (MESSAGE, MESSAGE_SEEN)
    return sum(
        len(session.query(f"DELETE FROM {table.name} WHERE expires<=? RETURNING 1", (unit.at,)))
        for table in tables
    )
