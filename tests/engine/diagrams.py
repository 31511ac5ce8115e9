"""Small diagrams for the engine's tests: nodes in a row, or nodes and flows by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'id="definitions" targetNamespace="http://example.com">'
)


def file(*parts: str) -> bytes:
    """A BPMN file of root elements."""
    return (HEAD + "".join(parts) + "</bpmn:definitions>").encode()


def process(process_id: str, *nodes: str, flows: Iterable[Sequence[str]] = ()) -> str:
    """A process; ``flows`` are ``(source, target)`` or ``(source, target, condition)``."""
    return (
        f'<bpmn:process id="{process_id}" name="{process_id}" isExecutable="true">'
        + "".join(nodes)
        + "".join(_flow(number, *flow) for number, flow in enumerate(flows))
        + "</bpmn:process>"
    )


def _flow(number: int, source: str, target: str, condition: str = "") -> str:
    inner = ""
    if condition:
        inner = (
            '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">'
            f"={condition}</bpmn:conditionExpression>"
        )
    ends = f'id="f_{source}_{target}_{number}" sourceRef="{source}" targetRef="{target}"'
    return f"<bpmn:sequenceFlow {ends}>{inner}</bpmn:sequenceFlow>"


def row(process_id: str, *nodes: str) -> bytes:
    """A file with one process: start, ``nodes`` one after the other, end."""
    ids = ["start", *(node.split('id="', 1)[1].split('"', 1)[0] for node in nodes), "end"]
    every = [element("startEvent", "start"), *nodes, element("endEvent", "end")]
    return file(process(process_id, *every, flows=list(pairwise(ids))))


def element(tag: str, element_id: str, inner: str = "", **attributes: str) -> str:
    extra = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<bpmn:{tag} id="{element_id}" name="{element_id}"{extra}>{inner}</bpmn:{tag}>'


def extended(*elements: str) -> str:
    return f"<bpmn:extensionElements>{''.join(elements)}</bpmn:extensionElements>"


def service(element_id: str, job_type: str, retries: int = 3, headers: dict[str, str] | None = None) -> str:
    rows = "".join(f'<zeebe:header key="{k}" value="{v}"/>' for k, v in (headers or {}).items())
    inner = extended(
        f'<zeebe:taskDefinition type="{job_type}" retries="{retries}"/>',
        f"<zeebe:taskHeaders>{rows}</zeebe:taskHeaders>" if rows else "",
    )
    return element("serviceTask", element_id, inner)


def user(element_id: str, groups: str = "", assignee: str = "", form: str = "") -> str:
    parts = ["<zeebe:userTask/>"]
    if groups or assignee:
        who = f' candidateGroups="{groups}"' if groups else ""
        who += f' assignee="{assignee}"' if assignee else ""
        parts.append(f"<zeebe:assignmentDefinition{who}/>")
    if form:
        parts.append(f'<zeebe:formDefinition formId="{form}"/>')
    return element("userTask", element_id, extended(*parts))


def call(element_id: str, process_id: str, binding: str = "latest", version_tag: str = "") -> str:
    tag = f' versionTag="{version_tag}"' if version_tag else ""
    inner = extended(
        f'<zeebe:calledElement processId="{process_id}" bindingType="{binding}"{tag} '
        'propagateAllChildVariables="true" propagateAllParentVariables="true"/>'
    )
    return element("callActivity", element_id, inner)


def timer(kind: str, text: str) -> str:
    """``kind``: timeDuration, timeDate or timeCycle."""
    return (
        "<bpmn:timerEventDefinition>"
        f'<bpmn:{kind} xsi:type="bpmn:tFormalExpression">{text}</bpmn:{kind}>'
        "</bpmn:timerEventDefinition>"
    )


def catch(element_id: str, definition: str) -> str:
    return element("intermediateCatchEvent", element_id, definition)


def message(name: str, key: str = "") -> str:
    """A root message, to be referred to as ``m_<name>``."""
    inner = extended(f'<zeebe:subscription correlationKey="={key}"/>') if key else ""
    return f'<bpmn:message id="m_{name}" name="{name}">{inner}</bpmn:message>'


def on_message(name: str) -> str:
    return f'<bpmn:messageEventDefinition messageRef="m_{name}"/>'


def signal(name: str) -> str:
    return f'<bpmn:signal id="s_{name}" name="{name}"/>'


def on_signal(name: str) -> str:
    return f'<bpmn:signalEventDefinition signalRef="s_{name}"/>'
