"""Differentiation of `dot_general`: the transpose of a product is a product."""

from __future__ import annotations

from typing import Any

from jx_core import typeof
from jx_core.lax import convert_element_type_p, dot_general_p

from ...tables import defjvp, deftranspose
from ..kit import aval_of, check_known, known
from ..shape import inverse, permuted

Axes = tuple[int, ...]


def in_dtype(x: Any, dtype: Any) -> Any:
    """`x` converted to a dtype, where it has another."""
    if typeof(x).dtype == dtype:
        return x
    return convert_element_type_p.bind(x, new_dtype=dtype, weak_type=False)


def _cotangent(
    ct: Any, other: Any, own: Any, numbers: Any, own_is_lhs: bool, params: dict[str, Any]
) -> Any:
    """The cotangent of one operand: that of the result contracted with the other operand.

    Args:
        ct: the result's cotangent: axes are the batch ones, then lhs's free, then rhs's free.
        other: the operand that is a value.
        own: the type of the operand that this is the cotangent of.
        numbers: (own contracting, other contracting, own batch, other batch) axes.
        own_is_lhs: which of the two it is.
        params: of the product, but for its dimension numbers.
    """
    contracting, other_contracting, batch, other_batch = numbers
    n_batch = len(batch)
    free = [d for d in range(own.ndim) if d not in contracting and d not in batch]
    other_ndim = typeof(other).ndim
    other_free = tuple(
        d for d in range(other_ndim) if d not in other_contracting and d not in other_batch
    )
    first = n_batch + (len(free) if own_is_lhs else 0)
    ct_other_free = tuple(range(first, first + len(other_free)))
    ct_batch = tuple(range(n_batch))
    paired = ((ct_other_free, other_free), (ct_batch, other_batch))
    product = dot_general_p.bind(ct, other, dimension_numbers=paired, **params)
    # Its axes: the batch ones, own free ones, then other's contracting ones in rising order.
    rising = sorted(range(len(contracting)), key=other_contracting.__getitem__)
    axes = (*batch, *free, *(contracting[i] for i in rising))
    return in_dtype(permuted(product, inverse(axes)), own.dtype)


def transposed_dot(
    ct: Any, x: Any, y: Any, dimension_numbers: Any, precision: Any, preferred_element_type: Any
) -> list[Any]:
    """The cotangents of both operands, None for the one that is a value."""
    (x_contracting, y_contracting), (x_batch, y_batch) = dimension_numbers
    params = {"precision": precision, "preferred_element_type": preferred_element_type}
    if known(y):
        numbers = (x_contracting, y_contracting, x_batch, y_batch)
        return [_cotangent(ct, y, aval_of(x), numbers, True, params), None]
    if type(precision) is tuple:  # one for each operand, which change places here
        params["precision"] = precision[::-1]
    check_known(dot_general_p, x)
    numbers = (y_contracting, x_contracting, y_batch, x_batch)
    return [None, _cotangent(ct, x, aval_of(y), numbers, False, params)]


defjvp(dot_general_p)(
    lambda t, out, x, y, **params: dot_general_p.bind(t, y, **params),
    lambda t, out, x, y, **params: dot_general_p.bind(x, t, **params),
)
deftranspose(dot_general_p)(transposed_dot)
