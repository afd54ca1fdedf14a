"""Einstein summation: `einsum` and `einsum_path`.

The order of contractions is opt_einsum's; each step is one labelled product.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import opt_einsum

from jx_core import dtypes, lax, typeof
from jx_core.clashes import mark_axes
from jx_core.dispatch import compiled
from jx_core.errors import ShapeError

from ..operands import Array, ArrayLike, as_operand, promote_dtypes, refuse_out, refuse_sharding
from .pairs import Labels, product

__all__ = ["einsum", "einsum_path"]


def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: None = None,
    optimize: Any = "auto",
    precision: Any = None,
    preferred_element_type: Any = None,
    _dot_general: Any = None,
    out_sharding: Any = None,
) -> Array:
    """Sums of products of elements, by Einstein's convention, as NumPy's einsum.

    Args:
        subscripts: such as `"ij,jk->ik"`, with `...` for axes that broadcast; or the
            interleaved form `einsum(x, [0, 1], y, [1, 2], [0, 2])`.
        operands: the arrays.
        out: must be None.
        optimize: how to order contractions of three arrays or more: a strategy of
            opt_einsum (`"auto"`, `"optimal"`, `"greedy"`, ...), a path, True or False.
        precision, preferred_element_type: as for `matmul`.
        out_sharding: must be None.

    Raises:
        ValueError: the subscripts don't fit the operands; the message shows both.
        TypeError: an operand is no array.

    >>> einsum("ij,j->i", np.ones((2, 3)), np.arange(3.0))
    Array([3., 3.], dtype=float32)
    """
    refuse_out("einsum", out)
    refuse_sharding("einsum", out_sharding)
    if _dot_general is not None:
        raise TypeError("einsum: _dot_general is JAX's own and not supported")
    if not isinstance(subscripts, str):
        subscripts, operands = _interleaved((subscripts, *operands))
    arrays = tuple(as_operand("einsum", x, i) for i, x in enumerate(operands))
    path = optimize
    if not isinstance(optimize, (str, bool)):
        # NumPy's paths begin with a word that says what they are.
        steps = optimize[1:] if len(optimize) and optimize[0] == "einsum_path" else optimize
        path = tuple(map(tuple, steps))
    return _einsum(
        subscripts, arrays, optimize=path, precision=precision,
        preferred_element_type=preferred_element_type,
    )  # fmt: skip


def _plain_einsum(
    subscripts: str,
    operands: tuple[ArrayLike, ...],
    *,
    optimize: Any,
    precision: Any,
    preferred_element_type: Any,
) -> Array:
    shapes = tuple(typeof(x).shape for x in operands)
    inputs, output = _parse(subscripts, shapes)
    values = promote_dtypes("einsum", *operands)
    dtype = (
        None
        if preferred_element_type is None
        else dtypes.canonicalize_dtype(preferred_element_type)
    )
    terms = [_without_repeats(x, labels) for x, labels in zip(values, inputs, strict=True)]
    for step in _path(inputs, output, shapes, optimize):
        chosen = [terms[i] for i in step]
        terms = [t for i, t in enumerate(terms) if i not in step]
        needed = {a for _, labels in terms for a in labels} | set(output)
        terms.append(_combine(chosen, needed, output if not terms else None, precision, dtype))
    ((result, labels),) = terms
    if labels != output:
        result = lax.transpose(result, tuple(labels.index(a) for a in output))
    if dtype is not None and typeof(result).dtype != dtype:
        result = lax.convert_element_type(result, dtype)
    return result


_einsum = compiled(
    _plain_einsum,
    static_argnames=("subscripts", "optimize", "precision", "preferred_element_type"),
)

Term = tuple[Any, Labels]


def _combine(
    terms: Sequence[Term], needed: set[Any], final: Labels | None, precision: Any, dtype: Any
) -> Term:
    """The product of terms, summed over labels that are not needed any more."""
    if len(terms) > 2:
        first, *rest = terms
        later = needed | {a for _, labels in rest[1:] for a in labels}
        return _combine(
            [_combine([first, rest[0]], later, None, precision, dtype), *rest[1:]],
            needed, final, precision, dtype,
        )  # fmt: skip
    if len(terms) == 1:
        ((x, labels),) = terms
        gone = tuple(i for i, a in enumerate(labels) if a not in needed)
        kept = tuple(a for a in labels if a in needed)
        return (lax.reduce_sum_p.bind(x, axes=gone) if gone else x), kept
    (x, x_labels), (y, y_labels) = terms
    out = final
    if out is None:
        shared = [a for a in x_labels if a in y_labels and a in needed]
        out = tuple(shared) + tuple(
            a for a in (*x_labels, *y_labels) if a in needed and a not in shared
        )
    return product("einsum", x, x_labels, y, y_labels, out, precision, dtype), out


def _without_repeats(x: Any, labels: Labels) -> Term:
    """The diagonal along axes that have one label."""
    while len(set(labels)) < len(labels):
        repeated = next(a for a in labels if labels.count(a) > 1)
        i = labels.index(repeated)
        j = labels.index(repeated, i + 1)
        shape = typeof(x).shape
        index = [lax.broadcasted_iota(np.int32, shape, axis) for axis in (i, j)]
        zero = np.zeros((), typeof(x).dtype)[()]
        only = lax.select_n(lax.eq(*index), lax.full_like(x, zero), x)
        x = (
            lax.reduce_sum_p.bind(only, axes=(j,))
            if typeof(x).dtype != np.bool_
            else (lax.reduce_or_p.bind(only, axes=(j,)))
        )
        labels = labels[:j] + labels[j + 1 :]
    return x, labels


def _interleaved(arguments: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """`x, [0, 1], y, [1, 2], [0, 2]` as subscripts and operands."""
    pairs = len(arguments) // 2
    operands = tuple(arguments[2 * i] for i in range(pairs))
    lists = [arguments[2 * i + 1] for i in range(pairs)]
    output = arguments[-1] if len(arguments) % 2 else None
    names = sorted({a for axes in lists for a in axes if a is not Ellipsis}, key=str)
    symbols = {a: opt_einsum.get_symbol(i) for i, a in enumerate(names)}

    def text(axes: Sequence[Any]) -> str:
        return "".join("..." if a is Ellipsis else symbols[a] for a in axes)

    subscripts = ",".join(text(axes) for axes in lists)
    return subscripts + (f"->{text(output)}" if output is not None else ""), operands


@functools.lru_cache(maxsize=1024)
def _parse(
    subscripts: str, shapes: tuple[tuple[int, ...], ...]
) -> tuple[tuple[Labels, ...], Labels]:
    """The labels of each operand's axes and of the result's; `...` becomes (-n, ..., -1)."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    parts = left.split(",")
    if len(parts) != len(shapes):
        raise ShapeError(
            f"einsum: {subscripts!r} names {len(parts)} operands, got {len(shapes)}, of shapes "
            f"{list(shapes)}"
        )
    inputs = tuple(
        _labels(part, len(shape), subscripts) for part, shape in zip(parts, shapes, strict=True)
    )
    dots = sorted({a for labels in inputs for a in labels if isinstance(a, int)})
    letters = [a for labels in inputs for a in labels if isinstance(a, str)]
    if arrow:
        output = _labels(right, right.replace("...", "").__len__() + len(dots), subscripts)
    else:
        output = (*dots, *sorted(a for a in set(letters) if letters.count(a) == 1))
    known = {*dots, *letters}
    for a in output:
        if a not in known:
            raise ShapeError(f"einsum: {subscripts!r} has {a!r} in the result but in no operand")
    if len(set(output)) < len(output):
        raise ShapeError(f"einsum: {subscripts!r} repeats a label in the result")
    _check_sizes(subscripts, inputs, shapes)
    return inputs, output


def _labels(part: str, ndim: int, subscripts: str) -> Labels:
    head, dots, tail = part.partition("...")
    if not all(c.isalpha() for c in head + tail):
        raise ShapeError(f"einsum: {subscripts!r} may hold letters, commas, '...' and '->' only")
    if not dots:
        if len(head) != ndim:
            raise ShapeError(
                f"einsum: {part!r} in {subscripts!r} names {len(head)} axes of an array of {ndim}"
            )
        return tuple(head)
    rest = ndim - len(head) - len(tail)
    if rest < 0:
        raise ShapeError(
            f"einsum: {part!r} in {subscripts!r} names more axes than the {ndim} there are"
        )
    return (*head, *range(-rest, 0), *tail)


def _check_sizes(
    subscripts: str, inputs: Sequence[Labels], shapes: Sequence[tuple[int, ...]]
) -> None:
    sizes: dict[Any, int] = {}
    for labels, shape in zip(inputs, shapes, strict=True):
        for a, n in zip(labels, shape, strict=True):
            m = sizes.setdefault(a, n)
            if m == 1:
                sizes[a] = n
            elif n not in (1, m):
                name = repr(a) if isinstance(a, str) else "an axis of '...'"
                raise ShapeError(
                    f"einsum: {name} in {subscripts!r} has lengths {m} and {n}; the operands' "
                    f"shapes are {list(shapes)}{_marked(a, inputs, shapes)}"
                )


def _marked(label: Any, inputs: Sequence[Labels], shapes: Sequence[tuple[int, ...]]) -> str:
    """The operands' shapes, the axes that carry the label marked."""
    axes = [[i for i, a in enumerate(labels) if a == label] for labels in inputs]
    return mark_axes(*zip(shapes, axes, strict=True))


def _path(
    inputs: Sequence[Labels], output: Labels, shapes: Sequence[tuple[int, ...]], optimize: Any
) -> list[tuple[int, ...]]:
    """Which terms to combine, step by step; each step's result goes to the end."""
    if len(inputs) <= 2:
        return [tuple(range(len(inputs)))]
    if isinstance(optimize, tuple):
        return list(optimize)
    if optimize is False:
        last = len(inputs) - 1  # from left to right; the product so far is the last term
        return [(0, 1), *((0, last - i) for i in range(1, last))]
    symbols: dict[Any, str] = {}
    for a in (a for labels in inputs for a in labels):
        symbols.setdefault(a, opt_einsum.get_symbol(len(symbols)))
    text = ",".join("".join(symbols[a] for a in labels) for labels in inputs)
    text += "->" + "".join(symbols[a] for a in output)
    strategy = "optimal" if optimize is True else optimize
    # What is symbolic counts as long.
    shapes = [tuple(n if type(n) is int else 1009 for n in shape) for shape in shapes]
    path, _ = opt_einsum.contract_path(text, *shapes, shapes=True, optimize=strategy)
    return [tuple(sorted(step)) for step in path]


def einsum_path(subscripts: Any, /, *operands: Any, optimize: Any = "auto") -> Any:
    """The order in which `einsum` would contract, and a report on its cost.

    Returns:
        The path, as NumPy gives it, and opt_einsum's report.

    >>> einsum_path("ij,jk,kl->il", np.ones((2, 3)), np.ones((3, 4)), np.ones((4, 5)))[0]
    [(0, 1), (0, 1)]
    """
    if not isinstance(subscripts, str):
        subscripts, operands = _interleaved((subscripts, *operands))
    shapes = [typeof(as_operand("einsum_path", x, i)).shape for i, x in enumerate(operands)]
    strategy = "optimal" if optimize is True else optimize
    return opt_einsum.contract_path(subscripts, *shapes, shapes=True, optimize=strategy)
