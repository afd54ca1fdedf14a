"""`map`: a function applied to one row after another, or to some rows at a time."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from ... import tree
from ..indexing import slice_in_dim
from ..shape import concatenate, reshape
from .scan import scan, scan_length

__all__ = ["map"]


def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """Apply `f` to each row of `xs`, one after another, and stack the results.

    Args:
        f: from a row of `xs` to a pytree of arrays.
        xs: a pytree of arrays of one leading length.
        batch_size: do this many rows at once, vectorised; needs `jx_batching`.

    Returns:
        The stacked results.

    Raises:
        ValueError: `batch_size` is given and no layer that can vectorise is loaded.

    >>> from jx_core import lax
    >>> map(lax.neg, np.float32([1, 2])).tolist()
    [-1.0, -2.0]
    """
    if batch_size is None:
        _, ys = scan(lambda _, x: ((), f(x)), (), xs)
        return ys
    from ...mapping import vectorizer

    layer = vectorizer()
    if layer is None:
        raise ValueError("lax.map: batch_size needs a layer that vectorises: import jx_batching")
    leaves, xs_tree = tree.flatten(xs)
    n = scan_length(xs, leaves, None)
    size = operator.index(batch_size)
    whole = n // size
    trees: list[Any] = []

    def rows(block: list[Any]) -> list[Any]:
        def one(row: list[Any]) -> list[Any]:
            out, out_tree = tree.flatten(f(tree.unflatten(xs_tree, row)))
            trees.append(out_tree)
            return out

        return layer(one)(block)  # type: ignore[no-any-return]

    parts = []
    if whole:
        blocks = [reshape(_head(x, whole * size), (whole, size, *x.shape[1:])) for x in leaves]
        _, ys = scan(lambda _, block: ((), rows(block)), (), blocks)
        parts.append([reshape(y, (whole * size, *y.shape[2:])) for y in ys])
    if n % size or not whole:
        parts.append(rows([_tail(x, whole * size) for x in leaves]))
    joined = [concatenate(list(c), 0) if len(c) > 1 else c[0] for c in zip(*parts, strict=True)]
    return tree.unflatten(trees[0], joined)


def _head(x: Any, n: int) -> Any:

    return slice_in_dim(x, 0, n)


def _tail(x: Any, n: int) -> Any:

    return slice_in_dim(x, n, None)
