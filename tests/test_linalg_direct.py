"""Factorisations and solvers beside SciPy's, on both back ends."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import jx_xla  # noqa: F401  the back end under test
from jx_core import backend, jit, lax
from jx_core.config import enable_x64

linalg = lax.linalg
SHAPES = [(5, 5), (6, 4), (4, 6)]


@pytest.fixture(params=["numpy", "xla"], autouse=True)
def each_back_end(request):
    with enable_x64(True), backend.use(request.param):
        yield


@pytest.fixture(params=["float32", "float64", "complex64", "complex128"])
def dtype(request):
    return request.param


def random(shape, dtype, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal(shape)
    if dtype.startswith("complex"):
        x = x + 1j * generator.standard_normal(shape)
    return x.astype(dtype)


def close(got, want, dtype, factor=200):
    tolerance = factor * np.finfo(dtype).eps
    np.testing.assert_allclose(np.asarray(got), want, rtol=tolerance, atol=tolerance)


def test_cholesky_factors(dtype):
    x = random((2, 5, 5), dtype)
    x = x @ np.conj(np.swapaxes(x, -1, -2)) + np.eye(5, dtype=dtype)
    close(linalg.cholesky(x), np.linalg.cholesky(x), dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_lu_factors_and_the_order_of_rows(shape, dtype):
    x, k = random(shape, dtype), min(shape)
    packed, _, order = map(np.asarray, linalg.lu(x))
    _, lower, upper = scipy.linalg.lu(x)
    close(np.tril(packed, -1)[:, :k] + np.eye(shape[0], k), lower, dtype)
    close(np.triu(packed)[:k], upper, dtype)
    close(x[order], lower @ upper, dtype)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_qr_factors(shape, full, dtype):
    x = random(shape, dtype)
    mode = "full" if full else "economic"
    for got, want in zip(linalg.qr(x, full_matrices=full), scipy.linalg.qr(x, mode=mode)):
        close(got, want, dtype)
    got = linalg.qr(x, full_matrices=full, pivoting=True)
    for a, b in zip(got, scipy.linalg.qr(x, mode=mode, pivoting=True), strict=True):
        close(a, b, dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_reflections_are_lapacks(shape, dtype):
    x = random(shape, dtype)
    packed, taus = linalg.geqrf(x)
    (want, want_taus), _ = scipy.linalg.qr(x, mode="raw")
    close(packed, want, dtype)
    close(taus, want_taus, dtype)
    q, c = scipy.linalg.qr(x)[0], random((shape[0], 3), dtype, 1)
    close(linalg.ormqr(packed, taus, c), q @ c, dtype)
    close(linalg.ormqr(packed, taus, c, transpose=True), np.conj(q.T) @ c, dtype)
    close(linalg.ormqr(packed, taus, c.T, left=False), c.T @ q, dtype)


def test_pivoting_by_operations_is_what_the_libraries_do(dtype):
    """The form for platforms without a library; columns may be fixed in front."""
    for shape, fixed in (((2, 4, 3), True), ((3, 4), False)):
        x = random(shape, dtype)
        jpvt = np.broadcast_to(np.arange(shape[-1]) % 2 * fixed, (*shape[:-2], shape[-1]))
        jpvt = jpvt.astype(np.int32)
        composed = jit(lambda *xs: linalg.geqp3_p.decompose(*xs, use_magma=None))(x, jpvt)
        for got, want in zip(composed, linalg.geqp3(x, jpvt), strict=True):
            close(got, np.asarray(want), dtype)


@pytest.mark.parametrize("perturb", [False, True])
def test_tridiagonal_systems(perturb, dtype):
    dl, d, du = (random((2, 6), dtype, seed) for seed in range(3))
    b = random((2, 6, 3), dtype, 3)
    x = np.asarray(linalg.tridiagonal_solve(dl, d, du, b, perturb_singular=perturb))
    for i in range(2):
        a = np.diag(d[i]) + np.diag(dl[i, 1:], -1) + np.diag(du[i, :-1], 1)
        close(a @ x[i], b[i], dtype, 1000)


def test_singular_tridiagonal_systems_have_a_solution_where_asked_for():
    zero, b = np.zeros(3), np.ones((3, 1))
    d = np.array([1.0, 0.0, 1.0])
    assert not np.isfinite(np.asarray(linalg.tridiagonal_solve(zero, d, zero, b))).all()
    x = np.asarray(linalg.tridiagonal_solve(zero, d, zero, b, perturb_singular=True))
    assert np.isfinite(x).all() and abs(x[1]) > 1e12


def test_updates_of_cholesky_factors():
    for dtype in ("float32", "float64"):
        r, w = np.triu(random((2, 4, 4), dtype)), random((2, 4), dtype, 1)
        out = np.asarray(linalg.cholesky_update(r, w))
        want = np.swapaxes(r, -1, -2) @ r + w[..., :, None] * w[..., None, :]
        close(np.swapaxes(out, -1, -2) @ out, want, dtype, 1000)
        assert np.array_equal(out, np.triu(out))


def test_only_one_triangle_is_read():
    x = np.float64([[4, np.nan], [2, 5]])
    assert np.isfinite(np.asarray(linalg.cholesky(x, symmetrize_input=False))).all()
    b = np.ones((2, 1))
    assert np.isfinite(np.asarray(linalg.triangular_solve(x, b, left_side=True, lower=True))).all()


@pytest.mark.parametrize("perturb", [False, True])
def test_tridiagonal_systems_by_operations_are_those_of_the_libraries(perturb, dtype):
    """Without a dominant diagonal, so that rows have to be exchanged; NaN where it is singular."""
    for m in (1, 2, 6):
        a = [random((2, m), dtype, seed) for seed in range(3)] + [random((2, m, 3), dtype, 3)]
        if not perturb:
            a[1][1], a[0][1] = 0, 0
        composed = jit(
            lambda *xs: linalg.tridiagonal_solve_p.decompose(*xs, perturb_singular=perturb)
        )(*a)
        want = np.asarray(linalg.tridiagonal_solve(*a, perturb_singular=perturb))
        close(composed, want, dtype, 2000)
        assert np.isnan(want[1]).all() != perturb


@pytest.mark.parametrize("shape", [(5, 5), (6, 4), (2, 4, 3), (3, 0)])
def test_products_of_reflections_by_operations_are_those_of_the_libraries(shape, dtype):
    packed, taus = linalg.geqrf(random(shape, dtype))
    got = linalg.householder_product_p.decompose(packed, taus)
    close(got, np.asarray(linalg.householder_product(packed, taus)), dtype)
    c = random((*shape[:-2], shape[-2], 2), dtype, 1)
    for transpose in (False, True):
        params = {"left": True, "transpose": transpose}
        got = linalg.ormqr_p.decompose(packed, taus, c, **params)
        close(got, np.asarray(linalg.ormqr(packed, taus, c, **params)), dtype)
