"""The engine that people import: deploy, start, complete, publish, look, repair.

Everything here delegates; each method says in one place what a caller may rely on. Every method that
changes something is one durable transaction: when it returns, the change is stored; when it raises,
nothing has changed. An engine may be used by many threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from flowkit.engine import messages, outbox, queries, search, user_tasks
from flowkit.engine.border import checked_key, checked_number, checked_span, checked_text, known
from flowkit.engine.clock import Clock, SystemClock, VirtualClock, from_micros
from flowkit.engine.commit import Committer
from flowkit.engine.conditional_start import start_where_true
from flowkit.engine.conditions import (
    IncidentConditions,
    InstanceConditions,
    JobConditions,
    OutboxConditions,
    PageOfInstances,
    TaskConditions,
    checked,
)
from flowkit.engine.data_stores import DataStore, Documents, Stores, read_document, write_document
from flowkit.engine.definitions import Definitions
from flowkit.engine.files import collect
from flowkit.engine.ids import NewIds, split_id
from flowkit.engine.operations import Operations
from flowkit.engine.parts import Parts
from flowkit.engine.payload import json_copy
from flowkit.engine.pump import next_due
from flowkit.engine.runner import InlineRunner
from flowkit.engine.store import Store, open_store
from flowkit.engine.telemetry import Telemetry
from flowkit.engine.unit import Unit
from flowkit.engine.views import (
    DefinitionView,
    Deployment,
    HistoryEntry,
    IncidentView,
    InstanceView,
    JobView,
    OutboxView,
    UserTask,
)
from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity
from flowkit.kernel.protocol import ResolveIncident, SetVariables, Start
from flowkit.tasks import Registry

if TYPE_CHECKING:
    from flowkit.feel.calendar import WorkingCalendar

__all__ = ["Engine"]

T = TypeVar("T")


class Engine(Operations):
    """A workflow engine on a store.

    ``url``: ``memory:`` (nothing is kept), ``sqlite:///file`` or ``postgresql://…``.
    ``tasks``: the handlers that this engine runs: a Registry, or what one is made of.
    ``calendars``: working calendars by name, for the FEEL functions of business time.
    ``functions``: further FEEL functions for the expressions of diagrams.
    ``durability``: *full* survives power loss, *normal* may lose the last commits then.
    ``message_ttl``: how long a message without a time to live waits for its receiver.
    ``stores``: who serves the diagrams' data stores, by name ("" for all others); by default each is
    a JSON document in the engine's own database.
    ``telemetry``: OpenTelemetry's spans and counts; None costs nothing.
    """

    def __init__(  # noqa: PLR0913 each option stands alone
        self,
        url: str = "memory:",
        *,
        tasks: Registry | Iterable[Any] | Any = (),
        clock: Clock | None = None,
        functions: Mapping[str, Any] | None = None,
        calendars: Mapping[str, WorkingCalendar] | None = None,
        durability: str = "full",
        message_ttl: timedelta = timedelta(hours=1),
        stores: Mapping[str, DataStore | Documents] | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        checked_span(message_ttl, "message_ttl")
        self.registry = tasks if isinstance(tasks, Registry) else Registry(tasks)
        self.clock: Clock = clock if clock is not None else SystemClock()
        store = open_store(url, durability=durability)
        definitions = Definitions(_functions(calendars, functions))
        self._parts = Parts(store, self.clock, definitions, NewIds(), message_ttl, telemetry, Stores(stores))
        self._committer = Committer(self._parts)
        self._runner = InlineRunner(self._committer, self.registry, f"{os.getpid()}")
        self._running = threading.Lock()

    @property
    def committer(self) -> Committer:
        """Where transactions are made; for workers and other parts of flowkit."""
        return self._committer

    @property
    def store(self) -> Store:
        """The database; for workers and other parts of flowkit."""
        return self._parts.store

    def close(self) -> None:
        """Give the store back; what is running in other threads ends with EngineClosed."""
        self._committer.close()
        self._parts.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- definitions ------------------------------------------------------------------------

    def deploy(self, *sources: str | os.PathLike[str] | Mapping[str, bytes]) -> Deployment:
        """Deploy files, folders, or contents by name: all of them, or none.

        Raises InvalidModel with the findings of all files, NotFound for a missing path, TypeError for a
        content that is not bytes.
        """
        files = collect(sources)
        prepared = self._parts.definitions.check(files)
        if not prepared:
            text = "expected an executable process, a decision or a form, found none."
            place = Location(", ".join(sorted(files)))
            hint = 'Mark the process isExecutable="true".'
            raise InvalidModel([Finding("nothing-executable", Severity.ERROR, place, text, hint)])
        unserved = self._parts.stores.unserved(one.compiled for one in prepared if one.kind == "process")
        if unserved:
            raise InvalidModel(unserved)
        return self._committer.run(lambda unit: self._parts.definitions.deploy(unit, files, prepared))

    def definitions(self, kind: str | None = None) -> list[DefinitionView]:
        """Every version of every process, decision and form (``kind``)."""
        with self._parts.store.reader() as session:
            return self._parts.definitions.all(session, kind)

    def program(self, process_id: str, version: int | None = None) -> Any:
        """The compiled program of a process: its nodes, flows and names."""
        known(process_id, "process")
        definitions = self._parts.definitions
        with self._parts.store.reader() as session:
            if version is None:
                found = definitions.latest(session, "process", process_id)
            else:
                found = definitions.numbered(session, "process", process_id, version)
            return definitions.program(session, found.digest)

    # ---- data stores ------------------------------------------------------------------------

    def read_store(self, name: str) -> Any:
        """The content of a data store that the engine keeps itself; None where there is none yet."""
        checked_key(name, "The data store's name")
        return self._committer.run(lambda unit: read_document(unit, name))

    def write_store(self, name: str, content: Any) -> None:
        """Make ``content``, as JSON, that of a data store that the engine keeps itself."""
        checked_key(name, "The data store's name")
        data = json_copy({name: content})[name]
        self._committer.run(lambda unit: write_document(unit, name, data))

    # ---- instances --------------------------------------------------------------------------

    def start(
        self,
        process_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        version: int | None = None,
        start_event: str | None = None,
        connection: Any = None,
    ) -> str:
        """Start an instance of the newest version, or of ``version``; its id.

        With ``connection`` (of sqlite3 or psycopg, or SQLAlchemy's Connection or Session, to the engine's
        own database) the start is part of that connection's transaction: both are committed, or none.
        Raises NotFound, InvalidPayload.
        """
        work = self.starting(
            process_id, variables, business_key=business_key, version=version, start_event=start_event
        )
        return self._run(work, connection)

    def _run(self, work: Callable[[Unit], T], connection: Any) -> T:
        if connection is not None:
            return self._committer.run_on(connection, work)
        return self._committer.run(work)

    def starting(
        self,
        process_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        version: int | None = None,
        start_event: str | None = None,
    ) -> Callable[[Unit], str]:
        """The work of :meth:`start`, for a transaction of one's own (``committer.run_all``)."""
        known(process_id, "process")
        if business_key is not None:
            checked_key(business_key, "The business key")
        if start_event is not None:
            checked_text(start_event, "The start event")
        command = Start(variables=json_copy(variables), business_key=business_key, start_event=start_event)

        def work(unit: Unit) -> str:
            if version is None:
                return unit.start(unit.newest(process_id), command)
            definitions = unit.parts.definitions
            return unit.start(definitions.numbered(unit.read(), "process", process_id, version), command)

        return work

    def instance(self, instance_id: str) -> InstanceView:
        """One instance; raises NotFound."""
        known(instance_id, "instance")
        with self._parts.store.reader() as session:
            return queries.instance(session, self._parts.definitions, instance_id)

    def instances(
        self, process: str | None = None, **conditions: Unpack[PageOfInstances]
    ) -> list[InstanceView]:
        """Instances, oldest first, by :class:`~flowkit.engine.conditions.InstanceConditions`."""
        checked("instances", PageOfInstances, conditions, process=process)
        with self._parts.store.reader() as session:
            return search.find_instances(session, self._parts.definitions, process=process, **conditions)

    def select(self, process: str | None = None, **conditions: Unpack[InstanceConditions]) -> Iterator[str]:
        """The ids of instances, however many, in pages: for :meth:`bulk`."""
        checked("select", InstanceConditions, conditions, process=process)
        return self._selected(process, conditions)

    def _selected(self, process: str | None, conditions: InstanceConditions) -> Iterator[str]:
        definitions = self._parts.definitions
        onward: str | None = ""
        while onward is not None:
            with self._parts.store.reader() as session:
                sought = search.wanted(session, definitions, process=process, **conditions)
                ids, onward = search.next_ids(session, definitions, sought, onward)
            yield from ids

    def history(self, instance_id: str, *, after: int = -1, limit: int | None = None) -> list[HistoryEntry]:
        """What has happened to an instance, in order; raises NotFound."""
        known(instance_id, "instance")
        with self._parts.store.reader() as session:
            return queries.history(session, instance_id, after=after, limit=limit)

    def set_variables(
        self, instance_id: str, variables: Mapping[str, Any], *, scope: int | None = None
    ) -> None:
        """Set variables from outside, in the process scope or another one."""
        known(instance_id, "instance")
        command = SetVariables(variables=json_copy(variables), scope=scope)
        self._committer.run(lambda unit: _none(unit.step(instance_id, command)))

    # ---- user tasks -------------------------------------------------------------------------

    def tasks(self, instance: str | None = None, **conditions: Unpack[TaskConditions]) -> list[UserTask]:
        """Open user tasks, higher priority first, then older first, by
        :class:`~flowkit.engine.conditions.TaskConditions`."""
        checked("tasks", TaskConditions, conditions, instance=instance)
        with self._parts.store.reader() as session:
            return queries.find_tasks(session, instance, **conditions)

    def task(self, task_id: str) -> UserTask:
        """One open user task; raises NotFound."""
        with self._parts.store.reader() as session:
            return queries.one_task(session, *split_id(task_id, "user task"))

    def claim(self, task: UserTask | str, user: str) -> None:
        """``user`` takes the task; raises WrongState when somebody else has it."""
        instance, key = _task(task)
        self._committer.run(lambda unit: user_tasks.claim_task(unit, instance, key, user))

    def unclaim(self, task: UserTask | str) -> None:
        """Give the task back to its candidates."""
        self.assign(task, None)

    def assign(self, task: UserTask | str, assignee: str | None, *, user: str | None = None) -> None:
        """Give the task to ``assignee``, whoever has it now; ``user`` tells who did that."""
        instance, key = _task(task)
        self._committer.run(lambda unit: user_tasks.assign(unit, instance, key, assignee, user))

    def delegate(self, task: UserTask | str, to: str, *, user: str | None = None) -> None:
        """Hand the task on; with ``user``, raises WrongState unless they have it."""
        instance, key = _task(task)
        self._committer.run(lambda unit: user_tasks.delegate(unit, instance, key, to, user))

    def complete(
        self,
        task: UserTask | str,
        variables: Mapping[str, Any] | None = None,
        *,
        user: str | None = None,
        connection: Any = None,
    ) -> None:
        """Complete a user task with the data of its form; ``connection`` as in :meth:`start`.

        Raises InvalidPayload when the data breaks the form's schema, WrongState when the task is
        assigned to someone other than ``user``, NotFound when it is no longer open.
        """
        instance, key = _task(task)
        data = json_copy(variables)

        def work(unit: Unit) -> None:
            user_tasks.complete_task(unit, instance, key, data, user)

        if connection is not None:
            self._committer.run_on(connection, work)
        else:
            self._committer.run(work, instance)

    # ---- messages and signals ---------------------------------------------------------------

    def publish(
        self,
        name: str,
        key: str = "",
        variables: Mapping[str, Any] | None = None,
        *,
        ttl: timedelta | None = None,
        message_id: str | None = None,
        connection: Any = None,
    ) -> list[str]:
        """Publish a message; the ids of the instances that took it at once.

        One that nobody takes is kept for ``ttl``. A second message with the same ``message_id`` does
        nothing, so a sender may try again until it is answered. ``connection`` as in :meth:`start`.
        """
        return self._run(self.publishing(name, key, variables, ttl=ttl, message_id=message_id), connection)

    def publishing(
        self,
        name: str,
        key: str = "",
        variables: Mapping[str, Any] | None = None,
        *,
        ttl: timedelta | None = None,
        message_id: str | None = None,
    ) -> Callable[[Unit], list[str]]:
        """The work of :meth:`publish`, for a transaction of one's own (``committer.run_all``)."""
        checked_key(name, "The message's name")
        checked_key(key, "The correlation key")
        if message_id is not None:
            checked_key(message_id, "The message's id")
        keep = self._parts.message_ttl if ttl is None else checked_span(ttl, "The time to live")
        data = json_copy(variables)
        return lambda unit: messages.publish(unit, name, key, data, ttl=keep, message_id=message_id)

    def broadcast(
        self, signal: str, variables: Mapping[str, Any] | None = None, *, connection: Any = None
    ) -> list[str]:
        """Broadcast a signal; the ids of the instances that it reached. ``connection`` as in
        :meth:`start`."""
        checked_key(signal, "The signal's name")
        data = json_copy(variables)
        return self._run(lambda unit: messages.broadcast(unit, signal, data), connection)

    def evaluate_conditions(self, facts: Mapping[str, Any], process_id: str | None = None) -> list[str]:
        """Start what waits for a condition: every process (or only ``process_id``) at each conditional
        start event whose condition is true for ``facts``; the ids of the new instances.

        Nothing else looks at these conditions, since there are no variables outside an instance.
        """
        data = json_copy(facts)
        if process_id is not None:
            known(process_id, "process")
        return self._committer.run(lambda unit: start_where_true(unit, data, process_id))

    # ---- running ----------------------------------------------------------------------------

    def run_until_idle(self) -> int:
        """Do jobs, due timers and what else is to be done, in this thread, until nothing is left now.

        Jobs without a handler here, and retries that are not due, stay. Gives how many things were done.
        """
        with self._running:
            return self._runner.run_until_idle()

    def advance(self, by: timedelta) -> int:
        """Move the virtual clock on, from due date to due date, running everything on the way.

        Raises TypeError when the engine does not have a VirtualClock.
        """
        return self.run_until(self.clock.now() + by)

    def run_until(self, until: datetime) -> int:
        """Like :meth:`advance`, to a point in time."""
        clock = self.clock
        if not isinstance(clock, VirtualClock):
            raise TypeError(
                "Only a VirtualClock can be moved: make the engine with Engine(clock=VirtualClock())."
            )
        done = self.run_until_idle()
        while (due := self.next_due()) is not None and due <= until:
            if due > clock.now():
                clock.set(due)
            done += self.run_until_idle()
        clock.set(max(until, clock.now()))
        return done + self.run_until_idle()

    def next_due(self) -> datetime | None:
        """When the next timer, retry or delivery is due; None when there is none."""
        with self._parts.store.reader() as session:
            found = [next_due(session), outbox.due_next(session, list(self.registry.deliverers))]
        due = min((at for at in found if at is not None), default=None)
        return None if due is None else from_micros(due)

    # ---- the outbox -------------------------------------------------------------------------

    def outbox(self, **conditions: Unpack[OutboxConditions]) -> list[OutboxView]:
        """What has not reached its receiver, oldest first, by
        :class:`~flowkit.engine.conditions.OutboxConditions`."""
        checked("outbox", OutboxConditions, conditions)
        with self._parts.store.reader() as session:
            return queries.outbox(session, **conditions)

    def resend(self, entry: OutboxView | str, *, attempts: int | None = None) -> None:
        """Deliver an entry of the outbox at the next opportunity, with fresh ``attempts`` (default: as
        many as it had); raises NotFound."""
        name = _entry(entry)
        checked_number(attempts, "The number of attempts")
        self._committer.run(lambda unit: outbox.resend(unit, name, attempts))

    def drop(self, entry: OutboxView | str) -> None:
        """Never deliver an entry of the outbox; raises NotFound."""
        name = _entry(entry)
        self._committer.run(lambda unit: outbox.drop(unit, name))

    # ---- jobs and incidents -----------------------------------------------------------------

    def jobs(self, instance: str | None = None, **conditions: Unpack[JobConditions]) -> list[JobView]:
        """Open jobs, oldest first, by :class:`~flowkit.engine.conditions.JobConditions`."""
        checked("jobs", JobConditions, conditions, instance=instance)
        with self._parts.store.reader() as session:
            return queries.find_jobs(session, instance, **conditions)

    def incidents(
        self, instance: str | None = None, **conditions: Unpack[IncidentConditions]
    ) -> list[IncidentView]:
        """Open incidents, undelivered things of the outbox among them, oldest first, by
        :class:`~flowkit.engine.conditions.IncidentConditions`."""
        checked("incidents", IncidentConditions, conditions, instance=instance)
        with self._parts.store.reader() as session:
            return queries.incidents(session, instance, **conditions)

    def resolve(
        self,
        incident: IncidentView | str,
        *,
        retries: int = 1,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """Try again what failed, after setting ``variables``; a job gets ``retries`` attempts, as does
        something that could not be delivered."""
        name = incident if isinstance(incident, str) else incident.id
        if name.startswith(queries.OUTBOX_PREFIX):
            self.resend(name.removeprefix(queries.OUTBOX_PREFIX), attempts=retries)
            return
        instance, key = split_id(name, "incident")
        checked_number(retries, "The number of retries")
        data = json_copy(variables)

        def work(unit: Unit) -> None:
            if data:
                unit.step(instance, SetVariables(variables=data))
            unit.step(instance, ResolveIncident(incident=key, retries=retries))

        self._committer.run(work)


def _functions(
    calendars: Mapping[str, WorkingCalendar] | None, functions: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    if not calendars:
        return functions
    from flowkit.feel.calendar import calendar_functions  # noqa: PLC0415 only where there are calendars

    return {**calendar_functions(calendars), **(functions or {})}


def _task(task: UserTask | str) -> tuple[str, int]:
    return split_id(task if isinstance(task, str) else task.id, "user task")


def _entry(entry: OutboxView | str) -> str:
    return known(entry.id if isinstance(entry, OutboxView) else entry, "entry of the outbox")


def _none(_: object) -> None:
    """A command whose events nobody wants."""
