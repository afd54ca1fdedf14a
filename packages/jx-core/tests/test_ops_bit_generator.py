"""Bits from states: the ciphers' known answers, and words that XLA on a CPU gave."""

import numpy as np
import pytest

from jx_core import backend, lax, make_jaxpr
from jx_core.config import enable_x64
from jx_core.lax import RandomAlgorithm
from jx_core.ops.rng import bit_generator

STATE = np.uint32([1, 2, 3, 4])
PHILOX = [0x1E8FE864, 0x4D5E0BD7, 0x4B87C9BE, 0x2D689201, 0x5273487B, 0x61C05696, 0xA4486574,
          0x806FD7EF, 0x9A2C32B7]  # fmt: skip
THREEFRY = [0x5DF433EC, 0x8617198E, 0x2C24A8A8, 0x9094FA5E, 0x91386643, 0x59491919, 0x4F97FB5B,
            0x86B875A7, 0xED54BB55, 0xEBA66656, 0xE339716A, 0x7896BCD0]  # fmt: skip


@pytest.fixture(autouse=True)
def numpy_backend():
    with backend.use("numpy"):
        yield


def bits(shape, dtype="uint32", algorithm=RandomAlgorithm.RNG_PHILOX, state=STATE):
    return lax.rng_bit_generator(state, shape, dtype, algorithm)[1]


def state_after(shape, dtype="uint32", algorithm=RandomAlgorithm.RNG_PHILOX, state=STATE):
    return lax.rng_bit_generator(state, shape, dtype, algorithm)[0].tolist()


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([2**32 - 1] * 4, [2**32 - 1] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)  # fmt: skip
def test_philoxs_known_answers(counter, key, expected):
    """Those of the Random123 library (Salmon et al.)."""
    outs = bit_generator._philox4x32([np.uint32(k) for k in key], [np.uint32(c) for c in counter])
    assert [int(o) for o in outs] == expected


@pytest.mark.parametrize("algorithm", [RandomAlgorithm.RNG_DEFAULT, RandomAlgorithm.RNG_PHILOX])
def test_philox_fills_arrays_in_order(algorithm):
    for n in (0, 1, 4, 5, 9):
        assert bits((n,), algorithm=algorithm).tolist() == PHILOX[:n]
        assert state_after((n,), algorithm=algorithm) == [1, 2, 3 + -(-n // 4), 4]
    assert sum(bits((3, 3), algorithm=algorithm).tolist(), []) == PHILOX
    assert bits((), algorithm=algorithm).tolist() == PHILOX[0]
    assert bits((3,), "uint8", algorithm).tolist() == [w % 256 for w in PHILOX[:3]]
    assert bits((3,), "uint16", algorithm).tolist() == [w % 2**16 for w in PHILOX[:3]]


def test_threefry_lays_the_words_of_a_block_along_one_axis():
    def threefry(shape):
        return bits(shape, algorithm=RandomAlgorithm.RNG_THREE_FRY).tolist()

    first, second = THREEFRY[::2], THREEFRY[1::2]
    assert threefry((7,)) == THREEFRY[:7]
    assert threefry((2, 3)) == [first[:3], second[:3]]
    assert threefry((3, 2)) == [THREEFRY[i : i + 2] for i in (0, 2, 4)]
    assert threefry((3, 3))[:2] == [first[:3], second[:3]] and threefry((3, 3))[2] == first[3:6]
    assert threefry(()) == THREEFRY[0]
    after = state_after((3, 3), algorithm=RandomAlgorithm.RNG_THREE_FRY)
    assert after == [1, 2, 9, 4]


def test_words_of_64_bits():
    with enable_x64(True):
        pairs = [h << 32 | low for low, h in zip(PHILOX[::2], PHILOX[1::2], strict=False)]
        assert bits((3,), "uint64").tolist() == pairs[:3]
        pairs = [h << 32 | low for low, h in zip(THREEFRY[::2], THREEFRY[1::2], strict=True)]
        drawn = bits((2, 3), "uint64", RandomAlgorithm.RNG_THREE_FRY)
        assert sum(drawn.tolist(), []) == pairs
        assert state_after((2, 3), "uint64", RandomAlgorithm.RNG_THREE_FRY) == [1, 2, 9, 4]
        wide = STATE.view(np.uint64)
        assert bits((5,), state=wide).tolist() == PHILOX[:5]
        assert state_after((5,), state=wide) == [1 + (2 << 32), 5 + (4 << 32)]


def test_counts_carry_into_the_higher_words():
    state = np.uint32([1, 2, 2**32 - 2, 2**32 - 1])
    drawn = bits((12,), state=state).tolist()
    assert drawn[::4] == [0x91727C03, 0x3427FC20, 0x409ECD8]
    assert state_after((20,), state=state) == [1, 2, 3, 0]
    drawn = bits((20,), algorithm=RandomAlgorithm.RNG_THREE_FRY, state=state).tolist()
    assert (drawn[0], drawn[19]) == (0xF549DE6F, 0x9C3964D6)


def test_programs_print_what_is_drawn():
    text = str(make_jaxpr(lambda k: lax.rng_bit_generator(k, (3,)))(STATE))
    assert "algorithm=RandomAlgorithm.RNG_DEFAULT" in text
    text = str(make_jaxpr(lambda z: lax.fft(z, "ifft", (3,)))(np.zeros(3, np.complex64)))
    assert "fft[fft_lengths=(3,) fft_type=FftType.IFFT]" in text


def test_uniform_numbers_differ_each_time_and_lie_between_the_bounds():
    for dtype in (np.float16, np.float32, np.int32, np.uint32):
        x = lax.rng_uniform(dtype(3), dtype(8), (1000,))
        assert x.dtype == dtype and 3 <= float(x.value.min()) and float(x.value.max()) <= 8
        assert x.tolist() != lax.rng_uniform(dtype(3), dtype(8), (1000,)).tolist()
    assert set(lax.rng_uniform(0, 3, (1000,)).tolist()) == {0, 1, 2}
    assert lax.rng_uniform(0.0, 1.0, ()).aval.weak_type
