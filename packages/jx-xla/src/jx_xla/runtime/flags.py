"""Options and state that are part of the C++ dispatcher's cache key.

The dispatcher reads its key from objects of class `Config`: a value for the
process and, over it, one for each thread. An option of jx that changes what is
traced or compiled is mirrored into such an object, so that a call under other
options is another call to the dispatcher.

`trace_state` does the same for tracing: while a thread traces, its value is not
None, so the dispatcher misses and Python decides what the call means. A miss of
this kind is remembered as "always ask Python" under its own key; the fast
entry of the same call outside of tracing stays untouched. Setting it costs
some 50 ns.

Not here: what the options mean (`jx_core.config`).
"""

from __future__ import annotations

from typing import Any

from jx_core.config import UNSET as NO_OVERRIDE
from jx_core.config import disable_jit as disable_jit_option
from jx_core.config import enable_x64 as enable_x64_option
from jx_core.config.option import all_options

from .library import xla

__all__ = [
    "UNSET",
    "Config",
    "disable_jit",
    "enable_x64",
    "key_config",
    "mirror",
    "mirror_options",
    "set_trace_state",
    "trace_state",
]

Config = xla.config.Config
UNSET: Any = xla.config.unset

_configs: dict[str, Any] = {}


def key_config(name: str, default: Any) -> Any:
    """The one `Config` called ``name``: made at the first call, part of every dispatch's key.

    Its methods are ``set_local(value)`` and ``set_global(value)``, with `UNSET` for
    "no value of this thread's own", and the property ``value``. Values must be
    hashable; they are compared with ``==``.
    """
    made = _configs.get(name)
    if made is None:
        made = Config(name, default, include_in_jit_key=True, include_in_trace_context=True)
        made = _configs.setdefault(name, made)
    return made


def mirror(option: Any) -> Any:
    """Keep a `Config` equal to an option of `jx_core.config`; returns the `Config`.

    Changes on any thread reach it through the option's ``on_change``.
    """
    seen = option.name in _configs
    copy = key_config(option.name, option.global_value)
    if not seen:

        def follow(scope: str, value: Any) -> None:
            if scope == "global":
                copy.set_global(value)
            else:
                copy.set_local(UNSET if value is NO_OVERRIDE else value)

        option.on_change(follow)
        if option.local_value is not NO_OVERRIDE:
            copy.set_local(option.local_value)
    return copy


def mirror_options() -> None:
    """Mirror every option that changes what is traced, those defined lately included."""
    if len(all_options) != _mirrored[0]:
        _mirrored[0] = len(all_options)
        for option in list(all_options.values()):
            if option.traced:
                mirror(option)


_mirrored = [0]

enable_x64 = mirror(enable_x64_option)
disable_jit = mirror(disable_jit_option)
mirror_options()
trace_state = key_config("trace_state", None)
set_trace_state = trace_state.set_local
"""``set_trace_state(value)``: None while this thread evaluates eagerly, else any hashable."""


def _fixed(name: str, value: Any) -> Any:
    """A `Config` that jaxlib insists on and jx has no use for."""
    return Config(name, value, include_in_jit_key=False, include_in_trace_context=False)


xla.jax_jit.set_enable_x64_state(enable_x64)
# jaxlib's own way of disabling jit calls the function without asking anybody, compiled
# single operations included. In jx the option is part of the key instead: the dispatcher
# misses, and Python, which knows a user's jit from its own, decides.
xla.jax_jit.set_disable_jit_state(_fixed("jaxlib_disable_jit", False))
# The dispatcher wants a hook to call after each call, and None means it has none.
xla.jax_jit.set_post_hook_state(_fixed("jaxlib_post_hook", None))
