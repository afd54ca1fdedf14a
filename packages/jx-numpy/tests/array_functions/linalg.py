"""Calls of `jx.numpy.linalg`: factors are compared by what they multiply to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import bools, complexes, empty, ints, reals

la = jnp.linalg
SQUARE = reals(3, 3) + np.diag([4.0, -3.5, 5.0])
STACK = np.stack([SQUARE, SQUARE.T @ SQUARE / 7])
TALL, WIDE = reals(4, 3), reals(2, 4)
COMPLEX = complexes(3, 3) + 2 * np.eye(3)
POSITIVE = SQUARE.T @ SQUARE / 10 + np.eye(3)
HERMITIAN = COMPLEX @ COMPLEX.conj().T / 5 + np.diag([1.0, 2.0, 4.0])
SINGULAR = np.outer([1.0, 2.0, -1.0], [0.5, -1.0, 2.0])
V = reals(3)
CLOSE = {"slack": 64, "atol": 1e-13}
LOOSE = {"slack": 64, "atol": 1e-5}
TURNED = "rows turned round make it neither symmetric nor definite"


def single(x: Any) -> Any:
    return x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)


def adjoint(x: Any) -> Any:
    return x.conj().swapaxes(-1, -2)


def without(f: Any, *names: str) -> Any:
    def oracle(*args: Any, **kwargs: Any) -> Any:
        return f(*args, **{k: v for k, v in kwargs.items() if k not in names})

    return oracle


def symmetric(f: Any, part: Any = adjoint) -> Any:
    """A function of the symmetric part of its operand, so that every direction is allowed."""

    def call(a: Any, *args: Any, **kwargs: Any) -> Any:
        return f((a + part(a)) / 2, *args, **kwargs)

    return call


def factored() -> Iterator[Call]:
    for a in (POSITIVE, HERMITIAN):
        yield of(la.cholesky, a).having(batch=TURNED, **CLOSE)
        yield of(la.cholesky, single(a), upper=True, symmetrize_input=True).having(
            expected=without(np.linalg.cholesky, "symmetrize_input"), batch=TURNED, **LOOSE
        )
        yield Call(
            symmetric(la.cholesky), (a,), expected=symmetric(np.linalg.cholesky), batch=TURNED,
            name="numpy.linalg.cholesky", moving=(0,), order=2 if a.dtype == float else 1, **CLOSE,
        )  # fmt: skip
        for lower in ("L", "U"):
            yield of(la.eigh, a, UPLO=lower).having(view=put_together, batch=TURNED, **CLOSE)
            yield of(la.eigvalsh, a, UPLO=lower, symmetrize_input=True).having(
                expected=without(np.linalg.eigvalsh, "symmetrize_input"), **CLOSE
            )
        yield of(la.eigh, single(a), symmetrize_input=False).having(
            expected=without(np.linalg.eigh, "symmetrize_input"), view=put_together,
            batch=TURNED, **LOOSE,
        )  # fmt: skip
        for f in ("eigh", "eigvalsh"):
            yield Call(
                symmetric(getattr(la, f)), (a,), expected=symmetric(getattr(np.linalg, f)),
                name=f"numpy.linalg.{f}", moving=(0,), order=2 if a.dtype == float else 1,
                view=put_together if f == "eigh" else None, **CLOSE,
            )  # fmt: skip
    for a in (SQUARE, COMPLEX, STACK):
        yield of(la.eigvals, a).having(view=power_sums, moving=(0,), dtype=np.complex128, **CLOSE)
        yield of(la.eig, a).having(view=eigen_pairs, dtype=np.complex128, **CLOSE)
    yield of(la.eig, single(SQUARE)).having(view=eigen_pairs, dtype=np.complex64, **LOOSE)
    for a in (SQUARE, TALL, WIDE, COMPLEX, STACK):
        real = a.dtype == float
        yield of(la.qr, a).having(
            view=product, moving=(0,) if real and a is not WIDE else (), **CLOSE
        )
        yield of(la.qr, single(a), mode="complete").having(view=product, **LOOSE)
        yield of(la.qr, a, mode="r").having(view=lambda r: adjoint(r) @ r, **CLOSE)
        yield of(la.svd, a).having(view=assembled, **CLOSE)
        yield of(la.svd, single(a), full_matrices=False).having(view=assembled, **LOOSE)
        yield of(la.svd, a, full_matrices=False).having(
            view=assembled, moving=(0,) if real else (), **CLOSE
        )
        yield of(la.svd, a, compute_uv=False).having(moving=(0,), **CLOSE)
        yield of(la.svdvals, a).having(
            expected=lambda x: np.linalg.svd(x, compute_uv=False), moving=(0,), **CLOSE
        )
    yield of(la.svd, HERMITIAN, hermitian=True).having(view=assembled, batch=TURNED, **CLOSE)
    yield of(la.svd, TALL, full_matrices=False, compute_uv=False, subset_by_index=(0, 2)).having(
        expected=lambda a, **kw: np.linalg.svd(a, compute_uv=False)[:2], **CLOSE
    )


def put_together(result: Any) -> Any:
    w, v = result
    return w, (v * w[..., None, :]) @ adjoint(v)


def eigen_pairs(result: Any) -> Any:
    w, v = result
    xp = np if isinstance(w, np.ndarray) else jnp
    return power_sums(w), (v * w[..., None, :]) @ xp.linalg.inv(v) + 0j


def power_sums(w: Any) -> Any:
    return tuple((w**k).sum(-1) + 0j for k in (1, 2, 3))


def product(result: Any) -> Any:
    q, r = result
    return q @ r, adjoint(q) @ q


def assembled(result: Any) -> Any:
    u, s, vh = result
    k = s.shape[-1]
    return s, (u[..., :k] * s[..., None, :]) @ vh[..., :k, :], adjoint(u) @ u, vh @ adjoint(vh)


def solved() -> Iterator[Call]:
    for a in (SQUARE, COMPLEX, STACK):
        order = 1 if a.dtype == complex else 2
        yield of(la.det, a).having(moving=(0,), order=order, **CLOSE)
        yield of(la.det, single(a)).having(**LOOSE)
        yield of(la.slogdet, a).having(moving=(0,), order=order, **CLOSE)
        yield of(la.inv, a).having(moving=(0,), order=order, **CLOSE)
        yield of(la.inv, single(a)).having(**LOOSE)
        yield of(la.solve, a, V).having(moving=(0, 1), order=order, **CLOSE)
        yield of(la.solve, a, TALL[:3]).having(moving=(0, 1), order=order, **CLOSE)
        yield of(la.pinv, a).having(moving=(0,), order=order, **CLOSE)
        yield of(la.matrix_power, a, 3).having(moving=(0,), **CLOSE)
        yield of(la.matrix_power, a, -2).having(moving=(0,), **CLOSE)
    yield of(la.matrix_power, ints(2, 2), n=0)
    for n in (1, 2, 4):
        yield of(la.det, reals(n, n) + n * np.eye(n)).having(moving=(0,), **CLOSE)
    yield of(la.det, ints(3, 3)).having(expected=lambda a: np.linalg.det(a), **CLOSE)
    yield of(la.det, empty(0, 0))
    for method in ("lu", "qr"):
        yield of(la.slogdet, -SQUARE, method=method).having(
            expected=without(np.linalg.slogdet, "method"), **CLOSE
        )
    yield of(la.pinv, TALL).having(moving=(0,), **CLOSE)
    yield of(la.pinv, SINGULAR, rtol=1e-9).having(
        expected=lambda a, rtol: np.linalg.pinv(a, rtol), **CLOSE
    )
    yield of(la.pinv, SINGULAR, rcond=1e-9).having(**CLOSE)
    yield of(la.pinv, HERMITIAN, hermitian=True).having(batch=TURNED, **CLOSE)
    b = reals(4, 2)
    yield of(la.lstsq, TALL, b, numpy_resid=False).having(
        expected=without(np.linalg.lstsq, "numpy_resid"), **CLOSE
    )
    for a in (TALL, np.outer(reals(4), V)):
        yield of(la.lstsq, a, b, numpy_resid=True).having(
            expected=without(np.linalg.lstsq, "numpy_resid"), batch="likewise",
            jit="the shape of the residuals goes with the rank", **CLOSE,
        )  # fmt: skip
    yield of(la.lstsq, TALL, b[:, 0], rcond=1e-6).having(**CLOSE)
    yield of(la.lstsq, TALL, b).having(view=lambda result: result[0], moving=(0, 1), **CLOSE)
    tensor = reals(4, 6, 8, 3) + np.eye(24).reshape(4, 6, 8, 3) * 9
    yield of(la.tensorinv, tensor, ind=2).having(**CLOSE)
    yield of(la.tensorinv, reals(4, 2, 2) + 3 * np.eye(4).reshape(4, 2, 2), ind=1).having(
        moving=(0,), **CLOSE
    )
    small = reals(2, 3, 6) + 4 * np.eye(6).reshape(2, 3, 6)
    yield of(la.tensorsolve, small, reals(2, 3)).having(moving=(0, 1), **CLOSE)
    yield of(la.tensorsolve, small.transpose(0, 2, 1), reals(2, 3), axes=(1,)).having(
        expected=lambda a, b, axes: np.linalg.tensorsolve(a.transpose(0, 2, 1), b), **CLOSE
    )


def norms() -> Iterator[Call]:
    for ord in (None, 1, 2, 3, np.inf, -np.inf, -1, 0, 0.5):
        smooth = (0,) if ord != 0 else ()
        second = 1 if ord in (1, np.inf, -np.inf) else 2
        yield of(la.norm, V, ord=ord).having(moving=smooth, order=second, slack=8)
        yield of(la.norm, TALL, ord=ord, axis=1, keepdims=True).having(slack=8)
        yield of(la.vector_norm, TALL, ord=2 if ord is None else ord, axis=0).having(slack=8)
        yield of(la.norm, complexes(3), ord=ord).having(moving=smooth, slack=8)
    yield of(la.norm, V.astype(np.float32)).having(slack=4)
    yield of(la.norm, ints(2, 3)).having(slack=4)
    yield of(la.vector_norm, TALL, keepdims=True).having(moving=(0,), slack=8)
    for ord in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        second = 1 if ord in (1, -1, np.inf, -np.inf, "nuc", 2, -2) else 2
        yield of(la.norm, SQUARE, ord=ord).having(moving=(0,), order=second, slack=16)
        yield of(la.norm, STACK, ord=ord, axis=(1, 2), keepdims=True).having(slack=16)
        yield of(la.matrix_norm, STACK, ord=ord, keepdims=True).having(slack=16)
        yield of(la.matrix_norm, COMPLEX, ord=ord).having(moving=(0,), slack=16)
    for p in (None, 2, 1, np.inf, "fro", -2):
        yield of(la.cond, SQUARE, p=p).having(moving=(0,), slack=64)
    yield of(la.cond, COMPLEX).having(slack=64)
    for a in (SQUARE, SINGULAR, STACK, TALL, COMPLEX):
        yield of(la.matrix_rank, a)
    yield of(la.matrix_rank, np.diag([1.0, 1e-3, 0.0]), rtol=1e-2)
    yield of(la.matrix_rank, np.diag([1.0, 1e-3, 0.0]), tol=1e-2)
    yield of(la.matrix_rank, HERMITIAN, hermitian=True).having(batch=TURNED)


def products() -> Iterator[Call]:
    cube = reals(2, 3, 3)
    yield of(la.cross, TALL, TALL[::-1].copy()).having(moving=(0, 1), slack=16, atol=1e-14)
    yield of(la.cross, SQUARE, COMPLEX, axis=0).having(slack=16, atol=1e-14)
    yield of(la.diagonal, cube, offset=1).having(moving=(0,))
    yield of(la.trace, cube, offset=-1, dtype=np.float32).having(slack=4)
    yield of(la.trace, cube).having(moving=(0,))
    yield of(la.matrix_transpose, cube).having(moving=(0,))
    yield of(la.multi_dot, [TALL, SQUARE, V], precision="highest").having(
        expected=without(np.linalg.multi_dot, "precision"), moving=(0, 1, 2), slack=16
    )
    yield of(la.multi_dot, (WIDE, TALL))
    yield of(la.multi_dot, [bools(2, 3).astype(int), ints(3, 2), ints(2, 4)])


CALLS = [*factored(), *solved(), *norms(), *products()]
