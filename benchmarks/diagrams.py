"""The diagrams of the durability benchmarks, for flowkit and for its peers."""

from __future__ import annotations

from itertools import pairwise

__all__ = ["crowd", "loop", "service_tasks", "user_tasks"]

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="http://example.com">'
    '<bpmn:process id="work" isExecutable="true"><bpmn:startEvent id="start"/>'
)
_TAIL = '<bpmn:endEvent id="end"/>{flows}</bpmn:process></bpmn:definitions>'


def _row(nodes: list[tuple[str, str]]) -> bytes:
    ids = ["start", *(node for node, _ in nodes), "end"]
    flows = "".join(
        f'<bpmn:sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}"/>'
        for number, (source, target) in enumerate(pairwise(ids))
    )
    return (_HEAD + "".join(text for _, text in nodes) + _TAIL.format(flows=flows)).encode()


def _service(node: str) -> str:
    definition = '<zeebe:taskDefinition type="work" retries="3"/>'
    return (
        f'<bpmn:serviceTask id="{node}"><bpmn:extensionElements>{definition}'
        "</bpmn:extensionElements></bpmn:serviceTask>"
    )


def user_tasks(count: int = 10) -> bytes:
    """``count`` user tasks in a row."""
    return _row([(f"t{number}", f'<bpmn:userTask id="t{number}"/>') for number in range(count)])


def crowd() -> bytes:
    """One user task for each of ``items``, all at once."""
    each = (
        '<bpmn:userTask id="t"><bpmn:multiInstanceLoopCharacteristics><bpmn:extensionElements>'
        '<zeebe:loopCharacteristics inputCollection="=items" inputElement="item"/></bpmn:extensionElements>'
        "</bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>"
    )
    return _row([("t", each)])


def service_tasks(count: int = 10) -> bytes:
    """``count`` service tasks of type *work* in a row."""
    return _row([(f"t{number}", _service(f"t{number}")) for number in range(count)])


def loop() -> bytes:
    """One service task, again and again while ``n < count``."""
    flows = (
        '<bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="merge"/>'
        '<bpmn:sequenceFlow id="f2" sourceRef="merge" targetRef="t"/>'
        '<bpmn:sequenceFlow id="f3" sourceRef="t" targetRef="more"/>'
        '<bpmn:sequenceFlow id="f4" sourceRef="more" targetRef="merge">'
        '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">=n &lt; count'
        "</bpmn:conditionExpression></bpmn:sequenceFlow>"
        '<bpmn:sequenceFlow id="f5" sourceRef="more" targetRef="end"/>'
    )
    nodes = (
        '<bpmn:exclusiveGateway id="merge"/>'
        + _service("t")
        + '<bpmn:exclusiveGateway id="more" default="f5"/>'
    )
    return (_HEAD + nodes + _TAIL.format(flows=flows)).encode()
