"""A neural differential equation: trained, exported, and used by a process without its code.

A small network learns the law of motion y' = f(y) of a spiral from noisy trajectories. An
integrator with steps of its own choice (`lax.while_loop`) solves the equation; reverse mode can't
go back through such a loop, so the gradient is a rule of its own (`custom_vjp`): the adjoint
method, which integrates backward in time instead of remembering the way. What happens within an
interval between two observations is computed anew for the gradient (`checkpoint`).

The trained model is exported with its gradient, for CPUs, GPUs and TPUs and for any number of
trajectories (a symbolic dimension), and written to a file. A fresh Python process, which knows
nothing of this program, loads it, calls it, differentiates through it, and gets the same numbers.

    python examples/neural_ode.py
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import jx
import jx.numpy as jnp
from jx import export, lax

TOLERANCE = 1e-3  # of the integrator, in each step
SECONDS = 0.25  # between observations


def motion(params, y):
    """The network's y', for a state y of two numbers."""
    hidden = jnp.tanh(params["in"] @ y**3 + params["bias"])
    return params["out"] @ hidden


def spiral(_, y):
    """The true law of motion, which makes the data."""
    return jnp.array([[-0.1, 2.0], [-2.0, -0.1]]) @ y**3


# --- the integrator ---


def along(state, h, *terms):
    """`state + h * (c1 * k1 + c2 * k2 + ...)` on pytrees."""
    coefficients, slopes = zip(*terms, strict=True)
    return jx.tree.map(
        lambda y, *ks: y + h * sum(c * k for c, k in zip(coefficients, ks, strict=True)),
        state,
        *slopes,
    )


def bogacki_shampine(law, state, h):
    """A step of order three, and an estimate of its error from one of order two."""
    k1 = law(state)
    k2 = law(along(state, h, (1 / 2, k1)))
    k3 = law(along(state, h, (3 / 4, k2)))
    new = along(state, h, (2 / 9, k1), (1 / 3, k2), (4 / 9, k3))
    k4 = law(new)
    zero = jx.tree.map(jnp.zeros_like, state)
    return new, along(zero, h, (-5 / 72, k1), (1 / 12, k2), (1 / 9, k3), (-1 / 8, k4))


def integrate(law, state, seconds):
    """The state after `seconds` of `state' = law(state)`, by steps as long as is safe."""

    def unfinished(carry):
        return carry[0] < seconds

    def step(carry):
        now, state, h = carry
        h = jnp.minimum(h, seconds - now)
        new, error = bogacki_shampine(law, state, h)
        size = jnp.sqrt(sum(jnp.sum(e**2) for e in jx.tree.leaves(error))) / TOLERANCE
        good = size <= 1
        state = jx.tree.map(lambda a, b: jnp.where(good, a, b), new, state)
        # A step to the very end is not held against the length of the next one.
        return jnp.where(good, now + h, now), state, h * jnp.clip(0.9 * size ** (-1 / 3), 0.2, 5.0)

    start = (jnp.zeros_like(seconds), state, 0.1 * seconds)
    return lax.while_loop(unfinished, step, start)[1]


@jx.custom_vjp
def evolve(params, y, seconds):
    """Where the network's law of motion takes the state `y` in `seconds`."""
    return integrate(lambda y: motion(params, y), y, seconds)


def evolve_forward(params, y, seconds):
    end = evolve(params, y, seconds)
    return end, (params, end, seconds)  # not the way there


def evolve_backward(residuals, cotangent):
    """The adjoint method (Pontryagin; Chen et al. 2018): state, cotangent and gradient go back."""
    params, end, seconds = residuals

    def backward(state):
        y, adjoint, _ = state
        slope, pull = jx.vjp(motion, params, y)
        gradient, change = pull(adjoint)
        return -slope, change, gradient

    start = (end, cotangent, jx.tree.map(jnp.zeros_like, params))
    _, adjoint, gradient = integrate(backward, start, seconds)
    return gradient, adjoint, cotangent @ motion(params, end)


evolve.defvjp(evolve_forward, evolve_backward)


# --- the model ---


@jx.jit
def predict(params, starts, times):
    """States (trajectories, times, 2) that are reached from `starts` (trajectories, 2)."""

    @jx.checkpoint
    def interval(y, seconds):
        y = evolve(params, y, seconds)
        return y, y

    def trajectory(start):
        return lax.scan(interval, start, jnp.diff(times, prepend=0.0))[1]

    return jx.vmap(trajectory)(starts)


def misfit(params, starts, times, observed):
    return jnp.mean((predict(params, starts, times) - observed) ** 2)


def make_data(key, count, points):
    """Starts, times and noisy observations of true trajectories."""
    places, noise = jx.random.split(key)
    starts = jx.random.uniform(places, (count, 2), minval=-2.0, maxval=2.0)
    times = SECONDS * jnp.arange(1, points + 1)

    def trajectory(start):
        def interval(y, _):
            y = integrate(lambda y: spiral(None, y), y, jnp.float32(SECONDS))
            return y, y

        return lax.scan(interval, start, length=points)[1]

    states = jx.jit(jx.vmap(trajectory))(starts)
    return starts, times, states + 0.02 * jx.random.normal(noise, states.shape)


def make_params(key, width):
    k1, k2 = jx.random.split(key)
    return {
        "in": 0.3 * jx.random.normal(k1, (width, 2)),
        "bias": jnp.zeros(width),
        "out": 0.3 * jx.random.normal(k2, (2, width)),
    }


@jx.jit
def adam(params, moments, step, rate, gradient):
    """Step number `step` of Adam."""
    first, second = moments
    first = jx.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
    second = jx.tree.map(lambda v, g: 0.99 * v + 0.01 * g**2, second, gradient)

    def moved(p, m, v):
        m, v = m / (1 - 0.9**step), v / (1 - 0.99**step)
        return p - rate * m / (jnp.sqrt(v) + 1e-8)

    return jx.tree.map(moved, params, first, second), (first, second)


# --- another process ---

STRANGER = """
import sys
import numpy as np
import jx, jx.numpy as jnp

model_file, inputs_file, results_file = sys.argv[1:]
with open(model_file, "rb") as file:
    model = jx.export.deserialize(file.read())
data = np.load(inputs_file)
params = {name: data[name] for name in ("in", "bias", "out")}

def misfit(params):
    states = model.call(params, data["starts"], data["times"])
    return jnp.mean((states - data["observed"]) ** 2)

states = model.call(params, data["starts"], data["times"])
gradient = jx.jit(jx.grad(misfit))(params)
np.savez(results_file, states=states, **gradient)
few = model.call(params, data["starts"][:3], data["times"])
platforms = ", ".join(model.platforms)
print(f"{model} for {platforms}: states {states.shape}, of three trajectories {few.shape}")
"""


def in_a_fresh_process(folder, blob, params, starts, times, observed):
    """What the exported model computes there: the states, and the gradient of the misfit."""
    (folder / "model.jx").write_bytes(blob)
    np.savez(folder / "inputs.npz", starts=starts, times=times, observed=observed, **params)
    files = [str(folder / name) for name in ("model.jx", "inputs.npz", "results.npz")]
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, *files],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the fresh process failed:\n{done.stderr}")
    print(f"the fresh process: {done.stdout.strip()}")
    return dict(np.load(folder / "results.npz"))


def train(params, data, steps):
    """The trained parameters, and the misfit before each step and after the last."""
    slope = jx.jit(jx.value_and_grad(misfit))
    zeros = jx.tree.map(jnp.zeros_like, params)
    moments, losses = (zeros, zeros), []
    for step in range(1, steps + 1):
        loss, gradient = slope(params, *data)
        losses.append(float(loss))
        rate = 0.03 * (1 - (step - 1) / steps)
        params, moments = adam(params, moments, jnp.float32(step), rate, gradient)
        if step % max(steps // 4, 1) == 0:
            print(f"step {step:4d}: misfit {loss:.5f}")
    return params, [*losses, float(misfit(params, *data))]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--trajectories", type=int, default=16)
    parser.add_argument("--points", type=int, default=8, help="observations of each trajectory")
    parser.add_argument("--width", type=int, default=32, help="of the network")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="a file to keep the exported model in")
    args = parser.parse_args(argv)

    data_key, params_key = jx.random.split(jx.random.key(args.seed))
    data = starts, times, observed = make_data(data_key, args.trajectories, args.points)
    params = make_params(params_key, args.width)
    began = time.perf_counter()
    params, losses = train(params, data, args.steps)
    print(f"misfit {losses[0]:.4f} -> {losses[-1]:.4f} in {time.perf_counter() - began:.1f} s")

    any_starts = jx.ShapeDtypeStruct(export.symbolic_shape("trajectories, 2"), jnp.float32)
    exported = export.export(predict, platforms=("cpu", "cuda", "tpu"))(params, any_starts, times)
    blob = exported.serialize(vjp_order=1)
    print(f"exported with its gradient: {len(blob)} bytes")
    if args.out:
        args.out.write_bytes(blob)

    states = predict(params, starts, times)
    gradient = jx.grad(misfit)(params, starts, times, observed)
    with tempfile.TemporaryDirectory() as folder:
        there = in_a_fresh_process(Path(folder), blob, params, starts, times, observed)
    difference = float(np.max(np.abs(there["states"] - states)))
    gradient_difference = max(float(np.max(np.abs(there[k] - g))) for k, g in gradient.items())
    print(f"largest difference of its states {difference:.1e}, its gradient "
          f"{gradient_difference:.1e}")  # fmt: skip
    return {
        "losses": losses,
        "bytes": len(blob),
        "difference": difference,
        "gradient_difference": gradient_difference,
        "gradient": gradient,
        "params": params,
        "data": data,
    }


if __name__ == "__main__":
    main()
