"""Events of random processes: what they wait for, what they throw, and where they stand."""

from __future__ import annotations

from typing import Any

from flowkit.testing.strategies.sheet import SIGNALS, Ends, Sheet, formal

__all__ = ["TRIGGERS", "catch", "link", "message", "signal", "starter", "throw", "thrown", "trigger"]

TRIGGERS = ("message", "timer", "signal", "condition", "multiple", "parallel multiple")
"""What an event can wait for."""


def message(sheet: Sheet, name: str = "") -> str:
    """A message definition, for a message of its own or the one that is named."""
    if not name:
        name = sheet.root("message", "m")
        sheet.messages.append(name)
    return f'<bpmn:messageEventDefinition messageRef="{name}"/>'


def signal(sheet: Sheet) -> str:
    return f'<bpmn:signalEventDefinition signalRef="{sheet.one_of(*SIGNALS)}"/>'


def _timer(sheet: Sheet, repeats: bool) -> str:
    if repeats and sheet.chance(2):
        return f"<bpmn:timerEventDefinition>{_time('timeCycle', 'R2/PT1H')}</bpmn:timerEventDefinition>"
    return f"<bpmn:timerEventDefinition>{_time('timeDuration', 'PT1H')}</bpmn:timerEventDefinition>"


def _time(tag: str, text: str) -> str:
    return f'<bpmn:{tag} xsi:type="bpmn:tFormalExpression">{text}</bpmn:{tag}>'


def _definition(sheet: Sheet, kind: str, repeats: bool) -> str:
    if kind == "timer":
        return _timer(sheet, repeats)
    if kind == "signal":
        return signal(sheet)
    if kind == "condition":
        condition = formal("condition", sheet.condition())
        return f"<bpmn:conditionalEventDefinition>{condition}</bpmn:conditionalEventDefinition>"
    return message(sheet)


def trigger(
    sheet: Sheet, *, repeats: bool = False, without: tuple[str, ...] = ()
) -> tuple[str, str, dict[str, Any]]:
    """What an event waits for: its kind, its definitions and its attributes; ``repeats``: the event is
    non-interrupting, so its timer may be a cycle."""
    single = [kind for kind in TRIGGERS[:4] if sheet.wants(kind) and kind not in without] or ["message"]
    every = [*single, *(kind for kind in TRIGGERS[4:] if sheet.wants(kind))]
    kind = sheet.one_of(*every)
    if sheet.favourite in every and sheet.chance(2):
        kind = sheet.favourite
    if kind in single:
        return kind, _definition(sheet, kind, repeats), {}
    parts = [sheet.one_of(*single) for _ in range(3 if sheet.chance(4) else 2)]
    options: dict[str, Any] = {"parallelMultiple": True} if kind == "parallel multiple" else {}
    return kind, "".join(_definition(sheet, part, False) for part in parts), options


def catch(sheet: Sheet, depth: int = 0, *, without: tuple[str, ...] = ()) -> Ends:
    kind, definitions, options = trigger(sheet, without=without)
    name = sheet.node("intermediateCatchEvent", "c", definitions, kind=f"{kind} catch", **options)
    return name, name


def starter(sheet: Sheet, *, interrupting: bool) -> str:
    """The start event of an event subprocess."""
    kind, definitions, options = trigger(sheet, repeats=not interrupting)
    name = sheet.node("startEvent", "s", definitions, isInterrupting=interrupting, **options)
    sheet.note(f"{kind} event subprocess", name)
    sheet.note(f"{'interrupting' if interrupting else 'non-interrupting'} event subprocess", name)
    return name


def throw(sheet: Sheet, depth: int) -> Ends:
    """An event that throws nothing, a message, a signal, or both."""
    kind, definitions = thrown(sheet)
    name = sheet.node("intermediateThrowEvent", "c", definitions, kind=f"{kind} throw")
    return name, name


def thrown(sheet: Sheet) -> tuple[str, str]:
    """What an event throws: its kind and its definitions."""
    loud = [kind for kind in ("message", "signal") if sheet.wants(kind) and not sheet.quiet]
    many = ["multiple"] if len(loud) == 2 and sheet.wants("multiple") else []
    kind = sheet.one_of("none", *loud, *many)
    parts = {"none": [], "multiple": ["message", "signal"]}.get(kind, [kind])
    return kind, "".join(signal(sheet) if part == "signal" else _sent(sheet) for part in parts)


def _sent(sheet: Sheet) -> str:
    """Perhaps a message that somebody waits for in the same file."""
    if sheet.messages and sheet.chance(2):
        return message(sheet, sheet.one_of(*sheet.messages))
    return message(sheet)


def link(sheet: Sheet, depth: int) -> Ends:
    """A pair of link events."""
    definition = f'<bpmn:linkEventDefinition name="{sheet.name("l")}"/>'
    source = sheet.node("intermediateThrowEvent", "l", definition, kind="link throw")
    return source, sheet.node("intermediateCatchEvent", "l", definition, kind="link catch")
