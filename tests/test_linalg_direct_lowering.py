"""Which functions factorisations are lowered to on each platform, and how they are called."""

from __future__ import annotations

import re

import numpy as np
import pytest

import jx_xla  # noqa: F401  the back end under test
from jx_core import jit, lax
from jx_core.config import enable_x64

linalg = lax.linalg
S = np.eye(3, dtype=np.float32)
V = S[0]
TALL = np.ones((2, 4, 3), np.float32)
PIVOTS = np.zeros((2, 3), np.int32)


def text(platform, fun, *args):
    return jit(fun).trace(*args).lower(lowering_platforms=(platform,)).as_text()


def targets(lowered):
    return re.findall(r'custom_call @(\w+)|call_target_name = "(\w+)"', lowered)


def called(platform, fun, *args):
    return [a or b for a, b in targets(text(platform, fun, *args))]


CALLS = {
    "cholesky": (linalg.cholesky, S),
    "lu": (linalg.lu, TALL),
    "permutation": (lambda p: linalg.lu_pivots_to_permutation(p, 4), PIVOTS),
    "qr": (linalg.qr, TALL),
    "pivoted qr": (lambda x: linalg.qr(x, pivoting=True), TALL),
    "ormqr": (linalg.ormqr, S, V, S),
    "triangular_solve": (linalg.triangular_solve, S, S),
    "cholesky_update": (linalg.cholesky_update, S, V),
    "updates": (linalg.cholesky_update, np.stack([S, S]), np.stack([V, V])),
    "tridiagonal_solve": (linalg.tridiagonal_solve, V, V, V, S),
    "small tridiagonal_solve": (linalg.tridiagonal_solve, V[:2], V[:2], V[:2], S[:2]),
    "perturbed": (lambda *a: linalg.tridiagonal_solve(*a, perturb_singular=True), V, V, V, S),
    "symmetric_product": (linalg.symmetric_product, S, S),
}
CPU = {
    "cholesky": ["lapack_spotrf_ffi"],
    "lu": ["lapack_sgetrf_ffi"],
    "permutation": [],
    "qr": ["lapack_sgeqrf_ffi", "lapack_sorgqr_ffi"],
    "pivoted qr": ["lapack_sgeqp3_ffi", "lapack_sorgqr_ffi"],
    "ormqr": ["lapack_sormqr_ffi"],
    "triangular_solve": ["lapack_strsm_ffi"],
    "cholesky_update": [],
    "updates": [],
    "tridiagonal_solve": ["lapack_sgtsv_ffi"],
    "small tridiagonal_solve": ["lapack_sgtsv_ffi"],
    "perturbed": ["tridiagonal_solve_perturbed_ffi"],
    "symmetric_product": [],
}
CUDA = {
    "cholesky": ["cusolver_potrf_ffi"],
    "lu": ["cusolver_getrf_ffi", "cu_lu_pivots_to_permutation"],
    "permutation": ["cu_lu_pivots_to_permutation"],
    "qr": ["cusolver_geqrf_ffi", "cusolver_orgqr_ffi"],
    "pivoted qr": ["cuhybrid_geqp3", "cusolver_orgqr_ffi"],
    "ormqr": ["cusolver_ormqr_ffi"],
    "triangular_solve": [],
    "cholesky_update": ["cu_cholesky_update_ffi"],
    "updates": [],
    "tridiagonal_solve": ["cusparse_gtsv2_ffi"],
    "small tridiagonal_solve": [],
    "perturbed": ["cu_tridiagonal_solve_perturbed"],
    "symmetric_product": [],
}
ROCM = {k: [re.sub("^cu", "hip", t) for t in v] for k, v in CUDA.items()} | {"cholesky_update": []}
TPU = dict.fromkeys(CALLS, []) | {
    "lu": ["LuDecomposition"],
    "qr": ["Qr", "ProductOfElementaryHouseholderReflectors"],
    "pivoted qr": ["ProductOfElementaryHouseholderReflectors"],
}
PLATFORMS = {"cpu": CPU, "cuda": CUDA, "rocm": ROCM, "tpu": TPU}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_native_functions(platform, name):
    fun, *args = CALLS[name]
    assert called(platform, fun, *args) == PLATFORMS[platform][name]


@pytest.mark.parametrize("platform", ["cuda", "rocm", "tpu"])
def test_xlas_own_operations(platform):
    assert "stablehlo.triangular_solve" in text(platform, linalg.triangular_solve, S, S)
    assert ("stablehlo.cholesky" in text(platform, linalg.cholesky, S)) == (platform == "tpu")


def test_lapack_is_asked_about_the_transposes_of_row_major_matrices():
    """So that nothing has to be turned round for it."""
    lowered = text("cpu", linalg.cholesky, S)
    assert "operand_layouts = [dense<[1, 0]>" in lowered and f"uplo = {ord('U')} : ui8" in lowered
    for left_side, side in ((True, "R"), (False, "L")):
        lowered = text(
            "cpu", lambda a, b, x=left_side: linalg.triangular_solve(a, b, left_side=x), S, S
        )
        assert f"side = {ord(side)} : ui8" in lowered and f"uplo = {ord('L')} : ui8" in lowered
        assert lowered.count("stablehlo.transpose") == 3


def test_letters_prefixes_and_words():
    z = np.eye(2, dtype=np.complex128)
    with enable_x64(True):
        assert called("cpu", linalg.qr, z) == ["lapack_zgeqrf_ffi", "lapack_zungqr_ffi"]
        assert called("cpu", linalg.ormqr, z, z[0], z) == ["lapack_zunmqr_ffi"]
    for use, word in ((None, "auto"), (True, "on"), (False, "off")):
        lowered = text("cuda", lambda x, u=use: linalg.qr(x, pivoting=True, use_magma=u), S)
        assert f'magma = "{word}"' in lowered


@pytest.mark.parametrize("platform", PLATFORMS)
def test_nothing_is_called_for_empty_matrices(platform):
    for shape in ((0, 3), (3, 0), (0, 2, 2)):
        x = np.zeros(shape, np.float32)
        assert not called(platform, lambda x: linalg.qr(x, pivoting=True), x)
        assert not called(platform, linalg.lu, x)
