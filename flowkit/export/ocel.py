"""Event logs as OCEL 2.0 (JSON): events that relate to a case and to the resource that worked on it.

Source: OCEL 2.0 specification (Berti et al., 2023), section 7, JSON.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from flowkit.export.records import WorkRecord

__all__ = ["OcelLog"]


class OcelLog:
    """Writes an OCEL 2.0 file; ``case_type`` names the type of the case objects."""

    def __init__(self, path: str | Path, *, case_type: str = "case") -> None:
        self._file = Path(path).open("w", encoding="utf-8")  # noqa: SIM115 - until close()
        self._case_type = case_type
        self._objects = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - lives until close()
        self._events = 0
        self._cases = 0
        self._resources: dict[str, None] = {}
        self._types: dict[str, None] = {}
        self._attributes: dict[str, str] = {}
        self._file.write('{"events":[')

    def case(self, name: str, attributes: Mapping[str, Any], work: Sequence[WorkRecord]) -> None:
        """Write a case: its object, and an event for each piece of work, at its completion."""
        first = min((one.enabled for one in work), default=None)
        known = {key: value for key, value in attributes.items() if value is not None}
        self._attributes.update(
            {key: _type(value) for key, value in known.items() if key not in self._attributes}
        )
        case = {
            "id": name,
            "type": self._case_type,
            "attributes": [
                {
                    "name": key,
                    "time": _time(first) if first else "1970-01-01T00:00:00Z",
                    "value": _plain(value),
                }
                for key, value in known.items()
            ],
            "relationships": [],
        }
        self._objects.write(("," if self._cases else "") + json.dumps(case, ensure_ascii=False))
        self._cases += 1
        for one in work:
            self._event(name, one)

    def _event(self, case: str, one: WorkRecord) -> None:
        self._types[one.activity] = None
        relations = [{"objectId": case, "qualifier": "case"}]
        if one.resource:
            self._resources[one.resource] = None
            relations.append({"objectId": f"resource:{one.resource}", "qualifier": "resource"})
        event = {
            "id": f"e{self._events}",
            "type": one.activity,
            "time": _time(one.completed),
            "attributes": [
                {"name": "enabled", "value": _time(one.enabled)},
                {"name": "started", "value": _time(one.started)},
                {"name": "element", "value": one.node},
            ],
            "relationships": relations,
        }
        self._file.write(("," if self._events else "") + json.dumps(event, ensure_ascii=False))
        self._events += 1

    def close(self) -> None:
        """Finish the file."""
        self._file.write('],"objects":[')
        self._objects.seek(0)
        while block := self._objects.read(1 << 16):
            self._file.write(block)
        self._objects.close()
        resources = [
            json.dumps(
                {"id": f"resource:{name}", "type": "resource", "attributes": [], "relationships": []},
                ensure_ascii=False,
            )
            for name in self._resources
        ]
        self._file.write(("," if resources and self._cases else "") + ",".join(resources) + "],")
        times = [{"name": "enabled", "type": "time"}, {"name": "started", "type": "time"}]
        tail = {
            "eventTypes": [
                {"name": name, "attributes": [*times, {"name": "element", "type": "string"}]}
                for name in self._types
            ],
            "objectTypes": [
                {
                    "name": self._case_type,
                    "attributes": [{"name": key, "type": kind} for key, kind in self._attributes.items()],
                },
                {"name": "resource", "attributes": []},
            ],
        }
        self._file.write(json.dumps(tail, ensure_ascii=False)[1:])
        self._file.close()


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _type(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "float"
    return "string"


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) else json.dumps(value, ensure_ascii=False)
