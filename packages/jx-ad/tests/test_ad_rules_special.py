"""Derivatives of special functions."""

import math

import numpy as np
import pytest

from jx_ad import grad
from jx_ad.testing import check_grads
from jx_core import lax
from jx_core.config import enable_x64


@pytest.fixture(autouse=True)
def _double_precision():
    with enable_x64(True):
        yield


X = np.linspace(-0.9, 0.9, 6)


@pytest.mark.parametrize("name", ["erf", "erfc", "erf_inv"])
def test_error_functions(name):
    check_grads(getattr(lax, name), (X,), order=3, atol=1e-4, rtol=1e-4)


def test_lgamma_has_the_digamma_function_as_derivative():
    x = np.array([0.3, 1.0, 4.5, -0.5])
    check_grads(lax.lgamma, (x,), order=1)
    assert float(grad(lax.lgamma)(1.0)) == pytest.approx(-np.euler_gamma)


def test_edges():
    assert float(grad(lax.erf)(math.inf)) == 0.0
    assert float(grad(lax.erf_inv)(1.0)) == math.inf
    assert float(grad(lax.erf_inv)(0.0)) == pytest.approx(math.sqrt(math.pi) / 2)


def test_what_has_no_derivative_says_so():
    for fun, operands, name in ((lax.polygamma, (1.0, 2.0), "polygamma has no derivative by m"),):
        with pytest.raises(ValueError, match=name):
            grad(fun)(*operands)


def test_derivatives_by_parameters_agree_with_each_other():
    # d/dq zeta(x, q) = -x zeta(x + 1, q), so mixed derivatives are known both ways.
    mixed = grad(grad(lax.zeta), 1), grad(grad(lax.zeta, 1))
    assert float(mixed[0](2.5, 1.5)) == pytest.approx(float(mixed[1](2.5, 1.5)), rel=1e-6)
    for i in (0, 1):
        mixed = grad(grad(lax.betainc, i), 2), grad(grad(lax.betainc, 2), i)
        assert float(mixed[0](2.5, 1.5, 0.3)) == pytest.approx(
            float(mixed[1](2.5, 1.5, 0.3)), rel=1e-6
        )


def test_edges_where_densities_and_quotients_have_limits():
    for a, slope in ((0.5, math.inf), (1.0, 1.0), (2.0, 0.0)):
        assert float(grad(lax.igamma, 1)(a, 0.0)) == slope
        assert float(grad(lax.igammac, 1)(a, 0.0)) == -slope
    assert float(grad(lax.igamma, 1)(2.0, math.inf)) == 0.0
    assert float(grad(lax.igamma)(2.0, 0.0)) == 0.0
    # A density that goes by x^(a - 1): its slopes at the end, from inside.
    for a, slope in ((0.5, -math.inf), (1.0, -1.0), (1.5, math.inf), (2.0, 1.0), (2.5, 0.0)):
        assert float(grad(grad(lax.igamma, 1), 1)(a, 0.0)) == slope
        steep = slope if math.isinf(slope) else {1.0: -6.0, 2.0: 12.0, 2.5: 0.0}[a]
        assert float(grad(grad(lax.betainc, 2), 2)(a, 3.0, 0.0)) == steep
        assert float(grad(grad(lax.betainc, 2), 2)(3.0, a, 1.0)) == -steep
    for (a, b, x), slope in {
        (1.0, 2.0, 0.0): 2.0, (2.0, 1.0, 1.0): 2.0, (0.5, 2.0, 0.0): math.inf,
        (3.0, 3.0, 0.0): 0.0, (3.0, 0.5, 1.0): math.inf,
    }.items():  # fmt: skip
        assert float(grad(lax.betainc, 2)(a, b, x)) == slope
    assert float(grad(lax.bessel_i0e)(0.0)) == 0.0
    assert float(grad(lax.bessel_i1e)(0.0)) == 0.5
    assert math.isfinite(float(grad(grad(lax.bessel_i1e))(0.0)))
    assert float(grad(lax.digamma)(1.0)) == pytest.approx(math.pi**2 / 6)
