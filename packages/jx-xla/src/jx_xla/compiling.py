"""From a staged program to an executable: where it runs, what it is lowered to.

An executable belongs to a program and a placement: the devices, and how arguments and
results lie on them. It is kept on the program, and goes when the program goes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jx_core import ClosedJaxpr, dtypes, typeof
from jx_core.config import config
from jx_core.jaxpr import Jaxpr, jaxprs_in, used_inputs

from .keys import physical_value
from .lowering.builder import Module
from .lowering.program import lower_function
from .lowering.tables import lowering_rules
from .lowering.types import physical
from .runtime import clients
from .runtime.arrays import Array
from .runtime.executables import Executable, compile_program, output_shardings
from .runtime.placement import put, shard_argument
from .runtime.shardings import Sharding, from_hlo, single_device

_log = logging.getLogger("jx_xla")

# Arrays that a program closes over are written into it up to this size, and beyond it are
# arguments that it always gets.
_INLINE_BYTES = 1024


class Placement(NamedTuple):
    """Where a program runs and how its arguments lie there.

    Attributes:
        devices: the devices, in the program's order.
        shardings: one for each argument.
        committed: whether the caller chose the devices, so that results must stay there.
    """

    devices: tuple[Any, ...]
    shardings: tuple[Sharding, ...]
    committed: bool


def placement_of(operands: Sequence[Any], params: dict[str, Any]) -> Placement:
    """The placement that the arguments and the staged call's options ask for.

    Raises:
        ValueError: they ask for different devices.
    """
    devices: tuple[Any, ...] | None = None
    source = ""
    for what in ("in_shardings", "out_shardings"):
        for sharding in params[what] or ():
            if sharding is not None:
                devices, source = _agree(devices, source, sharding, what, params["name"])
    for sharding in constraints(params["jaxpr"]):
        devices, source = _agree(devices, source, sharding, "a sharding constraint", params["name"])
    for i, x in enumerate(operands):
        x = physical_value(x)
        if type(x) is Array and x._committed:
            sharding = x._sharding
            if devices is None:
                devices, source = sharding._device_assignment, f"argument {i}"
            elif sharding.num_devices > 1 or len(devices) == 1:
                devices, source = _agree(devices, source, sharding, f"argument {i}", params["name"])
    if devices is None:
        device = default_device()
        return Placement((device,), (single_device(device),) * len(operands), False)
    if len(devices) == 1:
        return Placement(devices, (single_device(devices[0]),) * len(operands), True)
    chosen = params["in_shardings"] or (None,) * len(operands)
    shardings = tuple(
        _argument_sharding(x, s, devices) for x, s in zip(operands, chosen, strict=True)
    )
    return Placement(devices, shardings, True)


def _agree(devices: Any, source: str, sharding: Any, what: str, name: str) -> Any:
    theirs = sharding._device_assignment
    if devices is None:
        return theirs, what
    if set(devices) != set(theirs):
        raise ValueError(
            f"Received incompatible devices for jitted computation {name}: {source} is on "
            f"{_ids(devices)}, {what} is on {_ids(theirs)}. jx.device_put moves arrays"
        )
    return devices, source


def _ids(devices: Sequence[Any]) -> str:
    return f"platform {devices[0].platform} devices {[d.id for d in devices]}"


def _argument_sharding(x: Any, chosen: Any, devices: tuple[Any, ...]) -> Sharding:
    if chosen is not None:
        return chosen  # type: ignore[no-any-return]
    x = physical_value(x)
    if type(x) is Array and x._sharding.num_devices == len(devices):
        return x._sharding  # type: ignore[no-any-return]
    return from_hlo(devices, None)


def default_device() -> Any:
    """The device of computations whose operands don't say otherwise."""
    chosen = config.default_device
    if chosen is None:
        return clients.default_device()
    if isinstance(chosen, str):
        return clients.local_devices(platform=chosen)[0]
    return chosen


def constraints(closed: ClosedJaxpr) -> list[Any]:
    """The shardings that constraints inside a program name."""
    key = ("xla", "constraints")
    found = closed.derived.get(key)
    if found is None:
        found = closed.derived[key] = _constraints(closed.jaxpr)
    return found  # type: ignore[no-any-return]


def _constraints(jaxpr: Jaxpr) -> list[Any]:
    found = []
    for eqn in jaxpr.eqns:
        sharding = eqn.params.get("sharding")
        if isinstance(sharding, Sharding):
            found.append(sharding)
        for inner in jaxprs_in(eqn.params):
            found += _constraints(inner)
    return found


class Lowering:
    """A staged call as a StableHLO module, and what running it takes.

    Attributes:
        text: the module.
        kept: for each argument, whether the module takes it.
        consts: arrays that come before the arguments.
    """

    def __init__(
        self, params: dict[str, Any], placement: Placement, platforms: Sequence[str] | None = None
    ) -> None:
        lowering_rules.load()
        closed: ClosedJaxpr = params["jaxpr"]
        jaxpr = closed.jaxpr
        self.placement = placement
        n = len(jaxpr.invars)
        self.kept = (True,) * n if params["keep_unused"] else used_inputs(jaxpr)
        donated = params["donated"] or (False,) * n
        pairs = list(zip(jaxpr.constvars, closed.consts, strict=True))
        hoisted = [(v, c) for v, c in pairs if _bytes(c) > _INLINE_BYTES]
        inline = [(v, c) for v, c in pairs if _bytes(c) <= _INLINE_BYTES]
        main = jaxpr.replace(
            constvars=[v for v, _ in inline],
            invars=[v for v, _ in hoisted]
            + [v for v, keep in zip(jaxpr.invars, self.kept, strict=True) if keep],
        )
        self.consts = [_constant(c, placement) for _, c in hoisted]
        self.const_shardings = [c._sharding for c in self.consts]
        self.arg_shardings = [
            s for s, keep in zip(placement.shardings, self.kept, strict=True) if keep
        ]
        donates = [False] * len(hoisted) + [
            d for d, keep in zip(donated, self.kept, strict=True) if keep
        ]
        self.out_shardings = params["out_shardings"] or (None,) * len(jaxpr.outvars)
        module = Module(f"jit_{params['name']}", platforms or (_platform(placement.devices[0]),))
        partitions = len(placement.devices)
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
        self.module = module

    def _argument_attributes(self, main: Jaxpr, donates: list[bool], parts: int) -> list[str]:
        shardings = [*self.const_shardings, *self.arg_shardings]
        aliases = _aliases(main, donates) if parts == 1 else {}
        result = []
        for i, (v, s, donate) in enumerate(zip(main.invars, shardings, donates, strict=True)):
            words = []
            if i in aliases:
                words.append(f"tf.aliasing_output = {aliases[i]} : i32")
            elif donate:
                words.append("jax.buffer_donor = true")
            if parts > 1:
                words.append(_sharding_attribute(s, v.aval))
            result.append(", ".join(words))
        return result

    def _result_attributes(self, closed: ClosedJaxpr, parts: int) -> list[str]:
        if parts == 1:
            return [""] * len(closed.out_avals)
        return [
            "" if s is None else _sharding_attribute(s, a)
            for s, a in zip(self.out_shardings, closed.out_avals, strict=True)
        ]


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


def _sharding_attribute(sharding: Sharding, aval: Any) -> str:
    return f'mhlo.sharding = "{sharding.hlo_text(physical(aval).ndim)}"'


def _platform(device: Any) -> str:
    name = device.platform
    if name != "gpu":
        return str(name)
    return "rocm" if "rocm" in device.client.platform_version.lower() else "cuda"


def _bytes(const: Any) -> int:
    aval = physical(typeof(const))
    return int(aval.size * aval.dtype.itemsize)


def _constant(const: Any, placement: Placement) -> Any:
    """An array that the program closes over, in place on its devices."""
    aval = typeof(const)
    where = (
        single_device(placement.devices[0])
        if len(placement.devices) == 1
        else from_hlo(placement.devices, None)
    )
    x = physical_value(const)
    if type(x) is Array:
        return x if x._sharding == where else shard_argument(x, where)
    held = physical(aval)
    value = np.asarray(x, held.dtype)
    if len(placement.devices) == 1:
        return put(value, held, placement.devices[0], committed=False)
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
        found = closed.derived[key] = compile_lowering(Lowering(params, placement), params)
    return found  # type: ignore[no-any-return]


def compile_lowering(
    lowering: Lowering, params: dict[str, Any], options: dict[str, Any] | None = None
) -> Executable:
    """Compile a lowered call."""
    closed: ClosedJaxpr = params["jaxpr"]
    placement = lowering.placement
    several = len(placement.devices) > 1
    began = time.perf_counter()
    loaded = compile_program(
        lowering.text,
        placement.devices,
        propagate_to_outputs=[s is None for s in lowering.out_shardings] if several else None,
        compiler_options={**dict(params["compiler_options"]), **(options or {})},
        host_callbacks=lowering.module.host_callbacks,
    )
    if config.log_compiles:
        seconds = time.perf_counter() - began
        types = ", ".join(a.str_short() for a in closed.in_avals)
        _log.warning("Compiled %s for (%s) in %.3f s", params["name"], types, seconds)
    out_avals = [physical(a) for a in closed.out_avals]
    if several:
        made = output_shardings(loaded, placement.devices, len(out_avals))
        outs = [m if s is None else s for m, s in zip(made, lowering.out_shardings, strict=True)]
    else:
        outs = [single_device(placement.devices[0])] * len(out_avals)
    return Executable(
        loaded,
        placement.devices,
        [*lowering.const_shardings, *lowering.arg_shardings],
        out_avals,
        outs,
        [placement.committed] * len(out_avals),
        kept=[True] * len(lowering.consts) + list(lowering.kept),
        consts=lowering.consts,
        name=params["name"],
    )


def has_keys(avals: Sequence[Any]) -> bool:
    """Whether any of the types is of an extended dtype."""
    return any(isinstance(a.dtype, dtypes.ExtendedDType) for a in avals)
