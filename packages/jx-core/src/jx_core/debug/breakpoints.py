"""`breakpoint`: stopping a program at a point, to look at the frames and values there.

Which frames there are is known when the program is traced; what their values are, when it
runs. `debugger.py` is what one then types into.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np

from .. import tree
from ..aval import ShapedArray
from ..ops.callbacks.host import HostFunction
from ..ops.callbacks.pure import pure_callback_p
from ..source import is_internal
from ..trace import Tracer
from ..tracebacks import filtered
from .callbacks import Partly, _bind
from .debugger import Debugger, Frame

_FLAG = ShapedArray((), np.dtype(bool))
_DEBUGGERS: dict[str, Callable[..., Any]] = {"cli": Debugger}


@filtered
def breakpoint(
    *,
    backend: str | None = None,
    filter_frames: bool = True,
    num_frames: int | None = None,
    ordered: bool = False,
    token: Any = None,
    **kwargs: Any,
) -> Any:
    """Stop the program here when it runs, and open a debugger at its frames.

    The debugger shows the frames of the Python functions that were being traced, with
    the values that their local variables have now; `help` lists its commands. Under `vmap` it
    opens once for each row.

    Args:
        backend: which debugger; the one there is, "cli", if None.
        filter_frames: leave jx's own frames out.
        num_frames: how many frames to show, innermost first; all if None.
        ordered: keep the order of the program among ordered prints and breakpoints.
        token: in place of `ordered`, a pytree of arrays: the debugger opens once they are
            computed, and what uses the returned ones comes after it. If nothing does, it does
            not open.
        kwargs: for the debugger: `stdin` and `stdout`, to read commands from and write to.

    Returns:
        `token`, or None without one.

    Raises:
        ValueError: no debugger is called `backend`, or both `ordered` and `token` are given.

    >>> import io
    >>> from jx_core import jit
    >>> @jit
    ... def half(x):
    ...     y = x / 2
    ...     breakpoint(stdin=io.StringIO("p y\\nc\\n"), num_frames=1)
    ...     return y
    >>> result = half(np.float32(3.0))
    Entering jdb:
    (jdb) Array(1.5, dtype=float32)
    (jdb)
    """
    if (backend or "cli") not in _DEBUGGERS:
        raise ValueError(
            f"jx.debug.breakpoint: no debugger {backend!r}, only {', '.join(_DEBUGGERS)}"
        )
    if ordered and token is not None:
        raise ValueError("jx.debug.breakpoint: give ordered=True or token=, not both")
    frames = _frames(sys._getframe(1), filter_frames, num_frames)
    names = [frame.describe() for frame in frames]
    stop = _Stop(names, _DEBUGGERS[backend or "cli"], kwargs)
    values = [
        [_settled(v) for v in (*frame.locals.values(), *frame.globals.values())]
        for frame in frames
    ]
    if token is None:
        _bind(stop, (values,), {}, _is_value, "jx.debug.breakpoint", ordered, False)
        return None
    return _after(token, stop, values)


def _after(token: Any, stop: Callable[..., Any], values: Any) -> Any:
    """`token`, held back until the debugger has been left."""
    from ..lax import full_like, select, stop_gradient

    leaves, in_tree = tree.flatten(((values,), {}))
    flags = [_is_value(x) for x in leaves]
    operands = [x for x, on in zip(leaves, flags, strict=True) if on]
    inner = Partly(stop, in_tree, leaves, flags)

    def enter(waited_for: Any, *values: Any) -> bool:
        inner(*values)
        return True

    operands = stop_gradient((token, *operands))
    flat, structure = tree.flatten((tuple(operands), {}))
    (done,) = pure_callback_p.bind(
        *flat,
        callback=HostFunction(enter, structure, tree.structure(0), "jx.debug.breakpoint"),
        result_avals=(_FLAG,),
        sharding=None,
        vmap_method="sequential",
    )
    # A compiler that could tell that this is always `token` would leave the call out.
    return tree.map(lambda x: select(done, x, full_like(x, 0)), token)


class _Known:
    """A variable that holds no value of the program: what it is now."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _settled(variable: Any) -> Any:
    """A variable as it is if it holds values of the program, as a leaf otherwise."""
    try:
        leaves = tree.leaves(variable, is_leaf=lambda x: isinstance(x, Iterator))
    except (TypeError, ValueError):  # a dict whose keys have no order, say
        return _Known(variable)
    return variable if any(map(_is_value, leaves)) else _Known(variable)


def _is_value(x: Any) -> bool:
    """Whether a leaf is a value of the program being traced; others are what they are."""
    return isinstance(x, Tracer) and not getattr(x._trace, "finished", False)


def _frames(frame: FrameType | None, filter_frames: bool, count: int | None) -> list[Frame]:
    """The frames from `frame` outwards, as they are now."""
    found: list[Frame] = []
    while frame is not None and (count is None or len(found) < count):
        if not (filter_frames and is_internal(frame.f_code.co_filename)):
            found.append(Frame.of(frame))
        frame = frame.f_back
    return found


class _Stop:
    """Opens a debugger on frames whose values have come."""

    __name__ = "breakpoint"

    def __init__(
        self, frames: list[Any], debugger: Callable[..., Any], options: dict[str, Any]
    ) -> None:
        self._frames = frames
        self._debugger = debugger
        self._options = options

    def __call__(self, values: list[list[Any]]) -> None:
        frames = [
            make([v.value if type(v) is _Known else v for v in each])
            for make, each in zip(self._frames, values, strict=True)
        ]
        self._debugger(frames, **self._options).run()
