"""The QR algorithm made of `lax` functions, for platforms whose libraries do not have it.

The same steps as those of the reference in `schur`, on one matrix at a time. They are loops that
work on a few rows each, which suits accelerators ill: it is for matrices that are there already.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...aval import typeof
from ..control_flow.cond import cond
from ..control_flow.map import map as over_rows
from ..control_flow.while_loop import fori_loop, while_loop
from ..elementwise import abs as modulus
from ..elementwise import atan2, complex, convert_element_type, cos, imag, real, select, sin, sqrt
from ..indexing import dynamic_index_in_dim, dynamic_slice, dynamic_update_slice, slice_in_dim
from ..reduction import reduce_max
from ..shape import broadcast_in_dim, concatenate, full_like, iota, pad, reshape
from .column_pivoting import reflector
from .masks import all_finite, diagonal, eye, places, product, swapped, triangle
from .reductions import nan_unless, reduced, reflected_left, reflected_right, select_in_matrix
from .spectral import machine_epsilon

__all__: list[str] = []

_STEPS = 30  # for each row; QR steps mostly need two or three for an eigenvalue
_ROOM = 2  # rows and columns of zeros after the last, where reflections of three rows end


class _State(NamedTuple):
    """Where the iteration is.

    Attributes:
        t: the matrix, with room at its end.
        q: the product of the reflections so far, likewise.
        last: the last row of the block that is being worked on; all after it is done.
        steps: how many steps it took so far.
    """

    t: Any
    q: Any
    last: Any
    steps: Any


def _at(x: Any, row: Any, column: Any) -> Any:
    """One element of a matrix."""
    return reshape(dynamic_slice(x, (row, column), (1, 1)), ())


def _negligible(t: Any) -> Any:
    """For each row, whether its subdiagonal element is zero beside its neighbours; row 0 is."""
    size = modulus(t)
    n = typeof(t).shape[0]
    on = diagonal(size)
    none = full_like(on, 0, shape=(1,))
    below = diagonal(slice_in_dim(slice_in_dim(size, 1, n), 0, n - 1, axis=1))
    beside = on + concatenate([none, slice_in_dim(on, 0, n - 1)], 0)
    greatest = broadcast_in_dim(reduce_max(size, (0, 1)), (n,), ())
    beside = select(beside == 0, greatest, beside)
    eps = machine_epsilon(typeof(on).dtype)
    return concatenate([none, below], 0) <= beside * eps


def _wilkinson(a: Any, b: Any, c: Any, d: Any) -> Any:
    """The eigenvalue of a complex matrix of two rows that is nearer to its last element."""
    half = (a - d) * 0.5
    root = _complex_root(half * half + b * c)
    far = select(modulus(half + root) < modulus(half - root), half - root, half + root)
    none = far == 0
    return d - select(none, full_like(far, 0), b * c / select(none, full_like(far, 1), far))


def _complex_root(z: Any) -> Any:
    """A square root of a complex number."""
    size, angle = sqrt(modulus(z)), atan2(imag(z), real(z)) * 0.5
    return complex(size * cos(angle), size * sin(angle))


def _start(state: _State, first: Any) -> Any:
    """The first column, up to a factor, of the product of the shifted matrix or matrices."""
    t, last = state.t, state.last
    a, b = _at(t, last - 1, last - 1), _at(t, last - 1, last)
    c, d = _at(t, last, last - 1), _at(t, last, last)
    # An unlikely shift breaks a cycle.
    unlikely = state.steps % 10 == 9
    size = convert_element_type(modulus(c), typeof(c).dtype)
    a, d = (select(unlikely, d + size * 0.75, x) for x in (a, d))
    b = select(unlikely, c * -0.4375, b)
    e, f = _at(t, first, first), _at(t, first, first + 1)
    g, h = _at(t, first + 1, first), _at(t, first + 1, first + 1)
    if typeof(t).dtype.kind == "c":
        entries = [e - _wilkinson(a, b, c, d), g]
    else:
        trace, determinant = a + d, a * d - b * c
        entries = [
            e * e + f * g - trace * e + determinant,
            g * (e + h - trace),
            g * _at(t, first + 2, first + 1),
        ]
    return concatenate([reshape(x, (1,)) for x in entries], 0)


def _similar(t: Any, q: Any, k: Any, v: Any, tau: Any) -> tuple[Any, Any]:
    """Apply a reflection of rows and columns from `k` on to `t`, and to the vectors `q`."""
    count, n = typeof(v).shape[0], typeof(t).shape[0]
    zero = np.int32(0)
    rows = reflected_left(v, tau, dynamic_slice(t, (k, zero), (count, n)))
    t = dynamic_update_slice(t, rows, (k, zero))
    columns = [
        reflected_right(v, tau, dynamic_slice(x, (zero, k), (n, count))) for x in (t, q)
    ]
    t, q = (
        dynamic_update_slice(x, c, (zero, k)) for x, c in zip((t, q), columns, strict=True)
    )
    return t, q


def _chase(state: _State, first: Any) -> _State:
    """One implicit QR step on the rows from `first` to the last of the block."""
    start = _start(state, first)
    (count,) = typeof(start).shape
    numbers = iota(np.int32, count)

    def step(carry: Any) -> Any:
        k, t, q = carry
        before = (k, select(k > 0, k - 1, k))
        column = dynamic_slice(t, before, (count, 1))
        x = select(_all(k == first, (count,)), start, reshape(column, (count,)))
        x = select(numbers + k <= state.last, x, full_like(x, 0))
        v, tau, _ = reflector(x, 0)
        t, q = _similar(t, q, k, v, tau)
        column = dynamic_slice(t, before, (count, 1))
        gone = reshape(numbers > 0, (count, 1)) & _all(k > first, (count, 1))
        column = select(gone, full_like(column, 0), column)
        return k + 1, dynamic_update_slice(t, column, before), q

    _, t, q = while_loop(lambda carry: carry[0] < state.last, step, (first, state.t, state.q))
    return _State(t, q, state.last, state.steps + 1)


def _all(flag: Any, shape: tuple[int, ...]) -> Any:
    return broadcast_in_dim(flag, shape, ())


def _advanced(state: _State) -> _State:
    """A block that is done is left behind, or one more step is taken on it."""
    t = state.t
    zero = _negligible(t)
    rows, columns = places(t)
    here = broadcast_in_dim(zero, typeof(t).shape, (0,)) & (rows == columns + 1)
    t = select_in_matrix(here, full_like(t, 0), t)
    numbers = iota(np.int32, typeof(t).shape[0])
    first = reduce_max(select(zero & (numbers <= state.last), numbers, full_like(numbers, 0)), (0,))
    state = state._replace(t=t)
    least = 1 if typeof(t).dtype.kind == "f" else 0
    return _State(
        *cond(
            state.last - first <= least,
            lambda: state._replace(last=first - 1),
            lambda: _chase(state, first),
        )
    )


def _standardized(t: Any, q: Any, k: Any) -> tuple[Any, Any]:
    """Bring a real block of two rows to the form that the reference in `schur` gives it."""
    a, b, c, d = (_at(t, k + i, k + j) for i in (0, 1) for j in (0, 1))
    half = (a - d) * 0.5
    inside = half * half + b * c
    is_real = inside >= 0
    root = sqrt(select(is_real, inside, full_like(inside, 0)))
    x = half + select(half < 0, -root, root)
    length = sqrt(x * x + c * c)
    none = length == 0
    safe = select(none, full_like(length, 1), length)
    angle = atan2(d - a, b + c) * 0.5
    one, zero = full_like(a, 1), full_like(a, 0)
    x = select(is_real, select(none, one, x / safe), cos(angle))
    y = select(is_real, select(none, zero, c / safe), sin(angle))
    is_block = c != 0
    x, y = select(is_block, x, one), select(is_block, y, zero)
    turn = reshape(concatenate([reshape(e, (1,)) for e in (x, -y, y, x)], 0), (2, 2))
    n = typeof(t).shape[0]
    start = np.int32(0)
    rows = product(swapped(turn), dynamic_slice(t, (k, start), (2, n)))
    t = dynamic_update_slice(t, rows, (k, start))
    t, q = (
        dynamic_update_slice(m, product(dynamic_slice(m, (start, k), (n, 2)), turn), (start, k))
        for m in (t, q)
    )
    block = dynamic_slice(t, (k, k), (2, 2))
    low, mean = _at(t, k + 1, k), (_at(t, k, k) + _at(t, k + 1, k + 1)) * 0.5
    e, h = (select(is_block & ~is_real, mean, _at(t, k + i, k + i)) for i in (0, 1))
    low = select(is_block & is_real, zero, low)
    entries = [e, _at(block, 0, 1), low, h]
    block = reshape(concatenate([reshape(v, (1,)) for v in entries], 0), (2, 2))
    return dynamic_update_slice(t, block, (k, k)), q


def _of_one(x: Any) -> tuple[Any, Any]:
    """The Schur form and vectors of one matrix of at least two rows; NaN if there are none."""
    n = typeof(x).shape[0]
    finite = all_finite(x)
    safe = select(_all(finite, (n, n)), x, full_like(x, 0))
    t, vectors, taus = reduced(safe)

    def turned(k: Any, q: Any) -> Any:
        v, tau = dynamic_index_in_dim(vectors, k, 1, False), dynamic_index_in_dim(taus, k, 0, False)
        return reflected_right(v, tau, q)

    q = fori_loop(0, n - 1, turned, eye((n, n), typeof(x).dtype))
    none = full_like(x, 0, shape=())
    t, q = (pad(m, none, [(0, _ROOM, 0)] * 2) for m in (triangle(t, lower=False, offset=-1), q))
    state = _State(t, q, np.int32(n - 1), np.int32(0))
    state = while_loop(lambda s: (s.last > 0) & (s.steps < _STEPS * n), _advanced, state)
    t, q = state.t, state.q
    if typeof(x).dtype.kind == "f":
        t, q = fori_loop(0, n - 1, lambda k, m: _standardized(m[0], m[1], _int(k)), (t, q))
    found = finite & (state.last <= 0)
    t, q = (slice_in_dim(slice_in_dim(m, 0, n), 0, n, axis=1) for m in (t, q))
    return nan_unless(found, t), nan_unless(found, q)


def _int(k: Any) -> Any:
    return convert_element_type(k, np.int32)


def schur_by_operations(x: Any, *, compute_schur_vectors: bool) -> list[Any]:
    """The Schur form of matrices, and the vectors if wanted."""
    *batch, n, _ = typeof(x).shape
    if n < 2 or 0 in batch:
        outs = nan_unless(all_finite(x), x), eye(typeof(x).shape, typeof(x).dtype)
        outs = outs[0], nan_unless(all_finite(x), outs[1])
    elif not batch:
        outs = _of_one(x)
    else:
        rows = over_rows(_of_one, reshape(x, (int(np.prod(batch)), n, n)))
        outs = tuple(reshape(y, typeof(x).shape) for y in rows)
    return list(outs[: 1 + compute_schur_vectors])
