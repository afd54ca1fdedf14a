"""Threefry and typed keys: bit for bit what JAX 0.10.2 gives, in every layout and width.

The recorded words were printed by JAX 0.10.2; those of the cipher are from the known-answer
tests of the Random123 library (Salmon et al.).
"""

import pickle

import numpy as np
import pytest

from jx_core import ShapedArray, backend, dtypes, lax, make_jaxpr, typeof
from jx_core.backend import Array
from jx_core.config import default_prng_impl, enable_x64, threefry_partitionable
from jx_core.errors import ShapeError
from jx_core.jaxpr import eval_jaxpr
from jx_core.ops import rng
from jx_core.ops.rng import threefry

FRY = rng.prng_impl("threefry2x32")


@pytest.fixture(autouse=True)
def numpy_backend():
    with backend.use("numpy"):
        yield


def key(seed):
    return rng.random_seed(seed, impl=FRY)


def words(keys):
    return rng.random_unwrap(keys).tolist()


def u32(*values):
    return np.array(values, np.uint32)


# --- the cipher ---


@pytest.mark.parametrize(
    ("k", "counter", "expected"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_the_ciphers_known_answers(k, counter, expected):
    operands = [np.uint32(w) for w in (*k, *counter)]
    assert [int(y) for y in rng.threefry2x32_p.bind(*operands)] == list(expected)
    assert [int(y) for y in rng.threefry2x32_p.decompose(*operands)] == list(expected)


def test_the_cipher_is_elementwise():
    k, x = u32(1, 2, 3), u32(7, 8, 9)
    y0, y1 = rng.threefry2x32_p.bind(k, np.uint32(5), x, np.uint32(0))
    for i in range(3):
        single = rng.threefry2x32_p.bind(k[i], np.uint32(5), x[i], np.uint32(0))
        assert [int(y0.value[i]), int(y1.value[i])] == [int(y) for y in single]


def test_the_cipher_takes_32_bit_words_of_one_shape():
    with pytest.raises(TypeError, match=r"must have uint32 type, got u32\[\], u32\[\], i32\[3\]"):
        rng.threefry2x32_p.bind(np.uint32(0), np.uint32(0), np.arange(3), np.arange(3))
    with pytest.raises(TypeError, match="incompatible shapes"):
        rng.threefry2x32_p.bind(u32(1, 2), u32(1, 2, 3), np.uint32(0), np.uint32(0))


def test_counters_are_enciphered_by_halves():
    result = rng.threefry_2x32(u32(1, 2), np.arange(5, dtype=np.uint32))
    assert result.tolist() == [2052595727, 3504730591, 2527474599, 1880214352, 1914734168]
    even = rng.threefry_2x32(u32(1, 2), np.arange(4, dtype=np.uint32).reshape(2, 2))
    assert even.shape == (2, 2)
    many = rng.threefry_2x32(np.stack([u32(0, 0), u32(1, 2)]), np.arange(5, dtype=np.uint32))
    assert many.tolist()[1] == result.tolist()


# --- seeds ---

SEEDS = [0, 42, -1, 2**31, 2**32 + 5, 2**40 + 3, -(2**40) - 3, 2**63 - 1, -(2**63), True]
SEEDS += [np.int8(-1), np.uint8(200), np.int16(-7), np.uint32(2**32 - 1), np.int64(2**40 + 3)]
SEEDS += [np.uint64(2**63 + 1)]
LOWER = [0, 42, 4294967295, 2147483648, 5, 3, 4294967293, 4294967295, 0, 1]
LOWER += [4294967295, 200, 4294967289, 4294967295, 3, 1]
UPPER_X64 = [0, 0, 4294967295, 0, 1, 256, 4294967039, 2147483647, 2147483648, 0]
UPPER_X64 += [0, 0, 0, 0, 256, 2147483648]


@pytest.mark.parametrize(
    ("seed", "lower", "upper"), list(zip(SEEDS, LOWER, UPPER_X64, strict=True))
)
def test_a_seed_gives_its_bits_to_the_key(seed, lower, upper):
    with enable_x64(False):
        assert words(key(seed)) == [0, lower]
    with enable_x64(True):
        assert words(key(seed)) == [upper, lower]


def test_seeds_come_in_arrays_and_as_tracers():
    assert words(key(np.array([[3, -1]]))) == [[[0, 3], [0, 4294967295]]]
    jaxpr = make_jaxpr(key)(7)
    (out,) = eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, 7)
    assert words(out) == [0, 7]


def test_what_is_no_seed():
    with pytest.raises(OverflowError, match="must fit a signed 64-bit integer, got 9223372036854"):
        key(2**63)
    with pytest.raises(TypeError, match=r"PRNG key seed must be an integer, got f32\[\]"):
        key(1.5)


# --- keys and bits, as recorded ---

SEED = 2**40 + 3  # [0, 3] with 32-bit integers, [256, 3] with 64-bit ones

SPLIT = [[[3716834203, 3481239269], [1946498123, 2217676430]],
         [[1024511538, 2603795180], [877192987, 3448417067]]]  # fmt: skip
SPLIT_IN_ONE_STREAM = [[[1363109171, 3672965406], [3506557718, 2090924523]],
                       [[377266333, 202389534], [3684862355, 1614000983]]]  # fmt: skip
THREE_IN_ONE_STREAM = [[877192987, 1614509672], [1950127089, 3448417067], [2823528474, 3529024829]]


def test_split():
    assert words(rng.random_split(key(SEED), (2, 2))) == SPLIT
    with threefry_partitionable(False):
        assert words(rng.random_split(key(SEED), (2, 2))) == SPLIT_IN_ONE_STREAM
        assert words(rng.random_split(key(SEED), 3)) == THREE_IN_ONE_STREAM


def test_fold_in():
    assert words(rng.random_fold_in(key(SEED), np.int32(-1))) == [2506949003, 3416577034]
    assert words(rng.random_fold_in(key(SEED), 7)) == [2647473427, 4234374204]
    with enable_x64(True):
        assert words(rng.random_fold_in(key(SEED), 7)) == [2676586055, 4032449802]


# By width: bits of shape (2, 3), and of shape ().
BITS = {
    8: ([[126, 197, 222], [48, 174, 101]], 126),
    16: ([[7550, 15045, 3294], [19504, 50606, 28261]], 7550),
    32: ([[318053758, 4029299397, 2787249374], [4190260272, 1195623854, 2503700069]], 318053758),
    64: ([[8175041411427140867, 8152055432657374039, 17553935170961941357],
          [3739036583016669278, 11386760547789901462, 14020045478222519661]],
         8175041411427140867),
}  # fmt: skip
# The same in the layout of one stream: of shapes (5,), (), (2, 2) and (0,).
BITS_IN_ONE_STREAM = {
    8: ([75, 52, 5, 116, 142], 155, [[155, 99], [138, 221]], []),
    16: ([52786, 15632, 46739, 1376, 49900], 25499, [[13387, 29701], [3726, 33839]], []),
    32: ([877192987, 1614509672, 4140764773, 3448417067, 2823528474], 3716834203,
         [[1024511538, 47757680], [2603795180, 1437962712]], []),
    64: ([14020045478222519661, 51514060733332570, 18177548878521669193, 12011991124737941532,
          15873384577678003079], 8152055432657374039,
         [[11386760547789901462, 1246910917411678906],
          [53351659319138496, 4715230351034985563]], []),
}  # fmt: skip


@pytest.mark.parametrize("width", BITS)
def test_bits_of_every_width(width):
    with enable_x64(width == 64):
        for shape, expected in zip(((2, 3), ()), BITS[width], strict=True):
            bits = rng.random_bits(key(SEED), bit_width=width, shape=shape)
            assert bits.tolist() == expected
            assert bits.dtype == np.dtype(f"uint{width}")


@pytest.mark.parametrize("width", BITS_IN_ONE_STREAM)
def test_bits_in_the_layout_of_one_stream(width):
    with enable_x64(width == 64), threefry_partitionable(False):
        for shape, expected in zip(
            ((5,), (), (2, 2), (0,)), BITS_IN_ONE_STREAM[width], strict=True
        ):
            bits = rng.random_bits(key(SEED), bit_width=width, shape=shape)
            assert bits.tolist() == expected
            assert bits.dtype == np.dtype(f"uint{width}")


def test_bits_do_not_depend_on_the_arrays_shape_but_on_the_index():
    flat = rng.random_bits(key(1), bit_width=32, shape=12).tolist()
    grid = rng.random_bits(key(1), bit_width=32, shape=(2, 1, 6)).tolist()
    assert sum((row[0] for row in grid), []) == flat
    assert rng.random_bits(key(1), bit_width=32, shape=(5,)).tolist() == flat[:5]


@pytest.mark.parametrize("partitionable", [True, False])
def test_arrays_of_keys_are_as_good_as_their_keys_one_by_one(partitionable):
    with threefry_partitionable(partitionable):
        many = rng.random_split(key(5), (2, 3))
        singles = [[lax.squeeze(lax.slice(many, (i, j), (i + 1, j + 1)), (0, 1)) for j in range(3)]
                   for i in range(2)]  # fmt: skip
        for f in (
            lambda k: rng.random_split(k, 2),
            lambda k: rng.random_split(k, (3, 1)),
            lambda k: rng.random_fold_in(k, 9),
        ):
            assert words(f(many)) == [[words(f(k)) for k in row] for row in singles]
        for width in (8, 16, 32):
            for shape in ((), (5,), (2, 2), (1,), (0,)):

                def draw(k, width=width, shape=shape):
                    return rng.random_bits(k, bit_width=width, shape=shape).tolist()

                assert draw(many) == [[draw(k) for k in row] for row in singles]


def test_fold_in_broadcasts():
    keys = rng.random_split(key(0), 3)
    assert words(rng.random_fold_in(key(0), np.arange(3))) == [
        words(rng.random_fold_in(key(0), i)) for i in range(3)
    ]
    table = rng.random_fold_in(keys, np.arange(2)[:, None])
    assert table.shape == (2, 3)
    assert words(table)[1] == words(rng.random_fold_in(keys, 1))


def test_indices_beyond_32_bits_carry_into_the_higher_word():
    counts = [u32(0, 3, 70_000, 2**32 - 1), u32(0, 2**32 - 1, 5, 2**31)]
    strides = [3 * 2**33 + 12345, 2**31 + 1]
    high, low = threefry.linear_words(counts, strides, wide=True)
    for i in range(4):
        exact = sum(int(c[i]) * s for c, s in zip(counts, strides, strict=True)) % 2**64
        assert (int(high.value[i]) << 32 | int(low.value[i])) == exact


def test_index_words_count_in_row_major_order():
    high, low = threefry.index_words((2, 1, 3))
    assert int(high) == 0
    assert low.tolist() == [[[0, 1, 2]], [[3, 4, 5]]]


# --- keys as a type ---


def test_the_dtype_of_keys():
    k = key(0)
    assert typeof(k) is ShapedArray((), FRY.dtype)
    assert k.dtype.name == str(k.dtype) == "key<fry>"
    assert dtypes.issubdtype(k.dtype, dtypes.prng_key)
    assert k.dtype.itemsize == 8
    assert k.dtype == FRY.dtype
    assert isinstance(k, Array)
    assert k.value.dtype == "V8"


def test_words_and_keys_are_inverse():
    raw = np.arange(12, dtype=np.uint32).reshape(2, 3, 2)
    keys = rng.random_wrap(raw, impl=FRY)
    assert keys.shape == (2, 3)
    assert words(keys) == raw.tolist()
    turned = rng.random_unwrap(lax.transpose(keys, (1, 0)))
    assert turned.tolist() == raw.transpose(1, 0, 2).tolist()
    nothing = rng.random_wrap(np.zeros((0, 2), np.uint32), impl=FRY)
    assert nothing.shape == (0,)
    assert words(nothing) == []


def test_a_clone_is_the_same_key():
    assert words(rng.random_clone(key(3))) == [0, 3]


def test_programs_with_keys_print_as_in_jax():
    def program(seed):
        keys = rng.random_split(key(seed), 2)
        return rng.random_bits(keys, bit_width=8, shape=(3,))

    assert str(make_jaxpr(program)(0)).split("\n")[1:4] == [
        "    b:key<fry>[] = random_seed[impl=fry] a",
        "    c:key<fry>[2] = random_split[shape=(2,)] b",
        "    d:u8[2,3] = random_bits[bit_width=8 shape=(3,)] c",
    ]


def test_generators_by_name():
    assert rng.prng_impl() is rng.prng_impl("threefry2x32") is rng.prng_impl(FRY) is FRY
    assert rng.prng_impl(FRY.dtype) is FRY
    assert pickle.loads(pickle.dumps(FRY)) is FRY
    assert pickle.loads(pickle.dumps(FRY.dtype)) == FRY.dtype
    with pytest.raises(ValueError, match="unknown PRNG implementation 'philox2x32'; there are"):
        with default_prng_impl("philox2x32"):
            rng.prng_impl()
    with pytest.raises(TypeError, match="by its name or by a key dtype, got 3"):
        rng.prng_impl(3)
    with pytest.raises(ValueError, match="'threefry2x32' is registered already"):
        rng.register_prng_impl(FRY)


def test_a_generator_of_ones_own():
    counter = rng.PRNGImpl(
        (1,),
        seed=lambda seeds: lax.expand_dims(lax.convert_element_type(seeds, np.uint32), (-1,)),
        split=lambda w, shape: lax.add(
            lax.squeeze(w, (0,)), lax.broadcasted_iota(np.uint32, (*shape, 1), 0)
        ),
        random_bits=lambda w, width, shape: lax.broadcast(lax.squeeze(w, (0,)), shape),
        fold_in=lambda w, data: lax.add(w, data),
        name="counter",
        tag="cnt",
    )
    k = rng.random_seed(40, impl=counter)
    assert repr(k.dtype) == "key<cnt>"
    assert words(rng.random_split(k, 3)) == [[40], [41], [42]]
    assert rng.random_bits(k, bit_width=32, shape=2).tolist() == [40, 40]
    assert k.dtype != FRY.dtype
    with pytest.raises(ValueError, match=r"key_shape must have one axis, got \(2, 2\)"):
        rng.PRNGImpl((2, 2), *[lambda *a: None] * 4, name="square", tag="sq")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rng.random_unwrap(np.arange(3)), TypeError, r"typed PRNG key array, got i32\[3\]"),
        (lambda: rng.random_split(u32(0, 0)), TypeError, "random_split takes a typed PRNG key"),
        (lambda: rng.random_clone(1), TypeError, "random_clone takes a typed PRNG key"),
        (lambda: rng.random_split(key(0), (-1,)), ShapeError, "must be non-negative"),
        (lambda: rng.random_fold_in(key(0), 1.0), TypeError, "the data must be integers, got f32"),
        (
            lambda: rng.random_bits(key(0), bit_width=12, shape=(3,)),
            TypeError,
            "bit_width must be 8, 16, 32 or 64, got 12",
        ),
        (
            lambda: rng.random_bits(key(0), bit_width=64, shape=(3,)),
            TypeError,
            "bit_width=64 needs 64-bit dtypes; run with JX_ENABLE_X64=1",
        ),
        (
            lambda: rng.random_wrap(np.arange(2), impl=FRY),
            TypeError,
            "words of a key must be uint32, got dtype int32",
        ),
        (
            lambda: rng.random_wrap(u32(1, 2, 3), impl=FRY),
            ShapeError,
            r"threefry2x32 keys must have a shape that ends with \(2,\), got \(3,\)",
        ),
    ],
)
def test_bad_arguments_say_what_was_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
