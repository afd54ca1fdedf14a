"""Finding traced values that outlive their trace, under the option `check_tracer_leaks`.

A function that leaves an intermediate value in a global, an attribute or a container has a bug
that otherwise shows only when something uses the value. `Watch` looks for such values when a
trace ends, and says where each was made and what refers to it. Nothing here is imported or run
unless the option is on.
"""

from __future__ import annotations

import functools
import gc
import sys
import types
import weakref
from collections.abc import Sequence
from typing import Any

from . import source
from .errors import LeakedTracerError
from .primitive import Primitive
from .trace import Trace, Tracer

_MOST_LINES = 20  # of the message, beside its first and last
_MOST_STEPS = 12  # from a tracer to the name that keeps it
_MOST_OBJECTS = 20000  # looked at in each step


class Watch:
    """Looks at what is left of a trace when it has ended.

    Make it when the trace begins; when it has ended, drop every reference to its tracers, and
    call `check`.

    Args:
        trace: the trace.
        inputs: the tracers that it begins with, and other values.
        what: what it does, for the message: "the function 'f'".
    """

    def __init__(self, trace: Trace, inputs: Sequence[Any], what: str) -> None:
        self._kind = type(trace).__name__
        self._what = what
        self._key = id(trace)
        self._made: list[_Made] = []
        for x in inputs:
            if isinstance(x, Tracer) and x._trace is trace:
                self._made.append((weakref.ref(x), None, ""))
        _records[self._key] = self._made
        trace.__class__ = _watched(type(trace))  # type: ignore[arg-type]

    def __del__(self) -> None:
        if _records.get(self._key) is self._made:  # an error ended the trace
            del _records[self._key]

    def check(self) -> None:
        """Look for tracers that are still alive.

        Raises:
            LeakedTracerError: there are; it names each, where it was made, and what refers
                to it.
        """
        _records.pop(self._key, None)
        if all(made() is None for made, _, _ in self._made):
            return
        gc.collect()  # what only refers to itself is no leak
        alive = [x for made, _, _ in self._made if (x := made()) is not None]
        message = self._describe(alive) if alive else ""
        del alive
        if message:
            raise LeakedTracerError(message)

    def _describe(self, alive: list[Tracer]) -> str:
        """What to say of tracers that are alive; nothing if no name of the program keeps one.

        What a transformation still has in its hands as it returns, such as auxiliary results
        whose derivatives it is about to drop, is no leak.
        """
        lines: list[str] = []
        found = _Search(alive).paths()
        for made, line, primitive in self._made:
            tracer = made()
            path = found.get(id(tracer))
            if tracer is None or path is None or len(lines) >= _MOST_LINES:
                continue
            where = f"It was computed by {primitive!r} at {line}." if line else tracer.origin()
            lines += [f"  {tracer!r}. {where}", *(f"    {text}" for text in path)]
        if not lines:
            return ""
        return (
            f"Leaked trace {self._kind} of {self._what}: it has ended, and {len(found)} of its "
            f"values are still alive. Leaked tracer(s):\n" + "\n".join(lines) + "\nReturn such a "
            "value from the function; it may not be left in anything that outlives the call."
        )


# A tracer, and the line and primitive that made it, if it is no argument.
_Made = tuple[Any, Any, str]

# The records of the traces that are watched now, by the trace's id.
_records: dict[int, list[_Made]] = {}


@functools.cache
def _watched(kind: type[Trace]) -> type[Trace]:
    """The class of a trace that records where its tracers are made."""

    class Watched(kind):  # type: ignore[valid-type, misc]
        __slots__ = ()

        def process(
            self, primitive: Primitive, operands: tuple[Any, ...], params: dict[str, Any]
        ) -> Any:
            result = super().process(primitive, operands, params)
            made = _records.get(id(self))
            if made is not None:
                line = source.capture()
                for x in result if primitive.multiple_results else (result,):
                    if isinstance(x, Tracer) and x._trace is self:
                        made.append((weakref.ref(x), line, primitive.name))
            return result

    Watched.__name__ = Watched.__qualname__ = kind.__name__
    return Watched


class _Search:
    """Finds which names of the program keep some objects alive, and through what.

    It goes from the objects to what refers to them, a step at a time for all of them, for each
    look at what refers to something is one at every object of the process.
    """

    def __init__(self, targets: list[Any]) -> None:
        self._targets = targets
        # Of each object that was reached: itself, the one it refers to, and how.
        self._reached: dict[int, tuple[Any, Any, str]] = {}
        self._found: dict[int, list[str]] = {}
        self._modules = {
            id(m.__dict__): (name, m.__dict__)
            for name, m in list(sys.modules.items())
            if isinstance(m, types.ModuleType)
        }
        self._locals: dict[int, str] = {}
        self._ignored: set[int] = set()
        frame: Any = sys._getframe(1)
        while frame is not None:
            code, local = frame.f_code, frame.f_locals
            if local is not frame.f_globals:
                self._ignored.add(id(local))
                if not source.is_internal(code.co_filename):
                    where = f"{code.co_name} at {code.co_filename}:{frame.f_lineno}"
                    for name, value in local.items():
                        self._locals.setdefault(id(value), f"local variable {name!r} of {where}")
            frame = frame.f_back

    def paths(self) -> dict[int, list[str]]:
        """For each object that a name keeps, by its id: the way from it to that name, in words."""
        front = list(self._targets)
        for x in front:
            self._reached[id(x)] = (x, None, "")
            if id(x) in self._locals:
                self._note(x, f"it is {self._locals[id(x)]}")
        self._ignored |= {
            id(x) for x in (self, self.__dict__, self._targets, self._reached, self._found)
        } | {id(self._modules), id(self._locals), id(self._ignored)}
        for _ in range(_MOST_STEPS):
            front = [x for x in front if id(x) not in self._found]
            if not front or len(front) > _MOST_OBJECTS:
                break
            front = self._step(front)
        return {id(x): self._found[id(x)] for x in self._targets if id(x) in self._found}

    def _step(self, front: list[Any]) -> list[Any]:
        """What refers to the objects of `front` and has not been reached before."""
        wanted = {id(x) for x in front}
        referrers = gc.get_referrers(*front)
        skipped = self._ignored | {id(front), id(wanted), id(referrers)}
        following: list[Any] = []
        for r in referrers:
            if id(r) in skipped or id(r) in self._reached:
                continue
            if isinstance(r, (types.FrameType, tuple)) and self._is_argument_list(r, front):
                continue
            x = next((x for x in gc.get_referents(r) if id(x) in wanted), None)
            if x is None:
                continue
            self._reached[id(r)] = (r, x, _link(r, x))
            module, names = self._modules.get(id(r), ("", {}))
            if names is r:
                self._note(x, f"it is the global {_key_of(r, x)!r} of module {module!r}")
            elif isinstance(r, type):
                self._note(x, f"it is an attribute of the class {r.__module__}.{r.__qualname__}")
            elif id(r) in self._locals:
                self._note(r, f"it is {self._locals[id(r)]}")
            else:
                following.append(r)
        return following

    def _is_argument_list(self, r: Any, front: list[Any]) -> bool:
        """Whether `r` is a frame, or the tuple that `front` was just passed as."""
        return isinstance(r, types.FrameType) or (
            len(r) == len(front) and all(a is b for a, b in zip(r, front, strict=True))
            and len(front) > 1
        )

    def _note(self, x: Any, end: str) -> None:
        """Note that a name keeps `x`, and so the target that it was reached from."""
        steps: list[str] = []
        owner = ""
        while self._reached[id(x)][1] is not None:
            _, below, text = self._reached[id(x)]
            if text.startswith(_OWNER):
                owner = text.removeprefix(_OWNER)
            elif owner:  # this is its dict of attributes
                key = next((k for k, v in list(x.items()) if v is below), "?")
                steps.append(f"it is the attribute {key!r} of a {owner}")
                owner = ""
            elif text:
                steps.append(text)
            x = below
        self._found[id(x)] = [*reversed(steps), end]


_OWNER = "the attributes of "


def _link(r: Any, x: Any) -> str:
    """How `r` refers to `x`, in words; empty for what does not need any."""
    if isinstance(r, types.CellType):
        return ""
    if isinstance(r, types.FunctionType):
        code = r.__code__
        where = f"{r.__qualname__} ({code.co_filename}:{code.co_firstlineno})"
        if isinstance(x, tuple) and x is r.__closure__:
            return f"it is closed over by the function {where}"
        return f"it belongs to the function {where}"
    if isinstance(r, dict):
        return f"it is at {_key_of(r, x)!r:.60} of a dict"
    if isinstance(r, (list, tuple)):
        if any(isinstance(y, types.CellType) for y in r):
            return ""  # a function's closure
        at = next((i for i, y in enumerate(r) if y is x), "?")
        return f"it is at [{at}] of a {type(r).__name__} of length {len(r)}"
    kind = f"{type(r).__module__}.{type(r).__qualname__}"
    if isinstance(x, dict) and _dict_of(r) is x:
        return _OWNER + kind
    name = _attribute_name(r, x)
    return f"it is {'held by' if name is None else f'the attribute {name!r} of'} a {kind}"


def _dict_of(owner: Any) -> Any:
    try:
        return object.__getattribute__(owner, "__dict__")
    except (AttributeError, TypeError):
        return None


def _key_of(mapping: dict[Any, Any], value: Any) -> Any:
    return next((k for k, v in list(mapping.items()) if v is value), "?")


def _attribute_name(owner: Any, value: Any) -> str | None:
    names = [*(_dict_of(owner) or ())]
    for c in type(owner).__mro__:
        slots = getattr(c, "__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    for name in names:
        try:
            if object.__getattribute__(owner, str(name)) is value:
                return str(name)
        except AttributeError:
            continue
    return None
