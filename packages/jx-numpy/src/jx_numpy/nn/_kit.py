"""What the functions of `jx.nn` share: operands made floats, sums and statistics along axes."""

from __future__ import annotations

import numpy as np

from jx_core import lax
from jx_core.ops.elementwise import convert

from ..operands import (
    INEXACT,
    Array,
    ArrayLike,
    Shape,
    accumulation_dtype,
    as_operand,
    broadcast_shapes,
    broadcast_to,
    inexact,
    pair,
    typeof,
)


def beside_float(name: str, x: ArrayLike) -> Array:
    """`x` in the dtype it has beside a Python float: integers become weakly typed floats."""
    return pair(name, x, 0.0)[0]


def strong(name: str, x: ArrayLike) -> Array:
    """`x` in an inexact dtype that is not weak; integers and booleans become floats."""
    aval = getattr(x, "aval", None)
    if aval is not None and not aval.weak_type and aval.dtype in INEXACT:
        return x
    x = inexact(name, x)
    return convert(x, typeof(x).dtype)


def boolean_mask(name: str, where: ArrayLike) -> Array:
    """The argument `where`.

    Raises:
        ValueError: it does not hold booleans.
    """
    where = as_operand(name, where)
    if typeof(where).dtype != np.bool_:
        raise ValueError(
            f"{name}: where must be None or a boolean array, got dtype {typeof(where).dtype.name}; "
            f"compare, as in where=mask != 0"
        )
    return where


def masked(name: str, x: Array, where: ArrayLike, otherwise: float) -> tuple[Array, Array]:
    """`x` with `otherwise` where the mask is not set, and the mask, both of one shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        ValueError: the mask does not hold booleans.
    """
    where = boolean_mask(name, where)
    shape = broadcast_shapes(name, typeof(x).shape, typeof(where).shape)
    where = broadcast_to(where, shape)
    return lax.select(where, broadcast_to(x, shape), otherwise), where


def total(x: Array, axes: Shape) -> Array:
    """The sum over `axes`, of floats below 32 bits in float32 and rounded once."""
    dtype = typeof(x).dtype
    return convert(lax.reduce_sum(convert(x, accumulation_dtype(dtype)), axes), dtype)


def along(reduced: Array, shape: Shape, axes: Shape) -> Array:
    """What was reduced over `axes` of `shape`, repeated along them."""
    kept = [d for d in range(len(shape)) if d not in axes]
    return lax.broadcast_in_dim(reduced, shape, kept)
