"""`io_callback`: a Python function with side effects as an operation of programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import tree
from ...effects import IO, ORDERED_IO
from ...primitive import Primitive
from .host import HostFunction, check_sharding, evaluate, flatten_arguments, result_types
from .pure import promised


def _run(*operands: Any, callback: Any, result_avals: Any, **params: Any) -> list[Any]:
    return evaluate(callback, result_avals, operands)


# Params: callback, result_avals and sharding as for pure_callback; ordered.
io_callback_p = Primitive(
    "io_callback",
    abstract=promised,
    reference=_run,
    effects=lambda *, ordered, **params: ORDERED_IO if ordered else IO,
    multiple_results=True,
    higher_order=True,
)


def io_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    ordered: bool = False,
    **kwargs: Any,
) -> Any:
    """Call a Python function that has side effects, also inside compiled programs.

    It is called exactly as often as the program says, whether or not anything uses its
    result. Under `vmap` it is called once for each row. It can't be differentiated: pass it
    arguments through `stop_gradient`.

    Args:
        callback: takes pytrees of arrays and returns one of arrays, NumPy arrays or numbers.
        result_shape_dtypes: the shapes and dtypes of its result, a pytree of
            `ShapeDtypeStruct`; None or an empty pytree for a function that returns nothing.
        args, kwargs: its arguments, pytrees of arrays.
        sharding: of the one device that calls it, in a program on several; the first if None.
        ordered: keep the order of the program among ordered callbacks, also from one call of
            a compiled program to the next. Can't be vmapped.

    Returns:
        The function's result, as a pytree of arrays of the tree of `result_shape_dtypes`.

    Raises:
        TypeError, ValueError: as for `pure_callback`.

    >>> log = []
    >>> io_callback(lambda x: log.append(float(x)), None, np.float32(1.5))
    >>> log
    [1.5]
    """
    if not callable(callback):
        raise TypeError(f"io_callback: callback must be callable, got {callback!r}")
    check_sharding("io_callback", sharding)
    leaves, in_tree = flatten_arguments("io_callback", args, kwargs)
    avals, out_tree = result_types("io_callback", result_shape_dtypes)
    outs = io_callback_p.bind(
        *leaves,
        callback=HostFunction(callback, in_tree, out_tree, "io_callback"),
        result_avals=avals,
        sharding=sharding,
        ordered=bool(ordered),
    )
    return tree.unflatten(out_tree, outs)
