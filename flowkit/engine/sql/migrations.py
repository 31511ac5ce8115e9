"""Bringing a database to the schema of this version."""

from __future__ import annotations

from collections.abc import Callable

from flowkit.engine.sql.schema import SCHEMA_VERSION, ddl
from flowkit.engine.store import Session
from flowkit.errors import StoreUnavailable

__all__ = ["MIGRATIONS", "migrate_schema", "schema_version"]

MIGRATIONS: dict[int, Callable[[Session], None]] = {}
"""From schema version ``n`` to ``n + 1``; a released one is never changed."""


def schema_version(session: Session) -> int:
    """The version of the schema in the database; 0 when flowkit was never here."""
    if session.dialect == "sqlite":
        found = session.query("SELECT 1 FROM sqlite_master WHERE type='table' AND name='flowkit_meta'")
    else:
        found = session.query("SELECT 1 WHERE to_regclass('flowkit_meta') IS NOT NULL")
    if not found:
        return 0
    rows = session.query("SELECT value FROM flowkit_meta WHERE name='schema'")
    return int(rows[0][0]) if rows else 0


def migrate_schema(session: Session) -> None:
    """Create the schema, or migrate it step by step; raises StoreUnavailable for a newer one."""
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
