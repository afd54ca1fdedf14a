"""Calls of the products of `jx.nn` whose operands have scales in blocks."""

import ml_dtypes
import numpy as np

from jx_numpy import nn

from .call import of

E4M3, E5M2, E8M0 = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.float8_e8m0fnu


def draw(*shape):
    return np.random.default_rng(shape).standard_normal(shape)


def multiplied(a, b, s, t, preferred_element_type=np.float32):
    a, b, s, t = (x.astype(np.float64) for x in (a, b, s, t))
    a = a * np.repeat(s, a.shape[-1] // s.shape[-1], axis=-1)
    b = b * np.repeat(t, b.shape[-1] // t.shape[-1], axis=-1)
    return np.einsum("bmk,bnk->bmn", a, b).astype(preferred_element_type)


def powers(*shape):
    return 2.0 ** np.random.default_rng(shape).integers(-3, 3, shape)


def held(values, dtype):
    """float32 values that `dtype` can hold."""
    return values.astype(dtype).astype(np.float32)


MATRICES = [
    of(nn.scaled_matmul, a, b, s, t, **options).having(
        expected=multiplied, dtype=options.get("preferred_element_type", np.float32), atol=1e-4
    )
    for a, b, s, t, options in (
        (draw(2, 3, 8), draw(2, 4, 8), powers(2, 3, 2), powers(2, 4, 2), {}),
        (draw(1, 3, 6), draw(1, 1, 6), draw(1, 3, 6), draw(1, 1, 6), {}),
        (held(draw(2, 3, 8), E4M3), held(draw(2, 4, 8), E5M2), powers(2, 3, 1), powers(2, 4, 1),
         {"preferred_element_type": np.float16}),
        (draw(2, 3, 8).astype(E4M3), draw(2, 4, 8).astype(E4M3), powers(2, 3, 1).astype(E8M0),
         powers(2, 4, 1).astype(E8M0), {}),
    )
]  # fmt: skip


def quantized(x, mode, scale):
    """x, of shape (..., K), as `mode` holds it, block by block."""
    size, most = (32, 448.0) if mode == "mxfp8" else (16, 6.0)
    result = np.zeros(x.shape)
    for i in np.ndindex(x.shape[:-1]):
        for k in range(0, x.shape[-1], size):
            block = x[i][k : k + size].astype(np.float32) / np.float32(scale)
            wanted = np.abs(block).max() / np.float32(most)
            if mode == "mxfp8":
                held_scale, dtype = np.float32(2.0 ** np.ceil(np.log2(wanted))), E4M3
            else:
                held_scale, dtype = wanted.astype(E4M3).astype(np.float32), ml_dtypes.float4_e2m1fn
            entries = np.clip(block / held_scale, -most, most).astype(dtype).astype(np.float64)
            result[i][k : k + size] = entries * held_scale * scale
    return result


def product(a, b, numbers, configs, preferred_element_type=np.float32, implementation=None):
    """The product of a (B, M, K) and b (B, K, N), quantized."""
    scale = configs[0].global_scale
    factor = 1.0 if scale is None else float(scale[0])
    parts = [quantized(x, configs[0].mode, factor) for x in (a, np.moveaxis(b, 1, 2))]
    return np.einsum("bmk,bnk->bmn", *parts).astype(preferred_element_type)


NUMBERS = (((2,), (1,)), ((0,), (0,)))
FORMATS = [("mxfp8", None), ("nvfp4", None), ("nvfp4", np.array([0.5], np.float32))]

QUANTIZED = [
    of(
        nn.scaled_dot_general, draw(2, 3, k), draw(2, k, 4), NUMBERS,
        configs=[nn.get_scaled_dot_general_config(*form)] * 3, **options,
    ).having(
        expected=product, dtype=options.get("preferred_element_type", np.float32), atol=1e-3,
        slack=4,
    )
    for form in FORMATS
    for k, options in (
        (64, {"implementation": None}), (40, {}), (40, {"preferred_element_type": np.float16})
    )
] + [
    of(nn.scaled_dot_general, draw(3, 5), draw(5, 4), (((1,), (0,)), ((), ())),
       preferred_element_type=np.float64).having(
        expected=lambda a, b, numbers, preferred_element_type: a @ b, moving=(0, 1), atol=1e-12),
    of(lambda **options: nn.get_scaled_dot_general_config(**options).global_scale,
       mode="nvfp4", global_scale=np.ones(1, np.float32)).having(
        expected=lambda mode, global_scale: global_scale,
        name="nn.get_scaled_dot_general_config"),
]  # fmt: skip

CALLS = MATRICES + QUANTIZED
