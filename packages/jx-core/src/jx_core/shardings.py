"""What core knows of shardings: that programs name them, and what one must offer.

How an array lies on devices is a back end's business. Core carries shardings through
programs as it is given them, and asks of them only what is listed here:

``insert_axis(position, name)``
    the sharding of a batch of such arrays, the batch axis being at ``position`` and laid
    along the mesh axis ``name`` (a tuple for several, None for none).
``check_compatible_aval(shape)``
    raises ValueError where arrays of this shape can't be laid out so.
``unconstrained_dims``
    a frozenset of the dimensions that it leaves to the compiler.

Something that only stands for a sharding where a mesh is in context, such as a partition
spec, has ``in_context(what)``, which gives that sharding or raises RuntimeError; `what`
is the user's argument, for the message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["check", "flatten_prefix", "resolve"]


def check(value: Any, what: str) -> None:
    """Raise a TypeError unless `value` is None, a sharding or something that stands for one."""
    if value is None or hasattr(value, "insert_axis") or hasattr(value, "in_context"):
        return
    raise TypeError(
        f"{what}: expected shardings, PartitionSpecs or None as leaves, got {value!r} of type "
        f"{type(value).__name__}"
    )


def resolve(value: Any, what: str) -> Any:
    """The sharding that `value` is, or stands for in the mesh in context; None for None.

    Raises:
        TypeError: it is nothing of the kind.
        RuntimeError: it needs a mesh, and none is in context.
    """
    if value is None or hasattr(value, "insert_axis"):
        return value
    check(value, what)
    return value.in_context(what)


def flatten_prefix(
    prefix: Any, structure: Any, what: str, convert: Callable[[Any, str], Any] = resolve
) -> list[Any]:
    """The sharding (or None) for each leaf of a tree, out of a prefix of that tree.

    Args:
        prefix: a pytree of shardings, of what stands for them, and of None.
        structure: the tree's structure.
        what: the user's argument, for messages.
        convert: `convert(leaf, what)` makes each leaf of the prefix what is returned.

    Raises:
        ValueError: the structure of `prefix` is not a prefix of the tree's.
        TypeError, RuntimeError: as `resolve`.
    """
    from . import tree

    if prefix is None or prefix is False or hasattr(prefix, "insert_axis"):
        return [convert(prefix, what)] * structure.num_leaves
    leaves = tree.flatten_prefix_to_treedef(prefix, structure, what=what, none_is_leaf=True)
    made: dict[int, Any] = {}
    for leaf in leaves:
        if id(leaf) not in made:
            made[id(leaf)] = convert(leaf, what)
    return [made[id(leaf)] for leaf in leaves]
