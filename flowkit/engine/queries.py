"""Looking: instances, tasks, jobs, incidents, history. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from flowkit.engine.clock import from_micros, micros
from flowkit.engine.ids import join_id
from flowkit.engine.payload import decode
from flowkit.engine.snapshots import SAVED, SINCE, instance_of
from flowkit.engine.sql.schema import CANDIDATE, EVENT, INCIDENT, INSTANCE, JOB, OUTBOX, RESTART, USER_TASK
from flowkit.engine.store import Row, Session
from flowkit.engine.views import (
    HistoryEntry,
    IncidentView,
    InstanceView,
    JobView,
    OutboxView,
    TokenView,
    UserTask,
)
from flowkit.errors import NotFound
from flowkit.kernel import decode_events
from flowkit.kernel.protocol import InstanceEnded

if TYPE_CHECKING:
    from flowkit.engine.definitions import Definitions

__all__ = [
    "OUTBOX_PREFIX",
    "Where",
    "find_jobs",
    "find_tasks",
    "history",
    "incidents",
    "instance",
    "instances",
    "one_task",
    "outbox",
    "page",
]


class Where:
    """Conditions joined by AND; a value of None adds none."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.parameters: list[Any] = []

    def equal(self, **columns: Any) -> Where:
        for name, value in columns.items():
            if value is not None:
                self.add(f"{name.replace('__', '.')}=?", value)
        return self

    def add(self, sql: str, *parameters: Any) -> Where:
        self._parts.append(sql)
        self.parameters.extend(parameters)
        return self

    def __str__(self) -> str:
        return f" WHERE {' AND '.join(self._parts)}" if self._parts else ""


_MOST = 2**62


def page(limit: int | None, offset: int) -> str:
    """LIMIT and OFFSET, as both databases take them."""
    if limit is None and not offset:
        return ""
    if offset < 0 or (limit is not None and limit < 0):
        raise ValueError(f"limit and offset are 0 or more, found {limit} and {offset}.")
    return f" LIMIT {_MOST if limit is None else min(limit, _MOST)} OFFSET {min(offset, _MOST)}"


# ---- instances ------------------------------------------------------------------------------

_COLUMNS = "id, process, version, status, business_key, started, ended, parent, outcome, digest"
_ORIGIN = f"(SELECT origin FROM {RESTART.name} r WHERE r.instance=i.id)"
_VIEW = ", ".join(f"i.{name}" for name in _COLUMNS.split(", ")) + ", i.origin"


def instances(session: Session, definitions: Definitions, tail: str, values: Any) -> list[InstanceView]:
    """The instances that a query from WHERE to LIMIT finds, ordered by id."""
    page = f"SELECT {_COLUMNS}, {_ORIGIN} AS origin, snapshot, state FROM {INSTANCE.name} i {tail}"
    sql = f"SELECT {_VIEW}, {SAVED} FROM ({page}) i {SINCE} AND i.ended IS NULL ORDER BY i.id, e.seq"
    found = groupby(session.query(sql, values), itemgetter(0))
    return [_instance(session, definitions, list(rows)) for _, rows in found]


def instance(session: Session, definitions: Definitions, instance_id: str) -> InstanceView:
    """One instance with its variables and tokens; raises NotFound."""
    for view in instances(session, definitions, "WHERE i.id=?", (instance_id,)):
        return view
    raise NotFound(f"There is no instance {instance_id!r}.")


def _instance(session: Session, definitions: Definitions, rows: Sequence[Row]) -> InstanceView:
    row = rows[0]
    view = InstanceView(
        row[0], row[1], row[2], row[3], row[4], from_micros(row[5]), _moment(row[6]), row[7], row[8],
        origin=row[10],
    )  # fmt: skip
    if view.ended is not None:
        return replace(view, variables=_last_variables(session, view.id))
    program = definitions.program(session, row[9])
    live = instance_of(program, view.id, rows)
    nodes = program.nodes
    tokens = tuple(
        TokenView(token.key, token.node, nodes[token.node].name, nodes[token.node].kind, token.scope)
        for token in live.tokens.values()
    )
    return replace(view, variables=live.variables_of(), tokens=tokens)


def _last_variables(session: Session, instance_id: str) -> Mapping[str, Any]:
    sql = f"SELECT data FROM {EVENT.name} WHERE instance=? ORDER BY seq DESC LIMIT 1"
    for (data,) in session.query(sql, (instance_id,)):
        for event in decode_events(bytes(data)):
            if isinstance(event, InstanceEnded):
                return event.variables
    return {}


def history(
    session: Session, instance_id: str, *, after: int = -1, limit: int | None = None
) -> list[HistoryEntry]:
    """The events of an instance with ``seq`` greater than ``after``; raises NotFound."""
    first = session.query(
        f"SELECT MAX(seq) FROM {EVENT.name} WHERE instance=? AND seq<=?", (instance_id, max(after, 0))
    )
    if not first or first[0][0] is None:
        raise NotFound(f"There is no instance {instance_id!r}, or its history was cleaned away.")
    sql = f"SELECT seq, at, data FROM {EVENT.name} WHERE instance=? AND seq>=? ORDER BY seq"
    pages = "" if limit is None else page(limit + 1, 0)  # a row holds at least one event
    entries = []
    for seq, at, data in session.query(sql + pages, (instance_id, first[0][0])):
        when = from_micros(at)
        for index, event in enumerate(decode_events(bytes(data))):
            if seq + index > after:
                entries.append(HistoryEntry(seq + index, when, event))
    return entries if limit is None else entries[:limit]


# ---- user tasks -----------------------------------------------------------------------------

_TASK = (
    "SELECT t.instance, t.key, t.node, t.process, t.assignee, t.due, t.priority, t.candidates, t.detail, "
    "t.created, i.business_key "
    f"FROM {USER_TASK.name} t JOIN {INSTANCE.name} i ON i.id=t.instance"
)
_CANDIDATES = f"SELECT instance, key FROM {CANDIDATE.name} WHERE"
_OF_GROUP = f"(t.instance, t.key) IN ({_CANDIDATES} kind='group' AND name=?)"
_OF_USER = (
    f"COALESCE(t.assignee, ?)=? AND (t.instance, t.key) IN (SELECT instance, key FROM ({_CANDIDATES} "
    f"kind='user' AND name=? UNION ALL SELECT instance, key FROM {USER_TASK.name} WHERE assignee=?) one)"
)


def find_tasks(  # noqa: PLR0913 one argument a condition
    session: Session,
    instance: str | None = None,
    *,
    group: str | None = None,
    user: str | None = None,
    assignee: str | None = None,
    assigned: bool | None = None,
    process: str | None = None,
    element: str | None = None,
    business_key: str | None = None,
    due_before: datetime | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[UserTask]:
    """What :class:`~flowkit.engine.conditions.TaskConditions` mean."""
    where = Where().equal(
        t__instance=instance,
        t__process=process,
        t__node=element,
        i__business_key=business_key,
        t__assignee=assignee,
    )
    if group is not None:
        where.add(_OF_GROUP, group)
    if user is not None:
        where.add(_OF_USER, user, user, user, user)
    if assigned is not None:
        where.add("t.assignee IS NOT NULL" if assigned else "t.assignee IS NULL")
    if due_before is not None:
        where.add("t.due<?", micros(due_before))
    order = " ORDER BY t.priority DESC, t.created, t.instance, t.key"
    rows = session.query(f"{_TASK}{where}{order}{page(limit, offset)}", where.parameters)
    return [_task(row) for row in rows]


def one_task(session: Session, instance: str, key: int) -> UserTask:
    """One open user task; raises NotFound."""
    rows = session.query(f"{_TASK} WHERE t.instance=? AND t.key=?", (instance, key))
    if not rows:
        raise NotFound(f"There is no open user task {join_id(instance, key)}: it may be done or withdrawn.")
    return _task(rows[0])


def _task(row: Row) -> UserTask:
    instance, key, node, process, assignee, due, priority, candidates, detail, created, business_key = row
    groups, users, follow_up = decode(bytes(candidates))
    name, form, _binding, _version_tag, headers = decode(bytes(detail))
    return UserTask(
        id=join_id(instance, key),
        instance_id=instance,
        process_id=process,
        element_id=node,
        name=name,
        assignee=assignee,
        candidate_groups=tuple(groups),
        candidate_users=tuple(users),
        due=_moment(due),
        follow_up=_moment(follow_up),
        priority=priority,
        form=form,
        headers=headers,
        created=from_micros(created),
        business_key=business_key,
    )


# ---- jobs and incidents -----------------------------------------------------------------------


def find_jobs(
    session: Session,
    instance: str | None = None,
    *,
    type: str | None = None,  # noqa: A002 the field's own word
    state: str | None = None,
    process: str | None = None,
    element: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[JobView]:
    """Open jobs, oldest first."""
    where = Where().equal(instance=instance, type=type, state=state, process=process, node=element)
    sql = (
        f"SELECT instance, key, process, node, type, state, retries, attempt, priority, at, worker, "
        f"headers, created FROM {JOB.name}{where} ORDER BY created, instance, key{page(limit, offset)}"
    )
    return [
        JobView(
            join_id(row[0], row[1]), row[0], row[2], row[3], row[4], row[5], row[6], row[7], row[8],
            from_micros(row[9]), row[10], decode(bytes(row[11])), from_micros(row[12]),
        )
        for row in session.query(sql, where.parameters)
    ]  # fmt: skip


def incidents(
    session: Session,
    instance: str | None = None,
    *,
    process: str | None = None,
    element: str | None = None,
    kind: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[IncidentView]:
    """Open incidents, oldest first: those of instances, and what could not be delivered (of the kind
    *outbox*)."""
    own = Where().equal(instance=instance, process=process, node=element, kind=kind)
    sent = Where().add("failed=1").equal(instance=instance, process=process, node=element)
    if kind is not None and kind != "outbox":
        sent.add("1=0")
    sql = (
        "SELECT instance, key, process, node, kind, message, details, subject, created, '' AS id "
        f"FROM {INCIDENT.name}{own} UNION ALL "
        "SELECT instance, 0 AS key, process, node, 'outbox', error, kind, 0, created, id "
        f"FROM {OUTBOX.name}{sent} ORDER BY created, instance, key, id{page(limit, offset)}"
    )
    return [_incident(row) for row in session.query(sql, [*own.parameters, *sent.parameters])]


def _incident(row: Row) -> IncidentView:
    instance, key, process, node, kind, message, details, subject, created, sent = row
    if sent:
        short, _, trace = message.partition("\n")
        text = f"The {details} could not be delivered: {short}"
        name = f"{OUTBOX_PREFIX}{sent}"
        return IncidentView(name, instance, process, node, "outbox", text, trace, None, from_micros(created))
    job = join_id(instance, subject) if kind == "job" and subject else None
    return IncidentView(
        join_id(instance, key), instance, process, node, kind, message, details, job, from_micros(created)
    )


OUTBOX_PREFIX = "outbox:"
"""Begins the id of an incident that is an entry of the outbox."""


def outbox(
    session: Session,
    *,
    kind: str | None = None,
    state: str | None = None,
    instance: str | None = None,
    process: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[OutboxView]:
    """What has not reached its receiver, oldest first."""
    where = Where().equal(kind=kind, instance=instance, process=process)
    if state is not None:
        where.add("failed=?", {"waiting": 0, "failed": 1}.get(state, -1))
    sql = (
        "SELECT id, kind, key, instance, process, node, payload, failed, attempt, due, error, created "
        f"FROM {OUTBOX.name}{where} ORDER BY id{page(limit, offset)}"
    )
    return [
        OutboxView(
            row[0], row[1], row[2], row[3], row[4], row[5], decode(bytes(row[6])),
            "failed" if row[7] else "waiting", row[8], from_micros(row[9]), row[10], from_micros(row[11]),
        )
        for row in session.query(sql, where.parameters)
    ]  # fmt: skip


def _moment(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)
