"""Work on many instances, and on those that are over: migration, bulk, retention."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from flowkit.engine.clock import micros
from flowkit.engine.searchable import index
from flowkit.engine.sql.schema import EVENT, INSTANCE, INSTANCE_ROWS, RESTART, VARIABLE, Table
from flowkit.errors import FlowkitError
from flowkit.kernel import Obstacle, check_migration, migrate
from flowkit.kernel.protocol import InstanceMigrated
from flowkit.values import unstorable

if TYPE_CHECKING:
    from flowkit.engine.commit import Committer
    from flowkit.engine.unit import Unit

__all__ = ["BulkReport", "MigrationReport", "bulk", "check", "clean_up", "migrate_instance"]

BULK_GROUP = 50


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What a migration would meet, or did; ``obstacles`` is empty when it is possible."""

    instance_id: str
    from_version: int
    to_version: int
    obstacles: tuple[Obstacle, ...]

    @property
    def possible(self) -> bool:
        return not self.obstacles


@dataclass(frozen=True, slots=True)
class BulkReport:
    """``failed`` tells, by instance, why it was left as it was."""

    done: tuple[str, ...]
    failed: Mapping[str, str]


# ---- migration ------------------------------------------------------------------------------


def check(unit: Unit, instance: str, version: int | None, mapping: Mapping[str, str]) -> MigrationReport:
    """The dry run: nothing is changed."""
    live = unit.load(instance)
    target = _target(unit, live.process, version)
    program = unit.parts.definitions.program(unit.read(), target.digest)
    obstacles = check_migration(live.program, program, live.instance, mapping)
    return MigrationReport(instance, live.version, target.number, tuple(obstacles))


def migrate_instance(
    unit: Unit, instance: str, version: int | None, mapping: Mapping[str, str]
) -> MigrationReport:
    """Move a running instance; raises WrongState with the obstacles when it is not possible."""
    live = unit.load(instance)
    target = _target(unit, live.process, version)
    report = MigrationReport(instance, live.version, target.number, ())
    if target.digest == live.program.digest:
        return report
    program = unit.parts.definitions.program(unit.read(), target.digest)
    events = migrate(live.program, program, live.instance, mapping, now=unit.now)
    live.program, live.version, live.deployment = program, target.number, target.deployment
    unit.adopt(live, events)
    index(unit.changes, live)
    values = {"version": target.number, "digest": target.digest, "deployment": target.deployment}
    unit.changes.patch(INSTANCE, (instance,), values)
    renamed = [event.nodes for event in events if isinstance(event, InstanceMigrated)]
    _rename(unit, instance, renamed[0] if renamed else {})
    return report


def _target(unit: Unit, process: str, version: int | None) -> Any:
    definitions, session = unit.parts.definitions, unit.read()
    if version is None:
        return definitions.latest(session, "process", process)
    return definitions.numbered(session, "process", process, version)


def _rename(unit: Unit, instance: str, nodes: Mapping[str, str]) -> None:
    """The rows of what waits carry the ids of their elements."""
    if not nodes:
        return
    session = unit.write()
    for table in INSTANCE_ROWS:
        if "node" in table.names:
            rows = session.query(f"SELECT key, node FROM {table.name} WHERE instance=?", (instance,))
            for key, node in rows:
                if node in nodes:
                    unit.changes.patch(table, (instance, key), {"node": nodes[node]})


# ---- bulk -----------------------------------------------------------------------------------


def bulk(
    committer: Committer,
    instances: Iterable[str],
    action: Callable[[Unit, str], object],
    progress: Callable[[int], None],
) -> BulkReport:
    """Do ``action`` to each instance, fifty in a transaction; one's failure leaves only that one.

    What is stored stays stored, so an interrupted run is resumed by calling it again with those
    instances that still need it.
    """
    done: list[str] = []
    failed: dict[str, str] = {}
    pending = iter(instances)
    while given := list(islice(pending, BULK_GROUP)):
        group = [instance for instance in given if not unstorable(instance)]
        for instance in set(given).difference(group):
            failed[instance] = f"There is no instance {instance!r:.80}."
        outcomes = committer.run_all([_acting(action, instance) for instance in group], group)
        for instance, outcome in zip(group, outcomes, strict=True):
            if outcome.error is None:
                done.append(instance)
            elif isinstance(outcome.error, FlowkitError):
                failed[instance] = str(outcome.error)
            else:
                raise outcome.error
        progress(len(done) + len(failed))
    return BulkReport(tuple(done), failed)


def _acting(action: Callable[[Unit, str], object], instance: str) -> Callable[[Unit], object]:
    return lambda unit: action(unit, instance)


# ---- retention ------------------------------------------------------------------------------

_ENDED = f"SELECT id FROM {INSTANCE.name} WHERE ended IS NOT NULL AND ended<? "
_LEFT: tuple[Table, ...] = (*INSTANCE_ROWS, VARIABLE, RESTART, EVENT)


def clean_up(unit: Unit, before: datetime, process: str | None, limit: int) -> int:
    """Delete instances that ended before a time, with their history; how many (at most ``limit``).

    A called instance goes no sooner than its caller, so that no history refers to nothing.
    """
    sql = _ENDED + "AND (parent IS NULL OR NOT EXISTS (SELECT 1 FROM " + INSTANCE.name
    sql += f" p WHERE p.id={INSTANCE.name}.parent))"
    parameters: list[Any] = [micros(before)]
    if process is not None:
        sql += " AND process=?"
        parameters.append(process)
    session = unit.write()
    rows = session.query(f"{sql} ORDER BY ended LIMIT {int(limit)}", parameters)
    if rows:
        for table in _LEFT:
            session.run_many(f"DELETE FROM {table.name} WHERE instance=?", rows)
        session.run_many(f"DELETE FROM {INSTANCE.name} WHERE id=?", rows)
    return len(rows)
