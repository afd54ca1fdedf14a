"""Pytrees from jaxlib's C++: the names of `python.py`, some ten times as fast.

jx has a registry of its own, so that it neither sees nor disturbs the types
that others have registered with jaxlib's default one. The compiled-function
dispatcher of jaxlib takes the registry as an argument.
"""

from __future__ import annotations

import os

# Read when the library is loaded: without it XLA logs its start-up to stderr.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

from typing import Any

from jaxlib._jax import pytree as _pytree

from .key_order import KeyOrderError

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "PyTreeDef",
    "PyTreeRegistry",
    "SequenceKey",
    "all_leaves",
    "flatten_one_level_with_keys",
    "is_key_order_error",
    "registry",
    "treedef_tuple",
]

DictKey = _pytree.DictKey
FlattenedIndexKey = _pytree.FlattenedIndexKey
GetAttrKey = _pytree.GetAttrKey
SequenceKey = _pytree.SequenceKey
PyTreeDef = _pytree.PyTreeDef
PyTreeRegistry = _pytree.PyTreeRegistry
all_leaves = _pytree.all_leaves
treedef_tuple = _pytree.treedef_tuple


def is_key_order_error(error: BaseException) -> bool:
    """Whether flattening failed because a dict's keys can't be sorted."""
    return isinstance(error, KeyOrderError) or (
        isinstance(error, ValueError) and "sorting pytree dictionary keys" in str(error)
    )


registry = PyTreeRegistry()


def flatten_one_level_with_keys(tree: Any) -> tuple[Any, Any] | None:
    """The root's (key, child) pairs and static data; None for a leaf."""
    level = registry.flatten_one_level_with_keys(tree)
    if level is not None and level[1] is type(tree) and isinstance(tree, tuple):
        # A namedtuple: jaxlib gives every child the name of the first field.
        return [
            (GetAttrKey(name), child) for name, child in zip(level[1]._fields, tree, strict=True)
        ], level[1]
    return level  # type: ignore[no-any-return]
