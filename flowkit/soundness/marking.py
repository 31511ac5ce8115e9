"""Markings: what of an instance decides what it can still do, without keys and data."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from flowkit.kernel import Instance
from flowkit.kernel.protocol import Compensable
from flowkit.kernel.state import Scope

__all__ = ["forget_repeated_records", "marking", "shape"]


def marking(instance: Instance, fired: Set[int], beside: Set[str]) -> Any:
    """Equal for states that can do the same.

    ``fired`` are the waits that have thrown their escalation; waits for events ``beside`` the flow change
    nothing, whether they are still there or not.
    """
    waits = instance.waits

    def held(keys: Any) -> tuple[Any, ...]:
        return tuple(
            sorted(
                (wait.node, type(wait).__name__, key in fired, bool(getattr(wait, "holds", False)))
                for key in keys
                if (wait := waits[key]).node not in beside
            )
        )

    def of_scope(scope: Scope) -> Any:
        loop = scope.loop
        return (
            scope.node,
            scope.kind,
            tuple(sorted((of_token(key) for key in scope.tokens), key=repr)),
            held(scope.holds),
            (loop.total and loop.started, len(loop.items)) if loop is not None else None,
            tuple(sorted(scope.resetting)),
            tuple(shape(record) for record in scope.records.values()),
            tuple(sorted((place.partition(":")[2], tuple(parts)) for place, parts in scope.occurred.items())),
        )

    def of_token(key: int) -> Any:
        token = instance.tokens[key]
        inner = tuple(of_scope(instance.scopes[scope]) for scope in token.scopes)
        pending = tuple(shape(record) for record in token.pending)
        return (token.node, token.active, token.flow, held(token.holds), inner, pending)

    return of_scope(instance.scopes[1]) if 1 in instance.scopes else instance.status


def shape(record: Compensable) -> Any:
    """What is to be undone, in which order."""
    return (record.node, tuple(shape(child) for child in record.children))


def forget_repeated_records(instance: Instance) -> None:
    """Keep the last completion of each activity that can be compensated: one stands for any number.

    Otherwise each round of a loop around such an activity would be another state.
    """
    for scope in instance.scopes.values():
        if len(scope.records) > 1:
            last = {record.node: key for key, record in scope.records.items()}
            scope.records = {key: scope.records[key] for key in scope.records if key in last.values()}
