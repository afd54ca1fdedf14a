"""`linear_call`: a linear function that comes with its transpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jx_core import ShapedArray, tree, typeof
from jx_core.custom_functions import check_tree
from jx_core.ops.control_flow.linear_call import linear_call_p
from jx_core.ops.control_flow.programs import cast_results, hoist, same_but_weak, stage
from jx_core.staging import function_name
from jx_core.tracebacks import filtered

from .api import require_callable


@filtered
def linear_call(
    fun: Callable[[Any, Any], Any],
    fun_transpose: Callable[[Any, Any], Any],
    residual_args: Any,
    linear_args: Any,
) -> Any:
    """Call a linear function whose transpose is given.

    Reverse mode calls `fun_transpose` where it would transpose `fun`; and the transpose of that
    is `fun`. Derivatives in the residuals are those of `fun`, and batches are batches of both.

    Args:
        fun: `fun(residual_args, linear_args)` is linear in the second argument. Both are pytrees
            of arrays, and so is the result.
        fun_transpose: `fun_transpose(residual_args, ct)` is the transpose of that linear map: from
            a pytree like the result of `fun` to one like `linear_args`.
        residual_args: what the map depends on otherwise.
        linear_args: what it is applied to.

    Returns:
        `fun(residual_args, linear_args)`.

    Raises:
        TypeError: what `fun_transpose` gives has another tree, shape or dtype than `linear_args`.

    >>> from jx_ad import grad
    >>> from jx_core import lax
    >>> def scaled(x):
    ...     return linear_call(lambda c, x: lax.mul(c, x), lambda c, ct: lax.mul(c, ct), 3.0, x)
    >>> float(scaled(2.0)), float(grad(scaled)(2.0))
    (6.0, 3.0)
    """
    require_callable(fun, "linear_call")
    require_callable(fun_transpose, "linear_call")
    residuals, res_tree = tree.flatten(residual_args)
    linear, lin_tree = tree.flatten(linear_args)
    res_avals, lin_avals = [typeof(x) for x in residuals], [typeof(x) for x in linear]
    program = stage(fun, tree.structure((residual_args, linear_args)), [*res_avals, *lin_avals])
    pair = tree.structure(
        (residual_args, tree.unflatten(program.out_tree, list(range(len(program.out_avals)))))
    )
    back = stage(fun_transpose, pair, [*res_avals, *program.out_avals])
    name = function_name(fun_transpose)
    check_tree(
        back.out_tree, lin_tree,
        f"linear_call: {name}, the transpose of {function_name(fun)}, must give a pytree like the "
        f"linear arguments, but they differ:",
    )  # fmt: skip
    _check_types(back.out_avals, lin_avals, linear_args, name)
    (closed, transpose), consts = hoist([program, back])
    outs = linear_call_p.bind(
        *consts, *residuals, *linear,
        jaxpr=closed, transpose=cast_results(transpose, lin_avals),
        num_res=len(consts) + len(residuals),
    )  # fmt: skip
    return tree.unflatten(program.out_tree, outs)


def _check_types(
    got: Sequence[ShapedArray], expected: Sequence[ShapedArray], linear_args: Any, name: str
) -> None:
    """Raise a TypeError that names the first leaf whose cotangent is of another type."""
    paths = [path for path, _ in tree.leaves_with_path(linear_args)]
    for path, have, want in zip(paths, got, expected, strict=True):
        if not same_but_weak(have, want) and not (have.weak_type and have.shape == want.shape):
            raise TypeError(
                f"linear_call: {name} must give cotangents with the types of the linear "
                f"arguments, but for linear_args{tree.keystr(path)} expected {want.str_short()}, "
                f"got {have.str_short()}"
            )
