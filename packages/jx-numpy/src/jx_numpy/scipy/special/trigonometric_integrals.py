"""The integrals of trigonometric functions: sine and cosine integrals, Fresnel's integrals.

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov).
"""

from __future__ import annotations

import math
from typing import Any

from jx_ad import custom_jvp
from jx_core import compiled, lax
from jx_core.ops.special.maths import minus_double_double

from ...operands import Array, ArrayLike
from ._doubles import in_doubles, real_operands
from ._expansions import chebyshev
from ._tables import (
    COSINE_INTEGRAL,
    FRESNEL_C,
    FRESNEL_F,
    FRESNEL_G,
    FRESNEL_S,
    SINE_INTEGRAL,
    TRIGONOMETRIC_F,
    TRIGONOMETRIC_G,
)

__all__ = ["fresnel", "sici"]

# The first root of Ci, and what rounding it leaves.
_ROOT, _ROOT_REST = 0.6165054856207163, -4.209920321433186e-17

# The next ones, likewise: where mpmath's ci is 0.
_HIGHER_ROOTS = (
    (3.3841804225511862, 1.972125462363411e-16),
    (6.427047744050369, -1.8747970603033628e-16),
    (9.525575457580667, -5.023806348878734e-16),
    (12.643546829711378, -8.160413116707143e-16),
    (15.770349650703585, -1.4937883748127327e-16),
    (18.901853302466318, -3.0408896367809253e-16),
    (22.03613991808238, 5.681168017829533e-16),
    (25.172204446050202, -8.651954218708514e-16),
    (28.309471561146786, 1.4132005582956406e-15),
    (31.44758901159398, -4.627691620303118e-16),
    (34.58632940507549, -2.0780694636668933e-15),
    (37.72553954731215, 9.034837561724816e-16),
    (40.865112537372994, 2.166376046556194e-15),
    (44.004971548521915, 5.610481585441719e-17),
    (47.145059968415396, -1.6150949251506485e-15),
    (50.28533517291954, 2.0405934759275664e-15),
)

# What is left of pi / 2 when it is rounded.
_REST_OF_RIGHT_ANGLE = 6.123233995736766e-17


def _odd(m: Any, x: Any, value: Any) -> Any:
    """`value`, computed for |x|, with the sign of x; x itself where it is 0 or NaN."""
    return m.where(x < 0.0, -value, m.where(x > 0.0, value, x))


def _si_ci(m: Any, x: Any) -> tuple[Any, Any]:
    """By entire functions below 4, by the auxiliary functions of DLMF 6.4 beyond."""
    size = m.abs(x)
    near = size < 4.0
    short = m.where(near, size, 1.0)
    difference = minus_double_double(m, short, _ROOT, _ROOT_REST)
    close = m.abs(difference) < 0.28 * _ROOT  # XLA's log1p is rough below -0.29
    log = m.where(close, m.log1p(m.where(close, difference / _ROOT, 0.0)), m.log(short / _ROOT))
    near_sine = short + short * chebyshev(m, SINE_INTEGRAL, short)
    near_cosine = log + difference * chebyshev(m, COSINE_INTEGRAL, short)

    finite = size < math.inf
    long = m.where(near | ~finite, 8.0, size)
    # x f and x^2 g are 1 and a correction.
    f, g = chebyshev(m, TRIGONOMETRIC_F, long), chebyshev(m, TRIGONOMETRIC_G, long) / long
    sine, cosine = m.sin(long), m.cos(long)
    over_sine, over_cosine = sine / long, cosine / long
    bend = f * over_cosine + (over_sine / long + g * over_sine)
    far_sine = math.pi / 2 - (over_cosine + bend - _REST_OF_RIGHT_ANGLE)
    far_cosine = over_sine + (f * over_sine - (over_cosine / long + g * over_cosine))
    si = m.where(near, near_sine, m.where(finite, far_sine, math.pi / 2))
    limit = m.where(x > 0.0, 0.0, math.nan)
    ci = m.where(near, near_cosine, m.where(finite, far_cosine, limit))
    ci = _beside_higher_roots(m, size, ci)
    return _odd(m, x, si), m.where(x != x, x, ci)


def _beside_higher_roots(m: Any, x: Any, value: Any) -> Any:
    """`value`, in the place of which Ci(x) is computed where it is small and x not beyond 52.

    There it is the integral of cos(t) / t from the root on, by the Taylor series of that: t
    times it is the cosine, whose derivatives give a recurrence for its coefficients.
    """
    root, rest = _HIGHER_ROOTS[0]
    for before, (high, low) in zip(_HIGHER_ROOTS, _HIGHER_ROOTS[1:], strict=False):
        beyond = x > 0.5 * (before[0] + high)
        root, rest = m.where(beyond, high, root), m.where(beyond, low, rest)
    difference = minus_double_double(m, x, root, rest)
    close = m.abs(difference) < 0.65
    difference, over = m.where(close, difference, 0.0), 1.0 / root
    derivatives = [m.cos(root), -m.sin(root)]
    derivatives += [-derivatives[0], -derivatives[1]]
    term, power, total = derivatives[0] * over, difference, 0.0
    for n in range(1, 25):
        total = total + term * power / n
        term = (derivatives[n % 4] * (1 / math.factorial(n)) - term) * over
        power = power * difference
    return m.where(close, total, value)


def _circle(m: Any, x: Any) -> tuple[Any, Any]:
    """The sine and cosine of pi x^2 / 2, for x^2 as it is, not as rounded."""
    lead = lax.reduce_precision(x, 11, 25)
    rest = x - lead
    square = lead * lead
    # The squares and products are exact up to multiples of 4, a whole turn.
    turns = _within_a_turn(m, square) + (
        _within_a_turn(m, 2.0 * lead * rest) + _within_a_turn(m, rest * rest)
    )
    # To within an eighth of a turn of a multiple of a quarter.
    quarters = m.floor(turns + 0.5)
    angle = (turns - quarters) * (math.pi / 2)
    sine, cosine = m.sin(angle), m.cos(angle)
    quarter = quarters - 4.0 * m.floor(0.25 * quarters)
    swap = (quarter == 1.0) | (quarter == 3.0)
    s, c = m.where(swap, cosine, sine), m.where(swap, sine, cosine)
    return (
        m.where(quarter >= 2.0, -s, s),
        m.where((quarter == 1.0) | (quarter == 2.0), -c, c),
    )


def _within_a_turn(m: Any, x: Any) -> Any:
    return x - 4.0 * m.floor(0.25 * x)


def _fresnel_integrals(m: Any, x: Any) -> tuple[Any, Any]:
    """By power series below 1.6, by the auxiliary functions of DLMF 7.5.3 beyond."""
    size = m.abs(x)
    near, far = size < 1.6, size > 1e16
    short = m.where(near, size, 1.0)
    near_s = short * short * short * chebyshev(m, FRESNEL_S, short)
    near_c = short * chebyshev(m, FRESNEL_C, short)
    long = m.where(near | far | (x != x), 2.0, size)
    over = 1.0 / (math.pi * long)
    f = over * chebyshev(m, FRESNEL_F, long)
    g = over * over / long * chebyshev(m, FRESNEL_G, long)
    sine, cosine = _circle(m, long)
    far_s = m.where(far, 0.5, 0.5 - (f * cosine + g * sine))
    far_c = m.where(far, 0.5, 0.5 + (f * sine - g * cosine))
    return _odd(m, x, m.where(near, near_s, far_s)), _odd(m, x, m.where(near, near_c, far_c))


def _right_angle_phase(m: Any, x: Any) -> tuple[Any, Any]:
    finite = m.abs(x) < 1e150
    sine, cosine = _circle(m, m.where(finite, x, 0.0))
    return m.where(finite, sine, math.nan), m.where(finite, cosine, math.nan)


@custom_jvp
def _phase(x: Array) -> tuple[Array, Array]:
    """The derivatives of Fresnel's integrals, sin(pi x^2 / 2) and cos(pi x^2 / 2)."""
    return in_doubles(_right_angle_phase, x)  # type: ignore[no-any-return]


@_phase.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    sine, cosine = _phase(x)
    turned = (math.pi * x) * t
    return (sine, cosine), (cosine * turned, -sine * turned)


@custom_jvp
def _fresnel(x: Array) -> tuple[Array, Array]:
    return in_doubles(_fresnel_integrals, x)  # type: ignore[no-any-return]


@_fresnel.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    sine, cosine = _phase(x)
    return _fresnel(x), (sine * t, cosine * t)


@custom_jvp
def _sici(x: Array) -> tuple[Array, Array]:
    return in_doubles(_si_ci, x)  # type: ignore[no-any-return]


def _cardinal(m: Any, x: Any) -> Any:
    return m.where(x == 0.0, 1.0, m.sin(x) / m.where(x == 0.0, 1.0, x))


def _cardinal_slope(m: Any, x: Any) -> Any:
    """The derivative of sin(x) / x, by its power series below 1/2."""
    small = m.abs(x) < 0.5
    other = m.where(small, 1.0, x)
    closed = (m.cos(other) - m.sin(other) / other) / other
    u = m.where(small, x * x, 0.0)
    series = 0.0 * u
    for k in range(8, 0, -1):
        series = series * u + (-1) ** k * 2 * k / math.factorial(2 * k + 1)
    return m.where(small, x * series, closed)


@custom_jvp
def _sine_over(x: Array) -> Array:
    return in_doubles(_cardinal, x)  # type: ignore[no-any-return]


@_sine_over.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _sine_over(x), in_doubles(_cardinal_slope, x) * t


@_sici.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _sici(x), (_sine_over(x) * t, (lax.cos(x) / x) * t)


@compiled
def sici(x: ArrayLike) -> tuple[Array, Array]:
    """The sine and cosine integrals, Si and Ci.

    Si is the integral of sin(t) / t from 0 to `x`; Ci is Euler's constant plus log(`x`) plus
    the integral of (cos(t) - 1) / t. For negative numbers, Ci is that of their absolute value.

    Args:
        x: real numbers of any shape; integers become floats.

    Returns:
        Si(x) and Ci(x), arrays of floats of the shape of `x`.

    Raises:
        ValueError: `x` is complex.

    See DLMF 6.2.9 and 6.2.13.

    >>> sine, cosine = jx.scipy.special.sici(1.0)
    >>> print(sine, cosine)
    0.94608307 0.33740392
    """
    return _sici(*real_operands("sici", x))  # type: ignore[no-any-return]


@compiled
def fresnel(x: ArrayLike) -> tuple[Array, Array]:
    """Fresnel's integrals, of sin(pi t^2 / 2) and cos(pi t^2 / 2) from 0 to `x`.

    Args:
        x: real numbers of any shape; integers become floats.

    Returns:
        S(x) and C(x), arrays of floats of the shape of `x`.

    Raises:
        NotImplementedError: `x` is complex.

    See DLMF 7.2.7 and 7.2.8.

    >>> s, c = jx.scipy.special.fresnel(1.0)
    >>> print(s, c)
    0.43825915 0.7798934
    """
    (x,) = real_operands("fresnel", x, error=NotImplementedError)
    return _fresnel(x)  # type: ignore[no-any-return]
