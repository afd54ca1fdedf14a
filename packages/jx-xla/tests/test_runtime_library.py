"""One owner of jaxlib's array class in a process, and only the versions jx knows."""

import importlib.util
import os
import subprocess
import sys

import pytest

from jx_xla.runtime import library


def run(code: str, *paths: object, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, paths), *sys.path]),
             **environment},
        capture_output=True,
        text=True,
    )  # fmt: skip


@pytest.fixture
def fake_jax(tmp_path):
    (tmp_path / "jax").mkdir()
    (tmp_path / "jax" / "__init__.py").write_text("value = 1")
    (tmp_path / "jax" / "numpy.py").write_text("")
    return tmp_path


def test_importing_jax_after_jx_says_why_not(fake_jax):
    result = run("import jx_xla.runtime.library\nimport jax.numpy", fake_jax)
    assert result.returncode != 0
    assert "ImportError: jx and jax can't be imported in one process" in result.stderr
    assert "in a process of its own" in result.stderr


def test_importing_jx_after_jax_says_why_not(fake_jax):
    result = run("import jax\nimport jx_xla.runtime.library", fake_jax)
    assert result.returncode != 0
    assert "ImportError: jx and jax can't be imported in one process" in result.stderr


def test_whoever_asks_whether_jax_is_installed_is_told_the_truth(fake_jax):
    ask = (
        "import jx_xla.runtime.library, importlib.util, sys\n"
        "print(importlib.util.find_spec('jax') is not None, 'jax' in sys.modules)"
    )
    assert run(ask, fake_jax).stdout == "True False\n"


@pytest.mark.skipif(importlib.util.find_spec("jax") is not None, reason="jax is installed")
def test_where_jax_is_not_installed_its_import_fails_as_any_does():
    result = run("import jx_xla.runtime.library\nimport jax")
    assert "ModuleNotFoundError: No module named 'jax'" in result.stderr


def test_importing_the_runtime_starts_no_client_and_never_imports_jax():
    code = (
        "import sys\n"
        "from jx_xla.runtime import clients, dispatch, dlpack, mlir, custom_calls\n"
        "print(clients.backends_are_initialized(), [m for m in sys.modules if m[:4] == 'jax.'],"
        " 'jax' in sys.modules, 'jaxlib.mlir.ir' in sys.modules)"
    )
    assert run(code).stdout == "False [] False False\n"


@pytest.mark.parametrize("version", ["0.10.1", "0.13", "0.13.0.dev1", "1.0", "garbage"])
def test_other_versions_of_jaxlib_are_refused(version):
    with pytest.raises(ImportError, match=r"jx needs jaxlib >=0\.10\.2,<0\.13, and jaxlib "):
        library.check_version(version)


@pytest.mark.parametrize(
    ("version", "numbers"), [("0.10.2", (0, 10, 2)), ("0.12.0.1", (0, 12, 0, 1))]
)
def test_versions_compare_as_numbers(version, numbers):
    assert library.check_version(version) == numbers
