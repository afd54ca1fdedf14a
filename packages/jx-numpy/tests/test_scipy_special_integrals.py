"""The integrals of `jx.scipy.special` beyond the op database: precision, edges, dtypes, errors."""

from __future__ import annotations

from collections.abc import Iterator

import mpmath as mp
import numpy as np
import pytest
import scipy.special

import jx_numpy.scipy.special as special
from jx_ad import grad, jvp
from jx_ad.testing import check_grads
from jx_batching import vmap
from jx_core import jit
from jx_core.config import enable_x64


@pytest.fixture(autouse=True)
def all_dtypes() -> Iterator[None]:
    with enable_x64(True):
        yield


def ulps(got, exact):
    """The worst error of `got` in units in the last place of the exact values."""
    worst = 0.0
    for x, value in zip(np.asarray(got).ravel(), exact, strict=True):
        unit = float(np.spacing(np.abs(x.real.dtype.type(float(abs(value))))))
        number = mp.mpc(complex(x)) if np.iscomplexobj(x) else mp.mpf(float(x))
        worst = max(worst, float(abs(number - value) / unit))
    return worst


def owen(h, a):
    parts = mp.linspace(0, a, 9)
    return mp.quad(lambda x: mp.exp(-h * h * (1 + x * x) / 2) / (1 + x * x), parts) / (2 * mp.pi)


def gaussian_integral(x):
    return mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)


def faddeeva(z):
    return mp.exp(-z * z) * mp.erfc(-1j * z)


POSITIVE = np.geomspace(1e-3, 60, 60)
BOTH = np.linspace(-9, 9, 61)
PRECISE = [
    ("exp1", special.exp1, mp.e1, POSITIVE, 6),
    ("expi", special.expi, mp.ei, np.concatenate([POSITIVE, -POSITIVE]), 6),
    ("Si", lambda x: special.sici(x)[0], mp.si, BOTH, 4),
    ("S", lambda x: special.fresnel(x)[0], mp.fresnels, BOTH, 4),
    ("C", lambda x: special.fresnel(x)[1], mp.fresnelc, BOTH, 4),
    ("dawsn", special.dawsn, gaussian_integral, BOTH, 4),
    ("erfcx", special.erfcx, lambda x: mp.exp(x * x) * mp.erfc(x), np.linspace(-5, 30, 61), 5),
    ("spence", special.spence, lambda x: mp.polylog(2, 1 - x).real, POSITIVE, 6),
]


@pytest.mark.parametrize(("function", "exact", "x", "bound"), [p[1:] for p in PRECISE],
                         ids=[p[0] for p in PRECISE])  # fmt: skip
def test_results_are_right_to_a_few_units_in_the_last_place(function, exact, x, bound):
    with mp.workdps(80):
        for dtype, limit in ((np.float64, bound), (np.float32, 0.51)):
            points = x.astype(dtype)
            assert ulps(function(points), [exact(mp.mpf(float(v))) for v in points]) <= limit


def test_the_exponential_integral_is_precise_at_its_root():
    x = np.array([0.3725074107813666, 0.37250741, 0.3726, 0.3])
    with mp.workdps(50):
        assert ulps(special.expi(x), [mp.ei(mp.mpf(v)) for v in x.tolist()]) <= 4


def test_the_faddeeva_function_is_precise_in_the_plane_and_beside_the_real_line():
    x, y = np.meshgrid(np.linspace(-7, 7, 15), [-2.0, -0.1, 0.0, 1e-8, 0.3, 2.0, 7.0])
    z = (x + 1j * y).ravel()
    with mp.workdps(80):
        exact = [faddeeva(mp.mpc(v)) for v in z.tolist()]
        assert ulps(special.wofz(z), exact) <= 40
    on_the_line = np.asarray(special.wofz(np.array([5.0, 9.0])))
    np.testing.assert_allclose(on_the_line.real, np.exp([-25.0, -81.0]), rtol=1e-14)


def test_the_faddeeva_function_of_huge_numbers_does_not_overflow():
    z = np.array([1e200, 1e200j, 3e9 + 4e9j, -1e300 + 1e300j])
    np.testing.assert_allclose(special.wofz(z), scipy.special.wofz(z), rtol=1e-15)


def test_fresnel_integrals_of_large_numbers_keep_their_phase():
    x = np.array([123.456, 9876.54321, 1.2345e6, np.inf, -np.inf])
    with mp.workdps(60):
        exact = [mp.fresnels(mp.mpf(v)) for v in x[:3].tolist()] + [mp.mpf(0.5), mp.mpf(-0.5)]
        assert ulps(special.fresnel(x)[0], exact) <= 1


def test_owens_function_is_precise_and_has_its_limits():
    h, a = (v.ravel() for v in np.meshgrid([0.1, 1.0, 4.0, -8.0], [0.1, 0.9, 1.1, 5.0, 40.0]))
    np.testing.assert_allclose(special.owens_t(h, a), scipy.special.owens_t(h, a), rtol=4e-14)
    h, a = np.array([0.7, 2.3, -3.7, 5.3, 4.9]), np.array([1.7, 1.1, 0.3, 0.07, 3.3])
    with mp.workdps(25):
        exact = [owen(mp.mpf(x), mp.mpf(y)) for x, y in zip(h.tolist(), a.tolist(), strict=True)]
    assert ulps(special.owens_t(h, a), exact) <= 6
    assert float(special.owens_t(1e-32, np.inf)) == 0.25
    assert float(special.owens_t(40.0, 1.0)) == 0.0
    assert float(special.owens_t(0.0, np.inf)) == 0.25
    assert float(special.owens_t(0.0, -np.inf)) == -0.25
    assert float(special.owens_t(np.inf, 1.0)) == 0.0


def test_orders_of_the_exponential_integral():
    x = np.array([0.0, 0.5, 2.0, np.inf])
    np.testing.assert_allclose(special.expn(3, x), [0.5, *scipy.special.expn(3, x[1:3]), 0])
    assert np.isnan(special.expn(np.array([-1, 2.5, 2]), np.array([1.0, 1.0, -1.0]))).all()
    assert np.isinf(special.expn(np.array([0, 1]), 0.0)).all()


# Hypergeometric functions.


@pytest.mark.parametrize("x", [-1e5, -200.0, -8.0, 0.0, 0.5, 30.0, 300.0, 705.0])
@pytest.mark.parametrize(("a", "b"), [(0.5, 1.5), (3.0, 1.25), (1.0, 4.0), (-2.0, 0.5)])
def test_1f1_over_all_sizes(a, b, x):
    exact = float(mp.hyp1f1(a, b, x))
    np.testing.assert_allclose(float(special.hyp1f1(a, b, x)), exact, rtol=1e-13)


def test_1f1_at_poles_and_infinities():
    got = special.hyp1f1(1.0, np.array([0.0, -1.0, -2.5]), 0.5)
    np.testing.assert_allclose(got, scipy.special.hyp1f1(1.0, np.array([0.0, -1.0, -2.5]), 0.5))
    assert float(special.hyp1f1(-2.0, -2.0, 0.5)) == 1.625
    assert float(special.hyp1f1(0.0, 0.0, 0.5)) == 1.0
    got = special.hyp1f1(1.0, 2.0, np.array([np.inf, -np.inf, np.nan]))
    np.testing.assert_array_equal(got, [np.inf, 0.0, np.nan])


NEAR_1 = 1 - 2.0**-30


@pytest.mark.parametrize("x", [-1e6, -3.0, -0.2, 0.0, 0.4, 0.95, NEAR_1])
@pytest.mark.parametrize(
    ("a", "b", "c"), [(0.5, 1.5, 2.5), (1.0, 2.0, 3.0), (4.0, 3.5, 1.25), (0.3, 0.2, 4.0)]
)
def test_2f1_up_to_1_with_whole_and_other_differences(a, b, c, x):
    with mp.workdps(40):
        exact = float(mp.hyp2f1(a, b, c, x))
    np.testing.assert_allclose(float(special.hyp2f1(a, b, c, x)), exact, rtol=2e-13)


def test_2f1_at_1_beyond_and_at_poles():
    np.testing.assert_allclose(special.hyp2f1(0.5, 0.2, 3.0, 1.0), 1.0470230773598492)
    assert float(special.hyp2f1(1.0, 2.0, 3.0, 1.0)) == np.inf
    assert float(special.hyp2f1(1.0, 2.0, 3.0, 1.5)) == np.inf
    assert float(special.hyp2f1(1.0, 1.0, -2.0, 0.5)) == np.inf
    # Polynomials are right anywhere.
    np.testing.assert_allclose(
        special.hyp2f1(-2.0, 1.0, np.array([3.0, -3.0]), np.array([5.0, 0.5])), [11 / 6, 17 / 12]
    )


def test_hypergeometric_functions_are_differentiable_by_their_parameters():
    points = tuple(np.array(v) for v in (0.7, 1.5, 2.2, 0.6))
    check_grads(special.hyp2f1, points, order=1)
    with mp.workdps(30):
        by_b = float(mp.diff(lambda b: mp.hyp1f1(0.7, b, -3), 1.5))
    assert abs(float(grad(special.hyp1f1, argnums=1)(0.7, 1.5, -3.0)) - by_b) < 1e-12


# Bessel functions and spherical harmonics.


def test_bessel_functions_of_any_size_whatever_n_iter():
    z = np.array([0.0, 1e-6, 0.7, -3.0, 40.0, 900.0])
    got = np.asarray(special.bessel_jn(z, v=6, n_iter=4))
    assert got.shape == (7, 6)
    expected = np.stack([scipy.special.jv(n, z) for n in range(7)])
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("v", [0, 1, 5, 20])
def test_bessel_functions_of_large_numbers_keep_their_phase(v):
    edges = [25.0, np.nextafter(25.0, 0), 400.0, np.nextafter(400.0, 0), -430.0, 99999.9]
    z = np.array([*edges, 1e5, -1e6, 1e8 + 0.7, 1e12, -1e16, 1e20])
    values, slopes = jvp(lambda z: special.bessel_jn(z, v=v), (z,), (np.ones_like(z),))
    orders = sorted({0, v // 2, v})
    with mp.workdps(40):
        exact, exact_slopes = [], []
        for n in orders:
            less, same, more = (
                [mp.besselj(k, mp.mpf(x)) for x in z.tolist()] for k in (n - 1, n, n + 1)
            )
            exact.append(same)
            exact_slopes.append([(p - q) / 2 for p, q in zip(less, more, strict=True)])
    # Relative to the amplitude of the oscillation.
    amplitude = np.sqrt(2 / (np.pi * np.abs(z)))
    rows = np.array(orders)
    for got, wanted in [(values, exact), (slopes, exact_slopes)]:
        error = np.abs(np.asarray(got)[rows] - np.array(wanted, float)) / amplitude
        assert np.max(error) < 2e-14


def test_bessel_functions_of_the_largest_numbers_are_finite_and_of_infinite_ones_0():
    largest = np.array([1e300, np.finfo(np.float64).max])
    values = np.asarray(special.bessel_jn(largest, v=3))
    assert np.all(np.abs(values) <= np.sqrt(2 / np.pi) / np.sqrt(largest))
    # 10^22 is exact in double precision, and its cosine and sine are well known.
    sine, cosine = -0.8522008497671888, 0.5232147853951389
    expected = (cosine + sine) / np.sqrt(np.pi * 1e22)
    np.testing.assert_allclose(special.bessel_jn(1e22, v=0)[0], expected, rtol=1e-15)
    single = np.array([1e5, -1e8, np.inf, -np.inf, np.nan], np.float32)
    expected = np.stack([scipy.special.jv(n, single.astype(np.float64)) for n in range(3)])
    expected[:, 2:4] = 0.0
    np.testing.assert_allclose(special.bessel_jn(single, v=2), expected, rtol=1e-6)


def test_bessel_functions_of_tiny_numbers_are_their_first_terms():
    z = np.array([1e-9, -0.9e-9, 1e-150, 1e-300])
    expected = [np.ones(4), z / 2, z * z / 8]
    np.testing.assert_allclose(special.bessel_jn(z, v=2), expected, rtol=1e-15)


def test_bessel_functions_have_the_precision_of_the_recurrence_not_of_the_step():
    z = np.linspace(0.1, 24.9, 60)
    with mp.workdps(30):
        exact = np.array([float(mp.besselj(5, mp.mpf(x))) for x in z.tolist()])
    assert np.max(np.abs(special.bessel_jn(z, v=5)[5] - exact)) < 3e-16


def test_harmonics_of_high_degree_and_at_the_poles():
    n, m = np.array([60, 200, 3, 5]), np.array([-30, 150, 0, 1])
    theta, phi = np.array([2.2, 1.0, 0.0, np.pi]), np.array([0.5, 2.0, 1.0, 0.0])
    np.testing.assert_allclose(
        special.sph_harm_y(n, m, theta, phi), scipy.special.sph_harm_y(n, m, theta, phi),
        rtol=1e-11, atol=1e-15,
    )  # fmt: skip
    clipped = special.sph_harm_y(np.array([10]), np.array([2]), theta[:1], phi[:1], n_max=6)
    np.testing.assert_allclose(clipped, scipy.special.sph_harm_y(6, 2, theta[:1], phi[:1]))


def test_the_derivative_of_harmonics_is_right_at_the_pole():
    _, slope = jvp(
        lambda theta: special.sph_harm_y(2, 1, theta, 0.0), (np.float64(0.0),), (np.float64(1.0),)
    )
    np.testing.assert_allclose(slope, -np.sqrt(15 / (8 * np.pi)))


# Derivatives at edges.


@pytest.mark.parametrize(
    ("function", "x", "slope"),
    [
        (special.dawsn, 0.0, 1.0),
        (special.dawsn, 1e9, -0.5e-18),
        (special.spence, 1.0, -1.0),
        (lambda x: special.sici(x)[0], 0.0, 1.0),
        (lambda x: special.fresnel(x)[1], 0.0, 1.0),
        (special.erfcx, 0.0, -2 / np.sqrt(np.pi)),
        (lambda x: special.expn(4, x), 0.0, -0.5),
        (lambda h: special.owens_t(h, 1.0), 0.0, 0.0),
        (lambda x: special.hyp1f1(1.0, 2.0, x), 0.0, 0.5),
        (lambda x: special.hyp2f1(1.0, 2.0, 4.0, x), 0.0, 0.5),
        (lambda z: special.bessel_jn(z, v=1)[1], 0.0, 0.5),
    ],
)
def test_derivatives_at_edges(function, x, slope):
    np.testing.assert_allclose(float(grad(function)(x)), slope, rtol=1e-14)
    assert np.isfinite(float(grad(grad(function))(x)))


# Dtypes and errors.

REAL = [special.exp1, special.expi, special.dawsn, special.spence, special.erfcx]


@pytest.mark.parametrize("function", REAL)
def test_dtypes(function):
    assert function(np.float16([0.5])).dtype == np.float16
    assert function(np.float32([0.5])).dtype == np.float32
    assert function(np.arange(2)).dtype == np.float64
    assert function(1.0).dtype == np.float64
    with enable_x64(False):
        assert function(np.float32([0.5])).dtype == np.float32
        assert jit(function)(0.5).dtype == np.float32
        assert vmap(jit(grad(function)))(np.float32([0.5, 2.0])).dtype == np.float32


def test_hypergeometric_functions_without_64_bit_arrays():
    with enable_x64(False):
        x = np.float32([0.25, 0.75])
        got = vmap(jit(lambda x: special.hyp2f1(1.0, 1.0, 2.0, x)))(x)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, -np.log1p(-x) / x, rtol=2e-7)
        by_a = grad(special.hyp1f1)(np.float32(1.0), 1.0, 0.5)
    exact = mp.diff(lambda a: mp.hyp1f1(a, 1, 0.5), 1)
    np.testing.assert_allclose(by_a, float(exact), rtol=2e-7)


def test_complex_results_have_the_operands_precision():
    assert special.wofz(np.float32([1])).dtype == np.complex64
    assert special.wofz(1.0).dtype == np.complex128
    assert special.erfcx(np.complex64([1j])).dtype == np.complex64
    single = special.sph_harm_y(1, 0, np.float32(0.5), np.float32(0.5))
    assert single.dtype == np.complex64


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: special.exp1(1j), ValueError, "exp1 does not support complex"),
        (lambda: special.expn(1, 1j), ValueError, "expn does not support complex"),
        (lambda: special.fresnel(1j), NotImplementedError, "fresnel does not support complex"),
        (lambda: special.spence(1j), TypeError, "spence does not support complex"),
        (lambda: special.hyp1f1(1j, 2, 3), ValueError, "hyp1f1 does not support complex"),
        (lambda: special.bessel_jn(1, v=2), ValueError, "z must hold floats"),
        (lambda: special.bessel_jn(1.0, v=2.0), TypeError, "integer"),
        (lambda: special.bessel_jn(1.0, v=-1), ValueError, "v must not be negative, got -1"),
        (lambda: special.sph_harm_y(1.5, 0, 0.1, 0.1), TypeError, "n must hold integers"),
        (
            lambda: special.sph_harm_y(1, 0, 0.1, 0.1, diff_n=1),
            NotImplementedError,
            "'diff_n' argument",
        ),
    ],
)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
