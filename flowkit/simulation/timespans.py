"""Spans of time as people write them: ``10m``, ``1h30m``, ``2d``, ``P26W``, ``PT90S``, or seconds.

Inside the simulation every time and every span is a float in seconds.
"""

from __future__ import annotations

import itertools
import math
import re

__all__ = ["days", "hours", "minutes", "parse_span", "show_span"]

_SHORT = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)", re.IGNORECASE)
_ISO = re.compile(
    r"P(?:(?P<w>\d+(?:\.\d+)?)W)?(?:(?P<d>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<h>\d+(?:\.\d+)?)H)?(?:(?P<m>\d+(?:\.\d+)?)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def parse_span(text: str | float) -> float:
    """Seconds of a span; a number is seconds already.

    Raises ValueError for anything else, years and months included: their length is not fixed.
    """
    if isinstance(text, bool):
        raise ValueError(f"a span of time was expected, found {text!r}; write 10m, 2h, 1d or PT10M")
    if isinstance(text, int | float):
        return float(text)
    plain = text.strip()
    if len(plain) <= 64:
        if iso := _ISO.fullmatch(plain.upper()):
            parts = {unit: float(value) for unit, value in iso.groupdict().items() if value}
            if parts:
                return sum(value * _UNITS[unit] for unit, value in parts.items())
        compact = plain.lower().replace(" ", "")
        pieces = list(_SHORT.finditer(compact))
        if pieces and "".join(piece.group(0) for piece in pieces) == compact:
            return sum(float(piece.group(1)) * _UNITS[piece.group(2)] for piece in pieces)
        try:
            return float(plain)
        except ValueError:
            pass
    raise ValueError(f"a span of time was expected, found {text[:80]!r}; write 10m, 2h, 1d or PT10M")


def show_span(seconds: float) -> str:
    """A span for people: the two largest units, ``1d 4h``, ``12m 30s``, ``0.40s``."""
    if not math.isfinite(seconds):
        return "–"
    sign = "-" if seconds < 0 else ""
    rest = abs(seconds)
    if rest < 60:
        return f"{sign}{rest:.3g}s"
    for (large, name), (small, small_name) in itertools.pairwise(_SHOWN):
        if rest >= large:
            whole, part = divmod(round(rest / small) * small, large)
            return f"{sign}{whole:.0f}{name}" + (f" {part / small:.0f}{small_name}" if part else "")
    return f"{sign}{rest:.0f}s"


_SHOWN = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s"))


def minutes(count: float) -> float:
    """``count`` minutes in seconds."""
    return count * 60.0


def hours(count: float) -> float:
    """``count`` hours in seconds."""
    return count * 3600.0


def days(count: float) -> float:
    """``count`` days in seconds."""
    return count * 86400.0
