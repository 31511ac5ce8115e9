"""Faults of a form told to the person who filled it in: by field title, in the form's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from flowkit.tasks.forms.cleaning import resolve

__all__ = ["problem", "speaks_chinese"]

_CJK = re.compile("[\u4e00-\u9fff]")
_TYPES = {
    "string": "文字",
    "integer": "整数",
    "number": "数字",
    "boolean": "是或否",
    "array": "列表",
    "object": "一组字段",
    "null": "空",
}
_FORMATS = {
    "date": "日期(如 2025-03-01)",
    "date-time": "日期时间(如 2025-03-01T09:00:00)",
    "time": "时间(如 09:00:00)",
    "duration": "时长(如 PT2H)",
    "email": "电子邮箱",
    "uri": "网址",
}


def speaks_chinese(schema: Mapping[str, Any]) -> bool:
    """Whether a title anywhere in ``schema`` is written in Chinese characters."""
    todo: list[Any] = [schema]
    while todo:
        node = todo.pop()
        if isinstance(node, Mapping):
            title = node.get("title")
            if isinstance(title, str) and _CJK.search(title):
                return True
            todo += node.values()
        elif isinstance(node, list):
            todo += node
    return False


def _listing(values: Any) -> str:
    return ", ".join(str(value) for value in list(values)[:20])


def _types(kinds: Any, names: Mapping[str, str]) -> list[str]:
    return [names.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)]


_CHINESE: Mapping[str, Callable[[Any], str]] = {
    "type": lambda wanted: f"应为{'或'.join(_types(wanted, _TYPES))}",
    "minLength": lambda wanted: f"至少 {wanted} 个字",
    "maxLength": lambda wanted: f"最多 {wanted} 个字",
    "minimum": lambda wanted: f"不能小于 {wanted}",
    "maximum": lambda wanted: f"不能大于 {wanted}",
    "exclusiveMinimum": lambda wanted: f"必须大于 {wanted}",
    "exclusiveMaximum": lambda wanted: f"必须小于 {wanted}",
    "multipleOf": lambda wanted: f"必须是 {wanted} 的倍数",
    "minItems": lambda wanted: f"至少 {wanted} 项",
    "maxItems": lambda wanted: f"最多 {wanted} 项",
    "uniqueItems": lambda _: "各项不能重复",
    "enum": lambda wanted: f"只能是: {_listing(wanted)}",
    "const": lambda wanted: "必须勾选" if wanted is True else f"只能是 {wanted}",
    "format": lambda wanted: f"不是有效的{_FORMATS.get(wanted, wanted)}",
    "pattern": lambda wanted: f"格式不对(应符合 {wanted})",
    "required": lambda _: "必填",
    "contains": lambda _: "缺少必需的一项",
    "minProperties": lambda wanted: f"至少填 {wanted} 项",
    "maxProperties": lambda wanted: f"最多填 {wanted} 项",
    "propertyNames": lambda _: "有不允许的字段名",
}
_ENGLISH: Mapping[str, Callable[[Any], str]] = {
    "type": lambda wanted: f"expected {' or '.join(_types(wanted, {}))}",
    "minLength": lambda wanted: f"needs at least {wanted} characters",
    "maxLength": lambda wanted: f"takes at most {wanted} characters",
    "minimum": lambda wanted: f"must be at least {wanted}",
    "maximum": lambda wanted: f"must be at most {wanted}",
    "exclusiveMinimum": lambda wanted: f"must be greater than {wanted}",
    "exclusiveMaximum": lambda wanted: f"must be less than {wanted}",
    "multipleOf": lambda wanted: f"must be a multiple of {wanted}",
    "minItems": lambda wanted: f"needs at least {wanted} items",
    "maxItems": lambda wanted: f"takes at most {wanted} items",
    "uniqueItems": lambda _: "has an item twice",
    "enum": lambda wanted: f"must be one of {_listing(wanted)}",
    "const": lambda wanted: "must be ticked" if wanted is True else f"must be {wanted}",
    "format": lambda wanted: f"is no valid {wanted}",
    "pattern": lambda wanted: f"must match {wanted}",
    "required": lambda _: "is required",
    "contains": lambda _: "lacks an item that must be there",
    "minProperties": lambda wanted: f"needs at least {wanted} fields",
    "maxProperties": lambda wanted: f"takes at most {wanted} fields",
    "propertyNames": lambda _: "has a field whose name is not allowed",
}


def _pointer(path: Any) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _step(schema: Mapping[str, Any], part: str | int, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a property or item, looked for in combinations too: only to find its title."""
    if isinstance(part, int):
        return resolve(schema.get("items", {}), root)
    found = schema.get("properties", {}).get(part)
    if found is None:
        for keyword in ("allOf", "anyOf", "oneOf"):
            for branch in schema.get(keyword, ()):
                found = resolve(branch, root).get("properties", {}).get(part)
                if found is not None:
                    return resolve(found, root)
    return resolve(found, root) if found is not None else {}


def _field(path: Any, root: Mapping[str, Any], chinese: bool) -> tuple[str, Mapping[str, Any]]:
    """The field's name as its reader knows it, and its schema."""
    here: Mapping[str, Any] = resolve(root, root)
    names: list[str] = []
    for part in path:
        here = _step(here, part, root)
        if isinstance(part, int):
            names.append(f"第{part + 1}项" if chinese else f"item {part + 1}")
        else:
            names.append(str(here.get("title") or part))
    return (" › ".join(names), here)


def _reason(error: Any, field: Mapping[str, Any], chinese: bool) -> str:
    keyword = str(error.validator)
    if keyword == "required" and field.get("const") is True:
        return "必须勾选" if chinese else "must be ticked"
    if keyword in ("anyOf", "oneOf") and error.context:
        deepest = max(error.context, key=lambda part: (len(part.path), part.validator != "type"))
        return _reason(deepest, field, chinese)
    if keyword == "additionalProperties":
        known = error.schema.get("properties", {})
        extra = _listing(sorted(name for name in error.instance if name not in known))
        return f"有不认识的字段: {extra}" if chinese else f"has fields that the form does not know: {extra}"
    if keyword == "dependentRequired":
        return "缺少相关字段" if chinese else error.message
    words = (_CHINESE if chinese else _ENGLISH).get(keyword)
    if words is not None:
        return words(error.validator_value)
    return "不符合要求" if chinese else error.message[:200]


def problem(error: Any, schema: Mapping[str, Any], *, chinese: bool) -> tuple[str, str]:
    """``(JSON pointer, message)`` of one fault that jsonschema found."""
    path = list(error.absolute_path)
    name, field = _field(path, schema, chinese)
    reason = _reason(error, field, chinese)
    if chinese:
        return _pointer(path), f"「{name}」{reason}" if name else reason
    return _pointer(path), f"{name} {reason}" if name else reason
