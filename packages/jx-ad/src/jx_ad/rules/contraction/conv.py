"""Differentiation of convolutions: both transposes are convolutions.

Along one spatial axis, with dilated operands, `y[o] = sum_k x[o - low + k] w[k]`, where `o`
steps by the stride. So the transpose in `x` convolves the cotangent, with gaps in place of
strides, with the reversed kernel; the transpose in `w` convolves `x` with the cotangent as a
kernel, batch and features having changed places. Groups of features turn into groups of the
batch there, and back.
"""

from __future__ import annotations

from typing import Any

from jx_core import typeof
from jx_core.lax import ConvDimensionNumbers, conv_general_dilated_p, rev_p
from jx_core.ops.contraction.conv_shapes import dilated

from ...tables import defjvp, deftranspose
from ..kit import aval_of, check_known, known
from ..shape import permuted, reshape
from .dot import in_dtype

Shape = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


def _reaches(shape: Shape, spec: Shape, dilations: Shape) -> Shape:
    """The spatial sizes of a dilated operand."""
    return tuple(dilated(shape[d], n) for d, n in zip(spec[2:], dilations, strict=True))


def move_groups(x: Any, source: int, target: int, groups: int) -> Any:
    """`x` with axis `source`, read as (groups, rest), cut to rest and `target` lengthened.

    The groups come to be the slow part of axis `target`.
    """
    if groups == 1:
        return x
    shape = typeof(x).shape
    split = (*shape[:source], groups, shape[source] // groups, *shape[source + 1 :])
    # Axes of the split array: `groups` at `source`, and what lay behind it one further.
    rest = [d for d in range(len(split)) if d != source]
    place = rest.index(target if target < source else target + 1)
    order = (*rest[:place], source, *rest[place:])
    sizes = list(shape)
    sizes[source] //= groups
    sizes[target] *= groups
    return reshape(permuted(reshape(x, split), order), tuple(sizes))


def _lhs_cotangent(ct: Any, w: Any, own: Any, params: dict[str, Any]) -> Any:
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    strides, holes = params["window_strides"], params["lhs_dilation"]
    groups, batch_groups = params["feature_group_count"], params["batch_group_count"]
    out_axis, in_axis, *spatial = rhs_spec
    reach = _reaches(own.shape, lhs_spec, holes)
    window = _reaches(typeof(w).shape, rhs_spec, params["rhs_dilation"])
    covered = _reaches(typeof(ct).shape, out_spec, strides)
    padding: Pads = tuple(
        (k - 1 - low, n + low - o)
        for k, n, o, (low, _) in zip(window, reach, covered, params["padding"], strict=True)
    )
    w = move_groups(w, out_axis, in_axis, groups if groups > 1 else batch_groups)
    result = conv_general_dilated_p.bind(
        ct,
        rev_p.bind(w, dimensions=tuple(spatial)),
        window_strides=holes,
        padding=padding,
        lhs_dilation=strides,
        rhs_dilation=params["rhs_dilation"],
        dimension_numbers=ConvDimensionNumbers(
            out_spec, (in_axis, out_axis, *spatial), lhs_spec
        ),
        feature_group_count=groups if groups > 1 else batch_groups,
        batch_group_count=1,
        precision=params["precision"],
        preferred_element_type=params["preferred_element_type"],
    )
    return move_groups(result, lhs_spec[1], lhs_spec[0], batch_groups)


def _rhs_cotangent(ct: Any, x: Any, own: Any, params: dict[str, Any]) -> Any:
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    strides, holes = params["window_strides"], params["lhs_dilation"]
    reach = _reaches(typeof(x).shape, lhs_spec, holes)
    window = _reaches(own.shape, rhs_spec, params["rhs_dilation"])
    covered = _reaches(typeof(ct).shape, out_spec, strides)
    padding: Pads = tuple(
        (low, k - 1 - n - low + o)
        for k, n, o, (low, _) in zip(window, reach, covered, params["padding"], strict=True)
    )
    return conv_general_dilated_p.bind(
        x,
        ct,
        window_strides=params["rhs_dilation"],
        padding=padding,
        lhs_dilation=holes,
        rhs_dilation=strides,
        dimension_numbers=ConvDimensionNumbers(
            (lhs_spec[1], lhs_spec[0], *lhs_spec[2:]),
            (out_spec[1], out_spec[0], *out_spec[2:]),
            (rhs_spec[1], rhs_spec[0], *rhs_spec[2:]),
        ),
        feature_group_count=params["batch_group_count"],
        batch_group_count=params["feature_group_count"],
        precision=params["precision"],
        preferred_element_type=params["preferred_element_type"],
    )


def _conv_transpose(ct: Any, x: Any, w: Any, **params: Any) -> list[Any]:
    dtype = typeof(ct).dtype
    if known(w):
        own = aval_of(x)
        return [in_dtype(_lhs_cotangent(ct, in_dtype(w, dtype), own, params), own.dtype), None]
    check_known(conv_general_dilated_p, x)
    own = aval_of(w)
    return [None, in_dtype(_rhs_cotangent(ct, in_dtype(x, dtype), own, params), own.dtype)]


defjvp(conv_general_dilated_p)(
    lambda t, out, x, w, **params: conv_general_dilated_p.bind(t, w, **params),
    lambda t, out, x, w, **params: conv_general_dilated_p.bind(x, t, **params),
)
deftranspose(conv_general_dilated_p)(_conv_transpose)
