"""What the generic tests of transformations share: batches of a sample, and choosing samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_ad import vjp
from jx_core import backend, dtypes, tree

from .sample import Sample


def arrays(x: Any) -> list[np.ndarray]:
    """The leaves of a pytree as ndarrays."""
    return [np.asarray(v) for v in tree.leaves(x)]


def on_numpy(fun: Callable[..., Any], *args: Any) -> list[np.ndarray]:
    """The results of `fun`, computed by the reference meaning."""
    with backend.use("numpy"):
        return arrays(fun(*args))


def dtypes_of(sample: Sample) -> set[str]:
    """The names of the operands' dtypes."""
    return {x.dtype.name for x in sample.operands}


def differentiable(samples: Sequence[Sample], *dtypes: str) -> list[Sample]:
    """The samples to differentiate whose moving operands are of the given dtypes."""
    return [
        s for s in samples
        if s.moving and all(s.operands[i].dtype.name in dtypes for i in s.moving)
    ]  # fmt: skip


def distinct(samples: Sequence[Sample], most: int | None = None) -> list[Sample]:
    """One sample for each choice of shapes and params, `most` at most, spread out evenly."""
    found: dict[Any, Sample] = {}
    for s in samples:
        key = (tuple(x.shape for x in s.operands), str(sorted(s.params.items(), key=str)), s.keys)
        found.setdefault(key, s)
    kept = list(found.values())
    if most is None or len(kept) <= most:
        return kept
    return [kept[i * len(kept) // most] for i in range(most)]


def restricted(sample: Sample) -> Callable[..., list[Any]]:
    """The sample as a function of its moving operands, the others held fixed."""

    def fun(*moving: Any) -> list[Any]:
        operands = list(sample.operands)
        for i, x in zip(sample.moving, moving, strict=True):
            operands[i] = x
        return sample(*operands)

    return fun


def moving_operands(sample: Sample) -> tuple[Any, ...]:
    """The operands that `restricted` takes."""
    return tuple(sample.operands[i] for i in sample.moving)


def other_row(x: np.ndarray) -> np.ndarray:
    """Another operand of the same type, as valid as `x`: its entries in another order.

    Entries of the last axis keep theirs, since they may be index vectors or words of keys.
    """
    if x.ndim == 0:
        return x if x.dtype == np.bool_ else np.asarray(x + x.dtype.type(1)).astype(x.dtype)
    return np.ascontiguousarray(np.flip(x, tuple(range(max(x.ndim - 1, 1)))))


def batched(sample: Sample, operand: int, axis: int) -> np.ndarray:
    """A batch of two of one operand of a sample: its own and another row."""
    x = sample.operands[operand]
    return np.stack([x, sample.others[operand] if sample.others else other_row(x)], axis)


def tangent(x: np.ndarray, seed: int = 0) -> np.ndarray:
    """A random direction for `x`, an inexact array."""
    generator = np.random.default_rng(seed)
    values = generator.standard_normal(x.shape)
    if x.dtype.kind == "c":
        values = values + 1j * generator.standard_normal(x.shape)
    return np.asarray(values).astype(x.dtype)


def cotangents(outs: Sequence[Any], seed: int = 3) -> list[np.ndarray]:
    """Random cotangents of results: zeros of dtype float0 for those that are not inexact."""
    return [
        tangent(np.asarray(o), seed + i)
        if dtypes.issubdtype(o.dtype, np.inexact)
        else np.zeros(o.shape, dtypes.float0)
        for i, o in enumerate(outs)
    ]


def pulled(sample: Sample) -> Callable[..., Any]:
    """The cotangents of the moving operands, for fixed random ones of the results."""

    def fun(*moving: Any) -> Any:
        outs, pull = vjp(restricted(sample), *moving)
        return pull(cotangents([np.zeros(o.shape, o.dtype) for o in outs]))

    return fun
