"""Shapes, joins, repeats, padding and editing: values by NumPy, errors, tracing."""

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import grad
from jx_core import errors, jit, make_jaxpr

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
M = np.arange(6, dtype=np.int32).reshape(2, 3)
V = np.array([3.0, 1.0, 2.0, 5.0], np.float32)


def test_reshape_and_ravel(same_as_numpy):
    for shape in ((6, 4), (4, -1), -1, (2, 3, 4), (24,), [3, 8], np.array([8, 3])):
        for order in ("C", "F"):
            same_as_numpy("reshape", X, tuple(shape) if np.ndim(shape) else shape, order)
    for order in ("C", "F"):
        same_as_numpy("ravel", X, order)
    assert jnp.reshape(X, [3, 8]).shape == jnp.reshape(X, np.array([3, 8])).shape == (3, 8)
    assert jnp.reshape(jnp.zeros((0, 3)), (3, -1)).shape == (3, 0)


def test_order_of_axes(same_as_numpy):
    same_as_numpy("transpose", X)
    same_as_numpy("transpose", X, (1, -1, 0))
    same_as_numpy("swapaxes", X, 0, -1)
    same_as_numpy("moveaxis", X, 0, -1)
    same_as_numpy("moveaxis", X, (0, 1), (-1, 0))
    for axis in (0, 1, 2, -1):
        for start in (0, 1, 2, 3, -1):
            same_as_numpy("rollaxis", X, axis, start)
    same_as_numpy("matrix_transpose", X)
    same_as_numpy("permute_dims", X, (2, 0, 1))
    assert jnp.transpose(X, [2, 0, 1]).shape == (4, 2, 3)


def test_axes_of_length_one(same_as_numpy):
    for axis in (0, -1, (0, 2), (-1, -2)):
        same_as_numpy("expand_dims", X, axis)
    y = X[:1, :, None]
    same_as_numpy("squeeze", y)
    same_as_numpy("squeeze", y, 0)
    same_as_numpy("squeeze", y, (0, 2))
    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        for x in (np.float32(3), V, M, X):
            same_as_numpy(name, np.asarray(x))
        same_as_numpy(name, V, M)


def test_broadcasting(same_as_numpy):
    same_as_numpy("broadcast_to", V, (2, 3, 4))
    same_as_numpy("broadcast_arrays", V, X)
    assert jnp.broadcast_shapes((2, 1), (3,)) == (2, 3)
    assert jnp.broadcast_to(3.0, 2).shape == (2,)


def test_joins(same_as_numpy):
    for axis in (0, 1, -1):
        same_as_numpy("concatenate", (X, X), axis)
        same_as_numpy("stack", (X, X), axis)
    same_as_numpy("concatenate", (X, M), None)
    for name in ("hstack", "vstack", "dstack"):
        for x in (V, M, X):
            same_as_numpy(name, (x, x))
    same_as_numpy("column_stack", (V, V))
    same_as_numpy("append", V, np.float32(2))
    same_as_numpy("append", M, M, 1)
    same_as_numpy("block", [[M, M], [M, M]])
    same_as_numpy("block", [V, np.float32(2)])
    same_as_numpy("unstack", X)
    same_as_numpy("unstack", X, axis=-1)
    assert jnp.concatenate(jnp.asarray(M)).tolist() == [0, 1, 2, 3, 4, 5]
    assert jnp.stack([1, 2]).weak_type
    assert jnp.concatenate([V, M[0]]).dtype == np.float32
    assert jnp.concatenate([V, V], dtype="int8").dtype == np.int8


def test_splits(same_as_numpy):
    same_as_numpy("split", X, 2, axis=-1)
    same_as_numpy("split", V, [1, 3])
    same_as_numpy("split", V, [1, 10])
    same_as_numpy("split", V, [3, 1])
    same_as_numpy("array_split", V, 3)
    same_as_numpy("array_split", V, 7)
    same_as_numpy("vsplit", X, 2)
    same_as_numpy("hsplit", V, 2)
    same_as_numpy("dsplit", X, [1])
    assert [x.shape for x in jnp.split(V, np.array([1, 2]))] == [(1,), (1,), (2,)]
    assert len(make_jaxpr(lambda x: jnp.split(x, 2))(V).eqns) == 1


def test_repeats(same_as_numpy):
    for reps in (2, (2, 1), (2, 1, 3, 1), (0, 1, 1), ()):
        same_as_numpy("tile", X, reps)
    for axis in (None, 0, -1):
        same_as_numpy("repeat", X, 2, axis=axis)
    assert jnp.repeat(V, np.array([1, 0, 2, 1])).tolist() == [3, 2, 2, 5]
    assert jnp.repeat(M, np.array([1, 2]), axis=0).shape == (3, 3)
    traced = jit(lambda r: jnp.repeat(V, r, total_repeat_length=5))
    assert traced(np.array([1, 0, 2, 1])).tolist() == [3, 2, 2, 5, 5]
    assert traced(np.array([1, 3, 2, 1])).tolist() == [3, 1, 1, 1, 2]
    with pytest.raises(errors.ConcretizationTypeError, match="total_repeat_length"):
        jit(lambda r: jnp.repeat(V, r))(np.array([1, 0, 2, 1]))
    same_as_numpy("resize", M, (3, 4))
    same_as_numpy("resize", M, 2)


def test_reversal_and_rotation(same_as_numpy):
    for axis in (None, 0, -1, (0, 2)):
        same_as_numpy("flip", X, axis)
    same_as_numpy("fliplr", X)
    same_as_numpy("flipud", X)
    for k in range(-1, 5):
        same_as_numpy("rot90", X, k)
        same_as_numpy("rot90", X, k, (2, 0))


def test_roll(same_as_numpy):
    for shift, axis in ((1, None), (-5, 0), (2, -1), ((1, -2), (0, 2)), ((1, 2), 1), (1, (0, 1))):
        same_as_numpy("roll", X, shift, axis)
    np.testing.assert_array_equal(jit(lambda s: jnp.roll(X, s, 1))(2), np.roll(X, 2, 1))
    np.testing.assert_array_equal(
        jit(lambda s: jnp.roll(X, s, (0, 2)))(np.array([1, -3])), np.roll(X, (1, -3), (0, 2))
    )


WIDTHS = [0, 2, (1, 3), ((1, 0), (5, 2)), ((2, 2),), [[1, 2], [3, 4]]]


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_pad_modes(same_as_numpy, widths):
    x = np.array([[1.0, 4.0, 2.0], [8.0, 5.0, 7.0]], np.float32)
    for mode in ("constant", "edge", "wrap", "maximum", "minimum", "mean", "median"):
        same_as_numpy("pad", x, widths, mode, rtol=1e-5)
    for mode in ("reflect", "symmetric"):
        same_as_numpy("pad", x, widths, mode)
        same_as_numpy("pad", x, widths, mode, reflect_type="odd")
    same_as_numpy("pad", x, widths, "linear_ramp", end_values=((-1, 2), (3, 0)), rtol=1e-5)
    same_as_numpy("pad", x, widths, constant_values=9)
    same_as_numpy("pad", x, widths, constant_values=((1, 2), (3, 4)))
    same_as_numpy("pad", x, widths, constant_values=(1, 2))
    same_as_numpy("pad", x, widths, "mean", stat_length=2, rtol=1e-5)
    same_as_numpy("pad", x, widths, "maximum", stat_length=((1, 2), (2, 1)))
    assert jnp.pad(x, widths, "empty").shape == np.pad(x, widths, "empty").shape


def test_pad_of_integers_by_dict_and_by_function():
    np.testing.assert_array_equal(jnp.pad(M, 1, "mean"), np.pad(M, 1, "mean"))
    np.testing.assert_array_equal(jnp.pad(V, {0: (1, 2)}), np.pad(V, (1, 2)))
    expected = np.pad(M, ((0, 0), (1, 1)), constant_values=3)
    np.testing.assert_array_equal(jnp.pad(M, {-1: 1}, constant_values=jnp.array(3)), expected)

    def tens(vector, width, axis, options):
        return vector.at[: width[0]].set(options["value"])

    padded = jnp.pad(M, ((1, 0), (1, 0)), tens, value=10)
    assert padded.tolist() == [[10, 10, 10, 10], [10, 0, 1, 2], [10, 3, 4, 5]]
    traced = jit(lambda v: jnp.pad(M, 1, constant_values=v))(7)
    np.testing.assert_array_equal(traced, np.pad(M, 1, constant_values=7))


def test_insert_and_delete(same_as_numpy):
    for obj in (1, -1, slice(1, 3), np.array([0, 3]), np.array([True, False, False, True])):
        expected = np.delete(V, obj)
        np.testing.assert_array_equal(jnp.delete(V, obj), expected)
    np.testing.assert_array_equal(jnp.delete(X, 1, axis=2), np.delete(X, 1, axis=2))
    for obj, values in (
        (1, 9), (4, 9), (-1, 9), (np.array([1, 3]), np.array([8, 9])), (slice(1, 3), 7),
        (np.array([2, 0]), np.array([8, 9])), (1, np.array([7, 8])),
    ):  # fmt: skip
        np.testing.assert_array_equal(jnp.insert(V, obj, values), np.insert(V, obj, values))
    for obj, values, axis in (
        (1, np.array([5, 6]), 1), (1, np.array([5, 6, 7]), 0), (1, np.array([[5], [6]]), 1),
        (np.array([1]), np.array([[5], [6]]), 1), (1, np.array([[5, 6], [7, 8], [1, 2]]), 1),
        (np.array([0, 2]), 4, 1), (1, 5, None),
    ):  # fmt: skip
        np.testing.assert_array_equal(
            jnp.insert(M, obj, values, axis), np.insert(M, obj, values, axis)
        )
    for trim in ("f", "b", "fb"):
        same = np.array([0, 0, 1, 0, 2, 0])
        np.testing.assert_array_equal(jnp.trim_zeros(same, trim), np.trim_zeros(same, trim))


def test_deleting_at_traced_indices():
    assert jit(lambda i: jnp.delete(V, i))(1).tolist() == [3, 2, 5]
    assert jit(lambda i: jnp.delete(V, i))(-1).tolist() == [3, 1, 2]
    unique = jit(lambda i: jnp.delete(V, i, assume_unique_indices=True))
    assert unique(np.array([3, 0])).tolist() == [1, 2]
    with pytest.raises(errors.ConcretizationTypeError, match="assume_unique_indices"):
        jit(lambda i: jnp.delete(V, i))(np.array([1, 2]))
    with pytest.raises(errors.ConcretizationTypeError):
        jit(jnp.trim_zeros)(V)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: jnp.reshape(V, (2, 3)), ValueError, r"\(4,\).*\(size 4\).*\(2, 3\).*size 6"),
        (lambda: jnp.reshape(V, (-1, -1)), ValueError, "one -1"),
        (lambda: jnp.reshape(V, (3, -1)), ValueError, "cannot reshape"),
        (lambda: jnp.reshape(V, 2.0), TypeError, "shape"),
        (lambda: jnp.reshape(V, -1, order="K"), ValueError, "order"),
        (lambda: jnp.concatenate([]), ValueError, "at least one array"),
        (lambda: jnp.concatenate([V, M]), TypeError, r"different numbers.*\(4,\), \(2, 3\)"),
        (lambda: jnp.concatenate([V, [1.0]]), TypeError, "concatenate.*list.*position 1"),
        (lambda: jnp.concatenate([1.0, 2.0]), ValueError, "Zero-dimensional"),
        (lambda: jnp.concatenate(3.0), TypeError, "sequence of arrays.*zero-dimensional"),
        (lambda: jnp.stack([V, V[:2]]), ValueError, r"same shape. Got \(4,\), \(2,\)"),
        (lambda: jnp.squeeze(V, 0), ValueError, r"length 1.*\(4,\)"),
        (lambda: jnp.split(V, 3), ValueError, "equal division"),
        (lambda: jnp.transpose(V, (0, 1)), ValueError, "axes"),
        (lambda: jnp.broadcast_to(V, (2, 2)), ValueError, r"\(4,\) to \(2, 2\)"),
        (lambda: jnp.expand_dims(V, 3), ValueError, "3"),
        (lambda: jnp.moveaxis(V, 0, 2), ValueError, "destination 2"),
        (lambda: jnp.repeat(V, 2, axis=1), ValueError, "axis 1"),
        (lambda: jnp.repeat(V, [1, 2, 1, 1]), TypeError, "repeat requires"),
        (lambda: jnp.repeat(V, np.array([1, 2])), ValueError, "4 elements"),
        (lambda: jnp.tile(V, -1), ValueError, "non-negative"),
        (lambda: jnp.pad(V, -1), ValueError, "negative"),
        (lambda: jnp.pad(V, 1.5), TypeError, "integers"),
        (lambda: jnp.pad(V, (1, 2, 3)), ValueError, "pair"),
        (lambda: jnp.pad(V, 1, "nonsense"), NotImplementedError, "nonsense"),
        (lambda: jnp.pad(V, 1, foo=3), ValueError, "foo"),
        (lambda: jnp.pad(np.zeros(0), 1, "edge"), ValueError, "empty axis"),
        (lambda: jnp.delete(V, 10), ValueError, "out of range"),
        (lambda: jnp.block((1, 2)), TypeError, "tuple"),
        (lambda: jnp.block([[1], 2]), ValueError, "one depth"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_derivatives_go_through():
    def f(x):
        y = jnp.pad(jnp.flip(jnp.tile(x, 2)), 1, "edge")
        return jnp.sum(jnp.roll(jnp.stack(jnp.split(y, 2)), 1) ** 2)

    x = np.array([1.0, 2.0], np.float32)
    np.testing.assert_allclose(grad(f)(x), [6.0, 12.0])


def test_vectorize_and_apply():
    def dot(a, b):
        return jnp.sum(a * b)

    fun = jnp.vectorize(dot, signature="(n),(n)->()")
    np.testing.assert_allclose(fun(X, V), X @ V)
    assert fun(X[0], X[:, :1]).shape == (2, 3)
    with pytest.raises(ValueError, match="length"):
        fun(X, V[:2])
    assert jnp.vectorize(dot, signature="(2),(2)->()")(V, V) == V @ V  # 2 is but a name
    with pytest.raises(ValueError, match="valid signature"):
        jnp.vectorize(dot, signature="(n),(n)")
    with pytest.raises(TypeError, match="2 arguments"):
        fun(X)
    shift = jnp.vectorize(lambda x, by: x + by, excluded={1})
    assert shift(V, 2).tolist() == [5, 3, 4, 7]
    for axis in (0, 1, -1):
        np.testing.assert_allclose(
            jnp.apply_along_axis(lambda v: v[::-1] * 2, axis, X),
            np.apply_along_axis(lambda v: v[::-1] * 2, axis, X),
        )
        np.testing.assert_allclose(
            jnp.apply_along_axis(jnp.sum, axis, X), np.apply_along_axis(np.sum, axis, X)
        )
    np.testing.assert_allclose(
        jnp.apply_over_axes(jnp.sum, X, [0, 2]), np.apply_over_axes(np.sum, X, [0, 2])
    )


def test_calculus(same_as_numpy):
    for n in range(4):
        same_as_numpy("diff", X, n)
        same_as_numpy("diff", X, n, axis=0)
    same_as_numpy("diff", V, prepend=0, append=np.array([1.0, 2.0], np.float32))
    same_as_numpy("diff", np.array([True, False, False]))
    same_as_numpy("ediff1d", V, to_end=np.float32(9), to_begin=np.array([7.0], np.float32))
    same_as_numpy("gradient", X**2)
    same_as_numpy("gradient", V, 2.0)
    same_as_numpy("gradient", V, np.array([0.0, 1.0, 3.0, 3.5], np.float32), rtol=1e-5)
    same_as_numpy("gradient", X, 2.0, np.array([0.0, 1.0, 3.0], np.float32), axis=(0, 1))
    same_as_numpy("trapezoid", X, axis=1)
    same_as_numpy("trapezoid", V, np.array([0.0, 1.0, 3.0, 3.5], np.float32))
    same_as_numpy("trapezoid", X, dx=0.5)
    assert jnp.trapezoid(jnp.array([np.inf, 1.0, 2.0])) == np.inf and jnp.trapezoid(V[:1]) == 0
    same_as_numpy("unwrap", np.array([0.0, 3.0, 6.5, 1.0, -4.0], np.float32), rtol=1e-5)
    same_as_numpy("unwrap", np.array([[0, 7], [5, 1]], np.int32), axis=0, period=6)
    xp, fp = np.array([0.0, 1.0, 3.0], np.float32), np.array([1.0, 5.0, -1.0], np.float32)
    x = np.linspace(-1, 4, 11).astype(np.float32)
    same_as_numpy("interp", x, xp, fp)
    same_as_numpy("interp", x, xp, fp, left=-9.0, right=9.0)
    same_as_numpy("interp", x, xp, fp, period=2.5, rtol=1e-5)
    outside = jnp.interp(np.array([-1.0, 4.0]), xp, fp, left="extrapolate", right="extrapolate")
    np.testing.assert_allclose(outside, [-3, -4])


def test_polynomials_and_signals(same_as_numpy):
    p, q = np.array([2.0, -1.0, 3.0], np.float32), np.array([1.0, 4.0], np.float32)
    for name in ("polyadd", "polysub", "polymul"):
        same_as_numpy(name, p, q)
        same_as_numpy(name, q, p)
    several = np.array([[5, 7, 3], [8, 2, 6]], np.float32)  # three lines
    np.testing.assert_array_equal(jnp.polyadd(several, p[:1]), [[5, 7, 3], [10, 4, 8]])
    np.testing.assert_array_equal(jnp.polysub(several[:1], several), [[-5, -7, -3], [-3, 5, -3]])
    assert jnp.polyder(np.array([2, 1])).dtype == np.float32
    same_as_numpy("polyval", p, X, rtol=1e-5)
    for m in (0, 1, 2, 3):
        same_as_numpy("polyder", p, m)
        same_as_numpy("polyint", p, m, rtol=1e-5)
    np.testing.assert_allclose(jnp.polyint(p, 2, np.array([1.0, 2.0])), np.polyint(p, 2, [1, 2]))
    same_as_numpy("poly", p)
    quotient, remainder = jnp.polydiv(p, q, trim_leading_zeros=True)
    expected = np.polydiv(p, q)
    np.testing.assert_allclose(quotient, expected[0])
    np.testing.assert_allclose(remainder, expected[1])
    nothing = jnp.polydiv(np.float32([1, 0, -1]), np.float32([1, 1]), trim_leading_zeros=True)[1]
    assert nothing.shape == (0,)
    for mode in ("full", "same", "valid"):
        for a, b in ((V, q), (q, V), (M[0], M[1]), (V, V), (V + 1j, q - 2j)):
            same_as_numpy("convolve", a, b, mode, rtol=1e-5)
            same_as_numpy("correlate", a, b, mode, rtol=1e-5)
    for name in ("bartlett", "blackman", "hamming", "hanning"):
        for n in (0, 1, 2, 7):
            same_as_numpy(name, n, rtol=1e-5)
