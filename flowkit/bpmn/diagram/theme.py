"""How a drawing looks, and what may be laid over it."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["DARK", "LIGHT", "Mark", "Theme", "safe_colour"]

_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,24}|(?:rgb|hsl)a?\([0-9.,%/ deg]{1,48}\)")


def safe_colour(text: str) -> str:
    """The colour if it is one, else ``""``: a file's colour is never copied unseen into SVG."""
    return text if _COLOUR.fullmatch(text) else ""


@dataclass(frozen=True, slots=True)
class Mark:
    """What an overlay says about one element or flow.

    A heat map of a simulation sets ``fill`` (of flows: ``stroke`` and ``width``), ``badge`` and
    ``note``; path coverage sets ``stroke`` and ``opacity`` and counts in ``badge``; a cockpit counts
    tokens in ``badge``. Colours are CSS colours; empty means the theme's. ``width`` is the line
    width in pixels, 0 for the usual one. ``badge`` is a short text on the upper right corner (of
    flows: their middle), ``note`` a tooltip. Raises :class:`ValueError` for what is not a colour,
    and for an opacity outside 0 to 1.
    """

    fill: str = ""
    stroke: str = ""
    text: str = ""
    width: float = 0.0
    opacity: float = 1.0
    badge: str = ""
    badge_fill: str = "#1d6fdc"
    badge_text: str = "#ffffff"
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("fill", "stroke", "text", "badge_fill", "badge_text"):
            value = getattr(self, name)
            if value and not safe_colour(value):
                raise ValueError(f"Mark.{name}: expected a CSS colour such as '#1d6fdc', found {value!r}")
        if not 0.0 <= self.opacity <= 1.0:
            raise ValueError(f"Mark.opacity: expected 0 to 1, found {self.opacity!r}")
        if not 0.0 <= self.width <= 50.0:
            raise ValueError(f"Mark.width: expected 0 to 50 pixels, found {self.width!r}")


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours, fonts and margin (pixels) of a drawing; an empty ``background`` is transparent."""

    background: str = "#ffffff"
    stroke: str = "#22242a"
    fill: str = "#ffffff"
    pool: str = "#ffffff"
    header: str = "#f4f5f7"
    text: str = "#22242a"
    quiet: str = "#6b7280"
    font: str = "'Noto Sans CJK SC','Noto Sans SC','PingFang SC','Microsoft YaHei',Arial,sans-serif"
    margin: int = 20


LIGHT = Theme()
DARK = Theme(
    background="#16181d",
    stroke="#d5d8de",
    fill="#20232a",
    pool="#1a1d23",
    header="#262a32",
    text="#e6e8ec",
    quiet="#9aa1ad",
)
