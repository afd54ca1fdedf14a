"""Repeating elements: broadcasts, expanded axes, tiles, and which shapes broadcast."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...clashes import marked
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import (
    Shape,
    canonical_axes,
    canonical_shape,
    check_axes,
    check_sizes,
    integers,
    refuse_sharding,
)
from .rearranging import reshape

__all__ = [
    "broadcast",
    "broadcast_in_dim",
    "broadcast_in_dim_p",
    "broadcast_like",
    "broadcast_shapes",
    "broadcast_to_rank",
    "expand_dims",
    "tile",
    "tile_p",
]


def _broadcast_in_dim_type(
    operand: ShapedArray, *, shape: Shape, broadcast_dimensions: tuple[int, ...]
) -> ShapedArray:
    name = "broadcast_in_dim"
    check_sizes(name, shape)
    if len(broadcast_dimensions) != operand.ndim:
        raise ShapeError(
            f"{name}: broadcast_dimensions must have one entry for each of the operand's "
            f"{operand.ndim} axes, got {broadcast_dimensions} for an operand of shape "
            f"{operand.shape}"
        )
    check_axes(name, broadcast_dimensions, shape, "broadcast_dimensions (axes of shape)")
    if any(
        n != 1 and n != shape[d] for n, d in zip(operand.shape, broadcast_dimensions, strict=True)
    ):
        raise ShapeError(
            f"{name}: the operand's sizes must be 1 or equal to those of the result's axes they "
            f"go to, got operand of shape {operand.shape}, shape {shape}, broadcast_dimensions "
            f"{broadcast_dimensions}"
        )
    return ShapedArray(shape, operand.dtype, operand.weak_type)


def _broadcast_in_dim(
    x: np.ndarray, *, shape: Shape, broadcast_dimensions: tuple[int, ...]
) -> np.ndarray:
    order = sorted(range(x.ndim), key=broadcast_dimensions.__getitem__)
    sizes = [1] * len(shape)
    for axis, target in enumerate(broadcast_dimensions):
        sizes[target] = x.shape[axis]
    return np.broadcast_to(x.transpose(order).reshape(sizes), shape)


# Params: shape; broadcast_dimensions, the result's axis for each of the operand's.
broadcast_in_dim_p = Primitive(
    "broadcast_in_dim", abstract=_broadcast_in_dim_type, reference=_broadcast_in_dim
)


def broadcast_in_dim(
    operand: Any,
    shape: Any,
    broadcast_dimensions: Iterable[int],
    *,
    out_sharding: Any = None,
) -> Any:
    """The operand repeated along new axes, and along axes of length 1.

    Args:
        operand: an array of any dtype.
        shape: the result's shape.
        broadcast_dimensions: for each axis of the operand, the axis of the result that it
            becomes; all distinct.
        out_sharding: must be None.

    Raises:
        ShapeError: an operand's axis is neither 1 nor as long as the result's.

    >>> broadcast_in_dim(np.arange(3), (2, 3), (1,))
    Array([[0, 1, 2],
           [0, 1, 2]], dtype=int32)
    """
    if out_sharding is not None:
        refuse_sharding("broadcast_in_dim", "out_sharding", out_sharding)
    shape = canonical_shape("broadcast_in_dim", shape)
    dims = integers("broadcast_in_dim", broadcast_dimensions, "broadcast_dimensions")
    aval = getattr(operand, "aval", None)
    if aval is not None and aval.shape == shape and dims == tuple(range(len(shape))):
        return operand
    return broadcast_in_dim_p.bind(operand, shape=shape, broadcast_dimensions=dims)


def broadcast(operand: Any, sizes: Sequence[int], *, out_sharding: Any = None) -> Any:
    """The operand repeated along new leading axes of lengths `sizes`.

    Args:
        operand: an array of any dtype.
        sizes: the lengths of the axes to put in front.
        out_sharding: must be None.

    >>> broadcast(np.zeros(3), (4, 2)).shape
    (4, 2, 3)
    """
    if out_sharding is not None:
        refuse_sharding("broadcast", "out_sharding", out_sharding)
    sizes = integers("broadcast", sizes, "sizes")
    return broadcast_to(operand, sizes + typeof(operand).shape)


def broadcast_to(x: Any, shape: Shape) -> Any:
    """`x` broadcast to `shape` by NumPy's rule: axes are matched from the last one.

    Args:
        x: an array of any dtype.
        shape: a tuple of integers.

    Raises:
        ShapeError: an axis of `x` is neither 1 nor as long as the one it goes to.

    >>> broadcast_to(np.ones((3, 1)), (2, 3, 4)).shape
    (2, 3, 4)
    """
    own = typeof(x).shape
    if own == shape and hasattr(x, "aval"):
        return x
    n, m = len(own), len(shape)
    if n > m:
        raise ShapeError(f"can't broadcast shape {own} to {shape}, which has fewer axes")
    return broadcast_in_dim_p.bind(x, shape=shape, broadcast_dimensions=tuple(range(m - n, m)))


def broadcast_to_rank(x: Any, rank: int) -> Any:
    """`x` with leading axes of length 1 put in front until it has `rank` of them.

    An array that has as many axes or more comes back as it is.

    >>> broadcast_to_rank(np.zeros((2, 3)), 4).shape
    (1, 1, 2, 3)
    """
    shape = typeof(x).shape
    return broadcast_to(x, (1,) * (rank - len(shape)) + shape)


def broadcast_like(arr: Any, like_arr: Any) -> Any:
    """`arr` broadcast to the shape of `like_arr` by NumPy's rule.

    Raises:
        ShapeError: the shape of `arr` doesn't broadcast to that of `like_arr`.

    >>> broadcast_like(np.ones(3), np.zeros((2, 3))).shape
    (2, 3)
    """
    return broadcast_to(arr, typeof(like_arr).shape)


def broadcast_shapes(*shapes: Iterable[int]) -> Shape:
    """The shape that arrays of the given shapes broadcast to, by NumPy's rule.

    Raises:
        ShapeError: along an axis two lengths differ, and neither is 1.

    >>> broadcast_shapes((3, 1), (4,), ())
    (3, 4)
    """
    try:
        return _broadcast_shapes(shapes)
    except TypeError as err:
        if isinstance(err, ShapeError):
            raise
        return _broadcast_shapes(
            tuple(canonical_shape("broadcast_shapes", s, "shapes") for s in shapes)
        )


@functools.lru_cache(maxsize=4096)
def _broadcast_shapes(shapes: tuple[Shape, ...]) -> Shape:
    ndim = max(map(len, shapes), default=0)
    result = [1] * ndim
    for shape in shapes:
        for i, n in enumerate(shape, ndim - len(shape)):
            if n != 1 and result[i] not in (1, n):
                raise ShapeError(
                    f"Incompatible shapes for broadcasting: shapes={list(shapes)}. Counted from "
                    f"the last axis, lengths must be equal or 1:\n{marked(shapes)}"
                )
            if n != 1:
                result[i] = n
    return tuple(result)


@functools.lru_cache(maxsize=4096)
def _expanded(shape: Shape, dimensions: tuple[int, ...]) -> tuple[Shape, tuple[int, ...]]:
    """The shape with new axes, and where the old ones are in it."""
    ndim = len(shape) + len(dimensions)
    new = canonical_axes("expand_dims", dimensions, ndim, "dimensions")
    kept = tuple([d for d in range(ndim) if d not in new])
    sizes = [1] * ndim
    for d, n in zip(kept, shape, strict=True):
        sizes[d] = n
    return tuple(sizes), kept


def expand_dims(array: Any, dimensions: Sequence[int]) -> Any:
    """The array with axes of length 1 put in.

    Args:
        array: an array of any dtype.
        dimensions: where the new axes are in the result; negative ones count from its end.

    Raises:
        ShapeError: an axis is out of range or repeated.

    >>> expand_dims(np.zeros((2, 3)), (0, -1)).shape
    (1, 2, 3, 1)
    """
    dimensions = integers("expand_dims", dimensions, "dimensions")
    if not dimensions and hasattr(array, "aval"):
        return array
    shape, kept = _expanded(typeof(array).shape, dimensions)
    return broadcast_in_dim_p.bind(array, shape=shape, broadcast_dimensions=kept)


def _tile_type(operand: ShapedArray, *, reps: tuple[int, ...]) -> ShapedArray:
    if len(reps) != operand.ndim:
        raise ShapeError(
            f"tile: reps must have one entry for each of the operand's {operand.ndim} axes, got "
            f"{reps} for shape {operand.shape}; jx.numpy.tile fills up with ones"
        )
    check_sizes("tile", reps, "reps")
    shape = tuple([r * n for r, n in zip(reps, operand.shape, strict=True)])
    return ShapedArray(shape, operand.dtype, operand.weak_type)


def _tile_of_others(operand: Any, *, reps: tuple[int, ...]) -> Any:
    """Each axis of length n becomes two of lengths (r, n), and these one of r * n."""
    shape = typeof(operand).shape
    pairs = tuple([n for pair in zip(reps, shape, strict=True) for n in pair])
    repeated = broadcast_in_dim(operand, pairs, range(1, 2 * len(shape), 2))
    return reshape(repeated, tuple([r * n for r, n in zip(reps, shape, strict=True)]))


# Params: reps, how often each axis is repeated.
tile_p = Primitive("tile", abstract=_tile_type, reference=np.tile, decompose=_tile_of_others)


def tile(operand: Any, reps: Sequence[int]) -> Any:
    """Copies of the operand laid side by side.

    Args:
        operand: an array of any dtype.
        reps: how many copies along each axis, one entry an axis.

    Raises:
        ShapeError: `reps` has another length than the operand has axes.

    >>> tile(np.array([1, 2]), (3,))
    Array([1, 2, 1, 2, 1, 2], dtype=int32)
    """
    return tile_p.bind(operand, reps=integers("tile", reps, "reps"))
