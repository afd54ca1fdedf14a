"""`jx.numpy.linalg` against NumPy's, and its derivatives, at singular matrices too."""

from __future__ import annotations

import re

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx.numpy import linalg
from jx.test_util import check_grads
from jx_core import backend

draw = np.random.default_rng(0)
REAL = draw.normal(size=(3, 5, 5))
COMPLEX = REAL + 1j * draw.normal(size=(3, 5, 5))
RIGHT = draw.normal(size=(3, 5, 2))
RANK_3 = draw.normal(size=(4, 3)) @ draw.normal(size=(3, 4))
RANK_2 = draw.normal(size=(4, 2)) @ draw.normal(size=(2, 4))

both = pytest.mark.parametrize("a", [REAL, COMPLEX], ids=["real", "complex"])


@pytest.fixture(autouse=True)
def in_64_bits():
    with jx.enable_x64(True):
        yield


def close(got, want, tol=1e-9):
    np.testing.assert_allclose(got, want, rtol=tol, atol=tol)


def adjoint(x):
    return np.asarray(x).conj().swapaxes(-1, -2)


def positive(a):
    return a @ adjoint(a)


@both
@pytest.mark.parametrize("n", range(6))
def test_determinants(a, n):
    a = a[:, :n, :n]
    close(linalg.det(a), np.linalg.det(a))
    for method in (None, "lu", "qr"):
        sign, log = linalg.slogdet(a, method=method)
        want = np.linalg.slogdet(a)
        close(sign, want.sign)
        close(log, want.logabsdet)


def test_the_logarithm_of_a_determinant_neither_overflows_nor_underflows():
    sign, log = linalg.slogdet(-1e-200 * np.eye(5))
    close(sign, -1)
    close(log, 5 * np.log(1e-200))
    sign, log = linalg.slogdet(np.zeros((3, 3)))
    assert float(sign) == 0 and float(log) == -np.inf


@both
def test_solutions_and_inverses(a):
    close(linalg.inv(a), np.linalg.inv(a))
    close(linalg.solve(a, RIGHT), np.linalg.solve(a, RIGHT))
    close(linalg.solve(a[0], RIGHT), np.linalg.solve(a[0], RIGHT))
    close(linalg.solve(a, RIGHT[0, :, 0]), np.linalg.solve(a, RIGHT[0, :, 0]))
    close(linalg.matrix_power(a, -3), np.linalg.matrix_power(a, -3))


def test_tensor_equations():
    a = draw.normal(size=(2, 3, 6))
    b = np.ones((2, 3))
    close(linalg.tensorinv(a), np.linalg.tensorinv(a))
    close(linalg.tensorsolve(a, b), np.linalg.tensorsolve(a, b))
    b = np.ones((4, 2))
    a = draw.normal(size=(8, 4, 2))
    close(linalg.tensorsolve(a, b, axes=(0,)), np.linalg.tensorsolve(a, b, axes=(0,)))


@both
def test_decompositions_give_the_matrix_back(a):
    h = positive(a)
    close(linalg.cholesky(h), np.linalg.cholesky(h))
    close(linalg.cholesky(h, upper=True), adjoint(np.linalg.cholesky(h)))
    values, vectors = linalg.eigh(h)
    close(values, np.linalg.eigvalsh(h))
    close((vectors * np.asarray(values)[:, None]) @ adjoint(vectors), h)
    values, vectors = linalg.eig(a)
    close(a @ np.asarray(vectors), np.asarray(vectors) * np.asarray(values)[:, None])
    for mode in ("reduced", "complete"):
        q, r = linalg.qr(a[..., :3], mode)
        close(np.asarray(q) @ np.asarray(r), a[..., :3])
        close(np.triu(r), r)
    close(linalg.qr(a[..., :3], "r"), linalg.qr(a[..., :3]).R)
    for full in (True, False):
        u, s, vh = linalg.svd(a[..., :3], full_matrices=full)
        close((np.asarray(u)[..., :3] * np.asarray(s)[:, None]) @ np.asarray(vh), a[..., :3])
    close(linalg.svdvals(a), np.linalg.svd(a, compute_uv=False))


@both
def test_hermitian_matrices_have_a_shorter_way(a):
    h = a + adjoint(a)  # neither positive nor negative
    u, s, vh = linalg.svd(h, hermitian=True)
    close(s, np.linalg.svd(h, compute_uv=False))
    close((np.asarray(u) * np.asarray(s)[:, None]) @ np.asarray(vh), h)
    close(linalg.svd(h, compute_uv=False, hermitian=True), s)
    close(linalg.pinv(h, hermitian=True), np.linalg.pinv(h))
    lower = np.tril(h)
    close(linalg.eigvalsh(lower, symmetrize_input=False), np.linalg.eigvalsh(h))
    close(linalg.eigvalsh(np.triu(h), "U", symmetrize_input=False), np.linalg.eigvalsh(h))


@both
def test_ranks_and_pseudo_inverses(a):
    low = a[0, :, :3] @ np.ones((3, 3))
    assert int(linalg.matrix_rank(low)) == 1
    np.testing.assert_array_equal(linalg.matrix_rank(a), [5, 5, 5])
    assert int(linalg.matrix_rank(np.diag([1.0, 1e-3]), rtol=1e-2)) == 1
    assert int(linalg.matrix_rank(np.zeros(3))) == 0
    close(linalg.pinv(a[..., :3]), np.linalg.pinv(a[..., :3]))
    close(linalg.pinv(low), np.linalg.pinv(low, rcond=1e-12))


@both
@pytest.mark.parametrize("p", [None, 2, -2, 1, -1, np.inf, -np.inf, "fro"])
def test_condition_numbers(a, p):
    close(linalg.cond(a, p), np.linalg.cond(a, p))


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (2, 0, 4)])
def test_matrices_without_elements_have_no_condition_number(shape):
    with pytest.raises(ValueError, match=rf"cond: .*got shape {re.escape(str(shape))}"):
        linalg.cond(np.zeros(shape))


def test_the_condition_of_a_singular_matrix_is_infinite():
    for p in (None, 1):
        assert float(linalg.cond(np.zeros((2, 2)), p)) == np.inf
    assert np.isnan(float(linalg.cond(np.full((2, 2), np.nan))))


@both
@pytest.mark.parametrize("order", [2, -2, "nuc", "fro", 1, np.inf])
def test_norms_of_matrices(a, order):
    close(linalg.norm(a, order, axis=(0, 2)), np.linalg.norm(a, order, axis=(0, 2)))
    close(linalg.matrix_norm(a, ord=order), np.linalg.matrix_norm(a, ord=order))


@pytest.mark.parametrize("rcond", [None, 0.5])
def test_least_squares(rcond):
    a, b = REAL[0, :, :3], RIGHT[0]
    for right in (b, b[:, 0]):
        got = linalg.lstsq(a, right, rcond)
        want = np.linalg.lstsq(a, right, rcond)
        close(got[0], want[0])
        close(got[2], want[2])
        close(got[3], want[3])
        if rcond is None:
            close(got[1], want[1])
    wide = linalg.lstsq(a.T, np.ones(3))
    close(wide[0], np.linalg.lstsq(a.T, np.ones(3), None)[0])
    assert linalg.lstsq(a.T, np.ones(3), numpy_resid=True)[1].shape == (0,)


FUNCTIONS = {
    "solve": (linalg.solve, REAL[0, :4, :4], RIGHT[0, :4]),
    "inv": (linalg.inv, REAL[0, :4, :4]),
    "det": (linalg.det, REAL[0, :4, :4]),
    "det of 3 by 3": (linalg.det, REAL[0, :3, :3]),
    "det at the identity": (linalg.det, np.eye(4)),
    "slogdet": (lambda a: linalg.slogdet(a)[1], REAL[0]),
    "slogdet, complex": (linalg.slogdet, COMPLEX[0, :3, :3]),
    "pinv": (linalg.pinv, REAL[0, :4, :2]),
    "pinv, wide": (linalg.pinv, REAL[0, :2, :4]),
    "lstsq": (lambda a, b: linalg.lstsq(a, b)[0], REAL[0, :, :2], RIGHT[0]),
    "matrix_power": (lambda a: linalg.matrix_power(a, -2), REAL[0, :3, :3] + 4 * np.eye(3)),
    "nuclear norm": (lambda a: linalg.norm(a, "nuc"), REAL[0, :3, :3]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_first_and_second_derivatives(name):
    f, *args = FUNCTIONS[name]
    check_grads(f, args, 2, eps=1e-4)


@pytest.mark.parametrize("a", [RANK_3, RANK_2, np.zeros((4, 4)), np.diag([1.0, 2.0, 0.0, 3.0])])
def test_the_derivative_of_a_determinant_at_a_singular_matrix_is_its_cofactors(a):
    def cofactor(i, j):
        minor = np.delete(np.delete(a, i, 0), j, 1)
        return (-1) ** (i + j) * np.linalg.det(minor)

    want = [[cofactor(i, j) for j in range(4)] for i in range(4)]
    close(jx.grad(linalg.det)(a), want)
    close(jx.jit(jx.grad(linalg.det))(a), want)


def test_they_are_compiled_and_batched():
    a, b = jnp.asarray(REAL), jnp.asarray(RIGHT)
    close(jx.jit(linalg.solve)(a, b), np.linalg.solve(REAL, RIGHT))
    close(jx.vmap(linalg.solve)(a, b), np.linalg.solve(REAL, RIGHT))
    close(jx.vmap(linalg.det)(a), np.linalg.det(REAL))
    close(jx.vmap(jx.grad(lambda a: linalg.slogdet(a)[1]))(a), np.linalg.inv(REAL).swapaxes(1, 2))


def test_they_run_on_the_numpy_back_end():
    with backend.use("numpy"):
        close(linalg.solve(REAL, RIGHT), np.linalg.solve(REAL, RIGHT))
        close(linalg.det(COMPLEX), np.linalg.det(COMPLEX))
        close(linalg.pinv(REAL[..., :3]), np.linalg.pinv(REAL[..., :3]))


def test_errors_say_what_was_got():
    with pytest.raises(ValueError, match=r"inv takes square matrices.*got \(3, 5, 2\)"):
        linalg.inv(RIGHT)
    with pytest.raises(ValueError, match=r"det takes arrays of matrices.*got \(5,\)"):
        linalg.det(np.ones(5))
    with pytest.raises(ValueError, match=r"b must be of shape \(5,\) or .*got \(4,\)"):
        linalg.solve(REAL, np.ones(4))
    with pytest.raises(ValueError, match=r"leading axes of a.*\(3, 5, 5\).*\(2, 5, 1\)"):
        linalg.solve(REAL, np.ones((2, 5, 1)))
    with pytest.raises(ValueError, match="mode must be .* got 'wide'"):
        linalg.qr(REAL, "wide")
    with pytest.raises(ValueError, match="UPLO must be 'L', 'U' or None, got 'M'"):
        linalg.eigh(REAL, "M")
    with pytest.raises(ValueError, match=r"lstsq: a must be of shape \(m, n\)"):
        linalg.lstsq(REAL, RIGHT)
    with pytest.raises(ValueError, match="method must be 'lu' or 'qr'"):
        linalg.slogdet(REAL, method="ql")
