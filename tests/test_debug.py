"""`jx.debug`: printing, calling back, stopping, seeing layouts, under every transformation."""

from __future__ import annotations

import io
import logging

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx import checkpoint, debug, grad, jit, jvp, lax, vmap
from jx.sharding import NamedSharding
from jx.sharding import PartitionSpec as P
from jx_core import backend


@pytest.fixture(params=["xla", "numpy"])
def each_back_end(request):
    with backend.use(request.param):
        yield request.param


@pytest.fixture
def printed(capfd):
    """The lines printed so far, by any thread."""

    def read():
        jx.effects_barrier()
        return capfd.readouterr().out.splitlines()

    return read


def tell(x, name="x", ordered=False):
    debug.print(name + " {}", x, ordered=ordered)
    return x


# Printing


@pytest.mark.parametrize("how", [lambda f: f, jit], ids=["eager", "jit"])
def test_fields_and_format_specs(each_back_end, printed, how):
    def f(x, y):
        debug.print("{} and {n:.2f}, {:.1e} {{}} {s!r} {y}", x, x, n=x / 3, s="text", y=y)

    how(f)(jnp.float32(1), jnp.arange(3))
    assert printed() == ["1.0 and 0.33, 1.0e+00 {} 'text' [0 1 2]"]


def test_numbers_are_printed_as_they_were_written(printed):
    jit(lambda x: debug.print("{} {} {}", 0.1, 3, x))(1.5)
    assert printed() == ["0.1 3 1.5"]


def test_arrays_are_printed_as_numpy_is_set_to(each_back_end, printed):
    with np.printoptions(precision=2, suppress=True):
        f = jit(lambda x: debug.print("{}", x))
        f(jnp.float32([1 / 3, 2]))
    assert printed() == ["[0.33 2.  ]"]


def test_pytrees_attributes_and_other_dtypes(printed):
    jit(lambda t: debug.print("{t[a]} {t[b]:.3f} {t[a].shape}", t=t))(
        {"a": jnp.arange(2), "b": jnp.bfloat16(0.1)}
    )
    jit(lambda k: debug.print("{}", k))(jx.random.key(3))
    lines = printed()
    assert lines[0] == "[0 1] 0.100 (2,)"
    assert lines[1] == "Array((), dtype=key<fry>) overlaying:"


def test_options_and_fields_of_the_same_name(printed):
    debug.print(ordered=True)("{ordered} {fmt}", ordered=1, fmt=jnp.ones(2))
    assert printed() == ["1 [1. 1.]"]


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "message"),
    [
        (("{} {}", 1.0), {}, IndexError, "asks for positional argument 1, got 1"),
        (("{x}",), {"y": 1}, KeyError, r"asks for x=, got the keyword arguments \['y'\]"),
        (("{}", 1.0, 2.0), {}, ValueError, "Unused arguments to `jx.debug.print`: 2.0"),
        (("text",), {"x": 1.5}, ValueError, "Unused arguments .*: x=1.5.*leave out the f"),
        ((jnp.ones(2),), {}, TypeError, "the format must be a string, got ArrayImpl"),
    ],
)
def test_formats_are_checked_when_traced(args, kwargs, error, message):
    with pytest.raises(error, match=message):
        jx.make_jaxpr(lambda: debug.print(*args, **kwargs))()


def test_the_check_can_be_skipped(printed):
    jit(lambda x: debug.print("text", x, skip_format_check=True))(1.0)
    assert printed() == ["text"]


def test_log_goes_to_the_logger(caplog):
    with caplog.at_level(logging.INFO, "jx.debug"):
        jit(lambda x: debug.log("loss {:.1f}", x))(0.25)
        jx.effects_barrier()
    assert [(r.name, r.levelname, r.getMessage()) for r in caplog.records] == [
        ("jx.debug", "INFO", "loss 0.2")
    ]


def test_callback_gets_arrays_and_everything_else_as_it_is(each_back_end):
    seen = []

    def function(*args, **kwargs):
        seen.append((args, kwargs))

    jit(lambda x: debug.callback(function, x, [x + 1, "text"], None, n=object))(1.0)
    jx.effects_barrier()
    ((x, (y, text), none), kwargs), = seen
    assert isinstance(x, jx.Array) and float(x) == 1 and float(y) == 2
    assert (text, none, kwargs) == ("text", None, {"n": object})


def test_callback_takes_its_options_first():
    seen = []
    debug.callback(ordered=True)(lambda ordered: seen.append(int(ordered)), ordered=3)
    assert seen == [3]
    with pytest.raises(TypeError, match="callback must be callable, got 3"):
        debug.callback(3)


# Under transformations


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("how", [lambda f: f, jit], ids=["eager", "jit"])
def test_vmap_prints_each_row(each_back_end, printed, how, ordered):
    how(vmap(lambda x, y: debug.print("{} {}", x, y, ordered=ordered), (0, None)))(
        jnp.arange(3), jnp.float32([5, 6])
    )
    assert printed() == ["0 [5. 6.]", "1 [5. 6.]", "2 [5. 6.]"]


def test_vmap_prints_what_has_no_rows_once(each_back_end, printed):
    vmap(lambda x: (tell(1.0), x)[1])(jnp.arange(3))
    assert printed() == ["x 1.0"]


def test_nested_vmap(each_back_end, printed):
    f = vmap(vmap(lambda x, y: debug.print("{} {}", x, y), (None, 0)), (0, None))
    f(jnp.arange(2), jnp.arange(2))
    assert printed() == ["0 0", "0 1", "1 0", "1 1"]


@pytest.mark.parametrize("how", [lambda f: f, jit], ids=["eager", "jit"])
def test_derivatives_print_primals_once(each_back_end, printed, how):
    f = lambda x: jnp.sin(tell(x * 2))  # noqa: E731
    how(grad(f))(1.0)
    assert printed() == ["x 2.0"]
    how(lambda x: jvp(f, (x,), (1.0,)))(1.0)
    assert printed() == ["x 2.0"]
    how(grad(jit(f)))(1.0)
    assert printed() == ["x 2.0"]
    _, pull = jx.vjp(f, 1.0)
    assert printed() == ["x 2.0"]
    pull(1.0)
    assert printed() == []


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("policy", [None, jx.checkpoint_policies.everything_saveable])
@pytest.mark.parametrize("how", [lambda f: f, jit], ids=["eager", "jit"])
def test_checkpointed_functions_print_once(each_back_end, printed, how, policy, ordered):
    def f(x):
        x = jit(lambda x: jnp.sin(tell(x, "inner", ordered)))(x)
        body = lambda c, _: (jnp.sin(tell(c, "step", ordered)), None)  # noqa: E731
        return lax.scan(body, x, None, length=2)[0]

    want = [f"inner {0.5}", *["step"] * 2]
    for g in (grad(checkpoint(f, policy=policy)), jx.hessian(checkpoint(f, policy=policy))):
        how(g)(0.5)
        assert [line if "inner" in line else line.split()[0] for line in printed()] == want


def test_scan_and_its_derivative_print_each_step(each_back_end, printed):
    f = lambda x: lax.scan(lambda c, _: (tell(c) * 2.0, None), x, None, length=3)[0]  # noqa: E731
    f(1.0)
    assert printed() == ["x 1.0", "x 2.0", "x 4.0"]
    jit(grad(f))(1.0)
    assert printed() == ["x 1.0", "x 2.0", "x 4.0"]


def test_while_loops_print_in_test_and_body(each_back_end, printed):
    def f(x):
        return lax.while_loop(
            lambda c: tell(c, "test", True) < 2, lambda c: tell(c, "body", True) + 1, x
        )

    f(0.0)
    lines = ["test 0.0", "body 0.0", "test 1.0", "body 1.0", "test 2.0"]
    assert printed() == lines
    jvp(jit(f), (0.0,), (1.0,))
    assert printed() == lines
    _, push = jx.linearize(f, 0.0)
    assert printed() == lines
    push(1.0)
    assert printed() == []


def test_a_conditional_prints_in_the_branch_it_takes(each_back_end, printed):
    f = jit(lambda x: lax.cond(x > 0, lambda x: tell(x, "yes", True), lambda x: -x, x))
    f(1.0), f(-1.0), grad(f)(2.0)
    assert printed() == ["yes 1.0", "yes 2.0"]


def test_custom_rules_print(each_back_end, printed):
    @jx.custom_jvp
    def f(x):
        return tell(x, "function") * 2

    f.defjvp(lambda p, t: (tell(p[0], "rule") * 2, t[0] * 2))
    jit(f)(1.0)
    assert printed() == ["function 1.0"]
    jit(grad(f))(1.0)
    assert printed() == ["rule 1.0"]


def test_prints_keep_the_order_between_executions(printed):
    f = jit(lambda x: tell(x.sum(), "f", ordered=True))
    g = jit(lambda x: tell((x @ x)[0, 0], "g", ordered=True))
    for _ in range(5):
        g(jnp.ones((300, 300)))
        f(jnp.ones(2))
    assert printed() == ["g 300.0", "f 2.0"] * 5


def test_effects_of_programs_say_what_they_are():
    effects = jx.make_jaxpr(lambda x: (tell(x), tell(x, ordered=True)))(1.0).effects
    assert effects == {debug.DebugEffect(), debug.OrderedDebugEffect()}


# Several devices


def spread(shape=(8, 2), spec=("x", "y")):
    mesh = jx.make_mesh((4, 2), ("x", "y"))
    x = jnp.arange(float(np.prod(shape))).reshape(shape)
    return jx.device_put(x, NamedSharding(mesh, P(*spec)))


def test_on_several_devices_the_whole_is_seen_once_or_each_part(printed):
    x = spread()
    shapes = []
    see = lambda x: shapes.append((x.shape, float(np.asarray(x).sum())))  # noqa: E731
    jit(lambda x: debug.callback(see, x))(x)
    jx.effects_barrier()
    assert shapes == [((8, 2), 120.0)]
    shapes.clear()
    jit(lambda x: debug.callback(see, x, partitioned=True))(x)
    jx.effects_barrier()
    assert [s for s, _ in shapes] == [(2, 1)] * 8
    assert sum(total for _, total in shapes) == 120


def test_prints_on_several_devices_are_in_order(printed):
    f = jit(lambda x: (tell(x.sum(), "a", True), tell(x.max(), "b", True), x * 2)[2])
    f(f(spread()))
    assert printed() == ["a 120.0", "b 15.0", "a 240.0", "b 30.0"]


def test_inspect_array_sharding():
    x = spread()
    seen = []
    debug.inspect_array_sharding({"x": x}, callback=seen.append)
    assert seen == [x.sharding]

    def f(x):
        debug.inspect_array_sharding(jnp.sin(x), callback=seen.append)
        return x

    jit(f)(x)
    assert seen == [x.sharding] * 2
    jit(f)(jnp.ones(2))
    assert seen[2].device_set == {jx.devices()[0]}
    jit(vmap(f))(x)
    grad(lambda x: f(x).sum())(x)
    assert seen[4] == x.sharding
    with pytest.raises(TypeError, match="callback must be callable"):
        debug.inspect_array_sharding(x, callback=None)


def test_visualize_sharding(printed):
    x = spread((8, 8))
    debug.visualize_sharding(x.shape, x.sharding, scale=0.5)
    assert printed() == [
        "+---------+---------+",
        "|  CPU 0  |  CPU 1  |",
        "+---------+---------+",
        "|  CPU 2  |  CPU 3  |",
        "+---------+---------+",
        "|  CPU 4  |  CPU 5  |",
        "+---------+---------+",
        "|  CPU 6  |  CPU 7  |",
        "+---------+---------+",
    ]
    jit(lambda x: debug.visualize_array_sharding(x))(spread((8,), ("x",)))
    assert printed()[1] == "| CPU 0,1 | CPU 2,3 | CPU 4,5 | CPU 6,7 |"


def test_visualizing_fits_its_width(printed):
    mesh = jx.make_mesh((8,), ("x",))
    debug.visualize_sharding((4, 8), NamedSharding(mesh, P(None, "x")), max_width=40)
    assert max(map(len, printed())) <= 40
    with pytest.raises(ValueError, match=r"1 and 2 dimensions, got \(2, 2, 2\)"):
        debug.visualize_sharding((2, 2, 2), NamedSharding(mesh, P()))


def test_visualizing_without_devices_to_choose_from(each_back_end, printed):
    debug.visualize_array_sharding(jnp.ones(3))
    assert "0" in printed()[1]


# Breakpoints


def session(commands, **options):
    """Options for a breakpoint that is given these commands, and what it will have answered."""
    out = io.StringIO()
    text = "".join(f"{line}\n" for line in commands)
    return {"stdin": io.StringIO(text), "stdout": out, **options}, out


def answers(out):
    jx.effects_barrier()
    lines = out.getvalue().replace("(jdb) ", "").splitlines()
    assert lines[0] == "Entering jdb:"
    return lines[1:]


def stopping(x, options):
    y = x * 2
    name = "known"  # noqa: F841  the debugger looks at it
    debug.breakpoint(**options)
    return y


@pytest.mark.parametrize("how", [lambda f: f, jit], ids=["eager", "jit"])
def test_a_breakpoint_shows_values_of_all_frames(each_back_end, how):
    options, out = session(["p float(y)", "y + x", "p name", "u", "p float(z)", "d", "nope", "c"])

    def caller(z):
        return stopping(z + 1, options)

    assert float(how(caller)(jnp.float32(2))) == 6
    lines = answers(out)
    assert lines[0] == "6.0" and "9." in lines[1] and lines[2] == "'known'"
    assert lines[3].endswith("in caller") and lines[4] == "2.0"
    assert lines[5].endswith("in stopping")
    assert lines[6] == "*** NameError: name 'nope' is not defined"


def test_what_else_one_can_ask_a_breakpoint():
    options, out = session(["where", "list", "args", "locals", "pp [1, 2]", "", "d", "help"])
    jit(lambda x: stopping(x, options))(1.0)
    text = "\n".join(answers(out))
    assert "-> File" in text and "in stopping" in text and "in <lambda>" in text
    assert "-> " in text and "debug.breakpoint(**options)" in text
    assert "x = Array(1., dtype=float32)" in text and "y = Array(2., dtype=float32)" in text
    assert "[1, 2]" in text and "*** Newest frame" in text and "Documented commands" in text


def test_quitting_a_breakpoint_stops_the_program():
    options, _ = session(["q"])
    with pytest.raises(jx.errors.JaxRuntimeError, match="SystemExit: jx.debug.breakpoint: quit"):
        jit(lambda x: stopping(x, options))(1.0).block_until_ready()
        jx.effects_barrier()
    options, _ = session(["q"])
    with pytest.raises(SystemExit):
        stopping(1.0, options)


def test_frames_can_be_limited_and_filtered():
    options, out = session(["u", "c"], num_frames=1)
    jit(lambda x: stopping(x, options))(1.0)
    assert answers(out) == ["*** Oldest frame"]
    options, out = session(["bt"], filter_frames=False)
    jit(lambda x: stopping(x, options))(1.0)
    assert "trace_to_jaxpr" in "\n".join(answers(out))


def test_a_breakpoint_that_a_value_waits_for():
    options, out = session(["p float(x)", "c"])

    def f(x):
        x = debug.breakpoint(token=x, **options)
        return jnp.sin(x)

    np.testing.assert_allclose(jit(grad(f))(0.5), np.cos(0.5), rtol=1e-6)
    assert answers(out)[0] == "0.5"
    unused, nothing = session(["c"])
    jit(lambda x: (debug.breakpoint(token=x, **unused), x)[1])(0.5)
    jx.effects_barrier()
    assert nothing.getvalue() == ""


def test_a_breakpoint_under_vmap_opens_for_each_row():
    options, out = session(["p int(x)", "c", "p int(x)", "c"])
    vmap(lambda x: stopping(x, options))(jnp.arange(2))
    assert [line for line in out.getvalue().replace("(jdb) ", "").split("\n") if line] == [
        "Entering jdb:", "0", "Entering jdb:", "1"
    ]


def test_wrong_breakpoints():
    with pytest.raises(ValueError, match="no debugger 'web', only cli"):
        debug.breakpoint(backend="web")
    with pytest.raises(ValueError, match="ordered=True or token="):
        debug.breakpoint(ordered=True, token=1.0)
