"""The random processes: each kind is really drawn, deployed, and reached by random commands."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from flowkit.bpmn import check_deployable, parse
from flowkit.testing.strategies import KINDS, RandomProcess, processes, structured, unstructured
from tests.oracle.test_agreement import MOST_COMMANDS, TOO_MANY_TOKENS, command, commands
from tests.oracle.world import GameSide, World

RUNS, EXAMPLES = 12, 100
"""Several runs, since Hypothesis makes new examples of those that it has drawn before."""

TRIGGERS = ("message", "timer", "signal", "condition", "multiple", "parallel multiple")
EXPECTED = {
    *(f"{trigger} catch" for trigger in TRIGGERS),
    *(f"{trigger} boundary" for trigger in (*TRIGGERS, "error", "escalation", "cancel")),
    *(f"{trigger} event subprocess" for trigger in (*TRIGGERS, "error", "escalation", "compensation")),
    *(f"{kind} event subprocess" for kind in ("interrupting", "non-interrupting")),
    *(f"{kind} boundary" for kind in ("interrupting", "non-interrupting")),
    *(f"{kind} throw" for kind in ("none", "message", "signal", "multiple", "link", "escalation")),
    *(f"{kind} end" for kind in ("none", "message", "signal", "multiple", "error", "escalation")),
    *(f"{kind} {way}" for kind in ("exclusive", "parallel", "inclusive") for way in ("split", "join")),
    *(f"{kind} gateway in a graph" for kind in ("exclusive", "parallel", "inclusive", "complex")),
    *(f"{kind} in a graph" for kind in ("task", "user task", "message", "signal", "condition", "quantity")),
    *(f"behavior {kind}" for kind in ("None", "One", "Complex")),
    "ad-hoc that cancels", "ad-hoc that waits", "boundary in a graph", "call activity", "cancel end",
    "compensation beside", "compensation throw", "compensation end", "compensation handler",
    "compensation handler in called process",
    "completion quantity", "complex gateway", "complex gateway reset", "conditional flows",
    "correlation", "cycle",
    "data store read", "data store write", "error boundary on call", "escalation boundary on call",
    "event-based gateway", "exclusive instantiating gateway", "instantiating receive task", "link catch",
    "loop", "message flow", "message start", "multi-instance", "parallel ad-hoc",
    "parallel instantiating gateway", "pools", "receive task", "receive task behind gateway",
    "script task", "send task", "sequential ad-hoc", "start quantity", "subprocess", "task", "terminate",
    "transaction", "user task",
}  # fmt: skip
"""Every place that :attr:`RandomProcess.elements` knows."""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_alone_gives_processes_that_can_be_deployed(kind: str) -> None:
    @settings(max_examples=4, derandomize=True, database=None, deadline=None)
    @given(st.one_of(structured(kinds={kind}), unstructured(kinds={kind})))
    def check(process: RandomProcess) -> None:
        check_deployable(parse(process.bpmn))

    check()


def test_an_unknown_kind_is_refused() -> None:
    @settings(max_examples=1, database=None)
    @given(st.one_of(structured(kinds={"choreography"}), unstructured(kinds={"choreography"})))
    def draw(_: RandomProcess) -> None:
        raise AssertionError("drawn")

    with pytest.raises(ValueError, match="There is no kind choreography; expected some of ad-hoc, "):
        draw()


def test_every_kind_is_drawn_and_reached() -> None:
    """One in three hundred processes has it at least, and the token game gets there in some of them."""
    drawn, reached = Counter[str](), Counter[str]()

    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(process=processes(), data=st.data())
    def play(process: RandomProcess, data: st.DataObject) -> None:
        world = World(parse(process.bpmn), GameSide)
        world.start("Process", process.variables, process.start or "")
        for _ in range(MOST_COMMANDS):
            choices = commands(world, process.signals)
            if not choices or sum(len(list(side.tokens())) for side in world.sides) > TOO_MANY_TOKENS:
                break
            world.do(*command(data, choices))
        completed = sum((side.completed for side in world.sides), Counter[str]())
        for kind, elements in process.elements.items():
            drawn[kind] += 1
            reached[kind] += any(completed[element] for element in elements)

    for run in range(RUNS):
        seed(run)(play)()
    rare = {kind: (drawn[kind], reached[kind]) for kind in EXPECTED if drawn[kind] < RUNS * EXAMPLES // 300}
    assert not rare, f"drawn too seldom: {rare}"
    missed = {kind: drawn[kind] for kind in EXPECTED if not reached[kind]}
    assert not missed, f"drawn, but never reached: {missed}"
    assert drawn.keys() <= EXPECTED, f"not expected: {drawn.keys() - EXPECTED}"
