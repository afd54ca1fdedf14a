"""Arrays brought to a common measure along axes: to sum 1, or to mean 0 and variance 1."""

from __future__ import annotations

import math
from typing import Any

from jx_core import lax, operators
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert

from ..functions import array_function
from ..operands import (
    Array,
    ArrayLike,
    accumulation_dtype,
    broadcast_to,
    inexact,
    is_complex,
    promote_dtypes_inexact,
    some_axes,
    typeof,
)
from ._kit import along, boolean_mask, masked, strong, total

__all__ = ["log_softmax", "softmax", "standardize"]

Axes = int | tuple[int, ...] | None


def _shifted(name: str, x: Any, axis: Any, where: Any) -> tuple[Array, Any, tuple[int, ...]]:
    """`x` less its greatest element along `axis`, the mask as an array, and the axes.

    What the mask leaves out becomes -inf, so that its exponential is 0, whatever it was.
    """
    x = strong(name, x)
    mask = None
    if where is not None:
        x, mask = masked(name, x, where, -math.inf)
    aval = typeof(x)
    axes = some_axes(name, axis, aval.ndim)
    fixed = lax.stop_gradient(x)
    top = lax.reduce_max(lax.real(fixed) if is_complex(aval.dtype) else fixed, axes)
    if mask is not None:
        # Where all of a row is left out, nothing shall be NaN on the way.
        top = lax.select(lax.eq(top, -math.inf), 0.0, top)
    return lax.sub(x, along(convert(top, aval.dtype), aval.shape, axes)), mask, axes


@array_function("axis")
def softmax(x: ArrayLike, axis: Axes = -1, where: ArrayLike | None = None) -> Array:
    """Exponentials scaled to sum 1 along axes: exp(x) / sum(exp(x)).

    Args:
        x: an array; integers and booleans become floats.
        axis: the axis, or a tuple of them, along which the result sums to 1; all if None.
        where: an array of booleans, broadcast with `x`, that says which elements count; the
            result is 0 for others, and its derivative too.

    Returns:
        An array of the shape of `x` (and `where`). NaN where all elements that count are -inf,
        or one is inf.

    Raises:
        ShapeError: an axis is out of range or repeated; shapes don't broadcast.
        TypeError: `x` is no array.
        ValueError: `where` does not hold booleans.

    >>> jx.nn.softmax(jnp.array([1.0, 1.0, -jnp.inf]))
    Array([0.5, 0.5, 0. ], dtype=float32)
    """
    shifted, mask, axes = _shifted("softmax", x, axis, where)
    terms = lax.exp(shifted)
    result = lax.div(terms, along(total(terms, axes), typeof(terms).shape, axes))
    return result if mask is None else lax.select(mask, result, 0.0)


@array_function("axis")
def log_softmax(x: ArrayLike, axis: Axes = -1, where: ArrayLike | None = None) -> Array:
    """The logarithm of `softmax`, x - log(sum(exp(x))), also where that rounds to 0.

    Args:
        x: an array; integers and booleans become floats.
        axis: the axis, or a tuple of them, that the sum is along; all if None.
        where: an array of booleans, broadcast with `x`, that says which elements count; the
            result is -inf for others.

    Returns:
        An array of the shape of `x` (and `where`). NaN where all elements that count are -inf,
        or one is inf.

    Raises:
        ShapeError: an axis is out of range or repeated; shapes don't broadcast.
        TypeError: `x` is no array.
        ValueError: `where` does not hold booleans.

    >>> [round(y, 2) for y in jx.nn.log_softmax(jnp.array([0.0, 0.0, -1000.0])).tolist()]
    [-0.69, -0.69, -1000.69]
    """
    shifted, mask, axes = _shifted("log_softmax", x, axis, where)
    logs = lax.log(total(lax.exp(shifted), axes))
    result = lax.sub(shifted, along(logs, typeof(shifted).shape, axes))
    return result if mask is None else lax.select(mask, result, -math.inf)


@array_function("axis", "algorithm")
def standardize(
    x: ArrayLike,
    axis: Axes = -1,
    mean: ArrayLike | None = None,
    variance: ArrayLike | None = None,
    epsilon: ArrayLike = 1e-5,
    where: ArrayLike | None = None,
    *,
    algorithm: str = "fast",
) -> Array:
    """`x` brought to mean 0 and variance 1 along axes: (x - mean) / sqrt(variance + epsilon).

    Args:
        x: a real array; integers and booleans become floats.
        axis: the axis, or a tuple of them, that statistics are taken along; all if None.
        mean: the mean to subtract, broadcast with `x`; that of `x` along the axes if None.
        variance: the variance to divide by, broadcast with `x`; that of `x` if None, computed
            by the formula of `algorithm` with the `mean` that is given.
        epsilon: added to the variance, so that it is not 0.
        where: an array of booleans, broadcast with `x`, that says which elements the
            statistics are taken over.
        algorithm: how the variance is computed: `"fast"` as mean(x^2) - mean^2, which loses
            digits where the mean is large, or `"stable"` as mean((x - mean)^2).

    Returns:
        An array of the shape of `x`.

    Raises:
        ShapeError: an axis is out of range or repeated; shapes don't broadcast.
        TypeError: `x` is complex, or no array.
        ValueError: an unknown algorithm; `where` does not hold booleans.

    >>> [round(y, 4) for y in jx.nn.standardize(jnp.array([1.0, 2.0, 3.0])).tolist()]
    [-1.2247, 0.0, 1.2247]
    """
    if algorithm not in ("fast", "stable"):
        raise ValueError(f"standardize: algorithm must be 'fast' or 'stable', got {algorithm!r}")
    x = strong("standardize", x)
    aval = typeof(x)
    if is_complex(aval.dtype):
        raise TypeError(f"standardize takes real numbers, got dtype {aval.dtype.name}")
    axes = some_axes("standardize", axis, aval.ndim)
    # Statistics are kept in float32 at least; the array itself is not.
    wide = convert(x, accumulation_dtype(aval.dtype))
    mask = None if where is None else _mask_like(wide, where)
    if mask is not None:  # what is left out shall not reach derivatives either, NaN times 0
        wide = lax.select(mask, wide, 0.0)
    centre = mean
    if mean is None:
        centre = _mean(wide, axes, mask)
        mean = convert(centre, aval.dtype)
    centred = operators.subtract(x, mean)
    if variance is None:
        variance = _variance(wide, centre, axes, mask, algorithm)
        scale = convert(lax.rsqrt(operators.add(variance, epsilon)), typeof(centred).dtype)
    else:
        scale = lax.rsqrt(inexact("standardize", operators.add(variance, epsilon)))
    return operators.multiply(centred, scale)


def _variance(x: Array, centre: Any, axes: Any, mask: Any, algorithm: str) -> Array:
    if algorithm == "stable":
        return _mean(lax.square(operators.subtract(x, centre)), axes, mask)
    centre = promote_dtypes_inexact("standardize", x, centre)[1]
    variance = operators.subtract(_mean(lax.square(x), axes, mask), lax.square(centre))
    return lax.select(lax.le(variance, 0.0), 0.0, variance)  # rounding may leave it negative


def _mask_like(x: Array, where: ArrayLike) -> Array:
    shape, given = typeof(x).shape, typeof(boolean_mask("standardize", where)).shape
    padded = (1,) * (len(shape) - len(given)) + given
    if len(padded) > len(shape) or any(m not in (1, n) for m, n in zip(padded, shape, strict=True)):
        raise ShapeError(
            f"standardize: where must broadcast to the shape of x, got shapes {given} and {shape}"
        )
    return broadcast_to(where, shape)


def _mean(x: Array, axes: tuple[int, ...], mask: Any) -> Array:
    """The mean over `axes`, kept with length 1, of what the mask says counts."""
    shape = typeof(x).shape
    if mask is None:
        count: Any = lax.dim_as_float(math.prod(shape[i] for i in axes))
        if type(count) is not float:
            count = convert(count, typeof(x).dtype)
        result = lax.reduce_sum(x, axes)
    else:
        count = lax.reduce_sum(convert(mask, typeof(x).dtype), axes)
        result = lax.reduce_sum(lax.select(mask, x, 0.0), axes)
    return lax.expand_dims(lax.div(result, count), axes)
