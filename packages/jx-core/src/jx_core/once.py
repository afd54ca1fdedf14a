"""Values that are costly to make, made once however many threads ask at the same time.

Traced and compiled programs lie in dictionaries. A thread that misses makes the value; others
that want the same one meanwhile wait for it, and get it. Nothing is locked while values are
there, and different values are made side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

# How long to wait for another thread. What it makes may run a user's function, which may wait
# for a lock that the waiting thread holds: then each makes the value for itself, which is slow
# but right, where waiting for ever would be neither.
PATIENCE = 30.0


class _Work:
    """A value being made: by which thread, and a lock that is free when it is done."""

    __slots__ = ("_lock", "thread")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self._lock = threading.Lock()  # a third of the cost of an Event
        self._lock.acquire()

    def finish(self) -> None:
        self._lock.release()

    def wait(self, seconds: float) -> bool:
        """Wait until it is done; False if it is not, after so many seconds."""
        done = self._lock.acquire(timeout=seconds)
        if done:
            self._lock.release()  # for the next one who waits
        return done


_under_way: dict[tuple[int, Any], _Work] = {}


def once(
    cache: dict[Any, Any],
    key: Any,
    make: Callable[[], Any],
    keep: Callable[[Any], bool] = lambda value: True,
    patience: float | None = None,
) -> Any:
    """`cache[key]`, made by `make()` if it is not there, by one thread at a time.

    Args:
        cache: where values are kept; they are not None.
        key: hashable.
        make: makes the value. It may ask for the same one again, which it then makes within.
        keep: whether a value made may serve others.
        patience: how many seconds to wait for another thread; None for `PATIENCE`, -1 for as
            long as it takes, where `make` runs nothing of a user's.

    Raises:
        Exception: what `make` raises. Nothing is kept, and a thread that waited tries itself.

    >>> cache = {}
    >>> once(cache, "answer", lambda: 42), cache
    (42, {'answer': 42})
    """
    mine = _Work()
    place = (id(cache), key)
    while True:
        found = cache.get(key)
        if found is not None:
            return found
        work = _under_way.setdefault(place, mine)  # atomic: one thread's becomes everybody's
        if work is mine:
            break
        wait = PATIENCE if patience is None else patience
        if work.thread == mine.thread or not work.wait(wait):
            return _kept(cache, key, make(), keep)
    try:
        found = cache.get(key)  # it may have been finished since the look above
        return found if found is not None else _kept(cache, key, make(), keep)
    finally:
        del _under_way[place]
        mine.finish()


def _kept(cache: dict[Any, Any], key: Any, value: Any, keep: Callable[[Any], bool]) -> Any:
    return cache.setdefault(key, value) if keep(value) else value
