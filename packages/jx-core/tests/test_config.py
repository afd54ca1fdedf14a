"""Options: reading, setting, overriding by thread, environment variables, and the trace key."""

import os
import subprocess
import sys
import threading

import pytest

from jx_core.config import (
    UNSET,
    config,
    define_bool,
    define_enum,
    define_int,
    define_object,
    define_optional_enum,
    define_optional_str,
    enable_x64,
    log_compiles,
    num_cpu_devices,
    numpy_rank_promotion,
    options,
    trace_key,
    traceback_filtering,
)

colour = define_enum("test_colour", ("red", "green"), "red", "a colour", aliases={"rouge": "red"})
depth = define_int("test_depth", 3, "a depth", expected="a depth of at least 0",
                   accepts=lambda value: value >= 0)  # fmt: skip
folder = define_optional_str("test_folder", None, "a folder")
shade = define_optional_enum("test_shade", ("light", "dark"), None, "a shade")
anything = define_object("test_anything", None, "anything", expected="anything", accept=lambda x: x)
fast = define_bool("test_fast", False, "be fast", traced=True)
OWN = (colour, depth, folder, shade, anything, fast)


@pytest.fixture(autouse=True)
def defaults_after():
    before = [option.global_value for option in OWN]
    yield
    for option, value in zip(OWN, before, strict=True):
        option._callbacks.clear()
        option.set(value)


def in_thread(f):
    """The result of f on another thread."""
    results = []
    thread = threading.Thread(target=lambda: results.append(f()))
    thread.start()
    thread.join()
    return results[0]


def run_python(code, **environment):
    """Run a program in a process of its own, with these environment variables."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


# Reading and setting


def test_the_defaults_are_jaxs():
    code = "from jx_core.config import config; print(config.values)"
    clean = {name: "" for name in os.environ if name.startswith("JX_")}
    expected = {
        "jx_enable_x64": False,
        "jx_numpy_dtype_promotion": "standard",
        "jx_numpy_rank_promotion": "allow",
        "jx_disable_jit": False,
        "jx_default_matmul_precision": None,
        "jx_default_prng_impl": "threefry2x32",
        "jx_threefry_partitionable": True,
        "jx_default_device": None,
        "jx_platforms": None,
        "jx_num_cpu_devices": -1,
        "jx_traceback_filtering": "on",
        "jx_log_compiles": False,
        "jx_enable_checks": False,
    }
    assert eval(run_python(code, **clean).stdout).items() >= expected.items()


def test_setting_an_option_is_seen_by_every_thread():
    colour.set("green")
    assert colour.value == "green" == in_thread(lambda: colour.value)


@pytest.mark.parametrize("name", ["jx_test_depth", "jax_test_depth", "test_depth"])
def test_the_registry_reads_and_updates_by_name(name):
    config.update(name, 7)
    assert depth.value == 7
    assert getattr(config, name) == 7
    assert config.read(name) == 7
    assert config.values["jx_test_depth"] == config.values["jax_test_depth"] == 7
    assert "jax_test_depth" in config.values and "jax_test_width" not in config.values


def test_programs_from_jax_find_their_options():
    assert config.x64_enabled == enable_x64.value
    assert config.jax_platform_name == config.jx_platforms
    with pytest.warns(UserWarning, match="'jax_softmax_custom_jvp' is one of JAX's without a"):
        config.update("jax_softmax_custom_jvp", True)
    with pytest.raises(AttributeError, match="there is no option 'jax_softmax_custom_jvp'"):
        config.jax_softmax_custom_jvp  # noqa: B018


def test_aliases_stand_for_a_value():
    colour.set("green")
    colour.set("rouge")
    assert colour.value == "red"
    with traceback_filtering("remove_frames"):
        assert traceback_filtering.value == "on"


def test_options_are_listed_with_their_help():
    assert "jx_test_depth" in dir(config)
    assert "test_depth = 3    # a depth" in repr(config)
    assert {option.name for option in config} >= {"test_depth", "enable_x64"}
    assert config.option("jx_enable_x64") is enable_x64
    assert enable_x64.env == "JX_ENABLE_X64"


def test_an_unknown_option_suggests_those_with_close_names():
    with pytest.raises(AttributeError, match="no option 'jax_enable_x46'.*'jx_enable_x64'"):
        config.update("jax_enable_x46", True)
    with pytest.raises(AttributeError, match="no option 'jx_nothing_like_it'; the options are"):
        config.jx_nothing_like_it  # noqa: B018


@pytest.mark.parametrize(
    "option, value, expected",
    [
        (enable_x64, "yes", "True or False"),
        (enable_x64, 2, "True or False"),
        (colour, "blue", "one of 'red', 'green'"),
        (colour, ["red"], "one of 'red', 'green'"),
        (shade, "red", "None or one of 'light', 'dark'"),
        (depth, -1, "a depth of at least 0"),
        (depth, "3", "a depth of at least 0"),
        (depth, True, "a depth of at least 0"),
        (folder, 3, "a string or None"),
        (num_cpu_devices, 0, "a positive integer or -1"),
        (options.default_device, 3, "a device"),
    ],
)
def test_a_bad_value_is_refused_and_changes_nothing(option, value, expected):
    before = option.value
    for change in (option.set, option, lambda value: config.update(option.name, value)):
        with pytest.raises(ValueError) as caught:
            change(value)
        assert f"option '{option.name}' takes {expected}" in str(caught.value)
        assert repr(value) in str(caught.value)
    assert option.value == before


def test_options_are_not_assigned_nor_taken_for_their_value():
    with pytest.raises(AttributeError, match=r"config.update\('jx_test_depth', 7\)"):
        config.jx_test_depth = 7
    with pytest.raises(TypeError, match="read enable_x64.value"):
        bool(enable_x64)


def test_an_option_is_defined_once():
    with pytest.raises(ValueError, match="'test_depth' is defined twice"):
        define_int("test_depth", 0, "again")


# Overriding for a thread and a block


def test_an_override_is_this_threads_and_ends_with_its_block():
    with colour("green"):
        assert colour.value == config.jx_test_colour == "green"
        assert in_thread(lambda: colour.value) == "red"
        assert (colour.global_value, colour.local_value) == ("red", "green")
    assert colour.value == "red"
    assert colour.local_value is UNSET


def test_overrides_nest_and_survive_errors():
    with depth(1):
        with pytest.raises(KeyError), depth(2):
            raise KeyError
        assert depth.value == 1
    assert depth.value == 3


def test_one_override_can_be_entered_again_and_decorate_a_function():
    deep = depth(9)
    with deep, deep:
        assert depth.value == 9
    assert depth.value == 3

    @deep
    def f():
        return depth.value

    assert (f(), f(), depth.value) == (9, 9, 3)


def test_an_override_of_none_is_an_override():
    folder.set("/tmp")
    with folder(None):
        assert folder.value is None
    assert folder.value == "/tmp"


def test_setting_during_an_override_waits_until_it_ends():
    with colour("green"):
        colour.set("red")
        assert colour.value == "green"
    assert colour.value == "red"


def test_a_boolean_option_is_turned_on_by_calling_it():
    with log_compiles():
        assert log_compiles.value is True
    assert log_compiles.value is False


def test_many_threads_each_see_their_own_override():
    barrier = threading.Barrier(8)

    def work(i, seen):
        for round_ in range(50):
            with depth(i):
                barrier.wait()
                seen.add((depth.value, dict(trace_key().values)["test_fast"]))
            with fast(round_ % 2 == 0):
                seen.add((i, dict(trace_key().values)["test_fast"] != (round_ % 2 == 0)))

    seen = [set() for _ in range(8)]
    threads = [threading.Thread(target=work, args=(i, seen[i])) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [{(i, False)} for i in range(8)]


# Callbacks


def test_callbacks_hear_of_every_change_and_its_scope():
    heard = []
    depth.on_change(lambda scope, value: heard.append((scope, value)))
    depth.set(5)
    with depth(6), depth(7):
        pass
    assert heard == [
        ("global", 5), ("local", 6), ("local", 7), ("local", 6), ("local", UNSET)
    ]  # fmt: skip


def test_a_callback_that_raises_vetoes_the_change():
    heard = []
    depth.on_change(lambda scope, value: heard.append(value))

    @depth.on_change
    def veto(scope, value):
        if value == 5:
            raise RuntimeError("too late to change the depth")

    with pytest.raises(RuntimeError, match="too late"):
        depth.set(5)
    assert depth.value == 3
    with pytest.raises(RuntimeError, match="too late"), depth(5):
        pass
    assert depth.value == 3
    assert heard == [5, 3, 5, UNSET]
    depth.set(4)
    assert depth.value == 4


# The trace key


def test_the_trace_key_is_one_object_per_combination_of_traced_values():
    off = trace_key()
    assert trace_key() is off is config.trace_key() is in_thread(trace_key)
    with fast(True):
        on = trace_key()
        assert on is not off
        assert in_thread(trace_key) is off
        with depth(8):
            assert trace_key() is on
    assert trace_key() is off
    fast.set(True)
    assert trace_key() is on is in_thread(trace_key)
    assert {off: 1, on: 2}[trace_key()] == 2
    assert "test_fast=True" in repr(on)


def test_a_global_change_reaches_keys_that_other_threads_hold():
    keys, asked, changed = [], threading.Event(), threading.Event()

    def work():
        keys.append(trace_key())
        asked.set()
        changed.wait(10)
        keys.append(trace_key())

    thread = threading.Thread(target=work)
    thread.start()
    asked.wait(10)
    fast.set(True)
    changed.set()
    thread.join()
    assert keys[0] is not keys[1]
    assert dict(keys[1].values)["test_fast"] is True


def test_what_changes_tracing_is_in_the_key_and_what_does_not_is_not():
    names = {name for name, _ in trace_key().values}
    assert names >= {
        "enable_x64", "numpy_dtype_promotion", "numpy_rank_promotion", "disable_jit",
        "default_matmul_precision", "default_prng_impl", "threefry_partitionable",
    }  # fmt: skip
    assert names.isdisjoint({"platforms", "log_compiles", "traceback_filtering", "test_depth"})


# The environment


@pytest.mark.parametrize(
    "text, expected", [("1", True), ("yes", True), ("OFF", False), ("", False)]
)
def test_a_boolean_is_read_from_the_environment(text, expected):
    code = "from jx_core.config import enable_x64; print(enable_x64.value)"
    assert run_python(code, JX_ENABLE_X64=text).stdout.strip() == str(expected)


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("JX_ENABLE_X64", "maybe", "True or False"),
        ("JX_NUM_CPU_DEVICES", "many", "a positive integer or -1"),
        ("JX_NUM_CPU_DEVICES", "0", "a positive integer or -1"),
        ("JX_NUMPY_RANK_PROMOTION", "never", "one of 'allow', 'warn', 'raise'"),
    ],
)
def test_a_bad_environment_variable_is_named(name, text, expected):
    error = run_python("import jx_core.config", **{name: text}).stderr.strip().splitlines()[-1]
    assert error.startswith(f"ValueError: environment variable {name}: expected {expected}")
    assert error.endswith(f"got '{text}'")


def test_values_of_every_type_come_from_the_environment():
    code = (
        "from jx_core.config import config as c;"
        "print([c.jx_num_cpu_devices, c.jx_platforms, c.jx_default_matmul_precision])"
    )
    got = run_python(code, JX_NUM_CPU_DEVICES="4", JX_PLATFORMS="cpu",
                     JX_DEFAULT_MATMUL_PRECISION="float32").stdout  # fmt: skip
    assert eval(got) == [4, "cpu", "float32"]


def test_rank_promotion_takes_jaxs_values():
    for value in ("warn", "raise", "allow"):
        with numpy_rank_promotion(value):
            assert numpy_rank_promotion.value == value
