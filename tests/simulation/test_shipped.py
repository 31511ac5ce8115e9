"""The scenarios that are shipped with the four processes run, and what they ask has an answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowkit.simulation import compare, load_scenario, simulate
from flowkit.simulation.scenario import Scenario

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "processes" / "simulation"
PROCESSES = ("auto_4s", "ecommerce_return", "onsite_repair", "complaint")


@pytest.mark.parametrize("name", PROCESSES)
def test_a_shipped_scenario_runs_without_stuck_cases(name: str) -> None:
    result = simulate(SHIPPED / f"{name}.yaml", replications=1, cases=15)
    assert result["cases.completed"].value == 15, result.warnings


@pytest.mark.parametrize("name", PROCESSES)
def test_a_diagram_runs_without_a_scenario(name: str) -> None:
    result = simulate(ROOT / "processes" / f"{name}.bpmn", replications=1, cases=10)
    assert result["cases.stuck"].value == 0, result.warnings
    assert result.assumptions


def test_a_shorter_window_refuses_more_by_the_decision_table_itself() -> None:
    variant = SHIPPED / "ecommerce_return_7_days.yaml"
    assert load_scenario(variant).case_attributes["dispute_days"] == 7
    found = compare(variant, replications=3, cases=60, measures=["end.逾期不受理.share"])
    assert found["end.逾期不受理.share"].difference.value > 0.05


def test_the_published_schema_is_up_to_date() -> None:
    published = json.loads(
        (ROOT / "docs" / "simulation" / "scenario.schema.json").read_text(encoding="utf-8")
    )
    assert published == Scenario.model_json_schema()
