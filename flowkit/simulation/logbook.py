"""What a run tells a log writer: the finished work of a case, when the case is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

__all__ = ["Logbook", "WorkRecord"]


class WorkRecord(NamedTuple):
    """One piece of work: when it could have begun, when it began, when it was done, by whom."""

    activity: str
    node: str
    enabled: datetime
    started: datetime
    completed: datetime
    resource: str


class Logbook(Protocol):
    """Takes one case after the other, so that nothing has to be kept."""

    def case(self, name: str, attributes: Mapping[str, Any], work: Sequence[WorkRecord]) -> None:
        """A case that is over."""
        ...

    def close(self) -> None:
        """No more cases."""
        ...
