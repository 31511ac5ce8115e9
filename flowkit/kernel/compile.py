"""The compiler: a process of a BPMN file becomes a :class:`~flowkit.kernel.program.Program`.

Fails closed: what it can't compile it refuses with a finding. The linter checks more (and says it
in more words); the compiler is the last gate, and never guesses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from flowkit.bpmn import model as m
from flowkit.errors import InvalidModel, NotFound
from flowkit.feel import HostFunction
from flowkit.kernel.activity import begin
from flowkit.kernel.behaviours import BEHAVIOURS, VARIANTS
from flowkit.kernel.behaviours.joins import arrive_quantity
from flowkit.kernel.compile_activities import Activities, StoreReference
from flowkit.kernel.compile_correlation import correlations_of
from flowkit.kernel.compile_events import Events
from flowkit.kernel.compile_formulas import Compiler
from flowkit.kernel.compile_global import process_of_global_task
from flowkit.kernel.program import (
    Called,
    CallSpec,
    Catch,
    Container,
    DecisionSpec,
    Flow,
    Node,
    Program,
    StartTrigger,
    UserTaskSpec,
)
from flowkit.kernel.reach import reach_of

__all__ = ["compile_process"]


def compile_process(
    definitions: m.Definitions,
    process_id: str,
    *,
    functions: Mapping[str, HostFunction] | None = None,
) -> Program:
    """Compile one process, or one global task, of ``definitions``.

    ``functions`` are extra FEEL functions. Raises NotFound when the file has no such process and
    InvalidModel, with every finding, when the file breaks the standard's grammar or can't be compiled.
    """
    if definitions.faults:
        raise InvalidModel(definitions.faults)
    process = next((one for one in definitions.processes if one.id == process_id), None)
    if process is None:
        task = next((one for one in definitions.global_tasks if one.id == process_id), None)
        if task is None:
            raise NotFound(
                f"The file has no process '{process_id}'; it has"
                f" {', '.join(one.id for one in definitions.processes) or 'none'}."
            )
        process = process_of_global_task(task)
    return _ProcessCompiler(definitions, process, Compiler(functions)).program()


class _ProcessCompiler:
    def __init__(self, definitions: m.Definitions, process: m.Process, compiler: Compiler) -> None:
        self.definitions = definitions
        self.process = process
        self.compiler = compiler
        self.correlations = correlations_of(definitions, process, compiler)
        self.events = Events(definitions, compiler, self.correlations)
        stores = dict(_stores(definitions, process))
        names = {reference: store.variable for reference, store in stores.items()}
        names |= dict(_data_names(definitions, process))
        priority = process.extensions.property("flowkit.priority") or ""
        self.activities = Activities(compiler, self.events, names, stores, priority)
        self.nodes: dict[str, Node] = {}
        self.flows: dict[str, Flow] = {}
        self.containers: dict[str, Container] = {}
        self.starts: list[StartTrigger] = []
        self.undo = ""

    def program(self) -> Program:
        self._container(self.process, "")
        self._wire()
        if self.compiler.findings:
            raise InvalidModel(self.compiler.findings)
        process = self.process
        return Program(
            process.id,
            process.name,
            process.extensions.version_tag,
            _digest(self.definitions, process),
            self.definitions,
            self.nodes,
            self.flows,
            self.containers,
            tuple(self.starts),
            frozenset(self.activities.job_types),
            *self._called(),
            correlations={one.name or one.id: self.correlations[one.id] for one in self._correlated()},
            searchable=_searchable(process),
            undo=self.undo,
        )

    def _correlated(self) -> Iterator[m.Message]:
        """The messages that the process correlates by the standard's properties."""
        nodes = self.nodes.values()
        used = {catch.name for node in nodes for catch in node.catches if catch.correlation is not None}
        used |= {result.name for node in nodes for result in node.throws if result.correlation is not None}
        for message in self.definitions.messages:
            if message.id in self.correlations and (message.name or message.id) in used:
                yield message

    # ---- containers -------------------------------------------------------------------------

    def _container(self, container: m.Process | m.SubProcess, lane: str) -> None:
        """Compile a process or subprocess and all that is inside it."""
        lanes = dict(_lane_names(container.lanes))
        defaults = {node.id: getattr(node, "default", "") for node in container.nodes}
        for flow in container.flows:
            condition = self.compiler.standard(flow, flow.condition) if flow.condition is not None else None
            self.flows[flow.id] = Flow(flow.id, flow.source, flow.target, flow.name, condition)
        links = {
            definition.name or node.name: node.id
            for node in container.nodes
            if isinstance(node, m.IntermediateCatchEvent)
            for definition in node.definitions
            if isinstance(definition, m.LinkEventDefinition)
        }
        for node in container.nodes:
            here = lanes.get(node.id, lane)
            self.nodes[node.id] = self._node(node, container.id, here, defaults[node.id], links)
            if isinstance(node, m.SubProcess):
                self._container(node, here)
        self.containers[container.id] = self._starts(container)
        self._handlers(container)

    def _starts(self, container: m.Process | m.SubProcess) -> Container:
        root = isinstance(container, m.Process)
        starts = [node for node in container.nodes if isinstance(node, m.StartEvent)]
        event_starts: list[str] = []
        for node in container.nodes:
            if isinstance(node, m.SubProcess) and node.triggered_by_event:
                event_starts += [inner.id for inner in node.nodes if isinstance(inner, m.StartEvent)]
        inner_activities = tuple(
            node.id
            for node in container.nodes
            if not node.incoming and not isinstance(node, m.BoundaryEvent) and not _set_apart(node)
        )
        triggered = isinstance(container, m.SubProcess) and container.triggered_by_event
        if starts:
            chosen = [n.id for n in starts if not n.definitions or triggered]
        else:
            chosen = [node for node in inner_activities if not self._instantiates(node)]
        if root:
            self._triggers(container, starts)
            none_starts = [n for n in starts if not n.definitions]
            if len(none_starts) > 1:
                chosen = []
        return Container(
            container.id,
            tuple(chosen),
            tuple(event_starts),
            inner_activities,
        )

    def _instantiates(self, node_id: str) -> bool:
        return bool(getattr(self.nodes[node_id].element, "instantiate", False))

    def _triggers(self, container: m.Process | m.SubProcess, starts: list[m.StartEvent]) -> None:
        """What can start the process (BPMN 2.0.2, 13.2)."""
        for start in starts:
            if not start.definitions:
                self.starts.append(StartTrigger(start.id, "none"))
            for part, catch in enumerate(self.nodes[start.id].catches):
                self.starts.append(_trigger(start.id, catch, part))
        for node in container.nodes:
            if not getattr(node, "instantiate", False):
                continue
            targets = [node.id]
            if isinstance(node, m.EventBasedGateway):
                targets = [self.flows[flow].target for flow in node.outgoing]
            for target in targets:
                inner = self.nodes.get(target)
                for part, catch in enumerate(inner.catches if inner is not None else ()):
                    self.starts.append(_trigger(target, catch, part))

    def _handlers(self, container: m.Process | m.SubProcess) -> None:
        """Compensation handlers: by association from a boundary event, or an event subprocess."""
        for node in container.nodes:
            if isinstance(node, m.BoundaryEvent) and _catches(node, m.CompensateEventDefinition):
                for association in (*container.associations, *self.process.associations):
                    if association.source == node.id and association.target in self.nodes:
                        self.nodes[node.attached_to].handler = association.target
            if isinstance(node, m.SubProcess) and node.triggered_by_event:
                start = next((n for n in node.nodes if isinstance(n, m.StartEvent)), None)
                if start is not None and _catches(start, m.CompensateEventDefinition):
                    owner = self.nodes.get(container.id)
                    if owner is not None:
                        owner.handler = node.id
                    else:
                        self.undo = node.id

    # ---- nodes ------------------------------------------------------------------------------

    def _node(
        self, node: m.FlowNode, container: str, lane: str, default: str, links: Mapping[str, str]
    ) -> Node:
        if type(node) not in BEHAVIOURS:
            self.compiler.refuse(node, "element-not-executed", f"A {type(node).__name__} is not executed.")
        behaviour = BEHAVIOURS.get(type(node), VARIANTS["job"])
        out = tuple(self.flows[flow] for flow in node.outgoing if flow in self.flows)
        compiled = Node(
            node.id,
            node.name,
            _tag(node),
            container,
            lane,
            node.location,
            node,
            behaviour,
            behaviour.activate,
            incoming=node.incoming,
            out=out,
            default=self.flows.get(default) if default else None,
        )
        compiled.conditional = compiled.default is not None or any(flow.condition is not None for flow in out)
        if isinstance(node, m.Activity):
            self._activity(compiled, node)
        elif isinstance(node, m.CatchEvent):
            self._catch_event(compiled, node)
        elif isinstance(node, m.ThrowEvent):
            self._throw_event(compiled, node, links)
        elif isinstance(node, m.ComplexGateway):
            self._complex_gateway(compiled, node)
        elif isinstance(node, m.EventBasedGateway):
            compiled.parallel = node.event_gateway_type == "Parallel"
        return compiled

    def _activity(self, compiled: Node, node: m.Activity) -> None:
        work = self.activities.work(node)
        compiled.behaviour, compiled.detail = work.behaviour, work.detail
        compiled.catches, compiled.throws = work.catches, work.throws
        compiled.event_subprocess = isinstance(node, m.SubProcess) and node.triggered_by_event
        compiled.inputs, compiled.reads = self.activities.inputs(node)
        compiled.outputs, compiled.writes = self.activities.outputs(node)
        if isinstance(node, m.ReceiveTask) and node.io is not None and compiled.outputs:
            compiled.carried = tuple(self.activities.data[one.id] for one in node.io.outputs)
        compiled.loop, compiled.multi = self.activities.loop(node), self.activities.multi(node)
        compiled.completion_quantity = node.completion_quantity
        if node.start_quantity > 1:
            compiled.start_quantity = node.start_quantity
            compiled.behaviour = replace(work.behaviour, arrive=arrive_quantity)
        compiled.activate = compiled.behaviour.activate

    def _catch_event(self, compiled: Node, node: m.CatchEvent) -> None:
        compiled.catches = self.events.catches(node)
        compiled.parallel = node.parallel_multiple and len(node.definitions) > 1
        compiled.outputs, compiled.writes = self.activities.outputs(node)
        if compiled.outputs:
            compiled.carried = tuple(self.activities.data[one.id] for one in node.data_outputs)
        if isinstance(node, m.BoundaryEvent):
            compiled.attached_to, compiled.interrupting = node.attached_to, node.cancel_activity
        elif isinstance(node, m.StartEvent):
            compiled.interrupting = node.is_interrupting

    def _throw_event(self, compiled: Node, node: m.ThrowEvent, links: Mapping[str, str]) -> None:
        job = self.activities.event_job(node)
        compiled.inputs, compiled.reads = self.activities.inputs(node)
        if job is not None:
            compiled.behaviour, compiled.detail = VARIANTS["job"], job
            compiled.activate = begin
            return
        inputs = [self.activities.data[one.id] for one in node.data_inputs]
        compiled.throws = self.events.throws(node, links, inputs if len(inputs) > 1 else [])

    def _complex_gateway(self, compiled: Node, node: m.ComplexGateway) -> None:
        if node.activation_condition is not None:
            compiled.detail = self.compiler.standard(node, node.activation_condition)
        elif len(node.incoming) > 1:
            self.compiler.refuse(
                node,
                "complex-gateway-activation",
                "A complex gateway with several incoming flows needs an activationCondition.",
            )

    # ---- once all nodes are there -----------------------------------------------------------

    def _wire(self) -> None:
        for node in self.nodes.values():
            if node.attached_to and node.attached_to in self.nodes:
                host = self.nodes[node.attached_to]
                host.boundary += (node.id,)
        for node in self.nodes.values():
            activity = isinstance(node.element, m.Activity)
            dressed = node.inputs or node.outputs or node.boundary or node.loop or node.multi
            if activity and dressed and not node.event_subprocess:
                node.activate = begin
            if node.kind in ("inclusiveGateway", "complexGateway") and len(node.incoming) > 1:
                node.reach = reach_of(node, self.nodes, self.flows, boundaries=True)
                node.reach_by_flow = reach_of(node, self.nodes, self.flows, boundaries=False)
        for node in reversed(list(self.nodes.values())):
            node.assigns |= _assigned(node)
            if node.container in self.nodes:
                self.nodes[node.container].assigns |= node.assigns
        synchronized = {node.container for node in self.nodes.values() if node.reach}
        for node in self.nodes.values():
            node.synchronized = node.container in synchronized

    def _called(self) -> tuple[tuple[Called, ...], tuple[Called, ...], tuple[Called, ...]]:
        processes, decisions, forms = [], [], []
        for node in self.nodes.values():
            detail = node.detail
            if isinstance(detail, CallSpec) and detail.process.expression is None:
                processes.append(Called(str(detail.process.constant), detail.binding, detail.version_tag))
            elif isinstance(detail, DecisionSpec) and detail.decision.expression is None:
                decisions.append(Called(str(detail.decision.constant), detail.binding, detail.version_tag))
            elif isinstance(detail, UserTaskSpec) and detail.form:
                forms.append(Called(detail.form, detail.form_binding, detail.form_version_tag))
        unique = dict.fromkeys
        return tuple(unique(processes)), tuple(unique(decisions)), tuple(unique(forms))


def _assigned(node: Node) -> frozenset[str]:
    """The variables that the node's own work assigns by name."""
    if node.outputs:
        return frozenset(assignment.target[0] for assignment in node.outputs)
    names = {node.multi.output_collection} if node.multi is not None else set()
    if isinstance(node.detail, DecisionSpec):
        names.add(node.detail.result_variable)
    elif isinstance(node.detail, tuple):
        names.add(node.detail[1])
    return frozenset(name for name in names if name)


def _tag(node: m.FlowNode) -> str:
    name = type(node).__name__
    return name[0].lower() + name[1:]


def _set_apart(node: m.FlowNode) -> bool:
    """Does nothing lead to the node because something else starts it?"""
    if isinstance(node, m.SubProcess) and node.triggered_by_event:
        return True
    if isinstance(node, m.Activity) and node.is_for_compensation:
        return True
    return isinstance(node, m.IntermediateCatchEvent) and _catches(node, m.LinkEventDefinition)


def _catches(event: m.CatchEvent, kind: type[m.EventDefinition]) -> bool:
    return any(isinstance(definition, kind) for definition in event.definitions)


def _trigger(node: str, catch: Catch, part: int) -> StartTrigger:
    return StartTrigger(node, catch.kind, catch.name, catch.key, catch.timer, catch.condition, part)


def _lane_names(lanes: tuple[m.Lane, ...]) -> Iterator[tuple[str, str]]:
    for lane in lanes:
        for node in lane.nodes:
            yield node, lane.name
        yield from _lane_names(lane.lanes)


def _data_names(definitions: m.Definitions, process: m.Process) -> Iterator[tuple[str, str]]:
    """The variable that each data element of the process stands for: its name, else its id."""
    for one in process.properties:
        yield one.id, one.name or one.id
    yield from _io_names(process.io)
    called = {one.id: one.io for one in definitions.processes}
    called |= {one.id: one.io for one in definitions.global_tasks}
    yield from _container_data(process, called)


def _container_data(
    container: m.Process | m.SubProcess, called: Mapping[str, m.IoSpecification | None]
) -> Iterator[tuple[str, str]]:
    objects = {one.id: one.name or one.id for one in container.data_objects}
    yield from objects.items()
    for reference in container.data_object_references:
        own = objects.get(reference.data_object, "")
        given = own if own and own != reference.data_object else reference.name
        yield reference.id, given or reference.data_object or reference.id
    for node in container.nodes:
        if isinstance(node, m.Activity):
            yield from _io_names(node.io)
            if isinstance(node, m.CallActivity) and node.io is not None:
                yield from _names_of_called(node.io, called.get(node.called_element))
            for one in node.properties:
                yield one.id, one.name or one.id
        elif isinstance(node, m.CatchEvent):
            for output in node.data_outputs:
                yield output.id, output.name or output.id
        elif isinstance(node, m.ThrowEvent):
            for given_input in node.data_inputs:
                yield given_input.id, given_input.name or given_input.id
        if isinstance(node, m.SubProcess):
            yield from _container_data(node, called)


def _names_of_called(io: m.IoSpecification, other: m.IoSpecification | None) -> Iterator[tuple[str, str]]:
    """A call has the data of what it calls, in the same order, under names of its own (10.3.6)."""
    if other is not None:
        for own, theirs in ((io.inputs, other.inputs), (io.outputs, other.outputs)):
            for mine, one in zip(own, theirs, strict=False):
                yield mine.id, one.name or one.id


def _stores(
    definitions: m.Definitions, container: m.Process | m.SubProcess
) -> Iterator[tuple[str, StoreReference]]:
    """The data stores that the process refers to: named by the store, else by the reference to it."""
    known = {store.id: store for store in definitions.data_stores}
    for reference in container.data_store_references:
        store = known.get(reference.data_store)
        own = reference.name or reference.id
        name = (store.name or store.id) if store is not None else own
        limited = store is not None and not store.is_unlimited
        capacity = store.capacity if store is not None and limited else None
        yield reference.id, StoreReference(reference.name or name, name, capacity)
    for node in container.nodes:
        if isinstance(node, m.SubProcess):
            yield from _stores(definitions, node)


def _io_names(io: m.IoSpecification | None) -> Iterator[tuple[str, str]]:
    for item in (*io.inputs, *io.outputs) if io is not None else ():
        yield item.id, item.name or item.id


def _searchable(process: m.Process) -> tuple[str, ...]:
    names = (process.extensions.property("flowkit.searchable") or "").split(",")
    return tuple(name.strip() for name in names if name.strip())


def _digest(definitions: m.Definitions, process: m.Process) -> str:
    content = definitions.source or repr(process).encode()
    return hashlib.sha256(content + b"\0" + process.id.encode()).hexdigest()
