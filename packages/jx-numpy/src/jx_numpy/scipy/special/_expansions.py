"""Functions that are Chebyshev series in pieces, and their evaluation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

__all__ = ["Piece", "chebyshev", "clenshaw"]


@dataclass(frozen=True)
class Piece:
    """A Chebyshev series of a function between two limits.

    Attributes:
        low, high: the limits, 0 <= low < high.
        power: the series' variable is x^power, brought linearly from between the limits to
            between -1 and 1.
        coefficients: of T_0, T_1, and so on.
    """

    low: float
    high: float
    power: int
    coefficients: tuple[float, ...]

    def line(self) -> tuple[float, float]:
        """The slope and intercept that bring x^power to [-1, 1]."""
        ends = [_power(self.low, self.power), _power(self.high, self.power)]
        slope = 2 / (max(ends) - min(ends))
        return slope, -(max(ends) + min(ends)) / 2 * slope


def _power(x: float, power: int) -> float:
    if x == 0:
        return 0.0
    return 0.0 if math.isinf(x) else float(x) ** power


def chebyshev(m: Any, pieces: tuple[Piece, ...], x: Any) -> Any:
    """The function of those pieces at x, by Clenshaw's recurrence (DLMF 3.11.15).

    All pieces go through one recurrence, each element with the coefficients of its own. Outside
    the pieces the result means nothing, but is finite.
    """
    within = [x < piece.high for piece in pieces[:-1]]
    t = _argument(m, pieces[-1], x)
    for condition, piece in zip(reversed(within), reversed(pieces[:-1]), strict=True):
        t = m.where(condition, _argument(m, piece, x), t)
    rows = [list(m.enough(piece.coefficients, 1.0)) for piece in pieces]
    length = max(map(len, rows))
    rows = [row + [0.0] * (length - len(row)) for row in rows]
    now, last, twice = 0.0 * t, 0.0 * t, 2.0 * t
    for k in range(length - 1, 0, -1):
        now, last = twice * now - last + _chosen(m, within, [row[k] for row in rows]), now
    return t * now - last + _chosen(m, within, [row[0] for row in rows])


def _argument(m: Any, piece: Piece, x: Any) -> Any:
    inside = (x >= piece.low) & (x < piece.high) if piece.high < math.inf else x >= piece.low
    # Elements of other pieces take a place within this one, lest their powers overflow.
    own = m.where(inside, x, min(piece.high, piece.low + 1.0))
    base = own if piece.power > 0 else 1.0 / own
    u = base
    if abs(piece.power) >= 2:
        u = u * base
    if abs(piece.power) == 4:
        u = u * u
    slope, intercept = piece.line()
    return u * slope + intercept


def _chosen(m: Any, within: list[Any], values: list[float]) -> Any:
    chosen: Any = values[-1]
    for condition, value in zip(reversed(within), reversed(values[:-1]), strict=True):
        if not (isinstance(chosen, float) and chosen == value):
            chosen = m.where(condition, value, chosen)
    return chosen


def clenshaw(m: Any, coefficients: tuple[float, ...], t: Any) -> Any:
    """The Chebyshev series of those coefficients at -1 <= t <= 1."""
    now, last = 0.0 * t, 0.0 * t
    for c in reversed(m.enough(coefficients, 1.0)[1:]):
        now, last = 2.0 * t * now - last + c, now
    return t * now - last + coefficients[0]
