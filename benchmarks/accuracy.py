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
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
from accuracy_functions import COMPLEX, DIGITS, ELEMENTARY, INTEGRALS, SPECIAL, Function
from peer import peer_python

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "accuracy.md"
WORKER = Path(__file__).with_name("accuracy_worker.py")
REAL, WITH_PARTS = ("float32", "float64"), ("complex64", "complex128")
GROUPS = {
    "special": (SPECIAL, REAL),
    "integrals": (INTEGRALS, REAL),
    "elementary": (ELEMENTARY, REAL),
    "complex": (COMPLEX, WITH_PARTS),
}


def draw(
    functions: tuple[Function, ...], dtypes: tuple[str, ...], count: int
) -> dict[str, np.ndarray]:
    """The points, under the names that the worker expects."""
    points = {}
    for function in functions:
        for dtype in dtypes:
            rng = np.random.default_rng(len(function.name) + 64 * dtypes.index(dtype))
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
    limits = np.finfo(operands[-1].dtype)
    found = []
    for point in zip(*operands, strict=True):
        value = function.exact(*(exactly(x) for x in point))
        normal = float(limits.tiny) <= abs(value) <= float(limits.max)
        found.append(value if normal else None)
    return found


def exactly(x: Any) -> Any:
    return mp.mpc(complex(x)) if np.iscomplexobj(x) else mp.mpf(float(x))


def errors(got: np.ndarray, exact: list[Any]) -> np.ndarray:
    """In units in the last place of the exact values; of their absolute values if complex."""
    found = []
    for x, value in zip(got, exact, strict=True):
        if value is None:
            continue
        if not np.isfinite(x):
            found.append(math.inf)
            continue
        unit = float(np.spacing(np.abs(got.real.dtype.type(float(abs(value))))))
        found.append(float(abs(exactly(x) - value) / unit))
    return np.array(found)


def figure(x: float) -> str:
    if x < 99.95 or not math.isfinite(x):
        return f"{x:.2f}" if x < 9.995 else f"{x:.1f}"
    return f"{x:.0f}" if x < 1e5 else f"{x:.1e}"


def row(function: Function, dtype: str, sides: list[np.ndarray]) -> str:
    cells = [figure(f(e)) for f in (np.max, np.median) for e in sides]
    domain = ", ".join(map(str, function.domain))
    name, _, place = (
        function.name.removeprefix("scipy.special.").removeprefix("numpy.").partition(":")
    )
    shown = f"`{name}`" + (f" {place}" if place else "")
    return f"| {shown} | {dtype} | {domain} | " + " | ".join(cells) + " |"


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
## Functions of `scipy.special`

The integrals (from `exp1` to `spence`), `owens_t`, the hypergeometric functions, `bessel_jn` and
`sph_harm_y` are computed in float64 and rounded once. A number after a name tells which of several
results is measured: of `sici` and `fresnel` the first or second, of `bessel_jn` the order. Near a
root that is not treated by itself (of Ci beyond 52, of digamma below -16, of J_5, of hypergeometric
functions) the absolute error stays as elsewhere, so that the relative one grows.
{integrals}
## Elementary functions

Where a row has the same figures for jx and JAX, the function is XLA's in both.
{elementary}
## Complex functions

The error is the absolute value of the difference, in units in the last place of the absolute value
of the exact result. Both parts are drawn evenly.
{complex}"""


def table(
    functions: tuple[Function, ...], dtypes: tuple[str, ...], points: dict[str, np.ndarray],
    sides: list[dict[str, np.ndarray]],
) -> str:  # fmt: skip
    rows = []
    for function in functions:
        for dtype in dtypes:
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
    groups = {
        group: (tuple(f for f in functions if not args.only or f.name in names), dtypes)
        for group, (functions, dtypes) in GROUPS.items()
    }
    points = {}
    for functions, dtypes in groups.values():
        points |= draw(functions, dtypes, args.points)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "points.npz"
        np.savez(source, **points)
        sides = [
            evaluate(sys.executable, "jx", "xla", source),
            evaluate(sys.executable, "jx", "numpy", source),
            evaluate(args.peer_python or peer_python("jax"), "jax", "xla", source),
        ]
    tables = {name: table(*group, points, sides) for name, group in groups.items()}
    if not args.only:
        DOCUMENT.write_text(TEXT.format(count=args.points, **tables))


if __name__ == "__main__":
    main()
