"""Taking trends out of signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.ops.elementwise import convert

from ...functions import array_function
from ...operands import (
    Array,
    ArrayLike,
    accumulation_dtype,
    inexact,
    one_axis,
    typeof,
)

__all__ = ["detrend", "without_trend"]


def _centred(x: Array, axis: int) -> Array:
    """The array less its means along an axis."""
    n = typeof(x).shape[axis]
    mean = operators.divide(lax.reduce_sum(x, (axis,)), n)
    return operators.subtract(x, lax.expand_dims(mean, (axis,)))


def _straightened(x: Array, axis: int) -> Array:
    """The array less the straight lines that fit it best along an axis.

    With the times centred, the mean and the slope sum(t x) / sum(t^2) are independent.
    """
    n = typeof(x).shape[axis]
    x = _centred(x, axis)
    if n < 2:
        return x
    times = np.arange(n) - (n - 1) / 2
    shape = [n if d == axis else 1 for d in range(typeof(x).ndim)]
    t = convert((times / np.sqrt(np.sum(times**2))).reshape(shape), typeof(x).dtype)
    slope = lax.reduce_sum(operators.multiply(x, t), (axis,))
    return operators.subtract(x, operators.multiply(lax.expand_dims(slope, (axis,)), t))


def without_trend(x: Array, axis: int, type: str, bp: Any = 0) -> Array:
    """What `detrend` computes, for an array in an inexact dtype.

    Raises:
        ValueError: an unknown type, or breakpoints out of range.
    """
    if type not in ("constant", "linear"):
        raise ValueError(
            f"jx.scipy.signal.detrend: type must be 'linear' or 'constant', got {type!r}"
        )
    n, dtype = typeof(x).shape[axis], typeof(x).dtype
    if not typeof(x).size:
        return x
    x = convert(x, accumulation_dtype(dtype))
    if type == "constant":
        return convert(_centred(x, axis), dtype)
    breaks = sorted({0, n, *np.atleast_1d(np.asarray(bp)).tolist()})
    if breaks[0] < 0 or breaks[-1] > n:
        raise ValueError(
            f"jx.scipy.signal.detrend: breakpoints must lie between 0 and the length of the data "
            f"along the axis, {n}; got bp={bp!r}"
        )
    parts = [
        _straightened(lax.slice_in_dim(x, a, b, axis=axis), axis)
        for a, b in zip(breaks[:-1], breaks[1:], strict=True)
    ]
    return convert(lax.concatenate(parts, axis) if len(parts) > 1 else parts[0], dtype)


@array_function("axis", "type", "bp", "overwrite_data")
def detrend(
    data: ArrayLike,
    axis: int = -1,
    type: str = "linear",
    bp: int | Sequence[int] | np.ndarray = 0,
    overwrite_data: None = None,
) -> Array:
    """A signal less its mean, or less the straight lines that fit it best.

    Args:
        data: an array; integers become floats.
        axis: the axis along which trends are taken out.
        type: `"linear"` for lines, `"constant"` for the mean.
        bp: where the lines break: indices of the elements at which new ones start.
        overwrite_data: there for SciPy's sake; arrays are immutable.

    Returns:
        An array of the shape of `data`.

    Raises:
        NotImplementedError: `overwrite_data` is given.
        ShapeError: the axis is out of range.
        ValueError: an unknown type, or a breakpoint out of range.

    >>> jx.scipy.signal.detrend(jnp.array([1.0, 2.0, 3.0, 6.0])).round(3)
    Array([ 0.4, -0.2, -0.8,  0.6], dtype=float32)
    """
    if overwrite_data is not None:
        raise NotImplementedError(
            "jx.scipy.signal.detrend: overwrite_data is not supported, as arrays are immutable; "
            "use the result"
        )
    x = inexact("detrend", data)
    return without_trend(x, one_axis("detrend", axis, typeof(x).ndim), type, bp)
