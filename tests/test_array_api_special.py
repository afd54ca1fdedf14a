"""The special cases of the array API standard, on both back ends and in both precisions."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

import jx_xla  # noqa: F401  one of the back ends under test
from array_api_special_cases import (
    COMPLEX,
    COMPLEX_SIZE,
    EVEN,
    ODD,
    OTHER_BASES,
    REAL,
    REAL_PAIRS,
    TURNED,
    Case,
    cases,
    matches,
)
from array_api_standard import SYMBOLS
from jx_ad import grad
from jx_core import backend
from jx_core.config import enable_x64

xp = pytest.importorskip("jx_numpy")


@pytest.fixture(autouse=True, params=["xla", "numpy"])
def back_end(request):
    with enable_x64(True), backend.use(request.param), np.errstate(all="ignore"):
        yield


def check(got, listed, tolerance, note=""):
    """Every result is what the table says, or the message lists those that are not."""
    wrong = []
    for result, case in zip(np.asarray(got), listed, strict=True):
        numbers = (result.real, result.imag) if len(case.result) == 2 else (result,)
        pairs = zip(numbers, case.result, strict=True)
        if not all(matches(float(x), word, case.operands, tolerance) for x, word in pairs):
            wrong.append(f"{case.operands} gives {result}, not {' '.join(case.result)}")
    assert not wrong, f"{note}{len(wrong)} of {len(listed)}: " + "; ".join(wrong)


def tolerance_of(dtype):
    return 8 * float(np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", REAL)
def test_real_functions(name, dtype):
    listed = cases(REAL[name])
    x = xp.asarray(np.array([case.operands[0] for case in listed], dtype))
    result = getattr(xp, name)(x)
    assert result.dtype == dtype
    check(result, listed, tolerance_of(dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", REAL_PAIRS)
def test_real_functions_of_two_operands(name, dtype):
    listed = cases(REAL_PAIRS[name])
    x1, x2 = (xp.asarray(np.array([case.operands[i] for case in listed], dtype)) for i in (0, 1))
    result = getattr(xp, name)(x1, x2)
    assert result.dtype == dtype
    check(result, listed, tolerance_of(dtype))


@pytest.mark.parametrize("name", [name for name in REAL_PAIRS if name in SYMBOLS])
def test_operators_do_as_their_functions(name):
    """To the bit, `x1 op x2` and `x1 op= x2`, of arrays and of a Python number on either side."""
    listed = cases(REAL_PAIRS[name])
    pairs = np.array([case.operands for case in listed])
    symbol = getattr(operator, SYMBOLS[name])
    in_place = getattr(operator, f"i{SYMBOLS[name]}")
    x1, x2 = (xp.asarray(pairs[:, i].copy()) for i in (0, 1))
    want = np.asarray(getattr(xp, name)(x1, x2))
    for got in (symbol(x1, x2), in_place(x1, x2)):
        same_floats(np.asarray(got), want)
    np.testing.assert_array_equal(x1, pairs[:, 0])
    for i in range(0, len(pairs), 7):
        a, b = pairs[i].tolist()
        for got in (symbol(x1[i], b), symbol(a, x2[i]), in_place(x1[i], b)):
            same_floats(np.asarray(got), want[i])


def same_floats(got, want):
    known = ~np.isnan(want)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got) & known, np.signbit(want) & known)


def test_whole_quotients_have_no_slope():
    for at in ((7.0, 2.0), (1.0, 0.0), (0.0, 0.0), (1.0, math.inf)):
        for operand in (0, 1):
            assert grad(xp.floor_divide, argnums=operand)(*at) == 0, (at, operand)


def complex_array(pairs, dtype):
    z = np.empty(len(pairs), dtype)
    z.real, z.imag = np.array(pairs).T
    return z


def flipped(word):
    """The word for the negative of a number."""
    if word.startswith("±") or word == "nan":
        return word
    return word[1:] if word.startswith("-") else f"-{word}"


def plain_cases(text):
    """The cases of a complex table, with `cis` worked out."""
    return [Case(case.operands, tuple(_of_angle(case))) for case in cases(text)]


def _of_angle(case):
    for word, function in zip(case.result, (math.cos, math.sin), strict=True):
        if not word.startswith("cis·"):
            yield word
            continue
        b = case.operands[1]
        yield word[4:] if math.copysign(1, function(b)) > 0 else f"-{word[4:]}"


def conjugated(listed):
    return [Case((a, -b), (re, flipped(im))) for (a, b), (re, im) in listed]


def negated(listed, sign):
    if sign > 0:
        return [Case((-a, -b), case) for (a, b), case in listed]
    return [Case((-a, -b), (flipped(re), flipped(im))) for (a, b), (re, im) in listed]


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", COMPLEX)
def test_complex_functions(name, dtype):
    listed = plain_cases(COMPLEX[name])
    fun, tolerance = getattr(xp, name), tolerance_of(dtype)

    def check_all(listed, note):
        z = xp.asarray(complex_array([case.operands for case in listed], dtype))
        result = fun(z)
        assert result.dtype == dtype
        check(result, listed, tolerance, note)

    check_all(listed, "")
    if name not in ("sign", "round"):
        check_all(conjugated(listed), "of the conjugates, ")
    if name in ODD:
        check_all(negated(listed, -1), "of the negatives, ")
    if name in EVEN:
        check_all(negated(listed, 1), "of the negatives, ")


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", TURNED)
def test_functions_that_are_others_turned_by_a_right_angle(name, dtype):
    """f(z) = -i g(iz): with iz = x + iy, z = y - ix, and f has the parts Im g and -Re g."""
    other = TURNED[name]
    listed = []
    for (x, y), (re, im) in plain_cases(COMPLEX[other]):
        parts = (re, im) if name == "cos" else (im, flipped(re))
        listed.append(Case((y, -x), parts))
    z = xp.asarray(complex_array([case.operands for case in listed], dtype))
    check(getattr(xp, name)(z), listed, tolerance_of(dtype))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", OTHER_BASES)
def test_logarithms_to_other_bases(name, dtype):
    listed = plain_cases(COMPLEX["log"])
    z = xp.asarray(complex_array([case.operands for case in listed], dtype))
    scaled = np.array(getattr(xp, name)(z))
    part = scaled.real.dtype
    scaled.real *= part.type(math.log(OTHER_BASES[name]))
    scaled.imag *= part.type(math.log(OTHER_BASES[name]))
    check(scaled, listed, tolerance_of(dtype))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_size_of_complex_numbers(dtype):
    listed = cases(COMPLEX_SIZE)
    z = xp.asarray(complex_array([case.operands for case in listed], dtype))
    check(xp.abs(z), listed, tolerance_of(dtype))


PARTS = (0.0, -0.0, 1.5, -1.5, math.inf, -math.inf, math.nan)


@pytest.mark.parametrize("name", ["add", "subtract", "negative", "conj", "real", "imag"])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_sums_go_part_by_part(name, dtype):
    every = [(a, b, c, d) for a in PARTS for b in PARTS for c in PARTS for d in PARTS]
    x1, x2 = (complex_array([e[i : i + 2] for e in every], dtype) for i in (0, 2))
    if name in ("add", "subtract"):
        got = np.asarray(getattr(xp, name)(xp.asarray(x1), xp.asarray(x2)))
        real = getattr(np, name)
        want = real(x1.real, x2.real), real(x1.imag, x2.imag)
    else:
        got = np.asarray(getattr(xp, name)(xp.asarray(x1)))
        want = {
            "negative": (-x1.real, -x1.imag), "conj": (x1.real, -x1.imag),
            "real": (x1.real, 0 * got.imag), "imag": (x1.imag, 0 * got.imag),
        }[name]  # fmt: skip
    for part, expected in zip((got.real, got.imag), want, strict=True):
        np.testing.assert_array_equal(part, expected)
        zero = expected == 0
        np.testing.assert_array_equal(np.signbit(part)[zero], np.signbit(expected)[zero])


@pytest.mark.parametrize("name", ["multiply", "divide"])
def test_complex_products_and_quotients_of_finite_numbers(name):
    parts = (0.5, -2.0, 3.0, 1e150, -1e-150, 0.0)
    numbers = [complex(a, b) for a in parts for b in parts]
    pairs = [(x, y) for x in numbers for y in numbers if name == "multiply" or y]
    x1, x2 = np.array(pairs).T
    got = np.asarray(getattr(xp, name)(xp.asarray(x1), xp.asarray(x2)))
    want = getattr(np, name)(x1, x2)
    fits = np.isfinite(want.real) & np.isfinite(want.imag)
    error = np.abs(got - want)[fits]
    assert (error <= 1e-14 * np.abs(want)[fits] + 1e-300).all(), (x1[fits], x2[fits])


def test_truth_of_special_values():
    x = xp.asarray([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan])
    finite, inf, nan = xp.isfinite(x), xp.isinf(x), xp.isnan(x)
    np.testing.assert_array_equal(finite, [1, 1, 1, 1, 0, 0, 0])
    np.testing.assert_array_equal(inf, [0, 0, 0, 0, 1, 1, 0])
    np.testing.assert_array_equal(nan, [0, 0, 0, 0, 0, 0, 1])
    signed = xp.signbit(xp.copysign(x, xp.asarray([1.0, -1, 1, -1, 1, -1, -1])))
    np.testing.assert_array_equal(signed, [0, 1, 0, 1, 0, 1, 1])
    z = xp.asarray(complex_array([(math.nan, math.inf), (math.nan, 1), (1, 2)], "complex128"))
    np.testing.assert_array_equal(xp.isinf(z), [1, 0, 0])
    np.testing.assert_array_equal(xp.isnan(z), [1, 1, 0])
    np.testing.assert_array_equal(xp.isfinite(z), [0, 0, 1])


def test_comparisons_of_special_values():
    x = np.array([0.0, -0.0, 1.0, math.inf, -math.inf, math.nan])
    x1, x2 = (a.ravel() for a in np.meshgrid(x, x))
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
        got = getattr(xp, name)(xp.asarray(x1), xp.asarray(x2))
        assert got.dtype == bool
        np.testing.assert_array_equal(got, getattr(np, name)(x1, x2), err_msg=name)
    z1, z2 = x1 + 1j, complex_array(np.stack([x2, x1], 1), "complex128")
    for name in ("equal", "not_equal"):
        got = getattr(xp, name)(xp.asarray(z1), xp.asarray(z2))
        np.testing.assert_array_equal(got, getattr(np, name)(z1, z2), err_msg=name)


def test_clip_passes_nan_on_from_every_argument():
    x = xp.asarray([1.0, math.nan, 3.0, 2.0])
    low, high = xp.asarray([2.0, 0.0, math.nan, 0.0]), xp.asarray([4.0, 1.0, 5.0, math.nan])
    np.testing.assert_array_equal(xp.clip(x, low, high), [2, math.nan, math.nan, math.nan])
    np.testing.assert_array_equal(xp.clip(x), x)
    np.testing.assert_array_equal(xp.clip(x, max=2), [1, math.nan, 2, 2])


REDUCTIONS = {
    "sum": ([], 0.0), "prod": ([], 1.0), "mean": ([], math.nan), "var": ([], math.nan),
    "std": ([], math.nan),
}  # fmt: skip


@pytest.mark.parametrize("name", REDUCTIONS)
def test_statistics_of_nothing(name):
    values, want = REDUCTIONS[name]
    np.testing.assert_array_equal(getattr(xp, name)(xp.asarray(values)), want)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std", "max", "min"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_statistics_of_nan_are_nan(name, dtype):
    for n in (2, 7, 1000):
        for place in (0, n // 2, n - 1):
            x = np.ones(n, dtype)
            x[place] = math.nan
            assert math.isnan(getattr(xp, name)(xp.asarray(x))), (n, place)


def test_statistics_of_too_few_are_nan():
    x = xp.asarray([1.0, 2.0])
    assert math.isnan(xp.var(x, correction=3)) or math.isinf(xp.var(x, correction=3))
    assert math.isnan(xp.var(xp.asarray([2.0]), correction=1))
    assert math.isnan(xp.std(xp.asarray([2.0]), correction=1.0))
    assert math.isnan(xp.sum(xp.asarray([math.inf, -math.inf])))


def drawn(dtype, n=2000):
    """Complex numbers whose parts are of all sizes, many of them on an axis, from either side."""
    rng = np.random.default_rng(0)
    parts = 10 ** rng.uniform(-3, 1.5, (2, n)) * rng.choice([-1, 1], (2, n))
    for i, zero in enumerate((0.0, -0.0)):
        parts[0, i * 200 : (i + 1) * 200] = zero
        parts[1, i * 200 + 400 : (i + 1) * 200 + 400] = zero
    return complex_array(parts.T, dtype)


INVERSES = {
    "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin, "asinh": np.arcsinh,
    "atan": np.arctan, "atanh": np.arctanh,
}  # fmt: skip
DRAWN = (*COMPLEX, *TURNED, *OTHER_BASES, "square", "reciprocal")


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", DRAWN)
def test_complex_functions_of_ordinary_numbers(name, dtype):
    """NumPy's values, on both sides of the branch cuts, and f(conj(z)) = conj(f(z))."""
    z = drawn(dtype)
    fun = getattr(xp, name)
    got = np.asarray(fun(xp.asarray(z)))
    want = INVERSES.get(name, getattr(np, name, None))(z.astype("complex128"))
    if name == "log1p":  # NumPy's loses digits near 0
        a, b = z.real.astype(float), z.imag.astype(float)
        want = 0.5 * np.log1p(a * (2 + a) + b * b) + 1j * np.arctan2(b, 1 + a)
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(got, want, rtol=300 * eps)
    mirrored = np.asarray(fun(xp.asarray(z.conj())))
    np.testing.assert_allclose(mirrored, got.conj(), rtol=4 * eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whole_quotients_and_remainders_of_ordinary_numbers_are_pythons(dtype):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=500) * 100, rng.integers(-20, 20, 500)]).astype(dtype)
    y = np.concatenate([rng.normal(size=500), rng.choice([-3, -2, -1, 1, 2, 3], 500)]).astype(dtype)
    quotient, remainder = xp.floor_divide(x, xp.asarray(y)), xp.remainder(xp.asarray(x), y)
    for a, b, q, r in zip(x, y, np.asarray(quotient), np.asarray(remainder), strict=True):
        want_q, want_r = divmod(a, b)
        assert (q, r) == (want_q, want_r)
        assert np.signbit(r) == np.signbit(b)
        assert np.signbit(q) == (np.signbit(a) != np.signbit(b))
