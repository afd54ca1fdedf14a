"""What the measurement of accuracy covers: functions, their exact values, and their domains.

`accuracy.py` measures them; mpmath gives the exact values.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np

DIGITS = 50


@dataclass(frozen=True)
class Range:
    """Where an operand is drawn from: evenly, or evenly by its logarithm, or whole numbers."""

    low: float
    high: float
    how: str = "even"

    def __str__(self) -> str:
        kinds = {"even": "", "log": " by logarithm", "whole": " whole"}
        return f"[{self.low:g}, {self.high:g}]{kinds[self.how]}"

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        if self.how == "whole":
            return rng.integers(int(self.low), int(self.high) + 1, count).astype(float)
        if self.how == "log":
            return np.exp(rng.uniform(math.log(self.low), math.log(self.high), count))
        return rng.uniform(self.low, self.high, count)


@dataclass(frozen=True)
class Box:
    """Where a complex operand is drawn from: its parts evenly, independent of each other."""

    real: Range
    imag: Range

    def __str__(self) -> str:
        return f"{self.real} + {self.imag}i"

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return self.real.draw(rng, count) + 1j * self.imag.draw(rng, count)


@dataclass(frozen=True)
class Function:
    """A function, what it is exactly, and where it is measured.

    Attributes:
        name: its path in jx and in JAX, such as `numpy.exp`. After a colon the place of the
            result that is measured, where there are several.
        exact: its value at a point.
        domain: of each operand.
    """

    name: str
    exact: Callable[..., Any]
    domain: tuple[Range | Box, ...]


def logarithmic(low: float, high: float) -> Range:
    return Range(low, high, "log")


def upper_gamma(a: Any, x: Any) -> Any:
    return mp.gammainc(a, x, mp.inf, regularized=True)


def lower_gamma(a: Any, x: Any) -> Any:
    return mp.gammainc(a, 0, x, regularized=True) if x < a + 1 else 1 - upper_gamma(a, x)


def gamma_by_order(a: Any, x: Any) -> Any:
    """The derivative of the smaller of P and Q by a, with enough digits for the difference."""
    with mp.workdps(3 * DIGITS):
        if x < a + 1:
            return mp.diff(lambda b: mp.gammainc(b, 0, x, regularized=True), a)
        return -mp.diff(lambda b: upper_gamma(b, x), a)


def gamma_sample_by_shape(a: Any, x: Any) -> Any:
    density = mp.exp(-x + (a - 1) * mp.log(x) - mp.loggamma(a))
    return -gamma_by_order(a, x) / density


def hurwitz(x: Any, q: Any) -> Any:
    with mp.workdps(4 * DIGITS):  # mpmath's zeta is precise in absolute terms
        return mp.zeta(x, q)


def real(low: float, high: float) -> tuple[Range]:
    return (Range(low, high),)


def log_gamma(x: Any) -> Any:
    return mp.log(abs(mp.gamma(x)))


def positive(low: float, high: float) -> tuple[Range]:
    return (logarithmic(low, high),)


# Of the ufuncs of NumPy those with floats as results, but those that are exact (rounding,
# comparison, sign, copysign, maximum and so on).
WIDE = logarithmic(1e-30, 1e30)
PLANE = (Range(-5, 5), Range(-5, 5))
ELEMENTARY = (
    Function("numpy.add", mp.fadd, PLANE),
    Function("numpy.subtract", mp.fsub, PLANE),
    Function("numpy.multiply", mp.fmul, PLANE),
    Function("numpy.divide", mp.fdiv, PLANE),
    Function("numpy.reciprocal", lambda x: 1 / x, (WIDE,)),
    Function("numpy.square", lambda x: x * x, real(-5, 5)),
    Function("numpy.fmod", lambda x, y: x - y * mp.mpf(int(x / y)), PLANE),
    Function("numpy.remainder", lambda x, y: x - y * mp.floor(x / y), PLANE),
    Function("numpy.hypot", mp.hypot, (WIDE, WIDE)),
    Function("numpy.power", mp.power, (logarithmic(1e-2, 1e2), Range(-10, 10))),
    Function("numpy.float_power", mp.power, (logarithmic(1e-2, 1e2), Range(-10, 10))),
    Function("numpy.sqrt", mp.sqrt, (WIDE,)),
    Function("numpy.cbrt", mp.cbrt, (WIDE,)),
    Function("lax.rsqrt", lambda x: 1 / mp.sqrt(x), (WIDE,)),
    Function("numpy.exp", mp.exp, real(-80, 80)),
    Function("numpy.exp2", lambda x: mp.power(2, x), real(-100, 100)),
    Function("numpy.expm1", mp.expm1, real(-5, 5)),
    Function("numpy.log", mp.log, (WIDE,)),
    Function("numpy.log2", lambda x: mp.log(x, 2), (WIDE,)),
    Function("numpy.log10", mp.log10, (WIDE,)),
    Function("numpy.log1p", mp.log1p, real(-0.9, 3)),
    Function("numpy.logaddexp", lambda x, y: mp.log(mp.exp(x) + mp.exp(y)), PLANE),
    Function("numpy.logaddexp2", lambda x, y: mp.log(mp.power(2, x) + mp.power(2, y), 2), PLANE),
    Function("lax.logistic", lambda x: 1 / (1 + mp.exp(-x)), real(-30, 30)),
    Function("numpy.sin", mp.sin, real(-100, 100)),
    Function("numpy.cos", mp.cos, real(-100, 100)),
    Function("numpy.tan", mp.tan, real(-100, 100)),
    Function("numpy.sinc", lambda x: mp.sincpi(x), real(-5, 5)),
    Function("numpy.arcsin", mp.asin, real(-1, 1)),
    Function("numpy.arccos", mp.acos, real(-1, 1)),
    Function("numpy.arctan", mp.atan, real(-10, 10)),
    Function("numpy.arctan2", mp.atan2, PLANE),
    Function("numpy.sinh", mp.sinh, real(-20, 20)),
    Function("numpy.cosh", mp.cosh, real(-20, 20)),
    Function("numpy.tanh", mp.tanh, real(-5, 5)),
    Function("numpy.arcsinh", mp.asinh, real(-10, 10)),
    Function("numpy.arccosh", mp.acosh, real(1, 20)),
    Function("numpy.arctanh", mp.atanh, real(-1, 1)),
    Function("numpy.degrees", mp.degrees, real(-10, 10)),
    Function("numpy.radians", mp.radians, real(-360, 360)),
)

UNIT = (Box(Range(-3, 3), Range(-3, 3)),)
COMPLEX = (
    Function("numpy.multiply", mp.fmul, UNIT * 2),
    Function("numpy.divide", mp.fdiv, UNIT * 2),
    Function("numpy.reciprocal", lambda z: 1 / z, UNIT),
    Function("numpy.square", lambda z: z * z, UNIT),
    Function("numpy.power", mp.power, UNIT * 2),
    Function("numpy.sqrt", mp.sqrt, UNIT),
    Function("numpy.exp", mp.exp, (Box(Range(-20, 20), Range(-20, 20)),)),
    Function("numpy.exp2", lambda z: mp.power(2, z), (Box(Range(-20, 20), Range(-20, 20)),)),
    Function("numpy.expm1", mp.expm1, UNIT),
    Function("numpy.log", mp.log, UNIT),
    Function("numpy.log2", lambda z: mp.log(z) / mp.log(2), UNIT),
    Function("numpy.log10", lambda z: mp.log(z) / mp.log(10), UNIT),
    Function("numpy.log1p", lambda z: mp.log(1 + z), UNIT),
    Function("numpy.sin", mp.sin, UNIT),
    Function("numpy.cos", mp.cos, UNIT),
    Function("numpy.tan", mp.tan, UNIT),
    Function("numpy.arcsin", mp.asin, UNIT),
    Function("numpy.arccos", mp.acos, UNIT),
    Function("numpy.arctan", mp.atan, UNIT),
    Function("numpy.sinh", mp.sinh, UNIT),
    Function("numpy.cosh", mp.cosh, UNIT),
    Function("numpy.tanh", mp.tanh, UNIT),
    Function("numpy.arcsinh", mp.asinh, UNIT),
    Function("numpy.arccosh", mp.acosh, UNIT),
    Function("numpy.arctanh", mp.atanh, UNIT),
    Function("lax.logistic", lambda z: 1 / (1 + mp.exp(-z)), UNIT),
    Function("scipy.special.wofz", lambda z: faddeeva(z), (Box(Range(-6, 6), Range(-3, 6)),)),
    Function("scipy.special.erfcx", lambda z: faddeeva(1j * z), (Box(Range(-3, 6), Range(-6, 6)),)),
)


def faddeeva(z: Any) -> Any:
    with mp.workdps(3 * DIGITS):
        return mp.exp(-z * z) * mp.erfc(-1j * z)


ORDER = logarithmic(0.05, 300)
SPECIAL = (
    Function("lax.erf", mp.erf, (Range(-4, 4),)),
    Function("lax.erfc", mp.erfc, (Range(-3, 9),)),
    Function("lax.erf_inv", mp.erfinv, (Range(-1, 1),)),
    Function("lax.lgamma", lambda x: mp.log(abs(mp.gamma(x))), (Range(-10, 40),)),
    Function("lax.digamma", mp.digamma, (Range(-10, 40),)),
    Function(
        "lax.polygamma", lambda n, x: mp.polygamma(int(n), x),
        (Range(0, 12, "whole"), logarithmic(0.05, 100)),
    ),
    Function("lax.zeta", hurwitz, (logarithmic(1.05, 20), logarithmic(0.05, 100))),
    Function("lax.igamma", lower_gamma, (ORDER, ORDER)),
    Function("lax.igammac", upper_gamma, (ORDER, ORDER)),
    Function("lax.igamma_grad_a", gamma_by_order, (ORDER, ORDER)),
    Function("lax.random_gamma_grad", gamma_sample_by_shape, (ORDER, ORDER)),
    Function(
        "lax.betainc", lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True),
        (logarithmic(0.05, 100), logarithmic(0.05, 100), Range(0, 1)),
    ),
    Function("lax.bessel_i0e", lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), (Range(-40, 40),)),
    Function("lax.bessel_i1e", lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), (Range(-40, 40),)),
)  # fmt: skip


def normal(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def scaled_erfc(x: Any) -> Any:
    return mp.exp(x * x) * mp.erfc(x)


def dawson(x: Any) -> Any:
    return mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)


def owen(h: Any, a: Any) -> Any:
    with mp.workdps(20):
        top = min(a, 12 / abs(h)) if h else a
        points = mp.linspace(0, top, 5)
        total = mp.quad(lambda x: mp.exp(-h * h * (1 + x * x) / 2) / (1 + x * x), points)
        return total / (2 * mp.pi)


def harmonic(n: Any, m: Any, theta: Any, phi: Any) -> Any:
    return mp.spherharm(int(n), int(m), theta, phi)


def three_dimensional_gamma(a: Any) -> Any:
    return 3 * mp.log(mp.pi) / 2 + sum(mp.loggamma(a - mp.mpf(j) / 2) for j in range(3))


POSITIVE = logarithmic(0.05, 100)
RELATIVE = (logarithmic(0.05, 20), logarithmic(0.05, 20))
# The functions of `jx.scipy.special` that are not `lax`'s own under another name.
INTEGRALS = (
    Function("scipy.special.gamma", mp.gamma, real(-10, 30)),
    Function("scipy.special.loggamma", mp.loggamma, positive(0.05, 1e3)),
    Function("scipy.special.gammaln", log_gamma, real(-10, 40)),
    Function("scipy.special.factorial", mp.factorial, real(0, 30)),
    Function("scipy.special.poch", mp.rf, (logarithmic(0.05, 20), logarithmic(0.05, 10))),
    Function("scipy.special.comb", mp.binomial, (Range(5, 40, "whole"), Range(0, 5, "whole"))),
    Function("scipy.special.beta", mp.beta, (POSITIVE, POSITIVE)),
    Function("scipy.special.betaln", lambda a, b: mp.log(mp.beta(a, b)), (POSITIVE, POSITIVE)),
    Function("scipy.special.multigammaln", three_dimensional_gamma, positive(1.5, 50)),
    Function("scipy.special.ndtr", normal, real(-8, 8)),
    Function(
        "scipy.special.ndtri", lambda p: -mp.sqrt(2) * mp.erfinv(1 - 2 * p), positive(1e-3, 0.999)
    ),
    Function("scipy.special.log_ndtr", lambda x: mp.log(normal(x)), real(-30, 5)),
    Function("scipy.special.expit", lambda x: 1 / (1 + mp.exp(-x)), real(-30, 30)),
    Function("scipy.special.logit", lambda p: mp.log(p / (1 - p)), real(0, 1)),
    Function("scipy.special.entr", lambda x: -x * mp.log(x), positive(0.05, 20)),
    Function("scipy.special.rel_entr", lambda x, y: x * mp.log(x / y), RELATIVE),
    Function("scipy.special.kl_div", lambda x, y: x * mp.log(x / y) - x + y, RELATIVE),
    Function("scipy.special.xlogy", lambda x, y: x * mp.log(y), RELATIVE),
    Function("scipy.special.xlog1py", lambda x, y: x * mp.log1p(y), RELATIVE),
    Function(
        "scipy.special.boxcox", lambda x, p: mp.expm1(p * mp.log(x)) / p,
        (logarithmic(0.05, 20), Range(-2, 2)),
    ),
    Function(
        "scipy.special.boxcox1p", lambda x, p: mp.expm1(p * mp.log1p(x)) / p,
        (logarithmic(0.05, 20), Range(-2, 2)),
    ),
    Function("scipy.special.i0", lambda x: mp.besseli(0, x), real(-40, 40)),
    Function("scipy.special.i1", lambda x: mp.besseli(1, x), real(-40, 40)),
    Function("scipy.special.exp1", mp.e1, positive(1e-3, 80)),
    Function("scipy.special.expi", mp.ei, real(-80, 80)),
    Function(
        "scipy.special.expn", lambda n, x: mp.expint(int(n), x),
        (Range(0, 20, "whole"), logarithmic(1e-3, 80)),
    ),
    Function("scipy.special.sici:0", mp.si, real(-30, 30)),
    Function("scipy.special.sici:1", mp.ci, real(0, 30)),
    Function("scipy.special.fresnel:0", mp.fresnels, real(-10, 10)),
    Function("scipy.special.fresnel:1", mp.fresnelc, real(-10, 10)),
    Function("scipy.special.dawsn", dawson, real(-10, 10)),
    Function("scipy.special.erfcx", scaled_erfc, real(-5, 40)),
    Function("scipy.special.spence", lambda x: mp.polylog(2, 1 - x).real, positive(1e-3, 1e3)),
    Function("scipy.special.owens_t", owen, (Range(-6, 6), logarithmic(0.05, 20))),
    Function(
        "scipy.special.hyp1f1", mp.hyp1f1,
        (logarithmic(0.1, 10), logarithmic(0.1, 10), Range(-40, 40)),
    ),
    Function(
        "scipy.special.hyp2f1", mp.hyp2f1,
        (logarithmic(0.1, 5), logarithmic(0.1, 5), logarithmic(0.1, 5), Range(-2, 1)),
    ),
    Function("scipy.special.bessel_jn:5", lambda z: mp.besselj(5, z), real(-30, 30)),
    Function(
        "scipy.special.sph_harm_y", harmonic,
        (Range(6, 8, "whole"), Range(0, 6, "whole"), Range(0, 3.14), Range(0, 6.28)),
    ),
)  # fmt: skip
