"""Indicators that a diagram names, measured over the cases that have ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flowkit.bpmn import lint, parse
from flowkit.cli.app import app
from flowkit.engine import Engine, VirtualClock
from flowkit.errors import InvalidModel
from flowkit.export import EndedCase, Measured, indicators, measure
from flowkit.tasks.library.standard import standard_tasks
from flowkit.testing.player import Player
from flowkit.testing.script import read_script

PROCESSES = Path(__file__).parents[2] / "processes"
START = datetime(2025, 3, 3, 9, tzinfo=UTC)


def diagram(**properties: str) -> bytes:
    """A process with the properties; ``__`` stands for a dot."""
    written = "".join(
        f'<zeebe:property name="flowkit.kpi.{name.replace("__", ".")}" value="{value}"/>'
        for name, value in properties.items()
    )
    return (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
        ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">'
        f'<bpmn:process id="P" isExecutable="true"><bpmn:extensionElements><zeebe:properties>{written}'
        '</zeebe:properties></bpmn:extensionElements><bpmn:startEvent id="s"/><bpmn:endEvent id="e"/>'
        '<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="e"/></bpmn:process></bpmn:definitions>'
    ).encode()


def measured(properties: dict[str, str], *cases: dict[str, Any], hours: int = 1) -> list[Measured]:
    (process,) = parse(diagram(**properties)).processes
    ended = [EndedCase(case, START, START + timedelta(hours=hours * n)) for n, case in enumerate(cases, 1)]
    return measure(indicators(process), ended)


def test_a_share_counts_the_cases_that_have_a_value() -> None:
    (found,) = measured(
        {"share__reached": "=reached", "target__reached": "&gt; 0.6"},
        {"reached": True}, {"reached": True}, {"reached": False}, {"reached": None}, {},
    )  # fmt: skip
    assert found == Measured("reached", "share", pytest.approx(2 / 3), "share", 3, "> 0.6", True, 0)


def test_a_target_that_is_missed() -> None:
    (found,) = measured({"share__ok": "=ok", "target__ok": "1"}, {"ok": True}, {"ok": False})
    assert (found.value, found.met) == (0.5, False)


def test_means_and_sums_of_numbers() -> None:
    mean, total = measured({"mean__score": "=score", "sum__score": "=score"}, {"score": 5}, {"score": 2})
    assert (mean.value, total.value) == (3.5, 7)


def test_durations_are_told_as_durations() -> None:
    (found,) = measured({"mean__time": "=case.duration", "target__time": '&lt;= duration(&quot;PT2H&quot;)'},
                        {}, {}, {})  # fmt: skip
    assert (found.value, found.unit, found.met) == ("PT2H", "duration", True)


def test_values_of_a_wrong_kind_are_told() -> None:
    share, mean = measured({"share__a": "=a", "mean__a": "=a"}, {"a": 1}, {"a": "x"}, {"a": True})
    assert (share.cases, share.unusable) == (1, 2)
    assert (mean.cases, mean.unusable) == (1, 2)


def test_without_cases_there_is_no_value() -> None:
    (found,) = measured({"share__a": "=a", "target__a": "1"})
    assert (found.value, found.met, found.cases) == (None, None, 0)


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ({"average__a": "=a"}, "flowkit.kpi.average.a"),
        ({"share__a": "a"}, "flowkit.kpi.share.a"),
        ({"share__a": "=a +"}, "flowkit.kpi.share.a"),
        ({"target__a": "&gt; 1"}, "flowkit.kpi.target.a"),
        ({"share__a": "=a", "target__a": "&gt;&gt;"}, "flowkit.kpi.target.a"),
    ],
)
def test_a_malformed_indicator_is_refused_by_name(properties: dict[str, str], text: str) -> None:
    (process,) = parse(diagram(**properties)).processes
    with pytest.raises(InvalidModel, match=text):
        indicators(process)


def test_a_formula_is_checked_at_deployment() -> None:
    found = lint(parse(diagram(share__a="=a +")))
    assert any("flowkit.kpi.share.a" in finding.message for finding in found)


@pytest.mark.parametrize("file", sorted(PROCESSES.glob("*.bpmn")), ids=lambda file: file.stem)
def test_the_shipped_indicators_are_sound(file: Path) -> None:
    for process in parse(file.read_bytes()).processes:
        indicators(process)


def test_the_followups_of_a_day_by_the_command_line(tmp_path: Path) -> None:
    """Three cases are reached, one is not; the goal of the source, over 80 %, is missed."""
    url = f"sqlite:///{tmp_path / 'service.db'}"
    ready = standard_tasks(templates=PROCESSES / "templates")
    names = ("satisfied_after_retry", "three_days_late", "complaint", "unreachable")
    for name in names:
        script = read_script(PROCESSES / "scenarios" / "post_repair_followup" / f"{name}.yaml")
        with Engine(url, tasks=ready.registry, clock=VirtualClock(script.now)) as engine:
            if name == names[0]:
                engine.deploy(str(PROCESSES))
            Player(engine, script, handlers=ready).play()
    command = ["kpi", str(PROCESSES / "post_repair_followup.bpmn"), "--db", url]
    result = CliRunner().invoke(app, [*command, "--json"])
    assert result.exit_code == 0, result.output
    found = {one["name"]: one for one in json.loads(result.output)["post_repair_followup"]}
    assert (found["回访成功率"]["value"], found["回访成功率"]["met"]) == (0.75, False)
    assert found["回访成功率"]["cases"] == 4
    assert found["顾客投诉数"]["value"] == 1
    assert found["3天回访率"]["value"] == 0.5
    told = CliRunner().invoke(app, command)
    assert "75.0%" in told.output
    later = json.loads(CliRunner().invoke(app, [*command, "--json", "--since", "2030-01-01"]).output)
    assert later["post_repair_followup"][0]["cases"] == 0


def test_a_file_without_indicators_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.bpmn"
    path.write_bytes(diagram())
    result = CliRunner().invoke(app, ["kpi", str(path), "--db", "memory:"])
    assert result.exit_code == 2
    assert "flowkit.kpi.share.NAME" in result.output
