"""Differentiation of ragged products, which are linear in both factors.

A product of rows with their groups' matrices and one that sums over the rows of each group are
each other's transposes; where groups only divide a batch, the transposes do the same.
"""

from __future__ import annotations

from typing import Any

from jx_core.lax import RaggedDotDimensionNumbers, ragged_dot_general_p
from jx_core.ops.contraction.ragged import RaggedAxes, ragged_axes

from ...tables import defjvp, deftranspose
from ..kit import aval_of, check_known, known
from ..shape import inverse, permuted
from .dot import in_dtype, transposed_dot

Params = dict[str, Any]


def _run(start: int, *lists: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Consecutive axes from `start`, as many for each list as it has."""
    axes = []
    for entries in lists:
        axes.append(tuple(range(start, start + len(entries))))
        start += len(entries)
    return axes


def _product(
    x: Any, y: Any, group_sizes: Any, numbers: Any, ragged: int, group: int | None, params: Params
) -> Any:
    return ragged_dot_general_p.bind(
        x,
        y,
        group_sizes,
        ragged_dot_dimension_numbers=RaggedDotDimensionNumbers(
            numbers, (ragged,), () if group is None else (group,)
        ),
        **params,
    )


def _free_lhs(ct: Any, w: Any, sizes: Any, axes: RaggedAxes, params: Params) -> Any:
    """Rows of the cotangent times the transposed matrices of their groups."""
    batch, rows, columns = _run(0, axes.lhs_batch, axes.lhs_free, axes.rhs_free)
    ragged = rows[axes.lhs_free.index(axes.ragged)]
    numbers = ((columns, axes.rhs_free), (batch, axes.rhs_batch))
    product = _product(ct, w, sizes, numbers, ragged, axes.group, params)
    rising = sorted(range(len(axes.rhs_contracting)), key=axes.rhs_contracting.__getitem__)
    own = (*axes.lhs_batch, *axes.lhs_free, *(axes.lhs_contracting[i] for i in rising))
    return permuted(product, inverse(own))


def _free_rhs(ct: Any, x: Any, sizes: Any, axes: RaggedAxes, params: Params) -> Any:
    """For each group, its rows of the operand with its rows of the cotangent."""
    batch, rows, _ = _run(0, axes.lhs_batch, axes.lhs_free, axes.rhs_free)
    numbers = ((axes.lhs_free, rows), (axes.lhs_batch, batch))
    product = _product(x, ct, sizes, numbers, axes.ragged, None, params)
    rising = sorted(range(len(axes.lhs_contracting)), key=axes.lhs_contracting.__getitem__)
    assert axes.group is not None
    own = (
        axes.group,
        *axes.rhs_batch,
        *(axes.rhs_contracting[i] for i in rising),
        *axes.rhs_free,
    )
    return permuted(product, inverse(own))


def _contracting(
    ct: Any, other: Any, sizes: Any, axes: RaggedAxes, of_lhs: bool, params: Params
) -> Any:
    """Rows of the other operand times the cotangents of their groups, or those transposed."""
    if of_lhs:
        own_axes = axes.lhs_batch, axes.lhs_contracting, axes.lhs_free
        others = axes.rhs_batch, axes.rhs_contracting, axes.rhs_free
        if type(params["precision"]) is tuple:  # one for each operand, and rhs comes first now
            params = params | {"precision": params["precision"][::-1]}
    else:
        own_axes = axes.rhs_batch, axes.rhs_contracting, axes.rhs_free
        others = axes.lhs_batch, axes.lhs_contracting, axes.lhs_free
    # Group sizes go by the order in which axes are contracted, so the rows get into it.
    other = permuted(other, tuple(a for part in others for a in part))
    batch, rows, free = _run(0, *others)
    ct_batch, ct_lhs, ct_rhs = _run(1, axes.lhs_batch, axes.lhs_free, axes.rhs_free)
    numbers = ((free, ct_rhs if of_lhs else ct_lhs), (batch, ct_batch))
    ragged = rows[axes.lhs_contracting.index(axes.ragged)]
    product = _product(other, ct, sizes, numbers, ragged, 0, params)
    return permuted(product, inverse(tuple(a for part in own_axes for a in part)))


def _ragged_transpose(
    ct: Any,
    x: Any,
    y: Any,
    group_sizes: Any,
    *,
    ragged_dot_dimension_numbers: RaggedDotDimensionNumbers,
    **params: Any,
) -> list[Any]:
    own_x, own_y = aval_of(x), aval_of(y)
    axes = ragged_axes(ragged_dot_dimension_numbers, own_x.ndim, own_y.ndim)
    of_lhs = known(y)
    if not of_lhs:
        check_known(ragged_dot_general_p, x)
    if axes.mode == "batch":
        numbers = ragged_dot_dimension_numbers.dot_dimension_numbers
        return [*transposed_dot(ct, x, y, numbers, **params), None]
    if axes.mode == "free":
        if of_lhs:
            result = _free_lhs(ct, y, group_sizes, axes, params)
        else:
            result = _free_rhs(ct, x, group_sizes, axes, params)
    else:
        result = _contracting(ct, y if of_lhs else x, group_sizes, axes, of_lhs, params)
    own = own_x if of_lhs else own_y
    result = in_dtype(result, own.dtype)
    return [result, None, None] if of_lhs else [None, result, None]


defjvp(ragged_dot_general_p)(
    lambda t, out, x, y, sizes, **params: ragged_dot_general_p.bind(t, y, sizes, **params),
    lambda t, out, x, y, sizes, **params: ragged_dot_general_p.bind(x, t, sizes, **params),
    None,
)
deftranspose(ragged_dot_general_p)(_ragged_transpose)
