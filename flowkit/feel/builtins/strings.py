"""String functions (DMN 1.5, 10.3.4.3). Positions count characters from 1; negative ones from the end."""

from __future__ import annotations

import base64
from typing import Any

import regex

from flowkit.feel.builtins.registry import Table
from flowkit.feel.limits import MAX_STRING
from flowkit.feel.numbers import Number, to_int
from flowkit.feel.patterns import compile_pattern, replacement
from flowkit.feel.values import Null, Run

__all__ = ["TABLE"]

TABLE = Table("String")


@TABLE.define("substring", "string: string, start position: number, length?: number|null")
def substring(_run: Run, text: str, start: Number, length: Number | None = None) -> str:
    """``length`` characters from a position on, or all the rest."""
    first = to_int(start) if to_int(start) is not None else int(start)
    if not first:
        raise Null("substring(): the start position counts from 1 or, backwards, from -1", "value")
    begin = first - 1 if first > 0 else len(text) + first
    if length is None:
        return text[max(begin, 0) :]
    if length < 1:
        raise Null("substring(): the length must be at least 1", "value")
    return text[max(begin, 0) : max(begin + int(min(length, MAX_STRING)), 0)]


@TABLE.define("string length", "string: string")
def string_length(_run: Run, text: str) -> int:
    """The number of characters."""
    return len(text)


@TABLE.define("upper case", "string: string")
def upper_case(_run: Run, text: str) -> str:
    """The text in capitals."""
    return text.upper()


@TABLE.define("lower case", "string: string")
def lower_case(_run: Run, text: str) -> str:
    """The text in small letters."""
    return text.lower()


@TABLE.define("substring before", "string: string, match: string")
def substring_before(_run: Run, text: str, match: str) -> str:
    """What stands before the first match; empty if there is none."""
    return text.partition(match)[0] if match and match in text else ""


@TABLE.define("substring after", "string: string, match: string")
def substring_after(_run: Run, text: str, match: str) -> str:
    """What stands after the first match; empty if there is none."""
    return text.partition(match)[2] if match else text


@TABLE.define("contains", "string: string, match: string")
def contains(_run: Run, text: str, match: str) -> bool:
    """Whether the match occurs in the text."""
    return match in text


@TABLE.define("starts with", "string: string, match: string")
def starts_with(_run: Run, text: str, match: str) -> bool:
    """Whether the text begins with the match."""
    return text.startswith(match)


@TABLE.define("ends with", "string: string, match: string")
def ends_with(_run: Run, text: str, match: str) -> bool:
    """Whether the text ends with the match."""
    return text.endswith(match)


@TABLE.define("matches", "input: string, pattern: string, flags?: string|null")
def matches(run: Run, text: str, pattern: str, flags: str | None = None) -> bool:
    """Whether the XPath regular expression is found in the text."""
    compiled = compile_pattern(pattern, flags)
    return compiled.apply(run, text, lambda engine, seconds: engine.search(text, timeout=seconds)) is not None


@TABLE.define("replace", "input: string, pattern: string, replacement: string, flags?: string|null")
def replace(run: Run, text: str, pattern: str, substitute: str, flags: str | None = None) -> str:
    """The text with all matches of the XPath regular expression replaced; ``$1`` is a group's match."""
    compiled = compile_pattern(pattern, flags)
    expand = replacement(substitute, compiled.compiled.groups, literal="q" in (flags or ""))
    built = [0]

    def counted(match: regex.Match[str]) -> str:
        piece = expand(match)
        built[0] += len(piece)
        run.check_string(built[0])
        return piece

    result = compiled.apply(run, text, lambda engine, seconds: engine.sub(counted, text, timeout=seconds))
    run.check_string(len(result))
    return str(result)


@TABLE.define("split", "string: string, delimiter: string")
def split(run: Run, text: str, delimiter: str) -> list[str]:
    """The pieces of the text between matches of the XPath regular expression."""
    compiled = compile_pattern(delimiter, None)
    spans = compiled.apply(
        run, text, lambda engine, seconds: [match.span() for match in engine.finditer(text, timeout=seconds)]
    )
    run.spend(len(spans))
    pieces, start = [], 0
    for first, last in spans:
        if last > first:
            pieces.append(text[start:first])
            start = last
    return [*pieces, text[start:]]


@TABLE.define("extract", "input: string, pattern: string")
def extract(run: Run, text: str, pattern: str) -> list[str]:
    """All matches of the XPath regular expression in the text."""
    compiled = compile_pattern(pattern, None)
    found = compiled.apply(
        run, text, lambda engine, seconds: [match[0] for match in engine.finditer(text, timeout=seconds)]
    )
    run.spend(len(found))
    return found


@TABLE.define("string join", "list: list, delimiter?: string|null")
def string_join(run: Run, items: list[Any], delimiter: str | None = None) -> str:
    """The texts of the list, one after the other, nulls left out."""
    return string_join_within(run, items, delimiter, None, None)


@TABLE.define("string join", "list: list, delimiter: string|null, prefix: string|null, suffix: string|null")
def string_join_within(
    run: Run, items: list[Any], delimiter: str | None, prefix: str | None, suffix: str | None
) -> str:
    """The same between a prefix and a suffix."""
    run.spend(len(items))
    texts = [item for item in items if item is not None]
    if not all(type(item) is str for item in texts):
        raise Null("string join(): the list must hold only strings", "type")
    run.check_string(sum(map(len, texts)) + len(delimiter or "") * len(texts))
    return f"{prefix or ''}{(delimiter or '').join(texts)}{suffix or ''}"


@TABLE.define("trim", "string: string")
def trim(_run: Run, text: str) -> str:
    """The text without white space at both ends."""
    return text.strip()


@TABLE.define("is blank", "string: string")
def is_blank(_run: Run, text: str) -> bool:
    """Whether the text is empty or only white space."""
    return not text.strip()


@TABLE.define("to base64", "value: string")
def to_base64(run: Run, text: str) -> str:
    """The text, as UTF-8, in Base64."""
    run.check_string(len(text) * 4)
    return base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
