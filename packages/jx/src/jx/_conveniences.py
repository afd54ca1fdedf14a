"""The few functions whose JAX signature differs from the option or function behind them."""

from __future__ import annotations

import contextlib

from jx_core.config import check_tracer_leaks
from jx_core.config import disable_jit as _disable_jit


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
