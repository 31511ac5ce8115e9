"""What the engine needs of a database: sessions that run SQL, and one transaction at a time.

Statements use ``?`` for parameters everywhere; a store for another driver translates them. Every
store passes the same suite (``tests/engine/test_store.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from flowkit.errors import NotFound

__all__ = ["Row", "Session", "Store", "WriteConflict", "driver_connection", "open_store", "refusing"]

Row = tuple[Any, ...]


class WriteConflict(Exception):
    """Another engine changed the same rows first: the transaction is undone and to be run again."""


class Session(Protocol):
    """Statements inside a transaction (or, of a reader, outside one); ``connection`` is the driver's."""

    dialect: str
    connection: Any

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows that a SELECT (or RETURNING) gives."""
        ...

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Execute a statement; how many rows it changed, or -1 where that is not waited for."""
        ...

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute a statement once a row."""
        ...


class Store(Protocol):
    """A database with flowkit's schema in it.

    ``lock`` ends a SELECT whose rows the transaction is going to change, ``skip`` one that takes
    only rows that nobody else holds; both are empty where there is one writer.
    """

    dialect: str
    lock: str
    skip: str

    def transaction(self) -> AbstractContextManager[Session]:
        """One durable transaction: committed at the end, undone by an exception.

        Raises WriteConflict when it is to be tried again, StoreUnavailable when the database fails.
        """
        ...

    def lending(self) -> AbstractContextManager[Session]:
        """A durable transaction like :meth:`transaction`, whose driver's connection is lent to
        handlers: they may write with it, and can't end it."""
        ...

    def reader(self) -> AbstractContextManager[Session]:
        """Read what is committed."""
        ...

    def others_wrote(self, session: Session) -> bool:
        """Whether anybody else may have written since this store's last transaction."""
        ...

    def tidy(self) -> None:
        """Between transactions: do what would otherwise be done within one and make it slow."""
        ...

    def serialise(self, session: Session, what: str) -> None:
        """Let no two transactions that name the same ``what`` run at the same time."""
        ...

    def foreign(self, connection: Any) -> Session:
        """A session in a transaction of the application's own SQLAlchemy or driver connection.

        Raises TypeError for anything else, or a connection that has no transaction to take part in.
        """
        ...

    def close(self) -> None: ...


@contextmanager
def refusing() -> Iterator[None]:
    """What no row can hold, half a character or a number beyond 64 bits, is asked for in vain: NotFound."""
    try:
        yield
    except (UnicodeEncodeError, OverflowError) as error:
        raise NotFound(f"The database can't hold what was asked for: {str(error)[:200]}.") from error


def driver_connection(given: Any) -> Any:
    """The driver's connection behind SQLAlchemy's Connection or Session; anything else as it is."""
    inner = getattr(given, "connection", None)
    if callable(inner):  # a Session
        inner = getattr(inner(), "connection", None)
    return getattr(inner, "driver_connection", given)


def open_store(url: str, *, durability: str = "full") -> Store:
    """The store that ``url`` names: ``memory:``, ``sqlite:///path`` or ``postgresql://…``.

    ``durability``: *full* survives power loss; *normal* may lose the last commits when the power
    or the operating system fails (never when only the process dies), and nothing is ever torn.
    Raises ValueError for another URL or level, ModuleNotFoundError where the driver is not installed.
    """
    if durability not in ("full", "normal"):
        raise ValueError(f"durability is 'full' or 'normal', found {durability!r}.")
    scheme = url.partition(":")[0].partition("+")[0]
    opener = _OPENERS.get(scheme)
    if opener is None:
        raise ValueError(f"Expected memory:, sqlite:///path or postgresql://host/database, found {url!r}.")
    return opener(url, durability)


def _sqlite(url: str, durability: str) -> Store:
    from flowkit.engine.sql.sqlite import SQLiteStore  # noqa: PLC0415 only the store that is used

    return SQLiteStore(url, durability)


def _postgresql(url: str, durability: str) -> Store:
    try:
        from flowkit.engine.sql.postgresql import PostgreSQLStore  # noqa: PLC0415 psycopg is an extra
    except ModuleNotFoundError as error:
        text = f"PostgreSQL needs the package {error.name}: pip install 'flowkit[postgres]'"
        raise ModuleNotFoundError(text, name=error.name) from None

    return PostgreSQLStore(url, durability)


_OPENERS: dict[str, Callable[[str, str], Store]] = {
    "memory": _sqlite,
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "postgres": _postgresql,
}
