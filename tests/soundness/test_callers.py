"""An error that leaves a process is no fault where every call of the process catches it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flowkit.bpmn import parse
from flowkit.bpmn.model import Definitions
from flowkit.cli.app import app
from flowkit.soundness import check_soundness, without_caught
from tests.kernel.diagrams import boundary, element, end, error, event_sub, process, start, sub, user

CALLED = parse(process(start(), user("a"), end("t", error("E1")), flows="s > a; a > t", name="Called"))
CALL = element("callActivity", "c", '<bpmn:extensionElements><zeebe:calledElement processId="Called"/></bpmn:extensionElements>')  # fmt: skip


def caller(*nodes: str, flows: str, name: str = "Caller") -> Definitions:
    return parse(process(start(), *nodes, end(), flows=flows, name=name))


def told(*callers: Definitions) -> set[str]:
    result = without_caught(check_soundness(CALLED, "Called"), "Called", [CALLED, *callers])
    return {finding.rule for finding in result.findings}


PLAIN = caller(CALL, flows="s > c; c > e")
ON_CALL = caller(CALL, boundary("b", "c", error("E1")), end("e2"), flows="s > c; c > e; b > e2")
ANY = caller(CALL, boundary("b", "c", error()), end("e2"), flows="s > c; c > e; b > e2")
OTHER = caller(CALL, boundary("b", "c", error("E2")), end("e2"), flows="s > c; c > e; b > e2")
AROUND = caller(
    sub("u", start("us"), CALL, end("ue"), flows="us > c; c > ue"), boundary("b", "u", error("E1")), end("e2"),
    flows="s > u; u > e; b > e2",
)  # fmt: skip
HANDLER = caller(
    CALL, event_sub("h", start("hs", error("E1")), end("he"), flows="hs > he"), flows="s > c; c > e"
)
SECOND = element("callActivity", "d", '<bpmn:extensionElements><zeebe:calledElement processId="Caller"/></bpmn:extensionElements>')  # fmt: skip
OUTER = caller(SECOND, boundary("b", "d", error("E1")), end("e2"), flows="s > d; d > e; b > e2", name="Outer")


@pytest.mark.parametrize("one", [ON_CALL, ANY, AROUND, HANDLER])
def test_a_call_that_catches_it(one: Definitions) -> None:
    assert told(one) == set()


@pytest.mark.parametrize("callers", [(), (PLAIN,), (OTHER,), (ON_CALL, PLAIN)])
def test_nothing_calls_or_some_call_does_not_catch_it(callers: tuple[Definitions, ...]) -> None:
    assert told(*callers) == {"uncaught-error"}


def test_the_caller_of_the_caller_catches_it() -> None:
    assert told(PLAIN, OUTER) == set()


def test_processes_that_call_each_other_come_to_an_end() -> None:
    again = caller(SECOND, flows="s > d; d > e", name="Called")
    assert told(PLAIN, again) == {"uncaught-error"}


def test_the_shipped_processes_leave_no_error_to_nobody() -> None:
    """The reception ends in an error for its caller; ``flowkit check`` sees who that is."""
    path = Path(__file__).parents[2] / "processes" / "vehicle_reception.bpmn"
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 0
    assert "uncaught-error" not in result.output
    assert "sound" in result.output
