"""Functions of complex numbers, compiled: special values as in C, both parts accurate elsewhere.

The generic tests take a complex result that is NaN in one part for NaN as a whole; here each
part is looked at by itself, and the signs of zeros.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import jx_xla  # noqa: F401  the back end under test
from jx_core import jit, lax
from jx_core.config import enable_x64

# With NumPy's function, which calls the C library's.
FUNCTIONS = {
    lax.exp: np.exp, lax.log: np.log, lax.sqrt: np.sqrt, lax.sin: np.sin, lax.cos: np.cos,
    lax.tan: np.tan, lax.sinh: np.sinh, lax.cosh: np.cosh, lax.tanh: np.tanh,
    lax.asin: np.arcsin, lax.acos: np.arccos, lax.atan: np.arctan, lax.asinh: np.arcsinh,
    lax.acosh: np.arccosh, lax.atanh: np.arctanh,
}  # fmt: skip
ORDINARY = (0.0, 1e-30, 1e-8, 1e-3, 0.3, 1.0, np.pi / 2, 2.5, 9.0, 21.0, 87.0, 1e4, 1e18)
SPECIAL = (np.inf, np.nan)


@pytest.fixture(autouse=True)
def all_dtypes():
    with enable_x64(True):
        yield


def grid(parts, dtype):
    """All numbers with these parts, of either sign."""
    both = np.array([*parts, *(-p for p in parts)])
    z = np.empty((len(both), len(both)), dtype)
    z.real, z.imag = np.meshgrid(both, both, indexing="ij")
    return z.ravel()


def signs_are_given(name, z):
    """Whether C says which sign the result's zeros and infinities have, and is followed.

    At infinity tanh has the zero on the operand's side, as the array API standard has it; C goes
    by the angle, which has no limit there.
    """
    if name in ("tanh", "tan"):
        along, across = (z.real, z.imag) if name == "tanh" else (z.imag, z.real)
        return np.isfinite(across) & ~np.isinf(along)
    if name in ("sinh", "cosh", "exp"):
        return np.isfinite(z.imag)
    if name in ("sin", "cos"):
        return np.isfinite(z.real)
    return np.isfinite(z) | ~np.isnan(z)


@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_special_values_are_those_of_c(fun, dtype):
    z = grid((*ORDINARY[:9], *SPECIAL), dtype)
    z = z[~np.isfinite(z) | (z.real == 0) | (z.imag == 0)]
    got = np.asarray(jit(fun)(z))
    with np.errstate(all="ignore"):
        want = FUNCTIONS[fun](z.astype("complex128")).astype(dtype)
    given = signs_are_given(fun.__name__, z)
    for part in ("real", "imag"):
        x, y = getattr(got, part), getattr(want, part)
        special = ~np.isfinite(x) | ~np.isfinite(y)
        size_x, size_y = np.where(given, x, np.abs(x)), np.where(given, y, np.abs(y))
        same = (size_x == size_y) | (np.isnan(x) & np.isnan(y))
        np.testing.assert_array_equal(same | ~special, True, err_msg=f"{part}: {z[~same]}")
        zero = (x == 0) & (y == 0) & given & ~np.isnan(z)
        wrong = zero & (np.signbit(x) != np.signbit(y))
        assert not wrong.any(), f"the sign of a zero {part} part at {z[wrong]}"


@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
def test_both_parts_are_accurate(fun):
    """Single precision against double, on a grid that runs from tiny to huge."""
    z = grid(ORDINARY, "complex64")
    got = np.asarray(jit(fun)(z))
    with np.errstate(all="ignore"):
        want = FUNCTIONS[fun](z.astype("complex128"))
    tiny, largest = np.finfo("float32").tiny, np.finfo("float32").max
    for part in ("real", "imag"):
        x, y = getattr(got, part).astype(float), getattr(want, part)
        fits = np.abs(y) <= largest
        with np.errstate(invalid="ignore"):
            error = np.where(fits, np.abs(x - y) / (np.abs(y) + 1e6 * tiny), 0)
        assert error.max() < 2e-6, f"{part} at {z[error.argmax()]}: {x[error.argmax()]}"


NEAR = {
    lax.expm1: (mpmath.expm1, (1e-12 + 1e-13j, 1e-5j, 0.3 - 0.7j, 20 + 3j, 1e-9 - 2.0j, -30 + 1j)),
    lax.log1p: (lambda z: mpmath.log(1 + z), (1e-12 + 1e-9j, -1e-5 + 3e-3j, -1 + 1e-160j, 2j)),
    lax.sqrt: (mpmath.sqrt, (1e300 + 1e300j, 1e-300 + 2e-300j, -4 + 1e-20j, -1e-3 - 1e-9j)),
    lax.rsqrt: (lambda z: 1 / mpmath.sqrt(z), (1e300 + 1e300j, 1e-300j, -4 + 1e-20j)),
    lax.tanh: (mpmath.tanh, (1e-9 + 1.5707963267948966j, 19 + 0.2j, 1e-20 - 1j, 300 + 1j)),
    lax.tan: (mpmath.tan, (1.5707963267948966 + 1e-9j, 1 + 40j, 1e-20 - 1j)),
    lax.sinh: (mpmath.sinh, (709 + 1j, 1e-9 + 1e-9j, -22 + 3j)),
    lax.cosh: (mpmath.cosh, (710 + 1.57j, 1e-9 + 1e-9j, -22 + 3j)),
    lax.asinh: (mpmath.asinh, (1e-9 + 1e-12j, 1e200 + 1e190j, 1e-12 + 1j)),
    lax.acosh: (mpmath.acosh, (1 + 1e-12j, 1e200 - 1e190j, -1 - 1e-12j)),
    lax.atanh: (mpmath.atanh, (1 + 1e-200j, 1e-9 + 1j, 1e200 + 1j, 0.999999 + 1e-9j)),
    lax.logistic: (lambda z: 1 / (1 + mpmath.exp(-z)), (1e-9 + 3.14159j, -700 + 1j, 50 - 2j)),
    lax.exp2: (lambda z: mpmath.power(2, z), (1000 + 0.5j, -30.5 - 1j, 1e-9j)),
    lax.sign: (lambda z: z / abs(z), (1e308 + 1e308j, 1e-300 - 1e-305j, 3 + 4j)),
}  # fmt: skip


@pytest.mark.parametrize("fun", NEAR, ids=lambda f: f.__name__)
def test_double_precision_where_digits_are_easily_lost(fun):
    oracle, points = NEAR[fun]
    got = np.asarray(jit(fun)(np.array(points)))
    with mpmath.workprec(1500):
        for z, w in zip(points, got, strict=True):
            exact = oracle(mpmath.mpc(z))
            for x, y in ((w.real, exact.real), (w.imag, exact.imag)):
                assert abs(x - y) <= 4e-15 * abs(y) + 1e-300, f"{z}: {w}, exactly {exact}"


def test_powers_of_zero_and_of_infinity():
    x = np.complex128([0, 0, 0, complex(np.inf, 0), complex(0, -np.inf), complex(-np.inf, 3)])
    y = np.complex128([0, 2 + 1j, 0.5, -2, -1 + 1j, 2 + 1j])
    got = np.asarray(jit(lax.pow)(x, y))
    np.testing.assert_array_equal(got[:5], [1, 0, 0, 0, 0])
    assert np.isinf(got[5].real)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_direction_of_numbers_with_infinite_parts(dtype):
    z = np.array([complex(np.inf, 3), complex(2, -np.inf), complex(-np.inf, 0)], dtype)
    np.testing.assert_array_equal(jit(lax.sign)(z), np.array([1, -1j, -1], dtype))


@pytest.mark.parametrize("fun", NEAR, ids=lambda f: f.__name__)
def test_double_precision_does_not_depend_on_the_option(fun):
    z = lax.add(np.array(NEAR[fun][1]), 0.0)
    with_it = np.asarray(jit(fun)(z))
    with enable_x64(False):
        without_it = np.asarray(jit(lambda z: fun(z))(z))
    np.testing.assert_array_equal(without_it, with_it)
