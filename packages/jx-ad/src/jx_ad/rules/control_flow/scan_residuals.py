"""What a `scan` keeps for its derivative: as little as the backward pass can do with.

The derivative of a loop's body needs values of the body, the residuals. Those that differ by step
are stacked over the steps, unless they are there anyway: rows of what the loop runs over, or of
its results. Those that are the same at every step are computed once, before the loop. What is a
copy of something smaller (a broadcast, a conversion, a comparison) is made again where it is used,
and so is the sum, product or quotient of values that are there. A carry that is kept as a step
hands it on is not kept once more as the next step gets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import ClosedJaxpr, Primitive, ShapedArray, lax
from jx_core.jaxpr import Eqn, Jaxpr, Literal, Var
from jx_core.jaxpr.passes import live_equations
from jx_core.lax import copy_p
from jx_core.staging import trace_to_jaxpr

from ...programs import Linearized, eval_closed

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
# Arithmetic that disappears in the loop it is used in: made again where all operands are at hand.
_LIGHT = frozenset(
    {
        lax.add_p, lax.sub_p, lax.mul_p, lax.div_p, lax.max_p, lax.min_p, lax.select_n_p,
        lax.abs_p, lax.sign_p, lax.square_p, lax.integer_pow_p,
    }
)  # fmt: skip
_MOST_ARITHMETIC = 4  # equations of this kind for one value


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
        fixed: where each fixed residual is: ("const", i), ("before", i) for the prologue's,
            ("carry", i) for the carry that the loop starts from, or a stacked array as a whole.
        rows: where each stacked one is: ("x", i), or ("y", i) for the i-th stacked result; or
            ("step", 0), the number of the row.
    """

    def __init__(
        self, split: Linearized, num_consts: int, n_carry: int, length: int, reverse: bool
    ) -> None:
        self.active_out = split.active_out
        self.n_out = len(split.active_out)
        body = split.forward.jaxpr
        places = [
            body.invars[i] if kind == "in" else body.outvars[i] for kind, i in split.residuals
        ]
        plan = _Plan(body, num_consts, n_carry, self.n_out)
        plan.keep(places)
        known = isinstance(length, int) and length > 1  # it may be a symbol
        carries = _handed_on(plan, num_consts, n_carry) if known else {}
        dropped = {plan.stacked[k] for k in carries}
        self.prologue, self.forward = self._forward(split.forward, plan, num_consts, dropped)
        self.fixed = [
            ("const", plan.consts[v]) if v in plan.consts else ("before", plan.before.index(v))
            for v in plan.fixed
        ]
        ys = self.forward.jaxpr.outvars[n_carry:]
        self.rows = [
            ("x", plan.xs[v]) if v in plan.xs else ("y", ys.index(v) if v in ys else -1)
            for v in plan.stacked
        ]
        self.linear = _linear_body(split.linear, split.forward, places, plan)
        if carries:
            self._drop_copies(carries, length, reverse)

    def _forward(
        self, closed: ClosedJaxpr, plan: _Plan, num_consts: int, dropped: set[Var]
    ) -> tuple[ClosedJaxpr | None, ClosedJaxpr]:
        body = closed.jaxpr
        results = body.outvars[: self.n_out]
        extra = [
            v for v in plan.stacked
            if v not in plan.xs and v not in plan.ys and v not in dropped
        ]  # fmt: skip
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


    def _drop_copies(
        self, carries: dict[int, tuple[int, int]], length: int, reverse: bool
    ) -> None:
        """Take carries as each step got them from those that the step before handed on.

        The linear body then is given the array of the latter and the number of the step.
        """
        whole = list(dict.fromkeys(after for after, _ in carries.values()))
        place = {k: i for i, k in enumerate(whole)}
        first = len(whole)
        own = [k for k in range(len(self.rows)) if k not in carries and k not in place]
        n_fixed, n_rows = len(self.fixed), len(self.rows)
        old = self.linear
        n_tangents = len(old.in_avals) - n_fixed - n_rows
        last = length - 1

        def flat(*args: Any) -> list[Any]:
            arrays, inits = args[:first], args[first : first + len(carries)]
            rest = args[first + len(carries) :]
            step, *given = rest[n_fixed + n_tangents :]
            rows: list[Any] = [None] * n_rows
            for k, row in zip(own, given, strict=True):
                rows[k] = row
            for k, array in zip(whole, arrays, strict=True):
                rows[k] = _row(array, step)
            before = lax.min(step + 1, last) if reverse else lax.max(step - 1, 0)
            begins = lax.eq(step, last if reverse else 0)
            for (k, (after, _)), init in zip(carries.items(), inits, strict=True):
                rows[k] = lax.select(begins, init, _row(arrays[place[after]], before))
            return eval_closed(old, [*rest[: n_fixed + n_tangents], *rows])

        row_avals = old.in_avals[n_fixed + n_tangents :]
        avals = [
            *[row_avals[k].update(shape=(length, *row_avals[k].shape)) for k in whole],
            *[row_avals[k] for k in carries],
            *old.in_avals[: n_fixed + n_tangents],
            ShapedArray((), np.dtype(np.int32)),
            *[row_avals[k] for k in own],
        ]
        self.linear = ClosedJaxpr(*trace_to_jaxpr(flat, avals, old.jaxpr.debug_name))
        self.fixed = [
            *[self.rows[k] for k in whole],
            *[("carry", i) for _, i in carries.values()],
            *self.fixed,
        ]
        self.rows = [("step", 0), *[self.rows[k] for k in own]]


def _row(array: Any, step: Any) -> Any:
    return lax.dynamic_index_in_dim(array, step, keepdims=False, allow_negative_indices=False)


def _handed_on(plan: _Plan, num_consts: int, n_carry: int) -> dict[int, tuple[int, int]]:
    """Stacked carries as steps get them, where they are stacked as steps hand them on too.

    Returns:
        For the place of each such value among those stacked, the place of the one handed on, and
        the number of the carry.
    """
    places = {v: k for k, v in enumerate(plan.stacked)}
    found: dict[int, tuple[int, int]] = {}
    for i in range(n_carry):
        before, after = plan.body.invars[num_consts + i], plan.body.outvars[i]
        k, kept = places.get(before), places.get(after) if type(after) is Var else None
        sources = {source for source, _ in found.values()}
        if k is None or kept is None or before in plan.ys or k in sources or kept in found:
            continue
        if k == kept:  # the step hands on what it got
            continue
        found[k] = kept, i
    return found


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
        self.ys = {v for v in body.outvars[n_carry:n_out] if isinstance(v, Var)}
        self.fixed: list[Var] = []
        self.before: list[Var] = []
        self.stacked: list[Var] = []
        self.again: set[int] = set()
        self._captured = set(body.constvars)
        self._at_hand: set[Var] = {*self.consts, *self.xs, *self.ys, *self._captured}
        self._made: set[Var] = set()
        self._carries = list(zip(body.invars[num_consts:first_x], body.outvars, strict=False))
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
        wanted = {v for v in values if type(v) is not Literal}
        in_order = [v for v in [*self.body.invars, *self._makers] if v in wanted]
        later = [v for v in in_order if self._is(v, _FREE) or self._is(v, _LIGHT)]
        self._at_hand.update(wanted.difference(later))
        # A carry that is kept is at hand as the step before handed it on: see _handed_on.
        self._at_hand.update(
            after for before, after in self._carries if before in wanted and type(after) is Var
        )
        for v in in_order:
            if v in self._at_hand:
                self._give(v)
                continue
            needed, eqns = self._sources(v, _MOST_ARITHMETIC)
            for eqn in eqns:
                self.again.add(id(eqn))
                self._made.update(eqn.outvars)
            for u in needed:
                self._give(u)
            self._at_hand.update([v, *needed])

    def _is(self, v: Var, primitives: frozenset[Primitive]) -> bool:
        eqn = self._makers.get(v)
        return eqn is not None and eqn.primitive in primitives

    def _sources(self, v: Var, light: int) -> tuple[list[Var], list[Eqn]]:
        """What `v` is to be made of, and by which equations; itself and none if it is given.

        At most `light` of the equations do arithmetic, and then on what is at hand alone.
        """
        eqn = self._makers.get(v)
        if v in self._at_hand or eqn is None:
            return [v], []
        arithmetic = eqn.primitive in _LIGHT
        if not (eqn.primitive in _FREE or (arithmetic and light > 0)):
            return [v], []
        needed: dict[Var, None] = {}
        eqns = [eqn]
        light -= arithmetic
        for u in eqn.invars:
            if isinstance(u, Var):
                more, their = self._sources(u, light)
                needed.update(dict.fromkeys(more))
                eqns += their
                light -= sum(e.primitive in _LIGHT for e in their)
        cost = sum(_bytes(u) for u in needed if u not in self._at_hand)
        worth = cost == 0 if arithmetic else cost <= _bytes(v)
        return (list(needed), eqns) if worth else ([v], [])

    def _give(self, v: Var) -> None:
        if v in self._captured or v in self._made:
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
