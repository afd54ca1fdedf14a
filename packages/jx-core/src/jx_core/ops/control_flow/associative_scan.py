"""`associative_scan`: all partial combinations of the rows of arrays, in logarithmic depth.

Not a primitive: it is written out in slices, joins and calls of the function on whole arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import tree
from ...aval import typeof
from ...staging import function_name
from ..indexing import slice as slice_rows
from ..shape import concatenate, reshape, rev
from .programs import differing_leaves

__all__ = ["associative_scan"]


def associative_scan(
    fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """Combine rows with all rows before them, by an associative function, in parallel.

    The result's row `i` is `fn(fn(fn(e0, e1), e2), ... ei)`, computed in about `2 log2(n)` steps
    with about `2 n` combinations of rows: neighbours are combined, the half as many results are
    scanned, and the rows between are filled in (Blelloch, Prefix sums and their applications,
    1990).

    Args:
        fn: an associative function of two pytrees like `elems`, whose rows along `axis` it must
            combine each with each (it is called on many at once). Its result has the same tree,
            shapes and dtypes.
        elems: a pytree of arrays of one length along `axis`.
        reverse: whether to go from the last row to the first.
        axis: the axis to go along.

    Returns:
        A pytree like `elems`.

    Raises:
        TypeError: `fn` is not callable, or its result is not of the type of its arguments.
        ValueError: the arrays are of different lengths along `axis`, or have no such axis.

    >>> import numpy as np
    >>> from jx_core import lax
    >>> associative_scan(lax.mul, np.float32([1, 2, 3, 4])).tolist()
    [1.0, 2.0, 6.0, 24.0]
    >>> associative_scan(lax.max, np.int32([1, 3, 2]), reverse=True).tolist()
    [3, 3, 2]
    """
    if not callable(fn):
        raise TypeError(f"lax.associative_scan: fn argument should be callable, got {fn!r:.80}")
    leaves, elems_tree = tree.flatten(elems)
    if not leaves:
        return elems
    axes = [_axis_of(x, axis) for x in leaves]
    sizes = [typeof(x).shape[k] for x, k in zip(leaves, axes, strict=True)]
    if len(set(sizes)) > 1:
        shapes = [typeof(x).shape for x in leaves]
        raise ValueError(
            f"Array inputs to associative_scan must have the same first dimension, that of axis "
            f"{axis}. (saw: {shapes})"
        )
    if sizes[0] < 2:
        return elems
    scan = _Scan(fn, elems_tree, axes)
    if reverse:
        leaves = [rev(x, (k,)) for x, k in zip(leaves, axes, strict=True)]
    outs = scan.scan(leaves, sizes[0])
    if reverse:
        outs = [rev(x, (k,)) for x, k in zip(outs, axes, strict=True)]
    return tree.unflatten(elems_tree, outs)


def _axis_of(x: Any, axis: int) -> int:
    ndim = typeof(x).ndim
    if not -ndim <= axis < ndim:
        raise ValueError(
            f"axis {axis} is out of bounds for array of dimension {ndim}: associative_scan was "
            f"given one of type {typeof(x).str_short()}"
        )
    return axis % ndim


class _Scan:
    """The recursion, on flat lists of arrays; each is scanned along an axis of its own."""

    def __init__(self, fn: Callable[[Any, Any], Any], elems_tree: Any, axes: list[int]) -> None:
        self.fn = fn
        self.tree = elems_tree
        self.axes = axes

    def combine(self, a: list[Any], b: list[Any]) -> list[Any]:
        outs, out_tree = tree.flatten(
            self.fn(tree.unflatten(self.tree, a), tree.unflatten(self.tree, b))
        )
        given, made = [typeof(x) for x in a], [typeof(x) for x in outs]
        if out_tree != self.tree or any(
            x.shape != y.shape or x.dtype != y.dtype for x, y in zip(given, made, strict=True)
        ):
            raise TypeError(
                f"lax.associative_scan: {function_name(self.fn)} must return what it takes, rows "
                f"of the same types, but they differ (expected is its first argument's, got is its "
                f"result's):\n" + "\n".join(differing_leaves(self.tree, given, out_tree, made))
            )
        return outs

    def cut(self, xs: list[Any], start: int, stop: int, step: int = 1) -> list[Any]:
        """Rows `start` to `stop`, each `step`-th."""
        outs = []
        for x, k in zip(xs, self.axes, strict=True):
            shape = typeof(x).shape
            if (start, stop, step) == (0, shape[k], 1):
                outs.append(x)
                continue
            starts, limits, steps = [0] * len(shape), list(shape), [1] * len(shape)
            starts[k], limits[k], steps[k] = start, stop, step
            outs.append(slice_rows(x, starts, limits, steps if step > 1 else None))
        return outs

    def scan(self, xs: list[Any], n: int) -> list[Any]:
        """All partial combinations of `n` rows."""
        if n == 1:
            return xs
        pairs, rest = n // 2, (n - 1) // 2
        odd = self.scan(
            self.combine(self.cut(xs, 0, 2 * pairs - 1, 2), self.cut(xs, 1, 2 * pairs, 2)), pairs
        )
        first = self.cut(xs, 0, 1)
        if not rest:
            return self.join(first, odd)
        before = self.cut(odd, 0, rest)
        even = self.combine(before, self.cut(xs, 2, n, 2))
        parts = [first, self.alternate(before, even, rest)]
        if pairs > rest:
            parts.append(self.cut(odd, rest, pairs))
        return self.join(*parts)

    def join(self, *parts: list[Any]) -> list[Any]:
        columns = zip(*parts, strict=True)
        return [concatenate(list(c), k) for c, k in zip(columns, self.axes, strict=True)]

    def alternate(self, xs: list[Any], ys: list[Any], n: int) -> list[Any]:
        """One row of the first, one of the second, and so on."""
        outs = []
        for x, y, k in zip(xs, ys, self.axes, strict=True):
            shape = typeof(x).shape
            before, after = shape[:k], shape[k + 1 :]
            split = (*before, n, 1, *after)
            both = concatenate([reshape(x, split), reshape(y, split)], k + 1)
            outs.append(reshape(both, (*before, 2 * n, *after)))
        return outs
