"""Finding instances: by their own columns, by where their tokens stand, by their variables.

Tokens and variables are in the instances' state. Where rows tell of them too (as
:mod:`flowkit.engine.whereabouts` says; variables that the process declares searchable), those choose the
candidates. These are looked into page by page, after all other conditions, so that memory stays small.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Unpack

from flowkit.engine.border import MOST
from flowkit.engine.clock import micros
from flowkit.engine.queries import Where, instances, page
from flowkit.engine.searchable import value_key
from flowkit.engine.sql.schema import INCIDENT, INSTANCE, RESTART, VARIABLE
from flowkit.engine.views import InstanceView
from flowkit.engine.whereabouts import mentioning, standing_at
from flowkit.kernel import Program

if TYPE_CHECKING:
    from flowkit.engine.conditions import InstanceConditions
    from flowkit.engine.definitions import Definitions
    from flowkit.engine.store import Session

__all__ = ["Wanted", "find_instances", "next_ids", "wanted"]

PAGE = 500
"""Instances whose state is read at once."""
MANY = 5000
"""Ids that are read at once."""
RUNNING = ("active", "suspended")
OVER = ("cancelled", "completed", "error", "terminated")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which instances: ``where`` is for the database, the rest is looked up in each candidate.

    ``few``: an index leads to them by something else than process and status.
    """

    where: Where
    element: str | None
    variables: Mapping[str, Any]
    statuses: Sequence[str] = (*RUNNING, *OVER)
    few: bool = False

    @property
    def looks_inside(self) -> bool:
        return self.element is not None or bool(self.variables)

    def fits(self, view: InstanceView) -> bool:
        """Whether a candidate is meant."""
        if self.element is not None and self.element not in view.active_elements:
            return False
        has = view.variables
        return all(name in has and has[name] == value for name, value in self.variables.items())


def wanted(  # noqa: PLR0913 one argument a condition
    session: Session,
    definitions: Definitions,
    *,
    process: str | None = None,
    version: int | None = None,
    business_key: str | None = None,
    status: str | None = None,
    running: bool | None = None,
    parent: str | None = None,
    element: str | None = None,
    variables: Mapping[str, Any] | None = None,
    started_after: datetime | None = None,
    started_before: datetime | None = None,
    with_incidents: bool | None = None,
    origin: str | None = None,
    restarted: bool | None = None,
    is_restart: bool | None = None,
) -> Wanted:
    """What :class:`~flowkit.engine.conditions.InstanceConditions` mean; all must hold."""
    if version is not None and not 0 < version <= MOST:
        return Wanted(Where().add("1=0"), None, {})
    where = Where().equal(
        i__process=process,
        i__version=version,
        i__business_key=business_key,
        i__status=status,
        i__parent=parent,
    )
    if running is not None:
        where.add("i.ended IS NULL" if running else "i.ended IS NOT NULL")
    if started_after is not None:
        where.add("i.started>=?", micros(started_after))
    if started_before is not None:
        where.add("i.started<?", micros(started_before))
    if with_incidents is not None:
        exists = "EXISTS" if with_incidents else "NOT EXISTS"
        where.add(f"{exists} (SELECT 1 FROM {INCIDENT.name} x WHERE x.instance=i.id)")
    if origin is not None:
        where.add(f"i.id IN (SELECT instance FROM {RESTART.name} WHERE origin=?)", origin)
    for asked, column in ((restarted, "origin"), (is_restart, "instance")):
        if asked is not None:
            exists = "EXISTS" if asked else "NOT EXISTS"
            where.add(f"{exists} (SELECT 1 FROM {RESTART.name} r WHERE r.{column}=i.id)")
    if element is not None:
        where.add("i.ended IS NULL")
    by_rows = False
    if element is not None or (process is not None and variables):
        programs = [
            definitions.program(session, view.digest)
            for view in definitions.all(session, "process")
            if process in (None, view.id) and version in (None, view.version)
        ]
        if element is not None:
            by_rows = _by_element(session, where, programs, element)
        if process is not None:
            by_rows |= _by_variables(where, programs, process, variables or {})
    statuses = _statuses(status, running if element is None else running is not False)
    few = business_key is not None or parent is not None or origin is not None or by_rows
    return Wanted(where, element, variables or {}, statuses, few)


def _statuses(status: str | None, running: bool | None) -> Sequence[str]:
    if status is not None:
        return (status,)
    if running is None:
        return (*RUNNING, *OVER)
    return RUNNING if running else OVER


def _by_element(session: Session, where: Where, programs: list[Program], element: str) -> bool:
    """By the rows that tell of a token there, else by the bytes of the state; whether by rows."""
    queries = standing_at(programs, element)
    if queries is None:
        sql, values = mentioning(session.dialect, element)
        where.add(sql, *values)
    elif queries:
        union = " UNION ".join(sql for sql, _ in queries)
        where.add(f"i.id IN ({union})", *(value for _, values in queries for value in values))
    else:
        where.add("1=0")  # no process has such an element
    return queries is not None


def _by_variables(where: Where, programs: list[Program], process: str, variables: Mapping[str, Any]) -> bool:
    """By the index, where every version declares the variable searchable; whether it does so."""
    found = False
    for name, value in variables.items():
        if programs and all(name in program.searchable for program in programs):
            where.add(
                f"i.id IN (SELECT instance FROM {VARIABLE.name} WHERE process=? AND name=? AND value=?)",
                process, name, value_key(value),
            )  # fmt: skip
            found = True
    return found


def find_instances(
    session: Session,
    definitions: Definitions,
    *,
    process: str | None = None,
    limit: int | None = None,
    offset: int = 0,
    **conditions: Unpack[InstanceConditions],
) -> list[InstanceView]:
    """Instances, newest last; the conditions are those of :func:`wanted`."""
    sought = wanted(session, definitions, process=process, **conditions)
    if sought.looks_inside:
        found = _fitting(session, definitions, sought)
        return list(islice(found, offset, None if limit is None else offset + limit))
    views = _views(session, definitions, _ids(session, sought, "", limit, offset))
    return list(views)


def _ids(session: Session, sought: Wanted, after: str, limit: int | None, offset: int = 0) -> list[str]:
    """The ids of candidates behind ``after``, in order.

    Each status has its instances in order in the index, so nothing need be sorted, however many there are:
    the first ones of all statuses are merged.
    """
    where, values = f"i.id>?{_and(sought.where)}", (after, *sought.where.parameters)
    if sought.few:
        sql = f"SELECT i.id FROM {INSTANCE.name} i WHERE {where} ORDER BY i.id{page(limit, offset)}"
        return [row[0] for row in session.query(sql, values)]
    first = "" if limit is None else f" ORDER BY i.id{page(limit + offset, 0)}"
    one = f"SELECT i.id FROM {INSTANCE.name} i WHERE i.status=? AND {where}{first}"
    parts = [f"SELECT * FROM ({one}) s{number}" for number in range(len(sought.statuses))]
    sql = f"{' UNION ALL '.join(parts)} ORDER BY 1{page(limit, offset)}"
    every = [value for status in sought.statuses for value in (status, *values)]
    return [row[0] for row in session.query(sql, every)]


def _views(session: Session, definitions: Definitions, ids: Sequence[str]) -> Iterator[InstanceView]:
    """The instances, a page at a time, so that what their state is read from stays small."""
    for start in range(0, len(ids), PAGE):
        some = ids[start : start + PAGE]
        marks = ",".join("?" * len(some))
        yield from instances(session, definitions, f"WHERE i.id IN ({marks}) ORDER BY i.id", some)


def _fitting(session: Session, definitions: Definitions, sought: Wanted) -> Iterator[InstanceView]:
    after: str | None = ""
    while after is not None:
        ids = _ids(session, sought, after, MANY)
        yield from filter(sought.fits, _views(session, definitions, ids))
        after = ids[-1] if len(ids) == MANY else None


def _and(where: Where) -> str:
    return str(where).replace(" WHERE ", " AND ", 1)


def next_ids(
    session: Session, definitions: Definitions, sought: Wanted, after: str
) -> tuple[list[str], str | None]:
    """The ids among the next candidates, and the id to go on from; None when they were the last."""
    ids = _ids(session, sought, after, MANY)
    onward = ids[-1] if len(ids) == MANY else None
    if sought.looks_inside:
        return [view.id for view in _views(session, definitions, ids) if sought.fits(view)], onward
    return ids, onward
