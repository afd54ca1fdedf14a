"""Elements inserted into arrays and taken out of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.errors import ShapeError, concrete_or_error
from jx_core.ops.shape import broadcast_to
from jx_core.trace import is_concrete

from ..functions import array_function
from ..indexing import take
from ..operands import (
    Array,
    ArrayLike,
    Shape,
    as_operand,
    is_integer,
    one_axis,
    some_axes,
    typeof,
)
from .reshaping import ravel

__all__ = ["delete", "insert", "trim_zeros"]

_INT32 = np.dtype(np.int32)


def _flattened(name: str, arr: Any, axis: Any) -> tuple[Any, int]:
    x = as_operand(name, arr)
    if axis is None:
        return ravel(x), 0
    return x, one_axis(name, axis, typeof(x).ndim)


def delete(
    arr: ArrayLike, obj: Any, axis: int | None = None, *, assume_unique_indices: bool = False
) -> Array:
    """An array without some of its slices along an axis.

    Args:
        arr: an array.
        obj: which: an integer, a slice, or an array of integers or booleans. An array must
            be known now, unless `assume_unique_indices`.
        axis: the axis; the array is flattened if None.
        assume_unique_indices: promise that no index occurs twice, so that the result's shape
            does not depend on them.

    Raises:
        ConcretizationTypeError: `obj` is a traced array, without that promise.
        ValueError: an index is out of range, or booleans don't fit the axis.

    >>> jnp.delete(jnp.array([5, 6, 7, 8]), jnp.array([0, 2]))
    Array([6, 8], dtype=int32)
    """
    x, place = _flattened("delete", arr, axis)
    n = typeof(x).shape[place]
    if isinstance(obj, slice):
        kept = np.delete(np.arange(n, dtype=np.int32), obj)
        return take(x, kept, axis=place, mode="clip")
    obj = as_operand("delete", obj, 1)
    aval = typeof(obj)
    if not is_concrete(obj) and aval.ndim == 0 and is_integer(aval.dtype):
        return _delete_one(x, obj, place)
    if assume_unique_indices and is_integer(aval.dtype):
        return _delete_unique(x, obj, place)
    known = np.asarray(
        concrete_or_error(
            obj,
            "the argument obj of jnp.delete, which decides a shape; with "
            "assume_unique_indices=True it may be traced",
        )
    )
    if known.dtype == np.bool_:
        if known.shape != (n,):
            raise ShapeError(
                f"jnp.delete: booleans must fit the axis, got shape {known.shape} for length {n}"
            )
    elif known.size and (known.min() < -n or known.max() >= n):
        raise ShapeError(f"jnp.delete: index out of range of axis {place} with length {n}: {known}")
    kept = np.delete(np.arange(n, dtype=np.int32), known)
    return take(x, kept, axis=place, mode="clip")


@array_function("axis")
def _delete_one(x: Any, i: Any, axis: int) -> Array:
    """Without the slice at a traced index: those after it move up."""
    n = typeof(x).shape[axis]
    i = lax.select(operators.less(i, 0), operators.add(i, n), i)
    head = lax.slice_in_dim(x, 0, n - 1, axis=axis)
    tail = lax.slice_in_dim(x, 1, n, axis=axis)
    count = lax.broadcasted_iota(_INT32, typeof(head).shape, axis)
    return lax.select(operators.less(count, i), head, tail)


@array_function("axis")
def _delete_unique(x: Any, indices: Any, axis: int) -> Array:
    """Without the slices at distinct indices, of which only the number is known."""
    n = typeof(x).shape[axis]
    indices = lax.reshape(lax.convert_element_type(indices, _INT32), (typeof(indices).size,))
    indices = lax.select(operators.less(indices, 0), operators.add(indices, n), indices)
    m = typeof(indices).size
    # The k-th index, less the k before it, says how many kept slices lie before it.
    before = lax.sub(lax.sort(indices), lax.iota(_INT32, m))
    places = lax.iota(_INT32, n - m)
    passed = operators.greater_equal(lax.expand_dims(places, (0,)), lax.expand_dims(before, (1,)))
    shift = lax.reduce_sum(lax.convert_element_type(passed, _INT32), (0,))
    return take(x, lax.add(places, shift), axis=axis, mode="clip")


def insert(arr: ArrayLike, obj: Any, values: ArrayLike, axis: int | None = None) -> Array:
    """An array with slices put in along an axis.

    Args:
        arr: an array.
        obj: before which places: an integer, a slice, or an array of integers or booleans,
            known now.
        values: what is put in; it broadcasts to the slices, and takes the dtype of `arr`.
        axis: the axis; the array is flattened if None.

    Raises:
        ConcretizationTypeError: `obj` is traced.
        ValueError: an index is out of range.
        ShapeError: `values` does not broadcast.

    >>> jnp.insert(jnp.array([1, 2, 3]), 1, 9)
    Array([1, 9, 2, 3], dtype=int32)
    """
    x, place = _flattened("insert", arr, axis)
    values = lax.convert_element_type(as_operand("insert", values, 2), typeof(x).dtype)
    n = typeof(x).shape[place]
    scalar = False
    if isinstance(obj, slice):
        where = np.arange(n)[obj]
    else:
        obj = as_operand("insert", obj, 1)
        where = np.asarray(
            concrete_or_error(obj, "the argument obj of jnp.insert, which must be known")
        )
        where = np.flatnonzero(where) if where.dtype == np.bool_ else where
        scalar = where.ndim == 0
        where = where.reshape(-1)
    if where.size and (where.min() < -n or where.max() > n):
        raise ShapeError(f"jnp.insert: index out of range of axis {place} with length {n}: {where}")
    where = np.where(where < 0, where + n, where)
    return _insert(x, values, tuple(where.tolist()), place, scalar)


@array_function("where", "axis", "scalar")
def _insert(x: Any, values: Any, where: tuple[int, ...], axis: int, scalar: bool) -> Array:
    shape: Shape = typeof(x).shape
    if len(where) == 1:
        # Several slices may come before one place. For a lone integer the first axis of
        # `values` counts them, for a sequence of one the axis itself.
        values = lax.broadcast_to_rank(values, len(shape))
        if scalar:
            axes = list(range(1, typeof(values).ndim))
            axes.insert(axis, 0)
            values = lax.transpose(values, axes)
        where = where * typeof(values).shape[axis]
    new = (*shape[:axis], len(where), *shape[axis + 1 :])
    values = broadcast_to(values, new)
    places = np.asarray(where, np.int64)
    by_place = np.argsort(places, kind="stable")
    target = places[by_place] + np.arange(len(where))
    source = np.empty(shape[axis] + len(where), np.int32)
    inserted = np.zeros(source.shape, bool)
    inserted[target] = True
    source[target] = shape[axis] + by_place
    source[~inserted] = np.arange(shape[axis])
    return take(lax.concatenate([x, values], axis), source, axis=axis, mode="clip")


def trim_zeros(filt: ArrayLike, trim: str = "fb", axis: Any = None) -> Array:
    """An array without the zeros at its ends.

    Args:
        filt: an array, known now.
        trim: `f` to trim the front, `b` the back, `fb` both.
        axis: the axis, or axes, to trim along; all if None.

    Raises:
        ConcretizationTypeError: the array is traced, so that the shape is not known.
        ValueError: `trim` is another word.

    >>> jnp.trim_zeros(jnp.array([0, 1, 0, 2, 0]))
    Array([1, 0, 2], dtype=int32)
    """
    x = as_operand("trim_zeros", filt)
    if trim.lower() not in ("f", "b", "fb", "bf"):
        raise ValueError(f"jnp.trim_zeros: trim must be 'f', 'b' or 'fb', got {trim!r}")
    known = np.asarray(concrete_or_error(x, "the array of jnp.trim_zeros, which decides a shape"))
    axes = some_axes("trim_zeros", axis, known.ndim)
    starts, stops = [0] * known.ndim, list(known.shape)
    for i in axes:
        rest = tuple(j for j in range(known.ndim) if j != i)
        places = np.flatnonzero((known != 0).any(axis=rest))
        if not places.size:
            stops[i] = 0
            continue
        starts[i] = int(places[0]) if "f" in trim.lower() else 0
        stops[i] = int(places[-1]) + 1 if "b" in trim.lower() else known.shape[i]
    return lax.slice(x, starts, stops)
