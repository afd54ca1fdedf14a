"""Whether samples follow their distributions: every one, generator, form of key and float dtype.

Seeds are fixed. A right sampler fails one of these tests with a chance of one in a million for
a seed, so a failure says that the sampler is wrong, not that luck was bad.
"""

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_core import errors, jit
from jx_core.config import enable_x64
from jx_numpy import random

stats = pytest.importorskip("scipy.stats")  # an oracle, which jx-numpy does not require
special = pytest.importorskip("scipy.special")

N = 3000
LEVEL = 1e-6
IMPLS = ["threefry2x32", "rbg", "unsafe_rbg"]
ALPHA = (0.7, 2.0, 3.0)
P = np.array([0.1, 0.2, 0.3, 0.4])

# name: (the samples of a key, a shape and a dtype; the distribution)
CONTINUOUS = {
    "uniform": (lambda k, s, d: random.uniform(k, s, d, -1.0, 3.0), stats.uniform(-1, 4)),
    "normal": (random.normal, stats.norm()),
    "exponential": (random.exponential, stats.expon()),
    "gumbel": (random.gumbel, stats.gumbel_r()),
    "gumbel, high": (lambda k, s, d: random.gumbel(k, s, d, mode="high"), stats.gumbel_r()),
    "laplace": (random.laplace, stats.laplace()),
    "logistic": (random.logistic, stats.logistic()),
    "cauchy": (random.cauchy, stats.cauchy()),
    "maxwell": (random.maxwell, stats.maxwell()),
    "rayleigh": (lambda k, s, d: random.rayleigh(k, 1.5, s, d), stats.rayleigh(scale=1.5)),
    "pareto": (lambda k, s, d: random.pareto(k, 2.5, s, d), stats.pareto(2.5)),
    "weibull_min": (
        lambda k, s, d: random.weibull_min(k, 2.0, 0.8, s, d), stats.weibull_min(0.8, scale=2.0)),
    "triangular": (
        lambda k, s, d: random.triangular(k, -1.0, 0.5, 2.0, s, d), stats.triang(0.5, -1, 3)),
    "wald": (lambda k, s, d: random.wald(k, 1.2, s, d), stats.invgauss(1.2)),
    "lognormal": (lambda k, s, d: random.lognormal(k, 0.7, s, d), stats.lognorm(0.7)),
    "truncated_normal": (
        lambda k, s, d: random.truncated_normal(k, -1.0, 2.0, s, d), stats.truncnorm(-1, 2)),
    "truncated_normal, tail": (
        lambda k, s, d: random.truncated_normal(k, 2.0, 3.0, s, d), stats.truncnorm(2, 3)),
    "gamma, small": (lambda k, s, d: random.gamma(k, 0.6, s, d), stats.gamma(0.6)),
    "gamma": (lambda k, s, d: random.gamma(k, 4.5, s, d), stats.gamma(4.5)),
    "loggamma": (lambda k, s, d: random.loggamma(k, 0.4, s, d), stats.loggamma(0.4)),
    "beta": (lambda k, s, d: random.beta(k, 0.7, 2.0, s, d), stats.beta(0.7, 2.0)),
    "chisquare": (lambda k, s, d: random.chisquare(k, 3.0, s, d), stats.chi2(3)),
    "f": (lambda k, s, d: random.f(k, 3.0, 5.0, s, d), stats.f(3, 5)),
    "t": (lambda k, s, d: random.t(k, 4.0, s, d), stats.t(4)),
    "generalized_normal": (
        lambda k, s, d: random.generalized_normal(k, 1.5, s, d), stats.gennorm(1.5)),
    "dirichlet": (
        lambda k, s, d: random.dirichlet(k, np.array(ALPHA, d), s, d)[:, 0], stats.beta(0.7, 5)),
    "ball": (
        lambda k, s, d: random.ball(k, 3, shape=s, dtype=d)[:, 0], stats.beta(2, 2, -1, 2)),
    "multivariate_normal": (
        lambda k, s, d: random.multivariate_normal(
            k, np.array([1, -2], d), np.array([[4, 1], [1, 2]], d), s, d)[:, 0],
        stats.norm(1, 2)),
}  # fmt: skip

DISCRETE = {
    "bernoulli": (lambda k, s: random.bernoulli(k, 0.3, s), stats.bernoulli(0.3)),
    "bernoulli, high": (
        lambda k, s: random.bernoulli(k, 0.3, s, mode="high"), stats.bernoulli(0.3)),
    "rademacher": (lambda k, s: (random.rademacher(k, s) + 1) // 2, stats.bernoulli(0.5)),
    "randint": (lambda k, s: random.randint(k, s, -2, 5), stats.randint(-2, 5)),
    "randint, int8": (
        lambda k, s: random.randint(k, s, -100, 100, "int8"), stats.randint(-100, 100)),
    "bits": (lambda k, s: random.bits(k, s, "uint8"), stats.randint(0, 256)),
    "geometric": (lambda k, s: random.geometric(k, 0.3, s), stats.geom(0.3)),
    "poisson, small": (lambda k, s: random.poisson(k, 2.5, s), stats.poisson(2.5)),
    "poisson": (lambda k, s: random.poisson(k, 60.0, s), stats.poisson(60)),
    "binomial, small": (lambda k, s: random.binomial(k, 12, 0.3, s), stats.binom(12, 0.3)),
    "binomial": (lambda k, s: random.binomial(k, 300, 0.7, s), stats.binom(300, 0.7)),
    "multinomial": (
        lambda k, s: random.multinomial(k, 20, P.astype("float32"), shape=(*s, 4))[:, 1],
        stats.binom(20, 0.2)),
    "categorical": (
        lambda k, s: random.categorical(k, jnp.log(P), shape=s),
        stats.rv_discrete(values=(range(4), P))),
    "choice": (lambda k, s: random.choice(k, 4, s, p=P), stats.rv_discrete(values=(range(4), P))),
    "choice, uniform": (lambda k, s: random.choice(k, 7, s), stats.randint(0, 7)),
    "permutation": (
        lambda k, s: random.permutation(
            k, jnp.broadcast_to(jnp.arange(5), (*s, 5)), axis=1, independent=True)[:, 0],
        stats.randint(0, 5)),
}  # fmt: skip


def keys_of(impl):
    """A key of a generator."""
    return random.key(2024, impl=impl)


def check_continuous(samples, distribution):
    assert np.all(np.isfinite(samples))
    assert stats.kstest(samples, distribution.cdf).pvalue > LEVEL
    if np.isfinite(distribution.moment(4)):
        mean, variance = distribution.stats("mv")
        error = np.sqrt(variance / samples.size)
        assert abs(samples.mean() - mean) < 6 * error
        kurtosis = float(distribution.stats("k"))
        spread = variance * np.sqrt(max(kurtosis + 2, 0.1) / samples.size)
        assert abs(samples.var() - variance) < 8 * spread


def check_discrete(samples, distribution):
    assert np.all(samples == np.round(samples))
    low, high = distribution.ppf(1e-9), distribution.ppf(1 - 1e-9)
    assert samples.min() >= min(low, distribution.support()[0] if low < 0 else low)
    assert samples.max() <= high
    edges = np.unique(distribution.ppf(np.linspace(0.02, 0.98, 25)))
    edges = edges[distribution.cdf(edges) < 0.99]
    expected = np.diff([0.0, *distribution.cdf(edges), 1.0]) * samples.size
    observed = np.bincount(np.searchsorted(edges, samples), minlength=len(edges) + 1)
    assert stats.chisquare(observed, expected).pvalue > LEVEL


@pytest.mark.parametrize("impl", IMPLS)
@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name, impl):
    draw, distribution = CONTINUOUS[name]
    count = 500 if impl == "unsafe_rbg" else N  # it splits keys one by one, slowly in NumPy
    samples = draw(keys_of(impl), (count,), np.float32)
    assert (samples.shape, samples.dtype) == ((count,), np.float32)
    check_continuous(np.asarray(samples, np.float64), distribution)


@pytest.mark.parametrize("impl", IMPLS)
@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name, impl):
    draw, distribution = DISCRETE[name]
    samples = draw(keys_of(impl), (N,))
    assert samples.shape == (N,)
    check_discrete(np.asarray(samples).astype(np.float64), distribution)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_float64(name):
    draw, distribution = CONTINUOUS[name]
    with enable_x64(True):
        samples = draw(random.key(5), (N,), np.float64)
        assert samples.dtype == np.float64
        check_continuous(np.asarray(samples), distribution)


# A matrix in 16 bits is not factorised; and erf, of which tails are made, is a few steps there.
NOT_IN_16_BITS = {"multivariate_normal", "truncated_normal, tail"}


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", sorted({*CONTINUOUS} - NOT_IN_16_BITS))
def test_16_bit_floats(name, dtype):
    """Their few values make steps, so the distance to the distribution is bounded, not tested."""
    draw, distribution = CONTINUOUS[name]
    samples = draw(random.key(6), (N,), jnp.dtype(dtype))
    assert samples.dtype == dtype
    values = np.asarray(samples).astype(np.float64)
    assert not np.any(np.isnan(values))
    assert stats.kstest(values, distribution.cdf).statistic < 0.05


@pytest.mark.parametrize("impl", IMPLS)
def test_raw_keys_give_what_typed_ones_give(impl):
    typed = random.key(3, impl=impl)
    raw = random.key_data(typed)
    if impl == "threefry2x32":
        for name, (draw, _) in CONTINUOUS.items():
            np.testing.assert_array_equal(
                draw(raw, (5,), np.float32), draw(typed, (5,), np.float32), err_msg=name
            )
    again = random.wrap_key_data(raw, impl=impl)
    np.testing.assert_array_equal(random.normal(again, (5,)), random.normal(typed, (5,)))


def test_double_sided_maxwell():
    x = np.asarray(random.double_sided_maxwell(random.key(1), 0.5, 2.0, (N,)), np.float64)
    assert stats.kstest(((x - 0.5) / 2) ** 2, stats.chi2(3).cdf).pvalue > LEVEL
    assert stats.binomtest(int((x > 0.5).sum()), N).pvalue > LEVEL
    loc, scale = np.float32([[0], [1]]), np.float32([1, 2, 3])
    assert random.double_sided_maxwell(random.key(1), loc, scale, (4,)).shape == (4, 2, 3)


def test_complex_normal():
    z = np.asarray(random.normal(random.key(1), (N,), np.complex64))
    for part in (z.real, z.imag):
        assert stats.kstest(part, stats.norm(scale=np.sqrt(0.5)).cdf).pvalue > LEVEL
    assert abs(np.corrcoef(z.real, z.imag)[0, 1]) < 5 / np.sqrt(N)


def test_orthogonal_matrices_are_uniform():
    q = np.asarray(random.orthogonal(random.key(1), 3, (N,)), np.float64)
    # The square of a coordinate of a uniform direction in three dimensions is beta(1/2, 1).
    assert stats.kstest(q[:, 0, 0] ** 2, stats.beta(0.5, 1).cdf).pvalue > LEVEL
    assert stats.binomtest(int((np.linalg.det(q) > 0).sum()), N).pvalue > LEVEL


@pytest.mark.parametrize("impl", IMPLS)
def test_keys_of_keys_are_independent(impl):
    keys = random.split(random.key(0, impl=impl), 40)
    rows = np.stack([np.asarray(random.normal(keys[i], (200,))) for i in range(40)])
    apart = np.corrcoef(rows)[np.triu_indices(40, 1)]
    assert np.abs(apart).max() < 6 / np.sqrt(200)
    folded = [random.fold_in(random.key(0, impl=impl), i) for i in range(20)]
    firsts = {int(random.bits(k)) for k in folded}
    assert len(firsts) == 20


# --- edges ---


def test_empty_shapes():
    key = random.key(0)
    for name, (draw, _) in CONTINUOUS.items():
        assert draw(key, (0,), np.float32).shape == (0,), name
    for name, (draw, _) in DISCRETE.items():
        assert draw(key, (0,)).shape == (0,), name


def test_probabilities_of_0_and_1():
    key = random.key(0)
    assert not np.any(random.bernoulli(key, 0.0, (99,))) and np.all(
        random.bernoulli(key, 1.0, (99,))
    )
    assert np.all(np.asarray(random.geometric(key, 1.0, (99,))) == 1)
    assert np.all(np.asarray(random.binomial(key, 9, 0.0, (99,))) == 0)
    assert np.all(np.asarray(random.binomial(key, 9, 1.0, (99,))) == 9)
    assert np.all(np.asarray(random.binomial(key, 0, 0.5, (99,))) == 0)
    assert np.all(np.asarray(random.choice(key, 3, (99,), p=np.array([0.0, 1.0, 0.0]))) == 1)
    logits = np.array([-np.inf, 0.0, -np.inf], np.float32)
    assert np.all(np.asarray(random.categorical(key, logits, shape=(99,))) == 1)


def test_large_means():
    counts = np.asarray(random.poisson(random.key(0), 1e5, (N,)), np.float64)
    assert abs(counts.mean() - 1e5) < 6 * np.sqrt(1e5 / N)
    assert abs(counts.std() / np.sqrt(1e5) - 1) < 0.1
    big = np.asarray(random.binomial(random.key(0), 1e6, 0.5, (N,)), np.float64)
    assert abs(big.mean() - 5e5) < 6 * np.sqrt(2.5e5 / N)


def test_extreme_shapes_of_gammas():
    key = random.key(0)
    tiny = np.asarray(random.loggamma(key, 1e-3, (N,)), np.float64)
    assert np.all(np.isfinite(tiny)) and abs(tiny.mean() / special.digamma(1e-3) - 1) < 0.15
    assert np.all(np.asarray(random.gamma(key, 0.0, (9,))) == 0)
    large = np.asarray(random.gamma(key, 1e6, (N,)), np.float64)
    assert abs(large.mean() - 1e6) < 6 * np.sqrt(1e6 / N)
    shares = np.asarray(random.dirichlet(key, np.full(3, 1e-3, np.float32), (50,)))
    assert np.all(np.isfinite(shares))
    np.testing.assert_allclose(shares.sum(-1), 1, rtol=1e-5)


def test_bad_arguments():
    key = random.key(0)
    with pytest.raises(ValueError):
        random.gamma(key, np.ones(3, np.float32), (2,))
    with pytest.raises(ValueError):
        random.dirichlet(key, 1.0)
    with pytest.raises((TypeError, ValueError)):
        random.poisson(key, 1.0, dtype=np.float32)
    with pytest.raises(ValueError):
        random.normal(key, (3,), np.int32)
    with pytest.raises(errors.ShapeError):
        random.uniform(random.split(key), (3,))


# --- gradients through samples ---

PATHS = {
    "gamma": (lambda k, a: random.gamma(k, a), stats.gamma),
    "loggamma": (lambda k, a: random.loggamma(k, a), stats.loggamma),
    "chisquare": (lambda k, a: random.chisquare(k, a), stats.chi2),
}


@pytest.mark.parametrize("a", [0.3, 1.0, 2.5, 30.0])
@pytest.mark.parametrize("name", ["gamma", "loggamma", "chisquare"])
def test_implicit_gradients(name, a):
    """dx/da = -(dF/da) / (dF/dx) at a sample x with distribution function F(x; a).

    M. Figurnov, S. Mohamed, A. Mnih, "Implicit reparameterization gradients", 2018.
    """
    draw, family = PATHS[name]
    with enable_x64(True):
        for seed in range(4):
            key = random.key(seed)
            x = float(draw(key, jnp.asarray(a)))
            slope = float(grad(lambda v, k=key: draw(k, v))(jnp.asarray(a)))
            h = 1e-5 * a
            below = (family(a + h).cdf(x) - family(a - h).cdf(x)) / (2 * h)
            assert slope == pytest.approx(-below / family(a).pdf(x), rel=2e-4)
            traced = float(jit(grad(lambda v, k=key: draw(k, v)))(jnp.asarray(a)))
            assert traced == pytest.approx(slope, rel=1e-9)


SMOOTH = {
    "normal": lambda k, a: a * random.normal(k, (3,), a.dtype),
    "uniform": lambda k, a: random.uniform(k, (3,), a.dtype, -a, a),
    "rayleigh": lambda k, a: random.rayleigh(k, a, (3,)),
    "pareto": lambda k, a: random.pareto(k, a, (3,)),
    "lognormal": lambda k, a: random.lognormal(k, a, (3,)),
    "weibull_min": lambda k, a: random.weibull_min(k, a, 2 * a, (3,), a.dtype),
    "truncated_normal": lambda k, a: random.truncated_normal(k, -a, 2 * a, (3,)),
    "triangular": lambda k, a: random.triangular(k, -a, 0.3, 2 * a, (3,)),
    "wald": lambda k, a: random.wald(k, a, (3,)),
    "multivariate_normal": lambda k, a: random.multivariate_normal(
        k, a * jnp.ones(2), a * jnp.eye(2) + 0.5),
}  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_pathwise_gradients_are_finite_differences(name):
    draw, key, h = SMOOTH[name], random.key(4), 1e-6
    with enable_x64(True):
        total = lambda v: draw(key, v).sum()  # noqa: E731
        slope = float(grad(total)(jnp.asarray(1.3)))
        difference = (float(total(jnp.asarray(1.3 + h))) - float(total(jnp.asarray(1.3 - h)))) / (
            2 * h
        )
        assert slope == pytest.approx(difference, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("name, mean, slope", [
    ("beta", lambda k, a: random.beta(k, a, 2.0, (20000,)), lambda a: 2 / (a + 2) ** 2),
    ("dirichlet", lambda k, a: random.dirichlet(k, jnp.stack([a, jnp.float32(2)]), (20000,))[:, 0],
     lambda a: 2 / (a + 2) ** 2),
    ("t", lambda k, a: jnp.abs(random.t(k, a, (20000,))), None),
])  # fmt: skip
def test_gradients_of_means(name, mean, slope):
    a = 5.0
    got = float(grad(lambda v: mean(random.key(8), v).mean())(jnp.float32(a)))
    if slope is None:
        h = 1e-4
        means = [stats.t(v).expect(np.abs, lb=-np.inf, ub=np.inf) for v in (a + h, a - h)]
        assert got == pytest.approx((means[0] - means[1]) / (2 * h), abs=0.01)
    else:
        assert got == pytest.approx(slope(a), rel=0.1)
