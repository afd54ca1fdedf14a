"""Signals cut into segments that overlap, and put together again from them."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.errors import ShapeError

from ...functions import plain
from ...indexing import take
from ...manipulation import pad
from ...operands import Array, ArrayLike, an_integer, as_operand, typeof, user_stacklevel
from .windows import named_window

__all__ = ["a_length", "added_up", "continued", "overlap", "segmented", "window_and_length"]

_CONTINUATIONS = {"even": "reflect", "constant": "edge", "zeros": "constant"}


def a_length(name: str, value: Any, argument: str) -> int:
    """A positive integer.

    Raises:
        TypeError: it is no integer that is known now.
        ValueError: it is not positive.
    """
    n = an_integer(f"jx.scipy.signal.{name}", value, argument)
    if n < 1:
        raise ValueError(f"jx.scipy.signal.{name}: {argument} must be a positive integer, got {n}")
    return int(n)


def window_and_length(
    name: str, window: Any, nperseg: Any, longest: int | None, default: int
) -> tuple[ArrayLike, int]:
    """The window as an array, and the length of segments, which is its own.

    Args:
        name: the function, for messages.
        window: a window's name, a tuple of that and its parameters, or an array.
        nperseg: the length asked for, or None.
        longest: the length of the signal, of which segments can't be longer.
        default: the length if `window` is no array, and none is asked for.

    Raises:
        ShapeError: an array of another length than `nperseg`, longer than the signal, or not
            one-dimensional.
    """
    n = None if nperseg is None else a_length(name, nperseg, "nperseg")
    if isinstance(window, (str, tuple)):
        n = default if n is None else n
        if longest is not None and n > longest:
            warnings.warn(
                f"jx.scipy.signal.{name}: nperseg={n} is greater than the signal's length; using "
                f"nperseg={longest}",
                stacklevel=user_stacklevel(),
            )
            n = longest
        return named_window(name, window, n), n
    given = np.asarray(window) if isinstance(window, list) else as_operand(name, window)
    shape = typeof(given).shape
    if len(shape) != 1:
        raise ShapeError(
            f"jx.scipy.signal.{name}: window must be a name or one-dimensional, got shape {shape}"
        )
    if longest is not None and shape[0] > longest:
        raise ShapeError(
            f"jx.scipy.signal.{name}: the window, of length {shape[0]}, is longer than the signal, "
            f"of length {longest}"
        )
    if n not in (None, shape[0]):
        raise ShapeError(
            f"jx.scipy.signal.{name}: nperseg={n} differs from the window's length, {shape[0]}; "
            f"leave it out"
        )
    return given, shape[0]


def overlap(name: str, noverlap: Any, nperseg: int) -> int:
    """By how much segments overlap: by half if `noverlap` is None.

    Raises:
        ValueError: it is not less than their length.
    """
    if noverlap is None:
        return nperseg // 2
    n = int(an_integer(f"jx.scipy.signal.{name}", noverlap, "noverlap"))
    if n >= nperseg:
        raise ValueError(
            f"jx.scipy.signal.{name}: noverlap must be less than nperseg={nperseg}, got {n}"
        )
    return n


def continued(name: str, x: Array, n: int, boundary: str | None) -> Array:
    """The signal with `n` more elements at both ends of the last axis.

    Raises:
        ShapeError: it is too short to be mirrored.
        ValueError: an unknown boundary.
    """
    if boundary is None:
        return x
    if boundary not in ("odd", *_CONTINUATIONS):
        raise ValueError(
            f"jx.scipy.signal.{name}: boundary must be 'even', 'odd', 'constant', 'zeros' or None, "
            f"got {boundary!r}"
        )
    last, length = typeof(x).ndim - 1, typeof(x).shape[-1]
    if boundary in ("even", "odd") and n > length - 1:
        raise ShapeError(
            f"jx.scipy.signal.{name}: a signal of length {length} can't be mirrored by {n} "
            f"elements; make segments shorter, or use boundary='zeros'"
        )
    if n < 1:
        return x
    if boundary != "odd":
        return pad(x, [(0, 0)] * last + [(n, n)], _CONTINUATIONS[boundary])

    def mirrored(at: int, start: int) -> Array:
        edge = lax.slice_in_dim(x, at, at + 1, axis=last)
        part = lax.rev(lax.slice_in_dim(x, start, start + n, axis=last), (last,))
        return operators.subtract(operators.multiply(edge, 2), part)

    return lax.concatenate([mirrored(0, 1), x, mirrored(length - 1, length - 1 - n)], last)


def segmented(x: Array, length: int, step: int) -> Array:
    """The segments of a signal along the last axis: (..., n) becomes (..., segments, length)."""
    shape = typeof(x).shape
    count = (shape[-1] - length) // step + 1
    if count == 1:
        return lax.expand_dims(
            lax.slice_in_dim(x, 0, length, axis=len(shape) - 1), (len(shape) - 1,)
        )
    places = np.arange(count, dtype=np.int32)[:, None] * step + np.arange(length, dtype=np.int32)
    return plain(take)(x, places, axis=len(shape) - 1, mode="clip")  # type: ignore[no-any-return]


def added_up(x: Array, step: int) -> Array:
    """The sum of segments, each `step` after the one before: the transpose of `segmented`.

    Segments are cut into blocks of `step` elements. The blocks number k of all segments are a
    signal, to be added k blocks late. They are written below each other in rows, so that those
    delays are a shear, which comes of reading the same numbers in rows one block shorter.

    Args:
        x: segments, of shape (..., segments, length).
        step: by how much each starts after the one before.

    Returns:
        An array of shape (..., (segments - 1) * step + length).
    """
    *batch, count, length = typeof(x).shape
    blocks = math.ceil(length / step)
    zero = np.zeros((), typeof(x).dtype)[()]
    none = [(0, 0, 0)] * len(batch)
    x = lax.pad(x, zero, [*none, (0, 0, 0), (0, blocks * step - length, 0)])
    x = lax.reshape(x, (*batch, count, blocks, step))
    k = len(batch)
    x = lax.transpose(x, (*range(k), k + 1, k, k + 2))
    x = lax.pad(x, zero, [*none, (0, 0, 0), (0, blocks, 0), (0, 0, 0)])
    wide = (count + blocks - 1) * step
    flat = lax.reshape(x, (*batch, blocks * (count + blocks) * step))
    sheared = lax.slice_in_dim(flat, 0, blocks * wide, axis=k)
    total = lax.reduce_sum(lax.reshape(sheared, (*batch, blocks, wide)), (k,))
    return lax.slice_in_dim(total, 0, (count - 1) * step + length, axis=k)
