"""The directive `public-names`: documents every public name of a module, from its docstrings.

Autodoc's `automodule` takes a function that is an object of another kind (a compiled one, say)
for data, and so leaves out its signature. Here, what can be called is a function.
"""

import importlib
import inspect
import re
import types
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.ext.napoleon import GoogleDocstring
from sphinx.util.docutils import SphinxDirective


def public_names(module: types.ModuleType) -> list[str]:
    """The names a module offers: its `__all__`, or all that is neither private nor a module."""
    names = getattr(module, "__all__", None) or [
        name
        for name in dir(module)
        if not name.startswith("_")
        and not isinstance(getattr(module, name), types.ModuleType)
        and name != "annotations"
    ]
    return sorted(names, key=lambda name: (name.lower(), name))


def signature(value: Any) -> str:
    """`(x, /, axis=None)`, or nothing where Python does not know."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return "(...)"
    bare = [p.replace(annotation=p.empty) for p in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=found.empty))


def escape_stars(lines: list[str]) -> list[str]:
    """Lines in which `(*batch, n)` is no unfinished emphasis. Code is left as it is."""
    star = re.compile(r"(`[^`]*`)|(?<![\\\w*])\*(?=\w)(?![^*]*\w\*(?!\*))")
    return [
        line if line.lstrip().startswith((">>>", "...")) else star.sub(escaped, line)
        for line in lines
    ]


def escaped(match: re.Match[str]) -> str:
    """A quotation in backticks unchanged, a star with a backslash before it."""
    return match[1] or r"\*"


def process_docstring(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """For the docstrings that autodoc itself shows."""
    lines[:] = escape_stars(lines)


class PublicNames(SphinxDirective):
    """`.. public-names:: jx.numpy`"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module = importlib.import_module(self.arguments[0])
        lines: list[str] = []
        for name in public_names(module):
            lines += self.describe(f"{module.__name__}.{name}", getattr(module, name))
        content = StringList(lines, source=self.get_source_info()[0])
        node = nodes.section()
        node.document = self.state.document
        self.state.nested_parse(content, 0, node)
        return node.children

    def describe(self, name: str, value: Any) -> list[str]:
        """Markup for one name."""
        if isinstance(value, types.ModuleType):
            summary = (inspect.getdoc(value) or "").partition("\n")[0]
            return [f".. py:module:: {name}", "   :no-index:", "", f"   {summary}", ""]
        if isinstance(value, type):
            return [f".. autoclass:: {name}", "   :members:", ""]
        if not callable(value):
            return [f".. py:data:: {name}", ""]
        docstring = GoogleDocstring(inspect.getdoc(value) or "", self.config).lines()
        docstring = escape_stars(docstring)
        head = f".. py:function:: {name}{signature(value)}"
        return [head, "", *(f"   {line}".rstrip() for line in docstring), ""]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", process_docstring, priority=900)  # after napoleon
    app.add_directive("public-names", PublicNames)
    return {"parallel_read_safe": True}
