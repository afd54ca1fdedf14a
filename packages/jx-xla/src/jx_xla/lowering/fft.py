"""Lowering of Fourier transforms."""

from __future__ import annotations

from jx_core import ShapedArray, lax
from jx_core.lax import FftType

from .builder import Block, Value, i64_array
from .tables import Context, deflower
from .types import type_of

Shape = tuple[int, ...]


def _transform(
    block: Block, x: Value, aval: ShapedArray, out: ShapedArray, kind: FftType, lengths: Shape
) -> Value:
    attributes = f"fft_type = #stablehlo<fft_type {kind.name}>, fft_length = {i64_array(lengths)}"
    return block.op("stablehlo.fft", (x,), (type_of(aval),), type_of(out), attributes)


@deflower(lax.fft_p)
def _fft(ctx: Context, x: Value, *, fft_type: FftType, fft_lengths: Shape) -> Value:
    return _transform(ctx.block, x, ctx.in_avals[0], ctx.out, fft_type, fft_lengths)


@deflower(lax.fft_p, platform="cuda")
@deflower(lax.fft_p, platform="rocm")
def _fft_on_gpu(ctx: Context, x: Value, *, fft_type: FftType, fft_lengths: Shape) -> Value:
    """IRFFT over several axes in two steps, the last axis by itself.

    cuFFT's transform to real numbers takes its operand to be symmetric on all axes together,
    and uses only what that leaves independent; the operation is defined for any operand.
    """
    if fft_type != FftType.IRFFT or len(fft_lengths) == 1:
        return _fft(ctx, x, fft_type=fft_type, fft_lengths=fft_lengths)
    aval, ndim = ctx.in_avals[0], ctx.in_avals[0].ndim
    first = ndim - len(fft_lengths)
    order = (*range(first), ndim - 1, *range(first, ndim - 1))
    back = (*range(first), *range(first + 1, ndim), first)
    turned = aval.update(shape=[aval.shape[d] for d in order])
    x = _transpose(ctx.block, x, aval, turned, order)
    x = _transform(ctx.block, x, turned, turned, FftType.IFFT, fft_lengths[:-1])
    x = _transpose(ctx.block, x, turned, aval, back)
    return _transform(ctx.block, x, aval, ctx.out, fft_type, fft_lengths[-1:])


def _transpose(block: Block, x: Value, aval: ShapedArray, out: ShapedArray, order: Shape) -> Value:
    attributes = f"permutation = {i64_array(order)}"
    return block.op("stablehlo.transpose", (x,), (type_of(aval),), type_of(out), attributes)
