"""The dtype and weak type of a value, whatever it is.

Python's numbers are *weakly typed*: they have a dtype, which gives way to that
of the array they are combined with. Arrays, tracers and abstract values say
themselves whether they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core.config import enable_x64
from jx_core.dtypes.canonical import canonicalize_dtype
from jx_core.dtypes.extended import ExtendedDType
from jx_core.dtypes.scalars import DType
from jx_core.dtypes.subtypes import issubdtype
from jx_core.symbolic.expressions import DimExpr

_x64 = enable_x64.state


def _table(*names: str) -> dict[type, tuple[DType, bool]]:
    python = (bool, int, float, complex)
    return {t: (np.dtype(n), t is not bool) for t, n in zip(python, names, strict=True)}


# Indexed by enable_x64: type of a Python scalar -> its dtype, and whether it is weak.
PYTHON_SCALARS = (
    _table("bool", "int32", "float32", "complex64"),
    _table("bool", "int64", "float64", "complex128"),
)


def python_scalar_dtype(python_type: type) -> DType:
    """The dtype that bool, int, float or complex stands for: ``int`` is int32, or int64.

    Raises TypeError for another type.

    >>> python_scalar_dtype(int)
    dtype('int32')
    """
    try:
        return PYTHON_SCALARS[_x64.value][python_type][0]
    except (KeyError, TypeError):
        raise TypeError(f"expected bool, int, float or complex; got {python_type!r}") from None


def dtype_and_weak(x: Any) -> tuple[DType | ExtendedDType, bool]:
    """The dtype that ``x`` has, or would have as an array, and whether it is weak.

    ``x`` is a Python scalar, a NumPy array or scalar, an array, a tracer, an
    abstract value, or any object with a ``dtype``. Raises TypeError for anything
    else, a list among them.

    >>> dtype_and_weak(1.0), dtype_and_weak(np.float16(1))
    ((dtype('float32'), True), (dtype('float16'), False))
    """
    pair = PYTHON_SCALARS[_x64.value].get(type(x))
    if pair is not None:
        return pair
    if isinstance(x, (np.ndarray, np.generic)):
        if x.dtype.kind == "V" and x.dtype.names:  # float0
            return x.dtype, False
        return canonicalize_dtype(x.dtype), False
    aval = getattr(x, "aval", x)
    try:
        return aval.dtype, aval.weak_type
    except AttributeError:
        return _dtype_of_other(x), type(x) is DimExpr


def _dtype_of_other(x: Any) -> DType | ExtendedDType:
    if hasattr(x, "dtype"):
        return canonicalize_dtype(x.dtype, True)
    if type(x) is DimExpr:
        return python_scalar_dtype(int)
    # Subclasses of Python's scalars (an IntEnum's members) are typed, but not weak.
    for base in type(x).__mro__:
        if base in PYTHON_SCALARS[0]:
            return python_scalar_dtype(base)
    raise TypeError(
        f"{x!r} of type {type(x).__name__} has no dtype; expected an array or a scalar "
        "(jnp.asarray makes an array of a list or tuple)"
    )


def dtype_of(x: Any) -> DType | ExtendedDType:
    """The dtype of `dtype_and_weak`.

    >>> dtype_of(True)
    dtype('bool')
    """
    return dtype_and_weak(x)[0]


def is_weak(x: Any) -> bool:
    """Whether ``x`` is weakly typed: an int, float or complex, or says so itself.

    False for whatever has no dtype.

    >>> is_weak(1), is_weak(np.float32(1))
    (True, False)
    """
    pair = PYTHON_SCALARS[0].get(type(x))
    if pair is not None:
        return pair[1]
    return bool(getattr(getattr(x, "aval", x), "weak_type", False))


def scalar_type_of(x: Any) -> type:
    """The Python type of ``x``'s elements: bool, int, float or complex.

    ``x`` is a value or a dtype. Raises TypeError where there is none.

    >>> scalar_type_of(np.dtype("uint8"))
    <class 'int'>
    """
    dtype = np.dtype(x) if isinstance(x, (type, np.dtype)) else dtype_of(x)
    for abstract, python in _PYTHON_TYPES:
        if issubdtype(dtype, abstract):
            return python
    raise TypeError(f"elements of dtype {dtype} are no Python scalars")


_PYTHON_TYPES = (
    (np.bool_, bool),
    (np.integer, int),
    (np.floating, float),
    (np.complexfloating, complex),
)
