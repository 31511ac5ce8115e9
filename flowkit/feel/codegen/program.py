"""From tree to function: emit, compile, bind to the run-time helpers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flowkit.errors import InvalidExpression
from flowkit.feel import operators, runtime
from flowkit.feel.codegen import operators as operator_handlers
from flowkit.feel.codegen import structure
from flowkit.feel.codegen.emitter import Emitter
from flowkit.feel.syntax.nodes import Node, UnaryTestsNode
from flowkit.feel.types import FeelType, is_instance
from flowkit.feel.values import PLAIN, Externals, Function, Range, Run

__all__ = ["Program", "assemble"]

_HANDLERS = {**operator_handlers.HANDLERS, **structure.HANDLERS}


def _between(value: Any, low: Any, high: Any, run: Run, position: int) -> bool | None:
    above = operators.greater_equal(value, low, run, position)
    if above is False:
        return False
    below = operators.less_equal(value, high, run, position)
    return False if below is False else (above and below)


def _instance_of(value: Any, kind: FeelType, run: Run, position: int) -> bool | None:
    answer = is_instance(value, kind)
    if answer is None:
        run.null("type", f"there is no type {kind}", position)
    return answer


def _duplicate_key(name: str, run: Run, position: int) -> None:
    run.null("value", f"the context has two entries {name!r}", position)


def _duplicate_argument(name: str, run: Run, position: int) -> None:
    run.null("call", f"an argument is given twice, such as {name!r}", position)


def _external_function(
    parameters: tuple[str, ...],
    types: tuple[FeelType, ...],
    mapping: Any,
    externals: Externals | None,
    run: Run,
    position: int,
) -> Function | None:
    """The host's stand-in for a Java or PMML function, under the parameters that the text declares."""
    found = externals(mapping) if externals and isinstance(mapping, dict) else None
    if found is None:
        run.null("function", "this external function (Java, PMML) is not available", position)
        return None
    return Function(found.name, parameters, found.call, types)


def _missing_test(run: Run, position: int) -> None:
    run.null("type", "'!=' without a left side is a test, not a value", position)


_HELPERS: dict[str, Any] = {
    **{name: getattr(operators, name) for name in operators.__all__},
    "between": _between,
    "check_boolean": runtime.check_boolean,
    "Decimal": Decimal,
    "duplicate_argument": _duplicate_argument,
    "duplicate_key": _duplicate_key,
    "external_function": _external_function,
    "filtered": runtime.filtered,
    "for_each": runtime.for_each,
    "Function": Function,
    "indexed": runtime.indexed,
    "instance_of": _instance_of,
    "invoke": runtime.invoke,
    "invoke_named": runtime.invoke_named,
    "iterate": runtime.iterate,
    "iterate_range": runtime.iterate_range,
    "make_function": runtime.make_function,
    "make_range": runtime.make_range,
    "MISSING": runtime.MISSING,
    "missing": runtime.missing,
    "missing_test": _missing_test,
    "path": runtime.path,
    "PLAIN": PLAIN,
    "quantify": runtime.quantify,
    "Range": Range,
    "read": runtime.read,
    "scope_path": runtime.scope_path,
    "test_outcome": runtime.test_outcome,
    # What generated source itself needs; there are no other Python names in reach.
    "__builtins__": {"bool": bool, "dict": dict, "int": int, "str": str, "type": type},
}


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled text: ``call(scope, run)``, or ``call(value, scope, run)`` for unary tests."""

    call: Callable[..., Any]
    reads: frozenset[str]
    source: str


def assemble(
    node: Node,
    text: str,
    functions: Mapping[str, Function],
    names: frozenset[str],
    types: Mapping[str, FeelType],
    externals: Externals | None = None,
) -> Program:
    """Compile ``node``. Raises InvalidExpression if it is nested too deep for Python."""
    emitter = Emitter(_HANDLERS, functions, names, types, externals, text)
    parameters = "V, S, R" if isinstance(node, UnaryTestsNode) else "S, R"
    try:
        result = emitter.value(node)
        body = "\n".join([*emitter.prologue, *emitter.lines])
        source = f"def evaluate({parameters}):\n g = S.get\n{body}\n return {result}\n"
        namespace = {**_HELPERS, **emitter.constants}
        exec(compile(source, "<FEEL>", "exec"), namespace)  # generated above; holds no text of the expression
    except (SyntaxError, RecursionError, MemoryError) as reason:
        raise InvalidExpression("the expression is nested too deep; split it", text=text) from reason
    return Program(namespace["evaluate"], frozenset(emitter.reads), source)
