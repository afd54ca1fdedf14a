"""The READMEs tell the truth: their examples run, and print what they say.

A block of Python followed by a block of text is a program and its output. Each runs in a
process of its own, as a reader would run it.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from source_imports import PACKAGES, ROOT

READMES = [
    ROOT / "README.md",
    *(ROOT / "packages" / name / "README.md" for name in PACKAGES.values()),
]
EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```\s+```text\n(?P<output>.*?)```", re.DOTALL)


@pytest.mark.parametrize("readme", READMES, ids=lambda file: str(file.relative_to(ROOT)))
def test_examples_print_what_the_readme_says(readme: Path, tmp_path: Path) -> None:
    examples = list(EXAMPLE.finditer(readme.read_text()))
    assert examples, "a README shows at least one example with its output"
    for example in examples:
        ran = subprocess.run(
            [sys.executable, "-c", example["code"]], capture_output=True, text=True, cwd=tmp_path
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout == example["output"]


def test_the_first_screen_says_what_whom_and_how() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:45])
    for promised in ("bash ci/demo.sh", "bash ci/test.sh", "```python", "```text"):
        assert promised in first_screen


def test_files_linked_from_the_readme_exist() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
