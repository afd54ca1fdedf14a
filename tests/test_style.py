"""The limits of size that the house sets itself, where a linter has no rule for them."""

import ast
from pathlib import Path

import pytest

from source_imports import PACKAGES, ROOT, modules_of

LINES_OF_A_FILE = 800
LINES_OF_A_FUNCTION = 70


@pytest.mark.parametrize("package", PACKAGES)
def test_a_file_has_one_subject_and_a_function_fits_a_screen(package: str) -> None:
    too_long = [told for file in modules_of(package).values() for told in oversized(file)]
    assert not too_long, "\n".join(too_long)


def oversized(file: Path) -> list[str]:
    """What in a file is longer than it should be; a docstring does not count."""
    text = file.read_text(encoding="utf-8")
    where = file.relative_to(ROOT)
    found = []
    if (lines := text.count("\n")) > LINES_OF_A_FILE:
        found.append(f"{where} has {lines} lines, more than {LINES_OF_A_FILE}")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and node.body[1:] else node.body[0]
            lines = (node.end_lineno or first.lineno) - first.lineno + 1
            if lines > LINES_OF_A_FUNCTION:
                found.append(f"{where}:{node.lineno} {node.name} has {lines} lines")
    return found
