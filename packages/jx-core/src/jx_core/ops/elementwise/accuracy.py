"""The accuracy that a caller asks of a transcendental function.

jx computes each function as accurately as its back end can, so what is asked is checked
and then met without becoming part of the program.
"""

from __future__ import annotations

import enum

__all__ = ["AccuracyMode", "Tolerance"]


class AccuracyMode(enum.Enum):
    """How accurate a function's result should be, by name.

    >>> from jx_core import lax
    >>> lax.exp(np.float32(0), accuracy=AccuracyMode.HIGHEST)
    Array(1., dtype=float32)
    """

    HIGHEST = 1
    DEFAULT = 2


class Tolerance:
    """How far a function's result may lie from the exact one: any of three bounds.

    Args:
        atol: absolute difference.
        rtol: difference relative to the exact value.
        ulps: difference in units in the last place.

    Raises:
        ValueError: a bound is negative, or all are zero.

    >>> Tolerance(rtol=1e-6)
    Tolerance(atol=0.0, rtol=1e-06, ulps=0)
    """

    __slots__ = ("atol", "rtol", "ulps")

    def __init__(self, atol: float = 0.0, rtol: float = 0.0, ulps: int = 0) -> None:
        if atol < 0 or rtol < 0 or ulps < 0:
            raise ValueError(
                f"Tolerances must be non-negative, got atol={atol}, rtol={rtol}, ulps={ulps}"
            )
        if not (atol or rtol or ulps):
            raise ValueError("At least one of atol, rtol or ulps must be set, got none")
        self.atol = atol
        self.rtol = rtol
        self.ulps = ulps

    def __repr__(self) -> str:
        return f"Tolerance(atol={self.atol}, rtol={self.rtol}, ulps={self.ulps})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tolerance) and (
            (self.atol, self.rtol, self.ulps) == (other.atol, other.rtol, other.ulps)
        )

    def __hash__(self) -> int:
        return hash((self.atol, self.rtol, self.ulps))


def check_accuracy(name: str, accuracy: object) -> None:
    """Raise a TypeError unless `accuracy` is something the lax functions take as such."""
    if accuracy is not None and not isinstance(accuracy, (AccuracyMode, Tolerance)):
        raise TypeError(
            f"{name}: accuracy must be a lax.Tolerance, a lax.AccuracyMode or None, "
            f"got {accuracy!r}"
        )
