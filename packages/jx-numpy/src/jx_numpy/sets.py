"""Arrays as sets: distinct elements, unions, differences, membership.

How many distinct elements there are depends on values. Where these are traced, `size` gives
the result's length, and `fill_value` what comes after the elements there are.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from jx_core import lax, operators
from jx_core.dtypes import python_scalar_dtype
from jx_core.errors import concrete_or_error
from jx_core.ops.elementwise import convert

from .creation import asarray
from .functions import array_function, plain
from .operands import (
    INEXACT,
    Array,
    ArrayLike,
    an_integer,
    as_operand,
    broadcast_to,
    one_axis,
    promote_dtypes,
    strong,
    to_dtype,
    type_of,
    typeof,
)
from .sorting import at, order_of, search, searchsorted

__all__ = [
    "intersect1d", "isin", "setdiff1d", "setxor1d", "union1d", "unique", "unique_all",
    "unique_counts", "unique_inverse", "unique_values",
]  # fmt: skip

_INT32 = np.dtype(np.int32)


class _UniqueAll(NamedTuple):
    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class _UniqueCounts(NamedTuple):
    values: Array
    counts: Array


class _UniqueInverse(NamedTuple):
    values: Array
    inverse_indices: Array


@array_function("equal_nan")
def _sorted_rows(rows: Any, equal_nan: bool) -> tuple[Array, Array, Array]:
    """Sort the rows of a matrix lexicographically.

    Returns:
        The order, which of the sorted rows differ from the one before, and how many do.
    """
    n, m = typeof(rows).shape
    if m == 1:
        order = order_of(lax.reshape(rows, (n,)), 0, dtype=_INT32)
    elif m:
        columns = [lax.index_in_dim(rows, j, axis=1, keepdims=False) for j in range(m)]
        order = lax.sort((*columns, lax.iota(_INT32, n)), 0, num_keys=m)[-1]
    else:
        order = lax.iota(_INT32, n)
    ordered = _rows_at(rows, order)
    before = lax.slice_in_dim(ordered, 0, max(n - 1, 0))
    after = lax.slice_in_dim(ordered, min(1, n), n)
    differs = lax.ne(before, after)
    if equal_nan and typeof(rows).dtype in INEXACT:
        both = lax.bitwise_and(lax.ne(before, before), lax.ne(after, after))
        differs = lax.bitwise_and(differs, lax.bitwise_not(both))
    first = np.ones((min(1, n),), np.bool_)
    is_new = lax.concatenate([first, lax.reduce_or(differs, (1,))], 0)
    return order, is_new, lax.reduce_sum(convert(is_new, _INT32), (0,))


def _rows_at(rows: Array, indices: Array) -> Array:
    if not typeof(rows).shape[0]:
        return rows
    numbers = lax.GatherDimensionNumbers(
        offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,)
    )
    column = lax.expand_dims(indices, (1,))
    sizes = (1, typeof(rows).shape[1])
    return lax.gather(rows, column, numbers, sizes, mode=lax.GatherScatterMode.CLIP)


@array_function("size")
def _described(
    rows: Any, order: Any, is_new: Any, size: int, fill_value: Any
) -> tuple[Array, Array, Array, Array]:
    """The distinct rows, where each occurs first, which of them each row is, and how often."""
    n, m = typeof(rows).shape
    number = operators.subtract(lax.cumsum(convert(is_new, _INT32)), 1)  # of each sorted row
    places = lax.iota(_INT32, size)
    starts = search(number, places, "left")
    starts = lax.select(operators.less(starts, n), starts, lax.full_like(starts, n))
    ends = search(number, places, "right")
    counts = lax.sub(ends, starts)
    exists = operators.greater(counts, 0)
    first = lax.min(starts, np.int32(max(n - 1, 0)))
    indices = lax.reshape(_rows_at(lax.reshape(order, (n, 1)), first), (size,))
    values = _rows_at(rows, indices)
    if fill_value is None:
        filler = lax.slice_in_dim(values, 0, 1)
    else:
        filler = lax.full((1, m), to_dtype(fill_value, typeof(rows).dtype), typeof(rows).dtype)
    shape = (size, m)
    filler = lax.broadcast_in_dim(filler, shape, (0, 1))
    values = lax.select(lax.broadcast_in_dim(exists, shape, (0,)), values, filler)
    first_index = lax.broadcast_in_dim(lax.slice_in_dim(indices, 0, 1), (size,), (0,))
    indices = lax.select(exists, indices, first_index)
    # A row's number is found where it went in the sorted order.
    went = order_of(order, 0, dtype=_INT32)
    inverse = lax.reshape(_rows_at(lax.reshape(number, (n, 1)), went), (n,))
    # Indices are computed narrow and handed out in the dtype that all indices have.
    dtype = python_scalar_dtype(int)
    return values, convert(indices, dtype), convert(inverse, dtype), convert(counts, dtype)


def _unique(
    name: str, ar: Any, axis: Any, size: Any, fill_value: Any, equal_nan: bool
) -> tuple[Array, Array, Array, Array]:
    """Values, first indices, inverse and counts of the distinct elements or slices."""
    x = asarray(as_operand(name, ar))
    shape = typeof(x).shape
    if axis is None:
        place = 0
        sub: tuple[int, ...] = ()
        rows = lax.reshape(x, (typeof(x).size, 1))
    else:
        place = one_axis(name, axis, len(shape))
        order = (place, *[i for i in range(len(shape)) if i != place])
        moved = lax.transpose(x, order)
        sub = typeof(moved).shape[1:]
        rows = lax.reshape(moved, (shape[place], math.prod(sub)))
    n = typeof(rows).shape[0]
    order, is_new, found = _sorted_rows(rows, equal_nan)
    if size is None:
        known = concrete_or_error(
            found, f"the number of distinct elements, of jnp.{name}; size= gives it beforehand"
        )
        count = int(known)
    else:
        count = an_integer(name, size, "size")
    if not n:
        empty = lax.full((0,), 0, python_scalar_dtype(int))
        if count:
            raise ValueError(f"jnp.{name}: an empty array has no distinct elements, size={size}")
        if axis is not None:
            return x, empty, empty, empty
        return lax.reshape(x, (0,)), empty, lax.reshape(empty, shape), empty
    values, indices, inverse, counts = _described(rows, order, is_new, count, fill_value)
    values = lax.reshape(values, (count, *sub))
    if axis is None:
        inverse = lax.reshape(inverse, shape)
    elif place:
        back = [*range(1, len(shape))]
        back.insert(place, 0)
        values = lax.transpose(values, back)
    return values, indices, inverse, counts


@array_function("equal_nan")
def _sorted_elements(x: Any, equal_nan: bool) -> tuple[Array, Array]:
    """The elements in order, and of each the number of distinct ones that come before it."""
    n = typeof(x).size
    ordered = lax.sort(lax.reshape(x, (n,)))
    before = lax.slice_in_dim(ordered, 0, max(n - 1, 0))
    after = lax.slice_in_dim(ordered, min(1, n), n)
    differs = lax.ne(before, after)
    if equal_nan and typeof(x).dtype in INEXACT:
        both = lax.bitwise_and(lax.ne(before, before), lax.ne(after, after))
        differs = lax.bitwise_and(differs, lax.bitwise_not(both))
    start = np.zeros((min(1, n),), np.int32)
    return ordered, lax.cumsum(lax.concatenate([start, convert(differs, _INT32)], 0))


@array_function("size", "equal_nan")
def _distinct(x: Any, size: int, fill_value: Any, equal_nan: bool) -> Array:
    """The distinct elements of an array that is not empty, in order."""
    ordered, number = plain(_sorted_elements)(x, equal_nan)
    n = typeof(ordered).size
    starts = search(number, lax.iota(_INT32, size), "left")
    values = at(ordered, lax.min(starts, np.int32(n - 1)))
    if fill_value is None:
        filler = lax.index_in_dim(ordered, 0, keepdims=False)
    else:
        filler = to_dtype(fill_value, typeof(x).dtype)
    return lax.select(operators.less(starts, n), values, broadcast_to(filler, (size,)))


def _unique_elements(name: str, ar: Any, size: Any, fill_value: Any, equal_nan: bool) -> Array:
    """The distinct elements alone, for which it is enough to sort them without their places."""
    x = asarray(as_operand(name, ar))
    if not typeof(x).size:
        return _unique(name, x, None, size, fill_value, equal_nan)[0]
    if size is None:
        known = concrete_or_error(
            _sorted_elements(x, equal_nan)[1],
            f"the number of distinct elements, of jnp.{name}; size= gives it beforehand",
        )
        size = int(known[-1]) + 1
    return _distinct(x, an_integer(name, size, "size"), fill_value, equal_nan)


def unique(
    ar: ArrayLike,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
    sorted: bool = True,
) -> Any:
    """The distinct elements of an array, in ascending order.

    Args:
        ar: an array.
        return_index: also return where each of them occurs first.
        return_inverse: also return the indices that make the array out of them.
        return_counts: also return how often each occurs.
        axis: the axis whose slices are compared; None compares elements.
        equal_nan: whether NaN is equal to NaN.
        size: how many to return; needed where the array is traced.
        fill_value: what comes after them, if there are less; the least of them if None.
        sorted: of no effect: they are always sorted.

    Returns:
        The values, or a tuple of them and of what else was asked for.

    Raises:
        ConcretizationTypeError: the array is traced and `size` is None.

    >>> jnp.unique(jnp.array([3, 1, 1]), return_counts=True)
    (Array([1, 3], dtype=int32), Array([2, 1], dtype=int32))
    """
    if axis is None and not (return_index or return_inverse or return_counts):
        return _unique_elements("unique", ar, size, fill_value, bool(equal_nan))
    found = _unique("unique", ar, axis, size, fill_value, bool(equal_nan))
    wanted = (True, return_index, return_inverse, return_counts)
    result = tuple([x for x, want in zip(found, wanted, strict=True) if want])
    return result[0] if len(result) == 1 else result


def unique_all(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> Any:
    """The distinct elements, where each occurs first, the inverse, and the counts.

    Returns:
        A named tuple (values, indices, inverse_indices, counts); NaN differs from NaN.

    >>> jnp.unique_all(jnp.array([3, 1, 1])).counts
    Array([2, 1], dtype=int32)
    """
    return _UniqueAll(*_unique("unique_all", x, None, size, fill_value, False))


def unique_counts(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> Any:
    """The distinct elements and how often each occurs.

    Returns:
        A named tuple (values, counts); NaN differs from NaN.

    >>> jnp.unique_counts(jnp.array([3, 1, 1])).values
    Array([1, 3], dtype=int32)
    """
    values, _, _, counts = _unique("unique_counts", x, None, size, fill_value, False)
    return _UniqueCounts(values, counts)


def unique_inverse(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> Any:
    """The distinct elements and the indices that make the array out of them.

    Returns:
        A named tuple (values, inverse_indices); NaN differs from NaN.

    >>> jnp.unique_inverse(jnp.array([3, 1, 1])).inverse_indices
    Array([1, 0, 0], dtype=int32)
    """
    values, _, inverse, _ = _unique("unique_inverse", x, None, size, fill_value, False)
    return _UniqueInverse(values, inverse)


def unique_values(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> Array:
    """The distinct elements of an array; NaN differs from NaN.

    >>> jnp.unique_values(jnp.array([3, 1, 1]))
    Array([1, 3], dtype=int32)
    """
    return _unique_elements("unique_values", x, size, fill_value, False)


# Membership and combinations.


@array_function("assume_unique", "invert", "method")
def isin(
    element: ArrayLike,
    test_elements: ArrayLike,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    method: str = "auto",
) -> Array:
    """Whether each element is among others.

    Args:
        element: the elements.
        test_elements: the others, an array of any shape.
        assume_unique: of no effect.
        invert: whether to answer the opposite.
        method: of no effect but for its value: `auto`, `compare_all`, `binary_search` or
            `sort`.

    Returns:
        An array of booleans of the shape of `element`.

    Raises:
        ValueError: `method` is another word.

    >>> jnp.isin(jnp.array([1, 2, 3]), jnp.array([2, 5]))
    Array([False,  True, False], dtype=bool)
    """
    if method not in ("auto", "compare_all", "binary_search", "sort"):
        raise ValueError(
            f"jnp.isin: method must be 'auto', 'compare_all', 'binary_search' or 'sort', got "
            f"{method!r}"
        )
    x, others = promote_dtypes("isin", element, test_elements)
    others = lax.reshape(others, (typeof(others).size,))
    n = typeof(others).size
    if method == "compare_all" or (type(n) is int and n <= 32):
        row = lax.expand_dims(x, (typeof(x).ndim,))
        shape = (*typeof(x).shape, n)
        same = lax.eq(
            lax.broadcast_in_dim(row, shape, range(len(shape))),
            lax.broadcast_in_dim(others, shape, (len(shape) - 1,)),
        )
        found = lax.reduce_or(same, (len(shape) - 1,))
    else:
        ordered = lax.sort(others, 0)
        before = search(ordered, x, "left")
        after = search(ordered, x, "right")
        # NaN is found among NaN by its place, but is equal to nothing.
        found = lax.bitwise_and(lax.lt(before, after), lax.eq(x, x))
    return strong(lax.bitwise_not(found) if invert else found)


def _vector(name: str, x: Any, position: int) -> Array:
    x = asarray(as_operand(name, x, position))
    return lax.reshape(x, (typeof(x).size,))


def _pair(name: str, ar1: Any, ar2: Any) -> list[Array]:
    return promote_dtypes(name, _vector(name, ar1, 0), _vector(name, ar2, 1))


def union1d(
    ar1: ArrayLike,
    ar2: ArrayLike,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array:
    """The distinct elements of two arrays, in ascending order.

    Args:
        ar1, ar2: arrays; they are flattened.
        size, fill_value: as for `unique`.

    Raises:
        ConcretizationTypeError: an array is traced and `size` is None.

    >>> jnp.union1d(jnp.array([1, 2]), jnp.array([2, 3]))
    Array([1, 2, 3], dtype=int32)
    """
    both = lax.concatenate(_pair("union1d", ar1, ar2), 0)
    return _unique_elements("union1d", both, size, fill_value, True)


def _kept(name: str, x: Array, keep: Array, size: Any, fill_value: Any) -> tuple[Array, Array]:
    """The elements of a vector where `keep` is true, in order, and their indices."""
    if size is None:
        total = lax.reduce_sum(convert(keep, _INT32), (0,))
        known = concrete_or_error(
            total, f"the number of elements that jnp.{name} gives; size= gives it beforehand"
        )
        count = int(known)
    else:
        count = an_integer(name, size, "size")
    return _compacted(x, keep, count, fill_value)


@array_function("count")
def _compacted(x: Any, keep: Any, count: int, fill_value: Any) -> tuple[Array, Array]:
    n = typeof(x).size
    if not n:
        filler = 0 if fill_value is None else fill_value
        return lax.full((count,), filler, typeof(x).dtype), lax.full((count,), 0, _INT32)
    # Sorting the marks keeps the order of the marked.
    order = order_of(lax.bitwise_not(keep), 0, dtype=_INT32)
    order = lax.pad(order, np.int32(0), [(0, max(0, count - n), 0)])
    order = lax.slice_in_dim(order, 0, count)
    total = lax.reduce_sum(convert(keep, _INT32), (0,))
    exists = lax.lt(lax.iota(_INT32, count), total)
    values = lax.reshape(_rows_at(lax.reshape(x, (n, 1)), order), (count,))
    if fill_value is None:
        filler = np.zeros((), typeof(x).dtype)[()]
    else:
        filler = to_dtype(fill_value, typeof(x).dtype)
    return lax.select(exists, values, filler), order


def intersect1d(
    ar1: ArrayLike,
    ar2: ArrayLike,
    assume_unique: bool = False,
    return_indices: bool = False,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Any:
    """The distinct elements that two arrays have in common, in ascending order.

    Args:
        ar1, ar2: arrays; they are flattened.
        assume_unique: of no effect.
        return_indices: also return where each of them occurs first in both arrays.
        size: how many to return; needed where an array is traced.
        fill_value: what comes after them, if there are less; the least of them if None.

    Raises:
        ConcretizationTypeError: an array is traced and `size` is None.

    >>> jnp.intersect1d(jnp.array([1, 2, 3]), jnp.array([3, 1, 5]))
    Array([1, 3], dtype=int32)
    """
    a, b = _pair("intersect1d", ar1, ar2)
    if size is not None and not typeof(a).size:
        values, places = _kept("intersect1d", a, isin(a, b), size, fill_value)
        return (values, places, places) if return_indices else values
    distinct, first, _, counts = _unique(
        "intersect1d", a, None, None if size is None else typeof(a).size, None, True
    )
    common = operators.bitwise_and(isin(distinct, b), operators.greater(counts, 0))
    values, places = _kept("intersect1d", distinct, common, size, fill_value)
    if size is not None and fill_value is None:
        values = _fill_with_first(values, common)
    if not return_indices:
        return values
    first = _gathered(first, places)
    order = order_of(b, 0, dtype=_INT32)
    second = _gathered(order, searchsorted(_gathered(b, order), values))
    second = convert(second, python_scalar_dtype(int))
    if size is not None:
        total = lax.reduce_sum(convert(common, _INT32), (0,))
        exists = lax.lt(lax.iota(_INT32, typeof(values).size), total)
        first = lax.select(exists, first, lax.full_like(first, typeof(a).size))
        second = lax.select(exists, second, lax.full_like(second, typeof(b).size))
    return values, first, second


def _gathered(x: Array, places: Array) -> Array:
    n = typeof(x).size
    return lax.reshape(_rows_at(lax.reshape(x, (n, 1)), places), typeof(places).shape)


def _fill_with_first(values: Array, common: Array) -> Array:
    if not typeof(values).size:
        return values
    total = lax.reduce_sum(convert(common, _INT32), (0,))
    exists = lax.lt(lax.iota(_INT32, typeof(values).size), total)
    first = lax.broadcast_in_dim(lax.slice_in_dim(values, 0, 1), typeof(values).shape, (0,))
    return lax.select(exists, values, first)


def setdiff1d(
    ar1: ArrayLike,
    ar2: ArrayLike,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array:
    """The distinct elements of one array that are not in another, in ascending order.

    Args:
        ar1, ar2: arrays; they are flattened.
        assume_unique: whether the elements of `ar1` are distinct; then they keep their order.
        size: how many to return; needed where an array is traced.
        fill_value: what comes after them, if there are less; 0 if None.

    Raises:
        ConcretizationTypeError: an array is traced and `size` is None.

    >>> jnp.setdiff1d(jnp.array([1, 2, 3]), jnp.array([2]))
    Array([1, 3], dtype=int32)
    """
    a, b = _pair("setdiff1d", ar1, ar2)
    out = _setdiff1d(a, b, assume_unique, size, fill_value)
    # What is left is of the first array's dtype, whatever it was compared with.
    return convert(out, type_of("setdiff1d", ar1).dtype)


def _setdiff1d(a: Array, b: Array, assume_unique: bool, size: Any, fill_value: Any) -> Array:
    if assume_unique or not typeof(a).size:
        return _kept("setdiff1d", a, isin(a, b, invert=True), size, fill_value)[0]
    distinct, _, _, counts = _unique(
        "setdiff1d", a, None, None if size is None else typeof(a).size, None, True
    )
    keep = operators.bitwise_and(isin(distinct, b, invert=True), operators.greater(counts, 0))
    return _kept("setdiff1d", distinct, keep, size, fill_value)[0]


def setxor1d(
    ar1: ArrayLike,
    ar2: ArrayLike,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array:
    """The distinct elements that one of two arrays has and the other has not, ascending.

    Args:
        ar1, ar2: arrays; they are flattened.
        assume_unique: of no effect.
        size: how many to return; needed where an array is traced.
        fill_value: what comes after them, if there are less; the least of them if None.

    Raises:
        ConcretizationTypeError: an array is traced and `size` is None.

    >>> jnp.setxor1d(jnp.array([1, 2]), jnp.array([2, 3]))
    Array([1, 3], dtype=int32)
    """
    a, b = _pair("setxor1d", ar1, ar2)
    both = lax.concatenate([a, b], 0)
    if not typeof(both).size:
        return _kept("setxor1d", both, isin(both, both), size, fill_value)[0]
    distinct, _, _, counts = _unique(
        "setxor1d", both, None, None if size is None else typeof(both).size, None, True
    )
    in_one = operators.not_equal(isin(distinct, a), isin(distinct, b))
    keep = operators.bitwise_and(in_one, operators.greater(counts, 0))
    kept = _kept("setxor1d", distinct, keep, size, fill_value)[0]
    return kept if size is None or fill_value is not None else _fill_with_first(kept, keep)
