"""Derivatives of reductions and running totals, where elements are equal or zero too."""

import numpy as np
import pytest

from jx_ad import grad, jvp
from jx_ad.testing import check_grads
from jx_core import jit, lax
from jx_core.config import enable_x64


@pytest.fixture(autouse=True)
def _double_precision():
    with enable_x64(True):
        yield


def array(*shape):
    return np.random.default_rng(0).standard_normal(shape)


def gradient(f, x):
    def total(x):
        y = f(x)
        return lax.reduce_sum(y, tuple(range(y.ndim)))

    return np.asarray(grad(total)(np.array(x))).tolist()


# --- reductions ---


@pytest.mark.parametrize("name", ["reduce_sum", "reduce_prod", "reduce_max", "reduce_min"])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 2), (2, 0), (0, 1, 2), ()])
def test_reduction(name, axes):
    check_grads(lambda x: getattr(lax, name)(x, axes), (array(3, 2, 3),), order=2)


@pytest.mark.parametrize("name", ["reduce_sum", "reduce_prod"])
def test_reduction_over_nothing(name):
    check_grads(lambda x: getattr(lax, name)(x, (0,)), (array(0, 2),), order=1)


def test_reduction_of_complex_numbers():
    z = array(4, 2) + 1j * array(4, 2)[::-1]
    check_grads(lambda z: lax.reduce_sum(z, (0,)), (z,), order=2)
    check_grads(lambda z: lax.reduce_prod(z, (0,)), (z,), order=2)


@pytest.mark.parametrize("zeros", [(1,), (0, 3), (0, 1, 2)])
def test_products_are_differentiated_through_zeros(zeros):
    x = array(4)
    x[list(zeros)] = 0.0
    check_grads(lambda x: lax.reduce_prod(x, (0,)), (x,), order=3)
    check_grads(lambda x: lax.cumprod(x), (x,), order=3)


def test_equal_extremes_share_the_derivative():
    x = [2.0, 1.0, 2.0, 2.0]
    assert gradient(lambda x: lax.reduce_max(x, (0,)), x) == [1 / 3, 0, 1 / 3, 1 / 3]
    assert gradient(lambda x: lax.reduce_min(x, (0,)), x) == [0, 1, 0, 0]


def test_places_and_bits_have_no_derivative():
    def f(x):
        where = lax.argmax(x, 0, np.int32)
        return lax.mul(lax.reduce_sum(x, (0,)), lax.convert_element_type(where, np.float64))

    assert gradient(f, [1.0, 3.0, 2.0]) == [1, 1, 1]


# --- reduction by a function ---


def test_reduction_by_a_function():
    def join(a, b):  # (1 + a)(1 + b) - 1, which is associative
        return lax.add(lax.mul(a, b), lax.add(a, b))

    for n in (1, 2, 3, 5):
        check_grads(
            lambda x, init: lax.reduce(x, init, join, (0,)), (array(n, 2), np.float64(0.0)), order=2
        )


def test_reduction_of_several_arrays_together():
    def join(a, b):  # composition of the affine maps y -> slope y + shift
        (slope_a, shift_a), (slope_b, shift_b) = a, b
        return lax.mul(slope_a, slope_b), lax.add(lax.mul(shift_a, slope_b), shift_b)

    check_grads(
        lambda x, y: lax.reduce((x, y), (1.0, 0.0), join, (0,)), (array(3, 2), array(3, 2)), order=2
    )


def test_reduction_by_a_staged_function():
    @jit
    def join(a, b):
        return lax.select(lax.gt(a, b), a, b)

    assert gradient(lambda x: lax.reduce(x, -np.inf, join, (0,)), [1.0, 3.0, 2.0]) == [0, 1, 0]


def test_reduction_over_nothing_gives_the_initial_value():
    def f(init):
        return lax.reduce(np.ones((0,)), init, lambda a, b: lax.mul(lax.mul(a, b), 1.0), (0,))

    assert float(grad(f)(2.0)) == 1.0


def test_reduction_by_a_function_of_whole_arrays_is_refused():
    def join(a, b):
        return lax.reduce_sum(lax.stack([a, b]), (0,))

    with pytest.raises(ValueError, match="stack.*only elementwise operations"):
        gradient(lambda x: lax.reduce(x, 0.0, join, (0,)), [1.0, 2.0])


# --- running totals ---


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 8, 9])
def test_running_totals_of_every_length(name, reverse, n):
    order = 2 if n == 5 else 1
    check_grads(lambda x: getattr(lax, name)(x, 1, reverse), (array(2, n),), order=order)


def test_values_of_running_totals_do_not_change_under_differentiation():
    x = array(9)
    for name in ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"):
        f = getattr(lax, name)
        np.testing.assert_allclose(jvp(f, (x,), (x,))[0], f(x), rtol=1e-12)


def test_equal_running_extremes_share_the_derivative():
    assert sum(gradient(lax.cummax, [1.0, 1.0, 0.0])) == 3.0
    assert gradient(lax.cummax, [1.0, 0.0, 2.0]) == [2, 0, 1]
    assert gradient(lax.cummin, [1.0, 2.0, 0.0]) == [2, 0, 1]


def test_cumlogsumexp_over_a_wide_range_and_infinities():
    got = gradient(lambda x: lax.slice_in_dim(lax.cumlogsumexp(x), 2, 3), [-800.0, 800.0, 0.0])
    np.testing.assert_allclose(got, [0.0, 1.0, 0.0], atol=1e-12)
    got = gradient(lambda x: lax.slice_in_dim(lax.cumlogsumexp(x), 2, 3), [-np.inf, -np.inf, 0.0])
    np.testing.assert_allclose(got, [0.0, 0.0, 1.0])
