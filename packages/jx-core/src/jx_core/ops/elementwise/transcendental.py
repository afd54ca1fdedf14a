"""Exponentials, logarithms, roots, trigonometric and hyperbolic functions, general powers.

All take floats and, but for `cbrt`, complex numbers, whose branch cuts are those of the C
standard (ISO C, annex G), as NumPy's are. The reference meanings are computed in double
precision and rounded once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...primitive import Primitive
from ..kit import (
    Array,
    ArrayLike,
    check_kind,
    check_same_dtype,
    elementwise,
    floating,
    in_double,
    inexact,
    number,
    pair,
    result_shape,
)
from .accuracy import AccuracyMode, Tolerance, check_accuracy

__all__ = [
    "acos", "acos_p", "acosh", "acosh_p", "asin", "asin_p", "asinh", "asinh_p", "atan", "atan2",
    "atan2_p", "atan_p", "atanh", "atanh_p", "cbrt", "cbrt_p", "cos", "cos_p", "cosh", "cosh_p",
    "exp", "exp2", "exp2_p", "exp_p", "expm1", "expm1_p", "log", "log1p", "log1p_p", "log_p",
    "logistic", "logistic_p", "pow", "pow_p", "rsqrt", "rsqrt_p", "sin", "sin_p", "sinh",
    "sinh_p", "sqrt", "sqrt_p", "tan", "tan_p", "tanh", "tanh_p",
]  # fmt: skip

Accuracy = Tolerance | AccuracyMode | None


# Reference meanings that are not NumPy's own.


def _is_complex(x: np.ndarray) -> bool:
    return x.dtype.kind == "c"


def _of_parts(re: Any, im: Any) -> Any:
    """The complex numbers with these parts: `re + 1j * im` makes NaNs of infinities."""
    z = np.empty(np.broadcast_shapes(np.shape(re), np.shape(im)), np.complex128)
    z.real, z.imag = re, im
    return z


def _exp2(x: np.ndarray) -> Any:
    if not _is_complex(x):
        return np.exp2(x)
    return np.exp(_of_parts(x.real * np.log(2.0), x.imag * np.log(2.0)))


def _expm1(x: np.ndarray) -> Any:
    if not _is_complex(x):
        return np.expm1(x)
    a, b = x.real, x.imag
    power = np.exp(x)
    near = np.expm1(a) * np.cos(b) - 2 * np.sin(b / 2) ** 2
    near = np.where(near == 0, 0, near)  # of either zero it is +0
    small = np.isfinite(b) & (a < 40)
    return _of_parts(np.where(small, near, power.real - 1), power.imag)


def _tanh(x: np.ndarray) -> Any:
    result = np.tanh(x)
    if not _is_complex(x):
        return result
    # Far out the imaginary part is the zero on the operand's side.
    far = np.isinf(x.real)
    return _of_parts(result.real, np.where(far, np.copysign(0.0, x.imag), result.imag))


def _tan(x: np.ndarray) -> Any:
    if not _is_complex(x):
        return np.tan(x)
    turned = _tanh(_of_parts(-x.imag, x.real))  # of iz
    return _of_parts(turned.imag, -turned.real)


def _log1p(x: np.ndarray) -> Any:
    if not _is_complex(x):
        return np.log1p(x)
    # log|1 + z| = log1p(2a + a^2 + b^2) / 2 for z = a + ib, without cancellation near 0.
    a, b = x.real, x.imag
    small = np.abs(x) < 0.5
    near = 0.5 * np.log1p(np.where(small, a * (2 + a) + b * b, 0))
    far = np.log(_of_parts(1 + a, b))
    return _of_parts(np.where(small, near, far.real), far.imag)


def _logistic(x: np.ndarray) -> Any:
    if not _is_complex(x):
        return 1 / (1 + np.exp(-x))
    # Of e^-|Re z|, which does not overflow; 1 + e^(-z) without cancellation near its zeros.
    right = x.real >= 0
    small = np.exp(np.where(right, -x, x))
    size = np.exp(-np.abs(x.real))
    square = 2 * np.cos(x.imag / 2) ** 2
    below = _of_parts(-np.expm1(-np.abs(x.real)) + size * square, small.imag)
    return np.where(np.isinf(x.real), 1.0 * right, np.where(right, 1, small) / below)


def _rsqrt(x: np.ndarray) -> Any:
    root = np.sqrt(x)
    if not _is_complex(x):
        return 1 / root
    far = np.isinf(x.real) | np.isinf(x.imag)
    result = np.where(far, 0, 1 / root)
    re = np.where(x == 0, np.inf, result.real)
    return _of_parts(re, np.where(far, np.copysign(0.0, -x.imag), result.imag))


def _atan2(y: np.ndarray, x: np.ndarray) -> Any:
    if not _is_complex(y):
        return np.arctan2(y, x)
    return -1j * np.log((x + 1j * y) / np.sqrt(x * x + y * y))


@in_double
def _pow(x: np.ndarray, y: np.ndarray) -> Any:
    return np.power(x, y.astype(x.dtype))


# The primitives.

exp_p = elementwise("exp", inexact, in_double(np.exp))
exp2_p = elementwise("exp2", inexact, in_double(_exp2))
expm1_p = elementwise("expm1", inexact, in_double(_expm1))
log_p = elementwise("log", inexact, in_double(np.log))
log1p_p = elementwise("log1p", inexact, in_double(_log1p))
logistic_p = elementwise("logistic", inexact, in_double(_logistic))
sqrt_p = elementwise("sqrt", inexact, in_double(np.sqrt))
rsqrt_p = elementwise("rsqrt", inexact, in_double(_rsqrt))
cbrt_p = elementwise("cbrt", floating, in_double(np.cbrt))
sin_p = elementwise("sin", inexact, in_double(np.sin))
cos_p = elementwise("cos", inexact, in_double(np.cos))
tan_p = elementwise("tan", inexact, in_double(_tan))
asin_p = elementwise("asin", inexact, in_double(np.arcsin))
acos_p = elementwise("acos", inexact, in_double(np.arccos))
atan_p = elementwise("atan", inexact, in_double(np.arctan))
sinh_p = elementwise("sinh", inexact, in_double(np.sinh))
cosh_p = elementwise("cosh", inexact, in_double(np.cosh))
tanh_p = elementwise("tanh", inexact, in_double(_tanh))
asinh_p = elementwise("asinh", inexact, in_double(np.arcsinh))
acosh_p = elementwise("acosh", inexact, in_double(np.arccosh))
atanh_p = elementwise("atanh", inexact, in_double(np.arctanh))
atan2_p = elementwise("atan2", inexact, in_double(_atan2))


def _pow_type(x: ShapedArray, y: ShapedArray) -> ShapedArray:
    check_kind("pow", x, inexact, " at position 0")
    check_kind("pow", y, number, " at position 1")
    if not dtypes.issubdtype(y.dtype, np.integer):
        check_same_dtype("pow", (x, y))
    return ShapedArray(result_shape("pow", (x, y)), x.dtype, x.weak_type and y.weak_type)


# The exponent may be of any integer dtype instead of the base's own.
pow_p = Primitive("pow", abstract=_pow_type, reference=_pow)


# The functions.


def exp(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """The exponential `e**x`.

    Args:
        x: floats or complex numbers, of any shape.
        accuracy: how accurate the result should be, for all functions here that take it.
            Any `Tolerance` or `AccuracyMode` is accepted; the result is always the back
            end's most accurate one.

    Returns:
        An array of the dtype and shape of `x`.

    Raises:
        TypeError: `x` holds integers or booleans, or `accuracy` is none of these.

    >>> exp(np.float32([0, 1]))
    Array([1.       , 2.7182817], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("exp", accuracy)
    return exp_p.bind(x)


def exp2(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """The power `2**x`.

    >>> exp2(np.float32([0, 3]))
    Array([1., 8.], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("exp2", accuracy)
    return exp2_p.bind(x)


def expm1(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """`exp(x) - 1`, precise also where `x` is near 0.

    >>> expm1(np.float32([0, 1e-6]))
    Array([0.0000000e+00, 1.0000005e-06], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("expm1", accuracy)
    return expm1_p.bind(x)


def log(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """The natural logarithm; -inf of 0, NaN of negative floats.

    >>> log(np.float32([1, 10]))
    Array([0.       , 2.3025851], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("log", accuracy)
    return log_p.bind(x)


def log1p(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """`log(1 + x)`, precise also where `x` is near 0.

    >>> log1p(np.float32([0, 1e-6]))
    Array([0.000000e+00, 9.999995e-07], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("log1p", accuracy)
    return log1p_p.bind(x)


def logistic(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """The logistic function `1 / (1 + exp(-x))`.

    >>> logistic(np.float32([-100, 0, 100]))
    Array([3.8e-44, 5.0e-01, 1.0e+00], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("logistic", accuracy)
    return logistic_p.bind(x)


def sqrt(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """The square root; NaN of negative floats.

    >>> sqrt(np.float32([4, 9]))
    Array([2., 3.], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("sqrt", accuracy)
    return sqrt_p.bind(x)


def rsqrt(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """The inverse square root `1 / sqrt(x)`.

    >>> rsqrt(np.float32([4, 16]))
    Array([0.5 , 0.25], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("rsqrt", accuracy)
    return rsqrt_p.bind(x)


def cbrt(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """The real cube root of floats; complex numbers have none here.

    >>> cbrt(np.float32([-8, 27]))
    Array([-2.,  3.], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("cbrt", accuracy)
    return cbrt_p.bind(x)


def sin(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """The sine of an angle in radians.

    >>> sin(np.float32([0, 1]))
    Array([0.        , 0.84147096], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("sin", accuracy)
    return sin_p.bind(x)


def cos(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """The cosine of an angle in radians.

    >>> cos(np.float32([0, 1]))
    Array([1.       , 0.5403023], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("cos", accuracy)
    return cos_p.bind(x)


def tan(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """The tangent of an angle in radians.

    >>> tan(np.float32([0, 1]))
    Array([0.       , 1.5574077], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("tan", accuracy)
    return tan_p.bind(x)


def asin(x: ArrayLike) -> Array:
    """The angle in [-pi/2, pi/2] whose sine is `x`; NaN of floats beyond -1 and 1.

    >>> asin(np.float32([0, 1]))
    Array([0.       , 1.5707964], dtype=float32)
    """
    return asin_p.bind(x)


def acos(x: ArrayLike) -> Array:
    """The angle in [0, pi] whose cosine is `x`; NaN of floats beyond -1 and 1.

    >>> acos(np.float32([0, 1]))
    Array([1.5707964, 0.       ], dtype=float32)
    """
    return acos_p.bind(x)


def atan(x: ArrayLike) -> Array:
    """The angle in [-pi/2, pi/2] whose tangent is `x`.

    >>> atan(np.float32([0, 1]))
    Array([0.       , 0.7853982], dtype=float32)
    """
    return atan_p.bind(x)


def sinh(x: ArrayLike) -> Array:
    """The hyperbolic sine.

    >>> sinh(np.float32([0, 1]))
    Array([0.       , 1.1752012], dtype=float32)
    """
    return sinh_p.bind(x)


def cosh(x: ArrayLike) -> Array:
    """The hyperbolic cosine.

    >>> cosh(np.float32([0, 1]))
    Array([1.       , 1.5430807], dtype=float32)
    """
    return cosh_p.bind(x)


def tanh(x: ArrayLike, *, accuracy: Accuracy = None) -> Array:
    """The hyperbolic tangent.

    >>> tanh(np.float32([0, 1]))
    Array([0.       , 0.7615942], dtype=float32)
    """
    if accuracy is not None:
        check_accuracy("tanh", accuracy)
    return tanh_p.bind(x)


def asinh(x: ArrayLike) -> Array:
    """The number whose hyperbolic sine is `x`.

    >>> asinh(np.float32([0, 1]))
    Array([0.       , 0.8813736], dtype=float32)
    """
    return asinh_p.bind(x)


def acosh(x: ArrayLike) -> Array:
    """The non-negative number whose hyperbolic cosine is `x`; NaN of floats below 1.

    >>> acosh(np.float32([1, 2]))
    Array([0.      , 1.316958], dtype=float32)
    """
    return acosh_p.bind(x)


def atanh(x: ArrayLike) -> Array:
    """The number whose hyperbolic tangent is `x`; NaN of floats beyond -1 and 1.

    >>> atanh(np.float32([0, 0.5]))
    Array([0.        , 0.54930615], dtype=float32)
    """
    return atanh_p.bind(x)


def atan2(x: ArrayLike, y: ArrayLike) -> Array:
    """The angle in [-pi, pi] of the point whose ordinate is `x` and whose abscissa is `y`.

    Args:
        x, y: arrays of one inexact dtype and one shape; either may be a scalar.

    Raises:
        TypeError: the dtypes differ, or are not floats or complex.
        ShapeError: the shapes differ.

    >>> atan2(np.float32([1, -1]), np.float32([0, -1]))
    Array([ 1.5707964, -2.3561945], dtype=float32)
    """
    x, y = pair("atan2", x, y)
    return atan2_p.bind(x, y)


def pow(x: ArrayLike, y: ArrayLike) -> Array:
    """`x` to the power `y`.

    Args:
        x: floats or complex numbers.
        y: of the dtype of `x`, or integers. The shapes must be equal, or one a scalar.

    Raises:
        TypeError: `x` holds integers (see `integer_pow`), or the dtypes don't fit.
        ShapeError: the shapes differ.

    >>> pow(np.float32([2, 9]), np.float32([3, 0.5]))
    Array([8., 3.], dtype=float32)
    >>> pow(np.float32([2, 3]), np.array([3, -1]))
    Array([8.        , 0.33333334], dtype=float32)
    """
    if not dtypes.issubdtype(typeof(y).dtype, np.integer):
        x, y = pair("pow", x, y)
    return pow_p.bind(x, y)
