"""Pieces of lowerings that are written with `lax` functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import ShapedArray
from jx_core.staging import trace_to_jaxpr

from ..builder import Block, Value
from ..program import constants, lower_jaxpr


def composed(
    block: Block,
    fun: Callable[..., Sequence[Any]],
    avals: Sequence[ShapedArray],
    operands: Sequence[Value],
) -> list[Value]:
    """Write what `fun`, made of `lax` functions, gives for operands of types `avals`."""
    jaxpr, consts = trace_to_jaxpr(fun, list(avals), "linalg")
    return lower_jaxpr(block, jaxpr, constants(block, consts), operands)
