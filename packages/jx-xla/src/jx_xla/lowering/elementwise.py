"""Lowering of elementwise operations: mostly one StableHLO or CHLO operation each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray, dtypes, lax, typeof
from jx_core.dtypes import issubdtype

from .builder import Block, Value
from .complex_functions import mended_power, mended_size, real_or_complex, write
from .tables import Context, deflower
from .types import physical, tensor, type_of


def expanded(
    ctx: Context, operands: Sequence[Value], shape: tuple[int, ...] | None = None
) -> list[Value]:
    """The operands with zero-dimensional ones broadcast to the shape of the others."""
    wanted = ctx.out_avals[0].shape if shape is None else shape
    return [
        x if a.shape == wanted else ctx.block.broadcast(x, a, wanted)
        for x, a in zip(operands, ctx.in_avals, strict=True)
    ]


def one_op(name: str, attributes: str = "") -> Callable[..., Value]:
    """The rule of an operation that has an equal in the dialect."""

    def rule(ctx: Context, *operands: Value, **params: Any) -> Value:
        out = ctx.out_avals[0]
        kind = type_of(out)
        dtype = ctx.in_avals[0].dtype
        in_kind = kind if dtype == out.dtype else tensor(out.shape, dtype)
        values = expanded(ctx, operands) if len(operands) > 1 else operands
        return ctx.block.op(name, values, (in_kind,) * len(operands), kind, attributes)

    return rule


for _primitive, _name in {
    lax.add_p: "add", lax.sub_p: "subtract", lax.mul_p: "multiply", lax.div_p: "divide",
    lax.rem_p: "remainder", lax.neg_p: "negate",
    lax.floor_p: "floor", lax.ceil_p: "ceil",
    lax.atan2_p: "atan2", lax.exp_p: "exponential", lax.expm1_p: "exponential_minus_one",
    lax.log_p: "log", lax.log1p_p: "log_plus_one", lax.logistic_p: "logistic",
    lax.sqrt_p: "sqrt", lax.rsqrt_p: "rsqrt", lax.cbrt_p: "cbrt", lax.sin_p: "sine",
    lax.cos_p: "cosine", lax.tan_p: "tan", lax.tanh_p: "tanh", lax.not_p: "not",
    lax.and_p: "and", lax.or_p: "or", lax.xor_p: "xor", lax.shift_left_p: "shift_left",
    lax.shift_right_logical_p: "shift_right_logical",
    lax.shift_right_arithmetic_p: "shift_right_arithmetic",
    lax.clz_p: "count_leading_zeros",
    lax.is_finite_p: "is_finite", lax.real_p: "real", lax.imag_p: "imag",
    lax.complex_p: "complex",
}.items():  # fmt: skip
    deflower(_primitive)(real_or_complex(_primitive, one_op(f"stablehlo.{_name}")))

def in_enough_digits(name: str) -> Callable[..., Value]:
    """The rule of an operation that XLA composes of others, in float32 for floats of a byte."""
    plain = one_op(name)

    def rule(ctx: Context, *operands: Value, **params: Any) -> Value:
        out, block = ctx.out, ctx.block
        if dtypes.itemsize_bits(out.dtype) > 8:
            return plain(ctx, *operands, **params)
        wide = np.dtype(np.float32)
        values = [convert(block, x, a, wide) for x, a in zip(operands, ctx.in_avals, strict=True)]
        avals = [a.update(dtype=wide) for a in ctx.in_avals]
        inner = Context(block, avals, [out.update(dtype=wide)])
        return convert(block, plain(inner, *values, **params), inner.out, out.dtype)

    return rule


deflower(lax.nextafter_p)(one_op("chlo.next_after"))

for _primitive, _name in {
    lax.asin_p: "asin", lax.acos_p: "acos", lax.atan_p: "atan", lax.sinh_p: "sinh",
    lax.cosh_p: "cosh", lax.asinh_p: "asinh", lax.acosh_p: "acosh", lax.atanh_p: "atanh",
}.items():  # fmt: skip
    deflower(_primitive)(real_or_complex(_primitive, in_enough_digits(f"chlo.{_name}")))


def binary(block: Block, name: str, x: Value, y: Value, aval: ShapedArray) -> Value:
    """A StableHLO operation on two values of one type."""
    kind = type_of(aval)
    return block.op(f"stablehlo.{name}", (x, y), (kind, kind), kind)


def unary(block: Block, name: str, x: Value, aval: ShapedArray) -> Value:
    """A StableHLO operation on one value that keeps its type."""
    kind = type_of(aval)
    return block.op(f"stablehlo.{name}", (x,), (kind,), kind)


def extreme(block: Block, op: str, x: Value, y: Value, aval: ShapedArray) -> Value:
    """`maximum` or `minimum`: of complex numbers by real part, then by imaginary part."""
    if not issubdtype(aval.dtype, np.complexfloating):
        return binary(block, op, x, y, aval)
    how = "GT" if op == "maximum" else "LT"
    part = aval.update(dtype=np.dtype(np.float32 if aval.dtype == np.complex64 else np.float64))
    bit = ShapedArray(aval.shape, np.dtype(np.bool_))
    kind = type_of(aval)
    (x_re, y_re), (x_im, y_im) = (
        [block.op(f"stablehlo.{name}", (v,), (kind,), type_of(part)) for v in (x, y)]
        for name in ("real", "imag")
    )
    tie = compare(block, x_re, y_re, part, "EQ")
    later = binary(block, "and", tie, compare(block, x_im, y_im, part, how), bit)
    first = binary(block, "or", compare(block, x_re, y_re, part, how), later, bit)
    # A NaN wins, as it does among real numbers.
    y_known = compare(block, y, y, aval, "EQ")
    first = binary(block, "and", first, y_known, bit)
    first = binary(block, "or", first, compare(block, x, x, aval, "NE"), bit)
    return block.op("stablehlo.select", (first, x, y), (type_of(bit), kind, kind), kind)


def _extreme(op: str) -> Callable[..., Value]:
    def rule(ctx: Context, x: Value, y: Value) -> Value:
        x, y = expanded(ctx, (x, y))
        return extreme(ctx.block, op, x, y, ctx.out)

    return rule


deflower(lax.max_p)(_extreme("maximum"))
deflower(lax.min_p)(_extreme("minimum"))


@deflower(lax.population_count_p)
def _population_count(ctx: Context, x: Value) -> Value:
    block, out = ctx.block, ctx.out
    bits = dtypes.itemsize_bits(out.dtype)
    if bits >= 8:
        return unary(block, "popcnt", x, out)
    wide = out.update(dtype=np.dtype(np.int8))  # in which the sign of `x` must not count again
    mask = block.constant(2**bits - 1, wide.dtype, wide.shape)
    own = binary(block, "and", convert(block, x, out, wide.dtype), mask, wide)
    return convert(block, unary(block, "popcnt", own, wide), wide, out.dtype)


@deflower(lax.square_p)
def _square(ctx: Context, x: Value) -> Value:
    if issubdtype(ctx.out.dtype, np.complexfloating):
        # Of a + ib it is (a - b)(a + b) + 2iab, in which fewer products are rounded.
        return ctx.block.op("chlo.square", (x,), (type_of(ctx.out),), type_of(ctx.out))
    return binary(ctx.block, "multiply", x, x, ctx.out)


def _power_of_two(x: Any) -> Any:
    """2^n e^(f log 2) for the whole number n below x = n + f.

    That is exact at whole numbers; rounding x log 2 as a whole would cost as many digits as the
    exponent has. 2^n is made of its bits, which are those of 0 and infinity beyond the range.
    """
    dtype = typeof(x).dtype
    bits, mantissa = np.dtype(f"int{dtype.itemsize * 8}"), int(dtypes.finfo(dtype).nmant)
    largest = int(dtypes.finfo(dtype).maxexp)
    x = lax.clamp(float(-largest + 1), x, float(largest))
    whole = lax.floor(x)
    n = lax.add(lax.convert_element_type(whole, bits), bits.type(largest - 1))
    scale = lax.bitcast_convert_type(lax.shift_left(n, bits.type(mantissa)), dtype)
    return lax.mul(lax.exp(lax.mul(lax.sub(x, whole), float(np.log(2.0)))), scale)


def _exp2(ctx: Context, x: Value) -> Value:
    """Of narrow floats in float32, where the parts of one have enough digits."""
    block, out = ctx.block, ctx.out
    narrow = dtypes.itemsize_bits(out.dtype) < 32
    wide = out.update(dtype=np.dtype(np.float32)) if narrow else out
    power = write(ctx, _power_of_two, [wide], [convert(block, x, out, wide.dtype)])
    return convert(block, power, wide, out.dtype)


deflower(lax.exp2_p)(real_or_complex(lax.exp2_p, _exp2))


@deflower(lax.mulhi_p)
def _mulhi(ctx: Context, x: Value, y: Value) -> Value:
    """The upper half of a product, in twice the width, or from halves of the operands.

    With x = a 2^32 + b and y = c 2^32 + d the upper half of x y is a c and what is carried
    out of the middle terms; arithmetic shifts of the signed a and c keep it right for them.
    """
    block, out = ctx.block, ctx.out
    x, y = expanded(ctx, (x, y))
    bits = dtypes.itemsize_bits(out.dtype)
    if bits < 64:
        signed = issubdtype(out.dtype, np.signedinteger)
        wide = out.update(dtype=np.dtype(np.int64 if signed else np.uint64))
        x, y = (convert(block, v, out, wide.dtype) for v in (x, y))
        product = binary(block, "multiply", x, y, wide)
        return convert(block, _shifted(block, product, wide, bits), wide, out.dtype)
    mask = block.constant(2**32 - 1, out.dtype, out.shape)
    a, c = (_shifted(block, v, out, 32) for v in (x, y))
    b, d = (binary(block, "and", v, mask, out) for v in (x, y))

    def times(u: Value, v: Value) -> Value:
        return binary(block, "multiply", u, v, out)

    def plus(u: Value, v: Value) -> Value:
        return binary(block, "add", u, v, out)

    amount = block.constant(32, out.dtype, out.shape)
    low = binary(block, "shift_right_logical", times(b, d), amount, out)
    middle = plus(times(a, d), low)
    other = plus(times(b, c), binary(block, "and", middle, mask, out))
    carried = plus(_shifted(block, middle, out, 32), _shifted(block, other, out, 32))
    return plus(times(a, c), carried)


def _shifted(block: Block, x: Value, aval: ShapedArray, bits: int) -> Value:
    """`x` moved down by `bits`, keeping its sign where it has one."""
    signed = issubdtype(aval.dtype, np.signedinteger)
    name = "shift_right_arithmetic" if signed else "shift_right_logical"
    return binary(block, name, x, block.constant(bits, aval.dtype, aval.shape), aval)


def _sign(ctx: Context, x: Value) -> Value:
    out = ctx.out
    if not issubdtype(out.dtype, np.unsignedinteger):
        return unary(ctx.block, "sign", x, out)
    one = ctx.block.constant(1, out.dtype, out.shape)
    return binary(ctx.block, "minimum", x, one, out)


deflower(lax.sign_p)(real_or_complex(lax.sign_p, _sign))


@deflower(lax.abs_p)
def _abs(ctx: Context, x: Value) -> Value:
    source, out = ctx.in_avals[0], ctx.out
    if issubdtype(out.dtype, np.unsignedinteger):
        return x
    size = ctx.block.op("stablehlo.abs", (x,), (type_of(source),), type_of(out))
    if source.dtype == out.dtype:
        return size
    return write(ctx, mended_size, [source, out], (x, size))


@deflower(lax.round_p)
def _round(ctx: Context, x: Value, *, rounding_method: Any) -> Value:
    to_even = rounding_method == lax.RoundingMethod.TO_NEAREST_EVEN
    name = "round_nearest_even" if to_even else "round_nearest_afz"
    return unary(ctx.block, name, x, ctx.out)


@deflower(lax.integer_pow_p)
def _integer_pow(ctx: Context, x: Value, *, y: int) -> Value:
    """Powers by squaring: at most 2 log2(y) products."""
    block, out = ctx.block, ctx.out
    if y == 0:
        return block.constant(1, out.dtype, out.shape)
    n, square, product = abs(y), x, None
    while n:
        if n & 1:
            product = square if product is None else binary(block, "multiply", product, square, out)
        n >>= 1
        if n:
            square = binary(block, "multiply", square, square, out)
    assert product is not None
    if y > 0:
        return product
    return binary(block, "divide", block.constant(1, out.dtype, out.shape), product, out)


@deflower(lax.pow_p)
def _pow(ctx: Context, x: Value, y: Value) -> Value:
    block, out = ctx.block, ctx.out
    base, exponent = ctx.in_avals
    shape = out.shape
    x = block.broadcast(x, base, shape) if base.shape != shape else x
    y = block.broadcast(y, exponent, shape) if exponent.shape != shape else y
    if exponent.dtype != base.dtype:
        y = convert(block, y, exponent.update(shape=shape), out.dtype)
    power = binary(block, "power", x, y, out)
    if not issubdtype(out.dtype, np.complexfloating):
        return power
    return write(ctx, mended_power, [out, out, out], (x, y, power))


def compare(
    block: Block, x: Value, y: Value, aval: ShapedArray, how: str, total: bool = False
) -> Value:
    """An elementwise comparison (`LT`, `EQ`, ...) of two values of type `aval`."""
    dtype = physical(aval).dtype
    if issubdtype(dtype, np.inexact):
        kind = "TOTALORDER" if total else "FLOAT"
    elif issubdtype(dtype, np.unsignedinteger) or dtype == np.bool_:
        kind = "UNSIGNED"
    else:
        kind = "SIGNED"
    text = type_of(aval)
    attributes = (
        f"comparison_direction = #stablehlo<comparison_direction {how}>, "
        f"compare_type = #stablehlo<comparison_type {kind}>"
    )
    result = tensor(physical(aval).shape, np.dtype(np.bool_))
    return block.op("stablehlo.compare", (x, y), (text, text), result, attributes)


def _comparison(how: str, total: bool = False) -> Callable[..., Value]:
    def rule(ctx: Context, x: Value, y: Value) -> Value:
        x, y = expanded(ctx, (x, y))
        aval = ctx.in_avals[0].update(shape=ctx.out.shape)
        if isinstance(aval.dtype, dtypes.ExtendedDType):
            return _compare_keys(ctx, x, y, aval, how)
        return compare(ctx.block, x, y, aval, how, total)

    return rule


def _compare_keys(ctx: Context, x: Value, y: Value, aval: ShapedArray, how: str) -> Value:
    """Keys are equal when all their words are."""
    from .reduction.monoids import reduce_with

    each = compare(ctx.block, x, y, aval, how)
    held = physical(aval)
    bits = ShapedArray(held.shape, np.dtype(np.bool_))
    axes = tuple(range(aval.ndim, held.ndim))
    return reduce_with(ctx.block, each, bits, axes, "and" if how == "EQ" else "or", how == "EQ")


for _primitive, _how in {
    lax.eq_p: "EQ", lax.ne_p: "NE", lax.lt_p: "LT", lax.le_p: "LE", lax.gt_p: "GT",
    lax.ge_p: "GE",
}.items():  # fmt: skip
    deflower(_primitive)(_comparison(_how))

for _primitive, _how in {lax.eq_to_p: "EQ", lax.lt_to_p: "LT", lax.le_to_p: "LE"}.items():
    deflower(_primitive)(_comparison(_how, total=True))


@deflower(lax.select_n_p)
def _select_n(ctx: Context, which: Value, *cases: Value) -> Value:
    """A tree of two-way selections, `which` counting the cases from 0."""
    block, index, case = ctx.block, ctx.in_avals[0], ctx.out_avals[0]
    held = physical(case)
    extra = range(case.ndim, held.ndim)  # the words of typed keys
    cases = tuple(
        c if a.shape == case.shape else block.broadcast(c, physical(a), held.shape, extra)
        for c, a in zip(cases, ctx.in_avals[1:], strict=True)
    )
    if index.dtype != np.bool_ and len(cases) == 2:
        zero = block.constant(0, index.dtype, index.shape)
        which = compare(block, which, zero, index, "GT")
    if index.dtype == np.bool_ or len(cases) <= 2:
        if len(cases) == 1:
            return cases[0]
        return _select(block, which, index.shape, cases[1], cases[0], held, case)
    middle = len(cases) // 2
    offset = block.constant(middle, index.dtype, index.shape)
    low = compare(block, which, offset, index, "LT")
    rest = binary(block, "subtract", which, offset, index)
    parts: list[Value] = []
    for part, chooser in ((cases[:middle], which), (cases[middle:], rest)):
        inner = Context(block, [index, *[case] * len(part)], ctx.out_avals)
        parts.append(_select_n(inner, chooser, *part) if len(part) > 1 else part[0])
    return _select(block, low, index.shape, parts[0], parts[1], held, case)


def _select(
    block: Block, predicate: Value, shape: tuple[int, ...], yes: Value, no: Value,
    held: ShapedArray, aval: ShapedArray,
) -> Value:  # fmt: skip
    kind = type_of(aval)
    bits = ShapedArray(shape, np.dtype(np.bool_))
    if shape and held.shape != shape:  # a predicate for each key, of several words
        predicate = block.broadcast(predicate, bits, held.shape, tuple(range(len(shape))))
        bits = ShapedArray(held.shape, bits.dtype)
    return block.op("stablehlo.select", (predicate, yes, no), (type_of(bits), kind, kind), kind)


@deflower(lax.clamp_p)
def _clamp(ctx: Context, low: Value, x: Value, high: Value) -> Value:
    kinds = [type_of(a) for a in ctx.in_avals]
    return ctx.block.op("stablehlo.clamp", (low, x, high), kinds, type_of(ctx.out))


def convert(block: Block, x: Value, aval: ShapedArray, dtype: Any) -> Value:
    """`x` of type `aval` converted to `dtype` as `convert_element_type` does."""
    if aval.dtype == dtype:
        return x
    if issubdtype(aval.dtype, np.complexfloating) and not issubdtype(dtype, np.complexfloating):
        real = np.dtype(np.float32 if aval.dtype == np.complex64 else np.float64)
        part = ShapedArray(aval.shape, real)
        x = block.op("stablehlo.real", (x,), (type_of(aval),), type_of(part))
        return convert(block, x, part, dtype)
    if dtype == np.bool_:
        zero = block.constant(0, aval.dtype, aval.shape)
        return compare(block, x, zero, aval, "NE")
    if aval.dtype == dtypes.float4_e2m1fn and issubdtype(dtype, np.integer):
        # XLA takes the largest number of this format, which has no infinity, for one.
        wide = aval.update(dtype=np.dtype(np.float32))
        return convert(block, convert(block, x, aval, wide.dtype), wide, dtype)
    kind = tensor(aval.shape, dtype)
    return block.op("stablehlo.convert", (x,), (type_of(aval),), kind)


@deflower(lax.convert_element_type_p)
def _convert(ctx: Context, x: Value, *, new_dtype: Any, weak_type: bool, **params: Any) -> Value:
    return convert(ctx.block, x, ctx.in_avals[0], ctx.out.dtype)


@deflower(lax.bitcast_convert_type_p)
def _bitcast(ctx: Context, x: Value, *, new_dtype: Any) -> Value:
    source = ctx.in_avals[0]
    if source.dtype == ctx.out.dtype:
        return x
    return ctx.block.op(
        "stablehlo.bitcast_convert", (x,), (type_of(source),), type_of(ctx.out)
    )


@deflower(lax.conj_p)
def _conj(ctx: Context, x: Value, **params: Any) -> Value:
    block, source = ctx.block, ctx.in_avals[0]
    out = ctx.out
    real = ShapedArray(out.shape, np.dtype(np.float32 if out.dtype == np.complex64 else np.float64))
    part = type_of(real)
    if not issubdtype(source.dtype, np.complexfloating):
        zero = block.constant(0, real.dtype, real.shape)
        return block.op("stablehlo.complex", (x, zero), (part, part), type_of(out))
    kind = type_of(source)
    re = block.op("stablehlo.real", (x,), (kind,), part)
    im = block.op("stablehlo.imag", (x,), (kind,), part)
    im = block.op("stablehlo.negate", (im,), (part,), part)
    return block.op("stablehlo.complex", (re, im), (part, part), type_of(out))


@deflower(lax.reduce_precision_p)
def _reduce_precision(ctx: Context, x: Value, *, exponent_bits: int, mantissa_bits: int) -> Value:
    kind = type_of(ctx.out)
    attributes = f"exponent_bits = {exponent_bits} : i32, mantissa_bits = {mantissa_bits} : i32"
    return ctx.block.op("stablehlo.reduce_precision", (x,), (kind,), kind, attributes)


@deflower(lax.copy_p, lax.stop_gradient_p, lax.stage_p)
def _copy(ctx: Context, x: Value) -> Value:
    return x


@deflower(lax.dce_sink_p)
def _dce_sink(ctx: Context, x: Value, *, prevent_mlir_dce: bool) -> list[Value]:
    if prevent_mlir_dce:
        attributes = 'call_target_name = "dce_sink", has_side_effect = true, api_version = 4 : i32'
        kinds = (type_of(ctx.in_avals[0]),)
        ctx.block.ops("stablehlo.custom_call", (x,), kinds, (), attributes)
    return []


@deflower(lax.optimization_barrier_p)
def _barrier(ctx: Context, *operands: Value) -> list[Value]:
    kinds = [type_of(a) for a in ctx.in_avals]
    return ctx.block.ops("stablehlo.optimization_barrier", operands, kinds, kinds)
