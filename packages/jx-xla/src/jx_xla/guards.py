"""The options that guard transfers, arrays in reference cycles, and threads.

A transfer that nobody meant, such as a NumPy array among the arguments of every training step,
costs more than it shows. Under `transfer_guard("disallow")` it is an error; `device_put` and
`device_get` are transfers by name, which only the `..._explicit` levels look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jx_core.config import UNSET, define_bool, define_optional_enum

from .runtime import guards

__all__ = [
    "array_garbage_collection_guard", "thread_guard", "transfer_guard",
    "transfer_guard_device_to_device", "transfer_guard_device_to_host",
    "transfer_guard_host_to_device",
]  # fmt: skip

_LEVELS = tuple(guards.TRANSFER_LEVELS)

transfer_guard_host_to_device = define_optional_enum(
    "transfer_guard_host_to_device", _LEVELS, None, "what becomes of transfers to a device",
    example=""">>> with jx.transfer_guard_host_to_device("disallow"):
...     jx.device_put(np.float32([1, 2])).tolist()
[1.0, 2.0]""",
)
transfer_guard_device_to_device = define_optional_enum(
    "transfer_guard_device_to_device", _LEVELS, None, "what becomes of transfers between devices",
    example=""">>> x = jx.device_put(np.float32([1, 2]))
>>> with jx.transfer_guard_device_to_device("disallow"):
...     (x + x).tolist()
[2.0, 4.0]""",
)
transfer_guard_device_to_host = define_optional_enum(
    "transfer_guard_device_to_host", _LEVELS, None, "what becomes of transfers to the host",
    example=""">>> x = jx.device_put(np.float32([1, 2]))
>>> with jx.transfer_guard_device_to_host("disallow"):
...     jx.device_get(x).tolist()
[1.0, 2.0]""",
)
_DIRECTIONS = (
    transfer_guard_host_to_device,
    transfer_guard_device_to_device,
    transfer_guard_device_to_host,
)
_all_directions = define_optional_enum(
    "transfer_guard", _LEVELS, None, "what becomes of transfers: sets the options of each direction"
)
array_garbage_collection_guard = define_optional_enum(
    "array_garbage_collection_guard",
    tuple(guards.COLLECTION_LEVELS),
    None,
    "what becomes of arrays that only the garbage collector frees, in reference cycles",
    example=""">>> with jx.array_garbage_collection_guard("log"):
...     jx.numpy.ones(2).tolist()
[1.0, 1.0]""",
)
thread_guard = define_bool(
    "thread_guard", False, "raise an error where programs run on another thread than this one",
    example=""">>> with jx.thread_guard():
...     float(jx.jit(lambda x: x + 1)(1.0))
2.0""",
)

# Where the tests look for examples: options are no functions or classes.
__test__ = {
    option.name: option.example
    for option in (*_DIRECTIONS, array_garbage_collection_guard, thread_guard)
}


@contextmanager
def transfer_guard(new_val: str | None) -> Iterator[None]:
    """A context manager that guards transfers between devices and the host, in all directions.

    `transfer_guard_host_to_device` and its kin guard one direction. On the CPU, arrays are read
    from the host where they lie, which is no transfer.

    Args:
        new_val: "allow"; "log" or "disallow" transfers that are not asked for by name, with
            `device_put` or `device_get`; "log_explicit" or "disallow_explicit" all transfers;
            None, as the process has it. Logs go to stderr.

    Raises:
        ValueError: it is none of these.
        JaxRuntimeError: inside, at a transfer that is not allowed.

    >>> import jx
    >>> step = jx.jit(lambda x: x + 1)
    >>> with jx.transfer_guard("disallow"):
    ...     x = step(jx.device_put(np.float32([1, 2])))
    >>> x.tolist()
    [2.0, 3.0]
    """
    first, second, third = [option(new_val) for option in _DIRECTIONS]
    with first, second, third:
        yield


def _set_all(scope: str, value: Any) -> None:
    for option in _DIRECTIONS:
        if scope == "global":
            option.set(value)


def _follow_threads(scope: str, value: Any) -> None:
    guards.guard_threads(thread_guard.global_value if value is UNSET else value)


def start() -> None:
    """Have jaxlib follow the options."""
    for option in _DIRECTIONS:
        guards.follow(option, option.name.removeprefix("transfer_guard_"), guards.TRANSFER_LEVELS)
    guards.follow(
        array_garbage_collection_guard, "garbage_collect_array", guards.COLLECTION_LEVELS
    )
    _all_directions.on_change(_set_all)
    if _all_directions.global_value is not None:  # from the environment
        for option in _DIRECTIONS:
            if option.global_value is None:
                option.set(_all_directions.global_value)
    thread_guard.on_change(_follow_threads)
    if thread_guard.global_value:
        guards.guard_threads(True)


start()
