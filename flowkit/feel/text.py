"""Values as text: what FEEL's ``string()`` gives, and what messages show."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from flowkit.errors import EvaluationLimit
from flowkit.feel.limits import MAX_DEPTH, MAX_STRING
from flowkit.feel.temporal.values import TEMPORAL_TYPES
from flowkit.feel.values import Function

__all__ = ["shorten", "to_text"]

_BARE_KEY = re.compile(r"[^\W\d][\w ]*")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def to_text(value: Any, *, quoted: bool = False) -> str:
    """The text of ``value``; strings inside lists and contexts, or with ``quoted``, stand in quotes.

    Raises EvaluationLimit if it would be longer than ``MAX_STRING``.
    """
    parts: list[str] = []
    _write(value, quoted, parts, [MAX_STRING], 0)
    return "".join(parts)


def shorten(value: Any, limit: int = 60) -> str:
    """``value`` for a message: its text, cut to ``limit`` characters."""
    try:
        text = _temporal_or_text(value)
    except EvaluationLimit:
        return "a very large value"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _temporal_or_text(value: Any) -> str:
    if type(value) in (list, dict):
        return f"a {'list' if type(value) is list else 'context'} of {len(value)}"
    return to_text(value, quoted=True)


def _quote(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _write(value: Any, quoted: bool, parts: list[str], budget: list[int], depth: int) -> None:
    start = len(parts)
    if depth > MAX_DEPTH:
        raise EvaluationLimit(f"the value is nested more than {MAX_DEPTH} deep")
    if value is None:
        parts.append("null")
    elif isinstance(value, str):
        parts.append(_quote(value) if quoted else value)
    elif isinstance(value, bool):
        parts.append("true" if value else "false")
    elif isinstance(value, Decimal):
        parts.append(f"{value:f}")
    elif isinstance(value, list):
        _write_list(value, parts, budget, depth)
        return
    elif isinstance(value, dict):
        _write_context(value, parts, budget, depth)
        return
    elif isinstance(value, Function):
        parts.append(f"function({', '.join(value.parameters)})")
    elif quoted and type(value) in TEMPORAL_TYPES:
        parts.append(f'@"{value}"')
    else:
        parts.append(str(value))
    budget[0] -= sum(map(len, parts[start:]))
    if budget[0] < 0:
        raise EvaluationLimit(f"the text of a value would be longer than {MAX_STRING} characters")


def _write_list(items: list[Any], parts: list[str], budget: list[int], depth: int) -> None:
    budget[0] -= 2
    for index, item in enumerate(items):
        parts.append(", " if index else "[")
        _write(item, True, parts, budget, depth + 1)
    parts.append("]" if items else "[]")


def _write_context(entries: dict[str, Any], parts: list[str], budget: list[int], depth: int) -> None:
    budget[0] -= 2
    for index, (key, item) in enumerate(entries.items()):
        name = key if _BARE_KEY.fullmatch(key) else _quote(key)
        budget[0] -= len(name)
        parts.append(f"{', ' if index else '{'}{name}: ")
        _write(item, True, parts, budget, depth + 1)
    parts.append("}" if entries else "{}")
