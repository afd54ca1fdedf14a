"""What special functions do to their operands first."""

from __future__ import annotations

from ...operands import Array, ArrayLike, is_complex, promote_inexact, typeof


def reals(name: str, *operands: ArrayLike) -> list[Array]:
    """Real operands of one float dtype, of shapes that go together.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex.
    """
    promoted = promote_inexact(name, *operands)
    dtype = typeof(promoted[0]).dtype
    if is_complex(dtype):
        raise ValueError(
            f"jx.scipy.special.{name} takes real numbers, got dtypes "
            f"{', '.join(typeof(x).dtype.name for x in operands)}; take the real part with "
            f"jnp.real"
        )
    return promoted
