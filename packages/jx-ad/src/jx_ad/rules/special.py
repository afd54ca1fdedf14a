"""Differentiation of special functions.

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF): section 5.15
for the gamma function's logarithm, 7.2 for erf, 8.8 and 8.17 for the incomplete functions,
10.29 for Bessel functions, 25.11 for zeta.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jx_core.lax import (
    add_p,
    bessel_i0e_p,
    bessel_i1e_p,
    betainc_grad_x_p,
    digamma_p,
    div_p,
    eq_p,
    erf_inv_p,
    erf_p,
    erfc_p,
    exp_p,
    igamma_grad_a_p,
    igamma_grad_x_p,
    igamma_p,
    igammac_p,
    lgamma_p,
    log1p_p,
    log_p,
    mul_p,
    ne_p,
    neg_p,
    polygamma_p,
    random_gamma_grad_p,
    regularized_incomplete_beta_p,
    select_n_p,
    sign_p,
    square_p,
    sub_p,
    zeta_p,
)

from ..tables import defjvp
from .kit import beside, where

add, sub, mul, div, neg = add_p.bind, sub_p.bind, mul_p.bind, div_p.bind, neg_p.bind
exp, log, log1p, square, sign = exp_p.bind, log_p.bind, log1p_p.bind, square_p.bind, sign_p.bind
eq, ne, select_n = eq_p.bind, ne_p.bind, select_n_p.bind
digamma, polygamma = digamma_p.bind, polygamma_p.bind

defjvp(erf_p)(
    lambda t, out, x: mul(t, mul(exp(neg(square(x))), beside(x, 2.0 / math.sqrt(math.pi))))
)
defjvp(erfc_p)(
    lambda t, out, x: mul(t, mul(exp(neg(square(x))), beside(x, -2.0 / math.sqrt(math.pi))))
)
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
    _none("zeta", "x"),
    lambda t, out, x, q: mul(t, mul(neg(x), zeta_p.bind(add(x, beside(x, 1.0)), q))),
)

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
    flags = ne(density, beside(density, 0.0))
    return mul(t, where(flags, mul(density, slope)))


defjvp(igamma_grad_x_p)(
    lambda t, out, a, x: _times(t, out, _by_shape(a, x)),
    lambda t, out, a, x: _times(t, out, _by_place(a, x)),
)
defjvp(igamma_grad_a_p)(
    _none("igamma_grad_a", "a"),
    lambda t, out, a, x: _times(t, igamma_grad_x_p.bind(a, x), _by_shape(a, x)),
)
# It is -(dP/da) / (dP/dx), the quotient of functions whose derivatives by x are above.
defjvp(random_gamma_grad_p)(
    _none("random_gamma_grad", "a"),
    lambda t, out, a, x: mul(t, neg(add(_by_shape(a, x), mul(out, _by_place(a, x))))),
)

defjvp(regularized_incomplete_beta_p)(
    _none("betainc", "a"),
    _none("betainc", "b"),
    lambda t, out, a, b, x: mul(t, betainc_grad_x_p.bind(a, b, x)),
)


def _beta_by_place(a: Any, b: Any, x: Any) -> Any:
    """The derivative of the logarithm of the beta density by x."""
    one = beside(x, 1.0)
    return sub(div(sub(a, one), x), div(sub(b, one), sub(one, x)))


defjvp(betainc_grad_x_p)(
    lambda t, out, a, b, x: _times(
        t, out, add(sub(log(x), digamma(a)), digamma(add(a, b)))
    ),
    lambda t, out, a, b, x: _times(
        t, out, add(sub(log1p(neg(x)), digamma(b)), digamma(add(a, b)))
    ),
    lambda t, out, a, b, x: _times(t, out, _beta_by_place(a, b, x)),
)


def _bessel_quotient(i1e: Any, x: Any) -> Any:
    """exp(-|x|) I_1(x) / x, which is 1/2 at 0."""
    at_0 = eq(x, beside(x, 0.0))
    safe = select_n(at_0, x, beside(x, 1.0))
    return select_n(at_0, div(i1e, safe), beside(x, 0.5))


defjvp(bessel_i0e_p)(
    lambda t, out, x: mul(t, sub(bessel_i1e_p.bind(x), mul(sign(x), out)))
)
defjvp(bessel_i1e_p)(
    lambda t, out, x: mul(
        t, sub(bessel_i0e_p.bind(x), add(_bessel_quotient(out, x), mul(sign(x), out)))
    )
)
