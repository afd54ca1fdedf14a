"""Conditionals and loops in plain NumPy: what they compute, what they trace, what they refuse."""

import numpy as np
import pytest

from jx_core import check_jaxpr, jit, lax, make_jaxpr, tree, typeof
from jx_core.config import disable_jit
from jx_core.errors import TracerBoolConversionError

X = np.float32([1, 2, 3])
INT = np.int32(1)


def add_and_keep(c, x):
    return c + x, c * x


def both_ways(fun, *args):
    """The results of `fun`, eager and under jit, which must agree."""
    eager, staged = fun(*args), jit(fun)(*args)
    for a, b in zip(tree.leaves(eager), tree.leaves(staged), strict=True):
        np.testing.assert_array_equal(a, b)
        assert typeof(a) == typeof(b)
    check_jaxpr(make_jaxpr(fun)(*args))
    return eager


class TestCond:
    @pytest.mark.parametrize("pred", [True, False, np.True_, 1, 0, 2.5, np.float32(0)])
    def test_takes_the_branch_that_the_predicate_names(self, pred):
        result = both_ways(lambda p, x: lax.cond(p, lambda x: x + 1, lambda x: x * 5, x), pred, X)
        np.testing.assert_array_equal(result, X + 1 if pred else X * 5)

    def test_operands_and_results_are_pytrees(self):
        def fun(p, a, b):
            return lax.cond(p, lambda d, z: {"s": d["u"] + z}, lambda d, z: {"s": d["u"]}, a, b)

        assert both_ways(fun, True, {"u": 1.0}, 2.0)["s"] == 3.0

    def test_operand_may_be_given_by_keyword(self):
        assert lax.cond(False, lambda x: x, lambda x: -x, operand=3.0) == -3.0
        with pytest.raises(TypeError, match="'operand' keyword is passed then no positional"):
            lax.cond(True, lambda x: x, lambda x: x, 1.0, operand=3.0)

    def test_closed_over_values_become_operands(self):
        def fun(p, y):
            return lax.cond(p, lambda x: x * y, lambda x: x + y, X)

        np.testing.assert_array_equal(both_ways(fun, True, 2.0), X * 2)
        np.testing.assert_array_equal(both_ways(fun, False, 2.0), X + 2)
        (eqn,) = [e for e in make_jaxpr(fun)(True, 2.0).eqns if e.primitive.name == "cond"]
        assert all(not b.consts for b in eqn.params["branches"])

    def test_a_constant_that_one_branch_uses_is_an_operand_of_all(self):
        y = np.float32([4, 5, 6])
        for p in (True, False):
            result = lax.cond(p, lambda x: x + y, lambda x: x, X)
            np.testing.assert_array_equal(result, X + y if p else X)

    def test_only_the_chosen_branch_runs(self):
        def endless(x):
            return lax.while_loop(lambda v: True, lambda v: v, x)

        assert lax.cond(True, lambda x: x, endless, 1.0) == 1.0

    def test_weak_types_join(self):
        result = both_ways(
            lambda p: lax.cond(p, lambda: 1.0, lambda: lax.convert_element_type(2, np.float32)),
            True,
        )
        assert not result.weak_type
        assert lax.cond(True, lambda: 1.0, lambda: 2.0).weak_type

    def test_branches_of_different_types(self):
        with pytest.raises(TypeError) as error:
            lax.cond(
                True,
                lambda x: {"a": x, "b": x},
                lambda x: {"a": x, "b": lax.reduce_sum(x, (0,))},
                X,
            )
        text = str(error.value)
        assert "false_fun and true_fun of lax.cond must return the same types" in text
        assert "['b']: expected f32[], got f32[3]" in text

    def test_branches_of_different_trees(self):
        with pytest.raises(TypeError, match=r"expected tree.*\n.*got tree"):
            lax.cond(True, lambda x: (x, x), lambda x: x, X)

    def test_branches_of_different_dtypes_get_the_cure(self):
        with pytest.raises(TypeError, match=r"cast one with .astype\('float32'\)"):
            lax.cond(True, lambda: np.int32(1), lambda: np.float32(1))

    @pytest.mark.parametrize(
        ("pred", "text"),
        [
            (X, r"Pred must be a scalar, got f32\[3\] as pred of lax.cond; jx.numpy.where"),
            ("yes", "pred must be a scalar, got 'yes'"),
            (None, "pred must be a scalar, got None"),
        ],
    )
    def test_bad_predicates(self, pred, text):
        with pytest.raises(TypeError, match=text):
            lax.cond(pred, lambda: 1, lambda: 2)

    def test_branches_must_be_callable(self):
        with pytest.raises(TypeError, match="true_fun and false_fun arguments should be callable"):
            lax.cond(True, 1.0, 2.0)

    def test_is_plain_python_with_jit_disabled(self):
        seen = []
        with disable_jit(True):
            lax.cond(True, lambda x: seen.append(x), lambda x: seen.append(-x), 3)
        assert seen == [3]

    def test_the_same_functions_are_traced_once(self):
        count = []

        def branch(x):
            count.append(1)
            return x + 1

        def other(x):
            return x

        for _ in range(3):
            lax.cond(True, branch, other, X)
        assert len(count) == 1


class TestSwitch:
    BRANCHES = (lambda x: x, lambda x: -x, lambda x: x * 10)

    @pytest.mark.parametrize(("index", "factor"), [(0, 1), (1, -1), (2, 10), (-4, 1), (7, 10)])
    def test_clamps_the_index(self, index, factor):
        result = both_ways(lambda i: lax.switch(i, self.BRANCHES, X), index)
        np.testing.assert_array_equal(result, X * factor)

    def test_one_branch_needs_no_conditional(self):
        assert (
            make_jaxpr(lambda i: lax.switch(i, [lax.sin], 1.0))(0).eqns[-1].primitive.name == "sin"
        )

    def test_errors(self):
        with pytest.raises(ValueError, match="empty branch sequence"):
            lax.switch(0, [])
        with pytest.raises(TypeError, match=r"Index type must be an integer, got f32\[\]"):
            lax.switch(0.5, self.BRANCHES, X)
        with pytest.raises(TypeError, match="sequence of callables"):
            lax.switch(0, [1, 2], X)
        with pytest.raises(TypeError, match=r"branches\[0\] and branches\[1\] of lax.switch"):
            lax.switch(0, [lambda x: x, lambda x: (x,)], X)


class TestScan:
    def test_carries_and_stacks(self):
        total, ys = both_ways(lambda xs: lax.scan(add_and_keep, 0.0, xs), X)
        assert total == 6
        np.testing.assert_array_equal(ys, [0, 2, 9])

    def test_in_reverse_results_keep_the_place_of_their_row(self):
        total, ys = both_ways(lambda xs: lax.scan(add_and_keep, 0.0, xs, reverse=True), X)
        assert total == 6
        np.testing.assert_array_equal(ys, [5, 6, 0])

    @pytest.mark.parametrize("unroll", [1, 2, 3, 7, True, False])
    def test_unrolling_changes_nothing(self, unroll):
        total, ys = lax.scan(add_and_keep, 0.0, X, unroll=unroll)
        assert total == 6
        np.testing.assert_array_equal(ys, [0, 2, 9])

    def test_without_xs_a_length_will_do(self):
        last, ys = both_ways(lambda: lax.scan(lambda c, _: (c * 2, c), 1, None, length=4))
        assert last == 16
        np.testing.assert_array_equal(ys, [1, 2, 4, 8])

    def test_of_no_steps_gives_empty_results_of_the_right_type(self):
        init = np.float32([1, 2])
        last, ys = both_ways(
            lambda xs: lax.scan(lambda c, x: (c, (c * x, 1)), init, xs),
            np.zeros((0, 2), np.float32),
        )
        np.testing.assert_array_equal(last, init)
        assert (ys[0].shape, ys[0].dtype) == ((0, 2), np.float32)
        assert (ys[1].shape, ys[1].dtype) == ((0,), np.int32)

    def test_carry_and_rows_are_pytrees(self):
        def step(c, row):
            return {"n": c["n"] + 1, "s": c["s"] + row[0] * row[1]["w"]}, (row[0], None)

        last, ys = both_ways(lambda a, b: lax.scan(step, {"n": 0, "s": 0.0}, (a, {"w": b})), X, X)
        assert last["n"] == 3 and last["s"] == 14
        np.testing.assert_array_equal(ys[0], X)
        assert ys[1] is None

    def test_weak_carries_become_strong_where_the_body_makes_them_so(self):
        last, _ = both_ways(lambda xs: lax.scan(lambda c, x: (c + x, None), 0.0, xs), X)
        assert not last.weak_type
        last, _ = lax.scan(lambda c, _: (c + 1.0, None), 0.0, length=2)
        assert last.weak_type

    def test_weak_carries_take_the_wider_dtype_that_the_body_gives(self):
        last, _ = both_ways(lambda xs: lax.scan(lambda c, x: (c + x, None), 0, xs), X)
        assert last.dtype == np.float32 and last == 6

    def test_closed_over_arrays_are_constants_of_the_loop(self):
        y = np.float32([4, 5])

        def fun(z):
            return lax.scan(lambda c, x: (c + x * y * z, None), y, X)[0]

        np.testing.assert_array_equal(both_ways(fun, 2.0), y + 6 * y * 2)
        (eqn,) = [e for e in make_jaxpr(fun)(2.0).eqns if e.primitive.name == "scan"]
        assert eqn.params["num_consts"] == 2

    def test_nests(self):
        def outer(c, x):
            return lax.scan(lambda d, y: (d + y * x, d), c, X)

        last, ys = both_ways(lambda: lax.scan(outer, 0.0, X))
        assert last == 36
        assert ys.shape == (3, 3)

    def test_holds_conditionals(self):
        def step(c, x):
            return lax.cond(x > 1.5, lambda c: c + x, lambda c: c, c), None

        assert both_ways(lambda: lax.scan(step, 0.0, X))[0] == 5

    @pytest.mark.parametrize(
        ("call", "error", "text"),
        [
            (lambda: lax.scan(3, 0.0, X), TypeError, "f argument should be a callable"),
            (lambda: lax.scan(lambda c, x: c, 0.0, X), TypeError, "output must be a pair"),
            (lambda: lax.scan(lambda c, x: (c, x, x), 0.0, X), TypeError, "must be a pair"),
            (
                lambda: lax.scan(lambda c, x: (c + X, None), 0.0, X), TypeError,
                r"must return a carry of the type it.*\n.*expected f32\[\], got f32\[3\]",
            ),
            (
                lambda: lax.scan(lambda c, x: ({"b": c["a"]}, None), {"a": 0.0}, X), TypeError,
                "expected tree",
            ),
            (
                lambda: lax.scan(lambda c, x: ((c[0], 1.5), None), (0.0, np.int32(1)), X),
                TypeError,
                r"carry\[1\]: expected i32\[\], got f32\[\]; cast what the body returns with "
                r".astype\('int32'\), or start from a float32 value",
            ),
            (lambda: lax.scan(add_and_keep, 0.0), ValueError, "no values to scan over"),
            (
                lambda: lax.scan(add_and_keep, 0.0, 3.0), ValueError,
                r"no leading axis to scan over: xs is f32\[\]",
            ),
            (
                lambda: lax.scan(lambda c, x: (c, x), 0.0, {"a": X, "b": X[:2]}), ValueError,
                r"different leading axis sizes: xs\['a'\]: 3, xs\['b'\]: 2",
            ),
            (
                lambda: lax.scan(add_and_keep, 0.0, X, length=4), ValueError,
                "`length` argument of 4 which disagrees with the leading axis of xs, of size 3",
            ),
            (lambda: lax.scan(add_and_keep, 0.0, X, unroll=0), ValueError, "unroll must be"),
        ],
    )  # fmt: skip
    def test_errors(self, call, error, text):
        with pytest.raises(error, match=text):
            call()

    def test_with_jit_disabled_it_is_a_python_loop(self):
        seen = []
        with disable_jit(True):
            total, ys = lax.scan(lambda c, x: (seen.append(float(x)), (c + x, c))[1], 0.0, X)
        assert seen == [1, 2, 3] and total == 6
        np.testing.assert_array_equal(ys, [0, 1, 3])

    def test_keys_are_carried_and_stacked(self):
        from jx_core.ops.rng import prng_impl, random_seed, random_split, random_unwrap

        key = random_seed(0, impl=prng_impl())

        def step(k, _):
            pair = random_split(k, 2)
            return tuple(lax.index_in_dim(pair, i, keepdims=False) for i in (0, 1))

        last, keys = lax.scan(step, key, length=3)
        assert keys.shape == (3,) and last.shape == ()
        assert len(np.unique(random_unwrap(keys), axis=0)) == 3


class TestWhile:
    def test_runs_until_the_condition_fails(self):
        def fun(n):
            return lax.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * 2), (0, 1.0))

        count, power = both_ways(fun, 5)
        assert (count, power) == (5, 32.0)
        assert both_ways(fun, -1)[1] == 1.0

    def test_condition_and_body_close_over_different_values(self):
        def fun(limit, step):
            return lax.while_loop(lambda v: v < limit, lambda v: v + step, 0.0)

        assert both_ways(fun, 10.0, 4.0) == 12.0

    def test_weak_carries_become_strong(self):
        one = np.float32(1)
        result = both_ways(lambda: lax.while_loop(lambda v: v < 3.0, lambda v: v + one, 0.0))
        assert result == 3 and not result.weak_type

    def test_an_empty_carry(self):
        assert lax.while_loop(lambda c: False, lambda c: c, ()) == ()

    @pytest.mark.parametrize(
        ("call", "text"),
        [
            (
                lambda: lax.while_loop(lambda v: v, lambda v: v, 1.0),
                r"must return a boolean scalar, but got output type f32\[\]",
            ),
            (
                lambda: lax.while_loop(lambda v: (True, True), lambda v: v, 1.0),
                "must return a boolean scalar, but got pytree",
            ),
            (
                lambda: lax.while_loop(lambda v: v > X, lambda v: v, 1.0),
                r"boolean scalar, but got output type bool\[3\]",
            ),
            (
                lambda: lax.while_loop(lambda v: True, lambda v: v > 0, 1.0),
                r"carry: expected f32\[\], got bool\[\]",
            ),
            (lambda: lax.while_loop(True, lambda v: v, 1.0), "arguments should be callable"),
        ],
    )
    def test_errors(self, call, text):
        with pytest.raises(TypeError, match=text):
            call()


class TestForiLoop:
    @pytest.mark.parametrize(
        ("lower", "upper", "total"), [(0, 5, 10), (2, 4, 5), (3, 3, 0), (5, 2, 0)]
    )
    def test_adds_up(self, lower, upper, total):
        assert lax.fori_loop(lower, upper, lambda i, s: s + i, 0) == total
        assert jit(lambda a, b: lax.fori_loop(a, b, lambda i, s: s + i, 0))(lower, upper) == total

    def test_known_bounds_make_a_scan_and_unknown_ones_a_while_loop(self):
        def names(fun, *args):
            return [e.primitive.name for e in make_jaxpr(fun)(*args).eqns]

        assert "scan" in names(lambda x: lax.fori_loop(0, 3, lambda i, s: s * x, 1.0), 2.0)
        assert "while" in names(lambda n: lax.fori_loop(0, n, lambda i, s: s + 1, 0), 3)

    def test_the_index_has_the_dtype_of_the_bounds(self):
        dtypes = []
        lax.fori_loop(np.int8(0), np.int8(3), lambda i, s: (dtypes.append(i.dtype), s)[1], 0)
        lax.fori_loop(np.uint8(0), 3, lambda i, s: (dtypes.append(i.dtype), s)[1], 0)
        assert [d.name for d in dtypes] == ["int8", "uint8"]

    @pytest.mark.parametrize(
        ("call", "error", "text"),
        [
            (lambda: lax.fori_loop(0.0, 3, lambda i, s: s, 0), TypeError, "lower must be an int"),
            (lambda: lax.fori_loop(0, X, lambda i, s: s, 0), TypeError, "upper must be an int"),
            (lambda: lax.fori_loop(0, 3, 1, 0), TypeError, "should be callable"),
            (
                lambda: lax.fori_loop(np.int8(0), np.int32(3), lambda i, s: s, 0), TypeError,
                "must have equal types, got int8 and int32",
            ),
            (
                lambda: jit(lambda n: lax.fori_loop(0, n, lambda i, s: s, 0, unroll=2))(3),
                ValueError, "statically known",
            ),
        ],
    )  # fmt: skip
    def test_errors(self, call, error, text):
        with pytest.raises(error, match=text):
            call()


class TestMap:
    def test_stacks_the_results_of_rows(self):
        result = both_ways(lambda xs: lax.map(lambda x: {"d": x * 2, "n": 1}, xs), X)
        np.testing.assert_array_equal(result["d"], X * 2)
        np.testing.assert_array_equal(result["n"], [1, 1, 1])

    def test_rows_of_a_pytree(self):
        np.testing.assert_array_equal(lax.map(lambda p: p[0] - p[1], (X, X)), [0, 0, 0])


def test_python_conditions_on_loop_values_say_what_to_use():
    with pytest.raises(TracerBoolConversionError, match="lax.cond"):
        lax.scan(lambda c, x: (c if x > 0 else -c, None), 0.0, X)


def test_an_error_inside_a_body_leaves_the_next_call_whole():
    def bad(c, x):
        raise RuntimeError("the user's own")

    with pytest.raises(RuntimeError, match="the user's own"):
        lax.scan(bad, 0.0, X)
    assert lax.scan(add_and_keep, 0.0, X)[0] == 6
    assert lax.add(1.0, 2.0) == 3.0
