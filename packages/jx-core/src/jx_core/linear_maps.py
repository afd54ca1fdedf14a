"""A seam between layers: linear functions made of programs, if a layer can differentiate.

Equations that are solved implicitly (`lax.custom_linear_solve`, `lax.custom_root`) carry programs
for their derivatives, made when they are traced. Where `jx_ad` is there, it makes them; without
it nothing could ask for them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from .jaxpr.ir import ClosedJaxpr

# A module that appends to `layers` when imported, for who loads layers late.
late_module: list[str] = []


class Differentiation(Protocol):
    """What `jx_ad` offers."""

    def transpose(self, closed: ClosedJaxpr, linear: Sequence[bool]) -> ClosedJaxpr:
        """The program of (other arguments, cotangents) that gives the linear ones' cotangents."""

    def linearize(
        self, fun: Callable[..., Sequence[Any]], primals: Sequence[Any]
    ) -> Callable[..., list[Any]]:
        """The derivative of a flat function at `primals`, a flat linear function."""


layers: list[Differentiation] = []


def differentiation() -> Differentiation | None:
    """The layer that differentiates, or None where there is none."""
    while late_module:
        importlib.import_module(late_module.pop())
    return layers[-1] if layers else None
