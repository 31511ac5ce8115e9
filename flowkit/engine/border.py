"""What comes from outside beside variables: ids, keys, other texts, numbers and times, checked where they
come in, so that every store answers alike and no transaction fails for them."""

from __future__ import annotations

from datetime import timedelta

from flowkit.errors import InvalidPayload, NotFound
from flowkit.values import unkeyable, unstorable

__all__ = [
    "LONGEST_SPAN",
    "MOST",
    "checked_key",
    "checked_number",
    "checked_person",
    "checked_span",
    "checked_text",
    "known",
]

MOST = 2**31 - 1
"""Of versions, attempts and the like."""

LONGEST_SPAN = timedelta(days=100 * 366)
"""Of times to live, leases and delays: a century, so that what it leads to is a date."""


def known(name: str, what: str) -> str:
    """``name``, by which something may be stored; raises NotFound, which tells ``what`` was asked for, for
    one that nothing can have."""
    if not isinstance(name, str) or unstorable(name):
        raise NotFound(f"There is no {what} {name!r:.80}.")
    return name


def checked_text(value: str, what: str) -> str:
    """``value``, a text that every store takes; else raises InvalidPayload, which tells ``what`` it is."""
    if not isinstance(value, str):
        raise InvalidPayload(f"{what} must be a text, found {value!r:.80}.")
    problem = unstorable(value)
    if problem:
        raise InvalidPayload(f"{what}: {problem}.")
    return value


def checked_key(value: str, what: str) -> str:
    """Like :func:`checked_text`, for what is found by an index: at most ``MAX_KEY`` bytes."""
    checked_text(value, what)
    problem = unkeyable(value)
    if problem:
        raise InvalidPayload(f"{what}: {problem}.")
    return value


def checked_person(value: str, what: str) -> str:
    """Like :func:`checked_key`, for somebody who must be named."""
    if not checked_key(value, what):
        raise InvalidPayload(f"{what} must not be empty.")
    return value


def checked_number(value: int | None, what: str) -> int | None:
    """``value``, a whole number from 0 to ``MOST``, or None; else raises InvalidPayload."""
    if value is None or (isinstance(value, int) and 0 <= value <= MOST):
        return value
    raise InvalidPayload(f"{what} must be a whole number from 0 to {MOST}, found {_brief(value)}.")


def checked_span(value: timedelta, what: str) -> timedelta:
    """``value``, a time within a century either way; else raises InvalidPayload."""
    if not isinstance(value, timedelta):
        raise InvalidPayload(f"{what} must be a timedelta, found {value!r:.80}.")
    if abs(value.days) > LONGEST_SPAN.days:
        raise InvalidPayload(f"{what} must be within a century, found {value.days} days.")
    return value


def _brief(value: object) -> str:
    """A number that is too long to be written is told by its size."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"one of {value.bit_length()} bits"
    return f"{value!r:.80}"
