"""Check an environment into which the wheels were installed: `check_installed.py jx-core jx ...`.

Each package must import, from the environment and not from a checkout, say the version that
its wheel says, and carry `py.typed` and the licence.
"""

import importlib
import sys
from importlib.metadata import distribution
from pathlib import Path


def check(name: str) -> str:
    """Check one distribution and return its version."""
    package = name.replace("-", "_")
    folder = Path(importlib.import_module(package).__file__ or "").parent
    assert folder.is_relative_to(sys.prefix), f"{package} was imported from {folder}"
    assert (folder / "py.typed").is_file(), f"{package} has no py.typed"
    installed = distribution(name)
    files = [str(file) for file in installed.files or ()]
    assert any(file.endswith("licenses/LICENSE") for file in files), f"{name} has no licence"
    assert not any(file.startswith("tests") for file in files), f"{name} ships its tests"
    version = importlib.import_module(f"{package}._version").__version__
    assert installed.version == version, f"{name} is {installed.version}, {package} says {version}"
    return version


if __name__ == "__main__":
    versions = {check(name) for name in sys.argv[1:]}
    assert len(versions) == 1, f"the packages have different versions: {sorted(versions)}"
    print(f"{len(sys.argv) - 1} packages of version {versions.pop()} installed and imported")
