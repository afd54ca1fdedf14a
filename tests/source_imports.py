"""What the repository's Python files import, read from their source without running it.

For the tests of layering; it knows nothing of which imports are allowed.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "jx_core": "jx-core",
    "jx_ad": "jx-ad",
    "jx_batching": "jx-batching",
    "jx_numpy": "jx-numpy",
    "jx_xla": "jx-xla",
    "jx_parallel": "jx-parallel",
    "jx": "jx",
}


@dataclass(frozen=True)
class Import:
    """One imported name: `from a.b import c` is `module="a.b", name="c"`.

    `deferred` says that it stands inside a function, so that it does not run when its file
    is imported; `typing_only` that it stands under `if TYPE_CHECKING:`.
    """

    file: Path
    line: int
    module: str
    name: str | None
    deferred: bool
    typing_only: bool

    @property
    def root(self) -> str:
        """The top-level package imported."""
        return self.module.partition(".")[0]

    def __str__(self) -> str:
        what = self.module if self.name is None else f"{self.module}.{self.name}"
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {what}"


def source_root(package: str) -> Path:
    """The folder whose files make up the package imported as `package`."""
    return ROOT / "packages" / PACKAGES[package] / "src" / package


def module_name(file: Path) -> str:
    """The name under which a file of a package is imported."""
    parts = file.relative_to(ROOT).parts[3:]
    stem = parts[-1].removesuffix(".py")
    return ".".join(parts[:-1] if stem == "__init__" else (*parts[:-1], stem))


@cache
def modules_of(package: str) -> dict[str, Path]:
    """Every module of a package, by name."""
    return {module_name(file): file for file in sorted(source_root(package).rglob("*.py"))}


@cache
def imports_of(file: Path, module: str | None = None) -> tuple[Import, ...]:
    """Every import in a file. `module` is the file's own name, to resolve relative imports."""
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    if module is None:
        package = ""
    elif file.name == "__init__.py":
        package = module
    else:
        package = module.rpartition(".")[0]
    return tuple(_walk(tree, file, package, deferred=False, typing_only=False))


def _walk(
    node: ast.AST, file: Path, package: str, deferred: bool, typing_only: bool
) -> Iterator[Import]:
    for module, name in _imported(node, package):
        yield Import(file, node.lineno, module, name, deferred, typing_only)  # type: ignore[attr-defined]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        deferred = True
    if isinstance(node, ast.If) and _is_type_checking(node.test):
        for child in node.body:
            yield from _walk(child, file, package, deferred, typing_only=True)
        for child in node.orelse:
            yield from _walk(child, file, package, deferred, typing_only)
        return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, file, package, deferred, typing_only)


def _imported(node: ast.AST, package: str) -> Iterator[tuple[str, str | None]]:
    """The (module, name) pairs that one node imports, if it is an import of any form."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, None
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if node.level:
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            module = ".".join([*base, module] if module else base)
        for alias in node.names:
            yield module, alias.name
    elif isinstance(node, ast.Call) and _called(node.func) in ("import_module", "__import__"):
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value, None


def _called(function: ast.expr) -> str | None:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None


def _is_type_checking(test: ast.expr) -> bool:
    return _called(test) == "TYPE_CHECKING"


def targets(imported: Import) -> Iterator[str]:
    """The modules of this repository that an import needs to have run.

    `from a.b import c` needs `a.b.c` where that is a module, and otherwise `a.b`.
    """
    if imported.root not in PACKAGES:
        return
    modules = modules_of(imported.root)
    full = f"{imported.module}.{imported.name}"
    if imported.name is not None and full in modules:
        yield full
    elif imported.module in modules:
        yield imported.module


def find_cycle(graph: dict[str, set[str]]) -> list[str] | None:
    """A cycle in a graph, as the nodes along it with the first repeated, or None."""
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str] | None:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return None
        for successor in sorted(graph.get(node, ())):
            cycle = visit(successor, [*path, node])
            if cycle is not None:
                return cycle
        done.add(node)
        return None

    for node in sorted(graph):
        cycle = visit(node, [])
        if cycle is not None:
            return cycle
    return None
