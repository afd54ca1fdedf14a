"""Ahead of time: `jit(f).trace`, `.lower`, `.compile`, each stage looked at; compiled programs
as bytes, in this process and in a new one."""

import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import stages
from jx.experimental import serialize_executable

X = np.arange(1.0, 4.0, dtype=np.float32)
STRUCT = jx.ShapeDtypeStruct((3,), np.float32)


def affine(params, x, *, scale=1):
    return {"y": params["w"] * x * scale, "n": x.sum()}


def all_stages(jitted, *args, **kwargs):
    traced = jitted.trace(*args, **kwargs)
    lowered = traced.lower()
    return traced, lowered, lowered.compile()


@pytest.fixture
def mesh():
    return jx.make_mesh((4,), ("x",))


class TestStages:
    def test_the_classes(self):
        jitted = jx.jit(affine)
        traced, lowered, compiled = all_stages(jitted, {"w": STRUCT}, STRUCT)
        assert isinstance(jitted, stages.Wrapped)
        assert isinstance(jx.jit(affine, static_argnames="scale"), stages.Wrapped)
        assert isinstance(jx.jit(affine, donate_argnums=0), stages.Wrapped)
        assert not isinstance(affine, stages.Wrapped)
        assert isinstance(traced, stages.Traced)
        assert isinstance(lowered, stages.Lowered)
        assert isinstance(compiled, stages.Compiled)
        assert stages.CompilerOptions == dict[str, str | bool]

    def test_every_stage_says_what_the_call_takes(self):
        jitted = jx.jit(affine, donate_argnums=0, static_argnames="scale")
        for stage in all_stages(jitted, {"w": STRUCT}, 2.0, scale=3):
            (params, x), kwargs = stage.args_info
            assert kwargs == {}
            assert (params["w"].shape, params["w"].dtype, params["w"].donated) == ((3,), "f4", True)
            assert (x.shape, x.donated) == ((), False)
            assert stage.donate_argnums == (0,)
            assert stage.in_avals[0][0]["w"].str_short() == "f32[3]"
            assert stage.in_avals[0][1].weak_type
            assert stage.in_tree == jx.tree.structure((({"w": 0}, 0), {}))
            assert stage.out_tree == jx.tree.structure({"y": 0, "n": 0})
            assert stage.out_info["y"].shape == (3,)
        assert stage.out_info["y"].sharding.device_set == {jx.devices()[0]}

    def test_traced(self):
        traced = jx.jit(affine).trace({"w": STRUCT}, STRUCT)
        assert traced.fun_name == "affine"
        assert "mul" in str(traced.jaxpr)
        assert traced.out_avals["n"].str_short() == "f32[]"
        np.testing.assert_allclose(traced({"w": X}, X)["y"], X * X)
        rows = jx.vmap(traced, ({"w": None}, 0))({"w": X}, np.stack([X, 2 * X]))
        np.testing.assert_allclose(rows["n"], [6.0, 12.0])
        slope = jx.grad(lambda x: traced({"w": X}, x)["y"].sum())(X)
        np.testing.assert_allclose(slope, X)
        with pytest.raises(TypeError, match=r"argument x has type f32\[2\], traced for f32\[3\]"):
            traced({"w": X}, X[:2])

    def test_lowered(self):
        lowered = jx.jit(affine).lower({"w": STRUCT}, STRUCT)
        assert "stablehlo.multiply" in lowered.as_text()
        assert "test_aot.py" in lowered.as_text(debug_info=True)
        assert lowered.as_text("hlo").startswith("HloModule jit_affine")
        assert "stablehlo.multiply" in str(lowered.compiler_ir())
        assert "HloModule" in lowered.compiler_ir("hlo").to_string()
        assert lowered.cost_analysis()["flops"] > 0
        with pytest.raises(ValueError, match="dialect must be"):
            lowered.compiler_ir("mhlo")

    def test_compiled(self):
        compiled = jx.jit(affine).lower({"w": STRUCT}, STRUCT).compile()
        out = compiled({"w": X}, X)
        np.testing.assert_allclose(out["y"], X * X)
        assert "HloModule" in compiled.as_text()
        assert compiled.memory_analysis().argument_size_in_bytes == 24
        assert compiled.cost_analysis()["flops"] > 0
        assert compiled.runtime_executable().local_devices() == [jx.devices()[0]]
        assert compiled.output_shardings["n"].device_set == {jx.devices()[0]}
        np.testing.assert_allclose(compiled.call({"w": X}, X)["n"], 6.0)

    def test_from_types_alone(self):
        struct = jx.ShapeDtypeStruct((2, 2), jnp.bfloat16)
        compiled = jx.jit(lambda x: x @ x).lower(struct).compile()
        assert compiled(jnp.ones((2, 2), jnp.bfloat16)).dtype == jnp.bfloat16
        keys = jx.random.key(0)
        draw = jx.jit(lambda k: jx.random.uniform(k, (2,))).lower(keys).compile()
        np.testing.assert_array_equal(draw(keys), jx.random.uniform(keys, (2,)))

    def test_compiler_options(self):
        lowered = jx.jit(jnp.exp).lower(STRUCT)
        lowered.compile({"xla_cpu_enable_fast_math": True})(X)
        with pytest.raises(jx.errors.JaxRuntimeError, match=r"while compiling exp for \(f32\[3\]"):
            lowered.compile({"no_such": True})

    def test_other_devices(self):
        other = jx.devices()[2]
        lowered = jx.jit(lambda x: x * 2).lower(X)
        compiled = lowered.compile(device_assignment=[other])
        assert compiled(X).devices() == {other}
        with pytest.raises(ValueError, match="has 2 devices, and the program was lowered for 1"):
            lowered.compile(device_assignment=jx.devices()[:2])

    def test_shardings(self, mesh):
        split = jx.NamedSharding(mesh, jx.P("x"))
        struct = jx.ShapeDtypeStruct((8,), np.float32, sharding=split)
        compiled = jx.jit(lambda x: x * 2).lower(struct).compile()
        assert compiled.input_shardings == ((split,), {})
        x = jx.device_put(np.arange(8, dtype=np.float32), split)
        for _ in range(2):
            assert compiled(x).sharding.is_equivalent_to(split, 1)
        elsewhere = jx.device_put(np.arange(8, dtype=np.float32), jx.devices()[7])
        with pytest.raises(ValueError, match="argument x of type f32\\[8\\] lies as"):
            compiled(elsewhere)

    def test_nested_and_closed_over(self):
        table = jnp.arange(1000.0)

        @jx.jit
        def inner(i):
            return table[i]

        compiled = jx.jit(lambda i: inner(i) + inner(i + 1)).lower(3).compile()
        assert float(compiled(3)) == 7.0
        assert float(compiled(10)) == 21.0

    def test_a_compiled_program_calls_as_fast_as_jit(self):
        compiled = jx.jit(lambda x: x + 1).lower(X).compile()
        x = jnp.asarray(X)
        compiled(x)
        assert compiled.call._cache_size() == 1  # the dispatcher has it: no Python runs


class TestRefusals:
    @pytest.fixture
    def compiled(self):
        jitted = jx.jit(affine, static_argnames="scale", donate_argnums=0)
        return jitted.lower({"w": STRUCT}, STRUCT, scale=2).compile()

    def test_other_types_are_all_named(self, compiled):
        with pytest.raises(TypeError) as caught:
            compiled({"w": X[:2]}, X.astype(np.int32))
        text = str(caught.value)
        assert "argument params['w'] has type f32[2], compiled for f32[3]" in text
        assert "argument x has type i32[3], compiled for f32[3]" in text

    def test_another_tree(self, compiled):
        with pytest.raises(TypeError, match=r"args\[0\] of affine was a dict with keys \['w'\]"):
            compiled({"v": X}, X)

    def test_static_arguments_are_left_out(self, compiled):
        np.testing.assert_allclose(compiled({"w": X}, X)["y"], 2 * X * X)
        with pytest.raises(TypeError, match="scale is static: it is part of the program"):
            compiled({"w": X}, X, scale=2)
        positional = jx.jit(lambda x, n: x * n, static_argnums=1).lower(X, 3).compile()
        np.testing.assert_allclose(positional(X), 3 * X)
        with pytest.raises(TypeError, match=r"positions \[1\] are static"):
            positional(X, 3)

    def test_no_arrays(self, compiled):
        with pytest.raises(TypeError, match="argument x of affine: Value 'two'"):
            compiled({"w": X}, "two")

    @pytest.mark.parametrize(
        "transform",
        [
            lambda f: jx.vmap(f)(np.stack([X, X])),
            lambda f: jx.grad(lambda x: f(x)["n"])(X),
            lambda f: jx.jit(f)(X),
            lambda f: jx.lax.scan(lambda c, x: (c, f(x)), 0.0, np.stack([X, X])),
        ],
        ids=["vmap", "grad", "jit", "scan"],
    )
    def test_transformations(self, compiled, transform):
        with pytest.raises(TypeError, match="Cannot apply JAX transformations") as caught:
            transform(lambda x: compiled({"w": X}, x))
        assert "got a traced f32[3]" in str(caught.value)

    def test_donated_buffers_are_gone(self, compiled):
        w = jnp.asarray(X)
        for _ in range(2):
            compiled({"w": w}, X)
            with pytest.raises(RuntimeError, match="donated"):
                compiled({"w": w}, X)
            w = jnp.asarray(X) + 0

    def test_an_enclosing_trace(self):
        def outer(x):
            return jx.jit(lambda y: x + y).lower(1.0)

        with pytest.raises(TypeError, match="closes over traced values"):
            jx.jit(outer)(1.0)

    def test_the_numpy_back_end_has_no_compiler(self):
        from jx_core import backend

        with backend.use("numpy"), pytest.raises(jx.errors.BackendError, match="can't lower"):
            jx.jit(jnp.sin).lower(X)


def train_step(state, x, lr):
    loss = lambda w: ((w @ x) ** 2).sum()  # noqa: E731
    return state - lr * jx.grad(loss)(state), loss(state)


class TestSerialized:
    def test_bytes_and_trees(self):
        compiled = jx.jit(train_step, static_argnums=2).lower(np.eye(3, dtype="f4"), X, 0.1)
        payload, in_tree, out_tree = serialize_executable.serialize(compiled.compile())
        assert isinstance(payload, bytes)
        loaded = serialize_executable.deserialize_and_load(payload, in_tree, out_tree)
        state = np.eye(3, dtype=np.float32)
        for got, expected in zip(loaded(state, X), train_step(state, X, 0.1), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5)

    def test_what_is_known_of_it_survives(self, mesh):
        split = jx.NamedSharding(mesh, jx.P("x"))
        jitted = jx.jit(lambda x, y: (x * 2, y), in_shardings=(split, None), donate_argnums=0)
        compiled = jitted.lower(jx.ShapeDtypeStruct((8,), "f4"), 1.0).compile()
        loaded = stages.load(compiled.serialize())
        for field in ("args_info", "donate_argnums", "in_avals", "in_tree", "out_tree", "out_info",
                      "input_shardings", "output_shardings"):  # fmt: skip
            assert getattr(loaded, field) == getattr(compiled, field), field
        x = jx.device_put(np.arange(8, dtype=np.float32), split)
        np.testing.assert_array_equal(loaded(x, 1.0)[0], 2 * np.arange(8))
        assert x.is_deleted()
        with pytest.raises(TypeError, match="argument y has type f32"):
            loaded(jx.device_put(np.arange(8, dtype=np.float32), split), X)

    def test_large_constants_and_keys(self):
        table = np.arange(5000, dtype=np.float32)
        f = jx.jit(lambda k, i: (jx.random.split(k), jnp.asarray(table)[i]))
        data = f.lower(jx.random.key(1), 7).compile().serialize()
        keys, item = stages.load(data)(jx.random.key(1), 4321)
        assert float(item) == 4321.0
        np.testing.assert_array_equal(
            jx.random.key_data(keys), jx.random.key_data(jx.random.split(jx.random.key(1)))
        )

    def test_onto_other_devices(self):
        data = jx.jit(lambda x: x + 1).lower(X).compile().serialize()
        other = jx.devices()[5]
        assert stages.load(data, execution_devices=[other])(X).devices() == {other}
        with pytest.raises(ValueError, match="for 1 devices, and execution_devices has 2"):
            stages.load(data, execution_devices=jx.devices()[:2])

    def test_bytes_that_are_not_whole(self):
        data = jx.jit(lambda x: x + 1).lower(X).compile().serialize()
        for bad, why in (
            (data[:-5], "checksum"),
            (data[:60] + bytes([data[60] ^ 1]) + data[61:], "checksum"),
            (b"something else entirely, and long enough", "no serialized executable"),
            (b"", "no serialized executable"),
            (data[:8] + b"\x09" + data[9:], "in format 9"),
        ):
            with pytest.raises(ValueError, match=why):
                stages.load(bad)
        with pytest.raises(TypeError, match="is bytes, got"):
            stages.load("text")

    def test_other_machines(self, monkeypatch):
        data = jx.jit(lambda x: x + 1).lower(X).compile().serialize()
        from jx_xla import serialize_executable as module

        monkeypatch.setattr(module.executables, "jaxlib_version", "0.99.0")
        with pytest.raises(ValueError, match=r"compiled for jaxlib '0\.1.*\(here '0.99.0'\)"):
            stages.load(data)
        monkeypatch.undo()
        monkeypatch.setattr(module, "host_facts", lambda: ("riscv", "", "", ""))
        with pytest.raises(ValueError, match="a CPU of another model or instruction set"):
            stages.load(data)

    def test_a_node_type_that_can_not_be_pickled(self):
        class Local:
            def __init__(self, x):
                self.x = x

        jx.tree_util.register_pytree_node(Local, lambda n: ((n.x,), None), lambda _, c: Local(*c))
        compiled = jx.jit(lambda n: n.x * 2).lower(Local(X)).compile()
        with pytest.raises(ValueError, match="gives the trees apart"):
            compiled.serialize()
        parts = serialize_executable.serialize(compiled)
        np.testing.assert_array_equal(
            serialize_executable.deserialize_and_load(*parts)(Local(X)), 2 * X
        )
        with pytest.raises(ValueError, match="have no trees"):
            stages.load(parts[0])

    def test_in_a_new_process(self, tmp_path):
        """Saved by one process, with a node type of the user's; loaded and run by another."""
        (tmp_path / "mine.py").write_text(
            textwrap.dedent("""
                import dataclasses, jx
                @jx.tree_util.register_dataclass
                @dataclasses.dataclass
                class Pair:
                    a: object
                    b: object
            """)
        )
        save = """
            import pickle, jx, jx.numpy as jnp, mine
            from jx.experimental.serialize_executable import serialize
            f = jx.jit(lambda p: mine.Pair(p.a @ p.b, jx.lax.linalg.cholesky(p.a)))
            compiled = f.lower(mine.Pair(jnp.eye(2), jnp.eye(2))).compile()
            with open("saved", "wb") as file:
                pickle.dump((compiled.serialize(), serialize(compiled)), file)
        """
        use = """
            import pickle, jx, jx.numpy as jnp, mine
            from jx.experimental.serialize_executable import deserialize_and_load
            with open("saved", "rb") as file:
                whole, parts = pickle.load(file)
            for f in (jx.stages.load(whole), deserialize_and_load(*parts)):
                out = f(mine.Pair(4 * jnp.eye(2), jnp.ones((2, 2))))
                print(type(out).__name__, out.a.tolist(), out.b.tolist())
        """
        for code in (save, use):
            done = subprocess.run(
                [sys.executable, "-c", textwrap.dedent(code)],
                cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
        line = "Pair [[4.0, 4.0], [4.0, 4.0]] [[2.0, 0.0], [0.0, 2.0]]"
        assert done.stdout.splitlines() == [line, line]

    def test_what_is_serialized_can_be_pickled(self):
        compiled = jx.jit(lambda x: {"a": x}).lower(X).compile()
        parts = pickle.loads(pickle.dumps(serialize_executable.serialize(compiled)))
        assert serialize_executable.deserialize_and_load(*parts)(X)["a"].shape == (3,)
