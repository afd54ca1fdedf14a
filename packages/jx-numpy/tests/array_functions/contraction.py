"""Calls of the products of arrays, and of the functions on polynomials and samples of functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import BF16, bools, complexes, empty, ints, reals, widened

A, B, V, W = reals(2, 3), reals(3, 4), reals(3), reals(3, low=-1.0, high=2.2)
STACK = reals(2, 4, 3)
Z = complexes(2, 3)
I, J = ints(2, 3), ints(3, 4)  # noqa: E741
OWN = {"precision": "highest"}


def accumulated(f: Any) -> Any:
    """NumPy's product in the accumulator's dtype."""

    def oracle(
        a: Any, b: Any, *args: Any, precision: Any = None, preferred_element_type: Any = None,
        **kwargs: Any,
    ) -> Any:  # fmt: skip
        if preferred_element_type is not None:
            a, b = a.astype(preferred_element_type), b.astype(preferred_element_type)
        return f(a, b, *args, **kwargs)

    return oracle


def products() -> Iterator[Call]:
    small = A.astype(np.float32), B.astype(np.float32)
    narrow = A.astype(BF16), B.astype(BF16)
    for f in (jnp.dot, jnp.matmul):
        own = accumulated(getattr(np, f.__name__))
        for a, b in ((A, B), (V, W), (A, V), (V, B), (STACK, B)):
            yield of(f, a, b).having(moving=(0, 1), slack=8)
        yield of(f, Z, B).having(moving=(0, 1), slack=8)
        yield of(f, I, J)
        yield of(f, *narrow).having(atol=0.15, dtype=BF16)
        yield of(f, *small, **OWN, preferred_element_type=np.float64).having(
            expected=own, dtype=np.float64, slack=8
        )
        yield of(f, empty(0, 3), empty(3, 2))
        yield of(f, empty(2, 0), empty(0, 2))
    yield of(jnp.dot, 2.0, A)
    yield of(jnp.dot, bools(2, 3), bools(3, 2))
    yield of(jnp.matmul, reals(3, 1, 2, 3), STACK.transpose(0, 2, 1))
    for f in (jnp.inner, jnp.vdot, jnp.tensordot):
        own = accumulated(getattr(np, f.__name__))
        a, b = (A, A[::-1].copy())
        extra = {"axes": 2} if f is jnp.tensordot else {}
        yield of(f, a, b, **extra).having(moving=(0, 1), slack=8)
        yield of(f, Z, a, **extra).having(moving=(0, 1), slack=8)
        yield of(f, I, I, **extra)
        yield of(f, a.astype(np.float32), b.astype(np.float32), **extra, **OWN,
                 preferred_element_type=np.float64).having(
            expected=own, dtype=np.float64, slack=8)  # fmt: skip
    yield of(jnp.inner, STACK, A).having(slack=8)
    for axes in (1, ((2,), (0,)), ((1, 0), (1, 0))):
        b = B if axes != ((1, 0), (1, 0)) else reals(2, 4, 5)
        yield of(jnp.tensordot, STACK, b, axes=axes).having(moving=(0, 1), slack=8)
    yield of(jnp.tensordot, V, W, 0)
    yield of(jnp.vecdot, STACK, V).having(moving=(0, 1), slack=8)
    yield of(jnp.vecdot, Z, Z[::-1].copy(), axis=0).having(moving=(0, 1), slack=8)
    yield of(jnp.vecdot, *(x.astype(np.float32) for x in (V, W)), precision="highest",
             preferred_element_type=np.float64).having(
        expected=accumulated(np.vecdot), dtype=np.float64, slack=8)  # fmt: skip
    yield of(jnp.matvec, A, V).having(moving=(0, 1), slack=8)
    yield of(jnp.matvec, STACK, Z[0])
    yield of(jnp.vecmat, V, B).having(moving=(0, 1), slack=8)
    yield of(jnp.vecmat, Z[0], B).having(slack=8)
    yield of(jnp.outer, V, A).having(moving=(0, 1))
    yield of(jnp.outer, I, J)
    yield of(jnp.kron, A, V).having(moving=(0, 1))
    yield of(jnp.kron, I, Z)
    yield of(jnp.kron, A, STACK)
    yield of(jnp.cross, A, W).having(moving=(0, 1), slack=8, atol=1e-14)
    yield of(jnp.cross, A.T, A[::-1].T.copy(), axisa=0, axisb=0, axisc=0).having(
        slack=8, atol=1e-14
    )
    yield of(jnp.cross, A.T, A[::-1].T.copy(), axis=0).having(moving=(0, 1), slack=8, atol=1e-14)


def einsums() -> Iterator[Call]:
    for subscripts, operands in (
        ("ij,jk->ik", (A, B)), ("ij,jk", (A, B)), ("i,i", (V, W)), ("ij->ji", (A,)),
        ("ij->", (A,)), ("...i,i->...", (STACK, V)), ("ij,kj,j->ik", (A, A, V)),
    ):  # fmt: skip
        yield of(jnp.einsum, subscripts, *operands).having(
            moving=tuple(range(len(operands))), slack=8
        )
    yield of(jnp.einsum, "ii->i", reals(3, 3)).having(moving=(0,))
    yield of(jnp.einsum, "ii", ints(3, 3))
    yield of(jnp.einsum, "ij,ij->j", Z, A).having(slack=8)
    yield of(jnp.einsum, A, [0, 1], B, [1, 2], [0, 2]).having(slack=8)
    yield of(jnp.einsum, "ab,bc,cd->ad", A, B, B.T, optimize="greedy").having(slack=16)
    yield of(jnp.einsum, "ij,jk->ik", A.astype(np.float32), B.astype(np.float32),
             precision="highest", preferred_element_type=np.float64).having(
        dtype=np.float64, slack=8,
        expected=lambda s, a, b, **kw: a.astype(float) @ b.astype(float))  # fmt: skip
    for optimize in ("greedy", "optimal"):
        yield of(jnp.einsum_path, "ij,jk,kl->il", A, B, B.T, optimize=optimize).having(
            view=lambda path: [p for p in path[0] if not isinstance(p, str)],
            jit="a path is no array", batch="likewise",
        )  # fmt: skip


def trimmed(f: Any) -> Any:
    """NumPy's polynomial arithmetic on plain arrays, with leading zeros as they are."""

    def oracle(a: Any, b: Any, *, trim_leading_zeros: bool = False) -> Any:
        return f(a, b)

    return oracle


def untrimmed(u: Any, v: Any) -> Any:
    """The quotient, and a remainder of the length of the dividend."""
    quotient, rest = np.polydiv(u, v)
    return quotient, np.concatenate([np.zeros(len(u) - len(rest)), rest])


def polynomials() -> Iterator[Call]:
    p, q = reals(4), np.array([1.5, -0.5])
    for f in (jnp.polyadd, jnp.polysub):
        yield of(f, p, q).having(moving=(0, 1))
        yield of(f, ints(2), ints(4))
    yield of(jnp.polymul, p, q).having(moving=(0, 1), expected=trimmed(np.polymul), slack=8)
    yield of(
        jnp.polymul, np.array([0, 1.0, 2]), np.array([0, 3.0]), trim_leading_zeros=True
    ).having(expected=trimmed(np.polymul), batch="zeros", jit="the shape goes with the values")
    yield of(jnp.polydiv, p, q).having(moving=(0, 1), slack=64, atol=1e-13, expected=untrimmed)
    yield of(jnp.polydiv, np.array([1.0, 3.0, 2.0]), np.array([1.0, 1.0]), trim_leading_zeros=True
             ).having(expected=lambda u, v, trim_leading_zeros: (np.polydiv(u, v)[0], np.zeros(0)),
                      slack=8,
                      jit="the shape goes with the values", batch="likewise")  # fmt: skip
    yield of(jnp.polyval, p, A).having(moving=(0, 1), slack=16)
    yield of(jnp.polyval, ints(3), Z, unroll=2).having(
        expected=lambda p, x, unroll: np.polyval(p, x), slack=16
    )
    for m in (1, 2):
        yield of(jnp.polyder, p, m=m).having(moving=(0,))
        yield of(jnp.polyint, p, m=m, k=2.0 if m == 1 else np.array([1.0, 2.0])).having(moving=(0,))
    yield of(jnp.polyint, ints(3)).having(expected=widened(np.polyint))
    yield of(jnp.poly, V).having(moving=(0,), slack=16)
    yield of(jnp.poly, reals(3, 3)).having(slack=64, atol=1e-13, dtype=np.complex128)


def sampled_functions() -> Iterator[Call]:
    y, x = reals(2, 5), np.array([0.0, 0.3, 1.1, 1.9, 2.4])
    for n in (0, 1, 2):
        yield of(jnp.diff, y, n=n).having(moving=(0,))
    yield of(jnp.diff, y, axis=0, prepend=1.0, append=np.ones((1, 5)))
    yield of(jnp.diff, ints(4, dtype=np.uint8))
    yield of(jnp.diff, bools(5))
    yield of(jnp.ediff1d, y).having(moving=(0,))
    yield of(jnp.ediff1d, x, to_end=np.array([9.0, 8.0]), to_begin=-1.0)
    for order in (None, 1):
        extra = {} if order is None else {"edge_order": order}
        yield of(jnp.gradient, x**2, **extra).having(moving=(0,))
    yield of(jnp.gradient, y, 0.5, axis=1).having(moving=(0,))
    yield of(jnp.gradient, y, 0.5, x)
    yield of(jnp.trapezoid, y, dx=0.3).having(moving=(0,), slack=4)
    yield of(jnp.trapezoid, y, x=x, axis=-1).having(moving=(0, 1), slack=4)
    yield of(jnp.trapezoid, y, np.array([0.0, 1.5]), axis=0).having(slack=4)
    at = np.array([-0.5, 0.2, 1.5, 3.1])
    yield of(jnp.interp, at, x, y[0]).having(moving=(0, 2), slack=8)
    yield of(jnp.interp, at, x, y[0], left=-7.0, right=9.0).having(moving=(0, 2), slack=8)
    yield of(jnp.interp, at, x, y[0], period=2.5).having(moving=(0, 2), slack=32)
    yield of(jnp.interp, np.array(1.0), x, complexes(5)).having(slack=8)
    angles = 3.0 * reals(2, 5)
    yield of(jnp.unwrap, angles).having(moving=(0,), slack=8, atol=1e-14)
    yield of(jnp.unwrap, angles, discont=4.0, axis=0, period=5.0).having(slack=8, atol=1e-14)


CALLS = [*products(), *einsums(), *polynomials(), *sampled_functions()]
