"""Batching calls that carry their own rules: the same call of batched function and rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import typeof
from jx_core.lax import reduce_sum
from jx_core.ops.control_flow.custom import (
    CustomJVP,
    CustomVJP,
    custom_jvp_call_p,
    custom_lin_p,
    custom_vjp_call_p,
)

from ...axes import at_axis
from ...tables import BatchAxis, defbatch
from ...trace import batch_flat

Dims = Sequence[int | None]


def _in_front(
    fun: Callable[..., Sequence[Any]], batch: BatchAxis, args: Sequence[Any], dims: Dims
) -> list[Any]:
    """The results of a flat function of rows, all with the batch axis in front."""
    outs, out_dims = batch_flat(fun, batch, args, dims)
    return [at_axis(o, d, batch.size) for o, d in zip(outs, out_dims, strict=True)]


class _Batched:
    """What batched rules are made of: the rules of rows, the batch axis, where operands have it."""

    def __init__(self, rules: Any, batch: BatchAxis, dims: Dims) -> None:
        self.name = f"vmap({rules.name})"
        self.known: dict[Any, Any] = {}
        self.rules = rules
        self.batch = batch
        self.dims = tuple(dims)

    def call(self, *args: Any) -> list[Any]:
        return _in_front(self.rules.call, self.batch, args, self.dims)


class _BatchedJVP(_Batched, CustomJVP):
    def jvp(
        self, active: Sequence[bool], primals: Sequence[Any], tangents: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        n = len(primals)
        masks: list[list[bool]] = []

        def flat(*args: Any) -> list[Any]:
            outs, moved = self.rules.jvp(active, args[:n], args[n:])
            masks.append([t is not None for t in moved])
            return [*outs, *[t for t in moved if t is not None]]

        moving = [d for d, on in zip(self.dims, active, strict=True) if on]
        results = _in_front(flat, self.batch, [*primals, *tangents], [*self.dims, *moving])
        n_out = len(masks[0])
        following = iter(results[n_out:])
        return results[:n_out], [next(following) if on else None for on in masks[0]]


class _BatchedVJP(_Batched, CustomVJP):
    def fwd(
        self, active: Sequence[bool], primals: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        counts: list[int] = []

        def flat(*args: Any) -> list[Any]:
            outs, residuals = self.rules.fwd(active, args)
            counts.append(len(outs))
            return [*outs, *residuals]

        results = _in_front(flat, self.batch, primals, self.dims)
        return results[: counts[0]], results[counts[0] :]

    def bwd(
        self, active: Sequence[bool], residuals: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[Any]:
        moving = [d for d, on in zip(self.dims, active, strict=True) if on]
        return _pull(self.rules, active, self.batch, moving, residuals, cotangents)


def _pull(
    rules: CustomVJP,
    active: Sequence[bool],
    batch: BatchAxis,
    dims: Dims,
    residuals: Sequence[Any],
    cotangents: Sequence[Any],
) -> list[Any]:
    """Cotangents of batches, batch axes where the operands have them; an operand that all rows
    share gets the sum of theirs."""
    n = len(residuals)
    masks: list[list[bool]] = []
    nonzero = [ct is not None for ct in cotangents]

    def flat(*args: Any) -> list[Any]:
        following = iter(args[n:])
        full = [next(following) if on else None for on in nonzero]
        results = rules.bwd(tuple(active), args[:n], full)
        masks.append([r is not None for r in results])
        return [r for r in results if r is not None]

    given = [*residuals, *[ct for ct in cotangents if ct is not None]]
    following = iter(_in_front(flat, batch, given, [0] * len(given)))
    results: list[Any] = []
    for on, dim in zip(masks[0], dims, strict=True):
        ct = next(following) if on else None
        if ct is not None:
            ct = reduce_sum(ct, (0,)) if dim is None else _moved(ct, dim)
        results.append(ct)
    return results


def _moved(x: Any, dim: int) -> Any:
    from jx_core.lax import transpose

    if dim == 0:
        return x
    order = [i + 1 for i in range(typeof(x).ndim - 1)]
    return transpose(x, (*order[:dim], 0, *order[dim:]))


def _batch_call(primitive: Any, make: Any) -> None:
    @defbatch(primitive)
    def _(
        batch: BatchAxis,
        operands: Sequence[Any],
        dims: Dims,
        *,
        call_jaxpr: Any,
        rules: Any,
        num_consts: int,
    ) -> tuple[list[Any], list[int]]:
        if any(d is not None for d in dims[:num_consts]):
            # What the function closes over is batched: its rules close over the rows' values.
            rules = _Closed(rules, call_jaxpr, operands[:num_consts], dims[:num_consts])
        outs = primitive.bind(
            *operands[num_consts:],
            call_jaxpr=None,
            rules=make(rules, batch, dims[num_consts:]),
            num_consts=0,
        )
        return outs, [0] * len(outs)


class _Closed:
    """Rules whose function takes the values it closes over from outside."""

    def __init__(self, rules: Any, call_jaxpr: Any, consts: Any, dims: Dims) -> None:
        raise TypeError(
            f"vmap of the custom-derivative function {rules.name}: it closes over values that are "
            f"batched themselves. Pass them as arguments (jx.closure_convert makes it so)"
        )


_batch_call(custom_jvp_call_p, _BatchedJVP)
_batch_call(custom_vjp_call_p, _BatchedVJP)
