"""How the public array functions are made of plain Python ones.

Functions whose arguments are all arrays use `jx_core.compiled` as it is. Those that also
take Python values (axes, shapes, dtypes) use `array_function`, which adds what users expect
of such arguments: lists, NumPy arrays and the like are as good as tuples.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import compiled
from jx_core.array import Array
from jx_core.dispatch import positions_of
from jx_core.state import state
from jx_core.trace import EVAL, Tracer


def array_function(*static: str) -> Callable[[Callable[..., Any]], Any]:
    """Decorator for array functions some of whose arguments are Python values.

    Eagerly a call is one compiled dispatch; while anything is being traced it is a plain
    call of the function.

    Args:
        static: the names of the arguments that are Python values. Where one can't be
            hashed (a list, an array of integers), the tuple of its elements takes its
            place in the key of the compiled program.

    >>> from jx_core import lax
    >>> @array_function("axes")
    ... def total(x, axes):
    ...     return lax.reduce_sum(x, axes)
    >>> total(np.ones((2, 3)), [0, 1])
    Array(6., dtype=float32)
    """

    def decorate(fun: Callable[..., Any]) -> Any:
        call = compiled(fun, static_argnames=static)
        positions = positions_of(fun, static)
        first = min(positions, default=1_000)

        @functools.wraps(fun)
        def array_function(*args: Any, **kwargs: Any) -> Any:
            if state.trace is not EVAL:
                return fun(*args, **kwargs)
            # Looking beforehand is cheap; a failed look-up of a signature is not.
            if (
                len(args) > first
                and not _UNHASHABLE.isdisjoint(map(type, args[first:]))
                or (kwargs and not _UNHASHABLE.isdisjoint(map(type, kwargs.values())))
            ):
                args, kwargs = _frozen(args, kwargs, positions, static)
            try:
                return call(*args, **kwargs)
            except (TypeError, ValueError):
                frozen_args, frozen_kwargs = _frozen(args, kwargs, positions, static)
                if frozen_args is args and frozen_kwargs is kwargs:
                    raise
            return call(*frozen_args, **frozen_kwargs)

        array_function.spec = call.spec  # type: ignore[attr-defined]
        return array_function

    return decorate


_UNHASHABLE = frozenset((list, np.ndarray))


def _frozen(
    args: tuple[Any, ...], kwargs: dict[str, Any], positions: Sequence[int], names: Sequence[str]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with static ones made hashable; the very same where all of them are."""
    new_args = tuple([hashable(a) if i in positions else a for i, a in enumerate(args)])
    new_kwargs = {k: hashable(v) if k in names else v for k, v in kwargs.items()}
    if all(a is b for a, b in zip(args, new_args)):
        new_args = args
    if all(kwargs[k] is v for k, v in new_kwargs.items()):
        new_kwargs = kwargs
    return new_args, new_kwargs


_HASHABLE = (int, str, float, bool, np.dtype, type, type(None))


def hashable(value: Any) -> Any:
    """`value`, or the tuple of its elements where it is a list or an array.

    >>> hashable([1, np.array([2, 3])])
    (1, (2, 3))
    """
    if isinstance(value, _HASHABLE):
        return value
    if isinstance(value, np.ndarray) or (
        isinstance(value, Array) and not isinstance(value, Tracer)
    ):
        value = np.asarray(value).tolist()
    if isinstance(value, (list, tuple)):
        parts = tuple([hashable(v) for v in value])
        same = type(value) is tuple and all(a is b for a, b in zip(parts, value, strict=True))
        return value if same else parts
    return value


def plain(function: Any) -> Callable[..., Any]:
    """The Python function inside a public one, for use by other array functions."""
    return function.__wrapped__  # type: ignore[no-any-return]
