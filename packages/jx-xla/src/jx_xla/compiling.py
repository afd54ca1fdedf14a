"""From a staged program to an executable: where it runs, what it is lowered to.

An executable belongs to a program and a placement: the devices, and how arguments and
results lie on them. It is kept on the program, and goes when the program goes.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import ClosedJaxpr, typeof
from jx_core.config import explain_cache_misses, log_compiles
from jx_core.dispatch import argument_name
from jx_core.effects import on_host
from jx_core.jaxpr import Jaxpr, live_equations, used_inputs
from jx_core.once import once
from jx_core.symbolic import is_symbolic_shape

from .compilation_cache import compile_or_load
from .keys import physical_value
from .lowering.dynamic import module_for
from .lowering.program import lower_function
from .lowering.sharding import attribute
from .lowering.tables import lowering_rules
from .lowering.tokens import ordered
from .lowering.types import physical
from .placements import Placement, constraints, placement_of
from .runtime.arrays import Array
from .runtime.effects import TOKEN, EffectfulExecutable, token_sharding
from .runtime.executables import (
    Executable,
    JaxRuntimeError,
    output_shardings,
    parameter_shardings,
)
from .runtime.named_sharding import NamedSharding, like
from .runtime.placement import put, shard_argument
from .runtime.shardings import Sharding, from_hlo, single_device
from .watching import watched

_log = logging.getLogger("jx_xla")

# Arrays that a program closes over are written into it up to this size, and beyond it are
# arguments that it always gets.
_INLINE_BYTES = 1024


class Lowering:
    """A staged call as a StableHLO module, and what running it takes.

    Attributes:
        text: the module.
        symbolic: whether an argument has a symbolic shape; such a module is not compiled as it
            is, but refined to given shapes first.
        kept: for each argument, whether the module takes it.
        consts: arrays that come before the arguments.
        in_shardings: those of `consts` and of the arguments kept, None where the compiler
            may choose.
        out_shardings: those of the results, None where the compiler may choose.
        ordered: whether the module takes and gives a token before everything else.

    Args:
        params: the staged call's.
        placement: where it runs.
        platforms: what to lower for, if not the platform of those devices. A module for several
            takes an index into them before everything else.
        portable: make a module for other processes: it holds everything it closes over, and
            does not say that buffers may be reused.
        overrides: lowering rules to use in place of the tables', by primitive.

    Raises:
        ValueError: a sharding does not fit its argument or result.
    """

    def __init__(
        self,
        params: dict[str, Any],
        placement: Placement,
        platforms: Sequence[str] | None = None,
        *,
        portable: bool = False,
        overrides: Sequence[tuple[Any, Any]] = (),
    ) -> None:
        lowering_rules.load()
        closed: ClosedJaxpr = params["jaxpr"]
        jaxpr = closed.jaxpr
        self.placement = placement
        n = len(jaxpr.invars)
        live = live_equations(jaxpr)  # the others may need arguments that are not kept
        self.kept = (True,) * n if params["keep_unused"] else used_inputs(jaxpr, live)
        # Dimension variables are worked out from arguments, which may have no other use.
        sizes = [is_symbolic_shape(v.aval.shape) for v in jaxpr.invars]
        symbolic = any(sizes)
        if symbolic:
            self.kept = tuple([k or s for k, s in zip(self.kept, sizes, strict=True)])
        donated = (not portable and params["donated"]) or (False,) * n
        pairs = list(zip(jaxpr.constvars, closed.consts, strict=True))
        hoisted = [(v, c) for v, c in pairs if not portable and _bytes(c) > _INLINE_BYTES]
        inline = [(v, c) for v, c in pairs if portable or _bytes(c) <= _INLINE_BYTES]
        main = jaxpr.replace(
            constvars=[v for v, _ in inline],
            invars=[v for v, _ in hoisted]
            + [v for v, keep in zip(jaxpr.invars, self.kept, strict=True) if keep],
            eqns=live,
        )
        self.consts = [_constant(c, placement) for _, c in hoisted]
        self.in_shardings: list[Sharding | None] = [
            *[c._sharding for c in self.consts],
            *[s for s, keep in zip(placement.shardings, self.kept, strict=True) if keep],
        ]
        donates = [False] * len(hoisted) + [
            d for d, keep in zip(donated, self.kept, strict=True) if keep
        ]
        self.out_shardings = params["out_shardings"] or (None,) * len(jaxpr.outvars)
        platforms = platforms or (platform_of(placement.devices[0]),)
        names = [argument_name(closed, i) for i in range(n)] if symbolic else []
        module = self.module = module_for(
            f"jit_{params['name']}",
            platforms,
            [v.aval for v in main.invars],
            ["(closed over)"] * len(hoisted) + [x for x, k in zip(names, self.kept) if k],
        )
        module.overrides = dict(overrides)
        module.devices = placement.devices
        self.symbolic = symbolic
        self.ordered = ordered(jaxpr.effects)
        partitions = module.num_partitions = len(placement.devices)
        if partitions > 1:
            _check_shardings(closed, placement.shardings, self.out_shardings, params["name"])
        module.attributes = {
            "mhlo.num_partitions": f"{partitions} : i32",
            "mhlo.num_replicas": "1 : i32",
        }
        lower_function(
            module,
            ClosedJaxpr(main, [c for _, c in inline]),
            "main",
            public=True,
            argument_attributes=self._argument_attributes(main, donates, partitions),
            result_attributes=self._result_attributes(closed, partitions),
        )
        self.text = module.text()

    def _argument_attributes(self, main: Jaxpr, donates: list[bool], parts: int) -> list[str]:
        aliases = _aliases(main, donates) if parts == 1 else {}
        result = []
        facts = zip(main.invars, self.in_shardings, donates, strict=True)
        for i, (v, s, donate) in enumerate(facts):
            words = []
            if i in aliases:
                words.append(f"tf.aliasing_output = {aliases[i] + self.ordered} : i32")
            elif donate:
                words.append("jax.buffer_donor = true")
            if parts > 1 and s is not None:
                words.append(f"sdy.sharding = {attribute(self.module, s, v.aval)}")
            result.append(", ".join(words))
        return [*self._token_attributes(parts), *result]

    def _result_attributes(self, closed: ClosedJaxpr, parts: int) -> list[str]:
        result = [
            "" if s is None or parts == 1 else f"sdy.sharding = {attribute(self.module, s, a)}"
            for s, a in zip(self.out_shardings, closed.out_avals, strict=True)
        ]
        return [*self._token_attributes(parts), *result]

    def _token_attributes(self, parts: int) -> list[str]:
        """Those of the token among the arguments or results, where the program has one."""
        if not self.ordered:
            return []
        if parts == 1:
            return [""]
        where = token_sharding(self.placement.devices)
        return [f"sdy.sharding = {attribute(self.module, where, TOKEN)}"]


def _aliases(main: Jaxpr, donates: Sequence[bool]) -> dict[int, int]:
    """For donated arguments, a result of the same type that may take over the buffer."""
    free = list(enumerate(main.outvars))
    aliases: dict[int, int] = {}
    for i, (v, donate) in enumerate(zip(main.invars, donates, strict=True)):
        if not donate:
            continue
        held = physical(v.aval)
        for place, (j, out) in enumerate(free):
            other = physical(out.aval)
            if other.shape == held.shape and other.dtype == held.dtype:
                aliases[i] = j
                del free[place]
                break
    return aliases


def _check_shardings(
    closed: ClosedJaxpr, ins: Sequence[Sharding | None], outs: Sequence[Sharding | None], name: str
) -> None:
    """Raise an error that names the argument or result which a sharding does not fit."""
    for i, (sharding, aval) in enumerate(zip(ins, closed.in_avals, strict=True)):
        if sharding is not None:
            _check_fits(sharding, aval, f"{argument_name(closed, i)} of {name}")
    for i, (sharding, aval) in enumerate(zip(outs, closed.out_avals, strict=True)):
        if sharding is not None:
            _check_fits(sharding, aval, f"result {i} of {name}")


def _check_fits(sharding: Sharding, aval: Any, what: str) -> None:
    if sharding.unconstrained_dims:
        raise ValueError(
            f"the sharding of {what} leaves dimensions unconstrained, and only those of "
            f"with_sharding_constraint may; got {sharding}"
        )
    try:
        sharding.check_compatible_aval(aval.shape)
        sharding.shard_shape(physical(aval).shape)
    except ValueError as error:
        raise type(error)(f"{what} does not fit its sharding: {error}") from None


def platform_of(device: Any) -> str:
    """The platform of a device as lowering rules know it: `cpu`, `cuda`, `rocm` or `tpu`."""
    name = device.platform
    if name != "gpu":
        return str(name)
    return "rocm" if "rocm" in device.client.platform_version.lower() else "cuda"


def _bytes(const: Any) -> int:
    aval = physical(typeof(const))
    return int(aval.size * aval.dtype.itemsize)


def _constant(const: Any, placement: Placement) -> Any:
    """An array that the program closes over, in place on its devices."""
    x = physical_value(const)
    devices = placement.devices
    if type(x) is Array and x._sharding._device_assignment == devices:
        return x
    where = from_hlo(devices, None)
    if type(x) is Array:
        return shard_argument(x, where)
    held = physical(typeof(const))
    value = np.asarray(x, held.dtype)
    if len(devices) == 1:
        return put(value, held, devices[0], committed=False)
    return shard_argument(value, where)


def executable_for(params: dict[str, Any], operands: Sequence[Any]) -> Executable:
    """The executable of a staged call on these arguments, compiled now if need be."""
    closed: ClosedJaxpr = params["jaxpr"]
    placement = placement_of(operands, params)
    key = (
        "xla", placement, params["donated"], params["out_shardings"], params["keep_unused"],
        params["compiler_options"],
    )  # fmt: skip
    found = closed.derived.get(key)
    if found is None:
        found = once(
            closed.derived, key, lambda: _compile_call(params, placement, key), patience=-1
        )
    return found


def _compile_call(params: dict[str, Any], placement: Placement, key: Any) -> Executable:
    if explain_cache_misses.value:
        from .explaining import explain_compilation

        explain_compilation(params, key)
    return compile_lowering(lower_call(params, placement), params)


def lower_call(
    params: dict[str, Any], placement: Placement, platforms: Sequence[str] | None = None
) -> Lowering:
    """Lower a staged call, and log it where `log_compiles` asks for that."""
    began = time.perf_counter()
    lowering = Lowering(params, placement, platforms)
    if log_compiles.value:
        seconds = time.perf_counter() - began
        _log.warning("Lowered %s in %.3f s", call_and_types(params), seconds)
    return lowering


def call_and_types(params: dict[str, Any]) -> str:
    """What messages call a staged call: `step for (f32[3], i32[])`."""
    from jx_core.explaining import types_of

    return f"{params['name']} for ({types_of(params['jaxpr'].in_avals)})"


def compile_lowering(
    lowering: Lowering, params: dict[str, Any], options: dict[str, Any] | None = None
) -> Executable:
    """Compile a lowered call, or load it from the persistent cache.

    Raises:
        JaxRuntimeError: XLA can't compile it; the message says what, and nothing is kept.
    """
    closed: ClosedJaxpr = params["jaxpr"]
    placement = lowering.placement
    several = len(placement.devices) > 1
    token = [False] * lowering.ordered
    for inspection in lowering.module.inspections:
        inspection.named = _named(lowering, closed)
    program = _program(lowering)

    def slow(seconds: float) -> str:
        operations = lowering.text.count(' = "')
        return (
            f"jx: compiling {call_and_types(params)} has taken {seconds:.3g} s so far; its module "
            f"has {operations:,} operations in {len(lowering.text):,} bytes, for "
            f"{len(placement.devices)} {placement.devices[0].device_kind} device(s)"
        )

    try:
        with watched(slow):
            loaded, seconds, saved = compile_or_load(
                lowering.module.name,
                program,
                placement.devices,
                host_callbacks=lowering.module.host_callbacks,
                propagate_to_parameters=_open(token, lowering.in_shardings) if several else None,
                propagate_to_outputs=_open(token, lowering.out_shardings) if several else None,
                compiler_options={**dict(params["compiler_options"]), **(options or {})},
            )
    except JaxRuntimeError as error:
        raise JaxRuntimeError(f"{error}\nwhile compiling {call_and_types(params)}") from None
    if log_compiles.value:
        if saved is None:
            _log.warning("Compiled %s in %.3f s", call_and_types(params), seconds)
        else:
            _log.warning(
                "Loaded %s from the compilation cache in %.3f s; compiling took %.3f s",
                call_and_types(params), seconds, saved,
            )  # fmt: skip
    ins, outs = _compiled_shardings(lowering, closed, loaded)
    make: Any = Executable
    if lowering.module.host_callbacks:
        make = functools.partial(
            EffectfulExecutable, effects=on_host(closed.effects), ordered=lowering.ordered
        )
    return make(
        loaded,
        placement.devices,
        ins,
        [physical(a) for a in closed.out_avals],
        outs,
        [placement.committed] * len(closed.out_avals),
        kept=[True] * len(lowering.consts) + list(lowering.kept),
        consts=lowering.consts,
        name=params["name"],
    )


def _program(lowering: Lowering) -> str:
    """The module for the platform of the devices.

    Raises:
        ValueError: it is for others only.
    """
    here, platforms = platform_of(lowering.placement.devices[0]), lowering.module.platforms
    if here not in platforms:
        raise ValueError(
            f"{lowering.module.name} was lowered for {', '.join(platforms)}, and can't be compiled "
            f"for {here}: lower it with lowering_platforms=('{here}',), or export it to where such "
            f"a device is (jx.export)"
        )
    if len(platforms) == 1:
        return lowering.text
    from .runtime.linking import for_platform

    return for_platform(lowering.text, platforms.index(here))


def _open(token: list[bool], shardings: Sequence[Sharding | None]) -> list[bool]:
    """For the token and each value, whether the compiler may choose its sharding."""
    return [*token, *[s is None for s in shardings]]


def _named(lowering: Lowering, closed: ClosedJaxpr) -> list[NamedSharding]:
    """The shardings on meshes that the call and the program name."""
    return [
        s
        for s in (*lowering.in_shardings, *lowering.out_shardings, *constraints(closed))
        if type(s) is NamedSharding
    ]


def _compiled_shardings(
    lowering: Lowering, closed: ClosedJaxpr, loaded: Any
) -> tuple[list[Sharding], list[Sharding]]:
    """How a compiled program's arguments and results lie, in the caller's words if possible."""
    devices = lowering.placement.devices
    if len(devices) == 1:
        here = single_device(devices[0])
        whole = lowering.placement.whole or here
        outs = [whole if s is None else s for s in lowering.out_shardings]
        return [here] * len(lowering.in_shardings), outs
    named = _named(lowering, closed)
    const_avals = [typeof(c) for c in lowering.consts]
    arg_avals = [a for a, keep in zip(closed.in_avals, lowering.kept, strict=True) if keep]

    def settle(asked: Sequence[Sharding | None], avals: list[Any], read: Any) -> list[Sharding]:
        if None not in asked:
            return list(asked)  # type: ignore[arg-type]
        made = read(loaded, devices, len(avals) + lowering.ordered)[lowering.ordered :]
        return [
            _in_words(m, aval, named) if s is None else s
            for m, s, aval in zip(made, asked, avals, strict=True)
        ]

    return (
        settle(lowering.in_shardings, [*const_avals, *arg_avals], parameter_shardings),
        settle(lowering.out_shardings, closed.out_avals, output_shardings),
    )


def _in_words(made: Sharding, aval: Any, named: Sequence[NamedSharding]) -> Sharding:
    """A sharding of the compiler's choice as one of those the caller named, or in their terms.

    Arrays that come out of a program as they went in then compare as such, and the next
    call finds the program again.
    """
    ndim = physical(aval).ndim
    for sharding in named:
        fits = len(sharding.spec) <= aval.ndim and not sharding.unconstrained_dims
        if fits and sharding.is_equivalent_to(made, ndim):
            return sharding
    split = made._to_xla_hlo_sharding(ndim)
    return next((s for s in (like(n, split) for n in named[:1]) if s is not None), made)
