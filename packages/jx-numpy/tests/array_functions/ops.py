"""Calls of `jx.ops` and `jx.flatten_util`: segments of arrays, trees as vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from jx_numpy import flatten_util, ops

from .call import Call, of
from .data import bools, ints, reals

DATA = reals(6, 2)
IDS = np.array([0, 2, 2, 0, 1, 2])
KINDS = {
    ops.segment_sum: (np.add, 0), ops.segment_prod: (np.multiply, 1),
    ops.segment_max: (np.maximum, None), ops.segment_min: (np.minimum, None),
}  # fmt: skip


def reduced(f: Any) -> Any:
    ufunc, start = KINDS[f]

    def oracle(data: Any, ids: Any, num_segments: int | None = None, **hints: Any) -> Any:
        n = int(ids.max()) + 1 if num_segments is None else num_segments
        begin = start
        if begin is None:
            least = ufunc is np.maximum
            if data.dtype.kind == "f":
                begin = -np.inf if least else np.inf
            else:
                limits = np.iinfo(data.dtype)
                begin = limits.min if least else limits.max
        out = np.full((n, *data.shape[1:]), begin, data.dtype)
        inside = (ids >= 0) & (ids < n)
        ufunc.at(out, ids[inside], data[inside])
        return out

    return oracle


def segments() -> Iterator[Call]:
    for f in KINDS:
        facts: dict[str, Any] = {"expected": reduced(f)}
        yield of(f, DATA, IDS, num_segments=3).having(moving=(0,), slack=4, **facts)
        yield of(f, DATA, IDS).having(
            jit="the number of segments goes with the values", batch="likewise", **facts
        )
        yield of(f, ints(6), IDS, num_segments=4).having(**facts)
        yield of(f, ints(6, dtype=np.uint8), IDS, 2).having(**facts)
        yield of(f, DATA, np.array([0, 1, 9, 0, 1, 2]), num_segments=3).having(**facts)
        in_order = {"batch": "rows turned round are not in order"}
        yield of(f, DATA, np.sort(IDS), num_segments=3, indices_are_sorted=True).having(
            **in_order, **facts
        )
        yield of(f, DATA, np.arange(6), num_segments=6, unique_indices=True).having(**facts)
        yield of(f, DATA, IDS, num_segments=3, bucket_size=2).having(slack=4, **facts)
        yield of(f, DATA, IDS, num_segments=3, mode="drop").having(slack=4, **facts)


def trees() -> Iterator[Call]:
    def raveled(x: Any, y: Any) -> Any:
        vector, back = flatten_util.ravel_pytree({"a": x, "b": [y, 2.0]})
        return vector, back(2 * vector)

    yield Call(
        raveled, (DATA, reals(3)), name="flatten_util.ravel_pytree", moving=(0, 1),
        expected=lambda x, y: (
            np.concatenate([x.ravel(), y, [2.0]]), {"a": 2 * x, "b": [2 * y, 4.0]}
        ),
    )  # fmt: skip
    yield Call(
        lambda x: flatten_util.ravel_pytree(x)[0], ((DATA, ints(2), bools(2)),),
        expected=lambda parts: np.concatenate([p.ravel() for p in parts]),
        name="flatten_util.ravel_pytree",
    )  # fmt: skip
    yield of(flatten_util.ravel_pytree, (DATA, ints(2))).having(
        view=lambda r: r[0], expected=lambda parts: (np.concatenate([p.ravel() for p in parts]),)
    )


CALLS = [*segments(), *trees()]
