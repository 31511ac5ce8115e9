"""The diagrams that flowkit ships are tidy."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from flowkit.bpmn.diagram import check_layout, draw, read_diagrams

_FILES = sorted((Path(__file__).parents[2] / "processes").glob("*.bpmn"))


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_a_shipped_diagram_is_clean_and_every_plane_can_be_drawn(path: Path):
    """What a process owner opens: all drawn, in its lane, nothing overlapping, names with room."""
    data = path.read_bytes()
    assert [str(finding) for finding in check_layout(data, file=path.name)] == []
    for diagram in read_diagrams(data):
        root = etree.fromstring(draw(data, diagram=diagram.id).encode())
        drawn = {group.get("data-element-id") for group in root.iter("{*}g")}
        assert {shape.element for shape in diagram.shapes} <= drawn
