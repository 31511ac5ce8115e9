"""Data stores: what a node takes from them before it begins, and gives to them when it is done.

A store lives outside the instance, so the token asks for it and waits for the answer, as it does for
a decision; the engine answers in the same transaction. What was read is kept for the rest of the step
only (``Frame.answers``): the node then begins, or finishes, again with the answer at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowkit.errors import FlowkitError
from flowkit.kernel import protocol as p
from flowkit.kernel.frame import Frame
from flowkit.kernel.program import Node
from flowkit.kernel.state import Token

__all__ = ["after_write", "ask_to_write", "read", "written"]


def after_write(content: Any, write: p.DataWrite) -> Any:
    """The content of a store once ``write`` is done to it; raises FlowkitError when it does not fit."""
    value = _inside(content, write.path, write.value) if write.path else write.value
    size = len(value) if isinstance(value, list | dict) else 0 if value is None else 1
    if write.capacity is not None and size > write.capacity:
        raise FlowkitError(f"The data store '{write.store}' holds at most {write.capacity}, not {size}.")
    return value


def _inside(content: Any, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy of ``content`` with ``value`` at ``path``."""
    made = dict(content) if isinstance(content, dict) else {}
    name, *rest = path
    made[name] = _inside(made.get(name), tuple(rest), value) if rest else value
    return made


def read(frame: Frame, token: Token, node: Node) -> Mapping[str, Any] | None:
    """What the node's inputs take from stores, by variable; None when it was only asked for now."""
    values = frame.answers.pop(token.key, None)
    if values is None:
        stores = tuple(dict.fromkeys(one.store for one in node.reads))
        frame.emit(p.DataRequested(frame.next_key(), token.key, node.id, stores))
        return None
    return {one.variable: values.get(one.store) for one in node.reads}


def written(frame: Frame, token: Token, node: Node, mapped: dict[str, Any]) -> bool:
    """Take what goes to stores out of ``mapped``; False when it was only given to them now."""
    if token.key not in frame.answers:
        ask_to_write(frame, token, node, mapped)
        return False
    del frame.answers[token.key]
    for one in node.writes:
        mapped.pop(one.key)
    return True


def ask_to_write(frame: Frame, token: Token, node: Node, mapped: Mapping[str, Any]) -> None:
    """Give the stores what the node has for them; the token waits until they have it."""
    writes = tuple(p.DataWrite(one.store, one.path, mapped[one.key], one.capacity) for one in node.writes)
    frame.emit(p.DataRequested(frame.next_key(), token.key, node.id, (), writes))
