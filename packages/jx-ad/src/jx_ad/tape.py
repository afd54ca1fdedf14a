"""The tape: the linear part of a computation, recorded while its values are computed.

`Tape` is the trace that tangent operations go to under linearisation. An operation on
none of its tracers is about values, and goes to the parent at once; the others are
recorded. The record can be run forward (`linearize`), backward (`vjp`), or made into a
Jaxpr (to linearise a staged call once and for all).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jx_core import Array, ClosedJaxpr, Primitive, ShapedArray, Trace, Tracer, source, typeof
from jx_core.lax import copy_p
from jx_core.ops.control_flow.custom import custom_lin_p
from jx_core.ops.elementwise import convert
from jx_core.staging import StagingTrace, StagingTracer
from jx_core.state import state, swap_trace

from .forward import LinearizeTrace, run
from .tables import add_tangents, transpose_rules
from .tangents import Linear, Zero, is_differentiable, zeros


class _Mark:
    """What the tracers of a tape have in common, in place of the tape.

    A tape refers to its tracers; if they referred to it, what it holds would only be freed when
    the garbage collector runs.
    """

    __slots__ = ("finished",)

    def __init__(self) -> None:
        self.finished = False


class LinearTracer(Tracer):
    """A value on the tape, known by type and by its number there."""

    __slots__ = ("aval", "index")

    def __init__(self, mark: _Mark, aval: ShapedArray, index: int) -> None:
        self._trace = mark
        self.aval = aval
        self.index = index

    def origin(self) -> str:
        return "It is the linear part of a value being differentiated."


class Entry(NamedTuple):
    """One recorded operation; `operands` holds LinearTracers and values."""

    primitive: Primitive
    operands: tuple[Any, ...]
    params: dict[str, Any]
    outs: list[LinearTracer]
    source: source.Source


class Tape(Trace):
    """Records operations on its tracers; all others go to the parent."""

    __slots__ = ("count", "entries", "inputs", "mark", "parent")
    is_tape = True

    def __init__(self, parent: Trace) -> None:
        transpose_rules.load()
        self.parent = parent
        self.entries: list[Entry] = []
        self.inputs: list[LinearTracer] = []
        self.count = 0
        self.mark = _Mark()

    def new(self, aval: ShapedArray) -> LinearTracer:
        index = self.count
        self.count = index + 1
        return LinearTracer(self.mark, aval, index)

    def new_input(self, aval: ShapedArray) -> LinearTracer:
        """A tracer for a further tangent that the recorded map takes."""
        tracer = self.new(aval)
        self.inputs.append(tracer)
        return tracer

    def zero(self, aval: ShapedArray) -> LinearTracer:
        """A tracer for a tangent that is zero, where a program needs one all the same."""
        out = self.new(aval)
        value = zeros(aval)
        self.entries.append(Entry(copy_p, (value,), {}, [out], source.UNKNOWN))
        return out

    def process(self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]) -> Any:
        given = tuple(operands)
        mark = self.mark
        for x in given:
            if type(x) is LinearTracer and x._trace is mark:
                break
        else:
            return self.parent.process(primitive, given, params)
        # A backward rule stays Python's, which sees the values that the reverse pass runs on.
        if primitive.stage is not None and primitive is not custom_lin_p:
            given, params = primitive.stage(given, params)
        types = primitive.result_types(tuple([typeof(x) for x in given]), params)
        if primitive.multiple_results:
            outs = [self.new(t) for t in types]
            self.entries.append(Entry(primitive, given, params, outs, source.capture()))
            return outs
        out = self.new(types)
        self.entries.append(Entry(primitive, given, params, [out], source.capture()))
        return out


class LinearMap:
    """A linear function given by a tape: tangents of `inputs` to those of `outputs`.

    Attributes:
        outputs: LinearTracers of the tape, or None for those that are always zero.
    """

    __slots__ = ("outputs", "tape")

    def __init__(self, tape: Tape, outputs: Sequence[Any]) -> None:
        self.tape = tape
        self.outputs = list(outputs)

    def forward(self, tangents: Sequence[Any]) -> list[Any]:
        """The output tangents, None for zero ones, by replaying the tape."""
        values: list[Any] = [None] * self.tape.count
        for tracer, t in zip(self.tape.inputs, tangents, strict=True):
            values[tracer.index] = t
        for entry in self.tape.entries:
            operands = [
                values[x.index] if type(x) is LinearTracer and x._trace is self.tape.mark else x
                for x in entry.operands
            ]
            with source.use(entry.source):
                out = entry.primitive.bind(*operands, **entry.params)
            outs = out if entry.primitive.multiple_results else [out]
            for tracer, o in zip(entry.outs, outs, strict=True):
                values[tracer.index] = o
        return [None if o is None else values[o.index] for o in self.outputs]

    def backward(self, cotangents: Sequence[Any]) -> list[Any]:
        """The cotangents of the inputs, None for zero ones, from those of the outputs.

        The reverse pass of Linnainmaa (1970): each operation's transposition, last first.
        """
        cts: list[Any] = [None] * self.tape.count
        for tracer, ct in zip(self.outputs, cotangents, strict=True):
            if tracer is not None and ct is not None:
                cts[tracer.index] = add_tangents(cts[tracer.index], ct)
        before = state.source
        try:
            for entry in reversed(self.tape.entries):
                self._backward_step(entry, cts)
        finally:
            state.source = before
        return [_as_weak(cts[tracer.index], tracer.aval) for tracer in self.tape.inputs]

    def _backward_step(self, entry: Entry, cts: list[Any]) -> None:
        primitive, tape = entry.primitive, self.tape
        if primitive.multiple_results:
            if all(cts[o.index] is None for o in entry.outs):
                return
            ct: Any = [Zero(o.aval) if cts[o.index] is None else cts[o.index] for o in entry.outs]
        else:
            ct = cts[entry.outs[0].index]
            if ct is None:
                return
        state.source = entry.source
        rule = transpose_rules.rules.get(primitive)
        operands = [
            Linear(x.aval) if type(x) is LinearTracer and x._trace is tape.mark else x
            for x in entry.operands
        ]
        if rule is None:
            results = transpose_decomposition(primitive, ct, operands, entry.params)
        else:
            results = rule(ct, *operands, **entry.params)
        for o in entry.outs:
            cts[o.index] = None  # each is used once; freeing it bounds memory
        for x, c in zip(entry.operands, results, strict=True):
            if c is None or type(x) is not LinearTracer or type(c) is Zero:
                continue
            if not x.aval.shape and typeof(c).shape:
                c = _sum_all(c)
            cts[x.index] = add_tangents(cts[x.index], c)

    def to_jaxpr(self, lift_constants: bool = False) -> tuple[ClosedJaxpr, list[Any]]:
        """The map as a program of (residuals, input tangents), and the residuals.

        Output tangents that are always zero are left out. The tracers among the values it
        uses are the residuals; concrete arrays stay in the program as constants, or are
        residuals too with `lift_constants`.
        """
        trace = StagingTrace("linear")
        values: list[Any] = [None] * self.tape.count
        residuals: dict[int, Any] = {}
        stand_ins: dict[int, StagingTracer] = {}
        needed = _reachable(self.tape, self.outputs)
        entries = [e for e in self.tape.entries if any(o.index in needed for o in e.outs)]
        for entry in entries:
            for x in entry.operands:
                if id(x) in residuals or (isinstance(x, Tracer) and x._trace is self.tape.mark):
                    continue
                if isinstance(x, Tracer) or (lift_constants and isinstance(x, Array)):
                    residuals[id(x)] = x
                    stand_ins[id(x)] = trace.new_input(typeof(x))
        for tracer in self.tape.inputs:
            values[tracer.index] = trace.new_input(tracer.aval)
        before = state.source
        try:
            for entry in entries:
                operands = tuple(
                    values[x.index]
                    if type(x) is LinearTracer and x._trace is self.tape.mark
                    else stand_ins.get(id(x), x)
                    for x in entry.operands
                )
                state.source = entry.source
                out = trace.process(entry.primitive, operands, entry.params)
                outs = out if entry.primitive.multiple_results else [out]
                for tracer, o in zip(entry.outs, outs, strict=True):
                    values[tracer.index] = o
        finally:
            state.source = before
        jaxpr, consts = trace.finish([values[o.index] for o in self.outputs if o is not None])
        return ClosedJaxpr(jaxpr, consts), list(residuals.values())


def _reachable(tape: Tape, outputs: Sequence[Any]) -> set[int]:
    """The numbers of the tape's values that `outputs` depend on."""
    needed = {o.index for o in outputs if o is not None}
    for entry in reversed(tape.entries):
        if any(o.index in needed for o in entry.outs):
            needed.update(
                x.index for x in entry.operands if type(x) is LinearTracer and x._trace is tape.mark
            )
    return needed


def _sum_all(ct: Any) -> Any:
    """The cotangent of a zero-dimensional operand that went with an array."""
    from jx_core.lax import reduce_sum_p

    return reduce_sum_p.bind(ct, axes=tuple(range(typeof(ct).ndim)))


def transpose_decomposition(
    primitive: Primitive, ct: Any, operands: Sequence[Any], params: dict[str, Any]
) -> list[Any]:
    """Transpose a primitive that has no rule through its decomposition.

    Raises:
        MissingRuleError: it has no decomposition either.
    """
    if primitive.decompose is None:
        transpose_rules.lookup(primitive)
    cts = ct if primitive.multiple_results else [ct]

    def fun(*linear: Any) -> Sequence[Any]:
        following = iter(linear)
        full = [next(following) if type(x) is Linear else x for x in operands]
        out = primitive.decompose(*full, **params)  # type: ignore[misc]
        return out if primitive.multiple_results else [out]

    avals = [x.aval for x in operands if type(x) is Linear]
    results = iter(transpose_flat(fun, avals, [None if type(c) is Zero else c for c in cts]))
    return [next(results) if type(x) is Linear else None for x in operands]


def _as_weak(ct: Any, aval: Any) -> Any:
    """A cotangent, weakly typed where its primal is: so an update of that stays what it was."""
    if ct is None or not aval.weak_type or typeof(ct).weak_type:
        return ct
    return convert(ct, typeof(ct).dtype, weak_type=True)


def record_linear(
    fun: Callable[..., Sequence[Any]], avals: Sequence[ShapedArray]
) -> LinearMap:
    """The tape of a flat function that is linear in all its arguments."""
    tape = Tape(state.trace)
    inputs = [tape.new_input(a) for a in avals]
    before = swap_trace(tape)
    try:
        outputs = fun(*inputs)
    finally:
        tape.mark.finished = True
        swap_trace(before)
    return LinearMap(tape, _recorded(tape, outputs))


def _recorded(tape: Tape, outputs: Sequence[Any]) -> list[Any]:
    """The outputs that depend on the tape's inputs, None for others: those must be zero."""
    return [o if type(o) is LinearTracer and o._trace is tape.mark else None for o in outputs]


def transpose_flat(
    fun: Callable[..., Sequence[Any]], avals: Sequence[ShapedArray], cotangents: Sequence[Any]
) -> list[Any]:
    """The cotangents of the arguments of a flat linear function, None for zero ones."""
    return record_linear(fun, avals).backward(cotangents)


def linearize_flat(
    fun: Callable[..., Sequence[Any]], primals: Sequence[Any], active: Sequence[bool] | None = None
) -> tuple[list[Any], LinearMap]:
    """Results of a flat function and its derivative at `primals`.

    Args:
        fun: takes and returns sequences of arrays.
        primals: its arguments.
        active: which of them to differentiate; by default those of inexact dtype. The
            linear map takes tangents of these only.
    """
    tape = Tape(state.trace)
    avals = [typeof(p) for p in primals]
    flags = [is_differentiable(a) for a in avals] if active is None else active
    tangents = [tape.new_input(a) if on else None for a, on in zip(avals, flags, strict=True)]
    outs, out_tangents = run(LinearizeTrace(state.trace, tape), fun, primals, tangents)
    tape.mark.finished = True
    return outs, LinearMap(tape, _recorded(tape, out_tangents))
