"""Decision tables ready to run: columns that are indexed, rules that are tested, a hit policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flowkit.dmn.index import ColumnIndex, positions
from flowkit.dmn.model import Aggregation, HitPolicy, Rule
from flowkit.dmn.policy import CHOICES, SINGLE_HIT, Hit, Ranks, Violation, aggregate
from flowkit.dmn.result import MatchedRule
from flowkit.dmn.runtime import MAX_RECORDS, Coercion, Run, Step, shown
from flowkit.feel import UnaryTests

__all__ = ["Column", "Output", "Table", "TestSource"]

TestSource = Callable[[str], UnaryTests | None]
"""Compiles a cell in the table's scope, once a text; ``None`` for a cell that is no FEEL."""


@dataclass(frozen=True, slots=True)
class Column:
    """An input clause: what it reads, what it allows, and the cells below it."""

    label: str
    variable: str | None
    """The variable that the input expression names, if it is nothing but a name."""
    read: Step
    coerce: Coercion | None
    allowed: UnaryTests | None
    index: ColumnIndex
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """An output clause: its name, type, default and the output entries below it."""

    name: str
    coerce: Coercion | None
    default: Step | None
    entries: tuple[Step, ...]


@dataclass(eq=False)
class Table:
    """A compiled decision table; calling it gives its output.

    ``ranks`` give, for each output column that has output values, the place of a value among them.
    """

    label: str
    columns: tuple[Column, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    policy: HitPolicy
    aggregation: Aggregation | None
    ranks: Ranks
    annotations: tuple[str, ...]
    tests: TestSource

    def __post_init__(self) -> None:
        if self.policy is not HitPolicy.COLLECT:
            self.aggregation = None
        self._choose = CHOICES[self.policy]
        self._single = self.policy in SINGLE_HIT
        self._limit = 1 if self.policy is HitPolicy.FIRST else len(self.rules)
        self._everyone = (1 << len(self.rules)) - 1
        self._names = tuple(output.name for output in self.outputs)
        self._annotations = [self._annotations_of(rule) for rule in self.rules]

    def __call__(self, scope: dict[str, Any], run: Run) -> Any:
        values = self._values(scope, run)
        if values is None:
            return None
        found = self.matching(values, scope, run, self._limit)
        if not found:
            return self._otherwise(scope, run)
        hits: list[Hit] = [(row, self._outputs(row, scope, run)) for row in found]
        try:
            return self._result(hits, run)
        except Violation as violation:
            self._record(hits, run)
            run.note("hit-policy", f"In table '{self.label}' {violation}, so the result is null.", self.label)
            return None

    def _values(self, scope: dict[str, Any], run: Run) -> list[Any] | None:
        """The values of the input expressions, or ``None`` if one is not allowed."""
        values = []
        inputs = run.frame.inputs
        for column in self.columns:
            variable = column.variable
            value = scope[variable] if variable is not None and variable in scope else column.read(scope, run)
            if column.coerce is not None:
                value = column.coerce(value, run)
            inputs.append((column.label, value))
            if column.allowed is not None and not _allows(column.allowed, value, scope, run):
                run.note(
                    "input-values",
                    f"{shown(value)} is none of the input values of column '{column.label}' of table "
                    f"'{self.label}' ({column.allowed.text}), so the result is null.",
                    column.label,
                )
                return None
            values.append(value)
        return values

    def matching(self, values: Sequence[Any], scope: dict[str, Any], run: Run, limit: int) -> list[int]:
        """The first ``limit`` rows that match: candidates of the index, decided by their opaque cells."""
        candidates = self._everyone
        opaque: list[tuple[int, int]] = []
        for number, column in enumerate(self.columns):
            found = column.index.candidates(values[number])
            if found is None:
                opaque.append((number, self._everyone))
                continue
            candidates &= found
            if column.index.opaque & candidates:
                opaque.append((number, column.index.opaque))
        if not candidates & (candidates - 1) and not opaque:
            return [candidates.bit_length() - 1] if candidates else []
        rows = (
            row
            for row in positions(candidates)
            if all(
                self._accepts(number, row, values[number], scope, run)
                for number, rules in opaque
                if rules >> row & 1
            )
        )
        return list(islice(rows, limit))

    def scan(self, values: Sequence[Any], scope: dict[str, Any], run: Run) -> Iterator[int]:
        """The rows that match, found by evaluating every cell: what the index must agree with."""
        for row in range(len(self.rules)):
            if all(self._accepts(number, row, value, scope, run) for number, value in enumerate(values)):
                yield row

    def _accepts(self, number: int, row: int, value: Any, scope: dict[str, Any], run: Run) -> bool:
        text = self.columns[number].cells[row]
        if text in ("", "-"):
            return True
        test = self.tests(text)
        return test is not None and test.run(value, scope, run.feel) is True

    def _outputs(self, row: int, scope: dict[str, Any], run: Run) -> tuple[Any, ...]:
        if len(self.outputs) == 1:
            [output] = self.outputs
            value = output.entries[row](scope, run)
            return (value if output.coerce is None else output.coerce(value, run),)
        values = []
        for output in self.outputs:
            value = output.entries[row](scope, run)
            values.append(value if output.coerce is None else output.coerce(value, run))
        return tuple(values)

    def _result(self, hits: list[Hit], run: Run) -> Any:
        hits = self._choose(hits, self.ranks)
        self._record(hits, run)
        if self._single:
            return self._shape(hits[0][1])
        if self.aggregation is None:
            return [self._shape(values) for _, values in hits]
        return self._aggregated(hits, self.aggregation)

    def _aggregated(self, hits: list[Hit], how: Aggregation) -> Any:
        if how is Aggregation.COUNT:
            return len(hits)
        return self._shape(
            [aggregate(list(column), how) for column in zip(*(v for _, v in hits), strict=True)]
        )

    def _shape(self, values: Sequence[Any]) -> Any:
        """One value for one column; a context by the columns' names for several."""
        if len(self.outputs) == 1:
            return values[0]
        return {output.name: value for output, value in zip(self.outputs, values, strict=True)}

    def _otherwise(self, scope: dict[str, Any], run: Run) -> Any:
        """Without a match: the default output, else what the policy makes of nothing."""
        if any(output.default is not None for output in self.outputs):
            values = []
            for output in self.outputs:
                value = None if output.default is None else output.default(scope, run)
                values.append(value if output.coerce is None else output.coerce(value, run))
            shaped = self._shape(values)
            return shaped if self._single or self.aggregation is not None else [shaped]
        if self.aggregation is Aggregation.COUNT:
            return 0
        if self.policy is HitPolicy.COLLECT and self.aggregation is None:
            return []
        run.note("no-rule", f"No rule of table '{self.label}' matches, so the result is null.", self.label)
        return None

    def _record(self, hits: Sequence[Hit], run: Run) -> None:
        recorded = run.frame.rules
        for row, values in hits[: MAX_RECORDS - len(recorded)]:
            outputs = tuple(zip(self._names, values, strict=True))
            recorded.append(
                MatchedRule(row + 1, self.rules[row].id, outputs, self._annotations[row], self.label)
            )

    def _annotations_of(self, rule: Rule) -> tuple[tuple[str, str], ...]:
        names = [*self.annotations, *[""] * len(rule.annotations)]
        described = [("", rule.description)] if rule.description else []
        return (*described, *((names[number], text) for number, text in enumerate(rule.annotations)))


def _allows(tests: UnaryTests, value: Any, scope: dict[str, Any], run: Run) -> bool:
    if tests.matches(value, scope, now=run.now) is True:
        return True
    return isinstance(value, list) and all(tests.matches(item, scope, now=run.now) is True for item in value)
