"""Installs the arithmetic operators on arrays and tracers of every back end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..array_methods import define
from . import arithmetic, bitwise, comparison

_WITH_REFLECTED: dict[str, Callable[[Any, Any], Any]] = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.divide,
    "floordiv": arithmetic.floor_divide,
    "mod": arithmetic.remainder,
    "divmod": arithmetic.divmod,
    "and": bitwise.bitwise_and,
    "or": bitwise.bitwise_or,
    "xor": bitwise.bitwise_xor,
    "lshift": bitwise.left_shift,
    "rshift": bitwise.right_shift,
}
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": comparison.equal,
    "ne": comparison.not_equal,
    "lt": comparison.less,
    "le": comparison.less_equal,
    "gt": comparison.greater,
    "ge": comparison.greater_equal,
}
_UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": arithmetic.negative,
    "pos": arithmetic.positive,
    "abs": arithmetic.absolute,
    "invert": bitwise.invert,
}


def _reflected(fun: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """`fun` with its operands exchanged: the method of the right-hand one."""

    def reflected(x: Any, y: Any) -> Any:
        return fun(y, x)

    reflected.__name__ = reflected.__qualname__ = fun.__name__
    reflected.__doc__ = fun.__doc__
    return reflected


for name, binary in _WITH_REFLECTED.items():
    define(f"__{name}__", binary, compiled=True)
    define(f"__r{name}__", _reflected(binary), compiled=True)
for name, binary in _COMPARISONS.items():
    define(f"__{name}__", binary, compiled=True)
for name, unary in _UNARY.items():
    define(f"__{name}__", unary, compiled=True)
# `power` compiles eager calls itself, with integer exponents fixed.
define("__pow__", arithmetic.power)
define("__rpow__", _reflected(arithmetic.power))


def _length(x: Any) -> int:
    """The length of the first axis.

    Raises:
        TypeError: the array has no axes.
    """
    return len(x.aval)


define("__len__", _length)
