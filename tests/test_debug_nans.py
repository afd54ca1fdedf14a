"""`debug_nans`, `debug_infs`, `no_tracing`, `no_execution`, `ensure_compile_time_eval`, guards."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import lax
from jx_core import backend

NAN, INF = np.float32(np.nan), np.float32(np.inf)


@pytest.fixture(params=["xla", "numpy"])
def each_backend(request):
    with backend.use(request.param):
        yield


def line_of(marker: str) -> str:
    """The place in this file of the line that has a comment `# marker`."""
    for number, line in enumerate(open(__file__, encoding="utf-8"), 1):
        if line.rstrip().endswith(f"  # {marker}"):
            return f"{__file__}:{number}"
    raise AssertionError(marker)


def log_plus_one(x):
    y = jnp.log(x)  # the log
    return y + 1


def stepwise(c, _):
    return jnp.log(c), None  # the step


def bad_branch(x):
    return jnp.arccos(x)  # the branch


def root_times_sine(x):
    return jnp.sqrt(x) * jnp.sin(x)  # the gradient


PROGRAMS = {
    "eager": (log_plus_one, -1.0, "log", "the log"),
    "jit": (jx.jit(log_plus_one), -1.0, "log", "the log"),
    "jit in jit": (jx.jit(lambda x: jx.jit(log_plus_one)(x) * 2), -1.0, "log", "the log"),
    "vmap": (jx.vmap(log_plus_one), np.float32([1, -2]), "log", "the log"),
    "scan": (lambda x: lax.scan(stepwise, x, length=3), 2.0, "log", "the step"),
    "jit of scan": (jx.jit(lambda x: lax.scan(stepwise, x, length=3)), 2.0, "log", "the step"),
    "while": (
        jx.jit(lambda x: lax.while_loop(lambda x: x > -5, lambda x: stepwise(x, 0)[0], x)),
        2.0, "log", "the step",
    ),
    "cond": (
        jx.jit(lambda x: lax.cond(x > 1, bad_branch, lambda x: x, x)), 2.0, "acos", "the branch",
    ),
    "checkpoint": (jx.jit(jx.checkpoint(bad_branch)), 2.0, "acos", "the branch"),
    "grad": (jx.grad(root_times_sine), 0.0, "mul", "the gradient"),
    "jit of grad": (jx.jit(jx.grad(root_times_sine)), 0.0, "mul", "the gradient"),
    "grad of jit": (jx.grad(jx.jit(root_times_sine)), 0.0, "mul", "the gradient"),
    "grad of scan": (
        jx.grad(lambda x: lax.scan(lambda c, _: (root_times_sine(c), None), x, length=2)[0]),
        0.0, "mul", "the gradient",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("each_backend")
@pytest.mark.parametrize("name", PROGRAMS)
def test_nan_is_told_with_the_primitive_and_the_users_line(name):
    f, x, primitive, marker = PROGRAMS[name]
    assert np.isnan(np.asarray(jx.tree.leaves(f(x))[0])).any()  # compiled before, and unguarded
    with jx.debug_nans(True):
        with pytest.raises(FloatingPointError) as caught:
            f(x)
    told = f"invalid value (nan) encountered in {primitive} at {line_of(marker)}"
    assert str(caught.value).startswith(told)
    assert np.isnan(np.asarray(jx.tree.leaves(f(x))[0])).any()  # and off again


@pytest.mark.usefixtures("each_backend")
def test_the_line_of_an_array_function_is_that_of_the_call_that_gives_nan():
    jnp.log(2.0)
    lax.log(2.0)
    with jx.debug_nans(True):
        with pytest.raises(FloatingPointError, match="encountered in log") as caught:
            jnp.log(-1.0)  # this call
        assert line_of("this call") in str(caught.value)
        with pytest.raises(FloatingPointError) as caught:
            lax.log(-1.0)  # that call
        assert line_of("that call") in str(caught.value)


@pytest.mark.usefixtures("each_backend")
def test_infinities_are_told_when_asked_for():
    f = jx.jit(lambda x: jnp.log(x) * 2)
    with jx.debug_nans(True):
        assert float(f(0.0)) == -np.inf
    with jx.debug_infs(True):
        with pytest.raises(FloatingPointError, match=r"invalid value \(inf\) encountered in log"):
            f(0.0)
        with pytest.raises(FloatingPointError, match=r"\(inf\) encountered in exp"):
            jnp.exp(jnp.complex64(1000))
        assert np.isnan(float(f(-1.0)))


@pytest.mark.usefixtures("each_backend")
def test_programs_without_nan_are_left_alone():
    with jx.debug_nans(True), jx.debug_infs(True):
        f = jx.jit(lambda x, k: (jnp.sin(x), jx.random.split(k), x > 0, x.astype(jnp.bfloat16)))
        for _ in range(2):
            sine, keys, flags, short = f(jnp.ones(3), jx.random.key(0))
        np.testing.assert_allclose(sine, np.sin(np.ones(3)), rtol=1e-6)
        assert jnp.isnan(jnp.array([1.0, np.nan])).tolist() == [False, True]
        assert jnp.isfinite(jnp.zeros(0)).tolist() == []


def test_nan_that_no_single_operation_makes_is_told_all_the_same():
    passes_on = jx.jit(lambda x, y: (x, y + 1))
    with jx.debug_nans(True):
        with pytest.raises(FloatingPointError, match="a result of <lambda>.*passes on"):
            passes_on(NAN, 1.0)


def test_donated_arguments_do_not_keep_the_culprit_from_being_named():
    f = jx.jit(lambda x: jnp.log(x), donate_argnums=0)
    f(jnp.ones(3))
    with jx.debug_nans(True):
        with pytest.raises(FloatingPointError, match="encountered in log"):
            f(-jnp.ones(3))


def test_programs_compiled_ahead_of_time_are_looked_at():
    compiled = jx.jit(log_plus_one).lower(1.0).compile()
    with jx.debug_nans(True):
        with pytest.raises(FloatingPointError, match="encountered in log"):
            compiled(-1.0)
        assert float(compiled(1.0)) == 1


def test_a_call_that_is_looked_at_is_not_dispatched_without_python_and_is_again_afterwards():
    f = jx.jit(lambda x: x * 2)
    x = jnp.ones(3)
    f(x)
    size = f._cache_size()
    with jx.debug_nans(True):
        f(x)
        f(x)
        with pytest.raises(FloatingPointError):
            f(x * NAN)
    f(x)
    assert f._cache_size() <= size + 1


def test_sharded_results_are_looked_at():
    mesh = jx.make_mesh((2,), ("i",))
    f = jx.jit(jnp.log, out_shardings=jx.NamedSharding(mesh, jx.P("i")))
    with jx.debug_nans(True):
        with pytest.raises(FloatingPointError, match="encountered in log"):
            f(np.float32([1, 2, 3, -4]))


def test_options_are_there_for_the_process_and_the_environment():
    jx.config.update("jax_debug_nans", True)
    try:
        with pytest.raises(FloatingPointError):
            jnp.log(-1.0)
        with jx.debug_nans(False):
            jnp.log(-1.0)
    finally:
        jx.config.update("jx_debug_nans", False)
    code = "import jx.numpy as jnp; jnp.log(-1.0)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "JX_DEBUG_NANS": "1"},
        capture_output=True,
        text=True,
    )
    assert "FloatingPointError: invalid value (nan) encountered in log at <string>:1" in ran.stderr


def test_other_threads_are_not_concerned():
    got = []
    with jx.debug_nans(True):
        thread = threading.Thread(target=lambda: got.append(float(jnp.log(-1.0))))
        thread.start()
        thread.join()
    assert np.isnan(got[0])


# --- nothing is traced, nothing is run ---


def test_no_tracing_allows_what_has_been_traced():
    f = jx.jit(lambda x: x + 1)
    f(1.0)
    with jx.no_tracing(True):
        assert float(f(2.0)) == 3
        with pytest.raises(RuntimeError, match="re-tracing function.*'no_tracing' is set"):
            f(np.ones(3, np.float32))
        with pytest.raises(RuntimeError, match="no_tracing"):
            jx.make_jaxpr(lambda x: x)(1.0)
    assert f(np.ones(3, np.float32)).shape == (3,)


@pytest.mark.usefixtures("each_backend")
def test_no_execution_allows_tracing_only():
    f = jx.jit(lambda x: x + 1)
    f(1.0)
    with jx.no_execution(True):
        with pytest.raises(RuntimeError, match="tried to execute"):
            f(1.0)
        with pytest.raises(RuntimeError, match="tried to execute"):
            lax.sin(1.0)
        assert len(jx.make_jaxpr(lambda x: x + 1)(1.0).eqns) == 1
    assert float(f(1.0)) == 2


# --- evaluation while tracing ---


@pytest.mark.usefixtures("each_backend")
@pytest.mark.parametrize(
    "transform",
    [lambda f: f, jx.jit, jx.vmap, jx.grad, lambda f: jx.jit(jx.vmap(jx.grad(f)))],
    ids=["none", "jit", "vmap", "grad", "jit of vmap of grad"],
)
def test_known_values_are_computed_while_tracing(transform):
    looked = []

    def f(x):
        with jx.ensure_compile_time_eval():
            n = int(jnp.arange(4).sum())
            total, _ = lax.scan(lambda c, _: (c + 1, None), 0, length=3)
            slope = float(jx.grad(jnp.sin)(0.0))
            y = x * n
        looked.append((n, int(total), slope))
        return jnp.sum(y)

    x = np.float32(2) if transform in (jx.jit, jx.grad) else np.float32([2])
    transform(f)(x)
    assert looked == [(6, 3, 1.0)]


@pytest.mark.usefixtures("each_backend")
@pytest.mark.parametrize(
    "staged",
    [
        lambda f: jx.jit(f),
        lambda f: lambda x: lax.scan(lambda c, _: (f(c), None), x, length=1)[0],
        lambda f: lambda x: lax.cond(x < 5, f, lambda x: x, x),
        lambda f: lambda x: lax.fori_loop(0, 1, lambda i, c: f(c), x),
        lambda f: jx.jit(lambda x: jx.jit(f)(x)),
        jx.checkpoint,
    ],
    ids=["jit", "scan", "cond", "loop", "jit of jit", "checkpoint"],
)
@pytest.mark.parametrize("outer", [lambda f: f, jx.jit], ids=["", "in jit"])
def test_known_values_are_computed_in_functions_staged_meanwhile(staged, outer):
    def f(x):
        return x + int(jnp.ones(3).sum() + 1)

    @outer
    def g(x):
        with jx.ensure_compile_time_eval():
            return staged(f)(x)

    assert int(g(1)) == 5
    with pytest.raises(jx.errors.ConcretizationTypeError):
        staged(f)(1)


def test_a_function_staged_before_is_staged_anew_while_known_values_are_computed():
    f = jx.jit(lambda x: x + jnp.sin(1.0))
    before = str(jx.make_jaxpr(f)(1.0))
    with jx.ensure_compile_time_eval():
        inside = str(jx.make_jaxpr(f)(1.0))
    assert "sin" in before and "sin" not in inside
    assert str(jx.make_jaxpr(f)(1.0)) == before


def test_what_is_computed_while_tracing_is_not_in_the_program():
    @jx.ensure_compile_time_eval()
    def table():
        return jnp.sin(jnp.arange(3.0))

    program = jx.make_jaxpr(lambda x: x + table())(1.0)
    assert [e.primitive.name for e in program.eqns] == ["add"]
    assert [e.primitive.name for e in jx.make_jaxpr(lambda x: x + jnp.sin(1.0))(1.0).eqns] == [
        "sin", "add",
    ]  # fmt: skip


# --- transfers ---


STEP = jx.jit(lambda x: x + 1)


def test_transfers_that_nobody_asked_for_are_errors_when_disallowed():
    x = np.ones(3, np.float32)
    STEP(x)  # so that the next call runs in C++
    with jx.transfer_guard("disallow"):
        for call in (lambda: STEP(x), lambda: STEP(1.0), lambda: jnp.asarray(x)):
            with pytest.raises(RuntimeError, match="Disallowed host-to-device transfer"):
                call()
        put = jx.device_put(x)
        assert jx.device_get(STEP(put)).tolist() == [2, 2, 2]
    with jx.transfer_guard("disallow_explicit"):
        with pytest.raises(RuntimeError, match="Disallowed host-to-device transfer"):
            jx.device_put(x)
    assert STEP(x).tolist() == [2, 2, 2]


def test_directions_are_guarded_one_by_one():
    x = np.ones(3, np.float32)
    with jx.transfer_guard_host_to_device("disallow"):
        with pytest.raises(RuntimeError, match="Disallowed"):
            STEP(x)
        with jx.transfer_guard_host_to_device("allow"):
            STEP(x)
    first, second = jx.devices()[:2]
    here = jx.device_put(x, first)
    with jx.transfer_guard_device_to_host("disallow"), jx.transfer_guard_device_to_device("allow"):
        jx.device_put(here, second)
    with jx.transfer_guard_device_to_device("disallow_explicit"):
        with pytest.raises(RuntimeError, match="Disallowed device-to-device transfer"):
            jx.device_put(here, second)


def test_transfers_are_guarded_for_the_process_and_from_the_environment():
    x = np.ones(3, np.float32)
    jx.config.update("jx_transfer_guard", "disallow")
    try:
        assert jx.config.jx_transfer_guard_host_to_device == "disallow"
        with pytest.raises(RuntimeError, match="Disallowed"):
            STEP(x)
    finally:
        jx.config.update("jx_transfer_guard", None)
    STEP(x)
    code = "import numpy as np, jx; jx.jit(lambda x: x + 1)(np.ones(3))"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "JX_TRANSFER_GUARD": "disallow"},
        capture_output=True,
        text=True,
    )
    assert "Disallowed host-to-device transfer" in ran.stderr


def test_transfers_are_logged():
    code = (
        "import numpy as np, jx\n"
        "with jx.transfer_guard('log'): jx.jit(lambda x: x + 1)(np.ones(3))"
    )
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "1"}
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert "host-to-device transfer" in ran.stderr and ran.returncode == 0


@pytest.mark.parametrize(
    "guard", ["transfer_guard", "transfer_guard_host_to_device", "array_garbage_collection_guard"]
)
def test_levels_there_are_not_are_told(guard):
    with pytest.raises(ValueError, match="takes None or one of 'allow', 'log'.*got 'bad'"):
        with getattr(jx, guard)("bad"):
            pass


def test_guards_of_arrays_and_threads_can_be_set():
    with jx.array_garbage_collection_guard("log"), jx.thread_guard(True):
        assert STEP(jnp.ones(3)).tolist() == [2, 2, 2]
    assert STEP(jnp.ones(3)).tolist() == [2, 2, 2]
