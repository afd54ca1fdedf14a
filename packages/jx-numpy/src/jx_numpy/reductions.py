"""Reductions along axes: sums and products, extremes, truth, means and variances.

Those that skip NaN are in `nan_reductions`, running totals in `cumulative`, medians and
quantiles in `quantiles`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import dtypes, lax, operators
from jx_core.dtypes import python_scalar_dtype
from jx_core.ops.elementwise import convert
from jx_core.ops.reduction import identity

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
    one_axis,
    promote_dtypes_inexact,
    promote_shapes,
    refuse_out,
    some_axes,
    to_dtype,
    to_inexact,
    typeof,
)

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "count_nonzero", "max", "mean",
    "min", "prod", "ptp", "std", "sum", "var",
]  # fmt: skip

_BOOL = np.dtype(np.bool_)
Axes = int | tuple[int, ...] | None


def reduce_by(
    name: str,
    reduce: Callable[..., Array],
    combine: Callable[[Any, Any], Array],
    neutral: Any,
    a: ArrayLike,
    axis: Any,
    keepdims: bool,
    initial: ArrayLike | None,
    where: ArrayLike | None,
    *,
    dtype: Any = None,
    result_dtype: Any = None,
) -> Array:
    """A reduction by a `lax` function.

    Args:
        name: the public function, for messages.
        reduce: the `lax` function, of an array and axes.
        combine: what it combines two elements by, for `initial`.
        neutral: the value that changes nothing, which takes the place of what `where` leaves
            out.
        a, axis, keepdims, initial, where: the public function's arguments.
        dtype: the dtype to compute in; that of `a` if None.
        result_dtype: the dtype of the result; `dtype` if None. It is never weak.
    """
    x = as_operand(name, a)
    aval = typeof(x)
    dtype = dtype or aval.dtype
    x = to_dtype(x, dtype)
    shape = aval.shape
    if where is not None:
        mask, x = _masked(name, where, x)
        shape = broadcast_shape(mask, x)
        x = broadcast_to(x, shape)
        x = lax.select(broadcast_to(mask, shape), x, to_dtype(neutral, dtype))
    axes = some_axes(name, axis, len(shape))
    result = reduce(x, axes)
    if initial is not None:
        begin = as_operand(name, initial)
        if typeof(begin).shape:
            raise ValueError(
                f"{name}: initial must be a scalar, got an array of shape {typeof(begin).shape}"
            )
        result = combine(to_dtype(begin, dtype), result)
    if keepdims:
        result = lax.expand_dims(result, axes)
    return convert(result, result_dtype or dtype)


def broadcast_shape(*operands: Array) -> tuple[int, ...]:
    """The shape that the operands broadcast to."""
    return lax.broadcast_shapes(*[typeof(x).shape for x in operands])


def _masked(name: str, where: Any, x: Any) -> tuple[Any, Any]:
    mask = as_operand(name, where, 1)
    if typeof(mask).dtype != _BOOL:
        mask = operators.not_equal(mask, 0)
    return tuple(promote_shapes(name, mask, x))  # type: ignore[return-value]


def reduced_size(shape: tuple[int, ...], axes: tuple[int, ...]) -> int:
    size = 1
    for i in axes:
        size *= shape[i]
    return size


# Sums and products.


def total_dtype(dtype: Any, promote_integers: bool) -> Any:
    """The dtype of a sum: booleans and narrow integers become integers of the default width."""
    if dtype == _BOOL:
        return python_scalar_dtype(int)
    if promote_integers and is_integer(dtype):
        unsigned = dtypes.issubdtype(dtype, np.unsignedinteger)
        default = dtypes.canonicalize_dtype(np.uint64 if unsigned else np.int64)
        return default if default.itemsize > dtype.itemsize else dtype
    return dtype


def _total(
    name: str, reduce: Any, combine: Any, neutral: int, a: Any, axis: Any, dtype: Any,
    keepdims: bool, initial: Any, where: Any, promote_integers: bool,
) -> Array:  # fmt: skip
    x = as_operand(name, a)
    if dtype is None:
        dtype = total_dtype(typeof(x).dtype, promote_integers)
    else:
        dtype = a_dtype(name, dtype)
        if dtype == _BOOL:
            x = operators.not_equal(x, 0)
            logical = lax.reduce_or if neutral == 0 else lax.reduce_and
            either = lax.bitwise_or if neutral == 0 else lax.bitwise_and
            return reduce_by(
                name, logical, either, bool(neutral), x, axis, keepdims, initial, where
            )
    return reduce_by(
        name, reduce, combine, neutral, x, axis, keepdims, initial, where,
        dtype=accumulation_dtype(dtype), result_dtype=dtype,
    )  # fmt: skip


@array_function("axis", "dtype", "keepdims", "promote_integers")
def sum(
    a: ArrayLike,
    axis: Axes = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
    promote_integers: bool = True,
) -> Array:
    """The sum of the elements along axes.

    Args:
        a: an array.
        axis: an axis or a tuple of them; all if None.
        dtype: the dtype to sum in. If None, that of `a`, where booleans and integers narrower
            than the default become integers of the default width.
        out: must be None.
        keepdims: keep the axes, with length 1.
        initial: a number to begin with.
        where: an array of booleans, broadcast with `a`, that says which elements count.
        promote_integers: whether narrow integers are widened.

    Raises:
        ShapeError: an axis is out of range or repeated.
        TypeError: `a` is no array.

    >>> jnp.sum(jnp.array([[1, 2], [3, 4]]), axis=0)
    Array([4, 6], dtype=int32)
    """
    refuse_out("sum", out)
    return _total(
        "sum", lax.reduce_sum, lax.add, 0, a, axis, dtype, keepdims, initial, where,
        promote_integers,
    )  # fmt: skip


@array_function("axis", "dtype", "keepdims", "promote_integers")
def prod(
    a: ArrayLike,
    axis: Axes = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
    promote_integers: bool = True,
) -> Array:
    """The product of the elements along axes. Arguments and errors as for `sum`.

    >>> jnp.prod(jnp.array([[1, 2], [3, 4]]), axis=1)
    Array([ 2, 12], dtype=int32)
    """
    refuse_out("prod", out)
    return _total(
        "prod", lax.reduce_prod, lax.mul, 1, a, axis, dtype, keepdims, initial, where,
        promote_integers,
    )  # fmt: skip


# Extremes.


def _extreme(
    name: str, reduce: Any, combine: Any, a: Any, axis: Any, keepdims: bool, initial: Any,
    where: Any,
) -> Array:  # fmt: skip
    x = as_operand(name, a)
    aval = typeof(x)
    if initial is None:
        if where is not None:
            raise ValueError(
                f"reduction operation {name} does not have an identity, so to use a where mask "
                f"one has to specify 'initial'"
            )
        axes = some_axes(name, axis, aval.ndim)
        if not reduced_size(aval.shape, axes):
            raise ValueError(
                f"zero-size array to reduction operation {name} which has no identity: shape "
                f"{aval.shape} along axis {axis}; pass initial="
            )
    neutral = identity(name, aval.dtype)
    return reduce_by(name, reduce, combine, neutral, x, axis, keepdims, initial, where)


@array_function("axis", "keepdims")
def max(
    a: ArrayLike,
    axis: Axes = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """The greatest element along axes; NaN where there is one.

    Args:
        a: an array. Complex numbers compare by real part, then by imaginary part.
        axis: an axis or a tuple of them; all if None.
        out: must be None.
        keepdims: keep the axes, with length 1.
        initial: a number that the result is not below.
        where: an array of booleans that says which elements count; needs `initial`.

    Raises:
        ShapeError: an axis is out of range or repeated.
        ValueError: there is nothing to choose from, or `where` without `initial`.

    >>> jnp.max(jnp.array([[1, 5], [3, 2]]), axis=1)
    Array([5, 3], dtype=int32)
    """
    refuse_out("max", out)
    return _extreme("max", lax.reduce_max, lax.max, a, axis, keepdims, initial, where)


@array_function("axis", "keepdims")
def min(
    a: ArrayLike,
    axis: Axes = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """The least element along axes; NaN where there is one. Otherwise as `max`.

    >>> jnp.min(jnp.array([[1, 5], [3, 2]]), axis=1)
    Array([1, 2], dtype=int32)
    """
    refuse_out("min", out)
    return _extreme("min", lax.reduce_min, lax.min, a, axis, keepdims, initial, where)


amax = max
amin = min


@array_function("axis", "keepdims")
def ptp(
    a: ArrayLike, axis: Axes = None, out: None = None, keepdims: bool = False
) -> Array:
    """The distance from the least to the greatest element along axes.

    Args:
        a: an array.
        axis: an axis or a tuple of them; all if None.
        out: must be None.
        keepdims: keep the axes, with length 1.

    >>> jnp.ptp(jnp.array([[1, 5], [3, 2]]), axis=1)
    Array([4, 1], dtype=int32)
    """
    refuse_out("ptp", out)
    highest = _extreme("max", lax.reduce_max, lax.max, a, axis, keepdims, None, None)
    return lax.sub(
        highest, _extreme("min", lax.reduce_min, lax.min, a, axis, keepdims, None, None)
    )


def _place(name: str, find: Any, a: Any, axis: Any, keepdims: bool | None) -> Array:
    x = as_operand(name, a)
    shape = typeof(x).shape
    if axis is None:
        x = lax.reshape(x, (typeof(x).size,))
        place = 0
    else:
        place = one_axis(name, axis, len(shape))
    if not typeof(x).shape[place]:
        raise ValueError(f"attempt to get {name} of an empty sequence: shape {shape}, axis {axis}")
    result = find(x, place, dtypes.canonicalize_dtype(np.int64))
    if not keepdims:
        return result
    kept = (1,) * len(shape) if axis is None else (*shape[:place], 1, *shape[place + 1 :])
    return lax.reshape(result, kept)


@array_function("axis", "keepdims")
def argmax(
    a: ArrayLike, axis: int | None = None, out: None = None, keepdims: bool | None = None
) -> Array:
    """The index of the greatest element along an axis: of the first, where it is repeated.

    Args:
        a: a real array. NaN is greater than all else.
        axis: the axis; the array is flattened if None.
        out: must be None.
        keepdims: keep the axis, with length 1.

    Raises:
        ShapeError: the axis is out of range.
        ValueError: the axis is empty.

    >>> jnp.argmax(jnp.array([[1, 5], [3, 2]]), axis=1)
    Array([1, 0], dtype=int32)
    """
    refuse_out("argmax", out)
    return _place("argmax", lax.argmax, a, axis, keepdims)


@array_function("axis", "keepdims")
def argmin(
    a: ArrayLike, axis: int | None = None, out: None = None, keepdims: bool | None = None
) -> Array:
    """The index of the least element along an axis: of the first, where it is repeated.

    Arguments and errors as for `argmax`; NaN is less than all else.

    >>> jnp.argmin(jnp.array([[1, 5], [3, 2]]), axis=1)
    Array([0, 1], dtype=int32)
    """
    refuse_out("argmin", out)
    return _place("argmin", lax.argmin, a, axis, keepdims)


# Truth.


def _truth(
    name: str, reduce: Any, combine: Any, neutral: bool, a: Any, axis: Any, keepdims: bool,
    where: Any,
) -> Array:  # fmt: skip
    x = as_operand(name, a)
    if typeof(x).dtype != _BOOL:
        x = convert(x, _BOOL)
    return reduce_by(name, reduce, combine, neutral, x, axis, keepdims, None, where)


@array_function("axis", "keepdims")
def all(
    a: ArrayLike,
    axis: Axes = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
) -> Array:
    """Whether all elements along axes are true, that is not zero.

    Args:
        a: an array.
        axis: an axis or a tuple of them; all if None.
        out: must be None.
        keepdims: keep the axes, with length 1.
        where: an array of booleans that says which elements count.

    >>> jnp.all(jnp.array([[1, 0], [3, 2]]), axis=1)
    Array([False,  True], dtype=bool)
    """
    refuse_out("all", out)
    return _truth("all", lax.reduce_and, lax.bitwise_and, True, a, axis, keepdims, where)


@array_function("axis", "keepdims")
def any(
    a: ArrayLike,
    axis: Axes = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
) -> Array:
    """Whether an element along axes is true, that is not zero. Arguments as for `all`.

    >>> jnp.any(jnp.array([[0, 0], [3, 0]]), axis=1)
    Array([False,  True], dtype=bool)
    """
    refuse_out("any", out)
    return _truth("any", lax.reduce_or, lax.bitwise_or, False, a, axis, keepdims, where)


@array_function("axis", "keepdims")
def count_nonzero(a: ArrayLike, axis: Axes = None, keepdims: bool = False) -> Array:
    """How many elements along axes are not zero.

    Args:
        a: an array.
        axis: an axis or a tuple of them; all if None.
        keepdims: keep the axes, with length 1.

    >>> jnp.count_nonzero(jnp.array([[1, 0], [3, 2]]), axis=1)
    Array([1, 2], dtype=int32)
    """
    x = operators.not_equal(as_operand("count_nonzero", a), 0)
    dtype = python_scalar_dtype(int)
    return reduce_by(
        "count_nonzero", lax.reduce_sum, lax.add, 0, x, axis, keepdims, None, None, dtype=dtype
    )


# Means and variances.


def count(name: str, x: Array, axis: Any, keepdims: bool, where: Any, dtype: Any) -> Any:
    """How many elements a reduction takes in: a Python number, or an array under `where`."""
    aval = typeof(x)
    if where is None:
        return float(reduced_size(aval.shape, some_axes(name, axis, aval.ndim)))
    mask, x = _masked(name, where, x)
    mask = broadcast_to(mask, broadcast_shape(mask, x))
    return reduce_by(
        name, lax.reduce_sum, lax.add, 0, mask, axis, keepdims, None, None, dtype=dtype
    )


def mean_in(
    name: str, x: Array, axis: Any, keepdims: bool, where: Any, dtype: Any
) -> Array:
    """The mean computed, and left, in `dtype`."""
    total = reduce_by(
        name, lax.reduce_sum, lax.add, 0, x, axis, keepdims, None, where, dtype=dtype
    )
    n = count(name, x, axis, keepdims, where, _real(dtype))
    return operators.divide(total, n)


def _real(dtype: Any) -> Any:
    return np.finfo(dtype).dtype if dtype.kind == "c" else dtype


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
    if mean is None:
        mean = mean_in(name, x, axis, True, where, inner)
    centred = operators.subtract(x, mean)
    if is_complex(inner):
        square = lax.real(lax.mul(centred, lax.conj(centred)))
        result = _real(result) if is_complex(result) else result
        inner = _real(inner)
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

    >>> jnp.std(jnp.array([[1.0, 3.0], [2.0, 8.0]]), axis=1)
    Array([1., 3.], dtype=float32)
    """
    refuse_out("std", out)
    result, dtype = variance("std", a, axis, dtype, ddof, keepdims, where, mean, correction)
    return convert(lax.sqrt(result), dtype)


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
        TypeError: `weights` has another shape than `a`, and no axis is given.
        ShapeError: `weights` does not fit the axes.

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
        raise TypeError(
            f"jnp.average: axis must be given where weights have another shape than a, got "
            f"{typeof(w).shape} and {shape}"
        )
    if typeof(w).shape != tuple(shape[i] for i in axes):
        raise ValueError(
            f"jnp.average: weights of shape {typeof(w).shape} must have the lengths of a along "
            f"axis {axis}, for a of shape {shape}"
        )
    return lax.broadcast_in_dim(w, shape, axes)
