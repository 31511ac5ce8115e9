"""How long to wait before the next attempt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from flowkit.errors import FlowkitError
from flowkit.timers import parse_timer_duration

__all__ = ["backoff"]

BACKOFF_HEADER = "retryBackoff"
"""The task header that gives the delay before the second attempt, an ISO-8601 duration."""
FIRST_BACKOFF = timedelta(seconds=5)
LONGEST_BACKOFF = timedelta(hours=1)
_ZERO = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def backoff(job_id: str, attempt: int, headers: Mapping[str, str]) -> timedelta:
    """The delay after a failed attempt: doubled each time, with ±20 % jitter that depends only on
    the job and attempt, at most an hour."""
    first = FIRST_BACKOFF
    text = headers.get(BACKOFF_HEADER)
    if text:
        try:
            first = parse_timer_duration(text).after(_ZERO) - _ZERO
        except (FlowkitError, ValueError, OverflowError):
            first = FIRST_BACKOFF
    digest = hashlib.blake2b(f"{job_id}/{attempt}".encode(), digest_size=4).digest()
    jitter = 0.8 + 0.4 * int.from_bytes(digest, "big") / 2**32
    delay: timedelta = min(first * 2 ** min(attempt - 1, 30), LONGEST_BACKOFF) * jitter
    return delay
