"""A seam between layers: mapping a function over leading axes, if a layer can do it at once.

Jacobians push many tangents through one linear map. Where `jx_batching` is loaded they
go together, under `vmap`; with differentiation alone they go one by one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

# A module that appends to `vectorize` when imported, for who loads layers late.
late_module: list[str] = []

# Set by jx_batching: vectorize(fun)(xs) maps a flat function of one list of arrays over
# their leading axes and stacks its list of results on new leading axes.
vectorize: list[Callable[..., Any]] = []


def vectorizer() -> Callable[..., Any] | None:
    """The layer's `vectorize`, or None where no layer has one."""
    while late_module:
        importlib.import_module(late_module.pop())
    return vectorize[-1] if vectorize else None


def map_leading(fun: Callable[[list[Any]], list[Any]], xs: list[Any]) -> list[Any]:
    """Apply `fun` to each row of `xs` (arrays of one leading length) and stack the results."""
    layer = vectorizer()
    if layer is not None:
        return layer(fun)(xs)  # type: ignore[no-any-return]
    from . import lax

    if not xs[0].shape[0]:
        # Only the results' types matter, and what `fun` notes on the way.
        row = fun([np.zeros(x.shape[1:], x.dtype) for x in xs])
        return [lax.slice_in_dim(lax.expand_dims(r, (0,)), 0, 0) for r in row]
    rows = [
        fun([lax.index_in_dim(x, i, 0, keepdims=False) for x in xs]) for i in range(xs[0].shape[0])
    ]
    return [lax.stack(column) for column in zip(*rows, strict=True)]
