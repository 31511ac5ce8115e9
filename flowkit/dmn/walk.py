"""Going through boxed expressions."""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.dmn.model import (
    Boxed,
    Conditional,
    Context,
    Filter,
    FunctionDefinition,
    Invocation,
    Iteration,
    ListExpression,
    Relation,
)

__all__ = ["children_of", "parts_of"]


def parts_of(boxed: Boxed) -> Iterator[Boxed]:
    """``boxed`` and everything within it, outer before inner."""
    yield boxed
    for part in children_of(boxed):
        if part is not None:
            yield from parts_of(part)


def children_of(boxed: Boxed) -> Iterator[Boxed | None]:
    """The expressions directly within ``boxed``."""
    match boxed:
        case Context():
            yield from (entry.value for entry in boxed.entries)
        case Invocation():
            yield boxed.function
            yield from (binding.value for binding in boxed.bindings)
        case ListExpression():
            yield from boxed.items
        case Relation():
            for row in boxed.rows:
                yield from row
        case FunctionDefinition():
            yield boxed.body
        case Conditional():
            yield from (boxed.condition, boxed.then, boxed.otherwise)
        case Iteration():
            yield from (boxed.collection, boxed.body)
        case Filter():
            yield from (boxed.collection, boxed.match)
