"""From a decision table as read to one that runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from flowkit.dmn.cells import constant, domain_of, split_tests
from flowkit.dmn.facts import read_fact
from flowkit.dmn.index import ColumnIndex
from flowkit.dmn.model import Cell, DecisionTable, InputClause, OutputClause
from flowkit.dmn.policy import LIST_POLICIES
from flowkit.dmn.runtime import Coercion, Step, coercion
from flowkit.dmn.table import Column, Output, Table
from flowkit.dmn.texts import Texts
from flowkit.feel import UnaryTests
from flowkit.feel.numbers import to_int
from flowkit.feel.types import FeelType

__all__ = ["compile_table", "priorities"]

IDENTIFIER = re.compile(r"[^\W\d]\w*\Z")


def compile_table(table: DecisionTable, texts: Texts, names: frozenset[str], label: str) -> Table:
    """``table`` ready to run in a scope of ``names``; ``label`` names it where it has no label."""
    cache: dict[str, UnaryTests | None] = {}

    def tests(text: str) -> UnaryTests | None:
        if text not in cache:
            cache[text] = texts.tests(Cell(text), names, report=False)
        return cache[text]

    columns = [_column(table, number, texts, names, cache) for number in range(len(table.inputs))]
    outputs = [_output(table, number, texts, names) for number in range(len(table.outputs))]
    ranks = [_rank(cell, texts, names) for cell in priorities(table, texts)]
    return Table(
        table.label or label,
        tuple(columns),
        tuple(outputs),
        table.rules,
        table.hit_policy,
        table.aggregation,
        ranks,
        table.annotations,
        tests,
    )


def priorities(table: DecisionTable, texts: Texts) -> list[Cell | None]:
    """The output values of each column: its own, else the allowed values of its type."""
    found = []
    for output in table.outputs:
        cell = output.values or texts.types.allowed(output.type_ref)
        if cell is None:
            component = output.name if len(table.outputs) > 1 else ""
            cell = texts.types.allowed(table.type_ref, component)
        found.append(cell)
    return found


def _column(
    table: DecisionTable,
    number: int,
    texts: Texts,
    names: frozenset[str],
    cache: dict[str, UnaryTests | None],
) -> Column:
    clause: InputClause = table.inputs[number]
    cells = [rule.inputs[number] for rule in table.rules]
    domains = [domain_of(cell.text) for cell in cells]
    for cell, domain in zip(cells, domains, strict=True):
        if domain is None and cell.text not in cache:
            cache[cell.text] = texts.tests(cell, names)
    text = clause.expression.text
    kind = texts.types.of(clause.type_ref)
    convert = coercion(kind, f"column '{clause.label or text}'")
    undeclared = text not in names and bool(IDENTIFIER.match(text)) and constant(text) is None
    if undeclared and convert is not None:
        convert = _read(kind, convert)
    return Column(
        label=clause.label or text,
        variable=text if text in names or undeclared else None,
        read=texts.step(clause.expression, names),
        coerce=convert,
        allowed=None if clause.values is None else texts.tests(clause.values, names),
        index=ColumnIndex(domains),
        cells=tuple(cell.text for cell in cells),
    )


def _read(kind: FeelType | None, convert: Coercion) -> Coercion:
    """A column over a variable that no input data declares is where its JSON text becomes a date."""
    return lambda value, run: convert(read_fact(value, kind), run)


def _output(table: DecisionTable, number: int, texts: Texts, names: frozenset[str]) -> Output:
    clause: OutputClause = table.outputs[number]
    compiled: dict[str, Step] = {}
    entries = []
    for rule in table.rules:
        cell = rule.outputs[number]
        if cell.text not in compiled:
            compiled[cell.text] = _entry(cell, texts, names)
        entries.append(compiled[cell.text])
    kind = texts.types.of(clause.type_ref)
    if kind is None and len(table.outputs) == 1 and table.hit_policy not in LIST_POLICIES:
        kind = texts.types.of(table.type_ref)
    return Output(
        name=clause.name,
        coerce=coercion(kind, f"output '{clause.name or clause.label}'"),
        default=None if clause.default is None else _entry(clause.default, texts, names),
        entries=tuple(entries),
    )


def _entry(cell: Cell, texts: Texts, names: frozenset[str]) -> Step:
    """An output entry; an empty one and ``-`` give null."""
    if cell.text in ("", "-"):
        return lambda scope, run: None
    literal = constant(cell.text)
    if literal is not None and literal[0] in ("string", "boolean", "null", "number"):
        value = literal[1]
        if literal[0] == "number":
            value = to_int(value) if "." not in cell.text else value
        return lambda scope, run: value
    return texts.step(cell, names)


def _rank(cell: Cell | None, texts: Texts, names: frozenset[str]) -> Callable[[Any], int] | None:
    """The place of a value among the output values; those not among them come last."""
    if cell is None:
        return None
    tests = [texts.tests(Cell(part, cell.location), names) for part in split_tests(cell.text)]
    scope: Mapping[str, Any] = {}

    def rank(value: Any) -> int:
        for place, test in enumerate(tests):
            if test is not None and test.matches(value, scope) is True:
                return place
        return len(tests)

    return rank
