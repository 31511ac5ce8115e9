"""Which way each edge takes through the grid: cheapest path by bends, crossings and length."""

from __future__ import annotations

from heapq import heappop, heappush

from flowkit.bpmn.diagram.layout.grid import DOWN, LEFT, RIGHT, UP, Grid, Path
from flowkit.bpmn.diagram.layout.sheet import Edge, Node

__all__ = ["route_edges"]

_STEP = 0.7
_BEND = 3.0
_CROSSING = 3.5
_TOUCH = 12.0
_MIRROR = 4.0
_GRAZE = 1.0
_BACKWARD = 3.0
_BLACK_BOX = 8.0
# What a search pays, if it found nothing else, for a stretch that it should not share.
_FORCED = 25.0
_PATIENCE = 300_000

# What is routed first.
_RANK = {"sequenceFlow": 0, "messageFlow": 2, "association": 3, "data": 3}

# The price of a port: by what leaves or enters, then by side (right, left, down, up), where the
# side of an entry is the side of the node that is entered.
_EXIT = {
    "task": (0.0, 20.0, 5.0, 5.0),
    "gateway": (0.0, 12.0, 0.8, 1.0),
    "event": (0.0, 20.0, 9.0, 7.0),
    "back": (5.0, 9.0, 2.2, 2.0),
    "upright": (15.0, 15.0, 0.0, 0.0),
    "near": (2.0, 2.0, 0.2, 0.0),
}
_ENTRY = {
    "task": (20.0, 0.0, 4.0, 4.0),
    "gateway": (12.0, 0.0, 1.0, 1.0),
    "event": (20.0, 0.0, 9.0, 5.0),
    "back": (12.0, 3.0, 2.2, 2.0),
    "upright": (15.0, 15.0, 0.0, 0.0),
    "near": (2.0, 2.0, 0.2, 0.0),
}


def route_edges(grid: Grid) -> dict[str, Path]:
    """Route every edge of the sheet; the path of each is a list of corners in grid coordinates.

    Straight flows first, then near ones before far ones, loops back, messages and associations.
    """
    paths: dict[str, Path] = {}
    waiting = []
    for edge in grid.sheet.edges:
        straight, leaving, entering = _straight(grid, edge)
        if straight:
            paths[edge.id] = straight
            _commit(grid, edge, straight, leaving, entering)
        else:
            waiting.append(edge)
    waiting.sort(key=lambda edge: _urgency(grid, edge))
    for edge in waiting:
        found = _Search(grid, edge).run() or _Search(grid, edge, forced=True).run()
        if found:
            path, leaving, entering = found
            paths[edge.id] = path
            _commit(grid, edge, path, leaving, entering)
    return paths


def _urgency(grid: Grid, edge: Edge) -> tuple[int, int, int]:
    if "pool:" in edge.source + edge.target:
        return _RANK[edge.kind], 0, edge.order
    source, target = (grid.place(grid.sheet.nodes[end]) for end in (edge.source, edge.target))
    distance = abs(source[2] - target[2]) + abs(source[3] - target[3])
    return _RANK[edge.kind] + edge.back, distance, edge.order


def _straight(grid: Grid, edge: Edge) -> tuple[Path, int, int]:
    """A forward flow along its row, or a link to a satellite right above or below; else an empty path."""
    nodes = [grid.sheet.nodes.get(end) for end in (edge.source, edge.target)]
    if None in nodes or edge.boundary or edge.into_boundary:
        return [], RIGHT, LEFT
    (_, x1, m1, y), (x2, _, m2, y2) = (grid.place(node) for node in nodes if node is not None)
    if edge.kind == "sequenceFlow" and not edge.back and y == y2 and x1 < x2:
        if not any(grid.blocked[y * grid.width + x] for x in range(x1 + 1, x2)):
            shared = (other for x in range(x1, x2) for other in grid.across.get(y * grid.width + x, ()))
            if all(_sharing(edge, other) is not None for other in shared):
                return [(x1, y), (x2, y)], RIGHT, LEFT
    elif edge.kind in ("association", "data") and m1 == m2 and y != y2:
        step = 1 if y2 > y else -1
        between = range(y + step, y2, step)
        free = not any(grid.blocked[level * grid.width + m1] for level in between)
        if free and not any(grid.along.get(level * grid.width + m1) for level in (*between, min(y, y2))):
            return [(m1, y), (m2, y2)], (DOWN if step > 0 else UP), (UP if step > 0 else DOWN)
    return [], RIGHT, LEFT


def _commit(grid: Grid, edge: Edge, path: Path, leaving: int, entering: int) -> None:
    grid.record(edge, path)
    if not edge.boundary:
        grid.ports.setdefault((edge.source, leaving), []).append((edge, True))
    grid.ports.setdefault((edge.target, entering), []).append((edge, False))


def _sharing(edge: Edge, other: Edge) -> float | None:
    """What it costs two edges to share the middle of a row or column; None where they must not."""
    if _RANK[edge.kind] != _RANK[other.kind]:
        return None
    if edge.source == other.source and edge.boundary == other.boundary:
        return 0.05
    if edge.target == other.target and edge.into_boundary == other.into_boundary:
        return 0.05
    return None


def _style(edge: Edge, node: Node) -> str:
    if edge.kind == "messageFlow":
        return "upright"
    if edge.kind in ("association", "data"):
        return "near"
    if node.kind.endswith("Gateway"):
        return "gateway"
    if edge.back or edge.source == edge.target:
        return "back"
    return "event" if node.kind.endswith("Event") else "task"


class _Search:
    """A* over (point, direction) for one edge."""

    def __init__(self, grid: Grid, edge: Edge, *, forced: bool = False) -> None:
        self.grid = grid
        self.edge = edge
        self.forced = forced
        source, target = grid.sheet.nodes.get(edge.source), grid.sheet.nodes.get(edge.target)
        self.rightward = source is not None and target is not None and source.column < target.column
        self.goals: dict[tuple[int, int], tuple[float, int]] = {}
        self.lowest, self.highest = 0, len(grid.levels) - 1
        pool = grid.sheet.pool_of(edge.source)
        if edge.kind != "messageFlow" and pool == grid.sheet.pool_of(edge.target):
            # What connects two nodes of a pool does not leave it.
            self.lowest, self.highest = grid.pool_levels[pool]

    def run(self) -> tuple[Path, int, int] | None:
        """The cheapest path with the sides that it leaves and enters by."""
        starts = self._starts()
        self._set_goals()
        grid, width = self.grid, self.grid.width
        goal_points = {point for point, _ in self.goals}
        if not goal_points:
            return None
        box = (
            min(p % width for p in goal_points),
            max(p % width for p in goal_points),
            min(p // width for p in goal_points),
            max(p // width for p in goal_points),
        )
        # After a second or so of searching, what remains is routed by the first way found.
        haste = 1.0 if grid.work < _PATIENCE else 10.0
        best: dict[int, float] = {}
        parents: dict[int, int] = {}
        heap: list[tuple[float, int, float]] = []
        for point, direction, cost in starts:
            state = point * 4 + direction
            if cost < best.get(state, 1e9):
                best[state] = cost
                heappush(heap, (cost + haste * _ahead(point, width, box), state, cost))
        while heap:
            _, state, cost = heappop(heap)
            grid.work += 1
            if state < 0:
                return self._trace(-state - 1, parents)
            if cost > best.get(state, 1e9):
                continue
            point, direction = divmod(state, 4)
            goal = self.goals.get((point, direction))
            if goal is not None:
                # Negative: a finished path, so that the port's price competes with longer ways.
                heappush(heap, (cost + goal[0], -state - 1, cost))
            if grid.blocked[point] == 1:
                continue
            for turn in range(4):
                if turn ^ 1 == direction:
                    continue
                price = self._price(point, direction, turn)
                if price is None:
                    continue
                after = point + (1, -1, width, -width)[turn]
                following, total = after * 4 + turn, cost + price
                if total < best.get(following, 1e9):
                    best[following] = total
                    parents[following] = state
                    heappush(heap, (total + haste * _ahead(after, width, box), following, total))
        return None

    def _ports(self, end: str, leaving: bool) -> list[tuple[int, int, float]]:
        """``(point, side, price)`` for each side of a node or pool."""
        grid, edge = self.grid, self.edge
        if end.startswith("pool:"):
            first, last = grid.pool_levels[int(end[5:])]
            above = [(first * grid.width + x, UP, 0.0) for x in range(1, grid.width - 1)]
            return above + [(last * grid.width + x, DOWN, 0.0) for x in range(1, grid.width - 1)]
        node = grid.sheet.nodes[end]
        first, last, middle, y = grid.place(node)
        boundary = edge.boundary if leaving else edge.into_boundary
        if boundary:
            column = next(b.column for b in node.boundaries if b.id == boundary)
            return [(y * grid.width + 2 * column + 1, DOWN, 0.0)]
        prices = (_EXIT if leaving else _ENTRY)[_style(edge, node)]
        ports = []
        for side, x in ((RIGHT, last), (LEFT, first), (DOWN, middle), (UP, middle)):
            price = prices[side] + self._crowding(end, side, leaving)
            if side == DOWN and node.boundaries:
                price += 8
            ports.append((y * grid.width + x, side, price))
        return ports

    def _crowding(self, end: str, side: int, leaving: bool) -> float:
        """A port is for what comes or for what goes, and better for one edge than for two."""
        price = 0.0
        for other, was_leaving in self.grid.ports.get((end, side), ()):
            if "messageFlow" in (other.kind, self.edge.kind):
                # Messages stand side by side on a task; elsewhere they would meet in one point.
                price += 9.0 if self.grid.sheet.nodes[end].pinned else 2.5
            elif was_leaving != leaving or other.kind != self.edge.kind:
                price += 9.0
            else:
                price += 1.5 if leaving else 0.8
        return price

    def _starts(self) -> list[tuple[int, int, float]]:
        width = self.grid.width
        starts = []
        for point, side, price in self._ports(self.edge.source, leaving=True):
            cost = self._price(point, side, side, leaving=True)
            if cost is not None:
                after = point + (1, -1, width, -width)[side]
                starts.append((after, side, price + cost))
        return starts

    def _set_goals(self) -> None:
        for point, side, price in self._ports(self.edge.target, leaving=False):
            # Entering by the right side means moving left, and so on.
            self.goals[point, side ^ 1] = (price, side)

    def _price(self, point: int, direction: int, turn: int, leaving: bool = False) -> float | None:
        """What one step in direction ``turn`` costs for who comes in ``direction``; None: not possible."""
        grid = self.grid
        width = grid.width
        y, x = divmod(point, width)
        if turn < DOWN:
            after, users, inside = point + 1 - 2 * turn, grid.across, 0 <= x + 1 - 2 * turn < width
        else:
            down = turn == DOWN
            after, users = (point + width if down else point - width), grid.along
            inside = y < self.highest if down else y > self.lowest
        if not inside:
            return None
        unit = min(point, after)
        price = _STEP
        if grid.blocked[after] and (after, turn) not in self.goals:
            if grid.blocked[after] == 1 or turn < DOWN:
                return None
            price += _BLACK_BOX
        if turn != direction:
            price += _BEND + (_BACKWARD if turn == LEFT and self.rightward else 0.0)
            if grid.levels[y].kind == "row":
                price += self._touching(point) if x % 2 else self._mirrored(point)
            # Where it turns among edges that run straight, it crosses some of them.
            price += _GRAZE * (grid.through_h[point] + grid.through_v[point])
        elif not leaving:
            through = grid.through_v if turn < DOWN else grid.through_h
            price += _CROSSING * through[point]
            if x % 2 and grid.levels[y].kind == "row" and point in grid.bends:
                price += self._touching(point, bends_only=True)
        present = users.get(unit)
        if present:
            middle = grid.levels[y].kind == "row" if turn < DOWN else bool(x % 2)
            shared = self._share(present, middle, turn)
            if shared is None:
                return None
            price += shared
        return price

    def _share(self, present: list[Edge], middle: bool, turn: int) -> float | None:
        price = 0.0
        strangers = 0
        for other in present:
            shared = _sharing(self.edge, other)
            if shared is not None:
                price += shared
            elif not middle:
                price += 0.02
            elif turn >= DOWN and self._boundary_pair(other):
                price += 0.1
            else:
                strangers += 1
        if not strangers:
            return price
        if turn >= DOWN and strangers < 3:
            # Side by side on a column, each a little off its middle.
            return price + 0.6 * strangers
        return price + _FORCED if self.forced else None

    def _boundary_pair(self, other: Edge) -> bool:
        return bool(self.edge.boundary and other.boundary and self.edge.source == other.source)

    def _mirrored(self, point: int) -> float:
        """The price of turning where another edge turns: beside each other, they may look like one."""
        others = self.grid.bends.get(point, ())
        return _MIRROR if any(_sharing(self.edge, other) is None for other in others) else 0.0

    def _touching(self, point: int, bends_only: bool = False) -> float:
        """The price of meeting another edge's corner in the middle of a cell."""
        grid = self.grid
        others = list(grid.bends.get(point, ()))
        if not bends_only:
            others += grid.across.get(point, ()) or ()
            others += grid.along.get(point, ()) or ()
        strange = (_sharing(self.edge, other) is None and not self._boundary_pair(other) for other in others)
        return _TOUCH if any(strange) else 0.0

    def _trace(self, state: int, parents: dict[int, int]) -> tuple[Path, int, int]:
        width = self.grid.width
        point, direction = divmod(state, 4)
        entering = self.goals[point, direction][1]
        path = [(point % width, point // width)]
        while state in parents:
            before = parents[state]
            if before % 4 != state % 4:
                path.append(((before // 4) % width, (before // 4) // width))
            state = before
        leaving = state % 4
        first = state // 4
        first -= (1, -1, width, -width)[leaving]
        path.append((first % width, first // width))
        path.reverse()
        return path, leaving, entering


def _ahead(point: int, width: int, box: tuple[int, int, int, int]) -> float:
    """A lower bound of the price of the rest of the way."""
    y, x = divmod(point, width)
    dx = box[0] - x if x < box[0] else max(0, x - box[1])
    dy = box[2] - y if y < box[2] else max(0, y - box[3])
    return _STEP * (dx + dy) + (_BEND if dx and dy else 0.0)
