"""Differentiation of `scan`: forward and linear loops over the body's derivative.

The linear loop's tangents travel in its carry; what it needs of the values is in
`scan_residuals.py`. The transposed loop runs the other way and gathers the constants'
cotangents in its carry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr, typeof
from jx_core.ops.control_flow.scan import bind_scan, scan_p
from jx_core.staging import trace_to_jaxpr

from ...programs import Mask, active_mask, eval_closed, jvp_jaxpr, select, spread
from ...tables import add_tangents, deflinearize, deftranspose, instantiate, jvp_rules
from ...tangents import Linear, Zero, is_differentiable, zeros
from ...tape import transpose_flat
from .scan_residuals import ScanSplit


def _parts(values: Any, params: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Operands (or flags for them) as those for consts, carry and xs."""
    a = params["num_consts"]
    b = a + params["num_carry"]
    return values[:a], values[a:b], values[b:]


def _carry_mask(jaxpr: ClosedJaxpr, tangents: list[Any], params: dict[str, Any]) -> Mask:
    """Which carries have tangents: the least set that the body keeps."""
    consts, carry, xs = _parts(active_mask(tangents), params)
    n = params["num_carry"]
    while True:
        _, out = jvp_jaxpr(jaxpr, (*consts, *carry, *xs))
        wider = tuple(a or b for a, b in zip(carry, out[:n], strict=True))
        if wider == carry:
            return carry  # type: ignore[no-any-return]
        carry = wider


def _with_carry(tangents: list[Any], primals: list[Any], carry: Mask, params: Any) -> list[Any]:
    """`tangents` with zeros made for the carries that get one in the loop."""
    a = params["num_consts"]
    result = list(tangents)
    for i, on in enumerate(carry):
        if on and result[a + i] is None:
            result[a + i] = instantiate(None, primals[a + i])
    return result


def _jvp(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    jaxpr: ClosedJaxpr = params["jaxpr"]
    n_carry = params["num_carry"]
    carry_mask = _carry_mask(jaxpr, tangents, params)
    tangents = _with_carry(tangents, primals, carry_mask, params)
    active = active_mask(tangents)
    want = (*carry_mask, *(False,) * (len(jaxpr.out_avals) - n_carry))
    body, active_out = jvp_jaxpr(jaxpr, active, want)
    key = ("jvp scan", active, params["num_consts"], n_carry)
    if key not in jaxpr.derived:
        jaxpr.derived[key] = _interleaved(body, active, len(active_out), params)
    merged: ClosedJaxpr = jaxpr.derived[key]
    consts, carry, xs = _parts(primals, params)
    t_consts, t_carry, t_xs = ([t for t in p if t is not None] for p in _parts(tangents, params))
    results = bind_scan(
        *consts, *t_consts, *carry, *t_carry, *xs, *t_xs,
        **{
            **params,
            "jaxpr": merged,
            "num_consts": len(consts) + len(t_consts),
            "num_carry": len(carry) + len(t_carry),
        },
    )  # fmt: skip
    n_tangent = len(t_carry)
    n_out = len(active_out)
    ys = results[n_carry + n_tangent :]
    primals_out = results[:n_carry] + ys[: n_out - n_carry]
    moving = results[n_carry : n_carry + n_tangent] + ys[n_out - n_carry :]
    return primals_out, spread(moving, active_out)


def _interleaved(
    body: ClosedJaxpr, active: Mask, n_out: int, params: dict[str, Any]
) -> ClosedJaxpr:
    """The JVP of a body with tangents beside their primals: consts, carry, xs; carry, ys."""
    jaxpr = body.jaxpr
    n_carry, n_in = params["num_carry"], len(active)
    primals = _parts(jaxpr.invars[:n_in], params)
    tangents = _parts(spread(jaxpr.invars[n_in:], active), params)
    invars = [v for p, t in zip(primals, tangents, strict=True) for v in [*p, *t] if v is not None]
    outs, moving = jaxpr.outvars[:n_out], jaxpr.outvars[n_out:]
    n_moving = sum(_parts(active, params)[1])
    outvars = [*outs[:n_carry], *moving[:n_moving], *outs[n_carry:], *moving[n_moving:]]
    return ClosedJaxpr(jaxpr.replace(invars=invars, outvars=outvars), body.consts)


jvp_rules.define(scan_p)(_jvp)


@deflinearize(scan_p)
def _linearize(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    jaxpr: ClosedJaxpr = params["jaxpr"]
    n_carry = params["num_carry"]
    carry_mask = _carry_mask(jaxpr, tangents, params)
    tangents = _with_carry(tangents, primals, carry_mask, params)
    active = active_mask(tangents)
    key = ("linearize scan", active, params["num_consts"], n_carry)
    split: ScanSplit | None = jaxpr.derived.get(key)
    if split is None:
        split = ScanSplit(jaxpr, active, carry_mask, params["num_consts"])
        jaxpr.derived[key] = split
    consts, _, xs = _parts(primals, params)
    before = [] if split.prologue is None else eval_closed(split.prologue, consts)
    results = bind_scan(
        *before,
        *primals,
        **{
            **params,
            "jaxpr": split.forward,
            "num_consts": len(before) + len(consts),
        },
    )
    if not any(split.active_out):
        return results[: split.n_out], [None] * split.n_out
    t_consts, t_carry, t_xs = ([t for t in p if t is not None] for p in _parts(tangents, params))
    rows = [xs[i] if kind == "x" else results[n_carry + i] for kind, i in split.rows]
    fixed = [primals[i] if kind == "const" else before[i] for kind, i in split.fixed]
    linear = bind_scan(
        *fixed, *t_consts, *t_carry, *t_xs, *rows,
        **{
            **params,
            "jaxpr": split.linear,
            "num_consts": len(fixed) + len(t_consts),
            "num_carry": len(t_carry),
        },
    )  # fmt: skip
    return results[: split.n_out], spread(linear, split.active_out)


@deftranspose(scan_p)
def _transpose(ct: list[Any], *operands: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    l_consts, l_carry, l_xs = _parts(tuple(type(x) is Linear for x in operands), params)
    _check_carry(operands, l_carry, params)
    # A carry that starts from a known value starts from the zeros of a symbolic zero tangent.
    linear: Mask = (*l_consts, *(True for _ in l_carry), *l_xs)
    n_carry = params["num_carry"]
    consts, _, xs = _parts(operands, params)
    ct_carry = [instantiate_ct(c) for c in ct[:n_carry]]
    ct_ys = ct[n_carry:]
    active_ys = tuple(type(c) is not Zero for c in ct_ys)
    key = ("transpose scan", linear, active_ys, params["num_consts"], n_carry)
    if key not in jaxpr.derived:
        jaxpr.derived[key] = _transposed_body(jaxpr, linear, active_ys, params)
    body: ClosedJaxpr = jaxpr.derived[key]
    fixed = [x for x, on in zip(consts, l_consts, strict=True) if not on]
    sums = [zeros(x.aval) for x, on in zip(consts, l_consts, strict=True) if on]
    rows = [x for x, on in zip(xs, l_xs, strict=True) if not on]
    results = bind_scan(
        *fixed, *sums, *ct_carry, *select(ct_ys, active_ys), *rows,
        jaxpr=body,
        length=params["length"],
        reverse=not params["reverse"],
        num_consts=len(fixed),
        num_carry=len(sums) + n_carry,
        unroll=params["unroll"],
    )  # fmt: skip
    n = len(sums)
    ct_consts, ct_init, ct_xs = results[:n], results[n : n + n_carry], results[n + n_carry :]
    moving = [c if on else None for c, on in zip(ct_init, l_carry, strict=True)]
    return [*spread(ct_consts, l_consts), *moving, *spread(ct_xs, l_xs)]


def _check_carry(operands: Sequence[Any], linear: Mask, params: dict[str, Any]) -> None:
    """Raise a TypeError where a carry is no tangent: the loop then is not linear in it."""
    for x, on in zip(_parts(operands, params)[1], linear, strict=True):
        if not on and not is_differentiable(typeof(x)):
            raise TypeError(
                f"transposing a scan whose carry holds a value of type {typeof(x).str_short()}, "
                f"in which it can't be linear (a counter, say), is not supported: pass it in xs, "
                f"or use jx.vjp in place of jx.linear_transpose"
            )


def instantiate_ct(c: Any) -> Any:
    """A cotangent as an array."""
    return c.instantiate() if type(c) is Zero else c


def _transposed_body(
    jaxpr: ClosedJaxpr, linear: Mask, active_ys: Mask, params: dict[str, Any]
) -> ClosedJaxpr:
    """Takes fixed, (constants' cotangent sums, carry cotangents), (y cotangents, rows)."""
    n_carry = params["num_carry"]
    c_avals, k_avals, x_avals = _parts(jaxpr.in_avals, params)
    l_consts, _, l_xs = _parts(linear, params)
    fixed = select(c_avals, [not on for on in l_consts])
    sums = select(c_avals, l_consts)
    rows = select(x_avals, [not on for on in l_xs])
    y_avals = select(jaxpr.out_avals[n_carry:], active_ys)
    linear_avals = select(jaxpr.in_avals, linear)
    sizes = [len(p) for p in (fixed, sums, k_avals, y_avals, rows)]

    def flat(*args: Any) -> list[Any]:
        pieces, start = [], 0
        for size in sizes:
            pieces.append(args[start : start + size])
            start += size
        values, totals, cts, y_cts, row = pieces
        known = [
            *spread(values, [not on for on in l_consts]),
            *(None for _ in k_avals),
            *spread(row, [not on for on in l_xs]),
        ]

        def step(*moving: Any) -> list[Any]:
            following = iter(moving)
            full = [next(following) if on else v for on, v in zip(linear, known, strict=True)]
            return eval_closed(jaxpr, full)

        out_cts = [*cts, *spread(y_cts, active_ys)]
        results = transpose_flat(step, linear_avals, out_cts)
        n = len(sums)
        added = [add_tangents(t, r) for t, r in zip(totals, results[:n], strict=True)]
        rest = zip(results[n:], linear_avals[n:], strict=True)
        return added + [zeros(a) if r is None else r for r, a in rest]

    avals = [*fixed, *sums, *k_avals, *y_avals, *rows]
    body, consts = trace_to_jaxpr(flat, avals, f"transpose({jaxpr.jaxpr.debug_name})")
    return ClosedJaxpr(body, consts)
