"""`jx` is a namespace: its modules are the layers' own, loaded when first used."""

import importlib
import operator
import subprocess
import sys

import pytest

import jx
from jx import _lazy


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", sorted(_lazy.MODULES))
def test_module_is_the_layers_own(name):
    module = importlib.import_module(f"jx.{name}")
    assert module is importlib.import_module(_lazy.MODULES[name])
    assert operator.attrgetter(name)(jx) is module


@pytest.mark.parametrize("name", sorted(_lazy.NAMES))
def test_name_is_the_layers_own(name):
    assert getattr(jx, name) is getattr(importlib.import_module(_lazy.NAMES[name]), name)


def test_submodules_are_the_layers_own():
    import jx.numpy.linalg
    import jx_numpy.linalg

    assert jx.numpy.linalg is jx_numpy.linalg
    assert jx_numpy.linalg.__spec__.name == "jx_numpy.linalg"


def test_experimental_names_are_found_without_an_import_of_their_own():
    code = "import jx; print([n for n in dir(jx.experimental) if not hasattr(jx.experimental, n)])"
    assert run(code) == "[]"
    with pytest.raises(AttributeError, match="module 'jx.experimental' has no attribute 'nope'"):
        _ = jx.experimental.nope
    with pytest.raises(ImportError):
        importlib.import_module("jx.experimental.nope")


def test_importing_jx_loads_no_array_library():
    loaded = run("import jx, sys; print([m for m in sys.modules if m.startswith('jx_numpy')])")
    assert loaded == "[]"


def test_importing_jx_starts_no_client():
    state = "from jx_xla.runtime import clients; print(clients.backends_are_initialized())"
    assert run(f"import jx; {state}") == "False"


def test_every_public_name_exists():
    for name in jx.__all__:
        assert hasattr(jx, name), name


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="module 'jx' has no attribute 'gradd'"):
        _ = jx.gradd


def test_jax_can_not_be_imported_beside_jx():
    code = (
        "import jx\n"
        "try:\n    import jax\n"
        "except ImportError as e:\n    print('owner' in str(e))\n"
    )
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed, so there is nothing to refuse")
    assert run(code) == "True"


def test_xla_is_the_default_back_end():
    assert run("import jx, jx_core; print(jx_core.backend.default().name)") == "xla"
