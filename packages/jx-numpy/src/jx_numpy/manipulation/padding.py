"""`pad`: arrays in a frame, of constants or of what the array itself suggests."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from jx_batching import vmap
from jx_core import lax, operators
from jx_core.ops.elementwise import convert
from jx_core.symbolic import DimExpr

from ..functions import array_function, hashable, plain
from ..means import mean
from ..operands import Array, ArrayLike, as_operand, is_integer, to_dtype, to_inexact, typeof
from ..quantiles import median
from ..reductions import max as _max
from ..reductions import min as _min
from .reshaping import moveaxis

__all__ = ["pad"]

Widths = tuple[tuple[int, int], ...]

_OPTIONS: dict[str, dict[str, Any]] = {
    "constant": {"constant_values": 0},
    "linear_ramp": {"end_values": 0},
    "maximum": {"stat_length": None},
    "mean": {"stat_length": None},
    "median": {"stat_length": None},
    "minimum": {"stat_length": None},
    "reflect": {"reflect_type": "even"},
    "symmetric": {"reflect_type": "even"},
    "edge": {},
    "empty": {},
    "wrap": {},
}


def pad(
    array: ArrayLike,
    pad_width: Any,
    mode: str | Callable[..., Any] = "constant",
    **kwargs: Any,
) -> Array:
    """An array with more elements before and after along each axis.

    Args:
        array: an array.
        pad_width: how many: a pair (before, after) for each axis, or one pair or one number
            for all of them.
        mode: what they are: `constant` (with `constant_values`), `edge`, `reflect` or
            `symmetric` (with `reflect_type`: `even` or `odd`), `wrap`, `linear_ramp` (with
            `end_values`), `maximum`, `minimum`, `mean` or `median` (of `stat_length` elements
            at that end), `empty` (zeros), or a function `(vector, pad_width, axis, kwargs)`
            that returns a padded vector, given one padded with zeros.
        kwargs: the mode's options. Values are one for all, or a pair for each axis.

    Raises:
        TypeError: `pad_width` is not of integers.
        ValueError: `pad_width` does not fit the array or is negative, an option does not
            belong to the mode, or an empty axis has nothing to suggest.
        NotImplementedError: there is no such mode.

    >>> jnp.pad(jnp.array([1, 2, 3]), (1, 2), mode="reflect")
    Array([2, 1, 2, 3, 2, 1], dtype=int32)
    """
    x = as_operand("pad", array)
    ndim = typeof(x).ndim
    widths = _widths(pad_width, ndim)
    if callable(mode):
        return _by_function(x, widths, mode, kwargs)
    if mode not in _OPTIONS:
        raise NotImplementedError(
            f"jnp.pad has no mode {mode!r}; it has {', '.join(sorted(_OPTIONS))}"
        )
    unknown = kwargs.keys() - _OPTIONS[mode].keys()
    if unknown:
        raise ValueError(
            f"unsupported keyword arguments for mode {mode!r} of jnp.pad: {sorted(unknown)}"
        )
    options = {**_OPTIONS[mode], **kwargs}
    if mode in ("constant", "linear_ramp"):
        given = next(iter(options.values()))
        if mode == "constant" and isinstance(given, (bool, int, float, complex)):
            return _one_constant(x, given, widths)
        values = _value_pairs(given, ndim)
        return (_constant if mode == "constant" else _ramp)(x, values, widths)
    if mode in ("reflect", "symmetric"):
        odd = options["reflect_type"]
        if odd not in ("even", "odd"):
            raise ValueError(f"jnp.pad: reflect_type must be 'even' or 'odd', got {odd!r}")
        return _mirror(x, widths, mode, odd == "odd")
    if mode in ("maximum", "minimum", "mean", "median"):
        lengths = _lengths(options["stat_length"], ndim)
        return _statistic(x, widths, mode, lengths)
    return _plain_mode(x, widths, mode)


def _dimensions(widths: np.ndarray) -> bool:
    """Whether all are integers or symbolic dimensions."""
    return all(isinstance(w, (int, DimExpr)) for w in widths.ravel().tolist())


def _broadcast_pairs(argument: str, value: Any, ndim: int) -> np.ndarray:
    """An option given as one value, a pair, or a pair for each axis, as an (ndim, 2) array."""
    value = np.asarray(value)
    shape = value.shape
    if shape in ((), (1,), (2,), (1, 2), (ndim, 2), (ndim, 1)):
        return np.broadcast_to(value, (ndim, 2))
    raise ValueError(
        f"jnp.pad: {argument} must be a number, a pair, or a pair for each of the array's {ndim} "
        f"axes; got shape {shape}"
    )


def _widths(pad_width: Any, ndim: int) -> Widths:
    try:
        return _known_widths(hashable(pad_width), ndim)
    except TypeError:  # what can't be hashed, or is wrong: the plain road says
        return _known_widths.__wrapped__(pad_width, ndim)


@functools.lru_cache(maxsize=1024)
def _known_widths(pad_width: Any, ndim: int) -> Widths:
    if isinstance(pad_width, dict):
        axes = {k % ndim if -ndim <= k < ndim else k: v for k, v in pad_width.items()}
        if any(not 0 <= k < ndim for k in axes):
            raise ValueError(f"jnp.pad: pad_width has an axis out of range: {list(pad_width)}")
        pad_width = [axes.get(i, (0, 0)) for i in range(ndim)]
        pad_width = [(w, w) if np.ndim(w) == 0 else w for w in pad_width]
    widths = np.asarray(pad_width)
    if widths.dtype == object and _dimensions(widths):
        pairs = _broadcast_pairs("pad_width", widths, ndim)
        return tuple((a, b) for a, b in pairs.tolist())
    if widths.dtype.kind not in "iu" and widths.size:
        raise TypeError(f"jnp.pad: pad_width must be of integers, got {pad_width!r}")
    if widths.size and widths.min() < 0:
        raise ValueError(f"jnp.pad: pad_width must not be negative, got {pad_width!r}")
    pairs = _broadcast_pairs("pad_width", widths, ndim)
    return tuple((int(a), int(b)) for a, b in pairs)


def _lengths(stat_length: Any, ndim: int) -> Any:
    if stat_length is None:
        return None
    pairs = _broadcast_pairs("stat_length", stat_length, ndim)
    if pairs.size and pairs.min() < 1:
        raise ValueError(f"jnp.pad: stat_length must be positive, got {stat_length!r}")
    return tuple((int(a), int(b)) for a, b in pairs)


def _value_pairs(values: Any, ndim: int) -> list[tuple[Any, Any]]:
    """Numbers or arrays for both ends of each axis."""
    if not isinstance(values, (list, tuple)):
        values = as_operand("pad", values)
        if not typeof(values).ndim:
            return [(values, values)] * ndim
        values = _nested(values)
    values = list(values)
    nested = [isinstance(v, (list, tuple)) for v in values]
    if not any(nested):
        if len(values) == 1:
            return [(values[0], values[0])] * ndim
        if len(values) == 2:
            return [(values[0], values[1])] * ndim
    elif all(nested) and len(values) in (1, ndim):
        pairs = [(v[0], v[-1]) for v in values if len(v) in (1, 2)]
        if len(pairs) == len(values):
            return pairs * ndim if len(pairs) == 1 else pairs
    raise ValueError(
        f"jnp.pad: values must be a number, a pair, or a pair for each of the array's {ndim} "
        f"axes; got {values!r:.200}"
    )


def _nested(x: Any) -> Any:
    """An array as nested lists of its elements, which may be traced."""
    return [_nested(row) if typeof(row).ndim else row for row in lax.unstack(x, 0)]


@array_function("widths")
def _one_constant(x: Any, value: Any, widths: Widths) -> Array:
    return lax.pad(x, _scalar(value, typeof(x).dtype), [(a, b, 0) for a, b in widths])


@array_function("widths")
def _constant(x: Any, values: list[tuple[Any, Any]], widths: Widths) -> Array:
    dtype = typeof(x).dtype
    values = [(_scalar(a, dtype), _scalar(b, dtype)) for a, b in values]
    for i, ((low, high), (before, after)) in enumerate(zip(widths, values, strict=True)):
        edges = [(0, 0, 0)] * len(widths)
        edges[i] = (low, 0, 0)
        x = lax.pad(x, before, edges)
        edges[i] = (0, high, 0)
        x = lax.pad(x, after, edges)
    return x


def _scalar(value: Any, dtype: Any) -> Any:
    value = as_operand("pad", value)
    if typeof(value).ndim:
        raise ValueError(f"jnp.pad: a value must be a scalar, got shape {typeof(value).shape}")
    return convert(value, dtype) if typeof(value).dtype != dtype else value


def _end(x: Array, axis: int, start: int, stop: int) -> Array:
    return lax.slice_in_dim(x, start, stop, axis=axis)


def _repeated(x: Array, axis: int, n: int) -> Array:
    """The only slice of `x` along an axis, `n` times."""
    shape = list(typeof(x).shape)
    shape[axis] = n
    return lax.broadcast_in_dim(x, shape, tuple(range(len(shape))))


def _not_empty(x: Array, axis: int, widths: tuple[int, int], mode: str) -> int:
    n = typeof(x).shape[axis]
    if n == 0 and any(widths):
        raise ValueError(
            f"jnp.pad: can't extend the empty axis {axis} in mode {mode!r}, got shape "
            f"{typeof(x).shape}"
        )
    return n


@array_function("widths", "mode")
def _plain_mode(x: Any, widths: Widths, mode: str) -> Array:
    """The modes without options: `edge`, `wrap` and `empty`."""
    if mode == "empty":
        zero = np.zeros((), typeof(x).dtype)[()]
        return lax.pad(x, zero, [(a, b, 0) for a, b in widths])
    for i, (low, high) in enumerate(widths):
        n = _not_empty(x, i, (low, high), mode)
        if low == 0 and high == 0:
            continue
        if mode == "edge":
            before = _repeated(_end(x, i, 0, 1), i, low)
            after = _repeated(_end(x, i, n - 1, n), i, high)
            x = lax.concatenate([before, x, after], i)
            continue
        # The array over and over, of which a part is cut out: `low` elements before a
        # beginning of it.
        rounds_before = -(-low // n)
        rounds = rounds_before + 1 + -(-high // n)
        reps = [1] * len(widths)
        reps[i] = rounds
        start = rounds_before * n - low
        x = _end(lax.tile(x, reps), i, start, start + low + n + high)
    return x


@array_function("widths", "mode", "odd")
def _mirror(x: Any, widths: Widths, mode: str, odd: bool) -> Array:
    for i, (low, high) in enumerate(widths):
        n = _not_empty(x, i, (low, high), mode)
        if n == 1 and mode == "reflect":
            x = lax.concatenate(
                [_repeated(_end(x, i, 0, 1), i, low), x, _repeated(_end(x, i, 0, 1), i, high)], i
            )
            continue
        skip = 1 if mode == "reflect" else 0  # whether the edge itself is in its image
        x = _mirror_after(x, i, high, n - skip, skip, odd)
        x = lax.rev(_mirror_after(lax.rev(x, (i,)), i, low, n - skip, skip, odd), (i,))
    return x


def _mirror_after(x: Array, axis: int, missing: int, reach: int, skip: int, odd: bool) -> Array:
    """`x` with `missing` elements after its end, images of the `reach` ones before it."""
    while missing > 0:
        n = typeof(x).shape[axis]
        take = min(missing, reach)
        image = lax.rev(_end(x, axis, n - skip - take, n - skip), (axis,))
        if odd:
            edge = _repeated(_end(x, axis, n - 1, n), axis, take)
            image = lax.sub(operators.multiply(edge, 2), image)
        x = lax.concatenate([x, image], axis)
        missing -= take
    return x


@array_function("widths")
def _ramp(x: Any, values: list[tuple[Any, Any]], widths: Widths) -> Array:
    dtype = typeof(x).dtype
    for i, ((low, high), (before, after)) in enumerate(zip(widths, values, strict=True)):
        n = _not_empty(x, i, (low, high), "linear_ramp")
        first = _slope(_end(x, i, 0, 1), before, i, low, dtype)
        last = lax.rev(_slope(_end(x, i, n - 1, n), after, i, high, dtype), (i,))
        x = lax.concatenate([first, x, last], i)
    return x


def _slope(edge: Array, end: Any, axis: int, n: int, dtype: Any) -> Array:
    """`n` elements that lead from `end` up to, but not including, `edge`."""
    edge = convert(edge, to_inexact(dtype))
    shape = list(typeof(edge).shape)
    shape[axis] = n
    count = lax.broadcasted_iota(typeof(edge).dtype, shape, axis)
    fraction = operators.divide(count, float(max(n, 1)))
    end = to_dtype(as_operand("pad", end), typeof(edge).dtype)
    slope = operators.add(end, operators.multiply(operators.subtract(edge, end), fraction))
    return convert(lax.round(slope) if is_integer(dtype) else slope, dtype)


@array_function("widths", "mode", "lengths")
def _statistic(x: Any, widths: Widths, mode: str, lengths: Widths | None) -> Array:
    for i, (low, high) in enumerate(widths):
        n = _not_empty(x, i, (low, high), mode)
        count_low, count_high = (n, n) if lengths is None else lengths[i]
        before = _summary(_end(x, i, 0, min(count_low, n)), i, mode)
        after = _summary(_end(x, i, max(n - count_high, 0), n), i, mode)
        x = lax.concatenate([_repeated(before, i, low), x, _repeated(after, i, high)], i)
    return x


def _summary(x: Array, axis: int, mode: str) -> Array:
    """One slice that stands for those of `x` along an axis."""
    dtype = typeof(x).dtype
    fun = {"maximum": _max, "minimum": _min, "mean": mean, "median": median}[mode]
    result = plain(fun)(x, axis=axis, keepdims=True)
    if typeof(result).dtype != dtype:  # the mean of integers
        result = lax.round(result, lax.RoundingMethod.TO_NEAREST_EVEN)
    return convert(result, dtype)


def _by_function(x: Any, widths: Widths, fun: Callable[..., Any], options: dict[str, Any]) -> Array:
    """Each vector along each axis, padded with zeros, given to `fun` to fill in."""
    x = _constant(x, [(0, 0)] * len(widths), widths)
    for i, width in enumerate(widths):

        def fill(vector: Any, i: int = i, width: tuple[int, int] = width) -> Any:
            result = fun(vector, width, i, options)
            return vector if result is None else result

        last = moveaxis(x, i, -1)
        shape = typeof(last).shape
        rows = vmap(fill)(lax.reshape(last, (typeof(last).size // shape[-1], shape[-1])))
        x = moveaxis(lax.reshape(rows, shape), -1, i)
    return x
