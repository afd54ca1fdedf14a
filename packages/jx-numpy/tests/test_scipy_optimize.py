"""`jx.scipy.optimize.minimize`: known minima, statuses, types and transformations."""

import numpy as np
import pytest

import jx_numpy as jnp
from jx_batching import vmap
from jx_core import jit
from jx_core.config import enable_x64
from jx_numpy.scipy.optimize import minimize

METHODS = ["BFGS", "l-bfgs-experimental-do-not-rely-on-this"]
LBFGS = METHODS[1]


@pytest.fixture(autouse=True)
def in_double_precision():
    with enable_x64(True):
        yield


def rosenbrock(x):
    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def himmelblau(p):
    x, y = p
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def matyas(p):
    x, y = p
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


def eggholder(p):
    x, y = p
    return -(y + 47) * jnp.sin(jnp.sqrt(jnp.abs(x / 2 + y + 47))) - x * jnp.sin(
        jnp.sqrt(jnp.abs(x - (y + 47)))
    )


CASES = [
    (rosenbrock, np.zeros(2), np.ones(2)),
    (rosenbrock, np.full(10, 0.5), np.ones(10)),
    (himmelblau, np.zeros(2), np.array([3.0, 2.0])),
    (matyas, np.ones(2), np.zeros(2)),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fun, start, minimum", CASES)
def test_known_minima(method, fun, start, minimum):
    options = {} if method == "BFGS" else {"ftol": 0.0}
    result = minimize(fun, start, method=method, tol=1e-6, options=options)
    assert result.success and result.status == 0
    np.testing.assert_allclose(result.x, minimum, atol=1e-5)
    assert np.max(np.abs(result.jac)) < 1e-6
    assert result.nfev == result.njev >= result.nit > 0


@pytest.mark.parametrize("method", METHODS)
def test_a_local_minimum_of_many(method):
    result = minimize(eggholder, np.full(2, 100.0), method=method)
    assert result.success
    np.testing.assert_allclose(result.x, [97.2734, 111.0996], atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_reaches_what_it_can(method):
    with enable_x64(False):
        result = minimize(rosenbrock, np.zeros(2), method=method, tol=1e-3)
        assert result.success and result.x.dtype == np.float32
        np.testing.assert_allclose(result.x, np.ones(2), atol=2e-3)


def test_the_inverse_hessian_is_estimated():
    matrix = np.array([[3.0, 1.0], [1.0, 2.0]])
    result = minimize(lambda x: 0.5 * x @ matrix @ x - x[0], np.array([4.0, -3.0]), method="bfgs")
    np.testing.assert_allclose(result.hess_inv, np.linalg.inv(matrix), atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_minimum_is_found_at_once(method):
    result = minimize(lambda x: jnp.sum(x**2), np.zeros(3), method=method)
    assert result.success and result.nit == 0


@pytest.mark.parametrize("method", METHODS)
def test_too_few_steps(method):
    result = minimize(rosenbrock, np.zeros(2), method=method, options={"maxiter": 3})
    assert not result.success and result.status == 1 and result.nit == 3


def test_other_limits_of_lbfgs():
    for option, status in (("maxfun", 2), ("maxgrad", 3), ("ftol", 4)):
        result = minimize(rosenbrock, np.zeros(2), method=LBFGS, options={option: 4})
        assert not result.success and result.status == status


@pytest.mark.parametrize("method", METHODS)
def test_no_minimum(method):
    result = minimize(lambda x: -jnp.sum(x), np.ones(2), method=method)
    assert not result.success and result.status == 5


@pytest.mark.parametrize("method", METHODS)
def test_steps_leave_where_the_function_is_no_number(method):
    result = minimize(lambda x: jnp.sum(x - jnp.log(x)), np.full(2, 0.1), method=method)
    assert result.success
    np.testing.assert_allclose(result.x, np.ones(2), atol=1e-4)


def test_complex_vectors():
    center = np.array([1 + 2j, 3 - 1j])
    result = minimize(
        lambda z: jnp.sum(jnp.abs(z - center) ** 2), np.zeros(2, complex), method=LBFGS
    )
    assert result.success and result.jac.dtype == np.complex128
    np.testing.assert_allclose(result.x, center, atol=1e-5)
    with pytest.raises(TypeError, match="real"):
        minimize(lambda z: jnp.sum(jnp.abs(z) ** 2), np.zeros(2, complex), method="BFGS")


@pytest.mark.parametrize("method", METHODS)
def test_it_can_be_compiled_and_mapped(method):
    def solve(center):
        def fun(x, c):
            return jnp.sum((x - c) ** 4 + (x - c) ** 2)

        return minimize(fun, jnp.zeros(2), (center,), method=method).x

    centers = np.array([[1.0, 2.0], [-3.0, 0.5]])
    np.testing.assert_allclose(jit(solve)(centers[0]), centers[0], atol=1e-4)
    np.testing.assert_allclose(vmap(solve)(centers), centers, atol=1e-4)


def test_errors_say_what_is_wrong():
    with pytest.raises(TypeError, match="tuple"):
        minimize(rosenbrock, np.zeros(2), [1], method="BFGS")
    with pytest.raises(ValueError, match="method"):
        minimize(rosenbrock, np.zeros(2), method="Newton")
    with pytest.raises(ValueError, match="vector"):
        minimize(rosenbrock, np.zeros((2, 2)), method="BFGS")
    with pytest.raises(TypeError, match="steps"):
        minimize(rosenbrock, np.zeros(2), method="BFGS", options={"steps": 3})
