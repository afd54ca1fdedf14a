"""What rules of `custom_jvp` and `custom_vjp` are given, and checks of what they give.

How calls of such functions are taken apart is in `jx_core.custom_functions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray, dtypes, typeof

from .tangents import Zero, is_differentiable, tangent_aval


class SymbolicZero:
    """A tangent or cotangent that is zero, as rules with `symbolic_zeros` see it.

    Attributes:
        aval: its type.

    >>> from jx_ad import custom_jvp, jvp
    >>> from jx_core import lax
    >>> @custom_jvp
    ... def f(x, y):
    ...     return lax.mul(x, y)
    >>> def rule(primals, tangents):
    ...     print(tangents[1])
    ...     return f(*primals), lax.mul(tangents[0], primals[1])
    >>> rule = f.defjvp(rule, symbolic_zeros=True)
    >>> out, tangent = jvp(lambda x: f(x, 3.0), (2.0,), (1.0,))
    SymbolicZero(f32[])
    >>> float(tangent)
    3.0
    """

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes.

        >>> SymbolicZero.from_primal_value(np.ones((2, 3))).shape
        (2, 3)
        """
        return self.aval.shape

    @property
    def dtype(self) -> Any:
        """Its element type; `float0` for a value that has no derivative.

        >>> SymbolicZero.from_primal_value(np.ones(3)).dtype
        dtype('float32')
        """
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        """The number of its axes.

        >>> SymbolicZero.from_primal_value(np.ones((2, 3))).ndim
        2
        """
        return self.aval.ndim

    @staticmethod
    def from_primal_value(val: Any) -> SymbolicZero:
        """The zero tangent of a value.

        >>> SymbolicZero.from_primal_value(np.ones(3)), SymbolicZero.from_primal_value(2)
        (SymbolicZero(f32[3]), SymbolicZero(float0[]))
        """
        return SymbolicZero(tangent_aval(typeof(val)))

    def __repr__(self) -> str:
        return f"SymbolicZero({self.aval.str_short()})"


def full_tangents(
    avals: Sequence[ShapedArray], active: Sequence[bool], tangents: Sequence[Any], symbolic: bool
) -> list[Any]:
    """The tangents of all arguments as a rule takes them: zeros instantiated or symbolic."""
    following = iter(tangents)
    result: list[Any] = []
    for aval, on in zip(avals, active, strict=True):
        if on:
            result.append(next(following))
        elif symbolic:
            result.append(SymbolicZero(tangent_aval(aval)))
        else:
            result.append(Zero(aval).instantiate())
    return result


def fitting(value: Any, aval: ShapedArray, where: str, what: str) -> Any:
    """A tangent or cotangent that a rule gave for a value of type `aval`, None if it is zero.

    Raises:
        TypeError: it is of another type.
    """
    if value is None or isinstance(value, (SymbolicZero, Zero)):
        return None
    if not is_differentiable(aval):
        return None  # float0, or whatever stands for it
    have = typeof(value) if not _is_float0(value) else None
    if have is None or have.shape != aval.shape or not _same_dtype(have, aval):
        shown = f"float0{list(np.shape(value))}" if have is None else have.str_short()
        raise TypeError(f"{what}{where}: expected {aval.str_short()}, got {shown}")
    if have.dtype != aval.dtype:
        from jx_core.lax import convert_element_type

        return convert_element_type(value, aval.dtype)
    return value


def _same_dtype(have: ShapedArray, aval: ShapedArray) -> bool:
    if have.dtype == aval.dtype:
        return True
    return have.weak_type and bool(dtypes.can_hold(have.dtype.type, aval.dtype))


def _is_float0(x: Any) -> bool:
    return getattr(x, "dtype", None) == dtypes.float0
