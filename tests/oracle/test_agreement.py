"""The kernel and the naive token game agree on random processes under random commands."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowkit.bpmn import parse
from flowkit.kernel import (
    Event,
    Instance,
    Program,
    compile_process,
    decode_instance,
    encode_events,
    encode_instance,
    migrate,
    new_instance,
    replay,
    step,
)
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Subscription, Timer, UserTask
from flowkit.testing.strategies import RandomProcess, processes
from tests.oracle.token_game import TokenGame

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXAMPLES = int(os.environ.get("FLOWKIT_ORACLE_EXAMPLES", "500"))
MOST_COMMANDS = 14
TOO_MANY_TOKENS = 60


WAITS = UserTask | Subscription | Timer


def open_waits(instance: Instance) -> Counter[str]:
    return Counter(wait.node for wait in instance.waits.values() if isinstance(wait, WAITS))


def completed(events: list[Event]) -> Counter[str]:
    return Counter(event.node for event in events if isinstance(event, p.ElementCompleted))


def command(instance: Instance, node: str, variables: dict[str, Any]) -> p.Command:
    wait = next(w for w in instance.waits.values() if w.node == node and isinstance(w, WAITS))
    if isinstance(wait, UserTask):
        return p.CompleteUserTask(wait.key, variables)
    if isinstance(wait, Timer):
        return p.FireTimer(wait.key)
    return p.DeliverMessage(wait.key, variables)


class Pair:
    """The same process in the kernel and in the token game."""

    def __init__(self, process: RandomProcess) -> None:
        definitions = parse(process.bpmn)
        self.program: Program = compile_process(definitions, "Process")
        self.instance = new_instance(self.program, "i")
        self.events: list[Event] = []
        self.commands: list[p.Command] = []
        self.game = TokenGame(definitions, process.variables)
        self.do(p.Start(process.variables))

    def do(self, what: p.Command) -> None:
        self.commands.append(what)
        self.events += step(self.program, self.instance, what, now=NOW)

    def agree(self) -> None:
        over = self.instance.status != "active"
        assert over == self.game.over
        assert completed(self.events) == self.game.completed
        if not over:
            assert open_waits(self.instance) == self.game.waiting()

    def laws(self) -> None:
        """Replay is the state; bytes go round; migration to itself is nothing; the same commands
        give the same bytes; cancelling leaves nothing behind."""
        assert replay(new_instance(self.program, "i"), self.events) == self.instance
        saved = encode_instance(self.instance)
        assert encode_instance(decode_instance(saved)) == saved
        twin = new_instance(self.program, "i")
        again = [event for what in self.commands for event in step(self.program, twin, what, now=NOW)]
        assert encode_events(again) == encode_events(self.events)
        if self.instance.status == "active":
            assert migrate(self.program, self.program, self.instance, now=NOW) == []
            for token in self.instance.tokens.values():
                assert token.key in self.instance.scopes[token.scope].tokens
            for scope in self.instance.scopes.values():
                here = Counter(self.instance.tokens[key].node for key in scope.tokens)
                assert here == Counter(scope.at)
            step(self.program, self.instance, p.Cancel(), now=NOW)
        instance = self.instance
        assert not instance.tokens
        assert not instance.waits
        assert not instance.scopes


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(process=processes(), data=st.data())
def test_kernel_and_token_game_agree(process: RandomProcess, data: st.DataObject) -> None:
    pair = Pair(process)
    pair.agree()
    for _ in range(MOST_COMMANDS):
        open_now = sorted(open_waits(pair.instance))
        if not open_now or len(pair.instance.tokens) > TOO_MANY_TOKENS:
            break
        node = data.draw(st.sampled_from(open_now), label="node")
        timed = any(isinstance(w, Timer) and w.node == node for w in pair.instance.waits.values())
        variables = {} if timed else {"again": data.draw(st.booleans(), label="again")}
        pair.do(command(pair.instance, node, variables))
        pair.game.do(node, **variables)
        pair.agree()
    pair.laws()
