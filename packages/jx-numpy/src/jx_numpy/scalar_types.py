"""The scalar types (`jnp.float32`, ...), which name dtypes and make arrays, and constants.

Calling one converts to an array of its dtype, as in JAX and unlike in NumPy, whose own
types make NumPy scalars. Everything that takes a dtype takes one of these.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import dtypes

from .creation import asarray

__all__ = [
    "bfloat16", "bool", "bool_", "cdouble", "character", "complex128", "complex64",
    "complex_", "complexfloating", "csingle", "double", "e", "euler_gamma", "flexible",
    "float16", "float32", "float4_e2m1fn", "float64", "float6_e2m3fn", "float6_e3m2fn",
    "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn",
    "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu", "float_",
    "floating", "generic", "inexact", "inf", "int16", "int2", "int32", "int4", "int64",
    "int8", "int_", "integer", "nan", "newaxis", "number", "object_", "pi",
    "signedinteger", "single", "uint", "uint16", "uint2", "uint32", "uint4", "uint64",
    "uint8", "unsignedinteger",
]  # fmt: skip


class ScalarType(type):
    """The class of `jnp.float32` and its kin.

    Attributes:
        dtype: the NumPy dtype it names, so that `numpy.dtype(jnp.float32)` works.
    """

    dtype: np.dtype[Any]

    def __hash__(cls) -> int:
        return hash(cls.dtype.type)

    def __eq__(cls, other: object) -> Any:
        # Not equal to Python's own types, which a dtype compares equal to.
        return (
            other is cls
            or other is cls.dtype.type
            or (isinstance(other, np.dtype) and other == cls.dtype)
        )

    def __ne__(cls, other: object) -> Any:
        return not cls == other

    def __call__(cls, x: Any) -> Any:
        """The array (or number) `x` as an array of this dtype."""
        return asarray(x, dtype=cls.dtype)

    def __instancecheck__(cls, x: Any) -> Any:
        return isinstance(x, cls.dtype.type)


def _scalar_type(name: str, numpy_type: type) -> ScalarType:
    dtype = np.dtype(numpy_type)
    members = {"dtype": dtype, "__module__": "jx_numpy", "__doc__": _told(name, dtype)}
    return ScalarType(name, (object,), members)


# What a process may not make arrays of, as 64 bits are off or XLA has no such dtype.
_NOT_EVERYWHERE = ("int64", "uint64", "float64", "complex128", "float6_e2m3fn", "float6_e3m2fn")


def _told(name: str, dtype: np.dtype[Any]) -> str:
    """The docstring of a scalar type."""
    made = f"jnp.dtype(jnp.{name})" if dtype.name in _NOT_EVERYWHERE else f"jnp.{name}(1).dtype"
    return (
        f"The scalar type of dtype {dtype.name}: `jnp.{name}(x)` is "
        f"`jnp.asarray(x, dtype=jnp.{name})`.\n\n>>> {made}.name\n{dtype.name!r}\n"
    )


bool_ = bool = _scalar_type("bool_", np.bool_)
int2 = _scalar_type("int2", dtypes.int2)
int4 = _scalar_type("int4", dtypes.int4)
int8 = _scalar_type("int8", np.int8)
int16 = _scalar_type("int16", np.int16)
int32 = _scalar_type("int32", np.int32)
int64 = _scalar_type("int64", np.int64)
uint2 = _scalar_type("uint2", dtypes.uint2)
uint4 = _scalar_type("uint4", dtypes.uint4)
uint8 = _scalar_type("uint8", np.uint8)
uint16 = _scalar_type("uint16", np.uint16)
uint32 = _scalar_type("uint32", np.uint32)
uint64 = _scalar_type("uint64", np.uint64)
float4_e2m1fn = _scalar_type("float4_e2m1fn", dtypes.float4_e2m1fn)
float6_e2m3fn = _scalar_type("float6_e2m3fn", dtypes.float6_e2m3fn)
float6_e3m2fn = _scalar_type("float6_e3m2fn", dtypes.float6_e3m2fn)
float8_e3m4 = _scalar_type("float8_e3m4", dtypes.float8_e3m4)
float8_e4m3 = _scalar_type("float8_e4m3", dtypes.float8_e4m3)
float8_e4m3b11fnuz = _scalar_type("float8_e4m3b11fnuz", dtypes.float8_e4m3b11fnuz)
float8_e4m3fn = _scalar_type("float8_e4m3fn", dtypes.float8_e4m3fn)
float8_e4m3fnuz = _scalar_type("float8_e4m3fnuz", dtypes.float8_e4m3fnuz)
float8_e5m2 = _scalar_type("float8_e5m2", dtypes.float8_e5m2)
float8_e5m2fnuz = _scalar_type("float8_e5m2fnuz", dtypes.float8_e5m2fnuz)
float8_e8m0fnu = _scalar_type("float8_e8m0fnu", dtypes.float8_e8m0fnu)
bfloat16 = _scalar_type("bfloat16", dtypes.bfloat16)
float16 = _scalar_type("float16", np.float16)
float32 = _scalar_type("float32", np.float32)
float64 = _scalar_type("float64", np.float64)
complex64 = _scalar_type("complex64", np.complex64)
complex128 = _scalar_type("complex128", np.complex128)

# ml_dtypes has had the 1-bit integers since 0.6 only.
for _dtype in dtypes.NARROW_INTS:
    if _dtype.name in ("int1", "uint1"):
        globals()[_dtype.name] = _scalar_type(_dtype.name, _dtype.type)
        __all__.append(_dtype.name)

single = float32
double = float64
csingle = complex64
cdouble = complex128
# NumPy's defaults, whatever enable_x64 says; Python's own int and float follow it.
int_ = int64
uint = uint64
float_ = float64
complex_ = complex128

# Abstract types, for issubdtype.
generic = np.generic
number = np.number
integer = np.integer
signedinteger = np.signedinteger
unsignedinteger = np.unsignedinteger
inexact = np.inexact
floating = np.floating
complexfloating = np.complexfloating
flexible = np.flexible
character = np.character
object_ = np.object_

pi = np.pi
e = np.e
euler_gamma = np.euler_gamma
inf = np.inf
nan = np.nan
newaxis = None

# Where the tests look for examples: the types say that they are of `jx_numpy` itself.
__test__ = {name: x.__doc__ for name, x in list(globals().items()) if isinstance(x, ScalarType)}
