"""Identities that mean something to who transforms or compiles a program: fences."""

from __future__ import annotations

from typing import Any

from ... import tree
from ...aval import ShapedArray, is_arraylike
from ...primitive import Primitive

__all__ = ["optimization_barrier", "optimization_barrier_p", "stop_gradient", "stop_gradient_p"]


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
