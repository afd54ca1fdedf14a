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
from ...programs import batch_aval
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

    def __init__(self, rules: Any, batch: BatchAxis, dims: Dims, num_consts: int = 0) -> None:
        self.name = f"vmap({rules.name})"
        self.source = rules.source
        self.known: dict[Any, Any] = {}
        self.rules = rules
        self.batch = batch
        self.dims = tuple(dims)
        self.const_dims, self.arg_dims = self.dims[:num_consts], self.dims[num_consts:]

    def call(self, *args: Any) -> list[Any]:
        return _in_front(self.rules.call, self.batch, args, self.dims)


class _BatchedJVP(_Batched, CustomJVP):
    def jvp(
        self,
        active: Sequence[bool],
        consts: Sequence[Any],
        primals: Sequence[Any],
        tangents: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        c, n = len(consts), len(consts) + len(primals)
        masks: list[list[bool]] = []

        def flat(*args: Any) -> list[Any]:
            outs, moved = self.rules.jvp(tuple(active), args[:c], args[c:n], args[n:])
            masks.append([t is not None for t in moved])
            return [*outs, *[t for t in moved if t is not None]]

        moving = [d for d, on in zip(self.arg_dims, active, strict=True) if on]
        args = [*consts, *primals, *tangents]
        results = _in_front(flat, self.batch, args, [*self.dims, *moving])
        n_out = len(masks[0])
        following = iter(results[n_out:])
        return results[:n_out], [next(following) if on else None for on in masks[0]]


class _BatchedVJP(_Batched, CustomVJP):
    def fwd(
        self, active: Sequence[bool], consts: Sequence[Any], primals: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        counts: list[int] = []
        c = len(consts)

        def flat(*args: Any) -> list[Any]:
            outs, residuals = self.rules.fwd(tuple(active), args[:c], args[c:])
            counts.append(len(outs))
            return [*outs, *residuals]

        results = _in_front(flat, self.batch, [*consts, *primals], self.dims)
        return results[: counts[0]], results[counts[0] :]

    def bwd(
        self, active: Sequence[bool], residuals: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[Any]:
        moving = [d for d, on in zip(self.arg_dims, active, strict=True) if on]
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
        # One object for one form of a program's rules, which may call their function again.
        known = rules.known if call_jaxpr is not None else {}
        key = ("vmap", batch, tuple(dims), num_consts)
        mapped = known.get(key)
        if mapped is None:
            mapped = known[key] = make(rules, batch, dims, num_consts)
        outs = primitive.bind(*operands, call_jaxpr=None, rules=mapped, num_consts=num_consts)
        return outs, [0] * len(outs)


_batch_call(custom_jvp_call_p, _BatchedJVP)
_batch_call(custom_vjp_call_p, _BatchedVJP)


@defbatch(custom_lin_p)
def _(
    batch: BatchAxis,
    operands: Sequence[Any],
    dims: Dims,
    *,
    rules: CustomVJP,
    active: Any,
    num_res: int,
    out_avals: Any,
) -> tuple[list[Any], list[int]]:
    moved = [at_axis(x, d, batch.size) for x, d in zip(operands, dims, strict=True)]
    mapped = _BatchedLin(rules, batch, (0,) * (len(operands) - num_res))
    outs = custom_lin_p.bind(
        *moved,
        rules=mapped,
        active=active,
        num_res=num_res,
        out_avals=tuple([batch_aval(a, 0, batch.size) for a in out_avals]),
    )
    return outs, [0] * len(outs)


class _BatchedLin(_Batched, CustomVJP):
    """The backward rule of a batch of linear maps; `dims` are those of the active operands."""

    def bwd(
        self, active: Sequence[bool], residuals: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[Any]:
        return _pull(self.rules, active, self.batch, self.dims, residuals, cotangents)
