"""Experiments with several scenarios: comparing, sweeping, optimising, learning from a log, reporting."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree

from flowkit.engine import Engine, VirtualClock
from flowkit.errors import InvalidPayload
from flowkit.export import case_of, open_log, read_log
from flowkit.simulation import Goal, compare, fit, load_scenario, optimise, simulate, sweep
from flowkit.simulation.report import heat_map

MODELS = Path(__file__).parent / "models"
SHARED = load_scenario(MODELS / "shared.yaml").with_changes({"run.warmup": 0})


def test_one_more_clerk_shortens_the_wait_and_the_difference_is_real() -> None:
    found = compare(SHARED, SHARED.with_changes({"pools.front.size": 6}), replications=10, cases=1000)
    assert found["waiting_time.mean"].real
    assert found["waiting_time.mean"].difference < 0
    assert not found["processing_time.mean"].real
    assert found["processing_time.mean"].difference.value == pytest.approx(0, abs=1e-9)
    assert "real" in str(found)
    assert json.loads(found.to_json())["differences"]


def test_a_scenario_against_itself_shows_no_difference() -> None:
    found = compare(SHARED, SHARED, replications=3, cases=200)
    assert found.real == ()
    assert all(difference.adjusted == 1.0 for difference in found.differences)


def test_common_random_numbers_need_far_fewer_replications() -> None:
    """Service 5 % faster at B: the variance of the difference falls by far more than 10 times."""
    variant = SHARED.with_changes({"tasks.B.processing_time": {"exponential": {"mean": 190}}})
    paired = compare(SHARED, variant, replications=10, cases=2000, measures=["cycle_time.mean"])
    apart = variant.with_changes({"compare": {"baseline": "x", "common_random_numbers": False}})
    unpaired = compare(SHARED, apart, replications=10, cases=2000, measures=["cycle_time.mean"])
    ratio = unpaired["cycle_time.mean"].difference.sd / paired["cycle_time.mean"].difference.sd
    assert ratio**2 > 10


def test_a_variant_names_its_baseline(tmp_path: Path) -> None:
    (tmp_path / "variant.yaml").write_text(
        f"scenario: {{id: variant, extends: {MODELS / 'shared.yaml'}}}\n"
        f"pools: {{front: {{size: 7}}}}\ncompare: {{baseline: {MODELS / 'shared.yaml'}}}\n"
    )
    found = compare(tmp_path / "variant.yaml", replications=3, cases=500, measures=["pool.front.utilisation"])
    assert found["pool.front.utilisation"].difference < 0
    with pytest.raises(InvalidPayload, match="two scenarios"):
        compare(SHARED)


def test_a_sweep_visits_every_point_with_the_same_customers() -> None:
    found = sweep(SHARED, {"pools.front.size": [5, 6], "pools.back.size": [3, 4]}, replications=2, cases=300)
    assert [tuple(point.values()) for point, _ in found] == [(5, 3), (5, 4), (6, 3), (6, 4)]
    waits = [row["waiting_time.mean"] for row in found.rows(["waiting_time.mean"])]
    assert waits[3] < min(waits[1:3])
    assert max(waits[1:3]) < waits[0]
    with pytest.raises(InvalidPayload, match="points"):
        sweep(SHARED, {})


def test_the_optimiser_finds_the_fewest_people_that_keep_the_promise() -> None:
    data = SHARED.with_changes({"service_levels": {"一刻钟": {"within": "15m"}}})
    best = optimise(
        data,
        {"pools.front.size": (4, 9), "pools.back.size": (2, 7)},
        goals=[Goal("service_level.一刻钟.share", at_least=0.75)],
        replications=3,
        cases=300,
    )
    assert best.met
    assert best.result.service_level["一刻钟"].share > 0.75
    for name in best.parameters:
        fewer = {**best.parameters, name: best.parameters[name] - 1}
        worse = simulate(data.with_changes(fewer), replications=3, cases=300)
        assert not worse.service_level["一刻钟"].share > 0.75


def test_an_impossible_promise_is_told() -> None:
    best = optimise(
        SHARED,
        {"pools.front.size": (5, 6)},
        goals=[Goal("cycle_time.mean", at_most=1)],
        replications=2,
        cases=100,
    )
    assert not best.met


@pytest.mark.parametrize("ending", ["xes", "csv"])
def test_a_fitted_model_reproduces_its_source(ending: str, tmp_path: Path) -> None:
    source = SHARED.with_changes({"pools.front.size": 7, "pools.back.size": 5})
    log = tmp_path / f"log.{ending}"
    simulate(source, replications=1, cases=8000, seed=1, log=open_log(log))
    fitted = fit(log, MODELS / "shared.bpmn")
    assert fitted.pools["front"].size == 7
    assert fitted.gateways["Gw"].probabilities["f3"] == pytest.approx(0.6, abs=0.02)
    a, b = (simulate(one, replications=5, cases=8000, seed=2).cycle_time.mean for one in (source, fitted))
    assert b.value == pytest.approx(a.value, rel=0.02)


def test_a_fit_reproduces_subprocesses_called_processes_and_working_hours(tmp_path: Path) -> None:
    office = {"calendar": "office", "off_shift": "suspend"}
    source: dict[str, Any] = {
        "model": {"bpmn": str(MODELS / "nested.bpmn"), "process": "nested"},
        "run": {"stop": {"cases": 6000}, "replications": 4},
        "calendars": {"office": {"weekly": {"mon-fri": ["09:00-17:00"]}}},
        "arrivals": [{"calendar": "office", "interarrival": {"exponential": {"mean": "10m"}}}],
        "pools": {"front": {"size": 4, **office}, "back": {"size": 6, **office}, "phone": {"size": 2}},
        "tasks": {
            "A": {"resources": "front", "processing_time": {"gamma": {"mean": "20m", "cv": 0.5}}},
            "B": {"resources": "back", "processing_time": {"lognormal": {"mean": "35m", "cv": 0.8}}},
            "C": {"resources": "phone", "processing_time": {"exponential": {"mean": "5m"}}},
        },
        "gateways": {
            "Needed": {"probabilities": {"要": 0.7, "不要": 0.3}},
            "Good": {"probabilities": {"返工": 0.2, "合格": 0.8}},
            "Visit": {"probabilities": {"是": 0.4, "否": 0.6}},
        },
    }
    log = tmp_path / "log.csv"
    simulate(source, replications=1, seed=1, log=open_log(log))
    fitted = fit(log, MODELS / "nested.bpmn")
    odds = {name: gateway.probabilities for name, gateway in fitted.gateways.items()}
    assert odds["Needed"]["s3"] == pytest.approx(0.7, abs=0.02)
    assert odds["Good"]["s7"] == pytest.approx(0.2, abs=0.02)
    assert odds["Visit"]["f3"] == pytest.approx(0.4, abs=0.02)
    assert fitted.pools["front"].off_shift == "suspend"
    a, b = (simulate(one, replications=4, cases=6000, seed=2).cycle_time.mean for one in (source, fitted))
    assert b.value == pytest.approx(a.value, rel=0.02)


def test_fitting_finds_working_hours(tmp_path: Path) -> None:
    data: dict[str, Any] = {
        "model": {"bpmn": str(MODELS / "queue.bpmn")},
        "run": {"stop": {"cases": 3000}},
        "calendars": {"office": {"weekly": {"mon-fri": ["09:00-17:00"]}}},
        "arrivals": [{"calendar": "office", "interarrival": {"exponential": {"mean": "6m"}}}],
        "pools": {"clerks": {"size": 3, "calendar": "office", "off_shift": "finish"}},
        "tasks": {"A": {"resources": "clerks", "processing_time": {"gamma": {"mean": "10m", "cv": 0.5}}}},
    }
    log = tmp_path / "log.csv"
    simulate(data, replications=1, log=open_log(log))
    fitted = fit(log, MODELS / "queue.bpmn")
    assert fitted.calendars["arrivals"].weekly == {
        d: ["09:00-17:00"] for d in ("mon", "tue", "wed", "thu", "fri")
    }
    gap = fitted.arrivals[0].interarrival
    assert gap["exponential"]["mean"] == pytest.approx(360, rel=0.05)


def test_the_engines_own_history_teaches_a_scenario() -> None:
    """One case every 10 minutes; 李工 takes it after 2 and needs 5."""
    clock = VirtualClock()
    with Engine(clock=clock) as engine:
        engine.deploy({"due.bpmn": (MODELS / "due.bpmn").read_bytes()})
        for _ in range(25):
            case = engine.start("due", {"span": "PT1H"})
            clock.advance(timedelta(minutes=2))
            (todo,) = engine.tasks(case)
            engine.claim(todo, "李工")
            clock.advance(timedelta(minutes=5))
            engine.complete(todo, user="李工")
            clock.advance(timedelta(minutes=3))
        log = [
            case_of(view.id, ((entry.at, entry.event) for entry in engine.history(view.id)), {"A": "处理"})
            for view in engine.instances("due")
        ]
    fitted = fit(log, MODELS / "due.bpmn")
    assert fitted.arrivals[0].interarrival == 600
    assert fitted.tasks["A"].processing_time == 300
    assert fitted.tasks["A"].resources == "李工"
    result = simulate(fitted, replications=2)
    assert result["cases.completed"].value == 25
    assert result.cycle_time.mean.value == pytest.approx(300)


def test_a_log_of_nothing_teaches_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    simulate(SHARED, replications=1, cases=1, log=open_log(log))
    with pytest.raises(InvalidPayload, match="at least 2"):
        fit(log)
    simulate(SHARED, replications=1, cases=5, log=open_log(log))
    with pytest.raises(InvalidPayload, match="has no activity"):
        fit(log, MODELS / "race.bpmn")
    assert len(list(read_log(log))) == 5


def test_the_report_is_one_page_without_anything_from_outside(tmp_path: Path) -> None:
    result = simulate(SHARED, replications=3, cases=300)
    page = result.write(tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|src=|@import", page)
    assert "等待时间" in page
    assert page.count("<svg") >= 5
    for old in re.findall("<meta [^>]*>|<!DOCTYPE html>|<br>", page):
        page = page.replace(old, "")
    etree.fromstring(page.encode())  # every tag is closed


def test_names_of_the_model_are_escaped_in_the_report(tmp_path: Path) -> None:
    bpmn = (MODELS / "queue.bpmn").read_text(encoding="utf-8").replace("处理", "&lt;script&gt;x")
    (tmp_path / "x.bpmn").write_text(bpmn, encoding="utf-8")
    page = (
        simulate(tmp_path / "x.bpmn", replications=2, cases=20).write(tmp_path / "r.html").read_text("utf-8")
    )
    assert "<script" not in page


def test_heat_maps_colour_what_takes_time(tmp_path: Path) -> None:
    result = simulate(SHARED, replications=2, cases=300)
    assert heat_map(result, "waiting") != heat_map(result, "frequency")
    with pytest.raises(ValueError, match="not a heat map"):
        heat_map(result, "temperature")


def test_results_are_written_as_json_and_csv(tmp_path: Path) -> None:
    result = simulate(SHARED, replications=3, cases=100)
    content = json.loads(result.write(tmp_path / "r.json").read_text(encoding="utf-8"))
    assert content["measures"]["cycle_time.mean"]["mean"] == pytest.approx(result.cycle_time.mean.value)
    assert set(content["queues"]) == {"front", "back"}
    series = content["work_in_progress"]
    assert sum(series["values"]) / len(series["values"]) == pytest.approx(result.wip.mean.value, rel=0.05)
    lines = result.write(tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("measure,mean,low,high")
    assert len(lines) == len(result.names) + 1
    assert len(result.replications_to_csv().splitlines()) > 3 * 20
    comparison = compare(SHARED, SHARED, replications=2, cases=50)
    assert "Holm" in comparison.write(tmp_path / "c.html").read_text(encoding="utf-8")


def test_results_are_written_as_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pip install 'flowkit[parquet]'")
    result = simulate(SHARED, replications=3, cases=100)
    rows = parquet.read_table(result.write(tmp_path / "r.parquet")).to_pylist()
    assert {row["measure"] for row in rows} == set(result.names)
    (cycle,) = (row for row in rows if row["measure"] == "cycle_time.mean")
    assert (cycle["mean"], cycle["replications"]) == (result.cycle_time.mean.value, 3)
    assert cycle["low"] < cycle["mean"] < cycle["high"]


def test_a_measure_that_does_not_exist_is_named() -> None:
    result = simulate(SHARED, replications=2, cases=20)
    with pytest.raises(KeyError, match="no measure"):
        result["cycle_time.median"]
    with pytest.raises(AttributeError, match="no measure"):
        _ = result.lead_time


def test_scenarios_are_plain_yaml() -> None:
    for path in sorted(MODELS.glob("*.yaml")):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["flowkit"] == "simulation/1"
