"""Static checks of decision tables: one small function a rule, named as its page in the docs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from flowkit.dmn.cells import constant, domain_of, split_tests
from flowkit.dmn.model import Aggregation, Cell, DecisionTable, HitPolicy
from flowkit.dmn.policy import SINGLE_HIT
from flowkit.dmn.regions import Budget, BudgetExceeded, Regions, regions_of
from flowkit.dmn.types import Types, underlying
from flowkit.feel.types import SimpleType
from flowkit.findings import Finding, Location, Severity

__all__ = ["TABLE_RULES", "check_table"]

MAX_REPORTS = 10
"""Findings of one rule about one table; the rest are like them."""

ORDERED_BY_OUTPUT = frozenset({HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER})
MAX_DIMENSIONS = 40

Problem = tuple[str, Severity, Location, str, str]
"""Rule, severity, place, message, hint."""


def check_table(
    table: DecisionTable,
    types: Types,
    variables: Mapping[str, str],
    owner_id: str,
    owner_name: str,
    budget: Budget,
) -> Iterator[Finding]:
    """Everything that is wrong with a table of an element; ``variables`` maps names to their types."""
    for rule in SIMPLE_RULES:
        for name, severity, location, message, hint in islice(rule(table, types), MAX_REPORTS):
            yield Finding(name, severity, location, message, hint, owner_id, owner_name)
    regions = regions_of(table, types, variables, budget)
    if not table.rules:
        return
    for search in SEARCHES:
        try:
            if len(regions.dimensions) > MAX_DIMENSIONS:
                raise BudgetExceeded
            for name, severity, location, message, hint in islice(search(table, regions), MAX_REPORTS):
                yield Finding(name, severity, location, message, hint, owner_id, owner_name)
        except BudgetExceeded:
            yield Finding(
                "table-too-large",
                Severity.INFO,
                table.location,
                f"The table is too large to be searched completely ({search.__name__.strip('_')}).",
                "Split it into several tables to have it checked as a whole.",
                owner_id,
                owner_name,
            )


def _has_default(table: DecisionTable) -> bool:
    return any(output.default is not None for output in table.outputs)


def _gaps(table: DecisionTable, regions: Regions) -> Iterator[Problem]:
    if table.hit_policy not in SINGLE_HIT or _has_default(table):
        return
    for gap in regions.uncovered((1 << len(table.rules)) - 1):
        yield (
            "table-gap",
            Severity.WARNING,
            table.location,
            f"No rule matches {regions.example(gap)}.",
            "Add a rule for it, or a default output.",
        )


def _overlaps(table: DecisionTable, regions: Regions) -> Iterator[Problem]:
    if table.hit_policy not in (HitPolicy.UNIQUE, HitPolicy.ANY):
        return
    for first, second, example in regions.overlaps():
        if table.hit_policy is HitPolicy.ANY and not _differ(table, first, second):
            continue
        clash = "UNIQUE allows one" if table.hit_policy is HitPolicy.UNIQUE else "their outputs differ"
        yield (
            "table-overlap",
            Severity.ERROR,
            table.rules[second].location,
            f"Rules {first + 1} and {second + 1} both match {regions.example(example)}; {clash}.",
            "Narrow one of them, or choose the hit policy FIRST, PRIORITY or COLLECT.",
        )


def _differ(table: DecisionTable, first: int, second: int) -> bool:
    """Whether two rules surely have different outputs: both literals, and not equal."""
    for left, right in zip(table.rules[first].outputs, table.rules[second].outputs, strict=True):
        one, other = constant(left.text), constant(right.text)
        if one is not None and other is not None and one != other:
            return True
    return False


def _unreachable(table: DecisionTable, regions: Regions) -> Iterator[Problem]:
    for number, rule in enumerate(table.rules):
        blind = next((one for one in regions.dimensions if not one.possibly[number]), None)
        earlier = (1 << number) - 1
        if blind is not None:
            reason = f"no allowed value of {blind.label} fits its cell"
        elif table.hit_policy is HitPolicy.FIRST and _covered(regions, earlier, number):
            reason = "the rules above it match first, whatever the input"
        else:
            continue
        yield (
            "table-unreachable",
            Severity.WARNING,
            rule.location,
            f"Rule {number + 1} never decides: {reason}.",
            "Remove it, or move or widen it.",
        )


def _covered(regions: Regions, by: int, rule: int) -> bool:
    """Whether the rules ``by`` surely match whatever ``rule`` matches."""
    return next(regions.uncovered(by, rule), None) is None


def _priorities(table: DecisionTable, types: Types) -> Iterator[Problem]:
    if table.hit_policy not in ORDERED_BY_OUTPUT:
        return
    for output in table.outputs:
        component = output.name if len(table.outputs) > 1 else ""
        if output.values or types.allowed(output.type_ref) or types.allowed(table.type_ref, component):
            return
    yield (
        "table-priority",
        Severity.ERROR,
        table.location,
        f"The hit policy {table.hit_policy} needs output values, and no output column has any.",
        "List an output column's values in order of priority, the highest first.",
    )


def _aggregation(table: DecisionTable, types: Types) -> Iterator[Problem]:
    if table.aggregation is None:
        return
    if table.hit_policy is not HitPolicy.COLLECT:
        yield (
            "table-aggregation",
            Severity.ERROR,
            table.location,
            f"The aggregation {table.aggregation} stands with the hit policy {table.hit_policy}.",
            "Choose COLLECT, or remove the aggregation.",
        )
    elif len(table.outputs) > 1 and table.aggregation is not Aggregation.COUNT:
        yield (
            "table-aggregation",
            Severity.ERROR,
            table.location,
            f"The aggregation {table.aggregation} stands over {len(table.outputs)} output columns, not one.",
            "Split the table, or collect without aggregation.",
        )


def _kind(types: Types, type_ref: str | None) -> str:
    plain = underlying(types.of(type_ref))
    return plain.name if isinstance(plain, SimpleType) else ""


def _input_types(table: DecisionTable, types: Types) -> Iterator[Problem]:
    """Literals of an input column that are of another type than the column."""
    for number, clause in enumerate(table.inputs):
        wanted = _kind(types, clause.type_ref)
        if wanted in ("", "Any", "list", "context", "function", "range"):
            continue
        for rule in table.rules:
            cell = rule.inputs[number]
            for kind in _kinds_of(cell):
                if not _fits(kind, wanted):
                    yield (
                        "table-type",
                        Severity.ERROR,
                        cell.location,
                        f"The cell '{cell.text}' holds a {kind}, column '{clause.label}' {wanted} values: it "
                        "never matches.",
                        "Correct the cell or the column's type.",
                    )


def _kinds_of(cell: Cell) -> Iterator[str]:
    domain = domain_of(cell.text)
    if domain is not None:
        yield from dict.fromkeys(kind for kind, _ in domain.points)
        yield from dict.fromkeys(interval.kind for interval in domain.intervals)


def _fits(kind: str, wanted: str) -> bool:
    return kind in ("null", wanted) or (wanted == "duration" and kind.endswith("duration"))


def _output_types(table: DecisionTable, types: Types) -> Iterator[Problem]:
    """Literals of an output column that are of another type, or none of its output values."""
    for number, clause in enumerate(table.outputs):
        wanted = _kind(types, clause.type_ref)
        allowed = {constant(part) for part in split_tests(clause.values.text)} if clause.values else set()
        cells = [rule.outputs[number] for rule in table.rules]
        for cell in [*cells, clause.default] if clause.default else cells:
            found = constant(cell.text)
            if found is None or found[0] == "null":
                continue
            if wanted in BASIC and not _fits(found[0], wanted):
                yield (
                    "table-type",
                    Severity.ERROR,
                    cell.location,
                    f"The output {cell.text} is a {found[0]}, column '{clause.name or clause.label}' holds "
                    f"{wanted} values: it would become null.",
                    "Correct the cell or the column's type.",
                )
            elif allowed and None not in allowed and found not in allowed:
                yield (
                    "table-output-value",
                    Severity.ERROR,
                    cell.location,
                    f"The output {cell.text} is none of the column's output values: "
                    f"{clause.values.text if clause.values else ''}.",
                    "Correct the cell, or add it to the output values.",
                )


BASIC = frozenset(
    {"number", "string", "boolean", "date", "time", "date and time"}
    | {"days and time duration", "years and months duration", "duration"}
)

SIMPLE_RULES: tuple[Callable[[DecisionTable, Types], Iterator[Problem]], ...] = (
    _priorities,
    _aggregation,
    _input_types,
    _output_types,
)
SEARCHES: tuple[Callable[[DecisionTable, Regions], Iterator[Problem]], ...] = (_gaps, _overlaps, _unreachable)

TABLE_RULES = (
    "table-aggregation",
    "table-gap",
    "table-output-value",
    "table-overlap",
    "table-priority",
    "table-too-large",
    "table-type",
    "table-unreachable",
)
"""The rules of this module."""
