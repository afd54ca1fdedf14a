"""Meshes: what they are made of, that equal ones are one, and the mesh in context."""

import copy
import threading

import numpy as np
import pytest

from jx_core.config import config
from jx_parallel import AxisType, Mesh, get_mesh, make_mesh, set_mesh


def test_a_mesh_names_the_axes_of_a_grid(devices):
    mesh = Mesh(np.array(devices[:8]).reshape(2, 4), ("data", "model"))
    assert mesh.axis_names == ("data", "model")
    assert mesh.axis_sizes == (2, 4)
    assert dict(mesh.shape) == {"data": 2, "model": 4}
    assert mesh.shape_tuple == (("data", 2), ("model", 4))
    assert mesh.size == 8 and not mesh.empty
    assert mesh.axis_types == (AxisType.Auto, AxisType.Auto)
    assert mesh.devices.shape == (2, 4)
    assert mesh.device_ids.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert mesh.local_devices == devices[:8] and not mesh.is_multi_process


def test_one_axis_needs_no_grid_and_no_tuple(devices):
    assert Mesh(devices[:4], "i") is Mesh(np.array(devices[:4]), ("i",))


def test_a_mesh_prints_as_what_it_is(mesh):
    assert repr(mesh) == ("Mesh(axis_sizes=(2, 2), axis_names=('x', 'y'), axis_types=(Auto, Auto))")
    assert str(mesh) == "Mesh('x': 2, 'y': 2, axis_types=(Auto, Auto))"


def test_equal_meshes_are_one_object(devices):
    grid = np.array(devices[:4]).reshape(2, 2)
    mesh = Mesh(grid, ("x", "y"))
    assert Mesh(grid.copy(), ("x", "y")) is mesh
    assert mesh != Mesh(grid.T, ("x", "y"))
    assert mesh != Mesh(grid, ("x", "z"))
    assert mesh != Mesh(grid.ravel(), ("x",))
    assert copy.copy(mesh) is mesh
    assert mesh.update(axis_names=("a", "b")) is Mesh(grid, ("a", "b"))


def test_a_mesh_does_not_change(mesh):
    with pytest.raises(AttributeError, match="Mesh is immutable"):
        mesh.axis_names = ("a", "b")
    with pytest.raises(ValueError, match="read-only"):
        mesh.devices[0, 0] = None


def test_a_mesh_of_no_devices_is_empty():
    mesh = Mesh([], ("x",))
    assert mesh.empty and mesh.size == 0 and mesh.axis_names == ()
    assert repr(mesh) == "Mesh(axis_sizes=(), axis_names=())" and str(mesh) == "Mesh()"


def test_make_mesh_takes_the_first_devices(devices):
    assert make_mesh((2, 2), ("x", "y")).devices.ravel().tolist() == devices[:4]
    assert make_mesh((2,), "x", devices=devices[4:]).devices.tolist() == devices[4:6]
    assert make_mesh((1,), ("x",), axis_types=AxisType.Auto).size == 1


@pytest.mark.parametrize(
    ("grid", "names", "error", "text"),
    [
        ((8,), ("a", "b"), ValueError, r"devices of shape \(8,\) and 2 names"),
        ((2, 4), ("a", "a"), ValueError, r"names that differ and are not None, got \('a', 'a'\)"),
        ((8,), (None,), ValueError, "names that differ and are not None"),
    ],
)
def test_names_must_fit_the_grid(devices, grid, names, error, text):
    with pytest.raises(error, match=text):
        Mesh(np.array(devices[:8]).reshape(grid), names)


def test_a_mesh_is_of_devices_each_there_once(devices):
    with pytest.raises(TypeError, match="holds 0 of type int"):
        Mesh(np.arange(4), "x")
    with pytest.raises(ValueError, match="each device to be there once"):
        Mesh([devices[0], devices[0]], "x")


@pytest.mark.parametrize("kind", [AxisType.Explicit, AxisType.Manual])
def test_axes_are_auto(kind):
    with pytest.raises(ValueError, match=f"axis 'y' has type {kind.name}; meshes have Auto axes"):
        make_mesh((1, 1), ("x", "y"), axis_types=(AxisType.Auto, kind))


def test_there_is_one_type_for_each_axis():
    with pytest.raises(ValueError, match=r"one AxisType for each of the axes \('x', 'y'\)"):
        make_mesh((1, 1), ("x", "y"), axis_types=(AxisType.Auto,))


@pytest.mark.parametrize(
    ("shape", "names", "text"),
    [
        ((30, 40), ("a", "b"), "takes 1200 devices, and there are .*JX_NUM_CPU_DEVICES=1200"),
        ((2,), ("a", "b"), r"axis_shapes \(2,\) and axis_names \('a', 'b'\) must be equally many"),
        ((0,), ("a",), "axis_shapes must be positive"),
    ],
)
def test_a_mesh_that_can_not_be_made_says_why(shape, names, text):
    with pytest.raises(ValueError, match=text):
        make_mesh(shape, names)


# The mesh in context


def test_there_is_no_mesh_in_context_by_itself():
    assert get_mesh().empty


def test_a_mesh_is_in_context_within_its_block(mesh):
    other = make_mesh((4,), ("z",))
    with mesh as entered:
        assert entered is mesh and get_mesh() is mesh
        with set_mesh(other) as inner:
            assert inner is other and get_mesh() is other
        assert get_mesh() is mesh
        with set_mesh(None):
            assert get_mesh().empty
    assert get_mesh().empty


def test_a_failing_block_takes_its_mesh_away(mesh):
    with pytest.raises(KeyError), mesh:
        raise KeyError
    assert get_mesh().empty


def test_set_mesh_without_a_block_lasts(mesh):
    placed = set_mesh(mesh)
    assert get_mesh() is mesh
    placed.__exit__(None, None, None)
    assert get_mesh().empty


def test_each_thread_has_its_own_context(mesh):
    seen = []
    with mesh:
        thread = threading.Thread(target=lambda: seen.append(get_mesh()))
        thread.start()
        thread.join()
    assert seen[0].empty


def test_the_context_is_part_of_the_keys_of_caches(mesh):
    outside = config.trace_key()
    with mesh:
        assert config.trace_key() is not outside
    assert config.trace_key() is outside


def test_only_a_mesh_can_be_in_context():
    with pytest.raises(TypeError, match="set_mesh: expected a jx.sharding.Mesh, got 'x'"):
        set_mesh("x")
