"""What jx-core asks of differentiation: transposes and derivatives of programs.

`lax.custom_linear_solve` and `lax.custom_root` carry programs for their derivatives, made where
they are traced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import ClosedJaxpr, linear_maps, typeof

from .programs import transpose_jaxpr
from .tangents import is_differentiable, zeros
from .tape import linearize_flat


class _Layer:
    """This layer, as `jx_core.linear_maps` knows it."""

    def transpose(self, closed: ClosedJaxpr, linear: Sequence[bool]) -> ClosedJaxpr:
        active_out = tuple(map(is_differentiable, closed.out_avals))
        return transpose_jaxpr(closed, tuple(linear), active_out, instantiate=True)[0]

    def linearize(
        self, fun: Callable[..., Sequence[Any]], primals: Sequence[Any]
    ) -> Callable[..., list[Any]]:
        outs, linear_map = linearize_flat(fun, primals)
        avals = [typeof(p) for p in primals]
        out_avals = [typeof(o) for o in outs]

        def derivative(*tangents: Any) -> list[Any]:
            given = zip(tangents, avals, strict=True)
            moved = linear_map.forward([t for t, a in given if is_differentiable(a)])
            return [zeros(a) if t is None else t for t, a in zip(moved, out_avals, strict=True)]

        return derivative


linear_maps.layers.append(_Layer())
