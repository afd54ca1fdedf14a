"""Samples of the random family; keys are given, and come out, as their words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jx_core import lax
from jx_core.errors import ShapeError
from jx_core.ops.rng import random_bits, random_seed, random_wrap

from .sample import IMPL, ErrorSample, Sample, array, words


def samples() -> Iterator[Sample]:
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
