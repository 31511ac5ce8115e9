"""Events that throw: messages, signals, errors, escalations, compensation, cancel, terminate
(BPMN 2.0.2, 10.5, 10.7 and 13.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from flowkit.bpmn import model as m
from tests.oracle import events
from tests.oracle.places import Done, Scope, Token, has

if TYPE_CHECKING:
    from tests.oracle.token_game import TokenGame

__all__ = [
    "compensate_next",
    "raise_error",
    "raise_escalation",
    "send",
    "throw",
    "throw_all",
    "undo_process",
    "undoes",
]

ORDER = (
    m.MessageEventDefinition,
    m.SignalEventDefinition,
    m.EscalationEventDefinition,
    m.CompensateEventDefinition,
    m.ErrorEventDefinition,
    m.CancelEventDefinition,
    m.TerminateEventDefinition,
)
"""A multiple event throws all of them; what ends the scope comes last."""


def throw_all(game: TokenGame, token: Token) -> None:
    """A throwing event throws each of its results, then it has completed."""
    linked = game.board.link(token.node)
    if linked is not None:
        game.completed[token.node.id] += 1
        token.scope.tokens.remove(token)
        game.put(token.scope, linked)
        return
    throw_from(game, token, sorted(token.node.definitions, key=lambda d: ORDER.index(type(d))))


def throw_from(game: TokenGame, token: Token, results: list[m.EventDefinition]) -> None:
    for number, result in enumerate(results):
        rest = results[number + 1 :]
        if isinstance(result, m.CompensateEventDefinition):
            reached = take_done(game, token.scope, result.activity)
            if reached and result.wait_for_completion:
                compensate(game, token, reached, partial(throw_from, game, token, rest))
                return
            if not result.wait_for_completion:
                beside(game, token, reached)
        elif isinstance(result, m.ErrorEventDefinition):
            game.completed[token.node.id] += 1
            raise_error(game, token, code_of(game.board.definitions.errors, result.error))
            return
        elif isinstance(result, m.TerminateEventDefinition):
            terminate(game, token)
            return
        elif isinstance(result, m.CancelEventDefinition):
            cancel(game, token)
            return
        else:
            throw(game, token, result)
            if not game.alive(token):
                # What it threw has ended it; when that was the last result it has completed.
                game.completed[token.node.id] += not rest
                return
    game.conclude(token, {})


def throw(game: TokenGame, token: Token, result: m.EventDefinition) -> None:
    """Throw what does not end the token's scope by itself."""
    if isinstance(result, m.MessageEventDefinition):
        send(game, token, result)
    elif isinstance(result, m.SignalEventDefinition):
        name = next(s.name for s in game.board.definitions.signals if s.id == result.signal)
        game.effects.append(("signal", name))
        game.soon(events.broadcast, game, name, {})
    elif isinstance(result, m.EscalationEventDefinition):
        raise_escalation(game, token, code_of(game.board.definitions.escalations, result.escalation))


def send(game: TokenGame, token: Token, result: m.MessageEventDefinition) -> None:
    message = events.message_of(game, result)
    content = {one.target: game.value(one.source, token.scope) for one in token.node.extensions.inputs}
    if events.correlation(game, message) is not None:
        key = events.carried(game, message, content)
        events.learn(game, result, content, key)
    else:
        text = message.extensions.correlation_key
        key = str(game.value(text, token.scope)) if text else ""
    game.effects.append(("message", message.name, key, content))


def code_of(declared: Any, name: str) -> str:
    return next((one.code for one in declared if one.id == name), "")


# ---- errors and escalations: from inside to outside (10.5.6) ----------------------------------


def catching(game: TokenGame, token: Token, kind: type[Any], code: str) -> Iterator[tuple[Any, Any]]:
    """The places that could catch it, and their events: one for just this code before one for every."""
    while True:
        scope = token.scope
        if scope.kind != "instances":
            yield from ((token, e) for e in catches(game, game.board.boundary(token.node), kind, code))
        interrupted = isinstance(token.node, m.SubProcess) and any(
            start.is_interrupting
            for start in token.node.nodes
            if token.node.triggered_by_event and isinstance(start, m.StartEvent)
        )
        if scope.kind == "container" and not interrupted:
            starts = game.board.event_starts(scope.node)
            yield from ((scope, e) for e in catches(game, starts, kind, code))
        if scope.owner is None:
            return
        token = scope.owner


def catches(game: TokenGame, found: Any, kind: type[Any], code: str) -> list[Any]:
    exact, every = [], []
    for event in found:
        for definition in event.definitions:
            if isinstance(definition, kind):
                name = getattr(definition, "error", "") or getattr(definition, "escalation", "")
                board = game.board.definitions
                if not name:
                    every.append(event)
                elif code_of((*board.errors, *board.escalations), name) == code:
                    exact.append(event)
    return exact + every


def raise_error(game: TokenGame, token: Token, code: str) -> None:
    for place, event in catching(game, token, m.ErrorEventDefinition, code):
        events.trigger(game, place, event, {})
        return
    assert game.called, f"nothing catches the error {code}"
    game.end("error", {}, code)


def raise_escalation(game: TokenGame, token: Token, code: str) -> None:
    for place, event in catching(game, token, m.EscalationEventDefinition, code):
        events.trigger(game, place, event, {})
        return
    game.effects.append(("escalation", code))


# ---- the end of a scope (13.5.6, 13.5.3) ------------------------------------------------------


def terminate(game: TokenGame, token: Token) -> None:
    scope = token.scope
    game.completed[token.node.id] += 1
    scope.tokens.clear()
    if scope.owner is None:
        game.end("terminated", scope.variables)
    else:
        game.soon(game.check, scope)


def cancel(game: TokenGame, token: Token) -> None:
    """A transaction is cancelled: its other work ends, what it has done is undone, then it is left by
    its cancel event."""
    scope = token.scope
    scope.tokens[:] = [token]
    reached = take_done(game, scope, "")
    if reached:
        compensate(game, token, reached, lambda: cancelled(game, token))
    else:
        cancelled(game, token)


def cancelled(game: TokenGame, token: Token) -> None:
    game.completed[token.node.id] += 1
    owner = token.scope.owner
    assert owner is not None
    while owner.scope.kind == "instances":
        assert owner.scope.owner is not None
        owner = owner.scope.owner
    for event in game.board.boundary(owner.node):
        if has(event, m.CancelEventDefinition):
            events.trigger(game, owner, event, {})
            return
    token.scope.tokens.remove(token)
    game.soon(game.check, token.scope)


# ---- compensation (10.7, 13.5.5) --------------------------------------------------------------


def take_done(game: TokenGame, scope: Scope, activity: str) -> list[Done]:
    """What a throw in the scope reaches, no longer to be undone a second time; from inside a handler or
    an event subprocess also what the scope around has done."""
    place: Scope | None = scope
    found: list[Done] = []
    while place is not None:
        here = [done for done in place.done if activity in ("", done.node.id) and undoes(game, done)]
        place.done = [done for done in place.done if done not in here]
        found = here + found
        inside = place.kind == "handler" or getattr(place.node, "triggered_by_event", False)
        place = place.parent if inside else None
    return found


def undoes(game: TokenGame, done: Done) -> bool:
    """Is there anything to undo?"""
    if done.called and game.board.process is not done.node:
        return True  # its own process has looked
    handled = not done.many and not done.called and game.board.handler(done.node) is not None
    return handled or any(undoes(game, inner) for inner in done.inside)


def compensate(game: TokenGame, token: Token, reached: list[Done], then: Callable[[], None]) -> None:
    token.pending, token.then, token.resting = reached, then, True
    game.soon(compensate_next, game, token)


def beside(game: TokenGame, token: Token, reached: list[Done]) -> None:
    """``waitForCompletion="false"``: somebody else undoes it while the token goes on."""
    runner = Token(token.node, token.scope)
    token.scope.tokens.append(runner)
    if reached:
        compensate(game, runner, reached, lambda: game.leave(runner, []))
    else:
        game.leave(runner, [])


def compensate_next(game: TokenGame, token: Token) -> None:
    """Undo what completed last; a finished subprocess by its handler, else by those inside it."""
    if not game.alive(token) or token.then is None:
        return
    while token.pending:
        done = token.pending.pop()
        if done.called:
            number = game.ask(game.calls, token)
            game.undone[number] = done
            game.effects.append(("undo", number, done.node.id))
            return
        handler = None if done.many else game.board.handler(done.node)
        if handler is None:
            token.pending += [inner for inner in done.inside if undoes(game, inner)]
            continue
        scope = Scope("handler", handler, token, token.scope, seen_by(game, handler, done, token))
        scope.done = done.inside
        token.inner.append(scope)
        game.put(scope, handler)
        return
    then, token.then = token.then, None
    then()


def undo_process(game: TokenGame) -> None:
    """In an instance that is there for nothing else: a token stands where the last thing was done until
    everything is undone, and goes without having completed anything."""
    reached = take_done(game, game.root, "")
    token = Token(reached[-1].node, game.root)
    game.root.tokens.append(token)

    def over() -> None:
        game.root.tokens.remove(token)
        game.soon(game.check, game.root)

    compensate(game, token, reached, over)


def seen_by(game: TokenGame, handler: Any, done: Done, token: Token) -> dict[str, Any]:
    """The variables as they were, but for those that the handler itself assigns."""
    assigned = set(assigns(handler)) & token.scope.visible().keys()
    return {name: value for name, value in done.variables.items() if name not in assigned}


def assigns(node: Any) -> list[str]:
    if isinstance(node, m.SubProcess):
        return [name for inner in node.nodes for name in assigns(inner)]
    return [node.extensions.script.result_variable] if isinstance(node, m.ScriptTask) else []
