"""What a function that `vjp` returns is told about gradients, and says of them: `jx.ad`.

Entries of `f_vjp.with_refs(...)`, and what stands in the places of gradients that are not
returned.
"""

from __future__ import annotations

__all__ = ["DidntWant", "DontWant", "GradRef", "GradValue"]


class _Word:
    """A word: all instances of a class are equal."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class GradValue(_Word):
    """Return the gradient, as without `with_refs`.

    >>> GradValue()
    GradValue()
    """

    __slots__ = ()


class DontWant(_Word):
    """The gradient is not wanted.

    >>> DontWant() == DontWant()
    True
    """

    __slots__ = ()


class DidntWant(_Word):
    """In the place of a gradient that was not wanted.

    >>> DidntWant()
    DidntWant()
    """

    __slots__ = ()


class GradRef(_Word):
    """In the place of a gradient that has been added to a Ref.

    >>> GradRef()
    GradRef()
    """

    __slots__ = ()
