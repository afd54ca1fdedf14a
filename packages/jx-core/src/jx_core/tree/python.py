"""Pytrees in pure Python: the registry and the tree definition.

This is what runs where jaxlib is not installed. `native.py` offers the same
names from jaxlib's C++; everything else in this package is written once,
against what the two have in common. One of them serves a whole process:
`implementation.py` chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .key_order import KeyOrderError, sort_keys
from .keys import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey

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

Flatten = Callable[[Any], tuple[Iterable[Any], Any]]
Unflatten = Callable[[Any, Any], Any]
IsLeaf = Callable[[Any], bool]
IsLeafAt = Callable[[Any, Any], bool]


class _Kind:
    """How the nodes of one type are taken apart, put together and printed."""

    __slots__ = ("custom", "flatten", "flatten_with_keys", "render", "type", "unflatten")

    def __init__(
        self,
        type: type,
        flatten: Flatten,
        unflatten: Unflatten,
        flatten_with_keys: Flatten | None,
        render: Callable[[Any, list[str]], str],
        custom: bool = False,
    ) -> None:
        self.type = type
        self.flatten = flatten
        self.unflatten = unflatten
        self.flatten_with_keys = flatten_with_keys
        self.render = render
        self.custom = custom

    def take_apart(self, node: Any) -> tuple[tuple[Any, ...], Any]:
        """The node's children and its static data."""
        parts = self.flatten(node)
        if self.custom:
            children, aux = _checked(self.type, parts)
            return tuple(children), aux
        return parts  # type: ignore[return-value]

    def take_apart_with_keys(self, node: Any) -> tuple[list[tuple[Any, Any]], Any]:
        """The node's (key, child) pairs and its static data."""
        if self.flatten_with_keys is None:
            children, aux = self.take_apart(node)
            return [(FlattenedIndexKey(i), child) for i, child in enumerate(children)], aux
        parts = self.flatten_with_keys(node)
        pairs, aux = _checked(self.type, parts) if self.custom else parts
        return [(key, child) for key, child in pairs], aux


def _checked(node_type: type, parts: Any) -> tuple[Iterable[Any], Any]:
    """What a user's flatten function returned, if it is what it has to be."""
    if isinstance(parts, tuple) and len(parts) == 2 and hasattr(parts[0], "__iter__"):
        return parts
    raise ValueError(
        f"the flatten function registered for {node_type!r} should return a tuple "
        f"(children, aux_data) whose children can be iterated over, got {parts!r}"
    )


def _render_dict(keys: list[Any], children: list[str]) -> str:
    items = (f"{key!r}: {child}" for key, child in zip(keys, children, strict=True))
    return "{" + ", ".join(items) + "}"


def _render_tuple(_: Any, children: list[str]) -> str:
    return f"({children[0]},)" if len(children) == 1 else f"({', '.join(children)})"


def _flatten_dict(node: dict[Any, Any]) -> tuple[tuple[Any, ...], list[Any]]:
    keys = sort_keys(node)
    return tuple([node[key] for key in keys]), keys


def _flatten_dict_with_keys(node: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    keys = sort_keys(node)
    return [(DictKey(key), node[key]) for key in keys], keys


def _sequence_pairs(node: Sequence[Any]) -> tuple[list[Any], None]:
    return [(SequenceKey(i), child) for i, child in enumerate(node)], None


def _builtin_kinds() -> list[_Kind]:
    return [
        _Kind(
            type(None), lambda _: ((), None), lambda _aux, _children: None,
            lambda _: ((), None), lambda _aux, _children: "None",
        ),
        _Kind(
            tuple, lambda node: (node, None), lambda _, children: tuple(children),
            _sequence_pairs, _render_tuple,
        ),
        _Kind(
            list, lambda node: (tuple(node), None), lambda _, children: list(children),
            _sequence_pairs, lambda _, children: f"[{', '.join(children)}]",
        ),
        _Kind(
            dict, _flatten_dict, lambda keys, children: dict(zip(keys, children, strict=True)),
            _flatten_dict_with_keys, _render_dict,
        ),
    ]  # fmt: skip


def _namedtuple_kind(cls: Any) -> _Kind:
    def with_keys(node: Any) -> tuple[list[Any], Any]:
        return [(GetAttrKey(f), child) for f, child in zip(cls._fields, node, strict=True)], None

    def render(_: Any, children: list[str]) -> str:
        return f"CustomNode(namedtuple[{cls.__name__}], [{', '.join(children)}])"

    return _Kind(
        cls, lambda node: (tuple(node), None), lambda _, children: cls(*children), with_keys, render
    )


def _custom_kind(
    cls: type, flatten: Flatten, unflatten: Unflatten, flatten_with_keys: Flatten | None
) -> _Kind:
    def render(aux: Any, children: list[str]) -> str:
        return f"CustomNode({cls.__name__}[{aux}], [{', '.join(children)}])"

    return _Kind(cls, flatten, unflatten, flatten_with_keys, render, custom=True)


class PyTreeDef:
    """The structure of a pytree: its nodes, with a `*` where each leaf was."""

    __slots__ = ("_aux", "_children", "_hash", "_kind", "num_leaves", "num_nodes")

    _kind: _Kind | None  # None for a leaf
    _aux: Any
    _children: tuple[PyTreeDef, ...]
    _hash: int | None
    num_leaves: int
    num_nodes: int

    def __init__(self) -> None:
        raise TypeError("PyTreeDef: no constructor; use tree_structure(tree)")

    def __repr__(self) -> str:
        return f"PyTreeDef({self._render()})"

    def _render(self) -> str:
        if self._kind is None:
            return "*"
        return self._kind.render(self._aux, [child._render() for child in self._children])

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, PyTreeDef):
            return NotImplemented
        if self._kind is None or other._kind is None:
            return self._kind is other._kind
        return (
            self._kind.type is other._kind.type
            and self.num_nodes == other.num_nodes
            and bool(self._aux == other._aux)
            and self._children == other._children
        )

    def __hash__(self) -> int:
        if self._hash is None:
            node_type = self._kind.type if self._kind is not None else None
            try:
                aux = hash(self._aux)
            except TypeError:  # static data need not be hashable, only comparable
                aux = 0
            self._hash = hash((node_type, aux, self._children))
        return self._hash

    def unflatten(self, leaves: Iterable[Any], /) -> Any:
        """The tree of this structure with these leaves.

        Raises:
          ValueError: there are more or fewer leaves than `num_leaves`.
        """
        values = list(leaves)
        if len(values) < self.num_leaves:
            raise ValueError(
                f"Too few leaves for PyTreeDef; expected {self.num_leaves}, got {len(values)}"
            )
        if len(values) > self.num_leaves:
            raise ValueError(
                f"Too many leaves for PyTreeDef; expected {self.num_leaves}, got {len(values)}"
            )
        return self._build(iter(values))

    def _build(self, leaves: Iterator[Any]) -> Any:
        if self._kind is None:
            return next(leaves)
        return self._kind.unflatten(
            self._aux, tuple([child._build(leaves) for child in self._children])
        )

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """The subtrees of `tree` at the places of this structure's leaves.

        Raises:
          ValueError: this structure is not a prefix of the tree's.
        """
        subtrees: list[Any] = []
        self._flatten_up_to(tree, subtrees)
        return subtrees

    def _flatten_up_to(self, tree: Any, out: list[Any]) -> None:
        kind = self._kind
        if kind is None:
            out.append(tree)
            return
        if type(tree) is not kind.type:
            raise ValueError(f"Expected {kind.type.__name__}, got {tree!r}.")
        children, aux = kind.take_apart(tree)
        if not (aux == self._aux):
            raise ValueError(
                f"Mismatched static data of {kind.type.__name__}: expected {self._aux!r}, "
                f"got {aux!r}; value: {tree!r}."
            )
        if len(children) != len(self._children):
            raise ValueError(
                f"Mismatched number of children of {kind.type.__name__}: expected "
                f"{len(self._children)}, got {len(children)}; value: {tree!r}."
            )
        for definition, child in zip(self._children, children, strict=True):
            definition._flatten_up_to(child, out)

    def children(self) -> list[PyTreeDef]:
        """The structures of the root's children."""
        return list(self._children)

    def node_data(self) -> tuple[type, Any] | None:
        """The root's type and its static data; None for a leaf."""
        return None if self._kind is None else (self._kind.type, self._aux)

    def compose(self, inner: PyTreeDef, /) -> PyTreeDef:
        """This structure with `inner` in the place of each leaf."""
        if self._kind is None:
            return inner
        return _node(
            self._kind, self._aux, tuple([child.compose(inner) for child in self._children])
        )

    def walk(
        self,
        f_node: Callable[[Any, Any], Any],
        f_leaf: Callable[[Any], Any],
        leaves: Iterable[Any],
        /,
    ) -> Any:
        """Folds a tree: `f_leaf(leaf)` at leaves, `f_node(children's results, data)` at nodes."""
        remaining = iter(leaves)

        def fold(definition: PyTreeDef) -> Any:
            if definition._kind is None:
                return f_leaf(next(remaining))
            return f_node(tuple([fold(child) for child in definition._children]), definition._aux)

        return fold(self)

    def from_iterable_tree(self, xs: Any, /) -> Any:
        """The tree of this structure from nested iterables of its children."""
        if self._kind is None:
            return xs
        items = tuple(xs)
        if len(items) != len(self._children):
            raise ValueError(
                f"Arity mismatch between trees: {self!r} has {len(self._children)} children "
                f"where {xs!r} has {len(items)}"
            )
        pairs = zip(self._children, items, strict=True)
        return self._kind.unflatten(
            self._aux, tuple([child.from_iterable_tree(x) for child, x in pairs])
        )

    @staticmethod
    def from_node_data_and_children(
        registry: PyTreeRegistry,
        node_data: tuple[type, Any] | None,
        children: Iterable[PyTreeDef],
    ) -> PyTreeDef:
        """The inverse of `node_data` and `children`."""
        if node_data is None:
            return _LEAF
        node_type, aux = node_data
        kind = registry._kind_of(node_type)
        if kind is None:
            raise RuntimeError(f"{node_type!r} is not registered as a pytree node")
        return _node(kind, aux, tuple(children))


def _new_treedef(
    kind: _Kind | None, aux: Any, children: tuple[PyTreeDef, ...], leaves: int, nodes: int
) -> PyTreeDef:
    treedef = object.__new__(PyTreeDef)
    treedef._kind = kind
    treedef._aux = aux
    treedef._children = children
    treedef._hash = None
    treedef.num_leaves = leaves
    treedef.num_nodes = nodes
    return treedef


_LEAF = _new_treedef(None, None, (), 1, 1)


def _node(kind: _Kind, aux: Any, children: tuple[PyTreeDef, ...]) -> PyTreeDef:
    leaves, nodes = 0, 1
    for child in children:
        leaves += child.num_leaves
        nodes += child.num_nodes
    return _new_treedef(kind, aux, children, leaves, nodes)


def _says_leaf(answer: Any) -> bool:
    """Whether an `is_leaf` function's answer is yes; a ValueError if it is no answer."""
    if answer is True:
        return True
    if answer is False or answer is None:
        return False
    raise ValueError(
        f"is_leaf predicate returned a non-boolean value {answer!r}; expected a boolean"
    )


class PyTreeRegistry:
    """The types that are nodes of pytrees, and how each is flattened.

    A value whose type (exactly: not a subclass) is not registered is a leaf;
    namedtuple classes are nodes without being registered.
    """

    __slots__ = ("_kinds", "_namedtuples")

    def __init__(self) -> None:
        self._kinds: dict[type, _Kind] = {kind.type: kind for kind in _builtin_kinds()}
        self._namedtuples: dict[type, _Kind] = {}

    def _kind_of(self, node_type: type) -> _Kind | None:
        kind = self._kinds.get(node_type)
        if kind is None and issubclass(node_type, tuple) and hasattr(node_type, "_fields"):
            kind = self._namedtuples.get(node_type)
            if kind is None:
                kind = self._namedtuples[node_type] = _namedtuple_kind(node_type)
        return kind

    def is_node(self, type: type) -> bool:
        """Whether values of this type are nodes rather than leaves."""
        return self._kind_of(type) is not None

    def flatten(
        self, tree: Any, leaf_predicate: IsLeaf | None = None
    ) -> tuple[list[Any], PyTreeDef]:
        """The tree's leaves from left to right, and its structure."""
        leaves: list[Any] = []
        return leaves, self._flatten(tree, leaf_predicate, leaves)

    def _flatten(self, tree: Any, is_leaf: IsLeaf | None, leaves: list[Any]) -> PyTreeDef:
        stop = is_leaf is not None and _says_leaf(is_leaf(tree))
        kind = None if stop else self._kind_of(type(tree))
        if kind is None:
            leaves.append(tree)
            return _LEAF
        children, aux = kind.take_apart(tree)
        return _node(kind, aux, tuple([self._flatten(c, is_leaf, leaves) for c in children]))

    def flatten_with_path(
        self, tree: Any, leaf_predicate: IsLeafAt | None = None
    ) -> tuple[list[tuple[tuple[Any, ...], Any]], PyTreeDef]:
        """As `flatten`, with each leaf's key path; the predicate takes (path, node)."""
        leaves: list[tuple[tuple[Any, ...], Any]] = []
        return leaves, self._flatten_with_path((), tree, leaf_predicate, leaves)

    def _flatten_with_path(
        self, path: tuple[Any, ...], tree: Any, is_leaf: IsLeafAt | None, leaves: list[Any]
    ) -> PyTreeDef:
        stop = is_leaf is not None and _says_leaf(is_leaf(path, tree))
        kind = None if stop else self._kind_of(type(tree))
        if kind is None:
            leaves.append((path, tree))
            return _LEAF
        pairs, aux = kind.take_apart_with_keys(tree)
        children = [
            self._flatten_with_path((*path, key), child, is_leaf, leaves) for key, child in pairs
        ]
        return _node(kind, aux, tuple(children))

    def flatten_one_level(self, tree: Any) -> tuple[Iterable[Any], Any] | None:
        """The root's children and static data; None for a leaf."""
        kind = self._kind_of(type(tree))
        return None if kind is None else kind.take_apart(tree)

    def flatten_one_level_with_keys(
        self, tree: Any
    ) -> tuple[Iterable[tuple[Any, Any]], Any] | None:
        """The root's (key, child) pairs and static data; None for a leaf."""
        kind = self._kind_of(type(tree))
        return None if kind is None else kind.take_apart_with_keys(tree)

    def register_node(
        self,
        type: type,
        to_iterable: Flatten,
        from_iterable: Unflatten,
        to_iterable_with_keys: Flatten | None = None,
    ) -> None:
        """Makes values of this type nodes."""
        self._register(_custom_kind(type, to_iterable, from_iterable, to_iterable_with_keys))

    def register_dataclass_node(
        self, type: type, data_fields: Sequence[str], meta_fields: Sequence[str], /
    ) -> None:
        """Makes values of this type nodes whose children are attributes."""
        data, meta = tuple(data_fields), tuple(meta_fields)

        def flatten(node: Any) -> tuple[tuple[Any, ...], Any]:
            static = tuple([getattr(node, name) for name in meta])
            return tuple([getattr(node, name) for name in data]), static

        def flatten_with_keys(node: Any) -> tuple[list[tuple[Any, Any]], Any]:
            children, static = flatten(node)
            return [(GetAttrKey(n), c) for n, c in zip(data, children, strict=True)], static

        def unflatten(static: Any, children: Iterable[Any]) -> Any:
            fields = dict(zip(data, children, strict=True))
            return type(**fields, **dict(zip(meta, static, strict=True)))

        self._register(_custom_kind(type, flatten, unflatten, flatten_with_keys))

    def _register(self, kind: _Kind) -> None:
        if self._kinds.setdefault(kind.type, kind) is not kind:
            raise ValueError(f"Duplicate custom PyTreeDef type registration for {kind.type!r}.")


def all_leaves(registry: PyTreeRegistry, iterable: Iterable[Any], /) -> bool:
    """Whether no item is a node."""
    return not any(registry.is_node(type(item)) for item in iterable)


def treedef_tuple(registry: PyTreeRegistry, treedefs: Sequence[PyTreeDef], /) -> PyTreeDef:
    """The structure of a tuple whose items have the given structures."""
    return PyTreeDef.from_node_data_and_children(registry, (tuple, None), treedefs)


def is_key_order_error(error: BaseException) -> bool:
    """Whether flattening failed because a dict's keys can't be sorted."""
    return isinstance(error, KeyOrderError)


registry = PyTreeRegistry()
flatten_one_level_with_keys = registry.flatten_one_level_with_keys
