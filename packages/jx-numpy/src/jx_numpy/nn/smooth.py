"""Smooth activation functions: the logistic function and its integral, gates, `gelu`, `mish`.

They are computed without overflow on the way, so that values and derivatives are right far
from 0 as well, also in float16.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from jx_core import compiled, dtypes, lax, operators
from jx_core.errors import ShapeError

from ..operands import (
    Array,
    ArrayLike,
    as_operand,
    inexact,
    is_complex,
    one_axis,
    pair_inexact,
    typeof,
)
from ..ufuncs.transcendental import tanh
from ._kit import strong

__all__ = [
    "gelu", "glu", "identity", "log_sigmoid", "mish", "sigmoid", "silu", "soft_sign", "softplus",
    "squareplus", "swish", "tanh",
]  # fmt: skip


@compiled
def identity(x: ArrayLike) -> Array:
    """`x` itself, as an array.

    Args:
        x: an array or number.

    Raises:
        TypeError: `x` is no array. (So do all functions here.)

    >>> jx.nn.identity(jnp.array([1, 2]))
    Array([1, 2], dtype=int32)
    """
    return as_operand("identity", x)


@compiled
def sigmoid(x: ArrayLike) -> Array:
    """The logistic function, 1 / (1 + exp(-x)).

    Args:
        x: an array of floats or complex numbers.

    Raises:
        TypeError: `x` holds integers or booleans, or is no array.

    >>> [round(y, 4) for y in jx.nn.sigmoid(jnp.array([-1.0, 0.0, 1.0])).tolist()]
    [0.2689, 0.5, 0.7311]
    """
    return lax.logistic(as_operand("sigmoid", x))


@compiled
def silu(x: ArrayLike) -> Array:
    """The sigmoid linear unit, x sigmoid(x); also called swish.

    Args:
        x: an array of floats or complex numbers.

    Raises:
        TypeError: `x` holds integers or booleans, or is no array.

    See Hendrycks and Gimpel, "Gaussian error linear units" (2016),
    https://arxiv.org/abs/1606.08415.

    >>> [round(y, 4) for y in jx.nn.silu(jnp.array([-1.0, 0.0, 1.0])).tolist()]
    [-0.2689, 0.0, 0.7311]
    """
    x = as_operand("silu", x)
    return _gated(x, lax.logistic)


swish = silu

_GATE_END = 800.0  # from here on the gates below are 0 or 1 in every dtype


def _gated(x: Array, gate: Callable[[Array], Array]) -> Array:
    """x times a gate that is 0 and 1 at the ends, where infinity times 0 is not to be met."""
    if not dtypes.issubdtype(typeof(x).dtype, np.floating):  # complex, or refused by the gate
        return lax.mul(x, gate(x))
    inner = lax.clamp(-_GATE_END, x, _GATE_END)
    return lax.select(operators.greater_equal(x, _GATE_END), x, lax.mul(inner, gate(inner)))


def _split_softplus(x: Array) -> tuple[Array, Array]:
    """Whether x > 0, and log(1 + exp(-|x|)): what `softplus` is apart from straight lines.

    |x| is a selection too, so that derivatives of any order are right at 0.
    """
    positive = operators.greater(lax.real(x) if is_complex(typeof(x).dtype) else x, 0)
    minus_size = lax.select(positive, lax.neg(x), x)
    return positive, lax.log1p(lax.exp(minus_size))


def _softplus(x: Array) -> Array:
    positive, curve = _split_softplus(x)
    return lax.add(lax.select(positive, x, 0.0), curve)


@compiled
def softplus(x: ArrayLike) -> Array:
    """A smooth `relu`, log(1 + exp(x)).

    Args:
        x: an array or number; integers and booleans become floats.

    >>> [round(y, 4) for y in jx.nn.softplus(jnp.array([-1.0, 0.0, 100.0])).tolist()]
    [0.3133, 0.6931, 100.0]
    """
    return _softplus(inexact("softplus", x))


@compiled
def log_sigmoid(x: ArrayLike) -> Array:
    """The logarithm of the logistic function, -softplus(-x).

    Args:
        x: an array or number; integers and booleans become floats.

    >>> [round(y, 4) for y in jx.nn.log_sigmoid(jnp.array([-100.0, 0.0])).tolist()]
    [-100.0, -0.6931]
    """
    x = inexact("log_sigmoid", x)
    positive, curve = _split_softplus(x)
    return lax.sub(lax.select(positive, 0.0, x), curve)


@compiled
def squareplus(x: ArrayLike, b: ArrayLike = 4) -> Array:
    """A smooth `relu` without exponentials, (x + sqrt(x^2 + b)) / 2.

    Args:
        x: an array or number; integers and booleans become floats.
        b: how smooth: 0 makes it `relu`. A number, or an array that broadcasts with `x`.

    See Barron, "Squareplus: a softplus-like algebraic rectifier" (2021),
    https://arxiv.org/abs/2112.11687.

    >>> jx.nn.squareplus(jnp.array([-1.5, 0.0]))
    Array([0.5, 1. ], dtype=float32)
    """
    x, b, _ = pair_inexact("squareplus", x, b)
    square = lax.square(x)
    # Where the square overflows it is `relu`, and is not asked for what it is not selected for.
    huge = lax.eq(square, math.inf)
    inner = lax.select(huge, 0.0, x)
    curve = lax.mul(lax.add(inner, lax.sqrt(lax.add(lax.square(inner), b))), 0.5)
    return lax.select(huge, lax.select(operators.greater(x, 0), x, 0.0), curve)


@compiled
def soft_sign(x: ArrayLike) -> Array:
    """x / (1 + |x|), from -1 to 1.

    Args:
        x: an array or number; integers and booleans become floats.

    >>> jx.nn.soft_sign(jnp.array([-1.0, 0.0, 3.0]))
    Array([-0.5 ,  0.  ,  0.75], dtype=float32)
    """
    x = inexact("soft_sign", x)
    return operators.divide(x, lax.add(lax.abs(x), 1.0))


@compiled
def mish(x: ArrayLike) -> Array:
    """x tanh(softplus(x)).

    Args:
        x: an array or number; integers and booleans become floats.

    See Misra, "Mish: a self regularized non-monotonic activation function" (2019),
    https://arxiv.org/abs/1908.08681.

    >>> [round(y, 4) for y in jx.nn.mish(jnp.array([-1.0, 0.0, 2.0])).tolist()]
    [-0.3034, 0.0, 1.944]
    """
    x = inexact("mish", x)
    return _gated(x, lambda x: lax.tanh(_softplus(x)))


_GELU_SCALE = 2 * math.sqrt(2 / math.pi)
_GELU_CUBIC = 0.044715 * _GELU_SCALE
_GELU_END = 30.0  # from here on the gate is 0 or 1 in every dtype


@compiled(static_argnames=("approximate",))
def gelu(x: ArrayLike, approximate: bool = True) -> Array:
    """The Gaussian error linear unit: x times the probability that a normal variable is below x.

    Args:
        x: an array or number; integers and booleans become floats.
        approximate: use x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, which is within
            0.0005 of the exact value, and faster.

    Raises:
        TypeError: `x` is complex and `approximate` is false, or `x` is no array.

    See Hendrycks and Gimpel, "Gaussian error linear units" (2016),
    https://arxiv.org/abs/1606.08415.

    >>> [round(y, 4) for y in jx.nn.gelu(jnp.array([-1.0, 0.0, 1.0])).tolist()]
    [-0.1588, 0.0, 0.8412]
    >>> round(float(jx.nn.gelu(1.0, approximate=False)), 4)
    0.8413
    """
    x = strong("gelu", x)
    if not approximate:
        return _gated(x, lambda x: lax.mul(lax.erfc(lax.mul(x, -math.sqrt(0.5))), 0.5))
    # (1 + tanh(u)) / 2 is the logistic function of 2u, which keeps its digits where it is
    # small. Beyond the end the cube overflows, and its derivative is infinite, before the
    # gate's is 0.
    real = not is_complex(typeof(x).dtype)
    y = lax.clamp(-_GELU_END, x, _GELU_END) if real else x
    slope = lax.add(lax.mul(lax.square(y), _GELU_CUBIC), _GELU_SCALE)
    value = lax.mul(y, lax.logistic(lax.mul(y, slope)))
    return lax.select(operators.greater_equal(x, _GELU_END), x, value) if real else value


@compiled(static_argnames=("axis",))
def glu(x: ArrayLike, axis: int = -1) -> Array:
    """The gated linear unit: one half of `x` times the `sigmoid` of the other.

    Args:
        x: an array of floats or complex numbers.
        axis: the axis along which `x` is split in halves, of even length.

    Returns:
        An array half as long as `x` along the axis.

    Raises:
        ShapeError: the axis is out of range, or of odd length.
        TypeError: `x` holds integers or booleans, or is no array.

    See Dauphin, Fan, Auli and Grangier, "Language modeling with gated convolutional networks"
    (2016), https://arxiv.org/abs/1612.08083.

    >>> jx.nn.glu(jnp.array([1.0, 2.0, 0.0, 100.0]))
    Array([0.5, 2. ], dtype=float32)
    """
    x = as_operand("glu", x)
    shape = typeof(x).shape
    axis = one_axis("glu", axis, len(shape))
    half, odd = divmod(shape[axis], 2)
    if odd:
        raise ShapeError(
            f"glu splits an axis in halves, so its length must be even; got length {shape[axis]} "
            f"of axis {axis} of an array of shape {shape}"
        )
    value, gate = lax.split(x, (half, half), axis)
    return lax.mul(value, lax.logistic(gate))
