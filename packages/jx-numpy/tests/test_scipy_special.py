"""`jx.scipy.special` where the op database does not look: edges, tails, dtypes and errors."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import special as oracle

import jx_numpy as jnp
from jx_ad import grad, jvp
from jx_batching import vmap
from jx_core import jit
from jx_core.config import enable_x64
from jx_core.errors import ShapeError
from jx_numpy.scipy import special

INF, NAN = np.inf, np.nan
FLOATS = [-INF, -3, -2.5, -1, -0.5, -0.0, 0, 0.5, 1, 2, 3.5, INF, NAN]
PLACES = np.array(FLOATS, np.float32)


def slope(function, *at, argument=0):
    return float(grad(function, argnums=argument)(*map(np.float32, at)))


def within_ulps(function, exact, points, ulps=0.51):
    """Whether float32 results are the exact ones, to so many units in the last place."""
    points = np.asarray(points, np.float32)
    got = np.asarray(function(points))
    assert got.dtype == np.float32
    with mpmath.workdps(60):
        for x, y in zip(points, got, strict=True):
            want = exact(mpmath.mpf(float(x)))
            spacing = float(np.spacing(np.float32(abs(float(want)))))
            assert abs(mpmath.mpf(float(y)) - want) <= ulps * spacing, (x, y, want)


# Edges: SciPy's values, where it does not disagree with itself or with JAX.


@pytest.mark.parametrize(
    "name",
    ["entr", "erf", "erfc", "erfinv", "expit", "factorial", "gamma", "gammasgn", "i0e", "i1e",
     "log_ndtr", "loggamma", "logit", "ndtr", "ndtri"],
)  # fmt: skip
def test_edges_are_those_of_scipy(name):
    got = getattr(special, name)(PLACES)
    with np.errstate(all="ignore"):
        want = getattr(oracle, name)(PLACES.astype(np.float64)).astype(np.float32)
    np.testing.assert_allclose(got, want, rtol=2e-6)


@pytest.mark.parametrize("name", ["boxcox", "boxcox1p", "kl_div", "rel_entr", "xlog1py", "xlogy"])
def test_edges_of_two_operands_are_those_of_scipy(name):
    x, y = (a.reshape(-1) for a in np.meshgrid(PLACES, PLACES))
    got = getattr(special, name)(x, y)
    with np.errstate(all="ignore"):
        want = getattr(oracle, name)(x.astype(np.float64), y.astype(np.float64))
        want = want.astype(np.float32)
    np.testing.assert_allclose(got, want, rtol=4e-6)


def test_bessel_functions_grow_to_infinity():
    np.testing.assert_array_equal(special.i0(np.float32([-INF, 1000, INF])), [INF] * 3)
    np.testing.assert_array_equal(special.i1(np.float32([-INF, 1000, INF])), [-INF, INF, INF])
    assert np.isfinite(special.i0(np.float32(91.5)))  # where exp has overflowed


def test_beta_has_poles_and_limits_of_quotients_of_poles():
    np.testing.assert_allclose(
        special.beta(np.float32([-3, -3, -2.5]), 2.0), [1 / 6, 1 / 6, 4 / 15 * 10 / 4 * 2 / 5 * 1]
    )
    assert special.beta(-1.0, 3.0) == INF
    assert special.betaln(0.0, 1.0) == INF
    assert special.betaln(INF, 1.0) == -INF


def test_rising_factorials_of_negative_whole_numbers_are_products():
    z = np.float32([-3, -3, -5, -1])
    m = np.float32([2, 4, -2, 1])
    np.testing.assert_allclose(special.poch(z, m), [6, 0, 1 / 42, -1])
    assert np.isnan(special.poch(2.0, -3.0))  # a pole


def test_small_binomial_coefficients_are_whole():
    n, k = np.meshgrid(np.arange(30), np.arange(30))
    with enable_x64(True):
        np.testing.assert_array_equal(special.comb(n, k), oracle.comb(n, k))
    assert special.comb(INF, 0.0) == 1
    assert special.comb(3, -1) == 0
    assert special.comb(0, 0, repetition=True) == 1


def test_bernoulli_numbers_are_correctly_rounded_and_end_in_infinity():
    with enable_x64(True):
        numbers = np.asarray(special.bernoulli(262))
    assert numbers[50] == float(mpmath.bernoulli(50))
    assert numbers[258] == float(mpmath.bernoulli(258))
    np.testing.assert_array_equal(numbers[[259, 260, 261, 262]], [0, -INF, 0, INF])
    assert special.bernoulli(0).shape == (1,)


def test_zeta_of_riemann_is_that_of_hurwitz_at_1():
    np.testing.assert_array_equal(
        special.zeta(jnp.array([2.0, 3.0])), special.zeta(jnp.array([2.0, 3.0]), 1.0)
    )


# Precision: what is computed in double precision is right to the last place in single.


def normal_cdf(x):
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def log_normal_cdf(x):
    return mpmath.log(normal_cdf(x)) if x < 4 else mpmath.log1p(-normal_cdf(-x))


@pytest.mark.parametrize(
    ("function", "exact", "points"),
    [
        (special.ndtr, normal_cdf, [-13, -8.3, -4.6, -4.4, -1, 0.1, 3]),
        (special.log_ndtr, log_normal_cdf, [-1e4, -300, -20.5, -4.6, -4.4, -0.3, 0.7, 1.4, 6, 13]),
        (special.gamma, mpmath.gamma, [-20.5, -3.3, 1e-30, 0.3, 1.7, 9.9, 10.1, 34.9]),
        (special.gammaln, lambda x: mpmath.log(abs(mpmath.gamma(x))), [-20.3, -2.7, 1.001, 1e6]),
        (special.i0, lambda x: mpmath.besseli(0, x), [0.1, 2.9, 7.9, 90]),
        (special.i1, lambda x: mpmath.besseli(1, x), [-0.1, 2.9, 7.9, 90]),
        (
            lambda x: special.betaln(x, 2e6),
            lambda x: mpmath.log(mpmath.beta(x, 2000000)),
            [0.1, 30, 3e5],
        ),
        (lambda x: special.beta(x, 0.75), lambda x: mpmath.beta(x, 0.75), [0.1, 30, -3.6]),
    ],
    ids="ndtr log_ndtr gamma gammaln i0 i1 betaln beta".split(),
)  # fmt: skip
def test_results_are_rounded_correctly(function, exact, points):
    within_ulps(function, exact, points)


def test_quantiles_are_rounded_correctly():
    p = np.float32([1e-37, 3e-12, 0.2, 0.2499, 0.2501, 0.4999, 0.74, 0.76, 0.9999])
    x = np.asarray(special.ndtri(p))
    with mpmath.workdps(40):
        for p_i, x_i in zip(p, x, strict=True):
            half = mpmath.mpf(float(np.spacing(x_i))) / 2
            ends = [normal_cdf(mpmath.mpf(float(x_i)) + s * abs(half) * 1.01) for s in (-1, 1)]
            assert ends[0] < mpmath.mpf(float(p_i)) < ends[1], p_i


def test_divergence_of_close_numbers_is_precise():
    p, q = np.float32(0.3), np.float32(0.30001)
    a, b = mpmath.mpf(float(p)), mpmath.mpf(float(q))
    exact = float(a * mpmath.log(a / b))
    np.testing.assert_allclose(special.rel_entr(p, q), exact, rtol=3e-7)
    np.testing.assert_allclose(
        special.kl_div(p, q), float(a * mpmath.log(a / b) - a + b), rtol=4e-7
    )


def test_logit_is_precise_around_its_root():
    p = np.float32(0.5001)
    exact = mpmath.log(mpmath.mpf(float(p)) / (1 - mpmath.mpf(float(p))))
    np.testing.assert_allclose(special.logit(p), float(exact), rtol=2e-7)


# Derivatives at edges.


def test_derivatives_of_products_with_logarithms_are_limits():
    assert slope(special.xlogy, 0, 0, argument=1) == 0
    assert slope(special.xlogy, 0, 0, argument=0) == -INF
    assert slope(special.xlogy, 0, 2, argument=0) == pytest.approx(np.log(2))
    assert slope(special.xlog1py, 0, -1, argument=1) == 0
    assert slope(grad(special.xlogy, argnums=0), 0, 4, argument=1) == 0.25
    _, tangent = jvp(lambda y: special.xlogy(np.float32(0), y), (np.float32(0),), (np.float32(1),))
    assert tangent == 0


def test_derivatives_of_entropies_at_the_edges():
    assert slope(special.entr, 0) == INF
    assert slope(special.entr, -1) == 0
    assert slope(special.rel_entr, 0, 2, argument=1) == 0
    assert slope(special.rel_entr, 0, 0, argument=0) == 0
    assert slope(special.rel_entr, 0, 0, argument=1) == 0
    assert slope(special.rel_entr, 0, 2) == -INF
    assert slope(special.kl_div, 0, 2, argument=1) == 1
    assert slope(special.kl_div, 1, 0, argument=1) == 0  # inf around there, constantly
    assert slope(special.kl_div, 2, 2) == 0


def test_derivative_of_a_sum_of_nothing_is_0():
    np.testing.assert_array_equal(grad(special.logsumexp)(np.float32([-INF, -INF])), [0, 0])
    np.testing.assert_array_equal(grad(special.logsumexp)(np.float32([0, -INF])), [1, 0])


@pytest.mark.parametrize("x", [-1e4, -300.0, -12.0, -4.6, -4.4, 0.0, 3.0, 20.0, INF])
def test_derivatives_of_the_logarithm_of_a_tail(x):
    with mpmath.workdps(60):
        if x == INF:
            first, second = 0, 0
        else:
            t = mpmath.mpf(x)
            hazard = mpmath.npdf(t) / normal_cdf(t)
            first, second = float(hazard), float(-hazard * (t + hazard))
    np.testing.assert_allclose(slope(special.log_ndtr, x), first, rtol=2e-7, atol=1e-38)
    np.testing.assert_allclose(slope(grad(special.log_ndtr), x), second, rtol=2e-7, atol=1e-38)


def test_derivatives_of_power_transforms_at_exponent_0():
    log = np.log(np.float32(3))
    assert slope(special.boxcox, 3, 0, argument=1) == pytest.approx(log**2 / 2, rel=1e-6)
    second = slope(grad(special.boxcox, argnums=1), 3, 0, argument=1)
    assert second == pytest.approx(log**3 / 3, rel=1e-6)
    assert slope(special.boxcox1p, 2, 0, argument=1) == pytest.approx(log**2 / 2, rel=1e-6)
    assert slope(special.boxcox, 3, 0) == pytest.approx(1 / 3)


def test_derivative_of_betaln_for_arguments_far_apart():
    exact = float(mpmath.digamma(5e5) - mpmath.digamma(mpmath.mpf(5e5) + 0.0625))
    assert slope(special.betaln, 5e5, 0.0625) == pytest.approx(exact, rel=2e-7)


@pytest.mark.parametrize(
    ("a", "b", "x"),
    [(2.0, 3.0, 0.3), (0.3, 40.0, 0.001), (0.02, 0.7, 0.9), (300.0, 120.0, 0.71), (5.0, 0.2, 0.99)],
)
def test_betainc_has_derivatives_by_its_parameters(a, b, x):
    def central(f, at):
        h = mpmath.mpf(10) ** -12
        return float((f(at + h) - f(at - h)) / (2 * h))

    a, b, x = (float(np.float32(v)) for v in (a, b, x))
    with mpmath.workdps(40):
        by_a = central(lambda t: mpmath.betainc(t, b, 0, x, regularized=True), mpmath.mpf(a))
        by_b = central(lambda t: mpmath.betainc(a, t, 0, x, regularized=True), mpmath.mpf(b))
    assert slope(special.betainc, a, b, x, argument=0) == pytest.approx(by_a, rel=2e-7)
    assert slope(special.betainc, a, b, x, argument=1) == pytest.approx(by_b, rel=2e-7)


def test_betainc_is_constant_in_its_parameters_at_the_ends():
    for x in (0, 1):
        assert slope(special.betainc, 2, 3, x, argument=0) == 0
        assert slope(special.betainc, 2, 3, x, argument=1) == 0


def test_zeta_has_derivatives_by_its_order():
    exact = float(mpmath.zeta(3.5, 0.25, 1))
    assert slope(special.zeta, 3.5, 0.25) == pytest.approx(exact, rel=2e-7)
    curvature = grad(grad(special.zeta))(2.0, 1.0)
    assert curvature == pytest.approx(float(mpmath.zeta(2, 1, 2)), rel=2e-6)


def test_window_of_kaiser_is_a_function_of_its_parameter():
    np.testing.assert_allclose(jnp.kaiser(7, 3.0), np.kaiser(7, 3.0), rtol=2e-6)
    np.testing.assert_allclose(jit(lambda b: jnp.kaiser(7, b))(3.0), np.kaiser(7, 3.0), rtol=2e-6)
    assert jnp.kaiser(5, 300.0)[2] == 1  # I_0(300) overflows
    total = grad(lambda b: jnp.kaiser(5, b).sum())(np.float32(0))
    assert total == 0


# Complex numbers.


def test_loggamma_is_continuous_off_its_cut():
    z = np.array([-2.5 + 0j, complex(-2.5, -0.0), -30.2 + 0.1j, 0.5 + 50j, 1 + 1e-3j, -4.2 - 60j])
    np.testing.assert_allclose(
        special.loggamma(z.astype(np.complex64)), oracle.loggamma(z), rtol=4e-7
    )
    assert np.isnan(special.loggamma(np.complex64(-2)))


def test_derivatives_of_the_complex_gamma_function():
    z = np.array([1 + 2j, -3.4 + 0.3j, 15 - 9j, -7.5 - 2j], np.complex64)
    first = vmap(grad(special.loggamma, holomorphic=True))(z)
    np.testing.assert_allclose(first, oracle.digamma(z.astype(complex)), rtol=2e-6)
    second = vmap(grad(grad(special.loggamma, holomorphic=True), holomorphic=True))(z)
    exact = [complex(mpmath.polygamma(1, mpmath.mpc(complex(x)))) for x in z]
    np.testing.assert_allclose(second, exact, rtol=4e-6)


# Dtypes and errors.


@pytest.mark.parametrize("dtype", [np.float16, jnp.bfloat16, np.float32])
def test_results_have_the_dtype_of_floats(dtype):
    x = np.asarray([0.25, 0.5], dtype)
    for function in (special.ndtr, special.log_ndtr, special.ndtri, special.gamma, special.entr):
        assert function(x).dtype == dtype
    for function in (special.beta, special.xlogy, special.kl_div, special.boxcox, special.comb):
        assert function(x, x).dtype == dtype


def test_integers_become_floats():
    for function in (special.ndtr, special.gammaln, special.entr, special.factorial):
        assert function(np.arange(1, 3)).dtype == np.float32
    assert special.comb(5, 2).weak_type
    assert special.comb(5, 2).dtype == np.float32


@pytest.mark.parametrize(
    "name", ["beta", "betaln", "boxcox", "boxcox1p", "comb", "kl_div", "poch", "rel_entr"]
)
def test_functions_of_real_numbers_refuse_complex_ones(name):
    said = f"{name} does not support complex-valued .*real numbers, got dtypes complex64, float32"
    with pytest.raises(ValueError, match=said):
        getattr(special, name)(np.complex64(1), np.float32(1))


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="n must hold integers, got dtype float32"):
        special.polygamma(np.float32(1), 2.0)
    with pytest.raises(NotImplementedError, match=r"math\.factorial"):
        special.factorial(3, exact=True)
    with pytest.raises(ValueError, match="n must be a non-negative integer, got -1"):
        special.bernoulli(-1)
    with pytest.raises(ValueError, match=r"series_order must be in \[0, 30\], got 31"):
        special.log_ndtr(1.0, series_order=31)
    with pytest.raises(TypeError, match="series_order must be an integer"):
        special.log_ndtr(1.0, series_order=2.5)
    with pytest.raises(ValueError, match="takes real numbers"):
        jnp.i0(1j)
    with pytest.raises(TypeError):
        special.erf(1j)
    with pytest.raises(ShapeError):
        special.beta(np.ones(2), np.ones(3))
    with pytest.raises(TypeError, match="d must be an integer"):
        special.multigammaln(2.0, 1.5)


@pytest.mark.parametrize("name", ["xlogy", "xlog1py", "rel_entr", "kl_div", "betaln", "beta"])
@pytest.mark.parametrize("at", [(0.3, 0.6), (1.0, 2.0)])
def test_python_numbers_are_differentiated_as_arrays_are(name, at):
    f = getattr(special, name)
    np.testing.assert_allclose(
        grad(f, (0, 1))(*at), grad(f, (0, 1))(*map(np.float32, at)), rtol=1e-5
    )
