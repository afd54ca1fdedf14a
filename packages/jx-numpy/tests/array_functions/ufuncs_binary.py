"""Calls of the elementwise functions of two operands: promotion, broadcasting, domains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import BF16, bools, complexes, empty, ints, reals, widened

X, Y = reals(2, 3), reals(3, low=0.35, high=1.9)
COLUMN = reals(2, 1, low=-1.7, high=2.2)
Z, W = complexes(4), complexes(3, 1, scale=0.9)
I, J = ints(2, 4), ints(4, low=1, high=6)  # noqa: E741
U, V = ints(4, dtype=np.uint8, high=200), ints(4, dtype=np.uint8, low=1, high=7)
B, C = bools(2, 4), bools(4)
E = empty(0, 3)

# What they take besides real floats: c complex numbers, i integers, b booleans. Of those with
# a 2, derivatives of the second order exist.
ARITHMETIC = {
    "add": "cib2", "subtract": "ci2", "multiply": "cib2", "divide": "c2", "true_divide": "c2",
    "maximum": "ib1", "minimum": "ib1", "fmax": "ib1", "fmin": "ib1", "floor_divide": "i1",
    "remainder": "i1", "mod": "i1", "fmod": "i1", "hypot": "2", "logaddexp": "c2",
    "logaddexp2": "2", "arctan2": "2", "atan2": "2", "copysign": "1", "heaviside": "",
}  # fmt: skip
COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
               "logical_and", "logical_or", "logical_xor")  # fmt: skip
BITS = ("bitwise_and", "bitwise_or", "bitwise_xor")
SHIFTS = ("left_shift", "right_shift", "bitwise_left_shift", "bitwise_right_shift")


def arithmetic(name: str, kinds: str) -> Iterator[Call]:
    f = getattr(jnp, name)
    order = 2 if "2" in kinds else 1
    moving = (0, 1) if "1" in kinds or "2" in kinds else ()
    expected = log_of_sum if name == "logaddexp" else None
    yield of(f, X, Y).having(moving=moving, order=order, slack=8)
    yield of(f, COLUMN.astype(np.float32), Y.astype(np.float32)).having(slack=4, atol=1e-6)
    yield of(f, np.array(1.5), np.array(0.4, np.float32)).having(slack=4, atol=1e-6)
    yield of(f, E, E[:0, :1])
    yield of(f, X.astype(BF16), Y.astype(BF16)).having(atol=4e-2)
    if name != "floor_divide":
        yield of(f, X, 2.0).having(slack=4)
    if "i" in kinds:
        yield of(f, I, J)
        yield of(f, U, V)
        yield of(f, I, np.array(3, np.int8))
        yield of(f, J, Y[:1].astype(np.float32)).having(slack=8, atol=1e-6)
    else:
        yield of(f, J, J[:1]).having(slack=4, expected=widened(getattr(np, name)), atol=1e-6)
    if "b" in kinds:
        yield of(f, B, C)
    if "c" in kinds:
        yield of(f, Z, W).having(moving=(0, 1), slack=16, expected=expected)
        yield of(f, Z.astype(np.complex64), Y[:1].astype(np.float32)).having(
            slack=8, atol=1e-6, expected=expected
        )


def log_of_sum(x: Any, y: Any) -> Any:
    return np.log(np.exp(x) + np.exp(y))


def others() -> Iterator[Call]:
    special = np.array([np.nan, 1.0, np.inf, -0.0], np.float32)
    for name in COMPARISONS:
        f = getattr(jnp, name)
        yield of(f, special, special[::-1].copy())
        yield of(f, COLUMN, Y)
        yield of(f, I, J)
        yield of(f, U, V)
        yield of(f, B, C)
        yield of(f, E, E)
        if name in ("equal", "not_equal", "logical_and"):
            yield of(f, Z, W)
    for name in BITS:
        f = getattr(jnp, name)
        yield of(f, I, J)
        yield of(f, U, V)
        yield of(f, B, C)
        yield of(f, J, 3)
        yield of(f, ints(0), ints(0))
    for name in SHIFTS:
        f = getattr(jnp, name)
        yield of(f, I, J)
        yield of(f, U, V)
        yield of(f, J, 2)
    for name in ("gcd", "lcm"):
        f = getattr(jnp, name)
        yield of(f, 6 * I, 4 * J)
        yield of(f, U, V).having(expected=lambda x, y, f=name: getattr(np, f)(x, y))
        yield of(f, np.array(12), np.array(0))
    yield of(jnp.nextafter, X, Y[:1] + 9).having(slack=0)
    yield of(jnp.nextafter, special, np.float32(3) + empty(1)).having(slack=0)
    yield of(jnp.ldexp, X, ints(3)).having(moving=(0,))
    yield of(jnp.ldexp, X.astype(np.float32), ints(2, 1))
    for f in (jnp.divmod,):
        yield of(f, X, Y).having(slack=8)
        yield of(f, I, J)
        yield of(f, -X, -Y).having(slack=8)


def powers() -> Iterator[Call]:
    base = reals(2, 3, low=0.4, high=2.4)
    for f in (jnp.power, jnp.pow):
        yield of(f, base, Y).having(moving=(0, 1), slack=8)
        yield of(f, X, 3).having(moving=(0,), slack=4)
        yield of(f, X, np.array([0, 1, 2])).having(moving=(0,), slack=4)
        yield of(f, X, -2).having(moving=(0,), slack=4)
        yield of(f, Z, W).having(moving=(0, 1), slack=32)
        yield of(f, Z, 2).having(moving=(0,), slack=8)
        yield of(f, base.astype(np.float32), np.array(0.5, np.float32)).having(slack=4)
        yield of(f, I, ints(4, low=0, high=4))
        yield of(f, U, V)
        yield of(f, E, E)
    yield of(jnp.float_power, base, Y).having(moving=(0, 1), slack=8)
    yield of(jnp.float_power, J, ints(4, low=-2, high=3)).having(slack=8)
    yield of(jnp.float_power, Z, W).having(moving=(0, 1), slack=32)


def closeness() -> Iterator[Call]:
    near = X + np.where(np.arange(3) == 1, 1e-3, 1e-9)
    odd = np.array([np.nan, np.inf, -np.inf, 1.0])
    for f in (jnp.isclose, jnp.allclose):
        yield of(f, X, near)
        yield of(f, X, near, rtol=1e-2, atol=1e-4)
        yield of(f, odd, odd.copy(), equal_nan=True)
        yield of(f, odd, odd[::-1].copy(), equal_nan=False)
        yield of(f, I, I + 1)
        yield of(f, Z, Z + 1e-12)
        yield of(f, E, E)
    for f in (jnp.array_equal, jnp.array_equiv):
        yield of(f, I, I.copy())
        yield of(f, I, J)
        yield of(f, X, near)
        yield of(f, I, ints(3))
        yield of(f, E, E)
    yield of(jnp.array_equiv, np.array([[1, 2], [1, 2]]), np.array([1, 2]))
    yield of(jnp.array_equal, odd, odd.copy(), equal_nan=True)
    yield of(jnp.array_equal, odd, odd.copy(), equal_nan=False)


def methods_of_ufuncs() -> Iterator[Call]:
    """`reduce`, `accumulate`, `outer`, `at` and `reduceat`, against NumPy's."""

    def method(name: str, how: str, *args: Any, **kwargs: Any) -> Call:
        def call(*a: Any, **k: Any) -> Any:
            return getattr(getattr(jnp, name), how)(*a, **k)

        def oracle(*a: Any, **k: Any) -> Any:
            return getattr(getattr(np, name), how)(*a, **k)

        return Call(call, args, kwargs, oracle, name=f"numpy.ufunc.{how}")

    smooth = ("add", "multiply", "logaddexp")
    for name in ("add", "multiply", "maximum", "minimum", "logaddexp", "logaddexp2"):
        moving = (0,) if name in smooth else ()
        yield method(name, "reduce", X, axis=1).having(slack=4, moving=moving)
        yield method(name, "accumulate", X, axis=1).having(slack=4, moving=moving)
        yield method(name, "outer", Y, X[0]).having(slack=4, moving=(0, 1) if moving else ())
    for name in ("add", "multiply", "maximum"):
        yield method(name, "reduce", X.astype(np.float32), axis=None, keepdims=True)
        yield method(name, "reduce", I, axis=(0, 1), initial=2)
        yield method(name, "reduce", X, axis=0, where=X > 0, initial=1.0)
        yield method(name, "reduce", I, dtype=np.float64)
        yield method(name, "accumulate", I, axis=0, dtype=np.int64)
        yield method(name, "reduceat", X, np.array([0, 2, 1]), axis=1).having(batch="indices")
        yield method(name, "reduceat", J, np.array([0, 2])).having(batch="indices")
    for name in ("logical_and", "logical_or", "logical_xor"):
        yield method(name, "reduce", I, axis=1)
        yield method(name, "accumulate", B, axis=1)
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        yield method(name, "reduce", I, axis=1)
        yield method(name, "outer", I, J)
    for name in ("add", "multiply", "maximum", "subtract"):
        change = Call(
            lambda *a, f=name: getattr(jnp, f).at(*a, inplace=False),
            (X, (np.array([0, 0, 1]), np.array([0, 0, 2])), np.array([1.5, 2.0, 0.7])),
            expected=lambda *a, f=name: changed(getattr(np, f), *a),
            name="numpy.ufunc.at",
        )
        yield change.having(batch="the indices turned round are in another order")
    one = jnp.frompyfunc(lambda x, y: x + 2 * y, 2, 1, identity=0)
    yield Call(one, (X, Y), expected=lambda x, y: x + 2 * y, name="numpy.frompyfunc").having(
        moving=(0, 1)
    )
    yield Call(
        jnp.frompyfunc(lambda x: (x, -x), 1, 2), (I,), expected=lambda x: (x, -x),
        name="numpy.frompyfunc",
    )  # fmt: skip
    yield Call(one.reduce, (Y,), expected=lambda y: 2 * y[0] + 2 * y[1] + 2 * y[2],
               name="numpy.ufunc.reduce")  # fmt: skip


def changed(function: Any, a: Any, indices: Any, b: Any) -> Any:
    a = a.copy()
    function.at(a, indices, b)
    return a


CALLS = [
    *(c for name, kinds in ARITHMETIC.items() for c in arithmetic(name, kinds)),
    *others(),
    *powers(),
    *closeness(),
    *methods_of_ufuncs(),
]
