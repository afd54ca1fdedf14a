"""Lowering: the text of programs, sharing, constants, rules of one's own, and what has none."""

import numpy as np
import pytest

from jx_core import Primitive, backend, jit, lax
from jx_core.errors import MissingRuleError
from jx_xla import deflower
from jx_xla.lowering.builder import Block, Module, i64_array, i64_matrix
from jx_xla.lowering.types import dense, tensor, type_of

X = np.float32([1, 2, 3])


def text(fun, *args):
    return jit(fun).lower(*args).as_text()


class TestPrograms:
    def test_one_operation_a_line(self):
        lines = text(lambda x: lax.sin(lax.neg(x)), X)
        assert "stablehlo.negate" in lines and "stablehlo.sine" in lines
        assert "func.func public @main" in lines

    def test_an_inner_program_becomes_one_function_however_often_it_is_called(self):
        inner = jit(lambda x: lax.sin(x))

        def f(x):
            for _ in range(4):
                x = inner(x)
            return x

        lowered = text(f, X)
        assert lowered.count("stablehlo.sine") == 1 and lowered.count("call @") == 4

    def test_functions_of_one_name_get_names_of_their_own(self):
        def pair(k):
            def body(x):
                return x * k

            return jit(body)

        first, second = pair(2.0), pair(3.0)
        np.testing.assert_array_equal(np.asarray(jit(lambda x: first(x) + second(x))(X)), X * 5)

    def test_a_numbered_name_may_be_a_function_s_own(self):
        module = Module("names", ["cpu"])
        names = [module.fresh_name(name) for name in ("f", "f", "f_0", "f", "f_0", "f_1", "f")]
        assert names[:2] == ["f", "f_0"]
        assert len(set(names)) == len(names)

    def test_strange_names_are_made_fit(self):
        f = jit(lambda x: x + 1)
        f.__wrapped__.__name__ = "a <b> 'c'"
        np.testing.assert_array_equal(np.asarray(jit(f.__wrapped__)(X)), X + 1)

    def test_a_number_is_written_once(self):
        lowered = text(lambda x: (x * 2.5) + 2.5, X)
        assert lowered.count("2.500000e+00") == 1

    def test_scans_are_loops_and_unrolled_ones_are_not(self):
        def f(unroll):
            return text(lambda x: lax.scan(lambda c, v: (c + v, None), 0.0, x, unroll=unroll)[0], X)

        assert "stablehlo.while" in f(1)
        assert "stablehlo.while" not in f(True)

    def test_loops_of_one_step_are_no_loops(self):
        lowered = text(lambda x: lax.scan(lambda c, v: (c + v, None), 0.0, x)[0], X[:1])
        assert "stablehlo.while" not in lowered


class TestConstants:
    @pytest.mark.parametrize(
        "value",
        [
            np.float32(np.pi), np.float64(1 / 3), np.float32(-0.0), np.float32(np.inf),
            np.float64(np.nan), np.int8(-128), np.uint64(2**64 - 1), np.bool_(True),
            np.complex64(1 - 2j), np.float32([1.5, np.nan, -np.inf]), np.array([True, False, True]),
            np.zeros((0, 3), np.float32), np.arange(6, dtype=np.int16).reshape(2, 3).T,
            np.ones((3,), bool), np.zeros((2, 0), bool),
        ],
        ids=repr,
    )  # fmt: skip
    def test_every_bit_of_them_arrives(self, value):
        from jx_core.config import enable_x64

        with enable_x64(True):
            got = np.asarray(jit(lambda: (value,))()[0])
        assert got.dtype == value.dtype and got.shape == value.shape
        assert got.tobytes() == np.ascontiguousarray(value).tobytes()

    def test_simple_numbers_stay_readable(self):
        assert dense(np.asarray(7)) == "7"
        assert dense(np.float32(0.5)) == "5.000000000e-01"
        assert dense(np.asarray([True, True])) == "true"

    def test_types(self):
        from jx_core import ShapedArray
        from jx_core.ops.rng import prng_impl

        assert tensor((2, 3), np.dtype("float32")) == "tensor<2x3xf32>"
        assert type_of(ShapedArray((), np.complex64)) == "tensor<complex<f32>>"
        assert type_of(ShapedArray((5,), prng_impl().dtype)) == "tensor<5x2xui32>"
        with pytest.raises(TypeError, match="has no StableHLO element type"):
            tensor((), np.dtype("datetime64[s]"))


class TestBuilding:
    def test_blocks_write_generic_operations(self):
        block = Block(Module("m", ("cpu",)))
        out = block.op("stablehlo.negate", ["%x"], ["tensor<f32>"], "tensor<f32>")
        assert block.lines == [f'{out} = "stablehlo.negate"(%x) : (tensor<f32>) -> tensor<f32>\n']

    def test_several_results_are_numbered(self):
        block = Block(Module("m", ("cpu",)))
        outs = block.ops("a.b", [], [], ["tensor<f32>", "tensor<i1>"])
        assert outs == ["%1#0", "%1#1"] and block.lines[0].startswith("%1:2 = ")

    def test_integer_attributes(self):
        assert i64_array([1, 2]) == "array<i64: 1, 2>" and i64_array([]) == "array<i64>"
        assert i64_matrix([(1, 2)]) == "dense<[[1, 2]]> : tensor<1x2xi64>"
        assert i64_matrix([]) == "dense<> : tensor<0x2xi64>"


class TestRules:
    def test_a_primitive_of_ones_own_can_be_given_one(self):
        halve = Primitive("halve_of_tests", abstract=lambda x: x, reference=lambda x: x / 2)

        @deflower(halve)
        def _(ctx, x):
            kind = type_of(ctx.out)
            two = ctx.block.constant(2, ctx.out.dtype, ctx.out.shape)
            return ctx.block.op("stablehlo.divide", (x, two), (kind, kind), kind)

        np.testing.assert_array_equal(np.asarray(jit(halve.bind)(X)), X / 2)
        np.testing.assert_array_equal(np.asarray(halve.bind(X)), X / 2)

    def test_a_rule_may_be_for_one_platform(self):
        thing = Primitive("thing_of_tests", abstract=lambda x: x, reference=lambda x: x)
        deflower(thing, platform="tpu")(lambda ctx, x: x)
        with pytest.raises(MissingRuleError):
            jit(thing.bind)(X)
        deflower(thing, platform="cpu")(lambda ctx, x: x)
        np.testing.assert_array_equal(np.asarray(jit(thing.bind)(X)), X)

    def test_without_one_the_decomposition_serves(self):
        cube = Primitive(
            "cube_of_tests", abstract=lambda x: x, decompose=lambda x: lax.mul(x, lax.mul(x, x))
        )
        np.testing.assert_array_equal(np.asarray(jit(cube.bind)(X)), X**3)

    def test_with_neither_the_error_says_how_to_define_one(self):
        lonely = Primitive("lonely_of_tests", abstract=lambda x: x, reference=lambda x: x)
        text = r"(?s)lonely_of_tests.*jx_xla.deflower\(lonely_of_tests_p\)"
        with pytest.raises(MissingRuleError, match=text):
            jit(lonely.bind)(X)
        with backend.use("numpy"):
            np.testing.assert_array_equal(np.asarray(lonely.bind(X)), X)
        np.testing.assert_array_equal(np.asarray(lax.add(X, X)), X + X)


class TestSeveralPlatforms:
    """One module for several platforms: an argument says which of them it runs on."""

    def lowered(self, fun, *args, platforms=("cpu", "tpu")):
        return jit(fun).trace(*args).lower(lowering_platforms=platforms).as_text()

    def test_what_is_alike_is_written_once_and_takes_no_choice(self):
        lines = self.lowered(lambda x: lax.sin(x), X)
        assert lines.count("stablehlo.sine") == 1
        assert "stablehlo.case" not in lines
        assert '%arg0: tensor<i32> {jax.global_constant = "_platform_index"}' in lines

    def test_rules_for_one_platform_make_a_branch_for_each(self):
        lines = self.lowered(lambda x: lax.argmax(x, 0, np.int32), X)
        assert lines.count("stablehlo.case") == 1

    def test_rules_that_ask_for_the_platform_are_asked_for_each(self):
        asked = []
        p = Primitive("asks_platform", abstract=lambda x: x, reference=lambda x: x)

        @deflower(p)
        def _(ctx, x):
            ctx.block.constant(7.0, np.dtype(np.float32))  # forgotten when it is asked again
            asked.append(ctx.module.platform)
            kind = type_of(ctx.out)
            name = "sine" if asked[-1] == "cpu" else "cosine"
            return ctx.block.op(f"stablehlo.{name}", [x], [kind], kind)

        lines = self.lowered(lambda x: p.bind(x), X)
        assert asked == ["cpu", "tpu"]
        assert "stablehlo.sine" in lines and "stablehlo.cosine" in lines
        assert "stablehlo.case" in lines

    def test_inner_functions_are_told_the_platform(self):
        inner = jit(lambda x: lax.argmax(x, 0, np.int32))
        lines = self.lowered(lambda x: (inner(x), inner(x)), X)
        assert lines.count("call @") == 2
        assert lines.count("_platform_index") == 2  # of main and of the inner function

    @pytest.mark.parametrize("platforms", [("cpu", "tpu"), ("tpu", "cuda", "cpu")])
    def test_compiled_for_the_platform_that_is_here(self, platforms):
        traced = jit(lambda x: lax.argmax(x, 0, np.int32)).trace(X)
        assert int(traced.lower(lowering_platforms=platforms).compile()(X)) == 2
