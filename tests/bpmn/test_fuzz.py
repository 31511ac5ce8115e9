"""Random damage: reading and checking answer with findings, never with another exception."""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from flowkit.bpmn import check_deployable, lint, parse
from flowkit.bpmn.schema import BPMN, ELEMENTS, ENUMERATIONS
from flowkit.errors import InvalidModel
from flowkit.kernel import compile_process
from tests.bpmn.snippets import whole_file
from tests.bpmn.test_agreement import RIGHT

NIGHTLY = bool(os.environ.get("FLOWKIT_NIGHTLY"))
PROFILE = settings(
    max_examples=5_000 if NIGHTLY else 300,
    deadline=None,
    derandomize=not NIGHTLY,
    suppress_health_check=list(HealthCheck),
)
PROCESSES = [path.read_bytes() for path in sorted((Path(__file__).parents[2] / "processes").glob("*.bpmn"))]
SEEDS = [whole_file(text) for text in RIGHT.values()]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sound file with bytes cut out, doubled or replaced."""
    data = bytearray(draw(st.sampled_from(PROCESSES + SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 40))
        data[at : at + length] = draw(st.one_of(st.binary(max_size=8), st.just(bytes(data[at : at + 60]))))
    return bytes(data)


@PROFILE
@given(damaged())
def test_damaged_bytes_give_a_model_or_a_refusal(data: bytes) -> None:
    try:
        definitions = parse(data, file="damaged.bpmn")
    except InvalidModel:
        return
    lint(definitions)


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """A sound small diagram whose elements and attributes were shuffled about."""
    root = copy.deepcopy(etree.fromstring(draw(st.sampled_from(SEEDS))))
    identifiers = [node.get("id") for node in root.iter(f"{{{BPMN}}}*") if node.get("id")] + ["nobody"]
    words = ["true", "false", "2", "-1", "", "=", "=x + 1", "PT1H", "R/P1D", "${x}"]
    words += [word for values in ENUMERATIONS.values() for word in values]
    for _ in range(draw(st.integers(1, 3))):
        node = draw(st.sampled_from(list(root.iter(etree.Element))))
        parent = node.getparent()
        name = re.sub(r"\{.*\}", "", str(node.tag))
        action = draw(st.sampled_from(["drop", "rename", "copy", "move", "set", "unset", "text"]))
        if action == "unset" and node.attrib:
            del node.attrib[draw(st.sampled_from(sorted(node.attrib)))]
        elif action == "set":
            known = sorted(ELEMENTS[name].attributes) if name in ELEMENTS else sorted(node.attrib)
            if known:
                node.set(draw(st.sampled_from(known)), draw(st.sampled_from(identifiers + words)))
        elif action == "text":
            node.text = draw(st.sampled_from(identifiers + words))
        elif parent is None:
            continue
        elif action == "drop":
            parent.remove(node)
        elif action == "rename":
            node.tag = f"{{{BPMN}}}{draw(st.sampled_from(sorted(ELEMENTS)))}"
        elif action == "copy":
            parent.append(copy.deepcopy(node))
        else:
            target = draw(st.sampled_from(list(root.iter(f"{{{BPMN}}}*"))))
            if node not in list(target.iterancestors()) and target is not node:
                target.append(node)
    return etree.tostring(root)


@PROFILE
@given(mutants())
def test_shuffled_diagram_is_refused_or_compiles(data: bytes) -> None:
    definitions = parse(data)
    try:
        check_deployable(definitions)
    except InvalidModel:
        return
    for process in definitions.processes:
        if process.is_executable:
            compile_process(definitions, process.id)
