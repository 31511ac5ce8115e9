"""A second opinion: the token game of BPMN 2.0.2, chapter 13, as naively as it can be written.

It shares no code with the kernel: it walks the model itself, searches paths anew at every look, keeps
no index and undoes nothing: what lies in a scope that is gone is not alive. The standard leaves open in
which order what happens at one moment is done; here as there tokens advance in turns, conditions are
looked at when all tokens rest, and then the joins that wait for what can still come.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flowkit.bpmn import model as m
from tests.oracle import activities, events, joins, throwing
from tests.oracle.places import Board, Done, Scope, Token, Watch, evaluate

__all__ = ["TokenGame"]


class TokenGame:
    """One instance. ``completed`` counts how often each element completed; ``effects`` is what others
    must be told since they were told last; ``outcome`` is empty while the instance runs."""

    def __init__(self, definitions: m.Definitions, process: str = "Process") -> None:
        self.board = Board(definitions, next(p for p in definitions.processes if p.id == process))
        self.completed: Counter[str] = Counter()
        self.effects: list[tuple[Any, ...]] = []
        self.calls: dict[int, Token] = {}
        """The activities that call, by number; what was withdrawn is still here until it is told."""
        self.undone: dict[int, Done] = {}
        """The calls that undo, and what they undo."""
        self.requests: dict[int, Token] = {}
        self.stored: dict[Token, Any] = {}
        self.keys: dict[str, str] = {}
        self.outcome = ""
        self.called = False
        self.undo: Done | None = None
        """What a caller can undo, once this has ended."""
        self._moment = 0
        self._asked = 0
        self._turns: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self.root = Scope("container", self.board.process, None, None)

    # ---- what can be done to it ---------------------------------------------------------------

    def start(self, variables: dict[str, Any], at: str = "", *, called: bool = False, key: str = "") -> None:
        """Start it, perhaps by the event ``at``; ``key`` is what its message was correlated by."""
        self.called = called
        self.root.variables = dict(variables)
        if at:
            events.start_at(self, self.board.node[at], variables, key)
        else:
            for node in self.board.starts(self.board.process):
                self.put(self.root, node)
        events.watch_event_subprocesses(self, self.root)
        self.run()

    def start_undoing(self, undo: Done) -> None:
        """Undo a finished run of the process, with its variables as they were (10.7)."""
        self.called = True
        self.root.variables, self.root.done = dict(undo.variables), undo.inside
        throwing.undo_process(self)
        self.run()

    def undoing(self, number: int) -> Done:
        return self.undone[number]

    def complete_task(self, node: str, variables: dict[str, Any]) -> None:
        """Complete the user task that has waited longest at ``node``."""
        self.work_done(next(token for token in self.tasks() if token.node.id == node), variables)
        self.run()

    def occur(self, node: str, part: int, variables: dict[str, Any], key: str = "") -> None:
        """Let the event occur that has waited longest at ``node`` for its definition ``part``."""
        watch = next(w for w in self.watches() if w.event.id == node and w.part == part)
        events.learn(self, watch.definition, variables, key)
        events.occur(self, watch, variables)
        self.run()

    def broadcast(self, signal: str, variables: dict[str, Any]) -> None:
        events.broadcast(self, signal, variables)
        self.run()

    def set_variables(self, variables: dict[str, Any]) -> None:
        self.root.variables.update(variables)
        self.run()

    def answer_call(
        self, number: int, outcome: str, variables: dict[str, Any], code: str, undo: Done | None
    ) -> None:
        token = self.calls.pop(number, None)
        if token is None:
            return
        if number in self.undone:
            self.soon(throwing.compensate_next, self, token)
        elif outcome == "error":
            throwing.raise_error(self, token, code)
        else:
            if undo is not None and self.board.handler(token.node) is None:
                token.scope.done.append(Done(token.node, {}, [undo]))
            self.work_done(token, variables)
        self.run()

    def escalate_call(self, number: int, code: str) -> None:
        if number in self.calls:
            throwing.raise_escalation(self, self.calls[number], code)
            self.run()

    def answer_data(self, number: int, values: dict[str, Any]) -> None:
        token = self.requests.pop(number)
        if self.alive(token):
            activities.data_answered(self, token, values)
            self.run()

    def cancel(self) -> None:
        self.outcome = "cancelled"
        self.effects.append(("ended", "cancelled", {}, ""))

    # ---- what can be seen ---------------------------------------------------------------------

    def tokens(self, scope: Scope | None = None) -> Iterator[Token]:
        """Every token, those of outer scopes first."""
        if self.outcome:
            return
        for token in (scope or self.root).tokens:
            yield token
            for inner in token.inner:
                yield from self.tokens(inner)

    def scopes(self) -> Iterator[Scope]:
        if not self.outcome:
            yield self.root
            for token in self.tokens():
                yield from token.inner

    def tasks(self) -> list[Token]:
        """The open user tasks, the oldest first."""
        return sorted(
            (t for t in self.tokens() if isinstance(t.node, m.UserTask) and t.opened),
            key=lambda token: token.opened,
        )

    def watches(self) -> list[Watch]:
        """What is watched for, the oldest first."""
        places: list[Scope | Token] = [*self.scopes(), *self.tokens()]
        return sorted((w for place in places for w in place.watches), key=lambda watch: watch.since)

    def watched(self, watch: Watch) -> bool:
        return any(watch is one for one in self.watches())

    def alive(self, token: Token) -> bool:
        return any(token is one for one in self.tokens())

    def taken_back(self) -> list[int]:
        """The calls that nobody waits for any more."""
        gone = [number for number, token in self.calls.items() if not self.alive(token)]
        for number in gone:
            del self.calls[number]
        return gone

    # ---- turns --------------------------------------------------------------------------------

    def soon(self, action: Callable[..., Any], *arguments: Any) -> None:
        """Do it when it is its turn: after everything that is already due."""
        self._turns.append((action, arguments))

    def ask(self, open_ones: dict[int, Token], token: Token) -> int:
        """Number a question to others."""
        self._asked += 1
        open_ones[self._asked] = token
        return self._asked

    def tick(self) -> int:
        self._moment += 1
        return self._moment

    def run(self) -> None:
        """Let tokens advance in turns until every one rests."""
        while not self.outcome:
            if self._turns:
                action, arguments = self._turns.popleft()
                action(*arguments)
            elif not events.conditions(self) and not joins.settle(self):
                return
        self._turns.clear()

    # ---- moving -------------------------------------------------------------------------------

    def put(self, scope: Scope, node: Any, flow: str | None = None) -> Token:
        """A new token comes to ``node``."""
        token = Token(node, scope, flow)
        scope.tokens.append(token)
        if flow:
            self.soon(joins.arrive, self, token)
        else:
            self.soon(self.enter, token)
        return token

    def leave(self, token: Token, flows: Iterable[str]) -> None:
        """The node has completed: a token along each of the flows, or none (13.3.1)."""
        self.completed[token.node.id] += 1
        token.scope.tokens.remove(token)
        copies = getattr(token.node, "completion_quantity", 1)
        taken = [flow for flow in flows for _ in range(copies)]
        for flow in taken:
            self.put(token.scope, self.board.node[self.board.flows[flow].target], flow)
        if not taken:
            self.soon(self.check, token.scope)

    def conclude(self, token: Token, result: dict[str, Any]) -> None:
        """An activity or event is done with: remember it, forget what it held, go on."""
        self.remember(token)
        token.watches.clear()
        token.inner.clear()
        token.resting = False
        self.merge(token.scope, result)
        self.leave(token, choose(self, token))

    def work_done(self, token: Token, result: dict[str, Any]) -> None:
        """The work of an activity gave ``result``."""
        activities.work_done(self, token, result)

    def remember(self, token: Token) -> None:
        """What has completed can be compensated, with the variables in its sight (10.7)."""
        inside = [done for scope in token.inner for done in scope.done]
        many = any(scope.kind == "instances" for scope in token.inner)
        token.scope.done.append(Done(token.node, token.inside.visible(), inside, many))

    def merge(self, scope: Scope, values: dict[str, Any]) -> None:
        """Each variable goes to the nearest scope that owns it, else to the process."""
        for name, value in values.items():
            place = scope
            while place.parent is not None and (name not in place.variables or place.kind == "handler"):
                place = place.parent
            place.variables[name] = value

    def value(self, text: str, scope: Scope) -> Any:
        return evaluate(text, scope.lookup)

    def true(self, condition: m.Expression | None, scope: Scope, **local: Any) -> bool:
        if condition is None:
            return True
        value = evaluate(condition.text, lambda name: local[name] if name in local else scope.lookup(name))
        return value is True

    def end(self, outcome: str, variables: dict[str, Any], code: str = "") -> None:
        done = Done(self.board.process, dict(variables), self.root.done, called=True)
        if self.called and outcome != "error" and throwing.undoes(self, done):
            self.undo = done
        self.outcome = outcome
        self.effects.append(("ended", outcome, dict(variables), code))

    # ---- entering and leaving -----------------------------------------------------------------

    def enter(self, token: Token) -> None:
        """The token's node begins its work."""
        if not self.alive(token):
            return
        node = token.node
        if isinstance(node, m.Activity):
            activities.begin(self, token)
        elif isinstance(node, m.EventBasedGateway):
            token.resting = True
            for flow in node.outgoing:
                events.watch(self, self.board.node[self.board.flows[flow].target], token.scope, token)
        elif isinstance(node, m.IntermediateCatchEvent):
            token.resting = True
            events.watch(self, node, token.scope, token)
            if not token.watches:
                self.conclude(token, {})
        elif isinstance(node, m.IntermediateThrowEvent | m.EndEvent):
            throwing.throw_all(self, token)
        elif isinstance(node, m.StartEvent):
            self.conclude(token, {})
        else:
            self.leave(token, split(self, token))

    def check(self, scope: Scope) -> None:
        """A scope in which no token is left is done (13.2, 13.3.4)."""
        owner = scope.owner
        if owner is None:
            if not scope.tokens:
                self.end("completed", scope.variables)
            return
        if not self.alive(owner) or scope not in owner.inner:
            return
        if isinstance(owner.node, m.AdHocSubProcess) and scope.kind == "container":
            activities.check_ad_hoc(self, scope, owner)
        elif not scope.tokens and scope.kind == "handler":
            owner.inner.remove(scope)
            self.soon(throwing.compensate_next, self, owner)
        elif not scope.tokens and scope.kind == "container":
            self.work_done(owner, {})


def choose(game: TokenGame, token: Token) -> list[str]:
    """Out of an activity or event: flows without a condition, those whose condition is true, and the
    default flow when there is none of the latter (13.3.1, 10.3.1)."""
    default = getattr(token.node, "default", "")
    flows = [game.board.flows[flow] for flow in token.node.outgoing if flow != default]
    asked = [
        flow.id for flow in flows if flow.condition is not None and game.true(flow.condition, token.scope)
    ]
    taken = [flow.id for flow in flows if flow.condition is None or flow.id in asked]
    return [*taken, default] if default and not asked else taken


def split(game: TokenGame, token: Token) -> list[str]:
    """Out of a gateway (13.4.1 to 13.4.5)."""
    node = token.node
    out = list(node.outgoing)
    if isinstance(node, m.ParallelGateway):
        return out
    local = {"waitingForStart": True} if isinstance(node, m.ComplexGateway) else {}
    true = [
        flow
        for flow in out
        if flow != node.default and game.true(game.board.flows[flow].condition, token.scope, **local)
    ]
    if isinstance(node, m.ExclusiveGateway):
        true = true[:1]
    return true or [flow for flow in [node.default] if flow]
