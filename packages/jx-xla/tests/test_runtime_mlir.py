"""StableHLO modules as objects, and in forms that last."""

import threading

import pytest

from jx_xla.runtime import hlo, mlir


def test_modules_are_parsed_and_printed(programs):
    text = mlir.module_text(programs.ADD)
    assert "stablehlo.add %arg0, %arg1 : tensor<8xf32>" in text
    assert mlir.module_text(mlir.parse_module(text)) == text
    assert "loc(" in mlir.module_text(programs.ADD, debug_info=True)


def test_the_dialects_that_jx_writes_are_known():
    text = """
    module {
      "sdy.mesh"() <{mesh = #sdy.mesh<["x"=4]>, sym_name = "mesh"}> : () -> ()
      func.func public @main(%a: tensor<8xf32> {mhlo.layout_mode = "default"}) -> tensor<8xf32> {
        %r = chlo.erf %a : tensor<8xf32> -> tensor<8xf32>
        return %r : tensor<8xf32>
      }
    }"""
    assert "chlo.erf" in mlir.module_text(text)


def test_what_is_no_module_is_an_error_with_the_place():
    with pytest.raises(ValueError, match=r'"-":1:21'):
        mlir.parse_module("func.func @main() { nonsense }")


def test_portable_artifacts_last(programs):
    data = mlir.to_portable_artifact(programs.ADD)
    assert b"StableHLO_v" + mlir.stablehlo_version().encode() in data
    assert mlir.module_text(mlir.from_portable_artifact(data)) == mlir.module_text(programs.ADD)
    old = mlir.to_portable_artifact(programs.ADD, mlir.stablehlo_version(minimum=True))
    assert b"StableHLO_v" + mlir.stablehlo_version(minimum=True).encode() in old
    with pytest.raises(ValueError, match="not a portable artifact"):
        mlir.from_portable_artifact(b"nonsense")


def test_many_threads_may_parse_at_once(programs):
    texts = []
    threads = [
        threading.Thread(target=lambda: texts.append(mlir.module_text(programs.ADD)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 8 and len(set(texts)) == 1


def test_hlo_is_xlas_form_before_optimisation(programs):
    for program in (programs.ADD, mlir.module_bytecode(programs.ADD)):
        text = hlo.hlo_text(program)
        assert text.startswith("HloModule")
        assert "add(" in text and "fusion" not in text
    with pytest.raises(ValueError, match="not a StableHLO module"):
        hlo.hlo_text("nonsense")
