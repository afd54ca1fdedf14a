"""A package that extends jx from outside installs, works, and touches nothing private."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import jx_core

SOURCE = Path(__file__).resolve().parents[1] / "examples" / "jx-periodic"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package, built and installed into a folder of its own."""
    pytest.importorskip("setuptools", reason="building the package needs setuptools")
    folder = tmp_path_factory.mktemp("outside")
    copy = folder / "source"
    # Built from a copy: setuptools leaves files beside what it builds.
    for file in [*SOURCE.rglob("*.py"), SOURCE / "pyproject.toml", SOURCE / "README.md"]:
        target = copy / file.relative_to(SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    target = folder / "site"
    subprocess.run(
        [*command, "--no-build-isolation", "--target", str(target), str(copy)], check=True
    )
    return target


def run(installed, *command, cwd):
    paths = [str(installed), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True
    )


def test_its_own_tests_pass_where_it_is_installed(installed, tmp_path):
    tests = tmp_path / "test_periodic.py"
    tests.write_bytes((SOURCE / "tests" / "test_periodic.py").read_bytes())
    done = run(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests), cwd=tmp_path)
    assert done.returncode == 0 and "passed" in done.stdout, done.stdout + done.stderr


def test_it_is_imported_from_where_it_is_installed(installed, tmp_path):
    done = run(installed, "-c", "import jx_periodic; print(jx_periodic.__file__)", cwd=tmp_path)
    assert done.stdout.startswith(str(installed)), done.stderr


@pytest.mark.parametrize("file", sorted((SOURCE / "src").rglob("*.py")), ids=lambda f: f.stem)
def test_it_uses_documented_interfaces_alone(file):
    documented = "".join(
        page.read_text() for page in (SOURCE.parents[1] / "docs" / "layers").glob("*.md")
    )
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("jx_"):
            for alias in node.names:
                assert not alias.name.startswith("_")
                known = alias.name in documented or hasattr(jx_core, alias.name)
                assert known, f"{node.module}.{alias.name} is on no page of docs/layers"
