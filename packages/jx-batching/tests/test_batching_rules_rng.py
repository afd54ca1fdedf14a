"""Operations on keys, on batches: what each key makes does not depend on the others."""

from __future__ import annotations

import numpy as np
import pytest

from jx_batching import vmap
from jx_core import lax
from jx_core.config import threefry_partitionable
from jx_core.ops import rng as keys

FRY = keys.prng_impl("threefry2x32")


def words(*shape):
    return np.random.default_rng(1).integers(0, 2**32, (*shape, 2), dtype=np.uint32)


def on_words(fun):
    """`fun`, which takes and returns keys or arrays, as a function of and to plain words."""

    def plain(w, *rest):
        out = fun(keys.random_wrap(w, impl=FRY), *rest)
        return keys.random_unwrap(out) if out.dtype == FRY.dtype else out

    return plain


@pytest.mark.parametrize("shape", [(3,), (3, 4)])
def test_wrap_and_unwrap(check_rows, shape):
    check_rows(on_words(lambda k: k), words(*shape))


@pytest.mark.parametrize("partitionable", [True, False])
@pytest.mark.parametrize("shape", [(3,), (3, 4)])
def test_bits_and_splits(check_rows, shape, partitionable):
    with threefry_partitionable(partitionable):
        for width in (8, 32):
            check_rows(
                on_words(lambda k, n=width: keys.random_bits(k, bit_width=n, shape=(2, 5))),
                words(*shape),
            )
        check_rows(on_words(lambda k: keys.random_split(k, (2, 3))), words(*shape))


def test_fold_in(check_rows):
    check_rows(on_words(keys.random_fold_in), words(3), np.int32([5, 6, 7]))
    check_rows(on_words(keys.random_fold_in), words(3, 4), np.int32([5, 6, 7]))
    check_rows(on_words(keys.random_fold_in), words(3), np.arange(12, dtype=np.int32).reshape(3, 4))


def test_seed_and_clone(check_rows):
    check_rows(
        lambda s: keys.random_unwrap(keys.random_clone(keys.random_seed(s, impl=FRY))),
        np.int32([0, 1, 2]),
    )


def test_threefry(check_rows):
    w = words(3, 4)
    k, x = w[..., 0], w[..., 1]
    check_rows(lax.threefry2x32_p.bind, k[:, 0], x[:, 0], k, x)


def test_key_arrays_are_mapped_over():
    batch = keys.random_wrap(words(3), impl=FRY)
    out = vmap(lambda k: keys.random_bits(k, bit_width=32, shape=(2,)))(batch)
    rows = [lax.index_in_dim(batch, i, keepdims=False) for i in range(3)]
    wanted = [keys.random_bits(k, bit_width=32, shape=2) for k in rows]
    np.testing.assert_array_equal(np.asarray(out), np.stack([np.asarray(w) for w in wanted]))


def test_keys_are_selected_and_broadcast(check_rows):
    pick = on_words(lambda k, which: lax.select_n(which, k, lax.rev(k, (0,))))
    check_rows(pick, words(3, 4), np.array([True, False, True]))
