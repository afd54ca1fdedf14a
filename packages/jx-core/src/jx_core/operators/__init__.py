"""The arithmetic of arrays with NumPy's semantics, and the operators that call it.

`jx.numpy` gives these functions to users, compiled for eager use; here they are plain
functions, which traced programs call directly. They promote and broadcast their operands
(`promotion`, which all array functions use) and bind primitives. Importing this package
installs the operators on arrays and tracers (`members`).
"""

from . import members as members
from .arithmetic import (
    absolute,
    add,
    divide,
    divmod,
    floor_divide,
    multiply,
    negative,
    positive,
    power,
    remainder,
    subtract,
)
from .bitwise import bitwise_and, bitwise_or, bitwise_xor, invert, left_shift, right_shift
from .comparison import equal, greater, greater_equal, less, less_equal, not_equal
from .promotion import (
    as_operand,
    broadcast_shapes,
    pair,
    pair_inexact,
    promote,
    promote_dtypes,
    promote_dtypes_inexact,
    promote_inexact,
    promote_shapes,
    to_dtype,
    to_inexact,
)

__all__ = [
    "absolute", "add", "as_operand", "bitwise_and", "bitwise_or", "bitwise_xor",
    "broadcast_shapes", "divide", "divmod", "equal", "floor_divide", "greater", "greater_equal",
    "invert", "left_shift", "less", "less_equal", "multiply", "negative", "not_equal", "pair",
    "pair_inexact", "positive", "power", "promote", "promote_dtypes", "promote_dtypes_inexact",
    "promote_inexact", "promote_shapes", "remainder", "right_shift", "subtract", "to_dtype",
    "to_inexact",
]  # fmt: skip
