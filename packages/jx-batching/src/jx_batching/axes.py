"""Moving batch axes: to another position, into being, into and out of other axes.

The rules' few temporaries are all made here. Axis numbers are non-negative. Nothing
here knows about traces; everything binds primitives under the current one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from jx_core import typeof
from jx_core.lax import broadcast_in_dim_p, reshape_p, transpose_p

Shape = tuple[int, ...]


def insert(items: Sequence[Any], position: int, item: Any) -> tuple[Any, ...]:
    """`items` with `item` before the one at `position`."""
    return (*items[:position], item, *items[position:])


def shift(axis: int, dim: int) -> int:
    """The number that an axis of the row has once a batch axis lies at `dim`."""
    return axis + (axis >= dim)


def shifted(axes: Sequence[int], dim: int) -> tuple[int, ...]:
    """`shift` of several axes."""
    return tuple([a + (a >= dim) for a in axes])


@functools.cache
def _permutation(ndim: int, src: int, dst: int) -> tuple[int, ...]:
    order = [i for i in range(ndim) if i != src]
    order.insert(dst, src)
    return tuple(order)


def move_axis(x: Any, src: int, dst: int) -> Any:
    """`x` with axis `src` at position `dst`."""
    if src == dst:
        return x
    return transpose_p.bind(x, permutation=_permutation(typeof(x).ndim, src, dst))


def broadcast_axis(x: Any, size: int, dst: int) -> Any:
    """`x` repeated `size` times along a new axis at position `dst`."""
    shape = typeof(x).shape
    kept = (*range(dst), *range(dst + 1, len(shape) + 1))
    return broadcast_in_dim_p.bind(x, shape=insert(shape, dst, size), broadcast_dimensions=kept)


def at_axis(x: Any, dim: int | None, size: int, dst: int = 0) -> Any:
    """The batch `x` with its batch axis at `dst`; rows that all share `x` get copies of it."""
    return broadcast_axis(x, size, dst) if dim is None else move_axis(x, dim, dst)


def reshape(x: Any, shape: Shape) -> Any:
    """`x` in another shape of the same size."""
    return reshape_p.bind(x, new_sizes=shape, dimensions=None)


def merge_axes(x: Any, axis: int, count: int) -> Any:
    """Fold `count` axes from `axis` on into one, the first of them the slowest."""
    shape = typeof(x).shape
    merged = math.prod(shape[axis : axis + count])
    return reshape(x, (*shape[:axis], merged, *shape[axis + count :]))


def split_axis(x: Any, axis: int, sizes: Shape) -> Any:
    """Unfold `axis` into axes of `sizes`, the slowest first."""
    shape = typeof(x).shape
    return reshape(x, (*shape[:axis], *sizes, *shape[axis + 1 :]))
