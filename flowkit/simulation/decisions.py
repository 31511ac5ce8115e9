"""Decisions in a simulation: the model's own DMN tables where their inputs are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flowkit.dmn import DecisionModel, parse_files
from flowkit.dmn.model import Decision, DecisionTable
from flowkit.simulation.knowledge import reads_of

__all__ = ["Decisions"]


class Decisions:
    """The decisions of some DMN files, by id."""

    def __init__(self, files: Iterable[tuple[str, bytes]]) -> None:
        self._models: dict[str, DecisionModel] = {}
        self._decisions: dict[str, tuple[Decision, DecisionModel]] = {}
        for model in parse_files(dict(files)).values():
            for decision in model.definitions.decisions:
                self._models.setdefault(decision.id, model)
                self._decisions.setdefault(decision.id, (decision, model))

    def __contains__(self, decision: str) -> bool:
        return decision in self._models

    def evaluate(self, decision: str, variables: Mapping[str, Any], now: datetime) -> Any:
        """The decision's output as JSON."""
        return self._models[decision].evaluate(decision, variables, now=now).output

    @property
    def reads(self) -> frozenset[str]:
        """The variables that any of the decisions reads."""
        return frozenset(name for decision in self._decisions for name in self.inputs(decision) or ())

    def inputs(self, decision: str) -> frozenset[str] | None:
        """The variables that the decision's tables read; None when there is no such decision."""
        if decision not in self._decisions:
            return None
        needed: set[str] = set()
        made: set[str] = set()
        waiting, seen = [decision], {decision}
        while waiting:
            found, model = self._decisions[waiting.pop()]
            made.add(found.variable.name)
            if isinstance(found.logic, DecisionTable):
                for clause in found.logic.inputs:
                    needed |= reads_of(clause.expression.text) or frozenset()
            names = {data.id: data.variable.name for data in model.definitions.inputs}
            for reference in found.required_inputs:
                needed.add(names.get(reference.rpartition("#")[2], ""))
            for reference in found.required_decisions:
                other = reference.rpartition("#")[2]
                if other in self._decisions and other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return frozenset(name.split(".")[0] for name in needed - made if name)
