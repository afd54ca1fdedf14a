"""What is certain of a dimension for all values of its variables: its bounds.

Intervals give a first answer. They are sharpened by adding multiples of what is known to be
non-negative (the scope's constraints; what floordiv, mod, max and min promise; products of
non-negative things) such that terms cancel: the elimination of Fourier and Motzkin, to a
small depth. An answer that is not found is reported as unknown, never guessed.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

from .expressions import (
    FLOORDIV,
    MAX,
    MIN,
    MOD,
    ONE,
    Atom,
    DimExpr,
    DimSize,
    Monomial,
    add,
    divide_monomials,
    make,
    multiply,
    subtract,
    terms_of,
)

_DEPTH = 4  # how many constraints one proof may add up

Interval = tuple[float, float]  # ints, or infinities


def bounds(dim: DimSize) -> tuple[Any, Any]:
    """The greatest lower and the least upper bound found: ints, or infinite.

    >>> from jx_core.symbolic import symbolic_shape
    >>> (b,) = symbolic_shape("b", constraints=["b <= 8"])
    >>> bounds(2 * b - 1)
    (1, 15)
    """
    if not isinstance(dim, DimExpr):
        return dim, dim
    known = dim.scope.bounds.get(dim) or _asked.plain.get(dim)
    if known is None:
        # While it is worked out, a question that comes back to it gets the plain answer.
        _asked.plain[dim] = _interval(dim)
        try:
            known = _lower(dim, _DEPTH), -_lower(multiply(-1, dim), _DEPTH)
        finally:
            del _asked.plain[dim]
        dim.scope.bounds[dim] = known
    return known


class _Asked(threading.local):
    """What a thread is working out, with the answers from intervals."""

    def __init__(self) -> None:
        self.plain: dict[DimExpr, Any] = {}


_asked = _Asked()


def compare(a: DimSize, b: DimSize, sign: str) -> bool | None:
    """Whether `a sign b` holds for all values of the variables; None where that is unknown."""
    if sign in ("<", "<="):
        a, b, sign = b, a, {"<": ">", "<=": ">="}[sign]
    low, high = bounds(subtract(a, b))
    least = 1 if sign == ">" else 0
    if low >= least:
        return True
    return False if high < least else None


def _times(a: float, b: float) -> float:
    return 0 if a == 0 or b == 0 else a * b


def _interval(dim: DimSize) -> Interval:
    """Bounds from those of the single terms."""
    if not isinstance(dim, DimExpr):
        return dim, dim
    low: float = 0
    high: float = 0
    for monomial, c in dim.terms:
        lo, hi = _monomial_interval(dim, monomial)
        low += _times(c, lo if c > 0 else hi)
        high += _times(c, hi if c > 0 else lo)
    return low, high


def _monomial_interval(dim: DimExpr, monomial: Monomial) -> Interval:
    low: float = 1
    high: float = 1
    for atom, exponent in monomial:
        lo, hi = _atom_interval(dim, atom)
        for _ in range(exponent):
            corners = [_times(x, y) for x in (low, high) for y in (lo, hi)]
            low, high = min(corners), max(corners)
        if exponent % 2 == 0 and lo < 0 and len(monomial) == 1:
            low = max(low, 0)
    return low, high


def _atom_interval(dim: DimExpr, atom: Atom) -> Interval:
    if atom.is_variable:
        return _variable_interval(dim, atom)
    (a, b), (c, d) = bounds(atom.operands[0]), bounds(atom.operands[1])
    if atom.name == MAX:
        return max(a, c), max(b, d)
    if atom.name == MIN:
        return min(a, c), min(b, d)
    if c <= 0:
        return -math.inf, math.inf
    if atom.name == MOD:
        return 0, min(d - 1, b) if a >= 0 else d - 1
    low = _floor(a, d) if a >= 0 else _floor(a, c)
    high = _floor(b, c) if b >= 0 else _floor(b, d)
    return low, high


def _floor(x: float, by: float) -> float:
    if math.isinf(x):
        return x
    if math.isinf(by):
        return 0 if x >= 0 else -1
    return x // by


def _variable_interval(dim: DimExpr, atom: Atom) -> Interval:
    """From 1 on, and as the constraints that are about this variable alone say."""
    low: float = 1
    high: float = math.inf
    monomial: Monomial = ((atom, 1),)
    for e in dim.scope.inequalities:
        terms = dict(e.terms)
        c = terms.pop(monomial, 0)
        if c and all(m == ONE for m in terms):
            limit = terms.get(ONE, 0)  # c*v + limit >= 0
            if c > 0:
                low = max(low, -(limit // c))
            else:
                high = min(high, limit // -c)
    return low, high


def _lower(dim: DimSize, depth: int) -> float:
    """The best lower bound found with at most `depth` constraints added up."""
    if not isinstance(dim, DimExpr):
        return dim
    best, high = _interval(dim)
    if depth == 0 or best == high:
        return best
    for atom in dim.atoms():
        if atom.name in (MAX, MIN) and atom.operands:
            # It is one of the two: what holds for both holds.
            cases = [_lower(_in_place_of(atom, x, dim), depth - 1) for x in atom.operands]
            best = max(best, min(cases))
    # The term that costs most is to be cancelled: what is left needs fewer.
    for monomial, c in dim.terms:
        if monomial == ONE:
            continue
        lo, hi = _monomial_interval(dim, monomial)
        if _times(c, lo if c > 0 else hi) > -math.inf and depth < _DEPTH:
            continue
        for fact in _facts(dim, monomial):
            d = dict(fact.terms).get(monomial, 0)
            if d * c <= 0:
                continue
            # common*dim == rest + weight*fact, with fact >= 0 and weight > 0.
            weight, common = abs(c), abs(d)
            divisor = math.gcd(weight, common)
            weight, common = weight // divisor, common // divisor
            rest = subtract(multiply(common, dim), multiply(weight, fact))
            found = _lower(rest, depth - 1)
            if not math.isinf(found):
                best = max(best, math.ceil(found / common) if common > 1 else found)
    return best


def _in_place_of(atom: Atom, operand: DimSize, dim: DimExpr) -> DimSize:
    """`dim` with an operand put in the place of an operation."""
    total: DimSize = 0
    for monomial, c in dim.terms:
        powers = dict(monomial)
        exponent = powers.pop(atom, 0)
        term = make(dim.scope, {tuple(sorted(powers.items())): c})
        for _ in range(exponent):
            term = multiply(term, operand)
        total = add(total, term)
    return total


def _facts(dim: DimExpr, monomial: Monomial) -> Iterator[DimExpr]:
    """Expressions known to be non-negative in which `monomial` occurs."""
    for e in dim.scope.inequalities:
        if any(m == monomial for m, _ in e.terms):
            yield e
    yield from _scaled_constraints(dim, monomial)
    for atom in _related_atoms(dim):
        for fact in _promises(atom):
            if isinstance(fact, DimExpr) and any(m == monomial for m, _ in fact.terms):
                yield fact
    yield from _products(dim, monomial)


def _scaled_constraints(dim: DimExpr, monomial: Monomial) -> Iterator[DimExpr]:
    """Constraints times a non-negative monomial, for terms of a higher degree."""
    for e in dim.scope.inequalities:
        for m, _ in e.terms:
            ratio = divide_monomials(monomial, m)
            if m != ONE and ratio and _monomial_interval(dim, ratio)[0] >= 0:
                fact = multiply(make(dim.scope, {ratio: 1}), e)
                if isinstance(fact, DimExpr):
                    yield fact


def _related_atoms(dim: DimExpr) -> list[Atom]:
    """The operations in an expression and in the constraints of its scope."""
    sources = [dim, *dim.scope.inequalities]
    found = {a: None for e in sources for a in e.atoms() if not a.is_variable}
    return list(found)


def _promises(atom: Atom) -> Iterator[DimSize]:
    """What the result of an operation is known to be at least 0 with."""
    a, b = atom.operands
    scope = next(x.scope for x in atom.operands if isinstance(x, DimExpr))
    own = make(scope, {((atom, 1),): 1})
    if atom.name == MAX:
        yield subtract(own, a)
        yield subtract(own, b)
    elif atom.name == MIN:
        yield subtract(a, own)
        yield subtract(b, own)
    elif bounds(b)[0] >= 1:
        if atom.name == FLOORDIV:
            yield subtract(a, multiply(b, own))
            yield subtract(add(multiply(b, own), b), add(a, 1))
            if bounds(a)[0] >= 0:
                yield subtract(a, own)
        else:
            yield subtract(subtract(b, 1), own)
            if bounds(a)[0] >= 0:
                yield subtract(a, own)


def _products(dim: DimExpr, monomial: Monomial) -> Iterator[DimExpr]:
    """`rest*(x - low) >= 0` for each factor `x` of a product, in `dim` or to be cancelled."""
    degree = sum(n for _, n in monomial)
    for product in dict.fromkeys([monomial, *(m for m, _ in terms_of(dim).items())]):
        if sum(n for _, n in product) < max(2, degree):
            continue
        for atom, _ in product:
            rest = divide_monomials(product, ((atom, 1),))
            if not rest or _monomial_interval(dim, rest)[0] < 0:
                continue
            low, high = _atom_interval(dim, atom)
            own = make(dim.scope, {((atom, 1),): 1})
            others = make(dim.scope, {rest: 1})
            if not math.isinf(low):
                fact = multiply(others, subtract(own, int(low)))
                if isinstance(fact, DimExpr) and any(m == monomial for m, _ in fact.terms):
                    yield fact
            if not math.isinf(high):
                fact = multiply(others, subtract(int(high), own))
                if isinstance(fact, DimExpr) and any(m == monomial for m, _ in fact.terms):
                    yield fact
