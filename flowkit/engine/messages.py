"""Messages and signals: who gets them.

A message goes, by name and correlation key, to one waiting subscription of each process, the one
that has waited longest; in a process where none waits, its message start event starts an instance,
unless one that was started with the same key is still alive. A message that nobody took is kept for
its time to live. A signal goes to everyone who waits for it, and to every signal start event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from flowkit.engine.arrivals import Occurrence, occur, start_waiting
from flowkit.engine.sql.schema import MESSAGE, MESSAGE_SEEN, START_TRIGGER, SUBSCRIPTION
from flowkit.engine.triggers import CORRELATED
from flowkit.kernel.correlating import carried
from flowkit.kernel.protocol import ANY_KEY, BroadcastSignal, DeliverMessage
from flowkit.values import unkeyable

if TYPE_CHECKING:
    from flowkit.engine.unit import Unit

__all__ = ["broadcast", "deliver_buffered", "publish", "start_buffered", "sweep_messages"]

_WAITING = (
    f"SELECT instance, key, process FROM {SUBSCRIPTION.name} WHERE kind='message' AND name=? "
    "AND correlation_key=? AND active=1 ORDER BY opened, instance, key"
)
_STARTS = (
    f"SELECT process, node, kind FROM {START_TRIGGER.name} "
    "WHERE kind IN (?, ?) AND name=? ORDER BY process, node"
)
_BUFFERED = (
    f"SELECT id, variables, message_id, correlation_key FROM {MESSAGE.name} WHERE name=? AND "
    "correlation_key=? AND expires>? ORDER BY id LIMIT 1"
)
_ANY_BUFFERED = _BUFFERED.replace("correlation_key=?", "correlation_key<>?")
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

    Without ``key`` a process that correlates it by the standard's properties finds the key in
    ``variables``. A message with the id of an earlier one does nothing while that one's time to live
    lasts (at least an hour).
    """
    starts = unit.read(START_TRIGGER).query(_STARTS, ("message", CORRELATED, name))
    correlated = [process for process, _, kind in starts if kind == CORRELATED]
    keys = {process: _key_for(unit, process, name, key, variables) for process in correlated}
    probes = list(dict.fromkeys([key, *(one for one in keys.values() if one is not None)]))
    for one in sorted([*probes, ANY_KEY] if keys else probes):
        unit.parts.store.serialise(unit.read(), f"message:{name}:{one}")
    if message_id is not None and not _first_time(unit, message_id, ttl):
        return []
    reached: list[str] = []
    taken = False
    processes: set[str] = set()
    for instance, subscription, process, own in _waiting(unit, name, key, probes, keys):
        if process not in processes:
            delivery = DeliverMessage(
                subscription=subscription, variables=variables, message_id=message_id, key=own
            )
            if unit.step(instance, delivery):
                processes.add(process)
                reached.append(instance)
    for process, node, kind in starts:
        found = keys.get(process, key)
        if kind == "message" and process not in processes and found is not None:
            processes.add(process)
            here, started = occur(unit, process, Occurrence(node, "message", name, found, variables))
            taken = taken or here
            if started is not None:
                reached.append(started)
    if not taken and not reached and ttl > timedelta(0):
        _buffer(unit, name, probes[-1], variables, ttl, message_id)
    return reached


def _key_for(unit: Unit, process: str, name: str, key: str, content: Mapping[str, Any]) -> str | None:
    """What a process correlates the message by; None where its content has no key for it."""
    program = unit.parts.definitions.program(unit.read(), unit.newest(process).digest)
    correlation = program.correlations.get(name)
    if key or correlation is None:
        return key
    found = carried(correlation, content, unit.now)
    return None if found is None or unkeyable(found) else found  # nobody can wait for one that is too long


def _waiting(
    unit: Unit, name: str, key: str, probes: list[str], keys: Mapping[str, str | None]
) -> Iterator[tuple[str, int, str, str]]:
    """``(instance, subscription, process, key)`` of those that wait, those for just this key first."""
    for probe in probes:
        for instance, subscription, process in unit.read(SUBSCRIPTION).query(_WAITING, (name, probe)):
            if keys.get(process, key) == probe:
                yield instance, subscription, process, probe
    if keys:
        for instance, subscription, process in unit.read(SUBSCRIPTION).query(_WAITING, (name, ANY_KEY)):
            own = keys.get(process)
            if own is not None:
                yield instance, subscription, process, own


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


def _take_buffered(unit: Unit, name: str, key: str) -> tuple[dict[str, Any], str | None, str] | None:
    """The oldest buffered message with this name and key, which is then no longer buffered."""
    unit.parts.store.serialise(unit.read(), f"message:{name}:{key}")
    any_key = key == ANY_KEY
    rows = unit.read(MESSAGE).query(
        _ANY_BUFFERED if any_key else _BUFFERED, (name, "" if any_key else key, unit.at)
    )
    if not rows:
        return None
    row_id, variables, message_id, own = rows[0]
    unit.changes.remove(MESSAGE, (row_id,))
    return msgspec.json.decode(bytes(variables)), message_id, own


def deliver_buffered(unit: Unit, instance: str, subscription: int, name: str, key: str) -> None:
    """A subscription was opened: give it the message that came before it, if one did."""
    found = _take_buffered(unit, name, key)
    if found is not None:
        variables, message_id, own = found
        command = DeliverMessage(
            subscription=subscription, variables=variables, message_id=message_id, key=own
        )
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
    for process, node, _ in unit.read(START_TRIGGER).query(_STARTS, ("signal", "signal", name)):
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
