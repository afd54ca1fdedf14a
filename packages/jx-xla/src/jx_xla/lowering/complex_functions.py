"""Functions of complex numbers as StableHLO: where XLA's own are wrong, formulas of real parts.

XLA's complex functions are right for ordinary numbers, but for infinities, NaNs, signed zeros,
very large and very small numbers they often give NaN, the wrong side of a branch cut, or few
right digits. Here each is either mended (XLA's result, with what it gets wrong selected away)
or replaced by a formula that is accurate in both parts. At special values the results are
those of the C standard (ISO C, annex G.6), which NumPy's are as well.

The formulas are written in `lax` functions of the real and the imaginary part, `a` and `b`
below; `lowered` turns such a function into a lowering rule. Sources: W. Kahan, "Branch cuts for
complex elementary functions, or much ado about nothing's sign bit" (1987); NIST DLMF 4.21 and
4.35 for the addition formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jx_core import Primitive, dtypes, lax, typeof
from jx_core.config import enable_x64
from jx_core.ops.special.maths import polynomial

from .builder import Value
from .program import lower_traced
from .tables import Context

Rule = Callable[..., Value]
Parts = tuple[Any, Any]


def lowered(function: Callable[..., Any]) -> Rule:
    """The rule that writes `function`, of arrays of the operands' types, in place."""

    def rule(ctx: Context, *operands: Value, **params: Any) -> Value:
        return write(ctx, function, [*ctx.in_avals], operands)

    return rule


def write(ctx: Context, function: Any, avals: list[Any], operands: Any) -> Value:
    """Write `function` of operands of types `avals` to the context's block."""
    double_precision: Any = enable_x64(True)
    with double_precision:  # or numbers beside doubles would become single ones
        (out,) = lower_traced(
            ctx.block, lambda *xs: [function(*xs)], avals, operands, function.__name__
        )
    return out


def real_or_complex(primitive: Primitive, plain: Rule) -> Rule:
    """`plain` on real numbers; on complex ones what this file has for `primitive`, if anything."""
    whole, mended = WHOLE.get(primitive), MENDED.get(primitive)
    if whole is None and mended is None:
        return plain

    def rule(ctx: Context, *operands: Value, **params: Any) -> Value:
        if not dtypes.issubdtype(ctx.out.dtype, np.complexfloating):
            return plain(ctx, *operands, **params)
        if whole is not None:
            return write(ctx, whole, ctx.in_avals, operands)
        given = plain(ctx, *operands, **params)
        return write(ctx, mended, [*ctx.in_avals, ctx.out], (*operands, given))

    return rule


# --- pieces ---


def parts(z: Any) -> Parts:
    return lax.real(z), lax.imag(z)


def where(flags: Any, x: Any, y: Any, like: Any = None) -> Any:
    """`x` where `flags` hold, else `y`; numbers get the type of the other, or of `like`."""
    like = y if hasattr(y, "aval") else x if hasattr(x, "aval") else like
    x, y = (v if hasattr(v, "aval") else lax.full_like(like, v) for v in (x, y))
    return lax.select(flags, x, y)


def is_nan(x: Any) -> Any:
    return lax.ne(x, x)


def is_inf(x: Any) -> Any:
    return lax.eq(lax.abs(x), math.inf)


def either(x: Any, y: Any) -> Any:
    return lax.bitwise_or(x, y)


def both(x: Any, y: Any) -> Any:
    return lax.bitwise_and(x, y)


def with_sign(size: Any, sign: Any) -> Any:
    """The size of one number with the sign of another, be it of a zero."""
    dtype = typeof(size).dtype
    bits = np.dtype(f"uint{dtype.itemsize * 8}")
    top = bits.type(1 << (dtype.itemsize * 8 - 1))
    sign_bit = lax.bitwise_and(lax.bitcast_convert_type(sign, bits), top)
    rest = lax.bitwise_and(lax.bitcast_convert_type(size, bits), bits.type(~top))
    return lax.bitcast_convert_type(lax.bitwise_or(rest, sign_bit), dtype)


def ratio(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The larger and the smaller of |a| and |b|, divided by the larger, and that: |z| is
    `size * sqrt(1 + small**2)`, and no square overflows."""
    a, b = lax.abs(a), lax.abs(b)
    size = lax.max(a, b)
    return size, lax.div(lax.min(a, b), size), lax.ge(a, b)


# --- exponentials ---


def _exp(z: Any, given: Any) -> Any:
    return _of_exponential(*parts(z), *parts(given))


def _exp2(z: Any) -> Any:
    """exp(z log 2), of the real part by itself: a rounded product would be magnified."""
    a, b = parts(z)
    angle = lax.mul(b, math.log(2.0))
    # Half of it twice: together they overflow only where the result does.
    root = lax.exp2(lax.mul(a, 0.5))
    re = lax.mul(lax.mul(root, lax.cos(angle)), root)
    im = lax.mul(lax.mul(root, lax.sin(angle)), root)
    return _of_exponential(a, b, re, im)


def _expm1(z: Any) -> Any:
    """Re: (e^a - 1) cos b - (1 - cos b); Im: e^a sin b."""
    a, b = parts(z)
    big = lax.gt(a, 40.0)  # then e^(a/2) is multiplied in twice, as it may overflow by itself
    e = lax.exp(where(big, lax.mul(a, 0.5), a))
    sin, cos = lax.sin(b), lax.cos(b)
    rest = lax.div(lax.mul(sin, sin), lax.add(cos, 1.0))
    rest = where(lax.gt(cos, 0.0), rest, lax.sub(1.0, cos))
    near = lax.sub(lax.mul(lax.expm1(a), cos), rest)
    near = where(lax.eq(near, 0.0), 0.0, near)  # of either zero it is +0
    re = where(big, lax.mul(lax.mul(e, cos), e), near)
    im = lax.mul(lax.mul(e, sin), where(big, e, 1.0))
    re = where(lax.eq(a, -math.inf), -1.0, re)
    return _of_exponential(a, b, re, im)


def _of_exponential(a: Any, b: Any, re: Any, im: Any) -> Any:
    """An exponential at a + ib from its parts: put right where an angle is zero or unknown."""
    re = where(both(is_nan(re), is_inf(a)), lax.max(a, 0.0), re)
    im = where(both(is_nan(im), lax.eq(a, -math.inf)), 0.0, im)
    return lax.complex(re, where(lax.eq(b, 0.0), b, im))


def _logistic(z: Any) -> Any:
    """1 / (1 + E e^(-ib)) of E = e^-a.

    Beside the poles both parts of the denominator are small, and its real part is the sum of
    1 - E and E (1 + cos b), each of which is computed without cancellation.
    """
    a, b = parts(z)
    e, c, s = lax.exp(lax.neg(a)), lax.cos(b), lax.sin(b)
    near = both(lax.lt(lax.abs(a), 0.7), lax.lt(c, -0.5))
    rest = lax.div(lax.mul(s, s), lax.sub(1.0, c))  # 1 + c
    mended = lax.add(_one_minus_exp(a), lax.mul(e, rest))
    re, im = _reciprocal(where(near, mended, lax.add(1.0, lax.mul(e, c))), lax.neg(lax.mul(e, s)))
    none, far = is_inf(e), is_inf(a)  # first: smaller than any normal number
    re, im = where(none, lax.mul(c, 0.0), re), where(none, lax.mul(s, 0.0), im)
    re = where(far, where(lax.gt(a, 0.0), 1.0, 0.0, re), re)
    im = where(both(far, is_nan(im)), 0.0, im)
    return lax.complex(re, where(lax.eq(b, 0.0), b, im))


def _one_minus_exp(a: Any) -> Any:
    """1 - e^-a where |a| < 0.7, by its Taylor series."""
    count = 8 if typeof(a).dtype == np.float32 else 15
    series = polynomial([1 / math.factorial(k + 2) for k in range(count)], lax.neg(a))
    return lax.sub(a, lax.mul(lax.mul(a, a), series))


def _reciprocal(p: Any, q: Any) -> Parts:
    """1 / (p + iq): R. L. Smith, "Algorithm 116: Complex division" (1962)."""
    turned = lax.lt(lax.abs(p), lax.abs(q))
    large, small = where(turned, q, p), where(turned, p, q)
    share = lax.div(small, large)
    x = lax.div(1.0, lax.add(large, lax.mul(small, share)))
    y = lax.mul(share, x)
    return where(turned, y, x), lax.neg(where(turned, x, y))


# --- logarithms and roots ---


def _log(z: Any, given: Any) -> Any:
    a, b = parts(z)
    re, im = parts(given)
    return lax.complex(where(either(is_inf(a), is_inf(b)), math.inf, re), im)


def _log1p(z: Any, given: Any) -> Any:
    a, b = parts(z)
    re, im = parts(given)
    re = where(lax.eq(a, -1.0), lax.log(lax.abs(b)), re)  # the square of b may be 0 already
    return lax.complex(where(either(is_inf(a), is_inf(b)), math.inf, re), im)


# By how much numbers are scaled so that their squares neither overflow nor vanish: above
# which size by 2^down, and below which by 2^up.
_SCALES: dict[str, tuple[float, int, float, int]] = {
    "float32": (1e18, -80, 1e-18, 100), "float64": (1e150, -520, 1e-150, 600),
}  # fmt: skip


def _sqrt_parts(a: Any, b: Any) -> tuple[Any, Any, Any, Any]:
    """The larger and the smaller part of the square root of z * scale, in size; |z * scale|;
    and the square root of the scale."""
    a, b = lax.abs(a), lax.abs(b)
    size = lax.max(a, b)
    above, down, below, up = _SCALES[typeof(size).dtype.name]
    large, small = lax.gt(size, above), lax.lt(size, below)
    scale, root = (
        where(large, 2.0 ** (down // d), where(small, 2.0 ** (up // d), 1.0, size)) for d in (1, 2)
    )
    a, b = lax.mul(a, scale), lax.mul(b, scale)
    length = lax.sqrt(lax.add(lax.mul(a, a), lax.mul(b, b)))
    larger = lax.sqrt(lax.mul(lax.add(a, length), 0.5))
    smaller = lax.div(lax.mul(b, 0.5), where(lax.eq(size, 0.0), 1.0, larger))
    return larger, smaller, length, root


def _sqrt(z: Any) -> Any:
    a, b = parts(z)
    larger, smaller, _, root = _sqrt_parts(a, b)
    larger, smaller = lax.div(larger, root), lax.div(smaller, root)
    right = lax.ge(a, 0.0)
    re, im = where(right, larger, smaller), where(right, smaller, larger)
    # An infinite imaginary part makes both infinite, whatever the real part is.
    far, unknown = is_inf(b), is_nan(b)
    re = where(either(far, both(unknown, lax.eq(a, math.inf))), math.inf, re)
    im = where(either(far, both(unknown, lax.eq(a, -math.inf))), math.inf, im)
    return lax.complex(re, with_sign(im, b))


def _rsqrt(z: Any) -> Any:
    """conj(sqrt(z)) / |z|."""
    a, b = parts(z)
    larger, smaller, length, root = _sqrt_parts(a, b)
    larger, smaller = (lax.mul(lax.div(x, length), root) for x in (larger, smaller))
    right = lax.ge(a, 0.0)
    re, im = where(right, larger, smaller), where(right, smaller, larger)
    far = either(is_inf(a), is_inf(b))
    origin = both(lax.eq(a, 0.0), lax.eq(b, 0.0))
    re = where(far, 0.0, where(origin, math.inf, re))
    im = where(far, 0.0, where(origin, math.nan, im))
    return lax.complex(re, with_sign(im, lax.neg(b)))


# --- trigonometric and hyperbolic functions ---


def _sinh_cosh(a: Any) -> tuple[Any, Any, Any]:
    """sinh a and cosh a, each divided by the third result, which is 1 but for large a.

    There all would overflow before their products with small numbers do, so that they are
    e^(|a|/2) / 2 and the third is e^(|a|/2).
    """
    size = lax.abs(a)
    big = lax.gt(size, 40.0)
    e = lax.exp(where(big, lax.mul(size, 0.5), size))
    half, other = lax.mul(e, 0.5), lax.div(0.5, e)
    sinh = where(big, half, lax.sub(half, other))
    sinh = where(lax.lt(size, 1.0), _small_sinh(size), sinh)
    cosh = where(big, half, lax.add(half, other))
    return with_sign(sinh, a), cosh, where(big, e, 1.0)


def _small_sinh(a: Any) -> Any:
    """sinh a where |a| < 1, by its Taylor series."""
    count = 5 if typeof(a).dtype == np.float32 else 8
    square = lax.mul(a, a)
    series = polynomial([1 / math.factorial(2 * k + 3) for k in range(count)], square)
    return lax.add(a, lax.mul(lax.mul(a, square), series))


def _sinh_parts(a: Any, b: Any) -> Parts:
    """sinh a cos b and cosh a sin b."""
    sinh, cosh, scale = _sinh_cosh(a)
    re = lax.mul(lax.mul(sinh, lax.cos(b)), scale)
    im = lax.mul(lax.mul(cosh, lax.sin(b)), scale)
    # An unknown angle leaves 0 and infinity what they are, and an angle 0 any imaginary part.
    re = where(both(is_nan(re), either(is_inf(a), lax.eq(a, 0.0))), a, re)
    return re, where(lax.eq(b, 0.0), b, im)


def _cosh_parts(a: Any, b: Any) -> Parts:
    """cosh a cos b and sinh a sin b."""
    sinh, cosh, scale = _sinh_cosh(a)
    re = lax.mul(lax.mul(cosh, lax.cos(b)), scale)
    im = lax.mul(lax.mul(sinh, lax.sin(b)), scale)
    re = where(both(is_nan(re), is_inf(a)), math.inf, re)
    product = lax.mul(with_sign(lax.full_like(a, 1.0), a), b)
    im = where(lax.eq(b, 0.0), product, im)
    return re, where(both(is_nan(im), lax.eq(a, 0.0)), a, im)


def _tanh_parts(a: Any, b: Any) -> Parts:
    """sinh 2a and sin 2b, both divided by cosh 2a + cos 2b.

    With u = e^(-2|a|) and D = 1 - u these are D (1 + u) and 4 u sin b cos b, divided by
    D^2 + 4 u cos^2 b: a sum of positive terms in which nothing overflows. The first is 1 less
    2 u (2 cos^2 b - D) divided by the same, which small u leave with hardly a rounding.
    """
    twice = lax.mul(lax.abs(a), 2.0)
    u = lax.exp(lax.neg(twice))
    d = where(lax.lt(twice, 0.7), _one_minus_exp(twice), lax.sub(1.0, u))
    cos = lax.cos(b)
    u4 = lax.mul(lax.mul(u, 4.0), cos)
    below = lax.add(lax.mul(d, d), lax.mul(u4, cos))
    short = lax.mul(lax.mul(u, 2.0), lax.sub(lax.mul(lax.mul(cos, 2.0), cos), d))
    re = where(
        lax.lt(u, 0.25),
        lax.sub(1.0, lax.div(short, below)),
        lax.div(lax.mul(d, lax.add(u, 1.0)), below),
    )
    im = lax.div(lax.mul(u4, lax.sin(b)), below)
    far = is_inf(a)  # then an unknown angle does not matter, nor does it on the other axis
    re = where(far, 1.0, where(lax.eq(a, 0.0), 0.0, re))
    im = where(far, with_sign(lax.full_like(b, 0.0), b), im)
    return with_sign(re, a), where(lax.eq(b, 0.0), b, im)


def _sinh(z: Any) -> Any:
    return lax.complex(*_sinh_parts(*parts(z)))


def _cosh(z: Any) -> Any:
    return lax.complex(*_cosh_parts(*parts(z)))


def _tanh(z: Any) -> Any:
    return lax.complex(*_tanh_parts(*parts(z)))


# sin z = -i sinh(iz), and so on. All but cos are odd: conj and -1 swap the parts of iz.


def _sin(z: Any) -> Any:
    a, b = parts(z)
    im, re = _sinh_parts(b, a)
    return lax.complex(re, im)


def _cos(z: Any) -> Any:
    a, b = parts(z)
    re, im = _cosh_parts(b, a)
    return lax.complex(re, lax.neg(im))


def _tan(z: Any) -> Any:
    a, b = parts(z)
    im, re = _tanh_parts(b, a)
    return lax.complex(re, im)


# --- their inverses ---


def _asinh_parts(a: Any, b: Any, re: Any, im: Any) -> Parts:
    """Each part has the sign of the operand's; a NaN is one beside anything but 0 and inf."""
    unknown = either(is_nan(a), is_nan(b))
    far = either(is_inf(a), is_inf(b))
    re = where(unknown, where(far, math.inf, where(is_nan(a), a, math.nan)), re)
    im = where(unknown, where(lax.eq(b, 0.0), 0.0, math.nan, im), im)
    return with_sign(re, a), with_sign(im, b)


def _asinh(z: Any, given: Any) -> Any:
    return lax.complex(*_asinh_parts(*parts(z), *parts(given)))


def _asin(z: Any, given: Any) -> Any:
    (a, b), (re, im) = parts(z), parts(given)
    im, re = _asinh_parts(b, a, im, re)
    return lax.complex(re, im)


def _acos_parts(a: Any, b: Any, re: Any, im: Any) -> Parts:
    """The imaginary part has the other sign than the operand's."""
    unknown = either(is_nan(a), is_nan(b))
    far = either(is_inf(a), is_inf(b))
    re = where(unknown, where(lax.eq(a, 0.0), math.pi / 2, math.nan, re), re)
    im = where(unknown, where(far, math.inf, math.nan, im), im)
    return re, with_sign(im, lax.neg(b))


def _acos(z: Any, given: Any) -> Any:
    return lax.complex(*_acos_parts(*parts(z), *parts(given)))


def _acosh(z: Any, given: Any) -> Any:
    (a, b), (re, im) = parts(z), parts(given)
    im, re = _acos_parts(a, b, im, re)
    return lax.complex(lax.abs(re), with_sign(im, b))


def _atanh_parts(a: Any, b: Any, re: Any, im: Any) -> Parts:
    unknown = either(is_nan(a), is_nan(b))
    # Beside a pole the square of b may be 0 already: |atanh(1 + ib)| is log(2/|b|) / 2 there.
    near = both(lax.eq(lax.abs(a), 1.0), lax.lt(lax.abs(b), 1e-9))
    pole = lax.mul(lax.sub(lax.log(lax.abs(b)), math.log(2.0)), 0.5)
    re = where(near, pole, re)
    zero = either(lax.eq(a, 0.0), either(is_inf(a), is_inf(b)))
    re = where(unknown, where(zero, 0.0, math.nan, re), re)
    im = where(unknown, where(is_inf(b), math.pi / 2, math.nan, im), im)
    return with_sign(re, a), with_sign(im, b)


def _atanh(z: Any, given: Any) -> Any:
    return lax.complex(*_atanh_parts(*parts(z), *parts(given)))


def _atan(z: Any, given: Any) -> Any:
    (a, b), (re, im) = parts(z), parts(given)
    im, re = _atanh_parts(b, a, im, re)
    return lax.complex(re, im)


# --- size and direction ---


def mended_size(z: Any, given: Any) -> Any:
    """|z|, infinite where a part is, whatever the other."""
    a, b = parts(z)
    return where(either(is_inf(a), is_inf(b)), math.inf, given)


def _sign(z: Any) -> Any:
    a, b = parts(z)
    size, small, _ = ratio(a, b)
    length = lax.sqrt(lax.add(lax.mul(small, small), 1.0))
    scale = where(lax.gt(size, 1e30), 0.25, 1.0, size)  # else |z| may overflow
    below = lax.mul(lax.mul(size, scale), length)
    origin = lax.eq(size, 0.0)
    re, im = (where(origin, x, lax.div(lax.mul(x, scale), below)) for x in (a, b))
    # The axis that an infinite part points along, beside a finite one.
    along_a, along_b = both(is_inf(a), lax.is_finite(b)), both(is_inf(b), lax.is_finite(a))
    one = lax.full_like(a, 1.0)
    re = where(along_a, with_sign(one, a), where(along_b, 0.0, re))
    return lax.complex(re, where(along_b, with_sign(one, b), where(along_a, 0.0, im)))


# --- powers ---


def mended_power(x: Any, y: Any, given: Any) -> Any:
    """x^y: 0 of a base 0 where Re y > 0; of an infinite one the size where XLA knows nothing."""
    (re, im), c = parts(given), lax.real(y)
    a, b = parts(x)
    grows, shrinks = lax.gt(c, 0.0), lax.lt(c, 0.0)
    origin = both(grows, both(lax.eq(a, 0.0), lax.eq(b, 0.0)))
    lost = both(either(is_inf(a), is_inf(b)), both(is_nan(re), is_nan(im)))
    lost = both(lost, both(lax.is_finite(c), lax.is_finite(lax.imag(y))))
    nothing = either(origin, both(lost, shrinks))
    re = where(nothing, 0.0, where(both(lost, grows), math.inf, re))
    return lax.complex(re, where(nothing, 0.0, im))


# From the operand and from XLA's result.
MENDED: dict[Primitive, Any] = {
    lax.exp_p: _exp, lax.log_p: _log, lax.log1p_p: _log1p, lax.asinh_p: _asinh, lax.asin_p: _asin,
    lax.acos_p: _acos, lax.acosh_p: _acosh, lax.atanh_p: _atanh, lax.atan_p: _atan,
}  # fmt: skip
# From the operand alone.
WHOLE: dict[Primitive, Any] = {
    lax.exp2_p: _exp2, lax.expm1_p: _expm1, lax.logistic_p: _logistic, lax.sqrt_p: _sqrt,
    lax.rsqrt_p: _rsqrt, lax.sinh_p: _sinh, lax.cosh_p: _cosh, lax.tanh_p: _tanh, lax.sin_p: _sin,
    lax.cos_p: _cos, lax.tan_p: _tan, lax.sign_p: _sign,
}  # fmt: skip
