"""Products of matrices whose entries share scales in blocks: microscaling formats.

A block of entries of few bits, next to each other along the axis that is summed over, has one
scale. See the OCP Microscaling Formats (MX) specification, version 1.0, for `mxfp8`, and NVIDIA,
"Pretraining Large Language Models with NVFP4", https://arxiv.org/abs/2509.25149, for `nvfp4`.

The products are computed in float32 from the numbers that these formats can hold, which gives
the same results wherever there are no instructions for them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import ml_dtypes
import numpy as np

from jx_ad import custom_vjp
from jx_core import dtypes, lax, operators
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert

from ..functions import array_function
from ..operands import Array, ArrayLike, a_dtype, as_operand, one_axis, typeof, user_stacklevel

__all__ = ["get_scaled_dot_general_config", "scaled_dot_general", "scaled_matmul"]

_FLOAT = np.dtype(np.float32)
_BITS = np.dtype(np.uint32)
_RESULTS = tuple(map(np.dtype, (np.float32, ml_dtypes.bfloat16, np.float16)))
_MANTISSA = np.uint32(0x7FFFFF)


@dataclass
class BlockScaleConfig:
    """How an operand of `scaled_dot_general` is quantized.

    Attributes:
        mode: `"mxfp8"` or `"nvfp4"`.
        block_size: how many entries share a scale.
        data_type: the dtype of entries.
        scale_type: the dtype of scales.
        global_scale: for `"nvfp4"`, a float32 array of one element by which the operand is
            divided first.
        infer_only: whether derivatives are not needed; of no effect.
    """

    mode: str
    block_size: int
    data_type: Any
    scale_type: Any
    global_scale: Any
    infer_only: bool


@dataclass(frozen=True)
class _Format:
    """What of a configuration is no array."""

    mode: str
    block: int
    data: Any
    scale: Any


# --- quantizing ---


def _largest(dtype: Any) -> float:
    return float(dtypes.finfo(dtype).max)


def _clipped(x: Array, largest: float) -> Array:
    return lax.clamp(np.float32(-largest), x, np.float32(largest))


def _as_held(x: Array, dtype: Any) -> Array:
    """The numbers rounded to those that `dtype` can hold, still as float32."""
    return convert(convert(x, np.dtype(dtype)), _FLOAT)


def _power_of_two(x: Array) -> Array:
    """The least power of two that is not below a positive float32, among normal numbers.

    Adding a full mantissa carries into the exponent unless the mantissa is zero.
    """
    bits = lax.add(lax.bitcast_convert_type(x, _BITS), lax.full_like(x, _MANTISSA, _BITS))
    exponent = lax.bitwise_and(bits, lax.full_like(bits, ~_MANTISSA))
    exponent = lax.clamp(np.uint32(1 << 23), exponent, np.uint32(0xFE << 23))
    return lax.bitcast_convert_type(exponent, _FLOAT)


def _quantized(x: Array, form: _Format, global_scale: Array) -> Array:
    """The numbers of shape (B, M, K) that quantized ones stand for, but for the global scale."""
    shape = typeof(x).shape
    missing = -shape[2] % form.block
    x = convert(x, _FLOAT)
    if form.mode == "nvfp4":
        x = operators.divide(x, global_scale)
    x = lax.pad(x, np.float32(0), [(0, 0, 0), (0, 0, 0), (0, missing, 0)])
    blocks = (*shape[:2], (shape[2] + missing) // form.block, form.block)
    x = lax.reshape(x, blocks)
    largest = _largest(form.data)
    wanted = operators.divide(lax.reduce_max(lax.abs(x), (3,)), largest)
    if form.mode == "mxfp8":
        scale = _power_of_two(wanted)
    else:
        scale = _as_held(_clipped(wanted, _largest(form.scale)), form.scale)
    scale = lax.stop_gradient(lax.broadcast_in_dim(scale, blocks, (0, 1, 2)))
    none = lax.eq(scale, lax.full_like(scale, 0))
    safe = lax.select(none, lax.full_like(scale, 1), scale)
    held = _as_held(_clipped(lax.div(x, safe), largest), form.data)
    return lax.reshape(lax.mul(held, scale), (*shape[:2], shape[2] + missing))


def _multiplied(lhs: Array, rhs: Array) -> Array:
    """(B, M, K) and (B, N, K) to (B, M, N)."""
    return lax.dot_general(
        lhs, rhs, (((2,), (2,)), ((0,), (0,))), precision=lax.Precision.HIGHEST,
        preferred_element_type=_FLOAT,
    )  # fmt: skip


# --- products of what is quantized on the way, with derivatives ---


def _product(
    formats: tuple[_Format, ...], lhs: Array, rhs: Array, lhs_scale: Array, rhs_scale: Array
) -> Array:
    result = _multiplied(
        _quantized(lhs, formats[0], lhs_scale), _quantized(rhs, formats[1], rhs_scale)
    )
    if formats[0].mode == "nvfp4":
        result = operators.multiply(result, operators.multiply(lhs_scale, rhs_scale))
    return result


_differentiable_product = partial(custom_vjp, nondiff_argnums=(0,))(_product)


def _forward(formats: Any, *operands: Array) -> tuple[Array, tuple[Array, ...]]:
    return _product(formats, *operands), operands


def _backward(formats: tuple[_Format, ...], residuals: Any, ct: Array) -> tuple[Array, ...]:
    """Cotangents of the operands, by the straight-through estimate: rounding counts as the
    identity. Of `mxfp8` they are products of what is quantized themselves; of `nvfp4` they are
    exact, and zero where an entry was too large for the format."""
    lhs, rhs, lhs_scale, rhs_scale = residuals

    def swapped(x: Array) -> Array:
        return lax.transpose(x, (0, 2, 1))

    pairs = [(ct, swapped(rhs), formats[1]), (swapped(ct), swapped(lhs), formats[0])]
    results = []
    for (g, other, form), operand, own, scale in zip(
        pairs, (lhs, rhs), formats, (lhs_scale, rhs_scale), strict=False
    ):
        if formats[2].mode == "nvfp4":
            result = _multiplied(convert(g, _FLOAT), convert(other, _FLOAT))
            limit = operators.multiply(scale, _largest(own.data) * _largest(own.scale))
            size = convert(lax.abs(operand), _FLOAT)
            result = lax.select(operators.less_equal(size, limit), result, lax.full_like(result, 0))
        else:
            one = lax.full_like(scale, 1)
            result = _multiplied(_quantized(g, formats[2], one), _quantized(other, form, one))
        results.append(convert(result, typeof(operand).dtype))
    return (*results, lax.full_like(lhs_scale, 0), lax.full_like(rhs_scale, 0))


_differentiable_product.defvjp(_forward, _backward)


# --- the public functions ---


@array_function("preferred_element_type")
def scaled_matmul(
    lhs: ArrayLike,
    rhs: ArrayLike,
    lhs_scales: ArrayLike,
    rhs_scales: ArrayLike,
    preferred_element_type: Any = np.float32,
) -> Array:
    """The product of matrices whose entries have scales in blocks.

    For each b, m and n, the sum over k of the products of ``lhs[b, m, k]`` and ``rhs[b, n, k]``,
    each times its scale. It is computed in float32.

    Args:
        lhs: an array of shape (B, M, K).
        rhs: an array of shape (B, N, K).
        lhs_scales: scales of shape (B, M, S), where S divides K: each is that of K / S entries
            next to each other.
        rhs_scales: scales of shape (B, N, S).
        preferred_element_type: the dtype of the result.

    Returns:
        An array of shape (B, M, N).

    Raises:
        ShapeError: the shapes don't fit together.

    >>> x, y = jnp.array([[[1.0, 2.0, 3.0]]]), jnp.array([[[4.0, 5.0, 6.0]]])
    >>> jx.nn.scaled_matmul(x, y, jnp.full((1, 1, 1), 0.5), jnp.full((1, 1, 1), 0.5))
    Array([[[8.]]], dtype=float32)
    """
    name = "jx.nn.scaled_matmul"
    operands = [as_operand(name, x, i) for i, x in enumerate((lhs, rhs, lhs_scales, rhs_scales))]
    shapes = [typeof(x).shape for x in operands]
    a, b, s, t = shapes
    if any(len(shape) != 3 for shape in shapes):
        raise ShapeError(f"{name}: all operands must have three axes, got shapes {shapes}")
    if (a[0], a[2]) != (b[0], b[2]):
        raise ShapeError(
            f"{name}: lhs and rhs must have the same batch and contracting sizes, as in (B, M, K) "
            f"and (B, N, K), got shapes {a} and {b}"
        )
    if s[:2] != a[:2] or t[:2] != b[:2] or s[2] != t[2] or not s[2] or a[2] % s[2]:
        raise ShapeError(
            f"{name}: scales must have shapes (B, M, S) and (B, N, S), where S divides K, got {s} "
            f"and {t} for operands of shapes {a} and {b}"
        )
    dtype = a_dtype(name, preferred_element_type)

    def scaled(x: Array, scales: Array) -> Array:
        shape = typeof(x).shape
        blocks = (*typeof(scales).shape, shape[2] // s[2])
        factors = lax.broadcast_in_dim(convert(scales, _FLOAT), blocks, (0, 1, 2))
        product = lax.mul(lax.reshape(convert(x, _FLOAT), blocks), factors)
        return lax.reshape(product, shape)

    result = _multiplied(scaled(operands[0], operands[2]), scaled(operands[1], operands[3]))
    return convert(result, dtype)


def get_scaled_dot_general_config(mode: str, global_scale: Any = None) -> BlockScaleConfig:
    """How `scaled_dot_general` is to quantize an operand, in one of the known formats.

    Args:
        mode: `"mxfp8"` for blocks of 32 entries in float8_e4m3fn, with powers of two for scales,
            or `"nvfp4"` for blocks of 16 entries in float4_e2m1fn, with scales in float8_e4m3fn.
        global_scale: for `"nvfp4"`, a float32 array of one element: a scale of the whole
            operand; 1 if None.

    Raises:
        ValueError: an unknown mode.

    >>> jx.nn.get_scaled_dot_general_config("mxfp8").block_size
    32
    """
    if mode == "nvfp4":
        one = np.ones(1, np.float32)
        return BlockScaleConfig(
            mode, 16, ml_dtypes.float4_e2m1fn, ml_dtypes.float8_e4m3fn,
            one if global_scale is None else global_scale, False,
        )  # fmt: skip
    if mode == "mxfp8":
        return BlockScaleConfig(
            mode, 32, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e8m0fnu, None, False
        )
    raise ValueError(
        f"jx.nn.get_scaled_dot_general_config: mode must be 'mxfp8' or 'nvfp4', got {mode!r}"
    )


def scaled_dot_general(
    lhs: ArrayLike,
    rhs: ArrayLike,
    dimension_numbers: Any,
    preferred_element_type: Any = np.float32,
    configs: Sequence[BlockScaleConfig] | None = None,
    implementation: Any = None,
) -> Array:
    """`lax.dot_general` of operands that are quantized in blocks first.

    Derivatives take rounding for the identity. With `mxfp8` cotangents and operands are
    quantized for them too, along the axes that are then summed over; with `nvfp4` they are exact.
    Forward mode is an error.

    Args:
        lhs, rhs: arrays of floats.
        dimension_numbers: ``((lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch))``, as for
            `lax.dot_general`.
        preferred_element_type: the dtype of the result: float32, bfloat16 or float16.
        configs: three of `get_scaled_dot_general_config`: for `lhs`, for `rhs` and for cotangents.
            None computes `lax.dot_general`. Where a length is no multiple of the size of blocks,
            the last is filled up with zeros.
        implementation: deprecated in JAX, and of no effect.

    Returns:
        An array whose axes are the batch axes, then lhs's others, then rhs's others.

    Raises:
        ShapeError: axes out of range, or of different sizes.
        TypeError: another dtype is wanted for the result.
        ValueError: there are not three configurations, of the same mode.

    >>> configs = [jx.nn.get_scaled_dot_general_config("mxfp8")] * 3
    >>> x, y = jnp.ones((2, 32)), jnp.full((32, 3), 0.5)
    >>> jx.nn.scaled_dot_general(x, y, (((1,), (0,)), ((), ())), configs=configs)
    Array([[16., 16., 16.],
           [16., 16., 16.]], dtype=float32)
    """
    name = "jx.nn.scaled_dot_general"
    if implementation is not None:
        warnings.warn(
            f"{name}: implementation is deprecated and has no effect",
            DeprecationWarning,
            stacklevel=user_stacklevel(),
        )
    if configs is None:
        return lax.dot_general(
            lhs, rhs, dimension_numbers, preferred_element_type=preferred_element_type
        )
    if preferred_element_type is None or np.dtype(preferred_element_type) not in _RESULTS:
        raise TypeError(
            f"{name}: preferred_element_type must be float32, bfloat16 or float16, got "
            f"{preferred_element_type!r}"
        )
    modes = [c.mode for c in configs]
    if len(modes) != 3 or len(set(modes)) != 1 or modes[0] not in ("mxfp8", "nvfp4"):
        raise ValueError(
            f"{name}: configs must be three of get_scaled_dot_general_config, of the same mode; "
            f"got modes {modes}"
        )
    formats = tuple(_Format(c.mode, c.block_size, c.data_type, c.scale_type) for c in configs)
    scales = [np.ones(1, np.float32) if c.global_scale is None else c.global_scale for c in configs]
    numbers = tuple(tuple(tuple(axes) for axes in pair) for pair in dimension_numbers)
    return _scaled_dot_general(  # type: ignore[no-any-return]
        lhs, rhs, scales[0], scales[1], numbers, np.dtype(preferred_element_type), formats
    )


def _in_three_axes(
    name: str, x: Array, contracting: Any, batch: Any
) -> tuple[Array, tuple[int, ...], tuple[int, ...]]:
    """The operand as (batch, others, contracting), the shape of the others, and that of batch."""
    aval = typeof(x)
    contracting = [one_axis(name, d, aval.ndim, "dimension_numbers") for d in contracting]
    batch = [one_axis(name, d, aval.ndim, "dimension_numbers") for d in batch]
    others = [d for d in range(aval.ndim) if d not in (*contracting, *batch)]
    groups = [tuple(aval.shape[d] for d in axes) for axes in (batch, others, contracting)]
    moved = lax.transpose(x, (*batch, *others, *contracting))
    return lax.reshape(moved, tuple(map(math.prod, groups))), groups[1], groups[0]


@array_function("numbers", "dtype", "formats")
def _scaled_dot_general(
    lhs: Any, rhs: Any, lhs_scale: Any, rhs_scale: Any, numbers: Any, dtype: Any, formats: Any
) -> Array:
    name = "jx.nn.scaled_dot_general"
    (lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch) = numbers
    lhs, rhs = as_operand(name, lhs, 0), as_operand(name, rhs, 1)
    sizes = [
        [typeof(x).shape[d] for d in axes]
        for axes, x in (
            (lhs_contracting, lhs), (rhs_contracting, rhs), (lhs_batch, lhs), (rhs_batch, rhs)
        )
    ]  # fmt: skip
    if sizes[0] != sizes[1] or sizes[2] != sizes[3]:
        raise ShapeError(
            f"{name}: axes of lhs and rhs that go together must be of the same sizes, got shapes "
            f"{typeof(lhs).shape} and {typeof(rhs).shape} with dimension_numbers={numbers}"
        )
    a, rows, batch = _in_three_axes(name, lhs, lhs_contracting, lhs_batch)
    b, columns, _ = _in_three_axes(name, rhs, rhs_contracting, rhs_batch)
    scales = (lax.reshape(convert(s, _FLOAT), (1, 1, 1)) for s in (lhs_scale, rhs_scale))
    result = _differentiable_product(formats, a, b, *scales)
    return convert(lax.reshape(result, (*batch, *rows, *columns)), dtype)
