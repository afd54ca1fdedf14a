"""Where the present value of a Ref lies: in the Ref, or with the program being staged.

A Ref keeps its value in the trace where it was made, its home. Where a program is being staged
between there and here, the staging trace has a cell for the Ref instead, which begins as an input
of the program. Traces of other transformations hold nothing of Refs, and refuse what must not
leave them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from ..errors import RefError, UnexpectedTracerError
from ..state import state
from ..trace import EVAL, Tracer

# Held while an eager operation gives the buffer of a Ref's value away.
lock = threading.RLock()


class _Cell:
    """What a program that is being staged knows of a Ref of outside.

    Attributes:
        variable: the program's input for it.
        written: whether it has been written to.
    """

    __slots__ = ("_value", "variable", "written")

    def __init__(self, tracer: Any) -> None:
        self._value = tracer
        self.variable = tracer.variable
        self.written = False


def _walk(ref: Any) -> tuple[Any, list[Any]]:
    """The innermost program being staged between the Ref's home and here, and what lies in it.

    Returns:
        The staging trace, or None where there is none; and the transformations' traces between
        that (or the Ref's home) and here.
    """
    if ref._ended:
        raise RefError(f"a {ref.type} can't be used: {ref._ended}")
    trace, home = state.trace, ref._home
    frame = None
    inside: list[Any] = []
    while trace is not home:
        if hasattr(trace, "outer"):
            frame = trace if frame is None else frame
            trace = trace.outer
        elif trace is EVAL:
            raise _leaked(ref)
        else:
            if frame is None:
                inside.append(trace)
            trace = getattr(trace, "parent", EVAL)
    return frame, inside


def _leaked(ref: Any) -> Exception:
    lent = (
        ". A backward rule (custom_vjp) runs after the call where grad(jit(f)) is what "
        "differentiates; in jit(grad(f)) it runs within"
    )
    return UnexpectedTracerError(
        f"a {ref.type} was used outside of the function in which it was made, or to which it was "
        f"passed: a Ref lives no longer than the call. Return its value, ref[...], instead of "
        f"keeping the Ref{lent if ref._lent else ''}"
    )


def store_of(ref: Any) -> Any:
    """What holds the present value here: the Ref itself, or a staging trace's cell for it."""
    frame, _ = _walk(ref)
    return ref if frame is None else _cell(frame, ref)


def _cell(frame: Any, ref: Any) -> _Cell:
    if frame.refs is None:
        frame.refs = {}
    cell = frame.refs.get(ref)
    if cell is None:
        cell = frame.refs[ref] = _Cell(frame.new_input(ref.type.inner_aval))
    return cell  # type: ignore[no-any-return]


def read(ref: Any) -> Any:
    """The present value, which others may have from now on."""
    with lock:
        ref._owned = False
        return peek(ref)


def peek(ref: Any) -> Any:
    """The present value, for who keeps it no longer than the lock."""
    return store_of(ref)._value


def take(ref: Any) -> Any:
    """The present value, or a copy if others have it, for an operation that reuses its buffer."""
    value = peek(ref)
    if ref._owned:
        return value
    from ..lax import copy_p

    return copy_p.bind(value)


def write(ref: Any, value: Any, owned: bool = False) -> None:
    """Make `value`, of the Ref's type, the present one.

    Args:
        ref: the Ref.
        value: an array or tracer.
        owned: whether nobody else has the value.

    Raises:
        RefError: it depends on what is being differentiated or mapped over, and the Ref does not.
    """
    frame, inside = _walk(ref)
    if inside:
        _check_outward(ref, value, inside)
    if frame is not None:
        cell = _cell(frame, ref)
        cell._value = value
        cell.written = True
        return
    ref._value = _as_before(ref._value, value)
    ref._owned = owned and state.trace is EVAL


def _check_outward(ref: Any, value: Any, inside: Sequence[Any]) -> None:
    for trace in inside:
        if getattr(trace, "maps_rows", False):
            raise RefError(
                f"can't write to a {ref.type} that comes from outside of a function mapped by "
                f"vmap: the rows would write to the same place, in no order. Pass the Ref as an "
                f"argument, with a row for each (in_axes says along which axis), or return the "
                f"values"
            )
        if isinstance(value, Tracer) and value._trace is trace:
            raise RefError(
                f"can't write a value that is being differentiated to a {ref.type} that is not: "
                f"the Ref comes from outside of the function that jvp, vjp or grad differentiates. "
                f"Write jx.lax.stop_gradient(value), make the Ref inside of that function, or make "
                f"it an argument that is differentiated (of jvp, or of vjp, with .with_refs)"
            )


def _as_before(old: Any, new: Any) -> Any:
    """`new`, placed on devices as `old` was."""
    if not getattr(old, "committed", False):
        return new
    where, there = getattr(old, "sharding", None), getattr(new, "sharding", None)
    if where is None or there is None or where == there:
        return new
    from .. import backend

    return backend.current().put(new, new.aval, where)


def end(ref: Any, how: str) -> Any:
    """End the Ref's life; returns its last value.

    Raises:
        RefError: it has ended before, or was not made by the function that is running.
    """
    frame, inside = _walk(ref)
    if frame is not None or inside or ref._lent:
        raise RefError(
            f"a {ref.type} can only be {how.split()[0]} by the function that made it, and this one "
            f"was passed to the function that is running, or is from outside of it"
        )
    value = ref._value
    ref._value, ref._ended = None, f"it has been {how}"
    return value
