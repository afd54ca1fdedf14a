"""Where in the user's program an equation comes from: file, line, function, name scope.

Capturing happens once per staged equation, so it must cost well under a
microsecond: it walks frames until one whose file is not part of jx and keeps the
code object and instruction offset; the line number is worked out only when asked.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar

from .state import state

F = TypeVar("F", bound=Callable[..., Any])

# A file is jx's own when it lies in the folder of a jx package. Other packages add theirs. The
# standard library's wrappers stand between jx's frames and the user's, and are nobody's line.
_internal_folders: list[str] = [
    str(Path(__file__).parent) + "/",
    *[str(module.__file__) for module in (contextlib, functools)],
]
_is_internal: dict[str, bool] = {}


def register_internal(file: str) -> None:
    """Count the folder of `file` (a package's `__init__.py`) as jx's own, not the user's."""
    _internal_folders.append(str(Path(file).parent) + "/")
    _is_internal.clear()


def is_internal(filename: str) -> bool:
    """Whether a source file belongs to jx rather than to the user."""
    known = _is_internal.get(filename)
    if known is None:
        known = filename.startswith(tuple(_internal_folders)) or filename.startswith("<frozen")
        _is_internal[filename] = known
    return known


class Source:
    """The place one equation was written: code object, instruction and name scope."""

    __slots__ = ("code", "instruction", "scope")

    def __init__(self, code: CodeType | None, instruction: int, scope: str) -> None:
        self.code = code
        self.instruction = instruction
        self.scope = scope

    @property
    def file(self) -> str:
        return self.code.co_filename if self.code is not None else "<unknown>"

    @property
    def function(self) -> str:
        return self.code.co_name if self.code is not None else "<unknown>"

    @property
    def line(self) -> int:
        """The line number, 1-based; 0 where unknown."""
        if self.code is None:
            return 0
        # co_positions has one entry per two-byte instruction.
        for i, position in enumerate(self.code.co_positions()):
            if 2 * i == self.instruction:
                return position[0] or self.code.co_firstlineno
        return self.code.co_firstlineno

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.function})"

    def __repr__(self) -> str:
        scope = f", scope={self.scope!r}" if self.scope else ""
        return f"Source({self}{scope})"


UNKNOWN = Source(None, 0, "")


def capture() -> Source:
    """The user's line that is running now: the innermost frame outside jx."""
    known = state.source
    if known is not None:
        return known  # type: ignore[no-any-return]
    frame: Any = sys._getframe(1)
    internal = _is_internal
    while frame is not None:
        filename = frame.f_code.co_filename
        if not (internal[filename] if filename in internal else is_internal(filename)):
            return Source(frame.f_code, frame.f_lasti, state.scope)
        frame = frame.f_back
    return Source(None, 0, state.scope)


@contextlib.contextmanager
def use(source: Source | None) -> Iterator[None]:
    """Attribute everything bound inside to `source`, such as an equation being replayed."""
    before = state.source
    state.source = source
    try:
        yield
    finally:
        state.source = before


def named_call(fun: F, *, name: str | None = None) -> F:
    """`fun` with all of its operations in a `named_scope`; also usable as a decorator.

    Args:
        fun: any function.
        name: the scope's name; by default that of the function.

    Raises:
        TypeError: `fun` can't be called, or `name` is not a string.

    >>> named_call(lambda x: x + 1, name="next")(1)
    2
    """
    if not callable(fun):
        raise TypeError(f"named_call expects a callable as its first argument, got {fun!r}")
    scope = getattr(fun, "__name__", None) or type(fun).__name__ if name is None else name
    return functools.wraps(fun)(named_scope(scope)(fun))  # type: ignore[return-value]


@contextlib.contextmanager
def named_scope(name: str) -> Iterator[None]:
    """Put `name` on the name stack of all operations inside; profiles and HLO show it.

    Also usable as a decorator.

    Raises:
        TypeError: `name` is not a string.

    >>> with named_scope("layer1"):
    ...     pass
    """
    if not isinstance(name, str):
        raise TypeError(f"named_scope: name must be a string, got {name!r}")
    before = state.scope
    state.scope = f"{before}/{name}" if before else name
    try:
        yield
    finally:
        state.scope = before
