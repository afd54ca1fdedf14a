"""The iteration of GMRES: least residuals over Krylov spaces, built anew when they are full.

Y. Saad and M. H. Schultz, "GMRES: a generalized minimal residual algorithm for solving
nonsymmetric linear systems", SIAM Journal on Scientific and Statistical Computing 7 (1986); Y.
Saad, Iterative Methods for Sparse Linear Systems (2003), section 6.5. Bases are made orthogonal by
classical Gram-Schmidt twice over, which is as good as rounding allows (Giraud, Langou,
Rozloznik and van den Eshof 2005) and made of products of matrices.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jx_core import dtypes, lax, operators, tree, typeof

from .vectors import Operator, Vector, minus, norm, of_dtype, plus, zeros_like


class _Space(NamedTuple):
    """A Krylov space of k dimensions, and the least-squares problem over it, made triangular.

    Attributes:
        k: how many dimensions it has.
        basis: orthonormal vectors, on a first axis of their own; zero from k + 1 on.
        rotations: the product of the plane rotations that made the problem triangular.
        triangle: its matrix, in columns, the last row left out; zero from column k on.
        error: the least norm of the residual over the space.
    """

    k: Any
    basis: Any
    rotations: Any
    triangle: Any
    error: Any


def _coordinates(basis: Any, w: Vector) -> Any:
    """The scalar products of basis vectors with a vector."""

    def of_leaf(v: Any, x: Any) -> Any:
        axes = tuple(range(typeof(x).ndim))
        v = lax.conj(v) if dtypes.issubdtype(typeof(v).dtype, np.complexfloating) else v
        numbers = (tuple(a + 1 for a in axes), axes), ((), ())
        return lax.dot_general(v, x, numbers, precision=lax.Precision.HIGHEST)

    total, *rest = [of_leaf(v, x) for v, x in zip(tree.leaves(basis), tree.leaves(w), strict=True)]
    for part in rest:
        total = operators.add(total, part)
    return total


def _combined(basis: Any, factors: Any) -> Vector:
    """The sum of basis vectors times factors."""

    def of_leaf(v: Any) -> Any:
        numbers = ((0,), (0,)), ((), ())
        return lax.dot_general(
            of_dtype(factors, typeof(v).dtype), v, numbers, precision=lax.Precision.HIGHEST
        )

    return tree.map(of_leaf, basis)


def _normalized(x: Vector, least: Any) -> tuple[Vector, Any]:
    """A vector over its norm, and that; both zero where the norm is not above the least."""
    size = norm(x)
    counts = lax.gt(size, least)
    one, zero = lax.full_like(size, 1), lax.full_like(size, 0)
    factor = lax.select(counts, lax.div(one, lax.select(counts, size, one)), zero)
    return plus(zeros_like(x), factor, x), lax.select(counts, size, zero)


def _extended(space: _Space, apply: Operator, beta: Any) -> _Space:
    """The space with one dimension more."""
    k, basis, rotations, triangle, _ = space
    dtype = typeof(triangle).dtype
    last = tree.map(lambda v: lax.dynamic_index_in_dim(v, k, keepdims=False), basis)
    w = apply(last)
    before = norm(w)
    h = _coordinates(basis, w)
    w = minus(w, _combined(basis, h))
    again = _coordinates(basis, w)
    w = minus(w, _combined(basis, again))
    h = of_dtype(operators.add(h, again), dtype)
    # What is left of a vector of the space is rounding, and no direction.
    eps = float(dtypes.finfo(dtype).eps)
    w, size = _normalized(w, lax.mul(before, eps))
    basis = tree.map(lambda v, x: lax.dynamic_update_index_in_dim(v, x, k + 1, 0), basis, w)
    h = lax.dynamic_update_index_in_dim(h, of_dtype(size, dtype), k + 1, 0)
    column = lax.dot(rotations, h, precision=lax.Precision.HIGHEST)
    rotations, column = _rotated(rotations, column, k)
    triangle = lax.dynamic_update_index_in_dim(
        triangle, lax.slice_in_dim(column, 0, typeof(column).size - 1), k, 1
    )
    rest = lax.dynamic_index_in_dim(
        lax.index_in_dim(rotations, 0, 1, keepdims=False), k + 1, keepdims=False
    )
    return _Space(k + 1, basis, rotations, triangle, lax.mul(lax.abs(rest), beta))


def _rotated(rotations: Any, column: Any, k: Any) -> tuple[Any, Any]:
    """A rotation of rows k and k + 1 more, so that element k + 1 of the column is zero."""
    a = lax.dynamic_index_in_dim(column, k, keepdims=False)
    b = lax.dynamic_index_in_dim(column, k + 1, keepdims=False)
    a_size, b_size = lax.abs(a), lax.abs(b)
    length = lax.sqrt(lax.add(lax.mul(a_size, a_size), lax.mul(b_size, b_size)))
    nothing = lax.eq(length, lax.full_like(length, 0))
    safe = of_dtype(lax.select(nothing, lax.full_like(length, 1), length), typeof(a).dtype)
    cosine = lax.select(nothing, lax.full_like(a, 1), lax.div(a, safe))
    sine = lax.div(b, safe)
    is_complex = dtypes.issubdtype(typeof(a).dtype, np.complexfloating)
    conj = lax.conj if is_complex else lambda x: x
    turn = lax.reshape(lax.stack([conj(cosine), conj(sine), lax.neg(sine), cosine], 0), (2, 2))
    rows = lax.dynamic_slice_in_dim(rotations, k, 2, axis=0)
    turned = lax.dot(turn, rows, precision=lax.Precision.HIGHEST)
    rotations = lax.dynamic_update_slice_in_dim(rotations, turned, k, axis=0)
    pair = lax.dot(turn, lax.stack([a, b], 0), precision=lax.Precision.HIGHEST)
    return rotations, lax.dynamic_update_slice_in_dim(column, pair, k, axis=0)


def _least(space: _Space, beta: Any) -> Vector:
    """The vector of the space whose residual is least."""
    triangle = space.triangle
    n = typeof(triangle).shape[0]
    # Columns that are not there, or brought nothing new, get no share.
    places = [lax.broadcasted_iota(np.int32, (n, n), axis) for axis in (0, 1)]
    empty = lax.bitwise_and(lax.eq(*places), lax.eq(triangle, lax.full_like(triangle, 0)))
    matrix = lax.select(empty, lax.full_like(triangle, 1), triangle)
    missing = lax.reduce_or(empty, (1,))
    target = lax.slice_in_dim(lax.index_in_dim(space.rotations, 0, 1, keepdims=False), 0, n)
    target = operators.multiply(target, of_dtype(beta, typeof(target).dtype))
    target = lax.select(missing, lax.full_like(target, 0), target)
    y = lax.linalg.triangular_solve(matrix, lax.expand_dims(target, (1,)), left_side=True)
    first = tree.map(lambda v: lax.slice_in_dim(v, 0, n), space.basis)
    return _combined(first, lax.squeeze(y, (1,)))


def gmres_solution(
    apply: Operator,
    b: Vector,
    x0: Vector,
    precondition: Operator,
    atol: Any,
    restart: int,
    maxiter: Any,
    early: bool,
) -> Vector:
    """The solution of `apply(x) = b`, in spaces of at most `restart` dimensions.

    Args:
        apply, precondition: the linear operator, and what is close to its inverse.
        b, x0: the right-hand side, and a first guess.
        atol: how small the norm of the residual is to be.
        restart: how many dimensions a space has.
        maxiter: how many spaces there are at most.
        early: look at the residual after each dimension, not only after each space.
    """
    dtype = np.result_type(*[typeof(x).dtype for x in tree.leaves(b)])

    def residual(x: Vector) -> Vector:
        return minus(b, apply(x))

    def improved(x: Vector, r: Vector, size: Any) -> Vector:
        r = precondition(r)
        v, beta = _normalized(r, lax.full((), 0, typeof(size).dtype))
        unit = lax.convert_element_type(np.eye(restart + 1), dtype)
        basis = tree.map(
            lambda x: lax.pad(
                lax.expand_dims(x, (0,)),
                np.zeros((), typeof(x).dtype)[()],
                [(0, restart, 0)] + [(0, 0, 0)] * typeof(x).ndim,
            ),
            v,
        )
        triangle = lax.full((restart, restart), 0, dtype)
        space = _Space(lax.full((), 0, np.int32), basis, unit, triangle, beta)

        def extended(space: _Space) -> _Space:
            return _extended(space, lambda v: precondition(apply(v)), beta)

        # The residual is known as the preconditioner shows it: so the bound is scaled alike.
        bound = lax.mul(beta, lax.min(lax.div(atol, size), lax.full_like(size, 1)))

        def goes_on(space: _Space) -> Any:
            more = lax.lt(space.k, np.int32(restart))
            return lax.bitwise_and(more, lax.gt(space.error, bound)) if early else more

        space = lax.while_loop(goes_on, extended, space)
        return tree.map(lax.add, x, _least(space, beta))

    def step(state: Any) -> Any:
        x, r, size, k = state
        x = improved(x, r, size)
        r = residual(x)
        return x, r, norm(r), k + 1

    def unsolved(state: Any) -> Any:
        _, _, size, k = state
        return lax.bitwise_and(lax.gt(size, atol), operators.less(k, maxiter))

    r = residual(x0)
    return lax.while_loop(unsolved, step, (x0, r, norm(r), lax.full((), 0, np.int32)))[0]
