"""What a `scan` keeps for its derivative: as little as the backward pass can do with.

The derivative of a loop's body needs values of the body, the residuals. Those that differ by step
are stacked over the steps, unless they are there anyway: rows of what the loop runs over, or of
its results. Those that are the same at every step are computed once, before the loop. What is a
copy of something smaller (a broadcast, a conversion, a comparison) is made again where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jx_core import ClosedJaxpr, lax
from jx_core.jaxpr import Eqn, Jaxpr, Literal, Var
from jx_core.jaxpr.passes import live_equations
from jx_core.lax import copy_p

from ...programs import Mask, inlined_calls, linearize_jaxpr

# Operations that move elements about, or whose results are small beside their operands: making
# them again costs no more than reading what they give.
_FREE = frozenset(
    {
        lax.broadcast_in_dim_p, lax.reshape_p, lax.squeeze_p, lax.transpose_p, lax.rev_p,
        lax.slice_p, lax.iota_p, lax.convert_element_type_p, copy_p, lax.neg_p,
        lax.eq_p, lax.ne_p, lax.lt_p, lax.le_p, lax.gt_p, lax.ge_p,
        lax.and_p, lax.or_p, lax.not_p,
    }
)  # fmt: skip


def _bytes(v: Var) -> int:
    return v.aval.size * getattr(v.aval.dtype, "itemsize", 1)


class ScanSplit:
    """A scan's linearisation: what is computed before the loop, the loop, and the linear loop.

    Attributes:
        active_out: which results of the body have tangents.
        n_out: how many results it has.
        prologue: from the loop's constants to values that are the same at every step.
        forward: the body of (prologue's values, constants, carry, xs) that gives its results and
            then rows of residuals.
        linear: the body of (fixed residuals, const tangents), carry tangents, (x tangents, rows)
            that gives the active results' tangents.
        fixed: where each fixed residual is: ("const", i) or ("before", i) for the prologue's.
        rows: where each stacked one is: ("x", i), or ("y", i) for the i-th stacked result.
    """

    def __init__(
        self, closed: ClosedJaxpr, active: Mask, carry_mask: Mask, num_consts: int
    ) -> None:
        closed = inlined_calls(closed)
        n_carry = len(carry_mask)
        want = (*carry_mask, *(False,) * (len(closed.out_avals) - n_carry))
        split = linearize_jaxpr(closed, active, want)
        self.active_out = split.active_out
        self.n_out = len(split.active_out)
        body = split.forward.jaxpr
        places = [
            body.invars[i] if kind == "in" else body.outvars[i] for kind, i in split.residuals
        ]
        plan = _Plan(body, num_consts, n_carry, self.n_out)
        plan.keep(places)
        self.prologue, self.forward = self._forward(split.forward, plan, num_consts)
        self.fixed = [
            ("const", plan.consts[v]) if v in plan.consts else ("before", plan.before.index(v))
            for v in plan.fixed
        ]
        ys = self.forward.jaxpr.outvars[n_carry:]
        self.rows = [
            ("x", plan.xs[v]) if v in plan.xs else ("y", ys.index(v)) for v in plan.stacked
        ]
        self.linear = _linear_body(split.linear, split.forward, places, plan)

    def _forward(
        self, closed: ClosedJaxpr, plan: _Plan, num_consts: int
    ) -> tuple[ClosedJaxpr | None, ClosedJaxpr]:
        body = closed.jaxpr
        results = body.outvars[: self.n_out]
        extra = [v for v in plan.stacked if v not in plan.xs and v not in plan.ys]
        outvars = [*results, *extra]
        prologue = None
        given = set(plan.before)
        if given:
            before = body.replace(invars=body.invars[:num_consts], outvars=plan.before)
            before = before.replace(eqns=live_equations(before))
            prologue = ClosedJaxpr(before, closed.consts)
        eqns = [e for e in body.eqns if not given.intersection(e.outvars)]
        trimmed = Jaxpr(
            body.constvars, [*plan.before, *body.invars], outvars, eqns, body.debug_name
        )
        return prologue, ClosedJaxpr(
            trimmed.replace(eqns=live_equations(trimmed)), closed.consts
        )


class _Plan:
    """Which values of a forward body the linear one is given, and which it makes again.

    Attributes:
        consts, xs, ys: the values that are there anyway: constants and rows of the loop by their
            numbers, results that are stacked.
        fixed: values that are the same at every step, of those given.
        before: those of them that are computed before the loop.
        stacked: the values given that differ by step.
        again: the equations that the linear body repeats.
    """

    def __init__(self, body: Jaxpr, num_consts: int, n_carry: int, n_out: int) -> None:
        first_x = num_consts + n_carry
        self.body = body
        self.consts = {v: i for i, v in enumerate(body.invars[:num_consts])}
        self.xs = {v: i for i, v in enumerate(body.invars[first_x:])}
        self.ys = {v for v in body.outvars[n_carry:n_out] if type(v) is not Literal}
        self.fixed: list[Var] = []
        self.before: list[Var] = []
        self.stacked: list[Var] = []
        self.again: set[int] = set()
        self._captured = set(body.constvars)
        self._makers: dict[Var, Eqn] = {}
        self._varying: set[Var] = set(body.invars[num_consts:])
        for eqn in body.eqns:
            varies = bool(eqn.effects) or any(
                type(v) is not Literal and v in self._varying for v in eqn.invars
            )
            for v in eqn.outvars:
                self._makers[v] = eqn
                if varies:
                    self._varying.add(v)

    def keep(self, values: Sequence[Any]) -> None:
        """Have `values` given to the linear body, or made again there."""
        wanted = list(dict.fromkeys(v for v in values if type(v) is not Literal))
        held = {v for v in wanted if not self._cheap(v)}
        for v in wanted:
            if v in held:
                self._give(v)
        for v in wanted:
            if v not in held:
                needed, eqns = self._sources(v, held)
                self.again.update(map(id, eqns))
                for u in needed:
                    self._give(u)
                    held.add(u)

    def _cheap(self, v: Var) -> bool:
        eqn = self._makers.get(v)
        return eqn is not None and eqn.primitive in _FREE

    def _at_hand(self, v: Var, held: set[Var]) -> bool:
        return (
            v in held or v in self.consts or v in self.xs or v in self.ys or v in self._captured
        )

    def _sources(self, v: Var, held: set[Var]) -> tuple[list[Var], list[Eqn]]:
        """What `v` is to be made of, and by which equations; itself and none if it is given."""
        if v in self._captured:
            return [], []
        if self._at_hand(v, held) or not self._cheap(v):
            return [v], []
        needed: dict[Var, None] = {}
        eqn = self._makers[v]
        eqns = [eqn]
        for u in eqn.invars:
            if type(u) is Literal:
                continue
            more, their = self._sources(u, held)
            needed.update(dict.fromkeys(more))
            eqns += their
        cost = sum(_bytes(u) for u in needed if not self._at_hand(u, held))
        return (list(needed), eqns) if cost <= _bytes(v) else ([v], [])

    def _give(self, v: Var) -> None:
        if v in self._captured:
            return
        if v in self._varying:
            if v not in self.stacked:
                self.stacked.append(v)
        elif v not in self.fixed:
            self.fixed.append(v)
            if v not in self.consts and v not in self.before:
                # All results of an equation, so that it is in the prologue or in the loop.
                self.before += self._makers[v].outvars


def _linear_body(
    linear: ClosedJaxpr,
    forward: ClosedJaxpr,
    places: Sequence[Any],
    plan: _Plan,
) -> ClosedJaxpr:
    """The program of (fixed residuals, tangents, rows), which makes the other residuals of them."""
    old, body = linear.jaxpr, plan.body
    n = len(places)
    env: dict[Var, Var] = {}
    eqns: list[Eqn] = []
    copies: list[Eqn] = []
    for own, v in zip(old.invars[:n], places, strict=True):
        if type(v) is Literal or v in env:
            copies.append(Eqn(copy_p, [v if type(v) is Literal else env[v]], [own], {}))
        else:
            env[v] = own
    captured: dict[Var, Any] = {}
    values = dict(zip(body.constvars, forward.consts, strict=True))

    def mapped(v: Any) -> Any:
        if type(v) is Literal:
            return v
        if v in values:
            captured.setdefault(v, values[v])
        if v not in env:
            env[v] = Var(v.aval)
        return env[v]

    for eqn in body.eqns:
        if id(eqn) in plan.again:
            ins = [mapped(v) for v in eqn.invars]
            eqns.append(eqn.replace(invars=ins, outvars=[mapped(v) for v in eqn.outvars]))
    fixed = [mapped(v) for v in plan.fixed]
    rows = [mapped(v) for v in plan.stacked]
    jaxpr = Jaxpr(
        [*old.constvars, *[env[v] for v in captured]],
        [*fixed, *old.invars[n:], *rows],
        old.outvars,
        [*eqns, *copies, *old.eqns],
        old.debug_name,
    )
    return ClosedJaxpr(jaxpr, [*linear.consts, *captured.values()])
