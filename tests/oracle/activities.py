"""Activities: their work, loops, multi-instance and ad-hoc subprocesses (BPMN 2.0.2, 10.3 and 13.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowkit.bpmn import model as m
from tests.oracle import events, throwing
from tests.oracle.places import Scope, Token

if TYPE_CHECKING:
    from tests.oracle.token_game import TokenGame

__all__ = ["begin", "check_ad_hoc", "data_answered", "work_done"]


def one_of_many(token: Token) -> bool:
    return token.scope.kind == "instances" and token.scope.node is token.node


def begin(game: TokenGame, token: Token) -> None:
    """Boundary events watch the whole activity, then its work begins, perhaps many times."""
    node = token.node
    looped = node.loop is not None and not one_of_many(token)
    if not looped and reads(game, node) and token not in game.stored:
        request(game, token, tuple(reads(game, node).values()), ())
        return
    token.resting = True
    if not one_of_many(token):
        for event in game.board.boundary(node):
            events.watch(game, event, token.scope, token)
    if looped:
        begin_many(game, token)
        return
    if node.io is not None:
        given = game.stored.pop(token, {})
        local = {name: given.get(store) for name, store in reads(game, node).items()}
        if one_of_many(token):
            token.inside.variables.update(local)
        else:
            token.inner.append(Scope("activity", node, token, token.scope, local))
    perform(game, token)


def perform(game: TokenGame, token: Token) -> None:
    """The work itself."""
    node = token.node
    if isinstance(node, m.SubProcess):
        scope = Scope("container", node, token, token.inside)
        token.inner.append(scope)
        events.watch_event_subprocesses(game, scope)
        if isinstance(node, m.AdHocSubProcess):
            begin_ad_hoc(game, scope, node)
        else:
            for start in game.board.starts(node):
                game.put(scope, start)
    elif isinstance(node, m.UserTask):
        token.opened = game.tick()
    elif isinstance(node, m.ReceiveTask):
        events.watch(game, node, token.inside, token)
    elif isinstance(node, m.CallActivity):
        number = game.ask(game.calls, token)
        game.effects.append(("call", number, node.called_element, token.inside.visible()))
    elif isinstance(node, m.SendTask):
        throwing.send(game, token, m.MessageEventDefinition(id="", message=node.message))
        work_done(game, token, {})
    elif isinstance(node, m.ScriptTask):
        script = node.extensions.script
        value = game.value(script.expression, token.inside)
        work_done(game, token, {script.result_variable: value})
    else:
        work_done(game, token, {})


def work_done(game: TokenGame, token: Token, result: dict[str, Any]) -> None:
    """Give data stores what is theirs, then leave, or tell the loop that an instance is done."""
    stores = writes(game, token.node)
    if stores:
        # With an output association nothing else leaves the activity (10.4.2).
        token.inside.variables.update(result)
        request(game, token, (), tuple((store, token.inside.lookup(name)) for name, store in stores.items()))
        return
    game.merge(token.inside, result)
    over(game, token)


def over(game: TokenGame, token: Token) -> None:
    if one_of_many(token):
        instance_done(game, token)
    else:
        game.conclude(token, {})


# ---- data stores (10.4) -----------------------------------------------------------------------


def reads(game: TokenGame, node: Any) -> dict[str, str]:
    """The data inputs that come from stores: their names, and those of the stores."""
    return _stores(game, node, [(a.target, a.sources[0]) for a in node.input_associations if a.sources])


def writes(game: TokenGame, node: Any) -> dict[str, str]:
    return _stores(game, node, [(a.sources[0], a.target) for a in node.output_associations if a.sources])


def _stores(game: TokenGame, node: Any, ends: list[tuple[str, str]]) -> dict[str, str]:
    if node.io is None:
        return {}
    names = {item.id: item.name for item in (*node.io.inputs, *node.io.outputs)}
    references = {r.id: r.name for r in game.board.process.data_store_references}
    return {names[inner]: references[store] for inner, store in ends}


def request(game: TokenGame, token: Token, asked: tuple[str, ...], given: tuple[Any, ...]) -> None:
    token.resting = True
    token.opened = 0
    number = game.ask(game.requests, token)
    game.effects.append(("data", number, asked, given))


def data_answered(game: TokenGame, token: Token, values: dict[str, Any]) -> None:
    if writes(game, token.node):
        over(game, token)
    else:
        game.stored[token] = values
        game.soon(lambda: begin(game, token) if game.alive(token) else None)


# ---- loops and multi-instance (13.3.6, 13.3.7) ------------------------------------------------


def begin_many(game: TokenGame, token: Token) -> None:
    loop = token.node.loop
    body = Scope("instances", token.node, token, token.scope)
    if isinstance(loop, m.StandardLoopCharacteristics):
        if loop.test_before and not loops(game, loop, token.scope, 0):
            game.conclude(token, {})
            return
        count = 1
    else:
        count = int(game.value(loop.cardinality.text, token.scope))
        if not count:
            game.conclude(token, {})
            return
        body.variables["numberOfInstances"] = count
    token.inner.append(body)
    body.variables.update(numberOfCompletedInstances=0, numberOfTerminatedInstances=0)
    together = isinstance(loop, m.MultiInstanceLoopCharacteristics) and not loop.is_sequential
    body.todo = list(range(count))
    for _ in range(count if together else 1):
        start_instance(game, body)


def start_instance(game: TokenGame, body: Scope) -> None:
    body.todo = body.todo[1:]
    counter = body.started = body.started + 1
    count_instances(body)
    token = game.put(body, body.node)
    token.inner.append(Scope("activity", body.node, token, body, {"loopCounter": counter}))


def count_instances(body: Scope) -> None:
    """What conditions may read (table 10.30)."""
    active = body.started - body.variables["numberOfCompletedInstances"]
    body.variables.update(loopCounter=body.started, numberOfActiveInstances=active)


def loops(game: TokenGame, loop: m.StandardLoopCharacteristics, scope: Scope, done: int) -> bool:
    if loop.maximum is not None and done >= loop.maximum:
        return False
    return game.true(loop.condition, scope)


def instance_done(game: TokenGame, token: Token) -> None:
    body = token.scope
    game.remember(token)
    body.tokens.remove(token)
    game.completed[token.node.id] += 1
    body.variables["numberOfCompletedInstances"] += 1
    count_instances(body)
    continue_many(game, body)


def continue_many(game: TokenGame, body: Scope) -> None:
    owner = body.owner
    if owner is None or not game.alive(owner) or body not in owner.inner:
        return
    loop = body.node.loop
    done = body.variables["numberOfCompletedInstances"]
    if isinstance(loop, m.StandardLoopCharacteristics):
        if loops(game, loop, body, done):
            start_instance(game, body)
        else:
            game.conclude(owner, {})
        return
    enough = loop.completion_condition is not None and game.true(loop.completion_condition, body)
    if loop.behavior is m.MultiInstanceBehavior.ALL:
        settle_many(game, body, enough)
        return
    for definition in behaviour_events(game, body, loop, done):
        throwing.throw(game, owner, definition)
    game.soon(settle_many, game, body, enough)


def behaviour_events(game: TokenGame, body: Scope, loop: Any, done: int) -> list[m.EventDefinition]:
    """What is thrown after an instance (10.3.8): with None at each, with One at the first, with Complex
    where the condition of a definition is true."""
    named = {definition.id: definition for definition in game.board.definitions.event_definitions}
    if loop.behavior is m.MultiInstanceBehavior.NONE:
        return [named[loop.none_behavior_event]]
    if loop.behavior is m.MultiInstanceBehavior.ONE:
        first, body.thrown = not body.thrown, True
        return [named[loop.one_behavior_event]] if first else []
    return [
        definition
        for one in loop.complex_behaviors
        if game.true(one.condition, body)
        for definition in one.event.definitions
    ]


def settle_many(game: TokenGame, body: Scope, enough: bool) -> None:
    owner = body.owner
    if owner is None or not game.alive(owner) or body not in owner.inner:
        return
    if body.todo and not enough:
        start_instance(game, body)
    elif enough or not body.tokens:
        game.conclude(owner, {})


# ---- ad-hoc subprocesses (13.3.5) -------------------------------------------------------------


def begin_ad_hoc(game: TokenGame, scope: Scope, node: m.AdHocSubProcess) -> None:
    first = [one for one in node.nodes if not one.incoming and game.board.startable(one)]
    if node.ordering == "Sequential":
        scope.todo = first[1:]
        first = first[:1]
    for activity in first:
        game.put(scope, activity)


def check_ad_hoc(game: TokenGame, scope: Scope, owner: Token) -> None:
    """Whenever a token inside has ended."""
    node = owner.node
    condition = node.completion_condition
    if condition is not None and game.true(condition, scope):
        scope.todo = []
        if node.cancel_remaining_instances or not scope.tokens:
            scope.tokens.clear()
            work_done(game, owner, {})
    elif not scope.tokens and scope.todo:
        game.put(scope, scope.todo.pop(0))
    elif not scope.tokens and condition is None:
        work_done(game, owner, {})
    elif not scope.tokens:
        owner.trouble = True
