"""Linear regression by gradient descent: a whole program in its shortest form.

Data, a model, a loss, its gradient and a compiled update:

    python examples/linear_regression.py
"""

import argparse

import jx
import jx.numpy as jnp


def make_data(key, n, noise=0.1):
    """Inputs (n, 3) and targets (n,) of a known plane with a little noise on it."""
    inputs_key, noise_key = jx.random.split(key)
    truth = {"w": jnp.array([1.5, -2.0, 0.5]), "b": jnp.array(0.7)}
    x = jx.random.normal(inputs_key, (n, 3))
    return truth, x, predict(truth, x) + noise * jx.random.normal(noise_key, (n,))


def predict(params, x):
    return x @ params["w"] + params["b"]


def loss_fn(params, x, y):
    return jnp.mean((predict(params, x) - y) ** 2)


@jx.jit
def update(params, x, y, learning_rate):
    loss, grads = jx.value_and_grad(loss_fn)(params, x, y)
    return jx.tree.map(lambda p, g: p - learning_rate * g, params, grads), loss


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)

    truth, x, y = make_data(jx.random.key(args.seed), args.points)
    params = {"w": jnp.zeros(3), "b": jnp.zeros(())}
    losses = []
    for _ in range(args.steps):
        params, loss = update(params, x, y, args.learning_rate)
        losses.append(float(loss))

    error = max(float(jnp.max(jnp.abs(params[name] - truth[name]))) for name in truth)
    print(f"loss: {losses[0]:.4f} at first, {losses[-1]:.4f} after {args.steps} steps")
    print(f"w = {params['w']}, b = {params['b']:.4f}; largest error {error:.4f}")
    return {"losses": losses, "params": params, "truth": truth, "error": error}


if __name__ == "__main__":
    main()
