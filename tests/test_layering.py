"""Which package may import what: the rules that keep the layers apart.

They are read from the source, so they hold for imports that no test runs. What a package
declares to its installer is the business of test_packages.py.
"""

import sys
from pathlib import Path

import pytest

from source_imports import (
    PACKAGES,
    ROOT,
    Import,
    find_cycle,
    imports_of,
    modules_of,
    source_root,
    targets,
)

# What each package may import, besides itself and the standard library. numpy and ml_dtypes
# are jx-core's, and come with it to everybody.
CORE = {"numpy", "ml_dtypes"}
ALLOWED = {
    "jx_core": CORE,
    "jx_ad": CORE | {"jx_core"},
    "jx_batching": CORE | {"jx_core"},
    "jx_numpy": CORE | {"jx_core", "jx_ad", "jx_batching", "opt_einsum"},
    "jx_xla": CORE | {"jx_core", "jaxlib"},
    "jx_parallel": CORE | {"jx_core", "jx_ad", "jx_batching", "jx_xla"},
    "jx": CORE | {"jx_core", "jx_ad", "jx_batching", "jx_numpy", "jx_xla", "jx_parallel"},
}

# The modules that may import jaxlib, each with all that is inside it.
JAXLIB_HOMES = ("jx_xla.runtime", "jx_core.tree")


def imports_of_package(package: str) -> list[Import]:
    return [
        imported
        for module, file in modules_of(package).items()
        for imported in imports_of(file, module)
    ]


def within(module: str, home: str) -> bool:
    return module == home or module.startswith(home + ".")


def python_files() -> list[Path]:
    """Every Python file of the repository, and none of its environments or build outputs."""
    skipped = {"build", "dist", "__pycache__"}
    return [
        file
        for file in sorted(ROOT.rglob("*.py"))
        if not any(
            part.startswith(".") or part in skipped for part in file.relative_to(ROOT).parts[:-1]
        )
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_its_layer_may(package: str) -> None:
    known = ALLOWED[package] | {package} | set(sys.stdlib_module_names)
    homes = [home for home in JAXLIB_HOMES if home.startswith(package + ".")]
    forbidden = []
    for module, file in modules_of(package).items():
        for imported in imports_of(file, module):
            at_home = imported.root == "jaxlib" and any(within(module, home) for home in homes)
            if imported.root not in known and not at_home:
                forbidden.append(str(imported))
    assert not forbidden, "\n".join(forbidden)


def test_jaxlib_is_imported_only_by_its_adapters() -> None:
    strays = [
        str(imported)
        for package in PACKAGES
        for module, file in modules_of(package).items()
        if not any(within(module, home) for home in JAXLIB_HOMES)
        for imported in imports_of(file, module)
        if imported.root == "jaxlib"
    ]
    assert not strays, "\n".join(strays)


def test_nothing_imports_jax_but_what_runs_it_as_a_peer() -> None:
    def runs_the_peer(file: Path) -> bool:
        path = file.relative_to(ROOT)
        return path.parts[0] == "benchmarks" or (
            path.parts[0] == "ci" and path.name.startswith("record_")
        )

    strays = [
        str(imported)
        for file in python_files()
        if not runs_the_peer(file)
        for imported in imports_of(file)
        if imported.root == "jax"
    ]
    assert not strays, "\n".join(strays)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_cycle_among_the_modules_of_a_package(package: str) -> None:
    """Counting what runs when a module is imported: neither imports inside functions nor
    those for type checkers only."""
    graph = {
        module: {
            target
            for imported in imports_of(file, module)
            if not imported.deferred and not imported.typing_only
            for target in targets(imported)
            if target in modules_of(package)
        }
        for module, file in modules_of(package).items()
    }
    cycle = find_cycle(graph)
    assert cycle is None, " -> ".join(cycle or [])


def test_no_cycle_between_packages() -> None:
    graph = {
        package: {
            imported.root
            for imported in imports_of_package(package)
            if imported.root in PACKAGES and imported.root != package
        }
        for package in PACKAGES
    }
    cycle = find_cycle(graph)
    assert cycle is None, " -> ".join(cycle or [])


def test_every_package_has_its_source() -> None:
    """The rules above would hold for folders that are not there."""
    for package in PACKAGES:
        assert (source_root(package) / "__init__.py").is_file(), package
        assert (source_root(package) / "py.typed").is_file(), package
