"""Activation functions made of pieces: rectifiers, their exponential kin, hard and sparse ones.

Each is written with selections and clamps, so that its derivative at a kink is a choice and
not an accident: 0 for `relu` at 0 and for `relu6` at 0 and 6; and so that no infinity from
a piece that is not selected gets into a derivative.
"""

from __future__ import annotations

import numpy as np

from jx_core import compiled, lax, operators

from ..functions import plain
from ..operands import Array, ArrayLike, pair, pair_inexact, to_dtype, typeof
from ._kit import beside_float

__all__ = [
    "celu", "elu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "relu",
    "relu6", "selu", "sparse_plus", "sparse_sigmoid",
]  # fmt: skip


@compiled
def relu(x: ArrayLike) -> Array:
    """The rectified linear unit, max(x, 0), with derivative 0 at 0.

    Args:
        x: an array or number.

    Returns:
        An array of the shape and dtype of `x`; booleans become integers.

    Raises:
        TypeError: `x` is no array. (So do all functions here.)

    See Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines" (2010).

    >>> jx.nn.relu(jnp.array([-2.0, 0.0, 3.0]))
    Array([0., 0., 3.], dtype=float32)
    """
    x, zero, _ = pair("relu", x, 0)
    return lax.select(operators.less_equal(x, zero), zero, x)


@compiled
def relu6(x: ArrayLike) -> Array:
    """The rectified linear unit limited to 6: min(max(x, 0), 6). Derivative 0 at 0 and 6.

    Args:
        x: a real array or number; integers become floats.

    See Krizhevsky, "Convolutional deep belief networks on CIFAR-10" (2010).

    >>> jx.nn.relu6(jnp.array([-2.0, 3.0, 8.0]))
    Array([0., 3., 6.], dtype=float32)
    """
    return lax.clamp(0.0, beside_float("relu6", x), 6.0)


@compiled
def leaky_relu(x: ArrayLike, negative_slope: ArrayLike = 1e-2) -> Array:
    """`x` where it is not negative, else `negative_slope * x`. Derivative 1 at 0.

    Args:
        x: an array or number.
        negative_slope: a number, or an array whose shape broadcasts with that of `x`.

    Returns:
        An array of the common shape and the promoted dtype.

    >>> jx.nn.leaky_relu(jnp.array([-2.0, 3.0]))
    Array([-0.02,  3.  ], dtype=float32)
    """
    x, slope, _ = pair("leaky_relu", x, negative_slope)
    x, scaled, _ = pair("leaky_relu", x, operators.multiply(slope, x))
    return lax.select(operators.greater_equal(x, 0), x, scaled)


# Exponential linear units.


def _elu(x: Array, alpha: ArrayLike, divisor: ArrayLike, scale: float = 1.0) -> Array:
    """`scale * (x if x > 0 else alpha * expm1(x / divisor))`, for numbers of one dtype."""
    positive = operators.greater(x, 0)
    # What expm1 is not selected for may be infinite, and so would be its derivative.
    negative = lax.select(positive, 0.0, x)
    curve = lax.expm1(negative if _is_one(divisor) else lax.div(negative, divisor))
    curve = curve if _is_one(alpha) else operators.multiply(alpha, curve)
    return lax.select(positive, x if scale == 1.0 else lax.mul(x, scale), curve)


def _is_one(number: ArrayLike) -> bool:
    return isinstance(number, (float, np.generic)) and bool(number == 1)


@compiled
def elu(x: ArrayLike, alpha: ArrayLike = 1.0) -> Array:
    """The exponential linear unit: `x` where positive, else `alpha * (exp(x) - 1)`.

    Args:
        x: an array or number; integers become floats.
        alpha: minus the limit at -inf: a number, or an array that broadcasts with `x`.

    Returns:
        An array of the common shape and the promoted dtype.

    See Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by
    exponential linear units" (2015), https://arxiv.org/abs/1511.07289.

    >>> [round(y, 4) for y in jx.nn.elu(jnp.array([-1.0, 0.0, 2.0])).tolist()]
    [-0.6321, 0.0, 2.0]
    """
    x, alpha, _ = pair_inexact("elu", x, alpha)
    return _elu(x, alpha, 1.0)


@compiled
def celu(x: ArrayLike, alpha: ArrayLike = 1.0) -> Array:
    """The continuously differentiable `elu`: `alpha * (exp(x / alpha) - 1)` where not positive.

    Its derivative at 0 is 1 for any `alpha`.

    Args:
        x: an array or number; integers become floats.
        alpha: minus the limit at -inf, not 0: a number, or an array that broadcasts with `x`.

    Returns:
        An array of the common shape and the promoted dtype.

    See Barron, "Continuously differentiable exponential linear units" (2017),
    https://arxiv.org/abs/1704.07483.

    >>> [round(y, 4) for y in jx.nn.celu(jnp.array([-1.0, 2.0]), alpha=0.5).tolist()]
    [-0.4323, 2.0]
    """
    x, alpha, _ = pair_inexact("celu", x, alpha)
    return _elu(x, alpha, alpha)


_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


@compiled
def selu(x: ArrayLike) -> Array:
    """The scaled `elu` that keeps activations near mean 0 and variance 1.

    `elu(x, alpha)` times a scale, with the fixed point's constants alpha = 1.67326... and
    scale = 1.05070...

    Args:
        x: an array or number; integers become floats.

    See Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks" (2017),
    https://arxiv.org/abs/1706.02515.

    >>> [round(y, 4) for y in jx.nn.selu(jnp.array([-1.0, 1.0])).tolist()]
    [-1.1113, 1.0507]
    """
    x = beside_float("selu", x)
    return _elu(x, _SELU_SCALE * _SELU_ALPHA, 1.0, _SELU_SCALE)


# Hard versions of smooth functions.


@compiled
def hard_tanh(x: ArrayLike) -> Array:
    """`x` limited to the range from -1 to 1. Derivative 1 at -1 and 1.

    Args:
        x: an array or number.

    Returns:
        An array of the shape and dtype of `x`; booleans become integers.

    >>> jx.nn.hard_tanh(jnp.array([-3.0, 0.5, 2.0]))
    Array([-1. ,  0.5,  1. ], dtype=float32)
    """
    x, one, dtype = pair("hard_tanh", x, 1)
    minus_one = to_dtype(-1, dtype, typeof(x).weak_type)
    above, below = operators.greater(x, one), operators.less(x, minus_one)
    return lax.select(above, one, lax.select(below, minus_one, x))


@compiled
def hard_sigmoid(x: ArrayLike) -> Array:
    """A `sigmoid` of straight lines, relu6(x + 3) / 6.

    Args:
        x: a real array or number; integers become floats.

    >>> jx.nn.hard_sigmoid(jnp.array([-4.0, 0.0, 1.5]))
    Array([0.  , 0.5 , 0.75], dtype=float32)
    """
    x = beside_float("hard_sigmoid", x)
    return lax.div(lax.clamp(0.0, lax.add(x, 3.0), 6.0), 6.0)


@compiled
def hard_silu(x: ArrayLike) -> Array:
    """A `silu` of straight lines and a parabola, x hard_sigmoid(x); also called hard_swish.

    Args:
        x: a real array or number; integers become floats.

    See Howard et al., "Searching for MobileNetV3" (2019), https://arxiv.org/abs/1905.02244.

    >>> jx.nn.hard_silu(jnp.array([-4.0, 1.5, 4.0]))
    Array([-0.   ,  1.125,  4.   ], dtype=float32)
    """
    x = beside_float("hard_silu", x)
    return lax.mul(x, plain(hard_sigmoid)(x))


hard_swish = hard_silu


# Sparse versions.


@compiled
def sparse_plus(x: ArrayLike) -> Array:
    """A `softplus` that is 0 up to -1 and x from 1 on, with the parabola (x + 1)^2 / 4 between.

    Args:
        x: a real array or number; integers become floats.

    >>> jx.nn.sparse_plus(jnp.array([-2.0, 0.0, 2.0]))
    Array([0.  , 0.25, 2.  ], dtype=float32)
    """
    x = beside_float("sparse_plus", x)
    parabola = lax.mul(lax.square(lax.add(lax.clamp(-1.0, x, 1.0), 1.0)), 0.25)
    return lax.select(lax.ge(x, 1.0), x, parabola)


@compiled
def sparse_sigmoid(x: ArrayLike) -> Array:
    """The derivative of `sparse_plus`: (x + 1) / 2, limited to the range from 0 to 1.

    Args:
        x: a real array or number; integers become floats.

    See Martins and Astudillo, "From softmax to sparsemax" (2016),
    https://arxiv.org/abs/1602.02068.

    >>> jx.nn.sparse_sigmoid(jnp.array([-2.0, 0.0, 2.0]))
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    x = lax.add(beside_float("sparse_sigmoid", x), 1.0)
    return lax.mul(lax.min(lax.max(x, 0.0), 2.0), 0.5)
