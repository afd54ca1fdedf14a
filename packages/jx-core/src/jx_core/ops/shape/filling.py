"""Arrays out of nothing: one value everywhere, counting up, or no value in particular."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..axes import Shape, canonical_shape, check_axis, check_sizes, refuse_sharding
from ..elementwise.conversion import convert, convert_element_type_p
from ..kit import check_kind, number
from .broadcasting import broadcast_in_dim_p

__all__ = [
    "broadcasted_iota",
    "empty",
    "empty_p",
    "full",
    "full_like",
    "iota",
    "iota_p",
    "shape_as_value",
]

_PYTHON_NUMBERS = (bool, int, float, complex)


def _iota_type(*, dtype: Any, shape: Shape, dimension: int) -> ShapedArray:
    result = ShapedArray(shape, dtype)
    check_kind("iota", result, number)
    check_sizes("iota", shape)
    check_axis("iota", dimension, shape, "dimension")
    return result


def _iota(*, dtype: Any, shape: Shape, dimension: int) -> np.ndarray:
    sizes = [1] * len(shape)
    sizes[dimension] = shape[dimension]
    return np.broadcast_to(np.arange(shape[dimension]).astype(dtype).reshape(sizes), shape)


# Params: dtype; shape; dimension, the axis along which it counts.
iota_p = Primitive("iota", abstract=_iota_type, reference=_iota)


def broadcasted_iota(dtype: Any, shape: Any, dimension: int, *, out_sharding: Any = None) -> Any:
    """An array whose elements are their own index along an axis.

    Args:
        dtype: an integer, floating or complex dtype; counts that it can't hold wrap around
            or are rounded.
        shape: the result's shape.
        dimension: the axis along which it counts up from 0, non-negative.
        out_sharding: must be None.

    Raises:
        ShapeError: the axis is out of range.
        TypeError: the dtype is none of numbers.

    >>> broadcasted_iota(np.int32, (2, 3), 1)
    Array([[0, 1, 2],
           [0, 1, 2]], dtype=int32)
    """
    if out_sharding is not None:
        refuse_sharding("broadcasted_iota", "out_sharding", out_sharding)
    dtype = dtypes.requested_dtype(dtype, "broadcasted_iota")
    shape = canonical_shape("broadcasted_iota", shape)
    return iota_p.bind(dtype=dtype, shape=shape, dimension=dimension)


def iota(dtype: Any, size: int) -> Any:
    """The numbers 0, 1, ... `size - 1`.

    Args:
        dtype: an integer, floating or complex dtype.
        size: how many.

    >>> iota(np.float32, 3)
    Array([0., 1., 2.], dtype=float32)
    """
    dtype = dtypes.requested_dtype(dtype, "iota")
    return iota_p.bind(dtype=dtype, shape=canonical_shape("iota", (size,), "size"), dimension=0)


def full(shape: Any, fill_value: Any, dtype: Any = None, *, sharding: Any = None) -> Any:
    """An array with one value everywhere.

    Args:
        shape: its shape, a sequence of integers or one integer.
        fill_value: a number or a zero-dimensional array. For a dtype of typed keys, a key, or
            a number that all words of the keys are to be.
        dtype: the result's dtype; that of `fill_value` (weak for a Python number) if None.
        sharding: must be None.

    Raises:
        ShapeError: `fill_value` has axes.
        TypeError: `fill_value` is complex and `dtype` is not.

    >>> full((2, 2), 7, np.float32)
    Array([[7., 7.],
           [7., 7.]], dtype=float32)
    """
    if sharding is not None:
        refuse_sharding("full", "sharding", sharding)
    if dtype is not None:
        fill_value = _converted(fill_value, dtypes.requested_dtype(dtype, "full"))
    return _filled(canonical_shape("full", shape), fill_value)


def full_like(
    x: Any, fill_value: Any, dtype: Any = None, shape: Any = None, sharding: Any = None
) -> Any:
    """An array with one value everywhere, of the type of another.

    Args:
        x: an array, or anything with a shape and a dtype.
        fill_value: a number or a zero-dimensional array.
        dtype: the result's dtype; that of `x`, weak where it is, if None.
        shape: the result's shape; that of `x` if None.
        sharding: must be None.

    Raises:
        ShapeError: `fill_value` has axes.
        TypeError: `fill_value` can't become the dtype.

    >>> full_like(np.zeros((2,), np.int8), 3)
    Array([3, 3], dtype=int8)
    """
    if sharding is not None:
        refuse_sharding("full_like", "sharding", sharding)
    # Types themselves have no `aval`; they are what transformations make zeros of.
    aval = x if isinstance(x, ShapedArray) else typeof(x)
    shape = aval.shape if shape is None else canonical_shape("full_like", shape)
    if dtype is not None:
        fill_value = _converted(fill_value, dtypes.requested_dtype(dtype, "full_like"))
    else:
        fill_value = _converted(fill_value, aval.dtype, aval.weak_type)
    return _filled(shape, fill_value)


def _filled(shape: Shape, value: Any) -> Any:
    aval = getattr(value, "aval", None)
    own = value.shape if aval is None and hasattr(value, "shape") else typeof(value).shape
    if own:
        raise ShapeError(
            f"full: fill_value must be a scalar, got one of shape {own}; lax.broadcast_in_dim "
            f"repeats arrays"
        )
    if aval is not None and not shape:
        return value
    return broadcast_in_dim_p.bind(value, shape=shape, broadcast_dimensions=())


def _converted(value: Any, dtype: Any, weak_type: bool = False) -> Any:
    """The scalar `value` with another dtype."""
    if type(value) in _PYTHON_NUMBERS or isinstance(value, np.generic):
        scalar = _number(value, dtype)
        if weak_type and typeof(scalar.item()).dtype == dtype:
            return scalar.item()
        return convert(scalar, dtype, True) if weak_type else scalar
    if isinstance(dtype, dtypes.ExtendedDType) and typeof(value).dtype != dtype:
        return dtype.filled(value)
    return convert(value, dtype, weak_type)


def _number(value: Any, dtype: Any) -> Any:
    """A number as a scalar of `dtype`, NumPy's where it can be, converted as programs do it."""
    if isinstance(dtype, dtypes.ExtendedDType):
        return dtype.filled(value)
    kind = type(value)
    if (kind is int and 0 <= value < 128 and dtype.kind in "iuf") or (
        kind is float and -6e4 < value < 6e4 and dtype.kind == "f" and dtype.itemsize > 1
    ):
        return dtype.type(value)  # the common case, far from any limit
    given = np.asarray(value)
    if given.dtype == object:
        raise OverflowError(f"full: the integer {value} is out of the range of {dtype.name}")
    if given.dtype.kind == "c" and dtype.kind not in "cb":
        raise TypeError(
            f"full: a complex fill_value {value!r} does not go into dtype {dtype.name}; take its "
            f".real part"
        )
    assert convert_element_type_p.reference is not None
    with np.errstate(all="ignore"):
        converted = convert_element_type_p.reference(given, new_dtype=dtype, weak_type=False)
        return np.asarray(converted)[()]


def _empty_type(*, shape: Shape, dtype: Any) -> ShapedArray:
    check_sizes("empty", shape)
    return ShapedArray(shape, dtype)


def _empty(*, shape: Shape, dtype: Any) -> np.ndarray:
    return np.zeros(shape, dtype)


def _zeros(*, shape: Shape, dtype: Any) -> Any:
    return full(shape, 0, dtype)


# Params: shape, dtype. Its elements may be anything; here they are zeros.
empty_p = Primitive("empty", abstract=_empty_type, reference=_empty, decompose=_zeros)


def empty(shape: Any, dtype: Any, *, out_sharding: Any = None) -> Any:
    """An array whose elements may be anything, for a program that overwrites them all.

    Args:
        shape: its shape.
        dtype: its dtype, boolean or numeric.
        out_sharding: must be None.

    Raises:
        TypeError: the dtype is none that numbers have.

    >>> empty((2, 3), np.float32).shape
    (2, 3)
    """
    if out_sharding is not None:
        refuse_sharding("empty", "out_sharding", out_sharding)
    dtype = dtypes.requested_dtype(dtype, "empty")
    if isinstance(dtype, dtypes.ExtendedDType):
        raise TypeError(
            f"empty: a boolean or numeric dtype is needed, got {dtype.name}; for keys broadcast "
            f"one: lax.full(shape, key)"
        )
    return empty_p.bind(shape=canonical_shape("empty", shape), dtype=dtype)


def shape_as_value(shape: Any) -> Any:
    """A shape as an array of integers, with a length for each axis.

    >>> shape_as_value((2, 3))
    Array([2, 3], dtype=int32)
    """
    sizes = np.asarray(canonical_shape("shape_as_value", shape), np.int32)
    return broadcast_in_dim_p.bind(sizes, shape=sizes.shape, broadcast_dimensions=(0,))
