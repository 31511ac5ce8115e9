"""SQLite: one file, one writer at a time, any number of processes. ``memory:`` is the same, unsaved."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import unquote

from flowkit.engine.sql.migrations import is_current, migrate_schema
from flowkit.engine.store import Row, Session, WriteConflict, driver_connection, refusing
from flowkit.errors import EngineClosed, StoreUnavailable

__all__ = ["SQLiteSession", "SQLiteStore"]

BUSY_SECONDS = 30.0
"""How long a transaction waits for another process's one."""
CHANGES = 600
"""Changed rows after which the log is worth being copied: half of what makes SQLite do it in a commit."""
_DATA_VERSION = "PRAGMA data_version"


class SQLiteSession:
    """Statements on one sqlite3 connection."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection: Any = connection
        self._cursor = connection.cursor()
        self._execute = self._cursor.execute

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._execute(sql, parameters).fetchall()

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return self._execute(sql, parameters).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if len(rows) == 1:
            self._execute(sql, rows[0])
        else:
            self._cursor.executemany(sql, rows)


class LentConnection(sqlite3.Connection):
    """While it is ``lent`` to a handler the transaction is not the handler's to end: ``with connection:``
    is a savepoint, and ``commit`` and ``rollback`` are refused."""

    lent = False

    def commit(self) -> None:
        self._refuse()
        super().commit()

    def rollback(self) -> None:
        self._refuse()
        super().rollback()

    def __enter__(self) -> Self:
        if self.lent:
            self.execute("SAVEPOINT block")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if not self.lent:
            return super().__exit__(kind, error, trace)
        if error is not None:
            self.execute("ROLLBACK TO SAVEPOINT block")
        self.execute("RELEASE SAVEPOINT block")
        return False

    def _refuse(self) -> None:
        if self.lent:
            raise sqlite3.ProgrammingError(
                "The transaction is the step's: leave its end to flowkit, which commits what a handler wrote "
                "when the handler returns and rolls it back when it raises."
            )


class SQLiteStore:
    """Write-ahead log, ``BEGIN IMMEDIATE`` for every transaction: two engines never overwrite."""

    dialect = "sqlite"
    lock = ""
    skip = ""

    def __init__(self, url: str, durability: str = "full") -> None:
        self.path = _path(url)
        self._memory = self.path == ":memory:"
        self._mutex = threading.RLock()
        self._read_mutex = self._mutex if self._memory else threading.RLock()
        self._tidied = 0
        with _translated(self._obstacle):
            self._writer = SQLiteSession(self._connect(durability))
            self._version = self._writer.connection.cursor().execute
            self._transaction = _Transaction(self._writer, self._mutex)
            self._migrate()
            self._data_version: int = self._version(_DATA_VERSION).fetchone()[0]
            self._reader = self._writer if self._memory else SQLiteSession(self._connect(durability))

    def _obstacle(self) -> str:
        """What SQLite does not say when it can't open the file."""
        path = Path(self.path)
        if self._memory or path.is_file():
            return ""
        if path.exists():
            return f"{path} is no file"
        return "" if path.parent.is_dir() else f"there is no folder {path.parent}"

    def _connect(self, durability: str) -> LentConnection:
        connection = sqlite3.connect(
            self.path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
            factory=LentConnection,
        )
        if not self._memory:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={'FULL' if durability == 'full' else 'NORMAL'}")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA cache_size=-65536")
        return connection

    def _migrate(self) -> None:
        if not is_current(self._writer):
            with self.transaction() as session:
                migrate_schema(session)

    def transaction(self) -> _Transaction:
        return self._transaction

    @contextmanager
    def lending(self) -> Iterator[Session]:
        with self.transaction() as session:
            session.connection.lent = True
            try:
                yield session
            finally:
                session.connection.lent = False

    @contextmanager
    def reader(self) -> Iterator[Session]:
        with self._read_mutex, _translated(), refusing():
            yield self._reader

    def others_wrote(self, session: Session) -> bool:
        if self._memory:
            return False
        if session is not self._writer:
            return True
        version: int = self._version(_DATA_VERSION).fetchone()[0]
        if version == self._data_version:
            return False
        self._data_version = version
        return True

    def tidy(self) -> None:
        changes = self._writer.connection.total_changes
        if changes - self._tidied >= CHANGES:
            self._tidied = changes
            with self._mutex, suppress(sqlite3.Error):  # another engine is at it, or the disk is full
                self._writer.query("PRAGMA wal_checkpoint(PASSIVE)")

    def serialise(self, session: Session, what: str) -> None:
        """Nothing to do: there is one writer."""

    def foreign(self, connection: Any) -> Session:
        raw = driver_connection(connection)
        if not isinstance(raw, sqlite3.Connection):
            raise TypeError(
                "Expected a sqlite3.Connection (or SQLAlchemy's Connection or Session) to the engine's own "
                f"SQLite database, found {connection!r}."
            )
        if not raw.in_transaction:
            raw.execute("BEGIN IMMEDIATE")
        return SQLiteSession(raw)

    def close(self) -> None:
        with self._mutex, self._read_mutex:
            self._reader.connection.close()
            self._writer.connection.close()


def _path(url: str) -> str:
    if url in ("memory:", "sqlite:", "sqlite://", "sqlite:///:memory:"):
        return ":memory:"
    head, separator, path = url.partition(":///")
    if not separator or not path or not head.startswith("sqlite"):
        raise ValueError(f"Expected sqlite:///relative/path or sqlite:////absolute/path, found {url!r}.")
    if "?" in path:
        raise ValueError(f"Expected a path without options (a ? in its name as %3F), found {url!r}.")
    return unquote(path)


class _Transaction:
    """A class, not a generator: this is on the path of every command."""

    __slots__ = ("_execute", "_mutex", "_session")

    def __init__(self, session: SQLiteSession, mutex: threading.RLock) -> None:
        self._session = session
        self._execute = session.connection.cursor().execute
        self._mutex = mutex

    def __enter__(self) -> Session:
        self._mutex.acquire()
        try:
            self._execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._roll_back()
            self._mutex.release()
            if isinstance(error, sqlite3.Error):
                raise _translation(error) from error
            raise
        return self._session

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._execute("COMMIT")
        except BaseException as refused:  # an interrupt too must leave no transaction open
            self._roll_back()
            if isinstance(refused, sqlite3.Error):
                raise _translation(refused) from refused
            raise
        finally:
            if error is not None:
                self._roll_back()
            self._mutex.release()
        if isinstance(error, sqlite3.Error):
            raise _translation(error) from error

    def _roll_back(self) -> None:
        if self._session.connection.in_transaction:
            self._session.run("ROLLBACK")


def _unexplained() -> str:
    return ""


@contextmanager
def _translated(obstacle: Callable[[], str] = _unexplained) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _translation(error, obstacle()) from error


def _translation(error: sqlite3.Error, obstacle: str = "") -> Exception:
    """SQLite's error in flowkit's words; ``obstacle`` is known better than SQLite tells it."""
    if isinstance(error, sqlite3.IntegrityError):
        return WriteConflict(str(error))
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
        return EngineClosed("The engine is closed; make a new one to go on.")
    return StoreUnavailable(
        f"SQLite refused the transaction ({obstacle or error}); nothing of it was stored. "
        "Check the path, its permissions, free disk space, and who else holds the file."
    )
