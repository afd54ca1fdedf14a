"""Coordinates of grids, and arrays as functions of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_batching import vmap
from jx_core import lax
from jx_core.dtypes import python_scalar_dtype

from ..functions import array_function
from ..operands import Array, ArrayLike, a_dtype, a_shape, as_operand, promote_dtypes, typeof
from .conversion import asarray
from .ranges import arange, linspace

__all__ = ["fromfunction", "indices", "meshgrid", "mgrid", "ogrid"]


@array_function("sparse", "indexing")
def _meshgrid(arrays: Sequence[Any], sparse: bool, indexing: str) -> list[Array]:
    n = len(arrays)
    places = list(range(n))
    if indexing == "xy" and n >= 2:
        places[:2] = [1, 0]
    lengths = [1] * n
    for x, place in zip(arrays, places, strict=True):
        lengths[place] = typeof(x).size
    outputs = []
    for x, place in zip(arrays, places, strict=True):
        flat = lax.reshape(x, (typeof(x).size,))
        shape = [length if i == place or not sparse else 1 for i, length in enumerate(lengths)]
        outputs.append(lax.broadcast_in_dim(flat, shape, (place,)))
    return outputs


def meshgrid(
    *xi: ArrayLike, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> list[Array]:
    """The coordinates of the points of a grid, from those along each axis.

    Args:
        xi: vectors, the coordinates along each axis.
        copy: must be True.
        sparse: whether to leave axes along which a coordinate is the same at length 1.
        indexing: `xy` where the first vector runs along columns, as in a plot, or `ij`.

    Returns:
        An array for each vector.

    Raises:
        ValueError: an argument has more than one axis, `indexing` is another word, or
            `copy` is False.

    >>> x, y = jnp.meshgrid(jnp.array([1, 2]), jnp.array([3, 4]))
    >>> x
    Array([[1, 2],
           [1, 2]], dtype=int32)
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"jnp.meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}")
    if not copy:
        raise ValueError("jnp.meshgrid: copy must be True: arrays are never views")
    arrays = [as_operand("meshgrid", x, i) for i, x in enumerate(xi)]
    for i, x in enumerate(arrays):
        if typeof(x).ndim > 1:
            raise ValueError(
                f"jnp.meshgrid takes vectors, got an array of shape {typeof(x).shape} at "
                f"position {i}"
            )
    return list(_meshgrid(arrays, bool(sparse), indexing))


def indices(dimensions: Any, dtype: Any = None, sparse: bool = False) -> Any:
    """The indices of each place of an array.

    Args:
        dimensions: the shape of the array.
        dtype: the indices' dtype; the default integer one if None.
        sparse: whether to leave axes along which an index is the same at length 1.

    Returns:
        An array of shape `(len(dimensions), *dimensions)`, or, if `sparse`, a tuple of
        arrays.

    >>> jnp.indices((2, 2))
    Array([[[0, 0],
            [1, 1]],
    <BLANKLINE>
           [[0, 1],
            [0, 1]]], dtype=int32)
    """
    shape = a_shape("indices", dimensions, "dimensions")
    dtype = python_scalar_dtype(int) if dtype is None else a_dtype("indices", dtype)
    if sparse:
        return tuple(
            asarray(np.arange(n).reshape([-1 if i == j else 1 for j in range(len(shape))]), dtype)
            for i, n in enumerate(shape)
        )
    return _indices(shape, dtype)


@array_function("shape", "dtype")
def _indices(shape: tuple[int, ...], dtype: Any) -> Array:
    if not shape:
        return lax.full((0,), 0, dtype)
    return lax.stack([lax.broadcasted_iota(dtype, shape, i) for i in range(len(shape))], 0)


def fromfunction(
    function: Callable[..., Any], shape: Any, *, dtype: Any = float, **kwargs: Any
) -> Any:
    """An array whose elements are a function of their indices.

    Unlike NumPy's, `function` gets scalars: it is mapped over all places.

    Args:
        function: takes an index for each axis.
        shape: the array's shape.
        dtype: the indices' dtype.
        kwargs: more arguments of `function`.

    >>> jnp.fromfunction(lambda i, j: i + 10 * j, (2, 2), dtype=int)
    Array([[ 0, 10],
           [ 1, 11]], dtype=int32)
    """
    lengths = a_shape("fromfunction", shape)
    dtype = a_dtype("fromfunction", dtype)

    def mapped(*index: Any) -> Any:
        return function(*index, **kwargs)

    for k in reversed(range(len(lengths))):
        mapped = vmap(mapped, in_axes=tuple(0 if i == k else None for i in range(len(lengths))))
    return mapped(*[arange(n, dtype=dtype) for n in lengths])


class _Grid:
    """`mgrid` and `ogrid`: indexing with slices gives the coordinates of a grid."""

    def __init__(self, name: str, sparse: bool) -> None:
        self._sparse = sparse
        self.__doc__ = _GRID_DOCS[sparse]
        self.__name__ = name

    def __repr__(self) -> str:
        return f"jnp.{self.__name__}"

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self._points(key)
        vectors = [self._points(k) for k in key]
        grids = _meshgrid(promote_dtypes(self.__name__, *vectors), self._sparse, "ij")
        return list(grids) if self._sparse else lax.stack(grids, 0)

    def _points(self, key: Any) -> Array:
        """The numbers a slice stands for; an imaginary step says how many of them."""
        if not isinstance(key, slice):
            raise TypeError(f"jnp.{self.__name__} takes slices such as 0:5, got {key!r}")
        if key.stop is None:
            raise ValueError(f"jnp.{self.__name__}: a slice needs an end, got {key}")
        start = 0 if key.start is None else key.start
        step = 1 if key.step is None else key.step
        if isinstance(step, complex):
            return linspace(start, key.stop, int(abs(step)))
        return arange(start, key.stop, step)


_GRID_DOCS = (
    """The coordinates of a grid, by slices: `jnp.mgrid[0:2, 0:3]` has shape (2, 2, 3).

    An imaginary step says how many points there are, both ends included.

    >>> jnp.mgrid[0:2, 0:1:3j][1]
    Array([[0. , 0.5, 1. ],
           [0. , 0.5, 1. ]], dtype=float32)
    """,
    """The coordinates of a grid along each axis, by slices, as arrays that broadcast.

    >>> [x.shape for x in jnp.ogrid[0:2, 0:3]]
    [(2, 1), (1, 3)]
    """,
)
mgrid = _Grid("mgrid", sparse=False)
ogrid = _Grid("ogrid", sparse=True)
