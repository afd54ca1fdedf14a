"""The package's own tests: every layer gives what NumPy does, or what finite differences do."""

import jx_periodic
import numpy as np
import pytest

from jx_ad import grad, vjp
from jx_ad.testing import check_grads
from jx_batching import vmap
from jx_core import backend, jit, lax, make_jaxpr

X = np.arange(12, dtype=np.float32).reshape(3, 4) ** 2
OPERATIONS = {
    "shift": (lambda x: jx_periodic.shift(x, 3), lambda x: np.roll(x, 3, -1)),
    "laplacian": (
        jx_periodic.laplacian,
        lambda x: np.roll(x, 1, -1) + np.roll(x, -1, -1) - 2 * x,
    ),
}


@pytest.fixture(params=OPERATIONS)
def operation(request):
    return OPERATIONS[request.param]


@pytest.mark.parametrize("x", [X, X[0], X[:0], X[:, :0]], ids=lambda x: str(x.shape))
def test_it_computes_what_numpy_does_on_every_back_end(operation, x):
    fun, expected = operation
    np.testing.assert_array_equal(fun(x), expected(x))
    np.testing.assert_array_equal(jit(fun)(x), expected(x))
    with backend.use("numpy"):
        np.testing.assert_array_equal(fun(x), expected(x))


@pytest.mark.parametrize("axis", [0, 1])
def test_batches_are_their_rows(operation, axis):
    fun, expected = operation
    rows = np.moveaxis(X, axis, 0)
    np.testing.assert_array_equal(vmap(fun, in_axes=axis)(X), np.stack([*map(expected, rows)]))


def test_derivatives_are_those_of_finite_differences(operation):
    fun, _ = operation
    check_grads(lambda x: lax.mul(fun(x), fun(x)), (X[0] / 100,), order=2)


def test_transformations_compose(operation):
    fun, _ = operation

    def energy(x):
        return lax.reduce_sum(lax.mul(fun(x), fun(x)), (0,))

    got = jit(vmap(grad(energy)))(X)
    np.testing.assert_allclose(got, np.stack([grad(energy)(row) for row in X]), rtol=1e-6)
    (back,) = vjp(fun, X)[1](X)
    np.testing.assert_allclose(np.sum(back * X), np.sum(fun(X) * X), rtol=1e-6)


def test_programs_show_it_as_one_operation():
    text = str(make_jaxpr(lambda x: jx_periodic.laplacian(jx_periodic.shift(x, 3)))(X))
    assert "shift[by=3] a" in text and "laplacian b" in text


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="must have a last axis"):
        jx_periodic.shift(1.0, 1)
    with pytest.raises(TypeError, match="must be floats"):
        jx_periodic.laplacian(np.arange(3))
