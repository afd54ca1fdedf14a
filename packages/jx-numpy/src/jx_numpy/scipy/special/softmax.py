"""Exponentials scaled to sum 1, and logarithms of sums: those of `jx.nn`, by SciPy's names."""

from __future__ import annotations

from ...functions import array_function, plain
from ...nn import log_softmax as _log_softmax
from ...nn import logsumexp
from ...nn import softmax as _softmax
from ...operands import Array, ArrayLike

__all__ = ["log_softmax", "logsumexp", "softmax"]

Axes = int | tuple[int, ...] | None


@array_function("axis")
def softmax(x: ArrayLike, /, *, axis: Axes = None) -> Array:
    """Exponentials scaled to sum 1 along axes: exp(x) / sum(exp(x)).

    Args:
        x: an array; integers and booleans become floats.
        axis: the axis, or a tuple of them, along which the result sums to 1; all if None.

    Returns:
        An array of the shape of `x`. NaN where all elements are -inf, or one is inf.

    Raises:
        ShapeError: an axis is out of range or repeated.
        TypeError: `x` is no array.

    >>> jx.scipy.special.softmax(jnp.array([1.0, 1.0, -jnp.inf]))
    Array([0.5, 0.5, 0. ], dtype=float32)
    """
    return plain(_softmax)(x, axis)


@array_function("axis")
def log_softmax(x: ArrayLike, /, *, axis: Axes = None) -> Array:
    """The logarithm of `softmax`, x - log(sum(exp(x))), also where that rounds to 0.

    Args:
        x: an array; integers and booleans become floats.
        axis: the axis, or a tuple of them, that the sum is along; all if None.

    Returns:
        An array of the shape of `x`. NaN where all elements are -inf, or one is inf.

    Raises:
        ShapeError: an axis is out of range or repeated.
        TypeError: `x` is no array.

    >>> jx.scipy.special.log_softmax(jnp.array([0.0, -1000.0]))
    Array([    0., -1000.], dtype=float32)
    """
    return plain(_log_softmax)(x, axis)
