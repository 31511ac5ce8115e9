"""SQLite's log is copied into the database file beside the commands, not within them."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from flowkit.engine import Engine
from flowkit.engine.sql.checkpoints import CHANGES, LONG_LOG, Checkpoints
from tests.engine.diagrams import row, user

PATIENCE = 60.0


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database whose content is still in its log."""
    return tmp_path / "log.db"


def _writer(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    return connection


def test_the_log_is_copied_by_another_thread(database: Path) -> None:
    copied = threading.Event()
    threads = []

    class Noting(sqlite3.Connection):
        def execute(self, *arguments: object) -> sqlite3.Cursor:  # type: ignore[override]
            cursor = super().execute(*arguments)  # type: ignore[arg-type]
            threads.append(threading.current_thread().name)
            copied.set()
            return cursor

    writer = _writer(database)
    before = database.stat().st_size
    checkpoints = Checkpoints(lambda: sqlite3.connect(database, factory=Noting))
    assert checkpoints.at == CHANGES
    checkpoints.copy(CHANGES + 5)
    assert checkpoints.at == 2 * CHANGES + 5
    assert copied.wait(PATIENCE)
    checkpoints.close()
    assert threads == ["flowkit-checkpoints"]
    assert database.stat().st_size >= before + 100_000
    writer.close()


def test_a_checkpoint_that_fails_disturbs_nobody(database: Path) -> None:
    tried = threading.Semaphore(0)

    class Refusing(sqlite3.Connection):
        def execute(self, *arguments: object) -> sqlite3.Cursor:  # type: ignore[override]
            tried.release()
            raise sqlite3.OperationalError("database or disk is full")

    checkpoints = Checkpoints(lambda: sqlite3.connect(database, factory=Refusing))
    for changes in (1000, 2000):  # it goes on after the first failure
        checkpoints.copy(changes)
        assert tried.acquire(timeout=PATIENCE)
    checkpoints.close()


def test_an_engine_copies_its_log_and_stops_with_it(tmp_path: Path) -> None:
    path = tmp_path / "flowkit.db"
    with Engine(f"sqlite:///{path}", durability="normal") as engine:
        engine.deploy({"p.bpmn": row("p", user("u"))})
        assert not _running(), "a few commands need no thread"
        engine.committer.run_all([engine.starting("p") for _ in range(CHANGES)])
        assert _running()
        with engine.store.transaction() as session:
            [(pages,)] = session.query("PRAGMA wal_autocheckpoint")
            assert pages == LONG_LOG, "commits take part only when the thread can't keep up"
    assert not _running()


def test_a_database_in_memory_has_no_log() -> None:
    with Engine("memory:") as engine:
        engine.deploy({"p.bpmn": row("p", user("u"))})
        engine.committer.run_all([engine.starting("p") for _ in range(CHANGES)])
        assert not _running()


def _running() -> bool:
    return any(thread.name == "flowkit-checkpoints" for thread in threading.enumerate())
