"""Minimization of functions: one front for all methods, as `scipy.optimize.minimize`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jx_core import lax, typeof
from jx_core.errors import ShapeError

from ...creation import asarray
from ...operands import Array, promote_dtypes_inexact
from .bfgs import bfgs
from .lbfgs import lbfgs
from .objective import real_objective

__all__ = ["OptimizeResults", "minimize"]


class OptimizeResults(NamedTuple):
    """What `minimize` returns.

    Attributes:
        x: the last point.
        success: whether the gradient is small enough there.
        status: 0 if so; otherwise why it stopped. For BFGS: 1, too many steps; 3, a line search
            shrank its interval as often as allowed; 5, a line search found no interval; -1, the
            function is not finite. For L-BFGS: 1, too many steps; 2 and 3, too many evaluations;
            4, the function hardly decreases; 5, a line search failed.
        fun: the function's value.
        jac: its gradient.
        hess_inv: the estimate of the inverse Hessian; None for L-BFGS.
        nfev, njev: how often the function and its gradient were evaluated.
        nit: how many steps were taken.

    >>> found = minimize(lambda x: jnp.sum((x - 3) ** 2), jnp.zeros(2), method="BFGS")
    >>> bool(found.success), found.x.round(3)
    (True, Array([3., 3.], dtype=float32))
    """

    x: Array
    success: Array
    status: Array
    fun: Array
    jac: Array
    hess_inv: Array | None
    nfev: Array
    njev: Array
    nit: Array


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...] = (),
    *,
    method: str,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> OptimizeResults:
    """A local minimum of a function of several variables.

    Args:
        fun: the function, `fun(x, *args)`, of vectors x like `x0`, with real scalar values. It must
            be differentiable; its gradient is taken by `jx.grad`.
        x0: where to start, a vector.
        args: further arguments of `fun`, a tuple.
        method: `"BFGS"`, or `"l-bfgs-experimental-do-not-rely-on-this"` for L-BFGS, which also
            takes complex vectors. Letters may be of either case.
        tol: the `gtol` of the method, where its options have none.
        options: of the method. For both: `maxiter`, `norm` (the order of the norm of the gradient,
            infinity by default) and `gtol` (1e-5). For BFGS: `line_search_maxiter` (10). For
            L-BFGS: `maxcor` (how many steps to remember, 10), `ftol` (2.2e-9), `maxfun`,
            `maxgrad` and `maxls` (20).

    Returns:
        An `OptimizeResults`. Its elements are arrays, so that this can be compiled and mapped; it
        is not to be differentiated.

    Raises:
        TypeError: `args` is no tuple, an option is unknown, or x0 is complex for BFGS.
        ValueError: an unknown method, or `x0` is no vector.

    See J. Nocedal and S. J. Wright, Numerical Optimization (2006), chapters 3, 6 and 7.

    >>> def fun(x):
    ...     return jnp.sum((x - jnp.array([1.0, 2.0])) ** 2)
    >>> result = jx.scipy.optimize.minimize(fun, jnp.zeros(2), method="BFGS")
    >>> result.x.round(3), bool(result.success)
    (Array([1., 2.], dtype=float32), True)
    """
    if not isinstance(args, tuple):
        raise TypeError(f"minimize: args must be a tuple, got {args!r:.80}")
    name = method.lower() if isinstance(method, str) else method
    if name not in ("bfgs", "l-bfgs-experimental-do-not-rely-on-this"):
        raise ValueError(
            f"minimize: method must be 'BFGS' or 'l-bfgs-experimental-do-not-rely-on-this', got "
            f"{method!r}"
        )
    (x0,) = promote_dtypes_inexact("minimize", x0)
    if typeof(x0).ndim != 1:
        raise ShapeError(
            f"minimize: x0 must be a vector, got shape {typeof(x0).shape}; "
            f"jx.flatten_util.ravel_pytree makes a vector of any pytree"
        )
    # The iteration's state has strong types, whatever the start has.
    x0 = asarray(x0, dtype=typeof(x0).dtype)
    settings = dict(options or {})
    if tol is not None:
        settings.setdefault("gtol", tol)
    objective, start, back = real_objective(lambda x: fun(x, *args), x0)
    if name == "bfgs":
        if typeof(x0).dtype.kind == "c":
            raise TypeError(
                "minimize: method 'BFGS' takes real vectors, got complex ones; "
                "'l-bfgs-experimental-do-not-rely-on-this' takes both"
            )
        end, status = bfgs(objective, start, **settings)
        success = lax.bitwise_and(end.converged, lax.bitwise_not(end.failed))
        return OptimizeResults(
            end.x, success, status, end.value, end.gradient, end.hess_inv, end.evaluations,
            end.evaluations, end.k,
        )  # fmt: skip
    last = lbfgs(objective, start, **settings)
    return OptimizeResults(
        back(last.x), last.converged, last.status, last.value, objective.shown(last.gradient),
        None, last.evaluations, last.evaluations, last.k,
    )  # fmt: skip
