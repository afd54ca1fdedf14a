"""What an `HloSharding`, the compiler's description of a split array, says.

An `HloSharding` describes an array of some rank cut into tiles over N numbered
places; the places are positions in a list of devices, not devices. This module
builds them from mesh axes, compares them, and works out which indices each
place holds.

Not here: devices and meshes (`shardings`, `named_sharding`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .library import hlo

__all__ = [
    "REPLICATED",
    "HloSharding",
    "IndivisibleError",
    "OpSharding",
    "are_equal",
    "from_axes",
    "from_proto",
    "is_replicated",
    "partition_counts",
    "sdy_texts",
    "shard_shape",
    "tile_indices",
    "tile_strides",
    "with_whole_axis",
]

HloSharding = hlo.HloSharding
OpSharding = hlo.OpSharding
REPLICATED = HloSharding.replicate()
_KIND = OpSharding.Type


class IndivisibleError(ValueError):
    """An axis is not divisible by the number of parts a sharding cuts it into."""


def from_proto(proto: Any) -> Any:
    """The `HloSharding` of an `OpSharding`, tiled as `tile_indices` reads it."""
    return HloSharding.from_proto(proto).v3_to_v2_sharding()


def from_axes(
    axis_sizes: Sequence[int],
    dimensions: Sequence[Sequence[int]],
    *,
    manual: Sequence[int] = (),
    unreduced: Sequence[int] = (),
    device_order: Sequence[int] | None = None,
) -> Any:
    """The sharding of an array over a mesh.

    Args:
        axis_sizes: the sizes of the mesh's axes.
        dimensions: for each dimension of the array, the positions of the mesh axes it is
            split over, the slowest-varying first.
        manual: mesh axes inside a manual region (`shard_map`).
        unreduced: mesh axes over which partial sums are still to be added up.
        device_order: the numbers of the mesh's devices where they are not 0, 1, 2, ...

    Raises:
        ValueError: a mesh axis is used twice.

    >>> str(from_axes((2, 4), [(1,), ()]))
    '{devices=[4,1,2]<=[2,4]T(1,0) last_tile_dim_replicate}'
    """
    used = [axis for axes in dimensions for axis in axes]
    if len(set(used)) != len(used):
        raise ValueError(f"a mesh axis splits one dimension only, got {list(dimensions)}")
    # Axes of size 1 cut nothing: leaving them out makes equal shardings look equal.
    rest = [i for i, size in enumerate(axis_sizes) if i not in used and size > 1]
    special = [i for i in (*manual, *unreduced) if i in rest]
    if not special and all(axis_sizes[i] == 1 for i in used):
        return REPLICATED
    tile = [math.prod(axis_sizes[i] for i in axes) for axes in dimensions]
    order = list(used)
    kinds = []
    for kind, axes in (
        (_KIND.REPLICATED, [i for i in rest if i not in special]),
        (_KIND.MANUAL, [i for i in rest if i in manual]),
        (_KIND.UNREDUCED, [i for i in rest if i in unreduced and i not in manual]),
    ):
        if axes:
            tile.append(math.prod(axis_sizes[i] for i in axes))
            order += axes
            kinds.append(kind)
    sizes = [size for size in axis_sizes if size > 1]
    position = {axis: n for n, axis in enumerate(i for i, s in enumerate(axis_sizes) if s > 1)}
    order = [position[axis] for axis in order if axis in position]
    if device_order is None:
        return HloSharding.iota_tile(tile, sizes, order, kinds)
    numbers = np.asarray(device_order, np.int64).reshape(sizes).transpose(order).reshape(tile)
    return HloSharding.subgroup_with_device_ordering(np.ascontiguousarray(numbers), kinds)


def with_whole_axis(sharding: Any, position: int) -> Any:
    """The sharding of arrays with one more axis, which is not cut, at ``position``."""
    proto = sharding.to_proto()
    counts = list(proto.tile_assignment_dimensions)
    proto.tile_assignment_dimensions = [*counts[:position], 1, *counts[position:]]
    return from_proto(proto)


def sdy_texts(sharding: Any, ndim: int, places: int) -> tuple[str, list[str]]:
    """A sharding in Shardy's words: a mesh made for it, and the axes of each dimension.

    >>> sdy_texts(from_axes((2, 4), [(1,), ()]), 2, 8)
    ('#sdy.mesh<["_0"=4, "_whole"=2], device_ids=[0, 4, 1, 5, 2, 6, 3, 7]>', ['{"_0"}', '{}'])
    """
    counts, copies = partition_counts(sharding)
    if not counts:
        return f'#sdy.mesh<["_whole"={places}]>', ["{}"] * ndim
    axes = [f'"_{i}"={n}' for i, n in enumerate(counts) if n > 1]
    if copies > 1:
        axes.append(f'"_whole"={copies}')
    order = [int(n) for n in np.asarray(sharding.tile_assignment_devices()).flat]
    ids = "" if order == list(range(len(order))) else f", device_ids={order}"
    dimensions = [f'{{"_{i}"}}' if n > 1 else "{}" for i, n in enumerate(counts)]
    return f"#sdy.mesh<[{', '.join(axes)}]{ids}>", dimensions


def tile_strides(sharding: Any, axis_sizes: Sequence[int]) -> np.ndarray | None:
    """How a step along each axis of a mesh moves through an array's tiles.

    Args:
        sharding: cuts the array over the mesh's devices, numbered in the mesh's order.
        axis_sizes: the sizes of the mesh's axes.

    Returns:
        Integers [array dimension, mesh axis]: how many tiles further along the dimension the
        next device along the mesh axis has its part. None where the steps are not the
        same everywhere.
    """
    counts, places = partition_counts(sharding)
    sizes = tuple(axis_sizes)
    if not counts or math.prod(counts) * places != math.prod(sizes):
        return None
    devices = np.asarray(sharding.tile_assignment_devices()).reshape(*counts, -1)
    tiles = np.empty((len(counts), devices.size), np.int64)
    for where in np.ndindex(*counts):
        tiles[:, devices[where]] = np.array(where)[:, None]
    tiles = tiles.reshape(len(counts), *sizes)
    strides = np.zeros((len(counts), len(sizes)), np.int64)
    for axis, size in enumerate(sizes):
        if size > 1:
            step = tiles.take([1], axis + 1) - tiles.take([0], axis + 1)
            strides[:, axis] = step.reshape(len(counts), -1)[:, 0]
    linear = np.tensordot(strides, np.indices(sizes).reshape(len(sizes), -1), 1)
    return strides if np.array_equal(linear, tiles.reshape(len(counts), -1)) else None


def is_replicated(sharding: Any) -> bool:
    """Whether every place holds the whole array."""
    if sharding.is_replicated():
        return True
    counts, _ = partition_counts(sharding)
    return math.prod(counts) == 1 and not (sharding.is_manual() or _has_unreduced(sharding))


def are_equal(a: Any, b: Any) -> bool:
    """Whether two shardings put the same indices in the same places."""
    return a is b or a == b or (is_replicated(a) and is_replicated(b))


def _has_unreduced(sharding: Any) -> bool:
    return sharding.is_unreduced() or _KIND.UNREDUCED in sharding.subgroup_types()


def partition_counts(sharding: Any) -> tuple[list[int], int]:
    """How many parts each dimension is cut into, and how many places hold each part.

    A sharding that cuts nothing gives an empty list, whatever the array's rank.
    """
    if sharding.is_replicated() or sharding.is_manual() or sharding.is_unreduced():
        return [], 1
    counts = list(sharding.tile_assignment_dimensions())
    groups = len(sharding.subgroup_types()) or int(sharding.replicate_on_last_tile_dim())
    if not groups:
        return counts, 1
    return counts[:-groups], math.prod(counts[-groups:])


def shard_shape(sharding: Any, shape: tuple[int, ...], described_as: str = "") -> tuple[int, ...]:
    """The shape of one part.

    Raises:
        IndivisibleError: a dimension can't be cut evenly.
        ValueError: the sharding is for arrays of another rank.
    """
    counts, _ = partition_counts(sharding)
    described_as = described_as or str(sharding)
    if not counts:
        return shape
    if len(counts) != len(shape):
        raise ValueError(
            f"sharding {described_as} is for arrays of rank {len(counts)}, and was applied to "
            f"one of shape {shape}"
        )
    for axis, (size, count) in enumerate(zip(shape, counts, strict=True)):
        if size % count:
            raise IndivisibleError(
                f"sharding {described_as} cuts axis {axis} into {count} parts, but its size "
                f"{size} (full shape {shape}) is not a multiple of {count}. Pad the axis, or "
                f"split another one."
            )
    return tuple(size // count for size, count in zip(shape, counts, strict=True))


@functools.lru_cache(maxsize=4096)
def tile_indices(
    sharding: Any, shape: tuple[int, ...], places: int
) -> tuple[tuple[slice, ...], ...]:
    """The index of the part that each of ``places`` holds, in their order.

    Raises:
        IndivisibleError: a dimension can't be cut evenly.
        ValueError: the array's rank is wrong, or the parts are sums still to be made.
    """
    if _has_unreduced(sharding):
        raise ValueError(f"the shards of {sharding} are partial sums, which have no indices")
    part = shard_shape(sharding, shape)
    counts, _ = partition_counts(sharding)
    whole = (slice(None),) * len(shape)
    if math.prod(counts) == 1:
        return (whole,) * places
    numbers = np.asarray(sharding.tile_assignment_devices()).reshape(*counts, -1)
    result: list[tuple[slice, ...]] = [whole] * places
    for where in np.ndindex(*counts):
        index = tuple(
            slice(None) if count == 1 else slice(i * size, (i + 1) * size)
            for i, size, count in zip(where, part, counts, strict=True)
        )
        for place in numbers[where]:
            result[place] = index
    return tuple(result)
