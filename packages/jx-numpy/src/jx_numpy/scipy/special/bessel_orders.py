"""Bessel functions of the first kind, of all whole orders up to one.

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov).
"""

from __future__ import annotations

import math
from functools import partial
from operator import index
from typing import Any

from jx_ad import custom_jvp
from jx_core import lax
from jx_core.ops.special.maths import polynomial

from ...functions import array_function
from ...operands import Array, ArrayLike, as_operand, is_floating, typeof
from ._doubles import in_doubles
from ._exact import exact_product, exact_sum

__all__ = ["bessel_jn"]

# From where on Hankel's expansion is used: from the square of the order, within these limits.
_NEAREST, _FARTHEST = 25.0, 1e5
# Below this the first terms of the power series are exact to double precision.
_TINY = 1e-9
# Of 2 / z in the recurrence, in bits: its products by k below 2^11 are exact.
_LEADING_BITS = 42
# By which the recurrence is scaled down: a power of 2, lest that rounds.
_SMALL = 2.0**-664


def _far_from(v: int) -> float:
    return min(max(_NEAREST, float(v * v)), _FARTHEST)


def _expansion(n: int, least: float) -> tuple[list[float], list[float]]:
    """Of DLMF 10.17.3 for order n, coefficients of 1 / z^2: of cosine and z times those of sine.

    As many as matter where z is `least` or more.
    """
    term, terms = 1.0, [1.0]
    for k in range(1, 60):
        term *= (4.0 * n * n - (2.0 * k - 1.0) ** 2) / (8.0 * k)
        terms.append(term)
        if abs(term) < 1e-19 * least**k:
            break
    signed = [t if i % 4 < 2 else -t for i, t in enumerate(terms)]
    return signed[::2], signed[1::2]


def _far_orders(m: Any, v: int, size: Any) -> tuple[Any, ...]:
    """J_0 to J_v of numbers from `_far_from(v)` on, by Hankel's expansion (DLMF 10.17.3).

    The angle's sine and cosine are made of those of z, which keep every digit of it. Of their
    sum and difference the smaller one is cos(2 z) over the other, lest digits cancel.
    """
    least = _far_from(v)
    sine, cosine = m.sin(size), m.cos(size)
    total, rest = cosine + sine, sine - cosine
    doubled = m.where(size < 1e300, -m.cos(2.0 * size), total * rest)
    cancels = sine * cosine < 0.0
    quarter_cosine = m.where(cancels, doubled / m.where(cancels, rest, 1.0), total)
    quarter_sine = m.where(cancels, rest, doubled / m.where(cancels, 1.0, total))
    root = 1.0 / (m.sqrt(size) * math.sqrt(math.pi))
    over = 1.0 / size
    square = over * over
    found: list[Any] = []
    for n in range(v + 1):
        if n * n > least:
            # Forward recurrence (DLMF 10.6.1), stable for orders below z.
            found.append(2.0 * (n - 1) * over * found[-1] - found[-2])
            continue
        even, odd = _expansion(n, least)
        # cos and sin of z - (n / 2 + 1 / 4) pi.
        c, s = (quarter_cosine, quarter_sine) if n % 2 == 0 else (quarter_sine, -quarter_cosine)
        part = polynomial(even[1:], square) * square * c - polynomial(odd, square) * over * s
        value = root * (c + part)
        found.append(value if n % 4 < 2 else -value)
    return tuple(found)


def _orders(m: Any, v: int, least: int, z: Any) -> tuple[Any, ...]:
    """J_0(z) to J_v(z), at infinities and NaNs too."""
    size = m.abs(z)
    bound = _far_from(v)
    near = (size >= _TINY) & (size < bound)
    far = (size >= bound) & (size < math.inf)
    found = _near_orders(m, v, least, m.where(near, size, 1.0), near)
    far_size = m.where(far, size, bound)

    def merge(far: Any, far_size: Any, *found: Any) -> tuple[Any, ...]:
        values = _far_orders(m, v, far_size)
        return tuple(m.where(far, x, y) for x, y in zip(values, found, strict=True))

    found = m.when(far, merge, found, far, far_size, *found)
    results = []
    term = 1.0 + 0.0 * m.where(size < _TINY, size, 0.0)
    for n, value in enumerate(found):
        # (z / 2)^n / n!, DLMF 10.2.2.
        term = m.where(size < _TINY, term * (size * (0.5 / n)), 0.0) if n else term
        value = m.where(near | far, value, m.where(size < _TINY, term, math.nan))
        value = m.where(z < 0.0, -value, value) if n % 2 else value
        results.append(m.where(size == math.inf, 0.0, value))
    return tuple(results)


def _near_orders(m: Any, v: int, least: int, size: Any, near: Any) -> tuple[Any, ...]:
    """J_0 to J_v by Miller's algorithm (DLMF 3.6 and 10.74): recurrence downwards.

    It starts where the function is negligible beside the largest, and is normalized by
    J_0 + 2 J_2 + 2 J_4 + ... = 1 (DLMF 10.12.4).

    Were 2 / z rounded, the functions would be those of a number as far from z, an error that
    grows with z. Its leading bits are taken instead, so that its multiples are exact, and the
    results moved from the number that these stand for to z by their derivatives.
    """
    over = lax.reduce_precision(2.0 / size, 11, _LEADING_BITS - 1)
    top = m.largest(m.where(near, size, 0.0))
    margin = m.where(top > 0.0, 16.0 * m.pow(top + 1.0, 1 / 3), 0.0)
    first = m.floor(0.5 * (top + margin + 16.0 + v)) * 2.0
    first = m.where(first > least, first, float(least + least % 2))

    def step(k: Any, now: Any, last: Any, total: Any, rest: Any, *found: Any) -> tuple[Any, ...]:
        # `now` is proportional to J_k, `last` to J_(k + 1), `total` + `rest` to the sum.
        even = k == 2.0 * m.floor(0.5 * k)
        total, error = exact_sum(total, m.where(even, 2.0, 0.0) * now)
        rest = rest + error
        found = tuple(m.where((k == float(n)) & (size > 0.0), now, f) for n, f in enumerate(found))
        below = over * k * now - last
        # Lest it overflow, all is scaled down.
        scale = m.where(m.abs(below) > 1e200, _SMALL, 1.0)
        return tuple(x * scale for x in (below, now, total, rest, *found))

    zero = 0.0 * size
    start = (zero + _SMALL, zero, zero, zero)
    now, _, total, rest, *found = m.downto(first, step, *start, *(zero,) * (v + 2))
    total = total + (now + rest)
    found[0] = now
    shift = _shift(size, over) / total
    slopes = [-found[1]] + [0.5 * (found[n - 1] - found[n + 1]) for n in range(1, v + 1)]
    return tuple(f / total + shift * s for f, s in zip(found, slopes, strict=False))


def _shift(size: Any, over: Any) -> Any:
    """size - 2 / over, where that is small."""
    product, rest = exact_product(size, over)
    return ((product - 2.0) + rest) * 0.5 * size


@partial(custom_jvp, nondiff_argnums=(0, 1))
def _bessel_jn(v: int, least: int, z: Array) -> Array:
    rows = in_doubles(_orders, z, options=(v, least))
    rows = rows if v else (rows,)
    return lax.concatenate([lax.expand_dims(row, (0,)) for row in rows], 0)


@_bessel_jn.defjvp
def _(v: int, least: int, primals: Any, tangents: Any) -> Any:
    (z,), (t,) = primals, tangents
    # J_n' = (J_(n - 1) - J_(n + 1)) / 2 and J_0' = -J_1, DLMF 10.6.1 and 10.6.3.
    more = _bessel_jn(v + 1, least, z)
    value = lax.slice_in_dim(more, 0, v + 1)
    slope = -lax.slice_in_dim(more, 1, 2)
    if v:
        rest = 0.5 * (lax.slice_in_dim(more, 0, v) - lax.slice_in_dim(more, 2, v + 2))
        slope = lax.concatenate([slope, rest], 0)
    return value, slope * lax.expand_dims(t, (0,))


@array_function("v", "n_iter")
def bessel_jn(z: ArrayLike, *, v: int, n_iter: int = 50) -> Array:
    """The Bessel functions of the first kind J_0, ..., J_v.

    Args:
        z: floats of any shape.
        v: the highest order, a whole number from 0 on.
        n_iter: from which order the recurrence starts at least; it starts farther out where `z`
            asks for it, so that results are right whatever this number.

    Returns:
        An array of shape `(v + 1, *z.shape)` and of the dtype of `z`.

    Raises:
        TypeError: `v` or `n_iter` is no integer.
        ValueError: `z` holds no floats, or `v` is negative.

    See DLMF 10.2.2.

    >>> jx.scipy.special.bessel_jn(jnp.array([0.0, 1.0]), v=1)
    Array([[1.        , 0.7651977 ],
           [0.        , 0.44005057]], dtype=float32)
    """
    v, n_iter = index(v), index(n_iter)
    z = as_operand("bessel_jn", z)
    dtype = typeof(z).dtype
    if not is_floating(dtype):
        raise ValueError(
            f"jx.scipy.special.bessel_jn: z must hold floats, got {dtype}; convert it with "
            f"z.astype(float)"
        )
    if v < 0:
        raise ValueError(f"jx.scipy.special.bessel_jn: v must not be negative, got {v}")
    return _bessel_jn(v, n_iter, lax.convert_element_type(z, dtype))
