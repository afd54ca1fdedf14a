"""Symbolic dimensions: integer expressions over dimension variables, in normal form.

A `DimExpr` is a polynomial with integer coefficients. What it is a polynomial in are
dimension variables (`b`) and operations that polynomials can't express: `floordiv`, `mod`,
`max` and `min` of expressions (`Atom`). Equal normal forms are one object within a scope, so
comparing and hashing are free, and a shape with symbolic dimensions is a key like any other.
An expression without variables is a Python int, never a `DimExpr`.

Whether `a < b` is decided in `bounds.py`; constraints live in `scope.py`. Nothing here knows
arrays: `as_value`, which makes an array of a dimension, is put in by the primitive that does.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from ..errors import InconclusiveDimensionOperation

if TYPE_CHECKING:
    from .scope import SymbolicScope

DimSize: TypeAlias = "int | DimExpr"

FLOORDIV, MOD, MAX, MIN = "floordiv", "mod", "max", "min"


class Atom:
    """A variable, or an operation on expressions that no polynomial is.

    Attributes:
        name: the variable's name, or that of the operation.
        operands: of the operation; empty for a variable.
    """

    __slots__ = ("_hash", "_text", "name", "operands")

    def __init__(self, name: str, operands: tuple[DimSize, ...] = ()) -> None:
        self.name = name
        self.operands = operands
        self._hash = hash((name, operands))
        self._text = f"{name}({', '.join(map(str, operands))})" if operands else name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and (
            self._hash == other._hash
            and self.name == other.name
            and self.operands == other.operands
        )

    def __hash__(self) -> int:
        return self._hash

    def __lt__(self, other: Atom) -> bool:
        return (len(self.operands), self._text) < (len(other.operands), other._text)

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    @property
    def is_variable(self) -> bool:
        return not self.operands

    def variables(self) -> frozenset[str]:
        """The names of the variables in it."""
        if not self.operands:
            return frozenset((self.name,))
        return frozenset().union(*(variables(x) for x in self.operands))


Monomial: TypeAlias = tuple[tuple[Atom, int], ...]  # atoms in order, each with its exponent
Terms: TypeAlias = dict[Monomial, int]
ONE: Monomial = ()


def multiply_monomials(a: Monomial, b: Monomial) -> Monomial:
    powers = dict(a)
    for atom, exponent in b:
        powers[atom] = powers.get(atom, 0) + exponent
    return tuple(sorted(powers.items()))


def divide_monomials(a: Monomial, b: Monomial) -> Monomial | None:
    """`a / b`, or None where `b` does not divide `a`."""
    powers = dict(a)
    for atom, exponent in b:
        left = powers.get(atom, 0) - exponent
        if left < 0:
            return None
        if left:
            powers[atom] = left
        else:
            powers.pop(atom, None)
    return tuple(sorted(powers.items()))


def _degree(monomial: Monomial) -> int:
    return sum([exponent for _, exponent in monomial])


def _order(term: tuple[Monomial, int]) -> Any:
    """Higher degrees first, then by name: the order in which polynomials are divided."""
    monomial = term[0]
    return (-_degree(monomial), [(str(atom), -n) for atom, n in monomial])


class DimExpr:
    """A dimension that is known as an expression of dimension variables.

    Made by `symbolic_shape`, and by arithmetic. It goes wherever a shape has an integer.
    With integers and other dimensions `+ - * // % **` give dimensions again; with arrays and
    floats, and for `/`, the dimension becomes an array's value, which only a staged function
    has.

    Comparisons hold or fail for all values of the variables (each at least 1, and as the
    scope's constraints say), or raise `InconclusiveDimensionOperation`; `==` and `!=` never
    raise: two expressions are equal if their normal forms are.

    Attributes:
        scope: the `SymbolicScope` whose variables and constraints it is about.
        terms: the polynomial's terms, (monomial, coefficient), none of them zero.
    """

    __slots__ = ("__weakref__", "_hash", "_text", "scope", "terms")

    __array_priority__ = 1000
    __array_ufunc__ = None  # NumPy's numbers and arrays leave operators to this class

    scope: SymbolicScope
    terms: tuple[tuple[Monomial, int], ...]
    _hash: int
    _text: str

    # --- what it is ---

    def as_terms(self) -> Terms:
        return dict(self.terms)

    def variables(self) -> frozenset[str]:
        """The names of the variables in it."""
        return frozenset().union(*(a.variables() for m, _ in self.terms for a, _ in m))

    def atoms(self) -> Iterable[Atom]:
        """The variables and operations it is a polynomial in."""
        return dict.fromkeys(atom for monomial, _ in self.terms for atom, _ in monomial)

    def as_variable(self) -> str | None:
        """The variable's name, if it is nothing but a variable."""
        if len(self.terms) == 1:
            monomial, coefficient = self.terms[0]
            if coefficient == 1 and len(monomial) == 1 and monomial[0][1] == 1:
                atom = monomial[0][0]
                return atom.name if atom.is_variable else None
        return None

    def evaluate(self, env: Mapping[str, Any]) -> Any:
        """Its value where `env` gives that of each variable.

        Raises:
            KeyError: a variable has no value.

        >>> from jx_core.symbolic import symbolic_shape
        >>> (b,) = symbolic_shape("b")
        >>> (b * b // 2 + 1).evaluate({"b": 5})
        13
        """
        return evaluate(self, env)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def __copy__(self) -> DimExpr:
        return self

    def __deepcopy__(self, memo: Any) -> DimExpr:
        return self

    def __reduce__(self) -> Any:
        return _parsed, (self._text, self.scope)

    # --- arithmetic ---

    def __add__(self, other: Any) -> Any:
        return self._binary(other, add, operator.add)

    def __radd__(self, other: Any) -> Any:
        return self._binary(other, add, operator.add, True)

    def __sub__(self, other: Any) -> Any:
        return self._binary(other, subtract, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._binary(other, subtract, operator.sub, True)

    def __mul__(self, other: Any) -> Any:
        return self._binary(other, multiply, operator.mul)

    def __rmul__(self, other: Any) -> Any:
        return self._binary(other, multiply, operator.mul, True)

    def __floordiv__(self, other: Any) -> Any:
        return self._binary(other, floordiv, operator.floordiv)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._binary(other, floordiv, operator.floordiv, True)

    def __mod__(self, other: Any) -> Any:
        return self._binary(other, mod, operator.mod)

    def __rmod__(self, other: Any) -> Any:
        return self._binary(other, mod, operator.mod, True)

    def __truediv__(self, other: Any) -> Any:
        return self._binary(other, None, operator.truediv)

    def __rtruediv__(self, other: Any) -> Any:
        return self._binary(other, None, operator.truediv, True)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __pow__(self, power: Any, modulo: Any = None) -> Any:
        exponent = as_dimension(power)
        if modulo is None and type(exponent) is int and exponent >= 0:
            result: DimSize = 1
            for _ in range(exponent):
                result = multiply(result, self)
            return result
        return self._binary(power, None, operator.pow)

    def __rpow__(self, base: Any) -> Any:
        return self._binary(base, None, operator.pow, True)

    def __neg__(self) -> DimSize:
        return multiply(-1, self)

    def __pos__(self) -> DimExpr:
        return self

    def __abs__(self) -> Any:
        return maximum(self, -self)

    def _binary(self, other: Any, symbolic: Any, on_values: Any, swapped: bool = False) -> Any:
        """The operation on dimensions if `other` is one, else on the values as arrays."""
        if symbolic is not None:
            known = as_dimension(other)
            if known is not None:
                return symbolic(known, self) if swapped else symbolic(self, known)
        elif isinstance(other, DimExpr):
            other = as_value(other)
        if hasattr(other, "aval") and not isinstance(other, DimExpr):
            # An array or tracer: its own operator takes dimensions.
            value = as_value(self)
        elif isinstance(other, (int, float, complex)) or hasattr(other, "__array__"):
            value = as_value(self)
        else:
            return NotImplemented
        return on_values(other, value) if swapped else on_values(value, other)

    # --- comparison ---

    def __ge__(self, other: Any) -> Any:
        return self._compare(other, ">=")

    def __gt__(self, other: Any) -> Any:
        return self._compare(other, ">")

    def __le__(self, other: Any) -> Any:
        return self._compare(other, "<=")

    def __lt__(self, other: Any) -> Any:
        return self._compare(other, "<")

    def _compare(self, other: Any, sign: str) -> Any:
        known = as_dimension(other)
        if known is None:
            if isinstance(other, float):
                known_float = {">=": (math.ceil, ">="), ">": (math.floor, ">"),
                               "<=": (math.floor, "<="), "<": (math.ceil, "<")}  # fmt: skip
                if math.isinf(other):
                    return (other < 0) == (sign in (">=", ">"))
                rounded, same = known_float[sign]
                return self._compare(rounded(other), same)
            return NotImplemented
        from .bounds import compare

        decided = compare(self, known, sign)
        if decided is None:
            raise inconclusive_comparison(self, known, sign)
        return decided

    def __bool__(self) -> bool:
        from .bounds import bounds

        low, high = bounds(self)
        if low > 0 or high < 0:
            return True
        raise InconclusiveDimensionOperation(
            f"whether the symbolic dimension {self} is 0 can't be decided: it may be "
            f"{_range(low, high)}. {cure(self.scope, f'{self} >= 1')}"
        )

    # --- refusals ---

    def _no_constant(self) -> NoReturn:
        raise InconclusiveDimensionOperation(
            f"Symbolic dimension '{self}' is used where a constant is needed, and has a value "
            f"only when the exported function is called. Keep it symbolic (arithmetic with "
            f"integers does), use it as an array's value (jx.numpy.array(dim)), or export with "
            f"that dimension constant."
        )

    def __int__(self) -> int:
        self._no_constant()

    def __float__(self) -> float:
        self._no_constant()

    def __complex__(self) -> complex:
        self._no_constant()


def _parsed(text: str, scope: SymbolicScope) -> DimSize:
    from .parsing import parse_dimension

    return parse_dimension(text, scope)


def as_value(dim: DimSize) -> Any:
    """The dimension as a zero-dimensional integer array, in the function being staged."""
    return _as_value[0](dim)


def _not_loaded(dim: DimSize) -> Any:
    import importlib

    importlib.import_module("jx_core.lax")
    importlib.import_module("jx_core.operators")
    return _as_value[0](dim)


_as_value: list[Callable[[Any], Any]] = [_not_loaded]


def define_as_value(function: Callable[[Any], Any]) -> None:
    """Say how a dimension becomes an array's value."""
    _as_value[0] = function


def is_symbolic_dim(p: Any) -> bool:
    """Whether a dimension is symbolic rather than an integer.

    >>> from jx_core.symbolic import symbolic_shape
    >>> [is_symbolic_dim(d) for d in symbolic_shape("3, b")]
    [False, True]
    """
    return isinstance(p, DimExpr)


def is_symbolic_shape(shape: Iterable[Any]) -> bool:
    """Whether a dimension of a shape is symbolic."""
    return any(type(d) is DimExpr for d in shape)


def as_dimension(x: Any) -> DimSize | None:
    """`x` as an int or a `DimExpr`, None where it is neither."""
    if isinstance(x, DimExpr):
        return x
    try:
        return operator.index(x)
    except TypeError:
        return None


def variables(dim: DimSize) -> frozenset[str]:
    """The names of the variables in a dimension."""
    return dim.variables() if isinstance(dim, DimExpr) else frozenset()


# --- arithmetic on dimensions ---


def common_scope(a: DimSize, b: DimSize) -> SymbolicScope:
    """The scope of two dimensions, at least one of them symbolic.

    Raises:
        ValueError: they are of different scopes.
    """
    if isinstance(a, DimExpr):
        if isinstance(b, DimExpr) and a.scope is not b.scope:
            raise ValueError(
                f"Invalid mixing of symbolic scopes: {a} is of {a.scope.describe()}, and {b} is "
                f"of {b.scope.describe()}. Make all dimensions with one scope: symbolic_shape(..., "
                f"scope=scope), or in one call of symbolic_args_specs"
            )
        return a.scope
    assert isinstance(b, DimExpr)
    return b.scope


def terms_of(dim: DimSize) -> Terms:
    if isinstance(dim, DimExpr):
        return dim.as_terms()
    return {ONE: dim} if dim else {}


def make(scope: SymbolicScope, terms: Terms) -> DimSize:
    """The dimension that is the sum of `terms`: an int where no variable is left."""
    if scope.rules:
        terms = scope.rewritten(terms)
    kept = [(m, c) for m, c in terms.items() if c]
    if not kept:
        return 0
    if len(kept) == 1 and kept[0][0] == ONE:
        return kept[0][1]
    kept.sort(key=_order)
    key = tuple(kept)
    found = scope.expressions.get(key)
    if found is None:
        found = object.__new__(DimExpr)
        found.scope = scope
        found.terms = key
        found._hash = hash((id(scope), key))
        found._text = _sum_text(key)
        found = scope.expressions.setdefault(key, found)
    return found


def variable(scope: SymbolicScope, name: str) -> DimSize:
    return make(scope, {((Atom(name), 1),): 1})


def _atomic(scope: SymbolicScope, name: str, *operands: DimSize) -> DimSize:
    return make(scope, {((Atom(name, operands), 1),): 1})


def add(a: DimSize, b: DimSize) -> DimSize:
    if type(a) is int and type(b) is int:
        return a + b
    terms = terms_of(a)
    for monomial, c in terms_of(b).items():
        terms[monomial] = terms.get(monomial, 0) + c
    return make(common_scope(a, b), terms)


def subtract(a: DimSize, b: DimSize) -> DimSize:
    return add(a, multiply(-1, b))


def multiply(a: DimSize, b: DimSize) -> DimSize:
    if type(a) is int and type(b) is int:
        return a * b
    terms: Terms = {}
    for m, c in terms_of(a).items():
        for n, d in terms_of(b).items():
            product = multiply_monomials(m, n)
            terms[product] = terms.get(product, 0) + c * d
    return make(common_scope(a, b), terms)


def floordiv(a: DimSize, b: DimSize) -> DimSize:
    """`a // b`, rounded down as Python's."""
    return _divided(a, b)[0]


def mod(a: DimSize, b: DimSize) -> DimSize:
    """`a % b`, with the sign of `b` as Python's."""
    return _divided(a, b)[1]


def _divided(a: DimSize, b: DimSize) -> tuple[DimSize, DimSize]:
    """Quotient and remainder."""
    if b == 0:
        raise ZeroDivisionError("integer division or modulo by zero")
    if type(a) is int and type(b) is int:
        return divmod(a, b)
    if type(b) is int and b < 0:
        quotient, remainder = _divided(multiply(-1, a), -b)
        return quotient, multiply(-1, remainder)
    factor = _common_factor(a, b)
    if factor != 1:
        quotient, remainder = _divided(_exactly(a, factor), _exactly(b, factor))
        return quotient, multiply(remainder, factor)
    whole, rest = _polynomial_division(a, b)
    quotient, remainder = _rest_divided(rest, b, common_scope(a, b))
    return add(whole, quotient), remainder


def _common_factor(a: DimSize, b: DimSize) -> DimSize:
    """A positive factor that all terms of both share, such as `2*n` of `2*n^2` and `4*n`."""
    terms = [*terms_of(a).items(), *terms_of(b).items()]
    content = math.gcd(*(c for _, c in terms)) or 1
    shared = dict(terms[0][0])
    for monomial, _ in terms:
        powers = dict(monomial)
        shared = {x: min(n, powers[x]) for x, n in shared.items() if x in powers}
    if not shared:
        return content if type(b) is not int else 1  # `_rest_divided` sees to numbers
    from .bounds import bounds

    factor = make(common_scope(a, b), {tuple(sorted(shared.items())): content})
    return factor if bounds(factor)[0] >= 1 else 1


def _exactly(dim: DimSize, factor: DimSize) -> DimSize:
    """`dim` divided by a factor of all its terms."""
    if type(factor) is int and type(dim) is int:
        return dim // factor
    ((monomial, content),) = terms_of(factor).items()
    divided: Terms = {}
    for m, c in terms_of(dim).items():
        ratio = divide_monomials(m, monomial)
        assert ratio is not None
        divided[ratio] = c // content
    return make(common_scope(dim, factor), divided)


def _polynomial_division(a: DimSize, b: DimSize) -> tuple[DimSize, DimSize]:
    """`q` and `r` with `a == b*q + r`, where `r` has as few terms as the division leaves."""
    scope = common_scope(a, b)
    divisor = list(terms_of(b).items())
    divisor.sort(key=_order)
    lead, coefficient = divisor[0]
    quotient: DimSize = 0
    rest, done = a, {}  # done: terms that the leading term does not divide
    for _ in range(64):
        left = sorted(terms_of(rest).items(), key=_order)
        term = next(((m, c) for m, c in left if m not in done), None)
        if term is None:
            break
        monomial, c = term
        ratio = divide_monomials(monomial, lead)
        # Of a constant, the part that is a multiple goes; of other terms, all or nothing.
        times = c // coefficient if monomial == ONE or c % coefficient == 0 else 0
        if ratio is None or not times:
            done[monomial] = c
            continue
        part = make(scope, {ratio: times})
        quotient = add(quotient, part)
        rest = subtract(rest, multiply(part, b))
        if monomial == ONE:
            done[monomial] = c
    if len(divisor) > 1 and rest != 0 and not _within(rest, b):
        return 0, a  # division by a sum is kept only where it settles the matter
    return quotient, rest


def _within(rest: DimSize, b: DimSize) -> bool:
    """Whether `0 <= rest < b` for certain."""
    from .bounds import bounds

    return bool(bounds(rest)[0] >= 0 and bounds(subtract(b, rest))[0] >= 1)


def _rest_divided(rest: DimSize, b: DimSize, scope: SymbolicScope) -> tuple[DimSize, DimSize]:
    if rest == 0 or _within(rest, b):
        return 0, rest
    if type(rest) is int and type(b) is int:
        return divmod(rest, b)
    if type(b) is int:
        common = math.gcd(b, *terms_of(rest).values())
        if common > 1:
            rest = make(scope, {m: c // common for m, c in terms_of(rest).items()})
            quotient, remainder = _divided(rest, b // common)
            return quotient, multiply(common, remainder)
    return _quotient(scope, rest, b), _atomic(scope, MOD, rest, b)


def _quotient(scope: SymbolicScope, a: DimSize, b: DimSize) -> DimSize:
    """The quotient as an atom, quotients of quotients by constants being one."""
    if type(b) is int and isinstance(a, DimExpr) and len(a.terms) == 1:
        monomial, c = a.terms[0]
        if c == 1 and len(monomial) == 1 and monomial[0][1] == 1:
            inner = monomial[0][0]
            if inner.name == FLOORDIV and len(inner.operands) == 2:
                divisor = inner.operands[1]
                if type(divisor) is int and divisor > 0:
                    return floordiv(inner.operands[0], divisor * b)
    return _atomic(scope, FLOORDIV, a, b)


# What the two give goes into shapes, whose dimensions count as integers to a type checker.


def maximum(a: DimSize, b: DimSize) -> Any:
    """The greater of two dimensions; symbolic where which it is can't be decided.

    >>> from jx_core.symbolic import symbolic_shape
    >>> (n,) = symbolic_shape("n")
    >>> maximum(2, 3), maximum(n, 5), maximum(n, 1)  # a dimension is at least 1
    (3, max(n, 5), n)
    """
    return _extreme(a, b, MAX)


def minimum(a: DimSize, b: DimSize) -> Any:
    """The smaller of two dimensions; symbolic where which it is can't be decided.

    >>> from jx_core.symbolic import symbolic_shape
    >>> (n,) = symbolic_shape("n")
    >>> minimum(2, 3), minimum(n, 5), minimum(n, 1)  # a dimension is at least 1
    (2, min(n, 5), 1)
    """
    return _extreme(a, b, MIN)


def _extreme(a: DimSize, b: DimSize, name: str) -> DimSize:
    if type(a) is int and type(b) is int:
        return max(a, b) if name == MAX else min(a, b)
    from .bounds import compare

    decided = compare(a, b, ">=")
    if decided is None and compare(b, a, ">="):
        decided = False
    if decided is None:
        first, second = sorted((a, b), key=lambda d: (type(d) is int, str(d)))
        return _atomic(common_scope(a, b), name, first, second)
    return a if decided == (name == MAX) else b


def non_negative(a: DimSize) -> Any:
    """`max(a, 0)`."""
    return maximum(a, 0)


def _of_values(symbolic: Any, of_numbers: Any) -> Callable[[Any, Any], Any]:
    """The operation on numbers, and on dimensions where `evaluate` is given those."""

    def apply(a: Any, b: Any) -> Any:
        either = isinstance(a, DimExpr) or isinstance(b, DimExpr)
        return symbolic(a, b) if either else of_numbers(a, b)

    return apply


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    FLOORDIV: operator.floordiv,
    MOD: operator.mod,
    MAX: _of_values(maximum, max),
    MIN: _of_values(minimum, min),
}
APPLY: dict[str, Callable[[Any, Any], DimSize]] = {
    FLOORDIV: floordiv,
    MOD: mod,
    MAX: maximum,
    MIN: minimum,
}


def evaluate(
    dim: DimSize,
    env: Mapping[str, Any],
    operations: Mapping[str, Callable[[Any, Any], Any]] = _OPERATIONS,
) -> Any:
    """The value of a dimension, its operations applied to what `env` has for each variable."""
    if not isinstance(dim, DimExpr):
        return dim
    total: Any = None
    for monomial, c in dim.terms:
        product: Any = None
        for atom, exponent in monomial:
            if atom.is_variable:
                value = env[atom.name]
            else:
                operands = [evaluate(x, env, operations) for x in atom.operands]
                value = operations[atom.name](*operands)
            for _ in range(exponent):
                product = value if product is None else product * value
        if product is None:
            product = c
        elif c != 1:
            product = product * c
        total = product if total is None else total + product
    return total


def substitute(dim: DimSize, env: Mapping[str, DimSize]) -> DimSize:
    """The dimension with dimensions put in place of its variables."""
    return evaluate(dim, env, APPLY)  # type: ignore[no-any-return]


# --- text ---


def _sum_text(terms: tuple[tuple[Monomial, int], ...]) -> str:
    """A text that parses back: positive terms first."""
    parts = [(m, c) for m, c in terms if c > 0] + [(m, c) for m, c in terms if c < 0]
    text = ""
    for monomial, c in parts:
        factors = [f"{a}^{n}" if n > 1 else str(a) for a, n in monomial]
        if abs(c) != 1 or not factors:
            factors.insert(0, str(abs(c)))
        sign = ("-" if c < 0 else "") if not text else (" - " if c < 0 else " + ")
        text += sign + "*".join(factors)
    return text


def _range(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "any integer"
    if math.isinf(high):
        return f"{low} or more"
    if math.isinf(low):
        return f"{high} or less"
    return f"between {low} and {high}"


def cure(scope: SymbolicScope, constraint: str) -> str:
    known = f" The scope's constraints are {list(scope.constraints)}." if scope.constraints else ""
    return (
        f"If it always holds, say so with a constraint: symbolic_shape(..., "
        f"constraints=[{constraint!r}]) (or constraints= of symbolic_args_specs); dimension "
        f"variables are at least 1.{known}"
    )


def inconclusive_comparison(
    a: DimSize, b: DimSize, sign: str
) -> InconclusiveDimensionOperation:
    from .bounds import bounds

    low, high = bounds(subtract(a, b))
    scope = common_scope(a, b)
    strict = {">": (f"{a} >= {add(b, 1)}"), "<": (f"{a} <= {subtract(b, 1)}")}
    return InconclusiveDimensionOperation(
        f"Symbolic dimension comparison '{a}' {sign} '{b}' is inconclusive: it holds for some "
        f"values of the dimension variables and not for others ({subtract(a, b)} may be "
        f"{_range(low, high)}). {cure(scope, strict.get(sign, f'{a} {sign} {b}'))}"
    )
