"""Element templates for modelers: a handler becomes a task with typed, labelled fields.

The format is that of Camunda's modelers for the ``zeebe`` dialect, so the task type and its inputs are
set without anybody typing them by hand. Numbers, booleans and text may be FEEL; lists and contexts
must be; enumerations become drop-down lists.
"""

from __future__ import annotations

import enum
import types
import typing
from typing import Any

from flowkit.tasks.calls import Parameter
from flowkit.tasks.registry import Handler, Header, Registry

__all__ = ["element_template", "element_templates"]

SCHEMA = "https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json"


def _core(annotation: Any) -> Any:
    """The type without ``Annotated`` and without ``None``."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _core(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [part for part in typing.get_args(annotation) if part is not types.NoneType]
        return _core(members[0]) if len(members) == 1 else Any
    return annotation


def _choices(kind: Any) -> list[dict[str, str]]:
    if typing.get_origin(kind) is typing.Literal:
        return [{"name": str(value), "value": str(value)} for value in typing.get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return [{"name": member.name, "value": str(member.value)} for member in kind]
    return []


def _field(parameter: Parameter) -> dict[str, Any]:
    kind = _core(parameter.annotation)
    field: dict[str, Any] = {
        "label": parameter.variable,
        "binding": {"type": "zeebe:input", "name": parameter.variable},
    }
    choices = _choices(kind)
    if choices:
        field |= {"type": "Dropdown", "choices": choices}
    elif kind is bool:
        field |= {"type": "Boolean", "feel": "static"}
    elif kind in (int, float):
        field |= {"type": "Number", "feel": "optional"}
    elif kind is str:
        field |= {"type": "String", "feel": "optional"}
    else:
        field |= {"type": "Text", "feel": "required"}
    if parameter.required:
        field["constraints"] = {"notEmpty": True}
    elif isinstance(parameter.default, bool | int | float | str) and field["type"] != "Text":
        field["value"] = parameter.default
    else:
        field["optional"] = field["type"] != "Boolean" and not choices
    return field


def _header(header: Header) -> dict[str, Any]:
    field: dict[str, Any] = {
        "label": header.label or header.name,
        "type": "String",
        "binding": {"type": "zeebe:taskHeader", "key": header.name},
    }
    return field | ({"constraints": {"notEmpty": True}} if header.required else {"optional": True})


def element_template(handler: Handler) -> dict[str, Any]:
    """The element template of one handler."""
    properties: list[dict[str, Any]] = [
        {
            "type": "Hidden",
            "value": handler.type,
            "binding": {"type": "zeebe:taskDefinition", "property": "type"},
        }
    ]
    properties += [_field(parameter) for parameter in handler.signature.parameters]
    properties += [_header(header) for header in handler.headers]
    return {
        "$schema": SCHEMA,
        "name": handler.title or handler.type,
        "id": f"flowkit.{handler.type}",
        "description": handler.description.partition("\n\n")[0].replace("\n", " ").replace("``", ""),
        "appliesTo": ["bpmn:Task", "bpmn:ServiceTask", "bpmn:SendTask"],
        "elementType": {"value": "bpmn:ServiceTask"},
        "properties": properties,
    }


def element_templates(registry: Registry) -> list[dict[str, Any]]:
    """The element templates of all handlers, by job type."""
    return [element_template(handler) for handler in sorted(registry, key=lambda handler: handler.type)]
