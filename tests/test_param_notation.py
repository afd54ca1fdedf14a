"""Params of equations print in a form that can be read back exactly, none as an address."""

from __future__ import annotations

import re

import ml_dtypes
import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx_core import ClosedJaxpr, Jaxpr, Primitive, backend, lax, make_jaxpr
from jx_core.config import enable_x64
from jx_core.jaxpr import define_notation, jaxprs_in, read_value, subjaxprs, write_value
from opdb import all_samples, samples_of

SAMPLED = [name for name, samples in all_samples().items() if any(s.params for s in samples)]
ADDRESS = re.compile(r"0x[0-9a-f]{6,}| object at ")


def same(x, y):
    """Whether two values are alike in type as well, NaN being like itself."""
    if type(x) is not type(y):
        return False
    if isinstance(x, tuple):
        return len(x) == len(y) and all(map(same, x, y))
    if isinstance(x, np.generic):
        return x.dtype == y.dtype and x.tobytes() == y.tobytes()
    return x == y or (x != x and y != y)


def unreadable(params):
    """The params that don't come back as they were written, programs apart."""
    wrong = []
    for key, value in params.items():
        if key == "rules":  # of custom derivatives: programs too
            continue
        for item in value if key == "branches" else (value,):
            if not isinstance(item, (Jaxpr, ClosedJaxpr)):
                text = write_value(item)
                back = read_value(text)
                if not same(back, item):
                    wrong.append(f"{key}={text}: got {back!r}, expected {item!r}")
    return wrong


@pytest.mark.parametrize("name", SAMPLED)
def test_params_of_every_sample_are_read_back_as_they_were(name):
    with enable_x64(True):
        for sample in samples_of(name):
            assert not unreadable(sample.params), sample


@pytest.mark.parametrize("name", SAMPLED)
def test_no_param_prints_as_an_address(name):
    with enable_x64(True):
        for sample in samples_of(name):
            text = str(make_jaxpr(sample)(*sample.operands))
            assert not ADDRESS.search(text) and not re.search(r"=<\w+>", text), text


def equations(jaxpr):
    for eqn in jaxpr.eqns:
        yield eqn
        for inner in jaxprs_in(eqn.params):
            yield from equations(inner)


def loops(x):
    total, _ = lax.scan(lambda c, y: (c + y, c * y), 0.0, x)
    total = lax.while_loop(lambda c: c < 10, lambda c: c * 2.0 + 1.0, total)
    return lax.cond(total > 3, lambda t: t + 1.0, jnp.sin, total)


def placed(x):
    mesh = jx.make_mesh((4, 2), ("x", "y"))
    spec = jx.sharding.PartitionSpec("x", None)
    sharding = jx.sharding.NamedSharding(mesh, spec)
    split = jx.jit(lambda a: a + 1, in_shardings=sharding, out_shardings=sharding)(x)
    return jx.device_put(lax.with_sharding_constraint(split, sharding), jx.devices()[0])


def drawn(seed):
    return jx.random.normal(jx.random.key(seed), (3,))


PROGRAMS = {
    "loops": (loops, jnp.arange(3.0)),
    "gradient of loops": (
        jx.grad(lambda x: lax.scan(lambda c, y: (c * y, None), 1.0, x)[0]),
        jnp.arange(3.0),
    ),
    "shardings": (placed, jnp.ones((8, 2))),
    "random": (drawn, 0),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_params_of_programs_are_read_back_as_they_were(name):
    fun, argument = PROGRAMS[name]
    closed = make_jaxpr(fun)(argument)
    assert not ADDRESS.search(str(closed))
    for eqn in equations(closed.jaxpr):
        assert not unreadable(eqn.params), eqn


@pytest.mark.parametrize(
    "value",
    [
        -0.0, float("inf"), float("-inf"), float("nan"), complex(float("nan"), -0.0), 2**70, -1,
        "it's", 'say "x"', b"\0x", None, True, (), (1,), ((1, (2.5,)), "a"), frozenset(),
        frozenset({1, 2}), np.float32(0.1), np.int8(-3), np.bool_(True), np.complex64(1 - 2j),
        np.dtype("bool"), np.dtype("complex128"), np.dtype(jnp.bfloat16), np.dtype(jnp.int4),
        ml_dtypes.bfloat16(1.5), np.float32, jx.random.key(0).dtype, lax.Precision.HIGHEST,
        (lax.Precision.DEFAULT, lax.Precision.HIGH), lax.DotAlgorithmPreset.F32_F32_F32,
        lax.DotAlgorithm(np.dtype("float16"), np.dtype("float16"), np.dtype("float32")),
    ],
    ids=write_value,
)  # fmt: skip
def test_values_are_read_back_as_they_were(value):
    assert same(read_value(write_value(value)), value)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 3)])
@pytest.mark.parametrize("dtype", ["bool", "int8", "float32", "complex64", "bfloat16"])
def test_arrays_are_read_back_as_they_were(shape, dtype):
    array = (np.arange(np.prod(shape)).reshape(shape) / 3).astype(np.dtype(getattr(jnp, dtype)))
    back = read_value(write_value(array))
    assert back.dtype == array.dtype and back.shape == shape and np.array_equal(back, array)


@pytest.mark.parametrize("text", ["f(", "lambda: 0", "a + b", "unheard_of", "open(x=1)", "x[0]"])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="can't read|no dtype"):
        read_value(text)


def test_constants_of_inner_programs_are_written():
    """Short ones in full, long ones by the hash of their bytes."""
    short, long = jnp.array([1.5, 2.0]), jnp.arange(100.0)
    inner = jx.jit(lambda x: x + short + long[:2])
    text = str(make_jaxpr(inner)(jnp.ones(2)))
    assert "f32[2]=[1.5, 2.0]" in text
    assert re.search(r"f32\[100\]=#[0-9a-f]{16}", text)
    with backend.use("numpy"):
        assert "f32[2]=[1.5, 2.0]" in str(make_jaxpr(inner)(np.ones(2, np.float32)))


class Tiling:
    """A param's class of someone else's."""

    def __init__(self, size):
        self.size = size


def test_params_of_other_classes_say_their_class_until_they_have_a_notation():
    windowed_p = Primitive(
        "windowed", abstract=lambda x, *, window: x, reference=lambda x, *, window: x
    )
    program = make_jaxpr(lambda x: windowed_p.bind(x, window=Tiling((2, 3))))(1.0)
    assert "windowed[window=<Tiling>] a" in str(program)
    define_notation(Tiling, lambda w: {"size": w.size})
    assert "windowed[window=Tiling(size=(2, 3))] a" in str(program)
    assert read_value("Tiling(size=(2, 3))").size == (2, 3)
    assert not list(subjaxprs(program.jaxpr))
