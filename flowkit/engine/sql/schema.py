"""The tables, as data; statements and DDL are made from them.

Descriptors of our own instead of SQLAlchemy's: importing SQLAlchemy costs more time than running a
whole process does, and the statements of the hot path would be plain text for the driver anyway.

Times are microseconds since 1970 (UTC). JSON is kept as bytes. ``active`` is 0 while the instance
is suspended, so that nothing of it is claimed, fired or correlated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from operator import itemgetter
from typing import Any

__all__ = ["INSTANCE_ROWS", "SCHEMA_VERSION", "SQL_TYPES", "TABLES", "Table", "ddl"]

SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False)
class Table:
    """``columns`` are ``name type``; types are text, int, blob. ``key`` is the primary key.

    Tables are equal only when they are identical, which makes them cheap keys of dictionaries.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    """``[unique ](columns) [where …]``, one an index."""
    clustered: bool = False
    """Rows are kept in key order (SQLite's WITHOUT ROWID): for small rows read by a key's prefix."""
    succession: tuple[str, ...] = ()
    """Columns in which the row of an instance's wait usually differs from the row of the wait before it:
    setting them is cheaper than deleting the one row and inserting the other."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.split()[0] for column in self.columns)

    @cached_property
    def position(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}

    @cached_property
    def insert(self) -> str:
        marks = ",".join("?" * len(self.names))
        return f"INSERT INTO {self.name} ({','.join(self.names)}) VALUES ({marks})"

    @cached_property
    def succeeding(self) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        """A row's values of ``succession``."""
        return itemgetter(*(self.position[name] for name in self.succession))

    @cached_property
    def lasting(self) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        """A row's values of the other columns."""
        return itemgetter(*(self.position[name] for name in self.names if name not in self.succession))

    @cache  # noqa: B019 tables live as long as the module
    def delete(self, columns: int) -> str:
        """Delete by the first ``columns`` columns of the key."""
        where = " AND ".join(f"{name}=?" for name in self.key[:columns])
        return f"DELETE FROM {self.name} WHERE {where}"

    @cache  # noqa: B019
    def update(self, columns: tuple[str, ...]) -> str:
        where = " AND ".join(f"{name}=?" for name in self.key)
        return f"UPDATE {self.name} SET {','.join(f'{name}=?' for name in columns)} WHERE {where}"


META = Table("flowkit_meta", ("name text", "value text"), ("name",))
RESOURCE = Table("flowkit_resource", ("digest text", "name text", "content blob"), ("digest",))
DEPLOYMENT = Table("flowkit_deployment", ("id text", "at int"), ("id",))
MEMBER = Table(
    "flowkit_member",
    ("deployment text", "kind text", "id text", "version int"),
    ("deployment", "kind", "id"),
    clustered=True,
)
DEFINITION = Table(
    "flowkit_definition",
    (
        "kind text",
        "id text",
        "version int",
        "name text",
        "digest text",
        "version_tag text",
        "deployment text",
        "resource text",
        "at int",
    ),
    ("kind", "id", "version"),
    ("(digest)",),
)
START_TRIGGER = Table(
    "flowkit_start_trigger",
    ("process text", "node text", "kind text", "name text"),
    ("process", "node", "kind", "name"),
    ("(kind, name)",),
)
START_TIMER = Table(
    "flowkit_start_timer",
    ("process text", "node text", "part int", "due int", "state blob"),
    ("process", "node", "part"),
    ("(due)",),
)
ARRIVAL = Table(
    "flowkit_arrival",
    (
        "id text",
        "process text",
        "node text",
        "cause text",
        "correlation_key text",
        "keyed int",
        "variables blob",
        "at int",
    ),
    ("id",),
    ("(process, node, cause, correlation_key, id)",),
)
INSTANCE = Table(
    "flowkit_instance",
    (  # state is that after the first ``snapshot`` events; revision tells how many there were when the
        # row was last written, which is at every step only where rows are locked
        "id text",
        "process text",
        "version int",
        "digest text",
        "deployment text",
        "business_key text null",
        "status text",
        "parent text null",
        "parent_call int null",
        "depth int",
        "message_key text null",
        "started int",
        "ended int null",
        "outcome text null",
        "revision int",
        "snapshot int",
        "state blob",
    ),
    ("id",),
    (
        "(process, status, id)",
        "(status, id)",
        "(business_key) where business_key is not null",
        "(parent) where parent is not null",
        "(ended) where ended is not null",
        "unique (process, message_key) where message_key is not null and ended is null",
    ),
)
EVENT = Table(  # not clustered: what a group of commands appends stands together, on few pages
    "flowkit_event",
    ("instance text", "seq int", "at int", "data blob"),
    ("instance", "seq"),
)
JOB = Table(
    "flowkit_job",
    (
        "instance text",
        "key int",
        "type text",
        "node text",
        "process text",
        "retries int",
        "attempt int",
        "priority int",
        "state text",
        "at int",
        "worker text null",
        "headers blob",
        "created int",
        "active int",
    ),
    ("instance", "key"),
    (
        "(type, process, priority desc, at) where state = 'ready' and active = 1",
        "(at) where state in ('waiting', 'leased')",
    ),
    clustered=True,
)
TIMER = Table(
    "flowkit_timer",
    ("instance text", "key int", "node text", "process text", "due int", "active int"),
    ("instance", "key"),
    ("(due) where active = 1",),
    clustered=True,
)
SUBSCRIPTION = Table(
    "flowkit_subscription",
    (
        "instance text",
        "key int",
        "kind text",
        "name text",
        "correlation_key text",
        "node text",
        "process text",
        "opened int",
        "active int",
    ),
    ("instance", "key"),
    ("(kind, name, correlation_key)",),
    clustered=True,
)
USER_TASK = Table(  # what nobody looks for is JSON: candidates as offered (groups, users, follow-up), detail
    "flowkit_user_task",
    (
        "instance text",
        "key int",
        "node text",
        "process text",
        "assignee text null",
        "due int null",
        "priority int",
        "candidates blob",
        "detail blob",
        "created int",
    ),
    ("instance", "key"),
    ("(process, node)", "(assignee) where assignee is not null"),
    clustered=True,
    succession=("key", "node", "detail", "created"),
)
CANDIDATE = Table(
    "flowkit_candidate",
    ("instance text", "key int", "kind text", "name text"),
    ("instance", "key", "kind", "name"),
    ("(kind, name)",),
    clustered=True,
)
INCIDENT = Table(
    "flowkit_incident",
    (
        "instance text",
        "key int",
        "kind text",
        "node text",
        "process text",
        "message text",
        "details text",
        "subject int",
        "created int",
    ),
    ("instance", "key"),
    ("(created)", "(process, node)"),
)
MESSAGE = Table(
    "flowkit_message",
    (
        "id text",
        "name text",
        "correlation_key text",
        "message_id text null",
        "variables blob",
        "published int",
        "expires int",
    ),
    ("id",),
    ("(name, correlation_key, id)", "(expires)"),
)
MESSAGE_SEEN = Table(
    "flowkit_message_seen", ("message_id text", "expires int"), ("message_id",), ("(expires)",)
)
DATA_STORE = Table("flowkit_data_store", ("name text", "content blob", "at int"), ("name",))
RESTART = Table(  # written by restarts alone, so that starting an instance costs nothing for it
    "flowkit_restart", ("instance text", "origin text"), ("instance",), ("(origin)",), clustered=True
)
POSTPONED = Table(
    "flowkit_postponed",
    ("id text", "instance text", "waits_for text null", "event blob"),
    ("id",),
    ("(id) where waits_for is null", "(waits_for) where waits_for is not null"),
)
VARIABLE = Table(
    "flowkit_variable",
    ("instance text", "name text", "process text", "value text"),
    ("instance", "name"),
    ("(process, name, value)",),
    clustered=True,
)
OUTBOX = Table(
    "flowkit_outbox",
    (
        "id text",
        "kind text",
        "key text",
        "instance text",
        "process text",
        "node text",
        "payload blob",
        "attempt int",
        "attempts int null",
        "due int",
        "failed int",
        "error text",
        "created int",
    ),
    ("id",),
    ("(kind, due) where failed = 0", "(created) where failed = 1", "(instance)"),
)

TABLES = (
    META,
    RESOURCE,
    DEPLOYMENT,
    MEMBER,
    DEFINITION,
    START_TRIGGER,
    START_TIMER,
    ARRIVAL,
    INSTANCE,
    EVENT,
    JOB,
    TIMER,
    SUBSCRIPTION,
    USER_TASK,
    CANDIDATE,
    INCIDENT,
    MESSAGE,
    MESSAGE_SEEN,
    DATA_STORE,
    POSTPONED,
    OUTBOX,
    VARIABLE,
    RESTART,
)
INSTANCE_ROWS = (JOB, TIMER, SUBSCRIPTION, USER_TASK, CANDIDATE, INCIDENT)
"""What a live instance has rows in; all are gone when it ends."""

SQL_TYPES = {
    "sqlite": {"text": "TEXT", "int": "INTEGER", "blob": "BLOB"},
    "postgresql": {"text": 'TEXT COLLATE "C"', "int": "BIGINT", "blob": "BYTEA"},
}


def _column(column: str, types: dict[str, str]) -> str:
    name, kind, *null = column.split()
    return f"{name} {types[kind]}{'' if null else ' NOT NULL'}"


def ddl(dialect: str) -> list[str]:
    """The statements that create schema version ``SCHEMA_VERSION`` in an empty database."""
    types = SQL_TYPES[dialect]
    statements = []
    for table in TABLES:
        columns = ", ".join(_column(column, types) for column in table.columns)
        tail = " WITHOUT ROWID" if table.clustered and dialect == "sqlite" else ""
        statements.append(
            f"CREATE TABLE IF NOT EXISTS {table.name} ({columns}, PRIMARY KEY ({', '.join(table.key)})){tail}"
        )
        for number, index in enumerate(table.indexes):
            unique = "UNIQUE " if index.startswith("unique ") else ""
            body = index.removeprefix("unique ")
            statements.append(
                f"CREATE {unique}INDEX IF NOT EXISTS {table.name}_{number} ON {table.name} {body}"
            )
    return statements
