"""Files of the OMG interchange group are read, whoever wrote them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowkit.bpmn import parse

SUITE = Path(os.environ.get("FLOWKIT_MIWG", Path(__file__).parents[2] / ".." / "shared" / "miwg"))
FILES = sorted(SUITE.rglob("*.bpmn")) if SUITE.is_dir() else []

pytestmark = pytest.mark.skipif(
    not FILES, reason="the MIWG files are not here; set FLOWKIT_MIWG to their folder"
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_file_is_read_with_every_flow_node(path: Path) -> None:
    data = path.read_bytes()
    definitions = parse(data, file=path.name)
    assert definitions.source == data
    assert definitions.processes or definitions.collaborations
