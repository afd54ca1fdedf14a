"""Checks of derivatives against finite differences, for the tests of whoever defines rules.

`check_grads` is `jax.test_util.check_grads`: it checks forward and reverse mode of a function,
and of its derivatives, up to an order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jx_core import dtypes, tree, typeof
from jx_core.backend import current

from .api import jvp, vjp
from .tangents import is_differentiable

__all__ = ["check_grads", "check_jvp", "check_vjp"]

# Central differences err by eps^2 of the third derivative, and by rounding over eps.
_STEPS = {2: 1e-1, 4: 1e-2, 8: 1e-4}
_TOLERANCES = {2: 1e-1, 4: 4e-3, 8: 1e-5}


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int,
    modes: Sequence[str] | str = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Check the derivatives of a function at a point against finite differences.

    Tangents and cotangents are random, from a fixed seed.

    Args:
        f: takes and returns pytrees of arrays, and is smooth around `args`.
        args: its positional arguments; those of integer dtype are held fixed.
        order: up to which order to check; derivatives of the first order are functions
            that are checked themselves for the second, and so on.
        modes: `"fwd"`, `"rev"` or both; all their sequences are checked.
        atol, rtol: the tolerances; by default they go with the narrowest dtype.
        eps: the step of the differences; by default it goes with the narrowest dtype.

    Raises:
        AssertionError: a derivative is wrong. The message says at which order and in which
            modes.
        ValueError: an unknown mode.

    >>> from jx_core import lax
    >>> check_grads(lax.sin, (0.5,), order=2, modes=["fwd"])
    """
    modes = (modes,) if isinstance(modes, str) else tuple(modes)
    unknown = sorted(set(modes) - {"fwd", "rev"})
    if unknown:
        raise ValueError(f"check_grads: modes must be 'fwd' or 'rev', got {unknown}")
    args = tree.map(_array, tuple(args))
    for n in range(order):
        for outer in itertools.product(modes, repeat=n):
            g, point = f, args
            for mode in outer:
                g, point = _derivative(g, point, mode)
            where = "the function" if not outer else f"its derivative ({' of '.join(outer[::-1])})"
            message = f"order {n + 1}, {{}} of {where}"
            _check(g, point, modes, message, atol, rtol, eps)


def _check(
    f: Callable[..., Any],
    args: Any,
    modes: Sequence[str],
    message: str,
    atol: float | None,
    rtol: float | None,
    eps: float | None,
) -> None:
    if "fwd" in modes:
        check_jvp(f, lambda a, t: jvp(f, a, t), args, atol, rtol, eps, message.format("jvp"))
    if "rev" in modes:
        check_vjp(f, lambda *a: vjp(f, *a), args, atol, rtol, eps, message.format("vjp"))


def check_jvp(
    f: Callable[..., Any],
    f_jvp: Callable[..., Any],
    args: Sequence[Any],
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    err_msg: str = "",
) -> None:
    """Check a forward derivative against finite differences.

    Args:
        f: the function.
        f_jvp: takes primals and tangents, tuples, and returns results and their tangents.
        args: the primals.
        atol, rtol, eps: as for `check_grads`.
        err_msg: what the message of a failure begins with.

    Raises:
        AssertionError: values or tangents differ.

    >>> from jx_core import lax
    >>> check_jvp(lax.sin, lambda x, t: jvp(lax.sin, x, t), (0.5,))
    """
    args = tree.map(_array, tuple(args))
    tangents = tree.map(_random_tangent(0), args)
    outs, out_tangents = f_jvp(args, tangents)
    limits = _limits(args, atol, rtol)
    _assert_close(outs, f(*args), f"{err_msg}: values", limits)
    expected = _differences(f, args, tangents, eps)
    _assert_close(out_tangents, expected, f"{err_msg}: tangents", limits)


def check_vjp(
    f: Callable[..., Any],
    f_vjp: Callable[..., Any],
    args: Sequence[Any],
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    err_msg: str = "",
) -> None:
    """Check a reverse derivative against finite differences.

    A random cotangent times the difference in a random direction must be its pull-back times
    that direction.

    Args:
        f: the function.
        f_vjp: takes primals and returns results and the function that pulls cotangents back.
        args: the primals.
        atol, rtol, eps: as for `check_grads`.
        err_msg: what the message of a failure begins with.

    Raises:
        AssertionError: values or cotangents differ.

    >>> from jx_core import lax
    >>> check_vjp(lax.sin, lambda *x: vjp(lax.sin, *x), (0.5,))
    """
    args = tree.map(_array, tuple(args))
    outs, pull = f_vjp(*args)
    limits = _limits(args, atol, rtol)
    _assert_close(outs, f(*args), f"{err_msg}: values", limits)
    tangents = tree.map(_random_tangent(0), args)
    cotangents = tree.map(_random_tangent(1), outs)
    expected = _pairing(_differences(f, args, tangents, eps), cotangents)
    got = _pairing(tangents, pull(cotangents))
    _assert_close(got, expected, f"{err_msg}: cotangents", limits)


def _derivative(f: Callable[..., Any], args: Any, mode: str) -> tuple[Callable[..., Any], Any]:
    """The derivative of `f` as a function of point and direction, and a point to check it at."""
    if mode == "fwd":
        direction = tree.map(_random_tangent(2), args)
        n = len(args)
        fixed = [not is_differentiable(typeof(x)) for x in tree.leaves(args)]
        structure = tree.structure(args)

        def forward(*both: Any) -> Any:
            # Tangents of integers have no array type, so they can't be arguments here.
            given = zip(tree.leaves(both[n:]), tree.leaves(direction), fixed, strict=True)
            tangents = [d if hold else t for t, d, hold in given]
            return jvp(f, both[:n], tree.unflatten(structure, tangents))

        shown = [np.zeros((), np.int32) if h else d for d, h in zip(tree.leaves(direction), fixed)]
        return forward, (*args, *tree.unflatten(structure, shown))

    outs = f(*args)
    leaves, structure = tree.flatten(outs)
    moving = [is_differentiable(typeof(x)) for x in leaves]
    cotangents = [_random_tangent(3)(x) for x in leaves]

    def reverse(ct: list[Any], *point: Any) -> Any:
        given = iter(ct)
        full = [next(given) if on else c for on, c in zip(moving, cotangents, strict=True)]
        pulled = vjp(f, *point)[1](tree.unflatten(structure, full))
        return [x for x in tree.leaves(pulled) if getattr(x, "dtype", None) != dtypes.float0]

    active = [c for c, on in zip(cotangents, moving, strict=True) if on]
    return reverse, (active, *args)


def _array(x: Any) -> Any:
    aval = typeof(x)
    return x if hasattr(x, "aval") else current().put(x, aval)


def _numpy(x: Any) -> np.ndarray:
    """The elements in the widest dtype of their kind, to compare and to step in."""
    if getattr(x, "dtype", None) == dtypes.float0:
        return np.zeros(np.shape(x))
    values = np.asarray(current().get(x) if hasattr(x, "aval") else x)
    if dtypes.issubdtype(values.dtype, np.complexfloating):
        return values.astype(np.complex128)
    return values.astype(np.float64)


def _random_tangent(seed: int) -> Callable[[Any], Any]:
    """A function that gives a random tangent of each value it gets."""
    generator = np.random.default_rng(seed)

    def draw(x: Any) -> Any:
        aval = typeof(x)
        if not is_differentiable(aval):
            return np.zeros(aval.shape, dtypes.float0)
        values = generator.standard_normal(aval.shape)
        if dtypes.issubdtype(aval.dtype, np.complexfloating):
            values = values + 1j * generator.standard_normal(aval.shape)
        return current().put(np.asarray(values).astype(aval.dtype), aval)

    return draw


def _differences(f: Callable[..., Any], args: Any, tangents: Any, eps: float | None) -> Any:
    """The central difference of `f` along `tangents`, in double precision outside of `f`."""
    step = _by_width(args, _STEPS) if eps is None else eps

    def moved(scale: float) -> Any:
        def move(x: Any, t: Any) -> Any:
            aval = typeof(x)
            if not is_differentiable(aval):
                return x
            return current().put((_numpy(x) + scale * _numpy(t)).astype(aval.dtype), aval)

        return f(*tree.map(move, args, tangents))

    def difference(after: Any, before: Any) -> Any:
        if not is_differentiable(typeof(after)):
            return np.zeros(typeof(after).shape)
        return (_numpy(after) - _numpy(before)) / step

    return tree.map(difference, moved(step / 2), moved(-step / 2))


def _pairing(xs: Any, ys: Any) -> float:
    """The real part of the sum of products, which is what transposes are with respect to."""
    products = [
        np.sum(_numpy(x) * _numpy(y))
        for x, y in zip(tree.leaves(xs), tree.leaves(ys), strict=True)
    ]
    return float(np.real(sum(products)))


def _by_width(args: Any, table: dict[int, float]) -> float:
    """The entry for the narrowest real dtype among the arguments."""
    widths = [8]
    for x in tree.leaves(args):
        dtype = typeof(x).dtype
        if dtypes.issubdtype(dtype, np.inexact):
            parts = 2 if dtypes.issubdtype(dtype, np.complexfloating) else 1
            widths.append(dtype.itemsize // parts)
    return table[max(min(widths), 2)]


def _limits(args: Any, atol: float | None, rtol: float | None) -> tuple[float, float]:
    """The absolute and relative tolerance."""
    default = _by_width(args, _TOLERANCES)
    return default if atol is None else atol, default if rtol is None else rtol


def _assert_close(got: Any, expected: Any, message: str, limits: tuple[float, float]) -> None:
    atol, rtol = limits
    got_leaves, expected_leaves = tree.leaves(got), tree.leaves(expected)
    if len(got_leaves) != len(expected_leaves):
        raise AssertionError(
            f"{message}: got {len(got_leaves)} arrays, expected {len(expected_leaves)}"
        )
    for x, y in zip(got_leaves, expected_leaves, strict=True):
        np.testing.assert_allclose(
            _numpy(x), _numpy(y), atol=atol, rtol=rtol, err_msg=message
        )
