"""Joins: parallel, inclusive and complex gateways, activities with a start quantity (BPMN 2.0.2, 13.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowkit.bpmn import model as m
from tests.oracle.places import Scope, Token

if TYPE_CHECKING:
    from tests.oracle.token_game import TokenGame

__all__ = ["arrive", "settle"]


def arrive(game: TokenGame, token: Token) -> None:
    """The token has come along a flow: rest at a join, or enter."""
    if not game.alive(token):
        return
    node = token.node
    needed = getattr(node, "start_quantity", 1)
    if isinstance(node, m.ParallelGateway | m.InclusiveGateway | m.ComplexGateway):
        joins = len(node.incoming) > 1
    else:
        joins = needed > 1
    if not joins:
        game.enter(token)
        return
    token.resting = True
    token.arrived = game.tick()
    here = at_join(token.scope, node)
    if isinstance(node, m.ParallelGateway):
        first = first_of_each_flow(here)
        if len(first) == len(node.incoming):
            merge(game, node, token.scope, first)
    elif isinstance(node, m.Activity) and len(here) >= needed:
        merge(game, node, token.scope, sorted(here, key=lambda one: one.arrived)[:needed])


def at_join(scope: Scope, node: Any) -> list[Token]:
    here = [token for token in scope.tokens if token.node is node and token.resting and token.flow]
    return sorted(here, key=lambda token: token.arrived)


def first_of_each_flow(tokens: list[Token]) -> list[Token]:
    first: dict[str, Token] = {}
    for token in tokens:
        first.setdefault(str(token.flow), token)
    return list(first.values())


def merge(game: TokenGame, node: Any, scope: Scope, tokens: list[Token]) -> None:
    """One token of each flow becomes one token that enters."""
    for token in tokens:
        scope.tokens.remove(token)
    game.put(scope, node)


# ---- joins that wait for what can still come --------------------------------------------------


def settle(game: TokenGame) -> bool:
    """All tokens rest: let one inclusive or complex gateway go on, if one can."""
    for scope in list(game.scopes()):
        for node in waiting_gateways(game, scope):
            here = at_join(scope, node)
            if isinstance(node, m.InclusiveGateway):
                first = first_of_each_flow(here)
                if not expected(game, scope, node, {str(t.flow) for t in here}, set()):
                    merge(game, node, scope, first)
                    return True
            elif node.id in scope.resetting:
                if reset(game, scope, node, here):
                    return True
            elif activate(game, scope, node, here):
                return True
    return False


def waiting_gateways(game: TokenGame, scope: Scope) -> list[Any]:
    resting = sorted((t for t in scope.tokens if t.resting and t.flow), key=lambda token: token.arrived)
    nodes = [t.node for t in resting if isinstance(t.node, m.InclusiveGateway | m.ComplexGateway)]
    nodes += [game.board.node[name] for name in scope.resetting]
    return list(dict.fromkeys(nodes))


def expected(game: TokenGame, scope: Scope, node: Any, filled: set[str], consumed: set[str]) -> bool:
    """Can a token still come to an empty flow, and to none that has (or gave) one? (13.4.3, 13.4.5)"""
    empty = set(node.incoming) - filled - consumed
    return any(
        reached(game, token, node, boundaries=True) & empty
        and not reached(game, token, node, boundaries=False) & (filled | consumed)
        for token in scope.tokens
        if token.node is not node
    )


def reached(game: TokenGame, token: Token, gateway: Any, *, boundaries: bool) -> set[str]:
    """The gateway's flows to which a path leads that does not visit the gateway.

    That a boundary event could lead to a flow holds the gateway back, but excuses nobody.
    """
    board = game.board
    found: set[str] = set()
    seen: set[str] = set()
    stack = [token.node.id]
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        linked = board.link(board.node[name])
        if linked is not None:
            stack.append(linked.id)
        for flow in board.node[name].outgoing:
            target = board.flows[flow].target
            if target == gateway.id:
                found.add(flow)
            else:
                stack.append(target)
        if boundaries:
            stack += [event.id for event in board.boundary(board.node[name])]
    return found


def activate(game: TokenGame, scope: Scope, node: m.ComplexGateway, here: list[Token]) -> bool:
    """Waiting for start: does the condition hold for what has arrived?"""
    counts = {flow: sum(token.flow == flow for token in here) for flow in node.incoming}
    if not game.true(node.activation_condition, scope, **counts, activationCount=len(here)):
        return False
    first = first_of_each_flow(here)
    scope.resetting[node.id] = {str(token.flow) for token in first}
    merge(game, node, scope, first)
    return True


def reset(game: TokenGame, scope: Scope, node: m.ComplexGateway, here: list[Token]) -> bool:
    """Waiting for reset: once nothing is expected any more, what came late is taken, and the flows whose
    condition is true get a token, or the default flow; there may be none of either (13.4.5)."""
    consumed = scope.resetting[node.id]
    late = [token for token in here if token.flow not in consumed]
    if expected(game, scope, node, {str(token.flow) for token in late}, consumed):
        return False
    del scope.resetting[node.id]
    asked = [game.board.flows[f] for f in node.outgoing if game.board.flows[f].condition is not None]
    true = [flow.id for flow in asked if game.true(flow.condition, scope, waitingForStart=False)]
    for token in first_of_each_flow(late):
        scope.tokens.remove(token)
    for name in true or [flow for flow in [node.default] if flow]:
        game.put(scope, game.board.node[game.board.flows[name].target], name)
    game.soon(game.check, scope)
    return True
