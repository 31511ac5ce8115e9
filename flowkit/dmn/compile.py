"""From boxed expressions to steps: functions of the values in scope (section 10.2).

A step never raises for bad data: it gives null and says why. Each boxed expression's typeRef is
applied to its value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowkit.dmn.compile_table import compile_table
from flowkit.dmn.functions import compile_function, invoke
from flowkit.dmn.model import (
    Boxed,
    Cell,
    Conditional,
    Context,
    DecisionTable,
    Filter,
    FunctionDefinition,
    Invocation,
    Iteration,
    ListExpression,
    LiteralExpression,
    Relation,
)
from flowkit.dmn.runtime import Run, Step, coercion, shown
from flowkit.dmn.texts import Texts
from flowkit.findings import Location, Severity

__all__ = ["compile_boxed"]

Names = frozenset[str]


def compile_boxed(boxed: Boxed | None, texts: Texts, names: Names, label: str) -> Step:
    """The step of a boxed expression in a scope of ``names``; ``label`` names it in messages."""
    if boxed is None:
        return _missing(label, texts, None)
    step = COMPILERS[type(boxed)](boxed, texts, names, boxed.label or label)
    kind = None if isinstance(boxed, FunctionDefinition) else texts.types.of(boxed.type_ref)
    _check_type(boxed, texts)
    convert = coercion(kind, f"'{boxed.label or label}'")
    if convert is None:
        return step
    return lambda scope, run: convert(step(scope, run), run)


def _check_type(boxed: Boxed, texts: Texts) -> None:
    if boxed.type_ref and texts.types.of(boxed.type_ref) is None:
        texts.report(
            "unknown-type",
            boxed.location,
            f"The type '{boxed.type_ref}' is neither a FEEL type nor an item definition of the model.",
            "Define it, or correct its name.",
        )


def _missing(label: str, texts: Texts, location: Location | None) -> Step:
    texts.report(
        "no-logic",
        location or texts.owner.location,
        f"'{label}' has no expression: its value is null.",
        "Write one, or remove the entry.",
        Severity.WARNING,
    )

    def step(scope: dict[str, Any], run: Run) -> Any:
        run.note("logic", f"'{label}' has no expression, so its value is null.", label)
        return None

    return step


def _literal(boxed: LiteralExpression, texts: Texts, names: Names, label: str) -> Step:
    text = boxed.text.strip()
    if not text:
        return _missing(label, texts, boxed.location)
    return texts.step(Cell(text, boxed.location), names)


def _table(boxed: DecisionTable, texts: Texts, names: Names, label: str) -> Step:
    return compile_table(boxed, texts, names, label)


def _context(boxed: Context, texts: Texts, names: Names, label: str) -> Step:
    """Entries in order; one without a name is the result of the whole."""
    entries: list[tuple[str, Step]] = []
    result: Step | None = None
    for entry in boxed.entries:
        name = entry.variable.name if entry.variable else ""
        value = compile_boxed(entry.value, texts, names, name or label)
        if not name:
            result = value
            continue
        convert = coercion(texts.types.of(entry.variable.type_ref if entry.variable else None), f"'{name}'")
        entries.append((name, value if convert is None else _then(value, convert)))
        names = names | {name}

    def step(scope: dict[str, Any], run: Run) -> Any:
        inner = dict(scope)
        values: dict[str, Any] = {}
        for name, entry in entries:
            values[name] = inner[name] = entry(inner, run)
        return values if result is None else result(inner, run)

    return step


def _then(step: Step, convert: Callable[[Any, Run], Any]) -> Step:
    return lambda scope, run: convert(step(scope, run), run)


def _list(boxed: ListExpression, texts: Texts, names: Names, label: str) -> Step:
    items = [compile_boxed(item, texts, names, label) for item in boxed.items]
    return lambda scope, run: [item(scope, run) for item in items]


def _relation(boxed: Relation, texts: Texts, names: Names, label: str) -> Step:
    columns = [
        (column.name, coercion(texts.types.of(column.type_ref), f"'{column.name}'"))
        for column in boxed.columns
    ]
    rows: list[list[tuple[str, Step]]] = []
    for row in boxed.rows:
        cells = []
        for (name, convert), cell in zip(columns, row, strict=True):
            one = compile_boxed(cell, texts, names, name)
            cells.append((name, one if convert is None else _then(one, convert)))
        rows.append(cells)
    return lambda scope, run: [{name: cell(scope, run) for name, cell in cells} for cells in rows]


def _function(boxed: FunctionDefinition, texts: Texts, names: Names, label: str) -> Step:
    return compile_function(boxed, texts, names, label, compile_boxed)


def _invocation(boxed: Invocation, texts: Texts, names: Names, label: str) -> Step:
    function = compile_boxed(boxed.function, texts, names, label)
    bindings = []
    for binding in boxed.bindings:
        parameter = binding.parameter
        value = compile_boxed(binding.value, texts, names, parameter.name)
        convert = coercion(texts.types.of(parameter.type_ref), f"argument '{parameter.name}'")
        bindings.append((parameter.name, value if convert is None else _then(value, convert)))
    text = boxed.function.text.strip() if isinstance(boxed.function, LiteralExpression) else label

    def step(scope: dict[str, Any], run: Run) -> Any:
        arguments = {name: binding(scope, run) for name, binding in bindings}
        return invoke(function(scope, run), arguments, run, text)

    return step


def _conditional(boxed: Conditional, texts: Texts, names: Names, label: str) -> Step:
    condition = compile_boxed(boxed.condition, texts, names, label)
    then = compile_boxed(boxed.then, texts, names, label)
    otherwise = compile_boxed(boxed.otherwise, texts, names, label)

    def step(scope: dict[str, Any], run: Run) -> Any:
        value = condition(scope, run)
        if value is not None and not isinstance(value, bool):
            run.note("boxed", f"The condition is {shown(value)}, no boolean, so the result is null.", label)
            return None
        return (then if value is True else otherwise)(scope, run)

    return step


def _items(collection: Any, run: Run, label: str) -> list[Any] | None:
    """The list to go through; the boxed forms convert nothing into one."""
    if not isinstance(collection, list):
        run.note("boxed", f"{shown(collection)} is no list, so the result is null.", label)
        return None
    run.feel.spend(len(collection))
    return collection


def _iteration(boxed: Iteration, texts: Texts, names: Names, label: str) -> Step:
    variable = boxed.variable.name
    collection = compile_boxed(boxed.collection, texts, names, label)
    inner = names | {variable, "partial"} if boxed.quantifier == "for" else names | {variable}
    body = compile_boxed(boxed.body, texts, inner, label)
    if boxed.quantifier == "for":
        return _for(variable, collection, body, label)
    return _quantified(variable, collection, body, label, every=boxed.quantifier == "every")


def _for(variable: str, collection: Step, body: Step, label: str) -> Step:
    def step(scope: dict[str, Any], run: Run) -> Any:
        items = _items(collection(scope, run), run, label)
        if items is None:
            return None
        results: list[Any] = []
        inner = {**scope, "partial": results}
        for item in items:
            results.append(body({**inner, variable: item}, run))
        return results

    return step


def _quantified(variable: str, collection: Step, body: Step, label: str, *, every: bool) -> Step:
    def step(scope: dict[str, Any], run: Run) -> Any:
        items = _items(collection(scope, run), run, label)
        if items is None:
            return None
        result: bool | None = every
        for item in items:
            value = body({**scope, variable: item}, run)
            if value is not None and not isinstance(value, bool):
                run.note("boxed", f"The condition is {shown(value)} for {shown(item)}, no boolean.", label)
                return None
            if value is (not every) or result is every:
                result = value
        return result

    return step


def _filter(boxed: Filter, texts: Texts, names: Names, label: str) -> Step:
    collection = compile_boxed(boxed.collection, texts, names, label)
    match = compile_boxed(boxed.match, texts, names | {"item"} | texts.members, label)

    def step(scope: dict[str, Any], run: Run) -> Any:
        items = _items(collection(scope, run), run, label)
        if items is None:
            return None
        kept = []
        for item in items:
            inner = {**scope, **item} if isinstance(item, dict) else dict(scope)
            inner.setdefault("item", item)
            value = match(inner, run)
            if value is not None and not isinstance(value, bool):
                run.note("boxed", f"The condition is {shown(value)} for {shown(item)}, no boolean.", label)
                return None
            if value:
                kept.append(item)
        return kept

    return step


COMPILERS: dict[type[Boxed], Callable[[Any, Texts, Names, str], Step]] = {
    LiteralExpression: _literal,
    DecisionTable: _table,
    Context: _context,
    ListExpression: _list,
    Relation: _relation,
    FunctionDefinition: _function,
    Invocation: _invocation,
    Conditional: _conditional,
    Iteration: _iteration,
    Filter: _filter,
}
