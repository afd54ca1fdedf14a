"""Native functions are callable from programs once they are registered."""

import numpy as np
import pytest

from jx_core.aval import ShapedArray
from jx_xla.runtime import custom_calls, executables
from jx_xla.runtime.shardings import single_device

LU = """
func.func public @main(%a: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2xi32>, tensor<i32>) {
  %r:3 = "stablehlo.custom_call"(%a) <{
    call_target_name = "lapack_sgetrf_ffi", api_version = 4 : i32, backend_config = {},
    operand_layouts = [dense<[0, 1]> : tensor<2xindex>],
    result_layouts = [dense<[0, 1]> : tensor<2xindex>, dense<0> : tensor<1xindex>,
                      dense<> : tensor<0xindex>],
    output_operand_aliases = [#stablehlo.output_operand_alias<
      output_tuple_indices = [0], operand_index = 0, operand_tuple_indices = []>]
  }> : (tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2xi32>, tensor<i32>)
  "func.return"(%r#0, %r#1, %r#2) : (tensor<2x2xf32>, tensor<2xi32>, tensor<i32>) -> ()
}"""


def test_lapack_is_callable_once_registered(four_devices):
    custom_calls.register_cpu_lapack()
    custom_calls.register_cpu_lapack()
    assert "lapack_sgetrf_ffi" in custom_calls.registered_targets()
    device = four_devices[:1]
    where = single_device(device[0])
    avals = [
        ShapedArray((2, 2), np.float32), ShapedArray((2,), np.int32), ShapedArray((), np.int32)
    ]  # fmt: skip
    loaded = executables.compile_program(LU, device)
    lu = executables.Executable(loaded, device, [where], avals, [where] * 3, [False] * 3)
    packed, pivots, info = lu([np.array([[1, 2], [4, 3]], np.float32)])
    assert int(info) == 0 and pivots.tolist() == [2, 2]
    assert np.allclose(packed, [[4, 3], [0.25, 1.25]])


def test_sparse_products_are_callable_once_registered():
    before = set(custom_calls.registered_targets())
    custom_calls.register_cpu_sparse()
    assert any("sparse" in name for name in set(custom_calls.registered_targets()) - before)


@pytest.mark.parametrize(
    ("dtype", "letter"), [("float32", "s"), ("float64", "d"), ("complex64", "c"),
                          ("complex128", "z")]
)  # fmt: skip
def test_lapack_has_a_letter_for_each_dtype(dtype, letter):
    assert custom_calls.lapack_prefix(np.dtype(dtype)) == letter


def test_lapack_has_no_halves():
    with pytest.raises(TypeError, match="got float16. Convert the operand first"):
        custom_calls.lapack_prefix(np.dtype("float16"))
