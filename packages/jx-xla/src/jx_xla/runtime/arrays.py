"""The array class of the XLA back end: its type, its place and its state.

`Array` is jaxlib's ``ArrayImpl``, which can't be subclassed: jx puts methods on
the class itself. Here are those that say what an array is and where it lies.
`array_values` adds those that read it on the host, `dlpack` the exchange with
other libraries, and the array's owner installs the rest (operators, indexing,
NumPy's methods) with `install`.

Of C++'s own an array has ``aval``, ``_sharding``, ``_committed``, ``delete()``,
``is_deleted()``, ``is_ready()``, ``block_until_ready()``, ``platform()``,
``unsafe_buffer_pointer()``, ``on_device_size_in_bytes()`` and the buffer
protocol on the CPU. ``aval`` is a `jx_core.aval.ShapedArray`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from jx_core.aval import ShapedArray
from jx_core.errors import DonatedArrayError

from . import lookups
from .library import furnish, xla
from .shardings import Device, Index, Shape, Sharding, replica_ids

__all__ = ["Array", "Shard", "check_alive", "install", "shards_of"]


def install(name: str, member: Any) -> None:
    """Set an attribute of the array class: a function, a property, a compiled callable."""
    setattr(Array, name, member)


def check_alive(array: Any) -> None:
    """Raise if the array's buffer has been given away or freed.

    Raises:
        DonatedArrayError: it has.
    """
    if array.is_deleted():
        aval = array.aval
        dims = ",".join(map(str, aval.shape))
        raise DonatedArrayError(
            f"Array has been deleted with shape={aval.dtype.name}[{dims}]. Its buffer was donated "
            f"to a jitted function (donate_argnums or donate_argnames) or freed with delete(). "
            f"Use that function's result from then on, or do not donate the array."
        )


def shards_of(array: Any) -> list[Any]:
    """The array's parts on this process's devices, each an array on one device."""
    check_alive(array)
    with lookups.answered():
        return array._arrays


class Shard:
    """One part of an array, on one device.

    Attributes:
        device: the device.
        index: where the part lies in the whole array, a tuple of slices.
        replica_id: how many devices before this one hold the same part.
        data: the part, an array; None where the device is another process's.

    >>> (shard,) = jnp.arange(3).addressable_shards
    >>> shard.index, shard.replica_id, shard.data
    ((slice(None, None, None),), 0, Array([0, 1, 2], dtype=int32))
    """

    __slots__ = ("_shape", "_sharding", "data", "device")

    def __init__(self, device: Device, sharding: Sharding, shape: Shape, data: Any) -> None:
        self.device = device
        self.data = data
        self._sharding = sharding
        self._shape = shape

    @property
    def index(self) -> Index:
        """Where the part lies in the whole array: a slice for each axis.

        >>> jnp.ones((2, 3)).addressable_shards[0].index
        (slice(None, None, None), slice(None, None, None))
        """
        return self._sharding.devices_indices_map(self._shape)[self.device]

    @property
    def replica_id(self) -> int:
        """How many devices before this one hold the same part.

        >>> jnp.ones(3).addressable_shards[0].replica_id
        0
        """
        return replica_ids(self._sharding, self._shape)[self.device]

    def __repr__(self) -> str:
        return (
            f"Shard(device={self.device!r}, index={self.index}, replica_id={self.replica_id}, "
            f"data={self.data})"
        )


def _from_c(path: str, doc: str, example: str, result: str) -> Any:
    """A property that follows a path of attributes without running Python code."""
    return property(attrgetter(path), doc=f"{doc}\n\n>>> {example}\n{result}\n")


@furnish(xla.ArrayImpl)
class Array:
    """An array on one or more devices. Immutable; made by `jx.numpy` and `device_put`.

    >>> type(jnp.ones(3)) is Array, isinstance(jnp.ones(3), jx.Array)
    (True, True)
    """

    if TYPE_CHECKING:  # from C++
        aval: ShapedArray
        _sharding: Sharding
        _committed: bool
        _arrays: list[Any]

        def __init__(
            self, aval: Any, sharding: Any, arrays: Any, committed: bool, _skip_checks: bool
        ) -> None: ...
        def delete(self) -> None: ...
        def is_deleted(self) -> bool: ...
        def is_ready(self) -> bool: ...
        def block_until_ready(self) -> Array: ...

    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    # The module that both of these import puts its own methods in their place.

    def __dlpack__(
        self,
        *,
        stream: int | Any | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        from . import dlpack  # noqa: F401

        return self.__dlpack__(
            stream=stream, max_version=max_version, dl_device=dl_device, copy=copy
        )

    def __dlpack_device__(self) -> tuple[Any, int]:
        from . import dlpack  # noqa: F401

        return self.__dlpack_device__()

    shape = _from_c("aval.shape", "The lengths of the axes.", "jnp.ones((2, 3)).shape", "(2, 3)")
    dtype = _from_c(
        "aval.dtype", "The type of the elements.", "jnp.ones(2).dtype.name", "'float32'"
    )
    ndim = _from_c("aval.ndim", "The number of axes.", "jnp.ones((2, 3)).ndim", "2")
    size = _from_c("aval.size", "The number of elements.", "jnp.ones((2, 3)).size", "6")
    itemsize = _from_c(
        "aval.dtype.itemsize", "The bytes of one element.", "jnp.ones(2).itemsize", "4"
    )
    weak_type = _from_c(
        "aval.weak_type", "Whether the dtype gives way in promotion.",
        "jnp.asarray(1.0).weak_type", "True",
    )  # fmt: skip
    sharding = _from_c(
        "_sharding", "How the array lies across devices.",
        "jnp.ones(2).sharding.num_devices", "1",
    )  # fmt: skip
    committed = _from_c(
        "_committed", "Whether computations must stay on its devices.",
        "jx.device_put(jnp.ones(2), jx.devices()[0]).committed", "True",
    )  # fmt: skip
    is_fully_replicated = _from_c(
        "_sharding.is_fully_replicated", "Whether each device holds the whole array.",
        "jnp.ones(2).is_fully_replicated", "True",
    )  # fmt: skip
    is_fully_addressable = _from_c(
        "_sharding.is_fully_addressable", "Whether all its devices belong to this process.",
        "jnp.ones(2).is_fully_addressable", "True",
    )  # fmt: skip

    @property
    def nbytes(self) -> int:
        """The bytes of all elements.

        >>> jnp.ones((2, 3)).nbytes
        24
        """
        return self.aval.size * self.aval.dtype.itemsize

    @property
    def device(self) -> Device | Sharding:
        """The device the array is on, or its sharding if it is on several.

        >>> jnp.ones(2).device == jx.devices()[0]
        True
        """
        check_alive(self)
        devices = self._sharding._device_assignment
        return devices[0] if len(devices) == 1 else self._sharding

    def devices(self) -> set[Device]:
        """The devices the array is on.

        >>> jnp.ones(2).devices() == {jx.devices()[0]}
        True
        """
        check_alive(self)
        return self._sharding.device_set

    @property
    def addressable_shards(self) -> list[Shard]:
        """The parts of the array on this process's devices.

        >>> [shard.data.tolist() for shard in jnp.ones(2).addressable_shards]
        [[1.0, 1.0]]
        """
        sharding, shape = self._sharding, self.aval.shape
        devices = sharding._addressable_device_assignment
        return [
            Shard(device, sharding, shape, part)
            for device, part in zip(devices, shards_of(self), strict=True)
        ]

    @property
    def global_shards(self) -> list[Shard]:
        """The parts of the array on all devices; those elsewhere have no data.

        >>> [shard.index for shard in jnp.ones(2).global_shards]
        [(slice(None, None, None),)]
        """
        here: Mapping[Device, Shard] = {shard.device: shard for shard in self.addressable_shards}
        sharding, shape = self._sharding, self.aval.shape
        return [
            here[device] if device in here else Shard(device, sharding, shape, None)
            for device in sharding._device_assignment
        ]

    def addressable_data(self, index: int) -> Any:
        """The part of the array on the ``index``-th of this process's devices.

        >>> jnp.ones(2).addressable_data(0).tolist()
        [1.0, 1.0]
        """
        return shards_of(self)[index]

    def copy_to_host_async(self) -> None:
        """Begin to copy the array to the host, so that reading it later waits less.

        >>> x = jnp.ones(2)
        >>> x.copy_to_host_async()
        >>> x.tolist()
        [1.0, 1.0]
        """
        if len(self._sharding._device_assignment) == 1:
            check_alive(self)
            parts: list[Any] = [self]
        else:
            parts = shards_of(self)
            parts = parts[:1] if self._sharding.is_fully_replicated else parts
        with lookups.answered():
            for part in parts:
                part._copy_single_device_array_to_host_async()

    def _check_if_deleted(self) -> None:
        check_alive(self)

    @staticmethod
    def _check_and_rearrange(*args: Any) -> Sequence[Any]:
        """Called by C++ with the shards, sharding and type of an array to be assembled."""
        parts, sharding, aval = args[-3:]
        return arrange_shards(parts, sharding, aval)


__test__ = {"Array": Array}  # jaxlib's class by name, which tests of examples would leave out


def arrange_shards(parts: Sequence[Any], sharding: Sharding, aval: Any) -> list[Any]:
    """Single-device arrays in the order of the sharding's devices.

    Raises:
        ValueError: they are too many or too few, on other devices than the sharding's, or
            of another shape or dtype than it gives them.
    """
    wanted = sharding._addressable_device_assignment
    by_device = {_only_device(part): part for part in parts}
    if len(parts) != len(wanted) or by_device.keys() != set(wanted):
        raise ValueError(
            f"expected one array for each of the {len(wanted)} devices of this process in the "
            f"sharding, {list(wanted)}; got {len(parts)} arrays on devices {list(by_device)}"
        )
    shape = sharding.shard_shape(aval.shape)
    for part in parts:
        if part.aval.shape != shape or part.aval.dtype != aval.dtype:
            raise ValueError(
                f"expected parts of shape {shape} and dtype {aval.dtype.name} of an array of "
                f"shape {aval.shape} under {sharding}; got one of shape {part.aval.shape} and "
                f"dtype {part.aval.dtype.name}"
            )
    return [by_device[device] for device in wanted]


def _only_device(array: Any) -> Device:
    devices = array._sharding._device_assignment
    if len(devices) != 1:
        raise ValueError(
            f"each part of a sharded array must be on one device; got one on {len(devices)}, "
            f"of shape {array.aval.shape}"
        )
    return devices[0]


@functools.lru_cache(maxsize=4096)
def distinct_parts(sharding: Sharding, shape: Shape) -> tuple[tuple[int, Index], ...]:
    """Positions and indices of this process's parts, one for each index."""
    parts: dict[Any, tuple[int, Index]] = {}
    here = sharding.addressable_devices_indices_map(shape).values()
    for position, index in enumerate(here):
        key = tuple((part.start, part.stop) for part in index)
        parts.setdefault(key, (position, index))
    return tuple(parts.values())
