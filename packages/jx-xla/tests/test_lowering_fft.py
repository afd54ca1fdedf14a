"""Fourier transforms on GPUs, where one kind takes two steps: looked at as text, without one."""

import numpy as np
import pytest

from jx_core import jit, lax


def text(platform, kind, lengths, shape):
    traced = jit(lambda x: lax.fft(x, kind, lengths)).trace(np.zeros(shape, np.complex64))
    return traced.lower(lowering_platforms=(platform,)).as_text()


@pytest.mark.parametrize("platform", ["cuda", "rocm"])
def test_inverses_to_real_numbers_over_several_axes_take_two_steps(platform):
    lowered = text(platform, "irfft", (3, 4, 6), (2, 3, 4, 4))
    assert lowered.count("stablehlo.transpose") == 2
    assert "IFFT" in lowered and "length = [3, 4]" in lowered
    assert "IRFFT" in lowered and "length = [6]" in lowered
    assert "tensor<2x4x3x4xcomplex<f32>>" in lowered


@pytest.mark.parametrize(
    ("platform", "kind", "lengths", "shape"),
    [
        ("cpu", "irfft", (3, 4, 6), (2, 3, 4, 4)),
        ("tpu", "irfft", (3, 4, 6), (2, 3, 4, 4)),
        ("cuda", "irfft", (6,), (3, 4)),
        ("cuda", "ifft", (3, 4), (3, 4)),
    ],
)
def test_other_transforms_take_one(platform, kind, lengths, shape):
    lowered = text(platform, kind, lengths, shape)
    assert lowered.count("stablehlo.fft") == 1
    assert "stablehlo.transpose" not in lowered
