"""PostgreSQL 13 and later, through psycopg 3: many workers on many machines.

An instance is locked by its row (``FOR UPDATE``) while it is stepped; what is due is claimed with
``SKIP LOCKED``. Writes whose results nobody waits for go through a pipeline, so a transaction costs
a few round trips however many rows it writes.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn
from psycopg.waiting import Ready, Wait

from flowkit.engine.sql.migrations import is_current, migrate_schema
from flowkit.engine.sql.schema import SQL_TYPES, TABLES
from flowkit.engine.store import Row, Session, WriteConflict, driver_connection, refusing
from flowkit.errors import InvalidPayload, OutcomeUnknown, StoreUnavailable

__all__ = ["PostgreSQLSession", "PostgreSQLStore"]

_RETRIABLE = (
    errors.UniqueViolation,
    errors.SerializationFailure,
    errors.DeadlockDetected,
)


FEW = 3
"""Rows that are updated or deleted one by one."""
_BY_INDEX = "; ".join(
    f"SET {name} TO off" for name in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit")
)
"""Transactions reach their rows by keys. On tables without statistics, as all are on the first day, the
planner would rather read the whole history at every step."""


OLDEST = 130_000
_PATIENCE = {
    "connect_timeout": 10, "tcp_user_timeout": 30_000, "keepalives_idle": 30, "keepalives_interval": 10,
    "keepalives_count": 3, "application_name": "flowkit",
}  # fmt: skip
"""How long to wait for a server that does not answer at all, unless the URL says otherwise: without it an
engine would hang for a quarter of an hour when the network loses its packets."""
_VIGILANCE = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
"""The same on the server's side: a machine that vanished in a transaction must not keep its locks for
hours."""


@lru_cache(maxsize=2048)
def _translate(sql: str) -> str:
    """``?`` becomes psycopg's ``%s``; flowkit's statements hold neither in a literal."""
    return sql.replace("%", "%%").replace("?", "%s")


@lru_cache(maxsize=256)
def _as_set(sql: str) -> str | None:
    """One statement that updates or deletes the rows of many parameter lists, given as one array a
    parameter; None for an INSERT, which would not gain by it."""
    match = _BY_KEY.fullmatch(sql)
    if match is None:
        return None
    verb, name, values, where = match.groups()
    names = [part.removesuffix("=?") for text in (values, where) if text for part in _PARTS.split(text)]
    types = _COLUMN_TYPES[name]
    arrays = ", ".join(f"%s::{types[column]}[]" for column in names)
    aliases = ", ".join(f"p{number}" for number in range(len(names)))
    changed = values.count("=?") if values else 0
    pairs = [f"{column}=v.p{number}" for number, column in enumerate(names)]
    keys = " AND ".join(f"t.{pair}" for pair in pairs[changed:])
    source = f"unnest({arrays}) v({aliases}) WHERE {keys}"
    if verb == "DELETE":
        return f"DELETE FROM {name} t USING {source}"
    return f"UPDATE {name} t SET {', '.join(pairs[:changed])} FROM {source}"


_BY_KEY = re.compile(
    r"(UPDATE|DELETE)(?: FROM)? (\w+)(?: SET ((?:\w+=\?,?)+))? WHERE ((?:\w+=\?(?: AND )?)+)"
)
_PARTS = re.compile(r",| AND ")
_COLUMN_TYPES = {
    table.name: {
        name: SQL_TYPES["postgresql"][kind].split()[0] for name, kind, *_ in map(str.split, table.columns)
    }
    for table in TABLES
}


class PostgreSQLSession:
    """Statements on one psycopg connection."""

    dialect = "postgresql"

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection: psycopg.Connection[Any] = connection
        self._reading = connection.cursor()
        self._writing = connection.cursor()  # of its own: results that are still on their way end up there

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._reading.execute(_translate(sql), parameters).fetchall()

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        self._writing.execute(_translate(sql), parameters)
        return -1  # it is on its way

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        together = _as_set(sql) if len(rows) > FEW else None
        if together is not None:
            self._writing.execute(together, [list(column) for column in zip(*rows, strict=True)])
            return
        self._writing.executemany(_translate(sql), rows)


class _Reader(PostgreSQLSession):
    """Outside transactions a query may be asked again, on a new connection when the old one is lost."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        super().__init__(connect())
        self._connect = connect

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        try:
            return super().query(sql, parameters)
        except psycopg.OperationalError:
            if not (self.connection.broken or self.connection.closed):
                raise
        PostgreSQLSession.__init__(self, self._connect())
        return super().query(sql, parameters)


class PostgreSQLStore:
    """One connection for transactions and one for reading; further engines bring their own."""

    dialect = "postgresql"
    lock = " FOR UPDATE"
    skip = " FOR UPDATE SKIP LOCKED"

    def __init__(self, url: str, durability: str = "full") -> None:
        self._url = "postgresql://" + url.partition("://")[2]
        self._durability = durability
        self._mutex = threading.RLock()
        self._read_mutex = threading.RLock()
        self._spare: list[psycopg.Connection[Any]] = []
        """Connections that were lent to handlers, and are idle."""
        with _translated():
            self._writer = self._connect_writer()
            self._reader = _Reader(self._connect)
            self._migrate()

    def _connect(self) -> psycopg.Connection[Any]:
        wanted: dict[str, Any] = {**_PATIENCE, **conninfo_to_dict(self._url)}
        connection = psycopg.connect(make_conninfo("", **wanted), autocommit=True, prepare_threshold=2)
        version = connection.info.server_version
        if version < OLDEST:
            connection.close()
            raise StoreUnavailable(
                f"flowkit needs PostgreSQL {OLDEST // 10_000} or later; this is {version // 10_000}."
            )
        settings = dict(_VIGILANCE)
        if self._durability == "normal":
            settings["synchronous_commit"] = "off"
        connection.execute("; ".join(f"SET {name} TO {value}" for name, value in settings.items()))
        return connection

    def _connect_writer(self) -> PostgreSQLSession:
        connection = self._connect()
        connection.execute(_BY_INDEX)
        return PostgreSQLSession(connection)

    def _migrate(self) -> None:
        if is_current(self._writer):
            return
        with self.transaction() as session:
            self.serialise(session, "flowkit:schema")
            migrate_schema(session)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self._mutex, _translated():
            if self._writer.connection.broken or self._writer.connection.closed:
                self._writer = self._connect_writer()
            session = self._writer
            try:
                with session.connection.pipeline() as pipeline:
                    yield from self._piped(session, pipeline)
            except psycopg.Error:
                # In a pipeline psycopg takes for prepared what it has sent, also when the server passed over
                # it after a failure, and would name statements for ever that do not exist.
                session.connection.close()
                raise

    def _piped(self, session: PostgreSQLSession, pipeline: psycopg.Pipeline) -> Iterator[Session]:
        session.run("BEGIN")
        committing = False
        try:
            yield session
            committing = True
            session.run("COMMIT")
            _sync(session, pipeline)
        except BaseException as error:
            lost = committing and session.connection.broken
            self._roll_back(session, pipeline)
            if lost and isinstance(error, psycopg.Error):
                raise OutcomeUnknown(
                    f"The connection to PostgreSQL was lost during a commit ({error}): the command "
                    "may have been stored, or not. Look before you give it again."
                ) from error
            raise

    def _roll_back(self, session: PostgreSQLSession, pipeline: psycopg.Pipeline) -> None:
        with suppress(psycopg.Error):  # the failure that is rolled back, seen again
            _sync(session, pipeline)
        try:
            session.run("ROLLBACK")
            _sync(session, pipeline)
        except psycopg.Error:
            session.connection.close()  # the next transaction connects anew

    @contextmanager
    def lending(self) -> Iterator[Session]:
        """On a connection of its own, without a pipeline: others go on meanwhile."""
        with _translated():
            connection, block = self._begun()
            try:
                with block:
                    yield PostgreSQLSession(connection)
            finally:
                if connection.broken or connection.closed:
                    connection.close()
                else:
                    self._spare.append(connection)

    def _begun(self) -> tuple[psycopg.Connection[Any], ExitStack]:
        """A connection with a transaction; spare ones may have been lost while nobody looked."""
        while True:
            try:
                connection, spare = self._spare.pop(), True
            except IndexError:
                connection, spare = self._connect(), False
            with ExitStack() as block:
                try:
                    block.enter_context(connection.transaction())
                except psycopg.OperationalError:
                    connection.close()
                    if not spare:
                        raise
                else:
                    return connection, block.pop_all()

    @contextmanager
    def reader(self) -> Iterator[Session]:
        with self._read_mutex, _translated(), refusing():
            yield self._reader

    def others_wrote(self, session: Session) -> bool:
        return True

    def tidy(self) -> None:
        """Nothing to do: the server looks after its log."""

    def serialise(self, session: Session, what: str) -> None:
        key = int.from_bytes(hashlib.blake2b(what.encode(), digest_size=8).digest(), "big", signed=True)
        session.run("SELECT pg_advisory_xact_lock(?)", (key,))

    def foreign(self, connection: Any) -> Session:
        raw = driver_connection(connection)
        if not isinstance(raw, psycopg.Connection):
            raise TypeError(
                "Expected a psycopg Connection (or SQLAlchemy's Connection or Session on psycopg) to the "
                f"engine's own PostgreSQL database, found {connection!r}."
            )
        if raw.autocommit and raw.info.transaction_status is TransactionStatus.IDLE:
            raise TypeError(
                "Expected a connection with a transaction to take part in, found one in autocommit mode: "
                "use 'with connection.transaction():', or autocommit=False."
            )
        return PostgreSQLSession(raw)

    def close(self) -> None:
        with self._mutex, self._read_mutex:
            self._reader.connection.close()
            self._writer.connection.close()
            while self._spare:
                self._spare.pop().close()


def _sync(session: PostgreSQLSession, pipeline: psycopg.Pipeline) -> None:
    """Wait for the answers of all that the pipeline has sent, when all of it is sent: psycopg writes once,
    and would wait for ever where the socket did not take everything at once."""
    session.connection.wait(_sent(session.connection.pgconn))
    pipeline.sync()


def _sent(connection: PGconn) -> Generator[Wait, Ready | int, None]:
    while connection.flush():
        if (yield Wait.RW) & Ready.R:
            connection.consume_input()  # the server may wait until its answers are taken
    yield Wait.W  # there is room for the mark that pipeline.sync() writes


@contextmanager
def _translated() -> Iterator[None]:
    """PostgreSQL's errors in flowkit's words."""
    try:
        yield
    except _RETRIABLE as error:
        raise WriteConflict(str(error)) from error
    except (psycopg.DataError, errors.ProgramLimitExceeded) as error:
        raise InvalidPayload(f"PostgreSQL can't hold what was given: {str(error)[:200]}.") from error
    except psycopg.Error as error:
        raise StoreUnavailable(
            f"PostgreSQL refused the transaction ({error}); the command was not acknowledged."
        ) from error
