"""Event logs as CSV, with the column names that pm4py and most mining tools expect."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from flowkit.errors import InvalidPayload
from flowkit.export.records import LogCase, TimedWork, Timeline, WorkRecord

__all__ = ["CsvLog", "read_csv"]

_COLUMNS = (
    "case:concept:name", "concept:name", "time:timestamp", "start_timestamp", "enabled_timestamp",
    "org:resource", "element",
)  # fmt: skip
_CASE = ("case:concept:name", "case_id", "case", "caseid", "case id")
_ACTIVITY = ("concept:name", "activity", "task")
_END = ("time:timestamp", "end_time", "end", "complete_timestamp", "timestamp", "completed")
_START = ("start_timestamp", "start_time", "start", "started")
_ENABLED = ("enabled_timestamp", "enable_time", "enabled")
_RESOURCE = ("org:resource", "resource")


class CsvLog:
    """Writes one line a piece of work; the first case's attributes become ``case:…`` columns."""

    def __init__(self, path: str | Path) -> None:
        self._file = Path(path).open("w", encoding="utf-8", newline="")  # noqa: SIM115 - until close()
        self._attributes: tuple[str, ...] | None = None

    def case(self, name: str, attributes: Mapping[str, Any], work: Sequence[WorkRecord]) -> None:
        """Write a case."""
        self._lines(
            name,
            attributes,
            (
                (
                    one.activity,
                    one.node,
                    _text(one.enabled),
                    _text(one.started),
                    _text(one.completed),
                    one.resource,
                )
                for one in work
            ),
        )

    def timed_case(
        self, name: str, attributes: Mapping[str, Any], work: Sequence[TimedWork], timeline: Timeline
    ) -> None:
        """Write a case of a simulation."""
        self._lines(name, attributes, timeline.texts(work))

    def _lines(
        self,
        name: str,
        attributes: Mapping[str, Any],
        work: Iterable[tuple[str, str, str, str, str, str]],
    ) -> None:
        if self._attributes is None:
            self._attributes = tuple(attributes)
            self._file.write(_line([*_COLUMNS, *(f"case:{key}" for key in self._attributes)]))
        case = _line([name, ""])[:-2]
        tail = "\r\n"
        if self._attributes:
            tail = _line(["", *(_cell(attributes.get(key)) for key in self._attributes)])
        # csv.writer looks at every character of every cell; here it is asked once for each name
        self._file.writelines(
            f"{case}{_quoted(activity)},{completed},{started},{enabled},{_quoted(resource)},{_quoted(node)}{tail}"
            for activity, node, enabled, started, completed, resource in work
        )

    def close(self) -> None:
        """Finish the file."""
        if self._attributes is None:
            self._file.write(_line(_COLUMNS))
        self._file.close()


def _line(cells: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _text(moment: datetime) -> str:
    # readers of columns want every timestamp in one form: isoformat() leaves out a fraction of 0
    return moment.isoformat(timespec="microseconds")


@lru_cache(maxsize=4096)
def _quoted(cell: str) -> str:
    return _line([cell, ""])[:-3]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)


def read_csv(path: str | Path) -> Iterator[LogCase]:
    """The cases of a CSV log: flowkit's, pm4py's, or with columns case_id, activity, start_time, end_time.

    Raises InvalidPayload for a missing column or a timestamp that is not ISO 8601.
    """
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        names = {name.lower(): name for name in reader.fieldnames or ()}
        column = {
            key: next((names[one] for one in known if one in names), None)
            for key, known in zip(
                ("case", "activity", "end", "start", "enabled", "resource", "node"),
                (_CASE, _ACTIVITY, _END, _START, _ENABLED, _RESOURCE, ("element",)),
                strict=True,
            )
        }
        for key in ("case", "activity", "end"):
            if column[key] is None:
                raise InvalidPayload(
                    f"{path} has no column for the {key}; a log needs case:concept:name, concept:name and"
                    f" time:timestamp, found {', '.join(names) or 'no columns'}"
                )
        cases: dict[str, list[WorkRecord]] = {}
        attributes: dict[str, dict[str, Any]] = {}
        for number, row in enumerate(reader, start=2):
            found = {key: row[name] if name is not None else "" for key, name in column.items()}
            end = _moment(found["end"], path, number)
            start = _moment(found["start"], path, number) if found["start"] else end
            enabled = _moment(found["enabled"], path, number) if found["enabled"] else start
            record = WorkRecord(
                found["activity"], found["node"] or "", enabled, start, end, found["resource"] or ""
            )
            cases.setdefault(found["case"], []).append(record)
            if found["case"] not in attributes:
                attributes[found["case"]] = {
                    key.removeprefix("case:"): value
                    for key, value in row.items()
                    if key is not None and key.startswith("case:") and key != "case:concept:name"
                }
    for name, work in cases.items():
        yield LogCase(name, attributes[name], sorted(work, key=lambda one: one.completed))


def _moment(text: str, path: str | Path, line: int) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidPayload(f"{path}:{line}: '{text[:60]}' is not a timestamp of ISO 8601") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
