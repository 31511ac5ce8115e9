"""Calling a Python function with process variables: arguments by name, checked by pydantic.

The function's signature is read when the handler is registered, so that a function that can't be
called by name is refused at once; pydantic is imported at the first call, so that starting stays fast.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, Required

from flowkit.errors import InvalidPayload
from flowkit.tasks.connections import Wanted, wanted_connection
from flowkit.tasks.context import TaskContext
from flowkit.tasks.outcomes import InvalidHandler

__all__ = ["Parameter", "Signature", "describe_type", "read_signature"]

MAX_SHOWN = 80
"""Characters of an offending value that a message shows."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a handler that comes from a process variable."""

    name: str
    variable: str
    """The variable it is read from: the field's alias if the annotation gives one, else the name."""
    annotation: Any
    required: bool
    default: Any = None

    @property
    def accepts_none(self) -> bool:
        """Whether null is a value of the argument, rather than its absence."""
        return self.annotation is Any or types.NoneType in _union(self.annotation)


@dataclass(frozen=True, slots=True)
class Signature:
    """How a handler is called: its arguments, who gets the context, who takes all variables."""

    parameters: tuple[Parameter, ...]
    context: str | None
    takes_all: bool
    returns: Any
    """The return annotation, or None where there is nothing to check."""
    connection: Wanted | None = None
    """The argument that gets the step's transaction."""

    def inputs(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The variables that the arguments read; null for an argument with a default is its absence."""
        chosen = {}
        for parameter in self.parameters:
            if parameter.variable not in variables:
                continue
            value = variables[parameter.variable]
            if value is None and not parameter.required and not parameter.accepts_none:
                continue
            chosen[parameter.variable] = value
        return chosen

    def adapter(self) -> Any:
        """The pydantic validator of the inputs: a typed dictionary, since names are unrestricted there."""
        from pydantic import ConfigDict, TypeAdapter  # noqa: PLC0415 heavy
        from typing_extensions import TypedDict  # noqa: PLC0415 pydantic's, for Python < 3.12

        fields = {
            parameter.variable: (
                Required[parameter.annotation] if parameter.required else NotRequired[parameter.annotation]
            )
            for parameter in self.parameters
        }
        shape = TypedDict("Inputs", fields)  # type: ignore[misc]  # fields known only now
        shape.__pydantic_config__ = ConfigDict(arbitrary_types_allowed=True)  # type: ignore[attr-defined]
        return TypeAdapter(shape)


def _union(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(member for part in typing.get_args(annotation) for member in _union(part))
    return (annotation,)


def _alias(annotation: Any) -> str | None:
    """The ``Field(alias="车牌")`` of an ``Annotated`` argument, by which a variable may be named."""
    if typing.get_origin(annotation) is not typing.Annotated:
        return None
    for extra in annotation.__metadata__:
        alias = getattr(extra, "validation_alias", None) or getattr(extra, "alias", None)
        if isinstance(alias, str):
            return alias
    return None


def _without_alias(annotation: Any) -> Any:
    """The annotation with its constraints but without the alias, which is applied here already."""
    if _alias(annotation) is None:
        return annotation
    from copy import copy  # noqa: PLC0415 rare

    kept = []
    for extra in annotation.__metadata__:
        clean = copy(extra)
        for name in ("alias", "validation_alias", "serialization_alias", "alias_priority"):
            if hasattr(clean, name):
                setattr(clean, name, None)
        if hasattr(clean, "_attributes_set"):
            clean._attributes_set = {
                key: value for key, value in clean._attributes_set.items() if "alias" not in key
            }
        kept.append(clean)
    return typing.Annotated[(typing.get_args(annotation)[0], *kept)]


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, AttributeError, TypeError) as error:
        raise InvalidHandler(
            f"handler {name}: its annotations can't be resolved ({error}). Import the types that they name "
            "at module level, not only under TYPE_CHECKING."
        ) from error


def read_signature(function: Callable[..., Any], name: str) -> Signature:
    """Read how ``function`` is to be called; raises InvalidHandler where that is impossible by name."""
    hints = _hints(function, name)
    parameters: list[Parameter] = []
    context: str | None = None
    connection: Wanted | None = None
    takes_all = False
    for parameter in inspect.signature(function).parameters.values():
        annotation = hints.get(parameter.name, Any)
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_all = True
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise InvalidHandler(
                f"handler {name}: argument {parameter.name!r} is positional, expected arguments by name; "
                "write plain arguments, or **variables to take every variable"
            )
        elif TaskContext in _union(annotation):
            context = parameter.name
        elif wanted := wanted_connection(parameter.name, _union(annotation)):
            connection = _only(connection, wanted, function, name)
        else:
            required = parameter.default is parameter.empty
            variable = _alias(annotation) or parameter.name
            default = None if required else parameter.default
            parameters.append(
                Parameter(parameter.name, variable, _without_alias(annotation), required, default)
            )
    returns = hints.get("return")
    returns = None if returns in (None, Any) else returns
    return Signature(tuple(parameters), context, takes_all, returns, connection)


def _only(known: Wanted | None, wanted: Wanted, function: Any, name: str) -> Wanted:
    if known is not None:
        raise InvalidHandler(
            f"handler {name}: {known.argument!r} and {wanted.argument!r} are both connections; "
            "a step has one transaction, so ask for it once"
        )
    if inspect.iscoroutinefunction(function):
        raise InvalidHandler(
            f"handler {name}: an async handler can't take part in its step's transaction, which belongs to "
            f"one thread; write it as a plain function, or leave out {wanted.argument!r}"
        )
    return wanted


def describe_type(annotation: Any) -> str:
    """A type as its author would write it: ``int``, ``list[str]``, ``date | None``."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def arguments_error(
    handler: str, signature: Signature, error: Any, variables: Mapping[str, Any]
) -> InvalidPayload:
    """Tell which arguments are wrong: name, what was expected, what was found."""
    expected = {parameter.variable: describe_type(parameter.annotation) for parameter in signature.parameters}
    problems = []
    for fault in error.errors(include_url=False, include_context=False):
        path = "/" + "/".join(str(part) for part in fault["loc"])
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if fault["type"] == "missing" and len(fault["loc"]) == 1:
            there = ", ".join(sorted(variables)[:12]) or "none"
            text = f"expected {expected.get(name, 'a value')}, found no such variable (there are: {there})"
        else:
            text = f"{fault['msg']}: expected {expected.get(name, 'a value')}, found {_shown(fault['input'])}"
        problems.append((path, text))
    lines = "; ".join(f"argument {path[1:].replace('/', '.')!r}: {text}" for path, text in problems)
    return InvalidPayload(f"handler {handler}: {lines}", problems)
