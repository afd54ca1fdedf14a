"""Functions on whole pytrees: flatten, unflatten, map, reduce, transpose.

A pytree is a leaf, or a container of pytrees: a tuple, list, dict, None,
namedtuple, OrderedDict, defaultdict, or an instance of a registered class
(`registration.py`). None is a container with nothing in it. Key paths are in
`paths.py`, prefixes in `prefix.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable
from typing import Any, NoReturn, TypeVar

from . import implementation
from .implementation import PyTreeDef, is_key_order_error, registry
from .key_order import KeyOrderError, describe_unordered
from .mismatch import structure_error

__all__ = [
    "all_leaves",
    "build_tree",
    "flatten_one_level",
    "is_tree_node",
    "tree_all",
    "tree_flatten",
    "tree_leaves",
    "tree_map",
    "tree_reduce",
    "tree_reduce_associative",
    "tree_structure",
    "tree_transpose",
    "tree_unflatten",
    "treedef_children",
    "treedef_is_leaf",
    "treedef_tuple",
]

T = TypeVar("T")
IsLeaf = Callable[[Any], bool]

_flatten = registry.flatten
_MISSING: Any = object()


def tree_flatten(tree: Any, is_leaf: IsLeaf | None = None) -> tuple[list[Any], PyTreeDef]:
    """The leaves of a pytree from left to right, and its structure.

    Args:
      tree: a pytree.
      is_leaf: called with each subtree; where it returns True, the subtree is
        taken as a leaf.

    Returns:
      (leaves, treedef).

    Raises:
      ValueError: a dict's keys can't be sorted, or `is_leaf` returned something
        other than True, False or None.
      RecursionError: the tree is nested too deeply, or contains itself.

    Example:
      >>> tree_flatten({"b": (2, None), "a": [1]})
      ([1, 2], PyTreeDef({'a': [*], 'b': (*, None)}))
    """
    try:
        return _flatten(tree, is_leaf)
    except (ValueError, SystemError, RecursionError) as error:
        explain_flatten_failure(error, tree, is_leaf)


def explain_flatten_failure(
    error: Exception, tree: Any, is_leaf: Callable[..., bool] | None
) -> NoReturn:
    """Raises what says best why flattening `tree` raised `error`."""
    if isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError):
        raise RecursionError(
            "this pytree is nested too deeply to be flattened, or one of its containers "
            "contains itself"
        ) from None
    if is_key_order_error(error):
        message = _find_unordered(tree, "")
        if message is not None:
            raise KeyOrderError(message) from None
    raise error


def _find_unordered(tree: Any, path: str) -> str | None:
    """The message about the first dict whose keys can't be sorted."""
    if isinstance(tree, dict):
        try:
            sorted(tree)
        except Exception as error:
            return describe_unordered(list(tree), error, path)
    level = implementation.flatten_one_level_with_keys(tree)
    for key, child in level[0] if level is not None else ():
        message = _find_unordered(child, path + str(key))
        if message is not None:
            return message
    return None


def tree_unflatten(treedef: PyTreeDef, leaves: Iterable[Any]) -> Any:
    """The pytree with this structure and these leaves: undoes `tree_flatten`.

    Raises:
      ValueError: the number of leaves is not the structure's.
      TypeError: `treedef` is not a PyTreeDef.

    Example:
      >>> tree_unflatten(tree_structure([0, (0, 0)]), "abc")
      ['a', ('b', 'c')]
    """
    try:
        return treedef.unflatten(leaves)
    except AttributeError:
        _check_treedef("tree_unflatten", "treedef", treedef)
        raise


def _check_treedef(function: str, argument: str, value: Any) -> None:
    if not isinstance(value, PyTreeDef):
        raise TypeError(
            f"{function}: {argument} should be a PyTreeDef, as tree_structure returns, "
            f"got a {type(value).__name__}: {value!r}"
        )


def tree_leaves(tree: Any, is_leaf: IsLeaf | None = None) -> list[Any]:
    """The leaves of a pytree from left to right.

    Example:
      >>> tree_leaves({"b": 2, "a": (1, None)})
      [1, 2]
    """
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree: Any, is_leaf: IsLeaf | None = None) -> PyTreeDef:
    """The structure of a pytree.

    Example:
      >>> tree_structure([1, {"a": 2}])
      PyTreeDef([*, {'a': *}])
    """
    return tree_flatten(tree, is_leaf)[1]


def tree_map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf | None = None) -> Any:
    """Applies a function to each leaf of a pytree, and to what others have there.

    Args:
      f: takes one leaf of `tree` and the corresponding subtree of each of `rest`.
      tree: a pytree; its structure is the result's.
      *rest: pytrees that have the structure of `tree`, or have it as a prefix.
      is_leaf: called with each subtree of `tree`; True makes it a leaf.

    Raises:
      ValueError: a tree of `rest` has another structure; says where and how.

    Example:
      >>> tree_map(lambda x, y: x + y, {"a": 1, "b": 2}, {"a": 10, "b": 20})
      {'a': 11, 'b': 22}
    """
    leaves, treedef = tree_flatten(tree, is_leaf)
    if not rest:
        return treedef.unflatten([f(leaf) for leaf in leaves])
    columns = align("tree_map", tree, treedef, rest, is_leaf)
    return treedef.unflatten([f(*row) for row in zip(leaves, *columns, strict=True)])


def align(
    function: str,
    tree: Any,
    treedef: PyTreeDef,
    rest: tuple[Any, ...],
    is_leaf: Callable[[Any], bool] | None,
) -> list[list[Any]]:
    """The subtrees of each of `rest` at the leaves of `tree`, whose structure is `treedef`.

    Raises:
      ValueError: a tree of `rest` differs; says where and how, naming `function`.

    `tree` serves that message only, and may be the PyTreeDef where `is_leaf` is
    not a function of the subtree alone.
    """
    columns = []
    for i, other in enumerate(rest):
        try:
            columns.append(treedef.flatten_up_to(other))
        except ValueError as error:
            raise structure_error(
                f"{function}: the trees differ in structure",
                tree,
                other,
                is_leaf,
                names=("tree", f"rest[{i}]"),
                otherwise=error,
            ) from None
    return columns


def tree_all(tree: Any, *, is_leaf: IsLeaf | None = None) -> bool:
    """Whether every leaf is true; true of a tree without leaves.

    Example:
      >>> tree_all({"a": True, "b": (1, 0)})
      False
    """
    return all(tree_leaves(tree, is_leaf))


def tree_reduce(
    function: Callable[[T, Any], T],
    tree: Any,
    initializer: T = _MISSING,
    is_leaf: IsLeaf | None = None,
) -> T:
    """Folds the leaves from left to right, as `functools.reduce` does.

    Raises:
      TypeError: the tree has no leaves and there is no `initializer`.

    Example:
      >>> tree_reduce(lambda total, x: total + x, [1, (2, 3)])
      6
    """
    leaves = tree_leaves(tree, is_leaf)
    if initializer is not _MISSING:
        return functools.reduce(function, leaves, initializer)
    if not leaves:
        raise TypeError(
            "tree_reduce: reduce() of empty iterable with no initial value: the tree "
            f"{tree!r} has no leaves; pass initializer= to say what the result is"
        )
    result: T = functools.reduce(function, leaves)
    return result


def tree_reduce_associative(
    operation: Callable[[T, T], T],
    tree: Any,
    *,
    identity: T = _MISSING,
    is_leaf: IsLeaf | None = None,
) -> T:
    """Combines the leaves pairwise, halves with halves, by an associative operation.

    The depth of the combination is logarithmic in the number of leaves, where
    that of `tree_reduce` is linear: shorter chains of dependent operations and,
    for sums, smaller rounding errors.

    Args:
      operation: associative; takes two leaves or results.
      tree: a pytree.
      identity: the result for a tree without leaves; used for nothing else.
      is_leaf: as in `tree_flatten`.

    Raises:
      TypeError: the tree has no leaves and there is no `identity`.

    Example:
      >>> tree_reduce_associative(lambda a, b: f"({a}{b})", ["a", "b", "c", "d"])
      '((ab)(cd))'
    """
    leaves = tree_leaves(tree, is_leaf)
    if not leaves:
        if identity is _MISSING:
            raise TypeError(
                f"tree_reduce_associative: the tree {tree!r} has no leaves; pass identity= "
                "to say what the result is"
            )
        return identity

    def combine(start: int, stop: int) -> T:
        if stop - start == 1:
            only: T = leaves[start]
            return only
        middle = start + (stop - start) // 2
        return operation(combine(start, middle), combine(middle, stop))

    return combine(0, len(leaves))


def tree_transpose(
    outer_treedef: PyTreeDef, inner_treedef: PyTreeDef | None, pytree_to_transpose: Any
) -> Any:
    """Turns a tree of trees inside out.

    Args:
      outer_treedef: the outer structure of `pytree_to_transpose`.
      inner_treedef: the structure at each leaf of the outer one; None to take
        it from the first of them.
      pytree_to_transpose: a tree of the outer structure whose leaves are trees
        of the inner one.

    Returns:
      A tree of the inner structure whose leaves are trees of the outer one.

    Raises:
      TypeError: the number of leaves is not that of the two structures together.
      ValueError: `inner_treedef` is None and there is no inner tree to take it from.

    Example:
      >>> tree_transpose(tree_structure([0, 0]), None, [{"a": 1}, {"a": 2}])
      {'a': [1, 2]}
    """
    _check_treedef("tree_transpose", "outer_treedef", outer_treedef)
    leaves, treedef = tree_flatten(pytree_to_transpose)
    if inner_treedef is None:
        inner_trees = outer_treedef.flatten_up_to(pytree_to_transpose)
        if not inner_trees:
            raise ValueError(
                f"tree_transpose: the outer structure {outer_treedef!r} has no leaves, so the "
                "inner one can't be taken from the tree; pass inner_treedef"
            )
        inner_treedef = tree_structure(inner_trees[0])
    _check_treedef("tree_transpose", "inner_treedef", inner_treedef)
    width = inner_treedef.num_leaves
    if len(leaves) != outer_treedef.num_leaves * width:
        raise TypeError(
            f"tree_transpose: expected a tree of structure {outer_treedef.compose(inner_treedef)!r}"
            f" with {outer_treedef.num_leaves} * {width} leaves, got one of structure {treedef!r} "
            f"with {len(leaves)}"
        )
    return inner_treedef.unflatten(
        [outer_treedef.unflatten(leaves[column::width]) for column in range(width)]
    )


def all_leaves(iterable: Iterable[Any], is_leaf: IsLeaf | None = None) -> bool:
    """Whether every item of an iterable is a leaf.

    Example:
      >>> all_leaves([1, 2]), all_leaves([1, (2,)])
      (True, False)
    """
    if is_leaf is None:
        return implementation.all_leaves(registry, iterable)
    return all(is_leaf(item) or not registry.is_node(type(item)) for item in iterable)


def build_tree(treedef: PyTreeDef, xs: Any) -> Any:
    """The pytree of this structure from nested iterables of the same shape.

    Example:
      >>> build_tree(tree_structure({"a": 0, "b": (0, 0)}), [1, [2, 3]])
      {'a': 1, 'b': (2, 3)}
    """
    return treedef.from_iterable_tree(xs)


def is_tree_node(typ: type) -> bool:
    """Whether values of this type are nodes of pytrees rather than leaves.

    Example:
      >>> is_tree_node(list), is_tree_node(float)
      (True, False)
    """
    return registry.is_node(typ)


def flatten_one_level(tree: Any) -> tuple[Iterable[Any], Hashable]:
    """The children of a pytree's root, and the root's static data.

    Raises:
      ValueError: the tree is a leaf.

    Example:
      >>> children, aux = flatten_one_level({"b": 1, "a": (2, 3)})
      >>> tuple(children)
      ((2, 3), 1)
    """
    level = registry.flatten_one_level(tree)
    if level is None:
        raise ValueError(f"can't tree-flatten type: {type(tree)!r}: it is a leaf")
    return level


def treedef_tuple(treedefs: Iterable[PyTreeDef]) -> PyTreeDef:
    """The structure of a tuple of trees that have these structures.

    Example:
      >>> treedef_tuple([tree_structure(0), tree_structure([0])])
      PyTreeDef((*, [*]))
    """
    items = list(treedefs)
    for i, item in enumerate(items):
        _check_treedef("treedef_tuple", f"treedefs[{i}]", item)
    return implementation.treedef_tuple(registry, items)


def treedef_children(treedef: PyTreeDef) -> list[PyTreeDef]:
    """The structures of the root's children.

    Example:
      >>> treedef_children(tree_structure((0, [0])))
      [PyTreeDef(*), PyTreeDef([*])]
    """
    return treedef.children()


def treedef_is_leaf(treedef: PyTreeDef) -> bool:
    """Whether the structure is a single node: a leaf, or a container of nothing such as None.

    Example:
      >>> treedef_is_leaf(tree_structure(0)), treedef_is_leaf(tree_structure([0]))
      (True, False)
    """
    return treedef.num_nodes == 1
