"""Calls of the elementwise functions of one operand: over dtypes, shapes and their domains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import BF16, bools, complexes, empty, ints, reals, widened

REAL = reals(2, 3)
POSITIVE = reals(2, 3, low=0.3, high=4.1)
UNIT = reals(2, 3, low=-0.83, high=0.91)
ABOVE_ONE = reals(2, 3, low=1.2, high=4.1)
Z = complexes(5)

# Smooth functions: floats and complex numbers from anything, by their domains.
SMOOTH = {
    "exp": REAL, "expm1": REAL, "sin": REAL, "cos": REAL, "tan": UNIT, "sinh": REAL,
    "cosh": REAL, "tanh": REAL, "arctan": REAL, "atan": REAL, "arcsinh": REAL, "asinh": REAL,
    "sqrt": POSITIVE, "log": POSITIVE, "log2": POSITIVE, "log10": POSITIVE, "log1p": POSITIVE,
    "arcsin": UNIT, "asin": UNIT, "arccos": UNIT, "acos": UNIT, "arctanh": UNIT, "atanh": UNIT,
    "arccosh": ABOVE_ONE, "acosh": ABOVE_ONE, "sinc": REAL, "reciprocal": POSITIVE,
    "exp2": REAL, "square": REAL,
}  # fmt: skip
SMOOTH_REAL = {
    "cbrt": POSITIVE, "deg2rad": REAL, "rad2deg": REAL, "degrees": REAL, "radians": REAL,
    "fabs": REAL,
}  # fmt: skip
KEEP_INTEGERS = ("square",)  # and wrap round where they overflow


def smooth(name: str, x: Any, kinds: str) -> Iterator[Call]:
    function, oracle = getattr(jnp, name), widened(getattr(np, name))
    few = np.array([1, 2, 4], np.int32) if name != "reciprocal" else np.array([1.0, 2.0])
    unit = name in ("arcsin", "asin", "arccos", "acos", "arctanh", "atanh")
    few = np.array([0, 0, 1]) if unit and "tanh" not in name else few
    few = np.array([0, 0]) if name in ("arctanh", "atanh") else few
    slack = 4.0 if name in ("sinc", "tan", "arctanh", "atanh") else 2.0
    yield of(function, x).having(moving=(0,), slack=4)
    yield of(function, x.astype(np.float32)).having(slack=slack, atol=1e-7)
    yield of(function, np.float64(0.7) + np.zeros(()) + ("cosh" in name and "arc" in name))
    yield of(function, empty(0, 3))
    yield of(function, x[0].astype(BF16)).having(dtype=BF16, atol=2e-2)
    if name not in KEEP_INTEGERS:
        yield of(function, few).having(expected=oracle, slack=4, atol=1e-7)
    if name not in KEEP_INTEGERS and name != "reciprocal":
        yield of(function, few.astype(np.uint8)).having(expected=oracle, slack=4, atol=1e-7)
    if "c" in kinds:
        yield of(function, Z).having(moving=(0,), slack=8, atol=1e-14)
        yield of(function, Z.astype(np.complex64)).having(slack=8, atol=1e-6)


def stepping() -> Iterator[Call]:
    """Functions with steps or kinks, predicates, and those of integers."""
    for name in ("abs", "absolute", "negative", "positive", "sign", "conj", "conjugate", "real",
                 "imag"):  # fmt: skip
        function = getattr(jnp, name)
        yield of(function, REAL).having(moving=(0,))
        yield of(function, Z).having(moving=(0,))
        yield of(function, REAL[0].astype(np.float32))
        yield of(function, Z.astype(np.complex64))
        yield of(function, ints(4))
        yield of(function, ints(4, dtype=np.uint8))
        yield of(function, np.array(-2.5, np.float32))
        yield of(function, empty(2, 0))
        yield of(function, REAL[0].astype(BF16)).having(dtype=BF16)
    for name in ("abs", "absolute", "real"):
        yield of(getattr(jnp, name), bools(3))
    for name in ("ceil", "floor", "trunc", "rint"):
        function = getattr(jnp, name)
        yield of(function, REAL).having(moving=(0,))
        yield of(function, REAL.astype(np.float32))
        yield of(function, np.array([-2.5, -0.5, 0.5, 1.5, np.inf, np.nan], np.float32))
        yield of(function, np.array(0.5))
        yield of(function, REAL[0].astype(BF16)).having(dtype=BF16)
    yield of(jnp.rint, Z)
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5], np.float32)
    for name in ("isfinite", "isinf", "isnan", "signbit", "isneginf", "isposinf", "logical_not"):
        function = getattr(jnp, name)
        yield of(function, special)
        yield of(function, special.astype(BF16))
        yield of(function, ints(3))
        yield of(function, np.array(-0.0))
    for name in ("isfinite", "isinf", "isnan", "iscomplex", "isreal", "logical_not"):
        function = getattr(jnp, name)
        yield of(function, np.array([1 + 2j, complex(np.inf, 1), complex(1, np.nan), 0]))
        yield of(function, bools(3))
        yield of(function, empty(0))
    for name in ("bitwise_not", "bitwise_invert", "invert", "bitwise_count"):
        function = getattr(jnp, name)
        for dtype in (np.int32, np.uint8, np.int64):
            yield of(function, ints(2, 3, dtype=dtype))
        yield of(function, np.array(5, np.int16))
    for name in ("bitwise_not", "bitwise_invert", "invert"):
        yield of(getattr(jnp, name), bools(3))
    floats = np.array([1.0, -3.0, 1e-3, 1e20, 0.0], np.float32)
    for f in (floats, floats.astype(np.float64)):
        yield of(jnp.frexp, f)
        yield of(jnp.spacing, f).having(slack=0)
    yield of(jnp.modf, REAL).having(moving=(0,))
    yield of(jnp.modf, np.array([-1.5, 2.0, np.inf], np.float32))
    for f in (jnp.around, jnp.round):
        yield of(f, REAL).having(moving=(0,))
        yield of(f, REAL.astype(np.float32), decimals=2)
        yield of(f, 100 * REAL, decimals=-2)
        yield of(f, ints(4, low=0, high=999), decimals=-1)
        yield of(f, Z, decimals=1)
        yield of(f, np.array([0.5, 1.5, 2.5, -0.5]))


def angles_and_numbers() -> Iterator[Call]:
    yield of(jnp.angle, Z).having(moving=(0,), slack=4)
    yield of(jnp.angle, Z.astype(np.complex64), deg=True)
    yield of(jnp.angle, np.array([-1.0, 2.0]))
    odd = np.array([np.nan, np.inf, -np.inf, 1.0, -2.0])
    yield of(jnp.nan_to_num, REAL).having(moving=(0,))
    yield of(jnp.nan_to_num, odd.astype(np.float32))
    yield of(jnp.nan_to_num, odd, copy=False, nan=3.0, posinf=7.0, neginf=-8.0).having(
        expected=lambda x, copy, **kw: np.nan_to_num(x, **kw)
    )
    yield of(jnp.nan_to_num, np.array([complex(np.nan, 1), complex(2, -np.inf)]), nan=2.0)
    yield of(jnp.nan_to_num, ints(3))
    for low, high in ((-1.05, 1.05), (None, 0.5), (0.5, None)):
        yield of(jnp.clip, REAL, min=low, max=high).having(moving=(0,), expected=clipped)
    yield of(jnp.clip, REAL, np.array([-1.1, 0.2, 0.4]), np.array([[1.1], [0.9]])).having(
        moving=(0, 1, 2), expected=clipped
    )
    yield of(jnp.clip, ints(5), 0, 3).having(expected=clipped)
    yield of(jnp.clip, ints(5, dtype=np.uint8), 2, 3).having(expected=clipped)
    yield of(jnp.clip, REAL.astype(BF16), -1.0, 1.0).having(expected=clipped)
    bits = ints(3, 10, dtype=np.uint8, high=1)
    for axis in (None, 0, -1):
        yield of(jnp.packbits, bits, axis=axis)
        yield of(jnp.packbits, bits.astype(bool), axis=axis, bitorder="little")
        yield of(jnp.unpackbits, ints(2, 3, dtype=np.uint8, high=255), axis=axis)
    yield of(jnp.unpackbits, ints(2, 3, dtype=np.uint8, high=255), axis=1, count=20)
    yield of(jnp.unpackbits, ints(3, dtype=np.uint8, high=255), count=-2, bitorder="little")


def clipped(x: Any, min: Any = None, max: Any = None) -> Any:
    return np.clip(x, min, max)


CALLS = [
    *(c for name, x in SMOOTH.items() for c in smooth(name, x, "fc")),
    *(c for name, x in SMOOTH_REAL.items() for c in smooth(name, x, "f")),
    *stepping(),
    *angles_and_numbers(),
]
