"""Scripts: what happens to a process from outside, as a YAML file.

.. code-block:: yaml

    title: 客户进站 → 回访
    now: 2025-03-03T09:00:00+08:00
    stock: {P-100: 5}
    start: {message: 客户进站, business_key: WO-1, variables: {plate: 京A12345}}
    steps:
      - {task: 故障确认, by: 张三, set: {fault_confirmed: true}}
      - {message: 客户签字, key: WO-1}
      - {wait: PT1H}
    expect: {ended: true, end: [车辆交付并完成回访]}

A task is named by its element id or its name in the diagram.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity
from flowkit.tasks.jsonable import to_json_value
from flowkit.tasks.yaml_file import parse_yaml

__all__ = [
    "Error",
    "Escalate",
    "Expect",
    "Expectation",
    "MessageStep",
    "Script",
    "SignalStep",
    "StartStep",
    "Step",
    "TaskStep",
    "UntilStep",
    "WaitStep",
    "parse_script",
    "read_script",
    "read_step",
]

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2025, 3, 3, 9, 0, tzinfo=ZONE)
"""Where the virtual clock begins unless the script says otherwise: a Monday morning."""


def _aware(moment: datetime) -> datetime:
    """A time without a zone is a time in Shanghai."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZONE)


Moment = Annotated[datetime, AfterValidator(_aware)]
Variables = Annotated[dict[str, Any], BeforeValidator(lambda value: to_json_value(value or {}))]
"""Variables as a YAML file has them; its dates become ISO-8601 text."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class StartStep(_Part):
    """How the process starts: exactly one of process, message, signal or timer (a process id)."""

    process: str | None = None
    message: str | None = None
    signal: str | None = None
    timer: str | None = None
    key: str = ""
    start_event: str | None = None
    business_key: str | None = None
    variables: Variables = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one(self) -> StartStep:
        given = [name for name in ("process", "message", "signal", "timer") if getattr(self, name)]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"expected exactly one of process, message, signal, timer; found {found}")
        return self


class TaskStep(_Part):
    """Somebody completes a user task."""

    task: str
    by: str | None = None
    group: str | None = None
    set: Variables = Field(default_factory=dict)
    nth: int = Field(default=1, ge=1)
    if_open: bool = False


class MessageStep(_Part):
    """A message comes from outside."""

    message: str
    key: str = ""
    set: Variables = Field(default_factory=dict)


class SignalStep(_Part):
    """A signal is broadcast."""

    signal: str
    set: Variables = Field(default_factory=dict)


class WaitStep(_Part):
    """Time passes; what becomes due on the way happens."""

    wait: timedelta = Field(ge=timedelta(0))


class UntilStep(_Part):
    """Time passes up to a point."""

    until: Moment


class _Trouble(_Part):
    task: str
    code: str
    message: str = ""
    set: Variables = Field(default_factory=dict)
    nth: int = Field(default=1, ge=1)


class Error(_Part):
    """A user task ends in a BPMN error."""

    error: _Trouble


class Escalate(_Part):
    """An escalation is thrown from a user task, which stays open."""

    escalate: _Trouble


class _Notice(_Part):
    template: str | None = None
    to: str | None = None
    channel: str | None = None
    status: str | None = None


class Expectation(_Part):
    """What must hold. ``open`` lists tasks; ``end`` all the end events of the process itself that the
    first instance reached (of its subprocesses: ``passed``); ``passed`` and ``trail`` (in this order)
    elements entered anywhere; ``variables`` some of its variables."""

    ended: bool | None = None
    open: list[str] | None = None
    end: list[str] | None = None
    passed: list[str] = Field(default_factory=list)
    not_passed: list[str] = Field(default_factory=list)
    trail: list[str] = Field(default_factory=list)
    variables: Variables = Field(default_factory=dict)
    notices: list[_Notice] = Field(default_factory=list)
    incidents: int | None = None


class Expect(_Part):
    """A check in the middle."""

    expect: Expectation


Step = TaskStep | MessageStep | SignalStep | WaitStep | UntilStep | Error | Escalate | Expect

_KINDS: Mapping[str, type[_Part]] = {
    "task": TaskStep,
    "message": MessageStep,
    "signal": SignalStep,
    "wait": WaitStep,
    "until": UntilStep,
    "error": Error,
    "escalate": Escalate,
    "expect": Expect,
}


def read_step(value: Any) -> Any:
    """A step from its content; chooses the kind by the key, so that errors speak of that kind only."""
    if isinstance(value, _Part):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a step such as {{task: …}}, found {value!r}")
    kinds = [kind for kind in _KINDS if kind in value]
    if len(kinds) != 1:
        raise ValueError(
            f"expected exactly one of {', '.join(_KINDS)} in a step, found {', '.join(map(str, value))}"
        )
    return _KINDS[kinds[0]].model_validate(value)


class Script(_Part):
    """A whole script."""

    title: str = ""
    now: Moment = START
    stock: dict[str, int] = Field(default_factory=dict)
    records: dict[str, list[Variables]] = Field(default_factory=dict)
    start: StartStep
    steps: list[Annotated[Step, BeforeValidator(read_step)]] = Field(default_factory=list)
    expect: Expectation = Expectation()


def parse_script(data: bytes, *, file: str = "") -> Script:
    """Read a script; raises InvalidModel telling where it is wrong."""
    content = parse_yaml(data, file=file)
    if not isinstance(content, Mapping):
        text = f"the script: expected a mapping with start and steps, found {type(content).__name__}."
        hint = "See the command line's page on scripts."
        raise InvalidModel([Finding("script", Severity.ERROR, Location(file), text, hint)])
    try:
        return Script.model_validate(content)
    except ValidationError as error:
        findings = []
        for fault in error.errors(include_url=False, include_context=False):
            place = [str(part + 1 if isinstance(part, int) else part) for part in fault["loc"]]
            where = " → ".join(part for part in place if not part.startswith("function-")) or "the script"
            text = str(fault["msg"]).removeprefix("Value error, ")
            findings.append(Finding("script", Severity.ERROR, Location(file), f"{where}: {text}"))
        raise InvalidModel(findings) from None


def read_script(path: Path | str) -> Script:
    """Like :func:`parse_script`, from a file."""
    return parse_script(Path(path).read_bytes(), file=str(path))
