"""From actual shapes to the values of dimension variables, and the checks that go with it.

`DimensionSolver` finds once in which order the variables follow from the sizes of arguments:
each from a dimension that is linear in it when the others are known. A call evaluates that
plan on its sizes; lowering writes it as operations. Here, too, is what a call is told whose
shapes don't fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .bounds import bounds
from .expressions import Atom, DimExpr, DimSize, divide_monomials, evaluate, make
from .scope import SymbolicScope

Shape = Sequence[DimSize]


class Step(NamedTuple):
    """`variable = (size of argument `argument` along `axis` - rest) / coefficient`."""

    variable: str
    argument: int
    axis: int
    dim: DimExpr
    coefficient: DimSize
    rest: DimSize


class DimensionSolver:
    """How the dimension variables of some arguments' shapes are worked out.

    Args:
        shapes: the shapes of the arguments, some of them symbolic.
        names: what to call each argument in messages; `args[0]` and so on if None.

    Attributes:
        steps: the variables in the order in which they are solved for.
        checks: the other dimensions, (argument, axis, dim), which follow from those.
        scope: the scope of the dimensions, None where none is symbolic.

    Raises:
        ValueError: a variable does not follow from the shapes, or scopes are mixed.

    >>> from jx_core.symbolic import symbolic_shape
    >>> solver = DimensionSolver([symbolic_shape("2*b, c + 1")])
    >>> solver.solve([(6, 4)])
    {'b': 3, 'c': 3}
    """

    def __init__(self, shapes: Sequence[Shape], names: Sequence[str] | None = None) -> None:
        self.shapes = [tuple(s) for s in shapes]
        self.names = list(names) if names else [f"args[{i}]" for i in range(len(shapes))]
        self.scope = _one_scope(self.shapes, self.names)
        self.steps: list[Step] = []
        self.checks: list[tuple[int, int, DimSize]] = []
        self._plan()

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables, in the order in which they are solved for."""
        return tuple(step.variable for step in self.steps)

    def _plan(self) -> None:
        left = [(i, axis, d) for i, s in enumerate(self.shapes) for axis, d in enumerate(s)]
        # The plain ones first: they need no division.
        left.sort(key=lambda p: not (isinstance(p[2], DimExpr) and p[2].as_variable()))
        known: set[str] = set()
        progress = True
        while progress:
            progress, waiting = False, []
            for i, axis, d in left:
                unknown = d.variables() - known if isinstance(d, DimExpr) else frozenset()
                step = self._step(i, axis, d, unknown) if len(unknown) == 1 else None
                if not unknown:
                    self.checks.append((i, axis, d))
                elif step is None:
                    waiting.append((i, axis, d))
                else:
                    self.steps.append(step)
                    known.add(step.variable)
                    progress = True
            left = waiting
        self.checks.sort(key=lambda check: check[:2])
        if left:
            missing = sorted(set().union(*(variables_of(d) for _, _, d in left)) - known)
            where = ", ".join(f"'{d}' for {self._place(i, axis)}" for i, axis, d in left)
            raise ValueError(
                f"Cannot solve for values of dimension variables {missing}. Each must follow from "
                f"a dimension of an argument that is linear in it, once the others are known. "
                f"{self.described()} Dimensions that don't help: {where}. Pass an argument "
                f"in whose shape the variable stands alone (a dummy of shape (b, 0) will do)"
            )

    def _step(self, i: int, axis: int, d: Any, unknown: frozenset[str]) -> Step | None:
        """The step that solves for the one unknown variable, if `d` is linear in it."""
        (name,) = unknown
        alone = ((Atom(name), 1),)
        factors, others = {}, {}
        for monomial, c in d.terms:
            factor = divide_monomials(monomial, alone)
            if factor is None:
                others[monomial] = c
            else:
                factors[factor] = c
        coefficient, rest = make(d.scope, factors), make(d.scope, others)
        if name in variables_of(coefficient) | variables_of(rest):
            return None
        low, high = bounds(coefficient)
        if low <= 0 <= high:
            return None
        return Step(name, i, axis, d, coefficient, rest)

    def solve(self, shapes: Sequence[Sequence[int]]) -> dict[str, int]:
        """The values of the variables for these actual shapes.

        Raises:
            ValueError: the shapes don't fit the symbolic ones, or a constraint does not hold;
                the message says which, and what was found of the variables.
        """
        for i, (want, have) in enumerate(zip(self.shapes, shapes, strict=True)):
            if len(want) != len(have):
                raise ValueError(
                    f"Rank mismatch for {self.names[i]}: expected {_text(want)} and called with "
                    f"{tuple(have)}"
                )
        env: dict[str, int] = {}
        for step in self.steps:
            size = shapes[step.argument][step.axis]
            left = size - evaluate(step.rest, env)
            value, remainder = divmod(left, evaluate(step.coefficient, env))
            if remainder:
                raise self._mismatch(
                    f"Division had remainder {remainder} when computing the value of "
                    f"'{step.variable}' from {self._place(step.argument, step.axis)} (= {size}), "
                    f"which is to be '{step.dim}'",
                    env, shapes,
                )  # fmt: skip
            env[step.variable] = value
            if value < 1:
                raise self._mismatch(
                    f"Expected value >= 1 for dimension variable '{step.variable}'", env, shapes
                )
        self._check(env, shapes)
        return env

    def _check(self, env: dict[str, int], shapes: Sequence[Sequence[int]]) -> None:
        for i, axis, d in self.checks:
            size, expected = shapes[i][axis], evaluate(d, env)
            if size != expected:
                value = f" (= {expected})" if isinstance(d, DimExpr) else ""
                raise self._mismatch(
                    f"Found inconsistency between dimension size {self._place(i, axis)} "
                    f"(= {size}) and the specification '{d}'{value}",
                    env, shapes,
                )  # fmt: skip
        for text, left, sign, right in self.constraints(env):
            a, b = evaluate(left, env), evaluate(right, env)
            if not {"==": a == b, ">=": a >= b, "<=": a <= b}[sign]:
                raise ValueError(
                    f"Input shapes do not match the symbolic shape constraint {text}: the left "
                    f"side is {a}, the right side {b}. {self._facts(env, shapes)}"
                )

    def constraints(self, known: Any) -> Iterator[tuple[str, DimSize, str, DimSize]]:
        """The scope's constraints whose variables are all among `known`."""
        for text, left, sign, right in self.scope.assumed if self.scope else ():
            if all(v in known for v in variables_of(left) | variables_of(right)):
                yield text, left, sign, right

    def _mismatch(
        self, what: str, env: dict[str, int], shapes: Sequence[Sequence[int]]
    ) -> ValueError:
        return ValueError(
            f"Input shapes do not match the polymorphic shapes specification. {what}. "
            f"{self._facts(env, shapes)}"
        )

    def _facts(self, env: dict[str, int], shapes: Sequence[Sequence[int]]) -> str:
        found = ", ".join(
            f"'{s.variable}' = {env[s.variable]} from specification '{s.dim}' for dimension "
            f"{self._place(s.argument, s.axis)} (= {shapes[s.argument][s.axis]})"
            for s in self.steps
            if s.variable in env
        )
        return f"{self.described()} Obtained dimension variables: {found or 'none'}."

    def specifications(self) -> str:
        """The symbolic shapes as text, `args[0].shape = (b, 2)`."""
        symbolic = [
            f"{name}.shape = {_text(s)}"
            for name, s in zip(self.names, self.shapes, strict=True)
            if any(isinstance(d, DimExpr) for d in s)
        ]
        return ", ".join(symbolic)

    def described(self) -> str:
        """A sentence on the symbolic shapes, for messages."""
        return f"Using the following polymorphic shapes specifications: {self.specifications()}."

    def _place(self, argument: int, axis: int) -> str:
        return f"{self.names[argument]}.shape[{axis}]"


def variables_of(dim: DimSize) -> frozenset[str]:
    return dim.variables() if isinstance(dim, DimExpr) else frozenset()


def _text(shape: Shape) -> str:
    inside = ", ".join(map(str, shape))
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def _one_scope(shapes: Sequence[Shape], names: Sequence[str]) -> SymbolicScope | None:
    first: tuple[DimExpr, str] | None = None
    for shape, name in zip(shapes, names, strict=True):
        for d in shape:
            if not isinstance(d, DimExpr):
                continue
            if first is None:
                first = d, name
            elif d.scope is not first[0].scope:
                raise ValueError(
                    f"Invalid mixing of symbolic scopes: {first[1]} has dimension {first[0]} of "
                    f"{first[0].scope.describe()}, and {name} has {d} of {d.scope.describe()}. "
                    f"Make all shapes with one scope: symbolic_shape(..., scope=scope), or in "
                    f"one call of symbolic_args_specs"
                )
    return None if first is None else first[0].scope


def check_shapes(
    shapes: Sequence[Shape], actual: Sequence[Sequence[int]], names: Sequence[str] | None = None
) -> dict[str, int]:
    """The values of the dimension variables for which `shapes` are the `actual` ones.

    Args:
        shapes: symbolic shapes, of one scope.
        actual: integers.
        names: what to call each in messages.

    Raises:
        ValueError: there are none; the message says why.

    >>> from jx_core.symbolic import symbolic_shape
    >>> check_shapes([symbolic_shape("b, 3")], [(4, 3)])
    {'b': 4}
    """
    return DimensionSolver(shapes, names).solve(actual)
