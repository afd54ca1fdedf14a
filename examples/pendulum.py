"""A pendulum integrated by `lax.scan`, and the gradient of where it ends.

The classical Runge-Kutta method of order four steps the equation of motion,
angle'' = -(g / length) sin(angle). Differentiating through all the steps tells
how the final angle depends on the start; gradient descent then finds the
release angle from which the pendulum is at a chosen angle at a chosen time.

    python examples/pendulum.py
"""

import argparse

import jx
import jx.numpy as jnp

GRAVITY = 9.81  # m / s^2
LENGTH = 1.0  # m


def motion(state):
    """The time derivative of (angle in rad, angular velocity in rad / s)."""
    angle, velocity = state
    return jnp.stack([velocity, -GRAVITY / LENGTH * jnp.sin(angle)])


def runge_kutta_step(state, dt):
    k1 = motion(state)
    k2 = motion(state + dt / 2 * k1)
    k3 = motion(state + dt / 2 * k2)
    k4 = motion(state + dt * k3)
    return state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def swing(angle, seconds, steps):
    """States (steps, 2) of a pendulum released at rest from `angle`."""

    def step(state, _):
        state = runge_kutta_step(state, seconds / steps)
        return state, state

    _, states = jx.lax.scan(step, jnp.stack([angle, jnp.zeros_like(angle)]), length=steps)
    return states


def energy(state):
    """Energy per unit of mass, in J / kg; an exact solution would keep it."""
    angle, velocity = state
    return 0.5 * (LENGTH * velocity) ** 2 - GRAVITY * LENGTH * jnp.cos(angle)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--target", type=float, default=-0.8, help="angle to reach, in rad")
    parser.add_argument("--iterations", type=int, default=50)
    args = parser.parse_args(argv)

    @jx.jit
    def final_angle(angle):
        return swing(angle, args.seconds, args.steps)[-1, 0]

    start = jnp.array(1.0)
    states = swing(start, args.seconds, args.steps)
    energies = jx.vmap(energy)(states)
    drift = float(jnp.max(jnp.abs(energies - energies[0])))
    gradient = float(jx.grad(final_angle)(start))
    h = 1e-2
    difference = float((final_angle(start + h) - final_angle(start - h)) / (2 * h))

    @jx.jit
    def improve(angle):
        miss, slope = jx.value_and_grad(lambda a: (final_angle(a) - args.target) ** 2)(angle)
        return angle - 0.3 * slope, miss

    angle = start
    for _ in range(args.iterations):
        angle, _ = improve(angle)
    reached = float(final_angle(angle))

    print(f"angle after {args.seconds} s: {states[-1, 0]:.5f} rad; energy drift {drift:.1e} J/kg")
    print(f"d(final angle)/d(release angle) = {gradient:.4f}; by differences {difference:.4f}")
    print(f"released from {angle:.5f} rad it reaches {reached:.5f}; asked for {args.target}")
    return {
        "states": states,
        "drift": drift,
        "gradient": gradient,
        "difference": difference,
        "release": float(angle),
        "reached": reached,
        "target": args.target,
    }


if __name__ == "__main__":
    main()
