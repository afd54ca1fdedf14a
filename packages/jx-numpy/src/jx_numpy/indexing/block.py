"""`ds`: an index that takes a block of known length at a start that may be traced."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from jx_core import tree_util
from jx_core.aval import typeof
from jx_core.trace import is_concrete

__all__ = ["Slice", "ds"]


class Slice:
    """A block of an axis: `size` places from `start` on, `stride` apart.

    Attributes:
        start: an integer, perhaps an array or traced.
        size, stride: integers known beforehand, `stride` at least 1.
    """

    __slots__ = ("size", "start", "stride")

    def __init__(self, start: Any, size: int, stride: int = 1) -> None:
        self.start = int(start) if isinstance(start, np.integer) else start
        self.size = _known(size, "size")
        self.stride = _known(stride, "stride")
        if self.size < 0 or self.stride < 1:
            raise ValueError(
                f"ds: size must be at least 0 and stride at least 1, got size={size} and "
                f"stride={stride}; x[::-1] reverses an axis"
            )

    @property
    def is_dynamic_start(self) -> bool:
        """Whether the start is an array rather than a Python integer."""
        return not isinstance(self.start, int)

    @property
    def is_dynamic_size(self) -> bool:
        """False: the length of a block is part of its type."""
        return False

    @classmethod
    def from_slice(cls, bounds: slice, size: int) -> Slice:
        """The block that a Python slice with a positive step takes of an axis of `size`."""
        start, stop, step = bounds.indices(size)
        return cls(start, len(range(start, stop, step)), step)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slice) and _facts(self) == _facts(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Slice(start={self.start!r}, size={self.size}, stride={self.stride})"


def _facts(block: Slice) -> tuple[Any, int, int]:
    return block.start, block.size, block.stride


def _known(value: Any, what: str) -> int:
    if not is_concrete(value):
        raise TypeError(
            f"ds: {what} must be known while tracing, as it decides the result's shape: got "
            f"{value}. Only start may be traced"
        )
    return operator.index(value)


def _rebuilt(facts: tuple[int, int], children: tuple[Any, ...]) -> Slice:
    block = object.__new__(Slice)
    block.start, block.size, block.stride = children[0], *facts
    return block


tree_util.register_pytree_node(Slice, lambda b: ((b.start,), (b.size, b.stride)), _rebuilt)


def ds(start: Any, size: int | None = None, stride: int | None = None) -> Slice | slice:
    """An index for a block of known length whose start may be traced.

    `ds(i, n)` is `i:i+n`, `ds(i, n, s)` every `s`-th place of `n` from `i` on, `ds(n)` is `:n`
    and `ds(None)` is `:`. A read that would reach over the end is moved back so that it fits, as
    by `lax.dynamic_slice`; an update there is dropped.

    Args:
        start: an integer, perhaps traced; the size where it is given alone.
        size: how many places.
        stride: how far apart, 1 by default.

    Raises:
        TypeError: the size or stride is traced, or the start is no integer.
        ValueError: the size is negative, or the stride less than 1.

    >>> import jx, jx.numpy as jnp
    >>> x = jnp.arange(10)
    >>> jx.jit(lambda x, i: x[jx.ds(i, 3)])(x, 4)
    Array([4, 5, 6], dtype=int32)
    """
    if size is None:
        if stride is not None:
            raise TypeError("ds: a stride needs a start and a size: ds(start, size, stride)")
        return slice(None) if start is None else Slice(0, start)
    if start is None:
        start = 0
    aval = typeof(start)
    if aval.shape or aval.dtype.kind not in "iu":
        raise TypeError(f"ds: start must be an integer, got {aval.str_short()}")
    return Slice(start, size, 1 if stride is None else stride)
