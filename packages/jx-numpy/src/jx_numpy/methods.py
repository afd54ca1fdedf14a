"""The methods and properties that arrays and tracers have beside the operators.

Most are the functions of the same name with the array as their first argument. They are
installed on every array class, of whichever back end, and on tracers, when this module is
imported. Indexing (`x[...]`, `x.at`) is in `indexing`, `@` in `contraction`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from jx_core import define_array_member, dtypes, lax
from jx_core.errors import KeyTypeError, ShapeError
from jx_core.ops.elementwise import convert
from jx_core.ops.kit import keys_refused

from . import (
    contraction,
    creation,
    cumulative,
    indexing,
    manipulation,
    means,
    reductions,
    sorting,
    ufuncs,
)
from .creation.conversion import placed
from .functions import array_function, plain
from .operands import Array, ArrayLike, a_dtype, is_complex, typeof


def _reshape(
    self: Array, *shape: Any, order: str = "C", copy: bool | None = None, out_sharding: Any = None
) -> Array:
    """The elements in another shape, given as one sequence or as several integers.

    See `jnp.reshape`.

    >>> jnp.arange(6).reshape(2, -1)
    Array([[0, 1, 2],
           [3, 4, 5]], dtype=int32)
    """
    new = shape[0] if len(shape) == 1 else shape
    return manipulation.reshape(self, new, order, copy=copy, out_sharding=out_sharding)


def _transpose(self: Array, *axes: Any) -> Array:
    """The array with its axes in another order, or reversed. See `jnp.transpose`.

    >>> jnp.ones((2, 3, 4)).transpose(2, 0, 1).shape
    (4, 2, 3)
    """
    if len(axes) == 1:
        return manipulation.transpose(self, axes[0] if _is_sequence(axes[0]) else axes)
    return manipulation.transpose(self, axes or None)


def _is_sequence(x: Any) -> bool:
    return x is None or (hasattr(x, "__len__") and getattr(x, "ndim", 1) > 0)


def _flatten(self: Array, order: str = "C", *, out_sharding: Any = None) -> Array:
    """The elements in one axis. See `jnp.ravel`.

    >>> jnp.array([[1, 2], [3, 4]]).flatten()
    Array([1, 2, 3, 4], dtype=int32)
    """
    return manipulation.ravel(self, order, out_sharding=out_sharding)


def _astype(self: Array, dtype: Any, copy: bool = False, device: Any = None) -> Array:
    """The elements as another dtype. See `jnp.astype`.

    >>> jnp.array([1.5, -2.5]).astype(jnp.int32)
    Array([ 1, -2], dtype=int32)
    """
    return creation.astype(self, dtype, copy=copy, device=device)


def _copy(self: Array) -> Array:
    """A copy of the array.

    >>> x = jnp.array([1, 2])
    >>> y = x.copy()
    >>> y is x, y.tolist()
    (False, [1, 2])
    """
    return creation.copy(self)


def _round(self: Array, decimals: int = 0, out: None = None) -> Array:
    """Each element rounded to a number of decimals. See `jnp.round`.

    >>> jnp.array([1.26, 2.5]).round(1)
    Array([1.3, 2.5], dtype=float32)
    """
    return ufuncs.round(self, decimals, out)


def _round_operator(self: Array, ndigits: int | None = None) -> Array:
    """`round(x, ndigits)`: integers where `ndigits` is left out. See `jnp.round`.

    >>> round(jnp.float32(2.6))
    Array(3, dtype=int32)
    """
    if ndigits is None:
        return creation.astype(ufuncs.round(self), int)
    return ufuncs.round(self, ndigits)


def _clip(self: Array, min: ArrayLike | None = None, max: ArrayLike | None = None) -> Array:
    """Each element limited to a range. See `jnp.clip`.

    >>> jnp.array([-1, 2, 5]).clip(0, 3)
    Array([0, 2, 3], dtype=int32)
    """
    return ufuncs.clip(self, min, max)


def _to_device(self: Array, device: Any, *, stream: None = None) -> Array:
    """The array on another device.

    Raises:
        ValueError: `stream` is given.

    >>> x = jnp.array([1, 2])
    >>> x.to_device(x.device).tolist()
    [1, 2]
    """
    if stream is not None:
        raise ValueError(f"to_device: stream must be None, got {stream!r}")
    return placed(self, device)


_ROWS_AT_ONCE = 128  # each chunk of them is one compiled dispatch


def _iterate(self: Array) -> Iterator[Array]:
    """The slices along the first axis, one after the other.

    Raises:
        TypeError: the array has no axes.

    >>> [row.tolist() for row in jnp.array([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    aval = typeof(self)
    if not aval.ndim:
        raise TypeError("iteration over a 0-d array")
    return _rows(self, aval.shape[0])


def _rows(x: Array, n: int) -> Iterator[Array]:
    for start in range(0, n, _ROWS_AT_ONCE):
        chunk = x if n <= _ROWS_AT_ONCE else x[start : start + _ROWS_AT_ONCE]
        yield from manipulation.unstack(chunk)


def _contains(self: Array, item: Any) -> bool:
    """Whether an element is equal to `item`.

    >>> 2 in jnp.array([1, 2])
    True
    """
    return bool(reductions.any(ufuncs.equal(self, item)))


def _array_namespace(self: Array, *, api_version: str | None = None) -> Any:
    """The module with the functions of the array API standard: `jx.numpy`.

    Raises:
        ValueError: `api_version` is one that it does not follow.

    >>> jnp.array([1, 2]).__array_namespace__() is jnp
    True
    """
    if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
        raise ValueError(f"array API version {api_version!r} is not supported; 2024.12 is")
    return sys.modules["jx_numpy"]


def _array_module(self: Array, types: Any) -> Any:
    """The module with the functions for arrays of these classes, as NEP 37 has it: `jx.numpy`."""
    mine = all(issubclass(kind, (type(self), np.ndarray)) for kind in types)
    return sys.modules["jx_numpy"] if mine else NotImplemented


def _tobytes(self: Array, order: str = "C") -> bytes:
    """The elements as the bytes they take in memory.

    >>> jnp.array([1, 258], dtype=jnp.uint16).tobytes().hex()
    '01000201'
    """
    return np.asarray(self).tobytes(order)  # type: ignore[arg-type]


# Bits.


@array_function("dtype")
def _view(self: Array, dtype: Any = None) -> Array:
    """The bits of the elements read as another dtype.

    Args:
        dtype: the dtype; the default float one if None. Where it is narrower or wider, the
            last axis becomes longer or shorter.

    Raises:
        ShapeError: the last axis does not hold a whole number of the wider elements.

    >>> jnp.array([1.0], dtype=jnp.float32).view(jnp.int32)
    Array([1065353216], dtype=int32)
    """
    dtype = dtypes.python_scalar_dtype(float) if dtype is None else a_dtype("view", dtype)
    return _as_bits(self, dtype)


def _as_bits(x: Array, dtype: Any) -> Array:
    source = typeof(x).dtype
    if source == dtype:
        return x
    if isinstance(source, dtypes.ExtendedDType):
        raise KeyTypeError(keys_refused("view", source))
    if source == np.bool_:
        return _as_bits(convert(x, np.dtype(np.uint8)), dtype)
    if dtype == np.bool_:
        return convert(_as_bits(x, np.dtype(np.uint8)), dtype)
    if is_complex(source):
        parts = lax.stack([lax.real(x), lax.imag(x)], typeof(x).ndim)
        shape = typeof(x).shape
        if not shape:
            return _as_bits(parts, dtype)
        return _as_bits(lax.reshape(parts, (*shape[:-1], shape[-1] * 2)), dtype)
    if is_complex(dtype):
        part = np.empty(0, dtype).real.dtype
        pairs = _as_bits(x, part)
        *rest, n = typeof(pairs).shape or (1,)
        if n % 2:
            raise _no_whole_number(x, dtype)
        pairs = lax.reshape(pairs, (*rest, n // 2, 2))
        last = len(rest) + 1
        return lax.complex(
            lax.index_in_dim(pairs, 0, last, keepdims=False),
            lax.index_in_dim(pairs, 1, last, keepdims=False),
        )
    return _recast(x, dtype)


def _recast(x: Array, dtype: Any) -> Array:
    """`view` between real dtypes, of any widths."""
    shape = typeof(x).shape
    have, want = dtypes.itemsize_bits(typeof(x).dtype), dtypes.itemsize_bits(dtype)
    if have == want:
        return lax.bitcast_convert_type(x, dtype)
    if not shape:
        raise ShapeError(
            f"view: a zero-dimensional array of {typeof(x).dtype.name} can't be read as "
            f"{dtype.name}, which has another width"
        )
    *rest, n = shape
    if have > want:
        split = lax.bitcast_convert_type(x, dtype)  # with a last axis for the parts
        return lax.reshape(split, (*rest, n * (have // want)))
    factor = want // have
    if n % factor:
        raise _no_whole_number(x, dtype)
    return lax.bitcast_convert_type(lax.reshape(x, (*rest, n // factor, factor)), dtype)


def _no_whole_number(x: Array, dtype: Any) -> ShapeError:
    return ShapeError(
        f"view: the last axis of shape {typeof(x).shape} and dtype {typeof(x).dtype.name} does "
        f"not hold a whole number of elements of {dtype.name}"
    )


@array_function("inplace")
def _byteswap(self: Array, inplace: bool = False) -> Array:
    """The elements with the order of their bytes reversed.

    Raises:
        ValueError: `inplace` is True.

    >>> jnp.array([1, 258], dtype=jnp.uint16).byteswap()
    Array([256, 513], dtype=uint16)
    """
    if inplace:
        raise ValueError("byteswap: inplace must be False: arrays are immutable")
    dtype = typeof(self).dtype
    if is_complex(dtype):
        return lax.complex(plain(_byteswap)(lax.real(self)), plain(_byteswap)(lax.imag(self)))
    if dtypes.itemsize_bits(dtype) <= 8:
        return self
    parts = lax.bitcast_convert_type(self, np.dtype(np.uint8))
    parts = lax.rev(parts, (typeof(parts).ndim - 1,))
    return lax.bitcast_convert_type(parts, dtype)


def _compress(
    self: Array, condition: ArrayLike, axis: int | None = None, *, size: int | None = None,
    fill_value: ArrayLike = 0, out: None = None,
) -> Array:  # fmt: skip
    """The slices along an axis for which `condition` is true. See `jnp.compress`.

    >>> jnp.array([1, 2, 3]).compress(jnp.array([True, False, True]))
    Array([1, 3], dtype=int32)
    """
    return indexing.compress(condition, self, axis, size=size, fill_value=fill_value, out=out)


_METHODS = {
    "__array_module__": _array_module,
    "__array_namespace__": _array_namespace,
    "__contains__": _contains,
    "__iter__": _iterate,
    "__round__": _round_operator,
    "all": reductions.all,
    "any": reductions.any,
    "argmax": reductions.argmax,
    "argmin": reductions.argmin,
    "argpartition": sorting.argpartition,
    "argsort": sorting.argsort,
    "astype": _astype,
    "byteswap": _byteswap,
    "choose": indexing.choose,
    "clip": _clip,
    "clone": _copy,
    "compress": _compress,
    "conj": ufuncs.conj,
    "conjugate": ufuncs.conj,
    "copy": _copy,
    "cumprod": cumulative.cumprod,
    "cumsum": cumulative.cumsum,
    "diagonal": creation.diagonal,
    "dot": contraction.dot,
    "flatten": _flatten,
    "max": reductions.max,
    "mean": means.mean,
    "min": reductions.min,
    "nonzero": indexing.nonzero,
    "prod": reductions.prod,
    "ptp": reductions.ptp,
    "ravel": manipulation.ravel,
    "repeat": manipulation.repeat,
    "reshape": _reshape,
    "round": _round,
    "searchsorted": sorting.searchsorted,
    "sort": sorting.sort,
    "squeeze": manipulation.squeeze,
    "std": means.std,
    "sum": reductions.sum,
    "swapaxes": manipulation.swapaxes,
    "take": indexing.take,
    "to_device": _to_device,
    "tobytes": _tobytes,
    "trace": creation.trace,
    "transpose": _transpose,
    "var": means.var,
    "view": _view,
}


_PROPERTIES = {
    "T": (
        manipulation.transpose,
        """The array with its axes in reverse order.

        >>> jnp.ones((2, 3)).T.shape
        (3, 2)
        """,
    ),
    "mT": (
        manipulation.matrix_transpose,
        """The matrices with rows and columns exchanged.

        >>> jnp.ones((4, 2, 3)).mT.shape
        (4, 3, 2)
        """,
    ),
    "real": (
        ufuncs.real,
        """The real part of each element.

        >>> jnp.array([1 + 2j, 3]).real
        Array([1., 3.], dtype=float32)
        """,
    ),
    "imag": (
        ufuncs.imag,
        """The imaginary part of each element.

        >>> jnp.array([1 + 2j, 3]).imag
        Array([2., 0.], dtype=float32)
        """,
    ),
}
# Where the tests look for examples that are not in a docstring of this module's.
__test__ = {name: doc for name, (_, doc) in _PROPERTIES.items()}

for _name, _method in _METHODS.items():
    define_array_member(_name, _method)
for _name, (_function, _doc) in _PROPERTIES.items():
    define_array_member(_name, property(_function, doc=_doc))
