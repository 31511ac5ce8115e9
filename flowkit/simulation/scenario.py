"""The scenario file: everything that a simulation needs beside the diagram.

Every part has a default; a scenario without any part simulates the diagram with assumptions that the
result lists (:mod:`flowkit.simulation.planning`). The JSON Schema of the file is
``Scenario.model_json_schema()``, published as ``docs/simulation/scenario.schema.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from flowkit.errors import InvalidPayload
from flowkit.simulation.calendars import ALWAYS, Calendar, parse_weekly
from flowkit.simulation.distributions import parse_distribution
from flowkit.simulation.generators import parse_generator
from flowkit.simulation.timespans import parse_span

__all__ = ["Scenario", "scenario_from"]


def _check_distribution(spec: Any) -> Any:
    parse_distribution(spec)
    return spec


def _check_generator(spec: Any) -> Any:
    parse_generator(spec)
    return spec


def _share(value: Any) -> Any:
    if isinstance(value, str) and value.strip().endswith("%"):
        return float(value.strip()[:-1]) / 100
    return value


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"'{name}' is not a time zone of the IANA database, such as Asia/Shanghai") from None
    return name


Span = Annotated[
    float,
    BeforeValidator(parse_span),
    Field(ge=0),
    WithJsonSchema({"type": ["string", "number"], "description": "seconds, 10m, 1h30m, 2d, P26W, PT10M"}),
]
Sample = Annotated[
    Any,
    AfterValidator(_check_distribution),
    WithJsonSchema(
        {"type": ["object", "string", "number"], "description": "a span, or {distribution: {...}}"}
    ),
]
Value = Annotated[
    Any, AfterValidator(_check_generator), WithJsonSchema({"description": "a value or a generator"})
]
Share = Annotated[
    float, BeforeValidator(_share), Field(ge=0, le=1), WithJsonSchema({"type": ["number", "string"]})
]
TimeZone = Annotated[str, AfterValidator(_zone)]
OneOrMore = Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class About(_Part):
    id: str = "scenario"
    name: str = ""
    description: str = ""
    extends: str | None = None


class Model(_Part):
    """Files are relative to the scenario file. ``process`` may be left out when there is one only."""

    bpmn: OneOrMore = ()
    process: str | None = None
    decisions: OneOrMore = ()


class Stop(_Part):
    """Arrivals end after ``cases`` cases; everything ends at ``until``. Both: whichever comes first."""

    cases: PositiveInt | None = None
    until: Span | None = None


class Replications(_Part):
    """At least ``min``; then more, up to ``max``, until the half-width of the 95 % interval of
    ``measure`` is at most ``half_width`` (a share of its mean)."""

    min: PositiveInt = 10
    max: PositiveInt = 100
    half_width: Share | None = None
    measure: str = "cycle_time.mean"


class Run(_Part):
    start: datetime = datetime(2026, 1, 5)
    timezone: TimeZone = "Asia/Shanghai"
    stop: Stop = Stop()
    warmup: Span = 0.0
    replications: Annotated[
        Replications, BeforeValidator(lambda v: {"min": v, "max": v} if isinstance(v, int) else v)
    ] = Replications()
    seed: Annotated[int, Field(ge=0)] = 42
    paths: bool = True
    """Count the activity paths that cases take (up to 1,000 different ones)."""


class CalendarSpec(_Part):
    """``holidays`` are dates, or the code of a country (``CN``, ``DE-BY``); ``workdays`` maps make-up
    dates to the weekday they are worked like."""

    weekly: dict[str, list[str]]
    timezone: TimeZone | None = None
    holidays: list[date] | str = Field(default_factory=list)
    workdays: dict[date, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> CalendarSpec:
        self.build("", "UTC")
        return self

    def build(self, name: str, timezone: str) -> Calendar:
        days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        for day in self.workdays.values():
            if day not in days:
                raise ValueError(f"'{day}' is not a day; write one of {', '.join(days)}")
        country = self.holidays if isinstance(self.holidays, str) else ""
        return Calendar(
            name,
            parse_weekly(self.weekly),
            self.timezone or timezone,
            frozenset() if isinstance(self.holidays, str) else frozenset(self.holidays),
            {day: days.index(like) for day, like in self.workdays.items()},
            country,
        )


class Arrivals(_Part):
    """Cases that start at ``start_event`` (id or name; default: the process's own start).

    Either ``interarrival`` (counted in the calendar's time) or the recorded instants ``at``.
    ``variables`` are set beside the ``case_attributes``; ``weight`` is not needed: use several entries.
    """

    start_event: str | None = None
    calendar: str | None = None
    interarrival: Sample | None = None
    at: list[datetime | Span] = Field(default_factory=list)
    limit: PositiveInt | None = None
    size: PositiveInt = 1
    variables: dict[str, Value] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Arrivals:
        if (self.interarrival is None) == (not self.at):
            raise ValueError("arrivals need either 'interarrival' or recorded instants 'at'")
        return self


class Breakdowns(_Part):
    """Of each resource: time between failures and time to repair, round the clock."""

    every: Sample
    repair: Sample


class Member(_Part):
    """Resources of a pool that are alike; what is not given is as in the pool."""

    name: str
    size: PositiveInt = 1
    calendar: str | None = None
    cost_per_hour: float | None = None
    skills: frozenset[str] = frozenset()
    breakdowns: Breakdowns | None = None


class Pool(_Part):
    """``queue``: fifo, lifo, priority (the case's level, then first come) or due (earliest due date).

    ``off_shift``: suspend (work rests until the next shift) or finish (work begun is completed).
    """

    size: PositiveInt | None = None
    calendar: str | None = None
    cost_per_hour: float = 0.0
    queue: Literal["fifo", "lifo", "priority", "due"] = "fifo"
    off_shift: Literal["suspend", "finish"] = "suspend"
    skills: frozenset[str] = frozenset()
    breakdowns: Breakdowns | None = None
    members: list[Member] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check(self) -> Pool:
        if self.members and self.size is not None:
            raise ValueError("a pool has either 'size' or 'members'")
        return self


class Batch(_Part):
    """Work gathers until ``size`` items are there or the first has waited ``max_wait``.

    ``mode`` parallel: one processing time for all; sequential: one each, done as one block.
    """

    size: PositiveInt
    max_wait: Span | None = None
    mode: Literal["parallel", "sequential"] = "parallel"


class Abandonment(_Part):
    """Who waits in the queue longer than ``patience`` leaves: the case is cancelled, or the BPMN error
    ``error`` is thrown at the task for a boundary event to catch."""

    patience: Sample
    error: str | None = None


class ResourceNeed(_Part):
    pool: str
    quantity: PositiveInt = 1
    skill: str | None = None


Needs = str | ResourceNeed


class Resources(_Part):
    """``any_of``: the first alternative that is free; ``all_of``: all of them at the same time."""

    any_of: list[Needs] = Field(default_factory=list)
    all_of: list[Needs] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check(self) -> Resources:
        if bool(self.any_of) == bool(self.all_of):
            raise ValueError("resources have either 'any_of' or 'all_of'")
        return self


class Task(_Part):
    """A task, user task, service task …; ``result`` replaces a decision's output.

    ``errors`` maps BPMN error codes to the share of completions that throw them instead.
    ``instances`` is the number of instances of a multi-instance activity.
    """

    resources: str | list[Needs] | ResourceNeed | Resources | None = None
    processing_time: Sample | None = None
    by_resource: dict[str, Sample] = Field(default_factory=dict)
    cost: float = 0.0
    variables: dict[str, Value] = Field(default_factory=dict)
    errors: dict[str, Share] = Field(default_factory=dict)
    result: Value | None = None
    instances: Value | None = None
    batch: Batch | None = None
    abandonment: Abandonment | None = None

    @model_validator(mode="after")
    def _check(self) -> Task:
        if self.batch is not None and self.abandonment is not None:
            raise ValueError("a task has either 'batch' or 'abandonment'")
        return self


class Gateway(_Part):
    """``probabilities`` by flow id, flow name or target's name; ``conditions`` uses the model's own."""

    mode: Literal["probabilities", "conditions"] | None = None
    probabilities: dict[str, float] = Field(default_factory=dict)

    @field_validator("probabilities", mode="before")
    @classmethod
    def _keys(cls, value: Any) -> Any:
        # YAML 1.1 reads the flow names yes and no as booleans
        names = {True: "yes", False: "no"}
        return {names.get(k, k) if isinstance(k, bool) else str(k): v for k, v in value.items()}


class CatchEvent(_Part):
    """When what the event waits for happens: ``delay`` after the wait began, with ``probability``
    (else never). ``thrown``: only when some case throws it."""

    delay: Sample | None = None
    probability: Share = 1.0
    thrown: bool = False
    variables: dict[str, Value] = Field(default_factory=dict)


class Priority(_Part):
    """Cases for which the FEEL condition ``when`` holds get ``level``; lower levels are served first."""

    when: str
    level: int


class ServiceLevel(_Part):
    """The share of cases that keep a promise.

    ``within`` bounds the cycle time, or the time from first entering ``start`` to last completing
    ``end``; ``reached`` counts cases that enter one of the elements, ``avoided`` those that enter none of
    them (among those that enter ``start``).
    """

    within: Span | None = None
    start: str | None = None
    end: str | None = None
    reached: OneOrMore = ()
    avoided: OneOrMore = ()
    target: Share | None = None

    @model_validator(mode="after")
    def _check(self) -> ServiceLevel:
        if (self.within is not None) + bool(self.reached) + bool(self.avoided) != 1:
            raise ValueError("a service level needs one of 'within', 'reached' and 'avoided'")
        if self.end and self.within is None:
            raise ValueError("'end' belongs to a service level with 'within'")
        return self


class CompareWith(_Part):
    baseline: str
    common_random_numbers: bool = True


class Scenario(_Part):
    """A whole scenario; ``directory`` is where its relative paths start."""

    flowkit: Literal["simulation/1"] = "simulation/1"
    scenario: About = About()
    model: Model = Model()
    run: Run = Run()
    calendars: dict[str, CalendarSpec] = Field(default_factory=dict)
    arrivals: list[Arrivals] = Field(default_factory=list)
    case_attributes: dict[str, Value] = Field(default_factory=dict)
    pools: dict[str, Pool] = Field(default_factory=dict)
    tasks: dict[str, Task] = Field(default_factory=dict)
    gateways: dict[str, Gateway] = Field(default_factory=dict)
    events: dict[str, CatchEvent] = Field(default_factory=dict)
    priorities: list[Priority] = Field(default_factory=list)
    service_levels: dict[str, ServiceLevel] = Field(default_factory=dict)
    compare: CompareWith | None = None
    _directory: Path = PrivateAttr(default_factory=Path)

    @property
    def directory(self) -> Path:
        return self._directory

    @model_validator(mode="after")
    def _check(self) -> Scenario:
        named = [arrival.calendar for arrival in self.arrivals]
        for pool in self.pools.values():
            named += [pool.calendar, *(member.calendar for member in pool.members)]
        for name in named:
            if name is not None and name not in self.calendars and name not in {"always", "24/7"}:
                raise ValueError(
                    f"calendar '{name}' is not among the calendars: {', '.join(self.calendars) or 'none'}"
                )
        return self

    def calendar(self, name: str | None) -> Calendar:
        """The calendar of that name; no name means always on duty."""
        if name is None or name in {"always", "24/7"}:
            return ALWAYS
        return self.calendars[name].build(name, self.run.timezone)

    def with_changes(self, changes: Mapping[str, Any]) -> Scenario:
        """A variant: ``{"pools.clerks.size": 7}`` sets values by their path. Raises InvalidPayload."""
        data = self.model_dump(mode="json", exclude_unset=True, by_alias=True)
        for path, value in changes.items():
            _set_path(data, path, value)
        variant = scenario_from(data)
        variant._directory = self._directory
        return variant


def _set_path(data: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    here: Any = data
    for name in outer:
        if isinstance(here, list):
            if not name.isdigit() or int(name) >= len(here):
                raise InvalidPayload(
                    f"the path '{path}' does not fit the scenario at '{name}': a list is there"
                )
            here = here[int(name)]
        elif isinstance(here, dict):
            here = here.setdefault(name, {})
        else:
            raise InvalidPayload(f"the path '{path}' does not fit the scenario at '{name}'")
    if isinstance(here, list) and last.isdigit() and int(last) < len(here):
        here[int(last)] = value
    elif isinstance(here, dict):
        here[last] = value
    else:
        raise InvalidPayload(f"the path '{path}' does not fit the scenario at '{last}'")


def scenario_from(data: Mapping[str, Any], *, file: str = "scenario") -> Scenario:
    """A scenario from plain data; raises InvalidPayload with a path for every fault."""
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        problems = [
            ("/" + "/".join(str(part) for part in fault["loc"]), fault["msg"].removeprefix("Value error, "))
            for fault in error.errors()
        ]
        lines = "\n".join(f"  {path}: {message}" for path, message in problems)
        raise InvalidPayload(f"{file} is not a valid scenario:\n{lines}", problems) from None
