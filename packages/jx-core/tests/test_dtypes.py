"""Dtypes: canonical forms, hierarchy, weak types, and promotion as in JAX's recorded table."""

import enum
import itertools
import json
import pathlib
import timeit
import types

import ml_dtypes
import numpy as np
import pytest

from jx_core import dtypes
from jx_core.config import enable_x64, numpy_dtype_promotion

RECORDED = json.loads((pathlib.Path(__file__).parent / "data" / "promotion.json").read_text())
SETTINGS = list(RECORDED["result_type"])


def known(name):
    """Whether this ml_dtypes has the operand's dtype (its 1-bit integers are recent)."""
    name = name.split()[-1]
    return name in ("int", "float", "complex") or hasattr(ml_dtypes, name) or hasattr(np, name)


DTYPES = [name for name in RECORDED["canonical"]["x64"] if known(name)]


def weak_array(dtype):
    return types.SimpleNamespace(dtype=np.dtype(dtype), weak_type=True)


def operand(name):
    """The dtype, Python scalar or weak array that the table's name stands for."""
    kind, _, what = name.rpartition(" ")
    if kind == "python":
        return {"int": 1, "float": 1.0, "complex": 1j}[what]
    return weak_array(what) if kind == "weak" else np.dtype(what)


def in_force(setting):
    """The option contexts of a setting's name."""
    mode, bits = setting.split()
    return numpy_dtype_promotion(mode), enable_x64(bits == "x64")


def shown(function, *args):
    """The result as the table has it: a name, * if weak, - where there is none."""
    try:
        dtype, weak = function(*args)
    except dtypes.TypePromotionError:
        return "-"
    return dtype.name + "*" * weak


def result(*args):
    return shown(lambda *a: dtypes.result_type(*a, return_weak_type_flag=True), *args)


def pair(a, b):
    typed = [
        (dtypes.canonicalize_dtype(x), False)
        if isinstance(x, np.dtype)
        else dtypes.dtype_and_weak(x)
        for x in (a, b)
    ]
    return shown(dtypes.promote_pair, *typed[0], *typed[1])


class Colour(dtypes.ExtendedDType):
    """An extended dtype, as a package would define one."""

    type = dtypes.prng_key
    itemsize = 12

    def __init__(self, space):
        self.space = space

    @property
    def name(self):
        return f"colour<{self.space}>"


# Canonical dtypes


@pytest.mark.parametrize("bits", ["x32", "x64"])
def test_canonical_dtypes_are_jaxs(bits):
    with enable_x64(bits == "x64"):
        got = {name: dtypes.canonicalize_dtype(name).name for name in DTYPES}
    assert got == {name: RECORDED["canonical"][bits][name] for name in DTYPES}


@pytest.mark.parametrize("spec", ["float64", "f8", float, np.float64, np.dtype("float64"), None])
def test_every_spelling_of_a_dtype_is_canonicalised(spec):
    assert dtypes.canonicalize_dtype(spec) is np.dtype("float32")
    with enable_x64(True):
        assert dtypes.canonicalize_dtype(spec) is np.dtype("float64")
    assert dtypes.canonicalize_dtype(spec) is np.dtype("float32")


def test_canonicalising_what_is_no_dtype_is_a_type_error():
    for bad in ("flaot32", 3, 1.0, object()):
        with pytest.raises(TypeError):
            dtypes.canonicalize_dtype(bad)


def test_unsupported_dtypes_come_back_as_they_are_and_are_known_to_be_unsupported():
    foreign = [np.dtype(d) for d in (object, "U3", "M8[s]", np.longdouble, ">i4", [("a", int)])]
    for dtype in foreign:
        assert dtypes.canonicalize_dtype(dtype) == dtype
        assert not dtypes.is_supported(dtype)
    for dtype in [*map(np.dtype, DTYPES), dtypes.float0, Colour("rgb")]:
        assert dtypes.is_supported(dtype)


def test_extended_dtypes_pass_canonicalisation_only_when_allowed():
    rgb = Colour("rgb")
    assert dtypes.canonicalize_dtype(rgb, True) is rgb
    assert dtypes.canonicalize_dtype(rgb, allow_extended_dtype=True) is rgb
    with pytest.raises(ValueError, match="colour<rgb>"):
        dtypes.canonicalize_dtype(rgb)


def test_asking_for_a_64_bit_dtype_warns_and_says_how_to_get_one():
    with pytest.warns(UserWarning, match=r"zeros was asked for dtype int64.*JX_ENABLE_X64"):
        assert dtypes.requested_dtype("int64", "zeros") == np.int32


@pytest.mark.filterwarnings("error")
def test_no_warning_for_pythons_types_nor_when_64_bits_are_enabled():
    assert dtypes.requested_dtype(int, "zeros") == np.int32
    assert dtypes.requested_dtype("float16", "zeros") == np.float16
    assert dtypes.requested_dtype(Colour("rgb"), "zeros") == Colour("rgb")
    with enable_x64(True):
        assert dtypes.requested_dtype(np.int64, "zeros") == np.int64


def test_asking_for_an_unsupported_dtype_names_the_function_and_the_dtype():
    with pytest.raises(TypeError, match="zeros takes a boolean.*got object"):
        dtypes.requested_dtype(object, "zeros")
    with pytest.raises(TypeError, match="zeros takes a boolean.*got U3"):
        dtypes.requested_dtype("U3", "zeros")


# The hierarchy


@pytest.mark.parametrize("name", DTYPES)
def test_abstract_types_are_jaxs(name):
    abstract = [
        "generic", "number", "integer", "signedinteger", "unsignedinteger", "inexact",
        "floating", "complexfloating", "bool_",
    ]  # fmt: skip
    expected = RECORDED["issubdtype"][name]
    for spec in (name, np.dtype(name), np.dtype(name).type):
        assert [a for a in abstract if dtypes.issubdtype(spec, getattr(np, a))] == expected


def test_a_dtype_is_a_kind_of_itself_and_of_no_other():
    for a, b in itertools.product(DTYPES, repeat=2):
        assert dtypes.issubdtype(a, b) == (a == b)


def test_extended_dtypes_are_kinds_of_their_scalar_types():
    rgb = Colour("rgb")
    assert dtypes.issubdtype(rgb, dtypes.prng_key)
    assert dtypes.issubdtype(rgb, dtypes.extended)
    assert dtypes.issubdtype(rgb, np.generic)
    assert dtypes.issubdtype(dtypes.prng_key, dtypes.extended)
    assert dtypes.issubdtype(rgb, Colour("rgb"))
    assert not dtypes.issubdtype(rgb, Colour("cmyk"))
    assert not dtypes.issubdtype(rgb, np.number)
    assert not dtypes.issubdtype(np.float32, dtypes.prng_key)
    assert not dtypes.issubdtype(np.float32, rgb)


def test_extended_dtypes_compare_by_value():
    assert Colour("rgb") == Colour("rgb") != Colour("cmyk")
    assert hash(Colour("rgb")) == hash(Colour("rgb"))
    assert Colour("rgb") != np.dtype("float32")
    assert str(Colour("rgb")) == repr(Colour("rgb")) == "colour<rgb>"


def test_issubdtype_rejects_what_is_no_dtype():
    for bad in ("flaot32", 3):
        with pytest.raises(TypeError):
            dtypes.issubdtype(bad, np.floating)
    assert dtypes.issubdtype([("a", int)], np.void)


@pytest.mark.parametrize(
    "dtype, kind, expected",
    [
        ("float32", "real floating", True),
        ("bfloat16", ("bool", "real floating"), True),
        ("int4", "integral", True),
        ("uint4", "signed integer", False),
        ("uint4", "unsigned integer", True),
        ("complex64", "complex floating", True),
        ("bool", "numeric", False),
        ("bool", "bool", True),
        ("float32", np.float32, True),
        ("float32", "float32", True),
        ("int32", int, False),
        ("int64", int, True),
        ("int32", (), False),
        (Colour("rgb"), "numeric", False),
        (Colour("rgb"), Colour("rgb"), True),
    ],
)
def test_isdtype(dtype, kind, expected):
    assert dtypes.isdtype(dtype, kind) is expected


def test_isdtype_lists_the_kinds_when_given_none_of_them():
    with pytest.raises(ValueError, match="unknown kind 'floating'.*'real floating'"):
        dtypes.isdtype("float32", "floating")
    for bad in (np.floating, 3, None):
        with pytest.raises(TypeError, match="kind must be a dtype"):
            dtypes.isdtype("float32", bad)


def test_itemsize_in_bits():
    sizes = {
        "bool": 8, "int2": 2, "int4": 4, "uint16": 16, "float4_e2m1fn": 4, "float6_e3m2fn": 6,
        "float8_e8m0fnu": 8, "bfloat16": 16, "complex64": 64,
    }  # fmt: skip
    assert {name: dtypes.itemsize_bits(name) for name in sizes} == sizes
    for bad in (Colour("rgb"), object):
        with pytest.raises(ValueError, match="numeric dtype"):
            dtypes.itemsize_bits(bad)


def test_limits_of_narrow_and_wide_types():
    assert float(dtypes.finfo("bfloat16").eps) == 2.0**-7
    assert float(dtypes.finfo("float8_e4m3fn").max) == 448
    assert float(dtypes.finfo(np.float32).eps) == 2.0**-23
    assert (dtypes.iinfo("int4").min, dtypes.iinfo("int4").max) == (-8, 7)
    assert dtypes.iinfo(np.uint8).max == 255


def test_float0_takes_no_room_and_is_no_number():
    assert dtypes.float0.itemsize == 0
    assert not dtypes.issubdtype(dtypes.float0, np.number)
    assert dtypes.dtype_of(np.zeros(3, dtypes.float0)) == dtypes.float0


# Dtypes and weak types of values


class Level(enum.IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    "x, name, weak",
    [
        (True, "bool", False),
        (1, "int32", True),
        (1.0, "float32", True),
        (1j, "complex64", True),
        (np.float64(1), "float32", False),
        (np.zeros(2, "int64"), "int32", False),
        (np.zeros(2, "bfloat16"), "bfloat16", False),
        (Level.LOW, "int32", False),
        (weak_array("float16"), "float16", True),
        (types.SimpleNamespace(aval=weak_array("float16")), "float16", True),
        (types.SimpleNamespace(dtype="int64"), "int32", False),
    ],
)
def test_dtype_and_weak_type_of_a_value(x, name, weak):
    assert dtypes.dtype_and_weak(x) == (np.dtype(name), weak)
    assert dtypes.dtype_of(x) == np.dtype(name)
    assert dtypes.is_weak(x) is weak


def test_python_scalars_widen_with_the_option():
    with enable_x64(True):
        got = [dtypes.dtype_of(x).name for x in (True, 1, 1.0, 1j)]
        assert dtypes.python_scalar_dtype(int) == np.int64
    assert got == ["bool", "int64", "float64", "complex128"]
    assert dtypes.python_scalar_dtype(int) == np.int32
    with pytest.raises(TypeError, match="bool, int, float or complex"):
        dtypes.python_scalar_dtype(str)


def test_values_without_a_dtype():
    with pytest.raises(TypeError, match=r"\[1, 2\] of type list has no dtype.*asarray"):
        dtypes.dtype_of([1, 2])
    assert not dtypes.is_weak([1, 2])


def test_scalar_type_of_values_and_dtypes():
    assert dtypes.scalar_type_of(np.zeros(2, "bfloat16")) is float
    assert dtypes.scalar_type_of(np.dtype("int4")) is int
    assert dtypes.scalar_type_of(np.uint8) is int
    assert dtypes.scalar_type_of(True) is bool
    assert dtypes.scalar_type_of(1j) is complex
    with pytest.raises(TypeError, match="no Python scalars"):
        dtypes.scalar_type_of(np.zeros(2, dtypes.float0))


def test_which_python_numbers_a_dtype_can_hold():
    numbers = (bool, int, float, complex)
    holds = {
        name: [t for t in numbers if dtypes.can_hold(t, np.dtype(name))]
        for name in ("bool", "uint4", "int32", "float8_e5m2", "bfloat16", "complex64")
    }
    assert holds == {
        "bool": [bool],
        "uint4": [int],
        "int32": [int],
        "float8_e5m2": [int, float],
        "bfloat16": [int, float],
        "complex64": [int, float, complex],
    }


# Promotion


@pytest.mark.parametrize("setting", SETTINGS)
def test_all_pairs_promote_as_in_jax(setting):
    names = RECORDED["operands"]
    promotion, x64 = in_force(setting)
    wrong = []
    with promotion, x64:
        for a, row in zip(names, RECORDED["result_type"][setting], strict=True):
            for b, expected in zip(names, row.split(), strict=True):
                if known(a) and known(b) and result(operand(a), operand(b)) != expected:
                    wrong.append((a, b, expected))
    assert not wrong


@pytest.mark.parametrize("setting", SETTINGS)
def test_operands_of_an_operation_promote_as_in_jax(setting):
    names = RECORDED["operands"]
    rows = RECORDED["add"][setting]
    promotion, x64 = in_force(setting)
    wrong = []
    with promotion, x64:
        for a, row in zip(names[-len(rows) :], rows, strict=True):
            for b, expected in zip(names, row.split(), strict=True):
                if known(b) and pair(operand(a), operand(b)) != expected:
                    wrong.append((a, b, expected))
    assert not wrong


@pytest.mark.parametrize("setting", SETTINGS)
def test_three_operands_promote_as_in_jax(setting):
    names = RECORDED["operands"]
    promotion, x64 = in_force(setting)
    wrong = []
    with promotion, x64:
        for row in RECORDED["triples"][setting]:
            *indices, expected = row.split()
            three = [names[int(i)] for i in indices]
            if all(map(known, three)) and result(*map(operand, three)) != expected:
                wrong.append((three, expected))
    assert not wrong


def test_narrow_types_promote_to_64_bits_only_where_these_are_enabled():
    for other in ("int8", "int16", "int32"):
        assert dtypes.promote_types(other, "uint32") == np.int32
        with enable_x64(True):
            assert dtypes.promote_types("uint32", other) == np.int64
    assert dtypes.promote_types("int64", "uint32") == np.int64
    assert dtypes.promote_types("int64", "uint64") == np.float64


@pytest.mark.parametrize("mode", ["standard", "strict"])
def test_promote_types_is_jaxs(mode):
    names = [n for n in RECORDED["operands"] if not n.startswith("weak")]
    by_name = {"python int": int, "python float": float, "python complex": complex}
    wrong = []
    with numpy_dtype_promotion(mode), enable_x64(True):
        for a, row in zip(names, RECORDED["promote_types"][mode], strict=True):
            for b, expected in zip(names, row.split(), strict=True):
                if not (known(a) and known(b)):
                    continue
                try:
                    got = dtypes.promote_types(by_name.get(a, a), by_name.get(b, b)).name
                except dtypes.TypePromotionError:
                    got = "-"
                if got != expected:
                    wrong.append((a, b, expected, got))
    assert not wrong


def test_result_type_takes_dtypes_values_and_python_types():
    assert dtypes.result_type(np.int8, 3) == np.int8
    assert dtypes.result_type("int8", 3.0) == np.float32
    assert dtypes.result_type(np.zeros(2, "int8"), np.uint8(1)) == np.int16
    assert dtypes.result_type(float, np.float16) == np.float16
    assert dtypes.result_type(bool, int, return_weak_type_flag=True) == (np.dtype("int32"), True)
    assert dtypes.result_type(True, return_weak_type_flag=True) == (np.dtype("bool"), False)
    assert dtypes.result_type(np.int64) == np.int32


def test_result_type_of_nothing_and_of_what_has_no_dtype():
    with pytest.raises(ValueError, match="at least one"):
        dtypes.result_type()
    with pytest.raises(TypeError, match="has no dtype"):
        dtypes.result_type([1, 2])
    with pytest.raises(TypeError, match="flaot32"):
        dtypes.result_type("flaot32")


def test_an_array_keeps_its_64_bit_dtype_when_the_option_is_off_again():
    f32, f64 = np.dtype("float32"), np.dtype("float64")
    assert dtypes.promote_pair(f64, False, f64, False) == (f64, False)
    assert dtypes.promote_pair(f64, False, f32, False) == (f32, False)


def test_extended_dtypes_and_float0_promote_only_with_themselves():
    rgb, f32 = Colour("rgb"), np.dtype("float32")
    assert dtypes.result_type(rgb, Colour("rgb")) == rgb
    assert dtypes.result_type(dtypes.float0, dtypes.float0) == dtypes.float0
    for a, b in [(rgb, f32), (rgb, Colour("cmyk")), (dtypes.float0, f32), (rgb, 1)]:
        with pytest.raises(dtypes.TypePromotionError, match="extended dtypes"):
            dtypes.result_type(a, b)


@pytest.mark.parametrize(
    "a, b, message",
    [
        ("int4", "int8", "the types int4 and int8 do not combine.*astype"),
        ("float8_e4m3fn", "float32", "floats of 8 bits.*astype"),
        ("int4", 1.0, "int4 and a weak float do not combine.*1, 2 and 4 bits"),
    ],
)
def test_a_failed_promotion_names_the_types_and_the_cure(a, b, message):
    with pytest.raises(dtypes.TypePromotionError, match=message):
        dtypes.result_type(a, b)


def test_strict_promotion_names_the_option_and_the_dtype_to_convert_to():
    with numpy_dtype_promotion("strict"):
        with pytest.raises(dtypes.TypePromotionError, match="float16 .*'strict'.*astype"):
            dtypes.result_type("int32", "float16")
        with pytest.raises(dtypes.TypePromotionError, match=r"a weak float.*astype\('float32'\)"):
            dtypes.result_type("int32", 1.0)
    assert dtypes.result_type("int32", "float16") == np.float16


def test_the_hot_functions_are_lookups():
    """An order of magnitude above what they take, so that only a lost cache fails."""
    f32, bf16 = np.dtype("float32"), np.dtype(dtypes.bfloat16)

    def microseconds(f, n=20_000):
        return min(timeit.repeat(f, number=n, repeat=3)) / n * 1e6

    assert microseconds(lambda: dtypes.canonicalize_dtype(f32)) < 1
    assert microseconds(lambda: dtypes.promote_pair(f32, False, bf16, True)) < 2
