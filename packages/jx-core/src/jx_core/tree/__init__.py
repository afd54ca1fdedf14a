"""Functions on pytrees, under short names: `tree.map`, `tree.leaves`, `tree.flatten`...

A pytree is a leaf or a container of pytrees: tuples, lists, dicts, None,
namedtuples, and classes registered as nodes. The long names, registration and
key entries are in `jx_core.tree_util`.
"""

from __future__ import annotations

from . import functions, implementation, paths, prefix, registration
from . import pickling as _pickling  # noqa: F401  (lets tree definitions be pickled)

all = functions.tree_all
flatten = functions.tree_flatten
leaves = functions.tree_leaves
map = functions.tree_map
reduce = functions.tree_reduce
reduce_associative = functions.tree_reduce_associative
structure = functions.tree_structure
transpose = functions.tree_transpose
unflatten = functions.tree_unflatten
flatten_with_path = paths.tree_flatten_with_path
leaves_with_path = paths.tree_leaves_with_path
map_with_path = paths.tree_map_with_path
broadcast = prefix.tree_broadcast
static = registration.static

# For jx's packages, which work with structures more than users do.
PyTreeDef = implementation.PyTreeDef
registry = implementation.registry
keystr = paths.keystr
generate_key_paths = paths.generate_key_paths
flatten_prefix = prefix.flatten_prefix
flatten_prefix_to_treedef = prefix.flatten_prefix_to_treedef
prefix_errors = prefix.prefix_errors
structure_differences = prefix.structure_differences

__all__ = [
    "all",
    "broadcast",
    "flatten",
    "flatten_with_path",
    "leaves",
    "leaves_with_path",
    "map",
    "map_with_path",
    "reduce",
    "reduce_associative",
    "static",
    "structure",
    "transpose",
    "unflatten",
]
