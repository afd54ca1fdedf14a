"""Derivatives of slices, gathers and scatters; places out of bounds and written twice."""

import numpy as np
import pytest

from jx_ad import grad, jvp, linear_transpose, vjp
from jx_ad.testing import check_grads
from jx_core import lax
from jx_core.config import enable_x64


@pytest.fixture(autouse=True)
def _double_precision():
    with enable_x64(True):
        yield


def array(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# --- slices ---


@pytest.mark.parametrize(
    "start, limit, strides",
    [
        ((1, 0), (5, 3), None),
        ((1, 0), (5, 3), (2, 1)),
        ((1, 0), (6, 3), (3, 2)),
        ((1, 0), (1, 3), (3, 2)),
        ((0, 2), (6, 3), (5, 7)),
    ],
)
def test_slice(start, limit, strides):
    check_grads(lambda x: lax.slice(x, start, limit, strides), (array(6, 3),), order=2)


@pytest.mark.parametrize("start", [-1, 0, 1, 3])
def test_dynamic_slices_are_differentiated_where_they_were_moved_to(start):
    i = np.int32(start)
    check_grads(lambda x, i: lax.dynamic_slice(x, (i, 0), (2, 2)), (array(4, 3), i), order=2)
    check_grads(
        lambda x, u, i: lax.dynamic_update_slice(x, u, (i, 0)),
        (array(4, 3), array(2, 2, seed=1), i),
        order=2,
    )


def test_dynamic_update_slice_in_one_operand():
    check_grads(lambda x: lax.dynamic_update_slice(x, np.ones(2), (1,)), (array(4),), order=2)
    check_grads(lambda u: lax.dynamic_update_slice(np.ones(4), u, (1,)), (array(2),), order=2)


# --- gather ---

ROWS = lax.GatherDimensionNumbers((1,), (0,), (0,))
REPEATED = np.array([[1], [1], [5], [0]])
DISTINCT = np.array([[1], [2], [5], [0]])


@pytest.mark.parametrize("mode", ["clip", "fill"])
@pytest.mark.parametrize("indices", [REPEATED, DISTINCT], ids=["repeated", "distinct"])
def test_gather_adds_where_it_read(mode, indices):
    def f(x):
        return lax.gather(x, indices, ROWS, (1, 3), mode=mode, fill_value=0.5)

    check_grads(f, (array(4, 3),), order=2)


def test_gather_out_of_bounds_reads_what_does_not_depend_on_the_operand():
    def f(x):
        return lax.gather(x, REPEATED, ROWS, (1, 3), mode="fill", fill_value=np.nan)

    tangent = np.asarray(jvp(f, (np.ones((4, 3)),), (np.ones((4, 3)),))[1])
    np.testing.assert_array_equal(tangent[:, 0], [1, 1, 0, 1])
    (ct,) = vjp(f, np.ones((4, 3)))[1](np.ones((4, 3)))
    np.testing.assert_array_equal(np.asarray(ct)[:, 0], [1, 2, 0, 0])


def test_gather_along_batching_axes():
    numbers = lax.GatherDimensionNumbers((), (1,), (1,), (0,), (0,))
    indices = np.array([[[2], [0]], [[1], [1]]])
    check_grads(lambda x: lax.gather(x, indices, numbers, (1, 1)), (array(2, 3),), order=2)


# --- scatter ---

WRITE_ROWS = lax.ScatterDimensionNumbers((1,), (0,), (0,))
SCATTERS = ["scatter", "scatter_add", "scatter_sub", "scatter_mul", "scatter_min", "scatter_max"]


@pytest.mark.parametrize("name", SCATTERS)
@pytest.mark.parametrize("mode", ["clip", "fill"])
@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("moving", ["both", "operand", "updates"])
def test_scatter(name, mode, unique, moving):
    indices = np.array([[1], [2], [5], [0]]) if unique else REPEATED
    if unique and mode == "clip":
        indices = np.array([[1], [2], [5], [-1]])

    def f(x, updates):
        return getattr(lax, name)(
            x, indices, updates, WRITE_ROWS, mode=mode, unique_indices=unique
        )

    x, updates = array(4, 3), array(4, 3, seed=1)
    if moving == "both":
        check_grads(f, (x, updates), order=2)
    elif moving == "operand":
        check_grads(lambda x: f(x, updates), (x,), order=2)
    else:
        check_grads(lambda updates: f(x, updates), (updates,), order=2)


POINTS = lax.ScatterDimensionNumbers((), (0,), (0,))
TWICE = np.array([[0], [0]])


def gradient_of_scatter(name, x, updates):
    def f(x, updates):
        return lax.reduce_sum(getattr(lax, name)(x, TWICE, updates, POINTS), (0,))

    by_x, by_updates = grad(f, (0, 1))(np.array(x), np.array(updates))
    return np.asarray(by_x).tolist(), np.asarray(by_updates).tolist()


def test_the_update_that_stays_gets_the_derivative():
    by_x, by_updates = gradient_of_scatter("scatter", [5.0, 6.0], [1.0, 2.0])
    kept = np.asarray(lax.scatter(np.zeros(2), TWICE, np.array([1.0, 2.0]), POINTS))[0]
    assert by_x == [0.0, 1.0]
    assert by_updates == [float(kept == 1.0), float(kept == 2.0)]


def test_the_transpose_of_a_scatter_with_repeated_indices():
    transposed = linear_transpose(lambda u: lax.scatter(np.zeros(2), TWICE, u, POINTS), np.ones(2))
    assert sum(np.asarray(transposed(np.array([3.0, 4.0]))[0]).tolist()) == 3.0


def test_products_of_repeated_updates_are_differentiated_through_zeros():
    assert gradient_of_scatter("scatter_mul", [5.0, 1.0], [2.0, 3.0]) == ([6, 1], [15, 10])
    assert gradient_of_scatter("scatter_mul", [5.0, 1.0], [0.0, 3.0]) == ([0, 1], [15, 0])
    assert gradient_of_scatter("scatter_mul", [5.0, 1.0], [0.0, 0.0]) == ([0, 1], [0, 0])
    assert gradient_of_scatter("scatter_mul", [0.0, 1.0], [2.0, 3.0]) == ([6, 1], [0, 0])


def test_equal_values_share_the_derivative_of_an_extreme():
    for name in ("scatter_min", "scatter_max"):
        by_x, by_updates = gradient_of_scatter(name, [1.0, 1.0], [1.0, 1.0])
        np.testing.assert_allclose(by_x, [1 / 3, 1])
        np.testing.assert_allclose(by_updates, [1 / 3, 1 / 3])
    assert gradient_of_scatter("scatter_max", [0.0, 1.0], [1.0, 2.0]) == ([0, 1], [0, 1])


def test_a_function_applied_twice_has_the_derivative_of_itself_of_itself():
    def f(x):
        return lax.reduce_sum(lax.scatter_apply(x, TWICE, lax.sin, POINTS, update_shape=(2,)), (0,))

    x = np.array([0.5, 2.0])
    np.testing.assert_allclose(
        grad(f)(x), [np.cos(np.sin(0.5)) * np.cos(0.5), 1.0], rtol=1e-6
    )
    with pytest.raises(TypeError, match="Gather the elements, apply the function and scatter"):
        grad(lambda x: lax.real(f(x)))(x + 1j)
