"""What runs as a process runs the same inside something: each executable model once more, put into a
subprocess, a transaction, one instance of many; or written in another way that means the same."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from lxml import etree

from tests.conformance import test_execute_events, test_execute_flow, test_execute_mix, test_execute_more
from tests.conformance.running import Case, file, follow

CASES = [
    case
    for module in (test_execute_events, test_execute_flow, test_execute_mix, test_execute_more)
    for case in module.CASES
    if case.name != "recursion with a way out"  # what is called would be wrapped as well
]
LONG = (
    pytest.mark.nightly,
    pytest.mark.skipif(not os.environ.get("FLOWKIT_NIGHTLY"), reason="long: set FLOWKIT_NIGHTLY=1"),
)
_BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_N = f"{{{_BPMN}}}"
_ONCE = (
    f'<multiInstanceLoopCharacteristics xmlns="{_BPMN}"><loopCardinality>1</loopCardinality>'
    "</multiInstanceLoopCharacteristics>"
)
_OF_A_PROCESS = {
    "ioSpecification",
    "auditing",
    "monitoring",
    "property",
    "laneSet",
    "correlationSubscription",
}


def wrapped(model: bytes, tag: str, once: bool) -> bytes | None:
    """The content of process ``p`` in a subprocess ``wrap``; None where it can't stand in one."""
    root = etree.fromstring(model)
    process = next(one for one in root.iter(f"{_N}process") if one.get("id") == "p")
    starts = process.findall(f"{_N}startEvent")
    apart = any(etree.QName(child).localname in _OF_A_PROCESS for child in process)
    if apart or len(starts) > 1 or any(len(start.findall(f"{_N}*[@id]")) for start in starts):
        return None
    if any(
        etree.QName(child).localname.endswith(("Definition", "DefinitionRef")) for s in starts for child in s
    ):
        return None
    inner = etree.Element(f"{_N}{tag}", id="wrap")
    if once:
        inner.append(etree.fromstring(_ONCE))
    for child in list(process):
        inner.append(child)
    etree.SubElement(process, f"{_N}startEvent", id="wrap_s")
    process.append(inner)
    etree.SubElement(process, f"{_N}endEvent", id="wrap_e")
    etree.SubElement(process, f"{_N}sequenceFlow", id="wrap_1", sourceRef="wrap_s", targetRef="wrap")
    etree.SubElement(process, f"{_N}sequenceFlow", id="wrap_2", sourceRef="wrap", targetRef="wrap_e")
    return bytes(etree.tostring(root))


@pytest.mark.parametrize(
    ("tag", "once"),
    [
        ("subProcess", False),
        pytest.param("transaction", False, marks=LONG),
        pytest.param("subProcess", True, marks=LONG),
    ],
)
@pytest.mark.parametrize("case", [c for c in CASES if c.given is not None], ids=lambda case: case.name)
def test_a_model_goes_the_same_way_inside(case: Case, tag: str, once: bool) -> None:
    model = wrapped(file(case.model), tag, once)
    if model is None:
        pytest.skip("only a process can hold this")
    trail, status = follow(case, model)
    first, *others = case.trail.split(" | ")
    over = case.status in ("completed", "terminated")
    inside = f"wrap_s {first}" + (f"{' wrap' * (2 if once else 1)} wrap_e" if over else "")
    assert (trail[0], sorted(trail[1:])) == (inside, sorted(others))
    assert status == ("completed" if over else "active")


def with_references(model: bytes) -> bytes:
    """Every event definition as one that stands outside and is referred to."""
    root = etree.fromstring(model)
    first = next(one for one in root if one.tag == f"{_N}process")
    for number, found in enumerate(list(root.iter(f"{_N}*"))):
        event = found.getparent()
        shared = event is None or not etree.QName(event).localname.endswith("Event")
        if shared or not found.tag.endswith("EventDefinition") or found.tag == f"{_N}linkEventDefinition":
            continue
        if found.get("activityRef") is None:
            found.set("id", found.get("id") or f"shared{number}")
            reference = etree.Element(f"{_N}eventDefinitionRef")
            reference.text = found.get("id")
            event.replace(found, reference)
            first.addprevious(found)
    return bytes(etree.tostring(root))


def with_prefix(model: bytes) -> bytes:
    """The namespace of BPMN under a prefix."""
    text = model.decode().replace(
        f'xmlns="{_BPMN}"', f'xmlns:semantic="{_BPMN}" xmlns="http://example.com/t"'
    )
    root = etree.fromstring(model)
    for tag in {etree.QName(one).localname for one in root.iter(f"{_N}*")}:
        for old, new in ((f"<{tag}", f"<semantic:{tag}"), (f"</{tag}", f"</semantic:{tag}")):
            for end in (" ", ">", "/"):
                text = text.replace(old + end, new + end)
    return text.replace('xsi:type="t', 'xsi:type="semantic:t').encode()


@pytest.mark.nightly
@pytest.mark.skipif(not os.environ.get("FLOWKIT_NIGHTLY"), reason="long: set FLOWKIT_NIGHTLY=1")
@pytest.mark.parametrize("write", [with_references, with_prefix])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_model_goes_the_same_way_written_otherwise(case: Case, write: Callable[[bytes], bytes]) -> None:
    trail, _ = follow(case, write(file(case.model)))
    first, *others = case.trail.split(" | ")
    assert (trail[0], sorted(trail[1:])) == (first, sorted(others))
