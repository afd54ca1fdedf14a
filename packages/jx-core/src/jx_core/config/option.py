"""One option: its value for the process, its overrides by thread, and the trace key.

An option is read with ``option.value``, set with ``option.set(value)``, and set
for one thread and block of code by ``with option(value):``. `trace_key` stands
for the values of all options that change what is traced, in caches' keys.

Not here: how options are listed and defined (`registry`), and which there are
(`options`).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Generic, Literal, NoReturn, TypeVar, cast

T = TypeVar("T")
Scope = Literal["global", "local"]


class _Unset:
    """The value of a thread's override when it has none."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()


class _State(threading.local):
    """An option's value: a class attribute for the process, an instance's for a thread.

    Attribute lookup then finds the thread's override or the global value in one
    C call. Each option has a subclass of its own.
    """

    value: Any
    outer: list[Any]


class _ThreadKey(threading.local):
    """This thread's trace key, or None where an option has changed since."""

    key: TraceKey | None = None


class TraceKey:
    """The values of all traced options; one object per combination of values.

    Compares and hashes by identity, so that a cache pays nothing for it.
    """

    __slots__ = ("values",)

    def __init__(self, values: tuple[tuple[str, Any], ...]) -> None:
        self.values = values

    def __repr__(self) -> str:
        return f"TraceKey({', '.join(f'{name}={value!r}' for name, value in self.values)})"


class _Docstring:
    """`Option.__doc__`: of the class what was written for it, of an option what it is for."""

    def __init__(self, of_class: str) -> None:
        self._of_class = of_class

    def __get__(self, option: Option[Any] | None, owner: type) -> str:
        return self._of_class if option is None else option._told()


class Option(Generic[T]):
    """One typed option. Made by the `define_bool` family, never directly.

    ``name``, ``help``, ``env`` (its environment variable), ``default`` and
    ``traced`` (whether it is part of `trace_key`) describe it. ``state.value``
    is what ``value`` returns, without the cost of a property, for the few
    readers that are called for every operation.
    """

    __slots__ = (
        "_accept",
        "_callbacks",
        "default",
        "env",
        "example",
        "expected",
        "help",
        "name",
        "state",
        "traced",
    )

    def __init__(
        self,
        name: str,
        default: T,
        help: str,
        *,
        expected: str,
        accept: Callable[[Any], T],
        traced: bool,
        example: str = "",
    ) -> None:
        self.name = name
        self.example = example
        self.default = default
        self.help = help
        self.expected = expected
        self.env = "JX_" + name.upper()
        self.traced = traced
        self.state: _State = type("_State", (_State,), {"value": default})()
        self._accept = accept
        self._callbacks: list[Callable[[Scope, Any], None]] = []

    @property
    def value(self) -> T:
        """The value in force: this thread's override, else the global value."""
        return cast(T, self.state.value)

    @property
    def global_value(self) -> T:
        """The process's value, whatever this thread's override."""
        return cast(T, type(self.state).value)

    @property
    def local_value(self) -> T | _Unset:
        """This thread's override, or `UNSET`."""
        return cast("T | _Unset", self.state.__dict__.get("value", UNSET))

    def set(self, value: T) -> None:
        """Set the value for the process.

        Threads inside ``with option(...)`` keep their override until they leave
        it. Raises ValueError for a value the option does not take.
        """
        value = self.check(value)
        with options_lock:
            previous = self.global_value
            self._assign_global(value)
            self._notify("global", value, lambda: self._assign_global(previous), previous)

    def __call__(self, new_val: T) -> _Override:
        """A context manager (or decorator) in which this thread sees ``new_val``.

        Raises ValueError for a value the option does not take. Example::

            with jx.default_matmul_precision("float32"):
                y = x @ w
        """
        return _Override(self, self.check(new_val))

    def on_change(self, callback: Callable[[Scope, Any], None]) -> None:
        """Have ``callback(scope, value)`` called after each change.

        ``scope`` is "global", or "local" on the thread whose override changed;
        ``value`` is then `UNSET` where the thread has no override any more. The
        callback is not called for the state at registration: whoever mirrors
        the option starts from ``global_value`` and ``local_value``. A callback
        that raises vetoes the change: the value goes back, and the error to
        whoever asked for the change.
        """
        self._callbacks.append(callback)

    def check(self, value: Any) -> T:
        """The value as the option holds it; raises ValueError if it is none of its values."""
        try:
            return self._accept(value)
        except (TypeError, ValueError):
            raise ValueError(
                f"option '{self.name}' takes {self.expected}; got {value!r} "
                f"of type {type(value).__name__}"
            ) from None

    def _told(self) -> str:
        """What `help` shows: what the option does, what it takes, and an example."""
        text = (
            f"{self.help[0].upper()}{self.help[1:]}.\n\n"
            f"It takes {self.expected}. The default is {self.default!r}; the environment variable "
            f"{self.env} sets another. `with jx.{self.name}(value):` sets it for one thread and "
            f"block, `jx.config.update('jx_{self.name}', value)` for the process.\n"
        )
        return text + (f"\n{self.example}\n" if self.example else "")

    def __bool__(self) -> NoReturn:
        raise TypeError(f"the option '{self.name}' has no truth value; read {self.name}.value")

    def __repr__(self) -> str:
        return f"<option {self.name} = {self.value!r}>"

    def _assign_global(self, value: T) -> None:
        type(self.state).value = value
        if self.traced:
            forget_trace_keys()

    def _assign_local(self, value: T | _Unset) -> None:
        state = self.state
        if value is UNSET:
            state.__dict__.pop("value", None)
        else:
            state.value = value
        if self.traced:
            _thread_key.key = None

    def _notify(self, scope: Scope, value: Any, undo: Callable[[], None], previous: Any) -> None:
        for count, callback in enumerate(self._callbacks):
            try:
                callback(scope, value)
            except BaseException:
                undo()
                for told in self._callbacks[:count]:
                    told(scope, previous)
                raise

    def _enter(self, value: T) -> None:
        previous = self.local_value
        self._assign_local(value)
        self._notify("local", value, lambda: self._assign_local(previous), previous)
        self.state.__dict__.setdefault("outer", []).append(previous)

    def _exit(self) -> None:
        previous = self.state.outer.pop()
        self._assign_local(previous)
        for callback in self._callbacks:
            callback("local", previous)


class BoolOption(Option[bool]):
    """An option that is on or off; ``with option():`` turns it on."""

    __slots__ = ()

    def __call__(self, new_val: bool = True) -> _Override:
        return super().__call__(new_val)


# `__slots__` leaves no room for a docstring of each, which this computes when it is asked for.
for _class in (Option, BoolOption):
    _class.__doc__ = _Docstring(_class.__doc__ or "")  # type: ignore[assignment]


class _Override(contextlib.ContextDecorator):
    """``with option(value):``. Holds no state of its own, so it nests and is reusable."""

    __slots__ = ("_option", "_value")

    def __init__(self, option: Option[Any], value: Any) -> None:
        self._option = option
        self._value = value

    def __enter__(self) -> None:
        self._option._enter(self._value)

    def __exit__(self, *exc_info: object) -> None:
        self._option._exit()


options_lock = threading.RLock()
all_options: dict[str, Option[Any]] = {}
_trace_keys: dict[tuple[tuple[str, Any], ...], TraceKey] = {}
_thread_key = _ThreadKey()


def trace_key() -> TraceKey:
    """The values of the traced options on this thread, as one hashable object.

    The same object as long as the same values are in force, on any thread.
    """
    key = _thread_key.key
    return key if key is not None else _make_trace_key()


def forget_trace_keys() -> None:
    """Have every thread make its trace key anew, since an option has changed for all."""
    global _thread_key
    _thread_key = _ThreadKey()  # a new object is empty for every thread at once


def _make_trace_key() -> TraceKey:
    # The holder is read before the values: if another thread sets an option
    # meanwhile, the key goes into a holder that nobody reads any more.
    holder = _thread_key
    values = tuple((name, o.value) for name, o in list(all_options.items()) if o.traced)
    key = _trace_keys.setdefault(values, TraceKey(values))
    holder.key = key
    return key
