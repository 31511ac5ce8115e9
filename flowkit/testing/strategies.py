"""Hypothesis strategies: random processes, for testing engines, models' tools, or your own handlers.

>>> from hypothesis import given
>>> from flowkit.testing.strategies import processes
>>> @given(processes())
... def test_my_tool(process): my_tool(process.bpmn)

:func:`structured` gives processes built of nested blocks, which can always be completed;
:func:`unstructured` gives any graph of activities and gateways, which may well deadlock;
:func:`processes` gives either. None of them has a loop without a wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

__all__ = ["RandomProcess", "processes", "structured", "unstructured"]

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="Definitions" targetNamespace="random">'
)

FLAGS = ("b0", "b1", "b2")
"""The boolean variables that conditions read."""

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class RandomProcess:
    """A BPMN file with the one process ``Process``, and the variables to start it with.

    User tasks wait to be completed; messages have ids of their own, timers are of an hour. ``again``
    is read after a user task in a loop: true runs the loop once more.
    """

    bpmn: bytes
    variables: dict[str, bool]

    def __repr__(self) -> str:
        return f"RandomProcess({self.variables}, {self.bpmn.decode()})"


@dataclass
class _Sheet:
    """What has been drawn so far: the XML of each container, innermost last."""

    draw: Draw
    counter: int = 0
    containers: list[list[str]] = field(default_factory=lambda: [[]])
    artifacts: list[list[str]] = field(default_factory=lambda: [[]])
    """What the schema wants after the nodes and flows of each container."""
    roots: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Begin a subprocess."""
        self.containers.append([])
        self.artifacts.append([])

    def close(self) -> str:
        """End it; what it holds."""
        return "".join([*self.containers.pop(), *self.artifacts.pop()])

    def node(self, tag: str, prefix: str, inner: str = "", **attributes: object) -> str:
        self.counter += 1
        name = f"{prefix}{self.counter}"
        given = "".join(f' {key}="{str(value).lower()}"' for key, value in attributes.items())
        for key, value in attributes.items():
            if key.endswith(("Ref", "default")):
                given = given.replace(f'{key}="{str(value).lower()}"', f'{key}="{value}"')
        self.containers[-1].append(f'<bpmn:{tag} id="{name}"{given}>{inner}</bpmn:{tag}>')
        return name

    def flow(self, source: str, target: str, condition: str = "", name: str = "") -> str:
        self.counter += 1
        flow = name or f"f{self.counter}"
        inner = (
            f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">={condition}'
            "</bpmn:conditionExpression>"
            if condition
            else ""
        )
        self.containers[-1].append(
            f'<bpmn:sequenceFlow id="{flow}" sourceRef="{source}" targetRef="{target}">{inner}'
            "</bpmn:sequenceFlow>"
        )
        return flow

    def message(self) -> str:
        self.counter += 1
        name = f"m{self.counter}"
        self.roots.append(f'<bpmn:message id="{name}" name="{name}"/>')
        return f'<bpmn:messageEventDefinition messageRef="{name}"/>'

    def trigger(self) -> str:
        """What an event waits for: a message, or a timer that somebody fires."""
        if self.chance(3):
            return (
                '<bpmn:timerEventDefinition><bpmn:timeDuration xsi:type="bpmn:tFormalExpression">PT1H'
                "</bpmn:timeDuration></bpmn:timerEventDefinition>"
            )
        return self.message()

    def reserve(self) -> str:
        self.counter += 1
        return f"f{self.counter}"

    def chance(self, one_in: int) -> bool:
        return bool(self.draw(st.integers(1, one_in)) == 1)

    def flag(self) -> str:
        return str(self.draw(st.sampled_from(FLAGS)))

    def file(self) -> bytes:
        body = "".join([*self.containers[0], *self.artifacts[0]])
        return (
            f"{_HEAD}{''.join(self.roots)}"
            f'<bpmn:process id="Process" isExecutable="true">{body}</bpmn:process></bpmn:definitions>'
        ).encode()


Ends = tuple[str, str]
"""The first and the last node of a block."""


# ---- blocks ---------------------------------------------------------------------------------


def _task(sheet: _Sheet, depth: int) -> Ends:
    name = sheet.node("task", "t")
    return name, name


def _user(sheet: _Sheet, depth: int) -> Ends:
    name = sheet.node("userTask", "u", "<bpmn:extensionElements><zeebe:userTask/></bpmn:extensionElements>")
    return name, name


def _instances(sheet: _Sheet, most: int) -> str:
    """Multi-instance characteristics, parallel or sequential."""
    count = sheet.draw(st.integers(0, most))
    sequential = sheet.draw(st.booleans())
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f'<bpmn:loopCardinality xsi:type="bpmn:tFormalExpression">={count}</bpmn:loopCardinality>'
        "</bpmn:multiInstanceLoopCharacteristics>"
    )


def _many(sheet: _Sheet, depth: int) -> Ends:
    """Multi-instance user tasks, up to three."""
    loop = _instances(sheet, 3)
    extension = "<bpmn:extensionElements><zeebe:userTask/></bpmn:extensionElements>"
    name = sheet.node("userTask", "u", extension + loop)
    return name, name


def _repeat(sheet: _Sheet, depth: int) -> Ends:
    """A standard loop."""
    most = sheet.draw(st.integers(1, 3))
    name = sheet.node("task", "t", f'<bpmn:standardLoopCharacteristics loopMaximum="{most}"/>')
    return name, name


def _sequence(sheet: _Sheet, depth: int) -> Ends:
    first, last = _block(sheet, depth)
    for _ in range(sheet.draw(st.integers(0, 2))):
        start, end = _block(sheet, depth)
        sheet.flow(last, start)
        last = end
    return first, last


def _split(tag: str) -> Callable[[_Sheet, int], Ends]:
    def block(sheet: _Sheet, depth: int) -> Ends:
        default = sheet.reserve()
        options = {} if tag == "parallelGateway" else {"default": default}
        fork = sheet.node(tag, "g", **options)
        join = sheet.node(tag, "j")
        count = sheet.draw(st.integers(2, 3))
        for number in range(count):
            plain = tag == "parallelGateway" or number == count - 1
            name = default if tag != "parallelGateway" and number == count - 1 else ""
            condition = "" if plain else sheet.flag()
            if sheet.chance(4):
                sheet.flow(fork, join, condition, name)
                continue
            start, end = _sequence(sheet, depth - 1)
            sheet.flow(fork, start, condition, name)
            sheet.flow(end, join)
        return fork, join

    return block


def _loop(sheet: _Sheet, depth: int) -> Ends:
    """Back to the start for as long as ``again`` is true; there is always a user task inside."""
    leave = sheet.reserve()
    join = sheet.node("exclusiveGateway", "g")
    start, end = _sequence(sheet, depth - 1)
    user, _ = _user(sheet, depth)
    split = sheet.node("exclusiveGateway", "g", default=leave)
    after = sheet.node("task", "t")
    sheet.flow(join, start)
    sheet.flow(end, user)
    sheet.flow(user, split)
    sheet.flow(split, join, "again")
    sheet.flow(split, after, name=leave)
    return join, after


def _events(sheet: _Sheet, depth: int) -> Ends:
    """An event-based gateway with two events."""
    gateway = sheet.node("eventBasedGateway", "g")
    join = sheet.node("exclusiveGateway", "j")
    for _ in range(2):
        event = sheet.node("intermediateCatchEvent", "c", sheet.trigger())
        sheet.flow(gateway, event)
        start, end = _sequence(sheet, depth - 1)
        sheet.flow(event, start)
        sheet.flow(end, join)
    return gateway, join


def _catch(sheet: _Sheet, depth: int) -> Ends:
    name = sheet.node("intermediateCatchEvent", "c", sheet.trigger())
    return name, name


def _guarded(sheet: _Sheet, depth: int) -> Ends:
    """An activity with a boundary event; both ways meet again in an exclusive gateway."""
    start, end = _subprocess(sheet, depth - 1) if depth > 1 and sheet.chance(2) else _user(sheet, depth)
    interrupting = sheet.draw(st.booleans())
    event = sheet.node(
        "boundaryEvent", "b", sheet.trigger(), attachedToRef=start, cancelActivity=interrupting
    )
    handled, last = _sequence(sheet, depth - 1)
    sheet.flow(event, handled)
    if not interrupting:
        over = sheet.node("endEvent", "e")
        sheet.flow(last, over)
        return start, end
    join = sheet.node("exclusiveGateway", "j")
    sheet.flow(end, join)
    sheet.flow(last, join)
    return start, join


def _subprocess(sheet: _Sheet, depth: int) -> Ends:
    """An embedded subprocess, perhaps with an event subprocess, a terminate end or an error end."""
    sheet.open()
    begin = sheet.node("startEvent", "s")
    start, end = _sequence(sheet, depth - 1)
    finish = sheet.node(
        "endEvent", "e", sheet.draw(st.sampled_from(["", "<bpmn:terminateEventDefinition/>"]))
    )
    sheet.flow(begin, start)
    sheet.flow(end, finish)
    if sheet.chance(3):
        sheet.open()
        trigger = sheet.node("startEvent", "s", sheet.trigger(), isInterrupting=sheet.draw(st.booleans()))
        handled, last = _block(sheet, 0)
        over = sheet.node("endEvent", "e")
        sheet.flow(trigger, handled)
        sheet.flow(last, over)
        inner = sheet.close()
        sheet.node("subProcess", "h", inner, triggeredByEvent=True)
    inner = sheet.close()
    loop = _instances(sheet, 2) if sheet.chance(4) else ""
    name = sheet.node("subProcess", "p", loop + inner)
    return name, name


def _failing(sheet: _Sheet, depth: int) -> Ends:
    """A subprocess that may end with an error, caught on its boundary."""
    sheet.counter += 1
    error = f"x{sheet.counter}"
    sheet.roots.append(f'<bpmn:error id="{error}" name="{error}" errorCode="{error}"/>')
    definition = f'<bpmn:errorEventDefinition errorRef="{error}"/>'
    sheet.open()
    default = sheet.reserve()
    begin = sheet.node("startEvent", "s")
    start, end = _sequence(sheet, depth - 1)
    split = sheet.node("exclusiveGateway", "g", default=default)
    bad, good = sheet.node("endEvent", "e", definition), sheet.node("endEvent", "e")
    sheet.flow(begin, start)
    sheet.flow(end, split)
    sheet.flow(split, bad, sheet.flag())
    sheet.flow(split, good, name=default)
    inner = sheet.close()
    loop = _instances(sheet, 2) if sheet.chance(4) else ""
    name = sheet.node("subProcess", "p", loop + inner)
    caught = sheet.draw(st.sampled_from([definition, "<bpmn:errorEventDefinition/>"]))
    event = sheet.node("boundaryEvent", "b", caught, attachedToRef=name)
    join = sheet.node("exclusiveGateway", "j")
    sheet.flow(name, join)
    sheet.flow(event, join)
    return name, join


def _link(sheet: _Sheet, depth: int) -> Ends:
    """A pair of link events."""
    sheet.counter += 1
    definition = f'<bpmn:linkEventDefinition name="l{sheet.counter}"/>'
    source = sheet.node("intermediateThrowEvent", "l", definition)
    return source, sheet.node("intermediateCatchEvent", "l", definition)


def _fan(sheet: _Sheet, depth: int) -> Ends:
    """Conditional flows, perhaps plain ones and a default, out of a task; an inclusive join after them."""
    default = sheet.reserve()
    fork = sheet.node("task", "t", default=default)
    join = sheet.node("inclusiveGateway", "j")
    for number in range(sheet.draw(st.integers(2, 3))):
        condition = sheet.flag() if number == 1 or (number and sheet.chance(2)) else ""
        start, end = _sequence(sheet, depth - 1)
        sheet.flow(fork, start, condition, "" if number else default)
        sheet.flow(end, join)
    return fork, join


def _escalating(sheet: _Sheet, depth: int) -> Ends:
    """A subprocess that escalates on its way or at its end, perhaps caught on its boundary."""
    sheet.counter += 1
    code = f"x{sheet.counter}"
    sheet.roots.append(f'<bpmn:escalation id="{code}" name="{code}" escalationCode="{code}"/>')
    definition = f'<bpmn:escalationEventDefinition escalationRef="{code}"/>'
    sheet.open()
    begin = sheet.node("startEvent", "s")
    start, end = _sequence(sheet, depth - 1)
    sheet.flow(begin, start)
    if sheet.chance(2):
        on_the_way = sheet.node("intermediateThrowEvent", "c", definition)
        sheet.flow(end, on_the_way)
        after, end = _block(sheet, 0)
        sheet.flow(on_the_way, after)
        finish = sheet.node("endEvent", "e")
    else:
        finish = sheet.node("endEvent", "e", definition)
    sheet.flow(end, finish)
    inner = sheet.close()
    name = sheet.node("subProcess", "p", inner)
    if sheet.chance(4):
        return name, name
    interrupting = sheet.draw(st.booleans())
    caught = sheet.draw(st.sampled_from([definition, "<bpmn:escalationEventDefinition/>"]))
    event = sheet.node("boundaryEvent", "b", caught, attachedToRef=name, cancelActivity=interrupting)
    if not interrupting:
        sheet.flow(event, sheet.node("endEvent", "e"))
        return name, name
    join = sheet.node("exclusiveGateway", "j")
    sheet.flow(name, join)
    sheet.flow(event, join)
    return name, join


def _undoable(sheet: _Sheet) -> Ends:
    """A task with its compensation handler; the association is written when the scope is closed."""
    task, _ = _task(sheet, 0)
    event = sheet.node("boundaryEvent", "b", "<bpmn:compensateEventDefinition/>", attachedToRef=task)
    handler = sheet.node("task", "h", isForCompensation=True)
    sheet.counter += 1
    ends = f'sourceRef="{event}" targetRef="{handler}"'
    sheet.artifacts[-1].append(f'<bpmn:association id="a{sheet.counter}" associationDirection="One" {ends}/>')
    return task, task


def _undoing(sheet: _Sheet, depth: int) -> Ends:
    """Work that can be undone, and an event that undoes all that its scope has done so far."""
    first, last = _undoable(sheet)
    start, end = _sequence(sheet, depth - 1)
    sheet.flow(last, start)
    thrower = sheet.node("intermediateThrowEvent", "c", "<bpmn:compensateEventDefinition/>")
    sheet.flow(end, thrower)
    return first, thrower


def _transaction(sheet: _Sheet, depth: int) -> Ends:
    """A transaction that may be cancelled, which undoes what it has done."""
    sheet.open()
    default = sheet.reserve()
    begin = sheet.node("startEvent", "s")
    first, last = _undoable(sheet)
    start, end = _sequence(sheet, depth - 1)
    split = sheet.node("exclusiveGateway", "g", default=default)
    cancel = sheet.node("endEvent", "e", "<bpmn:cancelEventDefinition/>")
    good = sheet.node("endEvent", "e")
    sheet.flow(begin, first)
    sheet.flow(last, start)
    sheet.flow(end, split)
    sheet.flow(split, cancel, sheet.flag())
    sheet.flow(split, good, name=default)
    name = sheet.node("transaction", "p", sheet.close())
    event = sheet.node("boundaryEvent", "b", "<bpmn:cancelEventDefinition/>", attachedToRef=name)
    join = sheet.node("exclusiveGateway", "j")
    sheet.flow(name, join)
    sheet.flow(event, join)
    return name, join


_LEAVES = (_task, _user, _many, _repeat, _catch, _link)
_BLOCKS = (
    *_LEAVES,
    _split("exclusiveGateway"),
    _split("parallelGateway"),
    _split("inclusiveGateway"),
    _loop,
    _events,
    _guarded,
    _fan,
    _subprocess,
    _failing,
    _escalating,
    _undoing,
    _transaction,
)


def _block(sheet: _Sheet, depth: int) -> Ends:
    choices = _BLOCKS if depth > 0 else _LEAVES
    block: Callable[[_Sheet, int], Ends] = choices[sheet.draw(st.integers(0, len(choices) - 1))]
    return block(sheet, depth)


_VARIABLES = st.fixed_dictionaries({flag: st.booleans() for flag in FLAGS})


@st.composite
def structured(draw: Draw, max_depth: int = 3) -> RandomProcess:
    """Processes of nested blocks: every gateway and event kind, subprocesses, loops."""
    sheet = _Sheet(draw)
    begin = sheet.node("startEvent", "s")
    start, end = _sequence(sheet, max_depth)
    finish = sheet.node("endEvent", "e")
    sheet.flow(begin, start)
    sheet.flow(end, finish)
    return RandomProcess(sheet.file(), {**draw(_VARIABLES), "again": False})


@st.composite
def unstructured(draw: Draw, max_nodes: int = 10) -> RandomProcess:
    """Any graph: flows lead forward, or back from a user task; joins may wait for ever."""
    sheet = _Sheet(draw)
    kinds = st.sampled_from(
        ["task", "userTask", "userTask", "exclusiveGateway", "parallelGateway", "inclusiveGateway"]
    )
    tags = [draw(kinds) for _ in range(draw(st.integers(2, max_nodes)))]
    flows: list[list[tuple[int, str]]] = [[] for _ in tags]
    for index, tag in enumerate(tags):
        low = 0 if tag == "userTask" else index + 1
        targets = st.integers(min(low, len(tags)), len(tags))
        count = draw(st.integers(1, 3 if tag.endswith("Gateway") else 2))
        flows[index] = [(draw(targets), sheet.flag()) for _ in range(count)]
    names = [f"n{index}" for index in range(len(tags))]
    body = ['<bpmn:startEvent id="s"/>', '<bpmn:sequenceFlow id="f_s" sourceRef="s" targetRef="n0"/>']
    ends = 0
    for index, tag in enumerate(tags):
        decides = tag in ("exclusiveGateway", "inclusiveGateway")
        decides = decides or (tag != "parallelGateway" and len(flows[index]) > 1 and draw(st.booleans()))
        default = f' default="f{index}_0"' if decides else ""
        marker = (
            "<bpmn:extensionElements><zeebe:userTask/></bpmn:extensionElements>" if tag == "userTask" else ""
        )
        body.append(f'<bpmn:{tag} id="{names[index]}"{default}>{marker}</bpmn:{tag}>')
        for number, (target, flag) in enumerate(flows[index]):
            name = names[target] if target < len(tags) else f"e{ends}"
            if target >= len(tags):
                body.append(f'<bpmn:endEvent id="e{ends}"/>')
                ends += 1
            condition = (
                f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">={flag}'
                "</bpmn:conditionExpression>"
                if default and number
                else ""
            )
            body.append(
                f'<bpmn:sequenceFlow id="f{index}_{number}" sourceRef="{names[index]}" targetRef="{name}">'
                f"{condition}</bpmn:sequenceFlow>"
            )
    sheet.containers[0] = body
    return RandomProcess(sheet.file(), {**draw(_VARIABLES), "again": False})


def processes() -> st.SearchStrategy[RandomProcess]:
    """Structured and unstructured processes."""
    return st.one_of(structured(), unstructured())
