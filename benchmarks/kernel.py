"""The kernel against SpiffWorkflow, and how its cost grows: in memory, events recorded, CPU time of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from time import process_time
from typing import Any

from benchmarks.rows import Row
from flowkit.bpmn import parse
from flowkit.kernel import Event, Program, compile_process, encode_event, new_instance, step
from flowkit.kernel import protocol as p

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 5

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="D" targetNamespace="bench">'
)


def _chain(steps: int, task: Callable[[int], str]) -> bytes:
    nodes = "".join(task(number) for number in range(steps))
    ids = ["s", *(f"t{number}" for number in range(steps)), "e"]
    flows = "".join(
        f'<bpmn:sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}"/>'
        for number, (source, target) in enumerate(pairwise(ids))
    )
    return (
        f'{HEAD}<bpmn:process id="P" isExecutable="true"><bpmn:startEvent id="s"/>{nodes}'
        f'<bpmn:endEvent id="e"/>{flows}</bpmn:process></bpmn:definitions>'
    ).encode()


def _feel_script(number: int) -> str:
    return (
        f'<bpmn:scriptTask id="t{number}"><bpmn:extensionElements>'
        '<zeebe:script expression="=x + 1" resultVariable="x"/></bpmn:extensionElements></bpmn:scriptTask>'
    )


def _python_script(number: int) -> str:
    return f'<bpmn:scriptTask id="t{number}"><bpmn:script>x = x + 1</bpmn:script></bpmn:scriptTask>'


def _program(source: bytes) -> Program:
    return compile_process(parse(source), "P")


def _flowkit(program: Program) -> tuple[float, list[Event]]:
    started = process_time()
    instance = new_instance(program, "i")
    events = step(program, instance, p.Start({"x": 0}), now=NOW)
    taken = process_time() - started
    assert instance.status == "completed"
    return taken, events


def _spiff(source: bytes) -> Callable[[], float]:
    from lxml import etree  # noqa: PLC0415 - peers load only when they are measured
    from SpiffWorkflow.bpmn.parser import BpmnParser  # noqa: PLC0415
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow  # noqa: PLC0415
    from SpiffWorkflow.util.task import TaskState  # noqa: PLC0415

    parser = BpmnParser()
    parser.add_bpmn_xml(etree.fromstring(source))
    spec = parser.get_spec("P")

    def run() -> float:
        started = process_time()
        workflow: Any = BpmnWorkflow(spec)
        workflow.task_tree.data["x"] = 0
        while True:
            ready = [task for task in workflow.get_tasks(state=TaskState.READY) if not task.task_spec.manual]
            if not ready:
                break
            for task in ready:
                task.run()
        taken = process_time() - started
        assert workflow.is_completed()
        return taken

    return run


def _against_spiff(steps: int, goal: str) -> Row:
    program = _program(_chain(steps, _feel_script))
    peer = _spiff(_chain(steps, _python_script))
    _flowkit(program)
    ratios, ours = [], []
    for _ in range(ROUNDS):
        own = min(_flowkit(program)[0] for _ in range(5))
        ratios.append(peer() / own)
        ours.append(own / steps * 1e6)
    note = f"{median(ours):.1f} µs a step, events recorded"
    return Row(f"kernel.step_vs_spiff_{steps}", median(ratios), "×", goal, note)


# ---- how the cost grows ---------------------------------------------------------------------

LOOP = (
    f'{HEAD}<bpmn:process id="P" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:exclusiveGateway id="m"/>'
    '<bpmn:userTask id="u"><bpmn:extensionElements><zeebe:userTask/></bpmn:extensionElements></bpmn:userTask>'
    '<bpmn:scriptTask id="t"><bpmn:extensionElements><zeebe:script expression="=x + 1" resultVariable="x"/>'
    '</bpmn:extensionElements></bpmn:scriptTask><bpmn:exclusiveGateway id="g" default="back"/><bpmn:endEvent id="e"/>'
    '<bpmn:sequenceFlow id="a" sourceRef="s" targetRef="m"/><bpmn:sequenceFlow id="b" sourceRef="m" targetRef="u"/>'
    '<bpmn:sequenceFlow id="c" sourceRef="u" targetRef="t"/><bpmn:sequenceFlow id="d" sourceRef="t" targetRef="g"/>'
    '<bpmn:sequenceFlow id="back" sourceRef="g" targetRef="m"/><bpmn:sequenceFlow id="out" sourceRef="g" targetRef="e">'
    '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">=x &gt;= 10000</bpmn:conditionExpression>'
    "</bpmn:sequenceFlow></bpmn:process></bpmn:definitions>"
).encode()


def _flatness() -> float:
    """A loop of 10,000 passes with a wait in each: late passes against early ones."""
    program = _program(LOOP)
    instance = new_instance(program, "i")
    history = [encode_event(event) for event in step(program, instance, p.Start({"x": 0}), now=NOW)]
    marks = {}
    for count in range(10_000):
        if count in (100, 1_100, 9_000):
            marks[count] = process_time()
        task = next(iter(instance.waits))
        events = step(program, instance, p.CompleteUserTask(task), now=NOW)
        history += [encode_event(event) for event in events]
    assert instance.status == "completed"
    return (process_time() - marks[9_000]) / (marks[1_100] - marks[100])


MANY = (
    f'{HEAD}<bpmn:process id="P" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:userTask id="u">'
    "<bpmn:extensionElements><zeebe:userTask/></bpmn:extensionElements><bpmn:multiInstanceLoopCharacteristics>"
    '<bpmn:extensionElements><zeebe:loopCharacteristics inputCollection="=items" inputElement="item"/>'
    "</bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>"
    '<bpmn:endEvent id="e"/><bpmn:sequenceFlow id="a" sourceRef="s" targetRef="u"/>'
    '<bpmn:sequenceFlow id="b" sourceRef="u" targetRef="e"/></bpmn:process></bpmn:definitions>'
).encode()


def _parallel(program: Program, count: int) -> float:
    """Seconds an item, for ``count`` parallel instances that each wait and are completed."""
    started = process_time()
    instance = new_instance(program, "i")
    step(program, instance, p.Start({"items": list(range(count))}), now=NOW)
    for task in list(instance.waits):
        step(program, instance, p.CompleteUserTask(task), now=NOW)
    assert instance.status == "completed"
    return (process_time() - started) / count


def _scaling() -> float:
    program = _program(MANY)
    _parallel(program, 100)
    few = min(_parallel(program, 100) for _ in range(10))
    return min(_parallel(program, 10_000) for _ in range(2)) / few


def measure() -> Iterable[Row]:
    """The kernel's rows."""
    yield _against_spiff(100, ">= 50")
    yield _against_spiff(400, ">= 150")
    flat = median(_flatness() for _ in range(3))
    yield Row("kernel.flatness", flat, "×", "<= 1.15", "steps 9,001–10,000 ÷ steps 101–1,100")
    scaling = median(_scaling() for _ in range(3))
    yield Row("kernel.parallel_scaling", scaling, "×", "<= 1.5", "10,000 parallel items ÷ 100, an item")
