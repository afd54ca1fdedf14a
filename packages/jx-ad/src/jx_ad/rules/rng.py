"""Differentiation of random bits: there is none, and it says so."""

from __future__ import annotations

from jx_core.lax import (
    random_bits_p,
    random_clone_p,
    random_fold_in_p,
    random_seed_p,
    random_split_p,
    random_unwrap_p,
    random_wrap_p,
    rng_bit_generator_p,
    rng_uniform_p,
    threefry2x32_p,
)

from ..tables import defnondiff, jvp_rules

defnondiff("keys and random bits", random_bits_p, random_clone_p, random_fold_in_p, random_seed_p)
defnondiff("keys and random bits", random_split_p, random_unwrap_p, random_wrap_p, threefry2x32_p)
defnondiff("random bits", rng_bit_generator_p)
jvp_rules.explain(
    "not differentiable: computed twice it gives two results; jx.random.uniform takes a key",
    rng_uniform_p,
)
