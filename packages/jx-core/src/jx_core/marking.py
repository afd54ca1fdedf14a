"""Shapes in error messages, with a mark under the axis at fault.

Not here: the messages themselves, which each function words by its own rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Shape = tuple[Any, ...]


def _cells(shape: Shape) -> list[str]:
    """The parts of a shape's text that stand under each other, one for each axis."""
    texts = [str(n) for n in shape]
    ends = [","] * (len(texts) - 1) + [",)" if len(texts) == 1 else ")"]
    cells = [text + end for text, end in zip(texts, ends)]
    return ["(" + cells[0], *cells[1:]] if cells else []


def mark_broadcast(shapes: Sequence[Shape]) -> str:
    """The shapes under each other, last axes aligned, the axes that don't broadcast marked.

    Scalars, which go with anything, are left out. The text begins with a new line.

    >>> print(mark_broadcast([(3, 4), (3, 5)]))
    <BLANKLINE>
        (3, 4)
        (3, 5)
            ^ axis -1 has lengths 4 and 5
    """
    shapes = [s for s in shapes if s]
    rank = max(map(len, shapes), default=0)
    rows = [[""] * (rank - len(s)) + _cells(s) for s in shapes]
    widths = [max(len(row[i]) for row in rows) for i in range(rank)]
    lines = [" ".join(c.rjust(w) for c, w in zip(row, widths)).rstrip() for row in rows]
    marks, faults = "", []
    for i in range(rank):
        lengths = list(dict.fromkeys(s[i - rank] for s in shapes if len(s) >= rank - i))
        lengths = [n for n in lengths if type(n) is not int or n != 1]
        is_fault = len(lengths) > 1
        # The mark stands under the last digit, before the comma or bracket.
        end = 2 if i == rank - 1 and any(len(s) == 1 for s in shapes) else 1
        marks += ("^" if is_fault else " ").rjust(widths[i] - end) + " " * end + " "
        if is_fault:
            faults.append(f"axis {i - rank} has lengths {' and '.join(map(str, lengths))}")
    if not faults:
        return ""
    lines.append(f"{marks.rstrip()} {'; '.join(faults)}")
    return "".join(f"\n    {line}" for line in lines)


def mark_axes(*marked: tuple[Shape, Sequence[int]]) -> str:
    """Shapes in a line, each with marks under some axes; the text begins with a new line.

    >>> print(mark_axes(((3, 4), [1]), ((3, 5), [0])))
    <BLANKLINE>
        (3, 4)  (3, 5)
            ^    ^
    """
    line, marks = "", ""
    for shape, axes in marked:
        ndim = len(shape)
        cells = _cells(shape) or ["()"]
        places = {a % ndim for a in axes} if ndim else set()
        for i, cell in enumerate(cells):
            end = 2 if cell.endswith(",)") else 1
            marks += ("^" if i in places else " ").rjust(len(cell) - end) + " " * (end + 1)
            line += cell + " "
        line, marks = line + " ", marks + " "
    return f"\n    {line.rstrip()}\n    {marks.rstrip()}"
