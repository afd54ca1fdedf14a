"""The reader of imports sees every form of import, and finds cycles."""

from pathlib import Path

import pytest

from source_imports import ROOT, find_cycle, imports_of


def read(tmp_path: Path, source: str) -> set[tuple[str, str | None, bool, bool]]:
    file = tmp_path / "sample.py"
    file.write_text(source)
    return {
        (found.module, found.name, found.deferred, found.typing_only)
        for found in imports_of(file, "jx_core.ops.sample")
    }


@pytest.mark.parametrize(
    ("source", "module", "name"),
    [
        ("import a.b", "a.b", None),
        ("import a as c", "a", None),
        ("from a.b import c", "a.b", "c"),
        ("from . import shape", "jx_core.ops", "shape"),
        ("from .shape import pad", "jx_core.ops.shape", "pad"),
        ("from ..trace import Trace", "jx_core.trace", "Trace"),
        ("importlib.import_module('a.b')", "a.b", None),
        ("__import__('a')", "a", None),
        ("try:\n  import a\nexcept ImportError:\n  pass", "a", None),
    ],
)
def test_forms_of_import(tmp_path: Path, source: str, module: str, name: str | None) -> None:
    assert read(tmp_path, source) == {(module, name, False, False)}


def test_an_import_inside_a_function_is_deferred(tmp_path: Path) -> None:
    assert read(tmp_path, "def f():\n  import a") == {("a", None, True, False)}


def test_an_import_for_type_checkers_is_marked(tmp_path: Path) -> None:
    source = "if TYPE_CHECKING:\n  import a\nelse:\n  import b"
    assert read(tmp_path, source) == {("a", None, False, True), ("b", None, False, False)}


def test_a_cycle_is_found_and_told() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_a_diamond_is_no_cycle() -> None:
    assert find_cycle({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}) is None


def test_an_import_tells_where_it_stands() -> None:
    (first, *_) = imports_of(ROOT / "tests" / "source_imports.py")
    assert str(first).startswith("tests/source_imports.py:")
