"""Batching of `custom_linear_solve` and `custom_root`: the programs they hold, batched.

Rows are solved together, by the user's solver on the whole batch: an iteration goes on until the
last row is done.
"""

from __future__ import annotations

from typing import Any

from jx_core import ClosedJaxpr
from jx_core.ops.control_flow.custom_root import custom_root_p
from jx_core.ops.control_flow.linear_solve import linear_solve_p

from ...axes import at_axis
from ...programs import batch_jaxpr
from ...tables import BatchAxis, defbatch

Dims = list[int | None]


def _solution_batched(
    solve: ClosedJaxpr, batch: BatchAxis, dims: Dims, n: int
) -> tuple[ClosedJaxpr, Dims]:
    """A solver whose first `n` results are batched; where the batch axes of all of them lie."""
    want = [i < n for i in range(len(solve.out_avals))]
    closed, out_dims = batch_jaxpr(solve, batch, dims, want)
    return closed, list(out_dims)


@defbatch(linear_solve_p)
def _linear_solve(
    batch: BatchAxis,
    operands: list[Any],
    dims: Dims,
    *,
    num_consts: int,
    **programs: ClosedJaxpr | None,
) -> tuple[list[Any], Dims]:
    b = [
        at_axis(x, d, batch.size)
        for x, d in zip(operands[num_consts:], dims[num_consts:], strict=True)
    ]
    n = len(b)
    inner: Dims = [*dims[:num_consts], *[0] * n]
    mapped: dict[str, Any] = {}
    out_dims: Dims = []
    for name, program in programs.items():
        mapped[name] = program
        if program is not None:
            mapped[name], placed = _solution_batched(program, batch, inner, n)
            out_dims = placed if name == "solve" else out_dims
    outs = linear_solve_p.bind(*operands[:num_consts], *b, num_consts=num_consts, **mapped)
    return outs, out_dims


@defbatch(custom_root_p)
def _custom_root(
    batch: BatchAxis,
    operands: list[Any],
    dims: Dims,
    *,
    f: ClosedJaxpr,
    solve: ClosedJaxpr,
    tangent_solve: ClosedJaxpr | None,
    num_consts: int,
) -> tuple[list[Any], Dims]:
    consts, guess = operands[:num_consts], operands[num_consts:]
    n = len(guess)
    fixed: Dims = dims[:num_consts]
    mapped_f, _ = _solution_batched(f, batch, [*fixed, *[0] * n], n)
    tangents = tangent_solve
    if tangent_solve is not None:
        tangents, _ = _solution_batched(tangent_solve, batch, [*fixed, *[0] * (2 * n)], n)
    guess = [at_axis(x, d, batch.size) for x, d in zip(guess, dims[num_consts:], strict=True)]
    mapped_solve, out_dims = _solution_batched(solve, batch, [*fixed, *[0] * n], n)
    outs = custom_root_p.bind(
        *consts, *guess,
        f=mapped_f, solve=mapped_solve, tangent_solve=tangents, num_consts=num_consts,
    )  # fmt: skip
    return outs, out_dims
