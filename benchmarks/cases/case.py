"""What a case is, and the two ways to take a sample of one: many calls, or one costly call."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Sample = Callable[[], float]  # takes one measurement and gives seconds


@dataclass(frozen=True)
class Case:
    """One row of the table.

    `prepare(library)` sets the case up and gives the function that takes one
    sample, which may be called any number of times. Where a sample needs a
    process of its own, `script` is given instead: Python that prints the
    figure, with `{library}` for the module's name.
    `budget` is the most that the library's figure may be of its first peer's, `limit` the
    most that it may be by itself, for figures that are ratios already;
    `peers` are the libraries that the case knows how to run besides jx.
    """

    name: str
    budget: float | None
    prepare: Callable[[ModuleType], Sample] | None = None
    script: str | None = None
    unit: str = "s"
    peers: tuple[str, ...] = ("jax",)
    limit: float | None = None


def per_call(call: Callable[[], Any], at_least: float = 0.05) -> Sample:
    """Seconds for one `call()` in a loop of them that lasts `at_least` seconds.

    `call` gives an array (or a tree of them); the last one is waited for.
    """

    def loop(number: int) -> float:
        start = time.perf_counter()
        for _ in range(number):
            result = call()
        wait(result)
        return time.perf_counter() - start

    loop(3)  # compiled, and its caches filled
    number = 1
    while (seconds := loop(number)) < at_least:
        number = max(2 * number, int(number * at_least / seconds))

    return lambda: loop(number) / number


def once(call: Callable[[Any], Any], setup: Callable[[], Any]) -> Sample:
    """Seconds for one `call(setup())`, the set-up untimed and new for each sample.

    For work whose results are cached by function, such as tracing: `setup`
    makes a new function, so that what is timed is the work and not the cache.
    """

    def sample() -> float:
        prepared = setup()
        gc.collect()  # the garbage of earlier samples is not this one's
        start = time.perf_counter()
        wait(call(prepared))
        return time.perf_counter() - start

    sample()
    return sample


def wait(result: Any) -> None:
    """Wait until the arrays in `result` are computed; other objects are ready already."""
    if isinstance(result, tuple | list):
        for item in result:
            wait(item)
    elif isinstance(result, dict):
        wait(list(result.values()))
    elif hasattr(result, "block_until_ready"):
        result.block_until_ready()
