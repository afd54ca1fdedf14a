"""Checks in programs: the primitive `check`, and the places that checks are made at.

A failed check is a number, the code of its `Site`, beside the values that its message shows. The
primitive takes these and says that they are an error. No compiled program can raise one, so a
program that holds a check has an effect, and is refused until `jx_core.checkify` has made the
error a result. What users write, and that transformation, are there.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ..aval import ShapedArray
from ..effects import Effect
from ..errors import CheckNotFunctionalizedError
from ..jaxpr.notation import define_notation
from ..primitive import NO_EFFECTS, Primitive

Message = Callable[[Sequence[Any]], str]


class Site:
    """A place in the user's program where something is checked.

    Equal sites are one object, so that programs that are traced anew have the same ones.

    Attributes:
        code: the number that stands for an error of this place; never zero, which is no error.
        category: the class of the error.
        message: gives the text of the error, of the values that belong to it.
        avals: the types of these values.
    """

    __slots__ = ("__weakref__", "avals", "category", "code", "key", "message")

    code: int
    category: type[Exception]
    message: Message
    avals: tuple[ShapedArray, ...]
    key: Any

    def __repr__(self) -> str:
        return f"Site({self.code}, {self.category.__name__})"

    def __lt__(self, other: Site) -> bool:
        return self.code < other.code


# They live as long as programs or errors that have them.
_sites: weakref.WeakValueDictionary[Any, Site] = weakref.WeakValueDictionary()
_by_code: weakref.WeakValueDictionary[int, Site] = weakref.WeakValueDictionary()
_codes = itertools.count(1)
_lock = threading.Lock()


def site(
    category: type[Exception], key: Any, avals: Sequence[ShapedArray], message: Message
) -> Site:
    """The site of this category, key (what the message is made of, the user's line) and types."""
    whole = (category, key, tuple(avals))
    with _lock:
        found = _sites.get(whole)
        if found is None:
            found = _sites[whole] = Site()
            found.code = next(_codes)
            found.category, found.avals, found.key = category, tuple(avals), key
            found.message = message
            _by_code[found.code] = found
    return found


define_notation(
    Site,
    fields=lambda s: {"code": s.code, "category": s.category.__name__},
    make=lambda code, category: _by_code[code],
)


class CheckEffect(Effect):
    """An error that must be made a result before the program can run."""

    __slots__ = ()


class DebugCheckEffect(Effect):
    """An error that is left out where nothing asks for it."""

    __slots__ = ()
    repeatable: ClassVar[bool] = True


_CHECK: frozenset[Effect] = frozenset({CheckEffect()})
_DEBUG: frozenset[Effect] = frozenset({DebugCheckEffect()})


def not_functionalized(sites: Sequence[Site] = ()) -> CheckNotFunctionalizedError:
    """The error for a program that holds a check and is to be run as it is."""
    where = f" The check is at {sites[0].key[-1]}." if sites else ""
    return CheckNotFunctionalizedError(
        "Cannot abstractly evaluate a checkify.check which was not functionalized: it is inside of "
        "a staged function (jit, scan, while_loop, cond), and a compiled program can't raise an "
        f"error.{where} Make the error a result with checkify.checkify around the staged function "
        "(err, out = jit(checkify.checkify(f))(x), then err.throw()), or use "
        "checkify.debug_check, which is left out where nothing asks for it"
    )


def refuse_checks(effects: frozenset[Any]) -> None:
    """Raise the error of `not_functionalized` if these are the effects of a check."""
    if not effects.isdisjoint(_CHECK):
        raise not_functionalized()


def _types(*avals: ShapedArray, sites: tuple[Site, ...], debug: bool) -> list[ShapedArray]:
    return []


def _effects(*, sites: tuple[Site, ...], debug: bool) -> frozenset[Any]:
    if not sites:
        return NO_EFFECTS
    return _DEBUG if debug else _CHECK


def _raise_now(*operands: Any, sites: tuple[Site, ...], debug: bool) -> list[Any]:
    if not debug:
        from ..checkify.error import Error

        Error.of(sites, operands[0], operands[1:]).raise_now()
    return []


# Operands: the code, an int32 scalar, then the values of each of `sites`, in order. No results.
# Params: sites; debug, whether the check is left out where nothing asks for its error.
# Eagerly it raises; `stage` says that this is not done by a compiled program.
check_p = Primitive(
    "check",
    abstract=_types,
    decompose=_raise_now,
    effects=_effects,
    multiple_results=True,
    stage=lambda operands, params: (operands, params),
)
