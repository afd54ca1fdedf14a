"""Prefix trees: trees whose leaves stand for whole subtrees of another tree.

`in_axes`, `out_axes`, `in_shardings` and their like are prefixes: one leaf may
speak for a whole argument, or the tree may go down as far as the argument does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .functions import tree_flatten
from .implementation import PyTreeDef, registry
from .mismatch import differences, structure_error

__all__ = [
    "flatten_prefix",
    "flatten_prefix_to_treedef",
    "prefix_errors",
    "structure_differences",
    "tree_broadcast",
]

IsLeaf = Callable[[Any], bool]


class _NotAPrefix(Exception):
    """Two structures differ; where is found out afterwards."""


def flatten_prefix(
    prefix_tree: Any,
    full_tree: Any,
    is_leaf: IsLeaf | None = None,
    what: str = "prefix tree",
    *,
    full_name: str = "the tree it applies to",
    none_is_leaf: bool = False,
) -> list[Any]:
    """The leaf of a prefix tree that speaks for each leaf of the full tree.

    Args:
      prefix_tree: a pytree whose structure is a prefix of the full tree's.
      full_tree: a pytree.
      is_leaf: called with each subtree of `prefix_tree`; True makes it a leaf.
      what: what errors call the prefix tree: the argument as the user knows it,
        such as `"vmap in_axes"`.
      full_name: what errors call the full tree.
      none_is_leaf: None in the prefix tree is a leaf, rather than a container
        with nothing in it. Meant for specifications in which None says
        something, such as `in_axes`.

    Returns:
      A list with as many items as `full_tree` has leaves.

    Raises:
      ValueError: the structure of `prefix_tree` is not a prefix; says where the
        two differ, and how.

    Example:
      >>> flatten_prefix((0, None), ([1, 2], {"a": 3}), what="in_axes", none_is_leaf=True)
      [0, 0, None]
    """
    treedef = tree_flatten(full_tree)[1]
    try:
        return _spread(prefix_tree, treedef, is_leaf, none_is_leaf)
    except _NotAPrefix:
        raise _prefix_error(
            prefix_tree, full_tree, is_leaf, what, full_name, none_is_leaf
        ) from None


def flatten_prefix_to_treedef(
    prefix_tree: Any,
    full_treedef: PyTreeDef,
    is_leaf: IsLeaf | None = None,
    what: str = "prefix tree",
    *,
    full_name: str = "the tree it applies to",
    none_is_leaf: bool = False,
) -> list[Any]:
    """As `flatten_prefix`, for who has the full tree's structure and not the tree.

    Example:
      >>> treedef = tree_flatten(([1, 2], {"a": 3}))[1]
      >>> flatten_prefix_to_treedef((0, {"a": 1}), treedef)
      [0, 0, 1]
    """
    try:
        return _spread(prefix_tree, full_treedef, is_leaf, none_is_leaf)
    except _NotAPrefix:
        raise _prefix_error(
            prefix_tree, full_treedef, is_leaf, what, full_name, none_is_leaf
        ) from None


def _spread(
    prefix_tree: Any, full_treedef: PyTreeDef, is_leaf: IsLeaf | None, none_is_leaf: bool
) -> list[Any]:
    if prefix_tree is None and none_is_leaf:
        return [None] * full_treedef.num_leaves
    if none_is_leaf:
        leaves, prefix_treedef = tree_flatten(prefix_tree, _or_none(is_leaf))
    else:
        leaves, prefix_treedef = tree_flatten(prefix_tree, is_leaf)
    if prefix_treedef == full_treedef:
        return leaves
    spread: list[Any] = []
    for leaf, count in zip(leaves, _leaf_counts(prefix_treedef, full_treedef), strict=True):
        if count == 1:
            spread.append(leaf)
        else:
            spread.extend([leaf] * count)
    return spread


def _is_none(tree: Any) -> bool:
    return tree is None


def _or_none(is_leaf: IsLeaf | None) -> IsLeaf:
    if is_leaf is None:
        return _is_none
    return lambda tree: tree is None or is_leaf(tree)


def _leaf_counts(prefix: PyTreeDef, full: PyTreeDef) -> Iterator[int]:
    """How many leaves of `full` each leaf of `prefix` stands for."""
    data = prefix.node_data()
    if data is None:
        yield full.num_leaves
        return
    children, full_children = prefix.children(), full.children()
    if len(children) != len(full_children) or data != full.node_data():
        raise _NotAPrefix
    for child, full_child in zip(children, full_children, strict=True):
        yield from _leaf_counts(child, full_child)


def _prefix_error(
    prefix_tree: Any,
    full: Any,
    is_leaf: IsLeaf | None,
    what: str,
    full_name: str,
    none_is_leaf: bool,
) -> Exception:
    return structure_error(
        f"{what} must be a tree prefix of {full_name}: down to its leaves, each of which may "
        "stand for a whole subtree, it must have the same containers; but",
        prefix_tree,
        full,
        is_leaf,
        names=(what, full_name),
        none_is_leaf=none_is_leaf,
    )


def prefix_errors(
    prefix_tree: Any,
    full_tree: Any,
    is_leaf: IsLeaf | None = None,
    what: str = "prefix tree",
    *,
    full_name: str = "full tree",
    none_is_leaf: bool = False,
) -> list[str]:
    """Sentences that say where and how a tree fails to be a prefix of another.

    Args:
      prefix_tree: a pytree or a PyTreeDef.
      full_tree: a pytree or a PyTreeDef.
      is_leaf: called with each subtree of `prefix_tree`; True makes it a leaf.
      what: what to call the prefix tree.
      full_name: what to call the full tree.
      none_is_leaf: as in `flatten_prefix`.

    Returns:
      One sentence for each place, from left to right; empty for a prefix.

    Example:
      >>> prefix_errors({"a": (0,)}, {"a": (1, 2)}, what="in_axes", full_name="x")
      ["in_axes['a'] is a tuple of length 1, but x['a'] is a tuple of length 2"]
    """
    found = differences(prefix_tree, full_tree, is_leaf, prefix=True, none_is_leaf=none_is_leaf)
    return [difference.describe(what, full_name) for difference in found]


def structure_differences(
    first: Any,
    second: Any,
    is_leaf: IsLeaf | None = None,
    *,
    first_name: str = "first",
    second_name: str = "second",
) -> list[str]:
    """Sentences that say where and how two trees differ in structure.

    Args:
      first: a pytree or a PyTreeDef.
      second: a pytree or a PyTreeDef.
      is_leaf: called with each subtree of both; True makes it a leaf.
      first_name: what to call the first tree.
      second_name: what to call the second tree.

    Returns:
      One sentence for each place, from left to right; empty for equal structures.

    Example:
      >>> structure_differences((1, 2), (1, [2]), first_name="carry in", second_name="carry out")
      ['carry in[1] is a leaf (int), but carry out[1] is a list of length 1']
    """
    found = differences(first, second, is_leaf)
    return [difference.describe(first_name, second_name) for difference in found]


def tree_broadcast(prefix_tree: Any, full_tree: Any, is_leaf: IsLeaf | None = None) -> Any:
    """A tree of the full tree's structure, holding the prefix tree's leaves.

    Args:
      prefix_tree: a pytree whose structure is a prefix of the full tree's.
      full_tree: a pytree.
      is_leaf: called with each subtree of `prefix_tree`; True makes it a leaf.

    Raises:
      ValueError: `prefix_tree` is not a prefix; says where the two differ, and how.

    Example:
      >>> tree_broadcast({"a": 1, "b": 2}, {"a": (0, 0), "b": [0, None]})
      {'a': (1, 1), 'b': [2, None]}
    """
    leaves = flatten_prefix(
        prefix_tree, full_tree, is_leaf, "tree_broadcast prefix_tree", full_name="full_tree"
    )
    return registry.flatten(full_tree)[1].unflatten(leaves)
