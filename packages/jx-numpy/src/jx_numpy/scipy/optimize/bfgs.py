"""BFGS: a quasi-Newton method with a dense estimate of the inverse Hessian.

J. Nocedal and S. J. Wright, Numerical Optimization (2006), algorithm 6.1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jx_core import lax, operators, typeof

from ...linalg.kit import eye
from .line_search import Trial, wolfe_step
from .objective import Objective, count, dot


class BFGSState(NamedTuple):
    """Where the iteration is.

    Attributes:
        x, value, gradient, hess_inv: the point, and what is known there.
        before: the value one step before.
        converged, failed: whether the gradient is small enough; whether the last search failed.
        k, evaluations: the numbers of steps and of evaluations.
        search_status: of the last search.
    """

    x: Any
    value: Any
    gradient: Any
    hess_inv: Any
    before: Any
    converged: Any
    failed: Any
    k: Any
    evaluations: Any
    search_status: Any


def first_step(value: Any, before: Any, slope: Any) -> Any:
    """The step to try first: what the last decrease suggests, 1 at most (equation 3.60)."""
    guess = 2.02 * (value - before) / slope
    one = lax.full_like(guess, 1)
    usable = lax.bitwise_and(lax.gt(guess, lax.full_like(guess, 0)), lax.is_finite(guess))
    return lax.select(usable, lax.min(guess, one), one)


def _outer(x: Any, y: Any) -> Any:
    return lax.mul(*(
        lax.broadcast_in_dim(v, (typeof(x).size, typeof(y).size), (axis,))
        for axis, v in enumerate((x, y))
    ))  # fmt: skip


def _updated(hess_inv: Any, s: Any, y: Any) -> Any:
    """The estimate after a step s that changed the gradient by y (equation 6.17)."""
    curvature = dot(y, s)
    usable = lax.gt(curvature, lax.full_like(curvature, 0))
    rho = 1.0 / lax.select(usable, curvature, lax.full_like(curvature, 1))
    usable = lax.bitwise_and(usable, lax.is_finite(rho))
    h_y = dot(hess_inv, y)
    mixed = _outer(s, h_y)
    factor = rho * (1.0 + rho * dot(y, h_y))
    new = hess_inv - rho * (mixed + lax.transpose(mixed, (1, 0))) + factor * _outer(s, s)
    return lax.select(usable, new, hess_inv)


def bfgs(
    objective: Objective,
    x0: Any,
    maxiter: int | None = None,
    norm: Any = np.inf,
    gtol: Any = 1e-5,
    line_search_maxiter: int = 10,
) -> tuple[BFGSState, Any]:
    """Minimize by BFGS.

    Args:
        objective, x0: what to minimize, and where to start.
        maxiter: how many steps at most; 200 for each variable if None.
        norm, gtol: it is done when the norm of this order of the gradient is below `gtol`.
        line_search_maxiter: see `wolfe_step`.

    Returns:
        The last state, and its status: 0, converged; 1, too many steps; 3 and 5, a line search
        failed; -1, the function is not finite.
    """
    n = typeof(x0).shape[0]
    most = 200 * n if maxiter is None else maxiter
    value, gradient = objective.at(x0)
    size = lax.sqrt(dot(gradient, gradient))
    start = BFGSState(
        x=x0,
        value=value,
        gradient=gradient,
        hess_inv=eye(n, objective.dtype),
        before=value + size / 2,
        converged=lax.lt(objective.size(gradient, norm), lax.full_like(value, 1) * gtol),
        failed=lax.full((), False),
        k=count(),
        evaluations=count(1),
        search_status=count(),
    )

    def goes_on(s: BFGSState) -> Any:
        ended = lax.bitwise_or(s.converged, s.failed)
        return lax.bitwise_and(lax.bitwise_not(ended), operators.less(s.k, most))

    def step(s: BFGSState) -> BFGSState:
        direction = lax.neg(dot(s.hess_inv, s.gradient))
        slope = dot(s.gradient, direction)
        # Rounding may have left an estimate that leads up; the gradient does not.
        down = lax.lt(slope, lax.full_like(slope, 0))
        direction = lax.select(
            lax.broadcast(down, typeof(direction).shape), direction, lax.neg(s.gradient)
        )
        slope = dot(s.gradient, direction)
        here = Trial(lax.full_like(slope, 0), s.value, slope, s.gradient)
        found = wolfe_step(
            objective, s.x, direction, here, first_step(s.value, s.before, slope),
            line_search_maxiter,
        )  # fmt: skip
        moved = found.best.step * direction
        new = found.best.gradient
        return BFGSState(
            x=s.x + moved,
            value=found.best.value,
            gradient=new,
            hess_inv=_updated(s.hess_inv, moved, new - s.gradient),
            before=s.value,
            converged=lax.lt(objective.size(new, norm), lax.full_like(s.value, 1) * gtol),
            failed=found.failed,
            k=s.k + 1,
            evaluations=s.evaluations + found.evaluations,
            search_status=found.status,
        )

    end = lax.while_loop(goes_on, step, start)
    ran_out = operators.greater_equal(end.k, most)
    status = lax.select(end.failed, end.search_status + 2, count(-1))
    status = lax.select(lax.bitwise_and(ran_out, lax.bitwise_not(end.failed)), count(1), status)
    return end, lax.select(end.converged, count(), status)
