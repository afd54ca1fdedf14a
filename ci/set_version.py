"""Write one version into all seven packages: `python ci/set_version.py 0.2.0`.

The packages are released together, and each requires its siblings at exactly
its own version; `tests/test_packages.py` checks that they agree.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def set_version(version: str) -> None:
    """Rewrite every `_version.py` and every pin on a sibling.

    Raises:
      ValueError: `version` is not of the form `1.2.3`, `1.2.3rc1` or `1.2.3.dev1`.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?(\.dev\d+)?", version):
        raise ValueError(f"not a version this project uses: {version!r}")
    for file in ROOT.glob("packages/*/src/*/_version.py"):
        rewrite(file, r'__version__ = ".*"', f'__version__ = "{version}"')
    for file in ROOT.glob("packages/*/pyproject.toml"):
        rewrite(file, r'"(jx[a-z-]*)==[^"]*"', rf'"\g<1>=={version}"')


def rewrite(file: Path, pattern: str, replacement: str) -> None:
    """Replace `pattern` throughout `file`."""
    file.write_text(re.sub(pattern, replacement, file.read_text()))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    set_version(sys.argv[1])
