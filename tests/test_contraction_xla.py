"""Contractions compiled: the forms that the CPU gets, algorithms by name, text for TPUs.

What the compiled results are in general is tested through the op database; here are the cases
that its small samples do not reach.
"""

import time

import numpy as np
import pytest

import jx
from jx import lax
from jx_core import backend
from jx_xla.lowering.contraction import conv_cpu


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def text(fun, *args, platform="cpu"):
    return jx.jit(fun).trace(*args).lower(lowering_platforms=(platform,)).as_text()


# --- gradients of kernels ---

# Layouts of image, kernel and result; then strides, padding, dilation of the kernel.
KERNEL_GRADIENTS = {
    "features last": (("NHWC", "HWIO", "NHWC"), (1, 1), "SAME", (1, 1)),
    "features first": (("NCHW", "OIHW", "NCHW"), (1, 1), "VALID", (1, 1)),
    "strided, one axis turned": (("NWCH", "IHWO", "NHWC"), (2, 1), ((1, 0), (2, 3)), (1, 1)),
    "dilated, cut off": (("NHWC", "HWIO", "NHWC"), (1, 2), ((-1, 2), (0, -2)), (2, 3)),
}


@pytest.fixture
def always_products(monkeypatch):
    """Products of matrices for kernels' gradients of any size; usually for long sums only."""
    monkeypatch.setattr(conv_cpu, "_PAIRS", 1)
    monkeypatch.setattr(conv_cpu, "_SUMMANDS_OF_PAIRS", 1)


@pytest.mark.usefixtures("always_products")
@pytest.mark.parametrize("case", KERNEL_GRADIENTS.values(), ids=KERNEL_GRADIENTS)
def test_gradients_of_kernels_in_parts_are_those_of_the_reference(case):
    specs, strides, padding, holes = case
    sizes = dict(zip("NHWCIO", (13, 40, 41, 2, 2, 3), strict=True))
    x = numbers(*(sizes[c] for c in specs[0]))
    w = numbers(*({"H": 3, "W": 2}.get(c, sizes[c]) for c in specs[1]), seed=1)

    def gradient(x, w):
        out, pull = jx.vjp(
            lambda w: lax.conv_general_dilated(
                x, w, strides, padding, rhs_dilation=holes, dimension_numbers=specs
            ),
            w,
        )
        return pull(out)[0]

    got = np.asarray(jx.jit(gradient)(x, w))
    with backend.use("numpy"):
        want = np.asarray(gradient(x, w))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4 * np.abs(want).max())
    assert text(gradient, x, w).count("stablehlo.dot_general") == 2  # the first part, and others


def test_gradients_of_kernels_are_products_where_sums_are_long():
    def gradient(x, ct, w):
        conv = lambda w: lax.conv_general_dilated(  # noqa: E731
            x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return jx.vjp(conv, w)[1](ct)[0]

    def products(samples, size, given, seen):
        x, ct = (jx.ShapeDtypeStruct((samples, size, size, n), "float32") for n in (given, seen))
        w = jx.ShapeDtypeStruct((3, 3, given, seen), "float32")
        return "stablehlo.dot_general" in text(gradient, x, ct, w)

    assert products(64, 14, 32, 64) and products(64, 32, 3, 32)
    assert not products(8, 32, 16, 32) and not products(32, 28, 1, 32)


@pytest.mark.usefixtures("always_products")
def test_gradients_of_kernels_stay_convolutions_elsewhere():
    x, w = numbers(2, 9, 9, 2), numbers(3, 3, 2, 3)

    def gradient(w):
        conv = lambda w: lax.conv_general_dilated(  # noqa: E731
            x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return jx.vjp(conv, w)[1](conv(w))[0]

    assert text(gradient, w).count("stablehlo.convolution") == 1
    assert text(gradient, w, platform="cuda").count("stablehlo.convolution") == 2


def test_convolutions_in_loops_are_as_fast_as_outside():
    """XLA brings convolutions to the layout that it computes fast only outside loops."""
    x, w = numbers(8, 16, 24, 24), numbers(16, 16, 3, 3, seed=1)

    def four(x, w):
        def step(x, _):
            return lax.conv(x, w, (1, 1), "SAME") * 0.1, None

        return lax.scan(step, x, None, length=4)[0]

    def one(x, w):
        return lax.conv(x, w, (1, 1), "SAME") * 0.1

    def seconds(fun):
        program = jx.jit(fun)
        program(x, w).block_until_ready()
        times = []
        for _ in range(7):
            start = time.perf_counter()
            program(x, w).block_until_ready()
            times.append(time.perf_counter() - start)
        return min(times)

    assert seconds(four) < 40 * seconds(one)  # where it is missed, some hundreds


# --- algorithms ---


def test_algorithms_that_the_cpu_does_not_have_are_refused():
    x = numbers(2, 2)
    for precision in (
        "TF32_TF32_F32", "BF16_BF16_F32_X9", "F16_F16_F32", lax.DotAlgorithm("f4", "f4", "f4")
    ):  # fmt: skip
        with pytest.raises(ValueError, match="is not supported on CPU; those that are: BF16_BF16"):
            jx.jit(lambda x, p=precision: lax.dot(x, x, precision=p))(x)


@pytest.mark.parametrize("preset", lax.DotAlgorithmPreset, ids=str)
def test_algorithms_become_attributes(preset):
    name = "float8_e4m3fn" if "F8" in preset.name else "float32"
    x = lax.convert_element_type(numbers(2, 2), name)
    got = text(lambda x: lax.dot(x, x, precision=preset), x, platform="cuda")
    assert ("algorithm = <" in got or "dot_algorithm" in got) == (preset.name != "DEFAULT")
    assert ("allow_imprecise_accumulation = true" in got) == ("FAST" in preset.name)


def test_float8_algorithms_take_float8_only():
    with pytest.raises(ValueError, match="takes float8 operands, got float32 and float32"):
        text(lambda x: lax.dot(x, x, precision="ANY_F8_ANY_F8_F32"), numbers(2, 2), platform="cuda")


# --- ragged products ---


def test_ragged_products_are_an_instruction_on_tpus():
    args = numbers(4, 3), numbers(2, 3, 5), np.array([1, 2], np.int32)
    got = text(lax.ragged_dot, *args, platform="tpu")
    assert "chlo.ragged_dot" in got and "lhs_ragged_dimensions = [0]" in got


def test_ragged_products_without_it_are_one_masked_product():
    args = numbers(4, 3), numbers(2, 3, 5), np.array([1, 2], np.int32)
    got = text(lax.ragged_dot, *args, platform="cuda")
    assert got.count("stablehlo.dot_general") == 1 and "stablehlo.while" not in got


def test_ragged_products_on_the_cpu_make_no_copy_for_each_group():
    groups, rows = 64, 4096
    args = numbers(rows, 8), numbers(groups, 8, 4), np.full(groups, rows // groups, np.int32)
    program = jx.jit(lax.ragged_dot).lower(*args)
    assert f"{groups}x{rows}" not in program.as_text()
    got, want = program.compile()(*args), np.empty((rows, 4), np.float32)
    for g in range(groups):
        part = slice(g * rows // groups, (g + 1) * rows // groups)
        want[part] = args[0][part] @ args[1][g]
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-5, atol=1e-5)


def test_ragged_masks_give_what_tiles_give():
    """The form of other platforms, run here: the lowering rule of the default platform."""
    from jx_core.ops.contraction.ragged import ragged_axes
    from jx_xla.lowering.contraction import ragged as rules

    for dims, x, y, sizes in (
        ((((1,), (1,)), ((), ())), numbers(9, 3), numbers(2, 3, 4), [[2, 5]]),
        ((((0,), (0,)), ((), ())), numbers(9, 3), numbers(9, 4), [[2, 5]]),
    ):
        group = (0,) if y.ndim == 3 else ()
        spec = lax.RaggedDotDimensionNumbers(dims, (0,), group)
        counts = np.array(sizes[0], np.int32)
        flat = rules._flat(*map(jx.numpy.asarray, (x, y, counts)), ragged_axes(spec, 2, y.ndim))
        params = {"precision": None, "preferred_element_type": None}
        got = rules._masked(flat, not group, params, np.dtype(np.float32))
        want = lax.ragged_dot_general(x, y, counts, spec)
        np.testing.assert_allclose(
            np.asarray(got).reshape(want.shape), np.asarray(want), rtol=1e-5, atol=1e-6
        )
