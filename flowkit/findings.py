"""What a check of a model reports: one :class:`Finding` a problem."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Location", "Severity"]

LONGEST_NAME = 200
"""Of an element, in the text of a finding."""


class Severity(StrEnum):
    """How much a finding weighs: an ``ERROR`` refuses deployment, the others only inform."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file; ``line`` and ``column`` are 1-based, 0 where unknown."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = self.file or "<input>"
        if not self.line:
            return place
        return f"{place}:{self.line}:{self.column}" if self.column else f"{place}:{self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of a model, told to the person who drew it.

    ``rule`` is the rule's name, which is also the name of its documentation page;
    ``message`` says what is wrong, ``hint`` what to do about it.
    """

    rule: str
    severity: Severity
    location: Location
    message: str
    hint: str = ""
    element_id: str = ""
    element_name: str = ""

    def __str__(self) -> str:
        named = f" '{_cut(self.element_name)}'" if self.element_name else ""
        subject = f" {_cut(self.element_id)}{named}:" if self.element_id else ""
        stop = "" if not self.hint or self.message.endswith((".", "?", "!", ":", "。")) else "."
        hint = f"{stop} {self.hint}" if self.hint else ""
        return f"{self.location}: {self.severity} [{self.rule}]{subject} {self.message}{hint}"


def _cut(name: str) -> str:
    """A hostile file's name has a million letters."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
