"""Every option of a scenario does what it says: each against a trace worked out by hand, or a formula."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from flowkit.export import LogCase, open_log, read_log
from flowkit.simulation import Result, compare, load_scenario, simulate

MODELS = Path(__file__).parent / "models"


def exponential(mean: float) -> dict[str, Any]:
    return {"exponential": {"mean": mean}}


def scenario(model: str = "queue", **parts: Any) -> dict[str, Any]:
    run = {"stop": {"cases": 500}, "replications": 1, **parts.pop("run", {})}
    return {"model": {"bpmn": str(MODELS / f"{model}.bpmn")}, "run": run, **parts}


def trace(data: dict[str, Any], tmp_path: Path) -> tuple[Result, dict[str, tuple[float, float]]]:
    """Per case, when its work began and was done, in minutes since the first arrival."""
    path = tmp_path / "log.csv"
    result = simulate(data, replications=1, log=open_log(path))
    cases: list[LogCase] = list(read_log(path))
    origin = min(one.enabled for case in cases for one in case.work)

    def minutes(moment: Any) -> float:
        return float((moment - origin).total_seconds() / 60)

    return result, {
        case.name.removeprefix("case-"): (minutes(case.work[0].started), minutes(case.work[-1].completed))
        for case in cases
    }


def one_clerk(queue: str, attributes: list[dict[str, Any]], **parts: Any) -> dict[str, Any]:
    """Cases arrive at minutes 0, 1, 2 … with these attributes; one clerk needs 10 minutes for each."""
    return scenario(
        arrivals=[
            {"at": [60 * minute], "variables": variables} for minute, variables in enumerate(attributes)
        ],
        pools={"clerks": {"size": 1, "queue": queue}},
        tasks={"A": {"resources": "clerks", "processing_time": "10m"}},
        **parts,
    )


def order(begun: dict[str, tuple[float, float]]) -> str:
    return "".join(sorted(begun, key=lambda name: begun[name][0]))


# ---- queue disciplines ----------------------------------------------------------------------


@pytest.mark.parametrize(("queue", "expected"), [("fifo", "0123"), ("lifo", "0321")])
def test_first_or_last_come_first_served(queue: str, expected: str, tmp_path: Path) -> None:
    _, begun = trace(one_clerk(queue, [{}] * 4), tmp_path)
    assert order(begun) == expected
    assert sorted(begun.values()) == [(0, 10), (10, 20), (20, 30), (30, 40)]


def test_lower_levels_are_served_first_and_equal_ones_in_turn(tmp_path: Path) -> None:
    attributes = [{"grade": grade} for grade in ("c", "c", "b", "a", "b")]
    priorities = [{"when": 'grade = "a"', "level": 1}, {"when": 'grade = "b"', "level": 2}]
    _, begun = trace(one_clerk("priority", attributes, priorities=priorities), tmp_path)
    assert order(begun) == "03241"


def test_the_earliest_due_date_is_served_first(tmp_path: Path) -> None:
    """The user task's due date: now + a span that the case brings along."""
    data = one_clerk("due", [{"span": span} for span in ("PT1H", "PT9H", "PT5H", "PT3H")])
    data["model"]["bpmn"] = str(MODELS / "due.bpmn")
    _, begun = trace(data, tmp_path)
    assert order(begun) == "0321"


def test_mean_waits_do_not_depend_on_the_discipline_but_their_spread_does() -> None:
    """Kleinrock's conservation law; in M/M/1 the variance of LIFO waits is larger."""
    base = load_scenario(MODELS / "mm1.yaml")
    fifo, lifo = (
        simulate(base.with_changes({"pools.clerks.queue": queue}), replications=10, cases=4000)
        for queue in ("fifo", "lifo")
    )
    assert lifo.waiting_time.mean.value == pytest.approx(fifo.waiting_time.mean.value, rel=0.05)
    assert lifo.waiting_time.sd.value > 1.3 * fifo.waiting_time.sd.value


# ---- what happens to resources and customers ------------------------------------------------


def test_breakdowns_keep_the_availability_of_theory() -> None:
    """A machine that works whenever it is up: busy for the share up / (up + down) of the time."""
    result = simulate(
        scenario(
            run={"stop": {"until": "2000h"}, "replications": 10},
            arrivals=[{"interarrival": "30m"}],
            pools={
                "machines": {
                    "size": 1,
                    "breakdowns": {"every": exponential(8 * 3600), "repair": exponential(2 * 3600)},
                }
            },
            tasks={"A": {"resources": "machines", "processing_time": "1h"}},
        ),
        replications=10,
    )
    assert result.pool["machines"].utilisation.at(0.99).contains(0.8)


def test_impatient_customers_leave_as_erlang_a_says() -> None:
    """M/M/1+M with patience as long as service: as many in the system as in M/M/∞, so the clerk is busy
    for 1 − e^−ρ of the time, and 1 − (1 − e^−ρ)/ρ of the customers leave."""
    load = 1.5
    result = simulate(
        scenario(
            "patience",
            run={"stop": {"cases": 4000}, "replications": 10},
            arrivals=[{"interarrival": exponential(60)}],
            pools={"agents": {"size": 1}},
            tasks={
                "A": {
                    "resources": "agents",
                    "processing_time": exponential(60 * load),
                    "abandonment": {"patience": exponential(60 * load), "error": "gave-up"},
                }
            },
        ),
        replications=10,
    )
    assert result.pool["agents"].utilisation.at(0.99).contains(1 - math.exp(-load))
    assert result.activity["接听"].abandoned.share.at(0.99).contains(1 - (1 - math.exp(-load)) / load)


def test_without_an_error_event_who_leaves_is_cancelled() -> None:
    result = simulate(
        scenario(
            arrivals=[{"at": [0, 1, 2]}],
            pools={"clerks": {"size": 1}},
            tasks={"A": {"resources": "clerks", "processing_time": "1h", "abandonment": {"patience": "5m"}}},
        )
    )
    assert result["outcome.cancelled.share"].value == pytest.approx(2 / 3)
    assert result.activity["处理"].abandoned.share.value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("mode", "ends"),
    [("parallel", [20, 20, 45, 45]), ("sequential", [30, 30, 55, 55])],
)
def test_batches_close_when_full_or_when_the_first_has_waited_enough(
    mode: str, ends: list[float], tmp_path: Path
) -> None:
    """Arrivals at 0, 8, 25, 30 (limit 3, 10 minutes' wait for company): 0 and 8 close at 10; 25 and 30
    close at 35; each takes 10 minutes, alone or one after the other."""
    _, begun = trace(
        scenario(
            arrivals=[{"at": ["0m", "8m", "25m", "30m"]}],
            tasks={"A": {"processing_time": "10m", "batch": {"size": 3, "max_wait": "10m", "mode": mode}}},
        ),
        tmp_path,
    )
    assert [end for _, end in sorted(begun.values(), key=lambda one: one[1])] == ends


def test_a_batch_occupies_one_resource_and_shares_its_cost() -> None:
    result = simulate(
        scenario(
            arrivals=[{"at": [0, 0, 0, 0]}],
            pools={"ovens": {"size": 1, "cost_per_hour": 60}},
            tasks={"A": {"resources": "ovens", "processing_time": "1h", "batch": {"size": 2}}},
        )
    )
    assert result.pool["ovens"].busy_hours.value == pytest.approx(2)
    assert result.cost.mean.value == pytest.approx(30)
    assert result.cycle_time.max.value == pytest.approx(2 * 3600)


def test_who_has_the_skill_is_waited_for(tmp_path: Path) -> None:
    """Two at hand, one of them skilled: the second piece of skilled work waits, other work does not."""
    _, begun = trace(
        scenario(
            "priority",
            arrivals=[
                {"at": ["0m", "1m"], "variables": {"urgent": True}},
                {"at": ["2m"], "variables": {"urgent": False}},
            ],
            pools={"team": {"members": [{"name": "senior", "skills": ["engine"]}, {"name": "junior"}]}},
            gateways={"Gw": {"mode": "conditions"}},
            tasks={
                "High": {"resources": {"pool": "team", "skill": "engine"}, "processing_time": "10m"},
                "Low": {"resources": "team", "processing_time": "3m"},
            },
        ),
        tmp_path,
    )
    assert begun == {"0": (0, 10), "2": (10, 20), "1": (2, 5)}


def test_a_faster_resource_is_faster(tmp_path: Path) -> None:
    _, begun = trace(
        scenario(
            arrivals=[{"at": [0, 0]}],
            pools={"team": {"members": [{"name": "senior"}, {"name": "junior"}]}},
            tasks={
                "A": {
                    "resources": "team",
                    "processing_time": "9m",
                    "by_resource": {"senior": "4m", "junior": "8m"},
                }
            },
        ),
        tmp_path,
    )
    assert sorted(begun.values()) == [(0, 4), (0, 8)]


def test_holidays_and_make_up_days_are_kept(tmp_path: Path) -> None:
    """Work of 10 hours from Wednesday 30 September 2026: Thursday to the 8th are China's holidays."""
    result = simulate(
        scenario(
            run={"start": "2026-09-30T09:00", "timezone": "Asia/Shanghai", "stop": {"cases": 1}},
            calendars={"office": {"weekly": {"mon-fri": ["09:00-17:00"]}, "holidays": "CN"}},
            arrivals=[{"at": [0]}],
            pools={"clerks": {"size": 1, "calendar": "office"}},
            tasks={"A": {"resources": "clerks", "processing_time": "10h"}},
        )
    )
    assert result.cycle_time.mean.value == pytest.approx((8 * 24 + 2) * 3600)


def test_recorded_arrivals_and_several_sources_keep_their_own_limits() -> None:
    result = simulate(
        scenario(
            arrivals=[
                {"at": ["1m", "2m"], "size": 3},
                {"interarrival": "10m", "limit": 4},
                {"interarrival": exponential(60), "limit": 5},
            ],
            tasks={"A": {"processing_time": "1m"}},
        )
    )
    assert result["cases.completed"].value == 3 * 2 + 4 + 5


# ---- variants that change more than a number ------------------------------------------------


def test_a_variant_may_bring_another_diagram() -> None:
    """Without the second queue the mean cycle time falls by what theory says of it."""
    parts: dict[str, Any] = {
        "arrivals": [{"interarrival": exponential(100)}],
        "pools": {"clerks": {"size": 1}, "others": {"size": 1}},
    }
    work = {"A": {"resources": "clerks", "processing_time": exponential(60)}}
    long = {**work, "B": {"resources": "others", "processing_time": exponential(50)}}
    run = {"stop": {"cases": 3000}, "replications": 10, "warmup": 20_000}
    found = compare(
        scenario("tandem", run=run, tasks=long, **parts),
        scenario("queue", run=run, tasks=work, **parts),
        replications=10,
    )
    assert found["cycle_time.mean"].real
    assert found["cycle_time.mean"].difference.at(0.99).contains(-100)  # the wait and work at B


def test_a_variant_may_bring_another_decision_table(tmp_path: Path) -> None:
    def table(limit: int) -> str:
        path = tmp_path / f"table{limit}.dmn"
        path.write_text(
            f"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d"
            namespace="x">
            <decision id="big" name="big"><variable name="big"/>
            <decisionTable id="t" hitPolicy="FIRST">
            <input id="i"><inputExpression id="ie"><text>amount</text></inputExpression></input>
            <output id="o" typeRef="string"/>
            <rule id="r1"><inputEntry id="a"><text>&gt;= {limit}</text></inputEntry>
            <outputEntry id="b"><text>"yes"</text></outputEntry></rule>
            <rule id="r2"><inputEntry id="c"><text>-</text></inputEntry>
            <outputEntry id="e"><text>"no"</text></outputEntry></rule>
            </decisionTable></decision></definitions>""",
            encoding="utf-8",
        )
        return str(path)

    def data(limit: int) -> dict[str, Any]:
        found = scenario("decision", case_attributes={"amount": {"integer": {"min": 1, "max": 100}}})
        found["model"]["decisions"] = [table(limit)]
        return found

    found = compare(data(51), data(81), replications=10, cases=500, measures=["end.大额.share"])
    assert found["end.大额.share"].baseline.at(0.99).contains(0.5)
    assert found["end.大额.share"].variant.at(0.99).contains(0.2)
    assert found["end.大额.share"].real
