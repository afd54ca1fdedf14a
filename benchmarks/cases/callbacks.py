"""Calls from programs to Python: what each costs, from a program, eagerly and for many rows."""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, per_call


def same(x: Any) -> np.ndarray:
    return np.asarray(x)


def prepared(kind: str) -> Callable[[ModuleType], Sample]:
    def prepare(lib: ModuleType) -> Sample:
        row = lib.ShapeDtypeStruct((8,), np.float32)
        x, rows = lib.numpy.ones(8), lib.numpy.ones((100, 8))
        io_callback = import_module(f"{lib.__name__}.experimental").io_callback

        def pure(x: Any) -> Any:
            return lib.pure_callback(same, row, x, vmap_method="sequential")

        def ordered(x: Any) -> Any:
            return io_callback(same, row, x, ordered=True)

        def debug(x: Any) -> Any:
            lib.debug.callback(lambda x: None, x)
            return x

        functions = {"pure": pure, "ordered": ordered, "debug": debug, "rows": lib.vmap(pure)}
        if kind == "eager":
            call, argument = debug, x
        else:
            call, argument = lib.jit(functions[kind]), rows if kind == "rows" else x

        def waited() -> Any:
            result = call(argument)
            lib.effects_barrier()
            return lib.block_until_ready(result)

        return per_call(waited)

    return prepare


CASES = [
    Case("callbacks/pure_callback", 0.6, prepared("pure")),
    Case("callbacks/ordered io_callback", 0.6, prepared("ordered")),
    Case("callbacks/debug.callback", 0.6, prepared("debug")),
    Case("callbacks/debug.callback, eager", 0.6, prepared("eager")),
    Case("callbacks/pure_callback of 100 rows", 0.6, prepared("rows")),
]
