"""Exponentials, logarithms, powers' roots, and the circular and hyperbolic functions."""

from __future__ import annotations

import math

from jx_core import compiled, lax
from jx_core.operators import add, equal, less, multiply
from jx_core.ops.elementwise import convert

from ..operands import Array, ArrayLike, as_weak_as, inexact, is_complex, pair_inexact, typeof
from .making import binary, inexact_unary

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "deg2rad", "degrees",
    "exp", "exp2", "expm1", "hypot", "log", "log10", "log1p", "log2", "rad2deg", "radians",
    "sin", "sinc", "sinh", "sqrt", "tan", "tanh",
]  # fmt: skip


def _weak(value: str) -> str:
    return f"Array({value}, dtype=float32, weak_type=True)"


exp = inexact_unary("exp", lax.exp_p, "The exponential of each element.", "0.0", _weak("1."))
exp2 = inexact_unary("exp2", lax.exp2_p, "Two to the power of each element.", "3.0", _weak("8."))
expm1 = inexact_unary(
    "expm1", lax.expm1_p, "exp(x) - 1, precise also where x is near 0.", "0.0", _weak("0.")
)
log = inexact_unary("log", lax.log_p, "The natural logarithm of each element.", "1.0", _weak("0."))
log1p = inexact_unary(
    "log1p", lax.log1p_p, "log(1 + x), precise also where x is near 0.", "0.0", _weak("0.")
)
sqrt = inexact_unary(
    "sqrt", lax.sqrt_p, "The non-negative square root of each element.", "9.0", _weak("3.")
)
cbrt = inexact_unary("cbrt", lax.cbrt_p, "The cube root of each element.", "-27.0", _weak("-3."))
sin = inexact_unary("sin", lax.sin_p, "The sine of each element, in radians.", "0.0", _weak("0."))
cos = inexact_unary("cos", lax.cos_p, "The cosine of each element, in radians.", "0.0", _weak("1."))
tan = inexact_unary(
    "tan", lax.tan_p, "The tangent of each element, in radians.", "0.0", _weak("0.")
)
arcsin = asin = inexact_unary(
    "arcsin", lax.asin_p, "The angle in [-pi/2, pi/2] whose sine is x.", "0.0", _weak("0.")
)
arccos = acos = inexact_unary(
    "arccos", lax.acos_p, "The angle in [0, pi] whose cosine is x.", "1.0", _weak("0.")
)
arctan = atan = inexact_unary(
    "arctan", lax.atan_p, "The angle in [-pi/2, pi/2] whose tangent is x.", "0.0", _weak("0.")
)
sinh = inexact_unary("sinh", lax.sinh_p, "The hyperbolic sine.", "0.0", _weak("0."))
cosh = inexact_unary("cosh", lax.cosh_p, "The hyperbolic cosine.", "0.0", _weak("1."))
tanh = inexact_unary("tanh", lax.tanh_p, "The hyperbolic tangent.", "0.0", _weak("0."))
arcsinh = asinh = inexact_unary(
    "arcsinh", lax.asinh_p, "The number whose hyperbolic sine is x.", "0.0", _weak("0.")
)
arccosh = acosh = inexact_unary(
    "arccosh", lax.acosh_p, "The non-negative number whose hyperbolic cosine is x.",
    "1.0", _weak("0."),
)  # fmt: skip
arctanh = atanh = inexact_unary(
    "arctanh", lax.atanh_p, "The number whose hyperbolic tangent is x.", "0.0", _weak("0.")
)


@compiled
def log2(x: ArrayLike, /) -> Array:
    """The logarithm of each element to base 2.

    Args:
        x: an array or number; integers and booleans become floats.

    Raises:
        TypeError: `x` is no array.

    >>> jnp.log2(jnp.array([1.0, 8.0]))
    Array([0., 3.], dtype=float32)
    """
    return _in_base(2, inexact("log2", x))


@compiled
def log10(x: ArrayLike, /) -> Array:
    """The logarithm of each element to base 10.

    Args:
        x: an array or number; integers and booleans become floats.

    Raises:
        TypeError: `x` is no array.

    >>> jnp.log10(jnp.array([1.0, 100.0]))
    Array([0., 2.], dtype=float32)
    """
    return _in_base(10, inexact("log10", x))


# Of e, the logarithms to these bases.
_OF_E = {2: 1.4426950408889634, 10: 0.4342944819032518}


def _in_base(base: int, x: Array) -> Array:
    """The logarithm to a base; never weak.

    Times the inverse of the base's, correctly rounded, which the inverse of a rounded one is not.
    """
    natural = lax.log(x)
    dtype = typeof(natural).dtype
    factor = _OF_E[base]
    if is_complex(dtype):
        # Not as a complex product, which has no value at infinity.
        parts = [multiply(p, factor) for p in (lax.real(natural), lax.imag(natural))]
        return convert(lax.complex(*parts), dtype)
    return convert(multiply(natural, factor), dtype)


@compiled
def deg2rad(x: ArrayLike, /) -> Array:
    """Degrees to radians.

    Args:
        x: an array or number; integers and booleans become floats.

    >>> jnp.deg2rad(jnp.array([0.0, 180.0]))
    Array([0.       , 3.1415927], dtype=float32)
    """
    return multiply(inexact("deg2rad", x), math.pi / 180)


@compiled
def rad2deg(x: ArrayLike, /) -> Array:
    """Radians to degrees.

    Args:
        x: an array or number; integers and booleans become floats.

    >>> jnp.rad2deg(jnp.array([0.0, jnp.pi]))
    Array([  0., 180.], dtype=float32)
    """
    return multiply(inexact("rad2deg", x), 180 / math.pi)


radians = deg2rad
degrees = rad2deg

arctan2 = atan2 = binary(
    "arctan2", lax.atan2, "The angle of the point (x2, x1) in the plane, in (-pi, pi].",
    "1.0, 0.0", "Array(1.5707964, dtype=float32, weak_type=True)", as_inexact=True,
)  # fmt: skip


@compiled
def hypot(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The length of the hypotenuse, sqrt(x1**2 + x2**2), without overflow on the way.

    Args:
        x1, x2: real arrays or numbers; dtypes are promoted to floats and shapes broadcast.

    Raises:
        ValueError: an operand is complex.
        ShapeError: the shapes don't broadcast.

    >>> jnp.hypot(3.0, jnp.array([4.0, 0.0]))
    Array([5., 3.], dtype=float32)
    """
    operands = x1, x2
    x1, x2, dtype = pair_inexact("hypot", x1, x2)
    if is_complex(dtype):
        raise ValueError(
            "jnp.hypot is not well defined for complex-valued inputs; use jnp.abs(x1 + 1j * x2)"
        )
    x1, x2 = lax.abs(x1), lax.abs(x2)
    # An infinite leg wins over a NaN of the other. The length goes with it.
    first, second = equal(x1, math.inf), equal(x2, math.inf)
    infinite = lax.bitwise_or(first, second)
    endless = lax.max(lax.select(first, x1, 0.0), lax.select(second, x2, 0.0))
    x1, x2 = lax.select(infinite, 1.0, x1), lax.select(infinite, 1.0, x2)
    longer = lax.max(x1, x2)
    is_zero = equal(longer, 0.0)
    # What it is divided by for a while does not matter, so derivatives need not know of it.
    scale = lax.stop_gradient(lax.select(is_zero, 1.0, longer))
    square = add(lax.square(lax.div(x1, scale)), lax.square(lax.div(x2, scale)))
    length = lax.mul(scale, lax.sqrt(lax.select(is_zero, 1.0, square)))
    length = lax.select(infinite, endless, lax.select(is_zero, longer, length))
    return as_weak_as(length, *operands)


@compiled
def sinc(x: ArrayLike, /) -> Array:
    """The normalised sinc function, sin(pi x) / (pi x), which is 1 at 0.

    Near 0 it is computed by its Taylor series, so that derivatives are right there too.

    Args:
        x: an array or number; integers and booleans become floats.

    >>> jnp.sinc(jnp.array([0.0, 0.5]))
    Array([1.        , 0.63661975], dtype=float32)
    """
    z = multiply(inexact("sinc", x), math.pi)
    near = less(lax.abs(z), 0.25)
    square = lax.square(lax.select(near, z, 0.0))  # of others it may overflow
    # The sum over k of (-z^2)^k / (2k + 1)!, by Horner's rule; the next term is below 1e-20.
    series = add(multiply(square, -1.0 / 156), 1.0)
    for k in range(5, 0, -1):
        series = add(lax.mul(multiply(square, -1.0 / (2 * k * (2 * k + 1))), series), 1.0)
    safe = lax.select(near, 1.0, z)
    return lax.select(near, series, lax.div(lax.sin(safe), safe))
