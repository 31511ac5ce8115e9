"""The kernel and the naive token game agree on random processes under random commands."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowkit.bpmn import check_deployable, parse
from flowkit.testing.strategies import FLAGS, RandomProcess, processes
from tests.oracle.kernel_side import KernelSide
from tests.oracle.world import ANY, GameSide, World

EXAMPLES = int(os.environ.get("FLOWKIT_ORACLE_EXAMPLES", "500"))
MOST_COMMANDS = 14
TOO_MANY_TOKENS = 60
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


class Pair:
    """The same file in the kernel and in the token game."""

    def __init__(self, process: RandomProcess) -> None:
        definitions = parse(process.bpmn)
        check_deployable(definitions)
        self.kernel = World(definitions, KernelSide)
        self.game = World(definitions, GameSide)
        self.start(process.variables, process.start)

    def start(self, variables: dict[str, Any], at: str | None = None) -> None:
        for world in (self.kernel, self.game):
            world.start("Process", variables, at or "")

    def do(self, index: int, command: str, *arguments: Any) -> None:
        """The same command for the same instance on both sides."""
        for world in (self.kernel, self.game):
            world.do(index, command, *arguments)

    def agree(self) -> None:
        assert self.kernel.heard == self.game.heard
        assert self.kernel.process_of == self.game.process_of
        assert self.kernel.stores == self.game.stores
        for kernel, game in zip(self.kernel.sides, self.game.sides, strict=True):
            assert kernel.outcome == game.outcome
            assert kernel.completed == game.completed
            assert kernel.places() == game.places()
            assert kernel.troubles() == game.troubles()
            assert kernel.variables() == game.variables()
            assert kernel.tasks_at() == game.tasks_at()
            assert Counter(kernel.waits()) == Counter(game.waits())

    @property
    def grown(self) -> bool:
        return sum(len(side.instance.tokens) for side in self.kernel.sides) > TOO_MANY_TOKENS


def commands(world: World[Any], signals: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """What can be done now: to which instance, and what."""
    found: list[tuple[Any, ...]] = []
    for index, side in enumerate(world.sides):
        if side.outcome:
            continue
        waits = dict.fromkeys(side.waits())
        found += [(index, "complete_task", node) for node in dict.fromkeys(side.tasks_at())]
        found += [(index, "occur", wait) for wait in waits if wait.kind in ("message", "timer")]
        found += [(index, "broadcast", name) for name in signals if any(wait.name == name for wait in waits)]
        if any(wait.kind == "condition" for wait in waits):
            found.append((index, "set_variables", None))
    return found


@st.composite
def brought(draw: Any) -> dict[str, bool]:
    """What a person or a message brings: ``again``, and perhaps a flag."""
    variables = {"again": draw(st.booleans())}
    if draw(st.booleans()):
        variables[draw(st.sampled_from(FLAGS))] = draw(st.booleans())
    return variables


def command(data: st.DataObject, choices: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """One of the commands, with what it brings: the instance, the command, its arguments."""
    index, name, what = data.draw(st.sampled_from(choices), label="command")
    variables = data.draw(brought(), label="variables")
    if name == "occur":
        key = "one" if what.key == ANY else what.key
        return index, name, what.node, what.part, {} if what.kind == "timer" else variables, key
    return (index, name, variables) if name == "set_variables" else (index, name, what, variables)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
@given(process=processes(), data=st.data())
def test_kernel_and_token_game_agree(process: RandomProcess, data: st.DataObject) -> None:
    pair = Pair(process)
    pair.agree()
    if "k" in process.variables and data.draw(st.booleans(), label="two conversations"):
        pair.start({**process.variables, "k": "two"}, process.start)
        pair.agree()
    for _ in range(MOST_COMMANDS):
        choices = commands(pair.kernel, process.signals)
        if pair.grown or not choices:
            break
        pair.do(*command(data, choices))
        pair.agree()
    for side in pair.kernel.sides:
        side.laws()
