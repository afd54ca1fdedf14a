"""Sorting the keys of mappings, and saying which mapping has keys that can't be.

A dict's children are taken in the order of its sorted keys, so that two dicts
with equal keys have equal structure whatever order they were filled in.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Any


class KeyOrderError(ValueError):
    """The keys of a mapping in a pytree can't be put in order."""


def sort_keys(keys: Iterable[Any]) -> list[Any]:
    """`sorted(keys)`; a KeyOrderError that names two keys where that fails."""
    unsorted = list(keys)
    try:
        return sorted(unsorted)
    except Exception as error:
        raise KeyOrderError(describe_unordered(unsorted, error)) from None


def describe_unordered(keys: list[Any], error: Exception, where: str = "") -> str:
    """The message about `keys`, whose sorting raised `error`, found at key path `where`."""
    first, second = _unordered_pair(keys)
    place = f"the dict at {where}" if where else "a dict"
    return (
        "the keys of a dict in a pytree are sorted, so they must be comparable with one "
        f"another; {place} has keys {first!r} ({type(first).__name__}) and {second!r} "
        f"({type(second).__name__}), which are not: {error}. Use keys of one type, or a "
        "collections.OrderedDict, which keeps the order of insertion."
    )


def _unordered_pair(keys: list[Any]) -> tuple[Any, Any]:
    for first, second in combinations(keys, 2):
        try:
            _ = (first < second, second < first)
        except Exception:
            return first, second
    return keys[0], keys[-1]
