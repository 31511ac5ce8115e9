"""Work beside the flow: what a non-interrupting event starts and what nothing else has to do with.

A reminder that runs to an end of its own neither helps nor hinders the flow that it reminds of; only
the scope waits for it. So such a branch is explored alone, once, and in the rest of the diagram its
event ends at once. The number of states is then the sum of both, not the product.

A branch counts as such when no other flow leads into it and none leads out, and when nothing in it
reaches beyond it: no error, escalation, compensation or cancellation is thrown, nothing is recorded for
compensation, no terminate end stands in its scope, and no join lets two of its runs meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, replace

from flowkit.kernel import Node, Program
from flowkit.kernel import protocol as p
from flowkit.kernel.program import Container
from flowkit.soundness.outside import errors_from_outside

__all__ = [
    "ENDS_OTHERS",
    "Beside",
    "around",
    "branches_beside",
    "held_open",
    "reachable",
    "side_branch",
    "without",
]

_REACHES_OUT = frozenset({"error", "escalation", "compensation", "cancel"})
ENDS_OTHERS = frozenset({"error", "cancel", "terminate"})
"""What throws these ends more than the token that throws it."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A branch: the event that starts it, and a program in which it runs alone."""

    event: str
    program: Program


def branches_beside(program: Program, keep: Set[str], undoable: Set[str] = frozenset()) -> list[Beside]:
    """The branches that can be explored alone, but for those of the events in ``keep``.

    What they do must not be undone from outside, as ``undoable`` calls may be. Several events may lead into
    the same branch.
    """
    inside = _nodes_by_container(program)
    bound = errors_from_outside(program).keys() | undoable
    branches: dict[str, set[str]] = {}
    for event in program.nodes.values():
        if event.interrupting or event.id in keep or event.conditional or not event.out:
            continue
        if event.attached_to:
            nodes, forbidden = branch_of(program, event), frozenset({"terminate"})
            if any(_joins(program.nodes[node]) for node in nodes):
                continue
        elif event.kind == "startEvent" and program.nodes[event.container].event_subprocess:
            nodes, forbidden = {node for node in inside[event.container] if node != event.id}, frozenset()
        else:
            continue
        if not _reaches_out(program, inside, nodes, forbidden, bound):
            branches[event.id] = nodes
    while True:
        open_ones = [
            event for event, nodes in branches.items() if not _closed(program, event, nodes, branches)
        ]
        if not open_ones:
            break
        for event_id in open_ones:
            del branches[event_id]
    return [Beside(event, _alone(program, program.nodes[event], nodes)) for event, nodes in branches.items()]


def without(program: Program, branches: list[Beside]) -> Program:
    """The program in which the events of the branches end at once."""
    events = {branch.event: replace(program.nodes[branch.event], out=()) for branch in branches}
    return replace(program, nodes={**program.nodes, **events})


def reachable(program: Program, starts: list[str]) -> set[str]:
    """The nodes to which sequence flows lead, ``starts`` among them."""
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += [flow.target for flow in program.nodes[node].out]
    return seen


def around(program: Program, node: Node) -> list[str]:
    """The subprocesses around the node, innermost first."""
    places = []
    while node.container in program.nodes:
        node = program.nodes[node.container]
        places.append(node.id)
    return places


def held_open(
    program: Program, branches: list[Beside], closed: Mapping[int, str], events: list[p.Event]
) -> set[str]:
    """The events whose branches would have kept a scope open that a step has ``closed``, if that matters.

    The branch holds up the end of the scopes around it, so that other events may still occur there when
    the flow is over. They find what they could find before, but for what the last step of the flow did:
    that it began the branch, escalated out of the scope, or can be undone.
    """
    begun = {event.node for event in events if isinstance(event, p.ElementEntered)}
    told = any(isinstance(event, p.EscalationThrown) for event in events)
    undoable = {event.scope for event in events if isinstance(event, p.CompensationRecorded)}
    found = set()
    for key, place in closed.items():
        inside = {
            one.event
            for one in branches
            if place in (program.process_id, *around(program, program.nodes[one.event]))
        }
        for event in inside if told or key in undoable or not begun.isdisjoint(inside) else ():
            others = set(program.containers[place].event_subprocesses) - {event}
            if others or (place in program.nodes and program.nodes[place].boundary):
                found.add(event)
    return found


def _nodes_by_container(program: Program) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in program.nodes.values():
        found.setdefault(node.container, []).append(node.id)
    return found


def branch_of(program: Program, event: Node) -> set[str]:
    """What the boundary event leads to, by flows and by the boundary events of what they lead to."""
    return _led_to(program, [flow.target for flow in event.out], lambda boundary: True)


def side_branch(program: Program, event: Node) -> set[str]:
    """What only this boundary event and others that don't interrupt lead to, the event among it."""
    starts = [
        node.id
        for node in program.nodes.values()
        if node.container == event.container and not node.incoming and not node.attached_to
    ]
    main = _led_to(program, starts, lambda boundary: boundary.interrupting)
    return ({event.id} | branch_of(program, event)) - main


def _led_to(program: Program, starts: list[str], follows: Callable[[Node], bool]) -> set[str]:
    nodes: set[str] = set()
    todo = starts
    while todo:
        new = reachable(program, todo) - nodes
        nodes |= new
        todo = [key for node in new for key in program.nodes[node].boundary if follows(program.nodes[key])]
    return nodes


def _closed(program: Program, event_id: str, nodes: set[str], branches: Mapping[str, set[str]]) -> bool:
    """Is the branch entered only from such events, and never left?"""
    event = program.nodes[event_id]
    if any(program.nodes[place].kind == "adHocSubProcess" for place in around(program, event)):
        return False
    if event.id in nodes or nodes & set(program.containers[event.container].starts):
        return False
    family = [key for key in branches if program.nodes[key].container == event.container]
    ours = set(family).union(*(branches[key] for key in family))
    for key in nodes:
        node = program.nodes[key]
        if node.attached_to and node.attached_to not in nodes:
            return False
        if any(program.flows[flow].source not in ours for flow in node.incoming):
            return False
        if any(flow.target not in nodes for flow in node.out):
            return False
    return True


def _joins(node: Node) -> bool:
    return node.behaviour.arrive is not None and len(node.incoming) * node.start_quantity > 1


def _within(program: Program, inside: Mapping[str, list[str]], nodes: set[str]) -> Iterator[Node]:
    for key in nodes:
        yield program.nodes[key]
        yield from _within(program, inside, set(inside.get(key, ())))


def _reaches_out(
    program: Program,
    inside: Mapping[str, list[str]],
    nodes: set[str],
    forbidden: Set[str],
    bound: Set[str],
) -> bool:
    outer = [program.nodes[key] for key in nodes]
    if any(one.kind in forbidden or one.kind == "link" for node in outer for one in node.throws):
        return True
    if any(catch.kind == "link" for node in outer for catch in node.catches):
        return True
    return any(
        node.handler or node.id in bound or any(one.kind in _REACHES_OUT for one in node.throws)
        for node in _within(program, inside, nodes)
    )


def _alone(program: Program, event: Node, nodes: set[str]) -> Program:
    """The branch as a process of its own."""
    root = program.process_id
    starts = tuple(dict.fromkeys(flow.target for flow in event.out))
    inside = _nodes_by_container(program)
    kept = {node.id: node for node in _within(program, inside, nodes)}
    for key in nodes:
        kept[key] = replace(kept[key], container=root)
    flows = {key: flow for key, flow in program.flows.items() if flow.source in kept}
    for flow in event.out:
        flows[flow.id] = flow
    containers = {key: one for key, one in program.containers.items() if key in kept}
    within = tuple(
        start
        for start in program.containers[event.container].event_subprocesses
        if program.nodes[start].container in nodes
    )
    containers[root] = Container(root, starts, within, ())
    return replace(program, nodes=kept, flows=flows, containers=containers, starts=())
