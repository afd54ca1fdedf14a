"""The elementwise primitives: which dtypes they take, and what they compute in NumPy."""

from __future__ import annotations

import cmath
import math
import operator

import numpy as np
import pytest
from ml_dtypes import bfloat16, float8_e4m3fn, int4, uint4

from jx_core import jit, lax, make_jaxpr
from jx_core.aval import ShapedArray
from jx_core.errors import ShapeError

rng = np.random.default_rng(0)

INTEGERS = ("int8", "int32", "uint8", "int4")
FLOATS = ("bfloat16", "float16", "float32", "float8_e4m3fn")
ALL = ("bool", *INTEGERS, *FLOATS, "complex64")
SIGNED = ("int8", "int32", "int4")
NUMBERS = (*INTEGERS, *FLOATS, "complex64")
ACCEPTED = {
    NUMBERS: "add sub mul div neg sign square",
    (*SIGNED, *FLOATS, "complex64"): "abs",
    (*INTEGERS, *FLOATS): "rem",
    ALL: "max min eq ne",
    ("bool", *INTEGERS, *FLOATS): "lt le gt ge",
    FLOATS: "floor ceil round nextafter cbrt is_finite",
    (*FLOATS, "complex64"): "exp exp2 expm1 log log1p logistic sqrt rsqrt sin cos tan asin acos "
    "atan sinh cosh tanh asinh acosh atanh atan2 pow reciprocal",
    ("bool", *INTEGERS): "bitwise_not bitwise_and bitwise_or bitwise_xor",
    INTEGERS: "shift_left shift_right_logical shift_right_arithmetic population_count clz mulhi",
    ("complex64",): "real imag",
    ("float32", "complex64"): "conj",
    ("float32",): "complex",
}
RESULT = {
    **dict.fromkeys("eq ne lt le gt ge is_finite".split(), lambda d: "bool"),
    **dict.fromkeys("abs real imag".split(), lambda d: d.replace("complex64", "float32")),
    **dict.fromkeys("complex conj".split(), lambda d: "complex64"),
}
BINARY = set(
    "add sub mul div max min eq ne lt le gt ge rem nextafter atan2 pow bitwise_and bitwise_or "
    "bitwise_xor shift_left shift_right_logical shift_right_arithmetic mulhi complex".split()
)


def dtype_of(name):
    return np.dtype({"bfloat16": bfloat16, "float8_e4m3fn": float8_e4m3fn, "int4": int4}.get(
        name, name))  # fmt: skip


def value(x):
    return np.asarray(x)


@pytest.mark.parametrize(
    "name, accepted", [(name, ds) for ds, names in ACCEPTED.items() for name in names.split()]
)
def test_dtypes_accepted_and_given(name, accepted):
    function = getattr(lax, name)
    for d in ALL:
        x = np.ones((2, 3), np.float32).astype(dtype_of(d))
        operands = (x, x) if name in BINARY else (x,)
        if d not in accepted:
            with pytest.raises(TypeError, match="does not accept dtype|negative powers"):
                function(*operands)
        else:
            result = function(*operands)
            assert result.dtype == dtype_of(RESULT.get(name, lambda d: d)(d)), d
            assert result.shape == (2, 3)


class TestOperands:
    def test_a_scalar_goes_with_any_shape(self):
        x = np.float32([[1, 2], [3, 4]])
        np.testing.assert_array_equal(value(lax.sub(x, np.float32(1))), x - 1)
        np.testing.assert_array_equal(value(lax.sub(1.0, x)), 1 - x)

    def test_python_numbers_take_the_dtype_of_arrays(self):
        jaxpr = make_jaxpr(lambda x, h: (lax.mul(x, 2.0), lax.mul(h, 2), lax.mul(x, 3)))(
            np.float32([1]), np.ones(1, bfloat16)
        )
        assert "mul a 2.0:f32[]" in str(jaxpr)
        assert "mul b 2:bf16[]" in str(jaxpr) or "mul b 2.0:bf16[]" in str(jaxpr)
        assert "mul a 3.0:f32[]" in str(jaxpr)

    def test_weak_types_stay_weak_only_among_themselves(self):
        assert lax.add(1.0, 2.0).weak_type
        assert not lax.add(1.0, np.float32(2)).weak_type
        assert lax.lt(1.0, 2.0).weak_type and not lax.lt(1.0, np.float32(2)).weak_type

    def test_dtypes_must_agree(self):
        with pytest.raises(TypeError, match="same dtypes, got float32, int32"):
            lax.add(np.float32([1]), np.int32([1]))
        with pytest.raises(TypeError, match="int32 and the Python float 1.5"):
            lax.add(np.int32([1]), 1.5)

    def test_ranks_must_agree(self):
        with pytest.raises(ShapeError, match=r"same number of dimensions, got shapes \(2,\), \(1"):
            lax.add(np.zeros(2), np.zeros((1, 2)))

    def test_lengths_must_agree_or_be_one(self):
        with pytest.raises(ShapeError, match=r"add got incompatible shapes.*\(2,\), \(3,\)"):
            lax.add(np.zeros(2), np.zeros(3))
        assert lax.add(np.zeros((2, 1)), np.zeros((1, 3))).shape == (2, 3)

    def test_only_arrays_and_numbers(self):
        with pytest.raises(TypeError, match="not a valid JAX type"):
            lax.add([1.0], 2.0)
        with pytest.raises(TypeError, match="not a valid JAX type"):
            lax.sin("x")

    def test_integers_too_large(self):
        with pytest.raises(OverflowError):
            lax.add(np.int32([1]), 2**31)

    def test_families(self):
        assert {lax.add_p.family, lax.sin_p.family, lax.select_n_p.family} == {"elementwise"}
        assert lax.erf_p.family == "special"


class TestIntegerArithmetic:
    def test_division_truncates_toward_zero(self):
        x, y = np.int32([7, -7, 7, -7]), np.int32([2, 2, -2, -2])
        np.testing.assert_array_equal(value(lax.div(x, y)), [3, -3, -3, 3])
        np.testing.assert_array_equal(value(lax.rem(x, y)), [1, -1, 1, -1])

    def test_division_by_zero_sets_all_bits(self):
        np.testing.assert_array_equal(value(lax.div(np.int32([5, -5]), 0)), [-1, -1])
        np.testing.assert_array_equal(value(lax.rem(np.int32([5, -5]), 0)), [5, -5])
        np.testing.assert_array_equal(value(lax.div(np.uint8([5]), 0)), [255])

    def test_the_smallest_integer_has_no_opposite(self):
        least = np.int32([-(2**31)])
        np.testing.assert_array_equal(value(lax.div(least, -1)), least)
        np.testing.assert_array_equal(value(lax.rem(least, -1)), [0])
        np.testing.assert_array_equal(value(lax.abs(least)), least)
        np.testing.assert_array_equal(value(lax.neg(least)), least)

    @pytest.mark.parametrize("dtype", [int4, uint4, np.int8, np.uint16])
    def test_results_wrap_around(self, dtype):
        from jx_core.dtypes import iinfo

        info = iinfo(dtype)
        modulus = int(info.max) - int(info.min) + 1
        values = np.arange(int(info.min), int(info.max) + 1, max(1, modulus // 16))
        x, y = (a.ravel() for a in np.meshgrid(values, values))
        for function, exact in [(lax.add, x + y), (lax.sub, x - y), (lax.mul, x * y)]:
            wrapped = (exact - int(info.min)) % modulus + int(info.min)
            got = function(x.astype(dtype), y.astype(dtype))
            np.testing.assert_array_equal(value(got).astype(np.int64), wrapped)

    def test_integer_pow(self):
        x = np.int32([-3, 0, 2, 3])
        np.testing.assert_array_equal(value(lax.integer_pow(x, 5)), x**5)
        np.testing.assert_array_equal(value(lax.integer_pow(x, 0)), [1, 1, 1, 1])
        np.testing.assert_array_equal(value(lax.integer_pow(np.uint8([2]), 8)), [0])
        with pytest.raises(TypeError, match=r"negative powers, got integer_pow\(i32\[4\], -2\)"):
            lax.integer_pow(x, -2)
        with pytest.raises(TypeError):
            lax.integer_pow(x, 2.0)

    def test_mulhi(self):
        x = rng.integers(-(2**31), 2**31, 20)
        y = rng.integers(-(2**31), 2**31, 20)
        expected = [int(a) * int(b) >> 32 for a, b in zip(x, y, strict=True)]
        got = lax.mulhi(x.astype(np.int32), y.astype(np.int32))
        np.testing.assert_array_equal(value(got), expected)
        assert int(value(lax.mulhi(np.uint8([200]), np.uint8([200])))[0]) == 200 * 200 >> 8


class TestFloatArithmetic:
    def test_rounding_halves(self):
        x = np.float32([0.5, 1.5, 2.5, -0.5, -2.5, 0.49999997, -0.3, 2**24 + 1, np.inf])
        away = [1, 2, 3, -1, -3, 0, -0.0, 2**24 + 1, np.inf]
        even = [0, 2, 2, -0.0, -2, 0, -0.0, 2**24 + 1, np.inf]
        np.testing.assert_array_equal(value(lax.round(x)), np.float32(away))
        to_even = lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)
        np.testing.assert_array_equal(value(to_even), np.float32(even))
        assert "rounding_method=RoundingMethod.AWAY_FROM_ZERO" in str(make_jaxpr(lax.round)(x))

    def test_signs_of_zero_and_nan(self):
        got = value(lax.sign(np.float32([-0.0, 0.0, np.nan, -3, np.inf])))
        np.testing.assert_array_equal(got, [0, 0, np.nan, -1, 1])
        np.testing.assert_array_equal(np.signbit(got[:2]), [True, False])

    def test_sign_of_complex(self):
        np.testing.assert_allclose(
            value(lax.sign(np.complex64([3 + 4j, 0]))), [0.6 + 0.8j, 0], rtol=1e-6
        )

    def test_extrema_keep_nan_and_order_zeros(self):
        nan, inf = np.nan, np.inf
        x, y = np.float32([nan, 1, -inf, 2]), np.float32([1, nan, inf, -2])
        np.testing.assert_array_equal(value(lax.max(x, y)), [nan, nan, inf, 2])
        np.testing.assert_array_equal(value(lax.min(x, y)), [nan, nan, -inf, -2])
        for a, b in [(0.0, -0.0), (-0.0, 0.0)]:
            assert not np.signbit(value(lax.max(np.float32(a), np.float32(b))))
            assert np.signbit(value(lax.min(np.float32(a), np.float32(b))))

    def test_complex_extrema_go_by_real_part_first(self):
        x, y = np.complex64([1 + 2j, 1 + 2j]), np.complex64([1 - 2j, 2 - 9j])
        np.testing.assert_array_equal(value(lax.max(x, y)), [1 + 2j, 2 - 9j])

    def test_remainder_has_the_sign_of_the_dividend(self):
        x, y = np.float32([5, -5, np.inf, 5]), np.float32([3, 3, 2, np.inf])
        np.testing.assert_array_equal(value(lax.rem(x, y)), [2, -2, np.nan, 5])

    def test_nextafter_moves_one_place(self):
        for dtype in (np.float32, bfloat16, np.float16):
            one = np.ones(1, dtype)
            up = value(lax.nextafter(one, np.full(1, 2, dtype)))
            bits = one.view(f"u{one.dtype.itemsize}") + 1
            np.testing.assert_array_equal(up.view(bits.dtype), bits)

    def test_reciprocal_is_a_power(self):
        assert "integer_pow[y=-1]" in str(make_jaxpr(lax.reciprocal)(1.0))
        np.testing.assert_array_equal(
            value(lax.reciprocal(np.float32([0.0, -0.0, 4]))), [np.inf, -np.inf, 0.25]
        )

    @pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
    def test_narrow_floats_are_rounded_once(self, name):
        x, y = (rng.normal(size=200).astype(bfloat16) for _ in "xy")
        exact = getattr(operator, name.replace("div", "truediv"))(
            x.astype(np.float64), y.astype(np.float64)
        )
        got = value(getattr(lax, name)(x, y))
        spacing = np.spacing(np.abs(got)).astype(np.float64)
        assert np.all(np.abs(got.astype(np.float64) - exact) <= 0.5 * spacing)

    def test_mul_in_another_dtype(self):
        x = np.uint8([100])
        assert int(value(lax.mul(x, x, out_dtype=np.int32))[0]) == 10000
        assert "f32[1] = mul" in str(
            make_jaxpr(lambda x: lax.mul(x, x, out_dtype=np.float32))(np.ones(1, bfloat16))
        )


class TestTranscendental:
    UNARY = {
        "exp": math.exp, "expm1": math.expm1, "log": math.log, "log1p": math.log1p,
        "exp2": lambda x: 2.0**x, "sqrt": math.sqrt, "rsqrt": lambda x: 1 / math.sqrt(x),
        "cbrt": lambda x: x ** (1 / 3), "sin": math.sin, "cos": math.cos, "tan": math.tan,
        "asin": lambda x: math.asin(x / 4), "acos": lambda x: math.acos(x / 4),
        "atan": math.atan, "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh,
        "asinh": math.asinh, "acosh": lambda x: math.acosh(x + 1),
        "atanh": lambda x: math.atanh(x / 4), "logistic": lambda x: 1 / (1 + math.exp(-x)),
    }  # fmt: skip
    SHIFTED = {"asin": lambda x: x / 4, "acos": lambda x: x / 4, "atanh": lambda x: x / 4}
    SHIFTED["acosh"] = lambda x: x + 1

    @pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
    @pytest.mark.parametrize("name", UNARY)
    def test_functions_of_floats_are_correctly_rounded(self, name, dtype):
        x = rng.integers(1, 250, 40).astype(np.float64) / 64  # exact in every dtype
        operand = self.SHIFTED.get(name, lambda x: x)(x).astype(dtype_of(dtype))
        x = operand.astype(np.float64)
        back = {"asin": 4, "acos": 4, "atanh": 4}.get(name, 1) * x - (name == "acosh")
        expected = np.array([self.UNARY[name](v) for v in back]).astype(operand.dtype)
        got = value(getattr(lax, name)(operand))
        off = np.abs(got.astype(np.float64) - expected.astype(np.float64))
        assert np.all(off <= np.spacing(np.abs(expected)).astype(np.float64)), name
        assert np.mean(off == 0) > 0.9

    COMPLEX = {
        "exp": cmath.exp, "log": cmath.log, "sqrt": cmath.sqrt, "sin": cmath.sin,
        "cos": cmath.cos, "tan": cmath.tan, "asin": cmath.asin, "acos": cmath.acos,
        "atan": cmath.atan, "sinh": cmath.sinh, "cosh": cmath.cosh, "tanh": cmath.tanh,
        "asinh": cmath.asinh, "acosh": cmath.acosh, "atanh": cmath.atanh,
        "exp2": lambda z: 2**z, "expm1": lambda z: cmath.exp(z) - 1,
        "log1p": lambda z: cmath.log(1 + z), "rsqrt": lambda z: 1 / cmath.sqrt(z),
        "logistic": lambda z: 1 / (1 + cmath.exp(-z)),
    }  # fmt: skip

    @pytest.mark.parametrize("name", COMPLEX)
    def test_functions_of_complex_numbers(self, name):
        z = (rng.normal(size=20) + 1j * rng.normal(size=20)).astype(np.complex64)
        expected = np.array([self.COMPLEX[name](complex(v)) for v in z])
        np.testing.assert_allclose(value(getattr(lax, name)(z)), expected, rtol=3e-7)

    def test_log1p_of_small_complex_numbers_is_precise(self):
        z = np.complex64([1e-6 + 1e-3j, 1e-10j])
        # log(1 + z) = z - z^2/2 + ...
        expected = [1e-6 + 0.5e-6 + 1e-3j, 0.5e-20 + 1e-10j]
        np.testing.assert_allclose(value(lax.log1p(z)).real, np.real(expected), rtol=1e-5)
        np.testing.assert_allclose(value(lax.log1p(z)).imag, np.imag(expected), rtol=1e-5)

    def test_limits(self):
        inf, nan = np.inf, np.nan
        np.testing.assert_array_equal(value(lax.rsqrt(np.float32([0, -0.0, -1]))), [inf, -inf, nan])
        np.testing.assert_array_equal(value(lax.logistic(np.float32([-200, 200]))), [0, 1])
        np.testing.assert_array_equal(value(lax.cbrt(np.float32([-8]))), [-2])
        np.testing.assert_array_equal(value(lax.log(np.float32([0, -1]))), [-inf, nan])

    def test_atan2_is_the_angle_of_a_point(self):
        y, x = rng.normal(size=(2, 30)).astype(np.float32)
        expected = [math.atan2(a, b) for a, b in zip(y, x, strict=True)]
        np.testing.assert_allclose(value(lax.atan2(y, x)), expected, rtol=2e-7)
        np.testing.assert_allclose(
            value(lax.atan2(y.astype(np.complex64), x.astype(np.complex64))), expected, rtol=1e-5
        )

    def test_pow_takes_integer_exponents(self):
        x = np.float32([2, 3, 0])
        for exponents in (np.int32([3, -1, 0]), np.float32([3, -1, 0])):
            got = value(lax.pow(x, exponents))
            np.testing.assert_array_equal(got, np.float32([8, 1 / 3, 1]))
        assert "pow a 3:i32[]" in str(make_jaxpr(lambda x: lax.pow(x, 3))(x))
        assert np.isnan(value(lax.pow(np.float32(-8), np.float32(1 / 3))))
        with pytest.raises(TypeError, match="pow does not accept dtype bool.*at position 1"):
            lax.pow(x, np.bool_([1, 1, 1]))
        with pytest.raises(TypeError, match="same dtypes, got float32, float16"):
            lax.pow(x, np.float16([1, 2, 3]))

    def test_accuracy_is_checked_and_leaves_no_trace(self):
        x = np.float32([1])
        asked = make_jaxpr(lambda x: lax.exp(x, accuracy=lax.Tolerance(ulps=1)))(x)
        assert str(asked) == str(make_jaxpr(lax.exp)(x))
        assert lax.sin(x, accuracy=lax.AccuracyMode.HIGHEST).shape == (1,)
        with pytest.raises(TypeError, match="log: accuracy must be a lax.Tolerance.*got 3"):
            lax.log(x, accuracy=3)
        with pytest.raises(ValueError, match="non-negative, got atol=-1"):
            lax.Tolerance(-1)
        with pytest.raises(ValueError, match="At least one"):
            lax.Tolerance()


class TestBits:
    @pytest.mark.parametrize("dtype", [np.int8, np.uint8, int4, uint4, np.int32, np.uint32])
    def test_shifts_against_python_integers(self, dtype):
        from jx_core.dtypes import iinfo, itemsize_bits

        bits, unsigned = itemsize_bits(dtype), int(iinfo(dtype).min) == 0
        x = np.array([0, 1, 3, 5, -1 % 2**bits if unsigned else -1, int(iinfo(dtype).min)])
        x, y = (a.ravel() for a in np.meshgrid(x, [0, 1, bits - 1, min(bits, 7)]))
        amounts = y % 2**bits

        def signed(n):
            n %= 2**bits
            return n - 2**bits if n >= 2 ** (bits - 1) else n

        for a, b, left, logical, arithmetic in zip(
            x, amounts,
            *(value(f(x.astype(dtype), y.astype(dtype)))
              for f in (lax.shift_left, lax.shift_right_logical, lax.shift_right_arithmetic)),
            strict=True,
        ):  # fmt: skip
            a, b = int(a), int(b)
            assert signed(int(left)) == (signed(a << b) if b < bits else 0)
            assert int(logical) % 2**bits == ((a % 2**bits) >> b if b < bits else 0)
            assert signed(int(arithmetic)) == signed(a) >> min(b, bits - 1)

    def test_negative_amounts_count_as_large(self):
        x = np.int32([-4, 4])
        np.testing.assert_array_equal(value(lax.shift_left(x, -1)), [0, 0])
        np.testing.assert_array_equal(value(lax.shift_right_logical(x, -1)), [0, 0])
        np.testing.assert_array_equal(value(lax.shift_right_arithmetic(x, -1)), [-1, 0])

    @pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.uint32])
    def test_counts(self, dtype):
        x = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, 50, dtype, endpoint=True)
        x[:2] = 0, np.iinfo(dtype).max
        bits = 8 * x.itemsize
        patterns = [int(v) % 2**bits for v in x]
        np.testing.assert_array_equal(
            value(lax.population_count(x)), [p.bit_count() for p in patterns]
        )
        np.testing.assert_array_equal(value(lax.clz(x)), [bits - p.bit_length() for p in patterns])

    def test_logic(self):
        x, y = np.bool_([0, 0, 1, 1]), np.bool_([0, 1, 0, 1])
        np.testing.assert_array_equal(value(lax.bitwise_xor(x, y)), x ^ y)
        np.testing.assert_array_equal(value(lax.bitwise_not(x)), ~x)
        np.testing.assert_array_equal(value(lax.bitwise_not(np.array([0, 7], int4))), [-1, -8])


class TestComparison:
    def test_order_of_floats_with_nan(self):
        nan = np.nan
        x, y = np.float32([1, nan, 0.0, 2]), np.float32([2, nan, -0.0, 1])
        for function, of_numpy in [
            (lax.eq, np.equal), (lax.ne, np.not_equal), (lax.lt, np.less),
            (lax.le, np.less_equal), (lax.gt, np.greater), (lax.ge, np.greater_equal),
        ]:  # fmt: skip
            np.testing.assert_array_equal(value(function(x, y)), of_numpy(x, y))

    @pytest.mark.parametrize("dtype", [np.float32, bfloat16, np.float16])
    def test_total_order(self, dtype):
        x = np.array([-np.inf, -1, -0.0, 0.0, 1, np.inf, np.nan]).astype(dtype)
        lower = value(lax.lt_to_p.bind(x[:-1], x[1:]))
        assert lower.all()
        assert value(lax.eq_to_p.bind(x, x)).all()
        assert not value(lax.le_to_p.bind(x[1:], x[:-1])).any()

    def test_keys_are_equal_or_not(self):
        words = np.array([b"12345678", b"abcdefgh"], "V8")
        np.testing.assert_array_equal(lax.eq_p.reference(words, words[::-1]), [False, False])
        np.testing.assert_array_equal(lax.ne_p.reference(words, words), [False, False])

    def test_select_n(self):
        cases = np.arange(3, dtype=np.int32), np.full(3, 10, np.int32), np.full(3, 20, np.int32)
        np.testing.assert_array_equal(
            value(lax.select_n(np.int32([2, 0, 1]), *cases)), [20, 1, 10]
        )
        beyond = value(lax.select_n(np.int32([-5, 9, 2]), *cases))
        np.testing.assert_array_equal(beyond, [0, 20, 20])
        np.testing.assert_array_equal(value(lax.select_n(True, *cases[:2])), cases[1])
        np.testing.assert_array_equal(value(lax.select_n(np.bool_([1, 0, 1]), cases[0])), cases[0])

    def test_select_n_takes_scalars_beside_arrays(self):
        x = np.float32([-1, 2])
        np.testing.assert_array_equal(value(lax.select(lax.gt(x, 0.0), x, 0.0)), [0, 2])
        np.testing.assert_array_equal(value(lax.select(np.bool_([1, 0]), 1.0, 0.0)), [1, 0])

    def test_select_n_errors(self):
        x = np.float32([1, 2])
        with pytest.raises(TypeError, match="boolean or integer type, got float32"):
            lax.select_n(x, x, x)
        with pytest.raises(TypeError, match="cannot have > 2 cases, got 3"):
            lax.select_n(np.bool_([1, 0]), x, x, x)
        with pytest.raises(TypeError, match="same dtypes, got float32, int32"):
            lax.select_n(np.bool_([1, 0]), x, np.int32([1, 2]))
        with pytest.raises(ShapeError, match=r"\(3,\), \(2,\), \(2,\)"):
            lax.select_n(np.bool_([1, 0, 1]), x, x)
        with pytest.raises(TypeError, match="at least one case"):
            lax.select_n(True)

    def test_clamp(self):
        x = np.float32([1, np.nan, 5])
        np.testing.assert_array_equal(value(lax.clamp(2.0, x, 3.0)), [2, np.nan, 3])
        np.testing.assert_array_equal(value(lax.clamp(2.0, x, 1.0)), [1, np.nan, 1])
        with pytest.raises(ShapeError, match=r"min.shape == .*min.shape=\(2,\), operand.shape=\(3"):
            lax.clamp(x[:2], x, x)
        with pytest.raises(TypeError, match="same dtypes, got int32, float32, int32"):
            lax.clamp(np.int32(1), x, np.int32(2))


class TestConversion:
    def test_floats_to_integers_truncate_and_saturate(self):
        x = np.float32([1e20, -1e20, np.nan, -1.5, 300.7, np.inf])
        for dtype, expected in {
            "int32": [2**31 - 1, -(2**31), 0, -1, 300, 2**31 - 1],
            "uint8": [255, 0, 0, 0, 255, 255],
            "int8": [127, -128, 0, -1, 127, 127],
            "uint32": [2**32 - 1, 0, 0, 0, 300, 2**32 - 1],
        }.items():
            got = value(lax.convert_element_type(x, dtype))
            np.testing.assert_array_equal(got, np.array(expected, dtype))
        narrow = value(lax.convert_element_type(x, int4)).astype(int)
        np.testing.assert_array_equal(narrow, [7, -8, 0, -1, 7, 7])
        assert value(lax.convert_element_type(np.ones(1, bfloat16), int4)).astype(int)[0] == 1

    def test_integers_wrap_around(self):
        x = np.int32([300, -1])
        np.testing.assert_array_equal(value(lax.convert_element_type(x, np.int8)), [44, -1])
        narrow = value(lax.convert_element_type(x, uint4))
        np.testing.assert_array_equal(narrow.astype(int), [12, 15])

    @pytest.mark.parametrize("source", ALL)
    @pytest.mark.parametrize("target", ALL)
    def test_small_whole_numbers_survive(self, source, target):
        x = np.array([0, 1]).astype(np.float32).astype(dtype_of(source))
        operand = x if source != "complex64" else lax.real(x)
        got = value(lax.convert_element_type(operand, dtype_of(target)))
        assert got.dtype == dtype_of(target)
        np.testing.assert_array_equal(got.astype(np.complex64), [0, 1])

    def test_to_boolean(self):
        got = lax.convert_element_type(np.float32([0.5, np.nan, 0]), bool)
        np.testing.assert_array_equal(value(got), [True, True, False])

    def test_from_complex_warns(self):
        with pytest.warns(np.exceptions.ComplexWarning, match="complex64 to float32 discards"):
            assert value(lax.convert_element_type(np.complex64(1 + 2j), np.float32)) == 1

    def test_nothing_to_do(self):
        x = lax.add(np.float32([1]), 1.0)
        assert lax.convert_element_type(x, np.float32) is x
        weak = lax.add(1.0, 1.0)
        assert not lax.convert_element_type(weak, np.float32).weak_type

    def test_wide_dtypes_are_narrowed_with_a_warning(self):
        with pytest.warns(UserWarning, match="float64"):
            assert lax.convert_element_type(1, np.float64).dtype == np.float32
        assert lax.convert_element_type(1, float).dtype == np.float32

    def test_errors(self):
        with pytest.raises(ValueError, match="must be specified"):
            lax.convert_element_type(1.0, None)
        with pytest.raises(TypeError, match="not a valid JAX type"):
            lax.convert_element_type([1, 2], np.float32)

    def test_params_in_jaxprs(self):
        jaxpr = str(make_jaxpr(lambda x: lax.convert_element_type(x, int))(np.float32([1])))
        assert "convert_element_type[new_dtype=int32 weak_type=False] a" in jaxpr

    def test_bitcast_to_the_same_width(self):
        x = rng.normal(size=(2, 3)).astype(np.float32)
        got = lax.bitcast_convert_type(x, np.int32)
        np.testing.assert_array_equal(value(got), x.view(np.int32))
        np.testing.assert_array_equal(value(lax.bitcast_convert_type(got, np.float32)), x)

    @pytest.mark.parametrize(
        "wide, narrow", [("int32", "uint8"), ("float32", "bfloat16"), ("int8", "int4")]
    )
    def test_bitcast_to_other_widths_and_back(self, wide, narrow):
        wide, narrow = dtype_of(wide), dtype_of(narrow)
        x = rng.integers(0, 100, 5).astype(wide)
        parts = lax.bitcast_convert_type(x, narrow)
        assert parts.shape == (5, {"uint8": 4, "bfloat16": 2, "int4": 2}[narrow.name])
        np.testing.assert_array_equal(value(lax.bitcast_convert_type(parts, wide)), x)

    def test_bitcast_puts_the_lowest_bits_first(self):
        got = value(lax.bitcast_convert_type(np.int8([0x21, -1]), int4)).astype(int)
        np.testing.assert_array_equal(got, [[1, 2], [-1, -1]])

    def test_bitcast_errors(self):
        with pytest.raises(ShapeError, match=r"last axis must have length 2, got .* \(3,\)"):
            lax.bitcast_convert_type(np.zeros(3, np.int8), np.int16)
        with pytest.raises(TypeError, match="operand dtype=bool, new_dtype=int8"):
            lax.bitcast_convert_type(np.bool_([1]), np.int8)
        with pytest.raises(TypeError, match="new_dtype=complex64"):
            lax.bitcast_convert_type(np.float32([1]), np.complex64)

    def test_complex_parts(self):
        z = np.complex64([1 + 2j, -0.0 - 0.0j])
        np.testing.assert_array_equal(value(lax.complex(lax.real(z), lax.imag(z))), z)
        np.testing.assert_array_equal(value(lax.conj(z)), np.conj(z))
        assert "conj[input_dtype=complex64]" in str(make_jaxpr(lax.conj)(z))
        np.testing.assert_array_equal(value(lax.conj(np.float32([2]))), np.complex64([2]))

    def test_reduce_precision_to_bfloat16_is_conversion(self):
        x = rng.normal(size=100).astype(np.float32)
        got = value(lax.reduce_precision(x, 8, 7))
        np.testing.assert_array_equal(got, x.astype(bfloat16).astype(np.float32))

    def test_reduce_precision_to_half_flushes_what_is_below_normal(self):
        x = np.float32([1.2345, 65519, 65520, -1e30, 6e-8, -3e-6, 6.2e-5, np.nan, np.inf])
        got = value(lax.reduce_precision(x, 5, 10))
        with np.errstate(over="ignore"):
            expected = x.astype(np.float16).astype(np.float32)
        expected[4:6] = 0, -0.0
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(np.signbit(got[4:6]), [False, True])
        np.testing.assert_array_equal(value(lax.reduce_precision(x, 8, 23)), x)

    def test_reduce_precision_errors(self):
        with pytest.raises(ValueError, match="exponent_bits must be positive; got 0"):
            lax.reduce_precision(1.0, 0, 3)
        with pytest.raises(ValueError, match="mantissa_bits must be non-negative; got -1"):
            lax.reduce_precision(1.0, 5, -1)
        with pytest.raises(TypeError, match="reduce_precision does not accept dtype int32"):
            lax.reduce_precision(1, 5, 5)

    def test_copy(self):
        x = np.float32([1, 2])
        got = lax.copy_p.bind(x)
        x[:] = 0
        np.testing.assert_array_equal(value(got), [1, 2])


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3)])
def test_empty_and_zero_dimensional(shape):
    x = np.ones(shape, np.float32)
    for name in ("sin", "round", "sign", "is_finite", "reciprocal", "erf_inv", "digamma"):
        assert getattr(lax, name)(x).shape == shape
    for name in ("add", "div", "max", "pow", "lt"):
        assert getattr(lax, name)(x, x).shape == shape
    assert lax.bitcast_convert_type(x, np.int16).shape == (*shape, 2)
    assert lax.population_count(x.astype(np.int32)).shape == shape
    assert lax.select(x > 0, x, x).shape == shape


def test_staged_equals_eager():
    def function(x, i):
        y = lax.select(lax.lt(x, 1.0), lax.exp(x), lax.integer_pow(x, 3))
        return lax.clamp(0.5, y, 4.0), lax.shift_left(i, 2), lax.convert_element_type(y, np.int32)

    x, i = np.float32([0.2, 1.5, -3]), np.int32([1, 2, 3])
    for staged, eager in zip(jit(function)(x, i), function(x, i), strict=True):
        np.testing.assert_array_equal(value(staged), value(eager))
        assert staged.dtype == eager.dtype


def test_types_are_known_without_computing():
    avals = (ShapedArray((2, 3), np.float32), ShapedArray((), np.float32, weak_type=True))
    assert lax.add_p.result_types(avals, {}) is ShapedArray((2, 3), np.float32)
