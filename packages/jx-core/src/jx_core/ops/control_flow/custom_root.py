"""`custom_root`: a zero of a function, with the derivatives that the equation implies.

The solution `x` of `f(a, x) = 0` moves with `a` as the implicit function theorem says: its tangent
solves the linear system `(df/dx) dx = -(df/da) da`. How the zero was found does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ... import tree, tree_util
from ...aval import ShapedArray, typeof
from ...jaxpr.evaluate import eval_jaxpr
from ...linear_maps import Differentiation, differentiation
from ...primitive import Primitive
from .linear_solve import run_solver, solver_effects, solver_reference, solver_types
from .programs import Program, differing_leaves, hoist, stage

__all__ = ["custom_root"]


# Operands: what the programs close over, the first guess. Results: the solution, of the guess's
# types, and what the solver gives besides. Params: f and solve, of (closed over, x); and
# tangent_solve, of (closed over, solution, y), which gives the x for which the derivative of f at
# the solution is y, or None where no layer differentiates; num_consts.
custom_root_p = Primitive(
    "custom_root",
    abstract=solver_types,
    reference=solver_reference,
    decompose=run_solver,
    effects=solver_effects,
    multiple_results=True,
    higher_order=True,
)


def custom_root(
    f: Callable[[Any], Any],
    initial_guess: Any,
    solve: Callable[[Callable[[Any], Any], Any], Any],
    tangent_solve: Callable[[Callable[[Any], Any], Any], Any],
    has_aux: bool = False,
) -> Any:
    """Find a zero of `f` by `solve`, differentiably in what `f` closes over.

    Args:
        f: a function from pytrees like `initial_guess` to pytrees like it.
        initial_guess: where to start, a pytree of arrays. The solution has no derivative with
            respect to it.
        solve: `solve(f, initial_guess)` gives the solution. It is never differentiated.
        tangent_solve: `tangent_solve(g, y)` solves the linear system `g(x) = y`, where `g` is the
            derivative of `f` at the solution. For scalars, `y / g(1.0)` does; in general
            `custom_linear_solve` with an iteration. Reverse mode transposes it.
        has_aux: whether `solve` gives `(x, aux)`, where `aux` has no derivative.

    Returns:
        The solution, or `(x, aux)`.

    Raises:
        TypeError: the trees or types of `f(x)`, of the solution or of `tangent_solve`'s result are
            not those of `initial_guess`.

    >>> from jx_core import lax
    >>> def newton(f, x):
    ...     for _ in range(6):
    ...         x = x - f(x) / (2 * x)
    ...     return x
    >>> root = custom_root(lambda x: x * x - 2.0, 1.0, newton, lambda g, y: y / g(1.0))
    >>> round(float(root), 4)
    1.4142
    """
    for name, fun in (("f", f), ("solve", solve), ("tangent_solve", tangent_solve)):
        if not callable(fun):
            raise TypeError(f"lax.custom_root: {name} must be callable, got {fun!r:.80}")
    leaves, x_tree = tree.flatten(initial_guess)
    avals = [typeof(x) for x in leaves]
    in_tree = tree_util.treedef_tuple((x_tree,))
    equation = stage(f, in_tree, avals)
    _check("f()", x_tree, avals, equation.out_tree, equation.out_avals)

    def solved(guess: Any) -> Any:
        result = solve(f, guess)
        if has_aux and not (isinstance(result, (tuple, list)) and len(result) == 2):
            raise TypeError(
                f"lax.custom_root: with has_aux, solve() must return a pair (x, aux), got "
                f"{result!r:.80}"
            )
        return tuple(result) if has_aux else result

    solver = stage(solved, in_tree, avals)
    out_tree = tree_util.treedef_children(solver.out_tree)[0] if has_aux else solver.out_tree
    _check("solve()", x_tree, avals, out_tree, solver.out_avals[: out_tree.num_leaves])
    programs = [equation, solver]
    layer = differentiation()
    if layer is not None:
        programs.append(_tangents(layer, equation, tangent_solve, x_tree, avals))
    closed, consts = hoist(programs)
    outs = custom_root_p.bind(
        *consts,
        *leaves,
        f=closed[0],
        solve=closed[1],
        tangent_solve=closed[2] if layer is not None else None,
        num_consts=len(consts),
    )
    n = len(leaves)
    x = tree.unflatten(x_tree, outs[:n])
    if not has_aux:
        return x
    return x, tree.unflatten(tree_util.treedef_children(solver.out_tree)[1], outs[n:])


def _tangents(
    layer: Differentiation,
    equation: Program,
    tangent_solve: Callable[..., Any],
    x_tree: Any,
    avals: list[ShapedArray],
) -> Program:
    """`tangent_solve` as a program of (solution, y)."""

    def solved(x: Any, y: Any) -> Any:
        linear = layer.linearize(
            lambda *xs: eval_jaxpr(equation.jaxpr, equation.consts, *xs), tree.leaves(x)
        )

        def derivative(t: Any) -> Any:
            return tree.unflatten(x_tree, linear(*tree.leaves(t)))

        return tangent_solve(derivative, y)

    program = stage(solved, tree_util.treedef_tuple((x_tree, x_tree)), [*avals, *avals])
    _check("tangent_solve()", x_tree, avals, program.out_tree, program.out_avals)
    return program


def _check(
    what: str,
    x_tree: Any,
    avals: Sequence[ShapedArray],
    out_tree: Any,
    outs: Sequence[ShapedArray],
) -> None:
    """Raise a TypeError unless `outs` are of the guess's types."""
    if out_tree != x_tree:
        raise TypeError(
            f"lax.custom_root: {what} output pytree structure must match initial_guess, got "
            f"{out_tree} and {x_tree}."
        )
    if [(a.shape, a.dtype) for a in outs] != [(a.shape, a.dtype) for a in avals]:
        raise TypeError(
            f"lax.custom_root: {what} must return values of the types of initial_guess, but they "
            f"differ (expected is the guess's):\n"
            + "\n".join(differing_leaves(x_tree, avals, out_tree, outs))
        )
