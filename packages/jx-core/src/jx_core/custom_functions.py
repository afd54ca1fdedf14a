"""What the decorators of functions with rules share: arguments of calls, and results of rules.

A decorated function (`custom_jvp`, `custom_vjp`, `custom_vmap`) is called with positional
arguments some of which may not be differentiated (`nondiff_argnums`): they are handed to the
function and its rules as the Python values they are. What a rule of derivatives must give is
looked at in `jx_ad`, what one of batching must in `jx_batching`.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import backend, tree
from .aval import typeof
from .ops.control_flow.custom import Custom, bind_custom
from .references import Ref
from .staging import check_outputs, function_name
from .trace import Tracer


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

    def without_leaves(self) -> Split:
        """The same for what outlives the call, which must not keep its values alive."""
        return self._replace(leaves=[])

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
        refs: tuple[tuple[int, Ref], ...] = ()
        if self.what != "custom_vmap":
            refs = tuple([(i, x) for i, x in enumerate(leaves) if type(x) is Ref])
        for i, leaf in enumerate(leaves):
            if type(leaf) is not Ref or not refs:
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
            cure = (
                "Close over it, or give it as a default of functools.partial"
                if self.what == "custom_vmap"
                else "Name its position in nondiff_argnums, so that it is handed on as it is"
            )
            raise TypeError(
                f"{self.what} function {self.name}: argument{path} is of type "
                f"{type(leaf).__name__}, which is no array: got {leaf!r:.80}. {cure}"
            ) from None


class CustomFunction:
    """A function with rules of its own: what the decorators have in common.

    Attributes:
        fun: the function.
        nondiff_argnums: positions of arguments that are handed on as they are.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: Sequence[int] = (),
        nondiff_argnames: Sequence[str] = (),
    ) -> None:
        what = type(self).__name__
        if not callable(fun):
            raise TypeError(f"{what}: fun must be callable, got {fun!r}")
        # The attributes of a class, or of an object that can be called, are none of the function's.
        updated = ("__dict__",) if inspect.isroutine(fun) else ()
        functools.update_wrapper(self, fun, updated=updated)
        self.fun = fun
        self.nondiff_argnums = nondiff_argnums
        self._names = ArgumentNames(fun, (*nondiff_argnums, *nondiff_argnames), what)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function; a transformation uses the rules."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        """What defines rules of the function inside, where that is a decorated one as well."""
        inner = self.__dict__.get("fun")
        if name.startswith("def") and isinstance(inner, CustomFunction) and hasattr(inner, name):
            return getattr(inner, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def _apply(
        self, primitive: Any, make: Callable[..., Any], rules: Sequence[Any], args: Any, kwargs: Any
    ) -> Any:
        """Call the function by `primitive`; `make(self, split)` makes its flat form."""
        split = self._names.split(args, kwargs)
        flat = make(self, split)
        flat.captures = captures_tracers(split, self.fun, *rules)
        outs = bind_custom(primitive, flat, split.leaves)
        return tree.unflatten(flat.out_tree, outs)


class FlatCall(Custom):
    """One call of a `CustomFunction`: the function as a flat one."""

    def __init__(self, owner: Any, split: Split) -> None:
        self.name = owner._names.name
        self.owner = self.source = owner
        self.split = split.without_leaves()
        self.known = owner._names.known_programs(split)

    def call(self, *args: Any) -> list[Any]:
        out = self.owner.fun(*self.split.arguments(args))
        leaves, self.out_tree = flat_results(out, self.name)
        return leaves


def captures_tracers(split: Split, *functions: Any) -> bool:
    """Whether functions close over tracers, or are handed some that are not differentiated.

    Functions that they close over are looked into as well.
    """
    waiting = [*functions, *[leaf for _, value in split.static for leaf in tree.leaves(value)]]
    seen: set[int] = set()
    while waiting:
        f = waiting.pop()
        if id(f) in seen:
            continue
        seen.add(id(f))
        if isinstance(f, Tracer):
            return True
        if isinstance(f, functools.partial):
            waiting += [f.func, *tree.leaves((f.args, f.keywords))]
            continue
        for cell in getattr(f, "__closure__", None) or ():
            try:
                waiting += tree.leaves(cell.cell_contents)
            except ValueError:  # a name that has no value yet
                continue
    return False


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


def check_tree(
    got: Any, expected: Any, message: str, error: type[Exception] = TypeError
) -> None:
    """Raise an error with both trees unless they are equal."""
    if got != expected:
        raise error(f"{message}\n  expected {expected}\n  got      {got}")
