"""What every simulation keeps: determinism, conservation, the kernel's own semantics, honest reports."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flowkit.errors import InvalidPayload
from flowkit.export import open_log, read_log
from flowkit.simulation import Result, load_scenario, open_study, simulate
from flowkit.simulation.experiment import run_once
from flowkit.simulation.planning import make_plan
from flowkit.simulation.run import Machines
from tests.kernel.diagrams import end, job, process, start
from tests.kernel.test_data_stores import assign, gives, io, takes

MODELS = Path(__file__).parent / "models"


def exponential(mean: float) -> dict[str, Any]:
    return {"exponential": {"mean": mean}}


def scenario(model: str, **parts: Any) -> dict[str, Any]:
    run = {"stop": {"cases": 500}, "replications": 2, **parts.pop("run", {})}
    return {"model": {"bpmn": str(MODELS / f"{model}.bpmn")}, "run": run, **parts}


def measures(result: Result) -> list[dict[str, float]]:
    return [{k: v for k, v in outcome.measures.items() if not math.isnan(v)} for outcome in result.outcomes]


def test_the_number_of_processes_changes_nothing() -> None:
    path = MODELS / "shared.yaml"
    alone = simulate(path, replications=4, cases=300)
    together = simulate(path, replications=4, cases=300, processes=2)
    assert measures(alone) == measures(together)


def test_equal_seeds_give_equal_results_and_others_do_not() -> None:
    path = MODELS / "shared.yaml"
    first, second = (simulate(path, replications=2, cases=300, seed=7) for _ in range(2))
    assert measures(first) == measures(second)
    assert measures(first) != measures(simulate(path, replications=2, cases=300, seed=8))


@pytest.mark.parametrize("name", ["shared", "rework", "priority", "boundary", "race", "fork4"])
def test_looked_up_transitions_and_stepped_instances_give_the_same_simulation(name: str) -> None:
    study = open_study(MODELS / f"{name}.yaml").with_changes({"run.stop.cases": 200, "run.warmup": 0})
    plan = make_plan(study)
    looked_up = run_once(Machines(plan), study, 0)
    stepped = run_once(Machines(plan, shared=False), study, 0)
    assert str(looked_up.measures) == str(stepped.measures)
    assert looked_up.nodes == stepped.nodes
    assert looked_up.flows == stepped.flows


def test_a_split_into_a_join_gets_stuck_and_is_reported_with_its_place() -> None:
    result = simulate(scenario("deadlock"))
    assert result["cases.stuck"].value == 500
    assert result["cases.completed"].value == 0
    assert any("got stuck" in warning for warning in result.warnings)
    assert all("nothing is left to do" in reason for o in result.outcomes for reason in o.stuck)


def test_an_unstable_queue_is_warned_of() -> None:
    result = simulate(
        scenario(
            "queue",
            run={"stop": {"cases": 2000}},
            arrivals=[{"interarrival": exponential(100)}],
            pools={"clerks": {"size": 1}},
            tasks={"A": {"resources": "clerks", "processing_time": exponential(200)}},
        )
    )
    assert any("always busy" in warning for warning in result.warnings)


def test_open_cases_are_reported_apart() -> None:
    result = simulate(
        scenario(
            "queue",
            run={"stop": {"until": "1d"}},
            arrivals=[{"interarrival": "1h"}],
            tasks={"A": {"processing_time": "5h30m"}},
        )
    )
    assert result["cases.started"].value == 24
    assert result["cases.open"].value == 6
    assert result["cases.completed"].value == 18
    assert any("still open" in warning for warning in result.warnings)


def test_timers_take_their_time_and_are_told_apart_from_work() -> None:
    result = simulate(
        scenario("timer", tasks={"A": {"processing_time": "1m"}, "B": {"processing_time": "2m"}})
    )
    assert result.cycle_time.mean.value == pytest.approx(18 * 60)
    assert result.event_time.mean.value == pytest.approx(15 * 60)
    assert result.processing_time.mean.value == pytest.approx(3 * 60)


def test_a_sampled_delay_replaces_the_timers_own() -> None:
    result = simulate(
        scenario(
            "timer",
            tasks={"A": {"processing_time": 0}, "B": {"processing_time": 0}},
            events={"冷却": {"delay": "1h"}},
        )
    )
    assert result.cycle_time.mean.value == pytest.approx(3600)


def test_every_case_has_a_delay_of_its_own_and_it_counts() -> None:
    result = simulate(
        scenario(
            "timer",
            tasks={"A": {"processing_time": 0}, "B": {"processing_time": 0}},
            events={"Pause": {"delay": exponential(900)}},
        ),
        replications=20,
    )
    assert result.cycle_time.mean.at(0.99).contains(900)
    assert result.cycle_time.sd.at(0.99).contains(900)


@pytest.mark.parametrize("source", ["case_attributes", "tasks"])
def test_items_are_done_one_by_one(source: str) -> None:
    """As many as the model's own data says, or as the scenario draws."""
    parts: dict[str, Any] = {"tasks": {"A": {"processing_time": "10m"}}}
    if source == "case_attributes":
        parts["case_attributes"] = {"count": 4}
    else:
        parts["tasks"]["A"]["instances"] = 4
    result = simulate(scenario("items", **parts))
    assert result.cycle_time.mean.value == pytest.approx(40 * 60)
    assert result.activity["逐件检查"].per_case.value == 4


@pytest.mark.parametrize("model", ["shared", "priority", "boundary"])
def test_the_hash_seed_of_python_changes_nothing(model: str) -> None:
    code = (
        "import sys; from flowkit.simulation import simulate;"
        "print(simulate(sys.argv[1], replications=1, cases=100).to_json())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code, str(MODELS / f"{model}.yaml")],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(MODELS.parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_work_rests_off_shift_or_is_finished() -> None:
    def run(off_shift: str) -> Result:
        return simulate(
            scenario(
                "queue",
                run={"start": "2026-01-05T16:00:00", "stop": {"cases": 1}},
                calendars={"office": {"weekly": {"mon-fri": ["09:00-17:00"]}}},
                arrivals=[{"at": [0], "limit": 1}],
                pools={"clerks": {"size": 1, "calendar": "office", "off_shift": off_shift}},
                tasks={"A": {"resources": "clerks", "processing_time": "2h"}},
            )
        )

    assert run("finish").cycle_time.mean.value == pytest.approx(2 * 3600)
    suspended = run("suspend")
    assert suspended.cycle_time.mean.value == pytest.approx(18 * 3600)
    assert suspended.off_duty_time.mean.value == pytest.approx(16 * 3600)
    assert suspended.pool["clerks"].busy_hours.value == pytest.approx(2)


def test_a_task_may_need_people_of_two_pools_at_once() -> None:
    result = simulate(
        scenario(
            "queue",
            run={"stop": {"cases": 10}},
            arrivals=[{"interarrival": "1m"}],
            pools={"drivers": {"size": 5}, "cars": {"size": 1}},
            tasks={
                "A": {
                    "resources": {"all_of": [{"pool": "drivers", "quantity": 2}, "cars"]},
                    "processing_time": "1h",
                }
            },
        )
    )
    assert result.cycle_time.max.value == pytest.approx(3600 + 9 * (3600 - 60))
    assert result.pool["drivers"].busy_hours.value == pytest.approx(20)


def test_alternatives_are_taken_in_order_and_skills_are_respected() -> None:
    result = simulate(
        scenario(
            "queue",
            run={"stop": {"cases": 4}},
            arrivals=[{"interarrival": 1}],
            pools={
                "team": {"members": [{"name": "junior"}, {"name": "senior", "skills": ["engine"]}]},
                "reserve": {"size": 1},
            },
            tasks={
                "A": {
                    "resources": {"any_of": [{"pool": "team", "skill": "engine"}, "reserve"]},
                    "processing_time": "1h",
                }
            },
        )
    )
    assert result.resource["team/junior"].utilisation.value == 0
    assert result.pool["reserve"].busy_hours.value == pytest.approx(2)


def test_batches_wait_for_each_other_and_are_served_as_one() -> None:
    result = simulate(
        scenario(
            "queue",
            run={"stop": {"cases": 6}},
            arrivals=[{"interarrival": "10m"}],
            tasks={"A": {"processing_time": "1h", "batch": {"size": 3, "max_wait": "2h"}}},
        )
    )
    assert result.batch_time.mean.value == pytest.approx(10 * 60)
    assert result.cycle_time.max.value == pytest.approx(3600 + 20 * 60)


def test_customers_without_patience_leave_by_the_error_event() -> None:
    result = simulate(
        scenario(
            "patience",
            run={"stop": {"cases": 3}},
            arrivals=[{"interarrival": 1}],
            pools={"agents": {"size": 1}},
            tasks={
                "A": {
                    "resources": "agents",
                    "processing_time": "1h",
                    "abandonment": {"patience": "5m", "error": "gave-up"},
                }
            },
        )
    )
    assert result.end["流失"].share.value == pytest.approx(2 / 3)
    assert result.activity["接听"].abandoned.share.value == pytest.approx(2 / 3)


def test_errors_are_thrown_in_their_share_of_cases() -> None:
    result = simulate(
        scenario("patience", run={"stop": {"cases": 5000}}, tasks={"A": {"errors": {"gave-up": "30%"}}}),
        replications=5,
    )
    assert result.end["流失"].share.at(0.99).contains(0.3)


def test_breakdowns_cost_availability() -> None:
    result = simulate(
        scenario(
            "queue",
            run={"stop": {"cases": 3}},
            arrivals=[{"at": [0, 0, 0]}],
            pools={"machines": {"size": 1, "breakdowns": {"every": "100m", "repair": "30m"}}},
            tasks={"A": {"resources": "machines", "processing_time": "1h"}},
        )
    )
    # minutes: done at 60; the second fails at 100, goes on at 130, is done at 150; the third at 210
    assert result.cycle_time.max.value == pytest.approx(3.5 * 3600)
    assert result.pool["machines"].busy_hours.value == pytest.approx(3)


def test_costs_are_those_of_people_and_tasks() -> None:
    result = simulate(
        scenario(
            "queue",
            pools={"clerks": {"size": 9, "cost_per_hour": 60}},
            tasks={"A": {"resources": "clerks", "processing_time": "30m", "cost": 5}},
        )
    )
    assert result.cost.mean.value == pytest.approx(35)


def test_service_levels_count_promises_kept() -> None:
    result = simulate(
        scenario(
            "boundary",
            run={"stop": {"cases": 4000}},
            tasks={"A": {"processing_time": exponential(600)}},
            service_levels={"5 分钟内": {"within": "5m"}, "未超时": {"reached": ["End"]}},
        ),
        replications=10,
    )
    assert result.service_level["5 分钟内"].share.at(0.99).contains(0.3935)
    assert result.service_level["未超时"].share.value == pytest.approx(result.end["完成"].share.value)


def test_rework_is_counted_per_case_and_per_activity() -> None:
    """Sent back with p = 1/4: a quarter of the cases, and a quarter of all the work done."""
    result = simulate(load_scenario(MODELS / "rework.yaml").with_changes({"run.stop.cases": 3000}))
    assert result.rework.share.at(0.99).contains(0.25)
    assert result.activity["加工"].rework.share.at(0.99).contains(0.25)


def test_items_are_no_rework() -> None:
    result = simulate(scenario("items", tasks={"A": {"processing_time": "1m", "instances": 4}}))
    assert result.rework.share.value == 0
    assert "activity.逐件检查.rework.share" not in result.names


def test_timeouts_are_counted_and_what_was_avoided_is_a_promise() -> None:
    result = simulate(
        scenario(
            "boundary",
            run={"stop": {"cases": 3000}},
            tasks={"A": {"processing_time": exponential(600)}},
            service_levels={"准时": {"avoided": ["Late"], "start": "A"}},
        )
    )
    late = result.end["已超时"].share.value
    assert 0.15 < late < 0.3
    assert result.timeout.share.value == pytest.approx(late)
    assert result.service_level["准时"].share.value == pytest.approx(1 - late)


def test_paths_tell_where_their_cases_spend_the_time() -> None:
    result = simulate(load_scenario(MODELS / "shared.yaml").with_changes({"run.stop.cases": 2000}))
    both, first = result.path["受理 → 处理"], result.path["受理"]
    assert both.share.value + first.share.value == pytest.approx(1)
    for measure in ("cycle_time", "waiting_time", "processing_time"):
        mean = both.share.value * both[measure].mean.value + first.share.value * first[measure].mean.value
        assert mean == pytest.approx(result.find(measure).mean.value, rel=0.01)
    assert both.cycle_time.mean.value == pytest.approx(
        both.waiting_time.mean.value + both.processing_time.mean.value
    )


def test_warm_up_is_deleted_by_arrival_time() -> None:
    result = simulate(
        scenario(
            "queue",
            run={"stop": {"cases": 10}, "warmup": "5h"},
            arrivals=[{"interarrival": "1h"}],
            tasks={"A": {"processing_time": "30m"}},
        )
    )
    assert result["cases.started"].value == 10
    assert result["cases.counted"].value == 6


def test_replications_go_on_until_the_interval_is_narrow_enough() -> None:
    data = scenario(
        "queue",
        tasks={"A": {"processing_time": exponential(100)}},
        run={"stop": {"cases": 50}, "replications": {"min": 5, "max": 200, "half_width": "3%"}},
    )
    result = simulate(data)
    assert result.replications > 5
    assert result.cycle_time.mean.half_width <= 0.03 * result.cycle_time.mean.value


def test_a_diagram_alone_is_simulated_and_says_what_was_assumed() -> None:
    result = simulate(MODELS / "shared.bpmn", replications=2, cases=100)
    assert result["cases.completed"].value == 100
    assert any("equally likely" in one for one in result.assumptions)
    assert any("every 30m" in one for one in result.assumptions)
    assert any("People need" in one for one in result.assumptions)


def test_an_interrupt_leaves_what_is_finished() -> None:
    def stop(done: int, _planned: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    result = simulate(MODELS / "fork.yaml", cases=50, progress=stop)
    assert result.interrupted
    assert result.replications == 3


def test_ctrl_c_stops_the_worker_processes_and_leaves_what_is_finished(tmp_path: Path) -> None:
    """As a terminal does it: the interrupt reaches every process of the group."""
    code = (
        "import sys; from flowkit.simulation import simulate\n"
        "def tell(done, planned): print(done, flush=True)\n"
        "result = simulate(sys.argv[1], replications=500, cases=3000, processes=2, progress=tell)\n"
        "print('kept', result.replications, result.interrupted, result.cycle_time.mean.value > 0)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(MODELS / "shared.yaml")],
        env={**os.environ, "PYTHONPATH": str(MODELS.parents[2])},
        stdout=subprocess.PIPE,
        stderr=(tmp_path / "stderr").open("w"),
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "2\n":
                os.killpg(process.pid, signal.SIGINT)
                break
        rest = process.stdout.read()
    assert process.returncode == 0
    kept = rest.strip().splitlines()[-1].split()
    assert (kept[0], kept[2:]) == ("kept", ["True", "True"])
    assert 2 <= int(kept[1]) < 500
    assert "Traceback" not in (tmp_path / "stderr").read_text()


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ({"tasks": {"Nobody": {"cost": 1}}}, "fits no element"),
        ({"gateways": {"Gw": {"probabilities": {"是": 0.5, "否": 0.4}}}}, "add up to 1"),
        ({"gateways": {"Gw": {"probabilities": {"是": 0.5, "也许": 0.5}}}}, "does not fit"),
        ({"tasks": {"A": {"resources": "elves", "processing_time": 1}}}, "no pool 'elves'"),
        ({"priorities": [{"when": "amount > 3", "level": 1}]}, "no case attribute"),
        ({"service_levels": {"x": {"within": 1, "end": "Z"}}}, "no element 'Z'"),
        ({"model": {"bpmn": str(MODELS / "shared.bpmn"), "process": "other"}}, "no process 'other'"),
        ({"arrivals": [{"start_event": "Z", "interarrival": 1}]}, "no start event 'Z'"),
    ],
)
def test_what_fits_nothing_is_refused(part: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidPayload, match=fault):
        simulate({**scenario("shared"), **part})


def test_scenarios_extend_each_other(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(
        f"scenario: {{id: more, extends: {MODELS / 'shared.yaml'}}}\npools: {{front: {{size: 6}}}}\n"
    )
    variant = load_scenario(tmp_path / "more.yaml")
    assert variant.pools["front"].size == 6
    assert variant.pools["back"].size == 3
    assert simulate(variant, replications=2, cases=100)["cases.completed"].value == 100


def test_data_stores_are_kept_in_memory_and_begin_empty_in_each_replication(tmp_path: Path) -> None:
    update = "if given = null then [1] else append(given, 1)"
    inner = io("a", takes("ain"), gives("", assign(update, "stock")))
    reference = '<bpmn:dataStoreReference id="ref" name="stock" dataStoreRef="ds"/>'
    limit = '<bpmn:dataStore id="ds" name="warehouse" capacity="3" isUnlimited="false"/>'
    data = process(reference, start(), job("a", inner=inner), end(), flows="s > a; a > e", roots=limit)
    path = tmp_path / "stock.bpmn"
    path.write_bytes(data)
    result = simulate({"model": {"bpmn": str(path)}, "run": {"stop": {"cases": 5}, "replications": 2}})
    assert result["cases.completed"].value == 3
    assert all("holds at most 3, not 4" in reason for one in result.outcomes for reason in one.stuck)


def test_an_interrupted_log_is_a_whole_file(tmp_path: Path) -> None:
    def stop(done: float, _planned: int) -> None:
        if 0 < done < 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(MODELS / "fork.yaml", cases=20_000, progress=stop, log=open_log(tmp_path / "log.xes"))
    assert len(list(read_log(tmp_path / "log.xes"))) > 100
