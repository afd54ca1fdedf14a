"""`Mesh`: devices in a grid whose axes have names, and the mesh in context.

Arrays are split over a mesh's axes by name (see `partition_spec`). Not here: what a
split means for indices and programs, which `jx_xla` knows.
"""

from __future__ import annotations

import enum
import math
from collections import OrderedDict
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np

from jx_core.jaxpr import define_notation
from jx_xla import devices as all_devices
from jx_xla import process_index
from jx_xla.runtime.shardings import device_list

from .context import mesh_in_context, mesh_option
from .partition_spec import PartitionSpec

__all__ = ["AxisType", "Mesh", "get_mesh", "make_mesh", "set_mesh"]


class AxisType(enum.Enum):
    """Who decides how values are split along a mesh axis.

    Attributes:
        Auto: the compiler, from the shardings of arguments, results and constraints.
        Explicit: the types of the values.
        Manual: the program, which sees one device's part.

    >>> make_mesh((1,), ("data",)).axis_types
    (Auto,)
    >>> make_mesh((1,), ("data",), AxisType.Auto) is make_mesh((1,), ("data",))
    True
    """

    Auto = enum.auto()
    Explicit = enum.auto()
    Manual = enum.auto()

    def __repr__(self) -> str:
        return self.name


class Mesh:
    """Devices in a grid whose axes have names.

    Args:
        devices: an ndarray of devices with one dimension for each axis, or a sequence of
            devices for a mesh of one axis.
        axis_names: the names of the axes, or one name.
        axis_types: an `AxisType` for each axis, or one for all; Auto by default, and the
            only one that meshes have.

    Raises:
        ValueError: the numbers of dimensions and names differ; a name or a device is there
            twice; an axis type is another than Auto.
        TypeError: an element of `devices` is no device.

    Immutable; equal meshes are one object. As a context manager it does what
    `with set_mesh(mesh):` does.

    >>> import jx_xla
    >>> mesh = Mesh(jx_xla.devices()[:1], ("data",))
    >>> mesh
    Mesh(axis_sizes=(1,), axis_names=('data',), axis_types=(Auto,))
    >>> dict(mesh.shape)
    {'data': 1}
    """

    __slots__ = (
        "__weakref__",
        "_hash",
        "_internal_device_list",
        "axis_names",
        "axis_sizes",
        "axis_types",
        "devices",
        "size",
    )

    axis_names: tuple[Any, ...]
    axis_sizes: tuple[int, ...]
    axis_types: tuple[AxisType, ...]
    devices: np.ndarray
    size: int
    _hash: int
    # What layers below, which know no PartitionSpec, make the specs of shardings on it of.
    _spec_class = PartitionSpec

    def __new__(
        cls,
        devices: Any,
        axis_names: str | Sequence[Any],
        axis_types: AxisType | Sequence[AxisType] | None = None,
    ) -> Mesh:
        grid = np.array(devices, dtype=object)
        names = (axis_names,) if isinstance(axis_names, str) else tuple(axis_names)
        if grid.size == 0:
            grid, names, axis_types = np.empty((), object), (), ()
        flat = tuple(grid.flat) if names else ()
        _check_grid(grid, flat, names)
        types = _axis_types(axis_types, names)
        key = (names, grid.shape, flat, types)
        found = _meshes.get(key)
        if found is not None:
            return found
        self = object.__new__(cls)
        grid.flags.writeable = False
        self._fill(
            axis_names=names,
            axis_sizes=grid.shape,
            axis_types=types,
            devices=grid,
            size=len(flat),
            _hash=hash(key),
            _internal_device_list=device_list(flat) if flat else None,
        )
        return _meshes.setdefault(key, self)

    def _fill(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"Mesh is immutable: can't set {name!r}")

    def __reduce__(self) -> Any:
        return Mesh, (self.devices, self.axis_names, self.axis_types)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def shape(self) -> OrderedDict[Any, int]:
        """The size of each axis, by name.

        >>> dict(make_mesh((1, 1), ("data", "model")).shape)
        {'data': 1, 'model': 1}
        """
        return OrderedDict(self.shape_tuple)

    @property
    def shape_tuple(self) -> tuple[tuple[Any, int], ...]:
        """Pairs of an axis's name and size.

        >>> make_mesh((1, 1), ("data", "model")).shape_tuple
        (('data', 1), ('model', 1))
        """
        return tuple(zip(self.axis_names, self.axis_sizes, strict=True))

    @property
    def empty(self) -> bool:
        """Whether it has no devices.

        >>> make_mesh((1,), ("data",)).empty, Mesh((), ()).empty
        (False, True)
        """
        return self.size == 0

    @property
    def device_ids(self) -> np.ndarray:
        """The ids of the devices, in the shape of the grid.

        >>> make_mesh((1, 1), ("data", "model")).device_ids.shape
        (1, 1)
        """
        return np.array([d.id for d in self.devices.flat]).reshape(self.devices.shape)

    @property
    def local_devices(self) -> list[Any]:
        """The devices that belong to this process.

        >>> make_mesh((1,), ("data",)).local_devices == all_devices()[:1]
        True
        """
        here = process_index()
        return [d for d in self.devices.flat if d.process_index == here]

    @property
    def is_multi_process(self) -> bool:
        """Whether it has devices of other processes.

        >>> make_mesh((1,), ("data",)).is_multi_process
        False
        """
        return len(self.local_devices) != self.size

    def update(self, devices: Any = None, axis_names: Any = None, axis_types: Any = None) -> Mesh:
        """The same mesh with some fields replaced.

        >>> make_mesh((1, 1), ("data", "model")).update(axis_names=("x", "y")).axis_names
        ('x', 'y')
        """
        return Mesh(
            self.devices if devices is None else devices,
            self.axis_names if axis_names is None else axis_names,
            self.axis_types if axis_types is None else axis_types,
        )

    def __enter__(self) -> Mesh:
        mesh_option(None if self.empty else self).__enter__()  # type: ignore[attr-defined]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        mesh_option(self).__exit__(kind, error, traceback)  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        types = f", axis_types={self.axis_types}" if self.axis_types else ""
        return f"Mesh(axis_sizes={self.axis_sizes}, axis_names={self.axis_names}{types})"

    def __str__(self) -> str:
        if self.empty:
            return "Mesh()"
        sizes = ", ".join(f"{name!r}: {size}" for name, size in self.shape_tuple)
        return f"Mesh({sizes}, axis_types={self.axis_types})"


_meshes: dict[Any, Mesh] = {}


def _check_grid(grid: np.ndarray, flat: tuple[Any, ...], names: tuple[Any, ...]) -> None:
    if grid.ndim != len(names):
        raise ValueError(
            f"Mesh requires one axis name for each dimension of devices: got devices of shape "
            f"{grid.shape} and {len(names)} names {names}"
        )
    if None in names or len(set(names)) != len(names):
        raise ValueError(f"Mesh requires axis names that differ and are not None, got {names}")
    for device in flat:
        if not hasattr(device, "platform"):
            raise TypeError(
                f"Mesh requires an array of devices, such as np.array(jx.devices()); it holds "
                f"{device!r} of type {type(device).__name__}"
            )
    if len(set(flat)) != len(flat):
        raise ValueError(f"Mesh requires each device to be there once, got {list(flat)}")


def _axis_types(given: Any, names: tuple[Any, ...]) -> tuple[AxisType, ...]:
    types = (
        (AxisType.Auto if given is None else given,) * len(names)
        if given is None or isinstance(given, AxisType)
        else tuple(given)
    )
    if len(types) != len(names) or not all(isinstance(t, AxisType) for t in types):
        raise ValueError(
            f"axis_types must be one AxisType for each of the axes {names}, got {given!r}"
        )
    for name, kind in zip(names, types, strict=True):
        if kind is not AxisType.Auto:
            raise ValueError(
                f"mesh axis {name!r} has type {kind.name}; meshes have Auto axes only, along "
                f"which the compiler decides how values are split. Leave axis_types out, and "
                f"guide the compiler with in_shardings, out_shardings and "
                f"jx.lax.with_sharding_constraint"
            )
    return types


def make_mesh(
    axis_shapes: Sequence[int],
    axis_names: Sequence[Any],
    axis_types: AxisType | Sequence[AxisType] | None = None,
    *,
    devices: Sequence[Any] | None = None,
) -> Mesh:
    """A mesh of the given shape, of all devices or the first of them.

    Args:
        axis_shapes: the sizes of the axes.
        axis_names: their names.
        axis_types: as for `Mesh`.
        devices: the devices to use, in order; `jx.devices()` by default.

    Raises:
        ValueError: there are fewer devices than the mesh has places, or the shapes and
            names are not equally many.

    >>> make_mesh((1, 1), ("data", "model")).axis_sizes
    (1, 1)
    """
    shape = tuple(axis_shapes)
    names = (axis_names,) if isinstance(axis_names, str) else tuple(axis_names)
    if len(shape) != len(names):
        raise ValueError(
            f"make_mesh: axis_shapes {shape} and axis_names {names} must be equally many"
        )
    if any(n < 1 for n in shape):
        raise ValueError(f"make_mesh: axis_shapes must be positive, got {shape}")
    available = list(all_devices() if devices is None else devices)
    needed = math.prod(shape)
    if needed > len(available):
        cure = (
            f"; JX_NUM_CPU_DEVICES={needed} in the environment makes that many of the CPU"
            if all(d.platform == "cpu" for d in available)
            else ""
        )
        raise ValueError(
            f"make_mesh: a mesh of shape {shape} takes {needed} devices, and there are "
            f"{len(available)}{cure}"
        )
    grid = np.empty(needed, object)
    grid[:] = available[:needed]
    return Mesh(grid.reshape(shape), names, axis_types)


class set_mesh:
    """Put a mesh in context on this thread, so that bare `PartitionSpec`s refer to it.

    As a function, `set_mesh(mesh)`, for good; as a context manager, `with set_mesh(mesh):`,
    for the block. `None` takes the mesh away.

    Raises:
        TypeError: `mesh` is no mesh.

    >>> with set_mesh(make_mesh((1,), ("data",))):
    ...     get_mesh().axis_names
    ('data',)
    """

    __slots__ = ("_override",)

    def __init__(self, mesh: Mesh | None) -> None:
        if not (mesh is None or isinstance(mesh, Mesh)):
            raise TypeError(f"set_mesh: expected a jx.sharding.Mesh, got {mesh!r}")
        override: Any = mesh_option(None if mesh is None or mesh.empty else mesh)
        override.__enter__()
        self._override = override

    def __enter__(self) -> Mesh:
        return get_mesh()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._override.__exit__(kind, error, traceback)


def get_mesh() -> Mesh:
    """The mesh in context; an empty one where there is none.

    >>> get_mesh().empty
    True
    """
    mesh = mesh_in_context()
    return Mesh((), ()) if mesh is None else mesh


# How programs that hold them are printed.
define_notation(AxisType)
define_notation(
    Mesh,
    lambda m: {
        "platform": m.devices.flat[0].platform if m.size else None,
        "device_ids": tuple(map(int, m.device_ids.flat)),
        "axis_sizes": m.axis_sizes,
        "axis_names": m.axis_names,
        "axis_types": m.axis_types,
    },
    lambda **fields: _named_mesh(**fields),
)


def _named_mesh(
    platform: str | None,
    device_ids: tuple[int, ...],
    axis_sizes: tuple[int, ...],
    axis_names: tuple[Any, ...],
    axis_types: tuple[AxisType, ...],
) -> Mesh:
    """The mesh of these devices."""
    known = {d.id: d for d in all_devices(platform)} if platform else {}
    grid = np.array([known[i] for i in device_ids], dtype=object)
    return Mesh(grid.reshape(axis_sizes), axis_names, axis_types)
