"""Where and how two trees differ in structure, in words.

Used when something has already failed: nothing here is fast. It works on
trees and on tree definitions alike, since some callers have only the latter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from .implementation import (
    DictKey,
    FlattenedIndexKey,
    PyTreeDef,
    SequenceKey,
    flatten_one_level_with_keys,
)

__all__ = ["Difference", "differences", "structure_error"]

IsLeaf = Callable[[Any], bool]

_SHOWN = 8  # differences, or keys, listed in one message


class Difference(NamedTuple):
    """One place where two trees differ."""

    path: tuple[Any, ...]
    first: str
    second: str
    detail: str = ""

    def describe(self, first_name: str, second_name: str) -> str:
        """A sentence, calling the two trees by these names."""
        place = "".join(str(key) for key in self.path)
        return (
            f"{first_name}{place} is {self.first}, but {second_name}{place} is {self.second}"
            f"{self.detail}"
        )


class _Node(NamedTuple):
    """One level of a tree: its root without what lies below the children."""

    type: Any
    aux: Any
    keys: list[Any]
    children: list[Any]


_View = Callable[[Any], _Node | None]


def differences(
    first: Any,
    second: Any,
    is_leaf: IsLeaf | None = None,
    *,
    prefix: bool = False,
    none_is_leaf: bool = False,
) -> Iterator[Difference]:
    """The places where two trees differ, from left to right.

    Args:
      first: a tree or a PyTreeDef.
      second: a tree or a PyTreeDef.
      is_leaf: applies to `first`, and unless `prefix` to `second`.
      prefix: `first` may have a leaf where `second` has a subtree.
      none_is_leaf: None counts as a leaf in `first`.
    """
    view_first = _view_of(first, is_leaf, none_is_leaf)
    view_second = _view_of(second, None if prefix else is_leaf, False)
    return _walk((), first, second, view_first, view_second, prefix)


def _walk(
    path: tuple[Any, ...], first: Any, second: Any, one: _View, other: _View, prefix: bool
) -> Iterator[Difference]:
    node = one(first)
    if node is None and prefix:
        return
    counterpart = other(second)
    if node is None and counterpart is None:
        return
    if not _alike(node, counterpart):
        yield _difference(path, node, counterpart, first, second)
        return
    assert node is not None and counterpart is not None
    for key, child, match in zip(node.keys, node.children, counterpart.children, strict=True):
        yield from _walk((*path, key), child, match, one, other, prefix)


def _alike(node: _Node | None, counterpart: _Node | None) -> bool:
    if node is None or counterpart is None or node.type is not counterpart.type:
        return False
    return len(node.children) == len(counterpart.children) and _same_aux(node, counterpart)


def _same_aux(node: _Node, counterpart: _Node) -> bool:
    try:
        return bool(node.aux == counterpart.aux)
    except Exception:  # static data that can't be compared, such as an array
        return False


def _view_of(tree: Any, is_leaf: IsLeaf | None, none_is_leaf: bool) -> _View:
    if isinstance(tree, PyTreeDef):
        return _look_at_treedef

    def look(subtree: Any) -> _Node | None:
        if (subtree is None and none_is_leaf) or (is_leaf is not None and is_leaf(subtree)):
            return None
        return _look_at_tree(subtree)

    return look


def _look_at_tree(tree: Any) -> _Node | None:
    level = flatten_one_level_with_keys(tree)
    if level is None:
        return None
    pairs, aux = level
    keys, children = [], []
    for key, child in pairs:
        keys.append(key)
        children.append(child)
    return _Node(type(tree), _plain_aux(type(tree), aux), keys, children)


def _look_at_treedef(treedef: PyTreeDef) -> _Node | None:
    data = treedef.node_data()
    if data is None:
        return None
    node_type, aux = data
    children = treedef.children()
    keys = _keys_of_treedef(treedef, node_type, aux, len(children))
    return _Node(node_type, _plain_aux(node_type, aux), keys, children)


def _plain_aux(node_type: Any, aux: Any) -> Any:
    """Static data in one form, however the level was looked at."""
    if node_type is dict:
        return tuple(aux)
    if issubclass(node_type, tuple) and (aux is None or aux is node_type):
        return None
    return aux


def _keys_of_treedef(treedef: PyTreeDef, node_type: Any, aux: Any, count: int) -> list[Any]:
    """The children's keys; a custom node has to be built, of numbers, to be asked for them."""
    if node_type is dict:
        return [DictKey(key) for key in aux]
    if node_type in (tuple, list):
        return [SequenceKey(i) for i in range(count)]
    try:
        node = _look_at_tree(treedef.unflatten(range(treedef.num_leaves)))
    except Exception:  # a class that checks what it is made of
        node = None
    if node is not None and len(node.keys) == count:
        return node.keys
    return [FlattenedIndexKey(i) for i in range(count)]


def _difference(
    path: tuple[Any, ...], node: _Node | None, counterpart: _Node | None, first: Any, second: Any
) -> Difference:
    one, other = _describe(node, first), _describe(counterpart, second)
    if node is None or counterpart is None:
        return Difference(path, one, other)
    if node.type is not counterpart.type:
        if one == other:
            one += f" ({node.type.__module__}.{node.type.__qualname__})"
            other += f" ({counterpart.type.__module__}.{counterpart.type.__qualname__})"
        return Difference(path, one, other)
    if (
        _has_dict_keys(node)
        and _has_dict_keys(counterpart)
        and set(node.keys) != set(counterpart.keys)
    ):
        return Difference(path, one, other, _key_detail(node, counterpart))
    if one == other and not _same_aux(node, counterpart):
        one += f" with static data {node.aux!r}"
        other += f" with static data {counterpart.aux!r}"
    return Difference(path, one, other)


def _key_detail(node: _Node, counterpart: _Node) -> str:
    """Which keys only one of two mappings has."""
    missing = [key.key for key in node.keys if key not in counterpart.keys]
    extra = [key.key for key in counterpart.keys if key not in node.keys]
    parts = [f"without {_shorten(missing)}"] if missing else []
    parts += [f"with {_shorten(extra)} besides"] if extra else []
    return f" ({', '.join(parts)})"


def _has_dict_keys(node: _Node) -> bool:
    return node.type is dict or (
        bool(node.keys) and all(isinstance(key, DictKey) for key in node.keys)
    )


def _describe(node: _Node | None, tree: Any) -> str:
    """A few words: 'a tuple of length 2', "a dict with keys ['a']", 'a leaf (int)'."""
    if node is None:
        return "a leaf" if isinstance(tree, PyTreeDef) else f"a leaf ({_describe_leaf(tree)})"
    if node.type is type(None):
        return "None"
    name = node.type.__name__
    article = "an" if name[:1] in "AEIOUaeiou" else "a"
    if _has_dict_keys(node):
        return f"{article} {name} with keys {_shorten([key.key for key in node.keys])}"
    number = len(node.children)
    if node.type in (tuple, list):
        return f"{article} {name} of length {number}"
    return f"{article} {name} with {number} {'child' if number == 1 else 'children'}"


def _shorten(keys: list[Any]) -> str:
    shown = ", ".join(repr(key) for key in keys[:_SHOWN])
    return f"[{shown}, ...]" if len(keys) > _SHOWN else f"[{shown}]"


def _describe_leaf(leaf: Any) -> str:
    shape, dtype = getattr(leaf, "shape", None), getattr(leaf, "dtype", None)
    if isinstance(shape, tuple) and dtype is not None:
        return f"{dtype}[{','.join(str(size) for size in shape)}]"
    return type(leaf).__name__


def structure_error(
    message: str,
    first: Any,
    second: Any,
    is_leaf: IsLeaf | None = None,
    *,
    names: tuple[str, str],
    prefix: bool = True,
    none_is_leaf: bool = False,
    otherwise: Exception | None = None,
) -> Exception:
    """A ValueError: `message`, then where and how two trees differ.

    Args:
      message: what went wrong, naming the function and its argument.
      first: a tree or a PyTreeDef.
      second: a tree or a PyTreeDef.
      is_leaf: as in `differences`.
      names: what the message calls the two trees.
      prefix: as in `differences`.
      none_is_leaf: as in `differences`.
      otherwise: the error to return if no difference is found.
    """
    found = differences(first, second, is_leaf, prefix=prefix, none_is_leaf=none_is_leaf)
    shown = [difference.describe(*names) for difference in islice(found, _SHOWN + 1)]
    if not shown and otherwise is not None:
        return otherwise
    if len(shown) == 1:
        return ValueError(f"{message}: {shown[0]}.")
    lines = [f"\n  {line}" for line in shown[:_SHOWN]]
    if len(shown) > _SHOWN:
        lines.append("\n  and in more places")
    return ValueError(f"{message}:{''.join(lines)}")
