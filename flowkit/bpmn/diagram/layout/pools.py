"""Which pool lies above which."""

from __future__ import annotations

from itertools import permutations

from flowkit.bpmn.diagram.layout.contents import Contents
from flowkit.bpmn.diagram.source import Element

__all__ = ["pool_order"]

# Above this many pools, trying every order takes too long; they stay as the file has them.
_MOST = 6


def pool_order(contents: Contents, collaboration: str) -> list[Element]:
    """The participants so that messages cross few pools in between; else in document order."""
    participants = [e for e in contents.inside.get(collaboration, ()) if e.kind == "participant"]
    messages = _messages(contents, collaboration, participants)
    if not 2 < len(participants) <= _MOST or not messages:
        return participants

    def cost(order: tuple[int, ...]) -> tuple[int, int]:
        place = {index: position for position, index in enumerate(order)}
        crossed = sum(max(0, abs(place[one] - place[two]) - 1) for one, two in messages)
        swaps = sum(a > b for position, a in enumerate(order) for b in order[position + 1 :])
        return crossed, swaps

    best = min(permutations(range(len(participants))), key=cost)
    return [participants[index] for index in best]


def _messages(contents: Contents, collaboration: str, participants: list[Element]) -> list[tuple[int, int]]:
    pools = {participant.id: index for index, participant in enumerate(participants)}
    for index, participant in enumerate(participants):
        pools.setdefault(participant.reference("processRef"), index)
    found = []
    for element in contents.inside.get(collaboration, ()):
        if element.kind == "messageFlow":
            ends = [_pool(contents, pools, element.reference(end)) for end in ("sourceRef", "targetRef")]
            if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
                found.append((ends[0], ends[1]))
    return found


def _pool(contents: Contents, pools: dict[str, int], identity: str) -> int | None:
    seen = set()
    while identity and identity not in pools and identity not in seen:
        seen.add(identity)
        above = contents.source.elements.get(identity)
        identity = above.parent if above else ""
    return pools.get(identity)
