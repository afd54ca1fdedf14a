"""Whole programs as people write them: every layer at once, results known from mathematics.

Each test is one small program: a training loop, a filter, a sampler, a solver. What single
operations and transformations do is tested where they live.
"""

import copy
import dataclasses
import functools
import pickle

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import lax, random
from jx.sharding import NamedSharding, PartitionSpec

KEY = random.key(0)


def test_an_mlp_learns_the_quadrant_of_a_point_with_adam_on_donated_pytrees():
    def network(params, x):
        for layer in params[:-1]:
            x = jx.nn.relu(x @ layer["w"] + layer["b"])
        return x @ params[-1]["w"] + params[-1]["b"]

    def loss(params, x, labels):
        return -jnp.mean(jnp.sum(jx.nn.log_softmax(network(params, x)) * labels, axis=-1))

    @functools.partial(jx.jit, donate_argnums=(0, 1, 2))
    def step(params, mean, square, t, x, labels):
        value, grads = jx.value_and_grad(loss)(params, x, labels)
        mean = jx.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, grads)
        square = jx.tree.map(lambda s, g: 0.99 * s + 0.01 * g**2, square, grads)

        def update(p, m, s):
            return p - 0.05 * (m / (1 - 0.9**t)) / (jnp.sqrt(s / (1 - 0.99**t)) + 1e-8)

        return jx.tree.map(update, params, mean, square), mean, square, value

    sizes = [2, 16, 4]
    params = [
        {"w": random.normal(k, (m, n)) * jnp.sqrt(2 / m), "b": jnp.zeros(n)}
        for k, m, n in zip(random.split(KEY, 2), sizes, sizes[1:])
    ]
    mean = jx.tree.map(jnp.zeros_like, params)
    square = jx.tree.map(jnp.zeros_like, params)
    x = random.normal(KEY, (64, 2))
    quadrant = 2 * (x[:, 0] > 0) + (x[:, 1] > 0)
    labels = jx.nn.one_hot(quadrant, 4)
    first = params[0]["w"]
    for t in range(1, 61):
        params, mean, square, value = step(params, mean, square, t, x, labels)
    assert first.is_deleted()
    assert value < 0.2
    assert jnp.mean(network(params, x).argmax(-1) == quadrant) > 0.95


def test_a_convolution_network_by_hand_in_numpy():
    image = np.asarray(random.normal(KEY, (6, 6)))
    kernel = np.asarray(random.normal(random.key(1), (3, 3)))

    def network(kernel):
        out = lax.conv(image[None, None], kernel[None, None], (1, 1), "VALID")
        return out.reshape(2, 2, 2, 2).max((1, 3)).mean()

    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    maps = np.einsum("ijkl,kl->ij", windows, kernel)
    pooled = maps.reshape(2, 2, 2, 2).max((1, 3))
    assert np.allclose(network(kernel), pooled.mean(), atol=1e-5)
    chosen = sum(windows[maps == peak][0] for peak in pooled.ravel())
    assert np.allclose(jx.grad(network)(kernel), chosen / 4, atol=1e-5)


def test_causal_attention_does_not_look_ahead():
    def attend(q, k, v):
        scores = jnp.einsum("qhd,khd->hqk", q, k) / jnp.sqrt(q.shape[-1])
        scores = jnp.where(jnp.tril(jnp.ones(scores.shape[-2:], bool)), scores, -jnp.inf)
        return jnp.einsum("hqk,khd->qhd", jx.nn.softmax(scores, axis=-1), v)

    q, k, v = random.normal(KEY, (3, 5, 2, 4))
    out = jx.jit(attend)(q, k, v)
    assert np.allclose(out[0], v[0], atol=1e-6)
    reach = jnp.abs(jx.jacrev(attend, argnums=2)(q, k, v)).sum((1, 2, 4, 5))
    assert np.array_equal(np.asarray(reach) > 0, np.tril(np.ones((5, 5), bool)))


def test_an_embedding_gets_the_gradient_of_the_rows_that_were_read():
    table, tokens = jnp.ones((5, 3)), jnp.array([[1, 2, 1], [0, 1, 4]])
    grads = jx.grad(lambda e: e[tokens].sum())(table)
    assert np.array_equal(grads, np.bincount(tokens.ravel(), minlength=5)[:, None] * np.ones(3))


def test_a_recurrent_network_scanned_equals_its_python_loop_and_so_do_its_gradients():
    params = {"x": random.normal(KEY, (3, 4)), "h": random.normal(KEY, (4, 4)) / 2}
    xs = random.normal(KEY, (6, 2, 3))

    def cell(params, h, x):
        h = jnp.tanh(x @ params["x"] + h @ params["h"])
        return h, h

    def scanned(params):
        return jnp.mean(lax.scan(functools.partial(cell, params), jnp.zeros((2, 4)), xs)[1] ** 2)

    def looped(params):
        h, hs = jnp.zeros((2, 4)), []
        for x in xs:
            h, _ = cell(params, h, x)
            hs.append(h)
        return jnp.mean(jnp.stack(hs) ** 2)

    got, expected = jx.jit(jx.grad(scanned))(params), jx.grad(looped)(params)
    jx.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), got, expected)


def test_newtons_method_inside_fori_loop_jit_and_vmap():
    def root(f, x, steps=6):
        return lax.fori_loop(0, steps, lambda _, x: x - f(x) / jx.grad(f)(x), x)

    squares = jnp.array([2.0, 3.0, 4.0])
    roots = jx.jit(jx.vmap(lambda a: root(lambda x: x * x - a, 1.0)))(squares)
    assert np.allclose(roots, np.sqrt([2, 3, 4]), atol=1e-6)
    # The derivative of sqrt, through the iteration.
    slope = jx.grad(lambda a: root(lambda x: x * x - a, 1.0))(4.0)
    assert np.allclose(slope, 0.25, atol=1e-5)


def test_a_hessian_vector_product_equals_the_hessian_times_the_vector():
    def rosenbrock(x):
        return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    x, v = jnp.array([1.2, 0.8, 1.1]), jnp.array([1.0, -2.0, 0.5])
    product = jx.jvp(jx.grad(rosenbrock), (x,), (v,))[1]
    assert np.allclose(product, jx.hessian(rosenbrock)(x) @ v, rtol=1e-5)
    assert np.allclose(jx.grad(rosenbrock)(jnp.ones(3)), 0)


def test_an_oscillator_by_runge_kutta_and_its_sensitivity_to_frequency():
    def solve(frequency, steps=100, end=2.0):
        dt = end / steps

        def f(y):
            return jnp.array([y[1], -(frequency**2) * y[0]])

        def step(y, _):
            k1 = f(y)
            k2 = f(y + dt / 2 * k1)
            k3 = f(y + dt / 2 * k2)
            k4 = f(y + dt * k3)
            y = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            return y, y[0]

        return lax.scan(step, jnp.array([1.0, 0.0]), None, length=steps)

    (_, xs), w = solve(1.3), 1.3
    assert np.allclose(xs, np.cos(w * np.linspace(0.02, 2, 100)), atol=1e-4)
    for derivative in (jx.jacfwd, jx.jacrev):
        got = derivative(lambda w: solve(w)[0][0])(w)
        assert np.allclose(got, -2 * np.sin(2 * w), atol=1e-3)


def test_a_kalman_filter_of_a_constant_is_the_running_mean():
    def observe(state, z):
        mean, variance = state
        gain = variance / (variance + 1.0)
        mean = mean + gain * (z - mean)
        # With noise of variance one, the posterior variance is the gain.
        return (mean, gain), mean

    zs = random.normal(KEY, (20,))
    (_, variance), means = lax.scan(observe, (0.0, 1e6), zs)
    assert np.allclose(means, np.cumsum(zs) / np.arange(1, 21), atol=1e-4)
    assert np.allclose(variance, 1 / 20, rtol=1e-3)


def test_hamiltonian_monte_carlo_finds_the_variances_of_a_gaussian():
    variances = jnp.array([1.0, 4.0])

    def log_density(x):
        return -0.5 * jnp.sum(x**2 / variances)

    def transition(x, key):
        k1, k2 = random.split(key)
        p = random.normal(k1, x.shape)

        def leap(_, state):
            x, p = state
            p = p + 0.1 * jx.grad(log_density)(x)
            x = x + 0.2 * p
            return x, p + 0.1 * jx.grad(log_density)(x)

        x1, p1 = lax.fori_loop(0, 8, leap, (x, p))
        gain = log_density(x1) - log_density(x) - 0.5 * (p1 @ p1 - p @ p)
        x = jnp.where(jnp.log(random.uniform(k2)) < gain, x1, x)
        return x, x

    def chain(key):
        return lax.scan(transition, jnp.zeros(2), random.split(key, 300))[1]

    samples = jx.jit(jx.vmap(chain))(random.split(KEY, 16)).reshape(-1, 2)
    assert np.allclose(samples.mean(0), 0, atol=0.2)
    assert np.allclose(samples.var(0), variances, rtol=0.15)


def test_gaussian_process_regression_by_conjugate_gradients():
    def kernel(a, b):
        return jnp.exp(-0.5 * jnp.sum((a - b) ** 2))

    def gram(xs, ys):
        return jx.vmap(lambda x: jx.vmap(lambda y: kernel(x, y))(ys))(xs)

    def solve(a, b):
        def body(state):
            x, r, p, rs = state
            ap = a @ p
            step = rs / (p @ ap)
            r = r - step * ap
            return x + step * p, r, r + (r @ r) / rs * p, r @ r

        return lax.while_loop(lambda s: s[3] > 1e-10, body, (jnp.zeros_like(b), b, b, b @ b))[0]

    points = random.normal(KEY, (8, 2))
    targets = jnp.sin(points[:, 0])
    noisy = gram(points, points) + 0.1 * jnp.eye(8)
    weights = jx.jit(solve)(noisy, targets)
    expected = np.linalg.solve(np.asarray(noisy, np.float64), np.asarray(targets))
    assert np.allclose(weights, expected, atol=1e-4)
    # The mixed second derivative of the kernel at one point is the identity.
    mixed = jx.jacfwd(jx.jacrev(kernel, 1), 0)(points[0], points[0])
    assert np.allclose(mixed, np.eye(2), atol=1e-6)


def test_the_game_of_life_moves_a_glider_down_its_diagonal():
    def step(_, board):
        shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
        n = sum(jnp.roll(board, s, (0, 1)) for s in shifts)
        return ((n == 3) | ((board == 1) & (n == 2))).astype(board.dtype)

    rows, columns = jnp.array([0, 1, 2, 2, 2]), jnp.array([1, 2, 0, 1, 2])
    glider = jnp.zeros((8, 8), int).at[rows, columns].set(1)
    assert jnp.array_equal(lax.fori_loop(0, 4, step, glider), jnp.roll(glider, (1, 1), (0, 1)))


def test_a_number_that_starts_a_loop_takes_the_dtype_of_the_sum():
    xs = jnp.array([0.5, 1.5])
    total, _ = lax.scan(lambda c, x: (c + x, None), 0, xs)
    assert (total.dtype, float(total)) == (jnp.float32, 2.0)
    halved = lax.while_loop(lambda c: c > 1, lambda c: c / 2, 8)
    assert (halved.dtype, float(halved)) == (jnp.float32, 1.0)
    with pytest.raises(TypeError, match="expected i32"):
        lax.scan(lambda c, x: (c + x, None), jnp.int32(0), xs)


def test_a_dataclass_of_parameters_goes_through_jit_grad_and_vmap():
    @functools.partial(
        jx.tree_util.register_dataclass, data_fields=["w", "b"], meta_fields=["power"]
    )
    @dataclasses.dataclass
    class Model:
        w: jx.Array
        b: jx.Array
        power: int = 2

    def value(model, x):
        return jnp.sum((model.w * x + model.b) ** model.power)

    grads = jx.jit(jx.grad(value))(Model(jnp.ones(2), jnp.zeros(2)), jnp.array([1.0, 3.0]))
    assert grads.w.tolist() == [2.0, 18.0]
    assert grads.b.tolist() == [2.0, 6.0]
    assert grads.power == 2


def test_data_parallel_gradients_equal_those_of_one_device():
    mesh = jx.make_mesh((8,), ("data",), axis_types=(jx.sharding.AxisType.Auto,))
    x, w = random.normal(KEY, (16, 3)), random.normal(random.key(1), (3,))
    split = jx.device_put(x, NamedSharding(mesh, PartitionSpec("data")))
    everywhere = jx.device_put(w, NamedSharding(mesh, PartitionSpec()))
    grad = jx.grad(lambda w, x: jnp.mean((x @ w) ** 2))
    got = jx.jit(grad, out_shardings=NamedSharding(mesh, PartitionSpec()))(everywhere, split)
    assert len(split.addressable_shards) == 8
    assert got.sharding.is_fully_replicated
    assert np.allclose(got, grad(w, x), atol=1e-5)


def test_a_program_compiled_ahead_is_called_without_its_static_arguments():
    lowered = jx.jit(lambda x, n, m=1: x * n * m, static_argnums=1, static_argnames="m").lower(
        jx.ShapeDtypeStruct((2,), jnp.float32), 3, m=2
    )
    assert "stablehlo" in lowered.as_text()
    compiled = lowered.compile()
    assert compiled(jnp.ones(2)).tolist() == [6.0, 6.0]
    assert "HloModule" in compiled.as_text()
    with pytest.raises(TypeError, match="does not match the input pytree"):
        compiled(jnp.ones(2), 3)
    with pytest.raises(TypeError, match="Argument types differ"):
        compiled(jnp.ones(3))


def test_an_array_is_copied_pickled_and_shared_like_a_numpy_array():
    x = jnp.arange(3)
    for other in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert jnp.array_equal(other, x)
    assert np.from_dlpack(x).tolist() == [0, 1, 2]
    assert np.sin(x).dtype == np.float64


def test_mistakes_are_named_and_the_next_call_works():
    @jx.jit
    def absolute(x):
        return x if x > 0 else -x

    with pytest.raises(jx.errors.TracerBoolConversionError):
        absolute(3.0)
    with pytest.raises(ValueError, match="truth value .* ambiguous"):
        absolute(jnp.ones(3))
    with pytest.raises(TypeError):
        jx.grad(jnp.sin)(jnp.ones(2))
    with pytest.raises(TypeError):
        jnp.ones(3)[0] = 1
    assert jx.grad(lambda x: x if x > 0 else -x)(-3.0) == -1


def test_a_tracer_that_leaks_says_so():
    kept = []
    jx.jit(lambda x: kept.append(x) or x)(1.0)
    with pytest.raises(jx.errors.UnexpectedTracerError):
        kept[0] + 1
