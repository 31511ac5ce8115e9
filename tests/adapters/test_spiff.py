"""The second opinion: the kernel and SpiffWorkflow go the same way where SpiffWorkflow can."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from flowkit.adapters.spiff import verify
from flowkit.bpmn import parse
from flowkit.errors import NotFound
from flowkit.testing.strategies import CORE, RandomProcess, structured
from tests.kernel.diagrams import (
    TERMINATE,
    both,
    boundary,
    catch,
    compensate,
    element,
    end,
    error,
    event_sub,
    job,
    link,
    many,
    message,
    process,
    some,
    start,
    sub,
    throw,
    timer,
    user,
    xor,
)
from tests.kernel.test_data_stores import STORE, io, takes

EXAMPLES = int(os.environ.get("FLOWKIT_SPIFF_EXAMPLES", "60"))

MAIN = (
    start(), xor("g", default="g_b"), user("a"), user("b"), xor("j"), both("f"), job("c"), user("d"), both("k"), end(),
)  # fmt: skip
MAIN_FLOWS = "s > g; g > a : x > 1; g > b; a > j; b > j; j > f; f > c; f > d; c > k; d > k; k > e"


@pytest.mark.parametrize(
    ("nodes", "flows"),
    [
        (MAIN, MAIN_FLOWS),
        (
            (start(), sub("u", start("us"), both("uf"), user("w"), user("w2"), end("ue", TERMINATE), end("ue2"),
                          flows="us > uf; uf > w; uf > w2; w > ue; w2 > ue2"),
             boundary("b", "u", message("M")), user("q"), end(), end("e2")),
            "s > u; u > e; b > q; q > e2",
        ),
        (
            (start(), element("eventBasedGateway", "g"), catch("m", message("M")), catch("t", timer("Duration", "PT1H")),
             user("a"), end(), end("e2")),
            "s > g; g > m; g > t; m > a; a > e; t > e2",
        ),
        (
            (start(), sub("u", start("us"), user("w"), end("ue", error("E1")), flows="us > w; w > ue"),
             boundary("b", "u", error("E1")), user("q"), end(), end("e2")),
            "s > u; u > e; b > q; q > e2",
        ),
        (
            (start(), some("g", default="g_b"), user("a"), user("b"), user("c"), some("j"), end()),
            "s > g; g > a : x; g > b; g > c : y; a > j; b > j; c > j; j > e",
        ),
    ],
)  # fmt: skip
def test_both_engines_go_the_same_way(nodes: tuple[str, ...], flows: str) -> None:
    report = verify(parse(process(*nodes, flows=flows)), "P", walks=12)
    assert report.differences == ()
    assert report.gaps == ()
    assert report.walks == 12
    assert report.same


@pytest.mark.parametrize(
    ("nodes", "flows", "rule"),
    [
        ((start(), throw("t", link("L")), catch("c", link("L")), end()), "s > t; c > e", "spiff-link"),
        ((start(), user("a"), user("b"), user("c")), "s > a; a > b; a > c", "spiff-several-flows"),
        ((user("a"), end()), "a > e", "spiff-start"),
        ((start(), user("a", many("x")), end()), "s > a; a > e", "spiff-data-loop"),
        ((start(), end("t", compensate())), "s > t", "spiff-compensation"),
        ((STORE, start(), user("a", io("a", takes("ain"))), end()), "s > a; a > e", "spiff-data-store"),
        (
            (start(), user("a"), event_sub("h", start("hs", message("M")), end("he"), flows="hs > he"), end()),
            "s > a; a > e", "spiff-event-subprocess",
        ),
    ],
)  # fmt: skip
def test_what_spiff_lacks_is_named(nodes: tuple[str, ...], flows: str, rule: str) -> None:
    report = verify(parse(process(*nodes, flows=flows)), "P")
    assert rule in {gap.rule for gap in report.gaps}
    assert not report.same
    assert report.walks == 0


def test_an_unknown_process_is_rejected() -> None:
    with pytest.raises(NotFound, match="nope"):
        verify(parse(process(start(), end(), flows="s > e")), "nope")


def test_a_difference_is_told_with_its_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    """If SpiffWorkflow saw one thing more waiting, the report says after which walk."""
    from flowkit.adapters import spiff

    honest = spiff.SpiffRun.waiting
    monkeypatch.setattr(spiff.SpiffRun, "waiting", lambda self: honest(self) + Counter({"a": 1}))
    report = verify(parse(process(*MAIN, flows=MAIN_FLOWS)), "P", walks=2)
    assert report.walks == 0
    assert "flowkit waits at" in report.differences[0].message


WRONG_IN_SPIFF = (
    b"standardLoop",
    b"triggeredByEvent",
    b"Cardinality",
    b'cancelActivity="false"',
    b"linkEventDefinition",
    b"compensateEventDefinition",
    b"inclusiveGateway",
)
"""Left to the token game: SpiffWorkflow runs these otherwise than the standard says."""


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=structured(max_depth=2, kinds=CORE), seed=st.integers(0, 1000))
def test_random_processes_run_the_same(made: RandomProcess, seed: int) -> None:
    assume(not any(word in made.bpmn for word in WRONG_IN_SPIFF))
    report = verify(parse(made.bpmn), "Process", walks=2, steps=10, seed=seed)
    assert report.gaps == ()
    assert report.differences == ()
