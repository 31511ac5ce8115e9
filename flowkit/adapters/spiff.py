"""SpiffWorkflow as the second opinion: lead both engines through the same walks and compare.

>>> report = verify(definitions, "Process_1")
>>> report.same, [str(gap) for gap in report.gaps]

SpiffWorkflow is imported only when a walk is taken. What it lacks is told by :func:`gaps` without it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flowkit.adapters.spiff_export import Shape, escalated, gaps, implicit_starts, to_spiff
from flowkit.bpmn import model as m
from flowkit.errors import NotFound
from flowkit.findings import Finding
from flowkit.kernel import Flow, Program, compile_process, new_instance, step
from flowkit.kernel import protocol as p
from flowkit.kernel.compile_formulas import lookup
from flowkit.kernel.state import Call, Incident, Job, Request, Timer, UserTask, Wait
from flowkit.soundness.abstract import Chooser, abstract_program

__all__ = ["Difference", "SpiffRun", "Verification", "verify"]

_NOW = datetime(2000, 1, 1, tzinfo=UTC)


class SpiffRun:
    """One instance on SpiffWorkflow: what waits, by element id.

    ``answer`` gives the value of an expression (a flow's id, a number) for one of its tasks.
    """

    def __init__(self, source: bytes, process_id: str, answer: Callable[[Any, str], bool | int]) -> None:
        from lxml import etree  # noqa: PLC0415
        from SpiffWorkflow.bpmn.parser import BpmnParser  # noqa: PLC0415
        from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine  # noqa: PLC0415
        from SpiffWorkflow.bpmn.specs.event_definitions.message import (  # noqa: PLC0415
            MessageEventDefinition,
        )
        from SpiffWorkflow.bpmn.util.event import BpmnEvent  # noqa: PLC0415
        from SpiffWorkflow.bpmn.workflow import BpmnWorkflow  # noqa: PLC0415

        class Answers(PythonScriptEngine):  # type: ignore[misc]  # SpiffWorkflow has no types
            """Expressions are asked outside."""

            def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Any:
                return answer(task, expression)

            def execute(self, task: Any, script: str, external_context: Any = None) -> bool:
                return True

        self._event, self._message = BpmnEvent, MessageEventDefinition
        self._done: dict[Any, tuple[str, tuple[int, ...]]] = {}
        parser = BpmnParser()
        parser.add_bpmn_xml(etree.fromstring(source))
        spec = parser.get_spec(process_id)
        self.workflow = BpmnWorkflow(spec, parser.get_subprocess_specs(process_id), script_engine=Answers())
        self._run()

    def _run(self) -> None:
        from SpiffWorkflow.util.task import TaskState  # noqa: PLC0415

        for _ in range(200):
            self.workflow.refresh_timers()
            # A subprocess that is interrupted takes its tasks with it: remember what they did. To ask for
            # completed tasks leaves out those in a subprocess that still runs.
            for task in self.workflow.get_tasks():
                if task.state == TaskState.COMPLETED and task.task_spec.bpmn_id:
                    self._done[task.id] = task.task_spec.bpmn_id, self.path(task)
            ready = [t for t in self.workflow.get_tasks(state=TaskState.READY) if not t.task_spec.manual]
            if not ready:
                return
            for task in ready:
                if task.state == TaskState.READY:
                    task.run()

    @property
    def over(self) -> bool:
        return bool(self.workflow.is_completed())

    def waiting(self) -> Counter[str]:
        """Manual tasks that are ready, and events that wait."""
        from SpiffWorkflow.util.task import TaskState  # noqa: PLC0415

        ready = self.workflow.get_tasks(state=TaskState.READY, manual=True)
        found = Counter(task.task_spec.bpmn_id for task in ready if task.task_spec.bpmn_id)
        for task in self.workflow.get_tasks(state=TaskState.WAITING):
            definition = getattr(task.task_spec, "event_definition", None)
            for one in getattr(definition, "event_definitions", [definition]):
                if isinstance(one, self._message):
                    found[str(one.name)] += 1
        return found

    def done(self) -> Counter[tuple[str, tuple[int, ...]]]:
        """The completed elements, each with the multi-instance activities' instances that it is in."""
        return Counter(self._done.values())

    @staticmethod
    def path(task: Any) -> tuple[int, ...]:
        """In which instances of the multi-instance activities around it a task is, the outermost first."""
        found: list[int] = []
        while task is not None:
            index = task.internal_data.get("key_or_index", task.internal_data.get("item"))
            if index is not None:
                found.insert(0, int(index))
            above = getattr(task.workflow, "parent_task_id", None)
            task = task.workflow.top_workflow.get_task_from_id(above) if above is not None else None
        return tuple(found)

    def do(self, node: str, path: tuple[int, ...] | None = None) -> bool:
        """Complete the manual task, or let the event occur, at ``node`` (in one instance of the activities
        around it); False if SpiffWorkflow waits for no such thing."""
        from SpiffWorkflow.util.task import TaskState  # noqa: PLC0415

        def there(task: Any) -> bool:
            return path is None or self.path(task) == path

        for task in self.workflow.get_tasks(state=TaskState.READY, manual=True):
            if task.task_spec.bpmn_id == node and there(task):
                task.run()
                self._run()
                return True
        event = self._event(self._message(node), {})
        waiting = [task for task in self.workflow.event_manager.tasks.values() if there(task)]
        caught = [task for task in waiting if task.task_spec.catches(task, event)]
        for task in caught:
            task.task_spec.catch(task, event)
            task.task_spec._update(task)
        self._run()
        return bool(caught)


class _KernelRun:
    """The same on flowkit's kernel, its data replaced by the choices."""

    def __init__(self, program: Program, choices: Mapping[str, bool]) -> None:
        self.program = _with_choices(program)
        self.instance = new_instance(self.program, "i")
        self._step(p.Start(dict(choices)))

    def _step(self, command: p.Command) -> None:
        step(self.program, self.instance, command, now=_NOW)

    @property
    def over(self) -> bool:
        return self.instance.status != "active"

    @property
    def stopped(self) -> bool:
        return any(isinstance(wait, Incident) for wait in self.instance.waits.values())

    def waiting(self) -> Counter[str]:
        return Counter(wait.node for wait in self.instance.waits.values())

    def do(self, node: str) -> None:
        wait = next(wait for wait in self.instance.waits.values() if wait.node == node)
        self._step(_answer(wait))


def _answer(wait: Wait) -> p.Command:
    """The command that lets the instance go on from ``wait``."""
    match wait:
        case Job():
            return p.CompleteJob(wait.key)
        case UserTask():
            return p.CompleteUserTask(wait.key)
        case Call():
            return p.CompleteCall(wait.key)
        case Request():
            return p.CompleteDecision(wait.key)
        case Timer():
            return p.FireTimer(wait.key)
    return p.DeliverMessage(wait.key)


def _with_choices(program: Program) -> Program:
    """The program with every condition read from the variable that its flow's id names, and every
    other expression fixed, as the soundness check does."""
    abstract = abstract_program(program, Chooser())

    def chosen(flow: Flow) -> Flow:
        return flow if flow.condition is None else replace(flow, condition=lookup(flow.id))

    flows = {name: chosen(flow) for name, flow in abstract.flows.items()}
    nodes = {
        name: replace(
            node,
            out=tuple(flows[flow.id] for flow in node.out),
            default=flows[node.default.id] if node.default else None,
            multi=program.nodes[name].multi,
            loop=program.nodes[name].loop,
        )
        for name, node in abstract.nodes.items()
    }
    return replace(abstract, flows=flows, nodes=nodes)


# ---- verification ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the engines parted: after ``walk`` (element ids), with these ``choices``."""

    walk: tuple[str, ...]
    choices: Mapping[str, bool]
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Does the diagram run the same on SpiffWorkflow?

    ``gaps`` are the elements that it lacks; with any of them no walk is taken. ``walks`` counts the
    walks in which both engines agreed at every step.
    """

    process: str
    gaps: tuple[Finding, ...]
    walks: int
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        return not self.gaps and not self.differences


def verify(
    definitions: m.Definitions, process_id: str, *, walks: int = 20, steps: int = 40, seed: int = 0
) -> Verification:
    """Lead both engines through ``walks`` random walks of at most ``steps`` steps and compare what
    waits, and whether it has ended, after each. Deterministic by ``seed``.

    Raises NotFound when the file has no such process, InvalidModel when it does not compile.
    """
    process = next((one for one in definitions.processes if one.id == process_id), None)
    if process is None:
        raise NotFound(f"The file has no process '{process_id}'.")
    program = compile_process(definitions, process_id)
    name = process.name or process.id
    missing = [*implicit_starts(process), *gaps(process), *_with_stores(program), *_data_driven(program)]
    if missing:
        return Verification(name, tuple(missing), 0, ())
    source = to_spiff(definitions, process, Shape(escalated=escalated(process)))
    differences = []
    agreed = 0
    for number in range(walks):
        # The generator only chooses walks; nothing of an instance depends on it.
        difference = _walk(program, source, random.Random(f"{seed}:{number}"), steps)
        if difference is None:
            agreed += 1
        else:
            differences.append(difference)
    return Verification(name, (), agreed, tuple(differences))


def _with_stores(program: Program) -> list[Finding]:
    """SpiffWorkflow refuses a data store that none of its own classes serves."""
    from flowkit.findings import Severity  # noqa: PLC0415

    message = "SpiffWorkflow knows only data stores that a class of its own serves."
    return [
        Finding("spiff-data-store", Severity.WARNING, node.location, message, "", node.id, node.name)
        for node in program.nodes.values()
        if node.reads or node.writes
    ]


def _data_driven(program: Program) -> list[Finding]:
    """Loops over data can't be walked without the data."""
    from flowkit.findings import Severity  # noqa: PLC0415

    return [
        Finding(
            "spiff-data-loop",
            Severity.INFO,
            node.location,
            "How often this runs depends on data; the walk leaves such processes out.",
            "",
            node.id,
            node.name,
        )
        for node in program.nodes.values()
        if (
            node.multi is not None
            and (node.multi.collection is not None or node.multi.completion is not None)
        )
        or (node.loop is not None and node.loop.condition is not None)
    ]


def _walk(program: Program, source: bytes, chance: random.Random, steps: int) -> Difference | None:
    conditional = [flow.id for flow in program.flows.values() if flow.condition is not None]
    choices = {flow: chance.random() < 0.5 for flow in conditional}
    ours = _KernelRun(program, choices)
    if ours.stopped:
        return None  # no flow is open with these choices: there is nothing to compare
    walk: list[str] = []
    try:
        theirs = SpiffRun(source, program.process_id, lambda _, asked: _chosen(choices, asked))
        for _ in range(steps):
            told = _compare(program, ours, theirs)
            if told:
                return Difference(tuple(walk), choices, told)
            waiting = sorted(ours.waiting())
            if ours.over or not waiting or ours.stopped:
                return None
            node = chance.choice(waiting)
            walk.append(node)
            ours.do(node)
            if ours.stopped:
                return None
            theirs.do(node)
    except Exception as error:  # whatever the other engine raises is a difference
        return Difference(tuple(walk), choices, f"SpiffWorkflow raised {type(error).__name__}: {error}")
    return None


def _chosen(choices: Mapping[str, bool], expression: str) -> bool | int:
    """A condition is the id of its flow; a cardinality is a number."""
    return choices[expression] if expression in choices else int(expression)


def _compare(program: Program, ours: _KernelRun, theirs: SpiffRun) -> str:
    if ours.over != theirs.over:
        ended, going = ("flowkit", "SpiffWorkflow") if ours.over else ("SpiffWorkflow", "flowkit")
        return f"{ended} has ended, {going} goes on"
    mine, other = ours.waiting(), theirs.waiting()
    if not ours.over and mine != other:
        here, there = _named(program, mine - other), _named(program, other - mine)
        return f"flowkit waits at {here}, SpiffWorkflow at {there}"
    return ""


def _named(program: Program, nodes: Counter[str]) -> str:
    return ", ".join(program.label(node) for node in sorted(nodes.elements())) or "nothing else"
