"""Reading dimensions, shapes and constraints from text.

    shape      = ["("] [item {"," item} [","]] [")"]       item = expression | "_" | "..."
    expression = ["-"] product {("+" | "-") product}
    product    = power {("*" | "//" | "%") power}
    power      = primary [("^" | "**") NUMBER]
    primary    = NUMBER | NAME | NAME "(" expression {"," expression} ")" | "(" expression ")"
    constraint = expression ("==" | ">=" | "<=") expression
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from .expressions import (
    DimExpr,
    DimSize,
    add,
    floordiv,
    maximum,
    minimum,
    mod,
    multiply,
    non_negative,
    subtract,
    variable,
)
from .scope import SymbolicScope

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+)|(?P<name>[A-Za-z][A-Za-z0-9_]*)|"
    r"(?P<sign>\.\.\.|\*\*|//|==|>=|<=|[-+*%^(),_]))"
)
_FUNCTIONS: dict[str, tuple[int, Callable[..., DimSize]]] = {
    "floordiv": (2, floordiv),
    "mod": (2, mod),
    "max": (2, maximum),
    "min": (2, minimum),
    "non_negative": (1, non_negative),
}


class _Parser:
    def __init__(self, text: str, scope: SymbolicScope, what: str) -> None:
        self.text, self.scope, self.what = text, scope, what
        self.tokens: list[tuple[str, str, int]] = []
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                start = len(text) - len(text[place:].lstrip())
                raise ValueError(f"syntax error in {what} {text!r}: unexpected {text[start]!r}")
            kind = str(found.lastgroup)
            self.tokens.append((kind, found.group(kind), found.start(kind)))
            place = found.end()
        self.tokens.append(("end", "", len(text)))
        self.next = 0

    def peek(self) -> str:
        return self.tokens[self.next][1]

    def take(self, *signs: str) -> str | None:
        """The next token if it is one of `signs`."""
        kind, text, _ = self.tokens[self.next]
        if kind != "sign" or text not in signs:
            return None
        self.next += 1
        return text

    def fail(self, expected: str) -> ValueError:
        _, text, place = self.tokens[self.next]
        found = repr(text) if text else "the end"
        return ValueError(
            f"syntax error in {self.what} {self.text!r}: expected {expected} but found {found} "
            f"at position {place}"
        )

    def expect(self, sign: str) -> None:
        if self.take(sign) is None:
            raise self.fail(repr(sign))

    def expression(self) -> DimSize:
        if self.take("-"):
            result = multiply(-1, self.product())
        else:
            result = self.product()
        while sign := self.take("+", "-"):
            result = (add if sign == "+" else subtract)(result, self.product())
        return result

    def product(self) -> DimSize:
        result = self.power()
        while sign := self.take("*", "//", "%"):
            operation = {"*": multiply, "//": floordiv, "%": mod}[sign]
            result = operation(result, self.power())
        return result

    def power(self) -> DimSize:
        result = base = self.primary()
        if self.take("^", "**"):
            kind, text, _ = self.tokens[self.next]
            if kind != "number":
                raise self.fail("a number as the exponent")
            self.next += 1
            result = 1
            for _ in range(int(text)):
                result = multiply(result, base)
        return result

    def primary(self) -> DimSize:
        kind, text, _ = self.tokens[self.next]
        if kind == "number":
            self.next += 1
            return int(text)
        if kind == "name":
            self.next += 1
            if self.peek() != "(":
                return variable(self.scope, text)
            return self.call(text)
        if self.take("-"):
            return multiply(-1, self.primary())
        if self.take("("):
            result = self.expression()
            self.expect(")")
            return result
        raise self.fail("a number, a variable, an operation or '-'")

    def call(self, name: str) -> DimSize:
        if name not in _FUNCTIONS:
            self.next -= 1
            raise self.fail(f"one of the operations {sorted(_FUNCTIONS)}")
        count, function = _FUNCTIONS[name]
        self.expect("(")
        operands = [self.expression()]
        while self.take(","):
            operands.append(self.expression())
        self.expect(")")
        if len(operands) != count:
            raise ValueError(
                f"syntax error in {self.what} {self.text!r}: {name} takes {count} operands, got "
                f"{len(operands)}"
            )
        return function(*operands)


def parse_dimension(text: str, scope: SymbolicScope) -> DimSize:
    """The dimension that a text describes.

    Raises:
        ValueError: it does not parse.
    """
    parser = _Parser(text, scope, "symbolic dimension")
    result = parser.expression()
    if parser.tokens[parser.next][0] != "end":
        raise parser.fail("the end")
    return result


def parse_constraint(text: str, scope: SymbolicScope) -> tuple[DimSize, str, DimSize]:
    """Both sides of a constraint, and the comparison between them.

    Raises:
        ValueError: it does not parse.
    """
    if not isinstance(text, str):
        raise ValueError(
            f"a symbolic constraint must be a string such as 'a >= 8', got {text!r}"
        )
    parser = _Parser(text.replace(">=", " >= "), scope, "symbolic constraint") if re.search(
        r"==|>=|<=", text
    ) else None
    if parser is None:
        raise ValueError(
            f"Constraint parsing error: {text!r} must contain one of '==' or '>=' or '<='"
        )
    left = parser.expression()
    sign = parser.take("==", ">=", "<=")
    if sign is None:
        raise parser.fail("'==', '>=' or '<='")
    right = parser.expression()
    if parser.tokens[parser.next][0] != "end":
        raise parser.fail("the end")
    return left, sign, right


def parse_shape(
    text: str | None, scope: SymbolicScope, like: Sequence[Any] | None
) -> tuple[DimSize, ...]:
    """The shape that a text describes, placeholders filled in from `like`.

    Raises:
        ValueError: it does not parse, or does not go with `like`.
    """
    parser = _Parser("..." if text is None else text, scope, "symbolic shape")
    closing = _in_brackets(parser)
    dims: list[DimSize] = []
    end = ")" if closing else ""
    if closing:
        parser.take("(")
    while parser.peek() != end:
        if parser.take("..."):
            dims += _rest(parser, like, len(dims))
            parser.take(",")
            if parser.peek() != end:
                raise parser.fail("nothing after '...'")
            break
        if parser.take("_"):
            dims.append(_placeholder(parser, like, len(dims)))
        else:
            dims.append(parser.expression())
        if parser.peek() != end and not parser.take(","):
            raise parser.fail("','")
    if closing:
        parser.expect(")")
        if parser.tokens[parser.next][0] != "end":
            raise parser.fail("the end")
    _check_like(parser, dims, like)
    return tuple(dims)


def _in_brackets(parser: _Parser) -> bool:
    """Whether brackets go around the whole shape."""
    texts = [t for _, t, _ in parser.tokens[:-1]]
    if not texts or texts[0] != "(" or texts[-1] != ")":
        return False
    depth = 0
    for i, t in enumerate(texts):
        depth += (t == "(") - (t == ")")
        if depth == 0 and i < len(texts) - 1:
            return False
    return True


def _rest(parser: _Parser, like: Sequence[Any] | None, start: int) -> list[DimSize]:
    if like is None:
        raise ValueError(
            f"symbolic shape {parser.text!r} contains '...' but no 'like' shape was given to "
            f"fill it in from"
        )
    return [_placeholder(parser, like, i) for i in range(start, len(like))]


def _placeholder(parser: _Parser, like: Sequence[Any] | None, i: int) -> DimSize:
    if like is None:
        raise ValueError(
            f"symbolic shape {parser.text!r} contains '_' in dimension {i} but no 'like' shape "
            f"was given to fill it in from"
        )
    if i >= len(like):
        raise ValueError(
            f"symbolic shape {parser.text!r} has more dimensions than the 'like' shape {like}"
        )
    if like[i] is None:
        raise ValueError(
            f"symbolic shape {parser.text!r} contains '_' in dimension {i}, where the 'like' "
            f"shape {like} has None"
        )
    return like[i]  # type: ignore[no-any-return]


def _check_like(parser: _Parser, dims: list[DimSize], like: Sequence[Any] | None) -> None:
    if like is None:
        return
    if len(dims) != len(like):
        raise ValueError(
            f"symbolic shape {parser.text!r} has {len(dims)} dimensions, and the 'like' shape "
            f"{tuple(like)} has {len(like)}"
        )
    for i, (d, other) in enumerate(zip(dims, like, strict=True)):
        known = not isinstance(d, DimExpr) and not isinstance(other, DimExpr)
        if known and other is not None and d != other:
            raise ValueError(
                f"symbolic shape {parser.text!r} has {d} in dimension {i}, and the 'like' shape "
                f"{tuple(like)} has {other}: a constant dimension must be that of 'like'"
            )
