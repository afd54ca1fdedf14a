"""Counting and correlating: histograms, bin counts, covariances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import dtypes, lax, operators
from jx_core.errors import concrete_or_error
from jx_core.ops.elementwise import convert

from . import reductions
from .creation import asarray, linspace
from .functions import array_function, plain
from .operands import (
    Array,
    ArrayLike,
    a_dtype,
    an_integer,
    as_operand,
    is_complex,
    is_integer,
    promote_dtypes_inexact,
    refuse_sharding,
    to_dtype,
    typeof,
)
from .sorting import at, search

__all__ = [
    "bincount", "corrcoef", "cov", "histogram", "histogram2d", "histogram_bin_edges",
    "histogramdd",
]  # fmt: skip


def bincount(
    x: ArrayLike,
    weights: ArrayLike | None = None,
    minlength: int = 0,
    *,
    length: int | None = None,
    out_sharding: None = None,
) -> Array:
    """How often each number from 0 on occurs in a vector.

    Args:
        x: a vector of non-negative integers; negative ones count as 0.
        weights: how much each element counts; 1 if None.
        minlength: the least length of the result.
        length: the length of the result, beyond which nothing counts; needed where `x` is
            traced. One more than the greatest element if None.
        out_sharding: must be None.

    Raises:
        TypeError: `x` is not of integers.
        ValueError: `x` is no vector, or `weights` has another shape.
        ConcretizationTypeError: `x` is traced and `length` is None.

    >>> jnp.bincount(jnp.array([1, 1, 3]))
    Array([0, 2, 0, 1], dtype=int32)
    """
    refuse_sharding("bincount", out_sharding)
    x = as_operand("bincount", x)
    aval = typeof(x)
    if not is_integer(aval.dtype) and aval.dtype != np.bool_:
        raise TypeError(f"jnp.bincount: x must be of integers, got dtype {aval.dtype.name}")
    if aval.ndim != 1:
        raise ValueError(f"jnp.bincount: x must be a vector, got shape {aval.shape}")
    least = an_integer("bincount", minlength, "minlength")
    if length is None:
        known = concrete_or_error(
            asarray(x), "the argument x of jnp.bincount, whose greatest element is the result's "
            "length; length= gives it beforehand"
        )  # fmt: skip
        greatest = int(np.asarray(known).max()) if aval.size else -1
        length = max(greatest + 1, least)
    else:
        length = max(an_integer("bincount", length, "length"), least)
    if weights is not None and typeof(as_operand("bincount", weights, 1)).shape != aval.shape:
        raise ValueError(
            f"jnp.bincount: weights must have the shape of x, {aval.shape}, got "
            f"{typeof(weights).shape}"
        )
    return _bincount(x, weights, length)


@array_function("length")
def _bincount(x: Any, weights: Any, length: int) -> Array:
    dtype = dtypes.canonicalize_dtype(np.int64)
    if weights is None:
        weights = lax.full(typeof(x).shape, 1, dtype)
    counts = lax.full((length,), 0, typeof(weights).dtype)
    places = lax.max(to_dtype(x, dtype), np.asarray(0, dtype)[()])
    # Additions out of bounds are dropped.
    return asarray(counts).at[places].add(weights, mode="drop")


# Histograms.


@array_function("bins")
def _edges(a: Any, bins: int, low: Any, high: Any) -> Array:
    x = as_operand("histogram", a)
    dtype = operators.to_inexact(typeof(x).dtype)
    if low is None:
        if typeof(x).size:
            low, high = plain(reductions.min)(x), plain(reductions.max)(x)
        else:
            low, high = 0.0, 1.0
    low, high = to_dtype(low, dtype), to_dtype(high, dtype)
    same = operators.equal(low, high)
    half = to_dtype(0.5, dtype)
    low, high = (
        lax.select(same, operators.subtract(low, half), low),
        lax.select(same, operators.add(high, half), high),
    )
    return linspace(low, high, bins + 1, dtype=dtype)


def histogram_bin_edges(
    a: ArrayLike, bins: Any = 10, range: Any = None, weights: ArrayLike | None = None
) -> Array:
    """The ends of the bins that `histogram` counts in.

    Args:
        a: an array.
        bins: how many bins; or their ends, which are then the result.
        range: the first and the last end; the least and the greatest element if None.
        weights: of no effect.

    Raises:
        NotImplementedError: `bins` is the name of a method.

    >>> jnp.histogram_bin_edges(jnp.array([0.0, 4.0]), bins=2)
    Array([0., 2., 4.], dtype=float32)
    """
    if isinstance(bins, str):
        raise NotImplementedError(
            f"jnp.histogram_bin_edges: bins must be a number or an array, got {bins!r}"
        )
    x = as_operand("histogram_bin_edges", a)
    if not isinstance(bins, (list, tuple)) and not typeof(as_operand("histogram", bins, 1)).ndim:
        count = an_integer("histogram_bin_edges", bins, "bins")
        if count < 1:
            raise ValueError(f"jnp.histogram_bin_edges: bins must be positive, got {bins}")
        low, high = (None, None) if range is None else range
        return _edges(x, count, low, high)
    return convert(asarray(bins), operators.to_inexact(typeof(x).dtype))


def histogram(
    a: ArrayLike,
    bins: Any = 10,
    range: Any = None,
    weights: ArrayLike | None = None,
    density: bool | None = None,
) -> tuple[Array, Array]:
    """How many elements fall into each of a row of bins.

    Args:
        a: an array; it is flattened.
        bins: how many bins; or their ends, in ascending order.
        range: the first and the last end; the least and the greatest element if None.
        weights: how much each element counts; 1 if None.
        density: whether to divide by the bins' widths and the sum of all counts.

    Returns:
        The counts, and the ends of the bins. A bin has its left end, the last one both.

    Raises:
        ValueError: `weights` has another shape than `a`.

    >>> jnp.histogram(jnp.array([0.0, 1.0, 3.0, 4.0]), bins=2)
    (Array([2., 2.], dtype=float32), Array([0., 2., 4.], dtype=float32))
    """
    x = as_operand("histogram", a)
    edges = histogram_bin_edges(x, bins, range, weights)
    if weights is not None and typeof(as_operand("histogram", weights, 1)).shape != typeof(x).shape:
        raise ValueError(
            f"jnp.histogram: weights must have the shape of a, {typeof(x).shape}, got "
            f"{typeof(weights).shape}"
        )
    even = not np.ndim(bins)
    return _histogram(x, edges, weights, bool(density), even), edges


def _bin_of(x: Array, edges: Array, even: bool = False) -> Array:
    """The number of the bin each element falls into; -1 or the number of bins outside of them.

    Where the bins are said to be `even`, and the numbers fine enough to tell them apart, it is
    computed, and corrected by one where rounding has it wrong; otherwise searched for.
    """
    n = typeof(edges).size
    if even and n > 2 and typeof(edges).dtype.itemsize >= 4:
        first, last = (lax.index_in_dim(edges, i, keepdims=False) for i in (0, n - 1))
        width = operators.divide(operators.subtract(last, first), n - 1)
        largest = lax.max(lax.abs(first), lax.abs(last))
        least = operators.multiply(largest, 16 * float(dtypes.finfo(typeof(edges).dtype).eps))
        return lax.cond(operators.greater(width, least), _computed_bin, _searched_bin, x, edges)
    return _searched_bin(x, edges)


def _computed_bin(x: Array, edges: Array) -> Array:
    n = typeof(edges).size - 1
    first, last = (lax.index_in_dim(edges, i, keepdims=False) for i in (0, n))
    scale = operators.divide(n, operators.subtract(last, first))
    inside = lax.bitwise_and(operators.greater_equal(x, first), operators.less_equal(x, last))
    share = operators.multiply(operators.subtract(x, first), scale)
    share = lax.select(inside, share, lax.full_like(share, 0))
    place = lax.min(convert(share, np.dtype(np.int32)), np.int32(n - 1))
    left, right = (at(edges, operators.add(place, k)) for k in (0, 1))
    is_before = operators.less(x, left)
    is_after = lax.bitwise_and(operators.greater_equal(x, right), operators.less(place, n - 1))
    step = operators.subtract(convert(is_after, np.dtype(np.int32)), convert(is_before, np.int32))
    return lax.select(inside, operators.add(place, step), lax.full_like(place, -1))


def _searched_bin(x: Array, edges: Array) -> Array:
    n = typeof(edges).size
    place = operators.subtract(search(edges, x, "right"), 1)
    is_last = operators.equal(x, lax.index_in_dim(edges, n - 1, keepdims=False))
    return lax.select(is_last, lax.full_like(place, n - 2), place)


def _weights(weights: Any, dtype: Any) -> Any:
    """What points count, as floats at least as wide as the ends of bins."""
    return convert(weights, dtypes.result_type(typeof(weights).dtype, dtype))


@array_function("density", "even")
def _histogram(x: Any, edges: Any, weights: Any, density: bool, even: bool = False) -> Array:
    dtype = typeof(edges).dtype
    x = lax.reshape(convert(x, dtype), (typeof(x).size,))
    if weights is None:
        weights = lax.full(typeof(x).shape, 1.0, dtype)
    else:
        weights = lax.reshape(_weights(weights, dtype), (typeof(weights).size,))
    n = typeof(edges).size - 1
    places = _bin_of(x, edges, even)
    places = lax.select(operators.less(places, 0), lax.full_like(places, n), places)
    counts = asarray(lax.full((n,), 0, typeof(weights).dtype)).at[places].add(weights, mode="drop")
    if not density:
        return counts
    widths = lax.sub(lax.slice_in_dim(edges, 1, n + 1), lax.slice_in_dim(edges, 0, n))
    total = lax.reduce_sum(counts, (0,))
    return operators.divide(operators.divide(counts, widths), total)


def histogramdd(
    sample: ArrayLike,
    bins: Any = 10,
    range: Any = None,
    weights: ArrayLike | None = None,
    density: bool | None = None,
) -> tuple[Array, list[Array]]:
    """How many points fall into each cell of a grid.

    Args:
        sample: points, of shape (points, dimensions).
        bins: how many bins along each dimension, or their ends; one number for all, or a
            sequence with an entry for each.
        range: the first and last end along each dimension; from the points if None.
        weights: how much each point counts; 1 if None.
        density: whether to divide by the cells' volumes and the sum of all counts.

    Returns:
        The counts, integers where there are no weights and no density, and a list of the ends
        along each dimension.

    Raises:
        ValueError: `bins` or `range` does not fit the dimensions.

    >>> jnp.histogramdd(jnp.array([[0.0, 0.0], [1.0, 1.0]]), bins=2)[0]
    Array([[1, 0],
           [0, 1]], dtype=int32)
    """
    points = as_operand("histogramdd", sample)
    if typeof(points).ndim == 1:
        points = lax.expand_dims(points, (1,))
    if typeof(points).ndim != 2:
        raise ValueError(
            f"jnp.histogramdd: sample must have shape (points, dimensions), got "
            f"{typeof(points).shape}"
        )
    dims = typeof(points).shape[1]
    per_axis = list(bins) if isinstance(bins, (list, tuple)) else [bins] * dims
    ranges = [None] * dims if range is None else list(range)
    if len(per_axis) != dims or len(ranges) != dims:
        raise ValueError(
            f"jnp.histogramdd: bins and range must have an entry for each of {dims} dimensions"
        )
    columns = lax.unstack(points, 1)
    edges = [
        histogram_bin_edges(x, b, r) for x, b, r in zip(columns, per_axis, ranges, strict=True)
    ]
    return _histogramdd(columns, edges, weights, bool(density)), edges


@array_function("density")
def _histogramdd(
    columns: Sequence[Any], edges: Sequence[Any], weights: Any, density: bool
) -> Array:
    shape = tuple([typeof(e).size - 1 for e in edges])
    dtype = typeof(edges[0]).dtype
    if weights is not None:
        weights = _weights(weights, dtype)
    else:  # counted in integers, as floats have no place for more than 2^24
        number = dtype if density else dtypes.canonicalize_dtype(np.int64)
        weights = lax.full(typeof(columns[0]).shape, 1, number)
    cell = lax.full(typeof(columns[0]).shape, 0, np.dtype(np.int32))
    inside: Any = lax.full(typeof(columns[0]).shape, True, np.dtype(np.bool_))
    for x, ends, n in zip(columns, edges, shape, strict=True):
        place = convert(_bin_of(convert(x, typeof(ends).dtype), ends), np.dtype(np.int32))
        ok = operators.bitwise_and(operators.greater_equal(place, 0), operators.less(place, n))
        inside = operators.bitwise_and(inside, ok)
        cell = operators.add(operators.multiply(cell, n), place)
    size = int(np.prod(shape))
    cell = lax.select(inside, cell, lax.full_like(cell, size))
    counts = asarray(lax.full((size,), 0, typeof(weights).dtype)).at[cell].add(weights, mode="drop")
    counts = lax.reshape(counts, shape)
    if not density:
        return counts
    counts = operators.divide(counts, lax.reduce_sum(counts, tuple(range(len(shape)))))
    for i, (ends, n) in enumerate(zip(edges, shape, strict=True)):
        widths = lax.sub(lax.slice_in_dim(ends, 1, n + 1), lax.slice_in_dim(ends, 0, n))
        counts = lax.div(counts, lax.broadcast_in_dim(widths, shape, (i,)))
    return counts


def histogram2d(
    x: ArrayLike,
    y: ArrayLike,
    bins: Any = 10,
    range: Any = None,
    weights: ArrayLike | None = None,
    density: bool | None = None,
) -> tuple[Array, Array, Array]:
    """How many points of the plane fall into each cell of a grid.

    Args:
        x, y: the points' coordinates, vectors.
        bins: how many bins along each axis, or their ends; one for both, or a pair.
        range, weights, density: as for `histogramdd`.

    Returns:
        The counts, and the ends along both axes.

    >>> jnp.histogram2d(jnp.array([0.0, 1.0]), jnp.array([0.0, 1.0]), bins=2)[0]
    Array([[1, 0],
           [0, 1]], dtype=int32)
    """
    points = lax.stack(operators.promote_dtypes("histogram2d", x, y), 1)
    if not isinstance(bins, (list, tuple)):
        bins = [bins, bins]
    elif len(bins) != 2:
        bins = [asarray(bins), asarray(bins)]
    counts, (x_edges, y_edges) = histogramdd(points, bins, range, weights, density)
    return counts, x_edges, y_edges


# Covariances.


@array_function("rowvar", "bias", "ddof", "dtype")
def cov(
    m: ArrayLike,
    y: ArrayLike | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: ArrayLike | None = None,
    aweights: ArrayLike | None = None,
    dtype: Any = None,
) -> Array:
    """The covariances of variables.

    Args:
        m: observations: a row for each variable, or a column if not `rowvar`; a vector is one
            variable.
        y: more variables, in the same form.
        rowvar: whether rows are variables.
        bias: whether to divide by the number of observations, or by one less.
        ddof: how much less, instead of `bias`.
        fweights: how often each observation was made, integers.
        aweights: how much each observation counts.
        dtype: the result's dtype.

    Raises:
        ValueError: an array has more than two axes, weights don't fit, or `ddof` is no integer.
        TypeError: `fweights` is not of integers.

    >>> jnp.cov(jnp.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    Array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    arrays = promote_dtypes_inexact("cov", *([m] if y is None else [m, y]))
    dtype = typeof(arrays[0]).dtype if dtype is None else a_dtype("cov", dtype)
    arrays = [convert(x, dtype) for x in arrays]
    if ddof is not None and ddof != int(ddof):
        raise ValueError(f"jnp.cov: ddof must be an integer, got {ddof}")
    x = lax.concatenate([_variables(x, rowvar, i) for i, x in enumerate(arrays)], 0)
    n = typeof(x).shape[1]
    ddof = (0 if bias else 1) if ddof is None else int(ddof)
    weights = _observation_weights(n, fweights, aweights, typeof(x).dtype)
    if weights is None:
        mean = operators.divide(lax.reduce_sum(x, (1,)), lax.dim_as_float(n) if n else np.nan)
        factor: Any = lax.dim_as_float(n - ddof)
    else:
        total = lax.reduce_sum(weights, (0,))
        mean = lax.div(lax.reduce_sum(operators.multiply(x, weights), (1,)), total)
        if not ddof:
            factor = total
        elif aweights is None:
            factor = operators.subtract(total, ddof)
        else:
            squares = lax.reduce_sum(
                operators.multiply(weights, convert(aweights, typeof(weights).dtype)), (0,)
            )
            factor = operators.subtract(
                total, operators.divide(operators.multiply(ddof, squares), total)
            )
    centred = operators.subtract(x, lax.expand_dims(mean, (1,)))
    weighted = centred if weights is None else operators.multiply(centred, weights)
    other = lax.conj(weighted) if is_complex(typeof(x).dtype) else weighted
    product = lax.dot_general(
        centred, other, (((1,), (1,)), ((), ())), precision=lax.Precision.HIGHEST
    )
    result = operators.divide(product, factor)
    one_axes = tuple([i for i, k in enumerate(typeof(result).shape) if k == 1])
    return lax.squeeze(result, one_axes)


def _variables(x: Any, rowvar: bool, position: int) -> Array:
    shape = typeof(x).shape
    if len(shape) > 2:
        raise ValueError(
            f"jnp.cov takes arrays of two axes at most, got shape {shape} at position {position}"
        )
    x = lax.broadcast_to_rank(x, 2)
    if not rowvar and len(shape) == 2 and shape[0] != 1:
        x = lax.transpose(x, (1, 0))
    return x


def _observation_weights(n: int, fweights: Any, aweights: Any, dtype: Any) -> Any:
    weights = None
    for name, w in (("fweights", fweights), ("aweights", aweights)):
        if w is None:
            continue
        w = as_operand("cov", w)
        if typeof(w).shape != (n,):
            raise ValueError(
                f"jnp.cov: {name} must have an entry for each of {n} observations, got shape "
                f"{typeof(w).shape}"
            )
        if name == "fweights" and not is_integer(typeof(w).dtype):
            raise TypeError(f"jnp.cov: fweights must be integers, got {typeof(w).dtype.name}")
        w = lax.abs(convert(w, np.empty(0, dtype).real.dtype if dtype.kind == "c" else dtype))
        weights = w if weights is None else lax.mul(weights, w)
    return weights


@array_function("rowvar", "dtype")
def corrcoef(
    x: ArrayLike, y: ArrayLike | None = None, rowvar: bool = True, dtype: Any = None
) -> Array:
    """The correlation coefficients of variables.

    Args:
        x, y, rowvar, dtype: as for `cov`.

    >>> jnp.corrcoef(jnp.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    Array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    c = plain(cov)(x, y, rowvar, dtype=dtype)
    if not typeof(c).ndim:
        return lax.div(c, c)
    deviations = lax.sqrt(_real_diagonal(c))
    c = operators.divide(c, lax.expand_dims(deviations, (1,)))
    c = operators.divide(c, lax.expand_dims(deviations, (0,)))
    low, high = np.float32(-1), np.float32(1)
    if is_complex(typeof(c).dtype):
        parts = [lax.clamp(to_dtype(low, typeof(p).dtype), p, to_dtype(high, typeof(p).dtype))
                 for p in (lax.real(c), lax.imag(c))]  # fmt: skip
        return lax.complex(*parts)
    return lax.clamp(to_dtype(low, typeof(c).dtype), c, to_dtype(high, typeof(c).dtype))


def _real_diagonal(c: Array) -> Array:
    n = typeof(c).shape[0]
    flat = lax.reshape(c, (n * n,))
    diagonal = lax.slice_in_dim(flat, 0, n * n, n + 1)
    return lax.real(diagonal) if is_complex(typeof(c).dtype) else diagonal
