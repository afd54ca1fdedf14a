"""`scaled_dot`: a product of narrow numbers that come with scales for blocks of them.

As in the OCP Microscaling Formats (MX) specification, where blocks of float8 numbers share a
float8_e8m0fnu scale. It is written in other operations and so needs no rules.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from ...aval import typeof
from ...errors import ShapeError
from ..elementwise.arithmetic import mul
from ..elementwise.conversion import convert_element_type
from ..shape import broadcast_in_dim, reshape
from .dot import DotDimensionNumbers, canonical_preferred, dot_general

__all__ = ["scaled_dot"]

_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def scaled_dot(
    lhs: Any,
    rhs: Any,
    *,
    lhs_scale: Any = None,
    rhs_scale: Any = None,
    dimension_numbers: DotDimensionNumbers | None = None,
    preferred_element_type: Any = None,
) -> Any:
    """The product of `lhs * lhs_scale` and `rhs * rhs_scale`, multiplied in bfloat16.

    Args:
        lhs, rhs: arrays of one rank, 2 or more.
        lhs_scale, rhs_scale: arrays of the rank of their operand, of its size along all axes
            but the contracting ones, where an element is the scale of 2 or more neighbours;
            None for no scale.
        dimension_numbers: as for `dot_general`; by default the product of matrices in the
            last two axes, over equal leading axes.
        preferred_element_type: the dtype to sum in and to return; bfloat16 by default.

    Raises:
        ShapeError: ranks or sizes that don't fit.

    >>> x = np.full((1, 4), 3, ml_dtypes.float8_e4m3fn)
    >>> y = np.ones((4, 1), ml_dtypes.float8_e4m3fn)
    >>> scale = np.array([[0.5, 2.0]], ml_dtypes.float8_e8m0fnu)
    >>> float(scaled_dot(x, y, lhs_scale=scale)[0, 0])
    15.0
    """
    ndim = typeof(lhs).ndim
    ranks = {
        what: typeof(x).ndim
        for what, x in zip(
            ("lhs", "rhs", "lhs_scale", "rhs_scale"), (lhs, rhs, lhs_scale, rhs_scale), strict=True
        )
        if x is not None
    }
    if ndim < 2 or len(set(ranks.values())) > 1:
        raise ShapeError(f"scaled_dot: all arrays must have one rank, 2 or more, got {ranks}")
    if dimension_numbers is None:
        batch = tuple(range(ndim - 2))
        dimension_numbers = (((ndim - 1,), (ndim - 2,)), (batch, batch))
    (lhs_contracting, rhs_contracting), _ = dimension_numbers
    return dot_general(
        _scaled("lhs", lhs, lhs_scale, tuple(lhs_contracting)),
        _scaled("rhs", rhs, rhs_scale, tuple(rhs_contracting)),
        dimension_numbers,
        preferred_element_type=canonical_preferred("scaled_dot", preferred_element_type)
        or _BFLOAT16,
    )


def _scaled(side: str, x: Any, scale: Any, contracting: tuple[int, ...]) -> Any:
    """`x` times its scales in bfloat16."""
    x = convert_element_type(x, _BFLOAT16)
    if scale is None:
        return x
    shape, counts = typeof(x).shape, typeof(scale).shape
    for axis, (size, count) in enumerate(zip(shape, counts, strict=True)):
        if axis not in contracting:
            if size != count:
                raise ShapeError(
                    f"scaled_dot: {side}_scale must have the size of {side} along axis {axis}, "
                    f"which is not contracted; got {count} for {size} (shapes {counts}, {shape})"
                )
        elif not count or size % count or size // count < 2:
            raise ShapeError(
                f"scaled_dot: each element of {side}_scale must be the scale of 2 or more "
                f"elements of {side} along the contracting axis {axis}; got {count} scales for "
                f"{size} elements"
            )
    blocks: list[int] = []
    places = []
    for size, count in zip(shape, counts, strict=True):
        places.append(len(blocks))
        blocks += [count] if size == count else [count, size // count]
    spread = broadcast_in_dim(convert_element_type(scale, _BFLOAT16), tuple(blocks), tuple(places))
    return mul(x, reshape(spread, shape))
