"""Comparing results of two ways to compute, by what their dtype can promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import dtypes

# Relative errors to expect of a well-conditioned function: a few units in the last place.
_RTOL = {
    "float64": 2e-14, "complex128": 5e-14, "float32": 1e-6, "complex64": 2e-6,
    "float16": 1e-3, "bfloat16": 8e-3,
}  # fmt: skip


def tolerance(dtype: Any, slack: float = 1.0) -> float:
    """The relative error to allow for results of `dtype`; 0 for those that must be exact.

    Narrow floats are mostly computed in wider ones and rounded, which needs little slack.
    """
    name = np.dtype(dtype).name
    narrow = name in ("float16", "bfloat16")
    return _RTOL.get(name, 0.0) * (min(slack, 4.0) if narrow else slack)


def mismatch(
    got: Any, want: Any, slack: float = 1.0, atol: float = 0.0, rtol: float | None = None
) -> str:
    """What is wrong with `got`, or an empty string.

    Shapes and dtypes must agree, infinities and NaNs lie at the same places. Complex numbers
    are compared by the size of their difference.
    """
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"got {got.dtype}{got.shape}, expected {want.dtype}{want.shape}"
    rtol = tolerance(want.dtype, slack) if rtol is None else rtol
    if not dtypes.issubdtype(want.dtype, np.inexact):
        wrong = np.asarray(got != want)
    else:
        kind = np.complex128 if want.dtype.kind == "c" else np.float64
        a, b = got.astype(kind), want.astype(kind)
        with np.errstate(all="ignore"):
            finite = np.isfinite(a) & np.isfinite(b)
            close = np.abs(a - b) <= rtol * np.abs(b) + atol + _tiny(want.dtype)
            same = (a == b) | (np.isnan(a) & np.isnan(b))
        wrong = np.where(finite, ~close, ~same)
    if not wrong.any():
        return ""
    where = [tuple(map(int, i)) for i in np.argwhere(wrong)[:5]]
    lines = [f"at {i}: got {got[i]}, expected {want[i]}" for i in where]
    return f"{int(wrong.sum())} of {wrong.size} elements differ: {'; '.join(lines)}"


def _tiny(dtype: Any) -> float:
    """The least normal number: compiled programs may flush what lies below it to zero."""
    return float(dtypes.finfo(dtype).tiny)


def mismatches(
    got: Sequence[Any], want: Sequence[Any], slack: float = 1.0, atol: float = 0.0
) -> str:
    """The same for lists of results."""
    if len(got) != len(want):
        return f"got {len(got)} results, expected {len(want)}"
    for i, (x, y) in enumerate(zip(got, want, strict=True)):
        wrong = mismatch(x, y, slack, atol)
        if wrong:
            return f"result {i}: {wrong}"
    return ""
