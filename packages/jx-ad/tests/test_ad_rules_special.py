"""Derivatives of special functions."""

import math

import numpy as np
import pytest

from jx_ad import grad
from jx_ad.testing import check_grads
from jx_core import lax
from jx_core.config import enable_x64
from jx_core.errors import MissingRuleError


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


def test_what_has_no_derivative_yet_says_why():
    with pytest.raises(MissingRuleError, match="trigamma"):
        grad(lax.digamma)(2.0)
