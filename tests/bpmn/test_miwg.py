"""Files of the OMG interchange group are read, whoever wrote them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from flowkit.bpmn import lint, parse, write
from flowkit.bpmn.model import FlowElementsContainer, FlowNode, SubProcess
from flowkit.bpmn.schema import BPMN, is_a

SUITE = Path(os.environ.get("FLOWKIT_MIWG", Path(__file__).parents[2] / ".." / "shared" / "miwg"))
FILES = sorted(SUITE.rglob("*.bpmn")) if SUITE.is_dir() else []

pytestmark = pytest.mark.skipif(
    not FILES, reason="the MIWG files are not here; set FLOWKIT_MIWG to their folder"
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_file_is_read_with_every_flow_node(path: Path) -> None:
    data = path.read_bytes()
    definitions = parse(data, file=path.name)
    expected = [
        node.get("id")
        for node in etree.fromstring(data).iter(f"{{{BPMN}}}*")
        if is_a(etree.QName(node).localname, "flowNode")
    ]
    found = [node.id for process in definitions.processes for node in _nodes(process)]
    assert found == expected
    assert len(found) + len(definitions.collaborations) > 0


def _nodes(container: FlowElementsContainer) -> Iterator[FlowNode]:
    for node in container.nodes:
        yield node
        if isinstance(node, SubProcess):
            yield from _nodes(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_is_read_is_written_back_and_can_be_checked(path: Path) -> None:
    definitions = parse(path.read_bytes(), file=path.name)
    assert write(definitions) == path.read_bytes()
    assert all(finding.location.line > 0 for finding in lint(definitions))
