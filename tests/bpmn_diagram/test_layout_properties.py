"""What holds for the layout of every diagram, however odd."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from flowkit.bpmn.diagram import Edge, check_layout, layout, read_diagrams
from tests.bpmn_diagram.diagrams import bpmn_files

_EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
_DI = "{http://www.omg.org/spec/BPMN/20100524/DI}BPMNDiagram"


def _without_diagrams(data: bytes) -> bytes:
    root = etree.fromstring(data)
    for diagram in root.findall(_DI):
        root.remove(diagram)
    root[-1].tail = None
    return etree.tostring(root, method="c14n")


@_EXAMPLES
@given(data=bpmn_files(), subprocesses=st.sampled_from(["auto", "expanded", "collapsed"]))
def test_a_layout_passes_every_check(data, subprocesses):
    """Everything is drawn, inside what holds it, overlapping nothing, joined at borders."""
    drawn = layout(data, subprocesses=subprocesses)
    assert [str(finding) for finding in check_layout(drawn)] == []


@_EXAMPLES
@given(data=bpmn_files())
def test_laying_out_again_changes_nothing(data):
    """A layout is a fixed point, so that a hook may run it on every commit."""
    once = layout(data)
    assert layout(once) == once


@_EXAMPLES
@given(data=bpmn_files())
def test_the_model_stays_untouched(data):
    """Only diagrams are replaced."""
    drawn = layout(data)
    assert _without_diagrams(drawn) == _without_diagrams(data)
    assert drawn.startswith(data[: data.index(b"</bpmn:definitions>")].rstrip())


@_EXAMPLES
@given(data=bpmn_files())
def test_flows_are_orthogonal(data):
    """Every piece of a flow is level or upright, and none has no length."""
    for diagram in read_diagrams(layout(data)):
        for edge in diagram.edges:
            if not edge.element.partition("_")[2].startswith("association"):
                assert _orthogonal(edge), edge


def _orthogonal(edge: Edge) -> bool:
    return all((x1 == x2) != (y1 == y2) for (x1, y1), (x2, y2) in pairwise(edge.waypoints))
