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
    subprocesses. A subprocess that is not in it is drawn collapsed.
    """

    source: Source
    before: Sequence[Diagram] = ()
    pictures: dict[str, Picture] = field(default_factory=dict)
    inside: Mapping[str, list[Element]] = field(init=False)

    def __post_init__(self) -> None:
        inside: dict[str, list[Element]] = defaultdict(list)
        for element in self.source.elements.values():
            inside[element.parent].append(element)
        self.inside = inside

    def flow_nodes(self, owner: str) -> list[Element]:
        """The activities, events and gateways directly inside an element."""
        kinds = (*ACTIVITIES, *EVENTS, *GATEWAYS)
        return [element for element in self.inside.get(owner, ()) if element.kind in kinds]
