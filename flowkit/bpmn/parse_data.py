"""Reading data: objects, inputs and outputs, associations, resource roles."""

from __future__ import annotations

from flowkit.bpmn.model import (
    DataAssociation,
    DataInput,
    DataObject,
    DataObjectReference,
    DataOutput,
    DataStore,
    DataStoreReference,
    Expression,
    IoSpecification,
    Property,
)
from flowkit.bpmn.parse_reader import Reader, children, first, flag, number
from flowkit.bpmn.schema import GROUPS
from flowkit.bpmn.xml import Node

__all__ = [
    "read_associations",
    "read_data_input",
    "read_data_inputs",
    "read_data_object",
    "read_data_object_reference",
    "read_data_output",
    "read_data_outputs",
    "read_data_store",
    "read_data_store_reference",
    "read_io",
    "read_properties",
    "read_resource_parameters",
    "read_resources",
]


def read_data_object(reader: Reader, node: Node) -> DataObject:
    return DataObject(
        **reader.common(node),
        item=reader.reference(node, "itemSubjectRef"),
        is_collection=flag(node, "isCollection", False),
    )


def _state(node: Node) -> str:
    state = first(node, "dataState")
    return (state.get("name") or "") if state is not None else ""


def read_data_object_reference(reader: Reader, node: Node) -> DataObjectReference:
    return DataObjectReference(
        **reader.common(node), data_object=reader.reference(node, "dataObjectRef"), state=_state(node)
    )


def read_data_store_reference(reader: Reader, node: Node) -> DataStoreReference:
    return DataStoreReference(
        **reader.common(node), data_store=reader.reference(node, "dataStoreRef"), state=_state(node)
    )


def read_data_store(reader: Reader, node: Node) -> DataStore:
    return DataStore(
        **reader.common(node),
        item=reader.reference(node, "itemSubjectRef"),
        capacity=number(node, "capacity"),
        is_unlimited=flag(node, "isUnlimited", True),
    )


def read_properties(reader: Reader, node: Node) -> tuple[Property, ...]:
    return tuple(
        Property(**reader.common(child), item=reader.reference(child, "itemSubjectRef"))
        for child in children(node, "property")
    )


def read_data_input(reader: Reader, node: Node, optional: frozenset[str] = frozenset()) -> DataInput:
    return DataInput(
        **reader.common(node),
        item=reader.reference(node, "itemSubjectRef"),
        is_collection=flag(node, "isCollection", False),
        optional=reader.id_of(node) in optional,
    )


def read_data_output(reader: Reader, node: Node, optional: frozenset[str] = frozenset()) -> DataOutput:
    return DataOutput(
        **reader.common(node),
        item=reader.reference(node, "itemSubjectRef"),
        is_collection=flag(node, "isCollection", False),
        optional=reader.id_of(node) in optional,
    )


def _optional(reader: Reader, node: Node, sets: str, members: str) -> frozenset[str]:
    return frozenset(one for s in children(node, sets) for one in reader.child_references(s, members))


def read_data_inputs(reader: Reader, node: Node) -> tuple[DataInput, ...]:
    optional = _optional(reader, node, "inputSet", "optionalInputRefs")
    return tuple(read_data_input(reader, child, optional) for child in children(node, "dataInput"))


def read_data_outputs(reader: Reader, node: Node) -> tuple[DataOutput, ...]:
    optional = _optional(reader, node, "outputSet", "optionalOutputRefs")
    return tuple(read_data_output(reader, child, optional) for child in children(node, "dataOutput"))


def read_io(reader: Reader, node: Node) -> IoSpecification | None:
    """The ``ioSpecification`` of an activity, process or global task."""
    io = first(node, "ioSpecification")
    if io is None:
        return None
    return IoSpecification(
        **reader.common(io),
        inputs=read_data_inputs(reader, io),
        outputs=read_data_outputs(reader, io),
        input_sets=tuple(reader.child_references(s, "dataInputRefs") for s in children(io, "inputSet")),
        output_sets=tuple(reader.child_references(s, "dataOutputRefs") for s in children(io, "outputSet")),
        streaming=tuple(
            one
            for s in children(io, "inputSet", "outputSet")
            for tag in ("whileExecutingInputRefs", "whileExecutingOutputRefs")
            for one in reader.child_references(s, tag)
        ),
    )


def read_associations(reader: Reader, node: Node, tag: str) -> tuple[DataAssociation, ...]:
    """The ``dataInputAssociation`` or ``dataOutputAssociation`` children."""
    return tuple(
        DataAssociation(
            **reader.common(child),
            sources=reader.child_references(child, "sourceRef"),
            target=reader.child_reference(child, "targetRef"),
            transformation=reader.child_expression(child, "transformation"),
            assignments=tuple(_assignment(reader, a) for a in children(child, "assignment")),
        )
        for child in children(node, tag)
    )


def _assignment(reader: Reader, node: Node) -> tuple[Expression, Expression]:
    nothing = Expression("", location=node.location)
    source, target = reader.child_expression(node, "from"), reader.child_expression(node, "to")
    return source or nothing, target or nothing


def read_resources(reader: Reader, node: Node) -> tuple[tuple[str, str], ...]:
    """``(kind, who)`` of each resource role: the resource's name, or ``=`` and the expression."""
    roles = []
    for role in children(node, *GROUPS["resourceRole"]):
        assignment = first(role, "resourceAssignmentExpression")
        expression = first(assignment, *GROUPS["expression"]) if assignment is not None else None
        if expression is not None:
            roles.append((role.tag, "=" + expression.text.strip()))
            continue
        resource = reader.index.nodes.get(reader.child_reference(role, "resourceRef"))
        who = resource.get("name") if resource is not None else role.get("name")
        roles.append((role.tag, who or ""))
    return tuple(roles)


def read_resource_parameters(reader: Reader, node: Node) -> tuple[tuple[str, Expression], ...]:
    """``(kind.parameter, value)`` of each parameter that a resource role binds."""
    bound = []
    for role in children(node, *GROUPS["resourceRole"]):
        for binding in children(role, "resourceParameterBinding"):
            parameter = reader.index.nodes.get(reader.reference(binding, "parameterRef"))
            named = parameter.get("name") if parameter is not None else None
            name = named or (binding.get("parameterRef") or "").rpartition(":")[2]
            value = reader.expression(first(binding, *GROUPS["expression"]))
            if value is not None:
                bound.append((f"{role.tag}.{name}", value))
    return tuple(bound)
