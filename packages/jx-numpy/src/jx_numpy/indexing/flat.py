"""Flat indices from indices on each axis, and back: `ravel_multi_index`, `unravel_index`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import compiled, dtypes, lax, operators
from jx_core.errors import ConcretizationTypeError
from jx_core.trace import to_concrete

from ..functions import array_function
from ..operands import a_dtype, a_shape, an_integer, promote_dtypes, strong, type_of

__all__ = ["ravel_multi_index", "unravel_index"]


@array_function("shape")
def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """The index on each axis of elements given by their flat index.

    Args:
        indices: integers. Out of bounds they are moved to the nearest one inside, where
            negative ones count from the end first.
        shape: the shape of the array they are in.

    Returns:
        A tuple with an array of indices for each axis.

    >>> jnp.unravel_index(jnp.array([5, 22]), (4, 6))
    (Array([0, 3], dtype=int32), Array([5, 4], dtype=int32))
    """
    aval = type_of("unravel_index", indices)
    sizes = a_shape("unravel_index", shape)
    if not dtypes.issubdtype(aval.dtype, np.integer):
        raise TypeError(
            f"unravel_index: indices must be integers, got {aval.dtype.name}; "
            f"indices.astype(int) converts"
        )
    total = math.prod(sizes)
    flat = lax.select(lax.lt(indices, 0), lax.add(indices, total), indices)
    flat = lax.clamp(0, flat, max(total - 1, 0))
    out = []
    for n in reversed(sizes):
        out.append(strong(lax.rem(flat, n)))
        flat = lax.div(flat, n)
    return tuple(reversed(out))


def ravel_multi_index(
    multi_index: Sequence[Any],
    dims: Sequence[int],
    mode: str = "raise",
    order: str = "C",
    *,
    dtype: Any = None,
) -> Any:
    """The flat index of elements given by their index on each axis.

    Args:
        multi_index: an array of integers for each axis.
        dims: the shape of the array they are in.
        mode: what indices out of bounds do: "raise" (not while tracing), "wrap", "clip".
        order: "C" where the last axis runs fastest, "F" where the first does.
        dtype: the integer dtype of the result.

    Raises:
        ValueError: an index is out of bounds or not an integer; an unknown mode or order.
        ConcretizationTypeError: mode "raise" with traced indices.

    >>> jnp.ravel_multi_index((jnp.array([0, 3]), jnp.array([5, 4])), (4, 6)).tolist()
    [5, 22]
    """
    if len(multi_index) != len(dims):
        raise ValueError(
            f"ravel_multi_index: needs one index for each axis, got {len(multi_index)} for the "
            f"shape {tuple(dims)}"
        )
    sizes = tuple([an_integer("ravel_multi_index", d, "dims") for d in dims])
    avals = [type_of("ravel_multi_index", x, i) for i, x in enumerate(multi_index)]
    for aval in avals:
        if not dtypes.issubdtype(aval.dtype, np.integer):
            raise ValueError(f"ravel_multi_index: {aval.dtype.name} is not an integer type.")
    if order not in ("C", "F"):
        raise ValueError(f"invalid order={order!r}. Expected 'C' or 'F'")
    if mode == "raise":
        _check_bounds(multi_index, sizes)
    elif mode not in ("wrap", "clip"):
        raise ValueError(f"invalid mode={mode!r}. Expected 'raise', 'wrap', or 'clip'")
    wanted = None if dtype is None else a_dtype("ravel_multi_index", dtype)
    return _raveled(tuple(multi_index), sizes, mode, order, wanted)


def _check_bounds(multi_index: Sequence[Any], sizes: tuple[int, ...]) -> None:
    for index, size in zip(multi_index, sizes):
        known = to_concrete(index)
        if known is None:
            raise ConcretizationTypeError(
                index,
                "It decides whether jnp.ravel_multi_index raises; with mode='wrap' or 'clip' it "
                "does not.",
            )
        known = np.asarray(known)
        if known.size and not (0 <= known.min() and known.max() < size):
            raise ValueError(
                f"invalid entry in coordinates array: indices on an axis of length {size} must "
                f"lie in [0, {size}), got {known.min()} to {known.max()}"
            )


@compiled(static_argnames=("sizes", "mode", "order", "dtype"))
def _raveled(
    multi_index: tuple[Any, ...], sizes: tuple[int, ...], mode: str, order: str, dtype: Any
) -> Any:
    parts = operators.promote_shapes(
        "ravel_multi_index", *promote_dtypes("ravel_multi_index", *multi_index)
    )
    total: Any = 0
    stride = 1
    axes = range(len(sizes)) if order == "F" else reversed(range(len(sizes)))
    for axis in axes:
        part = parts[axis]
        if mode == "wrap":
            part = operators.remainder(part, sizes[axis])
        elif mode == "clip":
            part = lax.clamp(0, part, sizes[axis] - 1)
        total = operators.add(total, operators.multiply(part, stride))
        stride *= sizes[axis]
    return total if dtype is None else operators.to_dtype(total, dtype)
