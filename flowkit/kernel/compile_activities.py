"""Compiling activities: the specification that each behaviour reads, mappings and loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flowkit.bpmn import model as m
from flowkit.kernel.behaviours import BEHAVIOURS, VARIANTS
from flowkit.kernel.compile_events import Events
from flowkit.kernel.compile_formulas import Compiler, lookup
from flowkit.kernel.formula import Formula
from flowkit.kernel.program import (
    Assignment,
    Behaviour,
    CallSpec,
    Catch,
    DecisionSpec,
    JobSpec,
    Loop,
    MultiInstance,
    StoreRead,
    StoreWrite,
    Throw,
    UserTaskSpec,
)

__all__ = ["Activities", "AdHocSpec", "StoreReference", "Work"]

_NO_IMPLEMENTATION = ("", "##unspecified", "##WebService")
_PLACEHOLDER = "__targetRef_placeholder"
"""The property that bpmn.io draws data associations to; it means nothing."""


@dataclass(frozen=True, slots=True)
class AdHocSpec:
    sequential: bool
    completion: Formula | None
    cancel_remaining: bool
    active_elements: Formula | None
    waits: bool
    """Activities are started from outside: the subprocess does not end for lack of work."""
    output_collection: str = ""
    output_element: Formula | None = None
    job: JobSpec | None = None
    """A worker says what to start, and when it is enough."""


@dataclass(frozen=True, slots=True)
class StoreReference:
    """``variable`` is what expressions call the content of the store named ``store``."""

    variable: str
    store: str
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What an activity is, compiled."""

    behaviour: Behaviour
    detail: Any = None
    catches: tuple[Catch, ...] = ()
    throws: tuple[Throw, ...] = ()


class Activities:
    """Compiles activities; knows the data objects of the process by reference."""

    def __init__(
        self,
        compiler: Compiler,
        events: Events,
        data: Mapping[str, str],
        stores: Mapping[str, StoreReference],
        priority: str = "",
    ) -> None:
        self.compiler = compiler
        self.priority = priority
        """Of jobs that have none of their own."""
        self.events = events
        self.data = data
        """Variable name by the id of a data object, a reference to one or to a store, property or data
        item."""
        self.stores = stores
        """By the id of a data store reference."""
        self.job_types: set[str] = set()

    def work(self, node: m.Activity) -> Work:
        """The behaviour and specification of ``node``; refuses one that would do nothing."""
        if isinstance(node, m.SubProcess) and node.triggered_by_event:
            return Work(VARIANTS["event_subprocess"])
        behaviour = BEHAVIOURS[type(node)]
        match node:
            case m.UserTask():
                return Work(behaviour, self._user_task(node))
            case m.ReceiveTask():
                message = self._operation_message(node) or node.message
                return Work(behaviour, catches=(self.events.message_catch(node, message),))
            case m.AdHocSubProcess():
                return Work(behaviour, self._ad_hoc(node))
            case m.CallActivity():
                return Work(behaviour, self._call(node))
            case m.SubProcess() | m.ManualTask():
                return Work(behaviour)
        job = self._job(node)
        if job is not None:
            return Work(VARIANTS["job"], job)
        match node:
            case m.BusinessRuleTask() if node.extensions.called_decision is not None:
                return Work(behaviour, self._decision(node))
            case m.ScriptTask() if node.extensions.script is not None or node.script is not None:
                return Work(behaviour, self._script(node))
            case m.SendTask() if node.message or node.operation:
                message = self._operation_message(node) or node.message
                return Work(behaviour, throws=(self.events.message_throw(node, message),))
            case m.ServiceTask() | m.SendTask() | m.BusinessRuleTask() | m.ScriptTask():
                self.compiler.refuse(
                    node,
                    "task-implementation",
                    "The task does not say what it does.",
                    "Give it a job type (zeebe:taskDefinition), a decision, a script or a message.",
                )
        return Work(behaviour)

    def _operation_message(self, node: m.SendTask | m.ReceiveTask) -> str:
        for operation in self.events.operations:
            if node.operation and operation.id == node.operation:
                return operation.in_message
        return ""

    # ---- jobs -------------------------------------------------------------------------------

    def _job(self, node: m.Activity) -> JobSpec | None:
        definition = node.extensions.task_definition
        feel = self.compiler.extension
        if definition is not None and definition.type:
            job_type, retries = definition.type, definition.retries or "3"
        else:
            implementation = getattr(node, "implementation", "")
            if implementation in _NO_IMPLEMENTATION:
                implementation = self._operation_name(node)
            if not implementation:
                return None
            job_type, retries = implementation, "3"
        compiled = feel(node, job_type)
        if compiled.expression is None:
            self.job_types.add(job_type)
        priority = self._priority(node)
        return JobSpec(compiled, feel(node, retries), dict(node.extensions.headers), priority)

    def _priority(self, element: m.Element) -> Formula | None:
        """``flowkit.priority`` of the element, or of its process."""
        text = element.extensions.property("flowkit.priority") or self.priority
        return self.compiler.optional(element, text)

    def event_job(self, event: m.ThrowEvent) -> JobSpec | None:
        """A throwing event that a worker carries out (``zeebe:taskDefinition``)."""
        definition = event.extensions.task_definition
        if definition is None or not definition.type:
            return None
        compiled = self.compiler.extension(event, definition.type)
        if compiled.expression is None:
            self.job_types.add(definition.type)
        retries = self.compiler.extension(event, definition.retries or "3")
        return JobSpec(compiled, retries, dict(event.extensions.headers), self._priority(event))

    def _operation_name(self, node: m.Activity) -> str:
        wanted = getattr(node, "operation", "") if isinstance(node, m.ServiceTask) else ""
        for operation in self.events.operations:
            if wanted and operation.id == wanted:
                return operation.implementation or operation.name
        return ""

    # ---- specifications ---------------------------------------------------------------------

    def _user_task(self, node: m.UserTask) -> UserTaskSpec:
        extensions = node.extensions
        assignment, schedule, form = extensions.assignment, extensions.schedule, extensions.form
        optional = self.compiler.optional
        assignee = optional(node, assignment.assignee) if assignment else None
        groups = optional(node, assignment.candidate_groups) if assignment else None
        users = optional(node, assignment.candidate_users) if assignment else None
        owners = []
        for kind, who in node.resources:
            if not who:
                continue
            if kind == "potentialOwner":
                owners.append(self.compiler.extension(node, who))
            elif kind in ("performer", "humanPerformer") and assignee is None:
                assignee = optional(node, who)
        if groups is None and owners:
            groups, *owners = owners
        else:
            owners = []
        return UserTaskSpec(
            assignee,
            groups,
            users,
            optional(node, schedule.due_date) if schedule else None,
            optional(node, schedule.follow_up_date) if schedule else None,
            optional(node, extensions.priority),
            (form.form_id or form.external_reference) if form else None,
            form.binding if form else "latest",
            form.version_tag if form else "",
            dict(extensions.headers),
            tuple(owners),
            tuple((key, self.compiler.standard(node, value)) for key, value in node.resource_parameters),
        )

    def _decision(self, node: m.BusinessRuleTask) -> DecisionSpec:
        called = node.extensions.called_decision
        assert called is not None, f"{node.id} has no called decision, as the caller has seen"
        return DecisionSpec(
            self.compiler.extension(node, called.decision_id),
            called.result_variable,
            called.binding,
            called.version_tag,
        )

    def _call(self, node: m.CallActivity) -> CallSpec:
        called = node.extensions.called_element
        process = called.process_id if called is not None and called.process_id else node.called_element
        if not process:
            self.compiler.refuse(
                node, "called-element", "The call activity does not say which process it calls."
            )
        return CallSpec(
            self.compiler.extension(node, process),
            called.propagate_all_parent_variables if called else True,
            called.propagate_all_child_variables if called else True,
            called.binding if called else "latest",
            called.version_tag if called else "",
        )

    def _script(self, node: m.ScriptTask) -> tuple[Formula, str, str]:
        """The script, the variable that takes its value, and the only data output, which takes it where
        that is no context with this output in it."""
        script = node.extensions.script
        if script is not None:
            return self.compiler.feel(node, script.expression), script.result_variable, ""
        assert node.script is not None, f"{node.id} has no script, as the caller has seen"
        outputs = [one.id for one in node.io.outputs] if node.io is not None else []
        outputs = [one for one in outputs if one not in _of_the_whole(node)]
        only = self.data[outputs[0]] if len(outputs) == 1 else ""
        return self.compiler.standard(node, node.script), node.extensions.result_variable, only

    def _ad_hoc(self, node: m.AdHocSubProcess) -> AdHocSpec:
        ad_hoc = node.extensions.ad_hoc
        active = self.compiler.optional(node, ad_hoc.active_elements) if ad_hoc else None
        condition = node.completion_condition
        completion = self.compiler.standard(node, condition) if condition is not None else None
        waits = active is not None and completion is not None
        return AdHocSpec(
            node.ordering == "Sequential",
            completion,
            node.cancel_remaining_instances,
            active,
            waits,
            ad_hoc.output_collection if ad_hoc else "",
            self.compiler.optional(node, ad_hoc.output_element) if ad_hoc else None,
            self._job(node) if node.extensions.task_definition is not None else None,
        )

    # ---- mappings ---------------------------------------------------------------------------

    def inputs(self, node: m.Activity | m.ThrowEvent) -> tuple[tuple[Assignment, ...], tuple[StoreRead, ...]]:
        """What enters the node, and the stores that have to be read for that."""
        mapped = [
            Assignment(self.compiler.extension(node, one.source, one.location), tuple(one.target.split(".")))
            for one in node.extensions.inputs
        ]
        reads: dict[StoreRead, None] = {}
        whole = _of_the_whole(node)
        for association in node.input_associations:
            if self._target(association) != _PLACEHOLDER and association.target not in whole:
                made = self._association(node, association)
                mapped += made
                reads |= dict.fromkeys(self._reads(association, made))
        return tuple(mapped), tuple(reads)

    def _reads(self, association: m.DataAssociation, made: list[Assignment]) -> Iterator[StoreRead]:
        """The stores that the association names as sources, or that its expressions mention."""
        mentioned = frozenset[str]().union(*(one.formula.reads for one in made))
        others = {name for one, name in self.data.items() if one not in self.stores}
        for reference, store in self.stores.items():
            named = reference in association.sources
            if named or (store.variable in mentioned and store.variable not in others):
                yield StoreRead(store.variable, store.store)

    def outputs(
        self, node: m.Activity | m.CatchEvent
    ) -> tuple[tuple[Assignment, ...], tuple[StoreWrite, ...]]:
        """What leaves the node for variables, and for data stores under keys that no variable has."""
        mapped = [
            Assignment(self.compiler.extension(node, one.source, one.location), tuple(one.target.split(".")))
            for one in node.extensions.outputs
        ]
        writes: list[StoreWrite] = []
        whole = _of_the_whole(node)
        for association in node.output_associations:
            if not whole.isdisjoint(association.sources):
                continue
            store = self.stores.get(association.target)
            for assignment in self._association(node, association):
                name, *path = assignment.target
                if store is not None and name == store.variable:
                    key = f"\0{len(writes)}"
                    writes.append(StoreWrite(key, store.store, tuple(path), store.capacity))
                    mapped.append(Assignment(assignment.formula, (key,)))
                else:
                    mapped.append(assignment)
        return tuple(mapped), tuple(writes)

    def _target(self, association: m.DataAssociation) -> str:
        return self.data.get(association.target, association.target)

    def _association(self, node: m.FlowNode, association: m.DataAssociation) -> list[Assignment]:
        """A data association: copy, transform, or the assignments (BPMN 2.0.2, 10.4.2).

        One that names no source is a drawing: the variable has the data object's name anyway.
        """
        mapped = []
        for source, target in association.assignments:
            path = target.text.strip().removeprefix("=").strip()
            if path:
                mapped.append(Assignment(self.compiler.standard(node, source), tuple(path.split("."))))
        target_name = self._target(association)
        if association.assignments or not target_name:
            return mapped
        if association.transformation is not None:
            formula = self.compiler.standard(node, association.transformation)
            mapped.append(Assignment(formula, (target_name,)))
        elif association.sources:
            source_id = association.sources[0]
            mapped.append(Assignment(lookup(self.data.get(source_id, source_id)), (target_name,)))
        return mapped

    # ---- loops ------------------------------------------------------------------------------

    def loop(self, node: m.Activity) -> Loop | None:
        loop = node.loop
        if not isinstance(loop, m.StandardLoopCharacteristics):
            return None
        condition = self.compiler.standard(node, loop.condition) if loop.condition else None
        return Loop(loop.test_before, condition, loop.maximum)

    def multi(self, node: m.Activity) -> MultiInstance | None:
        loop = node.loop
        if not isinstance(loop, m.MultiInstanceLoopCharacteristics):
            return None
        extension = loop.extensions.loop
        feel = self.compiler.feel
        collection = output = None
        input_element = output_collection = ""
        if extension is not None and extension.input_collection:
            collection = feel(node, extension.input_collection)
            input_element = extension.input_element
        elif loop.loop_data_input:
            collection = self._collection(node, loop.loop_data_input)
            item = loop.input_item
            input_element = (item.name or item.id) if item is not None else ""
        if extension is not None and extension.output_collection:
            output_collection = extension.output_collection
            output = feel(node, extension.output_element) if extension.output_element else None
        elif loop.loop_data_output:
            output_collection = self._collected(node, loop.loop_data_output)
            item_out = loop.output_item
            output = lookup(item_out.name or item_out.id) if item_out is not None else None
        cardinality = self.compiler.standard(node, loop.cardinality) if loop.cardinality else None
        if collection is None and cardinality is None:
            self.compiler.refuse(
                node,
                "multi-instance-collection",
                "The multi-instance activity has neither a collection nor a cardinality.",
            )
        return MultiInstance(
            loop.is_sequential,
            collection,
            None if collection is not None else cardinality,
            input_element,
            output_collection,
            output,
            _local_output(output, input_element),
            self.compiler.standard(node, loop.completion_condition) if loop.completion_condition else None,
            str(loop.behavior),
            self._behavior_event(node, loop),
            self._complex(node, loop),
        )

    def _collection(self, node: m.Activity, reference: str) -> Formula:
        """The collection: what the activity's data input is fed with, else the data itself."""
        for association in node.input_associations:
            if association.target == reference:
                made = self._association(node, association)
                if len(made) == 1:
                    return made[0].formula
        return lookup(self.data.get(reference, reference))

    def _collected(self, node: m.Activity, reference: str) -> str:
        """The variable of the collection: where the activity's data output goes, else its own."""
        for association in node.output_associations:
            if reference in association.sources and association.target:
                if association.transformation is not None or association.assignments:
                    self.compiler.refuse(
                        node, "loop-data", "What the instances make must be copied from loopDataOutputRef."
                    )
                return self._target(association)
        return self.data.get(reference, reference)

    def _behavior_event(self, node: m.Activity, loop: m.MultiInstanceLoopCharacteristics) -> Throw | None:
        reference = {
            m.MultiInstanceBehavior.NONE: loop.none_behavior_event,
            m.MultiInstanceBehavior.ONE: loop.one_behavior_event,
        }.get(loop.behavior, "")
        definition = self.events.definitions_by_id.get(reference)
        return self.events.throw(node, definition, {}) if definition is not None else None

    def _complex(
        self, node: m.Activity, loop: m.MultiInstanceLoopCharacteristics
    ) -> tuple[tuple[Formula, Throw], ...]:
        if loop.behavior is not m.MultiInstanceBehavior.COMPLEX:
            return ()
        return tuple(
            (self.compiler.standard(node, one.condition), self.events.throw(node, definition, {}))
            for one in loop.complex_behaviors
            if one.condition is not None and one.event is not None
            for definition in one.event.definitions
        )


def _of_the_whole(node: m.FlowNode) -> frozenset[str]:
    """The data that a multi-instance activity has as a whole, and none of its instances."""
    loop = getattr(node, "loop", None)
    if not isinstance(loop, m.MultiInstanceLoopCharacteristics):
        return frozenset()
    return frozenset({loop.loop_data_input, loop.loop_data_output} - {""})


def _local_output(output: Formula | None, input_element: str) -> str:
    """The variable that an instance's result must stay in, so that instances don't overwrite each
    other: the output element, where it is a plain name (the rule of Camunda 8)."""
    if output is None:
        return ""
    name = output.text.split(".")[0].strip()
    return name if name.isidentifier() and name != input_element else ""
