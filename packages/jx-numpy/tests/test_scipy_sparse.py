"""`jx.scipy.sparse.linalg`: solutions, derivatives, pytrees, and what cannot be solved."""

import numpy as np
import pytest

import jx_numpy as jnp
from jx_ad import jacfwd, jacrev, jvp
from jx_batching import vmap
from jx_core import jit
from jx_core.config import enable_x64
from jx_numpy.scipy.sparse.linalg import bicgstab, cg, gmres

RNG = np.random.default_rng(3)
N = 6
ANY = RNG.normal(size=(N, N)) / 3 + 2 * np.eye(N)
POSITIVE = ANY @ ANY.T
COMPLEX = ANY + 1j * RNG.normal(size=(N, N)) / 5
HERMITIAN = COMPLEX @ COMPLEX.conj().T
B = RNG.normal(size=N)


@pytest.fixture(autouse=True)
def in_double_precision():
    with enable_x64(True):
        yield


def gmres_incremental(*args, **kwargs):
    return gmres(*args, solve_method="incremental", **kwargs)


def gmres_restarted(*args, **kwargs):
    return gmres(*args, restart=3, **kwargs)


GENERAL = [bicgstab, gmres, gmres_incremental, gmres_restarted]
CASES = [(cg, a) for a in (POSITIVE, HERMITIAN)] + [
    (f, a) for f in GENERAL for a in (POSITIVE, ANY, COMPLEX)
]


def assert_solves(a, x, b, tolerance=1e-8):
    np.testing.assert_allclose(a @ np.asarray(x), b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("solver, a", CASES)
def test_solutions(solver, a):
    for b in (B, B + 1j * B[::-1]):
        x, info = solver(a, b, tol=1e-11)
        assert info is None if solver in (cg, bicgstab) else info == 0
        assert_solves(a, x, b)
    near = np.linalg.solve(a, B) + 0.01
    assert_solves(a, solver(a, B, near, tol=1e-11)[0], B)
    scaled = np.diag(1 / np.diag(a).real)
    assert_solves(a, solver(lambda v: a @ v, B, tol=1e-11, M=scaled)[0], B)
    assert_solves(a, solver(a, B, tol=1e-11, M=lambda v: scaled @ v)[0], B)


@pytest.mark.parametrize("solver", [cg, *GENERAL])
def test_vectors_may_be_pytrees(solver):
    b = {"x": np.ones((2, 3)), "y": np.arange(2.0)}

    def apply(v):
        return {"x": 5 * v["x"] + v["y"].sum(), "y": 4 * v["y"] + v["x"].sum()}

    x, _ = solver(apply, b, tol=1e-11)
    again = apply(x)
    np.testing.assert_allclose(again["x"], b["x"], atol=1e-8)
    np.testing.assert_allclose(again["y"], b["y"], atol=1e-8)


@pytest.mark.parametrize("solver", [cg, bicgstab, gmres])
def test_derivatives_are_those_of_the_solution(solver):
    def iterated(s, b):
        return solver(s @ s.T + jnp.eye(3), b, tol=1e-13, M=jnp.diag(1 / jnp.diag(s @ s.T)))[0]

    def direct(s, b):
        return jnp.linalg.solve(s @ s.T + jnp.eye(3), b)

    s, b = ANY[:3, :3], B[:3]
    for derivative in (jacfwd, jacrev, lambda f, i: jacfwd(jacrev(f, i), i)):
        for argument in (0, 1):
            got, want = derivative(iterated, argument)(s, b), derivative(direct, argument)(s, b)
            np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("solver", [bicgstab, gmres])
def test_systems_that_are_not_symmetric_are_transposed(solver):
    def solved(a, b):
        return solver(a, b, tol=1e-13, M=jnp.diag(1 / jnp.diag(a)))[0]

    got = jacrev(solved, 0)(ANY, B)
    np.testing.assert_allclose(got, jacfwd(jnp.linalg.solve, 0)(ANY, B), rtol=1e-7, atol=1e-8)


def test_derivatives_of_hermitian_systems():
    tangent = B + 1j * B[::-1]
    _, got = jvp(lambda b: cg(HERMITIAN, b, tol=1e-12)[0], (tangent,), (1j * tangent,))
    assert_solves(HERMITIAN, got, 1j * tangent)
    row = jacrev(lambda b: cg(HERMITIAN, b + 0j, tol=1e-12)[0].real)(B)
    np.testing.assert_allclose(row, np.linalg.inv(HERMITIAN).real, atol=1e-8)


@pytest.mark.parametrize("solver", [cg, *GENERAL])
def test_compiled_and_mapped(solver):
    def solved(a, b):
        return solver(a, b, tol=1e-11)[0]

    assert_solves(POSITIVE, jit(solved)(POSITIVE, B), B)
    first, second = vmap(solved)(np.stack([POSITIVE, 2 * POSITIVE]), np.stack([B, B + 1]))
    assert_solves(POSITIVE, first, B)
    assert_solves(2 * POSITIVE, second, B + 1)


@pytest.mark.parametrize("solver", [cg, *GENERAL])
def test_edges(solver):
    np.testing.assert_array_equal(solver(POSITIVE, np.zeros(N))[0], np.zeros(N))
    whole = solver(2 * np.eye(3, dtype=int), np.array([2, 4, 6]))[0]
    np.testing.assert_allclose(whole, [1, 2, 3])
    # Nothing solves this; the answer is still one of numbers.
    assert np.isfinite(solver(np.diag([1.0, 0.0]), np.array([1.0, 0.0]))[0]).all()
    one_step = solver(POSITIVE, B, maxiter=1)[0]
    if solver in (cg, bicgstab):
        assert np.linalg.norm(POSITIVE @ one_step - B) > 1e-5
    assert_solves(POSITIVE, solver(POSITIVE, B, tol=0.0, atol=1e-10)[0], B)


@pytest.mark.parametrize("solver", [cg, bicgstab, gmres])
def test_errors_say_what_is_wrong(solver):
    with pytest.raises(TypeError, match="A must be"):
        solver("matrix", B)
    with pytest.raises(ValueError, match="square"):
        solver(np.ones((2, 3)), np.ones(3))
    with pytest.raises(ValueError, match="shape"):
        solver(POSITIVE, B, np.ones(2))
    with pytest.raises(ValueError, match="tree"):
        solver(POSITIVE, B, [B])
    with pytest.raises(ValueError, match="tree"):
        solver(lambda v: (v, v), B)
    with pytest.raises(ValueError, match="solve_method"):
        gmres(POSITIVE, B, solve_method="other")
