"""Exchange of arrays with other libraries, without copies: the DLPack protocol.

On the CPU and on GPUs, an array's memory can be lent to PyTorch, CuPy, NumPy
and others, and theirs to jx. Arrays are immutable and the borrower is trusted
to keep them so; jaxlib 0.12 can tell it (DLPack 1.0), earlier ones can't.
"""

from __future__ import annotations

import enum
from typing import Any

from jx_core import dtypes
from jx_core.aval import ShapedArray

from . import clients
from .arrays import check_alive, install
from .library import JAXLIB_VERSION, xla
from .placement import copy as copy_array
from .placement import transfer
from .shardings import Device, Sharding, single_device

__all__ = ["DLDeviceType", "from_dlpack"]


class DLDeviceType(enum.IntEnum):
    """DLPack's numbers for kinds of devices."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLROCM = 10


_PLATFORMS = {
    DLDeviceType.kDLCPU: "cpu",
    DLDeviceType.kDLCUDA: "cuda",
    DLDeviceType.kDLCUDAHost: "cuda",
    DLDeviceType.kDLROCM: "rocm",
}


def _only_device(array: Any) -> Device:
    check_alive(array)
    devices = array._sharding._device_assignment
    if len(devices) != 1:
        raise BufferError(
            f"only an array on one device can be lent with DLPack; this one, of shape "
            f"{array.aval.shape}, is on {len(devices)}. Lend its .addressable_shards."
        )
    return devices[0]


def _dlpack_device(self: Any) -> tuple[enum.Enum, int]:
    """DLPack's protocol: the kind and number of the device the array is on."""
    device = _only_device(self)
    platform = device.client.platform
    if platform == "cpu":
        return DLDeviceType.kDLCPU, 0
    if platform == "gpu":
        if "rocm" in device.client.platform_version:
            kind = DLDeviceType.kDLROCM
        elif self._sharding.memory_kind == "pinned_host":
            kind = DLDeviceType.kDLCUDAHost
        else:
            kind = DLDeviceType.kDLCUDA
        return kind, device.local_hardware_id
    raise BufferError(f"DLPack is for the CPU and GPUs; this array is on platform {platform!r}")


def _device_of(kind: int, number: int) -> Device:
    try:
        platform = _PLATFORMS[DLDeviceType(kind)]
    except ValueError:
        raise BufferError(
            f"DLPack device type {kind} is none that jx knows: {list(_PLATFORMS)}"
        ) from None
    return clients.client(platform).device_from_local_hardware_id(number)


def _dlpack(
    self: Any,
    *,
    stream: int | Any | None = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """DLPack's protocol: a capsule that lends the array's memory.

    Raises:
        BufferError: the array is on several devices, or can't be lent where it is asked for
            without the copy that ``copy=False`` forbids.
        DonatedArrayError: the array was donated or freed.
    """
    array, device = self, _only_device(self)
    wanted = device if dl_device is None else _device_of(*dl_device)
    if wanted != device:
        if copy is False:
            raise BufferError(
                f"the array is on {device} and was asked for on {wanted}, which takes a copy, "
                f"and copy=False forbids it"
            )
        array = transfer(array, single_device(wanted))
    elif copy:
        array = copy_array(array)
    if JAXLIB_VERSION >= (0, 12):
        return xla.buffer_to_dlpack_managed_tensor(
            array, stream=stream, max_version=max_version, copied=array is not self
        )
    return xla.buffer_to_dlpack_managed_tensor(array, stream=stream)


def _stream(device: Device, kind: int) -> int | None:
    """The stream on which the lender shall have its data ready."""
    if kind in (DLDeviceType.kDLCPU, DLDeviceType.kDLCUDAHost):
        return None
    try:
        return device.get_stream_for_external_ready_events()
    except xla.JaxRuntimeError as error:
        if "UNIMPLEMENTED" in str(error):
            return None
        raise


def from_dlpack(
    external_array: Any,
    /,
    *,
    device: Device | Sharding | None = None,
    copy: bool | None = None,
) -> Any:
    """An array that shares memory with another library's.

    Args:
        external_array: has ``__dlpack__`` and ``__dlpack_device__``. Must not change while
            the result is in use.
        device: where the result shall be, a device or a sharding on one; by default where
            the data is.
        copy: True always copies, False never does, None does where it must.

    64-bit dtypes become 32-bit unless ``enable_x64`` is on.

    Raises:
        TypeError: the argument does not speak DLPack.
        ValueError: a copy is needed and ``copy=False``; or the sharding has many devices.

    >>> import numpy as np
    >>> from_dlpack(np.arange(3, dtype=np.float32))
    Array([0., 1., 2.], dtype=float32)
    """
    if not hasattr(external_array, "__dlpack__") or not hasattr(
        external_array, "__dlpack_device__"
    ):
        raise TypeError(
            f"from_dlpack takes an array with __dlpack__ and __dlpack_device__; got "
            f"{type(external_array).__name__}"
        )
    if isinstance(device, Sharding):
        if device.num_devices != 1:
            raise ValueError(
                f"from_dlpack places an array on one device; the sharding has {device.num_devices}"
            )
        device = device._device_assignment[0]
    kind, number = external_array.__dlpack_device__()
    source = _device_of(int(kind), number)
    if device is not None and device != source and copy is False:
        raise ValueError(
            f"device={device} takes a copy, since the data is on {source}, and copy=False "
            f"forbids it"
        )
    stream = _stream(source, int(kind))
    capsule = external_array.__dlpack__(stream=stream)
    try:
        array = xla.dlpack_managed_tensor_to_buffer(capsule, source, stream, copy, int(kind))
    except xla.JaxRuntimeError as error:
        if "is not aligned to" not in str(error):
            raise
        raise ValueError(
            f"the data needs a copy, which copy=False forbids: {error}. Use copy=None."
        ) from error
    array = _canonical(array, copy)
    if device is not None and device != source:
        return transfer(array, single_device(device))
    return array


def _canonical(array: Any, copy: bool | None) -> Any:
    """The array with a dtype that the option ``enable_x64`` allows."""
    from .array_values import host_value
    from .placement import put

    dtype = dtypes.canonicalize_dtype(array.dtype)
    if dtype == array.dtype:
        return array
    if copy is False:
        raise ValueError(
            f"the data has dtype {array.dtype.name}, which becomes {dtype.name} unless enable_x64 "
            f"is on; that takes a copy, and copy=False forbids it"
        )
    value = host_value(array).astype(dtype)
    return put(value, ShapedArray(value.shape, dtype), _only_device(array), committed=False)


install("__dlpack__", _dlpack)
install("__dlpack_device__", _dlpack_device)
