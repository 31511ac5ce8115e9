"""Reading item definitions (DMN 1.5 section 7.3.3)."""

from __future__ import annotations

from lxml import etree

from flowkit.dmn.model import Cell, FunctionItem, ItemDefinition
from flowkit.dmn.reader import Reader
from flowkit.dmn.xml import child, children

__all__ = ["read_item"]


MAX_DEPTH = 32
"""How deep components may nest."""


def read_item(reader: Reader, element: etree._Element, depth: int = 0) -> ItemDefinition:
    """An item definition or component."""
    name = reader.name_of(element)
    parts = children(element, "itemComponent")
    if depth > MAX_DEPTH:
        reader.report(
            "too-deep",
            element,
            f"Components nest deeper than {MAX_DEPTH} levels.",
            "Give the inner components a type of their own.",
        )
        parts = iter(())
    if not name:
        reader.report("unnamed-element", element, "A type or component has no name.", "Name it.")
    return ItemDefinition(
        name=name,
        id=element.get("id") or "",
        label=element.get("label") or "",
        type_ref=reader.type_ref(element),
        type_language=element.get("typeLanguage") or "",
        components=tuple(read_item(reader, part, depth + 1) for part in parts),
        function=_function(reader, element),
        is_collection=(element.get("isCollection") or "").strip() in ("true", "1"),
        allowed_values=_tests(reader, element, "allowedValues"),
        type_constraint=_tests(reader, element, "typeConstraint"),
        location=reader.place(element),
    )


def _tests(reader: Reader, element: etree._Element, name: str) -> Cell | None:
    found = child(element, name)
    if found is None:
        return None
    cell = reader.cell(found)
    return cell if cell.text else None


def _function(reader: Reader, element: etree._Element) -> FunctionItem | None:
    found = child(element, "functionItem")
    if found is None:
        return None
    parameters = tuple(reader.variable(part, "", found) for part in children(found, "parameters"))
    return FunctionItem(parameters, reader.type_name(found.get("outputTypeRef"), found))
