"""Typed PRNG keys: their dtype, the generators behind them, and the operations on them.

A key array has a dtype of its own, such as `key<fry>`, so that keys can't be taken for
numbers. Physically a key is a few words (uint32) along trailing axes; `random_unwrap` and
`random_wrap` go between the two. Every other operation here decomposes into these and into
the arithmetic of the key's generator, a `PRNGImpl`. The default generator is in `threefry`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...config import default_prng_impl, enable_x64
from ...errors import ShapeError
from ...jaxpr.notation import define_name
from ...primitive import Primitive
from ..axes import canonical_shape, check_sizes
from ..elementwise import convert
from ..kit import result_shape
from ..shape import broadcast_to

__all__ = [
    "random_bits_p",
    "random_clone_p",
    "random_fold_in_p",
    "random_seed_p",
    "random_split_p",
    "random_unwrap_p",
    "random_wrap_p",
]

Shape = tuple[int, ...]


class PRNGImpl:
    """A generator: what its keys are made of, and how bits and keys come of keys.

    The functions work on words, uint32 arrays of shape (*keys, *key_shape) for key arrays of
    any shape, and are made of `lax` functions:

    - `seed(seeds)`: integers of shape keys, to words;
    - `split(words, shape)`: to words of shape (*keys, *shape, *key_shape);
    - `fold_in(words, data)`: uint32 of shape keys, mixed into words;
    - `random_bits(words, bit_width, shape)`: to unsigned integers of that width, of shape
      (*keys, *shape).

    Attributes:
        name: what `jx.random.key(seed, impl=name)` calls it.
        tag: a short name, for printing dtypes.
        key_shape: the shape of one key's words: (n,).
        dtype: the dtype of its keys.
    """

    __slots__ = ("dtype", "fold_in", "key_shape", "name", "random_bits", "seed", "split", "tag")

    def __init__(
        self,
        key_shape: Shape,
        seed: Callable[[Any], Any],
        split: Callable[[Any, Shape], Any],
        random_bits: Callable[[Any, int, Shape], Any],
        fold_in: Callable[[Any, Any], Any],
        *,
        name: str,
        tag: str,
    ) -> None:
        if len(key_shape) != 1:
            raise ValueError(f"PRNGImpl {name}: key_shape must have one axis, got {key_shape}")
        self.key_shape = tuple(key_shape)
        self.seed = seed
        self.split = split
        self.random_bits = random_bits
        self.fold_in = fold_in
        self.name = name
        self.tag = tag
        self.dtype = KeyDType(self)

    def __str__(self) -> str:
        return self.tag

    def __repr__(self) -> str:
        return f"PRNGImpl({self.name!r}, key_shape={self.key_shape}, tag={self.tag!r})"

    def __reduce__(self) -> Any:
        return prng_impl, (self.name,)


class KeyDType(dtypes.ExtendedDType):
    """The dtype of a generator's keys, such as `key<fry>`.

    Attributes:
        impl: the generator.
    """

    __slots__ = ("_name", "impl")

    def __init__(self, impl: PRNGImpl) -> None:
        self.impl = impl
        self._name = f"key<{impl.tag}>"

    @property
    def name(self) -> str:
        return self._name

    @property
    def type(self) -> Any:
        return dtypes.prng_key

    @property
    def itemsize(self) -> int:
        return 4 * math.prod(self.impl.key_shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyDType) and other.impl is self.impl

    def __hash__(self) -> int:
        return hash(self.impl)

    def __reduce__(self) -> Any:
        return _key_dtype, (self.impl.name,)


_impls: dict[str, PRNGImpl] = {}


def register_prng_impl(impl: PRNGImpl) -> PRNGImpl:
    """Make a generator known under its name, and return it.

    Raises:
        ValueError: the name is taken.
    """
    if impl.name in _impls:
        raise ValueError(f"a PRNG implementation named {impl.name!r} is registered already")
    _impls[impl.name] = impl
    return impl


def prng_impl(spec: Any = None) -> PRNGImpl:
    """The generator that `spec` means.

    Args:
        spec: a `PRNGImpl`, a key dtype, a registered name, or None for the option
            `default_prng_impl`.

    Raises:
        ValueError: no generator has that name.
        TypeError: `spec` is none of these.

    >>> prng_impl("threefry2x32").dtype
    key<fry>
    """
    if isinstance(spec, PRNGImpl):
        return spec
    if isinstance(spec, KeyDType):
        return spec.impl
    name = default_prng_impl.value if spec is None else spec
    if not isinstance(name, str):
        raise TypeError(
            f"a PRNG implementation is given by its name or by a key dtype, got {spec!r}"
        )
    if name not in _impls:
        raise ValueError(f"unknown PRNG implementation {name!r}; there are {sorted(_impls)}")
    return _impls[name]


def _key_dtype(name: str) -> KeyDType:
    return prng_impl(name).dtype


def _impl_of_tag(tag: str) -> PRNGImpl | None:
    return next((impl for impl in _impls.values() if impl.tag == tag), None)


def key_dtype_of_tag(tag: str) -> KeyDType:
    """The dtype that prints as `key<tag>`.

    Raises:
        ValueError: no registered generator has that tag.
    """
    impl = _impl_of_tag(tag)
    if impl is None:
        raise ValueError(f"no PRNG implementation has the tag {tag!r}")
    return impl.dtype


define_name(PRNGImpl, lambda impl: impl.tag, _impl_of_tag)


def _impl_of(name: str, keys: ShapedArray) -> PRNGImpl:
    """The generator of a key array."""
    if not isinstance(keys.dtype, KeyDType):
        raise TypeError(
            f"{name} takes a typed PRNG key array, got {keys.str_short()}; jx.random.key makes "
            f"keys, jx.random.wrap_key_data makes them of raw words"
        )
    return keys.dtype.impl


# --- words ---


def _wrap_type(words: ShapedArray, *, impl: PRNGImpl) -> ShapedArray:
    n = len(impl.key_shape)
    if words.dtype != np.uint32:
        raise TypeError(
            f"random_wrap: the words of a key must be uint32, got dtype {words.dtype.name}"
        )
    if words.ndim < n or words.shape[words.ndim - n :] != impl.key_shape:
        raise ShapeError(
            f"random_wrap: the words of {impl.name} keys must have a shape that ends with "
            f"{impl.key_shape}, got {words.shape}"
        )
    return ShapedArray(words.shape[: words.ndim - n], impl.dtype)


def _wrap(words: np.ndarray, *, impl: PRNGImpl) -> np.ndarray:
    flat = np.ascontiguousarray(words).reshape(-1)
    return flat.view(np.dtype((np.void, impl.dtype.itemsize))).reshape(words.shape[:-1])


def _unwrap_type(keys: ShapedArray) -> ShapedArray:
    return ShapedArray((*keys.shape, *_impl_of("random_unwrap", keys).key_shape), np.uint32)


def _unwrap(keys: np.ndarray) -> np.ndarray:
    flat = np.ascontiguousarray(keys.reshape(-1))
    return flat.view(np.uint32).reshape(*keys.shape, keys.dtype.itemsize // 4)


# Params: impl, the generator.
random_wrap_p = Primitive("random_wrap", abstract=_wrap_type, reference=_wrap)
random_unwrap_p = Primitive("random_unwrap", abstract=_unwrap_type, reference=_unwrap)


def random_wrap(words: Any, *, impl: PRNGImpl) -> Any:
    """Words as keys of a generator.

    Args:
        words: uint32 of shape (*keys, *impl.key_shape).
        impl: the generator.

    Raises:
        TypeError: the words are not uint32.
        ShapeError: their last axis does not hold one key.

    >>> random_wrap(np.zeros((2, 2), np.uint32), impl=prng_impl("threefry2x32"))
    Array((2,), dtype=key<fry>) overlaying:
    [[0 0]
     [0 0]]
    """
    return random_wrap_p.bind(words, impl=impl)


def random_unwrap(keys: Any) -> Any:
    """The words of keys: uint32 of shape (*keys.shape, *key_shape).

    Raises:
        TypeError: `keys` is no key array.

    >>> random_unwrap(random_seed(7, impl=prng_impl("threefry2x32"))).tolist()
    [0, 7]
    """
    return random_unwrap_p.bind(keys)


# --- operations on keys ---


def _seed_type(seeds: ShapedArray, *, impl: PRNGImpl) -> ShapedArray:
    if not dtypes.issubdtype(seeds.dtype, np.integer):
        raise TypeError(f"PRNG key seed must be an integer, got {seeds.str_short()}")
    return ShapedArray(seeds.shape, impl.dtype)


def _seed(seeds: Any, *, impl: PRNGImpl) -> Any:
    return random_wrap(impl.seed(seeds), impl=impl)


def _split_type(keys: ShapedArray, *, shape: Shape) -> ShapedArray:
    check_sizes("random_split", shape)
    return ShapedArray((*keys.shape, *shape), _impl_of("random_split", keys).dtype)


def _split(keys: Any, *, shape: Shape) -> Any:
    impl = typeof(keys).dtype.impl
    return random_wrap(impl.split(random_unwrap(keys), shape), impl=impl)


def _fold_in_type(keys: ShapedArray, msgs: ShapedArray) -> ShapedArray:
    impl = _impl_of("random_fold_in", keys)
    if not dtypes.issubdtype(msgs.dtype, np.integer):
        raise TypeError(f"random_fold_in: the data must be integers, got {msgs.str_short()}")
    return ShapedArray(result_shape("random_fold_in", (keys, msgs)), impl.dtype)


def _fold_in(keys: Any, msgs: Any) -> Any:
    impl = typeof(keys).dtype.impl
    shape = typeof(keys).shape or typeof(msgs).shape
    words = random_unwrap(broadcast_to(keys, shape))
    data = convert(broadcast_to(msgs, shape), np.dtype(np.uint32))
    return random_wrap(impl.fold_in(words, data), impl=impl)


def _bits_type(keys: ShapedArray, *, bit_width: int, shape: Shape) -> ShapedArray:
    _impl_of("random_bits", keys)
    check_sizes("random_bits", shape)
    if bit_width not in (8, 16, 32, 64):
        raise TypeError(f"random_bits: bit_width must be 8, 16, 32 or 64, got {bit_width}")
    return ShapedArray((*keys.shape, *shape), f"uint{bit_width}")


def _bits(keys: Any, *, bit_width: int, shape: Shape) -> Any:
    return typeof(keys).dtype.impl.random_bits(random_unwrap(keys), bit_width, shape)


def _clone_type(keys: ShapedArray) -> ShapedArray:
    _impl_of("random_clone", keys)
    return keys


# Params: of seed, impl; of split, shape; of bits, bit_width and shape. `fold_in` is elementwise.
random_seed_p = Primitive("random_seed", abstract=_seed_type, decompose=_seed)
random_split_p = Primitive("random_split", abstract=_split_type, decompose=_split)
random_fold_in_p = Primitive("random_fold_in", abstract=_fold_in_type, decompose=_fold_in)
random_bits_p = Primitive("random_bits", abstract=_bits_type, decompose=_bits)
random_clone_p = Primitive("random_clone", abstract=_clone_type, reference=lambda keys: keys)


def random_seed(seeds: Any, *, impl: PRNGImpl) -> Any:
    """Keys made from integers.

    Args:
        seeds: an integer or an array of integers. Of Python integers the lower 64 bits count,
            or the lower 32 where 64-bit dtypes are not enabled.
        impl: the generator.

    Returns:
        A key array of the seeds' shape.

    Raises:
        TypeError: the seeds are not integers.
        OverflowError: a Python integer that does not fit 64 bits.
    """
    if isinstance(seeds, int):
        if not -(2**63) <= seeds < 2**63:
            raise OverflowError(f"PRNG key seed must fit a signed 64-bit integer, got {seeds}")
        seeds = np.int64(seeds)
    if isinstance(seeds, (np.ndarray, np.generic)):
        seeds = seeds.astype(dtypes.canonicalize_dtype(seeds.dtype))
    return random_seed_p.bind(seeds, impl=impl)


def random_split(keys: Any, shape: int | Sequence[int] = 2) -> Any:
    """New keys from each key, independent of each other and of it.

    Args:
        keys: a key array.
        shape: how many, for each.

    Returns:
        A key array of shape (*keys.shape, *shape).
    """
    return random_split_p.bind(keys, shape=canonical_shape("random_split", shape))


def random_fold_in(keys: Any, msgs: Any) -> Any:
    """New keys from each key and an integer; `keys` and `msgs` broadcast.

    Args:
        keys: a key array.
        msgs: integers, of which the lower 32 bits count.
    """
    key_shape, data_shape = typeof(keys).shape, typeof(msgs).shape
    if key_shape != data_shape and key_shape and data_shape:
        shape = np.broadcast_shapes(key_shape, data_shape)
        keys, msgs = broadcast_to(keys, shape), broadcast_to(msgs, shape)
    return random_fold_in_p.bind(keys, msgs)


def random_bits(keys: Any, *, bit_width: int, shape: int | Sequence[int]) -> Any:
    """Uniform random bits: unsigned integers of `bit_width` bits.

    Args:
        keys: a key array.
        bit_width: 8, 16, 32, or, where 64-bit dtypes are enabled, 64.
        shape: how many, for each key.

    Returns:
        An array of shape (*keys.shape, *shape).

    Raises:
        TypeError: `keys` is no key array, or a bad width.
    """
    if bit_width == 64 and not enable_x64.value:
        raise TypeError(
            "random_bits: bit_width=64 needs 64-bit dtypes; run with JX_ENABLE_X64=1, or call "
            "jx.config.update('jx_enable_x64', True) first"
        )
    shape = canonical_shape("random_bits", shape)
    return random_bits_p.bind(keys, bit_width=bit_width, shape=shape)


def random_clone(keys: Any) -> Any:
    """The same keys, which a checker of keys' use counts as fresh ones."""
    return random_clone_p.bind(keys)
