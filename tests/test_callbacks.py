"""Calls from programs to Python: `pure_callback`, `io_callback`, their effects, order, errors."""

from __future__ import annotations

import gc
import threading
import traceback
import weakref

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import grad, jit, jvp, lax, pure_callback, vmap
from jx.experimental import io_callback
from jx.sharding import NamedSharding, SingleDeviceSharding
from jx.sharding import PartitionSpec as P
from jx_core import backend
from jx_core.jaxpr import check_jaxpr
from jx_core.jaxpr.passes import dead_code_elimination

FLOAT = jx.ShapeDtypeStruct((), np.float32)


@pytest.fixture(params=["xla", "numpy"])
def each_back_end(request):
    with backend.use(request.param):
        yield request.param


def doubled(x):
    return np.asarray(x) * 2


def shape_of(x):
    return jx.ShapeDtypeStruct(x.shape, x.dtype)


def double(x, **options):
    return pure_callback(doubled, shape_of(x), x, **options)


class Log:
    """A function with a side effect: it notes what it was called with."""

    def __init__(self):
        self.seen = []

    def __call__(self, x):
        assert isinstance(x, jx.Array)
        self.seen.append(np.asarray(x).tolist())
        return np.float32(len(self.seen))

    def calls(self, x, ordered=False):
        return io_callback(self, FLOAT, x, ordered=ordered)


@pytest.fixture
def log():
    return Log()


# Values


@pytest.mark.parametrize("how", [lambda f: f, jit], ids=["eager", "jit"])
def test_result_is_what_the_function_returns(each_back_end, how):
    x = jnp.arange(3.0)
    np.testing.assert_array_equal(how(double)(x), [0, 2, 4])


def test_arguments_and_results_are_pytrees(each_back_end):
    def function(a, *, b):
        assert isinstance(a["x"], jx.Array)
        return {"sum": np.asarray(a["x"]) + np.asarray(b[0]), "one": 1}

    types = {"sum": jx.ShapeDtypeStruct((2,), np.float32), "one": jx.ShapeDtypeStruct((), np.int32)}
    result = jit(lambda a, b: pure_callback(function, types, a, b=b))(
        {"x": jnp.ones(2)}, [jnp.float32(3)]
    )
    np.testing.assert_array_equal(result["sum"], [4, 4])
    assert result["one"].dtype == np.int32 and int(result["one"]) == 1


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint4", "float16", "bfloat16", "float8_e4m3fn", "complex64"]
)
@pytest.mark.parametrize("shape", [(), (3,), (0, 2), (2, 3)])
def test_every_dtype_passes_through_a_compiled_program(dtype, shape):
    x = jnp.ones(shape, dtype)
    result = jit(lambda x: pure_callback(lambda x: x, shape_of(x), x))(x)
    assert result.dtype == x.dtype
    np.testing.assert_array_equal(np.asarray(result), np.asarray(x))


def test_a_result_need_not_be_contiguous():
    x = jnp.arange(6.0).reshape(2, 3)
    types = jx.ShapeDtypeStruct((3, 2), np.float32)
    result = jit(lambda x: pure_callback(lambda x: np.asarray(x).T, types, x))(x)
    np.testing.assert_array_equal(result, np.asarray(x).T)


@pytest.mark.parametrize("how", [lambda f: f, jit], ids=["eager", "jit"])
def test_typed_keys_are_arguments_and_results(each_back_end, how):
    key = jx.random.key(7)
    types = jx.ShapeDtypeStruct((3,), key.dtype)
    split = how(lambda key: pure_callback(lambda k: jx.random.split(k, 3), types, key))(key)
    np.testing.assert_array_equal(
        jx.random.key_data(split), jx.random.key_data(jx.random.split(key, 3))
    )


def test_a_64_bit_program_gives_its_function_64_bits():
    with jx.enable_x64(True):
        f = jit(lambda x: pure_callback(lambda x: jnp.sin(x), shape_of(x), x))
        result = f(jnp.float64(0.1))
        assert result.dtype == np.float64
        np.testing.assert_allclose(result, np.sin(0.1), rtol=1e-15)


def test_disabled_jit(each_back_end, log):
    with jx.disable_jit():
        assert float(jit(lambda x: double(x) + log.calls(x))(jnp.float32(2))) == 5
    assert log.seen == [2]


def test_without_arguments_and_without_results(each_back_end):
    seen = []
    f = jit(lambda: io_callback(lambda: seen.append(1), None))
    assert f() is None
    jx.effects_barrier()
    assert seen == [1]


def test_programs_with_callbacks_are_well_typed_and_print():
    closed = jx.make_jaxpr(lambda x: (double(x), io_callback(doubled, FLOAT, x, ordered=True)))(1.0)
    check_jaxpr(closed.jaxpr)
    text = str(closed)
    assert "pure_callback[" in text and "callback=doubled_" in text and "ordered=True" in text


# Errors


def raising(x):
    raise KeyError("the user's own")


def test_what_an_eager_function_raises_comes_as_it_is(each_back_end):
    with pytest.raises(KeyError, match="the user's own"):
        pure_callback(raising, FLOAT, 1.0)


@pytest.mark.parametrize("call", [pure_callback, io_callback])
def test_what_a_program_s_function_raises_is_the_cause_with_its_traceback(call):
    with pytest.raises(jx.errors.JaxRuntimeError, match="KeyError: \"the user's own\"") as caught:
        jit(lambda x: call(raising, FLOAT, x))(1.0)
    cause = caught.value.__cause__
    assert isinstance(cause, KeyError)
    frames = traceback.extract_tb(cause.__traceback__)
    assert [frame.name for frame in frames] == ["raising"]


def test_an_error_in_a_long_program_comes_at_the_barrier_at_the_latest():
    @jit
    def f(x):
        for _ in range(3):
            x = x @ x / 300
        jx.debug.callback(raising, x)
        return x

    x = jnp.ones((300, 300))
    with pytest.raises(jx.errors.JaxRuntimeError, match="the user's own"):
        f(x)
        jx.effects_barrier()
    jx.effects_barrier()  # it has been told


def test_ordered_programs_run_again_after_an_error(log):
    fails = [True]

    def function(x):
        if fails[0]:
            raise ValueError("not yet")
        return log(x)

    f = jit(lambda x: io_callback(function, FLOAT, x, ordered=True))
    with pytest.raises(jx.errors.JaxRuntimeError, match="not yet"):
        f(1.0).block_until_ready()
        jx.effects_barrier()
    fails[0] = False
    assert float(f(2.0)) == 1
    assert log.seen == [2]


WRONG = {
    "shape": (lambda x: np.ones(3, np.float32), ValueError, r"expected f32\[\], got f32\[3\]"),
    "dtype": (lambda x: np.int32(1), TypeError, r"expected f32\[\], got i32\[\]"),
    "tree": (lambda x: (x, x), TypeError, r"(?s)expected PyTreeDef\(\*\).*got.*\(\*, \*\)"),
    "none": (lambda x: None, TypeError, r"(?s)expected PyTreeDef\(\*\).*got.*None"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_result_is_an_error_that_shows_both(each_back_end, kind):
    function, error, message = WRONG[kind]
    with pytest.raises(error, match=message):
        pure_callback(function, FLOAT, 1.0)


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_result_of_a_program(kind):
    function, error, message = WRONG[kind]
    with pytest.raises(jx.errors.JaxRuntimeError, match=message) as caught:
        jit(lambda x: pure_callback(function, FLOAT, x))(1.0)
    assert type(caught.value.__cause__) is error


def test_a_wrong_leaf_of_a_result_is_named():
    types = {"a": FLOAT, "b": FLOAT}
    with pytest.raises(TypeError, match=r"result\['b'\] of pure_callback of bad has the wrong dty"):

        def bad():
            return {"a": 1.0, "b": np.int32(2)}

        pure_callback(bad, types)


def test_wrong_calls():
    with pytest.raises(TypeError, match="callback must be callable"):
        pure_callback(3, FLOAT, 1.0)
    with pytest.raises(TypeError, match=r"result_shape_dtypes must be .* got 3"):
        pure_callback(doubled, 3, 1.0)
    with pytest.raises(TypeError, match=r"argument \[1\]\['k'\] must be an array"):
        pure_callback(doubled, FLOAT, 1.0, {"k": object()})
    with pytest.raises(TypeError, match="argument name must be an array"):
        io_callback(doubled, FLOAT, name="text")
    with pytest.raises(ValueError, match="64-bit types when enable_x64 is off, got float64"):
        pure_callback(doubled, jx.ShapeDtypeStruct((), np.float64), 1.0)
    with pytest.raises(ValueError, match="vmap_method must be None or one of sequential"):
        pure_callback(doubled, FLOAT, 1.0, vmap_method="parallel")
    with pytest.raises(TypeError, match="sharding must be a sharding of one device"):
        mesh = jx.make_mesh((2,), ("x",))
        pure_callback(doubled, FLOAT, 1.0, sharding=NamedSharding(mesh, P("x")))


# Batches


def added(shapes):
    def function(x, y):
        shapes.append((x.shape, y.shape))
        return np.asarray(x) + np.asarray(y)

    return function


@pytest.mark.parametrize(
    ("method", "shapes"),
    [
        ("sequential", [((), ())] * 2),
        ("sequential_unrolled", [((), ())] * 2),
        ("expand_dims", [((2,), (1,))]),
        ("broadcast_all", [((2,), (2,))]),
        ("legacy_vectorized", [((2,), ())]),
    ],
)
@pytest.mark.parametrize("how", [lambda f: f, jit], ids=["eager", "jit"])
def test_vmap_methods(each_back_end, how, method, shapes):
    seen = []
    f = vmap(
        lambda x, y: pure_callback(added(seen), FLOAT, x, y, vmap_method=method), (0, None)
    )
    np.testing.assert_array_equal(how(f)(jnp.float32([1, 2]), jnp.float32(3)), [4, 5])
    assert seen == shapes


def test_vmap_without_a_method_says_what_to_choose():
    with pytest.raises(NotImplementedError, match="pure_callback of doubled: say with vmap_method"):
        vmap(double)(jnp.ones(3))


@pytest.mark.parametrize("method", ["sequential", "expand_dims", "broadcast_all"])
def test_vmap_of_vmap_over_different_axes(each_back_end, method):
    def f(x, y):
        types = jx.ShapeDtypeStruct((), np.float32)
        function = lambda x, y: np.asarray(x) * np.asarray(y)  # noqa: E731
        return pure_callback(function, types, x, y, vmap_method=method)

    x, y = jnp.float32([1, 2, 3]), jnp.float32([10, 20])
    table = vmap(vmap(f, (0, None)), (None, 0))(x, y)
    np.testing.assert_array_equal(table, np.outer(y, x))


def test_vmap_moves_batch_axes_to_the_front(each_back_end):
    x = jnp.arange(6.0).reshape(3, 2)
    f = vmap(lambda x: double(x, vmap_method="sequential"), in_axes=1, out_axes=1)
    np.testing.assert_array_equal(f(x), 2 * np.asarray(x))


def test_vmap_of_an_empty_batch(each_back_end):
    f = vmap(lambda x: double(x, vmap_method="sequential"))
    assert f(jnp.zeros((0, 2))).shape == (0, 2)


def test_vmap_of_io_callback_calls_it_for_each_row(each_back_end, log):
    np.testing.assert_array_equal(vmap(log.calls)(jnp.arange(3.0)), [1, 2, 3])
    assert log.seen == [0, 1, 2]


def test_io_callback_without_rows_is_called_once_under_vmap(each_back_end, log):
    vmap(lambda x: x + log.calls(7.0))(jnp.arange(3.0))
    assert log.seen == [7]


def test_vmap_of_what_happens_in_order_is_an_error(log):
    with pytest.raises(ValueError, match="Cannot `vmap` ordered IO callback"):
        vmap(lambda x: log.calls(x, ordered=True))(jnp.arange(3.0))


def test_vmap_of_conditional_and_loop_refuse_what_would_happen_too_often(log):
    with pytest.raises(NotImplementedError, match="vmap-of-cond"):
        vmap(lambda x: lax.cond(x > 0, log.calls, lambda x: x, x))(jnp.arange(3.0))
    with pytest.raises(NotImplementedError, match="vmap-of-while"):
        vmap(lambda x: lax.while_loop(lambda x: x < 5, lambda x: x + log.calls(x), x))(
            jnp.arange(3.0)
        )
    assert log.seen == []


# Derivatives


@pytest.mark.parametrize("how", [lambda f: f, jit], ids=["eager", "jit"])
def test_the_cure_for_a_missing_derivative_is_named(how):
    with pytest.raises(ValueError, match=r"Pure callbacks do not support JVP.*jx.custom_jvp"):
        grad(how(double))(1.0)
    with pytest.raises(ValueError, match=r"IO callbacks do not support JVP.*stop_gradient"):
        grad(how(lambda x: io_callback(doubled, FLOAT, x)))(1.0)


def test_custom_jvp_gives_a_derivative(each_back_end):
    @jx.custom_jvp
    def sine(x):
        return pure_callback(lambda x: np.sin(np.asarray(x)), FLOAT, x, vmap_method="expand_dims")

    sine.defjvp(lambda p, t: (sine(*p), jnp.cos(p[0]) * t[0]))
    for how in (lambda f: f, jit):
        np.testing.assert_allclose(how(grad(sine))(0.5), np.cos(0.5), rtol=1e-6)
        np.testing.assert_allclose(how(grad(grad(sine)))(0.5), -np.sin(0.5), rtol=1e-6)
        xs = jnp.float32([0.1, 0.2])
        np.testing.assert_allclose(how(vmap(grad(sine)))(xs), np.cos(xs), rtol=1e-6)


def test_what_is_not_differentiated_may_call_back(each_back_end, log):
    def f(x):
        scale = log.calls(lax.stop_gradient(x))
        return x * scale + double(lax.stop_gradient(x))

    assert float(grad(f)(3.0)) == 1
    assert float(jit(grad(f))(3.0)) == 2
    assert log.seen == [3, 3]


def test_checkpoint_computes_pure_callbacks_again_and_refuses_io(log):
    def pure(x):
        return jnp.sin(x * double(lax.stop_gradient(x)))

    np.testing.assert_allclose(
        grad(jx.checkpoint(pure))(0.5), grad(pure)(0.5), rtol=1e-6
    )
    io = jx.checkpoint(lambda x: jnp.sin(x) * log.calls(lax.stop_gradient(x)))
    assert float(io(0.0)) == 0  # where nothing is computed again, it is allowed
    with pytest.raises(NotImplementedError, match="differentiation of `checkpoint`.*IOEffect"):
        grad(io)(1.0)


def test_a_loop_that_derivatives_run_again_refuses_io(log):
    def f(x):
        body = lambda x: x + log.calls(lax.stop_gradient(x))  # noqa: E731
        return lax.while_loop(lambda x: x < 3, body, x)

    assert float(jvp(f, (0.0,), (1.0,))[1]) == 1
    with pytest.raises(NotImplementedError, match="differentiation of `while_loop`.*IOEffect"):
        jx.linearize(f, 0.0)


def test_custom_vjp_may_call_back_in_its_rules(each_back_end, log):
    @jx.custom_vjp
    def f(x):
        return x * 2

    def bwd(_, ct):
        log.calls(ct)
        return (ct * 2,)

    f.defvjp(lambda x: (f(x), None), bwd)
    assert float(grad(f)(1.0)) == 2 and float(jit(grad(f))(1.0)) == 2
    jx.effects_barrier()
    assert log.seen == [1, 1]


# What is dropped, and what is not


def test_unused_pure_callbacks_are_dropped_and_io_is_not(log):
    count = []

    def counted(x):
        count.append(1)
        return np.asarray(x)

    def f(x):
        pure_callback(counted, FLOAT, x)
        inner = jit(lambda x: (pure_callback(counted, FLOAT, x), log.calls(x)))
        inner(x)
        return x

    smaller, _ = dead_code_elimination(jx.make_jaxpr(f)(1.0))
    assert [eqn.primitive.name for eqn in smaller.eqns] == ["jit"]
    jit(f)(1.0)
    jx.effects_barrier()
    assert count == [] and log.seen == [1]


def test_an_argument_that_only_an_effect_uses_is_kept(log):
    assert float(jit(lambda x, y: (log.calls(y), x)[1])(1.0, 2.0)) == 1
    jx.effects_barrier()
    assert log.seen == [2]


# Order


def test_ordered_calls_keep_the_order_of_the_program(each_back_end, log):
    @jit
    def f(x):
        def step(c, _):
            log.calls(c, ordered=True)
            bigger = lambda c: log.calls(10 * c, ordered=True) * 0 + c * 2  # noqa: E731
            return lax.cond(c > 1, bigger, lambda c: c + 1, c), None

        x, _ = lax.scan(step, x, None, length=3)

        def goes(x):
            return log.calls(x + 0.5, ordered=True) * 0 + x < 8

        x = lax.while_loop(goes, lambda x: x + 3 + 0 * log.calls(-x, ordered=True), x)
        return jit(lambda x: log.calls(100 + x, ordered=True))(x)

    f(0.0)
    jx.effects_barrier()
    assert log.seen == [0, 1, 2, 20, 4.5, -4, 7.5, -7, 10.5, 110]


def test_ordered_calls_keep_the_order_of_executions(log):
    slow = jit(lambda x: log.calls((x @ x)[0, 0], ordered=True))
    fast = jit(lambda x: log.calls(x, ordered=True))
    x = jnp.ones((300, 300))
    for i in range(20):
        slow(x)
        fast(jnp.float32(i))
    jx.effects_barrier()
    assert log.seen == [v for i in range(20) for v in (300, i)]


def test_order_is_kept_between_devices_and_numbers_of_them(log):
    mesh = jx.make_mesh((4,), ("x",))
    spread = jx.device_put(jnp.arange(4.0), NamedSharding(mesh, P("x")))
    elsewhere = jx.device_put(jnp.arange(4.0) + 1, jx.devices()[5])
    f = jit(lambda x: log.calls(x.sum(), ordered=True))
    for _ in range(5):
        f(spread)
        f(elsewhere)
    jx.effects_barrier()
    assert log.seen == [6, 10] * 5


def test_ordered_programs_with_donation_constants_and_unused_arguments(log):
    table = jnp.arange(1000.0)  # too large to be written into the program

    def f(x, unused, y):
        log.calls(y, ordered=True)
        return x + table

    x = jnp.ones(1000)
    result = jit(f, donate_argnums=0)(x, jnp.ones(5), 3.0)
    np.testing.assert_array_equal(result, 1 + np.arange(1000.0))
    assert x.is_deleted() and log.seen == [3]


def test_threads_have_orders_of_their_own(log):
    f = jit(lambda x: log.calls(x, ordered=True))
    f(-1.0)

    def work(k):
        for i in range(50):
            f(jnp.float32(100 * k + i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    jx.effects_barrier()
    assert len(log.seen) == 401
    for k in range(8):
        mine = [v for v in log.seen if 100 * k <= v < 100 * k + 50]
        assert mine == list(range(100 * k, 100 * k + 50))


def test_the_barrier_waits_for_unordered_effects(log):
    f = jit(lambda x: (log.calls(x.sum()), x @ x)[1])
    for _ in range(10):
        f(jnp.ones((200, 200)))
    jx.effects_barrier()
    assert log.seen == [40000] * 10


def test_programs_without_effects_know_nothing_of_tokens():
    text = jit(lambda x: lax.cond(x > 0, jnp.sin, double, x)).lower(1.0).as_text()
    assert "token" not in text


def test_tokens():
    token = jit(lambda: lax.after_all(lax.create_token(), lax.create_token()))()
    assert token.shape == lax.create_token().shape == lax.after_all().shape == (0,)
    with pytest.raises(TypeError, match=r"must be tokens.* argument 1 is f32\[3\]"):
        lax.after_all(token, jnp.ones(3))


# No program waits for itself


def computed(x):
    """Needs the device: a product too large to be done at once."""
    return jnp.sin(x) @ jnp.cos(x) / x.shape[0]


@pytest.mark.parametrize("count", [1, 8], ids=["one thread", "eight threads"])
def test_computing_inside_of_callbacks_while_the_device_is_busy(count):
    n = 200
    types = jx.ShapeDtypeStruct((n, n), np.float32)
    f = jit(lambda x: pure_callback(computed, types, x @ x / n) @ x)
    x = jnp.full((n, n), 0.1)
    want = np.asarray(computed(x @ x / n) @ x)
    results = []

    def work():
        outs = [f(x) for _ in range(60)]  # more than can be under way at once
        results.extend(np.asarray(o) for o in outs)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
        assert not t.is_alive(), "deadlock"
    for result in results:
        np.testing.assert_allclose(result, want, rtol=1e-5)


def test_arrays_that_a_callback_keeps_can_be_used_later():
    kept = []

    def function(x):
        kept.append((x, jnp.sin(x)))
        return x

    jit(lambda x: pure_callback(function, shape_of(x), x))(jnp.arange(3.0))
    x, y = kept[0]
    f = jit(lambda a, b: a + b)
    np.testing.assert_allclose(f(jnp.ones(3), x), [1, 2, 3])
    np.testing.assert_allclose(f(x, y) + jnp.ones(3), 1 + np.arange(3) + np.sin(np.arange(3)), 1e-6)
    assert x.is_deleted() is False and jnp.stack([x, jnp.ones(3)]).shape == (2, 3)


def test_a_callback_may_call_programs_with_callbacks(log):
    inner = jit(lambda x: log.calls(x, ordered=True))
    f = jit(lambda x: io_callback(lambda x: inner(x + 1), FLOAT, x, ordered=True))
    assert [float(f(float(i))) for i in range(3)] == [1, 2, 3]
    jx.effects_barrier()
    assert log.seen == [1, 2, 3]


def test_a_callback_does_not_wait_for_its_own_program(log):
    inner = jit(log.calls)

    def function(x):
        for i in range(100):  # more than may be left waiting
            inner(jnp.float32(i))
        jx.effects_barrier()

    f = jit(lambda x: jx.debug.callback(function, (x @ x).sum()))
    for _ in range(3):
        f(jnp.ones((300, 300)))
    jx.effects_barrier()
    assert log.seen == list(range(100)) * 3


# Several devices


def test_on_several_devices_one_calls_with_the_whole():
    mesh = jx.make_mesh((4, 2), ("x", "y"))
    x = jx.device_put(jnp.arange(16.0).reshape(8, 2), NamedSharding(mesh, P("x", "y")))
    shapes = []

    def function(x):
        shapes.append(x.shape)
        return np.asarray(x) * 2

    for sharding in (None, SingleDeviceSharding(jx.devices()[3])):
        f = jit(lambda x, s=sharding: pure_callback(function, shape_of(x), jnp.sin(x), sharding=s))
        np.testing.assert_allclose(f(x), 2 * np.sin(np.asarray(x)), rtol=1e-6)
    assert shapes == [(8, 2)] * 2
    with pytest.raises(ValueError, match="names the device .* and the program runs on"):
        part = jx.device_put(jnp.ones(2), NamedSharding(jx.make_mesh((2,), ("x",)), P("x")))
        jit(lambda x: double(x, sharding=SingleDeviceSharding(jx.devices()[7])))(part)


# Speed and memory


def test_programs_with_pure_callbacks_keep_the_fast_road_and_effects_do_not(log):
    pure, effectful = jit(lambda x: double(x)), jit(lambda x: log.calls(x))
    for f in (pure, effectful):
        f(1.0), f(1.0)
    assert pure._cache_size() == 1 and effectful._cache_size() in (0, 1)
    assert len(log.seen) == 2


def test_functions_are_forgotten_with_their_programs():
    def make():
        def function(x):
            return np.asarray(x)

        f = jit(lambda x: pure_callback(function, FLOAT, x))
        f(1.0)
        pure_callback(function, FLOAT, 1.0)
        return weakref.ref(function)

    dead = make()
    gc.collect()
    assert dead() is None
