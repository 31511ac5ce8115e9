"""Each case has a formula: the truth has to lie in the 99 % interval, from files through the public command.

Times in seconds. Formulas: Gross, Shortle, Thompson, Harris, *Fundamentals of Queueing Theory*.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from flowkit.simulation import Result, simulate

MODELS = Path(__file__).parent / "models"
NIGHTLY = bool(os.environ.get("FLOWKIT_NIGHTLY"))


def erlang_wait(servers: int, arrival: float, service: float) -> float:
    """Mean wait in M/M/c: Erlang's C over the spare capacity."""
    load = service / arrival
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    wait = last / (sum(load**k / math.factorial(k) for k in range(servers)) + last)
    return wait / (servers / service - 1 / arrival)


TRUTH = {
    "mm1": {"activity.处理.waiting_time.mean": 320.0, "pool.clerks.utilisation": 0.8},
    "mm5": {"activity.处理.waiting_time.mean": erlang_wait(5, 60, 240)},
    "md1": {"activity.处理.waiting_time.mean": 0.8 * 80 / (2 * 0.2)},
    "mg1": {"activity.处理.waiting_time.mean": 0.01 * (80**2 + 80**2 / 12) / (2 * 0.2)},
    "tandem": {"cycle_time.mean": 500.0},
    "shared": {
        "activity.受理.waiting_time.mean": 132.987,
        "activity.处理.waiting_time.mean": erlang_wait(3, 100, 200),
        "cycle_time.mean": 546.320,
        "end.完成.share": 0.6,
    },
    "rework": {"cycle_time.mean": 400.0, "activity.加工.per_case": 4 / 3},
    "priority": {
        "activity.加急处理.waiting_time.mean": 106.667,
        "activity.普通处理.waiting_time.mean": 533.333,
    },
    "fork": {"cycle_time.mean": 700.0},
    "fork4": {"cycle_time.mean": 300 * (1 + 1 / 2 + 1 / 3 + 1 / 4)},
    "race": {"end.甲先.share": 1 / 3, "cycle_time.mean": 200.0},
    "boundary": {"end.已超时.share": math.exp(-1.5), "cycle_time.mean": 600 * (1 - math.exp(-1.5))},
}
SIZES = {"mm1": 400, "mm5": 500, "tandem": 400, "shared": 500, "rework": 400, "priority": 1000}
"""Replications of 10,000 cases for a half-width of 2 %."""


def check(result: Result, name: str) -> None:
    for measure, truth in TRUTH[name].items():
        found = result[measure].at(0.99)
        assert found.contains(truth), f"{name}: {measure} is {found}, theory says {truth}"


@pytest.mark.parametrize("name", TRUTH)
def test_theory_lies_in_the_99_percent_interval(name: str) -> None:
    check(simulate(MODELS / f"{name}.yaml"), name)


@pytest.mark.nightly
@pytest.mark.skipif(not NIGHTLY, reason="long: set FLOWKIT_NIGHTLY=1")
@pytest.mark.parametrize("name", TRUTH)
def test_half_width_is_at_most_2_percent(name: str) -> None:
    result = simulate(MODELS / f"{name}.yaml", replications=SIZES.get(name, 150), processes=2)
    check(result, name)
    for measure in TRUTH[name]:
        found = result[measure].at(0.99)
        assert found.half_width <= 0.02 * found.value


def test_on_duty_workers_are_taken_first_so_that_nobody_waits() -> None:
    result = simulate(MODELS / "calendars.yaml")
    assert result.waiting_time.max.value == 0.0
    assert result.cycle_time.mean.value == 3600.0


def test_the_95th_percentile_of_mm1_waits() -> None:
    """The wait of those who wait is exponential: W95 of the cycle time is ln 20 / (mu - lambda)."""
    result = simulate(MODELS / "mm1.yaml")
    assert result.cycle_time.p95.at(0.99).contains(math.log(20) / (1 / 80 - 1 / 100))


@pytest.mark.nightly
@pytest.mark.skipif(not NIGHTLY, reason="long: set FLOWKIT_NIGHTLY=1")
def test_intervals_cover_the_truth_in_93_to_97_percent_of_1000_experiments() -> None:
    covered = 0
    for seed in range(1000):
        result = simulate(MODELS / "fork.yaml", replications=10, cases=100, seed=seed)
        covered += result.cycle_time.mean.contains(700.0)
    assert 930 <= covered <= 970
