"""Derivatives and batches of factorisations at the edges, where formulas are apt to divide by zero.

Ordinary matrices are samples of the op database.
"""

from __future__ import annotations

import numpy as np
import pytest

from jx_ad import grad, jvp, vjp
from jx_batching import vmap
from jx_core import backend, lax, make_jaxpr
from jx_core.config import enable_x64

linalg = lax.linalg


@pytest.fixture(autouse=True)
def plain_numpy():
    with enable_x64(True), backend.use("numpy"):
        yield


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def differences(fun, x, t, step=1e-6):
    """The derivative along `t` by central differences."""
    above, below = fun(x + step * t), fun(x - step * t)
    return [
        (np.asarray(a) - np.asarray(b)) / (2 * step) for a, b in zip(above, below, strict=True)
    ]


def agrees(fun, x, t):
    _, got = jvp(fun, (x,), (t,))
    for a, b in zip(got, differences(fun, x, t), strict=True):
        np.testing.assert_allclose(np.asarray(a), b, atol=1e-6)


RANK_ONE = np.array([[1.0, 2.0], [2.0, 4.0]])


class TestMatricesThatHaveLostOneRank:
    def test_lu(self):
        agrees(lambda x: [linalg.lu(x)[0]], RANK_ONE, random(2, 2))

    def test_lu_of_a_wide_matrix(self):
        x = np.concatenate([RANK_ONE, [[5.0], [7.0]]], 1)
        agrees(lambda x: [linalg.lu(x)[0]], x, random(2, 3))

    def test_the_determinants_gradient_is_the_matrix_of_cofactors(self):
        def determinant(x):  # of rows that are exchanged once
            packed = linalg.lu(x)[0]
            return lax.neg(lax.mul(*[lax.squeeze(lax.slice(packed, (i, i), (i + 1, i + 1)), (0, 1))
                                     for i in range(2)]))  # fmt: skip

        np.testing.assert_allclose(
            np.asarray(grad(determinant)(RANK_ONE)), [[4, -2], [-2, 1]], atol=1e-14
        )

    @pytest.mark.parametrize("columns", [2, 3])
    def test_qr(self, columns):
        x = np.concatenate([RANK_ONE, [[5.0], [7.0]]], 1)[:, :columns]
        agrees(lambda x: list(linalg.qr(x)), x, random(2, columns))


class TestFullQR:
    @pytest.mark.parametrize("pivoting", [False, True])
    def test_further_columns_are_those_of_the_reflections(self, pivoting):
        agrees(lambda x: list(linalg.qr(x, pivoting=pivoting))[:2], random(5, 2), random(5, 2))

    def test_where_nothing_is_reflected_the_derivative_is_that_of_some_decomposition(self):
        """Q jumps there: a column that is zero below the diagonal is left as it is."""
        x, t = np.eye(4, 2), random(4, 2)
        (q, r), (dq, dr) = jvp(lambda x: list(linalg.qr(x)), (x,), (t,))
        q, r, dq, dr = map(np.asarray, (q, r, dq, dr))
        np.testing.assert_allclose(dq @ r + q @ dr, t, atol=1e-14)
        np.testing.assert_allclose(q.T @ dq + dq.T @ q, 0, atol=1e-14)

    def test_packed_forms_stay_finite_there(self):
        _, moved = jvp(lambda x: list(linalg.geqrf(x)), (np.eye(4, 2),), (random(4, 2),))
        assert all(np.isfinite(np.asarray(m)).all() for m in moved)


class TestWhatIsNotRead:
    def test_cholesky_reads_the_lower_triangle(self):
        x = 3 * np.eye(3) + random(3, 3)
        gradient = np.asarray(
            grad(lambda x: lax.reduce_sum(linalg.cholesky(x, symmetrize_input=False), (0, 1)))(
                x @ x.T
            )
        )
        assert np.array_equal(gradient, np.tril(gradient)) and gradient[2, 0] != 0

    def test_cholesky_of_what_is_made_symmetric_reads_both(self):
        x = 3 * np.eye(3) + random(3, 3)
        gradient = np.asarray(
            grad(lambda x: lax.reduce_sum(linalg.cholesky(x), (0, 1)))(x @ x.T)
        )
        np.testing.assert_allclose(gradient, gradient.T)

    @pytest.mark.parametrize("lower", [False, True])
    @pytest.mark.parametrize("unit", [False, True])
    def test_triangular_solve_reads_one_triangle(self, lower, unit):
        def total(a):
            x = linalg.triangular_solve(
                a, np.ones((3, 1)), left_side=True, lower=lower, unit_diagonal=unit
            )
            return lax.reduce_sum(x, (0, 1))

        gradient = np.asarray(grad(total)(4 * np.eye(3) + random(3, 3)))
        kept = (np.tril if lower else np.triu)(gradient, (-1 if lower else 1) * unit)
        assert np.array_equal(gradient, kept) and np.count_nonzero(gradient) == 3 + 3 * (not unit)

    def test_tridiagonal_solve_reads_one_entry_less_beside_the_diagonal(self):
        dl, d, du = random(3), random(3, seed=1) + 4, random(3, seed=2)
        first, _, last = vjp(
            lambda *a: linalg.tridiagonal_solve(*a, np.ones((3, 1))), dl, d, du
        )[1](np.ones((3, 1)))
        assert np.asarray(first)[0] == 0 and np.asarray(last)[2] == 0
        assert np.all(np.asarray(first)[1:] != 0)


class TestUpdatesOfCholeskyFactors:
    R = np.triu(random(3, 3)) + 3 * np.eye(3)

    @pytest.mark.parametrize("w", [[0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [0.0, 0.0, 1.0]])
    def test_zeros_in_the_vector_move_too(self, w):
        agrees(lambda w: [linalg.cholesky_update(self.R, w)], np.array(w), random(3))

    def test_nothing_added_changes_nothing(self):
        zero, t = np.zeros(3), random(3)
        for r in (self.R, -self.R):
            out, moved = jvp(lambda w, r=r: linalg.cholesky_update(r, w), (zero,), (t,))
            np.testing.assert_array_equal(np.asarray(out), r)
            np.testing.assert_array_equal(np.asarray(moved), np.zeros((3, 3)))

    def test_a_diagonal_of_zeros_gives_no_nan(self):
        gradient = grad(lambda r: lax.reduce_sum(linalg.cholesky_update(r, np.zeros(2)), (0, 1)))
        assert np.isfinite(np.asarray(gradient(np.zeros((2, 2))))).all()

    def test_great_and_small_numbers_are_scaled(self):
        for size in (1e-200, 1e200):
            out = linalg.cholesky_update_p.decompose(np.array([[3 * size]]), np.array([4 * size]))
            np.testing.assert_allclose(np.asarray(out), [[5 * size]])


class TestBatchesThatShareTheMatrix:
    """One system with more right-hand sides, whatever the leading axes."""

    @pytest.mark.parametrize("left_side", [False, True])
    @pytest.mark.parametrize("axis", [0, 1, 2, 3])
    def test_triangular_solve(self, left_side, axis):
        a, b = random(2, 3, 3) + 4 * np.eye(3), random(2, 3, 3, 4)
        b = np.moveaxis(b if left_side else np.swapaxes(b, 1, 2), 3, axis)
        program = make_jaxpr(
            vmap(lambda b: linalg.triangular_solve(a, b, left_side=left_side), in_axes=axis)
        )(b)
        (solve,) = [e for e in program.jaxpr.eqns if e.primitive is linalg.triangular_solve_p]
        assert [v.aval.shape for v in solve.invars] == [
            (2, 3, 3), (2, 3, 12) if left_side else (2, 12, 3)
        ]  # fmt: skip

    def test_tridiagonal_solve(self):
        d, b = random(2, 3) + 4, random(5, 2, 3, 4)
        program = make_jaxpr(vmap(lambda b: linalg.tridiagonal_solve(d, d, d, b)))(b)
        (solve,) = [e for e in program.jaxpr.eqns if e.primitive is linalg.tridiagonal_solve_p]
        assert solve.invars[-1].aval.shape == (2, 3, 20)


def test_derivatives_where_the_decomposition_fails_are_nan_and_no_error():
    moved = jvp(linalg.cholesky, (-np.eye(2),), (np.eye(2),))[1]
    assert np.isnan(np.asarray(moved)[1, 0])
