"""Events that wait: what is watched for, and what happens when it occurs (BPMN 2.0.2, 10.5 and 13.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowkit.bpmn import model as m
from tests.oracle.places import ANY, Scope, Token, Watch

if TYPE_CHECKING:
    from tests.oracle.token_game import TokenGame

__all__ = [
    "broadcast", "carried", "conditions", "learn", "occur", "start_at", "trigger", "watch",
    "watch_event_subprocesses",
]  # fmt: skip

OUTSIDE = (
    m.MessageEventDefinition,
    m.TimerEventDefinition,
    m.SignalEventDefinition,
    m.ConditionalEventDefinition,
)
"""What occurs without being thrown at the scope."""


def definitions(event: Any) -> list[m.EventDefinition]:
    if isinstance(event, m.ReceiveTask):
        return [m.MessageEventDefinition(id="", message=event.message)]
    return list(event.definitions)


# ---- watching ---------------------------------------------------------------------------------


def watch(game: TokenGame, event: Any, scope: Scope, host: Token | None) -> None:
    """Begin to watch for every definition of the event that comes from outside."""
    place: Token | Scope = host or scope
    for part, definition in enumerate(definitions(event)):
        if isinstance(definition, OUTSIDE):
            key = key_to_wait_for(game, definition, scope)
            one = Watch(event, part, scope, host, game.tick(), key)
            if isinstance(definition, m.TimerEventDefinition) and definition.cycle is not None:
                one.left = int(definition.cycle.text.partition("/")[0].removeprefix("R"))
            place.watches.append(one)


def watch_event_subprocesses(game: TokenGame, scope: Scope) -> None:
    for start in game.board.event_starts(scope.node):
        watch(game, start, scope, None)


def conditions(game: TokenGame) -> bool:
    """Let every conditional event occur whose condition has turned true (10.5.5)."""
    risen = []
    for one in game.watches():
        if isinstance(one.definition, m.ConditionalEventDefinition):
            holds = game.true(one.definition.condition, one.scope)
            if holds and not one.holds:
                risen.append(one)
            one.holds = holds
    for one in risen:
        if game.watched(one):
            occur(game, one, {})
    return bool(risen)


def broadcast(game: TokenGame, signal: str, variables: dict[str, Any]) -> None:
    """A signal reaches everything that watches for it now (10.5.5)."""
    for one in [w for w in game.watches() if is_signal(game, w.definition, signal)]:
        if game.watched(one):
            occur(game, one, variables)


def is_signal(game: TokenGame, definition: m.EventDefinition, name: str) -> bool:
    signals = {signal.id: signal.name for signal in game.board.definitions.signals}
    return isinstance(definition, m.SignalEventDefinition) and signals[definition.signal] == name


# ---- occurring --------------------------------------------------------------------------------


def occur(game: TokenGame, one: Watch, variables: dict[str, Any]) -> None:
    """What is watched for has occurred."""
    event = one.event
    place: Token | Scope = one.host or one.scope
    again = not getattr(event, "is_interrupting", True) or not getattr(event, "cancel_activity", True)
    if isinstance(one.definition, m.TimerEventDefinition):
        one.left, one.since = one.left - 1, game.tick()
        if not again or not one.left:
            place.watches.remove(one)
    if getattr(event, "parallel_multiple", False):
        if not again and one in place.watches:
            place.watches.remove(one)
        everything = note_part(one, variables)
        if everything is None:
            return
        variables = everything
    if isinstance(event, m.BoundaryEvent) and one.host is not None:
        trigger(game, one.host, event, variables)
    elif one.host is None:
        trigger(game, one.scope, event, variables)
    else:
        go_on(game, one.host, event, variables)


def note_part(one: Watch, variables: dict[str, Any]) -> dict[str, Any] | None:
    """One definition of a parallel-multiple event: what all of them brought, once all have occurred."""
    place: Token | Scope = one.host or one.scope
    parts = place.parts.setdefault(one.event.id, {})
    parts[one.part] = {**parts.pop(one.part, {}), **variables}
    if len(parts) < len(definitions(one.event)):
        return None
    del place.parts[one.event.id]
    return {name: value for brought in parts.values() for name, value in brought.items()}


def go_on(game: TokenGame, token: Token, event: Any, variables: dict[str, Any]) -> None:
    """An event in the flow, perhaps behind an event-based gateway whose other events are off (13.4.4)."""
    if isinstance(token.node, m.EventBasedGateway):
        game.completed[token.node.id] += 1
        token.node = event
        token.flow = next(f for f in event.incoming)
    token.watches.clear()
    if isinstance(event, m.ReceiveTask):
        game.work_done(token, variables)
    else:
        game.conclude(token, variables)


def trigger(game: TokenGame, place: Token | Scope, event: Any, variables: dict[str, Any]) -> None:
    """A boundary event of the activity at a token, or the start of an event subprocess of a scope."""
    if isinstance(place, Token):
        if event.cancel_activity:
            place.scope.tokens.remove(place)
        token = Token(event, place.scope)
        place.scope.tokens.append(token)
        game.conclude(token, variables)
        return
    if event.is_interrupting:
        place.watches.clear()
        place.tokens.clear()
        place.resetting.clear()
    token = Token(game.board.home[event.id], place, resting=True)
    place.tokens.append(token)
    game.soon(run_event_subprocess, game, token, event, variables)


def run_event_subprocess(game: TokenGame, token: Token, start: Any, variables: dict[str, Any]) -> None:
    if game.alive(token):
        inner = Scope("container", token.node, token, token.scope, dict(variables))
        token.inner.append(inner)
        watch_event_subprocesses(game, inner)
        game.merge(token.scope, variables)
        game.put(inner, start)


# ---- instantiation (13.2, 10.3.3, 10.6.6) -----------------------------------------------------


def start_at(game: TokenGame, node: Any, variables: dict[str, Any], key: str) -> None:
    """The event ``node`` has started the process."""
    for definition in definitions(node):
        learn(game, definition, variables, key)
    gateway = next(
        (
            before
            for flow in node.incoming
            if isinstance(before := game.board.node[game.board.flows[flow].source], m.EventBasedGateway)
        ),
        None,
    )
    if gateway is None:
        if isinstance(node, m.StartEvent):
            game.put(game.root, node)
        else:
            occurred(game, node, None)
        return
    for flow in gateway.outgoing:
        target = game.board.node[game.board.flows[flow].target]
        if target is node:
            occurred(game, node, flow)
        elif gateway.event_gateway_type == "Parallel":
            game.put(game.root, target, flow)


def occurred(game: TokenGame, node: Any, flow: str | None) -> None:
    """The event that started the process is over as soon as it is entered."""
    token = Token(node, game.root, flow, resting=True)
    game.root.tokens.append(token)
    game.soon(lambda: go_on(game, token, node, {}) if game.alive(token) else None)


# ---- correlation (8.4.2) ----------------------------------------------------------------------


def message_of(game: TokenGame, definition: m.EventDefinition) -> m.Message:
    assert isinstance(definition, m.MessageEventDefinition)
    return next(one for one in game.board.definitions.messages if one.id == definition.message)


def correlation(game: TokenGame, message: m.Message) -> tuple[str, str] | None:
    """The correlation key that the message belongs to, and where it carries its value."""
    for collaboration in game.board.definitions.collaborations:
        for key, properties in collaboration.correlation_keys:
            for one in game.board.definitions.correlation_properties:
                for retrieval in one.retrievals:
                    if one.id in properties and retrieval.message == message.id:
                        return key, retrieval.path.text
    return None


def key_to_wait_for(game: TokenGame, definition: m.EventDefinition, scope: Scope) -> str:
    """Key-based correlation: any key, until the first message of the conversation has set it."""
    if not isinstance(definition, m.MessageEventDefinition):
        return ""
    message = message_of(game, definition)
    found = correlation(game, message)
    if found is not None:
        return game.keys.get(found[0], ANY)
    text = message.extensions.correlation_key
    return str(game.value(text, scope)) if text else ""


def carried(game: TokenGame, message: m.Message, content: dict[str, Any]) -> str:
    """The key that a message with this content carries, or the instance's own."""
    found = correlation(game, message)
    assert found is not None
    value = content.get(found[1])
    return str(value) if value is not None else game.keys.get(found[0], "")


def learn(game: TokenGame, definition: m.EventDefinition, content: dict[str, Any], key: str) -> None:
    """The first message of a conversation sets the instance's key, for everything that watches."""
    if not isinstance(definition, m.MessageEventDefinition):
        return
    message = message_of(game, definition)
    found = correlation(game, message)
    value = (carried(game, message, content) or key) if found is not None else ""
    if found is None or not value or found[0] in game.keys:
        return
    game.keys[found[0]] = value
    for one in game.watches():
        if one.key == ANY:
            one.key = value
            one.since = game.tick()
