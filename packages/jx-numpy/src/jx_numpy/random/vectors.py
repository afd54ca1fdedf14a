"""Random vectors and matrices: multivariate normal, orthogonal."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import dtypes, lax
from jx_core.aval import typeof
from jx_core.errors import ShapeError

from ..contraction.products import matvec
from ..functions import array_function, plain
from ..linalg import cholesky, eigh, qr, svd
from ..linalg.kit import diagonal_of, times_columns, transposed
from ..operands import (
    a_shape,
    an_integer,
    broadcast_shapes,
    promote_dtypes_inexact,
    refuse_sharding,
)
from .continuous import normal_floats
from .keys import single_key
from .uniforms import float_dtype

__all__ = ["multivariate_normal", "orthogonal"]


def _factor(cov: Any, method: str) -> Any:
    """A matrix whose product with its transpose is `cov`."""
    if method == "cholesky":
        return plain(cholesky)(cov)
    if method == "svd":
        u, s, _ = plain(svd)(cov)
        return times_columns(u, lax.sqrt(s))
    w, v = plain(eigh)(cov)
    return times_columns(v, lax.sqrt(w))


@array_function("shape", "dtype", "method", "out_sharding")
def multivariate_normal(
    key: Any,
    mean: Any,
    cov: Any,
    shape: Any = None,
    dtype: Any = None,
    method: str = "cholesky",
    *,
    out_sharding: Any = None,
) -> Any:
    """Normal random vectors of given mean and covariance.

    Args:
        key: a key.
        mean: of shape (..., n).
        cov: symmetric and positive semi-definite, of shape (..., n, n).
        shape: the result's shape without its last axis, to which the leading axes of `mean`
            and `cov` broadcast; theirs if None.
        dtype: a float dtype; that of the parameters if None.
        method: how `cov` is factored: "cholesky" (which needs it positive definite), "svd" or
            "eigh".

    Returns:
        An array of shape (*shape, n).

    Raises:
        ValueError: an unknown method; the shapes don't fit.

    >>> jx.random.multivariate_normal(jx.random.key(0), jnp.zeros(2), jnp.eye(2), (5,)).shape
    (5, 2)
    """
    typed = single_key("multivariate_normal", key)
    refuse_sharding("random.multivariate_normal", out_sharding)
    if method not in ("svd", "eigh", "cholesky"):
        raise ValueError(
            f"multivariate_normal: method must be 'cholesky', 'eigh' or 'svd', got {method!r}"
        )
    mean, cov = promote_dtypes_inexact("multivariate_normal", mean, cov)
    kind = typeof(mean).dtype if dtype is None else dtype
    kind = float_dtype("multivariate_normal", kind)
    of_mean, of_cov = typeof(mean).shape, typeof(cov).shape
    if not of_mean or of_cov[-2:] != (of_mean[-1],) * 2:
        raise ShapeError(
            f"multivariate_normal: mean must be of shape (..., n) and cov of (..., n, n), got "
            f"{of_mean} and {of_cov}"
        )
    batch = broadcast_shapes("multivariate_normal", of_mean[:-1], of_cov[:-2])
    size = batch if shape is None else a_shape("multivariate_normal", shape)
    if broadcast_shapes("multivariate_normal", size, batch) != size:
        raise ShapeError(
            f"multivariate_normal: parameters of shapes {of_mean} and {of_cov} do not broadcast "
            f"to shape={size}"
        )
    drawn = normal_floats(typed, (*size, of_mean[-1]), kind)
    return mean + plain(matvec)(_factor(cov, method), drawn)


@array_function("n", "shape", "dtype", "m", "out_sharding")
def orthogonal(
    key: Any,
    n: int,
    shape: Any = (),
    dtype: Any = None,
    m: int | None = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Random matrices with orthonormal rows or columns, uniform among them.

    By F. Mezzadri, "How to generate random matrices from the classical compact groups" (2007).

    Args:
        key: a key.
        n, m: the numbers of rows and columns; `m` is `n` if None.
        shape: the result's shape without its last two axes.
        dtype: a float or complex dtype (for unitary matrices); the default one if None.

    Returns:
        An array of shape (*shape, n, m).

    >>> q = jx.random.orthogonal(jx.random.key(0), 3)
    >>> bool(jnp.allclose(q @ q.T, jnp.eye(3), atol=1e-5))
    True
    """
    typed = single_key("orthogonal", key)
    refuse_sharding("random.orthogonal", out_sharding)
    kind = float_dtype("orthogonal", dtype, complex_too=True)
    rows = an_integer("orthogonal", n, "n")
    columns = rows if m is None else an_integer("orthogonal", m, "m")
    size = (*a_shape("orthogonal", shape), max(rows, columns), min(rows, columns))
    q, r = plain(qr)(normal_floats(typed, size, kind))
    sign = lax.sign(diagonal_of(r))
    if dtypes.issubdtype(kind, np.complexfloating):
        sign = lax.convert_element_type(sign, kind)
    out = times_columns(q, sign)
    return transposed(out) if rows < columns else out
