"""The same elements in another shape or order: reshape, transpose, squeeze, rev."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import (
    Shape,
    canonical_axes,
    canonical_shape,
    check_axes,
    check_permutation,
    check_sizes,
    integers,
    refuse_sharding,
)

__all__ = [
    "collapse",
    "reshape",
    "reshape_p",
    "rev",
    "rev_p",
    "squeeze",
    "squeeze_p",
    "transpose",
    "transpose_p",
]


def _reshape_type(
    operand: ShapedArray, *, new_sizes: Shape, dimensions: tuple[int, ...] | None
) -> ShapedArray:
    check_sizes("reshape", new_sizes, "new_sizes")
    if math.prod(new_sizes) != operand.size:
        raise ShapeError(
            f"reshape: the number of elements must stay the same, got an operand of shape "
            f"{operand.shape} ({operand.size} elements) and new_sizes {new_sizes} "
            f"({math.prod(new_sizes)})"
        )
    if dimensions is not None:
        check_permutation("reshape", dimensions, operand.shape, "dimensions")
    return ShapedArray(new_sizes, operand.dtype, operand.weak_type)


def _reshape(x: np.ndarray, *, new_sizes: Shape, dimensions: tuple[int, ...] | None) -> np.ndarray:
    return (x if dimensions is None else x.transpose(dimensions)).reshape(new_sizes)


# Params: new_sizes; dimensions, a permutation to transpose by first, or None.
reshape_p = Primitive("reshape", abstract=_reshape_type, reference=_reshape)


def reshape(
    operand: Any,
    new_sizes: Any,
    dimensions: Sequence[int] | None = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """The operand's elements, in row-major order, in another shape.

    Args:
        operand: an array of any dtype.
        new_sizes: the result's shape: as many elements as the operand has.
        dimensions: a permutation of the operand's axes to apply before.
        out_sharding: must be None.

    Raises:
        ShapeError: the number of elements differs.

    >>> reshape(np.arange(6), (2, 3))
    Array([[0, 1, 2],
           [3, 4, 5]], dtype=int32)
    """
    if out_sharding is not None:
        refuse_sharding("reshape", "out_sharding", out_sharding)
    new_sizes = canonical_shape("reshape", new_sizes, "new_sizes")
    if dimensions is not None:
        dimensions = integers("reshape", dimensions, "dimensions")
        if dimensions == tuple(range(typeof(operand).ndim)):
            dimensions = None
    aval = getattr(operand, "aval", None)
    if aval is not None and aval.shape == new_sizes and dimensions is None:
        return operand
    return reshape_p.bind(operand, new_sizes=new_sizes, dimensions=dimensions)


def collapse(operand: Any, start_dimension: int, stop_dimension: int | None = None) -> Any:
    """The operand with the axes from `start_dimension` to before `stop_dimension` made one.

    Args:
        operand: an array of any dtype.
        start_dimension, stop_dimension: as in a slice of the shape, so that None is the
            end, negative numbers count from it, and an empty range puts in an axis of 1.

    Raises:
        ShapeError: the range ends before it starts.

    >>> collapse(np.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    shape = typeof(operand).shape
    start, stop, _ = slice(start_dimension, stop_dimension).indices(len(shape))
    if stop < start:
        raise ShapeError(
            f"collapse: the range of axes must not end before it starts, got start_dimension "
            f"{start_dimension} and stop_dimension {stop_dimension} for shape {shape}"
        )
    return reshape(operand, (*shape[:start], math.prod(shape[start:stop]), *shape[stop:]))


def _transpose_type(operand: ShapedArray, *, permutation: tuple[int, ...]) -> ShapedArray:
    shape = operand.shape
    check_permutation("transpose", permutation, shape, "permutation")
    return ShapedArray(tuple([shape[i] for i in permutation]), operand.dtype, operand.weak_type)


def _transpose(x: np.ndarray, *, permutation: tuple[int, ...]) -> np.ndarray:
    return x.transpose(permutation)


# Params: permutation, the operand's axis for each of the result's.
transpose_p = Primitive("transpose", abstract=_transpose_type, reference=_transpose)


def transpose(operand: Any, permutation: Sequence[int]) -> Any:
    """The operand with its axes in another order.

    Args:
        operand: an array of any dtype.
        permutation: for each axis of the result, the operand's axis that it is.

    Raises:
        ShapeError: `permutation` is not a permutation of the operand's axes.

    >>> transpose(np.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    permutation = integers("transpose", permutation, "permutation")
    aval = getattr(operand, "aval", None)
    if aval is not None and permutation == tuple(range(aval.ndim)):
        return operand
    return transpose_p.bind(operand, permutation=permutation)


def _squeeze_type(array: ShapedArray, *, dimensions: tuple[int, ...]) -> ShapedArray:
    shape = array.shape
    check_axes("squeeze", dimensions, shape, "dimensions")
    if any(shape[d] != 1 for d in dimensions):
        raise ShapeError(
            f"squeeze: only axes of length 1 can be left out, got shape {shape} and dimensions "
            f"{dimensions}; lax.reshape or lax.index_in_dim drop other axes"
        )
    kept = tuple([n for d, n in enumerate(shape) if d not in dimensions])
    return ShapedArray(kept, array.dtype, array.weak_type)


def _squeeze(x: np.ndarray, *, dimensions: tuple[int, ...]) -> np.ndarray:
    return np.squeeze(x, dimensions)


# Params: dimensions, the axes to leave out.
squeeze_p = Primitive("squeeze", abstract=_squeeze_type, reference=_squeeze)


def squeeze(array: Any, dimensions: Sequence[int]) -> Any:
    """The array without some of its axes of length 1.

    Args:
        array: an array of any dtype.
        dimensions: the axes to leave out; negative ones count from the end.

    Raises:
        ShapeError: an axis is out of range, repeated, or not of length 1.

    >>> squeeze(np.zeros((1, 3, 1)), (0, -1)).shape
    (3,)
    """
    dims = canonical_axes("squeeze", dimensions, typeof(array).ndim, "dimensions")
    if not dims and hasattr(array, "aval"):
        return array
    return squeeze_p.bind(array, dimensions=dims)


def _rev_type(operand: ShapedArray, *, dimensions: tuple[int, ...]) -> ShapedArray:
    check_axes("rev", dimensions, operand.shape, "dimensions")
    return operand


def _rev(x: np.ndarray, *, dimensions: tuple[int, ...]) -> np.ndarray:
    return np.flip(x, dimensions)


# Params: dimensions, the axes to run through backwards.
rev_p = Primitive("rev", abstract=_rev_type, reference=_rev)


def rev(operand: Any, dimensions: Sequence[int]) -> Any:
    """The operand with its elements in reverse order along some axes.

    Args:
        operand: an array of any dtype.
        dimensions: those axes, non-negative and distinct.

    Raises:
        ShapeError: an axis is out of range or repeated.

    >>> rev(np.arange(3), (0,))
    Array([2, 1, 0], dtype=int32)
    """
    return rev_p.bind(operand, dimensions=integers("rev", dimensions, "dimensions"))
