"""Indices for the tests of reading and updating: written out, and drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

SHAPE = (4, 5, 6)
X = np.arange(120, dtype=np.float32).reshape(SHAPE)
ALL = slice(None)
ROWS, GRID = np.array([0, 1]), np.array([[2], [-1]])

WRITTEN: list[Any] = [
    0, -1, (1, 2, 3), (0, ..., -2), (), ..., None, (None, 0), (..., None), (0, None, ALL, None),
    slice(1, 3), slice(3, 1), slice(None, None, -1), slice(None, None, 2), slice(3, 0, -2),
    (ALL, slice(-3, None)), (slice(1, 3), slice(4, None, -2), 2), (..., slice(1, 6, 2)),
    (slice(0, 0), 1), (slice(-100, 100), slice(2, -1)), np.int8(2), (np.uint16(1), ALL, 0),
    ROWS, GRID, (ALL, ROWS), (ROWS, ALL, ROWS), (ROWS, ROWS), (ALL, ROWS, GRID),
    (ALL, ROWS, None, GRID), (ROWS, 0), (ROWS, ALL, 0), (0, ALL, ROWS), (..., ROWS, 0),
    (None, ROWS, None), (ALL, 0, ..., ROWS), (ROWS, ..., ROWS, 0), (ROWS, ..., 0),
    (ROWS, slice(None, None, 2)), (ROWS, slice(4, 1, -1), slice(1, 6, 2)),
    (slice(1, 3), slice(1, 4), ROWS), (slice(3, 1), ROWS), np.zeros((0,), np.int32),
    (ALL, np.zeros((2, 0), np.int64)), np.uint8([3, 0]), np.int8([-1, 3]), ([1, 2], 0),
    ([[0], [1]], [1, 2]),
    X[:, 0, 0] > 30, X[:, :, 0] > 30, X > 50, X > 1e9, (ALL, X[0, :, 0] > 6),
    (X[:, 0, 0] > 30, 0), (ROWS, X[0, :, 0] > 18), (0, X[0, :, 0] > 6, ALL), (X[..., 0] > 50, None),
    True, False, (True, 0), (0, True), (True, ROWS), (ALL, True, ROWS), (ROWS, True, ALL, 0),
    (ALL, 0, True), np.array(True), (np.array(1), ALL, ROWS), (ALL, np.array(1), ROWS),
]  # fmt: skip


@st.composite
def indices(draw: Any) -> Any:
    """A valid index for an array of shape SHAPE, basic or advanced."""
    batch = draw(st.sampled_from([(), (1,), (3,), (2, 1), (2, 3)]))
    elements: list[Any] = []
    axis = 0
    ellipsis = False
    while axis < len(SHAPE):
        size = SHAPE[axis]
        kinds = ["int", "slice", "array", "mask", "new", "stop"]
        kind = draw(st.sampled_from(kinds if ellipsis else [*kinds, "ellipsis"]))
        if kind == "stop":
            break
        if kind == "new":
            if len(elements) > 5:
                break
            elements.append(None)
            continue
        if kind == "ellipsis":
            ellipsis = True
            elements.append(...)
            axis += draw(st.integers(0, len(SHAPE) - axis))
            continue
        if ellipsis:  # what follows is for the last axes, so any size must do
            size = min(SHAPE)
        elements.append(draw(_element(kind, size, batch, ellipsis)))
        axis += 1
    index = tuple(elements)
    return index[0] if len(index) == 1 and index[0] is not None else index


def _element(kind: str, size: int, batch: tuple[int, ...], anywhere: bool) -> Any:
    place = st.integers(-size, size - 1)
    if kind == "int":
        return place
    if kind == "slice" or (kind == "mask" and (anywhere or batch)):
        bound = st.none() | st.integers(-size - 1, size + 1)
        step = st.none() | st.sampled_from([1, 2, 3, -1, -2])
        return st.builds(slice, bound, bound, step)
    if kind == "mask":
        return st.lists(st.booleans(), min_size=size, max_size=size).map(_one_true)
    count = int(np.prod(batch, dtype=int))
    flat = st.lists(place, min_size=count, max_size=count)
    return flat.map(lambda p: np.array(p, np.int32).reshape(batch))


def _one_true(mask: list[bool]) -> np.ndarray:
    """A mask with one place, so that it broadcasts with whatever is beside it."""
    where = mask.index(True) if True in mask else 0
    return np.arange(len(mask)) == where
