"""The few functions whose JAX signature differs from the option or function behind them."""

from __future__ import annotations

import contextlib

from jx_core.config import disable_jit as _disable_jit


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
