"""A step along a line that fulfils the strong Wolfe conditions.

J. Nocedal and S. J. Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6: steps grow
until an interval is known that has a good one, and then the interval shrinks. Near a minimum, where
rounding hides that values decrease, slopes tell: W. W. Hager and H. Zhang, "A new conjugate
gradient method with guaranteed descent and an efficient line search", SIAM Journal on Optimization
16 (2005), equation 4.1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jx_core import dtypes, lax

from .objective import Objective, count, dot

_DECREASE, _CURVATURE = 1e-4, 0.9


class Trial(NamedTuple):
    """A step, and the value, the slope and the gradient there."""

    step: Any
    value: Any
    slope: Any
    gradient: Any


class LineSearch(NamedTuple):
    """What a search found.

    Attributes:
        best: the step to take; of length 0 where no better point was found.
        failed: whether it does not fulfil the conditions.
        status: 0 for none of these: 1, the interval was shrunk as often as allowed; 3, no
            interval was found.
        evaluations: how often the function and its gradient were evaluated.
    """

    best: Trial
    failed: Any
    status: Any
    evaluations: Any


class _State(NamedTuple):
    low: Trial
    high: Trial
    step: Any
    bracketed: Any
    done: Any
    tries: Any
    evaluations: Any


def _choose(condition: Any, x: Trial, y: Trial) -> Trial:
    def of(a: Any, b: Any) -> Any:
        return lax.select(condition, a, b)

    return Trial(*map(of, x, y))


def _all(*conditions: Any) -> Any:
    total = conditions[0]
    for c in conditions[1:]:
        total = lax.bitwise_and(total, c)
    return total


def _between(low: Trial, high: Trial) -> Any:
    """The minimum of the cubic through two trials, kept away from both (equation 3.59)."""
    width = high.step - low.step
    safe = lax.select(lax.eq(width, lax.full_like(width, 0)), lax.full_like(width, 1), width)
    d1 = low.slope + high.slope - 3.0 * (high.value - low.value) / safe
    square = d1 * d1 - low.slope * high.slope
    root = lax.sign(width) * lax.sqrt(lax.max(square, lax.full_like(square, 0)))
    bottom = high.slope - low.slope + 2.0 * root
    part = 1.0 - (high.slope + root - d1) / bottom
    usable = _all(lax.ge(square, lax.full_like(square, 0)), lax.is_finite(part))
    half = lax.full_like(part, 0.5)
    part = lax.select(usable, part, half)
    part = lax.clamp(lax.full_like(part, 0.1), part, lax.full_like(part, 0.9))
    return low.step + part * width


def wolfe_step(
    objective: Objective, x: Any, direction: Any, start: Trial, first: Any, maxiter: int
) -> LineSearch:
    """Look for a step from `x` along a direction of descent.

    Args:
        objective: what is minimized.
        x, direction: the point and the direction.
        start: the trial of length 0.
        first: the first step to try.
        maxiter: how often to try before an interval is known, and how often to shrink it.
    """
    eps = float(dtypes.finfo(objective.dtype).eps)

    def tried(step: Any) -> Trial:
        value, gradient = objective.at(x + step * direction)
        return Trial(step, value, dot(gradient, direction), gradient)

    def decreases(t: Trial) -> Any:
        enough = lax.le(t.value, start.value + _DECREASE * t.step * start.slope)
        level = lax.le(t.value, start.value + eps * lax.abs(start.value))
        falling = lax.le(t.slope, (2 * _DECREASE - 1) * start.slope)
        return lax.bitwise_or(enough, lax.bitwise_and(level, falling))

    def goes_on(s: _State) -> Any:
        return _all(lax.bitwise_not(s.done), lax.lt(s.tries, np.int32(maxiter)))

    def step(s: _State) -> _State:
        t = tried(s.step)
        known_or_later = lax.bitwise_or(s.bracketed, lax.gt(s.tries, np.int32(0)))
        # Not a number counts as too great.
        not_lower = lax.bitwise_not(lax.lt(t.value, s.low.value))
        flat = lax.le(lax.abs(t.slope), -_CURVATURE * start.slope)
        good = _all(decreases(t), flat)
        too_great = lax.bitwise_or(
            lax.bitwise_not(decreases(t)), lax.bitwise_and(known_or_later, not_lower)
        )
        too_great = _all(too_great, lax.bitwise_not(good))
        rising = lax.ge(t.slope, lax.full_like(t.slope, 0))
        # Before an interval is known it would reach to the step before, which is the low one.
        away = lax.ge(t.slope * (s.high.step - s.low.step), lax.full_like(t.slope, 0))
        turn = lax.select(s.bracketed, away, rising)
        high = _choose(too_great, t, _choose(turn, s.low, s.high))
        low = _choose(too_great, s.low, t)
        bracketed = lax.bitwise_or(s.bracketed, lax.bitwise_or(too_great, turn))
        fresh = _all(bracketed, lax.bitwise_not(s.bracketed))
        following = lax.select(bracketed, _between(low, high), 2.0 * t.step)
        tries = lax.select(fresh, lax.full_like(s.tries, 0), s.tries + 1)
        return _State(low, high, following, bracketed, good, tries, s.evaluations + 1)

    no = lax.full((), False)
    begin = _State(start, start, first, no, no, count(), count())
    end = lax.while_loop(goes_on, step, begin)
    failed = lax.bitwise_not(end.done)
    reason = lax.select(end.bracketed, count(1), count(3))
    status = lax.select(failed, reason, count())
    return LineSearch(end.low, failed, status, end.evaluations)
