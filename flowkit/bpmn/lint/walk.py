"""Everything inside an element: other elements, and the expressions that they own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from flowkit.bpmn.model import DataAssociation, Element, Expression

__all__ = ["elements", "expressions"]


_NAMES: dict[str, tuple[str, ...]] = {}


def _names(element: Element) -> tuple[str, ...]:
    kind = type(element).__name__
    if kind not in _NAMES:
        _NAMES[kind] = tuple(field.name for field in fields(element))
    return _NAMES[kind]


def elements(root: Element) -> Iterator[Element]:
    """``root`` and every element below it, in the model's order."""
    stack: list[object] = [root]
    while stack:
        value = stack.pop()
        if isinstance(value, Element):
            yield value
            stack.extend(getattr(value, name) for name in reversed(_names(value)))
        elif isinstance(value, tuple):
            stack.extend(reversed(value))


def expressions(element: Element) -> Iterator[tuple[str, Expression]]:
    """The standard expressions that the element itself holds, with the field that holds them.

    The ``to`` side of an assignment is left out: it names a place, it is not evaluated.
    """
    for name in _names(element):
        value = getattr(element, name)
        if isinstance(value, Expression):
            yield name, value
        elif isinstance(value, tuple) and value and isinstance(value[0], tuple):
            for pair in value:
                found = [part for part in pair if isinstance(part, Expression)]
                if isinstance(element, DataAssociation):
                    found = found[:1]
                yield from ((name, expression) for expression in found)
