"""Calls of native matrix functions (LAPACK, cuSOLVER and kin) from a program, and their failures.

What the decompositions share. Which function serves which decomposition is in the files beside
this one; making the functions known to XLA is in `jx_xla.runtime.custom_calls`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jx_core import ShapedArray
from jx_core.dtypes import issubdtype

from ...runtime import custom_calls
from ..builder import Block, Value, i64_array
from ..elementwise import compare
from ..types import tensor, type_of


class Buffer(NamedTuple):
    """The type of an array that a native function reads or writes, and how it lies in memory."""

    aval: ShapedArray
    minor_to_major: tuple[int, ...]


def matrices(aval: ShapedArray) -> Buffer:
    """A batch of matrices, each in column-major order as Fortran has it."""
    n = aval.ndim
    return Buffer(aval, (n - 2, n - 1, *range(n - 3, -1, -1)))


def plain(aval: ShapedArray) -> Buffer:
    """An array in row-major order: vectors, numbers, status codes."""
    return Buffer(aval, tuple(range(aval.ndim - 1, -1, -1)))


def transposed(block: Block, x: Value, aval: ShapedArray) -> tuple[Value, ShapedArray]:
    """Matrices transposed, and their type.

    As what lies in row-major order is the transpose in column-major order, nothing is moved for
    a routine that can be asked about the transposes as well.
    """
    n = aval.ndim
    turned = aval.update(shape=(*aval.shape[:-2], aval.shape[-1], aval.shape[-2]))
    order = f"permutation = {i64_array((*range(n - 2), n - 1, n - 2))}"
    kinds = (type_of(aval),), type_of(turned)
    return block.op("stablehlo.transpose", (x,), *kinds, order), turned


def status_codes(batch: tuple[int, ...]) -> Buffer:
    """One int32 for each matrix of a batch, which LAPACK calls `info`: 0 where all went well."""
    return plain(ShapedArray(batch, np.dtype(np.int32)))


def lapack(dtype: Any, routine: str) -> str:
    """The name of a LAPACK routine for a dtype, `getrf` giving `lapack_sgetrf_ffi`, made known."""
    custom_calls.register_cpu_lapack()
    return f"lapack_{custom_calls.lapack_prefix(dtype)}{routine}_ffi"


def gpu_solver(platform: str, routine: str) -> str:
    """The name of a GPU solver's routine, `getrf_ffi` giving `cusolver_getrf_ffi`, made known."""
    custom_calls.register_gpu_targets()
    return f"{'cu' if platform == 'cuda' else 'hip'}solver_{routine}"


def gpu_kernel(platform: str, name: str) -> str:
    """The name of another GPU function, `sparse_gtsv2_ffi` giving `cusparse_gtsv2_ffi`."""
    custom_calls.register_gpu_targets()
    return f"{'cu' if platform == 'cuda' else 'hip'}{name}"


def gpu_hybrid(platform: str, routine: str) -> str:
    """The name of a routine that computes partly on the host, `geqp3` giving `cuhybrid_geqp3`."""
    custom_calls.initialize_gpu_hybrids()
    return gpu_kernel(platform, f"hybrid_{routine}")


def xla_call(
    block: Block,
    target: str,
    operands: Sequence[Value],
    operand_avals: Sequence[ShapedArray],
    results: Sequence[ShapedArray],
) -> list[Value]:
    """Write a call of a function that XLA's compilers for accelerators know themselves."""
    return block.ops(
        "stablehlo.custom_call", operands, [type_of(a) for a in operand_avals],
        [type_of(a) for a in results],
        f'call_target_name = "{target}", api_version = 1 : i32, backend_config = ""',
    )  # fmt: skip


def native_call(
    block: Block,
    target: str,
    operands: Sequence[Value],
    operand_buffers: Sequence[Buffer],
    results: Sequence[Buffer],
    attributes: Mapping[str, Any] | None = None,
    aliases: Mapping[int, int] | None = None,
) -> list[Value]:
    """Write a call through XLA's foreign function interface.

    Args:
        block: where to write it.
        target: the function's registered name.
        operands: SSA names.
        operand_buffers, results: types and layouts of operands and results.
        attributes: what else the function is told: bools, ints (64 bits; NumPy integers keep
            their own width), words, and single letters, which LAPACK's options are (8 bits).
        aliases: which operand's memory may serve as which result's.
    """
    config = ", ".join(f"{k} = {_attribute(v)}" for k, v in (attributes or {}).items())
    shared = ", ".join(
        f"#stablehlo.output_operand_alias<output_tuple_indices = "
        f"[{result if len(results) > 1 else ''}], operand_index = {operand}, "
        f"operand_tuple_indices = []>"
        for operand, result in (aliases or {}).items()
    )
    return block.ops(
        "stablehlo.custom_call",
        operands,
        [type_of(b.aval) for b in operand_buffers],
        [type_of(b.aval) for b in results],
        f'call_target_name = "{target}", api_version = 4 : i32, backend_config = {{{config}}}, '
        f"operand_layouts = [{', '.join(map(_layout, operand_buffers))}], "
        f"result_layouts = [{', '.join(map(_layout, results))}], "
        f"output_operand_aliases = [{shared}]",
    )


def _layout(buffer: Buffer) -> str:
    order = ", ".join(map(str, buffer.minor_to_major))
    n = len(buffer.minor_to_major)
    return f"dense<[{order}]> : tensor<{n}xindex>" if n else "dense<> : tensor<0xindex>"


def _attribute(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"{ord(value)} : ui8" if len(value) == 1 else f'"{value}"'
    if isinstance(value, np.integer):
        return f"{int(value)} : {tensor((), value.dtype)[len('tensor<') : -1]}"
    return f"{value} : i64"


def where_ok(block: Block, status: Value, batch: tuple[int, ...], x: Value, aval: ShapedArray,
             *, failed_above: bool = False) -> Value:
    """`x` where its matrix's status code says that all went well, and NaN where not.

    Args:
        block: where to write it.
        status: status codes of shape `batch`, the leading axes of `x`.
        batch: that shape.
        x: the results; integers are left as they are.
        aval: the type of `x`.
        failed_above: a positive code is no failure (LU of a singular matrix is a result).
    """
    if not issubdtype(aval.dtype, np.inexact):
        return x
    codes = ShapedArray(batch, np.dtype(np.int32))
    zero = block.constant(0, codes.dtype, batch)
    good = compare(block, status, zero, codes, "GE" if failed_above else "EQ")
    bits = ShapedArray(batch, np.dtype(np.bool_))
    good = block.op(
        "stablehlo.broadcast_in_dim", (good,), (type_of(bits),), tensor(aval.shape, bits.dtype),
        f"broadcast_dimensions = {i64_array(range(len(batch)))}",
    )  # fmt: skip
    nan = block.constant(np.nan, aval.dtype, aval.shape)
    kind = type_of(aval)
    kinds = (tensor(aval.shape, bits.dtype), kind, kind)
    return block.op("stablehlo.select", (good, x, nan), kinds, kind)
