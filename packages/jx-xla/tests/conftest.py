"""Fixtures of the tests of jx-xla: small StableHLO programs, arrays, and a mesh."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from jx_core.aval import ShapedArray
from jx_xla.runtime import clients, executables, placement
from jx_xla.runtime.shardings import device_list, single_device

F32_8 = ShapedArray((8,), np.float32)

ADD = """
func.func public @main(%a: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<8xf32> {
  %r = "stablehlo.add"(%a, %b) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  "func.return"(%r) : (tensor<8xf32>) -> ()
}"""

NEGATE = """
func.func public @main(%a: tensor<8xf32>) -> tensor<8xf32> {
  %r = "stablehlo.negate"(%a) : (tensor<8xf32>) -> tensor<8xf32>
  "func.return"(%r) : (tensor<8xf32>) -> ()
}"""

NEGATE_DONATING = NEGATE.replace(
    "%a: tensor<8xf32>)", "%a: tensor<8xf32> {tf.aliasing_output = 0 : i32})"
)

ONES = """
func.func public @main() -> tensor<8xf32> {
  %r = stablehlo.constant dense<1.0> : tensor<8xf32>
  "func.return"(%r) : (tensor<8xf32>) -> ()
}"""


def f32(values, device=None, *, committed=False, weak_type=False):
    """A float32 array on one device, by default the first."""
    value = np.asarray(values, np.float32)
    aval = ShapedArray(value.shape, value.dtype, weak_type)
    return placement.put(value, aval, device or clients.default_device(), committed=committed)


def executable(text, arguments, device=None, **facts):
    """A single-device `Executable` of a program with one result of type f32[8]."""
    device = device or clients.default_device()
    where = single_device(device)
    loaded = executables.compile_program(text, [device])
    return executables.Executable(
        loaded, [device], [where] * arguments, [F32_8], [where], [False], **facts
    )


class Mesh:
    """The least that `NamedSharding` asks of a mesh."""

    def __init__(self, devices, sizes, names):
        self.devices = tuple(devices)
        self.axis_sizes = sizes
        self.axis_names = names
        self.size = len(self.devices)
        self._internal_device_list = device_list(self.devices)

    def __eq__(self, other):
        return type(other) is Mesh and vars(self) == vars(other)

    def __hash__(self):
        return hash((self.devices, self.axis_sizes, self.axis_names))

    def __repr__(self):
        return f"Mesh({dict(zip(self.axis_names, self.axis_sizes))})"


@pytest.fixture
def programs():
    return SimpleNamespace(
        ADD=ADD, NEGATE=NEGATE, NEGATE_DONATING=NEGATE_DONATING, ONES=ONES, F32_8=F32_8,
        f32=f32, executable=executable,
    )  # fmt: skip


@pytest.fixture
def four_devices():
    devices = clients.devices("cpu")
    assert len(devices) >= 4, "run the tests with JX_NUM_CPU_DEVICES=4 or more"
    return devices[:4]


@pytest.fixture
def mesh(four_devices):
    return Mesh(four_devices, (2, 2), ("x", "y"))


@pytest.fixture
def make_mesh():
    return Mesh
