"""Blocks with a scope of their own: subprocesses, transactions, calls, and what is undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowkit.testing.strategies import blocks, events
from flowkit.testing.strategies.sheet import Ends, Sheet, formal

__all__ = [
    "ad_hoc", "call", "compensation", "escalating", "event_subprocess", "exchange", "failing", "finish",
    "subprocess", "transaction",
]  # fmt: skip

COMPENSATE = "<bpmn:compensateEventDefinition/>"


def subprocess(sheet: Sheet, depth: int) -> Ends:
    """An embedded subprocess, perhaps with an event subprocess or a terminate end, perhaps many times."""
    sheet.open()
    begin = sheet.node("startEvent", "s")
    start, end = blocks.sequence(sheet, depth - 1)
    sheet.flow(begin, start)
    finish(sheet, end)
    if sheet.wants("event subprocess") and sheet.chance(2):
        interrupting = sheet.one_of(True, False)
        event_subprocess(sheet, lambda: events.starter(sheet, interrupting=interrupting), interrupting)
    inner = sheet.close()
    loop = blocks.instances(sheet, 2) if sheet.wants("multi-instance") and sheet.chance(4) else ""
    name = sheet.node("subProcess", "p", loop + inner, kind="subprocess")
    return name, name


def finish(sheet: Sheet, last: str) -> None:
    """One of several ends: none, message, signal, terminate; terminate perhaps beside work that goes on."""
    if sheet.wants("terminate") and sheet.chance(4):
        over = sheet.node("endEvent", "e", "<bpmn:terminateEventDefinition/>", kind="terminate")
        if sheet.chance(2):
            fork = sheet.node("parallelGateway", "g")
            beside, _ = blocks.user(sheet)
            sheet.flow(last, fork)
            sheet.flow(fork, beside)
            sheet.flow(fork, over)
            sheet.end(beside)
        else:
            sheet.flow(last, over)
        return
    kind, definitions = events.thrown(sheet) if sheet.chance(2) else ("none", "")
    sheet.flow(last, sheet.node("endEvent", "e", definitions, kind=f"{kind} end"))


def event_subprocess(sheet: Sheet, starter: Callable[[], str], interrupting: bool) -> None:
    """An event subprocess of the innermost container; ``starter`` draws its start event."""
    sheet.open()
    trigger = starter()
    if interrupting:
        handled, last = blocks.block(sheet, 0)
    else:
        with sheet.quietly():
            handled, last = blocks.block(sheet, 0)
    sheet.flow(trigger, handled)
    sheet.end(last)
    sheet.node("subProcess", "h", sheet.close(), triggeredByEvent=True)


def failing(sheet: Sheet, depth: int) -> Ends:
    """A subprocess that may end with an error, caught by an event subprocess or on its boundary."""
    error = sheet.root("error", "x", errorCode="=")
    definition = f'<bpmn:errorEventDefinition errorRef="{error}"/>'
    caught = sheet.one_of(definition, "<bpmn:errorEventDefinition/>")
    sheet.open()
    default = sheet.name("f")
    begin = sheet.node("startEvent", "s")
    start, end = blocks.block(sheet, depth - 1)
    choice = sheet.node("exclusiveGateway", "g", default=default)
    bad, good = sheet.node("endEvent", "e", definition, kind="error end"), sheet.node("endEvent", "e")
    sheet.flow(begin, start)
    sheet.flow(end, choice)
    sheet.flow(choice, bad, sheet.condition())
    sheet.flow(choice, good, name=default)
    inside = sheet.wants("event subprocess") and sheet.chance(3)
    if inside:
        event_subprocess(
            sheet, lambda: sheet.node("startEvent", "s", caught, kind="error event subprocess"), True
        )
    inner = sheet.close()
    loop = blocks.instances(sheet, 2) if sheet.wants("multi-instance") and sheet.chance(4) else ""
    name = sheet.node("subProcess", "p", loop + inner)
    if inside:
        return name, name
    if caught == definition:
        _catch_every(sheet, name, "error")
    return blocks.guard(sheet, (name, name), caught, "error boundary", depth=0, cancels=True, handled=False)


def _catch_every(sheet: Sheet, host: str, kind: str) -> None:
    """Perhaps a catch-all before the event for just this code, which is to be preferred to it."""
    if sheet.chance(2):
        event = sheet.node("boundaryEvent", "b", f"<bpmn:{kind}EventDefinition/>", attachedToRef=host)
        instead, _ = blocks.task(sheet)
        sheet.flow(event, instead)
        sheet.end(instead)


def escalating(sheet: Sheet, depth: int) -> Ends:
    """A subprocess that escalates on its way or at its end, perhaps caught inside or on its boundary."""
    code = sheet.root("escalation", "x", escalationCode="=")
    definition = f'<bpmn:escalationEventDefinition escalationRef="{code}"/>'
    caught = sheet.one_of(definition, "<bpmn:escalationEventDefinition/>")
    interrupting = sheet.one_of(True, False)
    where = sheet.one_of("boundary", "boundary", "inside", "nowhere")
    sheet.open()
    begin = sheet.node("startEvent", "s")
    start, end = blocks.block(sheet, depth - 1)
    sheet.flow(begin, start)
    if sheet.quiet:
        definition = ""
    kind = "escalation" if definition else "none"
    if sheet.chance(2):
        on_the_way = sheet.node("intermediateThrowEvent", "c", definition, kind=f"{kind} throw")
        sheet.flow(end, on_the_way)
        after, end = blocks.block(sheet, 0)
        sheet.flow(on_the_way, after)
        last = sheet.node("endEvent", "e")
    else:
        last = sheet.node("endEvent", "e", definition, kind=f"{kind} end")
    sheet.flow(end, last)
    if where == "inside" and sheet.wants("event subprocess"):
        event_subprocess(
            sheet,
            lambda: sheet.node(
                "startEvent", "s", caught, isInterrupting=interrupting, kind="escalation event subprocess"
            ),
            interrupting,
        )
    name = sheet.node("subProcess", "p", sheet.close())
    if where != "boundary":
        return name, name
    if caught == definition:
        _catch_every(sheet, name, "escalation")
    return blocks.guard(
        sheet, (name, name), caught, "escalation boundary", depth=0, cancels=interrupting, handled=False
    )


# ---- what can be undone ---------------------------------------------------------------------


def undoable(sheet: Sheet, depth: int = 0) -> Ends:
    """An activity with its compensation handler: a task, a user task, many of them, or a subprocess."""
    host: Ends = sheet.one_of(blocks.task, blocks.user, blocks.many, _step)(sheet, 0)
    event = sheet.node("boundaryEvent", "b", COMPENSATE, attachedToRef=host[0])
    tag, inner = sheet.one_of(("task", ""), ("userTask", blocks.USER))
    handler = sheet.node(tag, "h", inner, isForCompensation=True, kind="compensation handler")
    sheet.associate(event, handler)
    if sheet.home == "Called":
        sheet.note("compensation handler in called process", handler)
    return host


def _step(sheet: Sheet, depth: int = 0) -> Ends:
    """A subprocess whose work can be undone by an event subprocess or by the handler inside."""
    sheet.open()
    begin = sheet.node("startEvent", "s")
    start, end = undoable(sheet) if sheet.chance(2) else blocks.user(sheet)
    sheet.flow(begin, start)
    sheet.end(end)
    if sheet.wants("event subprocess") and sheet.chance(2):
        sheet.open()
        trigger = sheet.node("startEvent", "s", COMPENSATE, kind="compensation event subprocess")
        again = (
            sheet.node("intermediateThrowEvent", "c", COMPENSATE)
            if sheet.chance(2)
            else blocks.user(sheet)[0]
        )
        sheet.flow(trigger, again)
        sheet.end(again)
        sheet.node("subProcess", "h", sheet.close(), triggeredByEvent=True)
    name = sheet.node("subProcess", "p", sheet.close())
    return name, name


def undoing(sheet: Sheet, depth: int) -> Ends:
    """Work that can be undone, and an event that undoes it: all that the scope has done, or one of it;
    waiting for it or not."""
    by_itself = sheet.chance(3)
    inside = call if sheet.wants("call activity") and sheet.chance(2) else _step
    first, end = inside(sheet, depth) if by_itself else undoable(sheet)
    if sheet.chance(2):
        start, last = blocks.block(sheet, depth - 1)
        sheet.flow(end, start)
        end = last
    reference = f' activityRef="{first}"' if sheet.chance(3) and not by_itself else ""
    wait = sheet.one_of("", ' waitForCompletion="true"', ' waitForCompletion="false"')
    definition = f"<bpmn:compensateEventDefinition{reference}{wait}/>"
    kind = "compensation throw" if "false" not in wait else "compensation beside"
    thrower = sheet.node("intermediateThrowEvent", "c", definition, kind=kind)
    sheet.flow(end, thrower)
    return first, thrower


def undone_at_the_end(sheet: Sheet, depth: int) -> Ends:
    """A subprocess that undoes its work at its end."""
    sheet.open()
    begin = sheet.node("startEvent", "s")
    first, last = undoable(sheet)
    start, end = blocks.block(sheet, depth - 1)
    sheet.flow(begin, first)
    sheet.flow(last, start)
    sheet.flow(end, sheet.node("endEvent", "e", COMPENSATE, kind="compensation end"))
    name = sheet.node("subProcess", "p", sheet.close())
    return name, name


def compensation(sheet: Sheet, depth: int) -> Ends:
    return undone_at_the_end(sheet, depth) if sheet.chance(3) else undoing(sheet, depth)


def transaction(sheet: Sheet, depth: int) -> Ends:
    """A transaction that may be cancelled, which undoes what it has done."""
    sheet.open()
    default = sheet.name("f")
    begin = sheet.node("startEvent", "s")
    first, last = undoable(sheet)
    start, end = blocks.block(sheet, depth - 1)
    choice = sheet.node("exclusiveGateway", "g", default=default)
    cancel = sheet.node("endEvent", "e", "<bpmn:cancelEventDefinition/>", kind="cancel end")
    good = sheet.node("endEvent", "e")
    sheet.flow(begin, first)
    sheet.flow(last, start)
    sheet.flow(end, choice)
    sheet.flow(choice, cancel, sheet.condition())
    sheet.flow(choice, good, name=default)
    loop = blocks.instances(sheet, 2) if sheet.wants("multi-instance") and sheet.chance(6) else ""
    name = sheet.node("transaction", "p", loop + sheet.close(), kind="transaction")
    caught = "<bpmn:cancelEventDefinition/>"
    return blocks.guard(sheet, (name, name), caught, "cancel boundary", depth=0, cancels=True, handled=False)


# ---- in no fixed order ----------------------------------------------------------------------


def ad_hoc(sheet: Sheet, depth: int) -> Ends:
    """Several blocks together or one after the other, until all are done or a condition holds."""
    ordering = sheet.one_of("Parallel", "Sequential")
    condition = cancels = ""
    sheet.open(ad_hoc=True)
    for _ in range(sheet.number(1, 2)):
        first, _ = blocks.task(sheet)
        start, last = blocks.sequence(sheet, min(depth - 1, 1))
        sheet.flow(first, start)
        sheet.end(last)
    if sheet.chance(2):
        enough = sheet.name("enough")
        sheet.variables[enough] = False
        waits, _ = blocks.user(sheet)
        extension = f'<zeebe:script expression="=true" resultVariable="{enough}"/>'
        inner = f"<bpmn:extensionElements>{extension}</bpmn:extensionElements>"
        sheet.flow(waits, sheet.node("scriptTask", "t", inner))
        condition = formal("completionCondition", enough)
        cancels = sheet.one_of("true", "false")
    options: dict[str, Any] = {"cancelRemainingInstances": cancels} if cancels else {}
    kind = f"{ordering.lower()} ad-hoc"
    name = sheet.node(
        "adHocSubProcess", "p", sheet.close() + condition, ordering=ordering, kind=kind, **options
    )
    if cancels:
        sheet.note("ad-hoc that cancels" if cancels == "true" else "ad-hoc that waits", name)
    return name, name


# ---- other processes ------------------------------------------------------------------------


def call(sheet: Sheet, depth: int) -> Ends:
    """A call of the process ``Called``; what that throws is caught on the boundary."""
    if sheet.quiet or sheet.home != "Process":
        return blocks.user(sheet)
    if sheet.called is None:
        _draw_called(sheet, depth)
        assert sheet.called is not None
    loop = blocks.instances(sheet, 2) if sheet.wants("multi-instance") and sheet.chance(4) else ""
    name = sheet.node("callActivity", "k", loop, calledElement="Called", kind="call activity")
    ends = (name, name)
    if "error" in sheet.called:
        caught = "<bpmn:errorEventDefinition/>"
        ends = blocks.guard(
            sheet, ends, caught, "error boundary on call", depth=0, cancels=True, handled=False
        )
    if "escalation" in sheet.called and sheet.chance(2):
        caught, cancels = "<bpmn:escalationEventDefinition/>", sheet.one_of(True, False)
        kind = "escalation boundary on call"
        if cancels:
            join = sheet.node("exclusiveGateway", "j")
            event = sheet.node("boundaryEvent", "b", caught, attachedToRef=name, kind=kind)
            sheet.flow(ends[1], join)
            sheet.flow(event, join)
            return name, join
        ends = (
            blocks.guard(sheet, (name, name), caught, kind, depth=0, cancels=False, handled=False)[0],
            ends[1],
        )
    return ends


def _draw_called(sheet: Sheet, depth: int) -> None:
    thrown: set[str] = set()
    sheet.home = "Called"
    sheet.open()
    begin = sheet.node("startEvent", "s")
    if sheet.wants("compensation") and sheet.chance(2):
        start, last = undoable(sheet)
    else:
        start, last = blocks.sequence(sheet, min(depth - 1, 1))
    sheet.flow(begin, start)
    kind = sheet.one_of("none", "error", "escalation", "terminate")
    if kind in ("error", "escalation") and sheet.wants(kind):
        code = sheet.root(kind, "x", **{f"{kind}Code": "="})
        definition = f'<bpmn:{kind}EventDefinition {kind}Ref="{code}"/>'
        thrown.add(kind)
        default = sheet.name("f")
        choice = sheet.node("exclusiveGateway", "g", default=default)
        sheet.flow(last, choice)
        sheet.flow(choice, sheet.node("endEvent", "e", definition, kind=f"{kind} end"), sheet.condition())
        sheet.flow(choice, sheet.node("endEvent", "e"), name=default)
    elif kind == "terminate" and sheet.wants(kind):
        sheet.flow(last, sheet.node("endEvent", "e", "<bpmn:terminateEventDefinition/>", kind="terminate"))
    else:
        sheet.end(last)
    sheet.processes.append(sheet.process("Called", sheet.close()))
    sheet.called, sheet.home = thrown, "Process"


def exchange(sheet: Sheet, depth: int) -> Ends:
    """A message to the pool ``Partner``, and its answer; correlated by ``k``."""
    if sheet.collaboration or sheet.quiet or len(sheet.containers) > 1:
        return blocks.user(sheet)
    sheet.variables["k"] = "one"
    standard = sheet.wants("correlation") and sheet.chance(2)
    key = '<zeebe:subscription correlationKey="=k"/>'
    key = "" if standard else f"<bpmn:extensionElements>{key}</bpmn:extensionElements>"
    request, reply = sheet.name("m"), sheet.name("m")
    for name in (request, reply):
        sheet.roots.append(f'<bpmn:message id="{name}" name="{name}">{key}</bpmn:message>')
    asks = _sender(sheet, request)
    waits = sheet.node("intermediateCatchEvent", "c", events.message(sheet, reply), kind="message flow")
    sheet.flow(asks, waits)
    sheet.open()
    begin = sheet.node("startEvent", "s", events.message(sheet, request), kind="pools")
    start, last = (blocks.user if sheet.chance(2) else blocks.many)(sheet)
    answers = _sender(sheet, reply)
    sheet.flow(begin, start)
    sheet.flow(last, answers)
    sheet.end(answers)
    sheet.processes.append(sheet.process("Partner", sheet.close()))
    flows = "".join(
        f'<bpmn:messageFlow id="w{name}" sourceRef="{source}" targetRef="{target}" messageRef="{name}"/>'
        for source, target, name in ((asks, begin, request), (answers, waits, reply))
    )
    sheet.collaboration = (
        '<bpmn:collaboration id="Collaboration"><bpmn:participant id="Us" processRef="Process"/>'
        f'<bpmn:participant id="Them" processRef="Partner"/>{flows}'
        f"{_correlation(sheet, request, reply) if standard else ''}</bpmn:collaboration>"
    )
    if standard:
        sheet.note("correlation", waits)
    return asks, waits


def _correlation(sheet: Sheet, *messages: str) -> str:
    """A property that the messages carry, and the key that consists of it."""
    tag = "bpmn:correlationPropertyRetrievalExpression"
    path = formal("messagePath", "k")
    retrievals = "".join(f'<{tag} messageRef="{name}">{path}</{tag}>' for name in messages)
    sheet.roots.append(f'<bpmn:correlationProperty id="property">{retrievals}</bpmn:correlationProperty>')
    return (
        '<bpmn:correlationKey id="key"><bpmn:correlationPropertyRef>property'
        "</bpmn:correlationPropertyRef></bpmn:correlationKey>"
    )


def _sender(sheet: Sheet, message: str) -> str:
    mapping = '<zeebe:ioMapping><zeebe:input source="=k" target="k"/></zeebe:ioMapping>'
    gives = f"<bpmn:extensionElements>{mapping}</bpmn:extensionElements>"
    if sheet.chance(2):
        return sheet.node("sendTask", "t", gives, messageRef=message)
    return sheet.node("intermediateThrowEvent", "c", gives + events.message(sheet, message))
