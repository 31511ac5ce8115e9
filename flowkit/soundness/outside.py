"""Errors and escalations that come from outside the diagram: from handlers and from called processes."""

from __future__ import annotations

from flowkit.kernel import Node, Program
from flowkit.kernel.program import CallSpec, JobSpec

__all__ = ["Thrown", "errors_from_outside"]

Thrown = tuple[str, str]
"""``(kind, code)``: error or escalation, and its code; "any" where every one is caught."""


def errors_from_outside(program: Program) -> dict[str, list[Thrown]]:
    """Per call or job, what is caught *around* it though nothing drawn in there throws it.

    Then it must come from a handler or from a called process. What is caught on the activity itself is
    not listed.
    """
    found: dict[str, list[Thrown]] = {}
    drawn = {
        (node.container, one.kind, "*" if one.code is not None else one.name)
        for node in program.nodes.values()
        for one in node.throws
        if one.kind in ("error", "escalation")
    }
    parents = {node.id: node.container for node in program.nodes.values()}
    thrown = {(place, kind, code) for container, kind, code in drawn for place in _around(parents, container)}
    for node in program.nodes.values():
        if not isinstance(node.detail, CallSpec | JobSpec):
            continue
        for place in _around(parents, node.container):
            for kind, code in _caught(program, place):
                if not _is_thrown(thrown, place, kind, code):
                    found.setdefault(node.id, []).append((kind, code or "any"))
    return found


def _around(parents: dict[str, str], place: str | None) -> list[str]:
    places = []
    while place is not None:
        places.append(place)
        place = parents.get(place)
    return places


def _caught(program: Program, container: str) -> list[Thrown]:
    """What is caught on the boundary of the container, or by its event subprocesses."""
    owner: Node | None = program.nodes.get(container)
    events = [*(owner.boundary if owner is not None else ())]
    if container in program.containers:
        events += program.containers[container].event_subprocesses
    catches = [catch for event in events for catch in program.nodes[event].catches]
    return [(catch.kind, catch.name) for catch in catches if catch.kind in ("error", "escalation")]


def _is_thrown(thrown: set[tuple[str, str, str]], place: str, kind: str, code: str) -> bool:
    return any(
        where == place and what == kind and (code in ("", name) or name == "*")
        for where, what, name in thrown
    )
