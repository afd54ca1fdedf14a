"""Differentiation of reductions by one operation, and of the places of extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import typeof
from jx_core.lax import (
    argmax_p,
    argmin_p,
    broadcast_in_dim_p,
    concatenate_p,
    div_p,
    eq_p,
    full,
    mul_p,
    reduce_and_p,
    reduce_max_p,
    reduce_min_p,
    reduce_or_p,
    reduce_prod_p,
    reduce_sum_p,
    reduce_xor_p,
)

from ...tables import defjvp, defnondiff
from ..kit import aval_of, define_by, define_unary_linear, mask
from ..shape import permuted, reduce_sum, reshape, take

Shape = tuple[int, ...]

mul, div, eq = mul_p.bind, div_p.bind, eq_p.bind


def spread(x: Any, shape: Shape, axes: Shape) -> Any:
    """What was reduced over `axes` of `shape`, repeated along them."""
    kept = tuple(d for d in range(len(shape)) if d not in axes)
    return broadcast_in_dim_p.bind(x, shape=shape, broadcast_dimensions=kept)


define_unary_linear(reduce_sum_p, lambda ct, x, axes: spread(ct, aval_of(x).shape, axes))

# --- products ---


def rows(x: Any, axes: Shape) -> Any:
    """`x` with `axes` in front, as one axis."""
    shape = typeof(x).shape
    kept = tuple(d for d in range(len(shape)) if d not in axes)
    size = int(np.prod([shape[d] for d in axes], dtype=np.int64))
    return reshape(permuted(x, (*sorted(axes), *kept)), (size, *(shape[d] for d in kept)))


def _product(x: Any, axes: Shape) -> Any:
    """The product as a tree: its derivative is exact where factors are zero, as is the next."""
    x = rows(x, axes)
    n, *rest = typeof(x).shape
    if n == 0:
        return full(tuple(rest), 1, typeof(x).dtype)
    while n > 1:
        half = n // 2
        product = mul(take(x, 0, 0, half), take(x, 0, half, 2 * half))
        odd = [take(x, 0, n - 1, n)] if n % 2 else []
        x = concatenate_p.bind(product, *odd, dimension=0) if odd else product
        n = half + n % 2
    return reshape(x, tuple(rest))


define_by(reduce_prod_p, _product)

# --- extremes ---


def _extremum_tangent(t: Any, out: Any, x: Any, axes: Shape) -> Any:
    """The mean of the tangents of all elements that are equal to the extreme one."""
    if not axes:
        return t
    reached = mask(eq(x, spread(out, typeof(x).shape, axes)), x)
    return div(reduce_sum(mul(t, reached), axes), reduce_sum(reached, axes))


defjvp(reduce_max_p)(_extremum_tangent)
defjvp(reduce_min_p)(_extremum_tangent)

defnondiff("integer result", argmax_p, argmin_p)
defnondiff("acts on integers", reduce_and_p, reduce_or_p, reduce_xor_p)
