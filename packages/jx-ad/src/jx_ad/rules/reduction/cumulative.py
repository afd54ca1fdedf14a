"""Differentiation of cumulative operations, through parallel prefix trees.

A running total by any associative operation is a tree of logarithmic depth (Blelloch, "Prefix
sums and their applications", 1990), whose derivative is that of its few operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import typeof
from jx_core.lax import (
    add_p,
    broadcast_in_dim_p,
    concatenate_p,
    cumlogsumexp_p,
    cummax_p,
    cummin_p,
    cumprod_p,
    cumsum_p,
    eq_p,
    exp_p,
    is_finite_p,
    log_p,
    max_p,
    min_p,
    mul_p,
    pad_p,
    real_p,
    rev_p,
    select_n_p,
    sub_p,
)
from jx_core.ops.reduction.monoids import identity
from jx_core.symbolic import minimum

from ...tables import jvp_rules
from ..kit import beside, define_by, define_unary_linear, is_complex, mask
from ..shape import take

add, sub, mul, exp, log = add_p.bind, sub_p.bind, mul_p.bind, exp_p.bind, log_p.bind

Combine = Callable[[list[Any], list[Any]], list[Any]]

define_unary_linear(
    cumsum_p, lambda ct, x, axis, reverse: cumsum_p.bind(ct, axis=axis, reverse=not reverse)
)


def prefixes(
    combine: Combine, xs: Sequence[Any], neutral: Sequence[Any], axis: int, reverse: bool
) -> list[Any]:
    """The running totals of `xs`, arrays that are combined together, along an axis.

    `neutral` are the numbers that change nothing when they are combined with others.
    """
    if not reverse:
        return _totals(combine, list(xs), neutral, axis)
    turned = [rev_p.bind(x, dimensions=(axis,)) for x in xs]
    return [rev_p.bind(x, dimensions=(axis,)) for x in _totals(combine, turned, neutral, axis)]


def _totals(combine: Combine, xs: list[Any], neutral: Sequence[Any], axis: int) -> list[Any]:
    n = typeof(xs[0]).shape[axis]
    return _prefixes(combine, xs, axis) if type(n) is int else _doubling(combine, xs, neutral, axis)


_DOUBLINGS = 31  # as many as the longest axis that 32 bits count may take


def _doubling(combine: Combine, xs: list[Any], neutral: Sequence[Any], axis: int) -> list[Any]:
    """As `_prefixes`, along an axis of symbolic length: each takes in the one 1, 2, 4, ... places
    before it (Hillis and Steele 1986)."""
    n = typeof(xs[0]).shape[axis]
    for k in range(_DOUBLINGS):
        distance = minimum(2**k, n)
        shifted = []
        for x, number in zip(xs, neutral, strict=True):
            shape = list(typeof(x).shape)
            shape[axis] = distance
            filler = broadcast_in_dim_p.bind(
                beside(x, number), shape=tuple(shape), broadcast_dimensions=()
            )
            shifted += _joined([filler], [take(x, axis, 0, n - distance)], axis)
        xs = combine(shifted, xs)
    return xs


def _prefixes(combine: Combine, xs: list[Any], axis: int) -> list[Any]:
    n = typeof(xs[0]).shape[axis]
    if n < 2:
        return xs
    even = [take(x, axis, 0, n - 1, 2) for x in xs]  # those that an odd one follows
    odd = [take(x, axis, 1, n, 2) for x in xs]
    odd_totals = _prefixes(combine, combine(even, odd), axis)
    first = [take(x, axis, 0, 1) for x in xs]
    if n == 2:
        return _joined(first, odd_totals, axis)
    later = [take(x, axis, 2, n, 2) for x in xs]
    before = [take(x, axis, 0, (n - 1) // 2) for x in odd_totals]
    even_totals = _joined(first, combine(before, later), axis)
    return [_interleaved(e, o, axis) for e, o in zip(even_totals, odd_totals, strict=True)]


def _joined(xs: list[Any], ys: list[Any], axis: int) -> list[Any]:
    return [concatenate_p.bind(x, y, dimension=axis) for x, y in zip(xs, ys, strict=True)]


def _interleaved(even: Any, odd: Any, axis: int) -> Any:
    """Elements in turn from two arrays, of which `even` may have one more."""
    n, m = typeof(even).shape[axis], typeof(odd).shape[axis]
    return add(_spaced(even, axis, 0, 1 if n == m else 0), _spaced(odd, axis, 1, n - m))


def _spaced(x: Any, axis: int, low: int, high: int) -> Any:
    config = [(0, 0, 0)] * typeof(x).ndim
    config[axis] = (low, high, 1)
    return pad_p.bind(x, beside(x, 0), padding_config=tuple(config))


def _by_prefixes(operation: Callable[..., Any], monoid: str) -> Callable[..., Any]:
    def composed(x: Any, axis: int, reverse: bool) -> Any:
        neutral = [identity(monoid, typeof(x).dtype)]
        return prefixes(lambda a, b: [operation(a[0], b[0])], [x], neutral, axis, reverse)[0]

    return composed


define_by(cumprod_p, _by_prefixes(mul, "mul"))
define_by(cummax_p, _by_prefixes(max_p.bind, "max"))
define_by(cummin_p, _by_prefixes(min_p.bind, "min"))

# --- cumlogsumexp ---


def _finite(x: Any) -> Any:
    return is_finite_p.bind(real_p.bind(x) if is_complex(x) else x)


def _log_add_exp(a: Any, b: Any) -> Any:
    greater = max_p.bind(a, b)
    scale = select_n_p.bind(_finite(greater), beside(a, 0), greater)
    return add(scale, log(add(exp(sub(a, scale)), exp(sub(b, scale)))))


def _weight(part: Any, total: Any) -> Any:
    """exp(part - total), where infinities of one sign count as equal."""
    equal = mask(eq_p.bind(part, total), part)
    return select_n_p.bind(_finite(total), equal, exp(sub(part, total)))


def _totals_and_tangents(left: list[Any], right: list[Any]) -> list[Any]:
    (a, t_a), (b, t_b) = left, right
    total = _log_add_exp(a, b)
    return [total, add(mul(t_a, _weight(a, total)), mul(t_b, _weight(b, total)))]


def _cumlogsumexp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    return prefixes(_totals_and_tangents, [*primals, *tangents], [-np.inf, 0], **params)


jvp_rules.define(cumlogsumexp_p)(_cumlogsumexp)
