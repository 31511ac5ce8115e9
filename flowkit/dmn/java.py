"""The pure functions of ``java.lang`` that decision models call, in Python.

A function of kind Java names a class and a method signature. No Java runs here: the methods below
are computed, so that models which only borrow arithmetic from Java keep working; any other method
is refused by name. Arguments are narrowed as Java would: a number that does not fit the
parameter's type gives null.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from flowkit.feel.values import Function

__all__ = ["external", "java_function"]

INTEGERS = {"byte": 8, "short": 16, "int": 32, "long": 64}
BOXES = {
    "java.lang.Byte": "byte",
    "java.lang.Short": "short",
    "java.lang.Integer": "int",
    "java.lang.Long": "long",
    "java.lang.Float": "float",
    "java.lang.Double": "double",
    "java.lang.Character": "char",
    "java.lang.Boolean": "boolean",
}
SIGNATURE = re.compile(r"\s*(\w+)\s*\(([^)]*)\)\s*\Z")
OBJECTS = ("java.lang.Object...", "[Ljava.lang.Object;", "java.lang.Object[]")


class Unfit(Exception):  # never leaves this module: it becomes null
    """An argument is not of the parameter's Java type."""


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unfit
    return Decimal(value)


def _integer(bits: int) -> Callable[[Any], int]:
    def narrow(value: Any) -> int:
        number = _number(value)
        if number != number.to_integral_value() or not -(1 << bits - 1) <= number < 1 << bits - 1:
            raise Unfit
        return int(number)

    return narrow


def _single(value: Any) -> float:
    return float(struct.unpack("f", struct.pack("f", float(_number(value))))[0])


def _character(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1:
        raise Unfit
    return value


def _plain(kind: type) -> Callable[[Any], Any]:
    def narrow(value: Any) -> Any:
        if type(value) is not kind:
            raise Unfit
        return value

    return narrow


NARROW: dict[str, Callable[[Any], Any]] = {
    **{name: _integer(bits) for name, bits in INTEGERS.items()},
    "float": _single,
    "double": lambda value: float(_number(value)),
    "char": _character,
    "boolean": _plain(bool),
    "java.lang.String": _plain(str),
    "java.lang.Object": lambda value: value,
}
NARROW.update({box: NARROW[name] for box, name in BOXES.items()})


def _feel(value: Any) -> Any:
    """A Java result as a FEEL value; what is not finite has none."""
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    return value


def _float_text(value: float) -> Decimal:
    """A ``float``, which Java prints with as few digits as tell it from its neighbours."""
    for digits in range(1, 18):
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            return Decimal(text)
    return Decimal(repr(value))


def _round(value: float) -> int:
    return math.floor(value + 0.5)


UNARY: dict[str, Callable[[float], Any]] = {
    name: getattr(math, name)
    for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "sqrt", "log10")
} | {
    "log": math.log,
    "cbrt": lambda x: math.copysign(abs(x) ** (1 / 3), x),
    "ceil": lambda x: float(math.ceil(x)),
    "floor": lambda x: float(math.floor(x)),
    "rint": lambda x: float(round(x)),
    "toRadians": math.radians,
    "toDegrees": math.degrees,
    "signum": lambda x: math.copysign(1.0, x) if x else x,
}
BINARY: dict[str, Callable[[float, float], float]] = {
    "pow": math.pow,
    "atan2": math.atan2,
    "hypot": math.hypot,
}
NUMERIC = ("int", "long", "float", "double")


def _math(method: str, parameters: tuple[str, ...]) -> Callable[..., Any] | None:
    if parameters == ("double",) and method in UNARY:
        return UNARY[method]
    if parameters == ("double", "double") and method in BINARY:
        return BINARY[method]
    if len(parameters) == 2 and parameters[0] == parameters[1] and parameters[0] in NUMERIC:
        extreme: dict[str, Callable[..., Any]] = {"max": max, "min": min}
        return extreme.get(method)
    if len(parameters) == 1 and parameters[0] in NUMERIC and method == "abs":
        return abs
    if parameters in (("double",), ("float",)) and method == "round":
        return _round
    return None


def _parse(kind: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        if kind in INTEGERS:
            return NARROW[kind](int(text)) if re.fullmatch(r"[-+]?\d{1,20}", text) else _unfit()
        return NARROW[kind](Decimal(text.strip()))

    return parse


def _unfit() -> Any:
    raise Unfit


def _box(kind: str, method: str, parameters: tuple[str, ...]) -> Callable[..., Any] | None:
    if method == "valueOf" and parameters == (kind,):
        return lambda value: value
    named = {"int": "parseInt"}.get(kind, f"parse{kind.capitalize()}")
    if (
        method in ("valueOf", named)
        and parameters == ("java.lang.String",)
        and kind not in ("char", "boolean")
    ):
        return _parse(kind)
    return None


FORMAT = re.compile(r"%(?:%|(-?\d*)(\.\d+)?([sdf]))")
MAX_WIDTH = 1000


def _format(template: str, *values: Any) -> str:
    """``String.format`` with %s, %d, %f and %%."""
    pending = list(values)

    def replace(match: re.Match[str]) -> str:
        width, precision, letter = match.groups()
        if letter is None:
            return "%"
        if not pending or abs(int(width or 0)) > MAX_WIDTH or (precision and int(precision[1:]) > MAX_WIDTH):
            raise Unfit
        value = pending.pop(0)
        if letter == "s":
            text = (
                {True: "true", False: "false", None: "null"}[value]
                if isinstance(value, bool | None)
                else str(value)
            )
        elif letter == "d":
            text = str(NARROW["long"](value))
        else:
            text = f"{_number(value):{precision or '.6'}f}"
        size = int(width or 0)
        return text.ljust(-size) if size < 0 else text.rjust(size)

    return FORMAT.sub(replace, template)


def _method(owner: str, method: str, parameters: tuple[str, ...]) -> Callable[..., Any] | None:
    if owner in ("java.lang.Math", "java.lang.StrictMath"):
        return _math(method, parameters)
    if owner in BOXES:
        return _box(BOXES[owner], method, parameters)
    if owner == "java.lang.String" and method == "valueOf" and len(parameters) == 1:
        return str if parameters[0] in ("char", *INTEGERS) else None
    if owner == "java.lang.String" and method == "format" and parameters[:1] == ("java.lang.String",):
        return _format if len(parameters) == 2 and parameters[1] in OBJECTS else None
    return None


def java_function(mapping: Mapping[str, Any]) -> Callable[..., Any] | None:
    """What ``{class: ..., method signature: ...}`` names, or ``None`` if it is not known here.

    The function takes and returns FEEL values and gives null for arguments that Java would refuse.
    """
    match = SIGNATURE.match(str(mapping.get("method signature", "")))
    if match is None:
        return None
    parameters = tuple(part.strip() for part in match.group(2).split(",") if part.strip())
    method = _method(str(mapping.get("class", "")), match.group(1), parameters)
    if method is None:
        return None
    narrow = [NARROW.get(parameter, NARROW["java.lang.Object"]) for parameter in parameters]
    single = "float" in parameters or mapping.get("class") == "java.lang.Float"
    varargs = bool(parameters) and parameters[-1] in OBJECTS

    def call(*arguments: Any) -> Any:
        if len(arguments) != len(parameters) and not varargs:
            return None
        kinds = [*narrow, *[NARROW["java.lang.Object"]] * (len(arguments) - len(narrow))]
        try:
            result = method(*(kind(value) for kind, value in zip(kinds, arguments, strict=False)))
        except (Unfit, ArithmeticError, ValueError):
            return None
        return _float_text(result) if single and isinstance(result, float) else _feel(result)

    return call


def external(mapping: Mapping[str, Any]) -> Function | None:
    """The function for FEEL's ``external {java: {class: ..., method signature: ...}}``, if it is known."""
    java = mapping.get("java")
    if not isinstance(java, Mapping):
        return None
    known = java_function(java)
    if known is None:
        return None
    return Function(str(java["method signature"]), (), lambda run, *arguments: known(*arguments))
