"""`jit`: staging a function into one call of a traced program.

The callable that `jit` returns stages through `dispatch.CallSpec`. With it come the
steps of ahead-of-time use: `.trace(...)` gives a `Traced`, whose `.lower()` asks the
back end; `.eval_shape(...)` gives types only.
"""

from __future__ import annotations

import functools
import inspect
import operator
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import shardings, tree, tree_util
from .aval import typeof
from .dispatch import (
    CallSpec,
    Staged,
    _jit_p,
    argument_names,
    forget_staged,
    make_callable,
    positions_of,
)
from .jaxpr.ir import ClosedJaxpr
from .stages import CallTypes, Stage
from .staging import _described, function_name
from .state import state
from .trace import default_backend
from .tracebacks import filtered, hide_internal_frames

# One cache of staged forms for a function and options, however often jit is called on it,
# so that `jit(f)` inside a loop traces once. It dies with the function.
_caches: weakref.WeakKeyDictionary[Any, dict[Any, dict[Any, Staged]]] = weakref.WeakKeyDictionary()


def clear_caches() -> None:
    """Forget every traced and staged program of this process."""
    _caches.clear()
    forget_staged()


def jit(
    fun: Callable[..., Any] | None = None,
    /,
    *,
    in_shardings: Any = None,
    out_shardings: Any = None,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Iterable[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    donate_argnames: str | Iterable[str] | None = None,
    keep_unused: bool = False,
    device: Any = None,
    backend: str | None = None,
    inline: bool = False,
    compiler_options: dict[str, Any] | None = None,
) -> Any:
    """Stage `fun` so that the back end compiles it as one program.

    The function is traced once for each signature: the tree, shapes, dtypes and weak
    types of its arguments and the values of its static ones. It should be pure.

    Args:
        fun: takes and returns pytrees of arrays. Without it, `jit(**options)` is a decorator.
        in_shardings, out_shardings: shardings, as prefixes of the trees of positional
            arguments (static ones have no entry) and of results; a PartitionSpec stands for
            one on the mesh in context, None leaves the choice to the compiler. Arguments
            that have been placed otherwise are an error.
        static_argnums, static_argnames: arguments passed as hashable Python values.
        donate_argnums, donate_argnames: arguments whose buffers the call may reuse. They
            can't be used again.
        keep_unused: keep arguments that the program does not use.
        device, backend: deprecated in JAX; use `device_put` on the arguments.
        inline: inside another staged function, put the equations in place of a call.
        compiler_options: passed to the compiler.

    Returns:
        A callable with `.trace`, `.lower`, `.eval_shape` and `.clear_cache`.

    Raises:
        TypeError: `fun` is not callable, or an argument is not an array.
        ValueError: a static argument is not hashable, or an argnum is out of range.

    >>> from jx_core import lax
    >>> jit(lambda x: lax.mul(x, 2.0))(3.0)
    Array(6., dtype=float32, weak_type=True)
    """
    options = {
        "in_shardings": in_shardings,
        "out_shardings": out_shardings,
        "static_argnums": static_argnums,
        "static_argnames": static_argnames,
        "donate_argnums": donate_argnums,
        "donate_argnames": donate_argnames,
        "keep_unused": keep_unused,
        "inline": inline,
        "compiler_options": compiler_options,
    }
    if fun is None:
        return functools.partial(jit, **options)
    if not callable(fun):
        raise TypeError(f"Expected a callable value, got {fun!r}")
    if device is not None or backend is not None:
        raise TypeError(
            "jit: device= and backend= are not supported; place the arguments with "
            "jx.device_put, or give in_shardings"
        )
    return _jitted(fun, options)


def _jitted(fun: Callable[..., Any], options: dict[str, Any]) -> Any:
    nums, names = _static_arguments(fun, options["static_argnums"], options["static_argnames"])
    donate_nums = _integers(options["donate_argnums"], "donate_argnums")
    donate_names = _strings(options["donate_argnames"], "donate_argnames")
    compiler_options = tuple(sorted((options["compiler_options"] or {}).items()))
    for field in ("in_shardings", "out_shardings"):
        for leaf in tree.leaves(options[field]):
            shardings.check(leaf, f"{field} of jit({function_name(fun)})")
    call_options = {
        "in_shardings": options["in_shardings"],
        "out_shardings": options["out_shardings"],
        "keep_unused": bool(options["keep_unused"]),
        "inline": bool(options["inline"]),
        "compiler_options": compiler_options,
    }
    spec = CallSpec(
        fun,
        static_argnums=nums,
        static_argnames=names,
        donate_argnums=(*donate_nums, *positions_of(fun, donate_names)),
        donate_argnames=donate_names,
        options=call_options,
    )
    key = (nums, names, spec.donate_argnums, donate_names, *call_options.values())
    try:
        spec.cache = _caches.setdefault(fun, {}).setdefault(key, {})
    except TypeError:
        pass  # fun or an option can't be hashed or weakly referenced: a cache of its own
    result = make_callable(spec)
    if nums or names:
        result = _WithStatics(result, spec)
    result.trace = functools.partial(_trace, spec)
    result.lower = functools.partial(_lower, spec)
    result.eval_shape = functools.partial(_eval_shape, spec)
    if not hasattr(type(result), "clear_cache"):
        result.clear_cache = spec.cache.clear
    return result


class _WithStatics:
    """The callable of a `jit` with static arguments: names the one that can't be hashed.

    A compiled dispatcher refuses such a value before any Python of jx runs, and knows
    arguments by their place alone.
    """

    def __init__(self, call: Any, spec: CallSpec) -> None:
        functools.update_wrapper(self, spec.fun)
        self._call = call
        self.spec = spec

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._call(*args, **kwargs)
        except ValueError as error:
            if "Non-hashable static" in str(error):
                self._explain(args, kwargs)
            hide_internal_frames(error)
            raise

    def _explain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise the error that names the argument, if one of these can't be hashed."""
        try:
            self.spec.split(args, kwargs)
        except ValueError as named:
            hide_internal_frames(named)
            raise named from None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __getattr__(self, name: str) -> Any:
        if name == "_call":
            raise AttributeError(name)
        return getattr(self._call, name)

    def __repr__(self) -> str:
        return repr(self._call)


def _integers(value: Any, what: str) -> tuple[int, ...]:
    if value is None:
        return ()
    try:
        return (operator.index(value),)
    except TypeError:
        pass
    try:
        return tuple(operator.index(i) for i in value)
    except TypeError:
        raise TypeError(f"{what} must be an int or a sequence of ints, got {value!r}") from None


def _strings(value: Any, what: str) -> tuple[str, ...]:
    if value is None:
        return ()
    several = isinstance(value, Iterable) and not isinstance(value, str)
    values = tuple(value) if several else (value,)
    if not all(isinstance(v, str) for v in values):
        raise TypeError(f"{what} must be a str or a sequence of str, got {value!r}")
    return values


def _static_arguments(fun: Any, nums: Any, names: Any) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Static positions and names, each completed from the other through the signature."""
    given_nums, given_names = _integers(nums, "static_argnums"), _strings(names, "static_argnames")
    try:
        parameters = list(inspect.signature(fun).parameters.values())
    except (TypeError, ValueError):
        return given_nums, given_names
    kinds = {p.kind for p in parameters}
    if given_nums and inspect.Parameter.VAR_POSITIONAL not in kinds:
        count = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
        for i in given_nums:
            if not -count <= i < count:
                raise ValueError(
                    f"jitted function has static_argnums={given_nums} but {function_name(fun)} "
                    f"has only {count} positional arguments"
                )
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        known = {p.name for p in parameters}
        for name in given_names:
            if name not in known:
                raise ValueError(
                    f"jitted function has invalid argname {name!r} in static_argnames: "
                    f"{function_name(fun)} has {sorted(known)}"
                )
    if given_nums and names is None:
        count = len(parameters)
        by_keyword = [
            parameters[i].name
            for i in given_nums
            if -count <= i < count and parameters[i].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        ]
        return given_nums, tuple(by_keyword)
    if given_names and nums is None:
        return positions_of(fun, given_names), given_names
    return given_nums, given_names


def partial_static(
    fun: Callable[..., Any], static_argnums: Any, args: tuple[Any, ...]
) -> tuple[tuple[Any, ...], Callable[..., Any]]:
    """The non-static ones of `args`, and `fun` as a function of those alone."""
    nums = {i % len(args) for i in _integers(static_argnums, "static_argnums") if args}
    if not nums:
        return args, fun
    dynamic = tuple(a for i, a in enumerate(args) if i not in nums)

    @functools.wraps(fun)
    def with_statics(*rest: Any, **kwargs: Any) -> Any:
        following = iter(rest)
        return fun(*(a if i in nums else next(following) for i, a in enumerate(args)), **kwargs)

    return dynamic, with_statics


class Traced(Stage):
    """A function traced for given argument types, before lowering.

    Attributes:
        jaxpr: the program.
        staged: the staged call it will be compiled as.
        in_tree, out_tree: the trees of ((args), {kwargs}) without static ones, and results.
        in_shardings: for each argument leaf the sharding that it has been given, or None.
        out_info: shapes and dtypes of the results, as a pytree of `ShapeDtypeStruct`.

    >>> from jx_core import lax
    >>> traced = jit(lambda x, y: lax.add(x, y)).trace(1.0, 2.0)
    >>> traced.jaxpr
    { lambda ; a:f32[] b:f32[]. let c:f32[] = add a b in (c,) }
    >>> traced.out_info
    ShapeDtypeStruct(shape=(), dtype=float32, weak_type=True)
    >>> float(traced(3.0, 4.0))
    7.0
    """

    def __init__(self, spec: CallSpec, staged: Staged, in_shardings: Sequence[Any] = ()) -> None:
        if staged.const_tracers:
            raise TypeError(
                f"{spec.name} closes over traced values, so it can't be traced ahead of time: "
                f"pass them as arguments"
            )
        self.spec = spec
        self.staged = staged
        self.in_shardings = tuple(in_shardings) or (None,) * staged.in_tree.num_leaves

    @functools.cached_property
    def types(self) -> CallTypes:  # type: ignore[override]
        """What the call takes and gives."""
        staged, closed = self.staged, self.jaxpr
        n = staged.in_tree.num_leaves
        count = len(tree_util.treedef_children(tree_util.treedef_children(staged.in_tree)[0]))
        return CallTypes(
            self.spec.name,
            staged.in_tree,
            staged.out_tree,
            tuple(closed.in_avals[:n]),
            tuple(closed.out_avals[: staged.out_tree.num_leaves]),
            (staged.params["donated"] or (False,) * n)[:n],
            tuple(argument_names(closed)[:n]),
            self.spec.positions(count),
            self.spec.static_argnames,
        )

    @property
    def fun_name(self) -> str:
        """The function's name.

        >>> from jx_core import lax
        >>> jit(lax.sin).trace(1.0).fun_name
        'sin'
        """
        return self.spec.name

    @property
    def jaxpr(self) -> ClosedJaxpr:
        """The program.

        >>> from jx_core import lax
        >>> jit(lax.sin).trace(np.ones(3)).jaxpr
        { lambda ; a:f32[3]. let b:f32[3] = sin a in (b,) }
        """
        return self.staged.jaxpr

    @property
    def out_avals(self) -> Any:
        """The types of the results, as their tree.

        >>> from jx_core import lax
        >>> jit(lambda x: {"y": lax.sin(x)}).trace(np.ones(3)).out_avals
        {'y': ShapedArray(float32[3])}
        """
        return self.types.out_avals

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run what was traced; under a transformation, transform it.

        Takes the dynamic arguments: the static ones are part of the program.

        Raises:
            TypeError: the arguments' tree, shapes or dtypes are others than it was traced for.
        """
        leaves = call_leaves(self.types, args, kwargs, "traced")
        outs = state.trace.process(_jit_p(), tuple(leaves), self.staged.params)
        return tree.unflatten(self.out_tree, outs)

    def lower(self, **options: Any) -> Any:
        """Lower to the back end's form; see the back end for options.

        Raises:
            BackendError: the back end in use has no compiler.

        >>> from jx_core import backend, lax
        >>> with backend.use("xla"):
        ...     jit(lax.sin).trace(1.0).lower()
        Lowered(sin)
        """
        if self.staged.uses is not None:
            raise TypeError(
                f"{self.fun_name} uses Refs of outside, so it can't be compiled ahead of time: "
                f"pass their values, ref[...], and return new ones"
            )
        return (state.backend or default_backend.value).lower(self, **options)

    def __repr__(self) -> str:
        return f"Traced({self.fun_name}: {self.jaxpr})"


def call_leaves(
    types: CallTypes, args: tuple[Any, ...], kwargs: dict[str, Any], stage: str
) -> list[Any]:
    """The leaves of a call's arguments, if they are as `types` says.

    Args:
        types: what the call takes.
        args, kwargs: its dynamic arguments.
        stage: what has been done for these types, for messages: `traced` or `compiled`.

    Raises:
        TypeError: their tree, shapes or dtypes are others; the message names each.
    """
    filled = list(args)
    for place in types.static_places:
        filled.insert(place, None)
    leaves, in_tree = tree.flatten((tuple(filled), kwargs))
    if in_tree != types.in_tree:
        raise _other_tree(types, args, kwargs, in_tree, stage)
    wrong = []
    for x, aval, name in zip(leaves, types.avals, types.leaf_names, strict=True):
        try:
            have = typeof(x)
        except TypeError as error:
            raise TypeError(f"argument {name} of {types.name}: {error}") from None
        if have is not aval and (have.shape != aval.shape or have.dtype != aval.dtype):
            wrong.append(f"argument {name} has type {have.str_short()}, {stage} for "
                         f"{aval.str_short()}")
    if wrong:
        raise TypeError(
            f"Argument types differ from the types for which this computation was {stage}: "
            + "; ".join(wrong)
        )
    return leaves


def _other_tree(
    types: CallTypes, args: tuple[Any, ...], kwargs: dict[str, Any], in_tree: Any, stage: str
) -> TypeError:
    """The error for arguments that form another tree."""
    from .tree.mismatch import differences

    text = f"Function {stage} with input pytree does not match the input pytree it was called with"
    for d in list(differences(types.in_tree, in_tree))[:4]:
        where = "kwargs" if str(d.path[0]) == "[1]" else "args"
        place = where + "".join(map(str, d.path[1:]))
        text += f"; {place} of {types.name} was {d.first}, and is now {d.second}{d.detail}"
    given = sorted(kwargs.keys() & set(types.static_names))
    known = len(tree_util.treedef_children(tree_util.treedef_children(types.in_tree)[0]))
    if given:
        text += f". {', '.join(given)} is static: it is part of the program, so leave it out"
    elif types.static_places and len(args) == known:
        text += (
            f". Its arguments at positions {list(types.static_places)} are static: they are part "
            f"of the program, so leave them out"
        )
    return TypeError(text)


@filtered
def _trace(spec: CallSpec, *args: Any, **kwargs: Any) -> Traced:
    """Trace for arguments that may be arrays or anything with a shape and a dtype."""
    nums = spec.positions(len(args))
    described = tuple(a if i in nums else tree.map(_described, a) for i, a in enumerate(args))
    named = {
        k: v if k in spec.static_argnames else tree.map(_described, v) for k, v in kwargs.items()
    }
    staged, leaves = spec.stage(described, named)
    return Traced(spec, staged, [_placed(x) for x in leaves])


def _placed(x: Any) -> Any:
    """The sharding of an array, or a stand-in for one, that says where it must lie."""
    if not getattr(x, "committed", True):
        return None
    return shardings.resolve(getattr(x, "sharding", None), "the sharding of a ShapeDtypeStruct")


@filtered
def _lower(spec: CallSpec, *args: Any, **kwargs: Any) -> Any:
    return _trace(spec, *args, **kwargs).lower()


@filtered
def _eval_shape(spec: CallSpec, *args: Any, **kwargs: Any) -> Any:
    return _trace(spec, *args, **kwargs).out_info
