"""Weakly typed operands are lowered as what they are, whatever numbers a lowering brings along.

Weak types come of Python numbers: `1j * x` of integers is weakly complex64. They say how dtypes
are found while a program is traced; when it is lowered, all dtypes are known.
"""

from __future__ import annotations

from typing import Any

import pytest

import jx_xla  # noqa: F401  the back end under test
from jx_core import ClosedJaxpr, jit, lax
from jx_core.config import enable_x64
from opdb import Sample, all_samples, samples_of

# The dtypes that Python numbers have, in either mode.
_PYTHON = {False: ("int32", "float32", "complex64"), True: ("int64", "float64", "complex128")}


def weakened(x: Any, dtypes: tuple[str, ...]) -> Any:
    if x.dtype.name not in dtypes:
        return x
    return lax.convert_element_type_p.bind(x, new_dtype=x.dtype, weak_type=True)


def is_program(value: Any) -> bool:
    values = value if isinstance(value, tuple) else (value,)
    return any(isinstance(v, ClosedJaxpr) for v in values)


def chosen(name: str, dtypes: tuple[str, ...]) -> list[Sample]:
    """A sample for each combination of dtypes, of the mode's own and of one byte."""
    found: dict[Any, Sample] = {}
    for sample in samples_of(name):
        names = tuple(x.dtype.name for x in sample.operands)
        if set(names) <= {*dtypes, "bool", "int8", "uint8"}:
            found[names] = sample
    return list(found.values())


# Samples that hold programs hold ones that were traced with 64 bits.
_CASES = [
    (name, x64)
    for name, samples in all_samples().items()
    for x64 in (False, True)
    if x64 or not any(is_program(v) for s in samples for v in s.params.values())
]


@pytest.mark.parametrize(("name", "x64"), _CASES)
def test_programs_of_weakly_typed_operands_are_lowered(name: str, x64: bool) -> None:
    dtypes = _PYTHON[x64]
    samples = chosen(name, dtypes)

    def program(groups: Any) -> list[Any]:
        return [
            s(*[weakened(x, dtypes) for x in xs]) for s, xs in zip(samples, groups, strict=True)
        ]

    with enable_x64(x64):
        assert "@main" in jit(program).lower([s.operands for s in samples]).as_text()
