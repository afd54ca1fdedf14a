"""Symbolic dimensions in the types of exported functions: as text, and their values at a call.

What a dimension is, how it is parsed and solved for, is `jx_core.symbolic`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ShapedArray
from jx_core.symbolic import DimensionSolver, SymbolicScope, symbolic_shape


def is_static(aval: ShapedArray) -> bool:
    """Whether all dimensions are integers."""
    return all(type(d) is int for d in aval.shape)


def solved_types(
    in_avals: Sequence[ShapedArray],
    out_avals: Sequence[ShapedArray],
    actual: Sequence[ShapedArray],
    names: Sequence[str],
) -> list[ShapedArray]:
    """The types of results, given the arguments' types with symbolic dimensions and without.

    Raises:
        ValueError: the shapes don't fit.
    """
    solver = DimensionSolver([a.shape for a in in_avals], names)
    values = solver.solve([a.shape for a in actual])

    def value(d: Any) -> Any:
        return d if type(d) is int else d.evaluate(values)

    return [a.update(shape=tuple(map(value, a.shape))) for a in out_avals]


class Scopes:
    """Reads dimensions back, all of one export in one scope.

    Args:
        constraints: those of the scope.
    """

    def __init__(self, constraints: Sequence[str]) -> None:
        self.constraints = [str(c) for c in constraints]
        self._scope: Any = None

    def dimension(self, written: Any) -> Any:
        """The integer or symbolic dimension that was written as such, or as text.

        Raises:
            ValueError: it is neither.
        """
        if type(written) is int and written >= 0:
            return written
        if not isinstance(written, str):
            raise ValueError(f"no dimension is written as {written!r:.60}")
        if self._scope is None:
            self._scope = SymbolicScope(self.constraints)
        (dimension,) = symbolic_shape(written, scope=self._scope)
        return dimension


def constraints_of(avals: Sequence[ShapedArray]) -> list[str]:
    """The constraints of the scope of these types' dimensions."""
    symbolic: list[Any] = [d for a in avals for d in a.shape if type(d) is not int]
    return list(symbolic[0].scope.constraints) if symbolic else []
