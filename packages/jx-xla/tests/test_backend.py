"""The XLA back end behind `jit` and eager operations: when it compiles, what it remembers."""

import gc
import logging
import threading
import weakref

import numpy as np
import pytest

from jx_core import ShapeDtypeStruct, backend, jit, lax, make_jaxpr, tree, typeof
from jx_core.config import enable_x64, log_compiles
from jx_core.errors import UnexpectedTracerError
from jx_core.ops.rng import prng_impl, random_bits, random_seed, random_split, random_unwrap
from jx_xla.runtime.arrays import Array

X = np.float32([1, 2, 3])


@pytest.fixture
def compilations(caplog):
    """A function that gives the names of what has been compiled since the last call."""
    caplog.set_level(logging.WARNING, "jx_xla")

    def names():
        found = [r.getMessage().split()[1] for r in caplog.records if "Compiled" in r.getMessage()]
        caplog.clear()
        return found

    with log_compiles(True):
        yield names


def host(x):
    return np.asarray(x)


class TestCompiling:
    def test_once_a_signature(self, compilations):
        f = jit(lambda x: x * 2)
        for _ in range(3):
            np.testing.assert_array_equal(host(f(X)), X * 2)
        assert compilations() == ["<lambda>"]
        f(X.astype(np.int32)), f(X[:2]), f(X)
        assert len(compilations()) == 2

    def test_python_numbers_do_not_recompile(self, compilations):
        def scale(x, s):
            return x * s

        f = jit(scale)
        for s in (1.0, 2.0, 3.5):
            np.testing.assert_array_equal(host(f(X, s)), X * s)
        assert compilations() == ["scale"]

    def test_numpy_and_device_arrays_share_a_program(self, compilations):
        f = jit(lambda x: x + 1)
        f(X), f(f(X))
        assert len(compilations()) == 1

    def test_eager_operations_once_a_type(self, compilations):
        for _ in range(3):
            lax.tan(X)
        lax.tan(X[:2])
        assert compilations() == ["tan", "tan"]

    def test_inner_calls_are_part_of_the_outer_program(self, compilations):
        inner = jit(lambda x: lax.sin(x))
        outer = jit(lambda x: inner(x) + inner(x))
        np.testing.assert_allclose(host(outer(X)), 2 * np.sin(X), rtol=1e-6)
        assert len(compilations()) == 1

    def test_executables_die_with_their_function(self):
        def make():
            table = np.ones(5000, np.float32)

            def f(x):
                return x + table

            jit(f)(np.ones(5000, np.float32))
            return weakref.ref(f)

        ref = make()
        gc.collect()
        assert ref() is None


class TestArguments:
    def test_weak_types(self):
        assert jit(lambda x: x)(1.0).weak_type
        assert not jit(lambda x: x)(np.float32(1)).weak_type
        assert jit(lambda x: x + 1)(2).weak_type
        assert jit(lambda x, y: x * y)(X, 2.0).dtype == np.float32

    def test_weak_and_strong_arguments_are_told_apart_on_the_fast_path(self):
        f = jit(lambda x: x)
        for _ in range(2):
            assert f(1.0).weak_type and not f(np.float32(1)).weak_type

    @pytest.mark.parametrize(
        "value", [True, 3, 2.5, 1 + 2j, np.float16(1), np.int8(3), np.bool_(0)]
    )
    def test_scalars(self, value):
        got = jit(lambda x: x)(value)
        assert got.shape == () and host(got) == value
        assert typeof(got) is typeof(value)

    def test_static_ones(self, compilations):
        f = jit(lambda x, n: x * n, static_argnums=1)
        for n in (2, 3, 2, 3):
            np.testing.assert_array_equal(host(f(X, n)), X * n)
        assert len(compilations()) == 2

    def test_by_keyword_and_in_trees(self):
        f = jit(lambda p, *, scale: tree.map(lambda v: v * scale, p))
        for _ in range(2):
            out = f({"a": X, "b": [2.0, None]}, scale=2.0)
            np.testing.assert_array_equal(host(out["a"]), X * 2)
            assert float(out["b"][0]) == 4 and out["b"][1] is None

    def test_unused_ones_are_not_kept_unless_asked_for(self):
        lowered = jit(lambda x, y: x).lower(X, X)
        assert "%arg1" not in lowered.as_text()
        kept = jit(lambda x, y: x, keep_unused=True).lower(X, X)
        assert "%arg1" in kept.as_text()
        np.testing.assert_array_equal(host(jit(lambda x, y: y)(X[:1], X)), X)

    def test_of_no_elements(self):
        out = jit(lambda x: x * 2)(np.zeros((0, 3), np.float32))
        assert out.shape == (0, 3)

    def test_none_at_all(self):
        assert int(jit(lambda: 3)()) == 3
        assert jit(lambda: ())() == ()
        assert jit(lambda x: None)(X) is None

    def test_results_that_are_arguments_are_arrays_of_their_own(self):
        x = lax.add(X, X)
        a, b = jit(lambda x: (x, x))(x)
        np.testing.assert_array_equal(host(a), host(b))
        assert type(a) is Array


class TestX64:
    def test_dtypes_follow_the_setting_on_the_fast_path(self):
        f = jit(lambda x: x + 1)
        x = np.float64([1, 2])
        for _ in range(2):
            assert f(x).dtype == np.float32
            with enable_x64(True):
                assert f(x).dtype == np.float64
                assert f(1.0).dtype == np.float64
            assert f(1.0).dtype == np.float32

    def test_constants_inside(self):
        with enable_x64(True):
            assert float(jit(lambda x: x * (1 + 1e-12))(1.0)) != 1.0


class TestConstants:
    def test_small_ones_are_written_into_the_program(self):
        table = np.float32([4, 5, 6])
        f = jit(lambda x: x + table)
        np.testing.assert_array_equal(host(f(X)), X + table)
        assert "dense<" in f.lower(X).as_text()

    def test_big_ones_are_passed(self):
        table = np.arange(4096, dtype=np.float32)
        f = jit(lambda x: x + table)
        for _ in range(3):
            np.testing.assert_array_equal(host(f(1.0)), table + 1)
        assert len(f.lower(1.0).as_text()) < 2000

    def test_device_arrays_of_both_kinds(self):
        for n in (3, 4096):
            table = lax.add(np.arange(n, dtype=np.float32), 0.0)
            f = jit(lambda x, table=table: x + table)
            for _ in range(2):
                np.testing.assert_array_equal(host(f(1.0)), np.arange(n) + 1)

    @pytest.mark.parametrize("dtype", ["bfloat16", "int8", "bool", "complex64", "uint32"])
    def test_of_every_kind(self, dtype):
        import ml_dtypes

        table = np.asarray([0, 1, 2]).astype(getattr(ml_dtypes, dtype, dtype))
        np.testing.assert_array_equal(host(jit(lambda: (table,))()[0]), table)

    def test_in_inner_programs(self):
        table = np.arange(2048, dtype=np.float32)
        inner = jit(lambda x: x * table)
        np.testing.assert_array_equal(host(jit(lambda x: inner(x) + 1)(2.0)), table * 2 + 1)
        out = jit(lambda p: lax.cond(p, lambda: table, lambda: -table))(False)
        np.testing.assert_array_equal(host(out), -table)


class TestDonation:
    def test_a_donated_array_is_gone(self):
        f = jit(lambda x: x + 1, donate_argnums=0)
        x = lax.add(X, 0.0)
        y = f(x)
        assert x.is_deleted() and not y.is_deleted()
        with pytest.raises(RuntimeError, match="deleted|donated"):
            np.asarray(x)
        with pytest.raises((RuntimeError, ValueError), match="deleted|donated"):
            f(x)
        np.testing.assert_array_equal(host(f(y)), X + 2)

    def test_only_where_asked_for(self):
        f = jit(lambda a, b: (a + b, a - b), donate_argnames="b")
        a, b = lax.add(X, 0.0), lax.add(X, 1.0)
        for _ in range(2):
            c = lax.add(b, 0.0)
            f(a, b=c)
            assert not a.is_deleted() and c.is_deleted()

    def test_the_program_says_so(self):
        text = jit(lambda x: x + 1, donate_argnums=0).lower(X).as_text()
        assert "tf.aliasing_output" in text

    def test_ndarrays_can_be_given_too(self):
        np.testing.assert_array_equal(host(jit(lambda x: x + 1, donate_argnums=0)(X)), X + 1)
        np.testing.assert_array_equal(X, [1, 2, 3])


class TestKeys:
    def test_keys_go_in_and_out(self):
        key = random_seed(7, impl=prng_impl())
        split = jit(lambda k: random_split(k, 2))
        want = host(random_unwrap(random_split(key, 2)))
        for _ in range(3):
            keys = split(key)
            assert keys.shape == (2,) and keys.dtype == prng_impl().dtype
            np.testing.assert_array_equal(host(random_unwrap(keys)), want)

    def test_bits_are_those_of_the_reference(self):
        def draw(seed):
            return random_bits(random_seed(seed, impl=prng_impl()), bit_width=32, shape=(5,))

        bits = jit(draw)(3)
        with backend.use("numpy"):
            want = draw(3)
        np.testing.assert_array_equal(host(bits), host(want))

    def test_keys_closed_over(self):
        key = random_seed(7, impl=prng_impl())
        f = jit(lambda n: random_unwrap(key) + n)
        np.testing.assert_array_equal(host(f(np.uint32(1))), host(random_unwrap(key)) + 1)

    def test_keys_beside_numbers_and_in_loops(self):
        key = random_seed(0, impl=prng_impl())

        def step(carry, x):
            k, total = carry
            pair = random_split(k, 2)
            bits = random_bits(lax.index_in_dim(pair, 1, keepdims=False), bit_width=32, shape=())
            return (lax.index_in_dim(pair, 0, keepdims=False), total + x), bits

        def run(key):
            return lax.scan(step, (key, 0.0), X)

        (last, total), bits = jit(run)(key)
        assert float(total) == 6 and last.shape == ()
        with backend.use("numpy"):
            want = run(random_seed(0, impl=prng_impl()))[1]
        np.testing.assert_array_equal(host(bits), host(want))


class TestBackends:
    def test_selecting_another_holds_for_known_signatures_too(self):
        f = jit(lambda x: x + 1)
        f(X), f(X)
        with backend.use("numpy"):
            assert type(f(X)) is not Array
        assert type(f(X)) is Array

    def test_arrays_of_the_other_one_are_taken(self):
        with backend.use("numpy"):
            x = lax.add(X, 1.0)
        assert type(lax.add(x, 1.0)) is Array
        y = lax.add(X, 1.0)
        with backend.use("numpy"):
            assert type(lax.add(y, 1.0)) is not Array

    def test_threads(self):
        f = jit(lambda x: x * 2)
        got = []

        def work(x):
            got.append(float(f(x)))

        threads = [threading.Thread(target=work, args=(float(i),)) for i in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sorted(got) == [2.0 * i for i in range(8)]


class TestTracing:
    def test_a_known_call_is_recorded_under_tracing(self):
        f = jit(lambda x: x + 1)
        f(X), f(X)
        assert make_jaxpr(f)(X).eqns[0].primitive.name == "jit"
        assert make_jaxpr(lambda x: f(X) * x)(X).eqns[0].primitive.name == "jit"

    def test_leaked_tracers_are_refused(self):
        kept = []
        jit(lambda x: kept.append(x) or x)(X)
        for use in (lax.sin, jit(lax.sin), lambda x: lax.add(x, X)):
            with pytest.raises(UnexpectedTracerError, match="used outside"):
                use(kept[0])
        np.testing.assert_array_equal(host(lax.add(X, X)), X + X)


class TestAheadOfTime:
    def test_each_step_can_be_looked_at(self):
        def f(x, y):
            return {"s": lax.sin(x) + y}

        traced = jit(f).trace(ShapeDtypeStruct((3,), np.float32), 1.0)
        lowered = traced.lower()
        assert lowered.out_info == {"s": ShapeDtypeStruct((3,), np.float32)}
        assert "stablehlo.sine" in lowered.as_text()
        assert "HloModule" in lowered.as_text(dialect="hlo")
        compiled = lowered.compile()
        assert "HloModule" in compiled.as_text()
        np.testing.assert_allclose(host(compiled(X, 1.0)["s"]), np.sin(X) + 1, rtol=1e-6)

    def test_source_lines_and_scopes_are_in_the_debug_info(self):
        from jx_core import named_scope

        def f(x):
            with named_scope("layer"):
                return lax.sin(x)

        text = jit(f).lower(X).as_text(debug_info=True)
        assert "test_backend.py" in text and "layer/sin" in text

    def test_costs_and_memory(self):
        compiled = jit(lambda a: lax.dot(a, a)).lower(np.ones((8, 8), np.float32)).compile()
        assert compiled.cost_analysis()["flops"] >= 2 * 8**3 - 8**2
        assert compiled.memory_analysis().argument_size_in_bytes == 256

    def test_other_arguments_are_refused(self):
        compiled = jit(lambda x: x).lower(X).compile()
        text = r"argument x has type f32\[2\], compiled for f32\[3\]"
        with pytest.raises(TypeError, match=text):
            compiled(X[:2])
        with pytest.raises(TypeError, match="input pytree"):
            compiled((X,))

    def test_unknown_dialects(self):
        with pytest.raises(ValueError, match="must be 'stablehlo' or 'hlo', got 'mhlo'"):
            jit(lax.sin).lower(X).as_text("mhlo")

    def test_static_arguments_are_part_of_the_program(self):
        compiled = jit(lambda x, n: x * n, static_argnums=1).lower(X, 3).compile()
        np.testing.assert_array_equal(host(compiled(X)), X * 3)
        with pytest.raises(TypeError, match="input pytree"):
            compiled(X, 3)


def test_an_unhashable_static_argument_is_named():
    def scaled(x, factors):
        return x

    with pytest.raises(ValueError, match=r"not supported: factors of scaled is of type .*list"):
        jit(scaled, static_argnames="factors")(1.0, [2])
    with pytest.raises(ValueError, match=r"not supported: factors of scaled is of type .*dict"):
        jit(scaled, static_argnums=1)(1.0, factors={})
