"""The product of two arrays with labelled axes, summed over the labels that are not kept.

Every contraction of this package, from `dot` to `einsum`, comes down to this: one
`dot_general` with a transposition before the result where the order asks for it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from jx_core import lax, typeof
from jx_core.clashes import mark_axes
from jx_core.errors import ShapeError

Labels = tuple[Hashable, ...]


def product(
    name: str,
    x: Any,
    x_labels: Labels,
    y: Any,
    y_labels: Labels,
    out_labels: Labels,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """`x * y` summed over every label that is not in `out_labels`.

    Args:
        name: the public function, for errors.
        x, y: arrays of one dtype.
        x_labels, y_labels: a label for each axis, distinct within one array. An axis of
            length 1 goes with any length that its label has in the other array.
        out_labels: the labels of the result's axes; each occurs in `x` or `y`.
        precision, preferred_element_type: as for `lax.dot_general`.

    Raises:
        ShapeError: a label has two lengths.
    """
    x, x_labels, y, y_labels = _stretch(name, x, x_labels, y, y_labels)
    x, x_labels = _sum_alone(x, x_labels, {*y_labels, *out_labels})
    y, y_labels = _sum_alone(y, y_labels, {*x_labels, *out_labels})
    shared = [a for a in x_labels if a in y_labels]
    batch = [a for a in shared if a in out_labels]
    summed = [a for a in shared if a not in out_labels]
    labels = _kept_order(batch, shared, x_labels, y_labels)
    if labels != out_labels:
        # Either the other order is the one asked for, or the result is transposed anyway. The
        # compiler was seen to fuse that transposition better when the second operand leads.
        x, x_labels, y, y_labels = y, y_labels, x, x_labels
        precision = precision[::-1] if type(precision) is tuple else precision
        labels = _kept_order(batch, shared, x_labels, y_labels)
    numbers = (
        (_places(x_labels, summed), _places(y_labels, summed)),
        (_places(x_labels, batch), _places(y_labels, batch)),
    )
    result = lax.dot_general(
        x, y, numbers, precision=precision, preferred_element_type=preferred_element_type
    )
    if labels == out_labels:
        return result
    return lax.transpose(result, tuple(labels.index(a) for a in out_labels))


def _kept_order(
    batch: Sequence[Hashable], shared: Sequence[Hashable], first: Labels, second: Labels
) -> Labels:
    """The labels of a product's axes in `dot_general`'s order."""
    return (*batch, *(a for a in (*first, *second) if a not in shared))


def _places(labels: Labels, wanted: Sequence[Hashable]) -> tuple[int, ...]:
    return tuple(labels.index(a) for a in wanted)


def _stretch(name: str, x: Any, x_labels: Labels, y: Any, y_labels: Labels) -> tuple[Any, ...]:
    """Drop axes of length 1 whose label is longer in the other array."""
    x_shape, y_shape = typeof(x).shape, typeof(y).shape
    sizes = dict(zip(y_labels, y_shape, strict=True))
    x_drop, y_drop = [], []
    for i, (label, n) in enumerate(zip(x_labels, x_shape, strict=True)):
        m = sizes.get(label, n)
        if m == n:
            continue
        if n == 1:
            x_drop.append(i)
        elif m == 1:
            y_drop.append(y_labels.index(label))
        else:
            raise ShapeError(
                f"{name} got operands of incompatible shapes {x_shape} and {y_shape}: axis {i} of "
                f"the first has length {n}, axis {y_labels.index(label)} of the second has "
                f"length {m}; they are multiplied element by element, so must be equal or 1"
                f"{mark_axes((x_shape, [i]), (y_shape, [y_labels.index(label)]))}"
            )
    if x_drop:
        x = lax.squeeze(x, tuple(x_drop))
        x_labels = tuple(a for i, a in enumerate(x_labels) if i not in x_drop)
    if y_drop:
        y = lax.squeeze(y, tuple(y_drop))
        y_labels = tuple(a for i, a in enumerate(y_labels) if i not in y_drop)
    return x, x_labels, y, y_labels


def _sum_alone(x: Any, labels: Labels, used: set[Hashable]) -> tuple[Any, Labels]:
    """Sum `x` over labels that nothing else uses."""
    alone = tuple(i for i, a in enumerate(labels) if a not in used)
    if not alone:
        return x, labels
    return lax.reduce_sum_p.bind(x, axes=alone), tuple(a for a in labels if a in used)
