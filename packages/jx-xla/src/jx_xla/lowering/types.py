"""StableHLO types and constants as text."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from jx_core import ShapedArray, dtypes
from jx_core.symbolic import DimExpr

_ELEMENT_NAMES = {
    "bool": "i1", "int2": "i2", "int4": "i4", "int8": "i8", "int16": "i16", "int32": "i32",
    "int64": "i64", "uint2": "ui2", "uint4": "ui4", "uint8": "ui8", "uint16": "ui16",
    "uint32": "ui32", "uint64": "ui64", "float16": "f16", "bfloat16": "bf16", "float32": "f32",
    "float64": "f64", "complex64": "complex<f32>", "complex128": "complex<f64>",
    "float8_e3m4": "f8E3M4", "float8_e4m3": "f8E4M3", "float8_e4m3b11fnuz": "f8E4M3B11FNUZ",
    "float8_e4m3fn": "f8E4M3FN", "float8_e4m3fnuz": "f8E4M3FNUZ", "float8_e5m2": "f8E5M2",
    "float8_e5m2fnuz": "f8E5M2FNUZ", "float8_e8m0fnu": "f8E8M0FNU", "float4_e2m1fn": "f4E2M1FN",
    "float0": "i1",
}  # fmt: skip

_types: dict[ShapedArray, str] = {}


@functools.cache  # NumPy works a dtype's name out each time it is asked
def element_type(dtype: Any) -> str:
    """The MLIR element type of a dtype, such as `f32`.

    Raises:
        TypeError: StableHLO has no such type.
    """
    try:
        return _ELEMENT_NAMES[dtype.name]
    except KeyError:
        raise TypeError(f"dtype {dtype.name} has no StableHLO element type") from None


# Before and after a symbolic size in types and attributes; see `dynamic`.
MARK, END = "⟦", "⟧"


def size_text(d: Any) -> str:
    """A size as types and attributes have it: digits, or a symbolic one between marks."""
    return f"{MARK}{d}{END}" if type(d) is DimExpr else str(d)


def tensor(shape: tuple[int, ...], dtype: Any) -> str:
    """The MLIR tensor type, such as `tensor<3x4xf32>`."""
    sizes = "".join([f"{d}x" if type(d) is int else f"{size_text(d)}x" for d in shape])
    return f"tensor<{sizes}{element_type(dtype)}>"


def physical(aval: ShapedArray) -> ShapedArray:
    """The type that holds values of type `aval` on a device: typed keys are uint32 words."""
    dtype = aval.dtype
    if isinstance(dtype, dtypes.ExtendedDType):
        return ShapedArray((*aval.shape, dtype.itemsize // 4), np.dtype(np.uint32))
    if dtype == dtypes.float0:
        return ShapedArray(aval.shape, np.dtype(np.bool_))
    return aval


def type_of(aval: ShapedArray) -> str:
    """The MLIR type of values of type `aval`."""
    text = _types.get(aval)
    if text is None:
        held = physical(aval)
        text = tensor(held.shape, held.dtype)
        if MARK not in text:  # types with symbolic sizes go with their scope
            _types[aval] = text
    return text


def dense(value: np.ndarray) -> str:
    """The elements of an array as the inside of a `dense<...>` attribute."""
    if value.dtype == np.bool_:
        if value.size == 0:
            return ""
        first = value.flat[0]
        if value.ndim == 0 or bool((value == first).all()):
            return "true" if first else "false"
        return '"0x' + value.astype(np.uint8).tobytes().hex().upper() + '"'
    if value.size == 0:
        return ""
    if value.ndim == 0 or value.size == 1:
        simple = _simple_number(value.reshape(())[()])
        if simple is not None:
            return simple
    return '"0x' + np.ascontiguousarray(value).tobytes().hex().upper() + '"'


def _simple_number(x: Any) -> str | None:
    """A readable form of a number, where one is exact; hexadecimal digits serve the others."""
    if x.dtype.kind in "iu":
        return str(int(x))
    if x.dtype in (np.float32, np.float64) and math.isfinite(x):
        return f"{float(x):.17e}" if x.dtype == np.float64 else f"{float(x):.9e}"
    return None
