"""Scopes: which dimension variables belong together, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .expressions import (
    FLOORDIV,
    MOD,
    ONE,
    Atom,
    DimExpr,
    DimSize,
    Monomial,
    Terms,
    divide_monomials,
    make,
    multiply_monomials,
    subtract,
    terms_of,
)

_STEPS = 1000  # more rewriting steps than this are an endless loop


class Rule:
    """An equality constraint as a rewriting: `coefficient*monomial` becomes `replacement`."""

    __slots__ = ("coefficient", "monomial", "replacement")

    def __init__(self, monomial: Monomial, coefficient: int, replacement: DimSize) -> None:
        self.monomial = monomial
        self.coefficient = coefficient
        self.replacement = replacement


def _alone(name: str, *operands: DimSize) -> Monomial:
    return ((Atom(name, operands), 1),)


class SymbolicScope:
    """The dimension variables of one export, and the constraints on them.

    Dimensions of different scopes don't mix: a `b` here has nothing to do with a `b` there.

    Args:
        constraints_str: what holds for every call, each `"e1 >= e2"`, `"e1 <= e2"` or
            `"e1 == e2"` with dimension expressions on both sides. Comparisons take them for
            granted, and calls with shapes for which they don't hold are refused. An equality
            rewrites: wherever its left side occurs, the right side stands instead.

    Raises:
        ValueError: a constraint does not parse, or can't hold.

    >>> from jx_core.symbolic import symbolic_shape
    >>> scope = SymbolicScope(["n >= 8", "mod(n, 4) == 0"])
    >>> (n,) = symbolic_shape("n", scope=scope)
    >>> n > 7, n // 4 * 4 == n
    (True, True)
    """

    def __init__(self, constraints_str: Sequence[str] = ()) -> None:
        if isinstance(constraints_str, str):
            raise ValueError(
                f"The symbolic constraints should be a sequence of strings, got the string "
                f"{constraints_str!r}; put it in a list"
            )
        self.constraints = tuple(constraints_str)
        self.rules: list[Rule] = []
        self.inequalities: list[DimExpr] = []  # each is known to be at least 0
        self.assumed: list[tuple[str, DimSize, str, DimSize]] = []  # for the checks at calls
        self.expressions: dict[tuple[tuple[Monomial, int], ...], DimExpr] = {}
        self.bounds: dict[DimExpr, Any] = {}
        self.avals: dict[Any, Any] = {}  # types with dimensions of this scope, interned
        self._settle()

    def __reduce__(self) -> Any:
        return SymbolicScope, (self.constraints,)

    def __repr__(self) -> str:
        return f"SymbolicScope({list(self.constraints)})"

    def describe(self) -> str:
        """A few words for messages.

        >>> SymbolicScope(["n >= 8"]).describe()  # doctest: +ELLIPSIS
        "the scope 0x... with constraints ['n >= 8']"
        """
        words = f" with constraints {list(self.constraints)}" if self.constraints else ""
        return f"the scope {id(self):#x}{words}"

    def _settle(self) -> None:
        """Take in the constraints: equalities of variables first, as others depend on them."""
        from .parsing import parse_constraint

        def is_variable_rule(text: str) -> bool:
            left, sign, _ = parse_constraint(text, SymbolicScope())
            return sign == "==" and isinstance(left, DimExpr) and left.as_variable() is not None

        def kind(text: str) -> int:
            if "==" not in text:
                return 2
            return 0 if is_variable_rule(text) else 1

        # As written, for the checks at calls: in a scope without rules.
        plain = SymbolicScope() if self.constraints else self
        self.assumed = [(c, *parse_constraint(c, plain)) for c in self.constraints]
        for text in sorted(self.constraints, key=kind):
            left, sign, right = parse_constraint(text, self)
            if sign == "==":
                self._equate(text, left, right)
            else:
                difference = subtract(left, right) if sign == ">=" else subtract(right, left)
                self._bound(text, difference)
        self.bounds.clear()
        # Made before the last rule, these may have a simpler form now.
        self.inequalities = [e for e in map(self._again, self.inequalities) if type(e) is DimExpr]

    def _again(self, dim: DimSize) -> DimSize:
        return make(self, terms_of(dim))

    def _bound(self, text: str, difference: DimSize) -> None:
        if isinstance(difference, DimExpr):
            self.inequalities.append(difference)
        elif difference < 0:
            raise ValueError(f"Unsatisfiable symbolic constraint: {text!r}")

    def _equate(self, text: str, left: DimSize, right: DimSize) -> None:
        if left is right or left == right:
            return
        if not isinstance(left, DimExpr):
            left, right = right, left
        if not isinstance(left, DimExpr):
            raise ValueError(f"Unsatisfiable symbolic constraint: {text!r}")
        (monomial, coefficient), *others = left.terms
        if len(others):
            rest = make(self, dict(others))
            right = subtract(right, rest)
        if coefficient < 0:
            coefficient, right = -coefficient, subtract(0, right)
        inside = right.terms if isinstance(right, DimExpr) else ()
        if any(divide_monomials(m, monomial) is not None for m, _ in inside):
            raise ValueError(
                f"symbolic constraint {text!r}: the left side must not occur in the right one, "
                f"for which it is to be replaced"
            )
        self.rules.append(Rule(monomial, coefficient, right))
        # mod(e, k) == 0 says that quotients by k are exact.
        atom, exponent = monomial[0]
        if len(monomial) == exponent == 1 and atom.name == MOD and right == 0 and atom.operands:
            numerator, divisor = atom.operands
            if type(divisor) is int:
                for d in range(2, divisor + 1):
                    if divisor % d == 0:
                        self.rules.append(Rule(_alone(MOD, numerator, d), 1, 0))
                        self.rules.append(Rule(_alone(FLOORDIV, numerator, d), d, numerator))
            else:
                (m, c), *more = terms_of(divisor).items()
                if not more:
                    product = multiply_monomials(_alone(FLOORDIV, numerator, divisor), m)
                    self.rules.append(Rule(product, c, numerator))

    def rewritten(self, terms: Terms) -> Terms:
        """`terms` with the rules applied until none fits.

        >>> from jx_core.symbolic import symbolic_shape
        >>> scope = SymbolicScope(["m == 2*n"])
        >>> m, n = symbolic_shape("m, n", scope=scope)
        >>> scope.rewritten({scope.rules[0].monomial: 3}) == terms_of(6 * n)
        True
        >>> m + 1
        2*n + 1
        """
        terms = {m: c for m, c in terms.items() if c}
        for _ in range(_STEPS):
            step = self._step(terms)
            if step is None:
                return terms
            terms = step
        raise ValueError(f"the symbolic constraints {list(self.constraints)} go round in circles")

    def _step(self, terms: Terms) -> Terms | None:
        for rule in self.rules:
            for monomial, c in terms.items():
                ratio = divide_monomials(monomial, rule.monomial)
                if monomial == ONE or ratio is None or c % rule.coefficient:
                    continue
                times = c // rule.coefficient
                rest = {m: d for m, d in terms.items() if m != monomial}
                for m, d in terms_of(rule.replacement).items():
                    product = multiply_monomials(ratio, m)
                    rest[product] = rest.get(product, 0) + d * times
                return {m: d for m, d in rest.items() if d}
        return None


