"""Is there something to run, and is all of it what flowkit runs?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flowkit.bpmn.lint.connections import instantiates
from flowkit.bpmn.lint.model import Model, Problem, Rule, error, information, kind, warning
from flowkit.bpmn.lint.walk import elements
from flowkit.bpmn.model import (
    Activity,
    AdHocSubProcess,
    BusinessRuleTask,
    CallActivity,
    CompensateEventDefinition,
    ComplexGateway,
    DataAssociation,
    Element,
    Event,
    EventBasedGateway,
    ExclusiveGateway,
    FlowNode,
    InclusiveGateway,
    IoSpecification,
    ManualTask,
    MultiInstanceBehavior,
    MultiInstanceLoopCharacteristics,
    ParallelGateway,
    Process,
    ReceiveTask,
    ScriptTask,
    SendTask,
    ServiceTask,
    StandardLoopCharacteristics,
    StartEvent,
    SubProcess,
    Task,
    Transaction,
    UserTask,
)
from flowkit.bpmn.schema import BPMN
from flowkit.bpmn.support import NOT_EXECUTED, POSITIONS, event_kind, event_position

__all__ = ["DETECT", "RULES"]


def no_executable_process(model: Model) -> Iterator[Problem]:
    definitions = model.definitions
    if not any(process.is_executable for process in definitions.processes) and not definitions.global_tasks:
        yield Problem(
            definitions,
            "the file holds no executable process: deploying it would do nothing.",
            'Set isExecutable="true" on the process that is to run.',
        )


def process_not_executable(model: Model) -> Iterator[Problem]:
    for process in model.definitions.processes:
        if not process.is_executable and process.nodes:
            yield Problem(
                process,
                "the process is not executable: it documents, and is not run.",
                'Set isExecutable="true" if it is to run.',
            )


def public_process(model: Model) -> Iterator[Problem]:
    for process in model.definitions.processes:
        if process.is_executable and process.process_type == "Public":
            yield Problem(
                process,
                "the process is public, so it shows only what others see, and executable.",
                "An executable process is private (10.1): set processType to Private, or leave it out.",
            )


def not_a_flow_element(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        for found in scope.container.unsupported:
            yield Problem(
                found,
                f"<{found.tag}> does not belong into a process.",
                "Choreography activities stand in choreographies; events are start, catch, throw, "
                "boundary or end events.",
            )


def must_understand(model: Model) -> Iterator[Problem]:
    for found in model.definitions.unsupported:
        if found.tag == "extension":
            yield Problem(
                found,
                "the file demands that its reader understands an extension (mustUnderstand), which flowkit "
                "does not.",
                "Remove the extension, or save the file with mustUnderstand false.",
            )


_OVERVIEWS = frozenset(
    {"choreography", "globalChoreographyTask", "globalConversation"}
    | {"conversation", "subConversation", "callConversation"}
)


def not_run(model: Model) -> Iterator[Problem]:
    definitions = model.definitions
    inside = (found for one in definitions.collaborations for found in one.unsupported)
    for found in (*definitions.unsupported, *inside):
        if found.tag in _OVERVIEWS:
            yield Problem(
                found,
                f"<{found.tag}> describes how participants deal with each other: it runs nothing.",
                "What runs are the processes; nothing needs to be done.",
            )


_TECHNIQUES = ("store", "image")


def transaction_method(model: Model) -> Iterator[Problem]:
    for _, transaction in model.run(Transaction):
        if transaction.method.lower().removeprefix("##") in _TECHNIQUES:
            yield Problem(
                transaction,
                f"the method '{transaction.method}' is a name from BPMN 1.1 without a meaning of its own in "
                "BPMN 2: when it is cancelled, the transaction is compensated like any other (13.5.3).",
                "Attach compensation handlers to what must be taken back.",
            )


def import_of_bpmn(model: Model) -> Iterator[Problem]:
    for kind_of, namespace, location in model.definitions.imports:
        if kind_of == BPMN:
            yield Problem(
                model.definitions,
                f"the file imports the BPMN file '{location or namespace}', which is not read.",
                "Remove the import and deploy both files: what is called is found by its id.",
            )


def import_not_read(model: Model) -> Iterator[Problem]:
    for kind_of, namespace, location in model.definitions.imports:
        if kind_of == BPMN:
            continue
        yield Problem(
            model.definitions,
            f"the file imports '{location or namespace}', which is not read.",
            "Deploy what is called by its id; types of other files are not checked.",
        )


Detector = Callable[[Model], Iterator[Element]]


def _nodes(kind_of: type[Element], test: Callable[[Element], bool] = lambda _: True) -> Detector:
    def detect(model: Model) -> Iterator[Element]:
        for scope in model.executed:
            yield from (node for node in scope.nodes.values() if isinstance(node, kind_of) and test(node))

    return detect


def _loops(test: Callable[[object], bool]) -> Detector:
    return _nodes(Activity, lambda a: test(getattr(a, "loop", None)))


def _within(kind_of: type[Element], test: Callable[[Element], bool]) -> Detector:
    def detect(model: Model) -> Iterator[Element]:
        for process in model.definitions.processes:
            if process.is_executable:
                yield from (e for e in elements(process) if isinstance(e, kind_of) and test(e))

    return detect


def _process_compensation(model: Model) -> Iterator[Element]:
    for scope, event in model.run(Event):
        container = scope.container
        in_process = scope.parent is not None and isinstance(scope.parent.container, Process)
        catches = any(isinstance(d, CompensateEventDefinition) for d in event.definitions)
        if event_position(event, container) == "event-subprocess" and in_process and catches:
            yield event


def _correlation(model: Model) -> Iterator[Element]:
    """Keys of collaborations in which something runs (or that name nobody), and subscriptions."""
    running = {process.id for process in model.definitions.processes if process.is_executable}
    for collaboration in model.definitions.collaborations:
        pools = {participant.process for participant in collaboration.participants}
        if collaboration.correlation_keys and (not pools or pools & running):
            yield collaboration
    yield from (p for p in model.definitions.processes if p.is_executable and p.correlation_subscriptions)


_PLACEHOLDER = "__targetRef_placeholder"
# What bpmn.io gives a drawn association as its target.


def _store_data(model: Model) -> Iterator[Element]:
    """Nodes whose data associations do move data from or to a data store."""
    stores = {s.id for scope in model.executed for s in scope.container.data_store_references}
    for _, node in model.run(FlowNode):
        drawn = {p.id for p in getattr(node, "properties", ()) if p.name == _PLACEHOLDER}
        inputs: tuple[DataAssociation, ...] = getattr(node, "input_associations", ())
        outputs: tuple[DataAssociation, ...] = getattr(node, "output_associations", ())
        reads = any(stores.intersection(a.sources) and a.target not in drawn for a in inputs)
        if reads or any(a.target in stores and (a.sources or a.assignments) for a in outputs):
            yield node


def _attribute(name: str) -> Callable[[Element], bool]:
    return lambda element: bool(getattr(element, name))


def _method(element: Element) -> bool:
    assert isinstance(element, Transaction)
    return element.method.lower().removeprefix("##") not in ("", "compensate", "store", "image")


DETECT: dict[str, Detector] = {
    "task": _nodes(Task, lambda t: type(t) is Task),
    "manualTask": _nodes(ManualTask),
    "serviceTask": _nodes(ServiceTask),
    "sendTask": _nodes(SendTask),
    "receiveTask": _nodes(ReceiveTask),
    "receiveTask.instantiate": _nodes(ReceiveTask, _attribute("instantiate")),
    "instantiate.after-start": lambda model: (
        node
        for scope, node in model.run(FlowNode)
        if instantiates(node)
        and len(node.incoming) == 1
        and isinstance(scope.nodes.get(scope.incoming(node)[0].source), StartEvent)
    ),
    "userTask": _nodes(UserTask),
    "scriptTask": _nodes(ScriptTask),
    "businessRuleTask": _nodes(BusinessRuleTask),
    "callActivity": _nodes(CallActivity),
    "subProcess": _nodes(SubProcess, lambda s: type(s) is SubProcess and not s.triggered_by_event),
    "eventSubProcess": _nodes(SubProcess, _attribute("triggered_by_event")),
    "transaction": _nodes(Transaction),
    "transaction.method": _nodes(Transaction, _method),
    "adHocSubProcess.parallel": _nodes(AdHocSubProcess, lambda a: getattr(a, "ordering", "") == "Parallel"),
    "adHocSubProcess.sequential": _nodes(
        AdHocSubProcess, lambda a: getattr(a, "ordering", "") == "Sequential"
    ),
    "adHocSubProcess.job": _nodes(AdHocSubProcess, lambda a: a.extensions.task_definition is not None),
    "adHocSubProcess.output": _nodes(
        AdHocSubProcess,
        lambda a: a.extensions.ad_hoc is not None and bool(a.extensions.ad_hoc.output_collection),
    ),
    "loop.standard": _loops(lambda loop: isinstance(loop, StandardLoopCharacteristics)),
    "loop.parallel": _loops(
        lambda loop: isinstance(loop, MultiInstanceLoopCharacteristics) and not loop.is_sequential
    ),
    "loop.sequential": _loops(
        lambda loop: isinstance(loop, MultiInstanceLoopCharacteristics) and loop.is_sequential
    ),
    "loop.behavior": _loops(
        lambda loop: (
            isinstance(loop, MultiInstanceLoopCharacteristics)
            and loop.behavior is not MultiInstanceBehavior.ALL
        )
    ),
    "activity.startQuantity": _nodes(Activity, lambda a: getattr(a, "start_quantity", 1) > 1),
    "activity.completionQuantity": _nodes(Activity, lambda a: getattr(a, "completion_quantity", 1) > 1),
    "activity.flows": _nodes(Activity, lambda a: len(getattr(a, "outgoing", ())) > 1),
    "activity.compensation": _nodes(Activity, _attribute("is_for_compensation")),
    "activity.io": _nodes(Activity, _attribute("io")),
    "data.streaming": _within(IoSpecification, _attribute("streaming")),
    "data.transformation": _within(Element, lambda e: getattr(e, "transformation", None) is not None),
    "process.io": _within(Process, _attribute("io")),
    "dataObject": _within(Process, _attribute("data_objects")),
    "dataStore": _within(Process, _attribute("data_store_references")),
    "dataStore.data": _store_data,
    "exclusiveGateway": _nodes(ExclusiveGateway),
    "inclusiveGateway": _nodes(InclusiveGateway),
    "parallelGateway": _nodes(ParallelGateway),
    "complexGateway": _nodes(ComplexGateway),
    "eventBasedGateway": _nodes(EventBasedGateway),
    "eventBasedGateway.instantiate": _nodes(EventBasedGateway, _attribute("instantiate")),
    "eventBasedGateway.parallel": _nodes(
        EventBasedGateway, lambda g: getattr(g, "event_gateway_type", "") == "Parallel"
    ),
    "event.reference": lambda model: iter(model.definitions.event_definitions),
    "event.process-compensation": _process_compensation,
    "messageFlow": lambda model: (f for c in model.definitions.collaborations for f in c.message_flows),
    "lane": _within(Process, _attribute("lanes")),
    "correlation": _correlation,
    "resource": _nodes(Activity, _attribute("resources")),
    "resource.parameters": _nodes(Activity, _attribute("resource_parameters")),
}
"""How each entry of ``support.FEATURES`` is recognised in a model."""


def not_executed(model: Model) -> Iterator[Problem]:
    for key, advice in NOT_EXECUTED.items():
        if key in DETECT:
            for element in DETECT[key](model):
                what = f"<{element.tag}>" if hasattr(element, "tag") else f"this {kind(element)}"
                yield Problem(element, f"{what} uses what flowkit does not execute ({key}).", advice)
    for scope, event in model.run(Event):
        position = event_position(event, scope.container)
        cell = NOT_EXECUTED.get(f"{event_kind(event)}@{position}")
        if cell is not None:
            yield Problem(event, f"'{event_kind(event)}' as {POSITIONS[position]} is not executed.", cell)


RULES: tuple[Rule, ...] = (
    error("no-executable-process", "A file that is deployed holds something to run.", no_executable_process),
    information(
        "process-not-executable", "A process that is not executable is not run.", process_not_executable
    ),
    error("public-process", "An executable process is private.", public_process),
    error("not-a-flow-element", "A process holds what belongs into a process.", not_a_flow_element),
    information("not-run", "Conversations and choreographies describe; they run nothing.", not_run),
    warning("transaction-method", "A cancelled transaction is undone by compensation.", transaction_method),
    error("must-understand", "The file demands nothing that flowkit does not know.", must_understand),
    error("import-of-bpmn", "A file imports no other diagram.", import_of_bpmn),
    warning("import-not-read", "A file that is imported is not read.", import_not_read),
    error("not-executed", "What flowkit does not execute is refused.", not_executed),
)
