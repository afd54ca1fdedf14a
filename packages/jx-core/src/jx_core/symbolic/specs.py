"""Symbolic shapes from text: `symbolic_shape`, and `symbolic_args_specs` for whole arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .expressions import DimSize
from .parsing import parse_shape
from .scope import SymbolicScope


def _scope_for(name: str, constraints: Sequence[str], scope: SymbolicScope | None) -> SymbolicScope:
    if scope is None:
        return SymbolicScope(constraints)
    if not isinstance(scope, SymbolicScope):
        raise TypeError(f"{name}: scope must be a SymbolicScope, got {scope!r}")
    if constraints:
        raise ValueError(
            f"{name}: give constraints or a scope, not both: a scope has its constraints from the "
            f"beginning; got {list(constraints)} and {scope}"
        )
    return scope


def symbolic_shape(
    shape_spec: str | None,
    *,
    constraints: Sequence[str] = (),
    scope: SymbolicScope | None = None,
    like: Sequence[int | None] | None = None,
) -> tuple[DimSize, ...]:
    """A shape with symbolic dimensions, from text.

    Args:
        shape_spec: a tuple of dimensions, brackets optional, such as `"b, 4*n, 3"`. Each is an
            integer, a variable (a letter, then letters, digits and `_`) or an expression with
            `+ - *`, `floordiv(e1, e2)` or `e1 // e2`, `mod(e1, e2)` or `e1 % e2`,
            `max(e1, e2)`, `min(e1, e2)`, `non_negative(e)` and `e^2`. `_` takes the dimension
            of `like`, and a final `...` all that follow. None is `"..."`.
        constraints: what holds at every call, as of `SymbolicScope`.
        scope: the scope to make the dimensions in; a new one if None. Shapes that are used
            together need one.
        like: a shape for the placeholders; its other constant dimensions must agree.

    Returns:
        A tuple of integers and symbolic dimensions.

    Raises:
        ValueError: the text does not parse, does not go with `like`, or both `constraints` and
            `scope` are given.

    >>> b, width = symbolic_shape("b, 2*n + 1")
    >>> b * width
    2*b*n + b
    >>> symbolic_shape("b, ...", like=(1, 28, 28))
    (b, 28, 28)
    """
    return parse_shape(shape_spec, _scope_for("symbolic_shape", constraints, scope), like)


def symbolic_args_specs(
    args: Any,
    shapes_specs: Any,
    constraints: Sequence[str] = (),
    scope: SymbolicScope | None = None,
) -> Any:
    """Stand-ins for arguments, with symbolic shapes from text.

    Args:
        args: a pytree of arrays, or of anything with `shape` and `dtype`. They give the tree,
            the dtypes, and the sizes for placeholders.
        shapes_specs: a text as of `symbolic_shape` for all arguments, None to leave their
            shapes as they are, or a pytree of such: a prefix of the tree of `args`.
        constraints, scope: as of `symbolic_shape`.

    Returns:
        A pytree like `args`, of `ShapeDtypeStruct` whose dimensions are of one scope.

    Raises:
        ValueError: a text does not parse or does not fit, or `shapes_specs` is no prefix.

    >>> import numpy as np
    >>> symbolic_args_specs((np.ones((2, 3)), np.ones(3)), ("b, _", None))[0].shape
    (b, 3)
    """
    from .. import dtypes, tree
    from ..aval import ShapeDtypeStruct, typeof

    scope = _scope_for("symbolic_args_specs", constraints, scope)
    leaves, structure = tree.flatten(args)
    if isinstance(shapes_specs, list) and isinstance(args, tuple):
        shapes_specs = tuple(shapes_specs)
    if isinstance(shapes_specs, tuple) and isinstance(args, list):
        shapes_specs = list(shapes_specs)
    specs = tree.broadcast(shapes_specs, args, is_leaf=lambda x: x is None or isinstance(x, str))
    texts = tree.leaves(specs, is_leaf=lambda x: x is None or isinstance(x, str))
    result = []
    for leaf, text in zip(leaves, texts, strict=True):
        if text is not None and not isinstance(text, str):
            raise ValueError(
                f"symbolic_args_specs: shapes_specs must be a prefix of args with a string or None "
                f"at each leaf, got {text!r}"
            )
        if hasattr(leaf, "shape") and hasattr(leaf, "dtype"):
            like, dtype = tuple(leaf.shape), dtypes.canonicalize_dtype(leaf.dtype, True)
        else:
            like, dtype = typeof(leaf).shape, typeof(leaf).dtype
        sharding = getattr(leaf, "sharding", None) if isinstance(leaf, ShapeDtypeStruct) else None
        shape: Any = parse_shape(text, scope, like)
        result.append(ShapeDtypeStruct(shape, dtype, sharding=sharding))
    return tree.unflatten(structure, result)
