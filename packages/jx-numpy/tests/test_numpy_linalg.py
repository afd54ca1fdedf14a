"""Norms and products of matrices against NumPy's."""

import numpy as np
import pytest

import jx_ad
from jx_numpy import linalg

rng = np.random.default_rng(1)
X = rng.standard_normal((4, 3, 5)).astype(np.float32)


def close(got, want):
    assert got.shape == np.shape(want)
    np.testing.assert_allclose(np.asarray(got), want, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("order", [None, 2, 1, 0, 3, 0.5, np.inf, -np.inf, -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_vector_norm(order, keepdims):
    want = np.linalg.norm(X, order, axis=1, keepdims=keepdims)
    close(linalg.norm(X, order, axis=1, keepdims=keepdims), want)
    if order is not None:
        close(linalg.vector_norm(X, axis=1, keepdims=keepdims, ord=order), want)


@pytest.mark.parametrize("order", [None, "fro", 1, -1, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [(0, 1), (2, 0), (-1, -2)])
def test_matrix_norm(order, axis):
    close(linalg.norm(X, order, axis=axis), np.linalg.norm(X, order, axis=axis))


def test_norm_of_the_whole_array():
    close(linalg.norm(X), np.linalg.norm(X))
    close(linalg.norm((X + 1j * X)[0]), np.linalg.norm((X + 1j * X)[0]))
    close(linalg.norm(np.arange(4)), np.linalg.norm(np.arange(4)))


def test_the_gradient_of_a_norm_at_zero_is_zero():
    zero = np.zeros(3, np.float32)
    assert np.asarray(jx_ad.grad(linalg.norm)(zero)).tolist() == [0, 0, 0]
    close(jx_ad.grad(linalg.norm)(np.float32([3, 4])), [0.6, 0.8])


def test_products_and_pieces():
    a = X[0] @ X[0].T
    close(linalg.matrix_power(a, 5), np.linalg.matrix_power(a, 5))
    close(linalg.matrix_power(a, 0), np.eye(3))
    close(linalg.multi_dot([X[0], X[1].T, X[2]]), np.linalg.multi_dot([X[0], X[1].T, X[2]]))
    close(linalg.multi_dot([X[0, 0], X[1].T, X[2, :, 0]]), X[0, 0] @ X[1].T @ X[2, :, 0])
    close(linalg.matrix_transpose(X), X.transpose(0, 2, 1))
    for k in (-4, -2, -1, 0, 1, 3, 6):
        close(linalg.diagonal(X, offset=k), np.diagonal(X, k, 1, 2))
        close(linalg.trace(X, offset=k), np.trace(X, k, 1, 2))


def test_errors_say_what_was_got():
    with pytest.raises(ValueError, match="Invalid order 'odd' for matrix norm"):
        linalg.norm(X[0], "odd")
    with pytest.raises(ValueError, match=r"square matrices, got shape \(3, 5\)"):
        linalg.matrix_power(X[0], 2)
    with pytest.raises(ValueError, match="axis 3 is out of range"):
        linalg.norm(X, axis=3)
