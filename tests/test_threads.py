"""Many threads trace, compile and run at once: results are right, work is done once, and
nothing waits for ever."""

import logging
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx_core import backend
from jx_core import once as once_module
from jx_core.once import once

THREADS = 16


def at_once(work, arguments=range(THREADS)):
    """`work(i)` for each argument, in as many threads, all begun together."""
    arguments = list(arguments)
    barrier = threading.Barrier(len(arguments))

    def begin(i):
        barrier.wait(30)
        return work(i)

    with ThreadPoolExecutor(len(arguments)) as pool:
        return [f.result(120) for f in [pool.submit(begin, i) for i in arguments]]


@pytest.fixture
def compiled(caplog):
    """How often each name has been compiled so far."""
    caplog.set_level(logging.WARNING)

    def count():
        lines = [r.getMessage().split() for r in caplog.records]
        return Counter(words[1] for words in lines if words[0] == "Compiled")

    before = jx.config.jx_log_compiles
    jx.config.update("jx_log_compiles", True)
    yield count
    jx.config.update("jx_log_compiles", before)


def test_one_signature_of_one_function_is_traced_and_compiled_once(compiled):
    traced = []

    @jx.jit
    def shared_function(x):
        traced.append(threading.get_ident())
        return jnp.sin(x) @ x

    x = jnp.eye(5)
    results = at_once(lambda i: shared_function(x))
    for result in results:
        np.testing.assert_allclose(result, np.sin(1) * np.eye(5), rtol=1e-6)
    assert len(traced) == 1
    assert compiled()["shared_function"] == 1


def test_jit_called_anew_in_each_thread_shares_what_is_compiled(compiled):
    def made_many_times(x):
        return jnp.cos(x) * 2

    x = jnp.arange(4.0)
    at_once(lambda i: jx.jit(made_many_times)(x))
    assert compiled()["made_many_times"] == 1


def test_signatures_of_one_function_are_compiled_once_each(compiled):
    @jx.jit
    def shapes(x):
        return x.sum() + x.shape[0]

    results = at_once(lambda i: shapes(jnp.ones(1 + i % 4)))
    assert [float(r) for r in results] == [2.0 * (1 + i % 4) for i in range(THREADS)]
    assert compiled()["shapes"] == 4


def test_different_functions():
    def work(i):
        @jx.jit
        def f(x):
            for _ in range(5):
                x = jnp.sin(x) * (i + 1)
            return x

        expected = np.float32(0.3)
        for _ in range(5):
            expected = np.sin(expected) * np.float32(i + 1)
        got = [float(f(jnp.float32(0.3))) for _ in range(3)]
        np.testing.assert_allclose(got, [expected] * 3, rtol=2e-4)

    at_once(work)


def test_functions_that_call_one_another(compiled):
    @jx.jit
    def innermost(x):
        return jnp.tanh(x)

    @jx.jit
    def left(x):
        return innermost(x) + innermost(2 * x)

    @jx.jit
    def right(x):
        return left(x) * innermost(x)

    x = jnp.arange(3.0)
    results = at_once(lambda i: (innermost, left, right)[i % 3](x))
    a, b = np.tanh(np.arange(3.0)), np.tanh(2 * np.arange(3.0))
    for i, result in enumerate(results):
        np.testing.assert_allclose(result, (a, a + b, (a + b) * a)[i % 3], rtol=1e-5)
    assert compiled() >= Counter(innermost=1, left=1, right=1)
    assert max(compiled()[name] for name in ("innermost", "left", "right")) == 1


def test_eager_operations_and_array_functions():
    def work(i):
        x = jnp.arange(1.0, 6.0) + i
        y = jnp.where(x > 3, x * x, -x)[1:] + jnp.sum(x)
        n = np.arange(1.0, 6.0) + i
        np.testing.assert_allclose(y, np.where(n > 3, n * n, -n)[1:] + n.sum(), rtol=1e-6)

    for _ in range(3):
        jx.clear_caches()
        at_once(work)


def test_gradients_batches_and_loops():
    @jx.jit
    def cell(w, x):
        return jnp.tanh(w @ x)

    def loss(w, xs):
        def step(carry, x):
            return cell(w, carry + x), carry.sum()

        carry, sums = jx.lax.scan(step, jnp.zeros(3), xs)
        return carry.sum() + sums.sum()

    w, xs = jnp.eye(3) * 0.5, jnp.linspace(-1, 1, 12).reshape(4, 3)
    batch = jnp.stack([xs, 2 * xs])

    def work(i):
        if i % 4 == 0:
            return jx.grad(loss)(w, xs)
        if i % 4 == 1:
            return jx.jit(jx.grad(loss))(w, xs)
        if i % 4 == 2:
            return jx.vmap(jx.grad(loss), (None, 0))(w, batch)[0]
        return jx.jit(jx.vmap(jx.grad(loss), (None, 0)))(w, batch)[0]

    results = at_once(work)
    expected = jx.grad(loss)(w, xs)
    for result in results:
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_the_gradient_of_a_jitted_function_is_compiled_once(compiled):
    @jx.jit
    def inner_loss(x):
        return (jnp.sin(x) ** 2).sum()

    x = jnp.arange(4.0)
    at_once(lambda i: jx.grad(inner_loss)(x))
    names = [name for name in compiled() if "inner_loss" in name]
    assert names
    assert all(compiled()[name] <= 2 for name in names), compiled()  # forward and backward


def test_options_of_one_thread_do_not_reach_another():
    @jx.jit
    def widened(x):
        return x * 2

    def work(i):
        if i % 2:
            with jx.enable_x64(True):
                return widened(np.float64(1.5)).dtype
        return widened(np.float64(1.5)).dtype

    found = at_once(work)
    assert found == [np.dtype("float64" if i % 2 else "float32") for i in range(THREADS)]


def test_an_error_in_one_thread_is_every_threads_own_and_nothing_is_kept():
    attempts = []

    @jx.jit
    def fails_at_first(x):
        attempts.append(None)
        if len(attempts) <= 5:
            raise RuntimeError("not yet")
        return x + 1

    def work(i):
        try:
            return float(fails_at_first(1.0))
        except RuntimeError as error:
            return str(error)

    results = at_once(work)
    assert Counter(results) == {"not yet": 5, 2.0: THREADS - 5}
    assert float(fails_at_first(1.0)) == 2.0
    assert len(attempts) == 6


def test_donated_buffers():
    step = jx.jit(lambda state, x: {"w": state["w"] + x}, donate_argnums=0)

    def work(i):
        state = {"w": jnp.zeros(64) + i}
        for _ in range(50):
            state = step(state, 1.0)
        return float(state["w"][0])

    assert at_once(work) == [50.0 + i for i in range(THREADS)]


def test_ahead_of_time_compilation():
    def work(i):
        compiled = jx.jit(lambda x: x * i).lower(jnp.ones(3)).compile()
        return [float(compiled(jnp.ones(3))[0]) for _ in range(10)]

    assert at_once(work) == [[float(i)] * 10 for i in range(THREADS)]


def test_caches_may_be_cleared_meanwhile():
    @jx.jit
    def busy(x):
        return jnp.sin(x) + jnp.cos(x)

    def work(i):
        for n in range(20):
            if i == 0:
                jx.clear_caches()
            else:
                got = busy(jnp.float32(n % 3))
                np.testing.assert_allclose(got, np.sin(n % 3) + np.cos(n % 3), rtol=1e-5)

    at_once(work, range(6))


def test_a_function_that_waits_for_a_lock_of_its_caller_ends(monkeypatch):
    """Two threads trace one function; what it waits for while traced is held by the other."""
    monkeypatch.setattr(once_module, "PATIENCE", 0.3)
    lock = threading.Lock()
    tracing = threading.Event()

    def make():
        tracing.set()
        with lock:
            return "made"

    cache: dict = {}
    with lock:
        first = threading.Thread(target=lambda: once(cache, 1, make))
        first.start()
        assert tracing.wait(10)
        assert once(cache, 1, lambda: "made by the impatient") == "made by the impatient"
    first.join(10)
    assert not first.is_alive()
    assert cache == {1: "made by the impatient"}  # whoever is done first decides for all


def test_a_value_may_need_itself():
    cache: dict = {}
    assert once(cache, 1, lambda: [once(cache, 1, lambda: "inner")]) == "inner"
    assert cache == {1: "inner"}


def test_the_numpy_back_end():
    def work(i):
        with backend.use("numpy" if i % 2 else "xla"):
            y = jx.jit(lambda x: jnp.sin(x) + i)(np.float32(0.5))
            return type(y), float(y)

    for i, (kind, value) in enumerate(at_once(work)):
        assert kind is (backend.Array if i % 2 else type(jnp.ones(1)))
        assert value == pytest.approx(np.sin(0.5) + i)


STRESS = """
import threading, jx, jx.numpy as jnp, numpy as np
def work(i):
    f = jx.jit(lambda x: jnp.sin(x) @ x + i % 3)
    for n in range(1, 5):
        x = jnp.ones((n, n))
        y = np.sin(np.ones((n, n))) @ np.ones((n, n)) + i % 3
        np.testing.assert_allclose(f(x), y, rtol=1e-5)
        jx.grad(lambda x: jnp.tanh(x).sum())(x)
threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
[t.start() for t in threads]
[t.join(100) for t in threads]
assert not any(t.is_alive() for t in threads)
print("done")
"""


def test_the_first_use_of_jx_in_a_process_may_be_in_many_threads():
    done = subprocess.run(
        [sys.executable, "-c", STRESS], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "done", done.stderr
    assert "Error" not in done.stderr
