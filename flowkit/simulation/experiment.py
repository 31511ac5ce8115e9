"""Experiments: replications of one study, one after the other, over processes or over a cluster."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
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

Progress = Callable[[float, int], None]
"""Called with the replications done (in this process with a fraction for the one going on) and those
planned so far."""

GoingOn = Callable[[int, float], None]

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
        with _workers(study, machines, processes, cluster) as executor:
            for planned in _stages(study, outcomes):
                going_on = _fraction(progress, len(outcomes), planned.stop)
                for outcome in _replicate(machines, study, planned, executor, log, going_on):
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


def _fraction(progress: Progress | None, before: int, planned: int) -> GoingOn | None:
    if progress is None:
        return None
    # a whole number says that so many are finished
    return lambda replication, share: progress(min(before + replication, planned) + min(share, 0.99), planned)


def run_once(
    machines: Machines,
    study: Study,
    replication: int,
    log: LogWriter | None = None,
    progress: Callable[[float], None] | None = None,
) -> Outcome:
    """One replication in this process; ``progress`` is told the share of it that is done."""
    run = Run(machines, study.scenario.run.seed, replication, log=log, progress=progress)
    try:
        return outcome_of(run.execute(), replication)
    except KeyboardInterrupt:
        if log is not None:
            log.close()  # what is written is a whole file
        raise


# ---- workers --------------------------------------------------------------------------------

_here: dict[str, tuple[Study, Machines]] = {}
"""The study that this process works on, compiled; one at a time. A forked worker inherits it."""


def _prepare(study: Study) -> None:
    """A worker begins. An interrupt is for the one who asked, and for a replication that is going on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _here.get("study", (None,))[0] is not study:
        _compile(study)


def _compile(study: Study) -> Machines:
    known = _here.get("study")
    if known is None or known[0] != study:
        known = _here["study"] = (study, Machines(make_plan(study)))
    return known[1]


def _replicate_prepared(replication: int) -> Outcome:
    study, machines = _here["study"]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return run_once(machines, study, replication)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _replicate_there(study: Study, replication: int) -> Outcome:
    """A replication on a cluster, whose workers are not ours to prepare."""
    return run_once(_compile(study), study, replication)


Submit = Callable[[int], Future[Outcome]]


@contextmanager
def _workers(
    study: Study, machines: Machines, processes: int, cluster: str | None
) -> Iterator[Submit | None]:
    """How to have a replication done elsewhere; None for doing them here."""
    if processes < 1:
        raise ValueError(f"processes must be at least 1, found {processes}")
    if cluster is not None:
        from flowkit.simulation.cluster import connect  # noqa: PLC0415 - clusters are optional

        with connect(cluster) as remote:
            yield lambda number: remote.submit(_replicate_there, study, number)
    elif processes == 1:
        yield None
    else:
        _here["study"] = (study, machines)
        executor = ProcessPoolExecutor(max_workers=processes, initializer=_prepare, initargs=(study,))
        try:
            yield lambda number: executor.submit(_replicate_prepared, number)
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
            _here.clear()


def _replicate(
    machines: Machines,
    study: Study,
    planned: Sequence[int],
    submit: Submit | None,
    log: LogWriter | None,
    going_on: GoingOn | None,
) -> Iterable[Outcome]:
    numbers = list(planned)
    here = numbers if submit is None else numbers[:1] if log is not None and 0 in numbers else []
    futures = [] if submit is None else [submit(number) for number in numbers[len(here) :]]
    for place, number in enumerate(here):
        tell = None if going_on is None or futures else partial(going_on, place)
        yield run_once(machines, study, number, log if number == 0 else None, tell)
    for future in as_completed(futures):
        yield future.result()
