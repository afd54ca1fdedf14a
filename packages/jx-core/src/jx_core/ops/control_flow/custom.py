"""Calls of functions whose derivatives are given: the primitives of `custom_jvp` and `custom_vjp`.

Such a call carries its function and its rules in one object, a `CustomJVP` or `CustomVJP`. While
nothing records the call they are Python functions, so that a rule sees values wherever a
gradient does; what records it makes them programs (`StagedJVP`, `StagedVJP`), the rules when they
are first asked for. Not here: the decorators that make these objects of users' functions, in
`jx_ad`, and what batching makes of them, in `jx_batching`.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...config import trace_key
from ...errors import RefError
from ...jaxpr.evaluate import eval_jaxpr
from ...jaxpr.ir import ClosedJaxpr, Var
from ...primitive import NO_EFFECTS, Primitive
from ...references import Ref, Uses, read
from ...staging import trace_to_jaxpr
from ...state import state
from ...trace import Tracer
from ..shape import full

Mask = tuple[bool, ...]


NO_REFS = Uses()


class Custom:
    """A flat function that has rules of its own.

    Attributes:
        name: the function's name.
        source: what defines the rules, the same for all forms of them.
        known: its programs, where something keeps them between calls.
        out_tree: the tree of its results; there once it has run, or has been traced.
        written: the Refs of outside that it writes to, once it has been traced. Their last
            values follow its results, and have no derivatives.
    """

    name: str
    source: Any
    known: dict[Any, Any]
    out_tree: Any = None
    written: Uses = NO_REFS

    def call(self, *args: Any) -> list[Any]:
        """The function's results."""
        raise NotImplementedError


class CustomJVP(Custom):
    """A flat function and its rule of forward differentiation."""

    def jvp(
        self, active: Mask, consts: Sequence[Any], primals: Sequence[Any], tangents: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Results and their tangents, None for zero ones.

        Args:
            active: which arguments have tangents that are not symbolic zeros.
            consts: the leading operands of the call that are no arguments.
            primals: the arguments.
            tangents: the tangents of the active ones, in order.
        """
        raise NotImplementedError


class CustomVJP(Custom):
    """A flat function and its rules of reverse differentiation."""

    def fwd(
        self, active: Mask, consts: Sequence[Any], primals: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Results, and what the backward rule needs.

        Args:
            active: which arguments are differentiated.
            consts: the leading operands of the call that are no arguments.
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


def _hoisted(
    jaxpr: Any, consts: Sequence[Any], lift: int = 0
) -> tuple[ClosedJaxpr, list[Any]]:
    """The program with those of its constants that are tracers as leading arguments, and these.

    So are its last `lift` constants in any case.
    """
    moved, tracers, kept, values = [], [], [], []
    for i, (v, c) in enumerate(zip(jaxpr.constvars, consts, strict=True)):
        if isinstance(c, Tracer) or i >= len(consts) - lift:
            moved.append(v)
            tracers.append(c)
        else:
            kept.append(v)
            values.append(c)
    return ClosedJaxpr(jaxpr.replace(constvars=kept, invars=moved + jaxpr.invars), values), tracers


class _Tracing(threading.local):
    """Whose rules are being traced, in each thread."""

    def __init__(self) -> None:
        self.sources: set[int] = set()


_tracing = _Tracing()


def _check_known(name: str, writes: Sequence[Ref], known: Sequence[Ref]) -> None:
    for ref in writes:
        if ref not in known:
            raise RefError(
                f"{name} writes to a {ref.type} that the function itself does not write to: inside "
                f"of a staged function, both must write to the same Refs"
            )


class _Staged:
    """What `StagedJVP` and `StagedVJP` share: the function as a program, and closed-over values.

    A staged call has these operands: values that the function closes over, values that its rule
    does, the constants that its rules know of, and the arguments.

    Attributes:
        call_jaxpr: the function, of all operands.
        captured: the values of enclosing traces that are operands now.
    """

    def __init__(self, rules: Any, avals: Sequence[ShapedArray], num_consts: int) -> None:
        self.name = rules.name
        self.source = rules.source
        self.known: dict[Any, Any] = {}
        self._rules = rules
        self.written: Uses = NO_REFS
        self._late: dict[ClosedJaxpr, list[weakref.ref[Ref]]] = {}  # Refs that late rules read
        self._consts, self._args = list(avals[:num_consts]), list(avals[num_consts:])
        closed, own = self._program(rules.call, avals, rules.name)
        self.out_tree = rules.out_tree
        self._out_avals = closed.out_avals
        self._rule: Any = None  # traced at once, while what it closes over is at hand
        theirs: list[Any] = []
        # A rule that calls its function again would be traced for ever.
        if own and id(self.source) not in _tracing.sources:
            _tracing.sources.add(id(self.source))
            try:
                self._rule, theirs = self._trace_rule(self._all_active)
            finally:
                _tracing.sources.discard(id(self.source))
        self._ours, self._theirs = len(own), len(theirs)
        self.captured = [*own, *theirs]
        extra = [Var(typeof(c)) for c in theirs]
        invars = closed.jaxpr.invars
        invars = invars[: len(own)] + extra + invars[len(own) :]
        self.call_jaxpr = closed.replace(jaxpr=closed.jaxpr.replace(invars=invars))

    def _program(
        self,
        fun: Callable[..., Sequence[Any]],
        avals: Sequence[ShapedArray],
        name: str,
        at: int = -1,
    ) -> tuple[ClosedJaxpr, list[Any]]:
        """A function as a program whose leading arguments are values that it closes over.

        The last values of the Refs that it writes to are results too: the last ones of the
        function itself, which finds out which Refs those are, and the ones from `at` on of a rule.
        """
        uses = Uses()
        jaxpr, consts = trace_to_jaxpr(fun, avals, name, uses)
        if not (uses or self.written):
            return _hoisted(jaxpr, consts)
        outs = jaxpr.outvars
        n = len(outs) - len(uses.writes)
        reads, writes = uses.reads, uses.writes
        if at < 0:
            self.written, at = Uses.of(writes, ()), n
        ordered = self.written.writes
        _check_known(name, writes, ordered)
        others = [r for r in ordered if r not in writes]  # the rule leaves them as they are
        last = {id(r): v for r, v in zip(writes, outs[n:], strict=True)}
        given = [Var(r.type.inner_aval) for r in others]
        last.update(zip(map(id, others), given, strict=True))
        invars = jaxpr.invars
        jaxpr = jaxpr.replace(
            constvars=[*jaxpr.constvars, *invars[len(avals) :], *given],
            invars=invars[: len(avals)],
            outvars=[*outs[:at], *[last[id(r)] for r in ordered], *outs[at:n]],
        )
        refs = [*reads, *writes, *others]
        closed, lifted = _hoisted(jaxpr, [*consts, *map(read, refs)], lift=len(refs))
        self._late[closed] = [weakref.ref(r) for r in refs]
        return closed, lifted

    def _leading(self, closed: ClosedJaxpr, consts: Sequence[Any]) -> Sequence[Any]:
        """The leading arguments of a rule: values that it closes over, and constants."""
        if self._rule is not None:  # traced with the function: all of them are operands
            return consts[self._ours :]
        refs = [w() for w in self._late.get(closed, ())]
        return [*[read(r) for r in refs if r is not None], *consts[self._ours :]]

    @property
    def _own_avals(self) -> list[ShapedArray]:
        """The types of the function's own results."""
        return self._out_avals[: len(self._out_avals) - self.written.num_results]

    @property
    def _all_active(self) -> Mask:
        return tuple(map(is_inexact, self._args))

    def _trace_rule(self, active: Mask) -> Any:
        raise NotImplementedError

    def call(self, *operands: Any) -> list[Any]:
        return _eval(self.call_jaxpr, operands)


class StagedJVP(_Staged, CustomJVP):
    """A `CustomJVP` in a program: the function is a program, and so is the rule once asked for.

    Args:
        rules: the Python form.
        avals: the types of constants and arguments.
        num_consts: how many of them are constants.
    """

    def __init__(self, rules: CustomJVP, avals: Sequence[ShapedArray], num_consts: int) -> None:
        self._programs: dict[Mask, tuple[ClosedJaxpr, Mask]] = {}
        super().__init__(rules, avals, num_consts)

    def _trace_rule(self, active: Mask) -> tuple[tuple[ClosedJaxpr, Mask], list[Any]]:
        n, m = len(self._consts), len(self._args)
        masks: list[Mask] = []

        def flat(*args: Any) -> list[Any]:
            outs, tangents = self._rules.jvp(active, args[:n], args[n : n + m], args[n + m :])
            masks.append(tuple(t is not None for t in tangents))
            return [*outs, *_on(tangents, masks[-1])]

        avals = [*self._consts, *self._args, *_on(self._args, active)]
        at = len(self._own_avals)
        closed, tracers = self._program(flat, avals, f"jvp of {self.name}", at)
        return (closed, (*masks[0], *[False] * self.written.num_results)), tracers

    def program(self, active: Mask) -> tuple[ClosedJaxpr, Mask]:
        """The rule of (constants, primals, active tangents), and which results have tangents."""
        if self._rule is not None:
            return self._rule  # type: ignore[no-any-return]
        if active not in self._programs:
            self._programs[active], _ = self._trace_rule(active)
        return self._programs[active]

    def jvp(
        self, active: Mask, consts: Sequence[Any], primals: Sequence[Any], tangents: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        closed, moving = self.program(active)
        if self._rule is not None:
            following = iter(tangents)
            tangents = [
                next(following) if on else full(a.shape, 0, a.dtype)
                for a, on in zip(self._args, active, strict=True)
                if is_inexact(a)
            ]
        results = _eval(closed, [*self._leading(closed, consts), *primals, *tangents])
        following = iter(results[len(moving) :])
        return results[: len(moving)], [next(following) if on else None for on in moving]

    def printed(self) -> ClosedJaxpr:
        """The rule as programs that carry it are printed."""
        return self.program(self._all_active)[0]


class StagedVJP(_Staged, CustomVJP):
    """A `CustomVJP` in a program: the function is a program, and so are the rules once asked for.

    Args: as `StagedJVP`.
    """

    def __init__(self, rules: CustomVJP, avals: Sequence[ShapedArray], num_consts: int) -> None:
        self._fwds: dict[Mask, ClosedJaxpr] = {}
        self._bwds: dict[tuple[Mask, Mask], Backward] = {}
        super().__init__(rules, avals, num_consts)

    def _trace_rule(self, active: Mask) -> tuple[ClosedJaxpr, list[Any]]:
        n = len(self._consts)

        def flat(*args: Any) -> list[Any]:
            outs, residuals = self._rules.fwd(active, args[:n], args[n:])
            return [*outs, *residuals]

        avals = [*self._consts, *self._args]
        at = len(self._own_avals)
        return self._program(flat, avals, f"fwd of {self.name}", at)

    def fwd_program(self, active: Mask) -> ClosedJaxpr:
        """The forward rule: (constants, primals) to results, then residuals."""
        if self._rule is not None:
            return self._rule  # type: ignore[no-any-return]
        if active not in self._fwds:
            self._fwds[active], _ = self._trace_rule(active)
        return self._fwds[active]

    def bwd_program(self, active: Mask, nonzero: Mask) -> Backward:
        """The backward rule of (residuals, cotangents that are not symbolic zeros)."""
        found = self._bwds.get((active, nonzero))
        if found is None:
            residuals = self.fwd_program(active).out_avals[len(self._out_avals) :]
            cts = _on([a for a in self._own_avals if is_inexact(a)], nonzero)
            found = staged_bwd(self._rules, active, nonzero, residuals, cts)
            self._bwds[active, nonzero] = found
        return found

    def fwd(
        self, active: Mask, consts: Sequence[Any], primals: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        closed = self.fwd_program(active)
        results = _eval(closed, [*self._leading(closed, consts), *primals])
        n = len(self._out_avals)
        return results[:n], results[n:]

    def bwd(self, active: Mask, residuals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        nonzero = tuple(ct is not None for ct in cotangents)
        return run_bwd(self.bwd_program(active, nonzero), residuals, cotangents)

    def printed(self) -> tuple[ClosedJaxpr, ClosedJaxpr]:
        """The rules, forward and backward, as programs that carry them are printed."""
        nonzero = (True,) * sum(map(is_inexact, self._own_avals))
        active = self._all_active
        return self.fwd_program(active), self.bwd_program(active, nonzero)[0]


class Backward(NamedTuple):
    """A backward rule as a program.

    Attributes:
        closed: takes residuals and the cotangents that are not symbolic zeros.
        gives: for which arguments it gives a cotangent.
        uses: what it does with Refs of outside.
    """

    closed: ClosedJaxpr
    gives: Mask
    uses: Uses


def staged_bwd(
    rules: CustomVJP,
    active: Mask,
    nonzero: Mask,
    residuals: Sequence[ShapedArray],
    cts: Sequence[ShapedArray],
) -> Backward:
    """A backward rule as a program of (residuals, nonzero cotangents)."""
    n = len(residuals)
    uses = Uses()
    masks: list[Mask] = []

    def flat(*args: Any) -> list[Any]:
        following = iter(args[n:])
        full = [next(following) if on else None for on in nonzero]
        results = rules.bwd(active, args[:n], full)
        masks.append(tuple(r is not None for r in results))
        return _on(results, masks[-1])

    jaxpr, consts = trace_to_jaxpr(flat, [*residuals, *cts], f"bwd of {rules.name}", uses)
    return Backward(ClosedJaxpr(jaxpr, consts), masks[0], uses)


def run_bwd(program: Backward, residuals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    """Apply what `staged_bwd` made."""
    closed, gives, uses = program
    args = uses.operands([*residuals, *[ct for ct in cotangents if ct is not None]])
    results = iter(uses.write_back((), _eval(closed, args)))
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
        rules, n = params["rules"], params["num_consts"]
        avals = tuple([typeof(x) for x in operands])
        key = (avals, n, trace_key(), state.axis_env)
        staged = rules.known.get(key)
        if staged is None:
            staged = make(rules, avals, n)
            if not staged.captured:
                rules.known[key] = staged
        rules.out_tree = staged.out_tree
        made = {
            "call_jaxpr": staged.call_jaxpr,
            "rules": staged,
            "num_consts": n + len(staged.captured),
        }
        return (*staged.captured, *operands), made

    return stage


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


def bind_custom(
    primitive: Primitive, rules: Any, args: Sequence[Any], captures: bool = False
) -> list[Any]:
    """Call a function with rules: as the Python function it is, unless something records it.

    Where something does, the function is traced here and now, while the values that it closes
    over are at hand. So it is with `captures`, which says that some of these are tracers.
    """
    operands: tuple[Any, ...] = tuple(args)
    params = {"call_jaxpr": None, "rules": rules, "num_consts": 0}
    if captures or recorded(state.trace):
        assert primitive.stage is not None
        operands, params = primitive.stage(operands, params)
    outs = primitive.bind(*operands, **params)
    written: Uses = params["rules"].written
    return written.write_back((), outs)


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
        self.source = rules.source
        self.known = {}
        self._rules = rules
        self._types = active, tuple(residuals), tuple(out_avals)
        self._programs: dict[Mask, Backward] = {}

    def bwd(self, active: Mask, residuals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        nonzero = tuple(ct is not None for ct in cotangents)
        return run_bwd(self._program(nonzero), residuals, cotangents)

    def _program(self, nonzero: Mask) -> Backward:
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
