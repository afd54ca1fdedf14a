"""Calls of the functions that choose, take, find and change elements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import jx_numpy as jnp

from .call import Call, of
from .data import BF16, bools, complexes, ints, reals

X, Y, V = reals(2, 3), reals(2, 3, low=-1.1, high=4.2), reals(3)
I, U, B, Z = ints(2, 3), ints(2, 3, dtype=np.uint8), bools(2, 3), complexes(2, 3)  # noqa: E741
VALUE_SHAPES = {"jit": "the shape goes with the values", "batch": "likewise"}
FEWER = "how many there are goes with the values"


def choices() -> Iterator[Call]:
    yield of(jnp.where, B, X, Y).having(moving=(1, 2))
    yield of(jnp.where, B[:, :1], X, 0.0).having(moving=(1,))
    yield of(jnp.where, I, I, U)
    yield of(jnp.where, B, Z, V).having(moving=(1, 2))
    yield of(jnp.where, B, X.astype(BF16), X.astype(BF16)).having(dtype=BF16)
    yield of(jnp.where, np.array(True), V, 1.0)
    yield of(jnp.where, B).having(**VALUE_SHAPES)
    yield of(jnp.where, I % 2).having(**VALUE_SHAPES)
    yield of(jnp.select, [X < -1, X > 1], [X, Y], default=0.5).having(
        moving=(2, 3), batch="the conditions of a row turned round"
    )
    yield of(jnp.select, [B, ~B & (X > 0)], [I, U])
    yield of(jnp.choose, np.array([0, 1, 1]), [V, 2 * V]).having(moving=(1, 2), **mode_raise())
    yield of(jnp.choose, ints(3), [V, 2 * V, V + 1], mode="wrap").having(moving=(1, 2, 3))
    yield of(jnp.choose, ints(3), [V, 2 * V, V + 1], mode="clip")
    yield of(jnp.piecewise, X, [X < -1, X > 1], [lambda x: x**2, 3.0, lambda x: -x]).having(
        moving=(0,), batch="the conditions are fixed"
    )
    yield Call(
        lambda x, f: jnp.piecewise(x, [x < 0], f, 2.0, offset=1.0),
        (X, [lambda x, k, offset: k * x + offset, lambda x, k, offset: x * k]),
        expected=lambda x, f: np.piecewise(x, [x < 0], f, 2.0, offset=1.0),
        name="numpy.piecewise", moving=(0,),
    )  # fmt: skip
    for f in (jnp.compress, jnp.extract):
        yield of(f, np.array([True, False, True]), V).having(**VALUE_SHAPES)
    keep = np.array([False, True, True])
    yield of(jnp.compress, keep, X, axis=1).having(**VALUE_SHAPES)
    yield of(jnp.compress, keep, X, axis=1, size=3, fill_value=-1).having(
        expected=lambda c, a, **_: np.stack([a[:, 1], a[:, 2], 0 * a[:, 0] - 1], 1),
        batch=FEWER, moving=(1,),
    )  # fmt: skip
    yield of(jnp.extract, keep, V, size=2, fill_value=4).having(
        expected=lambda c, a, size, fill_value: a[1:], batch=FEWER
    )


def mode_raise() -> dict[str, Any]:
    return {"jit": "mode='raise' looks at the indices", "batch": "likewise"}


def taking() -> Iterator[Call]:
    places = np.array([[0, 2], [-1, 0]])
    yield of(jnp.take, X, places, axis=1).having(moving=(0,))
    yield of(jnp.take, X, places).having(moving=(0,))
    yield of(jnp.take, I, np.array([0, 5, 7]), mode="wrap")
    yield of(jnp.take, I, np.array([0, 1, 7]), mode="clip")
    yield of(jnp.take, X, np.array([0, 9]), mode="fill", fill_value=-3.0).having(
        expected=lambda a, i, mode, fill_value: np.array([a.ravel()[0], -3.0]),
        batch="turned round, others are outside",
    )
    yield of(
        jnp.take, X, np.array([0, 2]), axis=1, unique_indices=True, indices_are_sorted=True
    ).having(
        expected=lambda a, i, axis, **hints: np.take(a, i, axis), batch="not sorted turned round"
    )  # fmt: skip
    yield of(jnp.take, X, 1, axis=0)
    yield of(jnp.take, X.astype(BF16), np.array([1, 0]), axis=0).having(dtype=BF16)
    along = np.array([[0, 2, 1, 0], [1, 1, 0, 2]])
    yield of(jnp.take_along_axis, X, along, axis=1).having(moving=(0,))
    yield of(jnp.take_along_axis, X, along).having(
        expected=lambda a, i: np.take_along_axis(a, i, -1)
    )
    yield of(jnp.take_along_axis, V, np.array([0, 4]), axis=None, mode="clip").having(
        expected=lambda a, i, axis, mode: a[[0, 2]], batch="turned round"
    )
    yield of(jnp.take_along_axis, V, np.array([0, 4]), axis=0, mode="fill", fill_value=2).having(
        expected=lambda a, i, **kw: np.array([a[0], 2.0]), batch="turned round"
    )
    yield of(
        jnp.take_along_axis, V, np.array([-1, 0]), axis=0, wrap_negative_indices=True
    ).having(expected=lambda a, i, **kw: a[i])  # fmt: skip
    for order in ("C", "F"):
        yield of(
            jnp.ravel_multi_index, (np.array([0, 1]), np.array([2, 0])), (2, 3), mode="clip",
            order=order,
        )  # fmt: skip
    yield of(jnp.ravel_multi_index, (ints(3), ints(3)), dims=(4, 3), mode="wrap", dtype=np.int32
             ).having(dtype=np.int32, expected=lambda m, dims, mode, dtype: np.ravel_multi_index(
                 m, dims, mode))  # fmt: skip
    yield of(jnp.ravel_multi_index, (np.array([0, 1]), np.array([2, 0])), (2, 3)).having(
        **mode_raise()
    )
    yield of(jnp.unravel_index, np.array([0, 5, 3]), (2, 3))
    yield of(jnp.unravel_index, np.array(4), shape=(2, 3))


def finding() -> Iterator[Call]:
    for x in (B, I % 2, X > 0, np.array([0.0, 2.0, 0.0])):
        yield of(jnp.nonzero, x).having(**VALUE_SHAPES)
        yield of(jnp.argwhere, x).having(**VALUE_SHAPES)
        yield of(jnp.flatnonzero, x).having(**VALUE_SHAPES)
    yield of(jnp.argwhere, np.array(3)).having(**VALUE_SHAPES)
    few = np.array([0, 3, 0, 5, 1])
    padded = np.array([1, 3, 4, -1])
    for size, fill in ((2, None), (4, -1)):
        want = padded[:size]
        yield of(jnp.nonzero, few, size=size, fill_value=fill).having(
            expected=lambda a, w=want, **kw: (w,), batch=FEWER
        )
        yield of(jnp.flatnonzero, few, size=size, fill_value=fill).having(
            expected=lambda a, w=want, **kw: w, batch=FEWER
        )
        yield of(jnp.argwhere, few, size=size, fill_value=fill).having(
            expected=lambda a, w=want, **kw: w[:, None], batch=FEWER
        )
        yield of(jnp.where, few, size=size, fill_value=fill).having(
            expected=lambda a, w=want, **kw: (w,), batch=FEWER
        )


def in_place(name: str) -> Any:
    """NumPy's function that changes an array, giving the changed copy."""

    def oracle(
        a: Any, *args: Any, inplace: bool = False, mode: str | None = None, **kw: Any
    ) -> Any:
        a = a.copy()
        if name == "put" and mode is not None:
            kw["mode"] = mode
        getattr(np, name)(a, *args, **kw)
        return a

    return oracle


def changing() -> Iterator[Call]:
    order = "places turned round are set in another order"
    for wrap in (False, True):
        yield of(jnp.fill_diagonal, reals(5, 3), V, wrap=wrap, inplace=False).having(
            expected=in_place("fill_diagonal"), moving=(0, 1)
        )
    yield of(jnp.fill_diagonal, I, 7, inplace=False).having(expected=in_place("fill_diagonal"))
    yield of(jnp.place, X, X > 0, V, inplace=False).having(
        expected=in_place("place"), moving=(0, 2)
    )
    for mode, places in ((None, [0, -1]), ("clip", [1, 9]), ("wrap", [1, 9])):
        yield of(jnp.put, X, np.array(places), V[:2], mode=mode, inplace=False).having(
            expected=in_place("put"), moving=(0, 2), batch=order
        )
    yield of(jnp.put, I, np.array([0, 2, 4]), 9, inplace=False).having(
        expected=in_place("put"), batch=order
    )
    along = np.array([[2], [0]])
    yield of(jnp.put_along_axis, X, along, Y[:, :1], axis=1, inplace=False).having(
        expected=in_place("put_along_axis"), moving=(0, 2)
    )
    yield of(jnp.put_along_axis, I, along, 8, axis=1, inplace=False, mode="drop").having(
        expected=in_place("put_along_axis")
    )


CALLS = [*choices(), *taking(), *finding(), *changing()]
