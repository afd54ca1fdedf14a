"""Key entries: the steps of a key path from a tree's root to one of its nodes.

These are the entries of the pure-Python pytrees; jaxlib's pytrees bring their
own, with the same names, fields and text. `paths.py` works with either.
"""

from __future__ import annotations

from typing import Any


class _Key:
    """An immutable step; a subclass has one field, named in `__match_args__`."""

    __slots__ = ("_value",)
    __match_args__: tuple[str, ...] = ()

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and bool(self._value == other._value)

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._value))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__match_args__[0]}={self._value!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._value,)


class SequenceKey(_Key):
    """The step into item `idx` of a tuple or list."""

    __slots__ = ()
    __match_args__ = ("idx",)

    def __init__(self, idx: int) -> None:
        super().__init__(idx)

    @property
    def idx(self) -> int:
        return self._value  # type: ignore[no-any-return]

    def __str__(self) -> str:
        return f"[{self._value!r}]"


class DictKey(_Key):
    """The step into the value a mapping holds under `key`."""

    __slots__ = ()
    __match_args__ = ("key",)

    def __init__(self, key: Any) -> None:
        super().__init__(key)

    @property
    def key(self) -> Any:
        return self._value

    def __str__(self) -> str:
        return f"[{self._value!r}]"


class GetAttrKey(_Key):
    """The step into the attribute `name` of an object."""

    __slots__ = ()
    __match_args__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__(name)

    @property
    def name(self) -> str:
        return self._value  # type: ignore[no-any-return]

    def __str__(self) -> str:
        return f".{self._value}"


class FlattenedIndexKey(_Key):
    """The step into child number `key` of a node that names no keys."""

    __slots__ = ()
    __match_args__ = ("key",)

    def __init__(self, key: int) -> None:
        super().__init__(key)

    @property
    def key(self) -> int:
        return self._value  # type: ignore[no-any-return]

    def __str__(self) -> str:
        return f"[<flat index {self._value}>]"
