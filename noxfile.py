"""Sessions of the project: `nox -l` lists them, `nox -s lint` runs one.

Each session makes an environment of its own. Those of the packages hold what that package
requires and the test tools, nothing more, so that a hidden dependency shows.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint", "types", "tests"]

ROOT = Path(__file__).resolve().parent
PACKAGES = ["jx-core", "jx-ad", "jx-batching", "jx-numpy", "jx-xla", "jx-parallel", "jx"]
GROUPS = nox.project.load_toml("pyproject.toml")
PYTEST = ["python", "-m", "pytest", "-n", "2", "--dist", "worksteal"]
# Editable installs are built in the session's own environment, which is much the fastest way.
BUILD_TOOL = "setuptools>=77"


def group(name: str) -> list[str]:
    """The requirements of one dependency group of pyproject.toml."""
    return list(nox.project.dependency_groups(GROUPS, name))


def with_siblings(package: str) -> list[str]:
    """A package and the siblings it requires, in the order of PACKAGES."""
    project = nox.project.load_toml(f"packages/{package}/pyproject.toml")["project"]
    names = {re.split(r"[=<> ]", requirement)[0] for requirement in project["dependencies"]}
    return [sibling for sibling in PACKAGES if sibling in names | {package}]


def install(session: nox.Session, packages: list[str], *requirements: str) -> None:
    """Install packages of this repository, editable, and other requirements."""
    session.install(BUILD_TOOL)
    editable = [word for package in packages for word in ("-e", f"packages/{package}")]
    session.install("--no-build-isolation", *editable, *requirements)


def python_312() -> str | None:
    """A working Python 3.12, or None. Version managers leave a python3.12 on PATH that only
    says it is not selected, so a candidate counts when it has run."""
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [shutil.which("python3.12"), *home.glob("versions/3.12*/bin/python3.12")]
    for candidate in filter(None, candidates):
        probe = [str(candidate), "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 12))"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return str(candidate)
    return None


PYTHON_312 = python_312()


@nox.session
def tests(session: nox.Session) -> None:
    """Everything: each package's tests and those that cross layers."""
    install(session, PACKAGES, *group("test"), *group("oracles"), *group("examples"))
    session.run(*PYTEST, *session.posargs)


def alone(package: str) -> None:
    """Define the session that tests one package in an environment without the others."""

    def run(session: nox.Session) -> None:
        siblings = with_siblings(package)
        oracles = group("oracles") if package == "jx-numpy" else []
        install(session, siblings, *group("test"), *oracles)
        absent = {other.replace("-", "_") for other in PACKAGES if other not in siblings}
        if "jx-xla" not in siblings:
            absent.add("jaxlib")
        script = (
            "import importlib.util as u, sys; found = [n for n in sys.argv[1:] if u.find_spec(n)]; "
            "sys.exit(f'this environment must not hold {found}' if found else 0)"
        )
        session.run("python", "-c", script, *sorted(absent), silent=True)
        session.run(*PYTEST, f"packages/{package}/tests", *session.posargs)

    run.__doc__ = f"The tests of {package}, with only what it requires installed."
    nox.session(run, name="tests_" + package.removeprefix("jx-"))


for _package in PACKAGES:
    alone(_package)


@nox.session(python=PYTHON_312, venv_backend="virtualenv" if PYTHON_312 else "none")
@nox.parametrize("jaxlib", ["==0.11.2", ">=0.12,<0.13"], ids=["0.11.2", "0.12"])
def tests_jaxlib(session: nox.Session, jaxlib: str) -> None:
    """The suite on Python 3.12 with later versions of jaxlib."""
    if PYTHON_312 is None:
        session.skip("needs Python 3.12, and no python3.12 that runs was found")
    groups = [*group("test"), *group("oracles"), *group("examples")]
    install(session, PACKAGES, *groups, f"jaxlib{jaxlib}")
    session.run(*PYTEST, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff, and the import rules between layers."""
    session.install(*group("lint"), *group("test"))
    session.run("ruff", "check", ".")
    session.run("python", "-m", "pytest", "-q", "tests/test_layering.py", "tests/test_packages.py")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy: strict on jx-core, its defaults on the other packages."""
    session.install(*group("types"), "numpy>=2.0", "ml_dtypes>=0.5")
    session.run("mypy", "--strict", "-p", "jx_core")
    others = [word for name in PACKAGES[1:] for word in ("-p", name.replace("-", "_"))]
    session.run("mypy", *others)


@nox.session
def docs(session: nox.Session) -> None:
    """The site. Every example in it is run first, and a warning is an error."""
    install(session, PACKAGES, *group("docs"))
    build = ["sphinx-build", "-W", "--keep-going", "--quiet", "-d", "docs/_build/doctrees"]
    session.run(*build, "-b", "doctest", "docs", "docs/_build/doctest")
    session.run(*build, "-b", "html", "docs", "docs/_build/html")
    session.log("the site is at docs/_build/html/index.html")


@nox.session
def bench(session: nox.Session) -> None:
    """jx beside its peers; each peer in an environment and a process of its own."""
    install(session, PACKAGES)
    session.run("python", "benchmarks/peer.py", *session.posargs)
    if not session.posargs:
        session.run("python", "benchmarks/peer.py", "--peer", "numpy")


@nox.session
def build(session: nox.Session) -> None:
    """Wheels of all seven, installed into a clean environment and imported there."""
    session.install(*group("build"), BUILD_TOOL)
    dist = Path(session.create_tmp()).resolve() / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    for package in PACKAGES:
        # Source distribution first, wheel from it: leftovers in the tree cannot slip in.
        session.run(
            *["python", "-m", "build", "--no-isolation", "--outdir", str(dist)],
            f"packages/{package}",
            silent=True,
        )
    clean = dist.parent / "clean"
    session.run("python", "-m", "venv", "--clear", str(clean), silent=True)
    python = str(clean / "bin" / "python")
    wheels = sorted(str(wheel) for wheel in dist.glob("*.whl"))
    session.run(python, "-m", "pip", "install", "--quiet", *wheels, external=True)
    session.chdir(dist)
    session.run(python, str(ROOT / "ci" / "check_installed.py"), *PACKAGES, external=True)
