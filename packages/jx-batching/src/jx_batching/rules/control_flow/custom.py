"""Batching calls that carry their own rules: the same call of batched function and rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core.lax import reduce_sum
from jx_core.ops.control_flow.custom import (
    CustomJVP,
    CustomVJP,
    CustomVmap,
    custom_jvp_call_p,
    custom_lin_p,
    custom_vjp_call_p,
    custom_vmap_call_p,
    flat_bwd,
    flat_fwd,
    flat_jvp,
)

from ...axes import at_axis, move_axis
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
        flat, masks = flat_jvp(self.rules, tuple(active), len(consts), len(primals))
        moving = [d for d, on in zip(self.arg_dims, active, strict=True) if on]
        args = [*consts, *primals, *tangents]
        results = _in_front(flat, self.batch, args, [*self.dims, *moving])
        n_out = len(masks[0])
        following = iter(results[n_out:])
        return results[:n_out], [next(following) if on else None for on in masks[0]]


class _BatchedVJP(_Batched, CustomVJP):
    @property
    def optimize_remat(self) -> bool:
        return bool(self.rules.optimize_remat)

    def fwd(
        self, active: Sequence[bool], consts: Sequence[Any], primals: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        flat, counts = flat_fwd(self.rules, tuple(active), len(consts))
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
    nonzero = tuple(ct is not None for ct in cotangents)
    flat, masks = flat_bwd(rules, tuple(active), nonzero, len(residuals))
    given = [*residuals, *[ct for ct in cotangents if ct is not None]]
    following = iter(_in_front(flat, batch, given, [0] * len(given)))
    results: list[Any] = []
    for on, dim in zip(masks[0], dims, strict=True):
        ct = next(following) if on else None
        if ct is not None:
            ct = reduce_sum(ct, (0,)) if dim is None else move_axis(ct, 0, dim)
        results.append(ct)
    return results


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


@defbatch(custom_vmap_call_p)
def _custom_vmap(
    batch: BatchAxis,
    operands: Sequence[Any],
    dims: Dims,
    *,
    call_jaxpr: Any,
    rules: CustomVmap,
    num_consts: int,
) -> tuple[list[Any], list[int | None]]:
    if any(d is not None for d in dims[:num_consts]):
        raise TypeError(
            f"vmap of the custom_vmap function {rules.name}: the function closes over a value "
            f"that this vmap maps over, which its rule is not told. Make the value an argument of "
            f"{rules.name}"
        )
    front = [
        x if d is None else move_axis(x, d, 0) for x, d in zip(operands, dims, strict=True)
    ]
    batched = tuple(d is not None for d in dims[num_consts:])
    outs, differ = rules.batch(batch.size, batched, front[:num_consts], front[num_consts:])
    return outs, [0 if on else None for on in differ]


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
