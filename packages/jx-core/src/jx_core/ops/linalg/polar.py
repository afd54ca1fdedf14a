"""The polar decomposition, by dynamically weighted Halley iteration.

Each step takes every singular value `s` of the iterate to `s (a + b s^2) / (1 + c s^2)`, with
weights that bring the least of them to 1 the fastest. First steps, in which the weights are
large, invert `1 + c x^H x` by a QR decomposition, later ones by Cholesky's. See Nakatsukasa, Bai
and Gygi, *Optimizing Halley's iteration for computing the matrix polar decomposition*, SIAM
Journal on Matrix Analysis and Applications 31 (2010), and Nakatsukasa and Higham, *Stable and
efficient spectral divide and conquer algorithms*, SIAM Journal on Scientific Computing 35 (2013).
"""

from __future__ import annotations

import functools
from operator import index
from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..control_flow.while_loop import fori_loop, while_loop
from ..elementwise import abs as modulus
from ..elementwise import (
    add,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    convert_element_type,
    eq,
    le,
    lt,
    min,
    mul,
    rsqrt,
    select,
    sqrt,
    sub,
)
from ..indexing import dynamic_index_in_dim, slice_in_dim
from ..kit import Array, ArrayLike, real_dtype
from ..reduction import reduce_max, reduce_or, reduce_sum
from ..shape import broadcast_in_dim, broadcasted_iota, concatenate, full, full_like
from .cholesky import cholesky
from .eigh import symmetrize
from .masks import adjoint_of, all_finite, eye, product
from .qr import qr
from .spectral import adjoint, machine_epsilon, matrix_shape, per_matrix, types_of
from .triangular import triangular_solve

__all__ = ["qdwh", "qdwh_p"]

_LARGE = 100.0  # up to which a weight leaves Cholesky's decomposition accurate
_HALLEY = (3.0, 1.0, 3.0)  # the weights where all singular values are 1


def _qdwh_type(x: ShapedArray, *, max_iterations: int, eps: float) -> list[ShapedArray]:
    batch, m, n = matrix_shape("qdwh", x)
    if m < n:
        raise ShapeError(
            f"qdwh: matrices must have at least as many rows as columns, got shape {x.shape}. "
            f"Decompose the conjugate transpose"
        )
    return [
        ShapedArray(x.shape, x.dtype),
        ShapedArray((*batch, n, n), x.dtype),
        ShapedArray(batch, np.int32),
        ShapedArray(batch, np.bool_),
    ]


@functools.cache
def weights(eps: float, max_iterations: int) -> tuple[tuple[float, float, float], ...]:
    """The weights (a, b, c) of the steps for singular values between `eps` and 1."""
    steps: list[tuple[float, float, float]] = []
    least = eps
    while least + 5 * eps < 1 and len(steps) < max_iterations:
        square = least * least
        d = (4 * (1 - square) / square**2) ** (1 / 3)
        root = (1 + d) ** 0.5
        a = root + (8 - 4 * d + 8 * (2 - square) / (square * root)) ** 0.5 / 2
        b = (a - 1) ** 2 / 4
        c = a + b - 1
        least *= (a + b * square) / (1 + c * square)
        steps.append((a, b, c))
    return tuple(steps)


def _settled(eps: float) -> float:
    """The change of an iterate below which a step more would not change it."""
    return float((5 * eps) ** (1 / 3))


def _qdwh(x: np.ndarray, *, max_iterations: int, eps: float) -> list[np.ndarray]:
    planned = weights(eps, max_iterations)

    def step(u: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
        m, n = u.shape
        q, _ = np.linalg.qr(np.concatenate([np.sqrt(c) * u, np.eye(n)]))
        return np.asarray(b / c * u + (a - b / c) / np.sqrt(c) * q[:m] @ adjoint(q[m:]))

    def compute(matrix: np.ndarray) -> Any:
        if not matrix.size:
            return matrix, np.zeros((matrix.shape[1],) * 2), 0, True
        sizes = np.abs(matrix)
        u = matrix / (np.sqrt(sizes.sum(0).max()) * np.sqrt(sizes.sum(1).max()) or 1)
        count, change = 0, float("inf")
        while count < max_iterations and (count < len(planned) or change > _settled(eps)):
            before, which = u, planned[count] if count < len(planned) else _HALLEY
            u = step(u, *which)
            count, change = count + 1, float(np.linalg.norm(u - before))
        u = 1.5 * u - 0.5 * u @ (adjoint(u) @ u)
        h = adjoint(u) @ matrix
        return u, (h + adjoint(h)) / 2, count, change <= _settled(eps)

    types = types_of(_qdwh_type, x, {"max_iterations": max_iterations, "eps": eps})
    return per_matrix(compute, x, types)


def _over(batch_values: Any, like: Any) -> Any:
    """A value for each matrix, as an array of the shape of `like`."""
    shape = typeof(like).shape
    return broadcast_in_dim(batch_values, shape, range(len(shape) - 2))


def _scaled(x: Any, factor: Any) -> Any:
    return mul(x, convert_element_type(factor, typeof(x).dtype))


def _step_by_qr(u: Any, a: Any, b: Any, c: Any) -> Any:
    *batch, m, n = typeof(u).shape
    rows = len(batch)
    stacked = concatenate([_scaled(u, sqrt(c)), eye((*batch, n, n), typeof(u).dtype)], rows)
    q, _ = qr(stacked, full_matrices=False)
    upper, lower = (slice_in_dim(q, *part, axis=rows) for part in ((0, m), (m, m + n)))
    rest = b / c
    return add(_scaled(u, rest), _scaled(product(upper, adjoint_of(lower)), (a - rest) / sqrt(c)))


def _step_by_cholesky(u: Any, a: Any, b: Any, c: Any) -> Any:
    gram = product(adjoint_of(u), u)
    low = cholesky(
        add(_scaled(gram, c), eye(typeof(gram).shape, typeof(u).dtype)), symmetrize_input=False
    )
    z = triangular_solve(low, u, lower=True, transpose_a=True, conjugate_a=True)
    z = triangular_solve(low, z, lower=True)
    rest = b / c
    return add(_scaled(u, rest), _scaled(z, a - rest))


def _row(table: np.ndarray, k: Any) -> list[Any]:
    row = dynamic_index_in_dim(table, k, 0, False)
    return [dynamic_index_in_dim(row, i, 0, False) for i in range(3)]


def _iterated(u: Any, finite: Any, max_iterations: int, eps: float) -> tuple[Any, Any, Any]:
    """The unitary factor of `u`, whose norms are at most 1; steps taken, and not settled."""
    planned, kind = weights(eps, max_iterations), real_dtype(typeof(u).dtype)
    large = sum(c > _LARGE for _, _, c in planned)
    first = np.asarray(planned[:large], kind)
    further = np.asarray([*planned[large:], _HALLEY], kind)
    if large:
        u = fori_loop(0, large, lambda i, u: _step_by_qr(u, *_row(first, i)), u)
    axes = (typeof(u).ndim - 2, typeof(u).ndim - 1)
    square = np.asarray(_settled(eps) ** 2, kind)[()]

    def step(state: Any) -> Any:
        k, u, going, count = state
        new = _step_by_cholesky(u, *_row(further, min(sub(k, large), len(further) - 1)))
        size = modulus(sub(new, u))
        settled = le(reduce_sum(mul(size, size), axes), square)
        k = add(k, 1)
        count = add(count, convert_element_type(going, np.int32))
        u = select(_over(going, u), new, u)
        more = bitwise_or(bitwise_not(settled), lt(k, len(planned)))
        return k, u, bitwise_and(going, more), count

    def goes_on(state: Any) -> Any:
        k, _, going, _ = state
        return bitwise_and(lt(k, max_iterations), reduce_or(going, range(len(typeof(going).shape))))

    count = mul(convert_element_type(finite, np.int32), large)
    _, u, going, count = while_loop(goes_on, step, (np.int32(large), u, finite, count))
    return u, count, going


def _by_operations(x: Any, *, max_iterations: int, eps: float) -> list[Any]:
    *batch, m, n = typeof(x).shape
    kind = real_dtype(typeof(x).dtype)
    if 0 in (m, n, *batch):
        h = full((*batch, n, n), 0, typeof(x).dtype)
        return [x, h, full(batch, 0, np.int32), full(batch, True, np.bool_)]
    finite = all_finite(x)
    safe = select(_over(finite, x), x, full_like(x, 0))
    sizes, d = modulus(safe), len(batch)
    norms = [reduce_max(reduce_sum(sizes, (axis,)), (d,)) for axis in (d, d + 1)]
    is_zero = eq(norms[0], np.zeros((), kind)[()])
    one = full_like(norms[0], 1)
    factor = mul(*[rsqrt(select(is_zero, one, norm)) for norm in norms])
    u = mul(safe, convert_element_type(_over(factor, x), typeof(x).dtype))
    u, count, going = _iterated(u, finite, max_iterations, eps)
    # One step of Newton and Schulz takes away what rounding has left.
    u = sub(mul(u, 1.5), mul(product(u, product(adjoint_of(u), u)), 0.5))
    h = symmetrize(product(adjoint_of(u), safe))
    nan = [select(_over(finite, v), v, full_like(v, np.nan)) for v in (u, h)]
    return [*nan, count, bitwise_and(finite, bitwise_not(going))]


# Params: max_iterations; eps, the least singular value to count with, beside the greatest.
# Results: the unitary factor, the Hermitian one, the number of steps, whether it converged.
qdwh_p = Primitive(
    "qdwh",
    abstract=_qdwh_type,
    reference=_qdwh,
    decompose=_by_operations,
    multiple_results=True,
)


def qdwh(
    x: ArrayLike,
    *,
    is_hermitian: bool = False,
    max_iterations: int | None = None,
    eps: float | None = None,
    dynamic_shape: tuple[Any, Any] | None = None,
) -> tuple[Array, Array, Array, Array]:
    """The polar decomposition of matrices: `x = u @ h`.

    `u` has orthonormal columns, and `h` is Hermitian and not negative. Both are unique, and
    differentiable, where `x` is of full rank.

    Args:
        x: an array of shape (..., m, n) with m >= n, float32, float64, complex64 or complex128.
        is_hermitian: whether matrices are Hermitian, which makes no difference.
        max_iterations: how many steps at most, 10 if left out.
        eps: singular values below this part of the greatest count as zero; the resolution of
            the dtype if left out.
        dynamic_shape: a pair of integers, which may be traced: the rows and columns in which
            matrices lie; what is beyond counts as zero.

    Returns:
        `u` of shape (..., m, n); `h` of shape (..., n, n); the number of steps taken, and
        whether they were enough, both of shape (...).

    Raises:
        ShapeError: there are fewer rows than columns.
        TypeError: another dtype.

    See Nakatsukasa, Bai and Gygi (2010), and Nakatsukasa and Higham (2013).

    >>> u, h, steps, converged = qdwh(np.float32([[0, -2], [3, 0]]))
    >>> np.allclose(h, [[3, 0], [0, 2]]), bool(converged)
    (True, True)
    """
    aval = typeof(x)
    matrix_shape("qdwh", aval)
    x = x if dynamic_shape is None else _within(x, dynamic_shape)
    eps = machine_epsilon(aval.dtype) if eps is None else float(eps)
    count = 10 if max_iterations is None else index(max_iterations)
    u, h, steps, converged = qdwh_p.bind(x, max_iterations=count, eps=eps)
    u = u if dynamic_shape is None else _within(u, dynamic_shape)
    return u, h, steps, converged


def _within(x: Any, sizes: tuple[Any, Any]) -> Any:
    """Matrices with zeros beyond their first rows and columns."""
    shape = typeof(x).shape
    inside = None
    for axis, size in zip((len(shape) - 2, len(shape) - 1), sizes, strict=True):
        here = lt(broadcasted_iota(np.int32, shape, axis), convert_element_type(size, np.int32))
        inside = here if inside is None else bitwise_and(inside, here)
    return select(inside, x, full_like(x, 0))
