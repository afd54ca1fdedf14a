"""What the seven distributions say of themselves to an installer."""

import re
import tomllib

import pytest

from source_imports import PACKAGES, ROOT, source_root

DISTRIBUTIONS = list(PACKAGES.values())

# The siblings each one requires, and what it requires from elsewhere.
REQUIRED = {
    "jx-core": (set(), {"numpy", "ml_dtypes"}),
    "jx-ad": ({"jx-core"}, set()),
    "jx-batching": ({"jx-core"}, set()),
    "jx-numpy": ({"jx-core", "jx-ad", "jx-batching"}, {"opt_einsum"}),
    "jx-xla": ({"jx-core"}, {"jaxlib"}),
    "jx-parallel": ({"jx-core", "jx-ad", "jx-batching", "jx-xla"}, set()),
    "jx": (set(DISTRIBUTIONS) - {"jx"}, set()),
}


def project(distribution: str) -> dict:
    file = ROOT / "packages" / distribution / "pyproject.toml"
    return tomllib.loads(file.read_text())["project"]


def requirements(distribution: str) -> dict[str, str]:
    """Name of each required distribution, and the versions of it that will do."""
    split = [re.match(r"[\w-]+", text) for text in project(distribution)["dependencies"]]
    return {match[0]: match.string[match.end() :] for match in split if match is not None}


def version(package: str) -> str:
    match = re.search(r'__version__ = "(.+)"', (source_root(package) / "_version.py").read_text())
    assert match is not None
    return match[1]


def test_all_seven_have_one_version() -> None:
    assert len({version(package) for package in PACKAGES}) == 1


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_requires_what_its_layer_may_import(distribution: str) -> None:
    siblings, others = REQUIRED[distribution]
    assert set(requirements(distribution)) == siblings | others


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_requires_its_siblings_at_exactly_its_own_version(distribution: str) -> None:
    pins = {name: pin for name, pin in requirements(distribution).items() if name in DISTRIBUTIONS}
    assert set(pins.values()) <= {f"=={version(distribution.replace('-', '_'))}"}


def test_jaxlib_is_bounded_to_the_versions_supported() -> None:
    assert requirements("jx-xla")["jaxlib"] == ">=0.10.2,<0.13"


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_python_versions_and_licence(distribution: str) -> None:
    told = project(distribution)
    assert told["name"] == distribution
    assert told["requires-python"] == ">=3.11,<3.14"
    assert told["license"] == "Apache-2.0"


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_carries_the_licence_and_a_readme(distribution: str) -> None:
    folder = ROOT / "packages" / distribution
    assert (folder / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert (folder / "README.md").read_text().startswith(f"# {distribution}\n")
