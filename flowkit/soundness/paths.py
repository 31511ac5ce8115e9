"""Paths through a process that together take every sequence flow: few, found greedily.

From the start, each path goes on to the nearest step that takes a flow which no path has taken yet, and
where there is none, to the nearest end. (The smallest set of paths is a set cover problem; the greedy
answer is close, and each step of it is a shortest way.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flowkit.soundness.exploration import Exploration, Move, State

__all__ = ["Cover", "Follow", "covering_paths", "path_to"]

MOST_MOVES = 400
"""A path is ended when it gets longer than this."""

Facts = Any
"""What is known of the data after some steps; only the function that makes them knows what they are."""
Follow = Callable[[Facts, Move], Facts | None]
"""What is known after one more step; None if data can't make the process go there."""


def any_data(facts: Facts, move: Move) -> Facts:
    """Data are left open."""
    return ()


@dataclass(frozen=True, slots=True)
class Cover:
    """``paths`` from the start to an end; ``missing`` are the flows that none of them takes."""

    paths: tuple[tuple[Move, ...], ...]
    missing: frozenset[str]


def covering_paths(
    seen: Exploration, flows: Iterable[str], follow: Follow = any_data, ends: Iterable[str] = ()
) -> Cover:
    """Paths that take all of ``flows`` that the exploration has seen taken.

    Where ``follow`` finds a way that data allow, it is taken before shorter ones that they don't. Paths
    rather end at one of ``ends`` than by a cancellation.
    """
    proper = frozenset(ends)
    beside = {part.started_by: part for part in seen.beside}
    left = set(flows) - {flow for part in seen.beside for flow in _flows_of(part)}
    events = set(beside)
    paths: list[tuple[Move, ...]] = []
    while left or events:
        path = _path(seen, left, events, follow, proper)
        began = {node for move in path for node in move.entered} & events
        if left.isdisjoint(_taken(path)) and not began:
            break
        left -= _taken(path)
        events -= began
        paths.append(tuple(_with_branches(path, {event: beside[event] for event in began})))
    for path in list(paths):  # what the later, longer ones take as well is left out
        others = {flow for other in paths if other is not path for flow in _taken(other)}
        if _taken(path) & set(flows) <= others:
            paths.remove(path)
    taken = {flow for path in paths for flow in _taken(path)}
    return Cover(tuple(paths), frozenset(set(flows) - taken))


def path_to(
    seen: Exploration, ends: Callable[[Move, str], bool], follow: Follow = any_data
) -> tuple[Move, ...] | None:
    """A shortest path to a step after which the process is over as ``ends`` says (step, status)."""

    def over(number: int, move: Move) -> bool:
        return seen.states[number].status != "active" and ends(move, seen.states[number].status)

    found = _nearest(seen, _Place(None, (), ()), over, follow)
    return found.path if found is not None else None


def _taken(path: Iterable[Move]) -> set[str]:
    return {flow for move in path for flow in move.flows}


def _flows_of(part: Exploration) -> set[str]:
    moves = [move for _, move in part.begins] + [move for state in part.states for move in state.moves]
    inner = {flow for one in part.beside for flow in _flows_of(one)}
    return _taken(moves) | inner | set(part.first_flows)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a path has come to: the state's number (None before the start), the steps, the facts."""

    state: int | None
    path: tuple[Move, ...]
    facts: Facts


Good = Callable[[int, Move], bool]


def _path(
    seen: Exploration, left: set[str], events: set[str], follow: Follow, proper: frozenset[str]
) -> tuple[Move, ...]:
    left, events = set(left), set(events)

    def gains(number: int, move: Move) -> bool:
        return not left.isdisjoint(move.flows) or not events.isdisjoint(move.entered)

    def over(number: int, move: Move) -> bool:
        return seen.states[number].status != "active"

    place = _Place(None, (), ())
    while len(place.path) < MOST_MOVES:
        found = _nearest(seen, place, gains, follow)
        if found is None:
            break
        place = found
        left -= _taken(place.path)
        events -= {node for move in place.path for node in move.entered}

    def at_an_end(number: int, move: Move) -> bool:
        return over(number, move) and not proper.isdisjoint(move.entered)

    for good, by in ((at_an_end, follow), (at_an_end, any_data), (over, any_data)):
        last = _nearest(seen, place, good, by)
        if last is not None:
            break
    return last.path if last is not None else place.path


def _nearest(seen: Exploration, place: _Place, good: Good, follow: Follow) -> _Place | None:
    """The shortest way on to a step that is good, by steps that data allow if there are such.

    A path that has taken some flow ends rather than going on as data don't allow.
    """
    if place.state is not None and seen.states[place.state].status != "active":
        return None
    found = _search(seen, place, good, follow)
    if found is None and follow is not any_data and not place.path:
        found = _search(seen, place, good, any_data)
    return found


def _search(seen: Exploration, place: _Place, good: Good, follow: Follow) -> _Place | None:
    visited: set[int] = set()
    queue = deque([place])
    while queue:
        here = queue.popleft()
        onward = seen.begins if here.state is None else _onward(seen.states[here.state])
        for number, move in onward:
            gain = good(number, move)
            if number in visited and not gain:
                continue
            facts = follow(here.facts, move)
            if facts is None:
                continue
            there = _Place(number, (*here.path, move), facts)
            if gain:
                return there
            visited.add(number)
            queue.append(there)
    return None


def _onward(state: State) -> Iterable[tuple[int, Move]]:
    return zip(state.followers, state.moves, strict=True)


def _with_branches(path: Sequence[Move], branches: dict[str, Exploration]) -> list[Move]:
    """The path, with what happens beside the flow put in right after the event that begins it."""
    result: list[Move] = []
    for move in path:
        result.append(move)
        for event in [node for node in move.entered if node in branches]:
            part = branches.pop(event)
            for inner in covering_paths(part, _flows_of(part)).paths[:1]:
                flows = (*part.first_flows, *inner[0].flows)
                result += [replace(inner[0], kind="beside", node=event, flows=flows), *inner[1:]]
    return result
