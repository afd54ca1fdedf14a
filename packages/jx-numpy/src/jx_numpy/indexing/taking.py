"""Functions that read or write at indices along an axis: `take`, `take_along_axis`, `put`.

What is chosen by conditions is in `choosing`, what finds the indices in `searching`.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from jx_core import compiled, dtypes, lax, operators
from jx_core.ops.elementwise import convert
from jx_core.ops.indexing import GatherDimensionNumbers, GatherScatterMode, gather_p
from jx_core.ops.indexing.gather import default_fill
from jx_core.ops.shape import reshape_p

from ..operands import one_axis, refuse_out, type_of
from .places import index_dtype, mode_of, place_of
from .plan import ARRAY, BATCH, SCALAR, WHOLE, Axis, Plan
from .reading import _number, read_plan
from .updating import update

__all__ = ["place", "put", "put_along_axis", "take", "take_along_axis"]

_FILL = GatherScatterMode.FILL_OR_DROP
_WHOLE = Axis(WHOLE)
_TAKE_MODES = {"fill": _FILL, "clip": GatherScatterMode.CLIP, None: _FILL}


@compiled(static_argnames=("axis", "mode", "unique_indices", "indices_are_sorted", "fill_value"))
def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    out: None = None,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    fill_value: Any = None,
) -> Any:
    """The elements of an array at indices along an axis.

    Args:
        a: an array.
        indices: integers, of any shape.
        axis: the axis they are on; None for the flattened array.
        out: must be None.
        mode: what indices out of bounds read: "fill" (the default), where negative ones count
            from the end; "wrap", which takes them modulo the size; "clip", which moves them
            to the nearest one inside, negative ones to 0.
        unique_indices, indices_are_sorted: promises, which may save work.
        fill_value: what mode "fill" reads; by default NaN for inexact dtypes, the least value
            of signed and the greatest of unsigned integers, True for booleans.

    Returns:
        An array with the axes of `indices` in the place of `axis`.

    Raises:
        TypeError: an operand is no array, or the indices are not integers.
        ValueError: `axis` is out of bounds, or `mode` is unknown.
        IndexError: `axis` has length 0, and there are indices.

    >>> jnp.take(jnp.array([5, 6, 7]), jnp.array([[0, 2], [1, 1]])).tolist()
    [[5, 7], [6, 6]]
    """
    refuse_out("take", out)
    aval, places = type_of("take", a, 0), type_of("take", indices, 1)
    shape = aval.shape
    if axis is None:
        shape = (aval.size,)
        a, axis = lax.reshape(a, shape), 0
    else:
        axis = one_axis("take", axis, len(shape))
    indices = _integers("take", indices, places)
    if not shape[axis] and places.size:
        raise IndexError("Cannot do a non-empty jnp.take() from an empty axis.")
    if mode == "raise":
        raise NotImplementedError(
            "The 'raise' mode to jnp.take is not supported: whether to raise would depend on "
            "values that are not known while tracing. Use 'fill', 'wrap' or 'clip'"
        )
    if mode == "wrap":
        indices = operators.remainder(indices, shape[axis]) if shape[axis] else indices
        chosen = GatherScatterMode.PROMISE_IN_BOUNDS
    elif mode in _TAKE_MODES:
        chosen = _TAKE_MODES[mode]
    else:
        raise ValueError(f"Invalid mode {mode!r} for jnp.take: expected 'fill', 'wrap' or 'clip'")
    if fill_value is not None:
        fill_value = _number(fill_value, aval.dtype)
    kind = Axis(ARRAY if places.shape else SCALAR)
    axes = (*[_WHOLE] * axis, kind, *[_WHOLE] * (len(shape) - axis - 1))
    batch = (BATCH,) if places.shape else ()
    plan = Plan(axes, (*range(axis), *batch, *range(axis + 1, len(shape))))
    return read_plan(
        a, [indices], plan, chosen, fill_value, indices_are_sorted, unique_indices,
        wrap=chosen is _FILL,
    )  # fmt: skip


def _integers(name: str, indices: Any, aval: Any) -> Any:
    """Indices as an array or tracer; booleans count as 0 and 1.

    Raises:
        TypeError: they are not integers.
    """
    if aval.dtype == np.bool_:
        return convert(indices, np.dtype(np.int32))
    if not dtypes.issubdtype(aval.dtype, np.integer):
        raise TypeError(
            f"{name} indices must be of integer type, got {aval.dtype.name}; "
            f"indices.astype(int) converts"
        )
    return np.asarray(indices, aval.dtype) if type(indices) is int else indices


# --- along an axis ---


@compiled(static_argnames=("axis", "mode", "fill_value", "wrap_negative_indices"))
def take_along_axis(
    arr: Any,
    indices: Any,
    axis: int | None = -1,
    mode: Any = None,
    fill_value: Any = None,
    *,
    wrap_negative_indices: bool | None = None,
) -> Any:
    """The elements at indices along an axis, other axes walked along with the indices'.

    What `argsort` and `argmax(..., keepdims=True)` return are such indices.

    Args:
        arr: an array.
        indices: integers, of the rank of `arr`; lengths of axes other than `axis` broadcast.
        axis: the axis they are on; None for the flattened array and indices of rank 1.
        mode: what indices out of bounds read: "fill" (the default), "clip",
            "promise_in_bounds".
        fill_value: what mode "fill" reads; see `take`.
        wrap_negative_indices: whether negative indices count from the end; yes by default.

    Raises:
        TypeError: the indices are not integers.
        ValueError: ranks differ, shapes don't broadcast, or `axis` is out of bounds.
        IndexError: the axis has length 0, and the mode has no value to fill in.

    >>> x = jnp.array([[3, 1, 2], [9, 7, 8]])
    >>> jnp.take_along_axis(x, jnp.argsort(x, axis=1), axis=1).tolist()
    [[1, 2, 3], [7, 8, 9]]
    """
    aval, places = type_of("take_along_axis", arr, 0), type_of("take_along_axis", indices, 1)
    indices = _integers("take_along_axis", indices, places)
    shape = aval.shape
    if axis is None:
        if places.ndim != 1:
            raise ValueError(
                f"take_along_axis: indices must be 1D if axis=None, got shape {places.shape}"
            )
        shape = (aval.size,)
        arr, axis = lax.reshape(arr, shape), 0
    if len(shape) != places.ndim:
        raise ValueError(
            f"indices and arr must have the same number of dimensions; {places.ndim} vs. "
            f"{len(shape)}"
        )
    axis = one_axis("take_along_axis", axis, len(shape))
    chosen = _FILL if mode is None else mode_of(mode)
    fill = None
    if chosen is _FILL:
        fill = default_fill(aval.dtype) if fill_value is None else _number(fill_value, aval.dtype)
    size = shape[axis]
    if not size:
        return _from_nothing(places.shape, shape, axis, fill, aval.dtype)
    dtype = index_dtype([indices], shape)
    indices = place_of(indices, size, dtype, wrap_negative_indices is not False)
    return _gather_along(arr, indices, axis, shape, chosen, fill)


def _from_nothing(
    places: tuple[int, ...], shape: tuple[int, ...], axis: int, fill: Any, dtype: Any
) -> Any:
    """What `take_along_axis` reads from an axis of length 0: each index is out of bounds."""
    wanted = list(lax.broadcast_shapes((*shape[:axis], 1, *shape[axis + 1 :]), places))
    wanted[axis] = places[axis]
    if fill is None and 0 not in wanted:
        raise IndexError(
            f"take_along_axis: axis {axis} of arr has length 0, got shape {shape}: no index is in "
            f"bounds there; with mode='fill' all read fill_value"
        )
    return lax.full(tuple(wanted), 0 if fill is None else fill, dtype)


def _gather_along(
    arr: Any,
    indices: Any,
    axis: int,
    shape: tuple[int, ...],
    mode: GatherScatterMode | None,
    fill_value: Any,
) -> Any:
    """Take along an axis: other axes are batching, or repeated on one side."""
    where = np.shape(indices)
    squeezed: list[int] = []  # axes of arr of length 1 beside longer ones of indices
    offset: list[int] = []  # axes of the result that run in the block
    sizes: list[int] = []
    operand_batching: list[int] = []
    indices_batching: list[int] = []
    kept: list[int] = []  # the lengths of the axes of indices that the vectors have
    position = 0
    for i, (n, m) in enumerate(zip(shape, where)):
        if i == axis:
            start = position
            sizes.append(1)
            kept.append(m)
        elif n == m:
            operand_batching.append(position)
            indices_batching.append(len(kept))
            sizes.append(1)
            kept.append(m)
        elif n == 1:
            squeezed.append(i)
            kept.append(m)
            continue
        elif m == 1:
            offset.append(i)
            sizes.append(n)
        else:
            raise ValueError(
                f"Incompatible shapes for broadcasting: take_along_axis got arr of shape {shape} "
                f"and indices of shape {where}, which must agree but for axis {axis}"
            )
        position += 1
    if any(shape[i] == where[i] == 0 for i in range(len(shape)) if i != axis):
        # No vector to take from, and none for the gather to take its pieces of.
        lengths = (where[i] if i == axis or shape[i] == 1 else shape[i] for i in range(len(shape)))
        return lax.reshape(arr, tuple(lengths))
    if squeezed:
        arr = lax.squeeze(arr, squeezed)
    numbers = GatherDimensionNumbers(
        offset_dims=tuple(offset),
        collapsed_slice_dims=(start,),
        start_index_map=(start,),
        operand_batching_dims=tuple(operand_batching),
        start_indices_batching_dims=tuple(indices_batching),
    )
    return gather_p.bind(
        arr,
        reshape_p.bind(indices, new_sizes=(*kept, 1), dimensions=None),
        dimension_numbers=numbers,
        slice_sizes=tuple(sizes),
        indices_are_sorted=False,
        unique_indices=False,
        mode=mode,
        fill_value=fill_value,
    )


# --- writing ---


def _refuse_inplace(name: str) -> NoReturn:
    raise ValueError(
        f"jax.numpy.{name} cannot modify arrays in-place, because JAX arrays are immutable. "
        f"Pass inplace=False to instead return an updated array."
    )


def put_along_axis(
    arr: Any,
    indices: Any,
    values: Any,
    axis: int | None,
    inplace: bool = True,
    *,
    mode: Any = None,
) -> Any:
    """An array with the elements at indices along an axis replaced.

    Args:
        arr: an array.
        indices: integers, of the rank of `arr`; see `take_along_axis`.
        values: an array that broadcasts to the shape of the elements replaced.
        axis: the axis the indices are on; None for the flattened array.
        inplace: must be False.
        mode: what becomes of updates out of bounds: "drop" (the default) or "clip".

    Raises:
        ValueError: `inplace` is True, or ranks differ.

    >>> x = jnp.array([[3, 1, 2], [9, 7, 8]])
    >>> jnp.put_along_axis(x, jnp.array([[0], [2]]), 0, axis=1, inplace=False).tolist()
    [[0, 1, 2], [9, 7, 0]]
    """
    if inplace:
        _refuse_inplace("put_along_axis")
    aval, places = type_of("put_along_axis", arr, 0), type_of("put_along_axis", indices, 1)
    if axis is None:
        flat = lax.reshape(arr, (aval.size,))
        return lax.reshape(update("set", flat, indices, values, mode), aval.shape)
    if places.ndim != aval.ndim:
        raise ValueError(
            f"put_along_axis arguments 'arr' and 'indices' must have same ndim. Got arr.ndim="
            f"{aval.ndim} and indices.ndim={places.ndim}."
        )
    axis = one_axis("put_along_axis", axis, aval.ndim)
    index = tuple(
        indices if i == axis
        else np.arange(n, dtype=np.int32).reshape([-1 if j == i else 1 for j in range(aval.ndim)])
        for i, n in enumerate(aval.shape)
    )  # fmt: skip
    return update("set", _as_array(arr), index, values, mode)


def _as_array(x: Any) -> Any:
    """`x` as an array of the current back end, or a tracer."""
    if hasattr(x, "aval"):
        return x
    from ..creation import asarray

    return asarray(x)


def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = True) -> Any:
    """An array with the elements at flat indices replaced.

    Args:
        a: an array.
        ind: integers into the flattened array.
        v: the values, repeated to the number of indices.
        mode: "clip" moves indices out of bounds to the nearest one inside, "wrap" takes them
            modulo the size; None clips, once negative ones count from the end.
        inplace: must be False.

    Raises:
        ValueError: `inplace` is True, or `mode` is unknown.

    >>> jnp.put(jnp.zeros(4, int), jnp.array([0, 3]), jnp.array([5, 6]), inplace=False).tolist()
    [5, 0, 0, 6]
    """
    if inplace:
        _refuse_inplace("put")
    if mode == "raise":
        raise NotImplementedError(
            "The 'raise' mode to jnp.put is not supported. Use 'clip', 'wrap' or None"
        )
    if mode not in (None, "clip", "wrap"):
        raise ValueError(f"mode should be one of 'wrap' or 'clip'; got {mode!r}")
    return _put(a, ind, v, "clip", wrap=mode == "wrap", negative=mode is None)


def _put(a: Any, ind: Any, v: Any, mode: str, *, wrap: bool, negative: bool) -> Any:
    """`put` under a mode of `x.at[...]`, of indices taken modulo the size if `wrap`.

    `negative` says whether negative ones count from the end.
    """
    aval, places = type_of("put", a, 0), type_of("put", ind, 1)
    if not aval.size and places.size:
        raise ValueError("put: can't put values into an empty array")
    flat = lax.reshape(_as_array(a), (aval.size,))
    values = _as_array(v)
    if places.size and values.size:
        index = lax.reshape(_integers("put", ind, places), (places.size,))
        if wrap:
            index = operators.remainder(index, aval.size)
        values = _repeated(values, places.size)
        flat = update("set", flat, index, values, mode, wrap=negative)
    return lax.reshape(flat, aval.shape)


def _repeated(values: Any, size: int) -> Any:
    """Values flattened, and repeated or cut to `size` elements; one value as a scalar."""
    n = values.size
    if n == 1:
        return lax.reshape(values, ())
    flat = lax.reshape(values, (n,))
    if n < size:
        flat = lax.concatenate([flat] * -(-size // n), 0)
    return lax.slice_in_dim(flat, 0, size)


def place(arr: Any, mask: Any, vals: Any, *, inplace: bool = True) -> Any:
    """An array with the elements where a mask is True replaced, in order.

    Args:
        arr: an array.
        mask: booleans, of the size of `arr`; may be traced.
        vals: the values, repeated to the number of elements.
        inplace: must be False.

    Raises:
        ValueError: `inplace` is True, sizes differ, or there are no values.

    >>> x = jnp.arange(5)
    >>> jnp.place(x, x > 2, jnp.array([7, 8]), inplace=False).tolist()
    [0, 1, 2, 7, 8]
    """
    if inplace:
        _refuse_inplace("place")
    aval, where, values = (type_of("place", x, i) for i, x in enumerate((arr, mask, vals)))
    if aval.size != where.size:
        raise ValueError(
            f"place: arr and mask must be the same size, got shapes {aval.shape}, {where.shape}"
        )
    if not values.size:
        raise ValueError("place: vals must be non-empty, got no values")
    from .searching import nonzero

    flat = lax.reshape(_as_array(mask), (where.size,))
    (index,) = nonzero(flat, size=aval.size, fill_value=aval.size)
    return _put(arr, index, vals, "drop", wrap=False, negative=False)
