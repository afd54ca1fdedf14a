"""The few functions whose JAX signature differs from the option or function behind them."""

from __future__ import annotations

import contextlib
import itertools
import platform
import sys
from typing import Any

from jx_core.config import check_tracer_leaks, define_object
from jx_core.config import disable_jit as _disable_jit
from jx_core.references import type_of


def checking_leaks() -> contextlib.ContextDecorator:
    """A context manager (or decorator) in which traced values that outlive their trace are errors.

    What is traced inside is looked at when its trace ends, for `jit`, gradients, `vmap` and
    control flow alike; it is the option `check_tracer_leaks`, switched on.

    >>> import jx
    >>> kept = []
    >>> with jx.checking_leaks():
    ...     jx.jit(lambda x: kept.append(x + 1))(1.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jx_core.errors.LeakedTracerError: Leaked trace StagingTrace of the function '<lambda>': ...
    """
    return check_tracer_leaks(True)


def disable_jit(disable: bool = True) -> contextlib.ContextDecorator:
    """A context manager (or decorator) in which `jit` does nothing: functions just run.

    Control flow runs as Python loops and branches too, so values can be printed and
    stepped through.

    Args:
        disable: False turns `jit` on again inside.

    >>> import jx
    >>> with jx.disable_jit():
    ...     y = jx.jit(lambda x: x + 1)(1)
    >>> int(y)
    2
    """
    return _disable_jit(disable)


def typeof(x: Any) -> Any:
    """The type of an array, tracer, NumPy value or Python number, or that of a Ref.

    Raises:
        TypeError: `x` is none of these.

    >>> import jx
    >>> import jx.numpy as jnp
    >>> jx.typeof(jnp.ones(3)), jx.typeof(jx.new_ref(jnp.ones(3)))
    (ShapedArray(float32[3]), Ref{float32[3]})
    """
    return type_of(x)


def print_environment_info(return_string: bool = False) -> str | None:
    """Print what a bug report should say: versions, devices, platform.

    Args:
        return_string: return the text instead.

    >>> import jx
    >>> "jaxlib" in jx.print_environment_info(return_string=True)
    True
    """
    import numpy

    import jx
    from jx_xla.runtime.library import jaxlib_version

    kinds: dict[str, int] = {}
    for device in jx.devices():
        kind = f"{device.platform} ({device.device_kind})"
        kinds[kind] = kinds.get(kind, 0) + 1
    rows = {
        "jx": jx.__version__,
        "jaxlib": jaxlib_version,
        "numpy": numpy.__version__,
        "python": sys.version.replace("\n", " "),
        "platform": platform.platform(),
        "devices": ", ".join(f"{n} x {kind}" for kind, n in kinds.items()),
        "processes": str(jx.process_count()),
        "options": ", ".join(
            f"{o.name}={o.value!r}" for o in jx.config if o.value != o.default
        ) or "all at their defaults",
    }  # fmt: skip
    text = "\n".join(f"{name + ':':<11}{value}" for name, value in rows.items())
    if return_string:
        return text
    print(text)
    return None


_context_numbers = itertools.count(1)


class UserContext:
    """A value of the caller's that is part of what a staged function is remembered by.

    Calling it gives a context manager in which it has another value on this thread.
    """

    def __init__(self, default_value: Any) -> None:
        from jx_xla.runtime import flags

        self._option = define_object(
            f"user_context_{next(_context_numbers)}",
            default_value,
            "a context of the user's, made by jx.make_user_context",
            expected="a hashable value",
            accept=_hashable,
            traced=True,
        )
        flags.mirror(self._option)

    @property
    def value(self) -> Any:
        """The value in force on this thread."""
        return self._option.value

    def get_global(self) -> Any:
        """The value for threads that have none of their own."""
        return self._option.global_value

    def set_global(self, new_value: Any) -> None:
        """Set the value for threads that have none of their own."""
        self._option.set(new_value)

    def __call__(self, new_value: Any) -> contextlib.ContextDecorator:
        return self._option(new_value)

    def __repr__(self) -> str:
        return f"UserContext({self.value!r})"


def _hashable(value: Any) -> Any:
    hash(value)
    return value


def make_user_context(default_value: Any = None) -> UserContext:
    """A context whose value staged functions are traced anew for.

    Where a function reads something that `jit` does not see (a global, a context variable), a
    user context says so: under another value, the function is another program. Each context is
    kept for the life of the process; make them once, at import.

    Args:
        default_value: its value outside of any `with`. Values must be hashable.

    Raises:
        ValueError: a value can't be hashed.

    >>> import jx
    >>> scale = jx.make_user_context(1.0)
    >>> f = jx.jit(lambda x: x * scale.value)
    >>> with scale(3.0):
    ...     float(f(2.0))
    6.0
    >>> float(f(2.0))
    2.0
    """
    if default_value is not None:
        try:
            hash(default_value)
        except TypeError:
            raise ValueError(
                f"make_user_context: values must be hashable, got {default_value!r:.100}"
            ) from None
    return UserContext(default_value)
