"""Every call of the op database of array functions, on the NumPy back end.

Eagerly and staged against the oracle, mapped against a loop, derivatives against finite
differences, first and second ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from array_functions import batches, calls, mismatch, row
from jx_ad.testing import check_grads
from jx_batching import vmap
from jx_core import jit, tree
from jx_core.config import enable_x64

NAMES = list(calls())


@pytest.fixture(autouse=True)
def all_dtypes() -> Iterator[None]:
    with enable_x64(True):
        yield


@pytest.mark.parametrize("name", NAMES)
def test_results_are_the_oracles(name):
    for call in calls()[name]:
        assert not (wrong := mismatch(call, call(*call.operands), call.oracle(*call.operands))), (
            wrong
        )


@pytest.mark.parametrize("name", NAMES)
def test_staged_programs_give_the_same(name):
    for call in calls()[name]:
        if call.jit is True:
            got, want = jit(call)(*call.operands), call.oracle(*call.operands)
            assert not (wrong := mismatch(call, got, want)), wrong


@pytest.mark.parametrize("name", NAMES)
def test_mapping_is_a_loop(name):
    for call in calls()[name]:
        if call.batch is not True or not call.operands:
            continue
        for axes, operands in batches(call):
            got = vmap(call, in_axes=axes)(*operands)
            rows = [
                [np.asarray(x) for x in tree.leaves(call(*row(operands, axes, i)))] for i in (0, 1)
            ]
            want = [np.stack(pair) for pair in zip(*rows, strict=True)]
            assert not (wrong := mismatch(call.having(dtype=None), got, want)), (axes, wrong)


DIFFERENTIABLE = [name for name in NAMES if any(call.moving for call in calls()[name])]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives_are_those_of_finite_differences(name):
    for call in calls()[name]:
        if call.moving:
            moving = call.moving_operands()
            check_grads(call.restricted(), moving, order=call.order, modes=call.modes)
