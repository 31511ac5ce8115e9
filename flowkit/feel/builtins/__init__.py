"""FEEL's built-in functions by theme: each module declares a table (DMN 1.5, 10.3.4)."""

from __future__ import annotations

from collections.abc import Mapping

from flowkit.feel.builtins import contexts, conversion, dates, lists, numbers, ranges, statistics, strings
from flowkit.feel.builtins.registry import Parameter, Signature, Table
from flowkit.feel.values import Function

__all__ = ["BUILTINS", "TABLES", "Parameter", "Signature", "Table"]

TABLES: tuple[Table, ...] = (
    conversion.TABLE,
    strings.TABLE,
    numbers.TABLE,
    lists.TABLE,
    statistics.TABLE,
    contexts.TABLE,
    dates.TABLE,
    ranges.TABLE,
)
"""All themes, in the order of the documentation."""

BUILTINS: Mapping[str, Function] = {
    name: function for table in TABLES for name, function in table.functions().items()
}
"""Every built-in function by its name."""
