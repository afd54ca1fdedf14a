"""What the rules of several families share: numbers beside arrays, masks, unary linear operations.

The rules bind primitives directly (`mul = mul_p.bind`): their operands fit each other already,
and tracing a gradient is mostly tracing them. No rule is defined here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import Primitive, ShapedArray, dtypes, typeof
from jx_core.lax import broadcast_in_dim_p, convert_element_type_p, select_n_p
from jx_core.ops.kit import scalar_like

from ..forward import jvp_flat
from ..tables import deftranspose, jvp_rules
from ..tangents import Linear, Zero


def beside(x: Any, number: Any) -> Any:
    """A number as an operand that goes with `x`: in the dtype of `x`, weak if it can be."""
    dtype = typeof(x).dtype
    if isinstance(number, np.generic):
        number = number.item()
    if type(number) is int and dtypes.issubdtype(dtype, np.inexact):
        number = float(number)
    return scalar_like(number, dtype, "differentiation")


def is_complex(x: Any) -> bool:
    """Whether a value, or the type of one, has a complex dtype."""
    dtype = x.dtype if hasattr(x, "dtype") else typeof(x).dtype
    return bool(dtypes.issubdtype(dtype, np.complexfloating))


def mask(flags: Any, like: Any) -> Any:
    """Booleans (or integers) as numbers of the dtype of `like`, weak where that is."""
    aval = typeof(like)
    return convert_element_type_p.bind(flags, new_dtype=aval.dtype, weak_type=aval.weak_type)


def broadcast_scalar(x: Any, shape: tuple[int, ...]) -> Any:
    """A zero-dimensional `x` repeated to `shape`; an array of that shape as it is."""
    if typeof(x).shape == shape:
        return x
    return broadcast_in_dim_p.bind(x, shape=shape, broadcast_dimensions=())


def where(flags: Any, x: Any) -> Any:
    """`x` where `flags` hold, else zero.

    Unlike a product with the mask, it stops infinities and NaNs as well.
    """
    return select_n_p.bind(flags, beside(x, 0), x)


def is_number(x: Any) -> bool:
    """Whether `x` is a Python or NumPy number, whose value is known while the rule runs."""
    return isinstance(x, (int, float, complex, np.generic))


def define_unary_linear(primitive: Primitive, transpose: Callable[..., Any]) -> None:
    """Define both rules of an operation of one operand, linear in it.

    Args:
        primitive: it has one operand and one result.
        transpose: `transpose(ct, x, **params)` gives the operand's cotangent.
    """

    def rule(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
        bind = primitive.bind
        return bind(*primals, **params), bind(*tangents, **params)

    def transposed(ct: Any, x: Any, **params: Any) -> list[Any]:
        return [transpose(ct, x, **params)]

    jvp_rules.define(primitive)(rule)
    deftranspose(primitive)(transposed)


def define_by(primitive: Primitive, composed: Callable[..., Any]) -> None:
    """Differentiate `primitive` through `composed`, which computes the same of other primitives."""

    def rule(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
        outs, out_tangents = jvp_flat(
            lambda *operands: results(composed(*operands, **params)), primals, tangents
        )
        return (outs, out_tangents) if primitive.multiple_results else (outs[0], out_tangents[0])

    def results(out: Any) -> Sequence[Any]:
        return out if primitive.multiple_results else [out]

    jvp_rules.define(primitive)(rule)


def cotangents(cts: Sequence[Any]) -> list[Any]:
    """The cotangents of several results as arrays."""
    return [c.instantiate() if type(c) is Zero else c for c in cts]


def known(x: Any) -> bool:
    """Whether an operand of a transposition rule is a value, not one to give a cotangent for."""
    return type(x) is not Linear


def aval_of(x: Any) -> ShapedArray:
    """The type of an operand of a transposition rule, whether it is linear or a value."""
    return x.aval if type(x) is Linear else typeof(x)


def check_known(primitive: Primitive, operand: Any) -> None:
    """Raise a TypeError if an operand that a primitive is not linear in is to be transposed."""
    if type(operand) is Linear:
        raise TypeError(
            f"{primitive.name} can't be transposed here: the function is not linear, for it "
            f"multiplies two values that depend on its arguments, or divides by one. jx.vjp "
            f"transposes the derivative of any function"
        )
