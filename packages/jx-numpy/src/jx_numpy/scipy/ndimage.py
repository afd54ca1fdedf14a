"""`jx.scipy.ndimage`: values of sampled functions between samples."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import dtypes, lax, operators
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert

from ..creation import asarray
from ..functions import array_function, plain
from ..indexing import take
from ..operands import (
    Array,
    ArrayLike,
    as_operand,
    broadcast_shapes,
    broadcast_to,
    is_integer,
    typeof,
)

__all__ = ["map_coordinates"]

_INT32 = np.dtype(np.int32)
_BOOL = np.dtype(np.bool_)
_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def _mirrored(index: Array, n: int) -> Array:
    """Indices of n samples and their mirror images, the outermost samples not repeated."""
    if n == 1:
        return lax.full_like(index, 0)
    shifted = operators.remainder(operators.add(index, n - 1), 2 * (n - 1))
    return lax.abs(operators.subtract(shifted, n - 1))


def _within(index: Array, n: int, mode: str) -> Array:
    """The sample that is taken for one out of range."""
    if mode == "wrap":
        return operators.remainder(index, n)
    if mode == "mirror":
        return _mirrored(index, n)
    if mode == "reflect":  # mirrored at the edges of samples: by half indices
        inner = _mirrored(operators.add(operators.multiply(index, 2), 1), 2 * n + 1)
        return operators.floor_divide(operators.subtract(inner, 1), 2)
    return lax.clamp(np.int32(0), index, np.int32(n - 1))


def _neighbours(at: Array, order: int) -> list[tuple[Array, Any]]:
    """The indices around coordinates and their weights, None for 1."""
    if not dtypes.issubdtype(typeof(at).dtype, np.inexact):
        return [(convert(at, _INT32), None)]
    if order == 0:
        return [(convert(lax.round(at), _INT32), None)]
    low = lax.floor(at)
    upper = lax.sub(at, low)
    index = convert(low, _INT32)
    return [
        (index, operators.subtract(1, upper)),
        (operators.add(index, 1), upper),
    ]


@array_function("order", "mode")
def _map_coordinates(x: Any, coordinates: Any, cval: Any, order: int, mode: str) -> Array:
    shape, dtype = typeof(x).shape, typeof(x).dtype
    grid = broadcast_shapes("map_coordinates", *[typeof(c).shape for c in coordinates])
    strides = [int(np.prod(shape[d + 1 :], dtype=np.int64)) for d in range(len(shape))]
    flat = lax.reshape(x, (typeof(x).size,))
    parts = []  # along each axis: places in the flattened array, whether they are valid, weights
    for at, n, stride in zip(coordinates, shape, strides, strict=True):
        at = broadcast_to(at, grid)
        choices = []
        for index, weight in _neighbours(at, order):
            valid = None
            if mode == "constant":
                valid = lax.eq(_within(index, n, "nearest"), index)
            place = operators.multiply(_within(index, n, mode), stride)
            choices.append((place, valid, weight))
        parts.append(choices)
    terms = []
    for corner in itertools.product(*parts):
        places, valid, weights = zip(*corner, strict=True)
        value = plain(take)(flat, functools.reduce(lax.add, places), mode="clip")
        if mode == "constant":
            given = functools.reduce(lax.bitwise_and, valid)
            value = lax.select(given, value, broadcast_to(convert(cval, dtype), grid))
        known = [w for w in weights if w is not None]
        if known:
            value = convert(value, typeof(known[0]).dtype) if dtype == _BOOL else value
            value = operators.multiply(functools.reduce(operators.multiply, known), value)
        terms.append(value)
    result = functools.reduce(operators.add, terms)
    if is_integer(dtype) and not is_integer(typeof(result).dtype):
        result = lax.round(result)
    return convert(result, dtype)


def map_coordinates(
    input: ArrayLike,
    coordinates: Sequence[ArrayLike],
    order: int,
    mode: str = "constant",
    cval: ArrayLike = 0.0,
) -> Array:
    """The values of a sampled function at any coordinates, by interpolation.

    Args:
        input: samples on a grid of n axes.
        coordinates: n arrays or lists, or an array of n rows, whose shapes broadcast; where to
            interpolate, counted in samples along each axis.
        order: 0 for the nearest sample, 1 for linear interpolation.
        mode: what continues the samples beyond the edges: `"constant"` for `cval`, `"nearest"`
            for the last sample, `"wrap"` for the samples again, `"mirror"` for their mirror image
            about the last one, `"reflect"` for that about the edge, half a sample farther. They
            are SciPy's, where `"constant"` and `"wrap"` are called `"grid-constant"` and
            `"grid-wrap"`.
        cval: a number.

    Returns:
        An array of the shape the coordinates broadcast to and the dtype of `input`; integers are
        rounded. Derivatives with respect to coordinates are those of the linear pieces.

    Raises:
        NotImplementedError: another order or mode.
        ShapeError: there is not an array of coordinates for each axis, an axis has no samples,
            or shapes don't broadcast.

    >>> x = jnp.array([[0.0, 1.0], [2.0, 3.0]])
    >>> jx.scipy.ndimage.map_coordinates(x, [jnp.array([0.5, 1.0]), jnp.array([0.5, 3.0])], 1)
    Array([1.5, 0. ], dtype=float32)
    """
    name = "jx.scipy.ndimage.map_coordinates"
    input = as_operand(name, input)
    coordinates = [
        asarray(c) if isinstance(c, (list, tuple)) else as_operand(name, c, 1) for c in coordinates
    ]
    shape = typeof(input).shape
    if len(coordinates) != len(shape):
        raise ShapeError(
            f"{name}: coordinates must have an array for each axis of input, got "
            f"{len(coordinates)} for shape {shape}"
        )
    if not shape or 0 in shape:
        raise ShapeError(f"{name}: input must have axes and samples along each, got shape {shape}")
    if mode not in _MODES:
        raise NotImplementedError(f"{name}: mode must be one of {_MODES}, got {mode!r}")
    if order not in (0, 1):
        raise NotImplementedError(f"{name}: order must be 0 or 1, got {order!r}")
    return _map_coordinates(input, coordinates, cval, order, mode)  # type: ignore[no-any-return]
