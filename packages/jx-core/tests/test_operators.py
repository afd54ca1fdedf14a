"""The arithmetic of arrays: promotion, broadcasting, NumPy's results, Python's operators."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from ml_dtypes import bfloat16, int4

from jx_core import Array, backend, jit, lax, make_jaxpr, operators
from jx_core.config import enable_x64, numpy_dtype_promotion, numpy_rank_promotion
from jx_core.errors import ShapeError, TypePromotionError

rng = np.random.default_rng(0)


def array(x, dtype=None):
    """An array of the back end in use."""
    return lax.copy_p.bind(np.asarray(x, dtype))


def traced(function, *args):
    return str(make_jaxpr(function)(*args))


@pytest.fixture
def f():
    return array([1.0, 2.0, 3.0], np.float32)


@pytest.fixture
def i():
    return array([1, 2, 3], np.int32)


SYMBOLS = {
    operator.add: "add", operator.sub: "subtract", operator.mul: "multiply",
    operator.truediv: "divide", operator.floordiv: "floor_divide", operator.mod: "remainder",
    operator.and_: "bitwise_and", operator.or_: "bitwise_or", operator.xor: "bitwise_xor",
    operator.lshift: "left_shift", operator.rshift: "right_shift", operator.eq: "equal",
    operator.ne: "not_equal", operator.lt: "less", operator.le: "less_equal",
    operator.gt: "greater", operator.ge: "greater_equal", operator.pow: "power",
}  # fmt: skip


class TestAgainstNumPy:
    @pytest.mark.parametrize("symbol", SYMBOLS)
    @pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "float32"])
    def test_binary(self, symbol, dtype):
        name = SYMBOLS[symbol]
        if dtype == "float32" and name.startswith(("bitwise", "left", "right")):
            with pytest.raises(TypeError, match="does not accept dtype float32"):
                symbol(array([1.0], dtype), array([1.0], dtype))
            return
        x = rng.integers(1, 20, (3, 1)).astype(dtype)
        y = rng.integers(1, 7, 4).astype(dtype)
        if np.dtype(dtype).kind != "u":
            x[0], y[1] = -x[0], y[1] if name in ("power", "left_shift", "right_shift") else -y[1]
        with np.errstate(over="ignore"):
            expected = getattr(np, name)(x, y)
        for got in (
            symbol(array(x), array(y)),
            symbol(array(x), y),
            symbol(x, array(y)),
            getattr(operators, name)(x, y),
            jit(getattr(operators, name))(x, y),
        ):
            assert isinstance(got, Array)
            np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-6)
            assert got.dtype == (np.float32 if name == "divide" else expected.dtype)

    @pytest.mark.parametrize("symbol, name", [
        (operator.neg, "negative"), (operator.pos, "positive"), (abs, "absolute"),
        (operator.invert, "invert"),
    ])  # fmt: skip
    def test_unary(self, symbol, name):
        x = np.int32([-2, 0, 5])
        np.testing.assert_array_equal(np.asarray(symbol(array(x))), getattr(np, name)(x))
        np.testing.assert_array_equal(np.asarray(jit(symbol)(x)), getattr(np, name)(x))

    def test_absolute(self):
        np.testing.assert_array_equal(np.asarray(abs(array([3 + 4j], np.complex64))), [5])
        assert traced(abs, np.uint8([1])) == "{ lambda ; a:u8[1]. let  in (a,) }"
        assert traced(abs, np.bool_([1])) == "{ lambda ; a:bool[1]. let  in (a,) }"

    def test_floats_by_whole_quotients(self):
        x = np.float32([5, -5, 5, -5, 1.0, 1, -1, 0, np.inf, 1, -1])
        y = np.float32([3, 3, -3, -3, 0.1, 0, 0, 0, 3, np.inf, np.inf])
        with np.errstate(all="ignore"):
            expected = np.divmod(x, y)
        for got, want in zip(divmod(array(x), array(y)), expected, strict=True):
            np.testing.assert_allclose(np.asarray(got), want, rtol=1e-6)
        finite = np.isfinite(x) & np.isfinite(y)
        np.testing.assert_array_equal(np.asarray(array(x) // y)[finite], expected[0][finite])

    def test_whole_quotients_of_infinities_are_quotients(self):
        """The floor of `x / y`, where Python's and NumPy's `//` are NaN and -1."""
        x = np.float32([np.inf, np.inf, -np.inf, np.inf, 1, -1, 1, -1, 0, np.inf, np.nan])
        y = np.float32([3, -3, 3, 0, np.inf, np.inf, -np.inf, -np.inf, -np.inf, np.inf, np.inf])
        with np.errstate(all="ignore"):
            want = x / y
        got = np.asarray(array(x) // y)
        np.testing.assert_array_equal(got, want)
        known = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(want)[known])

    def test_halves_and_whole_multiples(self):
        x, y = rng.integers(-50, 50, (2, 400)).astype(np.float32) / 2
        y[y == 0] = 1
        np.testing.assert_array_equal(np.asarray(operators.floor_divide(x, y)), x // y)
        np.testing.assert_array_equal(np.asarray(operators.remainder(x, y)), x % y)

    def test_integers_by_zero(self):
        x = np.int32([7, -7, 0])
        np.testing.assert_array_equal(np.asarray(array(x) % 0), [0, 0, 0])
        assert (array(x) // 0).dtype == np.int32

    def test_divmod_of_integers(self):
        x, y = np.int32([7, -7, 7, -7, -(2**31)]), np.int32([2, 2, -2, -2, -1])
        quotient, remainder = operators.divmod(x, y)
        np.testing.assert_array_equal(np.asarray(quotient), [3, -4, -4, 3, -(2**31)])
        np.testing.assert_array_equal(np.asarray(remainder), [1, 1, -1, -1, 0])
        quotient, remainder = divmod(7, array([2, -2], np.int32))
        np.testing.assert_array_equal(np.asarray(quotient), [3, -4])
        np.testing.assert_array_equal(np.asarray(remainder), [1, -1])

    def test_python_numbers_alone(self):
        assert float(operators.remainder(-7.0, 2.0)) == 1.0
        assert int(operators.floor_divide(-7, 2)) == -4
        assert float(operators.divide(1, 2)) == 0.5

    def test_right_shift_of_unsigned_is_logical(self):
        assert "shift_right_logical" in traced(operator.rshift, np.uint8([128]), np.uint8([1]))
        np.testing.assert_array_equal(np.asarray(array([128], np.uint8) >> 1), [64])

    def test_complex_numbers_are_ordered_by_real_part_first(self):
        x, y = np.complex64([1 + 2j, 1 + 2j, 2]), np.complex64([1 + 3j, 2 + 1j, 1 + 5j])
        for symbol in (operator.lt, operator.le, operator.gt, operator.ge):
            np.testing.assert_array_equal(np.asarray(symbol(array(x), array(y))), symbol(x, y))


class TestBooleans:
    def test_sum_and_product_are_logic(self):
        x, y = array([True, True, False]), array([True, False, False])
        np.testing.assert_array_equal(np.asarray(x + y), [True, True, False])
        np.testing.assert_array_equal(np.asarray(x * y), [True, False, False])
        np.testing.assert_array_equal(np.asarray(~x), [False, False, True])
        assert (x & True).dtype == np.bool_

    def test_they_count_as_integers_elsewhere(self):
        x = array([True, True])
        assert (x << 1).dtype == (x // x).dtype == (x % x).dtype == (x**2).dtype == np.int32
        assert (x + 1).dtype == np.int32
        assert (x / x).dtype == np.float32

    @pytest.mark.parametrize("function, name", [(lambda x: x - x, "sub"), (operator.neg, "neg")])
    def test_they_have_no_difference(self, function, name):
        with pytest.raises(TypeError, match=f"{name} does not accept dtype bool"):
            function(array([True]))


class TestPromotion:
    def test_python_numbers_take_the_dtype_of_arrays(self):
        assert "add a 2.0:bf16[]" in traced(lambda x: x + 2, np.ones(3, bfloat16))
        assert "mul 0.5:f16[] a" in traced(lambda x: 0.5 * x, np.ones(3, np.float16))
        assert "add a 1:i8[]" in traced(lambda x: x + 1, np.ones(3, np.int8))
        assert "div 3.0:f32[] b" in traced(lambda x: 3 / x, np.ones(3, np.int32))

    def test_python_numbers_of_the_default_dtype_stay_weak(self):
        literal = make_jaxpr(lambda x: x + 2.0)(np.ones(3, np.float32)).eqns[0].invars[1]
        assert type(literal.val) is float
        assert literal.aval.weak_type

    def test_a_float_makes_integers_weak_floats(self):
        jaxpr = make_jaxpr(lambda x: x + 1.5)(np.ones(3, np.uint8))
        assert "convert_element_type[new_dtype=float32 weak_type=True] a" in str(jaxpr)
        assert jaxpr.out_avals[0].weak_type
        assert (array([1], np.uint8) + 1.5).weak_type
        assert (array(2, np.int32) * array(1.5, np.float32)).weak_type is False

    def test_a_weak_result_keeps_python_numbers_weak(self):
        weak = lax.add(1.0, 1.0)
        assert traced(lambda x: x + 1, weak).endswith("add a 1.0:f32[] in (b,) }")
        assert (weak + 1).weak_type
        assert make_jaxpr(lambda x: x + 1)(weak).out_avals[0].weak_type

    def test_arrays_promote_to_their_common_dtype(self):
        assert (array([1], np.int8) + array([1], np.uint8)).dtype == np.int16
        assert (array([1], np.int32) + array([1], bfloat16)).dtype == bfloat16
        assert (array([1], np.float16) + array([1], bfloat16)).dtype == np.float32
        assert (array([1], np.float32) * 1j).dtype == np.complex64
        assert (np.float64(2) * array([1], np.float32)).dtype == np.float32

    def test_true_division_makes_floats(self):
        for dtype, expected in [(np.int8, np.float32), (int4, np.float32), (bool, np.float32),
                                (np.float16, np.float16), (bfloat16, bfloat16)]:  # fmt: skip
            x = np.ones(2, np.float32).astype(dtype)
            assert operators.divide(x, x).dtype == expected
        with enable_x64(True):
            assert operators.divide(np.int64([1]), 2).dtype == np.float64
            assert operators.divide(np.int32([1]), np.int32([2])).dtype == np.float32

    def test_integers_wrap_around_in_narrow_dtypes(self):
        assert "add a 44:u8[]" in traced(lambda x: x + 300, np.uint8([1]))
        np.testing.assert_array_equal(np.asarray(array([1], np.uint8) + 300), [45])

    @pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**40])
    def test_integers_too_large_for_any_dtype(self, number, i):
        with pytest.raises(OverflowError, match=f"{number}"):
            traced(lambda x: x + number, np.int32([1]))
        with pytest.raises(OverflowError, match=f"{number}"):
            i + number

    def test_floats_too_large_for_a_narrow_dtype_are_infinite(self):
        assert "add a inf:f16[]" in traced(lambda x: x + 1e10, np.float16([1]))

    def test_dtypes_that_do_not_combine(self, f):
        with pytest.raises(TypePromotionError, match="float8_e4m3fn"):
            f + np.ones(3, "float8_e4m3fn")
        with numpy_dtype_promotion("strict"), pytest.raises(TypePromotionError):
            operators.add(np.int32([1]), np.float32([1]))

    def test_64_bits_when_enabled(self):
        with enable_x64(True):
            assert operators.add(np.float64([1]), 1).dtype == np.float64
            assert "add a 2.0:f32[]" in traced(lambda x: x + 2.0, np.float32([1]))
            assert int(operators.add(np.int64(1), 2**40)) == 2**40 + 1

    def test_helpers(self):
        x, y = operators.promote("f", np.float32([1, 2]), np.int32([[1], [2]]))
        assert x.shape == y.shape == (2, 2)
        assert x.dtype == y.dtype == np.float32
        (x,) = operators.promote_inexact("f", np.int32([1]))
        assert x.dtype == np.float32
        x, y, z = operators.promote_dtypes("f", np.int8([1]), 2, np.uint8(3))
        assert x.dtype == y.dtype == z.dtype == np.int16
        x, y = operators.promote_dtypes_inexact("f", 1, 2)
        assert (x, y) == (1.0, 2.0)
        assert operators.to_inexact(np.dtype(np.uint8)) == np.float32
        assert [x.shape for x in operators.promote_shapes("f", np.ones(3), 1.0 * np.ones(()))] == [
            (3,), (),
        ]  # fmt: skip


class TestBroadcasting:
    def test_shapes_are_broadcast_in_one_step(self):
        assert traced(operator.add, np.zeros((2, 3), np.float32), np.zeros(3, np.float32)) == (
            "{ lambda ; a:f32[2,3] b:f32[3]. let\n"
            "    c:f32[2,3] = broadcast_in_dim[broadcast_dimensions=(1,)] b\n"
            "    d:f32[2,3] = add a c\n"
            "  in (d,) }"
        )

    def test_scalars_are_not_broadcast(self):
        jaxpr = make_jaxpr(operator.mul)(np.zeros((2, 3), np.float32), np.float32(1))
        assert [e.primitive.name for e in jaxpr.eqns] == ["mul"]

    def test_incompatible_shapes(self, f):
        with pytest.raises(ShapeError, match=r"add got incompatible.*: \(3,\), \(2, 2\)"):
            f + np.zeros((2, 2))
        with pytest.raises(ValueError, match="incompatible"):
            traced(operator.add, np.zeros(2), np.zeros(3))

    def test_rank_promotion_can_be_forbidden(self):
        x, y = np.zeros((2, 3)), np.zeros(3)
        with numpy_rank_promotion("raise"):
            with pytest.raises(ValueError, match=r"subtract got operands.*\(2, 3\) \(3,\)"):
                operators.subtract(x, y)
            assert operators.subtract(x, 1.0).shape == (2, 3)
            assert operators.subtract(x, y[None]).shape == (2, 3)
        with numpy_rank_promotion("warn"), pytest.warns(UserWarning, match="different ranks"):
            operators.subtract(x, y)

    def test_broadcast_shapes(self):
        assert operators.broadcast_shapes("f", (2, 1), (), (1, 3)) == (2, 3)
        assert operators.broadcast_shapes("f", (0,), (1,)) == (0,)
        assert operators.broadcast_shapes("f") == ()
        with pytest.raises(ShapeError, match=r"where got incompatible.*\(2,\), \(3,\)"):
            operators.broadcast_shapes("where", (2,), (3,))


class TestPower:
    def test_fixed_integer_exponents_are_products(self):
        x = np.float32([2])
        for exponent in (3, np.int64(3), np.array(3)):
            assert "integer_pow[y=3] a" in traced(lambda x, e=exponent: x**e, x)
        assert "integer_pow[y=1]" in traced(lambda x: x**True, x)
        assert "pow a 3.0:f32[]" in traced(lambda x: x**3.0, x)

    def test_eager_exponents_are_fixed_too(self, i):
        np.testing.assert_array_equal(np.asarray(i**2), [1, 4, 9])
        with pytest.raises(TypeError, match="negative powers"):
            i**-1
        with pytest.raises(TypeError, match="negative powers"):
            operators.power(2, np.int32(-1))
        assert int(operators.power(2, 3)) == 8

    def test_dtypes(self, f, i):
        assert (f**2).dtype == np.float32
        assert (i**2).dtype == np.int32
        assert (array([2], np.int8) ** np.int64(2)).dtype == np.int8
        assert (i**2.0).dtype == np.float32
        assert (2**i).dtype == np.int32
        assert (2.0**i).dtype == np.float32
        assert (i ** array([1.5, 2, 3], bfloat16)).dtype == bfloat16

    def test_integer_exponents_of_floats_are_not_converted(self):
        jaxpr = make_jaxpr(operator.pow)(np.float32([1]), np.int32([2]))
        assert jaxpr.eqns[-1].primitive.name == "pow"
        assert jaxpr.eqns[-1].invars[1].aval.dtype == np.int32

    @pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
    def test_integers_to_integers(self, dtype):
        x, y = (a.ravel().astype(dtype) for a in np.meshgrid([0, 1, 2, 3, 5], range(8)))
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(np.asarray(operators.power(x, y)), x**y)

    def test_powers_of_minus_one_zero_and_one_are_right_for_all_exponents(self):
        exponents = np.int32([0, 1, 64, 65, 1000, 2**31 - 1])
        np.testing.assert_array_equal(np.asarray(array(-1) ** exponents), [1, -1, 1, -1, 1, -1])
        np.testing.assert_array_equal(np.asarray(array(0) ** exponents), [1, 0, 0, 0, 0, 0])
        np.testing.assert_array_equal(np.asarray(array(1) ** -exponents), [1] * 6)


class Radd:
    def __radd__(self, other):
        return "radd"

    def __add__(self, other):
        return "add"


class Wrapper:
    def __jax_array__(self):
        return np.float32([10, 20, 30])


class TestPythonsProtocol:
    def test_numpy_leaves_the_operation_to_arrays(self, f):
        for left in (np.ones(3, np.float32), np.float32(1), np.int64(1)):
            result = left + f
            assert isinstance(result, Array)
            np.testing.assert_array_equal(np.asarray(result), [2, 3, 4])
        assert isinstance(np.ones(3) < f, Array)

    def test_and_to_tracers(self):
        jaxpr = traced(lambda x: np.ones(3, np.float32) - x, np.ones(3, np.float32))
        assert "sub a b" in jaxpr

    def test_reflected_operands_keep_their_order(self, i):
        np.testing.assert_array_equal(np.asarray(10 - i), [9, 8, 7])
        np.testing.assert_array_equal(np.asarray(7 // i), [7, 3, 2])
        np.testing.assert_array_equal(np.asarray(1 << i), [2, 4, 8])
        assert "sub 10:i32[] a" in traced(lambda x: 10 - x, np.int32([1]))

    def test_objects_with_operators_of_their_own(self, f):
        assert f + Radd() == "radd"
        assert Radd() + f == "add"
        seen = []
        jit(lambda x: seen.append(x + Radd()) or x)(1.0)
        assert seen == ["radd"]

    def test_objects_that_know_their_array(self, f):
        for result in (f + Wrapper(), Wrapper() + f, jit(lambda x: x + Wrapper())(f)):
            np.testing.assert_array_equal(np.asarray(result), [11, 22, 33])
        np.testing.assert_array_equal(np.asarray(operators.add(Wrapper(), 1.0)), [11, 21, 31])

    @pytest.mark.parametrize("container", [[1, 2, 3], (1, 2, 3), {1}, {1: 2}])
    def test_containers_are_refused(self, container, f):
        kind = type(container).__name__
        for symbol, text in [(operator.add, r"\+"), (operator.eq, "=="), (operator.mul, r"\*"),
                             (operator.pow, r"\*\*")]:  # fmt: skip
            with pytest.raises(TypeError, match=f"for {text}: 'Array' and '{kind}'"):
                symbol(f, container)
            with pytest.raises(TypeError, match=f"for {text}: 'StagingTracer' and '{kind}'"):
                traced(lambda x, s=symbol: s(x, container), np.float32([1]))
        with pytest.raises(TypeError, match=rf"for \*: '{kind}' and 'Array'"):
            container * f

    def test_strangers_are_unequal_and_have_no_sum(self, f):
        assert (f == "a") is False
        assert (f != None) is True  # noqa: E711
        for stranger in ("a", None, object()):
            with pytest.raises(TypeError, match="unsupported operand|not supported"):
                f + stranger
            with pytest.raises(TypeError, match="unsupported operand|not supported"):
                traced(lambda x, s=stranger: x < s, np.float32([1]))

    @pytest.mark.parametrize("wrong", [[1.0], None, "x", (1, 2), object()])
    def test_functions_name_what_they_were_given(self, wrong):
        with pytest.raises(TypeError, match=r"add requires ndarray or scalar.*at position 1\."):
            operators.add(1.0, wrong)
        with pytest.raises(TypeError, match=r"less requires ndarray or scalar.*at position 0\."):
            operators.less(wrong, 1.0)
        with pytest.raises(TypeError, match="negative requires ndarray or scalar"):
            operators.negative(wrong)

    def test_arrays_of_objects_are_refused(self):
        with pytest.raises(TypeError, match="add requires arrays of numbers.*dtype object"):
            operators.add(1.0, np.array([None]))


class TestStaging:
    def test_equal_types_are_bound_as_they_are(self):
        assert traced(operator.add, np.float32([1]), np.float32([2])) == (
            "{ lambda ; a:f32[1] b:f32[1]. let c:f32[1] = add a b in (c,) }"
        )

    def test_staged_equals_eager(self, f, i):
        def function(x, n):
            return (x * 2 + n) / 3 - x**2 % 2, n // 2 | 4, -x < 0.5, divmod(n, 2)

        from jx_core import tree

        for staged, eager in zip(
            tree.leaves(jit(function)(f, i)), tree.leaves(function(f, i)), strict=True
        ):
            assert (staged.dtype, staged.weak_type) == (eager.dtype, eager.weak_type)
            np.testing.assert_array_equal(np.asarray(staged), np.asarray(eager))

    def test_operators_are_compiled_functions_on_arrays(self, f):
        spec = type(f).__add__._spec
        before = len(spec.cache)
        g = array(np.ones((5, 7, 11), np.float32))
        for _ in range(3):
            g + g
        assert len(spec.cache) == before + 1

    def test_on_the_numpy_back_end(self):
        with backend.use("numpy"):
            result = operators.add(1.0, 2.0)
        assert type(result) is backend.Array
