"""Batching special functions: they act on each element by itself."""

from __future__ import annotations

from jx_core.ops import special

from .alignment import define_elementwise, primitives_of

define_elementwise(*primitives_of(special))
