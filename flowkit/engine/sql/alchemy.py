"""SQLAlchemy on a transaction that is open already: its Connection and Session for handlers.

What SQLAlchemy calls commit and rollback are savepoints here, so that code which uses them works as
it is written, while nothing is stored before the step is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

__all__ = ["lent"]

_BEGIN = "SAVEPOINT handler"
_COMMIT = "RELEASE SAVEPOINT handler"
_ROLLBACK = "ROLLBACK TO SAVEPOINT handler"

_thread = threading.local()
"""The driver's connection that this thread has borrowed."""


@contextmanager
def lent(dialect: str, raw: Any, session_class: Any = None) -> Iterator[Any]:
    """A SQLAlchemy Connection, or a ``session_class``, on the driver's connection ``raw``."""
    raw.execute(_BEGIN)
    _thread.raw = raw
    try:
        with _engine(dialect).connect() as connection:
            if session_class is None:
                yield connection
                connection.commit()
            else:
                with session_class(bind=connection, join_transaction_mode="create_savepoint") as session:
                    yield session
                    session.commit()
                connection.commit()
    finally:
        del _thread.raw


@cache
def _engine(dialect: str) -> Any:
    """One engine a dialect: making one costs milliseconds. Its pool opens and closes nothing."""
    import sqlalchemy  # noqa: PLC0415 heavy, and only for handlers that ask for it

    options: dict[str, Any] = {"creator": lambda: _thread.raw, "poolclass": sqlalchemy.pool.NullPool}
    if dialect == "postgresql":
        engine = sqlalchemy.create_engine("postgresql+psycopg://", use_native_hstore=False, **options)
    else:
        engine = sqlalchemy.create_engine("sqlite://", **options)
    held: Any = engine.dialect
    held.do_commit = _commit
    held.do_rollback = lambda raw: raw.execute(_ROLLBACK)
    held.do_close = lambda raw: None
    held.do_terminate = held.do_close
    return engine


def _commit(raw: Any) -> None:
    raw.execute(_COMMIT)
    raw.execute(_BEGIN)
