"""`jx.scipy.spatial.transform`: rotations against SciPy's, and derivatives where series begin."""

import numpy as np
import pytest
from scipy.spatial import transform as oracle

import jx_numpy as jnp
from jx_ad import grad, jacfwd, jacrev
from jx_batching import vmap
from jx_core import jit, tree
from jx_core.config import enable_x64
from jx_numpy import random
from jx_numpy.scipy.spatial.transform import Rotation, Slerp

RNG = np.random.default_rng(5)
QUATS = RNG.normal(size=(7, 4))
QUATS[0] = [0, 0, 0, 2]
QUATS[1] = [1, 0, 0, 0]
QUATS[2] = [1e-5, 0, -1e-5, -1]


@pytest.fixture(autouse=True)
def in_double_precision():
    with enable_x64(True):
        yield


def both(quats=QUATS):
    return Rotation.from_quat(quats), oracle.Rotation.from_quat(quats)


def assert_close(got, want, tolerance=1e-12):
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("quats", [QUATS, QUATS[3]])
def test_forms_are_scipys(quats):
    r, want = both(quats)
    assert_close(r.as_matrix(), want.as_matrix())
    assert_close(r.as_rotvec(), want.as_rotvec())
    assert_close(r.as_rotvec(degrees=True), want.as_rotvec(degrees=True), 1e-10)
    assert_close(r.as_mrp(), want.as_mrp())
    assert_close(r.as_quat(), want.as_quat())
    assert_close(r.as_quat(canonical=True), want.as_quat(canonical=True))
    assert_close(r.as_quat(scalar_first=True), np.roll(want.as_quat(), 1, -1))
    assert_close(r.magnitude(), want.magnitude())
    assert_close(r.inv().as_matrix(), want.inv().as_matrix())


@pytest.mark.parametrize("seq", ["xyz", "zyx", "XYZ", "ZYX", "zxz", "ZXZ", "yxy", "YZY", "ZXY"])
def test_eulers_angles_are_scipys(seq):
    r, want = both(QUATS[2:])
    assert_close(r.as_euler(seq), want.as_euler(seq), 1e-8)
    angles = RNG.uniform(-90, 90, (4, 3))
    assert_close(
        Rotation.from_euler(seq, angles, degrees=True).as_matrix(),
        oracle.Rotation.from_euler(seq, angles, degrees=True).as_matrix(),
    )


@pytest.mark.parametrize("seq", ["xyz", "XYZ", "zxz", "ZXZ", "zyx", "ZYX"])
@pytest.mark.parametrize("second", [-90.0, 0.0, 90.0, 180.0])
def test_locked_angles_make_the_same_rotation(seq, second):
    r = Rotation.from_euler(seq, np.array([20.0, second, 50.0]), degrees=True)
    angles = r.as_euler(seq)
    assert_close(Rotation.from_euler(seq, angles).as_matrix(), r.as_matrix(), 1e-7)


def test_rotations_around_one_axis():
    angles = np.array([0.1, 0.2, 0.3])
    assert_close(
        Rotation.from_euler("y", angles).as_matrix(),
        oracle.Rotation.from_euler("y", angles[:, None]).as_matrix(),
    )
    assert Rotation.from_euler("z", 90, degrees=True).single


@pytest.mark.parametrize("seq", ["", "xx", "xY", "abc", "wxyz"])
def test_axes_must_be_axes(seq):
    with pytest.raises(ValueError, match="seq"):
        Rotation.from_euler(seq, np.zeros(max(len(seq), 1)))
    with pytest.raises(ValueError, match="seq"):
        Rotation.identity().as_euler(seq)


def test_other_forms_come_back():
    r, want = both()
    assert_close(Rotation.from_matrix(want.as_matrix()).as_matrix(), want.as_matrix())
    assert_close(Rotation.from_rotvec(want.as_rotvec()).as_matrix(), want.as_matrix())
    assert_close(Rotation.from_mrp(want.as_mrp()).as_matrix(), want.as_matrix())
    degrees = Rotation.from_rotvec(want.as_rotvec(degrees=True), degrees=True)
    assert_close(degrees.as_matrix(), want.as_matrix())


def test_products_and_what_they_move():
    r, want = both()
    one, wanted_one = both(QUATS[4])
    vectors = RNG.normal(size=(7, 3))
    assert_close((r * one).as_matrix(), (want * wanted_one).as_matrix())
    assert_close((one * r).as_matrix(), (wanted_one * want).as_matrix())
    for inverse in (False, True):
        assert_close(r.apply(vectors, inverse), want.apply(vectors, inverse))
        assert_close(r.apply(vectors[0], inverse), want.apply(vectors[0], inverse))
        assert_close(one.apply(vectors, inverse), wanted_one.apply(vectors, inverse))


def test_means_are_scipys():
    r, want = both(QUATS[3:])
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    assert_close(r.mean().as_matrix(), want.mean().as_matrix())
    assert_close(r.mean(weights).as_matrix(), want.mean(weights).as_matrix())
    with pytest.raises(ValueError, match="weights"):
        r.mean(np.ones(2))


def test_stacks():
    r, _ = both()
    assert len(r) == 7 and not r.single and len(r[2:4]) == 2 and r[3].single
    assert_close(Rotation.concatenate([r, r[:2]]).quat, np.concatenate([r.quat, r.quat[:2]]))
    assert Rotation.identity(3).quat.shape == (3, 4)
    with pytest.raises(TypeError, match="len"):
        len(r[0])
    with pytest.raises(TypeError, match="index"):
        r[0][0]


def test_random_rotations_turn_evenly():
    r = Rotation.random(random.key(0), 4000)
    assert_close(jnp.mean(r.as_matrix(), 0), np.zeros((3, 3)), 0.04)
    assert Rotation.random(random.key(1)).single


def test_rotations_pass_through_transformations():
    r, want = both()
    turned = jit(lambda r, v: r.inv().apply(v))(r, np.ones(3))
    assert_close(turned, want.inv().apply(np.ones(3)))
    assert_close(vmap(lambda r: r.as_matrix())(r), want.as_matrix())
    assert len(tree.leaves(r)) == 1


@pytest.mark.parametrize("length", [0.0, 1e-4, 3.1e-3, 3.2e-3, 0.5, 3.0])
def test_derivatives_exist_at_small_angles(length):
    v = length * np.array([0.6, 0.0, 0.8])

    def there_and_back(v):
        return Rotation.from_rotvec(v).as_rotvec()

    assert_close(jacfwd(there_and_back)(v), np.eye(3), 1e-7)
    assert_close(jacrev(jacfwd(there_and_back))(v), np.zeros((3, 3, 3)), 1e-4)
    assert np.isfinite(grad(lambda v: Rotation.from_rotvec(v).magnitude())(v)).all()
    angles = jacfwd(lambda v: Rotation.from_rotvec(v).as_euler("xyz"))(v)
    assert np.isfinite(angles).all()


def test_paths_are_scipys():
    times = np.array([0.0, 1.0, 3.0, 4.0, 6.0])
    r, want = both(QUATS[2:])
    at = np.array([0.0, 0.25, 1.0, 2.0, 3.5, 6.0])
    path = Slerp.init(times, r)
    assert_close(path(at).as_matrix(), oracle.Slerp(times, want)(at).as_matrix(), 1e-10)
    assert path(0.5).single
    got = jit(lambda path, t: path(t).as_matrix())(path, 0.5)
    assert_close(got, oracle.Slerp(times, want)(0.5).as_matrix(), 1e-10)


def test_paths_need_rotations_at_increasing_times():
    r, _ = both()
    with pytest.raises(TypeError, match="Rotation"):
        Slerp.init(np.arange(7.0), QUATS)
    with pytest.raises(ValueError, match="two"):
        Slerp.init(np.arange(1.0), r[:1])
    with pytest.raises(ValueError, match="shape"):
        Slerp.init(np.arange(3.0), r)
    with pytest.raises(ValueError, match="increase"):
        Slerp.init(np.zeros(7), r)


def test_shapes_are_checked():
    for make in (Rotation.from_quat, Rotation.from_rotvec, Rotation.from_matrix, Rotation.from_mrp):
        with pytest.raises(ValueError, match="shape"):
            make(np.ones(2))
    with pytest.raises(ValueError, match="angles"):
        Rotation.from_euler("xy", np.ones(3))
