"""Reading a BPMN 2.0 file into the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flowkit.bpmn.index import index_ids
from flowkit.bpmn.model import (
    Collaboration,
    ComplexGateway,
    CorrelationProperty,
    CorrelationPropertyRetrieval,
    CorrelationSubscription,
    Definitions,
    Error,
    Escalation,
    Expression,
    FlowElementsContainer,
    GlobalTask,
    InclusiveGateway,
    ItemDefinition,
    Message,
    MessageFlow,
    Operation,
    Participant,
    Process,
    Signal,
    SubProcess,
    UnsupportedElement,
)
from flowkit.bpmn.parse_data import (
    read_data_store,
    read_io,
    read_properties,
    read_resource_parameters,
    read_resources,
)
from flowkit.bpmn.parse_events import EVENT_DEFINITIONS, read_event_definition
from flowkit.bpmn.parse_nodes import read_association, read_container, read_script
from flowkit.bpmn.parse_reader import Reader, children, first, flag, number
from flowkit.bpmn.schema import BPMN, GROUPS
from flowkit.bpmn.structure import check_structure
from flowkit.bpmn.structure_diagram import check_diagrams
from flowkit.bpmn.xml import Node, read_xml
from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Severity

__all__ = ["parse"]

MAX_WAYS_TO_JOINS = 2_000_000


def parse(data: bytes, *, file: str = "") -> Definitions:
    """Read a BPMN 2.0 file of any modeler.

    A file that departs from the schema but can be read is read: what is wrong with it stands in
    ``Definitions.findings``, and :func:`flowkit.bpmn.check_deployable` refuses it. So a diagram can be
    drawn or compared before it is right.

    Raises :class:`InvalidModel` for what is not XML, not BPMN 2.0, or beyond the limits of
    :mod:`flowkit.bpmn.xml`. ``file`` names the source in every location; it is never opened.
    """
    root = read_xml(data, file=file)
    _require_bpmn(root)
    index = index_ids(root)
    findings = [*check_structure(root, index), *check_diagrams(root, index)]
    language = root.get("expressionLanguage") or ""
    # The schema's default is XPath; every modeler that writes FEEL leaves the attribute out or says so.
    reader = Reader(index, expression_language=language)
    roots: dict[str, list[Any]] = {}
    unsupported: list[UnsupportedElement] = []
    for node in root.children:
        if node.namespace == BPMN:
            _read_root(reader, node, roots, unsupported)
    findings += [finding for process in roots.get("processes", ()) for finding in _check_joins(process)]
    return Definitions(
        **reader.common(root),
        target_namespace=root.get("targetNamespace") or "",
        expression_language=language,
        type_language=root.get("typeLanguage") or "",
        exporter=root.get("exporter") or "",
        exporter_version=root.get("exporterVersion") or "",
        **{name: tuple(found) for name, found in roots.items()},
        unsupported=tuple(unsupported),
        findings=tuple(findings),
        source=data,
    )


def _check_joins(container: FlowElementsContainer) -> Iterator[Finding]:
    """What can still reach a synchronizing join is computed for each, and kept: refuse what would take
    minutes and gigabytes."""
    joins = sum(isinstance(one, InclusiveGateway | ComplexGateway) for one in container.nodes)
    if joins * len(container.nodes) > MAX_WAYS_TO_JOINS:
        yield Finding(
            "too-large",
            Severity.ERROR,
            container.location,
            f"{joins:,} inclusive or complex gateways stand among {len(container.nodes):,} nodes; at most "
            f"{MAX_WAYS_TO_JOINS:,} pairs of the two are looked at.",
            "Split the process with subprocesses or call activities.",
            container.id,
            container.name,
        )
    for one in container.nodes:
        if isinstance(one, SubProcess):
            yield from _check_joins(one)


def _require_bpmn(root: Node) -> None:
    if root.namespace == BPMN and root.tag == "definitions":
        return
    found = f"<{root.tag[:60]}> of {root.namespace[:120] or 'no namespace'}"
    raise InvalidModel(
        [
            Finding(
                "not-bpmn",
                Severity.ERROR,
                root.location,
                f"expected <definitions> of BPMN 2.0 ({BPMN}), found {found}.",
                "Export the diagram as BPMN 2.0 XML.",
            )
        ]
    )


def _read_root(
    reader: Reader, node: Node, roots: dict[str, list[Any]], unsupported: list[UnsupportedElement]
) -> None:
    def add(name: str, element: Any) -> None:
        roots.setdefault(name, []).append(element)

    if node.tag in _ROOTS:
        name, read = _ROOTS[node.tag]
        add(name, read(reader, node))
    elif node.tag in EVENT_DEFINITIONS:
        add("event_definitions", read_event_definition(reader, node))
    elif node.tag == "interface":
        for child in children(node, "operation"):
            add("operations", _operation(reader, node, child))
    elif node.tag == "import":
        add("imports", tuple(node.get(a) or "" for a in ("importType", "namespace", "location")))
    elif node.tag in _UNSUPPORTED or (node.tag == "extension" and flag(node, "mustUnderstand", False)):
        unsupported.append(reader.unsupported(node))


_UNSUPPORTED = frozenset({"choreography", "globalChoreographyTask", "globalConversation"})


def _operation(reader: Reader, interface: Node, node: Node) -> Operation:
    return Operation(
        **reader.common(node),
        interface=interface.get("name") or reader.id_of(interface),
        implementation=node.get("implementationRef") or "",
        in_message=reader.child_reference(node, "inMessageRef"),
        out_message=reader.child_reference(node, "outMessageRef"),
        errors=reader.child_references(node, "errorRef"),
    )


def _item(reader: Reader, node: Node) -> ItemDefinition:
    return ItemDefinition(
        **reader.common(node),
        structure=node.get("structureRef") or "",
        is_collection=flag(node, "isCollection", False),
        item_kind=node.get("itemKind") or "Information",
    )


def _error(reader: Reader, node: Node) -> Error:
    return Error(
        **reader.common(node),
        code=node.get("errorCode") or "",
        structure=reader.reference(node, "structureRef"),
    )


def _escalation(reader: Reader, node: Node) -> Escalation:
    return Escalation(
        **reader.common(node),
        code=node.get("escalationCode") or "",
        structure=reader.reference(node, "structureRef"),
    )


def _correlation_property(reader: Reader, node: Node) -> CorrelationProperty:
    return CorrelationProperty(
        **reader.common(node),
        type=node.get("type") or "",
        retrievals=tuple(
            CorrelationPropertyRetrieval(
                **reader.common(child),
                message=reader.reference(child, "messageRef"),
                path=reader.child_expression(child, "messagePath") or Expression(""),
            )
            for child in children(node, "correlationPropertyRetrievalExpression")
        ),
    )


def _subscription(reader: Reader, node: Node) -> CorrelationSubscription:
    return CorrelationSubscription(
        **reader.common(node),
        correlation_key=reader.reference(node, "correlationKeyRef"),
        bindings=tuple(
            (
                reader.reference(child, "correlationPropertyRef"),
                reader.child_expression(child, "dataPath") or Expression(""),
            )
            for child in children(node, "correlationPropertyBinding")
        ),
    )


def _process(reader: Reader, node: Node) -> Process:
    return Process(
        **reader.common(node),
        **read_container(reader, node),
        is_executable=flag(node, "isExecutable", False),
        is_closed=flag(node, "isClosed", False),
        process_type=node.get("processType") or "None",
        properties=read_properties(reader, node),
        io=read_io(reader, node),
        correlation_subscriptions=tuple(
            _subscription(reader, child) for child in children(node, "correlationSubscription")
        ),
        resources=read_resources(reader, node),
    )


def _global_task(reader: Reader, node: Node) -> GlobalTask:
    return GlobalTask(
        **reader.common(node),
        kind=node.tag,
        script=read_script(reader, node),
        script_format=node.get("scriptLanguage") or "",
        implementation=node.get("implementation") or "",
        io=read_io(reader, node),
        resources=read_resources(reader, node),
        resource_parameters=read_resource_parameters(reader, node),
    )


def _participant(reader: Reader, node: Node) -> Participant:
    multiplicity = first(node, "participantMultiplicity")
    return Participant(
        **reader.common(node),
        process=reader.reference(node, "processRef"),
        minimum=number(multiplicity, "minimum") if multiplicity is not None else None,
        maximum=number(multiplicity, "maximum") if multiplicity is not None else None,
    )


def _message_flow(reader: Reader, node: Node) -> MessageFlow:
    return MessageFlow(
        **reader.common(node),
        source=reader.reference(node, "sourceRef"),
        target=reader.reference(node, "targetRef"),
        message=reader.reference(node, "messageRef"),
    )


def _collaboration(reader: Reader, node: Node) -> Collaboration:
    return Collaboration(
        **reader.common(node),
        participants=tuple(_participant(reader, child) for child in children(node, "participant")),
        message_flows=tuple(_message_flow(reader, child) for child in children(node, "messageFlow")),
        correlation_keys=tuple(
            (reader.id_of(child), reader.child_references(child, "correlationPropertyRef"))
            for child in children(node, "correlationKey")
        ),
        associations=tuple(read_association(reader, child) for child in children(node, "association")),
        is_closed=flag(node, "isClosed", False),
        unsupported=tuple(reader.unsupported(child) for child in children(node, *GROUPS["conversationNode"])),
    )


_ROOTS: dict[str, tuple[str, Callable[[Reader, Node], Any]]] = {
    "itemDefinition": ("item_definitions", _item),
    "message": (
        "messages",
        lambda r, n: Message(**r.common(n), item=r.reference(n, "itemRef")),
    ),
    "signal": (
        "signals",
        lambda r, n: Signal(**r.common(n), structure=r.reference(n, "structureRef")),
    ),
    "error": ("errors", _error),
    "escalation": ("escalations", _escalation),
    "dataStore": ("data_stores", read_data_store),
    "correlationProperty": ("correlation_properties", _correlation_property),
    "process": ("processes", _process),
    "globalTask": ("global_tasks", _global_task),
    "globalUserTask": ("global_tasks", _global_task),
    "globalManualTask": ("global_tasks", _global_task),
    "globalScriptTask": ("global_tasks", _global_task),
    "globalBusinessRuleTask": ("global_tasks", _global_task),
    "collaboration": ("collaborations", _collaboration),
}
