"""Lowering of special functions: the error functions are operations of CHLO.

The others are lowered as what they decompose into, which is more precise than XLA's own
`lgamma`, `digamma`, `zeta` and `polygamma`.
"""

from __future__ import annotations

import numpy as np

from jx_core import lax

from .builder import Value
from .elementwise import binary, convert, in_enough_digits, unary
from .tables import Context, deflower
from .types import type_of

deflower(lax.erf_p)(in_enough_digits("chlo.erf"))
deflower(lax.erf_inv_p)(in_enough_digits("chlo.erf_inv"))


@deflower(lax.erfc_p)
def _erfc(ctx: Context, x: Value) -> Value:
    """CHLO's, less the rounding of the square that it takes the exponential of.

    With p = x^2 rounded and x^2 = p + rest, erfc(x) is CHLO's times exp(-rest), or 1 - rest
    wherever it matters. The rest is exact in halves of the digits of x. Below 1 CHLO takes no
    square; from 40 on, erfc is 0.
    """
    block, out = ctx.block, ctx.out
    double = out.dtype == np.float64
    wide = out if double else out.update(dtype=np.dtype(np.float32))
    kind = type_of(wide)
    x = convert(block, x, out, wide.dtype)
    value = block.op("chlo.erfc", (x,), (kind,), kind)
    one = block.constant(1, wide.dtype, wide.shape)
    inside = block.op(
        "stablehlo.clamp", (one, x, block.constant(40, wide.dtype, wide.shape)), (kind,) * 3, kind
    )
    digits = (11, 25) if double else (8, 11)
    half = "exponent_bits = {} : i32, mantissa_bits = {} : i32".format(*digits)
    high = block.op("stablehlo.reduce_precision", (inside,), (kind,), kind, half)
    low = binary(block, "subtract", inside, high, wide)
    square = binary(block, "multiply", inside, inside, wide)
    rest = binary(block, "subtract", binary(block, "multiply", high, high, wide), square, wide)
    sum_ = binary(block, "add", inside, high, wide)  # x^2 - high^2 is low times this
    rest = binary(block, "add", rest, binary(block, "multiply", low, sum_, wide), wide)
    factor = unary(block, "exponential", unary(block, "negate", rest, wide), wide)
    return convert(block, binary(block, "multiply", value, factor, wide), wide, out.dtype)
