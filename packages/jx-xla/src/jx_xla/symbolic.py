"""Programs lowered with symbolic shapes, refined to the shapes of a call.

`jit(f).trace(...)` and `.lower()` with symbolic shapes give dynamic StableHLO, which XLA does
not compile. For given shapes it is refined: the sizes are put in and worked through, and a
static program comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ShapedArray, typeof

from .lowering.types import type_of
from .runtime.mlir import refined_module

__all__ = ["refine"]


def refine(program: str | bytes | Any, concrete_avals: Sequence[Any]) -> str:
    """The static program that one with symbolic shapes is for arguments of given types.

    Whether the shapes fit the symbolic ones, `jx_core.symbolic.DimensionSolver` says with
    better messages; check before.

    Args:
        program: a StableHLO module as text, bytecode or module object, whose `main` takes the
            arguments.
        concrete_avals: for each argument of `main`, its type (`ShapedArray`, or anything that
            `typeof` takes), with integers for dimensions. Typed keys may be given as such.

    Returns:
        The module as text, ready to be compiled.

    Raises:
        ValueError: the shapes don't fit, or are symbolic.

    >>> import jx_core, numpy as np
    >>> from jx_core import lax, symbolic
    >>> x = jx_core.ShapeDtypeStruct(symbolic.symbolic_shape("b, 3"), np.float32)
    >>> text = jx_core.jit(lax.sin).trace(x).lower().as_text()
    >>> "tensor<?x3xf32>" in text
    True
    >>> "tensor<2x3xf32>" in refine(text, [np.ones((2, 3), np.float32)])
    True
    """
    avals = [a if isinstance(a, ShapedArray) else typeof(a) for a in concrete_avals]
    for i, a in enumerate(avals):
        if not all(type(d) is int for d in a.shape):
            raise ValueError(
                f"refine: argument {i} must have a concrete shape, got {a.str_short()}"
            )
    return refined_module(program, [type_of(a) for a in avals])
