"""FEEL's temporal values and what can be done with them; see :mod:`flowkit.feel.temporal.values`."""

from __future__ import annotations

from flowkit.feel.temporal.arithmetic import (
    add,
    add_duration,
    from_stdlib,
    months_between,
    nanos_between,
    to_stdlib,
)
from flowkit.feel.temporal.lexical import (
    parse_date,
    parse_date_time,
    parse_duration,
    parse_temporal,
    parse_time,
)
from flowkit.feel.temporal.values import (
    Date,
    DateTime,
    DaysTimeDuration,
    Duration,
    Temporal,
    Time,
    YearsMonthsDuration,
    Zone,
    zone_info,
)

__all__ = [
    "Date",
    "DateTime",
    "DaysTimeDuration",
    "Duration",
    "Temporal",
    "Time",
    "YearsMonthsDuration",
    "Zone",
    "add",
    "add_duration",
    "from_stdlib",
    "months_between",
    "nanos_between",
    "parse_date",
    "parse_date_time",
    "parse_duration",
    "parse_temporal",
    "parse_time",
    "to_stdlib",
    "zone_info",
]
