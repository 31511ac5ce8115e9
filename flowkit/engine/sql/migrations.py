"""Bringing a database to the schema of this version.

To change a schema that was released: raise ``SCHEMA_VERSION``, change the tables, write the step from
the version before, and record the new one with ``python -m tests.engine.recorded``. The recordings of
released versions stay, so that every one of them is opened by the tests for ever.
"""

from __future__ import annotations

from collections.abc import Callable

from flowkit.engine.sql.schema import SCHEMA_VERSION, ddl
from flowkit.engine.store import Session
from flowkit.errors import StoreUnavailable

__all__ = ["MIGRATIONS", "is_current", "migrate_schema", "schema_version"]

MIGRATIONS: dict[int, Callable[[Session], None]] = {}
"""From schema version ``n`` to ``n + 1``; a released one is never changed."""


def schema_version(session: Session) -> int:
    """The version of the schema in the database; 0 when flowkit was never here."""
    if session.dialect == "sqlite":
        found = session.query("SELECT 1 FROM sqlite_master WHERE type='table' AND name='flowkit_meta'")
    else:
        # Not to_regclass: it may answer from a cache that is older than the lock we waited for.
        found = session.query(
            "SELECT 1 FROM pg_catalog.pg_tables "
            "WHERE tablename='flowkit_meta' AND schemaname=ANY(current_schemas(false))"
        )
    if not found:
        return 0
    rows = session.query("SELECT value FROM flowkit_meta WHERE name='schema'")
    return int(rows[0][0]) if rows else 0


def is_current(session: Session) -> bool:
    """Whether the database has the schema of this version."""
    return schema_version(session) == SCHEMA_VERSION


def migrate_schema(session: Session) -> None:
    """Create the schema, or migrate it step by step; raises StoreUnavailable for a newer one.

    To be called inside a transaction that nobody else can migrate beside: all of it happens, or nothing.
    """
    version = schema_version(session)
    if version > SCHEMA_VERSION:
        raise StoreUnavailable(
            f"The database has schema version {version}; this flowkit knows up to {SCHEMA_VERSION}. "
            "Use the flowkit version that wrote it, or a newer one."
        )
    if version == SCHEMA_VERSION:
        return
    if version == 0:
        for statement in ddl(session.dialect):
            session.run(statement)
        session.run("INSERT INTO flowkit_meta (name, value) VALUES ('schema', ?)", (str(SCHEMA_VERSION),))
        return
    for number in range(version, SCHEMA_VERSION):
        MIGRATIONS[number](session)
    session.run("UPDATE flowkit_meta SET value=? WHERE name='schema'", (str(SCHEMA_VERSION),))
