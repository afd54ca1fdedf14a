"""From a Python call to a staged program: signatures, caches, dispatchers.

A `CallSpec` says how one function is staged. `CallSpec.miss` is the whole road of a
call: split off static arguments, look the signature up, trace on a miss, bind the
staged call. A back end may put a compiled dispatcher in front of it that knows
earlier signatures. `jit` (in `jit.py`) and `compiled`, the wrapper of array
functions, are both made of this.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from . import references, shardings, tree, tree_util
from .aval import ShapedArray, typeof
from .config import config, disable_jit, explain_cache_misses, log_compiles
from .debugging import ARRAY_FUNCTION
from .jaxpr.evaluate import eval_jaxpr
from .jaxpr.ir import ClosedJaxpr
from .once import once
from .staging import check_outputs, close_over_tracers, function_name, trace_to_jaxpr
from .state import state
from .trace import EVAL, Tracer, default_backend
from .tracebacks import hide_internal_frames

# What a program is traced for: the tree of the dynamic arguments, their types, the static
# arguments as (place or name, type, value), the options in force, and the named axes.
Signature = tuple[Any, tuple[ShapedArray, ...], tuple[Any, ...], Any, tuple[Any, ...]]


class Staged:
    """A function staged for one signature: what a `jit` equation needs, and the trees."""

    __slots__ = ("const_tracers", "in_tree", "out_tree", "params", "uses", "__weakref__")

    def __init__(
        self,
        params: dict[str, Any],
        in_tree: Any,
        out_tree: Any,
        const_tracers: list[Any],
        uses: references.Uses | None = None,
    ) -> None:
        self.params = params
        self.in_tree = in_tree
        self.out_tree = out_tree
        self.const_tracers = const_tracers
        self.uses = uses  # of Refs; None where there are none

    @property
    def jaxpr(self) -> ClosedJaxpr:
        return self.params["jaxpr"]  # type: ignore[no-any-return]


class CallSpec:
    """How a function is staged, and its staged forms so far.

    Attributes:
        fun: the function.
        name: what Jaxprs and profiles call it.
        static_argnums, static_argnames: arguments that are Python values, not arrays.
        donate_argnums, donate_argnames: arguments whose buffers the call may reuse.
        options: the further params of the staged call's equation.
        transparent: call `fun` directly while anything is being traced, as array
            functions do, instead of staging a call.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        *,
        static_argnums: tuple[int, ...] = (),
        static_argnames: tuple[str, ...] = (),
        donate_argnums: tuple[int, ...] = (),
        donate_argnames: tuple[str, ...] = (),
        options: dict[str, Any] | None = None,
        transparent: bool = False,
    ) -> None:
        self.fun = fun
        self.name = function_name(fun)
        self.static_argnums = static_argnums
        self.static_argnames = static_argnames
        self.donate_argnums = donate_argnums
        self.donate_argnames = donate_argnames
        self.options = options or {}
        self.transparent = transparent
        self.cache: dict[Any, Staged] = {}
        _specs.add(self)

    def miss(self, *args: Any, **kwargs: Any) -> tuple[Any, Staged | None]:
        """The result of the call and, where a dispatcher may remember it, its staged form."""
        if disable_jit.value or (self.transparent and state.trace is not EVAL):
            return self.fun(*args, **kwargs), None
        staged, leaves = self.stage(args, kwargs)
        if staged.uses is not None:
            return self._run_with_refs(staged, leaves), None
        operands = (*staged.const_tracers, *leaves)
        if staged.params["inline"] and state.trace is not EVAL:
            outs = eval_jaxpr(staged.jaxpr.jaxpr, staged.jaxpr.consts, *operands)
        else:
            outs = state.trace.process(_jit_p(), operands, staged.params)
        result = tree.unflatten(staged.out_tree, outs)
        return result, staged if state.trace is EVAL else None

    def stage(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Staged, list[Any]]:
        """The staged form for these arguments, from the cache or traced now, and the leaves."""
        dynamic, statics = self.split(args, kwargs)
        leaves, in_tree = tree.flatten(dynamic)
        try:
            avals = tuple([typeof(x) for x in leaves])
        except TypeError:
            if self.transparent or not references.any_refs(leaves):
                raise self._bad_argument(dynamic) from None
            avals = self._types_with_refs(dynamic, leaves)
        key: Signature = (in_tree, avals, statics, config.trace_key(), state.axis_env)
        staged = self.cache.get(key)
        if staged is not None and not (staged.uses is None or staged.uses.alive):
            del self.cache[key]  # made for Refs that are gone
            staged = None
        if staged is None:
            staged = once(
                self.cache,
                key,
                lambda: self._trace(args, kwargs, key),
                # What closes over an enclosing trace's tracers serves this call only.
                keep=lambda staged: not staged.const_tracers,
            )
        return staged, leaves

    def _types_with_refs(self, dynamic: Any, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """The types of arguments some of which are Refs."""
        references.check_distinct(leaves, self.name, lambda: _names(self.fun, dynamic))
        try:
            return tuple([references.type_of(x) for x in leaves])
        except TypeError:
            raise self._bad_argument(dynamic) from None

    def _run_with_refs(self, staged: Staged, leaves: Sequence[Any]) -> Any:
        """The result of a call that uses Refs: their values go in, and new ones come out."""
        uses = staged.uses
        assert uses is not None
        if references.any_refs(leaves):
            dynamic = tree.unflatten(staged.in_tree, leaves)
            uses.check(leaves, self.name, lambda: _names(self.fun, dynamic))
        params = staged.params
        # What has effects may look at the Refs while it runs (a callback that reads one).
        in_place = state.trace is EVAL and not staged.jaxpr.effects
        if in_place:
            donated = uses.donated(len(staged.const_tracers), leaves, params["donated"])
            params = {**params, "donated": donated}
        with references.lock if in_place else contextlib.nullcontext():
            operands = (*staged.const_tracers, *uses.operands(leaves, give_away=in_place))
            outs = uses.write_back(leaves, state.trace.process(_jit_p(), operands, params))
        return tree.unflatten(staged.out_tree, outs)

    def split(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        """The dynamic arguments as a pytree, and a hashable record of the static ones."""
        if not self.static_argnums and not self.static_argnames:
            return (args, kwargs), ()
        nums = self.positions(len(args))
        statics: list[tuple[int | str, type, Any]] = [
            (i, *_hashable(args[i], i, self)) for i in nums
        ]
        if self.static_argnames:
            names = sorted(kwargs.keys() & set(self.static_argnames))
            statics += [(k, *_hashable(kwargs[k], k, self)) for k in names]
            kwargs = {k: v for k, v in kwargs.items() if k not in self.static_argnames}
        dynamic = tuple(None if i in nums else a for i, a in enumerate(args))
        return (dynamic, kwargs), tuple(statics)

    @property
    def donates(self) -> bool:
        """Whether calls may give arguments' buffers away."""
        return bool(self.donate_argnums or self.donate_argnames)

    def positions(self, n: int) -> tuple[int, ...]:
        """The static positions among `n` positional arguments."""
        return tuple(sorted({i % n for i in self.static_argnums if -n <= i < n}))

    def _trace(self, args: Any, kwargs: Any, key: Signature) -> Staged:
        in_tree, avals, statics = key[:3]
        if explain_cache_misses.value:
            from .explaining import explain_miss

            explain_miss(self, key)
        out_trees: list[Any] = []
        uses = references.Uses()

        def flat(*flat_args: Any) -> list[Any]:
            inside = references.StandIns()
            a, k = tree.unflatten(in_tree, inside.enter(avals, flat_args))
            if statics:
                a = list(a)
                for where, _, value in statics:
                    if isinstance(where, int):
                        a[where] = value
                    else:
                        k[where] = value
            outputs, out_tree = tree.flatten(self.fun(*a, **k))
            check_outputs(outputs, out_tree, self.name)
            out_trees.append(out_tree)
            return uses.leave(inside, outputs)

        began = time.perf_counter()
        held = [references.held_type(a) for a in avals]
        jaxpr, consts = trace_to_jaxpr(flat, held, self.name, uses, not self.transparent)
        if log_compiles.value:
            from .explaining import log_trace

            log_trace(self.name, held, time.perf_counter() - began)
        closed, tracers = close_over_tracers(jaxpr, consts)
        if self.transparent:
            closed.derived[ARRAY_FUNCTION] = True
        closed.derived[ARGUMENT_NAMES] = _deferred_names(self.fun, in_tree, len(tracers))
        options = self._flat_options(in_tree, out_trees[0], len(tracers))
        options["donated"] = self._donated(in_tree, len(tracers))
        params = {"name": self.name, "jaxpr": closed, **options}
        if uses or references.AbstractRef in map(type, avals):
            return Staged(uses.extend(params, avals), in_tree, out_trees[0], tracers, uses)
        return Staged(params, in_tree, out_trees[0], tracers)

    def _flat_options(self, in_tree: Any, out_tree: Any, extra: int) -> dict[str, Any]:
        """The options with shardings, given as prefixes of the trees, one for each leaf."""
        options = {**_default_params(), **self.options}
        if options["in_shardings"] is not None:
            flat = self._in_shardings(options["in_shardings"], in_tree)
            options["in_shardings"] = (None,) * extra + flat if any(flat) else None
        if options["out_shardings"] is not None:
            what = f"out_shardings of jit({self.name})"
            flat = tuple(shardings.flatten_prefix(options["out_shardings"], out_tree, what))
            options["out_shardings"] = flat if any(flat) else None
        return options

    def _in_shardings(self, prefix: Any, in_tree: Any) -> tuple[Any, ...]:
        """The sharding of each argument leaf; static arguments have no entry in the prefix."""
        what = f"in_shardings of jit({self.name})"
        args_tree, kwargs_tree = tree_util.treedef_children(in_tree)
        if tree_util.treedef_children(kwargs_tree):
            raise ValueError(
                f"{what} are for positional arguments, and the call has keyword arguments "
                f"{_keywords(kwargs_tree)}: pass them by position"
            )
        if isinstance(prefix, list):
            prefix = tuple(prefix)
        if type(prefix) is tuple:
            count = len(tree_util.treedef_children(args_tree))
            statics = self.positions(count)
            if len(prefix) != count - len(statics):
                raise ValueError(
                    f"{what} must be one sharding, or a tuple with an entry for each positional "
                    f"argument that is not static: got {len(prefix)} entries for "
                    f"{count - len(statics)} arguments"
                )
            following = iter(prefix)
            prefix = tuple(None if i in statics else next(following) for i in range(count))
        return tuple(shardings.flatten_prefix(prefix, args_tree, what))

    def _donated(self, in_tree: Any, extra: int) -> tuple[bool, ...]:
        if not self.donate_argnums and not self.donate_argnames:
            return ()
        args_tree, kwargs_tree = tree_util.treedef_children(in_tree)
        args = tree_util.treedef_children(args_tree)
        n = len(args)
        nums = {i % n for i in self.donate_argnums if -n <= i < n}
        flags = [False] * extra
        for i, a in enumerate(args):
            flags += [i in nums] * a.num_leaves
        children = tree_util.treedef_children(kwargs_tree)
        for name, child in zip(_keywords(kwargs_tree), children, strict=True):
            flags += [name in self.donate_argnames] * child.num_leaves
        return tuple(flags)

    def _bad_argument(self, dynamic: tuple[Any, Any]) -> TypeError:
        """The error for the first argument leaf that is not an array."""
        names = _parameter_names(self.fun)
        for path, leaf in tree.leaves_with_path(dynamic):
            try:
                typeof(leaf)
            except TypeError as err:
                argument = _argument_name(names, path[:2])
                return TypeError(
                    f"Cannot interpret the argument {_argument_name(names, path)} of {self.name} "
                    f"as an array: {err} (static_argnames={argument!r} would pass it as a Python "
                    f"value)"
                )
        raise AssertionError("every leaf is an array")


# Under this key, a staged program's `derived` has a function that gives the names of its
# arguments as the user knows them, for messages.
ARGUMENT_NAMES = ("jx_core", "argument names")


def argument_name(closed: ClosedJaxpr, position: int) -> str:
    """What to call an argument of a staged program in a message: `argument params['w']`."""
    names = closed.derived.get(ARGUMENT_NAMES)
    if names is None:
        return f"argument {position}"
    known = names()
    return f"argument {known[position]}" if position < len(known) else "a Ref that is closed over"


def argument_names(closed: ClosedJaxpr) -> list[str]:
    """What the user calls the arguments of a staged program; their numbers where unknown."""
    names = closed.derived.get(ARGUMENT_NAMES)
    return [str(i) for i in range(len(closed.in_avals))] if names is None else names()


def _deferred_names(fun: Callable[..., Any], in_tree: Any, extra: int) -> Callable[[], list[str]]:
    try:
        reference: Callable[[], Any] = weakref.ref(fun)  # caches of its programs hang on it
    except TypeError:
        reference = type(None)

    def names() -> list[str]:
        parameters = _parameter_names(reference())
        dynamic = tree.unflatten(in_tree, list(range(in_tree.num_leaves)))
        paths = [path for path, _ in tree.leaves_with_path(dynamic)]
        return ["(closed over)"] * extra + [_argument_name(parameters, path) for path in paths]

    return names


def _argument_name(parameters: Sequence[str], path: tuple[Any, ...]) -> str:
    """The name of a leaf of (args, kwargs), such as `params['w']`."""
    where, rest = path[1], path[2:]
    index = getattr(where, "idx", None)
    name = getattr(where, "key", None)
    if index is not None:
        name = parameters[index] if index < len(parameters) else f"args[{index}]"
    return f"{name}{tree.keystr(rest)}"


_specs: weakref.WeakSet[CallSpec] = weakref.WeakSet()


def forget_staged() -> None:
    """Drop every staged form there is, and with them what back ends have compiled."""
    for spec in list(_specs):
        spec.cache.clear()


def _keywords(kwargs_tree: Any) -> list[str]:
    """The names in the tree of a call's keyword arguments."""
    return list(kwargs_tree.node_data()[1] or ())


def _names(fun: Callable[..., Any], dynamic: Any) -> list[str]:
    """What to call each leaf of the arguments."""
    names = _parameter_names(fun)
    return [_argument_name(names, path) for path, _ in tree.leaves_with_path(dynamic)]


def _hashable(value: Any, where: int | str, spec: CallSpec) -> tuple[type, Any]:
    if type(value) is references.Ref:
        raise ValueError(
            f"a {value.type} can't be a static argument of {spec.name}: its value changes. Pass "
            f"it as an argument that is not static"
        )
    try:
        hash(value)
    except TypeError:
        if isinstance(where, int):
            names = _parameter_names(spec.fun)
            where = names[where] if where < len(names) else f"args[{where}]"
        raise ValueError(
            f"Non-hashable static arguments are not supported: {where} of {spec.name} is of type "
            f"{type(value)}, which can't be hashed: {value!r:.100}. Pass a hashable equivalent "
            f"(a tuple for a list, a frozen dataclass), or pass it as a dynamic argument."
        ) from None
    # The type is part of the key: 1, 1.0 and True are equal but not the same program.
    return type(value), value


def _parameter_names(fun: Any) -> list[str]:
    """The names of a function's parameters, as far as its signature is known."""
    try:
        return list(inspect.signature(fun).parameters)
    except (TypeError, ValueError):
        return []


@functools.cache
def _jit_p() -> Any:
    """The primitive of a staged call."""
    from .ops.control_flow.jit import jit_p

    return jit_p


@functools.cache
def _default_params() -> dict[str, Any]:
    from .ops.control_flow.jit import DEFAULT_PARAMS

    return DEFAULT_PARAMS


class Dispatcher:
    """The callable in front of a `CallSpec`: the back end's fast one, or the plain road.

    The back end in use is asked once for a dispatcher of its own; calls then cost one
    dictionary look-up more than that dispatcher's.
    """

    __slots__ = ("__dict__", "__weakref__", "_fast", "_spec")

    def __init__(self, spec: CallSpec) -> None:
        self._spec = spec
        self._fast: dict[str, Callable[..., Any]] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        backend = state.backend or default_backend.value
        fast = self._fast.get(backend.name)
        if fast is None:
            fast = self._fast[backend.name] = backend.dispatcher(self._spec) or self._plain
        try:
            return fast(*args, **kwargs)
        except Exception as error:
            hide_internal_frames(error)
            raise

    def _plain(self, *args: Any, **kwargs: Any) -> Any:
        return self._spec.miss(*args, **kwargs)[0]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<compiled function {self._spec.name}>"


def make_callable(spec: CallSpec) -> Any:
    """The callable for `spec` on the default back end: its own dispatcher where it has one."""
    fast = default_backend.value.dispatcher(spec)
    result: Any = Dispatcher(spec) if fast is None else fast
    fun = spec.fun
    for field in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
        if hasattr(fun, field):
            setattr(result, field, getattr(fun, field))
    result.__wrapped__ = fun
    result.spec = spec
    return result


def compiled(
    fun: Callable[..., Any] | None = None,
    *,
    static_argnames: Sequence[str] | str = (),
    static_argnums: Sequence[int] = (),
) -> Any:
    """Decorator for array functions: one compiled dispatch on arrays, plain Python otherwise.

    Called eagerly, the function is staged and compiled once for each signature, and Python
    numbers among its arguments don't recompile. While anything is being traced it is just
    called, so its primitives reach the trace with no wrapper around them.

    Args:
        fun: the function; its array arguments may be pytrees.
        static_argnames: arguments that are Python values. Positions are worked out from
            the signature.
        static_argnums: positions of static arguments that have no name.

    >>> from jx_core import lax
    >>> @compiled
    ... def double(x):
    ...     return lax.mul(x, 2.0)
    >>> double(3.0)
    Array(6., dtype=float32, weak_type=True)
    """
    if fun is None:
        return functools.partial(
            compiled, static_argnames=static_argnames, static_argnums=static_argnums
        )
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    nums = (*static_argnums, *positions_of(fun, names))
    spec = CallSpec(fun, static_argnums=nums, static_argnames=names, transparent=True)
    return make_callable(spec)


def positions_of(fun: Callable[..., Any], names: Sequence[str]) -> tuple[int, ...]:
    """The positions at which the parameters `names` of `fun` may be passed."""
    if not names:
        return ()
    code = getattr(fun, "__code__", None)
    if code is not None and not hasattr(fun, "__wrapped__"):
        positional: Sequence[str] = code.co_varnames[: code.co_argcount]
    else:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        try:
            parameters = inspect.signature(fun).parameters.values()
        except (TypeError, ValueError):
            return ()
        positional = [p.name for p in parameters if p.kind in kinds]
    return tuple(i for i, name in enumerate(positional) if name in names)


def contains_tracer(leaves: Sequence[Any]) -> bool:
    """Whether any of `leaves` is a tracer."""
    return any(isinstance(x, Tracer) for x in leaves)
