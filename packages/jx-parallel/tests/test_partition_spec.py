"""Partition specs: sequences of mesh axes, and the shardings they stand for."""

import copy
import pickle

import numpy as np
import pytest

from jx_core import tree
from jx_parallel import Mesh, NamedSharding, P, PartitionSpec
from jx_xla.runtime.named_sharding import DuplicateSpecError


def test_a_spec_is_a_sequence_of_its_parts():
    spec = P("x", None, ("y", "z"))
    assert list(spec) == ["x", None, ("y", "z")]
    assert len(spec) == 3 and spec[2] == ("y", "z") and spec[:2] == ("x", None)
    assert spec.index("x") == 0 and spec.count(None) == 1
    assert P("x") + P("y") == P("x", "y") == P("x") + ("y",)
    assert ("x",) + P("y") == P("x", "y")
    assert PartitionSpec is P


def test_a_spec_prints_as_it_is_written():
    assert repr(P()) == "P()"
    assert repr(P("x", None)) == "P('x', None)"
    assert repr(P(("x", "y"), P.UNCONSTRAINED)) == "P(('x', 'y'), UNCONSTRAINED)"


def test_specs_are_compared_by_their_parts():
    assert P("x") == P(("x",)) == P(["x"]) and hash(P("x")) == hash(P(("x",)))
    assert P(()) == P(None)
    assert P("x") != P("y") and P("x", None) != P("x")
    assert P("x") != ("x",)
    assert len({P("x"), P("x"), P("y")}) == 2


@pytest.mark.parametrize("duplicate", [copy.copy, lambda x: pickle.loads(pickle.dumps(x))])
def test_specs_survive_copying(duplicate):
    spec = P("x", None, P.UNCONSTRAINED)
    assert duplicate(spec) == spec


def test_a_spec_is_a_leaf():
    assert tree.leaves({"a": P("x"), "b": P()}) == [P("x"), P()]


def test_a_spec_is_updated_as_a_whole():
    assert P("x").update(partitions=("y",)) == P("y")
    with pytest.raises(TypeError, match=r"no field \['unknown'\]"):
        P("x").update(unknown=1)


def test_the_names_of_one_dimension_are_flat():
    with pytest.raises(TypeError, match="each entry must be the name of a mesh axis"):
        P(("x", None))


def test_a_spec_in_a_mesh_is_a_sharding(mesh):
    with mesh:
        assert P("x").in_context("here") == NamedSharding(mesh, P("x"))
    with pytest.raises(RuntimeError, match=r"here: P\('x',\) needs a mesh in context"):
        P("x").in_context("here")


# The shardings


def test_names_must_be_axes_of_the_mesh(mesh):
    with pytest.raises(ValueError, match=r"axis 'z' of P\('z',\).*axes are \('x', 'y'"):
        NamedSharding(mesh, P("z"))
    with pytest.raises(DuplicateSpecError, match="uses x more than once"):
        NamedSharding(mesh, P("x", "x"))
    with pytest.raises(TypeError, match="takes a mesh and a PartitionSpec"):
        NamedSharding(mesh, "x")


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        (P(), (4, 4)),
        (P("x"), (2, 4)),
        (P(None, "x"), (4, 2)),
        (P("x", "y"), (2, 2)),
        (P(("x", "y")), (1, 4)),
    ],
    ids=str,
)
def test_a_sharding_cuts_dimensions_by_its_axes(mesh, spec, shape):
    assert NamedSharding(mesh, spec).shard_shape((4, 4)) == shape


def test_the_first_of_several_axes_varies_slowest(mesh, devices):
    indices = NamedSharding(mesh, P(("y", "x"))).devices_indices_map((4,))
    assert [indices[d][0].start for d in devices[:4]] == [0, 2, 1, 3]


def test_batches_get_an_axis_of_their_own(on):
    assert on("x").insert_axis(0) == on(None, "x")
    assert on("x").insert_axis(0, "y") == on("y", "x")
    assert on("x").insert_axis(2, "y") == on("x", None, "y")
    assert on().insert_axis(0, ("x", "y")) == on(("x", "y"))
    with pytest.raises(DuplicateSpecError):
        on("x").insert_axis(0, "x")


def test_shardings_are_compared_by_mesh_and_spec(mesh, on, devices):
    assert on("x") == NamedSharding(mesh, P("x")) and hash(on("x")) == hash(on("x"))
    other = Mesh(np.array(devices[4:8]).reshape(2, 2), ("x", "y"))
    assert on("x") != NamedSharding(other, P("x"))
    assert on("x").is_equivalent_to(on("x", None), 2)
    assert not on("x").is_equivalent_to(on("y"), 1)
