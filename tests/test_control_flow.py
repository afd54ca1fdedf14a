"""Control flow through every layer: differentiated, batched, compiled, nested in itself.

Each program of the table goes through all transformations on both back ends; what is
particular to one (errors, what is kept for the backward pass) has tests of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jx_xla  # noqa: F401  so that programs are compiled
from jx_ad import grad, jacfwd, jacrev, jvp, linear_transpose, linearize, value_and_grad
from jx_ad.testing import check_grads
from jx_batching import vmap
from jx_core import backend, check_jaxpr, jit, lax, make_jaxpr, tree
from jx_core.config import enable_x64, log_compiles
from opdb import mismatches

XS = np.array([0.3, -0.5, 0.8, 0.2])
W = np.array([0.9, -1.1, 0.4])


@pytest.fixture(autouse=True)
def double_precision():
    with enable_x64(True):
        yield


def at(x, i):
    return lax.index_in_dim(x, i, keepdims=False)


def cond_on_value(x, w):
    return lax.cond(at(x, 0) > 0.1, lambda x: lax.sin(x) * at(w, 0), lambda x: x * x, x)


def cond_closing_over(x, w):
    scaled = x * at(w, 1)
    return lax.cond(at(w, 0) > 0, lambda: scaled * scaled, lambda: lax.exp(scaled))


def cond_with_constant_branch(x, w):
    return lax.cond(at(w, 2) > 0, lambda v: (v * 2, 1.0), lambda v: (np.ones_like(XS), 2.0), x)


def switch_of_three(x, w):
    index = lax.convert_element_type(lax.floor(at(w, 0) * 3), np.int32)
    return lax.switch(index, [lax.sin, lambda v: v * v * at(w, 1), lax.exp], x)


def scan_sum_of_products(x, w):
    def step(c, v):
        c = lax.tanh(c * at(w, 0) + v)
        return c, c * v

    return lax.scan(step, at(w, 1), x)


def scan_reversed(x, w):
    return lax.scan(lambda c, v: (lax.sin(c) + v * at(w, 0), c), at(w, 2), x, reverse=True)


def scan_unrolled(x, w):
    return lax.scan(lambda c, v: (c * v + at(w, 0), lax.exp(c)), at(w, 2), x, unroll=3)


def scan_with_counter(x, w):
    def step(carry, v):
        i, c = carry
        power = lax.convert_element_type(i, np.float64)
        return (i + 1, c + v * lax.sin(at(w, 0) * power)), power

    (_, total), ys = lax.scan(step, (0, at(w, 1)), x)
    return total, ys


def scan_of_matrices(x, w):
    a = lax.broadcast_in_dim(w, (3, 3), (1,)) * 0.3

    def step(h, v):
        h = lax.tanh(lax.dot(a, h) + v)
        return h, lax.reduce_sum(h, (0,))

    return lax.scan(step, w, x)


def scan_nested(x, w):
    def outer(c, v):
        c, ys = lax.scan(lambda d, u: (lax.sin(d) + u * v, d * v), c, w)
        return c, lax.reduce_sum(ys, (0,))

    return lax.scan(outer, 0.1, x)


def scan_holding_cond(x, w):
    def step(c, v):
        c = lax.cond(v > 0, lambda c: lax.sin(c) * at(w, 0), lambda c: c * c + v, c)
        return c, c

    return lax.scan(step, at(w, 1), x)


def scan_without_inputs(x, w):
    return lax.scan(lambda c, _: (lax.sin(c) * at(w, 0), None), x, None, length=3)[0]


def scan_inside_jit(x, w):
    inner = jit(lambda c, v: lax.sin(c) * v)
    return jit(lambda x: lax.scan(lambda c, v: (inner(c, v), c), at(w, 0), x))(x)


def fori_known_bounds(x, w):
    return lax.fori_loop(1, 4, lambda i, v: lax.sin(v) * at(w, 0) + i, x)


def map_of_rows(x, w):
    return lax.map(lambda v: lax.sin(v) * w, x)


def cond_holding_scan(x, w):
    def loop(x):
        return lax.scan(lambda c, v: (c * v + at(w, 0), None), at(w, 1), x)[0]

    return lax.cond(at(w, 0) > 0, loop, lambda x: lax.reduce_sum(x * x, (0,)), x)


REVERSIBLE = [
    cond_on_value, cond_closing_over, cond_with_constant_branch, switch_of_three,
    scan_sum_of_products, scan_reversed, scan_unrolled, scan_with_counter, scan_of_matrices,
    scan_nested, scan_holding_cond, scan_without_inputs, scan_inside_jit, fori_known_bounds,
    map_of_rows, cond_holding_scan,
]  # fmt: skip


def while_with_tangents(x, w):
    def body(carry):
        i, v = carry
        return i + 1, lax.sin(v) * at(w, 0)

    return lax.while_loop(lambda c: c[0] < 3, body, (0, x))[1]


def while_by_value(x, w):
    """Stops by a value that is differentiated; rows of a batch stop at different steps."""
    return lax.while_loop(
        lambda v: lax.reduce_sum(v * v, (0,)) < 20.0, lambda v: v * (1.5 + at(w, 0) * at(w, 0)), x
    )


def fori_unknown_bounds(x, w):
    stop = lax.convert_element_type(lax.floor(at(w, 0) * 4), np.int64)
    return lax.fori_loop(0, stop, lambda i, v: lax.sin(v) + at(w, 1), x)


FORWARD = [while_with_tangents, while_by_value, fori_unknown_bounds]
PROGRAMS = REVERSIBLE + FORWARD


def leaves(x: Any) -> list[np.ndarray]:
    return [np.asarray(v) for v in tree.leaves(x)]


def assert_same(got: Any, want: Any, **limits: Any) -> None:
    message = mismatches(leaves(got), leaves(want), **{"slack": 32, "atol": 1e-12, **limits})
    assert not message, message


def on_numpy(fun: Any, *args: Any) -> Any:
    with backend.use("numpy"):
        return fun(*args)


@pytest.mark.parametrize("fun", PROGRAMS)
def test_compiled_and_eager_agree_with_the_reference(fun):
    want = on_numpy(fun, XS, W)
    assert_same(fun(XS, W), want)
    assert_same(jit(fun)(XS, W), want)
    check_jaxpr(make_jaxpr(fun)(XS, W))


@pytest.mark.parametrize("fun", PROGRAMS)
def test_derivatives_are_those_of_finite_differences(fun):
    modes = ["fwd", "rev"] if fun in REVERSIBLE else ["fwd"]
    on_numpy(lambda: check_grads(fun, (XS, W), order=2, modes=modes))


def scalar(fun: Any) -> Any:
    """`fun` with results multiplied out to one number."""

    def total(x: Any, w: Any) -> Any:
        parts = tree.leaves(fun(x, w))
        sums = [lax.reduce_sum(lax.sin(v) if i else v, tuple(range(v.ndim))) for i, v in enumerate(
            lax.convert_element_type(p, np.float64) for p in parts)]
        result = sums[0]
        for s in sums[1:]:
            result = result * s + s
        return result

    return total


@pytest.mark.parametrize("fun", REVERSIBLE)
def test_compiled_gradients_agree_with_the_reference(fun):
    total = scalar(fun)
    both = value_and_grad(total, argnums=(0, 1))
    want = on_numpy(both, XS, W)
    assert_same(jit(both)(XS, W), want)
    assert_same(both(XS, W), want)
    assert_same(value_and_grad(jit(total), argnums=(0, 1))(XS, W), want)
    check_jaxpr(make_jaxpr(both)(XS, W))


@pytest.mark.parametrize("fun", PROGRAMS)
def test_compiled_tangents_agree_with_the_reference(fun):
    def push(x, w):
        return jvp(fun, (x, w), (lax.cos(x), w * w))

    want = on_numpy(push, XS, W)
    assert_same(jit(push)(XS, W), want)
    assert_same(push(XS, W), want)
    out, f_jvp = linearize(fun, XS, W)
    assert_same((out, f_jvp(np.cos(XS), W * W)), want)
    check_jaxpr(make_jaxpr(push)(XS, W))


BATCH_X = np.stack([XS, -XS, XS * 2])
BATCH_W = np.stack([W, -W, W[::-1] * 0.5])


def by_rows(fun: Any, in_axes: tuple[Any, Any]) -> Any:
    rows = [
        fun(BATCH_X[i] if in_axes[0] == 0 else XS, BATCH_W[i] if in_axes[1] == 0 else W)
        for i in range(3)
    ]
    return tree.map(lambda *vs: np.stack([np.asarray(v) for v in vs]), *rows)


@pytest.mark.parametrize("in_axes", [(0, 0), (0, None), (None, 0)], ids=str)
@pytest.mark.parametrize("fun", PROGRAMS)
def test_batches_are_their_rows(fun, in_axes):
    args = (BATCH_X if in_axes[0] == 0 else XS, BATCH_W if in_axes[1] == 0 else W)
    want = on_numpy(by_rows, fun, in_axes)
    assert_same(on_numpy(vmap(fun, in_axes), *args), want)
    if in_axes == (0, 0):
        assert_same(jit(vmap(fun, in_axes))(*args), want)
    check_jaxpr(make_jaxpr(vmap(fun, in_axes))(*args))


@pytest.mark.parametrize("fun", REVERSIBLE)
def test_batches_of_gradients_and_gradients_of_batches(fun):
    total = scalar(fun)
    want = on_numpy(by_rows, grad(total), (0, 0))
    assert_same(on_numpy(vmap(grad(total)), BATCH_X, BATCH_W), want)
    of_batch = grad(lambda x, w: lax.reduce_sum(vmap(total)(x, w), (0,)))
    assert_same(on_numpy(of_batch, BATCH_X, BATCH_W), want)
    assert_same(jit(of_batch)(BATCH_X, BATCH_W), want)


@pytest.mark.parametrize(
    "fun", [cond_on_value, scan_sum_of_products, scan_holding_cond, scan_nested]
)
def test_jacobians_by_both_modes_agree(fun):
    forward, reverse = on_numpy(jacfwd(fun), XS, W), on_numpy(jacrev(fun), XS, W)
    assert_same(forward, reverse)
    assert_same(jit(jacrev(fun))(XS, W), reverse)


@pytest.mark.parametrize("fun", [scan_sum_of_products, scan_holding_cond, cond_closing_over])
def test_third_order(fun):
    """Forward over reverse over forward, compiled."""

    def third(x, w):
        first = lambda x: jvp(lambda x: scalar(fun)(x, w), (x,), (x * x,))[1]  # noqa: E731
        return jvp(grad(first), (x,), (lax.sin(x),))[1]

    assert_same(jit(third)(XS, W), on_numpy(third, XS, W))


class TestReverse:
    def test_a_while_loop_has_no_reverse_mode(self):
        with pytest.raises(
            ValueError, match="Reverse-mode differentiation does not work.*lax.scan"
        ):
            grad(scalar(while_with_tangents))(XS, W)
        with pytest.raises(ValueError, match="static start/stop"):
            jit(grad(scalar(fori_unknown_bounds)))(XS, W)
        assert np.isfinite(scalar(while_with_tangents)(XS, W))

    def test_a_while_loop_on_the_side_does_no_harm(self):
        def fun(x):
            n = lax.while_loop(lambda i: i < 3, lambda i: i + 1, 0)
            return lax.reduce_sum(x * lax.convert_element_type(n, np.float64), (0,))

        np.testing.assert_array_equal(grad(fun)(XS), np.full(4, 3.0))
        np.testing.assert_array_equal(jit(grad(fun))(XS), np.full(4, 3.0))

    def test_python_bounds_under_grad_make_a_scan(self):
        np.testing.assert_allclose(
            grad(lambda x: lax.fori_loop(0, 3, lambda i, v: v * x, 1.0))(2.0), 12.0
        )

    def test_concrete_bounds_that_are_differentiated_values_still_work(self):
        def fun(x):
            n = lax.convert_element_type(lax.floor(x), np.int64)
            return lax.fori_loop(0, n, lambda i, v: v * x, 1.0)

        np.testing.assert_allclose(grad(fun)(3.5), 3 * 3.5**2)

    def test_the_branch_not_taken_may_be_singular(self):
        def fun(x):
            return lax.cond(x > 0, lax.sqrt, lambda v: v * 0.0, x)

        assert grad(fun)(-1.0) == 0
        assert jit(grad(fun))(-1.0) == 0
        np.testing.assert_array_equal(vmap(grad(fun))(np.array([4.0, 1.0])), [0.25, 0.5])

    def test_what_is_the_same_at_every_step_is_not_stacked(self):
        """The backward loop of a recurrence gets its matrix once, not once a step."""
        a = np.eye(3)

        def fun(a):
            return lax.reduce_sum(
                lax.scan(lambda h, _: (lax.dot(a, h), None), W, None, length=5)[0], (0,)
            )

        program = make_jaxpr(grad(fun))(a)
        shapes = [
            v.aval.shape for e in program.eqns if e.primitive.name == "scan" for v in e.outvars
        ]
        assert (5, 3, 3) not in shapes

    def test_results_that_are_not_used_get_no_cotangent(self):
        def fun(x):
            c, ys = lax.scan(lambda c, v: (c + v, c * v), 0.0, x)
            return c

        np.testing.assert_array_equal(grad(fun)(XS), np.ones(4))

    def test_linear_loops_transpose(self):
        def fun(x):
            return lax.scan(lambda c, v: (c * 0.5 + v, c), 0.0, x)[0]

        (ct,) = linear_transpose(fun, XS)(1.0)
        np.testing.assert_allclose(ct, [0.125, 0.25, 0.5, 1.0])

    def test_integers_and_booleans_ride_along(self):
        def fun(x):
            def step(carry, row):
                flag, n, c = carry
                v, k = row
                c = lax.select(flag, c * v, c + v)
                return (lax.bitwise_not(flag), n + k, c), (flag, n)

            carry, (flags, ns) = lax.scan(step, (True, 0, 1.0), (x, np.arange(4)))
            return carry[2], (carry[1], flags, ns)

        (value, aux), slope = value_and_grad(fun, has_aux=True)(XS)
        assert int(aux[0]) == 6 and aux[1].tolist() == [True, False, True, False]
        want = on_numpy(lambda: value_and_grad(fun, has_aux=True)(XS))
        assert_same(slope, want[1])
        on_numpy(lambda: check_grads(lambda x: fun(x)[0], (XS,), order=2))


class TestBatching:
    def test_a_predicate_for_each_row_runs_both_branches(self):
        fun = vmap(lambda p, x: lax.cond(p, lambda x: x * 2, lambda x: x - 1, x))
        result = fun(np.array([True, False]), np.array([1.0, 5.0]))
        np.testing.assert_array_equal(result, [2, 4])

    def test_one_predicate_for_all_rows_stays_a_conditional(self):
        fun = vmap(lambda x, p: lax.cond(p, lax.sin, lax.cos, x), in_axes=(0, None))
        names = [e.primitive.name for e in make_jaxpr(fun)(XS, True).eqns]
        assert "cond" in names and "select_n" not in names

    def test_rows_of_a_while_loop_stop_at_their_own_step(self):
        fun = vmap(lambda x: lax.while_loop(lambda v: v < 100, lambda v: v * 2, x))
        start = np.array([1.0, 3.0, 200.0, 99.0])
        np.testing.assert_array_equal(fun(start), [128, 192, 200, 198])
        np.testing.assert_array_equal(jit(fun)(start), [128, 192, 200, 198])

    def test_a_batched_body_with_a_common_condition_stays_one_loop(self):
        def fun(x):
            return lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * 2), (0, x))

        count, value = vmap(fun, out_axes=(None, 0))(XS)
        np.testing.assert_array_equal(value, XS * 8)
        assert int(count) == 3

    def test_carries_become_batched_as_far_as_needed(self):
        def fun(x):
            return lax.scan(lambda c, _: ((c[1], c[2], c[2] + x), c[0]), (0.0, 0.0, 0.0), length=4)

        _, ys = vmap(fun)(np.array([1.0, 2.0]))
        np.testing.assert_array_equal(ys, [[0, 0, 0, 1], [0, 0, 0, 2]])

    def test_loops_in_loops_in_batches_of_batches(self):
        fun = scan_nested
        want = np.stack(
            [np.stack([np.asarray(on_numpy(fun, x, w)[1]) for w in BATCH_W]) for x in BATCH_X]
        )
        got = jit(vmap(vmap(fun, (None, 0)), (0, None)))(BATCH_X, BATCH_W)[1]
        assert_same(got, want)

    def test_map_with_a_batch_size_gives_the_same(self):
        for size in (1, 2, 3, 4, 9):
            got = lax.map(lambda v: lax.sin(v) * W, XS, batch_size=size)
            assert_same(got, np.sin(XS)[:, None] * W)


def test_a_loop_called_again_is_compiled_once(caplog):
    def step(c, x):
        return c + x, c

    with log_compiles(True):
        for _ in range(3):
            lax.scan(step, 0.5, XS)
    assert sum("Compiled scan" in r.message for r in caplog.records) == 1
