"""The operations: their types, what they compute, and the functions that users call."""

import numpy as np

from jx_core import Primitive, ShapedArray, lax


def shift_type(x: ShapedArray, *, by: int) -> ShapedArray:
    if x.ndim == 0:
        raise ValueError(f"shift: x must have a last axis to shift along, got a scalar, {x}")
    return x


shift_p = Primitive(
    "shift",
    abstract=shift_type,
    reference=lambda x, *, by: np.roll(x, by, -1),
)


def shift(x, by):
    """Move the elements of `x` along its last axis by `by` places, around the end."""
    return shift_p.bind(x, by=int(by))


def laplacian_type(x: ShapedArray) -> ShapedArray:
    if x.ndim == 0 or not np.issubdtype(x.dtype, np.inexact):
        raise TypeError(f"laplacian: x must be floats along at least one axis, got {x}")
    return x


laplacian_p = Primitive(
    "laplacian",
    abstract=laplacian_type,
    decompose=lambda x: lax.sub(lax.add(shift(x, 1), shift(x, -1)), lax.mul(x, 2.0)),
)


def laplacian(x):
    """The second difference of `x` along its last axis, on a grid of spacing 1."""
    return laplacian_p.bind(np.asarray(x, np.float32) if isinstance(x, list) else x)
