"""Matrix-vector products over a batch: a loop, and `vmap` of the single product.

`vmap` turns a function of one vector into one of a batch of vectors; XLA sees
one matrix-matrix product instead of many small ones.

    python examples/batched_matvec.py
"""

import argparse
import time

import jx
import jx.numpy as jnp


def seconds_per_call(f, *args, repeats):
    f(*args).block_until_ready()  # compile first
    start = time.perf_counter()
    for _ in range(repeats):
        result = f(*args)
    result.block_until_ready()
    return (time.perf_counter() - start) / repeats


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rows", type=int, default=150)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=100)
    args = parser.parse_args(argv)

    matrix_key, batch_key = jx.random.split(jx.random.key(0))
    matrix = jx.random.normal(matrix_key, (args.rows, args.columns))
    batch = jx.random.normal(batch_key, (args.batch, args.columns))

    def apply(vector):
        return jnp.dot(matrix, vector)

    def looped(vectors):
        return jnp.stack([apply(vector) for vector in vectors])

    mapped = jx.jit(jx.vmap(apply))
    difference = float(jnp.max(jnp.abs(mapped(batch) - looped(batch))))
    loop_seconds = seconds_per_call(looped, batch, repeats=max(1, args.repeats // 10))
    vmap_seconds = seconds_per_call(mapped, batch, repeats=args.repeats)

    print(f"{args.batch} products of a {args.rows} x {args.columns} matrix with a vector")
    print(f"loop:         {loop_seconds * 1e6:9.1f} us")
    print(f"jit of vmap:  {vmap_seconds * 1e6:9.1f} us ({loop_seconds / vmap_seconds:.0f}x faster)")
    print(f"largest difference between them: {difference:.1e}")
    return {
        "shape": mapped(batch).shape,
        "difference": difference,
        "loop_seconds": loop_seconds,
        "vmap_seconds": vmap_seconds,
    }


if __name__ == "__main__":
    main()
