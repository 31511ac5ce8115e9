"""Ids: of instances (ordered by the time they were made), and of what an instance has."""

from __future__ import annotations

import os
import threading
from datetime import datetime

from flowkit.engine.clock import micros
from flowkit.errors import NotFound

__all__ = ["NewIds", "child_id", "join_id", "split_id"]

MAX_DIGITS = 18
"""Of a key in an id that somebody gives: a database's whole numbers end at 2**63."""


class NewIds:
    """Unique ids of 24 hexadecimal digits that sort by time: 48 bits of milliseconds, 48 random ones.

    Rows made together stand together in the database, and what was made first sorts first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self, now: datetime) -> str:
        fresh = (micros(now) // 1000 << 48) | int.from_bytes(os.urandom(6), "big")
        with self._lock:
            if fresh >> 48 <= self._last >> 48:
                fresh = self._last + 1
            self._last = fresh
        return f"{fresh:024x}"


def child_id(instance: str, call: int) -> str:
    """The id of the instance that a call activity starts: known in advance, so started only once."""
    return f"{instance}-{call}"


def join_id(instance: str, key: int) -> str:
    """The id of a job, user task or incident, for people and other programs."""
    return f"{instance}:{key}"


def split_id(text: str, what: str) -> tuple[str, int]:
    """The instance and key in such an id; raises NotFound when it is none."""
    if isinstance(text, str) and text.isascii() and "\0" not in text:
        instance, separator, key = text.rpartition(":")
        if separator and key.isdigit() and len(key) <= MAX_DIGITS:
            return instance, int(key)
    raise NotFound(f"{text!r:.80} names no {what}: expected an id like 019b2f…:7.")
