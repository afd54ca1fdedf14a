"""Questions about arrays and dtypes, answered at once and never traced."""

from __future__ import annotations

import builtins
import warnings
from typing import Any

import numpy as np

from jx_core import dtypes
from jx_core.dtypes import iinfo, isdtype, promote_types, result_type

from .operands import (
    ArrayLike,
    Shape,
    is_complex,
    one_axis,
    some_axes,
    type_of,
    typeof,
    user_stacklevel,
)
from .scalar_types import ScalarType

__all__ = [
    "ComplexWarning",
    "can_cast",
    "dtype",
    "finfo",
    "get_printoptions",
    "iinfo",
    "iscomplexobj",
    "isdtype",
    "isrealobj",
    "isscalar",
    "issubdtype",
    "iterable",
    "ndim",
    "printoptions",
    "promote_types",
    "result_type",
    "set_printoptions",
    "shape",
    "size",
]

dtype = np.dtype
ComplexWarning = np.exceptions.ComplexWarning

# Arrays print as NumPy's do, and by the same settings.
set_printoptions = np.set_printoptions
get_printoptions = np.get_printoptions
printoptions = np.printoptions


class finfo(dtypes.finfo):  # type: ignore[misc]
    """The limits of a dtype of floats: `bits`, `dtype`, `eps`, `max`, `min`, `smallest_normal`
    (or `tiny`), and what else `numpy.finfo` has.

    Those of float32, and so of complex64, are Python floats, which are exact and leave the
    dtypes of what they are combined with alone; float64's are NumPy's, which are Python
    floats as well.

    Args:
        dtype: a dtype of real or complex floats, what NumPy takes for one, or an array.

    Raises:
        ValueError: it is no dtype of floats.

    >>> jnp.finfo(jnp.float32).eps
    1.1920928955078125e-07
    >>> jnp.finfo(jnp.complex128).dtype
    dtype('float64')
    """

    def __new__(cls, dtype: Any) -> Any:
        self = object.__new__(cls)
        self.__dict__.update(dtypes.finfo(dtype).__dict__)
        return self

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        return float(value) if isinstance(value, np.float32) else value

    def __repr__(self) -> str:
        return repr(dtypes.finfo(self.dtype))

    def __str__(self) -> str:
        return str(dtypes.finfo(self.dtype))


def issubdtype(arg1: Any, arg2: Any) -> bool:
    """Whether a dtype is another one, or a kind of it.

    Args:
        arg1, arg2: dtypes, or what NumPy takes for one, or abstract scalar types such as
            `jnp.floating`; bfloat16 and its like have their place among them.

    Raises:
        TypeError: one of them is no dtype.

    >>> jnp.issubdtype(jnp.bfloat16, jnp.floating)
    True
    """
    return dtypes.issubdtype(arg1, arg2)


def shape(a: ArrayLike) -> Shape:
    """The lengths of an array's axes.

    Args:
        a: an array or a number; lists of them, which other functions don't take, with a warning.

    Raises:
        TypeError: `a` is no array.

    >>> jnp.shape(jnp.zeros((2, 3)))
    (2, 3)
    """
    return _type_or_list("shape", a).shape


def _type_or_list(name: str, a: Any) -> Any:
    """The type of an array, or of the one that a list or tuple stands for."""
    if not isinstance(a, (list, tuple)):
        return type_of(name, a)
    from .creation import asarray

    warnings.warn(
        f"{name} requires ndarray or scalar arguments, got {type(a)} at position 0: "
        f"jnp.asarray makes an array of it",
        DeprecationWarning,
        stacklevel=user_stacklevel(),
    )
    return typeof(asarray(a))


def ndim(a: ArrayLike) -> int:
    """The number of an array's axes.

    Raises:
        TypeError: `a` is no array.

    >>> jnp.ndim(jnp.zeros((2, 3)))
    2
    """
    return _type_or_list("ndim", a).ndim


def size(a: ArrayLike, axis: Any = None) -> int:
    """The number of an array's elements, or its length along one axis or several.

    Args:
        a: an array or a number.
        axis: an axis, or a tuple of them.

    Raises:
        TypeError: `a` is no array.
        ShapeError: an axis is out of range.

    >>> jnp.size(jnp.zeros((2, 3))), jnp.size(jnp.zeros((2, 3)), axis=1)
    (6, 3)
    """
    aval = _type_or_list("size", a)
    if axis is None:
        return aval.size
    result = 1
    for i in some_axes("size", axis, aval.ndim):
        result *= aval.shape[one_axis("size", i, aval.ndim)]
    return result


def isscalar(element: Any) -> builtins.bool:
    """Whether something is a number, a string, or a zero-dimensional array.

    >>> jnp.isscalar(3.0), jnp.isscalar(jnp.array(3.0)), jnp.isscalar(jnp.array([3.0]))
    (True, True, False)
    """
    if hasattr(element, "ndim"):
        return bool(element.ndim == 0)
    return np.isscalar(element)


def iterable(y: Any) -> builtins.bool:
    """Whether one can iterate over something; not so over a zero-dimensional array.

    >>> jnp.iterable([1, 2]), jnp.iterable(jnp.array(1.0))
    (True, False)
    """
    if hasattr(y, "ndim"):
        return bool(y.ndim > 0)
    try:
        iter(y)
    except TypeError:
        return False
    return True


def iscomplexobj(x: Any) -> builtins.bool:
    """Whether an array's dtype, or a number, is complex.

    >>> jnp.iscomplexobj(jnp.array([1.0 + 0j])), jnp.iscomplexobj(1.0)
    (True, False)
    """
    if x is None:
        return False
    try:
        return is_complex(dtypes.dtype_of(x))
    except TypeError:
        return np.iscomplexobj(x)


def isrealobj(x: Any) -> builtins.bool:
    """Whether an array's dtype, or a number, is not complex.

    >>> jnp.isrealobj(jnp.array([1.0 + 0j])), jnp.isrealobj(1.0)
    (False, True)
    """
    return not iscomplexobj(x)


def can_cast(from_: Any, to: Any, casting: str = "safe") -> builtins.bool:
    """Whether NumPy's rules let one dtype be cast to another.

    Args:
        from_: a dtype, its name, or an array.
        to: a dtype or its name.
        casting: `no`, `equiv`, `safe`, `same_kind` or `unsafe`.

    Raises:
        TypeError: an argument is no dtype.

    >>> jnp.can_cast(jnp.int8, jnp.int32), jnp.can_cast("float32", "int32")
    (True, False)
    """
    source = getattr(from_, "dtype", from_)
    return np.can_cast(np.dtype(source), _numpy_dtype(to), casting)  # type: ignore[arg-type]


def _numpy_dtype(x: Any) -> Any:
    return x.dtype if isinstance(x, ScalarType) else np.dtype(x)
