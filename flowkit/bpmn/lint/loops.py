"""Loops: of activities (10.3.8), of sequence flows that never wait, and of calls."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from flowkit.bpmn.lint.model import Model, Problem, Rule, Scope, a, error
from flowkit.bpmn.model import (
    Activity,
    AdHocSubProcess,
    BoundaryEvent,
    BusinessRuleTask,
    CallActivity,
    CompensateEventDefinition,
    ComplexBehaviorDefinition,
    ComplexGateway,
    ErrorEventDefinition,
    EscalationEventDefinition,
    EventBasedGateway,
    ExclusiveGateway,
    FlowNode,
    Gateway,
    InclusiveGateway,
    IntermediateThrowEvent,
    ManualTask,
    MessageEventDefinition,
    MultiInstanceBehavior,
    MultiInstanceLoopCharacteristics,
    Process,
    ScriptTask,
    SignalEventDefinition,
    StandardLoopCharacteristics,
    SubProcess,
    Task,
)

__all__ = ["RULES"]


def loop_without_end(model: Model) -> Iterator[Problem]:
    for _, activity in model.run(Activity):
        loop = activity.loop
        if not isinstance(loop, StandardLoopCharacteristics):
            continue
        if loop.condition is None and loop.maximum is None:
            yield Problem(
                activity,
                "the loop has neither a condition nor a maximum: it would never end.",
                "Write the loop condition, or set loopMaximum.",
            )
        elif loop.maximum is not None and loop.maximum < 1:
            yield Problem(activity, f"loopMaximum is {loop.maximum}.", "Use 1 or more, or remove it.")


def multi_instance_input(model: Model) -> Iterator[Problem]:
    for _, activity in model.run(Activity):
        loop = activity.loop
        if not isinstance(loop, MultiInstanceLoopCharacteristics):
            continue
        collection = loop.extensions.loop
        given = [
            name
            for name, value in (
                ("loopCardinality", loop.cardinality),
                ("loopDataInputRef", loop.loop_data_input),
                ("inputCollection", collection is not None and collection.input_collection),
            )
            if value
        ]
        if not given:
            yield Problem(
                activity,
                "the multi-instance activity does not say how many instances it has.",
                "Give a collection (zeebe:loopCharacteristics inputCollection) or a loopCardinality.",
            )
        elif len(given) > 1:
            yield Problem(
                activity,
                f"the number of instances is given twice: {' and '.join(given)}.",
                "Keep one of them (10.3.8).",
            )


def multi_instance_data(model: Model) -> Iterator[Problem]:
    for _, activity in model.activities():
        loop = activity.loop
        if not isinstance(loop, MultiInstanceLoopCharacteristics):
            continue
        if loop.input_item is not None and not loop.loop_data_input:
            yield Problem(
                activity, "inputDataItem is given without loopDataInputRef.", "Name the collection."
            )
        if loop.output_item is not None and not loop.loop_data_output:
            yield Problem(
                activity, "outputDataItem is given without loopDataOutputRef.", "Name the collection."
            )
        extension = loop.extensions.loop
        if extension is not None and bool(extension.output_collection) != bool(extension.output_element):
            yield Problem(
                activity,
                "outputCollection and outputElement are not both given: results would be lost.",
                "Give both, or neither.",
            )


def multi_instance_behavior(model: Model) -> Iterator[Problem]:
    needs = {
        MultiInstanceBehavior.NONE: ("noneBehaviorEventRef", "none_behavior_event"),
        MultiInstanceBehavior.ONE: ("oneBehaviorEventRef", "one_behavior_event"),
        MultiInstanceBehavior.COMPLEX: ("complexBehaviorDefinition", "complex_behaviors"),
    }
    shared = {definition.id: definition for definition in model.definitions.event_definitions}
    for _, activity in model.activities():
        loop = activity.loop
        if not isinstance(loop, MultiInstanceLoopCharacteristics) or loop.behavior not in needs:
            continue
        attribute, name = needs[loop.behavior]
        given = getattr(loop, name)
        if isinstance(given, str) and given and given not in shared:
            yield Problem(
                activity,
                f"{attribute} refers to '{given}', which belongs to an event.",
                "Put the event definition that is thrown directly into <definitions>.",
            )
        elif isinstance(given, tuple) and any(not _throws(one) for one in given):
            yield Problem(
                activity,
                "a complexBehaviorDefinition has no event that can be thrown.",
                "Add an event with a message, signal, escalation, error or compensation definition.",
            )
        elif isinstance(given, str) and given and not isinstance(shared[given], _CAN_BE_THROWN):
            yield Problem(
                activity,
                f"{attribute} refers to {a(shared[given])}, which can't be thrown.",
                "Throw a message, a signal, an escalation, an error or compensation.",
            )
        elif not given:
            yield Problem(
                activity,
                f"behavior is {loop.behavior}, but {attribute} is not given: no event would be thrown.",
                f"Add {attribute}, or use behavior All.",
            )


_CAN_BE_THROWN = (
    MessageEventDefinition
    | SignalEventDefinition
    | EscalationEventDefinition
    | ErrorEventDefinition
    | CompensateEventDefinition
)


def _throws(behavior: ComplexBehaviorDefinition) -> bool:
    definitions = behavior.event.definitions if behavior.event is not None else ()
    return bool(definitions) and all(isinstance(d, _CAN_BE_THROWN) for d in definitions)


# ---- loops of sequence flows ----------------------------------------------------------------


def _passes_through(scope: Scope, node: FlowNode) -> bool:
    """Does a token pass the node without anybody outside doing something?"""
    if node.extensions.task_definition is not None or getattr(node, "loop", None) is not None:
        return False
    if isinstance(node, Gateway):
        return not isinstance(node, EventBasedGateway)
    if isinstance(node, SubProcess):
        return not isinstance(node, AdHocSubProcess) and not node.nodes
    return type(node) is Task or isinstance(node, ManualTask | ScriptTask | IntermediateThrowEvent)


def _changes_data(node: FlowNode) -> bool:
    has_output = bool(node.extensions.outputs or getattr(node, "output_associations", ()))
    return has_output or isinstance(node, ScriptTask | BusinessRuleTask)


def loop_without_wait(model: Model) -> Iterator[Problem]:
    for scope in model.executed:
        through = {n.id for n in scope.nodes.values() if _passes_through(scope, n)}
        for loop in _cycles(scope, through):
            nodes = [scope.nodes[i] for i in scope.nodes if i in loop]
            if any(_changes_data(node) for node in nodes) and _has_choice(scope, loop):
                continue
            path = " → ".join(node.name or node.id for node in nodes[:6])
            yield Problem(
                nodes[0],
                f"this loop never waits and nothing in it changes what it decides on: {path}.",
                "Put a task, a timer or another event that waits into the loop, or an exit.",
            )


def _has_choice(scope: Scope, loop: set[str]) -> bool:
    """Can a decision lead out of the loop? A fork can't: its other tokens stay inside."""
    for identifier in loop:
        node = scope.nodes[identifier]
        flows = scope.outgoing(node)
        leaves = any(flow.target not in loop for flow in flows)
        decides = isinstance(node, ExclusiveGateway | InclusiveGateway | ComplexGateway) or any(
            flow.condition is not None for flow in flows
        )
        if leaves and decides:
            return True
    return False


def _cycles(scope: Scope, through: set[str]) -> list[set[str]]:
    """The cycles among the nodes that pass tokens through."""
    edges = {
        i: [flow.target for flow in scope.outgoing(scope.nodes[i]) if flow.target in through]
        for i in scope.nodes
        if i in through
    }
    return _components(edges)


def _components(edges: Mapping[str, Collection[str]]) -> list[set[str]]:
    """The strongly connected components with a cycle; every target of an edge is a key as well.

    Tarjan's algorithm, iterative: a diagram may be longer than Python's stack is deep.
    """
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: dict[str, None] = {}  # in order of entry, with quick membership
    found: list[set[str]] = []
    for root in edges:
        if root in order:
            continue
        work = [(root, iter(edges[root]))]
        order[root] = low[root] = len(order)
        stack[root] = None
        while work:
            at, targets = work[-1]
            following = next(targets, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[at])
                if low[at] == order[at]:
                    component = {stack.popitem()[0]}
                    while at not in component:
                        component.add(stack.popitem()[0])
                    if len(component) > 1 or at in edges[at]:
                        found.append(component)
            elif following not in order:
                order[following] = low[following] = len(order)
                stack[following] = None
                work.append((following, iter(edges[following])))
            elif following in stack:
                low[at] = min(low[at], order[following])
    return found


# ---- calls ----------------------------------------------------------------------------------


_MOST_CALLS = 50
# Of one process: each is looked at with a walk through it, and files come from strangers.


def endless_call(model: Model) -> Iterator[Problem]:
    """Processes of the file that call each other in a circle which no path avoids."""
    calls: dict[str, dict[str, CallActivity]] = {p.id: {} for p in model.definitions.processes}
    for scope, call in model.run(CallActivity):
        extension = call.extensions.called_element
        called = (extension.process_id if extension else "") or call.called_element
        if isinstance(scope.container, Process) and called in calls and call.loop is None:
            calls[scope.process.id].setdefault(called, call)
    whole = {scope.process.id: scope for scope in model.executed if scope.parent is None}
    certain: dict[str, dict[str, CallActivity]] = {p: {} for p in calls}
    for circle in _components(calls):
        for process in sorted(circle):
            within = [(target, call) for target, call in calls[process].items() if target in circle]
            certain[process] = {t: c for t, c in within[:_MOST_CALLS] if _unavoidable(whole[process], c)}
    for circle in _components(certain):
        for process in sorted(circle):
            for target, call in certain[process].items():
                if target in circle:
                    yield Problem(
                        call,
                        f"every run of '{process}' calls '{target}' here, and so calls itself again: "
                        "it would never end.",
                        "Put a gateway before the call, with a way around it.",
                    )


def _unavoidable(scope: Scope, call: CallActivity) -> bool:
    """Does every path from an entry of the process to an end of it lead through the call?"""
    if scope.boundary_events(call):
        return False
    seen = {call.id}
    todo = [n.id for n in scope.nodes.values() if not n.incoming and not isinstance(n, BoundaryEvent)]
    while todo:
        at = todo.pop()
        if at in seen or at not in scope.nodes:
            continue
        seen.add(at)
        node = scope.nodes[at]
        if not node.outgoing:
            return False
        todo.extend(flow.target for flow in scope.outgoing(node))
        todo.extend(event.id for event in scope.boundary_events(node))
    return True


RULES: tuple[Rule, ...] = (
    error("loop-without-end", "A standard loop ends.", loop_without_end),
    error(
        "multi-instance-input",
        "A multi-instance activity says once how many instances it has.",
        multi_instance_input,
    ),
    error(
        "multi-instance-data",
        "A multi-instance activity's items belong to a collection.",
        multi_instance_data,
    ),
    error(
        "multi-instance-behavior",
        "A multi-instance behaviour names the event that it throws.",
        multi_instance_behavior,
    ),
    error(
        "loop-without-wait",
        "A loop of sequence flows waits somewhere, or comes to an end.",
        loop_without_wait,
    ),
    error("endless-call", "Processes that call each other have a way around the call.", endless_call),
)
