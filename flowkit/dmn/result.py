"""What an evaluation gives back: the value, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flowkit.errors import EvaluationLimit
from flowkit.feel import Diagnostic, to_json
from flowkit.values import Json

__all__ = ["DecisionEvaluation", "DecisionResult", "MatchedRule", "explain"]


MODEL_CODES = frozenset(
    {"boxed", "conversion", "cycle", "external-function", "hit-policy", "input-values", "logic", "no-rule"}
    | {"record", "syntax"}
)
"""Diagnostics of the model; all others are FEEL's and point into a text."""

MAX_ITEMS = 100
"""How many items of a list or context the record shows."""

MAX_CHARACTERS = 2_000
MAX_DEPTH = 10


def _json(value: Any, depth: int = 0) -> Json:
    """JSON for the record: long values are cut, what has no JSON is named by its kind."""
    if isinstance(value, str) and len(value) > MAX_CHARACTERS:
        return f"{value[:MAX_CHARACTERS]}... ({len(value):,} characters)"
    if isinstance(value, list | dict) and depth > MAX_DEPTH:
        return "..."
    if isinstance(value, list):
        items = [_json(item, depth + 1) for item in value[:MAX_ITEMS]]
        return items if len(value) <= MAX_ITEMS else [*items, f"... ({len(value):,} items)"]
    if isinstance(value, dict):
        entries = {name: _json(item, depth + 1) for name, item in islice(value.items(), MAX_ITEMS)}
        return entries if len(value) <= MAX_ITEMS else {**entries, "...": f"({len(value):,} entries)"}
    return _whole(value)


def _whole(value: Any) -> Json:
    """The JSON of a value, uncut."""
    try:
        return to_json(value)
    except EvaluationLimit:
        return type(value).__name__


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """A rule that matched: its 1-based row, its id, its outputs by name, its annotations.

    ``table`` is the label of the table, which tells several tables of one decision apart.
    """

    index: int
    rule_id: str
    outputs: tuple[tuple[str, Any], ...]
    annotations: tuple[tuple[str, str], ...] = ()
    table: str = ""

    def to_json(self) -> dict[str, Json]:
        """The rule as JSON."""
        return {
            "index": self.index,
            "ruleId": self.rule_id,
            "table": self.table,
            "outputs": {name: _json(value) for name, value in self.outputs},
            "annotations": dict(self.annotations),
        }


@dataclass(frozen=True, slots=True)
class DecisionEvaluation:
    """One decision, or one call of a business knowledge model or decision service.

    ``kind`` is ``decision``, ``businessKnowledgeModel`` or ``decisionService``; ``inputs`` are the
    input expressions of its tables, else what it required, with their values; ``notes`` say why
    something in it became null.
    """

    id: str
    name: str
    kind: str
    inputs: tuple[tuple[str, Any], ...]
    rules: tuple[MatchedRule, ...]
    output: Any
    notes: tuple[Diagnostic, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The evaluation as JSON, for an instance's history."""
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "inputs": {label: _json(value) for label, value in self.inputs},
            "rules": [rule.to_json() for rule in self.rules],
            "output": _json(self.output),
            "notes": [str(note) for note in self.notes],
        }


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """The outcome of :meth:`~flowkit.dmn.DecisionModel.evaluate`.

    ``value`` is a FEEL value; ``evaluations`` come in the order in which they ended, so that the
    decision asked for is the last; ``diagnostics`` tell each null that trouble caused.
    """

    value: Any
    evaluations: tuple[DecisionEvaluation, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def output(self) -> Json:
        """The value as JSON. Raises EvaluationLimit for functions and for enormous results."""
        return to_json(self.value)

    def to_json(self) -> dict[str, Json]:
        """Everything as JSON for a history: the output whole, the record cut where it is long."""
        return {
            "output": _whole(self.value),
            "evaluations": [evaluation.to_json() for evaluation in self.evaluations],
            "diagnostics": [str(diagnostic) for diagnostic in self.diagnostics],
        }


def explain(result: DecisionResult) -> str:
    """Why a result came out as it did, as text for a person: the decision asked for comes first."""
    lines = [f"Result: {_show(result.value)}"]
    for evaluation in reversed(result.evaluations):
        lines.append("")
        lines.extend(_explain_one(evaluation))
    told = {note for evaluation in result.evaluations for note in evaluation.notes}
    others = [note for note in result.diagnostics if note not in told]
    if others:
        lines.append("")
        lines.extend(f"note: {_reason(note)}" for note in others)
    return "\n".join(lines)


def _explain_one(evaluation: DecisionEvaluation) -> Iterator[str]:
    yield f"{evaluation.name} = {_show(evaluation.output)}"
    for label, value in evaluation.inputs:
        yield f"  given {label} = {_show(value)}"
    for rule in evaluation.rules:
        outputs = ", ".join(
            f"{name} = {_show(value)}" if name else _show(value) for name, value in rule.outputs
        )
        table = f" of {rule.table}" if rule.table and rule.table != evaluation.name else ""
        yield f"  rule {rule.index}{table} matched: {outputs}"
        for name, text in rule.annotations:
            if text:
                yield f"    {name}: {text}" if name else f"    {text}"
    for note in dict.fromkeys(evaluation.notes):
        yield f"  note: {_reason(note)}"


def _reason(note: Diagnostic) -> str:
    """A diagnostic; one about an element of the model needs no place in a text."""
    return note.message if note.code in MODEL_CODES else str(note)


def _show(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(_show(item) for item in value[:20])}{', ...' if len(value) > 20 else ''}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_show(item)}" for name, item in value.items()) + "}"
    return str(value)
