"""Forms of form-js (``.form``), the format of the modelers' form editor, read as JSON Schema.

Fields keep their meaning: label, type, ``validate`` and options. Components that only show something
are skipped; a component that takes input but can't be checked is refused. A ``conditional.hide``
expression (FEEL) is evaluated over what was filled in: a hidden field is not asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flowkit.errors import InvalidExpression
from flowkit.findings import Finding, Location, Severity

__all__ = ["check_form_js", "hidden_paths", "hide_conditions", "to_schema"]

Component = Mapping[str, Any]
Path = tuple[str, ...]

_SHOWN = "text html image button spacer separator iframe table documentPreview expression"
PRESENTATION = frozenset(_SHOWN.split())
"""Components that take no input; an *expression* field is computed, not filled in."""
CONTAINERS = frozenset({"group", "dynamiclist"})
MAX_DEPTH = 30
PHONE = r"^\+?[0-9() -]{5,20}$"


def _options(component: Component) -> dict[str, Any]:
    if "valuesExpression" in component or "valuesKey" in component or "values" not in component:
        return {}
    return {"enum": [option.get("value") for option in component["values"] if isinstance(option, Mapping)]}


def _text(component: Component) -> dict[str, Any]:
    rules = component.get("validate", {})
    schema: dict[str, Any] = {"type": "string"}
    schema |= {name: rules[name] for name in ("minLength", "maxLength", "pattern") if name in rules}
    kind = rules.get("validationType")
    if kind == "email":
        schema["format"] = "email"
    elif kind == "phone":
        schema["pattern"] = PHONE
    return schema


def _number(component: Component) -> dict[str, Any]:
    rules = component.get("validate", {})
    as_text = bool(component.get("serializeToString"))
    schema: dict[str, Any] = {"type": ["number", "string"] if as_text else "number"}
    if "min" in rules:
        schema["minimum"] = rules["min"]
    if "max" in rules:
        schema["maximum"] = rules["max"]
    if component.get("decimalDigits") == 0 and not as_text:
        schema["type"] = "integer"
    return schema


def _moment(component: Component) -> dict[str, Any]:
    formats = {"date": "date", "datetime": "date-time"}
    kind = component.get("subtype", "date")
    return {"type": "string", "format": formats[kind]} if kind in formats else {"type": "string"}


def _checkbox(component: Component) -> dict[str, Any]:
    return {"const": True} if component.get("validate", {}).get("required") else {"type": "boolean"}


def _several(component: Component) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array", "items": _options(component), "uniqueItems": True}
    if component.get("validate", {}).get("required"):
        schema["minItems"] = 1
    return schema


FIELDS: Mapping[str, Callable[[Component], dict[str, Any]]] = {
    "textfield": _text,
    "textarea": _text,
    "number": _number,
    "datetime": _moment,
    "checkbox": _checkbox,
    "radio": _options,
    "select": _options,
    "checklist": _several,
    "taglist": _several,
    "filepicker": lambda _: {"type": "array"},
}


def _children(component: Component) -> list[Component]:
    found = component.get("components", [])
    return [child for child in found if isinstance(child, Mapping)] if isinstance(found, list) else []


def _path(component: Component) -> Path:
    """Where the component's value lives: ``key`` of a field, ``path`` of a container; both may be dotted."""
    text = component.get("path") if component.get("type") in CONTAINERS else component.get("key")
    return tuple(part for part in str(text or "").split(".") if part)


def _components(form: Component, depth: int = 0) -> Iterator[tuple[Component, int]]:
    for child in _children(form):
        yield child, depth
        if depth < MAX_DEPTH:
            yield from _components(child, depth + 1)


def check_form_js(form: Mapping[str, Any], file: str) -> list[Finding]:
    """Every reason why ``form`` can't be checked; [] if there is none."""
    from flowkit.tasks.forms.schema import check_schema  # noqa: PLC0415 needs jsonschema

    found: list[tuple[str, str, str]] = []
    for component, depth in _components(form):
        kind = component.get("type")
        named = f"component {component.get('label') or component.get('id') or kind!r}"
        if depth >= MAX_DEPTH:
            found.append(
                ("form-depth", f"{named} is nested deeper than {MAX_DEPTH} levels", "Flatten the form.")
            )
            break
        if kind not in FIELDS and kind not in PRESENTATION and kind not in CONTAINERS:
            known = ", ".join(sorted(FIELDS.keys() | CONTAINERS))
            found.append(
                ("form-component", f"{named}: type {kind!r} can't be checked", f"Use one of {known}.")
            )
        if (kind in FIELDS or kind == "dynamiclist") and not _path(component):
            found.append(("form-key", f"{named} has no key", "Give the field the name of its variable."))
        hide = _hide(component)
        if hide:
            try:
                _compiled(hide)
            except InvalidExpression as error:
                found.append(
                    ("form-condition", f"{named}: conditional.hide: {error}", "Correct the expression.")
                )
    findings = [Finding(rule, Severity.ERROR, Location(file), text, hint) for rule, text, hint in found[:50]]
    return findings or check_schema(to_schema(form), file)


def _hide(component: Component) -> str:
    conditional = component.get("conditional")
    text = conditional.get("hide") if isinstance(conditional, Mapping) else None
    return str(text or "").removeprefix("=")


def _compiled(condition: str) -> Any:
    from flowkit.feel import compile_expression  # noqa: PLC0415 only for forms with conditions

    return compile_expression(condition)


def hide_conditions(form: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """``(component id, compiled condition)`` of every component that may be hidden."""
    return tuple(
        (str(component.get("id")), _compiled(_hide(component)))
        for component, _ in _components(form)
        if _hide(component)
    )


def hidden_paths(conditions: tuple[tuple[str, Any], ...], variables: Mapping[str, Any]) -> frozenset[str]:
    """The ids of the components that are hidden for these variables."""
    return frozenset(component for component, hide in conditions if hide.evaluate(variables) is True)


def _object(schema: dict[str, Any], path: Path) -> dict[str, Any]:
    """The object schema at ``path``, made where it is missing."""
    for part in path:
        schema = schema.setdefault("properties", {}).setdefault(part, {"type": "object"})
    return schema


def _fill(target: dict[str, Any], component: Component, hidden: frozenset[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        return
    for child in _children(component):
        kind, path = child.get("type"), _path(child)
        if str(child.get("id")) in hidden or kind in PRESENTATION:
            continue
        if kind == "group":
            _fill(_object(target, path), child, hidden, depth + 1)
            continue
        if not path:
            continue
        if kind == "dynamiclist":
            items: dict[str, Any] = {"type": "object"}
            _fill(items, child, hidden, depth + 1)
            field: dict[str, Any] = {"type": "array", "items": items}
        else:
            field = FIELDS[str(kind)](child)
        if child.get("label"):
            field["title"] = str(child["label"])
        owner = _object(target, path[:-1])
        owner.setdefault("properties", {})[path[-1]] = field
        if child.get("validate", {}).get("required"):
            owner.setdefault("required", []).append(path[-1])


def to_schema(form: Mapping[str, Any], *, hidden: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The JSON Schema of ``form`` without the components whose ids are in ``hidden``."""
    schema: dict[str, Any] = {"type": "object"}
    _fill(schema, form, hidden, 0)
    return schema
