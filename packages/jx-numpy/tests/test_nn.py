"""The functions of `jx.nn`: values against plain NumPy formulas, and derivatives at the edges."""

import doctest
import importlib
import inspect
import math
from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad, jvp
from jx_ad.testing import check_grads
from jx_batching import vmap
from jx_core import jit, lax, make_jaxpr, typeof
from jx_core.errors import ShapeError
from jx_numpy import nn, random

INF, NAN = np.inf, np.nan
POINTS = np.array(
    [-80, -20, -6, -3, -1.5, -1, -0.5, -1e-3, 0, 1e-3, 0.3, 1, 1.5, 3, 5, 6, 9, 20, 80], np.float64
)


def _logistic(x):
    return np.exp(-np.logaddexp(0, -x))


def _elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _normal_probability(x):
    return 0.5 * np.vectorize(math.erfc)(-x / np.sqrt(2))


FORMULAS = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x >= 0, x, 0.01 * x),
    "elu": _elu,
    "celu": _elu,
    "selu": lambda x: 1.0507009873554805 * _elu(x, 1.6732632423543772),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hard_silu": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "identity": lambda x: x,
    "sigmoid": _logistic,
    "silu": lambda x: x * _logistic(x),
    "swish": lambda x: x * _logistic(x),
    "softplus": lambda x: np.logaddexp(x, 0),
    "log_sigmoid": lambda x: -np.logaddexp(-x, 0),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "soft_sign": lambda x: x / (1 + np.abs(x)),
    "mish": lambda x: x * np.tanh(np.logaddexp(x, 0)),
    "gelu": lambda x: x * _logistic(2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)),
    "tanh": np.tanh,
}

KINKS = {
    "relu": [0], "relu6": [0, 6], "leaky_relu": [0], "elu": [0], "celu": [0], "selu": [0],
    "hard_tanh": [-1, 1], "hard_sigmoid": [-3, 3], "hard_silu": [-3, 3], "hard_swish": [-3, 3],
    "sparse_sigmoid": [-1, 1], "sparse_plus": [-1, 1], "soft_sign": [0],
}  # fmt: skip


def elementwise_grad(f, x):
    return grad(lambda x: lax.reduce_sum(f(x), tuple(range(typeof(x).ndim))))(x)


@pytest.mark.parametrize("name", FORMULAS)
def test_activation_is_its_formula(name):
    f = getattr(nn, name)
    got = f(jnp.array(POINTS, np.float32))
    assert got.dtype == np.float32 and not got.weak_type
    absolute = 1e-5 if name == "squareplus" else 1e-30
    np.testing.assert_allclose(got, FORMULAS[name](POINTS), rtol=2e-6, atol=absolute)
    np.testing.assert_array_equal(jit(f)(jnp.array(POINTS, np.float32)), got)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_activation_keeps_narrow_dtypes(name, dtype):
    x = POINTS.astype(dtype)
    got = getattr(nn, name)(jnp.array(x))
    assert got.dtype == dtype
    tolerance = 4 * float(ml_dtypes.finfo(dtype).eps)
    expected = FORMULAS[name](x.astype(np.float64))
    scale = 80 * tolerance if name == "squareplus" else tolerance
    np.testing.assert_allclose(np.asarray(got, np.float64), expected, rtol=tolerance, atol=scale)


@pytest.mark.parametrize("name", FORMULAS)
def test_activation_has_the_derivatives_of_its_formula(name):
    smooth = POINTS[(np.abs(POINTS) < 10) & ~np.isin(POINTS, KINKS.get(name, []))]
    step = 1e-5
    expected = (FORMULAS[name](smooth + step) - FORMULAS[name](smooth - step)) / (2 * step)
    got = elementwise_grad(getattr(nn, name), jnp.array(smooth, np.float32))
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", FORMULAS)
def test_derivatives_are_finite_far_from_zero(name):
    far = np.float32([-1e4, -200, 200, 1e4])
    for order in (1, 2):
        f = getattr(nn, name)
        for _ in range(order):
            f = (lambda g: lambda x: elementwise_grad(g, x))(f)
        assert np.isfinite(f(jnp.array(far))).all(), (name, order)


@pytest.mark.parametrize(
    ("name", "at", "derivative"),
    [
        ("relu", 0.0, 0.0), ("relu", -0.0, 0.0), ("relu", INF, 1.0), ("relu", -INF, 0.0),
        ("relu6", 0.0, 0.0), ("relu6", 6.0, 0.0), ("relu6", INF, 0.0),
        ("leaky_relu", 0.0, 1.0), ("elu", 0.0, 1.0), ("elu", 1000.0, 1.0), ("elu", -INF, 0.0),
        ("celu", 0.0, 1.0), ("celu", INF, 1.0), ("selu", -INF, 0.0),
        ("hard_tanh", 1.0, 1.0), ("hard_tanh", -1.0, 1.0), ("hard_tanh", 2.0, 0.0),
        ("hard_sigmoid", -3.0, 0.0), ("hard_silu", 3.0, 1.0),
        ("sparse_plus", -1.0, 0.0), ("sparse_plus", 1.0, 1.0), ("sparse_plus", INF, 1.0),
        ("sparse_plus", -INF, 0.0),
        ("softplus", 0.0, 0.5), ("softplus", 1e30, 1.0), ("softplus", INF, 1.0),
        ("softplus", -INF, 0.0), ("log_sigmoid", 0.0, 0.5), ("log_sigmoid", -INF, 1.0),
        ("log_sigmoid", INF, 0.0), ("soft_sign", 0.0, 1.0), ("mish", 1000.0, 1.0),
        ("gelu", 1e30, 1.0), ("gelu", -1e30, 0.0), ("silu", -1000.0, 0.0),
    ],
)  # fmt: skip
def test_derivative_at_the_edge(name, at, derivative):
    assert float(grad(getattr(nn, name))(at)) == derivative
    assert float(jvp(getattr(nn, name), (at,), (1.0,))[1]) == derivative


@pytest.mark.parametrize(
    ("name", "second"), [("softplus", 0.25), ("log_sigmoid", -0.25), ("silu", 0.5)]
)
def test_second_derivative_at_zero(name, second):
    assert float(grad(grad(getattr(nn, name)))(0.0)) == pytest.approx(second)


def test_gelu_in_float16_has_derivatives_where_the_cube_overflows():
    x = jnp.array([-50.0, 50.0], np.float16)
    assert elementwise_grad(nn.gelu, x).tolist() == [0.0, 1.0]


def test_exact_gelu_uses_the_normal_distribution():
    got = nn.gelu(jnp.array(POINTS, np.float32), approximate=False)
    np.testing.assert_allclose(got, POINTS * _normal_probability(POINTS), rtol=5e-6, atol=1e-30)


def test_gelu_keeps_digits_of_small_values():
    # As 1 + tanh, the gate would be 0 here.
    assert float(nn.gelu(-6.0)) == pytest.approx(FORMULAS["gelu"](-6.0), rel=1e-4)


def test_infinite_and_nan_elements():
    x = jnp.array([-INF, INF, NAN], np.float32)
    np.testing.assert_array_equal(nn.relu(x), [0, INF, NAN])
    np.testing.assert_array_equal(nn.relu6(x), [0, 6, NAN])
    np.testing.assert_array_equal(nn.softplus(x), [0, INF, NAN])
    np.testing.assert_array_equal(nn.log_sigmoid(x), [-INF, 0, NAN])
    np.testing.assert_array_equal(nn.elu(x), [-1, INF, NAN])
    np.testing.assert_array_equal(nn.hard_tanh(x), [-1, 1, NAN])


def test_slopes_and_alphas_are_arrays_too():
    x = np.float32([-1, 2])
    alpha = np.float32([[0.5], [3.0]])
    np.testing.assert_allclose(nn.leaky_relu(x, alpha), np.where(x >= 0, x, alpha * x))
    np.testing.assert_allclose(nn.elu(x, alpha), _elu(x, alpha), rtol=1e-6)
    np.testing.assert_allclose(nn.celu(x, alpha), alpha * _elu(x / alpha), rtol=1e-6)
    check_grads(nn.elu, (x, 2.0), order=2)
    check_grads(nn.celu, (x, 2.0), order=2)
    np.testing.assert_allclose(nn.squareplus(x, 0.0), [0, 2], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "dtype", "weak"),
    [
        ("relu", np.int32, False), ("hard_tanh", np.int32, False), ("relu6", np.float32, True),
        ("elu", np.float32, True), ("softplus", np.float32, False), ("gelu", np.float32, False),
        ("softmax", np.float32, False), ("logsumexp", np.float32, False),
    ],
)  # fmt: skip
def test_dtype_of_integers(name, dtype, weak):
    out = getattr(nn, name)(jnp.array([1, 2, 3]))
    assert (out.dtype, out.weak_type) == (dtype, weak)


@pytest.mark.parametrize("name", ["sigmoid", "silu", "glu"])
def test_logistic_functions_take_no_integers(name):
    with pytest.raises(TypeError, match="logistic does not accept dtype int32"):
        getattr(nn, name)(jnp.array([1, 2]))


@pytest.mark.parametrize("name", ["relu", "gelu", "softmax", "logsumexp", "identity"])
def test_lists_are_no_arrays(name):
    with pytest.raises(TypeError, match="list"):
        getattr(nn, name)([1.0, 2.0])


def test_glu_gates_one_half_by_the_other():
    x = np.linspace(-2, 2, 24, dtype=np.float32).reshape(2, 4, 3)
    expected = x[:, :2] * _logistic(x[:, 2:])
    np.testing.assert_allclose(nn.glu(x, axis=1), expected, rtol=1e-6)
    with pytest.raises(
        ShapeError, match=r"length 3 of axis 2 of an array of shape \(2, 4, 3\)"
    ):
        nn.glu(x)


# Softmax and its kin.


X = np.float32([[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0]])


def _softmax(x, axis):
    e = np.exp(x.astype(np.float64) - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1), None])
def test_softmax_and_logsumexp_along_axes(axis):
    np.testing.assert_allclose(nn.softmax(X, axis), _softmax(X, axis), rtol=1e-6)
    np.testing.assert_allclose(nn.log_softmax(X, axis), np.log(_softmax(X, axis)), rtol=1e-6)
    sums = np.exp(X.astype(np.float64)).sum(axis)
    np.testing.assert_allclose(nn.logsumexp(X, axis), np.log(sums), rtol=1e-6)
    means = np.exp(X.astype(np.float64)).mean(axis)
    np.testing.assert_allclose(nn.logmeanexp(X, axis), np.log(means), rtol=1e-6)
    assert nn.logsumexp(X, axis, keepdims=True).shape == X.sum(axis, keepdims=True).shape


def test_axes_as_a_list():
    np.testing.assert_array_equal(nn.softmax(X, axis=[0, 1]), nn.softmax(X, axis=None))


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "logmeanexp"])
def test_axis_out_of_range(name):
    with pytest.raises(ShapeError, match="axis 2 is out of bounds for array of dimension 2"):
        getattr(nn, name)(X, axis=2)


def test_large_and_infinite_elements_do_not_overflow():
    np.testing.assert_allclose(nn.softmax(np.float32([1e30, 1e30])), [0.5, 0.5])
    np.testing.assert_array_equal(nn.softmax(np.float32([-INF, 1.0])), [0, 1])
    np.testing.assert_array_equal(nn.log_softmax(np.float32([-INF, 1.0])), [-INF, 0])
    assert float(nn.logsumexp(np.float32([INF, -INF, 1]))) == INF
    assert float(nn.logsumexp(np.float32([-INF, -INF]))) == -INF
    assert np.isnan(nn.softmax(np.float32([-INF, -INF]))).all()


def test_reductions_of_nothing():
    assert float(nn.logsumexp(jnp.zeros(0))) == -INF
    assert np.isnan(float(nn.logmeanexp(jnp.zeros(0))))
    assert nn.softmax(jnp.zeros((2, 0))).shape == (2, 0)


def test_derivatives_next_to_infinities():
    x = jnp.array([1.0, -INF, 2.0])
    weights = jnp.array([1.0, 2.0, 3.0])
    for f in (nn.softmax, nn.log_softmax):
        picked = grad(lambda x, f=f: f(x)[0])(x)
        assert np.isfinite(picked).all() and float(picked[1]) == 0
    soft = _softmax(np.array([1.0, 2.0]), 0)
    np.testing.assert_allclose(grad(nn.logsumexp)(x), [soft[0], 0, soft[1]], rtol=1e-6)
    total = grad(lambda x: jnp.sum(weights * nn.softmax(x)))(x)
    np.testing.assert_allclose(total, [-2 * soft[0] * soft[1], 0, 2 * soft[0] * soft[1]], rtol=1e-5)


def test_logsumexp_of_nothing_but_infinities_has_derivative_zero():
    x = jnp.array([-INF, -INF])
    assert grad(nn.logsumexp)(x).tolist() == [0, 0]
    assert float(jvp(nn.logsumexp, (x,), (jnp.ones(2),))[1]) == 0


MASK = np.array([[True, False, True], [False, False, False]])


@pytest.mark.parametrize("hidden", [2.0, INF, -INF, NAN])
def test_masked_elements_count_for_nothing(hidden):
    x = X.copy()
    x[0, 1] = hidden
    probabilities = _softmax(X[0, [0, 2]], 0)
    expected = [[probabilities[0], 0, probabilities[1]], [0, 0, 0]]
    np.testing.assert_allclose(nn.softmax(x, where=MASK), expected, rtol=1e-6)
    logs = nn.log_softmax(x, where=MASK)
    a, b = np.log(probabilities)
    np.testing.assert_allclose(logs[0], [a, -INF, b], rtol=1e-6)
    assert logs[1].tolist() == [-INF] * 3
    np.testing.assert_allclose(
        nn.logsumexp(x, axis=1, where=MASK), [3.126928, -INF], rtol=1e-6
    )
    np.testing.assert_allclose(
        nn.logmeanexp(x, axis=1, where=MASK), [3.126928 - np.log(2), NAN], rtol=1e-6
    )


@pytest.mark.parametrize("hidden", [2.0, INF, NAN])
def test_derivatives_by_masked_elements_are_zero(hidden):
    x = X.copy()
    x[:, 1] = hidden
    for f in (nn.softmax, lambda x, where: jnp.exp(nn.log_softmax(x, where=where))):
        first = grad(lambda x, f=f: jnp.sum(f(x, where=MASK)[:, 0]))(jnp.array(x))
        a, b = _softmax(X[0, [0, 2]], 0)
        np.testing.assert_allclose(first, [[a * b, 0, -a * b], [0, 0, 0]], rtol=1e-5)
    total = grad(lambda x: jnp.sum(jnp.exp(nn.logsumexp(x, 1, where=MASK))))(jnp.array(x))
    np.testing.assert_allclose(total, np.where(MASK, np.exp(X), 0), rtol=1e-5)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "standardize"])
def test_where_must_be_boolean(name):
    with pytest.raises(ValueError, match="where must be None or a boolean array, got dtype int32"):
        getattr(nn, name)(X, where=np.int32([1, 0, 1]))


def test_softmax_sums_narrow_floats_in_float32():
    x = jnp.zeros(4096, ml_dtypes.bfloat16)
    assert float(nn.softmax(x)[0]) == 1 / 4096


def test_logsumexp_with_factors():
    b = np.float32([1.0, -2.0, 0.5])
    sums = (b * np.exp(X.astype(np.float64))).sum(1)
    logs, signs = nn.logsumexp(X, 1, b=b, return_sign=True)
    np.testing.assert_allclose(logs, np.log(np.abs(sums)), rtol=1e-5)
    np.testing.assert_array_equal(signs, np.sign(sums))
    expected = np.where(sums > 0, logs, NAN)
    np.testing.assert_allclose(nn.logsumexp(X, 1, b=b), expected, rtol=1e-6)


def test_where_a_factor_is_zero_the_exponent_does_not_matter():
    for hidden in (INF, NAN):
        assert float(nn.logsumexp(np.float32([hidden, 2.0]), b=np.float32([0.0, 1.0]))) == 2.0


def test_logsumexp_of_complex_numbers():
    x = np.complex64([1 + 2j, 2 - 1j])
    total = np.exp(x.astype(np.complex128)).sum()
    np.testing.assert_allclose(nn.logsumexp(x), np.log(total), rtol=1e-6)
    log, direction = nn.logsumexp(x, return_sign=True)
    assert log.dtype == np.float32
    np.testing.assert_allclose(log, np.log(abs(total)), rtol=1e-6)
    np.testing.assert_allclose(direction, total / abs(total), rtol=1e-6)


@pytest.mark.parametrize("f", [nn.softmax, nn.log_softmax, nn.logsumexp, nn.logmeanexp])
def test_softmax_and_kin_are_differentiable_twice(f):
    check_grads(f, (X,), order=2)
    check_grads(lambda x: jnp.exp(f(x, where=MASK[0])), (X,), order=2)


def test_log1mexp_is_precise_at_both_ends():
    x = np.float64([1e-30, 1e-8, 0.1, 0.69, 0.7, 5, 50, 80])
    expected = np.where(x < 0.6, np.log(-np.expm1(-x)), np.log1p(-np.exp(-np.maximum(x, 0.5))))
    np.testing.assert_allclose(nn.log1mexp(x.astype(np.float32)), expected, rtol=2e-6)
    derivative = elementwise_grad(nn.log1mexp, jnp.array(x[:7], np.float32))
    np.testing.assert_allclose(derivative, 1 / np.expm1(x[:7]), rtol=3e-6)
    assert float(nn.log1mexp(0.0)) == -INF and float(grad(nn.log1mexp)(INF)) == 0


# Standardization.


@pytest.mark.parametrize("algorithm", ["fast", "stable"])
@pytest.mark.parametrize("axis", [-1, 0, (0, 1), None])
def test_standardize_gives_mean_0_and_variance_1(algorithm, axis):
    got = nn.standardize(X, axis, algorithm=algorithm)
    mean, variance = X.mean(axis, keepdims=True), X.var(axis, keepdims=True)
    np.testing.assert_allclose(got, (X - mean) / np.sqrt(variance + 1e-5), rtol=1e-5, atol=1e-6)


def test_standardize_around_a_given_mean_and_variance():
    around = np.mean((X - 1) ** 2, 1, keepdims=True)
    as_if_true = np.mean(X**2, 1, keepdims=True) - 1
    for algorithm, spread in (("stable", around), ("fast", as_if_true)):
        got = nn.standardize(X, mean=1.0, algorithm=algorithm)
        np.testing.assert_allclose(got, (X - 1) / np.sqrt(spread + 1e-5), rtol=1e-5)
    np.testing.assert_allclose(
        nn.standardize(X, mean=1.0, variance=4.0, epsilon=0.0), (X - 1) / 2, rtol=1e-6
    )


def test_standardize_takes_statistics_where_told():
    where = np.array([True, True, False])
    mean, variance = X[:, :2].mean(1, keepdims=True), X[:, :2].var(1, keepdims=True)
    expected = (X - mean) / np.sqrt(variance + 1e-5)
    for algorithm in ("fast", "stable"):
        got = nn.standardize(X, where=where, algorithm=algorithm)
        np.testing.assert_allclose(got, expected, rtol=1e-4)


def test_standardize_a_constant():
    x = jnp.full((3,), 7.0)
    assert nn.standardize(x).tolist() == [0, 0, 0]
    assert np.isfinite(grad(lambda x: jnp.sum(nn.standardize(x) ** 2))(x)).all()


def test_standardize_the_stable_way_with_a_large_mean():
    x = np.float32([10000, 10001, 10002])
    got = nn.standardize(x, algorithm="stable", epsilon=0.0)
    np.testing.assert_allclose(got, [-np.sqrt(1.5), 0, np.sqrt(1.5)], rtol=1e-5)


def test_standardize_refuses():
    with pytest.raises(ValueError, match="algorithm must be 'fast' or 'stable', got 'quick'"):
        nn.standardize(X, algorithm="quick")
    with pytest.raises(TypeError, match="real numbers, got dtype complex64"):
        nn.standardize(X.astype(np.complex64))
    with pytest.raises(ShapeError, match=r"where must broadcast to the shape of x"):
        nn.standardize(X, where=np.ones((4, 2, 3), bool))


def test_standardize_is_differentiable():
    for algorithm in ("fast", "stable"):
        check_grads(lambda x, a=algorithm: nn.standardize(x, algorithm=a), (X,), order=2)


# One-hot vectors.


def test_one_hot_is_a_row_of_the_identity():
    assert nn.one_hot(jnp.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert nn.one_hot([2, 0], 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert nn.one_hot(1, 3).tolist() == [0, 1, 0]


def test_one_hot_of_numbers_out_of_range_is_zero():
    assert not nn.one_hot(jnp.array([-1, 3]), 3).any()


@pytest.mark.parametrize(("axis", "shape"), [(0, (5, 2, 3)), (1, (2, 5, 3)), (-2, (2, 5, 3))])
def test_one_hot_along_an_axis(axis, shape):
    x = np.arange(6).reshape(2, 3)
    got = nn.one_hot(x, 5, axis=axis)
    assert got.shape == shape
    np.testing.assert_array_equal(np.moveaxis(got, axis, -1), np.eye(6, 5)[x])


def test_one_hot_dtypes():
    assert nn.one_hot(jnp.array([1]), 2).dtype == np.float32
    assert nn.one_hot(jnp.array([1]), 2, dtype=bool).tolist() == [[False, True]]
    # More classes than the numbers' own dtype can count.
    assert float(nn.one_hot(jnp.array([0, 255], np.uint8), 300).sum()) == 2


def test_one_hot_refuses():
    with pytest.raises(ShapeError, match="axis 4 is out of bounds"):
        nn.one_hot(jnp.array([[0]]), 3, axis=4)
    with pytest.raises(TypeError, match="num_classes must be an integer, got 2.5"):
        nn.one_hot(jnp.array([0]), 2.5)
    with pytest.raises(ShapeError, match="num_classes must not be negative, got -1"):
        nn.one_hot(jnp.array([0]), -1)


# All together.


@pytest.mark.parametrize("name", [*FORMULAS, "softmax", "log_softmax", "standardize", "glu"])
def test_vmap_is_a_loop(name):
    f = getattr(nn, name)
    x = np.linspace(-3, 3, 12, dtype=np.float32).reshape(3, 4)
    got = vmap(f, in_axes=1, out_axes=1)(x.T)
    np.testing.assert_allclose(got.T, np.stack([f(row) for row in x]), rtol=1e-6)


@pytest.mark.parametrize(
    ("f", "most"),
    [
        (nn.relu, 2), (nn.relu6, 1), (nn.leaky_relu, 3), (nn.elu, 4), (nn.sigmoid, 1),
        (nn.silu, 5), (nn.gelu, 9), (nn.softplus, 7), (nn.softmax, 8), (nn.log_softmax, 9),
        (nn.logsumexp, 11),
    ],
)  # fmt: skip
def test_functions_bind_few_primitives_and_no_calls(f, most):
    eqns = make_jaxpr(f)(X).jaxpr.eqns
    assert len(eqns) <= most
    assert "jit" not in {e.primitive.name for e in eqns}


MODULES = ["attention", "encoding", "initializers", "logarithms", "normalization", "piecewise",
           "smooth"]  # fmt: skip


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings(module):
    module = importlib.import_module(f"jx_numpy.nn.{module}")
    names = {"jnp": jnp, "jx": SimpleNamespace(nn=nn, random=random)}
    for name in module.__all__:
        doc = inspect.getdoc(getattr(module, name))
        test = doctest.DocTestParser().get_doctest(doc, dict(names), name, None, 0)
        messages = []
        doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False).run(
            test, out=messages.append
        )
        assert not messages, "".join(messages)


def test_every_public_function_has_a_documented_example():
    for name in set(nn.__all__) - {"initializers"}:
        assert ">>> " in inspect.getdoc(getattr(nn, name)), name
