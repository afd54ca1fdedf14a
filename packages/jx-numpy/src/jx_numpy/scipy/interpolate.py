"""`jx.scipy.interpolate`: functions that interpolate between given values."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from jx_core import lax, operators, tree_util
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert

from ..functions import array_function, plain
from ..indexing import take
from ..operands import (
    Array,
    ArrayLike,
    as_operand,
    broadcast_shapes,
    broadcast_to,
    inexact,
    is_complex,
    promote_dtypes_inexact,
    typeof,
)
from ..sorting import searchsorted

__all__ = ["RegularGridInterpolator"]

_NAME = "jx.scipy.interpolate.RegularGridInterpolator"
_METHODS = ("linear", "nearest")
_INT32 = np.dtype(np.int32)


def _method(method: str) -> str:
    if method not in _METHODS:
        raise ValueError(f"{_NAME}: method must be 'linear' or 'nearest', got {method!r}")
    return method


def _cell(at: Array, knots: Array) -> tuple[Array, Array]:
    """The number of the cell of a grid that coordinates lie in, and where in it, from 0 to 1.

    Beyond the outermost knots it is the outermost cell, and the place less than 0 or above 1.
    """
    n = typeof(knots).shape[0]
    if n == 1:
        return lax.full_like(at, 0, _INT32), lax.full_like(at, 0)
    found = operators.subtract(plain(searchsorted)(knots, at), 1)
    cell = lax.clamp(np.int32(0), convert(found, _INT32), np.int32(n - 2))
    low = plain(take)(knots, cell, mode="clip")
    high = plain(take)(knots, operators.add(cell, 1), mode="clip")
    return cell, lax.div(lax.sub(at, low), lax.sub(high, low))


def _values_at(values: Array, places: list[Array]) -> Array:
    """The values at integer places along the first axes: (points, ...)."""
    shape = typeof(values).shape
    k = len(places)
    flat = lax.reshape(values, (int(np.prod(shape[:k], dtype=np.int64)), *shape[k:]))
    index: Any = places[0]
    for place, n in zip(places[1:], shape[1:k], strict=True):
        index = operators.add(operators.multiply(index, n), place)
    return plain(take)(flat, index, axis=0, mode="clip")  # type: ignore[no-any-return]


def _per_point(x: Array, shape: tuple[int, ...]) -> Array:
    return lax.broadcast_in_dim(x, shape, (0,))


@array_function("method")
def _interpolated(grid: Any, values: Any, fill_value: Any, points: Any, method: str) -> Array:
    """The values at points, an array (number, axes of the grid)."""
    count, k = typeof(points).shape
    dtype = typeof(promote_dtypes_inexact(_NAME, values, points)[0]).dtype
    shape = (count, *typeof(values).shape[k:])
    cells, places = [], []
    outside = undefined = lax.full((count,), False, np.dtype(np.bool_))
    for d, knots in enumerate(grid):
        at = lax.squeeze(lax.slice(points, (0, d), (count, d + 1)), (1,))
        at, knots = promote_dtypes_inexact(_NAME, at, knots)
        cell, place = _cell(at, knots)
        cells.append(cell)
        places.append(place)
        undefined = lax.bitwise_or(undefined, lax.ne(at, at))
        n = typeof(knots).shape[0]
        for beyond, i in ((lax.lt, 0), (lax.gt, n - 1)):
            edge = broadcast_to(lax.squeeze(lax.slice(knots, (i,), (i + 1,)), (0,)), (count,))
            outside = lax.bitwise_or(outside, beyond(at, edge))
    steps = [0 if typeof(knots).shape[0] == 1 else 1 for knots in grid]
    if method == "nearest":
        nearest = [
            operators.add(c, convert(lax.gt(p, lax.full_like(p, 0.5)), _INT32)) if s else c
            for c, p, s in zip(cells, places, steps, strict=True)
        ]
        result = _values_at(values, nearest)
    else:
        result = _weighted(values, cells, places, steps, shape)
    result = convert(result, dtype) if method == "linear" else result
    if fill_value is not None:
        filling = broadcast_to(convert(fill_value, typeof(result).dtype), shape)
        result = lax.select(_per_point(outside, shape), filling, result)
    return lax.select(_per_point(undefined, shape), lax.full_like(result, np.nan), result)


def _weighted(
    values: Array, cells: list[Array], places: list[Array], steps: list[int], shape: Any
) -> Array:
    """The sum over the corners of cells of their values, weighted with the opposite volumes."""
    result: Any = 0
    for corner in itertools.product(*[range(s + 1) for s in steps]):
        weight: Any = None
        for i, place, step in zip(corner, places, steps, strict=True):
            if step:
                part = place if i else operators.subtract(1, place)
                weight = part if weight is None else operators.multiply(weight, part)
        found = _values_at(values, [operators.add(c, i) for c, i in zip(cells, corner)])
        if weight is not None:
            found = operators.multiply(found, _per_point(weight, shape))
        result = operators.add(result, found)
    return result  # type: ignore[no-any-return]


class RegularGridInterpolator:
    """Interpolation of values that are given on a grid of any number of axes.

    It is a pytree: an interpolator can be an argument or a result of a transformed function, and
    be differentiated with respect to its values.

    Args:
        points: the knots of the grid: a vector for each axis, strictly increasing.
        values: the values there: an array whose first axes are as long as these vectors; others
            are those of the values themselves. Integers become floats.
        method: `"linear"`, or `"nearest"`, which takes the lower of two that are equally near.
        bounds_error: whether points outside the grid are an error. It needs known values: under
            `jit` use a `fill_value` instead.
        fill_value: what is given outside the grid; None to extrapolate from the outermost cells.

    Raises:
        ShapeError: `points` and the shape of `values` don't fit together.
        ValueError: an unknown method, or a `fill_value` of another kind than `values`.

    A. Weiser and S. E. Zarantonello, "A note on piecewise linear and multilinear table
    interpolation in many dimensions", Math. Comp. 50 (1988).

    >>> x, y = jnp.array([0.0, 1.0, 3.0]), jnp.array([0.0, 2.0])
    >>> f = jx.scipy.interpolate.RegularGridInterpolator((x, y), x[:, None] + y)
    >>> f(jnp.array([[2.0, 1.0], [0.5, 0.5], [4.0, 0.0]]))
    Array([ 3.,  1., nan], dtype=float32)
    """

    def __init__(
        self,
        points: Any,
        values: ArrayLike,
        method: str = "linear",
        bounds_error: bool = False,
        fill_value: Any = np.nan,
    ) -> None:
        self.method = _method(method)
        self.bounds_error = bounds_error
        self.values = inexact(_NAME, values)
        self.grid = tuple(as_operand(_NAME, p) for p in points)
        shape = typeof(self.values).shape
        knots = [typeof(p).shape for p in self.grid]
        if [(n,) for n in shape[: len(knots)]] != knots or 0 in shape[: len(knots)]:
            raise ShapeError(
                f"{_NAME}: points must be vectors as long as the first axes of values, got shapes "
                f"{knots} for values of shape {shape}"
            )
        if fill_value is not None:
            fill_value = as_operand(_NAME, fill_value)
            kinds = typeof(fill_value).dtype, typeof(self.values).dtype
            if is_complex(kinds[0]) and not is_complex(kinds[1]):
                raise ValueError(
                    f"{_NAME}: fill_value must be None or of a dtype that casts to that of values, "
                    f"{kinds[1].name}; got {kinds[0].name}"
                )
        self.fill_value = fill_value

    def __call__(self, xi: Any, method: str | None = None) -> Array:
        """The values at points.

        Args:
            xi: an array whose last axis holds the coordinates of a point, or a tuple of arrays,
                one for each coordinate, whose shapes broadcast.
            method: another method than the interpolator's.

        Returns:
            An array of the shape of `xi` but for its last axis, and the further axes of `values`;
            NaN where a coordinate is.

        Raises:
            ShapeError: points have not as many coordinates as the grid has axes.
            ValueError: `bounds_error` is set and a point lies outside; an unknown method.
        """
        method = self.method if method is None else _method(method)
        points = _points(xi, len(self.grid))
        shape = typeof(points).shape
        if shape[-1] != len(self.grid):
            raise ShapeError(
                f"{_NAME}: points must have {len(self.grid)} coordinates, as the grid has axes; "
                f"got xi of shape {shape}"
            )
        if self.bounds_error:
            self._check_bounds(points)
        flat = lax.reshape(points, (int(np.prod(shape[:-1], dtype=np.int64)), shape[-1]))
        fill_value = None if self.bounds_error else self.fill_value
        result = _interpolated(self.grid, self.values, fill_value, flat, method)
        return lax.reshape(result, (*shape[:-1], *typeof(result).shape[1:]))

    def _check_bounds(self, points: Array) -> None:
        known = np.asarray(points)
        for d, knots in enumerate(self.grid):
            low, high = np.asarray(knots)[[0, -1]]
            at = known[..., d]
            if np.any((at < low) | (at > high)):
                raise ValueError(
                    f"{_NAME}: a requested point lies outside the grid, which goes from {low} to "
                    f"{high} along axis {d}; bounds_error=False allows it"
                )


def _points(xi: Any, k: int) -> Array:
    """The points that a user asks for, as one array."""
    if isinstance(xi, tuple) and len(xi) == 1:
        xi = xi[0]
    if isinstance(xi, tuple):
        parts = promote_dtypes_inexact(_NAME, *xi)
        shape = broadcast_shapes(_NAME, *[typeof(p).shape for p in parts])
        last = len(shape)
        return lax.concatenate(
            [lax.expand_dims(broadcast_to(p, shape), (last,)) for p in parts], last
        )
    points = inexact(_NAME, np.asarray(xi) if isinstance(xi, list) else xi)
    shape = typeof(points).shape
    if len(shape) == 1:
        if shape[0] % k:
            raise ShapeError(
                f"{_NAME}: points must have {k} coordinates, got a vector of {shape[0]} numbers"
            )
        points = lax.reshape(points, (shape[0] // k, k))
    return points


def _flatten(f: RegularGridInterpolator) -> tuple[tuple[Any, ...], tuple[str, bool]]:
    return (f.grid, f.values, f.fill_value), (f.method, f.bounds_error)


def _unflatten(facts: tuple[str, bool], children: Any) -> RegularGridInterpolator:
    # Not by the constructor: leaves may be anything while trees are rebuilt.
    f = object.__new__(RegularGridInterpolator)
    f.grid, f.values, f.fill_value = children
    f.method, f.bounds_error = facts
    return f


tree_util.register_pytree_node(RegularGridInterpolator, _flatten, _unflatten)
