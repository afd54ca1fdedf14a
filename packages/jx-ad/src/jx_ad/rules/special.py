"""Differentiation of special functions.

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF): section 5.15
for the gamma function's logarithm, 7.2 for erf.
"""

from __future__ import annotations

import math

from jx_core.lax import (
    digamma_p,
    erf_inv_p,
    erf_p,
    erfc_p,
    exp_p,
    lgamma_p,
    mul_p,
    neg_p,
    square_p,
)

from ..tables import defjvp, jvp_rules
from .kit import beside

mul, neg, exp, square, digamma = (
    mul_p.bind, neg_p.bind, exp_p.bind, square_p.bind, digamma_p.bind,
)  # fmt: skip

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

jvp_rules.explain(
    "its derivative is the trigamma function, which comes with the polygamma family", digamma_p
)
