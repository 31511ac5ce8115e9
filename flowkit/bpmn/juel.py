"""Camunda 7's ``${…}`` expressions, where they say the same in FEEL."""

from __future__ import annotations

import re

__all__ = ["is_juel", "juel_to_feel"]

_WHOLE = re.compile(r"[$#]\{([^{}]*)\}\Z")
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"[^"\\]*"|'[^'\\"]*')
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
      | (?P<operator>==|!=|<=|>=|&&|\|\||<|>|\(|\))
    )\s*""",
    re.VERBOSE,
)
_OPERATORS = {
    "==": "=",
    "&&": "and",
    "||": "or",
    "eq": "=",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
}
# Words that mean something else in one of the two languages.
_NOT_PORTABLE = frozenset(
    {"not", "empty", "div", "mod", "instanceof", "if", "then", "else", "for", "in", "some", "every"}
)


def is_juel(text: str) -> bool:
    return "${" in text or "#{" in text


def juel_to_feel(text: str) -> str | None:
    """The same expression in FEEL, or None where that is not certain.

    Only names, paths, numbers, texts, comparisons and ``and``/``or`` are carried over: they mean the
    same in both languages. Method calls and arithmetic are left to a person.
    """
    match = _WHOLE.match(text.strip())
    if match is None:
        return None
    parts: list[str] = []
    position, body = 0, match[1]
    while position < len(body):
        token = _TOKEN.match(body, position)
        if token is None:
            return None
        parts.append(_translate(token, parts))
        if not parts[-1]:
            return None
        position = token.end()
    return " ".join(parts) or None


def _translate(token: re.Match[str], before: list[str]) -> str:
    """One token in FEEL; empty where it has no certain counterpart."""
    value = token[token.lastgroup or 0]
    if token.lastgroup == "string":
        return '"' + value[1:-1] + '"'
    if token.lastgroup == "operator":
        # A parenthesis after a name is a call.
        called = value == "(" and bool(before) and (before[-1][-1].isalnum() or before[-1][-1] == "_")
        is_call = called and before[-1] not in ("and", "or")
        return "" if is_call else _OPERATORS.get(value, value)
    if value in _NOT_PORTABLE:
        return ""
    return _OPERATORS.get(value, value)
