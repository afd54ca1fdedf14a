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

        @functools.wraps(fun)
        def array_function(*args: Any, **kwargs: Any) -> Any:
            if state.trace is not EVAL:
                return fun(*args, **kwargs)
            try:
                return call(*args, **kwargs)
            except (TypeError, ValueError):
                frozen = _frozen(args, kwargs, positions, static)
                if frozen is None:
                    raise
            return call(*frozen[0], **frozen[1])

        return array_function

    return decorate


def _frozen(
    args: tuple[Any, ...], kwargs: dict[str, Any], positions: Sequence[int], names: Sequence[str]
) -> tuple[list[Any], dict[str, Any]] | None:
    """The arguments with static ones made hashable, or None where all of them are."""
    new_args, new_kwargs = list(args), dict(kwargs)
    for i in positions:
        if i < len(args):
            new_args[i] = hashable(args[i])
    for name in names:
        if name in kwargs:
            new_kwargs[name] = hashable(kwargs[name])
    same = all(a is b for a, b in zip(args, new_args, strict=True)) and all(
        kwargs[k] is v for k, v in new_kwargs.items()
    )
    return None if same else (new_args, new_kwargs)


def hashable(value: Any) -> Any:
    """`value`, or the tuple of its elements where it is a list or an array.

    >>> hashable([1, np.array([2, 3])])
    (1, (2, 3))
    """
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
