"""How built-in functions are declared: a name, overloads with typed parameters, an implementation each.

A signature is written as in the standard: ``string: string, start position: number, length?: number``. The
type may be a union (``number|string``); ``null`` must be allowed explicitly; ``?`` marks a parameter that may
be left out; ``...`` after the name takes any number of arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from flowkit.feel.temporal import Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration
from flowkit.feel.text import shorten
from flowkit.feel.values import Function, Null, Range, Run, type_name

__all__ = ["Parameter", "Signature", "Table"]

Implementation = TypeVar("Implementation", bound=Callable[..., Any])

_KINDS: dict[str, frozenset[type]] = {
    "number": frozenset({int, Decimal}),
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "list": frozenset({list}),
    "context": frozenset({dict}),
    "function": frozenset({Function}),
    "range": frozenset({Range}),
    "date": frozenset({Date}),
    "time": frozenset({Time}),
    "date and time": frozenset({DateTime}),
    "days and time duration": frozenset({DaysTimeDuration}),
    "years and months duration": frozenset({YearsMonthsDuration}),
    "null": frozenset({type(None)}),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a signature; ``types`` None means any value."""

    name: str
    kind: str
    types: frozenset[type] | None
    optional: bool
    variadic: bool

    def accept(self, value: Any, function: str) -> Any:
        """``value``, or what it converts to (10.3.2.9.4). Raises Null if it is of another type."""
        if self.types is None or type(value) in self.types:
            return value
        if type(value) is list and len(value) == 1 and type(value[0]) in self.types:
            return value[0]
        if list in self.types and value is not None:
            return [value]
        given = "null" if value is None else f"the {type_name(value)} {shorten(value)}"
        raise Null(
            f"{function}(): {self.name!r} must be {self.kind.replace('|', ' or ')}, not {given}", "type"
        )


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function."""

    text: str
    parameters: tuple[Parameter, ...]
    implementation: Callable[..., Any]
    fewest: int
    """The smallest number of arguments."""
    variadic: bool
    """Whether the last parameter takes any number of arguments."""

    def takes(self, count: int) -> bool:
        """Whether ``count`` positional arguments can be given."""
        return self.fewest <= count and (self.variadic or count <= len(self.parameters))

    def call(self, function: str, run: Run, arguments: Sequence[Any]) -> Any:
        """Check and convert the arguments, then call. Raises Null."""
        parameters = self.parameters
        for value in arguments:
            if type(value) is str and len(value) > 255:
                run.spend(len(value) // 256)
        accepted = [
            parameters[min(index, len(parameters) - 1)].accept(value, function)
            for index, value in enumerate(arguments)
        ]
        return self.implementation(run, *accepted)


def _parse_parameter(text: str) -> Parameter:
    name, _, kind = (part.strip() for part in text.partition(":"))
    kind = kind or "any"
    types = None if kind == "any" else frozenset().union(*(_KINDS[part.strip()] for part in kind.split("|")))
    bare = name.removesuffix("?").removesuffix("...")
    return Parameter(bare, kind, types, name.endswith("?"), name.endswith("..."))


@dataclass(slots=True)
class Table:
    """The functions of one theme."""

    title: str
    signatures: dict[str, list[Signature]] = field(default_factory=dict)

    def define(self, name: str, text: str = "") -> Callable[[Implementation], Implementation]:
        """Declare the decorated function as ``name(text)``; it takes the run, then the arguments."""
        parameters = tuple(_parse_parameter(part) for part in text.split(",") if part.strip())

        def register(implementation: Implementation) -> Implementation:
            fewest = sum(not parameter.optional for parameter in parameters)
            variadic = any(parameter.variadic for parameter in parameters)
            signature = Signature(text, parameters, implementation, fewest, variadic)
            self.signatures.setdefault(name, []).append(signature)
            return implementation

        return register

    def functions(self) -> Mapping[str, Function]:
        """The functions as FEEL values."""
        return {name: _as_function(name, signatures) for name, signatures in self.signatures.items()}


def _as_function(name: str, signatures: Sequence[Signature]) -> Function:
    def call(run: Run, *arguments: Any) -> Any:
        count = len(arguments)
        fitting = [signature for signature in signatures if signature.takes(count)]
        if not fitting:
            raise Null(f"{name}() can't be called with {count} arguments; it is {_usage(name, signatures)}")
        return _first_that_accepts(name, fitting, run, arguments)

    def call_named(run: Run, arguments: Mapping[str, Any]) -> Any:
        # Overloads such as (point, range) and (range, point) are told apart by the order of the text.
        for signature in sorted(
            signatures, key=lambda known: list(arguments) != [p.name for p in known.parameters]
        ):
            names = [parameter.name for parameter in signature.parameters]
            if all(given in names for given in arguments):
                values = [arguments.get(name) for name in names]
                while (
                    values
                    and signature.parameters[len(values) - 1].optional
                    and names[len(values) - 1] not in arguments
                ):
                    values.pop()
                if signature.variadic and type(values[-1]) is list:
                    values[-1:] = values[-1]
                return signature.call(name, run, values)
        raise Null(
            f"{name}() has no such parameters: {', '.join(arguments)}; it is {_usage(name, signatures)}"
        )

    return Function(
        name,
        tuple(parameter.name for parameter in signatures[0].parameters),
        call,
        variadic=True,
        call_named=call_named,
    )


def _first_that_accepts(name: str, fitting: Sequence[Signature], run: Run, arguments: Sequence[Any]) -> Any:
    """Overloads with the same number of parameters are told apart by their types."""
    for signature in fitting[:-1]:
        try:
            for parameter, value in zip(signature.parameters, arguments, strict=False):
                parameter.accept(value, name)
        except Null:
            continue
        return signature.call(name, run, arguments)
    return fitting[-1].call(name, run, arguments)


def _usage(name: str, signatures: Sequence[Signature]) -> str:
    return " or ".join(f"{name}({signature.text})" for signature in signatures)
