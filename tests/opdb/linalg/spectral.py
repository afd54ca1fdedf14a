"""Samples of spectral decompositions, looked at through what is unique of their results."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jx_core import lax
from jx_core.errors import ShapeError
from jx_core.ops.linalg.masks import adjoint_of, conj_if_complex, diagonal, product

from ..sample import ErrorSample, Sample, array

linalg = lax.linalg
DTYPES = ("float32", "float64", "complex64", "complex128")
SQUARE = ((3, 3), (2, 4, 4), (1, 1), (0, 0), (0, 3, 3))
RECTANGULAR = ((3, 3), (4, 2), (2, 4), (2, 3, 2), (0, 3), (3, 0), (0, 2, 2))


def matrix(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    """Random matrices whose eigenvalues and singular values are apart from each other."""
    x = array(shape, dtype, -1, 1, seed)
    steps = np.diag(np.arange(1, max(shape) + 1) * 3)[: shape[-2], : shape[-1]]
    return np.asarray(x + steps).astype(dtype)


def sample(primitive: Any, shape: tuple[int, ...], dtype: str, **facts: Any) -> Sample:
    """A sample on random matrices, and others for the second row of batches.

    Processors round differently within LAPACK: the matrices' norms are 12 and less, and so single
    precision leaves a few units of 12 * 2^-23 of doubt in each element.
    """
    x, others = matrix(shape, dtype), (matrix(shape, dtype, 1),)
    if not x.size:
        facts["moving"] = ()
    atol = 2e-5 if dtype in ("float32", "complex64") else 2e-6
    return Sample(primitive, (x,), slack=256, atol=atol, others=others, **facts)


def weighted(u: Any, w: Any, v: Any) -> Any:
    """The sum of the products of columns of `u` with those of `v`, conjugated, weighted by `w`."""
    n = u.ndim
    rows = lax.broadcast_in_dim(
        lax.convert_element_type(w, u.dtype), u.shape, (*range(n - 2), n - 1)
    )
    return product(lax.mul(u, rows), adjoint_of(v))


def _hermitian(outs: list[Any]) -> list[Any]:
    v, w = outs
    return [weighted(v, lax.sin(w), v), w]


def _general(left: bool, right: bool) -> Callable[[list[Any]], list[Any]]:
    def view(outs: list[Any]) -> list[Any]:
        """What does not depend on order: sums over eigenvalues and projectors."""
        w, *vectors = outs
        last = (w.ndim - 1,)
        sums = [lax.reduce_sum(w, last), lax.reduce_sum(lax.mul(w, w), last)]
        sums += [weighted(v, lax.mul(w, w), v) for v in vectors]
        if left and right:
            u, v = vectors
            inner = lax.reduce_sum(lax.mul(conj_if_complex(u), v), (u.ndim - 2,))
            sums.append(weighted(v, lax.div(w, inner), u))
        return sums

    return view


def _singular(full: bool) -> Callable[[list[Any]], list[Any]]:
    def view(outs: list[Any]) -> list[Any]:
        s, u, vh = outs
        k, v = s.shape[-1], adjoint_of(vh)
        (u, more_u), (v, more_v) = (
            [lax.slice_in_dim(x, *b, axis=x.ndim - 1) for b in ((0, k), (k, x.shape[-1]))]
            for x in (u, v)
        )
        values = [s, weighted(u, lax.sin(s), v), weighted(u, s, u)]
        if full:
            values += [product(x, adjoint_of(x)) for x in (more_u, more_v)]
        return values

    return view


def _polar(outs: list[Any]) -> list[Any]:
    u, h, _, is_converged = outs
    return [u, h, is_converged]


def _schur(outs: list[Any]) -> list[Any]:
    t, *vectors = outs
    sums = [lax.reduce_sum(diagonal(x), (x.ndim - 2,)) for x in (t, product(t, t))]
    return sums + [product(product(q, t), adjoint_of(q)) for q in vectors]


def samples() -> Iterator[Sample]:
    for dtype in DTYPES:
        yield from _eigh(dtype)
        yield from _eig(dtype)
        yield from _svd(dtype)
        for shape in SQUARE:
            for vectors in (True, False):
                params = {"compute_schur_vectors": vectors}
                yield sample(linalg.schur_p, shape, dtype, params=params, view=_schur)
            # Differentiated reflection by reflection, in long programs: few are.
            is_complex = dtype.startswith("complex")
            moving = (0,) if shape == (3, 3) and is_complex else ()
            yield sample(linalg.hessenberg_p, shape, dtype, moving=moving)
            for lower in (True, False):
                params, moving = {"lower": lower}, (0,) if shape == (3, 3) else ()
                moving = moving if lower != is_complex else ()
                yield sample(linalg.tridiagonal_p, shape, dtype, params=params, moving=moving)
        # Its program is long: few are differentiated.
        chosen = (3, 3) if dtype.startswith("complex") else (2, 3, 2)
        for shape in ((2, 3, 2), (3, 3), (3, 0), (0, 2, 2)):
            moving = (0,) if shape == chosen else ()
            params = {"max_iterations": 10, "eps": 1e-7 if dtype in DTYPES[::2] else 2e-16}
            yield sample(linalg.qdwh_p, shape, dtype, params=params, moving=moving, view=_polar)
        bad = np.stack([matrix((3, 3), dtype) for _ in range(5)])
        bad[1, 0, 0], bad[2, 2, 1], bad[3, 1, 2] = np.nan, np.inf, -np.inf
        for x in (bad, np.zeros((3, 3), dtype), np.eye(3, dtype=dtype)):
            note = "not finite" if x is bad else "repeated eigenvalues"
            for kind, facts in _plain():
                yield Sample(kind, (x,), slack=64, atol=2e-6, others=(x,), note=note, **facts)


def _plain() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each primitive with the params of a call without options, and its view."""
    eigh = {
        "lower": True, "sort_eigenvalues": True, "subset_by_index": None, "algorithm": None,
    }  # fmt: skip
    yield linalg.eigh_p, {"params": eigh, "view": _hermitian}
    yield linalg.eigh_p, {"params": {**eigh, "lower": False}, "view": _hermitian}
    eig = {
        "compute_left_eigenvectors": False, "compute_right_eigenvectors": True,
        "enable_eigvec_derivs": False, "implementation": None,
    }  # fmt: skip
    yield linalg.eig_p, {"params": eig, "view": _general(False, True)}
    svd = {
        "full_matrices": False, "compute_uv": False, "subset_by_index": None, "algorithm": None,
    }  # fmt: skip
    yield linalg.svd_p, {"params": svd}
    yield linalg.schur_p, {"params": {"compute_schur_vectors": True}, "view": _schur}
    yield linalg.hessenberg_p, {}
    yield linalg.tridiagonal_p, {"params": {"lower": True}}


def _eigh(dtype: str) -> Iterator[Sample]:
    plain = {"sort_eigenvalues": True, "subset_by_index": None, "algorithm": None}
    for shape, lower in itertools.product(SQUARE, (True, False)):
        params = {"lower": lower, **plain}
        yield sample(linalg.eigh_p, shape, dtype, params=params, moving=(0,), view=_hermitian)
    further = (
        {"subset_by_index": (1, 3)}, {"subset_by_index": (2, 2)}, {"sort_eigenvalues": False},
    )  # fmt: skip
    for more in further:
        params = {"lower": True, **plain, **more}
        moving = () if more.get("subset_by_index") == (2, 2) else (0,)
        view = _hermitian
        if not params["sort_eigenvalues"]:
            view = _unordered
        yield sample(linalg.eigh_p, (4, 4), dtype, params=params, moving=moving, view=view)


def _unordered(outs: list[Any]) -> list[Any]:
    v, w = outs
    return [weighted(v, lax.sin(w), v)]


def _eig(dtype: str) -> Iterator[Sample]:
    for shape in SQUARE:
        for left, right in itertools.product((True, False), repeat=2):
            params = {
                "compute_left_eigenvectors": left, "compute_right_eigenvectors": right,
                "enable_eigvec_derivs": left or right, "implementation": None,
            }  # fmt: skip
            yield sample(
                linalg.eig_p, shape, dtype, params=params, moving=(0,), view=_general(left, right)
            )


def _svd(dtype: str) -> Iterator[Sample]:
    plain = {"subset_by_index": None, "algorithm": None}
    for shape in RECTANGULAR:
        for full in (True, False):
            params = {"full_matrices": full, "compute_uv": True, **plain}
            view = _singular(full)
            yield sample(linalg.svd_p, shape, dtype, params=params, moving=(0,), view=view)
        params = {"full_matrices": False, "compute_uv": False, **plain}
        yield sample(linalg.svd_p, shape, dtype, params=params, moving=(0,))
    by_polar = {**plain, "algorithm": linalg.SvdAlgorithm.POLAR}
    for full, shape in ((True, (2, 5)), (False, (2, 3, 3)), (True, (0, 2))):
        params = {"full_matrices": full, "compute_uv": True, **by_polar}
        yield sample(linalg.svd_p, shape, dtype, params=params, view=_singular(full))
    for uv, shape in itertools.product((True, False), ((3, 4), (5, 3))):
        params = {"full_matrices": False, "compute_uv": uv, **plain, "subset_by_index": (1, 3)}
        view = _singular(False) if uv else None
        yield sample(linalg.svd_p, shape, dtype, params=params, moving=(0,), view=view)


def error_samples() -> Iterator[ErrorSample]:
    x, s = np.zeros((2, 3), np.float32), np.zeros((3, 3), np.float32)
    square = {
        "eigh": linalg.eigh, "eig": linalg.eig, "schur": linalg.schur,
        "hessenberg": linalg.hessenberg, "tridiagonal": linalg.tridiagonal,
    }  # fmt: skip
    for name, fun in square.items():
        text = rf"{name}.*\[..., n, n\].*\(2, 3\)"
        yield ErrorSample(f"{name}_shape", lambda fun=fun: fun(x), ShapeError, text)
    for name, fun in {**square, "svd": linalg.svd}.items():
        yield ErrorSample(
            f"{name}_dtype", lambda fun=fun: fun(s.astype(int)), TypeError, f"{name} does not acc"
        )
        yield ErrorSample(f"{name}_rank", lambda fun=fun: fun(s[0]), ShapeError, r"\(3,\)")
    yield ErrorSample(
        "eigh_subset", lambda: linalg.eigh(s, subset_by_index=(1, 4)), ValueError, "stop <= 3, got"
    )
    yield ErrorSample(
        "eigh_implementation", lambda: linalg.eigh(s, implementation="qr"), TypeError,
        "implementation must be None or one of EighImplementation.QR",
    )  # fmt: skip
    yield ErrorSample(
        "svd_subset", lambda: linalg.svd(x, full_matrices=False, subset_by_index=(0, 3)),
        ValueError, "stop <= 2",
    )  # fmt: skip
    yield ErrorSample(
        "svd_subset_of_full", lambda: linalg.svd(x, subset_by_index=(0, 1)), ValueError,
        "pass full_matrices=False",
    )  # fmt: skip
    yield ErrorSample(
        "svd_algorithm", lambda: linalg.svd(x, algorithm="QR"), TypeError, "SvdAlgorithm.QR"
    )
    yield ErrorSample(
        "schur_sorted", lambda: linalg.schur(s, sort_eig_vals=True), NotImplementedError, "sorted"
    )
