"""`jx.scipy.integrate`: integrals of sampled functions."""

from __future__ import annotations

from ..calculus import trapezoid as _trapezoid
from ..functions import array_function, plain
from ..operands import Array, ArrayLike

__all__ = ["trapezoid"]


@array_function("axis")
def trapezoid(
    y: ArrayLike, x: ArrayLike | None = None, dx: ArrayLike = 1.0, axis: int = -1
) -> Array:
    """The integral of a sampled function, by the trapezoid rule.

    Args:
        y: the samples; integers become floats.
        x: where they were taken: a vector, or an array of the shape of `y`.
        dx: the distance between them, if `x` is None.
        axis: the axis to integrate along.

    Raises:
        ShapeError: the axis is out of range, or shapes don't fit.

    >>> jx.scipy.integrate.trapezoid(jnp.array([1.0, 2.0, 3.0]), dx=0.5)
    Array(2., dtype=float32)
    """
    return plain(_trapezoid)(y, x, dx, axis)  # type: ignore[no-any-return]
