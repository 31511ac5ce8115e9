"""How wide a text is and where its lines break, Chinese included, without a font file.

Widths are estimates in multiples of the font size: full-width characters take one, Latin letters
about 0.55. Good to a few per cent for the sans-serif fonts that browsers choose.
"""

from __future__ import annotations

import math
import unicodedata

__all__ = ["line_height", "text_size", "text_width", "wrap"]

_NARROW = frozenset("iljtfrI.,:;'|!()[]{} -")
_WIDE_LATIN = frozenset("mwMW@%—…")
# Punctuation that must not begin a line (JIS X 4051 and GB/T 15834 agree on these).
_NEVER_FIRST = frozenset("，。、；：？！）】》」』〉…—·,.;:?!)]}%％")
_LONGEST = 2_000
# Brackets that must not end a line.
_NEVER_LAST = frozenset("（【《「『〈([{")


def _character_width(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if unicodedata.combining(character):
        return 0.0
    if character in _NARROW:
        return 0.33
    if character in _WIDE_LATIN:
        return 0.9
    return 0.68 if character.isupper() else 0.56


def text_width(text: str, size: float) -> float:
    """Width of one line in pixels at a font size in pixels."""
    return size * sum(map(_character_width, text))


def line_height(size: float) -> float:
    """Distance of two base lines at a font size in pixels."""
    return size * 1.25


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _words(text: str) -> list[str]:
    """Pieces that must stay together: a Latin word with its space, or one full-width character."""
    pieces: list[list[str]] = []
    for character in text:
        last = pieces[-1][-1] if pieces else ""
        glued = last and (
            character in _NEVER_FIRST
            or last in _NEVER_LAST
            or not (_is_wide(character) or last.isspace() or _is_wide(last))
        )
        if glued:
            pieces[-1].append(character)
        else:
            pieces.append([character])
    return ["".join(piece) for piece in pieces]


def _fitting(piece: str, width: float, size: float) -> list[str]:
    """Cut a piece that is wider than a line by itself."""
    if text_width(piece, size) <= width:
        return [piece]
    parts: list[list[str]] = [[]]
    used = 0.0
    for character in piece:
        advance = size * _character_width(character)
        if parts[-1] and used + advance > width:
            parts.append([])
            used = 0.0
        parts[-1].append(character)
        used += advance
    return ["".join(part) for part in parts]


def _lines(paragraph: str, width: float, size: float) -> list[str]:
    lines: list[list[str]] = [[]]
    used = 0.0
    for word in _words(paragraph):
        for piece in _fitting(word, width, size):
            needed = text_width(piece.rstrip(), size)
            if lines[-1] and used + needed > width:
                lines.append([])
                used = 0.0
            kept = piece if lines[-1] else piece.lstrip()
            lines[-1].append(kept)
            used += text_width(kept, size)
    return ["".join(line).strip() for line in lines]


def wrap(text: str, width: float, size: float) -> list[str]:
    """Break a text into lines at most ``width`` pixels wide; line feeds in the text are kept.

    Beyond 2,000 characters a text is cut with an ellipsis: no picture needs more.
    """
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    lines: list[str] = []
    for paragraph in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        lines.extend(_lines(" ".join(paragraph.split()), width, size))
    while lines and not lines[-1]:
        lines.pop()
    return lines


def text_size(text: str, width: float, size: float) -> tuple[int, int]:
    """Width and height in whole pixels of a text wrapped at ``width``; ``(0, 0)`` for none."""
    lines = wrap(text, width, size)
    if not lines:
        return 0, 0
    widest = max(text_width(line, size) for line in lines)
    return math.ceil(widest), math.ceil(len(lines) * line_height(size))
