"""The gamma function of complex numbers, its logarithm and that one's derivatives.

By Stirling's series (DLMF 5.11.1) far from 0, the recurrence (DLMF 5.5.1) to get there, and
reflection (DLMF 5.5.3) in the left half of the plane; the derivatives are those of the three.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_ad import custom_jvp
from jx_core import lax
from jx_core.ops.special.gamma import hurwitz

from ...operands import Array, typeof

__all__ = ["complex_digamma", "complex_gamma", "complex_loggamma"]

# B_2n / (2n (2n - 1)), B_2n / 2n and B_2n, of the series of log gamma and its derivatives.
_LOG_SERIES = (
    1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400,
)  # fmt: skip
_FIRST_SERIES = tuple(c * (2 * n + 1) for n, c in enumerate(_LOG_SERIES))
_SECOND_SERIES = tuple(c * (2 * n + 2) for n, c in enumerate(_FIRST_SERIES))
# |Re z| + |Im z| from which the series is precise, and so many steps to get there.
_FAR = {np.dtype(np.complex64): 5, np.dtype(np.complex128): 12}


@functools.cache
def _taylor_coefficients() -> list[float]:
    """Of log gamma(2 + w) / w: 1 - euler, then (-1)^n (zeta(n) - 1) / n (DLMF 5.7.3)."""
    return [1 - np.euler_gamma, *((-1) ** n * hurwitz(n, 2.0) / n for n in range(2, 30))]


@custom_jvp
def complex_loggamma(z: Array) -> Array:
    """The principal branch of log(gamma(z)), NaN at the poles."""
    return _loggamma(z)


@custom_jvp
def complex_gamma(z: Array) -> Array:
    """gamma(z), NaN at the poles."""
    return lax.exp(_loggamma(z))


@custom_jvp
def complex_digamma(z: Array) -> Array:
    """The derivative of log(gamma(z)), NaN at the poles."""
    return _digamma(z)


complex_loggamma.defjvps(lambda t, out, z: lax.mul(t, complex_digamma(z)))
complex_gamma.defjvps(lambda t, out, z: lax.mul(t, lax.mul(out, complex_digamma(z))))
complex_digamma.defjvps(lambda t, out, z: lax.mul(t, _trigamma(z)))


def _like(z: Array, value: complex) -> Array:
    return lax.full_like(z, value)


def _below(imag: Array) -> Array:
    """Whether a point is below the real axis, where -0 is below as well."""
    zero = lax.full_like(imag, 0)
    other_side = lax.lt(lax.div(lax.full_like(imag, 1), imag), zero)
    return lax.bitwise_or(lax.lt(imag, zero), other_side)


def _on_the_right(z: Array) -> tuple[Array, Array]:
    """Whether z is to be reflected, and it or 1 - z, whichever is on the right of 1/2."""
    left = lax.lt(lax.real(z), lax.full_like(lax.real(z), 0.5))
    return left, lax.select(left, lax.sub(_like(z, 1), z), z)


def _turn(z: Array, left: Array) -> tuple[Array, Array, Array]:
    """Whether z is below the axis; it, or its conjugate, above; and 2 pi i times that.

    Whole turns are taken off before they are rounded. Where z is not `left` it is 1/4.
    """
    below = _below(lax.imag(z))
    safe = lax.select(left, z, _like(z, 0.25))
    above = lax.select(below, lax.conj(safe), safe)
    real = lax.real(above)
    whole = lax.floor(lax.add(real, lax.full_like(real, 0.5)))
    rest = lax.sub(above, lax.complex(whole, lax.full_like(real, 0)))
    return below, above, lax.mul(rest, _like(z, 2j * math.pi))


def _nan_at_poles(z: Array, value: Array) -> Array:
    real, imag = lax.real(z), lax.imag(z)
    zero = lax.full_like(real, 0)
    pole = lax.bitwise_and(lax.le(real, zero), lax.eq(real, lax.floor(real)))
    unknown = lax.bitwise_or(lax.bitwise_and(pole, lax.eq(imag, zero)), lax.ne(z, z))
    return lax.select(unknown, _like(z, complex(math.nan, math.nan)), value)


def _series(coefficients: Sequence[float], square: Array) -> Array:
    total = _like(square, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = lax.add(lax.mul(total, square), _like(square, c))
    return total


def _far_and_steps(z: Array, term: Callable[[Array], Array]) -> tuple[Any, Array, Array]:
    """Whether z is far; z or a point steps on that is; the sum of the terms of the steps."""
    size = lax.add(lax.abs(lax.real(z)), lax.abs(lax.imag(z)))
    steps = _FAR[typeof(z).dtype]
    far = lax.ge(size, lax.full_like(size, steps))
    start = lax.select(far, _like(z, 1), z)
    total = term(start)
    for k in range(1, steps):
        total = lax.add(total, term(lax.add(start, _like(z, k))))
    tall = lax.select(far, z, lax.add(z, _like(z, steps)))
    return far, tall, lax.select(far, _like(z, 0), total)


def _inverse(z: Array) -> Array:
    return lax.div(_like(z, 1), z)


def _loggamma(z: Array) -> Array:
    left, right = _on_the_right(z)
    _, tall, steps = _far_and_steps(right, lax.log)
    inverse = _inverse(tall)
    power = lax.mul(lax.sub(tall, _like(z, 0.5)), lax.log(tall))
    value = lax.add(lax.sub(power, tall), _like(z, 0.5 * math.log(2 * math.pi)))
    value = lax.add(value, lax.mul(_series(_LOG_SERIES, lax.mul(inverse, inverse)), inverse))
    value = _mended_at_zeros(right, lax.sub(value, steps))
    # log(sin(pi z)) continued from (0, 1) to either side of the axis without a jump: above it
    # is log(1 - exp(2 pi i z)) - pi i z + pi i / 2 - log(2), where the exponential is small.
    below, above, turn = _turn(z, left)
    line = lax.mul(above, _like(z, 1j * math.pi))
    sine = lax.sub(lax.log(lax.neg(lax.expm1(turn))), line)
    sine = lax.add(sine, _like(z, 0.5j * math.pi - math.log(2)))
    sine = lax.select(below, lax.conj(sine), sine)
    reflected = lax.sub(lax.sub(_like(z, math.log(math.pi)), sine), value)
    return _nan_at_poles(z, lax.select(left, reflected, value))


def _mended_at_zeros(z: Array, value: Array) -> Array:
    """`value`, or log gamma(z) by the Taylor series around its zeros 1 and 2."""
    bound = lax.full_like(lax.real(z), 0.5)
    w = lax.sub(z, _like(z, 2))
    at_2 = lax.lt(lax.abs(w), bound)
    at_1 = lax.lt(lax.abs(lax.add(w, _like(z, 1))), bound)
    small = lax.select(at_2, w, lax.select(at_1, lax.add(w, _like(z, 1)), _like(z, 0)))
    series = lax.mul(small, _series(_taylor_coefficients(), small))
    down = lax.sub(series, lax.log1p(small))  # gamma(1 + w) = gamma(2 + w) / (1 + w)
    return lax.select(at_2, series, lax.select(at_1, down, value))


def _cotangent(z: Array, left: Array) -> Array:
    """cot(pi z) as i (1 + 2 / (exp(2 pi i z) - 1)), from above the axis."""
    below, _, turn = _turn(z, left)
    quotient = lax.div(_like(z, 2), lax.expm1(turn))
    value = lax.mul(lax.add(quotient, _like(z, 1)), _like(z, 1j))
    return lax.select(below, lax.conj(value), value)


def _digamma(z: Array) -> Array:
    left, right = _on_the_right(z)
    _, tall, steps = _far_and_steps(right, _inverse)
    inverse = _inverse(tall)
    square = lax.mul(inverse, inverse)
    value = lax.sub(lax.log(tall), lax.mul(inverse, _like(z, 0.5)))
    value = lax.sub(value, lax.mul(_series(_FIRST_SERIES, square), square))
    value = lax.sub(value, steps)
    reflected = lax.sub(value, lax.mul(_cotangent(z, left), _like(z, math.pi)))
    return _nan_at_poles(z, lax.select(left, reflected, value))


def _trigamma(z: Array) -> Array:
    left, right = _on_the_right(z)
    _, tall, steps = _far_and_steps(right, lambda x: lax.mul(_inverse(x), _inverse(x)))
    inverse = _inverse(tall)
    square = lax.mul(inverse, inverse)
    value = lax.add(inverse, lax.mul(square, _like(z, 0.5)))
    value = lax.add(value, lax.mul(_series(_SECOND_SERIES, square), lax.mul(square, inverse)))
    value = lax.add(value, steps)
    # 1 / sin^2(pi z) is -4 w / (w - 1)^2 with w = exp(2 pi i z), from above the axis.
    below, _, turn = _turn(z, left)
    excess = lax.expm1(turn)
    sine = lax.div(lax.mul(lax.exp(turn), _like(z, -4)), lax.mul(excess, excess))
    sine = lax.select(below, lax.conj(sine), sine)
    reflected = lax.sub(lax.mul(sine, _like(z, math.pi**2)), value)
    return _nan_at_poles(z, lax.select(left, reflected, value))
