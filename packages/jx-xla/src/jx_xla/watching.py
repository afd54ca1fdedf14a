"""A line on stderr, while it runs, about a compilation that takes long.

One thread watches all compilations. It starts with the first one and then sleeps; a compilation
that is done in time has cost two dictionary operations. After how many seconds it speaks is the
option `slow_compile_secs`.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator

from jx_core.config import define_float

slow_compile_secs = define_float(
    "slow_compile_secs",
    10.0,
    "seconds of one compilation after which a line on stderr says of what; 0 for never",
    expected="a number of seconds, 0 or more",
    accepts=lambda value: value >= 0,
)


class _Watcher:
    """Which compilations are running, and the thread that looks at them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        # By number: when to speak, since when it has run, and what to say.
        self._running: dict[int, tuple[float, float, Callable[[float], str]]] = {}
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def add(self, seconds: float, describe: Callable[[float], str]) -> int:
        now = time.monotonic()
        number = next(self._numbers)
        with self._lock:
            idle = not self._running
            self._running[number] = (now + seconds, now, describe)
            if self._thread is None or not self._thread.is_alive():  # not after a fork either
                self._wake = threading.Event()
                self._thread = threading.Thread(
                    target=self._watch, name="jx-compile-watcher", daemon=True
                )
                self._thread.start()
        if idle:
            self._wake.set()
        return number

    def remove(self, number: int) -> None:
        with self._lock:
            self._running.pop(number, None)

    def _watch(self) -> None:
        wake = self._wake
        while True:
            wake.clear()
            with self._lock:
                now = time.monotonic()
                due = sorted((n for n, (when, _, _) in self._running.items() if when <= now),
                             key=lambda n: self._running[n][0])  # fmt: skip
                lines = [describe(now - began) for _, began, describe in map(self._take, due)]
                earliest = min((when for when, _, _ in self._running.values()), default=None)
            for line in lines:
                print(line, file=sys.stderr, flush=True)
            wake.wait(None if earliest is None else max(0.0, earliest - time.monotonic()))

    def _take(self, number: int) -> tuple[float, float, Callable[[float], str]]:
        return self._running.pop(number)


_watcher = _Watcher()


@contextlib.contextmanager
def watched(describe: Callable[[float], str]) -> Iterator[None]:
    """Print `describe(seconds)` on stderr if the block runs longer than `slow_compile_secs`."""
    seconds = slow_compile_secs.value
    if not seconds:
        yield
        return
    number = _watcher.add(seconds, describe)
    try:
        yield
    finally:
        _watcher.remove(number)
