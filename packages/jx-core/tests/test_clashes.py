"""Errors about shapes show them below one another and mark the axis at fault."""

import numpy as np
import pytest

from jx_core import lax, operators
from jx_core.clashes import marked
from jx_core.errors import ShapeError


@pytest.mark.parametrize(
    ("shapes", "apart", "shown"),
    [
        ([(3, 4), (3, 5)], (), ["(3, 4)", "(3, 5)", "    ^ lengths 4 and 5"]),
        ([(2, 3, 4), (30, 4)], (), ["(2,  3, 4)", "   (30, 4)", "     ^ lengths 3 and 30"]),
        ([(2,), (3,)], (), ["(2,)", "(3,)", " ^ lengths 2 and 3"]),
        ([(1, 2), (5, 3)], (), ["(1, 2)", "(5, 3)", "    ^ lengths 2 and 3"]),
        ([(2, 7), (3, 8)], (), ["(2, 7)", "(3, 8)", " ^  ^ lengths 2 and 3"]),
        ([(3, 4), (9, 1)], (0,), ["(3, 4)", "(9, 1)", "    ^ lengths 4 and 1"]),
    ],
)
def test_marks_lie_under_the_axes_that_differ(shapes, apart, shown):
    assert marked(shapes, apart).splitlines() == ["    " + line for line in shown]


@pytest.mark.parametrize(
    "call",
    [
        lambda x, y: operators.add(x, y),
        lambda x, y: lax.add(x, y),
        lambda x, y: lax.concatenate([x, y], 0),
        lambda x, y: lax.broadcast_shapes(x.shape, y.shape),
    ],
)
def test_errors_of_operations_have_them(call):
    with pytest.raises(ShapeError) as caught:
        call(np.ones((3, 4)), np.ones((3, 5)))
    assert str(caught.value).endswith("    (3, 4)\n    (3, 5)\n        ^ lengths 4 and 5")
