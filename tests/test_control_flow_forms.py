"""Control flow's further forms: associative scans, choices by platform, loops of fewer carries.

What the primitives compute and their derivatives have generic tests; here is what the functions
make of their arguments, in each layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jx_xla  # noqa: F401  so that programs are compiled
from jx_ad import grad, jacfwd, jvp, vjp
from jx_batching import vmap
from jx_core import backend, check_jaxpr, jit, lax, make_jaxpr, tree
from jx_core.config import disable_jit, enable_x64
from jx_core.ops.rng.keys import prng_impl, random_fold_in, random_seed, random_unwrap

XS = np.array([0.5, -1.5, 2.0, 0.25, 3.0])


@pytest.fixture(autouse=True)
def double_precision():
    with enable_x64(True):
        yield


def total(x: Any) -> Any:
    return lax.reduce_sum(x, tuple(range(x.ndim)))


class TestAssociativeScan:
    @pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 7, 8, 13, 16])
    @pytest.mark.parametrize("reverse", [False, True])
    def test_gives_what_a_loop_does(self, n, reverse):
        """For a function that does not commute: the composition of affine maps."""
        a, b = np.linspace(0.5, 1.5, n), np.linspace(-1, 1, n)

        def after(f, g):
            return g[0] * f[0], g[0] * f[1] + g[1]

        order = range(n)[::-1] if reverse else range(n)
        want = np.zeros((2, n))
        sofar = None
        for i in order:
            sofar = (a[i], b[i]) if sofar is None else after(sofar, (a[i], b[i]))
            want[:, i] = sofar
        for wrap in (lambda f: f, jit):
            got = wrap(lambda e: lax.associative_scan(after, e, reverse=reverse))((a, b))
            np.testing.assert_allclose(np.stack(got) if n else np.zeros((2, 0)), want, rtol=1e-12)

    def test_goes_along_any_axis_of_arrays_of_different_shapes(self):
        x, y = np.arange(24.0).reshape(2, 3, 4), np.arange(6.0).reshape(2, 3)
        out = lax.associative_scan(lambda a, b: tree.map(lax.add, a, b), {"x": x, "y": y}, axis=1)
        np.testing.assert_array_equal(out["x"], np.cumsum(x, 1))
        np.testing.assert_array_equal(out["y"], np.cumsum(y, 1))
        np.testing.assert_array_equal(
            lax.associative_scan(lax.mul, x, axis=-1), np.cumprod(x, -1)
        )

    @pytest.mark.parametrize("dtype", ["bool", "int8", "uint32", "float16", "complex64"])
    def test_keeps_the_dtype(self, dtype):
        x = np.array([1, 0, 1, 1, 0]).astype(dtype)
        fun = lax.bitwise_or if dtype == "bool" else lax.add
        want = np.logical_or.accumulate(x) if dtype == "bool" else np.cumsum(x, dtype=dtype)
        out = lax.associative_scan(fun, x)
        assert out.dtype == x.dtype
        np.testing.assert_array_equal(out, want)

    def test_negative_zeros_stay_negative(self):
        out = lax.associative_scan(lax.min, np.array([0.0, -0.0, 0.0, -0.0]))
        np.testing.assert_array_equal(np.signbit(out), [False, True, True, True])

    def test_derivatives_and_batches(self):
        def fun(x):
            return total(lax.associative_scan(lax.mul, x) * XS)

        step = 1e-6
        moves = np.eye(5) * step
        numeric = [(fun(XS + d) - fun(XS - d)) / (2 * step) for d in moves]
        np.testing.assert_allclose(jit(grad(fun))(XS), np.stack(numeric), rtol=1e-7)
        rows = np.stack([XS, XS + 1, XS * 2])
        np.testing.assert_allclose(
            vmap(lambda x: lax.associative_scan(lax.mul, x))(rows), np.cumprod(rows, 1), rtol=1e-12
        )

    def test_is_written_in_few_equations(self):
        """At each halving the function twice, and what cuts and joins its operands."""
        program = make_jaxpr(lambda x: lax.associative_scan(lax.add, x))(np.zeros(1024))
        check_jaxpr(program)
        names = [e.primitive.name for e in program.eqns]
        assert names.count("add") == 2 * 10 - 1
        assert len(names) <= 13 * 10

    @pytest.mark.parametrize(
        ("call", "error", "text"),
        [
            (lambda: lax.associative_scan(3, XS), TypeError, "fn argument should be callable"),
            (lambda: lax.associative_scan(lax.add, 1.0), ValueError, "axis 0 is out of bounds"),
            (lambda: lax.associative_scan(lax.add, XS, axis=1), ValueError, "axis 1 is out of"),
            (
                lambda: lax.associative_scan(lambda a, b: a, (XS, XS[:2])), ValueError,
                r"must have the same first dimension.*\(5,\), \(2,\)",
            ),
            (
                lambda: lax.associative_scan(lambda a, b: total(a), XS), TypeError,
                r"rows of the same types.*\n.*expected f64\[2\], got f64\[\]",
            ),
            (lambda: lax.associative_scan(lambda a, b: (a, b), XS), TypeError, "got tree"),
        ],
    )
    def test_errors(self, call, error, text):
        with pytest.raises(error, match=text):
            call()


def by_platform(x):
    return lax.platform_dependent(x, cpu=lax.sin, cuda=lax.cos, default=lax.exp)


class TestPlatformDependent:
    @pytest.mark.parametrize("platform", ["xla", "numpy"])
    @pytest.mark.parametrize("wrap", [lambda f: f, jit], ids=["eager", "jit"])
    def test_runs_the_function_of_the_platform(self, wrap, platform):
        with backend.use(platform):
            np.testing.assert_allclose(wrap(by_platform)(XS), np.sin(XS))
            np.testing.assert_allclose(wrap(vmap(grad(by_platform)))(XS), np.cos(XS))
            np.testing.assert_allclose(wrap(jacfwd(grad(by_platform)))(0.5), -np.sin(0.5))
            carried = wrap(grad(lambda x: lax.fori_loop(0, 2, lambda i, x: by_platform(x), x)))
            np.testing.assert_allclose(carried(0.5), np.cos(0.5) * np.cos(np.sin(0.5)))

    @pytest.mark.parametrize(
        ("platform", "operation"),
        [("cpu", "sine"), ("cuda", "cosine"), ("tpu", "exponential"), ("rocm", "exponential")],
    )
    def test_is_chosen_when_the_program_is_lowered(self, platform, operation):
        traced = jit(by_platform).trace(XS)
        text = traced.lower(lowering_platforms=(platform,)).as_text()
        assert [f"stablehlo.{name}" in text for name in ("sine", "cosine", "exponential")] == [
            name == operation for name in ("sine", "cosine", "exponential")
        ]

    def test_gpu_stands_for_both_kinds(self):
        traced = jit(lambda x: lax.platform_dependent(x, gpu=lax.cos, cpu=lax.sin)).trace(XS)
        for platform in ("cuda", "rocm"):
            assert "cosine" in traced.lower(lowering_platforms=(platform,)).as_text()

    def test_a_platform_without_a_function(self):
        traced = jit(lambda x: lax.platform_dependent(x, cpu=lax.sin, cuda=lax.cos)).trace(XS)
        with pytest.raises(NotImplementedError, match=r"cpu, cuda and no default.*lowered for tpu"):
            traced.lower(lowering_platforms=("tpu",))

    def test_a_default_alone_is_a_call(self):
        assert len(make_jaxpr(lambda x: lax.platform_dependent(x, default=lax.sin))(XS).eqns) == 1

    def test_functions_must_agree_and_be_functions(self):
        with pytest.raises(TypeError, match=r"cuda and cpu of lax.platform_dependent must return"):
            lax.platform_dependent(XS, cuda=lambda x: x, cpu=lambda x: (x, x))
        with pytest.raises(TypeError, match="the 'default' branch must be a callable"):
            lax.platform_dependent(XS, default=3, cpu=lax.sin)

    def test_closed_over_tracers_have_derivatives(self):
        def fun(x, y):
            return lax.platform_dependent(x, cpu=lambda x: x * y, default=lambda x: x)

        assert jit(grad(fun, (0, 1)))(2.0, 3.0) == (3.0, 2.0)


class TestFewerCarries:
    """What a loop hands on as it is, or makes of nothing, is not the loop's."""

    def test_a_carry_that_never_changes_becomes_a_constant(self):
        fun = lambda w, x: lax.scan(lambda c, v: ((c[0], c[1] * c[0] + v), c[0]), (w, 0.0), x)  # noqa: E731
        (eqn,) = [e for e in make_jaxpr(fun)(2.0, XS).eqns if e.primitive.name == "scan"]
        assert (eqn.params["num_consts"], eqn.params["num_carry"]) == (1, 1)
        (w, c), ys = jit(fun)(2.0, XS)
        want = 0.0
        for x in XS:
            want = want * 2 + x
        assert w == 2 and c == want
        np.testing.assert_array_equal(ys, [2.0] * 5)

    def test_results_that_are_rows_of_xs_are_xs(self):
        program = make_jaxpr(lambda x: lax.scan(lambda c, v: (c + v, (v, c, c)), 0.0, x))(XS)
        (eqn,) = [e for e in program.eqns if e.primitive.name == "scan"]
        assert len(eqn.outvars) == 2  # the carry, and c once
        assert program.jaxpr.outvars[1] is program.jaxpr.invars[0]
        total, (a, b, c) = lax.scan(lambda c, v: (c + v, (v, c, c)), 0.0, XS)
        np.testing.assert_array_equal(a, XS)
        np.testing.assert_array_equal(b, c)
        assert total == XS.sum()

    def test_numbers_that_come_out_as_they_are_come_as_arrays(self):
        (i, x), _ = lax.scan(lambda c, _: (c, None), (1, 2.5), length=3)
        assert i.dtype == np.int64 and x.dtype == np.float64
        _, x = lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1]), (0, 2.5))
        assert x.shape == ()

    def test_a_while_loop_too(self):
        def fun(w, x):
            step = lambda c: (c[0], c[1] * 2, c[2])  # noqa: E731
            return lax.while_loop(lambda c: c[1] < c[0], step, (w, x, w))

        (eqn,) = [e for e in make_jaxpr(fun)(9.0, 1.0).eqns if e.primitive.name == "while"]
        assert len(eqn.outvars) == 1
        assert tree.map(float, jit(fun)(9.0, 1.0)) == (9.0, 16.0, 9.0)
        primals, tangents = jvp(fun, (9.0, 1.0), (0.5, 1.0))
        assert tree.map(float, tangents) == (0.5, 16.0, 0.5)
        out = vmap(fun, (0, None))(np.array([3.0, 20.0, 0.5]), 1.0)
        np.testing.assert_array_equal(out[1], [4, 32, 1])
        np.testing.assert_array_equal(out[0], [3, 20, 0.5])

    def test_rows_of_a_while_loop_need_no_copies_of_what_they_share(self):
        """The common limit is no part of the batched carry."""

        def fun(limit, x):
            return lax.while_loop(lambda c: c[1] < c[0], lambda c: (c[0], c[1] * 2), (limit, x))[1]

        program = make_jaxpr(vmap(fun, (None, 0)))(9.0, XS + 2)
        (eqn,) = [e for e in program.eqns if e.primitive.name == "while"]
        assert [v.aval.shape for v in eqn.outvars] == [(5,)]

    def test_no_steps_at_all(self):
        (w, c), ys = lax.scan(lambda c, v: ((c[0], c[1] + v), v), (2.0, 1.0), XS[:0])
        assert (w, c, ys.shape) == (2.0, 1.0, (0,))


def doublings(x):
    """How often `x` is doubled until it is 100: never, for 0 and less."""
    return lax.while_loop(lambda v: v[0] < 100.0, lambda v: (v[0] * 2, v[1] + 1), (x, 0))[1]


@pytest.mark.parametrize("platform", ["xla", "numpy"])
class TestRowsThatDoNotTakePart:
    """They are computed too, but no loop is given values that it may never end on."""

    def test_of_a_branch(self, platform):
        def fun(p, x):
            return lax.cond(p, doublings, lambda x: -1, x)

        with backend.use(platform):
            got = jit(vmap(fun))(np.array([True, False, True]), np.array([1.0, 0.0, 7.0]))
            np.testing.assert_array_equal(got, [7, -1, 4])

    def test_of_a_branch_that_no_row_takes(self, platform):
        def fun(p, x):
            return lax.switch(p, [lambda x: -1, doublings, lambda x: doublings(x + 1)], x)

        with backend.use(platform):
            for x, in_axes in ((0.0, (0, None)), (np.zeros(2), (0, 0))):
                got = jit(vmap(fun, in_axes))(np.array([0, 2]), x)
                np.testing.assert_array_equal(got, [-1, 7])

    def test_of_a_loop_in_a_branch_under_differentiation(self, platform):
        def fun(p, x):
            grown = lambda x: lax.while_loop(lambda v: v < 9, lambda v: v * 2, x)  # noqa: E731
            return lax.cond(p, lambda x: x * grown(x), lax.neg, x)

        with backend.use(platform):
            got = jit(vmap(jacfwd(fun, 1)))(np.array([True, False]), np.array([3.0, 0.0]))
            np.testing.assert_array_equal(got, [24.0, -1.0])

    def test_of_a_loop_that_they_have_left(self, platform):
        """The inner loop ends for y < 10 only, and that is when the outer one goes on."""

        def fun(x):
            def outer(v):
                y, n = v
                end = lax.while_loop(lambda u: u < 3 * y - 10, lambda u: u + (10 - y), 0.0)
                return y + 3 + 0 * end, n + 1

            return lax.while_loop(lambda v: v[0] < 10, outer, (x, 0))

        with backend.use(platform):
            y, n = jit(vmap(fun))(np.array([1.0, 8.0, 20.0]))
        np.testing.assert_array_equal(y, [10, 11, 20])
        np.testing.assert_array_equal(n, [3, 1, 0])

    def test_of_a_branch_of_keys(self, platform):
        def fun(p, seed):
            step = lambda k: lax.cond(p, lambda k: again(k), lambda k: k, k)  # noqa: E731
            again = lambda k: lax.while_loop(lambda v: True & (v[1] < 2), halved, (k, 0))[0]  # noqa: E731
            halved = lambda v: (random_fold_in(v[0], 1), v[1] + 1)  # noqa: E731
            return random_unwrap(step(random_seed(seed, impl=prng_impl())))

        with backend.use(platform):
            seeds = np.array([1, 2])
            got = jit(vmap(fun))(np.array([True, False]), seeds)
            want = [fun(p, s) for p, s in zip((True, False), seeds, strict=True)]
            np.testing.assert_array_equal(got, np.stack(want))


class TestForms:
    """Older and rarer forms of arguments."""

    def test_cond_with_an_operand_for_each_branch(self):
        fun = lambda p: lax.cond(p, 1.0, lambda x: x + 1, 5.0, lambda x: x * 2)  # noqa: E731
        assert (fun(True), fun(False)) == (2.0, 10.0)
        assert (jit(fun)(True), jit(fun)(False)) == (2.0, 10.0)

    def test_none_is_an_operand(self):
        assert lax.cond(True, lambda x: 1 if x is None else 2, lambda x: 3, operand=None) == 1
        assert lax.switch(1, [lambda x: 0, lambda x: 1 if x is None else 2], operand=None) == 1

    def test_a_scan_may_return_a_list_of_two(self):
        c, ys = lax.scan(lambda c, x: [c + x, c], 0.0, XS)
        assert c == XS.sum() and ys.shape == (5,)

    def test_split_transpose_changes_nothing(self):
        fun = lambda x, split: lax.scan(lambda c, v: (c * v, c), 1.0, x, _split_transpose=split)  # noqa: E731
        for split in (False, True):
            got = grad(lambda x, split=split: fun(x, split)[0])(XS)
            np.testing.assert_allclose(got, np.prod(XS) / XS)

    def test_map_of_batches(self):
        rows = {"a": XS, "b": np.ones((5, 2))}
        fun = lambda r: (r["a"] * 2, total(r["b"]))  # noqa: E731
        for size in (None, 0, 1, 2, 5, 7):
            doubled, sums = jit(lambda r, n=size: lax.map(fun, r, batch_size=n))(rows)
            np.testing.assert_array_equal(doubled, XS * 2)
            np.testing.assert_array_equal(sums, [2.0] * 5)
        with pytest.raises(ValueError, match="batch_size must be positive, got -1"):
            lax.map(fun, rows, batch_size=-1)
        assert lax.map(fun, tree.map(lambda x: x[:0], rows), batch_size=2)[0].shape == (0,)

    def test_index_of_a_counted_loop_has_the_weak_type_of_its_bounds(self):
        """So that it does not widen what it is added to."""
        x = np.int8(1)
        assert jit(lambda n: lax.fori_loop(0, n, lambda i, x: x + i, x))(3).dtype == np.int8
        assert lax.fori_loop(0, 3, lambda i, x: x + i, x).dtype == np.int8

    def test_with_jit_disabled_results_are_arrays_all_the_same(self):
        with disable_jit(True):
            assert lax.while_loop(lambda c: c < 3, lambda c: c + 1, 0).shape == ()
            assert lax.fori_loop(0, 0, lambda i, c: c, 1.5).dtype == np.float64
            with pytest.raises(ValueError, match="zero-length scan is not supported"):
                lax.scan(lambda c, x: (c, x), 0.0, XS[:0])

    @pytest.mark.parametrize("wrap", [lambda f: f, jit], ids=["known bounds", "traced bounds"])
    def test_errors_name_leaves_that_are_missing_or_too_many(self, wrap):
        """And the function and the carry that the user knows, not those of the loop beneath."""
        start = {"a": 1.0, "b": (XS, None)}

        def my_step(i, c):
            return {"a": None, "b": (XS, XS), "c": 1}

        with pytest.raises(TypeError) as error:
            wrap(lambda n: lax.fori_loop(0, n, my_step, start))(2)
        text = str(error.value)
        assert text.startswith("lax.fori_loop: the body function my_step must return a carry")
        for line in (
            "  carry['a']: expected f64[], got None",
            "  carry['b'][1]: expected None, got f64[5]",
            "  carry['c']: expected nothing there, got i64[]",
        ):
            assert line in text.splitlines()

    def test_a_closure_over_values_of_three_transformations(self):
        """Of jit, grad and vmap, in a conditional in a loop in a loop."""

        def fun(a, b, c):
            def outer(i, v):
                def inner(s):
                    return lax.cond(s > b, lambda: s * a, lambda: s + lax.sin(c))

                return lax.while_loop(lambda s: s < 4.0, inner, v * 0.1 + 1.0)

            return lax.fori_loop(0, 3, outer, a)

        def plain(a, b, c):
            v = a
            for _ in range(3):
                v = v * 0.1 + 1.0
                while v < 4.0:
                    v = v * a if v > b else v + np.sin(c)
            return v

        rows = np.array([1.3, 1.7])
        got = jit(vmap(jacfwd(fun, (0, 1, 2)), (None, 0, None)))(1.5, rows, 0.5)
        for k, b in enumerate(rows):
            args, step = np.array([1.5, b, 0.5]), 1e-6
            for i in range(3):
                move = np.eye(3)[i] * step
                want = (plain(*(args + move)) - plain(*(args - move))) / (2 * step)
                np.testing.assert_allclose(np.asarray(got[i])[k], want, rtol=1e-6, atol=1e-9)

    def test_a_hundred_carries(self):
        def fun(x):
            return lax.scan(lambda c, v: (tuple(k * v for k in c), None), (x,) * 100, XS)[0]

        outs, pull = vjp(fun, 2.0)
        assert len(outs) == 100
        np.testing.assert_allclose(pull((1.0,) * 100)[0], 100 * np.prod(XS))

    def test_carries_that_are_donated(self):
        x = jit(lambda x: x * 1)(XS)
        fun = jit(lambda x: lax.fori_loop(0, 3, lambda i, x: x * 2, x), donate_argnums=0)
        np.testing.assert_array_equal(fun(x), XS * 8)
        assert x.is_deleted()
