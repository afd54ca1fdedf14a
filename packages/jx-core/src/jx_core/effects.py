"""Effects: what an equation does beside computing its results.

A primitive says which effects an equation has (`Primitive(effects=...)`), and a program has
those of its equations. An equation with effects is never dropped as dead code; what else a
transformation or a back end must respect is a field of the effect.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar


class Effect:
    """A kind of effect. Subclass it once per kind; instances of one kind are equal.

    Attributes:
        ordered: happens in the order of the program, also across calls of compiled programs.
        repeatable: may happen more often than the program says, or not at all, as debugging
            output may where a checkpointed function is computed anew.
    """

    __slots__ = ()
    ordered: ClassVar[bool] = False
    repeatable: ClassVar[bool] = False

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return type(self).__name__


class HostEffect(Effect):
    """The effect of a call from a program to Python on the host."""

    __slots__ = ()


class DebugEffect(HostEffect):
    """Debugging output, in no particular order.

    >>> from jx_core import debug, make_jaxpr
    >>> program = make_jaxpr(lambda x: debug.print("{}", x))(1.0)
    >>> program.effects == {DebugEffect()}
    True
    """

    __slots__ = ()
    repeatable = True


class OrderedDebugEffect(HostEffect):
    """Debugging output in the order of the program.

    >>> from jx_core import debug, make_jaxpr
    >>> program = make_jaxpr(lambda x: debug.print("{}", x, ordered=True))(1.0)
    >>> program.effects == {OrderedDebugEffect()}
    True
    """

    __slots__ = ()
    ordered = True
    repeatable = True


class IOEffect(HostEffect):
    """What an `io_callback` does, in no particular order."""

    __slots__ = ()


class OrderedIOEffect(HostEffect):
    """What an ordered `io_callback` does."""

    __slots__ = ()
    ordered = True


DEBUG, ORDERED_DEBUG = frozenset({DebugEffect()}), frozenset({OrderedDebugEffect()})
IO, ORDERED_IO = frozenset({IOEffect()}), frozenset({OrderedIOEffect()})


def on_host(effects: Iterable[Any]) -> bool:
    """Whether some of the effects are calls to Python."""
    return any(isinstance(e, HostEffect) for e in effects)


def in_order(effects: Iterable[Any]) -> bool:
    """Whether some of the effects are calls to Python in the order of the program."""
    return any(isinstance(e, HostEffect) and e.ordered for e in effects)


def unrepeatable(effects: Iterable[Any]) -> list[Any]:
    """Those of the effects that are calls to Python which must happen as often as it is said."""
    return [e for e in effects if isinstance(e, HostEffect) and not e.repeatable]
