"""Where the values of a graph stand on a page: in layers, the output on top and what it is made of below.

The four classic steps: layers by the longest way to the output, a place in each layer for edges that pass it, an order
within the layers with few crossings, and positions that keep edges straight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from grader.course.graph import Graph

# In pixels. A passing edge needs less room than a box.
BOX_HEIGHT, LAYER_HEIGHT, GAP, PASSING, MARGIN = 24, 42, 8, 8, 4
SWEEPS = 8
SETTLING = 40
# How much an edge pulls at its ends: one that passes layers shall run straight.
PULL = {0: 1.0, 1: 2.0, 2: 8.0}

Spot = tuple[str, int]
Point = tuple[int, int]


@dataclass(frozen=True)
class Box:
    """Where one value stands, in pixels from the top left."""

    name: str
    left: int
    top: int
    width: int

    @property
    def middle(self) -> float:
        """Half-way between its sides."""
        return self.left + self.width / 2


@dataclass(frozen=True)
class Edge:
    """The way from a value up to one that was computed from it, through `points`."""

    source: str
    target: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Layout:
    """Boxes from the output down, as a backward pass meets them, and the edges between them."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    width: int
    height: int


@lru_cache(maxsize=256)
def lay_out(graph: Graph, widths: tuple[int, ...]) -> Layout:
    """Place boxes of these widths, one for each value of the graph; the same for the same graph."""
    width: dict[Spot, float] = {(value.name, 0): pixels for value, pixels in zip(graph.values, widths, strict=True)}
    layers, links = _in_layers(graph)
    layers = _with_few_crossings(layers, links)
    centre = _positions(layers, links, width)
    left = min(centre[node] - width.get(node, PASSING) / 2 for node in centre) - MARGIN
    right = max(centre[node] + width.get(node, PASSING) / 2 for node in centre) + MARGIN
    top = {node: MARGIN + place * LAYER_HEIGHT for place, layer in enumerate(layers) for node in layer}
    boxes = {
        node: Box(node[0], round(centre[node] - width[node] / 2 - left), top[node], round(width[node]))
        for layer in layers
        for node in layer
        if node in width
    }
    order = {value.name: place for place, value in enumerate(graph.values)}
    return Layout(
        boxes=tuple(sorted(boxes.values(), key=lambda box: -order[box.name])),
        edges=_edges(graph, boxes, {node: (round(x - left), top[node]) for node, x in centre.items()}),
        width=round(right - left),
        height=(len(layers) - 1) * LAYER_HEIGHT + BOX_HEIGHT + 2 * MARGIN,
    )


def _passing(source: str, target: str) -> str:
    """Return the name of the places of an edge in the layers that it passes."""
    return f"{source} {target}"


def _in_layers(graph: Graph) -> tuple[list[list[Spot]], list[tuple[Spot, Spot]]]:
    """Return the nodes of each layer, and the links between neighbouring layers, the upper end first."""
    depth: dict[str, int] = {}
    for value in reversed(graph.values):
        depth[value.name] = max((depth[each.name] + 1 for each in graph.consumers(value.name)), default=0)
    layers: list[list[Spot]] = [[] for _ in range(max(depth.values()) + 1)]
    links: list[tuple[Spot, Spot]] = []
    for value in reversed(graph.values):
        layers[depth[value.name]].append((value.name, 0))
        for source in value.reads:
            way = [(value.name, 0)]
            for layer in range(depth[value.name] + 1, depth[source]):
                way.append((_passing(source, value.name), layer))
                layers[layer].append(way[-1])
            links += pairwise([*way, (source, 0)])
    leaves = {(value.name, 0) for value in graph.values if not value.reads}
    return [_leaves_outside(layer, leaves) for layer in layers], links


def _leaves_outside(layer: list[Spot], leaves: set[Spot]) -> list[Spot]:
    """Put what goes on in the middle and leaves to both sides of it, so that the long way runs straight."""
    outside = [node for node in layer if node in leaves]
    return outside[1::2] + [node for node in layer if node not in leaves] + outside[0::2]


def _neighbours(links: Sequence[tuple[Spot, Spot]]) -> tuple[dict[Spot, list[Spot]], dict[Spot, list[Spot]]]:
    above: dict[Spot, list[Spot]] = {}
    below: dict[Spot, list[Spot]] = {}
    for upper, lower in links:
        below.setdefault(upper, []).append(lower)
        above.setdefault(lower, []).append(upper)
    return above, below


def _with_few_crossings(layers: list[list[Spot]], links: Sequence[tuple[Spot, Spot]]) -> list[list[Spot]]:
    """Order each layer by where its neighbours stand, up and down in turn, and keep the order with fewest crossings."""
    above, below = _neighbours(links)
    best, fewest = layers, _crossings(layers, below)
    for sweep in range(SWEEPS):
        neighbours, direction = (above, 1) if sweep % 2 == 0 else (below, -1)
        layers = [list(layer) for layer in layers]
        for before, layer in pairwise(layers[::direction]):
            _sort(layer, before, neighbours)
        count = _crossings(layers, below)
        if count < fewest:
            best, fewest = layers, count
    return best


def _sort(layer: list[Spot], before: Sequence[Spot], neighbours: Mapping[Spot, Sequence[Spot]]) -> None:
    """Order a layer by the mean place of each one's neighbours in the layer before."""
    place = {node: number for number, node in enumerate(before)}
    own = {node: number for number, node in enumerate(layer)}
    layer.sort(key=lambda node: _mean([place[each] for each in neighbours.get(node, ())] or [own[node]]))


def _crossings(layers: Sequence[Sequence[Spot]], below: Mapping[Spot, Sequence[Spot]]) -> int:
    count = 0
    for upper, lower in pairwise(layers):
        place = {node: number for number, node in enumerate(lower)}
        ends: list[int] = []
        for node in upper:
            found = [place[each] for each in below.get(node, ())]
            count += sum(end > new for end in ends for new in found)
            ends += found
    return count


def _positions(
    layers: Sequence[Sequence[Spot]], links: Sequence[tuple[Spot, Spot]], width: Mapping[Spot, float]
) -> dict[Spot, float]:
    """Return where each node's middle stands: as near to its neighbours as its layer's order and widths allow."""
    pulls: dict[Spot, list[tuple[Spot, float]]] = {}
    for upper, lower in links:
        strength = PULL[(upper not in width) + (lower not in width)]
        pulls.setdefault(upper, []).append((lower, strength))
        pulls.setdefault(lower, []).append((upper, strength))
    offsets = {}
    for layer in layers:
        total = 0.0
        for before, node in zip([None, *layer], layer, strict=False):
            if before is not None:
                total += (width.get(before, PASSING) + width.get(node, PASSING)) / 2 + GAP
            offsets[node] = total
    centre = {node: offsets[node] - offsets[layer[-1]] / 2 for layer in layers for node in layer}
    for turn in range(SETTLING):
        for layer in layers if turn % 2 else reversed(layers):
            wanted = []
            for node in layer:
                pulled = pulls.get(node, [(node, 1.0)])
                weight = sum(strength for _, strength in pulled)
                wanted.append((sum(centre[other] * pull for other, pull in pulled) / weight - offsets[node], weight))
            for node, place in zip(layer, _ascending(wanted), strict=True):
                centre[node] = place + offsets[node]
    return centre


def _ascending(wanted: Sequence[tuple[float, float]]) -> list[float]:
    """Return the ascending numbers nearest to the wanted ones, each with its weight: neighbours out of order meet."""
    blocks: list[tuple[float, float, int]] = []
    for number, weight in wanted:
        blocks.append((number, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (low, light, few), (high, heavy, many) = blocks.pop(), blocks.pop()
            blocks.append(((low * light + high * heavy) / (light + heavy), light + heavy, few + many))
    return [number for number, _, count in blocks for _ in range(count)]


def _edges(graph: Graph, boxes: Mapping[Spot, Box], place: Mapping[Spot, Point]) -> tuple[Edge, ...]:
    edges = []
    for value in graph.values:
        target = boxes[value.name, 0]
        ways = [_way(source, value.name, boxes, place) for source in value.reads]
        # Arrows arrive side by side, in the order in which they come.
        ways.sort(key=lambda way: way[1][-1])
        step = min(14, (target.width - 12) / max(1, len(ways)))
        for number, (source, points) in enumerate(ways):
            arrival = round(target.middle + (number - (len(ways) - 1) / 2) * step)
            edges.append(Edge(source, value.name, (*points, (arrival, target.top + BOX_HEIGHT))))
    return tuple(edges)


def _way(source: str, target: str, boxes: Mapping[Spot, Box], place: Mapping[Spot, Point]) -> tuple[str, list[Point]]:
    """Return the points of an edge from its source's upper side up to the last layer that it passes."""
    start = boxes[source, 0]
    points = [(round(start.middle), start.top)]
    passed = [place[node] for node in place if node[0] == _passing(source, target)]
    for x, top in sorted(passed, key=lambda point: -point[1]):
        points += [(x, top + BOX_HEIGHT), (x, top)]
    return source, points


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)
