"""Sphinx's settings. Pages are Markdown (MyST); the reference is made from docstrings."""

import os
import sys
from pathlib import Path

# Read when jx is first imported: the pages' examples spread arrays over eight devices.
os.environ.setdefault("JX_NUM_CPU_DEVICES", "8")

from jx_core._version import __version__

sys.path.insert(0, str(Path(__file__).parent))
# The package that docs/layers/primitive.md walks through.
sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "jx-periodic" / "src"))

project = "jx"
author = "the jx contributors"
copyright = author
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "public_names",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "alabaster"
html_theme_options = {
    "description": "Array programs, transformed and compiled, in layers.",
    "fixed_sidebar": True,
}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # signatures stay readable; docstrings say what is meant
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# The pages' own examples are run here. Those in docstrings see their module's names, and are
# run as such by tests/test_docstrings.py.
doctest_test_doctest_blocks = ""
doctest_global_setup = "import numpy as np"
