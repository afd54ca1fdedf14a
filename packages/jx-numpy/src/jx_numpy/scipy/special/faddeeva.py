"""The Faddeeva function and its real kin: Dawson's integral, the scaled complementary erf.

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_ad import custom_jvp
from jx_core import compiled, dtypes, lax

from ...operands import Array, ArrayLike, is_complex, promote_dtypes_inexact, typeof
from ._doubles import gaussian, in_doubles, real_operands
from ._expansions import chebyshev
from ._tables import DAWSON, ERFCX

__all__ = ["dawsn", "erfcx", "wofz"]

_ROOT_PI = math.sqrt(math.pi)


def _scaled_complement(m: Any, x: Any) -> Any:
    """erfcx(x), by DLMF 7.4.2 for negative x."""
    negative = x < 0.0
    size = m.abs(x)
    value = chebyshev(m, ERFCX, size)
    near = size < 2.0
    value = m.where(near, value, value / m.where(near, 1.0, size))
    value = m.where(size == math.inf, 0.0, value)
    inner = m.where(negative & (size < 27.0), size, 1.0)
    lead = m.floor(16.0 * inner) * 0.0625
    growth = m.exp(lead * lead) * m.exp((inner - lead) * (inner + lead))
    reflected = m.where(size < 27.0, 2.0 * growth - value, math.inf)
    return m.where(x != x, x, m.where(negative, reflected, value))


def _dawson(m: Any, x: Any) -> Any:
    size = m.abs(x)
    value = chebyshev(m, DAWSON, size)
    near = size < 1.5
    value = m.where(near, x * value, value / m.where(near, 1.0, x))
    return m.where(size < 1e-300, x, m.where(x != x, x, value))


def _dawson_slope(m: Any, x: Any) -> Any:
    """1 - 2 x D(x): far out by its asymptotic series (DLMF 7.6), where that difference is small."""
    size = m.abs(x)
    far = size > 50.0
    u = m.where(far, 1.0 / m.where(far, x, 1.0) / m.where(far, x, 1.0), 0.0)
    series = -0.5 * u * (1.0 + 1.5 * u * (1.0 + 2.5 * u * (1.0 + 3.5 * u * (1.0 + 4.5 * u))))
    other = m.where(far, 0.0, x)
    return m.where(far, series, 1.0 - 2.0 * other * _dawson(m, other))


# The nodes and weights of the two trapezoidal rules: multiples of _STEP, and those between. The
# best step is sqrt(pi / 12) = 0.512; with one of few bits all nodes are exact.
_TERMS = 11
_STEP = 65 / 128


def _upper_quadrant(m: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """w(x + i y) for x, y >= 0 of at most 1e8.

    By trapezoidal rules for its integral along the real line, one with a node at 0 and one with
    nodes between, each corrected for the pole at z where that is near: M. Al Azah and
    S. N. Chandler-Wilde, "Computation of the complex error function using modified trapezoidal
    rules", SIAM J. Numer. Anal. 59 (2021). Of the two, the one with nodes farther from z is used.
    """
    place = x / _STEP
    fraction = place - m.floor(place)
    whole = (y < x) & (fraction >= 0.25) & (fraction <= 0.75)
    far = (y >= x) & (y >= math.pi / _STEP)
    whole = whole & (y < math.pi / _STEP)
    shift = m.where(whole, 0.0, 0.5)
    square, factor = y * y, _STEP / math.pi
    re, im = 0.0 * x, 0.0 * x
    for k in range(_TERMS, -1, -1):
        node = (k + shift) * _STEP
        here, between = (factor * math.exp(-((j * _STEP) ** 2)) for j in (k, k + 0.5))
        weight = m.where(whole, here if k else 0.5 * here, between)
        # i weight (1 / (z - node) + 1 / (z + node)), with y for a factor of the real part left out
        right, left = x - node, x + node
        p, q = weight / (right * right + square), weight / (left * left + square)
        re, im = re + (p + q), im + (p * right + q * left)
    re = y * re
    pole_re, pole_im = _pole(m, x, y, whole, fraction)
    return m.where(far, re, re + pole_re), m.where(far, im, im + pole_im)


def _pole(m: Any, x: Any, y: Any, whole: Any, fraction: Any) -> tuple[Any, Any]:
    """2 exp(-z^2) / (1 + exp(-2 pi i z / h)), with a minus where nodes are whole multiples."""
    y = m.where(y < math.pi / _STEP * 4.0, y, 0.0)
    size = m.exp(2.0 * math.pi / _STEP * y)
    sign = m.where(whole, -1.0, 1.0)
    cosine = sign * size * m.cos(2.0 * math.pi * fraction)
    sine = -sign * size * m.sin(2.0 * math.pi * fraction)
    below = 2.0 / ((1.0 + cosine) * (1.0 + cosine) + sine * sine)
    # exp(-z^2) = exp(y^2 - x^2) (cos 2xy - i sin 2xy)
    height = gaussian(m, x) * m.exp(y * y)
    angle = 2.0 * x * y
    c, s = height * m.cos(angle), -height * m.sin(angle)
    real, imag = below * (1.0 + cosine), -below * sine
    return c * real - s * imag, c * imag + s * real


def _faddeeva(m: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """w(x + i y): from the first quadrant by DLMF 7.4.3 and 7.4.4."""
    a, b = m.abs(x), m.abs(y)
    huge = (a > 1e8) | (b > 1e8)
    re, im = _upper_quadrant(m, m.where(huge, 1.0, a), m.where(huge, 1.0, b))
    # i / (sqrt(pi) z), DLMF 7.12; scaled to be safe from overflow.
    top = m.where(a > b, a, b)
    unit = m.where(huge & (top < math.inf), top, 1.0)
    p, q = m.where(top < math.inf, a, 1.0) / unit, m.where(top < math.inf, b, 1.0) / unit
    length = (p * p + q * q) * _ROOT_PI
    beyond = m.where(top < math.inf, 1.0, 0.0) / unit
    re = m.where(huge, q / length * beyond, re)
    im = m.where(huge, p / length * beyond, im)
    # On the imaginary axis w is real, which sums of rounded products may miss.
    im = m.where(x == 0.0, 0.0, m.where(x < 0.0, -im, im))
    # Below the real line: 2 exp(-z^2) - w(-z), and w(-z) is here the conjugate of what was found
    # for |y| at the same side of x.
    below = y < 0.0
    size = m.where(below, 2.0, 0.0) * _growth(m, a, b, below)
    angle = m.where(below & ~huge, 2.0 * x * y, 0.0)
    exp_re, exp_im = size * m.cos(angle), -size * m.sin(angle)
    exp_im = m.where(angle == 0.0, 0.0, exp_im)
    re, im = m.where(below, exp_re - re, re), m.where(below, exp_im + im, im)
    bad = (x != x) | (y != y)
    return m.where(bad, math.nan, re), m.where(bad, math.nan, im)


def _growth(m: Any, a: Any, b: Any, below: Any) -> Any:
    a, b = m.where(below, a, 0.0), m.where(below, b, 0.0)
    return m.exp((b - a) * (b + a))


def _in_double_complex(z: Array) -> Array:
    re, im = in_doubles(_faddeeva, lax.real(z), lax.imag(z))
    return lax.complex(re, im)


@custom_jvp
def _wofz(z: Array) -> Array:
    return _in_double_complex(z)


@_wofz.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (z,), (t,) = primals, tangents
    w = _wofz(z)
    constant = lax.convert_element_type(2j / _ROOT_PI, typeof(z).dtype)
    return w, (constant - 2 * z * w) * t


@custom_jvp
def _dawsn_slope(x: Array) -> Array:
    return in_doubles(_dawson_slope, x)


@custom_jvp
def _dawsn(x: Array) -> Array:
    return in_doubles(_dawson, x)


@_dawsn.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _dawsn(x), _dawsn_slope(x) * t


@_dawsn_slope.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    slope = _dawsn_slope(x)
    most = float(dtypes.finfo(typeof(x).dtype).max)
    # At infinity the slope is 0, and so is its product with x.
    return slope, -2 * (_dawsn(x) + lax.clamp(-most, x, most) * slope) * t


@custom_jvp
def _erfcx(x: Array) -> Array:
    return in_doubles(_scaled_complement, x)


@_erfcx.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _erfcx(x), _erfcx_slope(x) * t


_FAR = 10.0  # from here on the derivative of erfcx is its asymptotic series


def _erfcx_slope(x: Array) -> Array:
    """2 x erfcx(x) - 2 / sqrt(pi), where x is large by DLMF 7.12.1, for digits cancel there."""
    far = lax.gt(x, _FAR)
    near, beyond = lax.select(far, 1.0, x), lax.select(far, x, _FAR)
    inverse = 1 / beyond
    small = -0.5 * inverse * inverse
    series = lax.full_like(x, 1)
    for n in range(12, 0, -1):
        series = 1 + (2 * n + 1) * small * series
    slope = 2 * near * _erfcx(near) - 2 / _ROOT_PI
    return lax.select(far, -inverse * inverse * series / _ROOT_PI, slope)


@compiled
def wofz(z: ArrayLike) -> Array:
    """The Faddeeva function, exp(-z^2) erfc(-i z).

    Args:
        z: real or complex numbers of any shape.

    Returns:
        An array of complex numbers of the shape of `z`.

    See DLMF 7.2.3.

    >>> print(jx.scipy.special.wofz(1j))
    (0.42758358+0j)
    """
    (z,) = promote_dtypes_inexact("wofz", z)
    dtype = typeof(z).dtype
    if not is_complex(dtype):
        dtype = np.dtype(np.complex128 if dtype.itemsize == 8 else np.complex64)
    return _wofz(lax.convert_element_type(z, dtype))


@compiled
def dawsn(x: ArrayLike) -> Array:
    """Dawson's integral, exp(-x^2) times the integral of exp(t^2) from 0 to `x`.

    Args:
        x: real numbers of any shape; integers become floats.

    Returns:
        An array of floats of the shape of `x`.

    Raises:
        ValueError: `x` is complex.

    See DLMF 7.2.5.

    >>> jx.scipy.special.dawsn(jnp.array([0.5, 2.0]))
    Array([0.4244364, 0.3013404], dtype=float32)
    """
    return _dawsn(*real_operands("dawsn", x))


@compiled
def erfcx(x: ArrayLike) -> Array:
    """The scaled complementary error function, exp(x^2) erfc(x).

    Args:
        x: real or complex numbers of any shape; integers become floats.

    Returns:
        An array of floats or complex numbers, of the shape of `x`.

    See DLMF 7.2.2.

    >>> jx.scipy.special.erfcx(jnp.array([1.0, 100.0]))
    Array([0.42758358, 0.00564161], dtype=float32)
    """
    (promoted,) = promote_dtypes_inexact("erfcx", x)
    dtype = typeof(promoted).dtype
    if is_complex(dtype):
        z = lax.convert_element_type(promoted, dtype)
        return _wofz(lax.complex(-lax.imag(z), lax.real(z)))
    return _erfcx(*real_operands("erfcx", promoted))
