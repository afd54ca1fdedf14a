"""How arrays lie on devices, told to a function or drawn as text."""

from __future__ import annotations

import builtins
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import tree
from ..aval import typeof
from ..ops.callbacks.debugging import inspect_sharding_p
from ..ops.callbacks.host import HostFunction
from ..tracebacks import filtered


@filtered
def inspect_array_sharding(value: Any, *, callback: Callable[[Any], None]) -> None:
    """Tell a function how arrays lie on devices, also inside compiled programs.

    There it is called while the program is compiled, when the compiler has decided.

    Args:
        value: a pytree of arrays.
        callback: takes the sharding of each.

    Raises:
        TypeError: `callback` is not callable.

    >>> inspect_array_sharding(np.arange(3), callback=lambda where: None)
    """
    if not callable(callback):
        raise TypeError(f"jx.debug.inspect_array_sharding: callback must be callable: {callback!r}")
    in_tree = tree.structure(((0,), {}))
    for leaf in tree.leaves(value):
        function = HostFunction(callback, in_tree, None, "jx.debug.inspect_array_sharding")
        inspect_sharding_p.bind(leaf, callback=function)


@filtered
def visualize_array_sharding(arr: Any, **kwargs: Any) -> None:
    """Draw how an array lies on devices; see `visualize_sharding` for the options.

    Args:
        arr: an array of one or two axes, also inside of a compiled program.
        kwargs: passed to `visualize_sharding`.

    Raises:
        ValueError: `arr` has another number of axes.

    >>> from jx_core import lax
    >>> visualize_array_sharding(lax.iota(np.int32, 4))
    +-------------------------+
    |         NUMPY 0         |
    +-------------------------+
    """
    shape = typeof(arr).shape
    _check_drawable(shape, "visualize_array_sharding")
    draw = functools.partial(visualize_sharding, shape, **kwargs)
    inspect_array_sharding(arr, callback=draw)


# Background colours of the 256-colour palette, in which neighbours are easily told apart.
_PALETTE = (24, 94, 22, 89, 60, 130, 66, 53, 100, 31, 88, 65)


def visualize_sharding(
    shape: Sequence[int],
    sharding: Any,
    *,
    use_color: bool = True,
    scale: float = 1.0,
    min_width: int = 9,
    max_width: int = 80,
    color_map: Callable[[float], Sequence[float]] | None = None,
) -> None:
    """Draw a sharding: a table with a cell for each part, naming the devices that hold it.

    Args:
        shape: the shape of an array of one or two axes.
        sharding: how it lies.
        use_color: colour the cells, where the output is a terminal.
        scale: the size of the drawing.
        min_width: the least width of a cell, in characters.
        max_width: the greatest width of the drawing.
        color_map: from numbers between 0 and 1 to colours (red, green, blue), such as
            matplotlib's.

    Raises:
        ValueError: `shape` has another number of axes, or the sharding does not fit it.

    On eight devices, a mesh of four by two and the spec `P("x", "y")` give four rows of two cells,
    from `CPU 0` to `CPU 7`. On one device:

    >>> from jx_core import backend
    >>> visualize_sharding((4,), backend.current().devices()[0])
    +-------------------------+
    |         NUMPY 0         |
    +-------------------------+
    """
    shape = tuple(shape)
    _check_drawable(shape, "visualize_sharding")
    cells, kind = _cells(shape, sharding)
    rows, columns = 1 + max(r for r, _ in cells), 1 + max(c for _, c in cells)
    texts = {
        at: f"{kind} {','.join(map(str, sorted(ids)))}".strip() for at, ids in cells.items()
    }
    ratio = (shape[1] if len(shape) == 2 else shape[0]) / max(shape[0], 1)
    wide = int(25 * scale * min(max(ratio, 0.2), 5) / columns)
    width = min(max(wide, min_width, *(len(t) + 2 for t in texts.values())), max_width)
    if columns * (width + 1) + 1 > max_width:
        width = max((max_width - 1) // columns - 1, 3)
    height = max(int(10 * scale / rows), 1) if len(shape) == 2 else 1
    colors = _colors(rows * columns, color_map) if use_color and sys.stdout.isatty() else None
    line = f"+{'+'.join(['-' * width] * columns)}+"
    drawing = [line]
    for r in range(rows):
        row = [texts[r, c] for c in range(columns)]
        tints = None if colors is None else colors[r * columns : (r + 1) * columns]
        drawing += [*_row(row, width, height, tints), line]
    builtins.print("\n".join(drawing), flush=True)


def _check_drawable(shape: Sequence[int], what: str) -> None:
    if len(shape) not in (1, 2):
        raise ValueError(
            f"jx.debug.{what} only works for shapes with 1 and 2 dimensions, got {tuple(shape)}"
        )


def _cells(shape: tuple[int, ...], sharding: Any) -> tuple[dict[tuple[int, int], set[int]], str]:
    """The ids of the devices that hold each part, by the part's row and column; their kind."""
    if not hasattr(sharding, "devices_indices_map"):  # a single device
        return {(0, 0): {sharding.id}}, sharding.platform.upper()
    places = sharding.devices_indices_map(shape)
    device = next(iter(places))
    starts = [
        [s.indices(n)[0] for s, n in zip(index, shape, strict=True)] for index in places.values()
    ]
    ranks = [
        {start: i for i, start in enumerate(sorted(set(column)))}
        for column in zip(*starts, strict=True)
    ]
    cells: dict[tuple[int, int], set[int]] = {}
    for holder, start in zip(places, starts, strict=True):
        at = [rank[s] for rank, s in zip(ranks, start, strict=True)]
        row, column = at if len(at) == 2 else (0, at[0])
        cells.setdefault((row, column), set()).add(holder.id)
    return cells, device.platform.upper()


def _row(
    texts: Sequence[str], width: int, height: int, colors: Sequence[str] | None
) -> Iterator[str]:
    for k in range(height):
        words = [t[:width] if k == height // 2 else "" for t in texts]
        parts = [w.center(width) for w in words]
        if colors is not None:
            parts = [f"{c}{p}\x1b[0m" for c, p in zip(colors, parts, strict=True)]
        yield f"|{'|'.join(parts)}|"


def _colors(count: int, color_map: Callable[[float], Sequence[float]] | None) -> list[str]:
    """Escape sequences that colour the background, one for each part."""
    if color_map is None:
        return [f"\x1b[97;48;5;{_PALETTE[i % len(_PALETTE)]}m" for i in range(count)]
    result = []
    for i in range(count):
        red, green, blue = (
            int(255 * c) if isinstance(c, float) else int(c) for c in color_map(i / count)[:3]
        )
        text = 30 if 299 * red + 587 * green + 114 * blue > 128_000 else 97
        result.append(f"\x1b[{text};48;2;{red};{green};{blue}m")
    return result
