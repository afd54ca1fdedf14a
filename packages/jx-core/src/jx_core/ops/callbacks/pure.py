"""`pure_callback`: a Python function without side effects as an operation of programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import tree
from ...aval import ShapedArray
from ...primitive import Primitive
from .host import HostFunction, check_sharding, evaluate, flatten_arguments, result_types

VMAP_METHODS = (
    "sequential", "sequential_unrolled", "expand_dims", "broadcast_all", "legacy_vectorized",
)  # fmt: skip


def promised(*avals: ShapedArray, result_avals: Any, **params: Any) -> list[ShapedArray]:
    """The result types of a callback: those that the user said."""
    return list(result_avals)


def _run(*operands: Any, callback: Any, result_avals: Any, **params: Any) -> list[Any]:
    return evaluate(callback, result_avals, operands)


# Params: callback, a HostFunction or Rows; result_avals; sharding, of the one device that runs
# the callback, or None; vmap_method. Dropped where nothing uses it, and run as often as need be.
pure_callback_p = Primitive(
    "pure_callback",
    abstract=promised,
    reference=_run,
    multiple_results=True,
    higher_order=True,
)


def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    vmap_method: str | None = None,
    **kwargs: Any,
) -> Any:
    """Call a Python function on arrays, also inside compiled programs.

    The function must be pure: it may be called more often than the program says, or, where
    nothing uses its result, not at all. Differentiating it is an error; `custom_jvp` and
    `custom_vjp` give it derivatives.

    Args:
        callback: takes pytrees of arrays and returns one of arrays, NumPy arrays or numbers.
        result_shape_dtypes: the shapes and dtypes of its result, a pytree of
            `ShapeDtypeStruct` or of anything with `shape` and `dtype`.
        args, kwargs: its arguments, pytrees of arrays.
        sharding: of the one device that calls it, in a program on several; the first if None.
        vmap_method: what it gets under `vmap`. "sequential" and "sequential_unrolled": the
            rows, one call after another. "expand_dims": the batches in one call, with a leading
            axis of length 1 on what all rows share. "broadcast_all": the same, with copies for
            all rows instead. "legacy_vectorized": the same, with no axis on what is shared.
            None: `vmap` is an error.

    Returns:
        The function's result, as a pytree of arrays of the tree of `result_shape_dtypes`.

    Raises:
        TypeError: an argument is not an array; the result has another tree or dtype.
        ValueError: the result has another shape; an unknown `vmap_method`; a 64-bit dtype
            without `enable_x64`. From a compiled program, what the function raises comes as a
            `JaxRuntimeError` with the original as its cause or in its text.

    >>> from jx_core import ShapeDtypeStruct, jit
    >>> def log_gamma(x):
    ...     return np.vectorize(__import__("math").lgamma, otypes=[np.float32])(np.asarray(x))
    >>> f = jit(lambda x: pure_callback(log_gamma, ShapeDtypeStruct((2,), np.float32), x))
    >>> f(np.float32([1.0, 4.0])).tolist()
    [0.0, 1.7917594909667969]
    """
    if not callable(callback):
        raise TypeError(f"pure_callback: callback must be callable, got {callback!r}")
    if vmap_method is not None and vmap_method not in VMAP_METHODS:
        raise ValueError(
            f"pure_callback: vmap_method must be None or one of {', '.join(VMAP_METHODS)}; got "
            f"{vmap_method!r}"
        )
    check_sharding("pure_callback", sharding)
    leaves, in_tree = flatten_arguments("pure_callback", args, kwargs)
    avals, out_tree = result_types("pure_callback", result_shape_dtypes)
    outs = pure_callback_p.bind(
        *leaves,
        callback=HostFunction(callback, in_tree, out_tree, "pure_callback"),
        result_avals=avals,
        sharding=sharding,
        vmap_method=vmap_method,
    )
    return tree.unflatten(out_tree, outs)
