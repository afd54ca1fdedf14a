"""The array API standard, version 2024.12: what the namespace has and what its functions return.

Names, signatures and dtypes of results are compared with the standard's text. Values are in
`test_array_api_values.py`, special ones in `test_array_api_special.py`.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import math
import operator

import numpy as np
import pytest

import array_api_standard as standard
import jx_xla  # noqa: F401  one of the back ends under test
from array_api_standard import COMPLEX, DTYPES, INTEGERS, REAL_FLOATS, SYMBOLS, promoted
from jx_ad import grad
from jx_batching import vmap
from jx_core import array, backend, eval_shape, jit
from jx_core.config import enable_x64

xp = pytest.importorskip("jx_numpy")


@pytest.fixture(autouse=True, params=["xla", "numpy"])
def back_end(request):
    with enable_x64(True), backend.use(request.param), np.errstate(all="ignore"):
        yield


FLOATS = (*REAL_FLOATS, *COMPLEX)
REAL = (*INTEGERS, *REAL_FLOATS)
NUMERIC = (*INTEGERS, *FLOATS)


def function(name, module=None):
    return functools.reduce(getattr, name.split("."), module or xp)


# --- what there is ---


@pytest.mark.parametrize("name", standard.FUNCTIONS)
def test_signature(name):
    """A call that is right by the standard binds, with every argument given and with none."""
    have, want = inspect.signature(function(name)), standard.signature(name)
    parameters = want.parameters.values()
    by_position = [p for p in parameters if p.kind == p.POSITIONAL_ONLY]
    by_either = [p for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD]
    by_name = [p for p in parameters if p.kind == p.KEYWORD_ONLY]
    names = {p.name: None for p in (*by_either, *by_name)}
    have.bind(*by_position, **names)
    have.bind(*by_position, *by_either)
    required = [p for p in (*by_position, *by_either) if p.default is p.empty]
    have.bind(*required)
    for p in (*by_either, *by_name):
        mine = have.parameters[p.name].default
        # None stands for the standard's default; a copy of what can't change is the same.
        if p.default is not p.empty and (name, p.name) != ("astype", "copy"):
            assert mine is None or mine == p.default, f"{p.name} is {mine}, not {p.default}"


def places_differ(have, want):
    """What a call by the standard's signature can't do with another, or None.

    Unlike binding, this counts parameters from the left: one that the standard lets callers
    give by position or by name is to be in its place under its name.
    """
    mine = list(have.parameters.values())
    for i, p in enumerate(want.parameters.values()):
        if p.kind == p.KEYWORD_ONLY:
            if have.parameters[p.name].kind not in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD):
                return f"{p.name} can't be given by name"
        elif p.kind == p.POSITIONAL_ONLY:
            if mine[i].kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
                return f"{p.name} can't be given by position"
        elif mine[i].kind != p.kind or (mine[i].name != p.name and p.kind != p.VAR_POSITIONAL):
            return f"{mine[i]} is in the place of {p}"
    return None


@pytest.mark.parametrize("name", standard.FUNCTIONS)
def test_parameters_are_in_their_places(name):
    assert not places_differ(inspect.signature(function(name)), standard.signature(name))


def test_parameters_of_methods_are_in_their_places():
    x = xp.ones((3, 3))
    for name, parameters in standard.METHODS_PARAMETERS.items():
        if name not in standard.METHODS and backend.current().name == "numpy":
            continue  # operators there are built in, and can't be asked
        want = inspect.signature(eval(f"lambda {parameters}: None"))
        assert not places_differ(inspect.signature(getattr(type(x), name)), want), name


def test_constants_and_dtypes():
    assert (xp.e, xp.pi, xp.inf) == (math.e, math.pi, math.inf)
    assert math.isnan(xp.nan) and xp.newaxis is None
    for name in DTYPES:
        dtype = getattr(xp, name)
        assert xp.zeros(2, dtype=dtype).dtype == dtype
        assert dtype == xp.zeros(2, dtype=dtype).dtype
        assert xp.isdtype(xp.zeros(2, dtype=dtype).dtype, dtype)
        assert all(dtype != getattr(xp, other) for other in DTYPES if other != name)


def test_array_object():
    x = xp.asarray([[1.0, 2.0, 3.0]])
    for name in standard.PROPERTIES:
        getattr(x, name)
    for name in (*(f"__{n}__" for n in standard.OPERATORS), *standard.METHODS):
        assert callable(getattr(x, name)), name
    assert (x.shape, x.ndim, x.size) == ((1, 3), 2, 3)
    assert x.T.shape == x.mT.shape == (3, 1)
    assert type(x.size) is int and type(x.shape) is tuple
    assert x.__array_namespace__() is xp
    assert x.__array_namespace__(api_version=standard.VERSION) is xp
    with pytest.raises(ValueError, match="1999.01"):
        x.__array_namespace__(api_version="1999.01")
    with pytest.raises(TypeError):
        x[0, 0] = 4.0
    assert x.__array_module__((type(x),)) is xp
    assert x.__array_module__((type(x), dict)) is NotImplemented


def test_namespace_info():
    info = xp.__array_namespace_info__()
    assert xp.__array_api_version__ == standard.VERSION
    keys = {"boolean indexing", "data-dependent shapes", "max dimensions"}
    assert set(info.capabilities()) == keys
    assert xp.zeros((1,) * info.capabilities()["max dimensions"]).size == 1
    assert info.default_device() in info.devices()
    assert xp.zeros(2).device == info.default_device()
    defaults = {
        "real floating": "float64", "complex floating": "complex128", "integral": "int64",
        "indexing": "int64",
    }  # fmt: skip
    assert info.default_dtypes() == defaults
    assert info.default_dtypes(device=info.default_device()) == defaults
    assert tuple(info.dtypes()) == DTYPES
    for name, dtype in info.dtypes(device=info.devices()[0]).items():
        assert getattr(xp, name) == dtype
    kinds = {
        "bool": ("bool",), "signed integer": INTEGERS[:4], "unsigned integer": INTEGERS[4:],
        "integral": INTEGERS, "real floating": REAL_FLOATS, "complex floating": COMPLEX,
        "numeric": NUMERIC, ("bool", "real floating"): ("bool", *REAL_FLOATS),
    }  # fmt: skip
    for kind, names in kinds.items():
        assert tuple(info.dtypes(kind=kind)) == names
    with pytest.raises(ValueError, match="decimal"):
        info.dtypes(kind="decimal")
    with enable_x64(False):
        assert "float64" not in info.dtypes() and "int32" in info.dtypes()
        assert info.default_dtypes()["indexing"] == "int32"


# --- dtypes of results ---

SAME, FLOAT, TRUTH, PART = "same", "float", "truth", "part"
UNARY_RULES = {
    **dict.fromkeys("abs".split(), (NUMERIC, PART)),
    **dict.fromkeys(
        """acos acosh asin asinh atan atanh cos cosh exp expm1 log log1p log2 log10 reciprocal sin
        sinh sqrt tan tanh""".split(), (FLOATS, SAME)),
    "bitwise_invert": (("bool", *INTEGERS), SAME),
    **dict.fromkeys("ceil floor trunc".split(), (REAL, SAME)),
    **dict.fromkeys("conj negative positive round sign square".split(), (NUMERIC, SAME)),
    "imag": (COMPLEX, PART), "real": (NUMERIC, PART),
    **dict.fromkeys("isfinite isinf isnan".split(), (NUMERIC, TRUTH)),
    "logical_not": (("bool",), TRUTH), "signbit": (REAL_FLOATS, TRUTH),
}  # fmt: skip
BINARY_RULES = {
    **dict.fromkeys("add divide multiply pow subtract".split(), (NUMERIC, SAME)),
    **dict.fromkeys("atan2 copysign hypot logaddexp nextafter".split(), (REAL_FLOATS, SAME)),
    **dict.fromkeys("bitwise_and bitwise_or bitwise_xor".split(), (("bool", *INTEGERS), SAME)),
    **dict.fromkeys("bitwise_left_shift bitwise_right_shift".split(), (INTEGERS, SAME)),
    **dict.fromkeys("equal not_equal".split(), (DTYPES, TRUTH)),
    **dict.fromkeys("greater greater_equal less less_equal".split(), (REAL, TRUTH)),
    **dict.fromkeys("logical_and logical_or logical_xor".split(), (("bool",), TRUTH)),
    **dict.fromkeys("floor_divide maximum minimum remainder".split(), (REAL, SAME)),
}  # fmt: skip
PARTS = {"complex64": "float32", "complex128": "float64"}


def typed(fun, *operands):
    """The result of a call, or its type alone where finding it takes a compiler."""
    if backend.current().name == "numpy":
        return fun(*operands)
    return eval_shape(fun, *operands)


def expected_dtype(rule, dtype):
    return "bool" if rule is TRUTH else PARTS.get(dtype, dtype) if rule is PART else dtype


def test_the_rules_cover_all_elementwise_functions():
    assert set(UNARY_RULES) == set(standard.UNARY)
    assert set(BINARY_RULES) == set(standard.BINARY)


@pytest.mark.parametrize("name", UNARY_RULES)
def test_dtypes_of_functions_of_one_operand(name):
    accepted, rule = UNARY_RULES[name]
    for dtype in accepted:
        for shape in ((), (2,), (0, 3)):
            result = typed(getattr(xp, name), xp.ones(shape, dtype=dtype))
            assert (result.dtype, result.shape) == (expected_dtype(rule, dtype), shape)


@pytest.mark.parametrize("name", BINARY_RULES)
def test_dtypes_of_functions_of_two_operands(name):
    """For all pairs of dtypes that promote; the operator does as the function."""
    accepted, rule = BINARY_RULES[name]
    functions = [getattr(xp, name)]
    if name in SYMBOLS:
        functions.append(getattr(operator, SYMBOLS[name]))
    for a, b in itertools.product(accepted, accepted):
        both = promoted(a, b)
        if both is None or (name == "nextafter" and a != b):
            continue
        x, y = xp.ones((2, 1), dtype=a), xp.ones(3, dtype=b)
        want = expected_dtype(rule, both)
        assert xp.result_type(x, y) == xp.result_type(x.dtype, y.dtype) == both
        for fun in functions:
            result = typed(fun, x, y)
            if name == "divide" and both in INTEGERS:
                assert xp.isdtype(result.dtype, "real floating")
            else:
                assert (result.dtype, result.shape) == (want, (2, 3)), (a, b)


SCALARS = {
    "bool": (True,), **dict.fromkeys(INTEGERS, (1,)), **dict.fromkeys(REAL_FLOATS, (1, 1.0)),
    **dict.fromkeys(COMPLEX, (1, 1.0, 1 + 1j)),
}  # fmt: skip


def _beside(fun, scalar, first, x):
    return fun(scalar, x) if first else fun(x, scalar)


@pytest.mark.parametrize("name", BINARY_RULES)
def test_python_scalars_take_the_dtype_of_the_array(name):
    accepted, rule = BINARY_RULES[name]
    functions = [getattr(xp, name)]
    if name in SYMBOLS:
        functions.append(getattr(operator, SYMBOLS[name]))
    for dtype in accepted:
        for scalar, shape in itertools.product(SCALARS[dtype], ((3,), ())):
            x, want = xp.ones(shape, dtype=dtype), expected_dtype(rule, dtype)
            for fun in functions:
                # The scalar is no argument of the call, which would make an array of it.
                right = typed(functools.partial(_beside, fun, scalar, False), x)
                left = typed(functools.partial(_beside, fun, scalar, True), x)
                for result in (left, right):
                    if name == "divide" and dtype in INTEGERS:
                        assert xp.isdtype(result.dtype, "real floating")
                    else:
                        assert (result.dtype, result.shape) == (want, shape), (dtype, scalar)
    assert xp.result_type(xp.float32, 1) == "float32"
    assert xp.result_type(xp.ones(2, dtype="float32"), 1j) == "complex64"


@pytest.mark.parametrize("name", ["where", "clip", "isin"])
def test_scalars_as_other_arguments(name):
    x = xp.asarray([1, 5, 3], dtype="int8")
    if name == "where":
        assert xp.where(x > 2, x, 0).dtype == xp.where(x > 2, 0, x).dtype == "int8"
        assert xp.where(x > 2, xp.ones(3, dtype="float32"), 0.0).dtype == "float32"
    elif name == "clip":
        clipped = xp.clip(x, 2, 4), xp.clip(x, min=2), xp.clip(x, max=2)
        assert {y.dtype.name for y in clipped} == {"int8"}
        assert xp.clip(xp.asarray(3.0), 0, xp.asarray([1.0, 2.0])).shape == (2,)
    else:
        assert xp.isin(x, xp.asarray([3, 1], dtype="int8")).dtype == "bool"


def refused(f, *args):
    with pytest.raises(TypeError):
        f(*args)


def test_operators_refuse_what_they_have_no_meaning_for():
    real, whole = xp.ones(2), xp.ones(2, dtype="int32")
    flags, both = xp.ones(2, dtype="bool"), xp.ones(2, dtype="complex128")
    for name in ("and", "or", "xor", "lshift", "rshift"):
        refused(getattr(real, f"__{name}__"), real)
        refused(getattr(whole, f"__{name}__"), real)
        refused(getattr(both, f"__{name}__"), 1)
    refused(lambda: ~real)
    refused(lambda: flags - flags)
    refused(lambda: -flags)
    refused(lambda: both // both)
    refused(lambda: both % both)
    refused(lambda: real + "a")
    for x in (real, flags):
        refused(x.__index__)
    for convert in (int, float):
        refused(convert, both[0])
    with pytest.raises((TypeError, ValueError)):
        bool(real)


def test_python_numbers_of_zero_dimensional_arrays():
    assert [bool(xp.asarray(v)) for v in (0, 2, 0.0, math.nan, 1j, False)] == [0, 1, 0, 1, 1, 0]
    assert (int(xp.asarray(2.7)), int(xp.asarray(True)), float(xp.asarray(2))) == (2, 1, 2.0)
    assert complex(xp.asarray(2.0)) == 2 and complex(xp.asarray(1 + 2j)) == 1 + 2j
    assert xp.asarray(3, dtype="uint8").__index__() == 3
    assert math.isnan(float(xp.asarray(math.nan))) and float(xp.asarray(-math.inf)) == -math.inf
    with pytest.raises(ValueError, match="NaN"):
        int(xp.asarray(math.nan))
    with pytest.raises(OverflowError):
        int(xp.asarray(math.inf))


WIDENED = {
    **dict.fromkeys(INTEGERS[:4], "int64"), **dict.fromkeys(INTEGERS[4:], "uint64"),
    **{d: d for d in FLOATS},
}  # fmt: skip


@pytest.mark.parametrize("dtype", NUMERIC)
def test_dtypes_of_totals(dtype):
    x, wide = xp.ones((2, 3), dtype=dtype), WIDENED[dtype]
    for name in ("sum", "prod"):
        assert getattr(xp, name)(x).dtype == getattr(xp, name)(x, axis=1).dtype == wide
        assert getattr(xp, name)(x, dtype="complex64").dtype == "complex64"
        assert getattr(xp, f"cumulative_{name}")(x, axis=0).dtype == wide
        narrow = getattr(xp, f"cumulative_{name}")(x[0], dtype=x.dtype, include_initial=True)
        assert (narrow.dtype, narrow.shape) == (dtype, (4,))
    assert xp.linalg.trace(x).dtype == wide
    assert xp.linalg.trace(x, dtype="complex64").dtype == "complex64"
    if dtype in REAL:
        for name in ("max", "min", "sort"):
            assert getattr(xp, name)(x).dtype == dtype
    if dtype in FLOATS:
        assert xp.mean(x).dtype == dtype
    if dtype in REAL_FLOATS:
        assert xp.std(x).dtype == xp.var(x, correction=1).dtype == dtype


@pytest.mark.parametrize("dtype", REAL_FLOATS)
def test_indices_have_the_dtype_of_indices(dtype):
    x = xp.asarray([3.0, 1.0, 1.0], dtype=dtype)
    index = xp.__array_namespace_info__().default_dtypes()["indexing"]
    everything = xp.unique_all(x)
    found = [
        xp.argmax(x), xp.argmin(x, keepdims=True), xp.argsort(x), xp.count_nonzero(x),
        xp.count_nonzero(xp.ones((2, 2)), axis=1), *xp.nonzero(x), xp.searchsorted(x, x),
        xp.searchsorted(x, x, side="right", sorter=xp.argsort(x)), xp.searchsorted(x[:0], x),
        everything.indices, everything.inverse_indices, everything.counts,
        xp.unique_counts(x).counts, xp.unique_inverse(x).inverse_indices,
        xp.linalg.matrix_rank(xp.eye(2, dtype=dtype)), xp.unique_counts(x[:0]).counts,
    ]  # fmt: skip
    assert [i.dtype for i in found] == [index] * len(found)


def test_dtypes_of_what_is_made():
    defaults = {
        "float64": [
            xp.zeros(2), xp.ones(2), xp.empty(2), xp.eye(2), xp.linspace(0, 1, 3), xp.full(2, 1.0),
            xp.arange(3.0), xp.asarray([1, 2.0]), xp.asarray(1.0), xp.fft.fftfreq(4),
            xp.fft.rfftfreq(4), xp.arange(0, 1, 0.25),
        ],
        "int64": [xp.full(2, 1), xp.arange(3), xp.asarray([1, 2]), xp.asarray(1)],
        "complex128": [xp.full(2, 1j), xp.asarray([1, 2j]), xp.linspace(0, 1j, 3)],
        "bool": [xp.full(2, True), xp.asarray([True, False]), xp.asarray(True)],
    }  # fmt: skip
    for dtype, made in defaults.items():
        assert {x.dtype.name for x in made} == {dtype}
    for dtype in DTYPES:
        x = xp.ones((2, 2), dtype=dtype)
        likes = [xp.zeros_like(x), xp.ones_like(x), xp.empty_like(x), xp.full_like(x, 1)]
        same = [xp.tril(x), xp.triu(x, k=1), xp.asarray(x), xp.astype(xp.ones((2, 2)), x.dtype)]
        for y in likes + same:
            assert (y.dtype, y.shape) == (dtype, (2, 2))
        assert xp.full((), 1, dtype=dtype).dtype == xp.eye(2, dtype=dtype).dtype == dtype
        assert xp.zeros_like(x, dtype="float32").dtype == "float32"


# --- dtypes, devices, exchange ---


def test_questions_about_dtypes():
    for dtype in FLOATS:
        info, own = xp.finfo(getattr(xp, dtype)), np.finfo(dtype)
        assert (info.bits, info.dtype) == (own.bits, PARTS.get(dtype, dtype))
        for name in ("eps", "max", "min", "smallest_normal"):
            assert float(getattr(info, name)) == float(getattr(own, name))
        assert xp.finfo(xp.ones(2, dtype=dtype)).bits == info.bits
        for arg in (getattr(xp, dtype), xp.ones(2, dtype=dtype), xp.ones((), dtype=dtype).dtype):
            numbers = [getattr(xp.finfo(arg), n) for n in ("eps", "max", "min", "smallest_normal")]
            assert all(isinstance(number, float) for number in numbers)
            assert isinstance(xp.finfo(arg), xp.finfo) and type(xp.finfo(arg).bits) is int
    for dtype in INTEGERS:
        info, own = xp.iinfo(getattr(xp, dtype)), np.iinfo(dtype)
        assert (info.bits, info.min, info.max, info.dtype) == (own.bits, own.min, own.max, dtype)
        assert xp.iinfo(xp.ones(2, dtype=dtype)).max == info.max
    for a in DTYPES:
        for b in DTYPES:
            if promoted(a, b) is not None:
                assert xp.can_cast(getattr(xp, a), getattr(xp, b)) == (promoted(a, b) == b), (a, b)
                assert xp.can_cast(xp.ones(2, dtype=a), getattr(xp, b)) == (promoted(a, b) == b)
    assert xp.isdtype(xp.float32, ("integral", xp.float32))
    assert not xp.isdtype(xp.bool, "numeric")


def test_astype():
    x = xp.asarray([0.0, -0.0, 2.5, -1.5])
    np.testing.assert_array_equal(xp.astype(x, xp.bool), [0, 0, 1, 1])
    np.testing.assert_array_equal(xp.astype(x, xp.int8), [0, 0, 2, -1])
    np.testing.assert_array_equal(xp.astype(x, xp.complex64), [0, 0, 2.5, -1.5])
    assert xp.astype(x, x.dtype, copy=False) is x
    assert xp.astype(x, x.dtype, copy=True) is not x
    assert xp.astype(x, xp.float32, device=x.device).device == x.device
    nan = xp.asarray([math.nan, math.inf])
    np.testing.assert_array_equal(xp.astype(nan, xp.bool), [1, 1])


def test_devices():
    info = xp.__array_namespace_info__()
    for device in info.devices():
        x = xp.asarray([1.0, 2.0], device=device)
        made = [
            x, xp.zeros(2, device=device), xp.ones(2, device=device), xp.empty(2, device=device),
            xp.full(2, 1.0, device=device), xp.eye(2, device=device), xp.arange(3, device=device),
            xp.linspace(0, 1, 3, device=device), xp.zeros_like(x, device=device),
            xp.ones_like(x, device=device), xp.empty_like(x, device=device),
            xp.full_like(x, 2.0, device=device), xp.astype(x, xp.float32, device=device),
            xp.from_dlpack(x, device=device), xp.fft.fftfreq(3, device=device),
            xp.fft.rfftfreq(3, device=device), x.to_device(device), x + 1, xp.exp(x),
        ]  # fmt: skip
        assert all(y.device == device for y in made)
    with pytest.raises(ValueError, match="stream"):
        xp.ones(2).to_device(info.default_device(), stream=7)


def test_devices_in_traced_programs():
    """A traced array's device is None, which leaves open where the program runs."""
    device = xp.__array_namespace_info__().default_device()

    def f(x):
        assert x.device is None
        beside = xp.ones(2, device=x.device) + xp.arange(2.0, device=device)
        return xp.sum(xp.asarray(x, device=device) * beside.to_device(device))

    x = xp.asarray([3.0, 4.0])
    for transformed in (f, jit(f)):
        assert float(jit(transformed)(x)) == 11.0
        np.testing.assert_array_equal(grad(transformed)(x), [1, 2])
    np.testing.assert_array_equal(vmap(f)(xp.ones((3, 2))), [3, 3, 3])


def test_copies():
    x = xp.asarray([1.0, 2.0])
    assert xp.asarray(x) is x and xp.asarray(x, copy=False) is x
    assert xp.asarray(x, copy=True) is not x
    with pytest.raises(ValueError, match="copy"):
        xp.asarray([1.0, 2.0], copy=False)
    with pytest.raises(ValueError, match="copy"):
        xp.asarray(x, dtype=xp.float32, copy=False)
    host = np.arange(3.0)
    mine = xp.asarray(host, copy=True)
    host[0] = 7.0
    np.testing.assert_array_equal(mine, [0, 1, 2])
    np.testing.assert_array_equal(xp.reshape(x, (2, 1), copy=True), [[1], [2]])


@pytest.mark.parametrize("dtype", DTYPES)
def test_exchange_with_numpy(dtype):
    x = xp.asarray([[1, 0], [1, 1]], dtype=dtype)
    kind, number = x.__dlpack_device__()
    assert (int(kind), number) == (1, 0)
    theirs = np.from_dlpack(x)
    assert theirs.dtype == dtype
    np.testing.assert_array_equal(theirs, [[1, 0], [1, 1]])
    for copy in (None, True):
        mine = xp.from_dlpack(np.asarray(x).copy(), copy=copy)
        assert (mine.dtype, type(mine)) == (dtype, type(x))
        np.testing.assert_array_equal(mine, x)
    x.__dlpack__(max_version=(1, 0), dl_device=(1, 0), copy=True)
    assert xp.from_dlpack(x).device == x.device
    refused(xp.from_dlpack, [1, 2])


# --- values ---


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_transforms_keep_the_precision(dtype):
    x = xp.ones((2, 4), dtype=dtype)
    names = "fft ifft irfft hfft fftn ifftn irfftn fftshift ifftshift".split()
    for name in names + ["rfft", "ihfft", "rfftn"] * (dtype == "float32"):
        real = name in ("irfft", "hfft", "irfftn") or "shift" in name
        want = ("float32" if "shift" not in name else dtype) if real else "complex64"
        assert getattr(xp.fft, name)(x).dtype == want, name


def test_decompositions():
    for dtype in FLOATS:
        a = xp.asarray([[3.0, -1.0, 2.0], [0.5, 4.0, -2.0]], dtype=dtype)
        tolerance = 1e-5 if "64" in dtype and dtype != "float64" or dtype == "float32" else 1e-12
        near = functools.partial(np.testing.assert_allclose, rtol=tolerance, atol=tolerance)
        q, r = xp.linalg.qr(a)
        near(q @ r, a)
        assert xp.linalg.qr(a, mode="complete").Q.shape == (2, 2)
        u, s, vh = xp.linalg.svd(a, full_matrices=False)
        near((u * s) @ vh, a)
        assert (s.dtype, xp.linalg.svd(a).Vh.shape) == (PARTS.get(dtype, dtype), (3, 3))
        result = xp.linalg.eigh(a @ xp.conj(a).mT)
        w, v = result.eigenvalues, result.eigenvectors
        near((v * w) @ xp.conj(v).mT, a @ xp.conj(a).mT)
        assert xp.linalg.slogdet(a[:, :2]).logabsdet.dtype == PARTS.get(dtype, dtype)


ERRORS = {
    "expand_dims beyond": (IndexError, lambda: xp.expand_dims(xp.ones((2, 3)), axis=3)),
    "expand_dims before": (IndexError, lambda: xp.expand_dims(xp.ones((2, 3)), axis=-4)),
    "squeeze of a long axis": (ValueError, lambda: xp.squeeze(xp.ones((2, 1)), 0)),
    "nonzero of a scalar": (Exception, lambda: xp.nonzero(xp.asarray(1))),
    "stack beyond": (IndexError, lambda: xp.stack([xp.ones(2)], axis=2)),
    "unstack beyond": (IndexError, lambda: xp.unstack(xp.ones(2), axis=1)),
    "broadcast_to": (ValueError, lambda: xp.broadcast_to(xp.ones(2), (3,))),
    "no permutation": (ValueError, lambda: xp.permute_dims(xp.ones((2, 3)), (0, 0))),
    "permutation of too many": (ValueError, lambda: xp.permute_dims(xp.ones(3), (1, 0))),
    "matmul with a scalar": (ValueError, lambda: xp.matmul(xp.ones(2), xp.asarray(1.0))),
    "matmul of other lengths": (ValueError, lambda: xp.ones((2, 3)) @ xp.ones((2, 3))),
    "cumulative_sum of no axis": (ValueError, lambda: xp.cumulative_sum(xp.ones((2, 3)))),
    "max of nothing": (ValueError, lambda: xp.max(xp.ones(0))),
    "meshgrid": (ValueError, lambda: xp.meshgrid(xp.ones(2), indexing="yx")),
    "vecdot of other lengths": (ValueError, lambda: xp.vecdot(xp.ones(2), xp.ones(3))),
    "cross of four": (ValueError, lambda: xp.linalg.cross(xp.ones(4), xp.ones(4))),
    "too many indices": (IndexError, lambda: xp.ones(2)[0, 0]),
    "float as index": (Exception, lambda: xp.ones(2)[0.5]),
}  # fmt: skip


@pytest.mark.parametrize("what", ERRORS)
def test_errors(what):
    kind, call = ERRORS[what]
    with pytest.raises(kind):
        call()


# --- programs that know the standard only ---


def standardized(x):
    ns = x.__array_namespace__()
    scale = ns.std(x, axis=0, keepdims=True, correction=1)
    return (x - ns.mean(x, axis=0, keepdims=True)) / ns.where(scale == 0, 1, scale)


def fitted(x, y):
    """Coefficients of least squares by QR."""
    ns = x.__array_namespace__()
    design = ns.concat([ns.ones((x.shape[0], 1), dtype=x.dtype, device=x.device), x], axis=1)
    q, r = ns.linalg.qr(design)
    return ns.linalg.solve(r, ns.matrix_transpose(q) @ y)


def clustered(x, centres, steps):
    """Lloyd's iteration."""
    ns = x.__array_namespace__()
    for _ in range(steps):
        apart = x[:, ns.newaxis, :] - centres[ns.newaxis, :, :]
        nearest = ns.argmin(ns.vecdot(apart, apart), axis=1)
        mine = ns.astype(nearest[:, None] == ns.arange(centres.shape[0], device=x.device), x.dtype)
        counts = ns.maximum(ns.sum(mine, axis=0), 1)
        centres = ns.tensordot(mine, x, axes=([0], [0])) / counts[:, None]
    return centres, nearest


def filtered(x):
    """The slow half of a signal's spectrum."""
    ns = x.__array_namespace__()
    spectrum = ns.fft.rfft(x)
    slow = ns.fft.rfftfreq(x.shape[-1], device=x.device) < 0.25
    return ns.fft.irfft(ns.where(slow, spectrum, 0), n=x.shape[-1])


PROGRAMS = {
    "standardized": lambda x, y: standardized(x),
    "fitted": fitted,
    "clustered": lambda x, y: clustered(x, x[:3, :], 4),
    "filtered": lambda x, y: filtered(y),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_written_against_the_standard(name):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    program = PROGRAMS[name]
    want = program(x, y)
    for run in (program, jit(program)):
        got = run(xp.asarray(x), xp.asarray(y))
        pairs = [(got, want)] if not isinstance(want, tuple) else list(zip(got, want, strict=True))
        for a, b in pairs:
            assert isinstance(a, array.Array) and a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
