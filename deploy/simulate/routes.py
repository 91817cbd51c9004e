"""Routes: roads that follow the terrain, as least-cost paths drawn with a width."""

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from deploy.simulate.noise import Field, Mask, distance

_STEPS = ((0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.414), (1, -1, 1.414))
_COARSE = 4

Point = tuple[float, float]


def route(cost: Field, start: Point, end: Point) -> np.ndarray:
    """Return the cheapest path (points, 2) in row and column from `start` to `end` over `cost`, smoothed."""
    coarse = ndimage.zoom(cost, 1 / _COARSE, order=1)
    graph, shape = _graph(coarse)
    ends = [_node(point, shape) for point in (start, end)]
    _, before = dijkstra(graph, directed=False, indices=ends[0], return_predecessors=True)
    nodes = [ends[1]]
    while nodes[-1] != ends[0] and before[nodes[-1]] >= 0:
        nodes.append(int(before[nodes[-1]]))
    path = np.stack(np.unravel_index(nodes[::-1], shape), axis=1).astype(float) * _COARSE + _COARSE / 2
    path[0], path[-1] = start, end
    return _smooth(path)


def _graph(cost: Field) -> tuple[coo_matrix, tuple[int, int]]:
    height, width = cost.shape
    index = np.arange(height * width).reshape(height, width)
    links: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for down, right, length in _STEPS:
        here = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
        there = (slice(down, height), slice(max(0, right), width - max(0, -right)))
        weight = (cost[here] + cost[there]) * length / 2
        links.append((index[here].ravel(), index[there].ravel(), weight.ravel()))
    rows, columns, weights = (np.concatenate(part) for part in zip(*links, strict=True))
    return coo_matrix((weights, (rows, columns)), shape=(index.size, index.size)).tocsr(), (height, width)


def _node(point: Point, shape: tuple[int, int]) -> int:
    row, column = (int(np.clip(p / _COARSE, 0, n - 1)) for p, n in zip(point, shape, strict=True))
    return row * shape[1] + column


def _smooth(path: np.ndarray) -> np.ndarray:
    """Resample a path at a quarter pixel and round its corners."""
    lengths = np.r_[0.0, np.cumsum(np.hypot(*np.diff(path, axis=0).T))]
    at = np.arange(0.0, max(lengths[-1], 0.5), 0.25)
    points = np.stack([np.interp(at, lengths, path[:, axis]) for axis in (0, 1)], axis=1)
    return ndimage.gaussian_filter1d(points, 14, axis=0, mode="nearest")


def draw(points: np.ndarray, *, size: int, width: float) -> Mask:
    """Return the pixels (size, size) within half of `width` pixels of a densely sampled line."""
    cells = np.round(points).astype(int)
    inside = ((cells >= 0) & (cells < size)).all(axis=1)
    line = np.zeros((size, size), bool)
    line[cells[inside, 0], cells[inside, 1]] = True
    return distance(line) < width / 2


def straight(start: Point, end: Point) -> np.ndarray:
    """Return points every quarter pixel from `start` to `end`."""
    count = max(2, int(4 * np.hypot(end[0] - start[0], end[1] - start[1])))
    return np.linspace(start, end, count)
