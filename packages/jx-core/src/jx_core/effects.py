"""Effects: what an equation does beside computing its results.

A primitive says which effects an equation has (`Primitive(effects=...)`), and a program has
those of its equations. An equation with effects is never dropped as dead code; what else a
transformation or a back end must respect is a field of the effect.
"""

from __future__ import annotations

from typing import ClassVar


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
