"""`checkify`: a function whose failed checks are a result.

The function is staged, and its program replayed with an error beside it: `Checker` is that
error, and what each operation adds to it is said by a rule of the table `check_rules`, in
`rules.py` for plain operations and in `programs.py` for those that hold programs. What comes out
is a program like any other, which can be compiled, batched and differentiated.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from .. import lax, source, tree
from ..aval import ShapedArray, typeof
from ..config import disable_jit
from ..jaxpr.evaluate import eval_jaxpr
from ..jaxpr.ir import ClosedJaxpr, Eqn, Jaxpr, Literal
from ..ops.checks import CheckEffect, Message, Site, site
from ..ops.control_flow.jit import call_jaxpr
from ..ops.control_flow.programs import hoist, stage
from ..primitive import Primitive, RuleTable
from ..staging import function_name, trace_to_jaxpr
from ..state import state
from ..tracebacks import filtered
from .error import DivisionByZeroError, Error, FailedCheckError, JaxException, NaNError, OOBError

ErrorCategory = type[JaxException]
Categories = frozenset[ErrorCategory]

user_checks: Categories = frozenset({FailedCheckError})
nan_checks: Categories = frozenset({NaNError})
index_checks: Categories = frozenset({OOBError})
div_checks: Categories = frozenset({DivisionByZeroError})
float_checks: Categories = nan_checks | div_checks
automatic_checks: Categories = float_checks | index_checks
all_checks: Categories = automatic_checks | user_checks

check_rules = RuleTable(
    "checks (jx_core.checkify)", "jx_core.checkify.defcheck({name}_p)(rule)", "jx_core.checkify.all"
)

Rule = TypeVar("Rule", bound=Callable[..., Any])


def defcheck(*primitives: Primitive) -> Callable[[Rule], Rule]:
    """Decorator: the function it is put on says how `primitives` can fail.

    It is called as `rule(checker, primitive, operands, params)`, binds the primitive and returns
    what `bind` does. Failures go to `checker.fail`. A primitive without a rule is checked as what
    it decomposes into, or can't fail.
    """
    return check_rules.define(*primitives)


class Checker:
    """The error of a program while it is replayed: of the first check that failed.

    Attributes:
        categories: what is looked for.
        code: the code of the error so far, None while nothing can have failed.
        values: the values of each place that may have failed. They are that place's error's
            only where `code` is its code.
    """

    def __init__(self, categories: Categories) -> None:
        self.categories = categories
        self.code: Any = None
        self.values: dict[Site, list[Any]] = {}

    def fail(
        self,
        category: ErrorCategory,
        failed: Any,
        key: tuple[Any, ...],
        message: Message,
        values: Sequence[Any] = (),
    ) -> None:
        """Note an error if `failed`, a boolean scalar, is true.

        Args:
            category: the class of the error; must be among `categories`.
            failed: whether there is one.
            key: what tells this error from others of its category on one line.
            message: its text, given `values` as ndarrays, without the user's line.
            values: arrays that the message shows.
        """
        where = str(state.source if state.source is not None else source.capture())
        place = site(
            category,
            (*key, where),
            [typeof(x) for x in values],
            lambda shown: f"{message(shown)} at {where}",
        )
        code = lax.select(failed, np.int32(place.code), np.int32(0))
        self.absorb(Error(code, (place,), (values,)))

    def absorb(self, error: Error) -> None:
        """Note what a part of the program found, after all that was found before it."""
        if error.code is None:
            return
        before = self.code
        for place, values in zip(error.sites, error.values, strict=True):
            known = self.values.get(place)
            if known is not None and values:
                clean = lax.eq(before, np.int32(0))
                values = tuple(
                    lax.select(clean, new, old) for new, old in zip(values, known, strict=True)
                )
            self.values[place] = list(values)
        if before is None:
            self.code = error.code
        else:
            self.code = lax.select(lax.ne(before, np.int32(0)), before, error.code)

    def error(self) -> Error:
        """The error so far, its places in the order of their codes."""
        sites = sorted(self.values)
        return Error(self.code, sites, [self.values[s] for s in sites])

    def leaves(self, sites: Sequence[Site]) -> list[Any]:
        """The error as the leaves of one of `sites`, among which are its own."""
        code = np.int32(0) if self.code is None else self.code
        return [code, *(x for s in sites for x in self.values.get(s) or no_values(s))]


def no_values(place: Site) -> list[Any]:
    """Values for a place that has not failed."""
    return [empty_value(a) for a in place.avals]


def empty_value(aval: ShapedArray) -> Any:
    """Some value of a type."""
    zero = lax.full(aval.shape, 0, aval.dtype)
    if typeof(zero) is aval:
        return zero
    return lax.convert_element_type_p.bind(zero, new_dtype=aval.dtype, weak_type=aval.weak_type)


class Checked(NamedTuple):
    """A program that gives its error after its results.

    Attributes:
        closed: of the arguments of the program it was made of; gives the results, then the
            error's leaves (none if there are no sites).
        sites: the places that can fail, in the order of their codes.
        n_out: how many results there are.
    """

    closed: ClosedJaxpr
    sites: tuple[Site, ...]
    n_out: int

    def split(self, results: Sequence[Any]) -> tuple[list[Any], Error]:
        """The results proper, and the error."""
        outs, leaves = list(results[: self.n_out]), results[self.n_out :]
        return outs, Error.of(self.sites, leaves[0], leaves[1:]) if leaves else Error(None, (), ())


def error_avals(sites: Sequence[Site]) -> list[ShapedArray]:
    """The types of the leaves of an error of these places."""
    return [ShapedArray((), np.dtype(np.int32)), *(a for s in sites for a in s.avals)]


def checked_program(
    closed: ClosedJaxpr, categories: Categories, sites: Sequence[Site] = ()
) -> Checked:
    """The program that gives its error after its results.

    Args:
        closed: the program.
        categories: what is looked for.
        sites: places that the error must have beside the program's own.
    """
    key = ("checkify", categories, tuple(sites))
    found = closed.derived.get(key)
    if found is not None:
        return found  # type: ignore[no-any-return]
    every: list[tuple[Site, ...]] = []

    def flat(*args: Any) -> list[Any]:
        checker = Checker(categories)
        outs = replay(checker, closed.jaxpr, closed.consts, args)
        every.append(tuple(sorted({*checker.values, *sites})))
        return [*outs, *(checker.leaves(every[0]) if every[0] else ())]

    jaxpr, consts = trace_to_jaxpr(flat, closed.in_avals, closed.jaxpr.debug_name)
    result = Checked(ClosedJaxpr(jaxpr, consts), every[0], len(closed.out_avals))
    if not result.sites and CheckEffect() not in closed.effects:
        result = result._replace(closed=closed)  # as it is: nothing is looked for, or left out
    closed.derived[key] = result
    return result


def replay(
    checker: Checker, jaxpr: Jaxpr, consts: Sequence[Any], args: Sequence[Any]
) -> list[Any]:
    """The results of a program, its errors noted by `checker`."""
    env: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    env.update(zip(jaxpr.invars, args, strict=True))
    before = state.source
    try:
        for eqn in jaxpr.eqns:
            state.source = eqn.source
            operands = [v.val if type(v) is Literal else env[v] for v in eqn.invars]
            result = _apply(checker, eqn, operands)
            if eqn.primitive.multiple_results:
                env.update(zip(eqn.outvars, result, strict=True))
            else:
                env[eqn.outvars[0]] = result
    finally:
        state.source = before
    return [v.val if type(v) is Literal else env[v] for v in jaxpr.outvars]


def _apply(checker: Checker, eqn: Eqn, operands: list[Any]) -> Any:
    primitive, params = eqn.primitive, eqn.params
    rule = check_rules.get(primitive)
    if rule is not None:
        return rule(checker, primitive, operands, params)
    if primitive.decompose is not None:
        made = _decomposed(primitive, operands, params)
        checked = checked_program(made, checker.categories)
        if checked.sites:
            outs, error = checked.split(
                eval_jaxpr(checked.closed.jaxpr, checked.closed.consts, *operands)
            )
            checker.absorb(error)
            return outs if primitive.multiple_results else outs[0]
    return primitive.bind(*operands, **params)


def _decomposed(
    primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]
) -> ClosedJaxpr:
    """What a primitive decomposes into, for operands like these."""

    def flat(*args: Any) -> Any:
        assert primitive.decompose is not None
        out = primitive.decompose(*args, **params)
        return out if primitive.multiple_results else [out]

    with source.use(state.source):
        return ClosedJaxpr(
            *trace_to_jaxpr(flat, [typeof(x) for x in operands], primitive.name)
        )


class _Caller:
    """A function of (args, kwargs), for the cache of staged programs, which must not keep `f`."""

    def __init__(self, f: Any, name: str) -> None:
        try:
            self._get = weakref.ref(f)
        except TypeError:
            self._get = lambda: f  # type: ignore[assignment]
        self.__name__ = name

    def __call__(self, args: Any, kwargs: Any) -> Any:
        return self._get()(*args, **kwargs)  # type: ignore[misc]


# One of each function, so that functions checked anew in each call of another stage once.
_callers: weakref.WeakKeyDictionary[Any, _Caller] = weakref.WeakKeyDictionary()


def _caller(f: Any) -> _Caller:
    try:
        found = _callers.get(f)
        if found is None:
            found = _callers[f] = _Caller(f, function_name(f))
    except TypeError:
        return _Caller(f, function_name(f))
    return found


def _categories(errors: Any) -> Categories:
    known = all_checks
    if not isinstance(errors, Iterable):
        errors = (errors,)
    chosen = frozenset(errors)
    for item in chosen:
        if item not in known:
            raise TypeError(
                f"checkify: errors must be a set of checks, such as checkify.all_checks or "
                f"checkify.user_checks | checkify.index_checks, got {item!r} in it"
            )
    return chosen


def checkify(
    f: Callable[..., Any], errors: Iterable[ErrorCategory] = user_checks
) -> Callable[..., tuple[Error, Any]]:
    """Make the errors that `f` can have a part of its result.

    The function that comes out can be compiled, mapped and differentiated. `f` is traced, so
    nothing in it may depend on arrays' values in Python. After an error the computation goes on,
    and the result is whatever comes of it.

    Args:
        f: takes and returns pytrees of arrays; may call `check`.
        errors: what to look for: `user_checks` (by default), `nan_checks`, `index_checks`,
            `div_checks`, `float_checks` (NaN and division), `automatic_checks` (all but the
            user's), `all_checks`, or unions of them. What is not looked for is left out, unless
            another `checkify` around this one looks for it.

    Returns:
        A function with the arguments of `f` that returns `(error, out)`. `error.get()` is the
        message of the first check that failed, or None; `error.throw()` raises it.

    Raises:
        TypeError: `f` is not callable, or `errors` is none of the sets.

    >>> from jx_core import lax
    >>> from jx_core.checkify import check
    >>> def f(x, i):
    ...     y = lax.dynamic_index_in_dim(x, i, keepdims=False)
    ...     check(lax.gt(y, 0.0), "y must be positive, got {}", y)
    ...     return lax.log(y)
    >>> error, out = checkify(f, errors=index_checks | user_checks)(np.float32([1, -1]), 1)
    >>> error.get()  # doctest: +ELLIPSIS
    'y must be positive, got -1.0 (`check` failed) at ...'
    """
    if not callable(f):
        raise TypeError(f"checkify: f must be callable, got {f!r}")
    categories = _categories(errors)
    caller = _caller(f)

    @filtered
    @functools.wraps(f)
    def checked_fun(*args: Any, **kwargs: Any) -> tuple[Error, Any]:
        leaves, args_tree = tree.flatten((args, kwargs))
        program = stage(caller, args_tree, [typeof(x) for x in leaves])
        (closed,), consts = hoist([program])
        checked = checked_program(closed, categories)
        operands = [*consts, *leaves]
        if disable_jit.value:
            results = eval_jaxpr(checked.closed.jaxpr, checked.closed.consts, *operands)
        else:
            results = call_jaxpr(checked.closed, operands, program.name)
        outs, error = checked.split(results)
        return error, tree.unflatten(program.out_tree, outs)

    checked_fun.__wrapped__ = f  # type: ignore[attr-defined]
    return checked_fun
