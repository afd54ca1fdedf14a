"""What the array API standard, version 2024.12, says a namespace has: names and signatures.

Facts taken from https://data-apis.org/array-api/2024.12/. Each row is a function and its
parameters, as one writes them in a Python definition.
"""

from __future__ import annotations

import inspect

VERSION = "2024.12"

UNARY = """abs acos acosh asin asinh atan atanh bitwise_invert ceil conj cos cosh exp expm1 floor
imag isfinite isinf isnan log log1p log2 log10 logical_not negative positive real reciprocal
round sign signbit sin sinh square sqrt tan tanh trunc""".split()

BINARY = """add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor
copysign divide equal floor_divide greater greater_equal hypot less less_equal logaddexp
logical_and logical_or logical_xor maximum minimum multiply nextafter not_equal pow remainder
subtract""".split()

_OVER_AXES = "x, /, *, axis=None, keepdims=False"
_FFT = "x, /, *, n=None, axis=-1, norm='backward'"
_FFTN = "x, /, *, s=None, axes=None, norm='backward'"

_MAIN = {
    **dict.fromkeys(UNARY, "x, /"),
    **dict.fromkeys(BINARY, "x1, x2, /"),
    "clip": "x, /, min=None, max=None",
    # Creation.
    "arange": "start, /, stop=None, step=1, *, dtype=None, device=None",
    "asarray": "obj, /, *, dtype=None, device=None, copy=None",
    "empty": "shape, *, dtype=None, device=None",
    "empty_like": "x, /, *, dtype=None, device=None",
    "eye": "n_rows, n_cols=None, /, *, k=0, dtype=None, device=None",
    "from_dlpack": "x, /, *, device=None, copy=None",
    "full": "shape, fill_value, *, dtype=None, device=None",
    "full_like": "x, /, fill_value, *, dtype=None, device=None",
    "linspace": "start, stop, /, num, *, dtype=None, device=None, endpoint=True",
    "meshgrid": "*arrays, indexing='xy'",
    "ones": "shape, *, dtype=None, device=None",
    "ones_like": "x, /, *, dtype=None, device=None",
    "tril": "x, /, *, k=0",
    "triu": "x, /, *, k=0",
    "zeros": "shape, *, dtype=None, device=None",
    "zeros_like": "x, /, *, dtype=None, device=None",
    # Dtypes.
    "astype": "x, dtype, /, *, copy=True, device=None",
    "can_cast": "from_, to, /",
    "finfo": "type, /",
    "iinfo": "type, /",
    "isdtype": "dtype, kind",
    "result_type": "*arrays_and_dtypes",
    # Indexing, searching, sorting, sets.
    "take": "x, indices, /, *, axis=None",
    "take_along_axis": "x, indices, /, *, axis=-1",
    "argmax": _OVER_AXES,
    "argmin": _OVER_AXES,
    "count_nonzero": _OVER_AXES,
    "nonzero": "x, /",
    "searchsorted": "x1, x2, /, *, side='left', sorter=None",
    "where": "condition, x1, x2, /",
    "argsort": "x, /, *, axis=-1, descending=False, stable=True",
    "sort": "x, /, *, axis=-1, descending=False, stable=True",
    "unique_all": "x, /",
    "unique_counts": "x, /",
    "unique_inverse": "x, /",
    "unique_values": "x, /",
    # Products.
    "matmul": "x1, x2, /",
    "matrix_transpose": "x, /",
    "tensordot": "x1, x2, /, *, axes=2",
    "vecdot": "x1, x2, /, *, axis=-1",
    # Manipulation.
    "broadcast_arrays": "*arrays",
    "broadcast_to": "x, /, shape",
    "concat": "arrays, /, *, axis=0",
    "expand_dims": "x, /, axis",
    "flip": "x, /, *, axis=None",
    "moveaxis": "x, source, destination, /",
    "permute_dims": "x, /, axes",
    "repeat": "x, repeats, /, *, axis=None",
    "reshape": "x, /, shape, *, copy=None",
    "roll": "x, /, shift, *, axis=None",
    "squeeze": "x, /, axis",
    "stack": "arrays, /, *, axis=0",
    "tile": "x, repetitions, /",
    "unstack": "x, /, *, axis=0",
    # Statistics and truth.
    "cumulative_prod": "x, /, *, axis=None, dtype=None, include_initial=False",
    "cumulative_sum": "x, /, *, axis=None, dtype=None, include_initial=False",
    "max": _OVER_AXES,
    "mean": _OVER_AXES,
    "min": _OVER_AXES,
    "prod": "x, /, *, axis=None, dtype=None, keepdims=False",
    "std": "x, /, *, axis=None, correction=0.0, keepdims=False",
    "sum": "x, /, *, axis=None, dtype=None, keepdims=False",
    "var": "x, /, *, axis=None, correction=0.0, keepdims=False",
    "all": _OVER_AXES,
    "any": _OVER_AXES,
    "diff": "x, /, *, axis=-1, n=1, prepend=None, append=None",
    "__array_namespace_info__": "",
}

_LINALG = {
    "cholesky": "x, /, *, upper=False",
    "cross": "x1, x2, /, *, axis=-1",
    "det": "x, /",
    "diagonal": "x, /, *, offset=0",
    "eigh": "x, /",
    "eigvalsh": "x, /",
    "inv": "x, /",
    "matmul": "x1, x2, /",
    "matrix_norm": "x, /, *, keepdims=False, ord='fro'",
    "matrix_power": "x, n, /",
    "matrix_rank": "x, /, *, rtol=None",
    "matrix_transpose": "x, /",
    "outer": "x1, x2, /",
    "pinv": "x, /, *, rtol=None",
    "qr": "x, /, *, mode='reduced'",
    "slogdet": "x, /",
    "solve": "x1, x2, /",
    "svd": "x, /, *, full_matrices=True",
    "svdvals": "x, /",
    "tensordot": "x1, x2, /, *, axes=2",
    "trace": "x, /, *, offset=0, dtype=None",
    "vecdot": "x1, x2, /, *, axis=-1",
    "vector_norm": "x, /, *, axis=None, keepdims=False, ord=2",
}

_TRANSFORMS = {
    **dict.fromkeys(("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"), _FFT),
    **dict.fromkeys(("fftn", "ifftn", "rfftn", "irfftn"), _FFTN),
    "fftfreq": "n, /, *, d=1.0, dtype=None, device=None",
    "rfftfreq": "n, /, *, d=1.0, dtype=None, device=None",
    "fftshift": "x, /, *, axes=None",
    "ifftshift": "x, /, *, axes=None",
}

FUNCTIONS = {
    **_MAIN,
    **{f"linalg.{name}": row for name, row in _LINALG.items()},
    **{f"fft.{name}": row for name, row in _TRANSFORMS.items()},
}

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
REAL_FLOATS = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
DTYPES = ("bool", *INTEGERS, *REAL_FLOATS, *COMPLEX)

OPERATORS = """abs add and bool complex eq float floordiv ge getitem gt index int invert le lshift
lt matmul mod mul ne neg or pos pow rshift sub truediv xor radd rsub rmul rtruediv rfloordiv rmod
rpow rmatmul rand ror rxor rlshift rrshift""".split()
OF_ONE = ("abs", "bool", "complex", "float", "index", "int", "invert", "neg", "pos")
# What `operator` calls the operators that do as these functions.
SYMBOLS = {
    "add": "add", "divide": "truediv", "multiply": "mul", "pow": "pow", "subtract": "sub",
    "bitwise_and": "and_", "bitwise_or": "or_", "bitwise_xor": "xor",
    "bitwise_left_shift": "lshift",
    "bitwise_right_shift": "rshift", "equal": "eq", "not_equal": "ne", "greater": "gt",
    "greater_equal": "ge", "less": "lt", "less_equal": "le", "floor_divide": "floordiv",
    "remainder": "mod",
}  # fmt: skip
METHODS = ("__array_namespace__", "__dlpack__", "__dlpack_device__", "__setitem__", "to_device")
METHODS_PARAMETERS = {
    **{f"__{name}__": "self, /" for name in OF_ONE},
    **{f"__{name}__": "self, other, /" for name in OPERATORS if name not in (*OF_ONE, "getitem")},
    "__array_namespace__": "self, /, *, api_version=None",
    "__dlpack__": "self, /, *, stream=None, max_version=None, dl_device=None, copy=None",
    "__dlpack_device__": "self, /",
    "__getitem__": "self, key, /",
    "__setitem__": "self, key, value, /",
    "to_device": "self, device, /, *, stream=None",
}
PROPERTIES = ("dtype", "device", "mT", "ndim", "shape", "size", "T")


def signature(name: str) -> inspect.Signature:
    """The parameters that the standard gives a function."""
    return inspect.signature(eval(f"lambda {FUNCTIONS[name]}: None"))


def promoted(a: str, b: str) -> str | None:
    """The dtype of an operation on two; None where the standard leaves it open."""
    if a == b:
        return a
    kinds = [next(k for k in KINDS if d in KINDS[k]) for d in (a, b)]
    bits = [int("".join(c for c in d if c.isdigit()) or 0) for d in (a, b)]
    if kinds[0] == kinds[1]:
        return (a, b)[bits[1] > bits[0]]
    if set(kinds) == {"signed", "unsigned"}:
        signed, unsigned = bits if kinds[0] == "signed" else bits[::-1]
        wide = signed if signed > unsigned else 2 * unsigned
        return f"int{wide}" if wide <= 64 else None
    if set(kinds) == {"real", "complex"}:
        real, both = bits if kinds[0] == "real" else bits[::-1]
        return f"complex{max(2 * real, both)}"
    return None


KINDS = {
    "bool": ("bool",),
    "signed": INTEGERS[:4],
    "unsigned": INTEGERS[4:],
    "real": REAL_FLOATS,
    "complex": COMPLEX,
}
