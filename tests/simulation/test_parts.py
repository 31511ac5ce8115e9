"""The parts on their own: distributions, streams, calendars, measures, statistics, spans of time."""

from __future__ import annotations

import itertools
import math
import random
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowkit.errors import InvalidPayload
from flowkit.simulation.calendars import Calendar, Duty, parse_weekly
from flowkit.simulation.distributions import parse_distribution
from flowkit.simulation.fitting import fit_distribution
from flowkit.simulation.generators import parse_generator
from flowkit.simulation.measures import Level, Tally
from flowkit.simulation.scenario import Scenario, scenario_from
from flowkit.simulation.statistics import estimate, holm, mser5, paired_difference
from flowkit.simulation.streams import Streams
from flowkit.simulation.timespans import parse_span, show_span

GRID = (np.arange(100_000) + 0.5) / 100_000


@pytest.mark.parametrize(
    ("spec", "mean", "sd"),
    [
        ("10m", 600, 0),
        ({"constant": "10m"}, 600, 0),
        ({"exponential": {"mean": "10m"}}, 600, 600),
        ({"exponential": {"rate": 0.01}}, 100, 100),
        ({"uniform": {"min": 40, "max": 120}}, 80, 80 / math.sqrt(12)),
        ({"triangular": {"min": 0, "mode": 30, "max": 60}}, 30, 60 / math.sqrt(24)),
        ({"normal": {"mean": 100, "sd": 5}}, 100, 5),
        ({"lognormal": {"mean": 200, "cv": 0.5}}, 200, 100),
        ({"gamma": {"mean": 200, "cv": 0.5}}, 200, 100),
        ({"erlang": {"k": 4, "mean": 200}}, 200, 100),
        ({"weibull": {"shape": 1, "mean": 50}}, 50, 50),
        ({"pert": {"min": 0, "mode": 50, "max": 100}}, 50, 100 / math.sqrt(28)),
        ({"empirical": [1, 2, 3]}, 2, math.sqrt(2 / 3)),
        ({"empirical": {"values": [0, 10], "weights": [3, 1]}}, 2.5, math.sqrt(18.75)),
        ({"histogram": {"edges": [0, 1, 3], "weights": [1, 0]}}, 0.5, 1 / math.sqrt(12)),
        ({"expon": {"scale": 60}}, 60, 60),
        ({"uniform": {"loc": 10, "scale": 20}}, 20, 20 / math.sqrt(12)),
        ({"poisson": {"mu": 4}}, 4, 2),
    ],
)
def test_distributions_have_their_mean_and_spread(spec: object, mean: float, sd: float) -> None:
    found = parse_distribution(spec)
    values = np.asarray(found.values(GRID))
    assert found.mean == pytest.approx(mean, rel=1e-6)
    assert values.mean() == pytest.approx(mean, rel=2e-3)
    assert values.std() == pytest.approx(sd, rel=2e-2, abs=1e-9)


@pytest.mark.parametrize(
    "spec",
    [
        "soon", True, None, [], {}, {"exponential": {"mean": 0}}, {"exponential": {"sd": 1}},
        {"uniform": {"min": 2, "max": 1}}, {"nonsense": {"mean": 1}}, {"__class__": {}}, {"rv_generic": {}},
        {"triangular": {"min": 0, "mode": 9, "max": 5}}, {"empirical": []}, {"lognorm": {}},
        {"histogram": {"edges": [1, 0], "weights": [1]}}, {"a": 1, "b": 2},
    ],
)  # fmt: skip
def test_what_is_no_distribution_is_refused(spec: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_distribution(spec)


def test_durations_are_never_negative() -> None:
    values = parse_distribution({"normal": {"mean": 1, "sd": 5}}).durations().values(GRID)
    assert min(values) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("1h30m", 5400),
        ("2 d", 172800),
        ("PT10M", 600),
        ("P26W", 15724800),
        (90, 90),
        ("1.5", 1.5),
    ],
)
def test_spans_of_time(text: str | float, seconds: float) -> None:
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "ten minutes", "P1M", "P1Y", "1x", "m", "9" * 99, True])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="span of time"):
        parse_span(text)


def test_spans_are_shown_in_two_units() -> None:
    shown = [show_span(s) for s in (0.4, 59, 3600, 3661, 90061, math.nan)]
    assert shown == ["0.4s", "59s", "1h", "1h 1m", "1d 1h", "–"]


def test_a_stream_depends_on_nothing_but_its_key() -> None:
    def stream(seed: int, replication: int, purpose: str) -> list[float]:
        one = Streams(seed, replication).stream(purpose, lambda u: u.tolist())
        return [one.draw(i) for i in (0, 5000, 3)] + [one.draw_again(9, visit) for visit in range(4)]

    assert stream(1, 0, "a") == stream(1, 0, "a")
    assert len({tuple(stream(*key)) for key in [(1, 0, "a"), (2, 0, "a"), (1, 1, "a"), (1, 0, "b")]}) == 4


def test_blocks_that_were_dropped_come_back_the_same() -> None:
    one = Streams(3, 0).stream("x", lambda u: u.tolist())
    before = [one.draw(i) for i in range(0, 200_000, 5_000)]
    assert [one.draw(i) for i in range(0, 200_000, 5_000)] == before


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_tallies_agree_with_the_whole_sample(values: list[float]) -> None:
    tally, other = Tally(), Tally()
    for i, value in enumerate(values):
        (tally if i % 2 else other).add(value)
    tally.merge(other)
    assert tally.count == len(values)
    assert tally.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-9)
    exact = np.percentile(values, 90, method="lower")
    assert tally.percentile(90) == pytest.approx(exact, rel=0.0101, abs=2e-6)


def test_levels_average_over_time() -> None:
    level = Level(step=1.0)
    level.change(2, 0)
    level.change(-1, 3)
    assert level.mean(4) == pytest.approx(7 / 4)
    assert level.series == pytest.approx([2, 2, 2, 1])
    level.restart(4)
    assert level.mean(6) == pytest.approx(1)


def test_a_level_charts_long_runs_in_little_space() -> None:
    level = Level(step=1.0)
    for hour in range(10_000):
        level.change(1 if hour % 2 == 0 else -1, hour)
    assert len(level.series) <= 400
    assert level.series[10] == pytest.approx(0.5, abs=0.05)


def test_daylight_saving_time_makes_a_short_day() -> None:
    calendar = Calendar("c", parse_weekly({"daily": ["00:00-24:00"]}), "Europe/Berlin")
    night = Calendar("n", parse_weekly({"sat": ["22:00-06:00"]}), "Europe/Berlin")
    start = datetime(2026, 3, 27, 23, tzinfo=UTC)  # the night to 29 March has one hour less
    assert next(calendar.windows(start))[0] == 0
    begin, end = next(night.windows(start))
    assert (end - begin) / 3600 == 7


def test_holidays_and_make_up_days() -> None:
    calendar = Calendar(
        "c", parse_weekly({"mon-fri": ["09:00-10:00"]}), holidays=frozenset({date(2026, 1, 5)}),
        workdays={date(2026, 1, 10): 0},
    )  # fmt: skip
    windows = list(itertools.islice(calendar.windows(datetime(2026, 1, 5, tzinfo=UTC)), 5))
    assert [int(begin // 86400) for begin, _ in windows] == [1, 2, 3, 4, 5]


def test_duty_counts_only_working_time() -> None:
    duty = Duty(Calendar("c", parse_weekly({"daily": ["09:00-11:00"]})), datetime(2026, 1, 5, tzinfo=UTC))
    assert duty.after(0, 3 * 3600) == (24 + 10) * 3600


def test_an_empty_calendar_ends() -> None:
    assert Duty(Calendar("c", parse_weekly({})), datetime(2026, 1, 5, tzinfo=UTC)).after(0, 1) == math.inf


def test_estimates_compare_with_their_confidence() -> None:
    found = estimate([10, 11, 9, 10, 10])
    assert found.half_width == pytest.approx(0.878, abs=1e-3)
    assert found < 11
    assert not found < 10.5
    assert found > 9
    assert found.at(0.99).half_width > found.half_width


def test_pairs_show_what_independent_samples_hide() -> None:
    rng = random.Random(1)
    noise = [rng.gauss(0, 100) for _ in range(10)]
    difference = paired_difference(
        "x", [100 + n for n in noise], [101 + n + rng.gauss(0, 0.1) for n in noise]
    )
    assert difference.p < 0.001
    assert difference.difference.contains(1.0)


def test_holm_adjusts_for_the_number_of_comparisons() -> None:
    assert holm([0.01, 0.04, 0.03, math.nan]) == pytest.approx([0.03, 0.06, 0.06, math.nan], nan_ok=True)


def test_mser5_finds_the_end_of_a_transient() -> None:
    rng = random.Random(2)
    series = [max(0.0, 100 - i) + rng.gauss(50, 1) for i in range(500)]
    assert 80 <= mser5(series) <= 110
    assert mser5([1.0] * 10) == 0


def test_generators() -> None:
    def values(spec: object) -> list[object]:
        transform = parse_generator(spec).values
        assert transform is not None
        return transform(GRID)

    assert values("红") == ["红"] * len(GRID)
    assert sum(map(bool, values({"bernoulli": 0.3}))) == pytest.approx(30_000, abs=2)
    assert values({"choice": {"a": 0.9, "b": 0.1}}).count("b") == pytest.approx(10_000, abs=2)
    assert set(values({"integer": {"min": 1, "max": 6}})) == {1, 2, 3, 4, 5, 6}
    assert values({"uniform": {"min": 1, "max": 2}, "round": 1})[0] == 1.0
    for wrong in ({"bernoulli": 2}, {"choice": {}}, {"integer": {"min": 2, "max": 1}}, {"a": 1, "b": 2}):
        with pytest.raises(ValueError, match=r".+"):
            parse_generator(wrong)


def test_fitting_finds_the_family_and_keeps_the_mean() -> None:
    rng = random.Random(3)
    exponential = fit_distribution([rng.expovariate(0.01) for _ in range(500)])
    assert set(exponential) == {"exponential"}
    strange = [rng.choice([rng.gauss(10, 1), rng.gauss(100, 1)]) for _ in range(2000)]
    fitted = fit_distribution(strange)
    assert set(fitted) == {"histogram"}
    assert parse_distribution(fitted).mean == pytest.approx(np.mean(strange), rel=1e-3)
    assert fit_distribution([5.0, 5.0]) == 5.0


def test_faults_of_a_scenario_are_told_with_their_path() -> None:
    with pytest.raises(InvalidPayload) as caught:
        scenario_from({"pools": {"p": {"size": 0}}, "tasks": {"A": {"processing_time": "soon"}}, "typo": 1})
    assert {path for path, _ in caught.value.problems} == {
        "/pools/p/size",
        "/tasks/A/processing_time",
        "/typo",
    }


def test_the_published_schema_is_that_of_the_models() -> None:
    schema = Scenario.model_json_schema()
    assert {"arrivals", "pools", "tasks", "gateways"} <= set(schema["properties"])
