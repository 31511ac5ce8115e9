"""Activities: does each one say what it does?"""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.bpmn.lint.model import Model, Problem, Rule, a, error, warning
from flowkit.bpmn.lint.walk import elements
from flowkit.bpmn.model import (
    Activity,
    AdHocSubProcess,
    BusinessRuleTask,
    CallActivity,
    EndEvent,
    EventDefinition,
    FlowNode,
    GlobalTask,
    MessageEventDefinition,
    Process,
    ReceiveTask,
    ScriptTask,
    SendTask,
    ServiceTask,
    StartEvent,
    ThrowEvent,
    UserTask,
)
from flowkit.bpmn.parse_reader import normal_language

__all__ = ["RULES", "can_be_called", "is_feel"]


def is_feel(script_format: str) -> bool:
    """Does a script format (a MIME type, a URI, or what modelers write instead) name FEEL?"""
    lowered = script_format.strip().lower()
    return not normal_language(lowered) or lowered.split("/")[-1].removeprefix("x-") == "feel"


def nothing_to_do(model: Model) -> Iterator[Problem]:
    implemented = {o.id for o in model.definitions.operations if o.implementation or o.name}
    for _, task in model.run(Activity):
        if task.extensions.task_definition is not None:
            continue
        if isinstance(task, ServiceTask) and not task.implementation and task.operation not in implemented:
            yield Problem(
                task,
                "the service task names no job type: nothing would be done.",
                "Set zeebe:taskDefinition type.",
            )
        elif isinstance(task, SendTask) and not (
            task.message or task.implementation or task.operation in implemented
        ):
            yield Problem(
                task,
                "the send task names no message and no job type.",
                "Choose a message, or set a job type.",
            )
        elif isinstance(task, BusinessRuleTask) and not (
            task.extensions.called_decision or task.implementation
        ):
            yield Problem(
                task,
                "the business rule task names no decision and no job type.",
                "Set zeebe:calledDecision, or a job type.",
            )

    for found in model.definitions.global_tasks:
        extensions = found.extensions
        given = extensions.task_definition or extensions.called_decision or _own_implementation(found)
        if found.kind == "globalBusinessRuleTask" and not given:
            yield Problem(
                found,
                "the global business rule task names no decision and no job type.",
                "Set zeebe:calledDecision, or a job type.",
            )


def _own_implementation(task: GlobalTask) -> str:
    """The technology, where it is none of the standard's placeholders."""
    return "" if task.implementation.startswith("##") else task.implementation


def _has_job_type(node: FlowNode | GlobalTask) -> bool:
    definition = node.extensions.task_definition
    return definition is not None and bool(definition.type)


def empty_job_type(model: Model) -> Iterator[Problem]:
    for _, node in model.run(FlowNode):
        definition = node.extensions.task_definition
        if definition is not None and not definition.type:
            yield Problem(node, "the job type is empty.", "Write the type that a handler is registered for.")
        elif definition is not None and not _is_count(definition.retries):
            yield Problem(
                node,
                f"retries is '{definition.retries}', which is neither a whole number nor FEEL with '='.",
                "Write a number such as 3.",
            )


def _is_count(text: str) -> bool:
    return not text or text.startswith("=") or text.isdecimal()


def unknown_job_type(model: Model) -> Iterator[Problem]:
    if model.job_types is None:
        return
    known = ", ".join(sorted(model.job_types)) or "none"
    for _, node in model.run(FlowNode):
        job_type = _job_type(node)
        if job_type and not job_type.startswith("=") and job_type not in model.job_types:
            yield Problem(
                node,
                f"no handler is registered for the job type '{job_type}'.",
                f"Known types: {known}.",
            )


def _job_type(node: FlowNode) -> str:
    if node.extensions.task_definition is not None:
        return node.extensions.task_definition.type
    if isinstance(node, SendTask) and node.message:
        return ""
    return getattr(node, "implementation", "")


def unsupported_implementation(model: Model) -> Iterator[Problem]:
    for _, task in model.run(UserTask):
        if task.implementation:
            yield Problem(
                task,
                f"the implementation '{task.implementation}' is not run: flowkit keeps the task list itself.",
                "Remove the attribute.",
            )
    for _, receive in model.run(ReceiveTask):
        if receive.implementation:
            yield Problem(
                receive,
                f"the implementation '{receive.implementation}' is not run: messages come by publish().",
                "Remove the attribute.",
            )

    for found in model.definitions.global_tasks:
        if found.kind == "globalUserTask" and _own_implementation(found):
            yield Problem(
                found,
                f"the implementation '{found.implementation}' is not run: flowkit keeps its own task list.",
                "Remove the attribute.",
            )


def script_format(model: Model) -> Iterator[Problem]:
    for _, task in model.all(ScriptTask):
        if task.script is not None and task.script.text and not task.script_format:
            yield Problem(
                task, "the script has no scriptFormat.", 'Set scriptFormat="feel" (10.3.3: it must be given).'
            )
    for found in model.definitions.global_tasks:
        if found.script is not None and found.script.text and not found.script_format:
            yield Problem(found, "the script has no scriptLanguage.", 'Set scriptLanguage="feel".')


def unsupported_script(model: Model) -> Iterator[Problem]:
    for _, task in model.run(ScriptTask):
        if _has_job_type(task) or task.extensions.script is not None:
            continue
        if not is_feel(task.script_format):
            yield Problem(
                task,
                f"the script is written in '{task.script_format}'; only FEEL runs inside the engine.",
                "Write it in FEEL, or set a job type and run it in a handler.",
            )
        elif task.script is None or not task.script.text:
            yield Problem(task, "the script task has no script.", "Write a FEEL script, or set a job type.")
    for found in model.definitions.global_tasks:
        if found.kind == "globalScriptTask" and not is_feel(found.script_format):
            yield Problem(
                found,
                f"the script is written in '{found.script_format}'; only FEEL runs inside the engine.",
                "Write it in FEEL.",
            )
        elif found.kind == "globalScriptTask" and not (_has_job_type(found) or _script_of(found)):
            yield Problem(found, "the script task has no script.", "Write a FEEL script, or set a job type.")


def _script_of(task: GlobalTask) -> str:
    own = task.extensions.script
    if own is not None:
        return own.expression
    return task.script.text if task.script is not None else ""


def missing_result_variable(model: Model) -> Iterator[Problem]:
    for _, node in model.run(FlowNode):
        decision, script = node.extensions.called_decision, node.extensions.script
        if decision is not None and not decision.decision_id:
            yield Problem(node, "zeebe:calledDecision names no decision.", "Set decisionId.")
        for what in (decision, script):
            if what is not None and not what.result_variable:
                yield Problem(node, "no variable takes the result.", "Set resultVariable.")


def missing_called_element(model: Model) -> Iterator[Problem]:
    for _, call in model.run(CallActivity):
        called = call.extensions.called_element
        if not call.called_element and (called is None or not called.process_id):
            yield Problem(
                call,
                "the call activity names nothing to call.",
                "Set zeebe:calledElement processId, or calledElement.",
            )


def called_process(model: Model) -> Iterator[Problem]:
    processes = {process.id: process for process in model.definitions.processes}
    callable_ids = processes.keys() | {task.id for task in model.definitions.global_tasks}
    known = {element.id for element in elements(model.definitions)}
    uncallable = {process.id for process in model.definitions.processes if not can_be_called(process)}
    for _, call in model.run(CallActivity):
        called = call.extensions.called_element
        target = (called.process_id if called else "") or call.called_element
        if target in known and target not in callable_ids:
            yield Problem(
                call,
                f"'{target}' is not a process or global task.",
                "Call a process or a global task.",
            )
        process = processes.get(target)
        if process is None:
            continue
        if not process.is_executable:
            yield Problem(
                call, f"the called process '{target}' is not executable.", "Set isExecutable on it."
            )
        elif target in uncallable:
            yield Problem(
                call,
                f"the called process '{target}' has not just one none start event, so it can't be called.",
                "Give it exactly one start event without a trigger (13.3.3).",
            )


def can_be_called(process: Process) -> bool:
    """Has the process one start event without a trigger, or none at all?"""
    starts = [node for node in process.nodes if isinstance(node, StartEvent)]
    return not starts or sum(not start.definitions for start in starts) == 1


def invalid_binding(model: Model) -> Iterator[Problem]:
    for _, node in model.run(FlowNode):
        extensions = node.extensions
        for reference in (extensions.called_element, extensions.called_decision, extensions.form):
            if reference is None:
                continue
            if reference.binding not in ("latest", "deployment", "versionTag"):
                yield Problem(
                    node,
                    f"the binding '{reference.binding}' is not known.",
                    "Use latest, deployment or versionTag.",
                )
            elif reference.binding == "versionTag" and not reference.version_tag:
                yield Problem(
                    node, "the binding is versionTag, but no versionTag is given.", "Set versionTag."
                )


def quantity(model: Model) -> Iterator[Problem]:
    for _, activity in model.activities():
        for name, value in (
            ("startQuantity", activity.start_quantity),
            ("completionQuantity", activity.completion_quantity),
        ):
            if value < 1:
                yield Problem(activity, f"{name} is {value}; it must be 1 or more.", "Remove it.")


def ad_hoc_content(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        if not isinstance(scope.container, AdHocSubProcess):
            continue
        for node in scope.nodes.values():
            if isinstance(node, StartEvent | EndEvent):
                yield Problem(
                    node,
                    f"an ad-hoc subprocess must not hold {a(node)}.",
                    "Its activities start by choice and end with its completion condition; remove the event.",
                )


def ad_hoc_output(model: Model) -> Iterator[Problem]:
    for _, node in model.run(AdHocSubProcess):
        ad_hoc = node.extensions.ad_hoc
        if ad_hoc is not None and bool(ad_hoc.output_collection) != bool(ad_hoc.output_element):
            given, missing = ("outputCollection", "outputElement")[:: 1 if ad_hoc.output_collection else -1]
            yield Problem(
                node,
                f"{given} is set, but {missing} is not: nothing would be collected.",
                f"Set {missing} too, or remove both.",
            )


def ad_hoc_job(model: Model) -> Iterator[Problem]:
    for _, node in model.run(AdHocSubProcess):
        if node.extensions.task_definition is None:
            continue
        ad_hoc = node.extensions.ad_hoc
        if node.completion_condition is not None or (ad_hoc is not None and ad_hoc.active_elements):
            yield Problem(
                node,
                "a worker directs the ad-hoc subprocess, but a completionCondition or "
                "activeElementsCollection is given too.",
                "Remove them, or the job type: the worker says what to start, and when it is enough.",
            )
        if node.ordering == "Sequential":
            yield Problem(
                node,
                "a worker directs the ad-hoc subprocess, but its ordering is sequential.",
                "Set the ordering to Parallel: the worker starts one after the other if it likes.",
            )


def operation_message(model: Model) -> Iterator[Problem]:
    operations = {operation.id: operation for operation in model.definitions.operations}
    for _, node in model.all(FlowNode):
        places: list[tuple[str, str]] = []
        if isinstance(node, SendTask | ReceiveTask):
            places.append((node.message, node.operation))
        definitions: tuple[EventDefinition, ...] = getattr(node, "definitions", ())
        places.extend((d.message, d.operation) for d in definitions if isinstance(d, MessageEventDefinition))
        for message, reference in places:
            operation = operations.get(reference)
            if operation is None or not message:
                continue
            expected = {operation.in_message}
            if isinstance(node, ThrowEvent):
                expected.add(operation.out_message)
            if message not in expected:
                yield Problem(
                    node,
                    f"the message '{message}' is not the one of the operation '{operation.name}'.",
                    f"Use the operation's message '{operation.in_message}', or another operation.",
                )


def unnamed_user_task(model: Model) -> Iterator[Problem]:
    for _, task in model.run(UserTask):
        if not task.name.strip():
            yield Problem(
                task, "the user task has no name.", "Name it: people see the name in their task list."
            )


RULES: tuple[Rule, ...] = (
    error("nothing-to-do", "A task that runs says what it does.", nothing_to_do),
    error("empty-job-type", "A job definition has a type and a number of retries.", empty_job_type),
    error("unknown-job-type", "Every job type has a handler.", unknown_job_type),
    error(
        "unsupported-implementation",
        "People's tasks and messages have no foreign implementation.",
        unsupported_implementation,
    ),
    error("script-format", "A script says its language.", script_format),
    error("unsupported-script", "A script that runs inside the engine is FEEL.", unsupported_script),
    error(
        "missing-result-variable", "A decision or script says where its result goes.", missing_result_variable
    ),
    error("missing-called-element", "A call activity names what it calls.", missing_called_element),
    error("called-process", "What is called can be called.", called_process),
    error("invalid-binding", "A reference is bound to latest, deployment or versionTag.", invalid_binding),
    error("quantity", "Start and completion quantities are 1 or more.", quantity),
    error("ad-hoc-content", "An ad-hoc subprocess has no start and end events.", ad_hoc_content),
    error("ad-hoc-job", "A worker directs an ad-hoc subprocess alone.", ad_hoc_job),
    error("ad-hoc-output", "An ad-hoc subprocess collects something into something.", ad_hoc_output),
    error("operation-message", "A message belongs to the operation that it is used with.", operation_message),
    warning("unnamed-user-task", "A user task has a name.", unnamed_user_task),
)
