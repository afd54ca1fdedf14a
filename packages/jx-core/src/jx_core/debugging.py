"""Looking at values as programs run: the options `debug_nans`, `debug_infs` and `no_execution`.

A back end hands over the results of each primitive that it runs, and of each compiled program.
Where one has a NaN, the program is run again, operation by operation, through its calls, loops
and conditionals, to name the primitive and the user's line. Where the options are off, a back
end does none of this, and a compiled dispatcher does not even ask.

Not here: checks as part of the program, whose errors are results (`checkify`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import dtypes, source
from .config import debug_infs, debug_nans, no_execution
from .jaxpr.evaluate import eval_jaxpr
from .jaxpr.ir import ClosedJaxpr

# Under this key, the `derived` of a program that stands for an array function (`dispatch.compiled`)
# is marked: the lines in it are those of whoever called the function first.
ARRAY_FUNCTION = ("jx_core", "array function")

_nans, _infs, _forbidden = debug_nans.state, debug_infs.state, no_execution.state


class _Stepping(threading.local):
    """Whether this thread runs a program again, and the line to blame instead of its own."""

    active = False
    line: Any = None


stepping = _Stepping()


def is_looking() -> bool:
    """Whether results are to be handed over."""
    return bool(_nans.value or _infs.value)


def refuse_execution(what: str) -> None:
    """Raise a RuntimeError if nothing may be run."""
    if _forbidden.value:
        raise RuntimeError(
            f"jx tried to execute {what}, but the no_execution config option is set"
        )


def _bad_value(values: Sequence[Any], get: Callable[[Any], np.ndarray]) -> str | None:
    """What is wrong with these arrays: "nan", "inf" or None."""
    for x in values:
        dtype = getattr(x, "dtype", None)
        if dtype is None or not dtypes.issubdtype(dtype, np.inexact):
            continue
        if getattr(x, "is_fully_addressable", True):
            parts = [get(x)]
        else:
            parts = [get(shard.data) for shard in x.addressable_shards]
        for part in parts:
            if _nans.value and np.any(part != part):
                return "nan"
            if _infs.value and np.any(_is_infinite(part)):
                return "inf"
    return None


def _is_infinite(x: np.ndarray) -> Any:
    if x.dtype.kind == "c":
        return np.isinf(x.real) | np.isinf(x.imag)
    return np.isinf(x)


def check_primitive(name: str, results: Sequence[Any], get: Callable[[Any], np.ndarray]) -> None:
    """Raise an error if the results of a primitive have a NaN or an infinity.

    Args:
        name: the primitive's.
        results: its results, arrays of the back end.
        get: gives an array's elements.

    Raises:
        FloatingPointError: they have; it names the primitive and the user's line.
    """
    kind = _bad_value(results, get)
    if kind is not None:
        line = stepping.line or source.capture()
        raise FloatingPointError(f"invalid value ({kind}) encountered in {name} at {line}")


def blaming_the_caller(closed: Any, run: Callable[[], Any]) -> Any:
    """`run()`, which runs a program operation by operation.

    Errors in an array function are said to be at the user's line that calls it now.
    """
    before = stepping.line
    if before is None and isinstance(closed, ClosedJaxpr) and ARRAY_FUNCTION in closed.derived:
        stepping.line = source.capture()
    try:
        return run()
    finally:
        stepping.line = before


def check_program(
    name: str,
    closed: ClosedJaxpr,
    operands: Sequence[Any],
    results: Sequence[Any],
    get: Callable[[Any], np.ndarray],
) -> None:
    """Raise an error if the results of a compiled program have a NaN or an infinity.

    Args:
        name: the program's.
        closed: the program.
        operands: what it was run on; they must still be there.
        results, get: as for `check_primitive`.

    Raises:
        FloatingPointError: they have; it names the primitive and the user's line.
    """
    kind = _bad_value(results, get)
    if kind is None:
        return
    line = source.capture()
    found = f"invalid value ({kind}) encountered in a result of {name}, called at {line}"
    if any(x.is_deleted() for x in operands if hasattr(x, "is_deleted")):
        raise FloatingPointError(
            f"{found}. Which operation made it can't be told, for arguments have been donated: "
            f"call it without donate_argnums"
        )
    before = stepping.active
    stepping.active = True
    try:
        blaming_the_caller(
            closed, lambda: eval_jaxpr(closed.jaxpr, closed.consts, *operands)
        )
    finally:
        stepping.active = before
    raise FloatingPointError(
        f"{found}. No operation gives one when they are run one by one: it comes of how they are "
        f"compiled together, or the program passes on what it was given"
    )
