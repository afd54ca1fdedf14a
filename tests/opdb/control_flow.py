"""Samples of the primitives that hold programs: calls, conditionals, loops, implicit equations.

Each is made by the function that people call, on a small program; what its equation holds is the
sample. Programs in single precision are for the tests of values and batches, the same ones in
double precision for derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jx_ad import checkpoint, checkpoint_name, checkpoint_policies, custom_jvp, custom_vjp
from jx_core import jit, lax
from jx_core.ops.control_flow.checkpoint import checkpoint_p, name_p
from jx_core.ops.control_flow.cond import cond_p
from jx_core.ops.control_flow.custom import custom_jvp_call_p, custom_vjp_call_p
from jx_core.ops.control_flow.custom_root import custom_root_p
from jx_core.ops.control_flow.jit import jit_p
from jx_core.ops.control_flow.linear_solve import linear_solve_p
from jx_core.ops.control_flow.platform_dependent import platform_dependent_p
from jx_core.ops.control_flow.scan import scan_p
from jx_core.ops.control_flow.while_loop import while_p

from .sample import ALL, IMPLS, ErrorSample, Sample, array, held, words

BOTH = ("float32", "float64")
SLACK = 32.0


def samples() -> Iterator[Sample]:
    for dtype in (*BOTH, "complex64", "complex128"):
        yield from _calls(dtype)
        yield from _scans(dtype)
    for dtype in BOTH:
        yield from _conditionals(dtype)
        yield from _whiles(dtype)
        yield from _nested(dtype)
        yield from _implicit(dtype)
        yield from _custom(dtype)
    yield from _other_values()


def _sample(
    primitive: Any, fun: Callable[..., Any], *operands: Any, moves: bool = True, **facts: Any
) -> Sample:
    return held(primitive, fun, *operands, moves=moves, slack=SLACK, **facts)


def _calls(dtype: str) -> Iterator[Sample]:
    x, y = array((3,), dtype, 0.3, 1.5), array((3,), dtype, 0.5, 1.5, seed=1)

    def product(x: Any, y: Any) -> Any:
        return lax.sin(x) * y, x + 1

    def nested(x: Any) -> Any:
        return jit(lax.exp)(x) * x

    yield _sample(jit_p, jit(product), x, y)
    yield _sample(jit_p, jit(nested, inline=True), x, note="nested")
    yield _sample(
        checkpoint_p, checkpoint(lambda x, y: lax.sin(lax.exp(x) * y)), x, y
    )
    yield _sample(
        checkpoint_p,
        checkpoint(
            lambda x: lax.sin(checkpoint_name(lax.exp(x), "e")),
            policy=checkpoint_policies.everything_saveable,
        ),
        x,
        note="a policy",
    )
    yield Sample(name_p, (x,), {"name": "x"}, moving=(0,), order=1)


def _conditionals(dtype: str) -> Iterator[Sample]:
    x, y = array((3,), dtype, 0.3, 1.5), array((3,), dtype, 0.5, 1.5, seed=1)
    for index in (0, 1):
        yield _sample(
            cond_p,
            lambda i, x, y: lax.cond(i > 0, lambda x, y: lax.sin(x) * y, lambda x, y: x * x, x, y),
            np.int32(index), x, y, note=f"branch {index}",
        )  # fmt: skip
    for index in (0, 2, 7, -3):
        yield _sample(
            cond_p,
            lambda i, x, y: lax.switch(
                i, [lambda x: (x, 1.0), lambda x: (x * y, 2.0), lambda x: (lax.exp(x) * y, 3.0)], x
            ),
            np.int32(index), x, y, note=f"switch to {index}",
        )  # fmt: skip
    yield _sample(
        cond_p, lambda i: lax.cond(i > 0, lambda: (1, None), lambda: (2, None)), np.int32(1),
        moves=False, note="no operands",
    )  # fmt: skip
    yield _sample(
        platform_dependent_p,
        lambda x, y: lax.platform_dependent(
            x, y, tpu=lambda x, y: x + y, default=lambda x, y: (lax.sin(x) + 0 * y) * y
        ),
        x, y,
    )  # fmt: skip


def _scans(dtype: str) -> Iterator[Sample]:
    w, c = array((2, 2), dtype, -0.9, 0.9), array((2,), dtype, 0.3, 1.2, seed=1)
    xs = array((3, 2), dtype, 0.3, 1.2, seed=2)

    def step(w: Any) -> Any:
        return lambda c, x: (lax.sin(lax.dot(w, c)) * x, c * x)

    for facts in ({}, {"reverse": True}, {"unroll": 2}, {"unroll": True, "reverse": True}):
        yield _sample(
            scan_p, lambda w, c, xs, facts=facts: lax.scan(step(w), c, xs, **facts), w, c, xs,
            note=str(facts),
        )  # fmt: skip
    yield _sample(scan_p, lambda w, c: lax.scan(lambda c, _: (lax.dot(w, c), c), c, length=3), w, c)
    yield _sample(
        scan_p,
        lambda w, c, xs: lax.scan(
            lambda c, x: ((c[0] + 1, c[1] * lax.convert_element_type(c[0], x.dtype) + x), c[0]),
            (0, c), xs,
        ),
        w, c, xs, note="a counter",
    )  # fmt: skip
    yield _sample(
        scan_p, lambda w, c, xs: lax.scan(step(w), c, lax.slice_in_dim(xs, 0, 0)), w, c, xs,
        note="no steps", order=1,
    )  # fmt: skip
    yield _sample(
        scan_p, lambda xs: lax.map(lambda x: {"a": lax.exp(x), "b": x * x}, xs), xs, note="map"
    )
    yield _sample(
        scan_p,
        lambda w, c: lax.fori_loop(1, 4, lambda i, c: lax.sin(lax.dot(w, c)), c), w, c,
        note="fori_loop",
    )  # fmt: skip


def _whiles(dtype: str) -> Iterator[Sample]:
    n, w, c = np.int32(3), array((2, 2), dtype, -0.9, 0.9), array((2,), dtype, 0.3, 1.2, seed=1)
    forward = {"modes": ("fwd",)}
    yield _sample(
        while_p,
        lambda n, w, c: lax.fori_loop(0, n, lambda i, c: lax.sin(lax.dot(w, c)) * c, c), n, w, c,
        note="fori_loop", **forward,
    )  # fmt: skip
    yield _sample(
        while_p,
        lambda w, c: lax.while_loop(
            lambda v: lax.reduce_max(v[0], (0,)) < 3.0,
            lambda v: (v[0] * 1.7 + lax.abs(lax.dot(w, v[0])), v[1] + 1), (c, 0),
        ),
        w, c, **forward,
    )  # fmt: skip
    yield _sample(
        while_p, lambda c: lax.while_loop(lambda v: False, lax.sin, c), c, note="no steps",
        order=1, **forward,
    )  # fmt: skip


def _nested(dtype: str) -> Iterator[Sample]:
    """Programs within programs within programs."""
    w, c = array((2, 2), dtype, -0.9, 0.9), array((2,), dtype, 0.3, 1.2, seed=1)
    xs = array((3, 2), dtype, 0.3, 1.2, seed=2)

    def inner(w: Any, c: Any, x: Any) -> Any:
        return lax.scan(lambda d, v: (lax.sin(lax.dot(w, d)) + v, d * v), c, x)

    def first(x: Any) -> Any:
        return lax.index_in_dim(x, 0, keepdims=False)

    yield _sample(
        scan_p,
        lambda w, c, xs: lax.scan(
            lambda c, x: (inner(lax.cos(w), c, x)[0] * 0.5, inner(w, x, c)[1]), c, xs
        ),
        w, c, xs, note="scan of scan",
    )  # fmt: skip
    yield _sample(
        scan_p,
        lambda w, c, xs: lax.scan(
            lambda c, x: (
                lax.cond(first(x) > 0.7, lambda c: lax.dot(w, c), lambda c: c * x, c), c
            ),
            c, xs,
        ),
        w, c, xs, note="scan of cond",
    )  # fmt: skip

    def checkpointed(w: Any, c: Any, xs: Any) -> Any:
        def step(c: Any, x: Any) -> Any:
            return checkpoint(lambda c: lax.sin(lax.dot(w, c)))(c) + x, None

        return lax.scan(jit(step), c, xs)

    yield _sample(scan_p, checkpointed, w, c, xs, note="scan of jit of checkpoint")
    yield _sample(
        cond_p,
        lambda i, w, c, xs: lax.cond(
            i > 0,
            lambda c: lax.scan(lambda c, x: (lax.dot(w, c) * x, None), c, xs)[0],
            lambda c: lax.fori_loop(0, 2, lambda i, c: lax.sin(c), c),
            c,
        ),
        np.int32(1), w, c, xs, note="cond of loops",
    )  # fmt: skip
    yield _sample(
        while_p,
        lambda n, w, c: lax.fori_loop(
            0, n, lambda i, c: lax.cond(i > 1, lambda c: lax.dot(w, c), lax.sin, c), c
        ),
        np.int32(3), w, c, note="while of cond", modes=("fwd",),
    )  # fmt: skip
    yield _sample(jit_p, jit(inner), w, c, xs, note="jit of scan")


def _implicit(dtype: str) -> Iterator[Sample]:
    a = array((2, 2), dtype, -0.5, 0.5) + 3 * np.eye(2, dtype=dtype)
    b = array((2,), dtype, 0.5, 1.5, seed=3)
    others = (a + np.eye(2, dtype=dtype), b * 2)

    def inverse(a: Any, b: Any) -> Any:
        """Cramer's rule."""
        rows = [lax.index_in_dim(a, i, keepdims=False) for i in (0, 1)]
        (p, q), (r, s) = [[lax.index_in_dim(v, j, keepdims=False) for j in (0, 1)] for v in rows]
        x, y = (lax.index_in_dim(b, i, keepdims=False) for i in (0, 1))
        det = p * s - q * r
        return lax.stack([(s * x - q * y) / det, (p * y - r * x) / det])

    yield _sample(
        linear_solve_p,
        lambda a, b: lax.custom_linear_solve(
            lambda x: lax.dot(a, x), b, lambda matvec, b: inverse(a, b),
            lambda vecmat, b: inverse(lax.transpose(a, (1, 0)), b),
        ),
        a, b, others=others,
    )  # fmt: skip

    def diagonal(d: Any, b: Any) -> Any:
        def product(x: Any) -> Any:
            return [d * x[0]]

        def quotient(matvec: Any, b: Any) -> Any:
            return [b[0] / d], {"steps": 1}

        return lax.custom_linear_solve(product, [b], quotient, symmetric=True, has_aux=True)

    yield _sample(linear_solve_p, diagonal, b, b * 3, note="symmetric, has_aux")

    def newton(f: Any, x: Any) -> Any:
        return lax.fori_loop(0, 30, lambda i, x: x - f(x) / (3 * x * x), x)

    yield _sample(
        custom_root_p,
        lambda b, x: lax.custom_root(
            lambda x: x * x * x - b, x, newton, lambda g, y: y / g(lax.full_like(y, 1))
        ),
        b, np.ones_like(b), others=(b * 2, np.ones_like(b)), moves=(0,),
    )  # fmt: skip


def _custom(dtype: str) -> Iterator[Sample]:
    x, y = array((3,), dtype, 0.3, 1.5), array((3,), dtype, 0.5, 1.5, seed=1)

    @custom_jvp
    def f(x: Any, y: Any) -> Any:
        return lax.sin(x) * y

    @f.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        (x, y), (s, t) = primals, tangents
        return f(x, y), lax.cos(x) * y * s + lax.sin(x) * t

    @custom_vjp
    def g(x: Any, y: Any) -> Any:
        return lax.exp(x) * y

    g.defvjp(
        lambda x, y: (g(x, y), (x, y)),
        lambda kept, ct: (ct * lax.exp(kept[0]) * kept[1], ct * lax.exp(kept[0])),
    )
    yield _sample(custom_jvp_call_p, f, x, y)
    yield _sample(custom_vjp_call_p, g, x, y, modes=("rev",), order=1)


def _other_values() -> Iterator[Sample]:
    """Loops and branches over dtypes that have no derivative."""
    for dtype in ALL:
        x = array((2, 3), dtype)
        yield _sample(
            cond_p, lambda i, x: lax.cond(i > 0, lambda x: x, lambda x: lax.rev(x, (0,)), x),
            np.int32(1), x, moves=False,
        )  # fmt: skip
        yield _sample(
            scan_p, lambda x: lax.scan(lambda c, x: (x, c), lax.rev(x, (0,)), lax.stack([x, x])), x,
            moves=False,
        )  # fmt: skip
        yield _sample(
            while_p,
            lambda n, x: lax.fori_loop(0, n, lambda i, x: lax.rev(x, (1,)), x), np.int32(3), x,
            moves=False,
        )  # fmt: skip
    key = words((), impl=IMPLS[0])
    yield _sample(
        scan_p,
        lambda k: lax.scan(lambda k, _: _split(k), k, length=2), key, keys=(0,), moves=False,
    )  # fmt: skip
    yield _sample(
        cond_p,
        lambda i, k: lax.cond(i > 0, lambda k: k, lambda k: _split(k)[0], k), np.int32(0), key,
        keys=(1,), moves=False,
    )  # fmt: skip
    yield _sample(
        while_p,
        lambda n, k: lax.fori_loop(0, n, lambda i, k: _split(k)[0], k), np.int32(2), key,
        keys=(1,), moves=False,
    )  # fmt: skip


def _split(key: Any) -> tuple[Any, Any]:
    from jx_core.ops.rng import random_split

    pair = random_split(key, 2)
    return tuple(lax.index_in_dim(pair, i, keepdims=False) for i in (0, 1))  # type: ignore


def error_samples() -> Iterator[ErrorSample]:
    x = np.ones(3, np.float32)
    step = lambda c, x: (c + x, None)  # noqa: E731
    yield ErrorSample(
        "scan_of_nothing", lambda: lax.scan(step, 0.0), ValueError, "no values to scan over"
    )
    yield ErrorSample(
        "scan_carry_shape", lambda: lax.scan(lambda c, _: (x, None), 0.0, x), TypeError,
        r"carry: expected f32\[\], got f32\[3\]",
    )  # fmt: skip
    yield ErrorSample(
        "scan_carry_tree",
        lambda: lax.scan(lambda c, _: ({"a": c["a"], "b": None}, None), {"a": 0.0, "b": x}, x),
        TypeError, r"carry\['b'\]: expected f32\[3\], got None",
    )  # fmt: skip
    yield ErrorSample(
        "while_carry_leaf", lambda: lax.while_loop(lambda c: True, lambda c: (c, c), x), TypeError,
        r"carry\[0\]: expected nothing there, got f32\[3\]",
    )  # fmt: skip
    yield ErrorSample(
        "while_predicate", lambda: lax.while_loop(lambda c: c > 0, lambda c: c, x), TypeError,
        r"boolean scalar, but got output type bool\[3\]",
    )  # fmt: skip
    yield ErrorSample(
        "cond_dtypes",
        lambda: lax.cond(True, lambda x: {"y": x}, lambda x: {"y": lax.eq(x, x)}, x), TypeError,
        r"result\['y'\]: expected bool\[3\], got f32\[3\]; cast one with .astype\('bool'\)",
    )  # fmt: skip
    yield ErrorSample(
        "switch_index", lambda: lax.switch(1.5, [lambda: 1, lambda: 2]), TypeError,
        "Index type must be an integer",
    )  # fmt: skip
    yield ErrorSample(
        "solve_shape",
        lambda: lax.custom_linear_solve(lambda x: lax.slice(x, (0,), (2,)), x, lambda f, b: b),
        ValueError, "output shapes must match b",
    )  # fmt: skip
    yield ErrorSample(
        "solve_tree", lambda: lax.custom_linear_solve(lambda x: x, x, lambda f, b: (b, b)),
        TypeError, "output pytree structure must match b",
    )  # fmt: skip
    yield ErrorSample(
        "root_tree",
        lambda: lax.custom_root(lambda x: (x, x), 1.0, lambda f, x: x, lambda g, y: y), TypeError,
        r"f\(\) output pytree structure must match initial_guess",
    )  # fmt: skip
    yield ErrorSample(
        "platform_missing", lambda: lax.platform_dependent(), ValueError, "give a function"
    )
