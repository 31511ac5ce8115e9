"""Starting again: from the beginning, or from a point in the history.

From a point, the new instance has the old one's history up to there, and so its state: what was open
then is open again. Work that was done after that point is forgotten by the process, not by the world.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from flowkit.engine.projections import PROJECTIONS
from flowkit.engine.searchable import index
from flowkit.engine.snapshots import Live
from flowkit.engine.sql.schema import EVENT, INCIDENT, INSTANCE, JOB, RESTART, SUBSCRIPTION, TIMER, USER_TASK
from flowkit.errors import NotFound, WrongState
from flowkit.kernel import decode_events, encode_events, encode_instance, new_instance, reopen, replay
from flowkit.kernel import protocol as p
from flowkit.kernel import state as s

if TYPE_CHECKING:
    from flowkit.engine.unit import Unit

__all__ = ["restart"]

PAGE = 500
"""Rows of history that are read at once."""

_ROWS = f"SELECT seq, at, data FROM {EVENT.name} WHERE instance=? AND seq>=? ORDER BY seq LIMIT {PAGE}"
_COPY = (
    f"INSERT INTO {EVENT.name} (instance, seq, at, data) SELECT CAST(? AS TEXT), seq, at, data "
    f"FROM {EVENT.name} WHERE instance=? AND seq>0 AND seq<=?"
)
_OLD = f"SELECT process, business_key, message_key, parent, ended FROM {INSTANCE.name} WHERE id=?"
_SAME_KEY = f"SELECT id FROM {INSTANCE.name} WHERE process=? AND message_key=? AND ended IS NULL"
_TABLES = {
    s.Job: JOB, s.UserTask: USER_TASK, s.Timer: TIMER, s.Subscription: SUBSCRIPTION, s.Incident: INCIDENT,
}  # fmt: skip
_ASKING: dict[type, str] = {
    p.CallOpened: "call",
    p.SubscriptionOpened: "subscription",
    p.DecisionRequested: "request",
}
"""Events that somebody outside must answer once more while what they opened waits, and their keys."""
_OPENED: dict[type, type] = {
    s.Call: p.CallOpened,
    s.Subscription: p.SubscriptionOpened,
    s.Request: p.DecisionRequested,
}


def restart(
    unit: Unit,
    instance: str,
    *,
    at: int | str | None,
    start_event: str | None,
    variables: Mapping[str, Any],
    cancel: bool,
) -> str:
    """A new instance that begins as ``instance`` did, or goes on from where it was; its id."""
    rows = unit.read(INSTANCE).query(_OLD, (instance,))
    if not rows:
        raise NotFound(f"There is no instance {instance!r}.")
    process, business_key, message_key, parent, ended = rows[0]
    fresh = unit.parts.new_id(unit.now)
    cut = _cut(unit, instance, at) if at is not None else -1
    if ended is None:
        _end(unit, instance, parent, fresh, cancel)
    unit.changes.put(RESTART, (fresh,), [fresh, instance])
    if at is None:
        return _from_the_beginning(unit, instance, fresh, business_key, start_event, variables)
    if message_key is not None:
        for (other,) in unit.read(INSTANCE).query(_SAME_KEY, (process, message_key)):
            raise WrongState(
                f"Instance {other} is running with the same message key {message_key!r}: end it first."
            )
    return _Copy(unit, instance, fresh, cut).made(at, message_key, variables)


def _end(unit: Unit, instance: str, parent: str | None, fresh: str, cancel: bool) -> None:
    if not cancel:
        raise WrongState(
            f"Instance {instance} is running: cancel it before it is restarted, or give cancel=True."
        )
    if parent is not None:
        raise WrongState(f"Instance {instance} is running for its caller {parent}: restart that one.")
    unit.step(instance, p.Cancel(reason=f"restarted as {fresh}"))


def _from_the_beginning(
    unit: Unit,
    instance: str,
    fresh: str,
    business_key: str | None,
    start_event: str | None,
    variables: Mapping[str, Any],
) -> str:
    for _, _, events in _history(unit, instance):
        begun = events[0]
        assert isinstance(begun, p.InstanceStarted), "every history begins with it"
        definitions, session = unit.parts.definitions, unit.read()
        command = p.Start(
            variables={**begun.variables, **variables},
            business_key=business_key,
            start_event=start_event or begun.start_event,
            undo=begun.undo,
        )
        return unit.start(definitions.with_digest(session, "process", begun.program), command, fresh)
    raise _no_history(instance)


def _history(unit: Unit, instance: str) -> Iterator[tuple[int, int, list[p.Event]]]:
    """``(seq, at, events)`` of each transaction."""
    session, after = unit.read(EVENT), 0
    while rows := session.query(_ROWS, (instance, after)):
        for seq, at, data in rows:
            yield seq, at, decode_events(bytes(data))
        after = rows[-1][0] + 1


def _no_history(instance: str) -> NotFound:
    return NotFound(f"The history of instance {instance} was cleaned away.")


def _cut(unit: Unit, instance: str, at: int | str) -> int:
    """The seq of the transaction after which the new instance goes on: the one that event ``at`` is
    part of, or the last one in which element ``at`` was entered."""
    cut, last = -1, -1
    for seq, _, events in _history(unit, instance):
        last = seq + len(events) - 1
        if isinstance(at, int):
            if seq <= at <= last:
                return seq
        elif any(isinstance(event, p.ElementEntered) and event.node == at for event in events):
            cut = seq
    if last < 0:
        raise _no_history(instance)
    if isinstance(at, int):
        raise NotFound(f"Instance {instance} has the events 0 to {last}; there is no event {at}.")
    if cut < 0:
        raise NotFound(f"Instance {instance} has never entered an element {at!r}.")
    return cut


class _Copy:
    """The new instance on its way: replayed and projected event by event."""

    def __init__(self, unit: Unit, origin: str, fresh: str, cut: int) -> None:
        self._unit, self._origin, self._fresh, self._cut = unit, origin, fresh, cut
        self._asked: dict[tuple[type, int], p.Event] = {}
        """What was asked of somebody outside, by kind of event and key."""
        self._migrated = False

    def made(self, at: int | str, message_key: str | None, variables: Mapping[str, Any]) -> str:
        """Make it; its id."""
        unit, fresh = self._unit, self._fresh
        live = self._replayed(message_key)
        instance = live.instance
        if instance.status not in ("active", "suspended"):
            raise WrongState(
                f"Instance {self._origin} was over ({instance.status}) at {at!r}: choose an earlier point."
            )
        if isinstance(at, str) and all(token.node != at for token in instance.tokens.values()):
            waited = ", ".join(dict.fromkeys(token.node for token in instance.tokens.values()))
            raise WrongState(f"Element {at!r} did not wait for anything; the instance stood at {waited}.")
        row = [
            fresh, live.process, live.version, live.program.digest, live.deployment, instance.business_key,
            "active", None, None, 0, message_key, unit.at, None, None, live.revision, live.revision,
            encode_instance(instance),
        ]  # fmt: skip
        unit.changes.put(INSTANCE, (fresh,), row)
        if self._migrated:
            for key, wait in instance.waits.items():
                if (table := _TABLES.get(type(wait))) is not None:
                    unit.changes.patch(table, (fresh, key), {"node": wait.node})
        unit.live[fresh] = live
        index(unit.changes, live)
        unit.adopt(live, reopen(live.program, instance, self._origin, live.revision - 1, now=unit.now))
        unit.write().run(_COPY, (fresh, self._origin, self._cut))
        if instance.status == "suspended":
            unit.react(fresh, p.InstanceSuspended())
        for key, wait in instance.waits.items():
            asked = _OPENED.get(type(wait))
            if asked is not None and (asked, key) in self._asked:
                unit.react(fresh, self._asked[asked, key])
        if variables:
            unit.step(fresh, p.SetVariables(variables=variables))
        return fresh

    def _replayed(self, message_key: str | None) -> Live:
        """The state at the cut, and its rows."""
        unit, live = self._unit, None
        for seq, at, stored in _history(unit, self._origin):
            events = stored
            if live is None:
                live, events = self._begun(stored, message_key)
                unit.changes.put(EVENT, (self._fresh, 0), [self._fresh, 0, at, encode_events(events)])
            replay(live.instance, events)
            for event in events:
                self._project(live, event, at)
            live.revision += len(events)
            if seq == self._cut:
                return live
        raise _no_history(self._origin)

    def _begun(self, events: list[p.Event], message_key: str | None) -> tuple[Live, list[p.Event]]:
        """The instance before its first event, which forgets the caller that there may have been."""
        begun, unit = events[0], self._unit
        assert isinstance(begun, p.InstanceStarted), "every history begins with it"
        version = unit.parts.definitions.with_digest(unit.read(), "process", begun.program)
        program = unit.parts.definitions.program(unit.read(), begun.program)
        live = Live(
            self._fresh, new_instance(program, self._fresh), program, version.id, version.number,
            version.deployment, 0, message_key,
        )  # fmt: skip
        return live, [msgspec.structs.replace(begun, parent=None), *events[1:]]

    def _project(self, live: Live, event: p.Event, at: int) -> None:
        project = PROJECTIONS.get(type(event))
        if project is not None:
            project(self._unit.changes, live, event, at)
        if type(event) in _ASKING:
            self._asked[type(event), getattr(event, _ASKING[type(event)])] = event
        if isinstance(event, p.InstanceMigrated):
            self._migrated = True
            version = self._unit.parts.definitions.with_digest(self._unit.read(), "process", event.program)
            live.program = self._unit.parts.definitions.program(self._unit.read(), event.program)
            live.process, live.version, live.deployment = version.id, version.number, version.deployment
