"""`jx.flatten_util`: a pytree of arrays as one vector, and back."""

from __future__ import annotations

import math
from typing import Any

from jx_core import ShapedArray, dtypes, lax, tree, typeof
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert

from .operands import Array, as_operand

__all__ = ["ravel_pytree"]


class _Unravel:
    """The way back: a vector to the pytree it was made of.

    Two of them are equal if they make pytrees of the same tree and types.
    """

    def __init__(self, structure: Any, avals: tuple[ShapedArray, ...], dtype: Any) -> None:
        self._facts = structure, avals, dtype
        self._sizes = [math.prod(a.shape) for a in avals]

    def __call__(self, vector: Array) -> Any:
        structure, avals, dtype = self._facts
        vector = as_operand("the unravel function", vector)
        have = typeof(vector)
        if have.shape != (sum(self._sizes),):
            raise ShapeError(
                f"unravel function given array of shape {have.shape}, but expected shape "
                f"({sum(self._sizes)},)"
            )
        alike = all(a.dtype == dtype for a in avals)
        if have.dtype != dtype and not alike:
            raise TypeError(
                f"unravel function given array of dtype {have.dtype.name}, but expected dtype "
                f"{dtype.name}: vector.astype({dtype.name!r}) converts it"
            )
        leaves = []
        start = 0
        for size, aval in zip(self._sizes, avals, strict=True):
            part = lax.slice_in_dim(vector, start, start + size, axis=0)
            part = lax.reshape(part, aval.shape)
            # Leaves of one dtype are the vector's pieces, whatever it has become.
            leaves.append(part if alike else convert(part, aval.dtype))
            start += size
        return tree.unflatten(structure, leaves)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unravel) and self._facts == other._facts

    def __hash__(self) -> int:
        return hash(self._facts)

    def __repr__(self) -> str:
        return f"<unravel function to {self._facts[0]}>"


def ravel_pytree(pytree: Any) -> tuple[Array, Any]:
    """The elements of all arrays of a pytree as one vector, and the function that goes back.

    Args:
        pytree: arrays and numbers.

    Returns:
        `(vector, unravel)`. The vector has the dtype that the arrays promote to, numbers as
        arrays of the default dtypes; `unravel` takes one of its shape and dtype and gives a
        pytree like the first, each array of its own dtype. Where all are of one dtype it also
        takes vectors of another, which the arrays then have.

    >>> import jx, jx.numpy as jnp
    >>> vector, unravel = jx.flatten_util.ravel_pytree({"w": jnp.ones((2, 2)), "b": 3.0})
    >>> vector.tolist()
    [3.0, 1.0, 1.0, 1.0, 1.0]
    >>> unravel(2 * vector)["w"].shape
    (2, 2)
    """
    leaves, structure = tree.flatten(pytree)
    leaves = [as_operand("ravel_pytree", x, i) for i, x in enumerate(leaves)]
    avals = tuple([typeof(x) for x in leaves])
    if not leaves:
        dtype = dtypes.canonicalize_dtype(float)
        return lax.full((0,), 0, dtype), _Unravel(structure, avals, dtype)
    dtype = dtypes.result_type(*[a.dtype for a in avals])
    weak = all(a.weak_type and a.dtype == dtype for a in avals)
    parts = [
        convert(lax.reshape(x, (math.prod(a.shape),)), dtype, weak)
        for x, a in zip(leaves, avals, strict=True)
    ]
    vector = parts[0] if len(parts) == 1 else lax.concatenate(parts, 0)
    return vector, _Unravel(structure, avals, dtype)
