"""Comparison, logic on truth values, and equality of whole arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import compiled, dtypes, lax, operators

from .. import reductions
from ..creation import asarray
from ..functions import array_function, plain
from ..operands import (
    Array,
    ArrayLike,
    as_operand,
    broadcast_shapes,
    is_complex,
    is_floating,
    promote_inexact,
    promote_shapes,
    strong,
    typeof,
)
from .floating import isfinite
from .ufunc import ufunc

__all__ = [
    "allclose", "array_equal", "array_equiv", "equal", "greater", "greater_equal", "isclose",
    "iscomplex", "isreal", "less", "less_equal", "logical_and", "logical_not", "logical_or",
    "logical_xor", "not_equal",
]  # fmt: skip

_BOOL = np.dtype(np.bool_)

equal = compiled(operators.equal)
not_equal = compiled(operators.not_equal)
less = compiled(operators.less)
less_equal = compiled(operators.less_equal)
greater = compiled(operators.greater)
greater_equal = compiled(operators.greater_equal)


def _truth(name: str, x: Any, position: int = 0) -> Any:
    """Whether each element is not zero."""
    x = as_operand(name, x, position)
    return x if typeof(x).dtype == _BOOL else operators.not_equal(x, 0)


def _logical(name: str, primitive: Callable[[Any, Any], Any], doc: str) -> Callable[..., Any]:
    def function(x: ArrayLike, y: ArrayLike, /) -> Array:
        operands = promote_shapes(name, _truth(name, x, 0), _truth(name, y, 1))
        return primitive(*operands)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{doc}

    Args:
        x, y: arrays or numbers, true where not zero; shapes are broadcast.

    Returns:
        An array of booleans.

    Raises:
        ShapeError: the shapes don't broadcast.

    >>> jnp.{name}(jnp.array([0, 1]), True).shape
    (2,)
    """
    return function


def _truth_reduction(fun: Any) -> Any:
    """A reduction of truth values that takes what `ufunc.reduce` passes."""

    def reduction(a: Any, axis: Any, dtype: Any, keepdims: bool, initial: Any, where: Any) -> Array:
        result = fun(a, axis=axis, keepdims=keepdims, where=where)
        if initial is not None:
            combine = logical_and if fun is reductions.all else logical_or
            result = combine(result, initial)
        return result

    return reduction


logical_and = ufunc(
    _logical("logical_and", lax.bitwise_and, "Whether both elements are true."),
    "logical_and",
    identity=True,
    reduction=_truth_reduction(reductions.all),
    logical=True,
)
logical_or = ufunc(
    _logical("logical_or", lax.bitwise_or, "Whether either element is true."),
    "logical_or",
    identity=False,
    reduction=_truth_reduction(reductions.any),
    logical=True,
)
logical_xor = ufunc(
    _logical("logical_xor", lax.bitwise_xor, "Whether one of the elements is true."),
    "logical_xor",
    identity=False,
    logical=True,
)


@compiled
def logical_not(x: ArrayLike, /) -> Array:
    """Whether each element is false, that is zero.

    Args:
        x: an array or number.

    Returns:
        An array of booleans.

    >>> jnp.logical_not(jnp.array([0, 1, 2]))
    Array([ True, False, False], dtype=bool)
    """
    return lax.bitwise_not(_truth("logical_not", x))


@compiled
def isreal(x: ArrayLike) -> Array:
    """Whether each element has no imaginary part.

    Args:
        x: an array or number.

    >>> jnp.isreal(jnp.array([1 + 0j, 1j]))
    Array([ True, False], dtype=bool)
    """
    x = as_operand("isreal", x)
    if is_complex(typeof(x).dtype):
        return operators.equal(lax.imag(x), 0.0)
    return operators.equal(x, x)


@compiled
def iscomplex(x: ArrayLike) -> Array:
    """Whether each element has an imaginary part.

    Args:
        x: an array or number.

    >>> jnp.iscomplex(jnp.array([1 + 0j, 1j]))
    Array([False,  True], dtype=bool)
    """
    return lax.bitwise_not(plain(isreal)(x))


@array_function("equal_nan")
def isclose(
    a: ArrayLike,
    b: ArrayLike,
    rtol: ArrayLike = 1e-05,
    atol: ArrayLike = 1e-08,
    equal_nan: bool = False,
) -> Array:
    """Whether each two elements are equal but for a tolerance.

    That is, |a - b| <= atol + rtol * |b|; infinities are close to themselves only.

    Args:
        a, b: arrays or numbers; dtypes are promoted and shapes broadcast.
        rtol, atol: the relative and the absolute tolerance.
        equal_nan: whether NaN is close to NaN.

    Raises:
        ShapeError: the shapes don't broadcast.

    >>> jnp.isclose(jnp.array([1.0, 2.0]), jnp.array([1.000001, 2.1]))
    Array([ True, False], dtype=bool)
    """
    a, b = operators.promote("isclose", a, b)
    dtype = typeof(a).dtype
    if isinstance(dtype, dtypes.ExtendedDType):
        return lax.eq(a, b)  # typed keys are equal or not
    if not (is_floating(dtype) or is_complex(dtype)):
        a, b = promote_inexact("isclose", a, b)
    tolerance = operators.add(atol, operators.multiply(rtol, lax.abs(b)))
    near = operators.less_equal(lax.abs(lax.sub(a, b)), tolerance)
    close = operators.bitwise_and(plain(isfinite)(b), near)
    close = operators.bitwise_or(close, lax.eq(a, b))
    if equal_nan:
        both = operators.bitwise_and(lax.ne(a, a), lax.ne(b, b))
        close = operators.bitwise_or(close, both)
    return strong(close)


@array_function("equal_nan")
def allclose(
    a: ArrayLike,
    b: ArrayLike,
    rtol: ArrayLike = 1e-05,
    atol: ArrayLike = 1e-08,
    equal_nan: bool = False,
) -> Array:
    """Whether all elements of two arrays are equal but for a tolerance. See `isclose`.

    >>> jnp.allclose(jnp.array([1.0, 2.0]), jnp.array([1.000001, 2.0]))
    Array(True, dtype=bool)
    """
    close = plain(isclose)(a, b, rtol, atol, equal_nan)
    return lax.reduce_and(close, tuple(range(typeof(close).ndim)))


@array_function("equal_nan")
def _array_equal(a1: Any, a2: Any, equal_nan: bool) -> Array:
    same = operators.equal(a1, a2)
    if equal_nan:
        both = operators.bitwise_and(operators.not_equal(a1, a1), operators.not_equal(a2, a2))
        same = operators.bitwise_or(same, both)
    return strong(lax.reduce_and(same, tuple(range(typeof(same).ndim))))


def array_equal(a1: ArrayLike, a2: ArrayLike, equal_nan: bool = False) -> Array:
    """Whether two arrays have the same shape and elements.

    Args:
        a1, a2: arrays, or what `asarray` makes one of.
        equal_nan: whether NaN is equal to NaN.

    Returns:
        A boolean.

    >>> jnp.array_equal(jnp.array([1, 2]), jnp.array([1.0, 2.0]))
    Array(True, dtype=bool)
    """
    a1, a2 = asarray(a1), asarray(a2)
    if typeof(a1).shape != typeof(a2).shape:
        return asarray(False)
    return _array_equal(a1, a2, equal_nan)


def array_equiv(a1: ArrayLike, a2: ArrayLike) -> Array:
    """Whether two arrays have the same elements once they are broadcast.

    Args:
        a1, a2: arrays, or what `asarray` makes one of.

    Returns:
        A boolean; False where the shapes don't broadcast.

    >>> jnp.array_equiv(jnp.array([1, 1]), 1)
    Array(True, dtype=bool)
    """
    a1, a2 = asarray(a1), asarray(a2)
    try:
        broadcast_shapes("array_equiv", typeof(a1).shape, typeof(a2).shape)
    except ValueError:
        return asarray(False)
    return _array_equal(a1, a2, False)
