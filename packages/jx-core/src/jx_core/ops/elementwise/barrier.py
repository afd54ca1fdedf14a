"""Identities that mean something to who transforms or compiles a program: fences and marks."""

from __future__ import annotations

from typing import Any

from ... import tree
from ...aval import ShapedArray, is_arraylike
from ...primitive import Primitive
from ..kit import any_or_key, elementwise

__all__ = [
    "dce_sink", "dce_sink_p", "optimization_barrier", "optimization_barrier_p", "stage",
    "stage_p", "stop_gradient", "stop_gradient_p",
]  # fmt: skip


def _types(*operands: ShapedArray) -> list[ShapedArray]:
    return list(operands)


# Operands: any number; results: the same.
optimization_barrier_p = Primitive(
    "optimization_barrier", abstract=_types, reference=lambda *xs: list(xs), multiple_results=True
)


def optimization_barrier(operand: Any, /) -> Any:
    """The arrays of a pytree as they are, but computed before anything that uses one of them.

    Args:
        operand: a pytree of arrays.

    Returns:
        The same pytree.

    >>> float(optimization_barrier(2.0))
    2.0
    """
    leaves, structure = tree.flatten(operand)
    return tree.unflatten(structure, optimization_barrier_p.bind(*leaves))


# One operand; the result is the same, but derivatives do not pass.
stop_gradient_p = Primitive("stop_gradient", abstract=lambda x: x, reference=lambda x: x.copy())


def stop_gradient(x: Any) -> Any:
    """The arrays of a pytree as constants to differentiation: their derivative is zero.

    Args:
        x: a pytree; leaves that are no arrays are left as they are.

    Returns:
        The same pytree.

    >>> float(stop_gradient(2.0))
    2.0
    """
    return tree.map(lambda leaf: stop_gradient_p.bind(leaf) if is_arraylike(leaf) else leaf, x)


stage_p = elementwise("stage", any_or_key, lambda x: x.copy())


def stage(x: Any, /) -> Any:
    """A value as an array of the program being traced; outside of tracing, as an array.

    Args:
        x: an array or a number, which stays weakly typed.

    >>> stage(2.0)
    Array(2., dtype=float32, weak_type=True)
    """
    return stage_p.bind(x)


USED = "used"  # the effect of an equation that has to stay, though it gives nothing


def _used(**params: Any) -> frozenset[Any]:
    return frozenset({USED})


# One operand, no results. Params: prevent_mlir_dce, whether the compiler must keep it as well.
dce_sink_p = Primitive(
    "dce_sink",
    abstract=lambda x, **params: [],
    reference=lambda x, **params: [],
    multiple_results=True,
    effects=_used,
)


def dce_sink(val: Any, *, prevent_mlir_dce: bool = False) -> None:
    """Keep the computation of the arrays of a pytree in programs, though nothing uses them.

    Args:
        val: a pytree of arrays.
        prevent_mlir_dce: keep it also when the program is compiled, not only in Jaxprs.

    >>> from jx_core import make_jaxpr
    >>> make_jaxpr(lambda x: dce_sink(x + 1.0))(1.0)
    { lambda ; a:f32[]. let
        b:f32[] = add a 1.0:f32[]
        dce_sink[prevent_mlir_dce=False] b
      in () }
    """
    for leaf in tree.leaves(val):
        dce_sink_p.bind(leaf, prevent_mlir_dce=bool(prevent_mlir_dce))
