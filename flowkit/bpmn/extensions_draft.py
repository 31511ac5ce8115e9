"""The extensions of one element while they are being read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flowkit.bpmn.extensions_model import Extensions, ForeignExtension, Mapping
from flowkit.bpmn.xml import Node
from flowkit.findings import Location

__all__ = ["Draft", "RefusedAttribute", "RefusedElement", "ignored_attribute", "ignored_element"]


@dataclass(slots=True)
class Draft:
    """Values by the field of :class:`Extensions`; lists are collected and become tuples."""

    host: Node
    values: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, list[Any]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    """Camunda 7 says one thing in several attributes; they meet here until all are read."""
    touched: bool = False

    def set(self, name: str, value: object) -> None:
        self.values[name] = value
        self.touched = True

    def add(self, name: str, value: object) -> None:
        self.lists.setdefault(name, []).append(value)
        self.touched = True

    def map(self, direction: str, source: str, target: str, location: Location) -> None:
        """Add an input or output mapping (``direction`` is ``inputs`` or ``outputs``)."""
        self.add(direction, Mapping(source, target, location))

    def note(self, name: str, value: str) -> None:
        self.notes[name] = value
        self.touched = True

    def keep(self, name: str, location: Location) -> None:
        self.add("foreign", ForeignExtension(name, location))

    def refuse(self, name: str, location: Location, reason: str) -> None:
        self.add("foreign", ForeignExtension(name, location, True, reason))

    def extensions(self) -> Extensions:
        collected: dict[str, Any] = {name: tuple(found) for name, found in self.lists.items()}
        return Extensions(**self.values, **collected)


def _named(node: Node) -> str:
    return f"{{{node.namespace}}}{node.tag}"


@dataclass(frozen=True, slots=True)
class RefusedElement:
    """A reader for an extension element that flowkit never executes."""

    reason: str

    def __call__(self, draft: Draft, node: Node) -> None:
        draft.refuse(_named(node), node.location, self.reason)


def ignored_element(draft: Draft, node: Node) -> None:
    """An extension element that changes nothing about execution."""
    draft.keep(_named(node), node.location)


@dataclass(frozen=True, slots=True)
class RefusedAttribute:
    """A reader for an extension attribute that flowkit never executes."""

    name: str
    reason: str

    def __call__(self, draft: Draft, value: str) -> None:
        draft.refuse(f"@{self.name}", draft.host.location, self.reason)


def ignored_attribute(draft: Draft, value: str) -> None:
    """An extension attribute that changes nothing about execution."""
