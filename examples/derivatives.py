"""A Jacobian and a Hessian, each checked against finite differences.

The Jacobian is that of spherical coordinates, whose determinant is known to be
r^2 sin(theta); the Hessian is that of Rosenbrock's function in four variables.

    python examples/derivatives.py
"""

import argparse

import numpy as np

import jx
import jx.numpy as jnp


def spherical_to_cartesian(point):
    """(r, theta, phi) to (x, y, z); theta is measured from the z axis."""
    r, theta, phi = point
    return r * jnp.stack(
        [jnp.sin(theta) * jnp.cos(phi), jnp.sin(theta) * jnp.sin(phi), jnp.cos(theta)]
    )


def rosenbrock(x):
    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def central_differences(f, x, step):
    """The derivative of `f` by each component of the vector `x`, on the last axis."""
    rows = [(f(x + h) - f(x - h)) / (2 * step) for h in step * np.eye(len(x))]
    return np.stack([np.asarray(row) for row in rows], axis=-1)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", type=float, default=1e-5, help="of the finite differences")
    args = parser.parse_args(argv)

    with jx.enable_x64(True):  # differences of float32 values would be mostly rounding
        point = jnp.array([2.0, 0.6, 1.1])
        jacobian = jx.jacobian(spherical_to_cartesian)(point)
        determinant = float(np.linalg.det(np.asarray(jacobian)))
        expected = central_differences(spherical_to_cartesian, point, args.step)
        jacobian_error = float(np.abs(jacobian - expected).max())

        x = jnp.array([-1.2, 1.0, 0.8, 0.4])
        hessian = jx.jit(jx.hessian(rosenbrock))(x)
        expected = central_differences(jx.grad(rosenbrock), x, args.step)
        hessian_error = float(np.abs(hessian - expected).max())

    print(f"Jacobian of spherical coordinates:\n{jacobian}")
    print(f"  determinant {determinant:.6f}, r^2 sin(theta) = {4 * np.sin(0.6):.6f}")
    print(f"  largest difference from finite differences: {jacobian_error:.1e}")
    print(f"Hessian of Rosenbrock's function:\n{hessian}")
    print(f"  largest difference from finite differences: {hessian_error:.1e}")
    return {
        "jacobian": np.asarray(jacobian),
        "determinant": determinant,
        "jacobian_error": jacobian_error,
        "hessian": np.asarray(hessian),
        "hessian_error": hessian_error,
    }


if __name__ == "__main__":
    main()
