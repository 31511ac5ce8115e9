"""What browsers send for fields that nobody filled in: ``""`` and null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["resolve", "without_empty"]

MAX_REFERENCES = 20


def resolve(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow local references (``#/$defs/…``); what stands beside a reference wins, as a title there.

    Gives {} for what is no object or refers in a circle.
    """
    beside: dict[str, Any] = {}
    for _ in range(MAX_REFERENCES):
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return {**schema, **beside} if beside else schema
        beside = {name: value for name, value in schema.items() if name != "$ref"} | beside
        target: Any = root
        for part in reference[2:].split("/"):
            step = part.replace("~1", "/").replace("~0", "~")
            target = target.get(step) if isinstance(target, Mapping) else None
        schema = target
    return {}


def _welcomes(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether the schema says itself that the empty ``value`` is an answer."""
    if value in schema.get("enum", ()) or ("const" in schema and schema["const"] == value):
        return True
    if value == "":
        return schema.get("minLength") == 0
    kinds = schema.get("type", ())
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds) or _null_branch(schema)


def _null_branch(schema: Mapping[str, Any]) -> bool:
    branches = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return any(isinstance(branch, Mapping) and branch.get("type") == "null" for branch in branches)


def without_empty(value: Any, schema: Any, root: Mapping[str, Any] | None = None) -> Any:
    """``value`` without the properties that are ``""`` or null, unless the schema admits just that.

    An empty *required* field is dropped too: it then fails as missing, which is what it is.
    """
    top: Mapping[str, Any] = schema if root is None else root
    here = resolve(schema, top)
    if isinstance(value, dict):
        properties = here.get("properties", {})
        kept = {}
        for name, item in value.items():
            field = resolve(properties.get(name, {}), top)
            if name in properties and (item is None or item == "") and not _welcomes(field, item):
                continue
            kept[name] = without_empty(item, field, top)
        return kept
    if isinstance(value, list):
        return [without_empty(item, here.get("items", {}), top) for item in value]
    return value
