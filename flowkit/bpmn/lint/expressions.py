"""Every text that would be evaluated: is it FEEL, and does it parse?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from flowkit.bpmn.extensions_model import NO_EXTENSIONS, Extensions
from flowkit.bpmn.juel import is_juel
from flowkit.bpmn.lint.activities import is_feel
from flowkit.bpmn.lint.model import Model, Problem, Rule, error
from flowkit.bpmn.lint.walk import elements, expressions
from flowkit.bpmn.model import (
    ConditionalEventDefinition,
    Element,
    Expression,
    GlobalTask,
    Process,
    ScriptTask,
    StartEvent,
    TimerEventDefinition,
)
from flowkit.errors import FlowkitError, InvalidExpression
from flowkit.feel import compile_expression, kind_of
from flowkit.timers import parse_cycle, parse_timer_date, parse_timer_duration

__all__ = ["RULES", "Text", "feel_texts"]

MAX_CHARACTERS = 200_000
"""Of all FEEL in a file: so much takes some five seconds to compile."""


class Text(NamedTuple):
    """A FEEL text of the model: where it stands, what it is for, and whether FEEL is demanded."""

    element: Element
    what: str
    text: str


def _executed(model: Model) -> Iterator[Element]:
    definitions = model.definitions
    for root in (
        *definitions.messages,
        *definitions.signals,
        *definitions.errors,
        *definitions.escalations,
        *definitions.correlation_properties,
        *definitions.global_tasks,
    ):
        yield from elements(root)
    for process in definitions.processes:
        if process.is_executable:
            yield from elements(process)


def _standard(element: Element) -> Iterator[tuple[str, Expression]]:
    """The element's own expressions, without scripts of other languages and literal timers."""
    if isinstance(element, ScriptTask | GlobalTask) and not is_feel(element.script_format):
        return
    if isinstance(element, ScriptTask) and element.extensions.task_definition is not None:
        return
    yield from ((name, found) for name, found in expressions(element) if not found.literal)


_EVALUATED = (
    # (field of the extensions, attributes that are FEEL when they begin with "=")
    ("task_definition", ("type", "retries")),
    ("assignment", ("assignee", "candidate_groups", "candidate_users")),
    ("schedule", ("due_date", "follow_up_date")),
    ("form", ("form_id", "external_reference")),
    ("called_element", ("process_id",)),
    ("called_decision", ("decision_id",)),
    ("loop", ("input_collection", "output_element")),
    ("ad_hoc", ("active_elements", "output_element")),
    ("script", ("expression",)),
)
_INDICATOR = "flowkit.kpi."
_PLAIN = ("priority", "correlation_key", "message_id", "time_to_live")
# Camunda 8 evaluates these always; a text without "=" is a modelling mistake there and here.
_FEEL_ONLY = frozenset(
    {"loop.input_collection", "loop.output_element", "ad_hoc.active_elements", "ad_hoc.output_element"}
    | {"script.expression"}
)


def _extension_texts(extensions: Extensions) -> Iterator[tuple[str, str]]:
    if extensions is NO_EXTENSIONS:
        return
    for name, attributes in _EVALUATED:
        value = getattr(extensions, name)
        if value is not None:
            yield from ((f"{name}.{attribute}", getattr(value, attribute)) for attribute in attributes)
    yield from ((name, getattr(extensions, name)) for name in _PLAIN)
    yield from ((f"the input '{m.target}'", m.source) for m in extensions.inputs)
    yield from ((f"the output '{m.target}'", m.source) for m in extensions.outputs)
    yield from ((f"the indicator '{k}'", v) for k, v in extensions.properties if k.startswith(_INDICATOR))


def feel_texts(model: Model) -> Iterator[Text]:
    """Every FEEL text of the executable processes."""
    named = {id(element) for element in _named_roots(model)}
    for element in _executed(model):
        for name, expression in _standard(element):
            if not expression.language:
                yield Text(element, _readable(name), expression.text)
        for name, text in _extension_texts(element.extensions):
            if text.startswith("="):
                yield Text(element, _readable(name), text[1:])
        for role, who in getattr(element, "resources", ()):
            if who.startswith("="):
                yield Text(element, f"the expression of the <{role}>", who[1:])
        for name in ("name", "code"):
            value = getattr(element, name, "")
            if value.startswith("=") and id(element) in named:
                yield Text(element, f"the {name}", value[1:])


def _named_roots(model: Model) -> tuple[Element, ...]:
    definitions = model.definitions
    return (*definitions.messages, *definitions.signals, *definitions.errors, *definitions.escalations)


_PLURALS = {
    "assignments": "the 'from' of an assignment",
    "bindings": "the dataPath of a correlation property",
    "path": "the messagePath of a correlation property",
}


def _readable(name: str) -> str:
    if name.startswith("the "):
        return name
    if name in _PLURALS:
        return _PLURALS[name]
    return "the " + name.replace("task_definition", "job").replace("_", " ").replace(".", "'s ")


_STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def invalid_expression(model: Model) -> Iterator[Problem]:
    characters = 0
    for element, what, text in feel_texts(model):
        characters += len(text)
        if characters > MAX_CHARACTERS:
            problem = f"the expressions of the file have more than {MAX_CHARACTERS:,} characters."
            yield Problem(element, problem, "Split the process into several files.")
            return
        if not text.strip():
            yield Problem(element, f"{what} is empty.", "Write a FEEL expression, or remove it.")
            continue
        if is_juel(text):
            yield Problem(
                element,
                f"{what} is '{text[:80]}': ${{…}} is not FEEL and is not carried over.",
                "Write it as FEEL.",
            )
            continue
        if "==" in _STRING.sub("", text):
            yield Problem(
                element,
                f"{what} compares with '==', which FEEL reads as '=' and a range: it is never true.",
                "Write a single '='.",
            )
            continue
        try:
            compile_expression(text)
        except InvalidExpression as fault:
            pointer = text[max(0, fault.position - 20) : fault.position + 20]
            yield Problem(
                element,
                f"{what} is no valid FEEL: {fault} (near '{pointer}').",
                "Correct the expression.",
            )
        except FlowkitError as fault:
            yield Problem(element, f"{what} can't be compiled: {fault}", "Simplify the expression.")


def invalid_timer(model: Model) -> Iterator[Problem]:
    for element in _executed(model):
        for what, text, parse in _literal_times(element):
            try:
                parse(text)
            except InvalidExpression as fault:
                yield Problem(element, f"{what} is wrong: {fault}", "Or compute it in FEEL.")
    for _, event, definition in model.events(TimerEventDefinition):
        for name, expression in expressions(definition):
            if not expression.literal and not expression.language and _is_no_time(name, expression.text):
                yield Problem(
                    event,
                    f"the {name} is '{expression.text[:80]}', which is no time and never gives one.",
                    "Write it in ISO 8601, such as PT2H, or compute it in FEEL (10.5.5).",
                )


def _is_no_time(name: str, text: str) -> bool:
    kind = kind_of(text)
    if kind == "text":
        try:
            _TIMES[name](text.strip().strip('"'))
        except InvalidExpression:
            return True
        return False
    return kind not in ("", "date, time or duration", "result of arithmetic")


def _literal_times(element: Element) -> Iterator[tuple[str, str, Callable[[str], object]]]:
    """The times that stand as literal text: what they are for, the text, how it is read."""
    if isinstance(element, TimerEventDefinition):
        for name, expression in expressions(element):
            if expression.literal:
                yield f"the {name}", expression.text, _TIMES[name]
    schedule = element.extensions.schedule
    if schedule is not None:
        for what, text in (
            ("the due date", schedule.due_date),
            ("the follow-up date", schedule.follow_up_date),
        ):
            if text and not text.startswith("="):
                yield what, text, parse_timer_date
    lifetime = element.extensions.time_to_live
    if lifetime and not lifetime.startswith("="):
        yield "the time to live", lifetime, parse_timer_duration


_TIMES: dict[str, Callable[[str], object]] = {
    "date": parse_timer_date,
    "duration": parse_timer_duration,
    "cycle": parse_cycle,
}


def literal_not_feel(model: Model) -> Iterator[Problem]:
    for element in _executed(model):
        for name, text in _extension_texts(element.extensions):
            if name in _FEEL_ONLY and text and not text.startswith("="):
                yield Problem(
                    element,
                    f"{_readable(name)} is the fixed text '{text[:80]}', but must be computed.",
                    f"Put '=' before it: ={text[:80]}",
                )


def unsupported_language(model: Model) -> Iterator[Problem]:
    for element in _executed(model):
        for name, expression in _standard(element):
            if expression.language and not expression.literal:
                yield Problem(
                    element,
                    f"{_readable(name)} is written in '{expression.language[:80]}'; flowkit evaluates FEEL.",
                    "Write it in FEEL and remove the language (or the file's expressionLanguage).",
                )


_CONDITIONS = frozenset({"condition", "completion_condition", "activation_condition"})
_DECIMAL = re.compile(r"\s*(-?\s*\d+)(?:\.0*)?\s*\Z")


def expression_type(model: Model) -> Iterator[Problem]:
    for element in _executed(model):
        for name, expression in _standard(element):
            kind = "" if expression.language else kind_of(expression.text)
            if not kind:
                continue
            shown = f"{_readable(name)} '{expression.text[:80]}'"
            if name in _CONDITIONS and kind != "boolean":
                yield Problem(
                    element,
                    f"{shown} gives a {kind}, never true or false.",
                    "Write a comparison, such as amount > 5.",
                )
            elif name == "cardinality" and not _may_be_count(kind, expression.text):
                yield Problem(
                    element,
                    f"{shown} is no number of instances.",
                    "Write a whole number of 0 or more, or an expression that gives one (10.3.8).",
                )


def _may_be_count(kind: str, text: str) -> bool:
    number = _DECIMAL.match(text)
    if number is not None:
        return "-" not in number[1]
    return kind == "result of arithmetic" or (kind == "number" and not _is_literal(text))


def _is_literal(text: str) -> bool:
    return text.strip(" -").replace(".", "", 1).isdecimal()


def conditional_start(model: Model) -> Iterator[Problem]:
    for scope, event, definition in model.events(ConditionalEventDefinition):
        container = scope.container
        condition = getattr(definition, "condition", None)
        if not isinstance(event, StartEvent) or not isinstance(container, Process) or condition is None:
            continue
        held = {d.name or d.id for d in (*container.data_objects, *container.properties)}
        if container.io is not None:
            held |= {d.name or d.id for d in container.io.inputs}
        try:
            reads = compile_expression(condition.text).reads if not condition.language else frozenset()
        except FlowkitError:
            continue
        for name in sorted(held & reads):
            yield Problem(
                event,
                f"the start condition reads '{name}', which the process holds: there is no instance yet.",
                "Ask for something outside the process, or start it in another way (10.5.2).",
            )


RULES: tuple[Rule, ...] = (
    error("invalid-expression", "Every expression is valid FEEL.", invalid_expression),
    error("invalid-timer", "Every time is ISO 8601 or FEEL.", invalid_timer),
    error("expression-needs-equals", "What must be computed begins with '='.", literal_not_feel),
    error("unsupported-language", "Every expression is in FEEL.", unsupported_language),
    error("expression-type", "A condition is true or false, a cardinality a whole number.", expression_type),
    error(
        "conditional-start",
        "The condition of a start event asks for nothing that only an instance has.",
        conditional_start,
    ),
)
