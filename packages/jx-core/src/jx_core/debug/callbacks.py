"""`callback`, `print` and `log`: what a program shows of its values while it runs."""

from __future__ import annotations

import builtins
import logging
import string
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import dtypes, tree
from ..aval import typeof
from ..ops.callbacks.debugging import debug_callback_p
from ..ops.callbacks.host import HostFunction
from ..staging import function_name
from ..trace import Tracer
from ..tracebacks import filtered

_log = logging.getLogger("jx.debug")
_NUMBERS = (bool, int, float, complex, str, bytes)


@filtered
def callback(
    callback: Callable[..., Any] | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    **kwargs: Any,
) -> Any:
    """Call a Python function on values of a program while it runs; its result is ignored.

    For looking, not for computing: the call does not change the program's results. Under `vmap`
    it happens once for each row, under `grad` once, in the forward pass.

    Args:
        callback: takes pytrees of arrays. Without it, the result is a function that takes it
            and the arguments, `callback(ordered=True)(f, x)`, so that `f` may have arguments
            of these names itself.
        args, kwargs: its arguments. Leaves that are no arrays reach it as they are.
        ordered: keep the order of the program among ordered callbacks, also from one call of
            a compiled program to the next.
        partitioned: in a program on several devices, call it once on each device with the part
            that is there, instead of once with the whole.

    Raises:
        TypeError: `callback` is not callable.

    >>> seen = []
    >>> callback(seen.append, np.float32(2.0))
    >>> seen
    [Array(2., dtype=float32)]
    """
    if callback is None:

        def call(callback: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
            _call(callback, args, kwargs, ordered, partitioned)

        return call
    _call(callback, args, kwargs, ordered, partitioned)
    return None


def _call(function: Any, args: Any, kwargs: Any, ordered: bool, partitioned: bool) -> None:
    if not callable(function):
        raise TypeError(f"jx.debug.callback: callback must be callable, got {function!r}")
    _bind(function, args, kwargs, _is_array, "jx.debug.callback", ordered, partitioned)


def _is_array(x: Any) -> bool:
    if isinstance(x, Tracer):
        return True
    try:
        typeof(x)
    except TypeError:
        return False
    return True


def _is_printed_late(x: Any) -> bool:
    """Whether a value has to reach the program to be printed; numbers are known already."""
    return not isinstance(x, _NUMBERS) and _is_array(x)


def _bind(
    function: Callable[..., Any],
    args: Any,
    kwargs: Any,
    is_operand: Callable[[Any], bool],
    caller: str,
    ordered: bool,
    partitioned: bool,
) -> None:
    """Have the program call `function`, those leaves that are operands being values of it."""
    leaves, in_tree = tree.flatten((args, kwargs))
    flags = [is_operand(x) for x in leaves]
    operands = [x for x, on in zip(leaves, flags, strict=True) if on]
    if not all(flags):
        function = Partly(function, in_tree, leaves, flags)
        in_tree = tree.structure((tuple(operands), {}))
    debug_callback_p.bind(
        *operands,
        callback=HostFunction(function, in_tree, None, caller),
        ordered=bool(ordered),
        partitioned=bool(partitioned),
    )


class Partly:
    """A function some of whose arguments are known beforehand: a function of the others.

    Args:
        function: the whole function.
        in_tree: the tree of its (args, kwargs).
        leaves: the leaves of these.
        flags: for each leaf, whether it is yet to come.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        in_tree: Any,
        leaves: Sequence[Any],
        flags: Sequence[bool],
    ) -> None:
        self.__name__ = function_name(function)
        self._function = function
        self._in_tree = in_tree
        self._known = [None if on else x for x, on in zip(leaves, flags, strict=True)]
        self._flags = flags

    def __call__(self, *operands: Any) -> Any:
        following: Iterator[Any] = iter(operands)
        leaves = [
            next(following) if on else x for x, on in zip(self._known, self._flags, strict=True)
        ]
        args, kwargs = tree.unflatten(self._in_tree, leaves)
        return self._function(*args, **kwargs)


@filtered
def print(
    fmt: str | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    _use_logging: bool = False,
    **kwargs: Any,
) -> Any:
    """Print values of a program while it runs.

    Formatting happens then, so an f-string, which is formatted at once, shows tracers:
    write `jx.debug.print("x = {}", x)`. Under `vmap` each row prints its own line, under
    `grad` the forward pass does.

    Args:
        fmt: a format string as `str.format` takes. Without it, the result is a function
            that takes it and the values, `print(ordered=True)("{x}", x=x)`, so that fields may
            be called `ordered` and so on.
        args, kwargs: values for its fields, pytrees of arrays and of anything else.
        ordered: keep the order of the program among ordered prints, also from one call of a
            compiled program to the next.
        partitioned: in a program on several devices, print once on each device the part that is
            there, instead of once the whole.
        skip_format_check: don't look whether fields and values fit.

    Raises:
        TypeError: `fmt` is no string.
        IndexError, KeyError: a field has no value.
        ValueError: a value has no field.

    >>> print("{} and {x:.2f}", np.arange(3), x=np.float32(0.5))
    [0 1 2] and 0.50
    """
    emit = _Printing(ordered, partitioned, skip_format_check, _use_logging)
    return emit if fmt is None else emit(fmt, *args, **kwargs)


@filtered
def log(
    fmt: str | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    _use_logging: bool = True,
    **kwargs: Any,
) -> Any:
    """Log values of a program while it runs: to the logger `jx.debug`, at level INFO.

    Args:
        fmt, args, ordered, partitioned, skip_format_check, kwargs: as for `print`.

    Raises:
        TypeError, IndexError, KeyError, ValueError: as for `print`.

    >>> import logging
    >>> logger = logging.getLogger("jx.debug")
    >>> logger.setLevel(logging.INFO)
    >>> log("loss {:.1f}", np.float32(0.25))  # shows what the program's logging is set up to show
    """
    emit = _Printing(ordered, partitioned, skip_format_check, _use_logging)
    return emit if fmt is None else emit(fmt, *args, **kwargs)


class _Printing:
    """`print` or `log` with its options given: takes a format and values."""

    def __init__(
        self, ordered: bool, partitioned: bool, skip_format_check: bool, use_logging: bool
    ) -> None:
        self._ordered = ordered
        self._partitioned = partitioned
        self._check = not skip_format_check
        self._use_logging = use_logging

    def __call__(self, fmt: str, /, *args: Any, **kwargs: Any) -> None:
        what = "jx.debug.log" if self._use_logging else "jx.debug.print"
        if not isinstance(fmt, str):
            raise TypeError(f"{what}: the format must be a string, got {type(fmt).__name__}")
        if self._check:
            _check_format(what, fmt, args, kwargs)
        emit = _Emitter(fmt, self._use_logging)
        _bind(emit, args, kwargs, _is_printed_late, what, self._ordered, self._partitioned)


class _Emitter:
    """Formats the values and prints or logs them, with the NumPy print options of the caller."""

    def __init__(self, fmt: str, use_logging: bool) -> None:
        self.__name__ = "log" if use_logging else "print"
        self._fmt = fmt
        self._use_logging = use_logging
        self._options = np.get_printoptions()

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        args, kwargs = tree.map(_shown, (args, kwargs))
        with np.printoptions(**self._options):
            text = self._fmt.format(*args, **kwargs)
        if self._use_logging:
            _log.info("%s", text)
        else:
            builtins.print(text, flush=True)


def _shown(x: Any) -> Any:
    """A leaf as it is formatted: arrays as NumPy's, whose text and format specs are known."""
    if isinstance(getattr(x, "dtype", None), dtypes.ExtendedDType) or not hasattr(x, "aval"):
        return x
    return np.asarray(x)


class _Checker(string.Formatter):
    """Notes which values the fields of a format ask for."""

    def __init__(self, what: str, fmt: str) -> None:
        self.what = what
        self.fmt = fmt
        self.used: set[int | str] = set()

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Any) -> Any:
        self.used.add(key)
        if isinstance(key, int):
            if key >= len(args):
                raise IndexError(
                    f"{self.what}: the format {self.fmt!r} asks for positional argument {key}, "
                    f"got {len(args)}"
                )
            return args[key]
        if key not in kwargs:
            raise KeyError(
                f"{self.what}: the format {self.fmt!r} asks for {key}=, got the keyword "
                f"arguments {sorted(kwargs)}"
            )
        return kwargs[key]

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        first = field_name.partition(".")[0].partition("[")[0]
        key = int(first) if first.isdigit() else first
        return self.get_value(key, args, kwargs), key

    def convert_field(self, value: Any, conversion: Any) -> Any:
        return value

    def format_field(self, value: Any, format_spec: str) -> str:
        return ""


def _check_format(what: str, fmt: str, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Raise an error that says which field has no value, or which value no field."""
    checker = _Checker(what, fmt)
    checker.vformat(fmt, args, kwargs)
    spare: list[Any] = [args[i] for i in range(len(args)) if i not in checker.used]
    spare += [f"{k}={kwargs[k]!r}" for k in kwargs if k not in checker.used]
    if spare:
        raise ValueError(
            f"Unused arguments to `{what}`: {', '.join(map(str, spare))}; the format {fmt!r} has "
            f"no field for them. (An f-string is formatted before the program runs: leave out "
            f"the f.)"
        )
