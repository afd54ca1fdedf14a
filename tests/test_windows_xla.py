"""What XLA is given for windows and sorts on each platform, and what it makes of large ones."""

from __future__ import annotations

import re

import numpy as np
import pytest

import jx
from jx import lax


def lowered(fun, *args, platform):
    return jx.jit(fun).trace(*args).lower(lowering_platforms=(platform,)).as_text()


X = np.zeros((6, 6), np.float32)
POOL = ((2, 2), (2, 2), "SAME")


def pooled(x):
    return lax.reduce_window(x, -np.inf, lax.max, *POOL)


def pooled_gradient(x):
    return jx.grad(lambda x: pooled(x).sum())(x)


def pairs(x):
    return lax.reduce_window(
        (x, x), (1.0, 0.0), lambda a, b: (a[0] * b[0], a[1] + b[1]), *POOL
    )


class TestPlatforms:
    @pytest.mark.parametrize("platform", ["cpu", "cuda", "rocm", "tpu"])
    def test_windows_are_one_operation(self, platform):
        assert lowered(pooled, X, platform=platform).count('"stablehlo.reduce_window"') == 1

    @pytest.mark.parametrize(("platform", "count"), [("cpu", 1), ("tpu", 1), ("cuda", 0)])
    def test_gpus_have_no_windows_of_several_operands(self, platform, count):
        assert lowered(pairs, X, platform=platform).count('"stablehlo.reduce_window"') == count

    def test_tpus_scatter_to_windows_themselves(self):
        text = lowered(pooled_gradient, X, platform="tpu")
        assert text.count("stablehlo.select_and_scatter") == 1
        for platform in ("cpu", "cuda"):
            text = lowered(pooled_gradient, X, platform=platform)
            assert "select_and_scatter" not in text.replace("select_and_scatter_add", "")

    def test_cpus_find_the_places_in_a_call_that_is_not_inlined(self):
        text = lowered(pooled_gradient, X, platform="cpu")
        assert 'inlineable = "false"' in text

    def test_tpus_have_an_instruction_for_approximate_top_k(self):
        text = lowered(lambda x: lax.approx_min_k(x, 2, recall_target=0.9), X, platform="tpu")
        assert "@ApproxTopK" in text
        for setting in (
            "aggregate_to_topk = true", "reduction_dim = 1 : i64", "top_k = 2 : i64",
            "reduction_input_size_override = -1 : i64", "recall_target = 0.899999976 : f32",
        ):  # fmt: skip
            assert setting in text
        assert re.search(r"compare\s+LT", text)
        assert "ApproxTopK" not in lowered(lambda x: lax.approx_min_k(x, 2), X, platform="cuda")


NARROW = ["float32", "int32", "uint32", "float16", "bfloat16", "int8", "uint16"]


class TestSorts:
    """Sorts by keys of at most 32 bits take a road of their own on CPUs."""

    @pytest.mark.parametrize("dtype", NARROW)
    def test_all_bit_patterns(self, dtype):
        bits = np.random.default_rng(0).integers(0, 2**32, 20_000, dtype=np.uint32)
        dtype = jx.numpy.dtype(dtype)
        whole = bits.astype(f"u{dtype.itemsize}").view(dtype)
        x = np.concatenate([whole, whole[:100]])
        order = np.argsort(x.astype(np.float64), kind="stable")
        got, places = jx.jit(lax.sort_key_val)(x, np.arange(len(x), dtype=np.int32))
        np.testing.assert_array_equal(places, order)
        np.testing.assert_array_equal(np.asarray(got).view(np.uint8), x[order].view(np.uint8))

    @pytest.mark.parametrize("dtype", NARROW)
    def test_top_k_of_all_bit_patterns(self, dtype):
        bits = np.random.default_rng(1).integers(0, 2**32, 20_000, dtype=np.uint32)
        dtype = jx.numpy.dtype(dtype)
        x = bits.astype(f"u{dtype.itemsize}").view(dtype)
        with jx.core.backend.use("numpy"):
            want, wanted_places = map(np.asarray, lax.top_k(x, 500))
        got, places = jx.jit(lambda x: lax.top_k(x, 500))(x)
        np.testing.assert_array_equal(places, wanted_places)
        np.testing.assert_array_equal(np.asarray(got).view(np.uint8), want.view(np.uint8))

    def test_signs_of_zeros_keep_their_order(self):
        x = np.float32([0.0, -0.0, 0.0, -1.0, -0.0])
        got = np.asarray(jx.jit(lax.sort)(x))
        assert np.signbit(got).tolist() == [True, False, True, False, True]

    @pytest.mark.parametrize("axis", [0, 1, 2])
    def test_along_every_axis(self, axis):
        x = np.random.default_rng(2).integers(0, 5, (4, 5, 6)).astype(np.float32)
        places = np.indices(x.shape, np.int32)[axis]
        got, places = jx.jit(lambda x: lax.sort_key_val(x, places, axis))(x)
        np.testing.assert_array_equal(places, np.argsort(x, axis, kind="stable"))
        np.testing.assert_array_equal(got, np.sort(x, axis))
