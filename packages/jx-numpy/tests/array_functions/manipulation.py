"""Calls of the functions that reshape, join, split, repeat, pad and edit arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import BF16, bools, complexes, empty, ints, reals

X, Y, V = reals(2, 3), reals(2, 3, low=-1.1, high=4.2), reals(3)
CUBE = reals(2, 3, 4)
I, U, B, Z = ints(2, 3), ints(2, 3, dtype=np.uint8), bools(2, 3), complexes(2, 3)  # noqa: E741
VALUE_SHAPES = {"jit": "the shape goes with the values", "batch": "likewise"}


def reshapes() -> Iterator[Call]:
    for order in ("C", "F"):
        yield of(jnp.reshape, X, (3, -1), order=order, copy=True).having(moving=(0,))
        yield of(jnp.ravel, X, order=order).having(moving=(0,))
    for x in (I, B, Z, X.astype(BF16)):
        yield of(jnp.reshape, x, 6)
        yield of(jnp.ravel, x)
        yield of(jnp.transpose, x)
    yield of(jnp.reshape, empty(0, 3), (3, 0))
    yield of(jnp.reshape, np.array(2.0), (1, 1))
    yield of(jnp.transpose, CUBE, axes=(1, 2, 0)).having(moving=(0,))
    yield of(jnp.transpose, CUBE, (-1, 0, 1))
    yield of(jnp.permute_dims, CUBE, (1, 2, 0)).having(moving=(0,))
    yield of(jnp.permute_dims, CUBE, axes=(2, 1, 0))
    yield of(jnp.matrix_transpose, CUBE).having(moving=(0,))
    yield of(jnp.swapaxes, CUBE, 0, -1).having(moving=(0,))
    yield of(jnp.swapaxes, CUBE, axis1=1, axis2=1)
    yield of(jnp.moveaxis, CUBE, 0, -1).having(moving=(0,))
    yield of(jnp.moveaxis, CUBE, source=(0, 1), destination=(-1, -2))
    yield of(jnp.rollaxis, CUBE, 2).having(moving=(0,))
    yield of(jnp.rollaxis, CUBE, axis=0, start=3)
    yield of(jnp.squeeze, CUBE[:1, :, :1]).having(moving=(0,))
    yield of(jnp.squeeze, CUBE[:1, :, :1], axis=(0, -1))
    yield of(jnp.squeeze, CUBE[:1, :, :1], axis=0)
    yield of(jnp.expand_dims, X, (0, -1)).having(moving=(0,))
    yield of(jnp.expand_dims, X, axis=1)
    for f in (jnp.atleast_1d, jnp.atleast_2d, jnp.atleast_3d):
        yield of(f, V).having(moving=(0,))
        yield of(f, np.array(2.5))
        yield of(f, np.array(1), X, CUBE)
    yield of(jnp.broadcast_arrays, V, X[:, :1]).having(moving=(0, 1))
    yield of(jnp.broadcast_arrays, np.array(1), I, B)
    yield of(jnp.broadcast_to, V, (2, 3)).having(moving=(0,))
    yield of(jnp.broadcast_to, np.array(1), shape=(2, 0))
    yield of(jnp.broadcast_shapes, (2, 1), (3,), 1)


def pieces() -> Iterator[Call]:
    for f in (jnp.concatenate, jnp.stack):
        for axis in (0, 1, -1):
            yield of(f, [X, Y], axis=axis).having(moving=(0, 1))
        yield of(f, (I, U, B))
        yield of(f, [X.astype(np.float32), I], dtype=np.float64)
        yield of(f, [X.astype(BF16), X.astype(BF16)]).having(dtype=BF16)
    yield of(jnp.concatenate, [X, I], axis=None)
    yield of(jnp.concatenate, X)
    yield of(jnp.concatenate, [empty(0, 3), X.astype(np.float32)])
    yield of(jnp.concat, [X, Y], axis=1).having(moving=(0, 1))
    yield of(jnp.concat, (I, B))
    for f in (jnp.hstack, jnp.vstack, jnp.dstack):
        yield of(f, [X, Y]).having(moving=(0, 1))
        yield of(f, (V, ints(3)), dtype=np.float32).having(
            expected=lambda parts, dtype, f=f.__name__: getattr(np, f)(parts).astype(dtype)
        )
    yield of(jnp.hstack, [np.array(1.0), V])
    yield of(jnp.column_stack, [V, X.T]).having(moving=(0, 1))
    yield of(jnp.column_stack, (ints(3), V))
    yield of(jnp.append, X, V).having(moving=(0, 1))
    yield of(jnp.append, X, Y, axis=1)
    yield of(jnp.append, I, np.array(3))
    yield of(jnp.block, [[X, Y], [np.ones((1, 3)), np.zeros((1, 3))]]).having(moving=(0, 1))
    yield of(jnp.block, [V, 2.0])
    for f in (jnp.split, jnp.array_split):
        yield of(f, CUBE, 2, axis=2).having(moving=(0,))
        yield of(f, CUBE, [1, 3], axis=-1)
        yield of(f, I, np.array([1])).having(batch="places to split", jit="likewise")
    yield of(jnp.array_split, ints(7), 3)
    yield of(jnp.hsplit, CUBE, 3).having(moving=(0,))
    yield of(jnp.hsplit, V, [1])
    yield of(jnp.vsplit, CUBE, 2).having(moving=(0,))
    yield of(jnp.vsplit, CUBE, [1])
    yield of(jnp.dsplit, CUBE, 2).having(moving=(0,))
    yield of(jnp.dsplit, CUBE, [1, 2])
    yield of(jnp.unstack, CUBE, axis=1).having(moving=(0,))
    yield of(jnp.unstack, I)


def repeats() -> Iterator[Call]:
    for axis in (None, 0, 1, (0, 1)):
        yield of(jnp.flip, X, axis=axis).having(moving=(0,))
    yield of(jnp.flip, I)
    for f in (jnp.fliplr, jnp.flipud):
        yield of(f, X).having(moving=(0,))
        yield of(f, B)
    for shift, axis in ((1, None), (-2, 1), ((1, 2), (0, 1)), (5, 0)):
        yield of(jnp.roll, X, shift, axis=axis).having(moving=(0,))
    yield of(jnp.roll, I, np.array(1), axis=1)
    yield of(jnp.roll, empty(0, 3), 1)
    for k in (-1, 0, 2, 5):
        yield of(jnp.rot90, X, k=k).having(moving=(0,))
    yield of(jnp.rot90, CUBE, axes=(2, 0))
    for reps in (2, (2, 1), (2, 1, 3), (0, 1)):
        yield of(jnp.tile, X, reps).having(moving=(0,))
    yield of(jnp.tile, np.array(3), reps=2)
    yield of(jnp.repeat, X, 2).having(moving=(0,))
    yield of(jnp.repeat, X, 2, axis=1).having(moving=(0,))
    yield of(jnp.repeat, X, np.array([2, 0, 1]), axis=1).having(moving=(0,), **VALUE_SHAPES)
    yield of(jnp.repeat, X, np.array([2, 0, 1]), axis=1, total_repeat_length=3).having(
        expected=lambda a, repeats, axis, total_repeat_length: np.repeat(a, repeats, axis),
        moving=(0,), batch="the counts turned round sum to the same, but vmap gives each its own",
    )  # fmt: skip
    yield of(jnp.repeat, I, 0, axis=0)
    yield of(jnp.resize, X, (3, 4)).having(moving=(0,))
    yield of(jnp.resize, I, new_shape=(2,))
    yield of(jnp.resize, I, 9)


PAD_MODES = {
    "constant": {"constant_values": ((1.5, 2), (3, 4))}, "edge": {}, "wrap": {}, "empty": {},
    "reflect": {"reflect_type": "odd"}, "symmetric": {"reflect_type": "even"},
    "maximum": {"stat_length": 2}, "minimum": {}, "mean": {"stat_length": ((1, 2), (2, 1))},
    "median": {}, "linear_ramp": {"end_values": ((1.0, 2.0), (3.0, 4.0))},
}  # fmt: skip


def pads() -> Iterator[Call]:
    for mode, options in PAD_MODES.items():
        view = np.shape if mode == "empty" else None
        smooth = () if mode == "empty" else (0,)
        x = X**3 if mode == "median" else X  # even steps have ties of means
        yield of(jnp.pad, x, ((1, 2), (2, 1)), mode=mode, **options).having(
            moving=smooth, view=view, slack=4
        )
        yield of(jnp.pad, X.astype(np.float32), 1, mode).having(view=view, slack=4)
    yield of(jnp.pad, I, (1, 2))
    yield of(jnp.pad, I, ((0, 0), (1, 0)), "edge")
    yield of(jnp.pad, V, 7, "reflect").having(moving=(0,))
    yield of(jnp.pad, V, 7, "symmetric")
    yield of(jnp.pad, V, 7, "wrap")
    yield of(jnp.pad, B, 1, "constant", constant_values=True)
    yield of(jnp.pad, Z, 1)
    yield of(jnp.pad, I, {1: (1, 2)})
    yield of(jnp.pad, I, 1, added).having(name="numpy.pad")


def added(vector: Any, widths: Any, axis: int, kwargs: Any) -> Any:
    """A pad function that works in place, as NumPy's do, or gives a new vector."""
    if isinstance(vector, np.ndarray):
        vector[: widths[0]] = axis + 5
        vector[len(vector) - widths[1] :] = axis + 7
        return vector
    vector = vector.at[: widths[0]].set(axis + 5)
    return vector.at[len(vector) - widths[1] :].set(axis + 7)


def edits() -> Iterator[Call]:
    for f in (jnp.delete,):
        yield of(f, X, 1, axis=1).having(moving=(0,))
        yield of(f, X, np.array([0, 2]), axis=1).having(moving=(0,), **VALUE_SHAPES)
        yield of(f, X, slice(0, 2), axis=1)
        yield of(f, I, np.array([1, 1])).having(**VALUE_SHAPES)
        yield of(f, V, np.array([-1])).having(**VALUE_SHAPES)
        yield of(f, V, np.array([True, False, True])).having(**VALUE_SHAPES)
    yield of(jnp.delete, X, np.array([0, 2]), axis=1, assume_unique_indices=True).having(
        expected=lambda arr, obj, axis, assume_unique_indices: np.delete(arr, obj, axis)
    )
    yield of(jnp.insert, X, 1, 9.0, axis=1).having(moving=(0,))
    yield of(jnp.insert, X, np.array([0, 2]), V[:2], axis=1).having(moving=(0, 2), **VALUE_SHAPES)
    yield of(jnp.insert, X, np.array([1, 1]), Y[:, :2], axis=1).having(**VALUE_SHAPES)
    yield of(jnp.insert, I, 2, 7)
    yield of(jnp.insert, V, slice(0, 2), 5.0)
    zeros = np.array([0, 0, 1, 0, 2, 0])
    for trim in ("fb", "f", "b"):
        yield of(jnp.trim_zeros, zeros, trim=trim).having(**VALUE_SHAPES)
    yield of(jnp.trim_zeros, np.outer(zeros, zeros), axis=0).having(**VALUE_SHAPES)


def along_axes() -> Iterator[Call]:
    """Functions made of functions."""
    yield of(jnp.apply_along_axis, lambda v: v[0] * v, 1, X).having(moving=(0,))
    yield of(jnp.apply_along_axis, lambda v, k, offset: v.sum() * k + offset, 0, X, 2.0, offset=1.0)
    yield of(jnp.apply_along_axis, lambda v: v * v[0], arr=CUBE, axis=-1)
    yield of(jnp.apply_over_axes, jnp.sum, CUBE, axes=(0, 2)).having(
        expected=lambda f, a, axes: np.apply_over_axes(np.sum, a, axes), moving=(0,), slack=4
    )
    yield Call(
        lambda f, x, y: jnp.vectorize(f)(x, y), (lambda a, b: a * b + 1, X, V),
        expected=lambda f, x, y: x * y + 1, name="numpy.vectorize", moving=(0, 1),
    )  # fmt: skip
    yield Call(
        lambda x, y: jnp.vectorize(jnp.dot, signature="(n),(n)->()")(x, y), (X, V),
        expected=lambda x, y: x @ y, name="numpy.vectorize", moving=(0, 1),
    )  # fmt: skip
    yield Call(
        lambda x, k: jnp.vectorize(lambda a, n: a**n, excluded={1})(x, k), (X, 2),
        expected=lambda x, k: x**k, name="numpy.vectorize",
    )  # fmt: skip


CALLS = [*reshapes(), *pieces(), *repeats(), *pads(), *edits(), *along_axes()]
