"""Type promotion: the dtype that operands of different dtypes combine to.

The dtypes form a lattice, and operands combine to their least upper bound. Weak
types (Python's numbers, and arrays made from them) are three nodes of their
own, ``i*``, ``f*`` and ``c*``, below the dtypes they give way to. The lattice
and its laws are JAX's, as documented under "Type promotion semantics"; the
tests compare every pair with a recorded table.

`promote_pair` is called for every binary operation and is a dictionary lookup.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, overload

import numpy as np

from jx_core.config import enable_x64, numpy_dtype_promotion
from jx_core.dtypes.canonical import canonicalize_dtype
from jx_core.dtypes.extended import ExtendedDType
from jx_core.dtypes.scalars import NARROW_FLOATS, NARROW_INTS, NUMERIC_DTYPES, DType
from jx_core.dtypes.subtypes import issubdtype
from jx_core.dtypes.values import PYTHON_SCALARS, dtype_and_weak, scalar_type_of
from jx_core.errors import TypePromotionError

AnyDType: TypeAlias = DType | ExtendedDType
Typed: TypeAlias = tuple[AnyDType, bool]
Node: TypeAlias = DType | Literal["i*", "f*", "c*"]
Edges: TypeAlias = dict[Node, frozenset[Node]]

_x64 = enable_x64.state
_mode = numpy_dtype_promotion.state

_WEAK_NODES: dict[type, Node] = {int: "i*", float: "f*", complex: "c*"}
_PYTHON_TYPES: dict[Node, type] = {node: t for t, node in _WEAK_NODES.items()}


def _upper_bounds(edges: dict[Node, set[Node]]) -> Edges:
    """Each node with all that lies above it, itself included."""

    @functools.cache
    def above(node: Node) -> frozenset[Node]:
        return frozenset({node}).union(*(above(n) for n in edges.get(node, ())))

    nodes: set[Node] = {*NUMERIC_DTYPES, *_PYTHON_TYPES}
    return {node: above(node) for node in nodes}


def _node(name: str) -> Node:
    return name if name in _PYTHON_TYPES else np.dtype(name)  # type: ignore[return-value]


def _standard() -> Edges:
    """From any node, the next wider ones; narrow ints and floats are dead ends."""
    chains = [
        "bool i* uint8 uint16 uint32 uint64 f*",
        "i* int8 int16 int32 int64 f*",
        "uint8 int16",
        "uint16 int32",
        "uint32 int64",
        "f* bfloat16 float32 float64 complex128",
        "f* float16 float32 complex64 complex128",
        "f* c* complex64",
    ]
    edges: dict[Node, set[Node]] = {"i*": set(NARROW_INTS), "f*": set(NARROW_FLOATS)}
    for chain in chains:
        names = chain.split()
        for lower, upper in zip(names, names[1:]):
            edges.setdefault(_node(lower), set()).add(_node(upper))
    return _upper_bounds(edges)


def _strict() -> Edges:
    """Only weak types give way, and only to a dtype of their kind or a higher one."""
    kinds: dict[type, set[Node]] = {int: set(), float: set(), complex: set(), bool: set()}
    for dtype in NUMERIC_DTYPES:
        kinds[scalar_type_of(dtype)].add(dtype)
    return _upper_bounds(
        {"i*": kinds[int] | {"f*"}, "f*": kinds[float] | {"c*"}, "c*": kinds[complex]}
    )


_LATTICES = {"standard": _standard(), "strict": _strict()}


def _least_upper_bound(nodes: Iterable[Node], lattice: Edges) -> Node | None:
    """The lowest node above all of ``nodes``, or None where there is none."""
    common = frozenset.intersection(*(lattice[node] for node in nodes))
    for node in common:
        if common <= lattice[node]:
            return node
    return None


def _combine(typed: tuple[Typed, ...], mode: str) -> tuple[AnyDType | Node, bool] | None:
    """The node and weakness of the combined type, before canonicalisation.

    Equal dtypes combine to themselves. Where all are weak, their dtypes combine
    and the result stays weak; otherwise weak ones enter as weak nodes, which
    under "strict" is all they ever are.
    """
    dtypes = {dtype for dtype, _ in typed}
    weak = all(w for _, w in typed)
    if len(typed) == 1 or len(dtypes) == 1 and not (weak and mode == "strict"):
        return dtypes.pop(), weak
    if not all(isinstance(d, np.dtype) and d in NUMERIC_DTYPES for d in dtypes):
        return None
    lattice = _LATTICES[mode]
    nodes: set[Node]
    if weak and mode == "standard":
        nodes = set(dtypes)  # type: ignore[arg-type]
    else:
        nodes = {_weak_node(d) if w else d for d, w in typed}  # type: ignore[misc]
    bound = _least_upper_bound(nodes, lattice)
    if bound is None:
        return None
    return bound, weak or bound in _PYTHON_TYPES


def _weak_node(dtype: AnyDType) -> Node:
    # A boolean is never weak, whatever it says.
    return _WEAK_NODES.get(scalar_type_of(dtype), np.dtype(np.bool_))


def _promote(typed: tuple[Typed, ...]) -> Typed:
    mode = _mode.value
    found = _combine(typed, mode)
    if found is None:
        raise TypePromotionError(_no_path(typed, mode))
    node, weak = found
    if isinstance(node, str):
        return PYTHON_SCALARS[_x64.value][_PYTHON_TYPES[node]]
    if all(dtype is node or dtype == node for dtype, _ in typed):
        # An array keeps the dtype it was made with, whatever the option says now.
        return node, weak and node != np.dtype(np.bool_)
    return canonicalize_dtype(node, True), weak and node != np.dtype(np.bool_)


_Table: TypeAlias = dict[tuple[AnyDType, bool, AnyDType, bool], Typed]
# By mode and enable_x64: pairs combined before.
_pairs: dict[str, tuple[_Table, _Table]] = {mode: ({}, {}) for mode in _LATTICES}


def promote_pair(dtype1: AnyDType, weak1: bool, dtype2: AnyDType, weak2: bool) -> Typed:
    """The dtype and weak type of two operands combined, each given as dtype and weak type.

    Dtypes are dtype objects, not names. Raises TypePromotionError if they do not
    combine.

    >>> promote_pair(np.dtype("int8"), False, np.dtype("float32"), True)
    (dtype('float32'), True)
    """
    try:
        return _pairs[_mode.value][_x64.value][dtype1, weak1, dtype2, weak2]
    except KeyError:
        result = _promote(((dtype1, weak1), (dtype2, weak2)))
        _pairs[_mode.value][_x64.value][dtype1, weak1, dtype2, weak2] = result
        return result


def lattice_result_type(*dtypes_and_weak: Typed) -> Typed:
    """The dtype and weak type of any number of operands combined.

    Each is a pair (dtype, weak type). Raises ValueError for none at all and
    TypePromotionError if they do not combine.

    >>> lattice_result_type((np.dtype("int8"), False), (np.dtype("float32"), True))
    (dtype('float32'), True)
    """
    if len(dtypes_and_weak) == 2:
        (dtype1, weak1), (dtype2, weak2) = dtypes_and_weak
        return promote_pair(dtype1, weak1, dtype2, weak2)
    if not dtypes_and_weak:
        raise ValueError("result_type takes at least one array, scalar or dtype; got none")
    return _promote(dtypes_and_weak)


@overload
def result_type(*args: Any, return_weak_type_flag: Literal[False] = False) -> DType: ...
@overload
def result_type(*args: Any, return_weak_type_flag: Literal[True]) -> tuple[DType, bool]: ...


def result_type(*args: Any, return_weak_type_flag: bool = False) -> Any:
    """The dtype that an operation on ``args`` computes in.

    Each argument is an array, a scalar or a dtype; ``int``, ``float`` and
    ``complex`` count as weak, like their values. A weak result has the default
    width of its kind. With ``return_weak_type_flag`` the result is a pair (dtype,
    whether it is weak). Raises TypeError for what has no dtype and
    TypePromotionError if the dtypes do not combine.

    >>> result_type(np.int8, 3), result_type(np.int8, 3.0)
    (dtype('int8'), dtype('float32'))
    """
    dtype, weak = lattice_result_type(*[_typed(arg) for arg in args])
    if weak:
        unsigned = issubdtype(dtype, np.unsignedinteger)
        dtype = canonicalize_dtype("uint64" if unsigned else scalar_type_of(dtype))
    return (dtype, weak) if return_weak_type_flag else dtype


def _typed(arg: Any) -> Typed:
    if isinstance(arg, ExtendedDType):
        return arg, False
    if isinstance(arg, (np.dtype, type, str)) or arg is None:
        if isinstance(arg, type) and arg in _WEAK_NODES:
            return PYTHON_SCALARS[_x64.value][arg]
        return canonicalize_dtype(arg), False
    return dtype_and_weak(arg)


def promote_types(a: Any, b: Any) -> AnyDType:
    """The dtype that two dtypes combine to, 64-bit ones included.

    ``int``, ``float`` and ``complex`` are weak. Unlike `result_type` it does not
    canonicalise what it is given; but narrower integers combine to 64-bit ones only
    where these are enabled. Raises TypeError for what is no dtype and TypePromotionError if
    the two do not combine.

    >>> promote_types("int8", "uint8")
    dtype('int16')
    """
    typed = tuple(_uncanonical(x) for x in (a, b))
    mode = _mode.value
    found = _combine(typed, mode)
    if found is None:
        raise TypePromotionError(_no_path(typed, mode))
    node = found[0]
    if node == np.int64 and not _x64.value and all(x[0].itemsize < 8 for x in typed):
        return np.dtype(np.int32)
    return PYTHON_SCALARS[True][_PYTHON_TYPES[node]][0] if isinstance(node, str) else node


def can_hold(python_type: type, dtype: AnyDType) -> bool:
    """Whether a Python number of this type goes into ``dtype`` and stays what it is.

    An int goes into any integer, float or complex dtype, a float into the latter
    two, a complex into complex ones, a bool into bool alone. Ranges are not
    looked at.

    >>> can_hold(int, np.dtype("float32")), can_hold(float, np.dtype("int32"))
    (True, False)
    """
    if python_type is bool:
        return dtype == np.dtype(np.bool_)
    node = _WEAK_NODES.get(python_type)
    return node is not None and dtype in _LATTICES["strict"][node]


def _uncanonical(x: Any) -> Typed:
    if isinstance(x, ExtendedDType):
        return x, False
    return np.dtype(x), isinstance(x, type) and x in _WEAK_NODES


def _no_path(typed: tuple[Typed, ...], mode: str) -> str:
    """Why these types do not combine, and what to do about it."""
    names = [
        f"a weak {scalar_type_of(dtype).__name__}" if weak else str(dtype)
        for dtype, weak in dict.fromkeys(typed)
    ]
    head = f"the types {', '.join(names[:-1])} and {names[-1]} do not combine implicitly"
    dtypes = {dtype for dtype, _ in typed}
    if not all(isinstance(d, np.dtype) and d in NUMERIC_DTYPES for d in dtypes):
        return f"{head}: only booleans and numbers do; extended dtypes combine with themselves only"
    cure = "Convert explicitly, for example with x.astype('{}')."
    if mode == "strict":
        wider = _combine(typed, "standard")
        if wider is not None:
            dtype = wider[0] if not isinstance(wider[0], str) else _weak_dtype(wider[0])
            return (
                f"{head} while numpy_dtype_promotion is 'strict'. {cure.format(dtype)} "
                "Or allow it with jx.numpy_dtype_promotion('standard')."
            )
    if not dtypes.isdisjoint(NARROW_INTS):
        return f"{head}: integers of 1, 2 and 4 bits are not promoted. {cure.format('int32')}"
    return f"{head}: floats of 8 bits and fewer are not promoted. {cure.format('float32')}"


def _weak_dtype(node: str) -> DType:
    return PYTHON_SCALARS[_x64.value][_PYTHON_TYPES[node]][0]  # type: ignore[index]
