"""Compiling StableHLO text, running it, and what it tells about itself."""

import numpy as np
import pytest

from jx_core.aval import ShapedArray
from jx_core.errors import DonatedArrayError
from jx_xla.runtime import executables, placement
from jx_xla.runtime.named_sharding import NamedSharding, sdy_dimensions, sdy_mesh_text
from jx_xla.runtime.shardings import single_device

VALUE = np.arange(8, dtype=np.float32)

MATMUL = """
func.func public @main(%a: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %r = "stablehlo.dot"(%a, %a) : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  "func.return"(%r) : (tensor<64x64xf32>) -> ()
}"""


def sdy_text(sharding):
    return f"#sdy.sharding<@mesh, [{sdy_dimensions(sharding, 1)[0]}]>"


def sharded_add(left, right, out, *, shardy):
    """f32[8] + f32[8] on four devices, with the shardings in either kind of attribute."""

    def attribute(sharding):
        if shardy:
            return f"sdy.sharding = {sdy_text(sharding)}"
        return f'mhlo.sharding = "{sharding.hlo_text(1)}"'

    mesh = (
        f'"sdy.mesh"() <{{mesh = {sdy_mesh_text(left.mesh)}, sym_name = "mesh"}}> : () -> ()'
        if shardy
        else ""
    )
    result = f" {{{attribute(out)}}}" if out else ""
    return f"""
module attributes {{mhlo.num_partitions = 4 : i32}} {{
  {mesh}
  func.func public @main(%a: tensor<8xf32> {{{attribute(left)}}},
                         %b: tensor<8xf32> {{{attribute(right)}}}) -> (tensor<8xf32>{result}) {{
    %r = "stablehlo.add"(%a, %b) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    "func.return"(%r) : (tensor<8xf32>) -> ()
  }}
}}"""


def test_a_program_is_text_in_and_arrays_out(programs):
    add = programs.executable(programs.ADD, 2)
    (out,) = add([programs.f32(VALUE), programs.f32(VALUE)])
    assert out.aval is programs.F32_8 and not out.committed
    assert np.array_equal(out, 2 * VALUE)


@pytest.mark.parametrize("kind", ["ndarray", "float64", "other device", "committed"])
def test_arguments_are_placed(programs, four_devices, kind):
    argument = {
        "ndarray": VALUE,
        "float64": VALUE.astype(np.float64),
        "other device": programs.f32(VALUE, four_devices[1]),
        "committed": programs.f32(VALUE, committed=True),
    }[kind]
    (out,) = programs.executable(programs.ADD, 2)([programs.f32(VALUE), argument])
    assert np.array_equal(out, 2 * VALUE)


def test_a_program_runs_on_the_device_it_was_compiled_for(programs, four_devices):
    (out,) = programs.executable(programs.NEGATE, 1, four_devices[3])([VALUE])
    assert out.device == four_devices[3]


def test_arguments_a_program_does_not_take_are_dropped(programs):
    negate = programs.executable(programs.NEGATE, 1, kept=[False, True, False])
    (out,) = negate([VALUE + 1, VALUE, VALUE + 2])
    assert np.array_equal(out, -VALUE)


def test_constants_come_before_the_arguments(programs):
    add = programs.executable(programs.ADD, 2, consts=[programs.f32(10 * VALUE)])
    assert np.array_equal(add([VALUE])[0], 11 * VALUE)


def test_a_program_may_have_no_arguments(programs):
    assert np.array_equal(programs.executable(programs.ONES, 0)([])[0], np.ones(8))


def test_donated_arguments_are_gone(programs):
    negate = programs.executable(programs.NEGATE_DONATING, 1)
    x = programs.f32(VALUE)
    (out,) = negate([x])
    assert x.is_deleted() and np.array_equal(out, -VALUE)
    with pytest.raises(DonatedArrayError, match=r"deleted with shape=float32\[8\].*donate_argnums"):
        negate([x])
    assert np.array_equal(negate([programs.f32(VALUE)])[0], -VALUE)


def test_a_token_waits_for_the_program(programs):
    negate = programs.executable(programs.NEGATE, 1)
    outs, token = negate.execute_with_token(negate.place([VALUE]))
    token.block_until_ready()
    assert np.array_equal(outs[0], -VALUE)


@pytest.mark.parametrize("shardy", [True, False], ids=["shardy", "gspmd"])
def test_a_program_runs_on_several_devices(mesh, four_devices, programs, shardy):
    split, whole = NamedSharding(mesh, ("x",)), NamedSharding(mesh, ())
    loaded = executables.compile_program(
        sharded_add(split, whole, split, shardy=shardy), four_devices
    )
    add = executables.Executable(
        loaded, four_devices, [split, whole], [programs.F32_8], [split], [True]
    )
    (out,) = add([VALUE, placement.put_sharded(VALUE, programs.F32_8, split)])
    assert out.sharding == split and out.committed
    assert np.array_equal(out, 2 * VALUE)
    assert np.array_equal(out.addressable_shards[3].data, 2 * VALUE[4:])


@pytest.mark.parametrize("shardy", [True, False], ids=["shardy", "gspmd"])
def test_a_compiled_program_tells_its_shardings(mesh, four_devices, shardy):
    split, whole = NamedSharding(mesh, ("x",)), NamedSharding(mesh, ())
    loaded = executables.compile_program(
        sharded_add(split, whole, split, shardy=shardy), four_devices
    )
    (out,) = executables.output_shardings(loaded, four_devices, 1)
    ins = executables.parameter_shardings(loaded, four_devices, 2)
    assert out.is_equivalent_to(split, 1)
    assert ins[0].is_equivalent_to(split, 1) and ins[1].is_equivalent_to(whole, 1)


def test_the_compiler_may_choose_a_results_sharding(mesh, four_devices):
    split = NamedSharding(mesh, (("x", "y"),))
    loaded = executables.compile_program(
        sharded_add(split, split, None, shardy=True), four_devices, propagate_to_outputs=[True]
    )
    assert executables.output_shardings(loaded, four_devices, 1)[0].is_equivalent_to(split, 1)


def test_one_device_needs_no_split(programs, four_devices):
    loaded = executables.compile_program(programs.ADD, four_devices[:1])
    where = single_device(four_devices[0])
    assert executables.output_shardings(loaded, four_devices[:1], 1) == [where]
    assert executables.parameter_shardings(loaded, four_devices[:1], 2) == [where, where]


def test_mixed_sharding_attributes_are_refused(mesh, four_devices):
    split = NamedSharding(mesh, ("x",))
    text = sharded_add(split, split, None, shardy=True).replace(
        "%b: tensor<8xf32> {sdy.sharding = " + sdy_text(split),
        f'%b: tensor<8xf32> {{mhlo.sharding = "{split.hlo_text(1)}"',
    )
    with pytest.raises(ValueError, match="both sdy.* and mhlo.sharding"):
        executables.compile_program(text, four_devices)


def test_what_xla_can_not_read_is_an_error_with_the_place(four_devices):
    with pytest.raises(executables.JaxRuntimeError, match=r"1:\d+: error: .*'nonsense'"):
        executables.compile_program("func.func @main() { nonsense }", four_devices[:1])


def test_compiler_options_reach_xla(programs, four_devices):
    compiled = executables.compile_program(
        programs.ADD,
        four_devices[:1],
        compiler_options={"xla_cpu_enable_fast_math": True, "xla_backend_optimization_level": 0},
    )
    assert compiled.local_devices() == four_devices[:1]
    with pytest.raises(executables.JaxRuntimeError, match="xla_no_such_flag"):
        executables.compile_program(
            programs.ADD, four_devices[:1], compiler_options={"xla_no_such_flag": 1}
        )


def test_replicas_share_the_devices_evenly(four_devices):
    options = executables.compile_options(four_devices, num_replicas=2)
    assert (options.num_replicas, options.num_partitions) == (2, 2)
    with pytest.raises(ValueError, match="4 devices can't be split into 3"):
        executables.compile_options(four_devices, num_replicas=3)


def test_a_program_tells_its_cost_its_memory_and_its_text(four_devices):
    aval = ShapedArray((64, 64), np.float32)
    where = single_device(four_devices[0])
    loaded = executables.compile_program(MATMUL, four_devices[:1])
    matmul = executables.Executable(loaded, four_devices[:1], [where], [aval], [where], [False])
    assert matmul.cost_analysis()["flops"] == pytest.approx(2 * 64**3, rel=0.01)
    assert matmul.memory_analysis().argument_size_in_bytes == 64 * 64 * 4
    assert matmul.memory_analysis().output_size_in_bytes == 64 * 64 * 4
    assert matmul.hlo_text().startswith("HloModule") and "dot" in matmul.hlo_text()
    assert executables.program_fingerprint(loaded)
    assert "1 device" in repr(matmul)


def test_a_compiled_program_can_be_kept(programs, four_devices):
    data = programs.executable(programs.NEGATE, 1).serialize()
    loaded = executables.deserialize_program(data, four_devices[:1])
    where = single_device(four_devices[0])
    negate = executables.Executable(
        loaded, four_devices[:1], [where], [programs.F32_8], [where], [False]
    )
    assert np.array_equal(negate([VALUE])[0], -VALUE)


def test_modules_come_as_bytecode_too(programs, four_devices):
    from jx_xla.runtime import mlir

    for program in (
        mlir.module_bytecode(programs.NEGATE),
        mlir.to_portable_artifact(programs.NEGATE),
        mlir.parse_module(programs.NEGATE),
    ):
        assert executables.compile_program(program, four_devices[:1]).local_devices()
