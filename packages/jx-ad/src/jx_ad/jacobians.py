"""Jacobians and Hessians: many tangents or cotangents through one linear map."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import lax, tree, typeof
from jx_core.mapping import map_leading
from jx_core.staging import function_name
from jx_core.symbolic import is_symbolic_shape
from jx_core.tracebacks import filtered

from .api import FlatFunction, instantiate_all, require_callable, strip
from .forward import jvp_flat
from .gradients import _argnums, _with_arguments, check_argnums, check_input, check_output
from .tape import linearize_flat


class _Problem:
    """One call of a Jacobian: the flat function of the chosen arguments, and its point."""

    def __init__(self, fun: Any, nums: Any, has_aux: bool, what: str, args: Any, kwargs: Any):
        positions = check_argnums(nums, len(args), fun)
        chosen = tuple(args[i] for i in positions)
        self.flat, self.in_tree = tree.flatten(chosen)
        self.function = FlatFunction(
            _with_arguments(fun, args, kwargs, positions), self.in_tree, has_aux, what
        )
        self.avals = [typeof(x) for x in self.flat]


def _basis(avals: Sequence[Any]) -> list[Any]:
    """All standard basis vectors of a product of spaces: one stack of arrays per factor."""
    total = sum(a.size for a in avals)
    stacks, offset = [], 0
    for a in avals:
        if is_symbolic_shape((total, a.size)):
            stacks.append(_symbolic_basis(total, offset, a))
            offset += a.size
            continue
        eye = np.zeros((total, a.size), a.dtype)
        eye[offset : offset + a.size] = np.eye(a.size, dtype=a.dtype)
        stacks.append(eye.reshape(total, *a.shape))
        offset += a.size
    return stacks


def _symbolic_basis(total: Any, offset: Any, aval: Any) -> Any:
    """The basis vectors of one factor where sizes are symbolic."""
    rows = lax.broadcasted_iota(np.int32, (total, aval.size), 0)
    columns = lax.broadcasted_iota(np.int32, (total, aval.size), 1)
    here = lax.eq(rows, lax.add(columns, lax.dim_as_value(offset)))
    return lax.reshape(lax.convert_element_type(here, aval.dtype), (total, *aval.shape))


def _pieces(stack: Any, avals: Sequence[Any]) -> list[Any]:
    """The rows of `stack` for each factor of the basis, their leading axis shaped like it."""
    rest, offset, pieces = stack.shape[1:], 0, []
    for a in avals:
        rows = lax.slice_in_dim(stack, offset, offset + a.size, axis=0)
        pieces.append(lax.reshape(rows, (*a.shape, *rest)))
        offset += a.size
    return pieces


def _last(x: Any, leading: int) -> Any:
    """`x` with its `leading` first axes moved behind the others."""
    n = x.ndim
    return lax.transpose(x, (*range(leading, n), *range(leading)))


def jacfwd(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of `fun`, column by column in forward mode; good for tall Jacobians.

    Args:
        fun: takes and returns pytrees of arrays.
        argnums: the positional argument or arguments to differentiate.
        has_aux: whether `fun` returns a pair of output and auxiliary data.
        holomorphic: whether `fun` is complex-differentiable.

    Returns:
        A function with the arguments of `fun`. Its result has the tree of the output, with
        the tree of the argument in place of each leaf; a leaf's shape is the output leaf's
        followed by the argument leaf's. A pair with the auxiliary data if `has_aux`.

    >>> from jx_core import lax
    >>> float(jacfwd(lax.sin)(0.0))
    1.0
    """
    require_callable(fun, "jacfwd")
    nums = _argnums(argnums)
    single = not isinstance(argnums, (tuple, list))

    @functools.wraps(fun, updated=())
    @filtered
    def jacobian_f(*args: Any, **kwargs: Any) -> Any:
        problem = _Problem(fun, nums, has_aux, "jacfwd", args, kwargs)
        for x, a in zip(problem.flat, problem.avals, strict=True):
            check_input(x, a, holomorphic, False, "jacfwd")
        outs: list[Any] = []

        def push(tangents: list[Any]) -> list[Any]:
            primals, out_tangents = jvp_flat(problem.function, problem.flat, tangents)
            outs[:] = primals
            return instantiate_all(out_tangents, primals)

        columns = map_leading(push, _basis(problem.avals))
        out_avals = [typeof(o) for o in outs]
        for a in out_avals:
            check_output(a, holomorphic, "jacfwd")
        avals = problem.avals
        rows = [
            [_last(p, a.ndim) for p, a in zip(_pieces(c, avals), avals, strict=True)]
            for c in columns
        ]
        jacobian = _assemble(rows, problem, single)
        return (jacobian, problem.function.auxiliary(strip)) if has_aux else jacobian

    jacobian_f.__name__ = f"jacfwd({function_name(fun)})"
    return jacobian_f


def jacrev(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of `fun`, row by row in reverse mode; good for wide Jacobians.

    Args:
        fun, argnums, has_aux, holomorphic: as for `jacfwd`.
        allow_int: give `float0` Jacobians for integer arguments instead of an error.

    Returns:
        As for `jacfwd`.

    >>> from jx_core import lax
    >>> float(jacrev(lax.sin)(0.0))
    1.0
    """
    require_callable(fun, "jacrev")
    nums = _argnums(argnums)
    single = not isinstance(argnums, (tuple, list))

    @functools.wraps(fun, updated=())
    @filtered
    def jacobian_f(*args: Any, **kwargs: Any) -> Any:
        from .tangents import is_differentiable, zeros

        problem = _Problem(fun, nums, has_aux, "jacrev", args, kwargs)
        for x, a in zip(problem.flat, problem.avals, strict=True):
            check_input(x, a, holomorphic, allow_int, "jacrev")
        outs, linear = linearize_flat(problem.function, problem.flat)
        out_avals = [typeof(o) for o in outs]
        for a in out_avals:
            check_output(a, holomorphic, "jacrev")
        active = [a for a in problem.avals if is_differentiable(a)]

        def pull(cotangents: list[Any]) -> list[Any]:
            results = linear.backward(cotangents)
            return [zeros(a) if c is None else c for c, a in zip(results, active, strict=True)]

        stacks = iter(map_leading(pull, _basis(out_avals)) if active else [])
        by_input = [
            _pieces(next(stacks), out_avals)
            if is_differentiable(a)
            else [zeros(a.update(shape=o.shape + a.shape)) for o in out_avals]
            for a in problem.avals
        ]
        rows = [list(row) for row in zip(*by_input, strict=True)]
        jacobian = _assemble(rows, problem, single)
        return (jacobian, problem.function.auxiliary(strip)) if has_aux else jacobian

    jacobian_f.__name__ = f"jacrev({function_name(fun)})"
    return jacobian_f


def _assemble(rows: list[list[Any]], problem: _Problem, single: bool) -> Any:
    """The tree of the output, each leaf replaced by the tree of the argument(s)."""
    inner = [tree.unflatten(problem.in_tree, row) for row in rows]
    return tree.unflatten(problem.function.out_tree, [t[0] if single else t for t in inner])


jacobian = jacrev


def hessian(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Hessian of `fun`: the forward-mode Jacobian of its reverse-mode one.

    Args:
        fun, argnums, has_aux, holomorphic: as for `jacfwd`.

    Returns:
        A function with the arguments of `fun`. Its result nests the output's tree and the
        argument's tree twice; shapes are concatenated likewise.

    >>> from jx_core import lax
    >>> float(hessian(lambda x: lax.mul(x, lax.mul(x, x)))(2.0))
    12.0
    """
    return jacfwd(
        jacrev(fun, argnums, has_aux=has_aux, holomorphic=holomorphic),
        argnums,
        has_aux=has_aux,
        holomorphic=holomorphic,
    )
