"""A unit of work: everything that one command does, across instances, in one transaction.

The unit steps instances with the kernel, gathers the rows that follow, and answers what the events
ask for (calls, decisions, messages, signals) before it is over, so that no half of it is ever seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from flowkit.engine.changes import Changes
from flowkit.engine.effects import REACTIONS
from flowkit.engine.projections import PROJECTIONS
from flowkit.engine.searchable import follow
from flowkit.engine.snapshots import LIVES, Live, lives, saved
from flowkit.engine.sql.schema import DEFINITION, EVENT, INSTANCE, POSTPONED, Table
from flowkit.engine.store import Session
from flowkit.engine.telemetry import Observed
from flowkit.errors import NotFound
from flowkit.kernel import Program, encode_events, new_instance, step
from flowkit.kernel.protocol import Command, Event, Start

if TYPE_CHECKING:
    from flowkit.engine.commit import Batch
    from flowkit.engine.definitions import Version

__all__ = ["Unit"]

MAX_REACTIONS = 1000
"""What one transaction answers at once; the rest is postponed to transactions of its own."""

_FOLLOWED = {
    kind: (PROJECTIONS.get(kind), kind in REACTIONS) for kind in PROJECTIONS.keys() | REACTIONS.keys()
}
"""What follows from an event: how it changes rows, and whether it is answered."""
_REVISION = f"SELECT revision FROM {INSTANCE.name} WHERE id=?"
_IN_ORDER = "ORDER BY i.id, e.seq"


class Unit:
    """``now`` is one moment for everything in the unit.

    A unit that is ``alone`` in its transaction is undone with it; it keeps nothing apart.
    """

    __slots__ = ("_reactions", "_saved", "at", "batch", "changes", "live", "now", "observed", "parts")

    def __init__(self, batch: Batch, *, alone: bool = False) -> None:
        self.batch = batch
        self.parts = batch.parts
        self.now: datetime = batch.now
        self.at: int = batch.at
        self.changes = batch.changes if alone else Changes()
        self.live: dict[str, Live] = batch.live if alone else {}
        self.observed: list[Observed] = batch.observed if alone else []
        self._reactions: deque[tuple[str, Event]] = deque()
        self._saved = False

    # ---- instances --------------------------------------------------------------------------

    def load(self, instance_id: str) -> Live:
        """The instance, locked for this transaction; raises NotFound."""
        live = self.live.get(instance_id)
        if live is None:
            live = self.batch.take(instance_id) or self._fetch(instance_id)
            self.live[instance_id] = live
        return live

    def _fetch(self, instance_id: str) -> Live:
        session = self.read(INSTANCE, EVENT)
        if self.parts.store.lock:
            session.run(_REVISION + self.parts.store.lock, (instance_id,))
        for live in lives(session.query(f"{LIVES} (?) {_IN_ORDER}", (instance_id,)), self._program):
            return live
        raise NotFound(f"There is no instance {instance_id!r}.")

    def _program(self, digest: str) -> Program:
        return self.parts.definitions.program(self.read(), digest)

    def peek(self, instance_ids: Collection[str]) -> dict[str, Live]:
        """The instances, to be read only: not locked, so nothing may be decided by them."""
        found = {}
        missing = []
        for instance_id in instance_ids:
            live = self.live.get(instance_id) or self.batch.peek(instance_id)
            if live is None:
                missing.append(instance_id)
            else:
                found[instance_id] = live
        found.update(self.batch.unchanged(missing))
        missing = [instance_id for instance_id in missing if instance_id not in found]
        for start in range(0, len(missing), 500):
            chunk = missing[start : start + 500]
            marks = ",".join("?" * len(chunk))
            rows = self.read(INSTANCE, EVENT).query(f"{LIVES} ({marks}) {_IN_ORDER}", chunk)
            found.update((live.id, live) for live in lives(rows, self._program))
        return found

    def newest(self, process: str) -> Version:
        """The newest version of a process, looked up once a transaction; raises NotFound."""
        found = self.batch.newest.get(process)
        if found is None:
            found = self.parts.definitions.latest(self.read(DEFINITION), "process", process)
            self.batch.newest[process] = found
        return found

    def exists(self, instance_id: str) -> bool:
        return instance_id in self.live or bool(self.read(INSTANCE).query(_REVISION, (instance_id,)))

    def start(
        self,
        version: Version,
        command: Start,
        instance_id: str = "",
        *,
        depth: int = 0,
        message_key: str | None = None,
    ) -> str:
        """Start an instance of a process version; its id."""
        instance_id = instance_id or self.parts.new_id(self.now)
        program = self.parts.definitions.program(self.read(), version.digest)
        instance = new_instance(program, instance_id)
        live = Live(
            instance_id, instance, program, version.id, version.number, version.deployment, depth,
            message_key,
        )  # fmt: skip
        events = step(program, instance, command, now=self.now)
        parent = command.parent
        row = [
            instance_id, version.id, version.number, version.digest, version.deployment,
            command.business_key, "active", parent.instance if parent else None,
            parent.call if parent else None, depth, message_key, self.at, None, None, 0, 0, b"",
        ]  # fmt: skip
        self.changes.put(INSTANCE, (instance_id,), row)
        self.live[instance_id] = live
        self._record(live, events)
        return instance_id

    def step(self, instance_id: str, command: Command) -> list[Event]:
        """Give the instance a command; raises Rejected when it must not be given now."""
        return self.advance(self.load(instance_id), command)

    def advance(self, live: Live, command: Command) -> list[Event]:
        """:meth:`step`, of an instance that is at hand."""
        events = step(live.program, live.instance, command, now=self.now)
        self._record(live, events)
        return events

    def _record(self, live: Live, events: list[Event]) -> None:
        live.events.extend(events)
        for event in events:
            followed = _FOLLOWED.get(type(event))
            if followed is not None:
                project, answered = followed
                if project is not None:
                    project(self.changes, live, event, self.at)
                if answered:
                    self._reactions.append((live.id, event))

    def adopt(self, live: Live, events: list[Event]) -> None:
        """Take over events that were not made by a step here (migration)."""
        self._record(live, events)

    # ---- the store --------------------------------------------------------------------------

    def read(self, *tables: Table) -> Session:
        """A session that sees everything done so far in ``tables``, by this unit and those before it."""
        batch = self.batch
        if tables:
            if batch.changes and batch.changes.touches(tables):
                batch.changes.flush(batch.session)
            if self.changes and self.changes.touches(tables):
                self.write()
        return batch.session

    def fresh(self, table: Table) -> tuple[Session, Changes]:
        """The session, and what earlier units of the transaction are going to insert into ``table`` or
        remove from it: for a reader that takes that into account. Other changes are written first."""
        changes = self.batch.changes
        if changes.patches(table):
            self.read(table)
        return self.batch.session, changes

    def write(self) -> Session:
        """Everything gathered so far goes to the database, undone if the unit fails; for bulk SQL."""
        batch = self.batch
        batch.changes.flush(batch.session)
        if not self._saved:
            batch.session.run("SAVEPOINT unit")
            self._saved = True
        self.changes.flush(batch.session)
        return batch.session

    # ---- the end ----------------------------------------------------------------------------

    def settle(self) -> None:
        """Answer what the events ask for, then turn the touched instances into rows."""
        answered = 0
        reactions = self._reactions
        while reactions:
            instance_id, event = reactions.popleft()
            if answered >= MAX_REACTIONS:
                self.postpone(instance_id, event)
            else:
                REACTIONS[type(event)](self, instance_id, event)
                answered += 1
        for live in self.live.values():
            if live.events:
                self._keep(live)

    def _keep(self, live: Live) -> None:
        if self.parts.telemetry is not None:
            self.observed.append(self.parts.telemetry.observe(self, live))
        if live.program.searchable:
            follow(self.changes, live)
        seq = live.revision
        data, snapshot = saved(live)
        self.changes.put(EVENT, (live.id, seq), [live.id, seq, self.at, data])
        if snapshot is not None:
            self.changes.patch(INSTANCE, (live.id,), snapshot)
        elif self.parts.store.lock:
            self.changes.patch(INSTANCE, (live.id,), {"revision": live.revision})

    def postpone(self, instance_id: str, event: Event, waits_for: str | None = None) -> None:
        """Leave the answer to ``event`` to a later transaction, not before ``waits_for`` resumes."""
        key = self.parts.new_id(self.now)
        row = [key, instance_id, waits_for, encode_events([event])]
        self.changes.put(POSTPONED, (key,), row)

    def react(self, instance_id: str, event: Event) -> None:
        """Answer an event that was postponed."""
        self._reactions.append((instance_id, event))

    def undo(self) -> None:
        """Leave no trace: the instances that were touched are loaded again when they are needed."""
        if self._saved:
            self.batch.session.run("ROLLBACK TO SAVEPOINT unit")
            self.batch.session.run("RELEASE SAVEPOINT unit")
        for instance_id in self.live:
            self.batch.forget(instance_id)

    def accept(self) -> None:
        """Hand everything over to the batch."""
        if self._saved:
            self.batch.session.run("RELEASE SAVEPOINT unit")
        batch = self.batch
        if batch.changes.put_tables or batch.changes:
            batch.changes.absorb(self.changes)
        else:
            batch.changes = self.changes
        batch.live.update(self.live)
        if self.observed:
            batch.observed.extend(self.observed)
