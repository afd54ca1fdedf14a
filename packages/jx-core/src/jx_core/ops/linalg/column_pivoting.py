"""QR decomposition with column pivoting, made of `lax` functions.

For platforms whose libraries have none. The decomposition as such is in `qr`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import typeof
from ..elementwise import (
    abs,
    add,
    bitwise_and,
    bitwise_not,
    complex,
    convert_element_type,
    div,
    eq,
    ge,
    gt,
    imag,
    lt,
    mul,
    neg,
    real,
    select,
    sqrt,
    sub,
)
from ..reduction import argmax, reduce_sum
from ..shape import broadcast_in_dim, broadcasted_iota, full_like
from .masks import conj_if_complex, product

__all__: list[str] = []

_INT = np.dtype(np.int32)


def _here(x: Any, where: Any) -> Any:
    """Which entries of the last axis of `x` have the number that each matrix has in `where`."""
    shape = typeof(x).shape
    spread = broadcast_in_dim(where, shape, tuple(range(typeof(where).ndim)))
    return eq(broadcasted_iota(_INT, shape, len(shape) - 1), spread)


def _take(x: Any, where: Any) -> Any:
    """For each matrix, the column (or the entry of a vector) with a number of its own."""
    return reduce_sum(select(_here(x, where), x, full_like(x, 0)), (typeof(x).ndim - 1,))


def _put(x: Any, where: Any, values: Any) -> Any:
    """`x` with `values` in the places that `_take` reads."""
    filled = broadcast_in_dim(values, typeof(x).shape, tuple(range(typeof(values).ndim)))
    return select(_here(x, where), filled, x)


def pivoted_by_operations(a: Any, jpvt: Any, *, use_magma: Any) -> list[Any]:
    """Reflection after reflection in a loop, for platforms without such a routine."""
    from ..control_flow.while_loop import fori_loop
    from ..sorting import sort

    *batch, m, n = typeof(a).shape
    k_max, axis = min(m, n), len(batch)
    dtype = typeof(a).dtype
    leading = tuple(range(axis))
    rows, columns = (broadcasted_iota(_INT, (m, n), d) for d in (0, 1))
    numbers = broadcasted_iota(_INT, (*batch, n), axis)
    free = convert_element_type(eq(jpvt, 0), _INT)
    _, order = sort((free, numbers), dimension=axis, num_keys=1)
    fixed = sub(np.int32(n), reduce_sum(free, (axis,)))

    def step(i: Any, state: Any) -> Any:
        x, order, taus = state
        k = broadcast_in_dim(convert_element_type(i, _INT), tuple(batch), ())
        below = broadcast_in_dim(ge(rows, convert_element_type(i, _INT)), typeof(x).shape,
                                 (axis, axis + 1))  # fmt: skip
        size = abs(x)
        norms = reduce_sum(select(below, mul(size, size), full_like(size, 0)), (axis,))
        norms = select(ge(numbers, convert_element_type(i, _INT)), norms, full_like(norms, -1))
        best = select(lt(k, fixed), k, argmax(norms, axis, _INT))
        mine, theirs = _take(x, k), _take(x, best)
        x = _put(_put(x, best, mine), k, theirs)
        order_k, order_b = _take(order, k), _take(order, best)
        order = _put(_put(order, best, order_k), k, order_b)
        v, tau, beta = reflector(theirs, i)
        bra = broadcast_in_dim(conj_if_complex(v), (*batch, 1, m), (*leading, axis + 1))
        ket = broadcast_in_dim(v, (*batch, m, 1), (*leading, axis))
        scale = broadcast_in_dim(conj_if_complex(tau), (*batch, m, 1), leading)
        reflected = sub(x, product(mul(ket, scale), product(bra, x)))
        later = broadcast_in_dim(gt(columns, convert_element_type(i, _INT)), typeof(x).shape,
                                 (axis, axis + 1))  # fmt: skip
        x = select(later, reflected, x)
        kept = broadcasted_iota(_INT, (*batch, m), axis)
        k_row = broadcast_in_dim(k, (*batch, m), leading)
        packed = select(gt(kept, k_row), v, theirs)
        packed = select(eq(kept, k_row), broadcast_in_dim(beta, (*batch, m), leading), packed)
        return _put(x, k, packed), order, _put(taus, k, tau)

    one_hot = eq(
        broadcast_in_dim(order, (*batch, n, n), (*leading, axis + 1)),
        broadcasted_iota(_INT, (*batch, n, n), axis),
    )
    start = product(a, convert_element_type(one_hot, dtype))
    taus = full_like(a, 0, shape=(*batch, k_max))
    if k_max:
        start, order, taus = fori_loop(0, k_max, step, (start, order, taus))
    return [start, add(order, np.int32(1)), taus]


def reflector(x: Any, i: Any) -> tuple[Any, Any, Any]:
    """LAPACK's reflector (v, tau, beta) of the entries from number `i` on, for batches."""
    *batch, m = typeof(x).shape
    axis = len(batch)
    number = broadcasted_iota(_INT, (*batch, m), axis)
    k = convert_element_type(i, _INT)
    rest, here = gt(number, k), eq(number, k)
    size = abs(x)
    tail = reduce_sum(select(rest, mul(size, size), full_like(size, 0)), (axis,))
    alpha = reduce_sum(select(here, x, full_like(x, 0)), (axis,))
    is_complex = typeof(x).dtype.kind == "c"
    re = real(alpha) if is_complex else alpha
    flat = eq(tail, 0.0)
    if is_complex:
        flat = bitwise_and(flat, eq(imag(alpha), 0.0))
    norm = sqrt(add(tail, mul(abs(alpha), abs(alpha))))
    length = select(ge(re, 0.0), neg(norm), norm)
    beta = complex(length, full_like(length, 0)) if is_complex else length
    gap = select(flat, full_like(alpha, 1), sub(alpha, beta))
    safe = select(flat, full_like(beta, 1), beta)
    tau = select(flat, full_like(alpha, 0), div(sub(beta, alpha), safe))
    v = div(x, broadcast_in_dim(gap, (*batch, m), tuple(range(axis))))
    flat_row = broadcast_in_dim(flat, (*batch, m), tuple(range(axis)))
    v = select(bitwise_and(rest, bitwise_not(flat_row)), v, full_like(v, 0))
    v = select(here, full_like(v, 1), v)
    return v, tau, select(flat, alpha, beta)
