"""Item definitions: what data, messages and calls hold must be of one kind (8.4.10, 10.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from flowkit.bpmn.lint.model import Model, Problem, Rule, error
from flowkit.bpmn.lint.walk import elements
from flowkit.bpmn.model import (
    CallActivity,
    CatchEvent,
    DataAssociation,
    DataInput,
    DataObject,
    DataObjectReference,
    DataOutput,
    EventDefinition,
    FlowNode,
    IoSpecification,
    MultiInstanceLoopCharacteristics,
    Operation,
    ReceiveTask,
    SendTask,
    ServiceTask,
    Task,
    ThrowEvent,
)

__all__ = ["RULES"]

_Data = DataInput | DataOutput


class _Items:
    """The item definitions of the file, and when two of them say the same."""

    def __init__(self, model: Model) -> None:
        self._known = {item.id: item for item in model.definitions.item_definitions}

    def kind(self, item: str) -> tuple[str, bool] | None:
        """What makes items equivalent: the structure, where one is given; None for an unknown item."""
        found = self._known.get(item)
        if found is None:
            return None
        return found.structure.rpartition(":")[2].strip() or f"#{item}", found.is_collection

    def differ(self, one: str, other: str) -> bool:
        """Are both known, and not equivalent?"""
        kinds = self.kind(one), self.kind(other)
        return one != other and None not in kinds and kinds[0] != kinds[1]

    def is_collection(self, item: str) -> bool | None:
        found = self._known.get(item)
        return None if found is None else found.is_collection


def data_item_mismatch(model: Model) -> Iterator[Problem]:
    definitions = model.definitions
    carried = {message.id: message.item for message in definitions.messages}
    carried |= {signal.id: signal.structure for signal in definitions.signals}
    carried |= {one.id: one.structure for one in definitions.errors}
    carried |= {one.id: one.structure for one in definitions.escalations}
    items, operations = _Items(model), {one.id: one for one in definitions.operations}
    for _, node in model.all(FlowNode):
        for data, carrier in _carried(node, operations):
            expected = carried.get(carrier, "")
            if items.differ(data.item, expected):
                yield Problem(
                    node,
                    f"'{data.name or data.id}' is of the item '{data.item}', but '{carrier}' carries "
                    f"'{expected}'.",
                    "Use the same item definition in both.",
                )


def _carried(node: FlowNode, operations: Mapping[str, Operation]) -> Iterator[tuple[_Data, str]]:
    """The data items that are the content of a message, signal, error or escalation, with its id."""
    if isinstance(node, ServiceTask):
        operation = operations.get(node.operation)
        if operation is not None and node.io is not None:
            # OMG's own reference model gives a service task more inputs than its operation has.
            if len(node.io.inputs) == 1:
                yield node.io.inputs[0], operation.in_message
            if len(node.io.outputs) == 1:
                yield node.io.outputs[0], operation.out_message
        return
    if isinstance(node, SendTask | ReceiveTask):
        if node.io is not None:
            data: tuple[_Data, ...] = node.io.inputs if isinstance(node, SendTask) else node.io.outputs
            yield from ((one, node.message) for one in data[:1])
        return
    own: tuple[_Data, ...] = ()
    definitions: tuple[EventDefinition, ...] = ()
    if isinstance(node, CatchEvent):
        own, definitions = node.data_outputs, node.definitions
    elif isinstance(node, ThrowEvent):
        own, definitions = node.data_inputs, node.definitions
    for one, definition in zip(own, definitions, strict=False):
        for name in ("message", "signal", "error", "escalation"):
            if carrier := getattr(definition, name, ""):
                yield one, carrier


def message_data(model: Model) -> Iterator[Problem]:
    for _, task in model.all(Task):
        if not isinstance(task, SendTask | ReceiveTask | ServiceTask) or task.io is None:
            continue
        io, sends, calls = task.io, isinstance(task, SendTask), isinstance(task, ServiceTask)
        if not (task.operation if isinstance(task, ServiceTask) else task.message):
            continue
        counts = (
            (sends, "data inputs", len(io.inputs)),
            (not sends and not calls, "data outputs", len(io.outputs)),
            (sends or calls, "input sets", len(io.input_sets)),
            (not sends, "output sets", len(io.output_sets)),
        )
        for demanded, word, count in counts:
            if demanded and count > 1:
                yield Problem(
                    task,
                    f"the task has {count} {word}, but its {'operation' if calls else 'message'} has one "
                    "content.",
                    "Keep one: the message's content (10.3.3).",
                )


def association_item_mismatch(model: Model) -> Iterator[Problem]:
    held, items = dict(_items_of_data(model)), _Items(model)
    for _, node in model.run(FlowNode):
        associations: tuple[DataAssociation, ...] = (
            *getattr(node, "input_associations", ()),
            *getattr(node, "output_associations", ()),
        )
        for association in associations:
            if association.transformation is not None or association.assignments:
                continue
            expected = held.get(association.target, "")
            for source in association.sources:
                if items.differ(held.get(source, ""), expected):
                    yield Problem(
                        node,
                        f"'{source}' is of the item '{held[source]}', its target of '{expected}'.",
                        "Use the same item definition, or add a transformation (10.4.2).",
                    )


def _items_of_data(model: Model) -> Iterator[tuple[str, str]]:
    """Each data element's item definition; a reference has that of its data object."""
    for process in model.definitions.processes:
        objects: dict[str, str] = {}
        for element in elements(process):
            item = getattr(element, "item", "")
            if isinstance(element, DataObject):
                objects[element.id] = item
            if item:
                yield element.id, item
        for element in elements(process):
            if isinstance(element, DataObjectReference) and objects.get(element.data_object):
                yield element.id, objects[element.data_object]


def collection_mismatch(model: Model) -> Iterator[Problem]:
    items = _Items(model)
    for process in model.definitions.processes:
        if not process.is_executable:
            continue
        for element in elements(process):
            if not isinstance(element, DataObject | DataInput | DataOutput):
                continue
            item = items.is_collection(element.item)
            if item is not None and element.is_collection != item:
                yield Problem(
                    element,
                    f"isCollection is {str(element.is_collection).lower()}, but the item "
                    f"'{element.item}' says {str(item).lower()}.",
                    "Say the same in both (10.4.1).",
                )


def loop_item_mismatch(model: Model) -> Iterator[Problem]:
    """10.3.8: the item that an instance takes or gives is the scalar of the collection's type."""
    held, items = dict(_items_of_data(model)), _Items(model)
    for _, node in model.activities():
        loop = node.loop
        if not isinstance(loop, MultiInstanceLoopCharacteristics):
            continue
        for name, whole, one in (
            ("inputDataItem", loop.loop_data_input, loop.input_item),
            ("outputDataItem", loop.loop_data_output, loop.output_item),
        ):
            collection = held.get(whole, "")
            if one is None or not items.is_collection(collection) or not one.item:
                continue
            if one.item == collection or items.kind(one.item) == items.kind(collection):
                yield Problem(
                    node,
                    f"{name} is of the item '{one.item}', which is the whole collection.",
                    "Give it an item definition that is not a collection, of the same structure.",
                )


def call_io(model: Model) -> Iterator[Problem]:
    called_io: dict[str, IoSpecification | None] = {p.id: p.io for p in model.definitions.processes}
    called_io |= {t.id: t.io for t in model.definitions.global_tasks}
    items = _Items(model)
    for _, call in model.all(CallActivity):
        called = called_io.get(call.called_element)
        if call.io is None or called is None:
            continue
        pairs: tuple[tuple[str, tuple[object, ...], tuple[object, ...]], ...] = (
            ("data inputs", call.io.inputs, called.inputs),
            ("data outputs", call.io.outputs, called.outputs),
            ("input sets", call.io.input_sets, called.input_sets),
            ("output sets", call.io.output_sets, called.output_sets),
        )
        for word, own, other in pairs:
            if len(own) != len(other):
                yield Problem(
                    call,
                    f"the call has {len(own)} {word}, but '{call.called_element}' has {len(other)}.",
                    "Give the call the data of what it calls (10.3.6).",
                )
            elif word.startswith("data") and _foreign(items, own, other):
                yield Problem(
                    call,
                    f"the items of the call's {word} are not those of '{call.called_element}'.",
                    "Give the call the data of what it calls (10.3.6).",
                )


def _foreign(items: _Items, own: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Do the two name different items, where every one names a known one?"""
    kinds = [[items.kind(getattr(data, "item", "")) for data in side] for side in (own, other)]
    return all(None not in side for side in kinds) and Counter(kinds[0]) != Counter(kinds[1])


RULES: tuple[Rule, ...] = (
    error("collection-mismatch", "Data and its item agree about being a collection.", collection_mismatch),
    error("message-data", "A task's data is the content of its message.", message_data),
    error(
        "association-item-mismatch",
        "What a data association connects is of one item.",
        association_item_mismatch,
    ),
    error(
        "data-item-mismatch",
        "Data is of the item of the message, signal, error or escalation that it is the content of.",
        data_item_mismatch,
    ),
    error(
        "loop-item-mismatch",
        "An instance takes and gives one item of its collection.",
        loop_item_mismatch,
    ),
    error("call-io", "A call has the data of what it calls.", call_io),
)
