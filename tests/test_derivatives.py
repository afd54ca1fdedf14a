"""`jacobian` and `derivative`: the same numbers in every mode, and the mode that they choose."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jx
import jx.numpy as jnp
from jx import derivative, grad, jacobian, jacrev, jit, lax, vmap
from jx_ad.dependence import Dependence, cheapest_cover

X = np.float32([1.0, 2.0, 3.0])


def many(p, s):
    return {"loss": jnp.sum(p["w"] ** 2) * 2, "rows": s * jnp.arange(5.0), "b": p["b"].sum() * s}


ARGS = {"w": X, "b": X[:2]}, 2.0


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse", "mixed"])
@pytest.mark.parametrize("argnums", [0, 1, (0, 1), (1,), -1])
def test_every_mode_gives_what_jacrev_gives(mode, argnums):
    want = jacrev(many, argnums)(*ARGS)
    for way in (jacobian(many, argnums, mode=mode), jit(jacobian(many, argnums, mode=mode))):
        got = way(*ARGS)
        assert jx.tree.structure(got) == jx.tree.structure(want)
        for a, b in zip(jx.tree.leaves(got), jx.tree.leaves(want), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b)


def test_the_dtype_is_the_arguments_in_every_mode():
    half = X.astype(np.float16)
    for mode in ("auto", "mixed", "reverse"):
        assert jacobian(lambda x: x.astype(np.float32) * 2, mode=mode)(half).dtype == np.float16


def custom(x):
    f = jx.custom_vjp(lambda x: jnp.stack([x, x]))
    f.defvjp(lambda x: (f(x), None), lambda _, ct: (7 * ct.sum(),))
    return f(x)


def loop(x):
    return lax.while_loop(lambda c: c.sum() < 100, lambda c: c * 2, x).sum()


CHOICES = {
    "to a number": (lambda x: x.sum(), (X,), "reverse", 1),
    "of a number": (lambda s: s * X, (2.0,), "forward", 1),
    "number to number": (jnp.sin, (2.0,), "forward", 1),
    "square": (lambda x: x * 2, (X,), "forward", 3),
    "wide": (lambda x: x[:2] * x.sum(), (X,), "reverse", 2),
    "constant": (lambda x: 1.0, (X,), "forward", 0),
    "custom_vjp": (custom, (2.0,), "reverse", 2),
    "custom_vjp in jit": (jit(custom), (2.0,), "reverse", 2),
    "while": (loop, (X,), "forward", 3),
    "looks at numbers": (lambda x: x * 2 if x[0] > 0 else x * 3, (X,), "forward", 3),
}


@pytest.mark.parametrize("name", CHOICES)
def test_the_mode_follows_from_the_shapes(name):
    fun, args, mode, passes = CHOICES[name]
    plan = jacobian(fun).plan(*args)
    assert (plan.mode, plan.passes) == (mode, passes)
    jacobian(fun)(*args)
    assert mode in str(plan)


def test_both_modes_are_mixed_where_outputs_depend_on_few_arguments():
    plan = jacobian(many, (0, 1)).plan(*ARGS)
    assert plan.mode == "mixed" and plan.passes == 3
    assert plan.alone == {"forward": 6, "reverse": 7}
    assert [p.name for p in plan.forward] == ["argument s"]
    assert [p.name for p in plan.reverse] == ["output['b']", "output['loss']"]
    assert str(plan).split("\n")[1:] == [
        "  push forward argument s: f32[]",
        "  pull back output['b']: f32[]",
        "  pull back output['loss']: f32[]",
    ]


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.data(),
)
def test_covers_are_the_cheapest(in_sizes, out_sizes, data):
    n, m = len(in_sizes), len(out_sizes)
    edges = tuple(frozenset(data.draw(st.sets(st.integers(0, n - 1)))) for _ in range(m))
    pushed, pulled = cheapest_cover(Dependence(edges, None, None), in_sizes, out_sizes)
    assert all(i in pulled or j in pushed for i in range(m) for j in edges[i])
    cost = sum(in_sizes[j] for j in pushed) + sum(out_sizes[i] for i in pulled)
    best = min(
        sum(in_sizes[j] for j in range(n) if columns[j])
        + sum(out_sizes[i] for i in range(m) if any(not columns[j] for j in edges[i]))
        for columns in itertools.product([False, True], repeat=n)
    )
    assert cost == best


def test_derivatives_of_higher_order():
    for order, want in enumerate([np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin], 1):
        np.testing.assert_allclose(derivative(jnp.sin, order=order)(1.0), want(1.0), rtol=1e-5)
        got = jit(vmap(derivative(jnp.sin, order=order)))(X)
        np.testing.assert_allclose(got, want(X), rtol=1e-4)
    cube = derivative(lambda x: (x**3).sum(), order=2)
    np.testing.assert_allclose(cube(X), np.diag(6 * X))
    plan = cube.plan(X)
    assert (plan.mode, plan.of.mode) == ("forward", "reverse") and "\nof\n" in str(plan)
    np.testing.assert_allclose(derivative(lambda x: (x**3).sum())(X), 3 * X**2)
    hessian, aux = derivative(lambda x: ((x**3).sum(), "aux"), order=2, has_aux=True)(X)
    np.testing.assert_allclose(hessian, np.diag(6 * X))
    assert aux == "aux"


def test_derivatives_of_jacobians():
    got = grad(lambda x: jacobian(lambda y: jnp.sin(y) * y)(x).sum())(X)
    np.testing.assert_allclose(got, 2 * np.cos(X) - X * np.sin(X), rtol=1e-4)


def test_complex_functions():
    z = np.complex64([1 + 2j, 3j])
    np.testing.assert_allclose(jacobian(lambda z: z**2, holomorphic=True)(z), np.diag(2 * z))
    f = lambda z: (z * z.conj()).real  # noqa: E731
    np.testing.assert_allclose(jacobian(f)(z), jacrev(f)(z))
    assert "conjugate" in jacobian(f).plan(z).reason


def test_wrong_use():
    with pytest.raises(ValueError, match="mode must be one of auto, .* got 'sideways'"):
        jacobian(jnp.sin, mode="sideways")
    with pytest.raises(ValueError, match="order must be an integer of at least 1, got 0"):
        derivative(jnp.sin, order=0)
    with pytest.raises(ValueError, match="allow_int needs reverse mode"):
        jacobian(jnp.sin, allow_int=True, mode="forward")
    with pytest.raises(TypeError, match="jacobian requires real- or complex-valued inputs"):
        jacobian(jnp.sin)(3)
    assert jacobian(lambda x: x * 2.0, allow_int=True)(3).dtype == jx.float0


def test_forward_and_backward_passes_apart():
    traced = []

    def f(x, w):
        traced.append(1)
        return jnp.sin(x) @ w

    w = np.eye(3, dtype=np.float32)
    fwd, bwd = jx.fwd_and_bwd(f, (0, 1))
    for _ in range(3):
        y, residuals = fwd(X, w)
        cts = bwd(residuals, X)
    np.testing.assert_allclose(y, np.sin(X), rtol=1e-6)
    np.testing.assert_allclose(cts[0], np.cos(X) * X, rtol=1e-6)
    assert len(traced) == 1
    fwd, bwd = jx.fwd_and_bwd(lambda x: (x * 3, "aux"), 0, has_aux=True, jitted=False)
    y, residuals, aux = fwd(2.0)
    assert (y, aux, bwd(residuals, 1.0)) == (6.0, "aux", 3.0)


def test_named_calls_show_in_the_program():
    f = jx.named_call(lambda x: jnp.sin(x) * 2, name="layer")
    assert f(0.0) == 0.0
    assert "layer/" in jit(f).lower(1.0).as_text(debug_info=True)
    with pytest.raises(TypeError, match="named_call expects a callable"):
        jx.named_call(3)
