"""Experiments: replications of one study, one after the other, over processes or over a cluster."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowkit.export.records import LogWriter
from flowkit.simulation.outcome import Outcome, outcome_of
from flowkit.simulation.planning import make_plan
from flowkit.simulation.results import Result
from flowkit.simulation.run import Machines, Run
from flowkit.simulation.scenario import Scenario
from flowkit.simulation.statistics import estimate
from flowkit.simulation.study import Study, open_study

__all__ = ["Progress", "Source", "simulate"]

Progress = Callable[[int, int], None]
"""Called with the replications done and those planned so far."""

Source = str | Path | Scenario | Study | Mapping[str, Any]


def simulate(  # noqa: PLR0913 - options, by keyword only
    source: Source,
    *,
    replications: int | None = None,
    cases: int | None = None,
    seed: int | None = None,
    processes: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
    log: LogWriter | None = None,
    confidence: float = 0.95,
) -> Result:
    """Simulate a scenario, or a diagram with assumptions.

    ``replications``, ``cases`` (per replication) and ``seed`` override the scenario. The result does not
    depend on ``processes``, nor on ``cluster`` (``dask://host:8786`` or ``ray://host:10001``). ``log``
    receives the cases of the first replication. An interrupt (Ctrl-C) gives what is finished so far.

    Raises InvalidModel for a diagram that can't be executed, InvalidPayload for a faulty scenario.
    """
    study = open_study(source)
    changes: dict[str, Any] = {}
    if replications is not None:
        changes["run.replications"] = {"min": replications, "max": replications}
    if cases is not None:
        changes["run.stop.cases"] = cases
    if seed is not None:
        changes["run.seed"] = seed
    if changes:
        study = study.with_changes(changes)
    began = time.perf_counter()
    machines = Machines(make_plan(study))
    outcomes: dict[int, Outcome] = {}
    interrupted = False
    try:
        with _workers(study, processes, cluster) as executor:
            for planned in _stages(study, outcomes):
                for outcome in _replicate(machines, study, planned, executor, log):
                    outcomes[outcome.replication] = outcome
                    if progress is not None:
                        progress(len(outcomes), max(planned.stop, len(outcomes)))
    except KeyboardInterrupt:
        if not outcomes:
            raise
        interrupted = True
    return Result(
        study,
        tuple(outcomes[number] for number in sorted(outcomes)),
        tuple(machines.plan.assumptions),
        confidence,
        interrupted,
        time.perf_counter() - began,
    )


def _stages(study: Study, outcomes: Mapping[int, Outcome]) -> Iterator[range]:
    """The replications to do next, until the wanted precision is reached (Law, 9.4.1)."""
    wanted = study.scenario.run.replications
    done = 0
    following = wanted.min
    while True:
        yield range(done, following)
        done = following
        if wanted.half_width is None or done >= wanted.max:
            return
        now = estimate([outcomes[number].measures.get(wanted.measure, math.nan) for number in range(done)])
        target = wanted.half_width * abs(now.value)
        if math.isnan(now.half_width) or now.half_width <= target:
            return
        following = min(wanted.max, max(done + 1, math.ceil(done * min(4.0, (now.half_width / target) ** 2))))


def run_once(machines: Machines, study: Study, replication: int, log: LogWriter | None = None) -> Outcome:
    """One replication in this process."""
    run = Run(machines, study.scenario.run.seed, replication, log=log)
    return outcome_of(run.execute(), replication)


# ---- workers --------------------------------------------------------------------------------

_here: dict[str, tuple[Study, Machines]] = {}
"""The study that this worker process has compiled; one at a time."""


def _replicate_there(study: Study, replication: int) -> Outcome:
    known = _here.get("study")
    if known is None or known[0] != study:
        known = _here["study"] = (study, Machines(make_plan(study)))
    return run_once(known[1], study, replication)


@contextmanager
def _workers(study: Study, processes: int, cluster: str | None) -> Iterator[Executor | None]:
    if processes < 1:
        raise ValueError(f"processes must be at least 1, found {processes}")
    if cluster is not None:
        from flowkit.simulation.cluster import connect  # noqa: PLC0415 - clusters are optional

        with connect(cluster) as remote:
            yield remote
    elif processes == 1:
        yield None
    else:
        executor = ProcessPoolExecutor(max_workers=processes)
        try:
            yield executor
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def _replicate(
    machines: Machines, study: Study, planned: Sequence[int], executor: Executor | None, log: LogWriter | None
) -> Iterable[Outcome]:
    numbers = list(planned)
    if log is not None and numbers and numbers[0] == 0:
        yield run_once(machines, study, numbers.pop(0), log)
    if executor is None:
        for number in numbers:
            yield run_once(machines, study, number)
        return
    futures = [executor.submit(_replicate_there, study, number) for number in numbers]
    for future in as_completed(futures):
        yield future.result()
