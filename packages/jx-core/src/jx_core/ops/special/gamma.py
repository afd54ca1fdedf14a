"""The logarithm of the gamma function, its derivative, and what other functions take of them.

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov).
"""

from __future__ import annotations

import functools
import math

import numpy as np

from ..kit import Array, ArrayLike
from .maths import Maths, Real, minus_double_double, polynomial, special

__all__ = ["digamma", "digamma_increment_p", "digamma_p", "lgamma", "lgamma_p"]

# Terms of the series around 2: the rest is below 2**-56 for arguments up to 1/2 and up to 3/4.
_TERMS = 28
_MORE_TERMS = 40
LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)

# B_2n / (2n (2n - 1)), the coefficients of Stirling's series (DLMF 5.11.1).
STIRLING = (
    1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400,
)  # fmt: skip
LARGE = 10.0  # from here on eight terms of the asymptotic series are exact


def hurwitz(n: int, q: float) -> float:
    """zeta(n, q) for a few whole n and positive q: Euler and Maclaurin (DLMF 25.11.5)."""
    N = 64
    a = q + N
    tail = a ** (1 - n) / (n - 1) + 0.5 * a**-n + n * a ** (-n - 1) / 12
    tail -= n * (n + 1) * (n + 2) * a ** (-n - 3) / 720
    tail += n * (n + 1) * (n + 2) * (n + 3) * (n + 4) * a ** (-n - 5) / 30240
    return math.fsum([*((q + k) ** -n for k in range(N)), tail])


@functools.cache
def _lgamma_coefficients() -> list[float]:
    """1 - euler, then (-1)^n (zeta(n) - 1) / n for n = 2, 3, ... (DLMF 5.7.3)."""
    rest = [(-1) ** n * hurwitz(n, 2.0) / n for n in range(2, _MORE_TERMS + 1)]
    return [1 - np.euler_gamma, *rest]


def lgamma_from_2(m: Maths, z: Real) -> Real:
    """log gamma(2 + z) for |z| <= 1/2, precise also around its root 0."""
    return z * polynomial(m.enough(_lgamma_coefficients()[:_TERMS], 0.5), z)


def lgamma_increment(z: Real, a: Real) -> Real:
    """log gamma(2 + z + a) - log gamma(2 + z), for -3/4 <= z, z + a <= 3/4.

    By the divided difference of a polynomial, which is precise also where it is small.
    """
    value, quotient = 0.0, 0.0
    for c in reversed([0.0, *_lgamma_coefficients()]):
        quotient = quotient * (z + a) + value
        value = value * z + c
    return a * quotient


def stirling(x: Real) -> Real:
    """log gamma(x) - ((x - 1/2) log(x) - x + log(2 pi) / 2), for x of at least `LARGE`."""
    return polynomial(STIRLING, 1 / (x * x)) / x


def sine_of_pi(m: Maths, x: Real) -> tuple[Real, Real]:
    """|sin(pi x)| and pi / tan(pi x): the angle is reduced before it is rounded."""
    rest = x - m.floor(x + 0.5)
    angle = math.pi * rest
    sine = m.sin(angle)
    return m.abs(sine), math.pi * m.cos(angle) / sine


def lgamma1p(m: Maths, a: Real) -> Real:
    """log gamma(1 + a) for 0 <= a <= 3/2, precise also where it is small."""
    small = a < 0.5
    series = lgamma_from_2(m, m.where(small, a, a - 1))
    return m.where(small, series - m.log1p(m.where(small, a, 0.0)), series)


def gamma1p(m: Maths, a: Real, steps: int = int(LARGE)) -> Real:
    """gamma(1 + a) for 0 <= a <= steps, good to two units or so: a product and a series."""
    product, z = m.where(a == a, 1.0, math.nan), a
    for _ in range(steps):
        high = z > 0.5
        product = m.where(high, product * z, product)
        z = m.where(high, z - 1, z)
    return product * m.exp(lgamma_from_2(m, z)) / (1 + z)


def _lgamma(m: Maths, x: Real) -> Real:
    """log|gamma(x)|: DLMF 5.7.3 around 1 and 2, 5.5.1 to get there, 5.11.1 from 10 on, 5.5.3."""
    size = m.abs(x)
    result = lgamma_of(m, size)

    def reflected(result: Real) -> Real:
        sine, _ = sine_of_pi(m, x)
        below = math.log(math.pi) - m.log(sine * size) - result
        return m.where(x < 0, m.where(x == m.floor(x), math.inf, below), result)

    return m.when(x < 0, reflected, result, result)


def lgamma_of(m: Maths, x: Real) -> Real:
    large = x >= LARGE
    # gamma(x) = product * gamma(2 + z), or gamma(2 + z) / product
    product, y = m.where(x == x, 1.0, math.nan), m.where(large, 2.0, x)
    for _ in range(int(LARGE) - 2):
        high = y > 2.5
        y = m.where(high, y - 1, y)
        product = m.where(high, product * y, product)
    small, low = x < 0.5, x < 1.5
    z = m.where(small, x, m.where(low, x - 1, y - 2))
    factor = m.where(small, x * (1 + x), m.where(low, x, m.where(large, x, product)))
    log = m.log(factor)
    near = lgamma_from_2(m, z) + m.where(low, -log, log)
    tall = m.where(large, x, LARGE)
    far = (tall - 0.5) * (log - 1) + (LOG_SQRT_2PI - 0.5) + stirling(tall)
    far = m.where(x == math.inf, math.inf, far)
    return m.where(large, far, near)


# The positive root of digamma, as the sum of two doubles (OEIS A030169).
_ROOT = 1.4616321449683622
_ROOT_REST = 9.549995429965697e-17
# Those between 0 and -1, -1 and -2, ... as such sums: the sign changes of mpmath's digamma.
_NEGATIVE_ROOTS = (
    (-0.5040830082644554, -8.15428206243813e-18),
    (-1.5734984731623904, -1.574185691077347e-17),
    (-2.6107208684441447, 9.881960746978353e-17),
    (-3.635293366436901, 5.454396163173039e-17),
    (-4.653237761743142, -2.5492686201468193e-16),
    (-5.6671624415568855, -3.2153051074948335e-18),
    (-6.678418213073427, 3.470798723495241e-16),
    (-7.687788325031626, -1.351562494643672e-16),
    (-8.695764163816401, -3.2859903716289447e-16),
    (-9.702672540001863, -3.2563178405401477e-16),
    (-10.708740838254144, -6.287211750540301e-16),
    (-11.714133061228955, 8.598250154343834e-16),
    (-12.718971025749207, -4.752312432106917e-16),
    (-13.723347457363827, 4.528278691518058e-16),
    (-14.727334416018529, -3.6618399963139786e-17),
    (-15.730988906332882, 1.0551956373365842e-16),
)
# B_2n / 2n, the coefficients of the asymptotic series of digamma (DLMF 5.11.2).
_DIGAMMA_SERIES = (
    1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160,
)  # fmt: skip
_ROOT_TERMS = 36


@functools.cache
def _root_coefficients() -> list[float]:
    """Of the Taylor series of digamma(1 + x) around the root of digamma (DLMF 25.11.12)."""
    return [(-1) ** (n + 1) * hurwitz(n + 1, _ROOT + 1) for n in range(1, _ROOT_TERMS + 1)]


def _digamma(m: Maths, x: Real) -> Real:
    """The derivative of log gamma; NaN at the poles 0, -1, -2, ... and at -inf (DLMF 5.5.4)."""
    size = m.abs(x)
    result = digamma_positive(m, size)

    def reflected(result: Real) -> Real:
        _, cotangent = sine_of_pi(m, x)
        below = result + 1 / size - cotangent
        below = _beside_negative_roots(m, x, below)
        return m.where(x <= 0, m.where(x == m.floor(x), math.nan, below), result)

    return m.when(x <= 0, reflected, result, result)


def _beside_negative_roots(m: Maths, x: Real, value: Real) -> Real:
    """`value`, in the place of which digamma(x) is computed where it is small and x negative.

    There it is the difference to digamma at the root, that of either side of the reflection
    formula by itself: the difference of two cotangents is a quotient of sines (DLMF 4.21(i)).
    """
    root, rest = _NEGATIVE_ROOTS[0]
    for n, (high, low) in enumerate(_NEGATIVE_ROOTS[1:], 1):
        root, rest = m.where(x < -n, high, root), m.where(x < -n, low, rest)
    difference = minus_double_double(m, x, root, rest)
    near = m.abs(difference) < 0.2
    x, root, difference = (
        m.where(near, v, other) for v, other in ((x, -0.25), (root, -0.5), (difference, 0.25))
    )
    sine, _ = sine_of_pi(m, x)
    sine_of_root, cotangent = sine_of_pi(m, root)
    sines = sine * sine_of_root * (1 + rest * cotangent)
    slope = math.pi * m.sin(math.pi * difference) / sines
    return m.where(near, digamma_increment(m, 1 - root, -difference) + slope, value)


def digamma_positive(m: Maths, x: Real) -> Real:
    """digamma(x) for x > 0, to full relative precision also around its root.

    Without its pole at 0 digamma's Taylor series around the root converges fast between
    0.9 and 2.3; arguments are brought there by the recurrence DLMF 5.5.2, the sums of
    which do not cancel.
    """
    large = x >= LARGE
    tall = m.where(large, x, LARGE)
    far = m.log(tall) - 0.5 / tall - polynomial(_DIGAMMA_SERIES, 1 / (tall * tall)) / (tall * tall)
    y, shift = m.where(large, 2.0, x), m.where(x == x, 0.0, math.nan)
    for _ in range(int(LARGE) - 2):
        high = y >= 2.3
        y = m.where(high, y - 1, y)
        shift = m.where(high, shift + 1 / y, shift)
    low = x < 0.9
    y = m.where(low, x + 1, y)
    difference = minus_double_double(m, y, _ROOT, _ROOT_REST)
    rest = polynomial(m.enough(_root_coefficients(), 0.85), difference)
    near = difference * (1 / (y * _ROOT) + rest)
    near = near + m.where(low, -1 / x, shift)
    return m.where(large, far, near)


def digamma_increment(m: Maths, a: Real, b: Real) -> Real:
    """digamma(a + b) - digamma(a) for positive a and a + b, precise also where it is small.

    By the recurrence up to `LARGE`, and from there by the differences of each term of the
    asymptotic series.
    """
    low = a < LARGE
    start, total = m.where(low, a, 1.0), 0 * a
    for k in range(int(LARGE)):
        total = total + b / (start + k) / (start + k + b)
    tall = m.where(low, a + LARGE, a)
    top = tall + b
    # Of two numbers from LARGE on, or of one such and a lesser one.
    fine = top >= LARGE
    top, step = m.where(fine, top, 2 * LARGE), m.where(fine, b, LARGE)
    tall_safe = m.where(fine, tall, LARGE)
    far = m.log1p(step / tall_safe) + 0.5 * step / (tall_safe * top)
    x, y = 1 / (tall_safe * tall_safe), 1 / (top * top)
    value, quotient = 0.0, 0.0  # the divided difference of the series, as above
    for c in reversed([0.0, *_DIGAMMA_SERIES]):
        quotient = quotient * y + value
        value = value * x + c
    far = far + step * (tall_safe + top) * x * y * quotient
    down = digamma_positive(m, m.where(fine, 1.0, a + b)) - digamma_positive(m, a)
    return m.where(fine, m.where(low, far + total, far), down)


def _digamma_increment(m: Maths, a: Real, b: Real) -> Real:
    """digamma(a + b) - digamma(a), NaN at poles."""
    fine = (a > 0) & (a + b > 0) & (a < math.inf) & (m.abs(b) < math.inf)
    value = digamma_increment(m, m.where(fine, a, 1.0), m.where(fine, b, 1.0))

    def plain(value: Real) -> Real:
        return m.where(fine, value, _digamma(m, a + b) - _digamma(m, a))

    return m.when(~fine, plain, value, value)


lgamma_p = special("lgamma", _lgamma)
digamma_p = special("digamma", _digamma)
# For derivatives: there is no lax function of it.
digamma_increment_p = special("digamma_increment", _digamma_increment)


def lgamma(x: ArrayLike) -> Array:
    """The logarithm of the absolute value of the gamma function; inf at its poles.

    Operand and errors as for `erf`. See DLMF 5.2.1.

    >>> lgamma(np.float32([1, 5]))
    Array([0.       , 3.1780539], dtype=float32)
    """
    return lgamma_p.bind(x)


def digamma(x: ArrayLike) -> Array:
    """The derivative of the logarithm of the gamma function; NaN at its poles.

    Operand and errors as for `erf`. See DLMF 5.2.2.

    >>> digamma(np.float32([1, 2]))
    Array([-0.5772157 ,  0.42278433], dtype=float32)
    """
    return digamma_p.bind(x)
