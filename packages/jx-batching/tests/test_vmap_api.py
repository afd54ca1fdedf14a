"""`vmap`: axes of arguments and results, nesting, names, and what bad input gets."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import pytest

from jx_batching import vmap
from jx_core import eval_shape, lax, make_jaxpr, mapping, typeof
from jx_core.state import state
from jx_core.tree_util import register_pytree_node_class

X = np.arange(12, dtype=np.float32).reshape(3, 4)


def same(got, wanted):
    np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-6)


# --- axes of arguments ---


def test_maps_over_leading_axes_by_default():
    same(vmap(lambda x: lax.reduce_sum(x, (0,)))(X), X.sum(1))


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_in_axes_as_one_integer(axis):
    same(vmap(lambda x: lax.reduce_sum(x, (0,)), in_axes=axis)(X), X.sum(1 - axis % 2))


@pytest.mark.parametrize("in_axes", [(0, None), [0, None], (np.int64(0), None)])
def test_in_axes_for_each_argument(in_axes):
    v = np.float32([1, 10, 100, 1000])
    same(vmap(lax.mul, in_axes=in_axes)(X, v), X * v)


def test_in_axes_as_prefixes():
    def fun(pair, scale):
        return lax.mul(lax.add(pair["a"], pair["b"][0]), scale)

    pair = {"a": X, "b": (X.T,)}
    same(vmap(fun, in_axes=({"a": 0, "b": 1}, None))(pair, 2.0), 4 * X)
    same(vmap(fun, in_axes=({"a": 0, "b": (1,)}, None))(pair, 2.0), 4 * X)
    same(vmap(fun, in_axes=(0, None))({"a": X, "b": (X,)}, 2.0), 4 * X)
    shared = {"a": X, "b": (X[0],)}
    same(vmap(fun, in_axes=({"a": 0, "b": None}, None))(shared, 2.0), 2 * (X + X[0]))


def test_keyword_arguments_are_mapped_over_axis_0():
    same(vmap(lambda x, *, y: lax.mul(x, y), in_axes=(None,))(X[0], y=X), X[0] * X)


def test_axis_size_where_nothing_is_mapped():
    assert vmap(lambda x: x, in_axes=None, axis_size=5)(X).shape == (5, 3, 4)
    assert vmap(lambda: lax.iota(np.int32, 2), axis_size=3)().shape == (3, 2)


def test_no_rows():
    assert vmap(lambda x: lax.dot(x, x))(np.zeros((0, 4), np.float32)).shape == (0,)


# --- axes of results ---


@pytest.mark.parametrize("axis", [0, 1, -1, -3])
def test_out_axes_as_one_integer(axis):
    out = vmap(lambda x: lax.broadcast_in_dim(x, (4, 5), (0,)), out_axes=axis)(X)
    same(out, np.moveaxis(np.repeat(X[..., None], 5, 2), 0, axis))


def test_out_axes_as_prefixes():
    def fun(x):
        return {"a": x, "b": (x, 7.0)}

    out = vmap(fun, out_axes={"a": 1, "b": (0, None)})(X)
    same(out["a"], X.T)
    same(out["b"][0], X)
    assert out["b"][1] == 7.0
    assert vmap(fun, out_axes={"a": 1, "b": 0})(X)["b"][1].shape == (3,)


def test_results_that_all_rows_share_are_repeated():
    out = vmap(lambda x: 2.0)(X)
    same(out, [2, 2, 2])
    assert typeof(out).weak_type
    assert vmap(lambda x: X, out_axes=1)(X).shape == (3, 3, 4)


def test_sum_match_adds_rows_up():
    same(vmap(lambda x: x, out_axes=None, sum_match=True)(X), X.sum(0))
    assert vmap(lambda x: 2.0, out_axes=None, sum_match=True)(X) == 2.0


def test_none_and_empty_results():
    assert vmap(lambda x: (None, []))(X) == (None, [])


class Pair(NamedTuple):
    first: object
    second: object


def test_containers_survive():
    out = vmap(lambda p: Pair(p.second, p.first))(Pair(X, X + 1))
    same(out.first, X + 1)
    assert isinstance(out, Pair)


def test_containers_whose_static_data_can_not_be_hashed():
    @register_pytree_node_class
    class Tagged:
        def __init__(self, value, tags):
            self.value, self.tags = value, tags

        def tree_flatten(self):
            return (self.value,), self.tags

        @classmethod
        def tree_unflatten(cls, tags, children):
            return cls(*children, tags)

    out = vmap(lambda t: Tagged(lax.neg(t.value), t.tags))(Tagged(X, ["a", "b"]))
    same(out.value, -X)


# --- nesting, closures, names ---


def test_nested():
    def outer(f):
        return vmap(vmap(f, in_axes=(None, 0)), in_axes=(0, None))

    same(outer(lax.mul)(X[0], X[1]), np.outer(X[0], X[1]))
    xs = np.stack([X, X + 1])
    same(vmap(vmap(vmap(lax.sin)), in_axes=1, out_axes=2)(xs), np.sin(xs).transpose(0, 2, 1))


def test_an_inner_function_closes_over_an_outer_row():
    def row(x):
        return vmap(lambda y: lax.mul(x, y))(X[0])

    same(vmap(row)(X[:, 1]), np.outer(X[:, 1], X[0]))


def test_operations_on_nothing_batched_are_done_once():
    jaxpr = make_jaxpr(vmap(lambda x, y: lax.add(x, lax.sin(y)), in_axes=(0, None)))(X[:, 0], 1.0)
    assert [(e.primitive.name, e.outvars[0].aval.shape) for e in jaxpr.eqns] == [
        ("sin", ()),
        ("add", (3,)),
    ]


def test_the_axis_name_is_in_scope_inside():
    seen = []

    def fun(x):
        seen.append(state.axis_env)
        return x

    vmap(vmap(fun, axis_name="j"), axis_name="i")(X)
    assert seen == [(("i", 3), ("j", 4))]
    assert state.axis_env == ()


def test_the_mapped_function_sees_rows():
    def fun(x):
        assert (x.shape, x.dtype, x.ndim, x.size, len(x)) == ((4,), np.float32, 1, 4, 4)
        assert repr(x).startswith("BatchTracer<f32[4]>(axis=0, val=")
        return x

    vmap(fun)(X)


def test_types_without_data():
    out = eval_shape(vmap(lambda x: lax.reduce_sum(x, (0,))), X)
    assert (out.shape, out.dtype) == ((3,), np.float32)


def test_name_and_docstring():
    def double(x):
        """Twice x."""
        return lax.mul(x, 2.0)

    mapped = vmap(double)
    assert mapped.__name__ == "double"
    assert mapped.__wrapped__ is double
    assert "Twice x." in mapped.__doc__ and "Vectorized version of double" in mapped.__doc__
    same(vmap(functools.partial(lax.mul, 2.0))(X), 2 * X)


def test_rows_of_jacobians_go_through_at_once():
    (out,) = mapping.map_leading(lambda xs: [lax.mul(xs[0], xs[1])], [X, X])
    same(out, X * X)
    shared = mapping.map_leading(lambda xs: [np.float32(3), xs[0]], [X])
    assert [x.shape for x in shared] == [(3,), (3, 4)]


# --- bad input ---


def message(error, fun, *args, **kwargs):
    with pytest.raises(error) as caught:
        fun(*args, **kwargs)
    assert state.axis_env == () and state.trace.is_eval, "no state is left behind"
    return str(caught.value)


def test_inconsistent_sizes_name_each_argument():
    fun = vmap(lambda x, y, *rest, **options: x)
    assert message(ValueError, fun, X, X[:2]) == (
        "vmap got inconsistent sizes for array axes to be mapped:\n"
        "  * one axis had size 3: axis 0 of argument x of type float32[3,4];\n"
        "  * one axis had size 2: axis 0 of argument y of type float32[2,4]"
    )
    text = message(ValueError, fun, {"a": X}, [X, X.T], X[:2], z=X)
    assert text == (
        "vmap got inconsistent sizes for array axes to be mapped:\n"
        "  * most axes (3 of them) had size 3: axis 0 of argument x['a'] of type float32[3,4], "
        "axis 0 of argument y[0] of type float32[3,4], axis 0 of kwargs['z'] of type "
        "float32[3,4];\n"
        "  * one axis had size 4: axis 0 of argument y[1] of type float32[4,3];\n"
        "  * one axis had size 2: axis 0 of args[2] of type float32[2,4]"
    )


def test_a_given_axis_size_has_to_agree():
    assert message(ValueError, vmap(lambda x: x, axis_size=4), X) == (
        "vmap got inconsistent sizes for array axes to be mapped:\n"
        "  * the `axis_size` argument was 4;\n"
        "  * one axis had size 3: axis 0 of argument x of type float32[3,4]"
    )


def test_axes_out_of_range():
    text = message(ValueError, vmap(lambda x, y: x, in_axes=(0, 5)), X, {"k": X})
    assert text == (
        "vmap was requested to map its argument along axis 5, which implies that its rank should "
        "be at least 6, but is only 2 (its shape is (3, 4)): argument y['k']"
    )
    assert "along axis -3, which implies that its rank should be at least 3" in message(
        ValueError, vmap(lambda x: x, in_axes=-3), X
    )
    assert "rank should be at least 1, but is only 0 (its shape is ()): argument x" in message(
        ValueError, vmap(lambda x: x), 3.0
    )
    text = message(ValueError, vmap(lambda x: (x, x), out_axes=(0, 3)), X)
    assert text.startswith("axis 3 is out of bounds for array of dimension 2: at vmap out_axes[1]")


def test_nothing_to_map():
    assert message(ValueError, vmap(lambda x: x, in_axes=None), X) == (
        "vmap must have at least one non-None value in in_axes or axis_size must be specified"
    )
    assert message(ValueError, vmap(lambda x: x), []) == (
        "vmap wrapped function must be passed at least one argument containing an array or "
        "axis_size must be specified, got empty *args=([],) and **kwargs={}"
    )


def test_specifications_that_are_no_axes():
    for bad in ("a", True, 0.5, {"a": 0}):
        assert message(TypeError, vmap, lax.sin, bad) == (
            "vmap in_axes must be an int, None, or a tuple of entries corresponding to the "
            f"positional arguments passed to the function, but got {bad}."
        )
    assert message(TypeError, vmap, lax.sin, (0.5,)) == (
        "vmap in_axes must be an int, None, or (nested) container with those types as leaves, "
        "but got (0.5,)."
    )
    assert message(TypeError, vmap, lax.sin, 0, "a") == (
        "vmap out_axes must be an int, None, or (nested) container with those types as leaves, "
        "but got a."
    )


def test_specifications_that_are_no_prefixes():
    assert message(ValueError, vmap(lambda x, y: x, in_axes=(0,)), X, X) == (
        "vmap in_axes must be an int, None, or a tuple of entries corresponding to the positional "
        "arguments passed to the function, but got len(in_axes)=1, len(args)=2"
    )
    text = message(ValueError, vmap(lambda x, y: x, in_axes=(0, {"a": 0})), X, {"b": X})
    assert text.startswith("vmap in_axes must be a tree prefix of the positional arguments")
    assert "vmap in_axes[1] is a dict with keys ['a'], but the positional arguments[1]" in text
    text = message(ValueError, vmap(lambda x: (x, x), out_axes=(0, 0, 0)), X)
    assert "vmap out_axes is a tuple of length 3, but the result is a tuple of length 2" in text


def test_none_for_a_result_that_differs_by_row():
    text = message(ValueError, vmap(lambda x: (x, {"a": x}), out_axes=(0, None)), X)
    assert text.startswith(
        "at vmap out_axes[1], got axis spec None but output was batched on axis 0"
    )
    text = message(ValueError, vmap(lambda x: x, out_axes=None), X)
    assert text.startswith("at vmap out_axes, got axis spec None")


def test_bad_axis_sizes():
    assert message(TypeError, vmap, lax.sin, axis_size=2.0) == (
        "vmap axis_size must be an integer, got 2.0"
    )
    assert message(ValueError, vmap, lax.sin, axis_size=-1) == (
        "vmap axis_size must not be negative, got -1"
    )


def test_what_is_no_function_and_what_is_no_array():
    assert message(TypeError, vmap, 3) == "Expected a callable value, got 3"
    assert "'abc' with type <class 'str'> is not a valid JAX type" in message(
        TypeError, vmap(lambda x: x), "abc"
    )
    assert "returned a value of type <class 'str'> at output component result[1]" in message(
        TypeError, vmap(lambda x: (x, "abc")), X
    )


def test_an_error_inside_leaves_no_state_behind():
    def fails(x):
        raise RuntimeError("inside")

    assert message(RuntimeError, vmap(fails, axis_name="i"), X) == "inside"
    same(vmap(lax.neg)(X), -X)
