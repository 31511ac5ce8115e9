"""BPMN files for these tests: written by hand in short form, or random."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"'
    ' xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"'
    ' xmlns:di="http://www.omg.org/spec/DD/20100524/DI"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="defs" targetNamespace="urn:test">\n'
)


def definitions(content: str) -> bytes:
    """A file around processes and collaborations."""
    return f"{_HEAD}{content}\n</bpmn:definitions>\n".encode()


def process(content: str, identity: str = "p") -> bytes:
    """A file with one process; ``content`` may use ``a > b`` lines for flows and ``kind id`` for nodes."""
    return definitions(f'<bpmn:process id="{identity}" isExecutable="true">{short(content)}</bpmn:process>')


def short(text: str) -> str:
    """``startEvent s`` makes a node, ``s > a`` a flow, ``s > a: yes`` a named one; XML stays."""
    out = []
    for line in (line.strip() for line in text.strip().splitlines()):
        if line.startswith("<") or not line:
            out.append(line)
        elif " > " in line:
            ends, _, name = line.partition(":")
            source, target = (end.strip() for end in ends.split(" > "))
            out.append(
                f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}"'
                f" name={quoteattr(name.strip())}/>"
            )
        else:
            kind, identity, *name = line.split(maxsplit=2)
            out.append(f"<bpmn:{kind} id={quoteattr(identity)} name={quoteattr(name[0] if name else '')}/>")
    return "\n".join(out)


@dataclass
class _Builder:
    """Collects one random process."""

    draw: st.DrawFn
    prefix: str
    nodes: list[str] = field(default_factory=list)
    xml: list[str] = field(default_factory=list)
    count: int = 0

    def identity(self, kind: str) -> str:
        self.count += 1
        return f"{self.prefix}{kind}{self.count}"


_KINDS = ("task", "userTask", "serviceTask", "exclusiveGateway", "parallelGateway", "intermediateThrowEvent")
_NAMES = st.sampled_from(
    [
        "",
        "",
        "核对",
        "通知客户到店取车",
        "Check the order <b>&",
        "超过15天未处理并且客户没有任何回复怎么办",
        "x",
    ]
)


@st.composite
def bpmn_files(draw: st.DrawFn) -> bytes:
    """Random processes: any graph, lanes, pools, subprocesses, boundary events, messages, artifacts."""
    pools = draw(st.integers(0, 3))
    if pools == 0:
        return definitions(_process(draw, "p0", draw(st.booleans()))[0])
    parts, participants, ends = [], [], []
    for index in range(pools):
        name = quoteattr(draw(_NAMES))
        if index and draw(st.booleans()):
            participants.append(f'<bpmn:participant id="pool{index}" name={name}/>')
            ends.append([f"pool{index}"])
            continue
        xml, nodes = _process(draw, f"p{index}", draw(st.booleans()))
        parts.append(xml)
        participants.append(f'<bpmn:participant id="pool{index}" name={name} processRef="p{index}"/>')
        ends.append([*nodes, f"pool{index}"])
    messages = []
    for number in range(draw(st.integers(0, 5)) if pools > 1 else 0):
        one, two = draw(st.permutations(range(pools)))[:2]
        source, target = draw(st.sampled_from(ends[one])), draw(st.sampled_from(ends[two]))
        messages.append(
            f'<bpmn:messageFlow id="m{number}" name={quoteattr(draw(_NAMES))}'
            f' sourceRef="{source}" targetRef="{target}"/>'
        )
    collaboration = "".join(participants + messages)
    return definitions(f'<bpmn:collaboration id="c">{collaboration}</bpmn:collaboration>' + "".join(parts))


def _process(draw: st.DrawFn, identity: str, laned: bool) -> tuple[str, list[str]]:
    builder = _Builder(draw, f"{identity}_")
    content = _content(builder, depth=0)
    lanes = ""
    if laned and builder.nodes:
        rows: list[list[str]] = [[] for _ in range(draw(st.integers(1, 4)))]
        for node in builder.nodes:
            if draw(st.integers(0, 9)):
                draw(st.sampled_from(rows)).append(f"<bpmn:flowNodeRef>{node}</bpmn:flowNodeRef>")
        written = [
            f'<bpmn:lane id="{identity}_l{i}" name={quoteattr(draw(_NAMES))}>{"".join(row)}</bpmn:lane>'
            for i, row in enumerate(rows)
        ]
        if len(written) > 2 and draw(st.booleans()):
            nested = "".join(written[1:])
            written = [
                written[0],
                f'<bpmn:lane id="{identity}_outer"><bpmn:childLaneSet id="{identity}_cls">{nested}'
                "</bpmn:childLaneSet></bpmn:lane>",
            ]
        lanes = f'<bpmn:laneSet id="{identity}_ls">{"".join(written)}</bpmn:laneSet>'
    return f'<bpmn:process id="{identity}">{lanes}{content}</bpmn:process>', builder.nodes


def _content(builder: _Builder, depth: int) -> str:
    draw = builder.draw
    nodes: list[str] = []
    sources: list[str] = []
    out: list[str] = []
    kinds = [*_KINDS, "subProcess", "event"] if depth < 2 else [*_KINDS]
    for _ in range(draw(st.integers(1, 9 if depth == 0 else 4))):
        kind = draw(st.sampled_from(kinds))
        name = quoteattr(draw(_NAMES))
        aside = kind == "event"
        kind = "subProcess" if aside else kind
        identity = builder.identity(kind)
        body = _content(builder, depth + 1) if kind == "subProcess" else ""
        extra = ' triggeredByEvent="true"' if aside else ""
        out.append(f'<bpmn:{kind} id="{identity}" name={name}{extra}>{body}</bpmn:{kind}>')
        if depth == 0:
            builder.nodes.append(identity)
        if not aside:
            nodes.append(identity)
            sources.append(identity)
            if kind.endswith(("ask", "Process")):
                out.extend(_boundaries(builder, identity, sources))
    for kind, place in (("startEvent", 0), ("endEvent", -1)):
        if draw(st.booleans()) and nodes:
            identity = builder.identity(kind)
            out.append(f'<bpmn:{kind} id="{identity}" name={quoteattr(draw(_NAMES))}/>')
            pair = (identity, nodes[place]) if kind == "startEvent" else (nodes[place], identity)
            out.append(_flow(builder, *pair))
            if depth == 0:
                builder.nodes.append(identity)
    if nodes:
        for source, target in pairwise(nodes):
            if draw(st.integers(0, 4)):
                out.append(_flow(builder, source, target))
        for _ in range(draw(st.integers(0, 5))):
            out.append(_flow(builder, draw(st.sampled_from(sources)), draw(st.sampled_from(nodes))))
    out.extend(_artifacts(builder, nodes))
    return "".join(out)


def _boundaries(builder: _Builder, host: str, sources: list[str]) -> list[str]:
    out = []
    for _ in range(builder.draw(st.sampled_from([0, 0, 0, 1, 2, 3]))):
        identity = builder.identity("boundary")
        name = quoteattr(builder.draw(_NAMES))
        out.append(f'<bpmn:boundaryEvent id="{identity}" attachedToRef="{host}" name={name}/>')
        sources.append(identity)
    return out


def _flow(builder: _Builder, source: str, target: str) -> str:
    identity, name = builder.identity("flow"), quoteattr(builder.draw(_NAMES))
    return f'<bpmn:sequenceFlow id="{identity}" name={name} sourceRef="{source}" targetRef="{target}"/>'


def _artifacts(builder: _Builder, nodes: list[str]) -> list[str]:
    draw, out = builder.draw, []
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        kind = draw(st.sampled_from(["textAnnotation", "dataObjectReference", "dataStoreReference"]))
        identity = builder.identity(kind)
        text = f"<bpmn:text>{escape(draw(_NAMES))}</bpmn:text>" if kind == "textAnnotation" else ""
        out.append(f'<bpmn:{kind} id="{identity}" name={quoteattr(draw(_NAMES))}>{text}</bpmn:{kind}>')
        if nodes and draw(st.booleans()):
            node = draw(st.sampled_from(nodes))
            out.append(
                f'<bpmn:association id="{builder.identity("association")}"'
                f' sourceRef="{node}" targetRef="{identity}"/>'
            )
    return out
