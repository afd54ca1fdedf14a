"""Functions of the array API standard: values, dtypes and shapes are those of NumPy's namesakes.

Each row below is a few calls, written for either namespace.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import jx_xla  # noqa: F401  one of the back ends under test
from jx_core import backend
from jx_core.config import enable_x64

xp = pytest.importorskip("jx_numpy")


@pytest.fixture(autouse=True, params=["xla", "numpy"])
def back_end(request):
    with enable_x64(True), backend.use(request.param), np.errstate(all="ignore"):
        yield


def A(m):
    return m.asarray([[3.0, -1.0, 2.0], [0.5, 4.0, -2.0]])


def S(m):
    return m.asarray([[4.0, 1.0], [1.0, 3.0]])


CALLS = {
    "arange": lambda m: [
        m.arange(5),
        m.arange(2, 9, 3),
        m.arange(5, 0, -2),
        m.arange(0.0, 1.0, 0.3),
        m.arange(3, dtype=m.float32),
        m.arange(2, 2),
    ],
    "linspace": lambda m: [
        m.linspace(0, 1, 5),
        m.linspace(0, 1, num=4, endpoint=False),
        m.linspace(1, 2, 1),
        m.linspace(0, 1, 0),
    ],
    "eye": lambda m: [m.eye(3), m.eye(2, 4, k=1), m.eye(3, k=-1, dtype=m.int8)],
    "meshgrid": lambda m: [
        *m.meshgrid(m.arange(2), m.arange(3)),
        *m.meshgrid(m.arange(2), m.arange(3), indexing="ij"),
    ],
    "triangles": lambda m: [m.tril(A(m)), m.triu(A(m), k=1), m.tril(A(m), k=-1)],
    "take": lambda m: [
        m.take(A(m), m.asarray([2, 0]), axis=1),
        m.take(m.arange(5), m.asarray([-1])),
    ],
    "take_along_axis": lambda m: [
        m.take_along_axis(A(m), m.asarray([[0, 2], [1, 1]]), axis=1),
        m.take_along_axis(A(m), m.asarray([[0, 1, 0]]), axis=0),
    ],
    "argmax": lambda m: [
        m.argmax(A(m)),
        m.argmax(A(m), axis=0),
        m.argmin(A(m), axis=-1, keepdims=True),
    ],
    "count_nonzero": lambda m: [
        m.count_nonzero(A(m)),
        m.count_nonzero(m.asarray([[0, 1], [0, 0]]), axis=1),
        m.count_nonzero(m.asarray([0j, 1j])),
        m.count_nonzero(m.asarray([[0, 1]]), axis=0, keepdims=True),
    ],
    "nonzero": lambda m: [*m.nonzero(m.asarray([[0, 1], [2, 0]]))],
    "searchsorted": lambda m: [
        m.searchsorted(m.asarray([1.0, 2.0, 2.0]), m.asarray([[2.0, 0.0]])),
        m.searchsorted(
            m.asarray([3, 1, 2]), m.asarray([2]), side="right", sorter=m.asarray([1, 2, 0])
        ),
    ],
    "sort": lambda m: [
        m.sort(A(m)),
        m.sort(A(m), axis=0),
        m.argsort(A(m), axis=1),
        m.argsort(m.asarray([1, 1, 0])),
    ],
    "unique": lambda m: [
        *m.unique_all(m.asarray([[3, 1], [1, 2]])),
        *m.unique_counts(m.asarray([2.0, 2.0, 1.0])),
        *m.unique_inverse(m.asarray([[2, 1], [2, 2]])),
        m.unique_values(m.asarray([True, True])),
    ],
    "matmul": lambda m: [
        m.matmul(A(m), A(m).T),
        A(m) @ m.arange(3.0),
        m.arange(3.0) @ m.arange(3.0),
        m.matmul(m.ones((2, 1, 2, 3)), m.ones((4, 3, 1))),
    ],
    "tensordot": lambda m: [
        m.tensordot(A(m), A(m), axes=([1], [1])),
        m.tensordot(m.arange(2), m.arange(3), axes=0),
    ],
    "vecdot": lambda m: [
        m.vecdot(m.asarray([1j, 2.0]), m.asarray([1j, 1.0])),
        m.vecdot(A(m), A(m), axis=0),
    ],
    "matrix_transpose": lambda m: [m.matrix_transpose(A(m)), A(m).mT],
    "broadcast": lambda m: [
        *m.broadcast_arrays(m.ones((2, 1)), m.ones(3)),
        m.broadcast_to(m.arange(3), (2, 3)),
    ],
    "concat": lambda m: [
        m.concat([A(m), m.ones((1, 3))]),
        m.concat((m.arange(2), m.asarray([0.5])), axis=None),
        m.concat([m.ones((2, 2)), m.zeros((2, 1))], axis=-1),
    ],
    "expand_dims": lambda m: [
        m.expand_dims(A(m), axis=0),
        m.expand_dims(A(m), axis=-1),
        m.expand_dims(m.asarray(1), axis=-1),
    ],
    "flip": lambda m: [m.flip(A(m)), m.flip(A(m), axis=0), m.flip(A(m), axis=(0, -1))],
    "moveaxis": lambda m: [
        m.moveaxis(m.ones((2, 3, 4)), 0, -1),
        m.moveaxis(m.ones((2, 3, 4)), (0, 1), (-1, 0)),
    ],
    "permute_dims": lambda m: [
        m.permute_dims(m.ones((2, 3, 4)), (2, 0, 1)),
        m.permute_dims(m.asarray(1.0), ()),
    ],
    "repeat": lambda m: [
        m.repeat(A(m), 2),
        m.repeat(A(m), m.asarray([1, 0, 2]), axis=1),
        m.repeat(m.arange(2), m.asarray([3])),
    ],
    "reshape": lambda m: [
        m.reshape(A(m), (3, -1)),
        m.reshape(A(m), (6,)),
        m.reshape(m.asarray([1]), ()),
    ],
    "roll": lambda m: [
        m.roll(A(m), 1),
        m.roll(A(m), (1, -1), axis=(0, 1)),
        m.roll(A(m), 4, axis=1),
    ],
    "squeeze": lambda m: [m.squeeze(m.ones((1, 2, 1)), 0), m.squeeze(m.ones((1, 2, 1)), (0, -1))],
    "stack": lambda m: [
        m.stack([m.arange(2), m.asarray([0.5, 1])]),
        m.stack((m.ones((2, 3)),) * 2, axis=-1),
    ],
    "tile": lambda m: [
        m.tile(A(m), (2, 1)),
        m.tile(m.arange(2), (2, 1, 2)),
        m.tile(m.ones((2, 2)), (3,)),
        m.tile(m.arange(2), ()),
    ],
    "unstack": lambda m: [*m.unstack(A(m)), *m.unstack(A(m), axis=-1)],
    "cumulative": lambda m: [
        m.cumulative_sum(m.arange(1, 4)),
        m.cumulative_sum(A(m), axis=0, include_initial=True),
        m.cumulative_prod(m.asarray([2, 3], dtype=m.uint8)),
        m.cumulative_prod(A(m), axis=-1, include_initial=True),
    ],
    "diff": lambda m: [
        m.diff(A(m)),
        m.diff(A(m), n=2),
        m.diff(A(m), axis=0, prepend=m.zeros((1, 3))),
        m.diff(m.arange(3), append=m.asarray([9])),
    ],
    "extremes": lambda m: [
        m.max(A(m)),
        m.min(A(m), axis=(0, 1), keepdims=True),
        m.max(A(m), axis=-1),
    ],
    "sums": lambda m: [
        m.sum(A(m), axis=0),
        m.prod(A(m), axis=1, keepdims=True),
        m.mean(A(m), axis=(0, 1)),
        m.sum(m.asarray([200, 100], dtype=m.uint8)),
        m.mean(m.asarray([1j, 1.0])),
    ],
    "spread": lambda m: [
        m.std(A(m)),
        m.var(A(m), axis=1, correction=1),
        m.std(A(m), correction=0.5, keepdims=True),
    ],
    "truth": lambda m: [
        m.all(A(m)),
        m.any(m.asarray([[0, 1], [0, 0]]), axis=1),
        m.all(m.ones((0,))),
        m.any(m.zeros((0, 2)), axis=0, keepdims=True),
    ],
    "clip": lambda m: [m.clip(A(m), -1.0, m.asarray([1.0, 2.0, 3.0])), m.clip(A(m), max=0.0)],
    "shifts": lambda m: [
        m.bitwise_right_shift(m.asarray([-8, 7]), m.asarray([1, 2])),
        m.bitwise_left_shift(m.asarray([1, 3]), m.asarray([4, 0])),
    ],
    "indexing": lambda m: [
        A(m)[0],
        A(m)[..., -1],
        A(m)[None, 1, ::-1],
        A(m)[:, 1:3],
        A(m)[A(m) > 1],
        A(m)[m.asarray([1, 0]), m.asarray([0, 2])],
        A(m)[()],
        A(m)[0, m.asarray([0, 0])],
        m.asarray(1.0)[()],
        m.asarray(1.0)[None],
        A(m)[-1:-3:-1, ...],
    ],
    "linalg": lambda m: [
        m.linalg.cholesky(S(m)),
        m.linalg.cholesky(S(m), upper=True),
        m.linalg.det(S(m)),
        m.linalg.inv(S(m)),
        m.linalg.solve(S(m), m.asarray([1.0, 2.0])),
        m.linalg.solve(S(m), m.ones((2, 3))),
        m.linalg.eigvalsh(S(m)),
        m.linalg.svdvals(A(m)),
        m.linalg.matrix_power(S(m), 3),
        m.linalg.matrix_power(S(m), -1),
        m.linalg.pinv(A(m)),
        m.linalg.pinv(A(m), rtol=0.9),
        m.linalg.matrix_rank(A(m)),
        m.linalg.matrix_rank(S(m), rtol=0.9),
        *m.linalg.slogdet(S(m)),
        m.linalg.cross(A(m), m.ones((2, 3))),
        m.linalg.diagonal(A(m), offset=1),
        m.linalg.outer(m.arange(2), m.arange(3)),
        m.linalg.trace(A(m)),
        m.linalg.trace(m.ones((2, 3, 4)), offset=1),
        m.linalg.vecdot(A(m), A(m)),
        m.linalg.matrix_transpose(A(m)),
        m.linalg.matmul(S(m), A(m)),
        m.linalg.tensordot(S(m), A(m), axes=1),
    ],
    "norms": lambda m: [
        m.linalg.matrix_norm(A(m)),
        *(m.linalg.matrix_norm(A(m), ord=o) for o in (1, -1, 2, -2, "nuc", math.inf, -math.inf)),
        m.linalg.matrix_norm(m.ones((2, 3, 4)), keepdims=True),
        m.linalg.vector_norm(A(m)),
        *(
            m.linalg.vector_norm(A(m), axis=1, ord=o)
            for o in (0, 1, 2, 3, math.inf, -math.inf, 0.5)
        ),
        m.linalg.vector_norm(m.ones((2, 3, 4)), axis=(0, 2), keepdims=True),
        m.linalg.vector_norm(m.asarray([1j, 2.0])),
    ],
    "fft": lambda m: [
        m.fft.fft(A(m)),
        m.fft.ifft(A(m), n=4),
        m.fft.rfft(A(m), axis=0, norm="ortho"),
        m.fft.irfft(m.fft.rfft(A(m)), n=3),
        m.fft.hfft(A(m)),
        m.fft.ihfft(A(m), norm="forward"),
        m.fft.fftn(A(m)),
        m.fft.ifftn(A(m), axes=(0,)),
        m.fft.rfftn(A(m)),
        m.fft.irfftn(A(m), s=(2, 4), axes=(0, 1)),
        m.fft.fftshift(m.arange(5)),
        m.fft.ifftshift(A(m), axes=1),
        m.fft.fftfreq(5, d=0.5),
        m.fft.rfftfreq(5, dtype=m.float32) if m is not np else np.fft.rfftfreq(5).astype("float32"),
    ],
}


@pytest.mark.parametrize("name", CALLS)
def test_values_are_numpys(name):
    mine, theirs = CALLS[name](xp), CALLS[name](np)
    assert len(mine) == len(theirs)
    for i, (x, y) in enumerate(zip(mine, theirs, strict=True)):
        y = np.asarray(y)
        assert isinstance(x, xp.ndarray), i
        assert (x.dtype, x.shape) == (y.dtype, y.shape), i
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-14, err_msg=str(i))
