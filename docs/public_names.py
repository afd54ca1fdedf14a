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


# A quotation in backticks and what follows, or a star that would begin emphasis, or a bar.
SPECIAL = re.compile(r"`+([^`]+)`+(\w?)|(?<!\\)(\*{1,2}(?=\w)|(?<=\w)\*{1,2}|\|)")


def as_markup(lines: list[str]) -> list[str]:
    """Lines of a docstring as they are meant, where reStructuredText reads them otherwise.

    A quotation in backticks is code, and may have a plural s; `(*batch, n)` begins no
    emphasis, and `|x|` is no substitution. Examples and literal blocks are left as they are.
    """
    result = []
    literal: int | None = None  # the indentation of the `::` line that began a literal block
    example = False
    for line in lines:
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if literal is not None and text and indent <= literal:
            literal = None
        example = text.startswith(">>>") or (example and bool(text))
        if literal is not None or example:
            result.append(line)
            continue
        result.append(SPECIAL.sub(_marked, line))
        if text.endswith("::"):
            literal = indent
    return result


def _marked(match: re.Match[str]) -> str:
    code, following, special = match.groups()
    if code is None:
        return "".join(f"\\{c}" for c in special)
    return f"``{code}``" + (f"\\ {following}" if following else "")


def process_docstring(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """For the docstrings that autodoc itself shows."""
    lines[:] = as_markup(lines)


class PublicNames(SphinxDirective):
    """`.. public-names:: jx.numpy`"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module = importlib.import_module(self.arguments[0])
        lines: list[str] = []
        for name in public_names(module):
            lines += self.describe(f"{self.arguments[0]}.{name}", getattr(module, name))
        content = StringList(lines, source=self.get_source_info()[0])
        node = nodes.section()
        node.document = self.state.document
        self.state.nested_parse(content, 0, node)
        return node.children

    def describe(self, name: str, value: Any) -> list[str]:
        """Markup for one name."""
        if isinstance(value, types.ModuleType):
            return [f".. py:data:: {name}", "   :no-index:", "", *summary(value)]
        if isinstance(value, type):
            if own(value):  # also documented on its layer's page
                return [f".. autoclass:: {name}", "   :members:", "   :no-index:", ""]
            return [f".. py:class:: {name}", "", *summary(value)]
        if not callable(value):
            return [f".. py:data:: {name}", ""]
        head = f".. py:function:: {name}{signature(value)}"
        if not own(value):
            return [head, "", *summary(value)]
        docstring = as_markup((inspect.getdoc(value) or "").splitlines())
        lines = GoogleDocstring(docstring, self.config).lines()
        return [head, "", *(f"   {line}".rstrip() for line in lines), ""]


def own(value: Any) -> bool:
    """Whether jx made it. What is NumPy's or jaxlib's is documented there."""
    return (getattr(value, "__module__", None) or "").startswith("jx")


def summary(value: Any) -> list[str]:
    """The first line of a docstring, as the content of a directive."""
    first = (inspect.getdoc(value) or "").partition("\n")[0]
    return [f"   {line}" for line in as_markup([first])] + [""]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", process_docstring, priority=100)  # before napoleon
    app.add_directive("public-names", PublicNames)
    return {"parallel_read_safe": True}
