"""Derivatives of reductions of windows: where elements tie, and by functions of the user's."""

import numpy as np
import pytest

from jx_ad import grad, hessian, jvp
from jx_ad.testing import check_grads
from jx_core import lax, make_jaxpr
from jx_core.config import enable_x64


@pytest.fixture(autouse=True)
def _double_precision():
    with enable_x64(True):
        yield


def gradient(f, *xs):
    def total(*xs):
        y = f(*xs)
        return lax.reduce_sum(y, tuple(range(y.ndim)))

    return np.asarray(grad(total)(*map(np.asarray, xs))).tolist()


def pooled(x, *window):
    return lax.reduce_window(x, -np.inf, lax.max, *window)


def test_the_first_of_equal_elements_gets_the_derivative():
    assert gradient(lambda x: pooled(x, (3,)), [1.0, 1, 1, 1]) == [1, 1, 0, 0]
    t = np.array([1.0, 2, 3, 4])
    assert jvp(lambda x: pooled(x, (3,)), (np.ones(4),), (t,))[1].tolist() == [1, 2]


def test_padding_gets_no_derivative_though_it_is_as_great():
    f = lambda x: pooled(x, (3,), (1,), "SAME")  # noqa: E731
    assert gradient(f, [-np.inf] * 3) == [2, 1, 0]
    t = np.array([1.0, 2, 3])
    assert jvp(f, (np.full(3, -np.inf),), (t,))[1].tolist() == [1, 1, 2]


def test_the_derivative_of_a_nan_goes_to_it():
    assert gradient(lambda x: pooled(x, (2,)), [1, np.nan, 2, 0, 3]) == [0, 2, 1, 0, 1]


@pytest.mark.parametrize(
    "window",
    [
        ((2, 2), (2, 2), "SAME"),
        ((2, 2), (1, 1), ((1, 0), (0, 1)), (1, 2), (1, 1)),
        ((2, 2), (1, 2), ((1, 1), (1, 0)), (1, 1), (2, 1)),
    ],
)
@pytest.mark.parametrize(("function", "init"), [(lax.max, -np.inf), (lax.add, 0.0), (lax.mul, 1.0)])
def test_squares_of_windows_to_the_second_order(window, function, init):
    x = np.random.default_rng(0).permutation(20).reshape(4, 5) / 10 - 0.95

    def f(x):
        y = lax.reduce_window(x, init, function, *window)
        return lax.mul(y, lax.select(lax.is_finite(y), y, lax.full_like(y, 0)))

    check_grads(lambda x: lax.reduce_sum(lax.sin(lax.clamp(-9.0, f(x), 9.0)), (0, 1)), (x,), 2)


def test_second_derivatives_of_maxima_are_zero_and_of_products_are_not():
    x = np.array([0.5, 2.0, 0.0])
    assert not np.asarray(hessian(lambda x: lax.reduce_sum(pooled(x, (2,)), (0,)))(x)).any()

    def products(x):
        return lax.reduce_sum(lax.reduce_window(x, 1.0, lax.mul, (2,)), (0,))

    assert np.asarray(hessian(products)(x)).tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]


def test_the_initial_value_has_a_derivative():
    x = np.array([1.0, 2.0, 3.0])
    assert gradient(lambda i: lax.reduce_window(x, i, lax.mul, (2,)), 1.0) == 8


def test_sums_are_transposed_to_one_sum():
    program = make_jaxpr(
        grad(lambda x: lax.reduce_sum(lax.reduce_window(x, 0.0, lax.add, (3,), (2,)), (0,)))
    )(np.ones(9))
    assert [e.primitive.name for e in program.eqns if "window" in e.primitive.name] == [
        "reduce_window_sum"
    ] * 2


def test_a_reduction_of_windows_by_a_function_of_whole_arrays_is_refused():
    def whole(a, b):
        return lax.squeeze(lax.cumsum(lax.reshape(a * b, (1,))), (0,))

    with pytest.raises(ValueError, match="can't differentiate a reduction by whole that uses resh"):
        gradient(lambda x: lax.reduce_window(x, 1.0, whole, (2,)), np.ones(3))
