"""Batching operations on keys: every key makes its own keys or bits, wherever it lies.

The primitives put what one key makes on new axes at the end, so a batch of keys needs no
more than to be left alone; where the key is an array of words, these have to stay last.
"""

from __future__ import annotations

from typing import Any

from jx_core import Primitive, lax, typeof
from jx_core.lax import (
    random_bits_p,
    random_clone_p,
    random_fold_in_p,
    random_seed_p,
    random_split_p,
    random_unwrap_p,
    random_wrap_p,
    rng_bit_generator_p,
    rng_uniform_p,
    threefry2x32_p,
)
from jx_core.ops.rng import PRNGImpl

from ..axes import at_axis, move_axis
from ..tables import BatchAxis, defbatch
from .alignment import Dims, Operands, define_elementwise

define_elementwise(threefry2x32_p, random_fold_in_p)


def _define_per_key(primitive: Primitive) -> None:
    @defbatch(primitive)
    def _(batch: BatchAxis, operands: Operands, dims: Dims, **params: Any) -> tuple[Any, Any]:
        return primitive.bind(operands[0], **params), dims[0]


for _p in (random_bits_p, random_clone_p, random_seed_p, random_split_p, random_unwrap_p):
    _define_per_key(_p)


@defbatch(random_wrap_p)
def _(batch: BatchAxis, operands: Operands, dims: Dims, *, impl: PRNGImpl) -> tuple[Any, int]:
    (words,), (dim,) = operands, dims
    assert dim is not None
    # The axes of one key's words have to stay last.
    last = typeof(words).ndim - 1 - len(impl.key_shape)
    words, dim = (words, dim) if dim <= last else (move_axis(words, dim, 0), 0)
    return random_wrap_p.bind(words, impl=impl), dim


@defbatch(rng_bit_generator_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, **params: Any
) -> tuple[list[Any], list[int]]:
    (key,), (dim,) = operands, dims
    assert dim is not None
    return rng_bit_generator_p.bind(move_axis(key, dim, 0), **params), [0, 0]


@defbatch(rng_uniform_p)
def _(
    batch: BatchAxis, operands: Operands, dims: Dims, *, shape: tuple[int, ...]
) -> tuple[Any, int]:
    """Row by row: each has bounds of its own, and draws for itself."""
    bounds = tuple(at_axis(x, d, batch.size) for x, d in zip(operands, dims, strict=True))
    _, rows = lax.scan(lambda c, ab: (c, rng_uniform_p.bind(*ab, shape=shape)), None, bounds)
    return rows, 0
