"""Simulation against Prosimos and a hand-written SimPy model: speed, memory, processes, variates.

Prosimos and SimPy are run as :mod:`benchmarks.peers` says. Every side runs in a fresh process, after its
imports.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from benchmarks.peers import python_with
from benchmarks.rows import Row
from benchmarks.simulation_models import loan, shared

HERE = Path(__file__).parent
CASES = 100_000
ACTIVITIES = 1.6
"""Activity events a case of the shared process."""
ROUNDS = 3


def own(model: Path, cases: int, log: Path | None = None, processes: int = 1, replications: int = 1) -> None:
    """Run flowkit once and print seconds and memory over that after the imports (MB)."""
    from flowkit.export import open_log  # noqa: PLC0415 - before the clock starts
    from flowkit.simulation import simulate  # noqa: PLC0415

    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = perf_counter()
    result = simulate(
        model, cases=cases, replications=replications, processes=processes, log=open_log(log) if log else None
    )
    seconds = perf_counter() - began
    events = sum(
        v
        for o in result.outcomes
        for k, v in o.measures.items()
        if k.startswith("activity.") and k.endswith(".count")
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "events": events, "mb": (peak - base) / 1024}))


def simpy_model(cases: int) -> None:
    """The shared process as an experienced SimPy user would write it; prints its seconds."""
    import random  # noqa: PLC0415

    import simpy  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - a peer, not a dependency

    random.seed(1)
    env = simpy.Environment()
    front, back = simpy.Resource(env, 5), simpy.Resource(env, 3)
    cycle: list[float] = []

    def case():  # type: ignore[no-untyped-def]
        start = env.now
        with front.request() as request:
            yield request
            yield env.timeout(random.expovariate(1 / 240))
        if random.random() < 0.6:
            with back.request() as request:
                yield request
                yield env.timeout(random.expovariate(1 / 200))
        cycle.append(env.now - start)

    def source():  # type: ignore[no-untyped-def]
        for _ in range(cases):
            yield env.timeout(random.expovariate(1 / 60))
            env.process(case())

    began = perf_counter()
    env.process(source())
    env.run()
    print(json.dumps({"seconds": perf_counter() - began, "events": cases * ACTIVITIES, "mb": 0}))


def _run(*command: str | Path) -> dict[str, float]:
    done = subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True, cwd=HERE.parent
    )
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _flowkit(*arguments: object) -> dict[str, float]:
    return _run(sys.executable, "-m", "benchmarks.simulation", *map(str, arguments))


def measure() -> Iterable[Row]:
    """The figures, peers interleaved with ourselves."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for make, name in ((shared, "shared"), (loan, "loan")):
            (here / name).mkdir()
            make(here / name)
        yield from _against_peers(here)
        yield from _memory(here)
        yield from _processes(here)
    yield _variate()


def _against_peers(here: Path) -> Iterable[Row]:
    model = here / "shared" / "own.json"
    python = python_with("prosimos")
    simpy = python_with("simpy")
    speeds, ratios, to_simpy, memory = [], [], [], []
    for _ in range(ROUNDS):
        ours = _flowkit("own", model, CASES)
        speeds.append(ours["events"] / ours["seconds"])
        if simpy:
            peer = _run(simpy, "-m", "benchmarks.simulation", "simpy", str(CASES))
            to_simpy.append(speeds[-1] * peer["seconds"] / peer["events"])
        if python:
            folder = here / "shared"
            peer = _run(python, HERE / "prosimos_peer.py", folder / "model.bpmn", folder / "peer.json", CASES)
            ratios.append(speeds[-1] * peer["seconds"] / (CASES * ACTIVITIES))
            memory.append(ours["mb"] / peer["mb"])
    yield Row("simulation.shared", median(speeds), "activity events/s", note=f"{CASES:,} cases, KPIs")
    if to_simpy:
        yield Row("simulation.shared_vs_simpy", median(to_simpy), "×", note="a hand-written SimPy model")
    if not python:
        return
    yield Row("simulation.shared_vs_prosimos", median(ratios), "×", ">= 10", "activity events/s, interleaved")
    yield Row("simulation.memory_vs_prosimos", median(memory), "×", "<= 0.1", "over import, 100,000 cases")
    yield _loan(python, here / "loan")


def _loan(python: str, folder: Path) -> Row:
    script, model, parameters = HERE / "prosimos_peer.py", folder / "model.bpmn", folder / "peer.json"
    ratios = []
    for _ in range(ROUNDS):
        ours = _flowkit("own", folder / "own.json", 10_000, folder / "own.csv")
        peer = _run(python, script, model, parameters, 10_000, folder / "peer.csv")
        ratios.append(peer["seconds"] / ours["seconds"])
    note = "17 tasks, 236 resources, 10,000 cases with log, interleaved"
    return Row("simulation.loan_vs_prosimos", median(ratios), "×", ">= 5", note)


def _memory(here: Path) -> Iterable[Row]:
    few, some, many = (
        _flowkit("own", here / "shared" / "own.json", cases)["mb"] for cases in (10_000, 100_000, 1_000_000)
    )
    yield Row("simulation.memory_10k", few, "MB", note="over import, 10,000 cases")
    yield Row("simulation.memory_100k", some, "MB", note="over import, 100,000 cases")
    yield Row("simulation.memory_1m", many, "MB", note="over import, 1,000,000 cases")
    note = "1,000,000 cases over 10,000: the quantile sketches and random blocks fill up"
    yield Row("simulation.memory_growth", many - few, "MB", "<= 10", note)


def _processes(here: Path) -> Iterable[Row]:
    speedups = []
    for _ in range(ROUNDS):
        one, two = (
            _flowkit("own", here / "shared" / "own.json", 50_000, "-", n, 8)["seconds"] for n in (1, 2)
        )
        speedups.append(one / two)
    yield Row("simulation.two_processes", median(speedups), "×", ">= 1.7", "8 replications of 50,000 cases")


def _variate() -> Row:
    from flowkit.simulation.distributions import parse_distribution  # noqa: PLC0415
    from flowkit.simulation.streams import Streams  # noqa: PLC0415

    draw = Streams(1, 0).stream("x", parse_distribution({"exponential": {"mean": 10}}).values).draw
    times = []
    for part in range(9):
        began = process_time()
        for index in range(part * 200_000, (part + 1) * 200_000):
            draw(index)
        times.append((process_time() - began) / 200_000 * 1e9)
    # as timeit does: what is above the least is other work on the machine
    note = "exponential, one stream, indexed by case; loop and blocks included, least of 9"
    return Row("simulation.variate", min(times), "ns", "<= 150", note)


def main() -> None:
    kind, *rest = sys.argv[1:]
    if kind == "simpy":
        simpy_model(int(rest[0]))
        return
    model, cases, *more = rest
    log = Path(more[0]) if more and more[0] != "-" else None
    processes, replications = (int(more[1]), int(more[2])) if len(more) > 1 else (1, 1)
    own(Path(model), int(cases), log, processes, replications)


if __name__ == "__main__":
    main()
