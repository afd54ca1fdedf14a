"""Record JAX's gradients in the tables of `docs/gradients.md`.

Run with the benchmarks' peer environment (JAX 0.10.2); it rewrites the column "in JAX" of each
table, and needs to be run again only when rows are added:

    .venv-peer/bin/python ci/record_gradients.py
"""

import pathlib
import warnings

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn
from jax.scipy import stats
from jax.scipy.special import logsumexp

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "gradients.md"
NAMES = {"jnp": jnp, "lax": lax, "nn": nn, "logsumexp": logsumexp, "stats": stats}


def number(x: float) -> str:
    """A number as the page writes it."""
    if np.isfinite(x):
        return repr(float(f"{x:.6g}") + 0.0)
    return str(x)


def text(gradient: jax.Array) -> str:
    if gradient.ndim == 0:
        return number(float(gradient))
    return "[" + ", ".join(map(text, gradient)) + "]"


def recorded(line: str) -> str:
    """A row of a table with JAX's gradient in its fourth cell; other lines as they are."""
    cells = line.split(" | ")
    if not line.startswith("| `") or len(cells) != 5:
        return line
    function, at = (cell.strip("|` ") for cell in cells[:2])
    points = eval(f"({at},)", {"inf": np.inf, "nan": np.nan})
    names = ", ".join("xy"[: len(points)])
    fun = eval(f"lambda {names}: {function}", NAMES)
    arguments = [jnp.asarray(p, float) for p in points]
    gradients = jax.grad(fun, tuple(range(len(points))))(*arguments)
    cells[3] = f"`{', '.join(map(text, gradients))}`"
    return " | ".join(cells)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    jax.config.update("jax_enable_x64", True)
    PAGE.write_text("\n".join(map(recorded, PAGE.read_text().split("\n"))))
