"""`jx_numpy.scipy.stats` at the edges: ends of supports, far tails, dtypes, errors, estimates."""

from __future__ import annotations

import doctest
import inspect
import math

import mpmath
import numpy as np
import pytest
from scipy import stats as oracle

import jx_numpy as jnp
from jx_ad import grad
from jx_core import jit, tree
from jx_core.config import enable_x64
from jx_core.errors import ShapeError
from jx_numpy import random
from jx_numpy import scipy as jx_scipy
from jx_numpy.scipy import stats

INF = math.inf
LINE = np.array([-INF, -800.0, -40.0, -1.0, 0.0, 1e-300, 1e-20, 0.5, 1.0, 2.0, 40.0, 800.0, INF])
COUNTS = np.array([-3, -1, 0, 1, 2, 3, 4, 40, 1000])
CHANCES = np.array([-0.1, 0.0, 1e-300, 1e-20, 0.25, 0.5, 0.75, 1.0, 1.1, math.nan])
CONTINUOUS = {
    "beta": (0.5, 3.0), "cauchy": (), "chi2": (3.0,), "expon": (), "gamma": (2.5,),
    "gennorm": (1.5,), "gumbel_l": (), "gumbel_r": (), "laplace": (), "logistic": (), "norm": (),
    "pareto": (2.5,), "t": (3.0,), "truncnorm": (-1.0, 2.0), "uniform": (), "wrapcauchy": (0.5,),
}  # fmt: skip
DISCRETE = {
    "bernoulli": (0.3,), "betabinom": (3, 0.5, 2.0), "binom": (3, 0.4), "geom": (0.4,),
    "nbinom": (2.0, 0.4), "poisson": (2.5,),
}  # fmt: skip


@pytest.fixture(autouse=True)
def double():
    with enable_x64(True):
        yield


def kinds(names, *wanted):
    found = [(n, k) for n in names for k in getattr(stats, n).__all__ if k in wanted]
    return pytest.mark.parametrize(("name", "kind"), found)


def both(name, kind, x, *shape):
    """What jx gives and what SciPy gives."""
    with np.errstate(all="ignore"):
        want = getattr(getattr(oracle, name), kind)(x, *shape)
    return np.asarray(getattr(getattr(stats, name), kind)(x, *shape)), want


# Ends of supports.


@kinds(CONTINUOUS, "pdf", "logpdf", "cdf", "logcdf", "sf", "logsf")
def test_everywhere_on_the_line_as_in_scipy(name, kind):
    got, want = both(name, kind, LINE, *CONTINUOUS[name])
    if kind in ("pdf", "logpdf"):  # where SciPy subtracts infinities
        want = np.where(np.isnan(want), -INF if kind == "logpdf" else 0.0, want)
    # And where a probability underflows before SciPy takes its logarithm.
    want = np.where((want == -INF) & (got < -700), got, want)
    np.testing.assert_allclose(got, want, rtol=1e-10)


@kinds(DISCRETE, "pmf", "logpmf", "cdf")
def test_all_counts_as_in_scipy(name, kind):
    got, want = both(name, kind, COUNTS, *DISCRETE[name])
    np.testing.assert_allclose(got, want, rtol=1e-10)


@kinds(CONTINUOUS, "ppf", "isf")
def test_quantiles_end_where_the_support_does(name, kind):
    got, want = both(name, kind, CHANCES, *CONTINUOUS[name])
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-15)


@kinds(CONTINUOUS, "pdf", "logpdf", "cdf", "logcdf", "sf", "logsf")
def test_a_scale_that_is_not_positive_gives_nan(name, kind):
    function = getattr(getattr(stats, name), kind)
    if "scale" in inspect.signature(function).parameters:
        got = function(LINE, *CONTINUOUS[name], scale=np.array([[0.0], [-1.0]]))
        assert np.isnan(np.asarray(got)).all()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("beta", (-1.0, 1.0)), ("beta", (1.0, 0.0)), ("chi2", (-1.0,)), ("gamma", (0.0,)),
        ("pareto", (-2.0,)), ("t", (-1.0,)), ("gennorm", (-1.0,)), ("truncnorm", (1.0, 1.0)),
        ("wrapcauchy", (1.0,)), ("vonmises", (-1.0,)),
    ],
)  # fmt: skip
def test_a_shape_out_of_its_domain_gives_nan(name, shape):
    x = np.array([-1.0, 0.5, 2.0]) if name != "wrapcauchy" else np.array([0.5, 2.0])
    assert np.isnan(np.asarray(getattr(stats, name).logpdf(x, *shape))).all()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("bernoulli", (1.5,)), ("binom", (3, -0.5)), ("binom", (-3, 0.5)), ("nbinom", (-1.0, 0.5)),
        ("betabinom", (3, 0.0, 1.0)), ("geom", (2.0,)), ("poisson", (-1.0,)),
    ],
)  # fmt: skip
def test_a_parameter_of_counts_out_of_its_domain_gives_nan(name, shape):
    assert np.isnan(np.asarray(getattr(stats, name).logpmf(COUNTS, *shape))).all()


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certain_events(p):
    got = stats.bernoulli.logpmf(np.array([0, 1]), p)
    np.testing.assert_array_equal(got, [0.0, -INF] if p == 0 else [-INF, 0.0])
    got = stats.binom.pmf(np.array([0, 1, 4]), 4, p)
    np.testing.assert_allclose(got, [1.0, 0.0, 0.0] if p == 0 else [0.0, 0.0, 1.0], rtol=1e-15)


def test_poisson_of_mean_0_is_0():
    np.testing.assert_array_equal(stats.poisson.pmf(np.array([0, 1]), 0.0), [1.0, 0.0])
    assert float(stats.poisson.entropy(0.0)) == 0.0


def test_student_of_infinite_freedom_is_normal():
    x = np.array([-2.0, 0.0, 1e3])
    np.testing.assert_array_equal(stats.t.logpdf(x, INF), stats.norm.logpdf(x))


# Far tails, against mpmath.


def exactly(function, *args):
    with mpmath.workdps(60):
        return float(function(*map(mpmath.mpf, args)))


@pytest.mark.parametrize("x", [40.0, 1e3, 1e8])
def test_normal_tail(x):
    want = exactly(lambda x: mpmath.log(mpmath.erfc(x / mpmath.sqrt(2)) / 2), x)
    assert float(stats.norm.logsf(x)) == pytest.approx(want, rel=1e-14)
    assert float(stats.norm.logcdf(-x)) == pytest.approx(want, rel=1e-14)


@pytest.mark.parametrize(("x", "a"), [(1e3, 0.5), (1e3, 2.0), (5e3, 1e3), (800.0, 1.0)])
def test_upper_gamma_tail(x, a):
    want = exactly(lambda x, a: mpmath.log(mpmath.gammainc(a, x, regularized=True)), x, a)
    assert float(stats.gamma.logsf(x, a)) == pytest.approx(want, rel=1e-13)
    assert float(stats.chi2.logsf(2 * x, 2 * a)) == pytest.approx(want, rel=1e-13)
    with enable_x64(False):
        got = stats.gamma.logsf(np.float32(x), np.float32(a))
        assert float(got) == pytest.approx(want, rel=2e-6)


@pytest.mark.parametrize(("x", "a"), [(1e-200, 2.0), (1e-3, 150.0), (300.0, 1e3)])
def test_lower_gamma_tail(x, a):
    want = exactly(lambda x, a: mpmath.log(mpmath.gammainc(a, 0, x, regularized=True)), x, a)
    assert float(stats.gamma.logcdf(x, a)) == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize(
    ("x", "a", "b"), [(1e-200, 2.0, 3.0), (1e-4, 90.0, 5.0), (0.2, 800.0, 900.0)]
)
def test_beta_tail(x, a, b):
    want = exactly(
        lambda x, a, b: mpmath.log(mpmath.betainc(a, b, 0, x, regularized=True)), x, a, b
    )
    assert float(stats.beta.logcdf(x, a, b)) == pytest.approx(want, rel=1e-13)


def test_beta_complement_near_0():
    want = exactly(lambda x: mpmath.log1p(-mpmath.betainc(2, 3, 0, x, regularized=True)), 1e-20)
    assert float(stats.beta.logsf(1e-20, 2.0, 3.0)) == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize(
    ("x", "a", "b"),
    [(30.5, 30.0, 40.0), (-30.5, -40.0, -30.0), (60.0, 30.0, INF), (0.1, -1.0, 50.0)],
)
def test_normal_distributions_truncated_far_from_the_mode(x, a, b):
    def below(x, a, b):
        return mpmath.log((cdf(x) - cdf(a)) / (cdf(b) - cdf(a)))

    def cdf(z):
        return mpmath.mpf(1) if z == mpmath.inf else mpmath.erfc(-z / mpmath.sqrt(2)) / 2

    with mpmath.workdps(900):
        want = float(below(*map(mpmath.mpf, (x, a, b))))
    assert float(stats.truncnorm.logcdf(x, a, b)) == pytest.approx(want, rel=1e-11, abs=1e-300)
    assert float(stats.truncnorm.logsf(-x, -b, -a)) == pytest.approx(want, rel=1e-11, abs=1e-300)


def test_tails_of_extremes_and_of_cauchy():
    assert float(stats.gumbel_r.logsf(2000.0)) == -2000.0
    assert float(stats.gumbel_l.logcdf(-2000.0)) == -2000.0
    assert float(stats.cauchy.sf(1e200)) == pytest.approx(1e-200 / math.pi)
    assert float(stats.cauchy.isf(1e-200)) == pytest.approx(1e200 / math.pi)


# Derivatives.


@pytest.mark.parametrize(
    "name", ["cauchy", "expon", "gumbel_l", "gumbel_r", "laplace", "logistic", "norm", "pareto"]
)
@pytest.mark.parametrize("x", [-1e4, -800.0, -1.0, 0.0, 1.0, 800.0, 1e4])
def test_derivatives_are_never_nan(name, x):
    module = getattr(stats, name)
    for kind in module.__all__:
        if kind not in ("ppf", "isf"):
            function = getattr(module, kind)
            slopes = [grad(function, i)(x, *CONTINUOUS[name], 0.0, 1.0) for i in range(3)]
            assert not any(np.isnan(slopes)), kind


@kinds(("expon", "gamma", "pareto", "uniform", "truncnorm", "beta"), "cdf", "sf")
def test_outside_of_the_support_nothing_changes(name, kind):
    function = getattr(getattr(stats, name), kind)
    shape = CONTINUOUS[name]
    for i in range(1 + len(shape)):
        assert float(grad(function, i)(-3.0, *shape)) == 0.0


def test_derivatives_at_the_middle():
    assert float(grad(stats.logistic.logpdf)(0.0)) == 0.0
    assert float(grad(grad(stats.logistic.logpdf))(0.0)) == -0.5
    assert float(grad(stats.gennorm.cdf)(0.0, 0.5)) == float(stats.gennorm.pdf(0.0, 0.5))
    assert float(grad(grad(stats.gennorm.logpdf))(0.0, 2.0)) == -2.0


def test_derivatives_by_chances_of_certain_events():
    assert float(grad(stats.bernoulli.logpmf, 1)(0.0, 0.0)) == -1.0
    assert float(grad(stats.bernoulli.logpmf, 1)(1.0, 1.0)) == 1.0
    assert float(grad(stats.poisson.logpmf, 1)(0.0, 0.0)) == -1.0


@pytest.mark.parametrize(
    ("mass", "p", "slopes"),
    [
        (lambda k, p: stats.bernoulli.pmf(k, p), 0.0, [-1, 1, 0]),
        (lambda k, p: stats.bernoulli.pmf(k, p), 1.0, [-1, 1, 0]),
        (lambda k, p: stats.binom.pmf(k, 3, p), 0.0, [-3, 3, 0, 0, 0]),
        (lambda k, p: stats.binom.pmf(k, 3, p), 1.0, [0, 0, -3, 3, 0]),
        (lambda k, p: stats.geom.pmf(k, p), 0.0, [0, 1, 1, 1]),
        (lambda k, p: stats.geom.pmf(k, p), 1.0, [0, 1, -1, 0]),
        (lambda k, p: stats.nbinom.pmf(k, 1, p), 0.0, [1, 1, 1]),
        (lambda k, p: stats.nbinom.pmf(k, 2, p), 1.0, [2, -2, 0]),
        (lambda k, p: stats.poisson.pmf(k, p), 0.0, [-1, 1, 0]),
    ],
)
def test_derivatives_by_chances_of_0_and_1(mass, p, slopes):
    """Those of the powers that masses are made of."""
    got = [float(grad(lambda p, k=k: mass(k, p))(p)) for k in range(len(slopes))]
    np.testing.assert_allclose(got, slopes, rtol=1e-5, atol=1e-6)


def test_derivatives_by_chances_of_impossible_categories():
    p = np.float32([0.0, 1.0])
    for counts, slopes in (([0, 2], [0, 2]), ([1, 1], [2, 0]), ([2, 0], [0, 0])):
        counts = np.array(counts)
        got = grad(lambda p, x=counts: stats.multinomial.pmf(x, 2, p))(p)
        np.testing.assert_allclose(got, slopes, rtol=1e-6)


def test_impossible_counts_of_very_many_ways_have_mass_0():
    for p in (0.0, 1.0):
        for mass in (
            lambda p: stats.binom.pmf(3000, 6000, p), lambda p: stats.nbinom.pmf(3000, 3000, p),
        ):  # fmt: skip
            assert float(mass(p)) == float(grad(mass)(p)) == 0.0
    p, half = np.float32([0.0, 1.0]), np.array([3000, 3000])
    assert float(stats.multinomial.pmf(half, 6000, p)) == 0.0
    assert grad(lambda p: stats.multinomial.pmf(half, 6000, p))(p).tolist() == [0.0, 0.0]


def test_an_unknown_count_has_an_unknown_mass_at_chances_of_0_and_1():
    for p in (0.0, 1.0):
        for mass in (stats.bernoulli.pmf, stats.geom.pmf, stats.poisson.pmf):
            assert np.isnan(mass(np.nan, p))


def test_derivatives_of_far_tails_are_hazards():
    hazard = math.exp(stats.gamma.logpdf(1e3, 2.0) - stats.gamma.logsf(1e3, 2.0))
    assert float(grad(stats.gamma.logsf)(1e3, 2.0)) == pytest.approx(-hazard, rel=1e-11)
    hazard = math.exp(stats.beta.logpdf(1e-200, 2.0, 3.0) - stats.beta.logcdf(1e-200, 2.0, 3.0))
    assert float(grad(stats.beta.logcdf)(1e-200, 2.0, 3.0)) == pytest.approx(hazard, rel=1e-11)


# Dtypes and errors.


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, np.float32, np.float64])
def test_results_have_the_dtype_of_the_operands(dtype):
    x = np.array([0.5, 2.0], dtype)
    assert stats.gamma.logpdf(x, x).dtype == dtype
    assert stats.norm.ppf(x / 4, 1, 2).dtype == dtype
    want = oracle.norm.logpdf(x.astype(float), 0.25, 4)
    np.testing.assert_allclose(
        np.asarray(stats.norm.logpdf(x, 0.25, 4), float), want, rtol=float(jnp.finfo(dtype).eps)
    )


def test_integers_are_taken_as_floats():
    assert stats.norm.pdf(0).dtype == np.float64
    assert stats.poisson.pmf(np.arange(3), 2).dtype == np.float64


def test_complex_numbers_are_refused():
    with pytest.raises(ValueError, match=r"norm\.pdf does not.*got dtypes complex64"):
        stats.norm.pdf(np.complex64(1j))


def test_errors_of_vectors():
    with pytest.raises(ShapeError, match="first axis of x must have as many elements as alpha, 3"):
        stats.dirichlet.logpdf(np.ones(5), np.ones(3))
    with pytest.raises(ValueError, match="alpha must be a vector"):
        stats.dirichlet.logpdf(np.ones(5), 1.0)
    with pytest.raises(ValueError, match="must be of integer type"):
        stats.multinomial.logpmf(np.ones(2), 2, np.ones(2) / 2)
    with pytest.raises(ShapeError, match=r"lengths \(3, 3\)"):
        stats.multivariate_normal.logpdf(np.ones(3), np.ones(3), np.eye(2))


def test_dirichlet_is_0_beside_the_simplex():
    x = np.array([[0.5, 0.7, -0.1, 1.0], [0.5, 0.7, 1.1, 0.0]])
    np.testing.assert_array_equal(stats.dirichlet.pdf(x, np.ones(2)), [1.0, 0.0, 0.0, 1.0])


def test_singular_normal_is_0_beside_its_support():
    cov = np.array([[1.0, 2.0], [2.0, 4.0]])
    x = np.array([[1.0, 2.0], [1.0, 1.0]])
    got = stats.multivariate_normal.logpdf(x, np.zeros(2), cov, allow_singular=True)
    want = oracle.multivariate_normal(np.zeros(2), cov, allow_singular=True).logpdf(x)
    np.testing.assert_allclose(got, want)
    assert np.isneginf(np.asarray(got)).tolist() == [False, True]


# Ranks and counts.


@pytest.mark.parametrize("function", [stats.mode, stats.rankdata, stats.sem])
def test_unknown_policies_are_refused(function):
    with pytest.raises(ValueError, match="nan_policy must be 'propagate' or 'omit', got 'drop'"):
        function(np.ones(3), nan_policy="drop")


def test_unknown_methods_of_ranks_are_refused():
    with pytest.raises(ValueError, match="rankdata: method must be one of"):
        stats.rankdata(np.ones(3), "best")


def test_mode_of_booleans_numbers_and_nothing():
    assert np.asarray(stats.mode(np.array([True, False, True])).mode).tolist() is True
    assert [float(x) for x in stats.mode(3.0)] == [3.0, 1.0]
    empty = stats.mode(np.zeros((0, 2)))
    assert np.isnan(np.asarray(empty.mode)).all() and not np.asarray(empty.count).any()
    assert [float(x) for x in stats.mode(np.array([math.nan, 1.0, math.nan]))][1] == 2.0


# Density estimates.

SAMPLES = np.array([[-1.0, 0.3, 2.0, 0.1, -0.4], [0.5, 1.0, -1.0, 3.0, 0.2]])
WEIGHTS = np.array([1.0, 2.0, 0.5, 1.5, 3.0])


@pytest.mark.parametrize("bw_method", [None, "scott", "silverman", 0.3, lambda kde: kde.d * 0.4])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("samples", [SAMPLES, SAMPLES[0]])
def test_density_estimates_are_those_of_scipy(samples, bw_method, weights):
    kde = stats.gaussian_kde(samples, bw_method, weights)
    want = oracle.gaussian_kde(samples, bw_method, weights)
    assert (kde.d, kde.n) == (want.d, want.n)
    np.testing.assert_allclose(kde.neff, want.neff)
    np.testing.assert_allclose(kde.covariance, want.covariance)
    np.testing.assert_allclose(kde.inv_cov, want.inv_cov)
    points = samples[..., :3] * 0.7 + 0.1
    for method in ("evaluate", "__call__", "pdf", "logpdf"):
        np.testing.assert_allclose(
            getattr(kde, method)(points), getattr(want, method)(points), rtol=1e-10
        )
    mean, cov = np.ones(kde.d), np.eye(kde.d) * 0.5
    np.testing.assert_allclose(
        kde.integrate_gaussian(mean, cov), want.integrate_gaussian(mean, cov)
    )
    other, want_other = stats.gaussian_kde(samples + 1), oracle.gaussian_kde(samples + 1)
    np.testing.assert_allclose(kde.integrate_kde(other), want.integrate_kde(want_other))
    if kde.d == 1:
        for ends in ((-1.0, 0.7), (-INF, INF), (-INF, 0.2)):
            np.testing.assert_allclose(kde.integrate_box_1d(*ends), want.integrate_box_1d(*ends))
            np.testing.assert_allclose(kde.integrate_box(*ends), want.integrate_box_1d(*ends))


def test_samples_of_an_estimate_have_its_moments():
    kde = stats.gaussian_kde(SAMPLES, weights=WEIGHTS)
    assert kde.resample(random.key(0)).shape == (2,)
    assert kde.resample(random.key(0), (3, 4)).shape == (2, 3, 4)
    drawn = np.asarray(kde.resample(random.key(1), (20_000,)))
    mean = SAMPLES @ (WEIGHTS / WEIGHTS.sum())
    spread = (SAMPLES - mean[:, None]) * np.sqrt(WEIGHTS / WEIGHTS.sum())
    np.testing.assert_allclose(drawn.mean(1), mean, atol=0.05)
    np.testing.assert_allclose(
        np.cov(drawn), spread @ spread.T + np.asarray(kde.covariance), atol=0.1
    )


def test_estimates_are_pytrees_that_can_be_traced():
    kde = stats.gaussian_kde(SAMPLES)
    again = tree.unflatten(tree.structure(kde), tree.leaves(kde))
    np.testing.assert_array_equal(again.pdf(SAMPLES), kde.pdf(SAMPLES))
    got = jit(lambda samples, x: stats.gaussian_kde(samples).logpdf(x))(SAMPLES, SAMPLES)
    np.testing.assert_allclose(got, kde.logpdf(SAMPLES))
    slope = grad(lambda x: stats.gaussian_kde(SAMPLES[0]).logpdf(x)[0])(np.array([1e3]))
    assert np.isfinite(np.asarray(slope)).all()


def test_estimates_refuse_what_does_not_fit():
    kde = stats.gaussian_kde(SAMPLES)
    with pytest.raises(AttributeError, match="can't be changed"):
        kde.weights = WEIGHTS
    for wrong, pattern in [
        (lambda: stats.gaussian_kde(np.ones(1)), "several elements"),
        (
            lambda: stats.gaussian_kde(SAMPLES, weights=np.ones(3)),
            r"weights must have shape \(5,\)",
        ),
        (lambda: stats.gaussian_kde(SAMPLES, "wide"), "bw_method must be"),
        (lambda: kde.pdf(np.ones((3, 2))), "points must have dimension 2"),
        (lambda: kde.integrate_gaussian(np.ones(3), np.eye(2)), r"mean must have shape \(2,\)"),
        (lambda: kde.integrate_box_1d(0.0, 1.0), "got dimension 2"),
        (lambda: kde.integrate_kde(stats.gaussian_kde(SAMPLES[0])), "got 2 and 1"),
    ]:
        with pytest.raises(ValueError, match=pattern):
            wrong()
    for refused in (
        lambda: stats.gaussian_kde(SAMPLES * 1j),
        lambda: kde.set_bandwidth(0.1),
        lambda: kde.integrate_box(np.zeros(2), np.ones(2)),
    ):
        with pytest.raises(NotImplementedError):
            refused()


# Examples.


def documented():
    for name in stats.__all__:
        value = getattr(stats, name)
        if inspect.ismodule(value):
            for kind in value.__all__:
                yield f"{name}.{kind}", getattr(value, kind)
        else:
            yield name, value
    for method in ("evaluate", "pdf", "logpdf", "integrate_gaussian", "integrate_box_1d",
                   "integrate_box", "integrate_kde", "resample"):  # fmt: skip
        yield f"gaussian_kde.{method}", getattr(stats.gaussian_kde, method)


DOCUMENTED = dict(documented())


class Jx:
    """The names that examples use."""

    scipy = jx_scipy
    random = random


@pytest.mark.parametrize("name", DOCUMENTED)
def test_example(name):
    doc = inspect.getdoc(DOCUMENTED[name])
    test = doctest.DocTestParser().get_doctest(doc, {"jx": Jx, "jnp": jnp, "np": np}, name, None, 0)
    assert test.examples, f"{name} has no example"
    messages = []
    with enable_x64(False):
        failed = (
            doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
            .run(test, out=messages.append)
            .failed
        )
    assert not failed, "".join(messages)
