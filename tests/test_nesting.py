"""Random programs that nest control flow, custom rules and checkpoints, under random stacks.

A program is a tree: at its leaves are operations on three numbers, in its nodes what makes a
function of three numbers of one or two others. All derivatives are the true ones, so that finite
differences tell. Single operations in sequence are the business of `test_composition.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jx
import jx.numpy as jnp
from jx import grad, jit, jvp, lax, linearize, vjp, vmap
from jx.custom_batching import custom_vmap, sequential_vmap
from jx.custom_derivatives import SymbolicZero, linear_call
from jx_core import backend, check_jaxpr
from jx_core.config import enable_x64
from opdb import mismatch

X = np.array([0.4, -0.7, 0.9])
DIRECTION = np.array([0.3, 0.5, -0.2])
MATRIX = np.array([[0.3, -0.5, 0.2], [0.7, 0.1, -0.4], [-0.2, 0.6, 0.5]])
Fun = Callable[[Any], Any]


@pytest.fixture(autouse=True)
def double_precision():
    with enable_x64(True):
        yield


LEAVES: dict[str, Fun] = {
    "sin": jnp.sin,
    "tanh": lambda x: jnp.tanh(x) + 0.3,
    "matrix": lambda x: jnp.sin(MATRIX @ x),
    "product": lambda x: x * jnp.cos(x[::-1]),
    "scale": lambda x: 0.8 * x + 0.25,
    "constant": lambda x: jnp.array([0.2, -0.1, 0.4]),
}

# --- what makes functions of functions ---


def in_cond(f: Fun) -> Fun:
    return lambda x: lax.cond(jnp.sum(x) > 0.1, f, lambda v: jnp.cos(v) * 0.9, x)


def in_switch(f: Fun) -> Fun:
    def fun(x: Any) -> Any:
        which = jnp.clip(jnp.floor(jnp.abs(jnp.sum(x)) * 3), 0, 2).astype(np.int32)
        return lax.switch(which, [f, lambda v: jnp.sin(v) + 0.1, lambda v: f(v) * 0.7], x)

    return fun


def in_scan(f: Fun) -> Fun:
    def step(carry: Any, row: Any) -> Any:
        carry = jnp.tanh(f(carry) + row)
        return carry, jnp.sum(carry) * row

    def fun(x: Any) -> Any:
        carry, ys = lax.scan(step, x, x, reverse=True)
        return carry + 0.3 * ys

    return fun


def in_map(f: Fun) -> Fun:
    return lambda x: jnp.mean(lax.map(f, jnp.stack([x, -0.5 * x])), 0)


def in_fori(f: Fun) -> Fun:
    return lambda x: lax.fori_loop(0, 2, lambda i, v: jnp.tanh(f(v) + 0.1 * i), x)


def in_while(f: Fun) -> Fun:
    def fun(x: Any) -> Any:
        steps = 1 + (jnp.sum(x) > 0).astype(np.int32)
        return lax.while_loop(
            lambda c: c[0] < steps, lambda c: (c[0] + 1, jnp.sin(f(c[1]))), (0, x)
        )[1]

    return fun


def with_jvp(f: Fun) -> Fun:
    g = jx.custom_jvp(lambda x: f(x))
    g.defjvp(lambda p, t: jvp(f, p, t))
    return g


def with_symbolic_jvp(f: Fun) -> Fun:
    g = jx.custom_jvp(lambda x, scale: f(x) * scale)

    def rule(primals: Any, tangents: Any) -> Any:
        (x, scale), (t, moved) = primals, tangents
        # Where the rule closes over traced values, all tangents are arrays.
        assert isinstance(moved, SymbolicZero) or moved.shape == ()
        if isinstance(t, SymbolicZero):
            return g(x, scale), jnp.zeros(3)
        out, tangent = jvp(f, (x,), (t,))
        return out * scale, tangent * scale

    g.defjvp(rule, symbolic_zeros=True)
    return lambda x: g(x, 0.9)


def with_vjp(f: Fun) -> Fun:
    g = jx.custom_vjp(lambda x: f(x))
    g.defvjp(lambda x: vjp(f, x), lambda pull, ct: pull(ct), optimize_remat=True)
    return g


def with_late_vjp(f: Fun) -> Fun:
    g = jx.custom_vjp(lambda fun, x: fun(x), nondiff_argnums=(0,))
    g.defvjp(lambda fun, x: (fun(x), x), lambda fun, x, ct: vjp(fun, x)[1](ct))
    return lambda x: g(f, x)


def with_vmap(f: Fun) -> Fun:
    g = custom_vmap(lambda x, y: f(x) * y)

    @g.def_vmap
    def _(axis_size: int, in_batched: Any, x: Any, y: Any) -> Any:
        axes = [0 if on else None for on in in_batched]
        return vmap(lambda x, y: f(x) * y, axes, axis_size=axis_size)(x, y), True

    return lambda x: g(x, jnp.cos(x))


def one_by_one(f: Fun) -> Fun:
    return sequential_vmap(lambda x: f(x))


def with_transpose(f: Fun) -> Fun:
    def fun(x: Any) -> Any:
        return linear_call(
            lambda r, v: jnp.dot(MATRIX, v) * r, lambda r, ct: jnp.dot(MATRIX.T, ct * r), f(x), x
        )

    return fun


def checkpointed(f: Fun) -> Fun:
    return jx.checkpoint(lambda x: jnp.sin(f(x)))


def partly_kept(f: Fun) -> Fun:
    def fun(x: Any) -> Any:
        return jnp.tanh(jx.ad_checkpoint.checkpoint_name(f(jnp.sin(x)), "kept"))

    return jx.checkpoint(fun, policy=jx.checkpoint_policies.save_only_these_names("kept"))


def all_kept(f: Fun) -> Fun:
    return jx.checkpoint(f, policy=jx.checkpoint_policies.everything_saveable)


def staged(f: Fun) -> Fun:
    return jit(lambda x: f(f(x)))


def mapped(f: Fun) -> Fun:
    return lambda x: vmap(f, in_axes=1, out_axes=1)(jnp.stack([x, x * x], 1)).sum(1) * 0.5


def tangent_of(f: Fun) -> Fun:
    return lambda x: jnp.tanh(jvp(f, (x,), (jnp.sin(x),))[1] + x)


def pulled_back(f: Fun) -> Fun:
    def fun(x: Any) -> Any:
        out, pull = vjp(f, x)
        return jnp.tanh(pull(out)[0] + x)

    return fun


ANY = [
    in_cond, in_switch, in_scan, in_map, in_fori, with_jvp, with_symbolic_jvp, with_vmap,
    one_by_one, with_transpose, checkpointed, partly_kept, all_kept, staged, mapped,
]  # fmt: skip
FORWARD = [*ANY, in_while, tangent_of]
# The rules of with_jvp use forward mode, which what is inside of them may not have.
REVERSE = [
    *[n for n in ANY if n not in (with_jvp, with_symbolic_jvp)], with_vjp, with_late_vjp,
    pulled_back,
]  # fmt: skip


def sequence(f: Fun, g: Fun) -> Fun:
    return lambda x: g(f(x)) + 0.2 * x


def closing(f: Fun, g: Fun, node: Callable[[Fun], Fun]) -> Fun:
    """Inside of the node, the function closes over what is outside of it."""

    def fun(x: Any) -> Any:
        y = g(x)
        return node(lambda v: f(v) + jnp.sin(y))(x)

    return fun


# The rule of a batching function is not told of what it closes over.
CLOSED = (with_vmap, one_by_one)


def trees(nodes: list[Callable[[Fun], Fun]]) -> Any:
    def larger(smaller: Any) -> Any:
        return st.one_of(
            st.tuples(st.sampled_from(nodes), smaller),
            st.tuples(st.just(sequence), smaller, smaller),
            st.tuples(
                st.just(closing), smaller, smaller,
                st.sampled_from([n for n in nodes if n not in CLOSED]),
            ),
        )  # fmt: skip

    return st.recursive(st.sampled_from(sorted(LEAVES)), larger, max_leaves=4)


def build(tree: Any) -> Fun:
    if isinstance(tree, str):
        return LEAVES[tree]
    node, *inside = tree
    if node is closing:
        return closing(build(inside[0]), build(inside[1]), inside[2])
    return node(*map(build, inside))


# --- transformations: from such a function to such a function ---


def to_gradient(f: Fun) -> Fun:
    return lambda x: jnp.tanh(grad(lambda v: jnp.sum(f(v) * jnp.cos(v)))(x))


def to_linear_map(f: Fun) -> Fun:
    def linear(x: Any) -> Any:
        out, f_jvp = linearize(f, x)
        return jnp.tanh(f_jvp(jnp.sin(x)) + out)

    return linear


def to_batch(f: Fun) -> Fun:
    return lambda x: vmap(f)(jnp.stack([x, -x, x[::-1]])).sum(0) * 0.3


def to_product(f: Fun) -> Fun:
    """A product of a Hessian and a vector, forward over reverse."""
    return lambda x: jnp.tanh(jvp(grad(lambda v: jnp.sum(jnp.sin(f(v)))), (x,), (DIRECTION,))[1])


def to_mapped_gradient(f: Fun) -> Fun:
    def gradients(x: Any) -> Any:
        return vmap(grad(lambda v: jnp.sum(f(v) ** 2)))(jnp.stack([x, 0.5 * x])).sum(0) * 0.3

    return gradients


def to_pulled_rows(f: Fun) -> Fun:
    """Many cotangents through one backward pass."""

    def rows(x: Any) -> Any:
        out, pull = vjp(f, x)
        return jnp.tanh(vmap(lambda ct: pull(ct)[0])(jnp.eye(3)) @ jnp.sin(x) + out)

    return rows


STACKS = {
    "forward": [tangent_of, to_linear_map, to_batch, staged],
    "reverse": [to_gradient, pulled_back, to_batch, staged, to_mapped_gradient, to_pulled_rows],
    "both": [
        tangent_of, to_linear_map, to_batch, staged, to_gradient, to_product, pulled_back,
        to_mapped_gradient, to_pulled_rows,
    ],
}  # fmt: skip
NODES = {"forward": FORWARD, "reverse": REVERSE, "both": ANY}


@st.composite
def cases(draw: Any) -> tuple[str, Any, list[Any]]:
    kind = draw(st.sampled_from(sorted(NODES)))
    stack = draw(st.lists(st.sampled_from(STACKS[kind]), min_size=1, max_size=2))
    return kind, draw(trees(NODES[kind])), stack


def transformed(case: Any) -> Fun:
    _, tree, stack = case
    fun = build(tree)
    for transform in stack:
        fun = transform(fun)
    return fun


def shown(case: Any) -> str:
    def text(tree: Any) -> str:
        if isinstance(tree, str):
            return tree
        if callable(tree):
            return tree.__name__
        return f"{tree[0].__name__}({', '.join(map(text, tree[1:]))})"

    return f"{text(case[1])}, under {[t.__name__ for t in case[2]]}"


thorough = settings(max_examples=max(40, settings().max_examples))


@thorough
@given(cases())
def test_compiled_agrees_with_the_reference(case):
    fun = transformed(case)
    with backend.use("numpy"):
        want = np.asarray(fun(X))
    message = mismatch(np.asarray(jit(fun)(X)), want, slack=1e3, atol=1e-10)
    assert not message, f"compiled: {message}; {shown(case)}"


@thorough
@given(cases())
def test_programs_are_well_typed_and_mean_the_same(case):
    fun = transformed(case)
    check_jaxpr(jx.make_jaxpr(fun)(X))
    with backend.use("numpy"):
        want = np.asarray(fun(X))
        got = np.asarray(jit(fun)(X))
    message = mismatch(got, want, slack=1e3, atol=1e-10)
    assert not message, f"staged: {message}; {shown(case)}"


@thorough
@given(st.sampled_from(sorted(NODES)).flatmap(lambda k: st.tuples(st.just(k), trees(NODES[k]))))
def test_derivatives_are_finite_differences(case):
    """In every mode that there is, eager and staged."""
    kind, tree = case
    fun = build(tree)
    h = 1e-6
    with backend.use("numpy"):
        want = (np.asarray(fun(X + h * DIRECTION)) - np.asarray(fun(X - h * DIRECTION))) / (2 * h)
        for wrap in (lambda f: f, jit):
            ways = {}
            if kind != "reverse":
                ways["jvp"] = jvp(wrap(fun), (X,), (DIRECTION,))[1]
                ways["linearize"] = linearize(wrap(fun), X)[1](DIRECTION)
            if kind != "forward":
                pull = vjp(wrap(fun), X)[1]
                ways["vjp"] = np.stack([np.asarray(pull(e)[0]) for e in np.eye(3)]) @ DIRECTION
            for name, got in ways.items():
                np.testing.assert_allclose(
                    np.asarray(got), want, rtol=1e-5, atol=1e-7,
                    err_msg=f"{name}; {shown((kind, tree, []))}",
                )  # fmt: skip


@thorough
@given(cases())
def test_batches_are_their_rows(case):
    fun = transformed(case)
    rows = np.stack([X, X[::-1], -X])
    with backend.use("numpy"):
        want = np.stack([np.asarray(fun(row)) for row in rows])
        got = np.asarray(vmap(fun)(rows))
    message = mismatch(got, want, slack=1e3, atol=1e-10)
    assert not message, f"mapped: {message}; {shown(case)}"
