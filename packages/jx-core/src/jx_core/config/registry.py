"""The registry: options by name, and the functions that define new ones.

`config` is the registry as users see it (``jx.config.update("jx_enable_x64",
True)``). A ``define_...`` function makes an `Option` of one type, gives it its
first value from the environment variable ``JX_<NAME>``, and lists it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from jx_core.config.option import (
    BoolOption,
    Option,
    T,
    all_options,
    forget_trace_keys,
    options_lock,
    trace_key,
)

# JAX's options of another name here.
_ALIASES = {"platform_name": "platforms"}
# JAX's options (of 0.10) that choose between its own implementations, or tune what jx has not.
_JAX_ONLY = frozenset(
    """
    softmax_custom_jvp persistent_cache_enable_xla_caches log_checkpoint_residuals
    exec_time_optimization_effort optimization_level memory_fitting_level random_seed_offset
    captured_constants_warn_bytes pprint_use_color include_full_tracebacks_in_locations
    traceback_in_locations_limit use_direct_linearize use_shardy_partitioner
    high_dynamic_range_gumbel compiler_enable_remat_pass cpu_enable_async_dispatch enable_pgle
    hlo_source_file_canonicalization_regex use_magma compilation_cache_expect_pgle
    cpu_collectives_implementation cpu_get_local_topology_timeout_minutes
    mutable_array_checks
    """.split()
)


def _bare(name: str) -> str:
    bare = name.removeprefix("jax_").removeprefix("jx_")
    return _ALIASES.get(bare, bare)


class _Values(dict[str, Any]):
    """Values by name, for programs that come from JAX as well."""

    def __missing__(self, name: str) -> Any:
        if name.startswith("jax_") and name in self:
            return self["jx_" + _bare(name)]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        known = super().__contains__
        return known(name) or isinstance(name, str) and known("jx_" + _bare(name))


class Config:
    """All options by name, as ``jx.config``.

    Names may carry the prefix ``jx_``, or ``jax_`` for programs that come from
    JAX. Options are read as attributes and set with `update`. Example::

        jx.config.update("jx_enable_x64", True)
        jx.config.jx_enable_x64                    # True
    """

    __slots__ = ()

    trace_key = staticmethod(trace_key)

    def update(self, name: str, value: Any) -> None:
        """Set an option for the process.

        Raises AttributeError for an unknown name and ValueError for a value that
        the option does not take. Options of JAX's that tune what jx has not, such as
        ``jax_softmax_custom_jvp``, change nothing here; a warning says so.
        """
        if _bare(name) in _JAX_ONLY:
            warnings.warn(
                f"the option '{name}' is one of JAX's without a counterpart in jx: it changes "
                f"nothing here",
                stacklevel=2,
            )
            return
        self.option(name).set(value)

    def read(self, name: str) -> Any:
        """The value of an option in force on this thread; errors as for `update`."""
        return self.option(name).value

    @property
    def x64_enabled(self) -> bool:
        """Whether 64-bit dtypes are available, as ``jx_enable_x64`` says."""
        return bool(self.option("enable_x64").value)

    @property
    def values(self) -> dict[str, Any]:
        """The values in force on this thread, by name with the prefix ``jx_`` (or ``jax_``)."""
        return _Values({"jx_" + name: option.value for name, option in all_options.items()})

    def option(self, name: str) -> Option[Any]:
        """The `Option` of that name; raises AttributeError if there is none."""
        bare = _bare(name)
        try:
            return all_options[bare]
        except KeyError:
            import difflib  # here, as it takes a millisecond to import

            close = difflib.get_close_matches(bare, all_options, n=3)
            hint = (
                f"did you mean {' or '.join(repr('jx_' + c) for c in close)}?"
                if close
                else f"the options are {', '.join('jx_' + n for n in sorted(all_options))}"
            )
            raise AttributeError(f"there is no option '{name}'; {hint}") from None

    def __getattr__(self, name: str) -> Any:
        return self.option(name).value

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        option = self.option(name)
        raise AttributeError(
            f"options are not set by assignment; use config.update('jx_{option.name}', {value!r})"
        )

    def __iter__(self) -> Iterator[Option[Any]]:
        return iter(list(all_options.values()))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *("jx_" + name for name in all_options)]

    def __repr__(self) -> str:
        rows = "".join(f"\n  {o.name} = {o.value!r}    # {o.help}" for o in self)
        return f"<jx config:{rows}\n>"


config = Config()


AnyOption = TypeVar("AnyOption", bound=Option[Any])


def _register(option: AnyOption, parse: Callable[[str], Any]) -> AnyOption:
    """Take the option's first value from its environment variable, and list it."""
    text = os.environ.get(option.env, "").strip()
    if text:
        try:
            type(option.state).value = option.check(parse(text))
        except (TypeError, ValueError):
            raise ValueError(
                f"environment variable {option.env}: expected {option.expected}, got {text!r}"
            ) from None
    with options_lock:
        if option.name in all_options:
            raise ValueError(f"the option '{option.name}' is defined twice")
        all_options[option.name] = option
        forget_trace_keys()
    return option


_WORDS = dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True)
_WORDS |= dict.fromkeys(("0", "false", "f", "no", "n", "off"), False)


def _parse_bool(text: str) -> bool:
    try:
        return _WORDS[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _accept_bool(value: Any) -> bool:
    # 0, 1 and NumPy's booleans compare equal to a bool; strings such as "no" do not.
    if value == True or value == False:  # noqa: E712
        return bool(value)
    raise ValueError(value)


def define_bool(
    name: str, default: bool, help: str, *, traced: bool = False, example: str = ""
) -> BoolOption:
    """Define an option that is on or off; ``example`` shows it in its docstring, here and below."""
    expected = "True or False (in the environment also 1 or 0, yes or no, on or off)"
    return _register(
        BoolOption(
            name, default, help, expected=expected, accept=_accept_bool, traced=traced,
            example=example,
        ),  # fmt: skip
        _parse_bool,
    )


def define_enum(
    name: str,
    choices: Sequence[str],
    default: str,
    help: str,
    *,
    aliases: Mapping[str, str] | None = None,
    traced: bool = False,
    example: str = "",
) -> Option[str]:
    """Define an option with one of ``choices``; ``aliases`` are other names for them."""
    accept = _enum_acceptor(choices, aliases)
    return _register(
        Option(
            name, default, help, expected=_one_of(choices), accept=accept, traced=traced,
            example=example,
        ),  # fmt: skip
        str,
    )


def define_optional_enum(
    name: str, choices: Sequence[str], default: str | None, help: str, *, traced: bool = False,
    example: str = "",
) -> Option[str | None]:  # fmt: skip
    """Define an option with one of ``choices``, or None."""
    option: Option[str | None] = Option(
        name,
        default,
        help,
        expected=f"None or {_one_of(choices)}",
        accept=_optional(_enum_acceptor(choices, None)),
        traced=traced,
        example=example,
    )
    return _register(option, str)


def define_int(
    name: str,
    default: int,
    help: str,
    *,
    expected: str = "an integer",
    accepts: Callable[[int], bool] = lambda value: True,
    traced: bool = False,
) -> Option[int]:
    """Define an integer option; ``accepts`` narrows its values, ``expected`` words that."""

    def accept(value: Any) -> int:
        if isinstance(value, bool) or not hasattr(value, "__index__") or not accepts(value):
            raise ValueError(value)
        return int(value)

    return _register(
        Option(name, default, help, expected=expected, accept=accept, traced=traced), int
    )


def define_float(
    name: str,
    default: float,
    help: str,
    *,
    expected: str = "a number",
    accepts: Callable[[float], bool] = lambda value: True,
) -> Option[float]:
    """Define a real option; ``accepts`` narrows its values, ``expected`` words that."""

    def accept(value: Any) -> float:
        if isinstance(value, bool | str) or not accepts(float(value)):
            raise ValueError(value)
        return float(value)

    return _register(
        Option(name, default, help, expected=expected, accept=accept, traced=False), float
    )


def define_optional_str(
    name: str, default: str | None, help: str, *, traced: bool = False
) -> Option[str | None]:
    """Define an option that is any string, or None."""
    option: Option[str | None] = Option(
        name,
        default,
        help,
        expected="a string or None",
        accept=_optional(_accept_str),
        traced=traced,
    )
    return _register(option, str)


def define_object(
    name: str,
    default: Any,
    help: str,
    *,
    expected: str,
    accept: Callable[[Any], Any],
    traced: bool = False,
    example: str = "",
) -> Option[Any]:
    """Define an option that holds any hashable object.

    ``accept(value)`` returns the value to hold, or raises ValueError; text from
    the environment goes through it too. ``expected`` words what it takes.
    """
    return _register(
        Option(
            name, default, help, expected=expected, accept=accept, traced=traced, example=example
        ),
        str,
    )


def _one_of(choices: Sequence[str]) -> str:
    return "one of " + ", ".join(repr(choice) for choice in choices)


def _enum_acceptor(
    choices: Sequence[str], aliases: Mapping[str, str] | None
) -> Callable[[Any], str]:
    canonical = {choice: choice for choice in choices} | dict(aliases or {})

    def accept(value: Any) -> str:
        try:
            return canonical[value]
        except KeyError:
            raise ValueError(value) from None

    return accept


def _accept_str(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _optional(accept: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value is None else accept(value)
