"""The process's one implementation of pytrees: jaxlib's if it is there, else Python's.

The environment variable JX_PYTREES (`python` or `native`) overrules that. The
rest of jx takes the registry, the tree definition and the key entries from
here, and never from `python.py` or `native.py`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

__all__ = [
    "NAME",
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

if TYPE_CHECKING:
    from . import python as _chosen

    NAME = "python"
else:

    def _choose():
        wanted = os.environ.get("JX_PYTREES", "")
        if wanted not in ("", "python", "native"):
            raise ValueError(
                f"JX_PYTREES={wanted!r}: expected 'python' or 'native', or nothing for jaxlib's "
                "pytrees where jaxlib is installed and Python's where it is not"
            )
        if wanted != "python":
            try:
                from . import native

                return "native", native
            except ImportError:
                if wanted == "native":
                    raise
        from . import python

        return "python", python

    NAME, _chosen = _choose()

DictKey = _chosen.DictKey
FlattenedIndexKey = _chosen.FlattenedIndexKey
GetAttrKey = _chosen.GetAttrKey
SequenceKey = _chosen.SequenceKey
PyTreeDef = _chosen.PyTreeDef
PyTreeRegistry = _chosen.PyTreeRegistry
all_leaves = _chosen.all_leaves
flatten_one_level_with_keys = _chosen.flatten_one_level_with_keys
is_key_order_error = _chosen.is_key_order_error
registry = _chosen.registry
treedef_tuple = _chosen.treedef_tuple
