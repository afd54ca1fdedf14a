"""Spectral decompositions beside SciPy's, their conventions, and derivatives at the edges."""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.linalg

import jx_xla  # noqa: F401  the back end under test
from jx_ad import grad, jvp
from jx_core import backend, jit, lax
from jx_core.config import enable_x64
from jx_xla.lowering.tables import platform_rules

linalg = lax.linalg
DTYPES = ["float32", "float64", "complex64", "complex128"]


@pytest.fixture(autouse=True)
def all_dtypes():
    with enable_x64(True):
        yield


@pytest.fixture(params=["numpy", "xla"])
def each_back_end(request):
    with backend.use(request.param):
        yield


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


def random(shape, dtype, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal(shape)
    if dtype.startswith("complex"):
        x = x + 1j * generator.standard_normal(shape)
    return x.astype(dtype)


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def close(got, want, dtype, factor=1000):
    tolerance = factor * np.finfo(dtype).eps
    np.testing.assert_allclose(np.asarray(got), want, rtol=tolerance, atol=tolerance)


def arrays(results):
    return [np.asarray(x) for x in results]


# --- values ---


@pytest.mark.usefixtures("each_back_end")
@pytest.mark.parametrize("lower", [True, False])
def test_eigh_reads_one_triangle(dtype, lower):
    x = random((12, 12), dtype)
    triangle = np.tril(x) if lower else np.triu(x)
    beyond = np.triu(np.ones(x.shape), 1) if lower else np.tril(np.ones(x.shape), -1)
    operand = np.where(beyond, np.nan, x)
    v, w = arrays(linalg.eigh(operand.astype(dtype), lower=lower, symmetrize_input=False))
    close(w, scipy.linalg.eigvalsh(x, lower=lower), dtype)
    close(adjoint(v) @ v, np.eye(12), dtype)
    whole = triangle + adjoint(triangle)
    np.fill_diagonal(whole, np.real(np.diag(x)))
    close(whole @ v, v * w, dtype)


@pytest.mark.usefixtures("each_back_end")
def test_eig_normalizes_both_kinds_of_vectors_as_lapack_does(dtype):
    x = random((12, 12), dtype)
    w, left, right = arrays(linalg.eig(x))
    close(np.sort_complex(w), np.sort_complex(scipy.linalg.eigvals(x)), dtype)
    close(x @ right, right * w, dtype)
    close(adjoint(left) @ x, w[:, None] * adjoint(left), dtype)
    for v in (left, right):
        close(np.linalg.norm(v, axis=0), np.ones(12), dtype)
        greatest = np.take_along_axis(v, np.abs(v).argmax(0)[None], 0)
        assert np.abs(greatest.imag).max() < 1e-6


@pytest.mark.parametrize(
    "x", [[[2, 1], [0, 2]], [[0, 1, 0], [0, 0, 1], [0, 0, 0]], [[1, 0], [0, 1]], [[1, 1], [1, 1]]]
)
@pytest.mark.usefixtures("each_back_end")
def test_matrices_without_a_basis_of_eigenvectors_have_some(x):
    x = np.float64(x)
    w, left, right = arrays(linalg.eig(x))
    close(x @ right, right * w, "float64")
    close(adjoint(left) @ x, w[:, None] * adjoint(left), "float64")


@pytest.mark.usefixtures("each_back_end")
@pytest.mark.parametrize("shape", [(9, 9), (12, 5), (5, 12)])
@pytest.mark.parametrize("full", [True, False])
def test_svd_in_all_its_modes(dtype, shape, full):
    x, k = random(shape, dtype), min(shape)
    for algorithm in (None, linalg.SvdAlgorithm.QR):
        u, s, vh = arrays(linalg.svd(x, full_matrices=full, algorithm=algorithm))
        close(s, scipy.linalg.svdvals(x), dtype)
        close(linalg.svd(x, compute_uv=False, algorithm=algorithm), s, dtype)
        close((u[:, :k] * s) @ vh[:k], x, dtype)
        close(adjoint(u) @ u, np.eye(u.shape[1]), dtype)
        close(vh @ adjoint(vh), np.eye(len(vh)), dtype)
    part = arrays(linalg.svd(x, full_matrices=False, subset_by_index=(1, 3)))
    close((part[0] * part[1]) @ part[2], (u[:, 1:3] * s[1:3]) @ vh[1:3], dtype)


@pytest.mark.parametrize("algorithm", [linalg.SvdAlgorithm.QR, linalg.SvdAlgorithm.POLAR])
def test_svd_of_zeros_and_of_low_rank_has_orthonormal_vectors(algorithm):
    low = np.outer(np.arange(1.0, 6), np.arange(1.0, 5))
    for x in (np.zeros((5, 4)), low, np.full((5, 4), np.nan)):
        u, s, vh = arrays(linalg.svd(x, full_matrices=False, algorithm=algorithm))
        if np.isnan(x).any():
            assert all(np.isnan(y).all() for y in (u, s, vh))
            continue
        close(adjoint(u) @ u, np.eye(4), "float64")
        close((u * s) @ vh, x, "float64", 1e5)


def standardized(t):
    """Whether a real matrix is in the form that LAPACK gives to Schur forms."""
    n = len(t)
    pairs = [k for k in range(n - 1) if t[k + 1, k] != 0]
    return np.all(np.tril(t, -2) == 0) and all(
        t[k, k] == t[k + 1, k + 1] and t[k, k + 1] * t[k + 1, k] < 0 and k + 1 not in pairs
        for k in pairs
    )


def check_schur(t, q, x, dtype):
    close(q @ t @ adjoint(q), x, dtype)
    close(adjoint(q) @ q, np.eye(len(x)), dtype)
    assert np.all(np.tril(t, -1) == 0) if dtype.startswith("complex") else standardized(t)


MATRICES = {
    "random": lambda dtype: random((10, 10), dtype),
    "permutation": lambda dtype: np.roll(np.eye(5), 1, 0).astype(dtype),
    "defective": lambda dtype: (np.eye(4) + np.eye(4, k=1)).astype(dtype),
    "rank one": lambda dtype: np.ones((4, 4), dtype),
    "lower": lambda dtype: np.tril(random((6, 6), dtype)),
    "zero": lambda dtype: np.zeros((3, 3), dtype),
}


@pytest.mark.usefixtures("each_back_end")
@pytest.mark.parametrize("name", MATRICES)
def test_schur_forms_are_triangular_but_for_standard_blocks(dtype, name):
    x = MATRICES[name](dtype)
    check_schur(*arrays(linalg.schur(x)), x, dtype)


@pytest.mark.usefixtures("each_back_end")
def test_reductions_are_those_of_scipy(dtype):
    x = random((7, 7), dtype)
    packed, taus = arrays(linalg.hessenberg(x))
    h, q = scipy.linalg.hessenberg(x, calc_q=True)
    close(np.triu(packed, -1), h, dtype)
    product = np.asarray(linalg.householder_product(packed[1:, :-1], taus))
    close(product, q[1:, 1:], dtype)
    for lower in (True, False):
        _, d, e, _ = arrays(linalg.tridiagonal(np.tril(x) if lower else np.triu(x), lower=lower))
        triangle = np.tril(x) if lower else np.triu(x)
        want = scipy.linalg.eigvalsh(triangle, lower=lower)
        close(scipy.linalg.eigvalsh_tridiagonal(d.astype(float), e.astype(float)), want, dtype)


@pytest.mark.usefixtures("each_back_end")
@pytest.mark.parametrize("shape", [(8, 3)])
def test_polar_factors_are_those_of_scipy(dtype, shape):
    x = random(shape, dtype)
    u, h, steps, converged = arrays(linalg.qdwh(x))
    close(u, scipy.linalg.polar(x)[0], dtype, 2000)
    close(h, scipy.linalg.polar(x)[1], dtype, 2000)
    assert converged and 0 < steps <= 7
    _, _, steps, converged = arrays(linalg.qdwh(x, max_iterations=2))
    assert steps == 2 and not converged


@pytest.mark.usefixtures("each_back_end")
def test_polar_decomposition_of_a_corner(dtype):
    x = random((6, 5), dtype)
    u, h, _, _ = arrays(linalg.qdwh(x, dynamic_shape=(np.int32(4), np.int32(3))))
    want_u, want_h = scipy.linalg.polar(x[:4, :3])
    close(u[:4, :3], want_u, dtype, 2000)
    close(h[:3, :3], want_h, dtype, 2000)
    assert not u[4:].any() and not u[:, 3:].any()


# --- what platforms without native functions do, on this one ---


@pytest.fixture
def without_native_functions(monkeypatch):
    """Programs for the CPU are lowered as for a TPU; XLA knows the custom calls here, too."""
    for primitive in (
        linalg.eig_p, linalg.eigh_p, linalg.hessenberg_p, linalg.schur_p, linalg.svd_p,
        linalg.tridiagonal_p,
    ):  # fmt: skip
        monkeypatch.delitem(platform_rules["cpu"].rules, primitive)


@pytest.mark.usefixtures("without_native_functions")
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_decompositions_by_operations(dtype):
    x = random((2, 5, 5), dtype)

    def everything(x):
        return (
            linalg.eigh(x), linalg.svd(x), linalg.hessenberg(x), linalg.tridiagonal(x),
            linalg.schur(x), linalg.eig(x),
        )  # fmt: skip

    eigh, svd, hessenberg, tridiagonal, schur, eig = map(arrays, jit(everything)(x))
    v, w = eigh  # XLA's rotations end early in double precision
    close((v * w[:, None]) @ adjoint(v), (x + adjoint(x)) / 2, "float32")
    u, s, vh = svd
    close((u * s[:, None]) @ vh, x, "float32")
    with backend.use("numpy"):
        for got, want in zip(hessenberg, linalg.hessenberg(x), strict=True):
            close(got, np.asarray(want), dtype)
        for got, want in zip(tridiagonal, linalg.tridiagonal(x), strict=True):
            close(got, np.asarray(want), dtype)
    for t, q, matrix in zip(*schur, x, strict=True):
        check_schur(t, q, matrix, dtype)
    w, left, right = eig
    close(x @ right, right * w[:, None], dtype)
    close(adjoint(left) @ x, w[..., None] * adjoint(left), dtype)


def lowered(fun, platform, *operands):
    return jit(fun).trace(*operands).lower(lowering_platforms=(platform,)).as_text()


@pytest.mark.parametrize(
    ("fun", "target"),
    [
        (linalg.eigh, "cusolver_syevd_ffi"),
        (lambda x: linalg.svd(x), "cusolver_gesvdj_ffi"),
        (lambda x: linalg.svd(x, algorithm=linalg.SvdAlgorithm.QR), "cusolver_gesvd_ffi"),
        (lambda x: linalg.svd(x, algorithm=linalg.SvdAlgorithm.POLAR), "cusolver_gesvdp_ffi"),
        (linalg.tridiagonal, "cusolver_sytrd_ffi"),
        (linalg.eig, "cuhybrid_eig_real"),
        (
            lambda x: linalg.eig(
                x,
                compute_left_eigenvectors=False,
                implementation=linalg.EigImplementation.CUSOLVER,
            ),
            "cusolver_geev_ffi",
        ),
    ],
)
def test_what_gpus_call(fun, target):
    assert f"@{target}(" in lowered(fun, "cuda", np.zeros((2, 4, 4), np.float32))


def test_wide_matrices_go_to_the_gpu_as_their_transposes():
    wide = np.zeros((3, 2000), np.float32)
    text = lowered(lambda x: linalg.svd(x, full_matrices=False), "cuda", wide)
    (call,) = [line for line in text.splitlines() if "cusolver_gesvd_ffi" in line]
    assert "transposed = true" in call and "dense<[1, 0]> : tensor<2xindex>" in call


def test_tpus_have_what_xla_expands():
    x = np.zeros((4, 4), np.float32)
    assert "@Eigh(" in lowered(linalg.eigh, "tpu", x)
    assert {"@Eigh(", "@Qr("} <= set(re.findall(r"@\w+\(", lowered(linalg.svd, "tpu", x)))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda x: linalg.eigh(x, implementation=linalg.EighImplementation.JACOBI),
            "JACOBI is not available on cpu, which has EighImplementation.QR",
        ),
        (
            lambda x: linalg.svd(x, algorithm=linalg.SvdAlgorithm.JACOBI),
            "JACOBI is not available on cpu, which has SvdAlgorithm.DEFAULT, SvdAlgorithm.QR",
        ),
        (
            lambda x: linalg.eig(x, implementation=linalg.EigImplementation.MAGMA),
            "MAGMA is not available on cpu",
        ),
    ],
)
def test_algorithms_that_a_platform_does_not_have_are_refused(call, text):
    with pytest.raises(NotImplementedError, match=text):
        call(np.eye(2))


# --- derivatives at the edges ---


@pytest.mark.usefixtures("each_back_end")
def test_symmetric_functions_of_equal_eigenvalues_have_their_gradients():
    x = np.diag([2.0, 2.0, 5.0])

    def power(x):
        v, w = linalg.eigh(x)
        return lax.reduce_sum(w * w * w, (0,)) + 0.0 * lax.reduce_sum(v, (0, 1))

    close(grad(power)(x), 3 * x @ x, "float64")

    def trace(x):
        (w,) = linalg.eig(x, compute_left_eigenvectors=False, compute_right_eigenvectors=False)
        return lax.reduce_sum(lax.real(w * w), (0,))

    close(grad(trace)(x), 2 * x, "float64")


@pytest.mark.usefixtures("each_back_end")
def test_the_projector_onto_an_eigenspace_has_its_derivative():
    x, t = np.diag([2.0, 2.0, 5.0]), random((3, 3), "float64")
    t = t + t.T

    def projector(x):
        v, _ = linalg.eigh(x, subset_by_index=(0, 2))
        return lax.batch_matmul(v, lax.transpose(v, (1, 0)))

    _, moved = jvp(projector, (x,), (t,))
    want = np.zeros((3, 3))
    want[:2, 2] = want[2, :2] = t[:2, 2] / (2.0 - 5.0)
    close(moved, want, "float64")


@pytest.mark.usefixtures("each_back_end")
@pytest.mark.parametrize("full", [True, False])
def test_singular_values_that_are_zero_or_equal_give_no_nan(full):
    def total(x):
        u, s, vh = linalg.svd(x, full_matrices=full)
        rest = lax.reduce_sum(u, (0, 1)) + lax.reduce_sum(vh, (0, 1))
        return lax.reduce_sum(s, (0,)) + 0.0 * rest

    for shape in ((3, 3), (4, 2), (2, 4)):
        assert np.isfinite(np.asarray(grad(total)(np.zeros(shape)))).all()
        x = 3 * np.eye(*shape)
        close(grad(total)(x), np.eye(*shape), "float64")  # the derivative of the nuclear norm


@pytest.mark.usefixtures("each_back_end")
def test_only_the_triangle_that_is_read_gets_a_gradient():
    def greatest(x):
        _, w = linalg.eigh(x, lower=False, symmetrize_input=False)
        return lax.reduce_sum(lax.slice(w, (2,), (3,)), (0,))

    gradient = np.asarray(grad(greatest)(random((3, 3), "float64")))
    assert not np.tril(gradient, -1).any() and gradient[np.triu_indices(3)].all()


@pytest.mark.usefixtures("each_back_end")
def test_eigenvectors_are_differentiated_on_demand_alone():
    x = random((3, 3), "float64")

    def total(x, **options):
        return lax.reduce_sum(lax.abs(linalg.eig(x, **options)[1]), (0, 1))

    with pytest.raises(NotImplementedError, match="enable_eigvec_derivs=True"):
        grad(total)(x)
    assert np.isfinite(np.asarray(grad(lambda x: total(x, enable_eigvec_derivs=True))(x))).all()


def test_schur_says_why_it_has_no_derivative():
    with pytest.raises(NotImplementedError, match="eig and eigh are differentiated"):
        jvp(lambda x: linalg.schur(x)[0], (np.eye(2),), (np.eye(2),))
