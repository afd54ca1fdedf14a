"""What `custom_jvp` and `custom_vjp` share: arguments of their functions, and checks of rules.

A decorated function is called with positional arguments some of which are not differentiated
(`nondiff_argnums`): they are handed to the function and its rules as the Python values they are.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jx_core import ShapedArray, Tracer, backend, dtypes, tree, typeof
from jx_core.references import Ref
from jx_core.staging import check_outputs, function_name

from .tangents import Zero, is_differentiable, tangent_aval


class SymbolicZero:
    """A tangent or cotangent that is zero, as rules with `symbolic_zeros` see it.

    Attributes:
        aval: its type.
    """

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    shape = property(lambda self: self.aval.shape)
    dtype = property(lambda self: self.aval.dtype)
    ndim = property(lambda self: self.aval.ndim)

    @staticmethod
    def from_primal_value(val: Any) -> SymbolicZero:
        """The zero tangent of a value."""
        return SymbolicZero(tangent_aval(typeof(val)))

    def __repr__(self) -> str:
        return f"SymbolicZero({self.aval.str_short()})"


class Split(NamedTuple):
    """The arguments of one call.

    Attributes:
        leaves: the differentiated arguments, flat.
        in_tree: their tree.
        static: the others, by position.
        length: how many arguments there are.
        refs: the Refs among the differentiated arguments, by place; they are no leaves.
    """

    leaves: list[Any]
    in_tree: Any
    static: tuple[tuple[int, Any], ...]
    length: int
    refs: tuple[tuple[int, Ref], ...] = ()

    def unflatten(self, leaves: Sequence[Any], in_place_of_refs: Any = None) -> Any:
        """The tuple of differentiated arguments, made of `leaves` and the Refs.

        Args:
            leaves: what to put in the places of `self.leaves`.
            in_place_of_refs: what to put in the places of Refs, if not these.
        """
        if self.refs:
            leaves = list(leaves)
            for place, ref in self.refs:
                leaves.insert(place, ref if in_place_of_refs is None else in_place_of_refs)
        return tree.unflatten(self.in_tree, leaves)

    def arguments(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """All arguments, with `leaves` in the places of the differentiated ones."""
        dynamic = iter(self.unflatten(leaves))
        known = dict(self.static)
        return tuple([known[i] if i in known else next(dynamic) for i in range(self.length)])

    @property
    def nondiff(self) -> list[Any]:
        return [value for _, value in self.static]


_KEPT = 256  # kinds of calls whose programs one function keeps


class ArgumentNames:
    """A function's signature, by which keyword arguments become positional ones."""

    def __init__(self, fun: Callable[..., Any], nondiff: Sequence[Any], what: str) -> None:
        self.what = what
        self.name = function_name(fun)
        try:
            self.signature: inspect.Signature | None = inspect.signature(fun)
        except (TypeError, ValueError):
            self.signature = None
        self._known: dict[Any, dict[Any, Any]] = {}
        self.nondiff = tuple(sorted(self._position(n) for n in nondiff))

    def known_programs(self, split: Split) -> dict[Any, Any]:
        """The programs of calls whose arguments have this tree and these undifferentiated ones."""
        if len(self._known) >= _KEPT:
            self._known.clear()  # a function made anew for each call is never found again
        if split.refs or any(type(value) is Ref for _, value in split.static):
            return {}  # these programs are for the Refs of one call
        try:
            return self._known.setdefault((split.in_tree, split.static), {})
        except TypeError:  # an argument that can't be hashed
            return {}

    def forget(self) -> None:
        """Drop the programs: the rules are others now."""
        self._known.clear()

    def _position(self, n: Any) -> int:
        if not isinstance(n, str):
            return operator.index(n)
        names = [] if self.signature is None else list(self.signature.parameters)
        if n not in names:
            raise ValueError(
                f"{self.what} of {self.name}: nondiff_argnames names {n!r}, which is no parameter; "
                f"they are {names}"
            )
        return names.index(n)

    def split(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Split:
        """The arguments of a call, keyword arguments and defaults in their places.

        Raises:
            TypeError: they don't fit the function, or one is no array.
        """
        args = self._positional(args, kwargs)
        places = {n % len(args) if n < 0 and args else n for n in self.nondiff}
        if places and max(places) >= len(args):
            raise ValueError(
                f"{self.what} of {self.name}: nondiff_argnums {self.nondiff} are out of range for "
                f"a call with {len(args)} arguments"
            )
        dynamic = tuple([a for i, a in enumerate(args) if i not in places])
        static = tuple([(i, a) for i, a in enumerate(args) if i in places])
        leaves, in_tree = tree.flatten(dynamic)
        refs = tuple([(i, x) for i, x in enumerate(leaves) if type(x) is Ref])
        for i, leaf in enumerate(leaves):
            if type(leaf) is not Ref:
                self._check_leaf(leaf, dynamic, i)
        if refs:
            leaves = [x for x in leaves if type(x) is not Ref]
        return Split(leaves, in_tree, static, len(args), refs)

    def _positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        if self.signature is None:
            if kwargs:
                raise TypeError(
                    f"{self.what}: the signature of {self.name} is not known, so it takes "
                    f"positional arguments only; got keywords {sorted(kwargs)}"
                )
            return args
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            raise TypeError(
                f"{self.what}: the keyword-only arguments {sorted(bound.kwargs)} of {self.name} "
                f"could not be resolved to positions; give it positional parameters"
            )
        return bound.args

    def _check_leaf(self, leaf: Any, dynamic: Any, i: int) -> None:
        try:
            typeof(leaf)
        except TypeError:
            path = tree.keystr(tree.generate_key_paths(dynamic)[i][0])
            raise TypeError(
                f"{self.what} function {self.name}: argument{path} is of type "
                f"{type(leaf).__name__}, which is no array: got {leaf!r:.80}. Name its position in "
                f"nondiff_argnums, so that it is handed on as it is"
            ) from None


def captures_tracers(split: Split, *functions: Any) -> bool:
    """Whether functions close over tracers, or are handed some that are not differentiated."""
    cells = [c for f in functions for c in getattr(f, "__closure__", None) or ()]
    values = [v for _, v in split.static]
    for cell in cells:
        try:
            values.append(cell.cell_contents)
        except ValueError:  # a name that has no value yet
            continue
    return any(isinstance(leaf, Tracer) for value in values for leaf in tree.leaves(value))


def flat_results(out: Any, name: str) -> tuple[list[Any], Any]:
    """The leaves of a function's result as arrays, and their tree."""
    leaves, out_tree = tree.flatten(out)
    check_outputs(leaves, out_tree, name)
    return [as_array(x) for x in leaves], out_tree


def as_array(x: Any) -> Any:
    """An array or tracer as it is, a number as an array."""
    if hasattr(x, "aval"):
        return x
    return backend.current().put(x, typeof(x))


def full_tangents(
    avals: Sequence[ShapedArray], active: Sequence[bool], tangents: Sequence[Any], symbolic: bool
) -> list[Any]:
    """The tangents of all arguments as a rule takes them: zeros instantiated or symbolic."""
    following = iter(tangents)
    result: list[Any] = []
    for aval, on in zip(avals, active, strict=True):
        if on:
            result.append(next(following))
        elif symbolic:
            result.append(SymbolicZero(tangent_aval(aval)))
        else:
            result.append(Zero(aval).instantiate())
    return result


def check_tree(got: Any, expected: Any, message: str) -> None:
    """Raise a TypeError with both trees unless they are equal."""
    if got != expected:
        raise TypeError(f"{message}\n  expected {expected}\n  got      {got}")


def fitting(value: Any, aval: ShapedArray, where: str, what: str) -> Any:
    """A tangent or cotangent that a rule gave for a value of type `aval`, None if it is zero.

    Raises:
        TypeError: it is of another type.
    """
    if value is None or isinstance(value, (SymbolicZero, Zero)):
        return None
    if not is_differentiable(aval):
        return None  # float0, or whatever stands for it
    have = typeof(value) if not _is_float0(value) else None
    if have is None or have.shape != aval.shape or not _same_dtype(have, aval):
        shown = f"float0{list(np.shape(value))}" if have is None else have.str_short()
        raise TypeError(f"{what}{where}: expected {aval.str_short()}, got {shown}")
    if have.dtype != aval.dtype:
        from jx_core.lax import convert_element_type

        return convert_element_type(value, aval.dtype)
    return value


def _same_dtype(have: ShapedArray, aval: ShapedArray) -> bool:
    if have.dtype == aval.dtype:
        return True
    return have.weak_type and bool(dtypes.can_hold(have.dtype.type, aval.dtype))


def _is_float0(x: Any) -> bool:
    return getattr(x, "dtype", None) == dtypes.float0
