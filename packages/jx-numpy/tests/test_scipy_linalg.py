"""`jx.scipy.linalg` at its edges: stacks, dtypes, errors, great norms, singular matrices."""

import numpy as np
import pytest
import scipy.linalg as oracle

import jx_numpy as jnp
from jx_ad import grad, jacfwd, jacrev, jvp
from jx_core import jit
from jx_core.config import enable_x64
from jx_core.errors import ConcretizationTypeError
from jx_numpy.scipy import linalg

RNG = np.random.default_rng(2)
A = RNG.normal(size=(4, 4))
POSITIVE = A @ A.T + np.eye(4)
STACK = np.stack([POSITIVE, 2 * POSITIVE + A, A])
HERMITIAN_STACK = np.stack([POSITIVE, A + A.T])


@pytest.fixture(autouse=True)
def in_double_precision():
    with enable_x64(True):
        yield


def assert_close(got, want, tolerance=1e-9):
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


# Stacks of matrices, of which SciPy takes one.


@pytest.mark.parametrize(
    "fun, stack",
    [
        (linalg.lu, STACK),
        (linalg.lu_factor, STACK),
        (linalg.expm, STACK),
        (linalg.sqrtm, STACK[:2]),
        (linalg.polar, STACK),
        (lambda a: linalg.hessenberg(a, calc_q=True), STACK),
        (lambda a: linalg.qr(a, mode="economic", pivoting=True), STACK),
        (lambda a: linalg.solve_sylvester(a, np.eye(2) * 9, np.ones((4, 2))), STACK),
        (lambda a: linalg.eigh(a, eigvals_only=True), HERMITIAN_STACK),
        (lambda a: linalg.expm_frechet(a, a), STACK),
    ],
)
def test_a_stack_gives_what_its_matrices_give(fun, stack):
    from jx_core import tree

    whole = [np.asarray(x) for x in tree.leaves(fun(stack))]
    rows = [[np.asarray(x) for x in tree.leaves(fun(a))] for a in stack]
    for got, *want in zip(whole, *rows, strict=True):
        assert_close(got, np.stack(want))


def test_special_matrices_of_stacks_of_vectors():
    vectors = RNG.normal(size=(3, 4))
    for fun in (linalg.toeplitz, linalg.circulant, linalg.companion, linalg.fiedler,
                linalg.fiedler_companion, linalg.hankel):  # fmt: skip
        want = [np.asarray(fun(v)) for v in vectors]
        assert_close(fun(vectors), np.stack(want))
    assert linalg.toeplitz(vectors, vectors[0, :2]).shape == (3, 4, 2)
    assert linalg.leslie(vectors, vectors[0, 1:]).shape == (3, 4, 4)
    assert linalg.convolution_matrix(vectors, 2).shape == (3, 5, 2)


def test_real_schur_forms_of_stacks_become_complex():
    t, z = linalg.rsf2csf(*linalg.schur(STACK))
    assert_close(z @ t @ np.conj(np.swapaxes(z, 1, 2)), STACK)
    assert_close(np.tril(t, -1), np.zeros_like(t))
    one, _ = linalg.rsf2csf(np.ones((1, 1)), np.eye(1))
    assert one.dtype == np.complex128


def test_solutions_for_a_vector_for_each_matrix():
    vectors = RNG.normal(size=(3, 4))
    want = np.stack([np.linalg.solve(a, v) for a, v in zip(STACK, vectors)])
    assert_close(linalg.lu_solve(linalg.lu_factor(STACK), vectors), want)
    lower = np.tril(STACK) + 3 * np.eye(4)
    want = np.stack([np.linalg.solve(a, v) for a, v in zip(lower, vectors)])
    assert_close(linalg.solve_triangular(lower, vectors, lower=True), want)
    assert linalg.solve_triangular(lower, vectors[0], lower=True).shape == (3, 4)
    assert linalg.solve(STACK[:2], vectors.T[None], assume_a="pos").shape == (2, 4, 3)


# Dtypes.


def test_single_precision_and_integers():
    with enable_x64(False):
        whole = np.array([[2, 1], [1, 3]])
        for fun in (linalg.expm, linalg.cholesky, linalg.inv, linalg.det, linalg.hessenberg):
            assert fun(whole).dtype == np.float32
        assert linalg.sqrtm(whole).dtype == np.complex64
        assert linalg.schur(whole, output="complex")[0].dtype == np.complex64
        assert linalg.toeplitz(whole[0]).dtype == np.int32
        assert linalg.hilbert(2).dtype == linalg.pascal(2).dtype == np.float32
        assert linalg.dft(2).dtype == np.complex64
        assert linalg.eigh_tridiagonal(np.ones(3, np.float32), np.ones(2, np.float32))[
            0
        ].dtype == np.float32  # fmt: skip


def test_permutations_of_complex_matrices_are_real():
    p, low, up = linalg.lu(A + 1j)
    assert p.dtype == np.float64 and low.dtype == up.dtype == np.complex128


# The exponential.


def test_great_norms_are_scaled_down_and_too_great_ones_are_not_numbers():
    rotation = 1e4 * np.array([[0.0, -1.0], [1.0, 0.0]])
    assert_close(linalg.expm(rotation), oracle.expm(rotation), 1e-9)
    assert np.isnan(linalg.expm(rotation, max_squarings=3)).all()
    assert np.isnan(linalg.expm(np.array([[np.inf, 0], [0, 1.0]]))).any()
    mixed = linalg.expm(np.stack([rotation, np.eye(2)]), max_squarings=3)
    assert np.isnan(mixed[0]).all()
    assert_close(mixed[1], np.e * np.eye(2))


@pytest.mark.parametrize("scale", [0.0, 1e-3, 1.0, 30.0])
def test_derivatives_of_the_exponential_at_any_norm(scale):
    direction = RNG.normal(size=(4, 4))
    _, got = jvp(linalg.expm, (scale * A,), (direction,))
    _, want = oracle.expm_frechet(scale * A, direction)
    assert_close(got / np.abs(want).max(), want / np.abs(want).max(), 1e-10)
    row = grad(lambda a: jnp.sum(linalg.expm(a) * direction))(scale * A)
    adjoint = oracle.expm_frechet(scale * A.T, direction, compute_expm=False)
    assert_close(row / np.abs(want).max(), adjoint / np.abs(want).max(), 1e-10)


def test_the_exponential_of_nothing():
    assert linalg.expm(np.zeros((0, 0))).shape == (0, 0)
    assert linalg.expm(np.zeros((0, 3, 3))).shape == (0, 3, 3)


def test_the_exponential_takes_no_half_precision():
    with pytest.raises(TypeError, match="float16"):
        linalg.expm(np.eye(2, dtype=np.float16))


# Roots and other functions.


def test_roots_of_singular_and_negative_matrices():
    root = linalg.sqrtm(np.diag([0.0, 4.0, 0.0]))
    assert_close(root, np.diag([0.0, 2.0, 0.0]))
    negative = linalg.sqrtm(np.diag([-4.0, 1.0]))
    assert_close(negative, np.diag([2j, 1.0]))


def test_estimated_errors_of_functions():
    value, error = linalg.funm(POSITIVE, jnp.exp, disp=False)
    _, want = oracle.funm(POSITIVE, np.exp, disp=False)
    assert_close(value, oracle.expm(POSITIVE), 1e-9)
    assert 0 < error < 1e-9 and want < 1e-9
    assert linalg.funm(np.array([[4.0]]), jnp.sqrt, disp=False)[1] > 0


# Spectra.


def test_eigenvectors_of_pairs_are_scaled_as_scipys():
    a = A + A.T
    for kind in (1, 2, 3):
        w, v = linalg.eigh(a, POSITIVE, type=kind)
        products = [(a, POSITIVE), (a @ POSITIVE, np.eye(4)), (POSITIVE @ a, np.eye(4))]
        left, right = products[kind - 1]
        assert_close(left @ v, right @ v * np.asarray(w), 1e-8)
    upper = linalg.eigh(np.triu(a), np.triu(POSITIVE), lower=False)[0]
    assert_close(upper, oracle.eigh(a, POSITIVE, eigvals_only=True))


def test_hermitian_tridiagonal_matrices():
    d, e = np.array([1.0, 2.0, 3.0]), np.array([1.0 + 1j, 0.5j])
    full = np.diag(d) + np.diag(e, -1) + np.diag(e.conj(), 1)
    w, v = linalg.eigh_tridiagonal(d, e)
    assert_close(w, np.linalg.eigvalsh(full))
    assert_close(full @ v, v * np.asarray(w))


def test_eigenvalues_in_a_range_must_be_known():
    d, e = np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.1])
    w, v = linalg.eigh_tridiagonal(d, e, select="v", select_range=(1.5, 3.5))
    assert w.shape == (2,) and v.shape == (3, 2)
    with pytest.raises(ConcretizationTypeError):
        jit(lambda d: linalg.eigh_tridiagonal(d, e, select="v", select_range=(0.0, 1.0)))(d)


# Sylvester's equation.


@pytest.mark.parametrize("method", ["schur", "eigen"])
def test_sums_of_eigenvalues_near_zero_give_no_number(method):
    a = np.diag([1.0, 2.0])
    assert np.isnan(linalg.solve_sylvester(a, -a, np.ones((2, 2)), method=method)).all()
    near = linalg.solve_sylvester(a, -a + 1e-4 * np.eye(2), np.ones((2, 2)), tol=1e-3)
    assert np.isnan(near).all()


# Differences from JAX that are meant.


def test_wide_matrices_have_polar_forms_of_both_sides():
    wide = RNG.normal(size=(2, 4))
    for side in ("left", "right"):
        for x in (wide, wide.T, wide + 1j, wide.T - 2j):
            u, p = linalg.polar(x, side)
            want_u, want_p = oracle.polar(x, side)
            assert_close(u, want_u)
            assert_close(p, want_p)


def test_integers_of_named_matrices_are_rounded_once():
    with enable_x64(False):
        for n in (10, 20):
            got = linalg.invhilbert(n)
            want = oracle.invhilbert(n, exact=True)
            assert (np.asarray(got) == np.array(want, dtype=float).astype(np.float32)).all()
            exact = np.array(oracle.pascal(n, exact=True), dtype=float)
            assert (np.asarray(linalg.pascal(n)) == exact.astype(np.float32)).all()
        assert np.isinf(linalg.pascal(600)[-1, -1])
    roots = np.asarray(linalg.dft(8))[1]
    assert roots[2] == -1j and roots[4] == -1 and roots[6] == 1j


# Errors.


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: linalg.qr(A, mode="raw"), "mode"),
        (lambda: linalg.qr_multiply(A, np.ones(3)), "shape"),
        (lambda: linalg.qr_multiply(A, A, mode="both"), "mode"),
        (lambda: linalg.polar(A, "up"), "side"),
        (lambda: linalg.polar(A, method="newton"), "method"),
        (lambda: linalg.solve(A, np.ones(3), assume_a="pos"), "shape"),
        (lambda: linalg.solve(A, np.ones(4), assume_a="banded"), "assume_a"),
        (lambda: linalg.solve_triangular(A, np.ones(4), trans="X"), "trans"),
        (lambda: linalg.lu_solve(linalg.lu_factor(A), np.ones(4), 3), "trans"),
        (lambda: linalg.solve_sylvester(A, A, np.ones((4, 3))), "shapes"),
        (lambda: linalg.solve_sylvester(A, A, A, method="other"), "method"),
        (lambda: linalg.eigh(A, type=4), "type"),
        (lambda: linalg.eigh(A, eigvals=(2, 4)), "eigvals"),
        (lambda: linalg.eigh(A, A[:3, :3]), "shape"),
        (lambda: linalg.schur(A, output="triangular"), "output"),
        (lambda: linalg.rsf2csf(A, A[:3, :3]), "size"),
        (lambda: linalg.eigh_tridiagonal(np.ones(3), np.ones(3)), "shape"),
        (lambda: linalg.eigh_tridiagonal(np.ones(3), np.ones(2), select="x"), "select"),
        (lambda: linalg.eigh_tridiagonal(np.ones(3), np.ones(2), select="i"), "select_range"),
        (lambda: linalg.expm(np.ones((2, 3))), "square"),
        (lambda: linalg.expm_frechet(A, A[:3, :3]), "shape"),
        (lambda: linalg.funm(STACK, jnp.exp), "square"),
        (lambda: linalg.hankel(1.0), "scalar"),
        (lambda: linalg.companion(np.ones(1)), "coefficients"),
        (lambda: linalg.fiedler_companion(np.ones(0)), "coefficients"),
        (lambda: linalg.leslie(np.ones(3), np.ones(3)), "shape"),
        (lambda: linalg.convolution_matrix(np.ones(3), 0), "positive"),
        (lambda: linalg.convolution_matrix(np.ones(0), 2), "shape"),
        (lambda: linalg.convolution_matrix(np.ones(3), 2, "half"), "mode"),
        (lambda: linalg.block_diag(STACK), "axes"),
        (lambda: linalg.hadamard(6), "power of 2"),
        (lambda: linalg.helmert(0), "positive"),
        (lambda: linalg.hilbert(-1), "non-negative"),
        (lambda: linalg.pascal(3, "middle"), "kind"),
        (lambda: linalg.dft(3, "half"), "scale"),
        (lambda: linalg.dft(3, dtype=np.float32), "complex"),
    ],
)
def test_errors_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_errors_of_types():
    with pytest.raises(TypeError, match="float32"):
        linalg.eigh_tridiagonal(np.ones(3, int), np.ones(2, int))
    with pytest.raises(NotImplementedError, match="not differentiated"):
        jacfwd(lambda a: linalg.schur(a)[0])(A)
    with pytest.raises(NotImplementedError, match="blocksize"):
        linalg.sqrtm(A, 2)


# Polynomials, which are linear algebra too.


def test_zeros_of_polynomials():
    for p in ([1.0, 2, 3, 4], [0, 0, 1, 2, 3.0], [1, 2, 0.0], [0.0, 0], [5.0], []):
        got = np.sort_complex(jnp.roots(np.array(p)))
        assert_close(got, np.sort_complex(np.roots(p).astype(complex)))
    kept = jit(lambda p: jnp.roots(p, strip_zeros=False))(np.array([0, 0, 1.0, 2, 0]))
    assert_close(kept[:2], [-2, 0])
    assert np.isnan(kept[2:]).all()
    assert np.isnan(jnp.roots(np.zeros(3), strip_zeros=False)).all()
    with pytest.raises(ConcretizationTypeError):
        jit(jnp.roots)(np.array([1.0, 2.0]))
    slope = jacrev(lambda p: jnp.roots(p, strip_zeros=False).real)(np.array([1.0, -3.0, 2.0]))
    # A zero z moves by -z^(n - k) / p'(z) with coefficient k.
    for z, row in zip(jnp.roots(np.array([1.0, -3.0, 2.0])).real, slope):
        assert_close(row, -np.array([z**2, z, 1.0]) / (2 * z - 3), 1e-7)


X = np.linspace(0, 2, 9)
Y = np.sin(X) + 0.1 * np.cos(9 * X)


@pytest.mark.parametrize("y", [Y, np.stack([Y, X**3], 1)])
@pytest.mark.parametrize("w", [None, 1 + X])
def test_fits_are_numpys(y, w):
    assert_close(jnp.polyfit(X, y, 3, w=w), np.polyfit(X, y, 3, w=w))
    for got, want in zip(
        jnp.polyfit(X, y, 3, w=w, full=True), np.polyfit(X, y, 3, w=w, full=True), strict=True
    ):
        assert_close(got, want)
    for cov in (True, "unscaled"):
        got, want = jnp.polyfit(X, y, 3, w=w, cov=cov), np.polyfit(X, y, 3, w=w, cov=cov)
        assert_close(got[1], want[1])
    slope = jacfwd(lambda y: jnp.polyfit(X, y, 3, w=w))(y)
    assert_close(np.tensordot(slope, y, y.ndim), np.polyfit(X, y, 3, w=w))


def test_fits_need_points():
    with pytest.raises(ValueError, match="deg"):
        jnp.polyfit(X, Y, -1)
    with pytest.raises(ValueError, match="points"):
        jnp.polyfit(X[:3], Y[:3], 3, cov=True)
    for x, y in ((X[None], Y), (X[:0], Y[:0]), (X, Y[1:]), (X, Y[:, None, None])):
        with pytest.raises(TypeError, match="polyfit"):
            jnp.polyfit(x, y, 1)
    with pytest.raises(TypeError, match="w must"):
        jnp.polyfit(X, Y, 1, w=X[1:])
    assert jnp.polyfit(np.arange(4), np.arange(4), 1).dtype == np.float64
