"""Bessel functions of the first kind, of all whole orders up to one.

Sources are cited as DLMF (NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov).
"""

from __future__ import annotations

from functools import partial
from operator import index
from typing import Any

import numpy as np

from jx_ad import custom_jvp
from jx_core import lax

from ...functions import array_function
from ...operands import Array, ArrayLike, as_operand, is_floating, typeof
from ._doubles import in_doubles

__all__ = ["bessel_jn"]

_LARGEST = 1e5


def _orders(m: Any, v: int, least: int, z: Any) -> tuple[Any, ...]:
    """J_0(z) to J_v(z), by Miller's algorithm (DLMF 3.6 and 10.74): recurrence downwards.

    It starts where the function is negligible beside the largest, and is normalized by
    J_0 + 2 J_2 + 2 J_4 + ... = 1 (DLMF 10.12.4).
    """
    size = m.abs(z)
    good = (size > 0.0) & (size < _LARGEST)
    size = m.where(good, size, 1.0)
    over = 2.0 / size
    top = m.largest(size)
    margin = m.where(top > 0.0, 16.0 * m.pow(top + 1.0, 1 / 3), 0.0)
    first = m.floor(0.5 * (top + margin + 16.0 + v)) * 2.0
    first = m.where(first > least, first, float(least + least % 2))

    def step(k: Any, now: Any, last: Any, total: Any, *found: Any) -> tuple[Any, ...]:
        # `now` is proportional to J_k, `last` to J_(k + 1).
        even = k == 2.0 * m.floor(0.5 * k)
        total = total + m.where(even, 2.0, 0.0) * now
        found = tuple(m.where((k == float(n)) & (size > 0.0), now, f) for n, f in enumerate(found))
        below = over * k * now - last
        # Lest it overflow, all is scaled down.
        scale = m.where(m.abs(below) > 1e200, 1e-200, 1.0)
        return (below * scale, now * scale, total * scale, *[f * scale for f in found])

    zero = 0.0 * size
    start = (zero + 1e-200, zero, zero)
    now, _, total, *found = m.downto(first, step, *start, *(zero,) * (v + 1))
    total = total + now
    found[0] = now
    results = []
    for n, value in enumerate(found):
        value = value / total
        value = m.where((z < 0.0), -value, value) if n % 2 else value
        at_0 = 1.0 if n == 0 else 0.0
        value = m.where(good, value, m.where(z == 0.0, at_0, np.nan))
        results.append(m.where(m.abs(z) == np.inf, 0.0, value))
    return tuple(results)


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
        z: floats of any shape, of at most 1e5 in size.
        v: the highest order, a whole number from 0 on.
        n_iter: from which order the recurrence starts at least; it starts farther out where `z`
            asks for it, so that results are right whatever this number.

    Returns:
        An array of shape `(v + 1, *z.shape)` and of the dtype of `z`; NaN where `z` is larger
        than above.

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
