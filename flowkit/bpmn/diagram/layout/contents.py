"""The file's elements by the element around them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flowkit.bpmn.diagram.di import Diagram
from flowkit.bpmn.diagram.layout.sheet import Picture
from flowkit.bpmn.diagram.source import Element, Source

__all__ = ["ACTIVITIES", "DATA", "EVENTS", "GATEWAYS", "SUBPROCESSES", "Contents"]

SUBPROCESSES = ("subProcess", "transaction", "adHocSubProcess")
ACTIVITIES = (
    "task",
    "serviceTask",
    "sendTask",
    "receiveTask",
    "userTask",
    "manualTask",
    "scriptTask",
    "businessRuleTask",
    "callActivity",
    *SUBPROCESSES,
)
EVENTS = ("startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "implicitThrowEvent")
GATEWAYS = (
    "exclusiveGateway",
    "parallelGateway",
    "inclusiveGateway",
    "complexGateway",
    "eventBasedGateway",
)
DATA = ("dataObjectReference", "dataStoreReference")


@dataclass
class Contents:
    """The file's elements by the element around them, and what was decided about subprocesses.

    ``before`` is what the file's diagrams were; ``pictures`` holds the arranged content of expanded
    subprocesses (one that is not in it is drawn collapsed); ``members`` the elements by category
    value, for groups.
    """

    source: Source
    before: Sequence[Diagram] = ()
    pictures: dict[str, Picture] = field(default_factory=dict)
    members: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        members: dict[str, set[str]] = defaultdict(set)
        for element in self.source.elements.values():
            if element.kind != "group":
                members[element.reference("categoryValueRef")].add(element.id)
        self.members = {value: frozenset(ids) for value, ids in members.items() if value}

    @property
    def inside(self) -> Mapping[str, tuple[Element, ...]]:
        """The elements directly inside each, in document order."""
        return self.source.inside

    def flow_nodes(self, owner: str) -> list[Element]:
        """The activities, events and gateways directly inside an element."""
        kinds = (*ACTIVITIES, *EVENTS, *GATEWAYS)
        return [element for element in self.inside.get(owner, ()) if element.kind in kinds]
