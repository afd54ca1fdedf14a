"""`PartitionSpec`: which mesh axes each dimension of an array is split over.

It names axes, and knows of no mesh: with one, it makes a `NamedSharding`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from jx_core.jaxpr import define_notation
from jx_xla.runtime.named_sharding import UNCONSTRAINED, NamedSharding

from .context import mesh_in_context

__all__ = ["P", "PartitionSpec"]


def _part(part: Any) -> Any:
    """One dimension's entry: a tuple of one name is that name, and of none is None."""
    if isinstance(part, list):
        part = tuple(part)
    if not isinstance(part, tuple):
        return part
    for name in part:
        if name is None or isinstance(name, tuple) or name is UNCONSTRAINED:
            raise TypeError(
                f"PartitionSpec: within a tuple each entry must be the name of a mesh axis, "
                f"got {part!r}"
            )
    return part[0] if len(part) == 1 else part or None


class PartitionSpec:
    """Which mesh axes each dimension of an array is split over; `P` for short.

    Args:
        *parts: for each dimension the name of a mesh axis, a tuple of names (the first
            varies slowest), None where it is not split, or `PartitionSpec.UNCONSTRAINED`
            where the compiler may choose. Dimensions past the last part are not split.

    Immutable and hashable, and a sequence of its parts. A leaf to pytree functions.

    >>> P("data", None)
    P('data', None)
    >>> P(("x", "y"))[0]
    ('x', 'y')
    >>> P("x") == P(("x",))
    True
    """

    __slots__ = ("_hash", "_parts")

    UNCONSTRAINED: ClassVar[Any] = UNCONSTRAINED

    def __init__(self, *parts: Any) -> None:
        self._parts = tuple([_part(part) for part in parts])
        self._hash = hash(self._parts)

    def in_context(self, what: str) -> NamedSharding:
        """The sharding that it is on the mesh in context.

        Raises:
            RuntimeError: no mesh is in context; `what` names the user's argument.
            ValueError: it names an axis that the mesh lacks.

        >>> import jx_parallel
        >>> with jx_parallel.set_mesh(jx_parallel.make_mesh((1,), ("data",))):
        ...     P("data").in_context("where the batch lies").shard_shape((4, 3))
        (4, 3)
        """
        mesh = mesh_in_context()
        if mesh is None:
            raise RuntimeError(
                f"{what}: {self!r} needs a mesh in context: use `with jx.set_mesh(mesh):`, or "
                f"pass NamedSharding(mesh, {self!r}), which needs none"
            )
        return NamedSharding(mesh, self)

    def update(self, **changes: Any) -> PartitionSpec:
        """The same spec with ``partitions``, a tuple of its parts, replaced.

        >>> P("data", None).update(partitions=("model",))
        P('model',)
        """
        parts = changes.pop("partitions", self._parts)
        if changes:
            raise TypeError(f"PartitionSpec has no field {sorted(changes)}; it has ['partitions']")
        return PartitionSpec(*parts)

    def index(self, part: Any) -> int:
        """The first dimension with this part; raises ValueError if there is none.

        >>> P(None, ("x", "y"), "z").index(("x", "y"))
        1
        """
        return self._parts.index(_part(part))

    def count(self, part: Any) -> int:
        """How many dimensions have this part.

        >>> P("x", None, None).count(None)
        2
        """
        return self._parts.count(_part(part))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, index: Any) -> Any:
        return self._parts[index]

    def __add__(self, other: Any) -> PartitionSpec:
        if not isinstance(other, (PartitionSpec, tuple)):
            return NotImplemented
        return PartitionSpec(*self, *other)

    def __radd__(self, other: Any) -> PartitionSpec:
        return PartitionSpec(*other, *self) if isinstance(other, tuple) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return self is other or (type(other) is PartitionSpec and self._parts == other._parts)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> Any:
        return PartitionSpec, self._parts

    def __repr__(self) -> str:
        return f"P{self._parts!r}"


P = PartitionSpec

define_notation(PartitionSpec, lambda s: {"parts": s._parts}, lambda parts: PartitionSpec(*parts))
