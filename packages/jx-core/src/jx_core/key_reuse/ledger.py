"""Labels of keys, and the ledger of which have been used, where."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ..errors import KeyReuseError

_count = itertools.count(1)
_BLOCK = 1 << 32


def fresh(shape: tuple[int, ...]) -> np.ndarray:
    """Labels that no key has yet; safe to call on many threads."""
    size = 1
    for n in shape:
        size *= n
    first = next(_count) * _BLOCK
    return np.arange(first, first + size, dtype=np.int64).reshape(shape)


class Use:
    """One use of a key: what was done with it, and at which line."""

    __slots__ = ("source", "verb")

    def __init__(self, verb: str, source: Any) -> None:
        self.verb = verb
        self.source = source

    def __str__(self) -> str:
        return f"{self.verb} at {self.source}"


class Ledger:
    """Which labels have been used, and how; a branch of a program has a ledger on top of it.

    Attributes:
        below: the ledger that this one adds to, or None.
        uses: the uses of labels that are new here.
    """

    __slots__ = ("below", "uses")

    def __init__(self, below: Ledger | None = None) -> None:
        self.below = below
        self.uses: dict[int, Use] = {}

    def find(self, label: int) -> Use | None:
        """The use of a label, None if it is fresh."""
        ledger: Ledger | None = self
        while ledger is not None:
            found = ledger.uses.get(label)
            if found is not None:
                return found
            ledger = ledger.below
        return None

    def use(self, labels: np.ndarray, use: Use) -> None:
        """Write down that all these keys are used now.

        Raises:
            KeyReuseError: one has been used before, or is there twice.
        """
        flat = labels.reshape(-1).tolist()
        for place, label in enumerate(flat):
            before = self.find(label)
            if before is not None:
                raise _error(before, use, labels.shape, place, flat.index(label))
            self.uses[label] = use

    def commit(self) -> None:
        """Add what is new here to the ledger below."""
        assert self.below is not None
        self.below.uses.update(self.uses)


def _error(before: Use, now: Use, shape: tuple[int, ...], place: int, first: int) -> KeyReuseError:
    cure = (
        "Uses of one key give the same numbers. Split it, k1, k2 = jx.random.split(key), and use "
        "each new key once; if the same numbers are meant, use jx.random.clone(key)."
    )
    where = ""
    if shape:
        index = tuple(int(i) for i in np.unravel_index(place, shape))
        where = f" (the key at index {index} of an array of shape {shape})"
    if before is now and first != place:
        other = tuple(int(i) for i in np.unravel_index(first, shape))
        return KeyReuseError(
            f"An array of keys holds the same key more than once, at {other} and at {index}, and "
            f"was {now}.\n{cure}"
        )
    again = ""
    if str(before) == str(now):
        again = " (the same line: in a loop, say, that closes over the key)"
    return KeyReuseError(
        f"A random key was used twice{where}.\n  first: {before}\n  again: {now}{again}\n{cure}"
    )
