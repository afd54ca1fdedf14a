"""The generators `rbg` and `unsafe_rbg`: bits from `rng_bit_generator`, fast where XLA is.

Their keys are states of it: four words. `rbg` makes keys of keys as threefry does, with each
half of a key; `unsafe_rbg` draws them as it draws bits, ten at a time to be told apart, which
is quicker and has less to say for it. Words are those of JAX for the same key. Where keys are
many, under `vmap` say, each gives its own; JAX draws the whole batch from the first of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...aval import typeof
from ..elementwise import bitwise_xor
from ..indexing import index_in_dim, slice_in_dim
from ..shape import broadcast_in_dim, concatenate, reshape, transpose
from .bit_generator import RandomAlgorithm, rng_bit_generator_p
from .keys import PRNGImpl, register_prng_impl
from .threefry import threefry_prng_impl

Shape = tuple[int, ...]

_DRAWS = 10  # of which the one kept is far enough from the next key's


def _seed(seeds: Any) -> Any:
    half = threefry_prng_impl.seed(seeds)
    return concatenate([half, half], typeof(half).ndim - 1)


def _draw(words: Any, bit_width: int, shape: Shape) -> Any:
    _, bits = rng_bit_generator_p.bind(
        words,
        shape=shape,
        dtype=np.dtype(f"uint{bit_width}"),
        algorithm=RandomAlgorithm.RNG_DEFAULT,
    )
    return bits


def _halves(words: Any) -> Any:
    """Keys as pairs of threefry's keys, of shape (*keys, 2, 2)."""
    return reshape(words, (*typeof(words).shape[:-1], 2, 2))


def _split(words: Any, shape: Shape) -> Any:
    keys = typeof(words).shape[:-1]
    new = threefry_prng_impl.split(_halves(words), shape)  # (*keys, half, *shape, 2)
    n, rank = len(keys), len(keys) + len(shape)
    order = (*range(n), *range(n + 1, rank + 1), n, rank + 1)
    return reshape(transpose(new, order), (*keys, *shape, 4))


def _fold_in(words: Any, data: Any) -> Any:
    keys = typeof(words).shape[:-1]
    twice = broadcast_in_dim(data, (*keys, 2), tuple(range(len(keys))))
    return reshape(threefry_prng_impl.fold_in(_halves(words), twice), (*keys, 4))


def _unsafe_split(words: Any, shape: Shape) -> Any:
    keys = typeof(words).shape[:-1]
    drawn = _draw(words, 32, (_DRAWS * math.prod(shape), 4))
    return reshape(slice_in_dim(drawn, None, None, _DRAWS, axis=-2), (*keys, *shape, 4))


def _unsafe_fold_in(words: Any, data: Any) -> Any:
    drawn = _draw(_seed(data), 32, (_DRAWS, 4))
    return bitwise_xor(words, index_in_dim(drawn, -1, -2, keepdims=False))


rbg_prng_impl = register_prng_impl(
    PRNGImpl((4,), _seed, _split, _draw, _fold_in, name="rbg", tag="rbg")
)
unsafe_rbg_prng_impl = register_prng_impl(
    PRNGImpl((4,), _seed, _unsafe_split, _draw, _unsafe_fold_in, name="unsafe_rbg", tag="urbg")
)
