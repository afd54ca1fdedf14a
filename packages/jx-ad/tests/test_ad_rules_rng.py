"""Random bits have no derivative, and stand in nobody's way."""

import numpy as np

from jx_ad import grad
from jx_core import lax
from jx_core.ops import rng


def random_words():
    key = rng.random_seed(np.int32(0), impl=rng.prng_impl("threefry2x32"))
    return rng.random_bits(key, bit_width=32, shape=(3,))


def test_random_numbers_are_constants_to_a_gradient():
    def f(x):
        words = lax.shift_right_logical(random_words(), np.uint32(9))
        return lax.reduce_sum(lax.mul(lax.convert_element_type(words, np.float32), x), (0,))

    expected = np.sum(np.asarray(random_words()) >> 9, dtype=np.float64)
    np.testing.assert_allclose(grad(f)(2.0), expected, rtol=1e-6)
