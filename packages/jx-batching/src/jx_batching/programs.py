"""Batching whole programs: the derived Jaxprs that staged calls and loops use.

Each is computed once per program, axis and placement of the batch axes, and kept on
the program it derives from, so a staged function is batched once per signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr, ShapedArray, Tracer, eval_jaxpr
from jx_core.staging import trace_to_jaxpr

from .axes import at_axis, insert
from .tables import BatchAxis
from .trace import batch_flat

Dims = tuple[int | None, ...]


def batch_jaxpr(
    closed: ClosedJaxpr,
    axis: BatchAxis,
    dims: Sequence[int | None],
    instantiate: Sequence[bool] | bool = False,
) -> tuple[ClosedJaxpr, Dims]:
    """The program that runs `closed` on every row of a batch.

    Args:
        closed: the program.
        axis: the axis mapped over.
        dims: where the batch axis of each argument lies, None for those without one.
        instantiate: which results must have a batch axis, by copying if need be, and
            have it in front (loop carries, results of branches). The others have it
            wherever it comes to lie.

    Returns:
        The program, with batches in the arguments' places, and where the batch axis of
        each result lies, None where all rows share it.
    """
    n_out = len(closed.out_avals)
    want = (instantiate,) * n_out if isinstance(instantiate, bool) else tuple(instantiate)
    key = ("batch", axis, tuple(dims), want)
    found = closed.derived.get(key)
    if found is not None:
        return found  # type: ignore[no-any-return]
    record: list[Dims] = []

    def flat(*args: Any) -> list[Any]:
        def fun(*rows: Any) -> list[Any]:
            return eval_jaxpr(closed.jaxpr, closed.consts, *rows)

        outs, out_dims = batch_flat(fun, axis, args, dims)
        for i, on in enumerate(want):
            if on:
                outs[i] = at_axis(outs[i], out_dims[i], axis.size)
                out_dims[i] = 0
        record.append(tuple(out_dims))
        return outs

    avals = [batch_aval(a, d, axis.size) for a, d in zip(closed.in_avals, dims, strict=True)]
    jaxpr, consts = trace_to_jaxpr(flat, avals, closed.jaxpr.debug_name)
    for c in consts:
        if isinstance(c, Tracer):
            raise TypeError(
                f"vmap of the staged function {closed.jaxpr.debug_name}: a batching rule in it "
                f"closes over the traced value {c}, which has no place in the batched program. "
                f"Make it an argument of the custom_vmap function"
            )
    result = ClosedJaxpr(jaxpr, consts), record[0]
    return closed.derived.setdefault(key, result)  # another thread's, if it was done first


def batch_aval(aval: ShapedArray, dim: int | None, size: int) -> ShapedArray:
    """The type of a batch of `size` rows of type `aval` along axis `dim`."""
    if dim is None:
        return aval
    return ShapedArray(insert(aval.shape, dim, size), aval.dtype, aval.weak_type)
