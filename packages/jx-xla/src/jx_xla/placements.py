"""Where a staged call runs: its devices, and how its arguments lie on them.

The call's options and the shardings named in its program decide, then the arguments that
have been placed (committed), then the default device. All must agree: nothing that a user
has placed is moved without being asked. Not here: compiling (`compiling`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jx_core import ClosedJaxpr
from jx_core.config import config
from jx_core.dispatch import argument_name
from jx_core.jaxpr import Jaxpr, jaxprs_in
from jx_core.memory import Space

from .keys import physical_value
from .lowering.types import physical
from .runtime import clients
from .runtime.arrays import Array
from .runtime.named_sharding import NamedSharding
from .runtime.shardings import Sharding, single_device

Devices = tuple[Any, ...]


class Placement(NamedTuple):
    """Where a program runs and how its arguments lie there.

    Attributes:
        devices: the devices, in the program's order.
        shardings: one for each argument, None where the compiler may choose it.
        committed: whether the caller chose the devices, so that results must stay there.
        whole: on one device, the sharding of results where the caller speaks of a mesh.
    """

    devices: Devices
    shardings: tuple[Sharding | None, ...]
    committed: bool
    whole: NamedSharding | None = None


def placement_of(operands: Sequence[Any], params: dict[str, Any]) -> Placement:
    """The placement that the arguments and the staged call's options ask for.

    Args:
        operands: arrays, or anything with a sharding that says where it shall lie.
        params: the staged call's.

    Raises:
        ValueError: they ask for different devices, or an argument lies otherwise than
            `in_shardings` says.
    """
    closed: ClosedJaxpr = params["jaxpr"]
    devices, source = _fixed_devices(closed, params)
    chosen = params["in_shardings"] or (None,) * len(operands)
    requests = [sharding_of(x) for x in operands]
    for i, (x, sharding, wanted) in enumerate(zip(operands, requests, chosen, strict=True)):
        if sharding is None or not is_committed(x):
            continue
        if wanted is not None and (wanted.num_devices > 1 or sharding.num_devices > 1):
            _check_as_chosen(closed, i, sharding, wanted, params["name"])
        elif wanted is None:
            what = argument_name(closed, i)
            devices, source = _agree(devices, source, sharding, what, params["name"])
    if devices is None:
        device = default_device()
        return Placement((device,), (single_device(device),) * len(operands), False)
    if len(devices) == 1:
        here = (single_device(devices[0]),) * len(operands)
        named = (*chosen, *requests, *(params["out_shardings"] or ()), *constraints(closed))
        return Placement(devices, here, True, _whole(named))
    shardings = tuple(
        wanted if wanted is not None else _own_sharding(sharding, devices)
        for sharding, wanted in zip(requests, chosen, strict=True)
    )
    return Placement(devices, shardings, True)


def _whole(shardings: Sequence[Any]) -> NamedSharding | None:
    """An array in one piece, on the first mesh that is spoken of."""
    for sharding in shardings:
        if type(sharding) is NamedSharding and sharding.num_devices == 1:
            return sharding.update(spec=())
    return None


def sharding_of(x: Any) -> Any:
    """The sharding of an array, or one that a stand-in for an array asks for, or None."""
    x = physical_value(x)
    return x._sharding if type(x) is Array else getattr(x, "sharding", None)


def is_committed(x: Any) -> bool:
    """Whether the value's place has been chosen, so that computations must stay there."""
    return bool(getattr(x, "committed", True))


def _own_sharding(sharding: Any, devices: Devices) -> Sharding | None:
    """An argument's sharding where it lies on the program's devices; None leaves it open."""
    if sharding is not None and sharding._device_assignment == devices:
        return sharding  # type: ignore[no-any-return]
    return None


def _fixed_devices(closed: ClosedJaxpr, params: dict[str, Any]) -> tuple[Devices | None, str]:
    """The devices that the call's options and program name, and what named them."""
    devices: Devices | None = None
    source, name = "", params["name"]
    for what in ("in_shardings", "out_shardings"):
        for sharding in params[what] or ():
            if sharding is not None:
                devices, source = _agree(devices, source, sharding, what, name)
    for sharding in constraints(closed):
        devices, source = _agree(devices, source, sharding, "a sharding inside of it", name)
    return devices, source


def _agree(
    devices: Devices | None, source: str, sharding: Any, what: str, name: str
) -> tuple[Devices, str]:
    theirs = sharding._device_assignment
    if devices is None:
        return theirs, what
    if devices != theirs:
        raise ValueError(
            f"Received incompatible devices for jitted computation {name}: {source} is on "
            f"{_ids(devices)}, and {what} is on {_ids(theirs)}. jx.device_put moves arrays, "
            f"and shardings used together need the same devices in the same order"
        )
    return devices, source


def _ids(devices: Sequence[Any]) -> str:
    return f"platform {devices[0].platform} devices {[d.id for d in devices]}"


def _check_as_chosen(
    closed: ClosedJaxpr, position: int, sharding: Any, wanted: Any, name: str
) -> None:
    aval = closed.in_avals[position]
    if sharding == wanted or sharding.is_equivalent_to(wanted, physical(aval).ndim):
        return
    raise ValueError(
        f"Sharding passed to jit does not match the sharding on the respective arg: "
        f"in_shardings of {name} has {wanted} for {argument_name(closed, position)} of type "
        f"{aval.str_short()}, which lies as {sharding}. Move it with jx.device_put, or leave "
        f"its entry of in_shardings None"
    )


def default_device() -> Any:
    """The device of computations whose operands don't say otherwise."""
    chosen = config.default_device
    if chosen is None:
        return clients.default_device()
    if isinstance(chosen, str):
        return clients.local_devices(backend=chosen)[0]
    return chosen


def constraints(closed: ClosedJaxpr) -> list[Any]:
    """The shardings that a program names in its equations."""
    key = ("xla", "constraints")
    found = closed.derived.get(key)
    if found is None:
        found = closed.derived[key] = _constraints(closed.jaxpr)
    return found


def _constraints(jaxpr: Jaxpr) -> list[Any]:
    """The shardings of constraints and of inner calls, and those that values are put on.

    A single device inside a program is no demand: the program moves values between the
    devices it runs on, and to no others.
    """
    found = []
    for eqn in jaxpr.eqns:
        params = eqn.params
        if not params:
            continue
        named = (
            params.get("sharding"),
            *(params.get("in_shardings") or ()),
            *(params.get("out_shardings") or ()),
        )
        found += [s for s in named if type(s) is NamedSharding or _is_spread(s)]
        found += filter(_is_spread, (params.get("device"),))
        for inner in jaxprs_in(params):
            found += _constraints(inner)
    return found


def _is_spread(value: Any) -> bool:
    return isinstance(value, Sharding) and value.num_devices > 1


def in_space(value: Any, space: Space) -> Sharding | None:
    """The sharding of a value's devices with their memory, or the host's; None for no choice.

    Values that are not on devices yet go to the default one.

    Raises:
        ValueError: the devices can't reach memory of that kind.
    """
    where = value._sharding if type(value) is Array else single_device(default_device())
    if space is Space.Any:
        return where if type(value) is Array else None
    device = where._device_assignment[0]
    kinds = [m.kind for m in device.addressable_memories()]
    kind = device.default_memory().kind if space is Space.Device else "pinned_host"
    if kind not in kinds:
        raise ValueError(
            f"device_put: {device} has no memory for {space!r}: its kinds of memory are {kinds}"
        )
    return where.with_memory_kind(kind)
