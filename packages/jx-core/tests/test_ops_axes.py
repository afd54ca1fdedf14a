"""Axes and shapes as users write them become canonical, or an error that says what was wrong."""

import numpy as np
import pytest

from jx_core import make_jaxpr
from jx_core.errors import ShapeError, TracerIntegerConversionError
from jx_core.ops import axes


@pytest.mark.parametrize(("axis", "expected"), [(0, 0), (2, 2), (-1, 2), (-3, 0), (np.int8(-2), 1)])
def test_an_axis_counts_from_either_end(axis, expected):
    result = axes.canonical_axis("f", axis, 3)
    assert result == expected
    assert type(result) is int


@pytest.mark.parametrize("axis", [3, -4])
def test_an_axis_out_of_range_is_a_shape_error(axis):
    message = rf"f: axis {axis} is out of bounds for array of dimension 3; expected .*\[-3, 3\)"
    with pytest.raises(ShapeError, match=message):
        axes.canonical_axis("f", axis, 3)


def test_an_axis_must_be_an_integer():
    with pytest.raises(TypeError, match=r"f: axis must be an integer, got 1\.0"):
        axes.canonical_axis("f", 1.0, 3)


def test_axes_keep_their_order():
    assert axes.canonical_axes("f", [-1, 0], 3) == (2, 0)
    assert axes.canonical_axes("f", (), 3) == ()


def test_axes_must_be_distinct_once_canonical():
    with pytest.raises(ShapeError, match=r"f: dims must be distinct, got \(0, -3\)"):
        axes.canonical_axes("f", (0, -3), 3, "dims")


def test_axes_must_be_a_sequence():
    with pytest.raises(TypeError, match="f: axes must be a sequence of integers, got 1"):
        axes.canonical_axes("f", 1, 3)


def test_unhashable_axes_are_as_good_as_others():
    assert axes.canonical_axes("f", [np.array(1)], 3) == (1,)
    with pytest.raises(TypeError, match="f: axes must be an integer, got"):
        axes.canonical_axes("f", [[1]], 3)


@pytest.mark.parametrize("shape", [(2, 3), [2, 3], np.array([2, 3]), (np.int64(2), 3)])
def test_a_shape_is_any_sequence_of_integers(shape):
    result = axes.canonical_shape("f", shape)
    assert result == (2, 3)
    assert all(type(n) is int for n in result)


def test_a_shape_may_be_one_integer():
    assert axes.canonical_shape("f", 3) == (3,)


@pytest.mark.parametrize("shape", [(2.0, 3), None, "ab", 2.0])
def test_a_shape_of_other_things_is_a_type_error(shape):
    with pytest.raises(TypeError, match="f: shape must be a sequence of integers, got"):
        axes.canonical_shape("f", shape)


def test_a_traced_size_says_which_argument_holds_it():
    def f(n):
        return axes.canonical_shape("reshape", (n, 2), "new_sizes")

    with pytest.raises(TracerIntegerConversionError, match="argument new_sizes of reshape"):
        make_jaxpr(f)(3)


def test_an_axis_of_a_rule_counts_from_the_front():
    axes.check_axes("f", (1, 0), (2, 3))
    with pytest.raises(ShapeError, match=r"\[0, 2\).*got \(-1,\).*jx.numpy functions take neg"):
        axes.check_axes("f", (-1,), (2, 3))
    with pytest.raises(ShapeError, match=r"must be in \[0, 2\) .*got 2\.$"):
        axes.check_axis("f", 2, (2, 3))
    with pytest.raises(ShapeError, match=r"f: axes must be distinct, got \(0, 0\)"):
        axes.check_axes("f", (0, 0), (2, 3))


def test_sizes_are_not_negative():
    axes.check_sizes("f", ())
    with pytest.raises(ShapeError, match=r"f: shape must be non-negative integers, got \(2, -1\)"):
        axes.check_sizes("f", (2, -1))
