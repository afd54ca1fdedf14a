"""What a user says about mapped axes: `in_axes`, `out_axes` and `axis_size`, read and checked.

Everything here works on types and trees; the errors speak of arguments by their names.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Sequence
from typing import Any

from jx_core import ShapedArray, tree, typeof

Axes = list[int | None]


def _is_axis(x: Any) -> bool:
    if x is None:
        return True
    if isinstance(x, bool):
        return False
    try:
        operator.index(x)
    except TypeError:
        return False
    return True


def _is_none(x: Any) -> bool:
    return x is None


def _check_axes(axes: Any, what: str) -> None:
    if not all(_is_axis(leaf) for leaf in tree.leaves(axes, is_leaf=_is_none)):
        raise TypeError(
            f"{what} must be an int, None, or (nested) container with those types as leaves, "
            f"but got {axes}."
        )


def checked_in_axes(in_axes: Any) -> Any:
    """`in_axes` with a list as a tuple; an entry that is no axis is a TypeError."""
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if isinstance(in_axes, tuple):
        _check_axes(in_axes, "vmap in_axes")
    elif not _is_axis(in_axes):
        raise TypeError(
            f"vmap in_axes must be an int, None, or a tuple of entries corresponding to the "
            f"positional arguments passed to the function, but got {in_axes}."
        )
    return in_axes


def flat_in_axes(in_axes: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Axes:
    """The axis for each leaf of the arguments, as given (negative ones still are)."""
    n_kwargs = len(tree.leaves(kwargs))
    if not isinstance(in_axes, tuple):
        return [in_axes] * len(tree.leaves(args)) + [0] * n_kwargs
    if len(in_axes) != len(args):
        raise ValueError(
            f"vmap in_axes must be an int, None, or a tuple of entries corresponding to the "
            f"positional arguments passed to the function, but got {len(in_axes)=}, {len(args)=}"
        )
    flat = tree.flatten_prefix(
        in_axes, args, what="vmap in_axes", full_name="the positional arguments", none_is_leaf=True
    )
    return [*flat, *[0] * n_kwargs]


def checked_out_axes(out_axes: Any) -> Any:
    """`out_axes`; an entry that is no axis is a TypeError."""
    if not _is_axis(out_axes):
        _check_axes(out_axes, "vmap out_axes")
    return out_axes


def flat_out_axes(out_axes: Any, out_tree: Any) -> Axes:
    """The axis for each leaf of the result, as given."""
    if _is_axis(out_axes):
        return [out_axes] * out_tree.num_leaves
    return tree.flatten_prefix_to_treedef(
        out_axes, out_tree, what="vmap out_axes", full_name="the result", none_is_leaf=True
    )


def place_in_prefix(axes: Any, full_tree: Any, index: int) -> str:
    """The path within a prefix `axes` to the entry that speaks for leaf `index`."""
    paths = tree.leaves_with_path(axes, is_leaf=_is_none)
    numbered = tree.unflatten(tree.flatten(axes, _is_none)[1], list(range(len(paths))))
    flat = tree.flatten_prefix_to_treedef(numbered, full_tree)
    return tree.keystr(paths[flat[index]][0])


def dims_and_size(
    fun: Any,
    axes: Axes,
    leaves: Sequence[Any],
    axis_size: int | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Axes, int]:
    """The non-negative axis of each argument leaf, and the length they agree on."""
    dims: Axes = []
    avals = [typeof(x) for x in leaves]
    size = axis_size
    agree = True
    for axis, aval in zip(axes, avals, strict=True):
        if axis is None:
            dims.append(None)
            continue
        ndim = aval.ndim
        if not -ndim <= axis < ndim:
            where = argument_names(fun, args, kwargs)[len(dims)]
            raise ValueError(
                f"vmap was requested to map its argument along axis {axis}, which implies that "
                f"its rank should be at least {axis + 1 if axis >= 0 else -axis}, but is only "
                f"{ndim} (its shape is {aval.shape}): {where}"
            )
        dim = axis % ndim
        dims.append(dim)
        if size is None:
            size = aval.shape[dim]
        elif size != aval.shape[dim]:
            agree = False
    if not agree:
        raise ValueError(_inconsistent_sizes(fun, dims, avals, axis_size, args, kwargs))
    if size is not None:
        return dims, size
    if not avals:
        raise ValueError(
            f"vmap wrapped function must be passed at least one argument containing an array or "
            f"axis_size must be specified, got empty *args={args} and **kwargs={kwargs}"
        )
    raise ValueError(
        "vmap must have at least one non-None value in in_axes or axis_size must be specified"
    )


def checked_size(axis_size: Any) -> int | None:
    """`axis_size` as the user gave it, a non-negative integer or None."""
    if axis_size is None:
        return None
    try:
        size = operator.index(axis_size)
    except TypeError:
        raise TypeError(f"vmap axis_size must be an integer, got {axis_size!r}") from None
    if size < 0:
        raise ValueError(f"vmap axis_size must not be negative, got {size}")
    return size


def _inconsistent_sizes(
    fun: Any,
    dims: Axes,
    avals: Sequence[ShapedArray],
    axis_size: int | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> str:
    """Which argument has which size, the most frequent size first."""
    names = argument_names(fun, args, kwargs)
    by_size: dict[int, list[str]] = {}
    for name, dim, aval in zip(names, dims, avals, strict=True):
        if dim is not None:
            place = f"axis {dim} of {name} of type {_long_type(aval)}"
            by_size.setdefault(aval.shape[dim], []).append(place)
    lines = [] if axis_size is None else [f"the `axis_size` argument was {axis_size}"]
    groups = sorted(by_size.items(), key=lambda item: -len(item[1]))
    for i, (size, places) in enumerate(groups):
        if len(places) == 1:
            lines.append(f"one axis had size {size}: {places[0]}")
        else:
            most = "most" if i == 0 and len(groups) > 1 else "some"
            shown = ", ".join(places[:8]) + (", ..." if len(places) > 8 else "")
            lines.append(f"{most} axes ({len(places)} of them) had size {size}: {shown}")
    return "vmap got inconsistent sizes for array axes to be mapped:\n" + ";\n".join(
        f"  * {line}" for line in lines
    )


def _long_type(aval: ShapedArray) -> str:
    return f"{aval.dtype.name}[{','.join(map(str, aval.shape))}]"


def argument_names(fun: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
    """What to call each leaf of the arguments: `argument x['a']`, `args[1]`, `kwargs['k']`."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(fun).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    known = [p.name for p in parameters if p.kind in positional]
    names = []
    for i, arg in enumerate(args):
        root = f"argument {known[i]}" if i < len(known) else f"args[{i}]"
        names += [root + tree.keystr(path) for path, _ in tree.leaves_with_path(arg)]
    names += [f"kwargs{tree.keystr(path)}" for path, _ in tree.leaves_with_path(kwargs)]
    return names
