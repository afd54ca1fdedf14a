"""What reverse mode through loops keeps: seen in the program, and in the compiled one's memory.

A row is what one step of the loops here makes, the arrays that are kept over all steps are
counted in loop's worths of rows. Compiled programs need little more than those.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jx_xla  # noqa: F401  so that programs are compiled
from jx_ad import checkpoint, custom_vjp, grad, vjp
from jx_batching import vmap
from jx_core import backend, jit, lax, make_jaxpr

STEPS, SIZE = 64, 128
W = np.eye(SIZE, dtype=np.float32) * np.float32(0.9)
H = np.linspace(0.1, 1.0, SIZE, dtype=np.float32)
XS = np.linspace(-1, 1, STEPS * SIZE, dtype=np.float32).reshape(STEPS, SIZE)
ALL_ROWS = XS.nbytes


def total(x: Any) -> Any:
    return lax.reduce_sum(x, tuple(range(x.ndim)))


def gradient(fun: Any, *args: Any) -> Any:
    """The gradient with respect to every argument."""
    return grad(fun, tuple(range(len(args))))


def kept(fun: Any, *args: Any) -> list[Any]:
    """The types of the arrays stacked over the steps that the backward loop is given."""
    program = make_jaxpr(gradient(fun, *args))(*args)
    loops = [e for e in program.eqns if e.primitive.name == "scan"]
    given = {v for e in loops[1:] for v in e.invars}
    return [v.aval for v in loops[0].outvars if v in given]


def temporary(fun: Any, *args: Any) -> float:
    """The compiled gradient's temporary memory, in loop's worths of rows."""
    compiled = jit(gradient(fun, *args)).lower(*args).compile()
    return float(compiled.memory_analysis().temp_size_in_bytes / ALL_ROWS)


def recurrence(w, h, xs):
    return total(lax.scan(lambda c, x: (lax.sin(lax.dot(w, c)) + x, None), h, xs)[0])


def test_what_differs_by_step_is_kept_once_a_step():
    """Of `sin(w c) + x`: the carry, for the matrix's derivative, and the cosine."""
    assert [a.shape for a in kept(recurrence, W, H, XS)] == [(STEPS, SIZE)] * 2
    assert temporary(recurrence, W, H, XS) < 2.2


def test_a_longer_loop_needs_no_more_than_its_rows():
    longer = np.tile(XS, (8, 1))
    assert temporary(recurrence, W, H, longer) < 8 * 2.2


def through_a_function_of_the_matrix(w, h, xs):
    return total(lax.scan(lambda c, x: (lax.sin(lax.dot(lax.cos(w), c)) + x, None), h, xs)[0])


def test_values_that_are_the_same_at_every_step_are_computed_once_before_the_loop():
    """The cosine and the sine of the matrix: stacked, they would take 128 rows a step."""
    program = make_jaxpr(grad(through_a_function_of_the_matrix))(W, H, XS)
    assert (STEPS, SIZE, SIZE) not in {v.aval.shape for e in program.eqns for v in e.outvars}
    outside = [e.primitive.name for e in program.eqns]
    assert outside.index("cos") < outside.index("scan")
    loop = next(e for e in program.eqns if e.primitive.name == "scan")
    assert "cos" not in [
        e.primitive.name for e in loop.params["jaxpr"].eqns if e.outvars[0].aval.ndim == 2
    ]
    matrices = 4 * W.nbytes / ALL_ROWS
    assert temporary(through_a_function_of_the_matrix, W, H, XS) < 2.2 + matrices


def test_so_are_those_that_are_computed_inside_of_staged_calls():
    def fun(w, h, xs):
        step = jit(lambda c, x: (lax.sin(lax.dot(jit(lax.cos)(w), c)) + x, None))
        return total(lax.scan(step, h, xs)[0])

    assert all(a.shape == (STEPS, SIZE) for a in kept(fun, W, H, XS))


def test_a_carry_that_never_changes_is_no_carry():
    """A matrix carried along is one matrix, not one a step."""

    def fun(w, h, xs):
        step = lambda c, x: ((c[0], lax.sin(lax.dot(c[0], c[1])) + x), None)  # noqa: E731
        return total(lax.scan(step, (w, h), xs)[0][1])

    assert [a.shape for a in kept(fun, W, H, XS)] == [(STEPS, SIZE)] * 2


def test_a_carry_is_kept_as_it_is_handed_on_or_as_it_comes_in_not_both():
    """tanh's derivative is made of its result, the next step's carry."""

    def fun(w, h, xs):
        return total(lax.scan(lambda c, x: (lax.tanh(lax.dot(w, c) + x), None), h, xs)[0])

    assert len(kept(fun, W, H, XS)) == 1
    assert temporary(fun, W, H, XS) < 1.2


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_carries_kept_once_are_the_right_ones(reverse, length):
    """Two carries, one of which is what the other was: c of this step is d of the next."""

    def fun(w, h, xs):
        def step(carry, x):
            c, d = carry
            return (lax.tanh(lax.dot(w, c) * d + x), c), None

        c, d = lax.scan(step, (h, h * 0.5), xs, reverse=reverse)[0]
        return total(c * d)

    def by_hand(w, h, xs):
        c, d = h, h * 0.5
        for i in reversed(range(length)) if reverse else range(length):
            x = lax.index_in_dim(xs, i, keepdims=False)
            c, d = lax.tanh(lax.dot(w, c) * d + x), c
        return total(c * d)

    args = W[:4, :4] + 0.1, H[:4] * 4, XS[:length, :4]
    for got, want in zip(
        jit(gradient(fun, *args))(*args), gradient(by_hand, *args)(*args), strict=True
    ):
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_carry_that_a_step_hands_on_as_it_got_it_may_have_a_derivative(reverse):
    @custom_vjp
    def doubling(x):  # the identity, whose gradient is another one
        return x

    doubling.defvjp(lambda x: (x, x), lambda x, ct: (lax.mul(ct, lax.mul(2.0, x)),))

    def f(x):
        step = lambda c, _: (doubling(c), None)  # noqa: E731
        return lax.scan(step, x, None, length=3, reverse=reverse)[0]

    assert grad(f)(3.0) == jit(grad(f))(3.0) == 6.0**3


def test_rows_of_xs_and_results_are_not_kept_again():
    """Of `c * x`: x is there, and so is c where it is a result."""

    def fun(h, xs):
        c, ys = lax.scan(lambda c, x: (c * x, c), h, xs)
        return total(c) + total(lax.sin(ys))

    program = make_jaxpr(gradient(fun, H, XS))(H, XS)
    loops = [e for e in program.eqns if e.primitive.name == "scan"]
    assert [v.aval.shape for v in loops[0].outvars] == [(SIZE,), (STEPS, SIZE)]
    assert program.jaxpr.invars[1] in loops[1].invars


def test_broadcasts_conversions_and_comparisons_are_made_again():
    b = np.linspace(0, 1, 4, dtype=np.float32)

    def fun(b, h, xs):
        def step(c, x):
            wide = lax.broadcast_in_dim(x, (4, SIZE), (1,))
            bias = lax.broadcast_in_dim(b, (4, SIZE), (0,))
            half = lax.convert_element_type(lax.convert_element_type(wide, np.float16), np.float32)
            c = lax.select(half > 0, c * half * bias, c)
            return c, None

        start = lax.broadcast_in_dim(h, (4, SIZE), (1,))
        return total(lax.scan(step, start, xs)[0])

    assert [a.shape for a in kept(fun, b, H, XS)] == [(STEPS, 4, SIZE)]  # the carry


def test_quotients_of_what_is_kept_are_not_kept():
    """A softmax's derivative is made of its exponentials and their sums."""

    def fun(w, h, xs):
        def step(c, x):
            e = lax.exp(lax.dot(w, c))
            soft = e / lax.broadcast_in_dim(lax.reduce_sum(e, (0,)), (SIZE,), ())
            return soft * soft + x, None

        return total(lax.scan(step, h, xs)[0])

    shapes = [a.shape for a in kept(fun, W, H, XS)]
    assert sorted(shapes) == [(STEPS,), (STEPS, SIZE), (STEPS, SIZE)]  # sums; carries, exponentials


def test_of_checkpointed_steps_only_carries_are_kept():
    step = checkpoint(lambda w, c, x: lax.sin(lax.cos(lax.sin(lax.dot(w, c)))) + x)

    def fun(w, h, xs):
        return total(lax.scan(lambda c, x: (step(w, c, x), None), h, xs)[0])

    assert [a.shape for a in kept(fun, W, H, XS)] == [(STEPS, SIZE)]
    assert temporary(fun, W, H, XS) < 1.2


def test_loops_in_loops_keep_what_differs_by_step_of_both():
    def fun(w, h, xs):
        def outer(c, x):
            inner = lambda d, _: (lax.sin(lax.dot(lax.cos(w), d)) + x, None)  # noqa: E731
            return lax.scan(inner, c, None, length=8)[0], None

        return total(lax.scan(outer, h, xs)[0])

    assert [a.shape for a in kept(fun, W, H, XS)] == [(STEPS, 8, SIZE)] * 2
    assert temporary(fun, W, H, XS) < 8 * 2.2 + 4 * W.nbytes / ALL_ROWS


def test_a_checkpointed_loop_in_a_loop_keeps_its_first_carry():
    def fun(w, h, xs):
        @checkpoint
        def outer(c, x):
            return lax.scan(lambda d, _: (lax.sin(lax.dot(w, d)) + x, None), c, None, length=8)[0]

        return total(lax.scan(lambda c, x: (outer(c, x), None), h, xs)[0])

    assert [a.shape for a in kept(fun, W, H, XS)] == [(STEPS, SIZE)]


def test_integers_that_are_carried_along_are_not_kept_unless_they_are_needed():
    def fun(h, xs):
        def step(carry, x):
            i, c = carry
            return (i + 1, c * x), None

        return total(lax.scan(step, (0, h), xs)[0][1])

    assert [a.dtype for a in kept(fun, H, XS)] == [np.float32]


def test_batches_of_loops_keep_the_same_values():
    batched = vmap(recurrence, in_axes=(None, 0, None))

    def fun(w, h, xs):
        return total(batched(w, lax.stack([h, h]), xs))

    assert len(kept(fun, W, H, XS)) == 2


def test_what_is_computed_before_the_loop_has_derivatives_too():
    """Second derivatives go through it, eagerly and compiled."""
    w, h, xs = W[:3, :3] + 0.2, H[:3], XS[:4, :3]

    def first(w):
        return total(lax.sin(grad(through_a_function_of_the_matrix)(w, h, xs)))

    def unrolled(w):
        def fun(w):
            c = h
            for i in range(4):
                x = lax.index_in_dim(xs, i, keepdims=False)
                c = lax.sin(lax.dot(lax.cos(w), c)) + x
            return total(c)

        return total(lax.sin(grad(fun)(w)))

    want = grad(unrolled)(w)
    for got in (grad(first)(w), jit(grad(first))(w)):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)
    with backend.use("numpy"):
        np.testing.assert_allclose(grad(first)(w), want, rtol=1e-4, atol=1e-6)


def test_a_forward_pass_keeps_nothing_that_no_one_asks_for():
    """Only the loop's result is used: the compiled program has no rows at all."""
    compiled = jit(lambda w, h, xs: vjp(recurrence, w, h, xs)[0]).lower(W, H, XS).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 0.1 * ALL_ROWS
