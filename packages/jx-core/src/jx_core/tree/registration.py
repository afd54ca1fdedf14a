"""Making classes nodes of pytrees.

A node says how it is taken apart into children and static data (`aux_data`,
compared with `==` when structures are compared, and hashed if it can be), and
how it is put together again. Registration is for exactly one class, not for
its subclasses, and can't be undone.
"""

from __future__ import annotations

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from .implementation import DictKey, registry
from .key_order import sort_keys

__all__ = [
    "Partial",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "static",
]

T = TypeVar("T")
C = TypeVar("C", bound=type)
Flatten = Callable[[Any], tuple[Iterable[Any], Any]]
Unflatten = Callable[[Any, Any], Any]


def register_pytree_node(
    nodetype: type[T],
    flatten_func: Callable[[T], tuple[Iterable[Any], Any]],
    unflatten_func: Callable[[Any, Any], T],
    flatten_with_keys_func: Callable[[T], tuple[Iterable[tuple[Any, Any]], Any]] | None = None,
) -> None:
    """Makes instances of a class nodes of pytrees.

    Args:
      nodetype: the class.
      flatten_func: takes an instance, returns (children, aux_data).
      unflatten_func: takes (aux_data, children), returns an instance. The
        children may be anything, not only arrays: transformations put
        tracers, None and placeholders there, so don't check them.
      flatten_with_keys_func: takes an instance, returns ((key, child) pairs,
        aux_data); for better key paths than numbers.

    Raises:
      TypeError: `nodetype` is not a class.
      ValueError: the class is registered already.

    Example:
      >>> class Box:
      ...     def __init__(self, item): self.item = item
      >>> register_pytree_node(Box, lambda b: ((b.item,), None), lambda _, c: Box(*c))
      >>> registry.flatten(Box(3))[0]
      [3]
    """
    _register(nodetype, flatten_func, unflatten_func, flatten_with_keys_func)


def _register(
    nodetype: type, flatten: Flatten, unflatten: Unflatten, with_keys: Flatten | None
) -> None:
    _check_class("register_pytree_node", nodetype)
    with _explained(nodetype):
        _enter("register_node", nodetype, flatten, unflatten, with_keys)


# Every registration so far, and the further registries that get them all.
_entries: list[tuple[Any, ...]] = []
_followers: list[Any] = []


def _enter(method: str, *arguments: Any) -> None:
    getattr(registry, method)(*arguments)
    _entries.append((method, *arguments))
    for follower in _followers:
        getattr(follower, method)(*arguments)


def follow(follower: Any) -> None:
    """Have another registry know every class that jx's own knows, now and later.

    A back end's dispatcher may count classes as nodes that are leaves to everybody else.
    """
    for method, *arguments in _entries:
        getattr(follower, method)(*arguments)
    _followers.append(follower)


def _check_class(function: str, nodetype: Any) -> None:
    if not isinstance(nodetype, type):
        raise TypeError(
            f"{function}: nodetype should be a class, got a {type(nodetype).__name__}: {nodetype!r}"
        )


class _explained:
    """Turns a refusal of the registry into an error that says what to do."""

    def __init__(self, nodetype: type) -> None:
        self.nodetype = nodetype

    def __enter__(self) -> None: ...

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if isinstance(error, ValueError):
            raise ValueError(
                f"Duplicate custom PyTreeDef type registration for {self.nodetype!r}: a class "
                "can be registered as a pytree node once"
            ) from None


def register_pytree_with_keys(
    nodetype: type[T],
    flatten_with_keys: Callable[[T], tuple[Iterable[tuple[Any, Any]], Any]],
    unflatten_func: Callable[[Any, Any], T],
    flatten_func: Callable[[T], tuple[Iterable[Any], Any]] | None = None,
) -> None:
    """Makes instances of a class nodes of pytrees whose children have keys.

    Args:
      nodetype: the class.
      flatten_with_keys: takes an instance, returns ((key, child) pairs,
        aux_data); a key is a key entry, or anything with a text.
      unflatten_func: takes (aux_data, children), returns an instance.
      flatten_func: takes an instance, returns (children, aux_data); for speed.

    Raises:
      TypeError: `nodetype` is not a class.
      ValueError: the class is registered already.

    >>> class Point:
    ...     def __init__(self, x, y):
    ...         self.x, self.y = x, y
    >>> register_pytree_with_keys(
    ...     Point,
    ...     lambda p: (((DictKey("x"), p.x), (DictKey("y"), p.y)), None),
    ...     lambda aux, children: Point(*children),
    ... )
    >>> [path for path, _ in registry.flatten_with_path(Point(1, 2))[0]]
    [(DictKey(key='x'),), (DictKey(key='y'),)]
    """
    if flatten_func is None:

        def flatten_func(node: T) -> tuple[list[Any], Any]:
            pairs, aux = flatten_with_keys(node)
            return [child for _, child in pairs], aux

    _register(nodetype, flatten_func, unflatten_func, flatten_with_keys)


def register_pytree_node_class(cls: C) -> C:
    """Registers a class by its methods `tree_flatten` and `tree_unflatten`.

    `tree_flatten(self)` returns (children, aux_data); the class method
    `tree_unflatten(cls, aux_data, children)` returns an instance. Usable as a
    decorator.

    Raises:
      TypeError: the class lacks a method.
      ValueError: the class is registered already.

    Example:
      >>> @register_pytree_node_class
      ... class Pair:
      ...     def __init__(self, x, y): self.x, self.y = x, y
      ...     def tree_flatten(self): return (self.x, self.y), None
      ...     @classmethod
      ...     def tree_unflatten(cls, aux_data, children): return cls(*children)
      >>> registry.flatten([Pair(1, 2), 3])[0]
      [1, 2, 3]
    """
    _check_methods("register_pytree_node_class", cls, "tree_flatten")
    methods: Any = cls
    _register(cls, methods.tree_flatten, methods.tree_unflatten, None)
    return cls


def register_pytree_with_keys_class(cls: C) -> C:
    """Registers a class by its methods `tree_flatten_with_keys` and `tree_unflatten`.

    As `register_pytree_node_class`, but `tree_flatten_with_keys(self)` returns
    ((key, child) pairs, aux_data). A method `tree_flatten` is used if there is one.

    Raises:
      TypeError: the class lacks a method.
      ValueError: the class is registered already.

    >>> @register_pytree_with_keys_class
    ... class Pair:
    ...     def __init__(self, first, second):
    ...         self.first, self.second = first, second
    ...     def tree_flatten_with_keys(self):
    ...         return ((DictKey(0), self.first), (DictKey(1), self.second)), None
    ...     @classmethod
    ...     def tree_unflatten(cls, aux, children):
    ...         return cls(*children)
    >>> [path for path, _ in registry.flatten_with_path(Pair(1, 2))[0]]
    [(DictKey(key=0),), (DictKey(key=1),)]
    """
    _check_methods("register_pytree_with_keys_class", cls, "tree_flatten_with_keys")
    methods: Any = cls
    register_pytree_with_keys(
        cls,
        methods.tree_flatten_with_keys,
        methods.tree_unflatten,
        getattr(cls, "tree_flatten", None),
    )
    return cls


def _check_methods(function: str, cls: Any, flatten_name: str) -> None:
    _check_class(function, cls)
    for name in (flatten_name, "tree_unflatten"):
        if not hasattr(cls, name):
            raise TypeError(
                f"{function}: the class {cls.__name__} should have the methods "
                f"{flatten_name} and tree_unflatten, but has no {name}"
            )


def register_static(cls: type[T]) -> type[T]:
    """Makes instances of a class nodes without children: static data, never traced.

    The class should define `__hash__` and `__eq__` by value: an instance is
    part of the structure that `jit` caches by. Usable as a decorator.

    Raises:
      TypeError: `cls` is not a class.
      ValueError: the class is registered already.

    Example:
      >>> @register_static
      ... class Mode(str): ...
      >>> registry.flatten([Mode("fast"), 1])[0]
      [1]
    """

    def flatten(node: Any) -> tuple[tuple[Any, ...], Any]:
        return (), node

    _register(cls, flatten, lambda node, _: node, flatten)
    return cls


def register_dataclass(
    nodetype: type[T],
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> type[T]:
    """Makes instances of a dataclass nodes of pytrees, whose fields are the children.

    Usable as a decorator; with `functools.partial` where fields are given.

    Args:
      nodetype: a dataclass, or another class whose constructor takes the
        fields by keyword (then both lists of fields must be given).
      data_fields: the fields that are children, in their order.
      meta_fields: the fields that are static data; their values must be
        hashable and comparable.
      drop_fields: fields with `init=True` to leave out; they need defaults.

    With neither list given, the fields marked `static()` are static data and the
    others children.

    Returns:
      `nodetype`.

    Raises:
      TypeError: `nodetype` is not a class, or only one list of fields is given.
      ValueError: the fields given are not those of the dataclass that its
        constructor takes, or the class is registered already.

    Example:
      >>> import dataclasses
      >>> @register_dataclass
      ... @dataclasses.dataclass
      ... class Layer:
      ...     weight: float
      ...     name: str = static(default="dense")
      >>> registry.flatten(Layer(2.0))
      ([2.0], PyTreeDef(CustomNode(Layer[('dense',)], [*])))
    """
    _check_class("register_dataclass", nodetype)
    if (data_fields is None) != (meta_fields is None):
        raise TypeError(
            "register_dataclass: give both data_fields and meta_fields, or neither; got "
            f"data_fields={data_fields!r} and meta_fields={meta_fields!r}"
        )
    fields = getattr(nodetype, "__dataclass_fields__", None)
    if fields is None and data_fields is None:
        raise TypeError(
            f"register_dataclass: {nodetype!r} is not a dataclass, so data_fields and "
            "meta_fields must be given; or decorate it with dataclasses.dataclass first"
        )
    if data_fields is None or meta_fields is None:
        kept = [field for field in _fields_of(nodetype) if field.name not in drop_fields]
        data = [field.name for field in kept if not field.metadata.get("static", False)]
        meta = [field.name for field in kept if field.metadata.get("static", False)]
    else:
        data, meta = list(data_fields), list(meta_fields)
    _check_fields(nodetype, data, meta, drop_fields)
    with _explained(nodetype):
        _enter("register_dataclass_node", nodetype, data, meta)
    return nodetype


def _fields_of(nodetype: Any) -> tuple[Any, ...]:
    import dataclasses  # slow to import, and whoever gets here has

    return dataclasses.fields(nodetype) if dataclasses.is_dataclass(nodetype) else ()


def _check_fields(
    nodetype: type, data: list[str], meta: list[str], drop_fields: Sequence[str]
) -> None:
    def refuse(problem: str) -> None:
        raise ValueError(
            f"register_dataclass({nodetype.__name__}): {problem}; got data_fields={data!r} "
            f"and meta_fields={meta!r}"
        )

    both = sorted({name for name in data if name in meta})
    if both:
        refuse(f"data_fields and meta_fields must not overlap, but both have {both}")
    given = data + meta
    repeated = sorted({name for name in given if given.count(name) > 1})
    if repeated:
        refuse(f"each field must be given once, but {repeated} are given more often")
    if not hasattr(nodetype, "__dataclass_fields__"):
        return
    wanted = [field.name for field in _fields_of(nodetype) if field.init]
    missing = [name for name in wanted if name not in given and name not in drop_fields]
    unexpected = [name for name in given if name not in wanted or name in drop_fields]
    if unexpected:
        refuse(
            "data_fields and meta_fields must hold fields that the constructor takes "
            f"(init=True) and only them, but Unexpected fields: {unexpected}"
        )
    if missing:
        refuse(
            "data_fields and meta_fields must hold all fields that the constructor takes "
            f"(init=True), but Missing fields: {missing}; to leave fields out on purpose, "
            "give them defaults and name them in drop_fields"
        )


def static(**kwargs: Any) -> Any:
    """A dataclass field that `register_dataclass` takes as static data.

    Args:
      **kwargs: as `dataclasses.field` takes them.

    Example:
      >>> static(default=3).metadata["static"]
      True
    """
    import dataclasses

    metadata = {**(kwargs.pop("metadata", None) or {}), "static": True}
    return dataclasses.field(metadata=metadata, **kwargs)


class Partial(functools.partial[Any]):
    """A `functools.partial` that is a pytree: its arguments are its children.

    The function is static data, compared by identity unless it defines `==`:
    make one Partial and pass it around rather than make it of a new lambda each
    time, or everything that takes it is compiled anew. A partial of a partial
    is not merged, so that what the inner one holds stays out of the tree.

    Example:
      >>> add = Partial(lambda x, y: x + y, 1)
      >>> add(2), registry.flatten(add)[0]
      (3, [1])
    """

    def __new__(cls, func: Callable[..., Any], /, *args: Any, **kw: Any) -> Partial:
        if not isinstance(func, functools.partial):
            return super().__new__(cls, func, *args, **kw)
        made: Any = super().__new__(cls, _call_nothing)
        made.__setstate__((func, args, kw, None))
        return made  # type: ignore[no-any-return]


def _call_nothing() -> None:
    """What a Partial is made of until it is given its function."""


def _partial_parts(node: Partial) -> tuple[tuple[Any, ...], Hashable]:
    return (node.args, node.keywords), node.func


register_pytree_node(
    Partial, _partial_parts, lambda func, children: Partial(func, *children[0], **children[1])
)


def _pairs(keys: Iterable[Any], node: Any) -> list[tuple[Any, Any]]:
    return [(DictKey(key), node[key]) for key in keys]


def _default_keys(node: Any) -> tuple[Any, tuple[Any, ...]]:
    return node.default_factory, tuple(sort_keys(node))


def _defaultdict_parts(node: Any) -> tuple[tuple[Any, ...], Any]:
    aux = _default_keys(node)
    return tuple([node[key] for key in aux[1]]), aux


def _defaultdict_pairs(node: Any) -> tuple[list[tuple[Any, Any]], Any]:
    aux = _default_keys(node)
    return _pairs(aux[1], node), aux


register_pytree_node(
    OrderedDict,
    lambda node: (tuple(node.values()), tuple(node)),
    lambda keys, children: OrderedDict(zip(keys, children, strict=True)),
    lambda node: (_pairs(node, node), tuple(node)),
)
register_pytree_node(
    defaultdict,
    _defaultdict_parts,
    lambda aux, children: defaultdict(aux[0], zip(aux[1], children, strict=True)),
    _defaultdict_pairs,
)
