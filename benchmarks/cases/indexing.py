"""Compiled reads and writes at many computed places, and the gradient of a read."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, per_call

ROWS, WIDTH, SCALARS = 100_000, 64, 1_000_000


def _rows(lib: ModuleType) -> tuple[Any, Any]:
    """A table of rows, and as many places in it."""
    generator = np.random.default_rng(0)
    table = generator.normal(size=(ROWS, WIDTH)).astype(np.float32)
    places = generator.integers(0, ROWS, ROWS).astype(np.int32)
    return lib.numpy.asarray(table), lib.numpy.asarray(places)


def _scalars(lib: ModuleType) -> tuple[Any, Any, Any]:
    generator = np.random.default_rng(1)
    values = generator.normal(size=(2, SCALARS)).astype(np.float32)
    places = generator.integers(0, SCALARS, SCALARS).astype(np.int32)
    return (*map(lib.numpy.asarray, values), lib.numpy.asarray(places))


def _compiled(
    function: Callable[[ModuleType], Callable[..., Any]], inputs: Callable[[ModuleType], Any]
) -> Callable[[ModuleType], Sample]:
    def prepare(lib: ModuleType) -> Sample:
        call, arguments = lib.jit(function(lib)), inputs(lib)
        return per_call(lambda: call(*arguments))

    return prepare


def _rows_and_updates(lib: ModuleType) -> tuple[Any, Any, Any]:
    table, places = _rows(lib)
    return table, places, table[::-1]


def _axis_inputs(lib: ModuleType) -> tuple[Any, Any]:
    table, _ = _rows(lib)
    columns = np.random.default_rng(2).integers(0, WIDTH, (ROWS, 8)).astype(np.int32)
    return table, lib.numpy.asarray(columns)


def _gradient(lib: ModuleType) -> Callable[..., Any]:
    return lib.grad(lambda x, i: lib.numpy.sum(lib.numpy.square(x[i])))


CASES = [
    Case("compiled x[i], 10^5 rows of 64", 1.0, _compiled(lambda lib: lambda x, i: x[i], _rows)),
    Case(
        "compiled x.at[i].add(y), 10^5 rows of 64", 1.0,
        _compiled(lambda lib: lambda x, i, y: x.at[i].add(y), _rows_and_updates),
    ),
    Case(
        "compiled x.at[i].add(y), 10^6 scalars", 1.0,
        _compiled(lambda lib: lambda x, y, i: x.at[i].add(y), _scalars),
    ),
    Case(
        "compiled take_along_axis, 10^5 x 8 of 10^5 x 64", 1.0,
        _compiled(lambda lib: lambda x, i: lib.numpy.take_along_axis(x, i, 1), _axis_inputs),
    ),
    Case("compiled gradient of x[i], 10^5 rows of 64", 1.0, _compiled(_gradient, _rows)),
]  # fmt: skip
