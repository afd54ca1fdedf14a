"""Every sample differentiated: against finite differences, forward against reverse, compiled.

In double precision and in plain NumPy, but for the compiled programs; in narrower dtypes
only the types are looked at.
"""

from __future__ import annotations

import numpy as np
import pytest

import jx_xla  # noqa: F401  so that programs are compiled
from jx_ad import jvp, vjp
from jx_ad.testing import check_grads
from jx_batching import vmap
from jx_core import backend, check_jaxpr, dtypes, jit, make_jaxpr, typeof
from jx_core.config import enable_x64
from opdb import all_samples, mismatches, samples_of
from opdb.derive import (
    arrays,
    batched,
    cotangents,
    differentiable,
    distinct,
    moving_operands,
    pulled,
    restricted,
    tangent,
)

NAMES = [name for name, samples in all_samples().items() if differentiable(samples, "float64")] + [
    name
    for name, samples in all_samples().items()
    if not differentiable(samples, "float64") and differentiable(samples, "complex128")
]


@pytest.fixture(autouse=True)
def all_dtypes():
    with enable_x64(True):
        yield


def doubles(name, most=None):
    """Samples in double precision, real ones and complex ones."""
    samples = samples_of(name)
    real, complex_ = (differentiable(samples, d) for d in ("float64", "complex128"))
    return distinct(real, most) + distinct(complex_, most)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_those_of_finite_differences(name):
    with backend.use("numpy"):
        for sample in doubles(name):
            check_grads(
                restricted(sample),
                moving_operands(sample),
                order=min(max(sample.order, 1), 2),
                modes=sample.modes,
            )


@pytest.mark.parametrize("name", NAMES)
def test_reverse_mode_is_the_transpose_of_forward_mode(name):
    """The pairing of a cotangent with a tangent is the same before and after.

    Its real part, that is: not all functions of complex numbers here are holomorphic.
    """
    with backend.use("numpy"):
        for sample in (s for s in doubles(name) if s.modes == ("fwd", "rev")):
            xs = moving_operands(sample)
            ts = tuple(tangent(x, i) for i, x in enumerate(xs))
            outs, moved = jvp(restricted(sample), xs, ts)
            cts = cotangents(outs)
            back = vjp(restricted(sample), *xs)[1](cts)
            kept = [(c, m) for c, m in zip(cts, moved, strict=True) if c.dtype != dtypes.float0]
            there = sum(np.sum(np.asarray(c) * np.asarray(m)) for c, m in kept)
            here = sum(np.sum(np.asarray(b) * t) for b, t in zip(back, ts, strict=True))
            size = sum(np.sum(np.abs(np.asarray(c) * np.asarray(m))) for c, m in kept)
            assert abs(np.real(there) - np.real(here)) <= 1e-12 * (1 + size), sample


@pytest.mark.parametrize("name", NAMES)
def test_tangents_and_cotangents_have_the_types_of_values(name):
    samples = [s for s in samples_of(name) if s.moving]
    narrow = [
        s for s in samples if s.operands[s.moving[0]].dtype.name not in ("float64", "complex128")
    ]
    with backend.use("numpy"):
        for sample in distinct(narrow, 6) + narrow[-3:]:
            xs = moving_operands(sample)
            outs = sample(*sample.operands)
            if "fwd" in sample.modes:
                outs, moved = jvp(restricted(sample), xs, tuple(tangent(x) for x in xs))
                for o, m in zip(outs, moved, strict=True):
                    inexact = dtypes.issubdtype(o.dtype, np.inexact)
                    assert m.dtype == (o.dtype if inexact else dtypes.float0)
                    assert m.shape == o.shape
            if "rev" in sample.modes:
                back = vjp(restricted(sample), *xs)[1](cotangents(outs))
                assert [typeof(b) for b in back] == [typeof(x) for x in xs], sample


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_of_batches_are_those_of_rows(name):
    """`vmap` of the reverse derivative, and the reverse derivative of `vmap`, against a loop."""
    with backend.use("numpy"):
        samples = [s for s in samples_of(name) if "rev" in s.modes]
        for sample in distinct(differentiable(samples, "float64"), 6):
            batches = [batched(sample, i, 0) for i in sample.moving]
            rows = [arrays(pulled(sample)(*[b[i] for b in batches])) for i in range(2)]
            want = [np.stack(column) for column in zip(*rows, strict=True)]
            got = arrays(vmap(pulled(sample))(*batches))
            assert not mismatches(got, want, 64, 1e-12), f"vmap of grad: {sample}"
            outs, pull = vjp(vmap(restricted(sample)), *batches)
            row_cts = cotangents([np.zeros(o.shape[1:], o.dtype) for o in outs])
            got = arrays(pull([np.stack([c, c]) for c in row_cts]))
            assert not mismatches(got, want, 64, 1e-12), f"grad of vmap: {sample}"


@pytest.mark.parametrize("name", NAMES)
def test_compiled_derivatives_agree_with_the_reference(name):
    """Reverse and that of a batch, or forward, of real and complex samples in one program."""
    samples = doubles(name, 2)

    def program(groups):
        every = []
        for sample, xs in zip(samples, groups, strict=True):
            if "rev" in sample.modes:
                reverse, batches = pulled(sample), [lax_stack(x) for x in xs]
                every.append((reverse(*xs), vmap(reverse)(*batches)))
            else:
                ts = tuple(tangent(np.zeros(x.shape, x.dtype)) for x in xs)
                every.append(jvp(restricted(sample), tuple(xs), ts))
        return every

    groups = [moving_operands(s) for s in samples]
    for sample, got, want in zip(
        samples, jit(program)(groups), with_numpy(program, groups), strict=True
    ):
        got = [x for x in arrays(got) if x.dtype != dtypes.float0]
        want = [x for x in arrays(want) if x.dtype != dtypes.float0]
        message = mismatches(got, want, 512, 1e-11)
        assert not message, f"{sample}: {message}"


@pytest.mark.parametrize("name", NAMES)
def test_programs_of_derivatives_are_well_typed(name):
    samples = distinct([s for s in samples_of(name) if s.moving], 4)
    for sample in samples:
        xs = moving_operands(sample)
        if "rev" in sample.modes:
            check_jaxpr(make_jaxpr(pulled(sample))(*xs))
        if "fwd" in sample.modes:
            check_jaxpr(make_jaxpr(lambda *xs, s=sample: jvp(restricted(s), xs, xs))(*xs))


def with_numpy(program, groups):
    with backend.use("numpy"):
        return program(groups)


def lax_stack(x):
    from jx_core import lax

    return lax.concatenate([lax.expand_dims(x, (0,))] * 2, 0)
