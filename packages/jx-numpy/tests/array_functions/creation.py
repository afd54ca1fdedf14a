"""Calls of the functions that make arrays: of values, ranges, grids, matrices and windows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import BF16, bools, complexes, empty, ints, reals

X, I, B, Z = reals(2, 3), ints(2, 3), bools(2, 3), complexes(3)  # noqa: E741
V = reals(3)


def without(*names: str) -> Any:
    """An oracle without parameters that NumPy doesn't have."""

    def decorate(f: Any) -> Any:
        return lambda *args, **kwargs: f(
            *args, **{k: v for k, v in kwargs.items() if k not in names}
        )

    return decorate


def conversions() -> Iterator[Call]:
    for x in (X, I, B, Z, X.astype(BF16), empty(0, 2), np.array(3)):
        yield of(jnp.asarray, x)
        yield of(jnp.copy, x)
    yield of(jnp.array, X).having(moving=(0,))
    yield of(jnp.array, [[1, 2], [3, 4]], dtype=np.float32)
    yield of(jnp.array, [X[0], X[1]])
    yield of(jnp.array, 2.5, ndmin=2)
    yield of(jnp.array, X, copy=True, order="K", ndmin=3)
    yield of(jnp.array, I, device=None, out_sharding=None).having(expected=lambda x, **kw: x)
    yield of(jnp.asarray, X, dtype=np.complex64, order="C", copy=True)
    yield of(jnp.asarray, (1, 2.5, True))
    yield of(jnp.copy, X, order="K").having(moving=(0,))
    for dtype in (np.int32, np.uint8, np.float32, np.complex64, bool, BF16):
        yield of(jnp.astype, np.abs(X), dtype).having(dtype=dtype, atol=1e-2)
        yield of(jnp.astype, I % 3, dtype, copy=True).having(dtype=dtype)
    yield of(jnp.astype, X, np.complex128).having(moving=(0,))
    data = np.arange(6, dtype=np.int32)
    yield of(jnp.frombuffer, data.tobytes(), dtype=np.int32)
    yield of(jnp.frombuffer, data.tobytes(), dtype=np.int32, count=3, offset=4)
    yield of(jnp.fromstring, "1 2 3", dtype=np.float32, sep=" ")
    yield of(jnp.fromstring, "1,2,3", dtype=np.int32, count=2, sep=",")
    yield of(jnp.fromiter, [1, 2, 3], np.int32)
    yield Call(stored, (X,), expected=lambda x: x, jit="a file", batch="a file",
               name="numpy.save")  # fmt: skip
    yield Call(stored_many, (X, I), expected=lambda x, y: (x, y), jit="a file", batch="a file",
               name="numpy.savez")  # fmt: skip
    yield Call(exchanged, (X,), expected=lambda x: x, jit="dlpack", batch="dlpack",
               name="numpy.from_dlpack")  # fmt: skip


def stored(x: Any) -> Any:
    file = io.BytesIO()
    jnp.save(file, x, allow_pickle=False)
    file.seek(0)
    return jnp.load(file)


def stored_many(x: Any, y: Any) -> Any:
    file = io.BytesIO()
    jnp.savez(file, first=x, second=y)
    file.seek(0)
    both = jnp.load(file)
    return both["first"], both["second"]


def exchanged(x: Any) -> Any:
    return jnp.from_dlpack(x, device=None, copy=None)


def fills() -> Iterator[Call]:
    for f in (jnp.zeros, jnp.ones):
        yield of(f, (2, 3))
        yield of(f, 3, dtype=np.int32)
        yield of(f, (), dtype=np.complex64)
        yield of(f, (0, 2), bool)
    yield of(jnp.empty, (2, 3), dtype=np.float32).having(view=np.shape)
    yield of(jnp.full, (2, 2), 1.5)
    yield of(jnp.full, (2, 2), 3, dtype=np.float32)
    yield of(jnp.full, (2, 3), V).having(moving=(0,))
    yield of(jnp.full, (), True)
    for f in (jnp.zeros_like, jnp.ones_like):
        yield of(f, X)
        yield of(f, I, dtype=np.float32, shape=(2,))
        yield of(f, B)
        yield of(f, X.astype(BF16)).having(dtype=BF16)
    yield of(jnp.empty_like, X, dtype=np.int32, shape=(4,)).having(view=np.shape)
    yield of(jnp.full_like, X, 2.0)
    yield of(jnp.full_like, I, 2.7, dtype=np.float32, shape=(2, 2))
    yield of(jnp.full_like, X, V).having(moving=(1,))


def ranges() -> Iterator[Call]:
    yield of(jnp.arange, 5)
    yield of(jnp.arange, 2, 9, 3)
    yield of(jnp.arange, 5, 1, -1.5)
    yield of(jnp.arange, 1.0, 2.0, step=0.25, dtype=np.float32)
    yield of(jnp.arange, 0)
    yield of(jnp.arange, 1, stop=4)
    yield of(jnp.linspace, 0.0, 1.0)
    yield of(jnp.linspace, np.array([0.5, 1.0]), 3.0, num=4, endpoint=False).having(moving=(0,))
    yield of(jnp.linspace, V, 2 * V[::-1], num=5, axis=1, retstep=True).having(slack=4)
    yield of(jnp.linspace, 1, 10, 4, dtype=np.int32)
    yield of(jnp.linspace, 2.0, 3.0, num=1)
    yield of(jnp.logspace, 0.0, 2.0, num=5).having(slack=8)
    yield of(jnp.logspace, V, 1.0, num=4, endpoint=False, base=2.0, axis=-1).having(
        moving=(0,), slack=8
    )
    yield of(jnp.logspace, 0, 1, 3, dtype=np.float32).having(slack=4)
    yield of(jnp.geomspace, 1.0, 100.0, num=5).having(slack=8)
    yield of(jnp.geomspace, np.abs(V), np.abs(V[::-1]) + 1, num=4, endpoint=False, axis=1).having(
        moving=(0, 1), slack=8
    )
    yield of(jnp.geomspace, 1, 8, 4, dtype=np.float32).having(slack=4)
    for f in (jnp.bartlett, jnp.blackman, jnp.hamming, jnp.hanning):
        for n in (0, 1, 2, 7, 8):
            yield of(f, n).having(atol=1e-15)


def grids() -> Iterator[Call]:
    for indexing in ("xy", "ij"):
        yield of(jnp.meshgrid, V, X[0], indexing=indexing).having(moving=(0, 1))
        yield of(jnp.meshgrid, V, ints(2), Z, indexing=indexing, sparse=True)
    yield of(jnp.meshgrid, V, copy=True)
    yield of(jnp.indices, (2, 3))
    yield of(jnp.indices, (2, 3), dtype=np.float32, sparse=True)
    yield of(jnp.fromfunction, lambda i, j: 2 * i + j, (2, 3), dtype=np.int32)
    yield of(jnp.fromfunction, lambda i, k: i * k, (3,), dtype=float, k=2.0)
    yield of(jnp.diag_indices, 3)
    yield of(jnp.diag_indices, 2, ndim=3)
    yield of(jnp.diag_indices_from, X[:, :2])
    for f in (jnp.tril_indices, jnp.triu_indices):
        yield of(f, 3)
        yield of(f, 3, k=-1, m=4)
    for f in (jnp.tril_indices_from, jnp.triu_indices_from):
        yield of(f, X, k=1)
    yield of(jnp.mask_indices, 3, np.triu, 1).having(
        jit="the shape goes with the values",
    )
    yield of(jnp.mask_indices, 3, jnp.triu, k=0, size=6).having(
        expected=lambda n, f, k, size: np.mask_indices(n, np.triu, k)
    )
    yield of(jnp.ix_, np.array([0, 2]), np.array([True, False, True])).having(
        jit="the shape goes with the values", batch="likewise"
    )
    yield of(jnp.ix_, ints(2), ints(3))
    for name, key in (
        ("mgrid", (slice(2), slice(1, 4))), ("ogrid", (slice(2), slice(0, 1, 5j))),
        ("mgrid", slice(0, 1, 0.3)), ("s_", (slice(1, None),)),
        ("r_", (slice(1, 4), 7, slice(0, 1, 3j))), ("index_exp", slice(3)),
    ):  # fmt: skip
        yield Call(
            lambda n, k: jnp.asarray(0) if n in ("s_", "index_exp") else getattr(jnp, n)[k],
            (name, key), name=f"numpy.{name}",
            expected=lambda n, k: np.asarray(0) if n in ("s_", "index_exp") else getattr(np, n)[k],
        )  # fmt: skip
    yield Call(lambda x, y: jnp.c_[x, y], (V, V[::-1].copy()), name="numpy.c_",
               expected=lambda x, y: np.c_[x, y], moving=(0, 1))  # fmt: skip
    yield Call(lambda x, y: jnp.r_["0,2", x, y], (V, V[::-1].copy()), name="numpy.r_",
               expected=lambda x, y: np.r_["0,2", x, y], moving=(0, 1))  # fmt: skip


def matrices() -> Iterator[Call]:
    square = reals(3, 3)
    yield of(jnp.diag, V).having(moving=(0,))
    yield of(jnp.diag, square, k=1).having(moving=(0,))
    yield of(jnp.diag, ints(2), k=-2)
    yield of(jnp.diagflat, X, k=1).having(moving=(0,))
    yield of(jnp.diagonal, X, offset=-1).having(moving=(0,))
    yield of(jnp.diagonal, reals(2, 3, 4), offset=1, axis1=2, axis2=0)
    yield of(jnp.diagonal, I)
    yield of(jnp.trace, square, offset=1).having(moving=(0,))
    yield of(jnp.trace, reals(2, 3, 4), offset=-1, axis1=1, axis2=2, dtype=np.float32).having(
        expected=lambda a, dtype, **kw: np.trace(a.astype(dtype), **kw)
    )
    yield of(jnp.trace, ints(3, 3, dtype=np.uint8))
    yield of(jnp.eye, 3)
    yield of(jnp.eye, 2, M=4, k=-1, dtype=np.int32)
    yield of(jnp.identity, 2, dtype=np.complex64)
    yield of(jnp.tri, 3, M=4, k=1, dtype=np.int32)
    for f in (jnp.tril, jnp.triu):
        yield of(f, X, k=1).having(moving=(0,))
        yield of(f, reals(2, 3, 3))
        yield of(f, B)
        yield of(f, Z.reshape(1, 3), k=-1)
    yield of(jnp.vander, V).having(moving=(0,))
    yield of(jnp.vander, V, N=4, increasing=True).having(moving=(0,))
    yield of(jnp.vander, ints(3), N=2)


CALLS = [*conversions(), *fills(), *ranges(), *grids(), *matrices()]
