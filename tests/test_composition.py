"""Random programs under random stacks of transformations: XLA against the reference meaning.

A program maps three numbers to three numbers; so does each transformation of one, which is
why they stack in any order. Every step keeps values near 1, so that derivatives of third
order still mean something.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jx_xla  # noqa: F401  so that programs are compiled
from jx_ad import grad, jvp, linearize, vjp
from jx_batching import vmap
from jx_core import backend, check_jaxpr, jit, lax, make_jaxpr
from jx_core.config import enable_x64
from opdb import mismatch

X = np.array([0.4, -0.7, 0.9])
MATRIX = np.array([[0.3, -0.5, 0.2], [0.7, 0.1, -0.4], [-0.2, 0.6, 0.5]])
Fun = Callable[[Any], Any]


@pytest.fixture(autouse=True)
def double_precision():
    with enable_x64(True):
        yield


def total(x: Any) -> Any:
    return lax.reduce_sum(x, tuple(range(x.ndim)))


# --- steps: each takes the values so far and a number to choose with, and gives one more ---


def unary(values, n):
    functions = [
        lax.sin, lax.tanh, lax.logistic, lax.atan, lambda x: lax.exp(lax.neg(lax.square(x))),
        lax.erf, lambda x: lax.integer_pow(lax.tanh(x), 3), lax.asinh,
    ]  # fmt: skip
    return functions[n % len(functions)](values[-1])


def binary(values, n):
    x, y = values[-1], values[n % len(values)]
    functions = [lax.add, lax.sub, lax.mul, lax.max, lax.min, lax.atan2]
    return lax.sin(functions[n % len(functions)](x, y))


def scaled(values, n):
    return values[-1] * (0.5 + n % 3) + 0.25


def matrix(values, n):
    product = lax.dot(MATRIX, values[-1])
    outer = lax.dot_general(values[-1], values[n % len(values)], (((), ()), ((), ())))
    return product if n % 2 else lax.dot(lax.tanh(outer), product)


def reduction(values, n):
    x = values[-1]
    if n % 3 == 0:
        return lax.cumsum(x, reverse=bool(n % 2)) * 0.5
    reduced = lax.reduce_max(x, (0,)) if n % 3 == 1 else total(x) * 0.3
    return x * lax.cos(reduced)


def indexing(values, n):
    x, y = values[-1], values[n % len(values)]
    choice = n % 5
    if choice == 0:
        return lax.rev(x, (0,))
    if choice == 1:
        return lax.concatenate([lax.slice(x, (1,), (3,)), lax.slice(y, (0,), (1,))], 0)
    if choice == 2:
        start = lax.convert_element_type(lax.floor(lax.abs(total(y))), np.int32)
        return lax.dynamic_update_slice(x, lax.slice(y, (0,), (2,)), (start,))
    if choice == 3:
        return lax.gather(
            x, np.int32([[2], [0], [2]]), lax.GatherDimensionNumbers((), (0,), (0,)), (1,)
        )
    return lax.sort(x)


def conditional(values, n):
    x, y = values[-1], values[n % len(values)]
    return lax.cond(
        total(y) * (-1) ** n > 0.1, lambda v: lax.sin(v) + y, lambda v: lax.cos(v) * x, x
    )


def selection(values, n):
    x, y = values[-1], values[n % len(values)]
    return lax.select(lax.gt(x, 0.1), lax.sin(y), lax.cos(x))


def loop(values, n):
    x, y = values[-1], values[n % len(values)]

    def step(carry, row):
        carry = lax.tanh(carry * row + lax.reduce_max(y, (0,)))
        return carry, carry * row

    carry, ys = lax.scan(step, 0.5, x, reverse=bool(n % 2), unroll=1 + n % 2)
    return ys + carry


def vector_loop(values, n):
    x = values[-1]
    return lax.fori_loop(0, 1 + n % 3, lambda i, v: lax.sin(lax.dot(MATRIX, v) + x), x)


def inner_call(values, n):
    x, y = values[-1], values[n % len(values)]
    inner = jit(lambda v: lax.tanh(v * y))
    return inner(inner(x))


def mapped_rows(values, n):
    x, y = values[-1], values[n % len(values)]
    return vmap(lambda row: total(lax.sin(row * y)))(x) * 0.4


STEPS = [
    unary, binary, scaled, matrix, reduction, indexing, conditional, selection, loop, vector_loop,
    inner_call, mapped_rows,
]  # fmt: skip


def build(steps: list[tuple[Any, int]]) -> Fun:
    def program(x: Any) -> Any:
        values = [x]
        for step, n in steps:
            values.append(step(values, n))
        return values[-1]

    return program


# --- transformations: from such a program to such a program ---


def to_gradient(f: Fun) -> Fun:
    return lambda x: lax.tanh(grad(lambda v: total(f(v) * lax.cos(v)))(x))


def to_tangent(f: Fun) -> Fun:
    return lambda x: lax.tanh(jvp(f, (x,), (lax.sin(x),))[1])


def to_linear_map(f: Fun) -> Fun:
    def linear(x: Any) -> Any:
        out, f_jvp = linearize(f, x)
        return lax.tanh(f_jvp(out) + out)

    return linear


def to_pulled_back(f: Fun) -> Fun:
    def pulled(x: Any) -> Any:
        out, pull = vjp(f, x)
        return lax.tanh(pull(lax.sin(out))[0])

    return pulled


def to_batch(f: Fun) -> Fun:
    def batch(x: Any) -> Any:
        columns = [lax.reshape(v, (3, 1)) for v in (x, lax.neg(x), lax.rev(x, (0,)))]
        mapped = vmap(f, in_axes=1, out_axes=1)(lax.concatenate(columns, 1))
        return lax.reduce_sum(mapped, (1,)) * 0.3

    return batch


def to_staged(f: Fun) -> Fun:
    return jit(f)


TRANSFORMATIONS = [to_gradient, to_tangent, to_linear_map, to_pulled_back, to_batch, to_staged]

programs = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), min_size=1, max_size=6)
stacks = st.lists(st.sampled_from(TRANSFORMATIONS), min_size=1, max_size=3)


# The profile's number is for cheaper tests; small programs come first, and find little.
thorough = settings(max_examples=max(40, settings().max_examples))


def describe(steps: Any, stack: Any) -> str:
    return f"steps {[(s.__name__, n) for s, n in steps]}, under {[t.__name__ for t in stack]}"


@thorough
@given(programs, stacks)
def test_compiled_agrees_with_the_reference(steps, stack):
    fun = build(steps)
    for transform in stack:
        fun = transform(fun)
    with backend.use("numpy"):
        want = np.asarray(fun(X))
    message = mismatch(np.asarray(jit(fun)(X)), want, slack=1e3, atol=1e-10)
    assert not message, f"compiled: {message}; {describe(steps, stack)}"


@thorough
@given(programs, stacks)
def test_programs_stay_well_typed_and_keep_their_meaning(steps, stack):
    """The staged program passes the checker; run equation by equation it gives the same."""
    fun = build(steps)
    for transform in stack:
        fun = transform(fun)
    program = make_jaxpr(fun)(X)
    check_jaxpr(program)
    with backend.use("numpy"):
        want = np.asarray(fun(X))
        got = np.asarray(jit(fun)(X))
    message = mismatch(got, want, slack=1e3, atol=1e-10)
    assert not message, f"{message}; {describe(steps, stack)}"


@thorough
@given(programs)
def test_modes_of_differentiation_agree(steps):
    """Rows of the Jacobian by reverse mode are columns by forward mode, transposed."""
    fun = build(steps)
    basis = np.eye(3)
    with backend.use("numpy"):
        forward = np.stack([np.asarray(jvp(fun, (X,), (e,))[1]) for e in basis], 1)
        pull = vjp(fun, X)[1]
        reverse = np.stack([np.asarray(pull(e)[0]) for e in basis])
        batched = np.asarray(vmap(lambda e: pull(e)[0])(basis))
    assert not mismatch(reverse, forward, slack=1e3, atol=1e-11), describe(steps, [])
    assert not mismatch(batched, reverse, slack=1e2, atol=1e-11), describe(steps, [])


@thorough
@given(programs)
def test_batches_are_their_rows(steps):
    fun = build(steps)
    rows = np.stack([X, X[::-1], -X])
    with backend.use("numpy"):
        want = np.stack([np.asarray(fun(row)) for row in rows])
        got = np.asarray(vmap(fun)(rows))
    assert not mismatch(got, want, slack=1e2, atol=1e-12), describe(steps, [])
