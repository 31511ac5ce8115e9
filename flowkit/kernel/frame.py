"""One step in progress: the queue of what is still to be done, and the events so far.

A behaviour gets the frame, decides, and calls :meth:`Frame.emit`; what must happen next it puts
into the queue with :meth:`Frame.push`. The queue is first in, first out, so branches advance in
turns and the order of events does not depend on anything but the diagram and the command.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flowkit.kernel import protocol as p
from flowkit.kernel.evolve import EVOLVE
from flowkit.kernel.formula import Formula
from flowkit.kernel.program import Assignment, Node, Program
from flowkit.kernel.state import Instance, Scope, Token

__all__ = ["Frame"]


class Frame:
    """The working place of one :func:`flowkit.kernel.step.step`."""

    __slots__ = ("answers", "changed", "events", "instance", "moved", "now", "program", "queue")

    def __init__(self, program: Program, instance: Instance, now: datetime) -> None:
        self.program = program
        self.instance = instance
        self.now = now
        self.events: list[p.Event] = []
        self.queue: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self.moved: dict[int, None] = {}
        """Scopes in which a token moved since their joins were last looked at."""
        self.changed: set[str] = set()
        """Variables that were set since the conditional events were last looked at."""
        self.answers: dict[int, Mapping[str, Any]] = {}
        """What data stores have just answered, by the token that goes on with it."""

    def emit(self, event: p.Event) -> None:
        """Record the event and apply it to the instance."""
        EVOLVE[type(event)](self.instance, event)
        self.events.append(event)

    def push(self, action: Callable[..., None], *arguments: Any) -> None:
        """Do ``action(frame, *arguments)`` after everything that is already in the queue."""
        self.queue.append((action, arguments))

    def next_key(self) -> int:
        """A key for a new token, scope or wait; the event that carries it counts on."""
        return self.instance.counter + 1

    def node(self, token: Token) -> Node:
        return self.program.nodes[token.node]

    # ---- variables --------------------------------------------------------------------------

    def variables(
        self, formula: Formula, scope: int, local: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """The variables that ``formula`` reads, as seen from ``scope``; ``local`` covers them."""
        scopes = self.instance.scopes
        here = scopes[scope]
        if not here.parent and not local:
            return here.variables
        seen: dict[str, Any] = {}
        for name in formula.reads:
            if local is not None and name in local:
                seen[name] = local[name]
                continue
            place: Scope | None = here
            while place is not None:
                if name in place.variables:
                    seen[name] = place.variables[name]
                    break
                place = scopes.get(place.parent)
        return seen

    def value(self, formula: Formula, scope: int, local: Mapping[str, Any] | None = None) -> Any:
        """The formula's JSON value in ``scope``."""
        if formula.expression is None:
            return formula.constant
        return formula.value(self.variables(formula, scope, local), self.now)

    def feel(self, formula: Formula, scope: int, local: Mapping[str, Any] | None = None) -> Any:
        """The formula's FEEL value in ``scope``."""
        if formula.expression is None:
            return formula.constant
        return formula.feel(self.variables(formula, scope, local), self.now)

    def truth(self, formula: Formula, scope: int, local: Mapping[str, Any] | None = None) -> bool:
        """The condition's value in ``scope``."""
        return formula.truth(self.variables(formula, scope, local), self.now)

    def assignments(
        self, assignments: tuple[Assignment, ...], scope: int, local: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Evaluate mappings in order; each sees what the ones before it assigned."""
        assigned: dict[str, Any] = {}
        seen = dict(local)
        for assignment in assignments:
            value = self.value(assignment.formula, scope, seen)
            name, *path = assignment.target
            if path:
                value = _set_inside(assigned.get(name, {}), path, value)
            assigned[name] = seen[name] = value
        return assigned

    def set_variables(self, scope: int, variables: Mapping[str, Any]) -> None:
        """Set variables in exactly this scope."""
        if variables:
            self.changed.update(variables)
            self.emit(p.VariablesSet(scope, variables))

    def propagate(self, scope: int, variables: Mapping[str, Any]) -> None:
        """Merge a result: each variable goes to the nearest scope that owns it, else to the root.

        The snapshot that a compensation handler works with is read only: it owns nothing.
        """
        if not variables:
            return
        instance = self.instance
        here = instance.scopes[scope]
        if not here.parent:
            self.changed.update(variables)
            self.emit(p.VariablesSet(scope, variables))
            return
        lineage = list(instance.lineage(scope))
        owners: dict[int, dict[str, Any]] = {}
        for name, value in variables.items():
            owner = lineage[-1]
            for place in lineage:
                if name in place.variables and place.kind != "compensation":
                    owner = place
                    break
            owners.setdefault(owner.key, {})[name] = value
        self.changed.update(variables)
        for key, values in owners.items():
            self.emit(p.VariablesSet(key, values))


def _set_inside(context: Any, path: list[str], value: Any) -> Any:
    """``context`` with ``value`` at ``path``; contexts on the way are copied, never changed."""
    inner = dict(context) if isinstance(context, dict) else {}
    name, *rest = path
    inner[name] = _set_inside(inner.get(name), rest, value) if rest else value
    return inner
