"""Products and convolutions: against NumPy and brute force, and what bad input gets."""

import itertools

import ml_dtypes
import numpy as np
import pytest

from jx_core import backend, lax, make_jaxpr
from jx_core.config import default_matmul_precision, enable_x64
from jx_core.errors import ShapeError
from jx_core.ops.rng import prng_impl, random_seed

RNG = np.random.default_rng(0)
BF16 = ml_dtypes.bfloat16


def numbers(*shape, dtype=np.float32):
    if dtype == np.bool_:
        return RNG.integers(0, 2, shape).astype(bool)
    return RNG.integers(-4, 5, shape).astype(dtype)


def ones(*shape, dtype=np.float32):
    return np.ones(shape, dtype)


@pytest.fixture(autouse=True)
def numpy_backend():
    with backend.use("numpy"):
        yield


# --- dot_general ---


@pytest.mark.parametrize(
    ("lhs", "rhs", "dims", "formula"),
    [
        ((2, 3), (3, 4), (((1,), (0,)), ((), ())), "ik,kj->ij"),
        ((3,), (3,), (((0,), (0,)), ((), ())), "k,k->"),
        ((2, 3), (4, 5), (((), ()), ((), ())), "ab,cd->abcd"),
        ((), (3,), (((), ()), ((), ())), ",a->a"),
        ((2, 3, 4), (4, 2, 5), (((2,), (0,)), ((0,), (1,))), "bik,kbj->bij"),
        ((4, 2, 3, 5), (5, 3, 4, 6), (((3, 0), (0, 2)), ((2,), (1,))), "kbcl,lckj->cbj"),
        ((2, 0), (0, 4), (((1,), (0,)), ((), ())), "ik,kj->ij"),
        ((0, 3), (3, 4), (((1,), (0,)), ((), ())), "ik,kj->ij"),
        ((2, 3), (2, 3), (((), ()), ((0, 1), (0, 1))), "ab,ab->ab"),
        ((2, 3), (3, 2), (((), ()), ((1, 0), (0, 1))), "ab,ba->ba"),
    ],
)
def test_dot_general_is_an_einsum(lhs, rhs, dims, formula):
    for dtype in (np.float32, np.int32, np.complex64):
        x, y = numbers(*lhs, dtype=dtype), numbers(*rhs, dtype=dtype)
        result = lax.dot_general(x, y, dims)
        np.testing.assert_allclose(result, np.einsum(formula, x, y))
        assert result.dtype == dtype


def test_sums_of_narrow_floats_are_kept_in_float32():
    for dtype in (BF16, np.float16):
        x = np.full(4096, 1.0, dtype)  # 1 + 4095 is beyond what a bfloat16 sum can count
        assert float(lax.dot(x, x)) == 4096


def test_integers_wrap_around_unless_a_wider_sum_is_asked_for():
    x = np.full((2,), 100, np.int8)
    assert int(lax.dot(x, x)) == np.int32(20000).astype(np.int8)
    result = lax.dot(x, x, preferred_element_type=np.int32)
    assert int(result) == 20000
    assert result.dtype == np.int32
    y = np.full(3, 7, ml_dtypes.int4)
    assert int(lax.dot(y, y).value) == np.int32(147).astype(ml_dtypes.int4)
    assert int(lax.dot(y, y, preferred_element_type=np.int32)) == 147


def test_booleans_or_ands():
    x, y = numbers(3, 4, dtype=np.bool_), numbers(4, 2, dtype=np.bool_)
    np.testing.assert_array_equal(lax.dot(x, y), (x.astype(int) @ y.astype(int)) > 0)


# What JAX 0.10.2 gives for operands of different dtypes.
@pytest.mark.parametrize(
    ("lhs", "rhs", "expected"),
    [
        ("bool", "int8", "int8"),
        ("int4", "int8", "int8"),
        ("int32", "uint32", "int32"),
        ("uint32", "int32", "int32"),
            ("uint8", "int8", "int8"),
            ("float8_e4m3fnuz", "float8_e4m3fn", "float8_e4m3fn"),
            ("complex64", "float64", "complex64"),
        ("int32", "float8_e5m2", "float8_e5m2"),
        ("float8_e4m3fn", "float8_e5m2", "float8_e5m2"),
        ("float8_e4m3fn", "float8_e3m4", "float8_e4m3fn"),
        ("float16", "float8_e8m0fnu", "float8_e8m0fnu"),
        ("float16", "bfloat16", "bfloat16"),
        ("bfloat16", "float16", "bfloat16"),
        ("bfloat16", "float32", "float32"),
        ("complex64", "float32", "complex64"),
    ],
)
def test_of_two_dtypes_the_broader_is_the_results(lhs, rhs, expected):
    x, y = ones(2).astype(np.dtype(lhs)), ones(2).astype(np.dtype(rhs))
    assert lax.dot(x, y).dtype.name == expected
    assert lax.dot(x, y, preferred_element_type=np.complex64).dtype == np.complex64


def test_weak_types_of_products():
    def weak(f):
        return make_jaxpr(lambda v: f(lax.broadcast(v, (3,))))(1.0).out_avals[0].weak_type

    assert weak(lambda x: lax.dot(x, x))
    assert not weak(lambda x: lax.dot(x, ones(3)))
    assert not weak(lambda x: lax.dot(x, x, preferred_element_type=np.float32))


def test_dot_of_vectors_and_matrices():
    a, b, v = numbers(2, 3), numbers(3, 4), numbers(3)
    for x, y in ((a, b), (a, v), (v, b), (v, v)):
        np.testing.assert_allclose(lax.dot(x, y), x @ y)
    batch = lax.dot(
        numbers(5, 2, 3), numbers(5, 3, 4), dimension_numbers=(((2,), (1,)), ((0,), (0,)))
    )
    assert batch.shape == (5, 2, 4)


def test_batch_matmul():
    x, y = numbers(5, 2, 2, 3), numbers(5, 2, 3, 4)
    np.testing.assert_allclose(lax.batch_matmul(x, y), x @ y)


@pytest.mark.parametrize(
    ("rhs", "dims", "message"),
    [
        (
            (4, 4),
            (((1,), (0,)), ((), ())),
            r"contracting dimensions to have the same size, got size 5 of dimension 1 of lhs and "
            r"size 4 of dimension 0 of rhs \(lhs shape \(4, 5\), rhs shape \(4, 4\)",
        ),
        ((5, 4), (((1,), (0,)), ((0,), ())), "as many batch dimensions of lhs as of rhs"),
        ((5, 4), (((1,), (1,)), ((0,), (0,))), "contracting dimensions to have the same size"),
        ((4, 5), (((1,), (1,)), ((1,), (0,))), "lhs batch dimensions must be disjoint"),
        ((5, 4), (((1, 1), (0, 1)), ((), ())), r"lhs contracting dimensions must be distinct"),
        ((5, 4), (((-1,), (0,)), ((), ())), r"lhs contracting dimensions must lie in \[0, 2\)"),
        ((5, 4), (((1,), (0,)), ((), (2,))), r"rhs batch dimensions must lie in \[0, 2\)"),
    ],
)
def test_bad_dimension_numbers_say_what_was_wrong(rhs, dims, message):
    with pytest.raises(ShapeError, match=message):
        lax.dot_general(ones(4, 5), ones(*rhs), dims)


def test_other_bad_products_say_what_was_wrong():
    with pytest.raises(ShapeError, match=r"got lhs shape \(4, 5\) and rhs shape \(4, 4\)"):
        lax.dot(ones(4, 5), ones(4, 4))
    with pytest.raises(ShapeError, match="vectors and matrices"):
        lax.dot(ones(3), 2.0)
    with pytest.raises(ShapeError, match="have the same rank, at least 2"):
        lax.batch_matmul(ones(2, 3, 4), ones(4, 2))
    with pytest.raises(TypeError, match=r"dimension_numbers must be \(\(lhs_contracting"):
        lax.dot_general(ones(4, 5), ones(5, 4), ((1,), (0,)))
    with pytest.raises(TypeError, match="must not be narrower .* int8 for int32"):
        x = ones(3, dtype=np.int32)
        lax.dot(x, x, preferred_element_type=np.int8)
    with pytest.raises(TypeError, match="out_sharding is for meshes"):
        lax.dot(ones(3), ones(3), out_sharding=3)
    keys = random_seed(np.arange(3), impl=prng_impl())
    with pytest.raises(TypeError, match="lhs has dtype key<fry>"):
        lax.dot(keys, keys)


# --- precision ---


def precision_of(**kwargs):
    jaxpr = make_jaxpr(lambda x: lax.dot(x, x, **kwargs))(ones(3))
    return jaxpr.eqns[0].params["precision"]


P, Preset = lax.Precision, lax.DotAlgorithmPreset


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ("high", (P.HIGH, P.HIGH)),
        ("highest", (P.HIGHEST, P.HIGHEST)),
        ("fastest", (P.DEFAULT, P.DEFAULT)),
        ("bfloat16", (P.DEFAULT, P.DEFAULT)),
        ("bfloat16_3x", (P.HIGH, P.HIGH)),
        ("tensorfloat32", (P.HIGH, P.HIGH)),
        ("float32", (P.HIGHEST, P.HIGHEST)),
        (P.HIGH, (P.HIGH, P.HIGH)),
        (("float32", P.DEFAULT), (P.HIGHEST, P.DEFAULT)),
        ("F16_F16_F32", Preset.F16_F16_F32),
        (Preset.BF16_BF16_F32_X3, Preset.BF16_BF16_F32_X3),
    ],
)
def test_precisions_by_all_their_names(given, expected):
    assert precision_of(precision=given) == expected


def test_an_algorithm_is_a_precision():
    algorithm = lax.DotAlgorithm(np.float16, np.float16, np.float32)
    assert precision_of(precision=algorithm) == algorithm
    assert not algorithm.allow_imprecise_accumulation


def test_the_default_precision_is_an_option():
    with default_matmul_precision("float32"):
        assert precision_of() == (P.HIGHEST, P.HIGHEST)
        assert precision_of(precision="default") == (P.DEFAULT, P.DEFAULT)
    with default_matmul_precision("F32_F32_F32"):
        assert precision_of() is Preset.F32_F32_F32


@pytest.mark.parametrize("given", ["foo", 3, ("high", None), ("high",), ("high", "F32_F32_F32")])
def test_what_is_no_precision(given):
    with pytest.raises(ValueError, match="dot_general: precision must be None, a lax.Precision"):
        precision_of(precision=given)


def test_precision_by_value():
    assert P(None) is P("default") is P.DEFAULT
    assert str(P.HIGH) == "HIGH"
    assert repr(Preset.DEFAULT) == "DotAlgorithmPreset.DEFAULT"


def test_presets_know_their_dtypes():
    assert Preset.BF16_BF16_F32.supported_lhs_types == (BF16, np.float32)
    assert Preset.F16_F16_F32.accumulation_type is np.float32
    assert Preset.F16_F16_F32.supported_output_types(np.float16, np.float16) == (np.float32,)
    assert Preset.ANY_F8_ANY_F8_ANY.supported_rhs_types is None
    assert BF16 in Preset.ANY_F8_ANY_F8_F32.supported_output_types(None, None)
    assert Preset.DEFAULT.accumulation_type is None


# --- convolutions ---


def brute_force(x, k, strides, pads, lhs_holes, rhs_holes, groups=1, batch_groups=1):
    """A convolution from its definition; batch and features first."""
    n, c, *space = x.shape
    o, i, *window = k.shape
    counts = [
        max(((d - 1) * lh + 1 + lo + hi - ((w - 1) * rh + 1)) // s + 1, 0)
        for d, w, s, (lo, hi), lh, rh in zip(
            space, window, strides, pads, lhs_holes, rhs_holes, strict=True
        )
    ]
    result = np.zeros((n // batch_groups, o, *counts), x.dtype)
    for b, f, *at in itertools.product(*map(range, result.shape)):
        group = f // (o // groups)
        batch = b + (f // (o // batch_groups)) * (n // batch_groups)
        for q, *p in itertools.product(*map(range, (i, *window))):
            source = []
            for a, j, s, (lo, _), lh, rh, d in zip(
                at, p, strides, pads, lhs_holes, rhs_holes, space, strict=True
            ):
                place, rest = divmod(a * s + j * rh - lo, lh)
                source.append(place if not rest and 0 <= place < d else None)
            if None not in source:
                feature = q + group * (c // groups)
                result[b, f, *at] += x[batch, feature, *source] * k[f, q, *p]
    return result


@pytest.mark.parametrize(
    ("space", "window", "strides", "pads", "lhs_holes", "rhs_holes"),
    [
        ((), (), (), (), (), ()),
        ((5,), (3,), (1,), ((0, 0),), (1,), (1,)),
        ((5,), (3,), (2,), ((2, 1),), (2,), (2,)),
        ((6,), (2,), (3,), ((-1, -2),), (1,), (1,)),
        ((3,), (2,), (1,), ((-1, 3),), (3,), (1,)),
        ((2,), (4,), (1,), ((0, 0),), (1,), (1,)),
        ((4, 5), (3, 2), (1, 2), ((1, 1), (0, 2)), (1, 1), (1, 2)),
        ((2, 3, 2), (2, 1, 2), (1, 1, 1), ((1, 0), (0, 0), (0, 1)), (1, 2, 1), (1, 1, 1)),
    ],
)
@pytest.mark.parametrize(("groups", "batch_groups"), [(1, 1), (2, 1), (1, 2)])
def test_conv_by_its_definition(
    space, window, strides, pads, lhs_holes, rhs_holes, groups, batch_groups
):
    x = numbers(2 * batch_groups, 2 * groups, *space)
    k = numbers(2 * groups * batch_groups, 2, *window)
    result = lax.conv_general_dilated(
        x,
        k,
        strides,
        pads,
        lhs_holes,
        rhs_holes,
        feature_group_count=groups,
        batch_group_count=batch_groups,
    )
    expected = brute_force(x, k, strides, pads, lhs_holes, rhs_holes, groups, batch_groups)
    np.testing.assert_allclose(result, expected)


def test_axes_may_lie_in_any_order():
    x, k = numbers(2, 3, 5, 6), numbers(4, 3, 2, 3)
    expected = np.asarray(lax.conv(x, k, (1, 2), "VALID"))
    result = lax.conv_general_dilated(
        x.transpose(3, 0, 2, 1),
        k.transpose(2, 1, 0, 3),
        (1, 2),
        "VALID",
        dimension_numbers=("WNHC", "HIOW", "CHWN"),
    )
    np.testing.assert_allclose(result, expected.transpose(1, 2, 3, 0))


@pytest.mark.parametrize("dtype", [BF16, np.float16, np.int8, np.complex64, np.bool_])
def test_conv_keeps_the_dtype(dtype):
    x, k = numbers(1, 2, 6, dtype=dtype), numbers(3, 2, 2, dtype=dtype)
    result = lax.conv(x, k, (1,), "VALID")
    assert result.dtype == dtype
    wide = np.complex64 if dtype == np.complex64 else np.float32
    expected = brute_force(x.astype(wide), k.astype(wide), (1,), ((0, 0),), (1,), (1,))
    np.testing.assert_allclose(np.asarray(result).astype(wide), expected.astype(dtype).astype(wide))


def test_conv_in_a_wider_dtype():
    x = np.full((1, 1, 4), 100, np.int8)
    result = lax.conv(x, x, (1,), "VALID", preferred_element_type=np.int32)
    assert result.tolist() == [[[40000]]]
    assert lax.conv(x, x, (1,), "VALID", preferred_element_type=np.float32).dtype == np.float32


@pytest.mark.parametrize("shape", [(0, 1, 5), (2, 0, 5), (1, 1, 0)])
def test_conv_of_nothing(shape):
    result = lax.conv(ones(*shape), ones(3, shape[1], 2), (1,), "VALID")
    assert not np.asarray(result).any()
    assert result.shape == (shape[0], 3, max(shape[2] - 1, 0))


@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize(("window", "stride"), [(1, 1), (2, 1), (3, 2), (2, 3), (5, 2)])
def test_same_padding_gives_as_many_windows_as_strides_fit(size, window, stride):
    for name in ("SAME", "SAME_LOWER", "same"):
        result = lax.conv(ones(1, 1, size), ones(1, 1, window), (stride,), name)
        assert result.shape[2] == -(-size // stride)
    ((low, high),) = lax.padtype_to_pads((size,), (window,), (stride,), "SAME")
    assert lax.padtype_to_pads((size,), (window,), (stride,), "SAME_LOWER") == [(high, low)]
    assert 0 <= high - low <= 1


def test_dimension_numbers():
    spec = lax.conv_dimension_numbers((1, 2, 3, 4), (1, 2, 3, 4), ("NHWC", "WHIO", "NHWC"))
    assert spec == ((0, 3, 2, 1), (3, 2, 0, 1), (0, 3, 2, 1))
    assert lax.conv_dimension_numbers((1, 2, 3), (1, 2, 3), None) == ((0, 1, 2),) * 3
    assert lax.conv_dimension_numbers((1,), (2,), spec) is spec


def test_shape_arithmetic():
    names = ("NHWC", "HWIO", "NHWC")
    assert lax.conv_shape_tuple((1, 3, 8, 8), (4, 3, 3, 3), (2, 2), ((0, 0), (1, 1))) == (
        1,
        4,
        3,
        4,
    )
    assert lax.conv_general_shape_tuple((1, 8, 8, 3), (3, 3, 3, 4), (1, 1), "SAME", names) == (
        1, 8, 8, 4,
    )  # fmt: skip
    assert lax.conv_transpose_shape_tuple((1, 8, 8, 3), (3, 3, 3, 4), (2, 2), "SAME", names) == (
        1, 16, 16, 4,
    )  # fmt: skip


# (kernel, stride): the padding JAX 0.10.2 gives for SAME, for VALID, and for the pair (1, 2) when
# that is read as the padding of the convolution that is transposed.
TRANSPOSED = {
    (1, 1): ((0, 0), (0, 0), (-1, -2)),
    (1, 3): ((0, 2), (0, 2), (-1, -2)),
    (2, 1): ((1, 0), (1, 1), (0, -1)),
    (2, 4): ((1, 3), (1, 3), (0, -1)),
    (3, 1): ((1, 1), (2, 2), (1, 0)),
    (3, 2): ((2, 1), (2, 2), (1, 0)),
    (5, 2): ((3, 2), (4, 4), (3, 2)),
    (5, 4): ((4, 3), (4, 4), (3, 2)),
}


@pytest.mark.parametrize(("kernel", "stride"), TRANSPOSED)
def test_padding_of_transposed_convolutions(kernel, stride):
    def pads(padding, consistent):
        jaxpr = make_jaxpr(
            lambda x, k: lax.conv_transpose(
                x, k, (stride,), padding, use_consistent_padding=consistent
            )
        )(ones(2, 4, 5), ones(kernel, 5, 7))
        params = jaxpr.eqns[0].params
        assert params["lhs_dilation"] == (stride,)
        return params["padding"][0]

    same, valid, pair = TRANSPOSED[kernel, stride]
    for consistent in (False, True):
        assert pads("SAME", consistent) == same
        assert pads("VALID", consistent) == valid
    assert pads([(1, 2)], False) == (1, 2)
    assert pads([(1, 2)], True) == pair


def test_conv_transpose_of_a_transposed_kernel_is_the_adjoint():
    x, k, y = numbers(1, 7, 2), numbers(3, 2, 4), numbers(1, 3, 4)
    names = ("NWC", "WIO", "NWC")
    forward = lax.conv_general_dilated(x, k, (2,), "VALID", dimension_numbers=names)
    back = lax.conv_transpose(y, k, (2,), "VALID", dimension_numbers=names, transpose_kernel=True)
    assert back.shape == x.shape
    np.testing.assert_allclose(
        np.vdot(np.asarray(forward), y), np.vdot(x, np.asarray(back)), rtol=1e-6
    )


Z, K = ones(2, 3, 8, 8), ones(4, 3, 3, 3)


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "message"),
    [
        (
            (Z, K.astype(np.float16), (1, 1), "SAME"),
            {},
            TypeError,
            "same dtypes, got float32, float16",
        ),
        ((Z, K, (1,), "SAME"), {}, ShapeError, "number of dimensions, but got 2 and 1"),
        ((Z, K, (1,), [(0, 0)] * 2), {}, ShapeError, "window_strides must have the same number"),
        ((Z, K[:, :2], (1, 1), "SAME"), {}, ShapeError, r"but 3 // 1 != 2"),
        ((Z, K, (1, 1), "FOO"), {}, ValueError, "Unrecognized padding type: .* got 'FOO'"),
        ((Z, K[0], (1, 1), "SAME"), {}, ShapeError, r"one rank, got lhs shape \(2, 3, 8, 8\)"),
        ((Z, K, (1, 1), ((1, 1),)), {}, ShapeError, "pair for each of 2 spatial axes"),
        ((Z, K, (1, 1), 3), {}, ShapeError, r"sequence of \(low, high\) pairs, got 3"),
        ((Z, K, (1, 1), [1, 2]), {}, ShapeError, r"sequence of \(low, high\) pairs, got \[1, 2\]"),
        ((Z, K, (1, 0), [(0, 0)] * 2), {}, ShapeError, r"window_strides must be positive"),
        ((Z, K, (1, 1), [(1, 1), (-9, -9)]), {}, ShapeError, "Negative padding is larger"),
        ((Z, K, (1, 1), "SAME"), {"feature_group_count": 2}, ShapeError, "2 does not divide 3"),
        ((Z, K, (1, 1), "SAME"), {"feature_group_count": 0}, ShapeError, "positive integer, got 0"),
        ((Z, K, (1, 1), "SAME"), {"batch_group_count": 3}, ShapeError, "3 does not divide 2"),
        (
            (Z, K[:3], (1, 1), "SAME"),
            {"batch_group_count": 2},
            ShapeError,
            "3 is not a multiple of 2",
        ),
        ((Z, K, (1, 1), "SAME"), {"lhs_dilation": (2, 2)}, ValueError, "use lax.conv_transpose"),
        (
            (Z, K, (1, 1), "SAME"),
            {"dimension_numbers": ("NCHW", "OIHX", "NCHW")},
            TypeError,
            "same set of spatial letters",
        ),
        (
            (Z, K, (1, 1), "SAME"),
            {"dimension_numbers": ("NCHW", "OIHW")},
            TypeError,
            "three strings such as",
        ),
        (
            (Z, K, (1, 1), "SAME"),
            {"dimension_numbers": ("NCHW", "OIH", "NCHW")},
            ShapeError,
            "a letter for each of the 4 axes, got 'OIH' for rhs",
        ),
        (
            (Z, K, (1, 1), "SAME"),
            {"dimension_numbers": ("NCHW", "OOHW", "NCHW")},
            TypeError,
            "must hold O and I and every letter once, got 'OOHW'",
        ),
        (
            (Z, K, (1, 1), "SAME"),
            {"preferred_element_type": np.float16},
            TypeError,
            "must not be narrower",
        ),
        (
            (Z, K, (1, 1), "SAME"),
            {"preferred_element_type": np.int32},
            TypeError,
            "int32 does not go with operands of dtype float32",
        ),
        ((Z, K, (1, 1), "SAME"), {"out_sharding": 1}, TypeError, "out_sharding is for meshes"),
    ],
)
def test_bad_convolutions_say_what_was_wrong(args, kwargs, error, message):
    with pytest.raises(error, match=message):
        lax.conv_general_dilated(*args, **kwargs)


def test_bad_transposed_convolutions_say_what_was_wrong():
    x, k = ones(1, 4, 4, 3), ones(3, 3, 3, 2)
    with pytest.raises(ShapeError, match="strides and rhs_dilation an entry for each of the 2"):
        lax.conv_transpose(x, k, (2,), "SAME")
    with pytest.raises(ValueError, match="padding must be 'SAME', 'VALID' or"):
        lax.conv_transpose(x, k, (2, 2), "FULL")


def test_products_in_double_precision():
    with enable_x64(True):
        x = RNG.normal(size=(3, 3))
        np.testing.assert_array_equal(lax.dot(x, x), x @ x)
        assert lax.dot(x, x).dtype == np.float64
