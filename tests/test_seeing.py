"""Seeing compilations: `log_compiles`, `explain_cache_misses`, and the line about a slow one."""

import functools
import logging
import re
import threading
import time

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx_core import once
from jx_xla import compiling
from jx_xla.watching import _Watcher, slow_compile_secs, watched

X = np.ones(3, np.float32)


@pytest.fixture
def messages(caplog):
    """What the loggers of jx have said, with the logger's name in front."""
    caplog.set_level(logging.WARNING)

    def told(start=""):
        lines = [f"{r.name} {r.getMessage()}" for r in caplog.records]
        return [line for line in lines if start in line]

    return told


@pytest.fixture
def explained(messages):
    """What `explain_cache_misses` has said."""
    before = jx.config.jx_explain_cache_misses
    jx.config.update("jx_explain_cache_misses", True)
    yield lambda: messages(" again at ")
    jx.config.update("jx_explain_cache_misses", before)


class TestLogCompiles:
    def test_a_line_for_each_step_with_types_and_time(self, messages):
        def newcomer(x, n):
            return x * n

        with jx.log_compiles(True):
            jx.jit(newcomer)(X, 2)
        lines = messages("newcomer")
        for line, expected in zip(
            lines,
            (
                r"jx_core Traced newcomer for \(f32\[3\], i32\[\]\) in \d+\.\d{3} s",
                r"jx_xla Lowered newcomer for \(f32\[3\], i32\[\]\) in \d+\.\d{3} s",
                r"jx_xla Compiled newcomer for \(f32\[3\], i32\[\]\) in \d+\.\d{3} s",
            ),
            strict=True,
        ):
            assert re.fullmatch(expected, line), line

    def test_nothing_for_what_is_there_or_where_it_is_off(self, messages):
        f = jx.jit(lambda x: x + 1)
        f(X)
        with jx.log_compiles(True):
            f(X)
        assert messages("Compiled") == []

    def test_stages_are_logged(self, messages):
        with jx.log_compiles(True):
            jx.jit(lambda x: x - 1).lower(X).compile()
        assert [line.split()[1] for line in messages("<lambda>")] == [
            "Traced", "Lowered", "Compiled",
        ]  # fmt: skip

    def test_what_comes_from_disk_says_so(self, messages, tmp_path):
        from jx.experimental.compilation_cache import set_cache_dir

        def kept(x):
            return x * 3

        set_cache_dir(tmp_path)
        try:
            with jx.log_compiles(True):
                for _ in range(2):
                    jx.clear_caches()
                    jx.jit(kept)(X)
        finally:
            set_cache_dir(None)
        loaded = messages("Loaded kept")
        assert len(loaded) == 1
        assert re.search(r"from the compilation cache in .* s; compiling took .* s", loaded[0])

    def test_many_arguments_are_shortened(self, messages):
        with jx.log_compiles(True):
            jx.jit(lambda xs: sum(xs))([X] * 100)
        (line,) = messages("Traced <lambda>")
        assert "... 88 more ..." in line
        assert len(line) < 250


class TestExplained:
    def test_the_first_trace_needs_no_reason(self, explained):
        jx.jit(lambda x: x)(X)
        assert explained() == []

    def test_shape_dtype_and_weak_type_with_the_users_line(self, explained):
        @jx.jit
        def f(params, lr):
            return params["w"] * lr

        f({"w": X}, 0.1)
        f({"w": X[:2]}, 0.1)
        f({"w": X[:2].astype(np.int32)}, 0.1)
        f({"w": X[:2].astype(np.int32)}, np.float32(0.1))
        shape, dtype, weak = explained()
        assert "argument params['w'] changed shape: was f32[3], now f32[2]" in shape
        assert re.search(r"f is traced again at .*test_seeing\.py:\d+:", shape)
        assert "argument params['w'] changed dtype: was f32[2], now i32[2]" in dtype
        assert "argument lr changed weak type: was f32[] (weak), now f32[]" in weak
        assert "the nearest of 3 earlier signatures" in weak

    def test_the_tree(self, explained):
        @jx.jit
        def f(x, y=None):
            return jx.tree.leaves(x)[0]

        f({"a": X})
        f({"a": X, "b": X})
        f({"a": X}, X)
        f(x={"a": X})
        keys, count, keywords = explained()
        assert "argument x was a dict with keys ['a'], now a dict with keys ['a', 'b']" in keys
        assert "positional arguments were 1, now 2" in count
        assert "now 0 (keyword arguments [], now ['x'])" in keywords

    def test_static_values(self, explained):
        f = jx.jit(lambda x, mode, *, n=1: x * n, static_argnames=("mode", "n"))
        f(X, "train", n=1)
        f(X, "test", n=1)
        f(X, "test", n=2)
        mode, n = explained()
        assert "static argument mode was 'train', now 'test'" in mode
        assert "static argument n was 1, now 2" in n

    def test_a_static_value_that_is_equal_to_nothing(self, explained):
        class Config:
            def __repr__(self):
                return "Config()"

        f = jx.jit(lambda x, config: x, static_argnums=1)
        f(X, Config()), f(X, Config())
        (line,) = explained()
        assert "was Config(), now Config() (another object that is not equal" in line

    def test_options(self, explained):
        f = jx.jit(lambda x: x @ x)
        f(X)
        with jx.default_matmul_precision("float32"):
            f(X)
        (line,) = explained()
        assert "option default_matmul_precision was None, now 'float32'" in line

    def test_a_function_made_anew(self, explained):
        for n in (2, 3):
            jx.jit(lambda x: x * n)(X)  # noqa: B023

        (line,) = explained()
        assert "it is a new function object, made of the same code" in line
        assert "test_seeing.py" in line

    def test_what_it_closes_over(self, explained):
        def make(scale, table):
            return jx.jit(lambda x: x * scale + table.sum())

        make(1.5, X)(X)
        make(2.5, X[:2])(X)
        (line,) = explained()
        assert "closed-over scale was 1.5, now 2.5" in line
        assert "closed-over table was f32[3], now f32[2]" in line

    def test_a_traced_value_closed_over(self, explained):
        def outer(y):
            inner = jx.jit(lambda x: x * y)
            return inner(1.0) + inner(1.0)

        jx.jit(outer)(2.0)
        assert any("it closed over traced values" in line for line in explained())

    def test_partials_and_transformed_functions_are_known_by_their_code(self, explained):
        def f(x, n):
            return (x * n).sum()

        for n in (1.0, 2.0):
            jx.jit(jx.grad(functools.partial(f, n=n)))(X)
        assert len(explained()) == 1

    def test_placement(self, explained):
        f = jx.jit(lambda x: x + 2)
        f(X)
        f(jx.device_put(X, jx.devices()[1]))
        f(jx.device_put(X, jx.devices()[0]))
        moved, committed = explained()
        assert "<lambda> is compiled again" in moved
        assert "devices were cpu [0], now cpu [1]" in moved
        assert "arguments were free to move, now placed by the caller" in committed

    def test_shardings(self, explained):
        mesh = jx.make_mesh((4,), ("x",))
        f = jx.jit(lambda x: x + 3)
        x = np.arange(8, dtype=np.float32)
        for spec in (jx.P("x"), jx.P()):
            f(jx.device_put(x, jx.NamedSharding(mesh, spec)))
        (line,) = explained()
        assert "the sharding of argument x was" in line
        assert "P('x'" in line

    def test_as_a_context_manager_and_silent_without(self, messages):
        f = jx.jit(lambda x: x - 5)
        with jx.explain_cache_misses(True):
            f(X)
        f(X[:1])
        assert messages(" again at ") == []
        with jx.explain_cache_misses(True):
            f(X[:2])
        assert len(messages(" again at ")) == 1

    def test_it_keeps_no_arrays(self, explained):
        import gc
        import weakref

        class Held:
            pass

        held = Held()
        gone = weakref.ref(held)

        def make(value):
            return jx.jit(lambda x: (x, value)[0])

        make(held)(X)
        del held
        jx.clear_caches()
        gc.collect()
        assert gone() is None


class TestSlow:
    @pytest.fixture
    def seconds(self):
        before = slow_compile_secs.value
        yield slow_compile_secs.set
        slow_compile_secs.set(before)

    def test_the_default_is_ten_seconds(self):
        assert slow_compile_secs.default == 10.0
        assert jx.config.jx_slow_compile_secs == slow_compile_secs.value

    def test_a_slow_compilation_says_of_what_while_it_runs(self, seconds, capfd, monkeypatch):
        seconds(0.1)
        seen = []

        def slow(*args, **kwargs):
            until = time.monotonic() + 20
            while not seen and time.monotonic() < until:
                time.sleep(0.02)
                seen.extend(line for line in capfd.readouterr().err.splitlines() if "jx:" in line)
            return compile_or_load(*args, **kwargs)

        compile_or_load = compiling.compile_or_load
        monkeypatch.setattr(compiling, "compile_or_load", slow)

        def enormous(x, y):
            return jnp.sin(x) + y

        jx.jit(enormous)(X, 1.0)
        (line,) = seen
        assert re.search(
            r"^jx: compiling enormous for \(f32\[3\], f32\[\]\) has taken [\d.]+ s so far; its "
            r"module has \d+ operations in [\d,]+ bytes, for 1 cpu device\(s\)$",
            line,
        ), line

    def test_quick_ones_are_silent_and_start_no_threads(self, seconds, capfd):
        seconds(5.0)
        jx.jit(lambda x: x * 7)(X)
        before = {t.ident for t in threading.enumerate()}
        for n in range(5):
            jx.jit(lambda x, n=n: x * n)(X)
        assert {t.ident for t in threading.enumerate()} <= before
        assert sum(t.name == "jx-compile-watcher" for t in threading.enumerate()) == 1
        assert "jx: compiling" not in capfd.readouterr().err

    def test_it_can_be_switched_off(self, seconds, capfd):
        seconds(0.0)
        with watched(lambda s: "never"):
            time.sleep(0.05)
        assert "never" not in capfd.readouterr().err
        with pytest.raises(ValueError, match="a number of seconds, 0 or more"):
            seconds(-1.0)

    def test_each_is_told_once_when_it_is_due(self, capfd):
        watcher = _Watcher()
        late, early, done = [
            watcher.add(wait, lambda s, name=name: f"{name} after {s:.2f}")
            for name, wait in (("late", 0.3), ("early", 0.05), ("done", 0.6))
        ]
        watcher.remove(done)
        lines = []
        until = time.monotonic() + 20
        while len(lines) < 2 and time.monotonic() < until:
            time.sleep(0.05)
            lines += [line for line in capfd.readouterr().err.splitlines() if " after " in line]
        time.sleep(0.8)
        lines += [line for line in capfd.readouterr().err.splitlines() if " after " in line]
        assert [line.split()[0] for line in lines] == ["early", "late"]
        assert float(lines[0].split()[-1]) >= 0.05
        assert float(lines[1].split()[-1]) >= 0.3
        watcher.remove(early), watcher.remove(late)

    def test_an_error_in_the_block_ends_the_watch(self, seconds, capfd):
        seconds(0.1)
        with pytest.raises(RuntimeError), watched(lambda s: "still there"):
            raise RuntimeError
        time.sleep(0.3)
        assert "still there" not in capfd.readouterr().err


def test_an_error_while_tracing_leaves_nothing_behind():
    calls = []

    @jx.jit
    def f(x):
        calls.append(None)
        if len(calls) == 1:
            raise ValueError("at first")
        return x

    with pytest.raises(ValueError, match="at first"):
        f(X)
    np.testing.assert_array_equal(f(X), X)
    assert len(calls) == 2
    assert not once._under_way
