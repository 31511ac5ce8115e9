"""Which of several waiting tokens may go first without loss: a partial-order reduction.

Where two tokens don't touch each other, it does not matter which of them moves first: both orders end in
the same marking. So in such a state it is enough to let one token move (an *ample set*: Clarke, Grumberg,
Peled, "Model Checking", chapter 10). A token may be chosen when nothing that other tokens do can stop,
start or change what it does, and the other way round. This is decided on the safe side: not below
events that can come from outside, not in scopes with inclusive or complex joins, and not where something
in the scope can end other tokens, or is recorded for compensation.

So that nobody is forgotten while one token goes round in circles, the explorer lets all tokens move
when the chosen one leads to a state that was looked at before.
"""

from __future__ import annotations

from collections.abc import Iterable

from flowkit.kernel import Instance, Program
from flowkit.kernel.state import Condition, Subscription
from flowkit.soundness.outside import errors_from_outside

__all__ = ["Independence"]

_ENTANGLING = frozenset({"error", "escalation", "cancel", "terminate", "compensation"})


class Independence:
    """What is known of a program's containers before the first state is looked at."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._entangled = _entangled(program)

    def chosen(self, instance: Instance, tokens: Iterable[int]) -> int | None:
        """One of the ``tokens`` whose moves may stand for all, if there is one."""
        if instance.conditions:
            return None
        return next((key for key in tokens if self._alone(instance, key)), None)

    def _alone(self, instance: Instance, key: int) -> bool:
        token = instance.tokens[key]
        if token.scopes and any(instance.scopes[scope].tokens for scope in token.scopes):
            return False
        for held in token.holds:
            wait = instance.waits[held]
            if isinstance(wait, Condition) or (isinstance(wait, Subscription) and wait.kind == "signal"):
                return False  # a signal may move others at the same time
        for scope in instance.lineage(token.scope):
            owner = instance.tokens.get(scope.token)
            if scope.node in self._entangled or scope.holds or (owner is not None and owner.holds):
                return False
        return True


def _entangled(program: Program) -> set[str]:
    """The containers in which one token's doings can matter to another's."""
    direct = {program.nodes[key].container for key in errors_from_outside(program)}
    for node in program.nodes.values():
        around = {node.container}
        if node.reach or node.synchronized or node.kind == "adHocSubProcess" or node.start_quantity > 1:
            direct |= around
        if node.handler or any(one.kind in _ENTANGLING for one in node.throws):
            direct |= around
        if any(catch.kind in ("cancel", "compensation", "condition") for catch in node.catches):
            direct |= around
        if node.kind == "adHocSubProcess":
            direct.add(node.id)
        multi = node.multi
        if multi is not None and (multi.completion or multi.event or multi.complex):
            direct |= {node.id, node.container}
    parents = {node.id: node.container for node in program.nodes.values()}
    found = set()
    for container in direct:
        place: str | None = container
        while place is not None:
            found.add(place)
            place = parents.get(place)
    return found
