"""Functions with batching rules of their own, under every transformation and in mixes of them.

The rule of most tests gives ten times what the function does, which tells whether it was used.
"""

from __future__ import annotations

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import checkpoint, grad, jit, jvp, lax, vmap
from jx.custom_batching import custom_vmap, sequential_vmap
from jx_core import backend

SCALE = 10.0
XS = np.float32([0.5, 1.0, 2.0])


@pytest.fixture(params=["xla", "numpy"], autouse=True)
def each_back_end(request):
    with backend.use(request.param):
        yield


def make():
    @custom_vmap
    def f(x, y):
        return jnp.sin(x) * y

    @f.def_vmap
    def _(axis_size, in_batched, x, y):
        return SCALE * jnp.sin(x) * y, any(in_batched)

    return f


@pytest.fixture
def f():
    return make()


def test_without_vmap_the_function_is_what_it_was(f):
    want = np.sin(1.0) * 2
    for value in (f(1.0, 2.0), f(1.0, y=2.0), jit(f)(1.0, 2.0), checkpoint(f)(1.0, 2.0)):
        np.testing.assert_allclose(value, want, rtol=1e-6)
    slope = np.cos(1.0) * 2
    for way in (grad(f), jit(grad(f)), grad(jit(f)), grad(checkpoint(f)), jx.jacfwd(f)):
        np.testing.assert_allclose(way(1.0, 2.0), slope, rtol=1e-6)


VALUES = {
    "vmap": lambda f: vmap(f, (0, None))(XS, 2.0),
    "jit of vmap": lambda f: jit(vmap(f, (0, None)))(XS, 2.0),
    "vmap of jit": lambda f: vmap(jit(f), (0, None))(XS, 2.0),
    "other axis": lambda f: vmap(f, (1, None), 0)(XS[None], 2.0)[:, 0],
    "scan in vmap": lambda f: vmap(
        lambda x: lax.scan(lambda c, _: (c + f(x, 2.0), None), 0.0, None, length=1)[0]
    )(XS),
    "cond in vmap": lambda f: vmap(lambda x: lax.cond(x > 0, f, lambda a, b: a, x, 2.0))(XS),
    "checkpoint": lambda f: vmap(checkpoint(f), (0, None))(XS, 2.0),
    "vmap of vmap": lambda f: vmap(vmap(f, (0, None)), (None, 0))(XS, np.float32([2.0]))[0],
    "under a derivative": lambda f: jx.vjp(lambda x: vmap(f, (0, None))(x, 2.0), XS)[0],
    "a value of jvp": lambda f: jvp(lambda x: vmap(f, (0, None))(x, 2.0), (XS,), (XS,))[0],
}


@pytest.mark.parametrize("way", VALUES)
def test_vmap_uses_the_rule(f, way):
    np.testing.assert_allclose(VALUES[way](f), SCALE * np.sin(XS) * 2, rtol=1e-5)


SLOPES = {
    "vmap of grad": lambda f: vmap(grad(f), (0, None))(XS, 2.0),
    "grad of vmap": lambda f: grad(lambda x: vmap(f, (0, None))(x, 2.0).sum())(XS),
    "vmap of grad of jit": lambda f: vmap(grad(jit(f)), (0, None))(XS, 2.0),
    "vmap of jit of grad": lambda f: vmap(jit(grad(f)), (0, None))(XS, 2.0),
    "jit of vmap of grad": lambda f: jit(vmap(grad(f), (0, None)))(XS, 2.0),
    "vmap of jvp": lambda f: vmap(lambda x: jvp(f, (x, 2.0), (1.0, 0.0))[1])(XS),
    "jvp of vmap": lambda f: jvp(lambda x: vmap(f, (0, None))(x, 2.0), (XS,), (jnp.ones(3),))[1],
    "vmap of grad of checkpoint": lambda f: vmap(grad(checkpoint(f)), (0, None))(XS, 2.0),
    "vmap of linearize": lambda f: vmap(lambda x: jx.linearize(f, x, 2.0)[1](1.0, 0.0))(XS),
    "vmap of grad of scan": lambda f: vmap(
        grad(lambda x: lax.scan(lambda c, _: (f(x, 2.0) + 0 * c, None), 0.0, None, length=2)[0])
    )(XS),
}


@pytest.mark.parametrize("way", SLOPES)
def test_derivatives_of_batches_are_those_of_the_rule(f, way):
    np.testing.assert_allclose(SLOPES[way](f), SCALE * np.cos(XS) * 2, rtol=1e-5)


def test_second_derivatives(f):
    want = -SCALE * np.sin(XS) * 2
    staged = jit(grad(jit(grad(f))))
    for way in (grad(grad(f)), staged, jx.jacfwd(grad(f)), jx.jacrev(jx.jacfwd(f))):
        np.testing.assert_allclose(vmap(way, (0, None))(XS, 2.0), want, rtol=1e-5)


def test_an_operand_that_rows_share_gets_the_sum_of_their_cotangents(f):
    got = grad(lambda y: vmap(f, (0, None))(XS, y).sum())(2.0)
    np.testing.assert_allclose(got, SCALE * np.sin(XS).sum(), rtol=1e-5)
    got = vmap(grad(f, 1), (0, None))(XS, 2.0)
    np.testing.assert_allclose(got, SCALE * np.sin(XS), rtol=1e-5)


def test_rules_are_told_what_is_batched():
    seen = []

    @custom_vmap
    def f(p, n):
        return {"a": p["x"] * n, "n": n}

    @f.def_vmap
    def _(axis_size, in_batched, p, n):
        seen.append((axis_size, in_batched, jnp.shape(p["x"]), jnp.shape(p["y"]), jnp.shape(n)))
        return {"a": p["x"] * n, "n": n}, {"a": True, "n": False}

    p = {"x": np.ones((2, 3), np.float32), "y": 1.0}
    out = vmap(f, ({"x": 1, "y": None}, None))(p, 4)
    assert seen == [(3, [{"x": True, "y": False}, False], (3, 2), (), ())]
    assert out["a"].shape == (3, 2) and out["n"].shape == (3,)


def test_rules_may_call_their_function_and_others():
    @custom_vmap
    def f(x):
        return x + 1

    @f.def_vmap
    def _(axis_size, in_batched, xs):
        return f(xs) * SCALE, in_batched[0]

    np.testing.assert_allclose(jit(vmap(f))(XS), (XS + 1) * SCALE)
    got = vmap(vmap(f))(XS[None])  # a rule under another vmap: f there is mapped in turn
    np.testing.assert_allclose(got, (XS[None] + 1) * SCALE * SCALE)


def test_with_rules_of_differentiation_outside():
    @jx.custom_vjp
    @custom_vmap
    def f(x):
        return jnp.sin(x)

    f.fun.def_vmap(lambda n, b, x: (SCALE * jnp.sin(x), True))
    f.defvjp(lambda x: (f(x), x), lambda x, ct: (7.0 * ct,))
    np.testing.assert_allclose(vmap(f)(XS), SCALE * np.sin(XS), rtol=1e-6)
    for way in (vmap(grad(f)), jit(vmap(grad(f))), vmap(grad(jit(f)))):
        np.testing.assert_allclose(way(XS), [7.0] * 3)

    @jx.custom_jvp
    @custom_vmap
    def g(x):
        return jnp.sin(x)

    g.fun.def_vmap(lambda n, b, x: (SCALE * jnp.sin(x), True))
    g.defjvp(lambda p, t: (g(*p), 7.0 * t[0]))
    np.testing.assert_allclose(jit(vmap(grad(g)))(XS), [7.0] * 3)


def test_transposes_of_linear_functions():
    f = custom_vmap(lambda x: 3.0 * x)
    f.def_vmap(lambda n, b, x: (30.0 * x, True))
    (got,) = vmap(lambda ct: jx.linear_transpose(f, 1.0)(ct))(XS)
    np.testing.assert_allclose(got, 30 * XS)


def test_one_row_after_another():
    @sequential_vmap
    def f(d):
        return {"x": d["x"] * 2, "n": d["n"] + 1}

    out = vmap(f, ({"x": 0, "n": None},))({"x": XS, "n": 4})
    np.testing.assert_allclose(out["x"], XS * 2)
    np.testing.assert_allclose(out["n"], [5, 5, 5])
    rows = np.ones((2, 3), np.float32)
    for way in (vmap(vmap(f)), jit(vmap(vmap(f))), vmap(jit(vmap(f)))):
        np.testing.assert_allclose(way({"x": rows, "n": rows})["x"], rows * 2)
    slope = jit(grad(lambda x: vmap(f)({"x": x, "n": x})["x"].sum()))(XS)
    np.testing.assert_allclose(slope, [2.0] * 3)
    assert str(jx.make_jaxpr(vmap(f))({"x": XS, "n": XS})).count("scan[") == 1


def test_the_values_that_the_function_closes_over():
    def closing(s, x):
        @custom_vmap
        def g(x):
            return s * x

        g.def_vmap(lambda n, b, x: (SCALE * s * x, True))
        return g(x)

    np.testing.assert_allclose(vmap(closing, (None, 0))(2.0, XS), SCALE * 2 * XS)
    for way in (grad(closing, (0, 1)), jit(grad(closing, (0, 1))), grad(jit(closing), (0, 1))):
        np.testing.assert_allclose(way(2.0, 3.0), (3.0, 2.0))
    with pytest.raises(TypeError, match="g: the function closes over a value that this vmap maps"):
        vmap(closing)(XS, XS)
    with pytest.raises(TypeError, match="a batching rule in it closes over the traced value"):
        jit(lambda s: vmap(jit(lambda x: closing(s, x)))(XS))(2.0)


def test_methods_partials_and_callables_can_be_decorated():
    class Layer:
        @custom_vmap
        @staticmethod
        def double(x):
            return 2 * x

        double.def_vmap(lambda n, b, x: (20 * x, True))

        def __call__(self, x):
            return 3 * x

    np.testing.assert_allclose(vmap(Layer.double)(XS), 20 * XS)
    from functools import partial

    for fun in (partial(lambda k, x: k * x, 3.0), Layer()):
        f = custom_vmap(fun)
        f.def_vmap(lambda n, b, x: (30 * x, True))
        assert f(1.0) == 3.0
        np.testing.assert_allclose(jit(vmap(f))(XS), 30 * XS)


RULE_ERRORS = {
    "pair": (lambda n, b, x: x, TypeError, r"must return a pair \(out, out_batched\)"),
    "tree": (
        lambda n, b, x: ({"a": x}, {"a": True}), ValueError, r"(?s)expected PyTreeDef\(\*\).*'a'",
    ),
    "flags": (lambda n, b, x: (x, (True,)), ValueError, "for each leaf of its output whether"),
    "shape": (
        lambda n, b, x: (jnp.ones((2, 2)), True), TypeError,
        r"batched over 3 rows, .*gives f32\[\]; so expected f32\[3\], got f32\[2,2\]",
    ),
    "not batched": (
        lambda n, b, x: (x, False), TypeError, r"not batched, .*expected f32\[\], got f32\[3\]"
    ),
    "dtype": (
        lambda n, b, x: (x.astype(int), True), TypeError, r"expected f32\[3\], got i32\[3\]"
    ),
    "no array": (lambda n, b, x: (object(), True), TypeError, "not a valid JAX type"),
}  # fmt: skip


@pytest.mark.parametrize("name", RULE_ERRORS)
def test_wrong_results_of_rules_are_shown_with_what_was_expected(name):
    rule, error, text = RULE_ERRORS[name]
    f = custom_vmap(lambda x: x * 1.0)
    f.def_vmap(rule)
    for way in (vmap(f), jit(vmap(f)), vmap(jit(f))):
        with pytest.raises(error, match=text):
            way(XS)


def test_wrong_use():
    with pytest.raises(AttributeError, match="No batching rule defined for custom_vmap function"):
        custom_vmap(lambda x: x)(1.0)
    with pytest.raises(TypeError, match="custom_vmap: fun must be callable, got 3"):
        custom_vmap(3)
    with pytest.raises(TypeError, match="rule must be callable"):
        custom_vmap(lambda x: x).def_vmap(None)
    with pytest.raises(TypeError, match="of type str, which is no array: got 'a'"):
        make()("a", 1.0)


def test_a_rule_defined_anew_takes_the_place_of_the_first(f):
    np.testing.assert_allclose(vmap(f)(XS, XS), SCALE * np.sin(XS) * XS, rtol=1e-5)
    f.def_vmap(lambda n, b, x, y: (x, True))
    np.testing.assert_allclose(vmap(f)(XS, XS), XS)


def test_rules_of_a_function_inside_are_defined_by_the_decorated_one():
    @jx.custom_vjp
    @custom_vmap
    def f(x, y):
        return jnp.sin(x) * y

    @f.def_vmap
    def _(axis_size, in_batched, x, y):
        return jnp.cos(x) * y, True

    f.defvjp(lambda x, y: (f(x, y), (x, y)), lambda kept, ct: (7 * ct, 8 * ct))
    np.testing.assert_allclose(vmap(f)(XS, XS), np.cos(XS) * XS, rtol=1e-6)
    assert jx.grad(f)(1.0, 2.0) == 7.0
    with pytest.raises(AttributeError, match="'custom_vjp' object has no attribute 'defjvp'"):
        f.defjvp(lambda primals, tangents: None)


def test_programs_show_the_call(f):
    text = str(jx.make_jaxpr(f)(1.0, 2.0))
    assert "custom_vmap_call[" in text and "rules='f'" in text and "0x" not in text
