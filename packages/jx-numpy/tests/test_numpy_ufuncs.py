"""Elementwise functions: values by NumPy, dtypes by JAX's rules, errors, derivatives."""

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad, jvp
from jx_core import jit, lax, make_jaxpr

RNG = np.random.default_rng(0)
REAL = np.array([-2.5, -1.0, -0.5, 0.0, 0.25, 1.0, 3.0], np.float32)
POSITIVE = np.array([0.25, 0.5, 1.0, 2.0, 9.0], np.float32)
UNIT = np.array([-0.9, -0.5, 0.0, 0.3, 0.8], np.float32)
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -1.5], np.float32)
INTEGERS = np.array([-7, -1, 0, 1, 5, 12], np.int32)

UNARY = {
    REAL.tobytes(): (
        REAL,
        "abs absolute cbrt ceil conj cos cosh deg2rad degrees exp exp2 expm1 fabs fix floor "
        "imag isfinite isinf isnan isneginf isposinf isreal logical_not negative positive "
        "rad2deg radians real rint round sign signbit sin sinc sinh square tan tanh trunc "
        "arcsinh asinh arctan atan spacing nan_to_num iscomplex angle",
    ),
    POSITIVE.tobytes(): (
        POSITIVE,
        "sqrt log log2 log10 log1p reciprocal arccosh",
    ),
    UNIT.tobytes(): (UNIT, "arcsin asin arccos acos arctanh atanh log1p"),
    SPECIAL.tobytes(): (
        SPECIAL,
        "isnan isinf isfinite isposinf isneginf signbit nan_to_num floor ceil trunc rint abs "
        "negative sign cosh tanh exp logical_not",
    ),
    INTEGERS.tobytes(): (
        INTEGERS,
        "abs sign negative square bitwise_not invert bitwise_count floor ceil trunc sin exp "
        "isnan isfinite signbit logical_not conj real imag positive cbrt",
    ),
}
UNARY_CASES = [
    pytest.param(name, x, id=f"{name}-{x.dtype}-{i}")
    for i, (x, names) in enumerate(UNARY.values())
    for name in names.split()
    if hasattr(jnp, name) and hasattr(np, name)
]


@pytest.mark.parametrize(("name", "x"), UNARY_CASES)
def test_unary_values_are_numpys(name, x):
    wide = x.astype(np.float64) if name != "spacing" and x.dtype == np.float32 else x
    with np.errstate(all="ignore"):
        if name == "nan_to_num":
            wide = x
        expected = getattr(np, name)(wide)
    result = getattr(jnp, name)(x)
    np.testing.assert_allclose(np.asarray(result, expected.dtype), expected, rtol=3e-6, atol=1e-6)


def test_complex_functions():
    z = np.array([1 + 2j, -1j, 3.0], np.complex64)
    for name in ("exp", "sin", "cosh", "sqrt", "log", "abs", "angle", "conj", "real", "imag",
                 "square", "sinc", "rint", "isreal", "iscomplex", "isfinite"):  # fmt: skip
        expected = getattr(np, name)(z.astype(np.complex128))
        result = np.asarray(getattr(jnp, name)(z))
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


BINARY = (
    "add subtract multiply divide true_divide maximum minimum fmax fmin hypot logaddexp "
    "logaddexp2 arctan2 copysign floor_divide remainder mod fmod nextafter heaviside equal "
    "not_equal less less_equal greater greater_equal logical_and logical_or logical_xor "
    "float_power power"
).split()


@pytest.mark.parametrize("name", BINARY)
def test_binary_values_are_numpys_and_broadcast(name):
    x = np.array([[-2.0], [0.5], [3.0]], np.float32)
    y = np.array([1.5, 0.75, 2.0, 1.0], np.float32)
    if name in ("power", "float_power"):
        x = np.abs(x)
    expected = getattr(np, name)(x, y)
    result = getattr(jnp, name)(x, y)
    assert result.shape == (3, 4)
    np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "name",
    "add subtract multiply floor_divide remainder mod fmod maximum minimum gcd lcm bitwise_and "
    "bitwise_or bitwise_xor equal less divide".split(),
)
def test_integer_values_are_numpys(name):
    x = np.array([[12], [-18], [7]], np.int32)
    y = np.array([5, -4, 8], np.int32)
    expected = getattr(np, name)(x, y)
    np.testing.assert_allclose(np.asarray(getattr(jnp, name)(x, y)), expected, rtol=1e-6)


def test_shifts_frexp_ldexp_divmod_modf():
    i = np.array([1, 3, -8], np.int32)
    np.testing.assert_array_equal(jnp.left_shift(i, 2), np.left_shift(i, 2))
    np.testing.assert_array_equal(jnp.right_shift(i, 1), np.right_shift(i, 1))
    x = np.array([8.0, -3.0, 0.0, np.inf, 1e-40, 0.1], np.float32)
    for got, expected in zip(jnp.frexp(x), np.frexp(x)):
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(jnp.ldexp(x[:3], 4), np.ldexp(x[:3], 4))
    np.testing.assert_array_equal(jnp.ldexp(np.float32(1.5), 127), np.float32(1.5 * 2.0**127))
    np.testing.assert_allclose(jnp.ldexp(np.float32(1.5), -140), np.ldexp(1.5, -140))
    for got, expected in zip(jnp.divmod(7.5, -2.0), np.divmod(7.5, -2.0)):
        assert float(got) == expected
    for got, expected in zip(jnp.modf(REAL), np.modf(REAL)):
        np.testing.assert_array_equal(got, expected)


# What dtype and weakness JAX gives for (bool, int8, uint8, float16, bfloat16, a Python int).
DTYPES = {
    "sin": "float32 float32 float32 float16 bfloat16 ~float32",
    "sqrt": "float32 float32 float32 float16 bfloat16 ~float32",
    "abs": "bool int8 uint8 float16 bfloat16 ~int32",
    "floor": "bool int8 uint8 float16 bfloat16 ~int32",
    "rint": "float32 float32 float32 float16 bfloat16 float32",
    "square": "int32 int8 uint8 float16 bfloat16 ~int32",
    "reciprocal": "float32 float32 float32 float16 bfloat16 ~float32",
    "isnan": "bool bool bool bool bool ~bool",
    "signbit": "bool bool bool bool bool bool",
    "real": "bool int8 uint8 float16 bfloat16 ~int32",
    "nan_to_num": "bool int8 uint8 float16 bfloat16 ~int32",
    "log2": "float32 float32 float32 float16 bfloat16 float32",
}


@pytest.mark.parametrize("name", DTYPES)
def test_unary_dtypes_are_jaxs(name):
    operands = [*[jnp.ones(2, d) for d in ("bool", "int8", "uint8", "float16", "bfloat16")], 3]
    for x, expected in zip(operands, DTYPES[name].split(), strict=True):
        result = getattr(jnp, name)(x)
        got = ("~" if result.weak_type else "") + str(result.dtype)
        assert got == expected, x


# (bool, bool), (int8, uint8), (int8, float16), (int8, 2), (float16, 2.0), (3, 2.0)
BINARY_DTYPES = {
    "add": "bool int16 float16 int8 float16 ~float32",
    "divide": "float32 float32 float16 float32 float16 ~float32",
    "floor_divide": "int32 int16 float16 int8 float16 ~float32",
    "maximum": "bool int16 float16 int8 float16 ~float32",
    "arctan2": "float32 float32 float16 float32 float16 ~float32",
    "hypot": "float32 float32 float16 float32 float16 ~float32",
    "power": "int32 int16 float16 int8 float16 ~float32",
    "float_power": "float32 float32 float16 float32 float16 ~float32",
    "equal": "bool bool bool bool bool ~bool",
    "logaddexp": "float32 float32 float16 float32 float16 ~float32",
    "copysign": "float32 float32 float16 float32 float16 ~float32",
}


@pytest.mark.parametrize("name", BINARY_DTYPES)
def test_binary_dtypes_are_jaxs(name):
    b, i8, u8, f16 = (jnp.ones(2, d) for d in ("bool", "int8", "uint8", "float16"))
    pairs = [(b, b), (i8, u8), (i8, f16), (i8, 2), (f16, 2.0), (3, 2.0)]
    for (x, y), expected in zip(pairs, BINARY_DTYPES[name].split(), strict=True):
        result = getattr(jnp, name)(x, y)
        got = ("~" if result.weak_type else "") + str(result.dtype)
        assert got == expected, (x, y)


def test_dtypes_are_strong_where_one_operand_is_a_strong_float():
    strong = jnp.ones(2, "float32")
    for name in ("copysign", "hypot", "heaviside", "logaddexp2", "arctan2", "nextafter"):
        assert not getattr(jnp, name)(0.5, strong).weak_type, name
        assert not getattr(jnp, name)(strong, 0.5).weak_type, name


@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16"])
def test_spacing_is_no_difference_that_is_flushed_to_zero(dtype):
    info = jnp.finfo(dtype)
    least = float(info.smallest_subnormal)
    x = jnp.array([0.0, -0.0, float(info.tiny), -2.0 * float(info.tiny), least, 1.0], dtype)
    expected = [least, -least, least, -2 * least, least, float(info.eps)]
    np.testing.assert_array_equal(np.asarray(jnp.spacing(x), float), expected)
    ends = jnp.array([float(info.max), np.inf, np.nan], dtype)
    np.testing.assert_array_equal(np.asarray(jnp.spacing(ends), float), [np.inf, np.nan, np.nan])


def test_a_traced_function_binds_nothing_but_its_primitives():
    x = jnp.ones(3)
    names = lambda f: [e.primitive.name for e in make_jaxpr(f)(x).eqns]  # noqa: E731
    assert names(jnp.sin) == ["sin"]
    assert names(lambda x: jnp.add(x, 1)) == ["add"]
    assert names(lambda x: jnp.maximum(x, 0)) == ["max"]
    assert names(lambda x: jnp.clip(x, 0, 1)) == ["max", "min"]
    assert names(jnp.isnan) == ["ne"]


def test_clip():
    x = np.arange(-3, 4, dtype=np.int32)
    np.testing.assert_array_equal(jnp.clip(x, -1, 2), np.clip(x, -1, 2))
    np.testing.assert_array_equal(jnp.clip(x, max=1), np.minimum(x, 1))
    np.testing.assert_array_equal(jnp.clip(x), x)
    assert jnp.clip(jnp.arange(3), 0.5, 1).dtype == np.float32
    with pytest.raises(ValueError, match="complex"):
        jnp.clip(jnp.ones(2), 1j)


def test_round_to_decimals():
    x = np.array([1.2345, -2.5, 1250.0], np.float32)
    for decimals in (-2, 0, 1, 3):
        np.testing.assert_allclose(jnp.round(x, decimals), np.round(x, decimals), rtol=1e-6)
    with pytest.raises(TypeError, match="booleans"):
        jnp.round(jnp.array([True]))


def test_isclose_allclose_array_equal():
    a, b = np.array([1.0, np.nan, np.inf]), np.array([1.0 + 1e-7, np.nan, np.inf])
    assert jnp.isclose(a, b).tolist() == [True, False, True]
    assert jnp.isclose(a, b, equal_nan=True).tolist() == [True, True, True]
    assert bool(jnp.allclose(a, b, equal_nan=True))
    assert not bool(jnp.allclose(1.0, 1.1))
    assert bool(jnp.isclose(100, 101, rtol=0.02))
    assert not bool(jnp.array_equal([1, 2], [1, 2, 3]))
    assert bool(jnp.array_equal([1, np.nan], [1, np.nan], equal_nan=True))
    assert bool(jnp.array_equiv([1, 1], 1)) and not bool(jnp.array_equiv([1, 2], [1, 2, 3]))


def test_ufunc_methods():
    x = np.array([[3, 1, 2], [9, 7, 8]], np.int32)
    for name in (
        "add multiply subtract maximum minimum bitwise_and bitwise_or bitwise_xor logical_and "
        "logical_or logical_xor"
    ).split():
        fun, reference = getattr(jnp, name), getattr(np, name)
        for axis in (0, 1):
            np.testing.assert_array_equal(fun.reduce(x, axis), reference.reduce(x, axis))
        np.testing.assert_array_equal(fun.outer(x[0], x[1]), reference.outer(x[0], x[1]))
        np.testing.assert_array_equal(fun.accumulate(x, 1), reference.accumulate(x, 1))
        np.testing.assert_array_equal(
            fun.reduceat(x[0], [0, 2, 1]), reference.reduceat(x[0], [0, 2, 1])
        )
    np.testing.assert_array_equal(jnp.add.reduce(x, axis=None), 30)
    np.testing.assert_array_equal(jnp.add.reduce(x, keepdims=True), [[12, 8, 10]])
    np.testing.assert_array_equal(jnp.subtract.reduce(x, axis=1, keepdims=True), [[0], [-6]])
    masked = jnp.maximum.reduce(x, axis=1, initial=0, where=x < 8)
    np.testing.assert_array_equal(masked, [3, 7])
    y = jnp.add.at(jnp.zeros(3), np.array([0, 0, 2]), np.array([1.0, 2.0, 3.0]), inplace=False)
    np.testing.assert_array_equal(y, [3, 0, 3])
    assert jnp.logaddexp.identity == -np.inf and jnp.add.nin == 2
    assert isinstance(jnp.add, jnp.ufunc) and not isinstance(jnp.sin, jnp.ufunc)
    assert repr(jnp.add) == "<jnp.ufunc 'add'>"
    with pytest.raises(NotImplementedError, match="inplace=False"):
        jnp.add.at(jnp.zeros(3), 0, 1.0)
    with pytest.raises(NotImplementedError, match="'out'"):
        jnp.add(1, 2, out=jnp.zeros(()))


def test_frompyfunc_makes_ufuncs():
    f = jnp.frompyfunc(lambda x, y: 2 * x - y, 2, 1, identity=0)
    x = np.array([1, 2, 3], np.int32)
    np.testing.assert_array_equal(f(x, 10), 2 * x - 10)
    np.testing.assert_array_equal(f.accumulate(x), [1, 0, -3])
    assert int(f.reduce(x)) == -11  # from the identity on
    assert int(f.reduce(np.zeros(0, np.int32))) == 0


def test_logical_functions_at_places_give_booleans():
    x = jnp.array([0.0, 2.0, 3.0])
    got = jnp.logical_xor.at(x, jnp.array([0, 1]), jnp.array([0.0, 5.0]), inplace=False)
    assert got.dtype == bool
    assert got.tolist() == [False, False, True]


def test_extremes_of_integers_and_floats_at_places_are_floats():
    got = jnp.maximum.at(jnp.arange(3), jnp.array([1, 1]), 2.5, inplace=False)
    assert got.dtype == np.float32
    assert got.tolist() == [0, 2.5, 2]


def test_packing_bits():
    bits = np.array([[1, 0, 1], [0, 0, 1]], np.uint8)
    for order in ("big", "little"):
        for axis in (None, 0, 1):
            packed = np.packbits(bits, axis, order)
            np.testing.assert_array_equal(jnp.packbits(bits, axis, order), packed)
            expected = np.unpackbits(packed, axis, None, order)
            np.testing.assert_array_equal(
                jnp.unpackbits(packed, axis, bitorder=order), expected
            )
    packed = np.array([131, 7], np.uint8)
    for count in (None, 3, -2, 20):
        np.testing.assert_array_equal(
            jnp.unpackbits(packed, count=count), np.unpackbits(packed, count=count)
        )


def test_operands_that_are_no_arrays_are_named():
    for call, position in (
        (lambda: jnp.sin([1.0]), 0),
        (lambda: jnp.add(jnp.ones(3), [1, 2, 3]), 1),
        (lambda: jnp.sin(None), 0),
    ):
        with pytest.raises(TypeError, match=f"ndarray or scalar.*position {position}"):
            call()
    with pytest.raises(TypeError):
        jnp.ones(3) + "a"
    with pytest.raises(ValueError, match=r"add.*\(3,\), \(2,\)"):
        jnp.add(jnp.ones(3), jnp.ones(2))
    with pytest.raises(ValueError, match="integers"):
        jnp.gcd(1.5, 2)


def test_power_with_integer_exponents():
    x = np.array([-2, 3], np.int32)
    np.testing.assert_array_equal(jnp.power(x, 3), x**3)
    np.testing.assert_array_equal(jnp.power(x, np.array([2, 0])), [4, 1])
    np.testing.assert_allclose(jnp.power(np.float32([2, 4]), -2), [0.25, 0.0625])
    with pytest.raises(TypeError, match="negative"):
        jnp.power(x, -1)


def test_derivatives_at_delicate_places():
    assert float(grad(jnp.sinc)(0.0)) == 0.0
    np.testing.assert_allclose(float(grad(grad(jnp.sinc))(0.0)), -np.pi**2 / 3, rtol=1e-5)
    equal = grad(lambda x, y: jnp.logaddexp(x, y), argnums=(0, 1))(2.0, 2.0)
    np.testing.assert_allclose([float(g) for g in equal], [0.5, 0.5])
    second = grad(grad(lambda x: jnp.logaddexp(x, 1.0)))(1.0)
    np.testing.assert_allclose(float(second), 0.25, rtol=1e-6)
    assert not np.isnan(float(grad(lambda x: jnp.logaddexp(x, -jnp.inf))(-jnp.inf)))
    mantissa, tangent = jvp(lambda x: jnp.frexp(x)[0], (10.0,), (1.0,))
    assert float(mantissa) == 0.625 and float(tangent) == 1 / 16
    assert float(grad(lambda x: jnp.nan_to_num(x))(jnp.nan)) == 0.0


def test_functions_compose_with_jit():
    x = jnp.linspace(0.1, 2, 5)

    def f(x):
        return jnp.where(x > 1, jnp.log(x), jnp.sqrt(x)) + jnp.clip(x, 0, 1)

    np.testing.assert_allclose(jit(f)(x), f(x), rtol=1e-6)
    assert lax.sin(0.0) == 0.0
