"""Closed-over values made arguments, and derivatives given beside a function's value."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from jx_core import tree, tree_util, typeof
from jx_core.custom_functions import check_tree, flat_results
from jx_core.jaxpr import eval_jaxpr
from jx_core.staging import function_name, trace_to_jaxpr
from jx_core.trace import Tracer

from .custom_functions import fitting
from .custom_vjp import custom_vjp
from .tangents import is_differentiable


def closure_convert(
    fun: Callable[..., Any], *example_args: Any
) -> tuple[Callable[..., Any], list[Any]]:
    """Make the traced values that a function closes over arguments of its own.

    For functions that are passed to others with rules of differentiation: values that a
    function closes over have no place in the rules, arguments do.

    Args:
        fun: takes and returns pytrees of arrays.
        example_args: arguments; only their types matter.

    Returns:
        `(converted, consts)` with `converted(*args, *consts)` equal to `fun(*args)`. `consts` are
        the values of inexact dtype that are being traced and that `fun` closes over.

    >>> from jx_ad import grad
    >>> from jx_core import lax
    >>> def scaled(c):
    ...     converted, consts = closure_convert(lambda x: lax.mul(c, x), 1.0)
    ...     return converted(2.0, *consts)
    >>> float(grad(scaled)(3.0))
    2.0
    """
    leaves, in_tree = tree.flatten(example_args)
    out_trees: list[Any] = []

    def flat(*args: Any) -> list[Any]:
        outs, out_tree = flat_results(fun(*tree.unflatten(in_tree, args)), function_name(fun))
        out_trees.append(out_tree)
        return outs

    jaxpr, consts = trace_to_jaxpr(flat, [typeof(x) for x in leaves], function_name(fun))
    moved = [isinstance(c, Tracer) and is_differentiable(typeof(c)) for c in consts]
    hoisted = [c for c, on in zip(consts, moved, strict=True) if on]
    n = len(example_args)

    def converted(*args_and_consts: Any) -> Any:
        args, given = args_and_consts[:n], args_and_consts[n:]
        flat_args, got = tree.flatten(args)
        check_tree(got, in_tree, "closure_convert: the arguments have another tree than before:")
        if len(given) != len(hoisted):
            raise TypeError(
                f"closure_convert: the converted function takes {n} arguments and then the "
                f"{len(hoisted)} values that it closed over; got {len(given)} of these"
            )
        following = iter(given)
        full = [next(following) if on else c for c, on in zip(consts, moved, strict=True)]
        return tree.unflatten(out_trees[0], eval_jaxpr(jaxpr, full, *flat_args))

    return converted, hoisted


def custom_gradient(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function that returns its value and its gradient rule one that has that rule.

    Args:
        fun: takes pytrees of arrays, returns `(out, pull)`, where `pull(ct)` gives the cotangents
            of the arguments (one, or a tuple).

    Returns:
        A function of the same arguments that returns `out`.

    >>> from jx_ad import grad
    >>> from jx_core import lax
    >>> @custom_gradient
    ... def square(x):
    ...     return lax.mul(x, x), lambda ct: lax.mul(ct, 10.0)
    >>> float(grad(square)(3.0))
    10.0
    """

    @custom_vjp
    @functools.wraps(fun)
    def wrapped(*args: Any) -> Any:
        return fun(*args)[0]

    def fwd(*args: Any) -> tuple[Any, Any]:
        out, pull = fun(*args)
        leaves, out_tree = flat_results(out, function_name(fun))
        ct_tree: list[Any] = []

        def flat(*cts: Any) -> list[Any]:
            result = pull(tree.unflatten(out_tree, cts))
            result = result if isinstance(result, tuple) else (result,)
            flat_cts, structure = tree.flatten(result)
            ct_tree.append(structure)
            return flat_cts

        jaxpr, consts = trace_to_jaxpr(flat, [typeof(o) for o in leaves], "pull")
        return out, _Pull(jaxpr, consts, ct_tree[0], args)

    def bwd(pull: _Pull, ct: Any) -> Any:
        cts = tree.unflatten(pull.tree, eval_jaxpr(pull.jaxpr, pull.consts, *tree.leaves(ct)))
        got, args = tree.structure(cts), tree.structure(pull.args)
        check_tree(got, args, "custom_gradient: the cotangents must have the arguments' tree:")
        leaves = [
            fitting(c, typeof(a), "", "custom_gradient: a cotangent has another type: ")
            for c, a in zip(tree.leaves(cts), tree.leaves(pull.args), strict=True)
        ]
        return tree.unflatten(args, leaves)

    wrapped.defvjp(fwd, bwd)
    return wrapped


class _Pull:
    """A gradient rule as a program; its constants are residuals."""

    def __init__(self, jaxpr: Any, consts: Any, structure: Any, args: Any) -> None:
        self.jaxpr = jaxpr
        self.consts = consts
        self.tree = structure
        self.args = args


tree_util.register_pytree_node(
    _Pull,
    lambda p: ((p.consts, p.args), (p.jaxpr, p.tree)),
    lambda static, values: _Pull(static[0], values[0], static[1], values[1]),
)
