"""Products of arrays: `matmul`, `dot` and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import define_array_member, dtypes, lax, typeof
from jx_core.clashes import mark_axes
from jx_core.dispatch import compiled
from jx_core.errors import ShapeError

from ..functions import array_function, hashable
from ..operands import Array, ArrayLike, as_operand, promote_dtypes, refuse_out, refuse_sharding
from .pairs import Labels, product

__all__ = [
    "cross", "dot", "inner", "kron", "matmul", "matvec", "outer", "tensordot", "vdot", "vecdot",
    "vecmat",
]  # fmt: skip


def _operands(name: str, a: ArrayLike, b: ArrayLike) -> tuple[Any, Any]:
    a, b = as_operand(name, a), as_operand(name, b, 1)
    x, y = promote_dtypes(name, a, b)
    return x, y


def _batched(
    name: str, a: Any, a_core: Labels, b: Any, b_core: Labels, out_core: Labels, **options: Any
) -> Any:
    """A product of the last axes, the leading ones broadcast against each other."""
    lead_a = typeof(a).ndim - len(a_core)
    lead_b = typeof(b).ndim - len(b_core)
    n = max(lead_a, lead_b)
    batch: Labels = tuple(("batch", i) for i in range(n))
    return product(
        name, a, batch[n - lead_a :] + a_core, b, batch[n - lead_b :] + b_core, batch + out_core,
        **options,
    )  # fmt: skip


def _matmul(
    a: ArrayLike,
    b: ArrayLike,
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Array:
    """The matrix product of the last two axes, as NumPy's `@`.

    Args:
        a: an array of shape (..., m, k), or (k,).
        b: an array of shape (..., k, n), or (k,). Leading axes broadcast.
        precision: how exactly to multiply; see `jx.lax.Precision`.
        preferred_element_type: the dtype to accumulate and return.
        out_sharding: must be None.

    Returns:
        An array of shape (..., m, n), without m or n where that operand has one axis.

    Raises:
        ValueError: an operand is a scalar, or the shapes don't fit.

    >>> matmul(np.ones((2, 3)), np.ones(3))
    Array([3., 3.], dtype=float32)
    """
    refuse_sharding("matmul", out_sharding)
    x, y = _operands("matmul", a, b)
    p, q = typeof(x), typeof(y)
    for i, aval in enumerate((p, q)):
        if aval.ndim == 0:
            raise ShapeError(
                f"matmul input operand {i} must have ndim at least 1, but it has ndim 0; "
                f"multiply by scalars with *"
            )
    k, m = p.shape[-1], q.shape[-2] if q.ndim > 1 else q.shape[0]
    if k != m:
        raise ShapeError(
            f"matmul: the last axis of the first operand must be as long as the "
            f"{'last but one' if q.ndim > 1 else 'only'} axis of the second, got shapes {p.shape} "
            f"and {q.shape}: {k} and {m}"
            f"{mark_axes((p.shape, [-1]), (q.shape, [-2 if q.ndim > 1 else -1]))}"
        )
    a_core: Labels = ("k",) if p.ndim == 1 else ("m", "k")
    b_core: Labels = ("k",) if q.ndim == 1 else ("k", "n")
    out_core = tuple(c for c in (*a_core, *b_core) if c != "k")
    return _batched(
        "matmul", x, a_core, y, b_core, out_core,
        precision=precision, preferred_element_type=_dtype(preferred_element_type),
    )  # fmt: skip


def _dtype(dtype: Any) -> Any:
    return None if dtype is None else dtypes.canonicalize_dtype(dtype)


matmul = compiled(_matmul, static_argnames=("precision", "preferred_element_type", "out_sharding"))
matmul.__name__ = "matmul"


def _matmul_operator(x: ArrayLike, y: ArrayLike) -> Array:
    """The matrix product `x @ y`."""
    return _matmul(x, y)


def _rmatmul_operator(x: ArrayLike, y: ArrayLike) -> Array:
    """The matrix product `y @ x`."""
    return _matmul(y, x)


define_array_member("__matmul__", _matmul_operator, compiled=True)
define_array_member("__rmatmul__", _rmatmul_operator, compiled=True)


@array_function("precision", "preferred_element_type", "out_sharding")
def dot(
    a: ArrayLike,
    b: ArrayLike,
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Array:
    """NumPy's dot product: of the last axis of `a` and the last but one (or only) axis of `b`.

    Args:
        a, b: arrays; where one is a scalar the result is the elementwise product.
        precision, preferred_element_type: as for `matmul`.
        out_sharding: must be None.

    Returns:
        An array of shape `a.shape[:-1] + b.shape[:-2] + b.shape[-1:]`.

    Raises:
        ValueError: the summed axes differ in length.

    >>> dot(np.arange(3.0), np.arange(3.0))
    Array(5., dtype=float32)
    """
    refuse_sharding("dot", out_sharding)
    x, y = _operands("dot", a, b)
    p, q = typeof(x), typeof(y)
    first = tuple(("a", i) for i in range(p.ndim))
    second = tuple(("b", i) for i in range(q.ndim))
    if p.ndim and q.ndim:
        place = max(q.ndim - 2, 0)
        if p.shape[-1] != q.shape[place]:
            raise ShapeError(
                f"dot: axis {p.ndim - 1} of the first operand and axis {place} of the second must "
                f"have one length, got shapes {p.shape} and {q.shape}"
                f"{mark_axes((p.shape, [-1]), (q.shape, [place]))}"
            )
        second = (*second[:place], first[-1], *second[place + 1 :])
    kept = tuple(c for c in first if c not in second) + tuple(c for c in second if c not in first)
    return product("dot", x, first, y, second, kept, precision, _dtype(preferred_element_type))


@array_function("precision", "preferred_element_type")
def vdot(
    a: ArrayLike, b: ArrayLike, *, precision: Any = None, preferred_element_type: Any = None
) -> Array:
    """The dot product of two arrays as flat vectors, the first one conjugated.

    >>> vdot(np.ones((2, 2)), np.ones((2, 2)))
    Array(4., dtype=float32)
    """
    x, y = _operands("vdot", a, b)
    x, y = (lax.reshape(v, (typeof(v).size,)) for v in (x, y))
    if dtypes.issubdtype(typeof(x).dtype, np.complexfloating):
        x = lax.conj(x)
    return product("vdot", x, ("k",), y, ("k",), (), precision, _dtype(preferred_element_type))


@array_function("precision", "preferred_element_type")
def inner(
    a: ArrayLike, b: ArrayLike, *, precision: Any = None, preferred_element_type: Any = None
) -> Array:
    """The product of two arrays summed over the last axis of both.

    Returns:
        An array of shape `a.shape[:-1] + b.shape[:-1]`; of scalars, their product.

    >>> inner(np.arange(3.0), np.ones((2, 3)))
    Array([3., 3.], dtype=float32)
    """
    x, y = _operands("inner", a, b)
    first = tuple(("a", i) for i in range(typeof(x).ndim))
    second = tuple(("b", i) for i in range(typeof(y).ndim))
    if first and second:
        if typeof(x).shape[-1] != typeof(y).shape[-1]:
            raise ShapeError(
                f"inner: the last axes must have one length, got shapes {typeof(x).shape} and "
                f"{typeof(y).shape}{mark_axes((typeof(x).shape, [-1]), (typeof(y).shape, [-1]))}"
            )
        second = (*second[:-1], first[-1])
    kept = tuple(c for c in (*first, *second) if not (c in first and c in second))
    return product("inner", x, first, y, second, kept, precision, _dtype(preferred_element_type))


@compiled
def outer(a: ArrayLike, b: ArrayLike, out: None = None) -> Array:
    """All products of an element of `a` with one of `b`, both read as flat vectors.

    >>> outer(np.arange(2.0), np.arange(3.0))
    Array([[0., 0., 0.],
           [0., 1., 2.]], dtype=float32)
    """
    refuse_out("outer", out)
    x, y = _operands("outer", a, b)
    m, n = typeof(x).size, typeof(y).size
    column = lax.broadcast_in_dim(lax.reshape(x, (m,)), (m, n), (0,))
    row = lax.broadcast_in_dim(lax.reshape(y, (n,)), (m, n), (1,))
    return _times(column, row)


def _times(x: Any, y: Any) -> Any:
    return (lax.and_p if typeof(x).dtype == np.bool_ else lax.mul_p).bind(x, y)


@compiled
def kron(a: ArrayLike, b: ArrayLike) -> Array:
    """The Kronecker product: `b` scaled by each element of `a`, laid out in blocks.

    >>> kron(np.eye(2), np.ones((1, 2)))
    Array([[1., 1., 0., 0.],
           [0., 0., 1., 1.]], dtype=float32)
    """
    x, y = _operands("kron", a, b)
    p, q = typeof(x).shape, typeof(y).shape
    n = max(len(p), len(q))
    p, q = (1,) * (n - len(p)) + p, (1,) * (n - len(q)) + q
    full = tuple(d for pair in zip(p, q, strict=True) for d in pair)
    outside = lax.broadcast_in_dim(lax.reshape(x, p), full, tuple(range(0, 2 * n, 2)))
    inside = lax.broadcast_in_dim(lax.reshape(y, q), full, tuple(range(1, 2 * n, 2)))
    return lax.reshape(_times(outside, inside), tuple(i * j for i, j in zip(p, q, strict=True)))


@array_function("axes", "precision", "preferred_element_type", "out_sharding")
def tensordot(
    a: ArrayLike,
    b: ArrayLike,
    axes: Any = 2,
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Array:
    """The product of two arrays summed over chosen axes.

    Args:
        a, b: arrays.
        axes: how many axes, the last of `a` with the first of `b`; or a pair of axes, or of
            sequences of axes, one for each array.
        precision, preferred_element_type: as for `matmul`.
        out_sharding: must be None.

    Raises:
        ValueError, TypeError: `axes` don't fit the shapes.

    >>> tensordot(np.ones((2, 3)), np.ones((3, 4)), 1).shape
    (2, 4)
    """
    refuse_sharding("tensordot", out_sharding)
    x, y = _operands("tensordot", a, b)
    p, q = typeof(x), typeof(y)
    first, second = _summed_axes(hashable(axes), p.ndim, q.ndim)
    for i, j in zip(first, second, strict=True):
        if p.shape[i] != q.shape[j]:
            raise ShapeError(
                f"tensordot: axis {i} of the first operand and axis {j} of the second must have "
                f"one length, got shapes {p.shape} and {q.shape}"
                f"{mark_axes((p.shape, [i]), (q.shape, [j]))}"
            )
    a_labels = [("a", i) for i in range(p.ndim)]
    b_labels = [("b", j) for j in range(q.ndim)]
    for i, j in zip(first, second, strict=True):
        b_labels[j] = a_labels[i]
    kept = [c for c in a_labels if c not in b_labels] + [c for c in b_labels if c not in a_labels]
    return product(
        "tensordot", x, tuple(a_labels), y, tuple(b_labels), tuple(kept), precision,
        _dtype(preferred_element_type),
    )  # fmt: skip


def _summed_axes(axes: Any, m: int, n: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(axes, int):
        if axes < 0 or axes > min(m, n):
            raise ShapeError(
                f"tensordot: axes={axes} asks to sum that many axes of arrays of {m} and {n} axes"
            )
        return tuple(range(m - axes, m)), tuple(range(axes))
    if not isinstance(axes, tuple) or len(axes) != 2:
        raise TypeError(f"tensordot: axes must be an int or a pair of axes, got {axes!r}")
    pair = tuple(a if isinstance(a, tuple) else (a,) for a in axes)
    if len(pair[0]) != len(pair[1]):
        raise TypeError(f"tensordot: axes must name as many axes of each operand, got {axes!r}")
    for side, ndim in zip(pair, (m, n), strict=True):
        for i in side:
            if not -ndim <= i < ndim:
                raise ShapeError(f"tensordot: axis {i} is out of range for an array of {ndim} axes")
    return tuple(i % m for i in pair[0]), tuple(j % n for j in pair[1])


@array_function("axis", "precision", "preferred_element_type")
def vecdot(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    *,
    axis: int = -1,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Array:
    """The dot product of vectors along an axis, the first ones conjugated; others broadcast.

    >>> vecdot(np.ones((2, 3)), np.arange(3.0))
    Array([3., 3.], dtype=float32)
    """
    x, y = _operands("vecdot", x1, x2)
    x, y = (_to_last("vecdot", v, axis) for v in (x, y))
    if dtypes.issubdtype(typeof(x).dtype, np.complexfloating):
        x = lax.conj(x)
    _same_length("vecdot", x, -1, y, -1)
    return _batched(
        "vecdot", x, ("k",), y, ("k",), (),
        precision=precision, preferred_element_type=_dtype(preferred_element_type),
    )  # fmt: skip


def _to_last(name: str, x: Any, axis: int) -> Any:
    ndim = typeof(x).ndim
    if not -ndim <= axis < ndim:
        raise ShapeError(f"{name}: axis {axis} is out of range for an array of {ndim} axes")
    rest = [i for i in range(ndim) if i != axis % ndim]
    return lax.transpose(x, (*rest, axis % ndim))


def _same_length(name: str, x: Any, i: int, y: Any, j: int) -> None:
    p, q = typeof(x).shape, typeof(y).shape
    if p[i] != q[j]:
        raise ShapeError(
            f"{name}: the axes that are summed must have one length, got shapes {p} and {q}: "
            f"{p[i]} and {q[j]}{mark_axes((p, [i]), (q, [j]))}"
        )


@compiled
def matvec(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Products of matrices (..., m, k) with vectors (..., k); leading axes broadcast.

    >>> matvec(np.ones((2, 3)), np.arange(3.0))
    Array([3., 3.], dtype=float32)
    """
    x, y = _operands("matvec", x1, x2)
    if typeof(x).ndim < 2 or typeof(y).ndim < 1:
        raise ShapeError(
            f"matvec takes a matrix and a vector, got shapes {typeof(x).shape}, {typeof(y).shape}"
        )
    _same_length("matvec", x, -1, y, -1)
    return _batched("matvec", x, ("m", "k"), y, ("k",), ("m",))


@compiled
def vecmat(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Products of conjugated vectors (..., k) with matrices (..., k, n); others broadcast.

    >>> vecmat(np.arange(3.0), np.ones((3, 2)))
    Array([3., 3.], dtype=float32)
    """
    x, y = _operands("vecmat", x1, x2)
    if typeof(x).ndim < 1 or typeof(y).ndim < 2:
        raise ShapeError(
            f"vecmat takes a vector and a matrix, got shapes {typeof(x).shape}, {typeof(y).shape}"
        )
    if dtypes.issubdtype(typeof(x).dtype, np.complexfloating):
        x = lax.conj(x)
    _same_length("vecmat", x, -1, y, -2)
    return _batched("vecmat", x, ("k",), y, ("k", "n"), ("n",))


@array_function("axisa", "axisb", "axisc", "axis")
def cross(
    a: ArrayLike,
    b: ArrayLike,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Array:
    """The cross product of vectors of 2 or 3 components.

    Args:
        a, b: arrays; the axes other than the vectors' broadcast.
        axisa, axisb: where the components of each lie.
        axisc: where those of the result go; where both have 2 components, the result is
            the third one alone and has no such axis.
        axis: all three of them at once.

    Raises:
        ValueError: a vector has neither 2 nor 3 components.

    >>> cross(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    Array([0., 0., 1.], dtype=float32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = _operands("cross", a, b)
    x, y = _to_last("cross", x, axisa), _to_last("cross", y, axisb)
    p, q = typeof(x).shape, typeof(y).shape
    if p[-1] not in (2, 3) or q[-1] not in (2, 3):
        raise ShapeError(f"cross: vectors must have 2 or 3 components, got shapes {p} and {q}")
    u = [lax.index_in_dim(x, i, -1, keepdims=False) if i < p[-1] else None for i in range(3)]
    v = [lax.index_in_dim(y, i, -1, keepdims=False) if i < q[-1] else None for i in range(3)]
    if p[-1] == q[-1] == 2:
        return _difference(u[0], v[1], u[1], v[0])
    parts = [_difference(u[i], v[j], u[j], v[i]) for i, j in ((1, 2), (2, 0), (0, 1))]
    out = lax.concatenate([lax.expand_dims(part, (part.ndim,)) for part in parts], parts[0].ndim)
    order = list(range(out.ndim - 1))
    order.insert(axisc % out.ndim, out.ndim - 1)
    return lax.transpose(out, order)


def _difference(a: Any, b: Any, c: Any, d: Any) -> Any:
    """`a * b - c * d`, None being zero."""
    from jx_core.operators import multiply, subtract

    first = multiply(a, b) if a is not None and b is not None else None
    second = multiply(c, d) if c is not None and d is not None else None
    if first is None:
        return lax.neg(second)
    return first if second is None else subtract(first, second)
