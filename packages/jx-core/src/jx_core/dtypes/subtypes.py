"""Which dtypes are kinds of which: `issubdtype` and `isdtype`.

NumPy's hierarchy of scalar types, into which ml_dtypes' floats and integers are
fitted (NumPy itself takes them for unstructured bytes), and the extended dtypes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core.dtypes.extended import ExtendedDType, extended
from jx_core.dtypes.scalars import NARROW_FLOATS, NARROW_INTS, DType, bfloat16

_ML_PARENT: dict[type, type] = {bfloat16: np.floating}
_ML_PARENT |= {dtype.type: np.floating for dtype in NARROW_FLOATS}
_ML_PARENT |= {
    dtype.type: np.unsignedinteger if dtype.name.startswith("u") else np.signedinteger
    for dtype in NARROW_INTS
}


def issubdtype(a: Any, b: Any) -> bool:
    """Whether the dtype ``a`` is ``b``, or a kind of it.

    Each is a dtype, what NumPy takes for one, or an abstract scalar type such as
    `numpy.floating`, `extended` or `prng_key`. ml_dtypes' types and extended
    dtypes have their place in the hierarchy; for the rest it is
    `numpy.issubdtype`. Raises TypeError for what is no dtype.

    >>> issubdtype("bfloat16", np.floating)
    True
    """
    try:
        return _issubdtype(a, b)
    except TypeError:
        # An unhashable description of a dtype, or none at all: this time, say so.
        return _issubdtype(_hashable(a), _hashable(b))


def _hashable(x: Any) -> Any:
    return x if isinstance(x, (ExtendedDType, type)) else np.dtype(x)


@functools.lru_cache(maxsize=8192)
def _issubdtype(a: Any, b: Any) -> bool:
    if isinstance(b, ExtendedDType):
        return isinstance(a, ExtendedDType) and bool(a == b)
    scalar_a = _scalar_type(a)
    scalar_b = _scalar_type(b)
    parent = _ML_PARENT.get(scalar_a)
    if parent is None:
        return issubclass(scalar_a, scalar_b)
    return scalar_a is scalar_b or issubclass(parent, scalar_b)


def _scalar_type(x: Any) -> type:
    """The scalar class that stands for a dtype in the hierarchy."""
    if isinstance(x, ExtendedDType):
        return x.type
    if isinstance(x, type) and issubclass(x, np.generic):
        return x
    scalar: type = np.dtype(x).type
    return scalar


_KINDS: dict[str, Callable[[DType], bool]] = {
    "bool": lambda d: issubdtype(d, np.bool_),
    "signed integer": lambda d: issubdtype(d, np.signedinteger),
    "unsigned integer": lambda d: issubdtype(d, np.unsignedinteger),
    "integral": lambda d: issubdtype(d, np.integer),
    "real floating": lambda d: issubdtype(d, np.floating),
    "complex floating": lambda d: issubdtype(d, np.complexfloating),
    "numeric": lambda d: issubdtype(d, np.number),
}


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether ``dtype`` is of a kind of the array API standard.

    ``kind`` is "bool", "signed integer", "unsigned integer", "integral", "real
    floating", "complex floating", "numeric", a dtype, or a tuple of these (any
    of them). Raises ValueError for an unknown name and TypeError for what is no
    kind.

    >>> isdtype("bfloat16", ("integral", "real floating"))
    True
    """
    dtype = dtype if isinstance(dtype, ExtendedDType) else np.dtype(dtype)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return any(_is_kind(dtype, k) for k in kinds)


def _is_kind(dtype: Any, kind: Any) -> bool:
    if isinstance(kind, ExtendedDType):
        return bool(dtype == kind)
    if isinstance(kind, str) and kind in _KINDS:
        return not isinstance(dtype, ExtendedDType) and _KINDS[kind](dtype)
    # NumPy takes None for float64, and some versions an abstract type for a default one.
    if kind is not None and not (isinstance(kind, type) and _is_abstract(kind)):
        try:
            return bool(dtype == np.dtype(kind))
        except TypeError:
            pass
    names = ", ".join(repr(name) for name in _KINDS)
    if isinstance(kind, str):
        raise ValueError(f"unknown kind {kind!r} of dtype; expected a dtype or one of {names}")
    raise TypeError(f"kind must be a dtype, one of {names}, or a tuple of these; got {kind!r}")


def _is_abstract(kind: type) -> bool:
    return kind in _ABSTRACT or issubclass(kind, extended)


_ABSTRACT = frozenset(
    (
        np.generic, np.number, np.integer, np.signedinteger, np.unsignedinteger, np.inexact,
        np.floating, np.complexfloating, np.flexible, np.character,
    )
)  # fmt: skip
