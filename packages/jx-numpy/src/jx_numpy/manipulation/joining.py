"""Several arrays made one, and one made several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from jx_core import lax
from jx_core.array import Array as _AnyArray
from jx_core.clashes import marked
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert
from jx_core.symbolic import DimExpr, maximum, slice_indices

from ..functions import array_function, plain
from ..operands import (
    Array,
    ArrayLike,
    a_dtype,
    an_integer,
    as_operand,
    one_axis,
    promote_dtypes,
    refuse_out,
    typeof,
)
from .reshaping import atleast_1d, atleast_2d, atleast_3d

__all__ = [
    "append", "array_split", "block", "column_stack", "concat", "concatenate", "dsplit",
    "dstack", "hsplit", "hstack", "split", "stack", "unstack", "vsplit", "vstack",
]  # fmt: skip


def _arrays(name: str, arrays: Any) -> list[Any]:
    """The arrays in a sequence, or the rows of one array.

    Raises:
        TypeError: it is no sequence, or an element no array.
    """
    if isinstance(arrays, (np.ndarray, _AnyArray)):
        if not typeof(arrays).ndim:
            _no_sequence(name, arrays)
        return list(lax.unstack(arrays, 0))
    if isinstance(arrays, (str, dict)) or not hasattr(arrays, "__iter__"):
        _no_sequence(name, arrays)
    return [as_operand(name, x, i) for i, x in enumerate(arrays)]


def _no_sequence(name: str, arrays: Any) -> NoReturn:
    got = "a zero-dimensional array" if hasattr(arrays, "aval") else str(type(arrays))
    raise TypeError(f"jnp.{name} takes a sequence of arrays, got {got}")


def _of_one_dtype(name: str, arrays: list[Any], dtype: Any) -> list[Any]:
    if dtype is None:
        return promote_dtypes(name, *arrays)
    dtype = a_dtype(name, dtype)
    return [convert(x, dtype) for x in arrays]


@array_function("axis", "dtype")
def concatenate(arrays: Any, axis: int | None = 0, dtype: Any = None) -> Array:
    """Arrays laid one after another along an axis they have.

    Args:
        arrays: a sequence of arrays, or an array, whose rows are concatenated. Their shapes
            are equal but for their lengths along the axis.
        axis: the axis; the arrays are flattened if None.
        dtype: the result's dtype; the one that the arrays promote to if None.

    Raises:
        ValueError: there are no arrays, or they have no axes.
        ShapeError: shapes don't fit, or the axis is out of range.
        TypeError: an element is no array.

    >>> jnp.concatenate([jnp.array([1, 2]), jnp.array([3.0])])
    Array([1., 2., 3.], dtype=float32)
    """
    operands = _arrays("concatenate", arrays)
    if not operands:
        raise ValueError("jnp.concatenate: need at least one array to concatenate, got none")
    if axis is None:
        operands = [lax.reshape(x, (typeof(x).size,)) for x in operands]
        axis = 0
    shapes = [typeof(x).shape for x in operands]
    if len({len(s) for s in shapes}) > 1:
        raise ShapeError(
            f"Cannot concatenate arrays with different numbers of dimensions: got "
            f"{', '.join(map(str, shapes))}"
        )
    if not shapes[0]:
        raise ValueError("Zero-dimensional arrays cannot be concatenated; jnp.stack joins them")
    place = one_axis("concatenate", axis, len(shapes[0]))
    return lax.concatenate(_of_one_dtype("concatenate", operands, dtype), place)


def concat(arrays: Any, /, *, axis: int | None = 0) -> Array:
    """The same as `concatenate`.

    >>> jnp.concat([jnp.array([1, 2]), jnp.array([3])])
    Array([1, 2, 3], dtype=int32)
    """
    return concatenate(arrays, axis=axis)


@array_function("axis", "dtype")
def stack(arrays: Any, axis: int = 0, out: None = None, dtype: Any = None) -> Array:
    """Arrays of one shape laid one after another along a new axis.

    Args:
        arrays: a sequence of arrays of one shape, or an array, whose rows are stacked.
        axis: where the new axis is in the result.
        out: must be None.
        dtype: the result's dtype; the one that the arrays promote to if None.

    Raises:
        ValueError: there are no arrays.
        ShapeError: shapes differ, or the axis is out of range.
        TypeError: an element is no array.

    >>> jnp.stack([jnp.array([1, 2]), jnp.array([3, 4])], axis=1)
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    refuse_out("stack", out)
    operands = _arrays("stack", arrays)
    if not operands:
        raise ValueError("jnp.stack: need at least one array to stack, got none")
    shapes = [typeof(x).shape for x in operands]
    if len(set(shapes)) > 1:
        raise ShapeError(
            f"All input arrays must have the same shape. Got {', '.join(map(str, shapes))}:\n"
            f"{marked(shapes, apart=(-1,))}"
        )
    place = one_axis("stack", axis, len(shapes[0]) + 1)
    return lax.stack(_of_one_dtype("stack", operands, dtype), place)


def _joined(name: str, tup: Any, raise_rank: Any, axis: Callable[[Any], int], dtype: Any) -> Array:
    arrays = [plain(raise_rank)(x) for x in _arrays(name, tup)]
    if not arrays:
        raise ValueError(f"jnp.{name}: need at least one array, got none")
    return plain(concatenate)(arrays, axis(arrays[0]), dtype)


@array_function("dtype")
def hstack(tup: Any, dtype: Any = None) -> Array:
    """Arrays side by side: along the second axis, or the first if they have but one.

    Args:
        tup: a sequence of arrays, or an array, whose rows are joined.
        dtype: the result's dtype.

    Raises:
        ValueError: there are no arrays.
        ShapeError: shapes don't fit.

    >>> jnp.hstack([jnp.array([1, 2]), jnp.array([3])])
    Array([1, 2, 3], dtype=int32)
    """
    return _joined("hstack", tup, atleast_1d, lambda x: min(1, typeof(x).ndim - 1), dtype)


@array_function("dtype")
def vstack(tup: Any, dtype: Any = None) -> Array:
    """Arrays one below the other: along the first axis, vectors as rows.

    Args:
        tup: a sequence of arrays, or an array, whose rows are joined.
        dtype: the result's dtype.

    Raises:
        ValueError: there are no arrays.
        ShapeError: shapes don't fit.

    >>> jnp.vstack([jnp.array([1, 2]), jnp.array([3, 4])])
    Array([[1, 2],
           [3, 4]], dtype=int32)
    """
    return _joined("vstack", tup, atleast_2d, lambda x: 0, dtype)


@array_function("dtype")
def dstack(tup: Any, dtype: Any = None) -> Array:
    """Arrays one behind the other: along the third axis.

    Args:
        tup: a sequence of arrays, or an array, whose rows are joined.
        dtype: the result's dtype.

    Raises:
        ValueError: there are no arrays.
        ShapeError: shapes don't fit.

    >>> jnp.dstack([jnp.array([1, 2]), jnp.array([3, 4])]).shape
    (1, 2, 2)
    """
    return _joined("dstack", tup, atleast_3d, lambda x: 2, dtype)


@array_function()
def column_stack(tup: Any) -> Array:
    """Vectors as the columns of a matrix; matrices are put side by side.

    Args:
        tup: a sequence of arrays, or an array, whose rows are joined.

    Raises:
        ValueError: there are no arrays.
        ShapeError: shapes don't fit.

    >>> jnp.column_stack([jnp.array([1, 2]), jnp.array([3, 4])])
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    arrays = []
    for x in _arrays("column_stack", tup):
        x = lax.broadcast_to_rank(x, 1)
        arrays.append(lax.expand_dims(x, (1,)) if typeof(x).ndim == 1 else x)
    if not arrays:
        raise ValueError("jnp.column_stack: need at least one array, got none")
    return plain(concatenate)(arrays, 1)


@array_function("axis")
def append(arr: ArrayLike, values: ArrayLike, axis: int | None = None) -> Array:
    """An array with values after its end.

    Args:
        arr: an array.
        values: what comes after it, with as many axes unless `axis` is None.
        axis: the axis to append along; both are flattened if None.

    Raises:
        ShapeError: shapes don't fit, or the axis is out of range.

    >>> jnp.append(jnp.array([1, 2]), 3)
    Array([1, 2, 3], dtype=int32)
    """
    return plain(concatenate)([as_operand("append", arr), as_operand("append", values, 1)], axis)


def block(arrays: Any) -> Array:
    """An array made of blocks, given as nested lists of them.

    The innermost lists are joined along the last axis, those around them along the one
    before, and so on.

    Args:
        arrays: arrays and numbers in lists, nested to the same depth everywhere.

    Raises:
        ValueError: the depths differ, or a list is empty.
        TypeError: there is a tuple among the lists.
        ShapeError: shapes don't fit.

    >>> jnp.block([[jnp.ones((1, 1)), jnp.zeros((1, 2))], [jnp.zeros((1, 3))]])
    Array([[1., 0., 0.],
           [0., 0., 0.]], dtype=float32)
    """
    depth = _depth(arrays, "arrays")
    return _block(arrays, depth)


def _depth(arrays: Any, path: str) -> int:
    if isinstance(arrays, tuple):
        raise TypeError(f"jnp.block takes lists, not tuples; {path} is a tuple")
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        raise ValueError(f"jnp.block: {path} is an empty list")
    depths = [_depth(x, f"{path}[{i}]") for i, x in enumerate(arrays)]
    if len(set(depths)) > 1:
        raise ValueError(f"jnp.block: lists must be nested to one depth, but {path} has {depths}")
    return depths[0] + 1


@array_function("depth")
def _block(arrays: Any, depth: int) -> Array:
    leaves: list[Any] = []

    def collect(x: Any) -> None:
        if isinstance(x, list):
            for item in x:
                collect(item)
        else:
            leaves.append(as_operand("block", x))

    collect(arrays)
    rank = max(depth, *[typeof(x).ndim for x in leaves])

    def join(x: Any, level: int) -> Any:
        if not isinstance(x, list):
            return lax.broadcast_to_rank(x, rank)
        parts = [join(item, level + 1) for item in x]
        return plain(concatenate)(parts, rank - depth + level)

    return join(arrays, 0)


# Splitting.


def _ends(name: str, length: int, parts: Any, equal: bool) -> list[tuple[int, int]]:
    """Where each part begins and ends along an axis of a length."""
    if hasattr(parts, "__index__") and not getattr(parts, "ndim", 0):
        count = int(parts)
        if count < 1:
            raise ValueError(f"jnp.{name}: the number of sections must be positive, got {count}")
        small, large = divmod(length, count)
        if type(length) is DimExpr and large == 0:
            return [(small * i, small * (i + 1)) for i in range(count)]
        if large and equal:
            raise ValueError(
                f"jnp.{name}: array split does not result in an equal division: {length} elements "
                f"into {count} sections; jnp.array_split makes unequal ones"
            )
        sizes = [small + 1] * large + [small] * (count - large)
        ends = np.cumsum([0, *sizes]).tolist()
        return list(zip(ends, ends[1:]))
    inner = [an_integer(name, i, "indices_or_sections") for i in parts]
    bounds = [slice_indices(slice(a, b), length) for a, b in zip([0, *inner], [*inner, length])]
    return [(start, maximum(start, stop)) for start, stop, _, _ in bounds]


def _split(name: str, ary: Any, parts: Any, axis: int, equal: bool) -> list[Array]:
    x = as_operand(name, ary)
    shape = typeof(x).shape
    place = one_axis(name, axis, len(shape))
    ends = _ends(name, shape[place], parts, equal)
    sizes = tuple([stop - start for start, stop in ends])
    if sum(sizes) == shape[place] and ends[0][0] == 0:
        return list(lax.split(x, sizes, place))
    return [lax.slice_in_dim(x, start, stop, axis=place) for start, stop in ends]


@array_function("indices_or_sections", "axis")
def split(ary: ArrayLike, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """The parts of an array along an axis.

    Args:
        ary: an array.
        indices_or_sections: how many equal parts; or the places, in order, where to cut.
        axis: the axis.

    Raises:
        ValueError: parts would not be equal.
        ShapeError: the axis is out of range.

    >>> jnp.split(jnp.arange(5), [2, 3])
    [Array([0, 1], dtype=int32), Array([2], dtype=int32), Array([3, 4], dtype=int32)]
    """
    return _split("split", ary, indices_or_sections, axis, True)


@array_function("indices_or_sections", "axis")
def array_split(ary: ArrayLike, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """The parts of an array along an axis, the first ones longer if they can't be equal.

    Arguments as for `split`.

    >>> jnp.array_split(jnp.arange(3), 2)
    [Array([0, 1], dtype=int32), Array([2], dtype=int32)]
    """
    return _split("array_split", ary, indices_or_sections, axis, False)


def vsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """The parts of an array along the first axis. See `split`.

    >>> [x.shape for x in jnp.vsplit(jnp.zeros((4, 2)), 2)]
    [(2, 2), (2, 2)]
    """
    return split(ary, indices_or_sections, axis=0)


def hsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """The parts of an array along the second axis, or a vector's only one. See `split`.

    >>> [x.shape for x in jnp.hsplit(jnp.zeros((2, 4)), 2)]
    [(2, 2), (2, 2)]
    """
    axis = 0 if typeof(as_operand("hsplit", ary)).ndim == 1 else 1
    return split(ary, indices_or_sections, axis=axis)


def dsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """The parts of an array along the third axis. See `split`.

    >>> [x.shape for x in jnp.dsplit(jnp.zeros((1, 1, 4)), 2)]
    [(1, 1, 2), (1, 1, 2)]
    """
    return split(ary, indices_or_sections, axis=2)


@array_function("axis")
def unstack(x: ArrayLike, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The slices of an array along an axis, without it.

    Args:
        x: an array of one axis at least.
        axis: the axis.

    Raises:
        ValueError: `x` has no axes.
        ShapeError: the axis is out of range.

    >>> jnp.unstack(jnp.array([[1, 2], [3, 4]]))
    (Array([1, 2], dtype=int32), Array([3, 4], dtype=int32))
    """
    x = as_operand("unstack", x)
    ndim = typeof(x).ndim
    if not ndim:
        raise ValueError("jnp.unstack takes an array of one axis at least, got a scalar")
    return tuple(lax.unstack(x, one_axis("unstack", axis, ndim)))
