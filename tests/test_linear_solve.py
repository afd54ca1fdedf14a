"""Equations solved by whatever solver: `custom_linear_solve` and `custom_root` at every layer.

The generic tests have small samples of both; here are solvers that can't be differentiated
backwards themselves, what they close over, what they return besides, and errors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jx_xla  # noqa: F401  so that programs are compiled
from jx_ad import checkpoint, grad, hessian, jacfwd, jacrev, jvp, linearize, value_and_grad
from jx_batching import vmap
from jx_core import backend, check_jaxpr, jit, lax, make_jaxpr, tree
from jx_core.config import enable_x64

A = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 5.0]])  # symmetric, positive definite
B = np.array([1.0, -2.0, 0.5])
SKEW = A + np.array([[0.0, 0.7, 0.0], [0.0, 0.0, -0.4], [0.3, 0.0, 0.0]])


@pytest.fixture(autouse=True)
def double_precision():
    with enable_x64(True):
        yield


def total(x: Any) -> Any:
    return lax.reduce_sum(x, tuple(range(x.ndim)))


def conjugate_gradients(matvec, b):
    """An iteration whose length depends on the values: it has no reverse mode."""

    def step(state):
        x, r, p, n = state
        q = matvec(p)
        length = total(r * r) / total(p * q)
        rest = r - q * length
        return x + p * length, rest, rest + p * (total(rest * rest) / total(r * r)), n + 1

    zero = lax.full_like(b, 0)
    test = lambda s: (total(s[1] * s[1]) > 1e-26) & (s[3] < 20)  # noqa: E731
    x, _, _, _ = lax.while_loop(test, step, (zero, b, b, 0))
    return x


def jacobi(matvec, b):
    """An iteration that needs the diagonal to dominate."""
    return lax.fori_loop(0, 80, lambda i, x: x + (b - matvec(x)) * 0.15, lax.full_like(b, 0))


def symmetric(a, b):
    a = (a + lax.transpose(a, (1, 0))) * 0.5
    return lax.custom_linear_solve(lambda x: lax.dot(a, x), b, conjugate_gradients, symmetric=True)


def general(a, b):
    return lax.custom_linear_solve(lambda x: lax.dot(a, x), b, jacobi, jacobi)


def exact_symmetric(a, b):
    return np.linalg.solve((a + a.T) / 2, b)


def exact_gradients(a, b, ct):
    """Of `ct . x`: the solution of the transposed system, and minus its outer product with x."""
    ct_b = np.linalg.solve(a.T, ct)
    return -np.outer(ct_b, np.linalg.solve(a, b)), ct_b


@pytest.mark.parametrize("platform", ["xla", "numpy"])
@pytest.mark.parametrize("wrap", [lambda f: f, jit], ids=["eager", "jit"])
class TestLinearSolve:
    def test_solves(self, wrap, platform):
        with backend.use(platform):
            np.testing.assert_allclose(wrap(symmetric)(A, B), np.linalg.solve(A, B), rtol=1e-9)
            np.testing.assert_allclose(wrap(general)(SKEW, B), np.linalg.solve(SKEW, B), rtol=1e-7)

    def test_gradients_solve_the_transposed_system(self, wrap, platform):
        ct = np.array([0.3, 1.0, -2.0])
        with backend.use(platform):
            fun = wrap(grad(lambda a, b: total(general(a, b) * ct), (0, 1)))
            for got, want in zip(fun(SKEW, B), exact_gradients(SKEW, B, ct), strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-6)

    def test_tangents_solve_the_same_system(self, wrap, platform):
        da, db = SKEW * 0.1, B + 1
        with backend.use(platform):
            x, dx = jvp(wrap(general), (SKEW, B), (da, db))
        np.testing.assert_allclose(dx, np.linalg.solve(SKEW, db - da @ np.asarray(x)), rtol=1e-6)

    def test_rows_are_solved_together(self, wrap, platform):
        """Each to its own end, though the iteration runs until the last is there."""
        systems = np.stack([A, A + 2 * np.eye(3), A * 3])
        sides = np.stack([B, B * 0, B + 1])
        with backend.use(platform):
            for in_axes, args, rows in (
                ((0, 0), (systems, sides), (systems, sides)),
                ((None, 0), (A, sides), ([A] * 3, sides)),
                ((None, 1), (A, sides.T), ([A] * 3, sides)),
                ((0, None), (systems, B), (systems, [B] * 3)),
            ):
                got = wrap(vmap(symmetric, in_axes))(*args)
                want = [np.linalg.solve(a, b) for a, b in zip(*rows, strict=True)]
                np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-12)

    def test_gradients_of_batches_are_batches_of_gradients(self, wrap, platform):
        sides = np.stack([B, B + 1])
        one = lambda a, b: total(symmetric(a, b) * symmetric(a, b))  # noqa: E731
        with backend.use(platform):
            rows = [grad(one)(A, b) for b in sides]
            got = wrap(vmap(grad(one), (None, 0)))(A, sides)
            np.testing.assert_allclose(got, np.stack(rows), rtol=1e-7)
            got = wrap(grad(lambda a: total(vmap(one, (None, 0))(a, sides))))(A)
            np.testing.assert_allclose(got, sum(map(np.asarray, rows)), rtol=1e-7)

    def test_second_derivatives(self, wrap, platform):
        with backend.use(platform):
            got = wrap(hessian(lambda a: total(symmetric(a, B))))(A)
            both = wrap(jacfwd(jacfwd(lambda a: total(symmetric(a, B)))))(A)
        np.testing.assert_allclose(got, both, rtol=1e-6, atol=1e-9)
        assert got.shape == (3, 3, 3, 3) and np.abs(got).max() > 0.01


class TestLinearSolveWithin:
    """Within other programs."""

    def test_a_scan_of_solutions_has_a_reverse_mode(self):
        def fun(a, b):
            return total(lax.scan(lambda x, _: (symmetric(a, x) + b, None), b, length=3)[0])

        def exact(a, b):
            x = b
            for _ in range(3):
                x = exact_symmetric(a, x) + b
            return x.sum()

        got = tree.map(np.asarray, jit(grad(fun, (0, 1)))(A, B))
        step = 1e-6
        for i in range(3):
            change = np.zeros(3)
            change[i] = step
            want = (exact(A, B + change) - exact(A, B - change)) / (2 * step)
            np.testing.assert_allclose(got[1][i], want, rtol=1e-6)
            change = np.zeros((3, 3))
            change[i, 1] = step
            want = (exact(A + change, B) - exact(A - change, B)) / (2 * step)
            np.testing.assert_allclose(got[0][i, 1], want, rtol=1e-6)

    def test_checkpointed(self):
        fun = lambda a: total(symmetric(a, B))  # noqa: E731
        np.testing.assert_allclose(grad(checkpoint(fun))(A), grad(fun)(A), rtol=1e-12)

    def test_both_modes_agree_on_jacobians(self):
        np.testing.assert_allclose(
            jacrev(general)(SKEW, B), jacfwd(general)(SKEW, B), rtol=1e-6, atol=1e-9
        )

    def test_a_linearised_solution_is_applied_many_times(self):
        x, push = linearize(lambda b: general(SKEW, b), B)
        np.testing.assert_allclose(push(B * 2), 2 * np.asarray(x), rtol=1e-8)

    def test_a_pytree_of_unknowns(self):
        def fun(d):
            return lax.custom_linear_solve(
                lambda v: {"x": v["x"] * d, "y": v["y"] * 2.0 + v["x"]},
                {"x": B, "y": B},
                lambda _, b: {"x": b["x"] / d, "y": (b["y"] - b["x"] / d) / 2.0},
                lambda _, b: {"x": (b["x"] - b["y"] / 2.0) / d, "y": b["y"] / 2.0},
            )

        d = np.array([2.0, 4.0, 5.0])
        out = fun(d)
        np.testing.assert_allclose(out["y"], (B - B / d) / 2)
        got = grad(lambda d: total(fun(d)["y"]))(d)
        np.testing.assert_allclose(got, B / d**2 / 2)

    def test_the_solver_may_return_more(self):
        def fun(b):
            return lax.custom_linear_solve(
                lambda x: x * 2.0, b, lambda f, b: (b / 2.0, {"steps": 3, "norm": total(b)}),
                symmetric=True, has_aux=True,
            )  # fmt: skip

        (value, aux), d = value_and_grad(lambda b: (total(fun(b)[0]), fun(b)[1]), has_aux=True)(B)
        assert value == B.sum() / 2 and aux["steps"] == 3
        np.testing.assert_array_equal(d, [0.5] * 3)
        x, aux = vmap(fun)(np.stack([B, B * 2]))
        np.testing.assert_allclose(aux["norm"], [B.sum(), 2 * B.sum()])

    def test_complex_systems_are_transposed_not_conjugated(self):
        a = SKEW + 1j * A.T
        solve = lambda a: lambda f, b: lax.convert_element_type(b, complex) * 0 + inverse(a, b)  # noqa: E731
        inverse = lambda a, b: lax.dot(np.linalg.inv(a), b)  # noqa: E731

        def fun(b):
            return lax.custom_linear_solve(lambda x: lax.dot(a, x), b, solve(a), solve(a.T))

        b = B + 0.5j
        np.testing.assert_allclose(
            jacrev(fun, holomorphic=True)(b), np.linalg.inv(a), rtol=1e-10, atol=1e-12
        )

    def test_programs_of_it_are_well_typed_and_print(self):
        program = make_jaxpr(grad(lambda a: total(general(a, B))))(SKEW)
        check_jaxpr(program)
        assert "transpose_solve=" in str(program) and "vecmat=" in str(program)

    def test_reverse_mode_without_a_transposed_solver(self):
        fun = lambda b: total(lax.custom_linear_solve(lambda x: x, b, lambda f, b: b))  # noqa: E731
        with pytest.raises(TypeError, match="transpose_solve required for backwards mode"):
            grad(fun)(B)
        assert jvp(fun, (B,), (B,))[1] == B.sum()

    @pytest.mark.parametrize(
        ("call", "error", "text"),
        [
            (
                lambda: lax.custom_linear_solve(lambda x: x, B, lambda f, b: np.ones(2)),
                ValueError, r"solve\(\) output shapes must match b, got \['f64\[2\]'\]",
            ),
            (
                lambda: lax.custom_linear_solve(lambda x: (x, x), B, lambda f, b: b), TypeError,
                r"matvec\(\) output pytree structure must match b",
            ),
            (
                lambda: lax.custom_linear_solve(lambda x: x, B, lambda f, b: b, has_aux=True),
                TypeError, r"solve\(\) must return a pair \(x, aux\)",
            ),
            (lambda: lax.custom_linear_solve(A, B, jacobi), TypeError, "matvec must be callable"),
        ],
    )  # fmt: skip
    def test_errors(self, call, error, text):
        with pytest.raises(error, match=text):
            call()


def bisection(f, x):
    """Halves an interval around the root of a rising function."""

    def step(i, ends):
        low, high = ends
        middle = (low + high) * 0.5
        above = f(middle) > 0
        return lax.select(above, low, middle), lax.select(above, middle, high)

    low, high = lax.fori_loop(0, 60, step, (x * 0, x * 0 + 10.0))
    return (low + high) * 0.5


def cube_root(a):
    one = lax.full_like(a, 1)
    return lax.custom_root(lambda x: x * x * x - a, one, bisection, lambda g, y: y / g(one))


@pytest.mark.parametrize("platform", ["xla", "numpy"])
@pytest.mark.parametrize("wrap", [lambda f: f, jit], ids=["eager", "jit"])
class TestRoot:
    def test_derivatives_are_those_of_the_root(self, wrap, platform):
        with backend.use(platform):
            assert abs(float(wrap(cube_root)(8.0)) - 2) < 1e-12
            assert abs(float(wrap(grad(cube_root))(8.0)) - 1 / 12) < 1e-10
            assert abs(float(wrap(grad(grad(cube_root)))(8.0)) + 1 / 144) < 1e-10
            assert abs(float(wrap(jacfwd(grad(cube_root)))(8.0)) + 1 / 144) < 1e-10

    def test_batches(self, wrap, platform):
        a = np.array([8.0, 27.0, 64.0])
        with backend.use(platform):
            np.testing.assert_allclose(wrap(vmap(cube_root))(a), [2, 3, 4], rtol=1e-12)
            got = wrap(vmap(grad(cube_root)))(a)
            np.testing.assert_allclose(got, 1 / (3 * np.array([4, 9, 16])), rtol=1e-9)
            got = wrap(grad(lambda a: total(vmap(cube_root)(a))))(a)
            np.testing.assert_allclose(got, 1 / (3 * np.array([4, 9, 16])), rtol=1e-9)

    def test_a_system_with_a_linear_solver_for_its_tangents(self, wrap, platform):
        """`x + 0.2 sin(m x) = a`, by fixed-point iteration; its tangents by another."""

        def root(m, a):
            def f(x):
                return x + lax.sin(lax.dot(m, x)) * 0.2 - a

            def solve(f, x):
                return lax.fori_loop(0, 80, lambda i, x: x - f(x), x)

            def tangent_solve(g, y):
                iterate = lambda h, b: lax.fori_loop(0, 80, lambda i, x: x + b - h(x), b * 0)  # noqa: E731
                return lax.custom_linear_solve(g, y, iterate, iterate)

            return lax.custom_root(f, a * 0, solve, tangent_solve)

        m = SKEW * 0.2
        with backend.use(platform):
            x = np.asarray(wrap(root)(m, B))
            np.testing.assert_allclose(x + 0.2 * np.sin(m @ x), B, rtol=1e-10)
            got = wrap(jacrev(root, 1))(m, B)
        want = np.linalg.inv(np.eye(3) + 0.2 * np.diag(np.cos(m @ x)) @ m)
        np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-10)


class TestRootAlone:
    def test_the_guess_and_the_solver_have_no_derivative(self):
        def fun(guess, extra):
            solve = lambda f, x: bisection(f, x * extra)  # noqa: E731
            return lax.custom_root(lambda x: x - 3.0, guess, solve, lambda g, y: y / g(1.0))

        assert grad(fun)(1.0, 1.0) == 0 and grad(fun, 1)(1.0, 1.0) == 0

    def test_what_the_solver_returns_besides(self):
        def fun(a):
            solve = lambda f, x: (x - f(x), {"steps": 1})  # noqa: E731
            push = lambda g, y: y / g(1.0)  # noqa: E731
            return lax.custom_root(lambda x: x - a, 1.0, solve, push, has_aux=True)

        (value, aux), d = value_and_grad(fun, has_aux=True)(5.0)
        assert (value, aux["steps"], d) == (5, 1, 1)

    def test_a_pytree_of_unknowns(self):
        def fun(a):
            return lax.custom_root(
                lambda v: (v[0] - a, v[1] * 2.0 - v[0]),
                (1.0, 1.0),
                lambda f, v: (v[0] - f(v)[0], (v[0] - f(v)[0]) / 2.0),
                lambda g, y: (y[0], (y[1] + y[0]) / 2.0),
            )

        assert tree.map(float, fun(6.0)) == (6.0, 3.0)
        assert grad(lambda a: fun(a)[1])(6.0) == 0.5

    @pytest.mark.parametrize(
        ("f", "solve", "tangents", "text"),
        [
            (lambda x: (x, x), lambda f, x: x, lambda g, y: y, r"f\(\) output pytree"),
            (lambda x: x, lambda f, x: [x], lambda g, y: y, r"solve\(\) output pytree"),
            (lambda x: x, lambda f, x: x, lambda g, y: (y, y), r"tangent_solve\(\) output pytree"),
            (lambda x: x > 0, lambda f, x: x, lambda g, y: y, r"expected f64\[\], got bool\[\]"),
            (3.0, lambda f, x: x, lambda g, y: y, "f must be callable"),
        ],
    )
    def test_errors(self, f, solve, tangents, text):
        with pytest.raises(TypeError, match=text):
            lax.custom_root(f, 1.0, solve, tangents)
