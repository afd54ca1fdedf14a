"""`jx.scipy.sparse.linalg`: solvers of linear systems that only apply the operator.

The operator is a function, a matrix or what has `@`, and vectors are pytrees of arrays. A solution
is differentiated as what it is, by one more solution; see `jx.lax.custom_linear_solve`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from jx_ad import linear_transpose
from jx_core import dtypes, eval_shape, lax, operators, tree, typeof
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert

from ...contraction.products import _matmul
from ...creation import asarray
from ...operands import Array, promote_dtypes_inexact
from .gmres_iteration import gmres_solution
from .vectors import (
    Operator,
    Vector,
    all_real,
    choose,
    inner,
    minus,
    of_dtype,
    plus,
    square,
    zeros_like,
)

__all__ = ["bicgstab", "cg", "gmres"]

_Solver = Callable[[Operator, Vector, Vector, Operator, Any], Vector]


def _operator(name: str, argument: str, a: Any) -> Operator:
    """A linear operator as a function."""
    if callable(a):
        return a  # type: ignore[no-any-return]
    if not hasattr(a, "__matmul__") and not hasattr(a, "__rmatmul__"):
        raise TypeError(
            f"{name}: {argument} must be a function, a matrix or an object with @, got {a!r:.80}"
        )
    shape = tuple(getattr(a, "shape", (0, 0)))
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError(f"{name}: {argument} must be a square matrix, got shape {shape}")
    if isinstance(a, np.ndarray) or hasattr(a, "aval"):
        return partial(_matmul, a)
    return lambda x: a @ x


def _identity(x: Vector) -> Vector:
    return x


def _space(name: str, apply: Operator, b: Any, x0: Any) -> tuple[Vector, Vector]:
    """The right-hand side and the first guess, in the dtypes in which products come."""
    if not tree.leaves(b):
        raise ValueError(f"{name}: b must have at least one array, got {b!r:.80}")
    b = tree.map(lambda x: promote_dtypes_inexact(name, x)[0], b)
    product = eval_shape(apply, b)
    if tree.structure(product) != tree.structure(b):
        raise ValueError(
            f"{name}: A must return the tree of its argument, {tree.structure(b)}, got "
            f"{tree.structure(product)}"
        )
    b = tree.map(
        lambda x, y: asarray(
            lax.convert_element_type(x, dtypes.result_type(typeof(x).dtype, y.dtype))
        ),
        b,
        product,
    )
    if x0 is None:
        return b, zeros_like(b)
    if tree.structure(x0) != tree.structure(b):
        raise ValueError(
            f"{name}: x0 and b must have one tree, got {tree.structure(x0)} and {tree.structure(b)}"
        )
    for x, y in zip(tree.leaves(x0), tree.leaves(b), strict=True):
        if typeof(x).shape != typeof(y).shape:
            raise ShapeError(
                f"{name}: arrays of x0 and b must have the same shapes, got {typeof(x).shape} and "
                f"{typeof(y).shape}"
            )
    return b, tree.map(lambda x, y: asarray(of_dtype(x, typeof(y).dtype)), x0, b)


def _solution(
    name: str, solver: _Solver, A: Any, b: Any, x0: Any, tol: Any, atol: Any, M: Any, real: bool
) -> tuple[Vector, None]:
    """The solution by an iteration `solver(apply, b, x0, precondition, atol)`.

    `real` says that the operator is symmetric if it is real.
    """
    apply = _operator(name, "A", A)
    precondition = _identity if M is None else _operator(name, "M", M)
    b, x0 = _space(name, apply, b, x0)

    def bound(b: Vector) -> Any:
        size = lax.sqrt(square(b))
        return lax.max(operators.multiply(size, tol), lax.full_like(size, 1) * atol)

    def solve(apply: Operator, b: Vector) -> Vector:
        return solver(apply, b, x0, precondition, bound(b))

    def transpose_solve(apply: Operator, b: Vector) -> Vector:
        if M is None:
            return solver(apply, b, zeros_like(b), _identity, bound(b))
        transposed = linear_transpose(precondition, b)
        return solver(apply, b, zeros_like(b), lambda x: transposed(x)[0], bound(b))

    x = lax.custom_linear_solve(apply, b, solve, transpose_solve, symmetric=real and all_real(b))
    return x, None


def _maxiter(maxiter: Any, b: Any) -> Any:
    """How many steps at most: ten for each unknown, unless it is given."""
    if maxiter is not None:
        return maxiter
    return 10 * sum(math.prod(typeof(x).shape) for x in tree.leaves(b))


def _ratio(a: Any, b: Any) -> Any:
    """`a / b`, or zero where that is zero over zero."""
    nothing = lax.eq(b, lax.full_like(b, 0))
    return lax.select(
        nothing, lax.full_like(a, 0), lax.div(a, lax.select(nothing, lax.full_like(b, 1), b))
    )


def cg(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: Any = 1e-5,
    atol: Any = 0.0,
    maxiter: Any = None,
    M: Any = None,
) -> tuple[Any, None]:
    """The solution of `A(x) = b` for Hermitian positive definite A, by conjugate gradients.

    Args:
        A: a linear function from pytrees like `b` to pytrees like `b`, a matrix, or an object
            with `@`.
        b: a pytree of arrays.
        x0: a first guess, like `b`; zeros if None.
        tol, atol: it is done when the norm of the residual is at most `max(tol * norm(b), atol)`.
        maxiter: how many steps there are at most; ten for each unknown if None.
        M: like `A`, close to its inverse, Hermitian and positive definite.

    Returns:
        `(x, None)`, x being like `b`.

    Raises:
        TypeError: `A` or `M` is none of these.
        ValueError: their results, or `x0`, are not like `b`.

    See M. R. Hestenes and E. Stiefel, "Methods of conjugate gradients for solving linear systems",
    Journal of Research of the National Bureau of Standards 49 (1952); Y. Saad, Iterative Methods
    for Sparse Linear Systems (2003), section 9.2.

    >>> x, _ = jx.scipy.sparse.linalg.cg(lambda x: 2 * x, jnp.array([2.0, 4.0]))
    >>> x
    Array([1., 2.], dtype=float32)
    """
    most = _maxiter(maxiter, b)
    return _solution("cg", partial(_by_conjugate_gradients, most), A, b, x0, tol, atol, M, True)


def _by_conjugate_gradients(
    maxiter: Any, apply: Operator, b: Vector, x0: Vector, precondition: Operator, atol: Any
) -> Vector:
    def real_inner(x: Vector, y: Vector) -> Any:
        return of_dtype(inner(x, y), typeof(atol).dtype)

    def unsolved(state: Any) -> Any:
        *_, size, k = state
        return lax.bitwise_and(lax.gt(size, atol), operators.less(k, maxiter))

    def step(state: Any) -> Any:
        x, r, p, gamma, _, k = state
        a_p = apply(p)
        alpha = _ratio(gamma, real_inner(p, a_p))
        x, r = plus(x, alpha, p), plus(r, lax.neg(alpha), a_p)
        z = precondition(r)
        new = real_inner(r, z)
        p = plus(z, _ratio(new, gamma), p)
        return x, r, p, new, lax.sqrt(square(r)), k + 1

    r = minus(b, apply(x0))
    z = precondition(r)
    start = x0, r, z, real_inner(r, z), lax.sqrt(square(r)), lax.full((), 0, np.int32)
    return lax.while_loop(unsolved, step, start)[0]


def bicgstab(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: Any = 1e-5,
    atol: Any = 0.0,
    maxiter: Any = None,
    M: Any = None,
) -> tuple[Any, None]:
    """The solution of `A(x) = b` by stabilized biconjugate gradients.

    Args:
        A: a linear function from pytrees like `b` to pytrees like `b`, a matrix, or an object
            with `@`.
        b: a pytree of arrays.
        x0: a first guess, like `b`; zeros if None.
        tol, atol: it is done when the norm of the residual is at most `max(tol * norm(b), atol)`.
        maxiter: how many steps there are at most; ten for each unknown if None. Fewer are taken
            where the iteration breaks down.
        M: like `A`, close to its inverse.

    Returns:
        `(x, None)`, x being like `b`.

    Raises:
        TypeError: `A` or `M` is none of these.
        ValueError: their results, or `x0`, are not like `b`.

    See H. A. van der Vorst, "Bi-CGSTAB: a fast and smoothly converging variant of Bi-CG for the
    solution of nonsymmetric linear systems", SIAM Journal on Scientific and Statistical Computing
    13 (1992).

    >>> a = jnp.array([[4.0, 1.0], [0.0, 2.0]])
    >>> x, _ = jx.scipy.sparse.linalg.bicgstab(a, jnp.array([5.0, 2.0]))
    >>> x.round(3)
    Array([1., 1.], dtype=float32)
    """
    most = _maxiter(maxiter, b)
    solver = partial(_by_biconjugate_gradients, most)
    return _solution("bicgstab", solver, A, b, x0, tol, atol, M, False)


def _by_biconjugate_gradients(
    maxiter: Any, apply: Operator, b: Vector, x0: Vector, precondition: Operator, atol: Any
) -> Vector:
    def unsolved(state: Any) -> Any:
        *_, size, broken, k = state
        more = lax.bitwise_and(lax.gt(size, atol), operators.less(k, maxiter))
        return lax.bitwise_and(more, lax.bitwise_not(broken))

    r0 = minus(b, apply(x0))

    def step(state: Any) -> Any:
        x, r, p, q, rho, alpha, omega, _, _, k = state
        new_rho = inner(r0, r)
        beta = lax.mul(_ratio(new_rho, rho), _ratio(alpha, omega))
        p = plus(r, beta, plus(p, lax.neg(omega), q))
        p_hat = precondition(p)
        q = apply(p_hat)
        alpha = _ratio(new_rho, inner(r0, q))
        s = plus(r, lax.neg(alpha), q)
        s_hat = precondition(s)
        t = apply(s_hat)
        omega = _ratio(inner(t, s), inner(t, t))
        half = plus(x, alpha, p_hat)
        # With s small enough x needs no second half, whose factor may be rounding over rounding.
        early = lax.le(lax.sqrt(square(s)), atol)
        x = choose(early, half, plus(half, omega, s_hat))
        r = choose(early, s, plus(s, lax.neg(omega), t))
        zero = lax.full_like(alpha, 0)
        broken = lax.bitwise_or(lax.eq(alpha, zero), lax.eq(omega, zero))
        return x, r, p, q, new_rho, alpha, omega, lax.sqrt(square(r)), broken, k + 1

    one = lax.full_like(inner(r0, r0), 1)
    zeros = zeros_like(b)
    size, k = lax.sqrt(square(r0)), lax.full((), 0, np.int32)
    start = x0, r0, zeros, zeros, one, one, one, size, lax.full((), False), k
    return lax.while_loop(unsolved, step, start)[0]


def gmres(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: Any = 1e-5,
    atol: Any = 0.0,
    restart: int = 20,
    maxiter: Any = None,
    M: Any = None,
    solve_method: str = "batched",
) -> tuple[Any, Array]:
    """The solution of `A(x) = b` by least residuals over Krylov spaces (GMRES).

    Args:
        A: a linear function from pytrees like `b` to pytrees like `b`, a matrix, or an object
            with `@`.
        b: a pytree of arrays.
        x0: a first guess, like `b`; zeros if None.
        tol, atol: it is done when the norm of the residual is at most `max(tol * norm(b), atol)`.
        restart: how many dimensions a space has at most.
        maxiter: how many spaces are built at most; ten for each unknown if None.
        M: like `A`, close to its inverse.
        solve_method: `"incremental"` leaves a space as soon as the residual is small enough,
            `"batched"` builds each of them whole, with fewer decisions.

    Returns:
        `(x, info)`, x being like `b`; info is -1 if the norm of x is NaN, else 0.

    Raises:
        TypeError: `A` or `M` is none of these.
        ValueError: their results, or `x0`, are not like `b`; or an unknown `solve_method`.

    See Y. Saad and M. H. Schultz, "GMRES: a generalized minimal residual algorithm for solving
    nonsymmetric linear systems" (1986).

    >>> a = jnp.array([[4.0, 1.0], [0.0, 2.0]])
    >>> x, _ = jx.scipy.sparse.linalg.gmres(a, jnp.array([5.0, 2.0]))
    >>> x.round(3)
    Array([1., 1.], dtype=float32)
    """
    if solve_method not in ("batched", "incremental"):
        raise ValueError(
            f"gmres: solve_method must be 'batched' or 'incremental', got {solve_method!r}"
        )
    unknowns = _maxiter(None, b) // 10
    most = _maxiter(maxiter, b)
    dimensions = max(min(int(restart), unknowns), 1)

    def solver(apply: Operator, b: Vector, x0: Vector, precondition: Operator, atol: Any) -> Vector:
        early = solve_method == "incremental"
        return gmres_solution(apply, b, x0, precondition, atol, dimensions, most, early)

    x, _ = _solution("gmres", solver, A, b, x0, tol, atol, M, False)
    size = square(x)
    failed = lax.ne(size, size)  # NaN
    info = operators.negative(convert(failed, np.dtype(np.int32)))
    return x, convert(info, np.dtype(np.int32), True)
