"""Calls of functions whose derivatives are given: the primitives of `custom_jvp` and `custom_vjp`.

Such a call carries its function and its rules in one object, a `CustomJVP` or `CustomVJP`. While
nothing records the call they are Python functions, so that a rule sees values wherever a
gradient does; what records it makes them programs (`StagedJVP`, `StagedVJP`), the rules when they
are first asked for. Not here: the decorators that make these objects of users' functions, in
`jx_ad`, and what batching makes of them, in `jx_batching`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...config import trace_key
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr, Var
from ...primitive import NO_EFFECTS, Primitive
from ...staging import trace_to_jaxpr
from ...state import state
from ...trace import Tracer

Mask = tuple[bool, ...]


class Custom:
    """A flat function that has rules of its own.

    Attributes:
        name: the function's name.
        known: its programs, where something keeps them between calls.
        out_tree: the tree of its results; there once it has run, or has been traced.
    """

    name: str
    known: dict[Any, Any]
    out_tree: Any = None

    def call(self, *args: Any) -> list[Any]:
        """The function's results."""
        raise NotImplementedError


class CustomJVP(Custom):
    """A flat function and its rule of forward differentiation."""

    def jvp(
        self, active: Mask, primals: Sequence[Any], tangents: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Results and their tangents, None for zero ones.

        Args:
            active: which arguments have tangents that are not symbolic zeros.
            primals: the arguments.
            tangents: the tangents of the active ones, in order.
        """
        raise NotImplementedError


class CustomVJP(Custom):
    """A flat function and its rules of reverse differentiation."""

    def fwd(self, active: Mask, primals: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Results, and what the backward rule needs.

        Args:
            active: which arguments are differentiated.
            primals: the arguments.
        """
        raise NotImplementedError

    def bwd(self, active: Mask, residuals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        """The cotangents of the active arguments, None for zero ones.

        Args:
            active: as `fwd` was told.
            residuals: what `fwd` gave.
            cotangents: those of the results of inexact dtype, None for symbolic zeros.
        """
        raise NotImplementedError


def is_inexact(aval: ShapedArray) -> bool:
    """Whether values of this type have tangents of their own dtype."""
    return bool(dtypes.issubdtype(aval.dtype, np.inexact))


def _eval(closed: ClosedJaxpr, args: Sequence[Any]) -> list[Any]:
    return eval_jaxpr(closed.jaxpr, closed.consts, *args)


def _on(values: Sequence[Any], mask: Sequence[bool]) -> list[Any]:
    return [v for v, on in zip(values, mask, strict=True) if on]


class StagedJVP(CustomJVP):
    """A `CustomJVP` in a program: the function is a program, and so is the rule once asked for.

    Args:
        rules: the Python form.
        closed: the function's program, of (constants, arguments).
        num_consts: how many constants it has: values of enclosing traces that it closes over.
    """

    def __init__(self, rules: CustomJVP, closed: ClosedJaxpr, num_consts: int) -> None:
        self.name = rules.name
        self._rules = rules
        self._call = closed
        self._in_avals = closed.in_avals[num_consts:]
        self._programs: dict[Mask, tuple[ClosedJaxpr, Mask]] = {}

    def program(self, active: Mask | None = None) -> tuple[ClosedJaxpr, Mask]:
        """The rule of (primals, active tangents) to results and tangents, and which have one."""
        if active is None:
            active = tuple(map(is_inexact, self._in_avals))
        found = self._programs.get(active)
        if found is not None:
            return found
        n = len(self._in_avals)
        masks: list[Mask] = []

        def flat(*args: Any) -> list[Any]:
            outs, tangents = self._rules.jvp(active, args[:n], args[n:])
            masks.append(tuple(t is not None for t in tangents))
            return [*outs, *_on(tangents, masks[-1])]

        avals = [*self._in_avals, *_on(self._in_avals, active)]
        jaxpr, consts = trace_to_jaxpr(flat, avals, f"jvp of {self.name}")
        found = self._programs[active] = ClosedJaxpr(jaxpr, consts), masks[0]
        return found

    def jvp(
        self, active: Mask, primals: Sequence[Any], tangents: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        closed, moving = self.program(active)
        results = _eval(closed, [*primals, *tangents])
        following = iter(results[len(moving) :])
        return results[: len(moving)], [next(following) if on else None for on in moving]

    def printed(self) -> ClosedJaxpr:
        """The rule as programs that carry it are printed."""
        return self.program()[0]


class StagedVJP(CustomVJP):
    """A `CustomVJP` in a program: the function is a program, and so are the rules once asked for.

    Args: as `StagedJVP`.
    """

    def __init__(self, rules: CustomVJP, closed: ClosedJaxpr, num_consts: int) -> None:
        self.name = rules.name
        self._rules = rules
        self._in_avals = closed.in_avals[num_consts:]
        self._out_avals = closed.out_avals
        self._fwds: dict[Mask, ClosedJaxpr] = {}
        self._bwds: dict[tuple[Mask, Mask], tuple[ClosedJaxpr, Mask]] = {}

    def fwd_program(self, active: Mask) -> ClosedJaxpr:
        """The forward rule: primals to results, then residuals."""
        if active not in self._fwds:

            def flat(*args: Any) -> list[Any]:
                outs, residuals = self._rules.fwd(active, args)
                return [*outs, *residuals]

            jaxpr, consts = trace_to_jaxpr(flat, self._in_avals, f"fwd of {self.name}")
            self._fwds[active] = ClosedJaxpr(jaxpr, consts)
        return self._fwds[active]

    def bwd_program(self, active: Mask, nonzero: Mask) -> tuple[ClosedJaxpr, Mask]:
        """The backward rule of (residuals, cotangents that are not symbolic zeros)."""
        found = self._bwds.get((active, nonzero))
        if found is None:
            residuals = self.fwd_program(active).out_avals[len(self._out_avals) :]
            cts = _on([a for a in self._out_avals if is_inexact(a)], nonzero)
            found = staged_bwd(self._rules, active, nonzero, residuals, cts)
            self._bwds[active, nonzero] = found
        return found

    def fwd(self, active: Mask, primals: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        results = _eval(self.fwd_program(active), primals)
        n = len(self._out_avals)
        return results[:n], results[n:]

    def bwd(self, active: Mask, residuals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        nonzero = tuple(ct is not None for ct in cotangents)
        return run_bwd(self.bwd_program(active, nonzero), residuals, cotangents)

    def printed(self) -> tuple[ClosedJaxpr, ClosedJaxpr]:
        """The rules, forward and backward, as programs that carry them are printed."""
        active = tuple(map(is_inexact, self._in_avals))
        nonzero = (True,) * sum(map(is_inexact, self._out_avals))
        return self.fwd_program(active), self.bwd_program(active, nonzero)[0]


def staged_bwd(
    rules: CustomVJP,
    active: Mask,
    nonzero: Mask,
    residuals: Sequence[ShapedArray],
    cts: Sequence[ShapedArray],
) -> tuple[ClosedJaxpr, Mask]:
    """A backward rule as a program of (residuals, nonzero cotangents); which results it gives."""
    n = len(residuals)
    masks: list[Mask] = []

    def flat(*args: Any) -> list[Any]:
        following = iter(args[n:])
        full = [next(following) if on else None for on in nonzero]
        results = rules.bwd(active, args[:n], full)
        masks.append(tuple(r is not None for r in results))
        return _on(results, masks[-1])

    jaxpr, consts = trace_to_jaxpr(flat, [*residuals, *cts], f"bwd of {rules.name}")
    return ClosedJaxpr(jaxpr, consts), masks[0]


def run_bwd(
    program: tuple[ClosedJaxpr, Mask], residuals: Sequence[Any], cotangents: Sequence[Any]
) -> list[Any]:
    """Apply what `staged_bwd` made."""
    closed, gives = program
    results = iter(_eval(closed, [*residuals, *[ct for ct in cotangents if ct is not None]]))
    return [next(results) if on else None for on in gives]


# --- the primitives ---


def _types(*avals: ShapedArray, call_jaxpr: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
    return call_jaxpr.out_avals


def _effects(*, call_jaxpr: ClosedJaxpr, **params: Any) -> frozenset[Any]:
    return call_jaxpr.effects or NO_EFFECTS


def _inline(*operands: Any, call_jaxpr: ClosedJaxpr | None, rules: Any, **params: Any) -> list[Any]:
    """The function alone: where nothing differentiates, its rules do not matter."""
    if call_jaxpr is None:
        return rules.call(*operands)  # type: ignore[no-any-return]
    return _eval(call_jaxpr, operands)


def _stager(make: Callable[..., Any]) -> Callable[..., Any]:
    """How a call is recorded: its function becomes a program, what that closes over operands."""

    def stage(operands: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if params["call_jaxpr"] is not None:
            return operands, params
        rules = params["rules"]
        avals = tuple([typeof(x) for x in operands])
        key = (avals, trace_key(), state.axis_env)
        made = rules.known.get(key)
        if made is not None:
            rules.out_tree = made["rules"].out_tree
            return operands, made
        jaxpr, consts = trace_to_jaxpr(rules.call, avals, rules.name)
        tracers = [c for c in consts if isinstance(c, Tracer)]
        closed = _hoisted(jaxpr, consts)
        staged = make(rules, closed, len(tracers))
        made = {"call_jaxpr": closed, "rules": staged, "num_consts": len(tracers)}
        staged.out_tree = rules.out_tree
        if not tracers:
            rules.known[key] = made
        return (*tracers, *operands), made

    return stage


def _hoisted(jaxpr: Any, consts: Sequence[Any]) -> ClosedJaxpr:
    """The program with those of its constants that are tracers as leading arguments."""
    moved: list[Var] = []
    kept: list[tuple[Var, Any]] = []
    for v, c in zip(jaxpr.constvars, consts, strict=True):
        if isinstance(c, Tracer):
            moved.append(v)
        else:
            kept.append((v, c))
    return ClosedJaxpr(
        jaxpr.replace(constvars=[v for v, _ in kept], invars=moved + jaxpr.invars),
        [c for _, c in kept],
    )


# Operands: (constants, arguments). Params: call_jaxpr, the function as a program, None while it is
# Python's; rules, a CustomJVP (CustomVJP); num_consts.
custom_jvp_call_p = Primitive(
    "custom_jvp_call",
    abstract=_types,
    reference=_inline,
    decompose=_inline,
    effects=_effects,
    multiple_results=True,
    higher_order=True,
    stage=_stager(StagedJVP),
)
custom_vjp_call_p = Primitive(
    "custom_vjp_call",
    abstract=_types,
    reference=_inline,
    decompose=_inline,
    effects=_effects,
    multiple_results=True,
    higher_order=True,
    stage=_stager(StagedVJP),
)


def bind_custom(primitive: Primitive, rules: Any, args: Sequence[Any]) -> list[Any]:
    """Call a function with rules: as the Python function it is, unless something records it.

    Where something does, the function is traced here and now, while the values that it closes
    over are at hand.
    """
    operands: tuple[Any, ...] = tuple(args)
    params = {"call_jaxpr": None, "rules": rules, "num_consts": 0}
    if recorded(state.trace):
        assert primitive.stage is not None
        operands, params = primitive.stage(operands, params)
    return primitive.bind(*operands, **params)  # type: ignore[no-any-return]


def recorded(trace: Any) -> bool:
    """Whether what is bound now ends up in a program."""
    while hasattr(trace, "parent"):
        trace = trace.parent
    return not trace.is_eval


# --- the linear part of a call with rules of reverse differentiation ---


def _lin_types(
    *avals: ShapedArray, out_avals: tuple[ShapedArray, ...], **params: Any
) -> list[ShapedArray]:
    return list(out_avals)


def _lin_forward(*operands: Any, rules: Any, **params: Any) -> list[Any]:
    raise TypeError(
        f"can't apply forward-mode differentiation (jvp) to a custom_vjp function: {rules.name} "
        f"has rules for reverse mode only. Use jx.grad or jx.vjp, or give it a rule with "
        f"jx.custom_jvp, which serves both modes"
    )


class _StagedBwd(CustomVJP):
    """The backward rule alone, as a program."""

    def __init__(self, rules: CustomVJP, active: Mask, residuals: Any, out_avals: Any) -> None:
        self.name = rules.name
        self._rules = rules
        self._types = active, tuple(residuals), tuple(out_avals)
        self._programs: dict[Mask, tuple[ClosedJaxpr, Mask]] = {}

    def bwd(self, active: Mask, residuals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        nonzero = tuple(ct is not None for ct in cotangents)
        return run_bwd(self._program(nonzero), residuals, cotangents)

    def _program(self, nonzero: Mask) -> tuple[ClosedJaxpr, Mask]:
        if nonzero not in self._programs:
            active, residuals, outs = self._types
            made = staged_bwd(self._rules, active, nonzero, residuals, _on(outs, nonzero))
            self._programs[nonzero] = made
        return self._programs[nonzero]

    def printed(self) -> ClosedJaxpr:
        """The rule as programs that carry it are printed."""
        return self._program((True,) * len(self._types[2]))[0]


def _stage_lin(
    operands: tuple[Any, ...], params: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    rules = params["rules"]
    if not isinstance(rules, (StagedVJP, _StagedBwd)):
        residuals = [typeof(x) for x in operands[: params["num_res"]]]
        rules = _StagedBwd(rules, params["active"], residuals, params["out_avals"])
    return operands, {**params, "rules": rules}


# Operands: (residuals, active tangents); results: the tangents of the results of inexact dtype.
# Its transposition is the backward rule; it can't be run. Params: rules, a CustomVJP; active,
# which arguments of the call have tangents; num_res; out_avals.
custom_lin_p = Primitive(
    "custom_lin",
    abstract=_lin_types,
    reference=_lin_forward,
    decompose=_lin_forward,
    multiple_results=True,
    higher_order=True,
    stage=_stage_lin,
)
