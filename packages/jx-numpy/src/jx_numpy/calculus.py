"""Differences, gradients, integrals and interpolation of sampled functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert
from jx_core.ops.kit import real_dtype
from jx_core.symbolic import maximum

from .creation import asarray
from .functions import array_function, plain
from .manipulation import broadcast_to, concatenate, moveaxis
from .operands import (
    Array,
    ArrayLike,
    an_integer,
    as_operand,
    is_complex,
    one_axis,
    promote_dtypes_inexact,
    some_axes,
    strong,
    to_dtype,
    typeof,
)
from .sorting import search
from .ufuncs import isfinite

__all__ = ["diff", "ediff1d", "gradient", "interp", "trapezoid", "unwrap"]


_INT32 = np.dtype(np.int32)


def _along(x: Array, axis: int, start: int, stop: int) -> Array:
    return lax.slice_in_dim(x, start, stop, axis=axis)


@array_function("n", "axis")
def diff(
    a: ArrayLike,
    n: int = 1,
    axis: int = -1,
    prepend: ArrayLike | None = None,
    append: ArrayLike | None = None,
) -> Array:
    """The differences between neighbours along an axis.

    Args:
        a: an array.
        n: how often to take differences.
        axis: the axis.
        prepend, append: what comes before and after the array: a number, or an array.

    Raises:
        ValueError: `n` is negative, or `a` a scalar.
        ShapeError: the axis is out of range, or shapes don't fit.

    >>> jnp.diff(jnp.array([1, 4, 9]))
    Array([3, 5], dtype=int32)
    """
    x = as_operand("diff", a)
    n = an_integer("diff", n, "n")
    if n < 0:
        raise ValueError(f"jnp.diff: n must be non-negative, got {n}")
    if not typeof(x).ndim:
        raise ValueError("jnp.diff takes an array of one axis at least, got a scalar")
    if n == 0:
        return x
    shape = typeof(x).shape
    place = one_axis("diff", axis, len(shape))
    edge = (*shape[:place], 1, *shape[place + 1 :])
    parts = []
    for part in (prepend, x, append):
        if part is not None:
            part = as_operand("diff", part)
            parts.append(broadcast_to(part, edge) if not typeof(part).ndim else part)
    if len(parts) > 1:
        x = concatenate(parts, place)
    differ = lax.ne if typeof(x).dtype == np.bool_ else lax.sub
    for _ in range(n):
        length = typeof(x).shape[place]
        if not length:
            return x
        x = differ(_along(x, place, 1, length), _along(x, place, 0, length - 1))
    return x


@array_function()
def ediff1d(
    ary: ArrayLike, to_end: ArrayLike | None = None, to_begin: ArrayLike | None = None
) -> Array:
    """The differences between neighbours in a flattened array.

    Args:
        ary: an array.
        to_end, to_begin: what comes after and before the differences.

    >>> jnp.ediff1d(jnp.array([1, 4, 9]), to_end=0)
    Array([3, 5, 0], dtype=int32)
    """
    x = as_operand("ediff1d", ary)
    flat = lax.reshape(x, (typeof(x).size,))
    n = typeof(flat).size
    result = strong(lax.sub(_along(flat, 0, min(1, n), n), _along(flat, 0, 0, max(n - 1, 0))))
    parts = []
    for part in (to_begin, result, to_end):
        if part is not None:
            part = to_dtype(as_operand("ediff1d", part), typeof(x).dtype)
            parts.append(lax.reshape(part, (typeof(part).size,)))
    return lax.concatenate(parts, 0) if len(parts) > 1 else result


@array_function("axis", "edge_order")
def gradient(
    f: ArrayLike, *varargs: ArrayLike, axis: Any = None, edge_order: int | None = None
) -> Any:
    """The derivatives of a sampled function, by differences to both sides.

    Args:
        f: the samples.
        varargs: the distances between them: none for 1, one number for all axes, or for each
            axis a number or the vector of its coordinates.
        axis: an axis or a tuple of them; all if None.
        edge_order: must be None or 1: the ends have one neighbour, and a difference to it.

    Returns:
        The derivative along the axis, or a list of them for several.

    Raises:
        NotImplementedError: `edge_order` is 2.
        ValueError: an axis has less than two samples, or coordinates don't fit it.
        TypeError: the number of `varargs` is neither 0, 1, nor that of the axes.

    >>> jnp.gradient(jnp.array([1.0, 4.0, 9.0]))
    Array([3., 4., 5.], dtype=float32)
    """
    if edge_order not in (None, 1):
        raise NotImplementedError(f"jnp.gradient: edge_order must be None or 1, got {edge_order}")
    x, *steps = promote_dtypes_inexact("gradient", f, *varargs)
    shape = typeof(x).shape
    axes = some_axes("gradient", axis, len(shape))
    if not steps:
        steps = [1.0] * len(axes)
    elif len(steps) == 1:
        steps = steps * len(axes)
    elif len(steps) != len(axes):
        raise TypeError(
            f"jnp.gradient takes no distance, one, or one for each of {len(axes)} axes; got "
            f"{len(steps)}"
        )
    results = []
    for place, step in zip(axes, steps, strict=True):
        if shape[place] < 2:
            raise ValueError(
                f"jnp.gradient needs two samples at least along each axis, got shape {shape}"
            )
        along = _uniform if not typeof(step).ndim else _at_coordinates
        results.append(along(x, step, place))
    return results[0] if len(axes) == 1 else results


def _uniform(x: Array, step: Any, axis: int) -> Array:
    n = typeof(x).shape[axis]
    first = lax.sub(_along(x, axis, 1, 2), _along(x, axis, 0, 1))
    last = lax.sub(_along(x, axis, n - 1, n), _along(x, axis, n - 2, n - 1))
    inner = lax.sub(_along(x, axis, 2, n), _along(x, axis, 0, n - 2))
    parts = [first, operators.multiply(inner, 0.5), last]
    return operators.divide(lax.concatenate(parts, axis), step)


def _at_coordinates(x: Array, points: Any, axis: int) -> Array:
    """The derivatives of the parabolas through three neighbours, at unequal distances."""
    n = typeof(x).shape[axis]
    if typeof(points).shape != (n,):
        raise ValueError(
            f"jnp.gradient: the coordinates along axis {axis} must have shape ({n},), got "
            f"{typeof(points).shape}"
        )
    column = lax.reshape(points, (n,) + (1,) * (typeof(x).ndim - axis - 1))
    distances = lax.sub(_along(column, 0, 1, n), _along(column, 0, 0, n - 1))
    slopes = operators.divide(lax.sub(_along(x, axis, 1, n), _along(x, axis, 0, n - 1)), distances)
    before, after = _along(distances, 0, 0, n - 2), _along(distances, 0, 1, n - 1)
    left, right = _along(slopes, axis, 0, n - 2), _along(slopes, axis, 1, n - 1)
    # Each slope counts the more the nearer its neighbour.
    weighted = operators.add(operators.multiply(left, after), operators.multiply(right, before))
    inner = operators.divide(weighted, operators.add(before, after))
    parts = [_along(slopes, axis, 0, 1), inner, _along(slopes, axis, n - 2, n - 1)]
    return lax.concatenate(parts, axis)


@array_function("axis")
def trapezoid(
    y: ArrayLike, x: ArrayLike | None = None, dx: ArrayLike = 1.0, axis: int = -1
) -> Array:
    """The integral of a sampled function, by the trapezoid rule.

    Args:
        y: the samples.
        x: where they were taken: a vector, or an array of the shape of `y`.
        dx: the distance between them, if `x` is None.
        axis: the axis to integrate along.

    Raises:
        ShapeError: the axis is out of range, or shapes don't fit.

    >>> jnp.trapezoid(jnp.array([1.0, 2.0, 3.0]))
    Array(4., dtype=float32)
    """
    if x is None:
        (y,) = promote_dtypes_inexact("trapezoid", y)
        distance: Any = dx
        y = moveaxis(y, axis, -1)
    else:
        y, x = promote_dtypes_inexact("trapezoid", y, x)
        y = moveaxis(y, axis, -1)
        x = x if typeof(x).ndim == 1 else moveaxis(x, axis, -1)
        distance = plain(diff)(x)
    n, last = typeof(y).shape[-1], typeof(y).ndim - 1
    if x is None and np.ndim(dx) == 0 and type(n) is int and n > 1:
        # A sum of all samples reads each but once; of the two at the ends half is too much.
        first, final = (lax.index_in_dim(y, i, last, keepdims=False) for i in (0, n - 1))
        ends = operators.multiply(operators.add(first, final), 0.5)
        total = lax.reduce_sum(y, (last,))
        total = lax.select(plain(isfinite)(ends), lax.sub(total, ends), total)
        return operators.multiply(dx, total)  # type: ignore[no-any-return]
    heights = lax.add(_along(y, last, min(1, n), n), _along(y, last, 0, max(n - 1, 0)))
    areas = operators.multiply(operators.multiply(distance, heights), 0.5)
    return lax.reduce_sum(areas, (last,))


@array_function("axis")
def unwrap(
    p: ArrayLike,
    discont: ArrayLike | None = None,
    axis: int = -1,
    period: ArrayLike = 2 * math.pi,
) -> Array:
    """Angles made continuous: jumps of more than half a period are taken back.

    Args:
        p: an array of one axis at least.
        discont: the least jump that is taken back; half a period if None.
        axis: the axis.
        period: the period; integers with an integer `p` stay integers.

    Raises:
        ShapeError: the axis is out of range.

    >>> jnp.unwrap(jnp.array([0, 3, 1]), period=4)
    Array([ 0, -1, -3], dtype=int32)
    """
    x = as_operand("unwrap", p)
    place = one_axis("unwrap", axis, typeof(x).ndim)
    if is_complex(typeof(x).dtype):
        raise ValueError("jnp.unwrap takes real numbers, got complex ones")
    x, period = operators.promote_dtypes("unwrap", x, period)
    x = convert(x, typeof(x).dtype)
    if typeof(x).dtype.kind in "iu":
        half = operators.floor_divide(period, 2)
        low = operators.negative(half)
        whole = operators.equal(operators.remainder(period, 2), 0)
    else:
        half = operators.divide(period, 2.0)
        low, whole = operators.negative(half), True
    jump = plain(diff)(x, 1, place)
    moved = operators.add(operators.remainder(operators.subtract(jump, low), period), low)
    ambiguous = operators.bitwise_and(
        operators.bitwise_and(operators.equal(moved, low), whole), operators.greater(jump, 0)
    )
    moved, half_wide = operators.promote("unwrap", moved, half)
    moved = lax.select(ambiguous, half_wide, moved)
    correction = lax.sub(moved, jump)
    small = operators.less(lax.abs(jump), half if discont is None else discont)
    correction = lax.select(small, lax.full_like(correction, 0), correction)
    n = typeof(x).shape[place]
    rest = lax.add(_along(x, place, 1, n), lax.cumsum(correction, place))
    return lax.concatenate([_along(x, place, 0, 1), rest], place)


def _interp(x: Any, xp: Any, fp: Any, period: Any, ends: tuple[Any, Any]) -> Array:
    shapes = typeof(xp).shape, typeof(fp).shape
    if len(shapes[0]) != 1 or shapes[0] != shapes[1]:
        raise ShapeError(
            f"jnp.interp: xp and fp must be vectors of equal length, got shapes {shapes[0]} and "
            f"{shapes[1]}"
        )
    if any(is_complex(typeof(v).dtype) for v in (x, xp)):
        raise ValueError("jnp.interp: x and xp must be real, got complex ones")
    promoted = promote_dtypes_inexact("interp", x, xp, fp)
    real = real_dtype(typeof(promoted[0]).dtype)
    x, xp, fp = to_dtype(x, real), asarray(to_dtype(xp, real)), asarray(promoted[2])
    n = shapes[0][0]
    if not n:
        raise ValueError("jnp.interp: the array of sample points is empty")
    if period is not None:
        x, xp, fp = _periodic(x, xp, fp, period)
        n += 2
    last = lax.dim_as(maximum(n - 1, 1), _INT32)
    i = lax.clamp(np.int32(1), search(xp, x, "right"), last)
    before = operators.subtract(i, 1)
    i = lax.min(i, lax.dim_as(n - 1, _INT32))
    x0, x1, f0, f1 = xp[before], xp[i], fp[before], fp[i]
    width = lax.sub(x1, x0)
    flat = operators.equal(width, 0)
    fraction = lax.div(lax.sub(x, x0), lax.select(flat, lax.full_like(width, 1), width))
    between = operators.add(f0, operators.multiply(fraction, lax.sub(f1, f0)))
    result = lax.select(flat, f1, between)
    if period is not None:
        return result
    first, last = ends
    dtype = typeof(result).dtype
    for outside, end, place in (
        (operators.less(x, xp[0]), first, 0),
        (operators.greater(x, xp[n - 1]), last, n - 1),
    ):
        if isinstance(end, str):
            continue
        value = fp[place] if end is None else to_dtype(end, dtype)
        result = lax.select(outside, broadcast_to(value, typeof(result).shape), result)
    return result


def _periodic(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    """Sample points in one period, in order, with one more on each side."""
    x, xp = operators.remainder(x, period), operators.remainder(xp, period)
    xp, fp = lax.sort((xp, fp), 0, num_keys=1)
    n = typeof(xp).size
    below, above = operators.subtract(xp[n - 1 :], period), operators.add(xp[:1], period)
    xp = lax.concatenate([below, xp, above], 0)
    return x, xp, lax.concatenate([fp[n - 1 :], fp, fp[:1]], 0)


def interp(
    x: ArrayLike,
    xp: ArrayLike,
    fp: ArrayLike,
    left: ArrayLike | str | None = None,
    right: ArrayLike | str | None = None,
    period: ArrayLike | None = None,
) -> Array:
    """Values between sample points, on straight lines from each to the next.

    Args:
        x: where values are asked for.
        xp: the sample points: a vector in ascending order, unless there is a period.
        fp: the values there.
        left, right: the values before the first and after the last point; those of these
            points if None. "extrapolate" prolongs the first and the last line.
        period: the period of the function, if it has one; then `left` and `right` are of no
            effect.

    Raises:
        ShapeError: `xp` and `fp` are not vectors of one length.
        ValueError: there are no sample points, points are complex, or `left` or `right` is
            another word.

    >>> jnp.interp(jnp.array([0.5, 9.0]), jnp.array([0.0, 1.0]), jnp.array([2.0, 4.0]))
    Array([3., 4.], dtype=float32)
    """
    for side, value in (("left", left), ("right", right)):
        if isinstance(value, str) and value != "extrapolate":
            raise ValueError(
                f"jnp.interp: the only word for {side} is 'extrapolate', got {value!r}"
            )
    x, xp, fp = (as_operand("interp", v, i) for i, v in enumerate((x, xp, fp)))
    return _interpolate(
        x, xp, fp, None if isinstance(left, str) else left,
        None if isinstance(right, str) else right, period,
        isinstance(left, str), isinstance(right, str),
    )  # fmt: skip


@array_function("extend_left", "extend_right")
def _interpolate(
    x: Any, xp: Any, fp: Any, left: Any, right: Any, period: Any, extend_left: bool,
    extend_right: bool,
) -> Array:  # fmt: skip
    ends = ("extrapolate" if extend_left else left, "extrapolate" if extend_right else right)
    return _interp(x, xp, fp, period, ends)
