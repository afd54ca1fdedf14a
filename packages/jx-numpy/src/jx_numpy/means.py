"""Means, variances and standard deviations along axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert
from jx_core.ops.kit import real_dtype

from .functions import array_function
from .operands import (
    Array,
    ArrayLike,
    a_dtype,
    accumulation_dtype,
    as_operand,
    broadcast_to,
    inexact,
    is_complex,
    is_integer,
    promote_dtypes_inexact,
    promote_shapes,
    refuse_out,
    some_axes,
    to_dtype,
    to_inexact,
    typeof,
)
from .reductions import Axes, broadcast_shape, masked, reduce_by, reduced_size

__all__ = ["average", "mean", "std", "var"]

_BOOL = np.dtype(np.bool_)


def count(name: str, x: Array, axis: Any, keepdims: bool, where: Any, dtype: Any) -> Any:
    """How many elements a reduction takes in: a Python number, or an array under `where`."""
    aval = typeof(x)
    if where is None:
        return lax.dim_as_float(reduced_size(aval.shape, some_axes(name, axis, aval.ndim)))
    mask, x = masked(name, where, x)
    mask = broadcast_to(mask, broadcast_shape(mask, x))
    return reduce_by(
        name, lax.reduce_sum, lax.add, 0, mask, axis, keepdims, None, None, dtype=dtype
    )


def mean_in(name: str, x: Array, axis: Any, keepdims: bool, where: Any, dtype: Any) -> Array:
    """The mean computed, and left, in `dtype`."""
    total = reduce_by(name, lax.reduce_sum, lax.add, 0, x, axis, keepdims, None, where, dtype=dtype)
    n = count(name, x, axis, keepdims, where, real_dtype(dtype))
    return operators.divide(total, n)


def _mean_dtypes(name: str, x: Array, dtype: Any) -> tuple[Any, Any]:
    """The dtype of a mean, and the one it is computed in."""
    if dtype is not None:
        dtype = a_dtype(name, dtype)
        inner = to_inexact(typeof(x).dtype if is_integer(dtype) or dtype == _BOOL else dtype)
        return dtype, accumulation_dtype(inner)
    dtype = to_inexact(typeof(x).dtype)
    return dtype, accumulation_dtype(dtype)


@array_function("axis", "dtype", "keepdims")
def mean(
    a: ArrayLike,
    axis: Axes = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
) -> Array:
    """The mean of the elements along axes.

    Floats of less than 32 bits are summed in float32.

    Args:
        a: an array; integers and booleans become floats.
        axis: an axis or a tuple of them; all if None.
        dtype: the result's dtype.
        out: must be None.
        keepdims: keep the axes, with length 1.
        where: an array of booleans that says which elements count.

    Returns:
        The mean; NaN of no elements.

    >>> jnp.mean(jnp.array([[1, 2], [3, 4]]), axis=0)
    Array([2., 3.], dtype=float32)
    """
    refuse_out("mean", out)
    x = as_operand("mean", a)
    dtype, inner = _mean_dtypes("mean", x, dtype)
    return convert(mean_in("mean", x, axis, keepdims, where, inner), dtype)


def variance(
    name: str, a: Any, axis: Any, dtype: Any, ddof: Any, keepdims: bool, where: Any, mean: Any,
    correction: Any,
) -> tuple[Array, Any]:  # fmt: skip
    """The variance in the dtype it is computed in, and the dtype it is to have."""
    if correction is not None:
        if ddof != 0:
            raise ValueError(
                f"jnp.{name}: ddof and correction mean the same, give one; got {ddof} and "
                f"{correction}"
            )
        ddof = correction
    x = as_operand(name, a)
    result, inner = _mean_dtypes(name, x, dtype)
    if dtype is not None and is_complex(typeof(x).dtype) and not is_complex(inner):
        inner = np.result_type(inner, np.complex64)
    x = to_dtype(x, inner)
    if where is not None:  # what does not count shall not reach derivatives either, NaN times 0
        mask, x = masked(name, where, x)
        shape = broadcast_shape(mask, x)
        x = lax.select(broadcast_to(mask, shape), broadcast_to(x, shape), 0)
    if mean is None:
        mean = mean_in(name, x, axis, True, where, inner)
    centred = operators.subtract(x, mean)
    if is_complex(inner):
        square = lax.real(lax.mul(centred, lax.conj(centred)))
        result = real_dtype(result) if is_complex(result) else result
        inner = real_dtype(inner)
    else:
        square = lax.square(centred)
    total = reduce_by(
        name, lax.reduce_sum, lax.add, 0, square, axis, keepdims, None, where, dtype=inner
    )
    n = count(name, x, axis, keepdims, where, inner)
    if isinstance(n, float) and not hasattr(ddof, "aval"):
        return operators.divide(total, n - ddof if n > ddof else np.nan), result
    n = to_dtype(operators.subtract(n, ddof), inner)
    total, n, enough = promote_shapes(name, total, n, operators.greater(n, 0))
    return lax.select(enough, lax.div(total, n), np.nan), result


@array_function("axis", "dtype", "ddof", "keepdims", "correction")
def var(
    a: ArrayLike,
    axis: Axes = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    correction: int | float | None = None,
) -> Array:
    """The variance of the elements along axes: the mean square distance from their mean.

    Args:
        a: an array; integers and booleans become floats.
        axis: an axis or a tuple of them; all if None.
        dtype: the result's dtype.
        out: must be None.
        ddof: what to subtract from the number of elements before dividing by it; 1 gives the
            unbiased estimate from a sample.
        keepdims: keep the axes, with length 1.
        where: an array of booleans that says which elements count.
        mean: the mean, where it is known, with the axes kept.
        correction: another name for `ddof`.

    Returns:
        The variance, real also for complex numbers; NaN of `ddof` elements or fewer.

    Raises:
        ValueError: both `ddof` and `correction` are given.

    >>> jnp.var(jnp.array([[1.0, 3.0], [2.0, 8.0]]), axis=1)
    Array([1., 9.], dtype=float32)
    """
    refuse_out("var", out)
    result, dtype = variance("var", a, axis, dtype, ddof, keepdims, where, mean, correction)
    return convert(result, dtype)


@array_function("axis", "dtype", "ddof", "keepdims", "correction")
def std(
    a: ArrayLike,
    axis: Axes = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    correction: int | float | None = None,
) -> Array:
    """The standard deviation of the elements along axes: the root of `var`, which see.

    Of equal elements it is 0, and so is its derivative, as that of a distance from the mean.

    >>> jnp.std(jnp.array([[1.0, 3.0], [2.0, 8.0]]), axis=1)
    Array([1., 3.], dtype=float32)
    """
    refuse_out("std", out)
    result, dtype = variance("std", a, axis, dtype, ddof, keepdims, where, mean, correction)
    return convert(deviation(result), dtype)


def deviation(variance: Array) -> Array:
    """The root of a variance, with derivative 0 where the variance is 0."""
    is_zero = lax.eq(variance, 0.0)
    root = lax.sqrt(lax.select(is_zero, 1.0, variance))
    return lax.select(is_zero, variance, root)


@array_function("axis", "returned", "keepdims")
def average(
    a: ArrayLike,
    axis: Axes = None,
    weights: ArrayLike | None = None,
    returned: bool = False,
    keepdims: bool = False,
) -> Any:
    """The weighted mean of the elements along axes.

    Args:
        a: an array; integers and booleans become floats.
        axis: an axis or a tuple of them; all if None.
        weights: an array of the shape of `a`, or of its lengths along `axis`; 1 if None.
        returned: whether to return the sums of the weights as well.
        keepdims: keep the axes, with length 1.

    Returns:
        The averages, or a pair of them and the sums of the weights.

    Raises:
        ShapeError: `weights` does not fit the axes, or has another shape than `a` and no axis
            is given.

    >>> jnp.average(jnp.array([1.0, 2.0, 3.0]), weights=jnp.array([0.0, 1.0, 3.0]))
    Array(2.75, dtype=float32)
    """
    if weights is None:
        x = inexact("average", a)
        dtype = typeof(x).dtype
        inner = accumulation_dtype(dtype)
        result = convert(mean_in("average", x, axis, keepdims, None, inner), dtype)
        n = count("average", x, axis, keepdims, None, dtype)
        total = lax.full(typeof(result).shape, n, dtype)
        return (result, total) if returned else result
    x, w = promote_dtypes_inexact("average", a, weights)
    shape = typeof(x).shape
    axes = some_axes("average", axis, len(shape))
    if typeof(w).shape != shape:
        w = _weights_along(axis, axes, w, shape)
    total = reduce_by("average", lax.reduce_sum, lax.add, 0, w, axes, keepdims, None, None)
    weighted = reduce_by(
        "average", lax.reduce_sum, lax.add, 0, lax.mul(x, w), axes, keepdims, None, None
    )
    result = lax.div(weighted, total)
    return (result, total) if returned else result


def _weights_along(axis: Any, axes: tuple[int, ...], w: Array, shape: tuple[int, ...]) -> Array:
    """Weights for the axes alone, broadcast to the whole shape."""
    if axis is None:
        raise ShapeError(
            f"jnp.average: axis must be given where weights have another shape than a, got "
            f"{typeof(w).shape} and {shape}"
        )
    if typeof(w).shape != tuple(shape[i] for i in axes):
        raise ShapeError(
            f"jnp.average: weights of shape {typeof(w).shape} must have the lengths of a along "
            f"axis {axis}, for a of shape {shape}"
        )
    return lax.broadcast_in_dim(w, shape, axes)
