"""Checking a model: one small function a rule, one table of all rules.

``docs/rules`` has a page for each rule, with a diagram that breaks it and one that keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from flowkit.bpmn.lint import (
    activities,
    collaboration,
    compensation,
    connections,
    correlation,
    data,
    events,
    execution,
    expressions,
    flows,
    gateways,
    items,
    loops,
    stores,
    triggers,
    vendor,
)
from flowkit.bpmn.lint.model import Model, Rule
from flowkit.bpmn.model import Definitions
from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Severity

__all__ = ["RULES", "Rule", "check_deployable", "lint"]

RULES: tuple[Rule, ...] = (
    *execution.RULES,
    *connections.RULES,
    *flows.RULES,
    *gateways.RULES,
    *events.RULES,
    *triggers.RULES,
    *compensation.RULES,
    *activities.RULES,
    *loops.RULES,
    *data.RULES,
    *items.RULES,
    *stores.RULES,
    *collaboration.RULES,
    *correlation.RULES,
    *expressions.RULES,
    *vendor.RULES,
)
"""Every rule, in the order in which findings of one line are reported."""


def lint(definitions: Definitions, *, job_types: Collection[str] | None = None) -> list[Finding]:
    """All that is wrong with a model, by line: what the reader found and what the rules find.

    ``job_types`` are the types that handlers are registered for; without them, job types are not
    checked. A finding of severity *error* refuses deployment.
    """
    model = Model(definitions, job_types)
    findings = [*definitions.findings, *_run(model)]
    order = {rule.name: rank for rank, rule in enumerate(RULES)}
    return sorted(findings, key=lambda f: (f.location.line, f.location.column, order.get(f.rule, -1)))


def _run(model: Model) -> Iterator[Finding]:
    for rule in RULES:
        for problem in rule.check(model):
            element = problem.element
            yield Finding(
                rule.name,
                rule.severity,
                element.location,
                problem.message,
                problem.hint,
                element.id,
                " ".join(element.name.split()),
            )


def check_deployable(definitions: Definitions, *, job_types: Collection[str] | None = None) -> None:
    """Raise :class:`InvalidModel` with every finding of severity *error*, if there is one."""
    errors = [f for f in lint(definitions, job_types=job_types) if f.severity is Severity.ERROR]
    if errors:
        raise InvalidModel(errors)
