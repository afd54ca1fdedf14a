"""Differentiation of special functions.

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF): section 5.15
for the gamma function's logarithm and polygammas, 7.2 for erf, 8.8 and 8.17 for the incomplete
gamma and beta functions, 10.29 for Bessel functions, 25.11 for the Hurwitz zeta function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jx_core.lax import (
    add_p,
    bessel_i0e_p,
    bessel_i1e_p,
    digamma_p,
    div_p,
    eq_p,
    erf_inv_p,
    erf_p,
    erfc_p,
    exp_p,
    igamma_grad_a_p,
    igamma_p,
    igammac_p,
    lgamma_p,
    log1p_p,
    log_p,
    mul_p,
    neg_p,
    polygamma_p,
    regularized_incomplete_beta_p,
    sign_p,
    square_p,
    sub_p,
    zeta_p,
)

from ..tables import defjvp, jvp_rules
from .kit import beside, mask

add, sub, mul, div, neg = add_p.bind, sub_p.bind, mul_p.bind, div_p.bind, neg_p.bind
exp, log, log1p, square, sign = exp_p.bind, log_p.bind, log1p_p.bind, square_p.bind, sign_p.bind
lgamma, digamma, polygamma = lgamma_p.bind, digamma_p.bind, polygamma_p.bind
bessel_i0e, bessel_i1e = bessel_i0e_p.bind, bessel_i1e_p.bind


def _no_derivative(function: str, argument: str, cure: str) -> Callable[..., Any]:
    """A rule that says that the derivative in one argument has no implementation."""

    def rule(t: Any, out: Any, *operands: Any) -> Any:
        raise ValueError(
            f"the gradient of {function} with respect to {argument} is not supported; {cure}"
        )

    return rule


_HOLD = "hold the argument fixed with lax.stop_gradient, or give a rule with custom_jvp"

# --- error functions ---

defjvp(erf_p)(
    lambda t, out, x: mul(t, mul(exp(neg(square(x))), beside(x, 2.0 / math.sqrt(math.pi))))
)
defjvp(erfc_p)(
    lambda t, out, x: mul(t, mul(exp(neg(square(x))), beside(x, -2.0 / math.sqrt(math.pi))))
)
defjvp(erf_inv_p)(
    lambda t, out, x: mul(t, mul(exp(square(out)), beside(x, math.sqrt(math.pi) / 2.0)))
)

# --- gamma functions ---

defjvp(lgamma_p)(lambda t, out, x: mul(t, digamma(x)))
defjvp(digamma_p)(lambda t, out, x: mul(t, polygamma(beside(x, 1.0), x)))
defjvp(polygamma_p)(
    _no_derivative("polygamma", "its order m", _HOLD),
    lambda t, out, m, x: mul(t, polygamma(add(m, beside(m, 1.0)), x)),
)


def _zeta_by_shift(t: Any, out: Any, s: Any, q: Any) -> Any:
    return mul(t, neg(mul(s, zeta_p.bind(add(s, beside(s, 1.0)), q))))


defjvp(zeta_p)(_no_derivative("zeta", "its exponent x", _HOLD), _zeta_by_shift)


def _gamma_density(a: Any, x: Any) -> Any:
    """x^(a-1) exp(-x) / Gamma(a), through its logarithm; 0^0 is 1."""
    less = sub(a, beside(a, 1.0))
    # Where a = 1 the power is 1 for every x, but 0 log 0 would be NaN: take a logarithm of x + 1.
    base = add(x, mask(eq_p.bind(less, beside(a, 0.0)), x))
    return exp(sub(sub(mul(less, log(base)), x), lgamma(a)))


defjvp(igamma_p)(
    lambda t, out, a, x: mul(t, igamma_grad_a_p.bind(a, x)),
    lambda t, out, a, x: mul(t, _gamma_density(a, x)),
)
defjvp(igammac_p)(
    lambda t, out, a, x: mul(t, neg(igamma_grad_a_p.bind(a, x))),
    lambda t, out, a, x: mul(t, neg(_gamma_density(a, x))),
)
jvp_rules.explain("its own derivative is not implemented", igamma_grad_a_p)

# --- beta function ---


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    """x^(a-1) (1-x)^(b-1) / B(a, b), through its logarithm."""
    log_beta = sub(add(lgamma(a), lgamma(b)), lgamma(add(a, b)))
    tail = mul(sub(b, beside(b, 1.0)), log1p(neg(x)))
    return exp(sub(add(mul(sub(a, beside(a, 1.0)), log(x)), tail), log_beta))


defjvp(regularized_incomplete_beta_p)(
    _no_derivative("betainc", "its parameter a", _HOLD),
    _no_derivative("betainc", "its parameter b", _HOLD),
    lambda t, out, a, b, x: mul(t, _beta_density(a, b, x)),
)

# --- Bessel functions, scaled by exp(-|x|) ---


def _i1e_tangent(t: Any, out: Any, x: Any) -> Any:
    """I0(x) - I1(x)/x, scaled, where the ratio at 0 is 1/2."""
    zero = mask(eq_p.bind(x, beside(x, 0.0)), x)
    ratio = div(add(out, mul(zero, beside(x, 0.5))), add(x, zero))
    return mul(t, sub(sub(bessel_i0e(x), mul(sign(x), out)), ratio))


defjvp(bessel_i0e_p)(lambda t, out, x: mul(t, sub(bessel_i1e(x), mul(sign(x), out))))
defjvp(bessel_i1e_p)(_i1e_tangent)
