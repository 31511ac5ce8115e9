"""Commands become transactions: one at a time when the engine is idle, many in one under load.

A caller's work joins a queue. Whoever gets the lock leads: it takes all that is queued, runs each
work as a unit of its own, and commits them together; the others find their result ready. So a lone
caller pays nothing for grouping, and fifty callers share one write to the disk.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar

from flowkit.engine.changes import Changes
from flowkit.engine.clock import micros
from flowkit.engine.snapshots import Live
from flowkit.engine.sql.schema import EVENT, INSTANCE, JOB, OUTBOX, POSTPONED, TIMER
from flowkit.engine.store import Session, WriteConflict
from flowkit.engine.telemetry import Observed
from flowkit.engine.unit import Unit
from flowkit.errors import Conflict, EngineClosed, OutcomeUnknown, Rejected, StoreUnavailable, WrongState

if TYPE_CHECKING:
    from flowkit.engine.definitions import Version
    from flowkit.engine.parts import Parts

__all__ = ["Batch", "Committer", "Outcome", "Work"]

T = TypeVar("T")
Work = Callable[[Unit], Any]

MAX_GROUP = 256
MAX_ATTEMPTS = 12
CACHED_INSTANCES = 4096

_INTERRUPTED = "The transaction was interrupted; look whether the command was stored before trying again."
_OWN_TRANSACTION = (
    "A handler that takes part in its step's transaction can't wait for another one: give the engine's "
    "method the handler's own, as connection=…, or leave the work to the diagram."
)
_NEWS = {JOB, TIMER, POSTPONED, OUTBOX}

_REVISION = f"SELECT revision FROM {INSTANCE.name} WHERE id=?"
_NEWER = f"SELECT 1 FROM {EVENT.name} WHERE instance=? AND seq>=? LIMIT 1"


@dataclass(slots=True)
class Outcome:
    """What became of a work: its result, or the exception that undid it."""

    result: Any = None
    error: BaseException | None = None

    def get(self) -> Any:
        """The result; raises the work's exception."""
        if self.error is not None:
            raise self.error
        return self.result


class Batch:
    """The units of one transaction."""

    __slots__ = (
        "_cache", "_epoch", "_locked", "_outdated", "at", "believed", "changes", "live", "newest", "now",
        "observed", "parts", "peeked", "session",
    )  # fmt: skip

    def __init__(
        self,
        parts: Parts,
        session: Session,
        cache: dict[str, Live],
        epoch: int = 0,
        outdated: Callable[[Session], bool] = lambda _: False,
    ) -> None:
        """``outdated`` looks whether others wrote what ``cache``, in its ``epoch``, doesn't have."""
        self.parts = parts
        self.session = session
        self.now = parts.clock.now()
        self.at = micros(self.now)
        self.changes = Changes()
        self.live: dict[str, Live] = {}
        self.observed: list[Observed] = []
        self.newest: dict[str, Version] = {}
        self.believed = 0
        """How many instances were taken from memory, to be stepped, without a look at the database."""
        self.peeked = False
        """Whether one in memory was read that is not going to be stepped."""
        self._locked: dict[str, int] = {}
        self._cache = cache
        self._epoch = epoch
        self._outdated = outdated

    def take(self, instance_id: str) -> Live | None:
        """The instance as an earlier unit left it, or from the cache when that is up to date."""
        live = self.live.get(instance_id)
        if live is not None:
            return live
        live = self._cache.pop(instance_id, None)
        if live is None:
            return None
        if self.parts.store.lock or live.epoch != self._epoch:
            return live if self._current(live) else None
        self.believed += 1
        return live

    def _current(self, live: Live) -> bool:
        """Whether nobody else has stepped the instance, which is locked if rows are locked at all."""
        lock = self.parts.store.lock
        if not lock:
            return not self.session.query(_NEWER, (live.id, live.revision))
        revision = self._locked.get(live.id)
        if revision is None:
            rows = self.session.query(_REVISION + lock, (live.id,))
            revision = rows[0][0] if rows else -1
        return revision == live.revision

    def be_sure(self) -> None:
        """Raise WriteConflict if what was believed is outdated. It is asked for before anything that can't
        be undone; from then on nobody else can write."""
        if (self.believed or self.peeked) and self._outdated(self.session):
            raise WriteConflict("another engine has changed the database")

    def lock(self, instance_ids: set[str]) -> None:
        """Lock the instances that this transaction is going to change: with one round trip instead of
        one each, and in one order, so that two such transactions can't wait for each other."""
        if len(instance_ids) < 2:
            return
        marks = ",".join("?" * len(instance_ids))
        sql = f"SELECT id, revision FROM {INSTANCE.name} WHERE id IN ({marks}) ORDER BY id"
        for instance_id, revision in self.session.query(sql + self.parts.store.lock, sorted(instance_ids)):
            self._locked[instance_id] = revision

    def peek(self, instance_id: str) -> Live | None:
        """The instance, to be read only, if it is at hand and surely up to date."""
        live = self.live.get(instance_id)
        if live is None and not self.parts.store.lock:
            live = self._cache.get(instance_id)
            if live is not None and live.epoch != self._epoch:
                return None
            self.peeked = True
        return live

    def unchanged(self, instance_ids: Sequence[str]) -> dict[str, Live]:
        """Those of the instances, to be read only, that are in memory and that no other engine has stepped
        since: with one query for all, where rows are locked."""
        known = {name: live for name in instance_ids if (live := self._cache.get(name)) is not None}
        if not known or not self.parts.store.lock:
            return {}
        sql = f"SELECT id, revision FROM {INSTANCE.name} WHERE id IN ({','.join('?' * len(known))})"
        rows = self.session.query(sql, list(known))
        return {name: known[name] for name, revision in rows if known[name].revision == revision}

    def forget(self, instance_id: str) -> None:
        """A unit failed with this instance in its hands."""
        self.live.pop(instance_id, None)

    def perform(self, work: Work) -> Outcome:
        """Run a work as a unit of its own."""
        unit = Unit(self)
        try:
            result = work(unit)
            unit.settle()
        except (WriteConflict, StoreUnavailable):
            raise
        except Exception as error:
            unit.undo()
            return Outcome(error=error)
        unit.accept()
        return Outcome(result)


class _Entry:
    """A work, and what came of it. In the queue it has a ``gate``, shut while its thread has nothing to
    do but wait."""

    __slots__ = ("gate", "instance", "notify", "outcome", "work")

    def __init__(
        self, work: Work, instance: str = "", notify: Callable[[Outcome], None] | None = None
    ) -> None:
        self.work = work
        self.instance = instance
        self.outcome: Outcome | None = None
        self.notify = notify
        self.gate: threading.Lock | None = None

    def queued(self) -> _Entry:
        """The entry with its gate shut."""
        self.gate = threading.Lock()
        self.gate.acquire()
        return self

    def wake(self) -> None:
        if self.gate is not None:
            with suppress(RuntimeError):  # it is open already
                self.gate.release()

    def done(self) -> Outcome:
        """The outcome, which is there by now."""
        assert self.outcome is not None
        return self.outcome


class Committer:
    """The only place where transactions are made; safe to be used by many threads.

    Nobody starves: whoever leads takes the queue in its order, and hands the lead on.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.cache: dict[str, Live] = {}
        self.epoch = 0
        self._queue: deque[_Entry] = deque()
        self._lock = threading.Lock()
        self._closed = False
        self._lent_to = 0
        """The thread whose handler has the writer's connection."""
        self.listeners: list[Callable[[], None]] = []
        """Called after a transaction that may have brought work for a worker."""

    def run(self, work: Callable[[Unit], T], instance: str = "") -> T:
        """Run ``work`` in a durable transaction; its result. Raises what it raises.

        ``instance`` tells which one it is going to change, where that is known.
        """
        if not self._queue and self._lock.acquire(blocking=False):
            try:
                return self._alone(work)
            except WriteConflict:
                pass  # once more, among the others
            finally:
                self._lock.release()
                if self._queue:
                    self._hand_on()
        entry = _Entry(work, instance)
        self._run([entry])
        result: T = entry.done().get()
        return result

    def _alone(self, work: Callable[[Unit], T]) -> T:
        """A command while nobody else is about: its unit is all of the transaction."""
        if self._closed:
            self._check_open()
        with self.parts.store.transaction() as session:
            batch = Batch(self.parts, session, self.cache, self.epoch, self._others_wrote)
            try:
                result, found = _whole(batch, work)
            except Rejected:
                batch.be_sure()
                raise
            # Events that follow on the known ones, and a row of the wait that was there, are proof.
            if batch.peeked or batch.believed > found:
                batch.be_sure()
        self._remember(batch)
        if self.listeners or self.parts.telemetry is not None:
            self._tell(batch, 1)
        return result

    def run_all(self, works: Sequence[Work], instances: Sequence[str] = ()) -> list[Outcome]:
        """Run each work as a unit of its own, together: one's failure undoes only itself."""
        known = [*instances, *repeat("", len(works) - len(instances))]
        entries = [_Entry(work, instance) for work, instance in zip(works, known, strict=True)]
        self._run(entries)
        return [entry.done() for entry in entries]

    def submit(self, work: Work, notify: Callable[[Outcome], None], instance: str = "") -> None:
        """Queue ``work``; ``notify`` is called by the thread that leads the transaction."""
        self._queue.append(_Entry(work, instance, notify))

    def lead(self) -> bool:
        """Commit what is queued; whether there was anything."""
        if not self._queue:
            return False
        with self._lock:
            self._lead()
        self._hand_on()
        return True

    def run_on(self, connection: Any, work: Callable[[Unit], T]) -> T:
        """Run ``work`` in the application's own transaction, which the application commits.

        Takes no lock: the application may hold the database's while others wait for it.
        """
        self._check_open()
        session = self.parts.store.foreign(connection)
        batch = Batch(self.parts, session, {})
        outcome = batch.perform(work)
        batch.changes.flush(session)
        if self._lent_to == threading.get_ident():  # our own connection: what is cached may be outdated
            for instance_id in batch.live:
                self.cache.pop(instance_id, None)
        result: T = outcome.get()
        return result

    def run_lent(self, work: Callable[[Unit], T]) -> T:
        """Run ``work``, which lends the driver's connection to a handler, in a transaction of its own:
        all of it is stored, or, when it raises, nothing.

        Where instances are locked by row, others go on meanwhile; SQLite has one writer, which it is then.
        """
        if self.parts.store.lock:
            self._check_open()
            return self._lend(work)[0]
        try:
            with self._lock:
                self._check_open()
                self._lent_to = threading.get_ident()
                try:
                    result, batch = self._lend(work)
                finally:
                    self._lent_to = 0
                self._remember(batch)
        finally:  # those who came meanwhile wait, whatever became of this
            self._hand_on()
        return result

    def _lend(self, work: Callable[[Unit], T]) -> tuple[T, Batch]:
        for attempt in range(MAX_ATTEMPTS):
            try:
                with self.parts.store.lending() as session:
                    batch = Batch(self.parts, session, {})
                    result, _ = _whole(batch, work)
            except WriteConflict as conflict:
                if attempt + 1 == MAX_ATTEMPTS:
                    raise Conflict(f"Others store the same at the same time: {conflict}") from conflict
                time.sleep(0.001 * attempt)
            else:
                self._tell(batch, 1)
                return result, batch
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Wait for the running transaction and refuse further ones."""
        with self._lock:
            self._closed = True
            self.cache.clear()

    def _check_open(self) -> None:
        if self._closed:
            raise EngineClosed("The engine is closed; make a new one to go on.")

    def _run(self, entries: list[_Entry]) -> None:
        """Commit ``entries``: at once when nobody else is about, else in the queue's turn."""
        if self._queue or not self._lock.acquire(blocking=False):
            if self._lent_to == threading.get_ident():
                raise WrongState(_OWN_TRANSACTION)
            self.parts.stores.check_free()
            self._queue.extend(entry.queued() for entry in entries)
            for entry in entries:
                self._await(entry)
            return
        try:
            if len(entries) <= MAX_GROUP:
                self._commit(entries)
            else:
                for start in range(0, len(entries), MAX_GROUP):
                    self._commit(entries[start : start + MAX_GROUP])
        finally:
            self._lock.release()
        if self._queue:
            self._hand_on()

    def _await(self, entry: _Entry) -> None:
        while entry.outcome is None:
            if self._lock.acquire(blocking=False):
                try:
                    self._lead()
                finally:
                    self._lock.release()
                self._hand_on()
            elif entry.gate is not None:
                entry.gate.acquire()

    def _hand_on(self) -> None:
        """Whoever came while the lock was held failed to get it, and sleeps: wake the first."""
        with suppress(IndexError):  # the queue is empty
            self._queue[0].wake()

    def _lead(self) -> None:
        entries: list[_Entry] = []
        with suppress(IndexError):
            while len(entries) < MAX_GROUP:
                entries.append(self._queue.popleft())
        if entries:
            try:
                self._commit(entries)
            finally:  # an interrupt must not leave others waiting for ever
                for entry in entries:
                    entry.outcome = entry.outcome or Outcome(error=StoreUnavailable(_INTERRUPTED))
                    entry.wake()
            for entry in entries:
                if entry.notify is not None and entry.outcome is not None:
                    entry.notify(entry.outcome)

    def _commit(self, entries: list[_Entry]) -> None:
        try:
            self._check_open()
            for attempt in range(MAX_ATTEMPTS):
                try:
                    self._transact(entries)
                    return
                except WriteConflict as conflict:
                    if len(entries) > 1 or attempt + 1 == MAX_ATTEMPTS:
                        raise Conflict(
                            f"The command contradicts what others store at the same time: {conflict}"
                        ) from conflict
                    time.sleep(0.001 * attempt)
        except Exception as error:
            if len(entries) == 1 or isinstance(error, OutcomeUnknown):  # never do a thing twice
                for entry in entries:
                    entry.outcome = Outcome(error=error)
                return
            for entry in entries:  # one of them is the cause: let each stand for itself
                self._commit([entry])

    def _transact(self, entries: list[_Entry]) -> None:
        store = self.parts.store
        with store.transaction() as session:
            batch = self._batch(session)
            if store.lock:
                batch.lock({entry.instance for entry in entries if entry.instance})
            outcomes = [batch.perform(entry.work) for entry in entries]
            if batch.changes:
                batch.changes.flush(session)
        for entry, outcome in zip(entries, outcomes, strict=True):
            entry.outcome = outcome
        self._remember(batch)
        self._tell(batch, len(entries))

    def _batch(self, session: Session) -> Batch:
        self._others_wrote(session)
        return Batch(self.parts, session, self.cache, self.epoch)

    def _others_wrote(self, session: Session) -> bool:
        store = self.parts.store
        if store.lock or not store.others_wrote(session):
            return False
        self.epoch += 1
        return True

    def _tell(self, batch: Batch, units: int) -> None:
        """Report what was committed to those who wait for it."""
        if self.parts.telemetry is not None:
            self.parts.telemetry.committed(batch.observed, units)
        if self.listeners and not _NEWS.isdisjoint(batch.changes.put_tables):
            for listen in self.listeners:
                listen()

    def _remember(self, batch: Batch) -> None:
        cache = self.cache
        for instance_id, live in batch.live.items():
            live.epoch = self.epoch
            cache[instance_id] = live
        while len(cache) > CACHED_INSTANCES:
            del cache[next(iter(cache))]


def _whole(batch: Batch, work: Callable[[Unit], T]) -> tuple[T, bool]:
    """Run ``work`` as the only unit of its transaction, which is undone if it fails; its result, and
    whether the row of a wait was found as it was known."""
    unit = Unit(batch, alone=True)
    result = work(unit)
    unit.settle()
    return result, batch.changes.flush(batch.session)
