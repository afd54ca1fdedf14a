"""Samples of the shape family."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jx_core import lax
from jx_core.errors import ShapeError

from .sample import ALL, FEW, ErrorSample, Sample, array, dtype_of, traced, words


def samples() -> Iterator[Sample]:
    for dtype in ALL:
        moving = (0,) if "float" in dtype or "complex" in dtype else ()
        x = array((2, 3, 4), dtype)
        for fun in UNARY:
            yield traced(fun, x, moving=moving, order=1)
        x, y = array((2, 3), dtype), array((2, 1), dtype)
        yield traced(lambda x, y: lax.concatenate([x, y], 1), x, y, moving=(0, 1), order=1) if (
            moving
        ) else traced(lambda x, y: lax.concatenate([x, y], 1), x, y)
        fill = array((), dtype, 0, 2)
        for config in PADDINGS:
            sides = (0, 1) if moving else ()
            yield Sample(lax.pad_p, (x, fill), {"padding_config": config}, moving=sides, order=1)
    for dtype in FEW:
        for fun, shape in SMALL:
            yield traced(fun, array(shape, dtype), note=f"from {shape}")
        xs = [array((2, 3), dtype, seed=i) for i in range(3)]
        for axis in (0, 1, 2):
            yield Sample(lax.stack_p, tuple(xs), {"axis": axis}, order=1)
        for axis in (0, 1):
            yield Sample(lax.unstack_p, (xs[0],), {"axis": axis}, order=1)
            yield Sample(lax.split_p, (xs[0],), {"axis": axis, "sizes": (1, 0, axis + 1)}, order=1)
    for dtype in (d for d in ALL if d != "bool"):
        for shape, dimension in (((5,), 0), ((2, 3), 0), ((2, 3), 1), ((0, 2), 1)):
            params = {"dtype": dtype_of(dtype), "shape": shape, "dimension": dimension}
            yield Sample(lax.iota_p, (), params)
        yield Sample(lax.empty_p, (), {"shape": (2, 0), "dtype": dtype_of(dtype)})
    yield from _narrow()
    yield from _keys()


def _narrow() -> Iterator[Sample]:
    """The same on dtypes of a byte and less."""
    for dtype in ("float8_e4m3fn", "float8_e5m2", "float4_e2m1fn", "int4", "uint4", "int2"):
        x = array((2, 3, 4), "float32", 0, 1.9).astype(dtype_of(dtype))
        for fun in UNARY:
            yield traced(fun, x)
        yield traced(lambda x, y: lax.concatenate([x, y], 1), x, x[:, :1])
        yield Sample(lax.stack_p, (x, x[::-1]), {"axis": 1})
        yield Sample(lax.unstack_p, (x,), {"axis": 1})
        config = ((0, 0, 1), (2, -1, 2), (1, 0, 0))
        yield Sample(lax.pad_p, (x, x[0, 0, 0]), {"padding_config": config})
        params = {"dtype": dtype_of(dtype), "shape": (2, 2), "dimension": 1}
        yield Sample(lax.iota_p, (), params)
        yield Sample(lax.empty_p, (), {"shape": (0, 2), "dtype": dtype_of(dtype)})


UNARY = (
    lambda x: lax.reshape_p.bind(x, new_sizes=(4, 6), dimensions=None),
    lambda x: lax.reshape_p.bind(x, new_sizes=(24,), dimensions=(2, 0, 1)),
    lambda x: lax.transpose_p.bind(x, permutation=(2, 0, 1)),
    lambda x: lax.rev_p.bind(x, dimensions=(0, 2)),
    lambda x: lax.broadcast_in_dim_p.bind(
        x, shape=(5, 2, 3, 4), broadcast_dimensions=(1, 2, 3)
    ),
    lambda x: lax.tile_p.bind(x, reps=(2, 1, 3)),
    lambda x: lax.split_p.bind(x, sizes=(1, 3), axis=2),
)
SMALL = (
    (lambda x: lax.reshape_p.bind(x, new_sizes=(1, 1), dimensions=None), ()),
    (lambda x: lax.reshape_p.bind(x, new_sizes=(), dimensions=None), (1, 1)),
    (lambda x: lax.reshape_p.bind(x, new_sizes=(3, 0), dimensions=None), (0, 2)),
    (lambda x: lax.transpose_p.bind(x, permutation=()), ()),
    (lambda x: lax.transpose_p.bind(x, permutation=(1, 0)), (0, 2)),
    (lambda x: lax.squeeze_p.bind(x, dimensions=(0, 2)), (1, 3, 1)),
    (lambda x: lax.squeeze_p.bind(x, dimensions=()), (2, 3)),
    (lambda x: lax.rev_p.bind(x, dimensions=()), ()),
    (lambda x: lax.rev_p.bind(x, dimensions=(0,)), (0, 2)),
    (lambda x: lax.broadcast_in_dim_p.bind(x, shape=(2, 3), broadcast_dimensions=()), ()),
    (lambda x: lax.broadcast_in_dim_p.bind(x, shape=(2, 3), broadcast_dimensions=(0, 1)), (2, 1)),
    (lambda x: lax.broadcast_in_dim_p.bind(x, shape=(3, 2), broadcast_dimensions=(1,)), (2,)),
    (lambda x: lax.broadcast_in_dim_p.bind(x, shape=(0, 2), broadcast_dimensions=(1,)), (2,)),
    (lambda x: lax.tile_p.bind(x, reps=(3, 2)), (0, 2)),
    (lambda x: lax.concatenate_p.bind(x, dimension=0), (2, 3)),
)
PADDINGS = (
    ((1, 2, 0), (0, 0, 0)),
    ((0, 0, 1), (2, -1, 2)),
    ((-1, 3, 0), (-1, -1, 0)),
    ((0, -2, 0), (1, 1, 1)),
)


def _keys() -> Iterator[Sample]:
    """The same operations on typed keys, whose words lie along an axis of their own."""
    for fun in UNARY:
        yield traced(fun, words((2, 3, 4)), keys=(0,))
    yield traced(lambda x: lax.squeeze(x, (0,)), words((1, 3)), keys=(0,))
    yield traced(lambda x, y: lax.concatenate([x, y], 0), words((1, 3)), words((2, 3)), keys=(0, 1))
    yield Sample(lax.stack_p, (words((3,)), words((3,), 1)), {"axis": 1}, keys=(0, 1))
    yield Sample(lax.unstack_p, (words((2, 3)),), {"axis": 1}, keys=(0,))
    config = {"padding_config": ((1, 2, 1),)}
    yield Sample(lax.pad_p, (words((3,)), words((), 1)), config, keys=(0, 1))


def error_samples() -> Iterator[ErrorSample]:
    x = np.zeros((2, 3), np.float32)
    yield ErrorSample(
        "reshape_size", lambda: lax.reshape(x, (4,)), ShapeError, "number of elements must stay"
    )
    yield ErrorSample(
        "transpose", lambda: lax.transpose(x, (0, 0)), ShapeError, r"permutation.*\(0, 0\)"
    )
    yield ErrorSample("squeeze", lambda: lax.squeeze(x, (0,)), ShapeError, r"\(2, 3\)")
    yield ErrorSample(
        "broadcast",
        lambda: lax.broadcast_in_dim(x, (2, 4), (0, 1)),
        ShapeError,
        "must be 1 or equal",
    )
    yield ErrorSample(
        "concatenate_shapes", lambda: lax.concatenate([x, x.T], 0), ShapeError, "may differ along"
    )
    yield ErrorSample(
        "concatenate_dtypes", lambda: lax.concatenate([x, x.astype(int)], 0), TypeError,
        "same dtypes",
    )  # fmt: skip
    yield ErrorSample(
        "pad_interior", lambda: lax.pad(x, 0.0, [(0, 0, -1), (0, 0, 0)]), ShapeError,
        "interior padding must be non-negative",
    )  # fmt: skip
    yield ErrorSample(
        "pad_away",
        lambda: lax.pad(x, 0.0, [(-2, -1, 0), (0, 0, 0)]),
        ShapeError,
        "more than there is",
    )
    yield ErrorSample("split", lambda: lax.split(x, (1, 1), 1), ShapeError, "sizes must add up")
    yield ErrorSample("rev", lambda: lax.rev(x, (2,)), ShapeError, r"\(2, 3\)")
    yield ErrorSample("iota", lambda: lax.iota("bool", 3), TypeError, "bool")
