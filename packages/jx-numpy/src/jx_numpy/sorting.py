"""Sorting, partitioning, and searching in what is sorted."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import dtypes, lax, operators
from jx_core.ops.axes import narrow
from jx_core.ops.elementwise import convert

from .functions import array_function
from .operands import (
    Array,
    ArrayLike,
    a_dtype,
    an_integer,
    as_operand,
    is_complex,
    is_integer,
    one_axis,
    promote_dtypes,
    to_inexact,
    typeof,
)

__all__ = [
    "argpartition", "argsort", "digitize", "lexsort", "partition", "searchsorted", "sort",
    "sort_complex",
]  # fmt: skip


def _place_dtype() -> Any:
    return dtypes.canonicalize_dtype(np.int64)


def _along(name: str, a: Any, axis: Any) -> tuple[Any, int]:
    """The array and the axis to sort along: flattened, and its only one, for None."""
    x = as_operand(name, a)
    if axis is None:
        return lax.reshape(x, (typeof(x).size,)), 0
    return x, one_axis(name, axis, typeof(x).ndim)


def _check_kind(name: str, kind: Any, order: Any) -> None:
    if kind is not None:
        raise TypeError(
            f"jnp.{name}: kind must be None, got {kind!r}; stable= says whether the sort is stable"
        )
    if order is not None:
        raise TypeError(f"jnp.{name}: order must be None, for arrays have no fields; got {order!r}")


@array_function("axis", "kind", "order", "stable", "descending")
def sort(
    a: ArrayLike,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
) -> Array:
    """An array sorted along an axis, NaN last.

    Args:
        a: an array. Complex numbers are ordered by real part, then by imaginary part.
        axis: the axis; the array is flattened if None.
        kind, order: must be None.
        stable: whether equal elements keep their order.
        descending: whether the greatest come first.

    Raises:
        ShapeError: the axis is out of range.
        TypeError: `kind` or `order` is given.

    >>> jnp.sort(jnp.array([3, 1, 2]))
    Array([1, 2, 3], dtype=int32)
    """
    _check_kind("sort", kind, order)
    x, place = _along("sort", a, axis)
    result = lax.sort(x, place, is_stable=stable)
    return lax.rev(result, (place,)) if descending else result


@array_function("axis", "kind", "order", "stable", "descending", "dtype")
def argsort(
    a: ArrayLike,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
    dtype: Any = None,
) -> Array:
    """The indices that sort an array along an axis.

    Args:
        a, axis, kind, order, stable, descending: as for `sort`.
        dtype: the indices' dtype; the default integer one if None.

    Raises:
        ShapeError: the axis is out of range.
        TypeError: `kind` or `order` is given.

    >>> jnp.argsort(jnp.array([3, 1, 2]))
    Array([1, 2, 0], dtype=int32)
    """
    _check_kind("argsort", kind, order)
    x, place = _along("argsort", a, axis)
    dtype = _place_dtype() if dtype is None else a_dtype("argsort", dtype)
    return order_of(x, place, stable, descending, dtype)


def order_of(
    x: Array, axis: int, stable: bool = True, descending: bool = False, dtype: Any = None
) -> Array:
    """The indices that sort an array along an axis counted from the front."""
    shape = typeof(x).shape
    places = lax.broadcasted_iota(dtype or _place_dtype(), shape, axis)
    if descending:
        # Reversing before and after keeps the order of equal elements.
        x, places = lax.rev(x, (axis,)), lax.rev(places, (axis,))
    _, result = lax.sort((x, places), axis, is_stable=stable, num_keys=1)
    return lax.rev(result, (axis,)) if descending else result


@array_function("kth", "axis")
def partition(a: ArrayLike, kth: int, axis: int = -1) -> Array:
    """An array rearranged along an axis around one element of the sorted array.

    Elements that are less come before it, greater ones after it; here, those in ascending
    order and these in descending order.

    Args:
        a: an array.
        kth: the place of that element.
        axis: the axis.

    Raises:
        ShapeError: the axis, or `kth`, is out of range.
        TypeError: `a` is complex.

    >>> jnp.partition(jnp.array([3, 1, 2, 4]), 1)
    Array([1, 2, 4, 3], dtype=int32)
    """
    x, place = _along("partition", a, axis)
    kth = _check_partition("partition", x, kth, place)
    low, high = _divided(lax.sort(x, place), kth, place)
    return lax.concatenate([low, lax.rev(high, (place,))], place)


def _divided(x: Any, kth: int, axis: int) -> tuple[Any, Any]:
    """What is up to place `kth` along an axis, and what is after it."""
    n = typeof(x).shape[axis]
    return (
        lax.slice_in_dim(x, 0, kth + 1, axis=axis),
        lax.slice_in_dim(x, kth + 1, n, axis=axis),
    )


@array_function("kth", "axis")
def argpartition(a: ArrayLike, kth: int, axis: int = -1) -> Array:
    """The indices that rearrange an array around one element of the sorted array.

    Arguments and errors as for `partition`. The places of lesser elements are in the order of
    these, those of greater ones ascend.

    >>> jnp.argpartition(jnp.array([3, 1, 2, 4]), 1)
    Array([1, 2, 0, 3], dtype=int32)
    """
    x, place = _along("argpartition", a, axis)
    kth = _check_partition("argpartition", x, kth, place)
    low, high = _divided(order_of(x, place), kth, place)
    return lax.concatenate([low, lax.sort(high, place)], place)


def _check_partition(name: str, x: Any, kth: Any, place: int) -> int:
    """`kth` counted from the front."""
    aval = typeof(x)
    if is_complex(aval.dtype):
        raise TypeError(f"jnp.{name} takes real numbers, got dtype {aval.dtype.name}")
    return one_axis(name, an_integer(name, kth, "kth"), aval.shape[place], "kth")


@array_function("axis")
def lexsort(keys: Any, axis: int = -1) -> Array:
    """The indices that sort by several keys, of which the last counts most.

    Args:
        keys: arrays of one shape, in a sequence or as the rows of an array.
        axis: the axis to sort along.

    Raises:
        TypeError: there are no keys.
        ShapeError: shapes differ, or the axis is out of range.

    >>> jnp.lexsort((jnp.array([2, 1, 0]), jnp.array([0, 1, 0])))
    Array([2, 0, 1], dtype=int32)
    """
    if hasattr(keys, "ndim"):
        keys = lax.unstack(keys, 0) if keys.ndim else ()
    keys = [as_operand("lexsort", key, i) for i, key in enumerate(keys)]
    if not keys:
        raise TypeError("jnp.lexsort needs a sequence of keys with one at least, got none")
    aval = typeof(keys[0])
    if not aval.ndim:
        return lax.full((), 0, _place_dtype())
    place = one_axis("lexsort", axis, aval.ndim)
    places = lax.broadcasted_iota(_place_dtype(), aval.shape, place)
    return lax.sort((*keys[::-1], places), place, num_keys=len(keys))[-1]


@array_function()
def sort_complex(a: ArrayLike) -> Array:
    """An array sorted by real part, then by imaginary part, as complex numbers.

    Args:
        a: an array of one axis at least; it is sorted along the last.

    >>> jnp.sort_complex(jnp.array([2, 1]))
    Array([1.+0.j, 2.+0.j], dtype=complex64)
    """
    x, place = _along("sort_complex", a, -1)
    dtype = np.result_type(to_inexact(typeof(x).dtype), np.complex64)
    return convert(lax.sort(x, place), dtypes.canonicalize_dtype(dtype))


# Searching.


@array_function("side", "method")
def searchsorted(
    a: ArrayLike,
    v: ArrayLike,
    side: str = "left",
    sorter: ArrayLike | None = None,
    *,
    method: str = "scan",
) -> Array:
    """The places in a sorted vector at which elements would be put in to keep it sorted.

    Args:
        a: a vector in ascending order, or in that of `sorter`.
        v: the elements to find places for.
        side: `left` for the first suitable place, `right` for the last.
        sorter: the indices that sort `a`, from `argsort`.
        method: how to search: `scan` and `scan_unrolled` halve the vector again and again,
            `sort` sorts both together, `compare_all` compares all pairs.

    Returns:
        An array of integers, of the dtype of indices, of the shape of `v`.

    Raises:
        ValueError: `side` or `method` is another word, or `a` is no vector.

    >>> jnp.searchsorted(jnp.array([1, 3, 5]), jnp.array([0, 3, 6]))
    Array([0, 1, 3], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ValueError(f"invalid argument side={side!r}, expected 'left' or 'right'")
    if method not in ("scan", "scan_unrolled", "sort", "compare_all"):
        raise ValueError(
            f"invalid argument method={method!r}, expected 'scan', 'scan_unrolled', 'sort' or "
            f"'compare_all'"
        )
    return convert(search(a, v, side, sorter, method), _place_dtype())


def search(
    a: ArrayLike, v: ArrayLike, side: str, sorter: ArrayLike | None = None, method: str = "scan"
) -> Array:
    """As `searchsorted`, for other array functions: int32 where that holds every place."""
    a, v = promote_dtypes("searchsorted", a, v)
    shape = typeof(a).shape
    if len(shape) != 1:
        raise ValueError(f"jnp.searchsorted: a must be a vector, got shape {shape}")
    dtype = np.dtype(np.int32) if narrow(shape) else _place_dtype()
    if not shape[0]:
        return lax.full(typeof(v).shape, 0, dtype)
    if sorter is not None:
        a = at(a, as_operand("searchsorted", sorter, 3))
    if method == "compare_all":
        return _by_comparing(a, v, side, dtype)
    if method == "sort":
        return _by_sorting(a, v, side, dtype)
    return _by_halving(a, v, side, dtype, unrolled=method == "scan_unrolled")


def at(a: Array, indices: Any) -> Array:
    """The elements of a vector at indices that are in bounds, of any shape."""
    shape = typeof(indices).shape
    flat = lax.reshape(indices, (typeof(indices).size, 1))
    numbers = lax.GatherDimensionNumbers(
        offset_dims=(), collapsed_slice_dims=(0,), start_index_map=(0,)
    )
    found = lax.gather(a, flat, numbers, (1,), mode=lax.GatherScatterMode.PROMISE_IN_BOUNDS)
    return lax.reshape(found, shape)


def _comes_before(x: Any, v: Any, side: str) -> Array:
    """Whether an element of the sorted vector lies before the place of `v`; NaN is last."""
    before = operators.less(x, v) if side == "left" else operators.less_equal(x, v)
    if is_integer(typeof(x).dtype) or typeof(x).dtype == np.bool_:
        return before
    v_is_nan, x_is_nan = operators.not_equal(v, v), operators.not_equal(x, x)
    if side == "left":
        x_is_number = lax.bitwise_not(x_is_nan)
        return operators.bitwise_or(before, operators.bitwise_and(v_is_nan, x_is_number))
    return operators.bitwise_or(before, v_is_nan)


def _by_comparing(a: Any, v: Any, side: str, dtype: Any) -> Array:
    column = lax.reshape(a, (typeof(a).size,) + (1,) * typeof(v).ndim)
    before = _comes_before(column, v, side)
    return lax.reduce_sum(convert(before, dtype), (0,))


def _by_sorting(a: Any, v: Any, side: str, dtype: Any) -> Array:
    """Sort both together; the elements of `a` that come before each of `v` are then counted."""
    shape, n, m = typeof(v).shape, typeof(a).size, typeof(v).size
    flat = lax.reshape(v, (m,))
    parts = [flat, a] if side == "left" else [a, flat]
    order = order_of(lax.concatenate(parts, 0), 0, dtype=dtype)
    # The inverse permutation: where each element came to lie.
    rank = order_of(order, 0, dtype=dtype)
    mine = lax.slice_in_dim(rank, 0, m) if side == "left" else lax.slice_in_dim(rank, n, n + m)
    among = order_of(order_of(flat, 0, dtype=dtype), 0, dtype=dtype)
    return lax.reshape(lax.sub(mine, among), shape)


def _by_halving(a: Any, v: Any, side: str, dtype: Any, unrolled: bool) -> Array:
    """Halve the stretch in which each place lies, until it is one place long."""
    n = typeof(a).size
    shape = typeof(v).shape
    low, high = lax.full(shape, 0, dtype), lax.full(shape, n, dtype)

    def halve(_: Any, ends: tuple[Any, Any]) -> tuple[Any, Any]:
        low, high = ends
        middle = operators.right_shift(lax.add(low, high), 1)
        go_right = _comes_before(at(a, lax.min(middle, _number(n - 1, dtype))), v, side)
        go_right = lax.bitwise_and(go_right, lax.lt(low, high))
        return (
            lax.select(go_right, operators.add(middle, 1), low),
            lax.select(go_right, high, lax.min(middle, high)),
        )

    steps = n.bit_length() if type(n) is int else 32
    if unrolled:
        for step in range(steps):
            low, high = halve(step, (low, high))
        return low
    return lax.fori_loop(0, steps, halve, (low, high))[0]


def _number(value: int, dtype: Any) -> Any:
    if type(value) is int:
        return np.asarray(value, dtype)[()]
    return convert(lax.dim_as_value(value), dtype)


@array_function("right", "method")
def digitize(
    x: ArrayLike, bins: ArrayLike, right: bool = False, *, method: str | None = None
) -> Array:
    """The numbers of the bins that elements fall into.

    Args:
        x: an array.
        bins: the bins' ends: a vector in ascending or descending order.
        right: whether a bin has its right end (going up), or its left one.
        method: as for `searchsorted`.

    Returns:
        An array of integers of the shape of `x`: 0 before the first end, `len(bins)` after
        the last.

    Raises:
        ValueError: `bins` is no vector.

    >>> jnp.digitize(jnp.array([0.5, 1.5, 2.5]), jnp.array([1.0, 2.0]))
    Array([0, 1, 2], dtype=int32)
    """
    ends = as_operand("digitize", bins, 1)
    if typeof(ends).ndim != 1:
        raise ValueError(f"jnp.digitize: bins must be a vector, got shape {typeof(ends).shape}")
    x = as_operand("digitize", x)
    n = typeof(ends).size
    if not n:
        return lax.full(typeof(x).shape, 0, np.dtype(np.int32))
    side = "left" if right else "right"
    how = method or "scan"
    ascending = search(ends, x, side, method=how)
    from_the_end = search(lax.rev(ends, (0,)), x, side, method=how)
    descending = lax.sub(lax.full_like(from_the_end, n), from_the_end)
    first = lax.index_in_dim(ends, 0, keepdims=False)
    last = lax.index_in_dim(ends, n - 1, keepdims=False)
    return lax.select(operators.less_equal(first, last), ascending, descending)
