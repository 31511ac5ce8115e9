"""Splicing fresh BPMN DI into a file; every byte outside the diagrams stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from flowkit.bpmn.diagram.layout.sheet import Picture
from flowkit.bpmn.diagram.source import BIOC, BPMN, BPMNDI, COLOR, DC, DI, Source

__all__ = ["PlaneOf", "write_diagrams"]


@dataclass(frozen=True, slots=True)
class PlaneOf:
    """A diagram to write: the element that its plane shows, and the picture."""

    owner: str
    picture: Picture


def write_diagrams(data: bytes, source: Source, planes: Sequence[PlaneOf]) -> bytes:
    """Replace the file's ``BPMNDiagram`` elements by one a plane."""
    text = _Writer(source).write(planes)
    encoding = (source.root.getroottree().docinfo.encoding or "UTF-8").upper()
    if encoding in ("UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32"):
        # Offsets of a recoded document are not the file's; such files are stored as UTF-8.
        data = data.decode(encoding).partition("?>")[2].encode() if b"?" in data[:8] else data
        encoding = "UTF-8"
    head, tail = _without_diagrams(data)
    fresh = text.encode(encoding, "xmlcharrefreplace")
    return head.rstrip() + b"\n" + fresh + tail


def _without_diagrams(data: bytes) -> tuple[bytes, bytes]:
    """The file up to the end tag of ``definitions`` without its diagrams, and the rest."""
    cuts: list[tuple[int, int]] = []
    depth, opened, end = 0, 0, len(data)
    parser = expat.ParserCreate(namespace_separator=" ")
    # Entities were refused by read_source; nothing external is ever loaded.
    parser.buffer_text = True

    def start(name: str, _: Any) -> None:
        nonlocal depth, opened
        depth += 1
        if depth == 2 and name == f"{BPMNDI} BPMNDiagram":
            opened = parser.CurrentByteIndex

    def stop(name: str) -> None:
        nonlocal depth, end
        if depth == 2 and name == f"{BPMNDI} BPMNDiagram":
            cuts.append((opened, data.index(b">", parser.CurrentByteIndex) + 1))
        if depth == 1 and name == f"{BPMN} definitions":
            end = parser.CurrentByteIndex
        depth -= 1

    parser.StartElementHandler = start
    parser.EndElementHandler = stop
    parser.Parse(data, True)
    kept, position = b"", 0
    for first, last in cuts:
        kept += data[position:first].rstrip(b" \t\r\n") + b"\n" if position or first else b""
        position = last
    return kept + data[position:end], data[end:]


def _colours(source: Source) -> tuple[dict[str, str], str]:
    """The colours of the replaced diagrams, as attributes by element, and the namespaces they need."""
    known = {uri: prefix for prefix, uri in source.root.nsmap.items() if prefix}
    prefixes = {BIOC: known.get(BIOC, "bioc"), COLOR: known.get(COLOR, "color")}
    found: dict[str, str] = {}
    used: set[str] = set()
    for tag in ("BPMNShape", "BPMNEdge"):
        for node in source.root.iter(f"{{{BPMNDI}}}{tag}"):
            text = ""
            for name, value in node.attrib.items():
                uri, _, local = str(name).strip("{").rpartition("}")
                if uri in prefixes:
                    used.add(uri)
                    text += f" {prefixes[uri]}:{local}={quoteattr(str(value))}"
            if text:
                found.setdefault((node.get("bpmnElement") or "").rpartition(":")[2], text)
    declared = (
        f' xmlns:{prefixes[uri]}="{uri}"' for uri in (BIOC, COLOR) if uri in used and uri not in known
    )
    return found, "".join(declared)


class _Writer:
    """Writes DI with the file's own prefixes where it has them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        known = {uri: prefix for prefix, uri in source.root.nsmap.items() if prefix}
        self.prefixes = {
            uri: known.get(uri, usual) for uri, usual in ((BPMNDI, "bpmndi"), (DC, "dc"), (DI, "di"))
        }
        self.declared = "".join(
            f' xmlns:{self.prefixes[uri]}="{uri}"' for uri in self.prefixes if uri not in known
        )
        self.ids = set(source.elements)
        self.colours, self.declared_colours = _colours(source)
        self.out = StringIO()

    def write(self, planes: Sequence[PlaneOf]) -> str:
        for plane in planes:
            self._diagram(plane)
        return self.out.getvalue()

    def _id(self, wanted: str) -> str:
        identity, count = wanted, 1
        while identity in self.ids:
            count += 1
            identity = f"{wanted}_{count}"
        self.ids.add(identity)
        return identity

    def _diagram(self, plane: PlaneOf) -> None:
        di, out = self.prefixes[BPMNDI], self.out
        identity = quoteattr(self._id(f"BPMNDiagram_{plane.owner}"))
        out.write(f"  <{di}:BPMNDiagram id={identity}{self.declared}{self.declared_colours}>\n")
        identity = quoteattr(self._id(f"BPMNPlane_{plane.owner}"))
        out.write(f"    <{di}:BPMNPlane id={identity} bpmnElement={quoteattr(plane.owner)}>\n")
        for box in plane.picture.boxes:
            self._shape(box.id, box.kind, box.bounds, box.label, box.expanded)
        for key, line in plane.picture.lines.items():
            self._edge(key, line, plane.picture.labels.get(key))
        out.write(f"    </{di}:BPMNPlane>\n  </{di}:BPMNDiagram>\n")

    def _shape(
        self,
        element: str,
        kind: str,
        bounds: tuple[int, int, int, int],
        label: tuple[int, int, int, int] | None,
        expanded: bool | None,
    ) -> None:
        di = self.prefixes[BPMNDI]
        extra = ' isHorizontal="true"' if kind in ("participant", "lane") else ""
        if kind == "exclusiveGateway":
            extra = ' isMarkerVisible="true"'
        if expanded is not None:
            extra = f' isExpanded="{str(expanded).lower()}"'
        extra += self.colours.get(element, "")
        identity = quoteattr(self._id(f"{element}_di"))
        self.out.write(f"      <{di}:BPMNShape id={identity} bpmnElement={quoteattr(element)}{extra}>\n")
        self._bounds(bounds, "        ")
        self._label(label)
        self.out.write(f"      </{di}:BPMNShape>\n")

    def _edge(
        self, element: str, line: Sequence[tuple[int, int]], label: tuple[int, int, int, int] | None
    ) -> None:
        di, extra = self.prefixes[BPMNDI], self.colours.get(element, "")
        identity = quoteattr(self._id(f"{element}_di"))
        self.out.write(f"      <{di}:BPMNEdge id={identity} bpmnElement={quoteattr(element)}{extra}>\n")
        for x, y in line:
            self.out.write(f'        <{self.prefixes[DI]}:waypoint x="{x}" y="{y}" />\n')
        self._label(label)
        self.out.write(f"      </{di}:BPMNEdge>\n")

    def _label(self, label: tuple[int, int, int, int] | None) -> None:
        if label is None:
            return
        di = self.prefixes[BPMNDI]
        self.out.write(f"        <{di}:BPMNLabel>\n")
        self._bounds(label, "          ")
        self.out.write(f"        </{di}:BPMNLabel>\n")

    def _bounds(self, bounds: tuple[int, int, int, int], indent: str) -> None:
        x, y, width, height = bounds
        dc = self.prefixes[DC]
        self.out.write(f'{indent}<{dc}:Bounds x="{x}" y="{y}" width="{width}" height="{height}" />\n')
