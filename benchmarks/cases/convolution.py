"""Convolutions and their gradients, compiled: images of 14 x 14 and of 56 x 56, kernels of 3 x 3.

Each is there alone and as a training step has it: forward, and the gradients of both image and
kernel. PyTorch can be measured as well, with its own preferred layout of the same arrays.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .case import Case, Sample, per_call

# Images, rows, input features, output features.
SIZES = ((64, 14, 32, 64), (32, 56, 64, 64))
PARTS = ("forward", "gradients", "step")


def operands(size: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Images, kernel and cotangent, features last."""
    images, rows, features, filters = size
    rng = np.random.default_rng(0)
    shapes = (
        (images, rows, rows, features), (3, 3, features, filters), (images, rows, rows, filters)
    )  # fmt: skip
    return tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes)


def compiled(lib: ModuleType, size: tuple[int, ...], part: str) -> Callable[[], Any]:
    """The part as a program of jx or JAX."""
    image, kernel, cotangent = (lib.numpy.asarray(x) for x in operands(size))

    def forward(x: Any, w: Any) -> Any:
        return lib.lax.conv_general_dilated(
            x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    def step(x: Any, w: Any, ct: Any) -> Any:
        out, pull = lib.vjp(forward, x, w)
        return pull(ct) if part == "gradients" else (out, *pull(ct))

    if part == "forward":
        program = lib.jit(forward)
        return lambda: program(image, kernel).block_until_ready()
    program = lib.jit(step)
    return lambda: lib.block_until_ready(program(image, kernel, cotangent))


def with_torch(torch: ModuleType, size: tuple[int, ...], part: str) -> Callable[[], Any]:
    """The part in PyTorch, features last in memory, which its CPU kernels like best."""
    image, kernel, cotangent = map(torch.from_numpy, operands(size))
    image, cotangent = image.permute(0, 3, 1, 2), cotangent.permute(0, 3, 1, 2)
    kernel = kernel.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    conv2d = torch.nn.functional.conv2d

    def forward() -> Any:
        with torch.no_grad():
            return conv2d(image, kernel, padding=1)

    def gradients() -> Any:
        ones, zeros = [1, 1], [0, 0]
        wanted = [True, True, False]
        return torch.ops.aten.convolution_backward(
            cotangent, image, kernel, None, ones, ones, ones, False, zeros, 1, wanted
        )

    moving = image.clone().requires_grad_(), kernel.clone().requires_grad_()

    def step() -> Any:
        out = conv2d(*moving, padding=1)
        return out, torch.autograd.grad(out, moving, cotangent)

    return {"forward": forward, "gradients": gradients, "step": step}[part]


def prepared(size: tuple[int, ...], part: str) -> Callable[[ModuleType], Sample]:
    def prepare(lib: ModuleType) -> Sample:
        make = with_torch if lib.__name__ == "torch" else compiled
        return per_call(make(lib, size, part), at_least=0.3)

    return prepare


def in_loop(lib: ModuleType) -> Sample:
    """Four steps of descent that a `scan` takes, each with a kernel's gradient."""
    image, kernel, _ = (lib.numpy.asarray(x) for x in operands(SIZES[0]))

    def descend(image: Any, kernel: Any) -> Any:
        def step(w: Any, _: Any) -> Any:
            out, pull = lib.vjp(
                lambda w: lib.lax.conv_general_dilated(
                    image, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
                ),
                w,
            )
            return w - 1e-6 * pull(out)[0], None

        return lib.lax.scan(step, kernel, None, length=4)[0]

    program = lib.jit(descend)
    return per_call(lambda: program(image, kernel).block_until_ready(), at_least=0.3)


CASES = [
    Case(
        f"convolution/{part} {size[0]}x{size[1]}x{size[1]}x{size[2]}->{size[3]}",
        1.0,
        prepared(size, part),
        peers=("jax", "torch"),
    )
    for size in SIZES
    for part in PARTS
] + [Case("convolution/gradient in a scan", 1.0, in_loop)]
