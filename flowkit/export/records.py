"""The event log as flowkit sees it: cases, and in each the pieces of work that were done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol, runtime_checkable

__all__ = ["LogCase", "LogWriter", "TimedLogWriter", "TimedWork", "Timeline", "WorkRecord"]


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


TimedWork = tuple[str, str, float, float, float, str]
"""A :class:`WorkRecord` whose instants are seconds of a :class:`Timeline`."""

_MINUTES = tuple(f"{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440))


class Timeline:
    """Instants counted in seconds since ``origin`` (aware), as a simulation knows them."""

    def __init__(self, origin: datetime) -> None:
        self.origin = origin.astimezone(UTC)
        self._midnight = self.origin.replace(hour=0, minute=0, second=0, microsecond=0)
        self._offset = (self.origin - self._midnight) // timedelta(microseconds=1)
        self._days: dict[int, str] = {}

    def moment(self, seconds: float) -> datetime:
        """The instant, to the microsecond."""
        return self._midnight + timedelta(microseconds=round(seconds * 1e6) + self._offset)

    def text(self, seconds: float) -> str:
        """The instant in ISO 8601; several times cheaper than by way of a datetime."""
        minutes, rest = divmod(round(seconds * 1e6) + self._offset, 60_000_000)
        day, minute = divmod(minutes, 1440)
        date = self._days.get(day)
        if date is None:
            date = self._days[day] = f"{(self._midnight + timedelta(days=day)).date().isoformat()}T"
        return f"{date}{_MINUTES[minute]}{rest // 1_000_000:02d}.{rest % 1_000_000:06d}+00:00"

    def texts(self, work: Iterable[TimedWork]) -> Iterator[tuple[str, str, str, str, str, str]]:
        """The work with its instants in ISO 8601. Most work begins when the work before it is done."""
        text = self.text
        known: dict[float, str] = {}
        for activity, node, enabled, started, completed, resource in work:
            opened = known.get(enabled) or text(enabled)
            begun = opened if started == enabled else known.get(started) or text(started)
            done = known[completed] = text(completed)
            yield activity, node, opened, begun, done, resource

    def records(self, work: Iterable[TimedWork]) -> list[WorkRecord]:
        """The work with its instants as datetimes."""
        moment = self.moment
        return [
            WorkRecord(activity, node, moment(enabled), moment(started), moment(completed), resource)
            for activity, node, enabled, started, completed, resource in work
        ]


class LogWriter(Protocol):
    """Takes one case after the other, so that nothing has to be kept in memory."""

    def case(self, name: str, attributes: Mapping[str, Any], work: Sequence[WorkRecord]) -> None:
        """Write a case that is over."""
        ...

    def close(self) -> None:
        """No more cases: finish the file."""
        ...


@runtime_checkable
class TimedLogWriter(LogWriter, Protocol):
    """A writer that also takes instants as seconds, which costs less than datetimes."""

    def timed_case(
        self, name: str, attributes: Mapping[str, Any], work: Sequence[TimedWork], timeline: Timeline
    ) -> None:
        """Write a case that is over."""
        ...
