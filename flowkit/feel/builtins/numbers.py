"""Numeric functions (DMN 1.5, 10.3.4.5)."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DecimalException,
)

from flowkit.feel.builtins.registry import Table
from flowkit.feel.numbers import CONTEXT, Number, settle, to_int
from flowkit.feel.temporal import DaysTimeDuration, Duration, YearsMonthsDuration
from flowkit.feel.values import Null, Run

__all__ = ["TABLE"]

TABLE = Table("Numeric")

MIN_SCALE, MAX_SCALE = -6111, 6176  # of decimal128


def rounded(run: Run, function: str, number: Number, scale: Number, mode: str) -> Number:
    """``number`` with ``scale`` digits behind the point; negative scales round before it. Raises Null."""
    digits = to_int(scale)
    if digits is None:
        digits = int(scale)
    if not MIN_SCALE <= digits <= MAX_SCALE:
        raise Null(f"{function}(): the scale must lie between {MIN_SCALE} and {MAX_SCALE}", "value")
    value = Decimal(number)
    if -value.as_tuple().exponent <= digits:  # type: ignore[operator]  # numbers are finite
        return number
    run.spend(50 if abs(value.adjusted()) + abs(digits) > 200 else 2)
    wide = Context(prec=7000, rounding=mode, Emin=-20_000, Emax=20_000)
    result = settle(value.quantize(Decimal(1).scaleb(-digits), context=wide))
    if result is None:
        raise Null(f"{function}(): the result is too large", "value")
    return result


def _whole(value: Number) -> Number:
    whole = to_int(value)
    return value if whole is None else whole


def _define_rounding(name: str, mode: str, text: str) -> None:
    @TABLE.define(name, "n: number, scale: number")
    def implementation(run: Run, number: Number, scale: Number) -> Number:
        return rounded(run, name, number, scale, mode)

    implementation.__doc__ = text


_define_rounding(
    "decimal", ROUND_HALF_EVEN, "The number with ``scale`` digits behind the point, halves to even."
)
_define_rounding("round up", ROUND_UP, "The number rounded away from zero.")
_define_rounding("round down", ROUND_DOWN, "The number rounded toward zero.")
_define_rounding("round half up", ROUND_HALF_UP, "The number rounded to the nearest, halves away from zero.")
_define_rounding("round half down", ROUND_HALF_DOWN, "The number rounded to the nearest, halves toward zero.")


@TABLE.define("floor", "n: number, scale?: number")
def floor(run: Run, number: Number, scale: Number = 0) -> Number:
    """The greatest number with ``scale`` digits behind the point that is not above ``n``."""
    return _whole(rounded(run, "floor", number, scale, ROUND_FLOOR))


@TABLE.define("ceiling", "n: number, scale?: number")
def ceiling(run: Run, number: Number, scale: Number = 0) -> Number:
    """The least number with ``scale`` digits behind the point that is not below ``n``."""
    return _whole(rounded(run, "ceiling", number, scale, ROUND_CEILING))


@TABLE.define("abs", "n: number|days and time duration|years and months duration")
def absolute(_run: Run, value: Number | Duration) -> Number | Duration:
    """The number or duration without its sign."""
    if isinstance(value, DaysTimeDuration):
        return DaysTimeDuration(abs(value.nanos))
    if isinstance(value, YearsMonthsDuration):
        return YearsMonthsDuration(abs(value.months))
    return value if value >= 0 else CONTEXT.minus(value) if isinstance(value, Decimal) else -value


@TABLE.define("modulo", "dividend: number, divisor: number")
def modulo(run: Run, dividend: Number, divisor: Number) -> Number | None:
    """The remainder with the divisor's sign: dividend - divisor * floor(dividend / divisor)."""
    if divisor == 0:
        raise Null("modulo(): the divisor is zero", "value")
    if isinstance(dividend, int) and isinstance(divisor, int):
        return dividend % divisor
    distance = abs(Decimal(dividend).adjusted() - Decimal(divisor).adjusted())
    run.spend(500 if distance > 200 else 10)
    try:
        wide = Context(prec=13_000, Emin=-20_000, Emax=20_000)
        remainder = wide.remainder(Decimal(dividend), Decimal(divisor))
        if remainder and (remainder < 0) != (divisor < 0):
            remainder = wide.add(remainder, Decimal(divisor))
        return settle(remainder)
    except DecimalException:
        raise Null("modulo(): the result is not a number", "value") from None


@TABLE.define("sqrt", "number: number")
def sqrt(run: Run, number: Number) -> Number:
    """The square root."""
    if number < 0:
        raise Null("sqrt(): negative numbers have no square root", "value")
    run.spend(10)
    return _whole(CONTEXT.sqrt(Decimal(number)))


@TABLE.define("log", "number: number")
def log(run: Run, number: Number) -> Number:
    """The natural logarithm."""
    if number <= 0:
        raise Null("log(): only numbers above zero have a logarithm", "value")
    run.spend(50)
    return CONTEXT.ln(Decimal(number))


@TABLE.define("exp", "number: number")
def exp(run: Run, number: Number) -> Number:
    """Euler's number to the power of ``number``."""
    run.spend(50)
    try:
        return CONTEXT.exp(Decimal(number))
    except DecimalException:
        raise Null("exp(): the result is too large", "value") from None


@TABLE.define("odd", "number: number")
def odd(_run: Run, number: Number) -> bool:
    """Whether the number is whole and not divisible by two."""
    return _divisible(number, 1)


@TABLE.define("even", "number: number")
def even(_run: Run, number: Number) -> bool:
    """Whether the number is whole and divisible by two."""
    return _divisible(number, 0)


def _divisible(number: Number, rest: int) -> bool:
    if isinstance(number, Decimal) and number.adjusted() > 34:
        return rest == 0
    whole = to_int(number) if isinstance(number, int) else int(number) if number == int(number) else None
    return whole is not None and whole % 2 == rest
