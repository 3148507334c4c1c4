"""Where the boxes and edges of a drawing go: in rows, each box below its inputs (the method of Sugiyama, Tagawa, Toda).

Our own code, as no library fits. grandalf, the known one in pure Python, has had no release since 2023, is under
GPL or EPL, and needs 50 s for 2,000 nodes; pyelk and graph-layout stop at Python's recursion limit on networks that
are many hundred layers deep; the fast ones (fast-sugiyama, igraph, Graphviz) are compiled, and not for all machines.

The steps: (1) a row for each box, by the longest path; (2) places in the rows in between for edges that pass them;
(3) an order within rows that has few crossings, by barycentres; (4) coordinates: each box as close to the median of its
neighbours as the order allows, which is a regression with a monotonicity constraint; (5) the edges, as curves between
rows and straight lines within them, so that they pass no box.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from itertools import accumulate, pairwise
from statistics import fmean, median

Point = tuple[float, float]
Edge = tuple[int, int]
"""The numbers of the boxes where it begins and ends."""

_GAP = 24.0  # between boxes of a row
_LINE_GAP = 12.0  # beside an edge that passes a row
_ROW_GAP = 34.0  # between rows, where no edge is steep
_PORT = 18.0  # between edges that enter the same box
_LANE = 14.0  # from a box to the line of a loop beside it
_PAGE = 1600.0  # parts that are not connected stand side by side up to this width
_SWEEPS, _FEWER, _MANY = 24, 6, 20_000  # rounds of improvement; fewer, if there are many boxes and passing edges
_PASSING, _STRAIGHT, _LOOSE = 4.0, 1000.0, 0.1  # how much counts that an edge or a spine is straight, and a box alone


@dataclass(frozen=True, slots=True)
class Box:
    """A box and the room around it: how far that reaches to the left and right of the middle of the box, its height."""

    width: float
    height: float
    left: float
    right: float
    room: float


@dataclass(frozen=True, slots=True)
class Layout:
    """The middle of each box, for each edge its path in SVG's notation, and the size of the whole."""

    middles: list[Point]
    paths: list[str]
    width: float
    height: float


def lay_out(boxes: Sequence[Box], edges: Sequence[Edge], loops: Collection[Edge] = ()) -> Layout:
    """Places `boxes` so that all `edges` lead downwards, except for those that are in `loops`, too.

    Without `loops`, there must be no cycle. Where nothing else decides, earlier boxes stand to the left.
    """
    middles: list[Point] = [(0.0, 0.0)] * len(boxes)
    paths = [""] * len(edges)
    left = top = width = bottom = 0.0
    for members, numbers in _parts(len(boxes), edges):
        part = _Part(boxes, members, [edges[n] for n in numbers], frozenset(loops))
        if left and left + part.width > _PAGE:
            left, top = 0.0, bottom + 2 * _ROW_GAP
        part.move(left, top)
        for key in members:
            middles[key] = part.middle(key)
        for number, path in zip(numbers, part.paths(), strict=True):
            paths[number] = path
        width, bottom = max(width, left + part.width), max(bottom, top + part.height)
        left += part.width + 2 * _GAP
    return Layout(middles, paths, width, bottom)


def _parts(count: int, edges: Sequence[Edge]) -> list[tuple[list[int], list[int]]]:
    """Boxes that are connected with each other, and the numbers of their edges; large parts first."""
    leader = list(range(count))

    def find(key: int) -> int:
        while leader[key] != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    for start, end in edges:
        leader[find(end)] = find(start)
    parts: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for key in range(count):
        parts[find(key)][0].append(key)
    for number, (start, _) in enumerate(edges):
        parts[find(start)][1].append(number)
    return sorted(parts.values(), key=lambda part: -len(part[0]))


@dataclass(slots=True, eq=False)
class _Item:
    """A box in its row, or the place where an edge passes a row."""

    row: int
    key: int  # of the box, or of the one where the edge begins; loops begin at their lower end, and so to the right
    left: float = 0.0
    right: float = 0.0
    passing: bool = False
    loop: bool = False  # of an edge that leads upwards
    x: float = 0.0
    place: float = 0.0  # its number in the row
    above: list[_Item] = field(default_factory=list)
    below: list[_Item] = field(default_factory=list)
    before: _Item | None = None  # in its spine
    after: _Item | None = None
    weight: float = 1.0


class _Part:
    """The drawing of boxes that are connected with each other, from 0, 0 on until it is moved."""

    def __init__(self, boxes: Sequence[Box], keys: list[int], edges: list[Edge], loops: frozenset[Edge]) -> None:
        self._boxes = boxes
        self._edges = edges
        rows, spines = _rows(keys, [e for e in edges if e not in loops])
        ends = {key for edge in edges if edge in loops for key in edge}
        lanes = {key: _LANE if key in ends else 0.0 for key in keys}
        self._items = {
            key: _Item(rows[key], key, boxes[key].left + lanes[key], boxes[key].right + lanes[key]) for key in keys
        }
        for spine in spines:
            for upper, lower in pairwise(self._items[key] for key in spine):
                upper.after, lower.before = lower, upper
            for key in spine:
                self._items[key].weight = _STRAIGHT * len(spine) ** 2
        self._lines: dict[Edge, list[_Item]] = {}  # where an edge passes rows, from its start on
        self._add_lines()
        self._rows: list[list[_Item]] = [[] for _ in range(max(rows.values()) + 1)]
        lines = dict.fromkeys(item for line in self._lines.values() for item in line)
        for item in sorted([*self._items.values(), *lines], key=lambda i: i.key):
            self._rows[item.row].append(item)
        _order(self._rows)
        _place(self._rows)
        items = [item for row in self._rows for item in row]
        self._left, self._top = min(i.x - i.left for i in items), 0.0
        self.width = max(i.x + i.right for i in items) - self._left
        self._bands = list(self._spread())
        self.height = self._bands[-1][1]

    def _add_lines(self) -> None:
        trunks: dict[int, list[_Item]] = defaultdict(list)  # edges that leave a box share their way
        for edge in dict.fromkeys(self._edges):
            start, end = (self._items[key] for key in edge)
            if end.row > start.row:
                trunk = trunks[start.key]
                for row in range(start.row + 1 + len(trunk), end.row):
                    trunk.append(_Item(row, start.key, passing=True))
                    _link(trunk[-2] if len(trunk) > 1 else start, trunk[-1])
                self._lines[edge] = trunk[: end.row - start.row - 1]
                _link(self._lines[edge][-1] if self._lines[edge] else start, end)
            else:
                line = [_Item(row, start.key, passing=True, loop=True) for row in range(start.row - 1, end.row, -1)]
                self._lines[edge] = line
                for lower, upper in pairwise([start, *line, end] if line else []):
                    _link(upper, lower)

    def _spread(self) -> Iterator[tuple[float, float]]:
        """From where to where each row reaches; rows are farther apart where an edge between them is far from upright."""
        top = 0.0
        for row in self._rows:
            height = max((self._boxes[i.key].room for i in row if not i.passing), default=0.0)
            yield top, top + height
            slant = max((abs(i.x - b.x) for i in row for b in i.below), default=0.0)
            top += height + _ROW_GAP + min(slant / 12, 2 * _ROW_GAP)

    def move(self, left: float, top: float) -> None:
        """Puts the upper left corner there."""
        for row in self._rows:
            for item in row:
                item.x += left - self._left
        self._bands = [(a + top - self._top, b + top - self._top) for a, b in self._bands]
        self._left, self._top = left, top

    def middle(self, key: int) -> Point:
        item = self._items[key]
        return item.x, sum(self._bands[item.row]) / 2

    def paths(self) -> Iterator[str]:
        ports = self._ports()
        for number, edge in enumerate(self._edges):
            stops = [(i.x, *self._bands[i.row]) for i in self._lines[edge]]
            if self._items[edge[1]].row > self._items[edge[0]].row:
                yield self._down(edge, stops, ports[number])
            else:
                yield self._up(edge, [(x, bottom, top) for x, top, bottom in stops])

    def _ports(self) -> dict[int, float]:
        """Where edges enter the upper side of a box: side by side in the order in which they come, straight if possible."""
        entering: dict[int, list[tuple[float, int]]] = defaultdict(list)
        for number, edge in enumerate(self._edges):
            start, end = (self._items[key] for key in edge)
            if end.row > start.row:
                line = self._lines[edge]
                entering[end.key].append(((line[-1] if line else start).x, number))
        ports: dict[int, float] = {}
        for key, found in entering.items():
            found.sort()
            x, width = self._items[key].x, self._boxes[key].width
            step = min(_PORT, width / (len(found) + 1))
            reach = width / 2 - step
            wanted = [min(max(at, x - reach), x + reach) for at, _ in found]
            places = _spaced(wanted, [1.0] * len(found), [step] * (len(found) - 1))
            ports |= {number: place for (_, number), place in zip(found, places, strict=True)}
        return ports

    def _down(self, edge: Edge, stops: list[tuple[float, float, float]], port: float) -> str:
        (start, end), bands = edge, self._bands
        x, y = self.middle(start)
        first = (x, y + self._boxes[start].height / 2, bands[self._items[start].row][1])
        y = self.middle(end)[1]
        last = (port, bands[self._items[end].row][0], y - self._boxes[end].height / 2)
        return f"M{_point(*first[:2])}" + _through([first, *stops, last])

    def _up(self, edge: Edge, stops: list[tuple[float, float, float]]) -> str:
        """From a side of a box to a side of one above it, or in the same row."""
        (_, y0), (_, y1) = (self.middle(key) for key in edge)
        bands = [self._bands[self._items[key].row] for key in edge]
        x0, lane0 = self._side(edge[0], stops[0][0] if stops else self._items[edge[1]].x)
        x1, lane1 = self._side(edge[1], stops[-1][0] if stops else lane0)
        if bands[0] == bands[1]:
            over = bands[0][0] - _LANE
            first, last = (lane0, y0 - _LANE, over), (lane1, over, y1 - _LANE)
        else:
            first, last = (lane0, y0 - _LANE, bands[0][0]), (lane1, bands[1][1], y1 + _LANE)
        turn = f"M{_point(x0, y0)}Q{_point(lane0, y0)} {_point(lane0, y0 - _LANE)}"
        return turn + _through([first, *stops, last]) + f"Q{_point(lane1, y1)} {_point(x1, y1)}"

    def _side(self, key: int, towards: float) -> tuple[float, float]:
        """Where a loop touches a box, and the line beside it: at the left if it goes there and nothing is in the way."""
        x, half = self._items[key].x, self._boxes[key].width / 2
        sign = -1 if towards < x and self._boxes[key].left <= half else 1
        return x + sign * half, x + sign * (half + _LANE)


def _link(upper: _Item, lower: _Item) -> None:
    upper.below.append(lower)
    lower.above.append(upper)


def _rows(keys: Iterable[int], edges: Sequence[Edge]) -> tuple[dict[int, int], list[list[int]]]:
    """A row for each box, below those of its inputs, and the spines.

    A box stands right above the first of its users: most have more inputs than users, so fewer edges pass rows than with
    boxes right below their inputs. Spines are paths, as long as possible, of boxes in adjacent rows; no
    box is in two. Drawn as straight lines, they hold the picture together.
    """
    inputs: dict[int, set[int]] = {key: set() for key in keys}
    users: dict[int, set[int]] = {key: set() for key in keys}
    for start, end in edges:
        inputs[end].add(start)
        users[start].add(end)
    order = list(TopologicalSorter({key: sorted(found) for key, found in inputs.items()}).static_order())
    depths: dict[int, int] = {}
    for key in order:
        depths[key] = max((depths[i] + 1 for i in inputs[key]), default=0)
    rows, heights = dict(depths), dict.fromkeys(keys, 0)
    after: dict[int, int] = {}
    for key in reversed(order):
        heights[key] = max((heights[u] + 1 for u in users[key]), default=0)
        if users[key]:
            rows[key] = min(rows[u] for u in users[key]) - 1
        following = [u for u in users[key] if rows[u] == rows[key] + 1]
        if following:
            after[key] = max(following, key=lambda u: (heights[u], -u))
    before: dict[int, int] = {}
    for key, user in after.items():
        if user not in before or (depths[key], -key) > (depths[before[user]], -before[user]):
            before[user] = key
    spines: list[list[int]] = []
    for key in order:
        if key not in before:
            spine = [key]
            while (user := after.get(spine[-1])) is not None and before[user] == spine[-1]:
                spine.append(user)
            spines.append(spine)
    return rows, spines


def _order(rows: list[list[_Item]]) -> None:
    """Sorts the items of each row so that few edges cross: the best of some sweeps down and up."""
    for row in rows:
        _count_off(row)
    best, kept = _crossings(rows), [list(row) for row in rows]
    idle = 0
    for sweep in range(_sweeps(rows)):
        if not best or idle == 4:
            break
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            row.sort(
                key=lambda i: fmean(n.place for n in found) if (found := i.above if down else i.below) else i.place
            )
            _count_off(row)
        found = _crossings(rows)
        idle += 1
        if found < best:
            best, kept, idle = found, [list(row) for row in rows], 0
    for row, order in zip(rows, kept, strict=True):
        row[:] = order
        _count_off(row)


def _sweeps(rows: list[list[_Item]]) -> int:
    return _SWEEPS if sum(map(len, rows)) < _MANY else _FEWER


def _count_off(row: list[_Item]) -> None:
    for place, item in enumerate(row):
        item.place = place - (len(row) - 1) / 2


def _crossings(rows: list[list[_Item]]) -> int:
    total = 0
    for row in rows:
        seen: list[float] = []
        for item in row:
            places = [lower.place for lower in item.below]
            total += sum(len(seen) - bisect_right(seen, place) for place in places)
            for place in places:
                insort(seen, place)
    return total


def _place(rows: list[list[_Item]]) -> None:
    """Gives the items of each row their x, as close to the medians of their neighbours as their order allows."""
    gaps = [[_distance(*items) for items in pairwise(row)] for row in rows]
    for sweep in range(_sweeps(rows) + 1):
        down = sweep % 2 == 0
        for row, distances in list(zip(rows, gaps, strict=True))[:: 1 if down else -1]:
            targets, weights = [], []
            for item in row:
                spine = item.before if down else item.after
                first, second = (item.above, item.below) if down else (item.below, item.above)
                found = [spine] if spine else _pulling(item, first)
                weights.append(_PASSING if item.passing else item.weight if found else _LOOSE)
                found = found or _pulling(item, second) or [item]
                targets.append(found[0].x if len(found) == 1 else median(n.x for n in found))
            for item, x in zip(row, _spaced(targets, weights, distances), strict=True):
                item.x = x


def _pulling(item: _Item, neighbours: list[_Item]) -> list[_Item]:
    """A loop follows the boxes, not they the loop."""
    return neighbours if item.passing else [n for n in neighbours if not n.loop]


def _distance(left: _Item, right: _Item) -> float:
    return left.right + (_LINE_GAP if left.passing or right.passing else _GAP) + right.left


def _spaced(targets: list[float], weights: list[float], distances: list[float]) -> list[float]:
    """Ascending numbers close to `targets` that keep the `distances`: least squares, by pooling what comes too close."""
    offsets = [0.0, *accumulate(distances)]
    blocks: list[tuple[float, float, int]] = []  # weight, mean, size
    for target, weight, offset in zip(targets, weights, offsets, strict=True):
        mean, size = target - offset, 1
        while blocks and blocks[-1][1] > mean:
            before, other, count = blocks.pop()
            mean = (before * other + weight * mean) / (before + weight)
            weight, size = before + weight, size + count
        blocks.append((weight, mean, size))
    means = (mean for _, mean, size in blocks for _ in range(size))
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _through(stops: list[tuple[float, float, float]]) -> str:
    """Straight through each row, (x, from, to), and in curves between them."""
    text = _vertical(*stops[0][1:])
    for (x, _, y), (next_x, next_y, end) in pairwise(stops):
        if coordinate(x) == coordinate(next_x):
            text += _vertical(y, end)
        else:
            middle = (y + next_y) / 2
            text += f"C{_point(x, middle)} {_point(next_x, middle)} {_point(next_x, next_y)}" + _vertical(next_y, end)
    return text


def _vertical(start: float, end: float) -> str:
    return f"V{coordinate(end)}" if coordinate(start) != coordinate(end) else ""


def _point(x: float, y: float) -> str:
    return f"{coordinate(x)} {coordinate(y)}"


def coordinate(value: float) -> str:
    """As text, with one digit."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")
