"""Differentiation of conditionals: a conditional over the branches' derivatives.

So it is for `cond` and `switch`, whose first operand says which branch is taken, and for
`platform_dependent`, where the platform does: the rules below are of a primitive and the number
of its operands that the branches do not take.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from jx_core import ClosedJaxpr, Primitive, ShapedArray
from jx_core.ops.control_flow.cond import cond_p
from jx_core.ops.control_flow.platform_dependent import platform_dependent_p
from jx_core.staging import trace_to_jaxpr

from ...programs import (
    Linearized,
    Mask,
    active_mask,
    eval_closed,
    jvp_jaxpr,
    linearize_jaxpr,
    spread,
    transpose_jaxpr,
)
from ...tables import deflinearize, deftranspose, jvp_rules
from ...tangents import Linear, Zero


def _any(masks: list[Mask]) -> Mask:
    return tuple(any(flags) for flags in zip(*masks, strict=True))


def _jvp(
    primitive: Primitive,
    n: int,
    primals: list[Any],
    tangents: list[Any],
    params: dict[str, Any],
) -> Any:
    active = active_mask(tangents[n:])
    branches = params["branches"]
    active_out = _any([jvp_jaxpr(b, active)[1] for b in branches])
    derived = tuple(jvp_jaxpr(b, active, active_out)[0] for b in branches)
    moving = [t for t in tangents[n:] if t is not None]
    results = primitive.bind(*primals, *moving, **{**params, "branches": derived})
    n_out = len(active_out)
    return results[:n_out], spread(results[n_out:], active_out)


Place = tuple[str, int]


class _Split:
    """The branches' linearisations, brought to one form.

    Attributes:
        forward: branches that give the results, then one value for each slot.
        linear: branches that take `needed`, then tangents.
        needed: the residuals: ("in", i) an operand, ("out", i) a result, then slots.
    """

    def __init__(self, branches: tuple[ClosedJaxpr, ...], active: Mask) -> None:
        plain = [linearize_jaxpr(b, active) for b in branches]
        self.active_out = _any([s.active_out for s in plain])
        splits = [linearize_jaxpr(b, active, self.active_out) for b in branches]
        self.n_out = len(self.active_out)
        self.slots: list[ShapedArray] = []
        places = [self._place(s) for s in splits]
        keys = {p for per_branch in places for p in per_branch}
        self.needed: list[Place] = sorted(keys)
        self.forward = tuple(self._forward(s, p) for s, p in zip(splits, places, strict=True))
        types = dict(self._types(branches[0]))
        self.linear = tuple(
            self._linear(s, p, types, b, active)
            for s, p, b in zip(splits, places, branches, strict=True)
        )

    def _place(self, split: Linearized) -> list[Place]:
        """Where each residual of a branch is: extra results go to slots of their type, which
        branches share, since only one of them runs."""
        taken: set[int] = set()
        places: list[Place] = []
        for kind, i in split.residuals:
            if kind == "in" or i < self.n_out:
                places.append((kind, i))
                continue
            aval = split.forward.out_avals[i]
            free = (k for k, a in enumerate(self.slots) if a is aval and k not in taken)
            k = next(free, len(self.slots))
            if k == len(self.slots):
                self.slots.append(aval)
            taken.add(k)
            places.append(("slot", k))
        return places

    def _forward(self, split: Linearized, places: list[Place]) -> ClosedJaxpr:
        def flat(*args: Any) -> list[Any]:
            outs = eval_closed(split.forward, args)
            filled: list[Any] = [None] * len(self.slots)
            for (kind, k), (_, i) in zip(places, split.residuals, strict=True):
                if kind == "slot":
                    filled[k] = outs[i]
            fill = [zero_of(a) if f is None else f for f, a in zip(filled, self.slots, strict=True)]
            return outs[: self.n_out] + fill

        jaxpr, consts = trace_to_jaxpr(flat, split.forward.in_avals, "branch")
        return ClosedJaxpr(jaxpr, consts)

    def _types(self, branch: ClosedJaxpr) -> list[tuple[Place, ShapedArray]]:
        ins = [(("in", i), a) for i, a in enumerate(branch.in_avals)]
        outs = [(("out", i), a) for i, a in enumerate(branch.out_avals)]
        return ins + outs + [(("slot", k), a) for k, a in enumerate(self.slots)]

    def _linear(
        self,
        split: Linearized,
        places: list[Place],
        types: dict[Place, ShapedArray],
        branch: ClosedJaxpr,
        active: Mask,
    ) -> ClosedJaxpr:
        n = len(self.needed)

        def flat(*args: Any) -> list[Any]:
            values = dict(zip(self.needed, args[:n], strict=True))
            return eval_closed(split.linear, [*(values[p] for p in places), *args[n:]])

        tangent_avals = [a for a, on in zip(branch.in_avals, active, strict=True) if on]
        avals = [types[p] for p in self.needed] + tangent_avals
        jaxpr, consts = trace_to_jaxpr(flat, avals, "linear_branch")
        return ClosedJaxpr(jaxpr, consts)


def zero_of(aval: ShapedArray) -> Any:
    """A stand-in for a residual of a branch that was not taken."""
    from jx_core.lax import full

    return full(aval.shape, 0, aval.dtype)


def _linearize(
    primitive: Primitive,
    n: int,
    primals: list[Any],
    tangents: list[Any],
    params: dict[str, Any],
) -> Any:
    leading, operands = primals[:n], primals[n:]
    active = active_mask(tangents[n:])
    branches: tuple[ClosedJaxpr, ...] = params["branches"]
    key = ("linearize cond", active, branches[1:])
    split = branches[0].derived.get(key)
    if split is None:
        split = branches[0].derived[key] = _Split(branches, active)
    results = primitive.bind(*primals, **{**params, "branches": split.forward})
    n_out = split.n_out
    if not any(split.active_out):
        return results[:n_out], [None] * n_out
    sources = {"in": operands, "out": results, "slot": results[n_out:]}
    residuals = [sources[kind][i] for kind, i in split.needed]
    moving = [t for t in tangents[n:] if t is not None]
    linear = primitive.bind(
        *leading, *residuals, *moving, **{**params, "branches": split.linear}
    )
    return results[:n_out], spread(linear, split.active_out)


def _transpose(
    primitive: Primitive, n: int, ct: list[Any], *operands: Any, branches: Any, **params: Any
) -> list[Any]:
    leading, operands = operands[:n], operands[n:]
    linear = tuple(type(x) is Linear for x in operands)
    active = tuple(type(c) is not Zero for c in ct)
    derived = tuple(transpose_jaxpr(b, linear, active, instantiate=True)[0] for b in branches)
    values = [x for x in operands if type(x) is not Linear]
    cts = [c for c in ct if type(c) is not Zero]
    results = primitive.bind(*leading, *values, *cts, branches=derived, **params)
    return [*[None] * n, *spread(results, linear)]


for _primitive, _n in ((cond_p, 1), (platform_dependent_p, 0)):
    jvp_rules.define(_primitive)(partial(_jvp, _primitive, _n))
    deflinearize(_primitive)(partial(_linearize, _primitive, _n))
    deftranspose(_primitive)(partial(_transpose, _primitive, _n))
