"""Forward differentiation: a trace that carries a tangent beside each value.

`JVPTrace` evaluates every operation under its parent and pushes tangents through the
primitive's JVP rule. `LinearizeTrace` is the same with tangents that are recorded on
a tape (`tape.py`) instead of computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import Primitive, ShapedArray, Trace, Tracer, typeof
from jx_core.config import check_tracer_leaks
from jx_core.state import state, swap_trace

from .tables import jvp_rules, linearize_rules


class JVPTracer(Tracer):
    """A value and its tangent, which is not zero (or the value would travel alone)."""

    __slots__ = ("primal", "tangent")

    def __init__(self, trace: JVPTrace, primal: Any, tangent: Any) -> None:
        self._trace = trace
        self.primal = primal
        self.tangent = tangent

    @property
    def aval(self) -> ShapedArray:  # type: ignore[override]
        return typeof(self.primal)

    def concrete(self) -> Any:
        primal = self.primal
        return primal.concrete() if isinstance(primal, Tracer) else primal

    def origin(self) -> str:
        return "It is a value being differentiated (by jvp, linearize, vjp or grad)."

    def __repr__(self) -> str:
        return f"JVPTracer<{self.aval.str_short()}>(primal={self.primal})"


class JVPTrace(Trace):
    """Pushes tangents forward, under the trace that was current before.

    Attributes:
        parent: where primal operations go.
        tangent_trace: where tangent operations go; the parent too, but for linearisation.
    """

    __slots__ = ("finished", "parent", "tangent_trace")

    def __init__(self, parent: Trace, tangent_trace: Trace | None = None) -> None:
        jvp_rules.load()
        self.parent = parent
        self.tangent_trace = parent if tangent_trace is None else tangent_trace
        self.finished = False

    def process(self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]) -> Any:
        primals: list[Any] = []
        tangents: list[Any] = []
        active = False
        for x in operands:
            if type(x) is JVPTracer and x._trace is self:
                primals.append(x.primal)
                tangents.append(x.tangent)
                active = True
            else:
                primals.append(x)
                tangents.append(None)
        if not active:
            return self.parent.process(primitive, tuple(operands), params)
        rule = self.rule(primitive)
        if rule is None:
            return self._decomposed(primitive, operands, params)
        before = swap_trace(self.tangent_trace)
        try:
            out, tangent = rule(primals, tangents, params)
        finally:
            swap_trace(before)
        if primitive.multiple_results:
            return [
                o if t is None else JVPTracer(self, o, t) for o, t in zip(out, tangent, strict=True)
            ]
        return out if tangent is None else JVPTracer(self, out, tangent)

    def rule(self, primitive: Primitive) -> Callable[..., Any] | None:
        """The rule to push tangents through `primitive`, None for its decomposition."""
        rule = jvp_rules.rules.get(primitive)
        if rule is None and primitive.decompose is None:
            return jvp_rules.lookup(primitive)  # raises, saying how to define one
        return rule

    def _decomposed(
        self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        assert primitive.decompose is not None
        before = swap_trace(self)
        try:
            return primitive.decompose(*operands, **params)
        finally:
            swap_trace(before)

    def split(self, values: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The primals and tangents of results of the traced function, None for zero ones."""
        primals, tangents = [], []
        for x in values:
            mine = type(x) is JVPTracer and x._trace is self
            primals.append(x.primal if mine else x)
            tangents.append(x.tangent if mine else None)
        return primals, tangents


class LinearizeTrace(JVPTrace):
    """Evaluates forward and records the linear part of every operation on a tape."""

    __slots__ = ()

    def rule(self, primitive: Primitive) -> Callable[..., Any] | None:
        rule = linearize_rules.rules.get(primitive)
        return rule if rule is not None else super().rule(primitive)


def run(
    trace: JVPTrace,
    fun: Callable[..., Sequence[Any]],
    primals: Sequence[Any],
    tangents: Sequence[Any],
) -> tuple[list[Any], list[Any]]:
    """Run a flat function under `trace`; tangents that are None are zero, in and out."""
    inputs = [
        p if t is None else JVPTracer(trace, p, t) for p, t in zip(primals, tangents, strict=True)
    ]
    watch = _watch(trace, inputs) if check_tracer_leaks.value else None
    before = swap_trace(trace)
    try:
        outputs = fun(*inputs)
    finally:
        trace.finished = True
        swap_trace(before)
    result = trace.split(outputs)
    if watch is not None:
        del trace, inputs, outputs
        watch.check()
    return result


def _watch(trace: JVPTrace, inputs: Sequence[Any]) -> Any:
    from jx_core.leaks import Watch

    return Watch(trace, inputs, "differentiation (jvp, linearize, vjp, grad)")


def jvp_flat(
    fun: Callable[..., Sequence[Any]], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """Results and tangents of a flat function; tangents that are None are zero, in and out.

    In a rule that runs while tangents are taped, values are computed and the rest goes to the
    tape: a loop in `fun` is split in two like any other.
    """
    current = state.trace
    taped = getattr(current, "is_tape", False)
    # No name for the trace: `run` sees to it that nothing of it outlives the call.
    return run(
        LinearizeTrace(current.parent, current) if taped else JVPTrace(current),
        fun, primals, tangents,
    )  # fmt: skip
