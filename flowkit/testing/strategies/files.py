"""Whole files: structured and unstructured processes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import strategies as st

from flowkit.testing.strategies import blocks, events, scopes
from flowkit.testing.strategies.sheet import FLAGS, KINDS, SIGNALS, Block, Draw, RandomProcess, Sheet, formal

__all__ = ["processes", "structured", "unstructured"]

_LEAVES: dict[str, Block] = {
    "user task": blocks.user,
    "multi-instance": blocks.many,
    "loop": blocks.repeat,
    "catch": events.catch,
    "link": events.link,
    "throw": events.throw,
    "receive task": blocks.receive,
    "send task": blocks.send,
    "script task": blocks.script,
    "data store": blocks.data,
    "quantity": blocks.quantity,
    "behavior": blocks.behavior,
}
_NESTED: dict[str, Block] = {
    "exclusive gateway": blocks.split("exclusiveGateway", "exclusive"),
    "parallel gateway": blocks.split("parallelGateway", "parallel"),
    "inclusive gateway": blocks.split("inclusiveGateway", "inclusive"),
    "complex gateway": blocks.complex_join,
    "cycle": blocks.cycle,
    "event-based gateway": blocks.first_event,
    "boundary": blocks.guarded,
    "conditional flows": blocks.fan,
    "subprocess": scopes.subprocess,
    "error": scopes.failing,
    "escalation": scopes.escalating,
    "compensation": scopes.compensation,
    "transaction": scopes.transaction,
    "ad-hoc": scopes.ad_hoc,
    "call activity": scopes.call,
    "pools": scopes.exchange,
}

_VARIABLES = st.fixed_dictionaries({flag: st.booleans() for flag in FLAGS})


def _sheet(draw: Draw, kinds: Collection[str]) -> Sheet:
    unknown = sorted(set(kinds) - KINDS)
    if unknown:
        raise ValueError(
            f"There is no kind {', '.join(unknown)}; expected some of {', '.join(sorted(KINDS))}."
        )
    sheet = Sheet(draw, frozenset(kinds), _LEAVES, _NESTED)
    sheet.favourite = sheet.one_of("", *events.TRIGGERS)
    return sheet


def _made(sheet: Sheet, start: str | None = None) -> RandomProcess:
    variables = {**sheet.draw(_VARIABLES), "again": False, **sheet.variables}
    elements = {kind: tuple(names) for kind, names in sorted(sheet.elements.items())}
    signals = SIGNALS if sheet.wants("signal") else ()
    return RandomProcess(sheet.file(), variables, start, elements, signals)


@st.composite
def structured(draw: Draw, max_depth: int = 3, kinds: Collection[str] = KINDS) -> RandomProcess:
    """Processes of nested blocks of these ``kinds``: every gateway and event, subprocesses, loops.

    They can always be completed, by completing tasks and letting what is waited for occur.
    ``max_depth`` is how deep blocks lie in one another. Raises ValueError for an unknown kind.
    """
    sheet = _sheet(draw, kinds)
    begin, started = _begin(sheet)
    # Half of the processes begin with a certain kind, so that each is met early and often.
    some = sorted(sheet.kinds & (_LEAVES.keys() | _NESTED.keys()))
    some += ["boundary"] * (3 if "boundary" in some else 0)  # the kind with the most variants
    kind = sheet.one_of(*some) if some and sheet.chance(2) else ""
    start, end = blocks.sequence(sheet, max_depth, kind)
    sheet.flow(begin, start)
    scopes.finish(sheet, end) if sheet.chance(3) else sheet.end(end)
    if sheet.wants("event subprocess") and sheet.chance(6):
        interrupting = sheet.one_of(True, False)
        scopes.event_subprocess(sheet, lambda: events.starter(sheet, interrupting=interrupting), interrupting)
    return _made(sheet, started)


def _begin(sheet: Sheet) -> tuple[str, str | None]:
    """How the process starts: the node after which it goes on, and the event that starts it."""
    how = "none"
    if sheet.wants("instantiation") and sheet.chance(4):
        how = sheet.one_of("message", "receive task", "first", "all")
    if how == "none":
        return sheet.node("startEvent", "s"), None
    if how == "receive task":
        name = sheet.root("message", "m")
        task = sheet.node(
            "receiveTask", "r", messageRef=name, instantiate=True, kind="instantiating receive task"
        )
        return task, task
    if how == "message":
        none = sheet.node("startEvent", "s")
        definition = events.message(sheet, sheet.root("message", "m"))
        start = sheet.node("startEvent", "s", definition, kind="message start")
        join = sheet.node("exclusiveGateway", "j")
        sheet.flow(none, join)
        sheet.flow(start, join)
        return join, start
    every = how == "all"
    kind = f"{'parallel' if every else 'exclusive'} instantiating gateway"
    options: dict[str, Any] = {"eventGatewayType": "Parallel"} if every else {}
    gateway = sheet.node("eventBasedGateway", "g", instantiate=True, **options)
    join = sheet.node("parallelGateway" if every else "exclusiveGateway", "j")
    names = [sheet.node("intermediateCatchEvent", "c", events.message(sheet)) for _ in range(2)]
    for name in names:
        sheet.flow(gateway, name)
        sheet.flow(name, join)
        sheet.note(kind, name)
    return join, sheet.one_of(*names)


# ---- graphs ---------------------------------------------------------------------------------

_WAITS = ("userTask", "messageCatch", "signalCatch")
_GATEWAYS = ("exclusiveGateway", "parallelGateway", "inclusiveGateway", "complexGateway")
_NEEDS = {
    "exclusiveGateway": "exclusive gateway",
    "parallelGateway": "parallel gateway",
    "inclusiveGateway": "inclusive gateway",
    "complexGateway": "complex gateway",
    "userTask": "user task",
    "messageCatch": "message",
    "signalCatch": "signal",
    "conditionCatch": "condition",
    "quantity": "quantity",
}


@st.composite
def unstructured(draw: Draw, max_nodes: int = 10, kinds: Collection[str] = KINDS) -> RandomProcess:
    """Any graph: flows lead forward, or back from what waits; joins may wait for ever.

    It is made of tasks, gateways, catching and boundary events of these ``kinds``. Raises ValueError for
    an unknown kind.
    """
    sheet = _sheet(draw, kinds)
    usual = (
        "userTask",
        "userTask",
        "exclusiveGateway",
        "parallelGateway",
        "inclusiveGateway",
        "complexGateway",
    )
    rare = ("messageCatch", "signalCatch", "conditionCatch", "quantity")
    known = ["task", *(t for t in usual * 2 + rare if _NEEDS[t] in sheet.kinds)]
    tags = [draw(st.sampled_from(known)) for _ in range(draw(st.integers(2, max_nodes)))]
    sheet.flow(sheet.node("startEvent", "s", name="s"), "n0", name="f_s")
    flows = _graph(sheet, tags)
    incoming = [sum(index in targets for targets in flows) for index in range(len(tags))]
    incoming[0] += 1
    for index, tag in enumerate(tags):
        idle = tag in _GATEWAYS and incoming[index] == len(flows[index]) == 1
        _draw_node(sheet, index, "task" if idle else tag, flows[index], len(tags), incoming[index])
    return _made(sheet)


def _graph(sheet: Sheet, tags: list[str]) -> list[list[int]]:
    """Where the flows out of each node lead; ``len(tags)`` is an end. Everything can be reached."""
    count = len(tags)
    flows = []
    for index, tag in enumerate(tags):
        targets = st.integers(0 if tag in _WAITS else index + 1, count)
        most = 3 if tag in _GATEWAYS else 2
        flows.append([sheet.draw(targets) for _ in range(sheet.number(1, most))])
    for index in range(1, count):
        if not any(index in targets for targets in flows[:index]):
            flows[index - 1].append(index)
    if not any(count in targets for targets in flows):
        flows[-1].append(count)
    return flows


def _draw_node(sheet: Sheet, index: int, tag: str, targets: list[int], count: int, incoming: int) -> None:
    name, several = f"n{index}", len(targets) > 1
    decides = tag in ("exclusiveGateway", "inclusiveGateway") or (tag == "complexGateway" and several)
    task = tag in ("task", "userTask", "quantity")
    decides = decides or (task and several and sheet.chance(2))
    options: dict[str, Any] = {"default": f"f{index}_0"} if decides else {}
    inner = ""
    if tag == "userTask":
        inner = blocks.USER
    elif tag == "quantity":
        options |= {"startQuantity": sheet.number(1, 2), "completionQuantity": sheet.number(1, 2)}
    elif tag == "complexGateway":
        inner = formal("activationCondition", f"activationCount >= {sheet.number(1, max(incoming, 1))}")
    elif tag == "messageCatch":
        inner = events.message(sheet)
    elif tag == "signalCatch":
        inner = events.signal(sheet)
    elif tag == "conditionCatch":
        condition = formal("condition", sheet.condition())
        inner = f"<bpmn:conditionalEventDefinition>{condition}</bpmn:conditionalEventDefinition>"
    written = "task" if tag == "quantity" else "intermediateCatchEvent" if tag.endswith("Catch") else tag
    sheet.node(written, "n", inner, name=name, kind=f"{_NEEDS.get(tag, tag)} in a graph", **options)
    for number, target in enumerate(targets):
        condition = sheet.condition() if decides and number else ""
        if decides and number and tag == "complexGateway" and sheet.chance(2):
            condition = "not(waitingForStart)"
        to = f"n{target}" if target < count else sheet.node("endEvent", "e")
        sheet.flow(name, to, condition, f"f{index}_{number}")
    if tag == "userTask" and sheet.wants("boundary") and sheet.chance(4):
        cancels = sheet.one_of(True, False)
        _, caught, attributes = events.trigger(sheet, repeats=not cancels)
        event = sheet.node(
            "boundaryEvent", "b", caught, attachedToRef=name, cancelActivity=cancels,
            kind="boundary in a graph", **attributes,
        )  # fmt: skip
        target = sheet.number(index + 1, count)
        sheet.flow(event, f"n{target}" if target < count else sheet.node("endEvent", "e"))


def processes(kinds: Collection[str] = KINDS) -> st.SearchStrategy[RandomProcess]:
    """Structured and unstructured processes of these ``kinds``."""
    return st.one_of(structured(kinds=kinds), structured(kinds=kinds), unstructured(kinds=kinds))
