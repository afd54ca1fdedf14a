"""Refs among the arguments of a mapped function: each row of the batch is a Ref of its own.

Inside, a Ref that is mapped is replaced by one whose value is a row; the rows that were written
are put back together afterwards. One that is not mapped is the same for all rows, which may read
it only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import typeof
from jx_core.references import Ref, StandIns, check_distinct, held_type, read, write

from .axes import at_axis


class MappedRefs:
    """The Refs of one call.

    Args:
        leaves: the call's arguments.
        axes: the axis of each to map over, None for none.
        name: the function's name.
        names: gives what to call the arguments.

    Attributes:
        values: the arguments, with present values in place of Refs that are mapped. In place of
            others it has their values too, which only count by their type.

    Raises:
        ValueError: a Ref is passed twice.
    """

    def __init__(
        self, leaves: Sequence[Any], axes: Sequence[Any], name: str, names: Callable[[], list[str]]
    ) -> None:
        check_distinct(leaves, name, names)
        self.leaves = leaves
        self.shared = {i for i, (x, a) in enumerate(zip(leaves, axes, strict=True))
                       if type(x) is Ref and a is None}  # fmt: skip
        self.values = [read(x) if type(x) is Ref else x for x in leaves]
        self._written: list[int] = []
        self._inside = StandIns()

    def enter(self, rows: Sequence[Any]) -> list[Any]:
        """The arguments of the mapped function."""
        types = []
        for i, (x, row) in enumerate(zip(self.leaves, rows, strict=True)):
            mapped = type(x) is Ref and i not in self.shared
            types.append(x.type.update(inner_aval=typeof(row)) if mapped else None)
        given = self._inside.enter(types, rows)
        return [self.leaves[i] if i in self.shared else x for i, x in enumerate(given)]

    def leave(self, outputs: Sequence[Any]) -> list[Any]:
        """The results of the mapped function, with the last values of Refs that it wrote to."""
        last = self._inside.written()
        self._written = [i for i, _ in last]
        return [*outputs, *[value for _, value in last]]

    def write_back(
        self, outs: list[Any], out_dims: list[Any], dims: Sequence[Any], size: int
    ) -> tuple[list[Any], list[Any]]:
        """Write batches of last values to the Refs; returns the function's own results."""
        n = len(outs) - len(self._written)
        for i, value, dim in zip(self._written, outs[n:], out_dims[n:], strict=True):
            where = dims[i]
            assert where is not None
            batch = at_axis(value, dim, size, where)
            ref = self.leaves[i]
            assert typeof(batch) is held_type(ref.type)
            write(ref, batch)
        return outs[:n], out_dims[:n]
