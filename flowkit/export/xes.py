"""Event logs as XES (IEEE 1849-2016): a start and a complete event for every piece of work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import quoteattr

from lxml import etree

from flowkit.errors import InvalidPayload
from flowkit.export.records import LogCase, WorkRecord

__all__ = ["XesLog", "read_xes"]

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
  <global scope="trace"><string key="concept:name" value=""/></global>
  <global scope="event">
    <string key="concept:name" value=""/>
    <string key="lifecycle:transition" value="complete"/>
    <date key="time:timestamp" value="1970-01-01T00:00:00+00:00"/>
  </global>
  <classifier name="Activity" keys="concept:name"/>
"""
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class XesLog:
    """Writes a trace a case. ``flowkit:enabled`` on a start event tells when the work could have begun."""

    def __init__(self, path: str | Path) -> None:
        self._file = Path(path).open("w", encoding="utf-8")  # noqa: SIM115 - until close()
        self._file.write(_HEAD)

    def case(self, name: str, attributes: Mapping[str, Any], work: Sequence[WorkRecord]) -> None:
        """Write a case."""
        lines = ["  <trace>", _attribute("concept:name", name, 4)]
        lines += [_attribute(key, value, 4) for key, value in attributes.items() if value is not None]
        events = []
        for number, one in enumerate(work):
            events.append((one.started, 0, number, one, "start"))
            events.append((one.completed, 1, number, one, "complete"))
        for moment, _, number, one, transition in sorted(events, key=lambda event: event[:3]):
            lines += _event(one, str(number), transition, moment)
        lines.append("  </trace>\n")
        self._file.write("\n".join(lines))

    def close(self) -> None:
        """Finish the file."""
        self._file.write("</log>\n")
        self._file.close()


def _event(one: WorkRecord, instance: str, transition: str, moment: datetime) -> list[str]:
    lines = [
        "    <event>",
        _attribute("concept:name", one.activity, 6),
        _attribute("concept:instance", instance, 6),
        _attribute("lifecycle:transition", transition, 6),
        _attribute("time:timestamp", moment, 6),
    ]
    if one.resource:
        lines.append(_attribute("org:resource", one.resource, 6))
    if one.node:
        lines.append(_attribute("flowkit:element", one.node, 6))
    if transition == "start":
        lines.append(_attribute("flowkit:enabled", one.enabled, 6))
    return [*lines, "    </event>"]


def _attribute(key: str, value: Any, indent: int) -> str:
    match value:
        case bool():
            tag, text = "boolean", "true" if value else "false"
        case int():
            tag, text = "int", str(value)
        case float():
            tag, text = "float", repr(value)
        case datetime():
            tag, text = "date", value.isoformat(timespec="milliseconds")
        case str():
            tag, text = "string", value
        case _:
            tag, text = "string", json.dumps(value, ensure_ascii=False)
    return f"{' ' * indent}<{tag} key={quoteattr(_clean(key))} value={quoteattr(_clean(text))}/>"


def _clean(text: str) -> str:
    """XML 1.0 has no place for most control characters."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def read_xes(path: str | Path) -> Iterator[LogCase]:
    """The cases of a XES file, one after the other.

    A complete event without a start takes no time. Raises InvalidPayload for a file that is not XES;
    entities, the network and huge texts are refused.
    """
    with Path(path).open("rb") as file:
        yield from _traces(file, path)


def _traces(file: BinaryIO, path: str | Path) -> Iterator[LogCase]:
    try:
        context = etree.iterparse(
            file, events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        number = 0
        for _, element in context:
            if etree.QName(element).localname == "trace":
                number += 1
                yield _trace(element, number, path)
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise InvalidPayload(f"{path} is not XES: {error}") from None


def _trace(element: etree._Element, number: int, path: str | Path) -> LogCase:
    attributes: dict[str, Any] = {}
    events: list[dict[str, Any]] = []
    for child in element:
        if not isinstance(child.tag, str):
            continue
        if etree.QName(child).localname == "event":
            events.append(dict(_pair(one, path) for one in child if isinstance(one.tag, str)))
        else:
            key, value = _pair(child, path)
            attributes[key] = value
    name = str(attributes.pop("concept:name", number))
    return LogCase(name, attributes, _work(events))


def _pair(element: etree._Element, path: str | Path) -> tuple[str, Any]:
    key, text = element.get("key", ""), element.get("value", "")
    try:
        match etree.QName(element).localname:
            case "date":
                moment = datetime.fromisoformat(text)
                return key, moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
            case "int":
                return key, int(text)
            case "float":
                return key, float(text)
            case "boolean":
                return key, text == "true"
    except ValueError:
        raise InvalidPayload(f"{path}:{element.sourceline}: '{text[:60]}' does not fit its type") from None
    return key, text


def _work(events: Sequence[Mapping[str, Any]]) -> list[WorkRecord]:
    """Pair starts with completions: by instance where there is one, else first in, first out."""
    begun: dict[tuple[str, Any], list[Mapping[str, Any]]] = {}
    found: list[WorkRecord] = []
    for event in sorted(events, key=lambda one: one.get("time:timestamp", datetime.min.replace(tzinfo=UTC))):
        moment = event.get("time:timestamp")
        if moment is None:
            continue
        place = (str(event.get("concept:name", "")), event.get("concept:instance"))
        transition = str(event.get("lifecycle:transition", "complete")).lower()
        if transition == "start":
            begun.setdefault(place, []).append(event)
        elif transition == "complete":
            waiting = begun.get(place)
            start = waiting.pop(0) if waiting else event
            started = start["time:timestamp"]
            enabled = start.get("flowkit:enabled", started)
            resource = str(event.get("org:resource", start.get("org:resource", "")))
            node = str(event.get("flowkit:element", ""))
            found.append(WorkRecord(place[0], node, enabled, started, moment, resource))
    return found
