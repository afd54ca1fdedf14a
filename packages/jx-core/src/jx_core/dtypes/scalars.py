"""The names of the scalar types, and which dtypes an array may have.

The types are NumPy's and ml_dtypes' own classes. Not here: how dtypes combine
(`promotion`) or become each other (`canonical`).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
from ml_dtypes import (
    bfloat16,
    finfo,
    float4_e2m1fn,
    float6_e2m3fn,
    float6_e3m2fn,
    float8_e3m4,
    float8_e4m3,
    float8_e4m3b11fnuz,
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e5m2,
    float8_e5m2fnuz,
    float8_e8m0fnu,
    iinfo,
    int2,
    int4,
    uint2,
    uint4,
)
from numpy import (
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)

__all__ = [
    "NARROW_FLOATS",
    "NARROW_INTS",
    "NUMERIC_DTYPES",
    "DType",
    "bfloat16",
    "bool_",
    "complex64",
    "complex128",
    "finfo",
    "float0",
    "float4_e2m1fn",
    "float6_e2m3fn",
    "float6_e3m2fn",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e4m3b11fnuz",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "float16",
    "float32",
    "float64",
    "iinfo",
    "int2",
    "int4",
    "int8",
    "int16",
    "int32",
    "int64",
    "itemsize_bits",
    "uint2",
    "uint4",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

DType: TypeAlias = np.dtype[Any]

# The tangent type of integers and booleans: an array of it holds no bytes.
float0: DType = np.dtype([("float0", np.void, 0)])

# ml_dtypes has had the 1-bit integers since 0.6 only.
_ONE_BIT = [getattr(ml_dtypes, name) for name in ("int1", "uint1") if hasattr(ml_dtypes, name)]

NARROW_INTS: frozenset[DType] = frozenset(map(np.dtype, [*_ONE_BIT, int2, int4, uint2, uint4]))
NARROW_FLOATS: frozenset[DType] = frozenset(
    np.dtype(t)
    for t in (
        float4_e2m1fn, float6_e2m3fn, float6_e3m2fn, float8_e3m4, float8_e4m3,
        float8_e4m3b11fnuz, float8_e4m3fn, float8_e4m3fnuz, float8_e5m2, float8_e5m2fnuz,
        float8_e8m0fnu,
    )
)  # fmt: skip
NUMERIC_DTYPES: frozenset[DType] = (
    NARROW_INTS
    | NARROW_FLOATS
    | frozenset(
        np.dtype(t)
        for t in (
            bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64,
            bfloat16, float16, float32, float64, complex64, complex128,
        )
    )
)  # fmt: skip

_BITS = {np.dtype(float4_e2m1fn): 4, np.dtype(float6_e2m3fn): 6, np.dtype(float6_e3m2fn): 6}
_BITS |= {dtype: int(dtype.name.removeprefix("u").removeprefix("int")) for dtype in NARROW_INTS}


def itemsize_bits(dtype: Any) -> int:
    """The number of bits an element holds: 4 for int4, 8 for bool, 32 for float32.

    Raises ValueError for a dtype that an array of numbers cannot have.

    >>> itemsize_bits("float32"), itemsize_bits("int4")
    (32, 4)
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in NUMERIC_DTYPES:
        raise ValueError(f"itemsize_bits takes a boolean or numeric dtype; got {dtype!r}")
    return _BITS.get(found) or int(found.itemsize) * 8
