"""SQLite's checkpoints, on a thread of their own: no command waits while the log is copied.

SQLite would copy its write-ahead log into the database file within the commit that made the log long,
which takes that commit several times as long as others. Another connection can do it as well, while
transactions go on (https://www.sqlite.org/wal.html#ckpt, "passive").
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress

__all__ = ["LONG_LOG", "Checkpoints"]

CHANGES = 1000
"""Rows that are changed between two checkpoints."""
LONG_LOG = 4000
"""Pages of the log beyond which commits take part in copying it, should this thread not keep up."""


class Checkpoints:
    """Copies the log after every thousand changed rows. Nothing is lost if it doesn't: until it is copied
    the log is the database."""

    def __init__(self, connect: Callable[[], sqlite3.Connection] | None) -> None:
        """``connect`` opens the database; None: it is one in memory, which has no log."""
        self._connect = connect
        self._due = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self.at = CHANGES if connect is not None else sys.maxsize
        """How many rows the writer will have changed when it is time."""

    def copy(self, changes: int) -> None:
        """The writer has changed so many rows by now: copy what the log has, in the background."""
        self.at = changes + CHANGES
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="flowkit-checkpoints", daemon=True)
            self._thread.start()
        self._due.set()

    def close(self) -> None:
        """Wait for a checkpoint in progress."""
        self._closing = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        assert self._connect is not None
        with suppress(sqlite3.Error), closing(self._connect()) as connection:
            while True:
                self._due.wait()
                self._due.clear()
                if self._closing:
                    return
                with suppress(sqlite3.Error):  # somebody else is at it, or the disk is full: next time
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
