"""Every call of the op database of array functions, compiled by XLA.

Results against the oracle's: each call is compiled once, since compiling is what takes time, the
first of a function and those that can't be staged eagerly, the others under `jit`. Of each
function one call is mapped, and one differentiated, and compared with what the NumPy back end
gives for the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import jx_xla  # noqa: F401  so that programs are compiled
from array_functions import Call, batches, calls, mismatch
from jx_ad import jvp, vjp
from jx_batching import vmap
from jx_core import backend, jit, tree
from jx_core.config import enable_x64
from opdb.derive import cotangents, tangent

NAMES = list(calls())


@pytest.fixture(autouse=True)
def all_dtypes() -> Iterator[None]:
    with enable_x64(True):
        yield


@pytest.mark.parametrize("name", NAMES)
def test_results_are_the_oracles(name):
    """Of the first call, and of those that can only be eager."""
    eager = [call for call in calls()[name] if call.jit is not True]
    for call in dict.fromkeys([calls()[name][0], *eager]):
        want = call.oracle(*call.operands)
        assert not (wrong := mismatch(call, call(*call.operands), want)), wrong


@pytest.mark.parametrize("name", NAMES)
def test_staged_programs_give_the_same(name):
    """The other calls of a function in one program: one by one they take twice as long."""
    first, *others = calls()[name]
    staged = [call for call in others or [first] if call.jit is True]
    program = jit(lambda many: [call(*xs) for call, xs in zip(staged, many, strict=True)])
    for call, got in zip(staged, program([call.operands for call in staged]), strict=True):
        assert not (wrong := mismatch(call, got, call.oracle(*call.operands))), wrong


def assert_same_on_numpy(call: Call, fun, *operands) -> None:
    """Compiled, `fun` gives what it does in plain NumPy."""
    with backend.use("numpy"):
        want = [np.asarray(x) for x in tree.leaves(fun(*operands))]
    loose = call.having(dtype=None, slack=4 * call.slack, atol=max(call.atol, 1e-9))
    assert not (wrong := mismatch(loose, jit(fun)(*operands), want)), wrong


@pytest.mark.parametrize("name", NAMES)
def test_mapped_programs_give_what_they_do_in_numpy(name):
    mapped = [c for c in calls()[name] if c.batch is True and c.jit is True and c.operands]
    for call in mapped[:1]:
        axes, operands = batches(call)[-1]
        assert_same_on_numpy(call, vmap(call, in_axes=axes), *operands)


DIFFERENTIABLE = [name for name in NAMES if any(call.moving for call in calls()[name])]


def derivatives(call: Call):
    """The cotangents of a call for fixed random ones of its results; or else its tangents."""

    def fun(*xs):
        if "rev" in call.modes:
            y, pull = vjp(call.restricted(), *xs)
            leaves, structure = tree.flatten(y)
            cts = cotangents([np.zeros(o.shape, o.dtype) for o in leaves])
            out = pull(tree.unflatten(structure, cts))
        else:
            ts = tuple(tangent(np.zeros(x.shape, x.dtype), i) for i, x in enumerate(xs))
            out = jvp(call.restricted(), xs, ts)[1]
        return [x for x in tree.leaves(out) if x.dtype.kind in "fc"]

    return fun


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_compiled_derivatives_are_those_in_numpy(name):
    for call in [c for c in calls()[name] if c.moving and c.jit is True][:1]:
        assert_same_on_numpy(call, derivatives(call), *call.moving_operands())
