"""The event log as flowkit sees it: cases, and in each the pieces of work that were done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

__all__ = ["LogCase", "LogWriter", "WorkRecord"]


class WorkRecord(NamedTuple):
    """One piece of work: when it could have begun, when it began, when it was done, by whom.

    ``node`` is the element's id in the diagram, "" where it is not known; times are aware.
    """

    activity: str
    node: str
    enabled: datetime
    started: datetime
    completed: datetime
    resource: str = ""


class LogCase(NamedTuple):
    """A case with its attributes (JSON) and its work in order of completion."""

    name: str
    attributes: Mapping[str, Any]
    work: Sequence[WorkRecord]


class LogWriter(Protocol):
    """Takes one case after the other, so that nothing has to be kept in memory."""

    def case(self, name: str, attributes: Mapping[str, Any], work: Sequence[WorkRecord]) -> None:
        """Write a case that is over."""
        ...

    def close(self) -> None:
        """No more cases: finish the file."""
        ...
