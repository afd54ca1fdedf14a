"""L-BFGS: a quasi-Newton method that remembers a few steps in place of a matrix.

J. Nocedal and S. J. Wright, Numerical Optimization (2006), algorithms 7.4 and 7.5.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jx_core import lax, operators, typeof

from .bfgs import first_step
from .line_search import Trial, wolfe_step
from .objective import Objective, count, dot


class LBFGSState(NamedTuple):
    """Where the iteration is.

    Attributes:
        x, value, gradient: the point, and what is known there.
        before: the value one step before.
        steps, changes, rho: the last steps, the changes of the gradient over them, the oldest
            first, and one over their scalar products; zero where there were none yet.
        scale: the estimate of the inverse Hessian that the memory starts from.
        converged, status, k, evaluations: see `lbfgs`.
    """

    x: Any
    value: Any
    gradient: Any
    before: Any
    steps: Any
    changes: Any
    rho: Any
    scale: Any
    converged: Any
    status: Any
    k: Any
    evaluations: Any


def _direction(s: LBFGSState) -> Any:
    """Minus the estimated inverse Hessian times the gradient, by two loops over the memory."""

    def back(q: Any, memory: Any) -> tuple[Any, Any]:
        step, change, rho = memory
        alpha = rho * dot(step, q)
        return q - alpha * change, alpha

    def forth(q: Any, memory: Any) -> tuple[Any, None]:
        step, change, rho, alpha = memory
        return q + step * (alpha - rho * dot(change, q)), None

    memory = s.steps, s.changes, s.rho
    q, alphas = lax.scan(back, lax.neg(s.gradient), memory, reverse=True)
    return lax.scan(forth, s.scale * q, (*memory, alphas))[0]


def _remembered(history: Any, new: Any) -> Any:
    """A memory without its oldest entry, and with a new one."""
    rest = lax.slice_in_dim(history, 1, typeof(history).shape[0])
    return lax.concatenate([rest, lax.expand_dims(new, (0,))], 0)


def _limit(most: Any) -> Any:
    return np.iinfo(np.int32).max if most is None else most


def lbfgs(
    objective: Objective,
    x0: Any,
    maxiter: int | None = None,
    norm: Any = np.inf,
    maxcor: int = 10,
    ftol: Any = 2.220446049250313e-09,
    gtol: Any = 1e-05,
    maxfun: int | None = None,
    maxgrad: int | None = None,
    maxls: int = 20,
) -> LBFGSState:
    """Minimize by L-BFGS.

    Args:
        objective, x0: what to minimize, and where to start.
        maxiter: how many steps at most; 200 for each variable if this and the other limits are
            None.
        norm, gtol: it is done when the norm of this order of the gradient is below `gtol`.
        maxcor: how many steps to remember.
        ftol: stop where a step decreases the value by less.
        maxfun, maxgrad: how many evaluations at most of the function and of its gradient.
        maxls: how many steps a line search tries; see `wolfe_step`.

    Returns:
        The last state; its status is 0 if it converged, and else why it stopped: 1, `maxiter`; 2,
        `maxfun`; 3, `maxgrad`; 4, `ftol`; 5, a line search failed.
    """
    n = typeof(x0).shape[0]
    if maxiter is None and maxfun is None and maxgrad is None:
        maxiter = 200 * n
    limits = [_limit(x) for x in (maxiter, maxfun, maxgrad)]
    value, gradient = objective.at(x0)
    size = lax.sqrt(dot(gradient, gradient))
    start = LBFGSState(
        x=x0,
        value=value,
        gradient=gradient,
        before=value + size / 2,
        steps=lax.full((maxcor, n), 0, objective.dtype),
        changes=lax.full((maxcor, n), 0, objective.dtype),
        rho=lax.full((maxcor,), 0, objective.dtype),
        scale=lax.full_like(value, 1),
        converged=lax.lt(objective.size(gradient, norm), lax.full_like(value, 1) * gtol),
        status=count(),
        k=count(),
        evaluations=count(1),
    )

    def goes_on(s: LBFGSState) -> Any:
        return lax.bitwise_and(lax.bitwise_not(s.converged), lax.eq(s.status, count()))

    def step(s: LBFGSState) -> LBFGSState:
        direction = _direction(s)
        slope = dot(s.gradient, direction)
        here = Trial(lax.full_like(slope, 0), s.value, slope, s.gradient)
        first = first_step(s.value, s.before, slope)
        found = wolfe_step(objective, s.x, direction, here, first, maxls)
        moved = found.best.step * direction
        change = found.best.gradient - s.gradient
        product, square = dot(change, moved), dot(change, change)
        usable = lax.bitwise_and(
            lax.gt(product, lax.full_like(product, 0)), lax.is_finite(1.0 / product)
        )
        one, zero = lax.full_like(product, 1), lax.full_like(product, 0)
        # A step along which the gradient does not grow is remembered as nothing.
        rho = lax.select(usable, one / lax.select(usable, product, one), zero)
        scale = lax.select(usable, product / lax.select(usable, square, one), s.scale)
        converged = lax.lt(objective.size(found.best.gradient, norm), one * gtol)
        status = _status(s, found, ftol, limits)
        return LBFGSState(
            x=s.x + moved,
            value=found.best.value,
            gradient=found.best.gradient,
            before=s.value,
            steps=_remembered(s.steps, moved),
            changes=_remembered(s.changes, change),
            rho=_remembered(s.rho, rho),
            scale=scale,
            converged=converged,
            status=lax.select(converged, count(), status),
            k=s.k + 1,
            evaluations=s.evaluations + found.evaluations,
        )

    return lax.while_loop(goes_on, step, start)


def _status(s: LBFGSState, found: Any, ftol: Any, limits: list[Any]) -> Any:
    """Why to stop after a search, or 0."""
    maxiter, maxfun, maxgrad = limits
    evaluations = s.evaluations + found.evaluations
    reasons = [
        (operators.less(s.value - found.best.value, ftol), 4),
        (operators.greater_equal(evaluations, maxgrad), 3),
        (operators.greater_equal(evaluations, maxfun), 2),
        (operators.greater_equal(s.k + 1, maxiter), 1),
        (found.failed, 5),
    ]
    status = count()
    for holds, reason in reasons:
        status = lax.select(holds, count(reason), status)
    return status
