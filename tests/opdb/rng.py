"""Samples of the random family; keys are given, and come out, as their words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from jx_core import lax
from jx_core.errors import ShapeError
from jx_core.lax import RandomAlgorithm
from jx_core.ops.rng import PRNGImpl, random_bits, random_seed, random_wrap

from .sample import IMPL, IMPLS, ErrorSample, Sample, array, dtype_of, words


def samples() -> Iterator[Sample]:
    yield from _threefry()
    for impl in IMPLS[1:]:
        yield from _made_of_bits(impl)
    yield from _bit_generator()
    for dtype in ("float16", "bfloat16", "float32", "float64", "int32", "uint32", "int64"):
        bounds = tuple(np.asarray(n, dtype_of(dtype)) for n in (2, 5))
        for shape in ((), (3,), (2, 0)):
            yield Sample(lax.rng_uniform_p, bounds, {"shape": shape}, view=_between)


def _between(outs: list[Any]) -> list[Any]:
    """Whether numbers are in the range of those asked for: all that is known of them."""
    x = outs[0]
    low, high = (np.asarray(n, x.dtype)[()] for n in (2, 6))  # rows of batches have others
    return [lax.bitwise_and(lax.ge(x, low), lax.le(x, high))]


def _threefry() -> Iterator[Sample]:
    for shape in ((), (3,), (2, 3), (0, 2)):
        keys = words(shape)
        yield Sample(lax.random_wrap_p, (keys,), {"impl": IMPL})
        yield Sample(lax.random_unwrap_p, (keys,), keys=(0,))
        yield Sample(lax.random_clone_p, (keys,), keys=(0,))
        for seeds in ("int32", "int64", "uint32", "uint64", "uint8"):
            yield Sample(lax.random_seed_p, (array(shape, seeds, -99, 99),), {"impl": IMPL})
        for new in ((), (2,), (3, 2)):
            yield Sample(lax.random_split_p, (keys,), {"shape": new}, keys=(0,))
        for messages in ("int32", "uint32", "uint8", "int64"):
            yield Sample(lax.random_fold_in_p, (keys, array(shape, messages, -9, 9)), keys=(0,))
        yield Sample(lax.random_fold_in_p, (keys, np.int32(7)), keys=(0,))
        for width in (8, 16, 32, 64):
            for new in ((), (5,), (2, 3)):
                yield Sample(
                    lax.random_bits_p, (keys,), {"bit_width": width, "shape": new}, keys=(0,)
                )
        counters = [array(shape, "uint32", 0, 2**32, seed=i) for i in range(4)]
        yield Sample(lax.threefry2x32_p, tuple(counters))
    counters = [array((4,), "uint32", 0, 2**32, seed=i) for i in range(2)]
    yield Sample(lax.threefry2x32_p, (np.uint32(1), np.uint32(2), *counters), note="one key")


def _made_of_bits(impl: PRNGImpl) -> Iterator[Sample]:
    """The operations of generators that draw bits from `rng_bit_generator`."""
    for shape in ((), (2, 3), (0, 2)):
        keys = words(shape, impl=impl)
        yield Sample(lax.random_wrap_p, (keys,), {"impl": impl})
        yield Sample(lax.random_unwrap_p, (keys,), keys=(0,), impl=impl)
        yield Sample(lax.random_clone_p, (keys,), keys=(0,), impl=impl)
        for seeds in ("int32", "uint64"):
            yield Sample(lax.random_seed_p, (array(shape, seeds, -99, 99),), {"impl": impl})
        for new in ((), (2,), (3, 2)):
            yield Sample(lax.random_split_p, (keys,), {"shape": new}, keys=(0,), impl=impl)
        messages = array(shape, "int32", -9, 9)
        yield Sample(lax.random_fold_in_p, (keys, messages), keys=(0,), impl=impl)
        for width, new in ((8, (5,)), (16, ()), (32, (2, 3)), (64, (3,))):
            params = {"bit_width": width, "shape": new}
            yield Sample(lax.random_bits_p, (keys,), params, keys=(0,), impl=impl)


def _bit_generator() -> Iterator[Sample]:
    state = words((), impl=IMPLS[1])
    full = np.uint32([7, 2**32 - 1, 2**32 - 1, 2**32 - 1])
    for algorithm in RandomAlgorithm:
        for shape in ((), (7,), (2, 3), (3, 3), (0, 2)):
            for dtype in ("uint8", "uint16", "uint32", "uint64"):
                params = {"shape": shape, "dtype": np.dtype(dtype), "algorithm": algorithm}
                yield Sample(lax.rng_bit_generator_p, (state,), params, others=(full,))
        params = {"shape": (9,), "dtype": np.dtype("uint32"), "algorithm": algorithm}
        for key, note in ((full, "carries"), (full.view("uint64"), "wide"), (
            np.stack([state, full]), "two keys"
        )):  # fmt: skip
            yield Sample(lax.rng_bit_generator_p, (key,), params, note=note)


def error_samples() -> Iterator[ErrorSample]:
    floats, raw = np.zeros(2, np.float32), np.zeros(2, np.uint32)
    yield ErrorSample(
        "seed_float", lambda: random_seed(floats, impl=IMPL), TypeError, "seed must be an integer"
    )
    yield ErrorSample(
        "wrap_float", lambda: random_wrap(floats, impl=IMPL), TypeError, "must be uint32"
    )
    yield ErrorSample(
        "wrap_shape", lambda: random_wrap(raw[:1], impl=IMPL), ShapeError, r"ends with \(2,\)"
    )
    yield ErrorSample(
        "bits_of_raw", lambda: random_bits(raw, bit_width=32, shape=()), TypeError, "typed PRNG key"
    )
    yield ErrorSample(
        "bits_width", lambda: random_bits(random_wrap(raw, impl=IMPL), bit_width=7, shape=()),
        TypeError, "bit_width must be 8, 16, 32 or 64",
    )  # fmt: skip
    yield ErrorSample(
        "add_keys", lambda: lax.add(random_wrap(raw, impl=IMPL), 1), TypeError, r"key<fry>"
    )
    state, generate = np.zeros(4, np.uint32), lax.rng_bit_generator
    yield ErrorSample(
        "generator_key", lambda: generate(np.zeros(4, np.int32), (3,)), TypeError, "must be uint32"
    )
    yield ErrorSample(
        "generator_short", lambda: generate(raw, (3,)), ShapeError, r"must have shape \(4,\), got"
    )
    yield ErrorSample(
        "generator_keys", lambda: generate(np.zeros((2, 4), np.uint32), (3,)), ShapeError, "jx.vmap"
    )
    yield ErrorSample(
        "generator_dtype", lambda: generate(state, (3,), np.int32), TypeError, "unsupported dtype"
    )
    yield ErrorSample(
        "generator_name", lambda: generate(state, (3,), algorithm="philox"), TypeError,
        "must be a RandomAlgorithm, got 'philox'",
    )  # fmt: skip
    yield ErrorSample(
        "generator_shape", lambda: generate(state, (-3,)), ShapeError, "must be non-negative"
    )
    yield ErrorSample(
        "uniform_dtypes", lambda: lax.rng_uniform(np.int32(0), np.float32(1), (3,)), TypeError,
        "same dtypes",
    )  # fmt: skip
    yield ErrorSample(
        "uniform_arrays", lambda: lax.rng_uniform(floats, floats, (3,)), ShapeError, "be scalars"
    )
    yield ErrorSample(
        "uniform_int8", lambda: lax.rng_uniform(np.int8(0), np.int8(1), (3,)), TypeError,
        "does not generate int8",
    )  # fmt: skip
