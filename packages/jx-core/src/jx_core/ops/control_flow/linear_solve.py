"""`custom_linear_solve`: a linear system whose derivatives are linear systems too.

However the solution is found (a factorisation, an iteration that could not be differentiated
backwards), its derivatives follow from the equation: for `A x = b`, tangents solve
`A dx = db - dA x`, and cotangents the transposed system.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ... import tree, tree_util
from ...aval import ShapedArray, typeof
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr
from ...linear_maps import differentiation
from ...primitive import NO_EFFECTS, Primitive
from .programs import Program, differing_leaves, hoist, put_results, stage

__all__ = ["custom_linear_solve", "linear_solve_p"]


# --- what equations with a user's solver have in common, those of `custom_root` too ---


def solver_types(*avals: ShapedArray, solve: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
    """The types of the solution, and of what the solver gives besides."""
    return solve.out_avals


def solver_effects(*, solve: ClosedJaxpr, **params: Any) -> frozenset[Any]:
    """The effects of the solver."""
    return solve.effects or NO_EFFECTS


def run_solver(*operands: Any, solve: ClosedJaxpr, **params: Any) -> list[Any]:
    """What the user's solver does."""
    return eval_jaxpr(solve.jaxpr, solve.consts, *operands)


def solver_reference(*operands: Any, solve: ClosedJaxpr, **params: Any) -> list[Any]:
    """The same on a back end's arrays."""
    return put_results(run_solver(*operands, solve=solve), solve.out_avals)


# Operands: what the programs close over, b. Results: the solution, of the types of b, and what
# the solver gives besides. Params: matvec, of (closed over, x); vecmat, its transpose, or None;
# solve and transpose_solve, of (closed over, b), the latter None where it is not known; num_consts.
linear_solve_p = Primitive(
    "linear_solve",
    abstract=solver_types,
    reference=solver_reference,
    decompose=run_solver,
    effects=solver_effects,
    multiple_results=True,
    higher_order=True,
)


def custom_linear_solve(
    matvec: Callable[[Any], Any],
    b: Any,
    solve: Callable[[Callable[[Any], Any], Any], Any],
    transpose_solve: Callable[[Callable[[Any], Any], Any], Any] | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
) -> Any:
    """Solve `matvec(x) = b` by `solve`, with the derivatives that the equation implies.

    `solve` itself is never differentiated: tangents of the solution, with respect to `b` and to
    what `matvec` closes over, come from one more solution, and so do cotangents.

    Args:
        matvec: a linear function from pytrees like `b` to pytrees like `b`. Its matrix must be
            invertible.
        b: the right-hand side, a pytree of arrays.
        solve: `solve(matvec, b)` gives the solution, like `b`.
        transpose_solve: `transpose_solve(vecmat, b)` solves the transposed system; needed for
            reverse mode, unless `symmetric`.
        symmetric: whether the matrix is its own transpose, so that `solve` does for both.
        has_aux: whether the solvers give `(x, aux)`, where `aux` has no derivative.

    Returns:
        The solution, or `(x, aux)`.

    Raises:
        TypeError: a function is not callable, or the tree of `matvec(x)` or of the solution is
            not that of `b`.
        ValueError: its shapes or dtypes are not those of `b`.

    >>> import numpy as np
    >>> from jx_core import lax
    >>> diagonal = np.float32([2.0, 4.0])
    >>> def solve(matvec, b):
    ...     return lax.div(b, diagonal)
    >>> b = np.float32([1.0, 1.0])
    >>> custom_linear_solve(lambda x: lax.mul(diagonal, x), b, solve, symmetric=True).tolist()
    [0.5, 0.25]
    """
    for name, fun in (("matvec", matvec), ("solve", solve), ("transpose_solve", transpose_solve)):
        if not callable(fun) and not (name == "transpose_solve" and fun is None):
            raise TypeError(f"lax.custom_linear_solve: {name} must be callable, got {fun!r:.80}")
    leaves, b_tree = tree.flatten(b)
    avals = [typeof(x) for x in leaves]
    system = _System(b_tree, avals, has_aux)
    product = stage(matvec, system.in_tree, avals)
    system.check("matvec()", product.out_tree, product.out_avals)
    solver = system.stage(solve, matvec, "solve")
    programs = [product, solver]
    layer = None if transpose_solve is None or symmetric else differentiation()
    flags = [True] * len(avals)
    if layer is not None:
        (alone,), consts = hoist([product])
        transposed = layer.transpose(alone, [*[False] * len(consts), *flags])
        vecmat = system.function(transposed, consts)
        assert transpose_solve is not None
        programs.append(system.stage(transpose_solve, vecmat, "transpose_solve"))
    elif symmetric and transpose_solve is not None:
        programs.append(system.stage(transpose_solve, matvec, "transpose_solve"))
    closed, consts = hoist(programs)
    backward = closed[0] if symmetric else None
    if layer is not None:
        backward = layer.transpose(closed[0], [*[False] * len(consts), *flags])
    outs = linear_solve_p.bind(
        *consts,
        *leaves,
        matvec=closed[0],
        vecmat=backward,
        solve=closed[1],
        transpose_solve=closed[2] if len(closed) > 2 else closed[1] if symmetric else None,
        num_consts=len(consts),
    )
    n = len(leaves)
    x = tree.unflatten(b_tree, outs[:n])
    if not has_aux:
        return x
    return x, tree.unflatten(tree_util.treedef_children(solver.out_tree)[1], outs[n:])


class _System:
    """The types of a right-hand side, which those of products and solutions must be."""

    def __init__(self, b_tree: Any, avals: list[ShapedArray], has_aux: bool) -> None:
        self.tree = b_tree
        self.avals = avals
        self.has_aux = has_aux
        self.in_tree = tree_util.treedef_tuple((b_tree,))

    def stage(self, solver: Callable[..., Any], product: Callable[..., Any], name: str) -> Program:
        """A solver as a program of the right-hand side, followed by what it closes over."""

        def solved(b: Any) -> Any:
            result = solver(product, b)
            if self.has_aux and not (isinstance(result, (tuple, list)) and len(result) == 2):
                raise TypeError(
                    f"lax.custom_linear_solve: with has_aux, {name}() must return a pair (x, aux), "
                    f"got {result!r:.80}"
                )
            return tuple(result) if self.has_aux else result

        program = stage(solved, self.in_tree, self.avals)
        x_tree = program.out_tree
        if self.has_aux:
            x_tree = tree_util.treedef_children(x_tree)[0]
        self.check(f"{name}()", x_tree, program.out_avals[: x_tree.num_leaves])
        return program

    def check(self, what: str, out_tree: Any, outs: Sequence[ShapedArray]) -> None:
        """Raise an error unless `outs` are of the types of the right-hand side."""
        if out_tree != self.tree:
            raise TypeError(
                f"lax.custom_linear_solve: {what} output pytree structure must match b, got "
                f"{out_tree} and {self.tree}"
            )
        if [(a.shape, a.dtype) for a in outs] != [(a.shape, a.dtype) for a in self.avals]:
            raise ValueError(
                f"lax.custom_linear_solve: {what} output shapes must match b, got "
                f"{[a.str_short() for a in outs]} and {[a.str_short() for a in self.avals]}:\n"
                + "\n".join(differing_leaves(self.tree, self.avals, out_tree, outs))
            )

    def function(self, closed: ClosedJaxpr, consts: Sequence[Any]) -> Callable[[Any], Any]:
        """A program as a function of pytrees like the right-hand side."""

        def product(x: Any) -> Any:
            leaves = tree.leaves(x)
            outs = eval_jaxpr(closed.jaxpr, closed.consts, *consts, *leaves)
            return tree.unflatten(self.tree, outs)

        return product
