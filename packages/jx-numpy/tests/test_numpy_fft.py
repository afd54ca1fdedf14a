"""Fourier transforms: NumPy's values, JAX's dtypes and errors, and derivatives of padded ones."""

import doctest
import inspect

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_ad.testing import check_grads
from jx_batching import vmap
from jx_core import dtypes, jit, make_jaxpr
from jx_core.config import enable_x64
from jx_core.errors import ShapeError

ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
SEVERAL = ["fftn", "ifftn", "rfftn", "irfftn"]
TWO = ["fft2", "ifft2", "rfft2", "irfft2"]
REAL = ["rfft", "ihfft", "rfftn", "rfft2"]


def values(name, *shape, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal(shape)
    return x if name in REAL else x + 1j * generator.standard_normal(shape)


def check(name, x, *args, **kwargs):
    """`jnp.fft.<name>` against NumPy, in both precisions."""
    want = getattr(np.fft, name)(x, *args, **kwargs)
    for wide, slack in ((True, 1e-13), (False, 1e-5)):
        with enable_x64(wide):
            narrow = x if wide else x.astype(np.float32 if name in REAL else np.complex64)
            got = getattr(jnp.fft, name)(narrow, *args, **kwargs)
            assert got.shape == want.shape
            assert got.dtype.kind == want.dtype.kind
            assert got.dtype.itemsize == want.dtype.itemsize // (1 if wide else 2)
            scale = np.abs(want).max() if want.size else 0
            np.testing.assert_allclose(np.asarray(got), want, atol=slack * (1 + scale), rtol=0)


@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
@pytest.mark.parametrize("name", ONE)
def test_transforms_along_one_axis(name, norm):
    for axis in (0, 1, -1):
        for n in (None, 1, 2, 3, 6, 7, 9):
            check(name, values(name, 5, 4), n, axis=axis, norm=norm)
    check(name, values(name, 3, 2), 4, 0, norm)


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("name", SEVERAL)
def test_transforms_along_several_axes(name, norm):
    x = values(name, 3, 4, 2, 5)
    for axes in (None, (0,), (1, 3), (3, 1), (0, 2, 1), (-1, 0, 1, 2)):
        check(name, x, axes=axes, norm=norm)
        if axes is not None:
            check(name, x, s=(4, 6, 2, 3)[: len(axes)], axes=axes, norm=norm)
    check(name, values(name, 2, 3, 2, 2, 3), norm=norm)


@pytest.mark.parametrize("name", TWO)
def test_transforms_along_two_axes(name):
    x = values(name, 3, 4, 5)
    check(name, x)
    check(name, x, (2, 7), (0, -1), "ortho")


@pytest.mark.parametrize("name", ["fftn", "ifftn"])
def test_lengths_without_axes_belong_to_the_last_ones(name):
    x = values(name, 3, 4, 2)
    want = getattr(np.fft, name)(x, s=(2, 3), axes=(1, 2))
    with enable_x64(True):
        got = getattr(jnp.fft, name)(x, s=(2, 3))
    np.testing.assert_allclose(np.asarray(got), want, atol=1e-13)


def test_no_axes_and_no_elements():
    three = np.float32(3)
    assert jnp.fft.fftn(three).tolist() == 3 and jnp.fft.fftn(three).dtype == np.complex64
    assert jnp.fft.rfftn(three).dtype == np.float32
    assert jnp.fft.fftn(jnp.ones((2, 2)), axes=()).tolist() == [[1, 1], [1, 1]]
    assert jnp.fft.fft(jnp.ones((2, 0))).shape == (2, 0)
    assert jnp.fft.rfft(jnp.ones((0, 4))).shape == (0, 3)
    assert jnp.fft.irfft(jnp.ones((3, 1))).shape == (3, 0)
    assert jnp.fft.hfft(jnp.ones((3, 1))).shape == jnp.fft.irfft(jnp.ones((3, 0))).shape == (3, 0)
    assert jnp.fft.ihfft(jnp.ones((3, 0)), norm="ortho").shape == (3, 0)
    assert jnp.fft.fft(jnp.ones((2, 0)), 3).tolist() == [[0, 0, 0]] * 2


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float16", "bfloat16"])
def test_narrow_operands_become_32_bit_floats(dtype):
    x = jnp.array([1, 0, 1], dtype)
    for name in (*ONE, *SEVERAL):
        assert dtypes.finfo(getattr(jnp.fft, name)(x).dtype).bits == 32
    with enable_x64(True):
        assert jnp.fft.rfft(jnp.arange(3)).dtype == np.complex128


@pytest.mark.parametrize("name", ONE)
def test_derivatives_of_padded_and_cut_transforms(name):
    with enable_x64(True):
        for n in (1, 2, 5, 6):
            check_grads(
                lambda x, n=n: getattr(jnp.fft, name)(x, n, 0, "ortho"), (values(name, 4, 2),), 2
            )


def test_the_derivative_of_a_spectrum():
    """Parseval: the squares of the orthonormal transform sum up to those of the array."""
    x = jnp.array([1.0, 2.0, -1.0, 0.5])
    total = grad(lambda x: jnp.sum(jnp.abs(jnp.fft.fft(x, norm="ortho")) ** 2))
    np.testing.assert_allclose(np.asarray(total(x)), 2 * np.asarray(x), rtol=1e-6)


def test_transforms_of_batches_and_in_programs():
    x = values("fft", 3, 4, 5).astype(np.complex64)
    for axis in (0, 1, 2):
        rows = vmap(lambda row: jnp.fft.fft(row, axis=0), in_axes=axis, out_axes=axis)(x)
        np.testing.assert_allclose(
            np.asarray(rows), np.fft.fft(x, axis=0 if axis else 1), atol=1e-5
        )
    np.testing.assert_allclose(
        np.asarray(jit(lambda x: jnp.fft.ifftn(x, (2, 3), axes=[0, 1]))(x)),
        np.fft.ifftn(x, (2, 3), (0, 1)), atol=1e-5,
    )  # fmt: skip


def test_axes_in_place_cost_no_transposition():
    def primitives(axes):
        program = make_jaxpr(lambda x: jnp.fft.fftn(x, axes=axes))(np.zeros((2, 3), np.complex64))
        return [eqn.primitive.name for eqn in program.jaxpr.eqns]

    assert primitives((1,)) == primitives((0, 1)) == primitives((1, 0)) == ["fft"]
    assert primitives((0,)) == ["transpose", "fft", "transpose"]


# --- frequencies and shifts ---


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies(name):
    for n in (1, 2, 5, 6):
        for d in (1, 0.5, 3.0):
            got = getattr(jnp.fft, name)(n, d)
            assert got.dtype == np.float32
            np.testing.assert_allclose(np.asarray(got), getattr(np.fft, name)(n, d), rtol=1e-6)
    assert getattr(jnp.fft, name)(4, dtype="bfloat16").dtype == jnp.bfloat16
    assert getattr(jnp.fft, name)(4, dtype="complex64").dtype == np.complex64
    traced = jit(lambda d: getattr(jnp.fft, name)(5, d))(0.25)
    np.testing.assert_allclose(np.asarray(traced), getattr(np.fft, name)(5, 0.25), rtol=1e-6)


def test_frequencies_of_nothing():
    assert jnp.fft.fftfreq(0).shape == jnp.fft.fftfreq(-4).shape == (0,)


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts(name):
    x = np.arange(30).reshape(2, 3, 5)
    for axes in (None, 0, -1, (0, 2), [1]):
        got = getattr(jnp.fft, name)(jnp.asarray(x), axes)
        np.testing.assert_array_equal(np.asarray(got), getattr(np.fft, name)(x, axes))
    assert jnp.fft.fftshift(np.float32(2)).tolist() == 2
    assert jnp.fft.fftshift(jnp.zeros((0, 3))).shape == (0, 3)


# --- errors ---


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: jnp.fft.fft([1.0, 2.0]), TypeError, "fft.fft requires ndarray or scalar"),
        (lambda x: jnp.fft.fft(x, 0), ValueError, r"fft.fft: lengths must be positive, got \(0,\)"),
        (lambda x: jnp.fft.fft(x, axis=5), ShapeError, "axis 5|axes 5"),
        (lambda x: jnp.fft.fft(x, axis=[0]), ValueError, r"one axis, got axis=.*fftn takes sev"),
        (lambda x: jnp.fft.fft(x, norm="half"), ValueError, "Invalid norm value 'half'"),
        (lambda x: jnp.fft.fft(x[0, 0]), ShapeError, "out of bounds"),
        (lambda x: jnp.fft.fftn(x, (2,), (0, 1)), ValueError, "s and axes must be equally long"),
        (lambda x: jnp.fft.fftn(x, (2, 2, 2)), ShapeError, "out of bounds"),
        (lambda x: jnp.fft.fftn(x, axes=(0, -2)), ShapeError, "must be distinct"),
        (lambda x: jnp.fft.fftn(x, (2, None)), TypeError, "s must be a sequence of integers"),
        (lambda x: jnp.fft.fft2(x, axes=(0,)), ValueError, "fft2 takes two axes.*fftn takes any"),
        (lambda x: jnp.fft.rfft(x + 1j), ValueError, "only real valued inputs"),
        (lambda x: jnp.fft.fftfreq([4]), TypeError, "n must be an integer"),
        (lambda x: jnp.fft.fftfreq(4, [1.0]), ValueError, "d must be a number"),
        (lambda x: jnp.fft.fftshift(x, 4), ShapeError, "out of bounds"),
        (lambda x: jnp.fft.fftshift([1, 2]), TypeError, "requires ndarray or scalar"),
    ],
)
def test_bad_arguments_say_what_was_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call(jnp.ones((2, 3)))


@pytest.mark.parametrize("name", jnp.fft.__all__)
def test_examples(name):
    doc = inspect.getdoc(getattr(jnp.fft, name))
    test = doctest.DocTestParser().get_doctest(doc, {"jnp": jnp, "np": np}, name, None, 0)
    assert test.examples
    messages = []
    doctest.DocTestRunner().run(test, out=messages.append)
    assert not messages, "".join(messages)
