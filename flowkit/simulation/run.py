"""One replication: a clock, a heap of what happens next, and the cases.

Entries of the heap are ``(time, counter, handler, subject)``: the counter breaks ties, so the order of
events depends on nothing but the study and the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Any

from flowkit.export.records import LogWriter
from flowkit.kernel import Program
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Request
from flowkit.simulation import machine as k
from flowkit.simulation.cases import Case
from flowkit.simulation.duty import start_duties
from flowkit.simulation.effects import Effects
from flowkit.simulation.logbook import Logbook
from flowkit.simulation.machine import Machine
from flowkit.simulation.measures import Level, Tally
from flowkit.simulation.plan import CASES, Plan
from flowkit.simulation.pools import RUNNING, SUSPENDED, Pool, Work
from flowkit.simulation.promises import Promises
from flowkit.simulation.sources import Source
from flowkit.simulation.stations import Station, Variables, WaitPlace
from flowkit.simulation.streams import Streams
from flowkit.simulation.waiting import Wait, forget
from flowkit.simulation.work import withdraw

__all__ = ["Machines", "Run"]

CHUNK = 8_192
"""Events between two looks at buffers and progress."""


class Machines:
    """The kernel machines of a plan; what they learn serves every replication in this process."""

    def __init__(self, plan: Plan, *, shared: bool = True) -> None:
        self.plan = plan
        effects = Effects(plan)
        self.by_process = {
            process: Machine(
                program,
                effects,
                plan.oracle,
                shared=shared and plan.shared[process],
                origin=plan.start,
                decide=self._decide,
            )
            for process, program in plan.programs.items()
        }

    def _decide(
        self, program: Program, event: p.DecisionRequested, variables: Mapping[str, Any], now: datetime
    ) -> p.Command | None:
        """Answer a decision at once by its table, unless it takes time or its result is generated."""
        station = self.plan.stations[self.plan.station_of[program.process_id, event.node]]
        if station.result is not None or event.decision not in self.plan.decisions:
            return None
        if station.alternatives or station.time.mean > 0:
            return None
        output = self.plan.decisions.evaluate(event.decision, variables, now)
        return p.CompleteDecision(request=event.request, output=output)


class Run:
    """One replication in progress."""

    MAX_PATHS = 1_000

    def __init__(
        self,
        machines: Machines,
        seed: int,
        replication: int,
        *,
        log: LogWriter | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        plan = machines.plan
        self.plan = plan
        self.machines = machines.by_process
        self.streams = streams = Streams(seed, replication)
        self._machine = machines.by_process[plan.process]
        stores: dict[str, Any] = {}
        for machine in machines.by_process.values():
            machine.stores = stores
        self.now = 0.0
        self.counter = 0
        self.heap: list[tuple[float, int, Callable[[Run, Any], None], Any]] = []
        self.active = 0
        self.stale = 0
        stop = plan.scenario.run.stop
        endless = any(a.limit is None and a.interarrival is not None for a in plan.arrivals)
        self.until = float("inf") if stop.until is None else stop.until
        self.most_cases = stop.cases or (CASES if stop.until is None and endless else 0)
        self.warmup = plan.scenario.run.warmup
        step = self._chart_step()
        self.pools = {pool.name: Pool(pool, step) for pool in plan.pools}
        self.stations = [Station(station, self.pools, streams) for station in plan.stations]
        self.places = [WaitPlace(wait, streams) for wait in plan.waits]
        self.chances = {name: streams.stream(f"chance {name}", pick) for name, pick in plan.chances.items()}
        self.attributes = Variables(plan.attributes, "case", streams)
        self.listeners: dict[tuple[str, str, str], dict[Wait, None]] = {}
        self.wip = Level(step)
        self.tallies = {
            name: Tally()
            for name in (
                "cycle_time",
                "waiting_time",
                "processing_time",
                "off_duty_time",
                "batch_time",
                "event_time",
                "cost",
            )
        }
        cycle, waiting, processing, cost = (
            self.tallies[name].add for name in ("cycle_time", "waiting_time", "processing_time", "cost")
        )
        self._adders = cycle, waiting, processing, cost
        self.by_end: dict[tuple[int, ...], Tally] = {}
        self.by_path: dict[int, tuple[Tally, Tally, Tally]] = {}
        """Cycle, waiting and processing time of the cases on each path."""
        self.reworked = self.late = 0
        self.paths: dict[tuple[int, int], int] | None = {} if plan.scenario.run.paths else None
        self.outcomes: dict[str, int] = {}
        self.promises = Promises(plan)
        self.started = self.completed = self.counted = 0
        self.work_done = 0
        self.stuck: dict[str, int] = {}
        self.stuck_cases = 0
        self.stuck_counted = 0
        self.sojourn = 0.0
        self.open: dict[Case, None] = {}
        self.cycle_series: list[float] = []
        self.logbook = None if log is None else Logbook(log, plan.start)
        self._progress = progress
        self._sources = [Source(self, arrival, index) for index, arrival in enumerate(plan.arrivals)]

    def _chart_step(self) -> float:
        if self.until < float("inf"):
            return self.until / 200 or 1.0
        rate = sum(a.size / a.interarrival.mean for a in self.plan.arrivals if a.interarrival is not None)
        return (self.most_cases or 100) / rate / 200 if rate else 3600.0

    # ---- the loop ---------------------------------------------------------------------------

    def at(self, time: float, handler: Callable[[Run, Any], None], subject: Any) -> None:
        """Let ``handler(run, subject)`` happen at ``time``."""
        self.counter = counter = self.counter + 1
        heappush(self.heap, (time, counter, handler, subject))

    def soon(self, handler: Callable[[Run, Any], None], subject: Any) -> None:
        """Let it happen now, after what is going on; the run does not end before."""
        self.active += 1
        self.at(self.now, _soon, (handler, subject))

    def execute(self) -> Run:
        """Run to the end."""
        self.plan.oracle.draw = self.draw
        for source in self._sources:
            source.begin()
        start_duties(self)
        if self.warmup > 0:
            self.at(self.warmup, _end_warmup, None)
        heap = self.heap
        pop = heappop
        until = self.until
        while self.active and heap:
            for _ in range(CHUNK):
                time, _, handler, subject = pop(heap)
                if time > until:
                    self.now = until
                    self.active = 0
                    break
                self.now = time
                handler(self, subject)
                if not self.active or not heap:
                    break
            self._fold()
        self._close()
        return self

    def _fold(self) -> None:
        """Take full buffers into the totals; drop heap entries that nobody waits for any more."""
        for station in self.stations:
            for tally in station.tallies:
                if tally.pending > 2_000:
                    tally.fold()
        for tally in self.tallies.values():
            if tally.pending > 2_000:
                tally.fold()
        for place in self.places:
            if place.waited.pending > 2_000:
                place.waited.fold()
        if self.stale > 10_000 and self.stale * 2 > len(self.heap):
            self.heap[:] = [entry for entry in self.heap if not _is_stale(entry[3])]
            heapify(self.heap)
            self.stale = 0
        if self._progress is not None:
            over = self.completed + self.stuck_cases
            of_cases = over / self.most_cases if self.most_cases else 0.0
            self._progress(min(1.0, max(of_cases, self.now / self.until)))

    def _close(self) -> None:
        now = self.now
        if self.until == float("inf"):
            for case in list(self.open):
                self.stick(case, "it waits for something that nobody sends")
        for level in (self.wip, *(pool.queued for pool in self.pools.values())):
            level.change(0.0, now)
        for case in self.open:
            self.sojourn += now - case.started
        for group in (group for pool in self.pools.values() for group in pool.groups):
            group.busy.change(0.0, now)
            group.capacity.change(0.0, now)
        for work in self._in_hand():
            left = work.ends - now if work.state == RUNNING else work.remaining
            for group, count in work.allocation:
                group.work_seconds += count * (work.duration - left)
        if self.logbook is not None:
            self.logbook.close()

    def _in_hand(self) -> Iterator[Work]:
        """The work that somebody has in hand, each piece once."""
        seen: set[Work] = set()
        waiting: list[Case] = list(self.open)
        while waiting:
            for thing in waiting.pop().pending.values():
                if isinstance(thing, Case):
                    waiting.append(thing)
                elif isinstance(thing, Work):
                    work = thing.members[0] if thing.members else thing
                    if work.state in (RUNNING, SUSPENDED) and work not in seen:
                        seen.add(work)
                        yield work

    # ---- chance -----------------------------------------------------------------------------

    def draw(self, case: Case, purpose: str) -> Any:
        """The answer to a question that the model leaves to chance."""
        visits = case.visits
        visit = visits.get(purpose, 0)
        visits[purpose] = visit + 1
        return self.chances[purpose].draw_again(case.index, visit)

    def decide(self, case: Case, request: int) -> Any:
        """The output of a decision that somebody took his time for; None where its table is missing."""
        instance = case.machine.instance_of(case)
        wait = instance.waits[request]
        if not isinstance(wait, Request) or wait.decision not in self.plan.decisions:
            return None
        instant = self.plan.start + timedelta(seconds=self.now)
        return self.plan.decisions.evaluate(wait.decision, instance.inputs_of(request), instant)

    # ---- cases ------------------------------------------------------------------------------

    def start(self, index: int, start_event: str | None, variables: Mapping[str, Any]) -> None:
        """A case arrives."""
        machine = self._machine
        now = self.now
        case = Case(machine, index, now, None)
        self.started += 1
        if now >= self.warmup:
            self.counted += 1
        else:
            case.counted = False
        self.open[case] = None
        self.wip.change(1.0, now)
        if self.plan.attributes:
            variables = {**self.attributes.draw(index), **variables}
        if self.plan.levels:
            case.level = self._level(variables)
        if self.logbook is not None:
            case.name = f"case-{index}"
            case.attributes = variables
            case.rows = []
        if variables:
            variables = {name: value for name, value in variables.items() if name in self.plan.read}
        self._follow(case, machine.begin(case, variables, start_event, now))

    def _level(self, variables: Mapping[str, Any]) -> float:
        for expression, level in self.plan.levels:
            if expression.evaluate(variables) is True:
                return level
        return 1e9

    def act(self, case: Case, op: int, key: int, given: Mapping[str, Any]) -> None:
        """Give the case's instance a command and do what follows from it."""
        if case.open:
            self._follow(case, case.machine.send(case, op, key, given, self.now))

    def complete(self, case: Case, place: int) -> None:
        """The same for work without a result: ``place`` is its key and op as :class:`Work` keeps them."""
        if case.open:
            self._follow(case, case.machine.go(case, place, self.now))

    def _follow(self, case: Case, move: k.Move) -> None:
        for effect in move.effects:
            effect[0](self, case, effect)
        if not case.pending and case.open:
            self.stick(case, case.trouble or "nothing is left to do, but a token stands")

    def end(
        self,
        case: Case,
        outcome: str,
        variables: Mapping[str, Any],
        code: str,
        message: str,
        undo: p.Compensable | None,
    ) -> None:
        """The instance has ended."""
        if case.pending:
            self._drop(case)
        case.open = False
        if case.caller is not None:
            self.soon(_return_from, (case, outcome, variables, code, message, undo))
            return
        now = self.now
        self.completed += 1
        del self.open[case]
        self.wip.change(-1.0, now)
        spent = now - case.started
        self.sojourn += spent
        if case.counted:
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
            self._count_case(case, spent)
        if case.rows is not None and self.logbook is not None:
            self.logbook.write(case)

    def _count_case(self, case: Case, spent: float) -> None:
        tallies = self.tallies
        add_spent, add_waiting, add_processing, add_cost = self._adders
        add_spent(spent)
        add_waiting(case.waiting)
        add_processing(case.processing)
        add_cost(case.cost)
        if case.suspended:
            tallies["off_duty_time"].add(case.suspended)
        if case.gathered:
            tallies["batch_time"].add(case.gathered)
        if case.waits:
            tallies["event_time"].add(case.waits)
        ends = self.by_end.get(case.ends)
        if ends is None:
            ends = self.by_end[case.ends] = Tally()
        ends.add(spent)
        if ends.pending > 4_000:
            ends.fold()
        if self.paths is not None:
            path = self.by_path.get(case.path)
            if path is None:
                path = self.by_path[case.path] = (Tally(), Tally(), Tally())
            for tally, value in zip(path, (spent, case.waiting, case.processing), strict=True):
                tally.add(value)
                if tally.pending > 500:
                    tally.fold()
        self.reworked += case.reworked
        self.late += case.late
        if self.promises:
            self.promises.count(case, spent)

    def _drop(self, case: Case) -> None:
        """The case is over: nothing of it goes on."""
        case.open = False
        for thing in list(case.pending.values()):
            if isinstance(thing, Work):
                self.active -= 1
                withdraw(self, thing)
            elif isinstance(thing, Wait):
                forget(self, thing)
            elif thing.open:
                self.act(thing, k.CANCEL, 0, {"reason": "the caller has ended"})
        case.pending.clear()
        case.passive = 0

    def stick(self, case: Case, why: str) -> None:
        """The case can't go on: it is counted apart, with where its tokens stand."""
        if not case.open:
            return
        root = case.root
        names = case.machine.program
        tokens = case.machine.instance_of(case).tokens.values()
        places = ", ".join(sorted({names.label(token.node) for token in tokens}))
        reason = f"{places or 'at its start'}: {why}"
        if len(self.stuck) < 200 or reason in self.stuck:
            self.stuck[reason] = self.stuck.get(reason, 0) + 1
        if root.open:
            self._drop(root)
            self.stuck_cases += 1
            self.stuck_counted += root.counted
            self.open.pop(root, None)
            self.wip.change(-1.0, self.now)
            self.sojourn += self.now - root.started
        self._drop(case)

    def incident(self, case: Case, node: str, message: str) -> None:
        """The kernel raised an incident: nobody repairs models in a simulation."""
        case.trouble = f"'{case.machine.program.label(node)}' {message}"
        self.soon(_stick_later, (case, case.trouble))

    def abandon(self, case: Case) -> None:
        """The customer leaves: the whole case is cancelled."""
        self.act(case.root, k.CANCEL, 0, {"reason": "abandoned"})

    # ---- calls ------------------------------------------------------------------------------

    def call(
        self, case: Case, call: int, process: str, variables: Mapping[str, Any], undo: p.Compensable | None
    ) -> None:
        """A call activity starts an instance of another process, or has a finished one undone."""
        machine = self.machines.get(process)
        if machine is None:
            self.soon(_fail_call, (case, call, process))
            return
        child = Case(machine, case.index, self.now, (case, call))
        case.pending[call] = child
        given = {name: value for name, value in variables.items() if name in self.plan.read}
        self.soon(_begin_child, (child, given, undo))

    # ---- promises ---------------------------------------------------------------------------

    def mark(self, root: Case, mark: int, *, entered: bool) -> None:
        """Remember when the case first entered, and last completed, an element."""
        marks = root.marks
        if marks is None:
            marks = root.marks = {}
        first, last = marks.get(mark, (self.now, -1.0))
        marks[mark] = (first, last) if entered else (first, self.now)


def _soon(run: Run, what: tuple[Callable[[Run, Any], None], Any]) -> None:
    run.active -= 1
    what[0](run, what[1])


def _is_stale(subject: Any) -> bool:
    return isinstance(subject, Wait) and subject.case.pending.get(subject.key) is not subject


def _end_warmup(run: Run, _: None) -> None:
    now = run.now
    run.wip.restart(now)
    for pool in run.pools.values():
        pool.queued.restart(now)
        for group in pool.groups:
            group.busy.restart(now)
            group.capacity.restart(now)


def _stick_later(run: Run, what: tuple[Case, str]) -> None:
    case, why = what
    run.stick(case, why)


def _begin_child(run: Run, what: tuple[Case, dict[str, Any], p.Compensable | None]) -> None:
    child, variables, undo = what
    if child.open:
        run._follow(child, child.machine.begin(child, variables, None, run.now, undo))


def _fail_call(run: Run, what: tuple[Case, int, str]) -> None:
    case, call, process = what
    run.act(case, k.CALL_FAIL, call, {"message": f"there is no process '{process}'"})


def _return_from(run: Run, what: tuple[Case, str, Mapping[str, Any], str, str, p.Compensable | None]) -> None:
    child, outcome, variables, code, message, undo = what
    assert child.caller is not None
    caller, call = child.caller
    if caller.pending.pop(call, None) is None:
        return
    if outcome == "error":
        run.act(caller, k.CALL_ERROR, call, {"code": code, "message": message, "variables": variables})
    elif outcome == "cancelled":
        run.act(caller, k.CALL_FAIL, call, {"message": "the called process was cancelled"})
    elif undo is not None:
        run.act(caller, k.CALL_RECORDED, call, {"variables": variables, "undo": undo})
    else:
        run.act(caller, k.CALL, call, variables)
