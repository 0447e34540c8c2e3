"""Agglomerative clustering by smallest combined variance, the criterion of the paper that no library has.

Source: "Zero-guidance Segmentation Using Zero Segment Labels", ICCV 2023, section 3.1: each feature starts as its own
cluster, and the two clusters whose union has the smallest variance are merged, again and again.

The variance of a union of A and B is V(A, B) = D(A ∪ B) / |A ∪ B|², with D the sum of squared distances over its pairs of
points. D is updated in constant time per pair: D(A ∪ B ∪ K) = D(A ∪ B) + D(A ∪ K) + D(B ∪ K) − D(A) − D(B) − D(K).

The criterion is not reducible (a union can come nearer to a third cluster than its parts were), so the fast
nearest-neighbour chain of Ward's method would give another tree. Here is the generic algorithm of Müllner (2011): a
matrix of V, each row's smallest value, and rows searched anew only when their remembered smallest is the whole's.
"""

from __future__ import annotations

import threading

import numba
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.floating]
_on_device = threading.Lock()


def combined_variance(features: Floats | Tensor, clusters: int) -> NDArray[np.int64]:
    """Cluster points by smallest combined variance.

    Args:
        features: float32 or float64 [n, d], finite; the memory is n² of their numbers. Of a tensor the distances of
            all pairs, a good third of the work at full size, are computed on its device.
        clusters: how many to end with, 1 … n.

    Returns:
        int64 [n], numbers 0 … clusters − 1 in order of first appearance. Equal variances are settled by the lower
        indices.
    """
    matrix = _of_pairs(features) if isinstance(features, np.ndarray) else _of_pairs_on_device(features)
    owner = np.arange(len(matrix))
    _merge(matrix, owner, max(1, clusters))
    return in_order(owner)


def _of_pairs(features: Floats) -> Floats:
    """V of each two points, |a − b|²/4, and ∞ of each with itself: [n, n]."""
    points = np.ascontiguousarray(features - features.mean(axis=0, keepdims=True))
    matrix = points @ points.T
    _to_variances(matrix, np.einsum("nd,nd->n", points, points))
    return matrix


def _of_pairs_on_device(features: Tensor) -> Floats:
    """The same, one matrix on the device at a time, however many threads cluster: it has 0.6 GiB at full size."""
    points = features - features.mean(dim=0, keepdim=True)
    squares = points.square().sum(dim=1)
    with _on_device:
        matrix = (points @ points.T).mul_(-2).add_(squares[:, None]).add_(squares).div_(4).clamp_min_(0)
        found: Floats = matrix.fill_diagonal_(float("inf")).cpu().numpy()
    return found


def in_order(owner: NDArray[np.integer]) -> NDArray[np.int64]:
    """Numbers by first appearance: [7, 7, 2] → [0, 0, 1]."""
    _, first, inverse = np.unique(owner, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(-1)]


@numba.njit(cache=True, nogil=True)
def _to_variances(matrix, squares):  # type: ignore[no-untyped-def]
    n = len(matrix)
    for i in range(n):
        for j in range(n):
            matrix[i, j] = max((squares[i] + squares[j] - 2 * matrix[i, j]) / 4, 0.0)
        matrix[i, i] = np.inf


@numba.njit(cache=True, nogil=True)
def _nearest(matrix, active, count, row):  # type: ignore[no-untyped-def]
    """Of the active columns after the row's own place: the smallest value's and the value."""
    best, where = np.inf, -1
    values = matrix[active[row]]
    for at in range(row + 1, count):
        value = values[active[at]]
        if value < best:
            best, where = value, active[at]
    return best, where


@numba.njit(cache=True, nogil=True)
def _merge(matrix, owner, clusters):  # type: ignore[no-untyped-def]
    """Merge in place until ``clusters`` are left; ``owner`` ends with a cluster's lowest index for each point."""
    n = len(matrix)
    size = np.ones(n)
    within = np.zeros(n)  # D of a cluster
    active = np.arange(n)
    parent = np.arange(n)
    smallest = np.full(n, np.inf, dtype=matrix.dtype)
    partner = np.full(n, -1)
    for row in range(n - 1):
        smallest[row], partner[row] = _nearest(matrix, active, n, row)
    count = n
    place = np.arange(n)  # where in `active` a cluster stands
    while count > clusters:
        # `smallest` bounds each row from below: a row whose partner is gone is searched when it comes first
        while True:
            i, best = -1, np.inf
            for at in range(count):
                if smallest[active[at]] < best:
                    i, best = active[at], smallest[active[at]]
            j = partner[i]
            if j >= 0 and place[j] >= 0 and matrix[i, j] == best:
                break
            smallest[i], partner[i] = _nearest(matrix, active, count, place[i])
        union = size[i] + size[j]
        pairs = np.float64(matrix[i, j]) * union * union
        parent[j] = i
        for at in range(place[j], count - 1):
            active[at] = active[at + 1]
            place[active[at]] = at
        place[j] = -1
        count -= 1
        smallest[j] = np.inf
        best, where = np.inf, -1
        for at in range(count):
            k = active[at]
            if k == i:
                continue
            with_i, with_j = size[i] + size[k], size[j] + size[k]
            total = union + size[k]
            ik = matrix[i, k] if i < k else matrix[k, i]
            jk = matrix[j, k] if j < k else matrix[k, j]
            d = pairs + ik * with_i * with_i + jk * with_j * with_j - within[i] - within[j] - within[k]
            value = max(d / (total * total), 0.0)
            if i < k:
                matrix[i, k] = value
                value = matrix[i, k]
                if value < best:
                    best, where = value, k
            else:
                matrix[k, i] = value
                value = matrix[k, i]
                if value < smallest[k] or (value == smallest[k] and i < partner[k]):
                    smallest[k], partner[k] = value, i
        smallest[i], partner[i] = best, where
        size[i], within[i] = union, pairs
    for point in range(n):
        root = point
        while parent[root] != root:
            root = parent[root]
        owner[point] = root
