"""What a program does to keys: which labels its equations move, use up and make.

A value is followed as a `Keys`, the labels of a key array; as an ndarray, for a small array of
integers that is known, such as an index; or as None.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..jaxpr.ir import ClosedJaxpr, Jaxpr, Literal, jaxprs_in
from ..ops.control_flow.checkpoint import checkpoint_p
from ..ops.control_flow.cond import cond_p
from ..ops.control_flow.custom import custom_jvp_call_p, custom_vjp_call_p
from ..ops.control_flow.jit import jit_p
from ..ops.control_flow.platform_dependent import platform_dependent_p
from ..ops.control_flow.scan import scan_p
from ..ops.control_flow.while_loop import while_p
from ..ops.elementwise import eq_p, ne_p
from ..ops.rng.keys import (
    KeyDType,
    random_bits_p,
    random_clone_p,
    random_fold_in_p,
    random_seed_p,
    random_split_p,
    random_unwrap_p,
    random_wrap_p,
)
from ..primitive import Primitive
from ..source import Source
from .ledger import Ledger, Use, fresh

KNOWN_SIZE = 64  # integers of which so many elements are followed

# Iterations of a loop that are followed. A key that is used in each of them is seen in the
# second; the others give rows of keys their labels.
STEPS = 8


class Keys:
    """The labels of an array of keys."""

    __slots__ = ("labels",)

    def __init__(self, labels: np.ndarray) -> None:
        self.labels = labels


def is_key(aval: Any) -> bool:
    """Whether a type is that of keys."""
    return isinstance(getattr(aval, "dtype", None), KeyDType)


def has_keys(jaxpr: Jaxpr) -> bool:
    """Whether there are keys anywhere in a program."""
    if any(is_key(v.aval) for v in (*jaxpr.invars, *jaxpr.constvars)):
        return True
    return any(
        any(is_key(v.aval) for v in eqn.outvars) or any(map(has_keys, jaxprs_in(eqn.params)))
        for eqn in jaxpr.eqns
    )


class Follower:
    """Follows keys through equations, and writes their uses into a ledger.

    Attributes:
        ledger: the uses so far.
        line: the line to blame in place of the equations' own, or None.
        constant: gives what is followed of an array that a program closes over.
    """

    def __init__(self, ledger: Ledger, line: Source | None, constant: Callable[[Any], Any]) -> None:
        self.ledger = ledger
        self.line = line
        self.constant = constant

    def closed(self, program: ClosedJaxpr, args: Sequence[Any]) -> list[Any]:
        """What is known of a program's results, from what is of its arguments."""
        jaxpr = program.jaxpr
        env: dict[Any, Any] = dict(zip(jaxpr.invars, args, strict=True))
        env.update(
            (v, self.constant(x)) for v, x in zip(jaxpr.constvars, program.consts, strict=True)
        )

        def read(atom: Any) -> Any:
            if type(atom) is Literal:
                return known_integers(atom.val)
            return env[atom]

        for eqn in jaxpr.eqns:
            results = self.equation(
                eqn.primitive,
                [read(v) for v in eqn.invars],
                eqn.params,
                [v.aval for v in eqn.outvars],
                self.line or eqn.source,
            )
            env.update(zip(eqn.outvars, results, strict=True))
        return [read(v) for v in jaxpr.outvars]

    def equation(
        self,
        primitive: Primitive,
        operands: list[Any],
        params: dict[str, Any],
        out_avals: Sequence[Any],
        source: Source,
    ) -> list[Any]:
        """What is known of the results of one equation.

        Raises:
            KeyReuseError: it uses a key that has been used.
        """
        rule = _RULES.get(primitive)
        if rule is not None:
            results = rule(self, operands, params, source)
        elif primitive.higher_order:
            self.use(primitive, operands, source)
            results = None
        elif any(isinstance(x, Keys) for x in operands):
            results = self.moved(primitive, operands, params, source)
        elif all(type(x) is np.ndarray for x in operands):
            results = _computed(primitive, operands, params)
        else:
            results = None
        return _completed(results, out_avals)

    def use(self, primitive: Primitive, operands: Sequence[Any], source: Source) -> None:
        """Use up all keys among the operands."""
        use = Use(_VERBS.get(primitive, f"used by {primitive.name}"), source)
        for x in operands:
            if isinstance(x, Keys):
                self.ledger.use(x.labels, use)

    def moved(
        self, primitive: Primitive, operands: list[Any], params: dict[str, Any], source: Source
    ) -> list[Any] | None:
        """The labels that an operation moves along; where to, its reference meaning says."""
        if primitive.family not in ("shape", "indexing", "sharding", "elementwise"):
            self.use(primitive, operands, source)
            return None
        if not any(x is None for x in operands):
            arrays = [x.labels if isinstance(x, Keys) else x for x in operands]
            results = _computed(primitive, arrays, params)
            if results is not None:
                return [Keys(x) for x in results]
        return [self.some_of([x for x in operands if isinstance(x, Keys)])]

    def some_of(self, sources: list[Keys]) -> _Unknown:
        """Keys picked out of others by an index that is not known: used, if those all are."""
        labels = [label for keys in sources for label in keys.labels.reshape(-1).tolist()]
        used = bool(labels) and all(self.ledger.find(label) is not None for label in labels)
        return _Unknown(labels[0] if used else None)

    def branches(self, programs: Sequence[ClosedJaxpr], args: list[Any]) -> list[Any]:
        """What is known of the results of one of several programs; it is not known which."""
        below, results = self.ledger, []
        ledgers = [Ledger(below) for _ in programs]
        try:
            for program, self.ledger in zip(programs, ledgers, strict=True):
                results.append(self.closed(program, args))
        finally:
            self.ledger = below
        for ledger in ledgers:
            ledger.commit()
        return [self._either(values) for values in zip(*results, strict=True)]

    def _either(self, values: tuple[Any, ...]) -> Any:
        first = values[0]
        if not isinstance(first, Keys):
            return None
        if all(np.array_equal(first.labels, v.labels) for v in values):
            return first
        labels = fresh(first.labels.shape)
        flat, columns = labels.reshape(-1), zip(*(v.labels.reshape(-1) for v in values))
        for i, column in enumerate(columns):
            used = [label for label in map(int, column) if self.ledger.find(label) is not None]
            if used:
                flat[i] = used[0]
        return Keys(labels)


class _Unknown:
    """Keys of which only this is known: the label of a used key, if they are used."""

    __slots__ = ("used",)

    def __init__(self, used: int | None) -> None:
        self.used = used


def known_integers(x: Any) -> np.ndarray | None:
    """A small array of integers or truth values as an ndarray, None for anything else."""
    dtype = getattr(x, "dtype", None)
    if dtype is None:
        return np.asarray(x) if isinstance(x, (bool, int)) else None
    if isinstance(dtype, KeyDType) or getattr(dtype, "kind", "") not in "biu":
        return None
    return np.asarray(x) if x.size <= KNOWN_SIZE else None


def _computed(
    primitive: Primitive, arrays: Sequence[np.ndarray], params: dict[str, Any]
) -> list[np.ndarray] | None:
    """What a primitive computes of ndarrays; None where that can't be told."""
    if primitive.reference is None or primitive.effects is not None:
        return None
    try:
        with np.errstate(all="ignore"):
            results = primitive.reference(*arrays, **params)
    except (TypeError, ValueError, OverflowError, AttributeError):
        return None  # made for the elements of another dtype
    results = list(results) if primitive.multiple_results else [results]
    return [np.asarray(x) for x in results]


def _completed(results: list[Any] | None, out_avals: Sequence[Any]) -> list[Any]:
    """The results with labels for all keys, and without what is too large to follow."""
    if results is None:
        results = [None] * len(out_avals)
    return [_complete(x, aval) for x, aval in zip(results, out_avals, strict=True)]


def _complete(x: Any, aval: Any) -> Any:
    if is_key(aval):
        if isinstance(x, Keys) and x.labels.shape == aval.shape:
            return x
        if isinstance(x, _Unknown) and x.used is not None:
            return Keys(np.full(aval.shape, x.used, np.int64))
        return Keys(fresh(aval.shape))
    if type(x) is not np.ndarray or x.dtype.kind not in "biu" or x.size > KNOWN_SIZE:
        return None
    return x


# --- rules ---


def _makes(
    follower: Follower, operands: list[Any], params: dict[str, Any], source: Source
) -> list[Any] | None:
    """Keys that come out are new, whatever goes in."""
    return None


def _uses(
    primitive: Primitive,
    follower: Follower,
    operands: list[Any],
    params: dict[str, Any],
    source: Source,
) -> list[Any] | None:
    """Keys that go in are used up; those that come out are new."""
    follower.use(primitive, operands, source)
    return None


def _call(
    follower: Follower, operands: list[Any], params: dict[str, Any], source: Source
) -> list[Any] | None:
    program = params["jaxpr"] if "jaxpr" in params else params["call_jaxpr"]
    if params.get("differentiated") or program is None:
        return None  # computed before, with these keys: the same numbers are what is meant
    return follower.closed(program, operands)


def _cond(
    follower: Follower, operands: list[Any], params: dict[str, Any], source: Source
) -> list[Any]:
    index, *args = operands
    branches = params["branches"]
    if type(index) is np.ndarray and index.ndim == 0:
        return follower.closed(branches[min(max(int(index), 0), len(branches) - 1)], args)
    return follower.branches(branches, args)


def _platforms(
    follower: Follower, operands: list[Any], params: dict[str, Any], source: Source
) -> list[Any]:
    return follower.branches(params["branches"], operands)


def _while(
    follower: Follower, operands: list[Any], params: dict[str, Any], source: Source
) -> list[Any]:
    condition, body = params["cond_jaxpr"], params["body_jaxpr"]
    first = params["cond_nconsts"]
    last = first + params["body_nconsts"]
    cond_consts, body_consts, carry = operands[:first], operands[first:last], operands[last:]
    for _ in range(2):
        goes_on = follower.closed(condition, [*cond_consts, *carry])[0]
        if goes_on is not None and not goes_on:
            return carry
        carry = follower.closed(body, [*body_consts, *carry])
    if goes_on is None or goes_on:  # how often, is not known
        carry = [x if isinstance(x, Keys) else None for x in carry]
    return carry


def _scan(
    follower: Follower, operands: list[Any], params: dict[str, Any], source: Source
) -> list[Any]:
    length, num_carry = params["length"], params["num_carry"]
    first = params["num_consts"]
    consts, carry = operands[:first], operands[first : first + num_carry]
    xs = operands[first + num_carry :]
    if type(length) is not int:
        length = STEPS
    order = range(length)[::-1] if params["reverse"] else range(length)
    rows: dict[int, list[Any]] = {}
    for i in order[:STEPS]:
        results = follower.closed(params["jaxpr"], [*consts, *carry, *(_row(x, i) for x in xs)])
        carry, rows[i] = results[:num_carry], results[num_carry:]
    if length > STEPS:
        carry = [x if isinstance(x, Keys) else None for x in carry]
        _as_the_first(follower, xs, order[0], order[STEPS:])
    avals = params["jaxpr"].out_avals[num_carry:]
    return carry + [_column(follower, rows, j, length) if is_key(a) else None
                    for j, a in enumerate(avals)]  # fmt: skip


def _row(x: Any, i: int) -> Any:
    if isinstance(x, Keys):
        return Keys(x.labels[i])
    return x[i] if type(x) is np.ndarray and not isinstance(x[i], np.generic) else None


def _as_the_first(follower: Follower, xs: list[Any], first: int, rest: Sequence[int]) -> None:
    """Use up of the rows of keys that are not followed what was used of the first."""
    for x in xs:
        if not isinstance(x, Keys):
            continue
        for place in np.ndindex(x.labels.shape[1:]):
            use = follower.ledger.find(int(x.labels[(first, *place)]))
            if use is not None:
                follower.ledger.use(x.labels[(list(rest), *place)], use)


def _column(follower: Follower, rows: dict[int, list[Any]], j: int, length: int) -> Any:
    """The labels of stacked rows; rows that have not been followed are like the last one."""
    if not rows:
        return None
    last = next(reversed(rows.values()))[j].labels
    labels = fresh((length, *last.shape))
    for place in np.ndindex(last.shape):
        if follower.ledger.find(int(last[place])) is not None:
            labels[(slice(None), *place)] = last[place]
    for i, row in rows.items():
        labels[i] = row[j].labels
    return Keys(labels)


_VERBS = {random_bits_p: "drawn from", random_split_p: "split"}

_RULES: dict[Primitive, Callable[..., Any]] = {
    **dict.fromkeys(
        (
            random_seed_p, random_wrap_p, random_clone_p, random_fold_in_p, random_unwrap_p,
            eq_p, ne_p,
        ),
        _makes,
    ),
    **{p: functools.partial(_uses, p) for p in (random_bits_p, random_split_p)},
    **dict.fromkeys((jit_p, checkpoint_p, custom_jvp_call_p, custom_vjp_call_p), _call),
    cond_p: _cond,
    platform_dependent_p: _platforms,
    while_p: _while,
    scan_p: _scan,
}  # fmt: skip
