"""Structural operations agree with NumPy on every dtype, keys among them, and on no elements."""

import itertools

import numpy as np
import pytest

from jx_core import ShapedArray, ShapeDtypeStruct, backend, lax, make_jaxpr, typeof
from jx_core.backend import Array
from jx_core.dtypes import ExtendedDType, prng_key
from jx_core.errors import ShapeError, TracerIntegerConversionError
from jx_core.ops.shape import broadcast_to

DTYPES = ["bool", "int8", "uint32", "float32", "complex64", "bfloat16", "int4", "float8_e4m3fn"]


@pytest.fixture(autouse=True)
def numpy_backend():
    with backend.use("numpy"):
        yield


class ToyKey(ExtendedDType):
    """A key dtype of eight bytes an element."""

    __slots__ = ()
    name = "key<toy>"
    type = prng_key
    itemsize = 8


def numbers(shape, dtype="float32"):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)


def keys(shape):
    words = np.arange(np.prod(shape, dtype=int), dtype=np.int64)
    return Array(words.view("V8").reshape(shape), ShapedArray(shape, ToyKey()))


def same(result, expected):
    """The result is `expected` in type and elements."""
    assert result.shape == expected.shape
    assert np.asarray(result).dtype == expected.dtype
    np.testing.assert_array_equal(np.asarray(result), expected)


# Each: the operation, the same in NumPy, and shapes to try it on.
STRUCTURAL = {
    "broadcast_in_dim": (
        lambda x: lax.broadcast_in_dim(x, (3, 2, 4), (2, 0)),
        lambda x: np.broadcast_to(x.T[:, None, :], (3, 2, 4)),
        [(4, 3), (4, 1), (1, 1)],
    ),
    "broadcast": (
        lambda x: lax.broadcast(x, (2, 3)),
        lambda x: np.broadcast_to(x, (2, 3, *x.shape)),
        [(), (4,), (0, 2)],
    ),
    "broadcast_to": (
        lambda x: broadcast_to(x, (2, 3, 4)),
        lambda x: np.broadcast_to(x, (2, 3, 4)),
        [(), (4,), (3, 1), (2, 3, 4)],
    ),
    "broadcast_to_rank": (
        lambda x: lax.broadcast_to_rank(x, 2),
        lambda x: x.reshape((1,) * (2 - x.ndim) + x.shape),
        [(), (4,), (2, 3), (2, 3, 4)],
    ),
    "broadcast_like": (
        lambda x: lax.broadcast_like(x, np.zeros((2, 3))),
        lambda x: np.broadcast_to(x, (2, 3)),
        [(), (3,), (2, 1)],
    ),
    "expand_dims": (
        lambda x: lax.expand_dims(x, (0, -1)),
        lambda x: np.expand_dims(x, (0, -1)),
        [(), (3,), (2, 0)],
    ),
    "tile": (lambda x: lax.tile(x, (2, 3)), lambda x: np.tile(x, (2, 3)), [(2, 3), (1, 0)]),
    "tile by nothing": (lambda x: lax.tile(x, (0,)), lambda x: x[:0], [(3,)]),
    "reshape": (
        lambda x: lax.reshape(x, (3, 2)),
        lambda x: x.reshape(3, 2),
        [(6,), (2, 3), (1, 6)],
    ),
    "reshape to 0-d": (lambda x: lax.reshape(x, ()), lambda x: x.reshape(()), [(1, 1)]),
    "reshape of nothing": (lambda x: lax.reshape(x, (5, 0)), lambda x: x.reshape(5, 0), [(0, 2)]),
    "reshape, transposed": (
        lambda x: lax.reshape(x, (3, 2), (1, 0)),
        lambda x: x.T.reshape(3, 2),
        [(2, 3), (6, 1)],
    ),
    "collapse": (
        lambda x: lax.collapse(x, 1, 3),
        lambda x: x.reshape(x.shape[0], -1, *x.shape[3:]),
        [(2, 3), (2, 3, 4), (2, 3, 4, 5)],
    ),
    "transpose": (
        lambda x: lax.transpose(x, (2, 0, 1)),
        lambda x: x.transpose(2, 0, 1),
        [(2, 3, 4), (2, 0, 4)],
    ),
    "squeeze": (lambda x: lax.squeeze(x, (-1, 0)), lambda x: x[0, ..., 0], [(1, 1), (1, 3, 1)]),
    "rev": (lambda x: lax.rev(x, (0,)), lambda x: x[::-1], [(3,), (2, 3), (0,)]),
    "rev of no axis": (lambda x: lax.rev(x, ()), lambda x: x, [(), (3,)]),
    "concatenate": (
        lambda x: lax.concatenate([x, x], 1),
        lambda x: np.concatenate([x, x], 1),
        [(2, 3), (0, 3)],
    ),
    "stack": (lambda x: lax.stack([x, x], -1), lambda x: np.stack([x, x], -1), [(), (2, 3), (0,)]),
    "split": (
        lambda x: lax.concatenate(lax.split(x, (1, 0, 2), -1)[::-1], 1),
        lambda x: np.concatenate([x[:, 1:], x[:, :1]], 1),
        [(2, 3)],
    ),
    "unstack": (
        lambda x: lax.stack(lax.unstack(x, 1)[::-1]),
        lambda x: x.T[::-1],
        [(2, 3), (0, 3)],
    ),
    "full": (lambda x: lax.full((2, 2), x), lambda x: np.full((2, 2), x), [()]),
    "full_like": (
        lambda x: lax.full_like(x, lax.reshape(x, ()), shape=(3,)),
        lambda x: np.full((3,), x.reshape(())),
        [(), (1, 1)],
    ),
}
CASES = [(name, shape) for name, (_, _, shapes) in STRUCTURAL.items() for shape in shapes]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "shape"), CASES)
def test_structural_operations_do_as_numpy(name, shape, dtype):
    function, expected, _ = STRUCTURAL[name]
    x = numbers(shape, dtype)
    same(function(x), expected(x))


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_structural_operations_move_keys_whole(name, shape):
    function, expected, _ = STRUCTURAL[name]
    x = keys(shape)
    result = function(x)
    assert result.dtype == ToyKey()
    np.testing.assert_array_equal(result.value, expected(x.value))


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_the_shape_rules_keep_weak_types(name, shape):
    weak = Array(numbers(shape), ShapedArray(shape, np.float32, True))
    assert STRUCTURAL[name][0](weak).weak_type


@pytest.mark.parametrize("lists", [lax.concatenate, lax.stack])
def test_joined_arrays_are_weak_where_all_are(lists):
    weak, strong = lax.full((2,), 1.0), lax.full((2,), 1.0, np.float32)
    assert lists([weak, weak], 0).weak_type
    assert not lists([weak, strong], 0).weak_type


def _pad_by_hand(x, value, config):
    """Puts each element where it belongs, one by one."""
    shape = [n + a + b + max(n - 1, 0) * c for n, (a, b, c) in zip(x.shape, config, strict=True)]
    out = np.full(shape, value, x.dtype)
    for place in np.ndindex(x.shape):
        target = tuple(i * (c + 1) + a for i, (a, _, c) in zip(place, config, strict=True))
        if all(0 <= t < n for t, n in zip(target, shape, strict=True)):
            out[target] = x[place]
    return out


@pytest.mark.parametrize("config", list(itertools.product((-2, 0, 3), (-1, 0, 2), (0, 1, 2))))
@pytest.mark.parametrize("n", [3, 5])
def test_pad_low_high_and_interior(n, config):
    same(lax.pad(numbers((n,)), 9.0, [config]), _pad_by_hand(numbers((n,)), 9.0, [config]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "config"),
    [
        ((), []),
        ((0,), [(2, 1, 3)]),
        ((3,), [(-4, 5, 0)]),
        ((2, 3), [(1, 0, 1), (0, -1, 2)]),
        ((2, 0), [(0, 0, 0), (1, 1, 1)]),
    ],
)
def test_pad_of_every_dtype(shape, config, dtype):
    x, value = numbers(shape, dtype), np.ones((), dtype)
    same(lax.pad(x, value, config), _pad_by_hand(x, value, config))


def test_pad_moves_keys_whole():
    x, value = keys((2,)), keys((1,))
    result = lax.pad(x, lax.squeeze(value, (0,)), [(1, 0, 1)])
    np.testing.assert_array_equal(result.value, x.value[[0, 0, 0, 1]])


def test_pad_is_weak_where_operand_and_value_are():
    weak = lax.full((2,), 1.0)
    assert lax.pad(weak, 0.0, [(1, 1, 0)]).weak_type
    assert not lax.pad(weak, np.float32(0), [(1, 1, 0)]).weak_type


@pytest.mark.parametrize("dtype", ["int8", "int4", "uint32", "float32", "bfloat16", "complex64"])
@pytest.mark.parametrize(("shape", "axis"), [((3,), 0), ((2, 3), 0), ((2, 3), 1), ((0, 2), 1)])
def test_iota_counts_along_one_axis(shape, axis, dtype):
    expected = np.indices(shape)[axis].astype(dtype)
    same(lax.broadcasted_iota(dtype, shape, axis), expected)


def test_iota_wraps_around_and_rounds():
    assert lax.iota(np.int8, 130).tolist()[126:] == [126, 127, -128, -127]
    assert [float(v) for v in np.asarray(lax.iota("bfloat16", 261))[256:]] == [
        256,
        256,
        258,
        260,
        260,
    ]


def test_iota_narrows_wide_dtypes_with_a_warning():
    with pytest.warns(UserWarning, match="int64"):
        assert lax.iota(np.int64, 3).dtype == np.int32


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (1.5, "int32", 1),
        (-1.5, "int32", -1),
        (300, "int8", 44),
        (300.0, "int8", 127),
        (-np.inf, "uint8", 0),
        (np.nan, "int32", 0),
        (-1, "uint32", 2**32 - 1),
        (2, "bool", True),
        (3, "float32", 3.0),
        (2, "complex64", 2 + 0j),
        (1 + 2j, "complex64", 1 + 2j),
        (np.float32(2.5), "bfloat16", 2.5),
    ],
)
def test_full_converts_numbers_as_programs_do(value, dtype, expected):
    same(lax.full((2,), value, dtype), np.full((2,), expected, dtype))


def test_full_is_weak_for_a_number_without_a_dtype():
    assert lax.full((2,), 1.0).aval is ShapedArray((2,), np.float32, True)
    assert lax.full((2,), 1.0, np.float32).aval is ShapedArray((2,), np.float32)
    assert lax.full(2, np.int8(1)).aval is ShapedArray((2,), np.int8)


def test_full_like_takes_its_type_from_anything_with_one():
    strong = ShapedArray((2,), np.float32)
    assert lax.full_like(strong, 1).aval is strong
    assert lax.full_like(ShapeDtypeStruct((2,), np.float32), 1).aval is strong
    assert lax.full_like(np.zeros((2,), np.float32), 1).aval is strong
    assert lax.full_like(lax.full((2,), 1.0), 1).aval is strong.update(weak_type=True)
    assert lax.full_like(3, 2.5).aval is ShapedArray((), np.int32, True)
    assert lax.full_like(strong, 1, np.int8, (3, 0)).aval is ShapedArray((3, 0), np.int8)


def test_empty_has_the_type_asked_for():
    assert lax.empty((2, 0), np.int8).aval is ShapedArray((2, 0), np.int8)


def test_shape_as_value():
    same(lax.shape_as_value((2, 3)), np.array([2, 3], np.int32))
    same(lax.shape_as_value(()), np.array([], np.int32))


@pytest.mark.parametrize(
    "shapes", [[], [()], [(2, 1), (3,)], [(2, 0), (1,)], [(1, 4), (3, 1), ()], [[2, 1], [1, 3]]]
)
def test_broadcast_shapes_is_numpys(shapes):
    assert lax.broadcast_shapes(*shapes) == np.broadcast_shapes(*map(tuple, shapes))


def test_operations_that_change_nothing_give_back_the_operand():
    x = lax.full((2, 3), 1.0)
    assert lax.reshape(x, (2, 3)) is x
    assert lax.transpose(x, (0, 1)) is x
    assert lax.squeeze(x, ()) is x
    assert lax.expand_dims(x, ()) is x
    assert lax.broadcast(x, ()) is x
    assert lax.broadcast_in_dim(x, (2, 3), (0, 1)) is x
    assert lax.concatenate([x], 0) is x
    assert lax.broadcast_to_rank(x, 1) is x
    assert broadcast_to(x, (2, 3)) is x


@pytest.mark.parametrize(
    "function",
    [
        lambda x: lax.reshape(x, (2, 3)),
        lambda x: lax.transpose(x, (0, 1)),
        lambda x: lax.squeeze(x, ()),
        lambda x: lax.broadcast_in_dim(x, (2, 3), (0, 1)),
        lambda x: lax.concatenate([x], 0),
        lambda x: lax.full((), x[0, 0]),
    ],
)
def test_operations_that_change_nothing_make_arrays_of_ndarrays(function):
    assert isinstance(function(numbers((2, 3))), Array)


def test_several_results_come_as_in_jax():
    x = numbers((2, 3))
    assert type(lax.split(x, (1, 1))) is list
    assert type(lax.unstack(x)) is tuple
    assert lax.unstack(x[:0]) == ()


@pytest.mark.parametrize(
    ("primitive", "operands", "params"),
    [
        (lax.tile_p, [(2, 3)], {"reps": (2, 3)}),
        (lax.tile_p, [()], {"reps": ()}),
        (lax.tile_p, [(2,)], {"reps": (0,)}),
        (lax.stack_p, [(2, 3), (2, 3)], {"axis": 1}),
        (lax.stack_p, [(), ()], {"axis": 0}),
    ],
)
def test_decompositions_compute_the_same(primitive, operands, params):
    xs = [numbers(shape) + i for i, shape in enumerate(operands)]
    same(primitive.decompose(*xs, **params), np.asarray(primitive.bind(*xs, **params)))


def test_the_decomposition_of_unstack_computes_the_same():
    x = numbers((2, 3))
    for a, b in zip(lax.unstack_p.decompose(x, axis=1), lax.unstack(x, 1), strict=True):
        same(a, np.asarray(b))


X = np.zeros((2, 3), np.float32)
PRINTED = [
    (
        lambda x: lax.broadcast_in_dim(x, (4, 2, 3), (1, 2)),
        "b:f32[4,2,3] = broadcast_in_dim[broadcast_dimensions=(1, 2)] a",
    ),
    (lambda x: lax.broadcast(x, (4,)), "broadcast_in_dim[broadcast_dimensions=(1, 2)] a"),
    (lambda x: lax.full((2, 3), 1.0), "b:f32[2,3] = broadcast_in_dim 1.0:f32[]"),
    (lambda x: lax.full((2, 3), 1, np.int8), "b:i8[2,3] = broadcast_in_dim 1:i8[]"),
    (
        lambda x: lax.expand_dims(x, (0, -1)),
        "b:f32[1,2,3,1] = broadcast_in_dim[broadcast_dimensions=(1, 2)] a",
    ),
    (lambda x: lax.transpose(x, (1, 0)), "b:f32[3,2] = transpose[permutation=(1, 0)] a"),
    (lambda x: lax.squeeze(x[:1], [-2]), None),
    (lambda x: lax.concatenate([x, x], 0), "b:f32[4,3] = concatenate[dimension=0] a a"),
    (lambda x: lax.stack([x, x], -1), "b:f32[2,3,2] = stack[axis=2] a a"),
    (lambda x: lax.unstack(x, -1), "b:f32[2] c:f32[2] d:f32[2] = unstack[axis=1] a"),
    (lambda x: lax.split(x, (1, 2), -1), "b:f32[2,1] c:f32[2,2] = split[axis=1 sizes=(1, 2)] a"),
    (
        lambda x: lax.pad(x, 0.0, ((1, 2, 0), (0, -1, 1))),
        "b:f32[5,4] = pad[padding_config=((1, 2, 0), (0, -1, 1))] a 0.0:f32[]",
    ),
    (lambda x: lax.rev(x, (0,)), "b:f32[2,3] = rev[dimensions=(0,)] a"),
    (lambda x: lax.tile(x, (2, 1)), "b:f32[4,3] = tile[reps=(2, 1)] a"),
]


@pytest.mark.parametrize(("function", "line"), [case for case in PRINTED if case[1]])
def test_equations_read_as_jaxs(function, line):
    assert line in " ".join(str(make_jaxpr(function)(X)).split())


def test_reshape_holds_sizes_and_the_permutation():
    jaxpr = make_jaxpr(lambda x: (lax.reshape(x, (6,)), lax.reshape(x, (3, 2), (1, 0))))(X)
    assert [e.params for e in jaxpr.eqns] == [
        {"new_sizes": (6,), "dimensions": None},
        {"new_sizes": (3, 2), "dimensions": (1, 0)},
    ]
    assert not make_jaxpr(lambda x: lax.reshape(x, (2, 3), (0, 1)))(X).eqns


ERRORS = [
    (
        lambda: lax.reshape(X, (4,)),
        ShapeError,
        r"shape \(2, 3\) \(6 elements\) and new_sizes \(4,\)",
    ),
    (lambda: lax.reshape(X, (-1, 3)), ShapeError, r"new_sizes must be non-negative.*jx.numpy"),
    (
        lambda: lax.reshape(X, (6,), (0, 0)),
        ShapeError,
        r"dimensions must be a permutation.*\(0, 0\)",
    ),
    (lambda: lax.reshape(X, (3.0, 2)), TypeError, r"new_sizes must be a sequence of integers"),
    (lambda: lax.reshape(X, (6,), out_sharding=1), TypeError, "out_sharding is for meshes"),
    (lambda: lax.reshape([1, 2], (2,)), TypeError, r"\[1, 2\] with type <class 'list'>"),
    (lambda: lax.collapse(X, 2, 1), ShapeError, r"start_dimension 2 and stop_dimension 1"),
    (
        lambda: lax.transpose(X, (0,)),
        ShapeError,
        r"permutation of the operand's axes \(0, 1\), got \(0,\)",
    ),
    (lambda: lax.transpose(X, (-1, 0)), ShapeError, r"permutation.*got \(-1, 0\)"),
    (lambda: lax.squeeze(X, (0,)), ShapeError, r"only axes of length 1.*shape \(2, 3\)"),
    (lambda: lax.squeeze(X, (2,)), ShapeError, r"dimensions 2 is out of bounds .*dimension 2"),
    (lambda: lax.squeeze(X[None], (0, -3)), ShapeError, "dimensions must be distinct"),
    (lambda: lax.rev(X, (2,)), ShapeError, r"rev: dimensions must be in \[0, 2\)"),
    (lambda: lax.rev(X, (0, 0)), ShapeError, r"rev: dimensions must be distinct"),
    (lambda: lax.broadcast_in_dim(X, (4,), (0,)), ShapeError, r"one entry for each of .* 2 axes"),
    (lambda: lax.broadcast_in_dim(X, (2, 4), (0, 1)), ShapeError, r"sizes must be 1 or equal"),
    (lambda: lax.broadcast_in_dim(X, (2, 3), (0, 5)), ShapeError, r"got \(0, 5\)"),
    (lambda: lax.broadcast_in_dim(X, (2, 3), (0, 0)), ShapeError, r"distinct, got \(0, 0\)"),
    (lambda: lax.broadcast(X, (-1,)), ShapeError, r"non-negative integers, got \(-1, 2, 3\)"),
    (lambda: broadcast_to(X, (3,)), ShapeError, r"shape \(2, 3\) to \(3,\), which has fewer axes"),
    (lambda: lax.broadcast_shapes((2,), (3,)), ShapeError, r"shapes=\[\(2,\), \(3,\)\]. Counted"),
    (lambda: lax.expand_dims(X, (0, 0)), ShapeError, r"dimensions must be distinct, got \(0, 0\)"),
    (lambda: lax.expand_dims(X, (9,)), ShapeError, r"dimensions 9 is out of bounds"),
    (lambda: lax.tile(X, (2,)), ShapeError, r"reps must have one entry .* 2 axes, got \(2,\)"),
    (lambda: lax.tile(X, (2, -1)), ShapeError, r"reps must be non-negative integers"),
    (lambda: lax.concatenate([], 0), ValueError, "concatenate: operands must be a non-empty"),
    (lambda: lax.concatenate([X, X[0]], 0), ShapeError, r"equally many axes.*\(2, 3\), \(3,\)"),
    (
        lambda: lax.concatenate([X, X[:, :2]], 0),
        ShapeError,
        r"differ along dimension 0 only.*\(2, 2\)",
    ),
    (lambda: lax.concatenate([X, X], -1), ShapeError, r"in \[0, 2\).*got -1"),
    (lambda: lax.concatenate([X, X > 0], 0), TypeError, "same dtypes, got float32, bool"),
    (lambda: lax.stack([]), ValueError, "stack: operands must be a non-empty"),
    (lambda: lax.stack([X, X[0]]), ShapeError, r"equal shapes, got \(2, 3\), \(3,\)"),
    (lambda: lax.stack([X, X > 0]), TypeError, "same dtypes, got float32, bool"),
    (lambda: lax.stack([X, X], 3), ShapeError, "axis 3 is out of bounds for array of dimension 3"),
    (lambda: lax.unstack(X[0, 0]), ShapeError, "axis 0 is out of bounds for array of dimension 0"),
    (lambda: lax.split(X, (1, 1), 1), ShapeError, r"add up to .* 3 along axis 1, got .*\(sum 2\)"),
    (lambda: lax.split(X, (-1, 4), 1), ShapeError, r"sizes must be non-negative integers"),
    (lambda: lax.pad(X, 0.0, [(1, 1, 0)]), ShapeError, "triple for each of the operand's 2 axes"),
    (lambda: lax.pad(X, 0.0, [(1, 1), (1, 1)]), TypeError, r"triple \(low, high, interior\)"),
    (lambda: lax.pad(X, np.int32(0), [(0, 0, 0)] * 2), TypeError, "float32 and int32"),
    (lambda: lax.pad(X, X[0], [(0, 0, 0)] * 2), ShapeError, r"must be a scalar, got shape \(3,\)"),
    (lambda: lax.pad(X, 0.0, [(0, 0, -1)] * 2), ShapeError, "interior padding must be non-neg"),
    (
        lambda: lax.pad(X, 0.0, [(-2, -1, 0)] * 2),
        ShapeError,
        r"would make shape \(2, 3\) \(-1, 0\)",
    ),
    (lambda: lax.iota(bool, 3), TypeError, "iota does not accept dtype bool"),
    (lambda: lax.iota(np.int32, -3), ShapeError, r"iota: shape must be non-negative.*\(-3,\)"),
    (lambda: lax.iota(np.int32, 3.0), TypeError, r"size must be a sequence of integers"),
    (lambda: lax.broadcasted_iota(int, (2, 3), 2), ShapeError, r"dimension must be in \[0, 2\)"),
    (
        lambda: lax.full((2,), X),
        ShapeError,
        r"fill_value must be a scalar, got one of shape \(2, 3\)",
    ),
    (lambda: lax.full((2, -1), 1.0), ShapeError, r"non-negative integers, got \(2, -1\)"),
    (lambda: lax.full((2,), 1j, np.float32), TypeError, r"complex fill_value 1j .* float32"),
    (lambda: lax.full((2,), 2**70, np.int32), OverflowError, "out of the range of int32"),
    (lambda: lax.full_like(keys(()), 0), TypeError, r"key<toy> needs a fill_value of that dtype"),
    (
        lambda: lax.empty((2,), ToyKey()),
        TypeError,
        r"boolean or numeric dtype is needed, got key<toy>",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors_say_what_was_got_and_expected(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_shape_error_is_both_a_type_and_a_value_error():
    for error in (TypeError, ValueError):
        with pytest.raises(error):
            lax.reshape(X, (4,))


def test_a_traced_size_is_named():
    with pytest.raises(TracerIntegerConversionError, match="argument new_sizes of reshape"):
        make_jaxpr(lambda n: lax.reshape(X, (n, 2)))(3)


def test_types_of_numpy_operands_are_canonical():
    assert typeof(lax.reshape(np.zeros(4), (2, 2))) is ShapedArray((2, 2), np.float32)
