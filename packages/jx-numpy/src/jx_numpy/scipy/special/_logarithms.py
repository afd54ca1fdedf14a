"""The logarithm of numbers near 1."""

from __future__ import annotations

from jx_core import lax
from jx_core.operators import add, multiply

from ...operands import Array

__all__ = ["log_of_quotient_near_1"]

_SERIES = tuple(2 / (2 * k + 1) for k in range(17))


def log_of_quotient_near_1(t: Array) -> Array:
    """log((1 + t) / (1 - t)) = 2 artanh(t) for real t between -1/3 and 1/3.

    By its power series (DLMF 4.38.5), to a unit or two in the last place; XLA's own log1p and
    atanh are off by a hundred units in places.
    """
    square = lax.square(t)
    total = lax.full_like(t, _SERIES[-1])
    for c in reversed(_SERIES[:-1]):
        total = add(lax.mul(total, square), c)
    return multiply(t, total)
