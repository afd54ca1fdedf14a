"""Conditionals: `cond` and `switch`, which stage every branch and run one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import dtypes, tree
from ...aval import ShapedArray, typeof
from ...config import disable_jit
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr
from ...primitive import NO_EFFECTS, Primitive
from ..elementwise import clamp, convert_element_type, ne
from .programs import (
    Program,
    cast_results,
    differing_leaves,
    hoist,
    join_weak,
    put_results,
    same_but_weak,
    stage,
)

__all__ = ["cond", "cond_p", "switch"]

_NOT_GIVEN: Any = object()


def _types(index: ShapedArray, *avals: ShapedArray, branches: tuple[ClosedJaxpr, ...]) -> Any:
    if index.shape != () or index.dtype != np.int32:
        raise TypeError(f"cond: the branch index must be a scalar int32, got {index.str_short()}")
    return branches[0].out_avals


def branch_effects(
    *, branches: tuple[ClosedJaxpr, ...], **params: Any
) -> frozenset[Any]:
    """The effects that some branch has."""
    return frozenset().union(*(b.effects for b in branches)) or NO_EFFECTS


def _run(index: Any, *operands: Any, branches: tuple[ClosedJaxpr, ...]) -> list[Any]:
    chosen = branches[min(max(int(index), 0), len(branches) - 1)]
    results = eval_jaxpr(chosen.jaxpr, chosen.consts, *operands)
    return put_results(results, chosen.out_avals)


# Operands: the index, an int32 scalar that is clamped to the branches, then the arguments
# that all branches take. Params: branches.
cond_p = Primitive(
    "cond",
    abstract=_types,
    reference=_run,
    effects=branch_effects,
    multiple_results=True,
    higher_order=True,
)


def cond(
    pred: Any,
    true_fun: Callable[..., Any],
    false_fun: Callable[..., Any],
    *operands: Any,
    operand: Any = _NOT_GIVEN,
) -> Any:
    """Apply `true_fun` or `false_fun` to `operands`, depending on the scalar `pred`.

    Both are traced; one runs. Under `vmap` over `pred` both run and results are selected.

    Args:
        pred: a scalar boolean, or a number that counts as true where it is not zero.
        true_fun, false_fun: functions of `operands` with results of one tree and types.
        operands: pytrees of arrays.
        operand: alternative to a single positional operand.

    Returns:
        The chosen function's result.

    Raises:
        TypeError: `pred` is not a scalar number, or the results' types differ; the message
            shows both.

    >>> from jx_core import lax
    >>> float(cond(True, lambda x: lax.add(x, 1.0), lambda x: x, 2.0))
    3.0
    """
    if len(operands) == 2 and callable(operands[1]) and not callable(true_fun):
        # The form of old: cond(pred, true_operand, true_fun, false_operand, false_fun).
        true_branch, (other, false_branch) = false_fun, operands
        return cond(
            pred, lambda x, _: true_branch(x), lambda _, y: false_branch(y), true_fun, other
        )
    if not (callable(true_fun) and callable(false_fun)):
        raise TypeError("lax.cond: true_fun and false_fun arguments should be callable.")
    operands = _operands("cond", operands, operand)
    aval = _scalar("cond", "pred", pred)
    if disable_jit.value:
        return true_fun(*operands) if bool(pred) else false_fun(*operands)
    if aval.dtype != np.bool_:
        pred = ne(pred, np.zeros((), aval.dtype)[()])
    index = convert_element_type(pred, np.int32)
    return _bind("cond", index, [false_fun, true_fun], ["false_fun", "true_fun"], operands)


def _operands(what: str, operands: tuple[Any, ...], operand: Any) -> tuple[Any, ...]:
    if operand is _NOT_GIVEN:
        return operands
    if operands:
        raise TypeError(
            f"lax.{what}: if 'operand' keyword is passed then no positional operands can be "
            f"passed, got operand={operand!r:.80} and positional operands {operands!r:.80}"
        )
    return (operand,)


def switch(
    index: Any, branches: Sequence[Callable[..., Any]], *operands: Any, operand: Any = _NOT_GIVEN
) -> Any:
    """Apply one of several functions to `operands`, chosen by the scalar `index`.

    Args:
        index: an integer scalar; out of range, it is clamped to the first or last branch.
        branches: functions of `operands` with results of one tree and types.
        operands: pytrees of arrays.
        operand: alternative to a single positional operand.

    Returns:
        The chosen function's result.

    Raises:
        TypeError: `index` is not a scalar integer, or the results' types differ.
        ValueError: `branches` is empty.

    >>> from jx_core import lax
    >>> float(switch(1, [lax.neg, lax.exp], 0.0))
    1.0
    """
    if not all(callable(b) for b in branches):
        raise TypeError("lax.switch: branches argument should be a sequence of callables.")
    operands = _operands("switch", operands, operand)
    aval = _scalar("switch", "index", index)
    if not dtypes.issubdtype(aval.dtype, np.integer):
        raise TypeError(
            f"lax.switch: Index type must be an integer, got {aval.str_short()}: cast it with "
            f".astype('int32')"
        )
    if not branches:
        raise ValueError("lax.switch: empty branch sequence")
    if len(branches) == 1:
        return branches[0](*operands)
    if disable_jit.value:
        return branches[min(max(int(index), 0), len(branches) - 1)](*operands)
    index = clamp(np.int32(0), convert_element_type(index, np.int32), np.int32(len(branches) - 1))
    names = [f"branches[{i}]" for i in range(len(branches))]
    return _bind("switch", index, list(branches), names, operands)


def _scalar(name: str, argument: str, x: Any) -> ShapedArray:
    try:
        aval = typeof(x)
    except TypeError as err:
        raise TypeError(f"lax.{name}: {argument} must be a scalar, got {x!r:.80}") from err
    if aval.shape:
        raise TypeError(
            f"Pred must be a scalar, got {aval.str_short()} as {argument} of lax.{name}; "
            f"jx.numpy.where chooses element by element, jx.vmap maps the conditional"
        )
    if not (aval.dtype == np.bool_ or dtypes.issubdtype(aval.dtype, np.number)):
        raise TypeError(f"Pred type must be either boolean or number, got {aval.str_short()}.")
    return aval


def _bind(
    what: str, index: Any, funs: list[Any], names: list[str], operands: tuple[Any, ...]
) -> Any:
    leaves, in_tree = tree.flatten(operands)
    avals = [typeof(x) for x in leaves]
    branches, consts, out_tree = staged_branches(what, funs, names, in_tree, avals)
    outs = cond_p.bind(index, *consts, *leaves, branches=branches)
    return tree.unflatten(out_tree, outs)


def staged_branches(
    what: str, funs: list[Any], names: list[str], in_tree: Any, avals: list[ShapedArray]
) -> tuple[tuple[ClosedJaxpr, ...], list[Any], Any]:
    """Functions of the same arguments as programs of one type.

    Args:
        what: the `lax` function, for messages.
        funs, names: the functions, and what its user calls them.
        in_tree, avals: the tree and types of their arguments.

    Returns:
        The programs, each of (all that some of them close over, the arguments); the values of
        the former; and the tree of their results.

    Raises:
        TypeError: their results are of different types.
    """
    programs = [stage(f, in_tree, avals) for f in funs]
    for name, program in zip(names[1:], programs[1:], strict=True):
        _check_results(what, names[0], programs[0], name, program)
    closed, consts = hoist(programs)
    joined = [join_weak(types) for types in zip(*(c.out_avals for c in closed), strict=True)]
    branches = tuple(cast_results(c, joined) for c in closed)
    return branches, consts, programs[0].out_tree


def _check_results(what: str, name0: str, first: Program, name: str, other: Program) -> None:
    same_tree = first.out_tree == other.out_tree
    if same_tree and all(
        same_but_weak(a, b) for a, b in zip(first.out_avals, other.out_avals, strict=True)
    ):
        return
    lines = differing_leaves(
        first.out_tree, first.out_avals, other.out_tree, other.out_avals, "result"
    )
    raise TypeError(
        f"{name0} and {name} of lax.{what} must return the same types, but they differ "
        f"({name0} is {first.name}, whose result is the expected one; {name} is {other.name}):\n"
        + "\n".join(lines)
    )
