"""Calls of the methods, operators and properties of arrays, and of reading and changing parts."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call
from .data import bools, complexes, ints, reals

X, Y, V = reals(2, 3), reals(2, 3, low=0.4, high=1.9), reals(3)
CUBE = reals(2, 3, 4)
I, J, B, Z = ints(2, 3), ints(2, 3, low=1, high=6), bools(2, 3), complexes(2, 3)  # noqa: E741
VALUE_SHAPES = {"jit": "the shape goes with the values", "batch": "likewise"}
KINDS = (X, I, B, Z)


def method(name: str, x: Any, *args: Any, **kwargs: Any) -> Call:
    """`x.name(*args)`, on an array, against NumPy's method of that name."""

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(jnp.asarray(x), name)(*args, **kwargs)

    def oracle(x: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(x, name)(*args, **kwargs)

    return Call(call, (x, *args), kwargs, oracle, name=f"Array.{name}")


def member(name: str, function: Any, x: Any, *rest: Any, **facts: Any) -> Call:
    """`function(x)` on an array, against the same on a NumPy array."""

    def call(x: Any, *rest: Any) -> Any:
        return function(jnp.asarray(x), *rest)

    return Call(call, (x, *rest), expected=function, name=f"Array.{name}").having(**facts)


def reductions() -> Iterator[Call]:
    for name in ("sum", "prod", "max", "min", "mean", "std", "var"):
        yield method(name, X).having(moving=(0,), slack=4)
        yield method(name, X, axis=1, keepdims=True).having(moving=(0,), slack=4)
        yield method(name, I, 0)
    for name in ("sum", "prod", "max", "min"):
        yield method(name, X, axis=0, initial=0.5, where=X > 0)
    for name in ("std", "var"):
        yield method(name, X, axis=1, ddof=1).having(slack=4)
    yield method("mean", I, dtype=np.float32)
    for name in ("all", "any"):
        for x in KINDS:
            yield method(name, x)
        yield method(name, B, axis=0, keepdims=True)
    for name in ("argmax", "argmin"):
        yield method(name, X)
        yield method(name, I, axis=1)
    for name in ("cumsum", "cumprod"):
        yield method(name, X, axis=1).having(moving=(0,), slack=4)
        yield method(name, I)
    yield member("ptp", lambda x: x.max(0) - x.min(0) if isinstance(x, np.ndarray) else x.ptp(0),
                 X, moving=(0,))  # fmt: skip
    yield method("trace", X, offset=1).having(moving=(0,))


def shapes() -> Iterator[Call]:
    yield method("reshape", X, 3, 2).having(moving=(0,))
    yield method("reshape", X, (3, -1), order="F").having(moving=(0,))
    for name in ("ravel", "flatten"):
        yield method(name, X).having(moving=(0,))
        yield method(name, X, "F")
    for axes in ((), (1, 2, 0), ((1, 2, 0),)):
        yield method("transpose", CUBE, *axes).having(moving=(0,))
    yield method("swapaxes", CUBE, 0, 2).having(moving=(0,))
    yield method("squeeze", CUBE[:1], axis=0).having(moving=(0,))
    yield method("diagonal", CUBE, 1, 1, 2).having(moving=(0,))
    yield method("repeat", X, 2, axis=0).having(moving=(0,))
    for name in ("T", "mT", "real", "imag"):
        get = operator.attrgetter(name)
        for x in (X, I, Z, CUBE):
            yield member(name, get, x, moving=(0,) if x is CUBE else ())
    for name in ("ndim", "size", "nbytes", "itemsize", "shape"):
        yield member(name, operator.attrgetter(name), CUBE, batch="of a row")


def elements() -> Iterator[Call]:
    for name in ("conj", "conjugate", "copy"):
        for x in (X, Z, I):
            yield method(name, x)
    yield member("clone", lambda x: x.copy() if isinstance(x, np.ndarray) else x.clone(), X)
    yield method("astype", X, np.float32)
    yield method("astype", I, np.complex64).having(dtype=np.complex64)
    yield method("round", X, 1).having(slack=2)
    yield member("__round__", lambda x: np.rint(x).astype(int) if isinstance(x, np.ndarray)
                 else round(x), X)  # fmt: skip
    yield method("clip", X, -1.0, 1.0).having(moving=(0,))
    yield method("view", X.astype(np.float32), np.int32).having(batch=True)
    yield method("view", ints(2, 4, dtype=np.uint8), np.int16)
    yield method("view", ints(2, 2, dtype=np.int32), np.uint8)
    yield method("byteswap", I)
    yield method("dot", X, X.T.copy()).having(moving=(0, 1), slack=8)
    yield method("choose", np.array([0, 1, 1]), [V, 2 * V], mode="clip")
    yield member("compress", lambda x, c: x.compress(c, axis=1), X,
                 np.array([True, False, True]), **VALUE_SHAPES)  # fmt: skip
    yield method("nonzero", I % 2).having(**VALUE_SHAPES)
    yield method("searchsorted", np.sort(V), X, side="right").having(batch="not sorted")
    yield method("take", X, np.array([1, 0]), axis=1).having(moving=(0,))
    yield member("sort", lambda x: np.sort(x, 0) if isinstance(x, np.ndarray) else x.sort(0), X,
                 moving=(0,))  # fmt: skip
    yield method("argsort", X, axis=0)
    yield member("argpartition", lambda x: x[..., x.argpartition(1)[..., 1][0]], X[:1])
    yield member("__iter__", lambda x: [2 * row for row in x], X, moving=(0,))
    yield member("__contains__", lambda x: np.asarray(3.0 in x), X, jit="a Python bool",
                 batch="likewise")  # fmt: skip
    for name in ("tolist", "tobytes", "item"):
        yield member(name, values_by(name), X, jit="Python values", batch="likewise")
    yield member("to_device", lambda x: x if isinstance(x, np.ndarray) else x.to_device(x.device),
                 X, jit="devices", batch="devices")  # fmt: skip
    yield member("__array_namespace__", lambda x: x.__array_namespace__(
        api_version="2023.12").exp(x), X, slack=2)  # fmt: skip
    yield member("__array_module__", lambda x: (np if isinstance(x, np.ndarray) else
        x.__array_module__((type(x), np.ndarray))).exp(x), X, slack=2)  # fmt: skip


def values_by(name: str) -> Any:
    """The method that gives Python values, and gives them back as an array."""

    def call(x: Any) -> Any:
        values = getattr(x, name)(*((1,) if name == "item" else ()))
        return np.frombuffer(values) if name == "tobytes" else np.asarray(values)

    return call


OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "**": operator.pow, "divmod": divmod,
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge,
}  # fmt: skip
INTEGER_OPERATORS = {
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift,
    ">>": operator.rshift,
}  # fmt: skip


def operators() -> Iterator[Call]:
    smooth = "+-*/"
    for sign, f in OPERATORS.items():
        moving = (0, 1) if sign in smooth and sign != "//" else ()
        yield member(sign, f, Y, X, moving=moving, slack=8)
        if sign != "**":
            yield member(sign, f, I, J)
        yield member(sign, f, Y, 2, slack=8)
        yield member(sign, lambda x, f=f: f(2, x), Y, slack=8)
    for sign, f in INTEGER_OPERATORS.items():
        yield member(sign, f, J, J[::-1].copy())
        yield member(sign, f, J, 2)
        yield member(sign, lambda x, f=f: f(2, x), J)
    yield member("**", operator.pow, Y, X, moving=(0, 1), slack=8)
    yield member("@", operator.matmul, X, X.T.copy(), moving=(0, 1), slack=8)
    for sign, f in (("-x", operator.neg), ("+x", operator.pos), ("abs", abs)):
        for x in (X, I, Z):
            yield member(sign, f, x, moving=(0,) if x is X else ())
    yield member("~", operator.invert, I)
    yield member("~", operator.invert, B)
    for convert, x in ((float, 2.5), (int, 3), (complex, 1 + 2j), (bool, 0), (len, [1, 2])):
        yield member(convert.__name__, lambda x, f=convert: np.asarray(f(x)), np.array(x),
                     jit="Python values", batch="likewise")  # fmt: skip
    yield member("__index__", lambda x: np.asarray(range(9)[x]), np.array(3),
                 jit="Python values", batch="likewise")  # fmt: skip


INDICES = [
    0, -1, slice(None, None, -1), (slice(1, None), 2), (..., 1), (None, 0), ([0, 1], [2, 0]),
    (slice(None), np.array([[0, 2], [1, 1]])), (1, slice(0, 3, 2)), np.array([1, 1, 0]),
]  # fmt: skip


def parts() -> Iterator[Call]:
    for key in INDICES:
        constant = key if not isinstance(key, np.ndarray) else np.asarray(key)
        if isinstance(key, tuple) and any(isinstance(k, (list, np.ndarray)) for k in key):
            constant = tuple(np.asarray(k) if isinstance(k, list) else k for k in key)
        yield Call(read, (X, constant), name="Array.__getitem__", moving=(0,),
                   expected=lambda x, k: x[k])  # fmt: skip
        for how in ("set", "add", "multiply", "max", "divide"):
            if how in ("set", "divide") and isinstance(key, np.ndarray):
                continue  # one place twice
            y = 0.5 + np.abs(X[constant])
            yield Call(
                change, (X, constant, y, how), name=f"Array.at.{how}", moving=(0,),
                expected=changed, order=1, batch="the indices turned round do not go with them",
                slack=4, jit=True,
            )  # fmt: skip
    mask = X > 0
    yield Call(read, (X, mask), name="Array.__getitem__", expected=lambda x, k: x[k],
               **VALUE_SHAPES)  # fmt: skip
    for how in ("set", "add", "min", "subtract", "power", "apply", "get", "multiply", "mul"):
        place = 1 if how in ("get", "apply") else mask
        yield Call(change, (np.abs(X), place, 2.0, how), moving=(0,), order=1,
                   name=f"Array.at.{how}", expected=changed, slack=4)  # fmt: skip


def read(x: Any, key: Any) -> Any:
    return jnp.asarray(x)[key]


def change(x: Any, key: Any, y: Any, how: str) -> Any:
    place = jnp.asarray(x).at[key]
    if how == "get":
        return place.get(mode="clip")
    return place.apply(jnp.exp) if how == "apply" else getattr(place, how)(y)


def changed(x: Any, key: Any, y: Any, how: str) -> Any:
    x = x.copy()
    ufunc = {
        "add": np.add, "multiply": np.multiply, "mul": np.multiply, "max": np.maximum,
        "min": np.minimum, "divide": np.divide, "subtract": np.subtract, "power": np.power,
    }.get(how)  # fmt: skip
    if how == "get":
        return x[key]
    if how == "apply":
        x[key] = np.exp(x[key])
    elif ufunc is None:
        x[key] = y
    else:
        ufunc.at(x, key, y)
    return x


CALLS = [*reductions(), *shapes(), *elements(), *operators(), *parts()]
