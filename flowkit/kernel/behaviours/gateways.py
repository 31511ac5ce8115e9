"""Gateways: splitting (BPMN 2.0.2, 13.4). How they join is :mod:`.joins`."""

from __future__ import annotations

from flowkit.kernel.behaviours.joins import arrive_parallel, arrive_synchronizing
from flowkit.kernel.catching import install, prepare
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import leave
from flowkit.kernel.program import Behaviour, Flow, Node
from flowkit.kernel.state import Token

__all__ = ["COMPLEX", "EVENT_BASED", "EXCLUSIVE", "INCLUSIVE", "PARALLEL", "no_flow"]


def no_flow(node: Node) -> Trouble:
    """The incident of a gateway at which no way out is open."""
    return Trouble(
        "no_flow",
        f"No condition on the flows out of '{node.name or node.id}' is true and there is no default"
        " flow. Correct the variables, or add a default flow to the diagram.",
    )


def _exclusive(frame: Frame, token: Token, node: Node) -> None:
    """The first flow in document order whose condition is true, else the default flow."""
    out = node.out
    if not node.conditional:
        leave(frame, token, node, out[:1])
        return
    scope = token.scope
    for flow in out:
        if flow is not node.default and (flow.condition is None or frame.truth(flow.condition, scope)):
            leave(frame, token, node, (flow,))
            return
    if node.default is None:
        raise no_flow(node)
    leave(frame, token, node, (node.default,))


EXCLUSIVE = Behaviour(_exclusive)


def _parallel(frame: Frame, token: Token, node: Node) -> None:
    leave(frame, token, node, node.out)


PARALLEL = Behaviour(_parallel, arrive=arrive_parallel)


def _inclusive(frame: Frame, token: Token, node: Node) -> None:
    """Every flow whose condition is true; the default flow when there is none."""
    out: tuple[Flow, ...] = node.out
    if node.conditional:
        chosen = [
            flow
            for flow in out
            if flow is not node.default
            and (flow.condition is None or frame.truth(flow.condition, token.scope))
        ]
        if not chosen and node.default is not None:
            chosen = [node.default]
        if not chosen:
            raise no_flow(node)
        out = tuple(chosen)
    leave(frame, token, node, out)


INCLUSIVE = Behaviour(_inclusive, arrive=arrive_synchronizing)


def _complex(frame: Frame, token: Token, node: Node) -> None:
    """Activation: every flow whose condition is true, with ``waitingForStart`` true for it."""
    local = {"waitingForStart": True}
    chosen = [
        flow
        for flow in node.out
        if flow is not node.default
        and (flow.condition is None or frame.truth(flow.condition, token.scope, local))
    ]
    if not chosen and node.default is not None:
        chosen = [node.default]
    if not chosen:
        raise no_flow(node)
    leave(frame, token, node, chosen)


COMPLEX = Behaviour(_complex, arrive=arrive_synchronizing)


def _event_based(frame: Frame, token: Token, node: Node) -> None:
    """Wait for the events behind the gateway; the first one decides."""
    nodes = frame.program.nodes
    armed = [prepare(frame, nodes[flow.target], token.key, token.scope) for flow in node.out]
    for prepared in armed:
        install(frame, prepared)


EVENT_BASED = Behaviour(_event_based, waits=True)
