"""Tree definitions as plain data, without pickling: what an exported function's arguments are.

Tuples, lists, dicts with string keys and None need no word. Classes are written by a name that
the user has registered for them on both sides; nothing is imported because some bytes say so.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from jx_core import tree, tree_util

T = TypeVar("T")


class _Node(NamedTuple):
    """How nodes of a class are written and read."""

    name: str
    nodetype: type
    serialize_auxdata: Callable[[Any], bytes | bytearray]
    deserialize_auxdata: Callable[[bytes], Any]
    from_children: Callable[[Any, Sequence[Any]], Any]


_by_type: dict[type, _Node] = {}
_by_name: dict[str, _Node] = {}


def register_pytree_node_serialization(
    nodetype: type[T],
    *,
    serialized_name: str,
    serialize_auxdata: Callable[[Any], bytes | bytearray],
    deserialize_auxdata: Callable[[bytes], Any],
    from_children: Callable[[Any, Sequence[Any]], Any] | None = None,
) -> type[T]:
    """Say how nodes of a class are written where they are arguments or results of an export.

    The class must be registered as a pytree node. Whoever loads the function registers it under
    the same name; the class itself may be another one.

    Args:
        nodetype: the class.
        serialized_name: what the bytes call it; unique, and for good.
        serialize_auxdata: makes bytes of a node's static data.
        deserialize_auxdata: makes static data of those bytes again. They may come from anybody:
            don't unpickle them.
        from_children: `from_children(aux_data, children)` makes a node; by default the function
            that the class was registered with as a pytree.

    Returns:
        `nodetype`.

    Raises:
        ValueError: the class or the name is registered already, or the class is no pytree node.

    >>> @tree_util.register_pytree_node_class
    ... class Pair:
    ...     def __init__(self, x, y, unit): self.x, self.y, self.unit = x, y, unit
    ...     def tree_flatten(self): return (self.x, self.y), self.unit
    ...     @classmethod
    ...     def tree_unflatten(cls, unit, children): return cls(*children, unit)
    >>> register_pytree_node_serialization(  # doctest: +ELLIPSIS
    ...     Pair, serialized_name="example.Pair",
    ...     serialize_auxdata=str.encode, deserialize_auxdata=bytes.decode)
    <class '...Pair'>
    """
    _check_new(nodetype, serialized_name, "register_pytree_node_serialization")
    if from_children is None:
        from_children = _unflatten_function(nodetype)
    node = _Node(
        serialized_name, nodetype, serialize_auxdata, deserialize_auxdata, from_children
    )
    _by_type[nodetype] = _by_name[serialized_name] = node
    return nodetype


def register_namedtuple_serialization(nodetype: type[T], *, serialized_name: str) -> type[T]:
    """Say by what name a namedtuple is written where it is an argument or result of an export.

    Args:
        nodetype: the class.
        serialized_name: what the bytes call it; unique, and for good.

    Returns:
        `nodetype`.

    Raises:
        ValueError: `nodetype` is no namedtuple, or it or the name is registered already.

    >>> class Point(NamedTuple):
    ...     x: float
    ...     y: float
    >>> register_namedtuple_serialization(Point, serialized_name="example.Point").__name__
    'Point'
    """
    fields = getattr(nodetype, "_fields", None)
    if not (isinstance(nodetype, type) and issubclass(nodetype, tuple) and fields is not None):
        raise ValueError(
            f"register_namedtuple_serialization: expected a namedtuple class, got {nodetype!r}"
        )
    _check_new(nodetype, serialized_name, "register_namedtuple_serialization")
    node = _Node(
        serialized_name,
        nodetype,
        lambda _: ",".join(fields).encode(),
        lambda data: _check_fields(data.decode(), fields, serialized_name),
        lambda _, children: nodetype(*children),
    )
    _by_type[nodetype] = _by_name[serialized_name] = node
    return nodetype


def _check_fields(written: str, fields: Sequence[str], name: str) -> None:
    if written != ",".join(fields):
        raise ValueError(
            f"the namedtuple {name} was exported with the fields {written.split(',')}, and is "
            f"registered here with {list(fields)}"
        )


def _check_new(nodetype: type, name: str, function: str) -> None:
    if nodetype in _by_type:
        raise ValueError(
            f"{function}: Duplicate serialization registration for type {nodetype}: it is "
            f"registered as {_by_type[nodetype].name!r}"
        )
    if name in _by_name:
        raise ValueError(
            f"{function}: Duplicate serialization registration for serialized_name {name!r}: it "
            f"is that of {_by_name[name].nodetype}"
        )


def _unflatten_function(nodetype: type) -> Callable[[Any, Sequence[Any]], Any]:
    """How the pytree registry makes a node of static data and children."""

    def make(aux: Any, children: Sequence[Any]) -> Any:
        node = tree_util.PyTreeDef.from_node_data_and_children(
            tree_util.default_registry, (nodetype, aux), [tree.structure(c) for c in children]
        )
        return tree.unflatten(node, [leaf for c in children for leaf in tree.leaves(c)])

    return make


register_pytree_node_serialization(
    OrderedDict,
    serialized_name="OrderedDict",
    serialize_auxdata=lambda keys: _joined(keys),
    deserialize_auxdata=lambda data: tuple(_split(data)),
    from_children=lambda keys, children: OrderedDict(zip(keys, children, strict=True)),
)


def _joined(keys: Sequence[Any]) -> bytes:
    import json

    _check_keys(keys)
    return json.dumps(list(keys)).encode()


def _split(data: bytes) -> list[str]:
    import json

    keys = json.loads(data)
    if not (isinstance(keys, list) and all(isinstance(k, str) for k in keys)):
        raise ValueError("the keys of an OrderedDict are not strings")
    return keys


def _check_keys(keys: Sequence[Any]) -> None:
    for key in keys:
        if not isinstance(key, str):
            raise TypeError(
                f"Serialization is supported only for dictionaries with string keys. Found key "
                f"{key!r} of type {type(key)}."
            )


def write_tree(treedef: Any) -> Any:
    """A tree definition as nested lists of strings, for JSON.

    Raises:
        ValueError: it has a node of a class that is not registered for serialization.
        TypeError: it has a dict whose keys are no strings.
    """
    data = treedef.node_data()
    if data is None:
        return "*"
    kind, aux = data
    children = [write_tree(c) for c in tree_util.treedef_children(treedef)]
    if kind is type(None):
        return ["none"]
    if kind is tuple:
        return ["tuple", children]
    if kind is list:
        return ["list", children]
    if kind is dict:
        _check_keys(aux)
        return ["dict", list(aux), children]
    node = _by_type.get(kind)
    if node is None:
        how = "namedtuple" if hasattr(kind, "_fields") else "pytree_node"
        raise ValueError(
            f"Cannot serialize PyTreeDef with a node of type {kind}: say what it is called, here "
            f"and where it is loaded, with jx.export.register_{how}_serialization"
        )
    written = node.serialize_auxdata(aux)
    if not isinstance(written, (bytes, bytearray)):
        raise TypeError(
            f"serialize_auxdata of {node.name!r} must return bytes, got {type(written).__name__}"
        )
    return ["node", node.name, base64.b64encode(bytes(written)).decode(), children]


_LEAF = object()


def read_tree(data: Any) -> Any:
    """The tree definition that `write_tree` wrote.

    Raises:
        ValueError: it is none, or names a class that is not registered for serialization here.
    """
    return tree.structure(_build(data))


def _build(data: Any) -> Any:
    """An instance of the tree, with something that is no node at its leaves."""
    match data:
        case "*":
            return _LEAF
        case ["none"]:
            return None
        case ["tuple", list(children)]:
            return tuple(map(_build, children))
        case ["list", list(children)]:
            return list(map(_build, children))
        case ["dict", list(keys), list(children)]:
            return {str(k): _build(c) for k, c in zip(keys, children, strict=True)}
        case ["node", str(name), str(aux), list(children)]:
            node = _by_name.get(name)
            if node is None:
                raise ValueError(
                    f"Cannot deserialize a PyTreeDef with a node called {name!r}: register its "
                    f"class in this process, with jx.export.register_pytree_node_serialization or "
                    f"register_namedtuple_serialization"
                )
            made = node.deserialize_auxdata(base64.b64decode(aux, validate=True))
            return node.from_children(made, [_build(c) for c in children])
    raise ValueError(f"no tree is written as {data!r:.60}")
