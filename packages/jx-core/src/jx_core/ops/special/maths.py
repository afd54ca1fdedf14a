"""One text of each special function for both of its uses, and how primitives are made of it.

The functions of this family are written once, on the operations that `Maths` lists. Given
NumPy's they are the reference meaning; given those of `lax` they are the decomposition that
compiled back ends lower. Either way all arithmetic is in double precision, and results of
narrower dtypes are rounded once: good to half a unit in the last place in float32. What few
points need (a reflection, one of several expansions) is behind `when`, which other calls skip.

Loops count from a bound of the number of terms that the operands need down to 1: evaluated
from the far end, series and continued fractions lose no digits and need no test in the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from ...aval import typeof
from ...config import enable_x64
from ...primitive import Primitive
from .. import kit
from ..control_flow.cond import cond
from ..control_flow.while_loop import while_loop
from ..elementwise import arithmetic, comparison, conversion, transcendental
from ..reduction.monoids import reduce_max, reduce_or
from ..shape.broadcasting import broadcast

Real = Any  # an array of doubles, or a tracer of one
Truth = Any  # an array of booleans


class Maths(Protocol):
    """Operations on arrays of doubles, beside Python's operators for arithmetic and order."""

    effort: float  # of the terms of a series that double precision takes, those needed

    def enough(self, coefficients: Sequence[float], radius: float) -> Sequence[float]:
        """Those coefficients of a power series that matter for arguments up to `radius`."""

    def exp(self, x: Real) -> Real: ...
    def expm1(self, x: Real) -> Real: ...
    def log(self, x: Real) -> Real: ...
    def log1p(self, x: Real) -> Real: ...
    def pow(self, x: Real, y: Real) -> Real: ...
    def sqrt(self, x: Real) -> Real: ...
    def sin(self, x: Real) -> Real: ...
    def cos(self, x: Real) -> Real: ...
    def abs(self, x: Real) -> Real: ...
    def floor(self, x: Real) -> Real: ...
    def erfc(self, x: Real) -> Real: ...
    def largest(self, x: Real) -> Real:
        """The largest element, NaNs aside; 0 where there is none."""

    def where(self, condition: Truth, x: Real, y: Real) -> Real: ...
    def when(
        self, condition: Truth, function: Callable[..., Real], default: Real, *x: Real
    ) -> Real:
        """`function(*x)` if `condition` holds anywhere, else `default`."""

    def downto(self, n: Real, step: Callable[..., tuple[Real, ...]], *state: Real) -> Any:
        """`state = step(k, *state)` for k = n, n - 1, ..., 1, with a scalar n."""


class NumpyMaths:
    """The operations on ndarrays."""

    effort = 1.0

    @staticmethod
    def enough(coefficients: Sequence[float], radius: float) -> Sequence[float]:
        return coefficients

    exp: Any = staticmethod(np.exp)
    expm1: Any = staticmethod(np.expm1)
    log: Any = staticmethod(np.log)
    log1p: Any = staticmethod(np.log1p)
    sqrt: Any = staticmethod(np.sqrt)
    sin: Any = staticmethod(np.sin)
    cos: Any = staticmethod(np.cos)
    abs: Any = staticmethod(np.abs)
    floor: Any = staticmethod(np.floor)
    where: Any = staticmethod(np.where)
    pow: Any = staticmethod(np.power)

    @staticmethod
    def erfc(x: Real) -> Real:
        from .error_functions import erfc_of_doubles

        return erfc_of_doubles(x)

    @staticmethod
    def largest(x: Real) -> Real:
        return np.max(x, initial=0, where=x == x)

    @staticmethod
    def when(condition: Truth, function: Callable[..., Real], default: Real, *x: Real) -> Real:
        return function(*x) if np.any(condition) else default

    @staticmethod
    def downto(n: Real, step: Callable[..., tuple[Real, ...]], *state: Real) -> Any:
        for k in range(int(n), 0, -1):
            state = step(float(k), *state)
        return state


class LaxMaths:
    """The operations on tracers (or any arrays)."""

    def __init__(self, bits: int) -> None:
        self.effort = bits / 53
        self._bits = bits

    def enough(self, coefficients: Sequence[float], radius: float) -> Sequence[float]:
        if self._bits == 53:
            return coefficients
        last = max(n for n, c in enumerate(coefficients) if abs(c) * radius**n >= 2.0**-self._bits)
        return coefficients[: last + 1]

    exp: Any = staticmethod(transcendental.exp)
    expm1: Any = staticmethod(transcendental.expm1)
    log: Any = staticmethod(transcendental.log)
    log1p: Any = staticmethod(transcendental.log1p)
    pow: Any = staticmethod(transcendental.pow)
    sqrt: Any = staticmethod(transcendental.sqrt)
    sin: Any = staticmethod(transcendental.sin)
    cos: Any = staticmethod(transcendental.cos)
    abs: Any = staticmethod(arithmetic.abs)
    floor: Any = staticmethod(arithmetic.floor)

    @staticmethod
    def erfc(x: Real) -> Real:
        from .error_functions import erfc

        return erfc(x)

    @staticmethod
    def largest(x: Real) -> Real:
        x = comparison.select_n(x == x, broadcast(np.float64(0), x.shape), x)
        return reduce_max(broadcast(x, (1,)), tuple(range(x.ndim + 1)))

    @staticmethod
    def where(condition: Truth, x: Real, y: Real) -> Real:
        shape = condition.shape
        x, y = (v if np.shape(v) == shape else broadcast(np.float64(v), shape) for v in (x, y))
        return comparison.select_n(condition, y, x)

    @staticmethod
    def when(condition: Truth, function: Callable[..., Real], default: Real, *x: Real) -> Real:
        anywhere = reduce_or(condition, tuple(range(condition.ndim)))
        return cond(anywhere, lambda default, *x: function(*x), lambda default, *x: default,
                    default, *x)  # fmt: skip

    @staticmethod
    def downto(n: Real, step: Callable[..., tuple[Real, ...]], *state: Real) -> Any:
        def body(carry: tuple[Real, ...]) -> tuple[Real, ...]:
            k, *state = carry
            return (k - 1.0, *step(k, *state))

        start = (arithmetic.floor(n), *state)
        return while_loop(lambda carry: carry[0] >= 1.0, body, start)[1:]


NUMPY: Any = NumpyMaths()
# For results in float64; for those that are rounded to float32 or less fewer terms will do.
LAX: Any = LaxMaths(53)
LAX_SINGLE: Any = LaxMaths(36)


def special(name: str, function: Callable[..., Real]) -> Primitive:
    """The elementwise primitive that computes `function(maths, *operands)`.

    Args:
        name: the primitive's.
        function: what it computes, on doubles of one shape.
    """

    def reference(*operands: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.asarray(function(NUMPY, *np.broadcast_arrays(*operands)))

    def decompose(*operands: Any) -> Any:
        avals = [typeof(x) for x in operands]
        shape = next((a.shape for a in avals if a.shape), ())
        dtype = avals[0].dtype
        double_precision: Any = enable_x64(True)
        with double_precision:
            wide = [_double(x, a.shape, shape) for x, a in zip(operands, avals, strict=True)]
            out = function(LAX if dtype == np.float64 else LAX_SINGLE, *wide)
            return conversion.convert_element_type(out, dtype)

    return kit.elementwise(
        name, kit.floating, kit.in_double(reference), decompose=decompose, family="special"
    )


def _double(x: Any, shape: tuple[int, ...], wanted: tuple[int, ...]) -> Any:
    x = conversion.convert_element_type(x, np.float64)
    return x if shape == wanted else broadcast(x, wanted)


def minus_double_double(m: Maths, x: Real, high: Real, low: Real) -> Real:
    """x - (high + low), of a number that is the sum of two doubles.

    The lower one is selected, or compilers would add the two constants, and lose it.
    """
    return (x - high) - m.where(x == x, low, 0.0)


def polynomial(coefficients: Sequence[float], x: Real) -> Real:
    """The sum of coefficients[n] x^n."""
    total: Real = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total
