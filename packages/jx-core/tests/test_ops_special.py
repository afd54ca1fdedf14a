"""The error and gamma functions' kin: recorded values, identities, and errors by mpmath."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from ml_dtypes import bfloat16

from jx_core import lax, make_jaxpr
from jx_core.ops.special import error_functions, gamma
from jx_core.ops.special.maths import NUMPY

rng = np.random.default_rng(0)

# Values to 17 places, from mpmath with 50 digits.
FACTS = {
    "erf": {0.5: 0.52049987781304654, 1.0: 0.84270079294971487, -3.0: -0.99997790950300141},
    "erfc": {0.5: 0.47950012218695346, 5.0: 1.5374597944280349e-12, -1.0: 1.84270079294971487},
    "erf_inv": {0.5: 0.47693627620446987, 0.999: 2.3267537655135247, 1e-10: 8.8622692545275805e-11},
    "lgamma": {
        0.5: 0.57236494292470009, 5.0: 3.1780538303479456, -1.5: 0.86004701537648101,
        1 + 2**-24: -3.4404731743256981e-08, 100.0: 359.13420536957540,
    },
    "digamma": {
        0.5: -1.9635100260214235, 1.0: -0.57721566490153286, 1.5: 0.036489973978576520,
        -1.5: 0.70315664064524319, 100.0: 4.6001618527380874,
    },
}  # fmt: skip
DOUBLE = {
    "erf": error_functions._erf, "erfc": error_functions.erfc_of_doubles,
    "erf_inv": error_functions._erf_inv,
    "lgamma": partial(gamma._lgamma, NUMPY), "digamma": partial(gamma._digamma, NUMPY),
}  # fmt: skip
lgamma, digamma = DOUBLE["lgamma"], DOUBLE["digamma"]


@pytest.mark.parametrize("name", FACTS)
def test_recorded_values_in_double_precision(name):
    x = np.array(list(FACTS[name]))
    with np.errstate(all="ignore"):
        got = DOUBLE[name](x)
    np.testing.assert_allclose(got, list(FACTS[name].values()), rtol=4e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, bfloat16])
@pytest.mark.parametrize("name", FACTS)
def test_narrower_dtypes_are_rounded_once(name, dtype):
    x = np.array([0.25, 0.5, 0.75, -0.375]).astype(dtype)
    with np.errstate(all="ignore"):
        expected = DOUBLE[name](x.astype(np.float64)).astype(dtype)
    got = np.asarray(getattr(lax, name)(x))
    assert got.dtype == x.dtype
    np.testing.assert_array_equal(got, expected)


def test_poles_and_limits():
    inf, nan = np.inf, np.nan
    x = np.float32([0, -0.0, -1, -7, inf, -inf, nan, -1e30])
    np.testing.assert_array_equal(
        np.asarray(lax.digamma(x)), [nan, nan, nan, nan, inf, nan, nan, nan]
    )
    np.testing.assert_array_equal(
        np.asarray(lax.lgamma(x)), [inf, inf, inf, inf, inf, inf, nan, inf]
    )
    np.testing.assert_array_equal(
        np.asarray(lax.erf_inv(np.float32([0, 1, -1, 1.5, -2, nan]))), [0, inf, -inf, nan, nan, nan]
    )
    np.testing.assert_array_equal(np.asarray(lax.erf(np.float32([-inf, inf]))), [-1, 1])
    np.testing.assert_array_equal(np.asarray(lax.erfc(np.float32([-inf, inf]))), [2, 0])


def test_erf_inv_is_odd_and_keeps_the_sign_of_zero():
    y = rng.uniform(-1, 1, 50)
    np.testing.assert_array_equal(error_functions._erf_inv(-y), -error_functions._erf_inv(y))
    assert np.signbit(np.asarray(lax.erf_inv(np.float32(-0.0))))


def test_erf_inv_undoes_erf():
    x = rng.uniform(-2, 2, 100)
    np.testing.assert_allclose(error_functions._erf_inv(error_functions._erf(x)), x, rtol=1e-13)


def test_lgamma_satisfies_the_recurrence_through_its_roots():
    # log gamma(x + 1) - log gamma(x) = log x
    x = rng.uniform(0.3, 4, 300)
    np.testing.assert_allclose(
        lgamma(x + 1) - lgamma(x), np.log(x), rtol=0, atol=4e-15
    )


def test_digamma_satisfies_recurrence_and_reflection():
    x = rng.uniform(0.05, 20, 300)
    np.testing.assert_allclose(
        digamma(x + 1) - digamma(x), 1 / x, rtol=0, atol=3e-14
    )
    x = rng.uniform(0.05, 0.95, 100)
    np.testing.assert_allclose(
        digamma(1 - x) - digamma(x), np.pi / np.tan(np.pi * x), atol=1e-13
    )


def test_digamma_is_precise_at_its_root():
    root = 1.4616321449683623  # the double next to the root
    slope = 0.96767224
    offset = (root - gamma._ROOT) - gamma._ROOT_REST
    np.testing.assert_allclose(digamma(np.array([root]))[0], slope * offset, rtol=1e-7)


@pytest.mark.parametrize(
    "name, low, high, ulps",
    [("erf_inv", -1, 1, 2), ("lgamma", 1e-3, 30, 8), ("digamma", 1e-3, 30, 8)],
)
def test_errors_in_units_of_the_last_place(name, low, high, ulps):
    mpmath = pytest.importorskip("mpmath")
    exact = {"erf_inv": mpmath.erfinv, "lgamma": mpmath.loggamma, "digamma": mpmath.digamma}[name]
    x = rng.uniform(low, high, 200)
    with mpmath.workdps(40), np.errstate(all="ignore"):
        for argument, got in zip(x, DOUBLE[name](x), strict=True):
            expected = exact(mpmath.mpf(float(argument)))
            error = abs(mpmath.mpf(float(got)) - expected)
            assert error <= ulps * math.ulp(float(expected)), argument


@pytest.mark.parametrize("name", FACTS)
def test_floats_only(name):
    for x in (np.int32([1]), np.bool_([1]), np.complex64([1])):
        with pytest.raises(TypeError, match=f"{name} does not accept dtype {x.dtype.name}"):
            getattr(lax, name)(x)


@pytest.mark.parametrize("name", FACTS)
def test_one_equation_each(name):
    assert str(make_jaxpr(getattr(lax, name))(np.float32([0.5]))) == (
        f"{{ lambda ; a:f32[1]. let b:f32[1] = {name} a in (b,) }}"
    )
