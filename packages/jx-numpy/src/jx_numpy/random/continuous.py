"""Distributions of real numbers, made of uniform ones: normal, exponential and kin.

Formulas are the inverses of the distribution functions unless said otherwise; see
L. Devroye, Non-Uniform Random Variate Generation (1986), chapters II and IX.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import dtypes, lax
from jx_core.aval import typeof

from ..functions import array_function
from ..operands import Shape, a_shape, broadcast_to, refuse_sharding
from .keys import single_key, two_keys
from .uniforms import as_float, float_dtype, sample_shape, uniform_floats

__all__ = [
    "cauchy", "double_sided_maxwell", "exponential", "gumbel", "laplace", "logistic",
    "lognormal", "maxwell", "normal", "pareto", "rayleigh", "triangular", "truncated_normal",
    "wald", "weibull_min",
]  # fmt: skip


_ONE = np.float32(1.0)


def _constant(value: float, dtype: Any) -> Any:
    return np.asarray(value, dtype)[()]


def _smallest(dtype: Any) -> Any:
    """The least positive normal number."""
    return _constant(float(dtypes.finfo(dtype).tiny), dtype)


def _above_minus_one(dtype: Any) -> Any:
    return np.nextafter(_constant(-1, dtype), _constant(0, dtype))


# --- normal ---


def normal_floats(key: Any, shape: Shape, dtype: Any) -> Any:
    """Standard normal numbers of a canonical dtype, from a typed key."""
    if dtypes.issubdtype(dtype, np.complexfloating):
        part = np.dtype(np.float64 if dtype.itemsize == 16 else np.float32)
        real, imaginary = (normal_floats(k, shape, part) for k in two_keys(key))
        root = _constant(math.sqrt(2), part)
        return lax.complex(lax.div(real, root), lax.div(imaginary, root))
    u = uniform_floats(key, shape, dtype, _above_minus_one(dtype), _constant(1, dtype))
    return lax.mul(lax.erf_inv(u), _constant(math.sqrt(2), dtype))


@array_function("shape", "dtype", "out_sharding")
def normal(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Standard normal random numbers.

    Args:
        key: a key.
        shape: the result's shape.
        dtype: a float or complex dtype; the default float dtype if None. The real and
            imaginary parts of complex numbers have variance 1/2 each.

    Raises:
        ValueError: another dtype; a key array of several keys.

    >>> jx.random.normal(jx.random.key(0), (2, 3)).shape
    (2, 3)
    """
    typed = single_key("normal", key)
    refuse_sharding("random.normal", out_sharding)
    kind = float_dtype("normal", dtype, complex_too=True)
    return normal_floats(typed, a_shape("normal", shape), kind)


@array_function("shape", "dtype", "out_sharding")
def truncated_normal(
    key: Any,
    lower: Any,
    upper: Any,
    shape: Any = None,
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Standard normal random numbers, given that they lie between two bounds.

    Args:
        key: a key.
        lower, upper: the bounds, which broadcast to `shape`.
        shape: the result's shape; that of the bounds if None.
        dtype: a float dtype; the default one if None.

    >>> x = jx.random.truncated_normal(jx.random.key(0), -1.0, 1.0, (1000,))
    >>> bool(jnp.all(jnp.abs(x) < 1))
    True
    """
    typed = single_key("truncated_normal", key)
    refuse_sharding("random.truncated_normal", out_sharding)
    kind = float_dtype("truncated_normal", dtype)
    size = sample_shape("truncated_normal", shape, lower, upper)
    low, high = as_float(lower, kind), as_float(upper, kind)
    root = _constant(math.sqrt(2), kind)
    a, b = (lax.erf(lax.div(x, root)) for x in (low, high))
    u = uniform_floats(typed, size, kind, a, b)
    infinity = _constant(math.inf, kind)
    # Rounding must not put a sample on a bound.
    inside_low = lax.nextafter(lax.stop_gradient(low), _beside(low, infinity))
    inside_high = lax.nextafter(lax.stop_gradient(high), _beside(high, -infinity))
    out = lax.mul(lax.erf_inv(u), root)
    limits = [broadcast_to(x, size) for x in (inside_low, inside_high)]
    return lax.min(lax.max(out, limits[0]), limits[1])


def _beside(x: Any, value: Any) -> Any:
    return broadcast_to(value, np.shape(x)) if np.shape(x) else value


@array_function("shape", "dtype", "out_sharding")
def lognormal(
    key: Any,
    sigma: Any = _ONE,
    shape: Any = None,
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """The exponentials of normal random numbers of standard deviation `sigma`.

    Args:
        key: a key.
        sigma: positive numbers, which broadcast to `shape`.
        shape: the result's shape; that of `sigma` if None.
        dtype: a float dtype; the default one if None.

    >>> jx.random.lognormal(jx.random.key(0), 0.5, (3,))
    Array([2.2508795, 2.752838 , 0.8050932], dtype=float32)
    """
    typed = single_key("lognormal", key)
    refuse_sharding("random.lognormal", out_sharding)
    kind = float_dtype("lognormal", dtype)
    size = sample_shape("lognormal", shape, sigma)
    scale = broadcast_to(as_float(sigma, kind), size)
    return lax.exp(lax.mul(normal_floats(typed, size, kind), scale))


@array_function("shape", "dtype", "out_sharding")
def maxwell(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """The lengths of vectors of three standard normal random numbers.

    Args:
        key: a key.
        shape: the result's shape.
        dtype: a float dtype; the default one if None.

    >>> jx.random.maxwell(jx.random.key(0), (3,))
    Array([2.6310966 , 0.99103296, 0.96493053], dtype=float32)
    """
    typed = single_key("maxwell", key)
    refuse_sharding("random.maxwell", out_sharding)
    return _maxwell(typed, a_shape("maxwell", shape), float_dtype("maxwell", dtype))


def _maxwell(key: Any, shape: Shape, dtype: Any) -> Any:
    vectors = normal_floats(key, (*shape, 3), dtype)
    squares = lax.reduce_sum(lax.mul(vectors, vectors), (len(shape),))
    return lax.sqrt(squares)


@array_function("shape", "dtype")
def double_sided_maxwell(key: Any, loc: Any, scale: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Numbers whose distance from `loc`, over `scale`, follows Maxwell's distribution.

    Args:
        key: a key.
        loc, scale: the middle and the width; they broadcast with each other.
        shape: how many samples of each pair of them: the leading axes of the result.
        dtype: a float dtype; the default one if None.

    Returns:
        An array of shape `shape + broadcast_shapes(loc.shape, scale.shape)`.

    Raises:
        ShapeError: `loc` and `scale` don't broadcast.

    >>> jx.random.double_sided_maxwell(jx.random.key(0), 0.0, 1.0, (3,))
    Array([ 1.5457212,  1.5741276, -2.0825307], dtype=float32)
    """
    typed = single_key("double_sided_maxwell", key)
    kind = float_dtype("double_sided_maxwell", dtype)
    each = sample_shape("double_sided_maxwell", None, loc, scale)
    size = (*a_shape("double_sided_maxwell", shape), *each)
    length_key, sign_key = two_keys(typed)
    lengths = _maxwell(length_key, size, kind)
    positive = lax.lt(uniform_floats(sign_key, size, typeof(0.0).dtype), 0.5)
    one = lax.full(size, 1, kind)
    signed = lax.mul(lax.select(positive, one, lax.neg(one)), lengths)
    location, width = (broadcast_to(as_float(x, kind), size) for x in (loc, scale))
    return lax.add(lax.mul(signed, width), location)


# --- one uniform number each ---


def _exponential(key: Any, shape: Shape, dtype: Any) -> Any:
    u = uniform_floats(key, shape, dtype)
    return lax.neg(lax.log1p(lax.neg(u)))


def _laplace(key: Any, shape: Shape, dtype: Any) -> Any:
    u = uniform_floats(key, shape, dtype, _above_minus_one(dtype), _constant(1, dtype))
    return lax.mul(lax.sign(u), lax.log1p(lax.neg(lax.abs(u))))


def _logistic(key: Any, shape: Shape, dtype: Any) -> Any:
    u = uniform_floats(key, shape, dtype, _smallest(dtype), _constant(1, dtype))
    return lax.sub(lax.log(u), lax.log1p(lax.neg(u)))


def _cauchy(key: Any, shape: Shape, dtype: Any) -> Any:
    least = _constant(float(dtypes.finfo(dtype).eps), dtype)
    u = uniform_floats(key, shape, dtype, least, _constant(1, dtype))
    angle = lax.mul(lax.sub(u, _constant(0.5, dtype)), _constant(math.pi, dtype))
    return lax.tan(angle)


_PLAIN_DOC = """{summary}

Args:
    key: a key.
    shape: the result's shape.
    dtype: a float dtype; the default one if None.

Raises:
    ValueError: another dtype; a key array of several keys.

>>> jx.random.{name}(jx.random.key(0), (2, 3)).shape
(2, 3)
"""


def _plain(name: str, draw: Callable[[Any, Shape, Any], Any], summary: str) -> Any:
    """The public function for a distribution without parameters."""

    def sample(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
        typed = single_key(name, key)
        refuse_sharding(f"random.{name}", out_sharding)
        return draw(typed, a_shape(name, shape), float_dtype(name, dtype))

    sample.__name__ = sample.__qualname__ = name
    sample.__doc__ = _PLAIN_DOC.format(name=name, summary=summary)
    return array_function("shape", "dtype", "out_sharding")(sample)


exponential = _plain("exponential", _exponential, "Exponential random numbers of mean 1.")
laplace = _plain("laplace", _laplace, "Random numbers of density exp(-|x|) / 2.")
logistic = _plain("logistic", _logistic, "Random numbers whose distribution is the sigmoid.")
cauchy = _plain("cauchy", _cauchy, "Random numbers of density 1 / (pi (1 + x^2)).")


def gumbel_floats(key: Any, shape: Shape, dtype: Any, mode: str | None = None) -> Any:
    """Gumbel numbers of a canonical dtype, from a typed key; see `gumbel`."""
    if mode == "high":
        u = uniform_floats(key, (2, *shape), dtype)
        high, low = (lax.index_in_dim(u, i, keepdims=False) for i in range(2))
        eps = _constant(float(dtypes.finfo(dtype).eps), dtype)
        near_zero = lax.add(lax.add(high, lax.mul(low, eps)), _smallest(dtype))
        x = lax.select(lax.ge(high, _constant(0.5, dtype)), high, near_zero)
        return lax.neg(lax.log(lax.neg(lax.log1p(lax.neg(x)))))
    u = uniform_floats(key, shape, dtype, _smallest(dtype), _constant(1, dtype))
    return lax.neg(lax.log(lax.neg(lax.log(u))))


def gumbel_mode(name: str, mode: str | None) -> str | None:
    """The argument `mode` of the functions that draw Gumbel numbers, checked."""
    if mode not in (None, "low", "high"):
        raise ValueError(
            f"Must provide valid mode for {name} got: {mode!r}; expected 'low' or 'high'"
        )
    return mode


@array_function("shape", "dtype", "mode", "out_sharding")
def gumbel(
    key: Any,
    shape: Any = (),
    dtype: Any = None,
    mode: str | None = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Random numbers of the distribution function exp(-exp(-x)).

    Args:
        key: a key.
        shape: the result's shape.
        dtype: a float dtype; the default one if None.
        mode: "low" (what None is) draws one word each; "high" two, for an exact upper tail.

    Raises:
        ValueError: another dtype or mode; a key array of several keys.

    >>> jx.random.gumbel(jx.random.key(0), (2, 3)).shape
    (2, 3)
    """
    typed = single_key("gumbel", key)
    refuse_sharding("random.gumbel", out_sharding)
    kind = float_dtype("gumbel", dtype)
    return gumbel_floats(typed, a_shape("gumbel", shape), kind, gumbel_mode("gumbel", mode))


# --- with parameters ---


@array_function("shape", "dtype", "out_sharding")
def rayleigh(
    key: Any, scale: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """The lengths of vectors of two normal random numbers of standard deviation `scale`.

    Args:
        key: a key.
        scale: positive numbers, which broadcast to `shape`.
        shape: the result's shape; that of `scale` if None.
        dtype: a float dtype; the default one if None.

    >>> jx.random.rayleigh(jx.random.key(0), 1.0, (3,))
    Array([0.32787833, 0.20810027, 1.4844142 ], dtype=float32)
    """
    typed = single_key("rayleigh", key)
    refuse_sharding("random.rayleigh", out_sharding)
    kind = float_dtype("rayleigh", dtype)
    size = sample_shape("rayleigh", shape, scale)
    logs = lax.log(uniform_floats(typed, size, kind))
    return lax.mul(
        broadcast_to(as_float(scale, kind), size), lax.sqrt(lax.mul(logs, _constant(-2, kind)))
    )


@array_function("shape", "dtype", "out_sharding")
def pareto(
    key: Any, b: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Random numbers of density b / x^(b + 1) on x >= 1.

    Args:
        key: a key.
        b: positive numbers, which broadcast to `shape`.
        shape: the result's shape; that of `b` if None.
        dtype: a float dtype; the default one if None.

    >>> jx.random.pareto(jx.random.key(0), 3.0, (3,))
    Array([2.6734667, 3.6007476, 1.1441185], dtype=float32)
    """
    typed = single_key("pareto", key)
    refuse_sharding("random.pareto", out_sharding)
    kind = float_dtype("pareto", dtype)
    size = sample_shape("pareto", shape, b)
    exponents = _exponential(typed, size, kind)
    return lax.exp(lax.div(exponents, broadcast_to(as_float(b, kind), size)))


@array_function("shape", "dtype")
def weibull_min(
    key: Any, scale: Any, concentration: Any, shape: Any = (), dtype: Any = None
) -> Any:
    """Random numbers of the distribution function 1 - exp(-(x / scale)^concentration).

    Args:
        key: a key.
        scale, concentration: positive numbers, which broadcast to `shape`.
        shape: the result's shape.
        dtype: a float dtype; the default one if None.

    >>> jx.random.weibull_min(jx.random.key(0), 1.0, 2.0, (3,))
    Array([1.7175937 , 1.9604654 , 0.63553405], dtype=float32)
    """
    typed = single_key("weibull_min", key)
    kind = float_dtype("weibull_min", dtype)
    size = sample_shape("weibull_min", a_shape("weibull_min", shape), scale, concentration)
    power = lax.div(_constant(1, kind), as_float(concentration, kind))
    power = broadcast_to(power, size)
    drawn = lax.pow(_exponential(typed, size, kind), power)
    return lax.mul(drawn, broadcast_to(as_float(scale, kind), size))


@array_function("shape", "dtype", "out_sharding")
def triangular(
    key: Any,
    left: Any,
    mode: Any,
    right: Any,
    shape: Any = None,
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Random numbers of a density that rises from `left` to `mode` and falls to `right`.

    Args:
        key: a key.
        left, mode, right: where the density begins, peaks and ends; they broadcast to `shape`.
        shape: the result's shape; that of the parameters if None.
        dtype: a float dtype; the default one if None.

    >>> jx.random.triangular(jx.random.key(0), 0.0, 0.5, 1.0, (3,))
    Array([0.8382394, 0.8965106, 0.4076098], dtype=float32)
    """
    typed = single_key("triangular", key)
    refuse_sharding("random.triangular", out_sharding)
    kind = float_dtype("triangular", dtype)
    size = sample_shape("triangular", shape, left, mode, right)
    a, c, b = (broadcast_to(as_float(x, kind), size) for x in (left, mode, right))
    rise = lax.div(lax.sub(c, a), lax.sub(b, a))
    u = uniform_floats(typed, size, kind)
    one = _constant(1, kind)
    rising = lax.add(a, lax.sqrt(lax.mul(lax.mul(u, lax.sub(b, a)), lax.sub(c, a))))
    rest = lax.mul(lax.mul(lax.sub(one, u), lax.sub(b, a)), lax.sub(b, c))
    return lax.select(lax.lt(u, rise), rising, lax.sub(b, lax.sqrt(rest)))


@array_function("shape", "dtype", "out_sharding")
def wald(
    key: Any, mean: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Inverse Gaussian random numbers, of scale 1.

    By the transformation of Michael, Schucany and Haas, "Generating random variates using
    transformations with multiple roots" (1976).

    Args:
        key: a key.
        mean: positive numbers, which broadcast to `shape`.
        shape: the result's shape; that of `mean` if None.
        dtype: a float dtype; the default one if None.

    >>> jx.random.wald(jx.random.key(0), 1.0, (3,))
    Array([0.38059747, 0.41566533, 0.48107237], dtype=float32)
    """
    typed = single_key("wald", key)
    refuse_sharding("random.wald", out_sharding)
    kind = float_dtype("wald", dtype)
    size = sample_shape("wald", shape, mean)
    normal_key, uniform_key = two_keys(typed)
    m = broadcast_to(as_float(mean, kind), size)
    v = normal_floats(normal_key, size, kind)
    u = uniform_floats(uniform_key, size, kind)
    two, four = _constant(2, kind), _constant(4, kind)
    y, mm = lax.square(v), lax.square(m)
    root = lax.sqrt(lax.add(lax.mul(lax.mul(m, four), y), lax.mul(mm, lax.square(y))))
    first = lax.sub(lax.add(m, lax.div(lax.mul(mm, y), two)), lax.mul(lax.div(m, two), root))
    return lax.select(lax.le(u, lax.div(m, lax.add(m, first))), first, lax.div(mm, first))
