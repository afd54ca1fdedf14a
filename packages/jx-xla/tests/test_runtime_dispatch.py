"""The C++ dispatcher: which calls run no Python, and which always do."""

import inspect
import threading

import numpy as np
import pytest

from jx_core.aval import ShapedArray, typeof
from jx_core.config import disable_jit, enable_x64
from jx_core.errors import DonatedArrayError
from jx_xla.runtime import arrays, dispatch, executables, flags, placement
from jx_xla.runtime.named_sharding import NamedSharding
from jx_xla.runtime.shardings import single_device

VALUE = np.arange(8, dtype=np.float32)
flatten = dispatch.default_registry().flatten
LEAF = flatten(0)[1]
MLIR = {"float32": "f32", "int32": "i32", "bool": "i1", "float64": "f64"}


class Tracer:
    """Stands for the tracers of the layers above."""


@pytest.fixture(autouse=True, scope="module")
def tracers():
    from jx_core.trace import Tracer as the_real_one

    dispatch.set_tracer_class(Tracer)
    yield
    dispatch.set_tracer_class(the_real_one)


class Calls:
    """A callable on top of the dispatcher, and how often it came to Python.

    The program converts each argument to float32, broadcasts it to the first one's shape
    and adds them up.
    """

    def __init__(self, device, **settings):
        self.device = device
        self.missed = 0
        self.failure = None
        self.call = dispatch.make_fast_callable("add", self.function, self.miss, **settings)

    def function(self, x, *rest, **kwargs):
        """Adds up."""
        return self.miss(x, *rest, **kwargs)[0]

    def miss(self, *args, **kwargs):
        self.missed += 1
        if self.failure is not None:
            raise self.failure
        leaves, _ = flatten((args, kwargs))
        if not all(self.is_operand(leaf) for leaf in (*args, *kwargs.values())):
            return NotImplemented, None
        avals = [typeof(leaf) for leaf in leaves]
        program = self.compile(avals)
        return program(leaves)[0], dispatch.fast_path(program, LEAF, leaves)

    @staticmethod
    def is_operand(value):
        if isinstance(value, np.ndarray | np.generic):
            return value.dtype.kind in "bif"
        return isinstance(value, arrays.Array | int | float)

    def compile(self, avals):
        shape = avals[0].shape

        def mlir(shape, dtype):
            return f"tensor<{''.join(f'{n}x' for n in shape)}{MLIR[np.dtype(dtype).name]}>"

        wide = mlir(shape, "float32")
        arguments = ", ".join(f"%a{i}: {mlir(a.shape, a.dtype)}" for i, a in enumerate(avals))
        lines = []
        for i, a in enumerate(avals):
            narrow = mlir(a.shape, "float32")
            axes = list(range(len(shape))) if a.shape else []
            lines += [
                f"%c{i} = stablehlo.convert %a{i} : ({mlir(a.shape, a.dtype)}) -> {narrow}",
                f"%b{i} = stablehlo.broadcast_in_dim %c{i}, dims = {axes} : ({narrow}) -> {wide}",
                f"%s{i} = stablehlo.add %{'b0' if i == 0 else f's{i - 1}'}, %b{i} : {wide}"
                if i
                else f"%s0 = stablehlo.add %b0, %b0 : {wide}\n%z = stablehlo.subtract %s0, %b0 "
                f": {wide}",
            ]
        text = "\n".join(lines).replace("%s0, %b1", "%z, %b1")
        last = "%z" if len(avals) == 1 else f"%s{len(avals) - 1}"
        source = (
            f"func.func public @main({arguments}) -> {wide} {{\n{text}\nreturn {last} : {wide}\n}}"
        )
        where = single_device(self.device)
        return executables.Executable(
            executables.compile_program(source, [self.device]),
            [self.device],
            [where] * len(avals),
            [ShapedArray(shape, np.float32)],
            [where],
            [False],
        )

    def misses(self, *args, **kwargs):
        """How often one call comes to Python."""
        before = self.missed
        self.call(*args, **kwargs)
        return self.missed - before


@pytest.fixture
def add(four_devices):
    return Calls(four_devices[0])


def first_then(calls, *args, **kwargs):
    return [calls.misses(*args, **kwargs), calls.misses(*args, **kwargs)]


def test_the_second_call_of_a_signature_runs_no_python(add, programs):
    x, y = programs.f32(VALUE), programs.f32(10 * VALUE)
    assert first_then(add, x, y) == [1, 0]
    assert np.array_equal(add.call(y, x), 11 * VALUE)
    assert add.misses(programs.f32(VALUE[:4]), programs.f32(VALUE[:4])) == 1
    assert add.missed == 2


def test_python_numbers_do_not_recompile(add, programs):
    x = programs.f32(VALUE)
    assert [add.misses(x, number) for number in (1, 2, -7)] == [1, 0, 0]
    assert [add.misses(x, number) for number in (1.0, 2.5)] == [1, 0]
    assert [add.misses(x, number) for number in (True, False)] == [1, 0]
    assert np.array_equal(add.call(x, 3), VALUE + 3)
    assert np.array_equal(add.call(x, 0.5), VALUE + 0.5)


def test_a_number_that_does_not_fit_comes_to_python(add, programs):
    x = programs.f32(VALUE)
    add.call(x, 1)
    for _ in range(2):
        with pytest.raises(OverflowError):
            add.call(x, 2**40)
    assert add.missed == 3
    assert add.misses(x, 1) + add.misses(x, 1) == 1


def test_numpy_arguments_count_by_their_canonical_dtype(add, programs):
    x = programs.f32(VALUE)
    assert first_then(add, x, VALUE) == [1, 0]
    assert add.misses(x, VALUE.astype(np.float64)) == 0
    assert np.array_equal(add.call(x, VALUE.astype(np.float64)), 2 * VALUE)
    assert add.misses(x, np.float32(1)) == 1 and add.misses(x, np.float64(1)) == 0
    assert np.array_equal(add.call(x, np.asfortranarray(VALUE)[::-1]), VALUE + VALUE[::-1])


def test_tracers_and_strangers_always_come_to_python(add, programs):
    class Special(Tracer):
        pass

    x = programs.f32(VALUE)
    for stranger in (Tracer(), Special(), object(), "text", np.array(["text"]), type):
        assert first_then(add, x, stranger) == [1, 1]
        assert add.call(x, stranger) is NotImplemented
    assert add.call._cache_size() == 0


def test_as_a_method_it_binds_and_other_classes_get_their_turn(add, programs):
    class Other(Tracer):
        def __radd__(self, other):
            return "mine"

    own = vars(arrays.Array).get("__matmul__")  # there if an array library is loaded
    arrays.install("__matmul__", add.call)
    try:
        x = programs.f32(VALUE)
        assert np.array_equal(x @ x, 2 * VALUE) and np.array_equal(x @ 1.0, VALUE + 1)
        before = add.missed
        assert np.array_equal(x @ x, 2 * VALUE)
        assert add.missed == before
        Other.__rmatmul__ = Other.__radd__
        assert x @ Other() == "mine"
        for wrong in (None, "text", object()):
            with pytest.raises(TypeError, match="unsupported operand"):
                x @ wrong
    finally:
        if own is None:
            del arrays.Array.__matmul__
        else:
            arrays.install("__matmul__", own)


def test_types_places_and_options_are_part_of_the_signature(add, programs, four_devices):
    x = programs.f32(VALUE)
    assert first_then(add, x, x) == [1, 0]
    assert first_then(add, programs.f32(VALUE, weak_type=True), x) == [1, 0]
    assert first_then(add, programs.f32(VALUE, committed=True), x) == [1, 0]
    assert first_then(add, programs.f32(VALUE, four_devices[1]), x) == [1, 0]
    with enable_x64(True):
        assert first_then(add, x, x) == [1, 0]
    assert add.misses(x, x) == 0


def test_while_tracing_python_decides_and_nothing_is_forgotten(add, programs):
    x = programs.f32(VALUE)
    add.call(x, x)
    flags.set_trace_state(True)
    try:
        assert add.misses(x, x) == 1
        flags.set_trace_state("another trace")
        assert add.misses(x, x) == 1
    finally:
        flags.set_trace_state(None)
    assert add.misses(x, x) == 0


def test_tracing_on_one_thread_leaves_the_others_alone(add, programs):
    x = programs.f32(VALUE)
    add.call(x, x)
    missed = []
    flags.set_trace_state(True)
    try:
        other = threading.Thread(target=lambda: missed.append(add.misses(x, x)))
        other.start()
        other.join()
    finally:
        flags.set_trace_state(None)
    assert missed == [0]


def test_disabled_jit_is_pythons_decision(add, programs):
    x = programs.f32(VALUE)
    add.call(x, x)
    with disable_jit(True):
        assert add.misses(x, x) == 1
    assert add.misses(x, x) == 0


def test_the_order_of_keyword_arguments_does_not_matter(add, programs):
    x = programs.f32(VALUE)
    assert first_then(add, x, y=x, z=1.0) == [1, 0]
    assert first_then(add, x, z=1.0, y=x) == [0, 0]
    assert first_then(add, x, x, z=1.0) == [1, 0]


def test_a_miss_that_fails_leaves_nothing_behind(add, programs):
    x = programs.f32(VALUE)
    add.failure = ValueError("not today")
    for _ in range(2):
        with pytest.raises(ValueError, match="not today"):
            add.call(x, x)
    add.failure = None
    assert first_then(add, x, x) == [1, 0]


def test_an_array_freed_by_hand_comes_to_python(add, programs):
    x, gone = programs.f32(VALUE), programs.f32(VALUE)
    add.call(x, x)
    gone.delete()
    with pytest.raises(DonatedArrayError, match=r"deleted with shape=float32\[8\]"):
        add.call(x, gone)
    assert add.misses(x, x) + add.misses(x, x) <= 1


def test_donated_arrays_may_not_be_used_again_anywhere(add, programs, four_devices):
    negate = programs.executable(programs.NEGATE_DONATING, 1)

    def miss(x):
        return negate([x["a"]])[0], dispatch.fast_path(negate, LEAF, [x["a"]])

    call = dispatch.make_fast_callable("negate", miss, miss, donate_argnums=(0,))
    add.call(programs.f32(VALUE), programs.f32(VALUE))
    for _ in range(3):
        x = programs.f32(VALUE)
        assert np.array_equal(call({"a": x}), -VALUE)
        assert x.is_deleted()
        for again in (lambda x=x: call({"a": x}), lambda x=x: add.call(x, x)):
            with pytest.raises(DonatedArrayError):
                again()
    assert inspect.signature(call) == inspect.signature(miss)


def test_what_was_not_donated_stays(programs):
    negate = programs.executable(programs.NEGATE, 1)
    call = dispatch.make_fast_callable(
        "negate",
        lambda x: None,
        lambda **kw: (negate([kw["x"]])[0], dispatch.fast_path(negate, LEAF)),
        donate_argnames=("x",),
    )
    x = programs.f32(VALUE)
    assert np.array_equal(call(x=x), call(x=x)) and not x.is_deleted()


@pytest.fixture
def power(programs, four_devices):
    """A callable with static arguments, and the calls that came to Python."""
    negate = programs.executable(programs.NEGATE, 1)
    seen = []

    def function(x, n, *, flag=False):
        """To the n-th."""

    def miss(*args, **kwargs):
        seen.append((args[1:], kwargs))
        return negate([args[0]])[0], dispatch.fast_path(negate, LEAF)

    call = dispatch.make_fast_callable(
        "power", function, miss, static_argnums=(1,), static_argnames=("flag",)
    )
    return call, seen


def test_static_arguments_count_by_type_and_equality(power, programs):
    call, seen = power
    x = programs.f32(VALUE)
    for n in (1, 1, 1.0, True, "a", (1, 2), (1, 2)):
        call(x, n)
    assert [args[0] for args, _ in seen] == [1, 1.0, True, "a", (1, 2)]
    for flag in (True, True, "yes", "yes"):
        call(x, 1, flag=flag)
    assert [kwargs for _, kwargs in seen[5:]] == [{"flag": True}, {"flag": "yes"}]


def test_static_arguments_must_be_hashable(power, programs):
    call, seen = power
    x = programs.f32(VALUE)
    for args, kwargs in (((x, [3]), {}), ((x, 3), {"flag": []})):
        with pytest.raises(ValueError, match="Non-hashable static arguments are not supported"):
            call(*args, **kwargs)
    assert seen == []
    call(x, 3)


def test_a_call_may_have_no_arrays(programs):
    ones = programs.executable(programs.ONES, 0)
    missed = []

    def miss(*shape):
        missed.append(shape)
        return ones([])[0], dispatch.fast_path(ones, LEAF)

    call = dispatch.make_fast_callable("ones", miss, miss, static_argnums=(0,))
    for _ in range(2):
        assert np.array_equal(call(), np.ones(8))
        assert np.array_equal(call((8,)), np.ones(8))
    assert missed == [(), ((8,),)]


def test_results_may_be_trees_and_unused_arguments_dropped(programs):
    negate = programs.executable(programs.NEGATE, 1, kept=[False, True])
    tree = flatten({"a": (0, None)})[1]
    missed = []

    def miss(arguments):
        missed.append(1)
        leaves, _ = flatten(arguments)
        return {"a": (negate(leaves)[0], None)}, dispatch.fast_path(negate, tree, leaves)

    call = dispatch.make_fast_callable("negate", miss, miss)
    for _ in range(2):
        out = call({"y": programs.f32(VALUE), "x": programs.f32(VALUE + 1)})
        assert out["a"][1] is None and np.array_equal(out["a"][0], -VALUE)
    assert missed == [1]


def test_constants_come_before_the_arguments(programs):
    add = programs.executable(programs.ADD, 2, consts=[programs.f32(10 * VALUE)])
    missed = []

    def miss(x):
        missed.append(1)
        return add([x])[0], dispatch.fast_path(add, LEAF, [x])

    call = dispatch.make_fast_callable("add", miss, miss)
    for _ in range(2):
        assert np.array_equal(call(programs.f32(VALUE)), 11 * VALUE)
    assert missed == [1]


def test_with_no_fast_path_python_is_always_asked(programs):
    asked = []

    def miss(x):
        asked.append(x)
        return len(asked), None

    call = dispatch.make_fast_callable("count", miss, miss)
    x = programs.f32(VALUE)
    assert [call(x), call(x), call(x)] == [1, 2, 3]


def test_memory_is_shared_by_function_and_key_only(programs):
    negate = programs.executable(programs.NEGATE, 1)
    missed = []

    def function(x):
        return x

    def make(key):
        def miss(x):
            missed.append(key)
            return negate([x])[0], dispatch.fast_path(negate, LEAF)

        return dispatch.make_fast_callable("f", function, miss, shared_key=key)

    x = programs.f32(VALUE)
    for key in ("a", "a", "b", "a", "b", None, None):
        make(key)(x)
    assert missed == ["a", "b", None, None]


def test_memory_can_be_cleared(add, programs):
    x = programs.f32(VALUE)
    add.call(x, x)
    assert add.call._cache_size() == 1
    add.call._clear_cache()
    assert first_then(add, x, x) == [1, 0]
    dispatch.clear_caches()
    assert add.misses(x, x) == 1


def test_a_callable_looks_like_its_function(power):
    call, _ = power
    assert list(inspect.signature(call).parameters) == ["x", "n", "flag"]
    call.__doc__, call.__name__, call.__qualname__ = "To the n-th.", "power", "power"
    call.__module__, call.__wrapped__, call.spec = "here", len, 3
    assert (call.__doc__, call.__name__, call.spec) == ("To the n-th.", "power", 3)
    dispatch.install_method("shout", lambda self: self.__name__.upper())
    assert call.shout() == "POWER"


def test_arguments_are_moved_to_several_devices(mesh, four_devices, programs):
    split = NamedSharding(mesh, ("x",))
    text = f"""
    module attributes {{mhlo.num_partitions = 4 : i32}} {{
      func.func public @main(%a: tensor<8xf32> {{mhlo.sharding = "{split.hlo_text(1)}"}})
          -> (tensor<8xf32> {{mhlo.sharding = "{split.hlo_text(1)}"}}) {{
        %r = stablehlo.negate %a : tensor<8xf32>
        return %r : tensor<8xf32>
      }}
    }}"""
    negate = executables.Executable(
        executables.compile_program(text, four_devices),
        four_devices, [split], [programs.F32_8], [split], [True],
    )  # fmt: skip
    missed = []

    def miss(x):
        missed.append(1)
        return negate([x])[0], dispatch.fast_path(negate, LEAF, [x])

    call = dispatch.make_fast_callable("negate", miss, miss)

    def misses(x):
        before = len(missed)
        for _ in range(2):
            out = call(x)
            assert np.array_equal(out, -VALUE) and out.sharding == split
        return len(missed) - before

    assert misses(placement.put_sharded(VALUE, programs.F32_8, split)) == 1
    assert misses(VALUE) == 1
    assert misses(programs.f32(VALUE, four_devices[2])) == 1
    # Cut in another way: jaxlib would compute on the wrong parts, so Python moves it.
    for spec in (("y",), (("x", "y"),), ()):
        x = placement.put_sharded(VALUE, programs.F32_8, NamedSharding(mesh, spec))
        assert misses(x) == 2


def test_many_threads_may_call_at_once(add, programs):
    x = programs.f32(VALUE)
    wrong = []

    def work():
        for n in range(50):
            if not np.array_equal(add.call(x, n), VALUE + n):
                wrong.append(n)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
