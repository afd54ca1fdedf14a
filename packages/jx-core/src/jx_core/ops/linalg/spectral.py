"""What the spectral decompositions share: types of matrices, and results where there are none.

Every decomposition takes matrices in the last two axes, over any leading axes. A matrix that has
no decomposition, because it holds a NaN or an infinity or because the iteration did not
converge, gives NaN and leaves the others of its batch alone. The decompositions themselves are
in the files beside this one.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from ...aval import ShapedArray
from ...errors import ShapeError

__all__: list[str] = []

Shape = tuple[int, ...]
MATRIX_DTYPES = ("float32", "float64", "complex64", "complex128")


class Choice(enum.Enum):
    """An enumeration whose members print as they are written."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


def matrix_shape(name: str, aval: ShapedArray, *, square: bool = False) -> tuple[Shape, int, int]:
    """The leading axes, rows and columns of an operand of matrices.

    Raises:
        ShapeError: it has less than two axes, or matrices are not square and have to be.
        TypeError: its dtype is none that decompositions are computed in.
    """
    if aval.dtype.name not in MATRIX_DTYPES:
        raise TypeError(
            f"{name} does not accept dtype {aval.dtype.name}: matrices are decomposed in "
            f"{', '.join(MATRIX_DTYPES)}; lax.convert_element_type converts"
        )
    if aval.ndim < 2 or (square and aval.shape[-1] != aval.shape[-2]):
        want = "[..., n, n]" if square else "[..., m, n]"
        raise ShapeError(
            f"{name}: the argument must have shape {want}"
            f"{', a batch of square matrices' if square else ''}; got shape {aval.shape}"
        )
    return aval.shape[:-2], aval.shape[-2], aval.shape[-1]


def subset(name: str, bounds: Any, size: int) -> tuple[int, int]:
    """The range of indices `subset_by_index`, all of `size` where it is None.

    Raises:
        ValueError: it is no pair, or out of order or of range.
    """
    if bounds is None:
        return 0, size
    try:
        start, stop = (index(b) for b in bounds)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: subset_by_index must be a pair of integers (start, stop), got {bounds!r}"
        ) from None
    if not 0 <= start <= stop <= size:
        raise ValueError(
            f"{name}: subset_by_index must have 0 <= start <= stop <= {size}, got {bounds!r}"
        )
    return start, stop


def chosen(name: str, argument: str, kind: type[enum.Enum], value: Any) -> Any:
    """An option that is None or a member of an enumeration.

    Raises:
        TypeError: it is neither.
    """
    if value is None or isinstance(value, kind):
        return value
    members = ", ".join(f"{kind.__name__}.{m.name}" for m in kind)
    raise TypeError(f"{name}: {argument} must be None or one of {members}; got {value!r}")


def per_matrix(
    compute: Callable[[np.ndarray], Sequence[Any]],
    x: np.ndarray,
    types: Sequence[ShapedArray],
    reads: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> list[np.ndarray]:
    """The results of `compute` on each matrix of `x`, in double precision, and rounded.

    Args:
        compute: takes one matrix, float64 or complex128, and gives its results; it raises
            LinAlgError where there are none.
        x: matrices in the last two axes.
        types: the types of the results for all of `x`.
        reads: gives the part of a matrix that must be finite, for there to be results.
    """
    wide = x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    outs = [np.full(t.shape, np.nan if t.dtype.kind in "fc" else 0, t.dtype) for t in types]
    for place in np.ndindex(x.shape[:-2]):
        if not np.isfinite(reads(wide[place])).all():
            continue
        try:
            results = compute(wide[place])
        except np.linalg.LinAlgError:
            continue
        for out, result in zip(outs, results, strict=True):
            out[place] = result
    return outs


def types_of(abstract: Callable[..., Any], x: np.ndarray, params: dict[str, Any]) -> Any:
    """The types of a decomposition's results, for `per_matrix`."""
    return abstract(ShapedArray(x.shape, x.dtype), **params)


def adjoint(x: np.ndarray) -> np.ndarray:
    """The conjugate transpose of the last two axes."""
    return np.asarray(np.conj(np.swapaxes(x, -1, -2)))


def from_triangle(x: np.ndarray, lower: bool) -> np.ndarray:
    """The Hermitian matrices of which `x` holds one triangle; diagonals are taken to be real."""
    strict = np.tril(x, -1) if lower else np.triu(x, 1)
    diagonal = np.real(np.diagonal(x, axis1=-2, axis2=-1))
    return np.asarray(strict + adjoint(strict) + diagonal[..., None] * np.eye(x.shape[-1]))


def machine_epsilon(dtype: Any) -> float:
    """The distance from 1 to the next number of a dtype."""
    return float(np.finfo(dtype).eps)


def least_normal(dtype: Any) -> float:
    """The least positive number of a dtype that has its full precision."""
    return float(np.finfo(dtype).tiny)
