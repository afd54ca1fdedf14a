"""Every initialiser: shapes, dtypes, moments, and that they are drawn anew from each key."""

import numpy as np
import pytest

from jx_core import jit
from jx_core.config import enable_x64
from jx_numpy import random
from jx_numpy.nn import initializers

SHAPE = (3, 40, 60)
FAN_IN, FAN_OUT = 3 * 40, 3 * 60
# Each initialiser with the standard deviation its samples have in that shape.
DRAWN = {
    "normal": (initializers.normal(0.5), 0.5),
    "truncated_normal": (initializers.truncated_normal(0.5), 0.5 * 0.8796256610342398),
    "uniform": (initializers.uniform(0.6), 0.6 / np.sqrt(12)),
    **{
        f"{name}_{kind}": (
            getattr(initializers, f"{name}_{kind}")(), np.sqrt(scale / fan)
        )
        for kind in ("normal", "uniform")
        for name, scale, fan in (
            ("lecun", 1, FAN_IN), ("he", 2, FAN_IN), ("kaiming", 2, FAN_IN),
            ("glorot", 1, (FAN_IN + FAN_OUT) / 2), ("xavier", 1, (FAN_IN + FAN_OUT) / 2),
        )
    },
    "variance_scaling": (initializers.variance_scaling(3.0, "fan_out", "normal"),
                         np.sqrt(3 / FAN_OUT)),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_moments(name):
    init, deviation = DRAWN[name]
    x = np.asarray(init(random.key(0), SHAPE, np.float32), float)
    # uniform draws from 0 to its scale, all others around 0
    mean = 0.3 if name == "uniform" else 0.0
    error = 5 / np.sqrt(x.size)
    assert abs(x.mean() - mean) < error * deviation
    assert abs(x.std() / deviation - 1) < error


@pytest.mark.parametrize("name", DRAWN)
def test_shapes_and_dtypes(name):
    init, _ = DRAWN[name]
    with enable_x64(True):
        for dtype in (np.float32, np.float64, np.float16):
            for shape in ((2, 3), (4, 2, 5), (0, 3)):
                x = init(random.key(1), shape, dtype)
                assert x.shape == shape and x.dtype == dtype
    x = init(random.key(1), (4, 5))
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x, jit(lambda key: init(key, (4, 5)))(random.key(1)))
    assert not np.array_equal(x, init(random.key(2), (4, 5)))


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 3, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_orthogonal_weights_have_orthonormal_rows_or_columns(shape, axis, dtype):
    w = np.asarray(initializers.orthogonal(2.0, axis)(random.key(0), shape, dtype))
    assert w.shape == shape and w.dtype == dtype
    columns = np.moveaxis(w, axis, -1).reshape(-1, shape[axis]) / 2
    if columns.shape[0] < columns.shape[1]:
        columns = columns.T
    np.testing.assert_allclose(columns.conj().T @ columns, np.eye(columns.shape[1]), atol=1e-5)


@pytest.mark.parametrize("space", [(3,), (3, 5), (3, 3, 1)])
def test_delta_orthogonal_weights_are_at_the_centre(space):
    w = np.asarray(initializers.delta_orthogonal(3.0)(random.key(0), (*space, 4, 6)))
    centre = w[tuple(n // 2 for n in space)]
    np.testing.assert_allclose(centre @ centre.T, 9 * np.eye(4), atol=1e-4)
    assert np.count_nonzero(w) == np.count_nonzero(centre)
