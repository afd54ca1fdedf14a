"""Updates `x.at[index].set(values)` and kin against NumPy's assignments."""

import importlib.util
import pathlib
import warnings

import numpy as np
import pytest
from hypothesis import given

import jx_numpy as jnp
from jx_ad import grad, jvp
from jx_batching import vmap
from jx_core import jit, lax, make_jaxpr

_spec = importlib.util.spec_from_file_location(
    "indexing_cases", pathlib.Path(__file__).with_name("indexing_cases.py")
)
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)
X = cases.X

UFUNCS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "min": np.minimum,
    "max": np.maximum,
}


def _has_repeats(index):
    counts = np.zeros(X.shape, int)
    np.add.at(counts, index, 1)
    return counts.max() > 1


def _update_as_numpy(method, index, values):
    x = X + 1
    want = x.copy()
    if method == "set":
        want[index] = values
    else:
        UFUNCS[method].at(want, index, values)
    for got in (
        getattr(jnp.asarray(x).at[index], method)(values),
        jit(lambda y, v: getattr(y.at[index], method)(v))(x, values),
    ):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want, rtol=1e-5)


def _values(index):
    shape = X[index].shape
    return np.random.default_rng(0).uniform(0.5, 1.5, shape).astype(np.float32)


@pytest.mark.parametrize("index", cases.WRITTEN, ids=str)
def test_written_indices_set_as_in_numpy(index):
    _update_as_numpy("set", index, 7.0)
    if not _has_repeats(index):
        _update_as_numpy("set", index, _values(index))


@given(cases.indices())
def test_any_index_adds_as_in_numpy(index):
    _update_as_numpy("add", index, _values(index))
    _update_as_numpy("set", index, 7.0)


@pytest.mark.parametrize("method", UFUNCS)
@pytest.mark.parametrize(
    "index",
    [2, (1, slice(1, 3)), slice(None, None, -2), np.array([0, 0, 2]), X > 60, (0, X[0, :, 0] > 6)],
    ids=str,
)
def test_methods(method, index):
    if method == "power" and not isinstance(index, (int, tuple, slice)):
        values = np.float32(2)
        _update_as_numpy(method, np.array([0, 2]), values)
    else:
        _update_as_numpy(method, index, _values(index))


def test_values_broadcast_from_the_right():
    x = jnp.zeros((3, 4))
    assert x.at[:, 1].set([1, 2, 3])[:, 1].tolist() == [1, 2, 3]
    assert x.at[1:].set(np.arange(4.0))[2].tolist() == [0, 1, 2, 3]
    assert x.at[None, 0].set(np.ones((1, 4))).shape == (3, 4)
    mask = jnp.array([True, False, True])
    assert x.at[mask].set(np.arange(4.0))[2].tolist() == [0, 1, 2, 3]
    assert x.at[mask].set(np.array([[1.0], [2.0]]))[2].tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("update", "error", "message"),
    [
        (lambda x: x.at[1:3].set(np.ones(5)), ValueError, r"\(5,\) do not go .* \(2,\)"),
        (lambda x: x.at[1:3].set(np.ones((1, 2))), ValueError, r"\(1, 2\) do not go"),
        (lambda x: x.at[0].set(np.ones(1)), ValueError, r"\(1,\) do not go .* \(\)"),
        (lambda x: x.at[x > 2].set(np.ones(9)), ValueError, "do not go"),
        (lambda x: x.at[0].set("a"), TypeError, "requires ndarray or scalar"),
        (lambda x: x.at[0].set(None), TypeError, "requires ndarray or scalar"),
        (lambda x: x.at[:, 0].set(1.0), IndexError, "1-dimensional, but 2 were indexed"),
        (lambda x: x.at[0].get(mode="bad"), ValueError, "Unknown gather mode 'bad'"),
        (lambda x: x.at[0].set(1, mode="wrap"), ValueError, "Unknown gather mode 'wrap'"),
        (lambda x: x.at[np.ones(9, bool)].set(1), IndexError, r"got \(9,\), expected \(5,\)"),
        (lambda x: x.at[0].get(mode="fill", fill_value=np.ones(2)), ValueError, "a scalar"),
        (lambda x: x.at[0].set(1, foo=2), TypeError, "foo"),
        (lambda x: x.at(0), TypeError, "not callable"),
        (lambda x: (x > 1).at[0].add(True), TypeError, "bool"),
        (lambda x: x.at[0].set(1, out_sharding="x"), ValueError, "explicit axes"),
    ],
)
def test_bad_updates(update, error, message):
    with pytest.raises(error, match=message):
        update(jnp.arange(5.0))


# --- places out of bounds ---


@pytest.mark.parametrize("place", [9, -9, np.array([9]), np.array([-9])], ids=str)
def test_updates_out_of_bounds_are_dropped(place):
    x = jnp.arange(4)
    assert x.at[place].set(7).tolist() == [0, 1, 2, 3]
    assert x.at[place].add(7, mode="drop").tolist() == [0, 1, 2, 3]
    assert jit(lambda x, i: x.at[i].set(7))(x, place).tolist() == [0, 1, 2, 3]


def test_updates_out_of_bounds_under_clip():
    x = jnp.arange(4)
    assert x.at[9].set(7, mode="clip").tolist() == [0, 1, 2, 7]
    assert x.at[-9].set(7, mode="clip").tolist() == [7, 1, 2, 3]
    assert x.at[np.array([9, 0])].set(7, mode="clip").tolist() == [7, 1, 2, 7]
    assert jit(lambda x, i: x.at[i].set(7, mode="clip"))(x, 9).tolist() == [0, 1, 2, 7]


def test_reads_out_of_bounds():
    x = jnp.arange(4.0)
    for place in (9, np.array(9), jnp.asarray(9)):
        assert float(x.at[place].get()) == 3.0
        assert np.isnan(x.at[place].get(mode="fill"))
        assert float(x.at[place].get(mode="fill", fill_value=-1)) == -1.0
        assert float(x.at[place].get(mode="clip")) == 3.0
    places = np.array([1, 9, -9])
    assert x.at[places].get(mode="fill", fill_value=0.5).tolist() == [1.0, 0.5, 0.5]
    assert jnp.arange(3).at[places].get(mode="fill").tolist() == [1, -(2**31), -(2**31)]
    assert jnp.arange(3, dtype="uint8").at[places].get(mode="fill").tolist() == [1, 255, 255]
    assert (jnp.arange(3) > 1).at[places].get(mode="fill").tolist() == [False, True, True]


def test_negative_places_that_do_not_wrap():
    x = jnp.arange(4.0)
    assert float(x.at[-1].get(wrap_negative_indices=False)) == 0.0
    assert np.isnan(x.at[-1].get(mode="fill", wrap_negative_indices=False))
    assert x.at[-1].set(9, wrap_negative_indices=False).tolist() == [0, 1, 2, 3]
    places = np.array([-1, 2])
    assert x.at[places].set(9, wrap_negative_indices=False).tolist() == [0, 1, 9, 3]
    assert x.at[-2:].get(mode="fill", wrap_negative_indices=False).tolist() == [2, 3]


# --- dtypes ---


def test_values_take_the_dtype_of_the_array():
    assert jnp.arange(3, dtype="int8").at[0].set(True).dtype == np.int8
    assert jnp.arange(3.0, dtype="bfloat16").at[0].set(2.5).dtype == "bfloat16"
    assert jnp.arange(3.0).at[0].set(jnp.int32(2)).tolist() == [2, 1, 2]


@pytest.mark.filterwarnings("ignore:scatter inputs")
@pytest.mark.parametrize("place", [1, slice(1, 2), np.array([1]), np.arange(5) == 1], ids=str)
@pytest.mark.parametrize(
    ("method", "value", "want"),
    [
        ("multiply", 2.5, 5),
        ("subtract", 0.5, 1),
        ("add", -1.5, 0),
        ("min", 1.5, 1),
        ("max", np.float32(7.5), 7),
        ("max", 3 + 1j, 3),
    ],
)
def test_updates_are_computed_in_the_common_dtype(place, method, value, want):
    x = jnp.arange(1, 6)
    for update in (
        lambda x: getattr(x.at[place], method)(value),
        jit(lambda x: getattr(x.at[place], method)(value)),
    ):
        got = update(x)
        assert got.dtype == np.int32
        assert got.tolist() == [1, want, 3, 4, 5]


@pytest.mark.filterwarnings("ignore:scatter inputs")
def test_repeated_updates_are_converted_once():
    x = jnp.arange(1, 6)
    assert x.at[jnp.array([1, 1])].add(0.5).tolist() == [1, 3, 3, 4, 5]
    assert x.astype("int8").at[1].min(jnp.int32(300)).tolist() == [1, 2, 3, 4, 5]


def test_quotients_of_integers_are_floats():
    x = jnp.arange(6)
    for place in (slice(0, 2), jnp.array([0, 1]), jnp.arange(6) < 2):
        got = x.at[place].divide(2)
        assert got.dtype == np.float32
        assert got.tolist() == [0.0, 0.5, 2.0, 3.0, 4.0, 5.0]
        assert x.at[place].power(2).dtype == np.int32


@pytest.mark.parametrize("values", [1.5, jnp.float32(1.5), np.float32([1.5])], ids=repr)
def test_values_that_may_lose_something_are_warned_of(values):
    for _ in range(2):  # also where the program is there already
        with pytest.warns(FutureWarning, match="from dtype=float32 to dtype=int32"):
            out = jnp.arange(3).at[:1].set(values)
    assert (out.dtype, out.tolist()) == (np.int32, [1, 1, 2])


def test_safe_values_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jnp.arange(3.0).at[0].set(1)
        jnp.arange(3, dtype="int8").at[0].add(1)
        jnp.arange(3.0, dtype="float16").at[0].multiply(2.5)


def test_weak_types_are_kept():
    weak = jnp.broadcast_to(jnp.asarray(2.0), (3,))
    assert weak.weak_type
    for index in (0, slice(0, 2), np.array([1]), weak > 3):
        assert weak.at[index].set(1.0).weak_type
        assert weak.at[index].add(jnp.float32(1)).weak_type
        assert not jnp.zeros(3).at[index].set(1.0).weak_type


def test_typed_keys():
    keys = jnp.random.split(jnp.random.key(0), 3)
    new = jnp.random.key(9)
    for index in (1, np.array([1]), np.array([False, True, False])):
        out = keys.at[index].set(new)
        assert bool(out[1] == new)
        assert bool(out[0] == keys[0])
    with pytest.raises(TypeError, match="can't hold values of dtype int32"):
        keys.at[0].set(7)


# --- traced places, masks ---


def test_traced_places():
    x = jnp.arange(4.0)
    assert jit(lambda x, i: x.at[i].add(5))(x, -1).tolist() == [0, 1, 2, 8]
    two = jit(lambda x, i: x.at[i, 1:3].set(5))(jnp.zeros((2, 4)), 1)
    assert two.tolist() == [[0, 0, 0, 0], [0, 5, 5, 0]]


def test_traced_masks_take_values_that_fit_everywhere():
    x = jnp.arange(4.0)
    assert jit(lambda x: x.at[x > 1].set(0))(x).tolist() == [0, 1, 0, 0]
    assert jit(lambda x: x.at[x > 1].multiply(2))(x).tolist() == [0, 1, 4, 6]
    assert jit(lambda x: x.at[x > 1].divide(2))(x).tolist() == [0, 1, 1, 1.5]


def test_known_blocks_are_written_without_scatter():
    def write(x):
        return x.at[1].set(0), x.at[1:3].add(2), x.at[..., None, 0].multiply(3), x.at[:].set(1)

    names = {eqn.primitive.name for eqn in make_jaxpr(write)(X).eqns}
    assert "dynamic_update_slice" in names
    assert not any("scatter" in n or n == "gather" for n in names)


# --- apply ---


def test_apply():
    x = jnp.arange(5.0)
    assert x.at[1:3].apply(lambda y: y * 10).tolist() == [0, 10, 20, 3, 4]
    assert x.at[np.array([1, 1])].apply(lambda y: y * 10).tolist() == [0, 100, 2, 3, 4]
    assert x.at[9].apply(lambda y: y * 10).tolist() == [0, 1, 2, 3, 4]
    assert x.at[True].apply(lax.neg).tolist() == [0, -1, -2, -3, -4]
    shapes = []
    x.at[:2].apply(lambda y: shapes.append(y.shape) or y)
    assert set(shapes) == {()}


# --- transformations ---


def test_gradients_of_updates():
    x = jnp.arange(1.0, 5.0)
    weights = np.array([1.0, 2.0, 3.0, 4.0])

    def loss(update):
        return lambda x, v: (update(x, v) * weights).sum()

    gx, gv = grad(loss(lambda x, v: x.at[1].set(v)), argnums=(0, 1))(x, 2.0)
    assert (gx.tolist(), float(gv)) == ([1, 0, 3, 4], 2.0)
    gx, gv = grad(loss(lambda x, v: x.at[np.array([0, 2])].add(v)), argnums=(0, 1))(x, 2.0)
    assert (gx.tolist(), float(gv)) == ([1, 2, 3, 4], 4.0)
    gx, gv = grad(loss(lambda x, v: x.at[1:3].multiply(v)), argnums=(0, 1))(x, 2.0)
    assert (gx.tolist(), float(gv)) == ([1, 4, 6, 4], 2 * 2 + 3 * 3)
    gx, gv = grad(loss(lambda x, v: x.at[x > 3].set(v)), argnums=(0, 1))(x, 2.0)
    assert (gx.tolist(), float(gv)) == ([1, 2, 3, 0], 4.0)


def test_jvp_of_updates():
    _, tangent = jvp(lambda x: x.at[::2].add(x[::2] ** 2), (jnp.arange(4.0),), (jnp.ones(4),))
    assert tangent.tolist() == [1, 1, 5, 1]


def test_updates_under_vmap():
    rows = vmap(lambda x, i, v: x.at[i].set(v))(
        jnp.zeros((3, 4)), np.array([0, -1, 9]), np.array([1.0, 2.0, 3.0])
    )
    assert rows.tolist() == [[1, 0, 0, 0], [0, 0, 0, 2], [0, 0, 0, 0]]
    shared = vmap(lambda v: jnp.zeros(3).at[1].add(v))(np.array([1.0, 2.0]))
    assert shared.tolist() == [[0, 1, 0], [0, 2, 0]]


def test_representations():
    x = jnp.arange(2)
    assert repr(x.at).startswith("IndexUpdateHelper(Array(")
    assert repr(x.at[0]).endswith(", 0)")
    assert x.at[0].mul(3).tolist() == x.at[0].multiply(3).tolist()
