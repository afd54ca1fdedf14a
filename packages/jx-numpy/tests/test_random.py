"""Random numbers: JAX's values for the same keys, the distributions, keys, errors."""

import doctest
import importlib.util
import inspect
import pathlib
import types
import warnings

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_batching import vmap
from jx_core import dtypes, errors, jit, make_jaxpr
from jx_core.config import enable_x64
from jx_numpy import random

_spec = importlib.util.spec_from_file_location(
    "random_records", pathlib.Path(__file__).with_name("random_records.py")
)
recorded = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(recorded)

RECORDS = recorded.records()
CALLS = sorted({r["call"] for r in RECORDS})


def _check(record):
    if "error" in record:
        wanted = {"TypeError": TypeError, "ValueError": ValueError, "OverflowError": OverflowError}
        with pytest.raises(wanted[record["error"]]):
            recorded.replay(record)
        return
    want, got = recorded.expected(record["result"]), recorded.replay(record)
    where = {k: v for k, v in record.items() if k != "result"}
    assert (got.dtype, got.shape) == (want.dtype, want.shape), where
    if not dtypes.issubdtype(want.dtype, np.inexact) or _is_plain_uniform(record):
        np.testing.assert_array_equal(got, want, err_msg=str(where))
        return
    # XLA fuses products and sums, and has its own log and erf_inv; its log1p of 64-bit floats
    # is good to some hundred units in the last place.
    units = 512 if want.dtype.itemsize == 8 else 64
    eps = units * float(dtypes.finfo(want.dtype).eps)
    wide = np.complex128 if want.dtype.kind == "c" else np.float64
    np.testing.assert_allclose(
        got.astype(wide), want.astype(wide), rtol=eps, atol=eps, err_msg=str(where)
    )


def _is_plain_uniform(record):
    return record["call"] == "uniform" and not record.get("kwargs")


@pytest.mark.parametrize("call", CALLS)
def test_values_are_those_of_jax(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # 64-bit dtypes that are narrowed
        for record in RECORDS:
            if record["call"] == call:
                _check(record)


# --- keys ---


def test_typed_and_raw_keys_give_the_same_numbers():
    typed, raw = random.key(7), random.PRNGKey(7)
    np.testing.assert_array_equal(random.normal(typed, (5,)), random.normal(raw, (5,)))
    np.testing.assert_array_equal(random.key_data(random.split(typed)), random.split(raw))
    assert random.split(typed).shape == (2,)
    assert random.split(raw, (3, 2)).shape == (3, 2, 2)
    assert random.fold_in(raw, 1).dtype == np.uint32
    assert random.clone(raw).dtype == np.uint32


def test_key_data_and_back():
    keys = random.split(random.key(3), 4)
    words = random.key_data(keys)
    assert (words.shape, words.dtype) == ((4, 2), np.uint32)
    again = random.wrap_key_data(words)
    assert again.dtype == keys.dtype == random.key_dtype()
    assert bool(jnp.all(again == keys))
    np.testing.assert_array_equal(random.key_data(words), words)
    assert random.key_impl(words) == random.key_impl(keys) == "threefry2x32"


def test_seeds_may_be_arrays_and_traced():
    wanted = np.asarray(random.key_data(random.key(5)))
    for seed in (np.int32(5), np.array(5), jnp.asarray(5)):
        np.testing.assert_array_equal(random.key_data(random.key(seed)), wanted)
    np.testing.assert_array_equal(jit(lambda s: random.key_data(random.key(s)))(5), wanted)


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        (None, TypeError, "unexpected PRNG key type"),
        (0, TypeError, "invalid PRNG key data"),
        (np.zeros(2, np.float32), TypeError, "expected key_data.dtype = uint32"),
        (np.zeros(3, np.uint32), TypeError, r"end with \(2,\); got shape=\(3,\)"),
        (np.zeros((4, 2), np.uint32), ValueError, r"uniform accepts a single key.*\(4, 2\)"),
    ],
)
def test_what_is_no_key_is_refused(key, error, message):
    with pytest.raises(error, match=message):
        random.uniform(key)


def test_key_arrays_must_be_mapped_over():
    keys = random.split(random.key(0), 3)
    with pytest.raises(ValueError, match="Use jax.vmap for batching"):
        random.normal(keys, (2,))
    rows = vmap(lambda k: random.normal(k, (2,)))(keys)
    loop = [np.asarray(random.normal(keys[i], (2,))) for i in range(3)]
    np.testing.assert_array_equal(rows, np.stack(loop))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: random.key(1.5), TypeError, "seed must be an integer"),
        (lambda: random.key(np.arange(2)), TypeError, "accepts a scalar seed"),
        (lambda: random.key(random.key(0)), TypeError, "was given a PRNG key"),
        (lambda: random.key(0, impl="nonesuch"), ValueError, "nonesuch"),
        (lambda: random.key(2**64), OverflowError, "64-bit"),
        (lambda: random.fold_in(random.key(0), -1), OverflowError, "out of bounds for uint32"),
        (lambda: random.fold_in(random.key(0), np.arange(2)), TypeError, "accepts a scalar"),
        (lambda: random.split(random.key(0), -1), ValueError, "num must be non-negative"),
        (lambda: random.split(random.key(0), 2.5), TypeError, "num"),
    ],
)
def test_bad_seeds_and_counts(make, error, message):
    with pytest.raises(error, match=message):
        make()


# --- dtypes, shapes, arguments ---


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda k: random.uniform(k, (2,), int), ValueError, "must be a float dtype, got int32"),
        (lambda k: random.normal(k, (2,), bool), ValueError, "float or complex dtype, got bool"),
        (lambda k: random.bits(k, (2,), int), ValueError, "unsigned int dtype, got int32"),
        (lambda k: random.randint(k, (2,), 0, 2, float), TypeError, "integer dtypes, got float32"),
        (lambda k: random.geometric(k, 0.5, dtype=float), ValueError, "int dtype, got float32"),
        (lambda k: random.uniform(k, (-1,)), ValueError, "non-negative"),
        (lambda k: random.uniform(k, (1.5,)), TypeError, "shape"),
        (lambda k: random.uniform(k, (3,), minval=np.zeros(2)), ValueError, "broadcast"),
        (lambda k: random.bernoulli(k, 1), TypeError, "floating dtype, got int32"),
        (lambda k: random.bernoulli(k, 0.5, mode="x"), ValueError, "expected 'high' or 'low'"),
        (lambda k: random.gumbel(k, mode="x"), ValueError, "valid mode for gumbel"),
        (lambda k: random.permutation(k, 3.5), TypeError, "integer or at least 1-dim"),
        (lambda k: random.permutation(k, np.ones((2, 2)), 3), ValueError, "axis 3"),
        (lambda k: random.choice(k, 0), ValueError, "must be greater than 0"),
        (lambda k: random.choice(k, 3, (4,), False), ValueError, "larger sample"),
        (lambda k: random.choice(k, 3, p=np.ones(2)), ValueError, r"p has shape \(2,\)"),
        (
            lambda k: random.categorical(k, np.zeros((2, 3), "float32"), shape=(3,)),
            ValueError,
            r"must end with .*\(2,\); got \(3,\)",
        ),
        (
            lambda k: random.categorical(k, np.zeros(3, "float32"), shape=(5,), replace=False),
            ValueError,
            "cannot exceed number of categories",
        ),
    ],
)
def test_bad_arguments(draw, error, message):
    with pytest.raises(error, match=message):
        draw(random.key(0))


def test_shapes_may_be_lists_integers_and_arrays():
    key = random.key(0)
    for shape in ([2, 3], np.array([2, 3]), (np.int64(2), 3)):
        assert random.normal(key, shape).shape == (2, 3)
    assert random.uniform(key, 4).shape == (4,)


def test_dtypes_follow_enable_x64():
    key = random.key(0)
    assert random.uniform(key).dtype == np.float32
    assert random.randint(key, (), 0, 9).dtype == np.int32
    with enable_x64(True):
        assert random.uniform(key).dtype == np.float64
        assert random.randint(key, (), 0, 9).dtype == np.int64
        assert random.bits(key).dtype == np.uint64


def test_same_numbers_traced_and_eager():
    key = random.key(9)

    def draw(k):
        a, b = random.split(k)
        return random.normal(a, (3,)), random.randint(b, (3,), 0, 10), random.permutation(k, 5)

    for x, y in zip(draw(key), jit(draw)(key), strict=True):
        np.testing.assert_array_equal(x, y)


def test_lengths_must_be_known_while_tracing():
    with pytest.raises(errors.ConcretizationTypeError, match="permutation, which is a length"):
        make_jaxpr(lambda n: random.permutation(random.key(0), n))(3)


# --- distributions ---

SAMPLES = 4000


@pytest.fixture
def stats():
    return pytest.importorskip("scipy.stats")  # an oracle, which jx-numpy does not require


@pytest.mark.parametrize(
    ("draw", "distribution"),
    [
        (
            lambda k, s: random.uniform(k, s, minval=-1.0, maxval=3.0),
            lambda stats: stats.uniform(-1, 4),
        ),
        (random.normal, lambda stats: stats.norm()),
        (random.exponential, lambda stats: stats.expon()),
        (random.gumbel, lambda stats: stats.gumbel_r()),
        (random.laplace, lambda stats: stats.laplace()),
        (random.logistic, lambda stats: stats.logistic()),
        (random.cauchy, lambda stats: stats.cauchy()),
        (random.maxwell, lambda stats: stats.maxwell()),
        (lambda k, s: random.rayleigh(k, 1.5, s), lambda stats: stats.rayleigh(scale=1.5)),
        (lambda k, s: random.pareto(k, 2.5, s), lambda stats: stats.pareto(2.5)),
        (
            lambda k, s: random.weibull_min(k, 2.0, 0.8, s),
            lambda stats: stats.weibull_min(0.8, scale=2.0),
        ),
        (
            lambda k, s: random.triangular(k, -1.0, 0.5, 2.0, s),
            lambda stats: stats.triang(0.5, -1, 3),
        ),
        (lambda k, s: random.wald(k, 1.2, s), lambda stats: stats.invgauss(1.2)),
        (lambda k, s: random.lognormal(k, 0.7, s), lambda stats: stats.lognorm(0.7)),
        (
            lambda k, s: random.truncated_normal(k, -1.0, 2.0, s),
            lambda stats: stats.truncnorm(-1, 2),
        ),
        (lambda k, s: random.gamma(k, 0.6, s), lambda stats: stats.gamma(0.6)),
        (lambda k, s: random.gamma(k, 4.5, s), lambda stats: stats.gamma(4.5)),
        (lambda k, s: random.loggamma(k, 0.4, s), lambda stats: stats.loggamma(0.4)),
        (lambda k, s: random.beta(k, 0.7, 2.0, s), lambda stats: stats.beta(0.7, 2.0)),
        (lambda k, s: random.chisquare(k, 3.0, s), lambda stats: stats.chi2(3)),
        (lambda k, s: random.f(k, 3.0, 5.0, s), lambda stats: stats.f(3, 5)),
        (lambda k, s: random.t(k, 4.0, s), lambda stats: stats.t(4)),
        (
            lambda k, s: random.generalized_normal(k, 1.5, s),
            lambda stats: stats.gennorm(1.5),
        ),
        (
            lambda k, s: random.dirichlet(k, np.array([0.7, 2.0], np.float32), s)[:, 0],
            lambda stats: stats.beta(0.7, 2.0),
        ),
        (
            lambda k, s: random.ball(k, 3, shape=s)[:, 0],
            lambda stats: stats.beta(2, 2, loc=-1, scale=2),
        ),
    ],
)
def test_samples_follow_the_distribution(stats, draw, distribution):
    samples = np.asarray(draw(random.key(123), (SAMPLES,)))
    assert stats.kstest(samples, distribution(stats).cdf).pvalue > 1e-3


def test_discrete_distributions(stats):
    key = random.key(5)
    probabilities = np.array([0.1, 0.2, 0.7])
    drawn = np.asarray(random.categorical(key, jnp.log(probabilities), shape=(SAMPLES,)))
    counts = np.bincount(drawn, minlength=3)
    assert stats.chisquare(counts, SAMPLES * probabilities).pvalue > 1e-3
    chosen = np.asarray(random.choice(key, 3, (SAMPLES,), p=probabilities))
    assert stats.chisquare(np.bincount(chosen), SAMPLES * probabilities).pvalue > 1e-3
    trials = np.asarray(random.geometric(key, 0.3, (SAMPLES,)))
    assert trials.min() == 1
    assert abs(trials.mean() - 1 / 0.3) < 0.2
    assert abs(np.asarray(random.bernoulli(key, 0.3, (SAMPLES,))).mean() - 0.3) < 0.03
    assert set(np.asarray(random.rademacher(key, (50,))).tolist()) == {-1, 1}


def test_randint_reaches_both_ends(stats):
    drawn = np.asarray(random.randint(random.key(0), (SAMPLES,), -2, 3))
    assert stats.chisquare(np.bincount(drawn + 2)).pvalue > 1e-3
    wide = np.asarray(random.randint(random.key(1), (SAMPLES,), -128, 128, "int8"))
    assert (wide.min(), wide.max()) == (-128, 127)


def test_permutations_keep_the_elements():
    x = np.arange(12).reshape(4, 3)
    rows = np.asarray(random.permutation(random.key(2), x))
    assert sorted(rows.tolist()) == x.tolist()
    apart = np.asarray(random.permutation(random.key(2), x, axis=1, independent=True))
    assert np.sort(apart, axis=1).tolist() == x.tolist()
    keys = random.split(random.key(0), 4)
    moved = random.key_data(random.permutation(random.key(1), keys))
    assert sorted(np.asarray(moved).tolist()) == sorted(np.asarray(random.key_data(keys)).tolist())


def test_samples_without_replacement_differ():
    key = random.key(4)
    for chosen in (
        random.choice(key, 10, (10,), replace=False),
        random.choice(key, 10, (10,), replace=False, p=jnp.full(10, 0.1)),
        random.categorical(key, jnp.zeros(10), shape=(10,), replace=False),
    ):
        assert sorted(np.asarray(chosen).tolist()) == list(range(10))


def test_gradients_through_parameters():
    key = random.key(0)
    u = float(random.uniform(key))
    assert float(grad(lambda b: random.uniform(key, maxval=b))(2.0)) == pytest.approx(u)
    z = float(random.rayleigh(key, 1.0))
    assert float(grad(lambda s: random.rayleigh(key, s))(3.0)) == pytest.approx(z)


# --- documentation ---


@pytest.mark.parametrize("name", sorted(random.__all__))
def test_example(name):
    function = getattr(random, name)
    doc = inspect.getdoc(function)
    assert doc, f"jx.random.{name} has no docstring"
    jx = types.SimpleNamespace(random=random, numpy=jnp)
    globs = {"jx": jx, "jnp": jnp, "np": np}
    test = doctest.DocTestParser().get_doctest(doc, globs, name, None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    messages = []
    runner.run(test, out=messages.append)
    assert not runner.failures, "".join(messages)


@pytest.mark.parametrize("mean", [0.3, 4.0, 12.0, 300.0])
def test_poisson_counts_follow_the_distribution(stats, mean):
    counts = np.asarray(random.poisson(random.key(3), mean, (SAMPLES,)))
    _check_counts(stats, counts, stats.poisson(mean))


@pytest.mark.parametrize("n, p", [(10, 0.3), (7, 0.8), (200, 0.1), (1000, 0.6)])
def test_binomial_counts_follow_the_distribution(stats, n, p):
    counts = np.asarray(random.binomial(random.key(3), n, p, (SAMPLES,)))
    assert counts.dtype == np.float32 and counts.min() >= 0 and counts.max() <= n
    _check_counts(stats, counts.astype(int), stats.binom(n, p))


def _check_counts(stats, counts, distribution):
    """A chi-square test over bins of at least 1% each."""
    edges = np.unique(distribution.ppf(np.linspace(0.02, 0.98, 25)))
    edges = edges[distribution.cdf(edges) < 0.99]
    expected = np.diff([0.0, *distribution.cdf(edges), 1.0]) * counts.size
    bins = np.searchsorted(edges, counts)
    observed = np.bincount(bins, minlength=len(edges) + 1)
    assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_counts_at_the_edges():
    key = random.key(0)
    assert random.poisson(key, np.array([0.0, np.nan], np.float32)).tolist() == [0, -1]
    n = np.array([np.nan, -1, 5, np.inf, 7, 0, 9, 9], np.float32)
    p = np.array([0.5, 0.5, np.nan, 0.5, -0.1, 0.5, 0, 1], np.float32)
    got = np.asarray(random.binomial(key, n, p))
    np.testing.assert_array_equal(got, [np.nan, np.nan, np.nan, np.inf, np.nan, 0, 0, 9])


def test_multinomial_counts_add_up():
    p = np.array([[0.2, 0.3, 0.5], [0.0, 0.5, 0.5]], np.float32)
    counts = np.asarray(random.multinomial(random.key(1), 50, p))
    np.testing.assert_array_equal(counts.sum(-1), [50, 50])
    assert counts[1, 0] == 0
    many = np.asarray(random.multinomial(random.key(1), 50, p[0], shape=(2000, 3)))
    np.testing.assert_allclose(many.mean(0), 50 * p[0], rtol=0.03)


@pytest.mark.parametrize("method", ["cholesky", "svd", "eigh"])
def test_multivariate_normal_vectors_have_their_moments(method):
    mean, cov = np.float32([1, -2]), np.float32([[2, 0.5], [0.5, 1]])
    x = np.asarray(
        random.multivariate_normal(random.key(0), mean, cov, (SAMPLES,), method=method)
    )
    np.testing.assert_allclose(x.mean(0), mean, atol=0.1)
    np.testing.assert_allclose(np.cov(x.T), cov, atol=0.15)
    with pytest.raises(ValueError, match="'cholesky', 'eigh' or 'svd', got 'qr'"):
        random.multivariate_normal(random.key(0), mean, cov, method="qr")
    with pytest.raises(ValueError, match=r"cov of \(..., n, n\), got \(2,\) and \(3, 3\)"):
        random.multivariate_normal(random.key(0), mean, np.eye(3))


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
@pytest.mark.parametrize("n, m", [(4, None), (2, 4), (4, 2)])
def test_orthogonal_matrices_are_so(n, m, dtype):
    q = np.asarray(random.orthogonal(random.key(0), n, (3,), dtype, m))
    assert q.shape == (3, n, m or n)
    small = q if q.shape[1] <= q.shape[2] else q.swapaxes(1, 2)
    product = small @ small.conj().swapaxes(1, 2)
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(product.shape[1]), product.shape),
                               atol=1e-5)


def test_gamma_numbers_are_differentiable_in_their_parameter():
    from jx_ad import grad

    alpha = np.float32([0.3, 1.0, 5.0])
    key = random.key(2)
    # d/da E[x] = 1 for the gamma distribution, and digamma' for its logarithm's mean.
    slope = grad(lambda a: random.gamma(key, a, (20_000, 3)).mean(0).sum())(alpha)
    np.testing.assert_allclose(slope, 1.0, atol=0.06)
    logs = grad(lambda a: random.loggamma(key, a, (20_000, 3)).mean(0).sum())(alpha)
    special = pytest.importorskip("scipy.special")
    np.testing.assert_allclose(logs, special.polygamma(1, alpha), rtol=0.05)


def test_bernoulli_draws_in_the_default_dtype():
    """JAX's value for this key where 64-bit dtypes are on; 32-bit numbers give the other one."""
    with enable_x64(True):
        assert not random.bernoulli(random.key(2147483653))
