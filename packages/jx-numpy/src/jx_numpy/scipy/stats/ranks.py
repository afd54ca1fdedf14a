"""Ranks, the most frequent value, and the standard error of the mean."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jx_core import dtypes, lax

from ...functions import array_function, plain
from ...manipulation import ravel
from ...means import std
from ...nan_reductions import nanstd
from ...operands import Array, ArrayLike, as_operand, inexact, is_floating, one_axis, typeof
from ._kit import where

__all__ = ["ModeResult", "mode", "rankdata", "sem"]

_METHODS = ("average", "min", "max", "dense", "ordinal")


class ModeResult(NamedTuple):
    """What `mode` returns.

    Attributes:
        mode: the most frequent values, of the operand's dtype.
        count: how often they occur, integers of the same shape.

    >>> values, count = jx.scipy.stats.mode(jnp.array([3, 1, 3]))
    >>> int(values), int(count)
    (3, 2)
    """

    mode: Array
    count: Array


def _omits(name: str, nan_policy: str) -> bool:
    """Whether NaNs are left out.

    Raises:
        NotImplementedError: they are to raise an error, which depends on values.
        ValueError: there is no such policy.
    """
    if nan_policy == "raise":
        raise NotImplementedError(
            f"{name}: nan_policy='raise' would need values while the function is traced; check "
            f"jnp.isnan(a).any() before"
        )
    if nan_policy not in ("propagate", "omit"):
        raise ValueError(f"{name}: nan_policy must be 'propagate' or 'omit', got {nan_policy!r}")
    return nan_policy == "omit"


def _along(name: str, a: ArrayLike, axis: int | None) -> tuple[Array, int]:
    """The array, flattened if `axis` is None, and the axis."""
    a = as_operand(name, a)
    if axis is None or not typeof(a).ndim:
        if axis is not None:
            one_axis(name, axis, 1)
        return plain(ravel)(a), 0
    return a, one_axis(name, axis, typeof(a).ndim)


def _is_nan(x: Array) -> Array:
    return lax.ne(x, x)


def _differs(x: Array, axis: int) -> Array:
    """Whether the elements of a sorted array differ from those before, NaN counting as equal."""
    n = typeof(x).shape[axis]
    before = lax.slice_in_dim(x, 0, n - 1, axis=axis)
    after = lax.slice_in_dim(x, 1, n, axis=axis)
    return lax.ne(before, after) & ~(_is_nan(before) & _is_nan(after))


def _padded(changes: Array, axis: int, ends: tuple[int, int]) -> Array:
    """`changes` with one more truth before or after it along the axis."""
    config = [(*ends, 0) if d == axis else (0, 0, 0) for d in range(typeof(changes).ndim)]
    return lax.pad(changes, True, config)


def _places(x: Array, axis: int) -> Array:
    """0, 1, ... along the axis, in the shape of `x`."""
    integer = dtypes.canonicalize_dtype(np.int64)
    return lax.broadcasted_iota(integer, typeof(x).shape, axis)


@array_function("axis", "nan_policy", "keepdims")
def mode(
    a: ArrayLike, axis: int | None = 0, nan_policy: str = "propagate", keepdims: bool = False
) -> ModeResult:
    """The most frequent values along an axis, and how often they occur.

    Args:
        a: an array of n dimensions.
        axis: the axis along which values are counted; None for all elements.
        nan_policy: `propagate`, which counts NaN as a value like others, or `omit`.
        keepdims: whether the axis stays, with length 1.

    Returns:
        A named tuple of arrays `mode`, of the dtype of `a`, and `count`, of integers, both of
        the shape of `a` without the axis. Of values that are equally frequent it is the least.
        NaN and 0 where there is none.

    Raises:
        NotImplementedError: `nan_policy` is `raise`.
        ShapeError: the axis is out of range.
        TypeError: `a` is no array.
        ValueError: there is no such policy.

    >>> mode, count = jx.scipy.stats.mode(jnp.array([2, 4, 1, 1, 4, 4]))
    >>> mode, count
    (Array(4, dtype=int32), Array(3, dtype=int32))
    """
    omit = _omits("mode", nan_policy)
    original = typeof(as_operand("mode", a)).shape
    x, at = _along("mode", a, axis)
    shape = typeof(x).shape
    result = tuple(n for d, n in enumerate(shape) if d != at)
    if keepdims:
        result = tuple(1 if axis is None or d == at else n for d, n in enumerate(original))
    if not shape[at]:
        real = dtypes.canonicalize_dtype(np.float64)
        return ModeResult(lax.full(result, np.nan, real), lax.full(result, 0.0, real))
    x = lax.sort(x, dimension=at)
    places = _places(x, at)
    first = _padded(_differs(x, at), at, (1, 0))
    start = lax.cummax(where(first, places, 0), axis=at)
    # How often each value occurred so far; its last place has it all.
    count = places - start + 1
    if omit and is_floating(typeof(x).dtype):
        count = where(_is_nan(x), 0, count)
    most = lax.argmax(count, at, typeof(count).dtype)
    chosen = lax.eq(places, lax.expand_dims(most, (at,)))
    total = lax.reduce_max(count, (at,))
    value = _picked(x, chosen, at)
    return ModeResult(lax.reshape(value, result), lax.reshape(total, result))


def _picked(x: Array, chosen: Array, axis: int) -> Array:
    """The one element along the axis that is chosen."""
    if typeof(x).dtype == np.bool_:
        return lax.reduce_or(x & chosen, (axis,))
    return lax.reduce_sum(where(chosen, x, lax.full_like(x, 0)), (axis,))


@array_function("method", "axis", "nan_policy")
def rankdata(
    a: ArrayLike,
    method: str = "average",
    *,
    axis: int | None = None,
    nan_policy: str = "propagate",
) -> Array:
    """The ranks of elements, from 1 for the least.

    Args:
        a: an array.
        method: what equal elements get: the `average` of their places, the `min` or `max` of
            them, ranks in the order in which they come (`ordinal`), or `min` without leaving
            ranks out after them (`dense`).
        axis: the axis along which elements are ranked; None for all of them, flattened.
        nan_policy: `propagate`, by which all ranks are NaN where one element is, or `omit`, by
            which only that element's is.

    Returns:
        An array of floats of the shape of `a`, or a vector if `axis` is None.

    Raises:
        NotImplementedError: `nan_policy` is `raise`.
        ShapeError: the axis is out of range.
        TypeError: `a` is no array.
        ValueError: there is no such method or policy.

    >>> jx.scipy.stats.rankdata(jnp.array([10, 30, 20, 30]))
    Array([1. , 3.5, 2. , 3.5], dtype=float32)
    """
    omit = _omits("rankdata", nan_policy)
    if method not in _METHODS:
        raise ValueError(f"rankdata: method must be one of {_METHODS}, got {method!r}")
    x, at = _along("rankdata", a, axis)
    real = dtypes.canonicalize_dtype(np.float64)
    if not typeof(x).shape[at]:
        return lax.full(typeof(x).shape, 0.0, real)
    places = _places(x, at)
    values, order = lax.sort([x, places], dimension=at, num_keys=1, is_stable=True)
    ranks = _ranks(values, places, at, method)
    # Sorted by where they came from, the ranks go back there.
    _, ranks = lax.sort([order, lax.convert_element_type(ranks, real)], dimension=at, num_keys=1)
    if not is_floating(typeof(x).dtype):
        return ranks
    nan = _is_nan(x)
    if not omit:
        nan = lax.expand_dims(lax.reduce_or(nan, (at,)), (at,))
    return where(nan, np.nan, ranks)


def _ranks(values: Array, places: Array, axis: int, method: str) -> Array:
    """The ranks of sorted values."""
    if method == "ordinal":
        return places + 1
    changes = _differs(values, axis)
    first, last = _padded(changes, axis, (1, 0)), _padded(changes, axis, (0, 1))
    if method == "dense":
        return lax.cumsum(lax.convert_element_type(first, typeof(places).dtype), axis=axis)
    least = lax.cummax(where(first, places, 0), axis=axis) + 1
    if method == "min":
        return least
    n = typeof(values).shape[axis]
    greatest = lax.cummin(where(last, places, n), axis=axis, reverse=True) + 1
    if method == "max":
        return greatest
    return 0.5 * lax.convert_element_type(least + greatest, dtypes.canonicalize_dtype(np.float64))


@array_function("axis", "ddof", "nan_policy", "keepdims")
def sem(
    a: ArrayLike,
    axis: int | None = 0,
    ddof: int = 1,
    nan_policy: str = "propagate",
    *,
    keepdims: bool = False,
) -> Array:
    """The standard error of the mean: the standard deviation over the root of the count.

    Args:
        a: an array of samples; integers become floats.
        axis: the axis along which they lie; None for all elements.
        ddof: what is taken off the count in the standard deviation.
        nan_policy: `propagate`, or `omit` to leave NaNs out.
        keepdims: whether the axis stays, with length 1.

    Returns:
        An array of floats, of the shape of `a` without the axis.

    Raises:
        ShapeError: the axis is out of range.
        TypeError: `a` is no array.
        ValueError: there is no such policy.

    >>> jx.scipy.stats.sem(jnp.array([1.0, 2.0, 3.0, 6.0]))
    Array(1.0801234, dtype=float32)
    """
    if nan_policy not in ("propagate", "omit"):
        raise ValueError(f"sem: nan_policy must be 'propagate' or 'omit', got {nan_policy!r}")
    x = inexact("sem", a)
    shape = typeof(x).shape
    if nan_policy == "propagate":
        count: Any = typeof(x).size if axis is None else shape[one_axis("sem", axis, len(shape))]
        return plain(std)(x, axis, ddof=ddof, keepdims=keepdims) / float(np.sqrt(count))
    axes = tuple(range(len(shape))) if axis is None else (one_axis("sem", axis, len(shape)),)
    deviation = plain(nanstd)(x, axis, ddof=ddof, keepdims=keepdims)
    present = lax.convert_element_type(lax.eq(x, x), np.int32)
    count = lax.reshape(lax.reduce_sum(present, axes), typeof(deviation).shape)
    return deviation / lax.sqrt(lax.convert_element_type(count, typeof(deviation).dtype))
