"""Every scenario and every sample script goes as written, and together they cover the diagrams."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowkit.testing.suite import Suite, find_scripts

from .conftest import PROCESSES

SCRIPTS = find_scripts([PROCESSES])


def _id(script: Path) -> str:
    return str(script.relative_to(PROCESSES).with_suffix(""))


@pytest.mark.parametrize("script", SCRIPTS, ids=_id)
def test_scenario_goes_as_written(script: Path, suite: Suite) -> None:
    (played,) = suite.play([script])
    assert not played.problem, played.problem


def test_scenarios_take_every_flow_and_reach_every_end(suite: Suite) -> None:
    """Runs what other workers of a parallel session ran, so it stands alone."""
    if not all(item.share == 1 for item in suite.coverage.processes.values()):
        list(suite.play(SCRIPTS))
    missing = {name: item.missing for name, item in suite.coverage.processes.items() if item.missing}
    assert not missing


def test_each_main_process_has_a_sample_script() -> None:
    names = {path.stem for path in (PROCESSES / "scripts").glob("*.yaml")}
    assert {"auto_4s", "ecommerce_return", "onsite_repair", "complaint"} <= names
