"""Random bits, and the distributions that come straight of them: `uniform` and `randint`."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import dtypes, lax
from jx_core.aval import typeof
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import bitcast_convert_type, convert
from jx_core.ops.rng import random_bits

from ..functions import array_function
from ..operands import (
    Shape,
    a_dtype,
    a_shape,
    as_operand,
    broadcast_shapes,
    broadcast_to,
    refuse_sharding,
)
from .keys import single_key, two_keys

__all__ = ["bits", "randint", "uniform"]

_INT32 = np.dtype(np.int32)


def float_dtype(name: str, dtype: Any, complex_too: bool = False) -> Any:
    """The dtype of a distribution of real numbers; the default float dtype for None.

    Raises:
        ValueError: it is none of floats.
    """
    if dtype is None:
        return typeof(0.0).dtype
    dtype = a_dtype(name, dtype)
    wanted = np.inexact if complex_too else np.floating
    if not dtypes.issubdtype(dtype, wanted):
        kind = "a float or complex" if complex_too else "a float"
        raise ValueError(f"dtype argument to `{name}` must be {kind} dtype, got {dtype.name}")
    return dtype


def integer_dtype(name: str, dtype: Any) -> Any:
    """The dtype of a distribution of integers; the default integer dtype for None.

    Raises:
        ValueError: it is none of integers.
    """
    if dtype is None:
        return typeof(0).dtype
    dtype = a_dtype(name, dtype)
    if not dtypes.issubdtype(dtype, np.integer):
        raise ValueError(f"dtype argument to `{name}` must be an int dtype, got {dtype.name}")
    return dtype


def sample_shape(name: str, shape: Any, *operands: Any) -> Shape:
    """The shape of samples: that of the parameters for None, else one they broadcast to.

    Raises:
        ShapeError: the parameters do not broadcast to `shape`.
    """
    shapes = [typeof(as_operand(name, x, i + 1)).shape for i, x in enumerate(operands)]
    common = broadcast_shapes(name, *shapes)
    if shape is None:
        return common
    wanted = a_shape(name, shape)
    if broadcast_shapes(name, wanted, *shapes) != wanted:
        raise ShapeError(
            f"{name}: parameters of shapes {shapes} do not broadcast to shape={wanted}"
        )
    return wanted


def as_float(x: Any, dtype: Any) -> Any:
    """A parameter as an operand of a float dtype: a literal where it is a Python number."""
    if isinstance(x, (bool, int, float)):
        return np.asarray(x, dtype)[()]
    return convert(x, dtype)


# --- bits ---


@array_function("shape", "dtype", "out_sharding")
def bits(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Uniform random bits, as unsigned integers.

    Args:
        key: a key.
        shape: the result's shape.
        dtype: an unsigned integer dtype; by default uint32, or uint64 where 64-bit dtypes
            are on.

    Raises:
        ValueError: another dtype; a key array of several keys.

    >>> jx.random.bits(jx.random.key(0), (2,), "uint8").shape
    (2,)
    """
    typed = single_key("bits", key)
    refuse_sharding("random.bits", out_sharding)
    kind = dtypes.canonicalize_dtype(np.uint64) if dtype is None else a_dtype("bits", dtype)
    if not dtypes.issubdtype(kind, np.unsignedinteger):
        raise ValueError(f"dtype argument to `bits` must be an unsigned int dtype, got {kind.name}")
    return random_bits(typed, bit_width=kind.itemsize * 8, shape=a_shape("bits", shape))


# --- uniform ---


def uniform_floats(key: Any, shape: Shape, dtype: Any, minval: Any = 0.0, maxval: Any = 1.0) -> Any:
    """Uniform floats in [minval, maxval), of a canonical dtype, from a typed key.

    Random bits fill the mantissa of a number in [1, 2), from which 1 is subtracted.
    """
    info = dtypes.finfo(dtype)
    width, mantissa = int(info.bits), int(info.nmant)
    drawn = 8 if mantissa < 8 else width
    unsigned = np.dtype(f"uint{width}")
    one = np.asarray(1, dtype)[()]
    words = convert(random_bits(key, bit_width=drawn, shape=shape), unsigned)
    words = lax.shift_right_logical(words, unsigned.type(drawn - mantissa))
    words = lax.bitwise_or(words, np.asarray(one).view(unsigned)[()])
    floats = lax.sub(bitcast_convert_type(words, dtype), one)
    if type(minval) is type(maxval) is float and (minval, maxval) == (0.0, 1.0):
        return floats
    low, high = as_float(minval, dtype), as_float(maxval, dtype)
    both_known = isinstance(low, np.generic) and isinstance(high, np.generic)
    span = high - low if both_known else lax.sub(*_same_shape(high, low))
    if np.shape(low):
        low = broadcast_to(low, shape)
    if np.shape(span):
        span = broadcast_to(span, shape)
    return lax.max(low, lax.add(lax.mul(floats, span), low))


def _same_shape(x: Any, y: Any) -> tuple[Any, Any]:
    shape = broadcast_shapes("uniform", np.shape(x), np.shape(y))
    return (
        broadcast_to(x, shape) if np.shape(x) else x,
        broadcast_to(y, shape) if np.shape(y) else y,
    )


@array_function("shape", "dtype", "out_sharding")
def uniform(
    key: Any,
    shape: Any = (),
    dtype: Any = None,
    minval: Any = 0.0,
    maxval: Any = 1.0,
    *,
    out_sharding: Any = None,
) -> Any:
    """Uniform random floats in [minval, maxval).

    Args:
        key: a key.
        shape: the result's shape.
        dtype: a float dtype; the default one if None.
        minval, maxval: the bounds, which broadcast to `shape`.

    Raises:
        ValueError: another dtype; a key array of several keys.

    >>> x = jx.random.uniform(jx.random.key(0), (1000,), minval=-1.0)
    >>> bool(jnp.all((-1 <= x) & (x < 1)))
    True
    """
    typed = single_key("uniform", key)
    refuse_sharding("random.uniform", out_sharding)
    kind = float_dtype("uniform", dtype)
    size = sample_shape("uniform", a_shape("uniform", shape), minval, maxval)
    return uniform_floats(typed, size, kind, minval, maxval)


# --- randint ---


def random_integers(key: Any, shape: Shape, minval: Any, maxval: Any, dtype: Any) -> Any:
    """Uniform integers in [minval, maxval), of a canonical dtype, from a typed key.

    Two words of the dtype's width, as one number of twice that, modulo the span.
    """
    if dtype.itemsize < 4:
        info = np.iinfo(dtype)
        low = _limited(minval, int(info.min), int(info.max), _INT32)
        high = _limited(maxval, int(info.min), int(info.max) + 1, _INT32)
        return convert(random_integers(key, shape, low, high, _INT32), dtype)
    info = np.iinfo(dtype)
    width = dtype.itemsize * 8
    unsigned = np.dtype(f"uint{width}")
    beyond = _exceeds(maxval, int(info.max))
    low = _limited(minval, int(info.min), int(info.max), dtype)
    high = _limited(maxval, int(info.min), int(info.max), dtype)
    bounds = broadcast_shapes("randint", np.shape(low), np.shape(high), np.shape(beyond))
    low, high = broadcast_to(low, bounds), broadcast_to(high, bounds)
    span = convert(lax.sub(high, low), unsigned)
    one = lax.full(bounds, 1, unsigned)
    span = lax.select(lax.le(high, low), one, span)
    if beyond is not False:  # the last value of the dtype is among those wanted
        reached = lax.bitwise_and(broadcast_to(beyond, bounds), lax.gt(high, low))
        span = lax.select(reached, lax.add(span, one), span)
    half = lax.rem(lax.full(bounds, 2 ** (width // 2), unsigned), span)
    factor = lax.rem(lax.mul(half, half), span)
    upper, lower = (random_bits(k, bit_width=width, shape=shape) for k in two_keys(key))
    span, factor, low = (broadcast_to(x, shape) for x in (span, factor, low))
    offset = lax.add(lax.mul(lax.rem(upper, span), factor), lax.rem(lower, span))
    return lax.add(low, convert(lax.rem(offset, span), dtype))


def _exceeds(value: Any, limit: int) -> Any:
    """Whether integers are greater than `limit`; False where their dtype holds none such."""
    dtype = typeof(value).dtype
    if not dtypes.issubdtype(dtype, np.integer) or int(dtypes.iinfo(dtype).max) <= limit:
        return False
    return lax.gt(value, dtype.type(limit))


def _limited(value: Any, low: int, high: int, dtype: Any) -> Any:
    """A bound moved into [low, high] and converted."""
    own = typeof(value).dtype
    if not dtypes.issubdtype(own, np.integer):
        return convert(value, dtype)
    info = dtypes.iinfo(own)
    least, greatest = max(low, int(info.min)), min(high, int(info.max))
    if (least, greatest) != (int(info.min), int(info.max)):
        value = lax.clamp(own.type(least), value, own.type(greatest))
    return convert(value, dtype)


@array_function("shape", "dtype", "out_sharding")
def randint(
    key: Any,
    shape: Any,
    minval: Any,
    maxval: Any,
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Uniform random integers in [minval, maxval).

    Args:
        key: a key.
        shape: the result's shape.
        minval, maxval: the bounds, which broadcast to `shape`.
        dtype: an integer dtype; the default one if None.

    Raises:
        TypeError: another dtype.
        OverflowError: a bound that is a Python integer too wide for the default integers.

    >>> x = jx.random.randint(jx.random.key(0), (1000,), 0, 6)
    >>> int(x.min()), int(x.max())
    (0, 5)
    """
    typed = single_key("randint", key)
    refuse_sharding("random.randint", out_sharding)
    kind = typeof(0).dtype if dtype is None else a_dtype("randint", dtype)
    if not dtypes.issubdtype(kind, np.integer):
        raise TypeError(f"randint only accepts integer dtypes, got {kind.name}")
    size = sample_shape("randint", a_shape("randint", shape), minval, maxval)
    return random_integers(typed, size, minval, maxval, kind)
