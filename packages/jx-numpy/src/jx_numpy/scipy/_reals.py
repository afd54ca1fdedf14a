"""Operands of functions of real numbers."""

from __future__ import annotations

from ..operands import Array, ArrayLike, is_complex, promote_inexact, typeof

__all__ = ["real_floats"]


def real_floats(
    name: str, *operands: ArrayLike, error: type[Exception] = ValueError
) -> list[Array]:
    """The operands of `jx.scipy.<name>` as floats of one dtype, of shapes that go together.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex (or another class of error, `error`).
    """
    promoted = promote_inexact(name.rpartition(".")[2], *operands)
    if is_complex(typeof(promoted[0]).dtype):
        raise error(
            f"jx.scipy.{name} does not support complex-valued inputs: it takes real numbers, got "
            f"dtypes {', '.join(typeof(x).dtype.name for x in operands)}; take the real part "
            f"with jnp.real"
        )
    return promoted
