"""`vmap`, the public face of batching.

It turns functions of pytrees into the flat call of `trace.batch_flat` and puts the batch
axes where they are wanted. What the user says about axes is read in `specs.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from jx_core import mapping, tree, typeof
from jx_core.lax import reduce_sum_p
from jx_core.references import any_refs
from jx_core.staging import check_outputs, function_name
from jx_core.tracebacks import hide_internal_frames

from . import specs
from .axes import at_axis
from .refs import MappedRefs
from .tables import BatchAxis
from .trace import batch_flat

F = TypeVar("F", bound=Callable[..., Any])


def vmap(
    fun: F,
    in_axes: int | None | Sequence[Any] = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
    spmd_axis_name: Any = None,
    sum_match: bool = False,
) -> F:
    """Map `fun` over an axis of its arguments, all rows at once.

    Args:
        fun: takes and returns pytrees of arrays.
        in_axes: which axis of each positional argument to map over: an integer for all,
            or a sequence with an entry an argument, each a pytree prefix of it. Negative
            axes count from the end; None leaves an argument as it is, for all rows to
            share. Keyword arguments are mapped over axis 0.
        out_axes: where the mapped axis lies in the results, as a pytree prefix of them.
            None is for results that are the same for all rows.
        axis_name: a name for the mapped axis, which collectives inside `fun` can use.
        axis_size: the number of rows; needed where no argument is mapped.
        spmd_axis_name: the mesh axis, or tuple of them, that sharding constraints inside
            `fun` lay the mapped axis along.
        sum_match: where `out_axes` is None but the rows differ, return their sum.

    Returns:
        A function with the arguments of `fun`, with a further axis where `in_axes` says, and
        its results, with a further axis where `out_axes` says.

    Raises:
        TypeError: `fun` is not callable, or an axis is neither an integer nor None.
        ValueError: the mapped axes differ in length, an axis is out of range, or a
            specification is not a prefix of the tree it is for.

    >>> import numpy as np
    >>> from jx_core import lax
    >>> rows = vmap(lambda x, y: lax.mul(x, y), in_axes=(0, None))
    >>> rows(np.array([1.0, 2.0], np.float32), np.array([1.0, 10.0], np.float32))
    Array([[ 1., 10.],
           [ 2., 20.]], dtype=float32)
    """
    if not callable(fun):
        raise TypeError(f"Expected a callable value, got {fun!r}")
    mapped = _Mapped(fun, in_axes, out_axes, axis_name, axis_size, spmd_axis_name, sum_match)

    @functools.wraps(fun)
    def vmapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return mapped(args, kwargs)
        except Exception as error:
            hide_internal_frames(error)
            raise

    vmapped.__doc__ = _docstring(fun, mapped.name)
    return vmapped  # type: ignore[return-value]


def _docstring(fun: Any, name: str) -> str:
    text = (
        f"Vectorized version of {name}: takes similar arguments, with additional array axes "
        f"over which {name} is mapped."
    )
    own = getattr(fun, "__doc__", None)
    return f"{text}\n\nOriginal documentation:\n\n{own}" if own else text


def _remembered(
    known: dict[Any, specs.Axes], key: Any, work_out: Callable[[], specs.Axes]
) -> specs.Axes:
    """`work_out()`, once for each tree; every time for trees that can't be hashed."""
    try:
        found = known.get(key)
    except TypeError:
        return work_out()
    if found is None:
        found = known[key] = work_out()
    return found


class _Mapped:
    """A function and how to map it. What the specifications come to is kept for each tree."""

    __slots__ = (
        "_in_axes", "_out_axes", "axis_name", "axis_size", "fun", "in_axes", "name", "out_axes",
        "spmd_axis_name", "sum_match",
    )  # fmt: skip

    def __init__(
        self,
        fun: Callable[..., Any],
        in_axes: Any,
        out_axes: Any,
        axis_name: Any,
        axis_size: int | None,
        spmd_axis_name: Any,
        sum_match: bool,
    ) -> None:
        self.fun = fun
        self.name = function_name(fun)
        self.in_axes = specs.checked_in_axes(in_axes)
        self.out_axes = specs.checked_out_axes(out_axes)
        self.axis_name = axis_name
        self.axis_size = specs.checked_size(axis_size)
        self.spmd_axis_name = spmd_axis_name
        self.sum_match = sum_match
        self._in_axes: dict[Any, specs.Axes] = {}
        self._out_axes: dict[Any, specs.Axes] = {}

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        leaves, in_tree = tree.flatten((args, kwargs))
        axes = _remembered(
            self._in_axes, in_tree, lambda: specs.flat_in_axes(self.in_axes, args, kwargs)
        )
        refs = None
        if any_refs(leaves):
            names = functools.partial(specs.argument_names, self.fun, args, kwargs)
            refs = MappedRefs(leaves, axes, self.name, names)
        values = leaves if refs is None else refs.values
        dims, size = specs.dims_and_size(self.fun, axes, values, self.axis_size, args, kwargs)
        out_trees: list[Any] = []

        def flat(*rows: Any) -> list[Any]:
            given = rows if refs is None else refs.enter(rows)
            row_args, row_kwargs = tree.unflatten(in_tree, given)
            outputs, out_tree = tree.flatten(self.fun(*row_args, **row_kwargs))
            check_outputs(outputs, out_tree, self.name)
            out_trees.append(out_tree)
            return outputs if refs is None else refs.leave(outputs)

        axis = BatchAxis(size, self.axis_name, self.spmd_axis_name)
        outs, out_dims = batch_flat(flat, axis, values, dims)
        out_tree = out_trees[0]
        if refs is not None:
            outs, out_dims = refs.write_back(outs, out_dims, dims, size)
        wanted = _remembered(
            self._out_axes, out_tree, lambda: specs.flat_out_axes(self.out_axes, out_tree)
        )
        for i, (dim, want) in enumerate(zip(out_dims, wanted, strict=True)):
            if dim != want:
                outs[i] = self._placed(outs[i], dim, want, size, out_tree, i)
        return tree.unflatten(out_tree, outs)

    def _placed(
        self, x: Any, dim: int | None, want: int | None, size: int, out_tree: Any, i: int
    ) -> Any:
        """Result `i`, whose batch axis is `dim`, as `out_axes` wants it."""
        if want is None:
            assert dim is not None
            if self.sum_match:
                return reduce_sum_p.bind(x, axes=(dim,))
            where = specs.place_in_prefix(self.out_axes, out_tree, i)
            raise ValueError(
                f"at vmap out_axes{where}, got axis spec None but output was batched on axis "
                f"{dim}: None is for results that are the same for all rows. Give the axis to put "
                f"the rows along, or reduce over them after the vmap"
            )
        ndim = typeof(x).ndim + (dim is None)
        if not -ndim <= want < ndim:
            where = specs.place_in_prefix(self.out_axes, out_tree, i)
            raise ValueError(
                f"axis {want} is out of bounds for array of dimension {ndim}: at vmap "
                f"out_axes{where}, a result whose rows have {ndim - 1} dimensions can have the "
                f"mapped axis at {-ndim} to {ndim - 1}"
            )
        return at_axis(x, dim, size, want % ndim)


def _map_leading(fun: Callable[[list[Any]], list[Any]]) -> Callable[[list[Any]], list[Any]]:
    """`fun`, a function of one list of arrays, mapped over their leading axes."""

    def mapped(xs: list[Any]) -> list[Any]:
        axis = BatchAxis(typeof(xs[0]).shape[0])
        outs, dims = batch_flat(lambda *rows: fun(list(rows)), axis, xs, [0] * len(xs))
        return [at_axis(x, d, axis.size) for x, d in zip(outs, dims, strict=True)]

    return mapped


mapping.vectorize.append(_map_leading)
