"""Samples of the elementwise family."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from jx_core import Primitive, dtypes, lax, make_jaxpr
from jx_core.errors import ShapeError

from .sample import (
    ALL,
    COMPLEX,
    FEW,
    FLOATS,
    INTEGERS,
    NUMBERS,
    REAL,
    SIGNED,
    WIDE_FLOATS,
    ErrorSample,
    Sample,
    array,
    dtype_of,
    edges,
    pairs,
    traced,
    words,
)

# Where each function of one variable is smooth, how often its derivative is not zero, and by
# how much compiled results may be worse than correctly rounded ones.
UNARY: tuple[tuple[Primitive, Sequence[str], float, float, int, float], ...] = (
    (lax.neg_p, NUMBERS, -2, 2, 1, 1),
    (lax.sign_p, NUMBERS, 0.5, 2, 0, 4),
    (lax.abs_p, (*FLOATS, *SIGNED, *COMPLEX), 0.5, 2, 1, 4),
    (lax.square_p, NUMBERS, -2, 2, 2, 2),
    (lax.floor_p, FLOATS, 0.2, 0.8, 0, 1),
    (lax.ceil_p, FLOATS, 0.2, 0.8, 0, 1),
    (lax.exp_p, (*FLOATS, *COMPLEX), -2, 2, 2, 4),
    (lax.exp2_p, (*FLOATS, *COMPLEX), -2, 2, 2, 8),
    (lax.expm1_p, (*FLOATS, *COMPLEX), -2, 2, 2, 4),
    (lax.log_p, (*FLOATS, *COMPLEX), 0.5, 2, 2, 4),
    (lax.log1p_p, (*FLOATS, *COMPLEX), 0.5, 2, 2, 4),
    (lax.logistic_p, (*FLOATS, *COMPLEX), -2, 2, 2, 8),
    (lax.sqrt_p, (*FLOATS, *COMPLEX), 0.5, 2, 2, 4),
    (lax.rsqrt_p, (*FLOATS, *COMPLEX), 0.5, 2, 2, 8),
    (lax.cbrt_p, FLOATS, 0.5, 2, 2, 4),
    (lax.sin_p, (*FLOATS, *COMPLEX), -2, 2, 2, 4),
    (lax.cos_p, (*FLOATS, *COMPLEX), -2, 2, 2, 4),
    (lax.tan_p, (*FLOATS, *COMPLEX), -1, 1, 2, 8),
    (lax.asin_p, (*FLOATS, *COMPLEX), -0.8, 0.8, 2, 8),
    (lax.acos_p, (*FLOATS, *COMPLEX), -0.8, 0.8, 2, 8),
    (lax.atan_p, (*FLOATS, *COMPLEX), -0.8, 0.8, 2, 8),
    (lax.sinh_p, (*FLOATS, *COMPLEX), -2, 2, 2, 8),
    (lax.cosh_p, (*FLOATS, *COMPLEX), -2, 2, 2, 8),
    (lax.tanh_p, (*FLOATS, *COMPLEX), -2, 2, 2, 8),
    (lax.asinh_p, (*FLOATS, *COMPLEX), -0.8, 0.8, 2, 8),
    (lax.acosh_p, (*FLOATS, *COMPLEX), 1.5, 3, 2, 8),
    (lax.atanh_p, (*FLOATS, *COMPLEX), -0.8, 0.8, 2, 8),
    (lax.not_p, ("bool", *INTEGERS), -9, 9, 0, 1),
    (lax.population_count_p, INTEGERS, -9, 9, 0, 1),
    (lax.clz_p, INTEGERS, -9, 9, 0, 1),
    (lax.is_finite_p, FLOATS, -2, 2, 0, 1),
    (lax.real_p, COMPLEX, -2, 2, 1, 1),
    (lax.imag_p, COMPLEX, -2, 2, 1, 1),
    (lax.copy_p, ALL, -2, 2, 1, 1),
    (lax.stage_p, ALL, -2, 2, 1, 1),
    (lax.stop_gradient_p, ALL, -2, 2, 0, 1),
)

# The same for functions of two: dtypes, the ranges of both operands, order, slack.
BINARY: tuple[tuple[Primitive, Sequence[str], tuple[float, ...], int, float], ...] = (
    (lax.add_p, NUMBERS, (-2, 2, -2, 2), 1, 1),
    (lax.sub_p, NUMBERS, (-2, 2, -2, 2), 1, 1),
    (lax.mul_p, NUMBERS, (-2, 2, -2, 2), 2, 2),
    (lax.div_p, NUMBERS, (-2, 2, 1, 2), 2, 4),
    (lax.rem_p, REAL, (0.2, 0.8, 1.2, 2), 1, 2),
    (lax.max_p, ALL, (0.2, 0.8, 1.2, 2), 1, 1),
    (lax.min_p, ALL, (0.2, 0.8, 1.2, 2), 1, 1),
    (lax.nextafter_p, FLOATS, (-2, 2, -2, 2), 0, 1),
    (lax.mulhi_p, INTEGERS, (-9, 9, -9, 9), 0, 1),
    (lax.atan2_p, (*FLOATS, *COMPLEX), (0.5, 1, 0.5, 1), 2, 8),
    (lax.pow_p, (*FLOATS, *COMPLEX), (0.5, 2, -2, 2), 2, 16),
    (lax.and_p, ("bool", *INTEGERS), (-9, 9, -9, 9), 0, 1),
    (lax.or_p, ("bool", *INTEGERS), (-9, 9, -9, 9), 0, 1),
    (lax.xor_p, ("bool", *INTEGERS), (-9, 9, -9, 9), 0, 1),
    (lax.shift_left_p, INTEGERS, (-9, 9, 0, 9), 0, 1),
    (lax.shift_right_logical_p, INTEGERS, (-9, 9, 0, 9), 0, 1),
    (lax.shift_right_arithmetic_p, INTEGERS, (-9, 9, 0, 9), 0, 1),
    (lax.eq_p, ALL, (-2, 2, -2, 2), 0, 1),
    (lax.ne_p, ALL, (-2, 2, -2, 2), 0, 1),
    (lax.lt_p, ("bool", *REAL), (-2, 2, -2, 2), 0, 1),
    (lax.le_p, ("bool", *REAL), (-2, 2, -2, 2), 0, 1),
    (lax.gt_p, ("bool", *REAL), (-2, 2, -2, 2), 0, 1),
    (lax.ge_p, ("bool", *REAL), (-2, 2, -2, 2), 0, 1),
    (lax.eq_to_p, ("bool", *REAL), (-2, 2, -2, 2), 0, 1),
    (lax.lt_to_p, ("bool", *REAL), (-2, 2, -2, 2), 0, 1),
    (lax.le_to_p, ("bool", *REAL), (-2, 2, -2, 2), 0, 1),
    (lax.complex_p, WIDE_FLOATS, (-2, 2, -2, 2), 1, 1),
)


def _inexact(dtype: str) -> bool:
    return "float" in dtype or "complex" in dtype


def _bits(dtype: str) -> int:
    """The width of a real number of an inexact dtype."""
    return dtype_of(dtype).itemsize * 8 // (2 if "complex" in dtype else 1)


def _complex_edges(dtype: str) -> np.ndarray:
    """All complex numbers whose parts are special, of either sign, but for huge ones."""
    parts = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -100.0, 1e-3, np.inf, -np.inf, np.nan])
    z = np.empty((len(parts), len(parts)), dtype_of(dtype))
    z.real, z.imag = np.meshgrid(parts, parts, indexing="ij")
    return z.ravel()


def unary_samples() -> Iterator[Sample]:
    for primitive, accepted, low, high, order, slack in UNARY:
        for dtype in accepted:
            moving = (0,) if order and _inexact(dtype) else ()
            for shape in ((2, 3), ()):
                x = array(shape, dtype, low, high)
                yield Sample(primitive, (x,), moving=moving, order=order, slack=slack)
            x = _complex_edges(dtype) if "complex" in dtype else edges(dtype)
            yield Sample(primitive, (x,), slack=slack, note="edges")
        x = array((0, 3), accepted[0])
        yield Sample(primitive, (x,), note="empty")


def binary_samples() -> Iterator[Sample]:
    for primitive, accepted, (low, high, low2, high2), order, slack in BINARY:
        for dtype in accepted:
            moving = (0, 1) if order and _inexact(dtype) else ()
            x, y = array((2, 3), dtype, low, high), array((2, 3), dtype, low2, high2, seed=1)
            extra = {"moving": moving, "order": order, "slack": slack}
            yield Sample(primitive, (x, y), **extra)
            yield Sample(primitive, (x[0, 0], y[0, 0]), **extra)
            yield Sample(primitive, (x, y[0, 0]), **extra)
            yield Sample(primitive, (x[0, 0], y), **extra)
            if "complex" not in dtype:
                yield Sample(primitive, pairs(dtype), slack=slack, note="edges")
        x = array((0, 3), accepted[0])
        yield Sample(primitive, (x, x), note="empty")


# Formats of a byte and less, of which the widest and the narrowest range stand for all.
NARROW_FLOATS = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz", "float4_e2m1fn")
NARROW_INTEGERS = ("int2", "int4", "uint4")


def _narrow_values(dtype: str) -> np.ndarray:
    """All integers of a narrow dtype; of floats some that every format has, and its specials."""
    kind = dtype_of(dtype)
    if "int" in dtype:
        info = dtypes.iinfo(kind)
        return np.arange(int(info.min), int(info.max) + 1).astype(np.int8).astype(kind)
    values = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 6.0, np.inf, -np.inf, np.nan)
    return np.array(values).astype(kind)


def narrow_samples() -> Iterator[Sample]:
    """Every function that takes them on narrow dtypes: computed in a wider one, rounded once."""
    for table, arity in ((UNARY, 1), (BINARY, 2)):
        for primitive, accepted, *_ in table:
            kinds = (NARROW_FLOATS if "bfloat16" in accepted else ()) + (
                NARROW_INTEGERS if "int32" in accepted else ()
            )
            for dtype in kinds:
                if primitive is lax.abs_p and dtype == "uint4":
                    continue
                x = _narrow_values(dtype)
                operands = (x,) if arity == 1 else (np.repeat(x, len(x)), np.tile(x, len(x)))
                yield Sample(primitive, operands, note="narrow")


def with_params() -> Iterator[Sample]:
    for method in lax.RoundingMethod:
        for dtype in FLOATS:
            params = {"rounding_method": method}
            x = array((2, 3), dtype, -9, 9)
            yield Sample(lax.round_p, (x,), params)
            yield Sample(lax.round_p, (edges(dtype),), params)
    for y in (-3, -1, 0, 1, 2, 3, 7):
        for dtype in NUMBERS if y >= 0 else (*FLOATS, *COMPLEX):
            moving = (0,) if _inexact(dtype) else ()
            x = array((2, 3), dtype, 0.5, 1.5)
            yield Sample(lax.integer_pow_p, (x,), {"y": y}, moving=moving, order=min(y, 2), slack=8)
    for exponent in ("int8", "int32", "uint16"):
        for dtype in FLOATS:
            x, y = array((2, 3), dtype, 0.5, 1.5), array((2, 3), exponent, 0, 4)
            yield Sample(lax.pow_p, (x, y), moving=(0,), slack=16)
    for dtype in ALL:
        low, x, high = (array((2, 3), dtype, *r) for r in ((-2, -1), (-3, 3), (1, 2)))
        moving = (0, 1, 2) if _inexact(dtype) and "complex" not in dtype else ()
        yield Sample(lax.clamp_p, (low, x, high), moving=moving, order=1)
        yield Sample(lax.clamp_p, (low[0, 0], x, high[0, 0]), moving=moving, order=1)
    yield Sample(
        lax.clamp_p, (np.float32(2), array((4,), "float32"), np.float32(-1)), note="crossed"
    )
    yield from _selections()
    yield from _conversions()
    for dtype in FLOATS:
        for bits in ((5, 10), (8, 7), (4, 3), (11, 52), (2, 0)):
            params = dict(zip(("exponent_bits", "mantissa_bits"), bits, strict=True))
            yield Sample(lax.reduce_precision_p, (edges(dtype),), params)
            yield Sample(lax.reduce_precision_p, (array((9,), dtype, -30, 30),), params)
    for dtype in (*WIDE_FLOATS, *COMPLEX):
        x = array((2, 3), dtype)
        params = {"input_dtype": dtype_of(dtype)}
        yield Sample(lax.conj_p, (x,), params, moving=(0,), order=1)
    for dtype in FEW:
        operands = (array((2, 3), dtype), array((), dtype))
        moving = (0, 1) if _inexact(dtype) else ()
        yield Sample(lax.optimization_barrier_p, operands, moving=moving, order=1)
    for keep in (False, True):
        yield Sample(lax.dce_sink_p, (array((2, 3), "float32"),), {"prevent_mlir_dce": keep})
    yield from _named()


def _named() -> Iterator[Sample]:
    """Composites; with attributes of all types, and with an array that it closes over."""
    table = array((3,), "float32", seed=5)

    def scaled(x: Any, y: Any, **attributes: Any) -> Any:
        return [lax.mul(lax.sin(x), y), lax.mul(lax.cos(y), y)]

    attributes = {
        "by": 0.5, "axis": 1, "flag": True, "name": 'a "name"', "sizes": (1, 2.5), "none": None,
        "weights": np.float32([1, 2]), "more": {"a": [1, 2], "b": np.int8(3)},
    }  # fmt: skip
    for dtype in ("float32", "float64", "complex64"):
        x, y = array((2, 3), dtype), array((2, 3), dtype, seed=1)
        yield traced(
            lambda x, y: lax.composite(scaled, "test.scaled", 2)(x, y, **attributes), x, y,
            moving=(0, 1),
        )  # fmt: skip
    lookup = lax.composite(lambda x: lax.add(x, table), "test.lookup")
    (eqn,) = make_jaxpr(lookup)(table).eqns
    yield Sample(eqn.primitive, (table, table + 1), eqn.params, moving=(0, 1), order=1)


def _selections() -> Iterator[Sample]:
    for dtype in ALL:
        cases = [array((2, 3), dtype, seed=i) for i in range(4)]
        which = array((2, 3), "bool")
        moving = (1, 2) if _inexact(dtype) else ()
        yield Sample(lax.select_n_p, (which, *cases[:2]), moving=moving, order=1)
        yield Sample(lax.select_n_p, (np.asarray(True), *cases[:2]), moving=moving, order=1)
        yield Sample(lax.select_n_p, (which, cases[0][0, 0], cases[1]), moving=moving, order=1)
    for n in (1, 2, 3, 4):
        for index in ("int32", "uint8"):
            which = array((2, 3), index, 0, n)
            cases = [array((2, 3), "float32", seed=i) for i in range(n)]
            moving = tuple(range(1, n + 1))
            yield Sample(lax.select_n_p, (which, *cases), moving=moving, order=1)
    out_of_range = np.int32([-5, 0, 1, 2, 3, 100])
    cases = [array((6,), "float32", seed=i) for i in range(3)]
    yield Sample(lax.select_n_p, (out_of_range, *cases), note="out of range")
    yield Sample(lax.select_n_p, (out_of_range, *cases[:2]), note="out of range")
    for index in (array((2, 3), "bool"), np.asarray(1)):
        keys = (words((2, 3)), words((2, 3), 1))
        yield Sample(lax.select_n_p, (index, *keys), keys=(1, 2))
    keys = (words(()), words((2, 3), 1))
    yield Sample(lax.select_n_p, (array((2, 3), "bool"), *keys), keys=(1, 2))
    yield Sample(lax.eq_p, (words((2, 3)), words((2, 3))), keys=(0, 1))
    yield Sample(lax.ne_p, (words((2, 3)), words((2, 3), 1)), keys=(0, 1))
    yield Sample(lax.copy_p, (words((2, 3)),), keys=(0,))


def _conversions() -> Iterator[Sample]:
    for source in ALL:
        for target in ALL:
            params = {"new_dtype": dtype_of(target), "weak_type": False}
            values = array((4,), source, -9, 9) if "complex" in source else edges(source)
            kept = _inexact(source) and _inexact(target) and _bits(source) <= _bits(target)
            moving = (0,) if kept else ()  # rounding has no derivative that differences show
            if "complex" not in source:
                yield Sample(lax.convert_element_type_p, (values,), params, note="edges")
            if source in FEW or target in FEW:
                x = array((2, 3), source)
                yield Sample(lax.convert_element_type_p, (x,), params, moving=moving, order=1)
    for target in ("float32", "int32", "float64"):
        params = {"new_dtype": dtype_of(target), "weak_type": True}
        yield Sample(lax.convert_element_type_p, (array((2, 3), "float32"),), params)
    for source, target in (
        ("float32", "int32"), ("float32", "uint8"), ("int8", "bfloat16"), ("float64", "uint32"),
        ("uint64", "float64"), ("bfloat16", "float16"), ("int16", "int16"),
        ("uint32", "uint4"), ("uint8", "int4"), ("uint8", "float8_e5m2"),
    ):  # fmt: skip
        shape = (3, 2) if dtype_of(source).itemsize < dtype_of(target).itemsize else (2, 3)
        x = array(shape, source, -9, 9)
        yield Sample(lax.bitcast_convert_type_p, (x,), {"new_dtype": dtype_of(target)})
    for source in (*NARROW_FLOATS, *NARROW_INTEGERS):
        for target in (*NARROW_FLOATS, *NARROW_INTEGERS, "bool", "uint8", "bfloat16", "complex64"):
            params = {"new_dtype": dtype_of(target), "weak_type": False}
            yield Sample(lax.convert_element_type_p, (_narrow_values(source),), params)
    for narrow in ("float8_e4m3fn", "float8_e5m2", "int4", "uint4"):
        for other in ("float32", "int32"):
            there = {"new_dtype": dtype_of(narrow), "weak_type": False}
            back = {"new_dtype": dtype_of(other), "weak_type": False}
            x = array((2, 3), other, 0, 7)
            yield Sample(lax.convert_element_type_p, (x,), there)
            yield Sample(lax.convert_element_type_p, (x.astype(dtype_of(narrow)),), back)
        y = array((2, 3), "float32", 0, 3).astype(dtype_of(narrow))
        yield Sample(lax.add_p, (y, y))
        yield Sample(lax.lt_p, (y, y[::-1]))


def samples() -> Iterator[Sample]:
    yield from unary_samples()
    yield from binary_samples()
    yield from narrow_samples()
    yield from with_params()


def error_samples() -> Iterator[ErrorSample]:
    f, i = np.zeros((2, 3), np.float32), np.zeros((2, 3), np.int32)
    other = np.zeros((3, 2), np.float32)
    yield ErrorSample(
        "add_dtypes", lambda: lax.add(f, i), TypeError, "same dtypes, got float32, int32"
    )
    yield ErrorSample(
        "add_shapes", lambda: lax.add(f, other), ShapeError, r"add got incompatible shapes"
    )
    yield ErrorSample(
        "add_ranks", lambda: lax.add(f, f[0]), ShapeError, "same number of dimensions"
    )
    yield ErrorSample("add_list", lambda: lax.add([1.0], f), TypeError, "not a valid JAX type")
    yield ErrorSample("sin_int", lambda: lax.sin(i), TypeError, "sin does not accept dtype int32")
    yield ErrorSample("not_float", lambda: lax.bitwise_not(f), TypeError, "not does not accept")
    yield ErrorSample(
        "integer_pow_negative", lambda: lax.integer_pow(i, -1), TypeError, "negative powers"
    )
    yield ErrorSample(
        "select_many", lambda: lax.select_n(f > 0, f, f, f), TypeError, "cannot have > 2 cases"
    )
    yield ErrorSample(
        "select_float", lambda: lax.select_n(f, f, f), TypeError, "must be boolean or integer"
    )
    yield ErrorSample(
        "clamp_shapes", lambda: lax.clamp(f[0], f, f), ShapeError, r"min.shape == operand.shape"
    )
    yield ErrorSample(
        "convert_none", lambda: lax.convert_element_type(f, None), ValueError, "must be specified"
    )
    yield ErrorSample(
        "bitcast_bool", lambda: lax.bitcast_convert_type(f > 0, np.int8), TypeError, "bool"
    )
    yield ErrorSample(
        "bitcast_length", lambda: lax.bitcast_convert_type(np.zeros((2, 3), np.int8), np.int32),
        ShapeError, "last axis must have length",
    )  # fmt: skip
    yield ErrorSample(
        "composite_attribute", lambda: lax.composite(lax.sin, "test.sin")(f, of=lax.sin),
        TypeError, "the attribute 'of' must be",
    )  # fmt: skip
    yield ErrorSample("dtype_none", lambda: lax.dtype(None), ValueError, "got None")
    yield ErrorSample("dtype_list", lambda: lax.dtype([1.0]), TypeError, "has no dtype")
    yield ErrorSample(
        "reduce_precision_bits", lambda: lax.reduce_precision(f, 0, 1), ValueError, "positive"
    )
