"""Leaving jx's own frames out of the tracebacks that users see.

An error inside of a traced function passes through many frames of jx on its way out. The
functions that users call take them out as it leaves, unless the option
`traceback_filtering` is "off"; what remains are the frames of the user's program and the
message. Nothing is done, and nothing costs, where there is no error.

Not here: what is jx's own (`source.py`), and what the messages say (`errors.py`).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from .config import traceback_filtering
from .source import is_internal


def hide_internal_frames(error: BaseException) -> None:
    """Take jx's own frames out of the tracebacks of `error` and of what led to it.

    For an `except` block that then raises the same error with a bare `raise`, which adds no
    frame. Where all frames are jx's own, the last one stays, unless the error is on its
    way to a caller whose frame will be seen. What is no `Exception`, such as an interrupt,
    is left alone: where it struck is what one wants to know.
    """
    if traceback_filtering.value == "off" or not isinstance(error, Exception):
        return
    own_caller = not _called_by_user(sys._getframe(1))
    error.__traceback__ = _user_frames(error.__traceback__, keep_last=own_caller)
    seen = {id(error)}
    earlier = [error.__cause__, error.__context__]
    while earlier:
        link = earlier.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            link.__traceback__ = _user_frames(link.__traceback__, keep_last=True)
            earlier += [link.__cause__, link.__context__]


def filtered(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: errors leave `fun` without jx's own frames in their tracebacks.

    It costs one call, so it is for functions that trace; a function on the way of every
    eager operation has an `except` block of its own, with `hide_internal_frames`.
    """

    @functools.wraps(fun)
    def without_internal_frames(*args: Any, **kwargs: Any) -> Any:
        try:
            return fun(*args, **kwargs)
        except Exception as error:
            hide_internal_frames(error)
            raise

    return without_internal_frames


def _user_frames(traceback: TracebackType | None, keep_last: bool) -> TracebackType | None:
    """`traceback` without jx's own frames; with the last, if there are no others to keep."""
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    kept = [t for t in entries if not is_internal(t.tb_frame.f_code.co_filename)]
    if not kept and keep_last:
        kept = entries[-1:]
    if len(kept) == len(entries):
        return entries[0] if entries else None
    result = None
    for t in reversed(kept):
        result = TracebackType(result, t.tb_frame, t.tb_lasti, t.tb_lineno)
    return result


def _called_by_user(frame: FrameType | None) -> bool:
    """Whether `frame` is, or was called from, one that is not jx's own."""
    while frame is not None:
        if not is_internal(frame.f_code.co_filename):
            return True
        frame = frame.f_back
    return False
