"""`jx.scipy`'s solvers and rotations in compiled programs on XLA, against SciPy's.

What runs as a loop or as a class there: `sparse.linalg`, `optimize`, `spatial.transform`.
"""

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse.linalg
from scipy.spatial import transform as oracle

import jx_numpy as jnp
import jx_xla  # noqa: F401  (the back end under test)
from jx_ad import grad, jacrev, value_and_grad
from jx_batching import vmap
from jx_core import backend, jit
from jx_core.config import enable_x64
from jx_numpy.scipy.optimize import minimize
from jx_numpy.scipy.sparse.linalg import bicgstab, cg, gmres
from jx_numpy.scipy.spatial.transform import Rotation, Slerp

RNG = np.random.default_rng(11)
N = 8
GENERAL = RNG.normal(size=(N, N)) / 3 + 2 * np.eye(N)
POSITIVE = GENERAL @ GENERAL.T
COMPLEX = GENERAL + 1j * RNG.normal(size=(N, N)) / 5
HERMITIAN = COMPLEX @ COMPLEX.conj().T
B = RNG.normal(size=N)
QUATS = RNG.normal(size=(6, 4))
SPLITS = np.array([0.0, 1.0, 2.5, 4.0, 4.5, 6.0])


@pytest.fixture(autouse=True)
def on_xla_in_double_precision():
    with backend.use("xla"), enable_x64(True):
        yield


def gmres_incremental(*args, **kwargs):
    return gmres(*args, solve_method="incremental", **kwargs)


def gmres_restarted(*args, **kwargs):
    return gmres(*args, restart=3, **kwargs)


ORACLES = {
    cg: scipy.sparse.linalg.cg,
    bicgstab: scipy.sparse.linalg.bicgstab,
    gmres: scipy.sparse.linalg.gmres,
    gmres_incremental: scipy.sparse.linalg.gmres,
    gmres_restarted: scipy.sparse.linalg.gmres,
}
SYSTEMS = [(cg, POSITIVE), (cg, HERMITIAN)] + [
    (f, a) for f in ORACLES if f is not cg for a in (GENERAL, COMPLEX)
]


# --- linear systems ---


@pytest.mark.parametrize(("solver", "a"), SYSTEMS)
def test_solutions_are_scipys(solver, a):
    got, _ = jit(lambda a, b: solver(a, b, tol=1e-12))(a, B)
    want, failed = ORACLES[solver](a, B, rtol=1e-12)
    assert not failed and got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("solver", [cg, bicgstab, gmres])
def test_preconditioned_solutions_from_a_guess_are_scipys(solver):
    near = np.linalg.inv(POSITIVE + 0.01 * np.eye(N))

    @jit
    def solve(a, near, b, x0):
        return solver(lambda x: a @ x, b, x0, tol=1e-12, M=lambda x: near @ x)[0]

    want, _ = ORACLES[solver](POSITIVE, B, np.ones(N), rtol=1e-12, M=near)
    np.testing.assert_allclose(solve(POSITIVE, near, B, np.ones(N)), want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("solver", [cg, bicgstab, gmres])
def test_the_derivative_of_a_solution_is_the_inverse(solver):
    jacobian = jit(jacrev(lambda b: solver(POSITIVE, b, tol=1e-12)[0]))(B)
    np.testing.assert_allclose(jacobian, np.linalg.inv(POSITIVE), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("solver", [cg, bicgstab, gmres])
def test_many_right_hand_sides_at_once(solver):
    many = RNG.normal(size=(3, N))
    got = jit(vmap(lambda b: solver(POSITIVE, b, tol=1e-12)[0]))(many)
    np.testing.assert_allclose(got, np.linalg.solve(POSITIVE, many.T).T, rtol=1e-8, atol=1e-9)


def test_fewer_steps_than_needed_are_those_of_scipy():
    got, _ = jit(lambda b: cg(POSITIVE, b, tol=0.0, maxiter=3))(B)
    want, _ = scipy.sparse.linalg.cg(POSITIVE, B, rtol=0.0, maxiter=3)
    np.testing.assert_allclose(got, want, rtol=1e-10)


# --- minima ---


def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def himmelblau(p):
    return (p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2


def quartic(x, shift):
    return ((x - shift) ** 4).sum() + ((x - shift) ** 2).sum()


METHODS = {"BFGS": "BFGS", "l-bfgs-experimental-do-not-rely-on-this": "L-BFGS-B"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("fun", "start"), [(rosenbrock, np.zeros(2)), (rosenbrock, np.full(6, 0.5)),
                       (himmelblau, np.ones(2))],
)  # fmt: skip
def test_minima_are_scipys(method, fun, start):
    options = {} if method == "BFGS" else {"ftol": 0.0}
    result = jit(lambda x: minimize(fun, x, method=method, tol=1e-7, options=options))(start)
    slope = jit(grad(fun))
    want = scipy.optimize.minimize(fun, start, method=METHODS[method], jac=slope, tol=1e-9)
    assert result.success and result.status == 0
    np.testing.assert_allclose(result.x, want.x, atol=1e-5)
    np.testing.assert_allclose(result.fun, want.fun, atol=1e-9)
    np.testing.assert_allclose(result.jac, slope(result.x), rtol=1e-6, atol=1e-9)


def test_minima_for_many_parameters_at_once():
    shifts = np.array([[0.5, -1.0], [3.0, 2.0]])

    @jit
    @vmap
    def minimum(shift):
        return minimize(quartic, jnp.zeros(2), (shift,), method="BFGS", tol=1e-8).x

    np.testing.assert_allclose(minimum(shifts), shifts, atol=1e-6)


def test_what_stops_early_says_so():
    result = jit(lambda x: minimize(rosenbrock, x, method="BFGS", options={"maxiter": 2}))(
        np.zeros(2)
    )
    assert not result.success and result.status == 1 and result.nit == 2


# --- rotations ---


def check_close(got, want, tolerance=1e-11):
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


FORMS = {
    "matrix": lambda r: r.as_matrix(), "rotvec": lambda r: r.as_rotvec(),
    "mrp": lambda r: r.as_mrp(), "quat": lambda r: r.as_quat(),
    "magnitude": lambda r: r.magnitude(), "inverse": lambda r: r.inv().as_matrix(),
    "euler": lambda r: r.as_euler("zyx"), "applied": lambda r: r.apply(np.array([1.0, 2.0, 3.0])),
    "composed": lambda r: (r * r).as_matrix(), "mean": lambda r: r.mean().as_matrix(),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_rotations_are_scipys(form):
    got = jit(lambda quats: FORMS[form](Rotation.from_quat(quats)))(QUATS)
    check_close(got, FORMS[form](oracle.Rotation.from_quat(QUATS)))


@pytest.mark.parametrize("made", ["matrix", "rotvec", "mrp"])
def test_rotations_made_of_other_forms_are_scipys(made):
    form = FORMS[made](oracle.Rotation.from_quat(QUATS))
    make = f"from_{made}"
    got = jit(lambda x: getattr(Rotation, make)(x).as_matrix())(form)
    check_close(got, getattr(oracle.Rotation, make)(form).as_matrix())


@pytest.mark.parametrize("seq", ["xyz", "ZYX", "zxz"])
def test_rotations_by_eulers_angles_are_scipys(seq):
    angles = RNG.uniform(-1.4, 1.4, (5, 3))
    got = jit(lambda x: Rotation.from_euler(seq, x).as_quat(canonical=True))(angles)
    check_close(got, oracle.Rotation.from_euler(seq, angles).as_quat(canonical=True))


def test_interpolated_rotations_are_scipys():
    times = np.array([0.2, 1.0, 3.9, 5.5])
    got = jit(lambda q, t: Slerp.init(SPLITS, Rotation.from_quat(q))(t).as_matrix())(QUATS, times)
    check_close(got, oracle.Slerp(SPLITS, oracle.Rotation.from_quat(QUATS))(times).as_matrix())


def test_gradients_through_rotations():
    def height(vector):
        return Rotation.from_rotvec(vector).apply(np.array([1.0, 2.0, 3.0]))[2]

    def scipys(vector):
        return oracle.Rotation.from_rotvec(vector).apply([1.0, 2.0, 3.0])[2]

    at = np.array([0.3, -0.5, 0.7])
    value, slope = jit(value_and_grad(height))(at)
    check_close(value, scipys(at))
    steps = [(scipys(at + h) - scipys(at - h)) / 2e-6 for h in 1e-6 * np.eye(3)]
    np.testing.assert_allclose(slope, steps, rtol=1e-7)
