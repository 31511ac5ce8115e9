"""Where the engine's time comes from: it is asked for nowhere else."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

__all__ = ["Clock", "SystemClock", "VirtualClock", "from_micros", "micros"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """The current time, aware."""
        ...


class SystemClock:
    """The machine's clock. ``zone`` is what FEEL's ``now()`` and ``today()`` are told in; UTC by default."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        self._zone = zone

    def now(self) -> datetime:
        return datetime.now(self._zone)


class VirtualClock:
    """A clock that stands still until it is moved: for tests, demonstrations and simulations."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)) -> None:
        self._lock = threading.Lock()
        self._now = _aware(start)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move on; raises ValueError for a step back."""
        self.set(self._now + by)

    def set(self, to: datetime) -> None:
        """Move to a later time, told in the zone of the start; raises ValueError for an earlier one."""
        to = _aware(to).astimezone(self._now.tzinfo)
        with self._lock:
            if to < self._now:
                raise ValueError(f"A clock only goes forward: it is {self._now}, asked for {to}.")
            self._now = to


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"Expected an aware datetime, found {moment} without a time zone.")
    return moment


def micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC: how the store keeps times; raises ValueError without a time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with its zone, such as datetime.now(UTC), found {moment!r}.")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """The time, in UTC, that :func:`micros` turned into ``value``."""
    return _EPOCH + timedelta(microseconds=value)
