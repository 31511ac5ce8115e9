"""Which row of its lane each node stands in.

The process is cut into *chains*: first the main path of each pool, the longest way from its start
to an end (one that is no error, if there is one), then whatever branches off, longest first. A chain
stays on one row of each lane that it visits, so the main path is a straight line. Branches hang below
the chain that they leave, inner (short) ones nearest, each with its own branches as one block: nested
forks and joins are drawn without a crossing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from flowkit.bpmn.diagram.layout.aside import place_aside
from flowkit.bpmn.diagram.layout.columns import forward_edges
from flowkit.bpmn.diagram.layout.sheet import Edge, Node, Sheet

__all__ = ["assign_rows"]

_Weight = tuple[bool, int]
"""Whether a way ends well, and the number of nodes on the longest such way."""


@dataclass(slots=True)
class _Run:
    """Neighbouring nodes of a chain in one lane, with the columns that they and their flows need."""

    lane: int
    first: int
    last: int
    nodes: list[Node]
    row: int = 0


@dataclass(slots=True)
class _Chain:
    nodes: list[Node]
    attach: str = ""
    exception: bool = False
    leads_to: str = ""
    runs: list[_Run] = field(default_factory=list)
    branches: list[_Chain] = field(default_factory=list)
    block: dict[int, list[_Run]] = field(default_factory=dict)

    @property
    def width(self) -> int:
        return max(run.last for run in self.runs) - min(run.first for run in self.runs)


def assign_rows(sheet: Sheet) -> None:
    """Set ``row`` of every node but the satellites, and the number of rows of every lane."""
    edges = forward_edges(sheet)
    chains = _chains(sheet, edges)
    owner = {node.id: chain for chain in chains for node in chain.nodes}
    roots: list[_Chain] = []
    for chain in chains:
        _cut_into_runs(sheet, chain)
        parent = owner.get(chain.attach)
        (parent.branches if parent else roots).append(chain)
    for chain in reversed(chains):
        _pack(sheet, chain)
    whole = _Chain([])
    whole.branches = roots
    _pack_branches(sheet, whole, roots)
    for lane, runs in whole.block.items():
        sheet.lanes[lane].rows = max(run.row for run in runs) + 1
        for run in runs:
            for node in run.nodes:
                node.row = run.row
    place_aside(sheet, {node.id for chain in chains for node in chain.nodes})


def _chains(sheet: Sheet, edges: list[Edge]) -> list[_Chain]:
    outgoing: dict[str, list[Edge]] = defaultdict(list)
    incoming: dict[str, list[Edge]] = defaultdict(list)
    linked: set[str] = set()
    for edge in edges:
        outgoing[edge.source].append(edge)
        incoming[edge.target].append(edge)
    for edge in sheet.edges:
        if edge.kind == "sequenceFlow" and edge.source != edge.target:
            linked |= {edge.source, edge.target}
    linked |= set(outgoing) | set(incoming)
    nodes = [n for n in sheet.nodes.values() if n.id in linked and not n.satellite and not n.aside]
    nodes.sort(key=lambda node: (node.column, node.order))
    weight = _weights(sheet, nodes, outgoing)
    chains: list[_Chain] = []
    taken: set[str] = set()
    for start in (*_main_starts(sheet, nodes, incoming, weight), *nodes):
        if start.id not in taken:
            into = next((e for e in incoming[start.id] if e.source in taken), None)
            chain = _Chain([], into.source if into else "", exception=bool(into and into.boundary))
            _follow(sheet, chain, start, outgoing, weight, taken)
            chains.append(chain)
    return chains


def _weights(sheet: Sheet, nodes: list[Node], outgoing: dict[str, list[Edge]]) -> dict[str, _Weight]:
    """The best way from each node to an end."""
    weight: dict[str, _Weight] = {}
    for node in reversed(nodes):
        ahead = [weight.get(edge.target, (True, 0)) for edge in outgoing[node.id] if not edge.boundary]
        well, length = max(ahead, default=(not node.fails, 0))
        weight[node.id] = well, 1 + length
    return weight


def _main_starts(
    sheet: Sheet, nodes: list[Node], incoming: dict[str, list[Edge]], weight: dict[str, _Weight]
) -> Iterator[Node]:
    """For each pool, the start of its main path: the start event with the longest way ahead."""
    for index in range(len(sheet.pools)):
        starts = [n for n in nodes if not incoming[n.id] and sheet.lanes[n.lane].pool == index]
        if starts:
            yield max(starts, key=lambda n: (n.kind == "startEvent", weight[n.id], -n.order))


def _follow(
    sheet: Sheet,
    chain: _Chain,
    start: Node,
    outgoing: dict[str, list[Edge]],
    weight: dict[str, _Weight],
    taken: set[str],
) -> None:
    """Extend a chain from ``start`` along the longest way that is still free."""
    node: Node | None = start
    while node is not None:
        taken.add(node.id)
        chain.nodes.append(node)
        ahead = [edge for edge in outgoing[node.id] if not edge.boundary]
        free = [edge for edge in ahead if edge.target not in taken]
        joined = next((edge.target for edge in ahead if edge.target in taken), "")
        best = max(free, key=lambda e: (weight[e.target], -e.order), default=None)
        if best is None:
            chain.leads_to = joined
        node = sheet.nodes[best.target] if best else None


def _cut_into_runs(sheet: Sheet, chain: _Chain) -> None:
    """One run a visit to a lane; flows to neighbours in the same lane keep their cells free."""
    nodes = chain.nodes
    before = sheet.nodes.get(chain.attach)
    for index, node in enumerate(nodes):
        previous = nodes[index - 1] if index else before
        joined = bool(index) and previous is not None and previous.lane == node.lane
        first, last = node.column, node.column + node.span - 1
        if previous is not None and previous.lane == node.lane:
            first = min(first, previous.column + previous.span)
        following = nodes[index + 1] if index + 1 < len(nodes) else sheet.nodes.get(chain.leads_to)
        if following is not None and following.lane == node.lane:
            last = max(last, following.column - 1)
        if joined:
            run = chain.runs[-1]
            run.nodes.append(node)
            run.last = max(run.last, last)
        else:
            chain.runs.append(_Run(node.lane, first, last, [node]))


def _pack(sheet: Sheet, chain: _Chain) -> None:
    """Lay a chain on row 0 of its lanes and hang its branches, already packed, below it."""
    for run in chain.runs:
        _put(chain, run)
    _pack_branches(sheet, chain, chain.branches)


def _put(chain: _Chain, run: _Run) -> None:
    """A chain may come back to a column of a lane (by a wide node); it then takes another row."""
    block = chain.block.setdefault(run.lane, [])
    while any(_clash(run, other, 0) for other in block):
        run.row += 1
    block.append(run)


def _pack_branches(sheet: Sheet, parent: _Chain, branches: list[_Chain]) -> None:
    # Roots come main path first. A branch that opens further right hangs higher: the lines of two
    # branches then nest, and what opens later need not cross what opened before.
    if parent.nodes:
        branches = sorted(branches, key=lambda chain: _nesting(sheet, chain))
    rows = {node.id: run.row for runs in parent.block.values() for run in runs for node in run.nodes}
    leaves = _leaves(sheet, parent)
    for branch in branches:
        start = sheet.nodes.get(branch.attach)
        for lane, runs in branch.block.items():
            block = parent.block.setdefault(lane, [])
            shift = 0
            if start is not None and start.lane == lane:
                straight = start.id in leaves and not branch.exception
                shift = rows.get(start.id, 0) + (not straight)
            while any(_clash(run, other, shift) for run in runs for other in block):
                shift += 1
            for run in runs:
                run.row += shift
            block.extend(runs)


def _leaves(sheet: Sheet, chain: _Chain) -> set[str]:
    """The nodes at which a chain leaves its lane upright: a branch that stays there may go straight on."""
    found = set()
    for node, following in pairwise(chain.nodes):
        between = range(min(node.lane, following.lane) + 1, max(node.lane, following.lane))
        passed = (other for other in sheet.nodes.values() if other.lane in between)
        if node.lane != following.lane and all(other.column != node.column for other in passed):
            found.add(node.id)
    return found


def _nesting(sheet: Sheet, chain: _Chain) -> tuple[int, int, int]:
    start = sheet.nodes.get(chain.attach, chain.nodes[0])
    return -start.column, chain.width, chain.nodes[0].order


def _clash(run: _Run, other: _Run, shift: int) -> bool:
    return run.row + shift == other.row and run.first <= other.last and other.first <= run.last
