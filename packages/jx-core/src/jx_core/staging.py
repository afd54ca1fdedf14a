"""Staging: running a function on tracers that record, to get its Jaxpr.

`trace_to_jaxpr` is what `jit`, control flow and every transformation of programs
builds on; `make_jaxpr` and `eval_shape` are its public faces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import dtypes, source, tree
from .aval import ShapedArray, ShapeDtypeStruct, number_avals, typeof
from .config import (
    check_tracer_leaks,
    eager_constant_folding,
    enable_checks,
    enable_x64,
    no_tracing,
)
from .errors import UnexpectedTracerError
from .jaxpr.ir import ClosedJaxpr, Eqn, Jaxpr, Literal, Var
from .primitive import NO_EFFECTS, Primitive
from .references import (
    Ref,
    StandIns,
    Uses,
    any_refs,
    held_type,
    read,
    reads_as_constants,
    refuse_returned,
    type_of,
    values_of,
)
from .state import state, swap_trace
from .symbolic.expressions import DimExpr, as_value
from .trace import CompileTimeTrace, Trace, Tracer

_SCALARS = (bool, int, float, complex, np.generic)
_x64 = enable_x64.state
_leaks, _no_tracing = check_tracer_leaks.state, no_tracing.state
_folding = eager_constant_folding.state


class StagingTracer(Tracer):
    """A value of the program being recorded: known by type only."""

    __slots__ = ("aval", "variable")

    def __init__(self, trace: StagingTrace, aval: ShapedArray, var: Var) -> None:
        self._trace = trace
        self.aval = aval
        self.variable = var

    def origin(self) -> str:
        return self._trace.origin_of(self)  # type: ignore[no-any-return]


class StagingTrace(Trace):
    """Records every operation as an equation.

    Values that are not its own tracers become literals (numbers) or constants (arrays,
    tracers of enclosing traces).
    """

    __slots__ = (
        "_const_vars", "consts", "constvars", "eqns", "finished", "invars", "name", "outer",
        "refs",
    )  # fmt: skip

    def __init__(self, name: str = "", outer: Any = None) -> None:
        self.name = name
        self.outer = outer  # the trace that was current when this one began
        self.refs: Any = None  # what is known of Refs from outside; see `references`
        self.invars: list[Var] = []
        self.constvars: list[Var] = []
        self.consts: list[Any] = []
        self.eqns: list[Eqn] = []
        self.finished = False
        self._const_vars: dict[int, Var] = {}

    def new_input(self, aval: ShapedArray) -> StagingTracer:
        """A tracer for a further argument of the program."""
        var = Var(aval)
        self.invars.append(var)
        return StagingTracer(self, aval, var)

    def process(
        self, primitive: Primitive, operands: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        if primitive.stage is not None:
            operands, params = primitive.stage(operands, params)
        atoms: list[Any] = []
        for x in operands:
            if type(x) is StagingTracer and x._trace is self:
                atoms.append(x.variable)
            else:
                atoms.append(self.atom(x))
        avals = tuple([a.aval for a in atoms])
        types = primitive.result_types(avals, params)
        effects = NO_EFFECTS if primitive.effects is None else primitive.effects(**params)
        if primitive.multiple_results:
            outs = [StagingTracer(self, t, Var(t)) for t in types]
            outvars = [o.variable for o in outs]
            self.eqns.append(Eqn(primitive, atoms, outvars, params, effects, source.capture()))
            return outs
        var = Var(types)
        self.eqns.append(Eqn(primitive, atoms, [var], params, effects, source.capture()))
        return StagingTracer(self, types, var)

    def atom(self, x: Any) -> Var | Literal:
        """The variable or literal that stands for `x` in this program."""
        number = number_avals[_x64.value].get(type(x))
        if number is not None:
            return Literal(x, number)
        if isinstance(x, Tracer):
            if x._trace is self:
                return x.variable  # type: ignore[attr-defined, no-any-return]
            if getattr(x._trace, "finished", False):
                raise UnexpectedTracerError(x)
        elif isinstance(x, _SCALARS):
            return Literal(x, typeof(x))
        elif type(x) is np.ndarray and x.ndim == 0:
            return Literal(x[()], typeof(x))
        elif type(x) is DimExpr:
            return self.atom(as_value(x))
        var = self._const_vars.get(id(x))
        if var is None:
            var = self._const_vars[id(x)] = Var(typeof(x))
            self.constvars.append(var)
            self.consts.append(x)  # also keeps x alive, so that its id stays its own
        return var

    def origin_of(self, tracer: StagingTracer) -> str:
        where = f" while tracing the function {self.name!r}" if self.name else ""
        for i, var in enumerate(self.invars):
            if var is tracer.variable:
                return f"It is argument {i} of the traced function{where}."
        for eqn in self.eqns:
            if any(var is tracer.variable for var in eqn.outvars):
                return f"It was computed by {eqn.primitive.name!r} at {eqn.source}{where}."
        return f"It was made{where}."

    def finish(self, outputs: Sequence[Any]) -> tuple[Jaxpr, list[Any]]:
        """The recorded program with results `outputs`, and the values of its constants."""
        outvars = [self.atom(x) for x in outputs]
        self.finished = True
        jaxpr = Jaxpr(self.constvars, self.invars, outvars, self.eqns, self.name)
        return jaxpr, self.consts


def trace_to_jaxpr(
    fun: Callable[..., Sequence[Any]],
    in_avals: Sequence[ShapedArray],
    name: str = "",
    uses: Uses | None = None,
    of_user: bool = False,
) -> tuple[Jaxpr, list[Any]]:
    """Trace a flat function: the Jaxpr of `fun` on arguments of types `in_avals`.

    Args:
        fun: takes one positional argument for each of `in_avals`, returns a sequence of
            arrays or tracers.
        in_avals: the types of the arguments.
        name: the function's name, for messages and printing.
        uses: takes note of what the function does with Refs that it closes over, for which the
            program has further inputs and results. Without it the function may not use any.
        of_user: whether it is a user's function, in which known values are computed at once with
            `eager_constant_folding`. Not so in others: they are what those are computed by.

    Returns:
        The program and its constants, among them tracers of enclosing traces.

    Raises:
        RefError: the function uses a Ref of outside, where that is not taken care of.
        JaxprTypeError: the program is ill-typed, which is looked at with `enable_checks` only.
        LeakedTracerError: `fun` left a tracer somewhere, with `check_tracer_leaks` only.
        RuntimeError: the option `no_tracing` is set.
    """
    if _no_tracing.value:
        raise RuntimeError(
            f"re-tracing function {name or fun} for `jit`, but 'no_tracing' is set. It has not "
            f"been traced before for ({', '.join(a.str_short() for a in in_avals)})"
        )
    if _folding.value and not of_user:
        with eager_constant_folding(False):
            return trace_to_jaxpr(fun, in_avals, name, uses)
    trace = StagingTrace(name, state.trace)
    tracers = [trace.new_input(aval) for aval in in_avals]
    watch = _watch(trace, tracers) if _leaks.value else None
    read_only: Sequence[Ref] = ()
    before = swap_trace(CompileTimeTrace(trace) if _folding.value else trace)
    try:
        outputs = fun(*tracers)
        if trace.refs is not None:
            if uses is not None:
                outputs = uses.close(trace, len(tracers), outputs)
            else:
                read_only = reads_as_constants(trace, len(tracers))
        jaxpr, consts = trace.finish(outputs)
    finally:
        trace.finished = True
        trace.outer = trace.refs = None  # a tracer that leaks keeps no more than this trace
        swap_trace(before)
    if read_only:
        consts = [*consts, *values_of(read_only, name)]
    if watch is not None:
        del trace, tracers, outputs
        watch.check()
    if enable_checks.value:
        from .jaxpr.checking import check_jaxpr

        check_jaxpr(jaxpr)
    return jaxpr, consts


def _watch(trace: StagingTrace, inputs: Sequence[Any]) -> Any:
    from .leaks import Watch

    return Watch(trace, inputs, f"the function {trace.name!r}")


def close_over_tracers(jaxpr: Jaxpr, consts: Sequence[Any]) -> tuple[ClosedJaxpr, list[Any]]:
    """Make constants that are tracers into leading arguments.

    Returns:
        The program closed over its concrete constants, and the tracers to pass first.
    """
    if not any(isinstance(c, Tracer) for c in consts):
        return ClosedJaxpr(jaxpr, consts), []
    pairs = list(zip(jaxpr.constvars, consts, strict=True))
    lifted = [(v, c) for v, c in pairs if isinstance(c, Tracer)]
    kept = [(v, c) for v, c in pairs if not isinstance(c, Tracer)]
    moved = jaxpr.replace(
        constvars=[v for v, _ in kept], invars=[v for v, _ in lifted] + jaxpr.invars
    )
    return ClosedJaxpr(moved, [c for _, c in kept]), [c for _, c in lifted]


def check_outputs(outputs: Sequence[Any], out_tree: Any, name: str) -> None:
    """Raise a TypeError that names the first result of `name` that is not an array."""
    for i, x in enumerate(outputs):
        if isinstance(x, Tracer):
            continue
        try:
            typeof(x)
        except TypeError:
            paths = tree.generate_key_paths(tree.unflatten(out_tree, list(range(len(outputs)))))
            where = tree.keystr(paths[i][0]) if i < len(paths) else ""
            refuse_returned(x, name, where)
            raise TypeError(
                f"function {name} returned a value of type {type(x)} at output component "
                f"result{where}, which is not a valid JAX type: expected arrays, numbers or "
                f"pytrees of them, got {x!r:.100}"
            ) from None


def function_name(fun: Any) -> str:
    """A name for `fun` in messages: its `__name__`, or that of what it wraps."""
    while not hasattr(fun, "__name__") and hasattr(fun, "func"):
        fun = fun.func
    return getattr(fun, "__name__", None) or type(fun).__name__


def trace_function(
    fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Jaxpr, list[Any], Any, Any]:
    """Trace `fun` on pytrees of arrays or type stand-ins.

    Returns:
        The program, its constants, and the trees of its arguments and results. Refs among the
        arguments are there as their values; of those that it closes over, the present values are
        constants. The last values of those that it writes to are results after its own.
    """
    leaves, in_tree = tree.flatten((args, kwargs))
    out_trees = []
    name = function_name(fun)
    types = [type_of(x) for x in leaves]
    uses = Uses()

    def flat(*flat_args: Any) -> list[Any]:
        inside = StandIns()
        a, k = tree.unflatten(in_tree, inside.enter(types, flat_args))
        outputs, out_tree = tree.flatten(fun(*a, **k))
        check_outputs(outputs, out_tree, name)
        out_trees.append(out_tree)
        return uses.leave(inside, outputs)

    jaxpr, consts = trace_to_jaxpr(flat, [held_type(t) for t in types], name, uses, True)
    if any_refs(leaves):
        uses.check(leaves, name, lambda: [tree.keystr(p) for p, _ in tree.leaves_with_path(args)])
    if uses:
        closed = [*uses.reads, *uses.writes]
        n = len(jaxpr.invars) - len(closed)
        constvars = [*jaxpr.constvars, *jaxpr.invars[n:]]
        jaxpr = jaxpr.replace(constvars=constvars, invars=jaxpr.invars[:n])
        consts = [*consts, *[read(r) for r in closed]]
    return jaxpr, consts, in_tree, out_trees[0]


def make_jaxpr(
    fun: Callable[..., Any],
    static_argnums: int | Sequence[int] = (),
    axis_env: Sequence[tuple[Any, int]] | None = None,
    return_shape: bool = False,
) -> Callable[..., Any]:
    """A function that returns the Jaxpr of `fun` for given arguments.

    Args:
        fun: takes and returns pytrees of arrays.
        static_argnums: positional arguments to keep as Python values.
        axis_env: named axes to assume in scope, as (name, size) pairs.
        return_shape: also return the shapes and dtypes of the results, as a pytree of
            `ShapeDtypeStruct`.

    Returns:
        A function with the arguments of `fun` that returns a `ClosedJaxpr`, or a pair.

    >>> from jx_core import lax
    >>> print(make_jaxpr(lambda x: lax.sin(x))(1.0))
    { lambda ; a:f32[]. let b:f32[] = sin a in (b,) }
    """
    from .jit import partial_static
    from .state import state
    from .tracebacks import filtered

    if not callable(fun):
        raise TypeError(f"make_jaxpr: fun must be callable, got {fun!r}")

    @filtered
    def jaxpr_maker(*args: Any, **kwargs: Any) -> Any:
        dynamic, with_statics = partial_static(fun, static_argnums, args)
        before = state.axis_env
        state.axis_env = before + tuple(axis_env or ())
        try:
            jaxpr, consts, _, out_tree = trace_function(with_statics, dynamic, kwargs)
        finally:
            state.axis_env = before
        closed = ClosedJaxpr(jaxpr, consts)
        if not return_shape:
            return closed
        shapes = [_struct(aval) for aval in closed.out_avals[: out_tree.num_leaves]]
        return closed, tree.unflatten(out_tree, shapes)

    jaxpr_maker.__name__ = f"make_jaxpr({function_name(fun)})"
    return jaxpr_maker


def _struct(aval: ShapedArray) -> ShapeDtypeStruct:
    return ShapeDtypeStruct(aval.shape, aval.dtype, weak_type=aval.weak_type)


def eval_shape(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The shapes and dtypes of `fun(*args, **kwargs)`, without computing anything.

    Args:
        fun: takes and returns pytrees of arrays.
        args, kwargs: pytrees of arrays, or of anything with `shape` and `dtype`.

    Returns:
        A pytree of `ShapeDtypeStruct`.

    >>> from jx_core import lax
    >>> eval_shape(lax.sin, ShapeDtypeStruct((3,), np.float32))
    ShapeDtypeStruct(shape=(3,), dtype=float32)
    """
    args, kwargs = tree.map(_described, (args, kwargs))
    jaxpr, _, _, out_tree = trace_function(fun, args, kwargs)
    results = jaxpr.out_avals[: out_tree.num_leaves]
    return tree.unflatten(out_tree, [_struct(aval) for aval in results])


def _described(x: Any) -> Any:
    """`x`, or the ShapeDtypeStruct it stands for when it only has a shape and a dtype."""
    if type(x) is Ref:
        return x
    if not hasattr(x, "aval") and hasattr(x, "shape") and hasattr(x, "dtype"):
        return ShapeDtypeStruct(x.shape, dtypes.canonicalize_dtype(x.dtype, True))
    return x
