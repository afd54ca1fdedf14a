"""Differentiation of special functions.

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF): section 5.15
for the gamma function's logarithm, 7.2 for erf, 8.8 and 8.17 for the incomplete functions,
10.29 for Bessel functions, 25.11 for zeta.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jx_core import typeof
from jx_core.lax import (
    add_p,
    bessel_i0_p,
    bessel_i0e_p,
    bessel_i1_p,
    bessel_i1e_p,
    beta_p,
    betainc_grad_a_p,
    betainc_grad_b_p,
    betainc_grad_x_p,
    binomial_p,
    clamp_p,
    digamma_increment_p,
    digamma_p,
    div_p,
    eq_p,
    erf_inv_p,
    erf_p,
    erfc_p,
    exp_p,
    gamma_p,
    igamma_grad_a_p,
    igamma_grad_x_p,
    igamma_p,
    igammac_p,
    is_finite_p,
    lgamma_p,
    log1p_p,
    log_beta_p,
    log_normal_cdf_p,
    log_p,
    lt_p,
    mul_p,
    ne_p,
    neg_p,
    normal_cdf_p,
    normal_density_p,
    normal_hazard_p,
    normal_hazard_slope_p,
    normal_quantile_p,
    normal_quantile_slope_p,
    or_p,
    polygamma_p,
    random_gamma_grad_p,
    regularized_incomplete_beta_p,
    rising_factorial_p,
    select_n_p,
    sign_p,
    square_p,
    sub_p,
    zeta_grad_x_p,
    zeta_p,
)

from ..tables import defjvp
from .kit import beside, broadcast_scalar, where
from .special_integrals import beta_curvature, gamma_curvature, zeta_curvature

add, sub, mul, div, neg = add_p.bind, sub_p.bind, mul_p.bind, div_p.bind, neg_p.bind
exp, log, log1p, square, sign = exp_p.bind, log_p.bind, log1p_p.bind, square_p.bind, sign_p.bind
eq, ne, select_n = eq_p.bind, ne_p.bind, select_n_p.bind
digamma, polygamma = digamma_p.bind, polygamma_p.bind

_END = 60.0  # from here on normal densities are 0 in every dtype


def _inside(x: Any) -> Any:
    """`x`, but not beyond where densities are 0: so that there 0 and not infinity times 0 is."""
    return clamp_p.bind(beside(x, -_END), x, beside(x, _END))


def _gaussian(x: Any, factor: float) -> Any:
    return mul(exp(neg(square(_inside(x)))), beside(x, factor))


defjvp(erf_p)(lambda t, out, x: mul(t, _gaussian(x, 2.0 / math.sqrt(math.pi))))
defjvp(erfc_p)(lambda t, out, x: mul(t, _gaussian(x, -2.0 / math.sqrt(math.pi))))
defjvp(erf_inv_p)(
    lambda t, out, x: mul(t, mul(exp(square(out)), beside(x, math.sqrt(math.pi) / 2.0)))
)
defjvp(lgamma_p)(lambda t, out, x: mul(t, digamma(x)))
defjvp(digamma_p)(lambda t, out, x: mul(t, polygamma(beside(x, 1.0), x)))


def _none(name: str, operand: str) -> Callable[..., Any]:
    """The rule of an operand by which there is no derivative in closed form, nor one here."""

    def rule(t: Any, out: Any, *operands: Any) -> Any:
        raise ValueError(
            f"{name} has no derivative by {operand} in jx: hold {operand} constant with "
            f"jx.lax.stop_gradient, or give the derivative with jx.custom_jvp"
        )

    return rule


defjvp(polygamma_p)(
    _none("polygamma", "m"),
    lambda t, out, m, x: mul(t, polygamma(add(m, beside(m, 1.0)), x)),
)
defjvp(zeta_p)(
    lambda t, out, x, q: mul(t, zeta_grad_x_p.bind(x, q)),
    lambda t, out, x, q: mul(t, mul(neg(x), zeta_p.bind(add(x, beside(x, 1.0)), q))),
)
# That of -x zeta(x + 1, q), the derivative by q, by x.
defjvp(zeta_grad_x_p)(
    lambda t, out, x, q: mul(t, zeta_curvature(x, q)),
    lambda t, out, x, q: mul(t, neg(add(
        zeta_p.bind(add(x, beside(x, 1.0)), q),
        mul(x, zeta_grad_x_p.bind(add(x, beside(x, 1.0)), q)),
    ))),
)  # fmt: skip

defjvp(igamma_p)(
    lambda t, out, a, x: mul(t, igamma_grad_a_p.bind(a, x)),
    lambda t, out, a, x: mul(t, igamma_grad_x_p.bind(a, x)),
)
defjvp(igammac_p)(
    lambda t, out, a, x: mul(t, neg(igamma_grad_a_p.bind(a, x))),
    lambda t, out, a, x: mul(t, neg(igamma_grad_x_p.bind(a, x))),
)


def _by_shape(a: Any, x: Any) -> Any:
    """The derivative of the logarithm of the gamma density by its shape."""
    return sub(log(x), digamma(a))


def _by_place(a: Any, x: Any) -> Any:
    """The derivative of the logarithm of the gamma density by x."""
    return sub(div(sub(a, beside(a, 1.0)), x), beside(x, 1.0))


def _times(t: Any, density: Any, slope: Any) -> Any:
    """t density slope, which is 0 where the density is, whatever the slope."""
    return mul(t, _density_slope(density, slope))


def _full(x: Any, number: float) -> Any:
    """A number for each element of `x`."""
    return broadcast_scalar(beside(x, number), typeof(x).shape)


def _density_slope(density: Any, logarithmic: Any) -> Any:
    """The density times the derivative of its logarithm, which is 0 where the density is."""
    return where(ne(density, beside(density, 0.0)), mul(density, logarithmic))


def _slope_at_end(a: Any, level: Any, line: Any) -> Any:
    """The slope at 0 of a density that goes by x^(a - 1) near it.

    Args:
        a: the parameter, an array; so are the other two, of one shape.
        level: the slope for a = 1, where the density has a number there that is not 0.
        line: that for a = 2, where it begins on a straight line.
    """
    one, two = beside(a, 1.0), beside(a, 2.0)
    infinite = _full(level, math.inf)
    steep = select_n(lt_p.bind(a, one), infinite, neg(infinite))
    value = select_n(lt_p.bind(a, two), _full(level, 0.0), steep)
    return select_n(eq(a, one), select_n(eq(a, two), value, line), level)


def _gamma_density_slope(density: Any, a: Any, x: Any) -> Any:
    a, x = (broadcast_scalar(operand, typeof(density).shape) for operand in (a, x))
    at_0 = eq(x, beside(x, 0.0))
    inside = _density_slope(density, _by_place(a, select_n(at_0, x, _full(x, 1.0))))
    one = _full(x, 1.0)
    return select_n(at_0, inside, _slope_at_end(a, neg(one), one))


defjvp(igamma_grad_x_p)(
    lambda t, out, a, x: _times(t, out, _by_shape(a, x)),
    lambda t, out, a, x: mul(t, _gamma_density_slope(out, a, x)),
)
defjvp(igamma_grad_a_p)(
    lambda t, out, a, x: _times(t, igamma_grad_x_p.bind(a, x), gamma_curvature(a, x)),
    lambda t, out, a, x: _times(t, igamma_grad_x_p.bind(a, x), _by_shape(a, x)),
)
# It is -(dP/da) / (dP/dx), the quotient of functions whose derivatives by x are above.
defjvp(random_gamma_grad_p)(
    lambda t, out, a, x: mul(t, neg(add(mul(out, _by_shape(a, x)), gamma_curvature(a, x)))),
    lambda t, out, a, x: mul(t, neg(add(_by_shape(a, x), mul(out, _by_place(a, x))))),
)

defjvp(regularized_incomplete_beta_p)(
    lambda t, out, a, b, x: mul(t, betainc_grad_a_p.bind(a, b, x)),
    lambda t, out, a, b, x: mul(t, betainc_grad_b_p.bind(a, b, x)),
    lambda t, out, a, b, x: mul(t, betainc_grad_x_p.bind(a, b, x)),
)


def _beta_by_place(a: Any, b: Any, x: Any) -> Any:
    """The derivative of the logarithm of the beta density by x."""
    one = beside(x, 1.0)
    return sub(div(sub(a, one), x), div(sub(b, one), sub(one, x)))


def _beta_by_a(a: Any, b: Any, x: Any) -> Any:
    """The derivative of the logarithm of the beta density by a."""
    return add(log(x), digamma_increment_p.bind(a, b))


def _beta_by_b(a: Any, b: Any, x: Any) -> Any:
    """The derivative of the logarithm of the beta density by b."""
    return add(log1p(neg(x)), digamma_increment_p.bind(b, a))


def _beta_density_slope(density: Any, a: Any, b: Any, x: Any) -> Any:
    a, b, x = (broadcast_scalar(operand, typeof(density).shape) for operand in (a, b, x))
    one = _full(x, 1.0)
    at_0, at_1 = eq(x, beside(x, 0.0)), eq(x, one)
    safe = select_n(or_p.bind(at_0, at_1), x, _full(x, 0.5))
    inside = _density_slope(density, _beta_by_place(a, b, safe))
    first = _slope_at_end(a, mul(b, sub(one, b)), mul(b, add(b, one)))
    last = _slope_at_end(b, mul(a, sub(one, a)), mul(a, add(a, one)))
    return select_n(at_0, select_n(at_1, inside, neg(last)), first)


defjvp(betainc_grad_x_p)(
    lambda t, out, a, b, x: _times(t, out, _beta_by_a(a, b, x)),
    lambda t, out, a, b, x: _times(t, out, _beta_by_b(a, b, x)),
    lambda t, out, a, b, x: mul(t, _beta_density_slope(out, a, b, x)),
)


def _beta_by(parameters: str) -> Callable[..., Any]:
    """The rule of a second derivative by two of the parameters a and b."""
    return lambda t, out, a, b, x: _times(
        t, betainc_grad_x_p.bind(a, b, x), beta_curvature(a, b, x, parameters)
    )


defjvp(betainc_grad_a_p)(
    _beta_by("aa"),
    _beta_by("ab"),
    lambda t, out, a, b, x: _times(t, betainc_grad_x_p.bind(a, b, x), _beta_by_a(a, b, x)),
)
defjvp(betainc_grad_b_p)(
    _beta_by("ab"),
    _beta_by("bb"),
    lambda t, out, a, b, x: _times(t, betainc_grad_x_p.bind(a, b, x), _beta_by_b(a, b, x)),
)

# Gamma and its quotients: the derivatives of their logarithms (DLMF 5.2.2).
defjvp(gamma_p)(lambda t, out, x: mul(t, mul(out, digamma(x))))
defjvp(digamma_increment_p)(
    lambda t, out, a, b: mul(t, sub(_trigamma(add(a, b)), _trigamma(a))),
    lambda t, out, a, b: mul(t, _trigamma(add(a, b))),
)
defjvp(log_beta_p)(
    lambda t, out, a, b: neg(mul(t, digamma_increment_p.bind(a, b))),
    lambda t, out, a, b: neg(mul(t, digamma_increment_p.bind(b, a))),
)
defjvp(beta_p)(
    lambda t, out, a, b: neg(_times(t, out, digamma_increment_p.bind(a, b))),
    lambda t, out, a, b: neg(_times(t, out, digamma_increment_p.bind(b, a))),
)


def _trigamma(x: Any) -> Any:
    return polygamma(beside(x, 1.0), x)


def _one_more(x: Any) -> Any:
    return add(x, beside(x, 1.0))


defjvp(binomial_p)(
    lambda t, out, n, k: _times(t, out, digamma_increment_p.bind(_one_more(sub(n, k)), k)),
    lambda t, out, n, k: _times(t, out, digamma_increment_p.bind(_one_more(k), sub(sub(n, k), k))),
)
defjvp(rising_factorial_p)(
    lambda t, out, z, n: _times(t, out, digamma_increment_p.bind(z, n)),
    lambda t, out, z, n: _times(t, out, digamma(add(z, n))),
)

# The normal distribution: with h = phi / Phi, (log Phi)' = h and h' = -h (x + h).
defjvp(normal_density_p)(lambda t, out, x: neg(mul(t, mul(_inside(x), out))))
defjvp(normal_cdf_p)(lambda t, out, x: mul(t, normal_density_p.bind(x)))
defjvp(log_normal_cdf_p)(lambda t, out, x: mul(t, normal_hazard_p.bind(x)))
defjvp(normal_hazard_p)(lambda t, out, x: mul(t, normal_hazard_slope_p.bind(x)))
defjvp(normal_hazard_slope_p)(
    lambda t, out, x: mul(t, _third_derivative(x, normal_hazard_p.bind(x), out))
)
defjvp(normal_quantile_p)(lambda t, out, p: mul(t, normal_quantile_slope_p.bind(p)))
defjvp(normal_quantile_slope_p)(
    lambda t, out, p: mul(t, mul(normal_quantile_p.bind(p), square(out)))
)


def _third_derivative(x: Any, hazard: Any, slope: Any) -> Any:
    """-h' (x + h) - h (1 + h'), where x + h is -h' / h."""
    one = beside(x, 1.0)
    nothing = eq(hazard, beside(x, 0.0))
    quotient = div(square(slope), select_n(nothing, hazard, one))
    return sub(quotient, mul(hazard, add(one, slope)))


def _bessel_quotient(i1: Any, x: Any) -> Any:
    """I_1(x) / x, which is 1/2 at 0, scaled as `i1` is.

    Where I_1 overflows it is taken as 0: what it is subtracted from is infinite then.
    """
    at_0 = eq(x, beside(x, 0.0))
    safe = select_n(at_0, x, beside(x, 1.0))
    quotient = where(is_finite_p.bind(i1), div(i1, safe))
    return select_n(at_0, quotient, beside(x, 0.5))


defjvp(bessel_i0_p)(lambda t, out, x: mul(t, bessel_i1_p.bind(x)))
defjvp(bessel_i1_p)(lambda t, out, x: mul(t, sub(bessel_i0_p.bind(x), _bessel_quotient(out, x))))
defjvp(bessel_i0e_p)(lambda t, out, x: mul(t, sub(bessel_i1e_p.bind(x), mul(sign(x), out))))
defjvp(bessel_i1e_p)(
    lambda t, out, x: mul(
        t, sub(bessel_i0e_p.bind(x), add(_bessel_quotient(out, x), mul(sign(x), out)))
    )
)
