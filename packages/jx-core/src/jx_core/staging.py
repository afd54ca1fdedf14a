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
from .config import enable_checks, enable_x64
from .errors import UnexpectedTracerError
from .jaxpr.ir import ClosedJaxpr, Eqn, Jaxpr, Literal, Var
from .primitive import NO_EFFECTS, Primitive
from .state import swap_trace
from .symbolic.expressions import DimExpr, as_value
from .trace import Trace, Tracer

_SCALARS = (bool, int, float, complex, np.generic)
_x64 = enable_x64.state


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

    __slots__ = ("_const_vars", "consts", "constvars", "eqns", "finished", "invars", "name")

    def __init__(self, name: str = "") -> None:
        self.name = name
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
    fun: Callable[..., Sequence[Any]], in_avals: Sequence[ShapedArray], name: str = ""
) -> tuple[Jaxpr, list[Any]]:
    """Trace a flat function: the Jaxpr of `fun` on arguments of types `in_avals`.

    Args:
        fun: takes one positional argument for each of `in_avals`, returns a sequence of
            arrays or tracers.
        in_avals: the types of the arguments.
        name: the function's name, for messages and printing.

    Returns:
        The program and its constants, among them tracers of enclosing traces.

    Raises:
        JaxprTypeError: the program is ill-typed, which is looked at with `enable_checks` only.
    """
    trace = StagingTrace(name)
    tracers = [trace.new_input(aval) for aval in in_avals]
    before = swap_trace(trace)
    try:
        outputs = fun(*tracers)
        jaxpr, consts = trace.finish(outputs)
    finally:
        trace.finished = True
        swap_trace(before)
    if enable_checks.value:
        from .jaxpr.checking import check_jaxpr

        check_jaxpr(jaxpr)
    return jaxpr, consts


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
        The program, its constants, and the trees of its arguments and results.
    """
    leaves, in_tree = tree.flatten((args, kwargs))
    out_trees = []
    name = function_name(fun)

    def flat(*flat_args: Any) -> list[Any]:
        a, k = tree.unflatten(in_tree, flat_args)
        outputs, out_tree = tree.flatten(fun(*a, **k))
        check_outputs(outputs, out_tree, name)
        out_trees.append(out_tree)
        return outputs

    jaxpr, consts = trace_to_jaxpr(flat, [typeof(x) for x in leaves], name)
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
        shapes = [_struct(aval) for aval in closed.out_avals]
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
    return tree.unflatten(out_tree, [_struct(aval) for aval in jaxpr.out_avals])


def _described(x: Any) -> Any:
    """`x`, or the ShapeDtypeStruct it stands for when it only has a shape and a dtype."""
    if not hasattr(x, "aval") and hasattr(x, "shape") and hasattr(x, "dtype"):
        return ShapeDtypeStruct(x.shape, dtypes.canonicalize_dtype(x.dtype, True))
    return x
