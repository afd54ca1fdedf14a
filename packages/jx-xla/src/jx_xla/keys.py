"""Arrays of typed PRNG keys on XLA: uint32 words on the device, a key type in front."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ShapedArray, dtypes

from .runtime.array_values import host_value
from .runtime.arrays import Array, Shard
from .runtime.placement import copy as copy_array


class KeyShard(Shard):
    """One part of an array of typed keys; `data` is one too."""

    __slots__ = ()

    @property
    def index(self) -> Any:
        # What is split is an array of words, with an axis of words behind those of keys.
        return super().index[: len(self._shape) - 1]


class KeyArray:
    """An immutable array of typed keys.

    Attributes:
        aval: its type, of an extended dtype such as `key<fry>`.
        words: the device array behind it, uint32 of shape `(*shape, *key_shape)`.
    """

    __slots__ = ("__weakref__", "aval", "words")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    aval: ShapedArray
    words: Any

    def __init__(self, aval: ShapedArray, words: Any) -> None:
        self.aval = aval
        self.words = words

    shape = property(lambda self: self.aval.shape)
    dtype = property(lambda self: self.aval.dtype)
    ndim = property(lambda self: self.aval.ndim)
    size = property(lambda self: self.aval.size)
    weak_type = False
    itemsize = property(lambda self: self.aval.dtype.itemsize)
    nbytes = property(lambda self: self.words.nbytes)
    sharding = property(lambda self: self.words.sharding)
    committed = property(lambda self: self.words.committed)
    device = property(lambda self: self.words.device)
    is_fully_addressable = property(lambda self: self.words.is_fully_addressable)
    is_fully_replicated = property(lambda self: self.words.is_fully_replicated)

    def devices(self) -> set[Any]:
        """The devices it lies on."""
        return self.words.devices()  # type: ignore[no-any-return]

    @property
    def addressable_shards(self) -> list[KeyShard]:
        """The parts of the array on this process's devices."""
        return [self._shard(s) for s in self.words.addressable_shards]

    @property
    def global_shards(self) -> list[KeyShard]:
        """The parts of the array on all devices; those elsewhere have no data."""
        return [self._shard(s) for s in self.words.global_shards]

    def addressable_data(self, index: int) -> KeyArray:
        """The part of the array on the `index`-th of this process's devices."""
        return self._part(self.words.addressable_data(index))

    def _shard(self, shard: Shard) -> KeyShard:
        data = None if shard.data is None else self._part(shard.data)
        return KeyShard(shard.device, self.words.sharding, self.words.shape, data)

    def _part(self, words: Any) -> KeyArray:
        return KeyArray(self.aval.update(shape=words.shape[: self.ndim]), words)

    def block_until_ready(self) -> KeyArray:
        """Wait until the words are computed; returns the array."""
        self.words.block_until_ready()
        return self

    def is_deleted(self) -> bool:
        """Whether the words have been donated or freed."""
        return self.words.is_deleted()  # type: ignore[no-any-return]

    def delete(self) -> None:
        """Free the words."""
        self.words.delete()

    def copy_to_host_async(self) -> None:
        """Begin copying the words to the host."""
        self.words.copy_to_host_async()

    def __len__(self) -> int:
        return len(self.aval)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(
            f"an array of dtype {self.dtype.name} has no NumPy form; "
            f"jx.random.key_data(keys) gives its raw words"
        )

    def __copy__(self) -> KeyArray:
        return KeyArray(self.aval, copy_array(self.words))

    def __deepcopy__(self, memo: Any) -> KeyArray:
        return self.__copy__()

    def __reduce__(self) -> Any:
        return KeyArray, (self.aval, self.words)

    def __repr__(self) -> str:
        return f"Array({self.shape}, dtype={self.dtype.name}) overlaying:\n{self.words}"


def physical_value(x: Any) -> Any:
    """The array that holds the elements of `x` on the device."""
    return x.words if type(x) is KeyArray else x


def elements(x: Any) -> np.ndarray:
    """The elements of an array on the host; of typed keys, their words."""
    return host_value(physical_value(x))


def logical_value(x: Array, aval: ShapedArray) -> Any:
    """The device array `x` as an array of type `aval`; an ndarray for the type of no values,
    that of integers' tangents."""
    if aval.dtype == dtypes.float0:
        return np.zeros(aval.shape, dtypes.float0)
    return x if x.aval is aval or x.aval.dtype == aval.dtype else KeyArray(aval, x)
