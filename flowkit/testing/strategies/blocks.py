"""Blocks of random processes: each has one way in and one way out."""

from __future__ import annotations

from typing import Any

from flowkit.testing.strategies import events
from flowkit.testing.strategies.sheet import Block, Ends, Sheet, formal

__all__ = [
    "USER", "behavior", "block", "complex_join", "cycle", "data", "fan", "first_event", "guard", "guarded",
    "instances", "many", "quantity", "receive", "repeat", "script", "send", "sequence", "split", "task",
    "user",
]  # fmt: skip

USER = "<bpmn:extensionElements><zeebe:userTask/></bpmn:extensionElements>"


# ---- tasks ----------------------------------------------------------------------------------


def task(sheet: Sheet, depth: int = 0) -> Ends:
    name = sheet.node("task", "t", kind="task")
    return name, name


def user(sheet: Sheet, depth: int = 0) -> Ends:
    name = sheet.node("userTask", "u", USER, kind="user task")
    return name, name


def receive(sheet: Sheet, depth: int = 0) -> Ends:
    name = sheet.root("message", "m")
    sheet.messages.append(name)
    task = sheet.node("receiveTask", "r", messageRef=name, kind="receive task")
    return task, task


def send(sheet: Sheet, depth: int = 0) -> Ends:
    if sheet.quiet:
        return task(sheet)
    message = sheet.root("message", "m")
    name = sheet.node("sendTask", "t", messageRef=message, kind="send task")
    return name, name


def script(sheet: Sheet, depth: int = 0) -> Ends:
    """Sets a flag, which conditional events may wait for."""
    if sheet.quiet:
        return task(sheet)
    name = _script(sheet, sheet.one_of("true", "false", f"not({sheet.flag()})"), sheet.flag())
    return name, name


def _script(sheet: Sheet, formula: str, variable: str, io: str = "") -> str:
    extension = f'<zeebe:script expression="={formula}" resultVariable="{variable}"/>'
    inner = f"<bpmn:extensionElements>{extension}</bpmn:extensionElements>{io}"
    return sheet.node("scriptTask", "t", inner, kind="script task")


def quantity(sheet: Sheet, depth: int) -> Ends:
    """One task gives several tokens, which another one takes together; sometimes one too many."""
    sent = sheet.number(2, 3)
    taken = sheet.number(2, sent)
    first = sheet.node("task", "t", completionQuantity=sent, kind="completion quantity")
    tag, inner = ("userTask", USER) if sheet.chance(2) else ("task", "")
    last = sheet.node(tag, "u", inner, startQuantity=taken, kind="start quantity")
    sheet.flow(first, last)
    return first, last


def data(sheet: Sheet, depth: int) -> Ends:
    """A person writes to a data store, a script reads it."""
    if sheet.home != "Process":
        return user(sheet)
    sheet.stores = True
    writer = sheet.name("u")
    io = (
        f'<bpmn:ioSpecification id="{writer}io"><bpmn:dataOutput id="{writer}o" name="{sheet.flag()}"/>'
        f'<bpmn:inputSet id="{writer}is"/><bpmn:outputSet id="{writer}os"><bpmn:dataOutputRefs>{writer}o'
        "</bpmn:dataOutputRefs></bpmn:outputSet></bpmn:ioSpecification>"
        f"<bpmn:dataOutputAssociation><bpmn:sourceRef>{writer}o</bpmn:sourceRef>"
        "<bpmn:targetRef>store</bpmn:targetRef></bpmn:dataOutputAssociation>"
    )
    sheet.node("userTask", "u", USER + io, name=writer, kind="data store write")
    reader = sheet.name("t")
    io = (
        f'<bpmn:ioSpecification id="{reader}io"><bpmn:dataInput id="{reader}i" name="stored"/>'
        f'<bpmn:inputSet id="{reader}is"><bpmn:dataInputRefs>{reader}i</bpmn:dataInputRefs></bpmn:inputSet>'
        f'<bpmn:outputSet id="{reader}os"/></bpmn:ioSpecification>'
        "<bpmn:dataInputAssociation><bpmn:sourceRef>store</bpmn:sourceRef>"
        f"<bpmn:targetRef>{reader}i</bpmn:targetRef></bpmn:dataInputAssociation>"
    )
    extension = f'<zeebe:script expression="=stored = true" resultVariable="{sheet.flag()}"/>'
    inner = f"<bpmn:extensionElements>{extension}</bpmn:extensionElements>{io}"
    sheet.node("scriptTask", "t", inner, name=reader, kind="data store read")
    sheet.flow(writer, reader)
    return writer, reader


# ---- many times -----------------------------------------------------------------------------


def instances(sheet: Sheet, most: int) -> str:
    """Multi-instance characteristics, parallel or sequential, perhaps with a completion condition."""
    count, sequential = sheet.number(0, most), sheet.one_of(True, False)
    enough = ""
    if sheet.chance(3):
        enough = formal("completionCondition", f"numberOfCompletedInstances >= {sheet.number(1, 2)}")
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f"{formal('loopCardinality', str(count))}{enough}</bpmn:multiInstanceLoopCharacteristics>"
    )


def many(sheet: Sheet, depth: int = 0) -> Ends:
    """Multi-instance user tasks, up to three."""
    name = sheet.node("userTask", "u", USER + instances(sheet, 3), kind="multi-instance")
    return name, name


def repeat(sheet: Sheet, depth: int) -> Ends:
    """A standard loop, over a task or a user task."""
    most = sheet.number(1, 3)
    condition = formal("loopCondition", sheet.condition()) if sheet.chance(2) else ""
    before = str(bool(condition) and sheet.chance(2)).lower()
    loop = (
        f'<bpmn:standardLoopCharacteristics loopMaximum="{most}" testBefore="{before}">{condition}'
        "</bpmn:standardLoopCharacteristics>"
    )
    tag, inner = ("userTask", USER) if sheet.chance(2) else ("task", "")
    name = sheet.node(tag, "t", inner + loop, kind="loop")
    return name, name


def behavior(sheet: Sheet, depth: int) -> Ends:
    """Multi-instance user tasks that throw a signal or an escalation as they are done."""
    kind = sheet.one_of("None", "One", "Complex")
    code = sheet.root("escalation", "x", escalationCode="=")
    escalates = sheet.chance(2)
    tag, attribute = (
        ("signal", 'signalRef="S1"') if not escalates else ("escalation", f'escalationRef="{code}"')
    )
    count, attributes, inner = sheet.number(1, 3), "", ""
    if kind == "Complex":
        condition = formal("condition", f"numberOfCompletedInstances = {sheet.number(1, 2)}")
        inner = (
            f'<bpmn:complexBehaviorDefinition id="{sheet.name("y")}">{condition}'
            f'<bpmn:event id="{sheet.name("y")}">'
            f"<bpmn:{tag}EventDefinition {attribute}/></bpmn:event></bpmn:complexBehaviorDefinition>"
        )
    else:
        definition = sheet.name("y")
        sheet.roots.append(f'<bpmn:{tag}EventDefinition id="{definition}" {attribute}/>')
        attributes = f' {kind.lower()}BehaviorEventRef="{definition}"'
    loop = (
        f'<bpmn:multiInstanceLoopCharacteristics behavior="{kind}"{attributes}>'
        f"{formal('loopCardinality', str(count))}{inner}</bpmn:multiInstanceLoopCharacteristics>"
    )
    if sheet.quiet:
        return user(sheet)
    host = sheet.node("userTask", "u", USER + loop, kind=f"behavior {kind}")
    caught = f"<bpmn:{tag}EventDefinition {attribute}/>"
    return guard(sheet, (host, host), caught, f"{tag} boundary", depth=0, cancels=sheet.one_of(True, False))


def guard(
    sheet: Sheet,
    host: Ends,
    caught: str,
    kind: str,
    *,
    depth: int,
    cancels: bool,
    handled: bool = True,
    **options: Any,
) -> Ends:
    """A boundary event on the block's first node; an interrupting one meets the way out again."""
    event = sheet.node(
        "boundaryEvent", "b", caught, attachedToRef=host[0], cancelActivity=cancels, kind=kind, **options
    )
    sheet.note(f"{'interrupting' if cancels else 'non-interrupting'} boundary", event)
    if not cancels:
        with sheet.quietly():
            start, last = sequence(sheet, depth) if handled else task(sheet)
        sheet.flow(event, start)
        sheet.end(last)
        return host
    join = sheet.node("exclusiveGateway", "j")
    if handled:
        start, last = sequence(sheet, depth)
        sheet.flow(event, start)
        sheet.flow(last, join)
    else:
        sheet.flow(event, join)
    sheet.flow(host[1], join)
    return host[0], join


# ---- gateways -------------------------------------------------------------------------------


def split(tag: str, kind: str) -> Block:
    def drawn(sheet: Sheet, depth: int) -> Ends:
        default = sheet.name("f")
        plain = tag == "parallelGateway"
        options: dict[str, Any] = {} if plain else {"default": default}
        fork = sheet.node(tag, "g", kind=f"{kind} split", **options)
        join = sheet.node(tag, "j", kind=f"{kind} join")
        branches(sheet, depth, fork, join, "" if plain else default)
        return fork, join

    return drawn


def branches(sheet: Sheet, depth: int, fork: str, join: str, default: str) -> int:
    """Two or three ways from one node to another; how many. The last is the default flow, if any."""
    count = sheet.number(2, 3)
    for number in range(count):
        last = number == count - 1
        name = default if last else ""
        condition = "" if last or not default else sheet.condition()
        if sheet.chance(4):
            sheet.flow(fork, join, condition, name)
            continue
        start, end = sequence(sheet, depth - 1)
        sheet.flow(fork, start, condition, name)
        sheet.flow(end, join)
    return count


def complex_join(sheet: Sheet, depth: int) -> Ends:
    """Branches into a complex gateway, which goes on after some of them; what is late ends there, takes
    a way of its own, or takes the default flow."""
    inclusive = sheet.chance(3)
    default = sheet.name("f")
    options: dict[str, Any] = {"default": default} if inclusive else {}
    fork = sheet.node("inclusiveGateway" if inclusive else "parallelGateway", "g", **options)
    join, leave = sheet.name("j"), sheet.name("f")
    count = branches(sheet, depth, fork, join, default if inclusive else "")
    needed = formal("activationCondition", f"activationCount >= {1 if inclusive else sheet.number(1, count)}")
    after = sheet.node("task", "t")
    way = sheet.one_of("one", "two", "default")
    options = {} if way == "one" else {"default": leave}
    sheet.node("complexGateway", "j", needed, name=join, kind="complex gateway", **options)
    sheet.flow(join, after, name=leave)
    if way != "one":
        late = sheet.node("task", "t", kind="complex gateway reset")
        sheet.flow(join, late, "not(waitingForStart)" if way == "two" else sheet.condition())
        sheet.end(late)
    return fork, after


def cycle(sheet: Sheet, depth: int) -> Ends:
    """Back to the start for as long as ``again`` is true; there is always a user task inside."""
    leave = sheet.name("f")
    join = sheet.node("exclusiveGateway", "g")
    start, end = sequence(sheet, depth - 1)
    waits, _ = user(sheet)
    choice = sheet.node("exclusiveGateway", "g", default=leave)
    after = sheet.node("task", "t", kind="cycle")
    sheet.flow(join, start)
    sheet.flow(end, waits)
    sheet.flow(waits, choice)
    sheet.flow(choice, join, "again")
    sheet.flow(choice, after, name=leave)
    return join, after


def first_event(sheet: Sheet, depth: int) -> Ends:
    """An event-based gateway with two events, or with receive tasks."""
    gateway = sheet.node("eventBasedGateway", "g", kind="event-based gateway")
    join = sheet.node("exclusiveGateway", "j")
    receives = sheet.wants("receive task") and sheet.chance(4)
    for number in range(2):
        if receives and number:
            event, _ = receive(sheet)
            sheet.note("receive task behind gateway", event)
        else:
            messages = ("message",) if receives else ()
            event, _ = events.catch(sheet, without=messages) if not messages else _plain(sheet)
        sheet.flow(gateway, event)
        start, end = sequence(sheet, depth - 1)
        sheet.flow(event, start)
        sheet.flow(end, join)
    return gateway, join


def _plain(sheet: Sheet) -> Ends:
    name = sheet.node("intermediateCatchEvent", "c", events.signal(sheet), kind="signal catch")
    return name, name


def guarded(sheet: Sheet, depth: int) -> Ends:
    """An activity with a boundary event that waits for something outside."""
    host = (
        block(sheet, depth - 1, "subprocess")
        if depth > 1 and sheet.chance(2)
        else sheet.one_of(user, many)(sheet, 0)
    )
    cancels = sheet.one_of(True, False)
    kind, caught, options = events.trigger(sheet, repeats=not cancels)
    return guard(sheet, host, caught, f"{kind} boundary", depth=depth - 1, cancels=cancels, **options)


def fan(sheet: Sheet, depth: int) -> Ends:
    """Conditional flows, perhaps plain ones and a default, out of a task; an inclusive join after them."""
    default = sheet.name("f")
    fork = sheet.node("task", "t", default=default, kind="conditional flows")
    join = sheet.node("inclusiveGateway", "j")
    for number in range(sheet.number(2, 3)):
        condition = sheet.flag() if number == 1 or (number and sheet.chance(2)) else ""
        start, end = sequence(sheet, depth - 1)
        sheet.flow(fork, start, condition, "" if number else default)
        sheet.flow(end, join)
    return fork, join


# ---- any of them ----------------------------------------------------------------------------


def sequence(sheet: Sheet, depth: int, kind: str = "") -> Ends:
    """One to three blocks, the first of them perhaps of a given kind."""
    first, last = block(sheet, depth, kind)
    for _ in range(sheet.number(0, 2)):
        start, end = block(sheet, depth)
        sheet.flow(last, start)
        last = end
    return first, last


def block(sheet: Sheet, depth: int, kind: str = "") -> Ends:
    """Any block that the sheet wants, or one of the given kind."""
    known = {**sheet.leaves, **sheet.nested} if depth > 0 or kind else sheet.leaves
    choices = [task, *(known[name] for name in known if name in sheet.kinds)]
    return (known[kind] if kind else sheet.one_of(*choices))(sheet, depth)
