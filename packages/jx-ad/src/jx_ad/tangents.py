"""Tangents and cotangents as values: their types, symbolic zeros, linear operands."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ShapedArray, dtypes, typeof
from jx_core.lax import full


def tangent_aval(aval: ShapedArray) -> ShapedArray:
    """The type of tangents of values of type `aval`: its own, or `float0` for integers."""
    if dtypes.issubdtype(aval.dtype, np.inexact):
        return aval
    return ShapedArray(aval.shape, dtypes.float0)


def is_differentiable(aval: ShapedArray) -> bool:
    """Whether values of this type have non-trivial tangents: floating or complex dtype."""
    return bool(dtypes.issubdtype(aval.dtype, np.inexact))


class Zero:
    """A tangent or cotangent that is zero, known without computing it.

    Attributes:
        aval: the type of the value that this would be the tangent of.
    """

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    def instantiate(self) -> Any:
        """The zeros as an array."""
        return zeros(self.aval)

    def __repr__(self) -> str:
        return f"Zero({self.aval.str_short()})"


def zeros(aval: ShapedArray) -> Any:
    """An array of zero tangents for values of type `aval`; `float0` ones are ndarrays."""
    if not is_differentiable(aval):
        return np.zeros(aval.shape, dtypes.float0)
    return full(aval.shape, 0, aval.dtype)


class Linear:
    """Stands for an operand that a transposition rule must give a cotangent for.

    Attributes:
        aval: the operand's type, which is the cotangent's too.
    """

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    shape = property(lambda self: self.aval.shape)
    dtype = property(lambda self: self.aval.dtype)
    ndim = property(lambda self: self.aval.ndim)

    def __repr__(self) -> str:
        return f"Linear({self.aval.str_short()})"


def is_linear(operand: Any) -> bool:
    """Whether `operand` of a transposition rule is one to give a cotangent for."""
    return type(operand) is Linear


def check_tangent(primal: Any, tangent: Any, what: str) -> None:
    """Raise a TypeError unless `tangent` has the type that tangents of `primal` have."""
    have, want = typeof(tangent) if not _is_float0(tangent) else None, tangent_aval(typeof(primal))
    if have is None:
        have = ShapedArray(np.shape(tangent), dtypes.float0)
    if have.dtype != want.dtype:
        raise TypeError(
            f"primal and tangent arguments to {what} do not match; dtypes must be equal, or in "
            f"case of int/bool primal dtype the tangent dtype must be float0. Got primal dtype "
            f"{typeof(primal).dtype.name} and so expected tangent dtype {dtype_name(want)}, but "
            f"got tangent dtype {dtype_name(have)} instead."
        )
    if have.shape != want.shape:
        raise ValueError(
            f"{what} called with different primal and tangent shapes; got primal shape "
            f"{want.shape} and tangent shape as {have.shape}"
        )


def dtype_name(aval: ShapedArray) -> str:
    """The name of a dtype, `float0` included."""
    return "float0" if aval.dtype == dtypes.float0 else str(aval.dtype.name)


def _is_float0(x: Any) -> bool:
    return getattr(x, "dtype", None) == dtypes.float0
