"""What is minimized: a function of a real vector, its gradient, and what they share of types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jx_ad import value_and_grad
from jx_core import lax, typeof

from ...linalg.norms import norm as matrix_norm


def dot(x: Any, y: Any) -> Any:
    """The scalar product of real vectors."""
    return lax.dot(x, y, precision=lax.Precision.HIGHEST)


def count(n: int = 0) -> Any:
    """A counter."""
    return lax.full((), n, np.int32)


class Objective(NamedTuple):
    """A function of a real vector to be minimized.

    Attributes:
        fun: the function, of vectors of `dtype`, with real scalar values.
        dtype: float32 or float64.
        shown: a gradient as the caller of the minimization sees it.
    """

    fun: Callable[[Any], Any]
    dtype: Any
    shown: Callable[[Any], Any]

    def at(self, x: Any) -> tuple[Any, Any]:
        """The value and the gradient at a point, in the dtype of the vectors."""
        value, gradient = value_and_grad(self.fun)(x)
        return (
            lax.convert_element_type(value, self.dtype),
            lax.convert_element_type(gradient, self.dtype),
        )

    def size(self, gradient: Any, order: Any) -> Any:
        """A norm of a gradient."""
        size = matrix_norm(self.shown(gradient), ord=order)
        return lax.convert_element_type(size, self.dtype)


def real_objective(
    fun: Callable[[Any], Any], x0: Any
) -> tuple[Objective, Any, Callable[[Any], Any]]:
    """The objective, where to start, and the way from a real vector back to one like `x0`.

    Complex vectors are real ones of twice the length, real parts first. The gradient of a real
    function at `x + i y` is shown as `df/dx - i df/dy`, as `grad` has it.
    """
    dtype = typeof(x0).dtype
    if dtype.kind != "c":
        return Objective(fun, dtype, lambda g: g), x0, lambda x: x
    n = typeof(x0).shape[0]

    def joined(x: Any) -> Any:
        return lax.complex(lax.slice_in_dim(x, 0, n), lax.slice_in_dim(x, n, 2 * n))

    start = lax.concatenate([lax.real(x0), lax.imag(x0)], 0)
    objective = Objective(
        lambda x: fun(joined(x)), typeof(start).dtype, lambda g: lax.conj(joined(g))
    )
    return objective, start, joined
