"""The C++ dispatcher: calls that run a compiled program without running Python.

`make_fast_callable` gives a callable that remembers, for each signature of its
arguments, the program that `cache_miss` named for it. What jaxlib 0.10.2, 0.11.2
and 0.12.0.1 do, as tried:

Signature
    The tree of the arguments (dict keys and keyword arguments in sorted order, so
    that their order does not matter; None is a tree without leaves); for each
    leaf its dtype, shape and weak type, and of an array also its sharding and
    whether it is committed; static values, by type and equality (1, 1.0 and True
    differ); and every `flags.key_config`. NumPy arrays and scalars count by the
    dtype they have under ``enable_x64``, and are converted to it without a word
    (a NumPy int64 that does not fit int32 wraps). Python numbers are weakly
    typed and never recompile.
Always a miss
    A leaf of the class given to `set_tracer_class` or below it; a leaf of a class
    jaxlib does not know (one with ``__jax_array__``, a string, an object array, a
    dtype it lacks); a Python int that does not fit its dtype; an array freed by
    ``delete()``. Such calls leave no entry, and cost some 1.5 us and the miss itself.
The miss
    Its result is returned as it is, so it may be any object, NotImplemented for an
    operator too. With no fast path given, that signature asks Python from then on.
    If it raises, jaxlib would remember the signature as one to ask Python about for
    good; the callable made here forgets it, so the next call starts afresh.
Static arguments
    ``static_argnums`` are positions, not negative. One passed by keyword is
    static only if its name is in ``static_argnames``. An unhashable one is a
    ValueError ("Non-hashable static arguments are not supported") before any miss.
As a method
    The callable binds to instances like a function: set as ``Array.__add__`` it makes
    ``x + y`` one dispatch, with no Python between (3.5 us for 8 floats; 4.6 us with
    a Python number; 5.2 us with a NumPy array; 2.8 us with no argument at all;
    30 us with a dict of 100 arrays; a tracer as the other operand 1.7 us).
Several devices
    Arguments on one device, and NumPy's, are moved to where the program wants them; some
    90 us for four virtual CPU devices, on which a call in place takes 30 to 55 us.
    Arrays on several devices are taken as they are, whatever the program wants (see
    `fast_path`); uncommitted ones are always a miss.
Donation
    An array whose buffer a fast call gave away is noticed by XLA only: jaxlib 0.10.2 then
    raises a ValueError, later versions log an error and come to the miss. So callables
    that donate are `DonatingCallable`, which marks such arrays as freed after each call,
    and any later use of them is a miss, where `Executable` raises DonatedArrayError.
Attributes
    ``__name__``, ``__qualname__``, ``__module__``, ``__doc__``, ``__wrapped__``,
    ``__annotations__`` and any other can be set on a callable, except
    ``__signature__``, which is the function's. The class takes new methods
    (`install_method`), but no subclasses.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from jx_core.tracebacks import hide_internal_frames

from . import flags
from .arrays import Array
from .executables import Executable
from .library import xla
from .placement import shard_argument

__all__ = [
    "DonatingCallable",
    "FastCallable",
    "FastPath",
    "clear_caches",
    "default_registry",
    "fast_path",
    "install_method",
    "make_fast_callable",
    "new_registry",
    "set_tracer_class",
]

FastCallable = xla.PjitFunction
set_tracer_class = xla.set_tracer_class
default_registry = xla.pytree.default_registry
new_registry = xla.pytree.PyTreeRegistry

CAPACITY = 8192
_shared_cache = xla.PjitFunctionCache(capacity=CAPACITY)
_private_keys = 0


class FastPath(NamedTuple):
    """What the dispatcher needs to run a program by itself; made by `fast_path`.

    jaxlib reads these names, and wants a tuple.
    """

    xla_executable: Any
    out_pytree_def: Any
    in_shardings: Sequence[Any]
    out_shardings: Sequence[Any]
    out_avals: Sequence[Any]
    out_committed: Sequence[bool]
    kept_var_bitvec: Sequence[bool]
    in_device_local_layouts: Sequence[Any]
    const_args: Sequence[Any]


def fast_path(
    executable: Executable, out_tree: Any, leaves: Sequence[Any] = ()
) -> FastPath | None:
    """What a miss returns so that the next call of its signature runs no Python.

    Args:
        executable: the program. Its arguments are the leaves of the call's dynamic
            arguments, in order, after its ``consts``; ``kept`` says which it takes.
        out_tree: jaxlib's ``PyTreeDef`` of the result; its leaves are the program's
            results, in order.
        leaves: the call's arguments. Needed for programs on several devices.

    Only for programs whose results are arrays and nothing else, and that have no side
    effects that others must wait for. None where an argument lies on several devices in
    another way than the program wants: jaxlib would not move it, but compute on the
    wrong parts.
    """
    if len(executable.devices) > 1 and not _in_place(executable, leaves):
        return None
    return FastPath(
        executable.loaded,
        out_tree,
        executable.in_shardings,
        executable.out_shardings,
        executable.out_avals,
        executable.out_committed,
        executable.kept,
        [None] * len(executable.in_shardings),
        executable.consts,
    )


def _in_place(executable: Executable, leaves: Sequence[Any]) -> bool:
    kept = executable.kept[len(executable.consts) :]
    taken = [leaf for leaf, keep in zip(leaves, kept, strict=True) if keep]
    where = executable.in_shardings[len(executable.in_shardings) - len(taken) :]
    for leaf, wanted in zip(taken, where, strict=True):
        if type(leaf) is not Array:
            continue
        has = leaf._sharding
        if has is wanted or has.num_devices == 1:  # jaxlib moves arrays on one device
            continue
        if not has.is_equivalent_to(wanted, leaf.aval.ndim):
            return False
    return True


def make_fast_callable(
    name: str,
    fun: Callable[..., Any],
    cache_miss: Callable[..., tuple[Any, FastPath | None]],
    *,
    static_argnums: Sequence[int] = (),
    static_argnames: Sequence[str] = (),
    donate_argnums: Sequence[int] = (),
    donate_argnames: Sequence[str] = (),
    shared_key: Hashable | None = None,
    registry: Any = None,
) -> Any:
    """A callable that runs compiled programs without Python for signatures it has seen.

    Args:
        name: what profiles and messages call it.
        fun: the function it stands for; says the signature. Needs to be weakly
            referable where there is a ``shared_key``.
        cache_miss: ``cache_miss(*args, **kwargs)`` gives the call's result, and the
            `fast_path` to take from then on or None.
        static_argnums: positions of the arguments that are Python values; none negative.
        static_argnames: names of such arguments where they are passed by keyword.
        donate_argnums, donate_argnames: the arguments whose buffers the program may take;
            by position (none negative), and by name where they are passed by keyword.
        shared_key: callables of the same ``fun`` with equal keys share what they
            remember, so that making one anew (``jit(f)(x)`` in a loop) is cheap. The key
            must hold every option that makes ``cache_miss`` act differently. None
            keeps the memory private.
        registry: the pytree registry; jaxlib's default one if None.
    """
    global _private_keys
    flags.mirror_options()
    cache = _shared_cache
    if shared_key is None:
        _private_keys += 1
        shared_key, cache = ("private", _private_keys), None

    def miss(*args: Any, **kwargs: Any) -> tuple[Any, FastPath | None, bool]:
        try:
            result, path = cache_miss(*args, **kwargs)
        except BaseException as error:
            made._clear_cache()
            hide_internal_frames(error)
            raise
        return result, path, False

    made = xla.pjit(
        name,
        fun,
        miss,
        list(static_argnums),
        list(static_argnames),
        shared_key,
        registry if registry is not None else default_registry(),
        shard_argument,
        cache,
    )
    if donate_argnums or donate_argnames:
        return DonatingCallable(made, donate_argnums, donate_argnames)
    return made


class DonatingCallable:
    """A fast callable that gives some of its arguments' buffers away.

    After a call it frees the arrays whose buffers XLA took, so that using one of them
    again is an error that says so, wherever it happens.
    """

    __slots__ = ("__dict__", "__weakref__", "_names", "_numbers", "fast")

    def __init__(self, fast: Any, numbers: Sequence[int], names: Sequence[str]) -> None:
        self.fast = fast
        self._numbers = tuple(numbers)
        self._names = tuple(names)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            result = self.fast(*args, **kwargs)
        except Exception as error:
            hide_internal_frames(error)
            raise
        for number in self._numbers:
            if number < len(args):
                _free_donated(args[number])
        for name in self._names:
            if name in kwargs:
                _free_donated(kwargs[name])
        return result

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @property
    def __signature__(self) -> Any:
        return self.fast.__signature__

    def _cache_size(self) -> int:
        return self.fast._cache_size()  # type: ignore[no-any-return]

    def _clear_cache(self) -> None:
        self.fast._clear_cache()

    def __repr__(self) -> str:
        return repr(self.fast)


def _free_donated(argument: Any) -> None:
    leaves = (argument,) if type(argument) is Array else _flatten(argument)[0]
    for leaf in leaves:
        if type(leaf) is Array and leaf.is_deleted():
            leaf.delete()


_flatten = default_registry().flatten


def install_method(name: str, member: Any) -> None:
    """Give every fast callable a method or property (``lower``, ``trace``, ...)."""
    setattr(FastCallable, name, member)
    setattr(DonatingCallable, name, member)


def clear_caches() -> None:
    """Make every fast callable forget its signatures."""
    xla.PjitFunctionCache.clear_all()
