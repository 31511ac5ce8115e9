"""Data: inputs and outputs, associations, and what they may connect (10.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flowkit.bpmn.lint.model import Model, Problem, Rule, Scope, error, warning
from flowkit.bpmn.model import (
    CatchEvent,
    DataAssociation,
    DataInput,
    DataOutput,
    Element,
    Event,
    FlowElementsContainer,
    FlowNode,
    IoSpecification,
    MultiInstanceLoopCharacteristics,
    SubProcess,
    ThrowEvent,
)

__all__ = ["RULES"]


def data_reference(model: Model) -> Iterator[Problem]:
    sight = _Sight(model)
    for scope in model.scopes:
        for reference in scope.container.data_object_references:
            if reference.data_object and not sight.sees(scope, reference.data_object):
                yield Problem(
                    reference,
                    f"the reference names '{reference.data_object}', which lies in another scope.",
                    "Refer to a data object of the same process or subprocess, or of one around it (10.4.1).",
                )
    for scope in model.executed:
        for reference in scope.container.data_object_references:
            if not reference.data_object:
                yield Problem(reference, "the data object reference refers to nothing.", "Set dataObjectRef.")
        for store in scope.container.data_store_references:
            if not store.data_store and not store.name:
                yield Problem(store, "the data store has neither a name nor a dataStoreRef.", "Name it.")


def _own_io(node: FlowNode) -> tuple[set[str], set[str]]:
    """The ids of a node's own data inputs (with properties) and outputs."""
    inputs: set[str] = {p.id for p in getattr(node, "properties", ())}
    outputs: set[str] = set(inputs)
    io: IoSpecification | None = getattr(node, "io", None)
    if io is not None:
        inputs |= {i.id for i in io.inputs}
        outputs |= {o.id for o in io.outputs}
    inputs |= {i.id for i in getattr(node, "data_inputs", ())}
    outputs |= {o.id for o in getattr(node, "data_outputs", ())}
    return inputs, outputs


def _loop_items(node: object) -> set[str]:
    """The item that each instance of a multi-instance activity takes, and the one that it gives."""
    loop = getattr(node, "loop", None)
    if not isinstance(loop, MultiInstanceLoopCharacteristics):
        return set()
    return {item.id for item in (loop.input_item, loop.output_item) if item is not None}


def _own_data(container: FlowElementsContainer) -> Iterator[str]:
    """The ids of the data that a process or subprocess itself holds."""
    for group in (
        container.data_objects,
        container.data_object_references,
        container.data_store_references,
    ):
        yield from (element.id for element in group)
    yield from (p.id for p in getattr(container, "properties", ()))
    io: IoSpecification | None = getattr(container, "io", None)
    if io is not None:
        yield from (element.id for element in (*io.inputs, *io.outputs))
    yield from _loop_items(container)


class _Sight:
    """Which data an element can see: that of its scope and of those around it (10.4.1)."""

    def __init__(self, model: Model) -> None:
        self._own = {id(scope): frozenset(_own_data(scope.container)) for scope in model.scopes}

    def sees(self, scope: Scope, identifier: str) -> bool:
        at: Scope | None = scope
        while at is not None:
            if identifier in self._own[id(at)]:
                return True
            at = at.parent
        return False


def data_association(model: Model) -> Iterator[Problem]:
    sight = _Sight(model)
    for scope, node in model.all(FlowNode):
        ins: tuple[DataAssociation, ...] = getattr(node, "input_associations", ())
        outs: tuple[DataAssociation, ...] = getattr(node, "output_associations", ())
        if not ins and not outs:
            continue
        inputs, outputs = _own_io(node)
        items = _loop_items(node)

        def around(data: str, scope: Scope = scope, items: set[str] = items) -> bool:
            return data in items or sight.sees(scope, data)

        for association in ins:
            given = association.sources or association.assignments or association.transformation
            if association.target and not given:
                yield Problem(
                    node,
                    f"the data input association to '{association.target}' has no source.",
                    "Say where the data comes from: a source, a transformation or an assignment (10.4.2).",
                )
            yield from _ends(node, association, around, inputs.__contains__, "input")
        for association in outs:
            yield from _ends(node, association, outputs.__contains__, around, "output")


def _ends(
    node: FlowNode,
    association: DataAssociation,
    is_source: Callable[[str], bool],
    is_target: Callable[[str], bool],
    which: str,
) -> Iterator[Problem]:
    for source in association.sources:
        if not is_source(source):
            where = "in its scope or around it" if which == "input" else "among the node's own outputs"
            yield Problem(
                node,
                f"the source '{source}' of a data {which} association is not {where}.",
                "Read from data that the node can see.",
            )
    if association.target and not is_target(association.target):
        where = "among the node's own inputs" if which == "input" else "in its scope or around it"
        yield Problem(
            node,
            f"the target '{association.target}' of a data {which} association is not {where}.",
            "Write to data that the node can see.",
        )
    if len(association.sources) > 1 and association.transformation is None and not association.assignments:
        yield Problem(
            node,
            f"a data {which} association has {len(association.sources)} sources, but no transformation.",
            "Say how the sources become one value, or draw several associations.",
        )


def data_association_idle(model: Model) -> Iterator[Problem]:
    for _, node in model.run(FlowNode):
        associations: tuple[DataAssociation, ...] = getattr(node, "output_associations", ())
        for association in associations:
            if not association.sources and not association.assignments and not association.transformation:
                yield Problem(
                    node,
                    "a data output association has no source: it is drawn, but moves no data.",
                    "Give it a source or an assignment, or leave it as documentation.",
                )


def io_sets(model: Model) -> Iterator[Problem]:
    holders: list[tuple[Element, IoSpecification | None]] = [(a, a.io) for _, a in model.activities()]
    holders += [(process, process.io) for process in model.definitions.processes]
    holders += [(task, task.io) for task in model.definitions.global_tasks]
    for holder, io in holders:
        if io is None:
            continue
        groups: tuple[tuple[str, tuple[DataInput | DataOutput, ...], tuple[tuple[str, ...], ...]], ...] = (
            ("input", io.inputs, io.input_sets),
            ("output", io.outputs, io.output_sets),
        )
        for word, items, sets in groups:
            own = {item.id for item in items}
            listed = {identifier for one in sets for identifier in one}
            for missing in sorted(own - listed):
                yield Problem(
                    holder, f"the data {word} '{missing}' is in no {word} set.", f"List it in the {word}Set."
                )
            for foreign in sorted(listed - own):
                yield Problem(
                    holder,
                    f"the {word} set lists '{foreign}', which is no data {word} of this element.",
                    "List its own data only.",
                )


def subprocess_io(model: Model) -> Iterator[Problem]:
    for _, node in model.all(SubProcess):
        if node.io is not None and not isinstance(node.loop, MultiInstanceLoopCharacteristics):
            yield Problem(
                node,
                "an embedded subprocess has an ioSpecification.",
                "It sees the data around it (10.4.1); remove the ioSpecification.",
            )


def event_data(model: Model) -> Iterator[Problem]:
    definitions = model.definitions
    with_item = {message.id for message in definitions.messages if message.item}
    for elements in (definitions.signals, definitions.errors, definitions.escalations):
        with_item |= {element.id for element in elements if element.structure}

    def carries(event: Event) -> bool:
        names = ("message", "signal", "error", "escalation")
        return any(getattr(d, name, "") in with_item for d in event.definitions for name in names)

    for _, event in model.all(Event):
        if isinstance(event, CatchEvent):
            count, word = len(event.data_outputs), "output"
        else:
            assert isinstance(event, ThrowEvent)
            count, word = len(event.data_inputs), "input"
        # An end event without a definition may still collect the process's data (Trisotech writes it).
        wanted = len(event.definitions)
        if wanted and (count > wanted or (0 < count < wanted and carries(event))):
            yield Problem(
                event,
                f"the event has {count} data {word}s for {wanted} definition(s).",
                "Give one for each definition, in the same order (10.5.1).",
            )


def process_data(model: Model) -> Iterator[Problem]:
    ends = {
        process.id: ({i.id for i in process.io.inputs}, {o.id for o in process.io.outputs})
        for process in model.definitions.processes
        if process.io is not None
    }
    for scope, node in model.all(FlowNode):
        if scope.process.id not in ends:
            continue
        inputs, outputs = ends[scope.process.id]
        ins: tuple[DataAssociation, ...] = getattr(node, "input_associations", ())
        outs: tuple[DataAssociation, ...] = getattr(node, "output_associations", ())
        for association in outs:
            if association.target in inputs:
                yield Problem(
                    node,
                    f"a data association writes to '{association.target}', an input of the process.",
                    "Write to a data object or to an output: inputs come from the caller (10.4.1).",
                )
        for association in ins:
            for source in sorted(outputs.intersection(association.sources)):
                yield Problem(
                    node,
                    f"a data association reads '{source}', an output of the process.",
                    "Read a data object or an input: outputs go to the caller (10.4.1).",
                )


def loop_data(model: Model) -> Iterator[Problem]:
    sight = _Sight(model)
    for scope, node in model.activities():
        loop = node.loop
        if not isinstance(loop, MultiInstanceLoopCharacteristics):
            continue
        inputs, outputs = _own_io(node)
        for name, reference, own in (
            ("loopDataInputRef", loop.loop_data_input, inputs),
            ("loopDataOutputRef", loop.loop_data_output, outputs),
        ):
            if reference and reference not in own and not sight.sees(scope, reference):
                yield Problem(
                    node,
                    f"{name} is '{reference}', which the activity can't see.",
                    "Name its own data, or data of its scope or those around it (10.3.8).",
                )
        for association in node.output_associations:
            changed = association.transformation is not None or association.assignments
            if changed and loop.loop_data_output in association.sources:
                yield Problem(
                    node,
                    f"a data association changes '{loop.loop_data_output}', the collection of what the "
                    "instances make.",
                    "Copy it as it is, and change it in an activity after this one.",
                )


RULES: tuple[Rule, ...] = (
    warning("data-association-idle", "A data association moves data.", data_association_idle),
    error("data-reference", "A data reference refers to data.", data_reference),
    error(
        "data-association", "A data association connects a node with data that it can see.", data_association
    ),
    error("process-data", "Inputs of a process are read, its outputs are written.", process_data),
    error("loop-data", "A multi-instance activity sees the collections that it names.", loop_data),
    error("io-sets", "Input and output sets list each of the element's data.", io_sets),
    error("subprocess-io", "An embedded subprocess has no inputs and outputs of its own.", subprocess_io),
    error("event-data", "An event has one data item a definition, or none.", event_data),
)
