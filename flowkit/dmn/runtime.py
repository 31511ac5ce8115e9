"""One evaluation of a model: its facts, what has been decided, and the record of why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from flowkit.dmn.result import DecisionEvaluation, MatchedRule
from flowkit.errors import EvaluationLimit
from flowkit.feel import Diagnostic
from flowkit.feel import Run as FeelRun
from flowkit.feel.limits import MAX_STEPS
from flowkit.feel.types import ANY, FeelType, SimpleType, coerce

__all__ = ["MAX_CALLS", "MAX_DEPTH", "MAX_RECORDS", "Coercion", "Frame", "Run", "Step", "coercion"]

MAX_DEPTH = 60
"""How deep functions of the model may call one another."""

MAX_CALLS = 100_000
"""How often functions of the model may be called in one evaluation."""

MAX_WORK = 1_000_000
"""Steps of FEEL and of boxed iterations that one decision takes, with all the functions that it calls."""

MAX_RECORDS = 1_000
"""How many evaluations, and matched rules an evaluation, are recorded."""

MAX_DIAGNOSTICS = 1_000


class Frame:
    """What one decision or function call has looked at so far."""

    __slots__ = ("inputs", "notes", "rules")

    def __init__(self) -> None:
        self.inputs: list[tuple[str, Any]] = []
        self.notes: list[Diagnostic] = []
        self.rules: list[MatchedRule] = []


class Tally:
    """What all runs of one evaluation share: the record and the limits."""

    __slots__ = ("calls", "depth", "diagnostics", "feel", "gathered", "now", "record")

    def __init__(self, now: datetime | None) -> None:
        self.now = now
        self.record: list[DecisionEvaluation] = []
        self.diagnostics: list[Diagnostic] = []
        self.gathered = 0
        self.calls = 0
        self.depth = 0
        self.feel = FeelRun("", now, self.diagnostics)
        self.feel.steps = MAX_STEPS - MAX_WORK


class Run:
    """The facts and decided values of a model, or of one call of a decision service.

    ``variables`` are visible to every decision; ``values`` maps the key of an element to what it
    was given or decided to be.
    """

    __slots__ = ("deciding", "diagnostics", "feel", "frame", "now", "tally", "values", "variables")

    def __init__(
        self,
        now: datetime | None,
        variables: dict[str, Any],
        values: dict[Any, Any],
        tally: Tally | None = None,
    ) -> None:
        self.now = now
        self.variables = variables
        self.values = values
        self.tally = tally or Tally(now)
        self.diagnostics = self.tally.diagnostics
        self.feel = self.tally.feel
        self.deciding: set[Any] = set()
        self.frame = Frame()

    def inner(self, values: dict[Any, Any]) -> Run:
        """The run of a decision service that is called as a function: it sees its arguments only."""
        return Run(self.now, {}, values, self.tally)

    def refresh(self) -> None:
        """Give FEEL's limits back: they hold for each decision with all the functions that it calls."""
        if not self.tally.depth:
            self.feel.steps = MAX_STEPS - MAX_WORK

    def note(self, code: str, message: str, text: str = "", position: int = 0) -> None:
        """Say why a value became null."""
        if len(self.diagnostics) < MAX_DIAGNOSTICS:
            self.diagnostics.append(Diagnostic(code, message, text, position))

    def open_frame(self) -> Frame:
        """Begin a decision or call; gives the frame to go back to."""
        self.gather()
        outer, self.frame = self.frame, Frame()
        return outer

    def gather(self) -> None:
        """Give the diagnostics since the last gathering to the frame in which they arose."""
        known = len(self.diagnostics)
        if self.tally.gathered < known:
            self.frame.notes.extend(self.diagnostics[self.tally.gathered :])
            self.tally.gathered = known

    def record(self, kind: str, identifier: str, name: str, given: Mapping[str, Any], output: Any) -> None:
        """Add an evaluation to the record; ``given`` stands in where no table named its inputs."""
        record = self.tally.record
        if len(record) >= MAX_RECORDS:
            if len(record) == MAX_RECORDS:
                self.note("record", f"More than {MAX_RECORDS} evaluations: the record ends here.", name)
                record.append(DecisionEvaluation("", "...", "truncated", (), (), None))
            return
        self.gather()
        frame = self.frame
        inputs = tuple(frame.inputs) if frame.inputs else tuple(given.items())
        rules, notes = tuple(frame.rules), tuple(frame.notes)
        record.append(DecisionEvaluation(identifier, name, kind, inputs, rules, output, notes))

    def enter(self, name: str) -> None:
        """Count a call. Raises EvaluationLimit where calls nest too deep or are too many."""
        tally = self.tally
        tally.calls += 1
        tally.depth += 1
        if tally.depth > MAX_DEPTH or tally.calls > MAX_CALLS:
            raise EvaluationLimit(
                f"'{name}' is called more than {MAX_DEPTH} levels deep or more than {MAX_CALLS:,} times in "
                "one evaluation; end its recursion sooner or work on fewer items."
            )

    def leave(self) -> None:
        """The end of a call."""
        self.tally.depth -= 1


PLAIN: dict[str, tuple[type, ...]] = {
    "number": (int, Decimal),
    "string": (str,),
    "boolean": (bool,),
}
"""Python's types of the basic types that most columns have: no further look is needed."""

Step = Callable[[dict[str, Any], Run], Any]
"""A compiled boxed expression: from the values in scope to its value."""

Coercion = Callable[[Any, Run], Any]
"""Makes a value fit a type, or null with a diagnostic."""


def coercion(kind: FeelType | None, place: str) -> Coercion | None:
    """What makes a value fit ``kind`` at ``place``; ``None`` where anything fits."""
    if kind is None or kind == ANY:
        return None
    plain = PLAIN.get(kind.name, ()) if isinstance(kind, SimpleType) else ()

    def convert(value: Any, run: Run) -> Any:
        if value is None or type(value) in plain:
            return value
        converted, fits = coerce(value, kind)
        if not fits:
            run.note(
                "conversion", f"{shown(value)} is no {kind}, the type of {place}, so it became null.", place
            )
        return converted

    return convert


def shown(value: Any) -> str:
    """A value, shortened, for a message."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
