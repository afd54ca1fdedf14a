"""Putting values on devices: from the host, from other devices, from parts.

Each function takes the abstract value its result shall have; what dtype a value
becomes is its caller's decision. A *committed* array keeps computations on its
devices, an uncommitted one follows the other operands.

Not here: reading (`array_values`), and moves that need a compiled program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core.aval import ShapedArray, typeof

from . import lookups
from .array_values import host_value
from .arrays import Array, arrange_shards, check_alive
from .library import xla
from .shardings import Device, Index, Shape, Sharding, SingleDeviceSharding, single_device

__all__ = [
    "assemble",
    "copy",
    "make_array_from_callback",
    "make_array_from_single_device_arrays",
    "put",
    "put_sharded",
    "shard_argument",
    "transfer",
]

_device_put = xla.batched_device_put
_SHARE = xla.HostBufferSemantics.ZERO_COPY
_COPY = xla.HostBufferSemantics.IMMUTABLE_ONLY_DURING_CALL
# The dtype is the abstract value's: jaxlib shall not apply `enable_x64` once more.
_AS_IT_IS = True
_ALWAYS = xla.ArrayCopySemantics.ALWAYS_COPY
_REUSE = xla.ArrayCopySemantics.REUSE_INPUT


def put(
    value: Any,
    aval: ShapedArray,
    device: Device | SingleDeviceSharding,
    *,
    committed: bool = True,
    share: bool = False,
) -> Any:
    """An array on one device.

    Args:
        value: an ndarray of the shape and dtype of ``aval``, or a scalar that has them
            after conversion.
        aval: the type of the result.
        device: a device, or a `SingleDeviceSharding` to name a kind of memory.
        committed: whether computations with the array must stay on the device.
        share: let the array use the ndarray's memory on the CPU. The ndarray must then
            never change again.

    Some 3 us for a small array.
    """
    if type(device) is SingleDeviceSharding:
        sharding, device = device, device._device
    else:
        sharding = single_device(device)
    if type(value) is not np.ndarray:
        value = np.asarray(value, aval.dtype)
    return _device_put(
        aval, sharding, [value], [device], committed, False, _SHARE if share else _COPY, _AS_IT_IS
    )


def put_sharded(
    value: np.ndarray,
    aval: ShapedArray,
    sharding: Sharding,
    *,
    committed: bool = True,
    share: bool = False,
) -> Any:
    """An array that lies across devices as ``sharding`` says; see `put`.

    Raises:
        IndivisibleError: an axis can't be cut evenly.
        ValueError: the sharding is for arrays of another rank.
    """
    if type(sharding) is SingleDeviceSharding:
        return put(value, aval, sharding, committed=committed, share=share)
    sharding.check_compatible_aval(aval.shape)
    value = np.asarray(value)
    if not share:
        # For several devices jaxlib only takes memory that stays as it is.
        value = np.array(value)
    places = sharding.addressable_devices_indices_map(aval.shape)
    return _put_parts(
        aval, sharding, [value[index] for index in places.values()], list(places), committed
    )


def _put_parts(
    aval: ShapedArray, sharding: Sharding, parts: list[Any], devices: list[Device], committed: bool
) -> Any:
    """An array out of parts in memory that never changes again, one for each device."""
    return _device_put(aval, sharding, parts, devices, committed, False, _SHARE, _AS_IT_IS)


def copy(array: Any) -> Any:
    """A copy with buffers of its own on the same devices."""
    check_alive(array)
    return _copy_to(array, array._sharding, _ALWAYS)


def _copy_to(array: Any, sharding: Sharding, semantics: Any) -> Any:
    here = sharding._internal_device_list.addressable_device_list
    return xla.batched_copy_array_to_devices_with_sharding(
        [array], [here], [sharding], [semantics]
    )[0]


def transfer(
    array: Any,
    sharding: Sharding,
    *,
    committed: bool = True,
    donate: bool = False,
    may_alias: bool = True,
) -> Any:
    """The array laid out as another sharding says.

    Args:
        array: an array of this process.
        sharding: where its copy shall lie.
        committed: whether computations with the result must stay there.
        donate: free the array's buffers as soon as they have been copied.
        may_alias: let the result share buffers with the array where it is there already.

    Parts that are cut differently go through the host.

    Raises:
        DonatedArrayError: the array was donated or freed.
        IndivisibleError, ValueError: the sharding does not fit the array's shape.
    """
    check_alive(array)
    aval, source = array.aval, array._sharding
    if source is sharding and committed == array._committed and may_alias and not donate:
        return array
    sharding.check_compatible_aval(aval.shape)
    if _cut_alike(source, sharding, aval.ndim):
        # jaxlib's own DONATE_INPUT leaves an array that crashes whoever looks at it.
        moved = _copy_to(array, sharding, _REUSE if may_alias and not donate else _ALWAYS)
    elif source.num_devices == 1 and sharding.is_fully_replicated:
        devices = list(sharding._addressable_device_assignment)
        part = array if may_alias and not donate else copy(array)
        moved = _put_parts(aval, sharding, [part] * len(devices), devices, committed)
    else:
        moved = put_sharded(host_value(array), aval, sharding, committed=committed)
    if donate:
        array.delete()
    return moved if moved._committed == committed else _with_committed(moved, committed)


def _cut_alike(source: Sharding, target: Sharding, ndim: int) -> bool:
    from .hlo_shardings import are_equal

    return source.num_devices == target.num_devices and are_equal(
        source._to_xla_hlo_sharding(ndim), target._to_xla_hlo_sharding(ndim)
    )


def _with_committed(array: Any, committed: bool) -> Any:
    with lookups.answered():
        return Array(array.aval, array._sharding, array._arrays, committed, True)


def assemble(
    aval: ShapedArray, sharding: Sharding, parts: Sequence[Any], *, committed: bool = True
) -> Any:
    """The array made of single-device arrays, one for each device of this process.

    Raises:
        ValueError: the parts do not fit the sharding.
    """
    return Array(aval, sharding, arrange_shards(parts, sharding, aval), committed, True)


def make_array_from_single_device_arrays(
    shape: Shape, sharding: Sharding, arrays: Sequence[Any], *, dtype: Any = None
) -> Any:
    """The array made of single-device arrays, one for each device of this process.

    Args:
        shape: the shape of the whole.
        sharding: how the parts make it up.
        arrays: the parts, in any order.
        dtype: needed where this process has no part.

    Raises:
        TypeError: ``arrays`` is no sequence of arrays.
        ValueError: the parts do not fit the sharding.
    """
    if not isinstance(arrays, Sequence) or not all(isinstance(a, Array) for a in arrays):
        raise TypeError(
            "make_array_from_single_device_arrays takes a list of arrays; got "
            + (
                type(arrays).__name__
                if not isinstance(arrays, Sequence)
                else f"a list of {sorted({type(a).__name__ for a in arrays})}"
            )
        )
    if dtype is None:
        if not arrays:
            raise ValueError("dtype is needed where no device of the sharding is this process's")
        dtype = arrays[0].dtype
    return assemble(ShapedArray(tuple(shape), dtype), sharding, arrays)


def make_array_from_callback(
    shape: Shape,
    sharding: Sharding,
    data_callback: Callable[[Index], Any],
    dtype: Any = None,
) -> Any:
    """The array whose part at ``index`` is ``data_callback(index)``.

    Args:
        shape: the shape of the whole.
        sharding: where the parts lie.
        data_callback: takes a tuple of slices, returns anything NumPy takes for an array.
        dtype: the element type; by default the first part's.

    Raises:
        ValueError: a part has the wrong shape.
    """
    shape = tuple(shape)
    places = sharding.addressable_devices_indices_map(shape)
    made: dict[Any, np.ndarray] = {}
    parts = []
    for index in places.values():
        key = tuple((s.start, s.stop) for s in index)
        if key not in made:
            part = data_callback(index)
            part = host_value(part) if isinstance(part, Array) else np.asarray(part)
            dtype = typeof(part).dtype if dtype is None else dtype
            made[key] = part.astype(dtype)
        parts.append(made[key])
    if dtype is None:
        raise ValueError("dtype is needed where no device of the sharding is this process's")
    wanted = sharding.shard_shape(shape)
    for part in parts:
        if part.shape != wanted:
            raise ValueError(
                f"data_callback must return arrays of shape {wanted}, the part that each device "
                f"holds of an array of shape {shape}; got shape {part.shape}"
            )
    aval = ShapedArray(shape, dtype)
    return _put_parts(aval, sharding, parts, list(places), True)


def shard_argument(value: Any, sharding: Sharding, layout: Any = None) -> Any:
    """An argument of a compiled program where the program wants it.

    The dispatcher calls this for arguments that it can't place itself.
    """
    if isinstance(value, Array):
        return transfer(value, sharding)
    aval = typeof(value)
    return put_sharded(np.asarray(value, aval.dtype), aval, sharding)
