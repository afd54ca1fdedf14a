"""SELU run eagerly, one operation at a time, against the same function under `jit`.

`jit` fuses the operations into one pass over the array. The activation is from
Klambauer et al., "Self-Normalizing Neural Networks" (2017).

    python examples/selu.py
"""

import argparse
import time

import jx
import jx.numpy as jnp


def selu(x, alpha=1.6732632, scale=1.0507010):
    return scale * jnp.where(x > 0, x, alpha * jnp.exp(x) - alpha)


def seconds_per_call(f, x, repeats):
    f(x).block_until_ready()  # compile first
    start = time.perf_counter()
    for _ in range(repeats):
        f(x).block_until_ready()
    return (time.perf_counter() - start) / repeats


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=50)
    args = parser.parse_args(argv)

    x = jx.random.normal(jx.random.key(0), (args.size,))
    jitted = jx.jit(selu)
    difference = float(jnp.max(jnp.abs(selu(x) - jitted(x))))
    eager_seconds = seconds_per_call(selu, x, args.repeats)
    jit_seconds = seconds_per_call(jitted, x, args.repeats)

    print(f"SELU of {args.size:,} numbers")
    print(f"eager:  {eager_seconds * 1e3:8.3f} ms")
    print(f"jit:    {jit_seconds * 1e3:8.3f} ms ({eager_seconds / jit_seconds:.1f}x faster)")
    print(f"largest difference between them: {difference:.1e}")
    return {
        "difference": difference,
        "eager_seconds": eager_seconds,
        "jit_seconds": jit_seconds,
        "moments": (float(jnp.mean(jitted(x))), float(jnp.var(jitted(x)))),
    }


if __name__ == "__main__":
    main()
