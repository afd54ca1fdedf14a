"""Arrays with one value everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import compiled, dtypes, lax
from jx_core.dtypes import python_scalar_dtype
from jx_core.ops.elementwise import convert
from jx_core.state import state
from jx_core.trace import EVAL

from ..operands import (
    Array,
    ArrayLike,
    Shape,
    a_dtype,
    a_shape,
    as_operand,
    broadcast_to,
    is_complex,
    to_dtype,
    type_of,
    typeof,
)
from .conversion import placed

__all__ = [
    "empty", "empty_like", "full", "full_like", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip


def _constant(shape: Shape, value: Any, dtype: Any) -> Array:
    return lax.full(shape, value, dtype)


_compiled_constant = compiled(_constant, static_argnames=("shape", "value", "dtype"))


def _filled(shape: Shape, value: Any, dtype: Any, place: Any) -> Array:
    """`value`, a Python number, everywhere; weak where `dtype` is None."""
    if state.trace is not EVAL:
        return placed(lax.full(shape, value, dtype), place)
    return placed(_compiled_constant(shape, value, dtype), place)


def _dtype(name: str, dtype: Any) -> Any:
    return python_scalar_dtype(float) if dtype is None else a_dtype(name, dtype)


def zeros(shape: Any, dtype: Any = None, *, device: Any = None, out_sharding: Any = None) -> Array:
    """An array of zeros.

    Args:
        shape: its shape: a sequence of integers, or one.
        dtype: its dtype; the default float one if None.
        device: the device, or the sharding, to put it on.
        out_sharding: as `device`.

    Raises:
        ShapeError: a length is negative.
        TypeError: `shape` is not of integers that are known now, or `dtype` no dtype.

    >>> jnp.zeros((2, 3))
    Array([[0., 0., 0.],
           [0., 0., 0.]], dtype=float32)
    """
    place = device if device is not None else out_sharding
    return _filled(a_shape("zeros", shape), 0, _dtype("zeros", dtype), place)


def ones(shape: Any, dtype: Any = None, *, device: Any = None, out_sharding: Any = None) -> Array:
    """An array of ones. Arguments and errors as for `zeros`.

    >>> jnp.ones(3)
    Array([1., 1., 1.], dtype=float32)
    """
    place = device if device is not None else out_sharding
    return _filled(a_shape("ones", shape), 1, _dtype("ones", dtype), place)


def empty(shape: Any, dtype: Any = None, *, device: Any = None, out_sharding: Any = None) -> Array:
    """An array of zeros: there are no uninitialised arrays. As `zeros`.

    >>> jnp.empty((2,), dtype=jnp.int32)
    Array([0, 0], dtype=int32)
    """
    place = device if device is not None else out_sharding
    return _filled(a_shape("empty", shape), 0, _dtype("empty", dtype), place)


def _spread(fill_value: ArrayLike, shape: Shape, dtype: Any, weak: bool = False) -> Array:
    """`fill_value`, an array or number, broadcast to a shape."""
    if dtype is not None and dtype != typeof(fill_value).dtype:
        keys = isinstance(dtype, dtypes.ExtendedDType)
        fill_value = dtype.filled(fill_value) if keys else convert(fill_value, dtype, weak)
    if typeof(fill_value).shape:
        return broadcast_to(fill_value, shape)
    result = lax.full(shape, fill_value, dtype)
    return convert(result, dtype, True) if weak else result


_compiled_spread = compiled(_spread, static_argnames=("shape", "dtype", "weak"))


def _check_real(name: str, fill_value: Any, dtype: Any) -> None:
    if type(fill_value) is complex and dtype is not None and not is_complex(dtype):
        raise TypeError(
            f"jnp.{name}: the complex number {fill_value} does not go into dtype {dtype.name}"
        )


def full(
    shape: Any,
    fill_value: ArrayLike,
    dtype: Any = None,
    *,
    device: Any = None,
    out_sharding: Any = None,
) -> Array:
    """An array with one value everywhere.

    Args:
        shape: its shape: a sequence of integers, or one.
        fill_value: a number, or an array that broadcasts to the shape.
        dtype: its dtype; that of `fill_value` if None, weak for a Python number.
        device: the device, or the sharding, to put it on.
        out_sharding: as `device`.

    Raises:
        ShapeError: a length is negative, or `fill_value` does not broadcast.
        TypeError: `fill_value` is no array or number.

    >>> jnp.full((2, 2), 7.0, dtype=jnp.bfloat16)
    Array([[7, 7],
           [7, 7]], dtype=bfloat16)
    """
    shape = a_shape("full", shape)
    fill_value = as_operand("full", fill_value)
    dtype = None if dtype is None else a_dtype("full", dtype)
    _check_real("full", fill_value, dtype)
    place = device if device is not None else out_sharding
    spread = _spread if state.trace is not EVAL else _compiled_spread
    return placed(spread(fill_value, shape, dtype), place)


def _like(name: str, a: Any, dtype: Any, shape: Any) -> tuple[Shape, Any, bool]:
    """The shape and dtype of an array like `a`, and whether it is weak."""
    aval = (
        a
        if hasattr(a, "shape")
        and hasattr(a, "dtype")
        and not hasattr(a, "aval")
        and (not isinstance(a, (np.ndarray, np.generic)))
        else type_of(name, a)
    )
    shape = aval.shape if shape is None else a_shape(name, shape)
    if dtype is None:
        return shape, aval.dtype, getattr(aval, "weak_type", False)
    return shape, a_dtype(name, dtype), False


def _constant_like(name: str, a: Any, value: int, dtype: Any, shape: Any, place: Any) -> Array:
    shape, dtype, weak = _like(name, a, dtype, shape)
    if weak:
        # A Python number of the dtype's kind is what makes a weak array.
        number: Any = to_dtype(value, dtype, True)
        if not isinstance(number, np.generic) and typeof(number).dtype == dtype:
            return _filled(shape, number, None, place)
    return _filled(shape, value, dtype, place)


def zeros_like(
    a: ArrayLike,
    dtype: Any = None,
    shape: Any = None,
    *,
    device: Any = None,
    out_sharding: Any = None,
) -> Array:
    """An array of zeros of the shape and dtype of another.

    Args:
        a: an array, or anything with a shape and a dtype.
        dtype: another dtype.
        shape: another shape.
        device: the device, or the sharding, to put it on.
        out_sharding: as `device`.

    Raises:
        TypeError: `a` is no array.

    >>> jnp.zeros_like(jnp.array([1, 2]))
    Array([0, 0], dtype=int32)
    """
    place = device if device is not None else out_sharding
    return _constant_like("zeros_like", a, 0, dtype, shape, place)


def ones_like(
    a: ArrayLike,
    dtype: Any = None,
    shape: Any = None,
    *,
    device: Any = None,
    out_sharding: Any = None,
) -> Array:
    """An array of ones of the shape and dtype of another. As `zeros_like`.

    >>> jnp.ones_like(jnp.array([1.0, 2.0]))
    Array([1., 1.], dtype=float32)
    """
    place = device if device is not None else out_sharding
    return _constant_like("ones_like", a, 1, dtype, shape, place)


def empty_like(
    prototype: ArrayLike, dtype: Any = None, shape: Any = None, *, device: Any = None
) -> Array:
    """An array of zeros of the shape and dtype of another. As `zeros_like`.

    >>> jnp.empty_like(jnp.array([1.0, 2.0]))
    Array([0., 0.], dtype=float32)
    """
    return _constant_like("empty_like", prototype, 0, dtype, shape, device)


def full_like(
    a: ArrayLike,
    fill_value: ArrayLike,
    dtype: Any = None,
    shape: Any = None,
    *,
    device: Any = None,
    out_sharding: Any = None,
) -> Array:
    """An array with one value everywhere, of the shape and dtype of another.

    Args:
        a: an array, or anything with a shape and a dtype.
        fill_value: a number, or an array that broadcasts to the shape.
        dtype: another dtype.
        shape: another shape.
        device: the device, or the sharding, to put it on.
        out_sharding: as `device`.

    Raises:
        TypeError: `a` or `fill_value` is no array.
        ShapeError: `fill_value` does not broadcast.

    >>> jnp.full_like(jnp.array([1, 2]), 7.9)
    Array([7, 7], dtype=int32)
    """
    shape, dtype, weak = _like("full_like", a, dtype, shape)
    fill_value = as_operand("full_like", fill_value, 1)
    _check_real("full_like", fill_value, dtype)
    place = device if device is not None else out_sharding
    spread = _spread if state.trace is not EVAL else _compiled_spread
    return placed(spread(fill_value, shape, dtype, weak), place)
