"""Lowering of random bits, and of keys, which are held as their words.

Splitting, folding and drawing bits have decompositions into arithmetic on words, or into
`rng_bit_generator`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import ShapedArray, lax
from jx_core.lax import RandomAlgorithm
from jx_core.staging import trace_to_jaxpr

from .builder import Block, Value
from .elementwise import convert
from .program import constants, lower_jaxpr
from .tables import Context, deflower
from .types import tensor, type_of

_UINT32 = np.dtype(np.uint32)
_STATE = "tensor<2xui64>"
_WORDS, _PAIRS = "tensor<4xui32>", "tensor<2x2xui32>"


@deflower(lax.random_wrap_p)
def _wrap(ctx: Context, words: Value, *, impl: Any) -> Value:
    return words


@deflower(lax.random_unwrap_p)
def _unwrap(ctx: Context, keys: Value) -> Value:
    return keys


@deflower(lax.random_clone_p)
def _clone(ctx: Context, keys: Value) -> Value:
    return keys


@deflower(lax.rng_bit_generator_p)
def _rng_bit_generator(ctx: Context, key: Value, **params: Any) -> list[Value]:
    """XLA's operation for one key; it has none for several."""
    block, (aval,), (_, bits) = ctx.block, ctx.in_avals, ctx.out_avals
    if aval.ndim > 1:
        return _of_many(ctx, key, params)
    narrow = aval.dtype == _UINT32  # XLA wants the state as two words of 64 bits
    state = _as_state(block, key) if narrow else key
    # Bits of less than 32 bits are the lower ones of those of 32; not every platform has them.
    drawn = ShapedArray(bits.shape, bits.dtype if bits.dtype.itemsize >= 4 else _UINT32)
    algorithm: RandomAlgorithm = params["algorithm"]
    state, out = block.ops(
        "stablehlo.rng_bit_generator", (state,), (_STATE,), (_STATE, type_of(drawn)),
        f"rng_algorithm = #stablehlo<rng_algorithm {algorithm.name.removeprefix('RNG_')}>",
    )  # fmt: skip
    return [
        _as_words(block, state) if narrow else state,
        convert(block, out, drawn, bits.dtype),
    ]


def _of_many(ctx: Context, keys: Value, params: dict[str, Any]) -> list[Value]:
    decompose: Any = lax.rng_bit_generator_p.decompose
    jaxpr, consts = trace_to_jaxpr(
        lambda k: decompose(k, **params), ctx.in_avals, "rng_bit_generator"
    )
    return lower_jaxpr(ctx.block, jaxpr, constants(ctx.block, consts), [keys])


def _as_state(block: Block, words: Value) -> Value:
    pairs = block.op("stablehlo.reshape", (words,), (_WORDS,), _PAIRS)
    return block.op("stablehlo.bitcast_convert", (pairs,), (_PAIRS,), _STATE)


def _as_words(block: Block, state: Value) -> Value:
    pairs = block.op("stablehlo.bitcast_convert", (state,), (_STATE,), _PAIRS)
    return block.op("stablehlo.reshape", (pairs,), (_PAIRS,), _WORDS)


@deflower(lax.rng_uniform_p)
def _rng_uniform(ctx: Context, a: Value, b: Value, *, shape: tuple[int, ...]) -> Value:
    block, kinds = ctx.block, [type_of(x) for x in ctx.in_avals]
    size = block.constant(np.array(shape, np.int64), np.int64)
    return block.op(
        "stablehlo.rng", (a, b, size), (*kinds, tensor((len(shape),), np.dtype(np.int64))),
        type_of(ctx.out), "rng_distribution = #stablehlo<rng_distribution UNIFORM>",
    )  # fmt: skip
