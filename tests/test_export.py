"""Functions exported as bytes: what goes in comes out, in this process and in others."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import subprocess
import sys
import weakref
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import export, lax, tree
from jx.errors import BackendError
from jx_core import Primitive, backend
from jx_core.effects import Effect
from jx_core.jaxpr import read_value, write_value
from jx_xla.export import encoding

X = np.linspace(-1.0, 1.0, 12, dtype=np.float32).reshape(3, 4)
PARAMS = {"w": np.linspace(0.1, 0.8, 8, dtype=np.float32).reshape(4, 2), "b": np.float32(0.5)}


@jx.jit
def model(params, x, *, scale):
    return {"y": jnp.tanh(x @ params["w"]) * scale + params["b"], "best": jnp.argmax(x)}


def exported_model(**options):
    return export.export(model, **options)(PARAMS, X, scale=2.0)


def reloaded(exported, vjp_order=0):
    return export.deserialize(exported.serialize(vjp_order))


def assert_same(a, b, **tolerance):
    assert tree.structure(a) == tree.structure(b)
    for x, y in zip(tree.leaves(a), tree.leaves(b), strict=True):
        assert np.asarray(x).dtype == np.asarray(y).dtype
        np.testing.assert_allclose(x, y, **{"rtol": 1e-6, **tolerance})


def energy(function):
    return lambda params, x=X: jnp.sum(function(params, x, scale=2.0)["y"] ** 2)


class TestExported:
    def test_it_says_what_it_is(self):
        exported = exported_model()
        assert exported.fun_name == "model"
        assert repr(exported) == "Exported(fun_name=model, ...)"
        assert [a.str_short() for a in exported.in_avals] == ["f32[]", "f32[4,2]", "f32[3,4]"] + [
            "f32[]"
        ]
        assert exported.in_tree == tree.structure(((PARAMS, X), {"scale": 2.0}))
        assert exported.out_tree == tree.structure({"y": 0, "best": 0})
        assert [a.str_short() for a in exported.out_avals] == ["i32[]", "f32[3,2]"]
        assert exported.platforms == (export.default_export_platform(),)
        assert exported.nr_devices == 1
        assert exported.in_shardings_hlo == (None,) * 4
        assert exported.module_kept_var_idx == (0, 1, 2, 3)
        assert not exported.uses_global_constants
        low = export.minimum_supported_calling_convention_version
        high = export.maximum_supported_calling_convention_version
        assert low <= exported.calling_convention_version <= high
        assert "stablehlo.tanh" in exported.mlir_module()
        assert exported.mlir_module(serialized=False).operation.name == "builtin.module"

    def test_descriptions_serve_in_place_of_arrays(self):
        described = tree.map(lambda x: jx.ShapeDtypeStruct(np.shape(x), np.float32), PARAMS)
        exported = export.export(model)(described, jx.ShapeDtypeStruct((3, 4), np.float32), scale=2)
        assert exported.in_avals[2].shape == (3, 4)

    def test_unused_arguments_stay_in_the_signature(self):
        exported = reloaded(export.export(jx.jit(lambda x, y: x + 1))(X, X))
        assert exported.module_kept_var_idx == (0,)
        assert_same(exported.call(X, X), jnp.asarray(X + 1))
        with pytest.raises(ValueError, match=r"Shape mismatch for args\[1\]"):
            exported.call(X, X[:1])

    def test_static_arguments_are_part_of_the_program(self):
        def power(n, x, *, sign):
            return sign * x**n

        jitted = jx.jit(power, static_argnums=0, static_argnames="sign")
        exported = reloaded(export.export(jitted)(3, X, sign=-1))
        assert_same(exported.call(X), jnp.asarray(-(X**3)))

    def test_large_arrays_closed_over_come_along(self):
        table = jnp.asarray(np.random.default_rng(0).normal(size=(100, 100)), np.float32)
        exported = reloaded(export.export(jx.jit(lambda i: table[i]))(3))
        assert_same(exported.call(5), table[5])

    def test_typed_keys_are_arguments_and_results(self):
        def draw(key):
            return jx.random.normal(key, (3,)), jx.random.split(key)

        exported = reloaded(export.export(jx.jit(draw))(jx.random.key(0)))
        values, keys = exported.call(jx.random.key(7))
        assert_same(values, jx.random.normal(jx.random.key(7), (3,)))
        expected = jx.random.key_data(jx.random.split(jx.random.key(7)))
        np.testing.assert_array_equal(jx.random.key_data(keys), expected)

    @pytest.mark.parametrize(
        "dtype", ["bool", "int8", "uint16", "float16", "bfloat16", "complex64", "float8_e4m3fn"]
    )
    def test_dtypes_come_back(self, dtype):
        x = jnp.array([0, 1, 1]).astype(dtype)
        exported = reloaded(export.export(jx.jit(lambda x: x[::-1]))(x))
        assert exported.call(x).dtype == x.dtype
        np.testing.assert_array_equal(exported.call(x).astype(float), [1, 1, 0])

    def test_weak_types_come_back(self):
        exported = reloaded(export.export(jx.jit(lambda x, y: (x, y)))(1.0, np.float32(1)))
        assert [a.weak_type for a in exported.in_avals] == [True, False]
        weak, strong = exported.call(1.0, np.float32(1))
        assert weak.weak_type
        assert not strong.weak_type

    def test_functions_of_one_name_from_two_modules_don_t_meet(self):
        def scanned(k):
            def body(c, _):
                return k * c, None

            return lambda x: lax.scan(body, x, None, length=3)[0]

        once, twice = (reloaded(export.export(jx.jit(scanned(k)))(2.0)) for k in (2.0, 3.0))
        both = jx.jit(lambda x: once.call(x) + twice.call(x) + scanned(5.0)(x))
        assert float(both(1.0)) == 8 + 27 + 125

    def test_an_export_is_collected_when_nobody_holds_it(self):
        exported = exported_model()
        exported.call(PARAMS, X, scale=2.0)
        jx.grad(energy(exported.call))(PARAMS)
        gone = weakref.ref(exported)
        del exported
        gc.collect()
        assert gone() is None

    def test_array_functions_are_exported_as_they_are(self):
        x = jnp.arange(3.0)
        assert export.export(jnp.sin)(x).fun_name == "sin"
        np.testing.assert_array_equal(export.export(jnp.sum)(x, axis=0).call(x), 3)
        np.testing.assert_array_equal(export.export(jnp.add)(x, x).call(x, x), x + x)
        with pytest.raises(ValueError, match="must be the result of `jit`"):
            export.export(jx.vmap(jnp.sin))

    def test_what_is_no_jit_function_is_refused(self):
        with pytest.raises(ValueError, match=r"must be the result of `jit`.*jx.export.export\(jx"):
            export.export(lambda x: x)


class TestCall:
    @pytest.mark.parametrize("how", [lambda f: f, jx.jit, lambda f: jx.jit(jx.jit(f))])
    @pytest.mark.parametrize("again", [lambda e: e, reloaded])
    def test_gives_what_the_function_gives(self, again, how):
        exported = again(exported_model())
        assert_same(how(exported.call)(PARAMS, X, scale=2.0), model(PARAMS, X, scale=2.0))

    def test_in_a_scan_and_its_gradient(self):
        exported = reloaded(exported_model(), 1)

        def total(function, x):
            def step(c, _):
                return c + jnp.sum(function(PARAMS, c, scale=0.5)["y"]), None

            return jnp.sum(lax.scan(step, x, None, length=3)[0])

        assert_same(total(exported.call, X), total(model, X))
        gradients = [jx.grad(lambda x, f=f: total(f, x))(X) for f in (exported.call, model)]
        assert_same(*gradients, rtol=1e-5)

    def test_in_cond(self):
        exported = exported_model()

        @jx.jit
        def choose(flag):
            call = lambda: exported.call(PARAMS, X, scale=2.0)["y"]  # noqa: E731
            return lax.cond(flag, call, lambda: X[:, :2])

        assert_same(choose(True), model(PARAMS, X, scale=2.0)["y"])
        assert_same(choose(False), jnp.asarray(X[:, :2]))

    def test_in_another_export(self):
        inner = reloaded(exported_model(), 1)
        outer = export.export(jx.jit(lambda p: inner.call(p, X, scale=2.0)["y"] + 1))(PARAMS)
        outer = reloaded(outer, 1)
        assert_same(outer.call(PARAMS), model(PARAMS, X, scale=2.0)["y"] + 1)
        slopes = jx.grad(lambda p: jnp.sum(outer.call(p) ** 2))(PARAMS)
        expected = jx.grad(lambda p: jnp.sum((model(p, X, scale=2.0)["y"] + 1) ** 2))(PARAMS)
        assert_same(slopes, expected, rtol=1e-5)

    def test_calls_are_equations_of_programs(self):
        exported = exported_model()
        jaxpr = jx.make_jaxpr(exported.call)(PARAMS, X, scale=2.0)
        assert [e.primitive.name for e in jaxpr.eqns] == ["call_exported"]
        written = write_value(jaxpr.eqns[0].params["exported"])
        assert f"call_exported[exported={written}]" in str(jaxpr)
        assert read_value(written) is exported

    @pytest.mark.parametrize(
        ("args", "kwargs", "message"),
        [
            ((PARAMS, X), {}, r"kwargs as called .* kwargs as exported"),
            (
                ({"w": X}, X),
                {"scale": 1.0},
                r"must have the same pytree structure as when the function 'model' was exported",
            ),
            (
                (PARAMS, X.T),
                {"scale": 1.0},
                r"Shape mismatch for args\[1\]: model was exported for f32\[3,4\] and is called "
                r"with f32\[4,3\]",
            ),
            ((PARAMS, X), {"scale": 1}, r"Dtype mismatch for kwargs\['scale'\]: expected float32"),
        ],
    )
    def test_other_arguments_are_refused_by_name(self, args, kwargs, message):
        with pytest.raises(ValueError, match=message):
            exported_model().call(*args, **kwargs)

    def test_vmap_says_what_to_do_instead(self):
        exported = exported_model()
        with pytest.raises(NotImplementedError, match=r"Export the function under vmap.*lax.map"):
            jx.vmap(lambda x: exported.call(PARAMS, x, scale=2.0))(X[None])
        mapped = lax.map(lambda x: exported.call(PARAMS, x, scale=2.0)["y"], np.stack([X, 2 * X]))
        assert_same(mapped[1], model(PARAMS, 2 * X, scale=2.0)["y"])

    def test_the_numpy_back_end_says_that_it_can_t(self):
        exported = exported_model()
        with backend.use("numpy"):
            with pytest.raises(BackendError, match="model is a program for XLA"):
                exported.call(PARAMS, X, scale=2.0)
            with pytest.raises(BackendError, match="can't lower"):
                exported_model()


class TestGradients:
    def test_orders_that_were_kept(self):
        exported = reloaded(exported_model(), 2)
        assert exported.has_vjp()
        assert exported.vjp().has_vjp()
        assert not exported.vjp().vjp().has_vjp()
        for how in (lambda f: f, jx.jit):
            found = how(jx.grad(energy(exported.call)))(PARAMS)
            assert_same(found, jx.grad(energy(model))(PARAMS), rtol=1e-5)

        def slope(function):
            return jx.grad(lambda p: jnp.sum(jx.grad(energy(function))(p)["w"] ** 2))(PARAMS)

        assert_same(slope(exported.call), slope(model), rtol=1e-4)

    def test_orders_that_were_not(self):
        exported = reloaded(exported_model())
        assert not exported.has_vjp()
        for attempt in (exported.vjp, lambda: jx.grad(energy(exported.call))(PARAMS)):
            with pytest.raises(ValueError, match=r"No VJP is available.*serialize\(vjp_order=1\)"):
                attempt()
        with pytest.raises(ValueError, match="No VJP is available"):
            exported.serialize(vjp_order=1)

    def test_the_derivative_takes_leaves_and_cotangents(self):
        vjp = exported_model().vjp()
        names = [a.str_short() for a in vjp.in_avals]
        assert names == ["f32[]", "f32[4,2]", "f32[3,4]", "f32[]", "float0[]", "f32[3,2]"]
        assert [a.shape for a in vjp.out_avals] == [(), (4, 2), (3, 4), ()]
        none = np.zeros((), jx.float0)
        b, w, x, _ = vjp.call(PARAMS["b"], PARAMS["w"], X, 2.0, none, np.ones((3, 2), np.float32))
        _, pull = jx.vjp(lambda p, x: model(p, x, scale=2.0)["y"], PARAMS, X)
        params, expected = pull(jnp.ones((3, 2)))
        assert_same([b, w, x], [params["b"], params["w"], expected], rtol=1e-5)

    def test_integers_have_none(self):
        exported = reloaded(export.export(jx.jit(lambda x, n: (x * n, n)))(2.0, 3), 1)
        value, slope = jx.value_and_grad(lambda x: exported.call(x, 3)[0])(2.0)
        assert (float(value), float(slope)) == (6.0, 3.0)

    def test_forward_mode_says_that_it_can_t(self):
        exported = exported_model()
        with pytest.raises(TypeError, match="forward-mode.*the exported function model"):
            jx.jvp(lambda x: exported.call(PARAMS, x, scale=2.0)["y"], (X,), (X,))

    def test_a_rule_of_its_own_is_kept(self):
        @jx.custom_vjp
        def f(x):
            return jnp.sin(x)

        f.defvjp(lambda x: (f(x), x), lambda x, ct: (100.0 * ct,))
        exported = reloaded(export.export(jx.jit(f))(1.0), 1)
        assert float(jx.grad(exported.call)(1.0)) == 100.0

    @pytest.mark.parametrize("order", [-1, 1.5, True])
    def test_what_is_no_order_is_refused(self, order):
        with pytest.raises(ValueError, match="vjp_order must be an integer of at least 0"):
            exported_model().serialize(order)


class TestPlatforms:
    ALL = ("tpu", "cpu", "cuda")

    def test_one_module_serves_several(self):
        def f(x):
            def body(c, _):
                return c + jnp.argmax(c), lax.linalg.cholesky(x @ x.T + jnp.eye(3))

            return lax.scan(body, x, None, length=2)

        exported = export.export(jx.jit(f), platforms=self.ALL)(X)
        assert exported.platforms == self.ALL
        assert exported.uses_global_constants
        text = exported.mlir_module()
        assert 'jax.global_constant = "_platform_index"' in text
        assert "lapack_spotrf_ffi" in text
        assert "cusolver_potrf_ffi" in text
        assert_same(reloaded(exported).call(X), jx.jit(f)(X), rtol=1e-5)
        slopes = [jx.grad(lambda x, f=f: jnp.sum(f(x)[1]))(X) for f in (exported.call, f)]
        assert_same(*slopes, rtol=1e-4)

    def test_what_is_alike_is_written_once(self):
        exported = export.export(jx.jit(lambda x: jnp.sin(x) @ x.T), platforms=self.ALL)(X)
        assert "stablehlo.case" not in exported.mlir_module()
        assert exported.mlir_module().count("stablehlo.sine") == 1

    def test_a_caller_takes_its_own_platform_s_part_alone(self):
        exported = export.export(jx.jit(lax.linalg.cholesky), platforms=self.ALL)(np.eye(3))
        text = jx.jit(exported.call).lower(np.eye(3)).as_text()
        assert "lapack_spotrf_ffi" in text
        assert "cusolver" not in text
        assert "stablehlo.case" not in text

    def test_exports_for_several_platforms_call_each_other(self):
        inner = export.export(jx.jit(lax.linalg.cholesky), platforms=self.ALL)(np.eye(3))
        outer = jx.jit(lambda x: inner.call(x) + 1)
        exported = export.export(outer, platforms=("cuda", "cpu"))(np.eye(3))
        assert_same(reloaded(exported).call(4 * np.eye(3)), jnp.asarray(2 * np.eye(3) + 1))
        with pytest.raises(ValueError, match="exported for platforms 'tpu, cpu, cuda'.*'rocm'"):
            export.export(outer, platforms=("cpu", "rocm"))(np.eye(3))

    def test_another_platform_is_refused_unless_the_check_is_disabled(self):
        exported = exported_model(platforms=["tpu"])
        message = "'model' was exported for platforms 'tpu' but it is used on 'cpu'"
        with pytest.raises(ValueError, match=message):
            exported.call(PARAMS, X, scale=2.0)
        unchecked = [export.DisabledSafetyCheck.platform()]
        exported = reloaded(exported_model(platforms=["tpu"], disabled_checks=unchecked))
        assert_same(exported.call(PARAMS, X, scale=2.0), model(PARAMS, X, scale=2.0))

    @pytest.mark.parametrize(
        ("platforms", "message"),
        [(["foo"], "unknown platform 'foo'"), ("cpu", "got the string"), ([], "at least one"),
         (["cpu", "cpu"], "must be different")],
    )  # fmt: skip
    def test_what_are_no_platforms_is_refused(self, platforms, message):
        with pytest.raises(ValueError, match=message):
            export.export(model, platforms=platforms)

    def test_lowering_ahead_of_time_for_other_platforms(self):
        traced = jx.jit(lax.linalg.cholesky).trace(np.eye(3))
        assert "cusolver_potrf_ffi" in traced.lower(lowering_platforms=("cuda",)).as_text()
        both = traced.lower(lowering_platforms=("cuda", "cpu"))
        assert_same(both.compile()(np.eye(3, dtype=np.float32)), jnp.eye(3))
        with pytest.raises(ValueError, match="lowered for tpu, and can't be compiled for cpu"):
            traced.lower(lowering_platforms=("tpu",)).compile()


class TestSymbolicShapes:
    @pytest.fixture(params=[None, ("tpu", "cpu")], ids=["one platform", "two"])
    def exported(self, request):
        (b,) = export.symbolic_shape("b", constraints=["b >= 2"])
        many = jx.ShapeDtypeStruct((b, 4), np.float32)
        return export.export(model, platforms=request.param)(PARAMS, many, scale=2.0)

    def test_one_export_serves_many_shapes(self, exported):
        exported = reloaded(exported, 1)
        assert str(exported.in_avals[2].shape) == "(b, 4)"
        assert str(exported.out_avals[1].shape) == "(b, 2)"
        for n in (2, 5):
            x = np.linspace(-1, 1, 4 * n, dtype=np.float32).reshape(n, 4)
            assert_same(exported.call(PARAMS, x, scale=2.0), model(PARAMS, x, scale=2.0))
            slopes = [jx.grad(energy(f))(PARAMS, x) for f in (exported.call, model)]
            assert_same(*slopes, rtol=1e-5)

    def test_constraints_travel(self, exported):
        exported = reloaded(exported)
        with pytest.raises(ValueError, match="constraint b >= 2: the left side is 1"):
            exported.call(PARAMS, X[:1], scale=2.0)
        with pytest.raises(ValueError, match=r"Rank mismatch for args\[1\]"):
            exported.call(PARAMS, X[0], scale=2.0)

    def test_in_an_export_with_a_dimension_of_its_own(self, exported):
        (c,) = export.symbolic_shape("c", constraints=["c >= 4"])
        x = jx.ShapeDtypeStruct((c, 4), np.float32)
        outer = jx.jit(lambda x: 2 * exported.call(PARAMS, x, scale=2.0)["y"])
        outer = reloaded(export.export(outer)(x))
        assert str(outer.out_avals[0].shape) == "(c, 2)"
        x = np.ones((6, 4), np.float32)
        assert_same(outer.call(x), 2 * model(PARAMS, x, scale=2.0)["y"])


@pytest.mark.skipif(len(jx.devices()) < 8, reason="needs 8 devices (JX_NUM_CPU_DEVICES=8)")
class TestSeveralDevices:
    @pytest.fixture
    def mesh(self):
        return jx.make_mesh((4, 2), ("rows", "columns"))

    @pytest.fixture
    def exported(self, mesh):
        split = jx.NamedSharding(mesh, jx.P("rows"))
        other = jx.NamedSharding(mesh, jx.P("columns", "rows"))
        jitted = jx.jit(
            lambda x, y: jnp.sin(x) + y, in_shardings=(split, None), out_shardings=other
        )
        x = jx.ShapeDtypeStruct((8, 4), np.float32)
        return reloaded(export.export(jitted)(x, x), 1)

    def test_shardings_travel(self, exported, mesh):
        assert exported.nr_devices == 8
        placed, free = exported.in_shardings_jax(mesh)
        assert free is None
        assert placed == jx.NamedSharding(mesh, jx.P("rows"))
        (result,) = exported.out_shardings_jax(mesh)
        assert result == jx.NamedSharding(mesh, jx.P("columns", "rows"))
        x = jnp.arange(32.0).reshape(8, 4)
        for how in (lambda f: f, jx.jit):
            out = how(exported.call)(jx.device_put(x, placed), x)
            assert_same(out, jnp.sin(x) + x)
            assert out.sharding == result

    def test_gradients_lie_as_the_arguments(self, exported, mesh):
        placed = exported.in_shardings_jax(mesh)[0]
        x = jx.device_put(jnp.arange(32.0).reshape(8, 4), placed)
        slope = jx.grad(lambda x: jnp.sum(exported.call(x, jnp.ones((8, 4)))))(x)
        assert_same(slope, jnp.cos(x), rtol=1e-5)
        assert slope.sharding == placed

    def test_other_axes_of_the_same_devices_will_do(self, exported):
        line = jx.make_mesh((8,), ("all",))
        x = jnp.arange(32.0).reshape(8, 4)
        out = exported.call(jx.device_put(x, jx.NamedSharding(line, jx.P("all"))), x)
        assert_same(out, jnp.sin(x) + x)

    def test_another_number_of_devices_is_refused(self, exported):
        x = jnp.ones((8, 4))
        with pytest.raises(ValueError, match="exported for 8 devices.*context with 1 device:"):
            exported.call(x, x)
        few = jx.make_mesh((2,), ("some",), devices=jx.devices()[:2])
        with pytest.raises(ValueError, match="exported for 8 device.*the mesh has 2"):
            exported.in_shardings_jax(few)

    def test_a_function_for_one_device_runs_on_many(self, mesh):
        exported = export.export(jx.jit(lambda x: 2 * x))(np.ones((8, 4), np.float32))
        x = jx.device_put(jnp.ones((8, 4)), jx.NamedSharding(mesh, jx.P("rows")))
        assert_same(exported.call(x), 2 * x)


class Noted(Effect):
    """An effect of this file's own."""


class NotedInOrder(Effect):
    """An ordered one."""

    ordered = True


noted_p = Primitive(
    "test_export_noted",
    abstract=lambda x: x,
    decompose=lambda x: lax.mul(x, lax.full_like(x, 2)),
    effects=lambda: frozenset({Noted(), NotedInOrder()}),
)


def calls(target):
    def rule(ctx, x):
        kind = "tensor<3x4xf32>"
        return ctx.block.op(
            "stablehlo.custom_call", [x], [kind], kind, f'call_target_name = "{target}"'
        )

    return [(lax.sin_p, rule)]


class TestSafety:
    def test_native_functions_without_a_guarantee_are_refused_by_name(self):
        square = np.eye(4, dtype=np.float32)

        def pivoted(x):
            return lax.linalg.qr(x, pivoting=True)[0]

        with pytest.raises(ValueError, match="no compatibility guarantees: lapack_sgeqp3_ffi"):
            export.export(jx.jit(pivoted))(square)
        allowed = export.DisabledSafetyCheck.custom_call("lapack_sgeqp3_ffi")
        exported = reloaded(export.export(jx.jit(pivoted), disabled_checks=[allowed])(square))
        assert exported.disabled_safety_checks == (allowed,)
        assert_same(exported.call(square), jx.jit(pivoted)(square))

    def test_rules_may_be_overridden_and_are_checked_too(self):
        how = {"_override_lowering_rules": calls("my_kernel")}
        message = r"my_kernel, called by sin.*custom_call\('my_kernel'\)"
        with pytest.raises(ValueError, match=message):
            export.export(jx.jit(lax.sin), **how)(X)
        allowed = [export.DisabledSafetyCheck.custom_call("my_kernel")]
        exported = export.export(jx.jit(lax.sin), disabled_checks=allowed, **how)(X)
        assert "@my_kernel" in exported.mlir_module()

    def test_calls_of_python_are_refused_even_where_a_check_is_disabled(self):
        target = "xla_ffi_python_cpu_callback"
        allowed = [export.DisabledSafetyCheck.custom_call(target)]
        with pytest.raises(ValueError, match="calls Python functions"):
            export.export(
                jx.jit(lax.sin), disabled_checks=allowed, _override_lowering_rules=calls(target)
            )(X)

    def test_host_callbacks_are_refused(self):
        def rule(ctx, x):
            ctx.module.host_callbacks.append(print)
            return x

        with pytest.raises(NotImplementedError, match="host_callbacks.*this process only"):
            export.export(jx.jit(lax.sin), _override_lowering_rules=[(lax.sin_p, rule)])(X)

    @pytest.mark.parametrize("platforms", [None, ("cpu", "cuda")])
    def test_what_prints_or_calls_back_is_refused(self, platforms):
        def printing(x):
            jx.debug.print("{x}", x=x)
            return x

        def calling(x):
            return jx.pure_callback(np.sin, jx.ShapeDtypeStruct((3, 4), np.float32), x)

        for f in (printing, calling):
            with pytest.raises((NotImplementedError, BackendError)):
                export.export(jx.jit(f), platforms=platforms)(X)

    def test_exported_functions_run_while_nans_are_looked_for(self):
        exported = exported_model()
        with jx.debug_nans(True):
            assert_same(exported.call(PARAMS, X, scale=2.0), model(PARAMS, X, scale=2.0))
            with pytest.raises(FloatingPointError):
                exported.call(PARAMS, X, scale=np.float32("nan"))

    def test_checks_are_values(self):
        make = export.DisabledSafetyCheck
        assert make.custom_call("a") == make.custom_call("a") != make.custom_call("b")
        assert len({make.platform(), make.platform(), make.custom_call("a")}) == 2
        assert make.custom_call("a").is_custom_call() == "a"
        assert make.platform().is_custom_call() is None
        assert eval(repr(make.custom_call("a")), {"DisabledSafetyCheck": make}) == (
            make.custom_call("a")
        )

    def test_effects_travel(self):
        exported = reloaded(export.export(jx.jit(noted_p.bind))(X))
        assert exported.unordered_effects == (Noted(),)
        assert exported.ordered_effects == (NotedInOrder(),)
        jaxpr = jx.make_jaxpr(exported.call)(X)
        assert jaxpr.effects == {Noted(), NotedInOrder()}
        # An equation with effects stays, used or not.
        assert "call_exported" in str(jx.make_jaxpr(lambda x: exported.call(x) * 0)(X))
        assert_same(exported.call(X), jnp.asarray(2 * X))


class Point(NamedTuple):
    x: object
    y: object


class Unregistered(NamedTuple):
    x: object


class Labelled:
    def __init__(self, value, label):
        self.value, self.label = value, label


jx.tree_util.register_pytree_node(
    Labelled, lambda n: ((n.value,), n.label), lambda label, children: Labelled(*children, label)
)
export.register_namedtuple_serialization(Point, serialized_name="test_export.Point")
export.register_pytree_node_serialization(
    Labelled,
    serialized_name="test_export.Labelled",
    serialize_auxdata=str.encode,
    deserialize_auxdata=bytes.decode,
)


class TestTrees:
    @pytest.mark.parametrize(
        "argument",
        [
            {"b": (X, [X, None]), "a": {}},
            OrderedDict([("z", X), ("a", X)]),
            Point(X, {"k": X}),
            [Labelled(X, "label"), ()],
        ],
        ids=["plain", "ordered", "namedtuple", "class"],
    )
    def test_arguments_and_results_of_all_kinds(self, argument):
        exported = reloaded(export.export(jx.jit(lambda a: tree.map(jnp.sin, a)))(argument), 1)
        assert_same(exported.call(argument), tree.map(jnp.sin, argument))

    def test_what_is_not_registered_is_refused(self):
        exported = export.export(jx.jit(lambda a: a))(Unregistered(X))
        with pytest.raises(ValueError, match="Unregistered.*register_namedtuple_serialization"):
            exported.serialize()
        exported = export.export(jx.jit(lambda a: a))({1: X})
        with pytest.raises(TypeError, match="only for dictionaries with string keys. Found key 1"):
            exported.serialize()

    def test_an_unknown_name_is_refused(self):
        blob = export.export(jx.jit(lambda a: a))(Point(X, X)).serialize()
        changed = resealed(blob, lambda text: text.replace(b"test_export.Point", b"unknown.Point"))
        with pytest.raises(ValueError, match=r"a node called 'unknown.Point'.*register"):
            export.deserialize(changed)

    def test_names_and_classes_are_registered_once(self):
        with pytest.raises(ValueError, match="Duplicate serialization registration for type"):
            export.register_namedtuple_serialization(Point, serialized_name="other")
        with pytest.raises(ValueError, match="for serialized_name 'test_export.Point'"):
            export.register_namedtuple_serialization(
                Unregistered, serialized_name="test_export.Point"
            )
        with pytest.raises(ValueError, match="expected a namedtuple class"):
            export.register_namedtuple_serialization(Labelled, serialized_name="other")


def resealed(blob, change):
    """The bytes with their description changed, under a checksum that is right."""
    rest = bytes(blob[encoding._HEAD.size :])
    length = int.from_bytes(rest[:4], "little")
    text = change(rest[4 : 4 + length])
    rest = len(text).to_bytes(4, "little") + text + rest[4 + length :]
    digest = hashlib.sha256(rest).digest()
    return encoding._HEAD.pack(encoding.MAGIC, encoding.VERSION, len(rest), digest) + rest


def edited(**facts):
    def change(text):
        described = json.loads(text)
        described["functions"][0].update(facts)
        return json.dumps(described).encode()

    return change


@pytest.fixture(scope="module")
def blob():
    return bytes(exported_model().serialize(1))


class TestBytes:
    def test_the_same_function_gives_the_same_bytes_again(self, blob):
        again = export.deserialize(bytearray(blob))
        assert bytes(again.serialize(1)) == blob
        assert isinstance(again.serialize(), bytearray)
        assert export.deserialize(memoryview(blob)).fun_name == "model"

    @pytest.mark.parametrize("length", [0, 5, 8, 20, 49, 50, 60, 500, -1])
    def test_cut_off(self, blob, length):
        with pytest.raises(ValueError, match="deserialize: (the bytes are cut off|this is no exp)"):
            export.deserialize(blob[:length])

    def test_followed_by_others(self, blob):
        with pytest.raises(ValueError, match="followed by others"):
            export.deserialize(blob + b"\n")

    def test_damaged_anywhere(self, blob):
        for place in range(0, len(blob), 97):
            damaged = bytearray(blob)
            damaged[place] ^= 0x10
            with pytest.raises(ValueError, match="deserialize: "):
                export.deserialize(damaged)

    def test_something_else(self):
        with pytest.raises(ValueError, match="this is no exported function of jx"):
            export.deserialize(b"PK\x03\x04" + bytes(100))
        with pytest.raises(TypeError, match="expected bytes, got str"):
            export.deserialize("model.jx")

    def test_a_newer_format(self, blob):
        newer = bytearray(blob)
        newer[8] = encoding.VERSION + 1
        with pytest.raises(ValueError, match="version 2 of the format.*load them with a newer jx"):
            export.deserialize(newer)

    def test_a_newer_calling_convention(self, blob):
        with pytest.raises(ValueError, match="calling convention 99, and this jx supports 9 to 10"):
            export.deserialize(resealed(blob, edited(calling_convention=99)))

    @pytest.mark.parametrize(
        "facts",
        [{"in_avals": []}, {"kept": [7]}, {"platforms": ["abacus"]}, {"devices": 0}, {"kept": None},
         {"module_bytes": 10**9}, {"module_bytes": 3}, {"in_tree": ["exec", "code"]}, {"name": []},
         {"in_avals": [["__import__('os')", [3], False]] * 4}, {"out_shardings": ["!", None]},
         {"unordered_effects": ["Unheard"]}, {"disabled_checks": [["everything", None]]}],
        ids=str,
    )  # fmt: skip
    def test_a_description_that_can_t_be(self, blob, facts):
        with pytest.raises(ValueError, match="deserialize|no tree|can't read|DisabledSafety"):
            export.deserialize(resealed(blob, edited(**facts))).call(PARAMS, X, scale=2.0)

    def test_a_description_that_is_not_of_its_module(self, blob):
        facts = {"in_avals": [["float32", [], True]] * 4}
        exported = export.deserialize(resealed(blob, edited(**facts)))
        with pytest.raises(ValueError, match="the module of the exported function model takes"):
            exported.call({"w": 1.0, "b": 1.0}, 1.0, scale=1.0)

    def test_older_stablehlo_can_read_the_module(self):
        from jx_xla.runtime import mlir

        current = mlir.stablehlo_version()
        artifact = exported_model().mlir_module_serialized
        assert artifact[:4] == b"ML\xefR"
        assert b"StableHLO_v" in artifact
        assert f"StableHLO_v{current}".encode() not in artifact


EXPORTER = """
import sys
from typing import NamedTuple
import numpy as np
import jx, jx.numpy as jnp
from jx import export

class Weights(NamedTuple):
    matrix: object
    offset: object

export.register_namedtuple_serialization(Weights, serialized_name="exporter.Weights")

@jx.jit
def layer(weights, x):
    return {"out": jnp.tanh(jnp.linalg.norm(x) * x @ weights.matrix + weights.offset)}

weights = Weights(np.arange(6.0, dtype=np.float32).reshape(3, 2) / 6, np.float32(0.5))
x = np.ones((4, 3), np.float32)
exported = export.export(layer, platforms=("cpu", "cuda"))(weights, x)
open(sys.argv[1], "wb").write(exported.serialize(vjp_order=1))
slope = jx.grad(lambda w: layer(w, x)["out"].sum())(weights).matrix
print(np.asarray(layer(weights, x)["out"]).tobytes().hex(), np.asarray(slope).tobytes().hex())
"""

LOADER = """
import sys
from collections import namedtuple
import numpy as np
import jx_xla
from jx_xla import export

Pair = namedtuple("Pair", "matrix offset")
export.register_namedtuple_serialization(Pair, serialized_name="exporter.Weights")
exported = export.deserialize(open(sys.argv[1], "rb").read())
weights = Pair(np.arange(6.0, dtype=np.float32).reshape(3, 2) / 6, np.float32(0.5))
x = np.ones((4, 3), np.float32)
out = exported.call(weights, x)["out"]
slope = exported.vjp().call(weights.matrix, weights.offset, x, np.ones((4, 2), np.float32))[0]
above = {"jx", "jx_ad", "jx_batching", "jx_numpy", "jx_parallel"} & set(sys.modules)
assert not above, above
print(np.asarray(out).tobytes().hex(), np.asarray(slope).tobytes().hex())
"""


def test_another_process_with_jx_xla_alone_gets_the_same_bits(tmp_path):
    def run(program):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "layer.jx")],
            capture_output=True, text=True, check=False, cwd=tmp_path, env=dict(os.environ),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    assert run(EXPORTER) == run(LOADER)
