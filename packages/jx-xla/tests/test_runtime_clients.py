"""Which platforms start, in which order, and what happens to a broken one."""

import os
import subprocess
import sys
import textwrap

import pytest

from jx_core.config import num_cpu_devices
from jx_core.errors import BackendError
from jx_xla.runtime import clients, plugins

ASK = """
    import warnings
    from jx_xla.runtime import clients, plugins
    {before}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            print([d.platform for d in clients.devices()])
        except clients.BackendError as error:
            print("BackendError:", error)
    for warning in caught:
        print("warning:", warning.message)
"""


def ask(before: str = "", path: object = "", **environment: str) -> str:
    """What a fresh process says of its devices, and warns about."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ASK).format(before=before)],
        env={**os.environ, "JX_NUM_CPU_DEVICES": "2",
             "PYTHONPATH": os.pathsep.join([str(path), *sys.path]), **environment},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def broken_cuda(tmp_path):
    home = tmp_path / "jax_plugins" / "xla_cuda13"
    home.mkdir(parents=True)
    (home / "__init__.py").write_text("raise SystemExit('the plugin package itself was imported')")
    (home / "xla_cuda_plugin.so").write_bytes(b"not a library")
    return tmp_path


PRETEND_GPU = "plugins.Plugin.hardware_is_there = lambda self: True"


def test_the_cpu_has_as_many_devices_as_asked_for():
    assert ask() == "['cpu', 'cpu']\n"


def test_platforms_may_be_named():
    assert ask(JX_PLATFORMS="cpu") == "['cpu', 'cpu']\n"


def test_an_unknown_platform_is_an_error_that_lists_those_known():
    said = ask(JX_PLATFORMS="cpu,abacus")
    assert "BackendError: JX_PLATFORMS (the option 'platforms') asks for 'cpu,abacus'" in said
    assert "unknown platform 'abacus': jx knows cpu, gpu, cuda, rocm, tpu" in said


def test_a_platform_without_a_plugin_is_an_error_that_names_the_packages():
    assert "looked for the packages jax_plugins.xla_rocm7" in ask(JX_PLATFORMS="rocm")


def test_a_broken_plugin_that_nobody_asked_for_is_a_warning_and_the_cpu(broken_cuda):
    said = ask(PRETEND_GPU, broken_cuda)
    assert said.startswith("['cpu', 'cpu']\n")
    assert "warning: jx goes on without cuda" in said
    assert "xla_cuda_plugin.so" in said and "JX_PLATFORMS=cpu" in said


def test_a_broken_plugin_that_was_asked_for_is_an_error(broken_cuda):
    for name in ("cuda", "gpu"):
        said = ask(PRETEND_GPU, broken_cuda, JX_PLATFORMS=name)
        assert "BackendError: JX_PLATFORMS" in said
        assert "could not be started" in said and "xla_cuda_plugin.so" in said


def test_a_plugin_without_its_hardware_is_passed_over_in_silence(broken_cuda):
    before = "plugins.Plugin.hardware_is_there = lambda self: False"
    assert ask(before, broken_cuda) == "['cpu', 'cpu']\n"


def test_a_plugin_is_found_without_running_its_package(broken_cuda, monkeypatch):
    monkeypatch.syspath_prepend(broken_cuda)
    monkeypatch.delitem(sys.modules, "jax_plugins", raising=False)
    found = [f for f in plugins.installed() if f.plugin.platform == "cuda"]
    assert [f.library for f in found] == [
        broken_cuda / "jax_plugins" / "xla_cuda13" / "xla_cuda_plugin.so"
    ]
    monkeypatch.delitem(sys.modules, "jax_plugins", raising=False)


def test_the_number_of_cpu_devices_can_not_change_once_there_are_some():
    before = clients.device_count()
    with pytest.raises(RuntimeError, match="'num_cpu_devices' must come before the first array"):
        num_cpu_devices.set(before + 1)
    assert num_cpu_devices.value != before + 1


def test_devices_and_processes_are_counted():
    devices = clients.devices()
    assert clients.device_count() == clients.local_device_count() == len(devices)
    assert clients.local_devices() == clients.local_devices(0) == devices
    assert (clients.process_index(), clients.process_count()) == (0, 1)
    assert clients.process_indices() == [0]
    assert clients.default_device() == devices[0]
    assert clients.devices("cpu") == devices


def test_asking_for_what_is_not_there_says_what_there_is():
    with pytest.raises(BackendError, match=r"platform 'tpu' was asked for, and this process has"):
        clients.devices("tpu")
    with pytest.raises(ValueError, match=r"process 7 has no devices: the processes are \[0\]"):
        clients.local_devices(7)
