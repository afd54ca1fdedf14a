"""The XLA back end: staged programs and single primitives through compiled executables.

Repeated calls run in jaxlib's C++ dispatcher. What is here is the road of a call that
it does not know yet: stage, compile, run, and say what to remember.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import ClosedJaxpr, Primitive, ShapedArray, Tracer, debugging, dtypes, tree, typeof
from jx_core.backend import Backend, current
from jx_core.config import debug_infs, debug_key_reuse, debug_nans, enable_x64, no_execution
from jx_core.config import default_device as default_device_option
from jx_core.dispatch import CallSpec
from jx_core.errors import UnexpectedTracerError
from jx_core.memory import Space
from jx_core.once import once
from jx_core.ops.checks import DebugCheckEffect
from jx_core.ops.control_flow.exported import call_exported_p
from jx_core.ops.control_flow.jit import DEFAULT_PARAMS, jit_p
from jx_core.ops.sharding import device_put_p, sharding_constraint_p
from jx_core.staging import trace_to_jaxpr
from jx_core.state import eager_listeners, state
from jx_core.tree import registration as tree_registration

from . import guards  # noqa: F401  defines the options, and has jaxlib follow them
from .compiling import executable_for
from .keys import KeyArray, elements, logical_value, physical_value
from .lowering.types import physical
from .placements import default_device, in_space
from .runtime import clients, flags
from .runtime.array_values import host_value
from .runtime.arrays import Array
from .runtime.dispatch import fast_path, make_fast_callable, new_registry, set_tracer_class
from .runtime.placement import put, shard_argument
from .runtime.shardings import Sharding, SingleDeviceSharding, single_device

# Everywhere else an array of keys is a leaf. To the dispatcher it is a node whose leaf is the
# array of words, which it knows how to pass to a program.
dispatch_registry = new_registry()
tree_registration.follow(dispatch_registry)
dispatch_registry.register_node(
    KeyArray, lambda x: ((x.words,), x.aval), lambda aval, words: KeyArray(aval, *words), None
)


class XlaBackend(Backend):
    """Compiles programs with XLA and runs them through PJRT."""

    name = "xla"
    array_types = (Array, KeyArray)

    def __init__(self) -> None:
        self._eager: dict[Any, Callable[..., Any]] = {}

    def evaluate(
        self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        if primitive is jit_p:
            return run_call(params, operands)[0]
        if primitive.stage is not None and primitive.decompose is not None:
            return primitive.decompose(*operands, **params)
        if primitive.higher_order:
            return self._run_program(primitive, operands, params)
        try:
            key = (primitive, *params.items()) if params else primitive
            call = self._eager.get(key)
            if call is None:
                call = self._eager.setdefault(key, eager_callable(primitive, params))
        except TypeError:  # a param that can't be hashed
            call = eager_callable(primitive, params)
        return call(*[on_device(x) if type(x) in _NUMBERS else x for x in operands])

    def forget_eager(self) -> None:
        """Drop the dispatchers of single primitives."""
        self._eager.clear()
        _numbers.clear()

    def _run_program(
        self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        """Run a conditional or loop, say: as a staged call, kept on one of its own programs."""
        stepping = debugging.stepping.active
        if stepping and primitive is not call_exported_p and primitive.reference is not None:
            return primitive.reference(*operands, **params)
        avals = tuple(typeof(x) for x in operands)
        programs = (
            v for p in params.values() for v in (p if isinstance(p, tuple) else (p,))
            if hasattr(v, "derived")
        )  # fmt: skip
        owner = next(programs, None)
        if owner is None:  # a call to Python, for which nothing need be compiled
            assert primitive.reference is not None
            return primitive.reference(*operands, **params)
        key = ("xla", "call", primitive, avals, *params.items())
        call = once(owner.derived, key, lambda: _one_equation(primitive, avals, params))
        if stepping:  # what can't be run operation by operation is looked at as a whole
            results = _run_compiled(call, operands)[0]
            debugging.check_primitive(primitive.name, results, elements)
        else:
            results = run_call(call, operands)[0]
        return results if primitive.multiple_results else results[0]

    def put(self, value: Any, aval: ShapedArray, placement: Any = None) -> Any:
        if type(value) in (Array, KeyArray) and placement is None and value.aval is aval:
            return value
        committed = placement is not None
        if isinstance(placement, Space):
            placement = in_space(value, placement)
        where = single_device(default_device()) if placement is None else placement
        if not isinstance(where, Sharding):
            where = single_device(where)
        held = physical(aval)
        inner = physical_value(value)
        if type(inner) is Array:
            if inner.aval is not held:
                inner = np.asarray(host_value(inner), held.dtype)
            else:
                return logical_value(shard_argument(inner, where), aval)
        if isinstance(aval.dtype, dtypes.ExtendedDType) and hasattr(inner, "value"):
            words = np.ascontiguousarray(inner.value).view(np.uint32).reshape(held.shape)
            inner = words
        array = np.asarray(inner, held.dtype)
        if type(where) is SingleDeviceSharding:
            return logical_value(put(array, held, where, committed=committed), aval)
        return logical_value(shard_argument(array, where), aval)

    def from_dlpack(self, x: Any, *, device: Any = None, copy: bool | None = None) -> Any:
        """An array of what another library lends by DLPack; see `jx.dlpack.from_dlpack`."""
        from .runtime.dlpack import from_dlpack

        return from_dlpack(x, device=device, copy=copy)

    def get(self, array: Any) -> np.ndarray:
        array = physical_value(array)
        return host_value(array) if type(array) is Array else np.asarray(array)

    def devices(self, platform: str | None = None) -> list[Any]:
        return clients.devices(platform)

    def dispatcher(self, spec: CallSpec) -> Callable[..., Any]:
        def miss(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
            backend = state.backend
            if backend is not None and backend is not self:
                return spec.miss(*args, **kwargs)[0], None
            result, staged = spec.miss(*args, **kwargs)
            if debugging.is_looking() or debug_key_reuse.value:
                return result, None
            if staged is None or staged.const_tracers or has_effects(staged.jaxpr):
                return result, None
            leaves = tree.leaves(spec.split(args, kwargs)[0])
            if any(x.is_deleted() for x in leaves if type(x) is Array) and not spec.donates:
                return result, None
            executable = executable_for(staged.params, leaves)
            return result, fast_entry(executable, result, leaves)

        return make_fast_callable(
            spec.name,
            spec.fun,
            miss,
            static_argnums=spec.static_argnums,
            static_argnames=spec.static_argnames,
            donate_argnums=spec.donate_argnums,
            donate_argnames=spec.donate_argnames,
            registry=dispatch_registry,
        )

    def lower(self, traced: Any, **options: Any) -> Any:
        from .aot import lower

        return lower(traced, **options)


def has_effects(closed: ClosedJaxpr) -> bool:
    """Whether running the program does more than compute; checks that are left out do not."""
    return any(type(e) is not DebugCheckEffect for e in closed.effects)


_NUMBERS = frozenset((int, float))
_numbers: dict[Any, Any] = {}
_MOST_NUMBERS = 4096


def on_device(x: int | float) -> Any:
    """A Python number as a device array, weakly typed, made once.

    Transformations bind the same few numbers again and again; passing one to a program costs
    as much as running the program.
    """
    key = (type(x), x, enable_x64.value, default_device_option.value)
    found = _numbers.get(key)
    if found is not None:
        return found
    aval = typeof(x)
    try:
        array = np.asarray(x, aval.dtype)
    except OverflowError:
        return x  # the dispatcher's own error says what does not fit
    made = put(array, aval, default_device(), committed=False)
    if x == 0 or x != x:  # 0.0 and -0.0 are equal but differ; NaN would never be found again
        if type(x) is not int:
            return made
    if len(_numbers) >= _MOST_NUMBERS:
        _numbers.clear()
    _numbers[key] = made
    return made


def fast_entry(executable: Any, result: Any, leaves: Sequence[Any]) -> Any:
    """What the dispatcher needs to answer the next such call by itself, None if it can't."""
    if any(type(x) is np.ndarray for x in dispatch_registry.flatten(result)[0]):
        return None  # of dtype float0, which no device has
    words = [physical_value(x) for x in leaves]
    return fast_path(executable, dispatch_registry.flatten(result)[1], words)


def run_call(params: dict[str, Any], operands: Sequence[Any]) -> tuple[list[Any], Any]:
    """Run a staged call; returns its results and the executable that made them."""
    if debugging.stepping.active:
        return jit_p.reference(*operands, **params), None  # type: ignore[misc]
    if not debugging.is_looking():
        return _run_compiled(params, operands)
    # Arguments that were given away could not be run on again.
    results, executable = _run_compiled({**params, "donated": ()}, operands)
    debugging.check_program(params["name"], params["jaxpr"], operands, results, elements)
    return results, executable


def _run_compiled(params: dict[str, Any], operands: Sequence[Any]) -> tuple[list[Any], Any]:
    for x in operands:
        if isinstance(x, Tracer):
            raise UnexpectedTracerError(x)
    debugging.refuse_execution(f"function jit({params['name']})")
    closed: ClosedJaxpr = params["jaxpr"]
    executable = executable_for(params, operands)
    arguments = [
        physical_value(x)
        if type(x) in (Array, KeyArray)
        else _host_argument(x, a)
        for x, a in zip(operands, closed.in_avals, strict=True)
    ]
    results = executable(arguments)
    return [logical_value(r, a) for r, a in zip(results, closed.out_avals, strict=True)], executable


def _host_argument(x: Any, aval: ShapedArray) -> Any:
    held = physical(aval)
    if isinstance(aval.dtype, dtypes.ExtendedDType):  # keys of the NumPy back end
        return np.ascontiguousarray(x.value).view(np.uint32).reshape(held.shape)
    return np.asarray(x, held.dtype)


def _one_equation(
    primitive: Primitive, avals: Sequence[ShapedArray], params: dict[str, Any]
) -> dict[str, Any]:
    """The staged call of a program that is one application of a primitive."""

    def flat(*args: Any) -> list[Any]:
        out = primitive.bind(*args, **params)
        return out if primitive.multiple_results else [out]

    closed = ClosedJaxpr(*trace_to_jaxpr(flat, avals, primitive.name))
    return {**DEFAULT_PARAMS, "name": primitive.name, "jaxpr": closed, "keep_unused": True}


def eager_callable(primitive: Primitive, params: dict[str, Any]) -> Callable[..., Any]:
    """A dispatcher for one primitive with given params."""
    if primitive is device_put_p:
        return functools.partial(put_operand, **params)
    calls: dict[tuple[ShapedArray, ...], dict[str, Any]] = {}

    def primitive_call(*operands: Any) -> Any:
        return primitive.bind(*operands, **params)

    primitive_call.__name__ = primitive.name

    def eager_call(avals: tuple[ShapedArray, ...]) -> dict[str, Any]:
        call = _one_equation(primitive, avals, params)
        if primitive is sharding_constraint_p and not params["unconstrained_dims"]:
            call["out_shardings"] = (params["sharding"],)
        return call

    def miss(*operands: Any) -> tuple[Any, Any]:
        for x in operands:
            if isinstance(x, Tracer):
                raise UnexpectedTracerError(x)
        avals = tuple([typeof(x) for x in operands])
        call = once(calls, avals, lambda: eager_call(avals))
        results, executable = _run_compiled(call, operands)
        result = results if primitive.multiple_results else results[0]
        if debugging.is_looking():
            debugging.check_primitive(primitive.name, results, elements)
            return result, None
        if debug_key_reuse.value:
            return result, None
        return result, fast_entry(executable, result, operands)

    return make_fast_callable(primitive.name, primitive_call, miss, registry=dispatch_registry)


def put_operand(operand: Any, *, device: Any, src: Any) -> Any:
    """The array of a `device_put` outside of any program, which moves it."""
    if isinstance(operand, Tracer):
        raise UnexpectedTracerError(operand)
    return current().put(operand, typeof(operand), device)


def _follow_tracing(is_eager: bool) -> None:
    flags.set_trace_state(None if is_eager else True)


_selected = flags.key_config("selected_backend", None)


def _follow_selection(backend: Backend | None) -> None:
    _selected.set_local(None if backend is None or backend.name == "xla" else backend.name)


def start() -> XlaBackend:
    """Connect jaxlib's dispatcher to jx's tracers and state, and make the back end."""
    from jx_core.backend import selection_listeners

    set_tracer_class(Tracer)
    for option in (debug_nans, debug_infs, debug_key_reuse, no_execution):
        flags.mirror(option)  # a call that is to be looked at, or refused, is one for Python
    eager_listeners.append(_follow_tracing)
    selection_listeners.append(_follow_selection)
    return XlaBackend()
