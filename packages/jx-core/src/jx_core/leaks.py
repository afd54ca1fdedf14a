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
from collections.abc import Iterator
from typing import Any, NamedTuple

from . import source
from .errors import LeakedTracerError
from .primitive import Primitive
from .trace import Trace, Tracer

_MOST_TRACERS = 5  # that are described
_MOST_STEPS = 8  # from a tracer to what keeps it
_MOST_OBJECTS = 5000  # looked at on the way
_MOST_REFERRERS = 50  # of one object; what more refer to is shared, such as a class


class Watch:
    """Looks at what is left of a trace when it has ended.

    Make it when the trace begins; when it has ended, drop every reference to the trace and its
    tracers, and call `check`.

    Args:
        trace: the trace.
        what: what it does, for the message: "the function 'f'".
    """

    def __init__(self, trace: Trace, what: str) -> None:
        self._trace = weakref.ref(trace)
        self._kind = type(trace).__name__
        self._what = what
        self._made: dict[int, str] = {}
        _records[id(trace)] = self._made
        self._key = id(trace)
        trace.__class__ = _watched(type(trace))

    def check(self) -> None:
        """Look for tracers that are still alive.

        Raises:
            LeakedTracerError: there are; it names each, where it was made, and what refers
                to it.
        """
        _records.pop(self._key, None)
        if self._trace() is None:
            return
        gc.collect()  # what only refers to itself is no leak
        trace = self._trace()
        if trace is None:
            return
        leaked = [x for x in gc.get_referrers(trace) if isinstance(x, Tracer)]
        if not leaked:
            return
        search = _Search([leaked])
        lines = []
        for tracer in leaked[:_MOST_TRACERS]:
            made = self._made.get(id(tracer)) or tracer.origin()
            lines += [f"  {tracer!r}. {made}", *search.path(tracer)]
        if len(leaked) > _MOST_TRACERS:
            lines.append(f"  ... and {len(leaked) - _MOST_TRACERS} more")
        message = (
            f"Leaked trace {self._kind} of {self._what}: it has ended, and values of it are still "
            f"alive. Leaked tracer(s):\n" + "\n".join(lines) + "\nReturn such a value from the "
            "function; it may not be left in anything that outlives the call."
        )
        del leaked, trace, tracer, search
        raise LeakedTracerError(message)


# The records of the traces that are watched now, by the trace's id.
_records: dict[int, dict[int, str]] = {}


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
                for x in result if primitive.multiple_results else (result,):
                    if isinstance(x, Tracer) and x._trace is self:
                        line = source.capture()
                        made[id(x)] = f"It was computed by {primitive.name!r} at {line}."
            return result

    Watched.__name__ = Watched.__qualname__ = kind.__name__
    return Watched


class _Step(NamedTuple):
    """One link from a value to what refers to it; `end` if what that is needs no more words."""

    referrer: Any
    text: str
    end: bool = False


class _Search:
    """Finds what keeps an object alive, as a readable path to a name in the program.

    Args:
        own: containers of whoever searches, which count for nothing.
    """

    def __init__(self, own: list[Any]) -> None:
        self._ignored = {id(x) for x in own} | {id(own)}
        self._ignored |= {id(self), id(self.__dict__), id(self._ignored)}
        self._modules = {
            id(m.__dict__): (name, m.__dict__)
            for name, m in list(sys.modules.items())
            if isinstance(m, types.ModuleType)
        }
        self._ignored.add(id(self._modules))
        self._locals: dict[int, str] = {}
        self._ignored.add(id(self._locals))
        frame: Any = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            local = frame.f_locals
            if local is not frame.f_globals:
                self._ignored.add(id(local))
                if not source.is_internal(code.co_filename):
                    for name, value in local.items():
                        where = f"{code.co_filename}:{frame.f_lineno}"
                        text = f"local variable {name!r} of {code.co_name} at {where}"
                        self._locals.setdefault(id(value), text)
            frame = frame.f_back

    def path(self, start: Any) -> list[str]:
        """A line for each step from what refers to `start` to a name that keeps it."""
        if id(start) in self._locals:
            return [f"    is {self._locals[id(start)]}"]
        seen = {id(start)}
        front: list[tuple[Any, list[str]]] = [(start, [])]
        best: list[str] = []
        looked = 0
        self._ignored |= {id(seen), id(front)}
        while front and looked < _MOST_OBJECTS:
            x, lines = front.pop(0)
            if len(lines) >= _MOST_STEPS:
                continue
            for step in self._steps(x):
                looked += 1
                y = step.referrer
                if id(y) in seen:
                    continue
                seen.add(id(y))
                longer = [*lines, f"    is referred to by {step.text}"]
                if step.end:
                    return longer
                if id(y) in self._locals:
                    return [*longer, f"    which is {self._locals[id(y)]}"]
                best = best or longer
                front.append((y, longer))
        return best or ["    is referred to by something that Python does not show"]

    def _steps(self, x: Any) -> Iterator[_Step]:
        """What refers to `x`, and how."""
        referrers = gc.get_referrers(x)
        self._ignored.add(id(referrers))
        if len(referrers) > _MOST_REFERRERS:
            return
        for r in referrers:
            if id(r) in self._ignored or isinstance(r, (types.FrameType, weakref.ref)):
                continue
            module, names = self._modules.get(id(r), ("", None))
            if names is r:
                yield _Step(r, f"the global {_key_of(r, x)!r} of module {module!r}", True)
            elif isinstance(r, types.CellType):
                yield from _closures(r)
            elif isinstance(r, dict):
                owner = next((o for o in gc.get_referrers(r) if _dict_of(o) is r), None)
                key = _key_of(r, x)
                if owner is not None:
                    yield _Step(owner, _attribute(owner, key))
                else:
                    yield _Step(r, f"[{key!r:.60}] of a dict")
            elif isinstance(r, (list, tuple)):
                where = next((i for i, y in enumerate(r) if y is x), "?")
                yield _Step(r, f"[{where}] of a {type(r).__name__} of length {len(r)}")
            else:
                yield _Step(r, _attribute(r, _attribute_name(r, x)))


def _dict_of(owner: Any) -> Any:
    try:
        return object.__getattribute__(owner, "__dict__")
    except (AttributeError, TypeError):
        return None


def _key_of(mapping: dict[Any, Any], value: Any) -> Any:
    return next((k for k, v in list(mapping.items()) if v is value), "?")


def _attribute(owner: Any, name: Any) -> str:
    if isinstance(owner, types.FunctionType):
        return f"{name} of the function {owner.__qualname__}"
    kind = type(owner)
    return f"the attribute {name!r} of an object of class {kind.__module__}.{kind.__qualname__}"


def _attribute_name(owner: Any, value: Any) -> str:
    names = [*(_dict_of(owner) or ())]
    names += [n for c in type(owner).__mro__ for n in getattr(c, "__slots__", ())]
    for name in names:
        if getattr(owner, str(name), None) is value:
            return str(name)
    return "?"


def _closures(cell: types.CellType) -> Iterator[_Step]:
    """The functions that close over a variable."""
    for group in gc.get_referrers(cell):
        if not isinstance(group, tuple):
            continue
        for f in gc.get_referrers(group):
            if isinstance(f, types.FunctionType) and f.__closure__ is group:
                at = next(i for i, c in enumerate(group) if c is cell)
                name = f.__code__.co_freevars[at]
                file, line = f.__code__.co_filename, f.__code__.co_firstlineno
                text = f"the variable {name!r} that {f.__qualname__} ({file}:{line}) closes over"
                yield _Step(f, text, not source.is_internal(file))
