"""Gamma random numbers, and the distributions made of them: beta, Dirichlet, chi-square, F, t.

The sampler is that of G. Marsaglia and W. W. Tsang, "A simple method for generating gamma
variables" (2000): it rejects, each number with draws of its own key, so that the numbers do not
depend on one another. Derivatives in the shape parameter are implicit ones (M. Figurnov, S.
Mohamed and A. Mnih, "Implicit reparameterization gradients", 2018).
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from jx_ad import custom_jvp
from jx_batching import vmap
from jx_core import dtypes, lax
from jx_core.aval import typeof
from jx_core.ops.rng import random_split

from ..functions import array_function
from ..operands import Shape, a_shape, broadcast_to, refuse_sharding
from .continuous import _constant, _exponential, _smallest, normal_floats
from .keys import single_key, some_keys, two_keys
from .uniforms import as_float, float_dtype, sample_shape, uniform_floats

__all__ = [
    "ball", "beta", "chisquare", "dirichlet", "f", "gamma", "generalized_normal", "loggamma", "t",
]  # fmt: skip


def _accepted_cube(key: Any, d: Any, c: Any, dtype: Any) -> Any:
    """The number V of the method's step 4: its draws are rejected until one is accepted."""
    zero, one = _constant(0, dtype), _constant(1, dtype)
    squeeze, half = _constant(0.0331, dtype), _constant(0.5, dtype)

    def rejected(state: Any) -> Any:
        _, x_squared, v, u = state
        bound = half * x_squared + d * ((one - v) + lax.log(v))
        return (u >= one - squeeze * (x_squared * x_squared)) & (lax.log(u) >= bound)

    def positive(key: Any) -> tuple[Any, Any]:
        """A normal number x for which 1 + c x is positive, and that."""

        def again(state: Any) -> Any:
            key, drawn = two_keys(state[0])
            x = normal_floats(drawn, (), dtype)
            return key, x, one + x * c

        start = key, _like(zero, d), _like(-one, d)
        _, x, v = lax.while_loop(lambda state: state[2] <= zero, again, start)
        return x, v

    def draw(state: Any) -> Any:
        key, normal_key, uniform_key = some_keys(state[0], 3)
        x, v = positive(normal_key)
        return key, x * x, (v * v) * v, uniform_floats(uniform_key, (), dtype)

    # The first state is one that is rejected.
    start = key, _like(zero, d), _like(one, d), _like(_constant(2, dtype), d)
    return lax.while_loop(rejected, draw, start)[2]


def _like(value: Any, x: Any) -> Any:
    return lax.full_like(x, value)


def _one_sample(key: Any, alpha: Any, log_space: bool) -> Any:
    """A gamma number for one key and parameter, or its logarithm.

    A parameter below 1 is raised by 1, and the number multiplied by u^(1 / alpha).
    """
    dtype = typeof(alpha).dtype
    one, third = _constant(1, dtype), _constant(1 / 3, dtype)
    large = alpha >= one
    d = lax.select(large, alpha, alpha + one) - third
    key, boost_key = two_keys(key)
    v = _accepted_cube(key, d, third / lax.sqrt(d), dtype)
    if not log_space:
        u = one - uniform_floats(boost_key, (), dtype)
        return (d * v) * lax.select(large, _like(one, alpha), lax.pow(u, one / alpha))
    log_u = -_exponential(boost_key, (), dtype)
    no_boost = large | (log_u == 0)
    boost = lax.select(no_boost, _like(_constant(0, dtype), alpha), log_u * (one / alpha))
    return (lax.log(d) + lax.log(v)) + boost


@partial(custom_jvp, nondiff_argnums=(0, 1))
def _samples(log_space: bool, key: Any, alpha: Any) -> Any:
    shape = typeof(alpha).shape
    count = math.prod(shape)
    if count == 0:
        return lax.full_like(alpha, 0)
    keys = random_split(key, (count,))
    flat = lax.reshape(alpha, (count,))
    return lax.reshape(vmap(partial(_one_sample, log_space=log_space))(keys, flat), shape)


@_samples.defjvp
def _(log_space: bool, key: Any, primals: Any, tangents: Any) -> Any:
    (alpha,), (change,) = primals, tangents
    sample = _samples(log_space, key, alpha)
    if not log_space:
        return sample, lax.random_gamma_grad(alpha, sample) * change
    number = lax.exp(sample)
    number = lax.select(number == 0, _like(_smallest(typeof(alpha).dtype), alpha), number)
    return sample, lax.random_gamma_grad(alpha, number) / number * change


def gamma_floats(key: Any, alpha: Any, shape: Shape, dtype: Any, log_space: bool = False) -> Any:
    """Gamma numbers of a canonical dtype, or their logarithms, from a typed key."""
    return _samples(log_space, key, broadcast_to(as_float(alpha, dtype), shape))


@array_function("shape", "dtype", "out_sharding")
def gamma(
    key: Any, a: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Gamma random numbers, of density x^(a - 1) e^-x / gamma(a).

    Args:
        key: a key.
        a: positive numbers, which broadcast to `shape`. Differentiable.
        shape: the result's shape; that of `a` if None.
        dtype: a float dtype; the default one if None.

    For small `a` many numbers underflow to 0; `loggamma` gives their logarithms.

    >>> float(jx.random.gamma(jx.random.key(0), 2.0, (1000,)).mean().round())
    2.0
    """
    typed = single_key("gamma", key)
    refuse_sharding("random.gamma", out_sharding)
    return gamma_floats(typed, a, sample_shape("gamma", shape, a), float_dtype("gamma", dtype))


@array_function("shape", "dtype", "out_sharding")
def loggamma(
    key: Any, a: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """The logarithms of gamma random numbers; parameters are those of `gamma`.

    >>> bool(jnp.isfinite(jx.random.loggamma(jx.random.key(0), 1e-4, (100,))).all())
    True
    """
    typed = single_key("loggamma", key)
    refuse_sharding("random.loggamma", out_sharding)
    kind = float_dtype("loggamma", dtype)
    return gamma_floats(typed, a, sample_shape("loggamma", shape, a), kind, log_space=True)


@array_function("shape", "dtype", "out_sharding")
def beta(
    key: Any, a: Any, b: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Beta random numbers, of density proportional to x^(a - 1) (1 - x)^(b - 1).

    Args:
        key: a key.
        a, b: positive numbers, which broadcast to `shape`. Differentiable.
        shape: the result's shape; that of the parameters if None.
        dtype: a float dtype; the default one if None.

    >>> x = jx.random.beta(jx.random.key(0), 2.0, 3.0, (100,))
    >>> bool(((0 <= x) & (x <= 1)).all())
    True
    """
    typed = single_key("beta", key)
    refuse_sharding("random.beta", out_sharding)
    kind = float_dtype("beta", dtype)
    size = sample_shape("beta", shape, a, b)
    logs = [
        gamma_floats(k, x, size, kind, log_space=True)
        for k, x in zip(two_keys(typed), (a, b), strict=True)
    ]
    greater = lax.max(*logs)
    first, second = (lax.exp(x - greater) for x in logs)
    return first / (first + second)


@array_function("shape", "dtype", "out_sharding")
def dirichlet(
    key: Any, alpha: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Dirichlet random vectors: positive, of sum 1.

    Args:
        key: a key.
        alpha: positive numbers of shape (..., n), whose leading axes broadcast to `shape`.
        shape: the result's shape without its last axis; that of `alpha` if None.
        dtype: a float dtype; the default one if None.

    Returns:
        An array of shape (*shape, n).

    Raises:
        ValueError: `alpha` is a scalar.

    >>> jx.random.dirichlet(jx.random.key(0), jnp.ones(3)).sum().round(3).tolist()
    1.0
    """
    from ..nn import softmax

    typed = single_key("dirichlet", key)
    refuse_sharding("random.dirichlet", out_sharding)
    kind = float_dtype("dirichlet", dtype)
    given = np.shape(alpha)
    if not given:
        raise ValueError("dirichlet requires alpha.ndim >= 1, a vector of parameters, got a scalar")
    batch = given[:-1] if shape is None else a_shape("dirichlet", shape)
    size = sample_shape("dirichlet", (*batch, given[-1]), alpha)
    return softmax(gamma_floats(typed, alpha, size, kind, log_space=True), -1)


def _chisquare(key: Any, df: Any, shape: Shape, dtype: Any) -> Any:
    two = _constant(2, dtype)
    return lax.exp(gamma_floats(key, as_float(df, dtype) / two, shape, dtype, True)) * two


@array_function("shape", "dtype", "out_sharding")
def chisquare(
    key: Any, df: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Chi-square random numbers: sums of `df` squares of normal ones.

    Args:
        key: a key.
        df: degrees of freedom, positive, which broadcast to `shape`.
        shape: the result's shape; that of `df` if None.
        dtype: a float dtype; the default one if None.

    >>> jx.random.chisquare(jx.random.key(0), 3.0, (3,))
    Array([2.205084 , 2.4899669, 1.4557136], dtype=float32)
    """
    typed = single_key("chisquare", key)
    refuse_sharding("random.chisquare", out_sharding)
    kind = float_dtype("chisquare", dtype)
    return _chisquare(typed, df, sample_shape("chisquare", shape, df), kind)


@array_function("shape", "dtype", "out_sharding")
def f(
    key: Any, dfnum: Any, dfden: Any, shape: Any = None, dtype: Any = None, *,
    out_sharding: Any = None,
) -> Any:  # fmt: skip
    """Random numbers of the F distribution: ratios of two mean squares.

    Args:
        key: a key.
        dfnum, dfden: degrees of freedom, positive, which broadcast to `shape`.
        shape: the result's shape; that of the parameters if None.
        dtype: a float dtype; the default one if None.

    >>> jx.random.f(jx.random.key(0), 3.0, 5.0, (3,))
    Array([2.5797074 , 0.19219679, 0.1597769 ], dtype=float32)
    """
    typed = single_key("f", key)
    refuse_sharding("random.f", out_sharding)
    kind = float_dtype("f", dtype)
    size = sample_shape("f", shape, dfnum, dfden)
    below, above = two_keys(typed)
    top = _chisquare(above, dfnum, size, kind) / as_float(dfnum, kind)
    return top / (_chisquare(below, dfden, size, kind) / as_float(dfden, kind))


@array_function("shape", "dtype", "out_sharding")
def t(key: Any, df: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Random numbers of Student's t distribution.

    Args:
        key: a key.
        df: degrees of freedom, positive, which broadcast to `shape`.
        shape: the result's shape; that of `df` if None.
        dtype: a float dtype; the default one if None.

    >>> jx.random.t(jx.random.key(0), 3.0, (3,))
    Array([ 0.69022477, -3.2393367 , -1.6745251 ], dtype=float32)
    """
    typed = single_key("t", key)
    refuse_sharding("random.t", out_sharding)
    kind = float_dtype("t", dtype)
    size = sample_shape("t", shape, df)
    normal_key, gamma_key = two_keys(typed)
    half = as_float(df, kind) / _constant(2, kind)
    drawn = gamma_floats(gamma_key, half, size, kind)
    return normal_floats(normal_key, size, kind) * lax.sqrt(broadcast_to(half, size) / drawn)


def _generalized_normal(key: Any, p: Any, shape: Shape, dtype: Any) -> Any:
    gamma_key, sign_key = two_keys(key)
    inverse = _constant(1, dtype) / as_float(p, dtype)
    size = gamma_floats(gamma_key, inverse, shape, dtype)
    sign = lax.select(
        uniform_floats(sign_key, shape, dtypes.canonicalize_dtype(np.float64)) < 0.5,
        lax.full(shape, 1, dtype),
        lax.full(shape, -1, dtype),
    )
    return sign * lax.pow(size, broadcast_to(inverse, shape))


@array_function("shape", "dtype", "out_sharding")
def generalized_normal(
    key: Any, p: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Random numbers of density proportional to exp(-|x|^p).

    Args:
        key: a key.
        p: a positive number.
        shape: the result's shape.
        dtype: a float dtype; the default one if None.

    >>> jx.random.generalized_normal(jx.random.key(0), 1.5, (3,))
    Array([ 1.0603918 ,  0.08920828, -1.3751338 ], dtype=float32)
    """
    typed = single_key("generalized_normal", key)
    refuse_sharding("random.generalized_normal", out_sharding)
    kind = float_dtype("generalized_normal", dtype)
    return _generalized_normal(typed, p, a_shape("generalized_normal", shape), kind)


@array_function("d", "shape", "dtype", "out_sharding")
def ball(
    key: Any, d: int, p: Any = 2, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Random vectors, uniform in the unit ball of the p-norm.

    By F. Barthe et al., "A probabilistic approach to the geometry of the l_p^n-ball" (2005).

    Args:
        key: a key.
        d: how many components a vector has.
        p: the norm's order, a positive number.
        shape: the result's shape without its last axis.
        dtype: a float dtype; the default one if None.

    Returns:
        An array of shape (*shape, d).

    >>> bool((jnp.linalg.norm(jx.random.ball(jx.random.key(0), 3, shape=(9,)), axis=1) < 1).all())
    True
    """
    typed = single_key("ball", key)
    refuse_sharding("random.ball", out_sharding)
    kind = float_dtype("ball", dtype)
    size = a_shape("ball", shape)
    vector_key, radius_key = two_keys(typed)
    vectors = _generalized_normal(vector_key, p, (*size, d), kind)
    powers = lax.abs(vectors) ** p
    p = as_float(p, kind)
    total = lax.reduce_sum(powers, (len(size),)) + _exponential(radius_key, size, kind)
    norm = lax.pow(total, broadcast_to(_constant(1, kind) / p, size))
    return vectors / lax.expand_dims(norm, (len(size),))
