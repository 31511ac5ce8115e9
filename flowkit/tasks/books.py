"""Where the ready-made handlers keep what they know: a small port with two implementations.

*Books* are collections of JSON records by kind and key, changed in transactions. They make the
standard handlers usable from the first minute, in memory or in a SQL database; a company replaces
single handlers by ones that speak to its own systems.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from flowkit.errors import InvalidPayload, StoreUnavailable

if TYPE_CHECKING:
    import sqlalchemy

    from flowkit.tasks.context import TaskContext

__all__ = ["Books", "MemoryBooks", "Page", "SqlBooks", "once"]

Record = dict[str, Any]
MAX_KIND = 200
MAX_KEY = 400
"""Characters of a key; the same in memory and in SQL, so that tests find what production would."""


def _check_key(kind: str, key: str) -> None:
    """Raises InvalidPayload for names that not every database can store."""
    for name, text, most in (("kind", kind, MAX_KIND), ("key", key, MAX_KEY)):
        if len(text) > most:
            problem = f"expected at most {most} characters, found {len(text):,}"
        elif "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            problem = "expected text, found a character that no database stores"
        else:
            continue
        raise InvalidPayload(f"the {name} of a record: {problem}", [(f"/{name}", problem)])


def _as_json(record: Mapping[str, Any]) -> str:
    data = json.dumps(dict(record), ensure_ascii=False)
    if any("\ud800" <= letter <= "\udfff" for letter in data):
        data = json.dumps(dict(record))
    return data


class Page(Protocol):
    """Books inside one transaction."""

    def get(self, kind: str, key: str) -> Record | None:
        """The record, or None."""

    def put(self, kind: str, key: str, record: Mapping[str, Any]) -> None:
        """Store or replace the record."""

    def items(self, kind: str) -> list[tuple[str, Record]]:
        """Every record of ``kind``, by key."""


class Books(Protocol):
    """A store of records; one transaction at a time changes it."""

    def transaction(self) -> AbstractContextManager[Page]:
        """Open a transaction: all of it is kept, or nothing if the block raises."""


class MemoryBooks:
    """Books in this process, gone when it ends: for tests, simulation and first steps."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Record]] = {}
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[Page]:
        """See :class:`Books`."""
        with self._lock:
            page = _MemoryPage(self._kinds)
            yield page
            for (kind, key), record in page.changes.items():
                self._kinds.setdefault(kind, {})[key] = record


class _MemoryPage:
    def __init__(self, kinds: Mapping[str, Mapping[str, Record]]) -> None:
        self._kinds = kinds
        self.changes: dict[tuple[str, str], Record] = {}

    def get(self, kind: str, key: str) -> Record | None:
        _check_key(kind, key)
        found = self.changes.get((kind, key)) or self._kinds.get(kind, {}).get(key)
        return copy.deepcopy(found)

    def put(self, kind: str, key: str, record: Mapping[str, Any]) -> None:
        _check_key(kind, key)
        self.changes[kind, key] = copy.deepcopy(dict(record))

    def items(self, kind: str) -> list[tuple[str, Record]]:
        merged = dict(self._kinds.get(kind, {}))
        merged |= {key: record for (owner, key), record in self.changes.items() if owner == kind}
        return [(key, copy.deepcopy(merged[key])) for key in sorted(merged)]


class SqlBooks:
    """Books in one table, ``flowkit_books``, of a SQLite or PostgreSQL database.

    ``url`` is a SQLAlchemy URL or engine. The table is made when it is missing. Raises
    StoreUnavailable where the database can't be reached or stays locked.
    """

    def __init__(self, url: str | sqlalchemy.Engine) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 heavy

        self._sa = sa
        self._engine = sa.create_engine(url) if isinstance(url, str) else url
        self._sqlite = self._engine.dialect.name == "sqlite"
        metadata = sa.MetaData()
        self._table = sa.Table(
            "flowkit_books",
            metadata,
            sa.Column("kind", sa.String(200), primary_key=True),
            sa.Column("key", sa.String(400), primary_key=True),
            sa.Column("data", sa.Text, nullable=False),
        )
        try:
            metadata.create_all(self._engine)
        except sa.exc.SQLAlchemyError as error:
            raise StoreUnavailable(f"the books at {self._engine.url!r} can't be opened: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[Page]:
        """See :class:`Books`. Writers wait for each other: an update lock is taken at the beginning."""
        sa = self._sa
        try:
            with self._engine.connect() as connection:
                if self._sqlite:
                    connection.exec_driver_sql("PRAGMA busy_timeout = 10000")
                    connection.commit()
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                else:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(0x666C6F77)))
                yield _SqlPage(sa, connection, self._table)
                connection.commit()
        except sa.exc.OperationalError as error:
            raise StoreUnavailable(
                f"the books at {self._engine.url!r} did not take the change: {error}"
            ) from error

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


class _SqlPage:
    def __init__(self, sa: Any, connection: sqlalchemy.Connection, table: sqlalchemy.Table) -> None:
        self._sa, self._connection, self._table = sa, connection, table

    def _where(self, kind: str, key: str) -> Any:
        return self._sa.and_(self._table.c.kind == kind, self._table.c.key == key)

    def get(self, kind: str, key: str) -> Record | None:
        _check_key(kind, key)
        query = self._sa.select(self._table.c.data).where(self._where(kind, key))
        data = self._connection.execute(query).scalar()
        return None if data is None else dict(json.loads(data))

    def put(self, kind: str, key: str, record: Mapping[str, Any]) -> None:
        _check_key(kind, key)
        data = _as_json(record)
        update = self._table.update().where(self._where(kind, key)).values(data=data)
        if not self._connection.execute(update).rowcount:
            self._connection.execute(self._table.insert().values(kind=kind, key=key, data=data))

    def items(self, kind: str) -> list[tuple[str, Record]]:
        table = self._table
        query = self._sa.select(table.c.key, table.c.data).where(table.c.kind == kind).order_by(table.c.key)
        return [(key, json.loads(data)) for key, data in self._connection.execute(query)]


def once(books: Books, ctx: TaskContext, work: Callable[[Page], Record]) -> Record:
    """Do ``work`` in a transaction, or give the result of the time when this job did it already.

    Jobs are done at least once; the job's id, kept beside the change, makes the change happen once.
    """
    with books.transaction() as page:
        before = page.get("job", ctx.job_id)
        if before is not None:
            return before
        result = work(page)
        page.put("job", ctx.job_id, result)
        return result
