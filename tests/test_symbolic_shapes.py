"""Functions traced with symbolic shapes: staged, transformed, lowered, refined and run.

The programs of `symbolic_programs` are lowered once each and run at several sizes; the result
must be that of the same function traced for these sizes. The algebra of dimensions has tests
of its own in jx-core.
"""

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import lax
from jx.errors import InconclusiveDimensionOperation
from jx_core.symbolic import (
    DimensionSolver,
    SymbolicScope,
    symbolic_args_specs,
    symbolic_shape,
)
from jx_core.symbolic.expressions import evaluate
from jx_xla.runtime.executables import compile_program
from jx_xla.symbolic import refine
from symbolic_programs import INT, PROGRAMS, SIZES, F


def spec(shape, dtype=F, **options):
    return jx.ShapeDtypeStruct(symbolic_shape(shape, **options), dtype)


def specs_of(program):
    scope = SymbolicScope(program.constraints)
    return [
        spec(shape, dtype, scope=scope)
        for shape, dtype in zip(program.shapes, program.dtypes, strict=True)
    ]


def run_refined(lowered, args):
    """What a program lowered with symbolic shapes gives for these arguments."""
    lowering = lowered._lowering
    taken = [jnp.asarray(x) for x, kept in zip(args, lowering.kept, strict=True) if kept]
    operands = [*lowering.consts, *taken]
    loaded = compile_program(refine(lowering.text, operands), [jx.devices()[0]])
    results = loaded.execute_sharded(operands).disassemble_into_single_device_arrays()
    return [np.asarray(r[0]) for r in results]


def at(shape, size):
    return tuple(evaluate(d, size) for d in shape)


def arguments(specs, size, seed=0):
    rng = np.random.default_rng(seed)
    least = min(size.values())
    return [
        rng.normal(size=at(s.shape, size)).astype(F)
        if s.dtype == F
        else rng.integers(0, least, size=at(s.shape, size)).astype(s.dtype)
        for s in specs
    ]


def check(function, specs, sizes=SIZES, tolerance=1e-5):
    traced = jx.jit(function).trace(*specs)
    lowered = traced.lower()
    for seed, size in enumerate(sizes):
        args = arguments(specs, size, seed)
        wanted = jx.tree.leaves(jx.jit(function)(*args))
        found = run_refined(lowered, args)
        assert len(found) == len(wanted)
        for got, want, aval in zip(found, wanted, traced.jaxpr.out_avals, strict=True):
            assert at(aval.shape, size) == got.shape == want.shape
            assert got.dtype == want.dtype
            close = {"rtol": tolerance, "atol": tolerance}
            np.testing.assert_allclose(got, np.asarray(want), **close, err_msg=str(size))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_lowered_once_runs_at_every_size(name):
    program = PROGRAMS[name]
    check(program.function, specs_of(program), tolerance=program.tolerance)


# --- types ---


def test_jaxprs_print_symbolic_types():
    b, n4 = symbolic_shape("b, 4*n")
    jaxpr = jx.make_jaxpr(lambda x: jnp.sin(x).reshape(-1) / x.shape[0])(
        jx.ShapeDtypeStruct((b, n4), F)
    )
    text = str(jaxpr)
    assert "f32[b,4*n]" in text and "f32[4*b*n]" in text
    assert "dim_as_value[dim=b]" in text


def test_eval_shape_gives_symbolic_dimensions():
    x = spec("b, n + 1")
    out = jx.eval_shape(lambda x: (x.T, jnp.concatenate([x, x], 1), x[:, 1:]), x)
    assert str([o.shape for o in out]) == "[(n + 1, b), (b, 2*n + 2), (b, n)]"


def test_types_with_symbolic_dimensions_are_interned_and_found_in_caches():
    (b,) = symbolic_shape("b")
    one, two = (jx.core.ShapedArray((b, 3), F) for _ in range(2))
    assert one is two and one.size == 3 * b
    assert jx.core.ShapedArray((symbolic_shape("b")[0], 3), F) is not one
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return x

    staged = jx.jit(f)
    for _ in range(2):
        staged.trace(jx.ShapeDtypeStruct((b, 3), F))
    assert count == 1


def test_a_struct_has_symbolic_sizes():
    x = spec("b, 4*n")
    assert str(x.size) == "4*b*n" and x.ndim == 2
    assert x == jx.ShapeDtypeStruct(x.shape, F) and hash(x) == hash(jx.ShapeDtypeStruct(x.shape, F))
    with pytest.raises(InconclusiveDimensionOperation, match=r"Use x\.shape\[0\]"):
        len(x)


def test_args_specs_keep_tree_dtypes_and_placeholders():
    args = ({"w": np.ones((3, 4), F)}, np.ones((2, 3), np.int8))
    params, x = symbolic_args_specs(args, (None, "b, _"))
    assert params["w"].shape == (3, 4) and params["w"].dtype == F
    assert str(x.shape) == "(b, 3)" and x.dtype == np.int8


# --- what can't be known ---


def test_shapes_that_do_not_fit_for_all_sizes_are_refused():
    b, n = symbolic_shape("b, n")
    x, y = jx.ShapeDtypeStruct((b,), F), jx.ShapeDtypeStruct((n,), F)
    with pytest.raises(TypeError, match=r"\(b,\).*\(n,\)"):
        jx.eval_shape(lax.add, x, y)
    with pytest.raises(TypeError, match=r"reshape"):
        jx.eval_shape(lambda x: x.reshape(3, -1), x)


def test_a_comparison_that_depends_on_sizes_names_the_constraint():
    with pytest.raises(InconclusiveDimensionOperation, match=r"constraints=\['b >= 4'\]"):
        jx.eval_shape(lambda x: x if x.shape[0] > 3 else -x, spec("b"))
    kept = jx.eval_shape(lambda x: x if x.shape[0] > 3 else x[0], spec("b", constraints=["b >= 4"]))
    assert str(kept.shape) == "(b,)"


def test_a_known_place_is_limited_to_the_axis():
    assert str(jx.eval_shape(lambda x: x[:3], spec("b")).shape) == "(min(b, 3),)"
    check(lambda x: (x[2], x[-3], x[:3], x[3:], x[-2:], x.at[2].set(7.0)), [spec("b")],
          sizes=[{"b": 1}, {"b": 2}, {"b": 7}])


def test_a_dimension_is_no_python_number():
    with pytest.raises(InconclusiveDimensionOperation, match="used where a constant is needed"):
        jx.eval_shape(lambda x: float(x.shape[0]) * x, spec("b"))
    with pytest.raises(TypeError, match="integer"):
        jx.eval_shape(lambda x: [x for _ in range(x.shape[0])], spec("b"))


def test_a_dimension_has_no_value_eagerly():
    (b,) = symbolic_shape("b")
    with pytest.raises(ValueError, match="symbolic dimension b"):
        jnp.asarray(b)


def test_scopes_do_not_mix():
    with pytest.raises(ValueError, match=r"Invalid mixing of symbolic scopes"):
        jx.jit(lambda x, y: (x, y)).trace(spec("b"), spec("c")).lower()


def test_what_has_no_dynamic_form_says_so():
    with pytest.raises(InconclusiveDimensionOperation, match=r"stablehlo\.fft .*constant"):
        jx.jit(jnp.fft.fft).trace(spec("b, n")).lower()


# --- lowering ---


def test_lowering_gives_dynamic_stablehlo():
    text = jx.jit(lambda x: jnp.sin(x) + x.sum(0)).trace(spec("b, n")).lower().as_text()
    assert "tensor<?x?xf32>" in text
    assert "stablehlo.get_dimension_size" in text and "stablehlo.dynamic_broadcast_in_dim" in text
    assert "⟦" not in text


def test_known_shapes_lower_as_ever():
    text = jx.jit(lambda x: jnp.sin(x) + x.sum(0)).trace(jx.ShapeDtypeStruct((2, 3), F)).lower()
    assert "dynamic" not in text.as_text() and "get_dimension_size" not in text.as_text()


def test_shared_functions_get_the_variables():
    inner = jx.jit(lambda r: jnp.tanh(r) / r.shape[0], inline=False)
    text = jx.jit(lambda x: inner(x) + inner(-x)).trace(spec("b, n")).lower().as_text()
    assert text.count("func.func private") == 1
    check(lambda x: inner(x) + inner(-x), [spec("b, n")])


def test_an_unused_argument_may_be_what_a_variable_is_known_from():
    scope = SymbolicScope()
    x, dummy = spec("a*b", scope=scope), spec("b, 0", scope=scope)

    def f(x, dummy):
        return x.reshape(dummy.shape[0], -1)

    check(f, [x, dummy], sizes=[{"a": 2, "b": 3}, {"a": 1, "b": 1}, {"a": 5, "b": 2}])


def test_a_variable_that_no_argument_tells_is_an_error():
    with pytest.raises(ValueError, match=r"(?s)Cannot solve for .*'a', 'b'.*argument x\.shape"):
        jx.jit(lambda x: x).trace(spec("a*b")).lower()


def test_a_symbolic_program_is_not_compiled_as_it_is():
    lowered = jx.jit(jnp.sin).trace(spec("b")).lower()
    with pytest.raises(ValueError, match=r"(?s)symbolic shapes \(f32\[b\]\).*export"):
        lowered.compile()


def test_typed_keys_of_symbolic_shape():
    x = jx.ShapeDtypeStruct(symbolic_shape("b"), jx.random.key(0).dtype)
    lowered = jx.jit(lambda k: jx.vmap(lambda k: jx.random.uniform(k, (2,)))(k)[::-1]).trace(x)
    for b in (1, 4):
        keys = jx.random.split(jx.random.key(3), b)
        want = jx.vmap(lambda k: jx.random.uniform(k, (2,)))(keys)[::-1]
        words = [np.asarray(jx.random.key_data(keys))]
        (got,) = run_refined(lowered.lower(), words)
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("platform", ["cpu", "cuda", "tpu"])
def test_programs_lower_for_every_platform(platform):
    from jx_xla.runtime.mlir import parse_module

    for name in ("attention_grad", "conv_grad", "sort", "cumsum", "argmax", "maxpool_grad"):
        program = PROGRAMS[name]
        traced = jx.jit(program.function).trace(*specs_of(program))
        parse_module(traced.lower(lowering_platforms=(platform,)).as_text())


# --- refinement ---


def test_refinement_checks_what_the_shapes_must_be():
    x = spec("2*b, n", constraints=["n >= 4"])
    lowered = jx.jit(lambda x: x * x.shape[0]).trace(x).lower()
    for shape, why, refused in [
        ((3, 4), "remainder 1", "can't be refined"),
        ((2, 3), "symbolic shape constraint n >= 4", "symbolic shape constraint n >= 4"),
        ((0, 4), "Expected value >= 1 for dimension variable 'b'", "Expected value >= 1"),
    ]:
        with pytest.raises(ValueError, match=refused):
            refine(lowered._lowering.text, [jx.ShapeDtypeStruct(shape, F)])
        with pytest.raises(ValueError, match=why):
            DimensionSolver([x.shape]).solve([shape])
    assert "tensor<4x5xf32>" in refine(lowered._lowering.text, [jx.ShapeDtypeStruct((4, 5), F)])


def test_sizes_that_must_agree_are_checked():
    scope = SymbolicScope()
    x, y = spec("b", scope=scope), spec("b + c, b", scope=scope)
    text = jx.jit(lambda x, y: (y.sum(), x)).trace(x, y).lower()._lowering.text
    types = [jx.ShapeDtypeStruct(s, F) for s in ((2,), (5, 3))]
    with pytest.raises(ValueError, match=r"argument y\.shape\[1\] \(= 3\).*'b' \(= 2\)"):
        refine(text, types)


def test_refinement_wants_known_shapes():
    text = jx.jit(jnp.sin).trace(spec("b")).lower()._lowering.text
    with pytest.raises(ValueError, match=r"argument 0 must have a concrete shape, got f32\[c\]"):
        refine(text, [spec("c")])


def test_divisions_of_dimensions_round_down():
    """StableHLO rounds to zero, Python down."""
    def f(x):
        d, n = x.shape
        values = [(d - n) // 3, (d - n) % 3, (n - d) // n, (d - 2 * n) % d, d // n, d % n]
        return jnp.stack([jnp.asarray(v) for v in values])

    sizes = [{"b": b, "n": n} for b, n in ((1, 6), (7, 2), (4, 4), (2, 9))]
    for size in sizes:
        (got,) = run_refined(
            jx.jit(f).trace(spec("b, n")).lower(), arguments([spec("b, n")], size)
        )
        d, n = size["b"], size["n"]
        wanted = [(d - n) // 3, (d - n) % 3, (n - d) // n, (d - 2 * n) % d, d // n, d % n]
        assert got.tolist() == wanted


def test_maxima_and_minima_of_dimensions():
    def f(x, y):
        least, most = jx.core.min_dim(x.shape[0], y.shape[0]), jx.core.max_dim(x.shape[0], 3)
        return jnp.zeros((most,)), x[:least] + y[:least]

    scope = SymbolicScope()
    check(f, [spec("b", scope=scope), spec("n", scope=scope)])


def test_with_64_bits_sizes_are_of_64_bits():
    with jx.enable_x64(True):
        x = spec("b, n", np.float64)
        lowered = jx.jit(lambda x: (x.mean(), jnp.asarray(x.size), jnp.arange(x.shape[0]))).trace(x)
        mean, size, count = run_refined(lowered.lower(), [np.ones((2, 3))])
    assert (mean, size, count.tolist()) == (1.0, 6, [0, 1])
    assert mean.dtype == np.float64 and size.dtype == count.dtype == np.int64


def test_gathers_with_narrow_indices():
    check(lambda x, i: x.at[i].get(mode="fill", fill_value=0.0), [spec("n"), spec("3", np.int8)],
          sizes=[{"n": 1}, {"n": 5}, {"n": 300}])


def test_constraints_let_shapes_be_known():
    x = spec("b, n", constraints=["mod(n, 4) == 0", "b == 2*n"])
    out = jx.eval_shape(lambda x: x.reshape(x.shape[0], 4, -1), x)
    assert str(out.shape) == "(2*n, 4, floordiv(n, 4))"


def test_embedding_with_integer_arguments():
    check(lambda t, i: t[i].sum(1), [spec("10, 4"), spec("b, n", INT)], sizes=[{"b": 2, "n": 3}])
