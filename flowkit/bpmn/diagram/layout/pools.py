"""Which pool lies above which."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

from flowkit.bpmn.diagram.layout.contents import Contents
from flowkit.bpmn.diagram.source import Element

__all__ = ["pool_order"]

# Above this many pools, trying every order takes too long; they stay as the file has them.
_MOST = 6
# A message that crosses a pool disturbs as much as one that crosses so many lanes.
_LANES_A_POOL = 4


@dataclass(frozen=True, slots=True)
class _End:
    """Where a message begins or ends: the pool, and the lanes of that pool above and below it."""

    pool: int
    above: int = 0
    below: int = 0


def pool_order(contents: Contents, collaboration: str) -> list[Element]:
    """The participants so that messages cross little of pools and lanes; else in document order."""
    participants = [e for e in contents.inside.get(collaboration, ()) if e.kind == "participant"]
    messages = _messages(contents, collaboration, participants)
    if not 2 <= len(participants) <= _MOST or not messages:
        return participants

    def cost(order: tuple[int, ...]) -> tuple[int, int]:
        place = {index: position for position, index in enumerate(order)}
        crossed = 0
        for one, two in messages:
            upper, lower = sorted((one, two), key=lambda end: place[end.pool])
            between = place[lower.pool] - place[upper.pool] - 1
            crossed += _LANES_A_POOL * between + upper.below + lower.above
        swaps = sum(a > b for position, a in enumerate(order) for b in order[position + 1 :])
        return crossed, swaps

    best = min(permutations(range(len(participants))), key=cost)
    return [participants[index] for index in best]


def _messages(contents: Contents, collaboration: str, participants: list[Element]) -> list[tuple[_End, _End]]:
    pools = {participant.id: index for index, participant in enumerate(participants)}
    for index, participant in enumerate(participants):
        pools.setdefault(participant.reference("processRef"), index)
    found = []
    for element in contents.inside.get(collaboration, ()):
        if element.kind == "messageFlow":
            ends = [_end(contents, pools, element.reference(end)) for end in ("sourceRef", "targetRef")]
            if ends[0] is not None and ends[1] is not None and ends[0].pool != ends[1].pool:
                found.append((ends[0], ends[1]))
    return found


def _end(contents: Contents, pools: dict[str, int], identity: str) -> _End | None:
    """The pool that the element is in, and how deep its lane lies there."""
    above = below = 0
    seen = set()
    while identity and identity not in pools and identity not in seen:
        seen.add(identity)
        element = contents.source.elements.get(identity)
        identity = element.parent if element else ""
        lanes = _lanes(contents, identity) if element else []
        lane = next((n for n, lane in enumerate(lanes) if _holds(lane, element)), None)
        if lane is not None:
            above, below = lane, len(lanes) - 1 - lane
    return _End(pools[identity], above, below) if identity in pools else None


def _lanes(contents: Contents, owner: str) -> list[Element]:
    """The innermost lanes of a process, from top to bottom."""
    found = []
    for element in contents.inside.get(owner, ()):
        if element.kind == "lane":
            found += _lanes(contents, element.id) or [element]
    return found


def _holds(lane: Element, element: Element | None) -> bool:
    names = {text.rpartition(":")[2] for text in lane.references.get("flowNodeRef", ())}
    return element is not None and (element.id in names or element.attributes.get("attachedToRef") in names)
