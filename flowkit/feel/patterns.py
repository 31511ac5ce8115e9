"""XPath regular expressions (XPath and XQuery Functions 3.1, section 5.6), run by the ``regex`` package.

The translation accepts exactly the XPath syntax: class subtraction ``[A-Z-[OI]]``, blocks
``\\p{IsBasicLatin}``, ``\\i`` and ``\\c``, the flags s, m, i, x and q; look-around and other extensions of
Python are refused. Backtracking is bounded twice: a pattern pays for its shape in steps of the evaluation,
and ``regex`` gives up after ``MATCH_SECONDS``. Giving up is an error, never an answer, so results
don't depend on the machine's speed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import regex

from flowkit.errors import EvaluationLimit
from flowkit.feel.values import Null, Run

__all__ = ["Pattern", "compile_pattern", "replacement"]

MAX_PATTERN = 2_000
MAX_REPEAT = 1_000
MATCH_SECONDS = 0.05
_DEAREST = 25_000  # steps of a match that may backtrack exponentially

_CLASSES = {
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "s": r"[ \t\n\r]",
    "S": r"[^ \t\n\r]",
    "w": r"[^\p{P}\p{Z}\p{C}]",
    "W": r"[\p{P}\p{Z}\p{C}]",
    "i": r"[\p{L}_:]",
    "I": r"[^\p{L}_:]",
    "c": r"[\p{L}\p{M}\p{N}\-._:\u00B7]",
    "C": r"[^\p{L}\p{M}\p{N}\-._:\u00B7]",
}
_CONTROLS = {"n": r"\n", "r": r"\r", "t": r"\t"}
_SPECIAL = frozenset("\\|.-^?*+{}()[]$")
_CATEGORY = regex.compile(r"[LMNPZSC][a-z]?|Is[A-Za-z0-9-]+")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A translated pattern. ``unbounded`` counts its open-ended repetitions, ``nested`` tells whether one
    stands inside another or a back-reference occurs."""

    compiled: regex.Pattern[str]
    unbounded: int
    nested: bool

    def apply(self, run: Run, text: str, operation: Callable[[regex.Pattern[str], float], T]) -> T:
        """Run ``operation(compiled, seconds)``. Raises EvaluationLimit when it costs too much."""
        shape = _DEAREST if self.nested else min(_DEAREST, (len(text) + 1) ** max(self.unbounded, 1) // 1000)
        run.spend(1 + len(text) // 8 + shape)
        try:
            return operation(self.compiled, MATCH_SECONDS)
        except TimeoutError:
            raise EvaluationLimit(
                f"the pattern {self.compiled.pattern[:80]!r} takes too long on a text of {len(text)} "
                "characters; avoid repetitions inside repetitions"
            ) from None


_SPACE_OUTSIDE_CLASS = regex.compile(r"(\\[^ \t\n\r]|\[(?:\\.|[^\]\\])*\])|[ \t\n\r]+", regex.DOTALL)


def _without_spaces(pattern: str) -> str:
    """What the flag x means: white space stands for nothing, except in character classes."""
    return _SPACE_OUTSIDE_CLASS.sub(lambda match: match[1] or "", pattern)


class _Translator:
    """One pass over an XPath pattern."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = _without_spaces(pattern) if "x" in flags else pattern
        self.flags = flags
        self.index = 0
        self.unbounded = 0
        self.nested = False
        self.groups = 0
        self._closed: set[int] = set()

    def fail(self, message: str) -> Null:
        return Null(f"the pattern {self.pattern[:60]!r} is not valid: {message}", "value")

    def peek(self) -> str:
        return self.pattern[self.index : self.index + 1]

    def take(self) -> str:
        char = self.peek()
        self.index += 1
        return char

    def translate(self) -> str:
        source = self.alternatives(0)
        if self.index < len(self.pattern):
            raise self.fail("there is a ')' too many")
        return source

    def alternatives(self, depth: int) -> str:
        if depth > 50:
            raise self.fail("groups are nested too deep")
        parts = []
        while self.peek() and self.peek() != ")":
            if self.peek() == "|":
                parts.append(self.take())
                continue
            before = self.unbounded
            parts.append(self.quantified(self.atom(depth), before))
        return "".join(parts)

    def atom(self, depth: int) -> str:
        char = self.take()
        if char == "(":
            return self.group(depth)
        if char == "[":
            return self.char_class(0)
        if char == "\\":
            return self.escape(in_class=False)
        if char == ".":
            return "(?s:.)" if "s" in self.flags else r"[^\n\r]"
        if char == "^":
            return "(?m:^)" if "m" in self.flags else r"\A"
        if char == "$":
            return "(?m:$)" if "m" in self.flags else r"\Z"
        if char in "?*+{}]":
            raise self.fail(f"{char!r} at {self.index} must be escaped or follow something")
        return str(regex.escape(char))

    def group(self, depth: int) -> str:
        if self.pattern.startswith("?:", self.index):
            self.index += 2
            opening, number = "(?:", 0
        elif self.peek() == "?":
            raise self.fail("only (?:…) may follow '(?'")
        else:
            self.groups += 1
            opening, number = "(", self.groups
        body = self.alternatives(depth + 1)
        if self.take() != ")":
            raise self.fail("a ')' is missing")
        self._closed.add(number)
        return f"{opening}{body})"

    def quantified(self, atom: str, before: int) -> str:
        char = self.peek()
        if not char or char not in "?*+{":
            return atom
        quantifier = self.take()
        endless = char in "*+"
        if char == "{":
            quantifier, endless = self.counted()
        if self.peek() == "?":
            quantifier += self.take()
        if self.peek() and self.peek() in "?*+{":
            raise self.fail("two quantifiers follow each other")
        if self.unbounded > before and quantifier != "?":
            self.nested = True
        self.unbounded += endless
        return f"(?:{atom}){quantifier}" if atom in (r"\A", r"\Z", "(?m:^)", "(?m:$)") else atom + quantifier

    def counted(self) -> tuple[str, bool]:
        match = regex.compile(r"([0-9]{1,6})(,([0-9]{0,6}))?\}").match(self.pattern, self.index)
        if match is None:
            raise self.fail("'{' must be escaped or begin a count such as {2,5}")
        self.index = match.end()
        low, high = int(match[1]), int(match[3]) if match[3] else None
        if max(low, high or 0) > MAX_REPEAT:
            raise self.fail(f"counts above {MAX_REPEAT} are not allowed")
        if high is not None and high < low:
            raise self.fail("the larger count must come second")
        # A long counted repetition backtracks like an open-ended one.
        return "{" + match[0], match[2] == "," or max(low, high or 0) > 20

    def escape(self, *, in_class: bool) -> str:
        char = self.take()
        if char in _CLASSES and char:
            return _CLASSES[char]
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char in ("p", "P"):
            return self.category(char)
        if char and char in _SPECIAL:
            return f"\\{char}"
        if char and char in "123456789" and not in_class:
            return self.back_reference(int(char))
        raise self.fail(f"unknown escape \\{char}")

    def back_reference(self, number: int) -> str:
        while self.peek() and self.peek() in "0123456789" and number * 10 + int(self.peek()) <= self.groups:
            number = number * 10 + int(self.take())
        if number not in self._closed:
            raise self.fail(f"there is no group {number} before \\{number}")
        self.nested = True
        return f"(?:\\{number})"

    def category(self, letter: str) -> str:
        end = self.pattern.find("}", self.index)
        name = self.pattern[self.index + 1 : end]
        if self.peek() != "{" or end < 0 or not _CATEGORY.fullmatch(name):
            raise self.fail(f"unknown category after \\{letter}")
        self.index = end + 1
        return f"\\{letter}{{Block={name[2:]}}}" if name.startswith("Is") else f"\\{letter}{{{name}}}"

    def char_class(self, depth: int) -> str:
        if depth > 10:
            raise self.fail("character classes are nested too deep")
        negated = self.peek() == "^"
        if negated:
            self.take()
        parts: list[str] = []
        while self.peek() != "]" or not parts:
            if not self.peek():
                raise self.fail("a ']' is missing")
            if self.pattern.startswith("-[", self.index) and parts:
                self.index += 2
                subtracted = self.char_class(depth + 1)
                if self.take() != "]":
                    raise self.fail("a subtracted class must stand last")
                return f"[[{'^' if negated else ''}{''.join(parts)}]--{subtracted}]"
            parts.append(self.class_item())
        self.take()
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def class_item(self) -> str:
        low = self.class_char()
        following = self.pattern[self.index : self.index + 2]
        if following[:1] == "-" and following[1:] not in ("]", "[", "") and not self._is_class(low):
            self.take()
            high = self.class_char()
            if self._is_class(high):
                raise self.fail("a range can't end in a class")
            return f"{low}-{high}"
        return low

    @staticmethod
    def _is_class(item: str) -> bool:
        return item[:1] == "[" or item[:2] in (r"\p", r"\P")

    def class_char(self) -> str:
        char = self.take()
        if char == "\\":
            return self.escape(in_class=True)
        if char in ("[", "]"):
            raise self.fail(f"{char!r} in a class must be escaped")
        return char if char.isalnum() else f"\\x{ord(char):02x}" if ord(char) < 128 else char


@lru_cache(maxsize=512)
def _compile(pattern: str, flags: str) -> Pattern:
    """The translated pattern. Raises Null if pattern or flags are not valid."""
    if len(pattern) > MAX_PATTERN:
        raise Null(f"the pattern is longer than {MAX_PATTERN} characters", "value")
    unknown = set(flags) - set("smixq")
    if unknown:
        raise Null(f"unknown flags {''.join(sorted(unknown))!r}; s, m, i, x and q exist", "value")
    translator = _Translator(pattern, flags)
    source = regex.escape(pattern) if "q" in flags else translator.translate()
    options = regex.V1 | (regex.IGNORECASE if "i" in flags else 0)
    try:
        compiled = regex.compile(source, options)
    except (regex.error, OverflowError, RecursionError) as reason:
        raise translator.fail(str(reason)) from None
    return Pattern(compiled, translator.unbounded, translator.nested)


def compile_pattern(pattern: str, flags: str | None) -> Pattern:
    """The pattern, ready to be applied. Raises Null if it or the flags are not valid."""
    return _compile(pattern, flags or "")


def replacement(text: str, groups: int, *, literal: bool) -> Callable[[regex.Match[str]], str]:
    """What ``$1`` and ``\\$`` in a replacement stand for. Raises Null if ``text`` is not valid."""
    if literal:
        return lambda _match: text
    parts: list[str | int] = []
    index = 0
    while index < len(text):
        char, following = text[index], text[index + 1 : index + 2]
        if char == "\\":
            if following not in ("\\", "$") or not following:
                raise Null(r"in a replacement, \ must stand before \ or $", "value")
            parts.append(following)
            index += 2
        elif char == "$":
            if not following.isdecimal() or not following.isascii():
                raise Null(
                    "in a replacement, $ must stand before the number of a group; write \\$ for $", "value"
                )
            number, index = int(following), index + 2
            while text[index : index + 1].isdecimal() and number * 10 + int(text[index]) <= groups:
                number, index = number * 10 + int(text[index]), index + 1
            parts.append(number)
        else:
            parts.append(char)
            index += 1

    def expand(match: regex.Match[str]) -> str:
        pieces = (part if isinstance(part, str) else _group(match, part, groups) for part in parts)
        return "".join(pieces)

    return expand


def _group(match: regex.Match[str], number: int, groups: int) -> str:
    return (match[number] or "") if number <= groups else ""
