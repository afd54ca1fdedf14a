"""Index arithmetic and ready-made indices: `unravel_index`, `tril_indices`, `ix_` and kin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import compiled, dtypes, lax, operators
from jx_core.aval import typeof
from jx_core.errors import ConcretizationTypeError
from jx_core.trace import to_concrete

from ..functions import array_function
from ..operands import a_dtype, a_shape, an_integer, aval_of, promote_dtypes
from .searching import nonzero, on_device

__all__ = [
    "diag_indices",
    "diag_indices_from",
    "indices",
    "ix_",
    "mask_indices",
    "ravel_multi_index",
    "tril_indices",
    "tril_indices_from",
    "triu_indices",
    "triu_indices_from",
    "unravel_index",
]


@array_function("shape")
def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """The index on each axis of elements given by their flat index.

    Args:
        indices: integers. Out of bounds they are moved to the nearest one inside, where
            negative ones count from the end first.
        shape: the shape of the array they are in.

    Returns:
        A tuple with an array of indices for each axis.

    >>> jnp.unravel_index(jnp.array([5, 22]), (4, 6))
    (Array([0, 3], dtype=int32), Array([5, 4], dtype=int32))
    """
    aval = aval_of("unravel_index", indices)
    sizes = a_shape("unravel_index", shape)
    total = int(np.prod(sizes, dtype=np.int64))
    if aval.dtype == np.bool_ or not dtypes.issubdtype(aval.dtype, np.number):
        raise TypeError(f"unravel_index: indices must be integers, got {aval.dtype.name}")
    if type(indices) is int:
        flat: Any = operators.positive(indices)
    else:
        flat = indices
    flat = lax.select(lax.lt(flat, 0), lax.add(flat, total), flat)
    flat = operators.to_dtype(flat, aval.dtype, aval.weak_type)
    flat = lax.clamp(lax.full_like(flat, 0, shape=()), flat, lax.full_like(flat, total - 1, shape=()))
    out = []
    for n in reversed(sizes):
        out.append(lax.rem(flat, n))
        flat = lax.div(flat, n)
    return tuple(reversed(out))


def ravel_multi_index(
    multi_index: Sequence[Any],
    dims: Sequence[int],
    mode: str = "raise",
    order: str = "C",
    *,
    dtype: Any = None,
) -> Any:
    """The flat index of elements given by their index on each axis.

    Args:
        multi_index: an array of integers for each axis.
        dims: the shape of the array they are in.
        mode: what indices out of bounds do: "raise" (not while tracing), "wrap", "clip".
        order: "C" where the last axis runs fastest, "F" where the first does.
        dtype: the integer dtype of the result.

    Raises:
        ValueError: an index is out of bounds or not an integer; an unknown mode or order.
        ConcretizationTypeError: mode "raise" with traced indices.

    >>> jnp.ravel_multi_index((jnp.array([0, 3]), jnp.array([5, 4])), (4, 6)).tolist()
    [5, 22]
    """
    if len(multi_index) != len(dims):
        raise ValueError(
            f"ravel_multi_index: needs one index for each axis, got {len(multi_index)} for the "
            f"shape {tuple(dims)}"
        )
    sizes = tuple([an_integer("ravel_multi_index", d, "dims") for d in dims])
    avals = [aval_of("ravel_multi_index", x, i) for i, x in enumerate(multi_index)]
    for aval in avals:
        if not dtypes.issubdtype(aval.dtype, np.integer):
            raise ValueError(f"ravel_multi_index: {aval.dtype.name} is not an integer type.")
    if order not in ("C", "F"):
        raise ValueError(f"invalid order={order!r}. Expected 'C' or 'F'")
    if mode == "raise":
        _check_bounds(multi_index, sizes)
    elif mode not in ("wrap", "clip"):
        raise ValueError(f"invalid mode={mode!r}. Expected 'raise', 'wrap', or 'clip'")
    wanted = None if dtype is None else a_dtype("ravel_multi_index", dtype)
    return _raveled(tuple(multi_index), sizes, mode, order, wanted)


def _check_bounds(multi_index: Sequence[Any], sizes: tuple[int, ...]) -> None:
    for index, size in zip(multi_index, sizes):
        known = to_concrete(index)
        if known is None:
            raise ConcretizationTypeError(
                index,
                "It decides whether jnp.ravel_multi_index raises; with mode='wrap' or 'clip' it "
                "does not.",
            )
        known = np.asarray(known)
        if known.size and not (0 <= known.min() and known.max() < size):
            raise ValueError(
                f"invalid entry in coordinates array: indices on an axis of length {size} must "
                f"lie in [0, {size}), got {known.min()} to {known.max()}"
            )


@compiled(static_argnames=("sizes", "mode", "order", "dtype"))
def _raveled(
    multi_index: tuple[Any, ...], sizes: tuple[int, ...], mode: str, order: str, dtype: Any
) -> Any:
    parts = operators.promote_shapes(
        "ravel_multi_index", *promote_dtypes("ravel_multi_index", *multi_index)
    )
    total: Any = 0
    stride = 1
    axes = range(len(sizes)) if order == "F" else reversed(range(len(sizes)))
    for axis in axes:
        part = parts[axis]
        if mode == "wrap":
            part = operators.remainder(part, sizes[axis])
        elif mode == "clip":
            part = lax.clamp(0, part, sizes[axis] - 1)
        total = operators.add(total, operators.multiply(part, stride))
        stride *= sizes[axis]
    return total if dtype is None else operators.to_dtype(total, dtype)


# --- ready-made indices ---


def _places(arrays: Sequence[np.ndarray]) -> tuple[Any, ...]:
    return tuple([on_device(a) for a in arrays])


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """The indices of the main diagonal of an array of shape (n, n, ...).

    Args:
        n: the length of its axes.
        ndim: how many axes it has.

    >>> x = jnp.arange(9).reshape(3, 3)
    >>> x[jnp.diag_indices(3)].tolist()
    [0, 4, 8]
    """
    n = an_integer("diag_indices", n, "n")
    ndim = an_integer("diag_indices", ndim, "ndim")
    if n < 0 or ndim < 0:
        raise ValueError(f"diag_indices: n and ndim must not be negative, got {n} and {ndim}")
    return (on_device(np.arange(n)),) * ndim


def diag_indices_from(arr: Any) -> tuple[Any, ...]:
    """The indices of the main diagonal of `arr`, whose axes have one length, at least two.

    >>> jnp.diag_indices_from(jnp.zeros((2, 2)))
    (Array([0, 1], dtype=int32), Array([0, 1], dtype=int32))
    """
    shape = aval_of("diag_indices_from", arr).shape
    if len(shape) < 2:
        raise ValueError(f"input array must be at least 2-d, got shape {shape}")
    if len(set(shape)) > 1:
        raise ValueError(f"All dimensions of input must be of equal length, got shape {shape}")
    return diag_indices(shape[0], len(shape))


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """The indices of the lower triangle of an array of shape (n, m).

    Args:
        n, m: its lengths; m is n by default.
        k: the diagonal up to which: 0 for the main one, positive for those above.

    >>> jnp.tril_indices(2)
    (Array([0, 1, 1], dtype=int32), Array([0, 0, 1], dtype=int32))
    """
    return _places(np.tril_indices(n, k, m))  # type: ignore[return-value]


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """The indices of the upper triangle of an array of shape (n, m); see `tril_indices`.

    >>> jnp.triu_indices(2)
    (Array([0, 0, 1], dtype=int32), Array([0, 1, 1], dtype=int32))
    """
    return _places(np.triu_indices(n, k, m))  # type: ignore[return-value]


def _matrix_shape(name: str, arr: Any) -> tuple[int, int]:
    shape = aval_of(name, arr).shape
    if len(shape) != 2:
        raise ValueError(f"{name}: input array must be 2-d, got shape {shape}")
    return shape


def tril_indices_from(arr: Any, k: int = 0) -> tuple[Any, Any]:
    """The indices of the lower triangle of a matrix; see `tril_indices`."""
    n, m = _matrix_shape("tril_indices_from", arr)
    return tril_indices(n, k, m)


def triu_indices_from(arr: Any, k: int = 0) -> tuple[Any, Any]:
    """The indices of the upper triangle of a matrix; see `tril_indices`."""
    n, m = _matrix_shape("triu_indices_from", arr)
    return triu_indices(n, k, m)


def mask_indices(
    n: int, mask_func: Callable[[Any, Any], Any], k: Any = 0, *, size: int | None = None
) -> tuple[Any, ...]:
    """The indices of the elements that a function such as `jnp.triu` keeps of a square matrix.

    Args:
        n: the matrix' length.
        mask_func: `mask_func(matrix, k)` zeroes elements.
        k: its second argument.
        size: how many indices to return; see `nonzero`.

    >>> jnp.mask_indices(2, jnp.tril)
    (Array([0, 1, 1], dtype=int32), Array([0, 0, 1], dtype=int32))
    """
    ones = lax.full((n, n), 1, typeof(0).dtype)
    return nonzero(mask_func(ones, k), size=size)


def indices(dimensions: Sequence[int], dtype: Any = None, sparse: bool = False) -> Any:
    """The index of every element of an array on each axis.

    Args:
        dimensions: the array's shape.
        dtype: the dtype of the result; the default integer dtype if None.
        sparse: return a tuple with an array for each axis that broadcasts to the shape, in
            place of one array of shape (number of axes, *dimensions).

    >>> jnp.indices((2, 3), sparse=True)
    (Array([[0],
           [1]], dtype=int32), Array([[0, 1, 2]], dtype=int32))
    """
    shape = a_shape("indices", dimensions, "dimensions")
    kind = typeof(0).dtype if dtype is None else a_dtype("indices", dtype)
    rank = len(shape)
    if sparse:
        return tuple(
            [
                lax.broadcasted_iota(kind, [n if i == axis else 1 for i in range(rank)], axis)
                for axis, n in enumerate(shape)
            ]
        )
    if not rank:
        return lax.full((0,), 0, kind)
    return lax.stack([lax.broadcasted_iota(kind, shape, axis) for axis in range(rank)], 0)


def ix_(*args: Any) -> tuple[Any, ...]:
    """Index arrays that broadcast against each other, to index a product of sets.

    Args:
        args: arrays of rank 1.

    Raises:
        ValueError: one is of another rank.
        NotImplementedError: one is boolean; `jnp.nonzero(mask)[0]` gives its indices.

    >>> x = jnp.arange(12).reshape(3, 4)
    >>> x[jnp.ix_(jnp.array([0, 2]), jnp.array([1, 3]))].tolist()
    [[1, 3], [9, 11]]
    """
    n = len(args)
    out = []
    for i, x in enumerate(args):
        aval = aval_of("ix_", x, i)
        if aval.ndim != 1:
            raise ValueError(
                f"Arguments to jax.numpy.ix_ must be 1-dimensional, got shape {aval.shape}"
            )
        if aval.dtype == np.bool_:
            raise NotImplementedError(
                "Boolean arguments to jax.numpy.ix_ are not implemented: jnp.nonzero(mask)[0] "
                "gives the indices"
            )
        if not aval.size:
            x = lax.full((0,), 0, typeof(0).dtype)
        shape = [1] * n
        shape[i] = aval.size
        out.append(lax.reshape(x, shape))
    return tuple(out)
