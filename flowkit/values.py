"""The values that processes carry: JSON, and nothing else.

Variables are JSON so that any store, form or other program can hold them. FEEL's richer values
(decimals, dates, durations) live inside an evaluation and become JSON when they leave it.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["MAX_BITS", "MAX_KEY", "Json", "Variables", "unkeyable", "unstorable"]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A JSON value. Numbers are ``int`` or finite ``float``; keys are strings."""

Variables = Mapping[str, Json]
"""Process variables by name."""

MAX_BITS = 1024
"""Of a whole number: beyond that a reader of JSON that knows floating-point numbers only finds infinity."""

MAX_KEY = 1000
"""Bytes, in UTF-8, of a text that things are found by: keys, names of messages, people. PostgreSQL's indexes
take rows of 2,704 bytes, and a name and a key stand in one row."""


def unstorable(value: str | int) -> str:
    """Why ``value`` can't be kept everywhere, though Python has it; "" if it can.

    PostgreSQL's texts hold no U+0000, UTF-8 has no lone surrogates.
    """
    if not isinstance(value, str):
        return "" if value.bit_length() <= MAX_BITS else "a whole number must lie within ±1e308"
    if "\0" in value:
        return "a text must not hold the character U+0000"
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            return f"a text must not hold half a character (U+{ord(value[error.start]):04X})"
    return ""


def unkeyable(value: str) -> str:
    """Why ``value``, which is storable, can't stand in an index everywhere; "" if it can."""
    if len(value) <= MAX_KEY // 4 or (size := len(value.encode())) <= MAX_KEY:
        return ""
    return f"expected at most {MAX_KEY} bytes in UTF-8, found {size}"
