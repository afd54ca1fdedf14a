"""What special functions do to their operands first."""

from __future__ import annotations

from ...operands import Array, ArrayLike
from .._reals import real_floats


def reals(name: str, *operands: ArrayLike) -> list[Array]:
    """Real operands of one float dtype, of shapes that go together, as by `real_floats`."""
    return real_floats(f"special.{name}", *operands)
