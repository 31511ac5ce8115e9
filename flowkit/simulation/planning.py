"""Making a plan: compile the diagrams, find out what can be computed, assume the rest and say so.

Whatever the scenario leaves open is decided here and told in ``Plan.assumptions``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flowkit.bpmn import model as m
from flowkit.errors import InvalidPayload
from flowkit.feel import HostFunction, compile_expression
from flowkit.kernel import compile_process
from flowkit.simulation.decisions import Decisions
from flowkit.simulation.distributions import parse_distribution
from flowkit.simulation.generators import parse_generator
from flowkit.simulation.knowledge import all_texts, provided_variables, reads_clock, reads_of
from flowkit.simulation.machine import Oracle
from flowkit.simulation.plan import CASES, ArrivalPlan, Plan, StationPlan, WaitPlan, find_node
from flowkit.simulation.pools import Need
from flowkit.simulation.scenario import (
    Arrivals,
    ResourceNeed,
    Resources,
    Scenario,
    Task,
)
from flowkit.simulation.staffing import plan_pools
from flowkit.simulation.study import Study, called_process, nodes_of
from flowkit.simulation.variant import CHOOSE, COUNT, Draft, label, rewrite

__all__ = ["make_plan"]

WORK_TIME = {"triangular": {"min": 300, "mode": 600, "max": 1800}}
"""What people need for a task that nobody described: 5 to 30 minutes, mostly 10."""
SERVICE_TIME = 1.0
DELAY = {"exponential": {"mean": 3600}}
INTERARRIVAL = {"exponential": {"mean": 1800}}


def make_plan(study: Study) -> Plan:
    """Compile the study. Raises InvalidModel or InvalidPayload."""
    scenario = study.scenario
    definitions = study.definitions()
    main = _main_process(definitions, scenario)
    start = scenario.run.start
    if start.tzinfo is None:
        start = start.replace(tzinfo=ZoneInfo(scenario.run.timezone))
    plan = Plan(scenario, main.id, start.astimezone(UTC), assumptions=list(study.notes))
    plan.decisions = Decisions(study.decisions)
    draft = _draft(definitions, plan)
    changed = [rewrite(definition, draft) for definition in definitions]
    plan.chances = draft.chances
    _compile(changed, draft, plan)
    _arrivals(plan)
    _waits_and_stations(draft, plan)
    plan_pools(plan)
    _priorities(plan)
    _refuse_unused(scenario, draft)
    plan.assumptions += draft.assumptions
    return plan


def _main_process(definitions: list[m.Definitions], scenario: Scenario) -> m.Process:
    processes = definitions[0].processes
    if scenario.model.process is not None:
        for definition in definitions:
            for process in definition.processes:
                if scenario.model.process in {process.id, process.name}:
                    return process
        names = ", ".join(process.id for process in processes)
        raise InvalidPayload(
            f"there is no process '{scenario.model.process}'; the file has {names or 'none'}"
        )
    if not processes:
        raise InvalidPayload("the diagram has no process")
    if len(processes) == 1:
        return processes[0]
    executable = [process for process in processes if process.is_executable]
    called = {
        node.called_element for p in processes for node in nodes_of(p) if isinstance(node, m.CallActivity)
    }
    candidates = [process for process in executable if process.id not in called] or executable
    if len(candidates) != 1:
        raise InvalidPayload(
            "the diagram has several processes; say which with model: {process: …}: "
            + ", ".join(process.id for process in processes)
        )
    return candidates[0]


def _draft(definitions: list[m.Definitions], plan: Plan) -> Draft:
    scenario = plan.scenario
    given = set(scenario.case_attributes)
    for part in (scenario.arrivals, scenario.tasks.values(), scenario.events.values()):
        for one in part:
            given.update(one.variables)
    results = {name: task for name, task in scenario.tasks.items() if task.result is not None}
    provided = provided_variables(definitions, given, plan.decisions.inputs, results)
    thrown = {
        item.message if isinstance(item, m.MessageEventDefinition) else item.signal
        for definition in definitions
        for process in definition.processes
        for node in nodes_of(process)
        if isinstance(node, m.ThrowEvent)
        for item in node.definitions
        if isinstance(item, m.MessageEventDefinition | m.SignalEventDefinition)
    } | {
        node.message
        for definition in definitions
        for process in definition.processes
        for node in nodes_of(process)
        if isinstance(node, m.SendTask)
    }
    processes = {process.id for definition in definitions for process in definition.processes}
    return Draft(scenario, provided, processes, thrown)


def _compile(definitions: list[m.Definitions], draft: Draft, plan: Plan) -> None:
    functions = _host_functions(draft, plan.oracle)
    wanted = [plan.process]
    by_id = {process.id: definition for definition in definitions for process in definition.processes}
    texts: set[str] = set()
    while wanted:
        process = wanted.pop()
        if process in plan.programs or process not in by_id:
            continue
        program = compile_process(by_id[process], process, functions=functions)
        plan.programs[process] = program
        wanted += [called.id for called in program.called_processes]
        here = list(all_texts(by_id[process]))
        texts.update(here)
        stores = any(node.reads or node.writes for node in program.nodes.values())
        plan.shared[process] = not stores and not _depends_on_time(by_id[process], here)
    plan.read = frozenset(name for text in texts for name in reads_of(text) or ()) | plan.decisions.reads
    for name in draft.scenario.service_levels:
        _check_service_level(name, plan)


def _depends_on_time(definitions: m.Definitions, texts: Iterable[str]) -> bool:
    """Whether the same instance may act differently at another time: then transitions are not shared."""
    if any(reads_clock(text) for text in texts):
        return True
    for process in definitions.processes:
        for node in nodes_of(process):
            for item in getattr(node, "definitions", ()):
                if isinstance(item, m.TimerEventDefinition) and (
                    item.date is not None or item.cycle is not None
                ):
                    return True
    return False


def _host_functions(draft: Draft, oracle: Oracle) -> dict[str, HostFunction]:
    chosen: dict[str, frozenset[str]] = {}

    def choose(purpose: str, flow: str) -> bool:
        if draft.first_flow[purpose] == flow:
            chosen[purpose] = draft.outcomes[purpose][oracle.ask(purpose)]
        return flow in chosen[purpose]

    def count(purpose: str) -> list[int]:
        return list(range(1, max(0, int(oracle.ask(purpose))) + 1))

    return {
        CHOOSE: HostFunction(CHOOSE, ("gateway", "flow"), choose),
        COUNT: HostFunction(COUNT, ("activity",), count),
    }


# ---- arrivals -------------------------------------------------------------------------------


def _arrivals(plan: Plan) -> None:
    scenario = plan.scenario
    plan.attributes = {name: parse_generator(spec) for name, spec in scenario.case_attributes.items()}
    wanted = scenario.arrivals
    if not wanted:
        starts = [start for start in plan.program.starts if start.kind == "none"]
        first = None if starts or not plan.program.starts else plan.program.starts[0].node
        wanted = [Arrivals(start_event=first, interarrival=INTERARRIVAL)]
        plan.assumptions.append("Cases arrive at random, every 30m on average, day and night (exponential).")
    for given in wanted:
        spec = None if given.interarrival is None else parse_distribution(given.interarrival).durations()
        if spec is not None and not spec.mean > 0:
            raise InvalidPayload("an inter-arrival time needs a mean greater than 0")
        plan.arrivals.append(
            ArrivalPlan(
                _start_event(given.start_event, plan),
                scenario.calendar(given.calendar),
                spec,
                tuple(sorted(_offset(moment, plan) for moment in given.at)),
                given.limit,
                given.size,
                {name: parse_generator(value) for name, value in given.variables.items()},
            )
        )
    stop = scenario.run.stop
    if (
        stop.cases is None
        and stop.until is None
        and any(a.limit is None and a.interarrival for a in plan.arrivals)
    ):
        plan.assumptions.append(f"Each replication simulates {CASES:,} cases.")


def _offset(moment: datetime | float, plan: Plan) -> float:
    if not isinstance(moment, datetime):
        return float(moment)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(plan.scenario.run.timezone))
    offset = (moment - plan.start).total_seconds()
    if offset < 0:
        raise InvalidPayload(
            f"the arrival at {moment.isoformat()} is before the run's start {plan.start.isoformat()}"
        )
    return offset


def _start_event(name: str | None, plan: Plan) -> str | None:
    if name is None:
        return None
    for start in plan.program.starts:
        node = plan.program.nodes[start.node]
        if name in {node.id, node.name}:
            return node.id if start.kind != "none" else None
    known = ", ".join(plan.program.nodes[start.node].name or start.node for start in plan.program.starts)
    raise InvalidPayload(f"there is no start event '{name}'; the process starts at {known or 'no event'}")


# ---- work and waiting -----------------------------------------------------------------------

_WORK_KINDS = {"userTask": "person", "serviceTask": "service", "sendTask": "service", "scriptTask": "service"}


def _waits_and_stations(draft: Draft, plan: Plan) -> None:
    for process, program in plan.programs.items():
        draft.process = process
        for node in program.nodes.values():
            element = node.element
            if isinstance(element, m.EndEvent) and node.container == process:
                plan.ends[process, node.id] = len(plan.ends)
            if any(start.node == element.id for start in program.starts):
                continue
            if isinstance(element, m.CatchEvent | m.ReceiveTask) and _is_waited_for(element):
                _add_wait(element, draft, plan)
            elif isinstance(element, m.Task):
                _add_station(element, node.lane, draft, plan)
    plan.assumptions += _errors_never_thrown(draft, plan)


def _is_waited_for(element: m.CatchEvent | m.ReceiveTask) -> bool:
    return isinstance(element, m.ReceiveTask) or any(
        isinstance(item, m.TimerEventDefinition | m.MessageEventDefinition | m.SignalEventDefinition)
        for item in element.definitions
    )


def _add_wait(element: m.CatchEvent | m.ReceiveTask, draft: Draft, plan: Plan) -> None:
    process = draft.process
    given = draft.event(element)
    timer = isinstance(element, m.CatchEvent) and any(
        isinstance(item, m.TimerEventDefinition) for item in element.definitions
    )
    attached = isinstance(element, m.BoundaryEvent | m.StartEvent)
    delay = None if given is None or given.delay is None else parse_distribution(given.delay).durations()
    probability = 1.0 if given is None else given.probability
    thrown = (given.thrown if given is not None else False) or (given is None and _is_thrown(element, draft))
    never = False
    if delay is None and not timer and not thrown:
        if attached:
            never = True
            draft.assume(f"Event {label(element)} never occurs.")
        else:
            delay = parse_distribution(DELAY)
            draft.assume(f"{label(element)} is waited for 1h on average (exponential).")
    index = len(plan.waits)
    plan.wait_of[process, element.id] = index
    variables = (
        {} if given is None else {name: parse_generator(spec) for name, spec in given.variables.items()}
    )
    plan.waits.append(
        WaitPlan(
            index,
            process,
            element.id,
            element.name or element.id,
            delay,
            probability,
            never,
            attached,
            variables,
        )
    )


def _is_thrown(element: m.CatchEvent | m.ReceiveTask, draft: Draft) -> bool:
    if isinstance(element, m.ReceiveTask):
        names = {element.message}
    else:
        names = {
            item.message if isinstance(item, m.MessageEventDefinition) else getattr(item, "signal", "")
            for item in element.definitions
        }
    return bool((names - {""}) & (draft.thrown - draft.strangers))


def _add_station(element: m.Task, lane: str, draft: Draft, plan: Plan) -> None:
    process = draft.process
    kind = _station_kind(element, draft)
    if kind is None:
        return
    given = draft.task(element)
    task = given if given is not None else Task()
    if task.processing_time is not None:
        time = parse_distribution(task.processing_time).durations()
    elif kind == "person":
        time = parse_distribution(WORK_TIME)
        draft.assume("People need 5m to 30m, mostly 10m, for a task without a processing time (triangular).")
    elif kind == "decision":
        time = parse_distribution(0)
    else:
        time = parse_distribution(SERVICE_TIME)
        draft.assume("Services answer in 1s where no processing time is given.")
    total = sum(task.errors.values())
    if total > 1:
        raise InvalidPayload(f"task {label(element)}: the shares of errors add up to more than 1")
    index = len(plan.stations)
    plan.station_of[process, element.id] = index
    plan.stations.append(
        StationPlan(
            index,
            process,
            element.id,
            element.name or element.id,
            lane,
            kind,
            time,
            {name: parse_distribution(spec).durations() for name, spec in task.by_resource.items()},
            _alternatives(element, given, lane, kind, draft),
            task.cost,
            {name: parse_generator(spec) for name, spec in task.variables.items()},
            tuple(task.errors.items()),
            None if task.result is None else parse_generator(task.result),
            task.batch,
            task.abandonment,
            _repeats(process, element.id, plan),
        )
    )


def _repeats(process: str, node: str, plan: Plan, seen: frozenset[str] = frozenset()) -> bool:
    """Whether the activity, one around it or one that calls its process has a loop marker."""
    program = plan.programs[process]
    while node != process:
        element = program.nodes[node].element
        if isinstance(element, m.Activity) and element.loop is not None:
            return True
        node = program.nodes[node].container
    if process in seen:
        return False
    return any(
        _repeats(caller, one.id, plan, seen | {process})
        for caller, other in plan.programs.items()
        for one in other.nodes.values()
        if isinstance(one.element, m.CallActivity) and called_process(one.element) == process
    )


def _station_kind(element: m.Task, draft: Draft) -> str | None:
    """person, service or decision; None for what takes no time in the kernel."""
    extensions = element.extensions
    if isinstance(element, m.UserTask):
        return "person"
    if extensions.called_decision is not None:
        return "decision"
    if extensions.script is not None or extensions.task_definition is None:
        return None
    if (
        extensions.task_definition.type == "flowkit.simulation"
        and (draft.process, element.id) not in draft.stand_ins
    ):
        return "person"
    return "service"


def _alternatives(
    element: m.Task, given: Task | None, lane: str, kind: str, draft: Draft
) -> tuple[tuple[Need, ...], ...]:
    resources = None if given is None else given.resources
    if resources is None:
        if kind == "person" and lane in draft.scenario.pools:
            return ((Need(lane),),)
        if kind != "person" or (given is not None and given.processing_time is not None):
            return ()
        return ((Need(lane or "staff"),),)
    if isinstance(resources, Resources):
        if resources.all_of:
            return (tuple(_need(need) for need in resources.all_of),)
        resources = resources.any_of
    listed = resources if isinstance(resources, list) else [resources]
    return tuple((_need(need),) for need in listed)


def _need(need: str | ResourceNeed) -> Need:
    if isinstance(need, str):
        return Need(need)
    return Need(need.pool, need.quantity, need.skill or "")


def _errors_never_thrown(draft: Draft, plan: Plan) -> list[str]:
    notes = []
    for process, program in plan.programs.items():
        draft.process = process
        for node in program.nodes.values():
            if node.kind == "boundaryEvent" and any(catch.kind == "error" for catch in node.catches):
                index = plan.station_of.get((process, node.attached_to))
                if index is not None and not plan.stations[index].errors:
                    station = plan.stations[index]
                    if station.abandonment is None or not station.abandonment.error:
                        notes.append(
                            f"'{station.name}' never fails: its error event"
                            f" '{node.name or node.id}' is not taken."
                        )
    return notes


# ---- the rest -------------------------------------------------------------------------------


def _priorities(plan: Plan) -> None:
    known = set(plan.attributes) | {name for arrival in plan.arrivals for name in arrival.variables}
    for priority in plan.scenario.priorities:
        try:
            expression = compile_expression(priority.when)
        except Exception as error:
            raise InvalidPayload(f"priority '{priority.when}' is not FEEL: {error}") from None
        unknown = set(expression.reads) - known
        if unknown:
            raise InvalidPayload(
                f"priority '{priority.when}' reads {', '.join(sorted(unknown))}, which is no case attribute"
            )
        plan.levels.append((expression, float(priority.level)))


def _check_service_level(name: str, plan: Plan) -> None:
    level = plan.scenario.service_levels[name]
    for element in (level.start, level.end, *level.reached, *level.avoided):
        if element is not None:
            place = find_node(plan, element)
            if place is None:
                raise InvalidPayload(f"service level '{name}': there is no element '{element}'")
            plan.mark_of[element] = plan.marks.setdefault(place, len(plan.marks))


def _refuse_unused(scenario: Scenario, draft: Draft) -> None:
    """A name that fits nothing in the diagram is a typing mistake, never ignored."""
    for part in ("tasks", "gateways", "events"):
        unused = [key for key in getattr(scenario, part) if (part, key) not in draft.used]
        if unused:
            raise InvalidPayload(
                f"{part}: {', '.join(map(repr, unused))} fits no element of the diagram; use its id or name"
            )
