"""Random counts: Poisson, binomial and multinomial.

Small means are drawn by adding up waiting times, large ones by rejection from a transformed
uniform number (W. Hormann, "The transformed rejection method for generating Poisson random
variables" and "The generation of binomial random variates", both 1993).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import dtypes, lax
from jx_core.aval import typeof
from jx_core.ops.elementwise import convert
from jx_core.ops.rng import random_clone, random_split

from ..functions import array_function
from ..indexing import take
from ..operands import Shape, a_shape, broadcast_to, promote_dtypes_inexact, refuse_sharding
from .keys import single_key, some_keys, two_keys
from .uniforms import as_float, float_dtype, integer_dtype, sample_shape, uniform_floats

__all__ = ["binomial", "multinomial", "poisson"]

_FLOAT32 = np.dtype(np.float32)


def _some(mask: Any) -> Any:
    return lax.reduce_or(mask, tuple(range(typeof(mask).ndim)))


def _full(value: Any, shape: Shape, dtype: Any) -> Any:
    return lax.full(shape, value, dtype)


# --- Poisson ---


def _by_waiting(key: Any, mean: Any, shape: Shape, dtype: Any) -> Any:
    """How many uniform numbers can be multiplied before the product falls below exp(-mean).

    D. E. Knuth, The Art of Computer Programming, volume 2, section 3.4.1.
    """

    def waits(state: Any) -> Any:
        return _some(state[2] > -mean)

    def step(state: Any) -> Any:
        key, count, logs = state
        key, drawn = two_keys(key)
        count = lax.select(logs > -mean, count + 1, count)
        return key, count, logs + lax.log(uniform_floats(drawn, shape, _FLOAT32))

    start = key, _full(0, shape, dtype), _full(0, shape, _FLOAT32)
    return lax.while_loop(waits, step, start)[1] - 1


def _poisson_by_rejection(key: Any, mean: Any, shape: Shape, dtype: Any) -> Any:
    """Hormann's algorithm PTRS, for means of 10 and more."""
    log_mean = lax.log(mean)
    b = 0.931 + 2.53 * lax.sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_low = 0.9277 - 3.6224 / (b - 2)

    def unfinished(state: Any) -> Any:
        return _some(~state[2])

    def step(state: Any) -> Any:
        key, count, accepted = state
        key, u_key, v_key = some_keys(key, 3)
        u = uniform_floats(u_key, shape, _FLOAT32) - 0.5
        v = uniform_floats(v_key, shape, _FLOAT32)
        inside = 0.5 - lax.abs(u)
        k = lax.floor((2 * a / inside + b) * u + mean + 0.43)
        s = lax.log(v * inverse_alpha / (a / (inside * inside) + b))
        bound = -mean + k * log_mean - lax.lgamma(k + 1)
        at_once = (inside >= 0.07) & (v <= v_low)
        outside = (k < 0) | ((inside < 0.013) & (v > inside))
        now = at_once | (~outside & (s <= bound))
        return key, lax.select(now, k, count), accepted | now

    start = key, _full(-1, shape, _FLOAT32), _full(False, shape, np.bool_)
    return convert(lax.while_loop(unfinished, step, start)[1], dtype)


@array_function("shape", "dtype", "out_sharding")
def poisson(
    key: Any, lam: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Poisson random numbers: how many events happen where `lam` are expected.

    Args:
        key: a key.
        lam: non-negative numbers, which broadcast to `shape`.
        shape: the result's shape; that of `lam` if None.
        dtype: an integer dtype; the default one if None.

    Returns:
        Integers; -1 where `lam` is NaN.

    >>> float(jx.random.poisson(jx.random.key(0), 3.0, (1000,)).mean().round())
    3.0
    """
    typed = single_key("poisson", key)
    refuse_sharding("random.poisson", out_sharding)
    kind = integer_dtype("poisson", dtype)
    size = sample_shape("poisson", shape, lam)
    mean = broadcast_to(as_float(lam, _FLOAT32), size)
    small = (mean != mean) | (mean < 10)
    # Each way gets means that it ends soon with.
    waited = _by_waiting(typed, lax.select(small, mean, lax.full_like(mean, 0)), size, kind)
    rejected = _poisson_by_rejection(
        random_clone(typed), lax.select(small, lax.full_like(mean, 1e5), mean), size, kind
    )
    drawn = lax.select(small, waited, rejected)
    return lax.select(mean == 0, lax.full_like(drawn, 0), drawn)


# --- binomial ---


def _by_gaps(key: Any, n: Any, p: Any, shape: Shape) -> Any:
    """How many successes there are among `n` trials, by the gaps between them.

    L. Devroye, Non-Uniform Random Variate Generation (1986), section X.4.3.
    """
    dtype = typeof(p).dtype
    log_failure = lax.log1p(-p)

    def unfinished(state: Any) -> Any:
        return _some(state[2] <= n)

    def step(state: Any) -> Any:
        key, count, trials = state
        drawn, key = two_keys(key)
        count = lax.select(trials <= n, count + 1, count)
        gap = lax.ceil(lax.log(uniform_floats(drawn, shape, dtype)) / log_failure)
        return key, count, trials + gap

    start = key, _full(0, shape, dtype), _full(0, shape, dtype)
    return lax.while_loop(unfinished, step, start)[1] - 1


# ln(k!) minus Stirling's formula for it, for k from 0 to 9.
_TAILS = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509,
    0.0166446911898211, 0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
    0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


def _stirling_tail(k: Any) -> Any:
    dtype = typeof(k).dtype
    small = k <= 9
    k = lax.clamp(np.asarray(0, dtype)[()], k, np.asarray(9, dtype)[()])
    square = (k + 1) * (k + 1)
    series = (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)
    place = convert(lax.floor(k), np.dtype(np.int32))
    return lax.select(small, take(np.asarray(_TAILS, dtype), place, mode="clip"), series)


def _binomial_by_rejection(key: Any, n: Any, p: Any, shape: Shape) -> Any:
    """Hormann's algorithm BTRS, for n p of 10 and more and p of at most 1/2."""
    dtype = typeof(p).dtype
    deviation = lax.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    v_low = 0.92 - 4.2 / b
    odds = p / (1 - p)
    alpha = (2.83 + 5.1 / b) * deviation
    mode = lax.floor((n + 1) * p)

    def bound(k: Any) -> Any:
        return (
            (mode + 0.5) * lax.log((mode + 1) / (odds * (n - mode + 1)))
            + (n + 1) * lax.log((n - mode + 1) / (n - k + 1))
            + (k + 0.5) * lax.log(odds * (n - k + 1) / (k + 1))
            + _stirling_tail(mode)
            + _stirling_tail(n - mode)
            - _stirling_tail(k)
            - _stirling_tail(n - k)
        )

    def unfinished(state: Any) -> Any:
        return _some(~state[2])

    def step(state: Any) -> Any:
        key, count, accepted = state
        key, u_key, v_key = some_keys(key, 3)
        u = uniform_floats(u_key, shape, dtype) - 0.5
        v = uniform_floats(v_key, shape, dtype)
        inside = 0.5 - lax.abs(u)
        k = lax.floor((2 * a / inside + b) * u + c)
        at_once = (inside >= 0.07) & (v <= v_low)
        outside = (k < 0) | (k > n)
        height = lax.log(v * alpha / (a / (inside * inside) + b))
        now = at_once | (~outside & (height <= bound(k)))
        return key, lax.select(now, k, count), accepted | now

    start = key, _full(-1, shape, dtype), _full(False, shape, np.bool_)
    return lax.while_loop(unfinished, step, start)[1]


def _binomial(key: Any, n: Any, p: Any, shape: Shape, dtype: Any) -> Any:
    n, p = broadcast_to(n, shape), broadcast_to(p, shape)
    below_half = p < 0.5
    q = lax.select(below_half, p, 1.0 - p)
    bad_n = (n != n) | (n < 0)
    bad_q = (q != q) | (q < 0)
    infinite = n == np.inf
    q = lax.select(bad_q, lax.full_like(q, 0.01), q)
    few = bad_n | (n * q <= 10.0)
    n = lax.floor(n)
    # Each way gets numbers that it ends soon with. Of the two draws from one key each element
    # has one, so that they never meet.
    counted = _by_gaps(key, lax.select(few, n, lax.full_like(n, 0)), q, shape)
    rejected = _binomial_by_rejection(
        random_clone(key),
        lax.select(few, lax.full_like(n, 1e4), n),
        lax.select(few, lax.full_like(q, 0.5), q),
        shape,
    )
    drawn = convert(lax.select(few, counted, rejected), dtype)
    bad = bad_n | bad_q
    drawn = lax.select(bad, lax.full_like(drawn, np.nan), drawn)
    drawn = lax.select(infinite & ~bad, lax.full_like(drawn, np.inf), drawn)
    as_it_is = below_half | bad_n | (q != q) | infinite
    return lax.select(as_it_is, drawn, convert(n, dtype) - drawn)


@array_function("shape", "dtype")
def binomial(key: Any, n: Any, p: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Binomial random numbers: how many of `n` trials succeed, each with probability `p`.

    Args:
        key: a key.
        n: how many trials, non-negative; it broadcasts to `shape`, as does
        p: the probability of success.
        shape: the result's shape; that of the parameters if None.
        dtype: a float dtype; the default one if None.

    Returns:
        Whole numbers as floats; NaN where `n` or `p` is NaN or negative.

    >>> float(jx.random.binomial(jx.random.key(0), 10, 0.5, (1000,)).mean().round())
    5.0
    """
    typed = single_key("binomial", key)
    kind = float_dtype("binomial", dtype)
    size = sample_shape("binomial", shape, n, p)
    (p,) = promote_dtypes_inexact("binomial", p)
    return _binomial(typed, as_float(n, typeof(p).dtype), p, size, kind)


@array_function("shape", "dtype", "unroll")
def multinomial(
    key: Any, n: Any, p: Any, *, shape: Any = None, dtype: Any = None, unroll: int | bool = 1
) -> Any:
    """Multinomial random vectors: how many of `n` trials have each of several outcomes.

    Args:
        key: a key.
        n: how many trials; it broadcasts to the leading axes of `shape`.
        p: the outcomes' probabilities, on the last axis.
        shape: the result's shape; that of `p` if None.
        dtype: the result's dtype; the default float one if None.
        unroll: as for `lax.scan`, which goes through the outcomes.

    Returns:
        Whole numbers whose sum over the last axis is `n`.

    >>> jx.random.multinomial(jx.random.key(0), 10, jnp.array([0.2, 0.8])).sum().tolist()
    10.0
    """
    typed = single_key("multinomial", key)
    n, p = promote_dtypes_inexact("multinomial", n, p)
    size = typeof(p).shape if shape is None else a_shape("multinomial", shape)
    p = broadcast_to(p, size)
    float_kind = typeof(p).dtype
    rows = lax.transpose(p, (len(size) - 1, *range(len(size) - 1)))
    left = lax.cumsum(rows, 0, reverse=True)
    ratios = rows / lax.select(left == 0, lax.full_like(left, 1), left)
    ratios = lax.clamp(np.asarray(0, float_kind)[()], ratios, np.asarray(1, float_kind)[()])
    keys = random_split(typed, (size[-1],))

    def outcome(remaining: Any, row: Any) -> tuple[Any, Any]:
        ratio, key = row
        count = _binomial(key, remaining, ratio, size[:-1], float_kind)
        return remaining - count, count

    _, counts = lax.scan(outcome, broadcast_to(n, size[:-1]), (ratios, keys), unroll=unroll)
    counts = lax.transpose(counts, (*range(1, len(size)), 0))
    wanted = np.float64 if dtype is None else dtype
    return convert(counts, dtypes.canonicalize_dtype(wanted))
