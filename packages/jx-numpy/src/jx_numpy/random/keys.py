"""Keys: making them, splitting them, and looking inside.

A key is an array of dtype `key<...>`, or, as older programs have it, its raw words: an
array of uint32. Every function takes either, and functions that return keys return what
they were given.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import compiled, lax
from jx_core.aval import typeof
from jx_core.config import enable_custom_prng, legacy_prng_key
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert
from jx_core.ops.rng import (
    KeyDType,
    PRNGImpl,
    prng_impl,
    random_clone,
    random_fold_in,
    random_seed,
    random_split,
    random_unwrap,
    random_wrap,
)

from ..functions import array_function
from ..operands import a_shape, as_operand, user_stacklevel

__all__ = [
    "PRNGKey", "clone", "fold_in", "key", "key_data", "key_dtype", "key_impl", "split",
    "wrap_key_data",
]  # fmt: skip

_UINT32 = np.dtype(np.uint32)


def is_typed(keys: Any) -> bool:
    """Whether `keys` has a key dtype."""
    return isinstance(getattr(keys, "dtype", None), KeyDType)


def typed_keys(keys: Any, impl: Any = None) -> Any:
    """Keys as an array of a key dtype.

    Args:
        keys: a key array, or raw words.
        impl: the generator of raw words; the default one if None.

    Raises:
        TypeError: `keys` is neither.
    """
    if is_typed(keys):
        return keys
    if keys is None:
        raise TypeError(
            f"unexpected PRNG key type {type(keys)}: expected a key, as jx.random.key(0) makes one"
        )
    dtype, shape = getattr(keys, "dtype", None), getattr(keys, "shape", None)
    if dtype is None or shape is None:
        raise TypeError(
            f"JAX encountered invalid PRNG key data: expected key_data to have ndim, shape, and "
            f"dtype attributes. Got {keys!r:.100}. jx.random.key(seed) makes keys of integers"
        )
    if dtype != _UINT32:
        raise TypeError(
            f"JAX encountered invalid PRNG key data: expected key_data.dtype = uint32; got "
            f"dtype={dtype}. jx.random.key(seed) makes keys"
        )
    found = prng_impl(impl)
    if tuple(shape[-1:]) != found.key_shape:
        raise TypeError(
            f"JAX encountered invalid PRNG key data: expected key_data.shape to end with "
            f"{found.key_shape}; got shape={tuple(shape)} for {found.name} keys. "
            f"jx.random.wrap_key_data(words, impl='rbg') makes keys of another generator's words"
        )
    return random_wrap(keys, impl=found)


def single_key(name: str, key: Any) -> Any:
    """The one key that the function `name` was given, of a key dtype.

    Raises:
        TypeError: it is no key.
        ValueError: it is an array of several keys, or raw words under `legacy_prng_key`.
    """
    typed = typed_keys(key)
    if legacy_prng_key.value != "allow" and not is_typed(key):
        _complain_of_raw_words(name)
    if typed.shape:
        raise ShapeError(
            f"{name} accepts a single key, but was given a key array of shape "
            f"{tuple(key.shape)} != (). Use jax.vmap for batching."
        )
    return typed


def _complain_of_raw_words(name: str) -> None:
    message = (
        f"{name} got a legacy key, an array of uint32 words. jx.random.key(seed) makes typed "
        f"keys; if raw words are meant, set the option legacy_prng_key to 'allow'"
    )
    if legacy_prng_key.value == "error":
        raise ValueError(message)
    warnings.warn(message, UserWarning, stacklevel=user_stacklevel())


def like(result: Any, key: Any) -> Any:
    """Resulting keys in the form in which `key` was given: typed, or raw words."""
    return result if is_typed(key) else random_unwrap(result)


def two_keys(key: Any) -> list[Any]:
    """Two keys from one typed key."""
    return some_keys(key, 2)


def some_keys(key: Any, count: int) -> list[Any]:
    """So many keys from one typed key."""
    keys = random_split(key, (count,))
    return [lax.index_in_dim(keys, i, keepdims=False) for i in range(count)]


# --- making keys ---


def _seeded(name: str, seed: Any, impl: Any) -> Any:
    if is_typed(seed):
        raise TypeError(f"{name} accepts a scalar seed, but was given a PRNG key.")
    if not isinstance(seed, int):
        aval = typeof(as_operand(name, seed))
        if aval.shape:
            raise TypeError(
                f"{name} accepts a scalar seed, but was given an array of shape {aval.shape} != "
                f"(). Use jax.vmap for batching"
            )
    return random_seed(seed, impl=impl)


def _impl_argument(name: str, impl: Any, dtype: Any) -> PRNGImpl:
    """The generator that one of two arguments names.

    Raises:
        ValueError: both are given, or the name is unknown.
        TypeError: `dtype` is no key dtype.
    """
    if dtype is not None:
        if impl is not None:
            raise ValueError(f"{name}: give one of impl and dtype, got impl={impl!r}, {dtype=}")
        if not isinstance(dtype, KeyDType):
            raise TypeError(f"{name}: dtype must be a key dtype, got {dtype!r}")
    return prng_impl(impl if dtype is None else dtype)


def key(seed: Any, *, impl: Any = None, dtype: Any = None) -> Any:
    """A key made of an integer.

    Args:
        seed: an integer. Its lower 64 bits count, or 32 where 64-bit dtypes are off.
        impl: the generator: its name or a key dtype; the option `default_prng_impl` if None.
            `"threefry2x32"` gives the same bits everywhere, however arrays are divided among
            devices. `"rbg"` and `"unsafe_rbg"` draw bits with `lax.rng_bit_generator`, which
            XLA does faster, with other bits on a TPU than elsewhere; the latter also makes
            keys of keys in that way, which is not as safe. Under `vmap` each of a batch of
            keys draws its own bits (in JAX the first of such keys draws those of all).
        dtype: a key dtype, in place of `impl`.

    Returns:
        A key array of shape ().

    Raises:
        TypeError: the seed is no scalar integer.
        OverflowError: a Python integer of more than 64 bits.
        ValueError: an unknown generator.

    >>> jx.random.key(42).dtype
    key<fry>
    """
    return _seeded("key", seed, _impl_argument("key", impl, dtype))


def PRNGKey(seed: Any, *, impl: Any = None) -> Any:
    """A key made of an integer, as raw words: an array of uint32. See `key`.

    With the option `enable_custom_prng` on it is a typed key.

    >>> jx.random.PRNGKey(42).tolist()
    [0, 42]
    """
    made = _seeded("PRNGKey", seed, prng_impl(impl))
    return made if enable_custom_prng.value else random_unwrap(made)


def wrap_key_data(key_bits_array: Any, *, impl: Any = None, dtype: Any = None) -> Any:
    """Raw words as keys of a key dtype.

    Args:
        key_bits_array: uint32, whose last axis holds the words of one key.
        impl, dtype: as for `key`.

    Raises:
        TypeError: words of another dtype or a wrong number of them.

    >>> jx.random.wrap_key_data(jnp.array([0, 42], dtype="uint32")) == jx.random.key(42)
    Array(True, dtype=bool)
    """
    return typed_keys(key_bits_array, _impl_argument("wrap_key_data", impl, dtype))


def key_data(keys: Any) -> Any:
    """The raw words of keys: uint32, with one more axis than the keys.

    >>> jx.random.key_data(jx.random.key(42)).tolist()
    [0, 42]
    """
    return random_unwrap(keys) if is_typed(keys) else random_unwrap(typed_keys(keys))


def key_impl(keys: Any) -> str:
    """The name of the generator of keys, for the argument `impl` of other functions.

    >>> jx.random.key_impl(jx.random.key(0))
    'threefry2x32'
    """
    name: str = typed_keys(keys).dtype.impl.name
    return name


def key_dtype(impl_spec: Any = None) -> Any:
    """The dtype of the keys of a generator, by its name; of the default one for None.

    >>> jx.random.key_dtype()
    key<fry>
    """
    return prng_impl(impl_spec).dtype


# --- keys of keys ---


@array_function("num")
def split(key: Any, num: int | Sequence[int] = 2) -> Any:
    """New keys from a key, independent of each other and of it.

    Use each key once: give one new key to each function that draws numbers, and split
    another further.

    Args:
        key: a key.
        num: how many, or the shape of an array of keys.

    Returns:
        An array of keys; raw words where `key` is raw.

    Raises:
        ValueError: `key` is an array of several keys.

    >>> key, subkey = jx.random.split(jx.random.key(0))
    """
    shape = a_shape("split", num, "num")
    return like(random_split(single_key("split", key), shape), key)


def fold_in(key: Any, data: Any) -> Any:
    """A new key from a key and an integer, such as the number of a step.

    Args:
        key: a key.
        data: an integer of 32 bits.

    Raises:
        OverflowError: a Python integer that is negative or does not fit.
        TypeError: `data` is not a scalar.
        ValueError: `key` is an array of several keys.

    >>> keys = [jx.random.fold_in(jx.random.key(0), step) for step in range(3)]
    """
    if type(data) is int:
        if not 0 <= data < 2**32:
            raise OverflowError(f"fold_in: Python integer {data} out of bounds for uint32")
        data = np.uint32(data)
    return _fold_in(key, data)


@compiled
def _fold_in(key: Any, data: Any) -> Any:
    typed = single_key("fold_in", key)
    shape = typeof(as_operand("fold_in", data, 1)).shape
    if shape:
        raise TypeError(
            f"fold_in accepts a scalar, but was given an array of shape {shape} != (). Use "
            f"jax.vmap for batching."
        )
    return like(random_fold_in(typed, convert(data, _UINT32)), key)


@compiled
def clone(key: Any) -> Any:
    """The same keys, which a checker of keys' use counts as fresh ones.

    >>> key = jx.random.key(0)
    >>> jx.random.clone(key) == key
    Array(True, dtype=bool)
    """
    return like(random_clone(typed_keys(key)), key)
