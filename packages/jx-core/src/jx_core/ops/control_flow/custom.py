"""Calls of functions that have rules of their own: `custom_jvp`, `custom_vjp` and `custom_vmap`.

Such a call carries its function and its rules in one object, a `CustomJVP`, `CustomVJP` or
`CustomVmap`. While nothing records the call they are Python functions, so that a rule sees values
wherever a gradient does; what records it makes them programs (`StagedJVP`, `StagedVJP`), the rules
when they are first asked for. Rules of batching stay Python's, for they are told the size of the
batch. Not here: the decorators that make these objects of users' functions, in `jx_ad` and
`jx_batching` (what these share is in `jx_core.custom_functions`).
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import dtypes, tree
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
        captures: whether it or its rules are known to close over tracers.
        written: the Refs of outside that it writes to, once it has been traced. Their last
            values follow its results, and have no derivatives.
    """

    name: str
    source: Any
    known: dict[Any, Any]
    out_tree: Any = None
    captures: bool = False
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

    def mixed(self, active: Mask) -> bool:
        """Whether equations of the rule, a program, may give values and tangents together.

        So it is with those that hold programs, such as loops.
        """
        return False


class CustomVmap(Custom):
    """A flat function and its rule of batching."""

    def batch(
        self, size: int, batched: Mask, consts: Sequence[Any], args: Sequence[Any]
    ) -> tuple[list[Any], Mask]:
        """Results for a batch, and which of them differ from row to row.

        Args:
            size: how many rows there are.
            batched: which arguments are batches, rows along axis 0; the others are the same for
                all rows. At least one is a batch.
            consts: the leading operands of the call that are no arguments, the same for all rows.
            args: the arguments.
        """
        raise NotImplementedError


class CustomVJP(Custom):
    """A flat function and its rules of reverse differentiation."""

    @property
    def optimize_remat(self) -> bool:
        """Whether the function takes the forward rule's place where no residual is needed."""
        return False

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


def _zeros(aval: ShapedArray) -> Any:
    return full(aval.shape, 0, aval.dtype)


def _on(values: Sequence[Any], mask: Sequence[bool]) -> list[Any]:
    return [v for v, on in zip(values, mask, strict=True) if on]


def _some(values: Sequence[Any], mask: Sequence[bool]) -> list[Any]:
    """`values` at the places where `mask` is set, None elsewhere."""
    following = iter(values)
    return [next(following) if on else None for on in mask]


Flat = Callable[..., list[Any]]


def flat_jvp(rules: CustomJVP, active: Mask, n: int, m: int) -> tuple[Flat, list[Mask]]:
    """A rule as a flat function of n constants, m primals and the active tangents.

    It gives the results, then their tangents; which results have one it adds to the list.
    """
    masks: list[Mask] = []

    def flat(*args: Any) -> list[Any]:
        outs, tangents = rules.jvp(active, args[:n], args[n : n + m], args[n + m :])
        masks.append(tuple(t is not None for t in tangents))
        return [*outs, *_on(tangents, masks[-1])]

    return flat, masks


def flat_fwd(rules: CustomVJP, active: Mask, n: int) -> tuple[Flat, list[int]]:
    """A forward rule as a flat function of n constants and the primals.

    It gives the results, then the residuals; how many results there are it adds to the list.
    """
    counts: list[int] = []

    def flat(*args: Any) -> list[Any]:
        outs, residuals = rules.fwd(active, args[:n], args[n:])
        counts.append(len(outs))
        return [*outs, *residuals]

    return flat, counts


def flat_bwd(rules: CustomVJP, active: Mask, nonzero: Mask, n: int) -> tuple[Flat, list[Mask]]:
    """A backward rule as a flat function of n residuals and the nonzero cotangents.

    It gives the cotangents that are not zero; which ones these are it adds to the list.
    """
    masks: list[Mask] = []

    def flat(*args: Any) -> list[Any]:
        results = rules.bwd(active, args[:n], _some(args[n:], nonzero))
        masks.append(tuple(r is not None for r in results))
        return _on(results, masks[-1])

    return flat, masks


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
    """What staged forms share: the function as a program, and closed-over values.

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
        if (own or rules.captures) and id(self.source) not in _tracing.sources:
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
        jaxpr, consts = trace_to_jaxpr(fun, avals, name, uses, True)
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
        """The rule as a program, None if it stays Python's, and the tracers it closes over."""
        return None, []

    def _check_results(self, what: str, rule: ClosedJaxpr) -> None:
        """Raise a TypeError unless the results of a rule are of the function's own types."""
        places: Any = list(range(len(self._own_avals)))
        if self.out_tree is not None:
            places = tree.unflatten(self.out_tree, places)
        for path, i in tree.leaves_with_path(places):
            have, want = rule.out_avals[i], self._out_avals[i]
            if (have.shape, have.dtype) != (want.shape, want.dtype):
                cast = have.shape == want.shape
                cure = f"; cast the rule's with .astype({want.dtype.name!r})" if cast else ""
                raise TypeError(
                    f"{what} for function {self.name} must produce a pair whose first element is "
                    f"like the function's own result, but result{tree.keystr(path)} is not: "
                    f"expected {want.str_short()}, got {have.str_short()}{cure}"
                )

    def _rule_consts(self, consts: Sequence[Any]) -> Sequence[Any]:
        """Those of a call's leading operands that the rule takes."""
        return consts[self._ours :]

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
        flat, masks = flat_jvp(self._rules, active, len(self._consts), len(self._args))
        avals = [*self._consts, *self._args, *_on(self._args, active)]
        at = len(self._own_avals)
        closed, tracers = self._program(flat, avals, f"jvp of {self.name}", at)
        self._check_results("Custom JVP rule", closed)
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
                next(following) if on else _zeros(a)
                for a, on in zip(self._args, active, strict=True)
                if is_inexact(a)
            ]
        results = _eval(closed, [*self._leading(closed, consts), *primals, *tangents])
        return results[: len(moving)], _some(results[len(moving) :], moving)

    def mixed(self, active: Mask) -> bool:
        eqns = self.program(active)[0].jaxpr.eqns
        return any(e.primitive.higher_order and e.primitive is not custom_lin_p for e in eqns)

    def printed(self) -> ClosedJaxpr:
        """The rule as programs that carry it are printed."""
        return self.program(self._all_active)[0]


class StagedVmap(_Staged, CustomVmap):
    """A `CustomVmap` in a program: the function is a program, its rule is Python's.

    Attributes:
        unstaged: the Python form.
    """

    @property
    def unstaged(self) -> CustomVmap:
        return self._rules  # type: ignore[no-any-return]

    def batch(
        self, size: int, batched: Mask, consts: Sequence[Any], args: Sequence[Any]
    ) -> tuple[list[Any], Mask]:
        return self._rules.batch(size, batched, self._rule_consts(consts), args)  # type: ignore[no-any-return]

    def printed(self) -> str:
        """What programs that carry the rule show of it."""
        return str(self.name)


class StagedVJP(_Staged, CustomVJP):
    """A `CustomVJP` in a program: the function is a program, and so are the rules once asked for.

    Args: as `StagedJVP`.
    """

    def __init__(self, rules: CustomVJP, avals: Sequence[ShapedArray], num_consts: int) -> None:
        self._optimize_remat = rules.optimize_remat
        self._fwds: dict[Mask, ClosedJaxpr] = {}
        self._bwds: dict[tuple[Mask, Mask], Backward] = {}
        super().__init__(rules, avals, num_consts)

    @property
    def optimize_remat(self) -> bool:
        return self._optimize_remat

    def _trace_rule(self, active: Mask) -> Any:
        """(forward, backward), and the tracers that they close over.

        What the backward rule closes over the forward one hands to it, as further residuals.
        """
        forward, tracers = self._trace_fwd(active)
        n, k = len(self._out_avals), len(tracers)
        outs = [a for a in self._own_avals if is_inexact(a)]
        uses = Uses()
        flat, masks = flat_bwd(
            self._rules, active, (True,) * len(outs), len(forward.out_avals) - n
        )
        jaxpr, consts = trace_to_jaxpr(
            flat, [*forward.out_avals[n:], *outs], f"bwd of {self.name}", uses, True
        )
        backward, more = _hoisted(jaxpr, consts)
        invars, c = backward.jaxpr.invars, len(more)
        residuals = len(forward.out_avals) - n + c
        swapped = [*invars[c:residuals], *invars[:c], *invars[residuals:]]
        backward = backward.replace(jaxpr=backward.jaxpr.replace(invars=swapped))
        extra = [Var(typeof(x)) for x in more]
        program = forward.jaxpr
        program = program.replace(
            invars=[*program.invars[:k], *extra, *program.invars[k:]],
            outvars=[*program.outvars, *extra],
        )
        rule = forward.replace(jaxpr=program), Backward(backward, masks[0], uses)
        return rule, [*tracers, *more]

    def _trace_fwd(self, active: Mask) -> tuple[ClosedJaxpr, list[Any]]:
        flat, _ = flat_fwd(self._rules, active, len(self._consts))
        avals = [*self._consts, *self._args]
        at = len(self._own_avals)
        closed, tracers = self._program(flat, avals, f"fwd of {self.name}", at)
        self._check_results("Custom VJP fwd rule", closed)
        return closed, tracers

    def fwd_program(self, active: Mask) -> ClosedJaxpr:
        """The forward rule: (constants, primals) to results, then residuals."""
        if self._rule is not None:
            return self._rule[0]  # type: ignore[no-any-return]
        if active not in self._fwds:
            self._fwds[active], _ = self._trace_fwd(active)
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
        if self._rule is None:
            nonzero = tuple(ct is not None for ct in cotangents)
            return run_bwd(self.bwd_program(active, nonzero), residuals, cotangents)
        outs = [a for a in self._own_avals if is_inexact(a)]
        given = [
            _zeros(a) if ct is None else ct for ct, a in zip(cotangents, outs, strict=True)
        ]
        return _on(run_bwd(self._rule[1], residuals, given), _on(active, self._all_active))

    def printed(self) -> tuple[ClosedJaxpr, ClosedJaxpr]:
        """The rules, forward and backward, as programs that carry them are printed."""
        nonzero = (True,) * sum(map(is_inexact, self._own_avals))
        active = self._all_active
        if self._rule is not None:
            return self._rule[0], self._rule[1][0]
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
    uses = Uses()
    flat, masks = flat_bwd(rules, active, nonzero, len(residuals))
    jaxpr, consts = trace_to_jaxpr(flat, [*residuals, *cts], f"bwd of {rules.name}", uses, True)
    return Backward(ClosedJaxpr(jaxpr, consts), masks[0], uses)


def run_bwd(program: Backward, residuals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    """Apply what `staged_bwd` made."""
    closed, gives, uses = program
    args = uses.operands([*residuals, *[ct for ct in cotangents if ct is not None]])
    return _some(uses.write_back((), _eval(closed, args)), gives)


# --- the primitives ---


def _types(
    *avals: ShapedArray, call_jaxpr: ClosedJaxpr | None, **params: Any
) -> list[ShapedArray]:
    # While the function is Python's, only running it would tell.
    return [] if call_jaxpr is None else call_jaxpr.out_avals


def _effects(*, call_jaxpr: ClosedJaxpr, **params: Any) -> frozenset[Any]:
    return call_jaxpr.effects or NO_EFFECTS


def _inline(*operands: Any, call_jaxpr: ClosedJaxpr | None, rules: Any, **params: Any) -> list[Any]:
    """The function alone: where nothing differentiates, its rules do not matter."""
    if call_jaxpr is None:
        return rules.call(*operands)  # type: ignore[no-any-return]
    return _eval(call_jaxpr, operands)


def staged_form(
    make: Callable[..., Any], rules: Any, avals: tuple[ShapedArray, ...], num_consts: int
) -> Any:
    """The staged form of rules for operands of these types, one object where it can be kept."""
    key = (avals, num_consts, trace_key(), state.axis_env)
    staged = rules.known.get(key)
    if staged is None:
        staged = make(rules, avals, num_consts)
        if not staged.captured:
            rules.known[key] = staged
    rules.out_tree = staged.out_tree
    return staged


def _stager(make: Callable[..., Any]) -> Callable[..., Any]:
    """How a call is recorded: its function becomes a program, what that closes over operands."""

    def stage(operands: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if params["call_jaxpr"] is not None:
            return operands, params
        rules, n = params["rules"], params["num_consts"]
        staged = staged_form(make, rules, tuple([typeof(x) for x in operands]), n)
        captured, staged.captured = staged.captured, []  # programs keep `staged`, but no tracers
        made = {
            "call_jaxpr": staged.call_jaxpr,
            "rules": staged,
            "num_consts": n + len(captured),
        }
        return (*captured, *operands), made

    return stage


def _call(name: str, make: Callable[..., Any]) -> Primitive:
    return Primitive(
        name,
        abstract=_types,
        reference=_inline,
        decompose=_inline,
        effects=_effects,
        multiple_results=True,
        higher_order=True,
        stage=_stager(make),
    )


# Operands: (constants, arguments). Params: call_jaxpr, the function as a program, None while it is
# Python's; rules, a CustomJVP (CustomVJP, CustomVmap); num_consts.
custom_jvp_call_p = _call("custom_jvp_call", StagedJVP)
custom_vjp_call_p = _call("custom_vjp_call", StagedVJP)
custom_vmap_call_p = _call("custom_vmap_call", StagedVmap)


def bind_custom(
    primitive: Primitive, rules: Any, args: Sequence[Any]
) -> list[Any]:
    """Call a function with rules: as the Python function it is, unless something records it.

    Where something does, the function is traced here and now, while the values that it closes
    over are at hand. So it is with `captures`, which says that some of these are tracers.
    """
    operands: tuple[Any, ...] = tuple(args)
    params = {"call_jaxpr": None, "rules": rules, "num_consts": 0}
    if rules.captures or recorded(state.trace):
        assert primitive.stage is not None
        operands, params = primitive.stage(operands, params)
    outs = primitive.bind(*operands, **params)
    written: Uses = params["rules"].written
    return written.write_back((), outs) if written else outs


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
