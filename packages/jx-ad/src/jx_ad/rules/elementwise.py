"""Differentiation of elementwise operations: arithmetic, transcendental functions, selection.

Where a function has a kink, the derivative at it is a choice. As in JAX: 0 for `abs` and `sign`
at 0 and for `clamp` at its bounds, one half each for `max` and `min` of equal operands.
Complex functions have C-linear derivatives where they are holomorphic; `abs`, `real`, `imag`,
`conj` are R-linear ones, transposed with respect to the pairing Re(ct * t).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_core import dtypes, typeof
from jx_core.lax import (
    RoundingMethod,
    abs_p,
    acos_p,
    acosh_p,
    add_p,
    and_p,
    asin_p,
    asinh_p,
    atan2_p,
    atan_p,
    atanh_p,
    bitcast_convert_type_p,
    cbrt_p,
    ceil_p,
    clamp_p,
    clz_p,
    complex_p,
    conj_p,
    convert_element_type_p,
    copy_p,
    cos_p,
    cosh_p,
    dce_sink_p,
    div_p,
    eq_p,
    eq_to_p,
    exp2_p,
    exp_p,
    expm1_p,
    floor_p,
    ge_p,
    gt_p,
    imag_p,
    integer_pow_p,
    is_finite_p,
    le_p,
    le_to_p,
    log1p_p,
    log_p,
    logistic_p,
    lt_p,
    lt_to_p,
    max_p,
    min_p,
    mul_p,
    mulhi_p,
    ne_p,
    neg_p,
    nextafter_p,
    not_p,
    optimization_barrier_p,
    or_p,
    population_count_p,
    pow_p,
    real_p,
    reduce_precision_p,
    rem_p,
    round_p,
    rsqrt_p,
    select_n_p,
    shift_left_p,
    shift_right_arithmetic_p,
    shift_right_logical_p,
    sign_p,
    sin_p,
    sinh_p,
    sqrt_p,
    square_p,
    stage_p,
    stop_gradient_p,
    sub_p,
    tan_p,
    tanh_p,
    xor_p,
)

from ..tables import defjvp, defnondiff, deftranspose, jvp_rules
from ..tangents import is_differentiable
from .kit import (
    aval_of,
    beside,
    broadcast_scalar,
    check_known,
    cotangents,
    define_unary_linear,
    is_complex,
    is_number,
    known,
    mask,
    where,
)

add, sub, mul, div, neg = add_p.bind, sub_p.bind, mul_p.bind, div_p.bind, neg_p.bind
pow, square, rsqrt, sign = pow_p.bind, square_p.bind, rsqrt_p.bind, sign_p.bind
exp, log, sin, cos = exp_p.bind, log_p.bind, sin_p.bind, cos_p.bind
real, imag, select_n = real_p.bind, imag_p.bind, select_n_p.bind
eq, lt, gt = eq_p.bind, lt_p.bind, gt_p.bind


def one_minus(x: Any) -> Any:
    return sub(beside(x, 1.0), x)


def one_plus(x: Any) -> Any:
    return add(x, beside(x, 1.0))


def finite(x: Any) -> Any:
    """`x`, but a great number in place of infinity, of which the double is finite too.

    For rules whose factor vanishes at infinity: 0 times a number is 0, and so is the derivative.
    """
    if is_complex(x):
        return x
    most = float(dtypes.finfo(typeof(x).dtype).max) / 4
    return clamp_p.bind(beside(x, -most), x, beside(x, most))


def conj(x: Any) -> Any:
    return conj_p.bind(x, input_dtype=typeof(x).dtype)


def round(x: Any) -> Any:
    return round_p.bind(x, rounding_method=RoundingMethod.TO_NEAREST_EVEN)


# --- arithmetic ---

define_unary_linear(neg_p, lambda ct, x: neg(ct))

defjvp(add_p)(lambda t, out, x, y: t, lambda t, out, x, y: t)
defjvp(sub_p)(lambda t, out, x, y: t, lambda t, out, x, y: neg(t))
defjvp(mul_p)(lambda t, out, x, y: mul(t, y), lambda t, out, x, y: mul(x, t))
defjvp(div_p)(lambda t, out, x, y: div(t, y), lambda t, out, x, y: mul(t, neg(div(out, y))))

deftranspose(add_p)(lambda ct, x, y: [None if known(x) else ct, None if known(y) else ct])
deftranspose(sub_p)(lambda ct, x, y: [None if known(x) else ct, None if known(y) else neg(ct)])


@deftranspose(mul_p)
def _mul_transpose(ct: Any, x: Any, y: Any) -> list[Any]:
    if known(x):
        return [None, mul(x, ct)]
    check_known(mul_p, y)
    return [mul(ct, y), None]


@deftranspose(div_p)
def _div_transpose(ct: Any, x: Any, y: Any) -> list[Any]:
    check_known(div_p, y)
    return [div(ct, y), None]


# rem(x, y) = x - n y for an integer n, which rounding recovers exactly.
defjvp(rem_p)(
    lambda t, out, x, y: t,
    lambda t, out, x, y: mul(t, round(div(sub(out, x), y))),
)

defjvp(abs_p)(lambda t, out, x: real(mul(t, conj(sign(x)))) if is_complex(x) else mul(t, sign(x)))


def _turn(t: Any, out: Any, z: Any) -> Any:
    """The tangent of z/|z|, which only the part of `t` at right angles to z moves."""
    if not is_complex(z):
        return None
    size = abs_p.bind(z)
    size = add(size, mask(eq(size, beside(size, 0.0)), size))
    angle = div(imag(mul(t, conj(out))), size)
    return mul(complex_p.bind(beside(angle, 0.0), angle), out)


defjvp(sign_p)(_turn)


def _share(out: Any, x: Any, y: Any) -> Any:
    """Of the derivative of max or min, what is due to x: all, nothing, or half if x = y."""
    zero, half, one = beside(out, 0), beside(out, 0.5), beside(out, 1)
    return select_n(eq(x, out), zero, select_n(eq(x, y), one, half))


for _p in (max_p, min_p):
    defjvp(_p)(
        lambda t, out, x, y: mul(t, _share(out, x, y)),
        lambda t, out, x, y: mul(t, _share(out, y, x)),
    )

# --- powers and roots ---

defjvp(square_p)(lambda t, out, x: mul(t, mul(x, beside(x, 2.0))))
defjvp(sqrt_p)(lambda t, out, x: mul(t, div(beside(out, 0.5), out)))
defjvp(rsqrt_p)(lambda t, out, x: mul(t, mul(div(out, x), beside(x, -0.5))))
defjvp(cbrt_p)(lambda t, out, x: div(t, mul(square(finite(out)), beside(out, 3.0))))


def _integer_pow_tangent(t: Any, out: Any, x: Any, y: int) -> Any:
    if y == 0:
        return None
    if y == 1:
        return t
    power = x if y == 2 else integer_pow_p.bind(x, y=y - 1)
    return mul(t, mul(power, beside(x, float(y))))


def _pow_by_base(t: Any, out: Any, x: Any, y: Any) -> Any:
    """y x^(y-1), which is 0 where y is, whatever x is."""
    if is_number(y):
        if y == 0:
            return None
        return mul(t, mul(pow(x, type(y)(y - 1)), beside(x, y)))
    less = sub(y, mask(ne_p.bind(y, beside(y, 0)), y))
    factor = y if typeof(y).dtype == typeof(x).dtype else mask(y, x)
    return mul(t, mul(pow(x, less), factor))


def _pow_by_exponent(t: Any, out: Any, x: Any, y: Any) -> Any:
    """x^y log x, which is 0 where x is."""
    if is_number(x) and not isinstance(x, _COMPLEX) and x > 0:
        return mul(t, mul(out, beside(out, math.log(x))))
    return mul(t, mul(log(add(x, mask(eq(x, beside(x, 0)), x))), out))


_COMPLEX = (complex, np.complexfloating)

defjvp(integer_pow_p)(_integer_pow_tangent)
defjvp(pow_p)(_pow_by_base, _pow_by_exponent)

# --- exponentials and logarithms ---

defjvp(exp_p)(lambda t, out, x: mul(t, out))
defjvp(exp2_p)(lambda t, out, x: mul(t, mul(out, beside(out, math.log(2.0)))))
defjvp(expm1_p)(lambda t, out, x: mul(t, one_plus(out)))
defjvp(log_p)(lambda t, out, x: div(t, x))
defjvp(log1p_p)(lambda t, out, x: div(t, one_plus(x)))
defjvp(logistic_p)(lambda t, out, x: mul(t, mul(out, one_minus(out))))

# --- trigonometric and hyperbolic functions ---

# 1 - x^2 is taken as (1 - x)(1 + x), which keeps its digits where x is near 1.
defjvp(sin_p)(lambda t, out, x: mul(t, cos(x)))
defjvp(cos_p)(lambda t, out, x: mul(t, neg(sin(x))))
defjvp(tan_p)(lambda t, out, x: mul(t, one_plus(square(out))))
defjvp(asin_p)(lambda t, out, x: mul(t, rsqrt(mul(one_minus(x), one_plus(x)))))
defjvp(acos_p)(lambda t, out, x: mul(t, neg(rsqrt(mul(one_minus(x), one_plus(x))))))
defjvp(atan_p)(lambda t, out, x: div(t, one_plus(square(finite(x)))))
defjvp(sinh_p)(lambda t, out, x: mul(t, cosh_p.bind(x)))
defjvp(cosh_p)(lambda t, out, x: mul(t, sinh_p.bind(x)))
defjvp(tanh_p)(lambda t, out, x: mul(t, mul(one_minus(out), one_plus(out))))
defjvp(asinh_p)(lambda t, out, x: mul(t, _asinh_slope(x)))
defjvp(acosh_p)(lambda t, out, x: mul(t, mul(rsqrt(sub(x, beside(x, 1.0))), rsqrt(one_plus(x)))))
defjvp(atanh_p)(lambda t, out, x: div(t, mul(one_minus(x), one_plus(x))))


def _size(*operands: Any) -> Any:
    """The greatest size of the operands, by which to divide so that no square overflows.

    Formulas that it is divided out of do not depend on it, so it counts as constant.
    """
    fixed = [abs_p.bind(stop_gradient_p.bind(x)) for x in operands]
    return max_p.bind(*fixed)


def _asinh_slope(x: Any) -> Any:
    """1 / sqrt(1 + x^2)."""
    if is_complex(x):
        return rsqrt(one_plus(square(x)))
    size = _size(x, beside(x, 1.0))
    bound = finite(size)
    inner = add(square(div(finite(x), bound)), square(div(beside(x, 1.0), bound)))
    return div(rsqrt(inner), size)


def _angle_slope(t: Any, along: Any, x: Any, y: Any) -> Any:
    """t along / (x^2 + y^2), where `along` is one of x and y.

    At the origin, where the angle is not differentiable, it is taken as 0, as for the radius.
    """
    if is_complex(x):
        square_of_radius = add(square(x), square(y))
        return mul(t, div(along, _or_one(square_of_radius)))
    is_x = along is x
    size = _or_one(_size(x, y))
    bound = finite(size)
    x, y = div(finite(x), bound), div(finite(y), bound)
    square_of_radius = _or_one(add(square(x), square(y)))
    # By the reciprocal: XLA makes one division of two, of which the divisor could overflow.
    return mul(t, mul(div(x if is_x else y, square_of_radius), div(beside(size, 1.0), size)))


def _or_one(x: Any) -> Any:
    """`x`, and 1 where it is 0."""
    return add(x, mask(eq(x, beside(x, 0.0)), x))


defjvp(atan2_p)(
    lambda t, out, x, y: _angle_slope(t, y, x, y),
    lambda t, out, x, y: neg(_angle_slope(t, x, x, y)),
)

# --- complex numbers ---

define_unary_linear(real_p, lambda ct, z: complex_p.bind(ct, beside(ct, 0.0)))
define_unary_linear(imag_p, lambda ct, z: complex_p.bind(beside(ct, 0.0), neg(ct)))
define_unary_linear(
    conj_p, lambda ct, z, input_dtype: conj(ct) if is_complex(aval_of(z)) else real(ct)
)


def _complex(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    out = complex_p.bind(*primals)
    tangent = complex_p.bind(*_full(tangents, primals))
    return out, broadcast_scalar(tangent, typeof(out).shape)


def _full(tangents: list[Any], primals: list[Any]) -> list[Any]:
    """Tangents with the number 0, which goes with any shape, in place of None."""
    return [beside(p, 0) if t is None else t for t, p in zip(tangents, primals, strict=True)]


jvp_rules.define(complex_p)(_complex)
deftranspose(complex_p)(
    lambda ct, x, y: [None if known(x) else real(ct), None if known(y) else neg(imag(ct))]
)

# --- conversion ---


def _convert_tangent(t: Any, out: Any, x: Any, new_dtype: Any, weak_type: bool) -> Any:
    if not is_differentiable(typeof(out)):
        return None
    return convert_element_type_p.bind(t, new_dtype=new_dtype, weak_type=weak_type)


def _convert_transpose(ct: Any, x: Any, new_dtype: Any, weak_type: bool) -> list[Any]:
    aval = aval_of(x)
    if is_complex(ct) and not is_complex(aval):
        ct = real(ct)
    return [convert_element_type_p.bind(ct, new_dtype=aval.dtype, weak_type=aval.weak_type)]


defjvp(convert_element_type_p)(_convert_tangent)
deftranspose(convert_element_type_p)(_convert_transpose)

define_unary_linear(copy_p, lambda ct, x: ct)
define_unary_linear(stage_p, lambda ct, x: ct)
jvp_rules.define(dce_sink_p)(lambda primals, ts, params: (dce_sink_p.bind(*primals, **params), []))


def _barrier(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    moving = [t for t in tangents if t is not None]
    following = iter(optimization_barrier_p.bind(*moving))
    outs = optimization_barrier_p.bind(*primals)
    return outs, [None if t is None else next(following) for t in tangents]


jvp_rules.define(optimization_barrier_p)(_barrier)
deftranspose(optimization_barrier_p)(
    lambda cts, *operands: optimization_barrier_p.bind(*cotangents(cts))
)

define_unary_linear(
    reduce_precision_p, lambda ct, x, **params: reduce_precision_p.bind(ct, **params)
)

# --- selection ---


def _select(primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
    out = select_n(*primals)
    tangent = select_n(primals[0], *_full(tangents[1:], primals[1:]))
    return out, broadcast_scalar(tangent, typeof(out).shape)


def _select_transpose(ct: Any, which: Any, *cases: Any) -> list[Any]:
    zero = beside(ct, 0)
    parts: list[Any] = [None]
    for i, case in enumerate(cases):
        chosen = [ct if i == j else zero for j in range(len(cases))]
        parts.append(None if known(case) else select_n(which, *chosen))
    return parts


jvp_rules.define(select_n_p)(_select)
deftranspose(select_n_p)(_select_transpose)

defjvp(clamp_p)(
    lambda t, out, low, x, high: where(lt(x, low), t),
    lambda t, out, low, x, high: where(and_p.bind(gt(x, low), lt(x, high)), t),
    lambda t, out, low, x, high: where(gt(x, high), t),
)

# --- no derivative ---

defnondiff("piecewise constant", floor_p, ceil_p, round_p)
defnondiff("Boolean result", eq_p, ne_p, ge_p, gt_p, le_p, lt_p, is_finite_p)
defnondiff("Boolean result", eq_to_p, le_to_p, lt_to_p)
defnondiff("acts on integers", not_p, and_p, or_p, xor_p, population_count_p, clz_p, mulhi_p)
defnondiff("acts on integers", shift_left_p, shift_right_arithmetic_p, shift_right_logical_p)
defnondiff("the derivative of a value's bits is taken as zero", bitcast_convert_type_p)
defnondiff("stops derivatives, as asked", stop_gradient_p)
jvp_rules.explain("not differentiable: its steps depend on the floating-point format", nextafter_p)
