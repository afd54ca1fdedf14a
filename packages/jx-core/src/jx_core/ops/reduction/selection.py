"""One element of each window picked out: what derivatives of window maxima are made of.

The reductions themselves are in `windows`. Derivatives go to one element of a window: to the
first of those that are the greatest (or least), a NaN being greater (or less) than all else,
and never to padding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr
from ...primitive import Primitive
from ..contraction.conv_shapes import dilated
from ..elementwise.arithmetic import add
from ..elementwise.bitwise import bitwise_and, bitwise_not, bitwise_or
from ..elementwise.comparison import eq, ge, le, ne, select
from ..indexing.slicing import slice as slice_
from ..kit import check_kind, check_same_dtype, orderable, real_number
from ..shape import broadcast_in_dim, full
from .monoids import identity, wide
from .programs import run_on_arrays
from .window_shapes import (
    Place,
    Shape,
    Window,
    check_window,
    elements_at,
    inside,
    inside_at,
    padded,
    spread_to,
    windows_of,
)

__all__ = ["select_and_gather_add_p", "select_and_scatter_add_p", "select_and_scatter_p"]

_OPERATIONS = {"ge": "max", "le": "min"}  # what picking by a comparison is the derivative of


def simple_window(params: dict[str, Any]) -> Window:
    """Windows that have no holes."""
    ones = (1,) * len(params["window_dimensions"])
    return Window(**params, base_dilation=ones, window_dilation=ones)


def _check_source(name: str, source: ShapedArray, operand: ShapedArray, window: Window) -> None:
    check_window(name, operand.shape, window)
    counts = window.counts(operand.shape)
    if source.shape != counts:
        raise ShapeError(
            f"{name}: source must have an element for each window, expected shape {counts} for "
            f"an operand of shape {operand.shape}, got {source.shape}"
        )


def _check_select(name: str, select_prim: str) -> None:
    if select_prim not in _OPERATIONS:
        raise ValueError(f"{name}: select_prim must be 'ge' or 'le', got {select_prim!r}")


# --- which element, by lax functions ---


def _pick(
    operand: Any,
    window: Window,
    filler: Any,
    keeps: Callable[..., Any],
    offer: Callable[[int, Place], Any],
    nothing: Any,
) -> Any:
    """For each window, what the chosen place offers.

    Args:
        operand: the array by which to choose.
        window: its windows.
        filler: what to put into padding, which is not chosen.
        keeps: `keeps(best, element)` says where the best so far is kept.
        offer: `offer(k, place)` gives what each window gets if the k-th place is chosen.
        nothing: what windows get that are padding alone.
    """
    shape = typeof(operand).shape
    counts = window.counts(shape)
    whole = padded(operand, window, filler)
    best, picked = None, nothing
    found: Any = False  # where a place has been chosen: False or True for all, or flags
    for k, place in enumerate(window.places()):
        element = elements_at(whole, window, place, counts)
        own = inside_at(shape, window, place, counts)
        if best is None:
            best, picked = element, offer(k, place)
            picked = picked if own is None else select(own, picked, nothing)
        else:
            wins = bitwise_not(keeps(best, element))
            if found is not True:
                wins = bitwise_or(wins, bitwise_not(found))
            if own is not None:
                wins = bitwise_and(wins, own)
            best = select(wins, element, best)
            picked = select(wins, offer(k, place), picked)
        if own is None:
            found = True
        elif found is not True:
            found = own if found is False else bitwise_or(found, own)
    return picked


def _keeps(select_prim: str, dtype: Any) -> Callable[..., Any]:
    """The greatest (`ge`) or least (`le`) element: a NaN, then the first."""
    compare = ge if select_prim == "ge" else le

    def keeps(best: Any, element: Any) -> Any:
        better = compare(best, element)
        if not dtypes.issubdtype(dtype, np.inexact):
            return better
        return bitwise_or(better, ne(best, best))  # the first NaN stays

    return keeps


def extreme_places(operand: Any, window: Window, select_prim: str) -> Any:
    """For each window, the number of the place of its extreme; -1 where all is padding."""
    dtype = typeof(operand).dtype
    filler, keeps = identity(_OPERATIONS[select_prim], dtype), _keeps(select_prim, dtype)
    return _places(operand, window, filler, keeps)


def _places(operand: Any, window: Window, filler: Any, keeps: Callable[..., Any]) -> Any:
    counts = window.counts(typeof(operand).shape)
    none = full(counts, -1, np.int32)
    return _pick(
        operand, window, filler, keeps, lambda k, place: full(counts, k, np.int32), none
    )


def gather_chosen(values: Any, operand: Any, window: Window, select_prim: str) -> Any:
    """From each window of `values`, the element at the place of the operand's extreme."""
    counts, dtype = window.counts(typeof(values).shape), typeof(operand).dtype
    filler, keeps = identity(_OPERATIONS[select_prim], dtype), _keeps(select_prim, dtype)
    whole = padded(values, window, _zero(values))
    return _pick(
        operand,
        window,
        filler,
        keeps,
        lambda k, place: elements_at(whole, window, place, counts),
        full(counts, 0, typeof(values).dtype),
    )


def scatter_to(places: Any, source: Any, operand_shape: Shape, window: Window) -> Any:
    """Each window's element of `source` added to where its place is in an operand.

    With `extreme_places`, it is the transpose of `gather_chosen`.
    """
    holes, zero = window.base_dilation, _zero(source)
    shape = tuple(map(dilated, operand_shape, holes))
    nothing = full(typeof(source).shape, 0, typeof(source).dtype)
    total: Any = None
    for k, place in enumerate(window.places()):
        part = select(eq(places, np.int32(k)), source, nothing)
        part = spread_to(part, shape, window, place, zero)
        total = part if total is None else add(total, part)
    return total if all(h == 1 for h in holes) else slice_(total, (0,) * len(shape), shape, holes)


def _zero(x: Any) -> Any:
    return np.zeros((), typeof(x).dtype)[()]


# --- which element, in NumPy ---


def _chosen(x: np.ndarray, window: Window, select_prim: str) -> tuple[np.ndarray, np.ndarray]:
    """The number of the place chosen in each window, and whether there is one."""
    operation, counts = _OPERATIONS[select_prim], window.counts(x.shape)
    filler = np.asarray(identity(operation, x.dtype)).astype(wide(x).dtype)
    views = windows_of(wide(x), window, filler).reshape(*counts, window.size)
    own = inside(x.shape, window).reshape(*counts, window.size)
    number = (np.argmax if operation == "max" else np.argmin)(views, -1)
    in_padding = ~np.take_along_axis(own, number[..., None], -1)[..., 0]
    # All elements are as extreme as padding is: the first that is no padding, then.
    return np.where(in_padding, np.argmax(own, -1), number), np.asarray(own.any(-1))


def _sources(number: np.ndarray, window: Window, shape: Shape) -> tuple[np.ndarray, ...]:
    """Where in an operand of `shape`, without holes, the chosen places are, axis by axis."""
    places = np.unravel_index(number, window.window_dimensions)
    starts = np.indices(number.shape)
    return tuple(
        start * s - lo + place * h
        for start, place, s, (lo, _), h in zip(
            starts,
            places,
            window.window_strides,
            window.padding,
            window.window_dilation,
            strict=True,
        )
    )


# --- the primitives ---


def _gather_type(
    tangents: ShapedArray, operand: ShapedArray, *, select_prim: str, **params: Any
) -> ShapedArray:
    name, window = "select_and_gather_add", Window(**params)
    _check_select(name, select_prim)
    check_kind(name, operand, orderable)
    check_window(name, operand.shape, window)
    if tangents.shape != operand.shape:
        raise ShapeError(
            f"{name}: tangents and operand must have one shape, got {tangents.shape} and "
            f"{operand.shape}"
        )
    return ShapedArray(window.counts(operand.shape), tangents.dtype, tangents.weak_type)


def _gather(
    tangents: np.ndarray, operand: np.ndarray, *, select_prim: str, **params: Any
) -> np.ndarray:
    window = Window(**params)
    number, found = _chosen(operand, window, select_prim)
    zero = np.zeros((), tangents.dtype)
    views = windows_of(tangents, window, zero).reshape(*number.shape, window.size)
    return np.where(found, np.take_along_axis(views, number[..., None], -1)[..., 0], zero)


# Operands: tangents and the operand. Params: select_prim, "ge" to pick the place of the
# greatest element of each window or "le" for the least; those of `Window`.
select_and_gather_add_p = Primitive(
    "select_and_gather_add",
    abstract=_gather_type,
    reference=_gather,
    decompose=lambda tangents, operand, *, select_prim, **params: gather_chosen(
        tangents, operand, Window(**params), select_prim
    ),
)


def _scatter_add_decomposed(
    source: Any, operand: Any, *, select_prim: str, **params: Any
) -> Any:
    window = simple_window(params)
    places = extreme_places(operand, window, select_prim)
    return scatter_to(places, source, typeof(operand).shape, window)


def _scatter_add_type(
    source: ShapedArray, operand: ShapedArray, *, select_prim: str, **params: Any
) -> ShapedArray:
    name = "select_and_scatter_add"
    _check_select(name, select_prim)
    check_kind(name, operand, orderable)
    check_kind(name, source, (*real_number, "complex"))
    _check_source(name, source, operand, simple_window(params))
    return ShapedArray(operand.shape, source.dtype, source.weak_type)


def _scatter_add(
    source: np.ndarray, operand: np.ndarray, *, select_prim: str, **params: Any
) -> np.ndarray:
    window = simple_window(params)
    number, found = _chosen(operand, window, select_prim)
    values = wide(source)
    result = np.zeros(operand.shape, values.dtype)
    targets = tuple([t[found] for t in _sources(number, window, operand.shape)])
    np.add.at(result, targets, values[found])
    return result.astype(source.dtype)


# Operands: source, an element for each window, and the operand. Params: select_prim, "ge" or
# "le"; those of `Window` without holes.
select_and_scatter_add_p = Primitive(
    "select_and_scatter_add",
    abstract=_scatter_add_type,
    reference=_scatter_add,
    decompose=_scatter_add_decomposed,
)


def _scatter_type(
    operand: ShapedArray,
    source: ShapedArray,
    init_value: ShapedArray,
    *,
    select_jaxpr: ClosedJaxpr,
    scatter_jaxpr: ClosedJaxpr,
    **params: Any,
) -> ShapedArray:
    name = "select_and_scatter"
    check_same_dtype(name, (operand, source, init_value))
    if init_value.shape:
        raise ShapeError(f"{name}: init_value must be a scalar, got shape {init_value.shape}")
    _check_source(name, source, operand, simple_window(params))
    return ShapedArray(operand.shape, operand.dtype, operand.weak_type)


def _scatter(
    operand: Any,
    source: Any,
    init_value: Any,
    *,
    select_jaxpr: ClosedJaxpr,
    scatter_jaxpr: ClosedJaxpr,
    **params: Any,
) -> Any:
    """Window after window: find the place, then combine there."""
    from ... import backend

    here, window = backend.current(), simple_window(params)
    x, values, init = (np.asarray(here.get(v)) for v in (operand, source, init_value))
    scalar = ShapedArray((), x.dtype)
    result = np.full(x.shape, init, x.dtype)

    def run(closed: ClosedJaxpr, a: Any, b: Any) -> Any:
        (out,) = eval_jaxpr(closed.jaxpr, closed.consts, here.put(a, scalar), here.put(b, scalar))
        return here.get(out)

    for number in np.ndindex(values.shape):
        chosen: Place | None = None
        for place in window.places():
            at = tuple(
                n * s - lo + p
                for n, s, (lo, _), p in zip(
                    number, window.window_strides, window.padding, place, strict=True
                )
            )
            if all(0 <= i < size for i, size in zip(at, x.shape, strict=True)) and (
                chosen is None or not run(select_jaxpr, x[chosen], x[at])
            ):
                chosen = at
        if chosen is not None:
            result[chosen] = run(scatter_jaxpr, result[chosen], values[number])
    return here.put(result, typeof(operand))


def _scatter_decomposed(
    operand: Any,
    source: Any,
    init_value: Any,
    *,
    select_jaxpr: ClosedJaxpr,
    scatter_jaxpr: ClosedJaxpr,
    **params: Any,
) -> Any:
    window, shape = simple_window(params), typeof(operand).shape
    places = _places(
        operand, window, init_value, lambda best, x: run_on_arrays(select_jaxpr, best, x)[0]
    )
    result = broadcast_in_dim(init_value, shape, ())
    for k, place in enumerate(window.places()):
        here = spread_to(eq(places, np.int32(k)), shape, window, place, False)
        part = spread_to(source, shape, window, place, init_value)
        (combined,) = run_on_arrays(scatter_jaxpr, result, part)
        result = select(here, combined, result)
    return result


# Operands: operand; source, an element for each window; init_value, a scalar. Params:
# select_jaxpr, the closed program of two elements that says whether the first is kept;
# scatter_jaxpr, that of a total and an element of source; those of `Window` without holes.
select_and_scatter_p = Primitive(
    "select_and_scatter",
    abstract=_scatter_type,
    reference=_scatter,
    decompose=_scatter_decomposed,
    higher_order=True,
)
