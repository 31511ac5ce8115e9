"""Events: starting, catching, throwing, ending (BPMN 2.0.2, 10.5 and 13.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowkit.kernel import protocol as p
from flowkit.kernel.catching import install, prepare
from flowkit.kernel.concluding import conclude, conclude_event, occurred
from flowkit.kernel.data import ask_to_write, read
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import consume
from flowkit.kernel.program import Behaviour, Node
from flowkit.kernel.state import Token
from flowkit.kernel.throwing import cancelled, check, throw

__all__ = ["BOUNDARY", "CATCH", "START", "THROW"]

_AFTER_COMPENSATION = ("error", "cancel", "terminate")


def _start(frame: Frame, token: Token, node: Node) -> None:
    """A start event passes; what its trigger brought is mapped by ``outputs``."""
    outputs = node.outputs
    if node.carried and outputs:
        outputs = occurred(node, frame.instance.variables_of(token.scope))
    mapped = frame.assignments(outputs, token.scope, {}) if outputs else {}
    if node.writes:
        ask_to_write(frame, token, node, mapped)
        return
    conclude(frame, token, node, mapped)


START = Behaviour(_start)


def _catch(frame: Frame, token: Token, node: Node) -> None:
    prepared = prepare(frame, node, token.key, token.scope)
    if prepared:
        install(frame, prepared)
    else:
        conclude(frame, token, node, {})


CATCH = Behaviour(_catch, resume=conclude_event, waits=True)
"""Message, timer, signal and condition wait; a link that catches passes its token on."""


def _boundary(frame: Frame, token: Token, node: Node) -> None:
    """A token that was put on a boundary event by hand simply leaves it."""
    conclude(frame, token, node, {})


BOUNDARY = Behaviour(_boundary, resume=conclude_event)


def _throw(frame: Frame, token: Token, node: Node) -> None:
    """Throw every result in turn; those that end the scope come last (the compiler sorts them)."""
    given = read(frame, token, node) if node.reads else {}
    if given is None:
        return
    payload = frame.assignments(node.inputs, token.scope, given)
    if len(node.throws) > 1:
        check(frame, node.throws, payload, token.scope)
    _throw_from(frame, token, node, 0, payload)


def _throw_from(frame: Frame, token: Token, node: Node, first: int, payload: Mapping[str, Any]) -> None:
    for result in node.throws[first:]:
        given = {result.carries: payload.get(result.carries)} if result.carries else payload
        if not throw(frame, token, node, result, given, token.scope):
            return
    conclude(frame, token, node, {})


def _compensated(frame: Frame, token: Token, node: Node, _: Mapping[str, Any]) -> None:
    """The compensation that this event threw is done: go on with the results after it."""
    if any(result.kind == "cancel" for result in node.throws):
        cancelled(frame, token)
        return
    rest = next(
        (i for i, result in enumerate(node.throws) if result.kind in _AFTER_COMPENSATION),
        len(node.throws),
    )
    compensations = [r for r in node.throws if r.kind == "compensation"]
    if compensations and all(not result.wait for result in compensations):
        _conclude_runner(frame, token, node)
        return
    _throw_from(frame, token, node, rest, frame.assignments(node.inputs, token.scope, {}))


def _conclude_runner(frame: Frame, token: Token, node: Node) -> None:
    """A token that compensated beside the throwing one has done its work: it ends."""
    frame.emit(p.ElementCompleted(token.key, node.id))
    consume(frame, token)


THROW = Behaviour(_throw, resume=_compensated, waits=True)
