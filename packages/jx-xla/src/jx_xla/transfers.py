"""Arrays to and from devices, as pytrees: `device_put`, `device_get` and their kin.

What they do to one array is in `runtime.placement`; here are trees, dtypes, typed keys,
tracers, and what may be named as a place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray, Tracer, dtypes, shardings, tree, typeof
from jx_core.backend import current
from jx_core.memory import Space
from jx_core.ops.sharding import device_put_p
from jx_core.references import held_value
from jx_core.trace import to_concrete

from .keys import KeyArray, logical_value, physical_value
from .lowering.types import physical
from .placements import in_space, sharding_of
from .runtime import placement
from .runtime.array_values import host_value
from .runtime.arrays import Array
from .runtime.clients import Device
from .runtime.guards import explicit_get, explicit_put
from .runtime.shardings import Sharding, single_device

__all__ = [
    "block_until_ready",
    "copy_to_host_async",
    "device_get",
    "device_put",
    "make_array_from_callback",
    "make_array_from_single_device_arrays",
]


def device_put(
    x: Any,
    device: Any = None,
    *,
    src: Any = None,
    donate: Any = False,
    may_alias: Any = None,
) -> Any:
    """The arrays of a pytree on devices; other numbers and NumPy arrays as arrays there.

    Args:
        x: a pytree of arrays, NumPy values and Python numbers.
        device: a device or a sharding, a PartitionSpec on the mesh in context, a
            `jx.memory.Space` (where arrays lie in it), or a pytree of these that is a prefix
            of `x`. Where it is None, arrays stay where they are
            and other values go to the default device; otherwise the results are committed:
            computations with them run there.
        src: inside a transformation, where `x` is and its cotangents go back to, if that
            can't be seen from it. Given as `device`.
        donate: free the arrays' own buffers. A bool, or a prefix of `x`.
        may_alias: whether results may share buffers with arrays that are in place already;
            by default they do. A bool, or a prefix of `x`.

    Returns:
        The same pytree with an array for every leaf. Returns before copies are done.

    Raises:
        TypeError: a leaf is no array or number.
        ValueError: `device` is none of the above, its tree does not fit, or it can't hold an
            array of that shape; or both `donate` and `may_alias` are True.
        IndivisibleError: an axis can't be split evenly over the devices (a ValueError).
        DonatedArrayError: an array has been donated.

    >>> device_put([1.0, np.arange(2)])
    [Array(1., dtype=float32, weak_type=True), Array([0, 1], dtype=int32)]
    """
    leaves, structure = tree.flatten(x)
    places = shardings.flatten_prefix(device, structure, "device_put's device", _place)
    sources = shardings.flatten_prefix(src, structure, "device_put's src", _place)
    donates = shardings.flatten_prefix(donate, structure, "device_put's donate", _flag)
    aliases = shardings.flatten_prefix(may_alias, structure, "device_put's may_alias", _flag)
    facts = zip(leaves, places, sources, donates, aliases, strict=True)
    with explicit_put():
        return tree.unflatten(structure, [_put_leaf(*each) for each in facts])


def _place(value: Any, what: str) -> Any:
    """A place as the user names it, as a sharding; None for None."""
    if hasattr(value, "in_context"):
        value = value.in_context(what)
    if isinstance(value, Sharding):
        if value.unconstrained_dims:
            raise ValueError(
                f"{what} must say how each dimension is split; {value} leaves some unconstrained"
            )
        return value
    if value is None or isinstance(value, Space):
        return value
    if isinstance(value, Device):
        return single_device(value)
    if any(value is device for device in current().devices()):
        return value
    raise ValueError(
        f"{what} must be a device (such as jx.devices()[0]), a sharding, a PartitionSpec, None "
        f"or a pytree of these; got {value!r} of type {type(value).__name__}"
    )


def _flag(value: Any, what: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise TypeError(f"{what} must be a bool or a pytree of bools, got {value!r}")


def _put_leaf(x: Any, where: Any, src: Any, donate: bool | None, may_alias: bool | None) -> Any:
    if donate and may_alias:
        raise ValueError("device_put: donate and may_alias can't both be True")
    if isinstance(x, Tracer):
        return device_put_p.bind(x, device=where, src=_source(x) if src is None else src)
    aval = _typeof(x)
    if isinstance(where, Space):
        where = in_space(physical_value(x), where)
    if type(x) not in (Array, KeyArray) or (where is not None and not isinstance(where, Sharding)):
        return current().put(x, aval, where)
    words = physical_value(x)
    if where is None:
        if not donate and may_alias is not False:
            return x
        where = words._sharding
        committed = words._committed
    else:
        _check_rank(where, aval)
        committed = True
    moved = placement.transfer(
        words,
        where,
        committed=committed,
        donate=bool(donate),
        may_alias=may_alias is not False and not donate,
    )
    return logical_value(moved, aval)


def _check_rank(where: Sharding, aval: ShapedArray) -> None:
    # The words of typed keys have one axis more, which a sharding can't speak of.
    if isinstance(aval.dtype, dtypes.ExtendedDType):
        where.check_compatible_aval(aval.shape)


def _source(x: Tracer) -> Any:
    """The sharding of the array behind a tracer, where there is one."""
    return sharding_of(to_concrete(x))


def _typeof(x: Any) -> ShapedArray:
    try:
        return typeof(x)
    except TypeError as error:
        raise TypeError(f"device_put: {error}") from None


def device_get(x: Any) -> Any:
    """The arrays of a pytree as NumPy arrays.

    Args:
        x: a pytree. Typed keys, which have no NumPy form, tracers, which have no value yet, and
            leaves that are no arrays are left as they are.

    Returns:
        The same pytree with read-only ndarrays. Waits until they are computed.

    Raises:
        DonatedArrayError: an array has been donated.

    >>> device_get({"a": device_put(1.5), "b": "text"})
    {'a': array(1.5, dtype=float32), 'b': 'text'}
    """
    with explicit_get():
        copy_to_host_async(x)
        return tree.map(_get_leaf, x)


def _get_leaf(x: Any) -> Any:
    if type(x) is Array:
        return host_value(x)
    if isinstance(x, (KeyArray, Tracer)) or not hasattr(x, "__array__"):
        return x
    return x if isinstance(x, np.generic) else np.asarray(x)


def copy_to_host_async(x: Any) -> Any:
    """Begin to copy the arrays of a pytree to the host, so that reading them waits less.

    Returns:
        `x`.

    >>> x = copy_to_host_async({"w": jnp.arange(3)})
    >>> np.asarray(x["w"])  # by now the copy may be there
    array([0, 1, 2], dtype=int32)
    """
    for leaf in tree.leaves(x):
        if type(leaf) in (Array, KeyArray):
            leaf.copy_to_host_async()
    return x


def block_until_ready(x: Any) -> Any:
    """Wait until the arrays of a pytree, and the values of Refs, are computed.

    Returns:
        `x`, which may have leaves of any kind.

    Raises:
        JaxRuntimeError: a computation failed.
        DonatedArrayError: an array has been donated.

    >>> block_until_ready([device_put(1.0), "text"])
    [Array(1., dtype=float32, weak_type=True), 'text']
    """
    for leaf in tree.leaves(x):
        wait = getattr(held_value(leaf), "block_until_ready", None)
        if wait is not None:
            wait()
    return x


def make_array_from_single_device_arrays(
    shape: Sequence[int], sharding: Sharding, arrays: Sequence[Any], *, dtype: Any = None
) -> Any:
    """The array made of single-device arrays, one for each device of this process.

    Args:
        shape: the shape of the whole.
        sharding: how the parts make it up.
        arrays: the parts, in any order.
        dtype: needed where this process has no part.

    Raises:
        TypeError: `arrays` is no sequence of arrays.
        ValueError: the parts do not fit the sharding.

    >>> import jx_xla
    >>> part = device_put(np.arange(3), jx_xla.devices()[0])
    >>> make_array_from_single_device_arrays((3,), part.sharding, [part])
    Array([0, 1, 2], dtype=int32)
    """
    if not arrays or type(arrays[0]) is not KeyArray:
        return placement.make_array_from_single_device_arrays(
            tuple(shape), sharding, arrays, dtype=dtype
        )
    aval = ShapedArray(shape, arrays[0].dtype)
    parts = [physical_value(a) for a in arrays]
    return logical_value(
        placement.make_array_from_single_device_arrays(physical(aval).shape, sharding, parts), aval
    )


def make_array_from_callback(
    shape: Sequence[int], sharding: Any, data_callback: Callable[[Any], Any], dtype: Any = None
) -> Any:
    """The array whose part at `index` is `data_callback(index)`.

    Args:
        shape: the shape of the whole.
        sharding: where the parts lie; a PartitionSpec needs a mesh in context.
        data_callback: takes a tuple of slices, returns anything NumPy takes for an array. It
            is called once for each part that this process holds.
        dtype: the element type; by default the first part's.

    Raises:
        ValueError: a part has the wrong shape, or the sharding does not fit the shape.

    >>> import jx_xla
    >>> where = jx_xla.SingleDeviceSharding(jx_xla.devices()[0])
    >>> make_array_from_callback((4,), where, lambda index: np.arange(4)[index])
    Array([0, 1, 2, 3], dtype=int32)
    """
    where = _place(sharding, "make_array_from_callback's sharding")
    if where is None:
        raise ValueError("make_array_from_callback: sharding must be given, got None")
    return placement.make_array_from_callback(tuple(shape), where, data_callback, dtype)
