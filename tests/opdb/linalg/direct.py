"""Samples of factorisations, and of what is solved with them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from jx_core import lax
from jx_core.errors import ShapeError

from ..sample import ErrorSample, Sample, array

linalg = lax.linalg
DTYPES = ("float32", "float64", "complex64", "complex128")
DOUBLE = ("float64", "complex128")


def matrix(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    """Random matrices that are far from singular."""
    x = array(shape, dtype, seed=seed)
    return np.asarray(x + 4 * np.eye(*shape[-2:])).astype(dtype)


def positive(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    """Random positive definite matrices, with nonsense in the triangle that is not read."""
    x = array(shape, dtype, seed=seed)
    square = x @ np.conj(np.swapaxes(x, -1, -2)) + 2 * np.eye(shape[-1])
    return np.asarray(np.tril(square) + np.triu(x, 1)).astype(dtype)


def reflections(m: int, n: int, dtype: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The packed form of a random matrix."""
    from jx_core import backend

    with backend.use("numpy"):
        packed, taus = linalg.geqrf(array((m, n), dtype, seed=seed))
        return np.asarray(packed), np.asarray(taus)


def samples() -> Iterator[Sample]:
    for dtype in DTYPES:
        yield from _cholesky(dtype)
        yield from _triangular(dtype)
        yield from _lu(dtype)
        yield from _qr(dtype)
        yield from _tridiagonal(dtype)
        for outer, inner in (((3,), 2), ((2, 3), 4), ((0,), 2), ((2,), 0)):
            shapes = (*outer, inner), (*outer, outer[-1])
            a, c = (array(s, dtype, seed=i) for i, s in enumerate(shapes))
            yield Sample(
                linalg.symmetric_product_p, (a, c), {"alpha": 2.0, "beta": 0.5}, moving=(0, 1),
                slack=16,
            )  # fmt: skip
    for pivots in (np.int32([2, 1, 2]), np.int64([[0, 3], [3, 3]]), np.uint8([1]), np.int32([])):
        for size in (4, 5):
            yield Sample(
                linalg.lu_pivots_to_permutation_p, (pivots,), {"permutation_size": size},
                others=(pivots[..., ::-1].copy(),),
            )  # fmt: skip


def _cholesky(dtype: str) -> Iterator[Sample]:
    for shape in ((3, 3), (2, 4, 4), (1, 1), (0, 0), (0, 2, 2)):
        x = positive(shape, dtype)
        yield Sample(
            linalg.cholesky_p, (x,), moving=(0,) if x.size else (), slack=64,
            others=(positive(shape, dtype, 1),),
        )  # fmt: skip
    bad = np.stack([np.eye(3), -np.eye(3), np.diag([1, 1, -1])]).astype(dtype)
    yield Sample(linalg.cholesky_p, (bad,), note="not positive definite")
    if dtype.startswith("float"):
        for batch in ((), (2,)):
            r, w = np.triu(matrix((*batch, 3, 3), dtype)), array((*batch, 3), dtype)
            yield Sample(linalg.cholesky_update_p, (r, w), moving=(0, 1), slack=32,
                         others=(np.triu(matrix((*batch, 3, 3), dtype, 1)), w[..., ::-1].copy()))
        yield Sample(linalg.cholesky_update_p, (np.eye(2, dtype=dtype), np.zeros(2, dtype)))


def _triangular(dtype: str) -> Iterator[Sample]:
    names = ("left_side", "lower", "transpose_a", "conjugate_a", "unit_diagonal")
    for flags in itertools.product((False, True), repeat=5):
        if flags[3] and not dtype.startswith("complex"):
            continue
        shape = (3, 2) if flags[0] else (2, 3)
        yield Sample(
            linalg.triangular_solve_p, (matrix((3, 3), dtype), array(shape, dtype)),
            dict(zip(names, flags, strict=True)), moving=(0, 1), slack=32,
            others=(matrix((3, 3), dtype, 1), array(shape, dtype, seed=1)),
        )  # fmt: skip
    plain = dict.fromkeys(names, False) | {"left_side": True}
    for outer, columns in (((2, 3), 1), ((0,), 2), ((2,), 0), ((0, 2), 1)):
        a, b = (*outer, outer[-1]), (*outer, columns)
        yield Sample(
            linalg.triangular_solve_p, (matrix(a, dtype), array(b, dtype)), plain, moving=(0, 1),
            slack=32, others=(matrix(a, dtype, 1), array(b, dtype, seed=1)),
        )  # fmt: skip


def _lu(dtype: str) -> Iterator[Sample]:
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 3), (1, 1), (0, 3), (3, 0), (0, 2, 2)):
        # No two entries are near to being the greatest of their column.
        x = array(shape, dtype, seed=3) + np.eye(*shape[-2:])[::-1] * 8
        yield Sample(
            linalg.lu_p, (x.astype(dtype),), moving=(0,) if x.size else (), slack=64, atol=1e-6,
        )  # fmt: skip
    yield Sample(linalg.lu_p, (np.zeros((2, 2), dtype),), note="singular")


def _qr(dtype: str) -> Iterator[Sample]:
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1), (0, 3), (3, 0), (0, 2, 2)):
        x = matrix(shape, dtype)
        for pivoting, full in itertools.product((False, True), repeat=2):
            params = {"pivoting": pivoting, "full_matrices": full, "use_magma": None}
            yield Sample(
                linalg.qr_p, (x,), params, moving=(0,) if x.size else (), slack=64, atol=1e-6,
                others=(matrix(shape, dtype, 1),),
            )  # fmt: skip
        moving, other = (0,) if x.size else (), matrix(shape, dtype, 1)
        yield Sample(linalg.geqrf_p, (x,), moving=moving, slack=64, atol=1e-6, others=(other,))
        free = np.zeros((*shape[:-2], shape[-1]), np.int32)
        yield Sample(
            linalg.geqp3_p, (x, free), {"use_magma": None}, slack=64, atol=1e-6,
            moving=moving if shape in ((4, 2), (2, 4)) else (),  # for the rest it is geqrf
            others=(other, free),
        )  # fmt: skip
    for m, n in ((4, 2), (3, 3), (2, 0)):
        packed, taus = reflections(m, n, dtype)
        others = reflections(m, n, dtype, 1)
        yield Sample(
            linalg.householder_product_p, (packed, taus), moving=(0, 1) if n else (), slack=64,
            atol=1e-6, others=others,
        )  # fmt: skip
        for left, transpose in itertools.product((False, True), repeat=2):
            c = array((m, 3) if left else (3, m), dtype)
            yield Sample(
                linalg.ormqr_p, (packed, taus, c), {"left": left, "transpose": transpose},
                moving=(0, 1, 2) if n else (2,), slack=64, atol=1e-6, others=(*others, c),
            )  # fmt: skip


def _tridiagonal(dtype: str) -> Iterator[Sample]:
    for batch, m in (((), 4), ((2,), 3), ((), 1), ((), 2), ((0,), 3), ((), 0)):
        dl, du = (array((*batch, m), dtype, -1, 1, seed) for seed in (0, 1))
        d = array((*batch, m), dtype, 3, 4)
        b = array((*batch, m, 2), dtype)
        for perturb in (False, True):
            yield Sample(
                linalg.tridiagonal_solve_p, (dl, d, du, b), {"perturb_singular": perturb},
                moving=(0, 1, 2, 3) if b.size else (), slack=64,
            )  # fmt: skip


def error_samples() -> Iterator[ErrorSample]:
    x = np.zeros((2, 3), np.float32)
    s = np.zeros((3, 3), np.float32)
    yield ErrorSample("cholesky_shape", lambda: linalg.cholesky(x), ShapeError, r"\[..., n, n\]")
    yield ErrorSample(
        "cholesky_dtype", lambda: linalg.cholesky(np.eye(2, dtype=np.int32)), TypeError,
        "does not accept dtype int32",
    )  # fmt: skip
    yield ErrorSample(
        "cholesky_update", lambda: linalg.cholesky_update(s, s[0, :2]), ShapeError, "w_vector must"
    )
    yield ErrorSample(
        "triangular_solve_shapes", lambda: linalg.triangular_solve(s, x, left_side=True),
        ShapeError, r"b must have shape \[..., m, n\] with m = 3",
    )  # fmt: skip
    yield ErrorSample(
        "triangular_solve_dtypes", lambda: linalg.triangular_solve(s, s.astype(np.complex64)),
        TypeError, "same dtype, got float32 and complex64",
    )  # fmt: skip
    yield ErrorSample("lu_of_a_vector", lambda: linalg.lu(x[0]), ShapeError, r"\[..., m, n\]")
    yield ErrorSample(
        "lu_permutation", lambda: linalg.lu_pivots_to_permutation(np.arange(3), 2), ShapeError,
        "permutation_size must be at least",
    )  # fmt: skip
    yield ErrorSample(
        "lu_pivots", lambda: linalg.lu_pivots_to_permutation(x[0], 4), TypeError, "integers"
    )
    yield ErrorSample("qr_of_integers", lambda: linalg.qr(np.eye(2, dtype=int)), TypeError, "qr")
    yield ErrorSample(
        "householder_product_wide", lambda: linalg.householder_product(x, x[0, :2]), ShapeError,
        "as many rows as columns",
    )  # fmt: skip
    yield ErrorSample(
        "householder_product_taus", lambda: linalg.householder_product(s, x), ShapeError, "taus"
    )
    yield ErrorSample(
        "ormqr_shapes", lambda: linalg.ormqr(s, s[0], x), ShapeError, "axis -2 of c must have"
    )
    yield ErrorSample(
        "tridiagonal_solve_shapes", lambda: linalg.tridiagonal_solve(s[0], s[0], s[0], x),
        ShapeError, "one shape",
    )  # fmt: skip
    yield ErrorSample(
        "symmetric_product_shapes", lambda: linalg.symmetric_product(x, s), ShapeError, "c_matrix"
    )
