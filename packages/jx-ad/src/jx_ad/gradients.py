"""Gradients of scalar functions: `grad`, `value_and_grad`; both passes apart: `fwd_and_bwd`."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import ShapedArray, dtypes, jit, tree, typeof
from jx_core.errors import ArgnumsError
from jx_core.lax import copy_p
from jx_core.staging import function_name
from jx_core.tracebacks import filtered, hide_internal_frames

from .api import FlatFunction, require_callable, strip, vjp
from .refs import refuse_refs
from .tangents import is_differentiable, zeros
from .tape import linearize_flat


def value_and_grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Sequence[Any] = (),
) -> Callable[..., Any]:
    """A function that evaluates `fun` and its gradient together.

    Args:
        fun: returns a real scalar (or a pair of one and auxiliary data, with `has_aux`).
        argnums: the positional argument or arguments to differentiate.
        has_aux: whether `fun` returns such a pair.
        holomorphic: whether `fun` is complex-differentiable; inputs and output are complex.
        allow_int: give `float0` gradients for integer arguments instead of an error.
        reduce_axes: must be empty; kept from JAX's signature.

    Returns:
        A function with the arguments of `fun` that returns `(value, gradient)`, where the
        gradient has the tree of the argument, or is a tuple of such for several argnums.
        With `has_aux` it returns `((value, aux), gradient)`.

    Raises:
        TypeError: the output is not a scalar, or input or output is not of real dtype.

    >>> from jx_core import lax
    >>> value, slope = value_and_grad(lambda x: lax.mul(x, x))(3.0)
    >>> float(value), float(slope)
    (9.0, 6.0)
    """
    require_callable(fun, "grad")
    if reduce_axes:
        raise TypeError(f"grad: reduce_axes is not supported, got {reduce_axes!r}")
    nums = _argnums(argnums)
    single = not isinstance(argnums, (tuple, list))

    @functools.wraps(fun, updated=())
    @filtered
    def value_and_grad_f(*args: Any, **kwargs: Any) -> Any:
        positions = check_argnums(nums, len(args), fun)
        chosen = tuple(args[i] for i in positions)
        flat, in_tree = tree.flatten(chosen)
        refuse_refs(flat)
        in_avals = [typeof(x) for x in flat]
        for path_leaf, aval in zip(flat, in_avals, strict=True):
            check_input(path_leaf, aval, holomorphic, allow_int, "grad")
        partial = _with_arguments(fun, args, kwargs, positions)
        function = FlatFunction(partial, in_tree, has_aux, "grad")
        outs, linear = linearize_flat(function, flat)
        value = tree.unflatten(function.out_tree, outs)
        check_scalar(value, outs, holomorphic, fun)
        one = _one(typeof(outs[0]))
        # The literal itself comes back where the function returns its argument as it is.
        results = [copy_p.bind(c) if c is one else c for c in linear.backward([one])]
        following = iter(results)
        cts = [next(following) if is_differentiable(a) else None for a in in_avals]
        gradient = tree.unflatten(
            in_tree, [zeros(a) if c is None else c for c, a in zip(cts, in_avals, strict=True)]
        )
        if single:
            gradient = gradient[0]
        if has_aux:
            return (value, function.auxiliary(strip)), gradient
        return value, gradient

    return value_and_grad_f


def _one(aval: ShapedArray) -> Any:
    """The number 1 as a literal of a scalar type: a Python number where the type is weak."""
    one = np.ones((), aval.dtype)[()]
    if aval.weak_type and typeof(one.item()) is aval:
        return one.item()
    return one


def _with_arguments(
    fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], nums: Sequence[int]
) -> Callable[..., Any]:
    """`fun` as a function of the arguments at `nums` alone."""

    @functools.wraps(fun, updated=())
    def partial(*chosen: Any) -> Any:
        full = list(args)
        for i, x in zip(nums, chosen, strict=True):
            full[i] = x
        return fun(*full, **kwargs)

    return partial


def _argnums(argnums: Any) -> tuple[int, ...]:
    values = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
    try:
        return tuple(operator.index(i) for i in values)
    except TypeError:
        raise TypeError(
            f"argnums must be an int or a sequence of ints, got {argnums!r}"
        ) from None


def check_argnums(nums: Sequence[int], count: int, fun: Any) -> list[int]:
    """`nums` as non-negative positions among `count` arguments; an ArgnumsError if out of range."""
    for i in nums:
        if not -count <= i < count:
            raise ArgnumsError(
                f"differentiating with respect to argnums={tuple(nums)} requires at least "
                f"{max(i + 1 if i >= 0 else -i for i in nums)} positional arguments to be passed "
                f"to {function_name(fun)}, but got only {count} positional arguments. Keyword "
                f"arguments can't be differentiated"
            )
    return [i % count for i in nums]


def check_input(x: Any, aval: Any, holomorphic: bool, allow_int: bool, what: str) -> None:
    """Raise a TypeError unless `what` can differentiate with respect to `x`."""
    kind = dtypes.issubdtype
    if holomorphic:
        if not kind(aval.dtype, np.complexfloating):
            raise TypeError(
                f"{what} with holomorphic=True requires inputs with complex dtype, but got "
                f"{aval.dtype.name}."
            )
    elif kind(aval.dtype, np.complexfloating):
        if what == "jacfwd":
            raise TypeError(
                f"jacfwd requires real-valued inputs (input dtype that is a sub-dtype of "
                f"np.floating), but got {aval.dtype.name}. For holomorphic differentiation, pass "
                f"holomorphic=True. For differentiation of non-holomorphic functions involving "
                f"complex inputs, use jx.jvp directly."
            )
    elif not is_differentiable(aval) and not allow_int:
        cure = (
            "If you want to use Boolean- or integer-valued inputs, use vjp or set allow_int to "
            "True."
            if what != "jacfwd"
            else "Convert the argument to a floating dtype."
        )
        raise TypeError(
            f"{what} requires real- or complex-valued inputs (input dtype that is a sub-dtype of "
            f"np.inexact), but got {aval.dtype.name}. {cure}"
        )


def check_output(aval: Any, holomorphic: bool, what: str) -> None:
    """Raise a TypeError unless `what` can differentiate a result of this type."""
    kind = dtypes.issubdtype
    if holomorphic:
        if not kind(aval.dtype, np.complexfloating):
            raise TypeError(
                f"{what} with holomorphic=True requires outputs with complex dtype, but got "
                f"{aval.dtype.name}."
            )
    elif kind(aval.dtype, np.complexfloating):
        raise TypeError(
            f"{what} requires real-valued outputs (output dtype that is a sub-dtype of "
            f"np.floating), but got {aval.dtype.name}. For holomorphic differentiation, pass "
            f"holomorphic=True. For differentiation of non-holomorphic functions involving "
            f"complex outputs, use jx.vjp directly."
        )
    elif not kind(aval.dtype, np.floating):
        raise TypeError(
            f"{what} requires real-valued outputs (output dtype that is a sub-dtype of "
            f"np.floating), but got {aval.dtype.name}. For differentiation of functions with "
            f"integer outputs, use jx.vjp directly."
        )


def check_scalar(value: Any, outs: Sequence[Any], holomorphic: bool, fun: Any) -> None:
    """Raise a TypeError unless the result is one scalar that has a gradient."""
    hint = "; jx.jacrev gives the Jacobian of functions with other outputs"
    if len(outs) != 1 or value is not outs[0]:
        raise TypeError(
            f"Gradient only defined for scalar-output functions. Output of {function_name(fun)} "
            f"was a {type(value).__name__}: {tree.structure(value)}{hint}, has_aux=True splits "
            f"off auxiliary outputs"
        )
    aval = typeof(outs[0])
    if aval.shape:
        raise TypeError(
            f"Gradient only defined for scalar-output functions. Output had shape: {aval.shape} "
            f"(in {function_name(fun)}){hint}."
        )
    check_output(aval, holomorphic, "grad")


def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Sequence[Any] = (),
) -> Callable[..., Any]:
    """A function that evaluates the gradient of the scalar function `fun`.

    Args:
        fun, argnums, has_aux, holomorphic, allow_int, reduce_axes: as for `value_and_grad`.

    Returns:
        A function with the arguments of `fun` that returns the gradient; with `has_aux`,
        `(gradient, aux)`.

    >>> from jx_core import lax
    >>> float(grad(lax.tanh)(0.0))
    1.0
    """
    both = value_and_grad(fun, argnums, has_aux, holomorphic, allow_int, reduce_axes)

    @functools.wraps(fun, updated=())
    def grad_f(*args: Any, **kwargs: Any) -> Any:
        try:
            value, gradient = both(*args, **kwargs)
        except Exception as error:
            hide_internal_frames(error)
            raise
        return (gradient, value[1]) if has_aux else gradient

    return grad_f


def fwd_and_bwd(
    fun: Callable[..., Any],
    argnums: int | Sequence[int],
    has_aux: bool = False,
    jitted: bool = True,
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The forward and the backward pass of `fun`, two functions that are each compiled once.

    For programs whose backward pass is called apart from the forward one, again and again, as in
    pipelines; with `vjp` each call would make a function of its own.

    Args:
        fun: takes and returns pytrees of arrays.
        argnums: the positional argument or arguments to differentiate.
        has_aux: whether `fun` returns a pair of output and auxiliary data.
        jitted: whether to stage both with `jit`.

    Returns:
        `(fwd, bwd)`. `fwd(*args)` gives `(output, residuals)`, and the auxiliary data third if
        `has_aux`; `residuals` is a pytree. `bwd(residuals, ct)` gives the cotangent of the
        differentiated argument, a tuple of them for several `argnums`, from one like the output.

    >>> from jx_core import lax
    >>> fwd, bwd = fwd_and_bwd(lax.mul, argnums=(0, 1))
    >>> y, residuals = fwd(2.0, 3.0)
    >>> float(y), [float(ct) for ct in bwd(residuals, 1.0)]
    (6.0, [3.0, 2.0])
    """
    require_callable(fun, "fwd_and_bwd")
    nums = _argnums(argnums)

    def fwd(*args: Any) -> Any:
        positions = check_argnums(nums, len(args), fun)
        chosen = [args[i] for i in positions]
        return vjp(_with_arguments(fun, args, {}, positions), *chosen, has_aux=has_aux)

    def bwd(residuals: Any, ct: Any) -> Any:
        cts = residuals(ct)
        return cts if isinstance(argnums, (tuple, list)) else cts[0]

    fwd.__name__, bwd.__name__ = f"fwd({function_name(fun)})", f"bwd({function_name(fun)})"
    return (jit(fwd), jit(bwd)) if jitted else (fwd, bwd)
