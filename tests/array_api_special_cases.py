"""The special cases that the array API standard, version 2024.12, lists for each function.

A line is a case: the operand or operands, `=`, the result. What stands for several values is
written by a word of `WORDS`. In results, `±` says that the sign is left open, and `x1` and `x2`
are the operands. The facts are those of the functions' "Special cases" in
https://data-apis.org/array-api/2024.12/API_specification/elementwise_functions.html; complex
numbers are written as two parts.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

INF, NAN, PI = math.inf, math.nan, math.pi

POSITIVE = (0.25, 1.0, 1.5, 3.0, 1e10)
NEGATIVE = tuple(-x for x in POSITIVE)
NONZERO = POSITIVE + NEGATIVE
ZERO = (0.0, -0.0)
WORDS = {
    "0": (0.0,), "-0": (-0.0,), "zero": ZERO, "inf": (INF,), "-inf": (-INF,), "nan": (NAN,),
    "-nan": (-NAN,), "infinite": (INF, -INF), "positive": POSITIVE, "negative": NEGATIVE,
    "nonzero": NONZERO, "finite": ZERO + NONZERO, "known": ZERO + NONZERO + (INF, -INF),
    "any": ZERO + NONZERO + (INF, -INF, NAN),
    "over0": (*POSITIVE, INF), "under0": (*NEGATIVE, -INF),
    "over1": (1.5, 3.0, INF), "under-1": (-1.5, -3.0, -INF), "under1": (0.5, -2.0, -INF),
    "large": (1.5, -3.0, INF, -INF), "small": (0.5, -0.25, 0.0, -0.0), "unit": (1.0, -1.0),
    "even": (2.0, -4.0), "odd+": (1.0, 3.0), "odd-": (-1.0, -3.0),
    "not-odd+": (2.0, 0.5, 4.0, INF), "not-odd-": (-2.0, -0.5, -4.0, -INF),
    "fraction": (0.5, -1.5), "not0": (*NONZERO, INF, -INF, NAN), "not1": (0.0, -1.0, 2.0, INF, NAN),
    "whole": (1.0, -1.0, 2.0, -3.0), "half-even": (0.5, 2.5, -0.5), "half-odd": (1.5, 3.5, -1.5),
    "π": (PI,), "π/2": (PI / 2,), "-π/2": (-PI / 2,), "π/4": (PI / 4,), "3π/4": (3 * PI / 4,),
    "-π": (-PI,), "-π/4": (-PI / 4,), "-3π/4": (-3 * PI / 4,),
}  # fmt: skip


class Case(NamedTuple):
    """One call: the operands (parts of the one operand, for complex functions) and the result."""

    operands: tuple[float, ...]
    result: tuple[str, ...]


def cases(text: str) -> list[Case]:
    """The cases of a table, one for every value that the words of a line stand for."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        given, result = (side.split() for side in line.split("="))
        for operands in itertools.product(*(values(word) for word in given)):
            found.append(Case(operands, tuple(result)))
    return found


def values(word: str) -> tuple[float, ...]:
    return WORDS[word] if word in WORDS else (float(word),)


_ODD = "nan = nan\n0 = 0\n-0 = -0\n"
_ROUND = _ODD + "inf = inf\n-inf = -inf\nwhole = x1\n"
_LOG = "nan = nan\nnegative = nan\n-inf = nan\nzero = -inf\n1 = 0\ninf = inf"

REAL = {
    "abs": "nan = nan\n-0 = 0\n-inf = inf\ninf = inf",
    "acos": "nan = nan\nover1 = nan\nunder-1 = nan\n1 = 0",
    "acosh": "nan = nan\nunder1 = nan\n1 = 0\ninf = inf",
    "asin": _ODD + "over1 = nan\nunder-1 = nan",
    "asinh": _ODD + "inf = inf\n-inf = -inf",
    "atan": _ODD + "inf = π/2\n-inf = -π/2",
    "atanh": _ODD + "under-1 = nan\nover1 = nan\n-1 = -inf\n1 = inf",
    "ceil": _ROUND,
    "cos": "nan = nan\nzero = 1\ninfinite = nan",
    "cosh": "nan = nan\nzero = 1\ninfinite = inf",
    "exp": "nan = nan\nzero = 1\ninf = inf\n-inf = 0",
    "expm1": _ODD + "inf = inf\n-inf = -1",
    "floor": _ROUND,
    "log": _LOG,
    "log1p": _ODD + "under-1 = nan\n-1 = -inf\ninf = inf",
    "log2": _LOG,
    "log10": _LOG,
    "negative": "0 = -0\n-0 = 0\ninf = -inf\n-inf = inf\nnan = nan",
    "positive": _ROUND,
    "reciprocal": "nan = nan\n0 = inf\n-0 = -inf\ninf = 0\n-inf = -0",
    "round": _ROUND + "0.5 = 0\n2.5 = 2\n1.5 = 2\n3.5 = 4\n-1.5 = -2\n-2.5 = -2\n-0.5 = -0",
    "sign": "nan = nan\nunder0 = -1\nzero = 0\nover0 = 1",
    "sin": _ODD + "infinite = nan",
    "sinh": _ODD + "inf = inf\n-inf = -inf",
    "square": "nan = nan\nzero = 0\ninfinite = inf",
    "sqrt": _ODD + "under0 = nan\ninf = inf",
    "tan": _ODD + "infinite = nan",
    "tanh": _ODD + "inf = 1\n-inf = -1",
    "trunc": _ROUND,
}

_QUOTIENT = """
    nan any = nan
    any nan = nan
    infinite infinite = nan
    zero zero = nan
"""

REAL_PAIRS = {
    "add": """
        nan any = nan
        any nan = nan
        inf -inf = nan
        -inf inf = nan
        inf inf = inf
        -inf -inf = -inf
        inf finite = inf
        -inf finite = -inf
        finite inf = inf
        finite -inf = -inf
        -0 -0 = -0
        -0 0 = 0
        0 -0 = 0
        0 0 = 0
        zero nonzero = x2
        nonzero zero = x1
        1.5 -1.5 = 0
        -3 3 = 0
    """,
    "subtract": """
        nan any = nan
        inf inf = nan
        inf -inf = inf
        -inf inf = -inf
        -0 0 = -0
        -0 -0 = 0
        0 0 = 0
        1.5 1.5 = 0
    """,
    "multiply": """
        nan any = nan
        any nan = nan
        infinite zero = nan
        zero infinite = nan
        inf over0 = inf
        inf under0 = -inf
        -inf over0 = -inf
        -inf under0 = inf
        over0 inf = inf
        under0 inf = -inf
        over0 -inf = -inf
        0 positive = 0
        0 negative = -0
        -0 positive = -0
        -0 negative = 0
        negative 0 = -0
    """,
    "divide": _QUOTIENT + """
        0 over0 = 0
        -0 over0 = -0
        0 under0 = -0
        -0 under0 = 0
        over0 0 = inf
        over0 -0 = -inf
        under0 0 = -inf
        under0 -0 = inf
        inf positive = inf
        inf negative = -inf
        -inf positive = -inf
        -inf negative = inf
        positive inf = 0
        positive -inf = -0
        negative inf = -0
        negative -inf = 0
    """,
    "floor_divide": _QUOTIENT + """
        0 over0 = 0
        -0 over0 = -0
        0 under0 = -0
        -0 under0 = 0
        positive 0 = inf
        positive -0 = -inf
        negative 0 = -inf
        negative -0 = inf
        inf 0 = inf
        inf -0 = -inf
        -inf 0 = -inf
        -inf -0 = inf
        inf positive = inf
        inf negative = -inf
        -inf positive = -inf
        -inf negative = inf
        positive inf = 0
        positive -inf = -0
        negative inf = -0
        negative -inf = 0
        1 3 = 0
        -1 -3 = 0
        -1 3 = -1
        7 -2 = -4
    """,
    "remainder": _QUOTIENT + """
        0 over0 = 0
        -0 over0 = 0
        0 under0 = -0
        -0 under0 = -0
        nonzero zero = nan
        infinite finite = nan
        positive inf = x1
        positive -inf = x2
        negative inf = x2
        negative -inf = x1
        -3 1.5 = 0
        3 -1.5 = -0
        7 -2 = -1
        -7 2 = 1
    """,
    "pow": """
        not1 nan = nan
        any zero = 1
        nan not0 = nan
        large inf = inf
        large -inf = 0
        unit infinite = 1
        1 known = 1
        small inf = 0
        small -inf = inf
        inf over0 = inf
        inf under0 = 0
        -inf odd+ = -inf
        -inf not-odd+ = inf
        -inf odd- = -0
        -inf not-odd- = 0
        0 over0 = 0
        0 under0 = inf
        -0 odd+ = -0
        -0 not-odd+ = 0
        -0 odd- = -inf
        -0 not-odd- = inf
        negative fraction = nan
    """,
    "atan2": """
        nan any = nan
        any nan = nan
        over0 zero = π/2
        0 over0 = 0
        0 0 = 0
        0 -0 = π
        0 under0 = π
        -0 over0 = -0
        -0 0 = -0
        -0 -0 = -π
        -0 under0 = -π
        under0 zero = -π/2
        positive inf = 0
        positive -inf = π
        negative inf = -0
        negative -inf = -π
        inf finite = π/2
        -inf finite = -π/2
        inf inf = π/4
        inf -inf = 3π/4
        -inf inf = -π/4
        -inf -inf = -3π/4
    """,
    "hypot": """
        infinite any = inf
        any infinite = inf
        zero any = |x2|
        any zero = |x1|
        finite nan = nan
        nan finite = nan
        nan nan = nan
        3 -4 = 5
        3e30 4e30 = 5e30
        3e-30 4e-30 = 5e-30
    """,
    "logaddexp": """
        nan any = nan
        any nan = nan
        inf known = inf
        known inf = inf
        -inf nonzero = x2
        nonzero -inf = x1
    """,
    "copysign": """
        any -0 = -|x1|
        any under0 = -|x1|
        any 0 = |x1|
        any over0 = |x1|
        any nan = |x1|
        any -nan = -|x1|
    """,
    "maximum": "nan any = nan\nany nan = nan\ninf known = inf\n-inf known = x2",
    "minimum": "nan any = nan\nany nan = nan\n-inf known = -inf\ninf known = x2",
    "nextafter": """
        nan any = nan
        any nan = nan
        -0 0 = 0
        0 -0 = -0
        1 1 = 1
        inf inf = inf
    """,
}

# The imaginary part is negated with the operand's: f(conj(z)) = conj(f(z)), for all of these.
COMPLEX = {
    "acos": """
        zero 0 = π/2 -0
        zero nan = π/2 nan
        finite inf = π/2 -inf
        nonzero nan = nan nan
        -inf positive = π -inf
        inf positive = 0 -inf
        -inf inf = 3π/4 -inf
        inf inf = π/4 -inf
        infinite nan = nan ±inf
        nan finite = nan nan
        nan inf = nan -inf
        nan nan = nan nan
    """,
    "acosh": """
        zero 0 = 0 π/2
        finite inf = inf π/2
        nonzero nan = nan nan
        0 nan = nan ±π/2
        -inf positive = inf π
        inf positive = inf 0
        -inf inf = inf 3π/4
        inf inf = inf π/4
        infinite nan = inf nan
        nan finite = nan nan
        nan inf = inf nan
        nan nan = nan nan
    """,
    "asinh": """
        0 0 = 0 0
        positive inf = inf π/2
        finite nan = nan nan
        inf positive = inf 0
        inf inf = inf π/4
        nan 0 = nan 0
        nan nonzero = nan nan
        nan inf = ±inf nan
        nan nan = nan nan
    """,
    "atanh": """
        0 0 = 0 0
        0 nan = 0 nan
        1 0 = inf 0
        positive inf = 0 π/2
        nonzero nan = nan nan
        inf positive = 0 π/2
        inf inf = 0 π/2
        inf nan = 0 nan
        nan finite = nan nan
        nan inf = ±0 π/2
        nan nan = nan nan
    """,
    "cosh": """
        0 0 = 1 0
        0 inf = nan ±0
        0 nan = nan ±0
        nonzero inf = nan nan
        nonzero nan = nan nan
        inf 0 = inf 0
        inf nonzero = cis·inf cis·inf
        inf inf = ±inf nan
        inf nan = inf nan
        nan zero = nan ±0
        nan nonzero = nan nan
        nan nan = nan nan
    """,
    "exp": """
        zero 0 = 1 0
        finite inf = nan nan
        finite nan = nan nan
        inf 0 = inf 0
        -inf finite = cis·0 cis·0
        inf nonzero = cis·inf cis·inf
        -inf inf = ±0 ±0
        inf inf = ±inf nan
        -inf nan = ±0 ±0
        inf nan = ±inf nan
        nan 0 = nan 0
        nan nonzero = nan nan
        nan nan = nan nan
    """,
    "expm1": """
        zero 0 = 0 0
        finite inf = nan nan
        finite nan = nan nan
        inf 0 = inf 0
        -inf finite = -1 cis·0
        inf nonzero = cis·inf cis·inf
        -inf inf = -1 ±0
        inf inf = ±inf nan
        -inf nan = -1 ±0
        inf nan = ±inf nan
        nan 0 = nan 0
        nan nonzero = nan nan
        nan nan = nan nan
    """,
    "log": """
        -0 0 = -inf π
        0 0 = -inf 0
        finite inf = inf π/2
        finite nan = nan nan
        -inf positive = inf π
        inf positive = inf 0
        -inf inf = inf 3π/4
        inf inf = inf π/4
        infinite nan = inf nan
        nan finite = nan nan
        nan inf = inf nan
        nan nan = nan nan
    """,
    "sinh": """
        0 0 = 0 0
        0 inf = ±0 nan
        0 nan = ±0 nan
        positive inf = nan nan
        positive nan = nan nan
        inf 0 = inf 0
        inf positive = cis·inf cis·inf
        inf inf = ±inf nan
        inf nan = ±inf nan
        nan 0 = nan 0
        nan nonzero = nan nan
        nan nan = nan nan
    """,
    # The standard's lines for infinite real parts contradict C, and the limits; see below.
    "sqrt": """
        zero 0 = 0 0
        any inf = inf inf
        finite nan = nan nan
        -inf positive = 0 inf
        inf positive = inf 0
        -inf nan = nan ±inf
        inf nan = inf nan
        nan finite = nan nan
        nan nan = nan nan
    """,
    "tanh": """
        0 0 = 0 0
        nonzero inf = nan nan
        0 inf = 0 nan
        nonzero nan = nan nan
        0 nan = 0 nan
        inf positive = 1 0
        inf inf = 1 ±0
        inf nan = 1 ±0
        nan 0 = nan 0
        nan nonzero = nan nan
        nan nan = nan nan
    """,
    "sign": """
        zero zero = 0 0
        nan any = nan nan
        any nan = nan nan
        3 4 = 0.6 0.8
        0 -2 = ±0 -1
    """,
    "round": """
        nan 2.5 = nan 2
        inf -0 = inf -0
        -0 nan = -0 nan
        -inf 1.5 = -inf 2
        whole 0.5 = x1 0
    """,
}
COMPLEX["log1p"] = "\n".join(
    line for line in COMPLEX["log"].splitlines() if " 0 = -inf" not in line.replace("-0", " 0")
) + "\n-1 0 = -inf 0"

ODD = ("asinh", "atanh", "sinh", "tanh")  # f(-z) = -f(z) for complex z as well
EVEN = ("cosh",)
# f(z) = -i g(iz), and cos z = cosh(iz).
TURNED = {"asin": "asinh", "atan": "atanh", "sin": "sinh", "tan": "tanh", "cos": "cosh"}
# f(z) = log(z) / log(base).
OTHER_BASES = {"log2": 2.0, "log10": 10.0}

COMPLEX_SIZE = """
    infinite any = inf
    any infinite = inf
    zero finite = |x2|
    finite zero = |x1|
    nan finite = nan
    finite nan = nan
    nan nan = nan
"""


def matches(got: float, word: str, operands: tuple[float, ...], tolerance: float) -> bool:
    """Whether a result is what `word` says, the signs of zeros included."""
    if "|" in word and not word.strip("-").startswith("|"):
        return any(matches(got, w, operands, tolerance) for w in word.split("|"))
    if word.startswith("±"):
        return matches(abs(got), word[1:], operands, tolerance)
    if word == "nan":
        return math.isnan(got)
    want = _value(word, operands)
    if math.isnan(want):  # a NaN that is an operand's, whose sign counts
        return math.isnan(got) and math.copysign(1, got) == math.copysign(1, want)
    if want == 0:
        return got == 0 and math.copysign(1, got) == math.copysign(1, want)
    return got == want or (math.isfinite(want) and abs(got - want) <= tolerance * abs(want))


def _value(word: str, operands: tuple[float, ...]) -> float:
    if word.startswith("-|"):
        return math.copysign(_value(word[1:], operands), -1.0)
    if word.startswith("|"):
        return math.copysign(_value(word.strip("|"), operands), 1.0)
    if word in ("x1", "x2"):
        return operands[int(word[1]) - 1]
    return values(word)[0]
