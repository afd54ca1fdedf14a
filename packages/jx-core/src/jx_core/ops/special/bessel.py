"""The modified Bessel functions of orders 0 and 1, scaled by exp(-|x|).

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov).
"""

from __future__ import annotations

import functools
import math

from ..kit import Array, ArrayLike
from .maths import Maths, Real, polynomial, special

# bessel_i0_p and bessel_i1_p are for jx.scipy.special: there are no lax functions of these.
__all__ = [
    "bessel_i0_p", "bessel_i0e", "bessel_i0e_p", "bessel_i1_p", "bessel_i1e", "bessel_i1e_p",
]  # fmt: skip

# Chebyshev coefficients, by interpolation at 70 points in 60 digits (mpmath), of
# exp(-x) I_n(x) sqrt(x): by (2 x - 11) / 5 on [3, 8], and by 16 / x - 1 from there on.
_MIDDLE_0 = (
    0.4110787713169297, -0.006966628807614228, 0.0020343532299205436,
    -0.0005903704832491742, 0.000164554768588263, -4.244543019831969e-05,
    9.732083201066553e-06, -1.867686117146058e-06, 2.552756397360629e-07,
    -2.9695392971849073e-09, -1.35692733242242e-08, 6.162893402042969e-09,
    -1.960030101328685e-09, 5.278557953122051e-10, -1.2832440424593011e-10,
    2.912136757432796e-11, -6.310117207076226e-12, 1.3285232399299854e-12,
    -2.7563591729040996e-13, 5.698281386012315e-14, -1.1830984157021218e-14,
    2.4787308546232568e-15, -5.251222792678212e-16, 1.1250425901554587e-16,
    -2.4352097833217326e-17, 5.318151518713005e-18, -1.170134457838397e-18,
)  # fmt: skip
_FAR_0 = (
    0.4022452055070544, 0.0033691164782556943, 6.889758346916825e-05,
    2.8913705208347567e-06, 2.0489185894690638e-07, 2.266668990498178e-08,
    3.3962320257083865e-09, 4.94060238822497e-10, 1.1889147107846439e-11,
    -3.1499165279632416e-11, -1.3215811840447713e-11, -1.7941785315068062e-12,
    7.180124451383666e-13, 3.8527783827421426e-13, 1.54008621752141e-14,
    -4.150569347287222e-14, -9.554846698828307e-15, 3.8116806693526224e-15,
    1.7725601330565263e-15, -3.425485619677219e-16, -2.8276239805165836e-16,
    3.461222867697461e-17, 4.46562142029676e-17, -4.830504485944182e-18,
    -7.233180487874754e-18, 9.921475412173699e-19, 1.193650890845982e-18,
)  # fmt: skip
_MIDDLE_1 = (
    0.36535418845599393, 0.01784491918424423, -0.004817185247358373,
    0.0013084616289063134, -0.00035081894508751517, 9.066886209520786e-05,
    -2.207826903701359e-05, 4.965022510214234e-06, -1.0114016946045405e-06,
    1.818986693572106e-07, -2.7449376247846463e-08, 2.9667649695415296e-09,
    -2.1612324831604333e-11, -1.058808805304214e-10, 3.957325642391774e-11,
    -1.0559727297103195e-11, 2.4268332124627376e-12, -5.121224364024887e-13,
    1.026601754321237e-13, -1.9998753345801968e-14, 3.850411451772823e-15,
    -7.418869015454212e-16, 1.4426168928859717e-16, -2.8442627263406835e-17,
    5.69490463242866e-18, -1.1574428115763278e-18,
)  # fmt: skip
_FAR_1 = (
    0.38928811750914005, -0.009761097491361469, -0.00011058893876262371,
    -3.882564808877691e-06, -2.512236237870209e-07, -2.6314688468895196e-08,
    -3.835380385964237e-09, -5.589743462196584e-10, -1.8974958123505413e-11,
    3.2526035830154884e-11, 1.4125807436613782e-11, 2.0356285441470896e-12,
    -7.198551776245908e-13, -4.0835511110921974e-13, -2.1015418427726643e-14,
    4.272440016711951e-14, 1.0420276984128802e-14, -3.8144030724370075e-15,
    -1.8803547755107825e-15, 3.3082023109209285e-16, 2.96262899764595e-16,
    -3.209525921993424e-17, -4.6503053684893586e-17, 4.414348323071708e-18,
    7.517296310842105e-18, -9.314178867326884e-19, -1.242193275194891e-18,
)  # fmt: skip

_POWERS = 20  # of x^2 / 4 in the power series below 3


@functools.cache
def _power_series(order: int) -> list[float]:
    """Of I_order(x) / (x / 2)^order in powers of x^2 / 4 (DLMF 10.25.2): all are positive."""
    return [1 / (math.factorial(k) * math.factorial(k + order)) for k in range(_POWERS)]


def _chebyshev(m: Maths, coefficients: tuple[float, ...], x: Real) -> Real:
    """The sum of c_n T_n(x) by Clenshaw's recurrence (DLMF 3.11.15)."""
    now, last = 0.0 * x, 0.0 * x
    for c in reversed(m.enough(coefficients, 1.0)[1:]):
        now, last = 2 * x * now - last + c, now
    return x * now - last + coefficients[0]


def _scaled(
    m: Maths, order: int, x: Real, middle: tuple[float, ...], far: tuple[float, ...]
) -> Real:
    """exp(-x) I_order(x) for x >= 0; for order 1 over x / 2 where that is below 3."""
    small, low = x < 3, x < 8
    short = m.where(small, x, 0.0)
    series = m.enough(_power_series(order), 2.25)
    near = m.exp(-short) * polynomial(series, 0.25 * short * short)
    centre = m.where(low & ~small, (2 * x - 11) / 5, 0.0)
    beyond = m.where(low, 0.0, 16 / x - 1)
    product = m.where(low, _chebyshev(m, middle, centre), _chebyshev(m, far, beyond))
    return m.where(small, near, product / m.sqrt(m.where(small, 1.0, x)))


def _i0e(m: Maths, x: Real) -> Real:
    return _scaled(m, 0, m.abs(x), _MIDDLE_0, _FAR_0)


def _i1e(m: Maths, x: Real) -> Real:
    size = m.abs(x)
    value = _scaled(m, 1, size, _MIDDLE_1, _FAR_1)
    return m.where(size < 3, 0.5 * x * value, m.where(x < 0, -value, value))


def _unscaled(m: Maths, scaled: Real, x: Real) -> Real:
    """exp(|x|) times what was scaled down; in parts where the exponential overflows first."""
    size = m.abs(x)
    large = size > 700
    exponential = m.exp(m.where(large, m.where(size < 800, size, 800.0) - 16, size))
    return exponential * (scaled * m.where(large, math.exp(16), 1.0))


def _i0(m: Maths, x: Real) -> Real:
    value = _unscaled(m, _i0e(m, x), x)
    return m.where(m.abs(x) == math.inf, math.inf, value)


def _i1(m: Maths, x: Real) -> Real:
    value = _unscaled(m, _i1e(m, x), x)
    return m.where(m.abs(x) == math.inf, x, value)


bessel_i0_p = special("bessel_i0", _i0)
bessel_i1_p = special("bessel_i1", _i1)
bessel_i0e_p = special("bessel_i0e", _i0e)
bessel_i1e_p = special("bessel_i1e", _i1e)


def bessel_i0e(x: ArrayLike) -> Array:
    """The modified Bessel function of order 0, times `exp(-abs(x))`.

    Operand and errors as for `erf`. See DLMF 10.25.2 and 10.40.1.

    >>> bessel_i0e(np.float32([0, 2]))
    Array([1.        , 0.30850834], dtype=float32)
    """
    return bessel_i0e_p.bind(x)


def bessel_i1e(x: ArrayLike) -> Array:
    """The modified Bessel function of order 1, times `exp(-abs(x))`.

    Operand and errors as for `erf`. See DLMF 10.25.2 and 10.40.1.

    >>> bessel_i1e(np.float32([0, 2]))
    Array([0.        , 0.21526928], dtype=float32)
    """
    return bessel_i1e_p.bind(x)
