"""Functions that find where elements are: `nonzero`, `argwhere`, `flatnonzero`.

How many there are depends on values, so they work on concrete arrays, or are told how many
to return. Sorting and searching in sorted arrays is elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import backend, compiled, lax
from jx_core.aval import typeof
from jx_core.errors import ConcretizationTypeError
from jx_core.ops.elementwise import convert, ge, ne, select
from jx_core.ops.indexing import GatherScatterMode, ScatterDimensionNumbers
from jx_core.trace import to_concrete

from ..operands import an_integer, type_of

__all__ = ["argwhere", "flatnonzero", "nonzero"]


def nonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> tuple[Any, ...]:
    """The indices of the elements that are not zero.

    Args:
        a: an array of rank at least 1.
        size: how many indices to return: further ones are cut off, missing ones filled in.
            Without it `a` must be concrete.
        fill_value: what fills in: an integer, or one for each axis; 0 by default.

    Returns:
        A tuple with an array of indices for each axis, in row-major order.

    Raises:
        ValueError: `a` is of rank 0, or there are not as many fill values as axes.
        ConcretizationTypeError: `a` is traced and no `size` is given.

    >>> jnp.nonzero(jnp.array([[0, 7], [8, 0]]))
    (Array([0, 1], dtype=int32), Array([1, 0], dtype=int32))
    """
    aval = type_of("nonzero", a)
    if not aval.ndim:
        raise ValueError(
            "Calling nonzero on 0d arrays is not allowed. Use jnp.atleast_1d(scalar).nonzero() "
            "instead."
        )
    if size is not None:
        count = an_integer("nonzero", size, "size")
        if count < 0:
            raise ValueError(f"nonzero: size must not be negative, got {size}")
        if isinstance(fill_value, (tuple, list)):
            fill_value = tuple(fill_value)
            if len(fill_value) != aval.ndim:
                raise ValueError(
                    f"nonzero: fill_value needs one value for each of the {aval.ndim} axes, got "
                    f"{len(fill_value)}"
                )
        return _nonzero_sized(a, count, fill_value)
    known = to_concrete(a)
    if known is None:
        raise ConcretizationTypeError(
            a,
            "The size argument of jnp.nonzero must be statically specified to use jnp.nonzero "
            "within JAX transformations: how many elements are not zero is known only when the "
            "program runs.",
        )
    return tuple([on_device(x) for x in np.nonzero(np.asarray(known))])


def on_device(x: np.ndarray) -> Any:
    """An ndarray as an array of the current back end."""
    return backend.current().put(x, typeof(x))


@compiled(static_argnames=("size",))
def _nonzero_sized(a: Any, size: int, fill_value: Any) -> tuple[Any, ...]:
    """The k-th index is how many elements come before the (k+1)-th that is not zero.

    That is: count the elements by how many nonzero ones there are up to them, and sum up.
    """
    aval = typeof(a)
    dtype = typeof(0).dtype
    mask = a if aval.dtype == np.bool_ else ne(a, np.zeros((), aval.dtype)[()])
    fills = fill_value if isinstance(fill_value, tuple) else (fill_value,) * aval.ndim
    if not aval.size or not size:
        return tuple([_filled(size, f, dtype) for f in fills])
    flat = convert(lax.reshape(mask, (aval.size,)), dtype)
    before = lax.cumsum(flat, 0)
    ones = lax.full((aval.size,), 1, dtype)
    counts = lax.scatter_add(
        lax.full((size,), 0, dtype),
        lax.reshape(before, (aval.size, 1)),
        ones,
        ScatterDimensionNumbers((), (0,), (0,)),
        indices_are_sorted=True,
        mode=GatherScatterMode.FILL_OR_DROP,
    )
    places = lax.cumsum(counts, 0)
    total = lax.index_in_dim(before, aval.size - 1, keepdims=False)
    missing = ge(lax.iota(dtype, size), lax.broadcast(total, (size,)))
    indices = []
    stride = aval.size
    for n, fill in zip(aval.shape, fills):
        stride //= n
        one = type(stride) is int and stride <= 1
        index = places if one else lax.div(places, lax.dim_as(stride, dtype))
        index = lax.rem(index, lax.dim_as(n, dtype))
        indices.append(select(missing, _filled(size, fill, dtype), index))
    return tuple(indices)


def _filled(size: int, fill_value: Any, dtype: Any) -> Any:
    value = 0 if fill_value is None else fill_value
    aval = typeof(value)
    return lax.broadcast(convert(value, dtype), (size,)) if not aval.ndim else value


def flatnonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The indices in the flattened array of the elements that are not zero; see `nonzero`.

    >>> jnp.flatnonzero(jnp.array([[0, 7], [8, 0]])).tolist()
    [1, 2]
    """
    aval = type_of("flatnonzero", a)
    return nonzero(lax.reshape(a, (aval.size,)), size=size, fill_value=fill_value)[0]


def argwhere(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The indices of the elements that are not zero, one row for each; see `nonzero`.

    >>> jnp.argwhere(jnp.array([[0, 7], [8, 0]])).tolist()
    [[0, 1], [1, 0]]
    """
    aval = type_of("argwhere", a)
    if not aval.ndim:
        count = nonzero(lax.reshape(a, (1,)), size=size)[0].shape[0]
        return lax.full((count, 0), 0, typeof(0).dtype)
    return _columns(list(nonzero(a, size=size, fill_value=fill_value)))


@compiled
def _columns(indices: list[Any]) -> Any:
    return lax.stack(indices, 1)
