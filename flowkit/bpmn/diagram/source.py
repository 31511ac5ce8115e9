"""The diagram's file as a tree: read safely, indexed by element id.

Drawing and layout work on the XML, not on :class:`flowkit.bpmn.model.Definitions`, because they
must also handle a diagram that does not deploy, or does not deploy yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity

__all__ = [
    "BIOC",
    "BPMN",
    "BPMNDI",
    "COLOR",
    "DC",
    "DI",
    "Element",
    "Source",
    "line_of",
    "local_name",
    "read_source",
]

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"
BIOC = "http://bpmn.io/schema/bpmn/biocolor/1.0"
COLOR = "http://www.omg.org/spec/BPMN/non-normative/color/1.0"

_LOOPS = {"standardLoopCharacteristics": "standard", "multiInstanceLoopCharacteristics": "parallel"}
_REFERENCES = ("flowNodeRef", "sourceRef", "targetRef", "categoryValueRef")


@dataclass(frozen=True, slots=True)
class Element:
    """A BPMN element that has an id: what a picture needs to know about it.

    ``kind`` is the tag of the standard; ``parent`` the id of the element around it, or ``""``;
    ``events`` the kinds of its event definitions (``"timer"``, ``"message"`` …); ``loop`` is
    ``""``, ``"standard"``, ``"parallel"`` or ``"sequential"``; ``references`` holds the texts of
    its reference children (``flowNodeRef`` …); ``children`` the tags of its other children.
    """

    id: str
    kind: str
    name: str
    parent: str
    line: int
    order: int
    attributes: Mapping[str, str]
    events: tuple[str, ...] = ()
    loop: str = ""
    text: str = ""
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    children: tuple[str, ...] = ()

    def flag(self, name: str, *, default: bool = False) -> bool:
        """The value of a boolean attribute."""
        value = self.attributes.get(name, "").strip()
        return value in ("true", "1") if value else default

    def reference(self, name: str) -> str:
        """A reference written as an attribute or as a child, without its namespace prefix."""
        value = self.attributes.get(name) or next(iter(self.references.get(name, ())), "")
        return value.strip().rpartition(":")[2]


@dataclass(frozen=True)
class Source:
    """A parsed file: its root and its elements in document order, by id."""

    root: etree._Element
    elements: Mapping[str, Element]
    file: str = ""
    inside: Mapping[str, tuple[Element, ...]] = field(init=False)

    def __post_init__(self) -> None:
        inside: dict[str, list[Element]] = defaultdict(list)
        for element in self.elements.values():
            inside[element.parent].append(element)
        object.__setattr__(self, "inside", {parent: tuple(found) for parent, found in inside.items()})

    def of_kind(self, *kinds: str) -> Iterator[Element]:
        """The elements with one of these tags, in document order."""
        return (element for element in self.elements.values() if element.kind in kinds)

    def children(self, parent: str) -> tuple[Element, ...]:
        """The elements directly inside ``parent``, in document order."""
        return self.inside.get(parent, ())


def local_name(node: etree._Element) -> str:
    """The tag without its namespace; ``""`` for comments and processing instructions."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def line_of(node: etree._Element) -> int:
    """The 1-based line of an element's start tag, 0 if unknown."""
    return node.sourceline if isinstance(node.sourceline, int) else 0


def read_source(data: bytes, *, file: str = "") -> Source:
    """Parse BPMN XML without entities, network or huge trees.

    Raises :class:`~flowkit.errors.InvalidModel` for anything that is not a BPMN ``definitions``.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", 0) or 0
        raise _invalid("xml-syntax", f"not well-formed XML: {error}", file, line) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _invalid("xml-doctype", "a DOCTYPE is not allowed in BPMN files; remove it", file, 1)
    if root.tag != f"{{{BPMN}}}definitions":
        found = etree.QName(root).localname if isinstance(root.tag, str) else "?"
        raise _invalid("bpmn-root", f"expected BPMN 2.0 <definitions>, found <{found}>", file, 1)
    return Source(root, {element.id: element for element in _elements(root)}, file)


def _invalid(rule: str, message: str, file: str, line: int) -> InvalidModel:
    return InvalidModel([Finding(rule, Severity.ERROR, Location(file, line), message)])


def _elements(root: etree._Element) -> Iterator[Element]:
    shared = {
        child.get("id") or "": local_name(child).removesuffix("EventDefinition")
        for child in root.iterchildren(f"{{{BPMN}}}*")
        if local_name(child).endswith("EventDefinition")
    }
    order = 0
    for node in root.iter(f"{{{BPMN}}}*"):
        identity = node.get("id")
        if identity and node is not root:
            order += 1
            yield _element(node, identity, order, shared)


def _element(node: etree._Element, identity: str, order: int, shared: Mapping[str, str]) -> Element:
    kind = local_name(node)
    attributes = {str(name): str(value) for name, value in node.attrib.items() if "{" not in str(name)}
    events: list[str] = []
    children: list[str] = []
    references: dict[str, list[str]] = {}
    loop = text = ""
    for child in node.iterchildren(f"{{{BPMN}}}*"):
        tag = local_name(child)
        if tag.endswith("EventDefinition"):
            events.append(tag.removesuffix("EventDefinition"))
        elif tag == "eventDefinitionRef":
            events.append(shared.get((child.text or "").strip().rpartition(":")[2], ""))
        elif tag in _LOOPS:
            loop = "sequential" if child.get("isSequential") in ("true", "1") else _LOOPS[tag]
        elif tag in _REFERENCES:
            references.setdefault(tag, []).append((child.text or "").strip())
        elif tag == "text":
            text = "".join(map(str, child.itertext())).strip()
        else:
            children.append(tag)
    return Element(
        id=identity,
        kind=kind,
        name=attributes.get("name", ""),
        parent=_parent(node),
        line=line_of(node),
        order=order,
        attributes=attributes,
        events=tuple(events),
        loop=loop,
        text=text,
        references={tag: tuple(values) for tag, values in references.items()},
        children=tuple(children),
    )


def _parent(node: etree._Element) -> str:
    """The nearest enclosing element with an id; a lane set may lack one, so look further out."""
    for ancestor in node.iterancestors():
        if ancestor.get("id") and local_name(ancestor) not in ("laneSet", "childLaneSet", "definitions"):
            return str(ancestor.get("id"))
    return ""
