"""Shapes that don't go together, shown below one another with the axes at fault marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["mark_axes", "marked"]


def marked(shapes: Sequence[tuple[Any, ...]], apart: Sequence[int] = ()) -> str:
    """Lines with the shapes, aligned at their last axes, and marks under those that clash.

    An axis clashes where two lengths differ. One of 1 goes with any, unless `apart` is given.

    Args:
        shapes: of the operands; lengths are integers or symbolic.
        apart: the axes that may differ, counted from the front of shapes of one rank: those
            that operands are joined along.

    >>> print(marked([(2, 3, 4), (30, 4)]))
        (2,  3, 4)
           (30, 4)
             ^ lengths 3 and 30
    """
    ndim = max(map(len, shapes))
    columns = [[""] * (ndim - len(s)) + [str(n) for n in s] for s in shapes]
    widths = [max(len(row[j]) for row in columns) for j in range(ndim)]
    starts = [1 + sum(widths[:j]) + 2 * j for j in range(ndim)]
    lines = []
    for shape, row in zip(shapes, columns):
        first = ndim - len(shape)
        cells = [row[j].rjust(widths[j]) for j in range(first, ndim)]
        inside = cells[0] + "," if len(cells) == 1 else ", ".join(cells)
        lines.append(" " * (starts[first] - 1 if shape else sum(widths)) + f"({inside})")
    marks, lengths = "", ""
    for j in range(ndim):
        found = dict.fromkeys(row[j] for row in columns if row[j])
        if not apart:
            found.pop("1", None)
        if len(found) > 1 and j not in apart:
            marks = marks.ljust(starts[j] + widths[j] - 1) + "^"
            lengths = lengths or f" lengths {' and '.join(found)}"
    return "\n".join("    " + line for line in [*lines, marks + lengths])


def mark_axes(*operands: tuple[tuple[Any, ...], Sequence[int]]) -> str:
    """Shapes in a line, each with marks under some axes; the text begins with a new line.

    >>> print(mark_axes(((3, 4), [1]), ((3, 5), [0])))
    <BLANKLINE>
        (3, 4)  (3, 5)
            ^    ^
    """
    line, marks = "", ""
    for shape, axes in operands:
        ndim = len(shape)
        cells = _cells(shape) or ["()"]
        places = {a % ndim for a in axes} if ndim else set()
        for i, cell in enumerate(cells):
            end = 2 if cell.endswith(",)") else 1
            marks += ("^" if i in places else " ").rjust(len(cell) - end) + " " * (end + 1)
            line += cell + " "
        line, marks = line + " ", marks + " "
    return f"\n    {line.rstrip()}\n    {marks.rstrip()}"


def _cells(shape: tuple[Any, ...]) -> list[str]:
    """The parts of a shape's text that stand under each other, one for each axis."""
    texts = [str(n) for n in shape]
    ends = [","] * (len(texts) - 1) + [",)" if len(texts) == 1 else ")"]
    cells = [text + end for text, end in zip(texts, ends)]
    return ["(" + cells[0], *cells[1:]] if cells else []
