"""Medians, quantiles and percentiles, with and without NaN."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.ops.elementwise import convert
from jx_core.ops.shape import broadcast_to

from .functions import array_function
from .indexing import take_along_axis
from .operands import (
    Array,
    ArrayLike,
    as_operand,
    is_complex,
    promote_dtypes_inexact,
    refuse_out,
    refuse_sharding,
    some_axes,
    typeof,
)

__all__ = [
    "median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile",
]  # fmt: skip

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf")


def _last_axis(x: Array, axes: tuple[int, ...]) -> Array:
    """The array with `axes` made one axis, the last."""
    shape = typeof(x).shape
    rest = [i for i in range(len(shape)) if i not in axes]
    x = lax.transpose(x, (*rest, *axes))
    return lax.reshape(x, (*[shape[i] for i in rest], math.prod(shape[i] for i in axes)))


def _quantile(
    name: str, a: Any, q: Any, axis: Any, method: str, keepdims: bool, skip_nan: bool,
    weights: Any,
) -> Array:  # fmt: skip
    if method not in _METHODS:
        raise ValueError(f"jnp.{name}: method must be one of {_METHODS}, got {method!r}")
    (a,), q = promote_dtypes_inexact(name, a), as_operand(name, q, 1)
    a, q = convert(a, typeof(a).dtype), convert(q, typeof(a).dtype)
    if is_complex(typeof(a).dtype):
        raise ValueError(f"jnp.{name} takes real numbers, got dtype {typeof(a).dtype.name}")
    if typeof(q).ndim > 1:
        raise ValueError(f"jnp.{name}: q must be a scalar or a vector, got shape {typeof(q).shape}")
    shape = typeof(a).shape
    axes = some_axes(name, axis, len(shape))
    x = _last_axis(a, axes)
    if not typeof(x).shape[-1]:
        x = lax.full((*typeof(x).shape[:-1], 1), np.nan, typeof(a).dtype)
    if method == "inverted_cdf":
        result = _inverted_cdf(name, a, x, q, axes, weights, skip_nan)
    elif weights is not None:
        raise ValueError(f"jnp.{name}: weights are for method='inverted_cdf', got {method!r}")
    else:
        result = _interpolated(x, q, method, skip_nan)
    if keepdims:
        kept = tuple([1 if i in axes else n for i, n in enumerate(shape)])
        result = lax.reshape(result, (*typeof(q).shape, *kept))
    return result


def _counts(x: Array, skip_nan: bool) -> Any:
    """How many elements count in each row: a number if it is the same in all."""
    if not skip_nan:
        return lax.dim_as_float(typeof(x).shape[-1])
    numbers = convert(lax.eq(x, x), typeof(x).dtype)
    return lax.reduce_sum(numbers, (typeof(x).ndim - 1,))


def _interpolated(x: Array, q: Array, method: str, skip_nan: bool) -> Array:
    """The quantiles of each row, between its two elements next to the place asked for."""
    *rows, n = typeof(x).shape
    last = len(rows)
    count = _counts(x, skip_nan)
    has_nan = None if skip_nan else lax.reduce_or(lax.ne(x, x), (last,))
    # Of shape (*q.shape, *rows): the place among the sorted elements.
    wide = (*typeof(q).shape, *rows)
    q = lax.broadcast_in_dim(q, wide, tuple(range(typeof(q).ndim)))
    if isinstance(count, float):
        place = operators.multiply(q, max(count - 1, 0.0))
    else:
        count = convert(count, typeof(q).dtype)
        highest = lax.max(operators.subtract(count, 1.0), lax.full_like(count, 0))
        place = lax.mul(q, broadcast_to(highest, wide))
    low, high = lax.floor(place), lax.ceil(place)
    fraction = lax.sub(place, low)
    if type(n) is int and n >= _LONG and typeof(q).size <= _FEW * max(math.prod(rows), 1):
        low_value, high_value = _selected(x, low, high)
    else:
        ordered = lax.sort(x, last)
        low_value, high_value = _pick(ordered, low, n), _pick(ordered, high, n)
    if method == "linear":
        step = lax.mul(lax.sub(high_value, low_value), fraction)
        # Equal infinities have no difference, and the result is the same.
        endless = lax.eq(lax.abs(low_value), lax.full_like(low_value, np.inf))
        same = lax.bitwise_and(endless, lax.eq(low_value, high_value))
        result = lax.select(same, low_value, lax.add(low_value, step))
    elif method == "lower":
        result = low_value
    elif method == "higher":
        result = high_value
    elif method == "nearest":
        result = lax.select(operators.less_equal(fraction, 0.5), low_value, high_value)
    else:
        result = operators.multiply(lax.add(low_value, high_value), 0.5)
    if has_nan is not None:
        result = lax.select(broadcast_to(has_nan, wide), np.nan, result)
    return result


# A few places of long rows are looked for, without sorting all that lies between them.
_FEW, _LONG = 4, 4096


def _selected(x: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """The elements at two places of the sorted rows that are equal or next to one another.

    The places have the rows' axes, or one more in front.
    """
    n = typeof(x).shape[-1]
    if typeof(low).ndim == typeof(x).ndim:
        pairs = zip(lax.unstack(low, 0), lax.unstack(high, 0), strict=True)
        found = [_selected(x, *pair) for pair in pairs]
        if not found:
            return low, high
        first, second = (lax.stack([pair[i] for pair in found], 0) for i in (0, 1))
        return first, second
    place = lax.clamp(np.int32(0), convert(low, _INT32), np.int32(n - 1))
    at, after = lax.order_statistics(x, place)
    return at, lax.select(lax.eq(low, high), at, after)


def _zero(shape: tuple[int, ...], dtype: Any) -> Array:
    return lax.full(shape, 0, dtype)


_INT32 = np.dtype(np.int32)


def _pick(ordered: Array, places: Array, n: int) -> Array:
    """The element of each row at a place: `places` has axes of its own before the rows'."""
    ndim = typeof(ordered).ndim
    own = typeof(places).ndim - (ndim - 1)
    indices = lax.clamp(np.int32(0), convert(places, _INT32), lax.dim_as(n - 1, _INT32))
    if own:  # to the end, where the rows' elements lie
        indices = lax.transpose(indices, (*range(1, ndim), 0))
        found = take_along_axis(ordered, indices, axis=-1, mode="promise_in_bounds")
        return lax.transpose(found, (ndim - 1, *range(ndim - 1)))
    indices = lax.expand_dims(indices, (ndim - 1,))
    found = take_along_axis(ordered, indices, axis=-1, mode="promise_in_bounds")
    return lax.squeeze(found, (ndim - 1,))


def _inverted_cdf(
    name: str, a: Array, x: Array, q: Array, axes: tuple[int, ...], weights: Any, skip_nan: bool
) -> Array:
    """The least element up to which the weights make up a share `q` of all."""
    *rows, n = typeof(x).shape
    dtype, last = typeof(x).dtype, len(rows)
    if weights is None:
        w = lax.full(typeof(x).shape, 1.0, dtype)
    else:
        w = broadcast_to(convert(as_operand(name, weights, 2), dtype), typeof(a).shape)
        w = _last_axis(w, axes)
    is_nan = lax.ne(x, x)
    if skip_nan:
        w = lax.select(is_nan, _zero(typeof(w).shape, dtype), w)
    ordered, w = lax.sort((x, w), last, num_keys=1)
    share = lax.cumsum(w, last)
    total = lax.slice_in_dim(share, n - 1, n, axis=last)
    share = lax.div(share, lax.broadcast_in_dim(total, typeof(share).shape, range(last + 1)))
    own = typeof(q).ndim
    wide = (*typeof(q).shape, *rows, n)
    q_wide = lax.broadcast_in_dim(q, wide, tuple(range(own)))
    share = broadcast_to(share, wide)
    # Elements of no weight at the beginning have no share in anything.
    passed = lax.bitwise_or(lax.lt(share, q_wide), operators.less_equal(share, 0.0))
    place = lax.reduce_sum(convert(passed, dtype), (own + last,))
    result = _pick(ordered, place, n)
    if not skip_nan:
        has_nan = lax.reduce_or(is_nan, (last,))
        result = lax.select(broadcast_to(has_nan, typeof(result).shape), np.nan, result)
    return result


def _check_overwrite(name: str, out: Any, overwrite_input: Any) -> None:
    refuse_out(name, out)
    if overwrite_input:
        raise ValueError(f"jnp.{name}: overwrite_input must be False: arrays are immutable")


@array_function("axis", "overwrite_input", "method", "keepdims")
def quantile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
) -> Array:
    """The quantiles of the elements along axes.

    Args:
        a: a real array; integers become floats.
        q: which quantiles, between 0 and 1: a number, or a vector of them.
        axis: an axis or a tuple of them; all if None.
        out: must be None.
        overwrite_input: must be False.
        method: what lies between two elements: `linear`, `lower`, `higher`, `midpoint`,
            `nearest`; or `inverted_cdf`, the least element up to which a share `q` lies.
        keepdims: keep the axes, with length 1.
        weights: how much each element counts, for `inverted_cdf`.

    Returns:
        The quantiles, with an axis in front if `q` is a vector; NaN where there is one.

    Raises:
        ValueError: `a` is complex, `q` has more than one axis, or `method` is another word.

    >>> jnp.quantile(jnp.arange(5), jnp.array([0.25, 0.5]))
    Array([1., 2.], dtype=float32)
    """
    _check_overwrite("quantile", out, overwrite_input)
    return _quantile("quantile", a, q, axis, method, keepdims, False, weights)


@array_function("axis", "overwrite_input", "method", "keepdims")
def nanquantile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
) -> Array:
    """The quantiles of the elements that are not NaN. Arguments as for `quantile`.

    >>> jnp.nanquantile(jnp.array([1.0, jnp.nan, 3.0]), 0.5)
    Array(2., dtype=float32)
    """
    _check_overwrite("nanquantile", out, overwrite_input)
    return _quantile("nanquantile", a, q, axis, method, keepdims, True, weights)


def _share(name: str, a: Any, q: Any) -> Any:
    """Percentages as shares, in the dtype they are used in."""
    (a,), q = promote_dtypes_inexact(name, a), as_operand(name, q, 1)
    return operators.divide(convert(q, typeof(a).dtype), 100.0)


@array_function("axis", "overwrite_input", "method", "keepdims")
def percentile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
    out_sharding: None = None,
) -> Array:
    """The percentiles of the elements along axes: `quantile` with `q` from 0 to 100.

    >>> jnp.percentile(jnp.arange(5), 75)
    Array(3., dtype=float32)
    """
    refuse_sharding("percentile", out_sharding)
    _check_overwrite("percentile", out, overwrite_input)
    q = _share("percentile", a, q)
    return _quantile("percentile", a, q, axis, method, keepdims, False, weights)


@array_function("axis", "overwrite_input", "method", "keepdims")
def nanpercentile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
) -> Array:
    """The percentiles of the elements that are not NaN. See `percentile`.

    >>> jnp.nanpercentile(jnp.array([1.0, jnp.nan, 3.0]), 50)
    Array(2., dtype=float32)
    """
    _check_overwrite("nanpercentile", out, overwrite_input)
    q = _share("nanpercentile", a, q)
    return _quantile("nanpercentile", a, q, axis, method, keepdims, True, weights)


@array_function("axis", "overwrite_input", "keepdims")
def median(
    a: ArrayLike,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Array:
    """The median of the elements along axes: the middle one, or the mean of the two.

    Args:
        a: a real array; integers become floats.
        axis: an axis or a tuple of them; all if None.
        out: must be None.
        overwrite_input: must be False.
        keepdims: keep the axes, with length 1.

    >>> jnp.median(jnp.array([3, 1, 2, 9]))
    Array(2.5, dtype=float32)
    """
    _check_overwrite("median", out, overwrite_input)
    return _quantile("median", a, 0.5, axis, "midpoint", keepdims, False, None)


@array_function("axis", "overwrite_input", "keepdims")
def nanmedian(
    a: ArrayLike,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Array:
    """The median of the elements that are not NaN. Arguments as for `median`.

    >>> jnp.nanmedian(jnp.array([3.0, jnp.nan, 1.0]))
    Array(2., dtype=float32)
    """
    _check_overwrite("nanmedian", out, overwrite_input)
    return _quantile("nanmedian", a, 0.5, axis, "midpoint", keepdims, True, None)
