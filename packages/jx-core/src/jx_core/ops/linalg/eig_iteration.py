"""Eigenvectors from the Schur form, made of `lax` functions, for platforms that have no `geev`.

An eigenvector of a triangular matrix is found by substitution. See Golub and Van Loan, *Matrix
Computations*, 4th edition, section 7.6.4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import typeof
from ..control_flow.while_loop import fori_loop
from ..elementwise import abs as modulus
from ..elementwise import complex, conj, convert_element_type, max, select, sqrt
from ..indexing import dynamic_index_in_dim, dynamic_update_index_in_dim
from ..reduction import argmax, reduce_max, reduce_sum
from ..shape import broadcast_in_dim, expand_dims, full_like, rev
from .masks import adjoint_of, diagonal, eye, places, product
from .schur_iteration import schur_by_operations
from .spectral import least_normal, machine_epsilon

__all__: list[str] = []


def _vectors(t: Any) -> Any:
    """Right eigenvectors of triangular matrices, in the columns of triangular matrices.

    A pivot that is zero, as with repeated eigenvalues, counts as the least that is not.
    """
    *batch, n, _ = typeof(t).shape
    axis = len(batch)
    w, size = diagonal(t), modulus(t)
    tiny = least_normal(typeof(size).dtype)
    least = max(reduce_max(size, (axis, axis + 1)) * machine_epsilon(size.dtype), tiny)
    least = broadcast_in_dim(least, typeof(w).shape, range(axis))
    columns = broadcast_in_dim(places(t)[1], typeof(t).shape, (axis, axis + 1))

    def step(k: Any, x: Any) -> Any:
        row = convert_element_type(n - 1 - k, np.int32)
        entries = dynamic_index_in_dim(t, row, axis, True)
        own = dynamic_index_in_dim(w, row, axis, False)
        pivot = broadcast_in_dim(own, w.shape, range(axis)) - w
        none = modulus(pivot) < least
        pivot = select(none, convert_element_type(least, typeof(w).dtype), pivot)
        found = -product(entries, x) / expand_dims(pivot, (axis,))
        old = dynamic_index_in_dim(x, row, axis, True)
        beyond = dynamic_index_in_dim(columns, row, axis, True) > row
        x = dynamic_update_index_in_dim(x, select(beyond, found, old), row, axis)
        # Vectors that grow are shrunk, so that they don't overflow.
        greatest = max(reduce_max(modulus(x), (axis,)), 1.0)
        spread = broadcast_in_dim(greatest, typeof(x).shape, (*range(axis), axis + 1))
        return x / convert_element_type(spread, typeof(x).dtype)

    return fori_loop(0, n, step, eye(typeof(t).shape, typeof(t).dtype))


def _normalized(v: Any) -> Any:
    """Columns of length 1, the component of largest modulus real."""
    axis = typeof(v).ndim - 2
    size = modulus(v)
    greatest = reduce_max(size, (axis,))
    along = (*range(axis), axis + 1)
    scaled = v / convert_element_type(broadcast_in_dim(greatest, v.shape, along), typeof(v).dtype)
    place = broadcast_in_dim(argmax(size, axis, np.int32), v.shape, along)
    rows = broadcast_in_dim(places(v)[0], typeof(v).shape, (axis, axis + 1))
    phase = reduce_sum(select(rows == place, conj(scaled), full_like(v, 0)), (axis,))
    length = sqrt(reduce_sum(modulus(scaled) * modulus(scaled), (axis,)))
    factor = phase / complex(length, full_like(length, 0))
    return scaled * broadcast_in_dim(factor, v.shape, along)


def eig_by_operations(
    x: Any, *, compute_left_eigenvectors: bool, compute_right_eigenvectors: bool, **_: Any
) -> list[Any]:
    """Eigenvalues, and the eigenvectors that are wanted."""
    n = typeof(x).ndim
    if typeof(x).dtype.kind == "f":
        x = complex(x, full_like(x, 0))
    left, right = compute_left_eigenvectors, compute_right_eigenvectors
    t, *q = schur_by_operations(x, compute_schur_vectors=left or right)
    outs = [diagonal(t)]
    if 0 in typeof(x).shape:
        return outs + [x] * (left + right)
    both = (n - 2, n - 1)
    if left:
        # Left eigenvectors are right ones of the adjoint; reversed, that is upper triangular.
        outs.append(_normalized(product(q[0], rev(_vectors(rev(adjoint_of(t), both)), both))))
    if right:
        outs.append(_normalized(product(q[0], _vectors(t))))
    return outs
