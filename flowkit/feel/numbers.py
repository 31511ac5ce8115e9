"""FEEL numbers: ``int`` and ``Decimal`` with 34 significant digits (IEEE 754 decimal128, 10.3.2.3.1).

Whole numbers stay ``int`` while they fit, because Python adds those fastest. Not-a-number and infinity
don't exist: what would give them gives null.
"""

from __future__ import annotations

from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)

__all__ = ["BIG", "CONTEXT", "Number", "from_float", "parse_number", "settle", "to_int"]

Number = int | Decimal

CONTEXT = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
"""All arithmetic goes through this context: the thread's own one has other precision and traps."""

BIG = 10**34
"""Whole numbers of this size and beyond have more than 34 digits and are rounded."""


def settle(number: Number) -> Number | None:
    """``number`` rounded to 34 digits, or None if it is not finite or beyond the exponents."""
    if isinstance(number, int) and -BIG < number < BIG:
        return number
    try:
        result = CONTEXT.plus(Decimal(number))
        return result if result.is_finite() else None
    except DecimalException:
        return None


def parse_number(text: str) -> Number | None:
    """The number that ``text`` writes (digits, point, exponent), or None if it is too large."""
    if len(text) <= 34 and text.isdigit():
        return int(text)
    try:
        return CONTEXT.create_decimal(text)
    except DecimalException:
        return None


def from_float(number: float) -> Decimal | None:
    """The shortest decimal that reads back as ``number``; None for not-a-number and infinities."""
    return Decimal(repr(number)) if number - number == 0 else None


def to_int(number: Number) -> int | None:
    """``number`` as ``int`` if it is whole and of a size that can count something, else None."""
    if type(number) is int:
        return number
    if not -BIG < number < BIG:
        return None
    whole = int(number)
    return whole if whole == number else None
