"""Reductions along axes: sums and products, extremes, and truth.

Means and variances are in `means`, reductions that skip NaN in `nan_reductions`, running
totals in `cumulative`, medians and quantiles in `quantiles`.
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
    is_complex,
    is_integer,
    one_axis,
    promote_shapes,
    refuse_out,
    some_axes,
    to_dtype,
    typeof,
)

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "max", "min", "prod", "ptp",
    "sum",
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
        mask, x = masked(name, where, x)
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


def masked(name: str, where: Any, x: Any) -> tuple[Any, Any]:
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
def ptp(a: ArrayLike, axis: Axes = None, out: None = None, keepdims: bool = False) -> Array:
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
    return lax.sub(highest, _extreme("min", lax.reduce_min, lax.min, a, axis, keepdims, None, None))


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
    if is_complex(typeof(x).dtype):
        x = operators.not_equal(x, 0)
    elif typeof(x).dtype != _BOOL:
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
