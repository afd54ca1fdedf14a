"""What those who stage functions use: arguments that may be Refs, and `Uses` of Refs of outside.

A program never holds a Ref. `Uses` says which further arguments and results it has instead.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..aval import ShapedArray, typeof
from ..errors import RefError
from ..jaxpr.ir import Jaxpr
from ..state import state
from ..trace import Tracer
from .objects import AbstractRef, Ref
from .storage import peek, read, take, write


def stand_in(value: Any, ref_type: AbstractRef) -> Ref:
    """A Ref of the current trace, with that value, for one that is passed to a function."""
    return Ref(value, ref_type, state.trace, lent=True)


def reads_as_constants(frame: Any, num_args: int) -> list[Ref]:
    """Make the Refs that a trace has read constants of its program, the last ones.

    Raises:
        RefError: it has written to one.
    """
    for ref, cell in frame.refs.items():
        if cell.written:
            raise RefError(
                f"{frame.name} writes to a {ref.type} from outside, and is a function with "
                f"derivatives of its own (or one that a derivative is made of) inside of a staged "
                f"one: return the value and write it outside, or differentiate inside of jit, as "
                f"in jit(grad(f))"
            )
        frame.constvars.append(cell.variable)
    del frame.invars[num_args:]
    return list(frame.refs)


def values_of(refs: Sequence[Ref], name: str) -> list[Any]:
    """The present values of Refs that a program is to hold as constants.

    Raises:
        RefError: one is known now, and would be the same in later calls.
    """
    values = [read(r) for r in refs]
    for ref, value in zip(refs, values, strict=True):
        if not isinstance(value, Tracer):
            raise RefError(
                f"{name} reads a {ref.type} from outside, and is staged for good here: pass its "
                f"value, ref[...], as an argument"
            )
    return values


def type_of(x: Any) -> Any:
    """The type of an argument: an `AbstractRef` for a Ref."""
    return x.type if type(x) is Ref else typeof(x)


def any_refs(leaves: Iterable[Any]) -> bool:
    """Whether there is a Ref among arguments."""
    return Ref in map(type, leaves)


def held_type(t: Any) -> ShapedArray:
    """The type of an argument's value."""
    return t.inner_aval if type(t) is AbstractRef else t


def held_value(x: Any) -> Any:
    """An argument's value: the present one of a Ref."""
    return read(x) if type(x) is Ref else x


def check_distinct(leaves: Sequence[Any], name: str, names: Callable[[], Sequence[str]]) -> None:
    """Raise a ValueError that names both places of a Ref that is passed twice."""
    places: dict[int, int] = {}
    for i, x in enumerate(leaves):
        if type(x) is Ref and places.setdefault(id(x), i) != i:
            called = names()
            raise ValueError(
                f"only one reference to a mutable array may be passed as an argument to a "
                f"function, but in a call of {name} a {x.type} appeared at both "
                f"{called[places[id(x)]]} and {called[i]}"
            )


def refuse_returned(x: Any, name: str, where: str) -> None:
    """Raise a ValueError if a function's result is a Ref."""
    if type(x) is Ref:
        raise ValueError(
            f"the function {name} returned a mutable array reference of type {x.type} at output "
            f"result{where}, but mutable array references cannot be returned: return its value, "
            f"ref[...]"
        )


class StandIns:
    """The Refs that a function being traced sees in place of those that it was passed."""

    __slots__ = ("refs",)

    def __init__(self) -> None:
        self.refs: list[tuple[int, Ref, Any]] = []

    def enter(self, types: Sequence[Any], values: Sequence[Any]) -> list[Any]:
        """The arguments, stand-ins made of the values of those that are Refs."""
        if AbstractRef not in map(type, types):
            return list(values)
        result = []
        for i, (t, value) in enumerate(zip(types, values, strict=True)):
            if type(t) is AbstractRef:
                ref = stand_in(value, t)
                self.refs.append((i, ref, value))
                value = ref
            result.append(value)
        return result

    def written(self) -> list[tuple[int, Any]]:
        """The places of those that have been written to, and their last values."""
        return [(i, r._value) for i, r, first in self.refs if r._value is not first]

    def expire(self) -> None:
        """End the stand-ins' lives with the call, so that one that is kept keeps nothing alive."""
        for _, ref, _ in self.refs:
            ref._value = ref._home = None


class Uses:
    """What a staged program does with Refs: those it was passed, and those it closes over.

    The program takes, after its arguments, the values of the Refs that it only reads and then of
    those that it writes; it gives, after its results, the last values of the latter and then those
    of the arguments that it wrote to.

    Attributes:
        reads, writes: the Refs that it closes over, weakly.
        arguments: the places of the arguments that it writes to.
    """

    __slots__ = ("_reads", "_writes", "arguments")

    def __init__(self) -> None:
        self._reads: tuple[weakref.ref[Ref], ...] = ()
        self._writes: tuple[weakref.ref[Ref], ...] = ()
        self.arguments: tuple[int, ...] = ()

    @classmethod
    def of(cls, writes: Sequence[Ref], arguments: Sequence[int]) -> Uses:
        """What writes these Refs, and the arguments at these places."""
        self = cls()
        self._writes = tuple([weakref.ref(r) for r in writes])
        self.arguments = tuple(arguments)
        return self

    def __bool__(self) -> bool:
        return bool(self._reads or self._writes or self.arguments)

    def leave(self, inside: StandIns, outputs: list[Any]) -> list[Any]:
        """The outputs of a function, with the last values of the arguments that it wrote to."""
        if not inside.refs:
            return outputs
        last = inside.written()
        inside.expire()
        self.arguments = tuple([i for i, _ in last])
        return [*outputs, *[value for _, value in last]]

    def close(self, frame: Any, num_args: int, outputs: Sequence[Any]) -> list[Any]:
        """Take note of what a trace has done with Refs of outside, and put its inputs in order.

        Returns:
            The outputs, with those for Refs.
        """
        cells = list(frame.refs.items())
        reads = [(r, c) for r, c in cells if not c.written]
        writes = [(r, c) for r, c in cells if c.written]
        self._reads = tuple([weakref.ref(r) for r, _ in reads])
        self._writes = tuple([weakref.ref(r) for r, _ in writes])
        own = [c.variable for _, c in (*reads, *writes)]
        frame.invars[num_args:] = own
        n = len(outputs) - len(self.arguments)
        return [*outputs[:n], *[c._value for _, c in writes], *outputs[n:]]

    def arranged(self, jaxpr: Jaxpr, num_args: int, num_results: int, at: int | None) -> Jaxpr:
        """The program with those Refs as constants that it reads, and the others at a place.

        Args:
            jaxpr: the program.
            num_args, num_results: how many arguments and results are the function's own.
            at: before which of them those for Refs that it closes over and writes are put.
        """
        ins, outs = jaxpr.invars, jaxpr.outvars
        own, closed = ins[:num_args], ins[num_args:]
        n = len(self._reads)
        i, o = (num_args, num_results) if at is None else (at, at)
        m = num_results + len(self._writes)
        return jaxpr.replace(
            constvars=[*jaxpr.constvars, *closed[:n]],
            invars=[*own[:i], *closed[n:], *own[i:]],
            outvars=[*outs[:o], *outs[num_results:m], *outs[o:num_results], *outs[m:]],
        )

    def in_order(self, results: Sequence[Any], num_results: int, at: int) -> list[Any]:
        """The results of a program that `arranged` has made, those for Refs last."""
        k = len(self._writes)
        return [
            *results[:at],
            *results[at + k : num_results + k],
            *results[at : at + k],
            *results[num_results + k :],
        ]

    @property
    def alive(self) -> bool:
        """Whether all Refs that the program closes over can be used still."""
        return all(
            (r := w()) is not None and r.usable for w in (*self._reads, *self._writes)
        )

    @property
    def reads(self) -> list[Ref]:
        return [_alive(w) for w in self._reads]

    @property
    def writes(self) -> list[Ref]:
        return [_alive(w) for w in self._writes]

    @property
    def num_results(self) -> int:
        """How many of the program's results are for Refs."""
        return len(self._writes) + len(self.arguments)

    def check(self, leaves: Sequence[Any], name: str, names: Callable[[], Sequence[str]]) -> None:
        """Raise a ValueError where a Ref is passed twice, or passed and closed over."""
        check_distinct(leaves, name, names)
        known = {id(r) for w in (*self._reads, *self._writes) if (r := w()) is not None}
        for i, x in enumerate(leaves):
            if type(x) is Ref and id(x) in known:
                raise ValueError(
                    f"in a call of {name}, a mutable array reference of type {x.type} was both "
                    f"closed over and passed as the argument {names()[i]}"
                )

    def operands(self, leaves: Sequence[Any], give_away: bool = False) -> list[Any]:
        """The program's arguments for a call: values in place of Refs, and those closed over.

        Args:
            leaves: the call's arguments.
            give_away: whether the call is made at once, so that it can reuse the buffers of the
                Refs that it writes to, and keeps those that it reads no longer than it lasts.
        """
        for_reading, for_writing = (peek, take) if give_away else (read, read)
        values = [for_reading(x) if type(x) is Ref else x for x in leaves]
        for i in self.arguments:
            values[i] = for_writing(leaves[i])
        return [*values, *map(for_reading, self.reads), *map(for_writing, self.writes)]

    def extend(self, params: dict[str, Any], types: Sequence[Any]) -> dict[str, Any]:
        """The params of a staged call, made for the function's own arguments and results.

        Args:
            params: shardings and donations for these.
            types: those of the call's arguments.
        """
        closed = (None,) * (len(self._reads) + len(self._writes))
        donated, ins, outs = (params[k] for k in ("donated", "in_shardings", "out_shardings"))
        if donated:
            flags = list(donated)
            for i, t in enumerate(reversed(types), 1):
                flags[-i] = flags[-i] and type(t) is not AbstractRef
            donated = (*flags, *[False] * len(closed))
        return {
            **params,
            "donated": donated,
            "in_shardings": None if ins is None else (*ins, *closed),
            "out_shardings": None if outs is None else (*outs, *(None,) * self.num_results),
        }

    def donated(self, extra: int, leaves: Sequence[Any], given: Sequence[bool]) -> tuple[bool, ...]:
        """Which operands may be reused: those in `given`, and Refs that are written to.

        Args:
            extra: how many operands come before the arguments.
            leaves: the call's arguments.
            given: a flag for each operand, or none.
        """
        n = extra + len(leaves) + len(self._reads)
        flags = list(given) or [False] * (n + len(self._writes))
        for i in (*[extra + k for k in self.arguments], *range(n, n + len(self._writes))):
            flags[i] = True
        return tuple(flags)

    def write_back(self, leaves: Sequence[Any], results: Sequence[Any]) -> list[Any]:
        """Write the last values, which follow the results of a call, to the Refs.

        Args:
            leaves: the call's arguments.
            results: the program's results.

        Returns:
            The results that are the function's own.
        """
        n = len(results) - self.num_results
        own, last = list(results[:n]), results[n:]
        given = {id(x) for x in own}
        refs = [*self.writes, *[leaves[i] for i in self.arguments]]
        for ref, value in zip(refs, last, strict=True):
            write(ref, value, id(value) not in given)
        return own


def _alive(w: weakref.ref[Ref]) -> Ref:
    ref = w()
    if ref is None:
        raise RefError("a Ref that a staged function closes over no longer exists")
    return ref
