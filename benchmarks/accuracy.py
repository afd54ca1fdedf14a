"""Measure how precise functions are, in jx and in JAX: `python benchmarks/accuracy.py`.

Each function is evaluated at pseudo-random points of a stated domain, in float32 and float64,
by jx compiled by XLA, by jx's reference meaning in NumPy, and by JAX in an environment and a
process of its own; mpmath gives the exact values. An error is counted in ULPs: units in the last
place of the exact value, rounded. Points whose exact value is no normal number are left out.
The table goes into docs/accuracy.md.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
from peer import peer_python

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "accuracy.md"
WORKER = Path(__file__).with_name("accuracy_worker.py")
DTYPES = ("float32", "float64")
DIGITS = 50


@dataclass(frozen=True)
class Range:
    """Where an operand is drawn from: evenly, or evenly by its logarithm, or whole numbers."""

    low: float
    high: float
    how: str = "even"

    def __str__(self) -> str:
        kinds = {"even": "", "log": " by logarithm", "whole": " whole"}
        return f"[{self.low:g}, {self.high:g}]{kinds[self.how]}"

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        if self.how == "whole":
            return rng.integers(int(self.low), int(self.high) + 1, count).astype(float)
        if self.how == "log":
            return np.exp(rng.uniform(math.log(self.low), math.log(self.high), count))
        return rng.uniform(self.low, self.high, count)


@dataclass(frozen=True)
class Function:
    """A function of `lax`, what it is exactly, and where it is measured."""

    name: str
    exact: Callable[..., Any]
    domain: tuple[Range, ...]


def logarithmic(low: float, high: float) -> Range:
    return Range(low, high, "log")


def upper_gamma(a: Any, x: Any) -> Any:
    return mp.gammainc(a, x, mp.inf, regularized=True)


def lower_gamma(a: Any, x: Any) -> Any:
    return mp.gammainc(a, 0, x, regularized=True) if x < a + 1 else 1 - upper_gamma(a, x)


def gamma_by_order(a: Any, x: Any) -> Any:
    """The derivative of the smaller of P and Q by a, with enough digits for the difference."""
    with mp.workdps(3 * DIGITS):
        if x < a + 1:
            return mp.diff(lambda b: mp.gammainc(b, 0, x, regularized=True), a)
        return -mp.diff(lambda b: upper_gamma(b, x), a)


def gamma_sample_by_shape(a: Any, x: Any) -> Any:
    density = mp.exp(-x + (a - 1) * mp.log(x) - mp.loggamma(a))
    return -gamma_by_order(a, x) / density


def hurwitz(x: Any, q: Any) -> Any:
    with mp.workdps(4 * DIGITS):  # mpmath's zeta is precise in absolute terms
        return mp.zeta(x, q)


ELEMENTARY = (
    Function("exp", mp.exp, (Range(-80, 80),)),
    Function("exp2", lambda x: mp.power(2, x), (Range(-100, 100),)),
    Function("expm1", mp.expm1, (Range(-5, 5),)),
    Function("log", mp.log, (logarithmic(1e-30, 1e30),)),
    Function("log1p", mp.log1p, (Range(-0.9, 3),)),
    Function("sqrt", mp.sqrt, (logarithmic(1e-30, 1e30),)),
    Function("rsqrt", lambda x: 1 / mp.sqrt(x), (logarithmic(1e-30, 1e30),)),
    Function("cbrt", mp.cbrt, (logarithmic(1e-30, 1e30),)),
    Function("sin", mp.sin, (Range(-100, 100),)),
    Function("cos", mp.cos, (Range(-100, 100),)),
    Function("tan", mp.tan, (Range(-100, 100),)),
    Function("asin", mp.asin, (Range(-1, 1),)),
    Function("acos", mp.acos, (Range(-1, 1),)),
    Function("atan", mp.atan, (Range(-10, 10),)),
    Function("sinh", mp.sinh, (Range(-20, 20),)),
    Function("cosh", mp.cosh, (Range(-20, 20),)),
    Function("tanh", mp.tanh, (Range(-5, 5),)),
    Function("asinh", mp.asinh, (Range(-10, 10),)),
    Function("acosh", mp.acosh, (Range(1, 20),)),
    Function("atanh", mp.atanh, (Range(-1, 1),)),
    Function("logistic", lambda x: 1 / (1 + mp.exp(-x)), (Range(-30, 30),)),
    Function("pow", mp.power, (logarithmic(1e-2, 1e2), Range(-10, 10))),
    Function("atan2", mp.atan2, (Range(-5, 5), Range(-5, 5))),
)

ORDER = logarithmic(0.05, 300)
SPECIAL = (
    Function("erf", mp.erf, (Range(-4, 4),)),
    Function("erfc", mp.erfc, (Range(-3, 9),)),
    Function("erf_inv", mp.erfinv, (Range(-1, 1),)),
    Function("lgamma", lambda x: mp.log(abs(mp.gamma(x))), (Range(-10, 40),)),
    Function("digamma", mp.digamma, (Range(-10, 40),)),
    Function(
        "polygamma", lambda n, x: mp.polygamma(int(n), x),
        (Range(0, 12, "whole"), logarithmic(0.05, 100)),
    ),
    Function("zeta", hurwitz, (logarithmic(1.05, 20), logarithmic(0.05, 100))),
    Function("igamma", lower_gamma, (ORDER, ORDER)),
    Function("igammac", upper_gamma, (ORDER, ORDER)),
    Function("igamma_grad_a", gamma_by_order, (ORDER, ORDER)),
    Function("random_gamma_grad", gamma_sample_by_shape, (ORDER, ORDER)),
    Function(
        "betainc", lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True),
        (logarithmic(0.05, 100), logarithmic(0.05, 100), Range(0, 1)),
    ),
    Function("bessel_i0e", lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), (Range(-40, 40),)),
    Function("bessel_i1e", lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), (Range(-40, 40),)),
)  # fmt: skip


def draw(functions: tuple[Function, ...], count: int) -> dict[str, np.ndarray]:
    """The points, under the names that the worker expects."""
    points = {}
    for function in functions:
        for dtype in DTYPES:
            rng = np.random.default_rng(len(function.name) + 64 * DTYPES.index(dtype))
            for i, part in enumerate(function.domain):
                points[f"{function.name}/{dtype}/{i}"] = part.draw(rng, count).astype(dtype)
    return points


def evaluate(python: str, library: str, backend: str, points: Path) -> dict[str, np.ndarray]:
    """What a library computes, in a process of its own."""
    target = points.with_name(f"{library}_{backend}.npz")
    environment = {**os.environ, "JAX_ENABLE_X64": "1", "JX_ENABLE_X64": "1"}
    command = [python, str(WORKER), library, backend, str(points), str(target)]
    subprocess.run(command, check=True, env=environment)
    with np.load(target) as values:
        return dict(values)


def exact_values(function: Function, operands: list[np.ndarray]) -> list[Any]:
    """At each point; None where that is no normal number of the operands' dtype."""
    limits = np.finfo(operands[0].dtype)
    found = []
    for point in zip(*operands, strict=True):
        value = function.exact(*(mp.mpf(float(x)) for x in point))
        normal = float(limits.tiny) <= abs(value) <= float(limits.max)
        found.append(value if normal else None)
    return found


def errors(got: np.ndarray, exact: list[Any]) -> np.ndarray:
    """In units in the last place of the exact values."""
    found = []
    for x, value in zip(got, exact, strict=True):
        if value is None:
            continue
        if not np.isfinite(x):
            found.append(math.inf)
            continue
        unit = float(np.spacing(np.abs(got.dtype.type(float(value)))))
        found.append(float(abs(mp.mpf(float(x)) - value) / unit))
    return np.array(found)


def figure(x: float) -> str:
    if x < 99.95 or not math.isfinite(x):
        return f"{x:.2f}" if x < 9.995 else f"{x:.1f}"
    return f"{x:.0f}" if x < 1e5 else f"{x:.1e}"


def row(function: Function, dtype: str, sides: list[np.ndarray]) -> str:
    cells = [figure(f(e)) for f in (np.max, np.median) for e in sides]
    domain = ", ".join(map(str, function.domain))
    return f"| `{function.name}` | {dtype} | {domain} | " + " | ".join(cells) + " |"


HEADER = """
| function | dtype | domain | worst: jx | NumPy | JAX | median: jx | NumPy | JAX |
|---|---|---|---|---|---|---|---|---|
"""

TEXT = """# Accuracy

How far the results of functions are from the exact ones, in ULPs: units in the last place of the
exact value. 0.5 is the worst that a correctly rounded result can have. Below are the worst and
the median of {count} pseudo-random points of each domain, for jx compiled by XLA on a CPU, for
jx's reference meaning in NumPy, and for JAX 0.10.2 on the same points; mpmath gave the exact
values. Points whose exact value is no normal number of the dtype are left out.

    python benchmarks/accuracy.py

writes this page anew.

## Special functions

`erf` and `erf_inv` are XLA's, as they are in JAX, and `erfc` is XLA's with a correction. The others
are jx's own: computed in float64 and rounded once, in float32 too. Results of the incomplete
functions can be as small as the dtype allows; what remains of their error there is mostly that of
powers and exponentials of large arguments.
{special}
## Elementary functions

Compiled, these are XLA's, as they are in JAX but for `exp2`, exact at whole numbers in jx.
{elementary}"""


def table(
    functions: tuple[Function, ...], points: dict[str, np.ndarray],
    sides: list[dict[str, np.ndarray]],
) -> str:  # fmt: skip
    rows = []
    for function in functions:
        for dtype in DTYPES:
            name = f"{function.name}/{dtype}"
            operands = [points[f"{name}/{i}"] for i in range(len(function.domain))]
            with mp.workdps(DIGITS):
                exact = exact_values(function, operands)
                found = [errors(side[name], exact) for side in sides]
            rows.append(row(function, dtype, found))
            print(rows[-1], flush=True)
    return HEADER + "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=300, help="a function (default: 300)")
    parser.add_argument("--only", default="", help="names, with commas between; writes no page")
    parser.add_argument("--peer-python", metavar="PATH", help="a Python that has JAX 0.10.2")
    args = parser.parse_args()
    names = args.only.split(",")
    special, elementary = (
        tuple(f for f in group if not args.only or f.name in names)
        for group in (SPECIAL, ELEMENTARY)
    )
    points = draw(special + elementary, args.points)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "points.npz"
        np.savez(source, **points)
        sides = [
            evaluate(sys.executable, "jx", "xla", source),
            evaluate(sys.executable, "jx", "numpy", source),
            evaluate(args.peer_python or peer_python("jax"), "jax", "xla", source),
        ]
    tables = [table(group, points, sides) for group in (special, elementary)]
    if not args.only:
        text = TEXT.format(count=args.points, special=tables[0], elementary=tables[1])
        DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
