"""The diagram as it is simulated: the model's own, with chance where data or people are missing.

The rewriting is small and typed: a plain task becomes work for a worker, so that it takes time; a
condition that can't be evaluated becomes a question to :class:`~flowkit.simulation.machine.Oracle`;
what only an outside system could supply (a called process that is not there, an unreadable timer) gets
a stand-in. Each change that the scenario did not ask for is noted as an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from flowkit.bpmn import model as m
from flowkit.bpmn.extensions_model import LoopExtension, TaskDefinition
from flowkit.bpmn.extensions_model import Mapping as VariableMapping
from flowkit.errors import InvalidPayload
from flowkit.simulation.generators import parse_generator, weighted_choice
from flowkit.simulation.knowledge import Provided, can_evaluate
from flowkit.simulation.scenario import CatchEvent, Gateway, Scenario, Task
from flowkit.simulation.streams import Transform
from flowkit.simulation.study import called_process

__all__ = ["CHOOSE", "COUNT", "Draft", "rewrite"]

CHOOSE = "simulated_choice"
COUNT = "simulated_items"
JOB_TYPE = "flowkit.simulation"
STANDARD_ITEMS = 3
UNREADABLE_TIMER = "PT24H"


@dataclass
class Draft:
    """What the rewriting knows and finds out; ``chances`` are the questions by purpose."""

    scenario: Scenario
    known: Provided
    processes: set[str]
    thrown: set[str]
    process: str = ""
    chances: dict[str, Transform] = field(default_factory=dict)
    outcomes: dict[str, tuple[frozenset[str], ...]] = field(default_factory=dict)
    first_flow: dict[str, str] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)
    stand_ins: set[tuple[str, str]] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    """Catch events whose correlation key can't be evaluated, so that no throw can find them."""

    def task(self, node: m.FlowNode) -> Task | None:
        found: Task | None = self._find("tasks", self.scenario.tasks, node)
        return found

    def gateway(self, node: m.FlowNode) -> Gateway | None:
        found: Gateway | None = self._find("gateways", self.scenario.gateways, node)
        return found

    def event(self, node: m.FlowNode) -> CatchEvent | None:
        found: CatchEvent | None = self._find("events", self.scenario.events, node)
        return found

    def _find(self, part: str, table: Mapping[str, Any], node: m.FlowNode) -> Any:
        for key in (f"{self.process}/{node.id}", node.id, node.name):
            if key and key in table:
                self.used.add((part, key))
                return table[key]
        return None

    def assume(self, text: str) -> None:
        if text not in self.assumptions:
            self.assumptions.append(text)

    def readable(self, text: str) -> bool:
        return can_evaluate(text, self.provided)

    @property
    def provided(self) -> set[str]:
        """The provided variables of the process at hand; outside of all, those that every process has."""
        if self.process in self.known:
            return self.known[self.process]
        return set.intersection(*self.known.values()) if self.known else set()


def label(node: m.FlowNode) -> str:
    """The node for people."""
    return f"'{node.name}'" if node.name else node.id


def rewrite(definitions: m.Definitions, draft: Draft) -> m.Definitions:
    """The file as it is simulated."""
    draft.process = definitions.processes[0].id if definitions.processes else ""
    messages = tuple(_message(message, draft) for message in definitions.messages)
    processes = []
    for process in definitions.processes:
        draft.process = process.id
        nodes, flows = _container(process, draft)
        processes.append(replace(process, nodes=nodes, flows=flows, is_executable=True))
    return replace(
        definitions,
        processes=tuple(processes),
        messages=messages,
    )


def _message(message: m.Message, draft: Draft) -> m.Message:
    key = message.extensions.correlation_key
    if key and (message.id not in draft.thrown or not draft.readable(key)):
        draft.strangers.add(message.id)
        return replace(message, extensions=replace(message.extensions, correlation_key='="simulated"'))
    return message


def _container(
    container: m.FlowElementsContainer, draft: Draft
) -> tuple[tuple[m.FlowNode, ...], tuple[m.SequenceFlow, ...]]:
    flows = {flow.id: flow for flow in container.flows}
    targets = {node.id: node for node in container.nodes}
    nodes: list[m.FlowNode] = []
    for node in container.nodes:
        changed = _node(node, draft)
        if len(node.outgoing) > 1 or (node.outgoing and flows[node.outgoing[0]].condition is not None):
            changed = _branching(changed, flows, targets, draft)
        nodes.append(changed)
    return tuple(nodes), tuple(flows[flow.id] for flow in container.flows)


# ---- choices --------------------------------------------------------------------------------


def _branching(
    node: m.FlowNode, flows: dict[str, m.SequenceFlow], targets: Mapping[str, m.FlowNode], draft: Draft
) -> m.FlowNode:
    """Replace conditions by questions where the scenario says so or data is missing."""
    if isinstance(node, m.ParallelGateway | m.EventBasedGateway | m.ComplexGateway):
        return node
    asked = draft.gateway(node)
    default = getattr(node, "default", "")
    out = [flows[flow] for flow in node.outgoing]
    exclusive = isinstance(node, m.ExclusiveGateway)
    conditions = [flow.condition for flow in out if flow.id != default]
    if not exclusive and not any(conditions):
        return node
    missing = [text for text in conditions if text is None or not draft.readable(text.text)]
    if asked is not None and asked.probabilities:
        if asked.mode == "conditions":
            raise InvalidPayload(
                f"gateway {label(node)}: 'probabilities' and 'mode: conditions' exclude each other"
            )
        shares = _shares(node, out, targets, asked.probabilities, exclusive=exclusive)
    elif asked is not None and asked.mode == "conditions":
        return node
    elif missing or (asked is not None and asked.mode == "probabilities"):
        shares = [1 / len(out) if exclusive else 0.5] * len(out)
        draft.assume(
            f"Gateway {label(node)}: "
            + ("each way is equally likely" if exclusive else "each way is taken with probability 0.5")
            + f" ({', '.join(flow.name or flow.id for flow in out)})."
        )
    else:
        return node
    _ask(node, out, shares, flows, draft, exclusive=exclusive)
    return replace(node, default="") if default else node  # type: ignore[call-arg]  # it has one


def _shares(
    node: m.FlowNode,
    out: list[m.SequenceFlow],
    targets: Mapping[str, m.FlowNode],
    given: Mapping[str, float],
    *,
    exclusive: bool,
) -> list[float]:
    rest = dict(given)
    shares = []
    for flow in out:
        target = targets[flow.target]
        key = next((key for key in (flow.id, flow.name, target.id, target.name) if key and key in rest), None)
        shares.append(rest.pop(key) if key is not None else 0.0)
    total = sum(shares)
    if rest or any(share < 0 for share in shares):
        raise InvalidPayload(
            f"gateway {label(node)}: {', '.join(rest) or 'a negative probability'} does not fit;"
            f" its flows are {', '.join(flow.name or flow.id for flow in out)}"
        )
    if exclusive and abs(total - 1) > 1e-6:
        raise InvalidPayload(f"gateway {label(node)}: the probabilities must add up to 1, found {total:g}")
    if not exclusive and any(share > 1 for share in shares):
        raise InvalidPayload(f"gateway {label(node)}: a probability is at most 1")
    return shares


def _ask(
    node: m.FlowNode,
    out: list[m.SequenceFlow],
    shares: list[float],
    flows: dict[str, m.SequenceFlow],
    draft: Draft,
    *,
    exclusive: bool,
) -> None:
    purpose = f"{draft.process}/{node.id}"
    if exclusive:
        outcomes = [frozenset({flow.id}) for flow in out]
        weights = shares
    else:
        outcomes, weights = _subsets([flow.id for flow in out], shares, node)
    draft.outcomes[purpose] = tuple(outcomes)
    draft.first_flow[purpose] = out[0].id
    draft.chances[purpose] = weighted_choice(list(weights))
    for flow in out:
        text = f'{CHOOSE}("{purpose}", "{flow.id}")'
        flows[flow.id] = replace(flow, condition=m.Expression(text, location=flow.location))


def _subsets(
    ids: list[str], shares: list[float], node: m.FlowNode
) -> tuple[list[frozenset[str]], list[float]]:
    """All ways to take at least one of several independent flows, with their probabilities."""
    if len(ids) > 12:
        raise InvalidPayload(f"gateway {label(node)} has {len(ids)} flows; probabilities work for up to 12")
    outcomes, weights = [], []
    for bits in range(1, 1 << len(ids)):
        weight = 1.0
        for place, share in enumerate(shares):
            weight *= share if bits >> place & 1 else 1 - share
        outcomes.append(frozenset(name for place, name in enumerate(ids) if bits >> place & 1))
        weights.append(weight)
    return outcomes, weights


# ---- nodes ----------------------------------------------------------------------------------


def _mappings(node: m.FlowNode, draft: Draft) -> m.FlowNode:
    """Mappings that can't be evaluated give null, instead of an incident."""
    extensions = node.extensions

    def known(mappings: tuple[VariableMapping, ...]) -> tuple[VariableMapping, ...]:
        return tuple(
            one
            if not one.source.startswith("=") or draft.readable(one.source)
            else replace(one, source="=null")
            for one in mappings
        )

    if not extensions.inputs and not extensions.outputs:
        return node
    return replace(
        node,
        extensions=replace(extensions, inputs=known(extensions.inputs), outputs=known(extensions.outputs)),
    )


def _node(node: m.FlowNode, draft: Draft) -> m.FlowNode:
    changed = _mappings(node, draft)
    if isinstance(changed, m.Activity):
        changed = _repeated(changed, draft)
    match changed:
        case m.SubProcess():
            nodes, flows = _container(changed, draft)
            extensions = changed.extensions
            if extensions.task_definition is not None:
                draft.assume(f"The worker that directs {label(node)} starts each of its activities once.")
                extensions = replace(extensions, task_definition=None)
            return replace(changed, nodes=nodes, flows=flows, extensions=extensions)
        case m.UserTask():
            return _user_task(changed, draft)
        case m.CallActivity():
            return _call(changed, draft)
        case m.Task():
            return _task(changed, draft)
        case m.CatchEvent():
            return _catch(changed, draft)
    return changed


def _as_service(node: m.Task | m.CallActivity) -> m.ServiceTask:
    names = {item.name for item in fields(m.Activity)}
    kept = {name: getattr(node, name) for name in names}
    kept["extensions"] = replace(
        node.extensions,
        task_definition=TaskDefinition(JOB_TYPE),
        called_element=None,
        called_decision=None,
        script=None,
    )
    return m.ServiceTask(**kept)


def _task(node: m.Task, draft: Draft) -> m.FlowNode:
    extensions = node.extensions
    asked = draft.task(node)
    timed = asked is not None and asked.processing_time is not None
    if isinstance(node, m.ReceiveTask) and node.message:
        return node
    if isinstance(node, m.SendTask) and node.message and extensions.task_definition is None:
        if timed:
            raise InvalidPayload(
                f"task {label(node)} sends its message at once and takes no time;"
                " give the time to the task before it"
            )
        return node
    if extensions.script is not None:
        if not timed:
            return node
        service = _as_service(node)
        script = VariableMapping(
            "=" + extensions.script.expression.removeprefix("="), extensions.script.result_variable
        )
        outputs = (script, *extensions.outputs)
        return replace(service, extensions=replace(service.extensions, outputs=outputs))
    if extensions.called_decision is not None:
        return node
    definition = extensions.task_definition
    if definition is None or definition.type.startswith("="):
        return _as_service(node)
    return replace(node, extensions=replace(extensions, task_definition=TaskDefinition(definition.type)))


def _user_task(node: m.UserTask, draft: Draft) -> m.UserTask:
    """Assignment and schedule are dropped where they can't be evaluated: pools do the work here."""
    extensions = node.extensions
    assignment, schedule, priority = extensions.assignment, extensions.schedule, extensions.priority
    if assignment is not None and not all(
        not text.startswith("=") or draft.readable(text)
        for text in (assignment.assignee, assignment.candidate_groups, assignment.candidate_users)
    ):
        assignment = None
    if schedule is not None and not all(
        not text.startswith("=") or draft.readable(text)
        for text in (schedule.due_date, schedule.follow_up_date)
    ):
        schedule = None
    if priority.startswith("=") and not draft.readable(priority):
        priority = ""
    return replace(
        node,
        extensions=replace(
            extensions, assignment=assignment, schedule=schedule, priority=priority, task_definition=None
        ),
    )


def _call(node: m.CallActivity, draft: Draft) -> m.FlowNode:
    process = called_process(node)
    if process in draft.processes:
        return node
    draft.stand_ins.add((draft.process, node.id))
    if draft.task(node) is None:
        draft.assume(
            f"{label(node)} calls the process '{process}', which is not there: it is one piece of work."
        )
    return _as_service(node)


def _repeated(node: m.Activity, draft: Draft) -> m.Activity:
    loop = node.loop
    asked = draft.task(node)
    count = asked.instances if asked is not None else None
    if isinstance(loop, m.StandardLoopCharacteristics):
        if loop.condition is not None and not draft.readable(loop.condition.text):
            draft.assume(f"{label(node)} is a loop whose condition can't be evaluated: it is done once.")
            return replace(node, loop=replace(loop, test_before=False, condition=m.Expression("false")))
        return node
    if not isinstance(loop, m.MultiInstanceLoopCharacteristics):
        if count is not None:
            raise InvalidPayload(f"{label(node)} is not a multi-instance activity: 'instances' does not fit")
        return node
    return replace(node, loop=_items(node, loop, count, draft))


def _items(
    node: m.Activity, loop: m.MultiInstanceLoopCharacteristics, count: Any, draft: Draft
) -> m.MultiInstanceLoopCharacteristics:
    extension = loop.extensions.loop
    collection = extension.input_collection if extension is not None else ""
    source = collection or (loop.cardinality.text if loop.cardinality is not None else loop.loop_data_input)
    if count is None and not draft.readable(source):
        count = STANDARD_ITEMS
        draft.assume(f"{label(node)} is done for {STANDARD_ITEMS} items; their list can't be evaluated.")
    if count is not None:
        purpose = f"{draft.process}/{node.id}#items"
        generator = parse_generator(count)
        if generator.values is None:
            raise InvalidPayload(f"{label(node)}: 'instances' must be a number")
        draft.chances[purpose] = generator.values
        old = extension if extension is not None else LoopExtension()
        new = replace(old, input_collection=f'={COUNT}("{purpose}")')
        loop = replace(
            loop, cardinality=None, loop_data_input="", extensions=replace(loop.extensions, loop=new)
        )
    element = extension.output_element if extension is not None else ""
    if element and not draft.readable(element):
        kept = loop.extensions.loop
        assert kept is not None
        loop = replace(loop, extensions=replace(loop.extensions, loop=replace(kept, output_element="=null")))
    if loop.completion_condition is not None and not _readable_in_loop(loop.completion_condition.text, draft):
        draft.assume(f"{label(node)}: its completion condition can't be evaluated; every item is done.")
        loop = replace(loop, completion_condition=None)
    return loop


_LOOP_COUNTERS = frozenset(
    {
        "numberOfInstances",
        "numberOfActiveInstances",
        "numberOfCompletedInstances",
        "numberOfTerminatedInstances",
    }
)


def _readable_in_loop(text: str, draft: Draft) -> bool:
    return can_evaluate(text, draft.provided | _LOOP_COUNTERS)


# ---- events ---------------------------------------------------------------------------------


def _catch(node: m.CatchEvent, draft: Draft) -> m.CatchEvent:
    definitions = tuple(_definition(node, definition, draft) for definition in node.definitions)
    return replace(node, definitions=definitions)


def _definition(node: m.CatchEvent, definition: m.EventDefinition, draft: Draft) -> m.EventDefinition:
    if isinstance(definition, m.TimerEventDefinition):
        return _timer(node, definition, draft)
    if isinstance(definition, m.ConditionalEventDefinition):
        condition = definition.condition
        if condition is None or draft.readable(condition.text):
            return definition
        if isinstance(node, m.IntermediateCatchEvent):
            if draft.event(node) is None:
                draft.assume(f"Event {label(node)}: its condition can't be evaluated; it occurs after 1h.")
            return m.TimerEventDefinition(
                id=definition.id, location=definition.location, duration=m.Expression("PT1H", literal=True)
            )
        draft.assume(f"Event {label(node)}: its condition can't be evaluated; it never occurs.")
        return replace(definition, condition=m.Expression("false"))
    return definition


def _timer(node: m.CatchEvent, timer: m.TimerEventDefinition, draft: Draft) -> m.TimerEventDefinition:
    given = timer.date or timer.duration or timer.cycle
    if given is None or given.literal or draft.readable(given.text):
        return timer
    if draft.event(node) is None:
        draft.assume(f"Timer {label(node)}: '{given.text}' can't be evaluated; 24h is used.")
    return replace(timer, date=None, cycle=None, duration=m.Expression(UNREADABLE_TIMER, literal=True))
