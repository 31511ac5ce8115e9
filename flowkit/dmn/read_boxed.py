"""Reading boxed expressions (DMN 1.5 section 10.2, elements of every version)."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from flowkit.dmn.model import (
    Binding,
    Boxed,
    Conditional,
    Context,
    ContextEntry,
    Filter,
    FunctionDefinition,
    Invocation,
    Iteration,
    ListExpression,
    LiteralExpression,
    Relation,
)
from flowkit.dmn.read_table import read_table
from flowkit.dmn.reader import Reader
from flowkit.dmn.xml import child, children, local_name, text_of
from flowkit.findings import Location

__all__ = ["read_function", "read_logic"]

MAX_DEPTH = 48
"""How deep boxed expressions may nest; the deepest useful ones have about five levels."""


def read_logic(reader: Reader, parent: etree._Element, depth: int = 0) -> Boxed | None:
    """The boxed expression that is a child of ``parent``, if any."""
    element = child(parent, *READERS)
    return None if element is None else read_boxed(reader, element, depth)


def read_boxed(reader: Reader, element: etree._Element, depth: int) -> Boxed | None:
    """The boxed expression that ``element`` is."""
    if depth > MAX_DEPTH:
        reader.report(
            "too-deep",
            element,
            f"Boxed expressions nest deeper than {MAX_DEPTH} levels.",
            "Move the inner expressions into decisions or business knowledge models of their own.",
        )
        return None
    return READERS[local_name(element)](reader, element, depth + 1)


def _common(reader: Reader, element: etree._Element) -> tuple[str, str, str | None, Location]:
    label = " ".join((element.get("label") or "").split())
    return element.get("id") or "", label, reader.type_ref(element), reader.place(element)


def _literal(reader: Reader, element: etree._Element, depth: int) -> Boxed:
    identifier, label, type_ref, location = _common(reader, element)
    reader.language(element)
    if child(element, "importedValues") is not None:
        reader.report(
            "imported-values",
            element,
            "The expression takes its values from a file (importedValues), which flowkit does not read.",
            "Pass the values as input data, or write them into the model.",
        )
    text = text_of(element, "text") or ""
    return LiteralExpression(id=identifier, label=label, type_ref=type_ref, location=location, text=text)


def _context(reader: Reader, element: etree._Element, depth: int) -> Boxed:
    identifier, label, type_ref, location = _common(reader, element)
    entries = []
    for entry in children(element, "contextEntry"):
        declared = child(entry, "variable")
        variable = None if declared is None else reader.variable(declared, "", entry)
        entries.append(ContextEntry(variable, read_logic(reader, entry, depth)))
    return Context(id=identifier, label=label, type_ref=type_ref, location=location, entries=tuple(entries))


def _invocation(reader: Reader, element: etree._Element, depth: int) -> Boxed:
    identifier, label, type_ref, location = _common(reader, element)
    bindings = []
    for binding in children(element, "binding"):
        parameter = reader.variable(child(binding, "parameter"), "", binding)
        bindings.append(Binding(parameter, read_logic(reader, binding, depth)))
    return Invocation(
        id=identifier,
        label=label,
        type_ref=type_ref,
        location=location,
        function=read_logic(reader, element, depth),
        bindings=tuple(bindings),
    )


def _list(reader: Reader, element: etree._Element, depth: int) -> Boxed:
    identifier, label, type_ref, location = _common(reader, element)
    items = (read_boxed(reader, item, depth) for item in children(element, *READERS))
    kept = tuple(item for item in items if item is not None)
    return ListExpression(id=identifier, label=label, type_ref=type_ref, location=location, items=kept)


def _relation(reader: Reader, element: etree._Element, depth: int) -> Boxed:
    identifier, label, type_ref, location = _common(reader, element)
    columns = tuple(reader.variable(column, "", element) for column in children(element, "column"))
    rows = []
    for row in children(element, "row"):
        cells = tuple(read_boxed(reader, cell, depth) for cell in children(row, *READERS))
        if len(cells) != len(columns):
            reader.report(
                "ragged-table",
                row,
                f"The row has {len(cells)} expressions, the relation {len(columns)} columns.",
                "Give each row one expression a column.",
            )
        rows.append(cells)
    return Relation(
        id=identifier, label=label, type_ref=type_ref, location=location, columns=columns, rows=tuple(rows)
    )


def read_function(reader: Reader, element: etree._Element, depth: int = 0) -> FunctionDefinition:
    """A ``functionDefinition`` or a BKM's ``encapsulatedLogic``."""
    identifier, label, type_ref, location = _common(reader, element)
    return FunctionDefinition(
        id=identifier,
        label=label,
        type_ref=type_ref,
        location=location,
        parameters=tuple(reader.variable(p, "", element) for p in children(element, "formalParameter")),
        body=read_logic(reader, element, depth),
        kind=(element.get("kind") or "FEEL").strip(),
    )


def _part(reader: Reader, element: etree._Element, name: str, depth: int) -> Boxed | None:
    part = child(element, name)
    logic = None if part is None else read_logic(reader, part, depth)
    if logic is None:
        reader.report(
            "missing-part",
            element,
            f"<{local_name(element)}> needs <{name}> with an expression.",
            f"Fill in its '{name}' part.",
        )
    return logic


def _conditional(reader: Reader, element: etree._Element, depth: int) -> Boxed:
    identifier, label, type_ref, location = _common(reader, element)
    return Conditional(
        id=identifier,
        label=label,
        type_ref=type_ref,
        location=location,
        condition=_part(reader, element, "if", depth),
        then=_part(reader, element, "then", depth),
        otherwise=_part(reader, element, "else", depth),
    )


def _iteration(reader: Reader, element: etree._Element, depth: int) -> Boxed:
    identifier, label, type_ref, location = _common(reader, element)
    quantifier = local_name(element)
    collection = child(element, "in")
    variable = " ".join((element.get("iteratorVariable") or "").split())
    if not variable:
        reader.report(
            "missing-part",
            element,
            f"<{quantifier}> has no iteratorVariable.",
            "Name the variable that stands for each item.",
        )
    return Iteration(
        id=identifier,
        label=label,
        type_ref=type_ref,
        location=location,
        quantifier=quantifier,
        variable=reader.variable(None, variable, element if collection is None else collection),
        collection=_part(reader, element, "in", depth),
        body=_part(reader, element, "return" if quantifier == "for" else "satisfies", depth),
    )


def _filter(reader: Reader, element: etree._Element, depth: int) -> Boxed:
    identifier, label, type_ref, location = _common(reader, element)
    return Filter(
        id=identifier,
        label=label,
        type_ref=type_ref,
        location=location,
        collection=_part(reader, element, "in", depth),
        match=_part(reader, element, "match", depth),
    )


def _table(reader: Reader, element: etree._Element, depth: int) -> Boxed:
    return read_table(reader, element)


READERS: dict[str, Callable[[Reader, etree._Element, int], Boxed]] = {
    "literalExpression": _literal,
    "decisionTable": _table,
    "context": _context,
    "invocation": _invocation,
    "list": _list,
    "relation": _relation,
    "functionDefinition": read_function,
    "conditional": _conditional,
    "for": _iteration,
    "some": _iteration,
    "every": _iteration,
    "filter": _filter,
}
