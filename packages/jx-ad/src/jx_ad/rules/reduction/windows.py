"""Differentiation of reductions of windows.

`reduce_window` and `select_and_scatter`, which take programs, have no rules here: they are
differentiated as the elementwise operations that they decompose into.
"""

from __future__ import annotations

from typing import Any

from jx_core import typeof
from jx_core.lax import (
    full,
    reduce_window_max_p,
    reduce_window_min_p,
    reduce_window_sum_p,
    select_and_gather_add_p,
    select_and_scatter_add_p,
)
from jx_core.ops.contraction.conv_shapes import dilated
from jx_core.ops.reduction.selection import extreme_places, scatter_to
from jx_core.ops.reduction.window_shapes import Window

from ...tables import defjvp, deflinear
from ..kit import aval_of, check_known, define_unary_linear


def _sum_transpose(ct: Any, x: Any, **params: Any) -> Any:
    """Sums of the windows in which each element lies.

    They are windows over the cotangents, which lie as far apart as the windows did; from one to
    the next it is as far as it was from element to element.
    """
    window, own = Window(**params), aval_of(x)
    if 0 in own.shape:
        return full(own.shape, 0, own.dtype)
    pads = []
    for axis, (n, count) in enumerate(zip(own.shape, typeof(ct).shape, strict=True)):
        span = dilated(window.window_dimensions[axis], window.window_dilation[axis])
        low = span - 1 - window.padding[axis][0]
        total = (n - 1) * window.base_dilation[axis] + span
        pads.append((low, total - low - dilated(count, window.window_strides[axis])))
    transposed = window._replace(
        window_strides=window.base_dilation,
        base_dilation=window.window_strides,
        padding=tuple(pads),
    )
    return reduce_window_sum_p.bind(ct, **transposed._asdict())


define_unary_linear(reduce_window_sum_p, _sum_transpose)


def _picked(select_prim: str) -> Any:
    """The tangent of the one element that is each window's extreme."""
    return lambda t, out, x, **params: select_and_gather_add_p.bind(
        t, x, select_prim=select_prim, **params
    )


defjvp(reduce_window_max_p)(_picked("ge"))
defjvp(reduce_window_min_p)(_picked("le"))


def _gather_transpose(
    ct: Any, tangents: Any, operand: Any, *, select_prim: str, **params: Any
) -> list[Any]:
    check_known(select_and_gather_add_p, operand)
    window = Window(**params)
    if any(h != 1 for h in (*window.base_dilation, *window.window_dilation)):
        places = extreme_places(operand, window, select_prim)
        return [scatter_to(places, ct, typeof(operand).shape, window), None]
    del params["base_dilation"], params["window_dilation"]
    return [
        select_and_scatter_add_p.bind(ct, operand, select_prim=select_prim, **params),
        None,
    ]


def _scatter_add_transpose(ct: Any, source: Any, operand: Any, **params: Any) -> list[Any]:
    check_known(select_and_scatter_add_p, operand)
    ones = (1,) * len(params["window_dimensions"])
    picked = select_and_gather_add_p.bind(
        ct, operand, **params, base_dilation=ones, window_dilation=ones
    )
    return [picked, None]


# Linear in what is picked or placed; by which element is chosen, they are piecewise constant.
deflinear(select_and_gather_add_p, _gather_transpose, operands=1)
deflinear(select_and_scatter_add_p, _scatter_add_transpose, operands=1)
