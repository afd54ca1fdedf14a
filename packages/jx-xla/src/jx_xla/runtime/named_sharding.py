"""`NamedSharding`: an array split over the named axes of a mesh of devices.

The class is jaxlib's own (see `shardings`). The mesh and the partition spec are
somebody else's, `jx_parallel`'s, and any objects will do that have what is
listed here:

mesh
    ``axis_names`` and ``axis_sizes`` (tuples), ``size``, ``__eq__``, ``__hash__``
    and ``_internal_device_list`` (a `shardings.device_list`, or None for a mesh
    that is abstract). Optional: ``manual_axes``, the names of the axes inside a
    `shard_map`.
spec
    iterable; for each dimension of the array None, the name of a mesh axis, a
    tuple of names (the first varies slowest) or `UNCONSTRAINED`. Shorter than
    the array's rank means that the other dimensions are not split. ``__eq__``
    and ``__hash__``. Optional: ``unreduced`` and ``reduced``, sets of axes.

Not here: classes of meshes and specs.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from jx_core.jaxpr.notation import define_name, define_notation

from . import hlo_shardings, lookups
from .library import furnish, xla
from .shardings import Device, Shape, Sharding

__all__ = [
    "UNCONSTRAINED",
    "DuplicateSpecError",
    "NamedSharding",
    "like",
    "sdy_dimensions",
    "sdy_mesh_text",
    "spec_axes",
]


class DuplicateSpecError(ValueError):
    """A partition spec uses one mesh axis for two dimensions."""


class _Unconstrained:
    """The spec of a dimension that the compiler may split as it likes."""

    def __repr__(self) -> str:
        return "UNCONSTRAINED"

    def __reduce__(self) -> str:
        return "UNCONSTRAINED"


UNCONSTRAINED = _Unconstrained()
xla.set_pspec_unconstrained(UNCONSTRAINED)


def spec_axes(spec: Any) -> tuple[tuple[Any, ...], ...]:
    """The names of the mesh axes that each dimension is split over."""
    return tuple(
        ()
        if part is None or part is UNCONSTRAINED
        else part
        if isinstance(part, tuple)
        else (part,)
        for part in spec
    )


def check_spec(mesh: Any, spec: Any, *_: Any) -> None:
    """Raise unless the spec names axes of the mesh, each once.

    Raises:
        ValueError: a name is no axis of the mesh.
        DuplicateSpecError: an axis is named twice.
        TypeError: the spec is a string, or the mesh no mesh.
    """
    if isinstance(spec, str) or not hasattr(mesh, "axis_names"):
        raise TypeError(
            f"NamedSharding takes a mesh and a PartitionSpec, such as "
            f"NamedSharding(mesh, PartitionSpec('x')); got {mesh!r} and {spec!r}"
        )
    names = [name for axes in spec_axes(spec) for name in axes]
    sums = [*getattr(spec, "unreduced", ()), *getattr(spec, "reduced", ())]
    for name in (*names, *sums):
        if name not in mesh.axis_names:
            raise ValueError(
                f"mesh axis {name!r} of {spec} is not found in the mesh, whose axes are "
                f"{tuple(mesh.axis_names)}"
            )
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise DuplicateSpecError(
            f"a mesh axis can split one dimension of an array only, but {spec} uses "
            f"{', '.join(twice)} more than once"
        )


@functools.lru_cache(maxsize=4096)
def _to_hlo(sharding: NamedSharding, ndim: int) -> Any:
    mesh, spec = sharding.mesh, sharding.spec
    position = {name: i for i, name in enumerate(mesh.axis_names)}
    dimensions = [[position[name] for name in axes] for axes in spec_axes(spec)]
    if len(dimensions) > ndim:
        sharding.check_compatible_aval((1,) * ndim)
    dimensions += [[] for _ in range(ndim - len(dimensions))]
    return hlo_shardings.from_axes(
        mesh.axis_sizes,
        dimensions,
        manual=[position[name] for name in getattr(mesh, "manual_axes", ())],
        unreduced=[position[name] for name in getattr(spec, "unreduced", ())],
        device_order=sharding._logical_device_ids,
    )


@furnish(xla.NamedSharding)
class NamedSharding(Sharding):
    """An array split over the named axes of a mesh.

    ``NamedSharding(mesh, spec, memory_kind=None)``. Dimension i of the array is cut
    into as many parts as the mesh axes that ``spec[i]`` names have devices.

    Raises:
        ValueError: the spec names an axis that the mesh lacks.
        DuplicateSpecError: the spec names an axis twice.

    >>> n = jx.device_count()
    >>> mesh = jx.make_mesh((n,), ("data",))
    >>> x = jx.device_put(jnp.ones((2 * n, 3)), jx.NamedSharding(mesh, jx.P("data")))
    >>> len(x.addressable_shards) == n, x.addressable_shards[0].data.shape
    (True, (2, 3))
    """

    if TYPE_CHECKING:
        mesh: Any
        spec: Any
        _logical_device_ids: tuple[int, ...] | None

        def __init__(
            self,
            mesh: Any,
            spec: Any,
            *,
            memory_kind: str | None = None,
            _logical_device_ids: Any = None,
        ) -> None: ...

    def __reduce__(self) -> Any:
        return _make, (self.mesh, self.spec, self._memory_kind, self._logical_device_ids)

    def __repr__(self) -> str:
        memory = "" if self._memory_kind is None else f", memory_kind={self._memory_kind}"
        return f"NamedSharding(mesh={self.mesh}, spec={self.spec}{memory})"

    def _to_xla_hlo_sharding(self, ndim: int) -> Any:
        return _to_hlo(self, ndim)

    @property
    def _is_concrete(self) -> bool:
        return self.mesh._internal_device_list is not None

    @property
    def num_devices(self) -> int:
        """The number of devices of the mesh.

        >>> jx.NamedSharding(jx.make_mesh((1,), ("data",)), jx.P("data")).num_devices
        1
        """
        return self.mesh.size

    @property
    def device_set(self) -> set[Device]:
        """The devices of the mesh.

        >>> mesh = jx.make_mesh((1,), ("data",))
        >>> jx.NamedSharding(mesh, jx.P()).device_set == set(mesh.devices.flat)
        True
        """
        return set(self._device_assignment)

    @property
    def _device_assignment(self) -> tuple[Device, ...]:
        if not self._is_concrete:
            raise ValueError(
                f"{self!r} is on an abstract mesh, which has no devices: use a mesh of devices "
                f"(make_mesh) to place arrays"
            )
        return tuple(self._internal_device_list)

    @property
    def is_fully_replicated(self) -> bool:
        """Whether the spec splits nothing, or over axes of one device only.

        >>> mesh = jx.make_mesh((1,), ("data",))
        >>> jx.NamedSharding(mesh, jx.P("data")).is_fully_replicated
        True
        """
        if getattr(self.spec, "unreduced", ()):
            return False
        sizes = dict(zip(self.mesh.axis_names, self.mesh.axis_sizes, strict=True))
        return all(sizes[name] == 1 for axes in spec_axes(self.spec) for name in axes)

    def check_compatible_aval(self, shape: Shape) -> None:
        """Raise ValueError if the spec has more parts than an array of this shape has axes.

        >>> where = jx.NamedSharding(jx.make_mesh((1,), ("data",)), jx.P("data"))
        >>> where.check_compatible_aval((4, 2))
        >>> where.check_compatible_aval(())  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: ... was applied to one of rank 0. For scalars the spec is P().
        """
        needed = len(spec_axes(self.spec))
        if len(shape) < needed:
            hint = " For scalars the spec is P()." if not shape else ""
            raise ValueError(
                f"{self!r} is for arrays of rank {needed} and more, and was applied to one of "
                f"rank {len(shape)}.{hint}"
            )

    @property
    def unconstrained_dims(self) -> frozenset[int]:
        """The dimensions whose part of the spec is `PartitionSpec.UNCONSTRAINED`.

        >>> mesh = jx.make_mesh((1,), ("data",))
        >>> jx.NamedSharding(mesh, jx.P(jx.P.UNCONSTRAINED, "data")).unconstrained_dims
        frozenset({0})
        """
        return frozenset(i for i, part in enumerate(self.spec) if part is UNCONSTRAINED)

    def insert_axis(self, position: int, name: Any = None) -> NamedSharding:
        """The sharding of a batch of arrays that each lie like this.

        Args:
            position: which axis of the batch is the new one.
            name: the mesh axis that the new axis is split over, a tuple for several, or None.

        >>> rows = jx.NamedSharding(jx.make_mesh((1,), ("data",)), jx.P("data"))
        >>> rows.insert_axis(0).spec
        P(None, 'data')
        """
        parts = list(self.spec)
        parts += [None] * (position - len(parts))
        return self.update(spec=(*parts[:position], name, *parts[position:]))

    def update(self, **changes: Any) -> NamedSharding:
        """The same sharding with ``mesh``, ``spec`` or ``memory_kind`` replaced.

        >>> where = jx.NamedSharding(jx.make_mesh((1,), ("data",)), jx.P("data"))
        >>> where.update(spec=(None, "data")).spec
        P(None, 'data')
        """
        spec = changes.pop("spec", self.spec)
        made = NamedSharding(
            changes.pop("mesh", self.mesh),
            _spec_like(self.spec, spec),
            memory_kind=changes.pop("memory_kind", self._memory_kind),
        )
        if changes:
            raise TypeError(f"NamedSharding has no field {sorted(changes)}")
        return made

    def with_memory_kind(self, kind: str) -> NamedSharding:
        """The same sharding in another kind of memory.

        >>> where = jx.NamedSharding(jx.make_mesh((1,), ("data",)), jx.P("data"))
        >>> kind = jx.devices()[0].default_memory().kind
        >>> where.with_memory_kind(kind).memory_kind == kind
        True
        """
        return self.update(memory_kind=kind)


def _spec_like(old: Any, spec: Any) -> Any:
    """A spec as `update` takes it, plain sequences as the class of the old one."""
    if not isinstance(spec, (tuple, list)):
        return spec
    return tuple(spec) if type(old) is tuple else type(old)(*spec)


def _make(mesh: Any, spec: Any, memory_kind: Any, logical_device_ids: Any) -> NamedSharding:
    return NamedSharding(
        mesh, spec, memory_kind=memory_kind, _logical_device_ids=logical_device_ids
    )


def like(sharding: NamedSharding, split: Any) -> NamedSharding | None:
    """A split of the compiler's in the words of another sharding: its mesh, its kind of spec.

    Args:
        sharding: has the mesh, whose order of devices is the program's.
        split: an `HloSharding`.

    Returns:
        None where no spec says the same.

    >>> like(NamedSharding(mesh, P("x")), HloSharding...).spec  # doctest: +SKIP
    PartitionSpec(None, 'x')
    """
    mesh = sharding.mesh
    if hlo_shardings.is_replicated(split):
        return sharding.update(spec=())
    strides = hlo_shardings.tile_strides(split, mesh.axis_sizes)
    if strides is None:
        return None
    parts: list[Any] = []
    for row in strides:
        axes = sorted((i for i, step in enumerate(row) if step), key=lambda i: -row[i])
        names = tuple(mesh.axis_names[i] for i in axes)
        parts.append(None if not names else names[0] if len(names) == 1 else names)
    while parts[-1] is None:
        parts.pop()
    try:
        named = sharding.update(spec=tuple(parts))
    except DuplicateSpecError:
        return None
    same = hlo_shardings.are_equal(named._to_xla_hlo_sharding(len(strides)), split)
    return named if same else None


def sdy_mesh_text(mesh: Any) -> str:
    """The mesh as a Shardy attribute: ``#sdy.mesh<["x"=2, "y"=4]>``."""
    axes = ", ".join(
        f'"{name}"={size}' for name, size in zip(mesh.axis_names, mesh.axis_sizes, strict=True)
    )
    return f"#sdy.mesh<[{axes}]>"


def sdy_dimensions(sharding: NamedSharding, ndim: int) -> list[str]:
    """The mesh axes of each dimension as Shardy writes them: ``{"x"}``, ``{}``."""
    parts = list(sharding.spec)
    sharding.check_compatible_aval((1,) * ndim)
    parts += [None] * (ndim - len(parts))
    return [
        "{?}" if part is UNCONSTRAINED else "{" + ", ".join(f'"{a}"' for a in axes) + "}"
        for part, axes in zip(parts, spec_axes(parts), strict=True)
    ]


class _NoMesh:
    """The smallest mesh that jaxlib's constructor takes."""

    axis_names = axis_sizes = ()
    size = 1
    _internal_device_list = None


lookups.provide("jax._src.named_sharding", "check_pspec", check_spec)
with lookups.answered():
    # The first construction looks `check_pspec` up, once and for all.
    NamedSharding(_NoMesh(), ())


# How programs that hold them are printed.
define_name(
    _Unconstrained, repr, lambda name: UNCONSTRAINED if name == "UNCONSTRAINED" else None
)
define_notation(
    NamedSharding,
    lambda s: {
        "mesh": s.mesh,
        "spec": s.spec,
        "memory_kind": s._memory_kind,
        "logical_device_ids": s._logical_device_ids,
    },
    _make,
)
