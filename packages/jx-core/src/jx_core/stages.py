"""What the stages of ahead-of-time use have in common: the types of a call's arguments.

A jitted callable is a `Wrapped`; its `.trace(...)` gives a `Traced` (`jit.py`), and the back end
goes on from there. This file describes calls and computes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from . import tree
from .aval import ShapedArray, ShapeDtypeStruct

CompilerOptions = dict[str, str | bool]


@runtime_checkable
class Wrapped(Protocol):
    """A function that can be called, traced or lowered: what `jit` returns.

    >>> from jx_core import jit, lax
    >>> isinstance(jit(lax.sin), Wrapped), isinstance(lax.sin, Wrapped)
    (True, False)
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Trace, compile and run on these arguments, what is known of them from earlier calls."""

    def trace(self, *args: Any, **kwargs: Any) -> Any:
        """Trace for these arguments, or for what stands for their types; gives a `Traced`.

        >>> from jx_core import jit, lax
        >>> jit(lax.sin).trace(1.0).jaxpr
        { lambda ; a:f32[]. let b:f32[] = sin a in (b,) }
        """

    def lower(self, *args: Any, **kwargs: Any) -> Any:
        """Trace and lower for these arguments; gives a `Lowered`.

        >>> from jx_core import backend, jit, lax
        >>> with backend.use("xla"):
        ...     jit(lax.sin).lower(1.0)
        Lowered(sin)
        """


@dataclass(frozen=True)
class ArgInfo:
    """One argument leaf of a staged call.

    Attributes:
        donated: whether the call may take over its buffer.

    >>> from jx_core import jit, lax
    >>> (x,), _ = jit(lax.sin, donate_argnums=0).trace(np.ones(3)).args_info
    >>> x.shape, x.dtype, x.donated
    ((3,), dtype('float32'), True)
    """

    _aval: ShapedArray
    donated: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes.

        >>> from jx_core import ShapedArray
        >>> ArgInfo(ShapedArray((2, 3), np.float32), donated=False).shape
        (2, 3)
        """
        return self._aval.shape

    @property
    def dtype(self) -> Any:
        """Its element type.

        >>> from jx_core import ShapedArray
        >>> ArgInfo(ShapedArray((2, 3), np.float32), donated=False).dtype
        dtype('float32')
        """
        return self._aval.dtype


@dataclass(frozen=True)
class CallTypes:
    """What a call takes and gives, without the program between. It can be pickled.

    Attributes:
        name: the function's name.
        in_tree: the tree of (args, kwargs), with None in place of static positional arguments.
        out_tree: the tree of results.
        avals: the types of the argument leaves.
        out_types: the types of the result leaves.
        donated: for each argument leaf, whether the call may take over its buffer.
        leaf_names: for each argument leaf, what the user calls it.
        static_places: the positions of static arguments.
        static_names: the names of static arguments.
    """

    name: str
    in_tree: Any
    out_tree: Any
    avals: tuple[ShapedArray, ...]
    out_types: tuple[ShapedArray, ...]
    donated: tuple[bool, ...]
    leaf_names: tuple[str, ...]
    static_places: tuple[int, ...] = ()
    static_names: tuple[str, ...] = ()

    @property
    def args_info(self) -> Any:
        """The arguments, as ((args), {kwargs}) of `ArgInfo`."""
        pairs = zip(self.avals, self.donated, strict=True)
        return tree.unflatten(self.in_tree, [ArgInfo(aval, donated) for aval, donated in pairs])

    @property
    def donate_argnums(self) -> tuple[int, ...]:
        """The positions of donated arguments among all leaves."""
        return tuple(i for i, donated in enumerate(self.donated) if donated)

    @property
    def in_avals(self) -> Any:
        """The types of the arguments, as ((args), {kwargs})."""
        return tree.unflatten(self.in_tree, list(self.avals))

    @property
    def out_avals(self) -> Any:
        """The types of the results, as their tree."""
        return tree.unflatten(self.out_tree, list(self.out_types))

    def out_info(self, shardings: Sequence[Any] | None = None) -> Any:
        """Shapes and dtypes of the results, as a pytree of `ShapeDtypeStruct`."""
        structs = [
            ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type, sharding=sharding)
            for a, sharding in zip(
                self.out_types, shardings or [None] * len(self.out_types), strict=True
            )
        ]
        return tree.unflatten(self.out_tree, structs)


class Stage:
    """The properties that all stages of a call share; `types` has them."""

    types: CallTypes

    @property
    def in_tree(self) -> Any:
        """The tree of ((args), {kwargs}), with None in place of static positional arguments."""
        return self.types.in_tree

    @property
    def out_tree(self) -> Any:
        """The tree of the results."""
        return self.types.out_tree

    @property
    def args_info(self) -> Any:
        """The arguments, as ((args), {kwargs}) of `ArgInfo`."""
        return self.types.args_info

    @property
    def donate_argnums(self) -> tuple[int, ...]:
        """The positions of donated arguments among all argument leaves."""
        return self.types.donate_argnums

    @property
    def in_avals(self) -> Any:
        """The types of the arguments, as ((args), {kwargs})."""
        return self.types.in_avals

    @property
    def out_info(self) -> Any:
        """Shapes and dtypes of the results, as a pytree of `ShapeDtypeStruct`."""
        return self.types.out_info()
