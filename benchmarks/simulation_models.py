"""The processes that simulators are compared on, as BPMN and as parameters for flowkit and Prosimos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["loan", "shared"]

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' id="d" targetNamespace="http://flowkit/bench">'
)
ALWAYS = [{"from": "MONDAY", "to": "SUNDAY", "beginTime": "00:00:00", "endTime": "23:59:59.999999"}]
OFFICE = [{"from": "MONDAY", "to": "FRIDAY", "beginTime": "09:00:00", "endTime": "17:00:00"}]


class Diagram:
    """Builds a BPMN process in which every node lists its flows, which Prosimos insists on."""

    def __init__(self) -> None:
        self.nodes: dict[str, tuple[str, str]] = {}
        self.flows: list[tuple[str, str, str]] = []

    def node(self, tag: str, name: str) -> str:
        identifier = f"n{len(self.nodes)}"
        self.nodes[identifier] = (tag, name)
        return identifier

    def flow(self, source: str, target: str) -> str:
        identifier = f"f{len(self.flows)}"
        self.flows.append((identifier, source, target))
        return identifier

    def write(self, path: Path) -> None:
        lines = [_HEAD, '<process id="P" isExecutable="true">']
        for identifier, (tag, name) in self.nodes.items():
            ways = "".join(f"<incoming>{f}</incoming>" for f, _, target in self.flows if target == identifier)
            ways += "".join(
                f"<outgoing>{f}</outgoing>" for f, source, _ in self.flows if source == identifier
            )
            split = sum(source == identifier for _, source, _ in self.flows) > 1
            kind = ""
            if tag.endswith("Gateway"):
                kind = f' gatewayDirection="{"Diverging" if split else "Converging"}"'
            lines.append(f'<{tag} id="{identifier}" name="{name}"{kind}>{ways}</{tag}>')
        lines += [f'<sequenceFlow id="{f}" sourceRef="{a}" targetRef="{b}"/>' for f, a, b in self.flows]
        path.write_text("\n".join([*lines, "</process>", "</definitions>"]), encoding="utf-8")


def _expon(mean: float) -> dict[str, Any]:
    return {
        "distribution_name": "expon",
        "distribution_params": [{"value": mean}, {"value": 0.0}, {"value": 1e9}],
    }


def _write(
    folder: Path,
    diagram: Diagram,
    gap: float,
    tasks: dict[str, tuple[str, float]],
    pools: dict[str, int],
    odds: dict[str, dict[str, float]],
    periods: list[dict[str, str]],
) -> None:
    """``tasks``: id → (pool, mean); ``odds``: gateway → flow → share."""
    diagram.write(folder / "model.bpmn")
    peer = {
        "resource_profiles": [
            {
                "id": f"profile {pool}",
                "name": pool,
                "resource_list": [
                    {
                        "id": pool,
                        "name": pool,
                        "cost_per_hour": 1,
                        "amount": size,
                        "calendar": "calendar",
                        "assignedTasks": [task for task, (where, _) in tasks.items() if where == pool],
                    }
                ],
            }
            for pool, size in pools.items()
        ],
        "arrival_time_distribution": _expon(gap),
        "arrival_time_calendar": ALWAYS,
        "gateway_branching_probabilities": [
            {"gateway_id": gateway, "probabilities": [{"path_id": f, "value": p} for f, p in shares.items()]}
            for gateway, shares in odds.items()
        ],
        "task_resource_distribution": [
            {"task_id": task, "resources": [{"resource_id": pool, **_expon(mean)}]}
            for task, (pool, mean) in tasks.items()
        ],
        "resource_calendars": [{"id": "calendar", "name": "calendar", "time_periods": periods}],
        "event_distribution": [],
        "batch_processing": [],
        "case_attributes": [],
        "event_attributes": [],
        "prioritisation_rules": [],
        "branch_rules": [],
    }
    (folder / "peer.json").write_text(json.dumps(peer), encoding="utf-8")
    calendar = None if periods is ALWAYS else "office"
    own = {
        "model": {"bpmn": ["model.bpmn"]},
        "run": {"start": "2026-01-05T00:00:00", "timezone": "UTC", "paths": False, "replications": 1},
        "calendars": {"office": {"weekly": {"mon-fri": ["09:00-17:00"]}}},
        "arrivals": [{"interarrival": {"exponential": {"mean": gap}}}],
        "pools": {
            pool: {"size": size, "calendar": calendar, "cost_per_hour": 1} for pool, size in pools.items()
        },
        "tasks": {
            task: {"resources": pool, "processing_time": {"exponential": {"mean": mean}}}
            for task, (pool, mean) in tasks.items()
        },
        "gateways": {gateway: {"probabilities": shares} for gateway, shares in odds.items()},
    }
    (folder / "own.json").write_text(json.dumps(own), encoding="utf-8")


def shared(folder: Path) -> None:
    """Poisson arrivals every 60 s → A (5 people, 240 s) → 60 %: B (3 people, 200 s) → end."""
    d = Diagram()
    start, a, split = d.node("startEvent", "start"), d.node("task", "A"), d.node("exclusiveGateway", "split")
    b, join, end = d.node("task", "B"), d.node("exclusiveGateway", "join"), d.node("endEvent", "end")
    d.flow(start, a)
    d.flow(a, split)
    yes, no = d.flow(split, b), d.flow(split, join)
    d.flow(b, join)
    d.flow(join, end)
    tasks = {a: ("front", 240.0), b: ("back", 200.0)}
    _write(folder, d, 60.0, tasks, {"front": 5, "back": 3}, {split: {yes: 0.6, no: 0.4}}, ALWAYS)


def loan(folder: Path) -> None:
    """17 tasks, 6 choices, 2 forks, a rework loop; 236 people in 6 pools, in office hours."""
    d = Diagram()
    pools = {"clerks": 60, "analysts": 50, "credit": 40, "legal": 36, "risk": 30, "managers": 20}
    tasks: dict[str, tuple[str, float]] = {}
    odds: dict[str, dict[str, float]] = {}
    names = iter(range(1, 18))

    def task(pool: str) -> str:
        node = d.node("task", f"task {next(names)}")
        tasks[node] = (pool, 1800.0)
        return node

    def chain(before: str, pool: str) -> str:
        node = task(pool)
        d.flow(before, node)
        return node

    def choice(before: str, first: str, second: str) -> str:
        split, join = d.node("exclusiveGateway", "?"), d.node("exclusiveGateway", "")
        d.flow(before, split)
        a, b = task(first), task(second)
        odds[split] = {d.flow(split, a): 0.7, d.flow(split, b): 0.3}
        d.flow(a, join)
        d.flow(b, join)
        return join

    def fork(before: str, first: str, second: str) -> str:
        split, join = d.node("parallelGateway", ""), d.node("parallelGateway", "")
        d.flow(before, split)
        for pool in (first, second):
            node = task(pool)
            d.flow(split, node)
            d.flow(node, join)
        return join

    here = chain(d.node("startEvent", "start"), "clerks")
    back = d.node("exclusiveGateway", "")
    d.flow(here, back)
    here = choice(back, "clerks", "analysts")
    here = fork(here, "analysts", "credit")
    here = choice(here, "credit", "legal")
    check = d.node("exclusiveGateway", "complete?")
    d.flow(here, check)
    again = d.flow(check, back)
    here = task("legal")
    odds[check] = {again: 0.1, d.flow(check, here): 0.9}
    here = choice(here, "risk", "managers")
    here = fork(here, "clerks", "risk")
    here = choice(here, "managers", "credit")
    here = choice(here, "analysts", "legal")
    here = chain(here, "clerks")
    d.flow(here, d.node("endEvent", "end"))
    _write(folder, d, 300.0, tasks, pools, odds, OFFICE)
