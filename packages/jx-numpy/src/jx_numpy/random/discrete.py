"""Distributions over finitely or countably many values: `bernoulli`, `categorical` and kin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_core import dtypes, lax
from jx_core.aval import typeof
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert
from jx_core.ops.reduction import argmax_p

from ..functions import array_function
from ..operands import a_dtype, a_shape, as_operand, broadcast_to, one_axis, refuse_sharding
from .continuous import gumbel_floats, gumbel_mode
from .keys import single_key
from .uniforms import as_float, integer_dtype, sample_shape, uniform_floats

__all__ = ["bernoulli", "categorical", "geometric", "rademacher"]


@array_function("shape", "mode", "out_sharding")
def bernoulli(
    key: Any,
    p: Any = 0.5,
    shape: Any = None,
    mode: str = "low",
    *,
    out_sharding: Any = None,
) -> Any:
    """Random booleans, True with probability `p`.

    Args:
        key: a key.
        p: floats, which broadcast to `shape`.
        shape: the result's shape; that of `p` if None.
        mode: "low" draws one word each; "high" two, for small probabilities.

    Raises:
        TypeError: `p` is not of a float dtype.
        ValueError: an unknown mode.

    >>> jx.random.bernoulli(jx.random.key(0), 0.5, (3,)).dtype
    dtype('bool')
    """
    typed = single_key("bernoulli", key)
    refuse_sharding("random.bernoulli", out_sharding)
    if mode not in ("low", "high"):
        raise ValueError(f"got {mode=}, expected 'high' or 'low'")
    dtype = typeof(as_operand("bernoulli", p, 1)).dtype
    if not dtypes.issubdtype(dtype, np.floating):
        raise TypeError(f"bernoulli probability `p` must have a floating dtype, got {dtype.name}.")
    size = sample_shape("bernoulli", shape, p)
    p = broadcast_to(as_float(p, dtype), size)
    if mode == "low":
        return lax.lt(uniform_floats(typed, size, dtype), p)
    u = uniform_floats(typed, (2, *size), dtype)
    high, low = (lax.index_in_dim(u, i, keepdims=False) for i in range(2))
    eps = np.asarray(2.0 ** -int(dtypes.finfo(dtype).nmant), dtype)[()]
    return lax.lt(lax.mul(low, eps), lax.sub(p, high))


@array_function("shape", "dtype", "out_sharding")
def rademacher(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """Random signs: 1 or -1, each with probability 1/2.

    Args:
        key: a key.
        shape: the result's shape.
        dtype: the result's dtype; the default integer dtype if None.

    >>> jx.random.rademacher(jx.random.key(0), (3,)).tolist()
    [-1, -1, 1]
    """
    typed = single_key("rademacher", key)
    refuse_sharding("random.rademacher", out_sharding)
    kind = typeof(0).dtype if dtype is None else a_dtype("rademacher", dtype)
    size = a_shape("rademacher", shape)
    positive = lax.lt(uniform_floats(typed, size, dtypes.canonicalize_dtype(np.float64)), 0.5)
    one = lax.full(size, 1, np.int32)
    return convert(lax.select(positive, one, lax.neg(one)), kind)


@array_function("shape", "dtype", "out_sharding")
def geometric(
    key: Any, p: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """How many trials it takes, each of which succeeds with probability `p`.

    Args:
        key: a key.
        p: floats in (0, 1], which broadcast to `shape`.
        shape: the result's shape; that of `p` if None.
        dtype: an integer dtype; the default one if None.

    >>> jx.random.geometric(jx.random.key(0), 0.5, (5,))
    Array([1, 1, 2, 2, 1], dtype=int32)
    """
    typed = single_key("geometric", key)
    refuse_sharding("random.geometric", out_sharding)
    kind = integer_dtype("geometric", dtype)
    size = sample_shape("geometric", shape, p)
    floats = dtypes.canonicalize_dtype(np.float64)
    own = typeof(p).dtype
    odds = convert(p, own if dtypes.issubdtype(own, np.floating) else floats)
    u = uniform_floats(typed, size, odds.dtype if hasattr(odds, "dtype") else own)
    one = lax.full_like(u, 1)
    u = lax.select(lax.eq(u, lax.full_like(u, 0)), one, u)
    failures = lax.log1p(lax.neg(broadcast_to(odds, size)))
    count = lax.add(lax.floor(lax.div(lax.log(u), failures)), one)
    return convert(count, kind)


@array_function("axis", "shape", "replace", "mode", "out_sharding")
def categorical(
    key: Any,
    logits: Any,
    axis: int = -1,
    shape: Any = None,
    replace: bool = True,
    mode: str | None = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Random categories of given unnormalised log probabilities.

    The greatest of the logits, each with a Gumbel number added, is a sample; the k greatest
    are k samples without replacement (Vieira, "Gumbel-max trick and weighted reservoir
    sampling", 2014).

    Args:
        key: a key.
        logits: floats; softmax along `axis` gives the probabilities.
        axis: the axis of the categories.
        shape: the result's shape, which ends with that of `logits` without `axis`; the
            latter if None. With `replace`, axes of length 1 broadcast.
        replace: whether the samples along the leading axes of `shape` are independent; they
            are all different if False.
        mode: as for `gumbel`.

    Returns:
        Integers: positions along `axis`.

    Raises:
        ValueError: `shape` does not end as it must; more samples than categories without
            replacement.

    >>> logits = jnp.array([0.0, -jnp.inf, 0.0])
    >>> x = jx.random.categorical(jx.random.key(0), logits, shape=(100,))
    >>> sorted(set(x.tolist()))
    [0, 2]
    """
    typed = single_key("categorical", key)
    refuse_sharding("random.categorical", out_sharding)
    gumbel_mode("categorical", mode)
    aval = typeof(as_operand("categorical", logits, 1))
    if not aval.ndim:
        raise IndexError("categorical: logits must have an axis of categories, got a scalar")
    along = one_axis("categorical", axis, aval.ndim)
    batch = tuple([n for i, n in enumerate(aval.shape) if i != along])
    size = batch if shape is None else a_shape("categorical", shape)
    if len(size) < len(batch) or any(n != m and n != 1 for n, m in zip(batch[::-1], size[::-1])):
        raise ShapeError(
            f"categorical: shape must end with the shape of the logits without axis {axis}, "
            f"{batch}; got {size}"
        )
    dtype = aval.dtype
    if not dtypes.issubdtype(dtype, np.floating):
        raise TypeError(f"categorical: logits must have a float dtype, got {dtype.name}")
    prefix = size[: len(size) - len(batch)]
    if replace:
        tail = list(size[len(prefix) :])
        tail.insert(along, aval.shape[along])
        noise = gumbel_floats(typed, (*prefix, *tail), dtype, mode)
        scores = lax.add(noise, broadcast_to(logits, (*prefix, *tail)))
        position = len(prefix) + along
        return argmax_p.bind(scores, axes=(position,), index_dtype=typeof(0).dtype)
    count = math.prod(prefix)
    if count > aval.shape[along]:
        raise ValueError(
            f"Number of samples without replacement ({count}) cannot exceed number of categories "
            f"({aval.shape[along]})."
        )
    scores = lax.add(logits, gumbel_floats(typed, aval.shape, dtype, mode))
    _, chosen = lax.top_k(scores, count, axis=along)
    order = (along, *[i for i in range(aval.ndim) if i != along])
    return lax.reshape(lax.transpose(chosen, order), size)
