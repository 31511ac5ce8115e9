"""Functions as values: boxed definitions, business knowledge models, and calls of them.

A function is a FEEL value that keeps the scope in which it was defined. Its arguments are
converted to the types of its parameters; where one does not fit, it is not called and the result
is null (section 10.3.2.9.4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flowkit.dmn.java import java_function
from flowkit.dmn.model import Boxed, Context, FunctionDefinition, LiteralExpression, Variable
from flowkit.dmn.runtime import Run, Step, coercion
from flowkit.dmn.texts import Texts
from flowkit.dmn.types import underlying
from flowkit.feel.runtime import invoke_named
from flowkit.feel.types import ANY, FeelType, FunctionType
from flowkit.feel.values import Function
from flowkit.feel.values import Run as FeelRun

__all__ = ["Compiler", "bind", "compile_function", "invoke", "parameter_types", "result_type"]

Compiler = Callable[[Boxed | None, Texts, frozenset[str], str], Step]


def parameter_types(parameters: tuple[Variable, ...], texts: Texts) -> tuple[FeelType, ...]:
    """A type a parameter, Any where none is stated; unknown ones are reported."""
    found = []
    for parameter in parameters:
        kind = texts.types.of(parameter.type_ref)
        if kind is None and parameter.type_ref:
            texts.report(
                "unknown-type",
                parameter.location,
                f"The type '{parameter.type_ref}' of parameter '{parameter.name}' is neither a FEEL type nor "
                "an item definition of the model.",
                "Define it, or correct its name.",
            )
        found.append(kind or ANY)
    return tuple(found)


def result_type(kind: FeelType | None) -> FeelType | None:
    """The type of a function's result, where ``kind`` is that of the function or of the result."""
    plain = underlying(kind)
    return plain.result if isinstance(plain, FunctionType) else kind


def bind(scope: Mapping[str, Any], names: tuple[str, ...], values: tuple[Any, ...]) -> dict[str, Any]:
    """``scope`` with parameters bound; ``Person.Name`` is also reached as a path."""
    inner = dict(scope)
    for name, value in zip(names, values, strict=True):
        inner[name] = value
        head, dot, rest = name.partition(".")
        if dot and head not in names:
            known = inner.get(head)
            inner[head] = {**(known if isinstance(known, dict) else {}), rest: value}
    return inner


def compile_function(
    boxed: FunctionDefinition, texts: Texts, names: frozenset[str], label: str, compiler: Compiler
) -> Step:
    """The step that makes the function value of a boxed definition."""
    parameters = tuple(parameter.name for parameter in boxed.parameters)
    types = parameter_types(boxed.parameters, texts)
    if boxed.kind.upper() != "FEEL":
        return _external(boxed, parameters, types, texts, label)
    heads = {name.partition(".")[0] for name in parameters}
    body = compiler(boxed.body, texts, names | set(parameters) | heads, label)
    result = result_type(texts.types.of(boxed.type_ref))
    convert = coercion(result, f"the result of '{label}'")

    def step(scope: dict[str, Any], run: Run) -> Any:
        def call(feel_run: FeelRun, *arguments: Any) -> Any:
            run.enter(label)
            try:
                value = body(bind(scope, parameters, arguments), run)
                return value if convert is None else convert(value, run)
            finally:
                run.leave()

        return Function(label, parameters, call, types, result)

    return step


def _external(
    boxed: FunctionDefinition,
    parameters: tuple[str, ...],
    types: tuple[FeelType, ...],
    texts: Texts,
    label: str,
) -> Step:
    """A function of kind Java or PMML: a few pure Java ones are known, the rest is refused by name."""
    mapping = _mapping(boxed.body)
    target = f"{mapping.get('class', '')}.{mapping.get('method signature', '')}" if mapping else "no body"
    call = java_function(mapping) if boxed.kind.lower() == "java" else None
    if call is None:
        texts.report(
            "external-function",
            boxed.location,
            f"'{label}' is a function of kind {boxed.kind} ({target}), which flowkit does not execute.",
            "Write it in FEEL, or do the work in a service task.",
        )
    function = call

    def step(scope: dict[str, Any], run: Run) -> Any:
        if function is None:
            run.note(
                "external-function", f"'{label}' is a function of kind {boxed.kind}, so it is null.", label
            )
            return None
        return Function(label, parameters, lambda feel_run, *arguments: function(*arguments), types)

    return step


def _mapping(body: Boxed | None) -> dict[str, str]:
    """The ``class`` and ``method signature`` that a boxed context names by string literals."""
    entries = body.entries if isinstance(body, Context) else ()
    return {
        entry.variable.name: entry.value.text.strip().strip('"')
        for entry in entries
        if entry.variable is not None and isinstance(entry.value, LiteralExpression)
    }


def invoke(function: Any, arguments: Mapping[str, Any], run: Run, label: str) -> Any:
    """Call a function value with named arguments, as a boxed invocation does."""
    run.feel.text = label
    return invoke_named(function, arguments, run.feel, 0)
