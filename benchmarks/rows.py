"""What a benchmark reports: one :class:`Row` a figure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """A measured figure. ``goal`` is what it is held against, as ``"< 500"``; "" for none."""

    name: str
    value: float
    unit: str
    goal: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        sign, _, limit = self.goal.partition(" ")
        if not limit:
            return None
        bound = float(limit.split()[0])
        return {
            "<": self.value < bound,
            "<=": self.value <= bound,
            "≤": self.value <= bound,
            ">": self.value > bound,
            ">=": self.value >= bound,
            "≥": self.value >= bound,
        }[sign]
