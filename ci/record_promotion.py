"""Record JAX's dtype rules, which are the specification of `jx.dtypes`.

Run with the benchmarks' peer environment (JAX 0.10.2); it rewrites the file that
the tests of jx-core read, and needs to be run again only when dtypes are added:

    .venv-peer/bin/python ci/record_promotion.py

The file is a JSON object:

    jax           the version that was recorded
    operands      names of what is combined: a dtype ("int8"); a Python scalar
                  ("python int"); or an array of a weak type ("weak int16")
    canonical     by "x32" and "x64": the canonical name of each dtype operand
    issubdtype    by dtype: the abstract NumPy types that it is a kind of
    result_type   by setting ("standard x32", "strict x64", ...): a row for each
                  operand, in which the cells, separated by blanks, are its
                  result with each operand: a dtype's name, with * behind it if
                  the result is weak, or - where the two do not combine
    add           by setting: rows likewise, for the Python scalars and weak arrays
                  only, of the dtype of `jax.numpy.add`, which unlike `result_type`
                  keeps the width of operands that are all weak
    triples       by setting: rows "index index index cell" for three operands
    promote_types by mode: rows as in result_type, over the dtypes and then int,
                  float and complex
"""

import itertools
import json
import pathlib
import random
import warnings

import jax
import jax.numpy as jnp
import numpy as np
from jax import dtypes

TABLE = (
    pathlib.Path(__file__).parents[1] / "packages" / "jx-core" / "tests" / "data" / "promotion.json"
)
# fmt: off
DTYPES = [
    "bool",
    "int1", "int2", "int4", "int8", "int16", "int32", "int64",
    "uint1", "uint2", "uint4", "uint8", "uint16", "uint32", "uint64",
    "float4_e2m1fn", "float6_e2m3fn", "float6_e3m2fn",
    "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz",
    "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu",
    "bfloat16", "float16", "float32", "float64", "complex64", "complex128",
]
ABSTRACT = [
    "generic", "number", "integer", "signedinteger", "unsignedinteger", "inexact", "floating",
    "complexfloating", "bool_",
]
# fmt: on
SCALARS = {"python int": 1, "python float": 1.0, "python complex": 1j}
WEAK = ["int8", "int16", "int32", "uint8", "float16", "bfloat16", "float32", "complex64"]


class WeakArray:
    """Stands for an array of a weak type, which JAX lets no public function make."""

    def __init__(self, name: str) -> None:
        self.dtype = np.dtype(name)
        self.aval = jax.core.ShapedArray((), self.dtype, weak_type=True)


def cell(operands: list) -> str:
    try:
        dtype, weak = dtypes.result_type(*operands, return_weak_type_flag=True)
    except dtypes.TypePromotionError:
        return "-"
    return dtype.name + "*" * weak


def added(a, b) -> str:
    def f(arrays):
        return jnp.add(*[arrays.get(i, x) for i, x in enumerate((a, b))])

    arrays = {
        i: struct(x) for i, x in enumerate((a, b)) if not isinstance(x, int | float | complex)
    }
    try:
        out = jax.eval_shape(f, arrays)
    except dtypes.TypePromotionError:
        return "-"
    return out.dtype.name + "*" * out.weak_type


def struct(x) -> jax.ShapeDtypeStruct:
    weak = isinstance(x, WeakArray)
    return jax.ShapeDtypeStruct((), x.dtype if weak else x, weak_type=weak)


def promoted(a, b) -> str:
    try:
        return jnp.promote_types(a, b).name
    except dtypes.TypePromotionError:
        return "-"


def main() -> None:
    operands = {name: np.dtype(name) for name in DTYPES} | SCALARS
    operands |= {f"weak {name}": WeakArray(name) for name in WEAK}
    values = list(operands.values())
    types = [*map(np.dtype, DTYPES), int, float, complex]
    draw = random.Random(0)
    triples = [[draw.randrange(len(values)) for _ in range(3)] for _ in range(500)]
    table = {
        "jax": jax.__version__,
        "operands": list(operands),
        "canonical": {},
        "issubdtype": {
            name: [a for a in ABSTRACT if dtypes.issubdtype(name, getattr(np, a))]
            for name in DTYPES
        },
        "result_type": {},
        "add": {},
        "triples": {},
        "promote_types": {},
    }
    for x64, mode in itertools.product([False, True], ["standard", "strict"]):
        bits = "x64" if x64 else "x32"
        with jax.enable_x64(x64), jax.numpy_dtype_promotion(mode):
            table["canonical"][bits] = {n: dtypes.canonicalize_dtype(n).name for n in DTYPES}
            table["result_type"][f"{mode} {bits}"] = [
                " ".join(cell([a, b]) for b in values) for a in values
            ]
            table["add"][f"{mode} {bits}"] = [
                " ".join(added(a, b) for b in values) for a in values[len(DTYPES) :]
            ]
            table["triples"][f"{mode} {bits}"] = [
                " ".join([*map(str, t), cell([values[i] for i in t])]) for t in triples
            ]
            table["promote_types"][mode] = [" ".join(promoted(a, b) for b in types) for a in types]
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    # JAX warns that 64-bit dtypes are narrowed, which is what is recorded.
    warnings.simplefilter("ignore")
    main()
