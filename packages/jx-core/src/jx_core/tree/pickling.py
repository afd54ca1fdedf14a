"""Pickling of tree definitions.

A pickled definition names node types and their static data, nothing of the
implementation: what one process pickled with jaxlib's pytrees, another reads
with Python's or with another version of jaxlib, as long as it can import the
types and has registered them.
"""

from __future__ import annotations

import copyreg
from typing import Any

from .implementation import NAME, PyTreeDef, registry

__all__: list[str] = []


def _reduce(treedef: Any) -> Any:
    if NAME == "native" and treedef.__getstate__()[0] is not registry:
        # Made with somebody else's registry: it keeps its own way.
        return treedef.__reduce_ex__(4)
    return _rebuild, (_spell(treedef),)


def _spell(treedef: PyTreeDef) -> Any:
    """(type, static data, children) for a node, None for a leaf."""
    data = treedef.node_data()
    if data is None:
        return None
    return (*data, tuple([_spell(child) for child in treedef.children()]))


def _rebuild(spelled: Any) -> PyTreeDef:
    if spelled is None:
        return PyTreeDef.from_node_data_and_children(registry, None, [])
    node_type, aux, children = spelled
    return PyTreeDef.from_node_data_and_children(
        registry, (node_type, aux), [_rebuild(child) for child in children]
    )


copyreg.pickle(PyTreeDef, _reduce)
