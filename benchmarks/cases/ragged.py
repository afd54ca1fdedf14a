"""Ragged products, compiled: 2,048 rows in groups of different sizes, and their gradients."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, per_call

ROWS, WIDTH = 2048, 256


def prepared(groups: int, gradients: bool) -> Callable[[ModuleType], Sample]:
    def prepare(lib: ModuleType) -> Sample:
        rng = np.random.default_rng(0)
        x, w = (
            lib.numpy.asarray(rng.standard_normal(shape).astype(np.float32))
            for shape in ((ROWS, WIDTH), (groups, WIDTH, WIDTH))
        )
        sizes = lib.numpy.asarray(
            rng.multinomial(ROWS, np.full(groups, 1 / groups)).astype(np.int32)
        )

        def product(x: Any, w: Any, sizes: Any) -> Any:
            return lib.lax.ragged_dot(x, w, sizes)

        def both(x: Any, w: Any, sizes: Any) -> Any:
            out, pull = lib.vjp(lambda x, w: product(x, w, sizes), x, w)
            return pull(out)

        program = lib.jit(both if gradients else product)
        return per_call(lambda: lib.block_until_ready(program(x, w, sizes)), at_least=0.1)

    return prepare


CASES = [
    Case(f"ragged_dot/{name} {groups} groups", 1.0, prepared(groups, gradients))
    for groups in (4, 32)
    for name, gradients in (("forward", False), ("gradients", True))
]
