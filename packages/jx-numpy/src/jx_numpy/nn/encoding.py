"""Class numbers as vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax
from jx_core.dtypes import itemsize_bits, python_scalar_dtype
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert

from ..creation import asarray
from ..functions import array_function
from ..operands import (
    Array,
    ArrayLike,
    a_dtype,
    accumulation_dtype,
    an_integer,
    as_operand,
    is_complex,
    is_floating,
    one_axis,
    typeof,
)

__all__ = ["one_hot"]


def one_hot(x: ArrayLike, num_classes: int, *, dtype: Any = None, axis: int = -1) -> Array:
    """Each number as a vector that is 1 at that place and 0 elsewhere.

    Args:
        x: an array, a number or a list of numbers, from 0 to `num_classes - 1`. Numbers out
            of that range, negative ones among them, give zeros only.
        num_classes: the length of the vectors.
        dtype: the result's dtype; the default float one if None.
        axis: the axis of the result that the vectors are along.

    Returns:
        An array with one axis more than `x`.

    Raises:
        ShapeError: the axis is out of range, or `num_classes` negative.
        TypeError: `num_classes` or `axis` is no integer known now; `x` is complex or no array.

    >>> jx.nn.one_hot(jnp.array([0, 2, 3]), 3)
    Array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 0., 0.]], dtype=float32)
    """
    if isinstance(x, (list, tuple)):
        x = asarray(x)
    return _one_hot(x, num_classes, dtype=dtype, axis=axis)


@array_function("num_classes", "dtype", "axis")
def _one_hot(x: Any, num_classes: Any, *, dtype: Any, axis: Any) -> Array:
    n = an_integer("one_hot", num_classes, "num_classes")
    if n < 0:
        raise ShapeError(f"one_hot: num_classes must not be negative, got {n}")
    dtype = python_scalar_dtype(float) if dtype is None else a_dtype("one_hot", dtype)
    x = as_operand("one_hot", x)
    shape, numbers = typeof(x).shape, _counting_dtype(typeof(x).dtype)
    axis = one_axis("one_hot", axis, len(shape) + 1)
    full = (*shape[:axis], n, *shape[axis:])
    kept = [d for d in range(len(full)) if d != axis]
    given = lax.broadcast_in_dim(convert(x, numbers), full, kept)
    return convert(lax.eq(given, lax.broadcasted_iota(numbers, full, axis)), dtype)


def _counting_dtype(dtype: Any) -> Any:
    """A dtype that holds numbers of the given one and those of classes."""
    if is_complex(dtype):
        raise TypeError(f"one_hot takes numbers of classes, got dtype {dtype.name}")
    if is_floating(dtype):
        return accumulation_dtype(dtype)
    return np.dtype(np.int32) if itemsize_bits(dtype) < 32 else dtype
