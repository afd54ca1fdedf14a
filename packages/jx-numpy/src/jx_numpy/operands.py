"""What the array functions do to their arguments before they bind anything.

Reading axes, shapes and dtypes as a user writes them, and refusing what arrays can't do.
Promotion and broadcasting of operands are `jx_core.operators`' and gathered here, so that
the modules beside this one have one place to import from.
"""

from __future__ import annotations

import functools
import sys
from operator import index
from typing import Any, TypeAlias

import numpy as np

from jx_core import dtypes
from jx_core.aval import ShapedArray, typeof
from jx_core.errors import ShapeError, TracerIntegerConversionError
from jx_core.operators import (
    as_operand,
    broadcast_shapes,
    pair,
    pair_inexact,
    promote,
    promote_dtypes,
    promote_dtypes_inexact,
    promote_inexact,
    promote_shapes,
    to_dtype,
    to_inexact,
)
from jx_core.operators.promotion import INEXACT
from jx_core.ops.axes import canonical_axes, canonical_axis, canonical_shape, least
from jx_core.ops.elementwise import convert
from jx_core.ops.shape import broadcast_to
from jx_core.source import is_internal
from jx_core.symbolic import DimExpr

__all__ = [
    "INEXACT", "Array", "ArrayLike", "Shape", "a_dtype", "a_shape", "accumulation_dtype",
    "an_integer", "as_operand", "as_weak_as", "broadcast_all", "broadcast_shapes",
    "broadcast_to", "inexact", "is_complex", "is_floating", "is_integer", "one_axis", "pair",
    "pair_inexact", "promote", "promote_dtypes", "promote_dtypes_inexact", "promote_inexact",
    "promote_shapes", "refuse_out", "refuse_sharding", "some_axes", "strong", "to_dtype",
    "to_inexact", "type_of", "typeof", "user_stacklevel",
]  # fmt: skip

Array: TypeAlias = Any
ArrayLike: TypeAlias = Any
Shape: TypeAlias = tuple[int, ...]


def type_of(name: str, x: ArrayLike, position: int = 0) -> ShapedArray:
    """The type of the operand `x` of the function `name`; TypeError where it is no array."""
    aval = getattr(x, "aval", None)
    return typeof(as_operand(name, x, position)) if aval is None else aval


def is_floating(dtype: Any) -> bool:
    """Whether a dtype object is a real floating one."""
    return dtype in INEXACT and dtype.kind != "c"


def is_complex(dtype: Any) -> bool:
    """Whether a dtype object is a complex one."""
    return dtype in INEXACT and dtype.kind == "c"


def is_integer(dtype: Any) -> bool:
    """Whether a dtype object is an integer one; booleans are not."""
    return dtypes.issubdtype(dtype, np.integer)


def inexact(name: str, x: ArrayLike) -> Array:
    """The operand of a function of real numbers: integers and booleans become floats."""
    return promote_dtypes_inexact(name, x)[0]


def as_weak_as(result: Array, *operands: ArrayLike) -> Array:
    """`result`, its type strong unless that of every operand is weak.

    Promotion goes by the lattice, in which an array of integers beside `0.5` is weakly float;
    some functions of JAX's give strong results there.
    """
    if typeof(result).weak_type and not all(typeof(x).weak_type for x in operands):
        return strong(result)
    return result


def strong(x: ArrayLike) -> Array:
    """`x` with its dtype for good, whether it came of a Python number or not."""
    return convert(x, typeof(x).dtype)


def broadcast_all(name: str, *operands: ArrayLike) -> list[Array]:
    """The operands with one dtype and all of one shape, zero-dimensional ones as well.

    For `select` and joins, which do not take scalars beside arrays as arithmetic does.
    """
    promoted = promote(name, *operands)
    shape = broadcast_shapes(name, *[typeof(x).shape for x in promoted])
    return [broadcast_to(x, shape) for x in promoted]


# Arguments that are not arrays.


def one_axis(name: str, axis: Any, ndim: int, argument: str = "axis") -> int:
    """An axis as a user writes it, counted from the front.

    Raises:
        ShapeError: it is out of range.
        TypeError: it is no integer that is known now.
    """
    if type(axis) is int and 0 <= axis < ndim:
        return axis
    return canonical_axis(name, axis, ndim, argument)


def some_axes(name: str, axis: Any, ndim: int, argument: str = "axis") -> tuple[int, ...]:
    """One or several axes as a user writes them, or all of them for None.

    Raises:
        ShapeError: one is out of range, or repeated.
        TypeError: they are no integers that are known now.
    """
    if axis is None:
        return _ALL_AXES[ndim] if ndim < len(_ALL_AXES) else tuple(range(ndim))
    if type(axis) is int:
        return (axis if 0 <= axis < ndim else canonical_axis(name, axis, ndim, argument),)
    if hasattr(axis, "__index__") and not getattr(axis, "ndim", 0):
        return (canonical_axis(name, axis, ndim, argument),)
    return canonical_axes(name, axis, ndim, argument)


_ALL_AXES = [tuple(range(n)) for n in range(9)]


def a_shape(name: str, shape: Any, argument: str = "shape") -> Shape:
    """A shape as a user writes it: a sequence of integers, or one.

    Raises:
        ShapeError: a length is negative.
        TypeError: they are no integers that are known now.
    """
    result = canonical_shape(name, shape, argument)
    if result and least(result) < 0:
        raise ShapeError(f"{name}: {argument} must be non-negative integers, got {result}")
    return result


def an_integer(name: str, value: Any, argument: str) -> Any:
    """An integer that decides a shape or a place, as a Python int, or a symbolic dimension.

    Raises:
        TypeError: it is no integer that is known now.
    """
    if type(value) is int or type(value) is DimExpr:
        return value
    try:
        return index(value)
    except TracerIntegerConversionError:
        raise
    except TypeError:
        raise TypeError(f"{name}: {argument} must be an integer, got {value!r:.200}") from None


def a_dtype(name: str, dtype: Any) -> Any:
    """The canonical dtype for one that a user named, with a warning if it is narrowed.

    Raises:
        TypeError: it is no dtype that arrays can have.
    """
    try:
        canonical = dtypes.canonicalize_dtype(dtype, True)
    except TypeError:
        raise TypeError(
            f"{name}: dtype must be a dtype or its name, such as jnp.float32; got {dtype!r:.200}"
        ) from None
    if canonical is dtype and canonical in dtypes.NUMERIC_DTYPES:
        return canonical
    return dtypes.requested_dtype(dtype, name, stacklevel=user_stacklevel() + 1)


def user_stacklevel() -> int:
    """The `stacklevel` with which the caller's `warnings.warn` names the user's line."""
    frame: Any = sys._getframe(1)
    level = 1
    while frame is not None and is_internal(frame.f_code.co_filename):
        frame = frame.f_back
        level += 1
    return level


def refuse_out(name: str, out: Any) -> None:
    """Raise unless the argument `out` was left alone: arrays are immutable.

    Raises:
        NotImplementedError: as in JAX.
    """
    if out is not None:
        raise NotImplementedError(
            f"The 'out' argument to jnp.{name} is not supported: arrays are immutable, so write "
            f"result = jnp.{name}(...)"
        )


def refuse_sharding(name: str, out_sharding: Any) -> None:
    """Raise unless `out_sharding` is None: only meshes with explicit axes have use for it.

    Raises:
        ValueError: it is given.
    """
    if out_sharding is not None:
        raise ValueError(
            f"jnp.{name}: out_sharding is for meshes with explicit axes, got {out_sharding!r}; "
            f"jx.lax.with_sharding_constraint says how a result lies on devices"
        )


@functools.lru_cache(maxsize=256)
def accumulation_dtype(dtype: Any) -> Any:
    """The dtype in which sums and products of elements of `dtype` are computed.

    Floats of less than 32 bits accumulate in float32.
    """
    if is_floating(dtype) and dtype.itemsize < 4:
        return np.dtype(np.float32)
    return dtype
