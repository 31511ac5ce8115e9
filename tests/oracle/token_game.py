"""A second opinion: the token game of BPMN 2.0.2, chapter 13, as naively as it can be written.

It shares no code with the kernel: it walks the model itself, searches paths anew at every look, and
keeps no indexes. It knows activities (plain, user, loops), gateways, message and timer events, links,
subprocesses, event subprocesses, transactions, errors, escalations, compensation, cancel and terminate
ends; conditions are names of boolean variables.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from flowkit.bpmn import model as m


@dataclass(eq=False)
class Scope:
    container: Any
    owner: Token | None
    tokens: list[Token] = field(default_factory=list)
    armed: bool = True
    body: bool = False
    left: int = 0
    since: int = 0
    fired: list[str] = field(default_factory=list)
    """The event subprocesses whose timer went off."""
    done: list[Any] = field(default_factory=list)
    """What compensation would undo: handlers, and for each finished subprocess a list of its own."""


@dataclass(eq=False)
class Token:
    node: m.FlowNode
    scope: Scope
    at_flow: str | None = None
    waiting: bool = False
    since: int = 0
    inner: list[Scope] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)
    """The boundary timers that went off: each does so once."""


def waits_for(event: Any) -> str:
    """``message`` or ``timer``, else nothing that comes from outside."""
    for definition in event.definitions:
        if isinstance(definition, m.MessageEventDefinition):
            return "message"
        if isinstance(definition, m.TimerEventDefinition):
            return "timer"
    return ""


class TokenGame:
    """One instance. ``completed`` counts how often each element completed."""

    def __init__(self, definitions: m.Definitions, variables: dict[str, Any]) -> None:
        self.definitions = definitions
        self.variables = dict(variables)
        self.completed: Counter[str] = Counter()
        self.over = False
        self.moment = 0
        self.todo: list[Token] = []
        process = definitions.processes[0]
        self.root = Scope(process, None)
        self._index(process)
        self._start(self.root)
        self._run()

    def _index(self, process: Any) -> None:
        self.flows: dict[str, m.SequenceFlow] = {}
        self.home: dict[str, Any] = {}
        self.node: dict[str, m.FlowNode] = {}

        def walk(container: Any) -> None:
            for flow in container.flows:
                self.flows[flow.id] = flow
            for node in container.nodes:
                self.node[node.id] = node
                self.home[node.id] = container
                if isinstance(node, m.SubProcess):
                    walk(node)

        walk(process)

    # ---- what can be seen ---------------------------------------------------------------------

    def waiting(self) -> Counter[str]:
        """The user tasks and events that wait, and how often."""
        found: Counter[str] = Counter()
        for token in self._tokens(self.root):
            if not token.waiting or (token.inner and isinstance(token.node, m.SubProcess)):
                if token.inner and token.waiting and not token.scope.body:
                    found.update(self._boundaries(token))
                continue
            if isinstance(token.node, m.EventBasedGateway):
                for flow in token.node.outgoing:
                    found[self.flows[flow].target] += 1
            elif isinstance(token.node, m.UserTask) and not token.inner:
                found[token.node.id] += 1
                if not token.scope.body:
                    found.update(self._boundaries(token))
            elif isinstance(token.node, m.UserTask):
                found.update(self._boundaries(token))
            elif isinstance(token.node, m.IntermediateCatchEvent):
                found[token.node.id] += 1
        for scope in self._scopes(self.root):
            if scope.armed and not scope.body:
                for start in self._event_starts(scope):
                    found[start.id] += 1
        return found

    def _boundaries(self, token: Token) -> list[str]:
        return [
            node.id
            for node in self.home[token.node.id].nodes
            if isinstance(node, m.BoundaryEvent)
            and node.attached_to == token.node.id
            and waits_for(node)
            and node.id not in token.fired
        ]

    def _event_starts(self, scope: Scope) -> list[m.StartEvent]:
        return [
            inner
            for node in scope.container.nodes
            if isinstance(node, m.SubProcess) and node.triggered_by_event
            for inner in node.nodes
            if isinstance(inner, m.StartEvent) and inner.id not in scope.fired
        ]

    def _tokens(self, scope: Scope) -> list[Token]:
        found = []
        for token in scope.tokens:
            found.append(token)
            for inner in token.inner:
                found += self._tokens(inner)
        return found

    def _scopes(self, scope: Scope) -> list[Scope]:
        if self.over:
            return []
        return [scope] + [s for token in scope.tokens for inner in token.inner for s in self._scopes(inner)]

    # ---- what can be done ---------------------------------------------------------------------

    def do(self, node_id: str, **variables: Any) -> None:
        """Complete the user task, or let the event occur, that waits at ``node_id``."""
        self.variables.update(variables)
        node = self.node[node_id]
        if isinstance(node, m.BoundaryEvent):
            self._boundary(node)
        elif isinstance(node, m.StartEvent):
            self._event_subprocess(node)
        else:
            self._waiting_token(node)
        self._run()

    def _waiting_token(self, node: m.FlowNode) -> None:
        """Of several that wait, the one that has waited longest is served."""
        for token in sorted(self._tokens(self.root), key=lambda token: token.since):
            if token.waiting and token.node is node and not token.inner:
                self._finish(token)
                return
            if token.waiting and isinstance(token.node, m.EventBasedGateway):
                targets = [self.flows[flow].target for flow in token.node.outgoing]
                if node.id in targets:
                    self.completed[token.node.id] += 1
                    token.node = node
                    self._finish(token)
                    return
        raise AssertionError(f"nothing waits at {node.id}")

    def _boundary(self, event: m.BoundaryEvent) -> None:
        host = next(
            token
            for token in sorted(self._tokens(self.root), key=lambda token: token.since)
            if token.node.id == event.attached_to
            and token.waiting
            and not token.scope.body
            and event.id not in token.fired
        )
        if waits_for(event) == "timer":
            host.fired.append(event.id)
        self._leave_by(host, event)

    def _leave_by(self, host: Token, event: m.BoundaryEvent) -> None:
        scope = host.scope
        if event.cancel_activity:
            scope.tokens.remove(host)
        token = Token(event, scope)
        scope.tokens.append(token)
        self._finish(token)

    def _event_subprocess(self, start: m.StartEvent) -> None:
        for scope in sorted(self._scopes(self.root), key=lambda scope: scope.since):
            if scope.armed and not scope.body and start in self._event_starts(scope):
                if waits_for(start) == "timer":
                    scope.fired.append(start.id)
                if start.is_interrupting:
                    scope.armed = False
                    scope.tokens.clear()
                node = next(
                    n for n in scope.container.nodes if isinstance(n, m.SubProcess) and start in n.nodes
                )
                token = Token(node, scope, waiting=True)
                scope.tokens.append(token)
                inner = Scope(node, token, since=self._tick())
                token.inner.append(inner)
                self._put(inner, start)
                return
        raise AssertionError(f"{start.id} is not armed")

    # ---- the game -----------------------------------------------------------------------------

    def _start(self, scope: Scope) -> None:
        for node in scope.container.nodes:
            if isinstance(node, m.StartEvent) and not node.definitions:
                self._put(scope, node)

    def _link(self, node: m.FlowNode) -> m.FlowNode | None:
        """The catching link event that a throwing one leads to."""
        if not isinstance(node, m.IntermediateThrowEvent):
            return None
        for definition in node.definitions:
            if isinstance(definition, m.LinkEventDefinition):
                for other in self.home[node.id].nodes:
                    if isinstance(other, m.IntermediateCatchEvent) and any(
                        isinstance(d, m.LinkEventDefinition) and d.name == definition.name
                        for d in other.definitions
                    ):
                        return other
        return None

    def _put(self, scope: Scope, node: m.FlowNode, flow: str | None = None) -> None:
        token = Token(node, scope, flow)
        scope.tokens.append(token)
        self.todo.append(token)

    def _alive(self, token: Token) -> bool:
        scope: Scope | None = token.scope
        inside: Token = token
        while scope is not None:
            if self.over or inside not in scope.tokens:
                return False
            if scope.owner is None:
                return scope is self.root
            if scope not in scope.owner.inner:
                return False
            inside, scope = scope.owner, scope.owner.scope
        return False

    def _tick(self) -> int:
        self.moment += 1
        return self.moment

    def _run(self) -> None:
        while True:
            while self.todo:
                token = self.todo.pop(0)
                if self._alive(token) and not token.waiting:
                    self._enter(token)
            if not self._join_inclusive():
                return

    def _enter(self, token: Token) -> None:
        node = token.node
        joins = isinstance(node, m.ParallelGateway | m.InclusiveGateway) and len(node.incoming) > 1
        if joins and token.at_flow is not None:
            token.waiting = True
            if isinstance(node, m.ParallelGateway):
                self._join_parallel(token)
            return
        if isinstance(node, m.Activity) and node.loop is not None and not token.scope.body:
            self._open_body(token)
        elif isinstance(node, m.IntermediateCatchEvent) and any(
            isinstance(d, m.LinkEventDefinition) for d in node.definitions
        ):
            self._finish(token)
        elif isinstance(node, m.UserTask | m.EventBasedGateway | m.IntermediateCatchEvent):
            token.waiting = True
            token.since = self._tick()
        elif isinstance(node, m.SubProcess):
            token.waiting = True
            token.since = self._tick()
            inner = Scope(node, token, since=token.since)
            token.inner.append(inner)
            self._start(inner)
        else:
            self._finish(token)

    def _join_parallel(self, token: Token) -> None:
        here = [t for t in token.scope.tokens if t.node is token.node and t.waiting and t.at_flow]
        by_flow: dict[str, Token] = {}
        for other in here:
            by_flow.setdefault(str(other.at_flow), other)
        if len(by_flow) == len(token.node.incoming):
            self._merge(token.node, token.scope, list(by_flow.values()))

    def _merge(self, node: m.FlowNode, scope: Scope, tokens: list[Token]) -> None:
        for token in tokens:
            scope.tokens.remove(token)
        merged = Token(node, scope)
        scope.tokens.append(merged)
        self._finish(merged)

    def _join_inclusive(self) -> bool:
        for scope in self._scopes(self.root):
            gateways = {
                t.node.id: t.node
                for t in scope.tokens
                if isinstance(t.node, m.InclusiveGateway) and t.at_flow
            }
            for gateway in gateways.values():
                here = [t for t in scope.tokens if t.node is gateway and t.at_flow]
                filled = {str(t.at_flow) for t in here}
                if not any(
                    self._holds_back(other, gateway, filled)
                    for other in scope.tokens
                    if other.node is not gateway
                ):
                    first: dict[str, Token] = {}
                    for token in here:
                        first.setdefault(str(token.at_flow), token)
                    self._merge(gateway, scope, list(first.values()))
                    return True
        return False

    def _holds_back(self, token: Token, gateway: m.FlowNode, filled: set[str]) -> bool:
        empty = set(gateway.incoming) - filled
        return bool(self._reached(token, gateway, boundaries=True) & empty) and not (
            self._reached(token, gateway, boundaries=False) & filled
        )

    def _reached(self, token: Token, gateway: m.FlowNode, *, boundaries: bool) -> set[str]:
        reached: set[str] = set()
        seen: set[str] = set()
        stack = [token.node.id]
        while stack:
            node_id = stack.pop()
            if node_id in seen:
                continue
            seen.add(node_id)
            linked = self._link(self.node[node_id])
            if linked is not None:
                stack.append(linked.id)
            for flow_id in self.node[node_id].outgoing:
                target = self.flows[flow_id].target
                if target == gateway.id:
                    reached.add(flow_id)
                else:
                    stack.append(target)
            stack += [
                n.id
                for n in self.home[node_id].nodes
                if boundaries and isinstance(n, m.BoundaryEvent) and n.attached_to == node_id
            ]
        return reached

    def _open_body(self, token: Token) -> None:
        loop = token.node.loop  # type: ignore[attr-defined]
        token.waiting = True
        token.since = self._tick()
        body = Scope(token.node, token, body=True)
        token.inner.append(body)
        if isinstance(loop, m.StandardLoopCharacteristics):
            count, together = loop.maximum or 1, 1
        else:
            count = int(loop.cardinality.text)
            together = 1 if loop.is_sequential else count
        body.left = count - min(count, together)
        for _ in range(min(count, together)):
            self._put(body, token.node)
        if not count:
            token.inner.clear()
            self._finish(token)

    def _finish(self, token: Token) -> None:
        """The token's node has completed."""
        node, scope = token.node, token.scope
        token.waiting = False
        self.completed[node.id] += 1
        if scope.body:
            self._instance_done(token)
            return
        self._remember(token)
        if isinstance(node, m.IntermediateThrowEvent | m.EndEvent) and not self._throw(token):
            return
        scope.tokens.remove(token)
        if isinstance(node, m.EndEvent) and node.definitions:
            self._special_end(node, scope)
            return
        linked = self._link(node)
        if linked is not None:
            self._put(scope, linked)
        for flow_id in self._choose(node):
            self._put(scope, self.node[self.flows[flow_id].target], flow_id)
        self._check(scope)

    # ---- compensation and escalation ----------------------------------------------------------

    def _remember(self, token: Token) -> None:
        """A finished activity with a handler can be undone; so can what a finished subprocess did."""
        handlers = [
            a.target
            for e in self.home[token.node.id].nodes
            if isinstance(e, m.BoundaryEvent)
            and e.attached_to == token.node.id
            and any(isinstance(d, m.CompensateEventDefinition) for d in e.definitions)
            for a in self.home[token.node.id].associations
            if a.source == e.id
        ]
        token.scope.done += handlers

    def _undo(self, done: list[Any]) -> None:
        for entry in reversed(done):
            if isinstance(entry, list):
                self._undo(entry)
            else:
                self.completed[entry] += 1
        done.clear()

    def _throw(self, token: Token) -> bool:
        """Throw what a throwing event throws; False if that has ended its own path."""
        for definition in token.node.definitions:  # type: ignore[attr-defined]
            if isinstance(definition, m.CompensateEventDefinition):
                self._undo(token.scope.done)
            elif isinstance(definition, m.EscalationEventDefinition):
                self._escalate(token, definition.escalation)
                return self._alive(token)
        return True

    def _escalate(self, token: Token, code: str) -> None:
        scope = token.scope
        while scope.owner is not None:
            host = scope.owner
            if not host.scope.body:
                for exact in (code, ""):
                    for event in self.home[host.node.id].nodes:
                        if (
                            isinstance(event, m.BoundaryEvent)
                            and event.attached_to == host.node.id
                            and any(
                                isinstance(d, m.EscalationEventDefinition) and d.escalation == exact
                                for d in event.definitions
                            )
                        ):
                            self._leave_by(host, event)
                            return
            scope = host.scope

    def _instance_done(self, token: Token) -> None:
        body = token.scope
        body.tokens.remove(token)
        if body.left:
            body.left -= 1
            self._put(body, token.node)
        elif not body.tokens and body.owner is not None:
            body.owner.inner.clear()
            body.owner.scope.done += body.done
            self._finish(body.owner)

    def _choose(self, node: m.FlowNode) -> list[str]:
        out = list(node.outgoing)
        if isinstance(node, m.Activity):
            others = [f for f in out if f != node.default]
            asked = [f for f in others if self.flows[f].condition is not None]
            taken = [f for f in others if f not in asked or self._true(f)]
            return taken if set(taken) & set(asked) or not node.default else [*taken, node.default]
        if isinstance(node, m.ExclusiveGateway | m.InclusiveGateway) and node.default:
            true = [f for f in out if f != node.default and self._true(f)]
            if not true:
                return [node.default]
            return true[:1] if isinstance(node, m.ExclusiveGateway) else true
        return out[:1] if isinstance(node, m.ExclusiveGateway) else out

    def _true(self, flow_id: str) -> bool:
        condition = self.flows[flow_id].condition
        return condition is None or bool(self.variables[condition.text])

    def _special_end(self, node: m.EndEvent, scope: Scope) -> None:
        (definition,) = node.definitions
        if isinstance(definition, m.TerminateEventDefinition):
            scope.tokens.clear()
            self._check(scope)
        elif isinstance(definition, m.ErrorEventDefinition):
            host = scope.owner
            assert host is not None
            if host.scope.body:
                host = host.scope.owner
                assert host is not None
            events = [
                n
                for n in self.home[host.node.id].nodes
                if isinstance(n, m.BoundaryEvent)
                and n.attached_to == host.node.id
                and any(
                    isinstance(d, m.ErrorEventDefinition) and d.error in ("", definition.error)
                    for d in n.definitions
                )
            ]
            self._leave_by(host, events[0])
        elif isinstance(definition, m.CancelEventDefinition):
            host = scope.owner
            assert host is not None
            scope.tokens.clear()
            self._undo(scope.done)
            events = [n for n in self.home[host.node.id].nodes if self._is_cancel(n, host.node.id)]
            self._leave_by(host, events[0])
        else:
            self._check(scope)

    def _is_cancel(self, node: m.FlowNode, host: str) -> bool:
        return (
            isinstance(node, m.BoundaryEvent)
            and node.attached_to == host
            and any(isinstance(d, m.CancelEventDefinition) for d in node.definitions)
        )

    def _check(self, scope: Scope) -> None:
        if scope.tokens:
            return
        if scope.owner is None:
            self.over = True
            return
        owner = scope.owner
        owner.inner.remove(scope)
        if scope.done:
            owner.scope.done.append(scope.done)
        self._finish(owner)
