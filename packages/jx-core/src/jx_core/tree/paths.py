"""Key paths: flattening and mapping that also say where each leaf is.

A key path is a tuple of key entries, one for each step from the root:
`SequenceKey(idx)`, `DictKey(key)`, `GetAttrKey(name)`, and
`FlattenedIndexKey(key)` for children of nodes that name none.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeAlias

from . import implementation
from .functions import align, explain_flatten_failure
from .implementation import PyTreeDef, registry

__all__ = [
    "KeyEntry",
    "KeyPath",
    "flatten_one_level_with_keys",
    "generate_key_paths",
    "keystr",
    "tree_flatten_with_path",
    "tree_leaves_with_path",
    "tree_map_with_path",
]

KeyEntry: TypeAlias = Hashable
KeyPath: TypeAlias = tuple[KeyEntry, ...]


def keystr(keys: KeyPath, *, simple: bool = False, separator: str = "") -> str:
    """A key path as text.

    Args:
      keys: a key path.
      simple: only the keys themselves, without brackets, quotes and dots.
      separator: put between the steps.

    Example:
      >>> from jx_core.tree_util import DictKey, GetAttrKey, SequenceKey
      >>> path = (GetAttrKey("layers"), SequenceKey(0), DictKey("w"))
      >>> keystr(path)
      ".layers[0]['w']"
      >>> keystr(path, simple=True, separator="/")
      'layers/0/w'
    """
    return separator.join([str(_bare(key)) if simple else str(key) for key in keys])


def _bare(entry: Any) -> Any:
    """What an entry holds: an index, a dict key or an attribute's name."""
    for field in ("key", "idx", "name"):
        if hasattr(entry, field):
            return getattr(entry, field)
    return entry


def tree_flatten_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> tuple[list[tuple[KeyPath, Any]], PyTreeDef]:
    """The (key path, leaf) pairs of a pytree, and its structure.

    Args:
      tree: a pytree.
      is_leaf: called with each subtree; True makes it a leaf.
      is_leaf_takes_path: `is_leaf` takes the key path before the subtree.

    Raises:
      ValueError: as `tree_flatten`.

    Example:
      >>> pairs, treedef = tree_flatten_with_path({"a": [1, 2]})
      >>> [(keystr(path), leaf) for path, leaf in pairs]
      [("['a'][0]", 1), ("['a'][1]", 2)]
    """
    predicate = is_leaf
    if is_leaf is not None and not is_leaf_takes_path:

        def predicate(_: Any, subtree: Any) -> bool:
            return is_leaf(subtree)

    try:
        return registry.flatten_with_path(tree, predicate)
    except (ValueError, SystemError, RecursionError) as error:
        explain_flatten_failure(error, tree, is_leaf)


def tree_leaves_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> list[tuple[KeyPath, Any]]:
    """The (key path, leaf) pairs of a pytree; arguments as `tree_flatten_with_path`.

    Example:
      >>> tree_leaves_with_path([7])
      [((SequenceKey(idx=0),), 7)]
    """
    return tree_flatten_with_path(tree, is_leaf, is_leaf_takes_path)[0]


generate_key_paths = tree_leaves_with_path


def tree_map_with_path(
    f: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> Any:
    """As `tree_map`, with the leaf's key path as the function's first argument.

    Example:
      >>> tree_map_with_path(lambda path, x: f"{keystr(path)}={x}", {"a": [1, 2]})
      {'a': ["['a'][0]=1", "['a'][1]=2"]}
    """
    pairs, treedef = tree_flatten_with_path(tree, is_leaf, is_leaf_takes_path)
    if not rest:
        return treedef.unflatten([f(path, leaf) for path, leaf in pairs])
    columns = align("tree_map_with_path", treedef, treedef, rest, None)
    return treedef.unflatten(
        [f(path, leaf, *others) for (path, leaf), *others in zip(pairs, *columns, strict=True)]
    )


def flatten_one_level_with_keys(tree: Any) -> tuple[Iterable[tuple[Any, Any]], Hashable]:
    """The (key, child) pairs of a pytree's root, and the root's static data.

    Raises:
      ValueError: the tree is a leaf.

    Example:
      >>> pairs, aux = flatten_one_level_with_keys({"b": 1, "a": 2})
      >>> tuple(pairs)
      ((DictKey(key='a'), 2), (DictKey(key='b'), 1))
    """
    level = implementation.flatten_one_level_with_keys(tree)
    if level is None:
        raise ValueError(f"can't tree-flatten type: {type(tree)!r}: it is a leaf")
    return level
