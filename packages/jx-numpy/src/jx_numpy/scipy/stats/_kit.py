"""What distributions have in common, so that each of their files is its mathematics alone.

A file gives the formulas of the standard distribution, as functions of z = (x - loc) / scale
and of the shape parameters, and `density`, `probability`, `quantile`, `mass` do the rest:
promotion, location and scale, rounding. `Family` writes out what docstrings have in common.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from jx_core import lax
from jx_core.ops.elementwise import convert

from ...functions import plain
from ...indexing import where as _where
from ...operands import (
    Array,
    ArrayLike,
    accumulation_dtype,
    broadcast_shapes,
    broadcast_to,
    typeof,
)
from .._reals import real_floats

__all__ = [
    "CONTINUOUS_1", "CONTINUOUS_2", "DISCRETE", "Family", "density", "evaluated", "exp_of",
    "log1mexp", "log1p_of_square", "log_density", "mass", "only", "positive", "probability",
    "quantile", "reals", "rounded", "spread", "ways", "where",
]  # fmt: skip

where = plain(_where)
Formula = Callable[..., Array]

# Operands.


def reals(name: str, *operands: ArrayLike) -> tuple[list[Array], Any]:
    """Real arrays of one float dtype, of at least 32 bits, and the dtype of the result.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex.
    """
    promoted = real_floats(f"stats.{name}", *operands)
    dtype = typeof(promoted[0]).dtype
    wide = accumulation_dtype(dtype)
    return [_array(x, wide) for x in promoted], dtype


def _array(x: Any, dtype: Any) -> Array:
    aval = typeof(x)
    if hasattr(x, "aval") and aval.dtype == dtype:
        return x
    return convert(x, dtype, aval.weak_type)


def rounded(value: Array, dtype: Any) -> Array:
    return value if typeof(value).dtype == dtype else convert(value, dtype)


def spread(*operands: Array) -> list[Array]:
    """The operands in their common shape, for primitives that don't broadcast."""
    shape = broadcast_shapes("broadcast", *[typeof(x).shape for x in operands])
    return [broadcast_to(x, shape) for x in operands]


def only(condition: Array, value: Array) -> Array:
    """`value`, or NaN where the condition does not hold: for parameters out of their domain."""
    return where(condition, value, math.nan)


def positive(value: Array) -> Array:
    return only(value > 0, value)


# The functions of a distribution from those of its standard form.


def evaluated(name: str, formula: Formula, *operands: ArrayLike) -> Array:
    """The formula of operands promoted to one dtype; float16 and bfloat16 in float32."""
    operands_, dtype = reals(name, *operands)
    return rounded(formula(*operands_), dtype)


def _standardized(
    name: str, formula: Formula, x: ArrayLike, shape: tuple[ArrayLike, ...], loc: Any, scale: Any
) -> tuple[Array, Any, Any]:
    """The formula at z = (x - loc) / scale, the scale if it is not 1, and the result's dtype."""
    moved, scaled = not _is(loc, 0), not _is(scale, 1)
    (z, *rest), dtype = reals(name, x, *shape, *[loc] * moved, *[scale] * scaled)
    if moved:
        z = z - rest[len(shape)]
    width = None
    if scaled:
        width = positive(rest[-1])
        z = z / width
    return formula(z, *rest[: len(shape)]), width, dtype


def _is(argument: Any, default: int) -> bool:
    return type(argument) is int and argument == default


def log_density(
    name: str, formula: Formula, x: ArrayLike, *shape: ArrayLike, loc: Any = 0, scale: Any = 1
) -> Array:
    """`formula(z, *shape) - log(scale)`: the formula is the standard logarithm of a density."""
    value, width, dtype = _standardized(name, formula, x, shape, loc, scale)
    return rounded(value if width is None else value - lax.log(width), dtype)


def density(
    name: str, formula: Formula, x: ArrayLike, *shape: ArrayLike, loc: Any = 0, scale: Any = 1
) -> Array:
    """`formula(z, *shape) / scale`: the formula is a standard density."""
    value, width, dtype = _standardized(name, formula, x, shape, loc, scale)
    return rounded(value if width is None else value / width, dtype)


def exp_of(formula: Formula) -> Formula:
    """The density of which `formula(z, *shape)` is the logarithm.

    At the ends of the line the logarithm's derivative is infinite, and this one's is 0.
    """

    def at(z: Array, *shape: Array) -> Array:
        end = lax.abs(z) == math.inf
        return where(end, 0.0, lax.exp(formula(where(end, 0.5, z), *shape)))

    return at


def probability(
    name: str, formula: Formula, x: ArrayLike, *shape: ArrayLike, loc: Any = 0, scale: Any = 1
) -> Array:
    """`formula(z, *shape)`: the probability of an event, its logarithm, or that of a count."""
    value, _, dtype = _standardized(name, formula, x, shape, loc, scale)
    return rounded(value, dtype)


def mass(
    name: str, formula: Formula, k: ArrayLike, *shape: ArrayLike, loc: Any = 0,
    powers: Formula | None = None,
) -> Array:  # fmt: skip
    """`exp(formula(k - loc, *shape))`: the formula is the logarithm of a probability mass.

    `powers` is the mass itself, of powers of the last shape parameter. It is used where that is
    0 or 1: the logarithm may be infinite there, and then has no derivative.
    """

    def at(j: Array, *parameters: Array) -> Array:
        if powers is None:
            return lax.exp(formula(j, *parameters))
        j, *rest, p = spread(j, *parameters)
        end = (p == 0) | (p == 1)
        inside = lax.exp(formula(j, *rest, where(end, 0.5, p)))
        at_end = only(j == j, powers(j, *rest, where(end, p, 1.0)))
        return where(end, at_end, inside)

    value, _, dtype = _standardized(name, at, k, shape, loc, 1)
    return rounded(value, dtype)


def ways(log_ways: Array) -> Array:
    """A number of ways to multiply with a power that is 0 where there are very many: not inf."""
    return lax.exp(where(log_ways > 80, 80.0, log_ways))


def quantile(
    name: str, formula: Formula, q: ArrayLike, *shape: ArrayLike, loc: Any = 0, scale: Any = 1
) -> Array:
    """`formula(q, *shape) * scale + loc`, or NaN where q is no probability."""
    moved, scaled = not _is(loc, 0), not _is(scale, 1)
    (p, *rest), dtype = reals(name, q, *shape, *[loc] * moved, *[scale] * scaled)
    value = formula(only((p >= 0) & (p <= 1), p), *rest[: len(shape)])
    if scaled:
        value = value * positive(rest[-1])
    if moved:
        value = value + rest[len(shape)]
    return rounded(value, dtype)


# Functions that several of them need, precise where their plain formulas are not.


def log1mexp(t: Array) -> Array:
    """log(1 - exp(-t)) for t from 0 on.

    See M. Maechler, "Accurately computing log(1 - exp(-|a|))" (2012).
    """
    small = t < math.log(2)
    near = lax.log(-lax.expm1(-where(small, t, 0.5)))
    return where(small, near, lax.log1p(-lax.exp(-where(small, 1.0, t))))


_HUGE = 1e9  # from here on z^2 + 1 is z^2 in every dtype, and z^2 may overflow in float32


def log1p_of_square(z: Array) -> Array:
    """log(1 + z^2), also where the square overflows."""
    huge = (z > _HUGE) | (z < -_HUGE)
    far = 2 * lax.log(lax.abs(where(huge, z, 1.0)))
    return where(huge, far, lax.log1p(lax.square(where(huge, 1.0, z))))


# Docstrings.

_KOTZ = "N. L. Johnson, S. Kotz and N. Balakrishnan, "
CONTINUOUS_1 = _KOTZ + '"Continuous univariate distributions", vol. 1 (1994), chapter {}'
CONTINUOUS_2 = _KOTZ + '"Continuous univariate distributions", vol. 2 (1995), chapter {}'
DISCRETE = (
    'N. L. Johnson, A. W. Kemp and S. Kotz, "Univariate discrete distributions" (2005), chapter {}'
)

_KINDS = {
    "pdf": "The probability density of {}",
    "logpdf": "The logarithm of the probability density of {}",
    "pmf": "The probability mass of {}",
    "logpmf": "The logarithm of the probability mass of {}",
    "cdf": "The probability that a variable of {} is at most `{x}`",
    "logcdf": "The logarithm of the probability that a variable of {} is at most `{x}`",
    "sf": "The probability that a variable of {} is above `{x}`, precise where it is small",
    "logsf": "The logarithm of the probability that a variable of {} is above `{x}`",
    "ppf": "The value that a variable of {} does not exceed with probability `{x}`",
    "isf": "The value that a variable of {} exceeds with probability `{x}`",
    "entropy": "The entropy, in nats, of {}",
}
_ARGUMENTS = {
    "x": "where: real numbers.",
    "k": "the counts.",
    "q": "probabilities, from 0 to 1; the result is NaN for others.",
    "loc": "the location, by which the distribution is shifted.",
    "scale": "the scale, positive; the result is NaN for others.",
}


class Family:
    """A decorator that completes the docstrings of the functions of a distribution.

    Args:
        title: what the distribution is called.
        source: where its mathematics can be read.
        arguments: what its arguments mean, where it is not the usual.

    The docstring of a function starts with its formula, and has an example after a blank line.
    """

    def __init__(self, title: str, source: str, **arguments: str) -> None:
        self.title, self.source, self.arguments = title, source, arguments

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        formula, example = inspect.cleandoc(function.__doc__ or "").split("\n\n", 1)
        kind, parameters = function.__name__, list(inspect.signature(function).parameters)
        first = parameters[0]
        probabilities = {first: _ARGUMENTS["q"]} if kind in ("ppf", "isf") else {}
        meanings = {**_ARGUMENTS, **self.arguments, **probabilities}
        lines = [
            _KINDS[kind].format(self.title, x=first) + ".",
            "",
            "That is " + formula,
            "",
            "Args:",
            *[f"    {name}: {meanings[name]}" for name in parameters],
            "",
            "    Arrays or numbers whose shapes broadcast; integers become floats.",
            "",
            "Returns:",
            "    An array of floats of the common shape.",
            "",
            "Raises:",
            "    ShapeError: the shapes don't broadcast.",
            "    TypeError: an argument is no array.",
            "    ValueError: an argument is complex.",
            "",
            f"See {self.source}.",
            "",
            example,
        ]
        function.__doc__ = "\n".join(lines)
        return function
