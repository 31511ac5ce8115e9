"""How wide a text is and where its lines break, Chinese included, without a font file.

Widths are estimates in multiples of the font size: full-width characters take one, Latin letters
about 0.55. Good to a few per cent for the sans-serif fonts that browsers choose.
"""

from __future__ import annotations

import unicodedata

__all__ = ["line_height", "text_size", "text_width", "wrap"]

_NARROW = frozenset("iljtfrI.,:;'|!()[]{} -")
_WIDE_LATIN = frozenset("mwMW@%—…")
# Punctuation that must not begin a line (JIS X 4051 and GB/T 15834 agree on these).
_NEVER_FIRST = frozenset("，。、；：？！）】》」』〉…—·,.;:?!)]}%％")
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


def _words(text: str) -> list[str]:
    """Pieces that must stay together: a Latin word with its space, or one full-width character."""
    pieces: list[str] = []
    for character in text:
        wide = unicodedata.east_asian_width(character) in "WF"
        previous = pieces[-1] if pieces else ""
        glued = previous and (
            character in _NEVER_FIRST
            or previous[-1] in _NEVER_LAST
            or (not wide and not previous[-1].isspace() and not _is_wide(previous[-1]))
        )
        if glued:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _fitting(piece: str, width: float, size: float) -> list[str]:
    """Cut a piece that is wider than a line by itself."""
    if text_width(piece, size) <= width:
        return [piece]
    parts, part = [], ""
    for character in piece:
        if part and text_width(part + character, size) > width:
            parts.append(part)
            part = ""
        part += character
    return [*parts, part] if part else parts


def wrap(text: str, width: float, size: float) -> list[str]:
    """Break a text into lines at most ``width`` pixels wide; line feeds in the text are kept."""
    lines: list[str] = []
    for paragraph in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = ""
        for word in _words(" ".join(paragraph.split())):
            for piece in _fitting(word, width, size):
                if line and text_width((line + piece).rstrip(), size) > width:
                    lines.append(line.rstrip())
                    line = piece.lstrip()
                else:
                    line += piece
        lines.append(line.rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return lines


def text_size(text: str, width: float, size: float) -> tuple[int, int]:
    """Width and height in whole pixels of a text wrapped at ``width``; ``(0, 0)`` for none."""
    lines = wrap(text, width, size)
    if not lines:
        return 0, 0
    widest = max(text_width(line, size) for line in lines)
    return int(widest + 1.999), int(len(lines) * line_height(size) + 0.999)
