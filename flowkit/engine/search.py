"""Finding instances: by their own columns, by where their tokens stand, by their variables.

Tokens and variables are in the instances' state. Where rows tell of them too (open user tasks and jobs;
variables that the process declares searchable), an index chooses the candidates; else live instances are
looked into page by page, after all other conditions, so that memory stays small.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from flowkit.engine.clock import micros
from flowkit.engine.queries import Where, instances, page
from flowkit.engine.searchable import value_key
from flowkit.engine.sql.schema import INCIDENT, INSTANCE, JOB, RESTART, USER_TASK, VARIABLE, Table
from flowkit.engine.views import InstanceView
from flowkit.kernel.program import JobSpec, Node, Program, UserTaskSpec

if TYPE_CHECKING:
    from flowkit.engine.definitions import Definitions
    from flowkit.engine.store import Session

__all__ = ["Wanted", "find_instances", "next_ids", "wanted"]

PAGE = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which instances: ``where`` is for the database, the rest is looked up in each candidate."""

    where: Where
    element: str | None
    variables: Mapping[str, Any]

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
    """The conditions, all of which must hold. ``running``: not over; ``element``: a token stands there;
    ``variables``: values in the process scope, of an ended instance those at its end; ``origin``: begun by
    a restart of that instance; ``restarted``: another was begun by a restart of it; ``is_restart``: it was
    begun so itself."""
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
    if process is not None and (element is not None or variables):
        programs = [
            definitions.program(session, view.digest)
            for view in definitions.all(session, "process")
            if view.id == process and version in (None, view.version)
        ]
        if element is not None:
            _by_element(where, programs, process, element)
        _by_variables(where, programs, process, variables or {})
    return Wanted(where, element, variables or {})


def _by_element(where: Where, programs: list[Program], process: str, element: str) -> None:
    """A token at a user task or a job has a row there, or in the incidents."""
    nodes = [program.nodes[element] for program in programs if element in program.nodes]
    tables = {_table(node) for node in nodes}
    if None in tables or not tables:
        return
    parts = [f"SELECT instance FROM {t.name} WHERE process=? AND node=?" for t in (*tables, INCIDENT) if t]
    where.add(f"i.id IN ({' UNION '.join(parts)})", *(process, element) * len(parts))


def _table(node: Node) -> Table | None:
    if node.multi is not None or node.loop is not None or node.start_quantity != 1:
        return None
    if isinstance(node.detail, UserTaskSpec):
        return USER_TASK
    return JOB if isinstance(node.detail, JobSpec) else None


def _by_variables(where: Where, programs: list[Program], process: str, variables: Mapping[str, Any]) -> None:
    """By the index, where every version declares the variable searchable."""
    for name, value in variables.items():
        if programs and all(name in program.searchable for program in programs):
            where.add(
                f"i.id IN (SELECT instance FROM {VARIABLE.name} WHERE process=? AND name=? AND value=?)",
                process, name, value_key(value),
            )  # fmt: skip


def find_instances(
    session: Session,
    definitions: Definitions,
    *,
    limit: int | None = None,
    offset: int = 0,
    **conditions: Any,
) -> list[InstanceView]:
    """Instances, newest last; the conditions are those of :func:`wanted`."""
    sought = wanted(session, definitions, **conditions)
    if sought.element is None and not sought.variables:
        tail = f"{sought.where} ORDER BY i.id{page(limit, offset)}"
        return instances(session, definitions, tail, sought.where.parameters)
    found = _fitting(session, definitions, sought)
    return list(islice(found, offset, None if limit is None else offset + limit))


def _fitting(session: Session, definitions: Definitions, sought: Wanted) -> Iterator[InstanceView]:
    after: str | None = ""
    while after is not None:
        views, after = _candidates(session, definitions, sought, after)
        yield from filter(sought.fits, views)


def _candidates(
    session: Session, definitions: Definitions, sought: Wanted, after: str
) -> tuple[list[InstanceView], str | None]:
    """The next page, and the id to go on from; None when that was the last."""
    tail = f"WHERE i.id>?{_and(sought.where)} ORDER BY i.id LIMIT {PAGE}"
    views = instances(session, definitions, tail, (after, *sought.where.parameters))
    return views, views[-1].id if len(views) == PAGE else None


def _and(where: Where) -> str:
    return str(where).replace(" WHERE ", " AND ", 1)


def next_ids(
    session: Session, definitions: Definitions, sought: Wanted, after: str
) -> tuple[list[str], str | None]:
    """The ids among the next page of candidates, and the id to go on from; None when it was the last."""
    if sought.element is not None or sought.variables:
        views, onward = _candidates(session, definitions, sought, after)
        return [view.id for view in views if sought.fits(view)], onward
    sql = f"SELECT i.id FROM {INSTANCE.name} i WHERE i.id>?{_and(sought.where)} ORDER BY i.id LIMIT {PAGE}"
    ids = [row[0] for row in session.query(sql, (after, *sought.where.parameters))]
    return ids, ids[-1] if len(ids) == PAGE else None
