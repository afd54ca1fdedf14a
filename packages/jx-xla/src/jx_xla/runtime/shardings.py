"""Shardings: which device holds which part of an array.

`Sharding`, `SingleDeviceSharding` and `GSPMDSharding` are jaxlib's own classes,
given their Python half here: its dispatcher recognises them by identity and
compares them in C++. What every sharding can tell is on `Sharding`; a subclass
says how it maps to the compiler's `HloSharding` and which devices it spans.

Not here: shardings by mesh and axis names (`named_sharding`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from jx_core.jaxpr.notation import define_notation

from . import hlo_shardings, lookups
from .hlo_shardings import REPLICATED, IndivisibleError
from .library import furnish, xla

__all__ = [
    "DeviceList",
    "GSPMDSharding",
    "IndivisibleError",
    "Sharding",
    "SingleDeviceSharding",
    "device_list",
    "replica_ids",
    "single_device",
]

Device = Any
Index = tuple[slice, ...]
Shape = tuple[int, ...]

DeviceList = xla.DeviceList


@functools.lru_cache(maxsize=4096)
def _device_list(devices: tuple[Device, ...]) -> Any:
    return DeviceList(devices)


def device_list(devices: Iterable[Device]) -> Any:
    """The `DeviceList` of some devices: equal sequences give one object."""
    return _device_list(tuple(devices))


@functools.lru_cache(maxsize=4096)
def _indices_map(sharding: Sharding, shape: Shape) -> dict[Device, Index]:
    devices = sharding._device_assignment
    sharding.shard_shape(shape)
    parts = hlo_shardings.tile_indices(
        sharding._to_xla_hlo_sharding(len(shape)), shape, len(devices)
    )
    return dict(zip(devices, parts, strict=True))


@functools.lru_cache(maxsize=4096)
def _addressable_indices_map(sharding: Sharding, shape: Shape) -> dict[Device, Index]:
    everywhere = _indices_map(sharding, shape)
    if sharding.is_fully_addressable:
        return everywhere
    here = sharding._internal_device_list.addressable_device_list
    return {device: everywhere[device] for device in here}


def _hashable(index: Index) -> tuple[tuple[Any, Any], ...]:
    return tuple([(part.start, part.stop) for part in index])


@functools.lru_cache(maxsize=4096)
def replica_ids(sharding: Sharding, shape: Shape) -> Mapping[Device, int]:
    """For each device, how many devices before it hold the same part of the array."""
    seen: dict[Any, int] = {}
    ids = {}
    for device, index in _indices_map(sharding, shape).items():
        key = _hashable(index)
        ids[device] = seen.get(key, 0)
        seen[key] = ids[device] + 1
    return ids


@furnish(xla.Sharding)
class Sharding:
    """How an array lies across devices.

    >>> x = jnp.ones((4, 2))
    >>> isinstance(x.sharding, jx.sharding.Sharding), x.sharding.shard_shape(x.shape)
    (True, (4, 2))
    """

    if TYPE_CHECKING:
        _internal_device_list: Any
        _memory_kind: str | None

    def _to_xla_hlo_sharding(self, ndim: int) -> Any:
        """The compiler's view of this sharding for arrays of rank ``ndim``."""
        raise TypeError(f"{type(self).__name__} does not say how it splits arrays")

    @property
    def _device_assignment(self) -> tuple[Device, ...]:
        """The devices in the order in which compiled programs number them."""
        return tuple(self._internal_device_list)

    @property
    def _addressable_device_assignment(self) -> tuple[Device, ...]:
        if self.is_fully_addressable:
            return self._device_assignment
        return tuple(self._internal_device_list.addressable_device_list)

    @property
    def _is_concrete(self) -> bool:
        """Whether devices are known; a sharding on an abstract mesh has none."""
        return True

    @property
    def memory_kind(self) -> str | None:
        """The kind of the devices' memory that holds the array: "device", "pinned_host", ...

        >>> kinds = [m.kind for m in jx.devices()[0].addressable_memories()]
        >>> jnp.ones(3).sharding.with_memory_kind(kinds[0]).memory_kind == kinds[0]
        True
        """
        return self._memory_kind

    @property
    def num_devices(self) -> int:
        """The number of devices the array lies on.

        >>> jnp.ones(3).sharding.num_devices
        1
        """
        return len(self._internal_device_list)

    @property
    def device_set(self) -> set[Device]:
        """The devices the array lies on, those of other processes included.

        >>> mesh = jx.make_mesh((1,), ("data",))
        >>> jx.NamedSharding(mesh, jx.P("data")).device_set == {jx.devices()[0]}
        True
        """
        return set(self._device_assignment)

    @property
    def addressable_devices(self) -> set[Device]:
        """Those of the devices that belong to this process.

        >>> where = jnp.ones(3).sharding
        >>> where.addressable_devices == where.device_set  # all are of this process
        True
        """
        return set(self._addressable_device_assignment)

    @property
    def has_addressable_devices(self) -> bool:
        """Whether any of the devices belongs to this process.

        >>> jnp.ones(3).sharding.has_addressable_devices
        True
        """
        return len(self._internal_device_list.addressable_device_list) > 0

    @property
    def is_fully_addressable(self) -> bool:
        """Whether all devices belong to this process.

        >>> jnp.ones(3).sharding.is_fully_addressable
        True
        """
        return self._internal_device_list.is_fully_addressable

    @property
    def is_fully_replicated(self) -> bool:
        """Whether each device holds the whole array.

        >>> mesh = jx.make_mesh((1,), ("data",))
        >>> jx.NamedSharding(mesh, jx.P()).is_fully_replicated
        True
        """
        raise TypeError(f"{type(self).__name__} does not say how it splits arrays")

    def devices_indices_map(self, global_shape: Shape) -> Mapping[Device, Index]:
        """The index of the part that each device holds.

        Raises:
            IndivisibleError: an axis can't be cut evenly.

        >>> mesh = jx.make_mesh((1,), ("data",))
        >>> (index,) = jx.NamedSharding(mesh, jx.P("data")).devices_indices_map((4, 2)).values()
        >>> index
        (slice(None, None, None), slice(None, None, None))
        """
        return _indices_map(self, tuple(global_shape))

    def addressable_devices_indices_map(self, global_shape: Shape) -> Mapping[Device, Index]:
        """`devices_indices_map` for the devices of this process only.

        >>> where = jnp.ones(3).sharding
        >>> where.addressable_devices_indices_map((3,)) == where.devices_indices_map((3,))
        True
        """
        return _addressable_indices_map(self, tuple(global_shape))

    def shard_shape(self, global_shape: Shape) -> Shape:
        """The shape of the part that one device holds.

        Raises:
            IndivisibleError: an axis can't be cut evenly.

        >>> n = jx.device_count()
        >>> where = jx.NamedSharding(jx.make_mesh((n,), ("data",)), jx.P("data"))
        >>> where.shard_shape((3 * n, 5))
        (3, 5)
        """
        shape = tuple(global_shape)
        return hlo_shardings.shard_shape(
            self._to_xla_hlo_sharding(len(shape)), shape, described_as=repr(self)
        )

    def is_equivalent_to(self, other: Sharding, ndim: int) -> bool:
        """Whether both put the same parts of an array of rank ``ndim`` on the same devices.

        >>> mesh = jx.make_mesh((1, 1), ("x", "y"))
        >>> one, other = jx.NamedSharding(mesh, jx.P("x")), jx.NamedSharding(mesh, jx.P(None, "y"))
        >>> one == other, one.is_equivalent_to(other, ndim=2)  # axes of one device split nothing
        (False, True)
        """
        return (
            self.memory_kind == other.memory_kind
            and self._internal_device_list == other._internal_device_list
            and hlo_shardings.are_equal(
                self._to_xla_hlo_sharding(ndim), other._to_xla_hlo_sharding(ndim)
            )
        )

    def hlo_text(self, ndim: int) -> str:
        """The value of an ``mhlo.sharding`` attribute: ``{devices=[4,1]<=[4]}``.

        >>> mesh = jx.make_mesh((1,), ("data",))
        >>> jx.NamedSharding(mesh, jx.P()).hlo_text(ndim=2)
        '{replicated}'
        """
        return str(self._to_xla_hlo_sharding(ndim))

    def check_compatible_aval(self, shape: Shape) -> None:
        """Raise ValueError if an array of this shape can't be laid out like this.

        >>> where = jx.NamedSharding(jx.make_mesh((1,), ("data",)), jx.P(None, "data"))
        >>> where.check_compatible_aval((4, 2))
        >>> where.check_compatible_aval((4,))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: ... is for arrays of rank 2 and more, and was applied to one of rank 1.
        """

    @property
    def unconstrained_dims(self) -> frozenset[int]:
        """The dimensions whose split is left to the compiler.

        >>> mesh = jx.make_mesh((1,), ("data",))
        >>> jx.NamedSharding(mesh, jx.P("data", jx.P.UNCONSTRAINED)).unconstrained_dims
        frozenset({1})
        """
        return frozenset()

    def insert_axis(self, position: int, name: Any = None) -> Sharding:
        """The sharding of a batch of arrays that each lie like this.

        Args:
            position: which axis of the batch is the new one.
            name: the mesh axis that the new axis is split over, a tuple for several, or
                None for none.

        Raises:
            ValueError: ``name`` is given and this sharding has no named axes.

        >>> rows = jx.NamedSharding(jx.make_mesh((1, 1), ("data", "model")), jx.P("model"))
        >>> rows.insert_axis(0, "data").spec
        P('data', 'model')
        """
        if name is not None:
            raise ValueError(
                f"spmd_axis_name={name!r} needs shardings with a mesh (NamedSharding); got {self!r}"
            )
        return self

    def with_memory_kind(self, kind: str) -> Sharding:
        """The same sharding in another kind of memory.

        >>> where = jnp.ones(3).sharding
        >>> kind = jx.devices()[0].default_memory().kind
        >>> where.with_memory_kind(kind).memory_kind == kind
        True
        """
        raise TypeError(f"{type(self).__name__} can't change its memory kind")


@furnish(xla.SingleDeviceSharding)
class SingleDeviceSharding(Sharding):
    """The whole array on one device.

    ``SingleDeviceSharding(device, memory_kind=None)``

    >>> where = jx.sharding.SingleDeviceSharding(jx.devices()[0])
    >>> jx.device_put(np.arange(3), where).sharding == where
    True
    """

    if TYPE_CHECKING:
        _device: Device

        def __init__(self, device: Device, *, memory_kind: str | None = None) -> None: ...

    def __reduce__(self) -> Any:
        return single_device, (self._device, self._memory_kind)

    def __repr__(self) -> str:
        memory = "" if self._memory_kind is None else f", memory_kind={self._memory_kind}"
        return f"SingleDeviceSharding(device={self._device!r}{memory})"

    def __hash__(self) -> int:
        return hash((self._device, self._memory_kind))

    def __eq__(self, other: object) -> bool:
        return self is other or (
            type(other) is SingleDeviceSharding
            and self._device == other._device
            and self._memory_kind == other._memory_kind
        )

    def _to_xla_hlo_sharding(self, ndim: int) -> Any:
        return REPLICATED

    @property
    def _device_assignment(self) -> tuple[Device, ...]:
        return (self._device,)

    @property
    def num_devices(self) -> int:
        """One.

        >>> jx.sharding.SingleDeviceSharding(jx.devices()[0]).num_devices
        1
        """
        return 1

    @property
    def device_set(self) -> set[Device]:
        """The set of the one device.

        >>> jx.sharding.SingleDeviceSharding(jx.devices()[-1]).device_set == {jx.devices()[-1]}
        True
        """
        return {self._device}

    @property
    def is_fully_addressable(self) -> bool:
        """Whether the device belongs to this process.

        >>> jx.sharding.SingleDeviceSharding(jx.local_devices()[0]).is_fully_addressable
        True
        """
        device = self._device
        return device.process_index == device.client.process_index()

    @property
    def is_fully_replicated(self) -> bool:
        """True: the one device holds the whole array.

        >>> jx.sharding.SingleDeviceSharding(jx.devices()[0]).is_fully_replicated
        True
        """
        return True

    def devices_indices_map(self, global_shape: Shape) -> Mapping[Device, Index]:
        """The device, with the index of the whole array.

        >>> where = jx.sharding.SingleDeviceSharding(jx.devices()[0])
        >>> list(where.devices_indices_map((4, 2)).values())
        [(slice(None, None, None), slice(None, None, None))]
        """
        return {self._device: (slice(None),) * len(global_shape)}

    def shard_shape(self, global_shape: Shape) -> Shape:
        """The shape of the whole array.

        >>> jx.sharding.SingleDeviceSharding(jx.devices()[0]).shard_shape((4, 2))
        (4, 2)
        """
        return tuple(global_shape)

    def with_memory_kind(self, kind: str) -> SingleDeviceSharding:
        """The same device's memory of another kind.

        >>> device = jx.devices()[0]
        >>> kind = device.default_memory().kind
        >>> jx.sharding.SingleDeviceSharding(device).with_memory_kind(kind).memory_kind == kind
        True
        """
        return single_device(self._device, kind)


@functools.lru_cache(maxsize=4096)
def single_device(device: Device, memory_kind: str | None = None) -> SingleDeviceSharding:
    """The `SingleDeviceSharding` of a device: one object for each device and memory kind."""
    return SingleDeviceSharding(device, memory_kind=memory_kind)


@furnish(xla.GSPMDSharding)
class GSPMDSharding(Sharding):
    """A sharding as the compiler describes it, over a list of devices.

    ``GSPMDSharding(devices, hlo_sharding, memory_kind=None)``; compiled programs whose
    results' shardings nobody named report them as these.
    """

    if TYPE_CHECKING:
        _hlo_sharding: Any

        def __init__(
            self, devices: Any, op_sharding: Any, *, memory_kind: str | None = None
        ) -> None: ...

    def __reduce__(self) -> Any:
        return _make_gspmd, (
            self._device_assignment,
            self._hlo_sharding.to_proto().SerializeToString(),
            self._memory_kind,
        )

    def __repr__(self) -> str:
        memory = "" if self._memory_kind is None else f", memory_kind={self._memory_kind}"
        return f"GSPMDSharding({self._hlo_sharding!r}{memory})"

    def __hash__(self) -> int:
        split = REPLICATED if self.is_fully_replicated else self._hlo_sharding
        return hash((self._internal_device_list, split, self._memory_kind))

    def __eq__(self, other: object) -> bool:
        return self is other or (
            type(other) is GSPMDSharding
            and self._memory_kind == other._memory_kind
            and self._internal_device_list == other._internal_device_list
            and hlo_shardings.are_equal(self._hlo_sharding, other._hlo_sharding)
        )

    def _to_xla_hlo_sharding(self, ndim: int) -> Any:
        return self._hlo_sharding

    @property
    def is_fully_replicated(self) -> bool:
        return hlo_shardings.is_replicated(self._hlo_sharding)

    def check_compatible_aval(self, shape: Shape) -> None:
        counts, _ = hlo_shardings.partition_counts(self._hlo_sharding)
        if counts and len(counts) != len(shape):
            raise ValueError(
                f"{self!r} is for arrays of rank {len(counts)}, and was applied to one of "
                f"shape {tuple(shape)}"
            )

    def insert_axis(self, position: int, name: Any = None) -> Sharding:
        Sharding.insert_axis(self, position, name)
        if self.is_fully_replicated:
            return self
        split = hlo_shardings.with_whole_axis(self._hlo_sharding, position)
        return GSPMDSharding(self._internal_device_list, split, memory_kind=self._memory_kind)

    def with_memory_kind(self, kind: str) -> GSPMDSharding:
        return GSPMDSharding(self._internal_device_list, self._hlo_sharding, memory_kind=kind)


def _make_gspmd(devices: Any, proto: bytes, memory_kind: str | None) -> GSPMDSharding:
    description = hlo_shardings.OpSharding()
    description.ParseFromString(proto)
    split = hlo_shardings.from_proto(description)
    return GSPMDSharding(device_list(devices), split, memory_kind=memory_kind)


def from_hlo(devices: Any, split: Any, memory_kind: str | None = None) -> Sharding:
    """The sharding that a compiled program reports for one of its results.

    Args:
        devices: the program's devices, in their order.
        split: an `HloSharding` or `OpSharding`, or None where the program is not split.
        memory_kind: where the result lies.
    """
    if len(devices) == 1:
        return single_device(devices[0], memory_kind)
    if split is None:
        split = REPLICATED
    elif isinstance(split, hlo_shardings.OpSharding):
        split = hlo_shardings.from_proto(split)
    return GSPMDSharding(device_list(devices), split, memory_kind=memory_kind)


lookups.provide(
    "jax._src.sharding_impls",
    "make_single_device_sharding",
    lambda device, memory_kind=None: single_device(device, memory_kind),
)


# How programs that hold them are printed.
define_notation(
    SingleDeviceSharding,
    lambda s: {"device": s._device, "memory_kind": s._memory_kind},
    single_device,
)
define_notation(
    GSPMDSharding,
    lambda s: dict(zip(("devices", "proto", "memory_kind"), s.__reduce__()[1], strict=True)),
    _make_gspmd,
)
