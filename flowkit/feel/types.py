"""FEEL's types: what ``instance of`` and typeRefs name, conformance, and conversion at type boundaries.

Source: DMN 1.5, 7.3.2 (item definitions), 10.3.2.9 (type conformance and conversion).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flowkit.feel.temporal import Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration
from flowkit.feel.values import Function, Range

__all__ = [
    "ANY",
    "BASIC_TYPES",
    "ContextType",
    "FeelType",
    "FunctionType",
    "ListType",
    "NamedType",
    "RangeType",
    "SimpleType",
    "coerce",
    "conforms",
    "is_instance",
    "resolve_type",
]


@dataclass(frozen=True, slots=True)
class SimpleType:
    """One of the basic types by its name, such as ``number``, ``date and time``, ``Any`` or ``Null``."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListType:
    """``list<item>``."""

    item: FeelType

    def __str__(self) -> str:
        return f"list<{self.item}>"


@dataclass(frozen=True, slots=True)
class ContextType:
    """``context<a: number, b: string>``: at least these entries."""

    entries: tuple[tuple[str, FeelType], ...]

    def __str__(self) -> str:
        return f"context<{', '.join(f'{name}: {kind}' for name, kind in self.entries)}>"


@dataclass(frozen=True, slots=True)
class FunctionType:
    """``function<number, string> -> boolean``."""

    parameters: tuple[FeelType, ...]
    result: FeelType

    def __str__(self) -> str:
        return f"function<{', '.join(map(str, self.parameters))}> -> {self.result}"


@dataclass(frozen=True, slots=True)
class RangeType:
    """``range<number>``."""

    item: FeelType

    def __str__(self) -> str:
        return f"range<{self.item}>"


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type that the text names and somebody else defines, such as a DMN item definition.

    ``base`` is None as long as the name is not resolved. ``allows`` is the definition's constraint: it
    tells whether a value of the base type is allowed.
    """

    name: str
    base: FeelType | None = None
    allows: Callable[[Any], bool] | None = None

    def __str__(self) -> str:
        return self.name


FeelType = SimpleType | ListType | ContextType | FunctionType | RangeType | NamedType

ANY = SimpleType("Any")

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "number": (int, Decimal),
    "string": (str,),
    "boolean": (bool,),
    "date": (Date,),
    "time": (Time,),
    "date and time": (DateTime,),
    "days and time duration": (DaysTimeDuration,),
    "years and months duration": (YearsMonthsDuration,),
    "duration": (DaysTimeDuration, YearsMonthsDuration),
    "list": (list,),
    "context": (dict,),
    "range": (Range,),
    "function": (Function,),
    "Null": (type(None),),
}

BASIC_TYPES: dict[str, SimpleType] = {
    "Any": ANY,
    **{name: SimpleType(name) for name in _PYTHON_TYPES},
    # Spellings of older DMN versions and of XML Schema.
    "dateTime": SimpleType("date and time"),
    "dayTimeDuration": SimpleType("days and time duration"),
    "yearMonthDuration": SimpleType("years and months duration"),
    "any": ANY,
}


def resolve_type(kind: FeelType, definitions: Mapping[str, FeelType]) -> FeelType:
    """``kind`` with its unresolved names replaced by their definitions, where there are any."""
    if isinstance(kind, NamedType):
        return definitions.get(kind.name, kind) if kind.base is None else kind
    if isinstance(kind, ListType):
        return ListType(resolve_type(kind.item, definitions))
    if isinstance(kind, RangeType):
        return RangeType(resolve_type(kind.item, definitions))
    if isinstance(kind, ContextType):
        return ContextType(tuple((name, resolve_type(entry, definitions)) for name, entry in kind.entries))
    if isinstance(kind, FunctionType):
        parameters = tuple(resolve_type(parameter, definitions) for parameter in kind.parameters)
        return FunctionType(parameters, resolve_type(kind.result, definitions))
    return kind


def is_instance(value: Any, kind: FeelType) -> bool | None:
    """``value instance of kind``; None if the type is unknown.

    Null is an instance of Null only. The constraint of a named type does not count.
    """
    while isinstance(kind, NamedType):
        if kind.base is None:
            return None
        kind = kind.base
    if value is None:
        return kind == SimpleType("Null")
    return conforms(value, kind)


def conforms(value: Any, kind: FeelType) -> bool:
    """Whether ``value`` may stand where ``kind`` is asked for; null may stand anywhere."""
    if value is None:
        return True
    if isinstance(kind, SimpleType):
        return kind.name == "Any" or type(value) in _PYTHON_TYPES[kind.name]
    if isinstance(kind, ListType):
        return type(value) is list and all(conforms(item, kind.item) for item in value)
    if isinstance(kind, ContextType):
        return type(value) is dict and all(
            name in value and conforms(value[name], entry) for name, entry in kind.entries
        )
    if isinstance(kind, RangeType):
        return isinstance(value, Range) and conforms(value.low, kind.item) and conforms(value.high, kind.item)
    if isinstance(kind, FunctionType):
        return isinstance(value, Function) and _function_conforms(value, kind)
    if kind.base is None or not conforms(value, kind.base):
        return False
    return kind.allows is None or kind.allows(value)


def _function_conforms(function: Function, kind: FunctionType) -> bool:
    """Parameters may be wider, the result narrower than asked for (10.3.2.9.2)."""
    if function.variadic:
        return True
    count = len(function.parameters)
    if not count - function.optional <= len(kind.parameters) <= count:
        return False
    known = zip(kind.parameters, function.types, strict=False)
    if not all(_type_conforms(asked, own) for asked, own in known):
        return False
    return function.result is None or _type_conforms(function.result, kind.result)


def _type_conforms(narrow: FeelType, wide: FeelType) -> bool:
    """Whether every value of ``narrow`` is a value of ``wide``."""
    if isinstance(wide, NamedType) and wide.base is not None:
        wide = wide.base
    if isinstance(narrow, NamedType) and narrow.base is not None:
        narrow = narrow.base
    if wide in (ANY, narrow) or narrow == SimpleType("Null"):
        return True
    if isinstance(narrow, ListType | RangeType) and type(narrow) is type(wide):
        return _type_conforms(narrow.item, wide.item)
    if isinstance(narrow, ContextType) and isinstance(wide, ContextType):
        entries = dict(narrow.entries)
        return all(name in entries and _type_conforms(entries[name], entry) for name, entry in wide.entries)
    if isinstance(narrow, FunctionType) and isinstance(wide, FunctionType):
        return (
            len(narrow.parameters) == len(wide.parameters)
            and all(_type_conforms(w, n) for n, w in zip(narrow.parameters, wide.parameters, strict=True))
            and _type_conforms(narrow.result, wide.result)
        )
    return False


def coerce(value: Any, kind: FeelType) -> tuple[Any, bool]:
    """``value`` converted for a place of type ``kind``, and whether it fits (10.3.2.9.4).

    A list of one item becomes the item where no list is asked for, a single value becomes a list where one
    is, a date becomes its midnight UTC where a date and time is. What does not fit becomes null.
    """
    if conforms(value, kind):
        return value, True
    base: FeelType | None = kind
    while isinstance(base, NamedType):
        base = base.base
    if isinstance(base, ListType) or base == BASIC_TYPES["list"]:
        candidate: Any = [value]
    elif type(value) is list and len(value) == 1:
        candidate = value[0]
    elif isinstance(value, Date) and base == BASIC_TYPES["date and time"]:
        candidate = DateTime(value, Time(0, 0, 0, 0, 0))
    else:
        return None, False
    return (candidate, True) if conforms(candidate, kind) else (None, False)
